/* SPDX-License-Identifier: MIT */
/* Faults at the client's end: bytes and meaning. */
#include "config.h"

#include "wire/spoiling.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNKED OK TYPE "Transfer-Encoding: chunked\r\n" CLOSE

/* --- bytes --- */

#define BYTES(text) text, sizeof(text) - 1

/* clang-format off */
static const struct row {
	struct retort_reply rule;
	const char *expected;
	size_t size;
	int end;
	const char *method; /* NULL: GET */
} rows[] = {
	/* cuts */
	{{.faults = NULL}, BYTES(WHOLE), 0, NULL},
	{{.faults = "cut 0"}, BYTES(""), 0, NULL},
	{{.faults = "empty"}, BYTES(""), 0, NULL},
	{{.faults = "cut 0 reset"}, BYTES(""), ECONNRESET, NULL},
	{{.faults = "cut 5 fin"}, BYTES("HTTP/"), 0, NULL},
	{{.faults = "cut 5 reset"}, BYTES("HTTP/"), ECONNRESET, NULL},
	{{.faults = "cut head 17"}, BYTES(OK), 0, NULL},
	{{.faults = "cut head 99"}, BYTES(HEAD), 0, NULL},
	{{.faults = "cut body 0 reset"}, BYTES(HEAD), ECONNRESET, NULL},
	{{.faults = "cut body 4"}, BYTES(HEAD "0123"), 0, NULL},
	{{.faults = "cut body 4 reset"}, BYTES(HEAD "0123"), ECONNRESET, NULL},
	{{.faults = "cut body 10 reset"}, BYTES(WHOLE), ECONNRESET, NULL},
	{{.faults = "cut -1"}, BYTES(HEAD "012345678"), 0, NULL},
	{{.faults = "cut -109"}, BYTES(""), 0, NULL},
	{{.faults = "cut 50%"},
		BYTES(OK "Content-Type: text/plain; charset=utf"), 0, NULL},
	{{.faults = "cut 100%"}, BYTES(WHOLE), 0, NULL},
	{{.faults = "end reset"}, BYTES(WHOLE), ECONNRESET, NULL},
	{{.faults = "cut body 2; end reset"}, BYTES(HEAD "01"), ECONNRESET,
		NULL},
	{{.interim = "HTTP/1.1 103 \r\n\r\n", .faults = "cut head 3"},
		BYTES("HTTP/1.1 103 \r\n\r\nHTT"), 0, NULL},
	{{.interim = "HTTP/1.1 103 \r\n\r\n", .faults = "cut 3"},
		BYTES("HTT"), 0, NULL},
	{{.repeat = 25, .faults = "cut body 13"},
		BYTES(OK TYPE CL(25) CLOSE DIGITS "012"), 0, NULL},
	{{.raw = true, .body = "what?", .faults = "cut 2 reset"}, BYTES("wh"),
		ECONNRESET, NULL},
	/* single bytes */
	{{.faults = "corrupt 0"}, BYTES("\xb7TTP/1.1 200 OK\r\n" TYPE CL(10)
		CLOSE DIGITS), 0, NULL},
	{{.faults = "corrupt body 2"}, BYTES(HEAD "01\xcd" "3456789"), 0, NULL},
	{{.faults = "corrupt -1; corrupt body 0"},
		BYTES(HEAD "\xcf" "12345678\xc6"), 0, NULL},
	{{.repeat = 25, .faults = "corrupt body 12"}, BYTES(OK TYPE CL(25)
		CLOSE DIGITS "01\xcd" "345678901234"), 0, NULL},
	{{.faults = "insert 0 \"\\r\\n\""}, BYTES("\r\n" WHOLE), 0, NULL},
	{{.faults = "insert body 3 \"\\0\\xff;\""},
		BYTES(HEAD "012\0\xff;3456789"), 0, NULL},
	{{.faults = "insert -0 \"more\""}, BYTES(WHOLE "more"), 0, NULL},
	{{.interim = "HTTP/1.1 103 \r\n\r\n",
		.faults = "insert 0 \"abc\"; cut head 8"},
		BYTES("abcHTTP/1.1 103 \r\n\r\nHTTP/1.1"), 0, NULL},
	/* versions and reasons */
	{{.faults = "headless"}, BYTES(DIGITS), 0, NULL},
	{{.version = "HTTP/3.7"}, BYTES("HTTP/3.7 200 OK\r\n" TYPE CL(10) CLOSE
		DIGITS), 0, NULL},
	{{.reason = "Not\xff good: \xc3"}, BYTES("HTTP/1.1 200 Not\xff good: \xc3\r\n" TYPE
		CL(10) CLOSE DIGITS), 0, NULL},
	{{.reason = ""}, BYTES("HTTP/1.1 200 \r\n" TYPE CL(10) CLOSE DIGITS), 0,
		NULL},
	/* fields */
	{{.faults = "add \"Content-Length: 10\\r\\n\""}, BYTES(OK TYPE CL(10)
		"Connection: close\r\n" CL(10) "\r\n" DIGITS), 0, NULL},
	{{.faults = "add \"Content-Length: 9\\r\\n\""}, BYTES(OK TYPE CL(10)
		"Connection: close\r\n" CL(9) "\r\n" DIGITS), 0, NULL},
	{{.faults = "add \"Transfer-Encoding: chunked\\r\\n\""}, BYTES(OK TYPE
		CL(10) "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		DIGITS), 0, NULL},
	{{.faults = "add \"X: a\\0b\\r\\n\""}, BYTES(OK TYPE CL(10)
		"Connection: close\r\nX: a\0b\r\n\r\n" DIGITS), 0, NULL},
	{{.faults = "fold"}, BYTES(OK TYPE CL(10)
		"Connection: close\r\nX-Folded: a\r\n b\r\n\r\n" DIGITS), 0,
		NULL},
	{{.faults = "bare-lf"}, BYTES("HTTP/1.1 200 OK\n"
		"Content-Type: text/plain; charset=utf-8\nContent-Length: 10\n"
		"Connection: close\n\n" DIGITS), 0, NULL},
	{{.faults = "length 5"}, BYTES(OK TYPE CL(5) CLOSE DIGITS), 0, NULL},
	{{.faults = "length +3"}, BYTES(OK TYPE CL(13) CLOSE DIGITS), 0, NULL},
	{{.faults = "length -10"}, BYTES(OK TYPE CL(0) CLOSE DIGITS), 0, NULL},
	{{.faults = "cut body 4; length 4"}, BYTES(OK TYPE CL(4) CLOSE "0123"),
		0, NULL},
	/* chunks */
	{{.chunked = true}, BYTES(CHUNKED "a\r\n" DIGITS
		"\r\n0\r\n\r\n"), 0, NULL},
	{{.chunked = true, .faults = "corrupt body 0"}, BYTES(CHUNKED "\x9e"
		"\r\n" DIGITS "\r\n0\r\n\r\n"), 0, NULL},
	{{.chunked = true, .faults = "insert body 0 \"-\""}, BYTES(CHUNKED "-a\r\n"
		DIGITS "\r\n0\r\n\r\n"), 0, NULL},
	{{.chunked = true, .faults = "cut -5"}, BYTES(CHUNKED "a\r\n"
		DIGITS "\r\n"), 0, NULL},
	{{.chunked = true, .faults = "cut body 2"}, BYTES(CHUNKED "a\r"),
		0, NULL},
	{{.chunked = true, .faults = "cut -1 reset"}, BYTES(CHUNKED "a\r\n"
		DIGITS "\r\n0\r\n\r"), ECONNRESET, NULL},
	/* raw bytes have a head, too, as a scenario has it */
	{{.raw = true, .body = "HTTP/1.1 200 OK\n\nabc",
		.faults = "cut body 2"}, BYTES("HTTP/1.1 200 OK\n\nab"), 0, NULL},
	{{.raw = true, .body = "HTTP/1.1 200 OK\nA: b\n\nabc",
		.faults = "add \"C: d\\n\""},
		BYTES("HTTP/1.1 200 OK\nA: b\nC: d\n\nabc"), 0, NULL},
	{{.raw = true, .body = "HTTP/1.1 200 OK\r\ncontent-length:\t3 \r\n\r\nabc",
		.faults = "length +1"},
		BYTES("HTTP/1.1 200 OK\r\ncontent-length:\t4 \r\n\r\nabc"), 0,
		NULL},
	{{.raw = true, .body = "HTTP/1.1 103 \r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc",
		.faults = "headless"}, BYTES("abc"), 0, NULL},
	{{.raw = true, .body = "HTTP/1.1 101 S\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		.faults = "cut body 5"}, BYTES("HTTP/1.1 101 S\r\n\r\nHTTP/"), 0,
		NULL},
	/* bodies where there can be none */
	{{.faults = "force-body"}, BYTES(WHOLE), 0, "HEAD"},
	{{.faults = "cut head 99"}, BYTES(HEAD), 0, "HEAD"},
	{{.faults = "cut body 2 reset"}, BYTES(HEAD), 0, "HEAD"},
	{{.faults = "length +1; endless; append \"x\""}, BYTES(OK TYPE CLOSE "x"),
		0, "HEAD"},
	{{.status = 204, .faults = "force-body"}, BYTES("HTTP/1.1 204 No Content\r\n"
		TYPE CL(10) CLOSE DIGITS), 0, NULL},
	{{.status = 304, .faults = "force-body"}, BYTES("HTTP/1.1 304 Not Modified"
		"\r\n" TYPE CL(10) CLOSE DIGITS), 0, NULL},
};

static void
check_record(const struct row *row)
{
	const struct retort_exchange *seen = ended(1);
	const char *faults = row->rule.faults;

	if (faults == NULL)
		ck_assert_ptr_null(seen->faults);
	else
		ck_assert_msg(seen->faults != NULL &&
				strcmp(seen->faults, faults) == 0,
			"%s: expected %s, got %s", way->name, faults,
			seen->faults ? seen->faults : "(NULL)");
	ck_assert_msg(seen->end == RETORT_ANSWERED && seen->rule == 1 &&
			seen->complete && seen->sent == row->size,
		"%s: %s: end %d, rule %d, sent %d", way->name,
		faults ? faults : "", (int)seen->end, seen->rule,
		(int)seen->sent);
	ck_assert_msg(seen->server_close ==
			(row->end ? RETORT_RST : RETORT_FIN),
		"%s: %s: close %d", way->name, faults ? faults : "",
		(int)seen->server_close);
}

START_TEST(spoils_bytes)
{
	open_plain(_i);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct retort_reply rule = rows[i].rule;
		char request[64];
		struct heard heard;

		rule.omit = rule.raw ? NULL : "Date";
		if (rule.body == NULL)
			rule.body = DIGITS;
		retort_reset(server);
		ck_assert_msg(add_rule(rule) > 0,
			"%s: %s", rule.faults, retort_verdict(server));
		(void)snprintf(request, sizeof request, "%s /%s\r\n",
			rows[i].method ? rows[i].method : "GET", HOST);
		heard = hear_all(request);
		assert_heard(&heard, rule.faults ? rule.faults : "no faults",
			rows[i].expected, rows[i].size, rows[i].end);
		bytes_free(&heard.got);
		check_record(rows + i);
		assert_verdict(NULL);
	}
	close_server();
}
END_TEST

START_TEST(makes_garbage)
{
	struct heard first, second;

	open_plain(_i);
	ON(NULL, .body = DIGITS, .faults = "garbage 100");
	first = hear_all(GET);
	second = hear_all(GET);
	ck_assert_uint_eq(first.got.size, 100);
	ck_assert_int_eq(first.end, 0);
	ck_assert(strncmp(first.got.data, "HTTP/", 5) != 0);
	/* the same each time, so that what it does can be seen again */
	assert_bytes(second.got.data, second.got.size, first.got.data,
		first.got.size);
	bytes_free(&first.got);
	bytes_free(&second.got);
	retort_reset(server);
	ON(NULL, .body = DIGITS, .faults = "garbage; end reset");
	first = hear_all(GET);
	ck_assert_uint_eq(first.got.size, 64);
	ck_assert_int_eq(first.end, ECONNRESET);
	bytes_free(&first.got);
	close_server();
}
END_TEST

/* Receives until there is this much. */
static void
hear_much(int fd, struct heard *heard, size_t much)
{
	char data[4096];

	while (heard->got.size < much) {
		ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);

		ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN),
			"%s: it ends after %zu bytes", way->name,
			heard->got.size);
		if (n > 0)
			bytes_add(&heard->got, data, (size_t)n);
		else
			turn(fd, POLLIN, 100);
	}
}

START_TEST(goes_on_for_ever)
{
	static const struct {
		struct retort_reply rule;
		const char *expected;
	} cases[] = {
		{{.body = DIGITS, .omit = "Date"},
			OK TYPE CLOSE DIGITS "and so on, "},
		{{.body = DIGITS, .omit = "Date", .chunked = true},
			CHUNKED "a\r\n" DIGITS "\r\n20\r\nand so on, "},
		{{.raw = true,
			 .body = OK "TRANSFER-ENCODING:chunked\r\n\r\n"
				    "0\r\n\r\n"},
			OK "TRANSFER-ENCODING:chunked\r\n\r\n20\r\nand so "},
		{{.raw = true, .body = OK CL(1) CL(2) "\r\n"},
			OK "\r\nand so on, "},
	};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct retort_reply rule = cases[i].rule;
		struct heard heard = {.end = -1};
		const struct retort_exchange *seen;
		int fd;

		rule.faults = "endless";
		retort_reset(server);
		ck_assert_int_gt(add_rule(rule),
			0);
		fd = connect_client();
		say(fd, GET);
		hear_much(fd, &heard, 4u << 20);
		assert_begins(heard.got, cases[i].expected);
		bytes_free(&heard.got);
		(void)close(fd);
		seen = ended(1);
		ck_assert_int_eq(seen->end, RETORT_RESET);
		ck_assert_uint_ge(seen->sent, 4u << 20);
	}
	close_server();
}
END_TEST

/* Files are sent by other means than memory. */
START_TEST(spoils_files)
{
	static const char head[] =
		OK "Content-Type: application/octet-stream\r\n" CL(26) CLOSE;
	static const struct {
		const char *faults;
		const char *body;
		int end;
	} cases[] = {
		{NULL, "abcdefghijklmnopqrstuvwxyz", 0},
		{"cut body 7", "abcdefg", 0},
		{"cut body 7 reset", "abcdefg", ECONNRESET},
		{"insert body 2 \"-\"; cut body 6", "ab-cde", 0},
		{"corrupt body 1; corrupt body 3; cut body 5",
			"a\x9d"
			"c\x9b"
			"e",
			0},
		{"each 3; gap 1", "abcdefghijklmnopqrstuvwxyz", 0},
		{"split body 1 -1; corrupt body 0",
			"\x9e"
			"bcdefghijklmnopqrstuvwxyz",
			0},
	};
	char *folder = dir_make();
	char name[512], expected[512];

	dir_write(folder, "letters", "abcdefghijklmnopqrstuvwxyz", 26);
	(void)snprintf(name, sizeof name, "%s/letters", folder);
	open_plain(_i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heard heard;

		retort_reset(server);
		ON(NULL, .file = name, .type = "application/octet-stream",
			.omit = "Date", .faults = cases[i].faults);
		(void)snprintf(expected, sizeof expected, "%s%s", head,
			cases[i].body);
		heard = hear_all(GET);
		assert_heard(&heard,
			cases[i].faults ? cases[i].faults : "a file", expected,
			strlen(expected), cases[i].end);
		bytes_free(&heard.got);
	}
	close_server();
	dir_remove(folder);
}
END_TEST

/* A file's size is known when it answers: then its faults may be impossible. */
START_TEST(cannot_cut_beyond_a_file)
{
	char *folder = dir_make();
	char name[512];

	dir_write(folder, "letters", "abc", 3);
	(void)snprintf(name, sizeof name, "%s/letters", folder);
	open_plain(_i);
	ON(NULL, .file = name, .faults = "cut body 4");
	expect_begin(GET, "HTTP/1.1 500 ");
	assert_verdict("cut body 4: the body has 3 bytes");
	close_server();
	dir_remove(folder);
}
END_TEST

static int
answer_later(void *arg, const struct retort_exchange *seen,
	struct retort_reply *reply)
{
	(void)arg;
	(void)seen;
	(void)reply;
	return RETORT_LATER;
}

/* Mistakes that only show when the reply is made go to the verdict. */
START_TEST(later_replies_tell_their_faults)
{
	const struct retort_reply reply = {.echo = true, .faults = "cut 9999"};
	struct heard heard = {.end = -1};
	int fd;

	open_plain(_i);
	ON(NULL, .handler = answer_later);
	fd = connect_client();
	say(fd, GET);
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	ck_assert_int_eq(reply_on(1, &reply), 0);
	hear(fd, &heard, "HTTP/1.1 500 ");
	bytes_free(&heard.got);
	(void)close(fd);
	assert_verdict("cut 9999: the reply has ");
	close_server();
}
END_TEST

START_TEST(impossible_faults_are_told)
{
	static const struct {
		const char *faults;
		const char *why;
		const char *raw; /* NULL: ten digits with a head */
	} cases[] = {
		{"cut body 11", "cut body 11: the body has 10 bytes", NULL},
		{"cut 110", "cut 110: the reply has 109 bytes", NULL},
		{"cut -110", "cut -110: the reply has 109 bytes", NULL},
		{"cut head 100", "cut head 100: the head has 99 bytes", NULL},
		{"corrupt body 10", "corrupt body 10: the reply has 109 bytes",
			NULL},
		{"cut body 3; split body 4", "the body has 3 bytes", NULL},
		{"length -11", "length -11: Content-Length is 10 bytes", NULL},
		{"garbage 5; length 3", "length 3: the reply has no", NULL},
		{"garbage 5; add \"X: y\\r\\n\"", "the reply has no head",
			NULL},
		{"cut 101%", "0% to 100%", NULL},
		{"explode", "'explode': expected a fault", NULL},
		{"cut",
			"expected N, -N, N%, any, head N, body N, wire N, "
			"record N or flight N",
			NULL},
		{"end", "expected fin, reset, stall or half", NULL},
		{"end softly", "'softly': expected fin", NULL},
		{"rate 0", "'rate 0': expected at least 1 byte", NULL},
		{"pause 1 2 3", "'3': expected the end of the clause", NULL},
		{"garbage 5; headless", "headless: the reply has no head",
			NULL},
		{"bare-lf", "bare-lf: the reply has no head", "what?"},
		{"length +1", "length +1: its Content-Length is no number",
			"HTTP/1.1 200 OK\r\nContent-Length: "
			"9999999999999999999\r\n\r\n"},
		{"endless", "endless: the reply does not end with \"0\"",
			"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING:chunked\r\n\r\n"
			"0\r\nA: b\r\n\r\n"},
	};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct retort_reply reply = {.raw = cases[i].raw != NULL,
			.body = cases[i].raw ? cases[i].raw : DIGITS,
			.omit = cases[i].raw ? NULL : "Date",
			.faults = cases[i].faults};

		retort_reset(server);
		ck_assert_int_eq(add_rule(reply),
			-EINVAL);
		assert_verdict(cases[i].why);
		ck_assert_int_eq(set_answer(&reply), -EINVAL);
		ck_assert_msg(strstr(error, cases[i].why) != NULL,
			"expected \"%s\" in: %s", cases[i].why, error);
	}
	close_server();
}
END_TEST

/* --- meaning --- */

START_TEST(fails_at_first)
{
	static const char *const waits[] = {"Retry-After: 1",
		"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", "Retry-After: -5",
		"Retry-After: soon"};
	static const int statuses[] = {500, 408, 429, 503};
	char expected[128];

	open_plain(_i);
	for (size_t i = 0; i < COUNT(waits); i++)
		ON("GET /", .status = statuses[i], .fields = waits[i],
			.times = 2);
	ON("GET /", .body = DIGITS, .omit = "Date");
	for (size_t i = 0; i < 2 * COUNT(waits); i++) {
		struct heard heard = hear_all(GET);

		(void)snprintf(expected, sizeof expected, "HTTP/1.1 %d ",
			statuses[i / 2]);
		assert_begins(heard.got, expected);
		(void)snprintf(expected, sizeof expected, "\r\n%s\r\n",
			waits[i / 2]);
		assert_has(heard.got, expected);
		bytes_free(&heard.got);
	}
	expect(GET, WHOLE, 0);
	expect(GET, WHOLE, 0);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A status by a fault takes the place of what the rule has. */
START_TEST(says_another_status)
{
	struct heard heard;

	open_plain(_i);
	ON("GET /", .body = DIGITS, .times = 1, .faults = "status 503");
	ON("GET /", .body = DIGITS, .times = 1,
		.faults = "status 429; cut body 3 reset");
	ON("GET /", .body = DIGITS, .omit = "Date");
	heard = hear_all(GET);
	assert_begins(heard.got, "HTTP/1.1 503 Service Unavailable\r\n");
	assert_lacks(heard.got, DIGITS);
	ck_assert_int_eq(heard.end, 0);
	bytes_free(&heard.got);
	ck_assert_int_eq(ended(1)->status, 503);
	heard = hear_all(GET);
	assert_begins(heard.got, "HTTP/1.1 429 ");
	assert_has(heard.got, "\r\n\r\n429");
	ck_assert_int_eq(heard.end, ECONNRESET);
	bytes_free(&heard.got);
	expect(GET, WHOLE, 0);
	close_server();
}
END_TEST

START_TEST(redirects)
{
	open_plain(_i);
	ON("GET /1", .status = 301, .fields = "Location: /2");
	ON("GET /2", .status = 307, .fields = "Location: /3");
	ON("GET /3", .body = DIGITS, .omit = "Date");
	ON("GET /loop", .status = 302, .fields = "Location: /loop");
	expect_begin("GET /1" HOST "\r\n", "HTTP/1.1 301 ");
	expect_begin("GET /2" HOST "\r\n", "HTTP/1.1 307 ");
	expect("GET /3" HOST "\r\n", WHOLE, 0);
	for (int i = 0; i < 25; i++) {
		struct heard heard = hear_all("GET /loop" HOST "\r\n");

		assert_has(heard.got, "\r\nLocation: /loop\r\n");
		bytes_free(&heard.got);
	}
	close_server();
}
END_TEST

#define FILE_GET "GET /letters" HOST

static char *
serve_letters(void)
{
	char *folder = dir_make();

	dir_write(folder, "letters", "abcdefghijklmnopqrstuvwxyz", 26);
	ck_assert_int_eq(set_files(folder, NULL), 0);
	return folder;
}

/* The begin, two texts in it, and the body. */
static void
expect_file(const char *fields, const char *begin, const char *has,
	const char *body, int end)
{
	char request[256];
	struct heard heard;
	const char *split;

	(void)snprintf(request, sizeof request, "%s%s\r\n", FILE_GET, fields);
	heard = hear_all(request);
	assert_begins(heard.got, begin);
	assert_has(heard.got, has);
	split = strstr(heard.got.data, "\r\n\r\n");
	ck_assert_msg(split != NULL && strcmp(split + 4, body) == 0 &&
			heard.end == end,
		"%s: expected \"%s\" (%d), got (%d) %s", way->name, body, end,
		heard.end, shown(heard.got.data, heard.got.size));
	bytes_free(&heard.got);
}

START_TEST(lies_about_files)
{
	char *folder;

	open_plain(_i);
	folder = serve_letters();
	ON("GET /letters", .files = true, .times = 1, .faults = "no-range");
	ON("GET /letters", .files = true, .times = 1,
		.fields = "Content-Range: bytes 5-7/100");
	ON("GET /letters", .files = true, .times = 1,
		.faults = "length +4; end reset");
	ON("GET /letters", .files = true, .times = 1,
		.faults = "corrupt body 1; cut body 3");
	expect_file("Range: bytes=2-4\r\n", "HTTP/1.1 200 ",
		"Content-Length: 26\r\n", "abcdefghijklmnopqrstuvwxyz", 0);
	expect_file("Range: bytes=2-4\r\n", "HTTP/1.1 206 ",
		"Content-Range: bytes 5-7/100\r\n", "cde", 0);
	expect_file("", OK, "Content-Length: 30\r\n",
		"abcdefghijklmnopqrstuvwxyz", ECONNRESET);
	expect_file("Range: bytes=2-7\r\n", "HTTP/1.1 206 ",
		"Content-Range: bytes 2-7/26\r\n",
		"c\x9b"
		"e",
		0);
	/* and the truth again */
	expect_file("Range: bytes=2-4\r\n", "HTTP/1.1 206 ",
		"Content-Range: bytes 2-4/26\r\n", "cde", 0);
	ck_assert_str_eq(ended(1)->faults, "no-range");
	ck_assert_ptr_null(ended(2)->faults);
	assert_verdict(NULL);
	close_server();
	dir_remove(folder);
}
END_TEST

/* A download that is broken off, and another file when it is resumed. */
START_TEST(changes_files_in_mid_download)
{
	char *folder;

	open_plain(_i);
	folder = serve_letters();
	ON("GET /letters", .files = true, .times = 1, .fields = "ETag: \"a\"",
		.faults = "cut body 10 reset");
	ON("GET /letters", .files = true, .times = 1, .fields = "ETag: \"b\"");
	ON("GET /letters", .files = true, .times = 1, .fields = "ETag: \"a\"");
	ON("GET /letters", .files = true, .fields = "ETag: \"c\"");
	expect_file("", OK, "ETag: \"a\"\r\n", "abcdefghij", ECONNRESET);
	expect_file("Range: bytes=10-\r\nIf-Range: \"a\"\r\n", OK,
		"ETag: \"b\"\r\n", "abcdefghijklmnopqrstuvwxyz", 0);
	expect_file("Range: bytes=10-\r\nIf-Range: \"a\"\r\n", "HTTP/1.1 206 ",
		"ETag: \"a\"\r\n", "klmnopqrstuvwxyz", 0);
	expect_file("If-None-Match: \"a\"\r\n", OK, "ETag: \"c\"\r\n",
		"abcdefghijklmnopqrstuvwxyz", 0);
	expect_file("If-None-Match: \"c\"\r\n", "HTTP/1.1 304 ",
		"ETag: \"c\"\r\n", "", 0);
	close_server();
	dir_remove(folder);
}
END_TEST

/* --- without HTTP --- */

START_TEST(spoils_pieces)
{
	struct heard heard = {.end = -1};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .body = "hello\n", .times = 1, .faults = "corrupt 0");
	ON(NULL, .body = "hello\n", .times = 1,
		.faults = "split 2; gap 20; insert 6 \"!\"");
	ON(NULL, .body = "hello\n", .times = 1, .faults = "cut 3 reset");
	ON(NULL, .body = "hello\n", .times = 1, .faults = "cut 4");
	ON(NULL, .echo = true, .faults = "cut 2");
	fd = connect_client();
	say(fd, "a");
	hear(fd, &heard, "ello\n");
	say(fd, "b");
	hear(fd, &heard, "!");
	say(fd, "c");
	hear(fd, &heard, NULL);
	assert_heard(&heard, "pieces",
		BYTES("\x97"
		      "ello\nhello\n!hel"),
		ECONNRESET);
	bytes_free(&heard.got);
	(void)close(fd);
	expect("d", "hell", 0);
	expect("efgh", "ef", 0);
	ck_assert_str_eq(ended(1)->faults, "corrupt 0");
	ck_assert_str_eq(ended(3)->faults, "cut 3 reset");
	ck_assert_int_eq(ended(3)->server_close, RETORT_RST);
	ck_assert_int_eq(ended(4)->server_close, RETORT_FIN);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* Sends one and receives one, or what ends in `size` 0. */
static void
expect_datagram(int fd, const char *expected, size_t size)
{
	int64_t until = now_us() + PATIENCE * MS;
	char data[64];
	ssize_t n;

	ck_assert(client_send_text(fd, "ping"));
	while ((n = recv(fd, data, sizeof data, MSG_DONTWAIT)) < 0) {
		ck_assert_msg(errno == EAGAIN && now_us() < until,
			"%s: expected %s, got nothing (%s)", way->name,
			shown(expected, size), strerror(errno));
		turn(fd, POLLIN, 100);
	}
	assert_bytes(data, (size_t)n, expected, size);
}

START_TEST(spoils_datagrams)
{
	int64_t began;
	int fd;

	open_with((struct retort_options){.protocol = RETORT_UDP}, _i);
	ON(NULL, .body = "hello", .times = 1, .faults = "cut 3");
	ON(NULL, .body = "hello", .times = 1, .faults = "pause 60");
	ON(NULL, .body = "hello", .times = 1, .faults = "garbage 9");
	ON(NULL, .body = "hello", .times = 1, .faults = "empty");
	ON(NULL, .body = "hello", .faults = "cut 1");
	fd = connect_plain(SOCK_DGRAM);
	expect_datagram(fd, "hel", 3);
	began = now_us();
	expect_datagram(fd, "hello", 5);
	ck_assert_int_ge(now_us() - began, 60 * MS);
	say(fd, "garbage");
	turn(fd, POLLIN, 1000);
	ck_assert_uint_eq(ended(3)->sent, 9);
	ck_assert_int_eq(recv(fd, (char[64]){0}, 64, 0), 9);
	say(fd, "nothing");
	ck_assert_int_eq(ended(4)->end, RETORT_UNANSWERED);
	expect_datagram(fd, "h", 1);
	ck_assert_str_eq(ended(1)->faults, "cut 3");
	(void)close(fd);
	close_server();
}
END_TEST

/* One that is of several steps is one still. */
START_TEST(spoils_bytes_of_datagrams)
{
	static const char *const faults[] = {"corrupt 1", "insert 5 \"!\"",
		"insert 0 \"!\"; corrupt 3", "each 2", "split 2",
		"split 1 2 3 4", "insert 1 \"a\"; each 1"};
	static const struct {
		const char *bytes;
		size_t size;
	} expected[] = {{BYTES("h\x9a"
			       "llo")},
		{BYTES("hello!")},
		{BYTES("!he\x93"
		       "lo")},
		{BYTES("hello")}, {BYTES("hello")}, {BYTES("hello")},
		{BYTES("haello")}};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_UDP},
		_i % BASIC_WAYS);
	fd = connect_plain(SOCK_DGRAM);
	/* either it is refused, or it is right */
	if (retort_on(server, NULL, .body = "hello",
		    .faults = faults[_i / BASIC_WAYS]) > 0)
		expect_datagram(fd, expected[_i / BASIC_WAYS].bytes,
			expected[_i / BASIC_WAYS].size);
	else
		assert_verdict(faults[_i / BASIC_WAYS]);
	(void)close(fd);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault bytes");
	const TTest *const bytes[] = {spoils_bytes, makes_garbage,
		goes_on_for_ever, spoils_files, cannot_cut_beyond_a_file,
		later_replies_tell_their_faults, impossible_faults_are_told,
		NULL};
	const TTest *const meaning[] = {fails_at_first, says_another_status,
		redirects, lies_about_files, changes_files_in_mid_download,
		NULL};
	const TTest *const plain[] = {spoils_pieces, spoils_datagrams, NULL};
	const TTest *const datagrams[] = {spoils_bytes_of_datagrams, NULL};

	/* those of a thread of their own, alone */
	rt_test_cases(suite, "bytes", bytes, 0, BASIC_WAYS);
	rt_test_cases(suite, "meaning", meaning, 0, BASIC_WAYS);
	rt_test_cases(suite, "plain", plain, 0, BASIC_WAYS);
	rt_test_cases(suite, "datagrams", datagrams, 0, 7 * BASIC_WAYS);
	return rt_test_run(suite);
}
