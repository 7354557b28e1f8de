/* SPDX-License-Identifier: MIT */
/*
 * How a connection takes a request: the upper half of the diagram in conn.h.
 * The words of a play are explained in conn_play.h.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/conn_play.h"

static const struct play idle[] = {
	{"buffers come and go",
		"IDLE recv/- 10ms; unlend;"
		"3 times (lend; IDLE recv/- 10ms; unlend; IDLE); unlend"},
	{"a client that leaves is gone", "receive FIN; OVER closed"},
	{"a reset ends it", "receive ECONNRESET; OVER reset"},
	{"a silent client is closed without a 408", "expire; OVER timed-out"},
	{"a time-out of the head can be switched off",
		"open head=never; IDLE recv/- never;"
		"receive 'G'; HEAD recv/- never"},
	/* a maximum of nothing is as good as no memory */
	{"no memory to receive", "open max=0; lend ENOMEM; OVER failed"},
	{"no way to be made for it",
		"receive GET; asks route; fail; OVER failed"},
	{"no answer can be made",
		"receive GET; want; asks answer; fail; OVER failed"},
};

static const struct play head[] = {
	{"a head that is wrong is refused at its end",
		"receive 'GET / HTTP/1.1\r\n\r\n'; refused 400 'no Host field'"},
	{"a head that is wrong is refused in its first line",
		"receive 'GET / HTTP/7.1\r';"
		"refused 505 'only HTTP/1.0 and HTTP/1.1 are served'"},
	/* nothing can come any more: no drain */
	{"a head cut short by a FIN is answered",
		"receive 'GET / HT'; receive FIN;"
		"refused 400 'incomplete request'; finish; OVER answered"},
	{"a head cut short by a reset is not",
		"receive 'GET / HT'; receive ECONNRESET; OVER reset"},
	{"of a head that is wrong more is seen, to its end",
		"receive 'GET / HTTP/1.1\r\n\r\nab'; see-more; asks 400;"
		"see-more; HEAD recv/- 10ms; receive 'c'; asks 400; see-more;"
		"receive FIN; all-seen;"
		"kept 'GET / HTTP/1.1\r\n\r\nabc'; body '';"
		"refused 400 'no Host field'; finish; OVER answered"},
	{"of a head that is wrong more is seen, in its time",
		"receive 'GET / HTTP/1.1\r\n\r\n'; see-more; pass 9ms;"
		"HEAD recv/- 1ms; expire; all-seen;"
		"refused 400 'no Host field'"},
	{"of a head that is wrong no more is seen than there is room for",
		"open max=64; receive 'GET / HTTP/1.1\r\n\r\n'; see-more;"
		"receive 46*'x'; asks 400; all-seen"},
	{"a head has one deadline",
		"receive 'G'; pass 5ms; receive 'E'; HEAD recv/- 5ms; expire;"
		"refused 408 'the head took too long'"},
};

static const struct play body[] = {
	{"a body that came with the head is dropped",
		"receive POST5 'abcdeGARBAGE'; want 5; asks answer;"
		"kept POST5"},
	{"a body that came with the head is kept",
		"receive POST5 'abcdeGARBAGE'; want 5 keep; asks answer;"
		"kept POST5 'abcde'"},
	{"a body that is wrong is refused",
		"receive CHUNKED; want 100; receive '2\r\nabX';"
		"refused 400 'malformed chunk'"},
	{"after a body that is wrong more is seen",
		"receive CHUNKED; want 100 keep; receive '2\r\nabX'; see-more;"
		"asks 400; see-more; BODY recv/-; receive 'yz'; asks 400;"
		"see-more; kept CHUNKED '2\r\nabXyz'; expire; all-seen;"
		"kept CHUNKED '2\r\nabXyz'; refused 400 'malformed chunk'"},
	{"a body cut short by a FIN is answered",
		"receive POST5; want 100; receive 'abcd'; receive FIN;"
		"refused 400 'incomplete request'"},
	{"a body cut short by a reset is not",
		"receive POST5; want 100; receive ECONNRESET; OVER reset"},
	{"a body has its time",
		"receive POST5; want 100; receive 'ab'; expire;"
		"refused 408 'the body took too long'"},
	/* and no 100 (Continue) invites it */
	{"a body is too large by its length",
		"receive EXPECT; want 4; refused 413 'the body is too large'"},
	{"a body is as large as it may be",
		"receive POST5; want 5; BODY; receive 'abcde'; asks answer"},
	{"a body is too large by its chunks",
		"receive CHUNKED; want 5;"
		"receive '3\r\nabc\r\n2\r\nde\r\n1\r\n'; BODY; receive 'f';"
		"refused 413 'the body is too large'"},
	/* however it was cut on its way */
	{"a body is kept in part",
		"receive POST5; want keep 3; receive 'hello'; asks answer;"
		"body 'hel'; kept POST5 'hel'"},
	{"a body is kept in part, whatever comes first",
		"receive POST5; want keep 3; drip 'hello'; asks answer;"
		"body 'hel'; kept POST5 'hel'"},
	{"a body in chunks is kept in part",
		"receive CHUNKED; want keep 3; receive '2\r\nhe\r\n3\r\nllo\r\n'"
		"'0\r\n\r\n'; asks answer; body 'hel'"},
	{"a body in many chunks is kept in part",
		"receive CHUNKED; want keep 3; drip '2\r\nhe\r\n3\r\nllo\r\n'"
		"'0\r\n\r\n'; asks answer; body 'hel'"},
	/* framing may be larger than the body */
	{"what is not kept costs nothing",
		"receive CHUNKED; want keep; drip 47662*'000001\r\nx\r\n';"
		"BODY; body 4096*'x'"},
	{"what comes at once and is not kept costs nothing",
		"receive CHUNKED; want keep; offer 47662*'000001\r\nx\r\n';"
		"BODY; body 4096*'x'"},
	{"the body so far",
		"receive POST5; want 100 keep; body ''; receive 'he';"
		"body 'he'; receive FIN; body 'he';"
		"refused 400 'incomplete request'"},
	{"the content so far",
		"receive CHUNKED '3\r\nhel\r\n5\r\nl'; want 100 keep;"
		"body 'hell'; receive 'zzzz\r\nnot a size\r\n';"
		"body 'hellzzzz'; refused 400 'malformed chunk size'"},
	/* neither of it, nor of what follows */
	{"a body that was dropped is not there",
		"receive POST5 'helloGET / HTTP/1.1\r\n'; want 100;"
		"asks answer; body ''"},
	{"the content that was dropped is not there",
		"receive CHUNKED '5\r\nhello\r\n0\r\n\r\nGET /'; want 100;"
		"asks answer; body ''"},
	{"a body is forgotten with its connection",
		"3 times (open; receive CHUNKED; body ''; want 100 keep;"
		"receive '1\r\nx\r\n0\r\n\r\n'; body 'x')"},
};

static const struct play continues[] = {
	{"a body that is expected is invited",
		"$ from 1 to 25;"
		"receive EXPECT; want 5; BODY recv/send 20ms; no-more;"
		"send by $; sent CONTINUE; BODY recv/- 20ms; receive 'abcde';"
		"asks answer; answer; deliver; sent CONTINUE ANSWER; script 43"},
	{"a body that came along is not",
		"receive EXPECT 'a'; want 5; BODY recv/-"},
	{"an invitation that was not begun is dropped",
		"receive EXPECT; want 5; receive 'abcde'; asks answer;"
		"answer; deliver; sent ANSWER"},
	{"an invitation that was begun is finished",
		"$ from 1 to 24;"
		"receive EXPECT; want 5; send $; BODY recv/send;"
		"receive 'abcde'; answer; send by 7; sent CONTINUE ANSWER"},
	/* as nobody sends a body either, it is too late for that */
	{"an invitation that is not taken has its time",
		"receive EXPECT; want 5; send 3; expire; asks 408;"
		/* the write's time-out, not the pause's end */
		"reply pause 1ms close; REPLY recv/send 30ms; expire;"
		"OVER timed-out reset"},
	{"an invitation that cannot be sent",
		"receive EXPECT; want 5; send EPIPE; OVER reset"},
};

/* As a fault has it. */
#define SLOWLY "receive POST5; read pace=2 gap=3ms; want keep;"
#define SLOW_PIECE "BODY -/- 3ms; expire; BODY recv/- 20ms; room 2;"
#define LATE(reading) \
	"receive EXPECT; read delay=7ms " reading "; want keep;" \
	"BODY recv/- 7ms; expire; send 25; sent CONTINUE;" \
	"BODY recv/- 20ms; receive 'hello'; asks answer"

static const struct play reading[] = {
	{"a body is read slowly",
		SLOWLY SLOW_PIECE "receive 'he';" SLOW_PIECE
				  "receive 'll';" SLOW_PIECE
				  "receive 'o'; asks answer"},
	{"who sends nothing then is too slow",
		SLOWLY "expire; expire; refused 408 'the body took too long'"},
	{"a body that is there is not waited for",
		"receive POST5 'hello'; read pace=2 gap=3ms; want keep;"
		"asks answer"},
	{"a body that there is not is not waited for",
		"receive GET; read pace=2 gap=3ms; want keep; asks answer"},
	{"reading stops in what came with the head",
		"$ from 0 to 4;"
		"receive POST5 'hello'; read stop=$; want keep; asks halt"},
	{"reading stops in what comes",
		"$ from 1 to 4;"
		"receive POST5; read stop=$; want keep; offer 'hello';"
		"taken $; asks halt"},
	{"reading stops in what comes one by one",
		"$ from 1 to 4;"
		"receive POST5; read stop=$; want keep; drip 'hello';"
		"taken $; asks halt"},
	{"no more is read than up to where reading stops",
		"receive POST5; read stop=4; want keep; room 4; receive 'h';"
		"room 3; receive 'el'; room 1; receive 'l'; asks halt"},
	{"reading stops before the body",
		"receive POST5; read stop=0; want keep; asks halt"},
	{"a body that came with the head ends before reading does",
		"$ from 5 to 6;"
		"receive POST5 'hello'; read stop=$; want keep; asks answer"},
	{"a body ends before reading does",
		"$ from 5 to 6;"
		"receive POST5; read stop=$; want keep; BODY recv/-;"
		"room $; receive 'hello'; asks answer"},
	{"a body that comes one by one ends before reading does",
		"$ from 5 to 6;"
		"receive POST5; read stop=$; want keep; drip 'hello';"
		"taken 5; asks answer"},
	{"reading stops in chunks",
		"$ from 1 to 14;"
		"receive CHUNKED; read stop=$; want keep;"
		"offer '5\r\nhello\r\n0\r\n\r\n'; taken $; asks halt"},
	{"reading stops before chunks",
		"receive CHUNKED; read stop=0; want keep; asks halt"},
	{"without a body there is nothing to stop at",
		"receive GET; read stop=0; want keep; asks answer"},
	{"an early answer has its part of the body",
		"$ from 0 to 4;"
		"receive POST5 'helloGARBAGE'; read early=$; want keep;"
		"asks answer; no-complete; body first $ of 'hello'; answer; deliver; sent ANSWER"},
	{"an early answer has it one by one",
		"$ from 1 to 4;"
		"receive POST5; read early=$; want keep; room $; drip 'hello';"
		"taken $; asks answer; no-complete; body first $ of 'hello'"},
	{"an early answer to a body that ends before",
		"$ from 5 to 6;"
		"receive POST5 'hello'; read early=$; want keep; asks answer;"
		"complete"},
	{"an early answer in chunks",
		"$ from 0 to 14;"
		"receive CHUNKED; read early=$; want keep;"
		"offer '5\r\nhello\r\n0\r\n\r\n'; asks answer; no-complete"},
	{"an early answer needs no invitation",
		"receive EXPECT; read early=0; want keep; asks answer;"
		"answer; deliver; sent ANSWER"},
	{"an early answer in a body that is too large",
		"receive POST5; read early=0; want 4; asks answer"},
	{"who was asked early may want it all",
		"$ from 0 to 4;"
		"receive POST5 'hello'; read early=$; want keep; asks answer;"
		"no-complete; read-on; asks answer; complete; body 'hello'"},
	/* they are there until they were told, and kept no longer */
	{"somebody is told of a body",
		"open tells; receive POST5; want keep 1; BODY recv/-;"
		"receive 'he'; asks tell; kept POST5 'h'; told; BODY recv/-;"
		"receive 'l'; asks tell; told; receive 'lo'; asks answer;"
		"body 'h'; complete"},
	{"and of what has come with the head",
		"open tells; receive POST5 'he'; want keep; asks tell; told;"
		"BODY recv/-; receive 'llo'; asks answer; body 'hello'"},
	{"but not of a part that is shown first",
		"open tells; receive POST5; read early=3; want keep;"
		"receive 'he'; asks tell; told; receive 'l'; asks answer;"
		"read-on; receive 'l'; asks tell; told; receive 'o';"
		"asks answer; body 'hello'"},
	{"and may be read slowly",
		"open tells; receive POST5; read pace=2 gap=5ms; want keep;"
		"expire; receive 'he'; asks tell; told; BODY -/- 5ms; expire;"
		"receive 'll'; asks tell; told; expire; receive 'o';"
		"asks answer"},
	{"who was asked early may want to be asked early again",
		"receive POST5 'he'; read early=1; want keep; asks answer;"
		"body 'h'; read-on 3; BODY recv/- 20ms; receive 'l';"
		"asks answer; body 'hel'; no-complete; read-on; receive 'lo';"
		"asks answer; body 'hello'; complete"},
	{"or has as much at once",
		"receive POST5 'hello'; read early=1; want keep; asks answer;"
		"body 'h'; read-on 4; asks answer; body 'hell'; read-on 9;"
		"asks answer; body 'hello'; complete"},
	{"who was asked early may want what comes",
		"$ from 1 to 4;"
		"receive POST5; read early=$; want keep; receive first $ of"
		"'hello'; asks answer; read-on; BODY recv/- 20ms;"
		"receive 'hello'; asks answer; complete"},
	{"who wants the body invites it",
		"receive EXPECT; read early=0; want keep; asks answer; read-on;"
		"BODY recv/send 20ms; send 25; sent CONTINUE; receive 'hello';"
		"asks answer; body 'hello'"},
	{"who wants the body may find it too large",
		"receive POST5; read early=0; want 4; asks answer; read-on;"
		"refused 413 'the body is too large'"},
	{"and may then see more of it",
		"receive POST5; read early=0; want 1 keep; asks answer;"
		"read-on 2; receive 'he'; asks 413; see-more; asks 413;"
		"see-more; receive 'llo'; asks 413; see-more;"
		"kept POST5 'hello'"},
	{"a body is invited twice",
		"receive EXPECT; read twice; want keep; BODY recv/send 20ms;"
		"send by 7; sent CONTINUE CONTINUE; receive 'hello';"
		"asks answer"},
	{"a second invitation that was not begun is dropped",
		"receive EXPECT; read twice; want keep; send 25;"
		"receive 'hello'; answer; deliver; sent CONTINUE ANSWER"},
	{"a body is never invited",
		"receive EXPECT; read delay=never; want keep;"
		"BODY recv/- 20ms; receive 'hello'; asks answer;"
		"answer; deliver; sent ANSWER"},
	{"a body that is never invited has its time",
		"receive EXPECT; read delay=never; want keep; expire;"
		"refused 408 'the body took too long'"},
	{"a body is invited late", LATE("")},
	{"a body is invited late and read slowly", LATE("pace=5 gap=3ms")},
	{"a body is invited late and not read to its end", LATE("stop=9")},
	{"who does not wait for an invitation is served",
		"receive EXPECT; read delay=7ms; want keep; BODY recv/-;"
		"receive 'hello'; asks answer"},
	{"who expects none gets none",
		"receive POST5; read delay=7ms; want keep; BODY recv/- 20ms"},
	/* the next connection's request is read as usual */
	{"readings are forgotten",
		"receive POST5; read stop=0 pace=1 gap=1ms delay=never;"
		"want keep; abandon; unlend; open; receive EXPECT; want;"
		"send 25; BODY recv/-; receive 'hello'; asks answer"},
};

START_TEST(a_head_has_one_deadline_byte_by_byte)
{
	struct hand hand;

	hand_open(&hand);
	for (size_t i = 0; i < strlen(GET); i++) {
		int64_t left = HEAD_TIMEOUT - (int64_t)i * MS / 10;

		play(&hand, i == 0 ? "IDLE recv/-" : "HEAD recv/-");
		ck_assert_int_eq(hand.conn.chan.deadline - hand.now, left);
		ck_assert_uint_eq(give(&hand, &GET[i], 1), 1);
		play(&hand, "pass 100us");
	}
	ck_assert_int_eq(hand.conn.state, RT_STATE_BODY);
	play(&hand, "received 27; want 0; asks answer");
	hand_close(&hand);
}
END_TEST

START_TEST(each_byte_of_a_body_is_progress)
{
	static const char text[] = POST_CHUNKED "3\r\nabc\r\n2;x\r\nde\r\n"
						"0\r\nA: b\r\n\r\n";
	struct hand hand;

	hand_open(&hand);
	play(&hand, "receive CHUNKED; want 5 keep");
	for (size_t i = strlen(POST_CHUNKED); i < sizeof text - 1; i++) {
		play(&hand, "BODY recv/- 20ms; pass 20ms-1");
		ck_assert_uint_eq(give(&hand, text + i, 1), 1);
	}
	play(&hand, "asks answer");
	assert_bytes(hand.buffers->in.data, hand.buffers->parsed, text,
		sizeof text - 1);
	hand_close(&hand);
}
END_TEST

START_TEST(a_large_body_is_dropped_in_little_memory)
{
	const size_t size = under_valgrind() ? 4u << 20 : 64u << 20;
	static char piece[100000];
	struct hand hand;
	char line[100];

	memset(piece, 'x', sizeof piece);
	for (int chunked = 0; chunked < 2; chunked++) {
		hand_open(&hand);
		(void)snprintf(line, sizeof line,
			POST("Content-Length: %zu\r\n"), size);
		give_text(&hand, chunked ? POST_CHUNKED : line);
		play(&hand, "want");
		for (size_t left = size; left > 0;) {
			size_t n = left < sizeof piece ? left : sizeof piece;

			if (chunked) {
				(void)snprintf(line, sizeof line, "%zx\r\n", n);
				give_text(&hand, line);
			}
			play(&hand, "BODY");
			ck_assert_uint_eq(give(&hand, piece, n), n);
			if (chunked)
				give_text(&hand, "\r\n");
			left -= n;
		}
		if (chunked)
			give_text(&hand, "0\r\n\r\n");
		play(&hand, "asks answer");
		ck_assert_uint_ge(hand.conn.received, size);
		ck_assert_uint_eq(
			rt_http_request(hand.buffers->http)->body_size, size);
		hand_close(&hand);
	}
}
END_TEST

/* Cut everywhere; what follows it is none of it. */
START_TEST(a_body_that_is_kept_is_there)
{
	static const char *const texts[] = {
		POST_5 "helloGET / HTTP/1.1\r\n",
		POST_CHUNKED "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: u\r\n\r\n"
			     "GET / HTTP/1.1\r\n",
	};
	const char *text = texts[_i];
	const size_t size = strlen(text);
	const size_t head_size = (size_t)(strstr(text, "\r\n\r\n") + 4 - text);

	for (size_t cut = 1; cut < size; cut++) {
		struct hand hand;
		size_t given;

		hand_open(&hand);
		given = give(&hand, text, cut);
		if (cut < head_size) {
			play(&hand, "HEAD recv/-; body ''");
			given += give(&hand, text + given, size - given);
		}
		play(&hand, "asks route; body ''; want 100 keep");
		(void)give(&hand, text + given, size - given);
		play(&hand, "asks answer; body 'hello'");
		hand_close(&hand);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conn_request");
	TCase *tcase = tcase_create("idle");

	add_plays(tcase, idle, COUNT(idle));
	rt_test_case(suite, tcase);

	tcase = tcase_create("head");
	add_plays(tcase, head, COUNT(head));
	tcase_add_test(tcase, a_head_has_one_deadline_byte_by_byte);
	rt_test_case(suite, tcase);

	tcase = tcase_create("body");
	add_plays(tcase, body, COUNT(body));
	tcase_add_test(tcase, each_byte_of_a_body_is_progress);
	tcase_add_loop_test(tcase, a_body_that_is_kept_is_there, 0, 2);
	tcase_add_test(tcase, a_large_body_is_dropped_in_little_memory);
	rt_test_case(suite, tcase);

	tcase = tcase_create("continue");
	add_plays(tcase, continues, COUNT(continues));
	rt_test_case(suite, tcase);

	tcase = tcase_create("reading");
	add_plays(tcase, reading, COUNT(reading));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
