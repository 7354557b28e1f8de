/* SPDX-License-Identifier: MIT */
/* The library: rules that want a state and leave another. */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGIN "POST /login" HOST "Content-Length: 0\r\n\r\n"
#define LOGOUT "POST /logout" HOST "Content-Length: 0\r\n\r\n"

START_TEST(logs_in)
{
	open_plain(_i);
	ON("POST /login", .then_in = "in", .status = 204);
	ON("POST /logout", .in = "in", .then_in = "start", .status = 204);
	ON("GET /", .in = "in", .body = "welcome");
	ON("GET /", .status = 401);
	expect_begin(GET, "HTTP/1.1 401 ");
	expect_begin(LOGIN, "HTTP/1.1 204 ");
	expect_begin(GET, "HTTP/1.1 200 ");
	expect_begin(GET, "HTTP/1.1 200 ");
	expect_begin(LOGOUT, "HTTP/1.1 204 ");
	expect_begin(GET, "HTTP/1.1 401 ");
	ck_assert_str_eq(ended(1)->in, "start connection:start");
	ck_assert_str_eq(ended(2)->in, "start connection:start");
	ck_assert_str_eq(ended(3)->in, "in connection:start");
	ck_assert_str_eq(ended(5)->in, "in connection:start");
	ck_assert_str_eq(ended(6)->in, "start connection:start");
	/* and so in what is asked about them */
	ck_assert_uint_eq(retort_count(server, "GET /", .in = "in"), 2);
	ck_assert_uint_eq(retort_count(server, .in = "start"), 3);
	ck_assert_uint_eq(retort_count(server, .in = "other:start"), 6);
	assert_verdict(NULL);
	ck_assert_int_gt(retort_expect(server, "GET /", .times = 1,
				 .in = "out"),
		0);
	assert_verdict(
		"expectation 1 (GET /, in out): expected exactly 1, got 0\n"
		"  nearest: GET /, answered 401 by rule 4 (connection 1): state differs from "
		"expectation 1: expected out, was start\n");
	close_server();
}
END_TEST

START_TEST(a_miss_names_both_states)
{
	open_plain(_i);
	ON("GET /", .in = "cart:full", .body = "x");
	ON("POST /login", .then_in = "cart:empty connection:x");
	expect_begin(LOGIN, "HTTP/1.1 200 ");
	expect_begin(GET, "HTTP/1.1 501 ");
	ck_assert_str_eq(ended(2)->in, "cart:empty connection:start");
	assert_verdict("connection 2: no rule fits GET /: state differs from "
		       "rule 1: expected cart:full, was empty\n");
	close_server();
}
END_TEST

START_TEST(a_reset_is_a_new_start)
{
	open_plain(_i);
	ON("POST /login", .then_in = "in");
	expect_begin(LOGIN, "HTTP/1.1 200 ");
	retort_reset(server, RETORT_RECORDS);
	ON("GET /", .in = "in", .body = "welcome");
	expect_begin(GET, "HTTP/1.1 200 ");
	(void)ended(1);
	retort_reset(server);
	ON("POST /login", .then_in = "in");
	ON("GET /", .in = "in", .body = "welcome");
	ON("GET /", .status = 401);
	expect_begin(GET, "HTTP/1.1 401 ");
	ck_assert_str_eq(ended(1)->in, "start connection:start");
	close_server();
}
END_TEST

/* Nobody pays who has no states. */
START_TEST(without_states_there_are_none)
{
	open_plain(_i);
	ON("GET /", .in = "start", .body = "x");
	expect_begin(GET, "HTTP/1.1 200 ");
	ck_assert_ptr_null(ended(1)->in);
	assert_verdict(NULL);
	close_server();
}
END_TEST

static int
fail_once(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	reply->body = "handled";
	return (*(int *)arg)++ == 0 ? RETORT_MORE : 0;
}

/* A connection's own state, which others do not have; and a state is left when
   an answer is chosen, and not while more of the piece is wanted. */
START_TEST(talks_on_several_connections)
{
	struct bytes got = {.data = NULL};
	int fds[2], calls = 0;

	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .framing = "lines"},
		_i);
	ON(.in = "connection:data", .if_body = ".\n",
		.then_in = "connection:start", .body = "queued\n");
	ON(.in = "connection:data", .silent = true);
	ON(.if_body = "DATA\n", .then_in = "connection:data", .body = "go\n");
	ON(.if_body_begins = "more", .then_in = "connection:data",
		.handler = fail_once, .handler_arg = &calls);
	ON(.body = "what?\n");
	for (int i = 0; i < 2; i++)
		fds[i] = connect_plain(SOCK_STREAM);
	ck_assert_int_eq(talk(fds[0], "DATA\nDATA\n", 10, &got, "go\n"), 0);
	ck_assert_int_eq(talk(fds[1], ".\n", 2, &got, "what?\n"), 0);
	ck_assert_int_eq(talk(fds[0], ".\n.\n", 4, &got, "queued\nwhat?\n"), 0);
	assert_bytes(got.data, got.size, "go\nwhat?\nqueued\nwhat?\n", 22);
	got.size = 0;
	ck_assert_int_eq(talk(fds[1], "more\nx\n.\n", 9, &got,
				 "handledqueued\n"),
		0);
	for (int i = 0; i < 2; i++)
		(void)close(fds[i]);
	bytes_free(&got);
	ck_assert_str_eq(ended(1)->in, "connection:start");
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(mistakes_about_states_are_told)
{
	char name[40];

	open_plain(_i);
	ck_assert_int_eq(retort_on(server, .in = "a b", .error = error),
		-EINVAL);
	ck_assert_str_eq(error,
		"in: 'b': expected one state of each name; 'a' is one already");
	ck_assert_int_eq(retort_on(server, .then_in = "", .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "then_in: expected a state, such as ready");
	ck_assert_int_eq(retort_answer(server, .then_in = "a", .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "then_in: only a rule has it");
	for (int i = 0; i < 32; i++) {
		(void)snprintf(name, sizeof name, "n%d:x", i);
		ON(.then_in = name);
	}
	ck_assert_int_eq(retort_on(server, .then_in = "o:x", .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "then_in: more than 32 names of states");
	retort_reset(server);
	ON(.then_in = "o:x");
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("states");
	const TTest *const tests[] = {logs_in, a_miss_names_both_states,
		a_reset_is_a_new_start, without_states_there_are_none,
		talks_on_several_connections, NULL};
	const TTest *const mistakes[] = {mistakes_about_states_are_told, NULL};

	rt_test_cases(suite, "states", tests, 0, BASIC_WAYS);
	rt_test_cases(suite, "mistakes", mistakes, 0, 1);
	return rt_test_run(suite);
}
