/* SPDX-License-Identifier: MIT */
/* Tests of chaos.c: faults by chance, and those of a log. */
#include "config.h"

#include "reply/chaos.h"
#include "reply/fault.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 20000

static struct rt_chaos *
seeded(const char *text, uint64_t seed)
{
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_chaos *chaos = rt_chaos_new(text, seed, error);

	ck_assert_msg(chaos != NULL, "'%s' was refused: %s", text, error);
	return chaos;
}

/* The faults that the exchange gets, as a string; the caller frees it. */
static char *
picked_for(struct rt_chaos *chaos, const char *request, uint64_t connection)
{
	const struct retort_exchange seen = {.connection = connection,
		.request = request,
		.request_size = strlen(request)};
	struct rt_buf to;
	char *text;

	rt_buf_init(&to, 1 << 12);
	rt_chaos_pick(chaos, &seen, connection, &to);
	ck_assert(!to.failed);
	text = strndup(to.len > 0 ? to.data : "", to.len);
	ck_assert_ptr_nonnull(text);
	rt_buf_free(&to);
	return text;
}

static char *
picked(struct rt_chaos *chaos, uint64_t connection)
{
	return picked_for(chaos, "GET / HTTP/1.1", connection);
}

/* Of MANY connections those whose clauses begin so. */
static int
count_of(const char *text, const char *begin)
{
	struct rt_chaos *chaos = seeded(text, 7);
	int count = 0;

	for (uint64_t i = 1; i <= MANY; i++) {
		char *got = picked(chaos, i);

		count += strncmp(got, begin, strlen(begin)) == 0 &&
			(*begin != '\0' || *got == '\0');
		free(got);
	}
	rt_chaos_free(chaos);
	return count;
}

/* --- the text --- */

static const struct {
	const char *text;
	const char *error;
} wrong[] = {
	{"", "'': expected rst:N%, cut:N%, stall:N%, STATUS:N% or delay:Nms"},
	{"rst",
		"'rst': expected rst:N%, cut:N%, stall:N%, STATUS:N% or "
		"delay:Nms"},
	{"rst:5%,",
		"'': expected rst:N%, cut:N%, stall:N%, STATUS:N% or "
		"delay:Nms"},
	{"rst:5%,,cut:5%",
		"'': expected rst:N%, cut:N%, stall:N%, STATUS:N% "
		"or delay:Nms"},
	{" rst:5%",
		"' rst:5%': expected rst:N%, cut:N%, stall:N%, STATUS:N% "
		"or delay:Nms"},
	{"lose:5%",
		"'lose:5%': expected rst:N%, cut:N%, stall:N%, STATUS:N% "
		"or delay:Nms"},
	{"199:5%",
		"'199:5%': expected rst:N%, cut:N%, stall:N%, STATUS:N% or "
		"delay:Nms"},
	{"1000:5%",
		"'1000:5%': expected rst:N%, cut:N%, stall:N%, STATUS:N% "
		"or delay:Nms"},
	{"rst:5", "'rst:5': expected a percentage from 0% to 100%"},
	{"rst:%", "'rst:%': expected a percentage from 0% to 100%"},
	{"rst:101%", "'rst:101%': expected a percentage from 0% to 100%"},
	{"rst:100.5%", "'rst:100.5%': expected a percentage from 0% to 100%"},
	{"rst:-1%", "'rst:-1%': expected a percentage from 0% to 100%"},
	{"rst:5%%", "'rst:5%%': expected a percentage from 0% to 100%"},
	{"rst:5% ", "'rst:5% ': expected a percentage from 0% to 100%"},
	{"cut:99999999999999999999%",
		"'cut:99999999999999999999%': expected a percentage from 0% "
		"to 100%"},
	{"503:x%", "'503:x%': expected a percentage from 0% to 100%"},
	{"delay:20", "'delay:20': expected delay:Nms, or delay:Nms:N%"},
	{"delay:20%", "'delay:20%': expected delay:Nms, or delay:Nms:N%"},
	{"delay:ms", "'delay:ms': expected delay:Nms, or delay:Nms:N%"},
	{"delay:20s", "'delay:20s': expected delay:Nms, or delay:Nms:N%"},
	{"delay:20ms:", "'delay:20ms:': expected delay:Nms, or delay:Nms:N%"},
	{"delay:20ms:101%",
		"'delay:20ms:101%': expected delay:Nms, or delay:Nms:N%"},
	{"delay:3600001ms",
		"'delay:3600001ms': expected delay:Nms, or delay:Nms:N%"},
	{"rst:60%,cut:41%",
		"'cut:41%': expected percentages of 100% together "
		"at most"},
	{"rst:60%,cut:40%,503:0.001%",
		"'503:0.001%': expected percentages of 100% together at most"},
};

START_TEST(what_is_wrong_is_named)
{
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_chaos *chaos;

	errno = 0;
	chaos = rt_chaos_new(wrong[_i].text, 1, error);
	ck_assert_msg(chaos == NULL, "'%s' was taken, expected: %s",
		wrong[_i].text, wrong[_i].error);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(error, wrong[_i].error);
}
END_TEST

START_TEST(a_long_word_is_cut)
{
	char error[RETORT_ERROR_SIZE], text[400];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_ptr_null(rt_chaos_new(text, 1, error));
	ck_assert_uint_lt(strlen(error), 150);
	ck_assert_ptr_nonnull(strstr(error, "expected rst:N%"));
}
END_TEST

START_TEST(so_many_and_no_more)
{
	static const char more[] = ",cut:1%";
	char error[RETORT_ERROR_SIZE] = "", text[1000] = "rst:1%";
	size_t used = strlen(text);

	for (int i = 1; i < 64; i++, used += sizeof more - 1)
		memcpy(text + used, more, sizeof more);
	rt_chaos_free(seeded(text, 1));
	memcpy(text + used, more, sizeof more);
	ck_assert_ptr_null(rt_chaos_new(text, 1, error));
	ck_assert_str_eq(error, "'cut:1%': expected fewer faults");
}
END_TEST

START_TEST(some_may_reset)
{
	static const struct {
		const char *text;
		bool resets;
	} texts[] = {{"rst:1%", true}, {"cut:1%, \trst:0.1%", true},
		{"cut:1%,stall:2%,503:3%,delay:4ms", false}};

	for (int i = 0; i < COUNT(texts); i++) {
		struct rt_chaos *chaos = seeded(texts[i].text, 1);

		ck_assert_msg(rt_chaos_resets(chaos) == texts[i].resets, "%s",
			texts[i].text);
		rt_chaos_free(chaos);
	}
	rt_chaos_free(NULL);
}
END_TEST

/* --- what is picked --- */

static const struct {
	const char *text;
	const char *begins;
	double share;
} shares[] = {
	{"rst:100%", "cut ", 1},
	{"rst:0%", "", 1},
	{"503:10%", "status 503", 0.1},
	{"503:10%", "", 0.9},
	{"rst:20%,429:30%", "status 429", 0.3},
	{"rst:20%,429:30%", "cut ", 0.2},
	{"200:0.5%", "status 200", 0.005},
	{"999:12.345%", "status 999", 0.12345},
	{"999:99.999%", "status 999", 0.99999},
	{"delay:20ms", "pause 20", 1},
	{"delay:20ms:25%", "pause 20", 0.25},
	{"delay:0ms:25%", "pause 0", 0.25},
	{"503:50%,504:50%", "status 504", 0.5},
	{"503:50%,504:50%", "", 0},
};

/* A seed always gives the same, so that there is nothing left to
   chance. */
START_TEST(so_many_of_a_hundred)
{
	int got = count_of(shares[_i].text, shares[_i].begins);
	double expected = shares[_i].share * MANY;
	double slack =
		shares[_i].share > 0 && shares[_i].share < 1 ? 0.01 * MANY : 0;

	ck_assert_msg(got >= expected - slack && got <= expected + slack,
		"%s: expected about %.0f of %d that begin with \"%s\", got %d",
		shares[_i].text, expected, MANY, shares[_i].begins, got);
}
END_TEST

/* Only seed and number count: not what was picked before, nor how often. */
START_TEST(a_pure_function)
{
	static const char text[] = "rst:20%,cut:20%,stall:20%,503:20%,"
				   "delay:20ms:50%";
	struct rt_chaos *chaos = seeded(text, 7), *again = seeded(text, 7),
			*other = seeded(text, 8);
	int differ = 0, next = 0;

	for (uint64_t i = 1000; i > 0; i--) {
		char *a = picked(chaos, i);
		char *b = picked_for(again, "POST /x HTTP/1.1", 1001 - i);
		char *c = picked(again, i), *d = picked(other, i);
		char *e = picked(chaos, i + 1);

		ck_assert_str_eq(a, c);
		differ += strcmp(a, d) != 0;
		next += strcmp(a, e) != 0;
		free(a);
		free(b);
		free(c);
		free(d);
		free(e);
	}
	ck_assert_msg(differ > 600, "seeds 7 and 8 differ in %d of 1000",
		differ);
	ck_assert_msg(next > 600, "neighbours differ in %d of 1000", next);
	rt_chaos_free(chaos);
	rt_chaos_free(again);
	rt_chaos_free(other);
}
END_TEST

/* A seed that is told today means the same tomorrow. */
START_TEST(the_function_does_not_change)
{
	static const struct {
		uint64_t seed;
		uint64_t connection;
		const char *expected;
	} known[] = {
		{7, 1, "cut 17%; pause 20"},
		{7, 2, ""},
		{7, 3, "cut 64%"},
		{7, 4, "status 503; pause 20"},
		{0, 1, ""},
		{UINT64_MAX, UINT64_MAX, "cut 28% reset"},
	};

	for (int i = 0; i < COUNT(known); i++) {
		struct rt_chaos *chaos = seeded("rst:25%,cut:25%,503:25%,"
						"delay:20ms:50%",
			known[i].seed);
		char *got = picked(chaos, known[i].connection);

		ck_assert_str_eq(got, known[i].expected);
		free(got);
		rt_chaos_free(chaos);
	}
}
END_TEST

/* Faults that are drawn can be read, and cut anywhere. */
/* Both words for it. */
START_TEST(rst_is_reset)
{
	struct rt_chaos *one = seeded("rst:30%,cut:30%", 3);
	struct rt_chaos *other = seeded("reset:30%,cut:30%", 3);

	ck_assert(rt_chaos_resets(other));
	for (uint64_t i = 1; i < 100; i++) {
		char *a = picked(one, i), *b = picked(other, i);

		ck_assert_str_eq(a, b);
		free(a);
		free(b);
	}
	rt_chaos_free(one);
	rt_chaos_free(other);
}
END_TEST

START_TEST(clauses_are_faults)
{
	struct rt_chaos *chaos =
		seeded("rst:30%,cut:30%,stall:20%,503:20%,delay:20ms:50%", 1);
	char error[RETORT_ERROR_SIZE], ending[16];
	bool percents[100] = {false};
	int endings[3] = {0}, delays = 0, at;
	size_t where;

	for (uint64_t i = 1; i < 5000; i++) {
		char *got = picked(chaos, i);
		struct rt_faults *faults = rt_faults_new(got, error, &where);

		ck_assert_msg(faults != NULL, "'%s': %s", got, error);
		delays += strstr(got, "pause 20") != NULL;
		*ending = '\0';
		if (sscanf(got, "cut %d%% %15[a-z]", &at, ending) >= 1) {
			ck_assert_int_ge(at, 0);
			ck_assert_int_lt(at, 100);
			percents[at] = true;
			endings[*ending == 'r' ? 0 : *ending == 's' ? 1 : 2]++;
		}
		rt_faults_free(faults);
		free(got);
	}
	for (at = 0; at < 100; at++)
		ck_assert_msg(percents[at], "never cut at %d%%", at);
	for (at = 0; at < 3; at++)
		ck_assert_int_gt(endings[at], 0);
	ck_assert_int_gt(delays, 2000);
	rt_chaos_free(chaos);
}
END_TEST

/* --- a log --- */

static struct rt_chaos *
logged(const char *log)
{
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_chaos *chaos = rt_chaos_replay(log, strlen(log), error);

	ck_assert_msg(chaos != NULL, "not read: %s: %s", error,
		shown(log, strlen(log)));
	return chaos;
}

static void
assert_picked(struct rt_chaos *chaos, const char *request, const char *expected)
{
	char *got = picked_for(chaos, request, 1);

	ck_assert_msg(strcmp(got, expected) == 0,
		"%s: expected \"%s\", got \"%s\"", request, expected, got);
	free(got);
}

START_TEST(requests_get_what_they_got)
{
	struct rt_chaos *chaos = logged(
		"http://127.0.0.1:1/\n"
		"1 [::1]:5 \"GET /a HTTP/1.1\" 200 5 [cut 5 reset]\n"
		"2 [::1]:6 \"GET /a HTTP/1.1\" 200 5\n"
		"3 [::1]:7 \"GET /b HTTP/1.1\" 200 5 [pause 20; cut 9%]\n"
		"> not \"GET /a HTTP/1.1\" [cut 1]\n"
		"+ nor \"GET /a HTTP/1.1\" [cut 2]\n"
		"\n"
		"4 [::1]:8 \"GET /a HTTP/1.1\" 200 5 [end reset]");

	ck_assert(!rt_chaos_resets(chaos));
	assert_picked(chaos, "GET /c HTTP/1.1", "");
	assert_picked(chaos, "GET /b HTTP/1.1", "pause 20; cut 9%");
	assert_picked(chaos, "GET /b HTTP/1.1", "");
	assert_picked(chaos, "GET /a HTTP/1.1", "cut 5 reset");
	/* the one that was right had its turn, too */
	assert_picked(chaos, "GET /a HTTP/1.1", "");
	assert_picked(chaos, "GET /a HTTP/1.1", "end reset");
	assert_picked(chaos, "GET /a HTTP/1.1", "");
	rt_chaos_free(chaos);
}
END_TEST

START_TEST(requests_are_compared_as_logged)
{
	struct rt_chaos *chaos = logged(
		"x \"GET /\\\"[a]\\\\ HTTP/1.1\" 200 1 [add \"[x]\\r\\n\"]\n"
		"x \"GET /\\xff\" - 1 [end stall]\n");

	assert_picked(chaos, "GET /\"[a]\\", "");
	assert_picked(chaos, "GET /\"[a]\\ HTTP/1.1", "add \"[x]\\r\\n\"");
	assert_picked(chaos, "GET /\xff", "end stall");
	rt_chaos_free(chaos);
}
END_TEST

START_TEST(a_log_without_faults)
{
	static const char *const logs[] = {"", "\n\n\n", "\"",
		"nothing that is quoted [cut 1]\n",
		"x \"GET / HTTP/1.1 [cut 1]", "> \"GET / HTTP/1.1\" [cut 1]\n",
		"x \"a\\", "printf \"GET / HTTP/1.1\" [cut 1]\n",
		"x \"GET / HTTP/1.1\" 20 5 [cut 1]\n",
		"x \"GET / HTTP/1.1\" 200"};
	static const char spared[] = "x \"GET / HTTP/1.1\" 200 5\n";
	char why[RETORT_ERROR_SIZE];
	struct rt_chaos *chaos;

	for (int i = 0; i < COUNT(logs); i++) {
		char error[RETORT_ERROR_SIZE] = "";
		size_t size = strlen(logs[i]);
		char *copy = malloc(size + 1);

		/* with nothing after it */
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, logs[i], size);
		errno = 0;
		ck_assert_msg(rt_chaos_replay(copy, size, error) == NULL,
			"taken: %s", logs[i]);
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_str_eq(error,
			"expected lines of a log, with [faults] at "
			"their ends");
		free(copy);
	}
	/* chance has spared all of them */
	chaos = rt_chaos_replay(spared, strlen(spared), why);
	ck_assert_ptr_nonnull(chaos);
	rt_chaos_free(chaos);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chaos");
	TCase *text = tcase_create("text"), *picks = tcase_create("picks"),
	      *logs = tcase_create("logs");

	tcase_add_loop_test(text, what_is_wrong_is_named, 0, COUNT(wrong));
	tcase_add_test(text, a_long_word_is_cut);
	tcase_add_test(text, so_many_and_no_more);
	tcase_add_test(text, some_may_reset);
	rt_test_case(suite, text);
	tcase_add_loop_test(picks, so_many_of_a_hundred, 0, COUNT(shares));
	tcase_add_test(picks, a_pure_function);
	tcase_add_test(picks, the_function_does_not_change);
	tcase_add_test(picks, rst_is_reset);
	tcase_add_test(picks, clauses_are_faults);
	rt_test_case(suite, picks);
	tcase_add_test(logs, requests_get_what_they_got);
	tcase_add_test(logs, requests_are_compared_as_logged);
	tcase_add_test(logs, a_log_without_faults);
	rt_test_case(suite, logs);
	return rt_test_run(suite);
}
