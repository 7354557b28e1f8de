/* SPDX-License-Identifier: MIT */
/*
 * How a connection ends: the lower half of the diagram in conn.h, what ends it
 * in any state, and who closed. What the words of a play mean stands in
 * conn_play.h.
 */
#include "config.h"

#include <check.h>
#include <string.h>

#include "unit/conn_play.h"

#define ANSWERED "receive GET; want; answer; deliver;"

/* A request leaves something to be read; the time of a drain begins with the
   FIN. */
#define DRAINS \
	"receive GET 'garbage'; want; answer; deliver; pass 5ms; finish;" \
	"DRAIN recv/- 2000ms;"

#define GIGABYTE "flood 1073741824;"

static const struct play drains[] = {
	{"closes at once when all was read",
		ANSWERED "FINISH -/finish; finish; OVER answered; sent ANSWER"},
	{"the FIN fails", ANSWERED "finish ENOTCONN; OVER reset"},
	{"a drain ends with the client's FIN",
		DRAINS "receive 'more'; DRAIN; receive FIN; OVER answered"},
	{"a drain ends with silence",
		DRAINS "9 times (pass 2000ms-1; receive 'more';"
		       "DRAIN recv/- 2000ms); expire; OVER answered;"
		       "no-still-sending"},
	{"a drain ends in time",
		DRAINS "29 times (pass 1000ms; receive 'more');"
		       "DRAIN recv/- 1000ms; expire; OVER answered;"
		       "still-sending"},
	{"a drain has its first seconds, whatever comes",
		DRAINS GIGABYTE "receive 'more'; pass 2000ms-1; receive 'more';"
				"DRAIN recv/- 2000ms; pass 1us; receive 'm';"
				"OVER answered; still-sending"},
	{"a drain ends after this many bytes",
		DRAINS "pass 1999ms; receive 'x'; pass 1ms; receive 'x'; DRAIN;"
		       "flood 1073741813;"
		       "DRAIN; offer 20*'x'; taken 20;"
		       "OVER answered; still-sending"},
};

/* Some of it may be on its way when the client sends more. */
#define MUCH "receive GET; want; reply file 0+14600 'a' close; send;"
#define SENT_MUCH MUCH "send all; DRAIN recv/- 2000ms;"

/* Or of the last of two replies on a kept connection. */
#define KEPT_AFTER(size) \
	"2 times (receive GET; want; reply file 0+" size " next; send; done);" \
	"IDLE recv/- 40ms;"
#define SILENT_AFTER "open keep;" KEPT_AFTER("7301") "unlend; lend; expire;"

static const struct play much[] = {
	{"as much as is sent at once",
		"receive GET; want; reply file 0+14599 'a' close; send;"
		"send all; OVER answered; closes -/FIN"},
	{"more than is sent at once",
		SENT_MUCH
		"lingers; receive FIN; OVER answered; closes FIN/FIN"},
	{"more than is sent at once, and then the FIN",
		MUCH "send; FINISH recv/finish; finish; DRAIN recv/- 2000ms"},
	{"more comes after it",
		SENT_MUCH "pass 5ms; receive 'more'; DRAIN recv/- 2000ms;"
			  "no-lingers; receive FIN; OVER answered"},
	{"nothing comes after it",
		SENT_MUCH "expire; OVER answered; no-still-sending"},
	{"enough was sent by others",
		SENT_MUCH "stop enough; DRAIN recv/- 2000ms"},
	{"the server stops", SENT_MUCH "stop told; OVER answered"},
	{"its client had ended",
		"receive POST5 'ab'; reply file 0+14601 close; receive FIN;"
		"send; finish; OVER answered; closes FIN/FIN first"},
	{"a reset that cuts nothing off",
		"receive GET; want; reply file 0+14601 reset; send;"
		"OVER answered reset; closes -/RST"},
	{"several replies",
		"open keep; 2 times (receive GET; want;"
		" reply file 0+7300 next; send; done);"
		"receive GET; want; reply 'a' close; send all;"
		"DRAIN recv/- 2000ms; receive FIN; OVER answered"},
	{"several replies, and the client ends",
		"open keep; 3 times (receive GET; want;"
		" reply file 0+7300 next; send; done);"
		"receive FIN; FINISH -/finish; finish; OVER answered"},
	{"as much as is sent at once, and the client is silent",
		"open keep;" KEPT_AFTER("7300") "expire; OVER timed-out;"
						"closes -/FIN"},
	{"more, and the client is silent",
		SILENT_AFTER "FINISH recv/finish 30ms; closes -/-; finish;"
			     "DRAIN recv/- 2000ms; no-lingers; closes -/FIN;"
			     "pass 5ms; receive 'more'; DRAIN recv/- 2000ms;"
			     "receive FIN; OVER timed-out; closes FIN/FIN;"
			     "no-still-sending; nth 2"},
	{"more, and the client stays silent",
		SILENT_AFTER "finish; expire; OVER timed-out; closes -/FIN;"
			     "no-still-sending"},
	{"more, and the client leaves",
		SILENT_AFTER "finish; receive ECONNRESET; OVER reset;"
			     "closes RST/FIN"},
	{"more, and the FIN fails", SILENT_AFTER "finish ENOTCONN; OVER reset"},
	{"more, and the server stops",
		SILENT_AFTER "finish; stop told; OVER timed-out"},
	{"more to a piece, and the client is silent",
		"open tcp; receive 'a'; asks answer; reply file 0+14601 next;"
		"send; IDLE recv/- 40ms; expire; FINISH recv/finish; finish;"
		"DRAIN recv/- 2000ms; expire; OVER timed-out"},
	/* it has been read */
	{"more before TLS begins, and the client is silent",
		"open keep;" KEPT_AFTER(
			"7301") "receive CONNECT; want;"
				"reply 'ok' next to-tls; send; done; IDLE recv/- 40ms; expire;"
				"OVER timed-out; closes -/FIN"},
};

static const struct play slow[] = {
	{"the client takes some",
		"receive GET; want; answer; 3 times (pass 30ms; took 10ms;"
		"REPLY -/send 20ms; pass 10ms); expire;"
		"OVER timed-out reset"},
	{"the client takes some of a file",
		"receive GET; want; reply file 0+9 close; pass 30ms; took 1ms;"
		"REPLY -/file 29ms"},
	{"the client took some when its time began",
		"receive GET; want; answer; pass 30ms; took 30ms;"
		"REPLY -/send 0ms; took never; REPLY -/send 0ms"},
	{"the client takes some before the FIN",
		ANSWERED "pass 30ms; took 5ms; FINISH -/finish 25ms"},
};

/* TLS has something to say before. */
static const struct play late_fins[] = {
	{"the FIN cannot leave",
		ANSWERED "FINISH -/finish 30ms; expire; OVER timed-out reset;"
			 "closes -/RST"},
	{"the FIN cannot leave, whatever arrives",
		MUCH "send; FINISH recv/finish 30ms; pass 29ms;"
		     "receive 'more'; FINISH recv/finish 1ms; expire;"
		     "OVER timed-out reset"},
	{"the FIN cannot leave, and there is time",
		"open write=never; lend;" ANSWERED "FINISH -/finish never"},
	{"the client finishes late, and takes nothing",
		"open keep write=5ms; receive GET; want; reply 'a' next; send;"
		"done; pass 9ms; receive FIN; FINISH -/finish 5ms"},
};

static const struct play cuts[] = {
	{"cut off in a reply",
		"receive GET; want; reply 'abc' pause 5ms 'd' close; send 1;"
		"cut-off close; FINISH recv/finish; finish; DRAIN recv/- 2000ms;"
		"receive FIN; OVER answered; closes FIN/FIN; sent 'a'"},
	{"cut off with a RST",
		"receive GET; want; reply 'abc' close; send 2; cut-off reset;"
		"OVER answered reset; closes -/RST; sent 'ab'"},
	{"cut off, and no time-out counts",
		"open head=5ms write=5ms; lend; cut-off stall;"
		"REPLY recv/- never; receive 'x'; REPLY recv/- never;"
		"receive FIN; OVER reset; closes FIN/FIN first"},
	{"cut off in a request",
		"receive 'GET /'; cut-off half; FINISH recv/finish; finish;"
		"DRAIN recv/- never; receive 'x'; receive FIN; OVER answered"},
	{"cut off in a pause",
		"receive GET; want; reply 'a' pause 5ms close; send;"
		"cut-off close; FINISH recv/finish"},
	{"cut off at the end of a reply",
		ANSWERED "FINISH; cut-off stall; REPLY recv/- never"},
	{"cut off when it was over",
		ANSWERED "finish; OVER answered; cut-off stall; OVER answered"},
};

#define EARLY_SENDS "FINISH recv/finish; receive 'x'; FINISH recv/finish;"

static const struct play early[] = {
	/* nothing is left to be read */
	{"an early answer without a body",
		"receive GET; asks route; answer; complete; REPLY -/send;"
		"deliver; finish; OVER answered"},
	{"an early answer while the client sends",
		"receive 'POST / HTTP/1.1\r\nHost: a\r\n'"
		" 'Content-Length: 3145728\r\n\r\n'; asks route; answer;"
		"no-complete; REPLY recv/send;"
		"until FINISH (receive 4096*'x'; send 1);" EARLY_SENDS
		"finish; DRAIN; receive 3145728*'x'; DRAIN; receive FIN;"
		"OVER answered; sent ANSWER"},
	/* the reply goes on all the same, and has its own time to be seen */
	{"an early answer and too many bytes",
		"receive CHUNKED; answer; pass 2000ms;" GIGABYTE
		"REPLY -/send; deliver; sent ANSWER; finish;"
		"DRAIN recv/- 2000ms; receive 'more'; DRAIN; expire;"
		"OVER answered; no-still-sending"},
	{"who was sending when it stops",
		"receive CHUNKED; answer; deliver; finish; receive 'more';"
		"stop told; OVER answered; still-sending"},
	{"who was sending when it is abandoned",
		"receive CHUNKED; answer; deliver; finish; receive 'more';"
		"abandon; OVER answered; still-sending"},
	{"who had stopped sending when it stops",
		"receive CHUNKED; answer; deliver; finish; stop told;"
		"OVER answered; no-still-sending"},
	{"an early answer after the FIN",
		"receive POST5 'ab'; answer; REPLY recv/send; receive FIN;"
		"REPLY -/send; deliver; finish; OVER answered"},
	/* before the body: what still comes is read meanwhile, and after it */
	{"an early answer that is paced",
		"receive POST5; asks route; reply pace=1 gap=1ms 'ab' close;"
		"send; flush; REPLY recv/- 1ms; receive 'he'; REPLY recv/- 1ms;"
		"expire; send; finish; DRAIN; receive 'llo'; receive FIN;"
		"OVER answered; sent 'ab'"},
	{"an early answer that is paced, and reset",
		"receive POST5; asks route; reply pace=1 gap=1ms 'ab' reset;"
		"send; flush; receive 'he'; REPLY recv/- 1ms; expire; send;"
		"OVER answered reset; sent 'ab'"},
};

/* Half closed: what comes is read, for as long as the client likes. */
#define HALF \
	"receive GET; want; reply 'ab' half; deliver; finish;" \
	"DRAIN recv/- never; pass 30000ms; receive 'x'; DRAIN recv/- never;"

static const struct play half[] = {
	{"half closed, however much comes",
		HALF GIGABYTE "DRAIN recv/- never; receive FIN; OVER answered"},
	{"half closed until the client closes",
		HALF "receive FIN; OVER answered"},
	{"half closed until the client resets",
		HALF "receive ECONNRESET; OVER reset"},
	{"a client that had ended is not waited for",
		"receive POST5; want 5; receive FIN; reply half; finish;"
		"OVER answered"},
};

#define LINGERS \
	"open linger; receive GET; want; answer; deliver; pass 5ms;" \
	"finish; DRAIN recv/- 2000ms; lingers;"

static const struct play lingering[] = {
	{"lingers until the client closes",
		LINGERS
		"receive 'what else comes is dropped'; DRAIN;"
		"no-lingers; receive FIN; OVER answered; closes FIN/FIN"},
	{"lingers for a time", LINGERS "expire; OVER answered; closes -/FIN"},
	{"lingers until it is stopped",
		LINGERS "stop told; OVER answered; closes -/FIN"},
	{"lingers until the client resets",
		LINGERS "receive ECONNRESET; OVER reset; closes RST/FIN"},
	/* its FIN, seen while the reply is under way, is the first; there is
	   nothing more to wait for */
	{"does not linger when the client closes first",
		"open linger; receive GET; want; answer; REPLY recv/send;"
		"receive FIN; closes FIN/- first; deliver; finish;"
		"OVER answered; closes FIN/FIN first"},
	{"waits for more than the end when bytes may come",
		"open linger; receive POST5; answer; deliver; finish; DRAIN;"
		"no-lingers; receive FIN; OVER answered"},
	{"waits for more than the end when it is half closed",
		"open linger; receive GET; want; reply half; finish; DRAIN;"
		"no-lingers; receive FIN; OVER answered"},
	{"waits for more than the end without HTTP",
		"open tcp linger; receive 'a'; asks answer; no-lingers;"
		"reply 'b' close; deliver; finish; DRAIN; no-lingers;"
		"receive FIN; OVER answered"},
	{"does not linger unless told",
		ANSWERED "finish; OVER answered; closes -/FIN"},
};

static const struct play who[] = {
	{"the client, before a byte",
		"receive FIN; OVER closed; closes FIN/FIN first"},
	{"the server, for a client that is silent",
		"expire; OVER timed-out; closes -/FIN"},
	{"the client, by a reset",
		"receive ECONNRESET; OVER reset; closes RST/FIN first"},
	{"the client, in its request",
		"receive 'GET /'; receive FIN; refused 400 'incomplete request';"
		"finish; OVER answered; closes FIN/FIN first"},
	{"the client, by a FIN and then a reset",
		"receive 'GET /'; receive FIN; answer; send EPIPE; OVER reset;"
		"closes RST/FIN first"},
	/* what comes later changes nothing */
	{"the client, while it waits",
		"receive GET; want; defer never; break; OVER reset;"
		"closes RST/FIN first; break; OVER reset; closes RST/FIN first"},
	{"the server, for a client that takes nothing",
		"receive GET; want; answer; expire; OVER timed-out reset;"
		"closes -/RST"},
	{"the server, by a script",
		"receive GET; want; reply reset; OVER answered reset;"
		"closes -/RST"},
	{"the client, before the FIN",
		ANSWERED "finish ENOTCONN; OVER reset; closes RST/FIN first"},
	{"the server, abandoning a request",
		"receive 'GET /'; abandon; OVER stopped; closes -/FIN"},
	{"the server, without an answer",
		"receive GET; want; fail; OVER failed; closes -/FIN"},
	{"the server, after an error that is not the client's",
		"receive GET; want; answer; send EIO; OVER failed;"
		"closes -/FIN"},
};

static const struct play lent[] = {
	/* a deferral leaves nothing to the next one */
	{"a set of buffers serves one connection after another",
		"receive POST5; want 5 keep; receive 'abcde'; asks answer;"
		"answer; deliver; sent ANSWER; finish; OVER answered; unlend;"
		"open; receive POST5; want 5 keep; receive 'abcde';"
		"asks answer; defer 7ms; expire; asks answer; answer; deliver;"
		"sent ANSWER; finish; DRAIN; receive FIN; OVER answered; unlend;"
		"open; receive POST5; want 5 keep; receive 'abcde';"
		"asks answer; answer; deliver; sent ANSWER; finish;"
		"OVER answered; unlend"},
};

#define RESET "OVER reset; closes RST/FIN first"
#define STOPPED "OVER stopped; closes -/FIN"
#define GOES_ON \
	"REPLY -/send; deliver; sent ANSWER; finish; OVER answered;" \
	"closes -/FIN"

static const struct place places[] = {
	{"idle", "", {RESET, STOPPED, STOPPED, STOPPED}},
	{"head", "receive 'GE';", {RESET, STOPPED, STOPPED, STOPPED}},
	{"body", "receive POST5; want 5;", {RESET, STOPPED, STOPPED, STOPPED}},
	{"body read slowly", "receive EXPECT; read pace=1 gap=1ms; want keep;",
		{RESET, STOPPED, STOPPED, STOPPED}},
	{"body invited late", "receive EXPECT; read delay=1ms; want keep;",
		{RESET, STOPPED, STOPPED, STOPPED}},
	{"body not read to its end", "receive EXPECT; read stop=2; want keep;",
		{RESET, STOPPED, STOPPED, STOPPED}},
	{"answer that is late", "receive GET; want; defer 7ms;",
		{RESET, STOPPED, STOPPED, "WAIT -/- 7ms"}},
	{"reply", "receive GET; want; answer;",
		{RESET, STOPPED, GOES_ON, GOES_ON}},
	{"pause", "receive GET; want; reply pause 1ms close;",
		{RESET, STOPPED, "REPLY -/- 1ms; deliver", STOPPED}},
	{"segment that leaves",
		"receive GET; want; reply pace=1 gap=5ms 'ab' close; send;",
		{RESET, STOPPED, "flush; expire; deliver; sent 'ab'",
			"flush; expire; deliver; sent 'ab'"}},
	{"gap between segments",
		"receive GET; want; reply pace=1 gap=5ms 'ab' close; send;"
		"flush;",
		{RESET, STOPPED, "expire; deliver; sent 'ab'", STOPPED}},
	{"gap of an early answer",
		"receive POST5; reply pace=1 gap=1ms 'ab' close; send; flush;"
		"receive 'he';",
		{RESET, STOPPED, "REPLY recv/- 1ms; expire; deliver; sent 'ab'",
			STOPPED}},
	{"silence", "receive GET; want; reply stall;",
		{RESET, STOPPED, STOPPED, STOPPED}},
	{"deaf silence", "receive GET; want; reply deaf 'a' stall; send;",
		{RESET, STOPPED, STOPPED, STOPPED}},
	/* it was answered, and is idle */
	{"a next byte that is awaited",
		"receive GET; want; reply 'a' await close; send;",
		{RESET, "OVER answered; closes -/FIN",
			"OVER answered; closes -/FIN",
			"OVER answered; closes -/FIN"}},
	{"finish", ANSWERED,
		{RESET, STOPPED, "FINISH -/finish; finish; OVER answered",
			"FINISH -/finish; finish; OVER answered"}},
	{"drain", DRAINS,
		{"OVER reset; closes RST/FIN", "OVER answered; closes -/FIN",
			"DRAIN recv/- 2000ms", "OVER answered; closes -/FIN"}},
	{"half closed", HALF,
		{"OVER reset; closes RST/FIN", "OVER answered; closes -/FIN",
			"OVER answered; closes -/FIN",
			"OVER answered; closes -/FIN"}},
	{"over", "receive FIN;",
		{"OVER closed; closes FIN/FIN first",
			"OVER closed; closes FIN/FIN first",
			"OVER closed; closes FIN/FIN first",
			"OVER closed; closes FIN/FIN first"}},
};

START_TEST(a_receive_that_filled_its_room_is_drained)
{
	struct bytes request = {.data = NULL};
	struct hand hand;
	size_t room;

	hand_open(&hand);
	play(&hand, "lend");
	room = hand.conn.chan.in.recv.size;
	bytes_add(&request, "GET / HTTP/1.0\r\nA: ", 19);
	while (request.size < room - 4)
		bytes_add(&request, "x", 1);
	bytes_add(&request, "\r\n\r\n", 4);
	give_text(&hand, request.data);
	/* more may be there */
	play(&hand,
		"asks route; want 0; answer; REPLY recv/send; deliver;"
		"finish; DRAIN; receive FIN; OVER answered");
	bytes_free(&request);
	hand_close(&hand);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conn_end");
	TCase *tcase = tcase_create("drain");

	add_plays(tcase, drains, COUNT(drains));
	tcase_add_test(tcase, a_receive_that_filled_its_room_is_drained);
	add_plays(tcase, much, COUNT(much));
	add_plays(tcase, slow, COUNT(slow));
	add_plays(tcase, late_fins, COUNT(late_fins));
	add_plays(tcase, cuts, COUNT(cuts));
	add_plays(tcase, early, COUNT(early));
	add_plays(tcase, half, COUNT(half));
	add_plays(tcase, lingering, COUNT(lingering));
	add_plays(tcase, lent, COUNT(lent));
	rt_test_case(suite, tcase);

	tcase = tcase_create("who closed");
	add_plays(tcase, who, COUNT(who));
	rt_test_case(suite, tcase);

	add_places(suite, places, COUNT(places));
	return rt_test_run(suite);
}
