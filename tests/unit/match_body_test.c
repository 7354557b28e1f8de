/* SPDX-License-Identifier: MIT */
/* Tests of match: bodies that are more than bytes. */
#include "config.h"

#include "support/harness.h"
#include "unit/matching.h"

#include <string.h>

/* --- forms --- */

#define URLENCODED "Content-Type: application/x-www-form-urlencoded"
#define PARTS "Content-Type: multipart/form-data; boundary=b"
#define PART(rest) "--b\r\nContent-Disposition: form-data; name=" rest

/* A form of parts: a=1, an empty file, and c, a picture. */
static const char parts[] =
	PART("a") "\r\n\r\nx +%\r\n" PART("b; filename=\"\"") "\r\n\r\n\r\n" PART(
		"c; filename=\"me.png\"") "\r\nContent-Type: image/png\r\n\r\n"
					  "\x89PNG\0\r\n--b--\r\n";

#define FORM(text, ...) POST_IT, URLENCODED, text, sizeof(text) - 1, __VA_ARGS__
#define IN_PARTS POST_IT, PARTS, parts, sizeof parts - 1

#define GLOB(text, body, ...) \
	.when = {.if_body_glob = (text)}, POST_IT, NULL, body, \
	sizeof(body) - 1, __VA_ARGS__

static const struct situation globs[] = {
	{GLOB("<a>*<id>7</id>*</a>", "<a><b/><id>7</id>\r\n</a>", NULL)},
	{GLOB("<a>*</a>", "<a></a>", NULL)},
	{GLOB("abc", "abc", NULL)},
	{GLOB("*", "", NULL)},
	{GLOB("", "", NULL)},
	{GLOB("a*c", "a\0\xff%2A\nc", NULL)},
	{GLOB("a%62c", "a%62c", NULL)},
	{GLOB("a*b*c", "abbcc", NULL)},
	{GLOB("*ab*ab*", "abab", NULL)},
	{GLOB("*ab*ab*", "aba",
		"body differs from rule 2: expected \"*ab*ab*\", got "
		"\"aba\"")},
	{GLOB("ab*ba", "aba",
		"body differs from rule 2: expected \"ab*ba\", got \"aba\"")},
	{GLOB("abc", "abcd",
		"body differs from rule 2: expected \"abc\", got \"abcd\"")},
	{GLOB("a%62c", "abc",
		"body differs from rule 2: expected \"a%62c\", got \"abc\"")},
	{GLOB("A*C", "abc",
		"body differs from rule 2: expected \"A*C\", got \"abc\"")},
	{.when = {.if_body_glob = "A*C*", .if_nocase = true},
		POST_IT,
		NULL,
		"aBc+",
		4,
		NULL},
};

START_TEST(texts_with_asterisks)
{
	check_situation(&globs[_i]);
}
END_TEST

START_TEST(a_glob_wants_all_of_a_body)
{
	static const char expected[] =
		"body differs from rule 2: expected \"a*\", got \"abc\" (3 of "
		"its 4 bytes were kept)";
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_body_glob = "a*"});
	struct request request;
	struct rt_buf text;

	make_request(&request, POST_IT, NULL, "abc", 3);
	request.seen.body_total = 4;
	ck_assert(!rt_match_fits(match, &request.seen));
	rt_buf_init(&text, 1000);
	(void)rt_match_explain(match, &request.seen, "rule 2", &text);
	assert_bytes(text.data, text.len, expected, strlen(expected));
	rt_buf_free(&text);
	rt_match_free(match);
	check_description(&(struct retort_requests){.if_body_glob = "a*"},
		"any request, body like \"a*\"");
}
END_TEST

static const struct situation forms[] = {
	{.when = {.if_form = "a=1"}, FORM("a=1", NULL)},
	{.when = {.if_form = "a=1"}, FORM("b=2&a=1&c", NULL)},
	{.when = {.if_form = "client_id=c1"},
		FORM("my_client_id=c1",
			"form differs from rule 2: no pair \"client_id=c1\"")},
	{.when = {.if_form = "client_id=c1"},
		FORM("client_id=c2",
			"form differs from rule 2: no pair \"client_id=c1\": "
			"got \"c2\"")},
	{.when = {.if_form = "b=2\r\na=1\n"}, FORM("a=1&b=2", NULL)},
	{.when = {.if_form = "b=2&a=1"}, FORM("a=1&b=2", NULL)},
	{.when = {.if_form = "a=1\nb=2"},
		FORM("a=1", "form differs from rule 2: no pair \"b=2\"")},
	/* decoded */
	{.when = {.if_form = "a=b c+d&e%26=%3D"},
		FORM("a=b+c%2Bd&e%26=%3d", NULL)},
	{.when = {.if_form = "a=b c"}, FORM("a=b%20c", NULL)},
	{.when = {.if_form = "a=b+c"},
		FORM("a=b+c",
			"form differs from rule 2: no pair \"a=b+c\": got "
			"\"b+c\"")},
	{.when = {.if_form = "a=\xc3\xa9"}, FORM("a=%C3%A9", NULL)},
	{.when = {.if_form = "a="}, FORM("a", NULL)},
	{.when = {.if_form = "a=b=c"}, FORM("a=b=c", NULL)},
	/* any bytes */
	{.when = {.if_form = "a=*"}, FORM("a=x%26y", NULL)},
	{.when = {.if_form = "a=*"}, FORM("a", NULL)},
	{.when = {.if_form = "a=* c"}, FORM("a=b+c", NULL)},
	{.when = {.if_form = "a=%2A"}, FORM("a=*", NULL)},
	{.when = {.if_form = "a=%2A"},
		FORM("a=b",
			"form differs from rule 2: no pair \"a=%2A\": got "
			"\"b\"")},
	/* without some, or any others */
	{.when = {.if_form_absent = "a"}, FORM("b=a", NULL)},
	{.when = {.if_form_absent = "a"},
		FORM("b=2&a=1",
			"pair that rule 2 wants absent: \"a\" of value "
			"\"1\"")},
	{.when = {.if_form = "a=1", .if_form_only = true}, FORM("a=1", NULL)},
	{.when = {.if_form = "a=1", .if_form_only = true},
		FORM("a=1&b=2",
			"pair that rule 2 does not have: \"b\" of value "
			"\"2\"")},
	{.when = {.if_form = "a=1", .if_form_only = true},
		FORM("a=1&a=1",
			"form differs from rule 2: got 2 pairs, not 1")},
	{.when = {.if_form_only = true}, FORM("", NULL)},
	/* in parts */
	{.when = {.if_form = "a=x +%"}, IN_PARTS, NULL},
	{.when = {.if_form = "a=x*\nb=\nc=%89PNG%00"}, IN_PARTS, NULL},
	{.when = {.if_form = "a=y"},
		IN_PARTS,
		"form differs from rule 2: no pair \"a=y\": got \"x +%\""},
	{.when = {.if_form = "d=*"},
		IN_PARTS,
		"form differs from rule 2: no pair \"d=*\""},
	{.when = {.if_form_absent = "c"},
		IN_PARTS,
		"pair that rule 2 wants absent: \"c\" of value "
		"\"\\x89PNG\\x00\""},
	{.when = {.if_file = "c=me.png"}, IN_PARTS, NULL},
	{.when = {.if_file = "b="}, IN_PARTS, NULL},
	{.when = {.if_file = "c=*.png;type=image/png\r\nb="}, IN_PARTS, NULL},
	{.when = {.if_file = "c=*;type=image/*"}, IN_PARTS, NULL},
	{.when = {.if_file = "c=me.jpg"},
		IN_PARTS,
		"form differs from rule 2: no file \"c=me.jpg\": got "
		"\"me.png\" of type \"image/png\""},
	{.when = {.if_file = "c=me.png;type=image/jpeg"},
		IN_PARTS,
		"form differs from rule 2: no file "
		"\"c=me.png;type=image/jpeg\": got \"me.png\" of type "
		"\"image/png\""},
	{.when = {.if_file = "b=;type=*"},
		IN_PARTS,
		"form differs from rule 2: no file \"b=;type=*\": got \"\""},
	{.when = {.if_file = "a=*"},
		IN_PARTS,
		"form differs from rule 2: no file \"a=*\": got no file"},
	{.when = {.if_file = "a=*"},
		FORM("a=1",
			"form differs from rule 2: no file \"a=*\": got no "
			"file")},
	/* no form, or a malformed one */
	{.when = {.if_form = "a=1"},
		POST_IT,
		NULL,
		"a=1",
		3,
		"form differs from rule 2: no Content-Type"},
	{.when = {.if_form = "a=1"},
		POST_IT,
		"content-type: text/plain",
		"a=1",
		3,
		"form differs from rule 2: Content-Type is \"text/plain\""},
	{.when = {.if_form_absent = "a", .if_form_only = true},
		POST_IT,
		NULL,
		NULL,
		0,
		NULL},
	{.when = {.if_form_absent = "a"},
		POST_IT,
		PARTS,
		PART("b") "\r\n\r\n",
		47,
		"form differs from rule 2: it is malformed at byte 47: its "
		"last boundary is missing"},
	{.when = {.if_form = "a=x*"},
		POST_IT,
		PARTS,
		parts,
		sizeof parts - 5,
		"form differs from rule 2: it is malformed at byte 216: "
		"expected CR LF or '--' after a boundary"},
	/* the first condition that is not met is told */
	{.when = {.request = "POST", .if_form = "a=1", .if_file = "b=c"},
		FORM("a=2",
			"form differs from rule 2: no pair \"a=1\": got "
			"\"2\"")},
};

START_TEST(forms_by_their_pairs)
{
	check_situation(&forms[_i]);
}
END_TEST

START_TEST(a_form_that_was_not_kept_whole)
{
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_form = "a=1"});
	struct request request;
	struct rt_buf why;

	make_request(&request, POST_IT, URLENCODED, "a=1&b=", 6);
	request.seen.body_total = 6;
	ck_assert(rt_match_fits(match, &request.seen));
	request.seen.body_total = 7;
	ck_assert(!rt_match_fits(match, &request.seen));
	rt_buf_init(&why, 1000);
	(void)rt_match_explain(match, &request.seen, "it", &why);
	ck_assert_str_eq(rt_buf_text(&why),
		"form differs from it (6 of its 7 bytes were kept)");
	rt_buf_free(&why);
	rt_match_free(match);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("match");
	TCase *form = tcase_create("forms"), *glob = tcase_create("globs");

	tcase_add_loop_test(form, forms_by_their_pairs, 0, COUNT(forms));
	tcase_add_test(form, a_form_that_was_not_kept_whole);
	rt_test_case(suite, form);
	tcase_add_loop_test(glob, texts_with_asterisks, 0, COUNT(globs));
	tcase_add_test(glob, a_glob_wants_all_of_a_body);
	rt_test_case(suite, glob);
	return rt_test_run(suite);
}
