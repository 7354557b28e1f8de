/* SPDX-License-Identifier: MIT */
/* Tests of text.c: bytes as text that people write. */
#include "config.h"

#include "base/text.h"
#include "support/harness.h"

#include <stdlib.h>
#include <string.h>

#define BYTES(text) text, sizeof(text) - 1

/* A copy without a byte after it, so that nothing beyond it is read. */
static char *
copied(const char *text, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	return copy;
}

START_TEST(hexadecimal_digits)
{
	static const char digits[] = "0123456789abcdef";

	for (int c = -128; c < 128; c++) {
		const char *lower = c > 0 ? strchr(digits, c) : NULL;
		int expected = lower != NULL ? (int)(lower - digits) :
			c >= 'A' && c <= 'F' ? c - 'A' + 10 :
					       -1;

		ck_assert_msg(rt_text_hex((char)c) == expected,
			"rt_text_hex(%d): expected %d, got %d", c, expected,
			rt_text_hex((char)c));
	}
}
END_TEST

/* `stops`: where reading ends, after the quote or at the mistake. */
static const struct {
	const char *text;
	size_t size;
	bool ok;
	size_t stops;
	const char *bytes;
	size_t bytes_size;
} quoted[] = {
	{BYTES("\"\""), true, 2, BYTES("")},
	{BYTES("\"a\""), true, 3, BYTES("a")},
	{BYTES("\"a\"b\""), true, 3, BYTES("a")},
	{BYTES("\"a b\" d"), true, 5, BYTES("a b")},
	/* a tab is written as its escape */
	{BYTES("\"a b\tc\" d"), false, 4, BYTES("a b")},
	{BYTES("\"\\r\\n\\t\\0\\\\\\\"\""), true, 14, BYTES("\r\n\t\0\\\"")},
	{BYTES("\"\\x00\\xff\\xFF\\x4a\\xA4\""), true, 22,
		BYTES("\0\xff\xff\x4a\xa4")},
	{BYTES("\"\\x41B\""), true, 7, BYTES("AB")},
	{BYTES("\"\xc3\xa9\""), true, 4, BYTES("\xc3\xa9")},
	{BYTES("\"a\0b\""), false, 2, BYTES("a")},
	{BYTES("\"\\01\""), true, 5, BYTES("\0001")},
	/* none, or not ended */
	{BYTES(""), false, 0, BYTES("")},
	{BYTES("a"), false, 0, BYTES("")},
	{BYTES("'a'"), false, 0, BYTES("")},
	{BYTES(" \"a\""), false, 0, BYTES("")},
	{BYTES("\""), false, 1, BYTES("")},
	{BYTES("\"a"), false, 2, BYTES("a")},
	{BYTES("\"a\\\""), false, 4, BYTES("a\"")},
	/* no escape that is known */
	{BYTES("\"\\"), false, 1, BYTES("")},
	{BYTES("\"\\a\""), false, 1, BYTES("")},
	{BYTES("\"ab\\q\""), false, 3, BYTES("ab")},
	{BYTES("\"\\R\""), false, 1, BYTES("")},
	{BYTES("\"\\x\""), false, 1, BYTES("")},
	{BYTES("\"\\x4\""), false, 1, BYTES("")},
	{BYTES("\"\\x4g\""), false, 1, BYTES("")},
	{BYTES("\"\\xg4\""), false, 1, BYTES("")},
	{BYTES("\"\\X41\""), false, 1, BYTES("")},
	{BYTES("\"\\x4"), false, 1, BYTES("")},
	{BYTES("\"\\x41"), false, 5, BYTES("A")},
	{BYTES("\"\\\0\""), false, 1, BYTES("")},
};

START_TEST(reads_quoted_bytes)
{
	char *text = copied(quoted[_i].text, quoted[_i].size);
	const char *at = text, *end = text + quoted[_i].size;
	struct rt_buf to;
	bool ok;

	rt_buf_init(&to, 1 << 10);
	rt_buf_add_text(&to, "before ");
	ok = rt_text_unquote(&at, end, &to);
	ck_assert_msg(ok == quoted[_i].ok, "%s: expected %s, got %s",
		shown(text, quoted[_i].size), quoted[_i].ok ? "yes" : "no",
		ok ? "yes" : "no");
	ck_assert_msg((size_t)(at - text) == quoted[_i].stops,
		"%s: expected to end at %zu, ended at %zu",
		shown(text, quoted[_i].size), quoted[_i].stops,
		(size_t)(at - text));
	assert_bytes(to.data + 7, to.len - 7, quoted[_i].bytes,
		quoted[_i].bytes_size);
	rt_buf_free(&to);
	free(text);
}
END_TEST

static const struct {
	const char *text;
	size_t size;
	bool ok;
	const char *bytes;
	size_t bytes_size;
} escaped[] = {
	{BYTES(""), true, BYTES("")},
	{BYTES("a \"b\" c"), true, BYTES("a \"b\" c")},
	{BYTES("GET / HTTP/1.1\\r\\n"), true, BYTES("GET / HTTP/1.1\r\n")},
	{BYTES("\\x0d\\x0a\\\\\\0"), true, BYTES("\r\n\\\0")},
	{BYTES("a\\"), false, BYTES("a")},
	{BYTES("a\\x1"), false, BYTES("a")},
	{BYTES("a\\e"), false, BYTES("a")},
};

START_TEST(reads_bytes_without_quotes)
{
	char *text = copied(escaped[_i].text, escaped[_i].size);
	struct rt_buf to;
	bool ok;

	rt_buf_init(&to, 1 << 10);
	ok = rt_text_unescape(text, text + escaped[_i].size, &to);
	ck_assert_msg(ok == escaped[_i].ok, "%s: expected %s, got %s",
		shown(text, escaped[_i].size), escaped[_i].ok ? "yes" : "no",
		ok ? "yes" : "no");
	assert_bytes(to.len > 0 ? to.data : "", to.len, escaped[_i].bytes,
		escaped[_i].bytes_size);
	rt_buf_free(&to);
	free(text);
}
END_TEST

/* Bytes that are written as quoted are read as they were. */
START_TEST(every_byte_is_read_back)
{
	struct rt_buf text, back;
	unsigned char all[256];
	const char *at;

	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	rt_buf_init(&text, 1 << 12);
	rt_buf_init(&back, 1 << 12);
	rt_text_quote(&text, all, sizeof all, sizeof all);
	at = text.data;
	ck_assert_msg(rt_text_unquote(&at, text.data + text.len, &back),
		"not read: %s", shown(text.data, text.len));
	ck_assert_ptr_eq(at, text.data + text.len);
	assert_bytes(back.data, back.len, all, sizeof all);
	rt_buf_free(&text);
	rt_buf_free(&back);
}
END_TEST

static const struct {
	const char *text;
	uint64_t most;
	bool ok;
	uint64_t number;
} numbers[] = {
	{"0", 0, true, 0},
	{"007", 7, true, 7},
	{"8", 7, false, 0},
	{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX - 1, false, 0},
	{"", 9, false, 0},
	{"+1", 9, false, 0},
	{"-1", 9, false, 0},
	{"1 ", 9, false, 0},
	{"1x", 9, false, 0},
};

START_TEST(reads_numbers)
{
	char *text = copied(numbers[_i].text, strlen(numbers[_i].text));
	struct rt_word word = {text, strlen(numbers[_i].text)};
	uint64_t number = 0;

	ck_assert_msg(rt_word_number(word, numbers[_i].most, &number) ==
			numbers[_i].ok,
		"\"%s\": expected %d", numbers[_i].text, numbers[_i].ok);
	if (numbers[_i].ok)
		ck_assert_uint_eq(number, numbers[_i].number);
	free(text);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	uint64_t from, to;
} ranges[] = {
	{"0", true, 0, 0},
	{"7", true, 7, 7},
	{"99", true, 99, 99},
	{"2+", true, 2, UINT64_MAX},
	{"2-3", true, 2, 3},
	{"3-2", true, 3, 2},
	{"", false, 0, 0},
	{"+", false, 0, 0},
	{"-2", false, 0, 0},
	{"2-", false, 0, 0},
	{"2++", false, 0, 0},
	{"2-3+", false, 0, 0},
	{"2-3-4", false, 0, 0},
	{"2 ", false, 0, 0},
	{"x", false, 0, 0},
	/* beyond what may be */
	{"100", false, 0, 0},
	{"100+", false, 0, 0},
	{"1-100", false, 0, 0},
	{"99999999999999999999999", false, 0, 0},
};

START_TEST(reads_ranges)
{
	char *text = copied(ranges[_i].text, strlen(ranges[_i].text));
	struct rt_word word = {text, strlen(ranges[_i].text)};
	uint64_t from = 0, to = 0;
	bool ok = rt_word_range(word, 99, &from, &to);

	ck_assert_msg(ok == ranges[_i].ok, "\"%s\": expected %d",
		ranges[_i].text, ranges[_i].ok);
	if (ok) {
		ck_assert_uint_eq(from, ranges[_i].from);
		ck_assert_uint_eq(to, ranges[_i].to);
	}
	free(text);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	uint64_t ms;
} times[] = {
	{"0", true, 0},
	{"200", true, 200},
	{"200ms", true, 200},
	{"2s", true, 2000},
	{"1m", true, 60000},
	{"0.5s", true, 500},
	{"1.25m", true, 75000},
	{"0.0001s", true, 1},
	{"1.000001s", true, 1001},
	{"0.5ms", true, 1},
	{"100s", true, 100000},
	{"100000", true, 100000},
	/* of a number alone there is no half */
	{"0.5", false, 0},
	{"1.0000001s", false, 0},
	{"", false, 0},
	{".5s", false, 0},
	{"2.s", false, 0},
	{"s", false, 0},
	{"2 s", false, 0},
	{"2S", false, 0},
	{"2h", false, 0},
	{"2ss", false, 0},
	{"-2s", false, 0},
	/* beyond what may be */
	{"100001", false, 0},
	{"100.001s", false, 0},
	{"100000.1ms", false, 0},
	{"2m", false, 0},
	{"18446744073709551616s", false, 0},
};

START_TEST(reads_times)
{
	char *text = copied(times[_i].text, strlen(times[_i].text));
	uint64_t ms = 0;
	bool ok = rt_word_time((struct rt_word){text, strlen(times[_i].text)},
		100000, &ms);

	ck_assert_msg(ok == times[_i].ok, "\"%s\": expected %d", times[_i].text,
		times[_i].ok);
	if (ok)
		ck_assert_uint_eq(ms, times[_i].ms);
	free(text);
}
END_TEST

START_TEST(reads_words)
{
	static const char text[] = " one\ttwo  ";
	const char *at = text, *end = text + sizeof text - 1;
	struct rt_word rest = rt_text_rest(at, end);

	ck_assert(rt_word_is(rest, "one\ttwo"));
	ck_assert(rt_word_is(rt_text_word(&at, end), "one"));
	ck_assert(rt_word_is(rt_text_word(&at, end), "two"));
	ck_assert(rt_word_is(rt_text_word(&at, end), ""));
	ck_assert_ptr_eq(at, end);
	ck_assert(rt_word_is(rt_text_rest(at, end), ""));
}
END_TEST

static const struct {
	const char *line;
	int status;
} statuses[] = {
	{"HTTP/1.1 200 OK", 200},
	{"HTTP/1.1 200", 200},
	{"HTTP/2 404", 404},
	{"HTTP/1.0 101 Switching\r\n", 101},
	{"HTTP/1.1  200 OK", 0},
	{"HTTP/1.1\t200 OK", 0},
	{"HTTP/1.1 20", 0},
	{"HTTP/1.1 2x0", 0},
	{"HTTP/1.1", 0},
	{"HTTP/1234567890a 200", 0},
	{"HTTP/123456789 200", 200},
	{"http/1.1 200", 0},
	{"", 0},
};

START_TEST(knows_a_status_line)
{
	size_t size = strlen(statuses[_i].line);
	char *line = copied(statuses[_i].line, size);
	int status = rt_text_status(line, line + size);

	ck_assert_msg(status == statuses[_i].status, "%s: expected %d, got %d",
		statuses[_i].line, statuses[_i].status, status);
	free(line);
}
END_TEST

START_TEST(splits_lines)
{
	static const char text[] = "\na b\r\n\r\n\n\r c\rd\ne\r";
	static const char *const expected[] = {"a b", "\r c\rd", "e\r"};
	const char **lines = rt_text_lines(text);

	for (size_t i = 0; i < COUNT(expected); i++)
		ck_assert_str_eq(lines[i], expected[i]);
	ck_assert_ptr_null(lines[COUNT(expected)]);
	free(lines);
	lines = rt_text_lines("");
	ck_assert_ptr_null(lines[0]);
	free(lines);
}
END_TEST

static const struct {
	const char *list;
	bool lists;
} lists[] = {
	{"close", true},
	{"Close", true},
	{"TE, close", true},
	{"close,TE", true},
	{" \tclose\t , TE", true},
	{",,close,", true},
	{"", false},
	{",", false},
	{"closed", false},
	{"clos", false},
	{"not close", false},
	{"close;q=1", false},
};

START_TEST(finds_a_member_of_a_list)
{
	/* without a NUL after it, in memory of its own size */
	size_t size = strlen(lists[_i].list);
	char *list = malloc(size + 1);

	ck_assert_ptr_nonnull(list);
	list = memcpy(list, lists[_i].list, size);
	ck_assert_msg(rt_text_lists(list, size, "close") == lists[_i].lists,
		"'%s'", lists[_i].list);
	free(list);
}
END_TEST

/* The values that FNV-1a is published with. */
START_TEST(hashes_bytes)
{
	uint64_t foo = rt_text_hash(RT_TEXT_HASH, "foo", 3);

	ck_assert_uint_eq(rt_text_hash(RT_TEXT_HASH, "a", 1),
		UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(rt_text_hash(foo, "bar", 3),
		UINT64_C(0x85944171f73967e8));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, hexadecimal_digits);
	tcase_add_loop_test(tcase, reads_quoted_bytes, 0, COUNT(quoted));
	tcase_add_loop_test(tcase, reads_bytes_without_quotes, 0,
		COUNT(escaped));
	tcase_add_test(tcase, every_byte_is_read_back);
	tcase_add_loop_test(tcase, reads_numbers, 0, COUNT(numbers));
	tcase_add_loop_test(tcase, reads_ranges, 0, COUNT(ranges));
	tcase_add_loop_test(tcase, reads_times, 0, COUNT(times));
	tcase_add_test(tcase, reads_words);
	tcase_add_test(tcase, splits_lines);
	tcase_add_loop_test(tcase, knows_a_status_line, 0, COUNT(statuses));
	tcase_add_loop_test(tcase, finds_a_member_of_a_list, 0, COUNT(lists));
	tcase_add_test(tcase, hashes_bytes);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
