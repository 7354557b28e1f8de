/* SPDX-License-Identifier: MIT */
/* Tests of fault.c and fault_apply.c: each word, and what it does. */
#include "config.h"

#include "fault/fault.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/io.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define STATUS "HTTP/1.1 200 OK\r\n"
#define DATED "Date: " DATE "\r\n"
#define LENGTH "Content-Length: 10\r\n"
#define CLOSE "Connection: close\r\n"
#define HEAD STATUS DATED LENGTH CLOSE "\r\n" /* 95 bytes */
#define BODY "0123456789"
#define WHOLE HEAD BODY

static struct rt_faults *
read_faults(const char *text)
{
	struct rt_error error;
	struct rt_faults *faults = rt_faults_new(text, &error);

	ck_assert_msg(faults != NULL, "'%s' was refused at %zu: %s", text,
		error.at, error.text);
	return faults;
}

static void
build(struct rt_reply *reply, const struct retort_reply *own)
{
	struct rt_draft draft = {.reply = reply, .own = own};

	rt_reply_init(reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, BODY, strlen(BODY));
	ck_assert(rt_reply_ok(reply));
}

static void
assert_script(const struct rt_reply *reply, const char *faults,
	const char *expected)
{
	struct bytes got = script_shown(reply);

	ck_assert_msg(rt_reply_ok(reply), "'%s' failed", faults);
	ck_assert_msg(got.size == strlen(expected) &&
			memcmp(got.data, expected, got.size) == 0,
		"'%s'\nexpected: %s\ngot:      %s", faults,
		shown(expected, strlen(expected)), shown(got.data, got.size));
	bytes_free(&got);
}

/* --- the text --- */

static const char position[] =
	"N, -N, N%, any, head N, body N, wire N, record N "
	"or flight N";
static const char with_end[] =
	"an end with it that is no stall, such as 'end reset'";
static const char with_stall[] =
	"early or a stall with it, such as 'end stall'";
static const char not_early[] =
	"no early with it, which does not wait for the body";
static const char percentage[] =
	"a percentage from 0% to 100%, with at most 3 decimals";
static const char together[] = "chances of 100% together at most";
static const char no_chance[] =
	"no chance: it is obeyed before there is a reply";
static const char ascii[] = "printable ASCII; other bytes as \\xHH";

static const struct {
	const char *text;
	size_t at; /* where it is wrong */
	const char *word;
	const char *expected;
} wrong[] = {
	{"x", 0, "x", "a fault, such as cut, pause, split or end"},
	{"Cut 5", 0, "Cut", "a fault, such as cut, pause, split or end"},
	{"cu 5", 0, "cu", "a fault, such as cut, pause, split or end"},
	{"cutt 5", 0, "cutt", "a fault, such as cut, pause, split or end"},
	{"cut 5;\n  what 1", 9, "what",
		"a fault, such as cut, pause, split or end"},
	{"5", 0, "5", "a fault, such as cut, pause, split or end"},
	/* clauses that go on */
	{"early 1 2", 8, "2", "the end of the clause"},
	{"stop-reading 5 6", 15, "6", "the end of the clause"},
	{"read-slowly 1 2 3", 16, "3", "the end of the clause"},
	{"continue never 1", 15, "1", "the end of the clause"},
	{"status 200 OK", 11, "OK", "the end of the clause"},
	{"garbage 1 2", 10, "2", "the end of the clause"},
	{"bare-lf x", 8, "x", "the end of the clause"},
	{"add \"x\" y", 8, "y", "the end of the clause"},
	{"add \"x\"y", 7, "y", "the end of the clause"},
	{"fold 1", 5, "1", "the end of the clause"},
	{"length 1 2", 9, "2", "the end of the clause"},
	{"headless 1", 9, "1", "the end of the clause"},
	{"force-body 1", 11, "1", "the end of the clause"},
	{"no-range 1", 9, "1", "the end of the clause"},
	{"endless 1", 8, "1", "the end of the clause"},
	{"insert 1 \"x\" 2", 13, "2", "the end of the clause"},
	{"corrupt 1 2", 10, "2", "the end of the clause"},
	{"cut 1 fin 2", 10, "2", "the end of the clause"},
	{"empty 1", 6, "1", "the end of the clause"},
	{"pause 1 2 3", 10, "3", "the end of the clause"},
	{"each 1 2", 7, "2", "the end of the clause"},
	{"gap 1 2", 6, "2", "the end of the clause"},
	{"rate 1 2", 7, "2", "the end of the clause"},
	{"spread 1 2", 9, "2", "the end of the clause"},
	{"end fin 2", 8, "2", "the end of the clause"},
	{"deaf 1", 5, "1", "the end of the clause"},
	{"no-close-notify 1", 16, "1", "the end of the clause"},
	{"refuse 1 2", 9, "2", "the end of the clause"},
	/* numbers */
	{"stop-reading x", 13, "x", "a whole number"},
	{"stop-reading -1", 13, "-1", "a whole number"},
	{"stop-reading 1.5", 13, "1.5", "a whole number"},
	{"read-slowly", 11, "", "a whole number"},
	{"status", 6, "", "a whole number"},
	{"status;cut 1", 6, "", "a whole number"},
	{"each", 4, "", "a whole number"},
	{"each +1", 5, "+1", "a whole number"},
	{"rate 1234567890123456", 5, "1234567890123456", "a whole number"},
	{"garbage x", 8, "x", "a whole number"},
	{"length", 6, "", "N, +N or -N"},
	{"length x", 7, "x", "N, +N or -N"},
	{"length +", 7, "+", "N, +N or -N"},
	{"length --1", 7, "--1", "N, +N or -N"},
	{"length 1+", 7, "1+", "N, +N or -N"},
	{"read-slowly 0 1", 0, "read-slowly 0 1", "at least 1 byte"},
	{"cut 1; each 0", 7, "each 0", "at least 1 byte"},
	{"rate 0", 0, "rate 0", "at least 1 byte"},
	{"status 199", 0, "status 199", "200 to 999"},
	{"status 1000", 0, "status 1000", "200 to 999"},
	{"garbage 4194305", 0, "garbage 4194305", "fewer bytes"},
	/* times */
	{"read-slowly 1", 13, "", "a time, such as 250ms or 2s"},
	{"read-slowly 1 x", 14, "x", "a time, such as 250ms or 2s"},
	{"pause", 5, "", "a time, such as 250ms or 2s"},
	{"pause -1", 6, "-1", "a time, such as 250ms or 2s"},
	{"pause 1h", 6, "1h", "a time, such as 250ms or 2s"},
	{"pause 0.5", 6, "0.5", "a time, such as 250ms or 2s"},
	{"pause 2147483648", 6, "2147483648", "a time, 2147483647 ms at most"},
	{"gap", 3, "", "a time, such as 250ms or 2s"},
	{"spread x", 7, "x", "a time, such as 250ms or 2s"},
	{"refuse x", 7, "x", "a time, such as 250ms or 2s"},
	{"continue", 8, "", "never, twice or a time"},
	{"continue later", 9, "later", "never, twice or a time"},
	/* positions */
	{"cut", 3, "", position},
	{"cut x", 4, "x", position},
	{"cut fin", 4, "fin", position},
	{"cut --1", 4, "--1", position},
	{"cut +1", 4, "+1", position},
	{"cut -", 4, "-", position},
	{"cut 1234567890123456", 4, "1234567890123456", position},
	{"cut head", 8, "", position},
	{"cut head x", 9, "x", position},
	{"cut head -1", 9, "-1", position},
	{"cut body 5%", 9, "5%", position},
	{"cut heads 1", 4, "heads", position},
	{"cut 101%", 4, "101%", "0% to 100%"},
	{"cut %", 4, "%", "0% to 100%"},
	{"cut -5%", 4, "-5%", "0% to 100%"},
	{"cut 1.5%", 4, "1.5%", "0% to 100%"},
	{"corrupt", 7, "", position},
	{"insert", 6, "", position},
	{"split", 5, "", position},
	{"split 1 2 x", 10, "x", position},
	{"split 1 body", 12, "", position},
	{"pause 1 x", 8, "x", position},
	/* endings */
	{"cut 1 now", 6, "now", "fin, reset, stall or half"},
	{"cut 1 2", 6, "2", "fin, reset, stall or half"},
	{"end", 3, "", "fin, reset, stall or half"},
	{"end close", 4, "close", "fin, reset, stall or half"},
	{"end FIN", 4, "FIN", "fin, reset, stall or half"},
	/* bytes */
	{"add", 3, "", RT_TEXT_QUOTED},
	{"add x; y", 4, "x; y", RT_TEXT_QUOTED},
	{"add \"x", 4, "\"x", RT_TEXT_QUOTED},
	{"add \"x\ny\"", 4, "\"x", RT_TEXT_QUOTED},
	{"add \"\\y\" z", 4, "\"\\y\" z", RT_TEXT_QUOTED},
	{"insert 1", 8, "", RT_TEXT_QUOTED},
	{"insert 1 x", 9, "x", RT_TEXT_QUOTED},
	/* what would do nothing alone */
	{"early; stop-reading 5", 7, "stop-reading 5", not_early},
	{"continue never; early", 0, "continue never", not_early},
	{"early 5; stop-reading 6", 9, "stop-reading 6",
		"no early with it, which answers"},
	{"deaf", 0, "deaf", with_stall},
	{"cut 1 reset;  deaf", 14, "deaf", with_stall},
	{"end half; deaf; end fin", 10, "deaf", with_stall},
	{"deaf; cut 1 half; refuse 5", 0, "deaf", with_stall},
	{"await", 0, "await", with_end},
	{"end stall; await", 11, "await", with_end},
	{"append \"x\"; await; pause 5", 12, "await", with_end},
	{"append", 6, "", RT_TEXT_QUOTED},
	{"append x", 7, "x", RT_TEXT_QUOTED},
	{"append \"x\" y", 11, "y", "a time, such as 250ms or 2s"},
	{"append \"x\" 1 2", 13, "2", "the end of the clause"},
	{"gap 3", 0, "gap 3", "split or each with it"},
	{"rate 5; gap 3; pause 1", 8, "gap 3", "split or each with it"},
	{"spread 5; gap 3", 10, "gap 3", "split or each with it"},
	/* what is shown at terminals */
	{"add \"\xc3\xa9\"", 5, "", ascii},
	{"cut 1\x1b[0m", 5, "", ascii},
	{"\a", 0, "", ascii},
	{"cut 1;\v", 6, "", ascii},
	{"cut 1;\f", 6, "", ascii},
	{"cut 1 \x7f", 6, "", ascii},
	{"cut 1 \x80", 6, "", ascii},
	{"cut 1\nadd \"\x01\"", 11, "", ascii},
	/* chance */
	{"cut 5 chance", 12, "", percentage},
	{"cut 5 chance 5", 13, "5", percentage},
	{"cut 5 chance %", 13, "%", percentage},
	{"cut 5 chance 101%", 13, "101%", percentage},
	{"cut 5 chance 100.5%", 13, "100.5%", percentage},
	{"cut 5 chance -1%", 13, "-1%", percentage},
	{"cut 5 chance 0.0004%", 13, "0.0004%", percentage},
	{"cut 5 chance 5%%", 13, "5%%", percentage},
	{"cut 5 chance 99999999999999999999%", 13, "99999999999999999999%",
		percentage},
	{"cut 5 chance x%", 13, "x%", percentage},
	{"chance 5%", 0, "chance", "a fault, such as cut, pause, split or end"},
	{"cut chance 5%", 4, "chance", position},
	{"cut 5 chance 5% 6", 16, "6", "the end of the clause"},
	{"cut 5 chance 5% or", 18, "",
		"a fault, such as cut, pause, split or end"},
	{"cut 5 or empty", 9, "empty", together},
	{"cut 5 chance 5% or empty", 19, "empty", together},
	{"cut 5 chance 60% or empty chance 41%", 20, "empty", together},
	{"cut 5 chance 60% or empty chance 40% or status 503 chance 0.001%", 40,
		"status 503", together},
	{"early chance 5%", 6, "chance", no_chance},
	{"no-range chance 5%", 9, "chance", no_chance},
	/* what is left open */
	{"pause 5-", 6, "5-", "a time, such as 250ms or 2s"},
	{"pause -5", 6, "-5", "a time, such as 250ms or 2s"},
	{"pause 5-4s", 6, "5-4s", "the smaller number first"},
	{"pause 5-4", 6, "5-4", "the smaller number first"},
	{"pause 0-2147483648", 6, "0-2147483648",
		"a time, 2147483647 ms at most"},
	{"read-slowly 1 1-2", 14, "1-2", "a time, such as 250ms or 2s"},
	{"continue 1-2", 9, "1-2", "a time, such as 250ms or 2s"},
	{"cut head any", 9, "any", position},
	/* before anything else is looked at */
	{"what 1 \xff", 7, "", ascii},
};

START_TEST(what_is_wrong_is_named)
{
	char expected[RETORT_ERROR_SIZE];
	const char *got;
	struct rt_error error;
	struct rt_faults *faults;

	errno = 0;
	faults = rt_faults_new(wrong[_i].text, &error);
	got = error.text;
	ck_assert_msg(faults == NULL, "'%s' was taken", wrong[_i].text);
	ck_assert_int_eq(errno, EINVAL);
	if (*wrong[_i].word != '\0')
		(void)snprintf(expected, sizeof expected, "'%s': expected %s",
			wrong[_i].word, wrong[_i].expected);
	else
		(void)snprintf(expected, sizeof expected, "expected %s",
			wrong[_i].expected);
	/* the words before it, which scenario_test.c compares */
	if (*wrong[_i].word == '\0' && strncmp(got, "after '", 7) == 0)
		got = strstr(got, "expected ");
	ck_assert_msg(got != NULL && strcmp(got, expected) == 0,
		"'%s'\nexpected: %s\ngot:      %s", wrong[_i].text, expected,
		error.text);
	ck_assert_msg(error.at == wrong[_i].at,
		"'%s': expected at %zu, got %zu", wrong[_i].text, wrong[_i].at,
		error.at);
	ck_assert_str_eq(error.member, "faults");
}
END_TEST

START_TEST(a_long_word_is_cut)
{
	char text[1000];
	struct rt_error error;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_ptr_null(rt_faults_new(text, &error));
	ck_assert_uint_lt(strlen(error.text), 150);
	ck_assert_ptr_nonnull(strstr(error.text, "': expected a fault"));
}
END_TEST

START_TEST(so_many_clauses_and_no_more)
{
	static const char clause[] = "cut 1;";
	const size_t size = sizeof clause - 1;
	char *text = calloc(1025, size);
	struct rt_error error;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < 1024; i++)
		memcpy(text + i * size, clause, size);
	rt_faults_free(read_faults(text));
	memcpy(text + 1024 * size, "early", size);
	ck_assert_ptr_null(rt_faults_new(text, &error));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "expected fewer clauses"));
	/* the bytes of one that is refused are freed */
	memcpy(text + 1024 * size, "fold", size - 1);
	ck_assert_ptr_null(rt_faults_new(text, &error));
	free(text);
}
END_TEST

START_TEST(clauses_are_separated)
{
	static const struct {
		const char *text;
		const char *told; /* as one line */
	} texts[] = {
		{"", ""},
		{";;\n\n ; ", ""},
		{"cut 5", "cut 5"},
		{"cut 5\n", "cut 5"},
		{"  cut\t5 ;; \n", "  cut 5"},
		{"cut 5\neach 2", "cut 5;each 2"},
		{"cut 5\r\neach\r2", "cut 5 ;each 2"},
		{"cut\t5\t;\n\teach 2\r\n", "cut 5 ;; each 2"},
		{"cut 5;each 2;\n", "cut 5;each 2"},
		{"add \"a; b\\n\"\nend reset\n", "add \"a; b\\n\";end reset"},
	};

	for (int i = 0; i < COUNT(texts); i++) {
		struct rt_faults *faults = read_faults(texts[i].text), *again;

		ck_assert_str_eq(rt_faults_text(faults), texts[i].told);
		/* what is told says the same */
		again = read_faults(rt_faults_text(faults));
		ck_assert_str_eq(rt_faults_text(again), rt_faults_text(faults));
		rt_faults_free(again);
		rt_faults_free(faults);
	}
	rt_faults_free(NULL);
}
END_TEST

/* --- what others ask --- */

static const struct {
	const char *text;
	bool reads; /* then it is: */
	struct rt_reading reading;
} readings[] = {
	{"", false, {.early = false}},
	{"cut 5; end stall; deaf; refuse", false, {.early = false}},
	{"early", true, {.early = true}},
	{"early 5", true, {.early = true, .early_at = 5}},
	/* for a handler that reads on */
	{"early 0; continue never", true, {.early = true, .delay = RT_NEVER}},
	{"early 5; continue twice; read-slowly 2 3; deaf", true,
		{.early = true,
			.early_at = 5,
			.twice = true,
			.pace = 2,
			.gap = 3 * RT_MS}},
	{"stop-reading", true, {.stops = true}},
	{"stop-reading 5", true, {.stops = true, .stop = 5}},
	{"read-slowly 7 8", true, {.pace = 7, .gap = 8 * RT_MS}},
	{"read-slowly 7 0", true, {.pace = 7}},
	{"continue never", true, {.delay = RT_NEVER}},
	{"continue 0", true, {.delay = 0}},
	{"continue 20", true, {.delay = 20 * RT_MS}},
	{"cut 5; early", true, {.early = true}},
	{"cut 5; read-slowly 1 2147483647; continue 3", true,
		{.pace = 1, .gap = 2147483647 * RT_MS, .delay = 3 * RT_MS}},
};

START_TEST(how_requests_are_read)
{
	struct rt_faults *faults = read_faults(readings[_i].text);
	const struct rt_reading *got = rt_faults_reading(faults);
	const struct rt_reading *expected = &readings[_i].reading;

	ck_assert_msg((got != NULL) == readings[_i].reads, "'%s'",
		readings[_i].text);
	if (got != NULL) {
		ck_assert_int_eq(got->early, expected->early);
		ck_assert_uint_eq(got->early_at, expected->early_at);
		ck_assert_int_eq(got->twice, expected->twice);
		ck_assert_int_eq(got->stops, expected->stops);
		ck_assert_uint_eq(got->stop, expected->stop);
		ck_assert_uint_eq(got->pace, expected->pace);
		ck_assert_int_eq(got->gap, expected->gap);
		ck_assert_int_eq(got->delay, expected->delay);
	}
	rt_faults_free(faults);
}
END_TEST

START_TEST(what_others_ask)
{
	static const struct {
		const char *text;
		int status;
		bool whole;
		bool body;
		bool reset;
		bool datagram;
	} texts[] = {
		{"", 0, false, false, false, true},
		{"status 200", 200, false, false, false, true},
		{"cut 5; status 999; status 200", 999, false, false, false,
			true},
		{"no-range", 0, true, false, false, true},
		{"force-body", 0, false, true, false, true},
		{"end reset", 0, false, false, true, false},
		{"cut 5 reset", 0, false, false, true, false},
		{"cut 5 stall; end half; end fin", 0, false, false, false,
			false},
		{"empty; cut 5; fold; split 1 2", 0, false, false, false,
			false},
	};

	for (int i = 0; i < COUNT(texts); i++) {
		struct rt_faults *faults = read_faults(texts[i].text);
		const char *text = texts[i].text;

		ck_assert_msg(rt_faults_status(faults) == texts[i].status,
			"'%s': status %d", text, rt_faults_status(faults));
		ck_assert_msg(rt_faults_ignore_range(faults) == texts[i].whole,
			"'%s'", text);
		ck_assert_msg(rt_faults_force_body(faults) == texts[i].body,
			"'%s'", text);
		ck_assert_msg(rt_faults_can_reset(faults) == texts[i].reset,
			"'%s'", text);
		ck_assert_msg(rt_faults_suit_datagram(faults) ==
				texts[i].datagram,
			"'%s'", text);
		rt_faults_free(faults);
	}
	ck_assert_ptr_null(rt_faults_reading(NULL));
}
END_TEST

START_TEST(what_a_datagram_can_have)
{
	static const struct {
		const char *text;
		bool datagram;
	} texts[] = {
		{"empty; cut 5; pause 1 2; corrupt 3; insert 1 \"x\"", true},
		{"garbage 5", true},
		{"split 1", false},
		{"each 1", false},
		{"split 1; gap 1", false},
		{"each 1; gap 1", false},
		{"rate 1", false},
		{"spread 1", false},
		{"end fin", false},
		{"end reset", false},
		{"end stall", false},
		{"end half", false},
		{"end fin; await", false},
		{"append \"x\"", false},
		{"refuse", false},
		{"refuse 5", false},
		{"cut 1 stall; deaf", false},
		{"cut 1 reset", false},
		{"cut 1 stall", false},
		{"cut 1 half", false},
		{"cut 1; pause 5; cut 1 reset", false},
	};

	for (int i = 0; i < COUNT(texts); i++) {
		struct rt_faults *faults = read_faults(texts[i].text);

		ck_assert_msg(rt_faults_suit_datagram(faults) ==
				texts[i].datagram,
			"'%s'", texts[i].text);
		rt_faults_free(faults);
	}
}
END_TEST

/* --- what they do --- */

static const struct {
	const char *text;
	const char *script;
} done[] = {
	{"", WHOLE "<fin>"},
	/* not done to the script */
	{"early; status 500; force-body; no-range", WHOLE "<fin>"},
	{"read-slowly 1 2; continue never", WHOLE "<fin>"},
	/* the head */
	{"bare-lf",
		"HTTP/1.1 200 OK\nDate: " DATE
		"\nContent-Length: 10\nConnection: close\n\n" BODY "<fin>"},
	{"add \"X: y\\r\\n\"",
		STATUS DATED LENGTH CLOSE "X: y\r\n\r\n" BODY "<fin>"},
	{"add \"A: 1\\r\\n\"; add \"B\\0\\x01\"",
		STATUS DATED LENGTH CLOSE "A: 1\r\nB\1\r\n" BODY "<fin>"},
	{"fold",
		STATUS DATED LENGTH CLOSE "X-Folded: a\r\n b\r\n\r\n" BODY
					  "<fin>"},
	{"length 3",
		STATUS DATED "Content-Length: 3\r\n" CLOSE "\r\n" BODY "<fin>"},
	{"length +90",
		STATUS DATED "Content-Length: 100\r\n" CLOSE "\r\n" BODY
			     "<fin>"},
	{"length -10",
		STATUS DATED "Content-Length: 0\r\n" CLOSE "\r\n" BODY "<fin>"},
	{"length 999999999999999",
		STATUS DATED "Content-Length: 999999999999999\r\n" CLOSE
			     "\r\n" BODY "<fin>"},
	{"headless", BODY "<fin>"},
	{"headless; cut head 0", "<fin>"},
	{"headless; cut body 3", "012<fin>"},
	{"endless", STATUS DATED CLOSE "\r\n" BODY "and so <...><fin>"},
	{"endless; end reset",
		STATUS DATED CLOSE "\r\n" BODY "and so <...><flush><reset>"},
	{"endless; cut body 20",
		STATUS DATED CLOSE "\r\n" BODY "and so on,<fin>"},
	/* several at once, in whatever order */
	{"bare-lf; add \"X: y\\r\\n\"",
		"HTTP/1.1 200 OK\nDate: " DATE
		"\nContent-Length: 10\nConnection: close\nX: y\n\n" BODY
		"<fin>"},
	{"length +1; bare-lf",
		"HTTP/1.1 200 OK\nDate: " DATE
		"\nContent-Length: 11\nConnection: close\n\n" BODY "<fin>"},
	{"endless; bare-lf; cut body 12",
		"HTTP/1.1 200 OK\nDate: " DATE "\nConnection: close\n\n" BODY
		"an<fin>"},
	{"add \"X: y\\r\\n\"; cut body 1",
		STATUS DATED LENGTH CLOSE "X: y\r\n\r\n0<fin>"},
	{"cut body 1; add \"X: y\\r\\n\"",
		STATUS DATED LENGTH CLOSE "X: y\r\n\r\n0<fin>"},
	/* bytes */
	{"insert 0 \"xy\"", "xy" WHOLE "<fin>"},
	{"insert 8 \"\\0\"; cut 9",
		"HTTP/1.1"
		"<fin>"},
	{"insert body 0 \"xy\"", HEAD "xy" BODY "<fin>"},
	{"insert body 5 \"xy\"", HEAD "01234xy56789<fin>"},
	{"insert -0 \"xy\"", WHOLE "xy<fin>"},
	{"insert -1 \"xy\"", HEAD "012345678xy9<fin>"},
	{"insert 1 \"\"", WHOLE "<fin>"},
	{"insert body 3 \"a\"; insert body 3 \"b\"", HEAD "012ba3456789<fin>"},
	{"corrupt 0; cut 2", "\xb7T<fin>"},
	{"corrupt body 0",
		HEAD "\xcf"
		     "123456789<fin>"},
	{"corrupt -1", HEAD "012345678\xc6<fin>"},
	{"corrupt body 2; corrupt body 2", WHOLE "<fin>"},
	/* cuts */
	{"empty", "<fin>"},
	{"cut 0", "<fin>"},
	{"cut 0 reset", "<flush><reset>"},
	{"cut 1", "H<fin>"},
	{"cut 9 stall", "HTTP/1.1 <stall>"},
	{"cut 9 half", "HTTP/1.1 <half>"},
	{"cut 9 fin", "HTTP/1.1 <fin>"},
	{"cut 9 reset", "HTTP/1.1 <flush><reset>"},
	{"cut 105", WHOLE "<fin>"},
	{"cut -0", WHOLE "<fin>"},
	{"cut -105", "<fin>"},
	{"cut -10", HEAD "<fin>"},
	{"cut head 0", "<fin>"},
	{"cut head 95", HEAD "<fin>"},
	{"cut head 17", STATUS "<fin>"},
	{"cut body 0", HEAD "<fin>"},
	{"cut body 10", WHOLE "<fin>"},
	{"cut body 3 reset", HEAD "012<flush><reset>"},
	{"cut 0%", "<fin>"},
	{"cut 100%", WHOLE "<fin>"},
	{"cut 50%; cut 17", STATUS "<fin>"},
	{"cut 1%", "H<fin>"},
	{"cut 9 reset; cut 4", "HTTP<fin>"},
	{"cut 9; cut 4 reset", "HTTP<flush><reset>"},
	{"cut 9 reset; end stall", "HTTP/1.1 <flush><stall>"},
	/* after it */
	{"append \"xy\"", WHOLE "xy<fin>"},
	{"append \"xy\" 5", WHOLE "<5 ms>xy<fin>"},
	{"append \"x\" 5; append \"y\"; append \"z\" 6",
		WHOLE "<5 ms>xy<6 ms>z<fin>"},
	{"append \"\"", WHOLE "<fin>"},
	{"append \"\" 5", WHOLE "<5 ms><fin>"},
	{"append \"xy\" 5; cut body 0", HEAD "<5 ms>xy<fin>"},
	{"cut 9 reset; append \"xy\" 5", "HTTP/1.1 <5 ms>xy<flush><reset>"},
	{"append \"xy\"; end reset", WHOLE "xy<flush><reset>"},
	{"append \"xy\"; pause 5 -1", WHOLE "x<5 ms>y<fin>"},
	/* time */
	{"pause 5", "<5 ms>" WHOLE "<fin>"},
	{"pause 5ms", "<5 ms>" WHOLE "<fin>"},
	{"pause 2s", "<2000 ms>" WHOLE "<fin>"},
	{"pause 0.25s", "<250 ms>" WHOLE "<fin>"},
	{"pause 1m", "<60000 ms>" WHOLE "<fin>"},
	{"pause 5 head 17",
		STATUS "<5 ms>" DATED LENGTH CLOSE "\r\n" BODY "<fin>"},
	{"pause 5 body 0", HEAD "<5 ms>" BODY "<fin>"},
	{"pause 5 -0", WHOLE "<5 ms><fin>"},
	{"pause 5 body 1; pause 6 body 1", HEAD "0<6 ms><5 ms>123456789<fin>"},
	{"pause 5 body 1; cut body 1", HEAD "0<5 ms><fin>"},
	{"split 0", "<flush>" WHOLE "<fin>"},
	{"split body 0 body 5 -0", HEAD "<flush>01234<flush>56789<flush><fin>"},
	{"split body 1; split body 2", HEAD "0<flush>1<flush>23456789<fin>"},
	{"split body 5; gap 7", HEAD "01234<flush><7 ms>56789<fin>"},
	{"gap 7; split body 5; pause 9 body 5",
		HEAD "01234<flush><7 ms><9 ms>56789<fin>"},
	{"each 3; gap 4; refuse", "<each 3><4 ms>" WHOLE "<fin>"},
	{"each 3; gap 4; rate 5; refuse", "<each 1><200 ms>" WHOLE "<fin>"},
	{"deaf; end stall", WHOLE "<stall>"},
	{"deaf; cut 9 stall", "HTTP/1.1 <stall>"},
	/* endings */
	{"end fin", WHOLE "<fin>"},
	{"end reset", WHOLE "<flush><reset>"},
	{"end stall", WHOLE "<stall>"},
	{"end half", WHOLE "<half>"},
	{"end stall; end half", WHOLE "<half>"},
	{"end fin; await", WHOLE "<await><fin>"},
	{"await; end half", WHOLE "<await><half>"},
	{"await; end reset", WHOLE "<await><flush><reset>"},
	{"await; cut 9 reset", "HTTP/1.1 <await><flush><reset>"},
	{"cut 9 reset; await; end fin", "HTTP/1.1 <await><flush><fin>"},
	{"await; append \"x\" 5; end fin; pause 6 -0",
		WHOLE "<5 ms>x<6 ms><await><fin>"},
};

START_TEST(faults_change_the_script)
{
	struct rt_faults *faults = read_faults(done[_i].text);
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_reply reply;
	const char *script = done[_i].script;
	struct bytes nul = {.data = NULL};
	int code;

	build(&reply, NULL);
	ck_assert_uint_eq(rt_reply_size(&reply), 105);
	ck_assert_uint_eq(reply.head_size, 95);
	code = rt_faults_apply(faults, &reply, error);
	ck_assert_msg(code == 0, "'%s' was refused: %s", done[_i].text, error);
	/* those with a NUL are compared below */
	if (strstr(done[_i].text, "\\0") == NULL) {
		assert_script(&reply, done[_i].text, script);
	} else {
		nul = script_shown(&reply);
		ck_assert_ptr_nonnull(memchr(nul.data, '\0', nul.size));
		ck_assert_uint_eq(nul.size, strlen(script) + 1);
		bytes_free(&nul);
	}
	rt_reply_free(&reply);
	rt_faults_free(faults);
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} impossible[] = {
	{"cut 106", "cut 106: the reply has 105 bytes"},
	{"cut -106 reset", "cut -106 reset: the reply has 105 bytes"},
	{"cut head 96", "cut head 96: the head has 95 bytes"},
	{"cut body 11", "cut body 11: the body has 10 bytes"},
	{"each 2;  cut body 11 stall ;deaf",
		"cut body 11 stall: the body has 10 bytes"},
	{"cut 999999999999999", "cut 999999999999999: the reply has 105 bytes"},
	{"corrupt 105", "corrupt 105: the reply has 105 bytes"},
	{"corrupt body 10", "corrupt body 10: the reply has 105 bytes"},
	{"corrupt 100%", "corrupt 100%: the reply has 105 bytes"},
	{"insert 106 \"x\"", "insert 106 \"x\": the reply has 105 bytes"},
	{"pause 1 106", "pause 1 106: the reply has 105 bytes"},
	{"split 1 106", "split 1 106: the reply has 105 bytes"},
	{"split body 11 1", "split body 11: the body has 10 bytes"},
	{"length -11", "length -11: Content-Length is 10 bytes"},
	/* what is left after what came before */
	{"cut 5; pause 1 6", "pause 1 6: the reply has 5 bytes"},
	{"cut 5; cut 6", "cut 6: the reply has 5 bytes"},
	{"cut 5; cut head 6", "cut head 6: the head has 5 bytes"},
	{"cut 5; cut body 1", "cut body 1: the body has 0 bytes"},
	{"headless; cut head 1", "cut head 1: the head has 0 bytes"},
	{"headless; cut 11", "cut 11: the reply has 10 bytes"},
	{"fold; headless", "fold: the reply has no head"},
	{"length 1; headless", "length 1: the reply has no Content-Length"},
	{"bare-lf; headless", "bare-lf: the reply has no head"},
	{"garbage; add \"x\"", "add \"x\": the reply has no head"},
	{"garbage; length 1", "length 1: the reply has no Content-Length"},
	{"garbage; cut body 65", "cut body 65: the body has 64 bytes"},
};

START_TEST(what_cannot_be_done_is_named)
{
	struct rt_faults *faults = read_faults(impossible[_i].text);
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_reply reply;
	int code;

	build(&reply, NULL);
	code = rt_faults_apply(faults, &reply, error);
	ck_assert_msg(code == -EINVAL, "'%s': %d", impossible[_i].text, code);
	ck_assert_str_eq(error, impossible[_i].error);
	rt_reply_free(&reply);
	/* and where nobody wants to know */
	build(&reply, NULL);
	ck_assert_int_eq(rt_faults_apply(faults, &reply, NULL), -EINVAL);
	rt_reply_free(&reply);
	rt_faults_free(faults);
}
END_TEST

static const struct {
	const char *text;
	int status;
	const char *script;
	const char *error; /* NULL: it is right */
} bodiless[] = {
	{"cut body 3 reset", 200, HEAD "<fin>", NULL},
	{"cut 106; end reset", 200, HEAD "<flush><reset>", NULL},
	{"cut -96", 200, HEAD "<fin>", NULL},
	{"corrupt body 0; insert body 3 \"x\"; pause 1 body 4; split 100", 200,
		HEAD "<fin>", NULL},
	{"endless", 200, STATUS DATED CLOSE "\r\n<fin>", NULL},
	{"length +3", 200,
		STATUS DATED "Content-Length: 13\r\n" CLOSE "\r\n<fin>", NULL},
	{"length +3", 304,
		"HTTP/1.1 304 Not Modified\r\n" DATED CLOSE "\r\n<fin>", NULL},
	/* its head is there */
	{"cut body 0", 200, HEAD "<fin>", NULL},
	{"cut head 17", 200, STATUS "<fin>", NULL},
	{"cut head 96", 200, NULL, "cut head 96: the head has 95 bytes"},
	{"headless; fold", 200, NULL, "fold: the reply has no head"},
	{"length -11", 200, NULL, "length -11: Content-Length is 10 bytes"},
};

/* Faults are given for all replies: what a client would not get of the body
   after GET is not missed after HEAD. */
START_TEST(a_body_that_was_left_out_is_not_missed)
{
	struct rt_faults *faults = read_faults(bodiless[_i].text);
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply,
		.head_only = bodiless[_i].status == 200};

	rt_reply_init(&reply);
	rt_draft_begin(&draft, bodiless[_i].status, DATE);
	rt_draft_body(&draft, BODY, strlen(BODY));
	ck_assert_int_eq(reply.body, RT_BODY_LEFT_OUT);
	(void)rt_faults_apply(faults, &reply, error);
	ck_assert_str_eq(error, bodiless[_i].error ? bodiless[_i].error : "");
	if (bodiless[_i].error == NULL)
		assert_script(&reply, bodiless[_i].text, bodiless[_i].script);
	rt_reply_free(&reply);
	rt_faults_free(faults);
}
END_TEST

static void
apply(const char *text, struct rt_reply *reply)
{
	struct rt_faults *faults = read_faults(text);
	char error[RETORT_ERROR_SIZE] = "";

	ck_assert_msg(rt_faults_apply(faults, reply, error) == 0, "'%s': %s",
		text, error);
	rt_faults_free(faults);
}

START_TEST(cut_at_every_byte)
{
	char text[64];

	for (size_t i = 0; i <= strlen(WHOLE); i++) {
		struct rt_reply reply;
		struct bytes got;

		build(&reply, NULL);
		(void)snprintf(text, sizeof text, "cut %zu stall", i);
		apply(text, &reply);
		got = script_shown(&reply);
		ck_assert_uint_eq(got.size, i + strlen("<stall>"));
		assert_bytes(got.data, i, WHOLE, i);
		ck_assert_uint_eq(rt_reply_size(&reply), i);
		ck_assert_uint_eq(reply.head_size, i < 95 ? i : 95);
		bytes_free(&got);
		rt_reply_free(&reply);
	}
}
END_TEST

/* Positions in the head count from its own beginning. */
START_TEST(behind_an_interim_reply)
{
	static const struct retort_reply own = {
		.interim = "HTTP/1.1 103 Early Hints\r\n\r\n"};
	static const struct {
		const char *text;
		const char *script;
	} texts[] = {
		{"cut head 0", "<fin>"},
		{"cut head 8", "HTTP/1.1<fin>"},
		{"cut body 2", HEAD "01<fin>"},
		{"length 3; cut body 0",
			STATUS DATED "Content-Length: 3\r\n" CLOSE "\r\n<fin>"},
		{"add \"X: y\\r\\n\"; cut body 1",
			STATUS DATED LENGTH CLOSE "X: y\r\n\r\n0<fin>"},
		{"bare-lf; cut head 16", "HTTP/1.1 200 OK\n<fin>"},
		{"pause 1 head 0; cut head 8", "<1 ms>HTTP/1.1<fin>"},
	};
	char whole[1000];
	struct rt_reply reply;

	for (int i = 0; i < COUNT(texts); i++) {
		build(&reply, &own);
		ck_assert_uint_eq(reply.head_at, strlen(own.interim));
		apply(texts[i].text, &reply);
		(void)snprintf(whole, sizeof whole, "%s%s", own.interim,
			texts[i].script);
		assert_script(&reply, texts[i].text, whole);
		rt_reply_free(&reply);
	}
	build(&reply, &own);
	apply("headless", &reply);
	assert_script(&reply, "headless", BODY "<fin>");
	rt_reply_free(&reply);
	build(&reply, &own);
	apply("cut 5; pause 1 5", &reply);
	assert_script(&reply, "cut", "HTTP/<1 ms><fin>");
	rt_reply_free(&reply);
}
END_TEST

/* Bytes that are no HTTP, the same each time. */
START_TEST(garbage)
{
	static const struct {
		const char *text;
		size_t size;
	} texts[] = {{"garbage", 64}, {"garbage 0", 0}, {"garbage 1", 1},
		{"garbage 5000", 5000}};
	struct rt_reply first, second;

	for (int i = 0; i < COUNT(texts); i++) {
		struct bytes a, b;

		build(&first, NULL);
		build(&second, NULL);
		apply(texts[i].text, &first);
		apply(texts[i].text, &second);
		ck_assert_uint_eq(rt_reply_size(&first), texts[i].size);
		ck_assert_uint_eq(first.head_size, 0);
		a = script_shown(&first);
		b = script_shown(&second);
		assert_bytes(a.data, a.size, b.data, b.size);
		ck_assert(a.size < 5 || memcmp(a.data, "HTTP/", 5) != 0);
		bytes_free(&a);
		bytes_free(&b);
		rt_reply_free(&first);
		rt_reply_free(&second);
	}
}
END_TEST

START_TEST(without_content_length)
{
	static const struct retort_reply own = {.chunked = true};
	char error[RETORT_ERROR_SIZE];
	struct rt_faults *faults = read_faults("length +1");
	struct rt_reply reply;

	build(&reply, &own);
	ck_assert_int_eq(rt_faults_apply(faults, &reply, error), -EINVAL);
	ck_assert_str_eq(error, "length +1: the reply has no Content-Length");
	rt_reply_free(&reply);
	rt_faults_free(faults);
}
END_TEST

/* A body without end has no framing that would end it. */
START_TEST(endless_chunks_do_not_end)
{
	static const struct retort_reply own = {.chunked = true};
	static const char chunk[] =
		"20\r\nand so on, and so on, and so on\n\r\n";
	static const char framed[] =
		STATUS DATED "Transfer-Encoding: chunked\r\n" CLOSE "\r\n"
			     "a\r\n" BODY "\r\n";
	struct rt_reply reply;
	struct bytes got;
	char text[64];

	build(&reply, &own);
	apply("endless", &reply);
	assert_script(&reply, "endless",
		STATUS DATED "Transfer-Encoding: chunked\r\n" CLOSE "\r\n"
			     "a\r\n" BODY "\r\n20\r\nand<...>0\r\n\r\n<fin>");
	rt_reply_free(&reply);
	/* the last chunk is never reached: one, and how the next begins */
	build(&reply, &own);
	(void)snprintf(text, sizeof text, "endless; cut %zu stall",
		sizeof framed - 1 + sizeof chunk - 1 + 4);
	apply(text, &reply);
	got = script_shown(&reply);
	ck_assert_uint_eq(got.size,
		sizeof framed - 1 + sizeof chunk - 1 + strlen("20\r\n<stall>"));
	assert_bytes(got.data, sizeof framed - 1, framed, sizeof framed - 1);
	assert_bytes(got.data + sizeof framed - 1, sizeof chunk - 1, chunk,
		sizeof chunk - 1);
	assert_bytes(got.data + sizeof framed + sizeof chunk - 2, 4, chunk, 4);
	bytes_free(&got);
	rt_reply_free(&reply);
}
END_TEST

/* --- time --- */

static const struct {
	const char *text;
	uint64_t pace;
	int64_t gap;
} paces[] = {
	{"each 1", 1, 0},
	{"each 7; gap 3", 7, 3 * RT_MS},
	{"split 5; gap 3", 0, 0},
	{"rate 1", 1, 1000 * RT_MS},
	{"rate 10", 1, 100 * RT_MS},
	{"rate 50", 1, 20 * RT_MS},
	{"rate 1000", 20, 20 * RT_MS},
	{"rate 1000000000", 20000000, 20 * RT_MS},
	{"cut body 5; spread 1000", 2, 20 * RT_MS},
	{"cut 10; spread 1000", 1, 100 * RT_MS},
	{"spread 0", 105, 0},
	{"spread 19", 105, 19 * RT_MS},
};

/* A script that is paced begins with that. */
static struct rt_step
pace_of(const struct rt_reply *reply)
{
	return reply->steps->kind == RT_STEP_PACE ? *reply->steps :
						    (struct rt_step){.size = 0};
}

START_TEST(segments_and_gaps)
{
	struct rt_reply reply;
	struct rt_step got;

	build(&reply, NULL);
	apply(paces[_i].text, &reply);
	got = pace_of(&reply);
	ck_assert_msg(got.size == paces[_i].pace &&
			(int64_t)got.at == paces[_i].gap,
		"'%s': expected %llu bytes every %lld ns, got %llu every %lld",
		paces[_i].text, (unsigned long long)paces[_i].pace,
		(long long)paces[_i].gap, (unsigned long long)got.size,
		(long long)got.at);
	rt_reply_free(&reply);
}
END_TEST

/* No more than this many bytes in each second, and not much fewer. */
START_TEST(a_rate_is_kept)
{
	for (uint64_t rate = 1; rate < 20000; rate += 1 + rate / 50) {
		struct rt_reply reply;
		struct rt_step pace;
		char text[64];
		double got;

		build(&reply, NULL);
		(void)snprintf(text, sizeof text, "rate %llu",
			(unsigned long long)rate);
		apply(text, &reply);
		pace = pace_of(&reply);
		got = (double)pace.size * 1e9 / (double)pace.at;
		ck_assert_msg(got <= (double)rate * 1.001 &&
				got >= (double)rate * 0.9,
			"'%s': %llu bytes every %lld ns are %.1f in a second",
			text, (unsigned long long)pace.size, (long long)pace.at,
			got);
		rt_reply_free(&reply);
	}
}
END_TEST

START_TEST(what_is_not_in_the_script)
{
	struct rt_reply reply;

	build(&reply, NULL);
	apply("", &reply);
	ck_assert(!reply.struck.deaf);
	ck_assert(!reply.struck.unnotified);
	ck_assert_int_eq(reply.struck.refuse, 0);
	ck_assert_uint_eq(pace_of(&reply).size, 0);
	apply("deaf; refuse; end stall", &reply);
	ck_assert(reply.struck.deaf);
	ck_assert_int_eq(reply.struck.refuse, RT_NEVER);
	apply("cut 9; no-close-notify", &reply);
	ck_assert(reply.struck.unnotified);
	apply("refuse 50", &reply);
	ck_assert_int_eq(reply.struck.refuse, 50 * RT_MS);
	/* the next reply is as usual */
	rt_reply_reset(&reply);
	ck_assert(!reply.struck.deaf);
	ck_assert(!reply.struck.unnotified);
	ck_assert_int_eq(reply.struck.refuse, 0);
	ck_assert_uint_eq(reply.step_count, 0);
	rt_reply_free(&reply);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault");
	TCase *text = tcase_create("text"), *asked = tcase_create("asked"),
	      *script = tcase_create("script"), *time = tcase_create("time");

	tcase_add_loop_test(text, what_is_wrong_is_named, 0, COUNT(wrong));
	tcase_add_test(text, a_long_word_is_cut);
	tcase_add_test(text, so_many_clauses_and_no_more);
	tcase_add_test(text, clauses_are_separated);
	rt_test_case(suite, text);
	tcase_add_loop_test(asked, how_requests_are_read, 0, COUNT(readings));
	tcase_add_test(asked, what_others_ask);
	tcase_add_test(asked, what_a_datagram_can_have);
	rt_test_case(suite, asked);
	tcase_add_loop_test(script, faults_change_the_script, 0, COUNT(done));
	tcase_add_loop_test(script, what_cannot_be_done_is_named, 0,
		COUNT(impossible));
	tcase_add_loop_test(script, a_body_that_was_left_out_is_not_missed, 0,
		COUNT(bodiless));
	tcase_add_test(script, cut_at_every_byte);
	tcase_add_test(script, behind_an_interim_reply);
	tcase_add_test(script, garbage);
	tcase_add_test(script, without_content_length);
	tcase_add_test(script, endless_chunks_do_not_end);
	rt_test_case(suite, script);
	tcase_add_loop_test(time, segments_and_gaps, 0, COUNT(paces));
	tcase_add_test(time, a_rate_is_kept);
	tcase_add_test(time, what_is_not_in_the_script);
	rt_test_case(suite, time);
	return rt_test_run(suite);
}
