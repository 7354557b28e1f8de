/* SPDX-License-Identifier: MIT */
/*
 * Replies that do not wait for the body, on connections that are kept; and
 * whose bytes an event function is told of.
 */
#include "config.h"

#include "wire/keeping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define POST(fields) "POST /x HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST_5 POST("Content-Length: 5\r\n")
#define POST_CHUNKED POST("Transfer-Encoding: chunked\r\n")
#define CHUNKS "3\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n"
#define NO "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"

/* What was told of each exchange's body; and after a "|", of bytes that were
   dropped. */
static struct bytes bodies[16];

static void
note_body(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	if (exchange->nth >= COUNT(bodies))
		return;
	if (event == RETORT_ON_DROPPED)
		bytes_add(&bodies[exchange->nth], "|", 1);
	if (event == RETORT_ON_BODY || event == RETORT_ON_DROPPED)
		bytes_add(&bodies[exchange->nth], bytes, size);
}

static void
expect_told(size_t nth, const char *text, size_t size)
{
	ck_assert_msg(bodies[nth].size == size &&
			(size == 0 ||
				memcmp(bodies[nth].data, text, size) == 0),
		"%s: of exchange %zu, expected %s, got %s", way->name, nth,
		shown(text, size), shown(bodies[nth].data, bodies[nth].size));
}

static void
open_noting(struct retort_options options, int i)
{
	for (size_t n = 0; n < COUNT(bodies); n++)
		bytes_free(&bodies[n]);
	options.event = note_body;
	open_keeping(options, i);
}

/* --- early replies --- */

static void
add_early(const char *faults)
{
	ON("POST /x", .status = 413, .body = "no", .next = RETORT_NEXT_KEEP,
		.faults = faults);
	ON(NULL, .body = "one");
}

/* Before the body, after a part of it, and with all of it; then another. */
static const struct {
	const char *faults;
	const char *first; /* comes before the reply does */
	const char *rest;
} early[] = {
	{"early", POST_5, "hello"},
	{"early 2", POST_5 "he", "llo"},
	{"early 2", POST_5 "hello", ""},
	{"early 9", POST_5 "hello", ""},
	{"early", POST_CHUNKED, CHUNKS},
	{"early 4", POST_CHUNKED "3\r\nabc\r\n",
		"2\r\nde\r\n0\r\nA: b\r\n\r\n"},
	{"early; pause 10", POST_5 "h", "ello"},
	{"early; each 3", POST_5, "hello"},
};

START_TEST(replies_before_the_body)
{
	for (size_t i = 0; i < COUNT(early); i++) {
		const char *body;
		char both[200];
		int fd;

		open_noting((struct retort_options){.port = 0}, _i);
		add_early(early[i].faults);
		fd = connect_client();
		exchange_on(fd, early[i].first, NO);
		(void)snprintf(both, sizeof both, "%s%s", early[i].rest,
			GET("/one"));
		exchange_on(fd, both, ONE);
		/* and once more, at once */
		(void)snprintf(both, sizeof both, "%s%s%s", early[i].first,
			early[i].rest, LAST("/one"));
		exchange_last(fd, both, NO END);
		(void)ended(4);
		ck_assert_uint_eq(retort_stats(server).accepted, 1);
		ck_assert_uint_eq(retort_record(server, 4)->nth, 4);
		assert_verdict(NULL);
		(void)snprintf(both, sizeof both, "%s%s", early[i].first,
			early[i].rest);
		ck_assert_uint_eq(retort_record(server, 1)->received,
			strlen(both));
		body = strstr(both, "\r\n\r\n") + 4;
		for (size_t n = 1; n <= 3; n += 2)
			expect_told(n, body, strlen(body));
		expect_told(2, "", 0);
		expect_told(4, "", 0);
		close_server();
	}
}
END_TEST

/* However large it is. */
START_TEST(reads_a_large_body)
{
	enum { SIZE = 3 << 20 };
	struct bytes all = {.data = NULL}, got = {.data = NULL};
	char *body = calloc(1, SIZE);
	int fd;

	ck_assert_ptr_nonnull(body);
	bytes_add(&all, POST("Content-Length: 3145728\r\n"),
		strlen(POST("Content-Length: 3145728\r\n")));
	bytes_add(&all, body, SIZE);
	bytes_add(&all, LAST("/one"), strlen(LAST("/one")));
	open_noting((struct retort_options){.max_body = 1000}, _i);
	add_early("early");
	fd = connect_client();
	ck_assert_int_eq(talk(fd, all.data, all.size, &got, NULL), 0);
	assert_bytes(got.data, got.size, NO END, strlen(NO END));
	expect_told(1, body, SIZE);
	(void)close(fd);
	free(body);
	bytes_free(&all);
	bytes_free(&got);
	close_server();
}
END_TEST

/* Both are more than sockets hold, and the client reads nothing before it has
   sent all. */
START_TEST(reads_while_it_sends)
{
	enum { SIZE = 16 << 20 };
	char *all = malloc(SIZE + 1);
	struct bytes got = {.data = NULL};
	int fd;

	ck_assert_ptr_nonnull(all);
	memset(all, 'x', SIZE);
	all[SIZE] = '\0';
	open_noting((struct retort_options){.port = 0}, _i);
	/* it would have to be driven meanwhile */
	if (way->drive == OWN_THREAD) {
		ON("POST /x", .body = "y", .repeat = SIZE,
			.next = RETORT_NEXT_KEEP, .faults = "early");
		ON(NULL, .body = "one");
		fd = connect_client();
		say(fd, POST("Content-Length: 16777216\r\n"));
		say(fd, all);
		ck_assert_int_eq(talk(fd, LAST("/one"), strlen(LAST("/one")),
					 &got, NULL),
			0);
		ck_assert_uint_gt(got.size, SIZE);
		assert_bytes(got.data + got.size - strlen(END), strlen(END),
			END, strlen(END));
		(void)close(fd);
		bytes_free(&got);
	}
	free(all);
	close_server();
}
END_TEST

/* What closes it: nobody says otherwise; no body may come; it is malformed. */
START_TEST(closes_it_nevertheless)
{
	int fd;

	open_noting((struct retort_options){.port = 0}, _i);
	ON("POST /x", .if_absent = "Expect", .if_contains = "A: b",
		.body = "one", .faults = "early");
	ON("POST /x", .status = 413, .body = "no", .next = RETORT_NEXT_KEEP,
		.faults = "early");
	fd = connect_client();
	exchange_last(fd, POST("A: b\r\nContent-Length: 5\r\n"), END);
	fd = connect_client();
	exchange_last(fd, POST("Content-Length: 5\r\nExpect: 100-continue\r\n"),
		"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n"
		"Connection: close\r\n\r\nno");
	fd = connect_client();
	exchange_on(fd, POST_CHUNKED, NO);
	exchange_last(fd, "junk\r\n", "");
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_count(server), 3);
	close_server();
}
END_TEST

/* --- handlers --- */

/* Wants as much as the first byte of the path says, and tells what it saw. */
static int
choose(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	static char text[64];
	size_t wanted = (size_t)(exchange->path[1] - '0');

	++*(int *)arg;
	reply->next = RETORT_NEXT_KEEP;
	if (!exchange->complete && exchange->body_size < wanted) {
		reply->early = wanted;
		return RETORT_MORE;
	}
	(void)snprintf(text, sizeof text, "%.*s", (int)exchange->body_size,
		exchange->body_size > 0 ? (const char *)exchange->body : "");
	reply->body = text;
	return 0;
}

START_TEST(handlers_choose_how_much)
{
	static const char *const seen[] = {"", "h", "he", "hel", "hell",
		"hello", "hello"};

	for (int n = 0; n <= 6; n++) {
		char request[100], reply[100];
		int calls = 0, fd;

		open_noting((struct retort_options){.port = 0}, _i);
		ON("POST", .handler = choose, .handler_arg = &calls,
			.faults = "early");
		fd = connect_client();
		for (int round = 0; round < 2; round++) {
			(void)snprintf(request, sizeof request,
				"POST /%d HTTP/1.1\r\nHost: a\r\n"
				"Content-Length: 5\r\n\r\nhello",
				n);
			(void)snprintf(reply, sizeof reply,
				"HTTP/1.1 200 OK\r\nContent-Length: %zu"
				"\r\n\r\n%s",
				strlen(seen[n]), seen[n]);
			exchange_on(fd, request, reply);
		}
		ck_assert_int_eq(calls, n == 0 ? 2 : 4);
		(void)close(fd);
		close_server();
	}
}
END_TEST

static int
wants_no_more(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	reply->early = 2;
	return RETORT_MORE;
}

START_TEST(handlers_want_more_than_they_saw)
{
	open_keeping((struct retort_options){.port = 0}, _i);
	ck_assert_int_eq(retort_on(server, "/early", .body = "x", .early = 5,
				 .error = error),
		-EINVAL);
	ck_assert_str_eq(error,
		"early: a handler sets it, and returns RETORT_MORE; a rule has "
		"the fault 'early'");
	retort_reset(server);
	ON("POST", .handler = wants_no_more, .faults = "early 2");
	expect_begin(POST_5 "hello", "HTTP/1.1 500 ");
	assert_verdict("the handler of rule 1 failed: early: it has seen 2 "
		       "bytes already");
	close_server();
}
END_TEST

/* --- whose bytes they are --- */

/* However they are cut on their way. */
START_TEST(tells_each_its_own)
{
	static const char requests[] = POST_5 "hello" GET("/one")
		POST_CHUNKED CHUNKS POST("Content-Length: 0\r\n") POST_5
		"world" LAST("/one");
	const size_t size = sizeof requests - 1;

	for (size_t cut = 1; cut < size; cut += rt_test_thin() ? 37 : 7) {
		struct bytes got = {.data = NULL};
		int fd;

		open_noting((struct retort_options){.port = 0}, _i);
		ON(NULL, .body = "one");
		fd = connect_client();
		ck_assert_int_eq(send(fd, requests, cut, MSG_NOSIGNAL),
			(int)cut);
		turn(-1, 0, 1);
		ck_assert_int_eq(talk(fd, requests + cut, size - cut, &got,
					 NULL),
			0);
		assert_bytes(got.data, got.size, ONE ONE ONE ONE ONE END,
			strlen(ONE ONE ONE ONE ONE END));
		(void)close(fd);
		(void)ended(6);
		expect_told(1, "hello", 5);
		expect_told(2, "", 0);
		expect_told(3, CHUNKS, strlen(CHUNKS));
		expect_told(4, "", 0);
		expect_told(5, "world", 5);
		expect_told(6, "", 0);
		bytes_free(&got);
		close_server();
	}
}
END_TEST

/* What comes after the last one is dropped, and told as its own: at once, or
   when it comes. */
START_TEST(tells_what_is_dropped)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_noting((struct retort_options){.port = 0}, _i);
	ON(NULL, .body = "one");
	fd = connect_client();
	exchange_last(fd, GET("/one") LAST("/one") "more", ONE END);
	(void)ended(2);
	expect_told(1, "", 0);
	expect_told(2, "|more", 5);
	close_server();
	open_noting((struct retort_options){.port = 0}, _i);
	ON(NULL, .body = "no", .faults = "early");
	fd = connect_client();
	say(fd, POST_5 "he");
	ck_assert_int_eq(talk(fd, "", 0, &got, "no"), 0);
	exchange_last(fd, "llo", "");
	(void)ended(1);
	expect_told(1, "hello", 5);
	close_server();
	bytes_free(&got);
	open_noting((struct retort_options){.port = 0}, _i);
	ON(NULL, .body = "one", .next = RETORT_NEXT_CLOSE);
	fd = connect_client();
	say(fd, POST_5 "hello");
	got = (struct bytes){.data = NULL};
	ck_assert_int_eq(talk(fd, "", 0, &got, "one"), 0);
	exchange_last(fd, "more", "");
	(void)ended(1);
	expect_told(1, "hello|more", 10);
	close_server();
	bytes_free(&got);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keep_early");
	const TTest *const tests[] = {replies_before_the_body,
		reads_a_large_body, reads_while_it_sends,
		closes_it_nevertheless, handlers_choose_how_much,
		handlers_want_more_than_they_saw, tells_each_its_own,
		tells_what_is_dropped, NULL};

	rt_test_cases(suite, "early", tests, 0, BASIC_WAYS);
	return rt_test_run(suite);
}
