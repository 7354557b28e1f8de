/* SPDX-License-Identifier: MIT */
/* Tests of canned.c: every member of a user's reply, byte for byte. */
#include "config.h"

#include "canned/canned.h"
#include "os/io.h"
#include "unit/heads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define TOLD "Date: " DATE "\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"
#define END "Connection: close\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"

static char error[RETORT_ERROR_SIZE];

/* The error about a reply that cannot be given. */
static int
try_canned(const struct retort_reply *as, enum retort_protocol protocol,
	char *why)
{
	struct rt_error wrong;
	struct rt_canned *canned = rt_canned_new(as, protocol, &wrong);
	int code = canned != NULL ? 0 : -errno;

	rt_canned_free(canned);
	return code < 0 ? rt_fail(why, code, "%s", wrong.text) : code;
}

/* --- answering --- */

static void
assert_text(const struct bytes *got, const char *expected)
{
	assert_bytes(got->data, got->size, expected, strlen(expected));
}

/* Answers a request that is text; the reply is the caller's to free. */
static void
answer_at(struct rt_canned *canned, const char *request, const char *date,
	struct rt_reply *reply)
{
	struct rt_http *http =
		head_read(request, strlen(request), &usual_limits);

	rt_canned_answer(canned,
		&(struct rt_occasion){
			.request = rt_http_request(http),
			.came = {request, strlen(request)},
			.date = date,
		},
		reply);
	rt_http_free(http);
}

static void
answer(struct rt_canned *canned, const char *request, struct rt_reply *reply)
{
	answer_at(canned, request, DATE, reply);
}

static struct rt_canned *
can(const struct retort_reply *as)
{
	struct rt_error wrong;
	struct rt_canned *canned;

	ck_assert_msg(try_canned(as, RETORT_HTTP, error) == 0, "refused: %s",
		error);
	canned = rt_canned_new(as, RETORT_HTTP, &wrong);
	ck_assert_ptr_nonnull(canned);
	return canned;
}

/* The reply to a request. */
static struct bytes
given(const struct retort_reply *as, const char *request)
{
	struct rt_canned *canned = can(as);
	struct rt_reply reply;
	struct bytes got;

	rt_reply_init(&reply);
	answer(canned, request, &reply);
	/* what is under way outlives what it was made of */
	rt_canned_free(canned);
	got = script_played(&reply);
	rt_reply_free(&reply);
	return got;
}

static void
expect_bytes(const struct retort_reply *as, const char *request,
	const void *expected, size_t size)
{
	struct bytes got = given(as, request);

	assert_bytes(got.data, got.size, expected, size);
	bytes_free(&got);
}

/* To a client that knows no chunks, parts go until the connection's end; all
   else is as it was given. */
START_TEST(parts_for_old_clients)
{
	static const char get[] = "GET / HTTP/1.0\r\n\r\n";
	static const char parts[] = OK TOLD
		"Content-Type: text/plain; charset=utf-8\r\n" END "a<2 ms>bc";
	static const char plain[] = OK TOLD
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Transfer-Encoding: chunked\r\n" END "3\r\nabc\r\n0\r\n\r\n";

	expect_bytes(&(struct retort_reply){.parts = "1 2",
			     .chunked = true,
			     .body = "abc"},
		get, parts, strlen(parts));
	expect_bytes(&(struct retort_reply){.chunked = true, .body = "abc"},
		get, plain, strlen(plain));
}
END_TEST

/* --- replies to GET, and to HEAD --- */

#define B(text) .body = (text)

static const struct {
	struct retort_reply as;
	const char *got;
	const char *head; /* to HEAD; NULL: up to the empty line */
} replies[] = {
	{{.status = 0}, OK TOLD "Content-Length: 0\r\n" END, NULL},
	{{B("hello")}, OK TOLD TEXT "Content-Length: 5\r\n" END "hello", NULL},
	{{B("")}, OK TOLD "Content-Length: 0\r\n" END, NULL},
	{{B("hello"), .body_size = 2},
		OK TOLD TEXT "Content-Length: 2\r\n" END "he", NULL},
	/* status, reason, version */
	{{.status = 999},
		"HTTP/1.1 999 Unknown\r\n" TOLD "Content-Length: 0\r\n" END,
		NULL},
	{{.status = 404, .reason = "No Such \"Thing\""},
		"HTTP/1.1 404 No Such \"Thing\"\r\n" TOLD
		"Content-Length: 0\r\n" END,
		NULL},
	{{.reason = ""}, "HTTP/1.1 200 \r\n" TOLD "Content-Length: 0\r\n" END,
		NULL},
	{{.version = "HTTP/1.0"},
		"HTTP/1.0 200 OK\r\n" TOLD "Content-Length: 0\r\n" END, NULL},
	{{.version = "ICY", .reason = "\x80"},
		"ICY 200 \x80\r\n" TOLD "Content-Length: 0\r\n" END, NULL},
	/* a type, with a body and without */
	{{.type = "a/b"},
		OK TOLD "Content-Type: a/b\r\nContent-Length: 0\r\n" END, NULL},
	{{.type = "a/b", B("x")},
		OK TOLD "Content-Type: a/b\r\nContent-Length: 1\r\n" END "x",
		NULL},
	/* fields as they are, in their order */
	{{.fields = "x-B:2\nX-a:  1\t\r\n\r\nx-b: 3\nEmpty:"},
		OK TOLD "Content-Length: 0\r\nx-B:2\r\nX-a:  1\t\r\n"
			"x-b: 3\r\nEmpty:\r\n" END,
		NULL},
	{{.fields = "Content-TYPE: a/b\ndate: now\ncontent-length: 77\n"
		    "CONNECTION: keep-alive",
		 B("x")},
		OK "Content-TYPE: a/b\r\ndate: now\r\ncontent-length: 77\r\n"
		   "CONNECTION: keep-alive\r\n\r\nx",
		NULL},
	{{.fields = "Date: 1\nDate: 2"},
		OK "Content-Length: 0\r\nDate: 1\r\nDate: 2\r\n" END, NULL},
	/* what retort would send, left out */
	{{.omit = "date\nCONTENT-LENGTH\r\nConnection\nContent-Type\nX",
		 B("x")},
		OK "\r\nx", NULL},
	{{.omit = "Connection", B("x")},
		OK TOLD TEXT "Content-Length: 1\r\n\r\nx", NULL},
	{{.omit = "X-A\nDate", .fields = "X-A: 1\ndate: 2"},
		OK "Content-Length: 0\r\nX-A: 1\r\ndate: 2\r\n" END, NULL},
	/* framing that the user gives in addition to the real one */
	{{.fields = "Transfer-Encoding: gzip", B("x")},
		OK TOLD TEXT "Content-Length: 1\r\n"
			     "Transfer-Encoding: gzip\r\n" END "x",
		NULL},
	{{.fields = "Transfer-Encoding: gzip, chunked",
		 .chunked = true,
		 B("x")},
		OK TOLD TEXT "Transfer-Encoding: gzip, chunked\r\n" END
			     "1\r\nx\r\n0\r\n\r\n",
		NULL},
	{{.fields = "Content-Length: 3", .chunked = true, B("x")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n"
			     "Content-Length: 3\r\n" END "1\r\nx\r\n0\r\n\r\n",
		NULL},
	{{.omit = "Transfer-Encoding", .chunked = true, B("x")},
		OK TOLD TEXT END "1\r\nx\r\n0\r\n\r\n", NULL},
	/* again and again */
	{{B("abc"), .repeat = 8},
		OK TOLD TEXT "Content-Length: 8\r\n" END "abcabcab", NULL},
	{{B("abc"), .repeat = 3},
		OK TOLD TEXT "Content-Length: 3\r\n" END "abc", NULL},
	{{B("abc"), .repeat = 2}, OK TOLD TEXT "Content-Length: 2\r\n" END "ab",
		NULL},
	{{B("abc"), .body_size = 1, .repeat = 4},
		OK TOLD TEXT "Content-Length: 4\r\n" END "aaaa", NULL},
	{{B("abc"), .repeat = 7, .chunks = "2 3"},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "2\r\nab\r\n3\r\ncab\r\n2\r\nca\r\n0\r\n\r\n",
		NULL},
	/* chunks */
	{{.chunked = true, B("hello")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "5\r\nhello\r\n0\r\n\r\n",
		NULL},
	{{.chunked = true},
		OK TOLD "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n", NULL},
	{{.chunks = "1", B("hello")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
		NULL},
	{{.chunks = "2 3", B("hello")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
		NULL},
	{{.chunks = "2 3", B("0123456789abcdefghijk")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "2\r\n01\r\n3\r\n234\r\n10\r\n56789abcdefghijk"
			     "\r\n0\r\n\r\n",
		NULL},
	{{.chunks = "100", B("hello")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "5\r\nhello\r\n0\r\n\r\n",
		NULL},
	{{.chunks = "", B("hello")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "5\r\nhello\r\n0\r\n\r\n",
		NULL},
	/* trailers */
	{{.trailers = "X-Sum: 1\r\nx-sum:2\n", B("hello")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum:2\r\n\r\n",
		NULL},
	{{.trailers = "", B("a")},
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
			     "1\r\na\r\n0\r\n\r\n",
		NULL},
	/* interim replies */
	{{.interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		     "HTTP/1.1 100\n\n",
		 B("a")},
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100\n\n" OK
			TOLD TEXT "Content-Length: 1\r\n" END "a",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100\n\n" OK
			TOLD TEXT "Content-Length: 1\r\n" END},
	/* pauses; without a body there is none before it */
	{{.pause_head = 1,
		 .pause_body = 2,
		 .pause_chunk = 3,
		 .pause_end = 4,
		 B("ab")},
		"<1 ms>" OK TOLD TEXT "Content-Length: 2\r\n" END
		"<2 ms>ab<4 ms>",
		"<1 ms>" OK TOLD TEXT "Content-Length: 2\r\n" END "<4 ms>"},
	{{.pause_head = 1,
		 .pause_body = 2,
		 .pause_chunk = 3,
		 .pause_end = 4,
		 .chunks = "2 3",
		 .trailers = "A: b",
		 B("abcdef")},
		"<1 ms>" OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
		"<2 ms>2\r\nab\r\n<3 ms>3\r\ncde\r\n<3 ms>1\r\nf\r\n"
		"<3 ms>0\r\nA: b\r\n\r\n<4 ms>",
		"<1 ms>" OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END
		"<4 ms>"},
	/* parts, with the time after each; what is not said is the last */
	{{.parts = "1 200, 2 0", B("abcdef")},
		OK TOLD TEXT "Content-Length: 6\r\n" END
			     "a<200 ms>bc<flush>def",
		OK TOLD TEXT "Content-Length: 6\r\n" END},
	{{.parts = "1 200,2 0,",
		 .chunked = true,
		 .trailers = "A: b",
		 .pause_body = 5,
		 B("abcdef")},
		OK TOLD TEXT
		"Transfer-Encoding: chunked\r\n" END
		"<5 ms>1\r\na\r\n<200 ms>2\r\nbc\r\n<flush>3\r\ndef\r\n"
		"0\r\nA: b\r\n\r\n",
		OK TOLD TEXT "Transfer-Encoding: chunked\r\n" END},
	{{.parts = "0 7 2 8", .omit = "Content-Length", B("ab")},
		OK TOLD TEXT END "<7 ms>ab<8 ms>", OK TOLD TEXT END},
	/* the rest, and what is beyond it */
	{{.parts = "5 1, 5 2, 5 3", B("abc")},
		OK TOLD TEXT "Content-Length: 3\r\n" END "abc<1 ms>",
		OK TOLD TEXT "Content-Length: 3\r\n" END},
	{{.parts = "4 9", .repeat = 7, B("abc")},
		OK TOLD TEXT "Content-Length: 7\r\n" END "abca<9 ms>bca",
		OK TOLD TEXT "Content-Length: 7\r\n" END},
	{{.parts = "1 9", .chunked = true},
		OK TOLD "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n",
		OK TOLD "Transfer-Encoding: chunked\r\n" END},
	{{.interim = "HTTP/1.1 100 Continue\r\n\r\n", .pause_head = 86400000},
		"HTTP/1.1 100 Continue\r\n\r\n<86400000 ms>" OK TOLD
		"Content-Length: 0\r\n" END,
		"HTTP/1.1 100 Continue\r\n\r\n<86400000 ms>" OK TOLD
		"Content-Length: 0\r\n" END},
	/* no body, and nothing that announces one */
	{{.status = 204}, "HTTP/1.1 204 No Content\r\n" TOLD END, NULL},
	/* after a 101 comes another protocol */
	{{.status = 101, .fields = "Upgrade: x"},
		"HTTP/1.1 101 Switching Protocols\r\n" TOLD
		"Upgrade: x\r\n" END,
		NULL},
	{{.status = 101, B("first"), .chunks = "2"},
		"HTTP/1.1 101 Switching Protocols\r\n" TOLD END "first", NULL},
	{{.status = 304, .fields = "ETag: \"x\"", .reason = "Same"},
		"HTTP/1.1 304 Same\r\n" TOLD "ETag: \"x\"\r\n" END, NULL},
	{{.status = 204, .pause_head = 1, .pause_end = 2},
		"<1 ms>HTTP/1.1 204 No Content\r\n" TOLD END "<2 ms>",
		"<1 ms>HTTP/1.1 204 No Content\r\n" TOLD END "<2 ms>"},
	{{.status = 204, .fields = "Content-Length: 5"},
		"HTTP/1.1 204 No Content\r\n" TOLD "Content-Length: 5\r\n" END,
		NULL},
	/* the request as it came */
	{{.echo = true, .status = 202},
		"HTTP/1.1 202 Accepted\r\n" TOLD TEXT
		"Content-Length: 27\r\n" END GET,
		"HTTP/1.1 202 Accepted\r\n" TOLD TEXT
		"Content-Length: 28\r\n" END},
	{{.echo = true, .type = "message/http", .chunks = "1"},
		OK TOLD "Content-Type: message/http\r\n"
			"Transfer-Encoding: chunked\r\n" END
			"1\r\nG\r\n1a\r\nET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n"
			"0\r\n\r\n",
		OK TOLD "Content-Type: message/http\r\n"
			"Transfer-Encoding: chunked\r\n" END},
	/* the whole as it is */
	{{.raw = true, B("any\nthing")}, "any\nthing", "any\nthing"},
	{{.raw = true}, "", ""},
	{{.raw = true, B("x"), .pause_head = 1, .pause_end = 4},
		"<1 ms>x<4 ms>", "<1 ms>x<4 ms>"},
};

START_TEST(says_it)
{
	const char *got = replies[_i].got, *head = replies[_i].head;
	size_t size = strlen(got);

	expect_bytes(&replies[_i].as, GET, got, size);
	if (head != NULL)
		size = strlen(head);
	else
		size = (size_t)(strstr(got, "\r\n\r\n") + 4 - got);
	expect_bytes(&replies[_i].as, HEAD, head ? head : got, size);
	/* and is the same in another version of the protocol, but for parts in
	   chunks: parts_for_old_clients */
	if (!replies[_i].as.echo &&
		!(replies[_i].as.parts != NULL && replies[_i].as.chunked))
		expect_bytes(&replies[_i].as, "GET / HTTP/1.0\r\n\r\n", got,
			strlen(got));
}
END_TEST

/* The head ends where its sizes are counted from, interim replies and all. */
START_TEST(knows_its_head)
{
	const struct retort_reply *as = &replies[_i].as;
	struct rt_canned *canned = can(as);
	struct rt_reply reply;
	struct bytes got;
	uint64_t bytes = 0;

	rt_reply_init(&reply);
	answer(canned, HEAD, &reply);
	for (size_t i = 0; i < reply.step_count; i++)
		if (reply.steps[i].kind == RT_STEP_TEXT)
			bytes += reply.steps[i].size;
	ck_assert_uint_eq(reply.head_size, bytes);
	if (!as->raw)
		ck_assert_int_eq(reply.status, as->status ? as->status : 200);
	ck_assert_int_eq(reply.status, canned->status);
	got = script_played(&reply);
	bytes_free(&got);
	rt_reply_free(&reply);
	rt_canned_free(canned);
}
END_TEST

/* Asks for each kind of head several times, after another and after itself. */
static void
vary(size_t turn, struct rt_reply *reply, const char **request,
	const char **date)
{
	static const char *const requests[] = {GET, GET, HEAD,
		"GET / HTTP/1.0\r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"};
	static const char *const dates[] = {DATE,
		"Mon, 07 Nov 1994 00:00:00 GMT"};

	rt_reply_init(reply);
	reply->keep =
		(enum rt_keep)(turn / 3 / COUNT(requests) % (RT_KEEP_SAID + 1));
	*request = requests[turn / 3 % COUNT(requests)];
	*date = dates[turn % 2];
}

/* A reply that was kept is the one that would be made. */
START_TEST(makes_it_again)
{
	struct rt_canned *canned = can(&replies[_i].as), *fresh;
	struct rt_reply again, first;
	const char *request, *date;

	for (size_t turn = 0; turn < 120; turn++) {
		vary(turn, &again, &request, &date);
		vary(turn, &first, &request, &date);
		fresh = can(&replies[_i].as);
		answer_at(canned, request, date, &again);
		answer_at(fresh, request, date, &first);
		ck_assert_uint_eq(again.head_at, first.head_at);
		ck_assert_uint_eq(again.head_size, first.head_size);
		assert_bytes(again.text.data, again.text.len, first.text.data,
			first.text.len);
		ck_assert_int_eq(again.status, first.status);
		ck_assert_int_eq(again.idle, first.idle);
		ck_assert_int_eq(again.body, first.body);
		ck_assert_uint_eq(again.step_count, first.step_count);
		for (size_t i = 0; i < first.step_count; i++) {
			ck_assert_int_eq(again.steps[i].kind,
				first.steps[i].kind);
			ck_assert_uint_eq(again.steps[i].at, first.steps[i].at);
			ck_assert_uint_eq(again.steps[i].size,
				first.steps[i].size);
		}
		rt_reply_free(&again);
		rt_reply_free(&first);
		rt_canned_free(fresh);
	}
	ck_assert(canned->ready.reply.step_count > 0 || canned->as.echo ||
		canned->as.silent);
	rt_canned_free(canned);
}
END_TEST

/* --- bytes that are not text --- */

START_TEST(nuls_are_bytes)
{
	static const char body[] = "a\0b\0";
	static const char expected[] =
		OK TOLD TEXT "Content-Length: 4\r\n" END "a\0b\0";
	static const char raw[] = "\0\0\r\n";

	expect_bytes(&(struct retort_reply){.body = body, .body_size = 4}, GET,
		expected, sizeof expected - 1);
	expect_bytes(&(struct retort_reply){.raw = true,
			     .body = raw,
			     .body_size = 4},
		GET, raw, 4);
	/* a body that begins with one has its type, too */
	expect_bytes(&(struct retort_reply){.body = body + 1, .body_size = 1},
		GET, OK TOLD TEXT "Content-Length: 1\r\n" END "\0",
		sizeof(OK TOLD TEXT "Content-Length: 1\r\n" END));
}
END_TEST

START_TEST(echoes_what_came)
{
	static const char request[] = "POST /a HTTP/1.1\r\nHost:  x \r\n"
				      "Transfer-Encoding: chunked\r\n\r\n"
				      "3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n";
	char expected[1024];

	(void)snprintf(expected, sizeof expected,
		OK TOLD TEXT "Content-Length: %zu\r\n" END "%s",
		sizeof request - 1, request);
	expect_bytes(&(struct retort_reply){.echo = true}, request, expected,
		strlen(expected));
}
END_TEST

/* --- the status of a raw reply --- */

static const struct {
	const char *bytes;
	int status;
} raws[] = {
	{"HTTP/1.1 418 Teapot\r\n\r\n", 418},
	{"HTTP/1.0 200", 200},
	{"HTTP/1.0 20", 0},
	{"HTTP/1.1 099", 99},
	{"HTTP/1.1 2x0 OK\r\n\r\n", 0},
	{"HTTP/1.1  200 OK\r\n\r\n", 0},
	{"HTTP/2.0 200 OK\r\n\r\n", 200},
	{"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200},
	{"HTTP/1.1 100 C\r\n\r\n", 100},
	{"http/1.1 200 OK\r\n\r\n", 0},
	{"anything at all", 0},
	{"", 0},
};

START_TEST(raw_says_its_status)
{
	struct rt_canned *canned = can(
		&(struct retort_reply){.raw = true, .body = raws[_i].bytes});
	struct rt_reply reply;

	rt_reply_init(&reply);
	answer(canned, GET, &reply);
	ck_assert_int_eq(canned->status, raws[_i].status);
	ck_assert_int_eq(reply.status, raws[_i].status);
	rt_reply_free(&reply);
	rt_canned_free(canned);
}
END_TEST

/* Where a fault finds the head of what is raw. */
START_TEST(raw_bytes_have_a_head)
{
	static const struct {
		const char *bytes;
		size_t at, size;
	} cases[] = {
		{"", 0, 0},
		{"HTTP/1.1 200 OK", 0, 0},
		{"HTTP/1.1 200 OK\r\n\r", 0, 0},
		{"HTTP/1.1 200 OK\r\n\r\n", 0, 19},
		{"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n", 0, 25},
		{"HTTP/9.9 700 \r\n\r\nbody", 0, 17},
		{"HTTP/2 201 Created\r\n\r\n", 0, 22},
		{"220 ready\r\n\r\n", 0, 0},
		{" HTTP/1.1 200 OK\r\n\r\n", 0, 0},
		/* as scenarios have it */
		{"HTTP/1.1 200 OK\n\nbody", 0, 17},
		{"HTTP/1.1 200 OK\nA: b\r\n\nbody", 0, 23},
		{"HTTP/1.1 200 OK\n\r\nbody", 0, 18},
		/* of the final one, after interim ones */
		{"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", 18, 37},
		{"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n"
		 "HTTP/1.1 404 \r\n\r\n",
			42, 59},
		{"HTTP/1.1 101 S\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 0, 18},
		{"HTTP/1.1 100 C\r\n\r\n", 0, 0},
		{"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n", 0, 0},
		{"HTTP/1.1 100 C\r\n\r\nHTTP", 0, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rt_canned *canned =
			can(&(struct retort_reply){.raw = true,
				.body = cases[i].bytes,
				.body_size = strlen(cases[i].bytes)});
		struct rt_reply reply;

		rt_reply_init(&reply);
		answer(canned, GET, &reply);
		ck_assert_msg(reply.head_at == cases[i].at &&
				reply.head_size == cases[i].size,
			"'%s': expected %zu and %zu, got %zu and %zu",
			cases[i].bytes, cases[i].at, cases[i].size,
			reply.head_at, reply.head_size);
		rt_reply_free(&reply);
		rt_canned_free(canned);
	}
}
END_TEST

/* --- repeated bodies --- */

static char
byte_of(const struct rt_step *step, uint64_t i)
{
	return step->bytes[(step->from + i) % step->at];
}

static char
nth(uint64_t i)
{
	return (char)(i * 31 % 251 + 1);
}

/* Where `size` bytes of the body should be those of a period. */
static void
check_repeated(const struct rt_reply *reply, size_t period, uint64_t size)
{
	uint64_t at = 0;

	for (size_t i = 1; i < reply->step_count - 1; i++) {
		const struct rt_step *step = reply->steps + i;
		uint64_t many = step->size < 140000 ? step->size : 140000;

		ck_assert_int_eq(step->kind, RT_STEP_REPEAT);
		ck_assert_uint_lt(step->from, step->at);
		ck_assert_uint_eq(step->at % period, 0);
		/* the first of them, and the last ones */
		for (uint64_t k = 0; k < many; k++) {
			uint64_t last = step->size - 1 - k;

			if (byte_of(step, k) != nth((at + k) % period) ||
				byte_of(step, last) !=
					nth((at + last) % period))
				ck_abort_msg("wrong at %llu or %llu",
					(unsigned long long)(at + k),
					(unsigned long long)(at + last));
		}
		at += step->size;
	}
	ck_assert_uint_eq(at, size);
}

static const size_t periods[] = {1, 2, 3, 7, 251, 4096, 65535, 65536, 65537,
	200000};

START_TEST(repeats_exactly)
{
	static const uint64_t sizes[] = {1, 2, 3, 6, 7, 8, 250, 252, 65535,
		65536, 65537, 131072, 400001, UINT64_C(1) << 32,
		UINT64_C(1) << 63, UINT64_MAX};
	size_t period = periods[_i];
	char *body = malloc(period), length[64];
	struct rt_reply reply;

	ck_assert_ptr_nonnull(body);
	for (size_t i = 0; i < period; i++)
		body[i] = nth(i);
	rt_reply_init(&reply);
	for (int i = 0; i < COUNT(sizes); i++) {
		struct rt_canned *canned = can(&(struct retort_reply){
			.body = body,
			.body_size = period,
			.repeat = sizes[i],
		});
		struct bytes head = {.data = NULL};

		answer(canned, GET, &reply);
		ck_assert(rt_reply_ok(&reply));
		ck_assert_uint_eq(reply.step_count, 3);
		bytes_add(&head, reply.text.data, reply.text.len);
		(void)snprintf(length, sizeof length,
			"\r\nContent-Length: %llu\r\n",
			(unsigned long long)sizes[i]);
		assert_has(head, length);
		check_repeated(&reply, period, sizes[i]);
		bytes_free(&head);
		rt_canned_free(canned);
	}
	rt_reply_free(&reply);
	free(body);
}
END_TEST

/* --- files --- */

static char *folder;
static char name[4096];

static void
open_folder(void)
{
	folder = dir_make();
	(void)snprintf(name, sizeof name, "%s/file.css", folder);
}

static void
close_folder(void)
{
	dir_remove(folder);
}

START_TEST(a_file_is_opened_for_each_reply)
{
	const struct retort_reply as = {.file = name,
		.status = 404,
		.fields = "A: b"};
	struct rt_canned *canned;
	struct rt_reply reply;
	struct bytes got;

	dir_write(folder, "file.css", "one", 3);
	canned = can(&as);
	rt_reply_init(&reply);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_text(&got,
		"HTTP/1.1 404 Not Found\r\n" TOLD
		"Content-Type: text/css; charset=utf-8\r\n"
		"Content-Length: 3\r\nA: b\r\n" END "one");
	bytes_free(&got);
	/* changed, empty, gone, and there again */
	dir_write(folder, "file.css", "longer", 6);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_has(got, "\r\nContent-Length: 6\r\n");
	assert_has(got, "\r\n\r\nlonger");
	bytes_free(&got);
	dir_write(folder, "file.css", "", 0);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_has(got, "\r\nContent-Length: 0\r\n");
	bytes_free(&got);
	ck_assert_int_eq(unlink(name), 0);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_begins(got, "HTTP/1.1 500 Internal Server Error\r\n");
	assert_has(got,
		"\r\n\r\n500 Internal Server Error: "
		"file 'file.css': No such file or directory\n");
	/* of an error nothing is the user's */
	assert_lacks(got, "\r\nA: b\r\n");
	ck_assert_int_eq(reply.status, 500);
	bytes_free(&got);
	dir_write(folder, "file.css", "back", 4);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_begins(got, "HTTP/1.1 404 Not Found\r\n");
	assert_has(got, "\r\n\r\nback");
	bytes_free(&got);
	rt_reply_free(&reply);
	rt_canned_free(canned);
}
END_TEST

START_TEST(a_large_file)
{
	static char data[200000];
	const struct retort_reply as = {.file = name, .type = "a/b"};
	struct rt_canned *canned = can(&as);
	struct rt_reply reply;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = nth(i);
	dir_write(folder, "file.css", data, sizeof data);
	rt_reply_init(&reply);
	answer(canned, GET, &reply);
	ck_assert_uint_eq(reply.step_count, 3);
	ck_assert_int_eq(reply.steps[1].kind, RT_STEP_FILE);
	ck_assert_uint_eq(reply.steps[1].size, sizeof data);
	ck_assert_int_ge(reply.file, 0);
	answer(canned, HEAD, &reply);
	ck_assert_uint_eq(reply.step_count, 2);
	ck_assert_int_eq(reply.file, -1);
	rt_reply_free(&reply);
	rt_canned_free(canned);
}
END_TEST

START_TEST(what_is_no_file)
{
	static const struct {
		const char *name;
		const char *reason;
	} cases[] = {
		{"none", "file 'none': No such file or directory"},
		{"folder", "file 'folder': Is a directory"},
		{"file.css/x", "file 'x': Not a directory"},
	};

	dir_write(folder, "file.css", "x", 1);
	dir_write(folder, "folder/x", "x", 1);
	for (int i = 0; i < COUNT(cases); i++) {
		char path[4200], body[128];
		struct bytes got;

		(void)snprintf(path, sizeof path, "%s/%s", folder,
			cases[i].name);
		got = given(&(struct retort_reply){.file = path,
				    .pause_head = 5},
			GET);
		(void)snprintf(body, sizeof body,
			"\r\n\r\n500 Internal Server Error: %s\n",
			cases[i].reason);
		assert_begins(got, "HTTP/1.1 500 Internal Server Error\r\n");
		assert_has(got, body);
		bytes_free(&got);
		got = given(&(struct retort_reply){.file = path}, HEAD);
		assert_begins(got, "HTTP/1.1 500 Internal Server Error\r\n");
		ck_assert_str_eq(got.data + got.size - 4, "\r\n\r\n");
		bytes_free(&got);
	}
}
END_TEST

/* --- copies --- */

/* A string of its own, for ASan and valgrind to guard. */
static char *
copied(const char *text)
{
	char *copy = strdup(text);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

START_TEST(everything_is_copied)
{
	char *texts[] = {copied("Fine"), copied("HTTP/1.0"), copied("a/b"),
		copied("A: b"), copied("Date"), copied("hello"), copied("T: u"),
		copied("HTTP/1.1 100\r\n\r\n"), copied("2")};
	struct retort_reply *as = malloc(sizeof *as);
	struct rt_canned *canned;
	struct rt_reply reply;
	struct bytes got;

	ck_assert_ptr_nonnull(as);
	*as = (struct retort_reply){.reason = texts[0],
		.version = texts[1],
		.type = texts[2],
		.fields = texts[3],
		.omit = texts[4],
		.body = texts[5],
		.trailers = texts[6],
		.interim = texts[7],
		.chunks = texts[8]};
	canned = can(as);
	for (int i = 0; i < COUNT(texts); i++) {
		memset(texts[i], '#', strlen(texts[i]));
		free(texts[i]);
	}
	memset(as, 0x55, sizeof *as);
	free(as);
	rt_reply_init(&reply);
	answer(canned, GET, &reply);
	/* and is needed no more once the reply is made */
	rt_canned_free(canned);
	got = script_played(&reply);
	assert_text(&got,
		"HTTP/1.1 100\r\n\r\nHTTP/1.0 200 Fine\r\n"
		"Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n"
		"A: b\r\n" END "2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n");
	bytes_free(&got);
	rt_reply_free(&reply);
}
END_TEST

static int
handler(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	return 0;
}

/* Nothing points at what was somebody else's. */
START_TEST(a_rule_is_not_copied)
{
	struct rt_canned *canned = can(&(struct retort_reply){.request = "/",
		.if_field = "A: b",
		.if_contains = "A: b",
		.if_absent = "A",
		.if_body = "x",
		.if_body_size = 1,
		.if_body_has = "x",
		.if_predicate_arg = error,
		.times = 1,
		.handler = handler,
		.handler_arg = error,
		.accepted = true,
		.files = true,
		.status = 201});

	ck_assert_ptr_null(canned->as.request);
	ck_assert_ptr_null(canned->as.if_field);
	ck_assert_ptr_null(canned->as.if_body);
	ck_assert(canned->as.if_predicate == NULL);
	ck_assert_ptr_null(canned->as.if_predicate_arg);
	ck_assert_uint_eq(canned->as.times, 0);
	ck_assert(canned->as.handler == NULL);
	ck_assert_ptr_null(canned->as.handler_arg);
	ck_assert(!canned->as.accepted);
	ck_assert(!canned->as.files);
	ck_assert_int_eq(canned->as.status, 201);
	rt_canned_free(canned);
}
END_TEST

START_TEST(a_name_is_copied)
{
	char *copy = copied(name);
	struct rt_canned *canned = can(&(struct retort_reply){.file = copy});
	struct rt_reply reply;
	struct bytes got;

	dir_write(folder, "file.css", "one", 3);
	memset(copy, '#', strlen(copy));
	free(copy);
	rt_reply_init(&reply);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_has(got, "\r\n\r\none");
	bytes_free(&got);
	rt_reply_free(&reply);
	rt_canned_free(canned);
}
END_TEST

START_TEST(a_borrowed_body_is_not)
{
	char body[] = "hello";
	struct rt_canned *canned =
		can(&(struct retort_reply){.body = body, .borrowed = true});
	struct rt_reply reply;
	struct bytes got;

	ck_assert_ptr_eq(canned->body->data, body);
	memcpy(body, "HELLO", 5);
	rt_reply_init(&reply);
	answer(canned, GET, &reply);
	got = script_played(&reply);
	assert_has(got, "\r\n\r\nHELLO");
	bytes_free(&got);
	rt_reply_free(&reply);
	rt_canned_free(canned);
	rt_canned_free(NULL);
}
END_TEST

/* One body for any number of replies. */
START_TEST(a_body_is_shared)
{
	struct rt_canned *canned = can(&(struct retort_reply){.body = "hello"});
	struct rt_reply several[3];

	for (int i = 0; i < COUNT(several); i++) {
		rt_reply_init(several + i);
		answer(canned, GET, several + i);
	}
	ck_assert_uint_eq(canned->body->owners, 4);
	rt_canned_free(canned);
	for (int i = 0; i < COUNT(several); i++) {
		struct bytes got = script_played(several + i);

		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		rt_reply_free(several + i);
	}
}
END_TEST

START_TEST(strings_are_copied_and_freed)
{
	char fields[] = "A: b";
	struct retort_reply as = {.fields = fields, .body = "not a string"};

	ck_assert(rt_canned_copy_strings(&as));
	ck_assert_ptr_ne(as.fields, fields);
	ck_assert_str_eq(as.fields, "A: b");
	ck_assert_ptr_null(as.omit);
	rt_canned_free_strings(&as);
}
END_TEST

/* --- errors --- */

#define RAW "a raw reply has it in its body, or not at all"
#define BODILESS "status: a 204 or 304 has no body"
#define RANGE "status: expected 101, or 200 to 999"
#define PAUSE(name) "pause_" name ": expected 0 ms or more"

#define CHUNKS(text) "chunks: expected sizes from 1, as \"3 2\": '" text "'"
#define PARTS(text) \
	"parts: expected sizes and ms, as \"5 200, 6 0\": '" text "'"

static const struct {
	struct retort_reply as;
	const char *error;
} refused[] = {
	{{.status = 199}, RANGE},
	{{.status = 1000}, RANGE},
	{{.status = 1}, RANGE},
	{{.status = -1}, RANGE},
	{{.status = 100}, RANGE},
	{{B("a"), .file = "b"}, "file: not with .body"},
	{{B("a"), .echo = true}, "echo: not with .body"},
	{{.file = "b", .echo = true}, "file: not with .echo"},
	{{B("a"), .file = "b", .echo = true}, "file: not with .echo"},
	{{.raw = true, .echo = true}, "raw: not with .echo"},
	{{.raw = true, .file = "b"}, "raw: not with .file"},
	{{.raw = true, B("a"), .repeat = 3}, "raw: not with .repeat"},
	/* what would not count */
	{{.raw = true, .status = 200}, "status: " RAW},
	{{.raw = true, .reason = ""}, "reason: " RAW},
	{{.raw = true, .version = "a"}, "version: " RAW},
	{{.raw = true, .type = "a/b"}, "type: " RAW},
	{{.raw = true, .fields = "A: b"}, "fields: " RAW},
	{{.raw = true, .omit = "Date"}, "omit: " RAW},
	{{.raw = true, .chunked = true}, "chunked: " RAW},
	{{.raw = true, .trailers = "A: b"}, "trailers: " RAW},
	{{.raw = true, .interim = "a"}, "interim: " RAW},
	{{.raw = true, .pause_body = 1}, "pause_body: " RAW},
	{{.raw = true, .pause_chunk = 1}, "pause_chunk: " RAW},
	{{.idle = -2}, "idle: expected milliseconds, or -1 for ever"},
	{{.body_size = 1}, "body_size: there is no .body"},
	{{.repeat = 1}, "repeat: there is no body"},
	{{.repeat = 1, B("")}, "repeat: there is no body"},
	{{.repeat = 1, .file = "a"}, "repeat: there is no body"},
	{{.repeat = 1, .echo = true}, "repeat: there is no body"},
	{{.status = 204, B("a")}, BODILESS},
	{{.status = 304, .file = "a"}, BODILESS},
	{{.status = 204, .echo = true}, BODILESS},
	{{.status = 304, B("\0"), .body_size = 1}, BODILESS},
	{{.parts = "1 2", .chunks = "1"}, "chunks: not with .parts"},
	{{.chunks = "3 0"}, CHUNKS("3 0")},
	{{.chunks = "3,2"}, CHUNKS("3,2")},
	{{.parts = "1"}, PARTS("1")},
	{{.parts = "1 "}, PARTS("1 ")},
	{{.parts = "1,2"}, PARTS("1,2")},
	{{.parts = "1 2, a"}, PARTS("1 2, a")},
	{{.parts = "1 2x"}, PARTS("1 2x")},
	{{.parts = "-1 2"}, PARTS("-1 2")},
	{{.parts = " "}, PARTS(" ")},
	{{.parts = "1 1000000000"}, PARTS("1 1000000000")},
	{{.type = ""}, "type: '': expected a media type, such as text/html"},
	{{.type = "a/b\r\nX: y"},
		"type: 'a/b  X: y': expected a media type, such as text/html"},
	{{.version = ""}, "version: '': expected one such as HTTP/1.0"},
	{{.version = "HTTP/1.1\n"},
		"version: 'HTTP/1.1 ': expected one such as HTTP/1.0"},
	{{.reason = "a\r\nb"},
		"reason: 'a  b': expected no control characters"},
	{{.reason = "\x7f"}, "reason: '\x7f': expected no control characters"},
	{{.pause_head = -1}, PAUSE("head")},
	{{.pause_body = -1}, PAUSE("body")},
	{{.pause_chunk = -1}, PAUSE("chunk")},
	{{.pause_end = -2147483647}, PAUSE("end")},
	{{.fields = "A"}, "fields: 'A': expected 'Name: value'"},
	{{.fields = "A: b\nC D: e\r\n"},
		"fields: 'C D: e': expected a token as field name"},
	{{.fields = "A: \x01"},
		"fields: 'A: \x01': expected no control characters"},
	{{.omit = "A\nB: c"}, "omit: 'B: c': expected a field's name alone"},
	{{.omit = "A B"}, "omit: 'A B': expected a token as field name"},
	{{.trailers = ": b"},
		"trailers: ': b': expected a token as field name"},
	{{.trailers = "A: b\rC: d"},
		"trailers: 'A: b C: d': expected no control characters"},
};

START_TEST(refuses)
{
	memset(error, '#', sizeof error);
	ck_assert_msg(try_canned(&refused[_i].as, RETORT_HTTP, error) ==
			-EINVAL,
		"not refused: %s", refused[_i].error);
	assert_bytes(error, strlen(error), refused[_i].error,
		strlen(refused[_i].error));
	ck_assert_int_eq(try_canned(&refused[_i].as, RETORT_HTTP, NULL),
		-EINVAL);
}
END_TEST

START_TEST(takes_what_is_at_the_edge)
{
	static const struct retort_reply edges[] = {
		{.status = 200},
		{.status = 999},
		{.status = 204, B("")},
		{.status = 304, .type = "a/b"},
		{.raw = true, B("HTTP/1.1 204 \r\n\r\nx")},
		{.reason = ""},
		{.fields = "", .omit = "\r\n", .trailers = "\n"},
		{.pause_head = 2147483647},
		{B("a"), .repeat = UINT64_MAX},
	};

	for (int i = 0; i < COUNT(edges); i++)
		ck_assert_msg(try_canned(&edges[i], RETORT_HTTP, error) == 0,
			"case %d: %s", i, error);
}
END_TEST

START_TEST(long_errors_are_cut)
{
	char *text = malloc(100000), expected[RETORT_ERROR_SIZE];

	ck_assert_ptr_nonnull(text);
	memset(text, '(', 99999);
	text[99999] = '\0';
	ck_assert_int_eq(try_canned(&(struct retort_reply){.fields = text},
				 RETORT_HTTP, error),
		-EINVAL);
	(void)snprintf(expected, sizeof expected,
		"fields: '%.100s': expected 'Name: value'", text);
	assert_bytes(error, strlen(error), expected, strlen(expected));
	memset(text, '\x01', 99999);
	ck_assert_int_eq(try_canned(&(struct retort_reply){.type = text},
				 RETORT_HTTP, error),
		-EINVAL);
	(void)snprintf(expected, sizeof expected,
		"type: '%.100s': expected a media type, such as text/html",
		text);
	assert_bytes(error, strlen(error), expected, strlen(expected));
	free(text);
}
END_TEST

/* --- without HTTP --- */

#define PLAIN(...) \
	{ \
		__VA_ARGS__ \
	}

/* Their outcome on a connection where "echo" came. */
static const struct {
	struct retort_reply as;
	const char *sent;
	enum rt_step_kind ending; /* of TCP */
} plains[] = {
	{PLAIN(.body = "OK\r\n"), "OK\r\n", RT_STEP_NEXT},
	{PLAIN(.body = NULL), "", RT_STEP_NEXT},
	{PLAIN(.body = "OK", .close = true), "OK", RT_STEP_CLOSE},
	{PLAIN(.close = true), "", RT_STEP_CLOSE},
	{PLAIN(.body = "a\0b", .body_size = 3), "a\0b", RT_STEP_NEXT},
	{PLAIN(.body = "ab", .repeat = 5), "ababa", RT_STEP_NEXT},
	{PLAIN(.body = "abc", .repeat = 2), "ab", RT_STEP_NEXT},
	{PLAIN(.body = "x", .pause_head = 3, .pause_end = 4), "<3 ms>x<4 ms>",
		RT_STEP_NEXT},
};

static enum rt_step_kind
play_plain(const struct retort_reply *as, enum retort_protocol protocol,
	const char *echo, size_t size, struct bytes *got)
{
	static const struct rt_request request;
	struct rt_canned *canned;
	struct rt_error wrong;
	struct rt_reply reply;
	enum rt_step_kind ending;

	ck_assert_msg(try_canned(as, protocol, error) == 0, "refused: %s",
		error);
	canned = rt_canned_new(as, protocol, &wrong);
	ck_assert_ptr_nonnull(canned);
	rt_reply_init(&reply);
	ck_assert_int_eq(rt_canned_answer(canned,
				 &(struct rt_occasion){
					 .protocol = protocol,
					 .request = &request,
					 .came = {echo, size},
					 .date = DATE,
				 },
				 &reply),
		0);
	rt_canned_free(canned);
	ck_assert_uint_gt(reply.step_count, 0);
	ending = reply.steps[reply.step_count - 1].kind;
	ck_assert_uint_eq(reply.head_size, 0);
	/* script_played() knows but the one ending */
	reply.steps[reply.step_count - 1].kind = RT_STEP_CLOSE;
	*got = script_played(&reply);
	rt_reply_free(&reply);
	return ending;
}

START_TEST(says_bytes_alone)
{
	const struct retort_reply *as = &plains[_i].as;
	size_t size = as->body_size ? as->body_size : strlen(plains[_i].sent);
	struct bytes got;

	ck_assert_int_eq(play_plain(as, RETORT_TCP, "echo", 4, &got),
		plains[_i].ending);
	assert_bytes(got.data, got.size, plains[_i].sent, size);
	bytes_free(&got);
	if (as->close)
		return;
	ck_assert_int_eq(play_plain(as, RETORT_UDP, "echo", 4, &got),
		RT_STEP_NEXT);
	assert_bytes(got.data, got.size, plains[_i].sent, size);
	bytes_free(&got);
}
END_TEST

START_TEST(echoes_a_piece)
{
	const struct retort_reply as = {.echo = true};
	struct bytes got;

	for (int p = RETORT_TCP; p <= RETORT_UDP; p++) {
		ck_assert_int_eq(play_plain(&as, (enum retort_protocol)p,
					 "a\0\r\n", 4, &got),
			RT_STEP_NEXT);
		assert_bytes(got.data, got.size, "a\0\r\n", 4);
		bytes_free(&got);
	}
}
END_TEST

static const struct {
	struct retort_reply as;
	const char *error;
} not_plain[] = {
	{PLAIN(.status = 200), "status"},
	{PLAIN(.reason = ""), "reason"},
	{PLAIN(.version = "HTTP/1.0"), "version"},
	{PLAIN(.type = "a/b"), "type"},
	{PLAIN(.fields = "A: b"), "fields"},
	{PLAIN(.omit = "Date"), "omit"},
	{PLAIN(.body = "x", .raw = true), "raw"},
	{PLAIN(.chunked = true), "chunked"},
	{PLAIN(.chunks = "1"), "chunks"},
	{PLAIN(.trailers = "A: b"), "trailers"},
	{PLAIN(.interim = "HTTP/1.1 102 x\r\n\r\n"), "interim"},
	{PLAIN(.pause_body = 1), "pause_body"},
	{PLAIN(.pause_chunk = 1), "pause_chunk"},
};

START_TEST(refuses_what_only_http_has)
{
	char expected[RETORT_ERROR_SIZE];

	(void)snprintf(expected, sizeof expected,
		"%s: only a reply of HTTP has it", not_plain[_i].error);
	for (int p = RETORT_TCP; p <= RETORT_UDP; p++) {
		ck_assert_int_eq(try_canned(&not_plain[_i].as,
					 (enum retort_protocol)p, error),
			-EINVAL);
		ck_assert_str_eq(error, expected);
		ck_assert_int_eq(try_canned(&not_plain[_i].as,
					 (enum retort_protocol)p, NULL),
			-EINVAL);
	}
	ck_assert_int_eq(try_canned(&not_plain[_i].as, RETORT_HTTP, error), 0);
}
END_TEST

START_TEST(datagrams_are_not_idle)
{
	const struct retort_reply as = {.body = "x", .idle = 5};

	ck_assert_int_eq(try_canned(&as, RETORT_TCP, error), 0);
	ck_assert_int_eq(try_canned(&as, RETORT_HTTP, error), 0);
	ck_assert_int_eq(try_canned(&as, RETORT_UDP, error), -EINVAL);
	ck_assert_str_eq(error, "idle: a datagram has no connection");
}
END_TEST

START_TEST(closes_tcp_alone)
{
	const struct retort_reply as = {.body = "x", .close = true};
	const struct retort_reply both = {.body = "x",
		.close = true,
		.next = RETORT_NEXT_KEEP};

	ck_assert_int_eq(try_canned(&as, RETORT_TCP, error), 0);
	ck_assert_int_eq(try_canned(&as, RETORT_HTTP, error), -EINVAL);
	ck_assert_str_eq(error,
		"close: only for bytes (RETORT_TCP, --tcp); for HTTP there is "
		"'next close'");
	ck_assert_int_eq(try_canned(&as, RETORT_UDP, error), -EINVAL);
	ck_assert_str_eq(error, "close: a datagram has no connection");
	ck_assert_int_eq(try_canned(&both, RETORT_TCP, error), -EINVAL);
	ck_assert_str_eq(error,
		"close: not with .next, which keeps the connection");
}
END_TEST

START_TEST(silence_goes_with_nothing)
{
	static const struct {
		struct retort_reply as;
		const char *other;
	} wrong[] = {
		{{.silent = true, .body = "x"}, "body"},
		{{.silent = true, .body_size = SIZE_MAX}, "body"},
		{{.silent = true, .file = "x"}, "file"},
		{{.silent = true, .echo = true}, "echo"},
		{{.silent = true, .close = true}, "close"},
		{{.silent = true, .pause_head = 1}, "pause_head"},
		{{.silent = true, .pause_end = 1}, "pause_end"},
		{{.silent = true, .faults = "pause 1"}, "faults"},
		{{.silent = true, .parts = "1 1"}, "parts"},
		{{.silent = true, .open = true}, "open"},
		{{.silent = true, .fill = true}, "fill"},
		{{.silent = true, .next = RETORT_NEXT_CLOSE}, "next"},
	};
	const struct retort_reply silent = {.silent = true};
	char text[200];

	ck_assert_int_eq(try_canned(&silent, RETORT_TCP, error), 0);
	ck_assert_int_eq(try_canned(&silent, RETORT_UDP, error), 0);
	ck_assert_int_eq(try_canned(&silent, RETORT_HTTP, error), -EINVAL);
	ck_assert_str_eq(error,
		"silent: only for bytes (RETORT_TCP or _UDP, --tcp or --udp); "
		"for HTTP, the fault 'cut 0 stall' never answers");
	for (size_t i = 0; i < COUNT(wrong); i++) {
		ck_assert_int_eq(try_canned(&wrong[i].as, RETORT_TCP, error),
			-EINVAL);
		(void)snprintf(text, sizeof text,
			"silent: not with .%s: nothing is sent, and the "
			"connection is kept",
			wrong[i].other);
		ck_assert_str_eq(error, text);
	}
}
END_TEST

START_TEST(a_datagram_has_a_bound)
{
	char *text = malloc(65509);
	struct retort_reply as = {.body = text, .body_size = 65507};

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 65508);
	text[65508] = '\0';
	ck_assert_int_eq(try_canned(&as, RETORT_UDP, error), 0);
	for (int i = 0; i < 3; i++) {
		as = (struct retort_reply){.body = i == 2 ? "x" : text,
			.body_size = i == 0 ? 65508 : 0,
			.repeat = i == 2 ? 65508 : 0};
		ck_assert_int_eq(try_canned(&as, RETORT_UDP, error), -EINVAL);
		ck_assert_str_eq(error,
			"body: a datagram has at most 65507 bytes");
		ck_assert_int_eq(try_canned(&as, RETORT_TCP, error), 0);
	}
	/* what is repeated may be cut to what fits */
	as = (struct retort_reply){.body = text,
		.body_size = 65508,
		.repeat = 65507};
	ck_assert_int_eq(try_canned(&as, RETORT_UDP, error), 0);
	as = (struct retort_reply){.body = "x", .repeat = 65507};
	ck_assert_int_eq(try_canned(&as, RETORT_UDP, error), 0);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("canned");
	TCase *said = tcase_create("replies");
	TCase *files = tcase_create("files");
	TCase *copies = tcase_create("copies");
	TCase *errors = tcase_create("errors");

	tcase_add_loop_test(said, says_it, 0, COUNT(replies));
	tcase_add_loop_test(said, knows_its_head, 0, COUNT(replies));
	tcase_add_loop_test(said, makes_it_again, 0, COUNT(replies));
	tcase_add_test(said, nuls_are_bytes);
	tcase_add_test(said, echoes_what_came);
	tcase_add_loop_test(said, says_bytes_alone, 0, COUNT(plains));
	tcase_add_test(said, echoes_a_piece);
	tcase_add_loop_test(said, raw_says_its_status, 0, COUNT(raws));
	tcase_add_test(said, raw_bytes_have_a_head);
	tcase_add_loop_test(said, repeats_exactly, 0, COUNT(periods));
	rt_test_case(suite, said);
	tcase_add_checked_fixture(files, open_folder, close_folder);
	tcase_add_test(files, a_file_is_opened_for_each_reply);
	tcase_add_test(files, a_large_file);
	tcase_add_test(files, what_is_no_file);
	tcase_add_test(files, a_name_is_copied);
	rt_test_case(suite, files);
	tcase_add_test(copies, parts_for_old_clients);
	tcase_add_test(copies, everything_is_copied);
	tcase_add_test(copies, a_rule_is_not_copied);
	tcase_add_test(copies, a_borrowed_body_is_not);
	tcase_add_test(copies, a_body_is_shared);
	tcase_add_test(copies, strings_are_copied_and_freed);
	rt_test_case(suite, copies);
	tcase_add_loop_test(errors, refuses, 0, COUNT(refused));
	tcase_add_test(errors, takes_what_is_at_the_edge);
	tcase_add_loop_test(errors, refuses_what_only_http_has, 0,
		COUNT(not_plain));
	tcase_add_test(errors, closes_tcp_alone);
	tcase_add_test(errors, datagrams_are_not_idle);
	tcase_add_test(errors, silence_goes_with_nothing);
	tcase_add_test(errors, a_datagram_has_a_bound);
	tcase_add_test(errors, long_errors_are_cut);
	rt_test_case(suite, errors);
	return rt_test_run(suite);
}
