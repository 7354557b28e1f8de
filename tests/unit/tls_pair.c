/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/tls_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

struct rt_tls_server *
open_server(const struct retort_options *options)
{
	struct rt_tls_server *server = NULL;
	char error[RETORT_ERROR_SIZE] = "";

	ck_assert_msg(rt_tls_open(&server, options, NOW, error) == 0, "%s",
		error);
	ck_assert_ptr_nonnull(server);
	return server;
}

const struct retort_options plain_options;

struct rt_tls_server *shared;

/* What clients share that trust no CA: to make one costs as much as a
   handshake. */
static SSL_CTX *any_client;

static SSL_CTX *
new_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	ck_assert_ptr_nonnull(context);
	SSL_CTX_set_security_level(context, 0);
	return context;
}

void
open_shared(void)
{
	shared = open_server(&plain_options);
	any_client = new_context();
}

void
close_shared(void)
{
	rt_tls_close(shared);
	SSL_CTX_free(any_client);
	any_client = NULL;
}

static void
trust(SSL_CTX *context, const char *pem)
{
	BIO *text = BIO_new_mem_buf(pem, -1);
	X509 *ca = PEM_read_bio_X509(text, NULL, NULL, NULL);
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	ck_assert_msg(ca != NULL, "no certificate: %s", pem);
	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
				 ca),
		1);
	X509_VERIFY_PARAM_set_time(param, (time_t)NOW);
	/* as Python has it from 3.13 on */
	ck_assert_int_eq(X509_VERIFY_PARAM_set_flags(param,
				 X509_V_FLAG_X509_STRICT),
		1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	X509_free(ca);
	BIO_free(text);
}

static void
set_client(struct pair *pair, const struct client *client)
{
	SSL *ssl = pair->client;

	if (client->min != 0)
		SSL_set_min_proto_version(ssl, client->min);
	if (client->max != 0)
		SSL_set_max_proto_version(ssl, client->max);
	if (client->alpn != NULL)
		ck_assert_int_eq(SSL_set_alpn_protos(ssl,
					 (const unsigned char *)client->alpn,
					 (unsigned)strlen(client->alpn)),
			0);
	if (client->sni != NULL)
		ck_assert_int_eq(SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
					 TLSEXT_NAMETYPE_host_name,
					 (void *)(uintptr_t)client->sni),
			1);
	if (client->host != NULL) {
		X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

		if (X509_VERIFY_PARAM_set1_ip_asc(param, client->host) != 1)
			ck_assert_int_eq(SSL_set1_host(ssl, client->host), 1);
	}
	if (client->cert != NULL) {
		ck_assert_int_eq(SSL_use_certificate(ssl, client->cert), 1);
		ck_assert_int_eq(SSL_use_PrivateKey(ssl, client->key), 1);
	}
	if (client->again != NULL)
		ck_assert_int_eq(SSL_set_session(ssl, client->again), 1);
}

void
open_pair(struct pair *pair, struct rt_tls_server *server,
	const struct client *client)
{
	*pair = (struct pair){.server = server};
	pair->tls = rt_tls_new(server, -1, 7, pair);
	ck_assert_ptr_nonnull(pair->tls);
	ck_assert_int_eq(pair->tls->wire.kind, 7);
	ck_assert_ptr_eq(pair->tls->owner, pair);
	rt_chan_init(&pair->plain, -1, 0);
	pair->context = client->ca != NULL ? NULL : any_client;
	if (pair->context != NULL)
		SSL_CTX_up_ref(pair->context);
	else
		pair->context = new_context();
	if (client->ca != NULL)
		trust(pair->context, client->ca);
	pair->client = SSL_new(pair->context);
	pair->to = BIO_new(BIO_s_mem());
	pair->from = BIO_new(BIO_s_mem());
	SSL_set_bio(pair->client, pair->to, pair->from);
	SSL_set_connect_state(pair->client);
	set_client(pair, client);
}

void
close_pair(struct pair *pair)
{
	SSL_free(pair->client);
	SSL_CTX_free(pair->context);
	rt_tls_free(pair->tls);
	ERR_clear_error();
}

void
want(struct pair *pair, enum rt_verb out)
{
	pair->plain.in.verb = RT_NOTHING;
	pair->plain.out.verb = out;
}

void
want_recv(struct pair *pair, size_t size)
{
	want(pair, RT_NOTHING);
	pair->plain.in.verb = RT_RECV;
	pair->plain.in.recv.data = pair->room;
	pair->plain.in.recv.size = size;
}

void
want_send(struct pair *pair, const void *bytes, size_t size, bool more)
{
	want(pair, RT_SEND);
	pair->plain.out.more = more;
	pair->plain.out.send.count = 1;
	pair->plain.out.send.pieces[0].iov_base = (char *)(uintptr_t)bytes;
	pair->plain.out.send.pieces[0].iov_len = size;
}

/* The next bytes in one direction: at most `room` of them, and up to where they
   are split. */
static size_t
next_bytes(size_t done, size_t split, size_t room)
{
	return done < split && split - done < room ? split - done : room;
}

/* The client goes on with what has come to it. */
static void
turn_client(struct pair *pair)
{
	if (!SSL_is_init_finished(pair->client))
		(void)SSL_do_handshake(pair->client);
}

static bool
bring(struct pair *pair)
{
	struct rt_op *in = &pair->tls->wire.in;
	bool fin = pair->cut && pair->came == pair->split_in;
	size_t room;
	int n;

	if (in->verb == RT_NOTHING)
		return false;
	ck_assert_int_eq(in->verb, RT_RECV);
	turn_client(pair);
	room = next_bytes(pair->came, pair->split_in, in->recv.size);
	n = fin ? 0 : BIO_read(pair->from, in->recv.data, (int)room);
	if (n <= 0 && !fin)
		return false;
	in->result = n;
	pair->came += (size_t)n;
	ck_assert_uint_eq(rt_tls_done(pair->tls, &pair->plain, RT_IN_DONE), 0);
	return true;
}

static bool
take(struct pair *pair, unsigned *done)
{
	struct rt_op *out = &pair->tls->wire.out;
	size_t size = out->send.pieces[0].iov_len;

	*done = 0;
	if (out->verb == RT_NOTHING)
		return false;
	out->result = 0;
	if (out->verb == RT_SEND) {
		ck_assert_int_eq(out->send.count, 1);
		ck_assert_uint_gt(size, 0);
		pair->more = out->more;
		size = next_bytes(pair->went, pair->split_out, size);
		ck_assert_int_eq(BIO_write(pair->to,
					 out->send.pieces[0].iov_base,
					 (int)size),
			(int)size);
		out->result = (int64_t)size;
		pair->went += size;
	}
	*done = rt_tls_done(pair->tls, &pair->plain, RT_OUT_DONE);
	if (out->verb == RT_SEND)
		ck_assert_uint_eq(*done, 0);
	/* a flush may be a hold's, which is nobody else's */
	else if (out->verb != RT_FLUSH)
		ck_assert_uint_eq(*done, RT_OUT_DONE);
	return true;
}

unsigned
carry(struct pair *pair)
{
	unsigned done;

	for (;;) {
		done = rt_tls_try(pair->tls, &pair->plain, pair->now);
		if (done != 0 || pair->tls->cut)
			return done;
		/* outward first, as io does */
		if (take(pair, &done)) {
			if (done != 0)
				return done;
			continue;
		}
		if (bring(pair))
			continue;
		if (pair->tls->until <= pair->now)
			return 0;
		pair->now = pair->tls->until;
	}
}

bool
shake(struct pair *pair)
{
	size_t before;
	int result;

	want_recv(pair, sizeof pair->room);
	do {
		before = pair->came + pair->went;
		if (carry(pair) != 0 || pair->tls->cut ||
			SSL_is_init_finished(pair->client))
			break;
		result = SSL_do_handshake(pair->client);
		if (result == 1 || BIO_ctrl_pending(pair->from) > 0)
			continue;
		if (SSL_get_error(pair->client, result) != SSL_ERROR_WANT_READ)
			return false;
		/* each waits for the other */
		if (before == pair->came + pair->went && before > 0)
			return false;
	} while (true);
	return pair->tls->ready && SSL_is_init_finished(pair->client);
}

void
exchange_in(struct pair *pair, const char *text)
{
	size_t size = strlen(text), got = 0;

	ck_assert_int_eq(SSL_write(pair->client, text, (int)size), (int)size);
	while (got < size) {
		want_recv(pair, sizeof pair->room - got);
		pair->plain.in.recv.data += got;
		ck_assert_uint_eq(carry(pair), RT_IN_DONE);
		ck_assert_int_gt(pair->plain.in.result, 0);
		got += (size_t)pair->plain.in.result;
	}
	assert_bytes(pair->room, got, text, size);
}

int
client_reads(struct pair *pair, void *bytes, int size)
{
	int n = SSL_read(pair->client, bytes, size);
	int error = SSL_get_error(pair->client, n);

	if (n > 0)
		return n;
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -error;
}

void
exchange_out(struct pair *pair, const void *bytes, size_t size)
{
	struct bytes got = {NULL, 0};
	char part[4096];
	size_t sent = 0;
	int n;

	while (sent < size) {
		want_send(pair, (const char *)bytes + sent, size - sent, false);
		ck_assert_uint_eq(carry(pair), RT_OUT_DONE);
		ck_assert_int_gt(pair->plain.out.result, 0);
		sent += (size_t)pair->plain.out.result;
	}
	while ((n = client_reads(pair, part, sizeof part)) > 0)
		bytes_add(&got, part, (size_t)n);
	ck_assert_int_eq(n, -SSL_ERROR_WANT_READ);
	assert_bytes(got.data, got.size, bytes, size);
	bytes_free(&got);
}
