/* SPDX-License-Identifier: MIT */
/*
 * A connection without HTTP: pieces, greetings and datagrams. What the words
 * of a play mean stands in conn_play.h.
 */
#include "config.h"

#include <check.h>

#include "unit/conn_play.h"

#define PIECE (64u << 10)

static const struct play pieces[] = {
	/* what was the first is none of the second; between them it needs no
	   buffers */
	{"a piece is a request",
		"open tcp; IDLE recv/- 40ms; receive 'GET / HTTP';"
		"piece 1 'GET / HTTP'; echo; REPLY -/send 30ms; send;"
		"IDLE recv/-; receive '\r\n'; piece 2 '\r\n'; echo; send;"
		"IDLE recv/-; sent 'GET / HTTP\r\n'; received 12; unlend;"
		"receive 'x'; piece 3 'x'"},
	/* its FIN is there, and waits */
	{"a half-closed client gets the rest",
		"open tcp; receive 'abc'; echo; send 1; REPLY -/send; send;"
		"IDLE recv/-; receive FIN; FINISH -/finish; finish;"
		"OVER answered; closes FIN/FIN first; sent 'abc'"},
	{"a client that sends nothing gets nothing",
		"open tcp; receive FIN; OVER closed; closes FIN/FIN first"},
	{"a client resets after a piece",
		"open tcp; receive 'abc'; echo; send; receive ECONNRESET;"
		"OVER reset; closes RST/FIN first"},
	{"a silent client is closed",
		"open tcp; expire; OVER timed-out; closes -/FIN"},
	{"each piece and its reply give the time anew",
		"open tcp; 5 times (pass 40ms-1; receive 'x'; echo;"
		"REPLY -/send 30ms; pass 30ms-1; send; IDLE recv/- 40ms);"
		"nth 5; expire; OVER timed-out"},
	/* and the head's is not meant */
	{"a silent client may be waited for",
		"open tcp idle=never; IDLE recv/- never; receive 'x'; echo;"
		"send; IDLE recv/- never"},
	{"a client does not take its reply",
		"open tcp; receive 'abc'; echo; send 1; expire;"
		"OVER timed-out reset"},
	/* made by somebody else */
	{"a piece is answered later",
		"open tcp; receive 'x'; defer never; WAIT -/- never;"
		"pass 4000ms; wake; piece 1 'x'; reply 'later' next; send;"
		"IDLE recv/- 40ms; sent 'later'"},
	/* a set of buffers goes from one protocol's connection to another's */
	{"a set of buffers keeps nothing of a piece",
		"open tcp; receive 'not HTTP'; abandon; unlend; open tcp;"
		"receive 'new'; piece 1 'new'"},
};

static const struct play framed[] = {
	{"a line comes as two",
		"open tcp framing='lines'; receive 'GE'; HEAD recv/- 40ms;"
		"nth 1; no-complete; pass 9ms; receive 'T\n';"
		"piece 1 'GET\n'; echo; send; IDLE recv/-; sent 'GET\n';"
		"unlend; receive 'x\n'; piece 2 'x\n'"},
	/* one after the other, and nothing is read in between */
	{"three lines come as one",
		"open tcp framing='lines'; receive 'a\nbc\n\nd';"
		"piece 1 'a\n'; kept 'a\n'; echo; REPLY -/send; send;"
		"asks next; next; piece 2 'bc\n'; kept 'bc\n'; echo; send;"
		"next; piece 3 '\n'; echo; send; next; HEAD recv/- 40ms;"
		"nth 4; receive '\n'; piece 4 'd\n'; echo; send;"
		"IDLE recv/-; sent 'a\nbc\n\nd\n'; received 8"},
	/* the time begins anew with each byte, and with each answer */
	{"a line takes too long",
		"open tcp framing='lines'; receive 'a'; 3 times (pass 40ms-1;"
		"receive 'b'); HEAD recv/- 40ms; expire;"
		"ignored 'a piece took too long'; DRAIN; receive FIN;"
		"OVER answered; closes FIN/FIN"},
	{"the rest of a read takes too long",
		"open tcp framing='lines'; receive 'a\nb'; pass 20ms; echo;"
		"send; next; HEAD recv/- 40ms; expire; asks ignore"},
	{"the client's end is that of its last line",
		"open tcp framing='lines'; receive 'a\nb'; echo; send; next;"
		"HEAD; receive FIN; last-piece 2 'b'; kept 'b'; echo; send;"
		"FINISH; finish; OVER answered; closes FIN/FIN first;"
		"sent 'a\nb'"},
	{"a client resets within a line",
		"open tcp framing='lines'; receive 'a'; receive ECONNRESET;"
		"OVER reset; closes RST/FIN first"},
	/* it is known when the bound is reached, and not later */
	{"a line is too long",
		"open tcp framing='lines'; receive 65535*'a'; HEAD; room 1;"
		"receive 'b'; ignored 'a piece is longer than 65536 bytes';"
		"DRAIN recv/-; receive 'c\n'; receive FIN; OVER answered"},
	{"a line is just not too long",
		"open tcp framing='lines'; receive 65535*'a'; HEAD; room 1;"
		"receive '\n'; asks answer; reply next; IDLE recv/-"},
	{"a length is too large",
		"open tcp framing='length 2'; receive '\377';"
		"HEAD; receive '\377';"
		"ignored 'a piece is longer than 65536 bytes'"},
	{"a length is malformed",
		"open tcp framing='mqtt'; receive '0\200\200\200';"
		"HEAD; receive '\200';"
		"ignored 'the head of a piece is malformed'"},
	/* 'Hello' (RFC 6455 5.7), a part of it, and the rest */
	{"a frame loses its mask",
		"open tcp framing='websocket';"
		"receive '\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
		"\x81\x85\x37\xfa'; kept '\x81\5Hello'; piece 1"
		" '\x81\5Hello'; echo; send; next; HEAD;"
		"receive '\x21\x3d\x7f\x9f\x4d\x51\x58';"
		"piece 2 '\x81\5Hello'; echo; send; IDLE;"
		"sent '\x81\5Hello\x81\5Hello'; received 22"},
	{"two frames are joined",
		"open tcp framing='websocket'; receive '\1\x81zzzz\x1b"
		"\x80\x81zzzz\x18'; join; piece 1 '\1\1a\x80\1b'"},
	{"a frame has no mask",
		"open tcp framing='websocket'; receive '\x81\1a';"
		"ignored 'the head of a piece is malformed'"},
	{"after the close nothing is a piece",
		"open tcp framing='lines'; receive 'a\nb\nc';"
		"reply 'OK' close; send; FINISH; finish; DRAIN; receive 'd\n';"
		"receive FIN; OVER answered; nth 1; sent 'OK'"},
	{"the next may be put off",
		"open tcp framing='lines'; receive 'a\nb\n'; reply next;"
		"asks next; defer 0ms; WAIT -/- 0ms; expire; asks next; next;"
		"piece 2 'b\n'; echo; send; IDLE"},
	{"what was put off may be cut off",
		"open tcp framing='lines'; receive 'a\nb\n'; reply next;"
		"asks next; defer 0ms; stop enough; OVER stopped"},
	{"no piece after a stop",
		"open tcp framing='lines'; receive 'a\nb\n'; reply 'x' next;"
		"stop told; send; FINISH; finish; DRAIN; nth 1"},
	{"a part of a piece when the server stops",
		"open tcp framing='lines'; receive 'a'; stop told;"
		"OVER stopped; closes -/FIN"},
	{"a piece of two lines",
		"open tcp framing='lines'; receive 'a\nb\nc'; piece 1 'a\n';"
		"join; piece 1 'a\nb\n'; complete; join; HEAD recv/- 40ms;"
		"no-complete; receive 'd'; HEAD; receive '\ne';"
		"piece 1 'a\nb\ncd\n'; echo; send; next; HEAD; nth 2"},
	{"a piece of two reads",
		"open tcp; receive 'a'; piece 1 'a'; join; HEAD recv/-;"
		"room 65535; receive 'bc'; piece 1 'abc'; echo; send; IDLE"},
	{"a piece of two lines is too long",
		"open tcp framing='lines'; receive 65534*'a' '\n'; join;"
		"room 1; receive 'b';"
		"ignored 'a piece is longer than 65536 bytes'"},
	{"a piece is joined to nothing",
		"open tcp framing='lines'; receive 'a\n'; join; receive FIN;"
		"last-piece 1 'a\n'; reply close; FINISH"},
};

static const struct play greetings[] = {
	/* more may have come before the end */
	{"a greeting comes first",
		"open tcp; greet; reply '220 hello\r\n' next; REPLY -/send;"
		"send 5; REPLY -/send; send; IDLE recv/- 40ms; receive 'QUIT';"
		"piece 1 'QUIT'; reply '221\r\n' close; deliver; finish; DRAIN;"
		"receive FIN; OVER answered; closes FIN/FIN;"
		"sent '220 hello\r\n221\r\n'"},
	{"a greeting of nothing",
		"open tcp; greet; reply next; IDLE recv/-; sent '';"
		"receive FIN; OVER closed"},
	{"a greeting, and then goodbye",
		"open tcp; greet; reply 'no' close; deliver"},
	/* what the client sends meanwhile is read after it, not dropped; a head
	   has its time from the beginning */
	{"a greeting before a request",
		"greet; reply 'hi\r\n' next; REPLY -/send; send;"
		"IDLE recv/- 10ms; receive GET; want; asks answer;"
		"no-greeting; nth 1; answer; deliver;"
		"sent 'hi\r\n' ANSWER; finish; OVER answered"},
	{"a greeting that pauses drops nothing",
		"greet; reply pause 5ms next; REPLY -/- 5ms; expire;"
		"IDLE; receive GET; want; asks answer"},
};

static const struct play closing[] = {
	/* more may have come */
	{"closes after an answer",
		"open tcp; receive 'x'; reply 'OK' close; REPLY -/send; deliver;"
		"finish; DRAIN; receive FIN; OVER answered; closes FIN/FIN"},
	{"closes without a byte",
		"open tcp; receive 'x'; reply close; FINISH; finish; DRAIN;"
		"receive FIN; OVER answered; sent ''"},
	{"closes by a reset",
		"open tcp; receive 'x'; reply reset; OVER answered reset;"
		"closes -/RST"},
	/* a close() must not take the reply from a client that has sent more */
	{"closes after an answer that took time",
		"open tcp; receive 'x'; reply 'OK' close; send 1; deliver;"
		"finish; DRAIN recv/-; receive 'more'; receive FIN;"
		"OVER answered"},
};

static const struct play datagrams[] = {
	{"a datagram is answered",
		"datagram 'ping'; piece 1 'ping'; reply 'pong!' next;"
		"REPLY -/send-to; sends 'pong!'; send; OVER answered;"
		"closes -/-; sent 'pong!'"},
	{"a datagram is answered, and closes nothing",
		"datagram 'ping'; piece 1 'ping'; reply 'pong!' close;"
		"REPLY -/send-to; sends 'pong!'; send; OVER answered;"
		"closes -/-; sent 'pong!'"},
	{"an empty datagram is answered with an empty one",
		"datagram ''; piece 1 ''; reply '' next; REPLY -/send-to;"
		"sends ''; send; OVER answered; closes -/-"},
	{"a datagram is answered after a pause",
		"datagram 'ping'; reply pause 7ms 'x' next; REPLY -/- 7ms;"
		"expire; REPLY -/send-to; sends 'x'; send; OVER answered;"
		"closes -/-"},
	{"a datagram is not answered",
		"datagram 'ping' because 'of a loop'; piece 1 'ping';"
		"reply next; OVER unanswered; closes -/-; sent ''"},
	{"a datagram is not answered, by silence",
		"datagram 'ping' because 'of a loop'; piece 1 'ping';"
		"reply stall; OVER unanswered; closes -/-; sent ''"},
	{"a datagram is not answered, by a FIN",
		"datagram 'ping' because 'of a loop'; piece 1 'ping';"
		"reply close; OVER unanswered; closes -/-; sent ''"},
	{"a datagram is not answered, by a RST",
		"datagram 'ping' because 'of a loop'; piece 1 'ping';"
		"reply reset; OVER unanswered; closes -/-; sent ''"},
	{"no answer to a datagram can be made",
		"datagram 'ping'; fail; OVER failed; closes -/-"},
	{"a datagram was truncated",
		"datagram 'abc' truncated; truncated; body 'abc'"},
	/* one that is not small enough to be read at once */
	{"a file is too long for a datagram",
		"datagram 'ping'; reply file 0+1048576 next; OVER failed;"
		"closes -/-"},
};

#define PONG "datagram 'ping'; reply 'pong' next; sends 'pong';"
#define NO_ROOM(error) \
	"send " error "; REPLY -/- 1ms; expire; sends 'pong'; send " error ";" \
	"REPLY -/- 2ms; expire; sends 'pong'; 5 times (send " error \
	"; expire);" \
	"send " error "; REPLY -/- 64ms; expire; send " error ";" \
	"REPLY -/- 64ms; expire; sends 'pong'; send; OVER answered;" \
	"closes -/-; sent 'pong'"

/* Ever later, up to 64 ms, and for two seconds at most: after 1 + 2 + ... + 64
   ms there are 30 tries more. */
static const struct play lost[] = {
	{"a datagram that finds no room is tried again",
		PONG NO_ROOM("EAGAIN")},
	{"a datagram that finds no buffer is tried again",
		PONG NO_ROOM("ENOBUFS")},
	{"a datagram is given up",
		PONG "37 times (send EAGAIN; REPLY -/-; expire;"
		     "sends 'pong'); send EAGAIN; OVER timed-out; closes -/-"},
	{"a datagram is too long",
		PONG "send EMSGSIZE; OVER failed; closes -/-; sent ''"},
	{"a datagram is not allowed",
		PONG "send EPERM; OVER failed; closes -/-; sent ''"},
	{"nobody takes a datagram",
		PONG "send ECONNREFUSED; OVER reset; closes -/-; sent ''"},
	{"nobody is there for a datagram",
		PONG "send ENOENT; OVER reset; closes -/-; sent ''"},
};

#define STOPPED "OVER stopped; closes -/FIN"
#define LAST(rest) rest "deliver; finish; DRAIN; receive FIN; OVER answered"

/* Ended at once, or what is under way is the last. */
static const struct place places[] = {
	{"before a piece", "open tcp; lend;",
		{"OVER reset; closes RST/FIN first", STOPPED, STOPPED,
			STOPPED}},
	{"after a piece", "open tcp; receive 'abc'; echo; send; IDLE recv/-;",
		{"OVER reset; closes RST/FIN first", STOPPED, STOPPED,
			STOPPED}},
	{"an answer that is late", "open tcp; receive 'abc'; defer never;",
		{"OVER reset; closes RST/FIN first", STOPPED, STOPPED,
			LAST("WAIT -/- never; wake; echo;")}},
	{"reply", "open tcp; receive 'abc'; echo; send 1;",
		{"OVER reset; closes RST/FIN first", STOPPED, LAST(""),
			LAST("")}},
	{"pause", "open tcp; receive 'abc'; reply pause 5ms next;",
		{"OVER reset; closes RST/FIN first", STOPPED, LAST("expire;"),
			STOPPED}},
	{"silence", "open tcp; receive 'abc'; reply stall next;",
		{"OVER reset; closes RST/FIN first", STOPPED, STOPPED,
			STOPPED}},
	{"finish", "open tcp; receive 'abc'; reply close;",
		{"OVER reset; closes RST/FIN first", STOPPED, LAST(""),
			LAST("")}},
	{"a datagram whose answer is late", "datagram 'ping'; defer never;",
		{NULL, "OVER stopped; closes -/-", "OVER stopped; closes -/-",
			"wake; reply 'pong' next; sends 'pong'; send;"
			"OVER answered; closes -/-"}},
	{"a datagram without room", PONG "send EAGAIN;",
		{NULL, "OVER stopped; closes -/-",
			"REPLY -/- 1ms; abandon; OVER stopped; closes -/-",
			"REPLY -/- 1ms; abandon; OVER stopped; closes -/-"}},
};

/* While a part of it is unsent nothing is read, and no byte is lost. */
START_TEST(an_echo_cut_anywhere)
{
	static const char text[] = "a\0b\r\n\r\nGET / HTTP/1.1\r\n";
	const size_t size = sizeof text;

	for (size_t in = 1; in <= size; in++)
		for (size_t out = 1; out <= in; out++) {
			struct hand hand;
			size_t given = 0;

			hand_open(&hand);
			play(&hand, "open tcp");
			while (given < size) {
				given += give(&hand, text + given,
					in < size - given ? in : size - given);
				play(&hand, "asks answer; echo");
				while (hand.conn.state == RT_STATE_REPLY) {
					play(&hand, "REPLY -/send");
					(void)take(&hand, out);
				}
				play(&hand, "IDLE recv/-");
			}
			assert_bytes(hand.sent.data, hand.sent.size, text,
				size);
			ck_assert_uint_eq(hand.conn.nth, (size + in - 1) / in);
			hand_close(&hand);
		}
}
END_TEST

/* However they come, they are the same pieces. */
START_TEST(lines_cut_anywhere)
{
	static const char text[] = "a\n\nbcd\r\n\0\nEHLO there\nlast\n";
	const size_t size = sizeof text - 1;

	for (size_t in = 1; in <= size; in++) {
		struct hand hand;
		size_t given = 0;

		hand_open(&hand);
		play(&hand, "open tcp framing='lines'");
		while (given < size) {
			given += give(&hand, text + given,
				in < size - given ? in : size - given);
			while (hand.conn.asks == RT_ASK_ANSWER) {
				size_t line;
				const char *body =
					rt_conn_body(&hand.conn, &line);

				ck_assert_ptr_eq(memchr(body, '\n', line),
					body + line - 1);
				play(&hand, "asks answer; echo; send");
				if (hand.conn.asks == RT_ASK_NEXT)
					play(&hand, "next");
			}
		}
		play(&hand, "IDLE recv/-; nth 6");
		assert_bytes(hand.sent.data, hand.sent.size, text, size);
		hand_close(&hand);
	}
}
END_TEST

/* However much is there, and whatever room a set of buffers has got. */
START_TEST(a_piece_is_at_most_64_kib)
{
	static char block[300u << 10];
	struct hand hand;
	size_t given = 0;

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (char)(i % 251);
	hand_open(&hand);
	/* so that the room is neither a power of two nor given back */
	play(&hand, "open tcp max=71680; lend");
	ck_assert_ptr_nonnull(rt_buf_reserve(&hand.buffers->in, 70u << 10));
	play(&hand, "lend");
	while (given < sizeof block) {
		size_t n = give(&hand, block + given, sizeof block - given);
		size_t size;

		ck_assert_uint_le(n, PIECE);
		(void)rt_conn_body(&hand.conn, &size);
		ck_assert_uint_eq(size, n);
		given += n;
		play(&hand, "echo; REPLY -/send; send by 99999; IDLE recv/-");
		ck_assert_uint_le(hand.conn.chan.in.recv.size, PIECE);
	}
	assert_bytes(hand.sent.data, hand.sent.size, block, sizeof block);
	/* it is still there that what is held at once has its bound */
	ck_assert_uint_le(hand.buffers->in.len, PIECE);
	hand_close(&hand);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conn_plain");
	TCase *tcase = tcase_create("piece");

	add_plays(tcase, pieces, COUNT(pieces));
	tcase_add_test(tcase, an_echo_cut_anywhere);
	tcase_add_test(tcase, a_piece_is_at_most_64_kib);
	add_plays(tcase, framed, COUNT(framed));
	tcase_add_test(tcase, lines_cut_anywhere);
	add_plays(tcase, greetings, COUNT(greetings));
	add_plays(tcase, closing, COUNT(closing));
	rt_test_case(suite, tcase);

	tcase = tcase_create("datagram");
	add_plays(tcase, datagrams, COUNT(datagrams));
	add_plays(tcase, lost, COUNT(lost));
	rt_test_case(suite, tcase);

	add_places(suite, places, COUNT(places));
	return rt_test_run(suite);
}
