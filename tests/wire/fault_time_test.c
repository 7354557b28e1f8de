/* SPDX-License-Identifier: MIT */
/* Faults at the client's end: time, reading and endings. */
#include "config.h"

#include "wire/spoiling.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than the buffers of both ends hold. */
#define TOO_MUCH (256u << 20)

/* --- clients --- */

/* Nothing has come, and the connection is open. */
static void
assert_silent(int fd)
{
	char byte;

	ck_assert_msg(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN,
		"%s: something came", way->name);
	ck_assert_uint_eq(retort_stats(server).connections, 1);
}

/*
 * Sends until the other end has taken nothing for this long. How much went, or
 * `most` once that is reached.
 */
static size_t
send_with_patience(int fd, size_t most, int64_t patience)
{
	static const char data[64 << 10];
	int64_t moved = now_us();
	size_t sent = 0;

	while (sent < most && now_us() - moved < patience) {
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

static size_t
send_until_blocked(int fd, size_t most)
{
	return send_with_patience(fd, most, 150 * MS);
}

/* The other end takes all of it. */
static void
send_all_of(int fd, size_t size)
{
	ck_assert_uint_eq(send_with_patience(fd, size, PATIENCE * MS), size);
}

/* --- segments and time --- */

/* Where none of these tells how many there were, nothing is asserted of them. */
#define TRIES_OF_SEGMENTS 5

static void
expect_segments(const char *faults, const char *file, size_t least, size_t most)
{
	struct heard heard = {.segments = 0};

	retort_reset(server);
	if (file != NULL)
		ON(NULL, .file = file, .omit = "Date", .faults = faults);
	else
		ON(NULL, .body = DIGITS, .omit = "Date", .faults = faults);
	for (int i = 0; i < TRIES_OF_SEGMENTS && heard.segments == 0; i++) {
		heard = hear_all(GET);
		if (file == NULL)
			assert_heard(&heard, faults, WHOLE, strlen(WHOLE), 0);
		else
			ck_assert_uint_gt(heard.got.size, 26);
		bytes_free(&heard.got);
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
	int fd = client_try(retort_url(server), SOCK_STREAM);

	if (fd < 0)
		return -fd;
	(void)close(fd);
	return 0;
}

START_TEST(refuses_for_a_time)
{
	int64_t began;
	int code;

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
	code = try_to_connect();
	if (code != 0 || now_us() - began < 250 * MS)
		ck_assert_int_eq(code, ECONNREFUSED);
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
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_stats(server).accepted, 4);
	ck_assert_uint_eq(retort_count(server), 1);
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
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_count(server), 0);
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
	seen = retort_wait(server, .timeout = PATIENCE);
	ck_assert_ptr_nonnull(seen);
	ck_assert(seen->complete);
	ck_assert_str_eq(seen->faults, "cut 0 stall");
	send_all_of(fd, TOO_MUCH / 16);
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
	seen = retort_wait(server, .timeout = PATIENCE);
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
	ck_assert_ptr_nonnull(
		retort_wait(server, .times = 2, .timeout = PATIENCE));
	left = finish(0);
	ck_assert_msg(left != NULL &&
			strstr(left, ": no more of the request is read; "),
		"%s: got %s", way->name, left ? left : "(NULL)");
	(void)close(fd);
	close_server();
}
END_TEST

/* Exactly after this many bytes, where the body comes after the head. */
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
	send_all_of(fd, 70000);
	ck_assert_uint_lt(send_until_blocked(fd, TOO_MUCH), TOO_MUCH);
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
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
	send_all_of(fd, 1000000);
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

/* It has a part of the body, and what comes after it stays unread. */
START_TEST(answers_in_the_middle_and_closes)
{
	static const char head[] = POST(1000000) "\r\n";
	struct heard heard = {.end = -1};
	const struct retort_exchange *seen;
	int fd;

	open_plain(_i);
	ON("POST /", .body = DIGITS, .omit = "Date", .faults = "early 3; deaf");
	fd = connect_client();
	say(fd, head);
	say(fd, "abc");
	hear(fd, &heard, NULL);
	assert_heard(&heard, "early 3; deaf", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	(void)close(fd);
	fd = connect_client();
	heard = (struct heard){.end = -1};
	say(fd, POST(1000000) "\r\nabcdef");
	hear(fd, &heard, NULL);
	ck_assert_msg(heard.end == 0 || heard.end == ECONNRESET, "%d",
		heard.end);
	bytes_free(&heard.got);
	(void)close(fd);
	for (size_t i = 1; i <= 2; i++) {
		seen = ended(i);
		ck_assert_uint_eq(seen->body_size, 3);
		ck_assert_str_eq(seen->body, "abc");
		ck_assert_uint_eq(seen->raw_size, strlen(head) + 3);
		ck_assert(!seen->complete);
	}
	assert_verdict(NULL);
	close_server();
}
END_TEST

static int
want_large(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	unsigned *calls = arg;

	++*calls;
	if (exchange->complete) {
		reply->body = exchange->body;
		return 0;
	}
	if (retort_field_of(exchange, "X-Wanted", 0) != NULL)
		return RETORT_MORE;
	reply->status = 413;
	return 0;
}

/* A handler may decide by the head whether it wants the body. */
START_TEST(asks_at_the_head)
{
	unsigned calls = 0;
	struct bytes got;

	open_plain(_i);
	ON("POST /", .handler = want_large, .handler_arg = &calls,
		.faults = "early", .times = 4);
	got = exchange(POST(5) "Expect: 100-continue\r\n\r\n");
	assert_begins(got, "HTTP/1.1 413 ");
	bytes_free(&got);
	ck_assert_uint_eq(calls, 1);
	got = exchange(POST(5) "X-Wanted: 1\r\n\r\nhello");
	assert_begins(got, "HTTP/1.1 200 ");
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	ck_assert_uint_eq(calls, 3);
	got = exchange(
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	assert_begins(got, "HTTP/1.1 200 ");
	bytes_free(&got);
	ck_assert_uint_eq(calls, 4);
	got = exchange(
		POST(5) "Expect: 100-continue\r\nX-Wanted: 1\r\n\r\nhello");
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	/* each request is one, however often it was asked about */
	ck_assert_uint_eq(retort_count(server, "POST /"), 4);
	assert_verdict(NULL);
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
	ck_assert_int_eq(set_answer(&reply), 0);
	/* nor does it end when rules are forgotten */
	retort_reset(server);
	fd = connect_client();
	say(fd, POST(1000000) "\r\nbody");
	hear(fd, &heard, WHOLE);
	bytes_free(&heard.got);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->server_close, RETORT_RST);
	retort_reset(server, RETORT_RECORDS);
	reply.faults = "stop-reading 2";
	ck_assert_int_eq(set_answer(&reply), 0);
	fd = connect_client();
	say(fd, POST(5) "\r\n12345");
	seen = retort_wait(server, .timeout = PATIENCE);
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
	ck_assert_int_eq(set_answer(&reply), 0);
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
	send_all_of(fd, 20u << 20);
	ck_assert_uint_eq(retort_stats(server).connections, 1);
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
	left = finish(PATIENCE);
	ck_assert_msg(left != NULL && strstr(left, ": in the reply, stalled; "),
		"%s: got %s", way->name, left ? left : "(NULL)");
	hear(fd, &heard, NULL);
	bytes_free(&heard.got);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->end, RETORT_STOPPED);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault time");
	const TTest *const times[] = {splits_into_segments,
		splits_where_it_is_told_to, takes_its_time, NULL};
	const TTest *const connections[] = {refuses_for_a_time,
		refuses_until_told_otherwise, ends_what_it_accepts, never_reads,
		reads_and_never_answers, NULL};
	const TTest *const requests[] = {stops_reading_after_the_head,
		stops_reading_within_the_body, reads_slowly,
		answers_early_and_reads_on, asks_at_the_head,
		answers_in_the_middle_and_closes, answers_early_and_resets,
		reads_as_the_only_reply_has_it, reads_so_without_records,
		withholds_continue, delays_continue, fails_expectations, NULL};
	const TTest *const endings[] = {closes_its_half,
		stalls_until_the_client_leaves,
		a_stall_does_not_hold_up_the_end, NULL};

	rt_test_cases(suite, "time", times, 0, BASIC_WAYS);
	rt_test_cases(suite, "connections", connections, 0, BASIC_WAYS);
	rt_test_cases(suite, "requests", requests, 0, BASIC_WAYS);
	rt_test_cases(suite, "endings", endings, 0, BASIC_WAYS);
	return rt_test_run(suite);
}
