/* SPDX-License-Identifier: MIT */
/* The library without HTTP, where the framing says what a piece is. */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
open_framed(const char *framing, int i)
{
	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .framing = framing},
		i);
}

/* Sends a text, and gets these bytes, and no others so far. */
static void
say_and_hear(int fd, const char *text, const char *expected)
{
	struct bytes got = {.data = NULL};
	int code = talk(fd, text, strlen(text), &got, expected);

	ck_assert_msg(code == 0, "%s: %s after: %s", way->name, strerror(code),
		shown(got.data, got.size));
	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
}

static void
must_be_piece(size_t n, uint64_t piece, const char *bytes, bool complete)
{
	const struct retort_exchange *seen = ended(n);

	assert_bytes(seen->body, seen->body_size, bytes, strlen(bytes));
	assert_bytes(seen->raw, seen->raw_size, bytes, strlen(bytes));
	ck_assert_uint_eq(seen->body_total, strlen(bytes));
	ck_assert_uint_eq(seen->nth, piece);
	ck_assert_int_eq(seen->complete, complete);
	ck_assert_uint_eq(seen->request_size, strcspn(bytes, "\r\n"));
}

START_TEST(answers_lines_however_they_come)
{
	int fd;

	open_framed("lines", _i);
	ON(.if_body = "one\n", .body = "1");
	ON(.if_body = "two\r\n", .body = "2");
	ON(.if_body = "\n", .body = "-");
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, "one\n", "1");
	say_and_hear(fd, "one\n\ntwo\r\none\nt", "1-21");
	say_and_hear(fd, "wo\r\no", "2");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	finish_client(fd, "");
	must_be_piece(1, 1, "one\n", true);
	must_be_piece(2, 2, "one\n", true);
	must_be_piece(3, 3, "\n", true);
	must_be_piece(4, 4, "two\r\n", true);
	must_be_piece(6, 6, "two\r\n", true);
	/* nothing answers what is left, and nobody minds */
	must_be_piece(7, 7, "o", false);
	ck_assert_str_eq(ended(7)->reason,
		"the client finished within a piece");
	ck_assert_int_eq(ended(7)->rule, 0);
	ck_assert_ptr_null(retort_record(server, 8));
	ck_assert_uint_eq(ended(1)->received, 24);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* More of them than one turn of the loop takes. */
START_TEST(answers_a_thousand_lines_at_once)
{
	enum { LINES = 1000 };
	char text[2 * LINES + 1], expected[LINES + 1];
	int fd;

	for (size_t i = 0; i < LINES; i++)
		memcpy(text + 2 * i, "x\n", 3);
	memset(expected, '.', LINES);
	expected[LINES] = '\0';
	open_framed("lines", _i);
	ON(.if_body = "x\n", .body = ".");
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, text, expected);
	(void)close(fd);
	must_be_piece(LINES, LINES, "x\n", true);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(answers_what_is_left)
{
	int fd;

	open_framed("crlf", _i);
	ON(.if_body = "QUIT", .body = "bye");
	fd = connect_plain(SOCK_STREAM);
	say(fd, "QUIT");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	finish_client(fd, "bye");
	must_be_piece(1, 1, "QUIT", false);
	ck_assert_int_eq(ended(1)->rule, 1);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(closes_after_a_piece_without_end)
{
	char *text = malloc((64 << 10) + 1);
	int fd;

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', 64 << 10);
	text[64 << 10] = '\0';
	open_framed("lines", _i);
	ON(.body = "never");
	fd = connect_plain(SOCK_STREAM);
	say(fd, text);
	finish_client(fd, "");
	must_be_piece(1, 1, text, false);
	ck_assert_str_eq(ended(1)->reason,
		"a piece is longer than 65536 bytes");
	ck_assert_int_eq(ended(1)->server_close, RETORT_FIN);
	assert_verdict("connection 1: a piece is longer than 65536 bytes\n");
	free(text);
	close_server();
}
END_TEST

START_TEST(records_a_piece_that_broke_off)
{
	const struct linger reset = {.l_onoff = 1};
	int fd;

	open_framed("lines", _i);
	ON(.body = "ok");
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, "one\ntw", "ok");
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				 sizeof reset),
		0);
	(void)close(fd);
	must_be_piece(2, 2, "tw", false);
	ck_assert_str_eq(ended(2)->reason, "the connection broke off");
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* What is answered by silence is answered. */
START_TEST(stops_within_a_piece)
{
	const char *left;
	int fd;

	open_framed("lines", _i);
	ON(.if_body = "one\n", .body = "1");
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, "one\ntw", "1");
	left = finish(0);
	ck_assert_msg(left != NULL && strstr(left, ": in a piece; ") != NULL,
		"%s: expected a piece that is under way, got: %s", way->name,
		left ? left : "(NULL)");
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(is_silent)
{
	int fd;

	open_framed("lines", _i);
	ON(.if_body_begins = "NOOP", .if_nocase = true, .silent = true);
	ON(.if_body = "PING\n", .body = "PONG\n");
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, "noop 1\nPING\nNOOP 2\nPING\n", "PONG\nPONG\n");
	(void)close(fd);
	ck_assert_int_eq(ended(3)->rule, 1);
	ck_assert_int_eq(ended(3)->end, RETORT_ANSWERED);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(is_silent_to_a_datagram)
{
	int fd;

	open_with((struct retort_options){.protocol = RETORT_UDP}, _i);
	ON(.if_body_begins = "NOOP", .silent = true);
	ON(.if_body = "PING", .body = "PONG");
	fd = connect_plain(SOCK_DGRAM);
	say(fd, "NOOP");
	ck_assert_uint_eq(ended(1)->sent, 0);
	say_and_hear(fd, "PING", "PONG");
	(void)close(fd);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* Until a line with a dot alone; counts its calls. */
static int
take_until_dot(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	const char *text = exchange->body;
	size_t size = exchange->body_size;

	++*(unsigned *)arg;
	if (size < 3 || memcmp(text + size - 3, "\n.\n", 3) != 0)
		return RETORT_MORE;
	reply->body = "taken";
	return 0;
}

START_TEST(joins_pieces_for_a_handler)
{
	unsigned calls = 0;
	int fd;

	open_framed("lines", _i);
	ON(.handler = take_until_dot, .handler_arg = &calls, .times = 1);
	ON(.if_body = "next\n", .body = "done");
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, "Dear\nsir\n.\nnext\n", "takendone");
	(void)close(fd);
	must_be_piece(1, 1, "Dear\nsir\n.\n", true);
	must_be_piece(2, 2, "next\n", true);
	ck_assert_uint_eq(calls, 3);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(joins_nothing_at_the_end)
{
	unsigned calls = 0;
	int fd;

	open_framed("lines", _i);
	ON(.handler = take_until_dot, .handler_arg = &calls);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "Dear\nsir\n");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	finish_client(fd, "");
	must_be_piece(1, 1, "Dear\nsir\n", false);
	ck_assert_uint_eq(calls, 3);
	close_server();
}
END_TEST

static int
want_more(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	return RETORT_MORE;
}

START_TEST(a_request_has_no_more)
{
	open_plain(_i);
	ON("GET /", .handler = want_more);
	expect_begin(GET, "HTTP/1.1 500 ");
	assert_verdict("the handler of rule 1 failed: it returned 2");
	close_server();
}
END_TEST

/* What was told, with a bar after each. */
static void
tell(void *arg, enum retort_event event, const struct retort_exchange *exchange,
	const void *bytes, size_t size)
{
	(void)exchange;
	if (event != RETORT_ON_PIECE)
		return;
	bytes_add(arg, bytes, size);
	bytes_add(arg, "|", 1);
}

START_TEST(tells_of_each_piece)
{
	struct bytes told = {.data = NULL};
	unsigned calls = 0;
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .framing = "lines",
			  .event = tell,
			  .event_arg = &told},
		_i);
	ON(.if_body = "a\n", .body = "A");
	ON(.handler = take_until_dot, .handler_arg = &calls);
	fd = connect_plain(SOCK_STREAM);
	say_and_hear(fd, "a\na\nDear\n.\na\n", "AAtakenA");
	(void)close(fd);
	(void)ended(4);
	close_server();
	assert_bytes(told.data, told.size, "a\n|a\n|Dear\n|.\n|a\n|", 18);
	bytes_free(&told);
}
END_TEST

START_TEST(mistakes_about_framing_are_told)
{
	static const struct {
		enum retort_protocol protocol;
		const char *framing;
		const char *error;
	} mistakes[] = {
		{RETORT_TCP, "line", "framing: 'line': expected lines, crlf, "},
		{RETORT_TCP, "", "framing: '': expected lines, crlf, "},
		{RETORT_UDP, "lines", "framing: a datagram is a piece"},
	};

	for (size_t i = 0; i < COUNT(mistakes); i++) {
		ck_assert_ptr_null(try_open_with(
			(struct retort_options){.protocol =
							mistakes[i].protocol,
				.framing = mistakes[i].framing},
			0));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_msg(strstr(error, mistakes[i].error) == error,
			"expected %s, got %s", mistakes[i].error, error);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lines");
	const TTest *const pieces[] = {answers_lines_however_they_come,
		answers_a_thousand_lines_at_once, answers_what_is_left,
		closes_after_a_piece_without_end, joins_pieces_for_a_handler,
		joins_nothing_at_the_end, is_silent, tells_of_each_piece,
		stops_within_a_piece, NULL};
	const TTest *const resets[] = {records_a_piece_that_broke_off,
		is_silent_to_a_datagram, NULL};
	const TTest *const others[] = {a_request_has_no_more,
		mistakes_about_framing_are_told, NULL};

	rt_test_cases(suite, "pieces", pieces, 0, WAYS);
	rt_test_cases(suite, "resets", resets, 0, LISTENING_WAYS);
	rt_test_cases(suite, "others", others, 0, 1);
	return rt_test_run(suite);
}
