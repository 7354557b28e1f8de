/* SPDX-License-Identifier: MIT */
/*
 * Tests of the library as an embedder has it (retort.h), stepped by the test
 * itself: clients and server take turns in one thread. Linked with --wrap for
 * malloc and its kin, so that allocations are counted, and fail when told to.
 */
#include "config.h"

#include "os/io_parts.h"
#include "server/server.h"
#include "support/serving.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BACK_ENDS 2
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

/* --- the library, with its memory watched --- */

static struct retort *
try_open(const struct retort_options *options)
{
	struct retort *opened;

	memset(error, '#', sizeof error);
	inside++;
	opened = retort_open(options, error);
	inside--;
	return opened;
}

static void
open_stepped(struct retort_options options, int i)
{
	open_with(options, STEPPED + i % 2);
}

static void
open_unrecorded(int i)
{
	open_stepped((struct retort_options){.unrecorded = true}, i);
}

static int
answer_with(struct retort_reply reply)
{
	int code;

	inside++;
	code = retort_answer(server, &reply, error);
	inside--;
	return code;
}

static void
answer_text(const char *body)
{
	ck_assert_int_eq(answer_with((struct retort_reply){.body = body,
				 .body_size = strlen(body)}),
		0);
}

static int
serve_as(const char *folder, const struct retort_files *files)
{
	int code;

	inside++;
	code = retort_serve(server, folder, files, error);
	inside--;
	return code;
}

static int
serve(const char *folder)
{
	return serve_as(folder, NULL);
}

static void
stop(int grace)
{
	inside++;
	retort_stop(server, grace);
	inside--;
}

/* --- time --- */

static int64_t
processor_ms(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* How long a loop of the caller's may wait. */
static int
poll_timeout(void)
{
	struct pollfd polled[8];
	int timeout = 77;

	ck_assert_uint_gt(retort_pollfds(server, polled, COUNT(polled),
				  &timeout),
		0);
	return timeout;
}

/* Several turns, enough for whatever has arrived. */
static void
settle(void)
{
	for (int i = 0; i < 5; i++)
		(void)step(2);
}

/* --- clients --- */

/*
 * Sends, and receives until there are `most` bytes. 0 at a FIN or with so many
 * bytes, or the errno of the end.
 */
static int
converse(int fd, const char *request, size_t size, struct bytes *got,
	size_t most)
{
	struct talk talk = talk_begin(fd, request, size, got);

	while (got->size < most && talk_on(&talk))
		;
	return talk.end;
}

static void
expect_body(const char *request, const char *body)
{
	struct bytes got = exchange(request);
	const char *end = strstr(got.data, "\r\n\r\n");

	assert_begins(got, OK);
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end + 4, body);
	bytes_free(&got);
}

/* What the client sees when nothing more comes: 0 at a FIN, or an errno. */
static int
end_of(int fd)
{
	struct bytes got = {.data = NULL};
	int code = converse(fd, "", 0, &got, SIZE_MAX);

	ck_assert_msg(got.size == 0, "unexpected: %s",
		shown(got.data, got.size));
	bytes_free(&got);
	return code;
}

/* A body that the buffers of two sockets cannot hold. */
#define BIG (24u << 20)
static char *big;

static void
answer_big(void)
{
	big = malloc(BIG);
	ck_assert_ptr_nonnull(big);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 4099);
	ck_assert_int_eq(answer_with((struct retort_reply){.body = big,
				 .body_size = BIG}),
		0);
}

/* A client with a reply under way of which it has read the beginning. */
static int
connect_to_big(void)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();

	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	assert_begins(got, OK);
	bytes_free(&got);
	settle();
	return fd;
}

/* --- events --- */

struct seen {
	enum retort_event event;
	struct retort_exchange exchange;
	char client[64];
	char request[256];
	char bytes[256];
	size_t size;
};

static struct seen events[64];
static size_t event_count;

static void
record(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct seen *seen = events + event_count;
	size_t line = exchange->request_size;
	int was_inside = inside;

	inside = 0;
	ck_assert_ptr_eq(arg, events);
	ck_assert_uint_lt(event_count++, COUNT(events));
	seen->event = event;
	seen->exchange = *exchange;
	seen->size = size;
	(void)snprintf(seen->client, sizeof seen->client, "%s",
		exchange->client);
	line = line < sizeof seen->request ? line : sizeof seen->request - 1;
	if (line > 0)
		memcpy(seen->request, exchange->request, line);
	seen->request[line] = '\0';
	if (size > 0)
		memcpy(seen->bytes, bytes,
			size < sizeof seen->bytes ? size : sizeof seen->bytes);
	inside = was_inside;
}

static void
open_recorded(struct retort_options options, int i)
{
	options.event = record;
	options.event_arg = events;
	options.unrecorded = true;
	event_count = 0;
	memset(events, 0, sizeof events);
	open_stepped(options, i);
}

static size_t
ends(void)
{
	size_t count = 0;

	for (size_t i = 0; i < event_count; i++)
		count += events[i].event == RETORT_ON_END;
	return count;
}

/* The one end that was reported by now. */
static const struct retort_exchange *
the_end(enum retort_end end, int status)
{
	const struct seen *last;

	TURN_UNTIL(ends() > 0);
	last = events + event_count - 1;
	ck_assert_uint_eq(ends(), 1);
	ck_assert_int_eq(last->event, RETORT_ON_END);
	ck_assert_uint_eq(last->size, 0);
	ck_assert_int_eq(last->exchange.end, end);
	ck_assert_int_eq(last->exchange.status, status);
	return &last->exchange;
}

/* --- opening --- */

START_TEST(opens_by_default)
{
	char url[64];

	server = try_open(NULL);
	ck_assert_msg(server != NULL, "retort_open: %s", error);
	ck_assert_int_gt(retort_port(server, 0), 0);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/",
		retort_port(server, 0));
	ck_assert_str_eq(retort_url(server, 0), url);
	ck_assert(retort_local(server, 0));
	ck_assert_ptr_null(retort_url(server, 1));
	ck_assert_int_eq(retort_port(server, 1), -1);
	ck_assert(!retort_local(server, 1));
	ck_assert_ptr_null(retort_url(server, SIZE_MAX));
	expect_begin(GET, "HTTP/1.1 501 Not Implemented\r\n");
	close_server();
	ck_assert_str_eq(retort_version(), PACKAGE_VERSION);
	retort_close(NULL);
}
END_TEST

START_TEST(opens_what_it_is_told)
{
	char *folder = dir_make();
	char path[256], spec[280];
	const char *const bind[] = {spec, "localhost", "127.0.0.1:0", NULL};
	struct bytes got;
	int fd;

	(void)snprintf(path, sizeof path, "%s/socket", folder);
	(void)snprintf(spec, sizeof spec, "unix:%s", path);
	open_stepped((struct retort_options){.bind = bind}, _i);
	answer_text("hello");
	/* IPv4 first, the others last; where only one of localhost's two is
	   there it has its number */
	ck_assert_int_eq(strncmp(retort_url(server, 0),
				 "http://localhost:", 17) == 0,
		server->listener_count == 4);
	for (size_t i = 0; retort_url(server, i) != NULL; i++) {
		bool last = retort_url(server, i + 1) == NULL;

		ck_assert_int_eq(strcmp(retort_url(server, i), spec) == 0,
			last);
		ck_assert_int_eq(retort_port(server, i) == 0, last);
		ck_assert(retort_local(server, i));
		fd = client_connect(retort_url(server, i));
		got = (struct bytes){.data = NULL};
		ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got,
					 SIZE_MAX),
			0);
		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		(void)close(fd);
	}
	close_server();
	ck_assert_int_eq(access(path, F_OK), -1);
	dir_remove(folder);
}
END_TEST

START_TEST(opens_a_descriptor)
{
	static const char *const loopback[] = {"127.0.0.1"};
	struct rt_sock socks[2];
	char spec[32];
	const char *const bind[] = {spec, NULL};

	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, loopback, 1, 0, 0,
				 NULL),
		1);
	(void)snprintf(spec, sizeof spec, "fd:%d", socks[0].fd);
	open_stepped((struct retort_options){.bind = bind}, _i);
	(void)close(socks[0].holder);
	ck_assert_int_eq(retort_port(server, 0), socks[0].port);
	answer_text("hello");
	expect_body(GET, "hello");
	close_server();
	ck_assert_int_eq(fcntl(socks[0].fd, F_GETFD), -1);
}
END_TEST

/* Shut down by somebody who shares it: no spin, and nothing left to do. */
START_TEST(ends_with_its_last_listener)
{
	static const char *const loopback[] = {"127.0.0.1"};
	const char *bind[] = {NULL, NULL};
	char spec[32];
	struct rt_sock socks[2];
	int shared, steps = 0;

	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, loopback, 1, 0, 0,
				 error),
		1);
	shared = dup(socks[0].fd);
	(void)snprintf(spec, sizeof spec, "fd:%d", socks[0].fd);
	bind[0] = spec;
	open_stepped((struct retort_options){.bind = bind}, _i);
	ck_assert_int_eq(shutdown(shared, SHUT_RDWR), 0);
	while (step(RT_TEST_PATIENCE * 1000) == 0)
		ck_assert_int_lt(++steps, 10);
	(void)close(socks[0].holder);
	(void)close(shared);
	close_server();
}
END_TEST

static void
refuse_open(struct retort_options options, int code, const char *text)
{
	errno = 0;
	ck_assert_ptr_null(try_open(&options));
	ck_assert_int_eq(errno, code);
	ck_assert_msg(strstr(error, text) != NULL, "expected \"%s\" in: %s",
		text, error);
	ck_assert_ptr_null(strchr(error, '\n'));
	ck_assert_ptr_null(retort_open(&options, NULL));
	ck_assert_int_eq(live, 0);
}

/* It is the caller's, and listens still. */
static void
assert_kept(int fd)
{
	struct sockaddr_in in;
	socklen_t size = sizeof in;
	int client, accepted;

	ck_assert_msg(fcntl(fd, F_GETFD) >= 0, "it was closed");
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&in, size), 0);
	accepted = accept(fd, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	(void)close(accepted);
	(void)close(client);
}

/* One allocation fails. False once there were not as many. */
static bool
lend_without_memory(struct retort_options options, int fd, int i, size_t n)
{
	allocations = 0;
	fail_at = n;
	fail_ever_after = false;
	(void)try_open_with(options, STEPPED + i);
	fail_at = 0;
	if (server == NULL) {
		assert_kept(fd);
		(void)close(fd);
		return true;
	}
	close_server();
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	return allocations >= n;
}

START_TEST(takes_a_descriptor_on_success_only)
{
	/* with so many the loop needs more memory when it gets to know them */
	enum { LISTENERS = 70 };
	char spec[32];
	const char *bind[LISTENERS + 1] = {spec};
	struct retort_options options = {.bind = bind,
		.io = ways[STEPPED + _i].io,
		.refusing = true};
	int own = socket(AF_INET, SOCK_STREAM, 0), fd = dup(own);
	size_t n = 1;

	for (size_t i = 1; i < LISTENERS; i++)
		bind[i] = "127.0.0.1:0";
	ck_assert_int_eq(listen(own, 5), 0);
	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	refuse_open(options, ENOTSUP, "refuse: ");
	assert_kept(fd);
	options.refusing = false;
	while (lend_without_memory(options, fd, _i, n)) {
		ck_assert_int_eq(dup2(own, fd), fd);
		ck_assert_uint_lt(n++, 1000);
	}
	ck_assert_uint_gt(n, 5);
	(void)close(own);
}
END_TEST

START_TEST(says_why_it_cannot_open)
{
	static const char *const malformed[] = {"example.org", NULL};
	static const char *const port[] = {"127.0.0.1:99999", NULL};
	char spec[64];
	const char *const taken[] = {"127.0.0.1:0", spec, NULL};

	open_unrecorded(0);
	(void)snprintf(spec, sizeof spec, "127.0.0.1:%d",
		retort_port(server, 0));
	ck_assert_ptr_null(
		retort_open(&(struct retort_options){.bind = taken}, error));
	ck_assert_int_eq(errno, EADDRINUSE);
	(void)snprintf(spec, sizeof spec,
		"bind 127.0.0.1:%d: Address already in use",
		retort_port(server, 0));
	ck_assert_str_eq(error, spec);
	close_server();
	refuse_open((struct retort_options){.bind = malformed}, EINVAL,
		"example.org");
	refuse_open((struct retort_options){.bind = port}, EINVAL, "99999");
	refuse_open((struct retort_options){.port = -1}, EINVAL, "-1");
	refuse_open((struct retort_options){.port = 65536}, EINVAL, "65536");
	refuse_open((struct retort_options){.max_fields = 1001}, EINVAL,
		"max_fields: at most 1000");
	refuse_open((struct retort_options){.max_head = SIZE_MAX}, EINVAL,
		"max_head: at most");
}
END_TEST

/* --- sizes of structs --- */

/* Ours, as a later version may have them. */
struct newer_options {
	struct retort_options known;
	unsigned char more[40];
};
struct newer_reply {
	struct retort_reply known;
	unsigned char more[40];
};
struct newer_files {
	struct retort_files known;
	unsigned char more[40];
};

START_TEST(takes_older_structs)
{
	struct retort_options options;
	struct retort_reply reply;
	struct retort_files files;
	char *folder = dir_make();

	dir_write(folder, ".a", "dot", 3);
	/* what is behind the older end is anything but an option */
	memset(&options, 0xff, sizeof options);
	options.bind = NULL;
	options.port = 0;
	server = retort_open_sized(&options,
		offsetof(struct retort_options, defer_accept), error);
	ck_assert_msg(server != NULL, "%s", error);
	memset(&reply, 0xff, sizeof reply);
	memset(&reply, 0, offsetof(struct retort_reply, type));
	reply.status = 201;
	ck_assert_int_eq(retort_answer_sized(server, &reply,
				 offsetof(struct retort_reply, type), error),
		0);
	expect_begin(GET, "HTTP/1.1 201 ");
	memset(&files, 0xff, sizeof files);
	files.dotfiles = true;
	ck_assert_int_eq(retort_serve_sized(server, folder, &files,
				 sizeof files.dotfiles, error),
		0);
	expect_body("GET /.a HTTP/1.0\r\n\r\n", "dot");
	ck_assert_int_eq(retort_serve_sized(server, folder, &files, 0, error),
		0);
	expect_begin("GET /.a HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ");
	retort_close(server);
	dir_remove(folder);
}
END_TEST

START_TEST(takes_newer_structs)
{
	struct newer_options options;
	struct newer_reply reply;
	struct newer_files files;
	char *folder = dir_make();

	memset(&options, 0, sizeof options);
	memset(&reply, 0, sizeof reply);
	memset(&files, 0, sizeof files);
	reply.known.status = 203;
	server = retort_open_sized(&options.known, sizeof options, error);
	ck_assert_msg(server != NULL, "%s", error);
	ck_assert_int_eq(retort_answer_sized(server, &reply.known, sizeof reply,
				 error),
		0);
	ck_assert_int_eq(retort_serve_sized(server, folder, &files.known,
				 sizeof files, error),
		0);
	ck_assert_int_eq(retort_answer_sized(server, &reply.known, sizeof reply,
				 error),
		0);
	/* what is not known must not be asked for */
	reply.more[39] = 1;
	ck_assert_int_eq(retort_answer_sized(server, &reply.known, sizeof reply,
				 error),
		-E2BIG);
	ck_assert_int_ne(error[0], '\0');
	files.more[0] = 1;
	ck_assert_int_eq(retort_serve_sized(server, folder, &files.known,
				 sizeof files, error),
		-E2BIG);
	expect_begin(GET, "HTTP/1.1 203 ");
	retort_close(server);
	dir_remove(folder);
}
END_TEST

START_TEST(refuses_unknown_options)
{
	struct newer_options options;
	int standard[3];

	memset(&options, 0, sizeof options);
	options.more[20] = 1;
	for (int fd = 0; fd < 3; fd++)
		standard[fd] = fcntl(fd, F_GETFD);
	errno = 0;
	ck_assert_ptr_null(
		retort_open_sized(&options.known, sizeof options, error));
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(strncmp(error, "options: ", 9), 0);
	for (int fd = 0; fd < 3; fd++)
		ck_assert_msg(fcntl(fd, F_GETFD) == standard[fd],
			"descriptor %d was closed", fd);
	ck_assert_ptr_null(
		retort_open_sized(&options.known, sizeof options, NULL));
}
END_TEST

/* --- exchanges --- */

START_TEST(answers)
{
	open_unrecorded(_i);
	answer_text("one");
	expect_body(GET, "one");
	answer_text("two");
	expect_body(GET, "two");
	expect_body("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
		    "hello",
		"two");
	expect_body("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "");
	expect_begin("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
	expect_begin("nonsense\r\n\r\n", "HTTP/1.1 400 ");
	/* the request that is echoed is the whole of it */
	ck_assert_int_eq(answer_with((struct retort_reply){.echo = true}), 0);
	expect_body("PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		    "\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		"\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n");
	close_server();
}
END_TEST

START_TEST(answers_what_comes_in_pieces)
{
	static const char request[] = GET;
	struct bytes got = {.data = NULL};
	int fd;

	open_unrecorded(_i);
	answer_text("hello");
	fd = connect_client();
	for (size_t i = 0; i < sizeof request - 1; i++) {
		ck_assert(client_send(fd, request + i, 1));
		(void)step(0);
	}
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(answers_one_that_half_closed)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_unrecorded(_i);
	answer_big();
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_gt(got.size, BIG);
	ck_assert(memcmp(got.data + got.size - BIG, big, BIG) == 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

/* What came in time is answered, however late the server looks at it. */
START_TEST(a_late_server_is_no_time_out)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.head_timeout = 1500}, _i);
	answer_text("hello");
	fd = connect_client();
	ck_assert(client_send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n"));
	settle();
	ck_assert(client_send_text(fd, "\r\n"));
	/* nobody steps the server meanwhile */
	ck_assert_int_eq(client_wait(fd, 1600), -1);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* Neither what follows the request nor an early answer harms the reply. */
START_TEST(answers_one_that_sends_too_much)
{
	size_t size = 3u << 20;
	char *request = malloc(size);
	struct bytes got;
	int head;

	ck_assert_ptr_nonnull(request);
	memset(request, 'x', size);
	open_stepped((struct retort_options){.max_body = 10}, _i);
	answer_text("hello");
	head = snprintf(request, size, GET);
	request[head] = 'x';
	got = exchange_bytes(request, 64u << 10);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	head = snprintf(request, size,
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: %zu\r\n\r\n",
		size);
	request[head] = 'x';
	got = exchange_bytes(request, size);
	assert_begins(got, "HTTP/1.1 413 ");
	assert_has(got, "\r\n\r\n413 ");
	bytes_free(&got);
	close_server();
	free(request);
}
END_TEST

START_TEST(serves_files)
{
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got;

	big = malloc(BIG);
	ck_assert_ptr_nonnull(big);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 3 + i / 8191);
	dir_write(folder, "big", big, BIG);
	dir_write(folder, "index.html", "small", 5);
	open_stepped(options, _i);
	ck_assert_int_eq(serve(folder), 0);
	expect_body(GET, "small");
	got = exchange("GET /big HTTP/1.0\r\n\r\n");
	ck_assert_uint_gt(got.size, BIG);
	ck_assert(memcmp(got.data + got.size - BIG, big, BIG) == 0);
	bytes_free(&got);
	expect_begin("POST / HTTP/1.0\r\n\r\n", "HTTP/1.1 405 ");
	/* what replaces it while it is sent does not harm what is sent */
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

START_TEST(a_reply_outlives_its_replacement)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_unrecorded(_i);
	answer_big();
	fd = connect_client();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	answer_text("next");
	expect_body(GET, "next");
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_gt(got.size, BIG);
	ck_assert(memcmp(got.data + got.size - BIG, big, BIG) == 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(nobody_delays_the_others)
{
	int idle, half, slow;

	open_unrecorded(_i);
	answer_big();
	slow = connect_to_big();
	idle = connect_client();
	half = connect_client();
	ck_assert(client_send_text(half, "GET / HTT"));
	settle();
	answer_text("quick");
	for (int i = 0; i < 20; i++)
		expect_body(GET, "quick");
	(void)close(idle);
	(void)close(half);
	(void)close(slow);
	close_server();
	free(big);
}
END_TEST

START_TEST(many_servers_live_together)
{
	enum { SERVERS = 50 };
	struct retort *all[SERVERS];
	char body[32];

	for (int i = 0; i < SERVERS; i++) {
		open_unrecorded(i);
		all[i] = server;
		(void)snprintf(body, sizeof body, "server %d", i);
		answer_text(body);
	}
	for (int i = SERVERS; i-- > 0;) {
		server = all[i];
		(void)snprintf(body, sizeof body, "server %d", i);
		expect_body(GET, body);
	}
	for (int i = 0; i < SERVERS; i++) {
		inside++;
		retort_close(all[i]);
		inside--;
	}
	ck_assert_int_eq(live, 0);
}
END_TEST

/* The caller's signals, their handlers and its mask are left alone. */
START_TEST(leaves_the_process_alone)
{
	struct sigaction before, after;
	sigset_t mask, other;

	(void)signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &before), 0);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	open_unrecorded(_i);
	answer_text("hello");
	expect_body(GET, "hello");
	close_server();
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &after), 0);
	ck_assert(before.sa_handler == after.sa_handler);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &other), 0);
	for (int i = 1; i < 32; i++)
		ck_assert_int_eq(sigismember(&mask, i), sigismember(&other, i));
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* --- events, and how exchanges end --- */

START_TEST(tells_what_happens)
{
	static const char head[] = "POST /a?b HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 6\r\n\r\n";
	const struct retort_exchange *end;
	struct timespec before, after;
	struct bytes got = {.data = NULL};
	int fd;

	(void)clock_gettime(CLOCK_REALTIME, &before);
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	fd = connect_client();
	settle();
	ck_assert_uint_eq(event_count, 0);
	ck_assert(client_send(fd, head, sizeof head - 1));
	TURN_UNTIL(event_count == 1);
	ck_assert_int_eq(events[0].event, RETORT_ON_HEAD);
	assert_bytes(events[0].bytes, events[0].size, head, sizeof head - 1);
	ck_assert_str_eq(events[0].request, "POST /a?b HTTP/1.1");
	ck_assert_int_eq(events[0].exchange.status, 0);
	ck_assert(client_send(fd, "abc", 3));
	TURN_UNTIL(event_count == 2);
	ck_assert_int_eq(events[1].event, RETORT_ON_BODY);
	assert_bytes(events[1].bytes, events[1].size, "abc", 3);
	ck_assert_int_eq(converse(fd, "def", 3, &got, SIZE_MAX), 0);
	end = the_end(RETORT_ANSWERED, 200);
	ck_assert_uint_eq(event_count, 4);
	assert_bytes(events[2].bytes, events[2].size, "def", 3);
	ck_assert_str_eq(events[3].request, "POST /a?b HTTP/1.1");
	ck_assert_uint_eq(end->connection, 1);
	ck_assert_uint_eq(end->received, sizeof head - 1 + 6);
	ck_assert_uint_eq(end->sent, got.size);
	ck_assert_uint_eq(end->sent_body, 5);
	(void)clock_gettime(CLOCK_REALTIME, &after);
	ck_assert_int_ge(end->began / 1000000000 + 1, before.tv_sec);
	ck_assert_int_le(end->began / 1000000000, after.tv_sec);
	ck_assert_int_gt(end->duration, 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(tells_of_the_client)
{
	struct sockaddr_storage own;
	socklen_t size = sizeof own;
	char text[RT_PEER_TEXT];
	struct rt_peer peer;
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	expect_begin("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 ");
	TURN_UNTIL(ends() == 1);
	fd = connect_client();
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &size), 0);
	rt_sock_peer(&peer, (struct sockaddr *)&own);
	settle();
	(void)close(fd);
	TURN_UNTIL(ends() == 2);
	ck_assert_str_eq(events[event_count - 1].client,
		rt_sock_peer_text(&peer, text));
	ck_assert_uint_eq(events[event_count - 1].exchange.connection, 2);
	close_server();
}
END_TEST

/* What came in one piece is told apart all the same. */
START_TEST(tells_head_and_body_apart)
{
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	expect_body("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
		    "abc",
		"hello");
	(void)the_end(RETORT_ANSWERED, 200);
	ck_assert_uint_eq(event_count, 3);
	ck_assert_int_eq(events[0].event, RETORT_ON_HEAD);
	ck_assert_uint_eq(events[0].size, 47);
	ck_assert_int_eq(events[1].event, RETORT_ON_BODY);
	assert_bytes(events[1].bytes, events[1].size, "abc", 3);
	close_server();
}
END_TEST

START_TEST(tells_of_a_refused_head)
{
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	expect_begin("GET / HTTP/1.1\r\nHost : x\r\n\r\n", "HTTP/1.1 400 ");
	(void)the_end(RETORT_ANSWERED, 400);
	ck_assert_int_eq(events[0].event, RETORT_ON_HEAD);
	ck_assert_str_eq(events[0].request, "GET / HTTP/1.1");
	close_server();
}
END_TEST

START_TEST(ends_closed)
{
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	fd = connect_client();
	settle();
	(void)close(fd);
	ck_assert_uint_eq(the_end(RETORT_CLOSED, 0)->received, 0);
	ck_assert_uint_eq(event_count, 1);
	ck_assert_str_eq(events[0].request, "");
	close_server();
}
END_TEST

START_TEST(ends_reset)
{
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	client_reset(connect_to_big());
	(void)the_end(RETORT_RESET, 200);
	/* one that leaves with bytes unread resets it too */
	event_count = 0;
	(void)close(connect_to_big());
	(void)the_end(RETORT_RESET, 200);
	event_count = 0;
	client_reset(connect_client());
	(void)the_end(RETORT_RESET, 0);
	close_server();
	free(big);
}
END_TEST

START_TEST(ends_timed_out)
{
	const struct retort_exchange *end;
	struct bytes got = {.data = NULL};
	int fd;

	open_recorded((struct retort_options){.write_timeout = 60}, _i);
	answer_big();
	fd = connect_to_big();
	end = the_end(RETORT_TIMED_OUT, 200);
	ck_assert_int_ge(end->duration, 60 * RT_MS);
	ck_assert_uint_lt(end->sent_body, BIG);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), ECONNRESET);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

/*
 * Progress alone counts: the whole reply may take longer, and a client that
 * takes little at a time is not one that takes nothing.
 */
START_TEST(a_slow_reader_is_not_timed_out)
{
	struct bytes got = {.data = NULL};
	int64_t begun = now_ms();
	int fd, late = 800 * rt_test_slowness();

	open_recorded((struct retort_options){.write_timeout = late}, _i);
	answer_big();
	fd = connect_to_big();
	while (now_ms() < begun + 2 * late + 100) {
		ck_assert_int_eq(converse(fd, "", 0, &got, got.size + 1), 0);
		(void)step(20);
		ck_assert_msg(ends() == 0, "it ended after %zu bytes",
			got.size);
	}
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	(void)the_end(RETORT_ANSWERED, 200);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(heads_time_out)
{
	struct bytes got = {.data = NULL};
	int64_t begun = now_ms();
	int fd;

	open_recorded((struct retort_options){.head_timeout = 60}, _i);
	answer_text("hello");
	fd = connect_client();
	ck_assert_int_eq(converse(fd, "GET / HTTP", 10, &got, SIZE_MAX), 0);
	ck_assert_int_ge(now_ms() - begun, 60);
	assert_begins(got, "HTTP/1.1 408 Request Timeout\r\n");
	bytes_free(&got);
	(void)close(fd);
	(void)the_end(RETORT_ANSWERED, 408);
	/* without a byte there is nothing to be answered */
	event_count = 0;
	fd = connect_client();
	ck_assert_int_eq(end_of(fd), 0);
	(void)the_end(RETORT_TIMED_OUT, 0);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(bodies_time_out)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: x\r\n"
				      "Content-Length: 5\r\n\r\nabc";
	struct bytes got = {.data = NULL};
	int64_t begun = now_ms();
	int fd;

	open_recorded((struct retort_options){.body_timeout = 60}, _i);
	answer_text("hello");
	fd = connect_client();
	ck_assert_int_eq(converse(fd, request, sizeof request - 1, &got,
				 SIZE_MAX),
		0);
	ck_assert_int_ge(now_ms() - begun, 60);
	assert_begins(got, "HTTP/1.1 408 Request Timeout\r\n");
	bytes_free(&got);
	(void)close(fd);
	(void)the_end(RETORT_ANSWERED, 408);
	close_server();
}
END_TEST

START_TEST(ends_stopped)
{
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	fd = connect_client();
	ck_assert(client_send_text(fd, "GET"));
	settle();
	stop(0);
	(void)the_end(RETORT_STOPPED, 0);
	ck_assert_int_eq(step(0), 1);
	(void)close(fd);
	close_server();
	/* and by retort_close() */
	open_recorded((struct retort_options){.port = 0}, _i);
	fd = connect_client();
	settle();
	close_server();
	ck_assert_uint_eq(ends(), 1);
	ck_assert_int_eq(events[0].exchange.end, RETORT_STOPPED);
	(void)close(fd);
}
END_TEST

START_TEST(ends_truncated)
{
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got = {.data = NULL};
	const char *promised;
	char path[256];
	int fd;

	big = calloc(1, BIG);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", big, BIG);
	(void)snprintf(path, sizeof path, "%s/index.html", folder);
	open_recorded(options, _i);
	ck_assert_int_eq(serve(folder), 0);
	fd = connect_client();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	ck_assert_int_eq(truncate(path, 1000), 0);
	/* a closed connection, before what was promised */
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	(void)the_end(RETORT_TRUNCATED, 200);
	promised = strstr(got.data, "\r\nContent-Length: 25165824\r\n");
	ck_assert_ptr_nonnull(promised);
	ck_assert_uint_lt(got.size, BIG);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

START_TEST(a_file_that_grows_sends_what_was_promised)
{
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got = {.data = NULL};
	char path[256];
	int fd, file;

	big = calloc(1, BIG);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", big, BIG);
	(void)snprintf(path, sizeof path, "%s/index.html", folder);
	open_recorded(options, _i);
	ck_assert_int_eq(serve(folder), 0);
	fd = connect_client();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	file = open(path, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(file, "more", 4), 4);
	(void)close(file);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_eq(the_end(RETORT_ANSWERED, 200)->sent_body, BIG);
	ck_assert_ptr_null(memchr(got.data + got.size - 4, 'm', 4));
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

START_TEST(ends_failed)
{
	static char request[30000];
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	expect_body(GET, "hello");
	TURN_UNTIL(ends() == 1);
	event_count = 0;
	fd = connect_client();
	settle();
	memset(request, 'a', sizeof request);
	memcpy(request, "GET / HTTP/1.1\r\nX: ", 19);
	ck_assert(client_send(fd, request, sizeof request));
	fail_at = 1;
	fail_ever_after = true;
	(void)the_end(RETORT_FAILED, 0);
	fail_at = 0;
	(void)close(fd);
	/* it closed one connection, and the server lives */
	expect_body(GET, "hello");
	close_server();
}
END_TEST

/* --- stopping --- */

/* Whether new connections are refused. */
static void
expect_refused(const char *url)
{
	ck_assert_int_eq(client_try(url, SOCK_STREAM), -ECONNREFUSED);
}

START_TEST(stops_after_so_many_requests)
{
	int idle, half;

	open_recorded((struct retort_options){.requests = 3}, _i);
	answer_text("hello");
	idle = connect_client();
	half = connect_client();
	ck_assert(client_send_text(half, "GET / HT"));
	settle();
	expect_body(GET, "hello");
	expect_begin("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
	ck_assert_int_eq(step(0), 0);
	expect_body(GET, "hello");
	TURN_UNTIL(ends() == 5);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(end_of(idle), 0);
	ck_assert_int_eq(end_of(half), 0);
	expect_refused(retort_url(server, 0));
	(void)close(idle);
	(void)close(half);
	close_server();
}
END_TEST

START_TEST(time_outs_are_not_counted)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.unrecorded = true,
			     .requests = 2,
			     .head_timeout = 30},
		_i);
	answer_text("hello");
	for (int i = 0; i < 3; i++) {
		fd = connect_client();
		ck_assert_int_eq(converse(fd, "GET", 3, &got, SIZE_MAX), 0);
		assert_begins(got, "HTTP/1.1 408 ");
		bytes_free(&got);
		(void)close(fd);
	}
	expect_body(GET, "hello");
	ck_assert_int_eq(step(0), 0);
	expect_body(GET, "hello");
	TURN_UNTIL(step(0) == 1);
	close_server();
}
END_TEST

START_TEST(the_last_request_leaves_replies_under_way)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.unrecorded = true, .requests = 2},
		_i);
	answer_big();
	fd = connect_to_big();
	answer_text("last");
	expect_body(GET, "last");
	expect_refused(retort_url(server, 0));
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_ge(got.size, BIG - (64u << 10));
	ck_assert(memcmp(got.data + got.size - 1000, big + BIG - 1000, 1000) ==
		0);
	TURN_UNTIL(step(0) == 1);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(stops)
{
	int idle, half, timeout;

	open_unrecorded(_i);
	answer_text("hello");
	idle = connect_client();
	half = connect_client();
	ck_assert(client_send_text(half,
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 5\r\n\r\nab"));
	settle();
	stop(1000000);
	/* nothing is left to wait for, and a poll loop learns that */
	timeout = poll_timeout();
	ck_assert_int_eq(timeout, 0);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(end_of(idle), 0);
	ck_assert_int_eq(end_of(half), 0);
	expect_refused(retort_url(server, 0));
	stop(5);
	ck_assert_int_eq(step(-1), 1);
	(void)close(idle);
	(void)close(half);
	close_server();
}
END_TEST

/* Requests that are queued when it is told to stop are answered. */
START_TEST(stops_after_what_is_queued)
{
	enum { QUEUED = 100 };
	struct bytes got = {.data = NULL};
	int fds[QUEUED];

	open_unrecorded(_i);
	answer_text("hello");
	expect_body(GET, "hello");
	expect_body(GET, "hello");
	for (int i = 0; i < QUEUED; i++) {
		fds[i] = connect_client();
		ck_assert(client_send_text(fds[i], GET));
	}
	stop(RT_TEST_PATIENCE * 1000);
	for (int i = 0; i < QUEUED; i++) {
		int code = converse(fds[i], "", 0, &got, SIZE_MAX);

		ck_assert_msg(code == 0, "client %d: %s", i, strerror(code));
		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		(void)close(fds[i]);
	}
	TURN_UNTIL(step(0) == 1);
	close_server();
}
END_TEST

START_TEST(stops_with_grace)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	fd = connect_to_big();
	stop(RT_TEST_PATIENCE * 1000);
	ck_assert_int_eq(step(0), 0);
	expect_refused(retort_url(server, 0));
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	TURN_UNTIL(step(0) == 1);
	(void)the_end(RETORT_ANSWERED, 200);
	ck_assert(memcmp(got.data + got.size - 1000, big + BIG - 1000, 1000) ==
		0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(stops_when_the_grace_is_over)
{
	int64_t begun;
	int fd, timeout;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	fd = connect_to_big();
	begun = now_ms();
	stop(80);
	/* a longer time does not count any more */
	stop(1000000);
	timeout = poll_timeout();
	ck_assert_int_ge(timeout, 0);
	ck_assert_int_le(timeout, 80);
	while (step(-1) == 0)
		;
	ck_assert_int_ge(now_ms() - begun, 79);
	(void)the_end(RETORT_STOPPED, 200);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(a_second_stop_shortens)
{
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	fd = connect_to_big();
	stop(1000000);
	ck_assert_int_eq(step(0), 0);
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	(void)the_end(RETORT_STOPPED, 200);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

/* --- listings --- */

/* So many that listing them takes hundreds of slices; under valgrind, tens. */
#define MANY (getenv("CK_TIMEOUT_MULTIPLIER") != NULL ? 3000 : 30000)

static char *listed; /* many/ and few/, empty files, and small */

static void
make_files(const char *name, int count)
{
	char path[280];
	int folder;

	(void)snprintf(path, sizeof path, "%s/%s", listed, name);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder, 0);
	for (int i = 0; i < count; i++) {
		int fd;

		(void)snprintf(path, sizeof path, "file-%05d", i);
		fd = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL, 0666);
		ck_assert_int_ge(fd, 0);
		(void)close(fd);
	}
	(void)close(folder);
}

/* Once for all the tests, which only read it. */
static void
make_listed(void)
{
	listed = dir_make();
	make_files("many", MANY);
	make_files("few", 3);
	dir_write(listed, "small", "small", 5);
}

static void
remove_listed(void)
{
	dir_remove(listed);
}

#define LIST_MANY "GET /many/ HTTP/1.0\r\n\r\n"
#define LIST_FEW "GET /few/ HTTP/1.0\r\n\r\n"
#define GET_SMALL "GET /small HTTP/1.0\r\n\r\n"

/*
 * A reply of 200 that names each of the files, once and in order. Goes from
 * line to line: strstr() looks at the whole rest where it is checked.
 */
static void
assert_listing(const struct bytes *got, int count)
{
	static const char row[] = "<tr><td><a href=\"file-";
	const char *body = strstr(got->data, "\r\n\r\n");
	const char *length = strstr(got->data, "\r\nContent-Length: ");
	const char *end = got->data + got->size;
	char expected[64];
	int rows = 0;

	assert_begins(*got, OK);
	ck_assert(body != NULL && length != NULL && length < body);
	body += 4;
	ck_assert_uint_eq(strtoul(length + 18, NULL, 10), (size_t)(end - body));
	for (const char *at = body; at != NULL;
		at = memchr(at, '\n', (size_t)(end - at))) {
		at += *at == '\n';
		if (strncmp(at, row, sizeof row - 1) != 0)
			continue;
		(void)snprintf(expected, sizeof expected, "%s%05d\">", row,
			rows++);
		ck_assert_msg(strncmp(at, expected, strlen(expected)) == 0,
			"expected %s, got: %s", expected,
			shown(at, strlen(expected)));
	}
	ck_assert_int_eq(rows, count);
	ck_assert_str_eq(end - 8, "</html>\n");
}

static bool
has_come(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static int
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	ck_assert_ptr_nonnull(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

/* Connections whose answer takes longer. */
static size_t
waiting(void)
{
	size_t count = 0;

	for (const struct rt_conn *conn = server->conns; conn != NULL;
		conn = conn->next)
		count += conn->state == RT_STATE_WAIT;
	return count;
}

/* A client whose request for the long listing is being worked on. */
static int
connect_to_many(void)
{
	size_t before = waiting();
	int fd = connect_client();

	ck_assert(client_send_text(fd, LIST_MANY));
	TURN_UNTIL(waiting() == before + 1);
	ck_assert(!has_come(fd));
	return fd;
}

static void
expect_listing(int fd, int count)
{
	struct bytes got = {.data = NULL};
	int code = converse(fd, "", 0, &got, SIZE_MAX);

	ck_assert_msg(code == 0, "%s after %zu bytes", strerror(code),
		got.size);
	assert_listing(&got, count);
	bytes_free(&got);
	(void)close(fd);
}

static void
open_listed(int i)
{
	open_recorded((struct retort_options){.port = 0}, i);
	ck_assert_int_eq(serve(listed), 0);
}

/* While one client's listing is made, many replies go to another. */
START_TEST(a_listing_leaves_turns_to_others)
{
	int fd, replies = 0, steps = 0;

	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	fd = connect_to_many();
	while (!has_come(fd)) {
		expect_body(GET_SMALL, "small");
		replies += !has_come(fd);
	}
	ck_assert_msg(replies >= MANY / 1500,
		"only %d replies came before the listing", replies);
	expect_listing(fd, MANY);
	/* nor does a step make more than a part of it */
	fd = connect_to_many();
	for (; !has_come(fd); steps++)
		ck_assert_int_eq(step(RT_TEST_PATIENCE * 1000), 0);
	ck_assert_msg(steps >= MANY / 300, "it took %d steps only", steps);
	expect_listing(fd, MANY);
	close_server();
}
END_TEST

START_TEST(listings_side_by_side)
{
	struct bytes got;
	int fds[5];

	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = connect_to_many();
	/* who came later but wants less is not kept waiting */
	for (int i = 0; i < 3; i++) {
		got = exchange(LIST_FEW);
		assert_listing(&got, 3);
		bytes_free(&got);
	}
	for (size_t i = 0; i < COUNT(fds); i++)
		ck_assert(!has_come(fds[i]));
	for (size_t i = 0; i < COUNT(fds); i++)
		expect_listing(fds[i], MANY);
	close_server();
}
END_TEST

/* More than the back end takes in one turn: they keep nobody out. */
START_TEST(listings_in_a_crowd)
{
	enum { CROWD = 2 * RT_READY_MAX };
	int fds[CROWD], came = 0;

	need_descriptors(3 * CROWD);
	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	for (int i = 0; i < CROWD; i++) {
		fds[i] = connect_client();
		ck_assert(client_send_text(fds[i], LIST_MANY));
	}
	for (int i = 0; i < 3; i++)
		expect_body(GET_SMALL, "small");
	for (int i = 0; i < CROWD; i++) {
		came += has_come(fds[i]);
		client_reset(fds[i]);
	}
	ck_assert_msg(came == 0,
		"%d of %d listings came before a small file did", came, CROWD);
	TURN_UNTIL(server->open == 0);
	close_server();
}
END_TEST

/* A FIN is no wish to stop: before the request is read, and after. */
START_TEST(a_listing_for_one_that_half_closed)
{
	int fd;

	open_listed(_i);
	fd = connect_client();
	ck_assert(client_send_text(fd, LIST_MANY));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_listing(fd, MANY);
	(void)the_end(RETORT_ANSWERED, 200);
	event_count = 0;
	fd = connect_to_many();
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	settle();
	ck_assert_uint_eq(ends(), 0);
	expect_listing(fd, MANY);
	(void)the_end(RETORT_ANSWERED, 200);
	close_server();
}
END_TEST

/* Nothing is kept of a listing whose client is gone, and it ends early. */
START_TEST(a_listing_for_one_that_resets)
{
	int fd, descriptors;
	long long before = 0;

	open_listed(_i);
	/* the first rounds warm up */
	for (int i = 0; i < 5; i++) {
		descriptors = open_descriptors();
		event_count = 0;
		fd = connect_to_many();
		for (int k = 0; k < MANY / 1000 * i; k++)
			(void)step(10);
		ck_assert(!has_come(fd));
		client_reset(fd);
		ck_assert_uint_eq(the_end(RETORT_RESET, 0)->sent, 0);
		ck_assert_int_eq(open_descriptors(), descriptors);
		if (i <= 1)
			before = live;
		ck_assert_msg(live == before, "%lld bytes became %lld", before,
			(long long)live);
		expect_body(GET_SMALL, "small");
		TURN_UNTIL(server->open == 0);
	}
	close_server();
}
END_TEST

/* One that leaves without a reset is found out when it is answered. */
START_TEST(a_listing_for_one_that_left)
{
	int descriptors, fd;

	open_listed(_i);
	descriptors = open_descriptors();
	fd = connect_to_many();
	(void)close(fd);
	(void)the_end(RETORT_RESET, 200);
	ck_assert_int_eq(open_descriptors(), descriptors);
	expect_body(GET_SMALL, "small");
	close_server();
}
END_TEST

START_TEST(a_listing_is_finished_in_the_grace)
{
	int fd;

	open_listed(_i);
	fd = connect_to_many();
	stop(RT_TEST_PATIENCE * 1000);
	ck_assert_int_eq(step(0), 0);
	expect_refused(retort_url(server, 0));
	expect_listing(fd, MANY);
	TURN_UNTIL(step(0) == 1);
	(void)the_end(RETORT_ANSWERED, 200);
	close_server();
}
END_TEST

START_TEST(a_listing_ends_with_the_grace)
{
	int descriptors, fd;

	open_listed(_i);
	descriptors = open_descriptors();
	fd = connect_to_many();
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	(void)the_end(RETORT_STOPPED, 0);
	ck_assert_int_eq(end_of(fd), 0);
	(void)close(fd);
	/* the listener is gone too, and what holds its port */
	ck_assert_int_eq(open_descriptors(), descriptors - 2);
	close_server();
	/* and by retort_close() */
	open_listed(_i);
	fd = connect_to_many();
	close_server();
	ck_assert_uint_eq(ends(), 1);
	ck_assert_int_eq(events[event_count - 1].exchange.end, RETORT_STOPPED);
	(void)close(fd);
}
END_TEST

/* The last reply ends what is still being made. */
START_TEST(the_last_request_ends_a_listing)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.unrecorded = true, .requests = 1},
		_i);
	ck_assert_int_eq(serve(listed), 0);
	fd = connect_to_many();
	expect_body(GET_SMALL, "small");
	TURN_UNTIL(step(0) == 1);
	expect_refused(retort_url(server, 0));
	(void)client_receive(fd, &got);
	assert_bytes(got.data, got.size, "", 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* What is served is replaced in the middle of a listing. */
START_TEST(a_listing_outlives_its_replacement)
{
	const struct retort_files other = {.unlisted = true,
		.precompressed = true,
		.fields = "X-New: 1"};
	struct bytes got = {.data = NULL};
	char *folder = dir_make();
	int fd, descriptors;

	dir_write(folder, "small", "other", 5);
	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	/* by other files, one of which is missing */
	fd = connect_to_many();
	ck_assert_int_eq(serve("/nowhere/at/all"), -ENOENT);
	expect_body(GET_SMALL, "small");
	ck_assert_int_eq(serve_as(folder, &other), 0);
	expect_body(GET_SMALL, "other");
	expect_begin(LIST_MANY, "HTTP/1.1 404 ");
	expect_listing(fd, MANY);
	/* by a reply to everything: that is the answer now */
	ck_assert_int_eq(serve(listed), 0);
	TURN_UNTIL(server->open == 0);
	descriptors = open_descriptors();
	fd = connect_to_many();
	answer_text("hello");
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, OK);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	(void)close(fd);
	/* neither the root nor the folder is open any more */
	TURN_UNTIL(server->open == 0);
	ck_assert_int_eq(open_descriptors(), descriptors - 1);
	close_server();
	dir_remove(folder);
}
END_TEST

/* The folder is listed as it was opened, whatever becomes of its name. */
START_TEST(a_listing_outlives_its_name)
{
	char before[280], after[280];
	int fd;

	(void)snprintf(before, sizeof before, "%s/many", listed);
	(void)snprintf(after, sizeof after, "%s/moved", listed);
	open_listed(_i);
	fd = connect_to_many();
	ck_assert_int_eq(rename(before, after), 0);
	expect_begin(LIST_MANY, "HTTP/1.1 404 ");
	expect_listing(fd, MANY);
	ck_assert_int_eq(rename(after, before), 0);
	close_server();
}
END_TEST

/* A caller with a poll(2) loop of its own is told not to sleep. */
START_TEST(a_listing_in_a_poll_loop)
{
	int fd, timeout;

	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	fd = connect_to_many();
	timeout = poll_timeout();
	ck_assert_int_eq(timeout, 0);
	expect_listing(fd, MANY);
	close_server();
}
END_TEST

/* --- waking and polling --- */

START_TEST(a_step_waits_and_not_longer)
{
	int64_t begun = now_ms(), used;

	open_unrecorded(_i);
	used = processor_ms();
	ck_assert_int_eq(step(200), 0);
	ck_assert_int_ge(now_ms() - begun, 200);
	ck_assert_int_lt(processor_ms() - used, 100);
	ck_assert_int_eq(step(0), 0);
	close_server();
}
END_TEST

static void *
wake_it(void *arg)
{
	retort_wake(arg);
	return NULL;
}

START_TEST(wakes_from_a_thread)
{
	pthread_t thread;

	open_unrecorded(_i);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, wake_it, server),
			0);
		/* for ever, were it not woken */
		ck_assert_int_eq(step(-1), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
	close_server();
}
END_TEST

static void
wake_on_signal(int number)
{
	(void)number;
	retort_wake(server);
}

START_TEST(wakes_from_a_handler)
{
	struct sigaction action = {.sa_handler = wake_on_signal};

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	open_unrecorded(_i);
	for (int i = 0; i < 10; i++) {
		errno = 77;
		ck_assert_int_eq(raise(SIGUSR1), 0);
		ck_assert_int_eq(errno, 77);
		ck_assert_int_eq(step(-1), 0);
	}
	(void)signal(SIGUSR1, SIG_DFL);
	close_server();
}
END_TEST

START_TEST(wakes_once_for_many)
{
	int64_t begun;

	open_unrecorded(_i);
	answer_text("hello");
	for (int i = 0; i < 100000; i++) {
		errno = 77;
		retort_wake(server);
		ck_assert_int_eq(errno, 77);
	}
	ck_assert_int_eq(step(-1), 0);
	/* all are taken by one step: the next one waits */
	begun = now_ms();
	ck_assert_int_eq(step(50), 0);
	ck_assert_int_ge(now_ms() - begun, 50);
	expect_body(GET, "hello");
	retort_wake(server);
	ck_assert_int_eq(step(-1), 0);
	close_server();
}
END_TEST

START_TEST(has_a_descriptor_to_poll)
{
	struct pollfd polled = {.events = POLLIN};
	int fd, timeout;

	open_stepped((struct retort_options){.head_timeout = 60000}, _i);
	answer_text("hello");
	polled.fd = retort_fd(server);
	ck_assert_int_eq(poll_timeout(), -1);
	if (_i == 1) {
		ck_assert_int_eq(polled.fd, -ENOTSUP);
		close_server();
		return;
	}
	ck_assert_int_ge(polled.fd, 0);
	ck_assert_int_ne(fcntl(polled.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	retort_wake(server);
	ck_assert_int_eq(poll(&polled, 1, 0), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	fd = connect_client();
	ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	ck_assert_int_eq(retort_fd(server), polled.fd);
	timeout = poll_timeout();
	ck_assert_int_gt(timeout, 0);
	ck_assert_int_le(timeout, 60000);
	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(client_wait(fd, RT_TEST_PATIENCE * 1000), 0);
	(void)close(fd);
	close_server();
}
END_TEST

/* A caller with a poll(2) loop of its own needs nothing else. */
START_TEST(lives_in_a_poll_loop)
{
	struct pollfd polled[8];
	int64_t begun = now_ms();
	struct bytes got = {.data = NULL};
	int fd, timeout, steps = 0;
	size_t count;

	open_stepped((struct retort_options){.head_timeout = 80}, _i);
	fd = connect_client();
	ck_assert(client_send_text(fd, "GET"));
	for (polled[0].revents = 0; polled[0].revents == 0;) {
		polled[0] = (struct pollfd){.fd = fd, .events = POLLIN};
		count = retort_pollfds(server, polled + 1, COUNT(polled) - 1,
			&timeout);
		ck_assert_uint_lt(count, COUNT(polled));
		ck_assert_int_ge(poll(polled, (nfds_t)count + 1, timeout), 0);
		ck_assert_int_eq(step(0), 0);
		ck_assert_int_lt(++steps, 50);
	}
	ck_assert_int_ge(now_ms() - begun, 80);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, "HTTP/1.1 408 ");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- memory --- */

START_TEST(opens_and_closes_without_growth)
{
	for (int i = 0; i < 5000; i++) {
		open_unrecorded(_i);
		close_server();
	}
}
END_TEST

START_TEST(allocates_nothing_per_request)
{
	static const char *const requests[] = {GET,
		"GET /none HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n",
		"GET /sub?q HTTP/1.0\r\n\r\n", "GET /large HTTP/1.0\r\n\r\n",
		"GET /sub/ HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
		"OPTIONS * HTTP/1.0\r\n\r\n", "nonsense\r\n\r\n",
		("GET /?a=b HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n"
		 "D: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI: 9\r\n\r\n")};
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got;

	big = calloc(1, 1u << 20);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", "small", 5);
	dir_write(folder, "sub/index.html", big, 60000);
	dir_write(folder, "large", big, 1u << 20);
	open_stepped(options, _i);
	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			ck_assert_int_eq(serve(folder), 0);
		else if (kind == 1)
			answer_text("hello");
		else
			ck_assert_int_eq(answer_with((struct retort_reply){
						 .echo = true}),
				0);
		for (int round = 0; round < 6; round++) {
			/* once to get warm; nothing afterwards */
			if (round == 1)
				allocations = 0;
			for (size_t i = 0; i < COUNT(requests); i++) {
				got = exchange(requests[i]);
				assert_begins(got, "HTTP/1.1 ");
				bytes_free(&got);
				/* two at a time need more than one */
				ck_assert(retort_wait_quiet(server, PATIENCE));
				ck_assert_msg(round == 0 || allocations == 0,
					"%zu allocations in way %d for: %s",
					(size_t)allocations, kind,
					shown(requests[i],
						strlen(requests[i])));
			}
		}
	}
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

/* Replacing the reply again and again does not pile up the old ones. */
START_TEST(replies_are_replaced_without_growth)
{
	long long before;

	open_unrecorded(_i);
	answer_text("hello");
	expect_body(GET, "hello");
	before = live;
	for (int i = 0; i < 1000; i++)
		answer_text("hello");
	ck_assert_msg(live < before + 10000, "%lld bytes became %lld", before,
		(long long)live);
	expect_body(GET, "hello");
	close_server();
}
END_TEST

START_TEST(an_idle_connection_costs_little)
{
	enum { CLIENTS = 1000 };
	static int fds[CLIENTS];
	long long before;
	size_t each;

	need_descriptors(2 * CLIENTS + 100);
	open_unrecorded(_i);
	answer_text("hello");
	expect_body(GET, "hello");
	before = live;
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = connect_client();
		if (i % 100 == 99)
			TURN_UNTIL(server->open == (size_t)i + 1);
	}
	TURN_UNTIL(server->open == CLIENTS);
	settle();
	each = (size_t)(live - before) / CLIENTS;
	/* all but the spare ones were allocated and counted */
	ck_assert_uint_ge(each, sizeof(struct rt_conn) * 9 / 10);
	ck_assert_msg(each < 512,
		"an idle connection takes %zu bytes, of which %zu are its own",
		each, sizeof(struct rt_conn));
	/* they are in nobody's way */
	expect_body(GET, "hello");
	for (int i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
	TURN_UNTIL(server->open == 0);
	close_server();
}
END_TEST

/* --- faults --- */

/* No descriptor can be opened any more. */
static struct rlimit
exhaust_descriptors(void)
{
	struct rlimit limit, none;
	int fd = dup(STDERR_FILENO);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	return limit;
}

START_TEST(no_descriptor_to_accept)
{
	enum { CLIENTS = 10 };
	struct bytes got = {.data = NULL};
	struct rlimit limit;
	int64_t used, until;
	int fds[CLIENTS], idle;

	/* it accepts, and then closes, what the limit does not allow */
	if (under_valgrind())
		skip_test("valgrind keeps descriptors of its own");
	open_unrecorded(_i);
	answer_text("hello");
	idle = connect_client();
	settle();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = connect_client();
		ck_assert(client_send_text(fds[i], GET));
	}
	limit = exhaust_descriptors();
	/* it neither spins nor ends */
	used = processor_ms();
	until = now_ms() + 500;
	while (now_ms() < until)
		ck_assert_int_eq(step(500), 0);
	ck_assert_int_lt(processor_ms() - used, 250);
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(client_wait(fds[i], 0), -1);
	/* goes on by itself */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(converse(fds[i], "", 0, &got, SIZE_MAX), 0);
		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		(void)close(fds[i]);
	}
	(void)close(idle);
	close_server();
}
END_TEST

/* With a low limit, those that leave make room for those that wait. */
START_TEST(few_descriptors)
{
	enum { CLIENTS = 40 };
	struct bytes got = {.data = NULL};
	struct rlimit limit, low;
	int fds[CLIENTS], fd;
	int64_t used, until;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 72;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	open_unrecorded(_i);
	answer_text("hello");
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = connect_client();
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	used = processor_ms();
	until = now_ms() + 500;
	while (now_ms() < until)
		ck_assert_int_eq(step(500), 0);
	ck_assert_int_lt(processor_ms() - used, 250);
	ck_assert_uint_lt(server->open, CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	(void)close(fd);
	close_server();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

static bool
can_connect(const char *url)
{
	int fd = client_try(url, SOCK_STREAM);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* When the time for which it refuses is over, it cannot listen yet. */
START_TEST(no_descriptor_to_listen)
{
	struct rlimit limit;
	int64_t used, until;

	if (under_valgrind())
		skip_test("valgrind keeps descriptors of its own");
	open_stepped((struct retort_options){.port = 0}, _i);
	ck_assert_int_eq(answer_with((struct retort_reply){.body = "hello",
				 .faults = "refuse 60000"}),
		0);
	expect_body(GET, "hello");
	TURN_UNTIL(server->open == 0);
	expect_refused(retort_url(server, 0));
	limit = exhaust_descriptors();
	/* a minute later */
	server->refuse_until = 0;
	used = processor_ms();
	until = now_ms() + 300;
	while (now_ms() < until)
		ck_assert_int_eq(step(300), 0);
	ck_assert_int_lt(processor_ms() - used, 150);
	ck_assert(server->listeners[0].refusing);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	TURN_UNTIL(can_connect(retort_url(server, 0)));
	answer_text("once more");
	expect_body(GET, "once more");
	close_server();
}
END_TEST

static int
cannot_arm(struct rt_io *io, struct rt_chan *chan, unsigned wanted)
{
	(void)io;
	(void)chan;
	(void)wanted;
	return -ENOMEM;
}

static int
refuse(bool yes)
{
	int code;

	inside++;
	code = retort_refuse(server, yes);
	inside--;
	return code;
}

/* One that cannot listen again goes on refusing, and keeps none from it. */
START_TEST(each_listens_again_that_can)
{
	static const char *const bind[] = {"127.0.0.1", "127.0.0.1:0", NULL};
	const struct rt_back_end *back_end;
	struct rt_back_end broken;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), holder;

	open_stepped((struct retort_options){.bind = bind}, _i);
	answer_text("hello");
	ck_assert_int_eq(refuse(true), 0);
	holder = server->listeners[0].sock.holder;
	server->listeners[0].sock.holder = file;
	ck_assert_int_eq(refuse(false), -ENOTSOCK);
	server->listeners[0].sock.holder = holder;
	expect_refused(retort_url(server, 0));
	ck_assert(can_connect(retort_url(server, 1)));
	/* nor does it accept what the loop does not know */
	back_end = server->io->back_end;
	broken = *back_end;
	broken.arm = cannot_arm;
	server->io->back_end = &broken;
	ck_assert_int_eq(refuse(false), -ENOMEM);
	server->io->back_end = back_end;
	expect_refused(retort_url(server, 0));
	ck_assert_int_eq(refuse(false), 0);
	expect_body(GET, "hello");
	(void)close(file);
	close_server();
}
END_TEST

START_TEST(no_descriptor_for_a_file)
{
	char *folder = dir_make();
	struct bytes got = {.data = NULL};
	struct rlimit limit;
	int fd;

	dir_write(folder, "index.html", "hello", 5);
	open_unrecorded(_i);
	ck_assert_int_eq(serve(folder), 0);
	fd = connect_client();
	TURN_UNTIL(server->open == 1);
	limit = exhaust_descriptors();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, SIZE_MAX), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_begins(got, "HTTP/1.1 503 Service Unavailable\r\n");
	bytes_free(&got);
	(void)close(fd);
	expect_body(GET, "hello");
	close_server();
	dir_remove(folder);
}
END_TEST

/* A client's request that may be answered, refused or cut, but not hang. */
static void
exchange_anyhow(const char *request)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();

	(void)converse(fd, request, strlen(request), &got, SIZE_MAX);
	bytes_free(&got);
	(void)close(fd);
}

/*
 * Open, requests, close, of which one allocation fails, or all from that one
 * on. False once there were not as many.
 */
static bool
cycle_without_memory(int i, const char *folder, size_t n, bool ever_after)
{
	static const char *const hosts[] = {"x", "y", NULL};
	static const char *const bind[] = {"127.0.0.1", "127.0.0.1:0", NULL};
	struct retort_options options = {.hosts = hosts, .bind = bind};
	bool reached;

	allocations = 0;
	fail_at = n;
	fail_ever_after = ever_after;
	if (try_open_with(options, STEPPED + i % 2) == NULL) {
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_ptr_nonnull(strstr(error, "Cannot allocate memory"));
		ck_assert_int_eq(live, 0);
		fail_at = 0;
		return true;
	}
	if (serve(folder) != 0)
		ck_assert_ptr_nonnull(strstr(error, "Cannot allocate memory"));
	exchange_anyhow(GET);
	exchange_anyhow("GET /sub?q HTTP/1.1\r\nHost: x\r\n\r\n");
	exchange_anyhow("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	if (answer_with(
		    (struct retort_reply){.echo = true, .fields = "A: b"}) != 0)
		ck_assert_ptr_nonnull(strstr(error, "Cannot allocate memory"));
	exchange_anyhow(
		"POST / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n"
		"C: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI: 9\r\n"
		"Content-Length: 3\r\n\r\nabc");
	reached = allocations >= n;
	/* when there is memory again, everything is as it should be */
	fail_at = 0;
	ck_assert_int_eq(serve(folder), 0);
	expect_body(GET, "small");
	answer_text("hello");
	expect_body(GET, "hello");
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	close_server();
	return reached;
}

START_TEST(lives_without_memory)
{
	char *folder = dir_make();
	size_t n;

	big = calloc(1, 200000);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", "small", 5);
	dir_write(folder, "sub/a", "small", 5);
	dir_write(folder, "large", big, 200000);
	free(big);
	for (n = 1; cycle_without_memory(_i, folder, n, _i / 2 != 0); n++)
		ck_assert_uint_lt(n, 1000);
	/* the failures were real */
	ck_assert_uint_gt(n, 20);
	dir_remove(folder);
}
END_TEST

/*
 * What a site can do, each with the whole of its reply when nothing fails
 * (Date and boundary blotted out).
 */
static struct whole {
	const char *request;
	const char *begin;
	const char *has;
	size_t instead; /* may stand for it: the one so many places before */
	struct bytes reply;
} wholes[] = {
	{"GET /text HTTP/1.0\r\n\r\n", OK, "\r\n\r\n0123456789", 0, {NULL, 0}},
	{"GET /text HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n", OK,
		"\r\n\r\nzipped", 1, {NULL, 0}},
	{"GET /text HTTP/1.0\r\nRange: bytes=0-0,3-4,-1\r\n\r\n",
		"HTTP/1.1 206 ", "\r\n\r\n34\r\n--retort-", 0, {NULL, 0}},
	{"GET /large HTTP/1.0\r\nRange: bytes=1-100000,150000-\r\n\r\n",
		"HTTP/1.1 206 ", "bytes 150000-199999/200000\r\n\r\naaa", 0,
		{NULL, 0}},
	{"GET /text HTTP/1.0\r\nRange: bytes=10-\r\n\r\n", "HTTP/1.1 416 ",
		"\r\nContent-Range: bytes */10\r\n", 0, {NULL, 0}},
	{"GET /text HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", "HTTP/1.1 304 ",
		"\r\nCache-Control: max-age=60\r\n", 0, {NULL, 0}},
	{"GET /none HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", "\r\n\r\nmissing", 0,
		{NULL, 0}},
	{"GET /none HTTP/1.0\r\nAccept: text/html\r\n\r\n", OK, "\r\n\r\napp",
		0, {NULL, 0}},
	{"GET /folder HTTP/1.0\r\n\r\n", "HTTP/1.1 301 ", "/folder/", 0,
		{NULL, 0}},
	{"GET /folder/ HTTP/1.0\r\n\r\n", OK, "<a href=\"link\">link</a>", 0,
		{NULL, 0}},
	{"POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", OK,
		"\r\n\r\nPOST /echo ", 0, {NULL, 0}},
};

static char *
make_site(void)
{
	char *folder = dir_make();
	char name[300];

	big = malloc(200000);
	ck_assert_ptr_nonnull(big);
	memset(big, 'a', 200000);
	dir_write(folder, "large", big, 200000);
	dir_write(folder, "text", "0123456789", 10);
	dir_write(folder, "text.gz", "zipped", 6);
	dir_write(folder, "404.html", "missing", 7);
	dir_write(folder, "app/index.html", "app", 3);
	/* names that make every buffer of a listing grow more than once */
	for (int i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof name, "folder/%03d%.*s", i, 200,
			big);
		dir_write(folder, name, "", 0);
	}
	free(big);
	(void)snprintf(name, sizeof name, "%s/folder/link", folder);
	ck_assert_int_eq(symlink("../text", name), 0);
	return folder;
}

static int
serve_site(const char *folder)
{
	static const struct retort_type type = {"ext", "a/b"};

	const struct retort_files files = {.fields = "A: b",
		.types = &type,
		.type_count = 1,
		.precompressed = true,
		.spa = "app/index.html",
		.max_age = 60};
	int code;

	inside++;
	retort_reset(server);
	code = retort_on(server, "/echo", .echo = true);
	inside--;
	return code < 0 ? code : serve_as(folder, &files);
}

/* Blots out what differs from one reply to the next. */
static void
blot(struct bytes *reply)
{
	char *at = strstr(reply->data, "\r\nDate: ");

	if (at != NULL)
		for (at += 8; *at != '\0' && *at != '\r'; at++)
			*at = '#';
	for (at = reply->data; (at = strstr(at, "retort-")) != NULL;)
		for (at += 7; *at != '\0' && strchr("\"\r-", *at) == NULL; at++)
			*at = '#';
}

static void
learn_replies(void)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct whole *whole = wholes + i;

		whole->reply = exchange(whole->request);
		blot(&whole->reply);
		assert_begins(whole->reply, whole->begin);
		assert_has(whole->reply, whole->has);
	}
}

static void
forget_replies(void)
{
	for (size_t i = 0; i < COUNT(wholes); i++)
		bytes_free(&wholes[i].reply);
}

static bool
same_bytes(const struct bytes *a, const struct bytes *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/*
 * What was got without memory or descriptors is the right reply, or the other
 * right one, or a 503, or (if `cut`) the beginning of the right one: never a
 * reply that looks right and is not. Whether it was the right one.
 */
static bool
check_reply(size_t i, struct bytes *got, bool cut)
{
	const struct whole *whole = wholes + i;

	bytes_add(got, "", 0);
	blot(got);
	if (same_bytes(got, &whole->reply))
		return true;
	ck_assert_msg(same_bytes(got,
			      &whole[-(ptrdiff_t)whole->instead].reply) ||
			strncmp(got->data, "HTTP/1.1 503 ", 13) == 0 ||
			(cut && got->size < whole->reply.size &&
				memcmp(got->data, whole->reply.data,
					got->size) == 0),
		"to %s came: %s", shown(whole->request, strlen(whole->request)),
		shown(got->data, got->size));
	return false;
}

static void
expect_replies(void)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct bytes got = exchange(wholes[i].request);

		ck_assert_msg(check_reply(i, &got, false), "not the same: %s",
			shown(got.data, got.size));
		bytes_free(&got);
	}
}

/* As cycle_without_memory(), for what a site can do. */
static bool
site_without_memory(int end, const char *folder, size_t n, bool ever_after)
{
	bool reached;

	open_unrecorded(end);
	allocations = 0;
	fail_at = n;
	fail_ever_after = ever_after;
	if (serve_site(folder) != 0) {
		fail_at = 0;
		ck_assert_int_eq(serve_site(folder), 0);
		fail_at = allocations + 1;
	}
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct bytes got = {.data = NULL};
		int fd = connect_client();

		(void)converse(fd, wholes[i].request, strlen(wholes[i].request),
			&got, SIZE_MAX);
		(void)check_reply(i, &got, true);
		bytes_free(&got);
		(void)close(fd);
	}
	reached = allocations >= n;
	fail_at = 0;
	expect_replies();
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	close_server();
	return reached;
}

START_TEST(a_site_lives_without_memory)
{
	char *folder = make_site();
	size_t n;

	open_unrecorded(_i);
	ck_assert_int_eq(serve_site(folder), 0);
	learn_replies();
	close_server();
	for (n = 1; site_without_memory(_i, folder, n, _i / 2 != 0); n++)
		ck_assert_uint_lt(n, 1000);
	ck_assert_uint_gt(n, 40);
	forget_replies();
	dir_remove(folder);
}
END_TEST

/* So many descriptors can be opened, and no more. */
static void
allow_more(rlim_t count, const struct rlimit *limit)
{
	struct rlimit few = *limit;
	int fd = dup(STDERR_FILENO);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	few.rlim_cur = (rlim_t)fd + count;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

START_TEST(a_site_lives_without_descriptors)
{
	enum { ENOUGH = 6 };
	char *folder = make_site();
	struct rlimit limit;
	size_t right[ENOUGH + 1] = {0};

	if (under_valgrind()) {
		dir_remove(folder);
		skip_test("valgrind keeps descriptors of its own");
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	open_unrecorded(_i);
	ck_assert_int_eq(serve_site(folder), 0);
	learn_replies();
	for (rlim_t count = 0; count <= ENOUGH; count++)
		for (size_t i = 0; i < COUNT(wholes); i++) {
			struct bytes got = {.data = NULL};
			int fd;

			TURN_UNTIL(server->open == 0);
			fd = connect_client();
			TURN_UNTIL(server->open == 1);
			allow_more(count, &limit);
			ck_assert_int_eq(converse(fd, wholes[i].request,
						 strlen(wholes[i].request),
						 &got, SIZE_MAX),
				0);
			ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
			right[count] += check_reply(i, &got, false);
			bytes_free(&got);
			(void)close(fd);
		}
	/* the failures were real: without one, there is the echo alone */
	ck_assert_uint_eq(right[0], 1);
	ck_assert_uint_eq(right[ENOUGH], COUNT(wholes));
	expect_replies();
	close_server();
	forget_replies();
	dir_remove(folder);
}
END_TEST

/* Whoever leaves in the middle of a reply, no signal is raised. */
START_TEST(raises_no_signal)
{
	char *folder = dir_make();

	(void)signal(SIGPIPE, SIG_DFL);
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	dir_write(folder, "index.html", big, BIG);
	for (int i = 0; i < 4; i++) {
		struct bytes got = {.data = NULL};
		int fd;

		if (i == 2)
			ck_assert_int_eq(serve(folder), 0);
		event_count = 0;
		fd = connect_client();
		ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
		bytes_free(&got);
		if (i % 2 == 0)
			client_reset(fd);
		else
			(void)close(fd);
		(void)the_end(RETORT_RESET, 200);
	}
	retort_wake(server);
	close_server();
	free(big);
	dir_remove(folder);
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* --- plain sockets --- */

#define MEBIBYTE (1u << 20)

static void
open_protocol(enum retort_protocol protocol, struct retort_options options,
	int i)
{
	options.protocol = protocol;
	open_recorded(options, i);
}

static void
echo_all(void)
{
	ck_assert_int_eq(answer_with((struct retort_reply){.echo = true}), 0);
}

static char *
make_mebibyte(void)
{
	char *text = malloc(MEBIBYTE);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < MEBIBYTE; i++)
		text[i] = (char)(i * 31 + i / 977);
	return text;
}

/* Sent in pieces of odd sizes, while what comes back is read in others. */
START_TEST(echoes_a_mebibyte)
{
	static const size_t sizes[] = {1, 7, 4093, 65537, 131071, 251};
	char *text = make_mebibyte(), data[3001];
	struct bytes got = {.data = NULL};
	size_t sent = 0, turns = 0;
	int64_t until = now_ms() + RT_TEST_PATIENCE * 1000;
	bool finished = false;
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	/* each piece is an event of its own: too many to keep */
	server->event = NULL;
	echo_all();
	fd = connect_plain(SOCK_STREAM);
	for (;;) {
		size_t size = sizes[turns++ % COUNT(sizes)];
		ssize_t n;

		size = size < MEBIBYTE - sent ? size : MEBIBYTE - sent;
		n = size == 0 ? 0 :
				send(fd, text + sent, size,
					MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		if (sent == MEBIBYTE && !finished) {
			finished = true;
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		}
		n = recv(fd, data, sizeof data - turns % 17, MSG_DONTWAIT);
		if (n == 0)
			break;
		ck_assert_msg(n > 0 || errno == EAGAIN, "after %zu: %s",
			got.size, strerror(errno));
		if (n > 0)
			bytes_add(&got, data, (size_t)n);
		ck_assert_msg(now_ms() < until, "%zu sent, %zu came back", sent,
			got.size);
		(void)step(0);
	}
	ck_assert(finished);
	assert_bytes(got.data, got.size, text, MEBIBYTE);
	TURN_UNTIL(retort_connections(server) == 0);
	(void)close(fd);
	bytes_free(&got);
	free(text);
	close_server();
}
END_TEST

/* One that only sends: what is held for it has its bound. */
START_TEST(reads_no_more_than_it_writes)
{
	static char block[64 << 10];
	long long before;
	size_t sent = 0;
	struct bytes got = {.data = NULL};
	int quiet = 0, fd;
	ssize_t n;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	server->event = NULL;
	echo_all();
	fd = connect_plain(SOCK_STREAM);
	before = live;
	while (quiet < 20) {
		n = send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
		quiet = n > 0 ? 0 : quiet + 1;
		if (n > 0)
			sent += (size_t)n;
		ck_assert_uint_lt(sent, 1u << 30);
		(void)step(1);
	}
	ck_assert_msg(live >= before && live - before < 256 << 10,
		"%lld bytes are held", live - before);
	/* and nothing of it was lost */
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_eq(got.size, sent);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

#define CROWD 100

START_TEST(echoes_to_many_at_once)
{
	int fds[CROWD];

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	server->event = NULL;
	echo_all();
	for (int i = 0; i < CROWD; i++)
		fds[i] = connect_plain(SOCK_STREAM);
	TURN_UNTIL(retort_connections(server) == CROWD);
	for (int round = 0; round < 3; round++) {
		/* the last that came first */
		for (int i = CROWD - 1; i >= 0; i--) {
			char text[64];

			(void)snprintf(text, sizeof text, "client %d, %d\n", i,
				round);
			ck_assert(client_send_text(fds[i], text));
		}
		for (int i = 0; i < CROWD; i++) {
			struct bytes got = {.data = NULL};
			char text[64];

			(void)snprintf(text, sizeof text, "client %d, %d\n", i,
				round);
			ck_assert_int_eq(converse(fds[i], "", 0, &got,
						 strlen(text)),
				0);
			assert_bytes(got.data, got.size, text, strlen(text));
			bytes_free(&got);
		}
	}
	for (int i = 0; i < CROWD; i++)
		(void)close(fds[i]);
	TURN_UNTIL(retort_connections(server) == 0);
	ck_assert_uint_eq(retort_accepted(server), CROWD);
	ck_assert_uint_eq(retort_replies(server), CROWD);
	close_server();
}
END_TEST

START_TEST(tells_of_pieces)
{
	struct bytes got = {.data = NULL};
	const struct retort_exchange *end;
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	ck_assert_int_eq(answer_with((struct retort_reply){.body = "OK"}), 0);
	fd = connect_plain(SOCK_STREAM);
	ck_assert_int_eq(converse(fd, "one", 3, &got, 2), 0);
	ck_assert_int_eq(converse(fd, "second", 6, &got, 4), 0);
	assert_bytes(got.data, got.size, "OKOK", 4);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(end_of(fd), 0);
	end = the_end(RETORT_ANSWERED, 0);
	ck_assert_uint_eq(event_count, 3);
	ck_assert_int_eq(events[0].event, RETORT_ON_PIECE);
	assert_bytes(events[0].bytes, events[0].size, "one", 3);
	ck_assert_uint_eq(events[0].exchange.piece, 1);
	ck_assert_int_eq(events[1].event, RETORT_ON_PIECE);
	assert_bytes(events[1].bytes, events[1].size, "second", 6);
	ck_assert_uint_eq(events[1].exchange.piece, 2);
	ck_assert_int_eq(events[1].exchange.protocol, RETORT_TCP);
	ck_assert_uint_eq(end->piece, 2);
	ck_assert_uint_eq(end->received, 9);
	ck_assert_uint_eq(end->sent, 4);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(closes_the_silent)
{
	struct bytes got = {.data = NULL};
	int64_t began;
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.idle_timeout = 200},
		_i);
	echo_all();
	fd = connect_plain(SOCK_STREAM);
	/* it is silent from some time after this on */
	began = now_ms();
	ck_assert_int_eq(converse(fd, "x", 1, &got, 1), 0);
	ck_assert_int_eq(end_of(fd), 0);
	ck_assert_int_ge(now_ms() - began, 199);
	(void)the_end(RETORT_TIMED_OUT, 0);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

/* A connection counts when it ends, if a piece came on it. */
START_TEST(stops_after_so_many_connections)
{
	struct bytes got = {.data = NULL};
	int fds[3];

	open_protocol(RETORT_TCP, (struct retort_options){.requests = 2}, _i);
	echo_all();
	for (int i = 0; i < 3; i++)
		fds[i] = connect_plain(SOCK_STREAM);
	TURN_UNTIL(retort_connections(server) == 3);
	/* silent ones do not */
	(void)close(fds[0]);
	TURN_UNTIL(retort_connections(server) == 2);
	ck_assert_uint_eq(retort_replies(server), 0);
	for (int i = 1; i < 3; i++) {
		/* nor pieces */
		for (size_t k = 1; k <= 4; k++)
			ck_assert_int_eq(converse(fds[i], "x", 1, &got, k), 0);
		ck_assert_uint_eq(retort_replies(server), (uint64_t)i - 1);
		ck_assert_int_eq(step(0), 0);
		bytes_free(&got);
		got = (struct bytes){.data = NULL};
		(void)close(fds[i]);
		TURN_UNTIL(retort_replies(server) == (uint64_t)i);
	}
	TURN_UNTIL(step(0) == 1);
	close_server();
}
END_TEST

START_TEST(greets)
{
	const struct retort_reply greeting = {.accepted = true,
		.body = "220 hello\r\n",
		.pause_head = _i / 2 ? 20 : 0};
	struct bytes got = {.data = NULL};
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	echo_all();
	inside++;
	ck_assert_int_eq(retort_on_sized(server, &greeting, sizeof greeting),
		1);
	inside--;
	fd = connect_plain(SOCK_STREAM);
	ck_assert_int_eq(converse(fd, "hi", 2, &got, 13), 0);
	assert_bytes(got.data, got.size, "220 hello\r\nhi", 13);
	(void)close(fd);
	bytes_free(&got);
	close_server();

	/* and a request of HTTP that came early is answered after it */
	got = (struct bytes){.data = NULL};
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	inside++;
	ck_assert_int_eq(retort_on_sized(server, &greeting, sizeof greeting),
		1);
	inside--;
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, "220 hello\r\n" OK);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(refuses_plain_connections)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.refusing = true},
		_i);
	echo_all();
	in.sin_port = htons((in_port_t)retort_port(server, 0));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof in), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	(void)close(fd);
	inside++;
	ck_assert_int_eq(retort_refuse(server, false), 0);
	inside--;
	fd = connect_plain(SOCK_STREAM);
	(void)close(fd);
	close_server();

	open_protocol(RETORT_UDP, (struct retort_options){.port = 0}, _i);
	inside++;
	ck_assert_int_eq(retort_refuse(server, true), -ENOTSUP);
	inside--;
	close_server();
}
END_TEST

#define DATAGRAMS 1000
#define IN_FLIGHT 64

START_TEST(echoes_datagrams)
{
	char text[64], got[64];
	int sent = 0, answered = 0, fd;
	bool seen[DATAGRAMS] = {false};
	int64_t until = now_ms() + RT_TEST_PATIENCE * 1000;

	open_protocol(RETORT_UDP, (struct retort_options){.port = 0}, _i);
	server->event = NULL;
	echo_all();
	fd = connect_plain(SOCK_DGRAM);
	while (answered < DATAGRAMS) {
		ssize_t n;
		int number;

		if (sent < DATAGRAMS && sent - answered < IN_FLIGHT) {
			(void)snprintf(text, sizeof text, "datagram %d",
				sent++);
			ck_assert_int_eq(send(fd, text, strlen(text), 0),
				(ssize_t)strlen(text));
			continue;
		}
		(void)step(1);
		while ((n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT)) > 0) {
			got[n] = '\0';
			ck_assert_msg(sscanf(got, "datagram %d", &number) ==
						1 &&
					number >= 0 && number < sent &&
					!seen[number],
				"unexpected: %s", shown(got, (size_t)n));
			seen[number] = true;
			answered++;
		}
		ck_assert_msg(now_ms() < until, "%d sent, %d answered", sent,
			answered);
	}
	ck_assert_uint_eq(retort_replies(server), DATAGRAMS);
	ck_assert_uint_eq(retort_connections(server), 0);
	/* an empty one comes back, too */
	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	TURN_UNTIL(recv(fd, got, sizeof got, MSG_DONTWAIT) == 0);
	(void)close(fd);
	close_server();
}
END_TEST

/* A datagram from a port below 1024, or from the server itself, would be
   answered for ever. */
START_TEST(leaves_loops_alone)
{
	struct sockaddr_in low = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in to = low;
	const struct retort_exchange *end;
	int fd, port = 1023;

	open_protocol(RETORT_UDP, (struct retort_options){.port = 0}, _i);
	echo_all();
	to.sin_port = htons((in_port_t)retort_port(server, 0));
	/* by its own socket: that is where it comes from */
	ck_assert_int_eq(sendto(retort_listener(server, 0), "loop", 4, 0,
				 (struct sockaddr *)&to, sizeof to),
		4);
	end = the_end(RETORT_UNANSWERED, 0);
	ck_assert_str_eq(end->reason, "its address is the server's own");
	ck_assert_uint_eq(end->sent, 0);
	settle();
	ck_assert_uint_eq(ends(), 1);
	event_count = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	do
		low.sin_port = htons((in_port_t)port);
	while (bind(fd, (struct sockaddr *)&low, sizeof low) < 0 &&
		errno == EADDRINUSE && --port > 900);
	/* only who may bind such a port can try */
	if (port > 900 && errno != EACCES) {
		ck_assert_int_eq(sendto(fd, "echo?", 5, 0,
					 (struct sockaddr *)&to, sizeof to),
			5);
		end = the_end(RETORT_UNANSWERED, 0);
		ck_assert_str_eq(end->reason, "its port is below 1024");
		settle();
		ck_assert_int_eq(recv(fd, events, 1, MSG_DONTWAIT), -1);
	}
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(stops_after_so_many_datagrams)
{
	char got[8];
	int fd;

	open_protocol(RETORT_UDP, (struct retort_options){.requests = 2}, _i);
	echo_all();
	fd = connect_plain(SOCK_DGRAM);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(retort_replies(server), (uint64_t)i);
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
		TURN_UNTIL(recv(fd, got, sizeof got, MSG_DONTWAIT) == 1);
	}
	TURN_UNTIL(step(0) == 1);
	(void)close(fd);
	close_server();
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *const *tests, int to)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, 0, to);
	rt_test_case(suite, tcase);
}

static void
add_listings(Suite *suite)
{
	const TTest *const tests[] = {a_listing_leaves_turns_to_others,
		listings_side_by_side, listings_in_a_crowd,
		a_listing_for_one_that_half_closed,
		a_listing_for_one_that_resets, a_listing_for_one_that_left,
		a_listing_is_finished_in_the_grace,
		a_listing_ends_with_the_grace, the_last_request_ends_a_listing,
		a_listing_outlives_its_replacement, a_listing_outlives_its_name,
		a_listing_in_a_poll_loop, NULL};
	TCase *tcase = tcase_create("listings");

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, make_listed, remove_listed);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_loop_test(tcase, tests[i], 0, BACK_ENDS);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite;
	const TTest *const opening[] = {opens_what_it_is_told,
		opens_a_descriptor, takes_a_descriptor_on_success_only,
		ends_with_its_last_listener, NULL};
	const TTest *const plain[] = {opens_by_default, says_why_it_cannot_open,
		takes_older_structs, takes_newer_structs,
		refuses_unknown_options, many_servers_live_together, NULL};
	const TTest *const exchanges[] = {answers, answers_what_comes_in_pieces,
		answers_one_that_half_closed, a_late_server_is_no_time_out,
		answers_one_that_sends_too_much,
		a_reply_outlives_its_replacement, nobody_delays_the_others,
		leaves_the_process_alone, NULL};
	const TTest *const files[] = {serves_files, ends_truncated,
		a_file_that_grows_sends_what_was_promised,
		allocates_nothing_per_request, lives_without_memory,
		a_site_lives_without_memory, NULL};
	const TTest *const happens[] = {tells_what_happens, tells_of_the_client,
		tells_head_and_body_apart, tells_of_a_refused_head, ends_closed,
		ends_reset, ends_timed_out, a_slow_reader_is_not_timed_out,
		heads_time_out, bodies_time_out, ends_stopped, ends_failed,
		NULL};
	const TTest *const stopping[] = {stops_after_so_many_requests,
		time_outs_are_not_counted,
		the_last_request_leaves_replies_under_way, stops,
		stops_after_what_is_queued, stops_with_grace,
		stops_when_the_grace_is_over, a_second_stop_shortens, NULL};
	const TTest *const waking[] = {a_step_waits_and_not_longer,
		wakes_from_a_thread, wakes_from_a_handler, wakes_once_for_many,
		has_a_descriptor_to_poll, lives_in_a_poll_loop, NULL};
	const TTest *const memory[] = {opens_and_closes_without_growth,
		replies_are_replaced_without_growth,
		an_idle_connection_costs_little, NULL};
	const TTest *const faults[] = {no_descriptor_to_accept, few_descriptors,
		no_descriptor_to_listen, each_listens_again_that_can,
		no_descriptor_for_a_file, a_site_lives_without_descriptors,
		raises_no_signal, NULL};

	const TTest *const pieces[] = {echoes_a_mebibyte,
		reads_no_more_than_it_writes, echoes_to_many_at_once,
		tells_of_pieces, closes_the_silent,
		stops_after_so_many_connections, refuses_plain_connections,
		NULL};
	const TTest *const greetings[] = {greets, NULL};
	const TTest *const datagrams[] = {echoes_datagrams, leaves_loops_alone,
		stops_after_so_many_datagrams, NULL};

	/* of each test, only what it does inside is watched */
	only_inside = true;
	way = ways + STEPPED;
	suite = suite_create("server");
	add(suite, "plain", plain, 1);
	add(suite, "opening", opening, BACK_ENDS);
	add(suite, "exchanges", exchanges, BACK_ENDS);
	/* with and without sendfile */
	add(suite, "files", files, 2 * BACK_ENDS);
	add(suite, "events", happens, BACK_ENDS);
	add(suite, "stopping", stopping, BACK_ENDS);
	add_listings(suite);
	add(suite, "waking", waking, BACK_ENDS);
	add(suite, "memory", memory, BACK_ENDS);
	add(suite, "faults", faults, BACK_ENDS);
	add(suite, "pieces", pieces, BACK_ENDS);
	add(suite, "greetings", greetings, 2 * BACK_ENDS);
	add(suite, "datagrams", datagrams, BACK_ENDS);
	return rt_test_run(suite);
}
