/* SPDX-License-Identifier: MIT */
/* Growing bytes: growth, the maximum, failure that sticks, reuse, format, text;
   arrays that grow; and how bytes are compared without case. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "support/harness.h"

#define assert_holds(buf, text) \
	assert_bytes((buf)->data, (buf)->len, (text), strlen(text))

START_TEST(an_empty_one_owns_nothing)
{
	struct rt_buf buf;

	rt_buf_init(&buf, 100);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_uint_eq(buf.room, 0);
	ck_assert(!buf.failed);
	rt_buf_add(&buf, NULL, 0);
	rt_buf_add_text(&buf, "");
	ck_assert_ptr_null(buf.data);
	ck_assert(!buf.failed);
	rt_buf_free(&buf);
	rt_buf_free(&buf);
}
END_TEST

START_TEST(bytes_survive_growth)
{
	struct rt_buf buf;
	size_t room = 0, grown = 0;

	rt_buf_init(&buf, 1 << 20);
	for (size_t i = 0; i < 100000; i++) {
		char byte = (char)(i * 7 % 251);

		rt_buf_add(&buf, &byte, 1);
		if (buf.len != i + 1 || buf.room < buf.len)
			ck_abort_msg("%zu bytes of %zu after %zu", buf.len,
				buf.room, i + 1);
		grown += buf.room != room;
		room = buf.room;
	}
	for (size_t i = 0; i < buf.len; i++)
		if (buf.data[i] != (char)(i * 7 % 251))
			ck_abort_msg("byte %zu has changed", i);
	/* by doubling, not byte by byte */
	ck_assert_uint_ge(grown, 2);
	ck_assert_uint_le(grown, 20);
	rt_buf_free(&buf);
	ck_assert_uint_eq(buf.max, 1 << 20);
}
END_TEST

START_TEST(every_byte_value_is_kept)
{
	struct rt_buf buf;
	char bytes[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	rt_buf_init(&buf, sizeof bytes);
	rt_buf_add(&buf, bytes, sizeof bytes);
	assert_bytes(buf.data, buf.len, bytes, sizeof bytes);
	rt_buf_free(&buf);
}
END_TEST

/* Maxima around the sizes that memory grows by. */
static const size_t maxima[] = {0, 1, 2, 511, 512, 513, 1023, 1024, 1025, 5000};

START_TEST(the_maximum_can_be_reached_and_not_passed)
{
	size_t max = maxima[_i];
	struct rt_buf buf;

	rt_buf_init(&buf, max);
	for (size_t i = 0; i < max; i++)
		rt_buf_add(&buf, "x", 1);
	ck_assert(!buf.failed);
	ck_assert_uint_eq(buf.len, max);
	ck_assert_uint_le(buf.room, max);
	rt_buf_add(&buf, "y", 1);
	ck_assert(buf.failed);
	ck_assert_uint_eq(buf.len, max);
	ck_assert_uint_le(buf.room, max);
	for (size_t i = 0; i < max; i++)
		ck_assert_int_eq(buf.data[i], 'x');
	rt_buf_free(&buf);
}
END_TEST

START_TEST(failure_is_sticky)
{
	struct rt_buf buf;

	rt_buf_init(&buf, 8);
	rt_buf_add_text(&buf, "abc");
	rt_buf_add_text(&buf, "123456");
	ck_assert(buf.failed);
	/* what would have fitted comes too late */
	rt_buf_add(&buf, "d", 1);
	rt_buf_add_text(&buf, "d");
	rt_buf_add_number(&buf, 4);
	rt_buf_add_format(&buf, "%d", 4);
	ck_assert_ptr_null(rt_buf_reserve(&buf, 1));
	ck_assert(buf.failed);
	assert_holds(&buf, "abc");
	rt_buf_free(&buf);
	ck_assert(!buf.failed);
}
END_TEST

START_TEST(sizes_do_not_wrap)
{
	struct rt_buf buf;

	rt_buf_init(&buf, 1000);
	rt_buf_add_text(&buf, "abc");
	ck_assert_ptr_null(rt_buf_reserve(&buf, SIZE_MAX));
	ck_assert(buf.failed);
	assert_holds(&buf, "abc");
	rt_buf_clear(&buf, SIZE_MAX);
	ck_assert_ptr_null(rt_buf_reserve(&buf, SIZE_MAX - 2));
	ck_assert(buf.failed);
	rt_buf_free(&buf);

	rt_buf_init(&buf, SIZE_MAX);
	rt_buf_add_text(&buf, "abc");
	ck_assert_ptr_null(rt_buf_reserve(&buf, SIZE_MAX - 1));
	ck_assert(buf.failed);
	assert_holds(&buf, "abc");
	rt_buf_free(&buf);
}
END_TEST

START_TEST(reserved_room_is_where_bytes_go)
{
	struct rt_buf buf;
	char *to;

	rt_buf_init(&buf, 4096);
	rt_buf_add_text(&buf, "head ");
	to = rt_buf_reserve(&buf, 4000);
	ck_assert_ptr_eq(to, buf.data + 5);
	ck_assert_uint_ge(buf.room - buf.len, 4000);
	ck_assert_uint_eq(buf.len, 5);
	memset(to, 'x', 4000);
	buf.len += 4000;
	ck_assert_ptr_eq(rt_buf_reserve(&buf, 91), buf.data + 4005);
	ck_assert_ptr_nonnull(rt_buf_reserve(&buf, 0));
	ck_assert_ptr_null(rt_buf_reserve(&buf, 92));
	rt_buf_free(&buf);
}
END_TEST

START_TEST(clear_keeps_memory_up_to_a_size)
{
	struct rt_buf buf;
	size_t room;
	char *data;

	rt_buf_init(&buf, 100000);
	rt_buf_add_text(&buf, "some bytes");
	room = buf.room;
	data = buf.data;
	rt_buf_clear(&buf, room);
	ck_assert_ptr_eq(buf.data, data);
	ck_assert_uint_eq(buf.room, room);
	ck_assert_uint_eq(buf.len, 0);
	rt_buf_add_text(&buf, "others");
	assert_holds(&buf, "others");
	rt_buf_clear(&buf, room - 1);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.room, 0);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_uint_eq(buf.max, 100000);
	rt_buf_add_text(&buf, "again");
	assert_holds(&buf, "again");
	rt_buf_free(&buf);
}
END_TEST

START_TEST(clear_forgets_a_failure)
{
	struct rt_buf buf;

	rt_buf_init(&buf, 4);
	rt_buf_add_text(&buf, "12345");
	ck_assert(buf.failed);
	rt_buf_clear(&buf, 0);
	ck_assert(!buf.failed);
	rt_buf_add_text(&buf, "1234");
	ck_assert(!buf.failed);
	assert_holds(&buf, "1234");
	rt_buf_free(&buf);
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		uint64_t number;
		const char *text;
	} cases[] = {
		{0, "0"},
		{7, "7"},
		{10, "10"},
		{404, "404"},
		{4294967296, "4294967296"},
		{9999999999999999999u, "9999999999999999999"},
		{UINT64_MAX, "18446744073709551615"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rt_buf buf;

		rt_buf_init(&buf, 20);
		rt_buf_add_number(&buf, cases[i].number);
		ck_assert(!buf.failed);
		assert_holds(&buf, cases[i].text);
		rt_buf_free(&buf);
	}
}
END_TEST

START_TEST(formats)
{
	struct rt_buf buf;
	char expected[3001];

	rt_buf_init(&buf, 4096);
	rt_buf_add_text(&buf, "<");
	rt_buf_add_format(&buf, "%s %03d %c%%", "text", 7, 'x');
	rt_buf_add_text(&buf, ">");
	assert_holds(&buf, "<text 007 x%>");
	rt_buf_add_format(&buf, "%s", "");
	assert_holds(&buf, "<text 007 x%>");
	rt_buf_clear(&buf, 0);
	rt_buf_add_format(&buf, "%3000d", 1);
	(void)snprintf(expected, sizeof expected, "%3000d", 1);
	assert_holds(&buf, expected);
	ck_assert(!buf.failed);
	rt_buf_add_format(&buf, "%2000d", 2);
	ck_assert(buf.failed);
	assert_holds(&buf, expected);
	rt_buf_free(&buf);
}
END_TEST

START_TEST(text_has_a_nul_that_does_not_count)
{
	struct rt_buf buf;

	rt_buf_init(&buf, 600);
	ck_assert_str_eq(rt_buf_text(&buf), "");
	ck_assert_uint_eq(buf.len, 0);
	rt_buf_add_text(&buf, "text");
	memset(buf.data + buf.len, 'x', buf.room - buf.len);
	ck_assert_str_eq(rt_buf_text(&buf), "text");
	ck_assert_uint_eq(buf.len, 4);
	rt_buf_add_text(&buf, ", more");
	ck_assert_str_eq(rt_buf_text(&buf), "text, more");
	/* where memory ends, it grows for the NUL */
	rt_buf_add_format(&buf, "%*s", (int)(buf.room - buf.len - 1), "");
	rt_buf_add(&buf, "!", 1);
	ck_assert_uint_eq(buf.len, buf.room);
	ck_assert_uint_eq(strlen(rt_buf_text(&buf)), buf.len);
	/* and the maximum is the NUL's, too */
	rt_buf_add_format(&buf, "%*s", (int)(buf.max - buf.len - 1), "");
	ck_assert_ptr_nonnull(rt_buf_text(&buf));
	rt_buf_add(&buf, "!", 1);
	ck_assert(!buf.failed);
	ck_assert_uint_eq(buf.len, buf.max);
	ck_assert_ptr_null(rt_buf_text(&buf));
	ck_assert(buf.failed);
	rt_buf_free(&buf);
}
END_TEST

START_TEST(quoted)
{
	static const struct {
		const char *bytes;
		size_t size;
		size_t most;
		const char *text;
	} cases[] = {
		{"", 0, 10, "\"\""},
		{"", 0, 0, "\"\""},
		{"plain ~", 7, 7, "\"plain ~\""},
		{"plain", 5, 4, "\"plai...\""},
		{"plain", 5, 0, "\"...\""},
		{"\"\\", 2, 10, "\"\\\"\\\\\""},
		{"\r\n\t\0\x7f\x80\xff", 7, 10,
			"\"\\r\\n\\x09\\x00\\x7f\\x80\\xff\""},
		/* bytes count, not what becomes of them */
		{"\0\0\0", 3, 2, "\"\\x00\\x00...\""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rt_buf buf;

		rt_buf_init(&buf, 100);
		rt_text_quote(&buf, cases[i].bytes, cases[i].size,
			cases[i].most);
		assert_holds(&buf, cases[i].text);
		rt_buf_free(&buf);
	}
}
END_TEST

/* --- arrays --- */

START_TEST(arrays_grow_by_doubling)
{
	uint64_t *items = NULL, *before;
	size_t room = 0, grown = 0;

	for (size_t i = 0; i < 100000; i++) {
		size_t had = room;

		before = items;
		if (!rt_grow(&items, &room, i, sizeof *items) || room <= i)
			ck_abort_msg("room for %zu after %zu", room, i);
		if (room != had)
			grown++;
		else if (items != before)
			ck_abort_msg("moved at %zu, with room for %zu", i, had);
		if (had > 0 && room != had && room != 2 * had)
			ck_abort_msg("from %zu to %zu", had, room);
		items[i] = i * 7;
	}
	for (size_t i = 0; i < 100000; i++)
		if (items[i] != i * 7)
			ck_abort_msg("item %zu has changed", i);
	ck_assert_uint_ge(grown, 2);
	ck_assert_uint_le(grown, 20);
	free(items);
}
END_TEST

START_TEST(what_cannot_grow_is_as_it_was)
{
	/* of 16 all wrap round, the last one to 0 */
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 16 + 2,
		SIZE_MAX / 16 + 1};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *items = NULL, *before;
		size_t room = 0, had;

		ck_assert(!rt_grow(&items, &room, 0, sizes[i]));
		ck_assert_ptr_null(items);
		ck_assert_uint_eq(room, 0);
		ck_assert(rt_grow(&items, &room, 0, 1));
		memset(items, 'x', room);
		before = items;
		had = room;
		/* there is room: nothing is multiplied */
		ck_assert(rt_grow(&items, &room, had - 1, sizes[i]));
		ck_assert(!rt_grow(&items, &room, had, sizes[i]));
		ck_assert(!rt_grow(&items, &room, had, SIZE_MAX / 32 + 1));
		ck_assert_ptr_eq(items, before);
		ck_assert_uint_eq(room, had);
		for (size_t at = 0; at < had; at++)
			ck_assert_int_eq(items[at], 'x');
		free(items);
	}
}
END_TEST

/* --- compared without case --- */

static const char small[] = "abcdefghijklmnopqrstuvwxyz";
static const char capital[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int
sign(int number)
{
	return (number > 0) - (number < 0);
}

START_TEST(only_the_case_of_an_ascii_letter_counts_for_nothing)
{
	unsigned char as[256];

	for (size_t i = 0; i < sizeof as; i++)
		as[i] = (unsigned char)i;
	for (size_t i = 0; small[i] != '\0'; i++)
		as[(unsigned char)capital[i]] = (unsigned char)small[i];
	for (int a = 0; a < 256; a++)
		for (int b = 1; b < 256; b++) {
			const char bytes[] = {'x', (char)a, 'Y'};
			const char text[] = {'X', (char)b, 'y', '\0'};
			int order = sign(rt_caseless_order(bytes, 3, text));
			int expected = sign(as[a] - as[b]);

			if (order != expected)
				ck_abort_msg("0x%02x and 0x%02x: expected %d, "
					     "not %d",
					a, b, expected, order);
			if (rt_caseless(bytes, 3, text) != (expected == 0))
				ck_abort_msg("0x%02x and 0x%02x: not as "
					     "rt_caseless_order()",
					a, b);
		}
}
END_TEST

START_TEST(sizes_are_compared_too)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
		int order;
	} cases[] = {
		{"", 0, "", 0},
		{"x", 0, "", 0}, /* bytes after it are not looked at */
		{"", 0, "a", -1},
		{"a", 1, "", 1},
		{"Chunked", 7, "cHUNKED", 0},
		{"Chunked", 6, "chunked", -1},
		{"Chunked", 7, "chunke", 1},
		{"Chunked, gzip", 7, "chunked", 0},
		{"a\0", 1, "a", 0},
		{"a\0", 2, "a", 1}, /* a NUL is a byte more */
		{"a\0b", 3, "a", 1},
		{"b", 1, "AA", 1},
		{"A", 1, "bb", -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int order = rt_caseless_order(cases[i].bytes, cases[i].size,
			cases[i].text);

		if (sign(order) != cases[i].order)
			ck_abort_msg("case %zu, '%s': expected %d, not %d", i,
				cases[i].text, cases[i].order, order);
		ck_assert_int_eq(rt_caseless(cases[i].bytes, cases[i].size,
					 cases[i].text),
			order == 0);
	}
}
END_TEST

/* --- bytes with several owners --- */

START_TEST(a_blob_is_a_copy)
{
	char bytes[] = "a\0b";
	struct rt_blob *blob = rt_blob_new(bytes, 3, false);

	ck_assert_ptr_nonnull(blob);
	memset(bytes, 'x', 3);
	assert_bytes(blob->data, blob->size, "a\0b", 3);
	rt_blob_drop(blob);
	blob = rt_blob_new(NULL, 0, false);
	ck_assert_ptr_nonnull(blob);
	ck_assert_uint_eq(blob->size, 0);
	rt_blob_drop(blob);
	/* what there can be no memory for */
	ck_assert_ptr_null(rt_blob_new(bytes, SIZE_MAX, false));
	ck_assert_ptr_null(rt_blob_new(bytes, SIZE_MAX - 8, false));
}
END_TEST

START_TEST(a_borrowed_blob_is_not)
{
	char bytes[] = "abc";
	struct rt_blob *blob = rt_blob_new(bytes, 3, true);

	ck_assert_ptr_nonnull(blob);
	ck_assert_ptr_eq(blob->data, bytes);
	ck_assert_uint_eq(blob->size, 3);
	rt_blob_drop(blob);
	ck_assert_str_eq(bytes, "abc");
}
END_TEST

/* ASan and valgrind see whether it is freed once, and with the last owner. */
START_TEST(a_blob_lives_as_long_as_its_owners)
{
	struct rt_blob *blob = rt_blob_new("abc", 3, false);

	ck_assert_ptr_eq(rt_blob_share(blob), blob);
	ck_assert_ptr_eq(rt_blob_share(blob), blob);
	ck_assert_uint_eq(blob->owners, 3);
	rt_blob_drop(blob);
	rt_blob_drop(blob);
	assert_bytes(blob->data, blob->size, "abc", 3);
	ck_assert_uint_eq(blob->owners, 1);
	rt_blob_drop(blob);
	ck_assert_ptr_null(rt_blob_share(NULL));
	rt_blob_drop(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tcase = tcase_create("buf");

	tcase_add_test(tcase, an_empty_one_owns_nothing);
	tcase_add_test(tcase, bytes_survive_growth);
	tcase_add_test(tcase, every_byte_value_is_kept);
	tcase_add_loop_test(tcase, the_maximum_can_be_reached_and_not_passed, 0,
		(int)(sizeof maxima / sizeof *maxima));
	tcase_add_test(tcase, failure_is_sticky);
	tcase_add_test(tcase, sizes_do_not_wrap);
	tcase_add_test(tcase, reserved_room_is_where_bytes_go);
	tcase_add_test(tcase, clear_keeps_memory_up_to_a_size);
	tcase_add_test(tcase, clear_forgets_a_failure);
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, formats);
	tcase_add_test(tcase, text_has_a_nul_that_does_not_count);
	tcase_add_test(tcase, quoted);
	tcase_add_test(tcase, arrays_grow_by_doubling);
	tcase_add_test(tcase, what_cannot_grow_is_as_it_was);
	tcase_add_test(tcase,
		only_the_case_of_an_ascii_letter_counts_for_nothing);
	tcase_add_test(tcase, sizes_are_compared_too);
	tcase_add_test(tcase, a_blob_is_a_copy);
	tcase_add_test(tcase, a_borrowed_blob_is_not);
	tcase_add_test(tcase, a_blob_lives_as_long_as_its_owners);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
