/* SPDX-License-Identifier: MIT */
/* Media types: the table's own rules, then what is found in it. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http/type.h"
#include "support/harness.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define CHARSET "; charset=utf-8"

static bool
is_well_formed(const char *type)
{
	const char *slash = strchr(type, '/');
	size_t size;

	if (slash == NULL || strspn(type, LOWER) != (size_t)(slash - type) ||
		slash == type)
		return false;
	/* RFC 6838 section 4.2, and lower case */
	size = strspn(slash + 1, LOWER DIGITS "!#$&-^_.+");
	if (size == 0 || size > 127)
		return false;
	return strcmp(slash + 1 + size,
		       strncmp(type, "text/", 5) == 0 ? CHARSET : "") == 0;
}

START_TEST(table_is_sorted_and_lower_case)
{
	size_t count;
	const struct retort_type *table = rt_type_table(&count);

	ck_assert_uint_ge(count, 100);
	for (size_t i = 0; i < count; i++) {
		const char *name = table[i].extension;

		ck_assert_msg(*name != '\0' &&
				name[strspn(name, LOWER DIGITS)] == '\0',
			"\"%s\" is not of lower case and digits", name);
		ck_assert_msg(i == 0 ||
				strcmp(table[i - 1].extension, name) < 0,
			"\"%s\" comes after \"%s\"", name,
			i == 0 ? "" : table[i - 1].extension);
	}
}
END_TEST

START_TEST(types_are_well_formed)
{
	size_t count;
	const struct retort_type *table = rt_type_table(&count);

	for (size_t i = 0; i < count; i++)
		ck_assert_msg(is_well_formed(table[i].type),
			"%s: malformed type \"%s\", or its charset is wrong",
			table[i].extension, table[i].type);
}
END_TEST

START_TEST(every_extension_is_found)
{
	size_t count;
	const struct retort_type *table = rt_type_table(&count);

	for (size_t i = 0; i < count; i++) {
		char path[64] = "/a.b/name.";

		strncat(path, table[i].extension,
			sizeof path - strlen(path) - 1);
		ck_assert_str_eq(rt_type_of(path, NULL, 0), table[i].type);
		for (char *p = path; *p != '\0'; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
		ck_assert_str_eq(rt_type_of(path, NULL, 0), table[i].type);
	}
}
END_TEST

static const struct {
	const char *path;
	const char *type;
} cases[] = {
	{"index.html", "text/html" CHARSET},
	{"a/b/INDEX.HtM", "text/html" CHARSET},
	{"style.css", "text/css" CHARSET},
	{"app.js", "text/javascript" CHARSET},
	{"app.mjs", "text/javascript" CHARSET},
	{"app.js.map", "application/json"},
	{"data.json", "application/json"},
	{"site.webmanifest", "application/manifest+json"},
	{"feed.xml", "application/xml"},
	{"logo.svg", "image/svg+xml"},
	{"favicon.ico", "image/vnd.microsoft.icon"},
	{"photo.JPEG", "image/jpeg"},
	{"app.wasm", "application/wasm"},
	{"font.woff2", "font/woff2"},
	{"README.md", "text/markdown" CHARSET},
	{"notes.txt", "text/plain" CHARSET},
	{"film.mp4", "video/mp4"},
	{"App.jsx", "text/plain" CHARSET},
	{"App.tsx", "text/plain" CHARSET},
	{"Main.kt", "text/plain" CHARSET},
	{"main.swift", "text/plain" CHARSET},
	{"notes.ipynb", "application/x-ipynb+json"},
	{"light.wgsl", "text/wgsl" CHARSET},
	{"book.m4b", "audio/mp4"},
	{"cache.manifest", "text/cache-manifest" CHARSET},
	{"site.appcache", "text/cache-manifest" CHARSET},
	{"a.tar.gz", "application/gzip"},
	{"a.html.bak", RT_TYPE_UNKNOWN},
	{"v1.2/notes.txt", "text/plain" CHARSET},
	{"..css", "text/css" CHARSET},
	{".dir/.x.css", "text/css" CHARSET},
	/* no extension */
	{"", RT_TYPE_UNKNOWN},
	{"html", RT_TYPE_UNKNOWN},
	{"Makefile", RT_TYPE_UNKNOWN},
	{".html", RT_TYPE_UNKNOWN},
	{"a/.html", RT_TYPE_UNKNOWN},
	{"name.", RT_TYPE_UNKNOWN},
	{".", RT_TYPE_UNKNOWN},
	{"dir.html/file", RT_TYPE_UNKNOWN},
	{"dir.html/", RT_TYPE_UNKNOWN},
	/* near misses */
	{"a.htmlx", RT_TYPE_UNKNOWN},
	{"a.htmk", RT_TYPE_UNKNOWN},
	{"a.htm ", RT_TYPE_UNKNOWN},
	{"a.ht", RT_TYPE_UNKNOWN},
	{"a.0", RT_TYPE_UNKNOWN},
	{"a.zzzz", RT_TYPE_UNKNOWN},
	{"a.\xc3\xa9", RT_TYPE_UNKNOWN},
	{"a.a_very_long_extension_that_no_table_holds", RT_TYPE_UNKNOWN},
};

START_TEST(type_by_path)
{
	const char *type = rt_type_of(cases[_i].path, NULL, 0);

	ck_assert_msg(strcmp(type, cases[_i].type) == 0,
		"\"%s\": expected \"%s\", got \"%s\"", cases[_i].path,
		cases[_i].type, type);
}
END_TEST

START_TEST(more_goes_first)
{
	static const struct retort_type more[] = {
		{"html", "text/x-first"},
		{"Foo", "x/foo"},
		{"html", "text/x-last"},
	};

	ck_assert_str_eq(rt_type_of("a.html", more, 3), "text/x-last");
	ck_assert_str_eq(rt_type_of("a.HTML", more, 3), "text/x-last");
	ck_assert_str_eq(rt_type_of("a.html", more, 2), "text/x-first");
	ck_assert_str_eq(rt_type_of("a.fOO", more, 3), "x/foo");
	ck_assert_str_eq(rt_type_of("a.css", more, 3), "text/css" CHARSET);
	ck_assert_str_eq(rt_type_of("a.fo", more, 3), RT_TYPE_UNKNOWN);
	ck_assert_str_eq(rt_type_of(".html", more, 3), RT_TYPE_UNKNOWN);
	ck_assert_str_eq(rt_type_of("a.html", more, 0), "text/html" CHARSET);
}
END_TEST

START_TEST(the_longest_goes_first)
{
	static const struct retort_type more[] = {
		{"tar.gz", "x/tar-gz"},
		{"gz", "x/gz"},
		{"min.JS", "x/min"},
		{"", "x/none"},
		{"a.b", "x/first"},
		{"a.b", "x/last"},
	};
	static const struct {
		const char *path;
		const char *type;
	} names[] = {
		{"a.tar.gz", "x/tar-gz"},
		{"d.x/A.TAR.GZ", "x/tar-gz"},
		{"a.b.tar.gz", "x/tar-gz"},
		{"a.xtar.gz", "x/gz"},
		{"tar.gz", "x/gz"},
		{".tar.gz", "x/gz"},
		{"a.gz", "x/gz"},
		{"a.Min.js", "x/min"},
		{"amin.js", "text/javascript" CHARSET},
		{"x.a.b", "x/last"},
		{"Makefile", "x/none"},
		{"d.tar.gz/LICENSE", "x/none"},
		{".gz", "x/none"},
		{"name.", "x/none"},
		{"a.zzzz", RT_TYPE_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *type = rt_type_of(names[i].path, more,
			sizeof more / sizeof *more);

		ck_assert_msg(strcmp(type, names[i].type) == 0,
			"%s: expected %s, got %s", names[i].path, names[i].type,
			type);
	}
	ck_assert_ptr_null(rt_type_find("Makefile", more, 3));
	ck_assert_ptr_null(rt_type_find("a.zzzz", more, 6));
	ck_assert_str_eq(rt_type_find("a.bin", more, 6), RT_TYPE_UNKNOWN);
}
END_TEST

START_TEST(type_by_content)
{
	ck_assert_str_eq(rt_type_by_content("a.zzzz", "", 0), RT_TYPE_TEXT);
	ck_assert_str_eq(rt_type_by_content("a.zzzz", "all:\n\ttrue\n", 11),
		RT_TYPE_TEXT);
	ck_assert_str_eq(rt_type_by_content("a.zzzz",
				 "\x7f"
				 "ELF\x01\xff",
				 6),
		RT_TYPE_TEXT);
	ck_assert_str_eq(rt_type_by_content("a.zzzz",
				 "\x7f"
				 "ELF\x01\0",
				 6),
		RT_TYPE_UNKNOWN);
	ck_assert_str_eq(rt_type_by_content("a.zzzz", "\0", 1),
		RT_TYPE_UNKNOWN);
	/* TypeScript, or MPEG */
	ck_assert_ptr_null(rt_type_find("a/b.TS", NULL, 0));
	ck_assert_str_eq(rt_type_of("a/b.TS", NULL, 0), "video/mp2t");
	ck_assert_str_eq(rt_type_by_content("b.ts", "let a", 5), RT_TYPE_TEXT);
	ck_assert_str_eq(rt_type_by_content("b.ts", "G\0", 2), "video/mp2t");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("type");
	TCase *table = tcase_create("table");
	TCase *lookup = tcase_create("lookup");

	tcase_add_test(table, table_is_sorted_and_lower_case);
	tcase_add_test(table, types_are_well_formed);
	tcase_add_test(table, every_extension_is_found);
	rt_test_case(suite, table);
	tcase_add_loop_test(lookup, type_by_path, 0,
		(int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(lookup, more_goes_first);
	tcase_add_test(lookup, the_longest_goes_first);
	tcase_add_test(lookup, type_by_content);
	rt_test_case(suite, lookup);
	return rt_test_run(suite);
}
