/* SPDX-License-Identifier: MIT */
/*
 * One connection, driven by hand: no socket, and a clock that is a number.
 * The events and what must follow are text: a play.
 *
 *	receive GET; asks route; want; asks answer;
 *	reply 'hello' pause 5ms close; REPLY -/send 30ms;
 *	send; REPLY -/- 5ms; expire; finish; DRAIN recv/- 2000ms;
 *	receive FIN; OVER answered; closes FIN/FIN; sent 'hello'
 *
 * BYTES are texts in single quotes and names (GET, CONNECT, POST5, CHUNKED, EXPECT,
 * CONTINUE, ANSWER: see conn_play.c), one after the other; `500*'x'` repeats
 * one, and `first 3 of` is their beginning. A TIME is 5ms, 100us, 30ms-1 (less
 * one nanosecond) or never. A play that begins with "$ from 1 to 9;" is played
 * for each of these, and $ can stand in it for any number. "3 times (...)" and
 * "until STATE (...)" play what they enclose again.
 *
 * The client and the clock
 *
 *	receive BYTES      they come, and all of them are read
 *	receive FIN        its end; or the name of an errno
 *	offer BYTES        as many of them as are read
 *	drip BYTES         the same, one by one
 *	flood N            N of those that are dropped, all of them
 *	send [N]           N bytes of what is to be sent leave; all of it
 *	send by N          at most N at once, until it is something else
 *	send nothing       as when a file ends; or the name of an errno
 *	deliver [N|by N]   the rest of the reply leaves, and its waits pass, up
 *	                   to the FIN; N bytes first, or at most N at once
 *	finish [ERRNO]     the FIN leaves
 *	flush [ERRNO]      what was sent has left
 *	pass TIME          nothing happens
 *	took TIME          what is sent has no room, but the client took some
 *	                   that long ago
 *	expire             until the deadline, which passes
 *	wake               it is time, as the owner says: see defer
 *	give [BYTES] [last]  when it asks for more: nothing yet, or these
 *	pushed             there are more of them
 *	replied            the answer is there, as the owner says: see defer
 *	break              the connection was found broken
 *	leave              the client's end was noticed while nothing is read
 *
 * The owner
 *
 *	open [tcp|http] [framing='lines'] [keep] [exchanges=N] [linger]
 *	     [proxied] [tells] [max=N] [idle=TIME] [head=TIME] [body=TIME] [write=TIME]
 *	                   another connection; a play begins with one
 *	datagram 'text' [truncated] [because 'reason']
 *	                   the same, of a datagram
 *	lend [ERRNO]; unlend
 *	greet              asks for a greeting
 *	read [early=N] [twice] [stop=N] [pace=N] [gap=TIME] [delay=TIME]
 *	want [N] [keep [N]]
 *	                   the head: a body of N bytes at most, of which some
 *	                   are kept
 *	read-on [N]        all of the body is wanted, after an early question,
 *	                   or N bytes of it
 *	reply [pace=N] [gap=TIME] [idle=TIME] [deaf] STEP...
 *	                   the answer. A STEP is 'bytes', text 'bytes',
 *	                   repeat 'abc' from N size N, file AT+SIZE, pause TIME,
 *	                   flush, more, await, next, stall, half, close or reset;
 *	                   to-http, to-bytes or to-tls after next says what comes
 *	answer             the same of ANSWER
 *	echo               the same of what was received, and next
 *	next               bytes that have come already begin the next request
 *	join               to this piece, the next one
 *	see; see-more      all of one that is refused; and what comes after it
 *	told               bytes of the body may be forgotten
 *	done               the exchange is over, and the connection kept
 *	defer TIME; fail; stop told; stop enough; abandon
 *	cut-off HOW        nothing more can be said: close, half, stall, reset
 *
 * What must follow
 *
 *	STATE [IN/OUT [TIME]]  its state, what is wanted, the time left; nothing
 *	                   is asked
 *	OVER END [reset]   and nothing more is wanted
 *	asks route         or answer, of a request that is complete
 *	asks tell          to tell somebody of bytes of the body
 *	asks halt          the answer to one that is not to be read further
 *	asks N             the answer to one that is refused with that status
 *	all-seen           and nothing more of it can come
 *	refused N 'reason' the answer to a request that is refused; it is given
 *	keeps HOW          whether it may be kept: not, told, yes, said
 *	closes HOW/HOW [first]  what client and server did: FIN, RST or -
 *	sent BYTES         in all, or in this exchange
 *	script N, received N, nth N, taken N (of offer), room N (to receive)
 *	sends BYTES        what is to be sent at once; more, no-more: whether
 *	                   something is said to follow
 *	file AT+SIZE       the same of a file
 *	body BYTES         the request's, so far
 *	kept BYTES         of what came
 *	piece N BYTES      asks to answer this, the Nth
 *	last-piece N BYTES asks to answer this, which its client's end cut off
 *	ignored 'reason'   asks for the end, which it gets
 *	flags              complete, greeting, truncated, halted, watched,
 *	                   still-sending, lingers, or with a "no-" before it
 */
#ifndef CONN_PLAY_H
#define CONN_PLAY_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/conn.h"
#include "support/harness.h"

#define MS RT_MS

/* Unless a play opens its connection with others. */
#define IDLE_TIMEOUT (40 * MS)
#define HEAD_TIMEOUT (10 * MS)
#define BODY_TIMEOUT (20 * MS)
#define WRITE_TIMEOUT (30 * MS)
#define MAX_IN (256u << 10)

/* Bytes of a body that are kept, unless a play says how many; and what an
   buffers may hold for them, with the framing of chunks. */
#define KEPT 4096
#define MAX_KEPT (3 * KEPT)

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST_5 POST("Content-Length: 5\r\n")
#define POST_CHUNKED POST("Transfer-Encoding: chunked\r\n")
#define POST_EXPECT POST("Content-Length: 5\r\nExpect: 100-continue\r\n")
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"

/* Stands in for the server, its sockets and its clock. */
struct hand {
	struct rt_conn_config config;
	struct rt_conn conn;
	struct rt_buffers *buffers;
	struct rt_address sender; /* of a datagram */
	struct bytes sent;
	size_t taken; /* of what was offered last */
	char reason[64];
	int64_t now;
	const char *play; /* the statement that is played, */
	uint64_t number;  /* and the number of the play */
	char scratch[64 << 10];
};

void hand_open(struct hand *hand);
void hand_close(struct hand *hand);

/* Bytes from the client; until all were taken, or something is asked. */
size_t give(struct hand *hand, const void *data, size_t size);

/* All of a text. */
void give_text(struct hand *hand, const char *text);

/* Takes at most `size` bytes of what the connection sends; how many. */
size_t take(struct hand *hand, size_t size);

/* Plays the text, which must outlive the replies that are in it. */
void play(struct hand *hand, const char *text);

/* Fails with the statement that is played, and the state of the connection. */
#define must(hand, condition, ...) \
	ck_assert_msg((condition), "%s", complaint((hand), __VA_ARGS__))
const char *complaint(const struct hand *hand, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A test by that name; one that begins with "$ from 1 to 9;" is played for each
   of these. */
struct play {
	const char *name;
	const char *text;
};

/*
 * A place that a connection has come to, and what becomes of it there when it
 * breaks, when it is abandoned, when the server stops because enough replies
 * were begun, and when it stops because it was told to. NULL: not played.
 */
struct place {
	const char *name;
	const char *reach;
	const char *ends[4];
};

void add_plays(TCase *tcase, const struct play *plays, size_t count);
void add_places(Suite *suite, const struct place *places, size_t count);

#endif
