/* SPDX-License-Identifier: MIT */
/* The library: records, waits and the verdict. */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* --- records --- */

static int64_t
wall_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * RT_SECOND + ts.tv_nsec;
}

static void
assert_field(const struct retort_field *field, const char *name,
	const char *value)
{
	ck_assert_str_eq(field->name, name);
	ck_assert_str_eq(field->value, value);
}

START_TEST(records_everything)
{
	static const char head[] = "POST /a%20b/../c?x=1&y HTTP/1.1\r\n"
				   "Host: x\r\nx-One:  1 \r\nX-ONE: 2\r\n"
				   "Content-Length: 5\r\n\r\n";
	const struct retort_exchange *seen;
	struct bytes request = {.data = NULL}, got;
	int64_t before = wall_ns();

	open_plain(_i);
	ON("GET", .body = "no");
	ON("POST", .body = "four", .status = 201);
	bytes_add(&request, head, sizeof head - 1);
	bytes_add(&request, "he\0lo", 5);
	got = exchange_bytes(request.data, request.size);
	seen = ended(1);
	ck_assert_ptr_eq(seen, retort_record(server, 1));
	ck_assert_ptr_null(retort_record(server, 0));
	ck_assert_ptr_null(retort_record(server, 2));
	ck_assert_uint_eq(seen->connection, 1);
	ck_assert_int_eq(strncmp(seen->client,
				 way->adopted ? "unix" : "127.0.0.1:",
				 way->adopted ? 5 : 10),
		0);
	assert_bytes(seen->request, seen->request_size, head, 31);
	ck_assert_int_eq(seen->status, 201);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_uint_eq(seen->received, request.size);
	ck_assert_uint_eq(seen->sent, got.size);
	ck_assert_uint_eq(seen->sent_body, 4);
	/* whose clock may be set meanwhile, and which is read after the turn's */
	ck_assert_int_ge(seen->began, before - 60 * RT_SECOND);
	ck_assert_int_le(seen->began + seen->duration,
		wall_ns() + 60 * RT_SECOND);
	ck_assert_int_ge(seen->requested, 0);
	ck_assert_int_le(seen->requested, seen->duration);
	ck_assert_str_eq(seen->method, "POST");
	ck_assert_str_eq(seen->target, "/a%20b/../c?x=1&y");
	ck_assert_str_eq(seen->path, "/a b/../c");
	ck_assert_str_eq(seen->query, "x=1&y");
	ck_assert_int_eq(seen->minor, 1);
	ck_assert_uint_eq(seen->field_count, 4);
	assert_field(seen->fields + 1, "x-One", "1");
	assert_field(seen->fields + 2, "X-ONE", "2");
	ck_assert_str_eq(retort_field_of(seen, "X-one", 0), "1");
	ck_assert_str_eq(retort_field_of(seen, "X-one", 1), "2");
	ck_assert_ptr_null(retort_field_of(seen, "X-one", 2));
	assert_bytes(seen->body, seen->body_size + 1, "he\0lo", 6);
	ck_assert_uint_eq(seen->trailer_count, 0);
	assert_bytes(seen->raw, seen->raw_size, request.data, request.size);
	ck_assert(seen->complete);
	ck_assert_int_eq(seen->refused, 0);
	ck_assert_ptr_null(seen->reason);
	ck_assert_int_eq(seen->rule, 2);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	bytes_free(&request);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(records_chunked_bodies)
{
	static const char head[] =
		"PUT *" HOST "Transfer-Encoding: chunked\r\n\r\n";
	static const char request[] =
		"PUT /c" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"3;ext=1\r\nabc\r\nB\r\ndefghijklmn\r\n"
		"0\r\nT: 1\r\nt:  2 \r\n\r\n";
	struct bytes many = {.data = NULL}, got;
	const struct retort_exchange *seen;
	size_t size = 0, wrong = 0;

	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(request, "ok");
	seen = ended(1);
	assert_bytes(seen->body, seen->body_size, "abcdefghijklmn", 14);
	assert_bytes(seen->raw, seen->raw_size, request, sizeof request - 1);
	ck_assert_uint_eq(seen->trailer_count, 2);
	assert_field(seen->trailers, "T", "1");
	assert_field(seen->trailers + 1, "t", "2");
	ck_assert_uint_eq(seen->field_count, 2);
	/* far more than one receive takes, in chunks that these cut */
	bytes_add(&many, "PUT /c", 6);
	bytes_add(&many, head + 5, sizeof head - 6);
	for (size_t n = 1; size < 500000; size += n, n = n % 5000 + 7) {
		char text[16];
		int length = snprintf(text, sizeof text, "%zx\r\n", n);

		bytes_add(&many, text, (size_t)length);
		for (size_t i = 0; i < n; i++)
			bytes_add(&many, &(char){(char)((size + i) % 251)}, 1);
		bytes_add(&many, "\r\n", 2);
	}
	bytes_add(&many, "0\r\n\r\n", 5);
	got = exchange_bytes(many.data, many.size);
	assert_has(got, "\r\n\r\nok");
	seen = ended(2);
	ck_assert_uint_eq(seen->body_size, size);
	for (size_t i = 0; i < size; i++)
		wrong += ((const unsigned char *)seen->body)[i] != i % 251;
	ck_assert_uint_eq(wrong, 0);
	bytes_free(&many);
	bytes_free(&got);
	close_server();
}
END_TEST

/* clang-format off */
static const struct refused {
	const char *request;
	int status;
	const char *method;
	bool whole_head; /* so that the fields are known */
} refused[] = {
	{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "GET", false},
	{"GET / HTTP/1.1\r\n\r\n", 400, "GET", false},
	{"nonsense\r\n\r\n", 400, NULL, false},
	{"GET / HTTP/1.1\r\nHost: y\r\n\r\n", 421, "GET", true},
	{"POST /" HOST "Content-Length: 11\r\n\r\n", 413, "POST", true},
	{"POST /" HOST "Transfer-Encoding: chunked\r\n\r\nB\r\nabcdefghijk\r\n",
		413, "POST", true},
	{"GET /" HOST "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n\r\n", 431,
		"GET", false},
	{"GET /01234567890123456789" HOST "\r\n", 414, "GET", false},
};

START_TEST(records_what_is_refused)
{
	open_with((struct retort_options){.hosts = "x",
			  .max_body = 10,
			  .max_fields = 5,
			  .max_target = 20},
		_i);
	ON(NULL, .body = "ok");
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct retort_exchange *seen;
		char begin[32];

		(void)snprintf(begin, sizeof begin, "HTTP/1.1 %d ",
			refused[i].status);
		expect_begin(refused[i].request, begin);
		seen = ended(i + 1);
		ck_assert_int_eq(seen->refused, refused[i].status);
		ck_assert_int_eq(seen->status, refused[i].status);
		ck_assert_int_eq(seen->rule, 0);
		ck_assert(!seen->complete);
		ck_assert_ptr_nonnull(seen->reason);
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		assert_bytes(seen->raw, seen->raw_size, refused[i].request,
			strlen(refused[i].request));
		assert_bytes(seen->request, seen->request_size,
			refused[i].request, strcspn(refused[i].request, "\r"));
		if (refused[i].method != NULL)
			ck_assert_str_eq(seen->method, refused[i].method);
		if (refused[i].whole_head)
			ck_assert_ptr_nonnull(retort_field_of(seen, "host", 0));
	}
	close_server();
}
END_TEST

/* clang-format off */
static const struct broken {
	const char *request;
	const char *method;
	const char *body;
} broken[] = {
	{"GET /a", NULL, ""},
	{"GET /a HTTP/1.1\r\nHost: x\r\nA:", "GET", ""},
	{"PUT /a" HOST "Content-Length: 5\r\n\r\n", "PUT", ""},
	{"PUT /a" HOST "Content-Length: 5\r\n\r\nab", "PUT", "ab"},
	{"PUT /a" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\nd",
		"PUT", "abcd"},
};

/* A request that broke off: the i-th record. */
static const struct retort_exchange *
check_broken(const struct broken *what, size_t n)
{
	const struct retort_exchange *seen = ended(n);

	ck_assert_msg(!seen->complete && seen->reason != NULL,
		"%s: complete, or no reason", way->name);
	assert_bytes(seen->raw, seen->raw_size, what->request,
		strlen(what->request));
	ck_assert_uint_eq(seen->received, strlen(what->request));
	if (what->method != NULL)
		ck_assert_str_eq(seen->method, what->method);
	assert_bytes(seen->body, seen->body_size, what->body,
		strlen(what->body));
	return seen;
}

START_TEST(records_what_breaks_off)
{
	open_plain(_i);
	ON(NULL, .body = "ok");
	for (size_t i = 0; i < COUNT(broken); i++) {
		const struct retort_exchange *seen;
		int fd = connect_client();

		say(fd, broken[i].request);
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		finish_client(fd, "HTTP/1.1 400 ");
		seen = check_broken(broken + i, 2 * i + 1);
		ck_assert_int_eq(seen->refused, 400);
		ck_assert_int_eq(seen->client_close, RETORT_FIN);
		ck_assert_int_eq(seen->server_close, RETORT_FIN);
		ck_assert(seen->client_first);
		/* the same without good manners */
		fd = connect_client();
		say(fd, broken[i].request);
		TURN_UNTIL(retort_stats(server).connections == 1);
		/* it is read by now, unless the thread is late; a reset may
		   take what is not */
		if (way->drive == OWN_THREAD || way->adopted) {
			(void)close(fd);
			(void)check_broken(broken + i, 2 * i + 2);
			continue;
		}
		for (int k = 0; k < 5; k++)
			ck_assert_int_ge(retort_step(server, 2), 0);
		client_reset(fd);
		seen = check_broken(broken + i, 2 * i + 2);
		ck_assert_int_eq(seen->refused, 0);
		ck_assert_int_eq(seen->status, 0);
		ck_assert_int_eq(seen->end, RETORT_RESET);
		ck_assert_int_eq(seen->client_close, RETORT_RST);
		ck_assert(seen->client_first);
	}
	/* one without a byte is none */
	client_reset(connect_client());
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_count(server), 2 * COUNT(broken));
	close_server();
}
END_TEST

START_TEST(records_the_request_alone)
{
	const struct retort_exchange *seen;

	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(GET "GET /second" HOST "\r\n", "ok");
	seen = ended(1);
	assert_bytes(seen->raw, seen->raw_size, GET, sizeof GET - 1);
	ck_assert(seen->complete);
	ck_assert_uint_eq(seen->received, 2 * (sizeof GET - 1) + 6);
	ck_assert_uint_eq(retort_count(server), 1);
	close_server();
}
END_TEST

START_TEST(records_what_waits_to_go_on)
{
	const struct retort_exchange *seen;
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON(NULL, .body = "ok", .omit = "Date");
	fd = connect_client();
	say(fd,
		"PUT /" HOST "Expect: 100-continue\r\n"
		"Content-Length: 3\r\n\r\n");
	ck_assert_int_eq(talk(fd, "", 0, &got, "\r\n\r\n"), 0);
	ck_assert_str_eq(got.data, "HTTP/1.1 100 Continue\r\n\r\n");
	ck_assert_uint_eq(retort_count(server), 0);
	ck_assert_int_eq(talk(fd, "abc", 3, &got, NULL), 0);
	(void)close(fd);
	seen = ended(1);
	assert_bytes(seen->body, seen->body_size, "abc", 3);
	ck_assert_int_eq(seen->status, 200);
	ck_assert_uint_eq(seen->sent, got.size);
	ck_assert_uint_eq(seen->sent_body, 2);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(tells_who_closed_first)
{
	const struct retort_exchange *seen;
	struct bytes got = {.data = NULL};
	int fd, pair[2];

	open_plain(_i);
	ON("/", .body = "ok");
	ON("/paused", .body = "ok", .pause_head = 20);
	ON("/big", .body = "x", .repeat = 1u << 30);
	/* the client half-closes, before the server knows of it, and waits */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	say(pair[1], "GET /paused" HOST "\r\n");
	ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), 0);
	finish_client(pair[1], "\r\n\r\nok");
	seen = ended(1);
	ck_assert(seen->client_first);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	/* the server closes first */
	expect_body(GET, "ok");
	ck_assert(!ended(2)->client_first);
	ck_assert_int_eq(ended(2)->client_close, RETORT_FIN);
	/* a client that leaves in the middle of the reply */
	fd = connect_client();
	ck_assert_int_eq(talk(fd, "GET /big" HOST "\r\n", 30, &got, "xx"), 0);
	client_reset(fd);
	seen = ended(3);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	ck_assert(seen->client_first);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(tells_whose_time_was_over)
{
	enum { LATE = 50 };
	const struct retort_exchange *seen;
	int fd;

	open_with((struct retort_options){.head_timeout = LATE,
			  .write_timeout = LATE},
		_i);
	ON("/big", .body = "x", .repeat = 1u << 30);
	/* one that reads no more */
	fd = connect_saying("GET /big" HOST "\r\n");
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_TIMED_OUT);
	ck_assert_int_eq(seen->server_close, RETORT_RST);
	ck_assert_int_eq(seen->client_close, RETORT_NOTHING);
	ck_assert(!seen->client_first);
	ck_assert_int_ge(seen->duration, LATE * RT_MS);
	(void)close(fd);
	/* one that sends no more */
	fd = connect_saying("GET /a HT");
	finish_client(fd, "HTTP/1.1 408 ");
	seen = ended(2);
	ck_assert_int_eq(seen->refused, 408);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert(!seen->client_first);
	close_server();
}
END_TEST

#define KEPT 4

START_TEST(records_end)
{
	const struct retort_exchange *seen[KEPT];
	int fd;

	open_with((struct retort_options){.max_records = 1}, _i);
	ON("GET /", .body = "ok");
	for (int i = 0; i < 3; i++)
		expect_body(GET, "ok");
	ck_assert_uint_eq(retort_count(server), 1);
	assert_verdict("3 exchanges were not recorded, or only in part: "
		       "max_records, 1 bytes, is used up");
	/* from the beginning, when the memory is free again */
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	retort_reset(server);
	assert_verdict(NULL);
	ON("GET /", .body = "again");
	expect_body(GET, "again");
	ck_assert_uint_eq(retort_count(server), 1);
	close_server();
	open_with((struct retort_options){.unrecorded = true}, _i);
	ON("GET /", .body = "ok", .if_absent = "B");
	expect_body(GET, "ok");
	expect_begin("GET /x" HOST "\r\n", "HTTP/1.1 501 ");
	ck_assert_uint_eq(retort_count(server), 0);
	ck_assert_ptr_null(retort_record(server, 1));
	ck_assert_ptr_null(retort_transcript(server, 1));
	close_server();
	/* they outlive their connections, and do not move */
	open_plain(_i);
	ON("GET", .body = "ok");
	for (size_t i = 0; i < KEPT; i++) {
		expect_body(GET, "ok");
		seen[i] = ended(i + 1);
	}
	for (int i = 0; i < 200; i++)
		expect_body("GET /more" HOST "\r\n", "ok");
	for (size_t i = 0; i < KEPT; i++) {
		ck_assert_ptr_eq(retort_record(server, i + 1), seen[i]);
		ck_assert_str_eq(seen[i]->target, "/");
	}
	fd = connect_client();
	(void)close(fd);
	close_server();
}
END_TEST

/* --- waits --- */

struct slow_client {
	int fd;
	int after; /* ms */
};

static void *
send_slowly(void *arg)
{
	struct slow_client *client = arg;

	/* a pause that nothing is asserted about but that it passes */
	(void)poll(NULL, 0, client->after);
	say(client->fd, "GET /slow" HOST "\r\n");
	return NULL;
}

START_TEST(waits)
{
	struct slow_client client = {.after = 30};
	const struct retort_exchange *seen;
	pthread_t thread;
	int64_t begun;

	open_plain(_i);
	ON(NULL, .body = "ok", .pause_body = 1);
	/* it times out */
	begun = now_ms();
	ck_assert_ptr_null(retort_wait(server, .timeout = 40));
	ck_assert_int_ge(now_ms() - begun, 40);
	ck_assert_ptr_null(retort_wait(server, .timeout = 1));
	/* it comes later */
	client.fd = connect_client();
	ck_assert_int_eq(pthread_create(&thread, NULL, send_slowly, &client),
		0);
	seen = retort_wait(server, "GET /slow", .timeout = PATIENCE);
	ck_assert_ptr_nonnull(seen);
	ck_assert_str_eq(seen->target, "/slow");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	/* it has not ended, and then it has */
	ck_assert_uint_eq(retort_stats(server).connections, 1);
	ck_assert(!retort_wait_end(server, seen, 10));
	ck_assert(!retort_wait_end(server, NULL, 0));
	finish_client(client.fd, "\r\n\r\nok");
	ck_assert(retort_wait_end(server, seen, -1));
	ck_assert(retort_wait_end(server, seen, 0));
	ck_assert(retort_wait_end(server, NULL, -1));
	/* it is there already; the n-th */
	expect_body(GET, "ok");
	expect_body("GET /slow" HOST "\r\n", "ok");
	ck_assert_ptr_eq(retort_wait(server, "/slow", .timeout = 1), seen);
	seen = retort_wait(server, "/slow", .times = 2, .timeout = 1);
	ck_assert_ptr_nonnull(seen);
	ck_assert_uint_eq(seen->connection, 3);
	ck_assert_ptr_null(retort_wait(server, "/slow", .times = 3, .timeout = 5));
	ck_assert_uint_eq(retort_wait(server, .times = 2, .timeout = 1)->connection, 2);
	ck_assert_uint_eq(retort_count(server, "/slow"), 2);
	ck_assert_uint_eq(retort_stats(server).accepted, 3);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A descriptor to poll tells of each deadline, whoever set it. */
START_TEST(one_descriptor_tells_all)
{
	struct pollfd polled = {.events = POLLIN};
	int pair[2];

	open_with((struct retort_options){.head_timeout = 30}, _i);
	ON(NULL, .body = "x", .repeat = 1u << 30);
	polled.fd = retort_fd(server);
	if (way->io == RETORT_IO_POLL || RT_TEST_IO == RETORT_IO_POLL ||
		way->drive == OWN_THREAD) {
		ck_assert_int_eq(polled.fd,
			way->drive == OWN_THREAD ? -EDEADLK : -ENOTSUP);
		close_server();
		return;
	}
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), 0);
	/* the head's time-out, which nobody steps */
	ck_assert_msg(poll(&polled, 1, PATIENCE / 4) == 1,
		"%s: retort_adopt() sets a deadline, of which nothing is told",
		way->name);
	TURN_UNTIL(retort_stats(server).connections == 0);
	(void)close(pair[1]);
	/* the end of the grace */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), 0);
	say(pair[1], GET);
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	TURN_UNTIL(poll(&polled, 1, 0) == 0);
	retort_stop(server, 30);
	ck_assert_msg(poll(&polled, 1, PATIENCE / 4) == 1,
		"%s: retort_stop() sets a deadline, of which nothing is told",
		way->name);
	while (step(0) == 0)
		ck_assert_int_eq(poll(&polled, 1, PATIENCE), 1);
	(void)close(pair[1]);
	close_server();
	/* and that it has stopped */
	open_plain(_i);
	polled.fd = retort_fd(server);
	retort_stop(server, 0);
	ck_assert_msg(poll(&polled, 1, PATIENCE / 4) == 1,
		"%s: it has stopped, of which nothing is told", way->name);
	ck_assert_int_eq(step(0), 1);
	close_server();
}
END_TEST

/* --- forgetting --- */

START_TEST(forgets_while_connections_are_open)
{
	struct retort_reply reply = {.body = "after all"};
	struct bytes got = {.data = NULL};
	uint64_t connection = 0;
	int silent, half, drained, waiting;

	open_plain(_i);
	ON("/later", .handler = later, .handler_arg = &connection);
	ON(NULL, .body = "before");
	ck_assert_int_gt(retort_expect(server, "/never", .times = 5), 0);
	silent = connect_client();
	half = connect_client();
	say(half, "GET /half");
	drained = connect_client();
	ck_assert_int_eq(talk(drained, GET, sizeof GET - 1, &got, "before"), 0);
	waiting = connect_client();
	say(waiting, "GET /later" HOST "\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, .times = 2, .timeout = PATIENCE));
	TURN_UNTIL(retort_stats(server).connections == 4);
	retort_reset(server);
	ck_assert_uint_eq(retort_count(server), 0);
	assert_verdict(NULL);
	ON(NULL, .body = "afterwards");
	/* each goes on */
	(void)close(drained);
	ck_assert_int_eq(reply_on(4, &reply), 0);
	finish_client(waiting, "\r\n\r\nafter all");
	/* but what was forgotten stays so, and what came later is not for what
	   had begun */
	say(half, HOST "\r\n");
	finish_client(half, "\r\n\r\nnothing is served here\n");
	say(silent, "GET /half" HOST "\r\n");
	finish_client(silent, "\r\n\r\nafterwards");
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_msg(retort_count(server) == 1,
		"%s: expected 1 record, got %zu: %s", way->name,
		retort_count(server), retort_record(server, 1)->target);
	ck_assert_str_eq(retort_record(server, 1)->target, "/half");
	ck_assert_int_eq(retort_record(server, 1)->rule, 1);
	assert_verdict(NULL);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(forgets_while_a_listing_is_made)
{
	char *folder = dir_make();
	char name[32];
	int fd;

	for (int i = 0; i < (is_slow() ? 100 : 500); i++) {
		(void)snprintf(name, sizeof name, "many/%04d", i);
		dir_write(folder, name, "", 0);
	}
	open_plain(_i);
	ON("/x", .body = "before");
	ck_assert_int_eq(set_files(folder, NULL), 0);
	fd = connect_client();
	say(fd, "GET /many/" HOST "\r\n");
	TURN_UNTIL(retort_stats(server).connections == 1);
	retort_reset(server);
	finish_client(fd, "</html>\n");
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_stats(server).replies, 1);
	assert_verdict(NULL);
	close_server();
	dir_remove(folder);
}
END_TEST

/* --- transcripts and verdicts --- */

START_TEST(transcribes)
{
	static const char expected[] =
		"        #### < POST /t HTTP/1.1\\r\\n\n"
		"        #### < Host: x\\r\\n\n"
		"        #### < Content-Length: 70\\r\\n\n"
		"        #### < \\r\\n\n"
		"        #### < \\x00\\xff\\\\ x\\n\n"
		"        #### < aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaa\n"
		"        #### > HTTP/1.1 200 OK\\r\\n\n"
		"        #### > Content-Length: 2\\r\\n\n"
		"        #### > \\r\\n\n"
		"        #### > ok\n"
		"        #### > (FIN)\n"
		"        #### < (FIN)\n"
		"        #### - (closed)\n";
	struct bytes request = {.data = NULL}, got;
	char *text, *from;

	open_plain(_i);
	ON(NULL, .raw = true,
		.body = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	bytes_add(&request, "POST /t" HOST "Content-Length: 70\r\n\r\n", 49);
	bytes_add(&request, "\0\xff\\ x\n", 6);
	for (int i = 0; i < 64; i++)
		bytes_add(&request, "a", 1);
	ck_assert_ptr_null(retort_transcript(server, 1));
	got = exchange_bytes(request.data, request.size);
	bytes_free(&request);
	bytes_free(&got);
	(void)ended(1);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	mask(text);
	from = strchr(text, '\n');
	ck_assert_int_eq(strncmp(text,
				 way->adopted ? "connection 1 from unix\n" :
						"connection 1 from 127.0.0.1:#",
				 23),
		0);
	ck_assert_str_eq(from + 1, expected);
	free(text);
	ck_assert_ptr_null(retort_transcript(server, 2));
	close_server();
}
END_TEST

START_TEST(transcribes_resets_and_excess)
{
	static char data[64 << 10];
	size_t size = 0;
	ssize_t n;
	char *text;
	int fd;

	open_plain(_i);
	ON(NULL, .body = "a line of 16 ...\n", .repeat = 16u << 20);
	fd = connect_client();
	/* what is kept of a reply is its first MiB */
	say(fd, GET);
	while (size < 3u << 20) {
		n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		ck_assert_msg(n > 0 || errno == EAGAIN, "%s", strerror(errno));
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			size += (size_t)n;
	}
	client_reset(fd);
	(void)ended(1);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, " more bytes\n"));
	ck_assert_ptr_nonnull(strstr(text, " < (RST)\n"));
	ck_assert_str_eq(text + strlen(text) - 11, "- (closed)\n");
	free(text);
	close_server();
}
END_TEST

#define PETS "@on GET /v2/pets\n@if-field Accept: a/json\n@echo\n"
#define CATCH_ALL "@on\nHTTP/1.1 404 Not Found\n"

/* What became of requests that were meant for rules which they missed. */
static const struct {
	const char *scenario;
	const char *requests[2];
	const char *verdict; /* up to the transcripts */
} lost[] = {
	/* an expectation says it; the rule need not say it once more */
	{PETS CATCH_ALL "@expect 1 /v2/pets\n@if-field Accept: a/json\n",
		{"GET /x", "GET /v2/pets"},
		"s:6 (/v2/pets, field \"Accept: a/json\"): expected exactly 1, "
		"got 0\n"
		"  nearest: GET /v2/pets, answered 404 by s:4 (connection 2): "
		"field differs from s:6 \"Accept: a/json\": no such field\n"
		"s:1 (GET /v2/pets, field \"Accept: a/json\"): never used\n"
		"  nearest: GET /v2/pets, answered 404 by s:4 (connection 2): "
		"field differs from s:1 \"Accept: a/json\": no such field\n"},
	{PETS CATCH_ALL "@expect 1 GET /v2/pets\n@if-field Accept: a/json\n",
		{"GET /x", "GET /v2/pets"},
		"s:6 (GET /v2/pets, field \"Accept: a/json\"): expected exactly "
		"1, got 0\n"
		"  nearest: GET /v2/pets, answered 404 by s:4 (connection 2): "
		"field differs from s:6 \"Accept: a/json\": no such field\n"},
	/* what came is as expected, but for how often */
	{PETS CATCH_ALL "@expect 2 GET /v2/pets\n",
		{"GET /v2/pets"},
		"s:6 (GET /v2/pets): expected exactly 2, got 1\n"
		"  got: GET /v2/pets, answered 404 by s:4 (connection 1)\n"
		"s:1 (GET /v2/pets, field \"Accept: a/json\"): never used\n"
		"  nearest: GET /v2/pets, answered 404 by s:4 (connection 1): "
		"field differs from s:1 \"Accept: a/json\": no such field\n"},
	/* a general rule comes before a special one */
	{"@on GET /users/*\n@echo\n@on GET /users/1\n@echo\n@expect 0\n",
		{"GET /users/2", "GET /users/1"},
		"s:5 (any request): expected no request, got 2\n"
		"  got: GET /users/2, answered 200 by s:1 (connection 1)\n"
		"  got: GET /users/1, answered 200 by s:1 (connection 2)\n"
		"s:3 (GET /users/1): never used: shadowed by s:1 (GET "
		"/users/*)\n"
		"  got: GET /users/1, answered 200 by s:1 (connection 2)\n"},
	/* or has the higher rank */
	{"@on GET /a\n@echo\n@on\n@prefer 1\n@echo\n@expect 2 GET /a\n",
		{"GET /a"},
		"s:6 (GET /a): expected exactly 2, got 1\n"
		"  got: GET /a, answered 200 by s:3 (connection 1)\n"
		"s:1 (GET /a): never used: shadowed by s:3 (any request)\n"
		"  got: GET /a, answered 200 by s:3 (connection 1)\n"},
	/* a state that was not reached */
	{"@on GET /a\n@in known\n@echo\n@on GET /a\nHTTP/1.1 401 No\n"
	 "@on /login\n@then-in known\n@echo\n@expect 1 GET /a\n@in known\n",
		{"GET /a"},
		"s:9 (GET /a, in known): expected exactly 1, got 0\n"
		"  nearest: GET /a, answered 401 by s:4 (connection 1): state "
		"differs from s:9: expected known, was start\n"},
	/* the rest of a queue has its turn later */
	{"@on GET /a\n@echo\n@then\n@echo\n@expect 2 GET /a\n", {"GET /a"},
		"s:5 (GET /a): expected exactly 2, got 1\n"
		"  got: GET /a, answered 200 by s:1 (connection 1)\n"},
	/* and a request that a special rule answers was meant for that */
	{"@on GET /a\n@if-field Accept: a/xml\n@echo\n"
	 "@on GET /a\n@if-absent Accept\n@echo\n@expect 2 GET /a\n",
		{"GET /a"},
		"s:7 (GET /a): expected exactly 2, got 1\n"
		"  got: GET /a, answered 200 by s:4 (connection 1)\n"},
};

START_TEST(rules_that_lost_their_requests)
{
	char request[128];
	const char *verdict;
	size_t size;

	open_plain(0);
	ck_assert_msg(retort_load(server, .text = lost[_i].scenario,
			      .name = "s", .error = error) == 0,
		"%s", error);
	for (int i = 0; i < 2 && lost[_i].requests[i] != NULL; i++) {
		(void)snprintf(request, sizeof request, "%s" HOST "\r\n",
			lost[_i].requests[i]);
		expect_begin(request, "HTTP/1.1 ");
	}
	verdict = retort_verdict(server);
	size = strlen(lost[_i].verdict);
	assert_bytes(verdict,
		strlen(verdict) < size ? strlen(verdict) : size,
		lost[_i].verdict, size);
	/* and nothing more */
	ck_assert_int_eq(strncmp(verdict + size, "connection ", 11), 0);
	close_server();
}
END_TEST

/* A rule with a number of times is a mistake by itself. */
START_TEST(rules_that_nothing_reached)
{
	open_plain(_i);
	ON("POST /user", .body = "a", .times = 1);
	ON("GET /users", .body = "b", .times = 1);
	ON(NULL, .body = "ok");
	expect_body("GET /usr" HOST "\r\n", "ok");
	expect_body("POST /users" HOST "\r\n", "ok");
	assert_verdict("rule 1 (POST /user): never used\n"
		       "  nearest: POST /users, answered 200 by rule 3 "
		       "(connection 2): path differs from rule 1 \"/user\" at "
		       "byte 5\n"
		       "rule 2 (GET /users): never used\n"
		       "  nearest: POST /users, answered 200 by rule 3 "
		       "(connection 2): method differs from rule 2 \"GET\"\n"
		       "connection 2 from ");
	/* what came before a rule has not missed it */
	ON("POST /users", .body = "c", .times = 1, .prefer = 1);
	assert_verdict("rule 4 (POST /users): never used\n"
		       "connection 2 from ");
	close_server();
}
END_TEST

static bool
add_rule_in_verdict(void *arg, const struct retort_exchange *exchange)
{
	(void)exchange;
	/* many, so that the rules have to move */
	for (int i = 0; *(bool *)arg && i < 100; i++)
		ON("/new", .body = "x");
	return *(bool *)arg;
}

/* A predicate that is asked for a verdict may add rules. */
START_TEST(judges_rules_that_move)
{
	bool judging = false;

	open_plain(_i);
	ON("/", .if_predicate = add_rule_in_verdict,
		.if_predicate_arg = &judging, .times = 1, .body = "never");
	ON("/", .body = "ok");
	ON("/z", .times = 1, .body = "z");
	expect_body(GET, "ok");
	judging = true;
	assert_verdict("rule 1 (/, a predicate): never used: shadowed by "
		       "rule 2 (/)\n");
	close_server();
}
END_TEST

START_TEST(judges)
{
	open_plain(_i);
	ON(NULL, .body = "ok");
	ck_assert_int_eq(retort_expect(server, "GET /a", .times = 1), 1);
	ck_assert_int_eq(retort_expect(server, "DELETE", .never = true), 2);
	ck_assert_int_eq(retort_expect(server, "/b", .if_field = "A: b"),
		3);
	ck_assert_int_eq(retort_expect_order(server, "GET /a\nGET /b"), 4);
	assert_verdict("expectation 1 (GET /a): expected exactly 1, got 0\n");
	assert_verdict("expectation 3 (/b, field \"A: b\"): expected at least "
		       "1, got 0\n");
	assert_verdict("expectation 4 (in order): expected GET /a, which did "
		       "not arrive\n");
	expect_body("GET /b" HOST "\r\n", "ok");
	assert_verdict("  nearest: GET /b, answered 200 by rule 1 (connection "
		       "1): field differs from expectation 3 \"A: b\": no such "
		       "field\n");
	assert_verdict("< GET /b HTTP/1.1\\r\\n\n");
	expect_body("GET /a" HOST "\r\n", "ok");
	assert_verdict("expectation 4 (in order): expected GET /b after GET "
		       "/a, but it came before\n");
	expect_body("GET /b" HOST "A: b\r\n\r\n", "ok");
	assert_verdict(NULL);
	expect_body("DELETE /a" HOST "\r\n", "ok");
	assert_verdict("expectation 2 (DELETE): expected no request, got "
		       "1\n");
	expect_body("GET /a" HOST "\r\n", "ok");
	assert_verdict("expectation 1 (GET /a): expected exactly 1, got 2\n");
	retort_reset(server);
	ON(NULL, .body = "ok");
	expect_body("GET /a" HOST "\r\n", "ok");
	expect_body("GET /b" HOST "\r\n", "ok");
	expect_body("GET /c" HOST "\r\n", "ok");
	ck_assert_int_eq(retort_expect(server, "/z", .most = SIZE_MAX), 1);
	ck_assert_int_eq(retort_expect(server, .most = 3), 2);
	ck_assert_int_eq(retort_expect(server, .least = 2, .most = 3), 3);
	assert_verdict(NULL);
	ck_assert_int_eq(retort_expect_order(server, "GET /b\nGET /a\n/c\n"), 4);
	assert_verdict("expectation 4 (in order): expected GET /a after GET "
		       "/b, but it came before\n"
		       "  got: GET /a, answered 200 by rule 1 ");
	retort_reset(server);
	assert_verdict(NULL);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("record");
	const TTest *const records[] = {records_everything,
		records_chunked_bodies, records_what_is_refused,
		records_what_breaks_off, records_the_request_alone,
		records_what_waits_to_go_on, tells_who_closed_first,
		tells_whose_time_was_over,
		records_end, NULL};
	const TTest *const waiting[] = {waits, one_descriptor_tells_all,
		forgets_while_connections_are_open,
		forgets_while_a_listing_is_made, NULL};
	const TTest *const verdicts[] = {transcribes,
		transcribes_resets_and_excess, rules_that_nothing_reached,
		judges, judges_rules_that_move, NULL};
	TCase *rules = tcase_create("rules");

	tcase_add_loop_test(rules, rules_that_lost_their_requests, 0,
		COUNT(lost));
	rt_test_case(suite, rules);
	rt_test_cases(suite, "records", records, 0, WAYS);
	rt_test_cases(suite, "waiting", waiting, 0, WAYS);
	rt_test_cases(suite, "verdicts", verdicts, 0, WAYS);
	return rt_test_run(suite);
}
