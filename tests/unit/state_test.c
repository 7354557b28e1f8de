/* SPDX-License-Identifier: MIT */
/* Tests of state.c: states as words, and as they are now. */
#include "config.h"

#include "match/state.h"
#include "retort.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG "12345678901234567890123456789012" /* 32 bytes */

#define EXPECTED \
	": expected a state, such as ready, cart:full or connection:data, " \
	"at most 32 bytes each"

static const struct {
	const char *text;
	const char *error; /* after the member; NULL: it is right */
} texts[] = {
	{NULL, NULL},
	{"ready", NULL},
	{" a\tb:c\r\nconnection:d\n", NULL},
	{"a-b_c.d:1", NULL},
	{LONG " " LONG ":" LONG, NULL},
	{"", ": expected a state, such as ready"},
	{" \n", ": expected a state, such as ready"},
	{LONG "3", ": '" LONG "3'" EXPECTED},
	{LONG "3:a", ": '" LONG "3:a'" EXPECTED},
	{"a:" LONG "3", ": 'a:" LONG "3'" EXPECTED},
	{"a:", ": 'a:'" EXPECTED},
	{":a", ": ':a'" EXPECTED},
	{"a:b:c", ": 'a:b:c'" EXPECTED},
	{"x:b a\"", ": 'a\"'" EXPECTED},
	{"a b", ": 'b': expected one state of each name; 'a' is one already"},
	{"x:a c x:b",
		": 'x:b': expected one state of each name; 'x:a' is one "
		"already"},
	{"connection:a connection:a",
		": 'connection:a': expected one state of each name; "
		"'connection:a' is one already"},
};

START_TEST(checks_texts)
{
	char error[RETORT_ERROR_SIZE] = "", expected[RETORT_ERROR_SIZE] = "";
	const char *wanted = texts[_i].error;

	if (wanted != NULL)
		(void)snprintf(expected, sizeof expected, "in%s", wanted);
	ck_assert_int_eq(rt_state_check(texts[_i].text, "in", error),
		wanted != NULL ? -EINVAL : 0);
	ck_assert_str_eq(error, expected);
}
END_TEST

static struct rt_states states;
static rt_place connection;

static void
must_say(const char *expected)
{
	struct rt_buf text;

	rt_buf_init(&text, 4096);
	rt_states_say(&states, connection, &text);
	assert_bytes(text.data, text.len, expected, strlen(expected));
	rt_buf_free(&text);
}

START_TEST(enters_states)
{
	struct rt_states old;

	must_say("connection:start");
	ck_assert(rt_states_note(&states, "full cart:x"));
	ck_assert(rt_states_note(&states, "connection:y cart:z"));
	ck_assert(rt_states_note(&states, "connection:data connection:y"));
	must_say("start cart:start connection:start");
	rt_states_enter(&states, &connection, "cart:full connection:data");
	must_say("start cart:full connection:data");
	rt_states_enter(&states, &connection, "busy");
	rt_states_enter(&states, &connection, NULL);
	must_say("busy cart:full connection:data");
	/* of what is not known nothing is kept */
	rt_states_enter(&states, &connection, "other:x");
	must_say("busy cart:full connection:data");
	old = states;
	states.count = 0;
	ck_assert(rt_states_note(&states, "new:a cart:b"));
	rt_states_copy(&states, &old);
	must_say("new:start cart:full connection:data");
}
END_TEST

START_TEST(names_have_a_bound)
{
	char text[40];

	memset(&states, 0, sizeof states);
	for (int i = 0; i < RT_STATE_NAMES; i++) {
		(void)snprintf(text, sizeof text, "n%d:x", i);
		ck_assert(rt_states_note(&states, text));
		ck_assert(rt_states_note(&states, text));
	}
	ck_assert(!rt_states_note(&states, "one-more:x"));
	ck_assert(rt_states_note(&states, "n0:y connection:x"));
	ck_assert_uint_eq(states.count, RT_STATE_NAMES);
	for (int i = 1; i < RT_STATE_NAMES; i++) {
		(void)snprintf(text, sizeof text, "connection:n%d", i);
		ck_assert(rt_states_note(&states, text));
		ck_assert(rt_states_note(&states, text));
	}
	ck_assert(!rt_states_note(&states, "connection:y"));
	ck_assert(rt_states_note(&states, "connection:x"));
}
END_TEST

static void
must_be(const char *text, const char *name, const char *expected)
{
	struct rt_word state =
		rt_state_of(text, (struct rt_word){name, strlen(name)});

	assert_bytes(state.text, state.size, expected, strlen(expected));
}

START_TEST(finds_states)
{
	must_be(NULL, "", "start");
	must_be(NULL, "cart", "start");
	must_be("busy cart:full", "", "busy");
	must_be("busy cart:full", "cart", "full");
	must_be("busy cart:full", "car", "start");
	must_be("cart:full", "", "start");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("state");
	TCase *tcase = tcase_create("state");

	tcase_add_loop_test(tcase, checks_texts, 0, COUNT(texts));
	tcase_add_test(tcase, enters_states);
	tcase_add_test(tcase, names_have_a_bound);
	tcase_add_test(tcase, finds_states);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
