/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong with connections that were to be kept, at the client's end:
 * the cases of Kept connections in retort(5).
 */
#include "config.h"

#include "wire/keeping.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY(length, rest) \
	"HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" rest

/* A server whose first rule is this one, for /x, and which else gives ONE. */
static void
open_with_rule(struct retort_reply rule, int i)
{
	open_keeping((struct retort_options){.idle_timeout = PATIENCE}, i);
	rule.request = "/x";
	if (rule.body == NULL)
		rule.body = "one";
	ck_assert_int_eq(add_rule(rule), 1);
	ON(NULL, .body = "one");
}

static void
open_spoiled(const char *faults, int i)
{
	open_with_rule((struct retort_reply){.faults = faults}, i);
}

/* Whatever the server has to do is done, and the client is told nothing. */
static void
expect_silence(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	int other = connect_client();

	exchange_last(other, LAST("/other"), END);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
}

/* --- it is closed, though the reply promised otherwise --- */

static const struct {
	const char *faults;
	int end;
	int least; /* ms */
} closings[] = {
	{"end fin", 0, 0},
	{"end reset", ECONNRESET, 0},
	{"end fin; pause 30 100%", 0, 30},
	{"end reset; pause 30 100%", ECONNRESET, 30},
};

/* Those of the second exchange stand before its reply. */
static void
assert_transcript(const char *faults)
{
	struct bytes got = {.data = retort_transcript(server, 1)};
	char line[200];

	ck_assert_ptr_nonnull(got.data);
	got.size = strlen(got.data);
	(void)snprintf(line, sizeof line, " - [%s]\n", faults);
	assert_has(got, line);
	ck_assert_ptr_eq(strchr(got.data, '['), strstr(got.data, line) + 3);
	bytes_free(&got);
}

START_TEST(closes_after_the_reply)
{
	for (size_t i = 0; i < COUNT(closings); i++) {
		int64_t began = now_ms();
		int fd;

		open_spoiled(closings[i].faults, _i);
		fd = connect_client();
		exchange_on(fd, GET("/one"), ONE);
		exchange_until(fd, GET("/x"), ONE, closings[i].end);
		ck_assert_int_ge(now_ms() - began, closings[i].least);
		ck_assert_int_eq(ended(2)->end, RETORT_ANSWERED);
		assert_transcript(ended(2)->faults);
		assert_verdict(NULL);
		close_server();
	}
}
END_TEST

/* The client's request crosses the end of its connection. */
START_TEST(closes_whatever_comes_meanwhile)
{
	int fd;

	open_spoiled("end fin; pause 30 100%", _i);
	fd = connect_client();
	exchange_until(fd, GET("/x") GET("/one"), ONE, 0);
	ck_assert_uint_eq(retort_count(server), 1);
	close_server();
}
END_TEST

static const struct {
	const char *faults;
	int end;
} races[] = {
	{"end fin; await", 0},
	{"end reset; await", ECONNRESET},
	{"await; cut 100% reset", ECONNRESET},
};

START_TEST(closes_at_the_next_byte)
{
	for (size_t i = 0; i < COUNT(races); i++) {
		int fd;

		open_spoiled(races[i].faults, _i);
		fd = connect_client();
		exchange_on(fd, GET("/x"), ONE);
		expect_silence(fd);
		exchange_until(fd, "G", "", races[i].end);
		/* which has come already */
		fd = connect_client();
		exchange_until(fd, GET("/x") "G", ONE, races[i].end);
		(void)ended(3);
		/* what was begun is no request */
		ck_assert_uint_eq(retort_count(server), 3);
		ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
		assert_verdict(NULL);
		close_server();
	}
}
END_TEST

/* Without another request, too, at last. */
START_TEST(waits_for_no_more)
{
	int fd;

	open_keeping((struct retort_options){.idle_timeout = 20}, _i);
	ON(NULL, .body = "one", .faults = "end reset; await");
	fd = connect_client();
	exchange_until(fd, GET("/"), ONE, ECONNRESET);
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	close_server();
	/* the client leaves */
	open_spoiled("end reset; await", _i);
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->client_close, RETORT_FIN);
	close_server();
	/* the server stops, and cuts nothing off */
	open_spoiled("end reset; await", _i);
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	ck_assert_ptr_null(finish(0));
	exchange_until(fd, "", "", 0);
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	close_server();
}
END_TEST

/* Once the whole of the next request has come; and the third. */
START_TEST(closes_after_so_many)
{
	int fd;

	open_with_rule((struct retort_reply){.if_nth = "2+",
			       .faults = "cut 0 reset"},
		_i);
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	exchange_until(fd, GET("/x"), "", ECONNRESET);
	(void)ended(2);
	ck_assert_uint_eq(retort_count(server), 2);
	close_server();
	open_with_rule((struct retort_reply){.if_nth = "3",
			       .faults = "end fin"},
		_i);
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	exchange_on(fd, GET("/x"), ONE);
	exchange_until(fd, GET("/x"), ONE, 0);
	close_server();
}
END_TEST

/* It promises a minute. */
START_TEST(is_kept_for_less)
{
	int64_t began;
	int fd;

	open_with_rule((struct retort_reply){.idle = 30,
			       .fields = "Keep-Alive: timeout=60"},
		_i);
	/* a request in time is answered, and the next reply has its own */
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	began = now_ms();
	exchange_until(fd, GET("/x"),
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		"Keep-Alive: timeout=60\r\n\r\none",
		0);
	ck_assert_int_ge(now_ms() - began, 30);
	fd = connect_client();
	exchange_on(fd, GET("/x") GET("/one"),
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		"Keep-Alive: timeout=60\r\n\r\none" ONE);
	began = now_ms();
	while (now_ms() < began + 40)
		turn(-1, 0, 5);
	exchange_last(fd, LAST("/one"), END);
	close_server();
}
END_TEST

START_TEST(is_kept_for_ever)
{
	int fd, other;

	open_keeping((struct retort_options){.idle_timeout = 20}, _i);
	ON("/x", .body = "one", .idle = -1);
	ON(NULL, .body = "one");
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	other = connect_client();
	exchange_on(other, GET("/one"), ONE);
	exchange_until(other, "", "", 0);
	exchange_last(fd, LAST("/one"), END);
	close_server();
}
END_TEST

/* Pieces, too. */
START_TEST(pieces_are_waited_for)
{
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .framing = "lines"},
		_i);
	ON(NULL, .if_body = "short\n", .body = "ok\n", .idle = 20);
	ON(NULL, .body = "ok\n");
	fd = connect_client();
	exchange_on(fd, "a\n", "ok\n");
	exchange_until(fd, "short\n", "ok\n", 0);
	close_server();
}
END_TEST

/* --- other bytes than were promised --- */

#define LATE "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
#define EVIL REPLY("4", "evil")

/* The replies to two requests, the second of which comes when the first reply
   is there; and how the connection ends, or that it does not: -1. */
static const struct {
	const char *faults;
	const char *first;
	const char *second; /* NULL: it comes no more */
	int end;
} bytes[] = {
	{"append \"HTTP/1.1 408 Request Timeout\\r\\nConnection: "
	 "close\\r\\n\\r\\n\" 20; end fin",
		ONE LATE, NULL, 0},
	{"append \"junk\" 20", ONE "junk", ONE, -1},
	{"append \"junk\"", ONE "junk", ONE, -1},
	{"append \"\\r\\n\"", ONE "\r\n", ONE, -1},
	{"append \"a\" 5; append \"b\" 5", ONE "ab", ONE, -1},
	{"append \"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nevil\"",
		ONE EVIL, ONE, -1},
	{"append \"x\"; end reset", ONE "x", NULL, ECONNRESET},
	{"cut body 1; append \"xx\"", REPLY("3", "oxx"), NULL, 0},
	{"length -2", REPLY("1", "one"), ONE, -1},
	{"length +40", REPLY("43", "one"), ONE, -1},
	{"status 404",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n"
		"404 Not Found\n",
		ONE, -1},
	/* without a head only the close says where it ends */
	{"headless", "one", NULL, 0},
	{"garbage 2", "uW", NULL, 0},
};

START_TEST(sends_other_bytes)
{
	int fd;

	open_spoiled(bytes[_i].faults, 2);
	fd = connect_client();
	exchange_on(fd, GET("/x"), bytes[_i].first);
	if (bytes[_i].second != NULL)
		exchange_last(fd, LAST("/one"), END);
	else
		exchange_until(fd, "", "", bytes[_i].end);
	ck_assert_int_eq(ended(1)->kept, bytes[_i].second != NULL);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A rule that keeps its connection does so without a head, too. */
START_TEST(is_kept_without_a_head)
{
	static const struct {
		const char *faults;
		const char *reply;
	} rows[] = {{"headless", "one"}, {"garbage 2", "uW"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd;

		open_with_rule((struct retort_reply){.faults = rows[i].faults,
				       .next = RETORT_NEXT_KEEP},
			_i);
		fd = connect_client();
		exchange_on(fd, GET("/x"), rows[i].reply);
		exchange_last(fd, LAST("/one"), END);
		close_server();
	}
}
END_TEST

/* So long after the reply. */
START_TEST(sends_them_later)
{
	int64_t began;
	int fd;

	open_spoiled("append \"junk\" 30", _i);
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	began = now_ms();
	exchange_on(fd, GET("/x"), ONE "junk");
	ck_assert_int_ge(now_ms() - began, 30);
	exchange_last(fd, LAST("/one"), END);
	close_server();
}
END_TEST

START_TEST(never_ends)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_spoiled("endless", _i);
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	ck_assert_int_eq(talk(fd, GET("/x"), strlen(GET("/x")), &got,
				 "and so on\n"),
		0);
	assert_begins(got, "HTTP/1.1 200 OK\r\n\r\noneand so on");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* No request is answered any more. */
START_TEST(falls_silent)
{
	int fd;

	open_spoiled("end stall", _i);
	fd = connect_client();
	exchange_on(fd, GET("/x"), ONE);
	say(fd, GET("/one"));
	expect_silence(fd);
	(void)close(fd);
	(void)ended(1);
	ck_assert_uint_eq(retort_count(server, "/one"), 0);
	close_server();
}
END_TEST

/* Each gets the other's, as nothing else tells replies apart. */
START_TEST(answers_in_another_order)
{
	int fd;

	open_keeping((struct retort_options){.port = 0}, _i);
	ON("/1", .body = "two");
	ON("/2", .body = "one");
	fd = connect_client();
	exchange_on(fd, GET("/1") GET("/2"),
		REPLY("3", "two") REPLY("3", "one"));
	(void)close(fd);
	close_server();
}
END_TEST

/* --- words --- */

START_TEST(in_scenarios)
{
	int fd;

	open_keeping((struct retort_options){.port = 0}, _i);
	ck_assert_msg(
		retort_load(server, .error = error,
			.text = "@on /x\n@idle 20ms\n@fault end fin; "
				"await\nHTTP/1.1 200 OK\n\none\n"
				"@on\n@idle 99s\nHTTP/1.1 200 OK\n\none\n") ==
			0,
		"%s", error);
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	exchange_until(fd, GET("/x"), ONE, 0);
	close_server();
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} malformed[] = {
	{"@on\n@fault await",
		"s:2:8: 'await': expected an end with it that is no stall, "
		"such as 'end reset'"},
	{"@on\n@fault end stall; await",
		"s:2:19: 'await': expected an end with it that is no stall, "
		"such as 'end reset'"},
	{"@on\n@fault append",
		"s:2:14: after 'append': expected bytes in double quotes"},
	{"@on\n@fault append \"a\" x",
		"s:2:19: 'x': expected a time, such as 250ms or 2s"},
	{"@on\n@idle",
		"s:2:6: the line ends: expected a time from 1ms, such "
		"as 200ms or 2s"},
	{"@on\n@idle 0",
		"s:2:7: '0': expected a time from 1ms, such as 200ms "
		"or 2s"},
	{"@on\n@idle x",
		"s:2:7: 'x': expected a time from 1ms, such as 200ms "
		"or 2s"},
	{"@on\n@fault end reset\n@idle 1s",
		"s:2:8: end: not with @idle, unless with await: it waits for "
		"no other request"},
};

/* Some of these replies do not end the connection, or it waits before. */
START_TEST(an_end_goes_with_a_wait)
{
	static const char *const texts[] =
		{"@on\n@idle 1s\n@fault await; end reset",
			"@on\n@idle 1s\n@fault end reset chance 1%",
			"@on\n@idle 1s\n@fault cut 5", "@on\n@fault end reset"};

	open_plain(2);
	for (size_t i = 0; i < COUNT(texts); i++)
		ck_assert_msg(retort_load(server, .text = texts[i],
				      .error = error) == 0,
			"%s", error);
	close_server();
}
END_TEST

START_TEST(what_is_malformed)
{
	open_plain(2);
	ck_assert_int_eq(retort_load(server, .text = malformed[_i].text,
				 .name = "s", .error = error),
		-EINVAL);
	ck_assert_msg(strncmp(error, malformed[_i].error,
			      strlen(malformed[_i].error)) == 0,
		"expected %s, got %s", malformed[_i].error, error);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keep_faults");
	const TTest *const tests[] = {closes_after_the_reply,
		closes_whatever_comes_meanwhile, closes_at_the_next_byte,
		waits_for_no_more, closes_after_so_many, is_kept_for_less,
		is_kept_for_ever, pieces_are_waited_for, sends_them_later,
		is_kept_without_a_head, never_ends, falls_silent,
		answers_in_another_order, in_scenarios, NULL};
	TCase *tcase = tcase_create("rows");

	rt_test_cases(suite, "kept connections", tests, 0, BASIC_WAYS);
	tcase_add_loop_test(tcase, sends_other_bytes, 0, COUNT(bytes));
	tcase_add_loop_test(tcase, what_is_malformed, 0, COUNT(malformed));
	tcase_add_test(tcase, an_end_goes_with_a_wait);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
