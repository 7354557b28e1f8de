/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the library keeps: watching changes no reply, memory has a
 * bound, and what is forgotten does not come back.
 */
#include "config.h"

#include "support/serving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST " HTTP/1.1\r\nHost: x\r\n"
#define GET "GET /" HOST "\r\n"
#define MIB (1u << 20)

/* A POST to /path of a body of `size` bytes, of which `sent` are there: the
   letters of the alphabet, in turn. */
static struct bytes
make_post(const char *path, size_t size, size_t sent)
{
	struct bytes post = {.data = NULL};
	char head[200], *body = malloc(sent + 1);

	ck_assert_ptr_nonnull(body);
	for (size_t i = 0; i < sent; i++)
		body[i] = (char)('a' + i % 26);
	(void)snprintf(head, sizeof head,
		"POST %s" HOST "Content-Length: %zu\r\n\r\n", path, size);
	bytes_add(&post, head, strlen(head));
	bytes_add(&post, body, sent);
	free(body);
	return post;
}

/* The beginning of the reply to it. */
static void
expect_post(const char *path, size_t size, const char *begin)
{
	struct bytes post = make_post(path, size, size);
	struct bytes got = exchange_bytes(post.data, post.size);

	assert_begins(got, begin);
	bytes_free(&post);
	bytes_free(&got);
}

static size_t
large(void)
{
	return under_valgrind() ? 9 * MIB : 20 * MIB;
}

/* --- bodies --- */

START_TEST(uploads_are_what_tests_mean)
{
	struct bytes post = make_post("/", 3 * MIB, 3 * MIB);
	const struct retort_exchange *seen;

	open_plain(_i);
	ON("POST /", .body = "ok");
	expect_post("/", 3 * MIB, "HTTP/1.1 200 ");
	seen = ended(1);
	ck_assert_uint_eq(seen->body_size, 3 * MIB);
	ck_assert_uint_eq(seen->body_total, 3 * MIB);
	assert_bytes(seen->body, seen->body_size,
		post.data + post.size - 3 * MIB, 3 * MIB);
	ck_assert_int_eq(((const char *)seen->body)[seen->body_size], '\0');
	assert_verdict(NULL);
	bytes_free(&post);
	close_server();
}
END_TEST

START_TEST(uploads_are_kept_in_part)
{
	const struct retort_exchange *seen;
	char text[100], *transcript;

	open_plain(_i);
	ON("POST /", .if_body_has = "xyzabc", .body = "ok");
	ON("POST /b", .if_body_has = "xyza?", .body = "never");
	expect_post("/", large(), "HTTP/1.1 200 ");
	seen = ended(1);
	ck_assert_uint_eq(seen->body_size, 8 * MIB);
	ck_assert_uint_eq(seen->body_total, large());
	ck_assert_uint_gt(seen->raw_size, 8 * MIB);
	assert_verdict(NULL);
	transcript = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(transcript);
	ck_assert_ptr_nonnull(strstr(transcript, " more bytes\n"));
	free(transcript);
	/* what is not there is said to be none of what was kept */
	expect_post("/b", large(), "HTTP/1.1 501 ");
	(void)snprintf(text, sizeof text, " (%u of its %zu bytes were kept)",
		8 * MIB, large());
	assert_verdict(text);
	close_server();
}
END_TEST

START_TEST(too_large_for_an_echo)
{
	struct bytes post = make_post("/", 5 * MIB, 5 * MIB), got;

	open_plain(_i);
	ON(NULL, .echo = true);
	got = exchange_bytes(post.data, post.size);
	ck_assert_uint_gt(got.size, 5 * MIB);
	assert_bytes(got.data + got.size - post.size, post.size, post.data,
		post.size);
	assert_verdict(NULL);
	bytes_free(&got);
	bytes_free(&post);
	expect_post("/", large(), "HTTP/1.1 413 ");
	assert_verdict("rule 1: the request is too large to echo: of its body "
		       "8388608 bytes were kept");
	close_server();
}
END_TEST

START_TEST(the_limit_is_said)
{
	open_with((struct retort_options){.max_body = 10}, _i);
	ON(NULL, .body = "ok");
	expect_post("/", 11, "HTTP/1.1 413 ");
	assert_verdict("refused with 413: the body is too large, at most 10 "
		       "bytes are taken (.max_body, --limit body=)");
	close_server();
}
END_TEST

/* --- one budget --- */

/* Uploads that are not complete, and what they hold together. */
START_TEST(open_connections_have_a_bound)
{
	enum { COUNT = 40 };
	struct bytes post = make_post("/", MIB, MIB - 1);
	long long before;
	int fds[COUNT];

	open_with((struct retort_options){.max_records = 2 * MIB}, _i);
	ON("POST", .if_body_has = "xyzabc", .body = "ok");
	before = live;
	for (int i = 0; i < COUNT; i++) {
		struct bytes got = {.data = NULL};
		struct talk one;

		fds[i] = connect_client();
		one = talk_begin(fds[i], post.data, post.size, &got);
		while (one.size > 0)
			(void)talk_on(&one);
		bytes_free(&got);
	}
	ck_assert_msg(live - before < 24 * (long long)MIB,
		"%s: %d of them hold %lld KiB", way->name, COUNT,
		(live - before) / 1024);
	/* and each is answered by what was kept */
	for (int i = 0; i < COUNT; i++) {
		struct bytes got = {.data = NULL};

		ck_assert_int_eq(talk(fds[i], "z", 1, &got, NULL), 0);
		assert_begins(got, "HTTP/1.1 200 ");
		bytes_free(&got);
		(void)close(fds[i]);
	}
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_msg(live - before < 6 * (long long)MIB,
		"%s: their records hold %lld KiB", way->name,
		(live - before) / 1024);
	assert_verdict(" not recorded, or only in part: max_records, 2097152 "
		       "bytes, is used up");
	bytes_free(&post);
	close_server();
}
END_TEST

/* Bytes that come after a reply count as well. */
START_TEST(what_is_dropped_has_a_bound)
{
	struct bytes post = make_post("/", 64 * MIB, 12 * MIB);
	struct bytes got = {.data = NULL};
	long long before;
	int fd;

	open_plain(_i);
	ON("POST", .body = "ok", .faults = "early");
	before = live;
	fd = connect_client();
	(void)talk(fd, post.data, post.size, &got, NULL);
	assert_begins(got, "HTTP/1.1 200 ");
	(void)close(fd);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_msg(live - before < 4 * (long long)MIB,
		"%s: it holds %lld KiB", way->name, (live - before) / 1024);
	bytes_free(&got);
	bytes_free(&post);
	close_server();
}
END_TEST

/* --- forgetting --- */

/* Of three requests one has ended, one is under way, one has not begun. */
START_TEST(forgets_what_has_begun)
{
	struct bytes got;
	int begun, silent;

	open_plain(_i);
	ON(NULL, .body = "ok");
	ck_assert_int_gt(retort_expect(server, "/now", .times = 1), 0);
	silent = connect_client();
	begun = connect_client();
	say(begun, "GET /past");
	got = exchange(GET);
	bytes_free(&got);
	TURN_UNTIL(retort_stats(server).connections == 2);
	retort_reset(server, RETORT_RECORDS);
	/* rules stay, and answer both */
	say(begun, HOST "\r\n");
	(void)shutdown(begun, SHUT_WR);
	say(silent, "GET /now" HOST "\r\n");
	(void)shutdown(silent, SHUT_WR);
	ck_assert_ptr_nonnull(retort_wait(server, "/now", .timeout = PATIENCE));
	TURN_UNTIL(retort_stats(server).replies == 3);
	ck_assert_uint_eq(retort_count(server), 1);
	ck_assert_ptr_null(retort_transcript(server, 2));
	assert_verdict(NULL);
	(void)close(begun);
	(void)close(silent);
	close_server();
}
END_TEST

START_TEST(forgets_what_has_ended)
{
	struct bytes got = {.data = NULL};
	char *transcript;
	int open;

	open_plain(_i);
	ON("/open", .body = "ok", .faults = "cut body 1 stall");
	ON(NULL, .body = "ok");
	open = connect_client();
	ck_assert_int_eq(talk(open, "GET /open" HOST "\r\n",
				 sizeof "GET /open" HOST "\r\n" - 1, &got,
				 "\r\n\r\no"),
		0);
	for (int i = 0; i < 3; i++) {
		struct bytes reply = exchange(GET);

		bytes_free(&reply);
	}
	TURN_UNTIL(retort_stats(server).connections == 1);
	ck_assert_uint_eq(retort_count(server), 4);
	retort_reset(server, RETORT_ENDED);
	ck_assert_uint_eq(retort_count(server), 1);
	transcript = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(transcript);
	free(transcript);
	(void)close(open);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	retort_reset(server, RETORT_ENDED);
	ck_assert_uint_eq(retort_count(server), 0);
	bytes_free(&got);
	close_server();
}
END_TEST

/* --- what an event function is told --- */

/* Bytes of heads and of bodies, and all that came at the end. */
struct told {
	uint64_t bytes;
	uint64_t received;
	bool over;
};

static void
listen_in(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct told *told = arg;

	(void)bytes;
	told->bytes += size;
	told->received = exchange->received;
	if (event == RETORT_ON_END)
		told->over = true;
}

/* Bytes sent once the reply has come are reported as well. */
static const struct {
	const char *head;
	const char *begin; /* of the reply */
	const char *faults;
	int status;
} early[] = {
	{"POST /" HOST "Content-Length: 100\r\n\r\nab", "HTTP/1.1 200 ",
		"early", 200},
	{"POST /" HOST "Content-Length: 100\r\n\r\n", "HTTP/1.1 413 ", NULL,
		200},
	{"GET /" HOST "Upgrade: x\r\n\r\n", "HTTP/1.1 200 ", "end half", 200},
	{"GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 505 ", NULL, 200},
	{"GET /\r\n\r\n", "HTTP/1.1 400 ", NULL, 200},
};

#define EARLY (int)(sizeof early / sizeof *early)

START_TEST(every_byte_is_told)
{
	struct told told = {.bytes = 0};
	struct bytes got = {.data = NULL};
	int i = _i % EARLY, fd;

	open_with((struct retort_options){.max_body = 50,
			  .event = listen_in,
			  .event_arg = &told},
		_i / EARLY);
	ON(NULL, .body = "ok", .faults = early[i].faults,
		.status = early[i].status);
	fd = connect_client();
	ck_assert_int_eq(talk(fd, early[i].head, strlen(early[i].head), &got,
				 "\r\n\r\n"),
		0);
	assert_begins(got, early[i].begin);
	say(fd, "what comes later");
	TURN_UNTIL(told.bytes >= strlen(early[i].head) + 16 || told.over);
	(void)shutdown(fd, SHUT_WR);
	TURN_UNTIL(told.over);
	ck_assert_uint_eq(told.received, strlen(early[i].head) + 16);
	ck_assert_msg(told.bytes == told.received,
		"%s: of %llu bytes %llu were told", way->name,
		(unsigned long long)told.received,
		(unsigned long long)told.bytes);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

int
main(void)
{
	const TTest *const bodies[] = {uploads_are_what_tests_mean,
		uploads_are_kept_in_part, too_large_for_an_echo,
		the_limit_is_said, NULL};
	const TTest *const budget[] = {open_connections_have_a_bound,
		what_is_dropped_has_a_bound, NULL};
	const TTest *const forgetting[] = {forgets_what_has_begun,
		forgets_what_has_ended, NULL};
	const TTest *const events[] = {every_byte_is_told, NULL};
	Suite *suite = suite_create("kept");

	rt_test_cases(suite, "bodies", bodies, 0, 2);
	rt_test_cases(suite, "budget", budget, 0, BASIC_WAYS);
	rt_test_cases(suite, "forgetting", forgetting, 0, WAYS);
	rt_test_cases(suite, "events", events, 0, BASIC_WAYS * EARLY);
	return rt_test_run(suite);
}
