/* SPDX-License-Identifier: MIT */
/*
 * One exchange after another on a connection that is kept. What the words of a
 * play mean stands in conn_play.h.
 */
#include "config.h"

#include <check.h>

#include "unit/conn_play.h"

/* A request that is there, and its answer. */
#define ANSWERED "want; asks answer; reply 'one' next; send; asks done; done;"
#define FIRST "open keep; receive GET; " ANSWERED

static const struct play one_by_one[] = {
	/* between them it needs no buffers */
	{"one after another",
		"open keep; receive GET; want; asks answer; nth 1; keeps yes;"
		"reply 'one' next; REPLY -/send 30ms; no-more; send; asks done;"
		"received 27; sent 'one'; done; IDLE recv/- 40ms; nth 1;"
		"no-complete; received 0; unlend; receive GET; want;"
		"asks answer; nth 2; kept GET; reply 'two' next; send; done;"
		"IDLE recv/- 40ms; receive GET; want; nth 3;"
		"reply 'three' close; deliver; sent 'three'; received 27;"
		"finish; OVER answered; closes -/FIN"},
	{"each byte of each",
		"open keep; 3 times (drip GET; want; asks answer; kept GET;"
		"reply 'x' next; send; done; IDLE recv/- 40ms); nth 3"},
	{"a body is none of the next request",
		"open keep; receive POST5; want keep; receive 'hello';"
		"asks answer; body 'hello'; keeps yes; reply 'x' next; send;"
		"done; receive POST5; want keep; BODY recv/-; receive 'again';"
		"body 'again'; nth 2"},
	{"nothing of a chunked body is left",
		"open keep; receive CHUNKED '3\r\nabc\r\n0\r\n\r\n'; want keep;"
		"asks answer; body 'abc'; reply 'x' next; send; done;"
		"receive CHUNKED '1\r\nz\r\n0\r\n\r\n'; want keep; asks answer;"
		"body 'z'"},
	{"a refusal is not the next one's",
		"open keep; receive GET; asks route; keeps yes; reply 'no' next;"
		"send; asks done; done; receive GET; want; asks answer"},
	/* as a raw reply of nothing has it */
	{"a reply without a byte",
		"open keep; receive GET; want; reply next; asks done; sent '';"
		"done; IDLE recv/- 40ms"},
	{"a reply that pauses",
		"open keep; receive GET; want; reply 'a' pause 5ms 'b' next;"
		"send; REPLY -/- 5ms; watched; expire; send; asks done; done;"
		"IDLE recv/- 40ms; sent ''"},
	{"a reply that is made later",
		"open keep; receive GET; want; defer never; WAIT -/- never;"
		"keeps yes; replied; reply 'x' next; send; asks done"},
	{"each has its 100 (Continue)",
		"open keep; 2 times (receive EXPECT; want; BODY recv/send;"
		"sends CONTINUE; send; receive 'hello'; reply 'x' next; send;"
		"asks done; sent CONTINUE 'x'; done)"},
	{"a PROXY header is none of the second",
		"open keep proxied; receive 'PROXY UNKNOWN\r\n' GET; want;"
		"reply 'x' next; send; done; received 0; receive POST5;"
		"read stop=4; want keep; room 4; offer 'hello'; taken 4;"
		"asks halt"},
	{"nor of the second's beginning",
		"open keep proxied; receive 'PROXY UNKNOWN\r\n' GET; want;"
		"reply 'x' next; send; done; receive POST5; read early=4;"
		"want keep; room 4; receive 'hell'; asks answer;"
		"body 'hell'"},
	{"a greeting is none",
		"open keep; greet; reply 'hi' next; send; IDLE recv/- 10ms;"
		"receive GET; want; nth 1; asks answer; reply 'x' next; send;"
		"asks done"},
};

static const struct play times[] = {
	/* of the first, from accept; of others, from their first byte */
	{"a head has its time",
		FIRST "pass 39ms; receive 'G'; HEAD recv/- 10ms; pass 9ms;"
		      "receive 'ET'; HEAD recv/- 1ms; expire; asks 408;"
		      "keeps not"},
	{"a body has its time",
		FIRST
		"pass 39ms; receive POST5; want; BODY recv/- 20ms; expire;"
		"asks 408; keeps not"},
	{"a client that is silent",
		FIRST "expire; OVER timed-out; closes -/FIN"},
	{"a client that may be silent",
		"open keep idle=never; receive GET; " ANSWERED
		"IDLE recv/- never"},
	{"a client that may be silent after one reply for less, or more",
		"$ from 1 to 90; open keep; receive GET; want;"
		"reply 'a' idle=$ next; send; done; IDLE recv/- $;"
		"receive GET; want; reply 'a' next; send; done;"
		"IDLE recv/- 40ms"},
	{"or after one piece",
		"open tcp framing='lines'; receive 'a\n'; reply 'b' idle=7 next;"
		"send; IDLE recv/- 7; receive 'a'; HEAD recv/- 7;"
		"receive '\n'; reply 'b' next; send; IDLE recv/- 40ms"},
	{"a client that takes nothing",
		FIRST "receive GET; want; reply 'x' next; expire;"
		      "OVER timed-out reset"},
};

/* Nothing is read while a reply is sent, so they have come before. */
static const struct play at_once[] = {
	{"several at once",
		"open keep; receive GET POST5 'helloGET'; want; kept GET;"
		"reply 'one' next; REPLY -/send 30ms; send; asks done;"
		"received 27; pass 3ms; done; asks next; next; want keep;"
		"asks answer; nth 2; kept POST5 'hello'; body 'hello';"
		"reply 'two' next; send; asks done; received 52; done;"
		"asks next; next; HEAD recv/- 10ms; nth 3;"
		"receive ' / HTTP/1.1\r\nHost: a\r\n\r\n'; want; asks answer;"
		"kept GET; reply 'three' close; deliver; finish; OVER answered"},
	{"a refusal among them",
		"open keep; receive GET GET GET; want; reply 'x' next; send;"
		"done; next; asks route; kept GET; keeps yes; reply 'no' next;"
		"send; asks done; received 27; done; next; want; kept GET;"
		"asks answer"},
	{"a malformed one among them",
		"open keep; receive GET 'GET /\r\n'; want; reply 'x' next; send;"
		"done; next; asks 400; keeps not; answer; deliver; finish"},
	{"what comes after the last one is not parsed",
		"open keep; receive GET 'junk\r\n\r\n'; want; reply 'x' close;"
		"deliver; finish; DRAIN recv/-; receive FIN; OVER answered;"
		"sent 'x'"},
	{"what comes after a chunked body",
		"open keep; receive CHUNKED '3\r\nabc\r\n0\r\n\r\n' GET;"
		"want keep; body 'abc'; reply 'x' next; send; done; next;"
		"want; kept GET; asks answer"},
	{"what comes after a body is not read in its way",
		"$ from 5 to 9;"
		"open keep; receive POST5 'hello' GET; read stop=$; want keep;"
		"asks answer; body 'hello'; reply 'x' next; send; done; next;"
		"want; kept GET; asks answer"},
	{"what comes after chunks is not read in their way",
		"$ from 15 to 20;"
		"open keep; receive CHUNKED '5\r\nhello\r\n0\r\n\r\n' GET;"
		"read stop=$; want keep; asks answer; body 'hello'"},
	/* more than is held of any one */
	{"more at once than is held",
		"open keep max=4096; receive 100*'GET / HTTP/1.1\r\nHost: a\r\n\r\n';"
		"99 times (want; kept GET; reply 'x' next; send; done; next);"
		"want; kept GET; reply 'x' next; send; done; IDLE recv/- 40ms;"
		"nth 100"},
};

#define EARLY(some, part, in) \
	"open keep; receive POST5 " some "; read early=" part "; want keep;" \
	"asks answer; keeps told; reply 'no' next; REPLY " in "/send 30ms;" \
	"send;"

/* The reply comes first, and then the rest of the body. */
static const struct play early[] = {
	{"a reply that did not wait for the body",
		EARLY("", "0",
			"recv") "REPLY recv/- 20ms; pass 19ms; receive 'hel';"
				"REPLY recv/- 20ms; receive 'lo'; asks done;"
				"received 52; sent 'no'; done; received 0;"
				"IDLE recv/- 40ms; receive GET; want; kept GET;"
				"nth 2; asks answer"},
	{"a reply that waited for a part of it",
		"$ from 1 to 4;" EARLY("'hello'", "$",
			"-") "asks done; received 52;"
			     "done; IDLE"},
	{"another request comes at once after it",
		EARLY("'hel'", "2",
			"recv") "receive 'lo' GET; asks done; received 52;"
				"done; asks next; next; want; kept GET;"
				"nth 2; reply 'x' next; send; done; IDLE"},
	{"all of that was there",
		EARLY("'hello' GET", "0", "-") "asks done;"
					       "received 52; done;"
					       "asks next; next;"
					       "want; kept GET"},
	{"each byte of it",
		"open keep; receive CHUNKED; read early=0; want keep; keeps told;"
		"reply 'no' next; send; drip '3\r\nabc\r\n0\r\n\r';"
		"REPLY recv/- 20ms; receive '\n'; asks done; done; IDLE"},
	{"somebody is told of it",
		"open keep tells; receive POST5; read early=0; want keep;"
		"reply 'no' next; send; receive 'hel'; asks tell; told;"
		"REPLY recv/- 20ms; receive 'lo' GET; asks done; done;"
		"asks next"},
	{"it was wanted in part, then answered",
		EARLY("'h'", "1",
			"recv") "receive 'ello'; asks done; done; IDLE"},
	{"who was to wait for 100 (Continue) may send no body",
		"open keep; receive EXPECT; read early=0; want keep; keeps not"},
	{"unless some of it has come",
		"open keep; receive EXPECT 'h'; read early=1; want keep;"
		"keeps told"},
	{"a reply that closes reads no body that way",
		"open keep; receive POST5; read early=0; want keep;"
		"reply 'no' close; send; FINISH recv/finish"},
	{"a reply that is deaf",
		"open keep; receive POST5; read early=0; want keep;"
		"reply deaf 'no' next; send; FINISH -/finish"},
	{"it comes while the reply is sent",
		"open keep; receive POST5; read early=0; want keep;"
		"reply 'no' next; REPLY recv/send 30ms; receive 'hel';"
		"REPLY recv/send 30ms; send 1; pass 20ms; receive 'lo' GET;"
		"REPLY -/send 10ms; send; asks done; received 52; sent 'no';"
		"done; asks next; next; want; kept GET"},
	{"it comes while the reply is sent, and somebody is told",
		"open keep tells; receive POST5; read early=0; want keep;"
		"reply 'no' next; receive 'hel'; asks tell; told;"
		"REPLY recv/send 30ms; send; receive 'lo'; asks done"},
	{"a pause goes on meanwhile",
		"open keep; receive POST5; read early=0; want keep;"
		"reply pause 9ms 'no' next; pass 5ms; receive 'hello';"
		"REPLY -/- 4ms; expire; REPLY -/send; send; asks done"},
	{"it comes while more of the reply is waited for",
		"open keep; receive POST5; read early=0; want keep;"
		"reply more next; asks more; give; receive 'hello';"
		"REPLY -/- never; pushed; give 'no' last; send; asks done"},
	{"the client finishes while the reply is sent",
		"open keep; receive POST5; read early=0; want keep;"
		"reply 'no' next; receive 'hel'; receive FIN;"
		"REPLY -/send 30ms; send; FINISH -/finish; finish;"
		"OVER answered; closes FIN/FIN first; sent 'no'"},
	/* what of it is in the reply stays where it is */
	{"a large one comes while the reply is sent",
		"open keep max=4096; receive 'POST / HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 200000\r\n\r\n' 100*'y'; read early=100;"
		"want keep; echo; 9 times (send 1; offer 9999*'x');"
		"REPLY recv/send; send; sent 100*'y'; REPLY recv/- 20ms;"
		"offer 9999*'x'; REPLY recv/- 20ms"},
	{"what has come of it took all of the room",
		"open keep max=4096; receive 'POST / HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 200000\r\n\r\n'; read early=8140;"
		"want keep; room 8140; receive 8140*'y'; asks answer;"
		"reply 'no' next; REPLY recv/send 30ms; send;"
		"REPLY recv/- 20ms; receive 9999*'x'; REPLY recv/- 20ms"},
	{"one of more than 1 GiB is not waited for",
		"open keep; receive 'POST / HTTP/1.1\r\nHost: a\r\n"
		"Content-Length: 1073741825\r\n\r\n'; read early=0;"
		"want keep; keeps not; reply 'no' next; REPLY recv/send;"
		"flood 99999; send; FINISH recv/finish; finish; DRAIN;"
		"receive FIN; OVER answered"},
	{"it does not come",
		EARLY("", "0",
			"recv") "expire; FINISH recv/finish; finish; DRAIN;"
				"receive 'hello'; receive FIN; OVER answered"},
	{"the client finishes instead",
		EARLY("", "0", "recv") "receive FIN; FINISH -/finish; finish;"
				       "OVER answered; closes FIN/FIN first"},
	{"the client resets instead",
		EARLY("", "0", "recv") "receive ECONNRESET; OVER reset"},
	{"it is malformed",
		"open keep; receive CHUNKED; read early=0; want keep;"
		"reply 'no' next; send; receive 'x\r\n'; FINISH recv/finish;"
		"finish; DRAIN recv/-; receive FIN; OVER answered"},
};

#define ASKS(head) "open keep; receive '" head "\r\n\r\n'; asks route;"
#define NEW(field) ASKS("GET / HTTP/1.1\r\nHost: a\r\n" field)
#define OLD(field) ASKS("GET / HTTP/1.0\r\n" field)

/* RFC 9112 9.3 */
static const struct play may_keep[] = {
	{"HTTP/1.1", ASKS("GET / HTTP/1.1\r\nHost: a") "keeps yes"},
	{"HTTP/1.1, and close", NEW("Connection: close") "keeps told"},
	{"HTTP/1.1, and Close in a list",
		NEW("connection: TE ,\tClose") "keeps told"},
	{"HTTP/1.1, and close in the second field",
		NEW("Connection: TE\r\nConnection: close") "keeps told"},
	{"HTTP/1.1, and close both ways",
		NEW("Connection: keep-alive, close") "keeps told"},
	{"HTTP/1.1, and another word", NEW("Connection: closed") "keeps yes"},
	{"HTTP/1.1, and nothing", NEW("Connection:") "keeps yes"},
	{"HTTP/1.0", ASKS("GET / HTTP/1.0") "keeps told"},
	{"HTTP/1.0, and keep-alive",
		OLD("Connection: Keep-Alive") "keeps said"},
	{"HTTP/1.0, and both",
		OLD("Connection: keep-alive,close") "keeps told"},
	{"without the option", "receive GET; asks route; keeps told"},
	{"a body that has not come",
		"open keep; receive POST5 'hell';"
		"asks route; keeps not; want; keeps not"},
	{"a body that has",
		"open keep; receive POST5 'hello';"
		"asks route; keeps not; want; keeps yes"},
	{"a chunk that is malformed",
		"open keep; receive CHUNKED 'x'; want; asks 400; keeps not"},
	{"a head that is malformed, and answered later",
		"open keep; receive 'POST / HTTP/1.1\r\n'"
		"'Content-Length: 5\r\n\r\nhello'; asks 400; keeps not;"
		"defer never; keeps not"},
	{"a body that is too large",
		"open keep; receive POST5; want 4; asks 413; keeps not"},
	{"the last exchange",
		"open keep exchanges=2; receive GET; keeps yes; " ANSWERED
		"receive GET; keeps told"},
	{"a greeting", "open keep; greet; keeps not"},
	{"a server that stops",
		"open keep; receive GET; want; defer never; stop told;"
		"keeps not; replied; reply 'x' close; deliver; finish"},
};

/* What a connection becomes after a reply. */
static const struct play becomes[] = {
	{"HTTP within a tunnel, whose first request has come",
		"open; receive CONNECT GET; want; asks answer; kept CONNECT;"
		"keeps told; reply 'ok' next to-http; send; asks done;"
		"received 33; done; asks next; received 27; next; want; nth 2;"
		"kept GET; keeps told; reply 'x' close; deliver; finish;"
		"OVER answered; received 27; closes -/FIN"},
	{"each byte of a tunnel",
		"open keep; 3 times (drip CONNECT; want; reply 'ok'"
		"next to-http; send; done; IDLE recv/- 40ms; drip GET; want;"
		"kept GET; reply 'x' next; send; done); nth 6"},
	{"a second CONNECT, which is refused",
		"open keep; receive CONNECT; want; reply 'ok' next to-http;"
		"send; done; receive CONNECT GET; want; reply 'no' next; send;"
		"done; next; want; kept GET; nth 3"},
	{"a request that is malformed, inside",
		"open; receive CONNECT 'x\r\n'; want; reply 'ok' next to-http;"
		"send; done; next; refused 400 'malformed request line';"
		"finish; DRAIN recv/- 2000ms"},
	{"HTTP after a head that was refused",
		"open keep; receive 'GET / HTTP/1.1\r\n\r\n' GET; see;"
		"keeps told; reply 'x' next; send; done; next; want; nth 2;"
		"kept GET; keeps yes; reply 'x' close; deliver; finish;"
		"OVER answered"},
	{"nothing after one that announces a body",
		"open keep; receive 'POST / HTTP/1.1\r\nContent-Length: 9\r\n"
		"\r\n' GET; see; keeps not"},
	{"nor after one that announces it in an odd way",
		"open keep; receive 'POST / HTTP/1.1\r\n"
		"transfer-encoding : x\r\n\r\n' GET; see; keeps not"},
	{"nor after one without an end",
		"open keep; receive 'GET / HTTP/1.1\r\nX : y\r\n'; receive FIN;"
		"see; keeps not"},
	{"nor after one of which more is seen",
		"open keep; receive 'GET / HTTP/1.1\r\n\r\n' GET; see-more; see;"
		"keeps not"},
	{"nor after what is no head",
		"open keep; receive '\x16\x03\x01' GET; see; keeps not"},
	{"a time-out, inside",
		"open; receive CONNECT 'GET /'; want; reply 'ok' next to-http;"
		"send; pass 3ms; done; pass 2ms; next;"
		"HEAD recv/- 10ms; expire; asks 408"},
	{"pieces, the first of which have come",
		"open framing='lines'; receive CONNECT 'a\nb\nc'; want;"
		"kept CONNECT; reply 'ok' next to-bytes; send; asks done;"
		"received 33; sent 'ok'; done; asks next; next; piece 2 'a\n';"
		"received 5; echo; send; asks next; next; piece 3 'b\n'; echo;"
		"send; asks next; next; HEAD recv/- 40ms; receive '\n';"
		"piece 4 'c\n'; echo; send; IDLE recv/- 40ms; received 6;"
		"sent 'a\nb\nc\n'; receive FIN; FINISH; finish;"
		"OVER answered; closes FIN/FIN first"},
	{"each byte of pieces",
		"open framing='lines'; drip CONNECT; want; reply 'ok'"
		"next to-bytes; send; done; 3 times (IDLE recv/- 40ms;"
		"drip 'abc\n'; asks answer; body 'abc\n'; echo; send); nth 4"},
	{"bytes that no framing cuts",
		"open; receive CONNECT 'ab'; want; reply next to-bytes; done;"
		"next; piece 2 'ab'; echo; send; IDLE recv/- 40ms;"
		"receive 'cd'; piece 3 'cd'"},
	{"a piece that its client's end cuts off",
		"open framing='lines'; receive CONNECT 'a'; want;"
		"reply next to-bytes; done; next; HEAD recv/- 40ms;"
		"receive FIN; last-piece 2 'a'"},
	{"a piece is no longer, whatever came with the request",
		"open keep; receive POST5; want keep;"
		"offer 'hello' CONNECT 200000*'y'; taken 131025;"
		"reply 'x' next; send; done; next; want; reply next to-bytes; done;"
		"next; piece 3 65536*'y'; echo; send; asks next; next;"
		"piece 4 65451*'y'"},
	{"nor with framing",
		"open keep framing='lines'; receive POST5; want keep;"
		"offer 'hello' CONNECT 200000*'y'; taken 131025;"
		"reply 'x' next; send; done; next; want; reply next to-bytes;"
		"done; next;"
		"ignored 'a piece is longer than 65536 bytes'"},
	{"HTTP after pieces, which are over then",
		"open tcp framing='lines'; receive 'x\ny\n' GET; piece 1 'x\n';"
		"echo; send; next; piece 2 'y\n'; reply 'ok' next to-http;"
		"send; asks done; received 4; sent 'x\nok'; done; asks next;"
		"next; want; nth 3; kept GET; received 27; reply 'x' close;"
		"deliver; finish; OVER answered"},
	{"and pieces once more",
		"open; 3 times (receive CONNECT; want; reply next to-bytes;"
		"done; receive 'a'; asks answer; body 'a'; reply 'ok'"
		"next to-http; send; asks done; received 1; done); nth 6"},
	{"a handshake, the first bytes of which have come",
		"open; receive CONNECT 'hello'; want; reply 'ok' next to-tls;"
		"send; asks done; received 33; done; asks next; received 5"},
	{"each byte of a handshake",
		"open; drip CONNECT; want; reply 'ok' next to-tls; send; done;"
		"IDLE recv/- 40ms; drip GET; want; kept GET; nth 2"},
	{"the client's end is that of all",
		"open; receive CONNECT; want; reply 'ok' pause 5ms"
		"next to-http; send; leave; expire; asks done; done;"
		"IDLE recv/-; receive FIN; FINISH; finish; OVER answered"},
	{"a server that stops has no tunnel",
		"open; receive CONNECT; want; reply 'ok' next to-http;"
		"stop told; send; FINISH; finish; OVER answered"},
};

static const struct play closes[] = {
	{"the client closes between two",
		FIRST "receive FIN; FINISH -/finish; finish; OVER answered;"
		      "closes FIN/FIN first"},
	{"the client closes before it was answered",
		"open keep; receive GET GET; want; reply 'x' pause 5ms next;"
		"send; leave; expire; asks done; done; next; want;"
		"reply 'y' next; send; asks done; done; receive FIN; finish;"
		"OVER answered; closes FIN/FIN first"},
	{"the client resets between two",
		FIRST "receive ECONNRESET; OVER reset; closes RST/FIN first"},
	{"the client closes in a head",
		FIRST "receive 'GET'; receive FIN; asks 400; keeps not"},
	{"the server resets",
		FIRST "receive GET; want; reply 'x' flush reset;"
		      "send; flush; OVER answered reset"},
	/* its reply had promised otherwise */
	{"the server stops meanwhile",
		"open keep; receive GET; want; reply next; asks done;"
		"stop enough; done; FINISH recv/finish; finish; DRAIN recv/-;"
		"receive FIN; OVER answered"},
	{"the server stops, and more has come",
		"open keep; receive GET GET; want; reply 'x' next; stop told;"
		"send; FINISH recv/finish; finish; DRAIN recv/-; receive FIN;"
		"OVER answered; sent 'x'"},
};

#define STOPPED "OVER stopped; closes -/FIN"
#define LAST "send; FINISH -/finish; finish; OVER answered; closes -/FIN"

static const struct place places[] = {
	{"between two", FIRST "unlend;",
		{"OVER reset; closes RST/FIN first", STOPPED, STOPPED,
			STOPPED}},
	{"in the second head", FIRST "receive 'GET';",
		{"OVER reset; closes RST/FIN first", STOPPED, STOPPED,
			STOPPED}},
	{"in a reply that keeps it",
		"open keep; receive GET; want; reply 'xyz' next; send 1;",
		{"OVER reset; closes RST/FIN first", STOPPED, "send; FINISH",
			"send; FINISH"}},
	{"in the body after an early reply", EARLY("", "0", "recv"),
		{"OVER reset; closes RST/FIN first",
			"OVER answered; still-sending; closes -/FIN",
			"OVER answered; still-sending; closes -/FIN",
			"OVER answered; still-sending; closes -/FIN"}},
	{"in its second reply", FIRST "receive GET; want; reply 'x' next;",
		{"OVER reset; closes RST/FIN first", STOPPED, LAST, LAST}},
};

int
main(void)
{
	Suite *suite = suite_create("conn_next");
	TCase *tcase = tcase_create("next");

	add_plays(tcase, one_by_one, COUNT(one_by_one));
	add_plays(tcase, times, COUNT(times));
	add_plays(tcase, at_once, COUNT(at_once));
	add_plays(tcase, may_keep, COUNT(may_keep));
	add_plays(tcase, becomes, COUNT(becomes));
	add_plays(tcase, closes, COUNT(closes));
	add_plays(tcase, early, COUNT(early));
	rt_test_case(suite, tcase);
	add_places(suite, places, COUNT(places));
	return rt_test_run(suite);
}
