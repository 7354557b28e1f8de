/* SPDX-License-Identifier: MIT */
/* Log lines: each format byte for byte, and what must never get into one. */
#include "config.h"

#include <check.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"
#include "journal.h"

#define NS INT64_C(1000000000)

static const enum retort_log formats[] = {RETORT_LOG_SHORT, RETORT_LOG_COMMON,
	RETORT_LOG_JSON};

/* One exchange; a test changes what it is about. */
static struct retort_exchange
make_exchange(const char *request, size_t size)
{
	return (struct retort_exchange){
		.connection = 7,
		.client = "127.0.0.1:51234",
		.request = request,
		.request_size = size,
		.status = 200,
		.end = RETORT_ANSWERED,
		.received = 78,
		.sent = 1234,
		.sent_body = 1024,
		.began = 784111777 * NS + 123456789,
		.duration = 1 * NS + 2345678,
	};
}

static void
assert_line(const struct retort_exchange *exchange, enum retort_log format,
	const char *expected)
{
	char line[PIPE_BUF];
	size_t size = retort_log_line(exchange, format, line, sizeof line);

	assert_bytes(line, size, expected, strlen(expected));
}

static void
set_zone(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

#define REQUEST "GET /x?y HTTP/1.1"

START_TEST(short_lines)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));

	set_zone("UTC0");
	/* the time is that of the end */
	assert_line(&exchange, RETORT_LOG_SHORT,
		"08:49:38.125 127.0.0.1:51234 \"" REQUEST
		"\" 200 1234 1002.345 ms\n");
	set_zone("XXX-5:30");
	exchange.client = "[::1]:80";
	exchange.duration = 999;
	assert_line(&exchange, RETORT_LOG_SHORT,
		"14:19:37.123 [::1]:80 \"" REQUEST "\" 200 1234 0.000 ms\n");
	set_zone("UTC0");
	exchange.client = "unix";
	exchange.status = 0;
	exchange.sent = 0;
	exchange.request_size = 0;
	exchange.end = RETORT_RESET;
	assert_line(&exchange, RETORT_LOG_SHORT,
		"08:49:37.123 unix \"\" - 0 0.000 ms (reset)\n");
}
END_TEST

START_TEST(common_lines)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));

	/* its zone is always UTC */
	set_zone("XXX-5:30");
	assert_line(&exchange, RETORT_LOG_COMMON,
		"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"" REQUEST
		"\" 200 1024\n");
	exchange.client = "[::1]:80";
	exchange.status = 304;
	exchange.sent_body = 0;
	assert_line(&exchange, RETORT_LOG_COMMON,
		"[::1] - - [06/Nov/1994:08:49:37 +0000] \"" REQUEST
		"\" 304 -\n");
	exchange.client = "unix";
	exchange.status = 0;
	exchange.request_size = 0;
	assert_line(&exchange, RETORT_LOG_COMMON,
		"unix - - [06/Nov/1994:08:49:37 +0000] \"\" - -\n");
}
END_TEST

START_TEST(json_lines)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));

	set_zone("XXX-5:30");
	assert_line(&exchange, RETORT_LOG_JSON,
		"{\"time\":\"1994-11-06T08:49:37.123Z\",\"connection\":7,"
		"\"client\":\"127.0.0.1:51234\",\"request\":\"" REQUEST "\","
		"\"status\":200,\"received\":78,\"sent\":1234,"
		"\"ms\":1002.345,\"end\":\"answered\"}\n");
	exchange.client = "unix";
	exchange.status = 0;
	exchange.request_size = 0;
	exchange.connection = UINT64_MAX;
	exchange.received = UINT64_MAX;
	exchange.sent = UINT64_MAX;
	exchange.duration = 0;
	exchange.end = RETORT_TIMED_OUT;
	assert_line(&exchange, RETORT_LOG_JSON,
		"{\"time\":\"1994-11-06T08:49:37.123Z\","
		"\"connection\":18446744073709551615,"
		"\"client\":\"unix\",\"request\":\"\","
		"\"status\":0,\"received\":18446744073709551615,"
		"\"sent\":18446744073709551615,"
		"\"ms\":0.000,\"end\":\"timed out\"}\n");
}
END_TEST

/* How it ended is told when that was not as usual; JSON always tells. */
static const struct {
	enum retort_end end;
	const char *text;
} ends[] = {
	{RETORT_ANSWERED, "answered"},
	{RETORT_CLOSED, "closed"},
	{RETORT_RESET, "reset"},
	{RETORT_TIMED_OUT, "timed out"},
	{RETORT_STOPPED, "stopped"},
	{RETORT_TRUNCATED, "truncated"},
	{RETORT_FAILED, "failed"},
};

START_TEST(every_end_has_its_text)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));
	struct bytes line = {.data = NULL};
	char text[PIPE_BUF], expected[64];

	exchange.end = ends[_i].end;
	bytes_add(&line, text,
		retort_log_line(&exchange, RETORT_LOG_SHORT, text,
			sizeof text));
	(void)snprintf(expected, sizeof expected, "ms (%s)\n", ends[_i].text);
	if (ends[_i].end == RETORT_ANSWERED)
		assert_has(line, " ms\n");
	else
		assert_has(line, expected);
	bytes_free(&line);
	bytes_add(&line, text,
		retort_log_line(&exchange, RETORT_LOG_JSON, text, sizeof text));
	(void)snprintf(expected, sizeof expected, "\"end\":\"%s\"}\n",
		ends[_i].text);
	assert_has(line, expected);
	bytes_free(&line);
}
END_TEST

/* --- escaping --- */

START_TEST(every_byte_is_escaped)
{
	for (int c = 0; c < 256; c++) {
		char request[3] = {'a', (char)c, 'b'};
		char escaped[2][16], expected[256];
		struct retort_exchange exchange =
			make_exchange(request, sizeof request);

		for (int json = 0; json < 2; json++)
			if (c == '"' || c == '\\')
				(void)snprintf(escaped[json],
					sizeof escaped[json], "a\\%cb", c);
			else if (c >= 0x20 && c < 0x7f)
				(void)snprintf(escaped[json],
					sizeof escaped[json], "a%cb", c);
			else
				(void)snprintf(escaped[json],
					sizeof escaped[json],
					json ? "a\\u%04xb" : "a\\x%02xb",
					(unsigned)c);
		(void)snprintf(expected, sizeof expected,
			"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"%s\" "
			"200 1024\n",
			escaped[0]);
		assert_line(&exchange, RETORT_LOG_COMMON, expected);
		(void)snprintf(expected, sizeof expected,
			"{\"time\":\"1994-11-06T08:49:37.123Z\","
			"\"connection\":7,\"client\":\"127.0.0.1:51234\","
			"\"request\":\"%s\",\"status\":200,\"received\":78,"
			"\"sent\":1234,\"ms\":1002.345,\"end\":\"answered\"}\n",
			escaped[1]);
		assert_line(&exchange, RETORT_LOG_JSON, expected);
	}
}
END_TEST

START_TEST(nothing_forges_a_line_or_drives_a_terminal)
{
	char request[3 * 256], line[PIPE_BUF];
	struct retort_exchange exchange = make_exchange(NULL, 0);
	size_t size;

	for (size_t i = 0; i < sizeof request; i++)
		request[i] = (char)(i * 7);
	exchange.request = request;
	exchange.request_size = sizeof request;
	for (size_t i = 0; i < 3; i++) {
		size = retort_log_line(&exchange, formats[i], line,
			sizeof line);
		ck_assert_int_eq(line[size - 1], '\n');
		for (size_t k = 0; k < size - 1; k++)
			ck_assert_msg(line[k] >= 0x20 && line[k] < 0x7f,
				"byte %zu of: %s", k, shown(line, size));
	}
}
END_TEST

/* --- size --- */

static const char *const fillings[] = {"a", "\\", "\x01", "\xff"};

START_TEST(a_long_request_line_is_cut)
{
	size_t size = 20000;
	char *request = malloc(size), line[PIPE_BUF + 1];
	struct retort_exchange exchange = make_exchange(NULL, 0);
	struct bytes got = {.data = NULL};

	ck_assert_ptr_nonnull(request);
	memset(request, fillings[_i][0], size);
	exchange.request = request;
	exchange.request_size = size;
	/* the rest as long as it can be */
	exchange.connection = UINT64_MAX;
	exchange.client = "[1111:2222:3333:4444:5555:6666:7777:8888"
			  "%2147483647]:65535";
	exchange.sent = UINT64_MAX;
	exchange.sent_body = UINT64_MAX;
	exchange.received = UINT64_MAX;
	exchange.status = 999;
	exchange.end = RETORT_TIMED_OUT;
	exchange.duration = INT64_MAX - exchange.began;
	for (size_t i = 0; i < 3; i++) {
		line[PIPE_BUF] = '!';
		bytes_add(&got, line,
			retort_log_line(&exchange, formats[i], line, PIPE_BUF));
		ck_assert_int_eq(line[PIPE_BUF], '!');
		ck_assert_uint_gt(got.size, 1000);
		ck_assert_uint_le(got.size, PIPE_BUF);
		ck_assert_int_eq(got.data[got.size - 1], '\n');
		/* what follows the request is there, whole */
		assert_has(got, "...\"");
		if (formats[i] == RETORT_LOG_SHORT)
			assert_has(got, "\" 999 18446744073709551615 ");
		if (formats[i] == RETORT_LOG_SHORT)
			assert_has(got, " ms (timed out)\n");
		if (formats[i] == RETORT_LOG_COMMON)
			assert_has(got, "\" 999 18446744073709551615\n");
		if (formats[i] == RETORT_LOG_JSON)
			assert_has(got, ",\"end\":\"timed out\"}\n");
		bytes_free(&got);
	}
	free(request);
}
END_TEST

START_TEST(a_line_never_passes_its_room)
{
	char request[600], line[PIPE_BUF];
	struct retort_exchange exchange = make_exchange(NULL, 0);

	memset(request, '\\', sizeof request);
	exchange.request = request;
	exchange.request_size = sizeof request;
	for (size_t i = 0; i < 3; i++)
		for (size_t room = 0; room < 1600; room++) {
			/* of its own, for valgrind and ASan to guard */
			char *text = malloc(room + 1);
			size_t size;

			ck_assert_ptr_nonnull(text);
			text[room] = '!';
			size = retort_log_line(&exchange, formats[i], text,
				room);
			ck_assert_msg(size <= room, "%zu of %zu", size, room);
			ck_assert_int_eq(text[room], '!');
			if (size > 0)
				ck_assert_int_eq(text[size - 1], '\n');
			if (size > 0)
				ck_assert_ptr_null(
					memchr(text, '\n', size - 1));
			free(text);
		}
	/* and a request that fits is not cut */
	exchange.request_size = 500;
	for (size_t i = 0; i < 3; i++) {
		struct bytes got = {.data = NULL};

		bytes_add(&got, line,
			retort_log_line(&exchange, formats[i], line,
				sizeof line));
		assert_lacks(got, "...");
		bytes_free(&got);
	}
}
END_TEST

START_TEST(no_locale_changes_a_line)
{
	static const char *const locales[] = {"de_DE.UTF-8", "de_DE",
		"fr_FR.UTF-8", "C.UTF-8", "fa_IR"};
	struct retort_exchange exchange =
		make_exchange("GET /\xe4 HTTP/1.1", 15);

	set_zone("UTC0");
	for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
		/* those that the machine has not, change nothing anyway */
		(void)setlocale(LC_ALL, locales[i]);
		assert_line(&exchange, RETORT_LOG_SHORT,
			"08:49:38.125 127.0.0.1:51234 "
			"\"GET /\\xe4 HTTP/1.1\" 200 1234 1002.345 ms\n");
		assert_line(&exchange, RETORT_LOG_COMMON,
			"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] "
			"\"GET /\\xe4 HTTP/1.1\" 200 1024\n");
	}
}
END_TEST

/* --- an exchange as its connection has it --- */

START_TEST(the_view_of_a_connection)
{
	static const struct rt_conn_config config = {
		.limits = {.target = 100, .head = 1000, .fields = 10},
		.max_in = 10000,
		.head_timeout = RT_NEVER,
	};
	static const char request[] = "GET /x HTTP/1.0\r\nA: b\r\n\r\n";
	struct rt_peer peer;
	struct rt_conn conn;
	struct rt_draft draft = {.own_count = 0};
	struct retort_exchange view;
	struct rt_exchange *exchange = rt_exchange_new();
	char client[RT_PEER_TEXT];
	int64_t now = 5 * NS, wall = (int64_t)time(NULL) * NS;

	memset(&peer, 0, sizeof peer);
	ck_assert_ptr_nonnull(exchange);
	rt_conn_open(&conn, -1, &peer, &config, now);
	conn.number = 3;
	view = rt_journal_view(&conn, now + 20, client);
	ck_assert_uint_eq(view.connection, 3);
	ck_assert_ptr_nonnull(view.client);
	ck_assert_int_eq(view.status, 0);
	ck_assert_uint_eq(view.request_size, 0);
	ck_assert_int_eq(view.duration, 20);
	/* the clocks' difference, and a second of time(2)'s */
	ck_assert_int_ge(view.began, wall - 2 * NS);
	ck_assert_int_le(view.began, wall + RT_TEST_PATIENCE * NS);

	ck_assert_int_eq(rt_conn_lend(&conn, exchange), 0);
	memcpy(conn.chan.in.recv.data, request, sizeof request - 1);
	rt_conn_in_done(&conn, sizeof request - 1, now);
	ck_assert_int_eq(conn.asks, RT_ASK_ROUTE);
	draft.reply = &exchange->reply;
	rt_reply_begin(&draft, 404, "today");
	rt_reply_body(&draft, "hello", 5);
	rt_conn_answer(&conn, now);
	rt_conn_out_done(&conn, (int64_t)exchange->reply.head_size - 1, now);
	view = rt_journal_view(&conn, now + 30, client);
	assert_bytes(view.request, view.request_size, "GET /x HTTP/1.0", 15);
	ck_assert_int_eq(view.status, 404);
	ck_assert_uint_eq(view.received, sizeof request - 1);
	ck_assert_uint_eq(view.sent, exchange->reply.head_size - 1);
	ck_assert_uint_eq(view.sent_body, 0);
	rt_conn_out_done(&conn, 4, now);
	view = rt_journal_view(&conn, now + 30, client);
	ck_assert_uint_eq(view.sent, exchange->reply.head_size + 3);
	ck_assert_uint_eq(view.sent_body, 3);
	ck_assert_int_eq(view.duration, 30);
	rt_conn_abandon(&conn);
	view = rt_journal_view(&conn, now + 40, client);
	ck_assert_int_eq(view.end, RETORT_STOPPED);
	rt_exchange_free(rt_conn_unlend(&conn));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tcase = tcase_create("journal");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, short_lines);
	tcase_add_test(tcase, common_lines);
	tcase_add_test(tcase, json_lines);
	tcase_add_loop_test(tcase, every_end_has_its_text, 0,
		(int)(sizeof ends / sizeof *ends));
	tcase_add_test(tcase, every_byte_is_escaped);
	tcase_add_test(tcase, nothing_forges_a_line_or_drives_a_terminal);
	tcase_add_loop_test(tcase, a_long_request_line_is_cut, 0,
		(int)(sizeof fillings / sizeof *fillings));
	tcase_add_test(tcase, a_line_never_passes_its_room);
	tcase_add_test(tcase, no_locale_changes_a_line);
	tcase_add_test(tcase, the_view_of_a_connection);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
