/* SPDX-License-Identifier: MIT */
/* Tests of fault_chance.c: which faults a connection gets. */
#include "config.h"

#include "fault/fault.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 20000

static struct rt_faults *
read_faults(const char *text)
{
	struct rt_error error;
	struct rt_faults *faults = rt_faults_new(text, &error);

	ck_assert_msg(faults != NULL, "'%s' was refused: %s", text, error.text);
	return faults;
}

/* The connection's faults, as a string; the caller frees it. */
static char *
drawn(const struct rt_faults *faults, uint64_t seed, uint64_t connection)
{
	struct rt_faults *got = rt_faults_draw(faults, seed, connection);
	char *text;

	ck_assert_ptr_nonnull(got);
	ck_assert(!rt_faults_chancy(got));
	text = strdup(rt_faults_text(got));
	ck_assert_ptr_nonnull(text);
	rt_faults_free(got);
	return text;
}

/* Of MANY connections, or those of them that are `tried`, those whose clauses
   begin so. */
static int
count_of(const char *text, const char *begin, int *tried)
{
	struct rt_faults *faults = read_faults(text);
	int count = 0;

	*tried = 0;
	for (uint64_t i = 1; i <= MANY; i++) {
		char *got;

		if (rt_test_thin())
			continue;
		got = drawn(faults, 7, i);
		++*tried;
		count += strncmp(got, begin, strlen(begin)) == 0 &&
			(*begin != '\0' || *got == '\0');
		free(got);
	}
	rt_faults_free(faults);
	return count;
}

START_TEST(knows_chance)
{
	static const struct {
		const char *text;
		bool chancy;
	} texts[] = {{"cut 5", false}, {"", false}, {"pause 5 10", false},
		{"cut 5 chance 100%", true}, {"cut 5; empty chance 1%", true},
		{"cut any", true}, {"split 1 2 any", true}, {"pause 1-2", true},
		{"add \"any chance 5%\"", false}};

	for (int i = 0; i < COUNT(texts); i++) {
		struct rt_faults *faults = read_faults(texts[i].text);

		ck_assert_msg(rt_faults_chancy(faults) == texts[i].chancy, "%s",
			texts[i].text);
		rt_faults_free(faults);
	}
}
END_TEST

START_TEST(some_may_reset)
{
	static const struct {
		const char *text;
		bool resets;
	} texts[] = {{"empty chance 1% or cut any reset chance 0.1%", true},
		{"cut any chance 1% or cut any stall chance 2%; pause 4",
			false}};

	for (int i = 0; i < COUNT(texts); i++) {
		struct rt_faults *faults = read_faults(texts[i].text);

		ck_assert_msg(rt_faults_can_reset(faults) == texts[i].resets,
			"%s", texts[i].text);
		rt_faults_free(faults);
	}
}
END_TEST

/* --- what is drawn --- */

static const struct {
	const char *text;
	const char *begins;
	double share;
} shares[] = {
	{"cut any reset chance 100%", "cut ", 1},
	{"cut any reset chance 0%", "", 1},
	{"pause 1 chance 50%; cut 2 chance 50%", "pause 1; cut 2", 0.25},
	{"split 1 2 chance 50%; gap 5", "split 1 2; gap 5", 0.5},
	{"split 1 2 chance 50%; gap 5", "", 0.5},
	{"end stall chance 50%; deaf", "", 0.5},
	{"pause 10-11", "pause 10", 0.5},
	{"pause 10-11", "pause 11", 0.5},
	{"pause 10ms-11ms", "pause 11", 0.5},
	{"pause 1ms-1s", "pause 1000", 0.001},
	{"pause 1-1s", "pause 1000", 1},
	{"pause 1.5-2s", "pause 1500", 0.002},
	{"status 503 chance 10%", "status 503", 0.1},
	{"status 503 chance 10%", "", 0.9},
	{"cut any reset chance 20% or status 429 chance 30%", "status 429",
		0.3},
	{"cut any reset chance 20% or status 429 chance 30%", "cut ", 0.2},
	{"status 200 chance 0.5%", "status 200", 0.005},
	{"status 999 chance 12.345%", "status 999", 0.12345},
	{"status 999 chance 99.999%", "status 999", 0.99999},
	{"pause 20", "pause 20", 1},
	{"pause 20 chance 25%", "pause 20", 0.25},
	{"pause 0 chance 25%", "pause 0", 0.25},
	{"status 503 chance 50% or status 504 chance 50%", "status 504", 0.5},
	{"status 503 chance 50% or status 504 chance 50%", "", 0},
};

/* A seeded draw is always the same, so that there is nothing left to
   chance. */
START_TEST(so_many_of_a_hundred)
{
	int tried, got = count_of(shares[_i].text, shares[_i].begins, &tried);
	double share = shares[_i].share, expected = share * tried;
	/* three standard deviations */
	double slack = 9 * expected * (1 - share);

	ck_assert_msg((got - expected) * (got - expected) <= slack,
		"%s: expected about %.0f of %d that begin with \"%s\", got %d",
		shares[_i].text, expected, tried, shares[_i].begins, got);
}
END_TEST

#define LIST \
	"cut any reset chance 20% or cut any chance 20% or " \
	"cut any stall chance 20% or status 503 chance 20%; " \
	"pause 20 chance 50%"

/* Only seed and number count: not what was drawn before, nor how often. */
START_TEST(a_pure_function)
{
	struct rt_faults *faults = read_faults(LIST),
			 *again = read_faults(LIST);
	int differ = 0, next = 0;

	for (uint64_t i = 1000; i > 0; i--) {
		char *a = drawn(faults, 7, i), *b = drawn(again, 7, 1001 - i);
		char *c = drawn(again, 7, i), *d = drawn(faults, 8, i);
		char *e = drawn(faults, 7, i + 1);

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
	rt_faults_free(faults);
	rt_faults_free(again);
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
		{7, 1, "cut 16%; pause 20; pause 408 44%"},
		{7, 2, "pause 20; pause 225 92%"},
		{7, 3, "cut 98%; pause 20; pause 496 51%"},
		{7, 4, "status 503; pause 142 51%"},
		{1, 1, "cut 24% stall; pause 20; pause 385 61%"},
		{UINT64_MAX, UINT64_MAX, "cut 1%; pause 20; pause 334 5%"},
	};
	struct rt_faults *faults = read_faults(LIST "; pause 5-500 any");

	for (int i = 0; i < COUNT(known); i++) {
		char *got = drawn(faults, known[i].seed, known[i].connection);

		ck_assert_str_eq(got, known[i].expected);
		free(got);
	}
	rt_faults_free(faults);
}
END_TEST

/* Drawn clauses can be read again, and cut anywhere. */
START_TEST(clauses_are_faults)
{
	struct rt_faults *chances = read_faults(LIST "; pause 30-39 any");
	char ending[16];
	struct rt_error error;
	bool percents[100] = {false}, times[10] = {false};
	int endings[3] = {0}, delays = 0, at, time;

	for (uint64_t i = 1; i < 5000; i++) {
		char *got = drawn(chances, 1, i);
		struct rt_faults *faults = rt_faults_new(got, &error);
		const char *pause = strstr(got, "pause 3");

		ck_assert_msg(faults != NULL, "'%s': %s", got, error.text);
		ck_assert_str_eq(rt_faults_text(faults), got);
		delays += strstr(got, "pause 20") != NULL;
		*ending = '\0';
		if (sscanf(got, "cut %d%% %15[a-z]", &at, ending) >= 1) {
			ck_assert_int_ge(at, 0);
			ck_assert_int_lt(at, 100);
			percents[at] = true;
			endings[*ending == 'r' ? 0 : *ending == 's' ? 1 : 2]++;
		}
		ck_assert_msg(pause != NULL &&
				sscanf(pause, "pause %d %d%%", &time, &at) == 2,
			"%s", got);
		times[time - 30] = true;
		rt_faults_free(faults);
		free(got);
	}
	for (at = 0; at < 100; at++)
		ck_assert_msg(percents[at], "never cut at %d%%", at);
	for (at = 0; at < 10; at++)
		ck_assert_msg(times[at], "never %d ms", at + 30);
	for (at = 0; at < 3; at++)
		ck_assert_int_gt(endings[at], 0);
	ck_assert_int_gt(delays, 2000);
	rt_faults_free(chances);
}
END_TEST

/* Each clause is in one of them. */
START_TEST(samples_have_all)
{
	static const char *const expected[] = {
		"pause 1; cut 0% reset; status 200",
		"pause 1; cut 5; status 404",
		"pause 1; empty; status 404",
	};
	struct rt_faults *faults = read_faults(
		"pause 1-5; cut any reset chance 1% or cut 5 chance 1% or "
		"empty chance 0%; status 200 chance 1% or status 404 chance 1%");
	struct rt_faults *sample;

	for (size_t i = 0; i < COUNT(expected); i++) {
		sample = rt_faults_sample(faults, i);
		ck_assert_ptr_nonnull(sample);
		ck_assert_str_eq(rt_faults_text(sample), expected[i]);
		rt_faults_free(sample);
	}
	ck_assert_ptr_null(rt_faults_sample(faults, COUNT(expected)));
	ck_assert_int_eq(errno, 0);
	rt_faults_free(faults);
}
END_TEST

START_TEST(seeds_are_short)
{
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert_uint_gt(rt_faults_make_seed(i), 0);
		ck_assert_uint_lt(rt_faults_make_seed(i), 1000000000);
		ck_assert_uint_ne(rt_faults_make_seed(i),
			rt_faults_make_seed(i + 1));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault chance");
	TCase *tcase = tcase_create("draws");

	tcase_add_test(tcase, knows_chance);
	tcase_add_test(tcase, some_may_reset);
	tcase_add_loop_test(tcase, so_many_of_a_hundred, 0, COUNT(shares));
	tcase_add_test(tcase, a_pure_function);
	tcase_add_test(tcase, the_function_does_not_change);
	tcase_add_test(tcase, clauses_are_faults);
	tcase_add_test(tcase, samples_have_all);
	tcase_add_test(tcase, seeds_are_short);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
