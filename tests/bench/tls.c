/* SPDX-License-Identifier: MIT */
/*
 * What TLS costs a server: a handshake and one request, next to a loop that does
 * nothing but SSL_accept(3), read, write and SSL_shutdown(3).
 *
 *	tls [-n CONNECTIONS] [-r ROUNDS]
 *
 * goes through all servers in each round, and prints a line for each,
 *
 *	NAME KIND cpu=US ratio=N
 *
 * the median of the CPU that the server used for a connection, and what it is
 * times the floor. KIND is "full", a handshake with certificates, or "resumed",
 * one with the ticket of an earlier connection. Exits with status 1 when a reply
 * was wrong.
 *
 * Each server has a thread of its own, and one client, which blocks: what the
 * process used and the client's thread did not is the server's. Both servers
 * have certificates of P-256, signed by a CA that is not sent.
 */
#define _GNU_SOURCE

#include "bench.h"
#include "retort.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_ROUNDS 101

static const char reply[] = "HTTP/1.1 200 OK\r\n"
			    "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Length: 12\r\n"
			    "Connection: close\r\n\r\nhello world\n";
static const char request[] = "GET /hello HTTP/1.1\r\n"
			      "Host: localhost\r\n"
			      "Connection: close\r\n\r\n";

_Noreturn static void
fail(const char *what)
{
	give_up("%s: %s", what,
		ERR_peek_error() ? ERR_reason_error_string(ERR_peek_error()) :
				   strerror(errno));
}

static double
seconds_of(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What all threads but this one have used. */
static double
used_by_others(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID) -
		seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

/* --- the floor --- */

struct floor {
	SSL_CTX *context;
	int listener;
	int port;
};

static X509 *
make_certificate(EVP_PKEY *key, EVP_PKEY *issuer)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	(void)X509_set_version(cert, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)"localhost", -1, -1, 0);
	(void)X509_set_issuer_name(cert, name);
	(void)X509_set_pubkey(cert, key);
	if (X509_sign(cert, issuer, EVP_sha256()) == 0)
		fail("floor: certificate");
	return cert;
}

static void
open_context(struct floor *floor)
{
	EVP_PKEY *issuer = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key, issuer);

	floor->context = SSL_CTX_new(TLS_server_method());
	if (floor->context == NULL ||
		SSL_CTX_use_certificate(floor->context, cert) != 1 ||
		SSL_CTX_use_PrivateKey(floor->context, key) != 1)
		fail("floor: context");
	(void)SSL_CTX_set_session_id_context(floor->context,
		(const unsigned char *)"bench", 5);
	X509_free(cert);
	EVP_PKEY_free(issuer);
	EVP_PKEY_free(key);
}

static void *
run_floor(void *arg)
{
	struct floor *floor = arg;
	char room[4096];
	int fd;

	while ((fd = accept4(floor->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		SSL *ssl = SSL_new(floor->context);

		(void)SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) != 1 ||
			SSL_read(ssl, room, sizeof room) <= 0 ||
			SSL_write(ssl, reply, sizeof reply - 1) <= 0 ||
			SSL_shutdown(ssl) < 0)
			fail("floor: connection");
		SSL_free(ssl);
		(void)close(fd);
	}
	return NULL;
}

static void
start_floor(struct floor *floor)
{
	pthread_t thread;

	open_context(floor);
	floor->listener = listen_anywhere(&floor->port);
	if (pthread_create(&thread, NULL, run_floor, floor) != 0)
		fail("floor: thread");
}

/* --- the client --- */

static SSL_CTX *client;
static SSL_SESSION *session; /* the last ticket */

static int
keep_session(SSL *ssl, SSL_SESSION *given)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = given;
	return 1;
}

static void
open_client(void)
{
	client = SSL_CTX_new(TLS_client_method());
	if (client == NULL)
		fail("client");
	(void)SSL_CTX_set_session_cache_mode(client,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(client, keep_session);
}

static int
connect_to(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		fail("connect");
	return fd;
}

/* One handshake, one request and its whole reply. */
static void
fetch(int port, bool resume)
{
	char got[4096];
	size_t size = 0;
	SSL *ssl = SSL_new(client);
	int fd = connect_to(port), n;

	(void)SSL_set_fd(ssl, fd);
	if (resume && (session == NULL || SSL_set_session(ssl, session) != 1))
		fail("no session to be resumed");
	if (SSL_connect(ssl) != 1)
		fail("SSL_connect");
	if (SSL_session_reused(ssl) != (int)resume)
		give_up("a session was%s resumed", resume ? " not" : "");
	if (SSL_write(ssl, request, sizeof request - 1) <= 0)
		fail("SSL_write");
	while ((n = SSL_read(ssl, got + size, (int)(sizeof got - size))) > 0)
		size += (size_t)n;
	if (SSL_get_error(ssl, n) != SSL_ERROR_ZERO_RETURN || size < 12 ||
		memcmp(got + size - 12, "hello world\n", 12) != 0)
		fail("a wrong reply");
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	(void)close(fd);
}

/* --- all of it --- */

struct subject {
	const char *name;
	int port;
	double samples[2][MOST_ROUNDS]; /* full, resumed: us */
};

static void
measure(struct subject *subject, bool resume, int round, long count)
{
	double before;

	SSL_SESSION_free(session);
	session = NULL;
	fetch(subject->port, false);
	before = used_by_others();
	for (long i = 0; i < count; i++)
		fetch(subject->port, resume);
	subject->samples[resume][round] =
		(used_by_others() - before) / (double)count * 1e6;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *samples, int count)
{
	qsort(samples, (size_t)count, sizeof *samples, compare);
	return samples[count / 2];
}

static int
start_retort(bool unrecorded)
{
	char error[RETORT_ERROR_SIZE];
	struct retort *server = retort_start(.tls = true,
		.unrecorded = unrecorded, .error = error);

	if (server == NULL ||
		retort_answer(server, .body = "hello world\n", .error = error) <
			0)
		give_up("retort: %s", error);
	return retort_listener(server).port;
}

int
main(int argc, char **argv)
{
	static struct subject subjects[] = {{.name = "floor"},
		{.name = "unrecorded"}, {.name = "retort"}};
	static const char *const kinds[] = {"full", "resumed"};
	struct floor floor;
	long count = 200, rounds = 11;
	int option;

	while ((option = getopt(argc, argv, "n:r:")) != -1) {
		if (option == '?')
			return 2;
		*(option == 'n' ? &count : &rounds) = parse_count(optarg);
	}
	if (count < 1 || rounds < 1 || rounds > MOST_ROUNDS)
		give_up("usage: tls [-n CONNECTIONS] [-r ROUNDS]");
	(void)signal(SIGPIPE, SIG_IGN);
	open_client();
	start_floor(&floor);
	subjects[0].port = floor.port;
	subjects[1].port = start_retort(true);
	subjects[2].port = start_retort(false);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < 6; i++)
			measure(&subjects[i % 3], i / 3, round, count);
	for (int i = 0; i < 6; i++) {
		double *own = subjects[i % 3].samples[i / 3];
		double *least = subjects[0].samples[i / 3];
		double cpu = median(own, (int)rounds);

		(void)printf("%s %s cpu=%.1f ratio=%.2f\n",
			subjects[i % 3].name, kinds[i / 3], cpu,
			cpu / median(least, (int)rounds));
	}
	/* the servers end with the process */
	return 0;
}
