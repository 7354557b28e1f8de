/* SPDX-License-Identifier: MIT */
/*
 * TLS as a client of OpenSSL's sees it, in every way in which a server runs.
 * The bytes themselves, and certificates, are unit/tls_test.c's.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define BIG (300u << 10)

static const struct retort_options with_tls = {.tls = true};

/* A client that trusts the server's CA, and what it got. */
struct client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	struct bytes got;
	int end; /* an SSL_ERROR_..., or 0 */
};

static void
open_client(struct client *client)
{
	BIO *pem = BIO_new_mem_buf(retort_ca(server), -1);
	X509 *ca = PEM_read_bio_X509(pem, NULL, NULL, NULL);

	*client = (struct client){.fd = connect_client()};
	ck_assert_ptr_nonnull(ca);
	ck_assert_int_eq(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
	client->context = SSL_CTX_new(TLS_client_method());
	X509_STORE_add_cert(SSL_CTX_get_cert_store(client->context), ca);
	SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
	client->ssl = SSL_new(client->context);
	ck_assert_int_eq(SSL_set1_host(client->ssl, "localhost"), 1);
	ck_assert_int_eq(SSL_ctrl(client->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
				 TLSEXT_NAMETYPE_host_name,
				 (void *)(uintptr_t) "localhost"),
		1);
	ck_assert_int_eq(SSL_set_alpn_protos(client->ssl,
				 (const unsigned char *)"\x08http/1.1", 9),
		0);
	ck_assert_int_eq(SSL_set_fd(client->ssl, client->fd), 1);
	SSL_set_connect_state(client->ssl);
	bytes_add(&client->got, "", 0);
	X509_free(ca);
	BIO_free(pem);
}

static void
close_client(struct client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	bytes_free(&client->got);
	(void)close(client->fd);
}

/* The result of a call; true: it is to be made again. */
static bool
again(struct client *client, int result)
{
	client->end = SSL_get_error(client->ssl, result);
	if (client->end != SSL_ERROR_WANT_READ &&
		client->end != SSL_ERROR_WANT_WRITE)
		return false;
	turn(client->fd, client->end == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
		10);
	return true;
}

/* Sends all of it, and receives to the end: client->end is that of TLS. */
static void
converse(struct client *client, const char *request)
{
	int64_t until = now_ms() + PATIENCE;
	char part[4096];
	int n;

	while (again(client,
		n = SSL_write(client->ssl, request, (int)strlen(request))))
		ck_assert_msg(now_ms() < until, "%s: not sent", way->name);
	if (n <= 0)
		return;
	for (;;) {
		n = SSL_read(client->ssl, part, sizeof part);
		if (n > 0)
			bytes_add(&client->got, part, (size_t)n);
		else if (!again(client, n))
			return;
		ck_assert_msg(now_ms() < until, "%s: no end after: %s",
			way->name, shown(client->got.data, client->got.size));
	}
}

/* The reply ends by close_notify, and the connection by a FIN after it. */
static void
expect_end(struct client *client)
{
	int64_t until = now_ms() + PATIENCE;
	ssize_t n;
	char byte;

	ck_assert_msg(client->end == SSL_ERROR_ZERO_RETURN,
		"%s: error %d after: %s", way->name, client->end,
		shown(client->got.data, client->got.size));
	while ((n = recv(client->fd, &byte, 1, MSG_DONTWAIT)) < 0 &&
		errno == EAGAIN && now_ms() < until)
		turn(client->fd, POLLIN, 10);
	ck_assert_int_eq(n, 0);
}

/* These stand in a transcript, which is freed, in this order. */
static void
expect_events(char *transcript, const char *const *events)
{
	const char *at = transcript;

	ck_assert_ptr_nonnull(transcript);
	for (; *events != NULL && at != NULL; at += at ? strlen(*events++) : 0)
		at = strstr(at, *events);
	ck_assert_msg(at != NULL, "%s: expected \"%s\" there: %s", way->name,
		*events, transcript);
	free(transcript);
}

#define EVENTS(transcript, ...) \
	expect_events(transcript, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(answers)
{
	const struct retort_exchange *seen;
	struct client client;

	open_with(with_tls, _i);
	ON("GET /", .body = "secret");
	open_client(&client);
	converse(&client, GET);
	assert_begins(client.got, "HTTP/1.1 200 OK\r\n");
	assert_has(client.got, "\r\n\r\nsecret");
	expect_end(&client);
	close_client(&client);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_str_eq(seen->tls_version, "TLSv1.3");
	ck_assert_ptr_nonnull(seen->tls_cipher);
	ck_assert_str_eq(seen->tls_alpn, "http/1.1");
	ck_assert_str_eq(seen->tls_sni, "localhost");
	ck_assert_ptr_null(seen->tls_client);
	ck_assert_ptr_null(seen->tls_error);
	/* plain bytes are counted */
	ck_assert_uint_eq(seen->received, strlen(GET));
	assert_bytes(seen->raw, seen->raw_size, GET, strlen(GET));
	EVENTS(retort_transcript(server, 1), "\n", " < (TLS: ", " bytes)\n",
		" > (TLS: ", " bytes)\n", " < (TLS: ", " bytes)\n",
		" > (TLS: ", " bytes)\n", " - (TLS: TLSv1.3, TLS_",
		", ALPN http/1.1, SNI localhost)\n",
		" < GET / HTTP/1.1\\r\\n\n", " > secret\n", " > (FIN)\n");
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* What ends a kept connection, once its reply was sent: 0: its time-out. */
static int what_ends;

static void
end_it(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event != RETORT_ON_END)
		return;
	if (what_ends == 1)
		ck_assert_int_eq(retort_end(server, exchange->connection,
					 RETORT_FIN),
			0);
	if (what_ends == 2)
		retort_stop(server, PATIENCE);
}

START_TEST(keeps)
{
	struct client client;

	for (what_ends = 0; what_ends < 3; what_ends++) {
		open_with((struct retort_options){.tls = true,
				  .keep_alive = true,
				  .idle_timeout = 20,
				  .event = end_it},
			_i);
		ON("GET /", .body = "secret");
		open_client(&client);
		converse(&client, GET);
		assert_has(client.got, "\r\n\r\nsecret");
		expect_end(&client);
		close_client(&client);
		(void)ended(1);
		close_server();
	}
}
END_TEST

/* More than the sockets hold: a client that is slow to read. */
START_TEST(answers_at_length)
{
	char *body = malloc(BIG + 1);
	struct client client;

	ck_assert_ptr_nonnull(body);
	for (size_t i = 0; i < BIG; i++)
		body[i] = (char)('a' + i % 26);
	body[BIG] = '\0';
	open_with(with_tls, _i);
	ON("GET /", .body = body);
	open_client(&client);
	converse(&client, GET);
	expect_end(&client);
	ck_assert_uint_gt(client.got.size, BIG);
	assert_bytes(client.got.data + client.got.size - BIG, BIG, body, BIG);
	close_client(&client);
	ck_assert_uint_eq(ended(1)->sent_body, BIG);
	close_server();
	free(body);
}
END_TEST

/* More operations than a connection has in its turn. */
START_TEST(takes_turns)
{
	char body[200];
	struct client client;

	memset(body, 'x', sizeof body);
	open_with(with_tls, _i);
	ON("GET /", .raw = true, .body = body, .body_size = sizeof body,
		.faults = "each 1");
	open_client(&client);
	converse(&client, GET);
	expect_end(&client);
	assert_bytes(client.got.data, client.got.size, body, sizeof body);
	close_client(&client);
	close_server();
}
END_TEST

/* A file, and what the transcript has of it. */
START_TEST(serves_files)
{
	char folder[] = "/tmp/retort-tls.XXXXXX", name[64], *text;
	struct client client;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(name, sizeof name, "%s/index.html", folder);
	file = fopen(name, "w");
	for (int i = 0; i < 5000; i++)
		(void)fprintf(file, "line %d\n", i);
	(void)fclose(file);
	open_with(with_tls, _i);
	ck_assert_int_eq(retort_serve(server, folder), 0);
	open_client(&client);
	converse(&client, GET);
	expect_end(&client);
	assert_has(client.got, "\r\n\r\nline 0\n");
	assert_has(client.got, "\nline 2500\n");
	assert_has(client.got, "\nline 4999\n");
	close_client(&client);
	(void)ended(1);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strstr(text, "line 0\\n") && strstr(text, "line 4999"),
		"%s", text);
	free(text);
	(void)unlink(name);
	(void)rmdir(folder);
	close_server();
}
END_TEST

/* Faults are of plain bytes; a pause is one. */
START_TEST(spoils_replies)
{
	struct client client;
	int64_t begun;

	open_with(with_tls, _i);
	ON("GET /", .raw = true, .body = "0123456789",
		.faults = "cut 8; split 4; gap 50");
	open_client(&client);
	begun = now_ms();
	converse(&client, GET);
	assert_bytes(client.got.data, client.got.size, "01234567", 8);
	ck_assert_int_ge(now_ms() - begun, 50);
	expect_end(&client);
	close_client(&client);
	close_server();
}
END_TEST

/* The truncation that RFC 9112 9.8 has clients notice; OpenSSL does. */
START_TEST(truncates)
{
	struct client client;
	unsigned long why;

	open_with(with_tls, _i);
	ON("GET /", .raw = true, .body = "0123456789",
		.faults = "cut 4; no-close-notify");
	open_client(&client);
	ERR_clear_error();
	converse(&client, GET);
	assert_bytes(client.got.data, client.got.size, "0123", 4);
	ck_assert_int_eq(client.end, SSL_ERROR_SSL);
	why = ERR_peek_error();
	ck_assert_int_eq(ERR_GET_REASON(why),
		SSL_R_UNEXPECTED_EOF_WHILE_READING);
	close_client(&client);
	ck_assert_int_eq(ended(1)->server_close, RETORT_FIN);
	close_server();
}
END_TEST

START_TEST(resets)
{
	struct client client;

	open_with(with_tls, _i);
	ON("GET /", .raw = true, .body = "0123456789", .faults = "cut 4 reset");
	open_client(&client);
	converse(&client, GET);
	ck_assert_int_ne(client.end, SSL_ERROR_ZERO_RETURN);
	close_client(&client);
	ck_assert_int_eq(ended(1)->server_close, RETORT_RST);
	close_server();
}
END_TEST

/* Without HTTP: a greeting is the first that is said. */
START_TEST(greets)
{
	struct client client;

	open_with((struct retort_options){.tls = true, .protocol = RETORT_TCP},
		_i);
	if (!way->adopted)
		ck_assert_msg(strncmp(retort_url(server), "tls://", 6) == 0,
			"%s", retort_url(server));
	ON(NULL, .accepted = true, .body = "hello\n");
	ON(NULL, .body = "bye\n", .close = true);
	open_client(&client);
	converse(&client, "x");
	ck_assert_str_eq(client.got.data, "hello\nbye\n");
	close_client(&client);
	close_server();
}
END_TEST

START_TEST(unix_sockets)
{
	static const char bind[] = "unix:/tmp/retort-tls-test.sock";
	struct client client;

	(void)unlink(bind + 5);
	open_with((struct retort_options){.tls = true, .bind = bind}, _i);
	ck_assert_str_eq(retort_url(server), bind);
	ck_assert_str_eq(retort_url(server, "x"), "https://localhost/x");
	ON("GET /", .body = "secret");
	open_client(&client);
	converse(&client, GET);
	assert_has(client.got, "\r\n\r\nsecret");
	expect_end(&client);
	close_client(&client);
	close_server();
}
END_TEST

/* --- rules about it --- */

START_TEST(chooses_by_facts)
{
	struct client client;

	open_with(with_tls, _i);
	ON("GET /", .if_tls = "client: *", .body = "known");
	ON("GET /", .if_tls = "sni: *host\nversion: TLSv1.3", .body = "named");
	ON("GET /", .body = "neither");
	ck_assert_int_lt(retort_on(server, "GET /", .if_tls = "alpn: h2",
				 .error = error),
		0);
	ck_assert_str_eq(error,
		"if_tls: 'alpn: h2': expected http/1.1 or nothing");
	inside++;
	ck_assert_int_eq(retort_load(server,
				 .text = "@expect 1 GET /\n"
					 "@if-tls alpn: http/1.1\n"
					 "@if-tls resumed: yes\n"),
		0);
	inside--;
	open_client(&client);
	converse(&client, GET);
	assert_has(client.got, "\r\n\r\nnamed");
	close_client(&client);
	(void)ended(1);
	ck_assert_uint_eq(retort_count(server, NULL,
				  .if_tls = "sni: LOCALHOST"),
		1);
	ck_assert_uint_eq(retort_count(server, NULL, .if_tls = "client: *"), 0);
	ck_assert_msg(strstr(retort_verdict(server),
			      "TLS differs from scenario:1 \"resumed: yes\": "
			      "was \"no\"") != NULL,
		"%s", retort_verdict(server));
	close_server();
}
END_TEST

/* --- the key log --- */

static struct bytes client_keys;

static void
keep_key(const SSL *ssl, const char *line)
{
	(void)ssl;
	bytes_add(&client_keys, line, strlen(line));
	bytes_add(&client_keys, "\n", 1);
}

/* Each line of the one stands in the other, and there are as many. */
static void
assert_same_keys(const char *file)
{
	FILE *keys = fopen(file, "r");
	char line[512];
	size_t size = 0;

	ck_assert_ptr_nonnull(keys);
	while (fgets(line, sizeof line, keys) != NULL) {
		size += strlen(line);
		ck_assert_msg(strstr(client_keys.data, line) != NULL,
			"%s is none of:\n%s", line, client_keys.data);
	}
	(void)fclose(keys);
	ck_assert_uint_gt(size, 0);
	ck_assert_uint_eq(size, client_keys.size);
}

/* Of two connections, by the client's own words. */
START_TEST(logs_keys)
{
	char folder[] = "/tmp/retort-tls.XXXXXX", name[64];
	struct client client;
	struct stat found;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(name, sizeof name, "%s/keys", folder);
	bytes_add(&client_keys, "", 0);
	for (int version = RETORT_TLS_1_2; version <= RETORT_TLS_1_3;
		version++) {
		open_with((struct retort_options){.tls = true,
				  .tls_max = (enum retort_tls_version)version,
				  .tls_keylog = name},
			_i);
		ON("GET /", .body = "secret");
		open_client(&client);
		SSL_CTX_set_keylog_callback(client.context, keep_key);
		converse(&client, GET);
		expect_end(&client);
		close_client(&client);
		(void)ended(1);
		close_server();
		assert_same_keys(name);
	}
	ck_assert_int_eq(stat(name, &found), 0);
	ck_assert_int_eq(found.st_mode & 07777, 0600);
	(void)unlink(name);
	(void)rmdir(folder);
	bytes_free(&client_keys);
}
END_TEST

START_TEST(logs_keys_to_files_only)
{
	char folder[] = "/tmp/retort-tls.XXXXXX", fifo[64];
	const char *const names[] = {"/dev/null", "/nonexistent/keys", fifo};

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	for (int i = 0; i < COUNT(names); i++) {
		ck_assert_ptr_null(
			try_open_with((struct retort_options){.tls = true,
					      .tls_keylog = names[i]},
				_i));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_msg(strncmp(error, "tls_keylog '", 12) == 0, "%s",
			error);
	}
	(void)unlink(fifo);
	(void)rmdir(folder);
}
END_TEST

/* --- what goes wrong --- */

static struct retort_exchange last;
static char last_error[100], last_faults[100];
static char *last_transcript;

static void
note(void *arg, enum retort_event event, const struct retort_exchange *exchange,
	const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event != RETORT_ON_END)
		return;
	last = *exchange;
	(void)snprintf(last_error, sizeof last_error, "%s",
		exchange->tls_error ? exchange->tls_error : "");
	(void)snprintf(last_faults, sizeof last_faults, "%s",
		exchange->faults ? exchange->faults : "");
	free(last_transcript);
	last_transcript = retort_transcript(server, exchange->connection);
}

START_TEST(a_client_distrusts)
{
	struct client client;

	open_with((struct retort_options){.tls = true, .event = note}, _i);
	open_client(&client);
	ck_assert_int_eq(SSL_set1_host(client.ssl, "example.com"), 1);
	converse(&client, GET);
	ck_assert_int_eq(client.end, SSL_ERROR_SSL);
	close_client(&client);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_int_eq(last.end, RETORT_TLS_FAILED);
	ck_assert_msg(strstr(last_error, "alert") != NULL, "%s", last_error);
	/* it has no record, but is told of while it ends */
	ck_assert_ptr_null(retort_record(server, 1));
	ck_assert_ptr_null(retort_transcript(server, 1));
	EVENTS(last_transcript, "connection 1 ", " < (TLS: ", " > (TLS: ",
		" < (TLS: ", " - (TLS: failed: ", "alert", ")\n",
		" - (closed)\n");
	last_transcript = NULL;
	assert_verdict(NULL);
	ck_assert_int_gt(retort_expect(server, "GET /", .times = 1), 0);
	ck_assert_msg(strstr(retort_verdict(server),
			      "\nconnection 1: TLS failed: ") != NULL,
		"%s", retort_verdict(server));
	close_server();
}
END_TEST

START_TEST(plain_http_is_told)
{
	struct bytes got = {NULL, 0};
	int fd;

	open_with((struct retort_options){.tls = true, .event = note}, _i);
	fd = connect_client();
	(void)talk(fd, GET, strlen(GET), &got, NULL);
	ck_assert_uint_eq(got.size, 0);
	(void)close(fd);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_int_eq(last.end, RETORT_TLS_FAILED);
	ck_assert_str_eq(last_error, "http request");
	EVENTS(last_transcript, " < (TLS: 35 bytes)\n",
		" - (TLS: failed: http request)\n");
	last_transcript = NULL;
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(a_handshake_takes_too_long)
{
	int fd;

	open_with((struct retort_options){.tls = true,
			  .event = note,
			  .head_timeout = 20},
		_i);
	fd = connect_client();
	/* it may have lost its patience by now */
	(void)client_send_text(fd, "\x16\x03\x01");
	TURN_UNTIL(last.end == RETORT_TIMED_OUT);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- faults of TLS itself --- */

static int
reason(void)
{
	return ERR_GET_REASON(ERR_peek_error());
}

/* What the client finds, from its first byte on. */
static const struct {
	const char *faults;
	enum retort_tls_version max;
	int end;    /* of the client */
	int reason; /* of SSL_ERROR_SSL */
} spoilt[] = {
	{"cut flight 0", 0, SSL_ERROR_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"cut wire 100 half", 0, SSL_ERROR_SSL,
		SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"cut flight 1", RETORT_TLS_1_2, SSL_ERROR_SSL,
		SSL_R_UNEXPECTED_EOF_WHILE_READING},
	/* the handshake is done, for the client */
	{"cut flight 1", 0, SSL_ERROR_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"cut flight 2", RETORT_TLS_1_2, SSL_ERROR_SSL,
		SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"alert internal-error", 0, SSL_ERROR_SSL,
		SSL_R_TLSV1_ALERT_INTERNAL_ERROR},
	{"alert 40 flight 1", RETORT_TLS_1_2, SSL_ERROR_SSL,
		SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE},
	{"insert wire 0 \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"; cut wire 0",
		0, SSL_ERROR_SSL, SSL_R_WRONG_VERSION_NUMBER},
	{"corrupt record 2+9", 0, SSL_ERROR_SSL,
		SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC},
};

START_TEST(spoils_handshakes)
{
	struct client client;

	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		open_with((struct retort_options){.tls = true,
				  .tls_max = spoilt[i].max,
				  .tls_fault = spoilt[i].faults},
			_i);
		ON("GET /", .body = "secret");
		open_client(&client);
		ERR_clear_error();
		converse(&client, GET);
		ck_assert_msg(client.got.size == 0 &&
				client.end == spoilt[i].end &&
				reason() == spoilt[i].reason,
			"%s: %s: expected error %d (%d), got %d (%d) after %s",
			way->name, spoilt[i].faults, spoilt[i].end,
			spoilt[i].reason, client.end, reason(),
			shown(client.got.data, client.got.size));
		close_client(&client);
		close_server();
	}
}
END_TEST

static const struct {
	const char *faults;
	size_t got; /* bytes */
	int end;
	int reason;
} replies[] = {
	{"cut record 0", 0, SSL_ERROR_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"cut record 0+20", 0, SSL_ERROR_SSL,
		SSL_R_UNEXPECTED_EOF_WHILE_READING},
	/* after a whole one the FIN comes, and no close_notify */
	{"cut record 1", 10, SSL_ERROR_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"split 4; cut record 1+3", 4, SSL_ERROR_SSL,
		SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"split 4; corrupt record 1+6", 4, SSL_ERROR_SSL,
		SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC},
	{"corrupt wire 0", 0, SSL_ERROR_SSL, SSL_R_BAD_RECORD_TYPE},
	{"each 1; cut record 7", 7, SSL_ERROR_SSL,
		SSL_R_UNEXPECTED_EOF_WHILE_READING},
	{"pause 1 record 0+9; split wire 3 wire 20; gap 1", 10,
		SSL_ERROR_ZERO_RETURN, 0},
	{"cut wire 1000", 10, SSL_ERROR_ZERO_RETURN, 0},
};

START_TEST(spoils_records)
{
	struct client client;

	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		open_with(with_tls, _i);
		ON("GET /", .raw = true, .body = "0123456789",
			.faults = replies[i].faults);
		open_client(&client);
		ERR_clear_error();
		converse(&client, GET);
		ck_assert_msg(client.got.size == replies[i].got &&
				client.end == replies[i].end &&
				(replies[i].reason == 0 ||
					reason() == replies[i].reason),
			"%s: %s: expected error %d (%d), got %d (%d) after %s",
			way->name, replies[i].faults, replies[i].end,
			replies[i].reason, client.end, reason(),
			shown(client.got.data, client.got.size));
		close_client(&client);
		ck_assert_int_eq(ended(1)->server_close, RETORT_FIN);
		ck_assert_str_eq(ended(1)->faults, replies[i].faults);
		close_server();
	}
}
END_TEST

/* New keys in the middle of a body; and TLS that ends there. */
START_TEST(rekeys)
{
	static const enum retort_tls_version versions[] = {RETORT_TLS_1_2,
		RETORT_TLS_1_3};
	struct client client;

	for (size_t i = 0; i < 2; i++) {
		open_with((struct retort_options){.tls = true,
				  .tls_max = versions[i]},
			_i);
		ON("GET /", .raw = true, .body = "0123456789", .times = 1,
			.faults = "rekey 3; rekey 7");
		ON("GET /", .raw = true, .body = "0123456789",
			.faults = "close-notify 3");
		open_client(&client);
		converse(&client, GET);
		assert_bytes(client.got.data, client.got.size, "0123456789",
			10);
		expect_end(&client);
		close_client(&client);
		ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
		if (!way->adopted) {
			open_client(&client);
			converse(&client, GET);
			assert_bytes(client.got.data, client.got.size, "012",
				3);
			ck_assert_int_eq(client.end, SSL_ERROR_ZERO_RETURN);
			close_client(&client);
		}
		close_server();
	}
}
END_TEST

/* Whatever ticket it brings. */
START_TEST(resumes_none)
{
	struct client client;
	SSL_SESSION *session;

	open_with((struct retort_options){.tls = true,
			  .tls_fault = "no-resume"},
		_i);
	ON("GET /", .body = "secret");
	open_client(&client);
	converse(&client, GET);
	session = SSL_get1_session(client.ssl);
	ck_assert(SSL_SESSION_is_resumable(session));
	(void)SSL_shutdown(client.ssl);
	close_client(&client);
	open_client(&client);
	ck_assert_int_eq(SSL_set_session(client.ssl, session), 1);
	converse(&client, GET);
	expect_end(&client);
	close_client(&client);
	ck_assert(!ended(2)->tls_resumed);
	SSL_SESSION_free(session);
	close_server();
}
END_TEST

/* A position counts from where its reply begins. */
START_TEST(spoils_later_replies)
{
	static const char twice[] = GET GET;
	struct client client;

	open_with((struct retort_options){.tls = true, .keep_alive = true}, _i);
	ON("GET /", .times = 1, .body = "one",
		.faults = "pause 1 record 0; cut wire 9999");
	ON("GET /", .body = "two", .faults = "cut record 0+30");
	open_client(&client);
	converse(&client, twice);
	assert_has(client.got, "\r\n\r\none");
	ck_assert_ptr_null(memmem(client.got.data, client.got.size, "two", 3));
	ck_assert_int_eq(client.end, SSL_ERROR_SSL);
	close_client(&client);
	close_server();
}
END_TEST

/* Nothing can go on where the wire was cut. */
START_TEST(cuts_what_is_open)
{
	struct client client;
	int code;

	open_with(with_tls, _i);
	ON("GET /", .open = true, .body = "abc", .faults = "cut wire 9 stall");
	open_client(&client);
	while (again(&client, SSL_write(client.ssl, GET, (int)strlen(GET))))
		;
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	/* what is before the cut has to leave first */
	while ((code = retort_push(server, 1, "x", 1)) == 0)
		turn(-1, 0, 2);
	ck_assert_int_eq(code, -ENOENT);
	ck_assert_int_eq(retort_push(server, 1, NULL, 0), -ENOENT);
	close_client(&client);
	close_server();
}
END_TEST

START_TEST(resets_handshakes)
{
	static const char *const faults[] = {"cut flight 0 reset",
		"cut wire 700 reset"};
	struct client client;

	for (size_t i = 0; i < 2; i++) {
		memset(&last, 0, sizeof last);
		open_with((struct retort_options){.tls = true,
				  .tls_fault = faults[i],
				  .event = note},
			_i);
		open_client(&client);
		errno = 0;
		converse(&client, GET);
		ck_assert_int_eq(client.end, SSL_ERROR_SYSCALL);
		ck_assert_int_eq(errno, ECONNRESET);
		close_client(&client);
		ck_assert(retort_wait_end(server, NULL, PATIENCE));
		ck_assert_int_eq(last.server_close, RETORT_RST);
		ck_assert_int_eq(last.end, RETORT_TLS_FAILED);
		close_server();
	}
}
END_TEST

/* Goes on with the handshake. */
static bool
is_done(struct client *client)
{
	int result = SSL_do_handshake(client->ssl);

	client->end = SSL_get_error(client->ssl, result);
	ck_assert_int_eq(client->end, SSL_ERROR_WANT_READ);
	return result == 1;
}

/* Until the client leaves. */
START_TEST(stalls_handshakes)
{
	struct client client;

	memset(&last, 0, sizeof last);
	open_with((struct retort_options){.tls = true,
			  .tls_fault = "cut flight 0+60 stall",
			  .event = note},
		_i);
	open_client(&client);
	TURN_UNTIL(!is_done(&client) &&
		BIO_number_read(SSL_get_rbio(client.ssl)) == 60);
	ck_assert_int_eq(last.end, 0);
	close_client(&client);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_int_eq(last.end, RETORT_RESET);
	close_server();
}
END_TEST

START_TEST(pauses_handshakes)
{
	int64_t begun = now_ms();
	struct client client;

	open_with((struct retort_options){.tls = true,
			  .tls_fault = "pause 30 flight 0+100; pause 20 "
				       "flight 1"},
		_i);
	ON("GET /", .body = "secret");
	open_client(&client);
	converse(&client, GET);
	assert_has(client.got, "\r\n\r\nsecret");
	expect_end(&client);
	ck_assert_int_ge(now_ms() - begun, 50);
	close_client(&client);
	close_server();
}
END_TEST

/* A rule for those that are accepted has the handshake in its hands, too. */
START_TEST(a_rule_spoils_handshakes)
{
	struct client client;

	open_with((struct retort_options){.tls = true,
			  .protocol = RETORT_TCP,
			  .event = note},
		_i);
	ON(NULL, .accepted = true, .times = 1, .body = "",
		.faults = "alert access-denied");
	ON(NULL, .accepted = true, .body = "hello\n", .close = true);
	open_client(&client);
	ERR_clear_error();
	converse(&client, "x");
	ck_assert_int_eq(client.end, SSL_ERROR_SSL);
	ck_assert_int_eq(reason(), SSL_R_TLSV1_ALERT_ACCESS_DENIED);
	close_client(&client);
	TURN_UNTIL(last.end == RETORT_TLS_FAILED);
	ck_assert_str_eq(last_error, "cut by a fault");
	ck_assert_str_eq(last_faults, "alert access-denied");
	if (!way->adopted) {
		open_client(&client);
		converse(&client, "x");
		ck_assert_str_eq(client.got.data, "hello\n");
		close_client(&client);
	}
	close_server();
}
END_TEST

START_TEST(faults_of_tls_are_checked)
{
	static const struct {
		const char *faults;
		const char *error;
	} wrong[] = {
		{"cut 5", "tls_fault: 'cut 5': expected a position such as "},
		{"cut flight x", "tls_fault: 'x': expected N or N+M"},
		{"status 500",
			"tls_fault: 'status 500': expected it in --fault"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_ptr_null(
			try_open_with((struct retort_options){.tls = true,
					      .tls_fault = wrong[i].faults},
				_i));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_msg(strstr(error, wrong[i].error) != NULL, "%s",
			error);
	}
	ck_assert_ptr_null(
		try_open_with((struct retort_options){.tls_fault =
							      "cut wire 1"},
			_i));
	ck_assert_msg(strstr(error, "expected tls, too") != NULL, "%s", error);
	open_plain(_i);
	ck_assert_int_eq(retort_on(server, "GET", "/", .faults = "cut wire 1"),
		-EINVAL);
	close_server();
}
END_TEST

/* --- after a reply --- */

#define CONNECT "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
#define OPENED "HTTP/1.1 200 OK\r\n\r\n"

/* Plain bytes, before the handshake; no byte of it is taken. */
static void
converse_plain(struct client *client, const char *request, const char *expected)
{
	size_t size = strlen(expected), have = 0;
	int64_t until = now_ms() + PATIENCE;
	char got[256];
	ssize_t n;

	if (*request != '\0')
		ck_assert_int_eq(send(client->fd, request, strlen(request), 0),
			(ssize_t)strlen(request));
	while (have < size) {
		n = recv(client->fd, got + have, size - have, MSG_DONTWAIT);
		if (n > 0)
			have += (size_t)n;
		ck_assert_msg(n != 0 && now_ms() < until, "%s: only %s came",
			way->name, shown(got, have));
		if (n < 0)
			turn(client->fd, POLLIN, 10);
	}
	assert_bytes(got, have, expected, size);
}

static void
open_later(struct retort_options options, int i)
{
	options.tls_later = true;
	options.omit = options.protocol == RETORT_HTTP ? "Date" : NULL;
	open_with(options, i);
}

START_TEST(begins_in_a_tunnel)
{
	struct client client;

	open_later((struct retort_options){.idle_timeout = 0}, _i);
	if (!way->adopted)
		ck_assert_msg(strncmp(retort_url(server), "http://", 7) == 0,
			"%s", retort_url(server));
	ON("CONNECT *:443", .next = RETORT_NEXT_TLS);
	ON("GET /", .if_tunnel = "a:443", .if_tls = "sni: localhost",
		.body = "secret");
	open_client(&client);
	converse_plain(&client, CONNECT, OPENED);
	converse(&client, GET);
	assert_has(client.got, "\r\n\r\nsecret");
	expect_end(&client);
	close_client(&client);
	ck_assert_ptr_null(ended(1)->tls_version);
	ck_assert_uint_eq(ended(1)->received, strlen(CONNECT));
	ck_assert_str_eq(ended(2)->tls_version, "TLSv1.3");
	ck_assert_str_eq(ended(2)->tls_sni, "localhost");
	ck_assert_str_eq(ended(2)->tunnel, "a:443");
	ck_assert_uint_eq(ended(2)->received, strlen(GET));
	ck_assert_ptr_null(ended(1)->tls_version);
	EVENTS(retort_transcript(server, 1), " < CONNECT ", " > HTTP/1.1 200 ",
		" < (TLS: ", " > (TLS: ", " - (TLS: TLSv1.3, ", " < GET / ");
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* The handshake has begun before the reply has come. */
START_TEST(begins_at_once)
{
	struct client client;

	open_later((struct retort_options){.idle_timeout = 0}, _i);
	ON("CONNECT", .next = RETORT_NEXT_TLS);
	ON("GET /", .body = "secret");
	open_client(&client);
	converse_plain(&client, CONNECT, "");
	ck_assert_int_lt(SSL_do_handshake(client.ssl), 0);
	converse_plain(&client, "", OPENED);
	converse(&client, GET);
	assert_has(client.got, "\r\n\r\nsecret");
	expect_end(&client);
	close_client(&client);
	ck_assert_uint_eq(ended(1)->received, strlen(CONNECT));
	ck_assert_uint_eq(ended(2)->received, strlen(GET));
	close_server();
}
END_TEST

/* STARTTLS: pieces, which are one exchange, before and after. */
START_TEST(begins_between_pieces)
{
	const struct retort_exchange *seen;
	struct client client;

	open_later((struct retort_options){.protocol = RETORT_TCP,
			   .framing = "lines"},
		_i);
	ON(NULL, .accepted = true, .body = "220\n");
	ON(NULL, .if_body = "STARTTLS\n", .body = "go\n",
		.next = RETORT_NEXT_TLS);
	ON(NULL, .if_body = "QUIT\n", .if_tls = "version: TLSv1.3",
		.body = "bye\n", .close = true);
	ON(NULL, .body = "250\n");
	open_client(&client);
	converse_plain(&client, "", "220\n");
	converse_plain(&client, "EHLO\n", "250\n");
	converse_plain(&client, "STARTTLS\n", "go\n");
	converse(&client, "EHLO\nQUIT\n");
	ck_assert_str_eq(client.got.data, "250\nbye\n");
	expect_end(&client);
	close_client(&client);
	seen = ended(4);
	ck_assert_ptr_null(ended(1)->tls_version);
	ck_assert_ptr_null(ended(2)->tls_version);
	ck_assert_str_eq(ended(3)->tls_version, "TLSv1.3");
	ck_assert_str_eq(seen->tls_version, "TLSv1.3");
	ck_assert_uint_eq(seen->pieces, 4);
	ck_assert_uint_eq(seen->received,
		strlen("EHLO\nSTARTTLS\nEHLO\nQUIT\n"));
	ck_assert_uint_eq(seen->sent, strlen("220\n250\ngo\n250\nbye\n"));
	ck_assert_uint_eq(retort_stats(server).replies, 1);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* HTTP, TLS, pieces; and pieces, TLS, HTTP. */
START_TEST(begins_with_another_protocol)
{
	struct client client;

	open_later((struct retort_options){.framing = "lines"}, _i);
	ON("CONNECT", .next = RETORT_NEXT_TLS_BYTES);
	ON(NULL, .if_bytes = true, .body = "OK\n", .close = true);
	open_client(&client);
	converse_plain(&client, CONNECT, OPENED);
	converse(&client, "LOGIN\n");
	ck_assert_str_eq(client.got.data, "OK\n");
	close_client(&client);
	ck_assert_int_eq(ended(2)->protocol, RETORT_TCP);
	ck_assert_str_eq(ended(2)->tls_version, "TLSv1.3");
	close_server();
	open_later((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .body = "ok", .next = RETORT_NEXT_TLS_HTTP);
	ON("GET /", .if_http = true, .body = "secret");
	open_client(&client);
	converse_plain(&client, "x", "ok");
	converse(&client, GET);
	assert_has(client.got, "\r\n\r\nsecret");
	close_client(&client);
	close_server();
}
END_TEST

/* A client that distrusts what is within the tunnel. */
START_TEST(begins_and_fails)
{
	struct client client;

	open_later((struct retort_options){.event = note}, _i);
	ON("CONNECT", .next = RETORT_NEXT_TLS);
	open_client(&client);
	ck_assert_int_eq(SSL_set1_host(client.ssl, "example.com"), 1);
	converse_plain(&client, CONNECT, OPENED);
	converse(&client, GET);
	ck_assert_int_eq(client.end, SSL_ERROR_SSL);
	close_client(&client);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_int_eq(last.end, RETORT_TLS_FAILED);
	ck_assert_msg(strstr(last_error, "alert") != NULL, "%s", last_error);
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	close_server();
}
END_TEST

/* Asks for a tunnel, and begins TLS in it. */
static void
open_within(struct client *inner, struct client *client)
{
	BIO *both = BIO_new(BIO_f_ssl());

	ck_assert_ptr_nonnull(both);
	while (again(client,
		SSL_write(client->ssl, CONNECT, (int)strlen(CONNECT))))
		;
	for (size_t have = 0; have < strlen(OPENED);) {
		char got[64];
		int n = SSL_read(client->ssl, got,
			(int)(strlen(OPENED) - have));

		if (n > 0)
			assert_bytes(got, (size_t)n, &OPENED[have], (size_t)n);
		else
			ck_assert(again(client, n));
		have += n > 0 ? (size_t)n : 0;
	}
	*inner = *client;
	inner->got = (struct bytes){.data = NULL};
	inner->ssl = SSL_new(client->context);
	(void)BIO_set_ssl(both, client->ssl, BIO_NOCLOSE);
	SSL_set_bio(inner->ssl, both, both);
	SSL_set_connect_state(inner->ssl);
}

static void
close_within(struct client *inner)
{
	SSL_free(inner->ssl);
	bytes_free(&inner->got);
}

/* A proxy with TLS, and a host with TLS behind it. */
START_TEST(begins_within_tls)
{
	struct client client, inner;

	open_with((struct retort_options){.tls = true, .omit = "Date"}, _i);
	ON("CONNECT", .if_tls = "sni: localhost", .next = RETORT_NEXT_TLS);
	ON("GET /", .repeat = BIG, .body = "0123456789");
	open_client(&client);
	open_within(&inner, &client);
	converse(&inner, GET);
	assert_begins(inner.got, "HTTP/1.1 200 OK\r\n");
	ck_assert_uint_gt(inner.got.size, BIG);
	ck_assert_int_eq(inner.end, SSL_ERROR_ZERO_RETURN);
	/* and then that of the proxy's */
	while (again(&client, SSL_read(client.ssl, error, sizeof error)))
		;
	expect_end(&client);
	close_within(&inner);
	close_client(&client);
	ck_assert_int_eq(ended(2)->end, RETORT_ANSWERED);
	close_server();
}
END_TEST

START_TEST(begins_four_times)
{
	struct client clients[5];

	open_with((struct retort_options){.tls = true, .omit = "Date"}, _i);
	ON("CONNECT", .next = RETORT_NEXT_TLS);
	open_client(clients);
	for (size_t i = 1; i < 5; i++)
		open_within(clients + i, clients + i - 1);
	converse(clients + 4, GET);
	ck_assert_uint_eq(clients[4].got.size, 0);
	for (size_t i = 5; i-- > 1;)
		close_within(clients + i);
	close_client(clients);
	ck_assert_int_eq(ended(4)->end, RETORT_ANSWERED);
	assert_verdict("connection 1, exchange 4: TLS in TLS: there are 4 "
		       "layers already\n");
	close_server();
}
END_TEST

START_TEST(cannot_begin)
{
	open_plain(_i);
	ck_assert_int_eq(retort_on(server, "CONNECT", .next = RETORT_NEXT_TLS,
				 .error = error),
		-EINVAL);
	ck_assert_str_eq(error,
		"next: TLS can begin only with .tls_later or .tls "
		"(--tls-later, --tls)");
	close_server();
	ck_assert_ptr_null(try_open_with((struct retort_options){.tls = true,
						 .tls_later = true},
		_i));
	ck_assert_str_eq(error, "tls_later: it is instead of tls");
	ck_assert_ptr_null(
		try_open_with((struct retort_options){.tls_later = true,
				      .tls_fault = "split wire 9"},
			_i));
	ck_assert_str_eq(error, "tls_fault: expected tls, too");
}
END_TEST

/* One allocation after another fails; there are more than this many. */
static void
fail_each(bool (*serve)(int i, size_t n), int i, size_t least)
{
	size_t n = 1;

	watch_inside();
	is_test = true;
	while (serve(i, n))
		n++;
	ck_assert_uint_gt(n, least);
}

/* The same as with TLS from the beginning, when allocation n fails. */
static bool
begin_without_memory(int i, size_t n)
{
	struct client client;
	struct bytes got = {.data = NULL};
	bool more;

	open_later((struct retort_options){.idle_timeout = 0}, i);
	inside++;
	ON("CONNECT", .next = RETORT_NEXT_TLS);
	ON("GET /", .body = "secret");
	inside--;
	open_client(&client);
	allocations = 0;
	fail_at = n;
	(void)talk(client.fd, CONNECT, strlen(CONNECT), &got, OPENED);
	if (got.size == strlen(OPENED))
		converse(&client, GET);
	more = allocations >= n;
	fail_at = 0;
	if (client.end == SSL_ERROR_ZERO_RETURN && client.got.size > 0)
		assert_begins(client.got, "HTTP/1.1 ");
	bytes_free(&got);
	close_client(&client);
	close_server();
	return more;
}

START_TEST(begins_without_memory)
{
	fail_each(begin_without_memory, _i, 10);
}
END_TEST

static void
transcribe(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_END)
		free(retort_transcript(server, exchange->connection));
}

/* One allocation fails. False once there were not as many. */
static bool
serve_without_memory(int i, size_t n)
{
	struct client client;
	bool more;

	allocations = 0;
	fail_at = n;
	if (try_open_with((struct retort_options){.tls = true,
				  .tls_fault = "split wire 9; gap 1",
				  .event = transcribe},
		    i) == NULL) {
		fail_at = 0;
		ck_assert_int_eq(errno, ENOMEM);
		return true;
	}
	inside++;
	(void)retort_on(server, "GET /", .if_tls = "sni: *host\nclient: *",
		.body = "secret");
	(void)retort_answer(server, .body = "secret",
		.faults = "insert record 9 \"x\"; split record 0+9");
	inside--;
	open_client(&client);
	converse(&client, GET);
	more = fail_at != 0 && allocations >= n;
	fail_at = 0;
	/* all of it, or the connection has ended early */
	if (client.end == SSL_ERROR_ZERO_RETURN && client.got.size > 0)
		assert_begins(client.got, "HTTP/1.1 ");
	close_client(&client);
	close_server();
	return more;
}

START_TEST(lacks_memory)
{
	fail_each(serve_without_memory, _i, 20);
}
END_TEST

START_TEST(options_are_checked)
{
	ck_assert_ptr_null(
		try_open_with((struct retort_options){.tls_min =
							      RETORT_TLS_1_2},
			_i));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_msg(strstr(error, "expected tls, too") != NULL, "%s", error);
	ck_assert_ptr_null(try_open_with((struct retort_options){.tls = true,
						 .tls_cert = "x"},
		_i));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_msg(strstr(error, "expected both or neither") != NULL, "%s",
		error);
	open_plain(_i);
	ck_assert_ptr_null(retort_ca(server));
	close_server();
}
END_TEST

int
main(void)
{
	const TTest *const all[] = {answers, keeps, answers_at_length,
		takes_turns, serves_files, spoils_replies, truncates, greets,
		chooses_by_facts, logs_keys, a_client_distrusts,
		plain_http_is_told, a_handshake_takes_too_long, NULL};
	/* what is no Unix socket */
	const TTest *const listening[] = {resets, resets_handshakes,
		resumes_none, NULL};
	const TTest *const basic[] = {unix_sockets, options_are_checked,
		logs_keys_to_files_only, faults_of_tls_are_checked,
		begins_four_times, cannot_begin, NULL};
	const TTest *const spoiling[] = {spoils_handshakes, spoils_records,
		cuts_what_is_open, spoils_later_replies, rekeys,
		stalls_handshakes, pauses_handshakes, a_rule_spoils_handshakes,
		NULL};
	const TTest *const later[] = {begins_in_a_tunnel, begins_between_pieces,
		begins_with_another_protocol, begins_and_fails,
		begins_within_tls, NULL};
	/* each in a process of its own: they look at what is not freed */
	const TTest *const stepped[] = {lacks_memory, NULL};
	const TTest *const at_once[] = {begins_at_once, NULL};
	const TTest *const without[] = {begins_without_memory, NULL};
	Suite *suite = suite_create("tls");

	rt_test_cases(suite, "served", all, 0, WAYS);
	rt_test_cases(suite, "spoiling", spoiling, 0, WAYS);
	rt_test_cases(suite, "later", later, 0, WAYS);
	rt_test_cases(suite, "listening", listening, 0, LISTENING_WAYS);
	rt_test_cases(suite, "opened", basic, 0, BASIC_WAYS);
	rt_test_cases(suite, "memory", stepped, STEPPED, STEPPED + 2);
	rt_test_cases(suite, "at once", at_once, STEPPED, STEPPED + 2);
	rt_test_cases(suite, "without memory", without, STEPPED, STEPPED + 2);
	return rt_test_run(suite);
}
