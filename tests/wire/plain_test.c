/* SPDX-License-Identifier: MIT */
/* The library without HTTP: pieces and datagrams. */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- plain sockets --- */

static void
open_protocol(enum retort_protocol protocol, int i)
{
	open_with((struct retort_options){.protocol = protocol}, i);
}

/* Receives as many bytes as are expected, in any pieces. */
static void
hear_bytes(int fd, const void *expected, size_t size)
{
	int64_t until = now_ms() + PATIENCE;
	char *got = calloc(1, size + 1);
	size_t have = 0;

	while (have < size) {
		ssize_t n = recv(fd, got + have, size - have, MSG_DONTWAIT);

		ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN),
			"%s: expected %s, then came %s", way->name,
			shown(expected, size),
			n == 0 ? "FIN" : strerror(errno));
		ck_assert_msg(now_ms() < until, "%s: %s did not come",
			way->name, shown(expected, size));
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			have += (size_t)n;
	}
	assert_bytes(got, have, expected, size);
	free(got);
}

static void
hear(int fd, const char *expected)
{
	hear_bytes(fd, expected, strlen(expected));
}

/* One piece, and its answer. */
static void
converse(int fd, const char *piece, const char *expected)
{
	say(fd, piece);
	hear(fd, expected);
}

/* Nothing but these bytes comes until FIN; closes. */
static void
hear_end(int fd, const char *expected)
{
	struct bytes got = {.data = NULL};
	int code = talk(fd, "", 0, &got, NULL);

	ck_assert_msg(code == 0, "%s: %s after: %s", way->name, strerror(code),
		shown(got.data, got.size));
	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
	(void)close(fd);
}

START_TEST(answers_these_bytes_once)
{
	const struct retort_exchange *seen;
	char url[64];
	int fd;

	open_protocol(RETORT_TCP, _i);
	if (!way->adopted) {
		(void)snprintf(url, sizeof url, "tcp://127.0.0.1:%d",
			retort_listener(server).port);
		ck_assert_str_eq(retort_url(server), url);
	}
	ON(NULL, .body = "O\0K\r\n", .body_size = 5, .times = 1, .close = true);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "ping");
	hear_bytes(fd, "O\0K\r\n", 5);
	hear_end(fd, "");
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	ck_assert_int_eq(seen->rule, 1);
	ck_assert_int_eq(seen->status, 0); /* which is of HTTP */
	assert_verdict(NULL);
	/* then there is no answer, and the connection says so */
	fd = connect_plain(SOCK_STREAM);
	say(fd, "again");
	hear_end(fd, "");
	ck_assert_int_eq(ended(2)->rule, 0);
	assert_verdict("connection 2: no rule fits \"again\": rule 1 would, "
		       "but was used up (1 of 1)\n");
	ck_assert_uint_eq(retort_stats(server).replies, 2);
	close_server();
}
END_TEST

START_TEST(records_pieces)
{
	static const char *const pieces[] = {"one\n", "zw\xffi", "3\r\nthree"};
	static const char *const lines[] = {"one", "zw\xffi", "3"};
	const struct retort_reply echo = {.echo = true};
	const struct retort_exchange *seen;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ck_assert_int_eq(set_answer(&echo), 0);
	fd = connect_plain(SOCK_STREAM);
	converse(fd, pieces[0], pieces[0]);
	/* recorded before its answer is sent, open until the connection ends */
	seen = retort_record(server, 1);
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(seen->end, RETORT_OPEN);
	ck_assert(!retort_wait_end(server, seen, 0));
	for (size_t i = 1; i < COUNT(pieces); i++)
		converse(fd, pieces[i], pieces[i]);
	ck_assert_uint_eq(retort_stats(server).replies, 0);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	hear_end(fd, "");
	for (size_t i = 0; i < COUNT(pieces); i++) {
		seen = ended(i + 1);
		assert_bytes(seen->body, seen->body_size, pieces[i],
			strlen(pieces[i]));
		assert_bytes(seen->raw, seen->raw_size, pieces[i],
			strlen(pieces[i]));
		assert_bytes(seen->request, seen->request_size, lines[i],
			strlen(lines[i]));
		ck_assert_uint_eq(seen->nth, i + 1);
		ck_assert_int_eq(seen->protocol, RETORT_TCP);
		ck_assert_uint_eq(seen->connection, 1);
		ck_assert_int_eq(seen->status, 0);
		ck_assert_ptr_null(seen->method);
		ck_assert_ptr_null(seen->target);
		ck_assert_uint_eq(seen->field_count, 0);
		ck_assert(seen->complete && !seen->truncated);
		ck_assert_ptr_null(seen->reason);
		/* its end is that of all of them */
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		ck_assert_uint_eq(seen->received, 16);
		ck_assert_uint_eq(seen->sent, 16);
		ck_assert_uint_eq(seen->sent_body, 16);
		ck_assert_int_eq(seen->client_close, RETORT_FIN);
		ck_assert_int_eq(seen->server_close, RETORT_FIN);
		ck_assert(seen->client_first);
	}
	ck_assert_ptr_null(retort_record(server, 4));
	ck_assert_uint_eq(retort_stats(server).replies, 1);
	ck_assert_uint_eq(retort_count(server), 3);
	ck_assert_uint_eq(retort_count(server, .if_body = "one\n"), 1);
	ck_assert_uint_eq(retort_count(server, .if_body_has = "e"), 2);
	seen = retort_wait(server, .times = 2, .timeout = 1,
		.if_body_has = "e");
	ck_assert_ptr_eq(seen, retort_record(server, 3));
	ck_assert_ptr_null(retort_wait(server, .timeout = 1, .if_body = "one"));
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A mailbox that takes one letter: what a piece means depends on those before
   it on the same connection. */
static struct mailbox {
	uint64_t letter_on; /* connection; 0: none is under way */
	char letter[100];
} mailbox;

static int
take_letter(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct mailbox *box = arg;

	if (box->letter_on == exchange->connection) {
		(void)snprintf(box->letter, sizeof box->letter, "%s",
			(const char *)exchange->body);
		box->letter_on = 0;
		reply->body = "250 taken\r\n";
	} else if (strcmp(exchange->body, "DATA\r\n") == 0) {
		box->letter_on = exchange->connection;
		reply->body = "354 go on\r\n";
	} else {
		reply->close = strcmp(exchange->body, "QUIT\r\n") == 0;
		reply->body = reply->close ? "221 bye\r\n" : "500 what?\r\n";
	}
	return 0;
}

START_TEST(remembers_a_conversation)
{
	int first, second;

	open_protocol(RETORT_TCP, _i);
	memset(&mailbox, 0, sizeof mailbox);
	ON(NULL, .handler = take_letter, .handler_arg = &mailbox);
	first = connect_plain(SOCK_STREAM);
	second = connect_plain(SOCK_STREAM);
	converse(first, "DATA\r\n", "354 go on\r\n");
	converse(second, "Dear all\r\n", "500 what?\r\n");
	converse(first, "Dear sir\r\n", "250 taken\r\n");
	converse(first, "Dear sir\r\n", "500 what?\r\n");
	ck_assert_str_eq(mailbox.letter, "Dear sir\r\n");
	say(second, "QUIT\r\n");
	hear_end(second, "221 bye\r\n");
	say(first, "QUIT\r\n");
	hear_end(first, "221 bye\r\n");
	ck_assert_uint_eq(ended(6)->nth, 4);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(handlers_of_pieces_may_fail)
{
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .if_body = "err", .handler = err);
	ON(NULL, .handler = err, .handler_arg = &error);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "err");
	hear_end(fd, "");
	assert_verdict("connection 1: the handler of rule 1 failed: it "
		       "returned -5\n");
	/* it sets a status, which is of HTTP */
	fd = connect_plain(SOCK_STREAM);
	say(fd, "status");
	hear_end(fd, "");
	assert_verdict("connection 2: the handler of rule 2 failed: ");
	close_server();
}
END_TEST

START_TEST(answers_pieces_later)
{
	const struct retort_exchange *seen;
	struct retort_reply reply = {.body = "first"};
	const struct retort_reply wrong = {.status = 200, .body = "x"};
	uint64_t connection = 0;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "a");
	seen = retort_wait(server, .timeout = PATIENCE, .if_body = "a");
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(reply_on(seen->connection, &wrong), -EINVAL);
	assert_verdict("only a reply of HTTP has it");
	ck_assert_int_eq(reply_on(seen->connection, &reply), 0);
	ck_assert_int_eq(reply_on(seen->connection, &reply), -ENOENT);
	hear(fd, "first");
	ck_assert_int_eq(reply_on(seen->connection, &reply), -ENOENT);
	/* each piece anew; the second reply closes */
	say(fd, "b");
	ck_assert_ptr_nonnull(
		retort_wait(server, .timeout = PATIENCE, .if_body = "b"));
	reply = (struct retort_reply){.body = "second", .close = true};
	ck_assert_int_eq(reply_on(connection, &reply), 0);
	hear_end(fd, "second");
	ck_assert_int_eq(ended(2)->end, RETORT_ANSWERED);
	close_server();
}
END_TEST

static bool
is_second(void *arg, const struct retort_exchange *exchange)
{
	(void)arg;
	return exchange->connection == 2;
}

static int
greet_by_number(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	char *text = arg;

	(void)snprintf(text, 40, "%llu\n",
		(unsigned long long)exchange->connection);
	reply->body = text;
	return 0;
}

START_TEST(greets)
{
	static char text[40];
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .accepted = true, .body = "220 once\r\n", .times = 1);
	ON(NULL, .accepted = true, .body = "second\r\n",
		.if_predicate = is_second);
	ON(NULL, .accepted = true, .handler = greet_by_number,
		.handler_arg = text, .times = 1);
	ON(NULL, .accepted = true, .body = "full\r\n", .close = true,
		.times = 1);
	ON(NULL, .body = "250 ok\r\n");
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "220 once\r\n");
	converse(fd, "HELO\r\n", "250 ok\r\n");
	converse(fd, "NOOP\r\n", "250 ok\r\n");
	(void)close(fd);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "second\r\n");
	(void)close(fd);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "3\n");
	(void)close(fd);
	hear_end(connect_plain(SOCK_STREAM), "full\r\n");
	/* nobody is left to greet */
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "HELO\r\n", "250 ok\r\n");
	(void)close(fd);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	/* a connection without a byte is no record */
	ck_assert_uint_eq(retort_count(server), 3);
	ck_assert_uint_eq(retort_record(server, 1)->sent, 26);
	ck_assert_uint_eq(retort_record(server, 1)->nth, 1);
	ck_assert_uint_eq(retort_stats(server).accepted, 5);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(greets_before_http)
{
	static const char hello[] = "220 not HTTP\r\n";
	const struct retort_exchange *seen;
	char *text;
	int fd;

	open_plain(_i);
	ON(NULL, .accepted = true, .body = hello, .times = 1);
	ON("GET /", .body = "hello");
	fd = connect_client();
	hear(fd, hello);
	say(fd, GET);
	finish_client(fd, "\r\n\r\nhello");
	seen = ended(1);
	ck_assert_int_eq(seen->rule, 2);
	ck_assert_int_eq(seen->status, 200);
	assert_bytes(seen->raw, seen->raw_size, GET, strlen(GET));
	ck_assert_uint_eq(seen->sent_body, 5);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strstr(text, " > 220 not HTTP\\r\\n\n") != NULL &&
			strstr(text, " > 220 ") < strstr(text, " < GET "),
		"%s: %s", way->name, text);
	free(text);
	expect_begin(GET, "HTTP/1.1 200 OK\r\n");
	assert_verdict(NULL);
	ck_assert_uint_eq(retort_stats(server).replies, 2);
	close_server();
}
END_TEST

/* Neither rule nor condition; what the verdict says of it. */
#define MALFORMED(call, text) \
	do { \
		ck_assert_int_eq((call), -EINVAL); \
		assert_verdict(text); \
		retort_reset(server); \
	} while (0)

START_TEST(mistakes_about_pieces_are_told)
{
	const struct retort_reply wrong = {.status = 404};

	open_protocol(RETORT_TCP, _i);
	MALFORMED(retort_on(server, "GET /", .body = "x"),
		"request: 'GET /': only HTTP has a method and a target");
	MALFORMED(retort_on(server, NULL, .if_field = "A: b"),
		"if_field: only a request of HTTP has it");
	MALFORMED(retort_on(server, NULL, .status = 200),
		"status: only a reply of HTTP has it");
	MALFORMED(retort_on(server, NULL, .fields = "A: b", .body = "x"),
		"fields: only a reply of HTTP has it");
	MALFORMED(retort_on(server, NULL, .chunked = true, .body = "x"),
		"chunked: only a reply of HTTP has it");
	MALFORMED(retort_on(server, NULL, .accepted = true, .if_body = "x"),
		"if_body: no request has arrived when a connection is accepted");
	MALFORMED(retort_on(server, NULL, .accepted = true, .echo = true),
		"echo: nothing has arrived when a connection is accepted");
	MALFORMED(retort_expect(server, "GET /", .times = 1),
		"request: 'GET /': only HTTP has a method and a target");
	MALFORMED(retort_expect_order(server, "GET /a\nGET /b"),
		"request: 'GET /a': only HTTP has a method and a target");
	ck_assert_uint_eq(retort_count(server, "GET /"), SIZE_MAX);
	assert_verdict("request: 'GET /': only HTTP has a method and a target");
	retort_reset(server);
	ck_assert_int_eq(set_answer(&wrong), -EINVAL);
	ck_assert_str_eq(error, "status: only a reply of HTTP has it");
	ck_assert_int_eq(set_files("/", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "only HTTP serves files"));
	close_server();
	open_plain(_i);
	MALFORMED(retort_on(server, "/", .close = true),
		"close: only for bytes (RETORT_TCP, --tcp)");
	MALFORMED(retort_on(server, "/", .accepted = true, .body = "x"),
		"request: no request has arrived when a connection is accepted");
	MALFORMED(retort_on(server, NULL, .accepted = true, .status = 200),
		"status: only a reply of HTTP has it");
	close_server();
}
END_TEST

START_TEST(judges_pieces)
{
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .if_body = "ping", .body = "pong");
	ck_assert_int_eq(retort_expect(server, .times = 1, .if_body = "ping"),
		1);
	ck_assert_int_eq(retort_expect(server, .never = true,
				 .if_body_has = "x"),
		2);
	assert_verdict(
		"expectation 1 (any piece, body \"ping\"): expected exactly 1, "
		"got 0\n");
	fd = connect_plain(SOCK_STREAM);
	say(fd, "pint\n");
	hear_end(fd, "");
	assert_verdict("  nearest: \"pint\\n\" (connection 1): body differs "
		       "from expectation 1 at byte 3: ");
	assert_verdict("connection 1: no rule fits \"pint\\n\": body differs "
		       "from rule 1 at byte 3: ");
	assert_verdict("< pint\\n\n");
	retort_reset(server);
	ON(NULL, .body = "pong");
	ck_assert_int_eq(retort_expect(server, .times = 1, .if_body = "ping"),
		1);
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "ping", "pong");
	assert_verdict(NULL);
	converse(fd, "ping", "pong");
	assert_verdict(
		"expectation 1 (any piece, body \"ping\"): expected exactly 1, "
		"got 2\n");
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(transcribes_a_conversation)
{
	static const char expected[] = "        #### > 220 hi\\r\\n\n"
				       "        #### < one\\n\n"
				       "        #### > 1\n"
				       "        #### < two\n"
				       "        #### > 2\n"
				       "        #### > (FIN)\n"
				       "        #### < (FIN)\n"
				       "        #### - (closed)\n";
	char *text;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .accepted = true, .body = "220 hi\r\n");
	ON(NULL, .body = "1", .times = 1);
	ON(NULL, .body = "2", .close = true);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "220 hi\r\n");
	converse(fd, "one\n", "1");
	say(fd, "two");
	hear_end(fd, "2");
	(void)ended(2);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	mask(text);
	ck_assert_str_eq(strchr(text, '\n') + 1, expected);
	free(text);
	ck_assert_ptr_null(retort_transcript(server, 2));
	close_server();
}
END_TEST

START_TEST(forgets_in_the_middle)
{
	const struct retort_exchange *seen;
	uint64_t connection = 0;
	struct retort_reply reply = {.body = "late"};
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .body = "old");
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "1", "old");
	converse(fd, "2", "old");
	retort_reset(server);
	ck_assert_ptr_null(retort_record(server, 1));
	ON(NULL, .body = "new", .times = 1);
	ON(NULL, .handler = later, .handler_arg = &connection);
	converse(fd, "3", "new");
	seen = retort_record(server, 1);
	ck_assert_ptr_nonnull(seen);
	assert_bytes(seen->body, seen->body_size, "3", 1);
	ck_assert_uint_eq(seen->nth, 3);
	/* and while an answer is awaited */
	say(fd, "4");
	ck_assert_ptr_nonnull(
		retort_wait(server, .timeout = PATIENCE, .if_body = "4"));
	retort_reset(server);
	ON(NULL, .body = "newest", .close = true);
	ck_assert_int_eq(reply_on(connection, &reply), 0);
	hear(fd, "late");
	say(fd, "5");
	hear_end(fd, "newest");
	seen = ended(1);
	ck_assert_uint_eq(seen->nth, 5);
	ck_assert_uint_eq(seen->received, 5);
	ck_assert_uint_eq(seen->sent, 19);
	ck_assert_uint_eq(retort_count(server), 1);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(closes_who_is_silent)
{
	const struct retort_options options = {.protocol = RETORT_TCP,
		.idle_timeout = 200};
	const struct retort_exchange *seen;
	int64_t begun;
	int fd;

	open_with(options, _i);
	ON(NULL, .body = "ok");
	begun = now_ms();
	hear_end(connect_plain(SOCK_STREAM), "");
	ck_assert_int_ge(now_ms() - begun, 199);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_ptr_null(retort_record(server, 1));
	/* it is silent from some time after this on */
	begun = now_ms();
	fd = connect_saying("a");
	hear(fd, "ok");
	hear_end(fd, "");
	ck_assert_int_ge(now_ms() - begun, 199);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_TIMED_OUT);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	close_server();
}
END_TEST

START_TEST(half_close_gets_the_rest)
{
	static char data[64 << 10];
	const size_t all = 6u << 20;
	int64_t until = now_ms() + PATIENCE;
	size_t size = 0;
	ssize_t n = -1;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .body = "0123456789", .repeat = all);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "all");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	while (n != 0) {
		n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		ck_assert_msg(n >= 0 || errno == EAGAIN, "%s: %s after %zu",
			way->name, strerror(errno), size);
		ck_assert_msg(now_ms() < until, "%s: stuck after %zu bytes",
			way->name, size);
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			for (ssize_t i = 0; i < n; i++, size++)
				if (data[i] != (char)('0' + size % 10))
					ck_abort_msg("%s: byte %zu differs",
						way->name, size);
	}
	(void)close(fd);
	ck_assert_uint_eq(size, all);
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	ck_assert_uint_eq(ended(1)->sent, all);
	close_server();
}
END_TEST

START_TEST(tells_who_left_a_conversation)
{
	const struct retort_exchange *seen;
	uint64_t connection = 0;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .if_body = "later", .handler = later,
		.handler_arg = &connection);
	ON(NULL, .body = "ok");
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "a", "ok");
	if (way->adopted) {
		/* unread bytes make it a reset */
		say(fd, "a");
		ck_assert_ptr_nonnull(retort_wait(server, .times = 2,
			.timeout = PATIENCE, .if_body = "a"));
		TURN_UNTIL(recv(fd, error, 2, MSG_PEEK | MSG_DONTWAIT) == 2);
	}
	client_reset(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	ck_assert(seen->client_first);
	close_server();
}
END_TEST

/* clang-format off */
static const struct stuck stuck_plain[] = {
	{"", false, "\"\": nothing arrived; 0 bytes received, 0 sent\n"},
	{"later\nmore", true,
		"\"later\": its reply was not made; 10 bytes received, "
		"0 sent\n"},
	{"pause", true,
		"\"pause\": in the reply, paused; 5 bytes received, 0 sent\n"},
	{"big", true,
		"\"big\": in the reply, which the client does not take; "
		"3 bytes received, "},
};

START_TEST(finishes_conversations)
{
	uint64_t connection = 0;
	const char *left;
	int fd;

	for (size_t i = 0; i < COUNT(stuck_plain); i++) {
		open_protocol(RETORT_TCP, _i);
		ON(NULL, .if_body_has = "later", .handler = later,
			.handler_arg = &connection);
		ON(NULL, .if_body = "pause", .pause_head = 1000000);
		ON(NULL, .if_body = "big", .body = "x", .repeat = 1u << 30);
		fd = connect_plain(SOCK_STREAM);
		say(fd, stuck_plain[i].request);
		if (stuck_plain[i].whole)
			ck_assert_ptr_nonnull(
				retort_wait(server, .timeout = PATIENCE));
		left = finish(20);
		ck_assert_msg(left != NULL &&
				strncmp(left, "connection 1, ", 14) == 0 &&
				strstr(left, stuck_plain[i].left) != NULL,
			"%s: expected %s, got: %s", way->name,
			stuck_plain[i].left, left ? left : "(NULL)");
		(void)close(fd);
		if (stuck_plain[i].whole)
			ck_assert_int_eq(retort_record(server, 1)->end,
				RETORT_STOPPED);
		close_server();
	}
	/* who has had every answer misses nothing */
	open_protocol(RETORT_TCP, _i);
	ON(NULL, .if_body = "ping", .body = "pong");
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "ping", "pong");
	ck_assert_ptr_null(finish(0));
	hear_end(fd, "");
	close_server();
	/* retort_close() asks nobody */
	open_protocol(RETORT_TCP, _i);
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "x");
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	close_server();
	(void)close(fd);
}
END_TEST

static void
note_event(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	size_t used = strlen(heard);

	(void)arg;
	(void)snprintf(heard + used, sizeof heard - used, "%d:%llu:%.*s;",
		(int)event, (unsigned long long)exchange->nth, (int)size,
		bytes ? (const char *)bytes : "");
}

START_TEST(tells_of_pieces)
{
	const struct retort_options options = {.protocol = RETORT_TCP,
		.event = note_event};
	char expected[100];
	int fd;

	heard[0] = '\0';
	open_with(options, _i);
	ON(NULL, .accepted = true, .body = "hello");
	ON(NULL, .body = "ok", .times = 1);
	ON(NULL, .body = "bye", .close = true);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "hello");
	converse(fd, "one", "ok");
	say(fd, "two");
	hear_end(fd, "bye");
	(void)ended(2);
	(void)snprintf(expected, sizeof expected, "%d:1:one;%d:2:two;%d:2:;",
		RETORT_ON_PIECE, RETORT_ON_PIECE, RETORT_ON_END);
	ck_assert_str_eq(heard, expected);
	close_server();
}
END_TEST

START_TEST(stops_after_conversations)
{
	const struct retort_options options = {.protocol = RETORT_TCP,
		.requests = 2};
	int first, second;

	open_with(options, _i);
	ON(NULL, .body = "ok");
	first = connect_plain(SOCK_STREAM);
	second = connect_plain(SOCK_STREAM);
	converse(first, "a", "ok");
	converse(first, "b", "ok");
	converse(second, "c", "ok");
	ck_assert_int_eq(shutdown(first, SHUT_WR), 0);
	hear_end(first, "");
	TURN_UNTIL(retort_stats(server).replies == 1);
	converse(second, "d", "ok");
	(void)close(second);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_stats(server).replies, 2);
	ck_assert_ptr_null(finish(PATIENCE));
	if (way->adopted) {
		int pair[2];

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					 0, pair),
			0);
		ck_assert_int_eq(retort_adopt(server, pair[0]), -ESHUTDOWN);
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	close_server();
}
END_TEST

/* --- datagrams --- */

START_TEST(answers_datagrams)
{
	const struct retort_exchange *seen;
	char url[64], name[64];
	struct sockaddr_in in = {.sin_port = 0};
	socklen_t size = sizeof in;
	int fd;

	open_protocol(RETORT_UDP, _i);
	(void)snprintf(url, sizeof url, "udp://127.0.0.1:%d",
		retort_listener(server).port);
	ck_assert_str_eq(retort_url(server), url);
	ON(NULL, .if_body = "once", .body = "this", .times = 1);
	ON(NULL, .if_body = "echo\n", .echo = true);
	ON(NULL, .if_body = "", .echo = true);
	fd = connect_plain(SOCK_DGRAM);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	converse(fd, "once", "this");
	converse(fd, "echo\n", "echo\n");
	/* an empty one is a datagram too */
	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	turn(fd, POLLIN, 100);
	TURN_UNTIL(recv(fd, error, sizeof error, MSG_DONTWAIT) == 0);
	(void)snprintf(name, sizeof name, "127.0.0.1:%d", ntohs(in.sin_port));
	for (size_t i = 1; i <= 3; i++) {
		seen = ended(i);
		ck_assert_uint_eq(seen->connection, i);
		ck_assert_uint_eq(seen->nth, 1);
		ck_assert_int_eq(seen->protocol, RETORT_UDP);
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		ck_assert_int_eq(seen->rule, (int)i);
		ck_assert_str_eq(seen->client, name);
		ck_assert(seen->complete && !seen->truncated);
		ck_assert_int_eq(seen->client_close, RETORT_NOTHING);
		ck_assert_int_eq(seen->server_close, RETORT_NOTHING);
	}
	seen = retort_record(server, 2);
	assert_bytes(seen->body, seen->body_size, "echo\n", 5);
	assert_bytes(seen->raw, seen->raw_size, "echo\n", 5);
	assert_bytes(seen->request, seen->request_size, "echo", 4);
	ck_assert_uint_eq(seen->received, 5);
	ck_assert_uint_eq(seen->sent, 5);
	ck_assert_uint_eq(retort_record(server, 3)->body_size, 0);
	ck_assert_uint_eq(retort_stats(server).replies, 3);
	ck_assert_uint_eq(retort_stats(server).accepted, 3);
	ck_assert_uint_eq(retort_stats(server).connections, 0);
	assert_verdict(NULL);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(leaves_datagrams_unanswered)
{
	int fd;

	open_protocol(RETORT_UDP, _i);
	ON(NULL, .if_body = "a", .body = "ok");
	ck_assert_int_eq(retort_expect(server, .times = 1, .if_body = "a"), 1);
	fd = connect_plain(SOCK_DGRAM);
	say(fd, "b");
	ck_assert_int_eq(ended(1)->end, RETORT_UNANSWERED);
	ck_assert_uint_eq(retort_record(server, 1)->sent, 0);
	/* it answers in order: had there been one, it would come first */
	converse(fd, "a", "ok");
	assert_verdict("connection 1: no rule fits \"b\": body differs from "
		       "rule 1 at byte 0: ");
	(void)ended(2);
	ck_assert_int_eq(retort_expect(server, .never = true, .if_body = "b"), 2);
	assert_verdict("  got: \"b\", unanswered (connection 1)\n");
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(answers_datagrams_later)
{
	const struct retort_reply late = {.body = "late"};
	const struct retort_reply long_one = {.body = "x", .repeat = 65508};
	uint64_t connection = 0;
	const char *left;
	int fd, pair[2];

	open_protocol(RETORT_UDP, _i);
	ON(NULL, .if_body = "now", .body = "ok");
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_DGRAM);
	say(fd, "wait");
	ck_assert_ptr_nonnull(
		retort_wait(server, .timeout = PATIENCE, .if_body = "wait"));
	/* others are answered meanwhile */
	converse(fd, "now", "ok");
	ck_assert_uint_eq(retort_stats(server).connections, 1);
	ck_assert_int_eq(reply_on(1, &long_one), -EINVAL);
	ck_assert_int_eq(reply_on(1, &late), 0);
	hear(fd, "late");
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	ck_assert_int_eq(reply_on(1, &late), -ENOENT);
	/* there are no connections to refuse or to adopt */
	ck_assert_int_eq(retort_refuse(server, true), -ENOTSUP);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), -EPROTOTYPE);
	(void)close(pair[0]);
	(void)close(pair[1]);
	/* what is awaited still is named at the end */
	say(fd, "vain");
	ck_assert_ptr_nonnull(
		retort_wait(server, .timeout = PATIENCE, .if_body = "vain"));
	left = finish(0);
	ck_assert_msg(left != NULL && strncmp(left, "connection 3, ", 14) == 0,
		"%s: %s", way->name, left ? left : "(NULL)");
	ck_assert_msg(strstr(left,
			      "\"vain\": its reply was not made; 4 bytes "
			      "received, 0 sent\n") != NULL,
		"%s: %s", way->name, left);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(mistakes_about_datagrams_are_told)
{
	open_protocol(RETORT_UDP, _i);
	MALFORMED(retort_on(server, NULL, .accepted = true, .body = "x"),
		"accepted: with UDP nothing is");
	MALFORMED(retort_on(server, NULL, .close = true),
		"close: a datagram has no connection");
	MALFORMED(retort_on(server, NULL, .body = "x", .repeat = 65508),
		"body: a datagram has at most 65507 bytes");
	MALFORMED(retort_expect(server, "/", .times = 1),
		"request: '/': only HTTP has a method and a target");
	ON(NULL, .body = "x", .repeat = 65507);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(thousand_datagrams)
{
	const unsigned all = 1000, most = 64;
	int64_t until = now_ms() + PATIENCE;
	bool came[1000] = {false};
	unsigned sent = 0, got = 0, n;
	int fd;

	open_protocol(RETORT_UDP, _i);
	ON(NULL, .echo = true);
	fd = connect_plain(SOCK_DGRAM);
	while (got < all) {
		while (sent < all && sent - got < most) {
			ck_assert_int_eq(send(fd, &sent, sizeof sent, 0),
				sizeof sent);
			sent++;
		}
		if (recv(fd, &n, sizeof n, MSG_DONTWAIT) == sizeof n) {
			ck_assert_msg(n < all && !came[n], "%s: %u again",
				way->name, n);
			came[n] = true;
			got++;
		} else {
			turn(fd, POLLIN, 100);
		}
		ck_assert_msg(now_ms() < until, "%s: only %u of %u came",
			way->name, got, sent);
	}
	(void)ended(all);
	ck_assert_uint_eq(retort_count(server), all);
	ck_assert_uint_eq(retort_stats(server).replies, all);
	(void)close(fd);
	close_server();
}
END_TEST

/* A Unix datagram socket that is connected to the server; "": without an
   address of its own. */
static int
connect_unix(const char *folder, const char *name)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX}, un = own;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(own.sun_path, sizeof own.sun_path, "%s/%s", folder,
		name);
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s/server", folder);
	if (name[0] != '\0')
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof own),
			0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
	return fd;
}

START_TEST(unix_datagrams)
{
	static char long_one[100000];
	const struct retort_exchange *seen;
	char *folder = dir_make();
	char spec[200];
	const struct retort_options options = {.protocol = RETORT_UDP,
		.bind = spec};
	int fd, nobody;

	(void)snprintf(spec, sizeof spec, "unix:%s/server", folder);
	open_with(options, _i);
	ck_assert_str_eq(retort_url(server), spec);
	ck_assert_int_eq(retort_listener(server).port, 0);
	ON(NULL, .echo = true);
	fd = connect_unix(folder, "client");
	converse(fd, "hello", "hello");
	ck_assert_str_eq(ended(1)->client, "unix");
	assert_verdict(NULL);
	/* what is longer than 64 KiB is cut */
	memset(long_one, 'x', sizeof long_one);
	ck_assert_int_eq(send(fd, long_one, sizeof long_one, 0),
		sizeof long_one);
	seen = ended(2);
	ck_assert(seen->truncated);
	ck_assert_uint_eq(seen->body_size, 64u << 10);
	ck_assert(!retort_record(server, 1)->truncated);
	/* it cannot be answered, and it is said why */
	nobody = connect_unix(folder, "");
	say(nobody, "hello?");
	seen = ended(3);
	ck_assert_int_eq(seen->end, RETORT_UNANSWERED);
	ck_assert_ptr_nonnull(seen->reason);
	ck_assert_ptr_nonnull(strstr(seen->reason, "has no address"));
	assert_verdict("connection 3: its sender has no address\n");
	ck_assert_int_eq(retort_expect(server, .never = true, .if_body = "hello?"),
		1);
	assert_verdict("  got: \"hello?\", unanswered");
	(void)close(nobody);
	/* a client that has left takes nothing with it */
	say(fd, "last words");
	(void)close(fd);
	(void)ended(4);
	close_server();
	dir_remove(folder);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plain");
	const TTest *const pieces[] = {answers_these_bytes_once, records_pieces,
		remembers_a_conversation, handlers_of_pieces_may_fail,
		answers_pieces_later, greets, greets_before_http,
		mistakes_about_pieces_are_told, judges_pieces,
		transcribes_a_conversation, forgets_in_the_middle,
		closes_who_is_silent, half_close_gets_the_rest,
		tells_who_left_a_conversation, finishes_conversations,
		tells_of_pieces, stops_after_conversations, NULL};
	const TTest *const datagrams[] = {answers_datagrams,
		leaves_datagrams_unanswered, answers_datagrams_later,
		mistakes_about_datagrams_are_told, thousand_datagrams,
		unix_datagrams, NULL};

	rt_test_cases(suite, "pieces", pieces, 0, WAYS);
	rt_test_cases(suite, "datagrams", datagrams, 0, LISTENING_WAYS);
	return rt_test_run(suite);
}
