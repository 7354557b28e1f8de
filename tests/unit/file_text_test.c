/* SPDX-License-Identifier: MIT */
/* The room file: paths, names, ages, statuses and ETags as text. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "support/harness.h"

static const struct {
	const char *path;
	const char *expected; /* NULL: an error */
	int error;
	bool dotfiles;
} paths[] = {
	{.path = "/", .expected = ""},
	{.path = "", .expected = ""},
	{.path = "///", .expected = ""},
	{.path = "/a", .expected = "a"},
	{.path = "/a/", .expected = "a/"},
	{.path = "/a/b.html", .expected = "a/b.html"},
	{.path = "//a///b//", .expected = "a/b/"},
	{.path = "/a%20b/../c/", .expected = "c/"},
	{.path = "/a%20b", .expected = "a b"},
	{.path = "/%41%7a%7A%c3%A9", .expected = "Azz\xc3\xa9"},
	{.path = "/a+b", .expected = "a+b"},
	{.path = "/%2541", .expected = "%41"},
	{.path = "/%25%32%66", .expected = "%2f"},
	{.path = "/a\\..\\b", .expected = "a\\..\\b"},
	{.path = "/a%5c", .expected = "a\\"},
	{.path = "/%0d%0a%7f%01", .expected = "\r\n\x7f\x01"},
	{.path = "/a?b#c", .expected = "a?b#c"},
	/* dot segments */
	{.path = "/.", .expected = ""},
	{.path = "/./", .expected = ""},
	{.path = "/..", .expected = ""},
	{.path = "/../", .expected = ""},
	{.path = "/../../../etc/passwd", .expected = "etc/passwd"},
	{.path = "/a/.", .expected = "a/"},
	{.path = "/a/./", .expected = "a/"},
	{.path = "/a/./b", .expected = "a/b"},
	{.path = "/a/..", .expected = ""},
	{.path = "/a/../", .expected = ""},
	{.path = "/a/b/..", .expected = "a/"},
	{.path = "/a/b/../", .expected = "a/"},
	{.path = "/a/b/../c", .expected = "a/c"},
	{.path = "/a/b/../../c", .expected = "c"},
	{.path = "/a/b/../../../../c", .expected = "c"},
	{.path = "/a//../b", .expected = "b"},
	{.path = "/a/%2e%2E/b", .expected = "b"},
	{.path = "/a/.%2e", .expected = ""},
	{.path = "/a/%2e", .expected = "a/"},
	{.path = "/a./b..", .expected = "a./b.."},
	{.path = "a/b", .expected = "a/b"},
	{.path = "../a", .expected = "a"},
	/* dotfiles */
	{.path = "/.git", .error = -ENOENT},
	{.path = "/.git/config", .error = -ENOENT},
	{.path = "/a/.htpasswd", .error = -ENOENT},
	{.path = "/%2egit", .error = -ENOENT},
	{.path = "/...", .error = -ENOENT},
	{.path = "/..a", .error = -ENOENT},
	{.path = "/.git/../a", .error = -ENOENT},
	{.path = "/.well-known", .expected = ".well-known"},
	{.path = "/.well-known/a", .expected = ".well-known/a"},
	{.path = "/%2ewell-known/", .expected = ".well-known/"},
	{.path = "/x/../.well-known/a", .expected = ".well-known/a"},
	{.path = "/.well-known/../a", .expected = "a"},
	{.path = "/.well-known/.git", .error = -ENOENT},
	{.path = "/.well-known/../.git", .error = -ENOENT},
	{.path = "/a/.well-known/b", .error = -ENOENT},
	{.path = "/.well-known2/b", .error = -ENOENT},
	{.path = "/.well-know/b", .error = -ENOENT},
	{.path = "/.Well-known/b", .error = -ENOENT},
	{.path = "/.git", .expected = ".git", .dotfiles = true},
	{.path = "/a/.b/", .expected = "a/.b/", .dotfiles = true},
	{.path = "/...", .expected = "...", .dotfiles = true},
	{.path = "/a/../.b", .expected = ".b", .dotfiles = true},
	{.path = "/..", .expected = "", .dotfiles = true},
	/* an encoded slash is one like any other, and decoded once */
	{.path = "/%2f", .expected = ""},
	{.path = "/%2F%2fa", .expected = "a"},
	{.path = "/a%2Fb", .expected = "a/b"},
	{.path = "/@a%2fb/c", .expected = "@a/b/c"},
	{.path = "/a%2f", .expected = "a/"},
	{.path = "/..%2f..%2fetc", .expected = "etc"},
	{.path = "/a/..%2f..%2f..%2fetc%2fpasswd", .expected = "etc/passwd"},
	{.path = "/a%2f..", .expected = ""},
	{.path = "/a%2f%2e%2e%2f%2e%2E%2fb", .expected = "b"},
	{.path = "/%2e%2e%2f%2e%2e%2fb", .expected = "b"},
	{.path = "/..%252f..%252fetc", .error = -ENOENT},
	{.path = "/a..%252fb", .expected = "a..%2fb"},
	{.path = "/%252e%252e/b", .expected = "%2e%2e/b"},
	{.path = "/a%5c..%5c..%5cb", .expected = "a\\..\\..\\b"},
	{.path = "/..%5cb", .error = -ENOENT},
	{.path = "/a%2f.git", .error = -ENOENT},
	{.path = "/a%2f.git%2f..%2fb", .error = -ENOENT},
	{.path = "/.well-known%2fa", .expected = ".well-known/a"},
	{.path = "/a%2f.well-known", .error = -ENOENT},
	{.path = "/a%2f.git", .expected = "a/.git", .dotfiles = true},
	{.path = "/..%2f%00", .error = -EINVAL},
	/* refused */
	{.path = "/%00", .error = -EINVAL},
	{.path = "/a%00.html", .error = -EINVAL},
	{.path = "/%", .error = -EINVAL},
	{.path = "/%4", .error = -EINVAL},
	{.path = "/%4/", .error = -EINVAL},
	{.path = "/%4g", .error = -EINVAL},
	{.path = "/%g4", .error = -EINVAL},
	{.path = "/%%41", .error = -EINVAL},
	{.path = "/% 41", .error = -EINVAL},
	{.path = "/%-1", .error = -EINVAL},
	{.path = "/%@0", .error = -EINVAL},
	{.path = "/%0x", .error = -EINVAL},
	{.path = "/a/%zz/../b", .error = -EINVAL},
	{.path = "/%u0041", .error = -EINVAL},
};

START_TEST(path_by_text)
{
	const char *path = paths[_i].path, *expected = paths[_i].expected;
	size_t size = strlen(path);
	struct rt_buf out;
	char *copy;
	int error;

	/* in memory of exactly its size, and after what is there already */
	ck_assert_ptr_nonnull(copy = malloc(size + (size == 0)));
	memcpy(copy, path, size);
	rt_buf_init(&out, 8192);
	rt_buf_add_text(&out, "x/");
	error = rt_file_path(&out, copy, size, paths[_i].dotfiles);
	ck_assert_msg(error == paths[_i].error, "\"%s\": expected %s, got %s",
		path, strerror(-paths[_i].error), strerror(-error));
	ck_assert_msg(memcmp(out.data, "x/", 2) == 0,
		"\"%s\": what was in the buffer has changed", path);
	if (expected == NULL)
		ck_assert_uint_eq(out.len, 2);
	else {
		ck_assert_str_eq(out.data + 2, expected);
		ck_assert_uint_eq(out.len, 2 + strlen(expected));
	}
	rt_buf_free(&out);
	free(copy);
}
END_TEST

START_TEST(path_with_nul)
{
	struct rt_buf out;

	rt_buf_init(&out, 8192);
	ck_assert_int_eq(rt_file_path(&out, "/a\0b", 4, false), -EINVAL);
	ck_assert_uint_eq(out.len, 0);
	rt_buf_free(&out);
}
END_TEST

START_TEST(path_too_long)
{
	char path[2 * PATH_MAX];
	struct rt_buf out;

	memset(path, 'a', sizeof path);
	path[0] = '/';
	rt_buf_init(&out, sizeof path);
	ck_assert_int_eq(rt_file_path(&out, path, PATH_MAX, false), 0);
	ck_assert_uint_eq(out.len, PATH_MAX - 1);
	ck_assert_uint_eq(strlen(out.data), PATH_MAX - 1);
	rt_buf_clear(&out, sizeof path);
	ck_assert_int_eq(rt_file_path(&out, path, PATH_MAX + 1, false),
		-ENAMETOOLONG);
	ck_assert_uint_eq(out.len, 0);
	/* long, but short once ".." is resolved */
	memcpy(path + sizeof path - 10, "/../../b/c", 10);
	ck_assert_int_eq(rt_file_path(&out, path, sizeof path - 1, false), 0);
	ck_assert_str_eq(out.data, "b/");
	rt_buf_free(&out);
}
END_TEST

START_TEST(path_and_full_buffer)
{
	struct rt_buf out;

	rt_buf_init(&out, 8);
	ck_assert_int_eq(rt_file_path(&out, "/1234567", 8, false),
		-ENAMETOOLONG);
	ck_assert_int_eq(rt_file_path(&out, "/123456", 7, false), 0);
	ck_assert_str_eq(out.data, "123456");
	rt_buf_free(&out);
}
END_TEST

/* ---- names: hidden, and as they stand in a URI ---- */

static const struct {
	const char *name;
	bool top; /* hidden at the top; and beneath */
	bool beneath;
} hidden[] = {
	{"", false, false},
	{"a", false, false},
	{"a.b", false, false},
	{"a.", false, false},
	{"..a", true, true},
	{".a", true, true},
	{".", true, true},
	{"...", true, true},
	{".git", true, true},
	{".well-known", false, true},
	{".well-know", true, true},
	{".well-known2", true, true},
	{".Well-Known", true, true},
};

START_TEST(name_is_hidden)
{
	const char *name = hidden[_i].name;
	size_t size = strlen(name);

	ck_assert_msg(rt_file_is_hidden(name, size, true, false) ==
			hidden[_i].top,
		"\"%s\" at the top: expected %d", name, hidden[_i].top);
	ck_assert_msg(rt_file_is_hidden(name, size, false, false) ==
			hidden[_i].beneath,
		"\"%s\" beneath: expected %d", name, hidden[_i].beneath);
	ck_assert(!rt_file_is_hidden(name, size, true, true));
	ck_assert(!rt_file_is_hidden(name, size, false, true));
}
END_TEST

/* It has a size, and need not end there. */
START_TEST(name_in_a_path)
{
	ck_assert(!rt_file_is_hidden(".well-known/x", 11, true, false));
	ck_assert(rt_file_is_hidden(".well-known/x", 12, true, false));
	ck_assert(!rt_file_is_hidden("a/.b", 1, true, false));
	ck_assert(!rt_file_is_hidden(".a", 0, true, false));
}
END_TEST

/* RFC 3986 2.3; a slash stays, as it parts the segments of a path. */
START_TEST(every_byte_encoded)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";
	struct rt_buf out;

	rt_buf_init(&out, 64);
	for (int c = 1; c < 256; c++) {
		char name[] = {'a', (char)c, 'b', '\0'}, expected[8];

		(void)snprintf(expected, sizeof expected,
			strchr(plain, c) != NULL ? "a%cb" : "a%%%02Xb", c);
		rt_buf_clear(&out, 64);
		rt_file_encode(&out, name);
		ck_assert(!out.failed);
		assert_bytes(out.data, out.len, expected, strlen(expected));
	}
	rt_buf_free(&out);
}
END_TEST

START_TEST(encoded_is_added)
{
	struct rt_buf out;

	rt_buf_init(&out, 16);
	rt_file_encode(&out, "");
	ck_assert_uint_eq(out.len, 0);
	rt_file_encode(&out, "a/b c/");
	rt_file_encode(&out, "\xc3\xa9");
	ck_assert(!out.failed);
	assert_bytes(out.data, out.len, "a/b%20c/%C3%A9", 14);
	/* never a part of an escape */
	rt_file_encode(&out, "?");
	ck_assert(out.failed);
	assert_bytes(out.data, out.len, "a/b%20c/%C3%A9", 14);
	rt_buf_free(&out);
}
END_TEST

static const struct {
	int64_t a;
	uint32_t a_ns;
	int64_t b;
	uint32_t b_ns;
	bool older;
} ages[] = {
	{1, 0, 1, 0, false},
	{1, 5, 1, 5, false},
	{1, 5, 1, 6, true},
	{1, 1, 1, 2, true},
	/* kept in whole seconds */
	{1, 0, 1, 5, false},
	{1, 5, 1, 0, false},
	{0, 0, 1, 0, true},
	{1, 6, 1, 5, false},
	{1, 999999999, 2, 0, true},
	{2, 0, 1, 999999999, false},
	{-1, 0, 0, 0, true},
	{0, 0, -1, 0, false},
	{INT64_MIN, 0, INT64_MAX, 0, true},
	{INT64_MAX, 0, INT64_MIN, 0, false},
};

START_TEST(older_than)
{
	const struct rt_file a = {.modified = ages[_i].a,
		.modified_ns = ages[_i].a_ns,
		.size = 1};
	const struct rt_file b = {.modified = ages[_i].b,
		.modified_ns = ages[_i].b_ns,
		.inode = 1};

	ck_assert_int_eq(rt_file_is_older(&a, &b), ages[_i].older);
}
END_TEST

/* ---- status and entity tag ---- */

static const struct {
	int error;
	int status;
} statuses[] = {
	{ENOENT, 404},
	{ENOTDIR, 404},
	{ENAMETOOLONG, 404},
	{ELOOP, 404},
	{EINVAL, 400},
	{EACCES, 403},
	{EPERM, 403},
	{EXDEV, 403},
	{EMFILE, 503},
	{ENFILE, 503},
	{ENOMEM, 503},
	{EAGAIN, 503},
	{EIO, 500},
	{ENOSYS, 500},
	{ESTALE, 500},
	{0, 500},
	{INT_MAX, 500},
};

START_TEST(status_of_error)
{
	int error = statuses[_i].error;

	ck_assert_msg(rt_file_status(error) == statuses[_i].status &&
			rt_file_status(-error) == statuses[_i].status,
		"%s: expected %d, got %d and %d", strerror(error),
		statuses[_i].status, rt_file_status(error),
		rt_file_status(-error));
	ck_assert_int_eq(rt_file_status(INT_MIN), 500);
}
END_TEST

START_TEST(etag_text)
{
	struct rt_file file = {.modified = 1,
		.modified_ns = 2,
		.size = 0x3e8,
		.inode = 0xabcdef};
	char text[RT_ETAG_TEXT], other[RT_ETAG_TEXT];

	rt_file_etag(&file, text);
	ck_assert_str_eq(text, "\"3b9aca02-3e8-abcdef\"");
	file.modified_ns++;
	rt_file_etag(&file, other);
	ck_assert_str_ne(text, other);
	file = (struct rt_file){.modified = 0};
	rt_file_etag(&file, text);
	ck_assert_str_eq(text, "\"0-0-0\"");
	/* before the epoch, and the longest */
	file = (struct rt_file){.modified = -1,
		.modified_ns = 999999999,
		.size = UINT64_MAX,
		.inode = UINT64_MAX};
	rt_file_etag(&file, text);
	ck_assert_str_eq(text,
		"\"ffffffffffffffff-ffffffffffffffff-"
		"ffffffffffffffff\"");
}
END_TEST

static TCase *
text_case(void)
{
	TCase *tcase = tcase_create("text");

	tcase_add_loop_test(tcase, path_by_text, 0, COUNT(paths));
	tcase_add_test(tcase, path_with_nul);
	tcase_add_test(tcase, path_too_long);
	tcase_add_test(tcase, path_and_full_buffer);
	tcase_add_loop_test(tcase, name_is_hidden, 0, COUNT(hidden));
	tcase_add_test(tcase, name_in_a_path);
	tcase_add_test(tcase, every_byte_encoded);
	tcase_add_test(tcase, encoded_is_added);
	tcase_add_loop_test(tcase, older_than, 0, COUNT(ages));
	tcase_add_loop_test(tcase, status_of_error, 0, COUNT(statuses));
	tcase_add_test(tcase, etag_text);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("file_text");

	rt_test_case(suite, text_case());
	return rt_test_run(suite);
}
