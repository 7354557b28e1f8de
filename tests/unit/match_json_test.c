/* SPDX-License-Identifier: MIT */
/* Tests of match: bodies that are JSON. */
#include "config.h"

#include "support/harness.h"
#include "unit/matching.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_JANSSON

#define J(wanted, body, ...) \
	.when = {.if_json = (wanted)}, POST_IT, NULL, body, sizeof(body) - 1, \
	__VA_ARGS__
#define HAS(wanted, body, ...) \
	.when = {.if_json_has = (wanted)}, POST_IT, NULL, body, \
	sizeof(body) - 1, __VA_ARGS__
#define DIFFERS "body differs from rule 2"

static const struct situation situations[] = {
	/* the same, however it is written */
	{J("{\"id\": 1}", "{\"id\":1}", NULL)},
	{J("{\"id\": 1}", " {\r\n\t\"\\u0069d\" : 1 } ", NULL)},
	{J("{\"a\": 1, \"b\": [true, null]}", "{\"b\":[true,null],\"a\":1}",
		NULL)},
	{J("{}", "{}", NULL)},
	{J("[]", "[ ]", NULL)},
	{J("\"a/\"", "\"\\u0061\\/\"", NULL)},
	{J("1", "1", NULL)},
	{J("null", "null", NULL)},
	/* where they differ */
	{J("{\"id\": 1}", "{\"id\": 2}", DIFFERS " at /id: expected 1, got 2")},
	{J("{\"items\": [1, 2, {\"price\": 3}]}",
		"{\"items\": [1, 2, {\"price\": 4}]}",
		DIFFERS " at /items/2/price: expected 3, got 4")},
	{J("{\"a\": 1, \"b\": 2}", "{\"b\": 2}",
		DIFFERS " at /a: expected 1, got nothing")},
	{J("{\"a\": 1}", "{\"a\": 1, \"b\": [2]}",
		DIFFERS " at /b: expected nothing, got [2]")},
	{J("[1, 2]", "[1]", DIFFERS " at /1: expected 2, got nothing")},
	{J("[1]", "[1, {}]", DIFFERS " at /1: expected nothing, got {}")},
	{J("[1, 2]", "[2, 1]", DIFFERS " at /0: expected 1, got 2")},
	{J("{\"a\": 1}", "[1]", DIFFERS ": expected {\"a\":1}, got [1]")},
	{J("{}", "[]", DIFFERS ": expected {}, got []")},
	{J("1", "\"1\"", DIFFERS ": expected 1, got \"1\"")},
	{J("true", "false", DIFFERS ": expected true, got false")},
	{J("null", "0", DIFFERS ": expected null, got 0")},
	{J("\"a\"", "\"A\"", DIFFERS ": expected \"a\", got \"A\"")},
	{J("{\"a/b~\\u00e9\\n\": {\"\": 1}}",
		"{\"a/b~\xc3\xa9\\n\": {\"\": 2}}",
		DIFFERS " at /a~1b~0\\xc3\\xa9\\x0a/: expected 1, got 2")},
	{J("\"\xc3\xa9\"", "\"e\\u0000\"",
		DIFFERS ": expected \"\\u00E9\", got \"e\\u0000\"")},
	/* numbers by their values */
	{J("1", "1.0", NULL)},
	{J("1.0", "1", NULL)},
	{J("100", "1e2", NULL)},
	{J("0", "-0", NULL)},
	{J("0.0", "-0.0", NULL)},
	{J("0.1", "0.10", NULL)},
	{J("1", "1.5", DIFFERS ": expected 1, got 1.5")},
	{J("0.3", "0.30000000000000004",
		DIFFERS ": expected 0.29999999999999999, got "
			"0.30000000000000004")},
	{J("9007199254740993", "9007199254740993", NULL)},
	{J("9007199254740993", "9007199254740992",
		DIFFERS ": expected 9007199254740993, got 9007199254740992")},
	{J("9007199254740993", "9007199254740992.0",
		DIFFERS
		": expected 9007199254740993, got 9.00719925474099e15")},
	{J("9223372036854775807", "9223372036854775807", NULL)},
	{J("1", "1e300", DIFFERS ": expected 1, got 1e300")},
	{J("-9223372036854775808", "-9223372036854775808.0", NULL)},
	{J("1", "9223372036854775808",
		DIFFERS ": malformed JSON at byte 0: too big integer: got "
			"\"9223372036854775808\"")},
	{J("1", "1e999",
		DIFFERS ": malformed JSON at byte 0: real number overflow: got "
			"\"1e999\"")},
	/* strings with NUL */
	{J("\"a\\u0000b\"", "\"a\\u0000b\"", NULL)},
	{J("\"a\\u0000b\"", "\"a\\u0000c\"",
		DIFFERS ": expected \"a\\u0000b\", got \"a\\u0000c\"")},
	{J("1", "{\"a\\u0000\": 1}",
		DIFFERS
		": malformed JSON at byte 1: NUL byte in object key not "
		"supported: got \"{\\\"a\\\\u0000\\\": 1}\"")},
	/* malformed */
	{J("1", "",
		DIFFERS ": malformed JSON at byte 0: it is empty: got "
			"\"\"")},
	{J("1", "{\"a\": 1, \"a\": 1}",
		DIFFERS ": malformed JSON at byte 9: duplicate object key: "
			"got \"{\\\"a\\\": 1, \\\"a\\\": 1}\"")},
	{J("1", "1 2",
		DIFFERS ": malformed JSON at byte 2: end of file expected: got "
			"\"1 2\"")},
	{J("1", "a\x1b",
		DIFFERS ": malformed JSON at byte 0: invalid token: got "
			"\"a\\x1b\"")},
	{J("1", "\"\xff\"",
		DIFFERS
		": malformed JSON at byte 1: unable to decode byte 0xff: "
		"got \"\\\"\\xff\\\"\"")},
	/* these members, and maybe others */
	{HAS("{\"id\": 1}", "{\"id\": 1, \"name\": \"x\"}", NULL)},
	{HAS("{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1, \"c\": 2}}", NULL)},
	{HAS("{}", "{\"a\": 1}", NULL)},
	{HAS("[{\"a\": 1}]", "[{\"a\": 1, \"b\": 2}]", NULL)},
	{HAS("{\"id\": 1}", "{\"name\": \"x\"}",
		DIFFERS " at /id: expected 1, got nothing")},
	{HAS("[1]", "[1, 2]", DIFFERS " at /1: expected nothing, got 2")},
	{HAS("{\"a\": {}}", "{\"a\": []}",
		DIFFERS " at /a: expected {}, got []")},
	{.when = {.if_json = "{\"a\": 1}", .if_json_has = "{\"a\": 1.0}"},
		POST_IT,
		NULL,
		"{\"a\":2}",
		7,
		DIFFERS " at /a: expected 1, got 2"},
};

START_TEST(values)
{
	check_situation(&situations[_i]);
}
END_TEST

/* Which may write 1,5. */
START_TEST(the_hosts_locale_has_no_say)
{
	static const char *const names[] = {"de_DE.UTF-8", "fr_FR.ISO-8859-1",
		"C.UTF-8"};

	for (int i = 0; i < COUNT(names); i++)
		if (setlocale(LC_ALL, names[i]) != NULL)
			for (int n = 0; n < COUNT(situations); n++)
				check_situation(&situations[n]);
	(void)setlocale(LC_ALL, "C");
}
END_TEST

static const struct {
	struct retort_requests when;
	const char *error;
} malformed[] = {
	{{.if_json = "{\"id\": 1"},
		"if_json: '{\"id\": 1': malformed JSON at byte 8: '}' "
		"expected"},
	{{.if_json_has = "{\"id\": 1\r\n\n"},
		"if_json_has: '{\"id\": 1': malformed JSON at byte 8: '}' "
		"expected"},
	/* the line with the mistake */
	{{.if_json = "{\n\t\"id\": ,\r\n}"},
		"if_json: '\t\"id\": ,': malformed JSON at byte 7: unexpected "
		"token"},
	{{.if_json_has = ""},
		"if_json_has: '': malformed JSON at byte 0: it is empty"},
	{{.if_json = "{\"a\": 1, \"a\": 2}"},
		"if_json: '{\"a\": 1, \"a\": 2}': malformed JSON at byte 9: "
		"duplicate object key"},
	{{.if_json = "99999999999999999999"},
		"if_json: '99999999999999999999': malformed JSON at byte 0: "
		"too big integer"},
};

START_TEST(malformed_values)
{
	fail_match(&malformed[_i].when);
	assert_bytes(error, strlen(error), malformed[_i].error,
		strlen(malformed[_i].error));
}
END_TEST

static void
check_limit(const char *body, size_t size, const char *why)
{
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_json_has = "[]"});
	struct request request;
	struct rt_buf words;

	make_request(&request, POST_IT, NULL, body, size);
	rt_buf_init(&words, 1 << 20);
	(void)rt_match_explain(match, &request.seen, "it", &words);
	ck_assert_ptr_nonnull(rt_buf_text(&words));
	ck_assert_msg(strstr(words.data, why) != NULL, "expected %s, got %s",
		why, words.data);
	ck_assert(!rt_match_fits(match, &request.seen));
	rt_buf_free(&words);
	rt_match_free(match);
}

START_TEST(limits)
{
	size_t most = 1 << 20;
	char *body = malloc(most + 2);

	ck_assert_ptr_nonnull(body);
	memset(body, '[', 101);
	memset(body + 101, ']', 101);
	check_limit(body + 1, 200, " at /0: expected nothing, got [[");
	check_limit(body, 202, ": deeper than 100 levels: ");
	/* the deepest that there could be */
	memset(body, '[', most + 1);
	check_limit(body, most, "maximum parsing depth reached");
	memset(body, ' ', most + 1);
	body[most - 1] = '1';
	check_limit(body, most, ": expected [], got 1");
	body[most] = '1';
	check_limit(body, most + 1, ": more than 1 MiB: ");
	free(body);
}
END_TEST

START_TEST(a_body_that_was_not_kept_whole)
{
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_json = "1"});
	struct request request;
	struct rt_buf why;

	make_request(&request, POST_IT, NULL, "1", 1);
	request.seen.body_total = 2;
	ck_assert(!rt_match_fits(match, &request.seen));
	rt_buf_init(&why, 1000);
	(void)rt_match_explain(match, &request.seen, "it", &why);
	ck_assert_str_eq(rt_buf_text(&why),
		"body differs from it (1 of its 2 bytes were kept)");
	rt_buf_free(&why);
	rt_match_free(match);
}
END_TEST

START_TEST(describes_values)
{
	check_description(&(struct retort_requests){.if_json = "1\n",
				  .if_json_has = "{}\r\n"},
		"any request, JSON \"1\", JSON with \"{}\"");
}
END_TEST

#else

START_TEST(without_jansson)
{
	errno = 0;
	ck_assert_ptr_null(
		rt_match_new(&(struct retort_requests){.if_json = "1"},
			RETORT_HTTP, error));
	ck_assert_int_eq(errno, ENOTSUP);
	ck_assert_str_eq(error, "if_json: libretort was built without jansson");
	ck_assert_ptr_null(
		rt_match_new(&(struct retort_requests){.if_json_has = "1"},
			RETORT_TCP, error));
	ck_assert_str_eq(error,
		"if_json_has: libretort was built without jansson");
}
END_TEST

#endif

int
main(void)
{
	Suite *suite = suite_create("match");
	TCase *json = tcase_create("JSON");

#ifdef HAVE_JANSSON
	tcase_add_loop_test(json, values, 0, COUNT(situations));
	tcase_add_loop_test(json, malformed_values, 0, COUNT(malformed));
	tcase_add_test(json, the_hosts_locale_has_no_say);
	tcase_add_test(json, limits);
	tcase_add_test(json, a_body_that_was_not_kept_whole);
	tcase_add_test(json, describes_values);
#else
	tcase_add_test(json, without_jansson);
#endif
	rt_test_case(suite, json);
	return rt_test_run(suite);
}
