/* SPDX-License-Identifier: MIT */
/* Edits of what the room tls sends, as OpenSSL's client takes them. */
#include "config.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tls_pair.h"

static const struct client clients[] = {
	{.max = TLS1_2_VERSION},
	{.min = TLS1_3_VERSION},
};

static void
edit(struct pair *pair, struct rt_wire_edit one)
{
	struct rt_wire_list list = {NULL, 0, 0};

	ck_assert(rt_wire_add(&list, one));
	ck_assert(rt_tls_edit(pair->tls, &list));
}

/* The handshake and a reply; as far as they go. */
static void
talk(struct pair *pair)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\n\r\nhello";

	if (!shake(pair))
		return;
	want_send(pair, reply, sizeof reply - 1, false);
	if (carry(pair) != RT_OUT_DONE)
		return;
	want(pair, RT_FINISH);
	(void)carry(pair);
}

/* The same, with one edit of what the server sends. */
static void
talk_edited(struct pair *pair, const struct client *client,
	struct rt_wire_edit one)
{
	open_pair(pair, shared, client);
	edit(pair, one);
	talk(pair);
}

/* How many wire bytes all of it has, without faults. */
static size_t
measure(const struct client *client)
{
	struct pair pair;
	size_t whole;

	open_pair(&pair, shared, client);
	talk(&pair);
	whole = pair.went;
	close_pair(&pair);
	return whole;
}

/* The shortest signature; and with other lengths the end is others'. */
#define SPARE 8

/* Bytes from one round to the next, where each would take too long. */
#define STRIDE 5

START_TEST(test_cut_at_each_byte)
{
	size_t whole = measure(&clients[_i]) - SPARE;
	struct pair pair;

	ck_assert_uint_gt(whole, 500);
	for (size_t i = 0; i < whole; i++) {
		if (rt_test_thin())
			continue;
		talk_edited(&pair, &clients[_i],
			(struct rt_wire_edit){.act = RT_WIRE_CUT,
				.after = i,
				.how = 9});
		ck_assert_msg(pair.tls->cut && pair.went == i,
			"cut at %zu: %zu were sent", i, pair.went);
		ck_assert_int_eq(pair.tls->how, 9);
		/* what comes is dropped, up to its end */
		want_recv(&pair, 10);
		ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
		ck_assert_int_eq(pair.tls->wire.in.verb, RT_RECV);
		pair.tls->wire.in.result = 3;
		ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain,
					  RT_IN_DONE),
			0);
		pair.tls->wire.in.result = 0;
		ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain,
					  RT_IN_DONE),
			RT_IN_DONE);
		ck_assert_int_eq(pair.plain.in.result, 0);
		/* and the connection may have its FIN */
		want(&pair, RT_FINISH);
		ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
		ck_assert_int_eq(pair.tls->wire.out.verb, RT_FINISH);
		pair.tls->wire.out.result = 0;
		ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain,
					  RT_OUT_DONE),
			RT_OUT_DONE);
		close_pair(&pair);
	}
}
END_TEST

/* Nothing that is whole is lost to a pause, wherever it is. */
START_TEST(test_pause_at_each_byte)
{
	size_t whole = measure(&clients[_i]) - SPARE;
	struct pair pair;
	char got[100];

	for (size_t i = 0; i < whole; i += STRIDE) {
		if (rt_test_thin())
			continue;
		talk_edited(&pair, &clients[_i],
			(struct rt_wire_edit){.act = RT_WIRE_PAUSE,
				.after = i,
				.time = 7});
		ck_assert_msg(pair.now == 7, "pause at %zu: %lld ns", i,
			(long long)pair.now);
		ck_assert_int_eq(client_reads(&pair, got, sizeof got), 24);
		ck_assert_int_eq(client_reads(&pair, got, sizeof got), 0);
		close_pair(&pair);
	}
}
END_TEST

/* One byte that is not as it was: no client takes it for what it is not. */
START_TEST(test_corrupt_at_each_byte)
{
	size_t whole = measure(&clients[_i]) - SPARE;
	struct pair pair;
	char got[100];

	for (size_t i = 0; i < whole; i += STRIDE) {
		if (rt_test_thin())
			continue;
		talk_edited(&pair, &clients[_i],
			(struct rt_wire_edit){.act = RT_WIRE_CORRUPT,
				.after = i});
		if (client_reads(&pair, got, sizeof got) == 24)
			ck_assert_msg(memcmp(got, "HTTP/1.1 200 OK", 15) == 0,
				"corrupt at %zu: %.24s", i, got);
		close_pair(&pair);
	}
}
END_TEST

/* New keys in the middle of bytes, and TLS that ends there and goes on. */
START_TEST(test_tell)
{
	struct pair pair;
	char got[100];

	open_pair(&pair, shared, &clients[_i]);
	ck_assert(shake(&pair));
	exchange_out(&pair, "one", 3);
	want(&pair, RT_TELL);
	pair.plain.out.tell = RT_TELL_REKEY;
	for (int i = 0; carry(&pair) == 0 && i < 10; i++)
		ck_assert_int_eq(client_reads(&pair, got, sizeof got),
			-SSL_ERROR_WANT_READ);
	ck_assert_int_eq(pair.plain.out.result, 0);
	ck_assert(!pair.tls->telling);
	exchange_out(&pair, "two", 3);
	exchange_in(&pair, "three");
	want(&pair, RT_TELL);
	pair.plain.out.tell = RT_TELL_END;
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, 0);
	ck_assert_int_eq(client_reads(&pair, got, sizeof got), 0);
	want_send(&pair, "four", 4, false);
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, 4);
	want(&pair, RT_FINISH);
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	close_pair(&pair);
}
END_TEST

/* A client that has sent something before it is asked, or that leaves. */
START_TEST(test_unanswered)
{
	struct pair pair;

	open_pair(&pair, shared, &clients[0]);
	ck_assert(shake(&pair));
	want(&pair, RT_TELL);
	pair.plain.out.tell = RT_TELL_REKEY;
	if (_i == 0) {
		ck_assert_int_eq(SSL_write(pair.client, "hello", 5), 5);
		ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
		ck_assert_int_eq(pair.plain.out.result, 0);
		want_recv(&pair, 10);
		ck_assert_uint_eq(carry(&pair), RT_IN_DONE);
		assert_bytes(pair.room, (size_t)pair.plain.in.result, "hello",
			5);
	} else {
		pair.split_in = pair.came;
		pair.cut = true;
		ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
		ck_assert_int_eq(pair.plain.out.result, -ECONNRESET);
	}
	close_pair(&pair);
}
END_TEST

/* A client that has begun another handshake, and a reply meanwhile: that waits
   for it. */
START_TEST(test_reply_within_handshake)
{
	struct pair pair;
	struct rt_op *in, *out;
	char got[100];

	open_pair(&pair, shared, &clients[0]);
	in = &pair.tls->wire.in;
	out = &pair.tls->wire.out;
	ck_assert(shake(&pair));
	want(&pair, RT_TELL);
	pair.plain.out.tell = RT_TELL_REKEY;
	ck_assert_int_eq(SSL_write(pair.client, "hello", 5), 5);
	ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
	want_recv(&pair, 10);
	ck_assert_uint_eq(carry(&pair), RT_IN_DONE);
	ck_assert_int_eq(client_reads(&pair, got, sizeof got),
		-SSL_ERROR_WANT_READ);
	/* its ClientHello, and the answer to it */
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	ck_assert_int_eq(in->verb, RT_RECV);
	in->result = BIO_read(pair.from, in->recv.data, (int)in->recv.size);
	ck_assert_int_gt(in->result, 0);
	ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain, RT_IN_DONE), 0);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	ck_assert_int_eq(out->verb, RT_SEND);
	out->result = (int64_t)out->send.pieces[0].iov_len;
	ck_assert_int_eq(BIO_write(pair.to, out->send.pieces[0].iov_base,
				 (int)out->result),
		(int)out->result);
	ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain, RT_OUT_DONE), 0);
	want_send(&pair, "x", 1, false);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	ck_assert_int_eq(in->verb, RT_RECV);
	if (_i == 0) {
		ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
		ck_assert_int_eq(pair.plain.out.result, 1);
		ck_assert_int_eq(client_reads(&pair, got, sizeof got), 1);
	} else {
		pair.split_in = pair.came;
		pair.cut = true;
		ck_assert_uint_eq(carry(&pair), RT_OUT_DONE);
		ck_assert_int_eq(pair.plain.out.result, -ECONNRESET);
	}
	close_pair(&pair);
}
END_TEST

/* What has not left yet is asked for again, a little later. */
START_TEST(test_flush)
{
	struct pair pair;
	struct rt_tls *tls;

	open_pair(&pair, shared, &clients[_i]);
	ck_assert(shake(&pair));
	tls = pair.tls;
	edit(&pair,
		(struct rt_wire_edit){.act = RT_WIRE_PAUSE,
			.after = 3,
			.time = 1000});
	want_send(&pair, "hello", 5, true);
	ck_assert_uint_eq(rt_tls_try(tls, &pair.plain, 100), 0);
	ck_assert_int_eq(tls->wire.out.verb, RT_SEND);
	ck_assert_uint_eq(tls->wire.out.send.pieces[0].iov_len, 3);
	ck_assert(!tls->wire.out.more);
	tls->wire.out.result = 3;
	ck_assert_uint_eq(rt_tls_done(tls, &pair.plain, RT_OUT_DONE), 0);
	ck_assert_uint_eq(rt_tls_try(tls, &pair.plain, 100), 0);
	ck_assert_int_eq(tls->wire.out.verb, RT_FLUSH);
	tls->wire.out.result = -EAGAIN;
	ck_assert_uint_eq(rt_tls_done(tls, &pair.plain, RT_OUT_DONE), 0);
	ck_assert_uint_eq(rt_tls_try(tls, &pair.plain, 100), 0);
	ck_assert_int_eq(tls->wire.out.verb, RT_NOTHING);
	ck_assert_int_eq(tls->until, 100 + RT_MS);
	ck_assert_uint_eq(rt_tls_try(tls, &pair.plain, 100 + RT_MS), 0);
	ck_assert_int_eq(tls->wire.out.verb, RT_FLUSH);
	tls->wire.out.result = 0;
	ck_assert_uint_eq(rt_tls_done(tls, &pair.plain, RT_OUT_DONE), 0);
	ck_assert_uint_eq(rt_tls_try(tls, &pair.plain, 200 + RT_MS), 0);
	ck_assert_int_eq(tls->wire.out.verb, RT_NOTHING);
	ck_assert_int_eq(tls->until, 1200 + RT_MS);
	ck_assert_uint_eq(rt_tls_try(tls, &pair.plain, 1200 + RT_MS), 0);
	ck_assert_int_eq(tls->wire.out.verb, RT_SEND);
	ck_assert_int_eq(tls->until, 0);
	close_pair(&pair);
}
END_TEST

START_TEST(test_flush_fails)
{
	struct pair pair;

	open_pair(&pair, shared, &clients[_i]);
	ck_assert(shake(&pair));
	edit(&pair, (struct rt_wire_edit){.act = RT_WIRE_CUT});
	want_send(&pair, "hello", 5, true);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), 0);
	ck_assert_int_eq(pair.tls->wire.out.verb, RT_FLUSH);
	pair.tls->wire.out.result = -EPIPE;
	ck_assert_uint_eq(rt_tls_done(pair.tls, &pair.plain, RT_OUT_DONE), 0);
	ck_assert_uint_eq(rt_tls_try(pair.tls, &pair.plain, 0), RT_OUT_DONE);
	ck_assert_int_eq(pair.plain.out.result, -EPIPE);
	close_pair(&pair);
}
END_TEST

/* An alert in place of ServerHello, as one of OpenSSL's. */
START_TEST(test_alert)
{
	static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 40};
	struct pair pair;
	char *bytes = malloc(sizeof alert);

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, alert, sizeof alert);
	open_pair(&pair, shared, &clients[_i]);
	edit(&pair,
		(struct rt_wire_edit){.act = RT_WIRE_INSERT,
			.bytes = bytes,
			.size = sizeof alert});
	want_recv(&pair, sizeof pair.room);
	ERR_clear_error();
	(void)SSL_do_handshake(pair.client);
	(void)carry(&pair);
	ck_assert_int_eq(SSL_do_handshake(pair.client), -1);
	ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()),
		SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
	close_pair(&pair);
}
END_TEST

int
main(void)
{
	const int count = (int)(sizeof clients / sizeof *clients);
	Suite *suite = suite_create("tls faults");
	TCase *edits = tcase_create("edits");

	tcase_add_unchecked_fixture(edits, open_shared, close_shared);
	rt_test_case(suite, edits);
	tcase_add_loop_test(edits, test_cut_at_each_byte, 0, count);
	tcase_add_loop_test(edits, test_pause_at_each_byte, 0, count);
	tcase_add_loop_test(edits, test_corrupt_at_each_byte, 0, count);
	tcase_add_loop_test(edits, test_tell, 0, count);
	tcase_add_loop_test(edits, test_unanswered, 0, 2);
	tcase_add_loop_test(edits, test_reply_within_handshake, 0, 2);
	tcase_add_loop_test(edits, test_flush, 0, count);
	tcase_add_loop_test(edits, test_flush_fails, 0, count);
	tcase_add_loop_test(edits, test_alert, 0, count);
	return rt_test_run(suite);
}
