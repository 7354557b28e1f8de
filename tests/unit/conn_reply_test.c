/* SPDX-License-Identifier: MIT */
/*
 * How a connection sends a reply: its script, step by step, at once or after
 * a while. What the words of a play mean stands in conn_play.h.
 */
#include "config.h"

#include <check.h>

#include "unit/conn_play.h"

/* Text, four runs of bytes, a pause, a file, bytes: all but an ending. */
#define SCRIPT \
	"receive GET; want; asks answer;" \
	"reply text 'text' 'one' '2' 'three' 'four' pause 1ms file 48+10 "
#define SCRIPT_FIRST "textone2threefour"
#define SCRIPT_ALL SCRIPT_FIRST "0123456789"

/* Dropped is what comes after a send (of four pieces) that was not taken at
   once. */
#define IN_PARTS \
	"REPLY -/send 30ms; send by $; sent '" SCRIPT_FIRST "';" \
	"REPLY recv/- 1ms; expire; REPLY recv/file; send by $;" \
	"sent '" SCRIPT_ALL "'; script 27;"
#define IN_ONE_PIECE \
	"REPLY -/send 30ms; send by $; sent '" SCRIPT_FIRST "';" \
	"REPLY -/- 1ms; expire; REPLY recv/file; send by $;" \
	"sent '" SCRIPT_ALL "'; script 27;"
#define FINISHES "FINISH recv/finish; finish; DRAIN; receive FIN; OVER answered"

static const struct play scripts[] = {
	{"a script in parts, then a FIN",
		"$ from 1 to 12;" SCRIPT "close;" IN_PARTS FINISHES},
	{"a script in one piece, then a FIN",
		"$ from 13 to 28;" SCRIPT "close;" IN_ONE_PIECE FINISHES},
	{"a script in parts, then half a close",
		"$ from 1 to 12;" SCRIPT "half;" IN_PARTS FINISHES},
	{"a script in one piece, then half a close",
		"$ from 13 to 28;" SCRIPT "half;" IN_ONE_PIECE FINISHES},
	{"a script in parts, then a RST",
		"$ from 1 to 12;" SCRIPT "reset;" IN_PARTS
		"OVER answered reset"},
	{"a script in one piece, then a RST",
		"$ from 13 to 28;" SCRIPT "reset;" IN_ONE_PIECE
		"OVER answered reset"},
	{"a script in parts, then silence",
		"$ from 1 to 12;" SCRIPT "stall;" IN_PARTS
		"REPLY recv/- never"},
	{"a script in one piece, then silence",
		"$ from 13 to 28;" SCRIPT "stall;" IN_ONE_PIECE
		"REPLY recv/- never"},
	/* once a part, then all that can be taken */
	{"a script cut at every byte",
		"$ from 1 to 27;" SCRIPT "close; deliver $;"
		"sent '" SCRIPT_ALL "';" FINISHES},
	{"the FIN goes with the last bytes",
		"receive GET; want; reply 'abc' close; send all; sent 'abc';"
		"OVER answered"},
	{"the FIN goes with the last bytes, and some are unread",
		"receive GET 'garbage'; want; reply 'abc' close; send all;"
		"sent 'abc'; DRAIN recv/-; receive FIN; OVER answered"},
	{"half a close goes with the last bytes",
		"receive GET; want; reply 'abc' half; send all; sent 'abc';"
		"DRAIN recv/- never; receive FIN; OVER answered"},
	/* what the client sends meanwhile must not destroy its tail */
	{"a reply that took time is drained",
		"receive GET; want; reply '0123456789' close; REPLY -/send;"
		"send 4; REPLY recv/send; receive GET; send 6; finish; DRAIN;"
		"receive GET; receive FIN; OVER answered; sent '0123456789'"},
	/* garbage after the request, so that the FIN is seen */
	{"a half-closed client is answered in full",
		"receive GET 'garbage'; want;"
		"reply text 'text' 'one' '2' 'three' 'four' pause 1ms"
		" file 48+10 close; send 2; receive FIN; REPLY -/send;"
		"deliver by 1; sent '" SCRIPT_ALL "'; finish; OVER answered"},
	{"the client resets while it is answered",
		"receive GET 'garbage'; want; answer; send 2;"
		"receive ECONNRESET; OVER reset"},
};

#define ONE_BY_ONE(more) "3 times (" more "; send 1);"

static const struct play following[] = {
	{"more is said before a FIN",
		"receive GET; want; reply 'abc' close;" ONE_BY_ONE(
			"more") "FINISH"},
	{"more is said before half a close",
		"receive GET; want; reply 'abc' half;" ONE_BY_ONE(
			"more") "FINISH"},
	{"more is said before a file",
		"receive GET; want; reply 'abc' file 0+1 close;" ONE_BY_ONE(
			"more") "REPLY recv/file"},
	{"no more is said before a pause",
		"receive GET; want; reply 'abc' pause 0ms close;" ONE_BY_ONE(
			"no-more") "REPLY recv/-"},
	{"no more is said before silence",
		"receive GET; want; reply 'abc' stall;" ONE_BY_ONE(
			"no-more") "REPLY recv/-"},
	{"no more is said before a RST",
		"receive GET; want; reply 'abc' reset;" ONE_BY_ONE(
			"no-more") "OVER answered reset"},
};

static const struct play writes[] = {
	{"a write has its time as long as there is no progress",
		"receive GET; want; answer; REPLY -/send 30ms;"
		"5 times (pass 30ms-1; send 1; REPLY recv/send 30ms); expire;"
		"OVER timed-out reset; sent first 5 of ANSWER"},
	{"a write may have no time-out",
		"open write=never body=never; receive POST5; want 5;"
		"BODY recv/- never; receive 'abcde'; answer;"
		"REPLY -/send never"},
	{"a write fails", "receive GET; want; answer; send EPIPE; OVER reset"},
	{"a file has become empty",
		"receive GET; want; reply file 0+10 close; file 0+10;"
		"send nothing; FINISH; finish; DRAIN; receive FIN;"
		"OVER truncated; sent ''"},
	{"a file has become shorter",
		"$ from 1 to 2;"
		"receive GET; want; reply file 48+10 close; send $;"
		"REPLY recv/file; send nothing; FINISH; finish; DRAIN;"
		"receive FIN; OVER truncated; sent first $ of '01'"},
};

static const struct play stalls[] = {
	{"silence ends when the client leaves",
		"receive GET; want; reply stall; REPLY recv/- never;"
		"receive 'garbage'; REPLY recv/- never; receive FIN;"
		"OVER reset"},
	{"silence may be deaf",
		"receive GET; want; reply deaf 'a' stall; send;"
		"REPLY -/- never; watched"},
	{"silence that is deaf ends when the client leaves",
		"receive GET; want; reply deaf 'a' stall; send; leave;"
		"OVER reset; closes FIN/FIN first"},
	{"silence that listens is not watched",
		"receive GET; want; reply 'a' stall; send;"
		"REPLY recv/- never; no-watched"},
};

#define AWAITS(end) \
	"open keep; receive GET; want; reply 'a' await " end "; send;" \
	"REPLY recv/- 40ms;"

static const struct play awaits[] = {
	{"the end comes with the next byte",
		AWAITS("close") "pass 39ms; receive 'G'; FINISH recv/finish;"
				"finish; DRAIN recv/-; receive FIN;"
				"OVER answered; closes FIN/FIN; sent 'a'"},
	{"a reset comes with the next byte",
		AWAITS("flush reset") "receive 'G'; flush; OVER answered reset"},
	{"the next byte is there already",
		"open keep; receive GET 'G'; want; reply 'a' await close; send;"
		"FINISH recv/finish"},
	{"it comes while the reply is sent",
		"open keep; receive GET; want; reply 'a' pause 5ms 'b' await "
		"close; send; expire; send; REPLY recv/- 40ms; receive 'G';"
		"FINISH"},
	{"or it does not come", AWAITS("close") "expire; FINISH"},
	{"or the client leaves",
		AWAITS("close") "receive FIN; FINISH -/finish; finish;"
				"OVER answered; closes FIN/FIN first"},
	{"or resets", AWAITS("close") "receive ECONNRESET; OVER reset"},
	{"an idle client has the time of its last reply",
		"open keep idle=7ms; receive GET; want; reply 'a' await close;"
		"send; REPLY recv/- 7ms"},
	{"or any time",
		"open keep idle=never; receive GET; want; reply 'a' await "
		"close; send; REPLY recv/- never"},
};

#define OPEN "receive GET; want; reply 'a' more 'z' close; sends 'a'; no-more;"

static const struct play open[] = {
	{"an open reply asks for more",
		OPEN "send; asks more; give 'bc'; REPLY recv/send 30ms;"
		     "sends 'bc'; no-more; send 1; sends 'c'; send; asks more;"
		     "give; REPLY recv/- never"},
	{"what was pushed wakes it",
		OPEN "send; asks more; give; pass 1000ms; pushed; asks more;"
		     "give 'b'; send; asks more; give 'c' last; send;"
		     "sends 'z'; send; finish; DRAIN; receive FIN;"
		     "OVER answered; sent 'abcz'"},
	{"what was pushed while it sends changes nothing",
		OPEN "pushed; REPLY -/send 30ms; send; asks more; give 'b';"
		     "pushed; REPLY recv/send 30ms; sends 'b'"},
	{"it ends without another byte",
		OPEN "send; asks more; give; pushed; give last; sends 'z';"
		     "deliver; sent 'az'"},
	{"it may be paced",
		"receive GET; want; reply pace=2 gap=5ms 'abc' more close;"
		"send; flush; REPLY -/- 5ms; expire; send; asks more;"
		"give 'defg'; sends 'd'; send; flush; expire; sends 'ef';"
		"send; flush; expire; sends 'g'; send; asks more; give last;"
		"finish; sent 'abcdefg'"},
	{"a client that takes nothing has had its time",
		OPEN "send; asks more; give 'b'; expire; OVER timed-out reset"},
	{"it ends when its client leaves",
		OPEN "send; asks more; give; receive FIN; OVER reset"},
	{"it ends when it is reset",
		OPEN "send; asks more; give; break; OVER reset"},
	{"it is stopped as in a pause",
		OPEN "send; asks more; give; stop enough; REPLY recv/- never;"
		     "stop told; OVER stopped"},
};

/* Odd periods, one that begins in its middle, and others between. */
#define REPEATING \
	"receive GET; want; reply text '<' repeat 'abc' from 2 size 20 '|'" \
	" repeat '01234' size 3 repeat 'x' size 7 pause 1ms" \
	" repeat '01234' from 4 size 6 close;"
#define REPEATED \
	"sent '<cabcabcabcabcabcabca|012xxxxxxx401234'; script 38;" \
	"finish; DRAIN; receive FIN; OVER answered"

static const struct play repeated[] = {
	{"repeated bytes, so many at once",
		"$ from 1 to 39;" REPEATING "deliver by $;" REPEATED},
	{"repeated bytes, so many first",
		"$ from 1 to 38;" REPEATING "deliver $;" REPEATED},
};

#define IN_SEGMENTS \
	"receive GET; want; reply pace=2 gap=3ms 'a' 'bcd'" \
	" repeat 'xyz' size 2 close;"

static const struct play segments[] = {
	/* nothing is kept back to be joined; what ends them needs none of its
	   own */
	{"segments leave on their own",
		IN_SEGMENTS
		"no-more; send; sent 'ab'; flush EAGAIN;"
		"REPLY -/- 1ms; expire; flush; REPLY -/- 3ms; expire;"
		"no-more; send; sent 'abcd'; flush EAGAIN; REPLY recv/- 1ms;"
		"expire; flush; REPLY recv/- 3ms; expire; no-more; send;"
		"sent 'abcdxy'; FINISH recv/finish"},
	{"segments leave byte by byte",
		IN_SEGMENTS
		"2 times (no-more; send 1; REPLY recv/send;"
		"no-more; send 1; flush EAGAIN; REPLY recv/- 1ms; expire;"
		"flush; REPLY recv/- 3ms; expire); no-more; send 1; no-more;"
		"send 1; sent 'abcdxy'; FINISH recv/finish"},
	{"segments without a gap",
		"receive GET; want; reply pace=1 'abc' reset;"
		"2 times (send 1; flush; REPLY -/send); send 1;"
		"OVER answered reset; sent 'abc'"},
	{"segments of a file",
		"receive GET; want; reply pace=3 file 97+7 close;"
		"file 97+3; send; flush; file 100+3; send; flush; file 103+1;"
		"send; FINISH -/finish; sent 'abcdefg'"},
	/* nothing is sent before all has left */
	{"a flush is a step",
		"receive GET; want; reply 'ab' flush 'c' flush reset;"
		"no-more; send; sent 'ab';"
		"3 times (REPLY -/flush; flush EAGAIN; REPLY -/- 1ms; expire);"
		"flush; sends 'c'; send; flush; OVER answered reset;"
		"sent 'abc'"},
	/* who takes nothing is not waited for longer than otherwise */
	{"a flush has its time",
		"receive GET; want; reply 'ab' flush 'cd' close; send;"
		"29 times (flush EAGAIN; REPLY -/- 1ms; expire);"
		"flush EAGAIN; expire; OVER timed-out reset"},
	{"a segment has its time to leave",
		"receive GET; want; reply pace=2 'ab' 'cd' close; send;"
		"29 times (flush EAGAIN; REPLY -/- 1ms; expire);"
		"flush EAGAIN; expire; OVER timed-out reset"},
	{"a flush goes on when its client takes some",
		"receive GET; want; reply 'ab' flush 'cd' close; send;"
		"29 times (flush EAGAIN; REPLY -/- 1ms; expire);"
		"flush EAGAIN; pass 1ms; took 10ms;"
		"20 times (REPLY -/-; expire; flush EAGAIN);"
		"expire; OVER timed-out reset"},
	{"a flush that a late server has not seen",
		"receive GET; want; reply 'ab' flush 'cd' close; send;"
		"flush EAGAIN; pass 40ms; wake; REPLY -/flush; flush;"
		"sends 'cd'"},
	{"a flush that a late server does not see either",
		"receive GET; want; reply 'ab' flush 'cd' close; send;"
		"flush EAGAIN; pass 40ms; wake; flush EAGAIN; expire;"
		"OVER timed-out reset"},
	{"a flush may have no time-out",
		"open write=never; receive GET; want;"
		"reply 'ab' flush close; send;"
		"99 times (flush EAGAIN; REPLY -/- 1ms; expire)"},
};

#define DEFERRED "receive GET; want; asks answer; defer 7ms; WAIT -/- 7ms;"
#define AFTER_A_WHILE DEFERRED "expire; asks answer;"

static const struct play deferred[] = {
	/* its turn may come again at once, or later than any time-out; the
	   time to take the answer begins with it */
	{"an answer that is late waits for time alone",
		"receive GET; want; 5 times (defer 0ms; WAIT -/- 0ms; expire;"
		"asks answer; defer 30ms; WAIT -/- 30ms; expire; asks answer;"
		"defer 60ms; WAIT -/- 60ms; expire; asks answer;"
		"defer 90ms; WAIT -/- 90ms; expire; asks answer); sent '';"
		"answer; REPLY recv/send 30ms; deliver; sent ANSWER;"
		/* it took time: what came meanwhile must not harm it */
		"finish; DRAIN recv/-; receive 'more'; receive FIN;"
		"OVER answered"},
	/* until its owner says so, which is as if the time had come */
	{"an answer that is late may have no time",
		"receive GET; want;"
		"3 times (defer never; WAIT -/- never; pass 10000ms; wake;"
		"asks answer); answer; REPLY recv/send 30ms; deliver;"
		"sent ANSWER"},
	{"an answer that is late is there",
		"receive GET; want; defer never; WAIT -/- never; replied;"
		"asks send; answer; deliver; sent ANSWER; finish; DRAIN"},
	{"a greeting that is late is there",
		"greet; defer never; WAIT -/- never; wake; asks greet;"
		"defer never; replied; asks send; greeting;"
		"reply 'hello' next; send; sent 'hello'; IDLE; no-greeting"},
	{"an answer that is late keeps the request",
		"receive POST5 'abcdeGARBAGE'; want 5 keep;"
		"3 times (defer 7ms; WAIT -/- 7ms; expire; asks answer;"
		"kept POST5 'abcde')"},
	/* a client that sends no more may wait for its reply all the same: its
	   FIN has come by now, and is not looked at */
	{"a FIN does not end an answer that is late",
		AFTER_A_WHILE
		"defer 7ms; WAIT -/- 7ms; expire; answer;"
		"REPLY recv/send; receive FIN; REPLY -/send; deliver;"
		"sent ANSWER; finish; OVER answered"},
	{"a reset shows when an answer that is late is sent",
		AFTER_A_WHILE
		"answer; receive ECONNRESET; OVER reset; sent ''"},
	{"an answer that is late cannot be made",
		AFTER_A_WHILE "fail; OVER failed"},
	{"an answer that is late drops an invitation",
		"receive EXPECT; want 5; receive 'abcde';"
		"defer 0ms; WAIT -/- 0ms; expire; defer 7ms; WAIT -/- 7ms;"
		"expire; asks answer; sent ''; answer; deliver; sent ANSWER;"
		"script 43"},
	{"an answer that is late finishes an invitation",
		"$ from 1 to 24; receive EXPECT; want 5; send $;"
		"receive 'abcde'; defer 0ms; WAIT -/- 0ms; expire; defer 7ms;"
		"WAIT -/- 7ms; expire; asks answer; sent first $ of CONTINUE;"
		"answer; deliver; sent CONTINUE ANSWER; script 43"},
	/* a stop that was told leaves it time; the answer made then is the
	   last, but a drain has no time to lose */
	{"an answer that is late outlives a stop",
		DEFERRED
		"stop told; WAIT -/- 7ms; expire; asks answer;"
		"defer 7ms; WAIT -/- 7ms; expire; stop told; asks answer;"
		"answer; stop enough; stop told; deliver; sent ANSWER; finish;"
		"DRAIN; stop told; OVER answered"},
	/* when enough replies were begun, it is one too many */
	{"an answer that is late is not among the last",
		"receive GET; want; defer never; stop enough; OVER stopped"},
};

/* More than 32 bits count, taken in odd amounts. */
START_TEST(repeated_bytes_without_end)
{
	static char period[65521];
	const uint64_t size = (UINT64_C(1) << 33) + 12345;
	struct hand hand;
	struct rt_op *op = &hand.conn.chan.out;
	uint64_t at = 0;

	for (size_t i = 0; i < sizeof period; i++)
		period[i] = (char)(i % 251);
	hand_open(&hand);
	play(&hand, "receive GET; want");
	rt_reply_reset(&hand.buffers->reply);
	rt_reply_step(&hand.buffers->reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = period,
			.at = sizeof period,
			.from = 17,
			.size = size});
	rt_reply_step(&hand.buffers->reply,
		(struct rt_step){.kind = RT_STEP_CLOSE});
	rt_conn_answer(&hand.conn, hand.now);
	while (op->verb == RT_SEND) {
		uint64_t planned = 0;

		for (int i = 0; i < op->send.count; i++) {
			const struct iovec *piece = op->send.pieces + i;

			if (!rt_test_thin()) {
				ck_assert_ptr_eq(piece->iov_base,
					period +
						(17 + at + planned) %
							sizeof period);
				ck_assert_uint_gt(piece->iov_len, 0);
			}
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
	play(&hand, "FINISH");
	hand_close(&hand);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conn_reply");
	TCase *tcase = tcase_create("script");

	add_plays(tcase, scripts, COUNT(scripts));
	add_plays(tcase, following, COUNT(following));
	add_plays(tcase, writes, COUNT(writes));
	add_plays(tcase, stalls, COUNT(stalls));
	add_plays(tcase, awaits, COUNT(awaits));
	add_plays(tcase, open, COUNT(open));
	rt_test_case(suite, tcase);

	tcase = tcase_create("repeated");
	add_plays(tcase, repeated, COUNT(repeated));
	tcase_add_test(tcase, repeated_bytes_without_end);
	rt_test_case(suite, tcase);

	tcase = tcase_create("segments");
	add_plays(tcase, segments, COUNT(segments));
	rt_test_case(suite, tcase);

	tcase = tcase_create("late");
	add_plays(tcase, deferred, COUNT(deferred));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
