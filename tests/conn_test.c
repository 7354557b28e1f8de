/* SPDX-License-Identifier: MIT */
/*
 * One connection, driven by hand: no socket, and a clock that is a number.
 * Each arrow of the diagram in conn.h has its test.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "harness.h"

#define MS RT_MS
#define HEAD_TIMEOUT (10 * MS)
#define BODY_TIMEOUT (20 * MS)
#define WRITE_TIMEOUT (30 * MS)
#define MAX_IN (256u << 10)
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST_5 POST("Content-Length: 5\r\n")
#define POST_CHUNKED POST("Transfer-Encoding: chunked\r\n")
#define POST_EXPECT POST("Content-Length: 5\r\nExpect: 100-continue\r\n")

/* --- the hand --- */

/* What stands in for the server, its sockets and its clock. */
struct hand {
	struct rt_conn_config config;
	struct rt_conn conn;
	struct rt_exchange *exchange;
	struct bytes sent;
	int64_t now;
	char scratch[4096];
};

static const struct rt_peer nobody;

static void
open_with(struct hand *hand, int64_t head_timeout, size_t max_in)
{
	*hand = (struct hand){.now = 1000 * MS};
	hand->config = (struct rt_conn_config){
		.limits = {.target = 8192, .head = 65536, .fields = 100},
		.head_timeout = head_timeout,
		.body_timeout = BODY_TIMEOUT,
		.write_timeout = WRITE_TIMEOUT,
		.max_in = max_in,
		.scratch = hand->scratch,
		.scratch_size = sizeof hand->scratch,
	};
	bytes_add(&hand->sent, "", 0);
	hand->exchange = rt_exchange_new();
	ck_assert_ptr_nonnull(hand->exchange);
	rt_conn_open(&hand->conn, -1, &nobody, &hand->config, hand->now);
}

static void
open_hand(struct hand *hand)
{
	open_with(hand, HEAD_TIMEOUT, MAX_IN);
}

static void
close_hand(struct hand *hand)
{
	rt_exchange_free(hand->exchange);
	bytes_free(&hand->sent);
}

#define assert_state(hand, expected) \
	ck_assert_int_eq((hand)->conn.state, (expected))
#define assert_asks(hand, expected) \
	ck_assert_int_eq((hand)->conn.asks, (expected))
#define assert_wants(hand, in_verb, out_verb) \
	do { \
		ck_assert_int_eq((hand)->conn.chan.in.verb, (in_verb)); \
		ck_assert_int_eq((hand)->conn.chan.out.verb, (out_verb)); \
	} while (0)

static void
assert_over(struct hand *hand, enum retort_end end, enum rt_verb verb)
{
	assert_state(hand, RT_STATE_OVER);
	ck_assert_int_eq(hand->conn.end, end);
	assert_asks(hand, RT_ASK_NOTHING);
	assert_wants(hand, RT_NOTHING, verb);
	ck_assert_int_eq(hand->conn.chan.deadline, RT_NEVER);
}

/* Bytes from the client; until all were taken, or something is asked. */
static size_t
give(struct hand *hand, const void *data, size_t size)
{
	struct rt_conn *conn = &hand->conn;
	size_t given = 0;

	if (conn->exchange == NULL)
		ck_assert_int_eq(rt_conn_lend(conn, hand->exchange), 0);
	while (given < size && conn->asks == RT_ASK_NOTHING &&
		conn->chan.in.verb == RT_RECV) {
		size_t n = size - given;

		if (n > conn->chan.in.recv.size)
			n = conn->chan.in.recv.size;
		ck_assert_uint_gt(n, 0);
		memcpy(conn->chan.in.recv.data, (const char *)data + given, n);
		given += n;
		rt_conn_in_done(conn, (int64_t)n, hand->now);
	}
	return given;
}

static void
give_text(struct hand *hand, const char *text)
{
	ck_assert_uint_eq(give(hand, text, strlen(text)), strlen(text));
}

/* The end of what comes from the client: 0, or -errno. */
static void
give_end(struct hand *hand, int end)
{
	if (hand->conn.exchange == NULL)
		ck_assert_int_eq(rt_conn_lend(&hand->conn, hand->exchange), 0);
	ck_assert_int_eq(hand->conn.chan.in.verb, RT_RECV);
	rt_conn_in_done(&hand->conn, end, hand->now);
}

/* Takes at most `size` bytes of what the connection sends; how many. */
static size_t
take(struct hand *hand, size_t size)
{
	struct rt_op *op = &hand->conn.chan.out;
	size_t taken = 0;

	if (op->verb == RT_SEND) {
		ck_assert_int_gt(op->send.count, 0);
		ck_assert_int_le(op->send.count, RT_PIECES);
		for (int i = 0; i < op->send.count && taken < size; i++) {
			const struct iovec *piece = op->send.pieces + i;
			size_t n = piece->iov_len;

			ck_assert_uint_gt(n, 0);
			if (n > size - taken)
				n = size - taken;
			bytes_add(&hand->sent, piece->iov_base, n);
			taken += n;
		}
	} else {
		/* a file's byte at i is the lowest byte of i */
		ck_assert_int_eq(op->verb, RT_FILE);
		ck_assert_uint_gt(op->file.size, 0);
		for (; taken < size && taken < op->file.size; taken++) {
			char byte = (char)(op->file.at + taken);

			bytes_add(&hand->sent, &byte, 1);
		}
	}
	rt_conn_out_done(&hand->conn, (int64_t)taken, hand->now);
	return taken;
}

static void
pass(struct hand *hand, int64_t time)
{
	hand->now += time;
}

/* The deadline passes. */
static void
expire(struct hand *hand)
{
	ck_assert_int_ne(hand->conn.chan.deadline, RT_NEVER);
	ck_assert_int_ge(hand->conn.chan.deadline, hand->now);
	hand->now = hand->conn.chan.deadline;
	rt_conn_expired(&hand->conn, hand->now);
}

static void
assert_deadline(struct hand *hand, int64_t from_now)
{
	ck_assert_int_eq(hand->conn.chan.deadline - hand->now, from_now);
}

/* A small whole request, accepted: what is asked next is the answer. */
static void
give_whole(struct hand *hand, const char *text)
{
	give_text(hand, text);
	assert_asks(hand, RT_ASK_ROUTE);
	rt_conn_accept(&hand->conn, UINT64_MAX, false, hand->now);
	assert_asks(hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand->conn.status, 0);
}

#define ANSWER "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"

/* A reply that is these bytes. */
static void
give_raw(struct hand *hand, const void *bytes, size_t size)
{
	struct rt_draft draft = {.reply = &hand->exchange->reply};

	rt_reply_raw(&draft, 200, bytes, size);
}

static void
answer(struct hand *hand)
{
	give_raw(hand, ANSWER, strlen(ANSWER));
	rt_conn_answer(&hand->conn, hand->now);
}

/* The answer is taken, up to the FIN. */
static void
take_answer(struct hand *hand)
{
	while (hand->conn.chan.out.verb == RT_SEND)
		ck_assert_uint_gt(take(hand, SIZE_MAX), 0);
	assert_state(hand, RT_STATE_FINISH);
	ck_assert_int_eq(hand->conn.chan.out.verb, RT_FINISH);
}

static void
finish(struct hand *hand)
{
	ck_assert_int_eq(hand->conn.chan.out.verb, RT_FINISH);
	rt_conn_out_done(&hand->conn, 0, hand->now);
}

/* The FIN goes out; a reply that took time is drained until the client's. */
static void
finish_and_leave(struct hand *hand)
{
	finish(hand);
	if (hand->conn.state == RT_STATE_DRAIN)
		give_end(hand, 0);
}

static void
assert_sent(struct hand *hand, const char *expected)
{
	assert_bytes(hand->sent.data, hand->sent.size, expected,
		strlen(expected));
	ck_assert_uint_eq(hand->conn.sent, strlen(expected));
}

static void
assert_refused(struct hand *hand, int status, const char *reason)
{
	assert_asks(hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand->conn.status, status);
	ck_assert_str_eq(hand->conn.reason, reason);
	ck_assert(!hand->conn.complete);
	/* and the refusal goes out as any answer does */
	answer(hand);
	take_answer(hand);
	assert_sent(hand, ANSWER);
}

/* --- idle --- */

START_TEST(idle)
{
	struct hand hand;

	open_hand(&hand);
	assert_state(&hand, RT_STATE_IDLE);
	assert_asks(&hand, RT_ASK_NOTHING);
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	assert_deadline(&hand, HEAD_TIMEOUT);
	ck_assert_ptr_null(hand.conn.exchange);
	/* buffers come and go */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rt_conn_lend(&hand.conn, hand.exchange), 0);
		assert_wants(&hand, RT_RECV, RT_NOTHING);
		ck_assert_uint_gt(hand.conn.chan.in.recv.size, 0);
		assert_deadline(&hand, HEAD_TIMEOUT);
		ck_assert_ptr_eq(rt_conn_unlend(&hand.conn), hand.exchange);
		assert_state(&hand, RT_STATE_IDLE);
	}
	ck_assert_ptr_null(rt_conn_unlend(&hand.conn));
	close_hand(&hand);
}
END_TEST

START_TEST(idle_to_over)
{
	struct hand hand;

	open_hand(&hand);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_CLOSED, RT_CLOSE);
	close_hand(&hand);

	open_hand(&hand);
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);

	/* silently, without a 408 */
	open_hand(&hand);
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_CLOSE);
	close_hand(&hand);

	open_with(&hand, RT_NEVER, MAX_IN);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	give_text(&hand, "G");
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	close_hand(&hand);
}
END_TEST

START_TEST(no_memory_to_receive)
{
	struct hand hand;

	open_with(&hand, HEAD_TIMEOUT, 0);
	/* a maximum of nothing is as good as no memory */
	ck_assert_int_eq(rt_conn_lend(&hand.conn, hand.exchange), -ENOMEM);
	assert_over(&hand, RETORT_FAILED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(no_answer_can_be_made)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, GET);
	assert_asks(&hand, RT_ASK_ROUTE);
	rt_conn_fail(&hand.conn);
	assert_over(&hand, RETORT_FAILED, RT_CLOSE);
	close_hand(&hand);

	open_hand(&hand);
	give_whole(&hand, GET);
	rt_conn_fail(&hand.conn);
	assert_over(&hand, RETORT_FAILED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* --- the head --- */

START_TEST(head_byte_by_byte)
{
	struct hand hand;

	open_hand(&hand);
	for (size_t i = 0; i < strlen(GET); i++) {
		int64_t left = HEAD_TIMEOUT - (int64_t)i * MS / 10;

		/* all of the head has one deadline */
		assert_deadline(&hand, left);
		assert_state(&hand, i == 0 ? RT_STATE_IDLE : RT_STATE_HEAD);
		assert_asks(&hand, RT_ASK_NOTHING);
		assert_wants(&hand, RT_RECV, RT_NOTHING);
		ck_assert_uint_eq(give(&hand, &GET[i], 1), 1);
		pass(&hand, MS / 10);
	}
	assert_state(&hand, RT_STATE_BODY);
	assert_asks(&hand, RT_ASK_ROUTE);
	ck_assert_uint_eq(hand.conn.received, strlen(GET));
	rt_conn_accept(&hand.conn, 0, false, hand.now);
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand.conn.status, 0);
	ck_assert(hand.conn.complete);
	close_hand(&hand);
}
END_TEST

START_TEST(head_refused)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, "GET / HTTP/1.1\r\n\r\n");
	assert_refused(&hand, 400, "no Host field");
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, "GET / HTTP/7.1\r");
	assert_refused(&hand, 505, "only HTTP/1.0 and HTTP/1.1 are served");
	close_hand(&hand);
}
END_TEST

START_TEST(head_cut_short)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, "GET / HT");
	give_end(&hand, 0);
	assert_refused(&hand, 400, "incomplete request");
	/* nothing can come any more: no drain */
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, "GET / HT");
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(head_timed_out)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, "G");
	pass(&hand, HEAD_TIMEOUT / 2);
	give_text(&hand, "E");
	assert_deadline(&hand, HEAD_TIMEOUT / 2);
	expire(&hand);
	assert_refused(&hand, 408, "the head took too long");
	close_hand(&hand);
}
END_TEST

/* --- the body --- */

START_TEST(body_kept)
{
	static const char text[] = POST_CHUNKED "3\r\nabc\r\n2;x\r\nde\r\n"
						"0\r\nA: b\r\n\r\n";
	struct hand hand;
	size_t head = strlen(POST_CHUNKED);

	open_hand(&hand);
	give_text(&hand, POST_CHUNKED);
	rt_conn_accept(&hand.conn, 5, true, hand.now);
	for (size_t i = head; i < sizeof text - 1; i++) {
		assert_state(&hand, RT_STATE_BODY);
		assert_asks(&hand, RT_ASK_NOTHING);
		assert_wants(&hand, RT_RECV, RT_NOTHING);
		/* each byte is progress */
		assert_deadline(&hand, BODY_TIMEOUT);
		pass(&hand, BODY_TIMEOUT - 1);
		ck_assert_uint_eq(give(&hand, text + i, 1), 1);
	}
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand.conn.status, 0);
	ck_assert(hand.conn.complete);
	assert_bytes(hand.exchange->in.data, hand.exchange->parsed, text,
		sizeof text - 1);
	close_hand(&hand);
}
END_TEST

START_TEST(body_with_the_head)
{
	struct hand hand;

	for (int keep = 0; keep < 2; keep++) {
		open_hand(&hand);
		give_text(&hand, POST_5 "abcdeGARBAGE");
		assert_asks(&hand, RT_ASK_ROUTE);
		rt_conn_accept(&hand.conn, 5, keep, hand.now);
		assert_asks(&hand, RT_ASK_ANSWER);
		ck_assert_int_eq(hand.conn.status, 0);
		ck_assert(hand.conn.complete);
		assert_bytes(hand.exchange->in.data, hand.exchange->parsed,
			POST_5 "abcde", strlen(POST_5) + (keep ? 5 : 0));
		close_hand(&hand);
	}
}
END_TEST

START_TEST(body_refused)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_CHUNKED);
	rt_conn_accept(&hand.conn, 100, false, hand.now);
	give_text(&hand, "2\r\nabX");
	assert_refused(&hand, 400, "malformed chunk");
	close_hand(&hand);
}
END_TEST

START_TEST(body_cut_short)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 100, false, hand.now);
	give_text(&hand, "abcd");
	give_end(&hand, 0);
	assert_refused(&hand, 400, "incomplete request");
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 100, false, hand.now);
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(body_timed_out)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 100, false, hand.now);
	give_text(&hand, "ab");
	expire(&hand);
	assert_refused(&hand, 408, "the body took too long");
	close_hand(&hand);
}
END_TEST

START_TEST(body_too_large_by_its_length)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_EXPECT);
	rt_conn_accept(&hand.conn, 4, false, hand.now);
	/* and no 100 (Continue) invites it */
	assert_refused(&hand, 413, "the body is too large");
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	assert_asks(&hand, RT_ASK_NOTHING);
	give_text(&hand, "abcde");
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand.conn.status, 0);
	close_hand(&hand);
}
END_TEST

START_TEST(body_too_large_by_its_chunks)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_CHUNKED);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	give_text(&hand, "3\r\nabc\r\n2\r\nde\r\n1\r\n");
	assert_asks(&hand, RT_ASK_NOTHING);
	give_text(&hand, "f");
	assert_refused(&hand, 413, "the body is too large");
	close_hand(&hand);
}
END_TEST

START_TEST(body_too_large_to_keep)
{
	struct hand hand;
	size_t given = 0;

	/* framing that is larger than the body can fill the buffer */
	open_hand(&hand);
	give_text(&hand, POST_CHUNKED);
	rt_conn_accept(&hand.conn, MAX_IN, true, hand.now);
	while (hand.conn.asks == RT_ASK_NOTHING && given < 2 * MAX_IN)
		given += give(&hand, "000001\r\nx\r\n", 11);
	ck_assert_uint_lt(given, 2 * MAX_IN);
	ck_assert_uint_le(hand.exchange->in.room, MAX_IN);
	assert_refused(&hand, 413, "the body is too large to keep");
	close_hand(&hand);
}
END_TEST

START_TEST(a_full_buffer_is_no_reason_to_refuse_what_is_complete)
{
	struct hand hand;
	char *garbage = calloc(1, MAX_IN);

	ck_assert_ptr_nonnull(garbage);
	open_with(&hand, HEAD_TIMEOUT, 8192);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 5, true, hand.now);
	give_text(&hand, "abcd");
	ck_assert_uint_gt(hand.conn.chan.in.recv.size, 1);
	memcpy(garbage, "e", 1);
	(void)give(&hand, garbage, hand.conn.chan.in.recv.size);
	ck_assert_uint_eq(hand.exchange->in.len, hand.exchange->in.max);
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand.conn.status, 0);
	ck_assert(hand.conn.complete);
	free(garbage);
	close_hand(&hand);
}
END_TEST

START_TEST(a_large_body_is_dropped_in_little_memory)
{
	static const size_t size = 64u << 20;
	static char piece[100000];
	struct hand hand;
	char head[100];
	size_t most = 0;

	memset(piece, 'x', sizeof piece);
	for (int chunked = 0; chunked < 2; chunked++) {
		open_hand(&hand);
		(void)snprintf(head, sizeof head,
			POST("Content-Length: %zu\r\n"), size);
		give_text(&hand, chunked ? POST_CHUNKED : head);
		rt_conn_accept(&hand.conn, UINT64_MAX, false, hand.now);
		for (size_t left = size; left > 0;) {
			size_t n = left < sizeof piece ? left : sizeof piece;

			if (chunked) {
				(void)snprintf(head, sizeof head, "%zx\r\n", n);
				give_text(&hand, head);
			}
			assert_asks(&hand, RT_ASK_NOTHING);
			ck_assert_uint_eq(give(&hand, piece, n), n);
			if (chunked)
				give_text(&hand, "\r\n");
			left -= n;
			if (hand.exchange->in.room > most)
				most = hand.exchange->in.room;
		}
		if (chunked)
			give_text(&hand, "0\r\n\r\n");
		assert_asks(&hand, RT_ASK_ANSWER);
		ck_assert_int_eq(hand.conn.status, 0);
		ck_assert_uint_ge(hand.conn.received, size);
		ck_assert_uint_eq(
			rt_http_request(hand.exchange->http)->body_size, size);
		ck_assert_uint_le(most, MAX_IN);
		close_hand(&hand);
	}
}
END_TEST

/* --- 100 (Continue) --- */

START_TEST(continue_is_sent)
{
	struct hand hand;

	for (size_t size = 1; size <= strlen(CONTINUE); size++) {
		open_hand(&hand);
		give_text(&hand, POST_EXPECT);
		assert_wants(&hand, RT_RECV, RT_NOTHING);
		rt_conn_accept(&hand.conn, 5, false, hand.now);
		while (hand.conn.chan.out.verb == RT_SEND) {
			assert_wants(&hand, RT_RECV, RT_SEND);
			ck_assert(!hand.conn.chan.out.more);
			(void)take(&hand, size);
		}
		assert_sent(&hand, CONTINUE);
		assert_wants(&hand, RT_RECV, RT_NOTHING);
		give_text(&hand, "abcde");
		assert_asks(&hand, RT_ASK_ANSWER);
		answer(&hand);
		take_answer(&hand);
		assert_sent(&hand, CONTINUE ANSWER);
		ck_assert_uint_eq(hand.conn.script_sent, strlen(ANSWER));
		close_hand(&hand);
	}
}
END_TEST

START_TEST(continue_is_not_sent_when_the_body_came_along)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_EXPECT "a");
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	close_hand(&hand);
}
END_TEST

START_TEST(continue_that_was_not_begun_is_dropped)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_EXPECT);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	give_text(&hand, "abcde");
	assert_asks(&hand, RT_ASK_ANSWER);
	answer(&hand);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	close_hand(&hand);
}
END_TEST

START_TEST(continue_that_was_begun_is_finished)
{
	struct hand hand;

	for (size_t begun = 1; begun < strlen(CONTINUE); begun++) {
		open_hand(&hand);
		give_text(&hand, POST_EXPECT);
		rt_conn_accept(&hand.conn, 5, false, hand.now);
		ck_assert_uint_eq(take(&hand, begun), begun);
		give_text(&hand, "abcde");
		answer(&hand);
		while (hand.conn.chan.out.verb == RT_SEND)
			(void)take(&hand, 7);
		assert_sent(&hand, CONTINUE ANSWER);
		close_hand(&hand);
	}
}
END_TEST

START_TEST(continue_that_is_not_taken)
{
	struct hand hand;

	/* as nobody sends a body either, it is too late for that */
	open_hand(&hand);
	give_text(&hand, POST_EXPECT);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	(void)take(&hand, 3);
	expire(&hand);
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand.conn.status, 408);
	rt_reply_reset(&hand.exchange->reply);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_PAUSE, .at = (uint64_t)MS});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_CLOSE});
	rt_conn_answer(&hand.conn, hand.now);
	/* the write's time-out, not the pause's end */
	ck_assert_int_eq(hand.conn.chan.out.verb, RT_SEND);
	assert_deadline(&hand, WRITE_TIMEOUT);
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_RESET);
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, POST_EXPECT);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	rt_conn_out_done(&hand.conn, -EPIPE, hand.now);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* --- the reply --- */

/* Text, four runs of bytes, a pause, a file, bytes: all but an ending. */
static void
make_script(struct rt_reply *reply)
{
	static const char *const runs[] = {"one", "2", "three", "four"};

	rt_reply_reset(reply);
	rt_buf_add_text(&reply->text, "text");
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_TEXT, .size = 4});
	for (int i = 0; i < 4; i++)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = runs[i],
				.size = strlen(runs[i])});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_PAUSE, .at = (uint64_t)MS});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_FILE, .at = 48, .size = 10});
}

#define SCRIPT_BYTES (strlen("textone2threefour") + 10)

/* With MSG_MORE goes only what is followed by bytes, or by the FIN, at once. */
static void
assert_more(const struct rt_conn *conn)
{
	const struct rt_step *step = conn->exchange->reply.steps + conn->step;

	if (conn->chan.out.verb != RT_SEND)
		return;
	step += conn->chan.out.send.count;
	ck_assert_msg(conn->chan.out.more ==
			(step->kind != RT_STEP_PAUSE &&
				step->kind != RT_STEP_STALL &&
				step->kind != RT_STEP_RESET),
		"more = %d before a step of kind %d", conn->chan.out.more,
		(int)step->kind);
}

START_TEST(a_script_in_pieces_of_every_size)
{
	enum rt_step_kind ending = (enum rt_step_kind)_i;
	struct hand hand;

	for (size_t size = 1; size <= SCRIPT_BYTES + 1; size++) {
		int64_t begun;

		open_hand(&hand);
		give_whole(&hand, GET);
		make_script(&hand.exchange->reply);
		rt_reply_step(&hand.exchange->reply,
			(struct rt_step){.kind = ending});
		ck_assert(rt_reply_ok(&hand.exchange->reply));
		begun = hand.now;
		rt_conn_answer(&hand.conn, hand.now);
		while (hand.conn.chan.out.verb == RT_SEND) {
			assert_state(&hand, RT_STATE_REPLY);
			assert_more(&hand.conn);
			(void)take(&hand, size);
		}
		ck_assert_str_eq(hand.sent.data, "textone2threefour");
		/* the pause: its end is waited for, and dropped is what comes
		   after a send (of four pieces) that was not taken at once */
		assert_state(&hand, RT_STATE_REPLY);
		assert_wants(&hand,
			size < strlen("textone2three") ? RT_RECV : RT_NOTHING,
			RT_NOTHING);
		assert_deadline(&hand, MS);
		expire(&hand);
		ck_assert_int_eq(hand.now, begun + MS);
		while (hand.conn.chan.out.verb == RT_FILE) {
			ck_assert_int_eq(hand.conn.chan.out.file.fd,
				hand.exchange->reply.file);
			ck_assert_uint_eq(hand.conn.chan.out.file.at +
					hand.conn.chan.out.file.size,
				58);
			(void)take(&hand, size);
		}
		assert_sent(&hand, "textone2threefour0123456789");
		ck_assert_uint_eq(hand.conn.script_sent, SCRIPT_BYTES);
		if (ending == RT_STEP_CLOSE || ending == RT_STEP_HALF) {
			assert_state(&hand, RT_STATE_FINISH);
			finish_and_leave(&hand);
			assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
		} else if (ending == RT_STEP_RESET) {
			assert_over(&hand, RETORT_ANSWERED, RT_RESET);
		} else {
			assert_state(&hand, RT_STATE_REPLY);
			ck_assert_int_eq(hand.conn.chan.out.verb, RT_NOTHING);
			ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
		}
		close_hand(&hand);
	}
}
END_TEST

START_TEST(a_script_cut_at_every_byte)
{
	struct hand hand;

	/* once a part, then all that can be taken */
	for (size_t cut = 1; cut <= SCRIPT_BYTES; cut++) {
		size_t left = cut;

		open_hand(&hand);
		give_whole(&hand, GET);
		make_script(&hand.exchange->reply);
		rt_reply_step(&hand.exchange->reply,
			(struct rt_step){.kind = RT_STEP_CLOSE});
		rt_conn_answer(&hand.conn, hand.now);
		while (hand.conn.state == RT_STATE_REPLY) {
			if (hand.conn.chan.out.verb == RT_NOTHING)
				expire(&hand);
			else if (left > 0)
				left -= take(&hand, left);
			else
				(void)take(&hand, SIZE_MAX);
		}
		assert_sent(&hand, "textone2threefour0123456789");
		finish_and_leave(&hand);
		assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
		close_hand(&hand);
	}
}
END_TEST

/* What the client sends during a long reply must not destroy its tail. */
START_TEST(a_reply_that_took_time_is_drained)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	give_raw(&hand, "0123456789", 10);
	rt_conn_answer(&hand.conn, hand.now);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	ck_assert_uint_eq(take(&hand, 4), 4);
	assert_wants(&hand, RT_RECV, RT_SEND);
	give_text(&hand, GET);
	ck_assert_uint_eq(take(&hand, SIZE_MAX), 6);
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN);
	give_text(&hand, GET);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_sent(&hand, "0123456789");
	close_hand(&hand);
}
END_TEST

/* What goes out, and whether more is said to follow it. */
static const struct {
	enum rt_step_kind next;
	bool more;
} followers[] = {
	{RT_STEP_CLOSE, true},
	{RT_STEP_FILE, true},
	{RT_STEP_PAUSE, false},
	{RT_STEP_STALL, false},
	{RT_STEP_RESET, false},
};

START_TEST(more_is_said_before_an_ending_or_a_file)
{
	struct hand hand;
	struct rt_reply *reply;

	open_hand(&hand);
	give_whole(&hand, GET);
	reply = &hand.exchange->reply;
	rt_reply_reset(reply);
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "abc",
			.size = 3});
	rt_reply_step(reply,
		(struct rt_step){.kind = followers[_i].next, .size = 1});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	rt_conn_answer(&hand.conn, hand.now);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hand.conn.chan.out.verb, RT_SEND);
		ck_assert_int_eq(hand.conn.chan.out.more, followers[_i].more);
		ck_assert_uint_eq(take(&hand, 1), 1);
	}
	ck_assert_int_ne(hand.conn.chan.out.verb, RT_SEND);
	close_hand(&hand);
}
END_TEST

START_TEST(a_write_times_out_without_progress)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	assert_state(&hand, RT_STATE_REPLY);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	for (int i = 0; i < 5; i++) {
		assert_deadline(&hand, WRITE_TIMEOUT);
		pass(&hand, WRITE_TIMEOUT - 1);
		(void)take(&hand, 1);
	}
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_RESET);
	ck_assert_uint_eq(hand.conn.sent, 5);
	close_hand(&hand);
}
END_TEST

START_TEST(a_write_without_a_time_out)
{
	struct hand hand;

	open_hand(&hand);
	hand.config.write_timeout = RT_NEVER;
	hand.config.body_timeout = RT_NEVER;
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	give_text(&hand, "abcde");
	answer(&hand);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	close_hand(&hand);
}
END_TEST

START_TEST(a_write_fails)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	rt_conn_out_done(&hand.conn, -EPIPE, hand.now);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_file_becomes_shorter)
{
	struct hand hand;
	struct rt_reply *reply;

	for (size_t sent = 0; sent < 3; sent++) {
		open_hand(&hand);
		give_whole(&hand, GET);
		reply = &hand.exchange->reply;
		rt_reply_reset(reply);
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_FILE, .size = 10});
		rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
		rt_conn_answer(&hand.conn, hand.now);
		if (sent > 0)
			ck_assert_uint_eq(take(&hand, sent), sent);
		ck_assert_int_eq(hand.conn.chan.out.verb, RT_FILE);
		rt_conn_out_done(&hand.conn, 0, hand.now);
		assert_state(&hand, RT_STATE_FINISH);
		finish_and_leave(&hand);
		assert_over(&hand, RETORT_TRUNCATED, RT_CLOSE);
		ck_assert_uint_eq(hand.conn.sent, sent);
		close_hand(&hand);
	}
}
END_TEST

START_TEST(a_stall_ends_when_the_client_leaves)
{
	struct hand hand;
	struct rt_reply *reply;

	open_hand(&hand);
	give_whole(&hand, GET);
	reply = &hand.exchange->reply;
	rt_reply_reset(reply);
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_STALL});
	rt_conn_answer(&hand.conn, hand.now);
	assert_state(&hand, RT_STATE_REPLY);
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	give_text(&hand, "garbage");
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_half_closed_client_is_answered_in_full)
{
	struct hand hand;

	/* garbage behind the request, so that the FIN is seen */
	open_hand(&hand);
	give_whole(&hand, GET "garbage");
	make_script(&hand.exchange->reply);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_CLOSE});
	rt_conn_answer(&hand.conn, hand.now);
	(void)take(&hand, 2);
	give_end(&hand, 0);
	assert_state(&hand, RT_STATE_REPLY);
	while (hand.conn.state == RT_STATE_REPLY) {
		/* the FIN was read: there is nothing more to read */
		ck_assert_int_eq(hand.conn.chan.in.verb, RT_NOTHING);
		if (hand.conn.chan.out.verb == RT_NOTHING)
			expire(&hand);
		else
			(void)take(&hand, 1);
	}
	assert_sent(&hand, "textone2threefour0123456789");
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(the_client_resets_while_it_is_answered)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET "garbage");
	answer(&hand);
	(void)take(&hand, 2);
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* --- finish and drain --- */

START_TEST(finish_closes_when_all_was_read)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	take_answer(&hand);
	assert_wants(&hand, RT_NOTHING, RT_FINISH);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	ck_assert_uint_eq(hand.conn.sent, strlen(ANSWER));
	close_hand(&hand);
}
END_TEST

START_TEST(finish_fails)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	take_answer(&hand);
	rt_conn_out_done(&hand.conn, -ENOTCONN, hand.now);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* Up to the drain, of a connection that is open. */
static void
reach_drain_after(struct hand *hand, const char *request)
{
	give_whole(hand, request);
	answer(hand);
	take_answer(hand);
	/* the time of a drain begins with the FIN */
	pass(hand, 5 * MS);
	finish(hand);
	assert_state(hand, RT_STATE_DRAIN);
	assert_wants(hand, RT_RECV, RT_NOTHING);
	assert_deadline(hand, RT_DRAIN_TIME);
}

/* With a request that leaves something to be read. */
static void
reach_drain(struct hand *hand)
{
	open_hand(hand);
	reach_drain_after(hand, GET "garbage");
}

START_TEST(drain_ends_with_the_fin)
{
	struct hand hand;

	reach_drain(&hand);
	give_text(&hand, "more");
	assert_state(&hand, RT_STATE_DRAIN);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(drain_ends_in_time)
{
	struct hand hand;

	reach_drain(&hand);
	/* what comes does not prolong it */
	for (int i = 1; i < 10; i++) {
		pass(&hand, RT_DRAIN_TIME / 10);
		give_text(&hand, "more");
		assert_deadline(&hand, RT_DRAIN_TIME / 10 * (10 - i));
	}
	expire(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(drain_ends_after_so_many_bytes)
{
	static char piece[4096];
	struct hand hand;
	size_t given = 0;

	reach_drain(&hand);
	while (hand.conn.state == RT_STATE_DRAIN && given < 2 * RT_DRAIN_BYTES)
		given += give(&hand, piece, sizeof piece);
	ck_assert_uint_eq(given, RT_DRAIN_BYTES);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_receive_that_filled_its_room_is_drained)
{
	struct hand hand;
	struct bytes request = {.data = NULL};
	size_t room;

	open_hand(&hand);
	ck_assert_int_eq(rt_conn_lend(&hand.conn, hand.exchange), 0);
	room = hand.conn.chan.in.recv.size;
	bytes_add(&request, "GET / HTTP/1.0\r\nA: ", 19);
	while (request.size < room - 4)
		bytes_add(&request, "x", 1);
	bytes_add(&request, "\r\n\r\n", 4);
	ck_assert_uint_eq(give(&hand, request.data, room), room);
	assert_asks(&hand, RT_ASK_ROUTE);
	rt_conn_accept(&hand.conn, 0, false, hand.now);
	answer(&hand);
	/* more may be there */
	assert_wants(&hand, RT_RECV, RT_SEND);
	take_answer(&hand);
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	bytes_free(&request);
	close_hand(&hand);
}
END_TEST

/* --- early answers --- */

START_TEST(an_early_answer_while_the_client_sends)
{
	static char piece[4096];
	struct hand hand;
	size_t given = 0;

	open_hand(&hand);
	give_text(&hand, POST("Content-Length: 3145728\r\n"));
	assert_asks(&hand, RT_ASK_ROUTE);
	answer(&hand);
	assert_state(&hand, RT_STATE_REPLY);
	ck_assert(!hand.conn.complete);
	/* both at once */
	assert_wants(&hand, RT_RECV, RT_SEND);
	while (hand.conn.state == RT_STATE_REPLY) {
		given += give(&hand, piece, sizeof piece);
		(void)take(&hand, 1);
	}
	assert_wants(&hand, RT_RECV, RT_FINISH);
	given += give(&hand, piece, sizeof piece);
	assert_wants(&hand, RT_RECV, RT_FINISH);
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN);
	while (given < 3145728)
		given += give(&hand, piece, sizeof piece);
	assert_state(&hand, RT_STATE_DRAIN);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_sent(&hand, ANSWER);
	ck_assert_uint_gt(hand.conn.received, given);
	close_hand(&hand);
}
END_TEST

START_TEST(an_early_answer_and_too_many_bytes)
{
	static char piece[4096];
	struct hand hand;
	size_t given = 0;

	open_hand(&hand);
	give_text(&hand, POST_CHUNKED);
	answer(&hand);
	while (hand.conn.chan.in.verb == RT_RECV && given < 2 * RT_DRAIN_BYTES)
		given += give(&hand, piece, sizeof piece);
	/* the reply goes on all the same */
	ck_assert_uint_eq(given, RT_DRAIN_BYTES);
	assert_state(&hand, RT_STATE_REPLY);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(an_early_answer_without_a_body)
{
	struct hand hand;

	/* nothing is left to be read */
	open_hand(&hand);
	give_text(&hand, GET);
	assert_asks(&hand, RT_ASK_ROUTE);
	answer(&hand);
	ck_assert(hand.conn.complete);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_answer(&hand);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(an_early_answer_after_the_fin)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_5 "ab");
	answer(&hand);
	assert_wants(&hand, RT_RECV, RT_SEND);
	give_end(&hand, 0);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_answer(&hand);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* --- an answer that takes longer --- */

#define LATER (7 * MS)

static void
assert_waits(struct hand *hand, int64_t from_now)
{
	assert_state(hand, RT_STATE_WAIT);
	assert_asks(hand, RT_ASK_NOTHING);
	assert_wants(hand, RT_NOTHING, RT_NOTHING);
	assert_deadline(hand, from_now);
}

/* Deferred until the deadline, then asked again. */
static void
defer(struct hand *hand, int64_t time)
{
	rt_conn_defer(&hand->conn, hand->now + time);
	assert_waits(hand, time);
	expire(hand);
	assert_asks(hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand->conn.status, 0);
	ck_assert(hand->conn.complete);
}

START_TEST(a_deferred_answer_waits_for_time_alone)
{
	struct hand hand;

	/* its turn may come again at once, or later than any time-out */
	open_hand(&hand);
	give_whole(&hand, GET);
	for (int i = 0; i < 20; i++)
		defer(&hand, i % 4 * WRITE_TIMEOUT);
	ck_assert_int_eq(hand.now, 1000 * MS + 30 * WRITE_TIMEOUT);
	ck_assert_uint_eq(hand.conn.sent, 0);
	answer(&hand);
	/* the time to take it begins now */
	assert_deadline(&hand, WRITE_TIMEOUT);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	/* it took time: what came meanwhile must not harm it */
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN);
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	give_text(&hand, "more");
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_deferred_answer_keeps_the_request)
{
	static const char text[] = POST_5 "abcdeGARBAGE";
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, text);
	rt_conn_accept(&hand.conn, 5, true, hand.now);
	for (int i = 0; i < 3; i++) {
		defer(&hand, LATER);
		assert_bytes(hand.exchange->in.data, hand.exchange->parsed,
			text, sizeof text - 1 - strlen("GARBAGE"));
	}
	close_hand(&hand);
}
END_TEST

/* Until its owner says so, which is as if the time had come. */
START_TEST(a_deferred_answer_without_a_time)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	for (int i = 0; i < 3; i++) {
		rt_conn_defer(&hand.conn, RT_NEVER);
		assert_state(&hand, RT_STATE_WAIT);
		assert_wants(&hand, RT_NOTHING, RT_NOTHING);
		ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
		pass(&hand, 1000 * HEAD_TIMEOUT);
		rt_conn_expired(&hand.conn, hand.now);
		assert_asks(&hand, RT_ASK_ANSWER);
		ck_assert_int_eq(hand.conn.status, 0);
	}
	answer(&hand);
	assert_deadline(&hand, WRITE_TIMEOUT);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	close_hand(&hand);
}
END_TEST

/* A client that sends no more may wait for its reply all the same. */
START_TEST(a_fin_does_not_end_a_deferred_answer)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	defer(&hand, LATER);
	/* it has come by now, and is not looked at */
	rt_conn_defer(&hand.conn, hand.now + LATER);
	assert_waits(&hand, LATER);
	expire(&hand);
	answer(&hand);
	assert_wants(&hand, RT_RECV, RT_SEND);
	give_end(&hand, 0);
	assert_state(&hand, RT_STATE_REPLY);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_reset_shows_when_a_deferred_answer_is_sent)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	defer(&hand, LATER);
	answer(&hand);
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	ck_assert_uint_eq(hand.conn.sent, 0);
	close_hand(&hand);
}
END_TEST

START_TEST(a_deferred_answer_cannot_be_made)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	defer(&hand, LATER);
	rt_conn_fail(&hand.conn);
	assert_over(&hand, RETORT_FAILED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* What has begun of 100 (Continue) is finished before the answer. */
START_TEST(a_deferred_answer_after_continue)
{
	struct hand hand;

	for (size_t begun = 0; begun < strlen(CONTINUE); begun++) {
		open_hand(&hand);
		give_text(&hand, POST_EXPECT);
		rt_conn_accept(&hand.conn, 5, false, hand.now);
		if (begun > 0)
			ck_assert_uint_eq(take(&hand, begun), begun);
		give_text(&hand, "abcde");
		defer(&hand, 0);
		defer(&hand, LATER);
		ck_assert_uint_eq(hand.conn.sent, begun);
		answer(&hand);
		take_answer(&hand);
		assert_sent(&hand, begun > 0 ? CONTINUE ANSWER : ANSWER);
		ck_assert_uint_eq(hand.conn.script_sent, strlen(ANSWER));
		close_hand(&hand);
	}
}
END_TEST

/* A stop that was told leaves it time; the answer made then is the last. */
START_TEST(a_deferred_answer_outlives_a_stop)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	rt_conn_defer(&hand.conn, hand.now + LATER);
	rt_conn_stop(&hand.conn, RT_STOP_TOLD);
	assert_waits(&hand, LATER);
	expire(&hand);
	assert_asks(&hand, RT_ASK_ANSWER);
	defer(&hand, LATER);
	rt_conn_stop(&hand.conn, RT_STOP_TOLD);
	assert_asks(&hand, RT_ASK_ANSWER);
	answer(&hand);
	rt_conn_stop(&hand.conn, RT_STOP_ENOUGH);
	rt_conn_stop(&hand.conn, RT_STOP_TOLD);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	finish(&hand);
	/* but a drain has no time to lose */
	assert_state(&hand, RT_STATE_DRAIN);
	rt_conn_stop(&hand.conn, RT_STOP_TOLD);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* When enough replies were begun, it is one too many. */
START_TEST(a_deferred_answer_is_not_among_the_last)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	rt_conn_defer(&hand.conn, RT_NEVER);
	rt_conn_stop(&hand.conn, RT_STOP_ENOUGH);
	assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* --- what ends a connection in any state --- */

enum place {
	AT_IDLE,
	AT_HEAD,
	AT_BODY,
	AT_WAIT,
	AT_SEND,
	AT_PAUSE,
	AT_STALL,
	AT_FINISH,
	AT_DRAIN,
	AT_OVER,
	PLACES
};

static void
reach(struct hand *hand, enum place place)
{
	struct rt_reply *reply;

	if (place == AT_DRAIN) {
		reach_drain(hand);
		return;
	}
	open_hand(hand);
	reply = &hand->exchange->reply;
	if (place == AT_OVER)
		give_end(hand, 0);
	else if (place == AT_HEAD)
		give_text(hand, "GE");
	else if (place == AT_BODY) {
		give_text(hand, POST_5);
		rt_conn_accept(&hand->conn, 5, false, hand->now);
	} else if (place != AT_IDLE)
		give_whole(hand, GET);
	if (place == AT_WAIT)
		rt_conn_defer(&hand->conn, hand->now + LATER);
	if (place == AT_SEND || place == AT_FINISH)
		answer(hand);
	if (place == AT_FINISH)
		take_answer(hand);
	if (place == AT_PAUSE || place == AT_STALL) {
		rt_reply_reset(reply);
		rt_reply_step(reply,
			(struct rt_step){.kind = place == AT_PAUSE ?
					RT_STEP_PAUSE :
					RT_STEP_STALL,
				.at = (uint64_t)MS});
		rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
		rt_conn_answer(&hand->conn, hand->now);
	}
}

START_TEST(broken)
{
	struct hand hand;

	reach(&hand, (enum place)_i);
	rt_conn_broken(&hand.conn);
	if (_i == AT_OVER)
		assert_over(&hand, RETORT_CLOSED, RT_CLOSE);
	else
		assert_over(&hand, RETORT_RESET, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(abandoned)
{
	struct hand hand;

	reach(&hand, (enum place)_i);
	rt_conn_abandon(&hand.conn);
	if (_i == AT_OVER)
		assert_over(&hand, RETORT_CLOSED, RT_CLOSE);
	else if (_i == AT_DRAIN)
		assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	else
		assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* The ends of a stop for each cause of it; RETORT_FAILED: it goes on. */
static const enum retort_end stops[PLACES][2] = {
	[AT_IDLE] = {RETORT_STOPPED, RETORT_STOPPED},
	[AT_HEAD] = {RETORT_STOPPED, RETORT_STOPPED},
	[AT_BODY] = {RETORT_STOPPED, RETORT_STOPPED},
	[AT_WAIT] = {RETORT_STOPPED, RETORT_FAILED},
	[AT_SEND] = {RETORT_FAILED, RETORT_FAILED},
	[AT_PAUSE] = {RETORT_FAILED, RETORT_STOPPED},
	[AT_STALL] = {RETORT_STOPPED, RETORT_STOPPED},
	[AT_FINISH] = {RETORT_FAILED, RETORT_FAILED},
	[AT_DRAIN] = {RETORT_FAILED, RETORT_ANSWERED},
	[AT_OVER] = {RETORT_CLOSED, RETORT_CLOSED},
};

START_TEST(stopped)
{
	struct hand hand;

	for (int why = RT_STOP_ENOUGH; why <= RT_STOP_TOLD; why++) {
		enum retort_end end = stops[_i][why];

		reach(&hand, (enum place)_i);
		rt_conn_stop(&hand.conn, (enum rt_stop)why);
		if (end != RETORT_FAILED)
			assert_over(&hand, end, RT_CLOSE);
		else
			ck_assert_int_ne(hand.conn.state, RT_STATE_OVER);
		if (_i == AT_SEND) {
			take_answer(&hand);
			assert_sent(&hand, ANSWER);
		}
		if (_i == AT_SEND || _i == AT_FINISH) {
			finish(&hand);
			assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
		}
		close_hand(&hand);
	}
}
END_TEST

START_TEST(an_exchange_serves_one_connection_after_another)
{
	struct hand hand;

	open_hand(&hand);
	for (int i = 0; i < 3; i++) {
		rt_conn_open(&hand.conn, -1, &nobody, &hand.config, hand.now);
		bytes_free(&hand.sent);
		give_text(&hand, POST_5);
		ck_assert_ptr_eq(hand.conn.exchange, hand.exchange);
		rt_conn_accept(&hand.conn, 5, true, hand.now);
		give_text(&hand, "abcde");
		assert_asks(&hand, RT_ASK_ANSWER);
		/* a deferral leaves nothing to the next one */
		if (i == 1)
			defer(&hand, LATER);
		answer(&hand);
		take_answer(&hand);
		assert_sent(&hand, ANSWER);
		if (i == 1)
			finish_and_leave(&hand);
		else
			finish(&hand);
		assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
		ck_assert_ptr_eq(rt_conn_unlend(&hand.conn), hand.exchange);
	}
	close_hand(&hand);
}
END_TEST

/* --- bytes that are repeated --- */

/* Odd periods, one that begins in its middle, and others between. */
static void
make_repeating_script(struct rt_reply *reply)
{
	rt_reply_reset(reply);
	rt_buf_add_text(&reply->text, "<");
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_TEXT, .size = 1});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "abc",
			.at = 3,
			.from = 2,
			.size = 20});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "|",
			.size = 1});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "01234",
			.at = 5,
			.size = 3});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "x",
			.at = 1,
			.size = 7});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_PAUSE, .at = (uint64_t)MS});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "01234",
			.at = 5,
			.from = 4,
			.size = 6});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
}

#define REPEATED "<cabcabcabcabcabcabca|012xxxxxxx401234"

/* So many bytes at once, again and again; or the first time alone. */
START_TEST(repeated_bytes_in_pieces_of_every_size)
{
	for (size_t size = 1; size <= sizeof REPEATED; size++) {
		struct hand hand;
		bool once = _i == 1;

		open_hand(&hand);
		give_whole(&hand, GET);
		make_repeating_script(&hand.exchange->reply);
		rt_conn_answer(&hand.conn, hand.now);
		for (size_t most = size; hand.conn.state == RT_STATE_REPLY;) {
			if (hand.conn.chan.out.verb == RT_NOTHING) {
				ck_assert(!hand.conn.chan.out.more);
				expire(&hand);
				continue;
			}
			ck_assert_uint_gt(take(&hand, most), 0);
			most = once ? SIZE_MAX : size;
		}
		assert_sent(&hand, REPEATED);
		ck_assert_uint_eq(hand.conn.script_sent, strlen(REPEATED));
		finish_and_leave(&hand);
		assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
		close_hand(&hand);
	}
}
END_TEST

/* More than 32 bits count, taken in odd amounts. */
START_TEST(repeated_bytes_without_end)
{
	static char period[65521];
	const uint64_t size = (UINT64_C(1) << 33) + 12345;
	struct hand hand;
	uint64_t at = 0;

	for (size_t i = 0; i < sizeof period; i++)
		period[i] = (char)(i % 251);
	open_hand(&hand);
	give_whole(&hand, GET);
	rt_reply_reset(&hand.exchange->reply);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = period,
			.at = sizeof period,
			.from = 17,
			.size = size});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_CLOSE});
	rt_conn_answer(&hand.conn, hand.now);
	while (hand.conn.chan.out.verb == RT_SEND) {
		const struct rt_op *op = &hand.conn.chan.out;
		uint64_t planned = 0;

		for (int i = 0; i < op->send.count; i++) {
			const struct iovec *piece = op->send.pieces + i;

			ck_assert_ptr_eq(piece->iov_base,
				period + (17 + at + planned) % sizeof period);
			ck_assert_uint_gt(piece->iov_len, 0);
			planned += piece->iov_len;
		}
		ck_assert_uint_le(at + planned, size);
		ck_assert(op->more);
		/* all, or all but some */
		planned -= planned > 1000 ? at % 997 : 0;
		at += planned;
		rt_conn_out_done(&hand.conn, (int64_t)planned, hand.now);
	}
	ck_assert_uint_eq(at, size);
	ck_assert_uint_eq(hand.conn.sent, size);
	assert_state(&hand, RT_STATE_FINISH);
	close_hand(&hand);
}
END_TEST

/* --- who closed, and how --- */

#define assert_closes(hand, client, server, first) \
	do { \
		ck_assert_int_eq((hand)->conn.client_close, (client)); \
		ck_assert_int_eq((hand)->conn.server_close, (server)); \
		ck_assert_int_eq((hand)->conn.client_first, (first)); \
	} while (0)

/* Up to the server's FIN, of a server that waits for the client's as well. */
static void
linger(struct hand *hand)
{
	open_hand(hand);
	hand->config.linger = true;
	reach_drain_after(hand, GET);
}

START_TEST(lingers_until_the_client_closes)
{
	struct hand hand;

	linger(&hand);
	give_text(&hand, "what else comes is dropped");
	assert_state(&hand, RT_STATE_DRAIN);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, false);
	close_hand(&hand);
}
END_TEST

START_TEST(lingers_for_a_time)
{
	struct hand hand;

	linger(&hand);
	expire(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
	/* or until it is stopped */
	linger(&hand);
	rt_conn_stop(&hand.conn, RT_STOP_TOLD);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
}
END_TEST

START_TEST(lingers_until_the_client_resets)
{
	struct hand hand;

	linger(&hand);
	give_end(&hand, -ECONNRESET);
	assert_state(&hand, RT_STATE_OVER);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, false);
	close_hand(&hand);
}
END_TEST

/* The client's FIN, seen while the reply is under way, is the first. */
START_TEST(the_client_closes_first)
{
	struct hand hand;

	open_hand(&hand);
	hand.config.linger = true;
	give_whole(&hand, GET);
	answer(&hand);
	assert_wants(&hand, RT_RECV, RT_SEND);
	give_end(&hand, 0);
	assert_closes(&hand, RETORT_FIN, RETORT_NOTHING, true);
	take_answer(&hand);
	finish(&hand);
	/* there is nothing more to wait for */
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, true);
	close_hand(&hand);
}
END_TEST

/* Without lingering a whole request leaves nothing to be waited for. */
START_TEST(does_not_linger_unless_told)
{
	struct hand hand;

	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	take_answer(&hand);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
}
END_TEST

/* Ends from wherever it may be, without a reply that is whole. */
START_TEST(each_ending_says_who_closed)
{
	struct hand hand;

	/* idle: a FIN, a time-out, a reset */
	open_hand(&hand);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_CLOSED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, true);
	close_hand(&hand);
	open_hand(&hand);
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_CLOSE);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
	open_hand(&hand);
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, true);
	close_hand(&hand);
	/* a request that breaks off is answered */
	open_hand(&hand);
	give_text(&hand, "GET /");
	give_end(&hand, 0);
	assert_refused(&hand, 400, "incomplete request");
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, true);
	close_hand(&hand);
	/* a FIN, and then a reset */
	open_hand(&hand);
	give_text(&hand, "GET /");
	give_end(&hand, 0);
	answer(&hand);
	rt_conn_out_done(&hand.conn, -EPIPE, hand.now);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, true);
	close_hand(&hand);
	/* broken while it waits */
	open_hand(&hand);
	give_whole(&hand, GET);
	rt_conn_defer(&hand.conn, RT_NEVER);
	rt_conn_broken(&hand.conn);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, true);
	/* what comes later changes nothing */
	rt_conn_broken(&hand.conn);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, true);
	close_hand(&hand);
	/* the client does not take the reply: it is reset */
	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_RESET);
	assert_closes(&hand, RETORT_NOTHING, RETORT_RST, false);
	close_hand(&hand);
	/* by the script */
	open_hand(&hand);
	give_whole(&hand, GET);
	rt_reply_reset(&hand.exchange->reply);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_RESET});
	rt_conn_answer(&hand.conn, hand.now);
	assert_over(&hand, RETORT_ANSWERED, RT_RESET);
	assert_closes(&hand, RETORT_NOTHING, RETORT_RST, false);
	close_hand(&hand);
	/* the FIN fails */
	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	take_answer(&hand);
	rt_conn_out_done(&hand.conn, -ENOTCONN, hand.now);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, true);
	close_hand(&hand);
	/* abandoned, failed */
	open_hand(&hand);
	give_text(&hand, "GET /");
	rt_conn_abandon(&hand.conn);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
	open_hand(&hand);
	give_whole(&hand, GET);
	rt_conn_fail(&hand.conn);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
	/* an error that is not the client's */
	open_hand(&hand);
	give_whole(&hand, GET);
	answer(&hand);
	rt_conn_out_done(&hand.conn, -EIO, hand.now);
	assert_over(&hand, RETORT_FAILED, RT_CLOSE);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);
}
END_TEST

/* --- the body of a request --- */

static void
assert_body(struct hand *hand, const char *expected)
{
	size_t size = 12345;
	const char *body = rt_conn_body(&hand->conn, &size);

	assert_bytes(body, size, expected, strlen(expected));
}

/* Cut everywhere; what follows it is none of it. */
START_TEST(the_body_that_was_kept)
{
	static const char *const texts[] = {
		POST_5 "helloGET / HTTP/1.1\r\n",
		POST_CHUNKED "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: u\r\n\r\n"
			     "GET / HTTP/1.1\r\n",
	};
	const char *text = texts[_i];
	const size_t size = strlen(text);
	const size_t head = (size_t)(strstr(text, "\r\n\r\n") + 4 - text);

	for (size_t cut = 1; cut < size; cut++) {
		struct hand hand;
		size_t given;

		open_hand(&hand);
		given = give(&hand, text, cut);
		if (cut < head) {
			assert_body(&hand, "");
			given += give(&hand, text + given, size - given);
		}
		assert_asks(&hand, RT_ASK_ROUTE);
		assert_body(&hand, "");
		rt_conn_accept(&hand.conn, 100, true, hand.now);
		(void)give(&hand, text + given, size - given);
		assert_asks(&hand, RT_ASK_ANSWER);
		ck_assert_int_eq(hand.conn.status, 0);
		assert_body(&hand, "hello");
		close_hand(&hand);
	}
}
END_TEST

START_TEST(the_body_so_far)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 100, true, hand.now);
	assert_body(&hand, "");
	give_text(&hand, "he");
	assert_body(&hand, "he");
	give_end(&hand, 0);
	assert_asks(&hand, RT_ASK_ANSWER);
	assert_body(&hand, "he");
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, POST_CHUNKED "3\r\nhel\r\n5\r\nl");
	rt_conn_accept(&hand.conn, 100, true, hand.now);
	assert_body(&hand, "hell");
	give_text(&hand, "zzzz\r\nnot a size\r\n");
	ck_assert_int_eq(hand.conn.status, 400);
	assert_body(&hand, "hellzzzz");
	close_hand(&hand);
}
END_TEST

/* Not kept, there is none: neither of it, nor of what follows. */
START_TEST(the_body_that_was_dropped)
{
	struct hand hand;

	open_hand(&hand);
	give_text(&hand, POST_5 "helloGET / HTTP/1.1\r\n");
	rt_conn_accept(&hand.conn, 100, false, hand.now);
	assert_asks(&hand, RT_ASK_ANSWER);
	assert_body(&hand, "");
	close_hand(&hand);

	open_hand(&hand);
	give_text(&hand, POST_CHUNKED "5\r\nhello\r\n0\r\n\r\nGET /");
	rt_conn_accept(&hand.conn, 100, false, hand.now);
	assert_asks(&hand, RT_ASK_ANSWER);
	assert_body(&hand, "");
	close_hand(&hand);
}
END_TEST

/* Of one connection nothing is left to the next. */
START_TEST(the_body_is_forgotten)
{
	struct hand hand;

	open_hand(&hand);
	for (int i = 0; i < 3; i++) {
		rt_conn_open(&hand.conn, -1, &nobody, &hand.config, hand.now);
		give_text(&hand, POST_CHUNKED);
		assert_body(&hand, "");
		rt_conn_accept(&hand.conn, 100, true, hand.now);
		give_text(&hand, "1\r\nx\r\n0\r\n\r\n");
		assert_body(&hand, "x");
	}
	close_hand(&hand);
}
END_TEST

/* What is kept of a chunked body has the same bound as what came. */
START_TEST(the_content_has_a_bound)
{
	char text[600];
	struct hand hand;

	open_with(&hand, HEAD_TIMEOUT, 500);
	give_text(&hand, POST_CHUNKED);
	rt_conn_accept(&hand.conn, UINT64_MAX, true, hand.now);
	(void)snprintf(text, sizeof text, "1f4\r\n%0500d", 0);
	(void)give(&hand, text, strlen(text));
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand.conn.status, 413);
	close_hand(&hand);
}
END_TEST

/* --- without HTTP --- */

#define IDLE_TIMEOUT (40 * MS)
#define PIECE (64u << 10)

static void
open_protocol(struct hand *hand, enum retort_protocol protocol)
{
	open_hand(hand);
	hand->config.protocol = protocol;
	hand->config.idle_timeout = IDLE_TIMEOUT;
	rt_conn_open(&hand->conn, -1, &nobody, &hand->config, hand->now);
}

/* A reply without a head that ends so. */
static void
answer_plain(struct hand *hand, const void *bytes, size_t size,
	enum rt_step_kind ending)
{
	struct rt_reply *reply = &hand->exchange->reply;

	rt_reply_reset(reply);
	if (size > 0)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = bytes,
				.size = size});
	rt_reply_step(reply, (struct rt_step){.kind = ending});
	rt_conn_answer(&hand->conn, hand->now);
}

/* As an echo: the bytes lie where they were received. */
static void
echo(struct hand *hand)
{
	size_t size;
	const char *bytes = rt_conn_body(&hand->conn, &size);

	ck_assert_uint_gt(size, 0);
	answer_plain(hand, bytes, size, RT_STEP_NEXT);
}

static void
assert_piece(struct hand *hand, uint64_t number, const char *expected)
{
	assert_asks(hand, RT_ASK_ANSWER);
	ck_assert_int_eq(hand->conn.status, 0);
	ck_assert(hand->conn.complete);
	ck_assert(!hand->conn.accepted);
	ck_assert_uint_eq(hand->conn.pieces, number);
	assert_body(hand, expected);
}

/* It waits for a piece. */
static void
assert_idle(struct hand *hand)
{
	assert_state(hand, RT_STATE_IDLE);
	assert_asks(hand, RT_ASK_NOTHING);
	assert_wants(hand, RT_RECV, RT_NOTHING);
	ck_assert_uint_gt(hand->conn.chan.in.recv.size, 0);
	ck_assert_uint_le(hand->conn.chan.in.recv.size, PIECE);
}

static void
take_all(struct hand *hand)
{
	while (hand->conn.chan.out.verb == RT_SEND)
		ck_assert_uint_gt(take(hand, SIZE_MAX), 0);
}

START_TEST(a_piece_is_a_request)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	assert_deadline(&hand, IDLE_TIMEOUT);
	give_text(&hand, "GET / HTTP");
	assert_piece(&hand, 1, "GET / HTTP");
	echo(&hand);
	assert_state(&hand, RT_STATE_REPLY);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	assert_deadline(&hand, WRITE_TIMEOUT);
	take_all(&hand);
	assert_idle(&hand);
	/* what was the first is none of the second */
	give_text(&hand, "\r\n");
	assert_piece(&hand, 2, "\r\n");
	echo(&hand);
	take_all(&hand);
	assert_idle(&hand);
	assert_sent(&hand, "GET / HTTP\r\n");
	ck_assert_uint_eq(hand.conn.received, strlen("GET / HTTP\r\n"));
	/* between them it needs no buffers */
	ck_assert_ptr_eq(rt_conn_unlend(&hand.conn), hand.exchange);
	give_text(&hand, "x");
	assert_piece(&hand, 3, "x");
	close_hand(&hand);
}
END_TEST

/* While a part of it is unsent nothing is read, and no byte is lost. */
START_TEST(an_echo_cut_anywhere)
{
	static const char text[] = "a\0b\r\n\r\nGET / HTTP/1.1\r\n";
	const size_t size = sizeof text;

	for (size_t in = 1; in <= size; in++)
		for (size_t out = 1; out <= in; out++) {
			struct hand hand;
			size_t given = 0;

			open_protocol(&hand, RETORT_TCP);
			while (given < size) {
				given += give(&hand, text + given,
					in < size - given ? in : size - given);
				assert_asks(&hand, RT_ASK_ANSWER);
				echo(&hand);
				while (hand.conn.state == RT_STATE_REPLY) {
					assert_wants(&hand, RT_NOTHING,
						RT_SEND);
					(void)take(&hand, out);
				}
				assert_idle(&hand);
			}
			assert_bytes(hand.sent.data, hand.sent.size, text,
				size);
			ck_assert_uint_eq(hand.conn.pieces,
				(size + in - 1) / in);
			close_hand(&hand);
		}
}
END_TEST

/* However much is there, and whatever room an exchange has got. */
START_TEST(a_piece_is_at_most_64_kib)
{
	static char block[300u << 10];
	struct hand hand;
	size_t given = 0;

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (char)(i % 251);
	open_protocol(&hand, RETORT_TCP);
	/* so that the room is neither a power of two nor given back */
	hand.config.max_in = 70u << 10;
	ck_assert_int_eq(rt_conn_lend(&hand.conn, hand.exchange), 0);
	ck_assert_ptr_nonnull(rt_buf_reserve(&hand.exchange->in, 70u << 10));
	ck_assert_int_eq(rt_conn_lend(&hand.conn, hand.exchange), 0);
	while (given < sizeof block) {
		size_t n = give(&hand, block + given, sizeof block - given);
		size_t size;

		ck_assert_uint_le(n, PIECE);
		(void)rt_conn_body(&hand.conn, &size);
		ck_assert_uint_eq(size, n);
		given += n;
		echo(&hand);
		assert_wants(&hand, RT_NOTHING, RT_SEND);
		take_all(&hand);
		assert_idle(&hand);
	}
	assert_bytes(hand.sent.data, hand.sent.size, block, sizeof block);
	/* it is still there that what is held at once has its bound */
	ck_assert_uint_le(hand.exchange->in.len, PIECE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_half_closed_client_gets_the_rest)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "abc");
	echo(&hand);
	ck_assert_uint_eq(take(&hand, 1), 1);
	/* its FIN is there, and waits */
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_all(&hand);
	assert_idle(&hand);
	give_end(&hand, 0);
	assert_state(&hand, RT_STATE_FINISH);
	assert_wants(&hand, RT_NOTHING, RT_FINISH);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, true);
	assert_sent(&hand, "abc");
	close_hand(&hand);

	/* nothing came before it */
	open_protocol(&hand, RETORT_TCP);
	give_end(&hand, 0);
	assert_over(&hand, RETORT_CLOSED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, true);
	close_hand(&hand);

	/* a reset instead of it */
	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "abc");
	echo(&hand);
	take_all(&hand);
	give_end(&hand, -ECONNRESET);
	assert_over(&hand, RETORT_RESET, RT_CLOSE);
	assert_closes(&hand, RETORT_RST, RETORT_FIN, true);
	close_hand(&hand);
}
END_TEST

START_TEST(a_silent_client_is_closed)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_CLOSE);
	assert_closes(&hand, RETORT_NOTHING, RETORT_FIN, false);
	close_hand(&hand);

	/* each piece, and its reply, gives it the time anew */
	open_protocol(&hand, RETORT_TCP);
	for (int i = 0; i < 5; i++) {
		pass(&hand, IDLE_TIMEOUT - 1);
		give_text(&hand, "x");
		ck_assert_uint_eq(hand.conn.pieces, (uint64_t)i + 1);
		echo(&hand);
		assert_deadline(&hand, WRITE_TIMEOUT);
		pass(&hand, WRITE_TIMEOUT - 1);
		take_all(&hand);
		assert_deadline(&hand, IDLE_TIMEOUT);
	}
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_CLOSE);
	close_hand(&hand);

	/* none: for ever; and the head's is not meant */
	open_protocol(&hand, RETORT_TCP);
	hand.config.idle_timeout = RT_NEVER;
	rt_conn_open(&hand.conn, -1, &nobody, &hand.config, hand.now);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	give_text(&hand, "x");
	echo(&hand);
	take_all(&hand);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	close_hand(&hand);

	/* one that does not take its reply */
	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "abc");
	echo(&hand);
	ck_assert_uint_eq(take(&hand, 1), 1);
	expire(&hand);
	assert_over(&hand, RETORT_TIMED_OUT, RT_RESET);
	close_hand(&hand);
}
END_TEST

static void
greet(struct hand *hand)
{
	ck_assert_int_eq(rt_conn_lend(&hand->conn, hand->exchange), 0);
	rt_conn_greet(&hand->conn);
	assert_asks(hand, RT_ASK_ANSWER);
	ck_assert(hand->conn.accepted);
}

START_TEST(a_greeting_comes_first)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	greet(&hand);
	answer_plain(&hand, "220 hello\r\n", 11, RT_STEP_NEXT);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	ck_assert_uint_eq(take(&hand, 5), 5);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_all(&hand);
	assert_idle(&hand);
	assert_deadline(&hand, IDLE_TIMEOUT);
	give_text(&hand, "QUIT");
	assert_piece(&hand, 1, "QUIT");
	answer_plain(&hand, "221\r\n", 5, RT_STEP_CLOSE);
	take_answer(&hand);
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN); /* more may have come */
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, false);
	assert_sent(&hand, "220 hello\r\n221\r\n");
	close_hand(&hand);

	/* nothing is to be said */
	open_protocol(&hand, RETORT_TCP);
	greet(&hand);
	answer_plain(&hand, NULL, 0, RT_STEP_NEXT);
	assert_idle(&hand);
	assert_sent(&hand, "");
	give_end(&hand, 0);
	assert_over(&hand, RETORT_CLOSED, RT_CLOSE);
	close_hand(&hand);

	/* and then goodbye */
	open_protocol(&hand, RETORT_TCP);
	greet(&hand);
	answer_plain(&hand, "no", 2, RT_STEP_CLOSE);
	take_answer(&hand);
	close_hand(&hand);
}
END_TEST

/* After a greeting a request is as any other; its head has its time from the
   beginning. */
START_TEST(a_greeting_before_a_request)
{
	struct hand hand;

	open_protocol(&hand, RETORT_HTTP);
	greet(&hand);
	answer_plain(&hand, "hi\r\n", 4, RT_STEP_NEXT);
	/* what the client sends meanwhile is read after it, not dropped */
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_all(&hand);
	assert_state(&hand, RT_STATE_IDLE);
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	assert_deadline(&hand, HEAD_TIMEOUT);
	give_whole(&hand, GET);
	ck_assert(!hand.conn.accepted);
	ck_assert_uint_eq(hand.conn.pieces, 0);
	answer(&hand);
	take_answer(&hand);
	assert_sent(&hand, "hi\r\n" ANSWER);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_greeting_that_pauses_drops_nothing)
{
	struct hand hand;

	open_protocol(&hand, RETORT_HTTP);
	greet(&hand);
	rt_reply_reset(&hand.exchange->reply);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_PAUSE, .at = 5 * MS});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_NEXT});
	rt_conn_answer(&hand.conn, hand.now);
	assert_deadline(&hand, 5 * MS);
	assert_wants(&hand, RT_NOTHING, RT_NOTHING);
	expire(&hand);
	assert_state(&hand, RT_STATE_IDLE);
	give_whole(&hand, GET);
	close_hand(&hand);
}
END_TEST

START_TEST(closes_after_an_answer)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "x");
	answer_plain(&hand, "OK", 2, RT_STEP_CLOSE);
	assert_wants(&hand, RT_NOTHING, RT_SEND);
	take_answer(&hand);
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN); /* more may have come */
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	assert_closes(&hand, RETORT_FIN, RETORT_FIN, false);
	close_hand(&hand);

	/* without a byte */
	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "x");
	answer_plain(&hand, NULL, 0, RT_STEP_CLOSE);
	take_answer(&hand);
	finish_and_leave(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	ck_assert_uint_eq(hand.conn.sent, 0);
	close_hand(&hand);

	/* by a reset */
	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "x");
	answer_plain(&hand, NULL, 0, RT_STEP_RESET);
	assert_over(&hand, RETORT_ANSWERED, RT_RESET);
	assert_closes(&hand, RETORT_NOTHING, RETORT_RST, false);
	close_hand(&hand);

	/* a reply that took time: a close() must not take it from a client
	   that has sent more */
	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "x");
	answer_plain(&hand, "OK", 2, RT_STEP_CLOSE);
	ck_assert_uint_eq(take(&hand, 1), 1);
	take_answer(&hand);
	finish(&hand);
	assert_state(&hand, RT_STATE_DRAIN);
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	give_text(&hand, "more");
	give_end(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

/* A piece whose answer is made by somebody else. */
START_TEST(a_piece_is_answered_later)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "x");
	rt_conn_defer(&hand.conn, RT_NEVER);
	assert_state(&hand, RT_STATE_WAIT);
	assert_wants(&hand, RT_NOTHING, RT_NOTHING);
	ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
	pass(&hand, 100 * IDLE_TIMEOUT);
	rt_conn_expired(&hand.conn, hand.now);
	assert_piece(&hand, 1, "x");
	answer_plain(&hand, "later", 5, RT_STEP_NEXT);
	take_all(&hand);
	assert_idle(&hand);
	assert_deadline(&hand, IDLE_TIMEOUT);
	assert_sent(&hand, "later");
	close_hand(&hand);
}
END_TEST

/* Where a connection may be when the server stops. */
enum plain_place {
	AT_BEGIN,
	AFTER_A_PIECE,
	IN_WAIT,
	IN_REPLY,
	IN_PAUSE,
	IN_STALL,
	IN_FINISH,
	PLAIN_PLACES
};

static void
go_to(struct hand *hand, enum plain_place place)
{
	struct rt_reply *reply;

	open_protocol(hand, RETORT_TCP);
	reply = &hand->exchange->reply;
	ck_assert_int_eq(rt_conn_lend(&hand->conn, hand->exchange), 0);
	if (place == AT_BEGIN)
		return;
	give_text(hand, "abc");
	switch (place) {
	case AFTER_A_PIECE:
		echo(hand);
		take_all(hand);
		assert_idle(hand);
		break;
	case IN_WAIT:
		rt_conn_defer(&hand->conn, RT_NEVER);
		break;
	case IN_REPLY:
		echo(hand);
		ck_assert_uint_eq(take(hand, 1), 1);
		break;
	case IN_PAUSE:
	case IN_STALL:
		rt_reply_step(reply,
			(struct rt_step){.kind = place == IN_PAUSE ?
					RT_STEP_PAUSE :
					RT_STEP_STALL,
				.at = 5 * MS});
		rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_NEXT});
		rt_conn_answer(&hand->conn, hand->now);
		break;
	default:
		answer_plain(hand, NULL, 0, RT_STEP_CLOSE);
		break;
	}
}

/* Ended at once, or what is under way is the last. */
START_TEST(a_plain_connection_is_stopped)
{
	static const bool ends[PLAIN_PLACES][2] = {
		[AT_BEGIN] = {true, true},
		[AFTER_A_PIECE] = {true, true},
		[IN_WAIT] = {true, false},
		[IN_REPLY] = {false, false},
		[IN_PAUSE] = {false, true},
		[IN_STALL] = {true, true},
		[IN_FINISH] = {false, false},
	};
	const enum rt_stop whys[] = {RT_STOP_ENOUGH, RT_STOP_TOLD};

	for (int i = 0; i < 2; i++) {
		struct hand hand;

		go_to(&hand, (enum plain_place)_i);
		rt_conn_stop(&hand.conn, whys[i]);
		if (ends[_i][i]) {
			assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
			close_hand(&hand);
			continue;
		}
		if (hand.conn.state == RT_STATE_WAIT) {
			rt_conn_expired(&hand.conn, hand.now);
			echo(&hand);
		}
		if (_i == IN_PAUSE)
			expire(&hand);
		take_answer(&hand);
		finish_and_leave(&hand);
		assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
		close_hand(&hand);

		go_to(&hand, (enum plain_place)_i);
		rt_conn_abandon(&hand.conn);
		assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
		close_hand(&hand);
	}
}
END_TEST

/* --- datagrams --- */

static struct rt_address sender;

/* A datagram of these bytes came. */
static void
open_datagram(struct hand *hand, const char *text, const char *reason)
{
	struct rt_op in = {.verb = RT_RECV_FROM,
		.result = (int64_t)strlen(text),
		.recv = {.data = (char *)(uintptr_t)text, .from = &sender}};

	sender.size = 16;
	memset(&sender.name, 0x5a, sizeof sender.name);
	open_protocol(hand, RETORT_UDP);
	hand->conn.chan.shared = true;
	ck_assert_int_eq(rt_conn_lend(&hand->conn, hand->exchange), 0);
	rt_conn_datagram(&hand->conn, &in, reason);
	/* it has a copy */
	memset(&sender, 0, sizeof sender);
	assert_asks(hand, RT_ASK_ANSWER);
	ck_assert_uint_eq(hand->conn.pieces, 1);
	ck_assert_uint_eq(hand->conn.received, strlen(text));
	ck_assert(hand->conn.complete);
	ck_assert_int_eq(hand->conn.chan.in.verb, RT_NOTHING);
	assert_body(hand, text);
}

static void
assert_sends_to(struct hand *hand, const char *expected)
{
	const struct rt_op *out = &hand->conn.chan.out;
	struct bytes got = {.data = NULL};

	assert_state(hand, RT_STATE_REPLY);
	assert_wants(hand, RT_NOTHING, RT_SEND_TO);
	bytes_add(&got, "", 0);
	for (int i = 0; i < out->send.count; i++)
		bytes_add(&got, out->send.pieces[i].iov_base,
			out->send.pieces[i].iov_len);
	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
	ck_assert_uint_eq(out->send.to->size, 16);
	ck_assert_int_eq(((const unsigned char *)&out->send.to->name)[3], 0x5a);
}

/* No connection: nobody closes anything. */
static void
assert_datagram_over(struct hand *hand, enum retort_end end)
{
	assert_over(hand, end, RT_CLOSE);
	assert_closes(hand, RETORT_NOTHING, RETORT_NOTHING, false);
}

START_TEST(a_datagram_is_answered)
{
	const enum rt_step_kind endings[] = {RT_STEP_NEXT, RT_STEP_CLOSE};
	struct hand hand;

	for (int i = 0; i < 2; i++) {
		open_datagram(&hand, "ping", NULL);
		answer_plain(&hand, "pong!", 5, endings[i]);
		assert_sends_to(&hand, "pong!");
		rt_conn_out_done(&hand.conn, 5, hand.now);
		assert_datagram_over(&hand, RETORT_ANSWERED);
		ck_assert_uint_eq(hand.conn.sent, 5);
		close_hand(&hand);
	}
	/* an empty one, with an empty one */
	open_datagram(&hand, "", NULL);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_BYTES, .bytes = ""});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_NEXT});
	rt_conn_answer(&hand.conn, hand.now);
	assert_sends_to(&hand, "");
	rt_conn_out_done(&hand.conn, 0, hand.now);
	assert_datagram_over(&hand, RETORT_ANSWERED);
	close_hand(&hand);
	/* after a pause */
	open_datagram(&hand, "ping", NULL);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_PAUSE, .at = 7 * MS});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "x",
			.size = 1});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_NEXT});
	rt_conn_answer(&hand.conn, hand.now);
	assert_wants(&hand, RT_NOTHING, RT_NOTHING);
	assert_deadline(&hand, 7 * MS);
	expire(&hand);
	assert_sends_to(&hand, "x");
	rt_conn_out_done(&hand.conn, 1, hand.now);
	assert_datagram_over(&hand, RETORT_ANSWERED);
	close_hand(&hand);
}
END_TEST

START_TEST(a_datagram_is_not_answered)
{
	const enum rt_step_kind endings[] = {RT_STEP_NEXT, RT_STEP_STALL,
		RT_STEP_CLOSE, RT_STEP_RESET};
	struct hand hand;

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		open_datagram(&hand, "ping", "of a loop");
		ck_assert_str_eq(hand.conn.reason, "of a loop");
		answer_plain(&hand, NULL, 0, endings[i]);
		assert_datagram_over(&hand, RETORT_UNANSWERED);
		ck_assert_uint_eq(hand.conn.sent, 0);
		close_hand(&hand);
	}
	open_datagram(&hand, "ping", NULL);
	rt_conn_fail(&hand.conn);
	assert_datagram_over(&hand, RETORT_FAILED);
	close_hand(&hand);
}
END_TEST

START_TEST(a_datagram_that_finds_no_room_is_tried_again)
{
	const int errors[] = {EAGAIN, ENOBUFS};
	struct hand hand;

	for (int i = 0; i < 2; i++) {
		open_datagram(&hand, "ping", NULL);
		answer_plain(&hand, "pong", 4, RT_STEP_NEXT);
		for (int tries = 0; tries < 10; tries++) {
			assert_sends_to(&hand, "pong");
			rt_conn_out_done(&hand.conn, -errors[i], hand.now);
			assert_state(&hand, RT_STATE_REPLY);
			assert_wants(&hand, RT_NOTHING, RT_NOTHING);
			ck_assert_int_gt(hand.conn.chan.deadline, hand.now);
			expire(&hand);
		}
		assert_sends_to(&hand, "pong");
		rt_conn_out_done(&hand.conn, 4, hand.now);
		assert_datagram_over(&hand, RETORT_ANSWERED);
		ck_assert_uint_eq(hand.conn.sent, 4);
		close_hand(&hand);
	}
}
END_TEST

/* But not for ever. */
START_TEST(a_datagram_is_given_up)
{
	struct hand hand;
	int64_t began;
	int tries = 0;

	open_datagram(&hand, "ping", NULL);
	answer_plain(&hand, "pong", 4, RT_STEP_NEXT);
	began = hand.now;
	while (hand.conn.state == RT_STATE_REPLY) {
		ck_assert_int_lt(++tries, 100000);
		assert_sends_to(&hand, "pong");
		rt_conn_out_done(&hand.conn, -EAGAIN, hand.now);
		if (hand.conn.state == RT_STATE_REPLY)
			expire(&hand);
	}
	assert_datagram_over(&hand, RETORT_TIMED_OUT);
	ck_assert_int_gt(tries, 10);
	ck_assert_int_ge(hand.now - began, 1000 * MS);
	ck_assert_int_le(hand.now - began, 3000 * MS);
	close_hand(&hand);
}
END_TEST

static const struct {
	int error;
	enum retort_end end;
} lost[] = {
	{EMSGSIZE, RETORT_FAILED},
	{EPERM, RETORT_FAILED},
	{ECONNREFUSED, RETORT_RESET},
	{ENOENT, RETORT_RESET},
};

START_TEST(a_datagram_cannot_be_sent)
{
	struct hand hand;

	open_datagram(&hand, "ping", NULL);
	answer_plain(&hand, "pong", 4, RT_STEP_NEXT);
	rt_conn_out_done(&hand.conn, -lost[_i].error, hand.now);
	assert_datagram_over(&hand, lost[_i].end);
	ck_assert_uint_eq(hand.conn.sent, 0);
	close_hand(&hand);
}
END_TEST

/* A file that is not small enough to be read at once is too long. */
START_TEST(a_datagram_of_a_large_file)
{
	struct hand hand;

	open_datagram(&hand, "ping", NULL);
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_FILE, .size = 1 << 20});
	rt_reply_step(&hand.exchange->reply,
		(struct rt_step){.kind = RT_STEP_NEXT});
	rt_conn_answer(&hand.conn, hand.now);
	assert_datagram_over(&hand, RETORT_FAILED);
	close_hand(&hand);
}
END_TEST

START_TEST(a_datagram_is_stopped)
{
	const enum rt_stop whys[] = {RT_STOP_ENOUGH, RT_STOP_TOLD};
	struct hand hand;

	for (int i = 0; i < 2; i++) {
		/* it waits for its answer */
		open_datagram(&hand, "ping", NULL);
		rt_conn_defer(&hand.conn, RT_NEVER);
		rt_conn_stop(&hand.conn, whys[i]);
		if (whys[i] == RT_STOP_ENOUGH) {
			assert_datagram_over(&hand, RETORT_STOPPED);
		} else {
			rt_conn_expired(&hand.conn, hand.now);
			answer_plain(&hand, "pong", 4, RT_STEP_NEXT);
			assert_sends_to(&hand, "pong");
			rt_conn_out_done(&hand.conn, 4, hand.now);
			assert_datagram_over(&hand, RETORT_ANSWERED);
		}
		close_hand(&hand);
		/* for room */
		open_datagram(&hand, "ping", NULL);
		answer_plain(&hand, "pong", 4, RT_STEP_NEXT);
		rt_conn_out_done(&hand.conn, -EAGAIN, hand.now);
		rt_conn_stop(&hand.conn, whys[i]);
		assert_state(&hand, RT_STATE_REPLY);
		rt_conn_abandon(&hand.conn);
		assert_datagram_over(&hand, RETORT_STOPPED);
		close_hand(&hand);
	}
}
END_TEST

START_TEST(a_datagram_was_truncated)
{
	struct rt_op in = {.verb = RT_RECV_FROM,
		.result = 3,
		.recv = {.data = (char *)(uintptr_t) "abc",
			.from = &sender,
			.truncated = true}};
	struct hand hand;

	open_protocol(&hand, RETORT_UDP);
	ck_assert_int_eq(rt_conn_lend(&hand.conn, hand.exchange), 0);
	rt_conn_datagram(&hand.conn, &in, NULL);
	ck_assert(hand.conn.truncated);
	assert_body(&hand, "abc");
	close_hand(&hand);
}
END_TEST

/* An exchange goes from one protocol's connection to another's. */
START_TEST(an_exchange_keeps_nothing_of_a_piece)
{
	struct hand hand;

	open_protocol(&hand, RETORT_TCP);
	give_text(&hand, "not HTTP");
	rt_conn_abandon(&hand.conn);
	ck_assert_ptr_eq(rt_conn_unlend(&hand.conn), hand.exchange);
	rt_conn_open(&hand.conn, -1, &nobody, &hand.config, hand.now);
	give_text(&hand, "new");
	assert_piece(&hand, 1, "new");
	close_hand(&hand);
}
END_TEST

static void
add_plain(Suite *suite)
{
	TCase *tcase = tcase_create("plain");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_piece_is_a_request);
	tcase_add_test(tcase, an_echo_cut_anywhere);
	tcase_add_test(tcase, a_piece_is_at_most_64_kib);
	tcase_add_test(tcase, a_half_closed_client_gets_the_rest);
	tcase_add_test(tcase, a_silent_client_is_closed);
	tcase_add_test(tcase, a_greeting_comes_first);
	tcase_add_test(tcase, a_greeting_before_a_request);
	tcase_add_test(tcase, a_greeting_that_pauses_drops_nothing);
	tcase_add_test(tcase, closes_after_an_answer);
	tcase_add_test(tcase, a_piece_is_answered_later);
	tcase_add_loop_test(tcase, a_plain_connection_is_stopped, 0,
		PLAIN_PLACES);
	tcase_add_test(tcase, an_exchange_keeps_nothing_of_a_piece);
	rt_test_case(suite, tcase);
	tcase = tcase_create("datagrams");
	tcase_add_test(tcase, a_datagram_is_answered);
	tcase_add_test(tcase, a_datagram_is_not_answered);
	tcase_add_test(tcase, a_datagram_that_finds_no_room_is_tried_again);
	tcase_add_test(tcase, a_datagram_is_given_up);
	tcase_add_loop_test(tcase, a_datagram_cannot_be_sent, 0,
		(int)(sizeof lost / sizeof *lost));
	tcase_add_test(tcase, a_datagram_of_a_large_file);
	tcase_add_test(tcase, a_datagram_is_stopped);
	tcase_add_test(tcase, a_datagram_was_truncated);
	rt_test_case(suite, tcase);
}

static void
add_requests(Suite *suite)
{
	TCase *tcase = tcase_create("request");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, idle);
	tcase_add_test(tcase, idle_to_over);
	tcase_add_test(tcase, no_memory_to_receive);
	tcase_add_test(tcase, no_answer_can_be_made);
	tcase_add_test(tcase, head_byte_by_byte);
	tcase_add_test(tcase, head_refused);
	tcase_add_test(tcase, head_cut_short);
	tcase_add_test(tcase, head_timed_out);
	tcase_add_test(tcase, body_kept);
	tcase_add_loop_test(tcase, the_body_that_was_kept, 0, 2);
	tcase_add_test(tcase, the_body_so_far);
	tcase_add_test(tcase, the_body_that_was_dropped);
	tcase_add_test(tcase, the_body_is_forgotten);
	tcase_add_test(tcase, the_content_has_a_bound);
	tcase_add_test(tcase, body_with_the_head);
	tcase_add_test(tcase, body_refused);
	tcase_add_test(tcase, body_cut_short);
	tcase_add_test(tcase, body_timed_out);
	tcase_add_test(tcase, body_too_large_by_its_length);
	tcase_add_test(tcase, body_too_large_by_its_chunks);
	tcase_add_test(tcase, body_too_large_to_keep);
	tcase_add_test(tcase,
		a_full_buffer_is_no_reason_to_refuse_what_is_complete);
	tcase_add_test(tcase, a_large_body_is_dropped_in_little_memory);
	tcase_add_test(tcase, continue_is_sent);
	tcase_add_test(tcase, continue_is_not_sent_when_the_body_came_along);
	tcase_add_test(tcase, continue_that_was_not_begun_is_dropped);
	tcase_add_test(tcase, continue_that_was_begun_is_finished);
	tcase_add_test(tcase, continue_that_is_not_taken);
	rt_test_case(suite, tcase);
}

static void
add_replies(Suite *suite)
{
	TCase *tcase = tcase_create("reply");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_script_in_pieces_of_every_size,
		RT_STEP_STALL, RT_STEP_RESET + 1);
	tcase_add_test(tcase, a_script_cut_at_every_byte);
	tcase_add_loop_test(tcase, repeated_bytes_in_pieces_of_every_size, 0,
		2);
	tcase_add_test(tcase, repeated_bytes_without_end);
	tcase_add_test(tcase, a_reply_that_took_time_is_drained);
	tcase_add_loop_test(tcase, more_is_said_before_an_ending_or_a_file, 0,
		(int)(sizeof followers / sizeof *followers));
	tcase_add_test(tcase, a_write_times_out_without_progress);
	tcase_add_test(tcase, a_write_without_a_time_out);
	tcase_add_test(tcase, a_write_fails);
	tcase_add_test(tcase, a_file_becomes_shorter);
	tcase_add_test(tcase, a_stall_ends_when_the_client_leaves);
	tcase_add_test(tcase, a_half_closed_client_is_answered_in_full);
	tcase_add_test(tcase, the_client_resets_while_it_is_answered);
	rt_test_case(suite, tcase);
}

static void
add_deferred(Suite *suite)
{
	TCase *tcase = tcase_create("deferred");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_deferred_answer_waits_for_time_alone);
	tcase_add_test(tcase, a_deferred_answer_without_a_time);
	tcase_add_test(tcase, a_deferred_answer_keeps_the_request);
	tcase_add_test(tcase, a_fin_does_not_end_a_deferred_answer);
	tcase_add_test(tcase, a_reset_shows_when_a_deferred_answer_is_sent);
	tcase_add_test(tcase, a_deferred_answer_cannot_be_made);
	tcase_add_test(tcase, a_deferred_answer_after_continue);
	tcase_add_test(tcase, a_deferred_answer_outlives_a_stop);
	tcase_add_test(tcase, a_deferred_answer_is_not_among_the_last);
	rt_test_case(suite, tcase);
}

static void
add_endings(Suite *suite)
{
	TCase *tcase = tcase_create("ending");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, finish_closes_when_all_was_read);
	tcase_add_test(tcase, finish_fails);
	tcase_add_test(tcase, drain_ends_with_the_fin);
	tcase_add_test(tcase, drain_ends_in_time);
	tcase_add_test(tcase, drain_ends_after_so_many_bytes);
	tcase_add_test(tcase, a_receive_that_filled_its_room_is_drained);
	tcase_add_test(tcase, an_early_answer_while_the_client_sends);
	tcase_add_test(tcase, an_early_answer_and_too_many_bytes);
	tcase_add_test(tcase, an_early_answer_without_a_body);
	tcase_add_test(tcase, an_early_answer_after_the_fin);
	tcase_add_loop_test(tcase, broken, 0, PLACES);
	tcase_add_loop_test(tcase, abandoned, 0, PLACES);
	tcase_add_loop_test(tcase, stopped, 0, PLACES);
	tcase_add_test(tcase, lingers_until_the_client_closes);
	tcase_add_test(tcase, lingers_for_a_time);
	tcase_add_test(tcase, lingers_until_the_client_resets);
	tcase_add_test(tcase, the_client_closes_first);
	tcase_add_test(tcase, does_not_linger_unless_told);
	tcase_add_test(tcase, each_ending_says_who_closed);
	tcase_add_test(tcase, an_exchange_serves_one_connection_after_another);
	rt_test_case(suite, tcase);
}

/* --- segments, and what a reply waits for --- */

static void
add_step(struct hand *hand, struct rt_step step)
{
	rt_reply_step(&hand->exchange->reply, step);
}

/* A request that waits for an answer, and an empty script for it. */
static struct rt_reply *
open_script(struct hand *hand, const char *request)
{
	open_hand(hand);
	give_whole(hand, request);
	rt_reply_reset(&hand->exchange->reply);
	return &hand->exchange->reply;
}

static void
end_script(struct hand *hand, enum rt_step_kind ending)
{
	add_step(hand, (struct rt_step){.kind = ending});
	ck_assert(rt_reply_ok(&hand->exchange->reply));
	rt_conn_answer(&hand->conn, hand->now);
}

static void
add_bytes(struct hand *hand, const char *bytes)
{
	add_step(hand,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = bytes,
			.size = strlen(bytes)});
}

static void
flush(struct hand *hand, int64_t result)
{
	ck_assert_int_eq(hand->conn.chan.out.verb, RT_FLUSH);
	rt_conn_out_done(&hand->conn, result, hand->now);
}

/* Each segment leaves on its own, and the next one waits. */
START_TEST(segments_of_so_many_bytes)
{
	static const size_t takes[] = {SIZE_MAX, 1};

	for (int i = 0; i < 2; i++) {
		struct rt_reply *reply;
		struct hand hand;

		reply = open_script(&hand, GET);
		reply->pace = 2;
		reply->gap = 3 * MS;
		add_bytes(&hand, "a");
		add_bytes(&hand, "bcd");
		add_step(&hand,
			(struct rt_step){.kind = RT_STEP_REPEAT,
				.bytes = "xyz",
				.at = 3,
				.size = 2});
		end_script(&hand, RT_STEP_CLOSE);
		for (size_t sent = 2; sent <= 6; sent += 2) {
			while (hand.sent.size < sent) {
				ck_assert_int_eq(hand.conn.chan.out.verb,
					RT_SEND);
				/* nothing is kept back to be joined */
				ck_assert(!hand.conn.chan.out.more);
				(void)take(&hand, takes[i]);
				ck_assert_uint_le(hand.sent.size, sent);
			}
			if (sent == 6)
				break;
			flush(&hand, -EAGAIN);
			ck_assert_int_eq(hand.conn.chan.out.verb, RT_NOTHING);
			assert_deadline(&hand, MS);
			expire(&hand);
			flush(&hand, 0);
			ck_assert_int_eq(hand.conn.chan.out.verb, RT_NOTHING);
			assert_deadline(&hand, 3 * MS);
			expire(&hand);
		}
		/* what ends it needs no segment of its own */
		assert_state(&hand, RT_STATE_FINISH);
		assert_sent(&hand, "abcdxy");
		close_hand(&hand);
	}
}
END_TEST

START_TEST(segments_without_a_gap)
{
	struct rt_reply *reply;
	struct hand hand;

	reply = open_script(&hand, GET);
	reply->pace = 1;
	add_bytes(&hand, "abc");
	end_script(&hand, RT_STEP_RESET);
	for (int i = 1; i < 3; i++) {
		ck_assert_uint_eq(take(&hand, SIZE_MAX), 1);
		flush(&hand, 0);
	}
	ck_assert_uint_eq(take(&hand, SIZE_MAX), 1);
	assert_over(&hand, RETORT_ANSWERED, RT_RESET);
	assert_sent(&hand, "abc");
	close_hand(&hand);
}
END_TEST

START_TEST(segments_of_a_file)
{
	struct rt_reply *reply;
	struct hand hand;

	reply = open_script(&hand, GET);
	reply->pace = 3;
	add_step(&hand,
		(struct rt_step){.kind = RT_STEP_FILE, .at = 'a', .size = 7});
	end_script(&hand, RT_STEP_CLOSE);
	for (uint64_t at = 0; at < 7; at += 3) {
		ck_assert_int_eq(hand.conn.chan.out.verb, RT_FILE);
		ck_assert_uint_eq(hand.conn.chan.out.file.at, 'a' + at);
		ck_assert_uint_eq(hand.conn.chan.out.file.size, at < 6 ? 3 : 1);
		(void)take(&hand, SIZE_MAX);
		if (at < 6)
			flush(&hand, 0);
	}
	assert_state(&hand, RT_STATE_FINISH);
	assert_sent(&hand, "abcdefg");
	close_hand(&hand);
}
END_TEST

/* A boundary in the script: nothing is sent before all has left. */
START_TEST(a_flush_is_a_step)
{
	struct hand hand;

	(void)open_script(&hand, GET);
	add_bytes(&hand, "ab");
	add_step(&hand, (struct rt_step){.kind = RT_STEP_FLUSH});
	add_bytes(&hand, "c");
	add_step(&hand, (struct rt_step){.kind = RT_STEP_FLUSH});
	end_script(&hand, RT_STEP_RESET);
	ck_assert(!hand.conn.chan.out.more);
	ck_assert_uint_eq(take(&hand, SIZE_MAX), 2);
	for (int i = 0; i < 3; i++) {
		flush(&hand, -EAGAIN);
		assert_deadline(&hand, MS);
		expire(&hand);
	}
	flush(&hand, 0);
	ck_assert_uint_eq(take(&hand, SIZE_MAX), 1);
	flush(&hand, 0);
	assert_over(&hand, RETORT_ANSWERED, RT_RESET);
	assert_sent(&hand, "abc");
	close_hand(&hand);
}
END_TEST

/* Who takes nothing is not waited for longer than otherwise. */
START_TEST(a_flush_has_a_bound)
{
	for (int paced = 0; paced < 2; paced++) {
		struct rt_reply *reply;
		struct hand hand;
		int64_t began;

		reply = open_script(&hand, GET);
		reply->pace = paced ? 2 : 0;
		add_bytes(&hand, "ab");
		if (!paced)
			add_step(&hand,
				(struct rt_step){.kind = RT_STEP_FLUSH});
		add_bytes(&hand, "cd");
		end_script(&hand, RT_STEP_CLOSE);
		(void)take(&hand, SIZE_MAX);
		began = hand.now;
		while (hand.conn.state != RT_STATE_OVER) {
			ck_assert_int_le(hand.now - began, WRITE_TIMEOUT);
			if (hand.conn.chan.out.verb == RT_FLUSH)
				flush(&hand, -EAGAIN);
			else
				expire(&hand);
		}
		ck_assert_int_ge(hand.now - began, WRITE_TIMEOUT);
		assert_over(&hand, RETORT_TIMED_OUT, RT_RESET);
		close_hand(&hand);
	}
}
END_TEST

/* Half closed: what comes is read, for as long as the client likes. */
START_TEST(half_closed)
{
	static char block[4096];
	struct hand hand;

	for (int i = 0; i < 5; i++) {
		(void)open_script(&hand, GET);
		add_bytes(&hand, "ab");
		end_script(&hand, RT_STEP_HALF);
		take_answer(&hand);
		finish(&hand);
		assert_state(&hand, RT_STATE_DRAIN);
		assert_wants(&hand, RT_RECV, RT_NOTHING);
		ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
		for (uint64_t n = 0; n <= RT_DRAIN_BYTES; n += sizeof block)
			ck_assert_uint_eq(give(&hand, block, sizeof block),
				sizeof block);
		assert_state(&hand, RT_STATE_DRAIN);
		if (i == 0)
			give_end(&hand, 0);
		else if (i == 1)
			give_end(&hand, -ECONNRESET);
		else if (i == 2)
			rt_conn_stop(&hand.conn, RT_STOP_ENOUGH);
		else if (i == 3)
			rt_conn_stop(&hand.conn, RT_STOP_TOLD);
		else
			rt_conn_abandon(&hand.conn);
		assert_over(&hand, i == 1 ? RETORT_RESET : RETORT_ANSWERED,
			RT_CLOSE);
		close_hand(&hand);
	}
	/* a client that had ended is not waited for */
	open_hand(&hand);
	give_text(&hand, POST_5);
	rt_conn_accept(&hand.conn, 5, false, hand.now);
	give_end(&hand, 0);
	rt_reply_reset(&hand.exchange->reply);
	end_script(&hand, RT_STEP_HALF);
	finish(&hand);
	assert_over(&hand, RETORT_ANSWERED, RT_CLOSE);
	close_hand(&hand);
}
END_TEST

START_TEST(a_stall_may_be_deaf)
{
	for (int deaf = 0; deaf < 2; deaf++) {
		struct rt_reply *reply;
		struct hand hand;

		reply = open_script(&hand, GET);
		reply->deaf = deaf;
		add_bytes(&hand, "a");
		end_script(&hand, RT_STEP_STALL);
		(void)take(&hand, SIZE_MAX);
		assert_wants(&hand, deaf ? RT_NOTHING : RT_RECV, RT_NOTHING);
		ck_assert_int_eq(hand.conn.chan.deadline, RT_NEVER);
		rt_conn_stop(&hand.conn, deaf ? RT_STOP_TOLD : RT_STOP_ENOUGH);
		assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
		close_hand(&hand);
	}
}
END_TEST

/* Where a reply waits: in a gap, and for a segment to leave. */
START_TEST(stopped_between_segments)
{
	for (int i = 0; i < 6; i++) {
		bool gap = i % 2, told = i / 2 == 1, abandon = i / 2 == 2;
		struct rt_reply *reply;
		struct hand hand;

		reply = open_script(&hand, GET);
		reply->pace = 1;
		reply->gap = 5 * MS;
		add_bytes(&hand, "ab");
		end_script(&hand, RT_STEP_CLOSE);
		(void)take(&hand, SIZE_MAX);
		if (gap)
			flush(&hand, 0);
		if (abandon)
			rt_conn_abandon(&hand.conn);
		else
			rt_conn_stop(&hand.conn,
				told ? RT_STOP_TOLD : RT_STOP_ENOUGH);
		if (abandon || (gap && told)) {
			assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
		} else {
			if (!gap)
				flush(&hand, 0);
			expire(&hand);
			take_answer(&hand);
			assert_sent(&hand, "ab");
		}
		close_hand(&hand);
	}
}
END_TEST

/* --- how a request is read --- */

/* Its head, which may have more behind it. */
static void
give_head(struct hand *hand, const char *text, struct rt_reading reading)
{
	open_hand(hand);
	give_text(hand, text);
	assert_asks(hand, RT_ASK_ROUTE);
	rt_conn_read(&hand->conn, &reading);
	rt_conn_accept(&hand->conn, UINT64_MAX, true, hand->now);
}

START_TEST(a_body_is_read_slowly)
{
	const struct rt_reading slowly = {.pace = 2, .gap = 3 * MS};
	struct hand hand;
	int64_t began;
	size_t size;

	give_head(&hand, POST_5, slowly);
	began = hand.now;
	for (size_t given = 0; given < 5; given += size) {
		assert_asks(&hand, RT_ASK_NOTHING);
		assert_wants(&hand, RT_NOTHING, RT_NOTHING);
		assert_deadline(&hand, 3 * MS);
		expire(&hand);
		assert_state(&hand, RT_STATE_BODY);
		ck_assert_int_eq(hand.conn.chan.in.verb, RT_RECV);
		ck_assert_uint_eq(hand.conn.chan.in.recv.size, 2);
		assert_deadline(&hand, BODY_TIMEOUT);
		size = given < 4 ? 2 : 1;
		ck_assert_uint_eq(give(&hand, &"hello"[given], size), size);
	}
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert(hand.conn.complete && !hand.conn.halted);
	ck_assert_int_eq(hand.now - began, 9 * MS);
	close_hand(&hand);

	/* who sends nothing then is too slow */
	give_head(&hand, POST_5, slowly);
	expire(&hand);
	expire(&hand);
	assert_refused(&hand, 408, "the body took too long");
	close_hand(&hand);

	/* a body that is there is not waited for */
	give_head(&hand, POST_5 "hello", slowly);
	assert_asks(&hand, RT_ASK_ANSWER);
	close_hand(&hand);

	/* nor one that there is not */
	give_head(&hand, GET, slowly);
	assert_asks(&hand, RT_ASK_ANSWER);
	close_hand(&hand);
}
END_TEST

/* `stop` bytes of a body of five, which come at once or one by one. */
START_TEST(reading_stops)
{
	for (uint64_t stop = 0; stop <= 6; stop++)
		for (int way = 0; way < 3; way++) {
			const struct rt_reading reading = {.stops = true,
				.stop = stop};
			struct hand hand;
			size_t given = way == 0 ? 5 : 0;

			give_head(&hand, way == 0 ? POST_5 "hello" : POST_5,
				reading);
			while (hand.conn.asks == RT_ASK_NOTHING) {
				size_t most = hand.conn.chan.in.recv.size;
				size_t size = way == 1 ? 1 : 5 - given;

				ck_assert_int_eq(hand.conn.chan.in.verb,
					RT_RECV);
				ck_assert_uint_le(most, stop - given);
				size = size < most ? size : most;
				given += give(&hand, &"hello"[given], size);
			}
			assert_asks(&hand, RT_ASK_ANSWER);
			ck_assert_int_eq(hand.conn.status, 0);
			ck_assert_msg(hand.conn.halted == (stop < 5),
				"stop at %d, way %d", (int)stop, way);
			ck_assert_msg(hand.conn.complete == (stop >= 5),
				"stop at %d, way %d", (int)stop, way);
			ck_assert_uint_eq(given,
				way == 0 || stop > 5 ? 5 : stop);
			close_hand(&hand);
		}
}
END_TEST

START_TEST(reading_stops_in_chunks)
{
	static const char body[] = "5\r\nhello\r\n0\r\n\r\n";
	struct hand hand;

	for (uint64_t stop = 0; stop < sizeof body - 1; stop++) {
		give_head(&hand, POST_CHUNKED,
			(struct rt_reading){.stops = true, .stop = stop});
		ck_assert_uint_eq(give(&hand, body, sizeof body - 1), stop);
		assert_asks(&hand, RT_ASK_ANSWER);
		ck_assert(hand.conn.halted && !hand.conn.complete);
		close_hand(&hand);
	}
	/* without a body there is nothing to stop at */
	give_head(&hand, GET, (struct rt_reading){.stops = true});
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert(hand.conn.complete && !hand.conn.halted);
	close_hand(&hand);
}
END_TEST

START_TEST(continue_is_never_sent)
{
	struct hand hand;

	give_head(&hand, POST_EXPECT, (struct rt_reading){.delay = RT_NEVER});
	assert_wants(&hand, RT_RECV, RT_NOTHING);
	assert_deadline(&hand, BODY_TIMEOUT);
	give_text(&hand, "hello");
	assert_asks(&hand, RT_ASK_ANSWER);
	answer(&hand);
	take_answer(&hand);
	assert_sent(&hand, ANSWER);
	close_hand(&hand);

	give_head(&hand, POST_EXPECT, (struct rt_reading){.delay = RT_NEVER});
	expire(&hand);
	assert_refused(&hand, 408, "the body took too long");
	close_hand(&hand);
}
END_TEST

START_TEST(continue_is_sent_late)
{
	const struct rt_reading readings[] = {{.delay = 7 * MS},
		{.delay = 7 * MS, .pace = 5, .gap = 3 * MS},
		{.delay = 7 * MS, .stops = true, .stop = 9}};
	struct hand hand;

	for (int i = 0; i < 3; i++) {
		give_head(&hand, POST_EXPECT, readings[i]);
		ck_assert_int_eq(hand.conn.chan.out.verb, RT_NOTHING);
		assert_deadline(&hand, 7 * MS);
		expire(&hand);
		ck_assert_msg(hand.conn.chan.out.verb == RT_SEND,
			"no 100 (Continue) with reading %d", i);
		ck_assert_uint_eq(take(&hand, SIZE_MAX), strlen(CONTINUE));
		assert_sent(&hand, CONTINUE);
		assert_deadline(&hand, BODY_TIMEOUT);
		give_text(&hand, "hello");
		assert_asks(&hand, RT_ASK_ANSWER);
		close_hand(&hand);
	}
	/* who does not wait for it is served */
	give_head(&hand, POST_EXPECT, readings[0]);
	ck_assert_int_eq(hand.conn.chan.in.verb, RT_RECV);
	give_text(&hand, "hello");
	assert_asks(&hand, RT_ASK_ANSWER);
	close_hand(&hand);
	/* and nothing is sent to who waits for nothing */
	give_head(&hand, POST_5, readings[0]);
	assert_deadline(&hand, BODY_TIMEOUT);
	close_hand(&hand);
}
END_TEST

/* Where a body is waited for, in whatever way. */
START_TEST(stopped_while_reading)
{
	const struct rt_reading readings[] = {{.pace = 1, .gap = MS},
		{.delay = MS}, {.stops = true, .stop = 2}};

	for (int i = 0; i < 9; i++) {
		struct hand hand;

		give_head(&hand, POST_EXPECT, readings[i / 3]);
		if (i % 3 == 2)
			rt_conn_abandon(&hand.conn);
		else
			rt_conn_stop(&hand.conn, (enum rt_stop)(i % 3));
		assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
		close_hand(&hand);
	}
}
END_TEST

/* Before the body: what still comes is read meanwhile, and after it. */
START_TEST(early_answers_that_wait)
{
	for (int i = 0; i < 4; i++) {
		struct rt_reply *reply;
		struct hand hand;

		open_hand(&hand);
		give_text(&hand, POST_5);
		assert_asks(&hand, RT_ASK_ROUTE);
		reply = &hand.exchange->reply;
		rt_reply_reset(reply);
		reply->pace = 1;
		reply->gap = MS;
		add_bytes(&hand, "ab");
		end_script(&hand, i == 3 ? RT_STEP_RESET : RT_STEP_CLOSE);
		(void)take(&hand, SIZE_MAX);
		flush(&hand, 0);
		ck_assert_int_eq(hand.conn.chan.in.verb, RT_RECV);
		give_text(&hand, "he");
		assert_deadline(&hand, MS);
		if (i == 0) {
			rt_conn_stop(&hand.conn, RT_STOP_TOLD);
			assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
		} else if (i == 1) {
			rt_conn_abandon(&hand.conn);
			assert_over(&hand, RETORT_STOPPED, RT_CLOSE);
		} else {
			expire(&hand);
			(void)take(&hand, SIZE_MAX);
			if (i == 2) {
				finish(&hand);
				assert_state(&hand, RT_STATE_DRAIN);
				give_text(&hand, "llo");
				give_end(&hand, 0);
			}
			assert_over(&hand, RETORT_ANSWERED,
				i == 3 ? RT_RESET : RT_CLOSE);
			assert_sent(&hand, "ab");
		}
		close_hand(&hand);
	}
}
END_TEST

/* The next connection's request is read as usual. */
START_TEST(readings_are_forgotten)
{
	const struct rt_reading reading = {.stops = true,
		.pace = 1,
		.gap = MS,
		.delay = RT_NEVER,
		.early = true};
	struct hand hand;

	give_head(&hand, POST_5, reading);
	rt_conn_abandon(&hand.conn);
	(void)rt_conn_unlend(&hand.conn);
	rt_conn_open(&hand.conn, -1, &nobody, &hand.config, hand.now);
	give_text(&hand, POST_EXPECT);
	rt_conn_accept(&hand.conn, UINT64_MAX, false, hand.now);
	ck_assert_uint_eq(take(&hand, SIZE_MAX), strlen(CONTINUE));
	ck_assert_int_eq(hand.conn.chan.in.verb, RT_RECV);
	give_text(&hand, "hello");
	assert_asks(&hand, RT_ASK_ANSWER);
	ck_assert(hand.conn.complete);
	close_hand(&hand);
}
END_TEST

static void
add_faults(Suite *suite)
{
	TCase *tcase = tcase_create("faults");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, segments_of_so_many_bytes);
	tcase_add_test(tcase, segments_without_a_gap);
	tcase_add_test(tcase, segments_of_a_file);
	tcase_add_test(tcase, a_flush_is_a_step);
	tcase_add_test(tcase, a_flush_has_a_bound);
	tcase_add_test(tcase, half_closed);
	tcase_add_test(tcase, a_stall_may_be_deaf);
	tcase_add_test(tcase, stopped_between_segments);
	tcase_add_test(tcase, a_body_is_read_slowly);
	tcase_add_test(tcase, reading_stops);
	tcase_add_test(tcase, reading_stops_in_chunks);
	tcase_add_test(tcase, continue_is_never_sent);
	tcase_add_test(tcase, continue_is_sent_late);
	tcase_add_test(tcase, stopped_while_reading);
	tcase_add_test(tcase, early_answers_that_wait);
	tcase_add_test(tcase, readings_are_forgotten);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("conn");

	add_requests(suite);
	add_replies(suite);
	add_deferred(suite);
	add_endings(suite);
	add_plain(suite);
	add_faults(suite);
	return rt_test_run(suite);
}
