/* SPDX-License-Identifier: MIT */
/* Tests of match: regular expressions. */
#include "config.h"

#include "support/harness.h"
#include "unit/matching.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(text) POST_IT, NULL, text, sizeof(text) - 1

static const struct situation situations[] = {
	/* paths */
	{.when = {.if_path_matches = "^/users/[0-9]+$"},
		"GET /users/17?x",
		.why = NULL},
	{.when = {.if_path_matches = "[0-9]$"}, "GET /users/17", .why = NULL},
	{.when = {.if_path_matches = "^/users/[0-9]+$"},
		"GET /users/x",
		.why = "path differs from rule 2: no match of "
		       "\"^/users/[0-9]+$\" in \"/users/x\""},
	{.when = {.if_path_matches = "^/a\nb$"}, "GET /ab", .why = NULL},
	{.when = {.if_path_matches = "^/a\nb$"},
		"GET /ac",
		.why = "path differs from rule 2: no match of \"b$\" in "
		       "\"/ac\""},
	{.when = {.if_path_matches = "x"},
		NULL,
		.why = "path differs from rule 2: no match of \"x\" in \"\""},
	/* fields */
	{.when = {.if_field_matches = "a:  ^x{2,3}$ "},
		POST_IT,
		"A: xxx",
		.why = NULL},
	{.when = {.if_field_matches = "A: ^x+$\nB: ^$"},
		POST_IT,
		"A: y\nB: \nA: x",
		.why = NULL},
	{.when = {.if_field_matches = "A: ^x+$"},
		POST_IT,
		"A: y\nB: x\na: xy",
		.why = "field differs from rule 2: no match of \"A: ^x+$\": "
		       "got \"y\", \"xy\""},
	{.when = {.if_field_matches = "A: ^x+$"},
		POST_IT,
		"B: x",
		.why = "field differs from rule 2: no match of \"A: ^x+$\": no "
		       "such field"},
	{.when = {.if_field_matches = "A: X", .if_nocase = true},
		POST_IT,
		"A: x",
		.why = NULL},
	/* bodies */
	{.when = {.if_body_matches = "b"}, BODY("abc"), NULL},
	{.when = {.if_body_matches = "^EHLO [a-z.]+\r?"},
		BODY("EHLO me.example"),
		NULL},
	{.when = {.if_body_matches = "^EHLO [a-z.]+"},
		BODY("ehlo me\r\n"),
		"body differs from rule 2: no match of \"^EHLO [a-z.]+\" in "
		"\"ehlo me\\r\\n\""},
	{.when = {.if_body_matches = "^EHLO [a-z.]+", .if_nocase = true},
		BODY("ehlo me\r\n"),
		NULL},
	{.when = {.if_body_matches = "a\n^b"}, BODY("ba"), NULL},
	{.when = {.if_body_matches = "a\n^b"},
		BODY("ab"),
		"body differs from rule 2: no match of \"^b\" in \"ab\""},
	{.when = {.if_body_matches = "^$"}, POST_IT, NULL, NULL, 0, NULL},
	{.when = {.if_body_matches = "a|b$"}, BODY("cb"), NULL},
	{.when = {.if_body_matches = "^a|^b"}, BODY("b"), NULL},
	{.when = {.if_body_matches = "^a|^b"},
		BODY("cab"),
		"body differs from rule 2: no match of \"^a|^b\" in \"cab\""},
	{.when = {.if_body_matches = "(ab){2}c"}, BODY("xababc"), NULL},
	{.when = {.if_body_matches = "[]x]\\."}, BODY("]."), NULL},
	{.when = {.if_body_matches = "^[[:alpha:]()]+$"}, BODY("a(b)"), NULL},
	/* a line's end is a byte as any other */
	{.when = {.if_body_matches = "^a.b$"}, BODY("a\nb"), NULL},
	{.when = {.if_body_matches = "a$"},
		BODY("a\n"),
		"body differs from rule 2: no match of \"a$\" in \"a\\n\""},
	/* bytes of any kind, NUL among them */
	{.when = {.if_body_matches = "^[^a]b$"}, BODY("\0b"), NULL},
	{.when = {.if_body_matches = "b$"}, BODY("a\0b"), NULL},
	{.when = {.if_body_matches = "^a$"},
		BODY("a\0b"),
		"body differs from rule 2: no match of \"^a$\" in "
		"\"a\\x00b\""},
	{.when = {.if_body_matches = "^.\xff$"}, BODY("\x80\xff"), NULL},
	{.when = {.if_body_matches = "^[[:alpha:]]$"},
		BODY("\xe9"),
		"body differs from rule 2: no match of \"^[[:alpha:]]$\" in "
		"\"\\xe9\""},
	/* the whole of it is described */
	{.when = {.if_path_matches = "^/$",
		 .if_field_matches = "A: b",
		 .if_body_matches = "c"},
		POST_IT,
		"A: b",
		"c",
		1,
		NULL},
};

START_TEST(patterns)
{
	check_situation(&situations[_i]);
}
END_TEST

/* In a host program that is French, or Turkish. */
START_TEST(the_hosts_locale_has_no_say)
{
	static const char *const names[] = {"fr_FR.ISO-8859-1", "C.UTF-8",
		"en_US.UTF-8", "tr_TR.UTF-8", ""};

	for (int i = 0; i < COUNT(names); i++) {
		const char *before;
		locale_t own;

		if (setlocale(LC_ALL, names[i]) == NULL)
			continue;
		before = setlocale(LC_ALL, NULL);
		own = uselocale((locale_t)0);
		for (int n = 0; n < COUNT(situations); n++)
			check_situation(&situations[n]);
		ck_assert_str_eq(setlocale(LC_ALL, NULL), before);
		ck_assert(uselocale((locale_t)0) == own);
	}
	(void)setlocale(LC_ALL, "C");
}
END_TEST

static const struct {
	struct retort_requests when;
	const char *error; /* its beginning */
} malformed[] = {
	{{.if_body_matches = "("}, "if_body_matches: '(': "},
	{{.if_body_matches = "a)(b"}, "if_body_matches: 'a)(b': Unmatched )"},
	{{.if_body_matches = "["}, "if_body_matches: '[': "},
	{{.if_body_matches = "a\n*"}, "if_body_matches: '*': "},
	{{.if_body_matches = "(a)\\1"},
		"if_body_matches: '(a)\\1': back-references take too long"},
	{{.if_body_matches = "a{1001}"},
		"if_body_matches: 'a{1001}': more than 1000 characters, "
		"repeated"},
	{{.if_body_matches = "((a{11}){10,10}){10}"},
		"if_body_matches: '((a{11}){10,10}){10}': more than 1000 "
		"characters, repeated"},
	{{.if_body_matches = "(a[]b{]{500}){1,3}"},
		"if_body_matches: '(a[]b{]{500}){1,3}': more than 1000 "
		"characters, repeated"},
	{{.if_body_matches = "((((((((((a+)+)+)+)+)+)+)+)+)+)"},
		"if_body_matches: '((((((((((a+)+)+)+)+)+)+)+)+)+)': more than "
		"1000 characters, repeated"},
	{{.if_body_matches = "a******************b|c*"},
		"if_body_matches: 'a******************b|c*': more than 16 "
		"repetitions of what may be empty"},
	{{.if_body_matches = "((b|a?|^)+c?){0,6}"},
		"if_body_matches: '((b|a?|^)+c?){0,6}': more than 16 "
		"repetitions of what may be empty"},
	{{.if_body_matches = "([[:alpha:]]{0,3}){17}"},
		"if_body_matches: '([[:alpha:]]{0,3}){17}': more than 16 "
		"repetitions of what may be empty"},
	{{.if_path_matches = "("}, "if_path_matches: '(': "},
	{{.if_field_matches = "A: ("}, "if_field_matches: '(': "},
	{{.if_field_matches = "A"},
		"if_field_matches: 'A': expected 'Name: value'"},
};

START_TEST(malformed_patterns)
{
	const char *expected = malformed[_i].error;

	fail_match(&malformed[_i].when);
	ck_assert_msg(strncmp(error, expected, strlen(expected)) == 0,
		"expected %s, got %s", expected, error);
	ck_assert(strlen(error) > strlen(expected) ||
		error[strlen(error) - 1] != ' ');
}
END_TEST

/* As many as may be. */
START_TEST(long_patterns)
{
	char pattern[1100];
	struct rt_match *match;

	memset(pattern, 'a', sizeof pattern);
	pattern[1000] = '\0';
	match = new_match(
		&(struct retort_requests){.if_body_matches = pattern});
	rt_match_free(match);
	pattern[1000] = 'a';
	pattern[1001] = '\0';
	fail_match(&(struct retort_requests){.if_body_matches = pattern});
	ck_assert_ptr_nonnull(strstr(error, "': more than 1000 characters"));
	memset(pattern, '(', 50);
	pattern[50] = '\0';
	fail_match(&(struct retort_requests){.if_body_matches = pattern});
	ck_assert_ptr_nonnull(strstr(error, "groups are more than 49 deep"));
	rt_match_free(new_match(&(struct retort_requests){
		.if_body_matches = "((a{10}){10}){10}\n"
				   "a*****************b|c*\n"
				   "((^|a?|b)+c?){1,5}\n"
				   "(ab*c?){100}(\\<){16}(a|bc*|d?e){90}"}));
}
END_TEST

static void
check_long(const char *pattern, const char *body, size_t size, size_t total,
	const char *why)
{
	struct rt_match *match = new_match(
		&(struct retort_requests){.if_body_matches = pattern});
	struct request request;
	struct rt_buf words;

	make_request(&request, POST_IT, NULL, body, size);
	request.seen.body_total = total;
	ck_assert_msg(rt_match_fits(match, &request.seen) == (why == NULL),
		"%s in %zu of %zu", pattern, size, total);
	rt_buf_init(&words, 10000);
	(void)rt_match_explain(match, &request.seen, "it", &words);
	if (why != NULL) {
		ck_assert_ptr_nonnull(rt_buf_text(&words));
		ck_assert_msg(strstr(words.data, why) != NULL,
			"expected %s, got %s", why, words.data);
	} else {
		ck_assert_uint_eq(words.len, 0);
	}
	rt_buf_free(&words);
	rt_match_free(match);
}

/* Of a long body the beginning is tried, and where that ends is no end. */
START_TEST(long_bodies)
{
	size_t size = 65536;
	char *body = malloc(size + 2);

	ck_assert_ptr_nonnull(body);
	memset(body, 'a', size + 1);
	body[size - 1] = 'b';
	body[size] = 'c';
	body[size + 1] = '\0';
	check_long("^a+b", body, size, size, NULL);
	check_long("b$", body, size, size, NULL);
	check_long("b$", body, size, size + 1, "were kept)");
	check_long("b$", body, size + 1, size + 1,
		"...\" (the first 65536 bytes were tried)");
	check_long("c", body, size + 1, size + 1,
		"...\" (the first 65536 bytes were tried)");
	/* the square of that would take minutes */
	check_long("[ab]+[^abc]x", body, size, size, "no match of");
	free(body);
}
END_TEST

START_TEST(patterns_of_a_piece)
{
	const struct retort_requests path = {.if_path_matches = "a"},
				     field = {.if_field_matches = "A: b"},
				     body = {.if_body_matches = "^a"};
	struct retort_exchange seen = {.protocol = RETORT_TCP,
		.body = "ab",
		.body_size = 2};
	struct rt_match *match;

	ck_assert_ptr_null(rt_match_new(&path, RETORT_TCP, error));
	ck_assert_str_eq(error,
		"if_path_matches: only a request of HTTP has it");
	ck_assert_ptr_null(rt_match_new(&field, RETORT_UDP, error));
	match = rt_match_new(&body, RETORT_UDP, error);
	ck_assert_ptr_nonnull(match);
	ck_assert(rt_match_fits(match, &seen));
	seen.body = "b";
	seen.body_size = 1;
	ck_assert(!rt_match_fits(match, &seen));
	rt_match_free(match);
}
END_TEST

START_TEST(describes_patterns)
{
	check_description(&(struct retort_requests){.if_path_matches = "^/$",
				  .if_field_matches = "A: b\nC: d",
				  .if_body_matches = "c"},
		"any request, path matching \"^/$\", field matching \"A: b\", "
		"field matching \"C: d\", body matching \"c\"");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("match");
	TCase *regex = tcase_create("regular expressions");

	tcase_add_loop_test(regex, patterns, 0, COUNT(situations));
	tcase_add_loop_test(regex, malformed_patterns, 0, COUNT(malformed));
	tcase_add_test(regex, the_hosts_locale_has_no_say);
	tcase_add_test(regex, long_patterns);
	tcase_add_test(regex, long_bodies);
	tcase_add_test(regex, patterns_of_a_piece);
	tcase_add_test(regex, describes_patterns);
	rt_test_case(suite, regex);
	return rt_test_run(suite);
}
