/* SPDX-License-Identifier: MIT */
/* The room tls, with OpenSSL's own client at the other end, in memory. */
#include "config.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/tls_pair.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const struct client any_client;

/* --- bytes, however they are cut --- */

/* A request, a reply, and the end of both. */
static void
talk(struct pair *pair)
{
	ck_assert_msg(shake(pair), "split at %zu and %zu: no handshake",
		pair->split_in, pair->split_out);
	exchange_in(pair, REQUEST);
	exchange_out(pair, "HTTP/1.1 200 OK\r\n\r\n", 19);
	want(pair, RT_FINISH);
	ck_assert_uint_eq(carry(pair), RT_OUT_DONE);
	ck_assert_int_eq(pair->plain.out.result, 0);
	ck_assert_int_eq(client_reads(pair, pair->room, 1), 0);
	ck_assert_int_eq(SSL_shutdown(pair->client), 1);
	want_recv(pair, 10);
	ck_assert_uint_eq(carry(pair), RT_IN_DONE);
	ck_assert_int_eq(pair->plain.in.result, 0);
}

static const struct client clients[] = {
	{.max = TLS1_2_VERSION},
	{.min = TLS1_3_VERSION},
};

START_TEST(test_split_inward)
{
	struct pair pair;
	size_t whole;

	open_pair(&pair, shared, &clients[_i]);
	talk(&pair);
	whole = pair.came;
	close_pair(&pair);
	ck_assert_uint_gt(whole, 200);
	for (size_t i = 1; i < whole; i++) {
		if (rt_test_thin())
			continue;
		open_pair(&pair, shared, &clients[_i]);
		pair.split_in = i;
		talk(&pair);
		close_pair(&pair);
	}
}
END_TEST

START_TEST(test_split_outward)
{
	struct pair pair;
	size_t whole;

	open_pair(&pair, shared, &clients[_i]);
	talk(&pair);
	whole = pair.went;
	close_pair(&pair);
	ck_assert_uint_gt(whole, 500);
	for (size_t i = 1; i < whole; i++) {
		if (rt_test_thin())
			continue;
		open_pair(&pair, shared, &clients[_i]);
		pair.split_out = i;
		talk(&pair);
		close_pair(&pair);
	}
}
END_TEST

/* The client is gone after this many bytes: that is an end of the stream, and
   no mistake. */
START_TEST(test_fin_at_each_byte)
{
	struct pair pair;
	size_t whole;

	open_pair(&pair, shared, &clients[_i]);
	ck_assert(shake(&pair));
	whole = pair.came;
	close_pair(&pair);
	for (size_t i = 0; i < whole; i++) {
		if (rt_test_thin())
			continue;
		open_pair(&pair, shared, &clients[_i]);
		want_recv(&pair, 10);
		pair.split_in = i;
		pair.cut = true;
		ck_assert_uint_eq(carry(&pair), RT_IN_DONE);
		ck_assert_int_eq(pair.plain.in.result, 0);
		close_pair(&pair);
	}
}
END_TEST

START_TEST(test_large)
{
	size_t size = 100000;
	char *bytes = malloc(size);
	struct pair pair;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7);
	open_pair(&pair, shared, &any_client);
	ck_assert(shake(&pair));
	exchange_out(&pair, bytes, size);
	close_pair(&pair);
	free(bytes);
}
END_TEST

/* Pieces become one record, and what follows at once is said. */
START_TEST(test_pieces)
{
	struct pair pair;
	char got[20];

	open_pair(&pair, shared, &any_client);
	ck_assert(shake(&pair));
	want_send(&pair, "one, ", 5, true);
	pair.plain.out.send.pieces[1].iov_base = (char *)(uintptr_t) "two";
	pair.plain.out.send.pieces[1].iov_len = 3;
	pair.plain.out.send.count = 2;
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, 8);
	ck_assert(pair.more);
	ck_assert_int_eq(client_reads(&pair, got, sizeof got), 8);
	assert_bytes(got, 8, "one, two", 8);
	want_send(&pair, "three", 5, false);
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert(!pair.more);
	/* a FIN follows the last words */
	want(&pair, RT_FINISH);
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert(pair.more);
	close_pair(&pair);
}
END_TEST

START_TEST(test_file)
{
	struct pair pair;
	char got[20], *room;

	open_pair(&pair, shared, &any_client);
	want(&pair, RT_FILE);
	pair.plain.out.file.size = 8;
	ck_assert_ptr_null(rt_tls_room(pair.tls, &pair.plain));
	ck_assert(shake(&pair));
	want(&pair, RT_FILE);
	pair.plain.out.file.size = 8;
	room = rt_tls_room(pair.tls, &pair.plain);
	ck_assert_ptr_nonnull(room);
	memcpy(room, "file", 4);
	rt_tls_read(pair.tls, 4);
	ck_assert_ptr_null(rt_tls_room(pair.tls, &pair.plain));
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, 4);
	ck_assert(pair.more);
	assert_bytes(pair.tls->file.data, 4, "file", 4);
	ck_assert_int_eq(client_reads(&pair, got, sizeof got), 4);
	assert_bytes(got, 4, "file", 4);
	ck_assert_ptr_nonnull(rt_tls_room(pair.tls, &pair.plain));
	close_pair(&pair);
}
END_TEST

/* A greeting: the server speaks first, and a flush is passed on. */
START_TEST(test_server_first)
{
	struct pair pair;
	char got[20];

	open_pair(&pair, shared, &any_client);
	want_send(&pair, "hello", 5, false);
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, 5);
	ck_assert_int_eq(client_reads(&pair, got, sizeof got), 5);
	want(&pair, RT_FLUSH);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	ck_assert_int_eq(pair.tls->wire.out.verb, RT_FLUSH);
	pair.tls->wire.out.result = -EAGAIN;
	ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain, RT_OUT_DONE),
		RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, -EAGAIN);
	close_pair(&pair);
}
END_TEST

/* A FIN, and TLS does not end before it. */
START_TEST(test_bare)
{
	struct pair pair;
	size_t went;

	open_pair(&pair, shared, &any_client);
	ck_assert(shake(&pair));
	exchange_out(&pair, "part", 4);
	went = pair.went;
	want(&pair, RT_FINISH);
	pair.plain.out.bare = true;
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, 0);
	ck_assert_uint_eq(pair.went, went);
	ck_assert_int_eq(client_reads(&pair, pair.room, 1),
		-SSL_ERROR_WANT_READ);
	close_pair(&pair);
}
END_TEST

/* Nothing is wanted of it: nothing is wanted of the wire. */
START_TEST(test_nothing)
{
	struct pair pair;

	open_pair(&pair, shared, &any_client);
	want(&pair, RT_NOTHING);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	ck_assert_int_eq(pair.tls->wire.in.verb, RT_NOTHING);
	ck_assert_int_eq(pair.tls->wire.out.verb, RT_NOTHING);
	ck_assert(shake(&pair));
	want(&pair, RT_NOTHING);
	ck_assert_uint_eq(carry(&pair), 0);
	ck_assert_int_eq(pair.tls->wire.in.verb, RT_NOTHING);
	ck_assert_int_eq(pair.tls->wire.out.verb, RT_NOTHING);
	close_pair(&pair);
}
END_TEST

/* --- what goes wrong --- */

static void
expect_failure(struct pair *pair, int64_t code, const char *why)
{
	want_recv(pair, 10);
	ck_assert_uint_eq(carry(pair), RT_IN_DONE);
	ck_assert_int_eq(pair->plain.in.result, code);
	if (why == NULL)
		ck_assert_ptr_null(pair->tls->why);
	else
		ck_assert_msg(strstr(pair->tls->why, why) != NULL,
			"expected \"%s\" in: %s", why, pair->tls->why);
	/* and so it stays, for either direction */
	want_send(pair, "x", 1, false);
	ck_assert_uint_eq(carry(pair), RT_OUT_DONE);
	ck_assert_int_eq(pair->plain.out.result, code);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(test_plain_http)
{
	struct pair pair;
	char alert[20];

	open_pair(&pair, shared, &any_client);
	want_recv(&pair, 10);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	memcpy(pair.tls->wire.in.recv.data, REQUEST, strlen(REQUEST));
	pair.tls->wire.in.result = (int64_t)strlen(REQUEST);
	(void)rt_tls_done(pair.tls, &pair.plain, RT_IN_DONE);
	expect_failure(&pair, -EPROTO, "http request");
	(void)BIO_read(pair.to, alert, sizeof alert);
	close_pair(&pair);
}
END_TEST

START_TEST(test_alert)
{
	const struct client strict = {.ca = rt_tls_ca(shared),
		.host = "example.com",
		.max = TLS1_2_VERSION};
	struct pair pair;

	open_pair(&pair, shared, &strict);
	ck_assert(!shake(&pair));
	expect_failure(&pair, -EPROTO, "alert");
	close_pair(&pair);
}
END_TEST

START_TEST(test_wire_error)
{
	struct pair pair;

	open_pair(&pair, shared, &any_client);
	ck_assert(shake(&pair));
	want_recv(&pair, 10);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	pair.tls->wire.in.result = -ECONNRESET;
	ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain, RT_IN_DONE), 0);
	expect_failure(&pair, -ECONNRESET, NULL);
	close_pair(&pair);
}
END_TEST

START_TEST(test_bad_record)
{
	struct pair pair;
	char record[100];
	int size;

	open_pair(&pair, shared, &any_client);
	ck_assert(shake(&pair));
	ck_assert_int_eq(SSL_write(pair.client, "hello", 5), 5);
	size = BIO_read(pair.from, record, sizeof record);
	record[size - 1] ^= 1;
	(void)BIO_write(pair.from, record, size);
	expect_failure(&pair, -EPROTO, "bad record mac");
	close_pair(&pair);
}
END_TEST

/* --- what is agreed on --- */

static const struct {
	enum retort_tls_version server_min, server_max;
	int min, max;
	const char *expected; /* NULL: none */
} versions[] = {
	{RETORT_TLS_DEFAULT, RETORT_TLS_DEFAULT, 0, 0, "TLSv1.3"},
	{RETORT_TLS_DEFAULT, RETORT_TLS_DEFAULT, 0, TLS1_2_VERSION, "TLSv1.2"},
	{RETORT_TLS_DEFAULT, RETORT_TLS_DEFAULT, TLS1_VERSION, TLS1_1_VERSION,
		NULL},
	{RETORT_TLS_1_3, RETORT_TLS_DEFAULT, 0, TLS1_2_VERSION, NULL},
	{RETORT_TLS_DEFAULT, RETORT_TLS_1_2, 0, 0, "TLSv1.2"},
	{RETORT_TLS_DEFAULT, RETORT_TLS_1_2, TLS1_3_VERSION, 0, NULL},
	{RETORT_TLS_DEFAULT, RETORT_TLS_1_0, TLS1_VERSION, 0, "TLSv1"},
	{RETORT_TLS_1_1, RETORT_TLS_1_1, TLS1_VERSION, 0, "TLSv1.1"},
};

START_TEST(test_versions)
{
	const struct retort_options options = {
		.tls_min = versions[_i].server_min,
		.tls_max = versions[_i].server_max,
	};
	const struct client client = {.min = versions[_i].min,
		.max = versions[_i].max};
	struct rt_tls_server *server = open_server(&options);
	struct pair pair;

	open_pair(&pair, server, &client);
	if (versions[_i].expected == NULL) {
		ck_assert(!shake(&pair));
		expect_failure(&pair, -EPROTO, "");
	} else {
		ck_assert(shake(&pair));
		ck_assert_str_eq(pair.tls->facts.version,
			versions[_i].expected);
		ck_assert_ptr_nonnull(pair.tls->facts.cipher);
		exchange_in(&pair, REQUEST);
	}
	close_pair(&pair);
	rt_tls_close(server);
}
END_TEST

static const struct {
	enum retort_protocol protocol;
	const char *offered;
	const char *selected;
	bool refused;
} protocols[] = {
	{RETORT_HTTP, NULL, NULL, false},
	{RETORT_HTTP, "\x08http/1.1", "http/1.1", false},
	{RETORT_HTTP, "\x02h2\x08http/1.1", "http/1.1", false},
	{RETORT_HTTP, "\x02h2", NULL, true},
	{RETORT_HTTP, "\x09http/1.1x", NULL, true},
	{RETORT_TCP, "\x02h2", NULL, false},
};

START_TEST(test_alpn)
{
	const struct retort_options options = {
		.protocol = protocols[_i].protocol};
	const struct client client = {.alpn = protocols[_i].offered};
	struct rt_tls_server *server = open_server(&options);
	struct pair pair;

	open_pair(&pair, server, &client);
	ck_assert_int_eq(shake(&pair), !protocols[_i].refused);
	ck_assert_pstr_eq(pair.tls->facts.alpn, protocols[_i].selected);
	if (protocols[_i].refused)
		expect_failure(&pair, -EPROTO, "no application protocol");
	close_pair(&pair);
	rt_tls_close(server);
}
END_TEST

START_TEST(test_facts)
{
	const struct client client = {.sni = "localhost"};
	struct rt_blob *texts;
	struct pair pair;

	open_pair(&pair, shared, &client);
	ck_assert_ptr_null(pair.tls->facts.version);
	ck_assert(shake(&pair));
	ck_assert_str_eq(pair.tls->facts.sni, "localhost");
	ck_assert_ptr_null(pair.tls->facts.client);
	ck_assert(!pair.tls->facts.resumed);
	/* who shares the texts has them for longer */
	texts = rt_blob_share(pair.tls->facts.texts);
	close_pair(&pair);
	ck_assert_str_eq(texts->data, "localhost");
	rt_blob_drop(texts);
}
END_TEST

START_TEST(test_resumed)
{
	const bool refused = _i >= COUNT(clients);
	struct client client = clients[_i % COUNT(clients)];
	struct pair pair;

	open_pair(&pair, shared, &client);
	ck_assert(shake(&pair));
	exchange_out(&pair, "ticket", 6);
	client.again = SSL_get1_session(pair.client);
	/* who does not say that it ends has none that could go on */
	(void)SSL_shutdown(pair.client);
	close_pair(&pair);
	open_pair(&pair, shared, &client);
	if (refused)
		rt_tls_resume_none(pair.tls, 7);
	ck_assert(shake(&pair));
	ck_assert_int_eq(pair.tls->facts.resumed, !refused);
	exchange_in(&pair, REQUEST);
	close_pair(&pair);
	SSL_SESSION_free(client.again);
}
END_TEST

/* --- certificates --- */

static const struct {
	const char *host;
	bool fits;
} hosts[] = {
	{"localhost", true},
	{"127.0.0.1", true},
	{"::1", true},
	{"api.test", true},
	{"with-port.test", true},
	{"10.1.2.3", true},
	{"fe80::1", true},
	{"sub.wild.test", true},
	{"example.com", false},
	{"127.0.0.2", false},
};

START_TEST(test_hosts)
{
	static const char names[] = "api.test\nwith-port.test:8443\n"
				    "10.1.2.3\n[fe80::1]:443\n*.wild.test";
	const struct retort_options options = {.hosts = names};
	struct rt_tls_server *server = open_server(&options);
	const struct client client = {.ca = rt_tls_ca(server),
		.host = hosts[_i].host};
	struct pair pair;

	open_pair(&pair, server, &client);
	ck_assert_msg(shake(&pair) == hosts[_i].fits, "%s: %s", client.host,
		X509_verify_cert_error_string(
			SSL_get_verify_result(pair.client)));
	close_pair(&pair);
	rt_tls_close(server);
}
END_TEST

static const struct {
	const char *name;
	int level;  /* of the client's security */
	long error; /* as the client finds it */
} faults[] = {
	{"none", 2, X509_V_OK},
	{"expired", 0, X509_V_ERR_CERT_HAS_EXPIRED},
	{"not-yet-valid", 0, X509_V_ERR_CERT_NOT_YET_VALID},
	{"wrong-host", 0, X509_V_ERR_HOSTNAME_MISMATCH},
	/* by the CN: what RFC 9110 4.3.4 forbids, and OpenSSL does */
	{"no-names", 0, X509_V_OK},
	{"self-signed", 0, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
	{"unknown-issuer", 0, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
	{"no-intermediate", 0, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
	{"wrong-use", 0, X509_V_ERR_INVALID_PURPOSE},
	{"weak-key", 0, X509_V_OK},
	{"weak-key", 2, X509_V_ERR_EE_KEY_TOO_SMALL},
	{"bad-signature", 0, X509_V_ERR_CERT_SIGNATURE_FAILURE},
};

START_TEST(test_faults)
{
	const struct retort_options options = {
		.tls_cert_fault = faults[_i].name};
	struct rt_tls_server *server = open_server(&options);
	const struct client client = {.ca = rt_tls_ca(server),
		.host = "localhost"};
	struct pair pair;
	long error;

	open_pair(&pair, server, &client);
	SSL_set_security_level(pair.client, faults[_i].level);
	ck_assert_int_eq(shake(&pair), faults[_i].error == X509_V_OK);
	error = SSL_get_verify_result(pair.client);
	ck_assert_msg(error == faults[_i].error, "%s: expected %s, got %s",
		faults[_i].name,
		X509_verify_cert_error_string(faults[_i].error),
		X509_verify_cert_error_string(error));
	close_pair(&pair);
	rt_tls_close(server);
}
END_TEST

/* Each server has a CA of its own. */
START_TEST(test_other_ca)
{
	struct rt_tls_server *server = open_server(&plain_options);
	const struct client client = {.ca = rt_tls_ca(server)};
	struct pair pair;

	ck_assert_str_ne(rt_tls_ca(server), rt_tls_ca(shared));
	open_pair(&pair, shared, &client);
	ck_assert(!shake(&pair));
	close_pair(&pair);
	rt_tls_close(server);
}
END_TEST

/* A certificate of a client's own, by itself. */
static X509 *
make_cert(EVP_PKEY **key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	*key = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(*key);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)NOW - 1000);
	ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)NOW + 1000);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
		(const unsigned char *)"Some\nbody", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)"client 7", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, *key);
	ck_assert_int_gt(X509_sign(cert, *key, EVP_sha256()), 0);
	return cert;
}

/* Files in a folder of their own. */
static char folder[32];
static char cert_file[64], key_file[64], other_file[64];

static void
write_files(X509 *cert, EVP_PKEY *key, const char *other)
{
	FILE *file;

	(void)strcpy(folder, "/tmp/retort-tls.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(cert_file, sizeof cert_file, "%s/cert", folder);
	(void)snprintf(key_file, sizeof key_file, "%s/key", folder);
	(void)snprintf(other_file, sizeof other_file, "%s/other", folder);
	file = fopen(cert_file, "w");
	ck_assert_int_eq(PEM_write_X509(file, cert), 1);
	(void)fclose(file);
	file = fopen(key_file, "w");
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL,
				 NULL),
		1);
	(void)fclose(file);
	file = fopen(other_file, "w");
	(void)fputs(other, file);
	(void)fclose(file);
}

static void
remove_files(void)
{
	(void)unlink(cert_file);
	(void)unlink(key_file);
	(void)unlink(other_file);
	(void)rmdir(folder);
}

static const struct {
	enum retort_tls_client mode;
	bool has;     /* the client has a certificate */
	bool trusted; /* it is verified, and known */
	bool unknown; /* it is verified, and is not */
	bool refused;
} client_certs[] = {
	{RETORT_TLS_CLIENT_NOT, true, false, false, false},
	{RETORT_TLS_CLIENT_WANTED, false, false, false, false},
	{RETORT_TLS_CLIENT_WANTED, true, false, false, false},
	{RETORT_TLS_CLIENT_REQUIRED, true, false, false, false},
	{RETORT_TLS_CLIENT_REQUIRED, false, false, false, true},
	{RETORT_TLS_CLIENT_REQUIRED, true, true, false, false},
	{RETORT_TLS_CLIENT_REQUIRED, true, false, true, true},
	{RETORT_TLS_CLIENT_WANTED, true, false, true, true},
};

START_TEST(test_client_cert)
{
	EVP_PKEY *key, *unused;
	X509 *cert = make_cert(&key), *other = make_cert(&unused);
	struct retort_options options = {.tls_client = client_certs[_i].mode};
	struct client client = {.max = TLS1_2_VERSION};
	struct rt_tls_server *server;
	struct pair pair;

	write_files(client_certs[_i].unknown ? other : cert, key, "");
	if (client_certs[_i].has) {
		client.cert = cert;
		client.key = key;
	}
	if (client_certs[_i].trusted || client_certs[_i].unknown)
		options.tls_client_ca = cert_file;
	server = open_server(&options);
	remove_files();
	open_pair(&pair, server, &client);
	ck_assert_int_eq(shake(&pair), !client_certs[_i].refused);
	if (client_certs[_i].has && !client_certs[_i].refused &&
		options.tls_client != RETORT_TLS_CLIENT_NOT)
		ck_assert_str_eq(pair.tls->facts.client,
			"CN=client 7,O=Some\\0Abody");
	else
		ck_assert_ptr_null(pair.tls->facts.client);
	if (client_certs[_i].refused)
		expect_failure(&pair, -EPROTO, "certificate");
	close_pair(&pair);
	rt_tls_close(server);
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(unused);
}
END_TEST

static void
expect_refused(const struct retort_options *options, const char *why)
{
	struct rt_tls_server *server = NULL;
	char error[RETORT_ERROR_SIZE] = "";

	ck_assert_int_eq(rt_tls_open(&server, options, NOW, error), -EINVAL);
	ck_assert_ptr_null(server);
	ck_assert_msg(strstr(error, why) != NULL, "expected \"%s\" in: %s", why,
		error);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

/* The other file, with a password that nobody has. */
static void
write_locked(EVP_PKEY *key)
{
	FILE *file = fopen(other_file, "w");

	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(),
				 "x", 1, NULL, NULL),
		1);
	(void)fclose(file);
}

START_TEST(test_files)
{
	EVP_PKEY *key, *unused;
	X509 *cert = make_cert(&key), *other = make_cert(&unused);
	struct retort_options options = {.tls_cert = cert_file,
		.tls_key = key_file};
	struct rt_tls_server *server;
	struct pair pair;
	X509 *got;

	write_files(cert, key, "");
	write_locked(key);
	server = open_server(&options);
	ck_assert_ptr_null(rt_tls_ca(server));
	open_pair(&pair, server, &any_client);
	ck_assert(shake(&pair));
	got = SSL_get1_peer_certificate(pair.client);
	ck_assert_int_eq(X509_cmp(got, cert), 0);
	X509_free(got);
	close_pair(&pair);
	rt_tls_close(server);

	options.tls_key = other_file;
	expect_refused(&options, "tls_key '/tmp/retort-tls.");
	options.tls_cert = other_file;
	expect_refused(&options, "tls_cert '/tmp/retort-tls.");
	options.tls_cert = "/nonexistent";
	expect_refused(&options, "tls_cert '/nonexistent': No such file");
	options.tls_cert = cert_file;
	remove_files();
	write_files(other, key, "");
	options.tls_key = key_file;
	expect_refused(&options, "key values mismatch");
	remove_files();
	X509_free(cert);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(unused);
}
END_TEST

static const struct {
	struct retort_options options;
	const char *why;
} mistakes[] = {
	{{.protocol = RETORT_UDP}, "tls: expected RETORT_HTTP or RETORT_TCP"},
	{{.tls_cert = "x"}, "tls_cert, tls_key: expected both or neither"},
	{{.tls_key = "x"}, "tls_cert, tls_key: expected both or neither"},
	{{.tls_min = (enum retort_tls_version)5}, "tls_min, tls_max: expected"},
	{{.tls_min = RETORT_TLS_1_3, .tls_max = RETORT_TLS_1_2},
		"tls_max: it is older than the oldest version"},
	{{.tls_client = (enum retort_tls_client)3}, "tls_client: expected"},
	{{.tls_client_ca = "x"}, "tls_client_ca: expected tls_client, too"},
	{{.tls_client = RETORT_TLS_CLIENT_WANTED,
		 .tls_client_ca = "/nonexistent"},
		"tls_client_ca '/nonexistent': No such file"},
	{{.tls_cert_fault = "bad"},
		"tls_cert_fault 'bad': expected one of expired, not-yet-valid, "
		"wrong-host, no-names, self-signed, unknown-issuer, "
		"no-intermediate, wrong-use, weak-key, bad-signature, none"},
	{{.tls_cert = "x", .tls_key = "x", .tls_cert_fault = "expired"},
		"tls_cert_fault: expected no tls_cert"},
	{{.hosts = "x\na,IP:1.2.3.4"}, "hosts: 'a,IP:1.2.3.4' cannot stand"},
};

START_TEST(test_mistakes)
{
	expect_refused(&mistakes[_i].options, mistakes[_i].why);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tls");
	TCase *bytes = tcase_create("bytes");
	TCase *agreed = tcase_create("agreed");
	TCase *certificates = tcase_create("certificates");

	tcase_add_unchecked_fixture(bytes, open_shared, close_shared);
	rt_test_case(suite, bytes);
	tcase_add_loop_test(bytes, test_split_inward, 0, COUNT(clients));
	tcase_add_loop_test(bytes, test_split_outward, 0, COUNT(clients));
	tcase_add_loop_test(bytes, test_fin_at_each_byte, 0, COUNT(clients));
	tcase_add_test(bytes, test_large);
	tcase_add_test(bytes, test_pieces);
	tcase_add_test(bytes, test_file);
	tcase_add_test(bytes, test_server_first);
	tcase_add_test(bytes, test_bare);
	tcase_add_test(bytes, test_nothing);
	tcase_add_test(bytes, test_plain_http);
	tcase_add_test(bytes, test_alert);
	tcase_add_test(bytes, test_wire_error);
	tcase_add_test(bytes, test_bad_record);

	tcase_add_unchecked_fixture(agreed, open_shared, close_shared);
	rt_test_case(suite, agreed);
	tcase_add_loop_test(agreed, test_versions, 0, COUNT(versions));
	tcase_add_loop_test(agreed, test_alpn, 0, COUNT(protocols));
	tcase_add_test(agreed, test_facts);
	tcase_add_loop_test(agreed, test_resumed, 0, 2 * COUNT(clients));

	tcase_add_unchecked_fixture(certificates, open_shared, close_shared);
	rt_test_case(suite, certificates);
	tcase_add_loop_test(certificates, test_hosts, 0, COUNT(hosts));
	tcase_add_loop_test(certificates, test_faults, 0, COUNT(faults));
	tcase_add_test(certificates, test_other_ca);
	tcase_add_loop_test(certificates, test_client_cert, 0,
		COUNT(client_certs));
	tcase_add_test(certificates, test_files);
	tcase_add_loop_test(certificates, test_mistakes, 0, COUNT(mistakes));
	return rt_test_run(suite);
}
