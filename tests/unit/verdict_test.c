/* SPDX-License-Identifier: MIT */
/* Tests of verdict.c: what was expected, what came, and the words for it. */
#include "config.h"

#include "journal/verdict.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct rt_journal journal;
static struct rt_verdict verdict;
static char error[RETORT_ERROR_SIZE];

static void
open_all(void)
{
	rt_journal_init(&journal, 64 << 20);
	rt_verdict_init(&verdict);
}

static void
close_all(void)
{
	rt_verdict_free(&verdict);
	rt_journal_free(&journal);
}

/* --- requests that come --- */

/* Gives bytes to a connection that asks for nothing yet. */
static void
give(struct rt_conn *conn, const char *text)
{
	size_t size = strlen(text);

	ck_assert_int_eq(conn->chan.in.verb, RT_RECV);
	ck_assert_uint_ge(conn->chan.in.recv.size, size);
	memcpy(conn->chan.in.recv.data, text, size);
	rt_conn_in_done(conn, (int64_t)size, 0);
}

/* A record of this request, which ended as far as it is given. */
static struct rt_record *
came(const char *text)
{
	static const struct rt_conn_config config = {
		.limits = {.target = 8192, .head = 65536, .fields = 100},
		.head_timeout = RT_NEVER,
		.body_timeout = RT_NEVER,
		.write_timeout = RT_NEVER,
		.max_in = 1 << 20,
	};
	static const struct rt_peer peer = {.family = AF_UNIX};
	struct rt_buffers *buffers = rt_buffers_new();
	struct rt_record *record;
	struct rt_served served = {.record = NULL};

	ck_assert_ptr_nonnull(buffers);
	rt_conn_open(&served.conn, -1, &peer, &config, 0);
	served.number = journal.count + 1;
	ck_assert_int_eq(rt_conn_lend(&served.conn, buffers), 0);
	give(&served.conn, text);
	if (served.conn.asks == RT_ASK_ROUTE)
		rt_conn_want_body(&served.conn, UINT64_MAX, 4096, 0);
	if (served.conn.asks == RT_ASK_NOTHING)
		rt_conn_in_done(&served.conn, 0, 0);
	ck_assert_int_eq(served.conn.asks,
		served.conn.status ? RT_ASK_REFUSE : RT_ASK_ANSWER);
	record = rt_journal_open(&journal, &served, 0);
	ck_assert_ptr_nonnull(record);
	rt_record_received(record, text, strlen(text), 0);
	ck_assert_int_eq(rt_record_request(record, &served.conn, SIZE_MAX / 2,
				 0),
		0);
	ck_assert_int_eq(rt_journal_publish(&journal, record), 0);
	buffers->reply.status = 204;
	rt_record_answered(record, &buffers->reply);
	rt_record_end(record, &served, 0);
	rt_journal_close(record);
	rt_buffers_free(rt_conn_unlend(&served.conn));
	return record;
}

#define BY " HTTP/1.0\r\n\r\n"
/* Its transcript, by the connection's number. */
#define SHOWN(number, line) \
	"connection " number " from unix\n" \
	"       0.000 < " line " HTTP/1.0\\r\\n\n" \
	"       0.000 < \\r\\n\n"

/* --- judging --- */

/* NULL: all is as expected. */
static void
expect_verdict(const char *expected)
{
	const char *got = rt_verdict_text(&verdict, &journal, NULL);

	if (expected == NULL)
		expected = "";
	assert_bytes(got, strlen(got), expected, strlen(expected));
}

static void
expect(size_t least, size_t most, const char *request)
{
	const struct retort_requests when = {.request = request};
	int number = rt_verdict_expect(&verdict, least, most, &when,
		RETORT_HTTP, error);

	ck_assert_msg(number == (int)verdict.count, "got %d: %s", number,
		error);
}

#define ORDER(...) \
	rt_verdict_expect_order(&verdict, \
		(const char *const[]){__VA_ARGS__, NULL}, RETORT_HTTP, error)

START_TEST(nothing_is_expected)
{
	expect_verdict(NULL);
	(void)came("GET /" BY);
	expect_verdict(NULL);
	(void)came("\x01\r\n\r\n");
	expect_verdict(NULL);
}
END_TEST

/* So many came of "GET /a", among others. */
static const struct {
	size_t least;
	size_t most;
	int count;
	const char *text; /* NULL: as expected */
} counts[] = {
	{1, 1, 1, NULL},
	{1, 1, 0, "exactly 1, got 0"},
	{1, 1, 2, "exactly 1, got 2"},
	{3, 3, 2, "exactly 3, got 2"},
	{1, SIZE_MAX, 1, NULL},
	{1, SIZE_MAX, 5, NULL},
	{1, SIZE_MAX, 0, "at least 1, got 0"},
	{2, SIZE_MAX, 1, "at least 2, got 1"},
	{0, 1, 0, NULL},
	{0, 1, 1, NULL},
	{0, 1, 2, "at most 1, got 2"},
	{0, 0, 0, NULL},
	{0, 0, 1, "no request, got 1"},
	{0, 0, 3, "no request, got 3"},
	{2, 3, 2, NULL},
	{2, 3, 3, NULL},
	{2, 3, 1, "2 to 3, got 1"},
	{2, 3, 4, "2 to 3, got 4"},
	{0, SIZE_MAX, 0, NULL},
};

START_TEST(so_many)
{
	char begin[128];
	const char *got;

	expect(counts[_i].least, counts[_i].most, "GET /a");
	for (int i = 0; i < counts[_i].count; i++) {
		(void)came("GET /b" BY);
		(void)came("GET /a" BY);
	}
	if (counts[_i].text == NULL) {
		expect_verdict(NULL);
		return;
	}
	(void)snprintf(begin, sizeof begin,
		"expectation 1 (GET /a): expected %s\n", counts[_i].text);
	got = rt_verdict_text(&verdict, &journal, NULL);
	ck_assert_ptr_nonnull(got);
	ck_assert_msg(strncmp(got, begin, strlen(begin)) == 0,
		"expected \"%s\" first in: %s", begin, shown(got, strlen(got)));
}
END_TEST

START_TEST(too_few)
{
	expect(1, 1, "GET /a");
	expect_verdict("expectation 1 (GET /a): expected exactly 1, got 0\n");
	(void)came("PUT /x" BY);
	(void)came("GET /bc" BY);
	(void)came("GET /b" BY);
	expect_verdict(
		"expectation 1 (GET /a): expected exactly 1, got 0\n"
		"  nearest: GET /bc (connection 2): path differs from "
		"expectation 1 \"/a\" at byte 1\n" SHOWN("2", "GET /bc"));
	(void)came("GET /a" BY);
	expect_verdict(NULL);
	/* the ones that fit are no miss */
	expect(2, 2, "GET /a");
	expect_verdict("expectation 2 (GET /a): expected exactly 2, got 1\n"
		       "  got: GET /a, answered 204 (connection 4)\n"
		       "  nearest: GET /bc (connection 2): path differs from "
		       "expectation 2 \"/a\" at byte 1\n" SHOWN("4", "GET /a")
			       SHOWN("2", "GET /bc"));
}
END_TEST

START_TEST(only_what_fits_came_too_rarely)
{
	expect(2, 2, "GET");
	(void)came("GET /a" BY);
	expect_verdict("expectation 1 (GET): expected exactly 2, got 1\n"
		       "  got: GET /a, answered 204 (connection 1)\n" SHOWN("1",
			       "GET /a"));
}
END_TEST

/* A status that nobody has seen is no answer. */
START_TEST(who_left_was_not_answered)
{
	struct rt_record *record;

	expect(2, 2, "GET");
	record = came("GET /a" BY);
	rt_record_event(record, RT_RECORD_CLIENT_FIN, 0);
	expect_verdict(
		"expectation 1 (GET): expected exactly 2, got 1\n"
		"  got: GET /a, and left before the reply (connection 1)\n" SHOWN(
			"1", "GET /a") "       0.000 < (FIN)\n");
}
END_TEST

START_TEST(too_many)
{
	expect(0, 1, "GET /a");
	(void)came("GET /a" BY);
	(void)came("GET /b" BY);
	(void)came("GET /a?c" BY);
	/* all that fit are shown, and no other */
	expect_verdict(
		"expectation 1 (GET /a): expected at most 1, got 2\n"
		"  got: GET /a, answered 204 (connection 1)\n"
		"  got: GET /a?c, answered 204 (connection 3)\n" SHOWN("1",
			"GET /a") SHOWN("3", "GET /a?c"));
}
END_TEST

START_TEST(the_nearest_of_several)
{
	expect(1, 1, "POST /users/1");
	(void)came("POST /x" BY);
	(void)came("POST /users" BY);
	(void)came("PUT /users/1" BY);
	(void)came("PUT /users/1" BY);
	(void)came("POST /users/2" BY);
	/* its path is right; the first of two that are the same */
	expect_verdict(
		"expectation 1 (POST /users/1): expected exactly 1, got 0\n"
		"  nearest: PUT /users/1 (connection 3): method differs from "
		"expectation 1 \"POST\"\n" SHOWN("3", "PUT /users/1"));
}
END_TEST

START_TEST(a_miss_of_fields_and_bodies)
{
	const struct retort_requests when = {.request = "POST /",
		.if_field = "A: b",
		.if_body = "abc"};

	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &when, RETORT_HTTP,
				 error),
		1);
	(void)came("POST / HTTP/1.0\r\nA: b\r\nContent-Length: 3\r\n\r\nabd");
	expect_verdict(
		"expectation 1 (POST /, field \"A: b\", body \"abc\"): "
		"expected exactly 1, got 0\n"
		"  nearest: POST / (connection 1): body differs from "
		"expectation 1 at byte 2: expected \"abc\", got \"abd\"\n"
		"connection 1 from unix\n"
		"       0.000 < POST / HTTP/1.0\\r\\n\n"
		"       0.000 < A: b\\r\\n\n"
		"       0.000 < Content-Length: 3\\r\\n\n"
		"       0.000 < \\r\\n\n"
		"       0.000 < abd\n");
}
END_TEST

/* Of a request that is none, neither method nor target are known. */
START_TEST(a_miss_that_is_no_request)
{
	expect(1, 1, "GET /a");
	(void)came("\x01\r\n\r\n");
	expect_verdict("expectation 1 (GET /a): expected exactly 1, got 0\n"
		       "  nearest: - - (connection 1): method differs from "
		       "expectation 1 \"GET\"\n"
		       "connection 1 from unix\n"
		       "       0.000 < \\x01\\r\\n\n"
		       "       0.000 < \\r\\n\n");
}
END_TEST

START_TEST(everything_fits_no_condition)
{
	const struct retort_requests all = {.request = NULL};

	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &all, RETORT_HTTP,
				 error),
		1);
	expect_verdict(
		"expectation 1 (any request): expected exactly 1, got 0\n");
	(void)came("GET /a" BY);
	expect_verdict(NULL);
}
END_TEST

/* A transcript that several lines speak of is shown once. */
START_TEST(transcripts_are_shown_once)
{
	const char *got;

	expect(1, 1, "GET /b");
	expect(0, 0, "GET /a");
	expect(1, 1, "GET /c");
	(void)came("GET /a" BY);
	expect_verdict("expectation 1 (GET /b): expected exactly 1, got 0\n"
		       "  nearest: GET /a (connection 1): path differs from "
		       "expectation 1 \"/b\" at byte 1\n"
		       "expectation 2 (GET /a): expected no request, got 1\n"
		       "  got: GET /a, answered 204 (connection 1)\n"
		       "expectation 3 (GET /c): expected exactly 1, got 0\n"
		       "  nearest: GET /a (connection 1): path differs from "
		       "expectation 3 \"/c\" at byte 1\n" SHOWN("1", "GET /a"));
	/* and said anew, not once more, when it is asked for again */
	got = rt_verdict_text(&verdict, &journal, NULL);
	ck_assert_ptr_nonnull(got);
	ck_assert_ptr_eq(strstr(got, "expectation 1"), got);
	ck_assert_ptr_null(strstr(got + 1, "expectation 1 ("));
}
END_TEST

START_TEST(few_transcripts_of_many)
{
	const char *got;
	int shown_count = 0, named = 0;
	char request[64];

	expect(0, 0, "GET");
	for (int i = 0; i < 100; i++) {
		(void)snprintf(request, sizeof request, "GET /%d" BY, i);
		(void)came(request);
	}
	got = rt_verdict_text(&verdict, &journal, NULL);
	ck_assert_ptr_nonnull(got);
	for (const char *at = got; (at = strstr(at, "  got: ")); at++)
		named++;
	ck_assert_int_eq(named, 16);
	ck_assert_ptr_nonnull(strstr(got, "(connection 16)\n  and 84 more\n"));
	for (; (got = strstr(got, "from unix\n")) != NULL; got++)
		shown_count++;
	ck_assert_int_eq(shown_count, 16);
}
END_TEST

START_TEST(transcripts_that_are_alike)
{
	struct rt_record *record;

	expect(0, 1, "GET");
	(void)came("GET /a" BY);
	record = came("GET /a" BY);
	expect_verdict(
		"expectation 1 (GET): expected at most 1, got 2\n"
		"  got: GET /a, answered 204 (connection 1)\n"
		"  got: GET /a, answered 204 (connection 2)\n"
		"connection 2: like connection 1, but for times\n" SHOWN("1",
			"GET /a"));
	/* one that ended otherwise is not, nor one of another request */
	rt_record_event(record, RT_RECORD_CLIENT_RST, 0);
	(void)came("GET /b" BY);
	record = came("GET /a" BY);
	rt_record_event(record, RT_RECORD_CLIENT_RST, 1000000);
	(void)came("GET /a" BY);
	(void)came("GET /a" BY);
	expect_verdict(
		"expectation 1 (GET): expected at most 1, got 6\n"
		"  got: GET /a, answered 204 (connection 1)\n"
		"  got: GET /a, and left before the reply (connection "
		"2)\n"
		"  got: GET /b, answered 204 (connection 3)\n"
		"  got: GET /a, and left before the reply (connection "
		"4)\n"
		"  got: GET /a, answered 204 (connection 5)\n"
		"  got: GET /a, answered 204 (connection 6)\n"
		"connections 5, 6: like connection 1, but for times\n"
		"connection 4: like connection 2, but for times\n" SHOWN("1",
			"GET /a")
			SHOWN("2", "GET /a") "       0.000 < (RST)\n" SHOWN("3",
				"GET /b"));
}
END_TEST

static const struct {
	const char *a, *b;
	bool alike;
} texts[] = {
	{"connection 1 from 127.0.0.1:1\n", "connection 12 from unix\n", true},
	{"connection 1 from unix [cut 9]\n", "connection 2 from unix\n", false},
	{"connection 1 from a [cut 9]\n", "connection 2 from b [cut 9]\n",
		true},
	{"       0.000 < a\n", "      12.345 < a\n", true},
	{"       0.000 < a\n", "       0.000 > a\n", false},
	{"       0.000 < a\n", "       0.000 < ab\n", false},
	{"       0.000 < 1\n", "       0.000 < 2\n", false},
	{"       0.000 < a\n", "", false},
	{"       0.000 > Date: a GMT\\r\\n\n",
		"       1.000 > Date: bc GMT\\r\\n\n", true},
	{"       0.000 < Date: a GMT\\r\\n\n",
		"       1.000 < Date: bc GMT\\r\\n\n", false},
	/* of a body */
	{"       0.000 > Date: a\n", "       1.000 > Date: b\n", false},
	{"             < ... 5 more bytes\n",
		"             < ... 6 more bytes\n", false},
	{"             < ... 5 more bytes\n",
		"             < ... 5 more bytes\n", false},
	{"", "", true},
};

START_TEST(alike)
{
	ck_assert(rt_transcripts_alike(texts[_i].a, texts[_i].b) ==
		texts[_i].alike);
	ck_assert(rt_transcripts_alike(texts[_i].b, texts[_i].a) ==
		texts[_i].alike);
}
END_TEST

/* --- in order --- */

START_TEST(in_order)
{
	ck_assert_int_eq(ORDER("GET /a", "PUT /b", "GET /a"), 1);
	expect_verdict("expectation 1 (in order): expected GET /a, which did "
		       "not arrive\n");
	(void)came("PUT /b" BY);
	(void)came("GET /a" BY);
	expect_verdict(
		"expectation 1 (in order): expected PUT /b after GET /a, "
		"but it came before\n"
		"  got: PUT /b, answered 204 (connection 1)\n" SHOWN("1",
			"PUT /b"));
	/* others may come between */
	(void)came("GET /x" BY);
	(void)came("PUT /b" BY);
	(void)came("PUT /b" BY);
	expect_verdict(
		"expectation 1 (in order): expected GET /a after PUT /b, "
		"which did not arrive\n"
		"  nearest: GET /x (connection 3): path differs from "
		"expectation 1 \"/a\" at byte 1\n" SHOWN("3", "GET /x"));
	(void)came("GET /a" BY);
	expect_verdict(NULL);
}
END_TEST

/* A request stands for one of them alone. */
START_TEST(in_order_each_for_itself)
{
	const char *got;

	ck_assert_int_eq(ORDER("GET", "GET", "/a"), 1);
	(void)came("GET /a" BY);
	(void)came("GET /a" BY);
	got = rt_verdict_text(&verdict, &journal, NULL);
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got,
		"expectation 1 (in order): expected /a after GET, which did "
		"not arrive\n");
	(void)came("PUT /a" BY);
	expect_verdict(NULL);
}
END_TEST

START_TEST(orders_are_of_two)
{
	ck_assert_int_eq(ORDER(NULL), -EINVAL);
	ck_assert_str_eq(error,
		"expected two requests or more, a line for each");
	ck_assert_int_eq(ORDER("GET /a"), -EINVAL);
	ck_assert_str_eq(error,
		"expected two requests or more, a line for each");
	ck_assert_int_eq(ORDER("GET /a", "GET", "a b"), -EINVAL);
	ck_assert_str_eq(error,
		"request: 'a b': expected 'METHOD /TARGET' or either alone");
	ck_assert_uint_eq(verdict.count, 0);
	expect_verdict(NULL);
}
END_TEST

/* --- what is wrong otherwise --- */

START_TEST(malformed_expectations)
{
	const struct retort_requests when = {.request = "GET"};

	ck_assert_int_eq(rt_verdict_expect(&verdict, 2, 1, &when, RETORT_HTTP,
				 error),
		-EINVAL);
	ck_assert_str_eq(error, "least: 2 is more than .most, which is 1");
	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1,
				 &(struct retort_requests){.if_absent = "A: b"},
				 RETORT_HTTP, error),
		-EINVAL);
	ck_assert_str_eq(error,
		"if_absent: 'A: b': expected a field's name alone");
	ck_assert_uint_eq(verdict.count, 0);
	/* they take no number */
	expect(1, 1, "GET");
	ck_assert_uint_eq(verdict.count, 1);
}
END_TEST

START_TEST(mistakes_are_told_first)
{
	rt_verdict_blame(&verdict, "rule",
		"status: expected 101, or 200 to 999");
	expect_verdict("rule: status: expected 101, or 200 to 999\n");
	rt_verdict_blame(&verdict, "wait", "so");
	expect(1, 1, "GET /a");
	expect_verdict("rule: status: expected 101, or 200 to 999\nwait: so\n"
		       "expectation 1 (GET /a): expected exactly 1, got 0\n");
}
END_TEST

/* However many there are, some are told. */
START_TEST(many_mistakes)
{
	char text[200];
	const char *got;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		rt_verdict_blame(&verdict, "rule", text);
	got = rt_verdict_text(&verdict, &journal, NULL);
	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(strncmp(got, "rule: xxx", 9), 0);
	ck_assert_uint_gt(strlen(got), 60000);
}
END_TEST

START_TEST(unanswered_requests)
{
	struct rt_record *record;

	(void)came("GET /a" BY);
	record = came("GET /b" BY);
	record->why = strdup("no rule fits GET /b");
	expect(2, 2, "GET");
	expect_verdict(
		"connection 2: no rule fits GET /b\n" SHOWN("2", "GET /b"));
}
END_TEST

/* Whoever was to make it, later, did not; what broke off needs none. */
START_TEST(replies_that_were_never_made)
{
	(void)came("GET /a" BY);
	came("GET /b" BY)->answered = false;
	came("GET /c HTT")->answered = false;
	expect_verdict("connection 2: its reply was never made\n" SHOWN("2",
		"GET /b"));
}
END_TEST

START_TEST(lost_records)
{
	journal.lost = 3;
	expect_verdict(
		"3 exchanges were not recorded, or only in part: max_records, "
		"67108864 bytes, is used up\n");
	rt_journal_clear(&journal);
	expect_verdict(NULL);
}
END_TEST

/* They may be why nothing came, but are no mistakes by themselves. */
START_TEST(handshakes_that_failed)
{
	static const char missing[] =
		"expectation 1 (GET /): expected exactly 1, got 0\n";
	char text[200];

	journal.unshaken = 1;
	journal.last_unshaken = 3;
	journal.why_last_unshaken = "tlsv1 alert unknown ca";
	expect_verdict(NULL);
	expect(1, 1, "GET /");
	(void)snprintf(text, sizeof text,
		"%sconnection 3: TLS failed: tlsv1 alert unknown ca\n",
		missing);
	expect_verdict(text);
	rt_journal_clear_ended(&journal, 0);
	expect_verdict(missing);
	journal.unshaken = 4;
	(void)snprintf(text, sizeof text,
		"%sconnection 3: TLS failed: tlsv1 alert unknown ca (and 3 "
		"before it)\n",
		missing);
	expect_verdict(text);
	rt_journal_clear(&journal);
	expect_verdict(missing);
}
END_TEST

/* --- life --- */

START_TEST(cleared)
{
	expect(1, 1, "GET /a");
	ck_assert_int_eq(ORDER("GET /a", "GET /b"), 2);
	rt_verdict_blame(&verdict, "rule", "wrong");
	rt_verdict_clear(&verdict);
	expect_verdict(NULL);
	/* numbers begin anew */
	expect(1, 1, "GET /a");
	expect_verdict("expectation 1 (GET /a): expected exactly 1, got 0\n");
}
END_TEST

START_TEST(many_expectations)
{
	char request[32], line[128];

	for (int i = 1; i <= 100; i++) {
		(void)snprintf(request, sizeof request, "GET /%d", i);
		expect(1, 1, request);
		(void)snprintf(request, sizeof request, "GET /%d" BY, i);
		if (i != 77)
			(void)came(request);
	}
	(void)snprintf(line, sizeof line,
		"expectation 77 (GET /77): expected exactly 1, got 0\n"
		"  nearest: GET /7 (connection 7): ");
	ck_assert_ptr_nonnull(rt_verdict_text(&verdict, &journal, NULL));
	ck_assert_int_eq(strncmp(rt_verdict_text(&verdict, &journal, NULL),
				 line, strlen(line)),
		0);
}
END_TEST

/* Where there is no room for the text, it is not taken for none. */
START_TEST(no_room_for_words)
{
	expect(1, 1, "GET /a");
	for (size_t max = 0; max < 51; max += 3) {
		verdict.text.max = max;
		expect_verdict("not as expected, and no memory to say how");
		rt_buf_free(&verdict.text);
		rt_buf_init(&verdict.text, max);
	}
}
END_TEST

/* --- plain sockets --- */

/* A record of the n-th piece of a connection. */
static struct rt_record *
piece_came(const char *text, uint64_t connection, uint64_t number)
{
	struct rt_conn_config config = {.protocol = RETORT_TCP,
		.idle_timeout = RT_NEVER,
		.write_timeout = RT_NEVER,
		.max_in = 1 << 20};
	static const struct rt_peer peer = {.family = AF_UNIX};
	struct rt_buffers *buffers = rt_buffers_new();
	struct rt_record *record;
	struct rt_served served = {.record = NULL};

	ck_assert_ptr_nonnull(buffers);
	rt_conn_open(&served.conn, -1, &peer, &config, 0);
	served.number = connection;
	served.conn.nth = number - 1;
	ck_assert_int_eq(rt_conn_lend(&served.conn, buffers), 0);
	give(&served.conn, text);
	record = rt_journal_open(&journal, &served, 0);
	ck_assert_ptr_nonnull(record);
	rt_record_received(record, text, strlen(text), 0);
	ck_assert_int_eq(rt_record_request(record, &served.conn, SIZE_MAX / 2,
				 0),
		0);
	ck_assert_int_eq(rt_journal_publish(&journal, record), 0);
	record->answered = true;
	rt_record_end(record, &served, 0);
	rt_journal_close(record);
	rt_buffers_free(rt_conn_unlend(&served.conn));
	return record;
}

#define PIECES \
	"connection 1 from unix\n" \
	"       0.000 < ping\n" \
	"       0.000 < \"x\"\\r\\n\n"

START_TEST(pieces_in_words)
{
	const struct retort_requests ping = {.if_body = "ping"};
	const struct retort_requests wrong = {.request = "GET /"};

	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &ping, RETORT_TCP,
				 error),
		1);
	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &wrong, RETORT_TCP,
				 error),
		-EINVAL);
	ck_assert_str_eq(error,
		"request: 'GET /': only HTTP has a method and a target");
	(void)piece_came("ping", 1, 1);
	expect_verdict(NULL);
	/* each piece of a connection that is shown is shown once */
	(void)piece_came("\"x\"\r\n", 1, 2);
	(void)piece_came("ping", 2, 1);
	expect_verdict("expectation 1 (any piece, body \"ping\"): "
		       "expected exactly 1, got 2\n"
		       "  got: \"ping\", answered (connection 1)\n"
		       "  got: \"ping\", answered (connection 2)\n" PIECES
		       "connection 2 from unix\n"
		       "       0.000 < ping\n");
}
END_TEST

/* What is counted is called as the protocol has it. */
START_TEST(what_is_counted)
{
	static const char *const nouns[] = {[RETORT_HTTP] = "request",
		[RETORT_TCP] = "piece",
		[RETORT_UDP] = "datagram"};
	const struct retort_requests all = {.request = NULL};
	char text[200];

	for (int i = RETORT_HTTP; i <= RETORT_UDP; i++) {
		rt_verdict_clear(&verdict);
		ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &all,
					 (enum retort_protocol)i, error),
			1);
		(void)snprintf(text, sizeof text,
			"expectation 1 (any %s): expected exactly 1, got 0\n",
			nouns[i]);
		expect_verdict(text);
	}
	rt_verdict_clear(&verdict);
	ck_assert_int_eq(rt_verdict_expect(&verdict, 0, 0, &all, RETORT_TCP,
				 error),
		1);
	(void)piece_came("ping", 1, 1);
	expect_verdict("expectation 1 (any piece): expected no piece, got 1\n"
		       "  got: \"ping\", answered (connection 1)\n"
		       "connection 1 from unix\n"
		       "       0.000 < ping\n");
}
END_TEST

/* Of two pieces the one that begins alike, even if not in the same case. */
START_TEST(the_nearest_piece)
{
	const struct retort_requests data = {.if_body = "DATA"};

	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &data, RETORT_TCP,
				 error),
		1);
	(void)piece_came("EHLO", 1, 1);
	(void)piece_came("data", 2, 1);
	(void)piece_came("DAT", 3, 1);
	expect_verdict(
		"expectation 1 (any piece, body \"DATA\"): expected exactly 1, "
		"got 0\n"
		"  nearest: \"data\" (connection 2): body differs from "
		"expectation 1 at byte 0: expected \"DATA\", got \"data\"\n"
		"connection 2 from unix\n"
		"       0.000 < data\n");
}
END_TEST

/* Frames of different types differ in words. */
START_TEST(the_nearest_frame)
{
	const struct retort_requests any_close = {.if_body_begins = "\x88"};
	const struct retort_requests text = {.if_body = "\x81\x02hi"};
	const char *verdict_text;

	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &any_close,
				 RETORT_TCP, error),
		1);
	ck_assert_int_eq(rt_verdict_expect(&verdict, 1, 1, &text, RETORT_TCP,
				 error),
		2);
	(void)piece_came("\x89\x01x", 1, 1);
	expect_verdict(
		"expectation 1 (any piece, body that begins with \"\\x88\"): "
		"expected exactly 1, got 0\n"
		"  nearest: \"\\x89\\x01x\" (connection 1): frame differs "
		"from expectation 1: expected close, got ping \"x\"\n"
		"expectation 2 (any piece, body \"\\x81\\x02hi\"): "
		"expected exactly 1, got 0\n"
		"  nearest: \"\\x89\\x01x\" (connection 1): frame differs "
		"from expectation 2: expected text \"hi\", got ping \"x\"\n"
		"connection 1 from unix\n"
		"       0.000 < \\x89\\x01x\n");
	/* of one type they differ at a byte */
	(void)piece_came("\x81\x02ho", 2, 1);
	verdict_text = rt_verdict_text(&verdict, &journal, NULL);
	ck_assert_ptr_nonnull(strstr(verdict_text,
		"body differs from expectation 2 at byte 3: expected "));
}
END_TEST

START_TEST(pieces_that_nothing_answered)
{
	(void)piece_came("ping", 1, 1);
	piece_came("\"x\"\r\n", 1, 2)->why = strdup("no rule fits it");
	expect_verdict("connection 1: no rule fits it\n" PIECES);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verdict");
	const TTest *const tests[] = {nothing_is_expected, too_few,
		only_what_fits_came_too_rarely, who_left_was_not_answered,
		too_many, the_nearest_of_several, a_miss_of_fields_and_bodies,
		a_miss_that_is_no_request, everything_fits_no_condition,
		transcripts_are_shown_once, few_transcripts_of_many,
		transcripts_that_are_alike, in_order, in_order_each_for_itself,
		orders_are_of_two, malformed_expectations,
		mistakes_are_told_first, many_mistakes, unanswered_requests,
		replies_that_were_never_made, lost_records,
		handshakes_that_failed, pieces_in_words, what_is_counted,
		the_nearest_piece, the_nearest_frame,
		pieces_that_nothing_answered, cleared, many_expectations,
		no_room_for_words, NULL};
	TCase *tcase = tcase_create("verdict");

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_loop_test(tcase, so_many, 0, COUNT(counts));
	tcase_add_loop_test(tcase, alike, 0, COUNT(texts));
	for (const TTest *const *test = tests; *test != NULL; test++)
		tcase_add_test(tcase, *test);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
