/* SPDX-License-Identifier: MIT */
/*
 * Faults as a client meets them (retort.h): the bytes that come, what ends
 * them, segments, and how long it takes at least. Clients are bare sockets of
 * the test's own thread, which drives the server where it has none. Linked
 * with --wrap for malloc and its kin: allocations fail when told to.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_LINUX_SOCKIOS_H
#include <linux/tcp.h>
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MS 1000 /* us */

#define HOST " HTTP/1.1\r\nHost: x\r\n"
#define GET "GET /" HOST "\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define TYPE "Content-Type: text/plain; charset=utf-8\r\n"
#define CL(n) "Content-Length: " #n "\r\n"
#define CLOSE "Connection: close\r\n\r\n"
#define HEAD OK TYPE CL(10) CLOSE
#define CHUNKED OK TYPE "Transfer-Encoding: chunked\r\n" CLOSE
#define DIGITS "0123456789"
#define WHOLE HEAD DIGITS

/* More than the buffers of both ends hold. */
#define TOO_MUCH (256u << 20)

/* --- clients --- */

/* What a client met. */
struct heard {
	struct bytes got;
	int end; /* 0: a FIN, or the errno */
	size_t reads[32];
	size_t count;    /* of reads */
	int64_t took;    /* us until the end */
	size_t segments; /* with bytes in them; 0: it is not known */
};

static size_t
segments_of(int fd)
{
#ifdef HAVE_LINUX_SOCKIOS_H
	struct tcp_info info;
	socklen_t size = sizeof info;

	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
		return info.tcpi_data_segs_in;
#endif
	(void)fd;
	return 0;
}

/* Receives until the end, or until `text` has come (unless NULL). */
static void
hear(int fd, struct heard *heard, const char *text)
{
	struct talk talk = talk_begin(fd, "", 0, &heard->got);
	size_t had;

	while (text == NULL || strstr(heard->got.data, text) == NULL) {
		had = heard->got.size;
		if (!talk_on(&talk)) {
			heard->end = talk.end;
			ck_assert_msg(text == NULL, "%s: no \"%s\" in: %s",
				way->name, text,
				shown(heard->got.data, heard->got.size));
			return;
		}
		if (heard->got.size > had && heard->count < COUNT(heard->reads))
			heard->reads[heard->count++] = heard->got.size - had;
	}
}

static struct heard
hear_all(const char *request)
{
	struct heard heard = {.end = -1};
	int64_t began = now_us();
	int fd = connect_client();

	say(fd, request);
	hear(fd, &heard, NULL);
	heard.took = now_us() - began;
	heard.segments = segments_of(fd);
	(void)close(fd);
	return heard;
}

static void
assert_heard(const struct heard *heard, const char *what, const char *bytes,
	size_t size, int end)
{
	ck_assert_msg(heard->got.size == size &&
			memcmp(heard->got.data, bytes, size) == 0,
		"%s: %s\n# expected %s\n# got %s", way->name, what,
		shown(bytes, size), shown(heard->got.data, heard->got.size));
	ck_assert_msg(heard->end == end, "%s: %s: expected %s, got %s after %s",
		way->name, what, end ? strerror(end) : "a FIN",
		heard->end ? strerror(heard->end) : "a FIN",
		shown(heard->got.data, heard->got.size));
}

static void
expect(const char *request, const char *bytes, int end)
{
	struct heard heard = hear_all(request);

	assert_heard(&heard, request, bytes, strlen(bytes), end);
	bytes_free(&heard.got);
}

/* Nothing has come, and the connection is open. */
static void
assert_silent(int fd)
{
	char byte;

	ck_assert_msg(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN,
		"%s: something came", way->name);
	ck_assert_uint_eq(retort_connections(server), 1);
}

/*
 * Sends until the other end has taken nothing for a while. How much went, or
 * `most` once that is reached.
 */
static size_t
send_until_blocked(int fd, size_t most)
{
	static const char data[64 << 10];
	int64_t moved = now_us();
	size_t sent = 0;

	while (sent < most && now_us() - moved < 150 * MS) {
		size_t left = most - sent;
		ssize_t n =
			send(fd, data, left < sizeof data ? left : sizeof data,
				MSG_NOSIGNAL | MSG_DONTWAIT);

		ck_assert_msg(n >= 0 || errno == EAGAIN, "%s: send: %s",
			way->name, strerror(errno));
		if (n > 0) {
			sent += (size_t)n;
			moved = now_us();
		} else {
			turn(fd, POLLOUT, 5);
		}
	}
	return sent;
}

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
	{{.status = 204, .faults = "force-body"}, BYTES("HTTP/1.1 204 No Content\r\n"
		TYPE CL(10) CLOSE DIGITS), 0, NULL},
	{{.status = 304, .faults = "force-body"}, BYTES("HTTP/1.1 304 Not Modified"
		"\r\n" TYPE CL(10) CLOSE DIGITS), 0, NULL},
};
/* clang-format on */

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
		ck_assert_msg(retort_on_sized(server, &rule, sizeof rule) > 0,
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

/* Receives until there is so much. */
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
		ck_assert_int_gt(retort_on_sized(server, &rule, sizeof rule),
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

/* What is known only when the reply is made goes to the verdict. */
START_TEST(later_replies_tell_their_faults)
{
	const struct retort_reply reply = {.echo = true, .faults = "cut 9999"};
	struct heard heard = {.end = -1};
	int fd;

	open_plain(_i);
	ON(NULL, .handler = answer_later);
	fd = connect_client();
	say(fd, GET);
	ck_assert_ptr_nonnull(retort_wait(server, 1, PATIENCE, NULL));
	ck_assert_int_eq(retort_reply_later(server, 1, &reply), 0);
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
		{"cut", "expected N, -N, N%, head N or body N", NULL},
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
		ck_assert_int_eq(retort_on_sized(server, &reply, sizeof reply),
			-EINVAL);
		assert_verdict(cases[i].why);
		ck_assert_int_eq(retort_answer(server, &reply, error), -EINVAL);
		ck_assert_msg(strstr(error, cases[i].why) != NULL,
			"expected \"%s\" in: %s", cases[i].why, error);
	}
	close_server();
}
END_TEST

/* --- segments and time --- */

/* Of more than there should be some came twice: what a busy machine has not
   acknowledged in time TCP sends again. */
#define TRIES_OF_SEGMENTS 5

static void
expect_segments(const char *faults, const char *file, size_t least, size_t most)
{
	struct heard heard;

	for (int i = 0; i < TRIES_OF_SEGMENTS; i++) {
		retort_reset(server);
		if (file != NULL)
			ON(NULL, .file = file, .omit = "Date",
				.faults = faults);
		else
			ON(NULL, .body = DIGITS, .omit = "Date",
				.faults = faults);
		heard = hear_all(GET);
		if (file == NULL)
			assert_heard(&heard, faults, WHOLE, strlen(WHOLE), 0);
		else
			ck_assert_uint_gt(heard.got.size, 26);
		bytes_free(&heard.got);
		if (heard.segments <= most)
			break;
	}
	ck_assert_msg(heard.segments == 0 ||
			(heard.segments >= least && heard.segments <= most),
		"%s: %s: expected %zu to %zu segments, got %zu", way->name,
		faults ? faults : "no faults", least, most, heard.segments);
}

START_TEST(splits_into_segments)
{
	char *folder = dir_make();
	char name[512];

	dir_write(folder, "letters", "abcdefghijklmnopqrstuvwxyz", 26);
	(void)snprintf(name, sizeof name, "%s/letters", folder);
	open_plain(_i);
	expect_segments(NULL, NULL, 1, 1);
	expect_segments("split body 5", NULL, 2, 2);
	expect_segments("split 5 body 0 -1", NULL, 4, 4);
	expect_segments("split 5; split 6; split 7", NULL, 4, 4);
	expect_segments("split 0 100%", NULL, 1, 1);
	expect_segments("each 10", NULL, 11, 11);
	expect_segments("each 1", NULL, 109, 109);
	expect_segments("each 1000", NULL, 1, 1);
	expect_segments("split body 3", name, 2, 2);
	expect_segments("each 1; cut body 26", name, 100, 200);
	close_server();
	dir_remove(folder);
}
END_TEST

/* Where the boundaries are is seen by a client that looks after each step. */
START_TEST(splits_where_it_is_told_to)
{
	static const size_t chosen[] = {5, 94, 9, 1}, paced[] = {50, 50, 9};
	struct heard heard;

	if (way != NULL && ways[_i].drive == OWN_THREAD)
		return;
	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "split 5 body 0 -1; gap 30");
	ON(NULL, .body = DIGITS, .omit = "Date", .faults = "each 50; gap 30");
	heard = hear_all(GET);
	assert_heard(&heard, "split", WHOLE, strlen(WHOLE), 0);
	assert_bytes(heard.reads, heard.count * sizeof *heard.reads, chosen,
		sizeof chosen);
	ck_assert_int_ge(heard.took, 90 * MS);
	bytes_free(&heard.got);
	heard = hear_all(GET);
	assert_heard(&heard, "each", WHOLE, strlen(WHOLE), 0);
	assert_bytes(heard.reads, heard.count * sizeof *heard.reads, paced,
		sizeof paced);
	bytes_free(&heard.got);
	close_server();
}
END_TEST

START_TEST(takes_its_time)
{
	/* of a reply of 109 bytes */
	static const struct {
		const char *faults;
		int least; /* ms */
		int end;
	} cases[] = {
		{"pause 60", 60, 0},
		{"pause 30; pause 40 body 3", 70, 0},
		{"pause 60 100%", 60, 0},
		{"pause 60 head 5; end reset", 60, ECONNRESET},
		{"split 5; gap 60", 60, 0},
		{"each 40; gap 40", 80, 0},
		{"each 40; gap 40; pause 40 body 2", 120, 0},
		/* the first segment comes at once: 109 bytes but one segment */
		{"rate 1000", 89, 0},
		{"rate 180", 580, 0},
		{"spread 300", 270, 0},
		{"spread 600", 560, 0},
	};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heard heard;

		retort_reset(server);
		ON(NULL, .body = DIGITS, .omit = "Date",
			.faults = cases[i].faults);
		heard = hear_all(GET);
		assert_heard(&heard, cases[i].faults, WHOLE, strlen(WHOLE),
			cases[i].end);
		ck_assert_msg(heard.took >= cases[i].least * MS,
			"%s: %s: expected %d ms at least, took %d us",
			way->name, cases[i].faults, cases[i].least,
			(int)heard.took);
		bytes_free(&heard.got);
	}
	close_server();
}
END_TEST

/* --- connections --- */

/* 0, or the errno of connect(2). */
static int
try_to_connect(void)
{
	int fd = client_try(retort_url(server, 0), SOCK_STREAM);

	if (fd < 0)
		return -fd;
	(void)close(fd);
	return 0;
}

START_TEST(refuses_for_a_time)
{
	int64_t began;

	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 2);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "refuse 250");
	ON(NULL, .body = DIGITS, .omit = "Date");
	expect(GET, WHOLE, 0);
	expect(GET, WHOLE, 0);
	began = now_us();
	expect(GET, WHOLE, 0);
	/* the third one begins it, and is answered */
	if (now_us() - began < 200 * MS)
		ck_assert_int_eq(try_to_connect(), ECONNREFUSED);
	TURN_UNTIL(try_to_connect() == 0);
	ck_assert_int_ge(now_us() - began, 250 * MS);
	expect(GET, WHOLE, 0);
	ck_assert_str_eq(ended(3)->faults, "refuse 250");
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(refuses_until_told_otherwise)
{
	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "refuse; cut body 4 reset");
	ON(NULL, .body = DIGITS, .omit = "Date");
	expect(GET, HEAD "0123", ECONNRESET);
	for (int i = 0; i < 10; i++) {
		turn(-1, 0, 2);
		ck_assert_int_eq(try_to_connect(), ECONNREFUSED);
	}
	ck_assert_int_eq(retort_refuse(server, false), 0);
	expect(GET, WHOLE, 0);
	close_server();
}
END_TEST

/* Before a byte was read. */
START_TEST(ends_what_it_accepts)
{
	struct heard heard = {.end = -1};
	int fd;

	open_plain(_i);
	ON(NULL, .accepted = true, .times = 1, .faults = "end fin");
	ON(NULL, .accepted = true, .times = 1, .faults = "end reset");
	ON(NULL, .accepted = true, .times = 1, .body = "220 hello",
		.faults = "cut 3 reset");
	ON(NULL, .body = DIGITS, .omit = "Date");
	fd = connect_client();
	hear(fd, &heard, NULL);
	assert_heard(&heard, "FIN at once", "", 0, 0);
	bytes_free(&heard.got);
	(void)close(fd);
	fd = connect_client();
	hear(fd, &heard, NULL);
	assert_heard(&heard, "RST at once", "", 0, ECONNRESET);
	bytes_free(&heard.got);
	(void)close(fd);
	fd = connect_client();
	hear(fd, &heard, NULL);
	assert_heard(&heard, "a greeting that is cut", "220", 3, ECONNRESET);
	bytes_free(&heard.got);
	(void)close(fd);
	expect(GET, WHOLE, 0);
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_uint_eq(retort_accepted(server), 4);
	ck_assert_uint_eq(retort_count(server, NULL), 1);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(never_reads)
{
	size_t sent;
	int fd;

	open_plain(_i);
	ON(NULL, .accepted = true, .faults = "end stall; deaf");
	fd = connect_client();
	sent = send_until_blocked(fd, TOO_MUCH);
	ck_assert_msg(sent < TOO_MUCH, "%s: all was read", way->name);
	assert_silent(fd);
	client_reset(fd);
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_uint_eq(retort_count(server, NULL), 0);
	close_server();
}
END_TEST

/* The same as before, but for `deaf`: all is read. */
START_TEST(reads_and_never_answers)
{
	const struct retort_exchange *seen;
	int fd;

	open_plain(_i);
	ON("POST /x", .body = DIGITS, .faults = "cut 0 stall");
	fd = connect_client();
	say(fd, "POST /x" HOST CL(3) "\r\nabc");
	seen = retort_wait(server, 1, PATIENCE, NULL);
	ck_assert_ptr_nonnull(seen);
	ck_assert(seen->complete);
	ck_assert_str_eq(seen->faults, "cut 0 stall");
	ck_assert_uint_eq(send_until_blocked(fd, TOO_MUCH / 16), TOO_MUCH / 16);
	assert_silent(fd);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert(seen->client_first);
	ck_assert_uint_eq(seen->sent, 0);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- the request's side --- */

#define POST(n) "POST /" HOST CL(n)
#define BIG "POST /" HOST "Content-Length: 1000000000\r\n"

START_TEST(stops_reading_after_the_head)
{
	const struct retort_exchange *seen;
	const char *left;
	int fd;

	/* what is not read is not too large */
	open_plain(_i);
	ON("POST /", .body = DIGITS, .faults = "stop-reading");
	fd = connect_client();
	say(fd, BIG "\r\n");
	seen = retort_wait(server, 1, PATIENCE, NULL);
	ck_assert_ptr_nonnull(seen);
	ck_assert(!seen->complete);
	ck_assert_uint_lt(send_until_blocked(fd, TOO_MUCH), TOO_MUCH);
	assert_silent(fd);
	client_reset(fd);
	seen = ended(1);
	ck_assert_uint_eq(seen->received, strlen(BIG "\r\n"));
	ck_assert_str_eq(seen->faults, "stop-reading");
	ck_assert_uint_eq(seen->sent, 0);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	fd = connect_client();
	say(fd, BIG "\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, 2, PATIENCE, NULL));
	left = retort_finish(server, 0);
	ck_assert_msg(left != NULL &&
			strstr(left, ": no more of the request is read; "),
		"%s: got %s", way->name, left ? left : "(NULL)");
	(void)close(fd);
	close_server();
}
END_TEST

/* Exactly after so many bytes, where the body comes after the head. */
START_TEST(stops_reading_within_the_body)
{
	static const char head[] = BIG "Expect: 100-continue\r\n\r\n";
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int fd;

	open_with((struct retort_options){.max_body = 1u << 30}, _i);
	ON("POST /", .body = DIGITS, .faults = "stop-reading 70000");
	fd = connect_client();
	say(fd, head);
	hear(fd, &heard, "\r\n\r\n");
	assert_begins(heard.got, "HTTP/1.1 100 Continue\r\n\r\n");
	bytes_free(&heard.got);
	ck_assert_uint_lt(send_until_blocked(fd, TOO_MUCH), TOO_MUCH);
	assert_silent(fd);
	client_reset(fd);
	seen = ended(1);
	ck_assert_uint_eq(seen->received, strlen(head) + 70000);
	ck_assert_uint_eq(seen->body_size, 70000);
	ck_assert(!seen->complete);
	ck_assert_str_eq(seen->reason, "no more of it was read");
	close_server();
}
END_TEST

START_TEST(reads_slowly)
{
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int64_t began;
	int fd;

	open_plain(_i);
	ON("POST /", .body = DIGITS, .omit = "Date",
		.faults = "read-slowly 10 20");
	fd = connect_client();
	say(fd, POST(50) "Expect: 100-continue\r\n\r\n");
	hear(fd, &heard, "\r\n\r\n");
	bytes_free(&heard.got);
	began = now_us();
	say(fd, DIGITS DIGITS DIGITS DIGITS DIGITS);
	hear(fd, &heard, NULL);
	/* before each of the other four */
	ck_assert_int_ge(now_us() - began, 80 * MS);
	assert_heard(&heard, "read slowly", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	(void)close(fd);
	seen = ended(1);
	ck_assert(seen->complete);
	ck_assert_str_eq(seen->body, DIGITS DIGITS DIGITS DIGITS DIGITS);
	close_server();
}
END_TEST

START_TEST(answers_early_and_reads_on)
{
	static const char head[] = POST(1000000) "\r\n";
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int fd;

	open_plain(_i);
	ON("POST /", .body = DIGITS, .omit = "Date", .faults = "early");
	fd = connect_client();
	say(fd, head);
	hear(fd, &heard, DIGITS);
	/* not one byte of the body was sent so far */
	ck_assert_uint_eq(send_until_blocked(fd, 1000000), 1000000);
	hear(fd, &heard, NULL);
	assert_heard(&heard, "early", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	(void)close(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_uint_eq(seen->received, strlen(head) + 1000000);
	ck_assert(!seen->complete);
	ck_assert_str_eq(seen->faults, "early");
	close_server();
}
END_TEST

START_TEST(answers_early_and_resets)
{
	struct heard heard = {.end = -1};
	int fd;

	open_plain(_i);
	ON("POST /", .body = DIGITS, .omit = "Date",
		.faults = "early; end reset");
	fd = connect_client();
	say(fd, POST(1000000) "\r\n");
	hear(fd, &heard, NULL);
	assert_heard(&heard, "early", WHOLE, strlen(WHOLE), ECONNRESET);
	bytes_free(&heard.got);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->server_close, RETORT_RST);
	close_server();
}
END_TEST

/* The reply of retort_answer() is not less spoiled than that of a rule. */
START_TEST(reads_as_the_only_reply_has_it)
{
	struct retort_reply reply = {.body = DIGITS, .omit = "Date"};
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int fd;

	open_plain(_i);
	reply.faults = "early; end reset";
	ck_assert_int_eq(retort_answer(server, &reply, error), 0);
	/* nor does it end when rules are forgotten */
	retort_reset(server);
	fd = connect_client();
	say(fd, POST(1000000) "\r\nbody");
	hear(fd, &heard, WHOLE);
	bytes_free(&heard.got);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->server_close, RETORT_RST);
	retort_forget(server);
	reply.faults = "stop-reading 2";
	ck_assert_int_eq(retort_answer(server, &reply, error), 0);
	fd = connect_client();
	say(fd, POST(5) "\r\n12345");
	seen = retort_wait(server, 1, PATIENCE, NULL);
	ck_assert_ptr_nonnull(seen);
	ck_assert(!seen->complete);
	assert_silent(fd);
	client_reset(fd);
	ck_assert_uint_eq(ended(1)->sent, 0);
	close_server();
}
END_TEST

/* Nor does it take records. */
START_TEST(reads_so_without_records)
{
	struct retort_reply reply = {.body = DIGITS,
		.omit = "Date",
		.faults = "early; end reset"};
	struct heard heard = {.end = -1};
	int fd;

	open_with((struct retort_options){.unrecorded = true}, _i);
	ck_assert_int_eq(retort_answer(server, &reply, error), 0);
	fd = connect_client();
	say(fd, POST(1000000) "\r\nbody");
	hear(fd, &heard, WHOLE);
	hear(fd, &heard, NULL);
	ck_assert_int_eq(heard.end, ECONNRESET);
	bytes_free(&heard.got);
	(void)close(fd);
	close_server();
}
END_TEST

#define EXPECT POST(3) "Expect: 100-continue\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

START_TEST(withholds_continue)
{
	struct heard heard = {.end = -1};
	int fd;

	open_plain(_i);
	ON("POST /", .body = DIGITS, .omit = "Date",
		.faults = "continue never");
	fd = connect_client();
	say(fd, EXPECT);
	for (int i = 0; i < 5; i++)
		turn(fd, POLLIN, 5);
	say(fd, "abc");
	hear(fd, &heard, NULL);
	assert_heard(&heard, "no 100", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	(void)close(fd);
	ck_assert_str_eq(ended(1)->body, "abc");
	close_server();
}
END_TEST

START_TEST(delays_continue)
{
	struct heard heard = {.end = -1};
	int64_t began;
	int fd;

	open_plain(_i);
	ON("POST /", .body = DIGITS, .omit = "Date", .faults = "continue 100");
	fd = connect_client();
	began = now_us();
	say(fd, EXPECT);
	hear(fd, &heard, "\r\n\r\n");
	ck_assert_int_ge(now_us() - began, 100 * MS);
	say(fd, "abc");
	hear(fd, &heard, NULL);
	assert_heard(&heard, "100 late", CONTINUE WHOLE, strlen(CONTINUE WHOLE),
		0);
	bytes_free(&heard.got);
	(void)close(fd);
	/* and as usual, where nothing is said */
	retort_reset(server);
	ON("POST /", .body = DIGITS, .omit = "Date");
	fd = connect_client();
	say(fd, EXPECT);
	hear(fd, &heard, CONTINUE);
	say(fd, "abc");
	hear(fd, &heard, NULL);
	bytes_free(&heard.got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(fails_expectations)
{
	open_plain(_i);
	ON("POST /", .status = 417, .body = DIGITS, .omit = "Date",
		.faults = "early");
	expect(EXPECT,
		"HTTP/1.1 417 Expectation Failed\r\n" TYPE CL(10) CLOSE DIGITS,
		0);
	close_server();
}
END_TEST

/* --- endings --- */

START_TEST(closes_its_half)
{
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int fd;

	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .faults = "end half");
	fd = connect_client();
	say(fd, GET);
	hear(fd, &heard, NULL);
	assert_heard(&heard, "half", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	/* more than is dropped otherwise */
	ck_assert_uint_eq(send_until_blocked(fd, 20u << 20), 20u << 20);
	ck_assert_uint_eq(retort_connections(server), 1);
	(void)close(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_uint_eq(seen->received, strlen(GET) + (20u << 20));
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	close_server();
}
END_TEST

static void
expect_stall(const char *faults, const char *bytes)
{
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int fd;

	retort_reset(server);
	ON(NULL, .body = DIGITS, .omit = "Date", .faults = faults);
	fd = connect_client();
	say(fd, GET);
	hear(fd, &heard, bytes);
	for (int i = 0; i < 5; i++)
		turn(fd, POLLIN, 5);
	assert_silent(fd);
	ck_assert_str_eq(heard.got.data, bytes);
	bytes_free(&heard.got);
	(void)close(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert(seen->client_first);
	ck_assert_uint_eq(seen->sent, strlen(bytes));
	assert_verdict(NULL);
}

START_TEST(stalls_until_the_client_leaves)
{
	open_plain(_i);
	expect_stall("cut head 5 stall", "HTTP/");
	expect_stall("cut body 4 stall", HEAD "0123");
	/* though `close` was said */
	expect_stall("end stall", WHOLE);
	close_server();
}
END_TEST

START_TEST(a_stall_does_not_hold_up_the_end)
{
	struct heard heard = {.end = -1};
	const char *left;
	int fd;

	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "end stall");
	ON(NULL, .body = DIGITS, .omit = "Date", .faults = "end half");
	fd = connect_client();
	say(fd, GET);
	hear(fd, &heard, WHOLE);
	bytes_free(&heard.got);
	left = retort_finish(server, PATIENCE);
	ck_assert_msg(left != NULL && strstr(left, ": in the reply, stalled; "),
		"%s: got %s", way->name, left ? left : "(NULL)");
	hear(fd, &heard, NULL);
	bytes_free(&heard.got);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->end, RETORT_STOPPED);
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
	ck_assert_int_eq(retort_serve(server, folder, NULL, error), 0);
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

/* --- chance --- */

#define TRIES 40

struct met {
	char *faults[TRIES];
	struct heard heard[TRIES];
};

static void
meet(struct met *met)
{
	*met = (struct met){.faults = {NULL}};
	for (size_t i = 0; i < TRIES; i++) {
		const struct retort_exchange *seen;

		met->heard[i] = hear_all(GET);
		seen = ended(i + 1);
		met->faults[i] = strdup(seen->faults ? seen->faults : "");
	}
}

static void
forget(struct met *met)
{
	for (size_t i = 0; i < TRIES; i++) {
		free(met->faults[i]);
		bytes_free(&met->heard[i].got);
	}
}

/* How many differ. */
static size_t
compare(const struct met *a, const struct met *b)
{
	size_t differ = 0;

	for (size_t i = 0; i < TRIES; i++)
		differ += strcmp(a->faults[i], b->faults[i]) != 0 ||
			a->heard[i].end != b->heard[i].end ||
			a->heard[i].got.size != b->heard[i].got.size ||
			memcmp(a->heard[i].got.data, b->heard[i].got.data,
				a->heard[i].got.size) != 0;
	return differ;
}

/* What happened is what was said to. */
static void
check_met(const struct met *met)
{
	for (size_t i = 0; i < TRIES; i++) {
		const struct heard *heard = met->heard + i;
		const char *faults = met->faults[i];
		bool reset = strstr(faults, "reset") != NULL;
		bool error_reply = strstr(faults, "status 404") != NULL;
		bool whole = strstr(faults, "cut") == NULL && !error_reply;
		unsigned percent = 0;

		if (sscanf(faults, "cut %u%%", &percent) == 1)
			ck_assert_uint_eq(heard->got.size, 109 * percent / 100);
		if (error_reply)
			assert_begins(heard->got, "HTTP/1.1 404 ");
		if (whole)
			assert_bytes(heard->got.data, heard->got.size, WHOLE,
				strlen(WHOLE));
		ck_assert_msg(heard->end == (reset ? ECONNRESET : 0),
			"%s: %s: ended by %d", way->name, faults, heard->end);
	}
}

static void
open_chaos(const char *text, uint64_t seed, int i)
{
	open_plain(i);
	ck_assert_int_eq(retort_answer(server,
				 &(struct retort_reply){.body = DIGITS,
					 .omit = "Date"},
				 error),
		0);
	if (text != NULL)
		ck_assert_msg(retort_faults(server, text, seed, error) == 0,
			"%s", error);
}

#define CHANCES "rst:25%,cut:20%,404:20.5%,delay:1ms:50%"

/* The date of an error reply is not by chance. */
static void
drop_dates(struct met *met)
{
	for (size_t i = 0; i < TRIES; i++) {
		char *date = strstr(met->heard[i].got.data, "Date: ");

		for (; date != NULL && *date != '\r' && *date != '\0'; date++)
			*date = '-';
	}
}

/* The record, its line in the log, its transcript and the verdict name the seed,
   which is 1, and the number. */
static void
check_seed(size_t n)
{
	const struct retort_exchange *seen = ended(n);
	char line[1024], wanted[64], *transcript;

	ck_assert(seen->by_chance);
	ck_assert_uint_eq(seen->seed, 1);
	(void)retort_log_line(seen, RETORT_LOG_SHORT, line, sizeof line);
	(void)snprintf(wanted, sizeof wanted, " #%llu ",
		(unsigned long long)seen->connection);
	ck_assert_msg(strstr(line, wanted) != NULL &&
			strstr(line, " (seed 1) [") != NULL,
		"expected '%s' and the seed in: %s", wanted, line);
	transcript = retort_transcript(server, seen->connection);
	ck_assert_ptr_nonnull(transcript);
	ck_assert_msg(strstr(transcript, " (seed 1) [status 503; pause 60]\n"),
		"got: %s", transcript);
	free(transcript);
	ck_assert_int_ge(retort_expect(server, 0, 0, "GET /"), 0);
	(void)snprintf(wanted, sizeof wanted,
		"503 [status 503; pause 60] (connection %llu, seed 1)\n",
		(unsigned long long)seen->connection);
	assert_verdict(wanted);
	retort_reset(server);
}

START_TEST(chance_is_a_function_of_the_seed)
{
	struct met first, second, other;

	open_chaos(CHANCES, 7, _i);
	meet(&first);
	check_met(&first);
	assert_verdict(NULL);
	close_server();
	open_chaos(CHANCES, 7, (_i + 1) % BASIC_WAYS);
	meet(&second);
	close_server();
	open_chaos(CHANCES, 8, _i);
	meet(&other);
	check_met(&other);
	close_server();
	drop_dates(&first);
	drop_dates(&second);
	ck_assert_uint_eq(compare(&first, &second), 0);
	ck_assert_uint_gt(compare(&first, &other), TRIES / 4);
	forget(&first);
	forget(&second);
	forget(&other);
}
END_TEST

/* Every kind comes, and about as often as it is asked for. */
START_TEST(chances_are_as_asked_for)
{
	struct met met;

	open_chaos("rst:100%", 1, _i);
	meet(&met);
	for (size_t i = 0; i < TRIES; i++)
		ck_assert_int_eq(met.heard[i].end, ECONNRESET);
	forget(&met);
	retort_reset(server);
	ck_assert_int_eq(retort_faults(server, "cut:0%,delay:1ms:0%", 1, error),
		0);
	meet(&met);
	for (size_t i = 0; i < TRIES; i++)
		ck_assert_str_eq(met.faults[i], "");
	check_met(&met);
	forget(&met);
	retort_reset(server);
	ck_assert_int_eq(retort_faults(server, "503:100%,delay:60ms", 1, error),
		0);
	expect_begin(GET, "HTTP/1.1 503 ");
	ck_assert_str_eq(ended(1)->faults, "status 503; pause 60");
	check_seed(1);
	/* none any more; and a rule has its own */
	ck_assert_int_eq(retort_faults(server, NULL, 0, NULL), 0);
	expect(GET, WHOLE, 0);
	ck_assert_int_eq(retort_faults(server, "cut:100%", 1, error), 0);
	ON(NULL, .body = DIGITS, .omit = "Date", .faults = "cut 100% reset");
	expect(GET, WHOLE, ECONNRESET);
	close_server();
}
END_TEST

START_TEST(mistakes_about_chance_are_told)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"rst:101%", "'rst:101%': expected a percentage from 0%"},
		{"rst:60%,cut:41%",
			"'cut:41%': expected percentages of 100% together"},
		{"rst", "'rst': expected rst:N%"},
		{"boom:5%", "'boom:5%': expected rst:N%"},
		{"", "expected rst:N%"},
		{"rst:5%,", "expected rst:N%"},
		{"delay:5", "'delay:5': expected delay:Nms"},
		{"delay:20ms:101%", "'delay:20ms:101%': expected delay:Nms"},
		{"99:5%", "'99:5%': expected rst:N%"},
	};

	struct heard heard;

	open_chaos("rst:100%", 1, _i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		ck_assert_int_eq(retort_faults(server, cases[i].text, 7, error),
			-EINVAL);
		ck_assert_msg(strstr(error, cases[i].why) != NULL,
			"\"%s\": expected \"%s\" in: %s", cases[i].text,
			cases[i].why, error);
	}
	/* what there was stays */
	heard = hear_all(GET);
	ck_assert_int_eq(heard.end, ECONNRESET);
	bytes_free(&heard.got);
	close_server();
}
END_TEST

/* The lines of what is recorded. */
static struct bytes
write_log(void)
{
	struct bytes log = {.data = NULL};
	const struct retort_exchange *seen;
	char line[1024];

	for (size_t i = 1; (seen = retort_record(server, i)) != NULL; i++) {
		(void)ended(i);
		bytes_add(&log, line,
			retort_log_line(seen, RETORT_LOG_SHORT, line,
				sizeof line));
	}
	return log;
}

START_TEST(replays_what_was_logged)
{
	struct met first, second;
	struct bytes log;

	open_chaos(CHANCES, 11, _i);
	meet(&first);
	log = write_log();
	close_server();
	open_chaos(NULL, 0, _i);
	ck_assert_msg(retort_replay(server, log.data, log.size, error) == 0,
		"%s in: %s", error, shown(log.data, log.size));
	/* another request takes nobody's turn */
	expect("GET /other" HOST "\r\n", WHOLE, 0);
	retort_forget(server);
	meet(&second);
	drop_dates(&first);
	drop_dates(&second);
	ck_assert_uint_eq(compare(&first, &second), 0);
	/* it is used up */
	expect(GET, WHOLE, 0);
	close_server();
	forget(&first);
	forget(&second);
	bytes_free(&log);
}
END_TEST

/* Each request line has a queue of its own. */
START_TEST(replays_by_request)
{
	static const char log[] =
		"12:00:00 127.0.0.1:1 \"GET /a HTTP/1.1\" 200 1 2 ms [cut 5]\n"
		"12:00:00 127.0.0.1:1 \"GET /b HTTP/1.1\" 200 1 2 ms\n"
		"12:00:00 127.0.0.1:1 \"GET /b HTTP/1.1\" 200 1 2 ms [cut 9]\n"
		"a line of another kind [cut 1]\n"
		"12:00:00 127.0.0.1:1 \"GET /a HTTP/1.1\" 200 1 2 ms "
		"[cut 6 reset]";

	open_chaos(NULL, 0, _i);
	ck_assert_int_eq(retort_replay(server, log, strlen(log), error), 0);
	expect("GET /b" HOST "\r\n", WHOLE, 0);
	expect("GET /b" HOST "\r\n", "HTTP/1.1 ", 0);
	expect("GET /a" HOST "\r\n", "HTTP/", 0);
	expect("GET /a" HOST "\r\n", "HTTP/1", ECONNRESET);
	expect("GET /a" HOST "\r\n", WHOLE, 0);
	ck_assert_int_eq(retort_replay(server, "no log\n", 7, error), -EINVAL);
	ck_assert(strstr(error, "expected lines of a log") != NULL);
	close_server();
}
END_TEST

/* On their line, which they cannot forge. */
START_TEST(logs_faults)
{
	static const char faults[] = "insert 0 \"]\\n\"; cut 3";
	char line[1024];

	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1, .faults = faults);
	expect(GET, "]\nH", 0);
	(void)retort_log_line(ended(1), RETORT_LOG_SHORT, line, sizeof line);
	ck_assert_msg(strstr(line, " [insert 0 \"]\\n\"; cut 3]\n") != NULL,
		"got: %s", line);
	/* either it is refused, or it cannot drive a terminal */
	if (retort_on(server, NULL, .body = DIGITS, .omit = "Date", .times = 1,
		    .faults = "insert 0 \"\033[2J]\"\ncut 3") > 0) {
		expect(GET, "\033[2", 0);
		(void)retort_log_line(ended(2), RETORT_LOG_SHORT, line,
			sizeof line);
		ck_assert_msg(strchr(line, '\033') == NULL,
			"it can drive a terminal: %s",
			shown(line, strlen(line)));
	}
	close_server();
}
END_TEST

/* --- sweeps --- */

/* Takes a reply for right if its Content-Length came to an end by a FIN. */
static int
right_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	struct bytes got = {.data = NULL};
	const char *head, *length;
	bool ok;

	bytes_add(&got, "", 0);
	(void)client_send_text(fd, GET);
	ok = client_receive(fd, &got) == 0;
	(void)close(fd);
	head = strstr(got.data, "\r\n\r\n");
	length = strstr(got.data, "Content-Length: ");
	ok = ok && head != NULL && length != NULL &&
		strtoul(length + 16, NULL, 10) == strlen(head + 4);
	bytes_free(&got);
	(void)fault;
	++*(size_t *)arg;
	return ok;
}

/* Takes what came of the body for all of it. */
static int
trusting_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	struct bytes got = {.data = NULL};
	bool ok;

	bytes_add(&got, "", 0);
	(void)client_send_text(fd, GET);
	ok = client_receive(fd, &got) == 0;
	ok = ok && strstr(got.data, "\r\n\r\n") != NULL;
	(void)close(fd);
	bytes_free(&got);
	(void)fault;
	++*(size_t *)arg;
	return ok;
}

/* Takes one read for all there is. */
static int
hasty_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	char data[256];
	ssize_t n;

	(void)client_send_text(fd, GET);
	n = recv(fd, data, 1, MSG_WAITALL);
	if (n == 1)
		n += recv(fd, data + 1, 16, MSG_WAITALL);
	(void)close(fd);
	(void)fault;
	++*(size_t *)arg;
	return n == 17 && strncmp(data, OK, 17) == 0;
}

/* It never gets to the server. */
static int
lost_client(void *arg, const char *url, const char *fault)
{
	(void)arg;
	(void)url;
	(void)fault;
	return 1;
}

/* Connects, and takes nothing for success. */
static int
gloomy_client(void *arg, const char *url, const char *fault)
{
	(void)right_client(arg, url, fault);
	return 0;
}

/* Has enough of it at one point. */
static int
tired_client(void *arg, const char *url, const char *fault)
{
	if (fault != NULL && strcmp(fault, "cut 3 reset") == 0)
		return -EINTR;
	return trusting_client(arg, url, fault);
}

static const struct retort_reply swept = {.body = DIGITS, .omit = "Date"};

static void
assert_report(char *report, const char *expected)
{
	ck_assert_ptr_nonnull(report);
	assert_bytes(report, strlen(report), expected, strlen(expected));
	free(report);
}

START_TEST(sweeps)
{
	char *report = NULL;
	size_t calls = 0;
	int wrong;

	open_plain(_i);
	wrong = retort_sweep(server, &swept, right_client, &calls, &report,
		error);
	ck_assert_msg(wrong == 0, "%d: %s%s", wrong, error,
		report ? report : "");
	/* whole; cut twice at 0 to 108; split at 1 to 108; byte by byte */
	ck_assert_uint_eq(calls, 1 + 2 * 109 + 108 + 1);
	ck_assert_uint_eq(retort_accepted(server), calls);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for success\n"
		"cut N fin             109  taken for success: none\n"
		"cut N reset           109  taken for success: none\n"
		"split N; gap 20       108  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	calls = 0;
	wrong = retort_sweep(server, &swept, trusting_client, &calls, &report,
		error);
	ck_assert_int_eq(wrong, 10);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for success\n"
		"cut N fin             109  taken for success: 99-108\n"
		"cut N reset           109  taken for success: none\n"
		"split N; gap 20       108  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	/* without a report, and of another's faults nothing is left */
	ck_assert_int_eq(retort_sweep(server, &swept, hasty_client, &calls,
				 NULL, NULL),
		2 * (109 - 17));
	close_server();
}
END_TEST

START_TEST(sweeps_that_end_early)
{
	char *report = NULL;
	size_t calls = 0;

	open_plain(_i);
	/* all else would say nothing */
	ck_assert_int_eq(retort_sweep(server, &swept, gloomy_client, &calls,
				 &report, error),
		1);
	ck_assert_uint_eq(calls, 1);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for failure\n"
		"nothing else was tried\n");
	ck_assert_int_eq(retort_sweep(server, &swept, lost_client, NULL, NULL,
				 error),
		-ENOTCONN);
	ck_assert_str_eq(error, "the whole reply: the client did not connect");
	ck_assert_int_eq(retort_sweep(server, &swept, tired_client, &calls,
				 &report, error),
		-EINTR);
	ck_assert_str_eq(error, "the client: Interrupted system call");
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for success\n"
		"cut N fin             109  taken for success: 99-108\n"
		"cut N reset           109  taken for success: (105 not "
		"tried)\n");
	close_server();
}
END_TEST

/* The faults that it is told, a line each. */
static int
telling_client(void *arg, const char *url, const char *fault)
{
	struct bytes *told = arg;
	size_t calls = 0;

	bytes_add(told, fault ? fault : "-", strlen(fault ? fault : "-"));
	bytes_add(told, "\n", 1);
	return right_client(&calls, url, fault);
}

/* The same, and takes anything for success. */
static int
any_client(void *arg, const char *url, const char *fault)
{
	(void)telling_client(arg, url, fault);
	return 1;
}

START_TEST(sweep_tells_its_faults)
{
	static const struct retort_reply three = {.raw = true, .body = "abc"};
	struct bytes told = {.data = NULL};
	const char *expected = "-\ncut 0 fin\ncut 1 fin\ncut 2 fin\n"
			       "cut 0 reset\ncut 1 reset\ncut 2 reset\n"
			       "split 1; gap 20\nsplit 2; gap 20\neach 1\n";
	char *report = NULL;

	open_plain(_i);
	ck_assert_int_eq(retort_sweep(server, &three, telling_client, &told,
				 NULL, NULL),
		1);
	assert_bytes(told.data, told.size, "-\n", 2);
	told.size = 0;
	ck_assert_int_ge(retort_sweep(server, &three, any_client, &told,
				 &report, error),
		0);
	assert_bytes(told.data, told.size, expected, strlen(expected));
	/* there is no head, and it says nothing of one */
	ck_assert_msg(strncmp(report, "reply of 3 bytes\n", 17) == 0, "got: %s",
		report);
	free(report);
	bytes_free(&told);
	close_server();
}
END_TEST

/* The reply takes the place of that of retort_answer(): and nothing else. */
START_TEST(leaves_the_reply_as_it_is)
{
	struct heard heard;
	size_t calls = 0;

	open_plain(_i);
	ck_assert_int_ge(retort_sweep(server, &swept, right_client, &calls,
				 NULL, error),
		0);
	retort_forget(server);
	heard = hear_all(GET);
	assert_heard(&heard, "after a sweep", WHOLE, strlen(WHOLE), 0);
	ck_assert_msg(ended(1)->faults == NULL, "faults are left: %s",
		ended(1)->faults);
	bytes_free(&heard.got);
	/* and if it ended early */
	ck_assert_int_eq(retort_sweep(server, &swept, tired_client, &calls,
				 NULL, NULL),
		-EINTR);
	heard = hear_all(GET);
	assert_heard(&heard, "after half a sweep", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	close_server();
}
END_TEST

START_TEST(mistakes_about_sweeps_are_told)
{
	static const struct {
		struct retort_reply reply;
		const char *why;
	} cases[] = {
		{{.echo = true}, "echo: its size is not known"},
		{{.body = "x", .repeat = 65537}, "expected 1 to 65536"},
		{{.file = "/nowhere"}, "/nowhere"},
		{{.body = "x", .status = 99}, "status"},
	};
	struct {
		struct retort_reply reply;
		int more;
	} newer = {{.body = "x"}, 1};
	size_t calls = 0;

	open_plain(_i);
	if (way->drive != OWN_THREAD) {
		ck_assert_int_eq(retort_sweep(server, &swept, right_client,
					 &calls, NULL, error),
			-EINVAL);
		ck_assert(strstr(error, "retort_start()") != NULL);
		close_server();
		return;
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		ck_assert_int_lt(retort_sweep(server, &cases[i].reply,
					 right_client, &calls, NULL, error),
			0);
		ck_assert_msg(strstr(error, cases[i].why) != NULL,
			"expected \"%s\" in: %s", cases[i].why, error);
	}
	ck_assert_int_eq(retort_sweep_sized(server, &newer.reply, sizeof newer,
				 right_client, &calls, NULL, error),
		-E2BIG);
	ON("GET /", .body = "x");
	ck_assert_int_eq(retort_sweep(server, &swept, right_client, &calls,
				 NULL, error),
		-EINVAL);
	ck_assert(strstr(error, "without rules") != NULL);
	ck_assert_uint_eq(calls, 0);
	close_server();
}
END_TEST

/* --- Unix sockets --- */

static int
reset_by_handler(void *arg, const struct retort_exchange *seen,
	struct retort_reply *reply)
{
	(void)arg;
	(void)seen;
	reply->faults = "cut body 4 reset";
	return 0;
}

/* There is no RST, and it is not made out of anything else. */
START_TEST(unix_sockets_have_no_reset)
{
	static const char log[] =
		"12:00:00 unix \"GET / HTTP/1.1\" 200 1 2 ms [end reset]\n";
	char *folder = dir_make();
	char bind[512];
	const char *const binds[] = {bind, NULL};

	(void)snprintf(bind, sizeof bind, "unix:%s/s", folder);
	open_with((struct retort_options){.bind = binds}, _i);
	ck_assert_int_eq(retort_on(server, NULL, .body = DIGITS,
				 .faults = "end reset"),
		-EINVAL);
	assert_verdict("a Unix socket cannot be reset");
	ck_assert_int_eq(retort_faults(server, "cut:5%,rst:1%", 7, error),
		-EINVAL);
	ck_assert_str_eq(error, "rst: a Unix socket cannot be reset");
	retort_reset(server);
	/* the others are as with TCP */
	ON("GET /", .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "cut body 4; split body 2; each 10");
	expect(GET, HEAD "0123", 0);
	assert_verdict(NULL);
	/* whoever finds another way to it is told */
	ON("GET /", .body = DIGITS, .omit = "Date", .times = 1,
		.handler = reset_by_handler);
	expect(GET, HEAD "0123", 0);
	assert_verdict("a Unix socket cannot be reset");
	retort_reset(server);
	ON("GET /", .body = DIGITS, .omit = "Date", .faults = "refuse");
	expect(GET, WHOLE, 0);
	assert_verdict("there is a listener that cannot refuse");
	retort_reset(server);
	ck_assert_int_eq(retort_answer(server,
				 &(struct retort_reply){.body = DIGITS,
					 .omit = "Date"},
				 error),
		0);
	ck_assert_int_eq(retort_replay(server, log, strlen(log), error), 0);
	expect(GET, WHOLE, 0);
	assert_verdict("a Unix socket cannot be reset");
	close_server();
	dir_remove(folder);
}
END_TEST

/* --- without memory --- */

/* clang-format off */
static const struct retort_reply torture[] = {
	{.when.request = "GET /0", .body = DIGITS, .faults = "cut body 5"},
	{.when.request = "GET /1", .body = DIGITS,
		.faults = "corrupt body 3; insert body 5 \"xyz\"; length +3"},
	{.when.request = "GET /2", .body = DIGITS, .chunked = true,
		.faults = "bare-lf; fold; split 5 10 15; each 7"},
	{.when.request = "GET /3", .body = DIGITS,
		.faults = "garbage 100; end reset"},
	{.when.request = "GET /4", .body = DIGITS, .faults = "status 503"},
	{.when.request = "GET /5", .body = DIGITS, .faults = "early"},
};
/* clang-format on */

/* A request, and whatever comes of it before it ends. */
static void
torture_request(const char *target)
{
	struct heard heard;
	char request[64];

	(void)snprintf(request, sizeof request, "GET %s%s\r\n", target, HOST);
	heard = hear_all(request);
	bytes_free(&heard.got);
}

static void
torture_server(void)
{
	static const char log[] =
		"12:00:00 a \"GET /c HTTP/1.1\" 200 1 2 ms [cut 5]\n";
	struct retort_reply plain = {.body = DIGITS};
	char target[8];
	int code;

	for (size_t i = 0; i < COUNT(torture); i++) {
		inside++;
		code = retort_on_sized(server, torture + i, sizeof *torture);
		inside--;
		ck_assert_msg(code > 0 || code == -ENOMEM,
			"%s: allocation %zu failed: \"%s\" is %s", way->name,
			(size_t)fail_at, torture[i].faults, strerror(-code));
	}
	inside++;
	code = retort_answer(server, &plain, error);
	if (code == 0)
		code = retort_faults(server, "cut:30%,503:30%,delay:1ms", 7,
			error);
	inside--;
	ck_assert_msg(code == 0 || code == -ENOMEM, "%s", error);
	for (size_t i = 0; i <= COUNT(torture); i++) {
		(void)snprintf(target, sizeof target, "/%zu", i);
		torture_request(target);
	}
	inside++;
	code = retort_replay(server, log, strlen(log), error);
	inside--;
	ck_assert_msg(code == 0 || code == -ENOMEM, "%s", error);
	torture_request("/c");
	inside++;
	(void)retort_verdict(server);
	(void)retort_finish(server, 0);
	inside--;
}

/* False: there were not as many allocations. */
static bool
torture_once(int i, size_t n, bool ever_after)
{
	bool reached;

	allocations = 0;
	fail_ever_after = ever_after;
	fail_at = n;
	is_test = true;
	if (try_open_with((struct retort_options){.port = 0}, i) != NULL)
		torture_server();
	else
		ck_assert_msg(errno == ENOMEM, "%s", error);
	reached = allocations >= n;
	fail_at = 0;
	close_server();
	is_test = false;
	return reached;
}

START_TEST(spoils_without_memory)
{
	bool ever_after = _i >= BASIC_WAYS;
	size_t step = under_valgrind() ? 17 : 1, n = 1;
	long long before;

	(void)torture_once(_i % BASIC_WAYS, SIZE_MAX, false);
	before = live;
	while (torture_once(_i % BASIC_WAYS, n, ever_after)) {
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n);
		ck_assert_uint_lt(n += step, 3000);
	}
	/* the failures were real */
	ck_assert_uint_gt(n, 100);
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *const *tests, int to)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 100);
	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, 0, to);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("fault_wire");
	const TTest *const bytes[] = {spoils_bytes, makes_garbage,
		goes_on_for_ever, spoils_files, cannot_cut_beyond_a_file,
		later_replies_tell_their_faults, impossible_faults_are_told,
		NULL};
	const TTest *const times[] = {splits_into_segments,
		splits_where_it_is_told_to, takes_its_time, NULL};
	const TTest *const connections[] = {refuses_for_a_time,
		refuses_until_told_otherwise, ends_what_it_accepts, never_reads,
		reads_and_never_answers, NULL};
	const TTest *const requests[] = {stops_reading_after_the_head,
		stops_reading_within_the_body, reads_slowly,
		answers_early_and_reads_on, answers_early_and_resets,
		reads_as_the_only_reply_has_it, reads_so_without_records,
		withholds_continue, delays_continue, fails_expectations, NULL};
	const TTest *const endings[] = {closes_its_half,
		stalls_until_the_client_leaves,
		a_stall_does_not_hold_up_the_end, NULL};
	const TTest *const meaning[] = {fails_at_first, says_another_status,
		redirects, lies_about_files, changes_files_in_mid_download,
		NULL};
	const TTest *const plain[] = {spoils_pieces, spoils_datagrams, NULL};
	const TTest *const datagrams[] = {spoils_bytes_of_datagrams, NULL};
	const TTest *const chance[] = {chance_is_a_function_of_the_seed,
		chances_are_as_asked_for, mistakes_about_chance_are_told,
		replays_what_was_logged, replays_by_request, logs_faults, NULL};
	/* those of a thread of their own, alone */
	const TTest *const sweep[] = {sweeps, sweeps_that_end_early,
		sweep_tells_its_faults, leaves_the_reply_as_it_is, NULL};
	const TTest *const mistakes[] = {mistakes_about_sweeps_are_told,
		unix_sockets_have_no_reset, NULL};
	const TTest *const memory[] = {spoils_without_memory, NULL};

	add(suite, "bytes", bytes, BASIC_WAYS);
	add(suite, "time", times, BASIC_WAYS);
	add(suite, "connections", connections, BASIC_WAYS);
	add(suite, "requests", requests, BASIC_WAYS);
	add(suite, "endings", endings, BASIC_WAYS);
	add(suite, "meaning", meaning, BASIC_WAYS);
	add(suite, "plain", plain, BASIC_WAYS);
	add(suite, "datagrams", datagrams, 7 * BASIC_WAYS);
	add(suite, "chance", chance, BASIC_WAYS);
	add(suite, "sweeps", sweep, 2);
	add(suite, "mistakes", mistakes, BASIC_WAYS);
	add(suite, "memory", memory, 2 * BASIC_WAYS);
	return rt_test_run(suite);
}
