/* SPDX-License-Identifier: MIT */
/* Edits of wire bytes: where they are made, and what comes of the bytes. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/harness.h"
#include "tls/wire.h"

/* Three records of 3, 0 and 2 bytes. */
static const char records[] = "A\3\3\0\3abcB\3\3\0\0C\3\3\0\2de";
#define FIRST 8
#define SECOND 5
#define WHOLE (sizeof records - 1)

static struct rt_wire wire;
static struct rt_buf out;

static void
begin(void)
{
	wire = (struct rt_wire){.bytes = 0};
	rt_buf_init(&out, 1000);
}

static void
end(void)
{
	rt_wire_free(&wire);
	rt_buf_free(&out);
}

static void
take(struct rt_wire_edit edit)
{
	struct rt_wire_list list = {NULL, 0, 0};

	ck_assert(rt_wire_add(&list, edit));
	ck_assert(rt_wire_take(&wire, &list));
	ck_assert_uint_eq(list.count, 0);
}

static void
pass(const char *bytes, size_t size, bool flight)
{
	ck_assert(rt_wire_pass(&wire, &out, bytes, size, flight));
}

/* Each record by itself, in one call or in three. */
static void
pass_all(bool together)
{
	if (together) {
		pass(records, WHOLE, true);
		return;
	}
	pass(records, FIRST, true);
	pass(records + FIRST, SECOND, true);
	pass(records + FIRST + SECOND, WHOLE - FIRST - SECOND, true);
}

static struct rt_wire_edit
insert(enum rt_wire_unit unit, uint64_t after, uint64_t plus)
{
	return (struct rt_wire_edit){.act = RT_WIRE_INSERT,
		.unit = unit,
		.after = after,
		.plus = plus,
		.bytes = strdup("!"),
		.size = 1,
		.stays = true};
}

/* `!` stands there, and nowhere else. */
static void
expect_at(size_t at)
{
	char expected[WHOLE + 1];
	size_t size = at <= WHOLE ? WHOLE + 1 : WHOLE;

	if (at <= WHOLE) {
		memcpy(expected, records, at);
		expected[at] = '!';
		memcpy(expected + at + 1, records + at, WHOLE - at);
	} else {
		memcpy(expected, records, WHOLE);
	}
	assert_bytes(out.data, out.len, expected, size);
}

#define NOWHERE (WHOLE + 1)

static const struct {
	enum rt_wire_unit unit;
	uint64_t after;
	uint64_t plus;
	bool together;
	size_t at;
} places[] = {
	{RT_WIRE_RECORDS, 0, 0, true, 0},
	{RT_WIRE_RECORDS, 0, 7, true, 7},
	{RT_WIRE_RECORDS, 0, FIRST, true, FIRST},
	{RT_WIRE_RECORDS, 1, 0, false, FIRST},
	{RT_WIRE_RECORDS, 1, 2, true, FIRST + 2},
	{RT_WIRE_RECORDS, 2, 0, true, FIRST + SECOND},
	{RT_WIRE_RECORDS, 2, 6, false, FIRST + SECOND + 6},
	/* where no byte would be sent, nothing happens */
	{RT_WIRE_RECORDS, 3, 0, true, NOWHERE},
	{RT_WIRE_RECORDS, 2, 7, true, NOWHERE},
	{RT_WIRE_FLIGHTS, 0, 0, true, 0},
	{RT_WIRE_FLIGHTS, 0, 9, true, 9},
	{RT_WIRE_FLIGHTS, 1, 0, true, NOWHERE},
	{RT_WIRE_FLIGHTS, 1, 0, false, FIRST},
	{RT_WIRE_FLIGHTS, 2, 1, false, FIRST + SECOND + 1},
	{RT_WIRE_FLIGHTS, 0, FIRST + 1, false, FIRST + 1},
};

START_TEST(test_places)
{
	begin();
	take(insert(places[_i].unit, places[_i].after, places[_i].plus));
	pass_all(places[_i].together);
	expect_at(places[_i].at);
	end();
}
END_TEST

/* After the last flight there is what is none. */
START_TEST(test_after_flights)
{
	begin();
	take(insert(RT_WIRE_FLIGHTS, 1, 2));
	pass(records, FIRST, true);
	pass(records + FIRST, WHOLE - FIRST, false);
	expect_at(FIRST + 2);
	end();
}
END_TEST

START_TEST(test_each_byte)
{
	for (size_t i = 0; i <= WHOLE; i++) {
		begin();
		take(insert(RT_WIRE_BYTES, i, 0));
		pass_all(_i);
		expect_at(i < WHOLE ? i : NOWHERE);
		end();
	}
}
END_TEST

START_TEST(test_corrupt)
{
	char expected[WHOLE];

	for (size_t i = 0; i < WHOLE; i++) {
		begin();
		take((struct rt_wire_edit){.act = RT_WIRE_CORRUPT, .after = i});
		pass_all(_i);
		memcpy(expected, records, WHOLE);
		expected[i] = (char)~expected[i];
		assert_bytes(out.data, out.len, expected, WHOLE);
		end();
	}
}
END_TEST

START_TEST(test_holds)
{
	struct rt_wire_list list = {NULL, 0, 0};
	const struct rt_hold *hold;

	begin();
	/* those at one place, in their order; after a cut there is nothing */
	ck_assert(rt_wire_add(&list,
		(struct rt_wire_edit){.act = RT_WIRE_PAUSE,
			.after = 3,
			.time = 7}));
	ck_assert(rt_wire_add(&list,
		(struct rt_wire_edit){.act = RT_WIRE_CUT,
			.after = 9,
			.how = 5}));
	ck_assert(rt_wire_add(&list, insert(RT_WIRE_BYTES, 3, 0)));
	ck_assert(rt_wire_add(&list, insert(RT_WIRE_BYTES, 9, 0)));
	ck_assert(rt_wire_take(&wire, &list));
	pass_all(_i);
	pass_all(_i);
	assert_bytes(out.data, out.len, "A\3\3!\0\3abcB", 10);
	ck_assert(wire.cut);
	hold = rt_wire_hold(&wire);
	ck_assert_ptr_nonnull(hold);
	ck_assert_uint_eq(hold->at, 3);
	ck_assert_int_eq(hold->act, RT_WIRE_PAUSE);
	ck_assert_int_eq(hold->time, 7);
	rt_wire_obeyed(&wire);
	hold = rt_wire_hold(&wire);
	ck_assert_ptr_nonnull(hold);
	ck_assert_uint_eq(hold->at, 10);
	ck_assert_int_eq(hold->act, RT_WIRE_CUT);
	ck_assert_int_eq(hold->how, 5);
	rt_wire_obeyed(&wire);
	ck_assert_ptr_null(rt_wire_hold(&wire));
	end();
}
END_TEST

/* Positions count from when they are given; those of the last reply go. */
START_TEST(test_later)
{
	struct rt_wire_edit edit = insert(RT_WIRE_RECORDS, 1, 1);

	begin();
	pass_all(false);
	rt_buf_clear(&out, 0);
	edit.stays = false;
	take(insert(RT_WIRE_BYTES, WHOLE + 1, 0));
	take(edit);
	pass_all(true);
	expect_at(FIRST + 1);
	rt_buf_clear(&out, 0);
	/* that one is gone, the other is not */
	take((struct rt_wire_edit){.act = RT_WIRE_PAUSE, .after = 1000});
	pass_all(true);
	expect_at(1);
	end();
}
END_TEST

/* What is no record is passed on as it is. */
START_TEST(test_bits)
{
	begin();
	take(insert(RT_WIRE_RECORDS, 1, 0));
	pass("xyz", 3, false);
	pass("A\3\3\0\x9zz", 7, false);
	pass("v", 1, false);
	assert_bytes(out.data, out.len, "xyz!A\3\3\0\x9zzv", 12);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire");
	TCase *edits = tcase_create("edits");

	rt_test_case(suite, edits);
	tcase_add_loop_test(edits, test_places, 0,
		(int)(sizeof places / sizeof *places));
	tcase_add_test(edits, test_after_flights);
	tcase_add_loop_test(edits, test_each_byte, 0, 2);
	tcase_add_loop_test(edits, test_corrupt, 0, 2);
	tcase_add_loop_test(edits, test_holds, 0, 2);
	tcase_add_test(edits, test_later);
	tcase_add_test(edits, test_bits);
	return rt_test_run(suite);
}
