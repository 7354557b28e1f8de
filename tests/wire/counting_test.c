/* SPDX-License-Identifier: MIT */
/*
 * Connections that are counted: rules for the first and the later requests of
 * one, and expectations of how many there are.
 */
#include "config.h"

#include "wire/keeping.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* So many requests for /one on one connection after another. */
static void
ask_for(const int *counts, size_t size)
{
	for (size_t i = 0; i < size && counts[i] > 0; i++) {
		int fd = connect_client();

		for (int n = 1; n < counts[i]; n++)
			exchange_on(fd, GET("/one"), ONE);
		exchange_last(fd, LAST("/one"), END);
	}
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
}

static const struct {
	const char *connections;
	int counts[4];    /* of requests */
	const char *text; /* NULL: as expected */
} counted[] = {
	{"1", {5}, NULL},
	{"2", {2, 3}, NULL},
	{"1-2", {5}, NULL},
	{"1-2", {1, 4}, NULL},
	{"3+", {1, 1, 1, 2}, NULL},
	{"0-9", {1, 1, 1, 2}, NULL},
	{"1", {4, 1},
		"expectation 1 (GET /one): expected exactly 5 on exactly 1 "
		"connection, got 5 on 2\n"
		"  got: GET /one, answered 200 by rule 1 (connection 1)\n"
		"  got: GET /one, answered 200 by rule 1 (connection 1, exchange 2)\n"
		"  got: GET /one, answered 200 by rule 1 (connection 1, exchange 3)\n"
		"  got: GET /one, answered 200 by rule 1 (connection 1, exchange 4)\n"
		"  got: GET /one, answered 200 by rule 1 (connection 2)\n"
		"connection 1 from "},
	{"0-1", {4, 1},
		"expected exactly 5 on at most 1 connection, got 5 "
		"on 2\n"},
	{"2-3", {5}, "expected exactly 5 on 2 to 3 connections, got 5 on 1\n"},
	{"2+", {5},
		"expected exactly 5 on at least 2 connections, got 5 on "
		"1\n"},
	/* the number of requests is wrong as well */
	{"2", {4},
		"expected exactly 5 on exactly 2 connections, got 4 on "
		"1\n"},
};

START_TEST(counts_connections)
{
	open_keeping((struct retort_options){.port = 0}, 2);
	ON(NULL, .body = "one");
	ck_assert_int_eq(retort_expect(server, "GET /one", .times = 5,
				 .connections = counted[_i].connections),
		1);
	ask_for(counted[_i].counts, 4);
	assert_verdict(counted[_i].text);
	if (counted[_i].text == NULL)
		ck_assert_ptr_null(strstr(retort_verdict(server), "nearest"));
	close_server();
}
END_TEST

#define UNKEPT \
	"  without @next or keep-alive (.keep_alive, --keep-alive), a " \
	"connection has one request\n"

/* A verdict about too many says so if no client can do otherwise. */
START_TEST(counts_connections_that_are_not_kept)
{
	open_plain(_i);
	ON(NULL, .body = "one");
	retort_expect(server, "/one", .times = 2, .connections = "3");
	for (int i = 0; i < 2; i++)
		expect_begin(GET("/one"), "HTTP/1.1 200 OK\r\n");
	assert_verdict("expected exactly 2 on exactly 3 connections, got 2 on "
		       "2\n  got: ");
	retort_reset(server);
	ON(NULL, .body = "one");
	retort_expect(server, "/one", .times = 2, .connections = "1");
	for (int i = 0; i < 2; i++)
		expect_begin(GET("/one"), "HTTP/1.1 200 OK\r\n");
	assert_verdict("expected exactly 2 on exactly 1 connection, got 2 on "
		       "2\n" UNKEPT "  got: ");
	ON("/two", .next = RETORT_NEXT_KEEP);
	assert_verdict("expected exactly 2 on exactly 1 connection, got 2 on "
		       "2\n  got: ");
	close_server();
}
END_TEST

/* Of others there may be as many as there want to be. */
START_TEST(counts_those_that_fit)
{
	int fd;

	open_keeping((struct retort_options){.port = 0}, _i);
	ON(NULL, .body = "one");
	retort_expect(server, "/a", .times = 2, .connections = "1");
	retort_expect(server, "/b", .connections = "2");
	retort_expect(server, "/c", .never = true, .connections = "0");
	fd = connect_client();
	exchange_on(fd, GET("/a"), ONE);
	exchange_on(fd, GET("/b"), ONE);
	exchange_on(fd, GET("/a"), ONE);
	exchange_last(fd, LAST("/b"), END);
	assert_verdict("expectation 2 (/b): expected at least 1 on exactly 2 "
		       "connections, got 2 on 1\n");
	fd = connect_client();
	exchange_last(fd, LAST("/b"), END);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A client that connects, says nothing and leaves, as a health check does. */
START_TEST(counts_those_that_are_silent)
{
	open_keeping((struct retort_options){.port = 0}, _i);
	retort_expect(server, .never = true, .connections = "1");
	assert_verdict("expectation 1 (any request): expected no request on "
		       "exactly 1 connection, got 0 on 0\n");
	(void)close(connect_client());
	TURN_UNTIL(retort_stats(server).accepted == 1);
	assert_verdict(NULL);
	(void)close(connect_client());
	TURN_UNTIL(retort_stats(server).accepted == 2);
	assert_verdict("expectation 1 (any request): expected no request on "
		       "exactly 1 connection, got 0 on 2\n");
	/* of a test, or of those that are still open */
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	retort_reset(server, RETORT_ENDED);
	assert_verdict("got 0 on 0\n");
	retort_reset(server);
	ON(NULL, .body = "one");
	retort_expect(server, .never = true, .connections = "0");
	assert_verdict(NULL);
	exchange_last(connect_client(), LAST("/one"), END);
	assert_verdict("expectation 1 (any request): expected no request on "
		       "exactly 0 connections, got 1 on 1\n"
		       "  got: GET /one, answered 200 by rule 1 (connection "
		       "3)\n");
	close_server();
}
END_TEST

/* By their numbers. */
START_TEST(tells_the_first_from_others)
{
	int fd;

	open_keeping((struct retort_options){.port = 0}, _i);
	ON("/x", .if_nth = "3-4", .status = 204);
	ON("/x", .if_nth = "2+", .faults = "end reset");
	ON("/x", .body = "one");
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	exchange_until(fd, GET("/x"),
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		way->adopted ? 0 : ECONNRESET);
	fd = connect_client();
	exchange_on(fd, GET("/one"),
		"HTTP/1.1 501 Not Implemented\r\nContent-Length: 63\r\n\r\n"
		"no rule fits GET /one: path differs from rule 3 \"/x\" at byte 1\n");
	(void)close(fd);
	ck_assert_uint_eq(retort_count(server, .if_nth = "1"), 2);
	ck_assert_uint_eq(retort_count(server, "/x", .if_nth = "2"), 1);
	ck_assert_uint_eq(retort_count(server, .if_nth = "2+"), 1);
	ck_assert_uint_eq(retort_count(server, .if_nth = "3+"), 0);
	close_server();
}
END_TEST

START_TEST(says_which_was_wanted)
{
	int fd;

	open_keeping((struct retort_options){.port = 0}, 2);
	ON("/x", .if_nth = "2+", .body = "one");
	retort_expect(server, "/x", .if_nth = "2-3");
	fd = connect_client();
	say(fd, LAST("/x"));
	(void)ended(1);
	assert_verdict("number on its connection differs from rule 1: expected "
		       "2+, was 1");
	assert_verdict("expectation 1 (/x, number 2-3 on its connection): "
		       "expected at least 1, got 0\n"
		       "  nearest: GET /x (connection 1): number on its "
		       "connection differs from expectation 1: expected 2-3, "
		       "was 1\n");
	(void)close(fd);
	close_server();
}
END_TEST

/* Pieces have numbers, too. */
START_TEST(numbers_of_pieces)
{
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .framing = "lines"},
		_i);
	ON(NULL, .if_nth = "2", .body = "second\n");
	ON(NULL, .body = "other\n");
	fd = connect_client();
	exchange_on(fd, "a\n", "other\n");
	exchange_on(fd, "b\n", "second\n");
	exchange_on(fd, "c\n", "other\n");
	(void)close(fd);
	close_server();
}
END_TEST

static int
load(const char *text)
{
	return retort_load(server, .text = text, .name = "s", .error = error);
}

START_TEST(in_scenarios)
{
	const int counts[] = {2, 1};

	open_keeping((struct retort_options){.port = 0}, _i);
	ck_assert_msg(load("@on /one\n@if-nth 1\nHTTP/1.1 200 OK\n\none\n"
			   "@then\nHTTP/1.1 200 OK\n\none\n"
			   "@on /one\n@if-nth 2+\nHTTP/1.1 200 OK\n\none\n"
			   "@expect 2 /one\n@if-nth 1\n@connections 2\n"
			   "@expect 3\n@connections 3+\n") == 0,
		"%s", error);
	ask_for(counts, 2);
	assert_verdict("s:18 (any request): expected exactly 3 on at least 3 "
		       "connections, got 3 on 2\n");
	ck_assert_ptr_null(strstr(retort_verdict(server), "s:15"));
	close_server();
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} malformed[] = {
	{"@on\n@if-nth\n@echo",
		"s:2:8: the line ends: expected a number from 1, N+ or N-M"},
	{"@on\n@if-nth 0\n@echo",
		"s:2:9: '0': expected a number from 1, N+ or N-M"},
	{"@on\n@if-nth 0+\n@echo",
		"s:2:9: '0+': expected a number from 1, N+ or N-M"},
	{"@on\n@if-nth 3-2\n@echo",
		"s:2:9: '3-2': expected a number from 1, N+ or N-M"},
	{"@on\n@if-nth 2 3\n@echo",
		"s:2:9: '2 3': expected a number from 1, N+ or N-M"},
	{"@expect 1\n@connections some",
		"s:2:14: 'some': expected a number of connections: N, N+ or "
		"N-M"},
	{"@expect 1\n@connections 2-1",
		"s:2:14: '2-1': expected a number of connections: N, N+ or "
		"N-M"},
	{"@connections 1",
		"s:1:1: '@connections 1': expected @expect before it"},
	{"@on\n@connections 1",
		"s:2:1: '@connections 1': expected @expect before it"},
	{"@accepted\n@if-nth 1\n@raw \"a\"",
		"s:2:1: @if-nth: no request has arrived when a connection is "
		"accepted"},
};

START_TEST(what_is_malformed)
{
	open_plain(2);
	ck_assert_int_eq(load(malformed[_i].text), -EINVAL);
	ck_assert_msg(strncmp(error, malformed[_i].error,
			      strlen(malformed[_i].error)) == 0,
		"expected %s, got %s", malformed[_i].error, error);
	close_server();
}
END_TEST

START_TEST(what_is_malformed_in_c)
{
	static const char *const wrong[] = {"", "0", "x", "2-1", "1-", "-1",
		"1 ", "+", "99999999999999999999999999-1"};

	open_plain(2);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		ck_assert_int_eq(retort_on(server, .if_nth = wrong[i],
					 .body = "x"),
			-EINVAL);
		ck_assert_uint_eq(retort_count(server, .if_nth = wrong[i]),
			SIZE_MAX);
		/* none is a number of connections */
		ck_assert_int_eq(retort_expect(server, .connections = wrong[i]),
			strcmp(wrong[i], "0") == 0 ? 1 : -EINVAL);
	}
	assert_verdict("if_nth: 'x': expected a number from 1, N+ or N-M");
	assert_verdict("connections: 'x': expected N, N+ or N-M");
	ck_assert_uint_eq(retort_count(server, .connections = "1"), SIZE_MAX);
	assert_verdict("connections are for retort_expect()");
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("counting");
	const TTest *const tests[] = {counts_those_that_fit,
		counts_connections_that_are_not_kept,
		counts_those_that_are_silent, tells_the_first_from_others,
		numbers_of_pieces, in_scenarios, NULL};
	const TTest *const words[] = {says_which_was_wanted,
		what_is_malformed_in_c, NULL};
	TCase *tcase = tcase_create("numbers");

	rt_test_cases(suite, "counting", tests, 0, BASIC_WAYS);
	rt_test_cases(suite, "words", words, 0, 1);
	tcase_add_loop_test(tcase, counts_connections, 0, COUNT(counted));
	tcase_add_loop_test(tcase, what_is_malformed, 0, COUNT(malformed));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
