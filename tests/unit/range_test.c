/* SPDX-License-Identifier: MIT */
/*
 * Ranges: a table of fields and what is asked by them; then sets made up at
 * random, compared with a map of the bytes that they ask for.
 */
#include "config.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/range.h"
#include "support/harness.h"

#define MOST UINT64_MAX
#define MOST_TEXT "18446744073709551615"
#define IGNORED ""
#define UNSATISFIABLE "416"

/* From memory of exactly that size. */
static int
parse(const char *text, size_t length, uint64_t size,
	struct rt_range ranges[RT_MAX_RANGES])
{
	char *copy = malloc(length + (length == 0));
	int count;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, length);
	memset(ranges, 0x5a, RT_MAX_RANGES * sizeof *ranges);
	count = rt_range_parse(copy, length, size, ranges);
	free(copy);
	if (count < RT_RANGE_UNSATISFIABLE || count > RT_MAX_RANGES)
		ck_abort_msg("\"%s\" of %" PRIu64 ": %d ranges",
			shown(text, length), size, count);
	return count;
}

/* The ranges as in the table: "at+size at+size". */
static const char *
described(int count, const struct rt_range *ranges)
{
	static char text[RT_MAX_RANGES * 48];
	size_t used = 0;

	text[0] = '\0';
	if (count == RT_RANGE_UNSATISFIABLE)
		return UNSATISFIABLE;
	for (int i = 0; i < count; i++)
		used += (size_t)sprintf(text + used, "%s%" PRIu64 "+%" PRIu64,
			i == 0 ? "" : " ", ranges[i].at, ranges[i].size);
	return text;
}

static void
expect_ranges(const char *text, size_t length, uint64_t size,
	const char *expected)
{
	struct rt_range ranges[RT_MAX_RANGES];
	const char *got = described(parse(text, length, size, ranges), ranges);

	ck_assert_msg(strcmp(got, expected) == 0,
		"\"%s\" of %" PRIu64 " bytes: expected \"%s\", got \"%s\"",
		shown(text, length), size, expected, got);
}

/* --- the table --- */

/* Of 10000 bytes. */
static const struct {
	const char *text;
	const char *expected;
} cases[] = {
	/* RFC 9110 14.1.2 */
	{"bytes=0-499", "0+500"},
	{"bytes=500-999", "500+500"},
	{"bytes=-500", "9500+500"},
	{"bytes=9500-", "9500+500"},
	{"bytes=0-0,-1", "0+1 9999+1"},
	{"bytes= 0-999, 4500-5499, -1000", "0+1000 4500+1000 9000+1000"},
	{"bytes=500-600,601-999", "500+500"},
	{"bytes=500-700,601-999", "500+500"},
	/* one range */
	{"bytes=0-", "0+10000"},
	{"bytes=0-0", "0+1"},
	{"bytes=0-9999", "0+10000"},
	{"bytes=0-10000", "0+10000"},
	{"bytes=9999-", "9999+1"},
	{"bytes=9999-9999", "9999+1"},
	{"bytes=9999-20000", "9999+1"},
	{"bytes=5000-20000", "5000+5000"},
	{"bytes=-1", "9999+1"},
	{"bytes=-9999", "1+9999"},
	{"bytes=-10000", "0+10000"},
	{"bytes=-10001", "0+10000"},
	{"bytes=00000000000000000000000000005-006", "5+2"},
	{"bytes=-0000000000000000000000000000001", "9999+1"},
	/* past the end */
	{"bytes=10000-", UNSATISFIABLE},
	{"bytes=10000-10000", UNSATISFIABLE},
	{"bytes=20000-30000", UNSATISFIABLE},
	{"bytes=-0", UNSATISFIABLE},
	{"bytes=-000", UNSATISFIABLE},
	{"bytes=10000-,20000-,-0", UNSATISFIABLE},
	{"bytes=10000-,5-5", "5+1"},
	{"bytes=5-5,10000-", "5+1"},
	{"bytes=-0,5-5", "5+1"},
	{"bytes=5-5,-0,7-7", "5+1 7+1"},
	/* the unit */
	{"BYTES=0-0", "0+1"},
	{"Bytes=0-0", "0+1"},
	{"bYtEs=-1", "9999+1"},
	{"items=0-0", IGNORED},
	{"byte=0-0", IGNORED},
	{"bytess=0-0", IGNORED},
	{"xbytes=0-0", IGNORED},
	{"none", IGNORED},
	{"none=0-0", IGNORED},
	{"bytes:0-0", IGNORED},
	{"bytes 0-0", IGNORED},
	{"bytes 0-0/10000", IGNORED},
	{"bytes =0-0", IGNORED},
	{" bytes=0-0", IGNORED},
	{"=0-0", IGNORED},
	{"0-0", IGNORED},
	{"", IGNORED},
	{"b", IGNORED},
	{"bytes", IGNORED},
	{"bytes=", IGNORED},
	{"\"bytes\"=0-0", IGNORED},
	/* members that are empty, and white space around commas */
	{"bytes=,0-0", "0+1"},
	{"bytes=0-0,", "0+1"},
	{"bytes=,,,0-0,,,", "0+1"},
	{"bytes=0-0,,5-5", "0+1 5+1"},
	{"bytes=0-0, ,\t, 5-5", "0+1 5+1"},
	{"bytes=0-0 ,5-5", "0+1 5+1"},
	{"bytes=0-0\t,\t5-5", "0+1 5+1"},
	{"bytes=0-0 \t , \t 5-5", "0+1 5+1"},
	{"bytes= ,0-0", "0+1"},
	{"bytes=0-0, ", "0+1"},
	{"bytes=,", IGNORED},
	{"bytes=,,", IGNORED},
	{"bytes= , ", IGNORED},
	/* malformed anywhere */
	{"bytes=-", IGNORED},
	{"bytes=--", IGNORED},
	{"bytes=--5", IGNORED},
	{"bytes=-5-", IGNORED},
	{"bytes=-5-6", IGNORED},
	{"bytes=5", IGNORED},
	{"bytes=0", IGNORED},
	{"bytes=5--6", IGNORED},
	{"bytes=5-6-", IGNORED},
	{"bytes=5-6-7", IGNORED},
	{"bytes=6-5", IGNORED},
	{"bytes=1-0", IGNORED},
	{"bytes=10001-10000", IGNORED},
	{"bytes=+5-6", IGNORED},
	{"bytes=5-+6", IGNORED},
	{"bytes=-+6", IGNORED},
	{"bytes=5 -6", IGNORED},
	{"bytes=5- 6", IGNORED},
	{"bytes=- 6", IGNORED},
	{"bytes=5 6", IGNORED},
	{"bytes=0-0 5-5", IGNORED},
	{"bytes=0-0;5-5", IGNORED},
	{"bytes=0-0/10000", IGNORED},
	{"bytes=0x0-0x5", IGNORED},
	{"bytes=0-0x5", IGNORED},
	{"bytes=a-b", IGNORED},
	{"bytes=a-5", IGNORED},
	{"bytes=0-b", IGNORED},
	{"bytes=5.0-6", IGNORED},
	{"bytes=*", IGNORED},
	{"bytes=0-*", IGNORED},
	{"bytes==0-0", IGNORED},
	{"bytes=bytes=0-0", IGNORED},
	{"bytes=0-0,bytes=5-5", IGNORED},
	{"bytes=\"0-0\"", IGNORED},
	{"bytes=0\n-0", IGNORED},
	{"bytes=0-0,\v5-5", IGNORED},
	{"bytes=\xb2-\xb3", IGNORED},
	{"bytes=0-0,-", IGNORED},
	{"bytes=-,0-0", IGNORED},
	{"bytes=0-0,x", IGNORED},
	{"bytes=x,0-0", IGNORED},
	{"bytes=0-0,6-5", IGNORED},
	{"bytes=6-5,0-0", IGNORED},
	{"bytes=0-0,6-5,-1", IGNORED},
	{"bytes=10000-,x", IGNORED},
	{"bytes=x,10000-", IGNORED},
	{"bytes=0-,x", IGNORED},
	/* merged into the first, in the order in which they came */
	{"bytes=0-1,1-2", "0+3"},
	{"bytes=0-1,2-3", "0+4"},
	{"bytes=2-3,0-1", "0+4"},
	{"bytes=0-1,3-4", "0+2 3+2"},
	{"bytes=3-4,0-1", "3+2 0+2"},
	{"bytes=0-9,2-3", "0+10"},
	{"bytes=2-3,0-9", "0+10"},
	{"bytes=5-5,5-5", "5+1"},
	{"bytes=9-9,5-5,0-0", "9+1 5+1 0+1"},
	{"bytes=0-0,20-29,9-9,25-35,10-10", "0+1 20+16 9+2"},
	/* one that closes a gap */
	{"bytes=0-9,20-29,10-19", "0+30"},
	{"bytes=20-29,0-9,10-19", "0+30"},
	{"bytes=0-9,20-29,40-49,9-20", "0+30 40+10"},
	{"bytes=40-49,20-29,0-9,9-20", "40+10 0+30"},
	{"bytes=0-9,20-29,40-49,60-69,15-65", "0+10 15+55"},
	{"bytes=0-9,20-29,40-49,60-69,10-59", "0+70"},
	{"bytes=100-,0-9,-1", "100+9900 0+10"},
	{"bytes=0-9,-1,5-", "0+10000"},
	{"bytes=9000-,-2000", "8000+2000"},
	{"bytes=-2000,0-7999", "0+10000"},
	{"bytes=-2000,0-7998", "8000+2000 0+7999"},
	/* numbers that no file's size reaches */
	{"bytes=0-" MOST_TEXT, "0+10000"},
	{"bytes=0-18446744073709551616", "0+10000"},
	{"bytes=5-99999999999999999999999999", "5+9995"},
	{"bytes=9999-184467440737095516150", "9999+1"},
	{"bytes=-" MOST_TEXT, "0+10000"},
	{"bytes=-18446744073709551616", "0+10000"},
	{"bytes=-99999999999999999999999999", "0+10000"},
	{"bytes=" MOST_TEXT "-", UNSATISFIABLE},
	{"bytes=18446744073709551616-", UNSATISFIABLE},
	{"bytes=18446744073709551621-", UNSATISFIABLE},
	{"bytes=99999999999999999999999999-", UNSATISFIABLE},
	{"bytes=18446744073709551616-18446744073709551617", UNSATISFIABLE},
	{"bytes=99999999999999999999-99999999999999999999", UNSATISFIABLE},
	{"bytes=99999999999999999999-99999999999999999998", IGNORED},
	{"bytes=99999999999999999999-9", IGNORED},
	{"bytes=9-00000000000000000000000", IGNORED},
	{"bytes=000000000000000000000009-9", "9+1"},
	{"bytes=" MOST_TEXT "-18446744073709551614", IGNORED},
	{"bytes=18446744073709551616-0", IGNORED},
	{"bytes=18446744073709551616-5,0-0", IGNORED},
	{"bytes=99999999999999999999999999-,5-5", "5+1"},
	{"bytes=18446744073709551616-x", IGNORED},
	/* as zsync asks: more than sixteen */
	{"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
	 "24-24,26-26,28-28,30-30",
		"0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 "
		"26+1 28+1 30+1"},
	{"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
	 "24-24,26-26,28-28,30-30,32-32",
		"0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 "
		"26+1 28+1 30+1 32+1"},
	/* those past the end are left out, and others merged */
	{"bytes=10000-,0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,"
	 "20-20,22-22,24-24,26-26,28-28,30-30,-0,20000-20001,,",
		"0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 "
		"26+1 28+1 30+1"},
	{"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
	 "24-24,26-26,28-28,30-30,31-31,3-3,0-0",
		"0+1 2+3 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 26+1 "
		"28+1 30+2"},
	/* malformed is malformed, however many there are */
	{"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
	 "24-24,26-26,28-28,30-30,x",
		IGNORED},
	/* a seventeenth that joins all others */
	{"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,"
	 "24-24,26-26,28-28,30-30,0-40",
		"0+41"},
};

START_TEST(asks)
{
	expect_ranges(cases[_i].text, strlen(cases[_i].text), 10000,
		cases[_i].expected);
}
END_TEST

static const struct {
	const char *text;
	const char *expected;
	uint64_t size;
} extremes[] = {
	/* small files */
	{"bytes=0-", "0+1", 1},
	{"bytes=0-0", "0+1", 1},
	{"bytes=-1", "0+1", 1},
	{"bytes=-2", "0+1", 1},
	{"bytes=-0", UNSATISFIABLE, 1},
	{"bytes=1-", UNSATISFIABLE, 1},
	/* the largest sizes */
	{"bytes=0-", "0+" MOST_TEXT, MOST},
	{"bytes=0-" MOST_TEXT, "0+" MOST_TEXT, MOST},
	{"bytes=0-18446744073709551614", "0+" MOST_TEXT, MOST},
	{"bytes=18446744073709551614-", "18446744073709551614+1", MOST},
	{"bytes=18446744073709551614-18446744073709551614",
		"18446744073709551614+1", MOST},
	{"bytes=18446744073709551614-" MOST_TEXT, "18446744073709551614+1",
		MOST},
	{"bytes=" MOST_TEXT "-", UNSATISFIABLE, MOST},
	{"bytes=-1", "18446744073709551614+1", MOST},
	{"bytes=-" MOST_TEXT, "0+" MOST_TEXT, MOST},
	{"bytes=-1,0-0", "18446744073709551614+1 0+1", MOST},
	{"bytes=0-0,1-" MOST_TEXT, "0+" MOST_TEXT, MOST},
	{"bytes=1-,0-0", "0+" MOST_TEXT, MOST},
	{"bytes=9223372036854775807-9223372036854775808",
		"9223372036854775807+2", MOST},
	{"bytes=0-0,9223372036854775808-,-5",
		"0+1 9223372036854775808+"
		"9223372036854775807",
		MOST},
};

START_TEST(asks_of_the_smallest_and_largest)
{
	expect_ranges(extremes[_i].text, strlen(extremes[_i].text),
		extremes[_i].size, extremes[_i].expected);
}
END_TEST

static const struct {
	const char *text;
	const char *expected;
} of_nothing[] = {
	{"bytes=0-", IGNORED},
	{"bytes=0-0", IGNORED},
	{"bytes=0-499", IGNORED},
	{"bytes=0-99999999999999999999999", IGNORED},
	{"bytes=-1", IGNORED},
	{"bytes=-500", IGNORED},
	{"bytes=-99999999999999999999999", IGNORED},
	{"bytes=0-,1-", IGNORED},
	{"bytes=1-,-1", IGNORED},
	{"bytes=-0,0-", IGNORED},
	{"bytes=1-", UNSATISFIABLE},
	{"bytes=1-1", UNSATISFIABLE},
	{"bytes=-0", UNSATISFIABLE},
	{"bytes=5-,-0,9-9", UNSATISFIABLE},
	{"bytes=99999999999999999999999-", UNSATISFIABLE},
	{"bytes=-", IGNORED},
	{"bytes=1-0", IGNORED},
	{"bytes=1-,x", IGNORED},
	{"bytes=", IGNORED},
	{"", IGNORED},
};

START_TEST(asks_of_an_empty_file)
{
	expect_ranges(of_nothing[_i].text, strlen(of_nothing[_i].text), 0,
		of_nothing[_i].expected);
}
END_TEST

START_TEST(a_nul_is_malformed)
{
	static const char text[] = "bytes=0-0\0,5-5";

	expect_ranges(text, sizeof text - 1, 10000, IGNORED);
	expect_ranges(text, 10, 10000, IGNORED);
	expect_ranges(text, 9, 10000, "0+1");
}
END_TEST

/* A field as long as a head may be, of ranges that are all one. */
START_TEST(thousands_that_are_one)
{
	struct bytes text = {.data = NULL};
	char range[64];

	bytes_add(&text, "bytes=", 6);
	for (int i = 0; i < 4000; i++) {
		(void)snprintf(range, sizeof range, "%d-%d,", i, i + i % 3);
		bytes_add(&text, range, strlen(range));
	}
	expect_ranges(text.data, text.size, 10000, "0+4001");
	bytes_add(&text, "9000-", 5);
	expect_ranges(text.data, text.size, 10000, "0+4001 9000+1000");
	bytes_add(&text, "x", 1);
	expect_ranges(text.data, text.size, 10000, IGNORED);
	bytes_free(&text);
}
END_TEST

/* "0-0,2-2,4-4": this many, each touching no other. */
static void
add_apart(struct bytes *text, int count)
{
	char range[32];

	for (int i = 0; i < count; i++) {
		(void)snprintf(range, sizeof range, "%d-%d,", 2 * i, 2 * i);
		bytes_add(text, range, strlen(range));
	}
}

START_TEST(as_many_as_may_be)
{
	struct rt_range ranges[RT_MAX_RANGES];

	for (int more = 0; more < 2; more++) {
		struct bytes text = {.data = NULL};
		int count;

		bytes_add(&text, "bytes=", 6);
		add_apart(&text, RT_MAX_RANGES + more);
		count = parse(text.data, text.size, 10000, ranges);
		ck_assert_int_eq(count, more ? 0 : RT_MAX_RANGES);
		bytes_free(&text);
	}
}
END_TEST

/* Those that meet one of many cost a look at each of these. */
START_TEST(as_much_as_it_may_cost)
{
	struct rt_range ranges[RT_MAX_RANGES];

	for (int many = 0; many < 2; many++) {
		struct bytes text = {.data = NULL};
		int count;

		bytes_add(&text, "bytes=", 6);
		add_apart(&text, 100);
		for (int i = 0; i < (many ? 1000 : 100); i++)
			bytes_add(&text, "0-0,", 4);
		count = parse(text.data, text.size, 10000, ranges);
		ck_assert_int_eq(count, many ? 0 : 100);
		bytes_free(&text);
	}
}
END_TEST

/* Every beginning of a field, at the end of its memory. */
START_TEST(every_beginning)
{
	static const char text[] = "bytes=0-1, -12 ,,3456-,\t77-77";
	/* clang-format off */
	static const char *const expected[] = {
		/* "", "b", ... "bytes=0", "bytes=0-" */
		IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
		IGNORED, "0+10000", "0+2", "0+2", "0+2",
		IGNORED, "0+2 9999+1", "0+2 9988+12", "0+2 9988+12",
		"0+2 9988+12", "0+2 9988+12",
		IGNORED, IGNORED, IGNORED, IGNORED,
		"0+2 3456+6544", "0+2 3456+6544", "0+2 3456+6544",
		IGNORED, IGNORED, "0+2 77+9923", IGNORED, "0+2 3456+6544 77+1",
	};
	/* clang-format on */

	ck_assert_int_eq(COUNT(expected), COUNT(text));
	for (size_t i = 0; i < sizeof text; i++)
		expect_ranges(text, i, 10000, expected[i]);
}
END_TEST

/* --- at random --- */

#define SPACE 48 /* a file of less bytes than that */

/* The next number below `limit`, of a sequence that is always the same. */
static unsigned
pick(unsigned limit)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % limit;
}

/* The request: for each byte the first range that wants it, from 1. */
struct asked {
	char text[1024];
	size_t used;
	int first[SPACE];
	int satisfiable;
};

static void
ask_for(struct asked *asked, unsigned size, unsigned first, unsigned last)
{
	if (first >= size)
		return;
	asked->satisfiable++;
	for (unsigned i = first; i <= last && i < size; i++)
		if (asked->first[i] == 0)
			asked->first[i] = asked->satisfiable;
}

static void
add_random(struct asked *asked, unsigned size)
{
	static const char *const between[] = {",", ", ", " ,", ",,", " , ,\t"};
	unsigned first = pick(SPACE + 4), last = first + pick(6);
	char *to = asked->text + asked->used;
	int kind = (int)pick(12);

	if (asked->used > 6)
		to += sprintf(to, "%s", between[pick(COUNT(between))]);
	if (kind == 0) {
		last = pick(SPACE + 4);
		to += sprintf(to, "-%u", last);
		if (last > 0)
			ask_for(asked, size, last < size ? size - last : 0,
				size);
	} else if (kind == 1) {
		first += SPACE / 2;
		to += sprintf(to, "%u-", first);
		ask_for(asked, size, first, size);
	} else {
		to += sprintf(to, "%u-%u", first, last);
		ask_for(asked, size, first, last);
	}
	asked->used = (size_t)(to - asked->text);
}

/* How many ranges remain when all that touch are one. */
static int
count_runs(const struct asked *asked, unsigned size)
{
	int runs = 0;

	for (unsigned i = 0; i < size; i++)
		runs += asked->first[i] != 0 &&
			(i == 0 || asked->first[i - 1] == 0);
	return runs;
}

/*
 * Checks that `range` is one whole run of what was asked, and returns the
 * first that asked for any of it.
 */
static int
check_run(const struct asked *asked, unsigned size,
	const struct rt_range *range)
{
	int first = asked->satisfiable + 1;
	uint64_t end = range->at + range->size;

	if (range->size == 0 || range->at >= size || range->size > size ||
		end > size)
		ck_abort_msg("%s of %u: no such bytes: %" PRIu64 "+%" PRIu64,
			asked->text, size, range->at, range->size);
	for (uint64_t i = range->at; i < end; i++) {
		if (asked->first[i] == 0)
			ck_abort_msg("%s of %u: nobody asked for %" PRIu64,
				asked->text, size, i);
		if (asked->first[i] < first)
			first = asked->first[i];
	}
	if ((range->at > 0 && asked->first[range->at - 1] != 0) ||
		(end < size && asked->first[end] != 0))
		ck_abort_msg("%s of %u: %" PRIu64 "+%" PRIu64
			     " is less than what touches",
			asked->text, size, range->at, range->size);
	return first;
}

static void
check_random(const struct asked *asked, unsigned size)
{
	struct rt_range ranges[RT_MAX_RANGES];
	int count = parse(asked->text, asked->used, size, ranges);
	int runs = count_runs(asked, size), before = 0;
	int expected = runs > RT_MAX_RANGES ? 0 : runs;

	if (asked->satisfiable == 0)
		expected = RT_RANGE_UNSATISFIABLE;
	if (count != expected)
		ck_abort_msg("%s of %u: expected %d ranges, got %d: %s",
			asked->text, size, expected, count,
			described(count, ranges));
	/* as many as there are runs, each of them one, and none twice */
	for (int i = 0; i < count; i++) {
		int first = check_run(asked, size, ranges + i);

		if (first <= before)
			ck_abort_msg("%s of %u: not in its order: %s",
				asked->text, size, described(count, ranges));
		before = first;
	}
}

START_TEST(sets_at_random)
{
	bool seen[RT_MAX_RANGES + 1] = {false};
	struct asked asked;

	for (int round = 0; round < 20000; round++) {
		unsigned size = 1 + pick(SPACE - 1);
		unsigned members = 1 + pick(24);
		int runs;

		memset(&asked, 0, sizeof asked);
		asked.used = (size_t)sprintf(asked.text, "bytes=");
		while (members-- > 0)
			add_random(&asked, size);
		check_random(&asked, size);
		runs = count_runs(&asked, size);
		if (runs <= RT_MAX_RANGES)
			seen[runs] = true;
	}
	for (int i = 0; i <= 8; i++)
		ck_assert_msg(seen[i], "no set of %d ranges was tried", i);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("range");
	TCase *table = tcase_create("table");
	TCase *many = tcase_create("many");

	tcase_add_loop_test(table, asks, 0, COUNT(cases));
	tcase_add_loop_test(table, asks_of_the_smallest_and_largest, 0,
		COUNT(extremes));
	tcase_add_loop_test(table, asks_of_an_empty_file, 0, COUNT(of_nothing));
	tcase_add_test(table, a_nul_is_malformed);
	tcase_add_test(table, every_beginning);
	rt_test_case(suite, table);
	tcase_add_test(many, thousands_that_are_one);
	tcase_add_test(many, as_many_as_may_be);
	tcase_add_test(many, as_much_as_it_may_cost);
	tcase_add_test(many, sets_at_random);
	rt_test_case(suite, many);
	return rt_test_run(suite);
}
