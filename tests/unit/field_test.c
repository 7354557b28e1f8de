/* SPDX-License-Identifier: MIT */
/* Tests of field.c: lines of text as fields. */
#include "config.h"

#include "http/field.h"
#include "retort.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- lines --- */

/* Each line as "text|name|value", or "text|name" where there is no colon. */
static struct bytes
taken(const char *lines)
{
	struct bytes to = {.data = NULL};
	struct rt_line line;

	bytes_add(&to, "", 0);
	while (rt_field_next(&lines, &line)) {
		ck_assert_uint_gt(line.size, 0);
		ck_assert_uint_le(line.name_size, line.size);
		bytes_add(&to, line.text, line.size);
		bytes_add(&to, "|", 1);
		bytes_add(&to, line.text, line.name_size);
		if (line.value != NULL) {
			/* it points into the line */
			ck_assert(line.value > line.text + line.name_size);
			ck_assert(line.value + line.value_size <=
				line.text + line.size);
			bytes_add(&to, "|", 1);
			bytes_add(&to, line.value, line.value_size);
		} else {
			ck_assert_uint_eq(line.value_size, 0);
			ck_assert_uint_eq(line.name_size, line.size);
		}
		bytes_add(&to, "\n", 1);
	}
	return to;
}

static const struct {
	const char *lines;
	const char *taken;
} texts[] = {
	{NULL, ""},
	{"", ""},
	{"\n", ""},
	{"\r\n\n\r\n\r", ""},
	{"A: b", "A: b|A|b\n"},
	{"A: b\n", "A: b|A|b\n"},
	{"A: b\r\n", "A: b|A|b\n"},
	{"A: b\r", "A: b|A|b\n"},
	{"A: b\nC: d", "A: b|A|b\nC: d|C|d\n"},
	{"A: b\r\nC: d\r\n", "A: b|A|b\nC: d|C|d\n"},
	{"\r\n\nA: b\n\n\r\n\nC: d\n\r\n", "A: b|A|b\nC: d|C|d\n"},
	/* white space around a value is none of it */
	{"A:b", "A:b|A|b\n"},
	{"A:\t b c \t", "A:\t b c \t|A|b c\n"},
	{"A:  \t \r\nB: c", "A:  \t |A|\nB: c|B|c\n"},
	{"A:", "A:|A|\n"},
	{"A:\nB:", "A:|A|\nB:|B|\n"},
	/* the first colon counts */
	{"A:b:c", "A:b:c|A|b:c\n"},
	{"A::b", "A::b|A|:b\n"},
	{": b", ": b||b\n"},
	{":", ":||\n"},
	/* a name as it is */
	{"A", "A|A\n"},
	{"A\r\nB\n", "A|A\nB|B\n"},
	{"A B", "A B|A B\n"},
	{" A: b", " A: b| A|b\n"},
	{"A : b", "A : b|A |b\n"},
	{" ", " | \n"},
	/* a CR that ends no line is of the value */
	{"A: b\rC: d\n", "A: b\rC: d|A|b\rC: d\n"},
	{"A: b\r\r\n", "A: b\r|A|b\r\n"},
	{"A: \x80\xff", "A: \x80\xff|A|\x80\xff\n"},
};

START_TEST(takes_lines)
{
	/* on the heap, where a byte too far is noticed */
	char *lines = texts[_i].lines ? strdup(texts[_i].lines) : NULL;
	struct bytes got = taken(lines);

	assert_bytes(got.data, got.size, texts[_i].taken,
		strlen(texts[_i].taken));
	bytes_free(&got);
	free(lines);
}
END_TEST

START_TEST(ends_where_it_ended)
{
	const char *lines = "A: b\n";
	struct rt_line line;

	ck_assert(rt_field_next(&lines, &line));
	ck_assert(!rt_field_next(&lines, &line));
	ck_assert(!rt_field_next(&lines, &line));
}
END_TEST

/* --- names --- */

START_TEST(names_are_compared_without_case)
{
	const char *lines = "Content-Type: Accept";
	struct rt_line line;

	ck_assert(rt_field_next(&lines, &line));
	ck_assert(rt_field_is(&line, "Content-Type"));
	ck_assert(rt_field_is(&line, "content-TYPE"));
	ck_assert(!rt_field_is(&line, "Content-Typ"));
	ck_assert(!rt_field_is(&line, "Content-Types"));
	ck_assert(!rt_field_is(&line, "Content-Type:"));
	ck_assert(!rt_field_is(&line, "Accept"));
	ck_assert(!rt_field_is(&line, ""));
}
END_TEST

START_TEST(one_of_the_lines_has_a_name)
{
	static const char lines[] = "A: b\r\n\r\nLong-Name: A\nx-y";

	ck_assert(rt_field_has(lines, "A"));
	ck_assert(rt_field_has(lines, "a"));
	ck_assert(rt_field_has(lines, "LONG-NAME"));
	ck_assert(rt_field_has(lines, "X-Y"));
	ck_assert(!rt_field_has(lines, "b"));
	ck_assert(!rt_field_has(lines, "Long"));
	ck_assert(!rt_field_has(lines, "x"));
	ck_assert(!rt_field_has(lines, ""));
	ck_assert(!rt_field_has("", "A"));
	ck_assert(!rt_field_has(NULL, "A"));
	ck_assert(rt_field_has(": v", ""));
}
END_TEST

/* --- checks --- */

#define NAME(text) "them: '" text "': expected a token as field name"
#define VALUE(text) "them: '" text "': expected no control characters"
#define PAIR(text) "them: '" text "': expected 'Name: value'"
#define ALONE(text) "them: '" text "': expected a field's name alone"

static const struct {
	const char *lines;
	bool with_value;
	const char *error; /* NULL: none */
} checks[] = {
	{NULL, true, NULL},
	{NULL, false, NULL},
	{"", true, NULL},
	{"\n\r\n", false, NULL},
	{"A: b\nc-D!#$%&'*+.^_`|~9:\r\n", true, NULL},
	{"A: \t \x80\xff b\tc", true, NULL},
	{"A\r\nB\nx-y", false, NULL},
	{"A: b\nC", true, PAIR("C")},
	{"A: b\nC\nD E", true, PAIR("C")},
	{"A\nB: c\n", false, ALONE("B: c")},
	{"A\nB:\r\n", false, ALONE("B:")},
	{": b", true, NAME(": b")},
	{": b", false, NAME(": b")},
	{":", false, NAME(":")},
	{" A: b", true, NAME(" A: b")},
	{"A : b", true, NAME("A : b")},
	{"A: b\nA B: c\r\n", true, NAME("A B: c")},
	{"A\n ", false, NAME(" ")},
	{"A(: b", true, NAME("A(: b")},
	{"\x80: b", true, NAME("\x80: b")},
	{"A\x01", false, NAME("A\x01")},
	{"A: b\rC: d", true, VALUE("A: b C: d")},
	{"A: b\r\r\n", true, VALUE("A: b ")},
	{"A: \x01", true, VALUE("A: \x01")},
	{"A: b\x7f", true, VALUE("A: b\x7f")},
	{"A: b\x1f\x63", true, VALUE("A: b\x1f\x63")},
};

START_TEST(checks_lines)
{
	const char *wanted = checks[_i].error ? checks[_i].error : "";
	int code = *wanted != '\0' ? -EINVAL : 0;
	char error[RETORT_ERROR_SIZE] = "";

	ck_assert_int_eq(rt_field_check(checks[_i].lines, checks[_i].with_value,
				 "them", error),
		code);
	assert_bytes(error, strlen(error), wanted, strlen(wanted));
	ck_assert_int_eq(rt_field_check(checks[_i].lines, checks[_i].with_value,
				 "them", NULL),
		code);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("field");
	TCase *tcase = tcase_create("field");

	tcase_add_loop_test(tcase, takes_lines, 0, COUNT(texts));
	tcase_add_test(tcase, ends_where_it_ended);
	tcase_add_test(tcase, names_are_compared_without_case);
	tcase_add_test(tcase, one_of_the_lines_has_a_name);
	tcase_add_loop_test(tcase, checks_lines, 0, COUNT(checks));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
