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

#include "retort.h"
#include "support/harness.h"

#define NS INT64_C(1000000000)

static const enum retort_log formats[] = {RETORT_LOG_SHORT, RETORT_LOG_COMMON,
	RETORT_LOG_JSON, RETORT_LOG_COMBINED, RETORT_LOG_COLUMNS};

#define FORMATS (sizeof formats / sizeof *formats)

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
		"08:49:38.125 #7 127.0.0.1:51234 \"" REQUEST
		"\" 200 1234 1002.345 ms\n");
	set_zone("XXX-5:30");
	exchange.client = "[::1]:80";
	exchange.duration = 999;
	assert_line(&exchange, RETORT_LOG_SHORT,
		"14:19:37.123 #7 [::1]:80 \"" REQUEST "\" 200 1234 0.000 ms\n");
	set_zone("UTC0");
	exchange.client = "unix";
	exchange.status = 0;
	exchange.sent = 0;
	exchange.request_size = 0;
	exchange.end = RETORT_RESET;
	assert_line(&exchange, RETORT_LOG_SHORT,
		"08:49:37.123 #7 unix \"\" - 0 0.000 ms (reset)\n");
}
END_TEST

/* Each begins where it does in other lines, and what is long comes last. */
START_TEST(columns)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));

	set_zone("UTC0");
	assert_line(&exchange, RETORT_LOG_COLUMNS,
		"08:49:38.125 #7    127.0.0.1:51234 200     1234  1002.345 ms "
		"\"" REQUEST "\"\n");
	exchange.connection = 123;
	exchange.nth = 4;
	exchange.client = "[::1]:80";
	exchange.status = 0;
	exchange.sent = 0;
	exchange.duration = 999;
	exchange.request_size = 0;
	exchange.end = RETORT_RESET;
	exchange.faults = "empty";
	assert_line(&exchange, RETORT_LOG_COLUMNS,
		"08:49:37.123 #123.4 [::1]:80         -        0     0.000 ms "
		"\"\" (reset) [empty]\n");
	exchange.protocol = RETORT_TCP;
	exchange.client = "[2001:db8::1234]:51234";
	exchange.pieces = 4;
	exchange.end = RETORT_ANSWERED;
	exchange.faults = NULL;
	assert_line(&exchange, RETORT_LOG_COLUMNS,
		"08:49:37.123 #123  [2001:db8::1234]:51234 tcp        0     "
		"0.000 ms 4 pieces, 78 bytes in\n");
	exchange.protocol = RETORT_UDP;
	exchange.client = "unix";
	assert_line(&exchange, RETORT_LOG_COLUMNS,
		"08:49:37.123 #123  unix            udp        0     0.000 ms "
		"78 bytes in\n");
}
END_TEST

static const struct {
	int status;
	const char *text;
} colors[] = {
	{0, " \033[35m  -\033[0m "},
	{101, " \033[32m101\033[0m "},
	{204, " \033[32m204\033[0m "},
	{304, " \033[36m304\033[0m "},
	{404, " \033[33m404\033[0m "},
	{503, " \033[31m503\033[0m "},
	{999, " \033[31m999\033[0m "},
};

/* And nothing else can be a colour. */
START_TEST(colors_of_statuses)
{
	struct retort_exchange exchange = make_exchange("\033[31m", 5);
	struct bytes line = {.data = NULL};
	char text[PIPE_BUF];
	int escapes = 0;

	exchange.status = colors[_i].status;
	bytes_add(&line, text,
		retort_log_line(&exchange, RETORT_LOG_COLORED, text,
			sizeof text));
	assert_has(line, colors[_i].text);
	assert_has(line, " \"\\x1b[31m\"\n");
	for (size_t i = 0; i < line.size; i++)
		escapes += line.data[i] == '\033';
	ck_assert_int_eq(escapes, 2);
	bytes_free(&line);
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
	{RETORT_UNANSWERED, "unanswered"},
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

START_TEST(chance_is_told_with_seed_and_number)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));
	struct bytes line = {.data = NULL};
	char text[PIPE_BUF];

	exchange.connection = 12;
	exchange.by_chance = true;
	exchange.seed = UINT64_MAX;
	bytes_add(&line, text,
		retort_log_line(&exchange, RETORT_LOG_SHORT, text,
			sizeof text));
	assert_has(line, " ms (seed 18446744073709551615)\n");
	bytes_free(&line);
	exchange.faults = "cut 5%";
	exchange.seed = 0;
	bytes_add(&line, text,
		retort_log_line(&exchange, RETORT_LOG_SHORT, text,
			sizeof text));
	assert_has(line, " ms (seed 0) [cut 5%]\n");
	bytes_free(&line);
	bytes_add(&line, text,
		retort_log_line(&exchange, RETORT_LOG_JSON, text, sizeof text));
	assert_has(line, "\"connection\":12,");
	assert_has(line, ",\"seed\":0,\"faults\":\"cut 5%\"}\n");
	bytes_free(&line);
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
	exchange.tunnel = "\x1b[2J\n\x9b\"x:1";
	for (size_t i = 0; i < FORMATS; i++) {
		size = retort_log_line(&exchange, formats[i], line,
			sizeof line);
		ck_assert_int_eq(line[size - 1], '\n');
		for (size_t k = 0; k < size - 1; k++)
			ck_assert_msg(line[k] >= 0x20 && line[k] < 0x7f,
				"byte %zu of: %s", k, shown(line, size));
	}
}
END_TEST

/* --- what clients say of themselves --- */

START_TEST(referer_and_user_agent)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));
	struct bytes got = {.data = NULL};
	char line[PIPE_BUF];

	assert_line(&exchange, RETORT_LOG_COMBINED,
		"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"" REQUEST
		"\" 200 1024 \"-\" \"-\"\n");
	exchange.referer = "http://a/\"\\";
	exchange.referer_size = 11;
	exchange.user_agent = "b/1 \xe4 and more";
	exchange.user_agent_size = 5;
	assert_line(&exchange, RETORT_LOG_COMBINED,
		"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"" REQUEST
		"\" 200 1024 \"http://a/\\\"\\\\\" \"b/1 \\xe4\"\n");
	bytes_add(&got, line,
		retort_log_line(&exchange, RETORT_LOG_JSON, line, sizeof line));
	assert_has(got,
		",\"end\":\"answered\",\"referer\":\"http://a/\\\"\\\\\","
		"\"user_agent\":\"b/1 \\u00e4\"}\n");
	bytes_free(&got);
}
END_TEST

START_TEST(a_client_that_closed_first)
{
	struct retort_exchange exchange =
		make_exchange(REQUEST, strlen(REQUEST));
	struct bytes got = {.data = NULL};
	char line[PIPE_BUF];

	set_zone("UTC0");
	exchange.client_first = true;
	assert_line(&exchange, RETORT_LOG_SHORT,
		"08:49:38.125 #7 127.0.0.1:51234 \"" REQUEST
		"\" 200 1234 1002.345 ms (the client closed first)\n");
	bytes_add(&got, line,
		retort_log_line(&exchange, RETORT_LOG_JSON, line, sizeof line));
	assert_has(got, ",\"end\":\"answered\",\"client_first\":true}\n");
	bytes_free(&got);
	/* how it ended says it */
	exchange.end = RETORT_RESET;
	assert_line(&exchange, RETORT_LOG_SHORT,
		"08:49:38.125 #7 127.0.0.1:51234 \"" REQUEST
		"\" 200 1234 1002.345 ms (reset)\n");
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
	exchange.referer = request;
	exchange.referer_size = size;
	exchange.user_agent = request;
	exchange.user_agent_size = size;
	exchange.tls_version = "TLSv1.3";
	exchange.tls_cipher = "ECDHE-ECDSA-CHACHA20-POLY1305";
	exchange.tls_alpn = "http/1.1";
	request[size - 1] = '\0';
	exchange.tls_sni = request;
	exchange.tls_client = request;
	exchange.by_chance = true;
	exchange.seed = UINT64_MAX;
	exchange.connection = UINT64_MAX;
	exchange.client = "[1111:2222:3333:4444:5555:6666:7777:8888"
			  "%2147483647]:65535";
	exchange.sent = UINT64_MAX;
	exchange.sent_body = UINT64_MAX;
	exchange.received = UINT64_MAX;
	exchange.status = 999;
	exchange.end = RETORT_TIMED_OUT;
	exchange.duration = INT64_MAX - exchange.began;
	for (size_t i = 0; i < FORMATS; i++) {
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
			assert_has(got, " ms (timed out) (seed ");
		if (formats[i] == RETORT_LOG_COMMON)
			assert_has(got, "\" 999 18446744073709551615\n");
		if (formats[i] == RETORT_LOG_COMBINED)
			assert_has(got, "\" 999 18446744073709551615 ");
		if (formats[i] == RETORT_LOG_JSON)
			assert_has(got,
				"...\",\"resumed\":false},\"received\":");
		if (formats[i] == RETORT_LOG_JSON)
			assert_has(got, ",\"end\":\"timed out\",");
		/* and what is cut is ended all the same */
		if (formats[i] == RETORT_LOG_JSON)
			assert_has(got, "...\"}\n");
		if (formats[i] == RETORT_LOG_COMBINED)
			assert_has(got, "...\"\n");
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
	for (size_t i = 0; i < FORMATS; i++)
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
	for (size_t i = 0; i < FORMATS; i++) {
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
			"08:49:38.125 #7 127.0.0.1:51234 "
			"\"GET /\\xe4 HTTP/1.1\" 200 1234 1002.345 ms\n");
		assert_line(&exchange, RETORT_LOG_COMMON,
			"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] "
			"\"GET /\\xe4 HTTP/1.1\" 200 1024\n");
	}
}
END_TEST

/* --- plain sockets --- */

START_TEST(lines_of_plain_sockets)
{
	static const struct {
		enum retort_protocol protocol;
		uint64_t pieces;
		enum retort_end end;
		const char *reason;
		bool truncated;
		const char *lines[3];
	} cases[] = {
		{RETORT_TCP, 3, RETORT_ANSWERED, NULL, false,
			{"tcp 3 pieces, 78 bytes in, 1234 out, 1002.345 ms\n",
				"\"tcp\" - 1234\n",
				"\"protocol\":\"tcp\",\"pieces\":3,"
				"\"received\":78,\"sent\":1234,"
				"\"ms\":1002.345,\"end\":\"answered\"}\n"}},
		{RETORT_TCP, 1, RETORT_TIMED_OUT, NULL, false,
			{"tcp 1 piece, 78 bytes in, 1234 out, 1002.345 ms "
			 "(timed out)\n",
				"\"tcp\" - 1234\n",
				"\"protocol\":\"tcp\",\"pieces\":1,"
				"\"received\":78,\"sent\":1234,"
				"\"ms\":1002.345,\"end\":\"timed out\"}\n"}},
		{RETORT_UDP, 1, RETORT_ANSWERED, NULL, true,
			{"udp 78 bytes in, 1234 out, 1002.345 ms "
			 "(the datagram was truncated)\n",
				"\"udp\" - 1234\n",
				"\"protocol\":\"udp\",\"pieces\":1,"
				"\"received\":78,\"sent\":1234,"
				"\"ms\":1002.345,\"end\":\"answered\","
				"\"truncated\":true}\n"}},
		{RETORT_UDP, 1, RETORT_UNANSWERED, "its port is below 1024",
			false,
			{"udp 78 bytes in, 1234 out, 1002.345 ms "
			 "(unanswered: its port is below 1024)\n",
				"\"udp\" - 1234\n",
				"\"protocol\":\"udp\",\"pieces\":1,"
				"\"received\":78,\"sent\":1234,"
				"\"ms\":1002.345,\"end\":\"unanswered\","
				"\"reason\":\"its port is below 1024\"}\n"}},
	};
	static const char *const begins[] = {"08:49:38.125 #7 127.0.0.1:51234 ",
		"127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] ",
		("{\"time\":\"1994-11-06T08:49:37.123Z\",\"connection\":7,"
		 "\"client\":\"127.0.0.1:51234\",")};

	set_zone("UTC0");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct retort_exchange exchange = make_exchange("", 0);

		exchange.status = 0;
		exchange.sent_body = exchange.sent;
		exchange.protocol = cases[i].protocol;
		exchange.nth = exchange.pieces = cases[i].pieces;
		exchange.end = cases[i].end;
		exchange.reason = cases[i].reason;
		exchange.truncated = cases[i].truncated;
		for (size_t f = 0; f < 3; f++) {
			char expected[1024];

			(void)snprintf(expected, sizeof expected, "%s%s",
				begins[f], cases[i].lines[f]);
			assert_line(&exchange, formats[f], expected);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_test(tcase, referer_and_user_agent);
	tcase_add_test(tcase, a_client_that_closed_first);
	tcase_add_test(tcase, short_lines);
	tcase_add_test(tcase, columns);
	tcase_add_loop_test(tcase, colors_of_statuses, 0,
		sizeof colors / sizeof *colors);
	tcase_add_test(tcase, common_lines);
	tcase_add_test(tcase, json_lines);
	tcase_add_test(tcase, lines_of_plain_sockets);
	tcase_add_loop_test(tcase, every_end_has_its_text, 0,
		(int)(sizeof ends / sizeof *ends));
	tcase_add_test(tcase, every_byte_is_escaped);
	tcase_add_test(tcase, chance_is_told_with_seed_and_number);
	tcase_add_test(tcase, nothing_forges_a_line_or_drives_a_terminal);
	tcase_add_loop_test(tcase, a_long_request_line_is_cut, 0,
		(int)(sizeof fillings / sizeof *fillings));
	tcase_add_test(tcase, a_line_never_passes_its_room);
	tcase_add_test(tcase, no_locale_changes_a_line);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
