/* SPDX-License-Identifier: MIT */
/*
 * Replies that are open: pushed into while they are sent, ended, or left by
 * their client, as it sees them.
 */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD(text) "HTTP/1.1 200 OK\r\n" text "Connection: close\r\n\r\n"

static int
push(const char *text)
{
	return retort_push(server, 1, text, text ? strlen(text) : 0);
}

/* A client whose request is recorded. */
static int
ask_for(const char *request)
{
	int fd = connect_client();

	say(fd, request);
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	return fd;
}

/* Sends nothing, and receives until `text` is there. */
static void
see(int fd, struct bytes *got, const char *text)
{
	int code = talk(fd, "", 0, got, text);

	ck_assert_msg(code == 0, "%s: %s, after %s", way->name, strerror(code),
		shown(got->data, got->size));
}

static void
see_end(int fd, struct bytes *got, const char *expected)
{
	ck_assert_int_eq(talk(fd, "", 0, got, NULL), 0);
	assert_bytes(got->data, got->size, expected, strlen(expected));
	bytes_free(got);
	(void)close(fd);
}

static struct retort_reply
open_reply(const char *body)
{
	return (struct retort_reply){.open = true,
		.omit = "Date\nContent-Type",
		.body = body};
}

/* --- what the client gets --- */

static const struct {
	struct retort_reply as;
	const char *request;
	const char *first; /* of the whole that follows, up to the first push */
	const char *whole;
} framings[] = {
	{{.body = "one"}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "one\r\n",
		HEAD("Transfer-Encoding: chunked\r\n") "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"},
	{{.body = NULL}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n",
		HEAD("Transfer-Encoding: chunked\r\n") "3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"},
	{{.body = "one", .trailers = "A: b"},
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "one\r\n",
		HEAD("Transfer-Encoding: chunked\r\n") "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\nA: b\r\n\r\n"},
	{{.body = "one"}, "GET / HTTP/1.0\r\n\r\n", "one",
		HEAD("") "onetwothree"},
	{{.body = "one", .fields = "Content-Length: 11"},
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "one",
		HEAD("Content-Length: 11\r\n") "onetwothree"},
	{{.body = "HTTP/1.1 200 OK\r\n\r\none", .raw = true},
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "one",
		"HTTP/1.1 200 OK\r\n\r\nonetwothree"},
};

START_TEST(frames)
{
	for (int i = 0; i < COUNT(framings); i++) {
		struct retort_reply as = framings[i].as;
		struct bytes got = {.data = NULL};
		int fd;

		open_plain(_i);
		as.open = true;
		if (!as.raw)
			as.omit = "Date\nContent-Type";
		ck_assert_int_eq(add_rule(as), 1);
		fd = ask_for(framings[i].request);
		see(fd, &got, framings[i].first);
		ck_assert_int_eq(push("two"), 0);
		see(fd, &got, "two");
		/* no bytes are none, and end nothing */
		ck_assert_int_eq(push(""), 0);
		ck_assert_int_eq(push("three"), 0);
		ck_assert_int_eq(push(NULL), 0);
		ck_assert_int_eq(push("four"), -EPIPE);
		ck_assert_int_eq(push(NULL), -EPIPE);
		see_end(fd, &got, framings[i].whole);
		ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
		ck_assert_int_eq(push("four"), -EPIPE);
		assert_verdict(NULL);
		close_server();
	}
}
END_TEST

static int
opens(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	ck_assert_int_eq(retort_push(server, exchange->connection, "x", 1),
		-ENOENT);
	*reply = open_reply("a");
	return 0;
}

START_TEST(by_handlers)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON("/now", .handler = opens);
	ON("/later", .handler = later, .handler_arg = &asked_on);
	fd = ask_for("GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(push("b"), 0);
	ck_assert_int_eq(push(NULL), 0);
	see_end(fd, &got,
		HEAD("Transfer-Encoding: chunked\r\n") "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
	close_server();
	/* what is pushed before the reply is begun comes after its body */
	open_plain(_i);
	ON("/later", .handler = later, .handler_arg = &asked_on);
	fd = ask_for("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(push("b"), -ENOENT);
	ck_assert_int_eq(retort_reply_later(server, 1, .open = true,
				 .omit = "Date\nContent-Type", .body = "a"),
		0);
	ck_assert_int_eq(push("b"), 0);
	ck_assert_int_eq(push(NULL), 0);
	see_end(fd, &got,
		HEAD("Transfer-Encoding: chunked\r\n") "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
	close_server();
}
END_TEST

/* Nothing can go on where the reply was cut off. */
START_TEST(a_cut_closes_it)
{
	static const char *const cuts[] = {"cut body 2 stall", "cut 0 stall",
		"cut 50% stall", "garbage; end stall"};

	for (size_t i = 0; i < COUNT(cuts); i++) {
		struct retort_reply as = open_reply("abc");
		int fd;

		open_plain(_i);
		as.faults = cuts[i];
		ck_assert_int_eq(add_rule(as), 1);
		fd = ask_for(GET);
		ck_assert_int_eq(push("x"), -ENOENT);
		ck_assert_int_eq(push(NULL), -ENOENT);
		(void)close(fd);
		close_server();
	}
	/* but not after it */
	for (size_t i = 0; i < 2; i++) {
		struct retort_reply as = open_reply("abc");
		struct bytes got = {.data = NULL};
		int fd;

		open_plain(_i);
		as.faults = i == 0 ? "each 2" : "cut -1";
		ck_assert_int_eq(add_rule(as), 1);
		fd = ask_for(GET);
		ck_assert_int_eq(push("x"), 0);
		ck_assert_int_eq(push(NULL), 0);
		ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
		ck_assert_msg(strstr(got.data, "3\r\nabc\r\n1\r\nx\r\n0\r\n") !=
				NULL,
			"%s: got %s", as.faults, shown(got.data, got.size));
		bytes_free(&got);
		(void)close(fd);
		close_server();
	}
}
END_TEST

/* To HEAD there is nothing that could be open. */
START_TEST(after_head)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ck_assert_int_eq(add_rule(open_reply("a")), 1);
	fd = ask_for("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
	see_end(fd, &got, HEAD("Transfer-Encoding: chunked\r\n"));
	ck_assert_int_lt(push("b"), 0);
	close_server();
}
END_TEST

START_TEST(pieces)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .open = true, .body = "a", .close = true);
	fd = ask_for("x");
	ck_assert_int_eq(push("b"), 0);
	see(fd, &got, "ab");
	ck_assert_int_eq(push(NULL), 0);
	see_end(fd, &got, "ab");
	close_server();
}
END_TEST

/* --- between pieces --- */

START_TEST(before_and_between_pieces)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .accepted = true, .body = "hello;");
	ON(NULL, .echo = true);
	fd = connect_client();
	see(fd, &got, "hello;");
	ck_assert_int_eq(push("first;"), 0);
	see(fd, &got, "first;");
	say(fd, "1;");
	see(fd, &got, "1;");
	ck_assert_int_eq(push("then;"), 0);
	ck_assert_int_eq(push(""), 0);
	see(fd, &got, "then;");
	say(fd, "2;");
	see(fd, &got, "2;");
	ck_assert_int_eq(push("last"), 0);
	ck_assert_int_eq(push(NULL), 0);
	ck_assert_int_eq(push("x"), -EPIPE);
	see_end(fd, &got, "hello;first;1;then;2;last");
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	ck_assert_uint_eq(ended(2)->nth, 2);
	ck_assert_int_eq(push("x"), -EPIPE);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* Nothing was pushed before. */
START_TEST(an_end_alone)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .echo = true);
	fd = connect_client();
	say(fd, "1;");
	see(fd, &got, "1;");
	ck_assert_int_eq(push(NULL), 0);
	see_end(fd, &got, "1;");
	ck_assert_int_eq(push("x"), -EPIPE);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* An open reply is over when it is ended, and others come. */
START_TEST(between_open_replies)
{
	struct bytes got = {.data = NULL};
	int code, fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .open = true, .body = "a");
	fd = ask_for("x");
	ck_assert_int_eq(push("b"), 0);
	ck_assert_int_eq(push(NULL), 0);
	see(fd, &got, "ab");
	/* its end may not have come to the loop */
	while ((code = push("c")) == -EPIPE)
		turn(-1, 0, 1);
	ck_assert_int_eq(code, 0);
	see(fd, &got, "c");
	say(fd, "y");
	see(fd, &got, "ca");
	ck_assert_int_eq(push("b"), 0);
	ck_assert_int_eq(push(NULL), 0);
	see(fd, &got, "cab");
	(void)shutdown(fd, SHUT_WR);
	see_end(fd, &got, "abcab");
	close_server();
}
END_TEST

/* Never within one; whether before or after it depends on when it is read. */
START_TEST(not_within_a_piece)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .framing = "lines"},
		_i);
	ON(NULL, .echo = true);
	fd = connect_client();
	TURN_UNTIL(retort_stats(server).connections == 1);
	say(fd, "1");
	for (int i = 0; i < 3; i++)
		turn(-1, 0, 1);
	ck_assert_int_eq(push("x\n"), 0);
	for (int i = 0; i < 3; i++)
		turn(-1, 0, 1);
	say(fd, "2\n");
	see(fd, &got, "2\n");
	(void)shutdown(fd, SHUT_WR);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	ck_assert_msg(strcmp(got.data, "12\nx\n") == 0 ||
			(way->drive == OWN_THREAD &&
				strcmp(got.data, "x\n12\n") == 0),
		"%s: got %s", way->name, shown(got.data, got.size));
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

#define UPGRADE "HTTP/1.1 101 X\r\n\r\n"

START_TEST(after_an_upgrade)
{
	struct bytes got = {.data = NULL};
	char *transcript;
	int fd;

	open_plain(_i);
	ON("/", .raw = true, .body = UPGRADE, .next = RETORT_NEXT_BYTES);
	ON(NULL, .if_bytes = true, .echo = true);
	fd = ask_for(GET);
	ck_assert_int_eq(push("pushed;"), 0);
	see(fd, &got, "pushed;");
	say(fd, "said;");
	see(fd, &got, "said;");
	ck_assert_int_eq(push(NULL), 0);
	see_end(fd, &got, UPGRADE "pushed;said;");
	(void)ended(1);
	transcript = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(strstr(transcript, "> pushed;"));
	free(transcript);
	close_server();
	/* unless its end is cut off */
	open_plain(_i);
	ON("/", .raw = true, .body = UPGRADE, .next = RETORT_NEXT_BYTES,
		.faults = "cut -1 stall");
	fd = ask_for(GET);
	ck_assert_int_eq(push("x"), -ENOENT);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- clients that leave, or take nothing --- */

/* Pushes until it cannot: why. */
static int
push_on(void)
{
	int64_t until = now_ms() + PATIENCE;
	int code;

	while ((code = push("more")) == 0 || code == -EAGAIN) {
		ck_assert_msg(now_ms() < until, "%s: pushes for ever",
			way->name);
		turn(-1, 0, 2);
	}
	return code;
}

START_TEST(a_client_leaves)
{
	static const struct linger at_once = {1, 0};

	for (int i = 0; i < 3; i++) {
		int fd;

		open_plain(_i);
		ck_assert_int_eq(add_rule(open_reply("a")), 1);
		fd = ask_for(GET);
		if (i == 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
				sizeof at_once);
		/* while nothing is pushed, that ends it, too */
		(void)close(fd);
		if (i == 1)
			ck_assert_int_eq(ended(1)->end, RETORT_RESET);
		ck_assert_int_eq(push_on(), -EPIPE);
		ck_assert_int_eq(ended(1)->end, RETORT_RESET);
		close_server();
	}
}
END_TEST

START_TEST(a_client_takes_nothing)
{
	enum { PIECE = 50000 };
	static char piece[PIECE];
	struct bytes got = {.data = NULL};
	size_t pushed = 0, body;
	int fd, code, full = 0;

	memset(piece, 'x', sizeof piece);
	open_plain(_i);
	ON("/", .open = true, .fields = "Content-Length: 1000000000");
	fd = ask_for(GET);
	/* the sockets' buffers are large, but not endless */
	while (full < 3) {
		code = retort_push(server, 1, piece, sizeof piece);
		ck_assert_msg(code == 0 || code == -EAGAIN, "%s",
			strerror(-code));
		if (code == 0)
			pushed += sizeof piece;
		full = code == 0 ? 0 : full + 1;
		turn(-1, 0, 2);
		ck_assert_uint_lt(pushed, 100u << 20);
	}
	ck_assert_int_eq(retort_push(server, 1, piece, sizeof piece, 10),
		-EAGAIN);
	ck_assert_int_eq(retort_push(server, 1, NULL, 0), 0);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	body = got.size - (size_t)(strstr(got.data, "\r\n\r\n") + 4 - got.data);
	ck_assert_uint_eq(body, pushed);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

enum { THREADED = 2 }; /* of the ways */

/* Several MiB, of which at most one waits at a time. */
static void *
push_much(void *arg)
{
	static char piece[100000];

	(void)arg;
	memset(piece, 'x', sizeof piece);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(retort_push(server, 1, piece, sizeof piece,
					 -1),
			0);
	return (void *)(intptr_t)retort_push(server, 1, NULL, 0, -1);
}

START_TEST(waits_for_room)
{
	struct bytes got = {.data = NULL};
	pthread_t thread;
	void *code;
	int fd;

	open_plain(_i);
	ON("/", .open = true, .raw = true);
	fd = ask_for(GET);
	ck_assert_int_eq(pthread_create(&thread, NULL, push_much, NULL), 0);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &code), 0);
	ck_assert_ptr_null(code);
	ck_assert_uint_eq(got.size, 100 * 100000);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* Who waits hears that the client has left, too. */
static void *
push_for_ever(void *arg)
{
	static char piece[100000];
	intptr_t code;

	(void)arg;
	while ((code = retort_push(server, 1, piece, sizeof piece, -1)) == 0)
		;
	return (void *)code;
}

START_TEST(waits_in_vain)
{
	static char large[1u << 20];
	pthread_t thread;
	void *code;
	int fd;

	open_plain(_i);
	ON("/", .open = true, .raw = true);
	fd = ask_for(GET);
	ck_assert_int_eq(pthread_create(&thread, NULL, push_for_ever, NULL), 0);
	TURN_UNTIL(retort_push(server, 1, large, sizeof large) == -EAGAIN);
	(void)close(fd);
	ck_assert_int_eq(pthread_join(thread, &code), 0);
	ck_assert_int_eq((int)(intptr_t)code, -EPIPE);
	close_server();
}
END_TEST

static int inside_codes[2];

static int
push_inside(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	static char large[1u << 20];

	(void)arg;
	(void)exchange;
	(void)reply;
	for (int i = 0; i < 2; i++)
		inside_codes[i] =
			retort_push(server, 1, large, sizeof large, -1);
	return 0;
}

START_TEST(waits_in_no_callback)
{
	struct bytes got;
	int fd;

	open_plain(_i);
	ON("/push", .handler = push_inside);
	ON("/", .open = true, .raw = true);
	fd = ask_for(GET);
	got = exchange("GET /push HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_int_eq(inside_codes[0], 0);
	ck_assert_int_eq(inside_codes[1], -EAGAIN);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(stopped)
{
	const char *left;
	int fd;

	open_plain(_i);
	ck_assert_int_eq(add_rule(open_reply("a")), 1);
	fd = ask_for(GET);
	retort_stop(server, 0);
	TURN_UNTIL(retort_stats(server).connections == 0);
	left = retort_stats(server).cut_off;
	ck_assert_ptr_nonnull(left);
	ck_assert_msg(strstr(left, "in the reply, which is open;") != NULL,
		"%s", left);
	ck_assert_int_eq(push("b"), -EPIPE);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- what cannot be --- */

START_TEST(mistakes)
{
	static char large[(1u << 20) + 1];
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON("/plain", .body = "x");
	ck_assert_int_eq(add_rule(open_reply("a")), 2);
	ck_assert_int_eq(push("x"), -ENOENT);
	ck_assert_int_eq(retort_push(server, 0, "x", 1), -ENOENT);
	fd = ask_for(GET);
	ck_assert_int_eq(retort_push(server, 2, "x", 1), -ENOENT);
	ck_assert_int_eq(retort_push(server, 1, large, sizeof large),
		-EMSGSIZE);
	ck_assert_int_eq(retort_push(server, 1, large, sizeof large - 1), 0);
	(void)close(fd);
	close_server();
	/* a reply that is over, on a connection that is not, until the next */
	open_with((struct retort_options){.keep_alive = true}, _i);
	ON("/plain", .body = "x");
	ck_assert_int_eq(add_rule(open_reply("a")), 2);
	fd = ask_for(GET);
	ck_assert_int_eq(push(NULL), 0);
	see(fd, &got, "0\r\n\r\n");
	for (int i = 0; i < 3; i++)
		turn(-1, 0, 1);
	ck_assert_int_eq(push("b"), -EPIPE);
	ck_assert_int_eq(push(NULL), -EPIPE);
	say(fd, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
	see(fd, &got, "x");
	ck_assert_int_eq(push("b"), -ENOENT);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	open_with((struct retort_options){.protocol = RETORT_UDP}, 0);
	ck_assert_int_eq(retort_on(server, NULL, .open = true, .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "open: a datagram is sent at once");
	close_server();
}
END_TEST

/* --- from many threads --- */

enum { THREADS = 4, ROUNDS = 50 };

static void *
push_many(void *arg)
{
	char text[16];

	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(text, sizeof text, "%c%02d;", *(char *)arg, i);
		ck_assert_int_eq(push(text), 0);
	}
	return NULL;
}

START_TEST(from_threads)
{
	static char names[] = "abcd";
	struct bytes got = {.data = NULL};
	pthread_t threads[THREADS];
	int fd, next[THREADS] = {0};

	open_with((struct retort_options){.io = RETORT_IO_BEST}, 0);
	ON("/", .open = true, .raw = true);
	fd = ask_for(GET);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(threads + i, NULL, push_many,
					 names + i),
			0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(push(NULL), 0);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	/* each is whole, and those of one thread are in its order */
	ck_assert_uint_eq(got.size, THREADS * ROUNDS * 4);
	for (size_t at = 0; at < got.size; at += 4) {
		int thread = got.data[at] - 'a', number;

		ck_assert_int_eq(sscanf(got.data + at + 1, "%d;", &number), 1);
		ck_assert(thread >= 0 && thread < THREADS);
		ck_assert_int_eq(number, next[thread]++);
	}
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- without memory --- */

START_TEST(without_memory)
{
	bool reached = true;

	for (size_t n = 1; reached; n++) {
		struct bytes got = {.data = NULL};
		int fd, code;

		open_plain(_i);
		ck_assert_int_eq(add_rule(open_reply(NULL)), 1);
		fd = ask_for(GET);
		see(fd, &got, "\r\n\r\n");
		allocations = 0;
		fail_at = n;
		inside++;
		code = push("two");
		inside--;
		reached = allocations >= n;
		fail_at = 0;
		ck_assert_int_eq(code, reached ? -ENOMEM : 0);
		ck_assert_int_eq(push("three"), 0);
		ck_assert_int_eq(push(NULL), 0);
		see_end(fd, &got,
			reached ?
				HEAD("Transfer-Encoding: chunked\r\n") "5\r\nthree\r\n0\r\n\r\n" :
				HEAD("Transfer-Encoding: chunked\r\n") "3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
		close_server();
	}
}
END_TEST

int
main(void)
{
	const TTest *const all[] = {frames, by_handlers, a_cut_closes_it,
		after_head, a_client_leaves, a_client_takes_nothing, stopped,
		mistakes, NULL};
	Suite *suite = suite_create("push");
	TCase *tcase = tcase_create("once");

	rt_test_cases(suite, "ways", all, 0, WAYS);
	tcase_add_loop_test(tcase, pieces, 0, BASIC_WAYS);
	rt_test_loop(tcase, before_and_between_pieces, 0, WAYS);
	rt_test_loop(tcase, an_end_alone, 0, BASIC_WAYS);
	rt_test_loop(tcase, between_open_replies, 0, BASIC_WAYS);
	rt_test_loop(tcase, not_within_a_piece, 0, BASIC_WAYS);
	rt_test_loop(tcase, after_an_upgrade, 0, BASIC_WAYS);
	tcase_add_loop_test(tcase, waits_for_room, 0, THREADED);
	tcase_add_loop_test(tcase, waits_in_vain, 0, THREADED);
	tcase_add_loop_test(tcase, waits_in_no_callback, 0, BASIC_WAYS);
	tcase_add_test(tcase, from_threads);
	tcase_add_loop_test(tcase, without_memory, STEPPED - 1, STEPPED);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
