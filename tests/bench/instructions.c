/* SPDX-License-Identifier: MIT */
/*
 * The library's work for one request, or for one server that is started, asked
 * and stopped; counted by callgrind, which instructions.sh runs:
 *
 *	instructions FOLDER [CASE]
 *
 * FOLDER has the file COPYING, of about 1 KiB. What is done within calls
 * of retort.h is counted, so that the client is not, in several batches of each
 * case: callgrind writes a dump for each of them, by the name of the case and
 * the times that it was done. Client and server take turns in one thread, so
 * that they do the same every time.
 */
#define _GNU_SOURCE

#include "config.h"

#include "bench.h"
#include "retort.h"

#include <arpa/inet.h>
#include <errno.h>
#ifdef RT_OPENSSL
#include <openssl/ssl.h>
#endif
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#define WARM_UP 5 /* rounds that do not count */
#define BATCHES 3
#define PATIENCE 5000 /* ms */

static bool counting;

static void
turn(void)
{
	if (counting)
		CALLGRIND_TOGGLE_COLLECT;
}

/* Counts what is done in its parentheses. */
#define COUNT(work) \
	do { \
		turn(); \
		work; \
		turn(); \
	} while (0)

/* curl's, and what a browser sends */
#define CURL_FIELDS \
	"Host: 127.0.0.1:12345\r\n" \
	"User-Agent: curl/7.88.1\r\n" \
	"Accept: */*\r\n"

#define BROWSER_FIELDS \
	"Host: 127.0.0.1:12345\r\n" \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) " \
	"Gecko/20100101 Firefox/128.0\r\n" \
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9," \
	"image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.8\r\n" \
	"Accept-Language: en-US,en;q=0.5\r\n" \
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" \
	"Connection: keep-alive\r\n" \
	"Cookie: session=0123456789abcdef0123456789abcdef\r\n" \
	"Upgrade-Insecure-Requests: 1\r\n" \
	"Sec-Fetch-Dest: document\r\n" \
	"Sec-Fetch-Mode: navigate\r\n" \
	"Sec-Fetch-Site: none\r\n" \
	"Priority: u=0, i\r\n"

struct work {
	struct retort *server;
	const char *file;
	int port;
	int fd; /* a kept connection, or -1 */
	void (*exchange)(const struct work *work, int fd, const char *request,
		const char *end);
};

static int
dial(const struct work *work)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)work->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
		(connect(fd, (const struct sockaddr *)&address,
			 sizeof address) < 0 &&
			errno != EINPROGRESS))
		give_up("connect: %s", strerror(errno));
	return fd;
}

static void
step(const struct work *work)
{
	int code;

	COUNT(code = retort_step(work->server, PATIENCE));
	if (code < 0)
		give_up("retort_step: %s", strerror(-code));
}

/* One request, and its reply, which ends with `end`. */
static void
exchange(const struct work *work, int fd, const char *request, const char *end)
{
	const size_t size = strlen(request), tail = strlen(end);
	char reply[4096];
	size_t have = 0;
	ssize_t got;

	if (send(fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
		give_up("send: %s", strerror(errno));
	step(work);
	while (have < tail || memcmp(reply + have - tail, end, tail) != 0) {
		got = recv(fd, reply + have, sizeof reply - have, 0);
		if (got > 0)
			have += (size_t)got;
		else if (got < 0 && errno == EAGAIN)
			step(work);
		else
			give_up("not the reply that was expected: %.*s",
				(int)have, reply);
	}
	if (memcmp(reply, "HTTP/1.1 200 ", 13) != 0)
		give_up("not the reply that was expected: %.*s", (int)have,
			reply);
}

#ifdef RT_OPENSSL
/* The same by TLS, after a handshake. */
static void
exchange_tls(const struct work *work, int fd, const char *request,
	const char *end)
{
	static SSL_CTX *context;
	const size_t tail = strlen(end);
	char reply[4096];
	size_t have = 0;
	SSL *ssl;
	int n;

	if (context == NULL)
		context = SSL_CTX_new(TLS_client_method());
	ssl = SSL_new(context);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		give_up("SSL_new failed");
	SSL_set_connect_state(ssl);
	while ((n = SSL_write(ssl, request, (int)strlen(request))) <= 0) {
		if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
			give_up("SSL_write failed");
		step(work);
	}
	/* to its end, so that it is always the client who closes last */
	while ((n = SSL_read(ssl, reply + have, (int)(sizeof reply - have))) >
			0 ||
		SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ) {
		if (n > 0)
			have += (size_t)n;
		else
			step(work);
	}
	if (have < tail || memcmp(reply + have - tail, end, tail) != 0)
		give_up("not the reply that was expected: %.*s", (int)have,
			reply);
	SSL_free(ssl);
}
#endif

static void
ask_once(struct work *work, const char *request, const char *end)
{
	int fd = dial(work);

	work->exchange(work, fd, request, end);
	(void)close(fd);
}

static const char hello[] = "GET /hello HTTP/1.1\r\n" CURL_FIELDS "\r\n";
static const char body[] = "hello world\n";

static void
start(struct work *work, struct retort_options options)
{
	options.stepped = true;
	COUNT(work->server = retort_start_sized(&options, sizeof options));
	if (work->server == NULL)
		give_up("retort_start failed");
	work->port = retort_listener(work->server).port;
}

static void
answer(struct work *work)
{
	int code;

	COUNT(code = retort_answer(work->server, .body = body));
	if (code < 0)
		give_up("retort_answer: %s", strerror(-code));
}

/* --- the cases --- */

static void
start_canned(struct work *work)
{
	start(work, (struct retort_options){.unrecorded = true});
	answer(work);
}

#ifdef RT_OPENSSL
static void
start_tls(struct work *work)
{
	start(work, (struct retort_options){.unrecorded = true, .tls = true});
	answer(work);
	work->exchange = exchange_tls;
}
#endif

static void
start_recorded(struct work *work)
{
	start(work, (struct retort_options){.unrecorded = false});
	answer(work);
}

static void
start_kept(struct work *work)
{
	start(work,
		(struct retort_options){.unrecorded = true,
			.keep_alive = true});
	answer(work);
	work->fd = dial(work);
}

static void
start_file(struct work *work)
{
	start(work, (struct retort_options){.unrecorded = true});
	if (retort_serve(work->server, work->file) < 0)
		give_up("retort_serve failed");
}

static void
ask_canned(struct work *work)
{
	ask_once(work, hello, body);
}

static void
ask_browser(struct work *work)
{
	ask_once(work, "GET /hello HTTP/1.1\r\n" BROWSER_FIELDS "\r\n", body);
}

static void
ask_posted(struct work *work)
{
	ask_once(work,
		"POST /hello HTTP/1.1\r\n" CURL_FIELDS "Content-Length: 11\r\n"
		"Content-Type: application/json\r\n\r\n{\"id\": 123}",
		body);
}

static void
ask_file(struct work *work)
{
	ask_once(work, "GET /COPYING HTTP/1.1\r\n" CURL_FIELDS "\r\n",
		"SOFTWARE.\n");
}

static void
ask_kept(struct work *work)
{
	exchange(work, work->fd, hello, body);
}

static void
cycle(struct work *work)
{
	start_recorded(work);
	ask_canned(work);
	COUNT(retort_close(work->server));
	work->server = NULL;
}

static const struct subject {
	const char *name;
	int times;
	void (*start)(struct work *work);
	void (*ask)(struct work *work);
} subjects[] = {
	{"canned", 100, start_canned, ask_canned},
	{"recorded", 100, start_recorded, ask_canned},
	{"browser", 100, start_canned, ask_browser},
	{"posted", 100, start_canned, ask_posted},
	{"kept", 100, start_kept, ask_kept},
	{"file", 100, start_file, ask_file},
	{"cycle", 20, NULL, cycle},
#ifdef RT_OPENSSL
	{"tls", 20, start_tls, ask_canned},
#endif
};

static void
run(const struct subject *subject, const char *file)
{
	struct work work = {.file = file, .fd = -1, .exchange = exchange};
	char name[64];

	if (subject->start != NULL)
		subject->start(&work);
	for (int i = 0; i < WARM_UP; i++)
		subject->ask(&work);
	(void)snprintf(name, sizeof name, "%s %d", subject->name,
		subject->times);
	for (int batch = 0; batch < BATCHES; batch++) {
		CALLGRIND_ZERO_STATS;
		counting = true;
		for (int i = 0; i < subject->times; i++)
			subject->ask(&work);
		counting = false;
		CALLGRIND_DUMP_STATS_AT(name);
	}
	retort_close(work.server);
	if (work.fd >= 0)
		(void)close(work.fd);
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		give_up("usage: instructions FOLDER [CASE]");
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
		if (argc < 3 || strcmp(argv[2], subjects[i].name) == 0)
			run(&subjects[i], argv[1]);
	return 0;
}
