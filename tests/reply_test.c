/* SPDX-License-Identifier: MIT */
/* Replies: heads byte for byte, bodies of every kind, scripts. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "http.h"
#include "reply.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static void
assert_played(const struct rt_reply *reply, const char *expected)
{
	struct bytes got = script_played(reply);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	ck_assert(rt_reply_ok(reply));
	bytes_free(&got);
}

/* --- heads --- */

START_TEST(a_whole_reply)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	ck_assert_int_eq(reply.file, -1);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_field(&draft, "Content-Type", "text/plain");
	rt_reply_field(&draft, "ETag", "\"x\"");
	rt_reply_body(&draft, "hello\n", 6);
	assert_played(&reply,
		"HTTP/1.1 200 OK\r\n"
		"Date: " DATE "\r\n"
		"Content-Type: text/plain\r\n"
		"ETag: \"x\"\r\n"
		"Content-Length: 6\r\n"
		"Connection: close\r\n"
		"\r\n"
		"hello\n");
	ck_assert_int_eq(reply.status, 200);
	ck_assert(!reply.truncated);
	ck_assert_uint_eq(reply.steps[0].size, reply.head_size);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(an_empty_body_has_a_length)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 404, DATE);
	rt_reply_body(&draft, NULL, 0);
	assert_played(&reply,
		"HTTP/1.1 404 Not Found\r\n"
		"Date: " DATE "\r\n"
		"Content-Length: 0\r\n"
		"Connection: close\r\n"
		"\r\n");
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_status_without_a_phrase)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 799, DATE);
	rt_reply_body_copy(&draft, "x", 1);
	assert_played(&reply,
		"HTTP/1.1 799 Unknown\r\n"
		"Date: " DATE "\r\n"
		"Content-Length: 1\r\n"
		"Connection: close\r\n"
		"\r\n"
		"x");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(no_body)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 304, DATE);
	rt_reply_field(&draft, "ETag", "\"x\"");
	rt_reply_no_body(&draft);
	assert_played(&reply,
		"HTTP/1.1 304 Not Modified\r\n"
		"Date: " DATE "\r\n"
		"ETag: \"x\"\r\n"
		"Connection: close\r\n"
		"\r\n");
	ck_assert_uint_eq(reply.head_size, reply.text.len);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(statuses_that_have_no_body)
{
	for (int status = 100; status < 1000; status++)
		ck_assert_msg(rt_status_has_no_body(status) ==
				(status < 200 || status == 204 ||
					status == 304),
			"%d", status);
}
END_TEST

/* Each kind of body, with HEAD: the same head as with GET, and no more. */
static void
give_body(struct rt_draft *draft, int kind, const char *text, const char *dir)
{
	size_t size = strlen(text);
	char path[4096];
	int fd = -1;

	rt_reply_begin(draft, 200, DATE);
	if (kind >= 2) {
		dir_write(dir, "file", text, size);
		(void)snprintf(path, sizeof path, "%s/file", dir);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
	}
	if (kind == 0)
		rt_reply_body(draft, text, size);
	else if (kind == 1)
		rt_reply_body_copy(draft, text, size);
	else
		rt_reply_body_file(draft, fd, 0, size);
}

START_TEST(head_is_get_without_the_body)
{
	char *dir = dir_make(), *text;
	size_t size = _i == 3 ? 200000 : 5;
	struct rt_reply get, head;
	struct rt_draft draft = {.reply = &get};
	struct bytes got, other;

	text = malloc(size + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	text[size] = '\0';
	rt_reply_init(&get);
	rt_reply_init(&head);
	give_body(&draft, _i, text, dir);
	draft = (struct rt_draft){.reply = &head, .head_only = true};
	give_body(&draft, _i, text, dir);
	got = script_played(&get);
	other = script_played(&head);
	assert_bytes(other.data, other.size, got.data, got.size - size);
	assert_bytes(got.data + other.size, size, text, size);
	ck_assert_uint_eq(head.head_size, other.size);
	ck_assert_uint_eq(get.head_size, head.head_size);
	ck_assert_int_eq(head.file, -1);
	ck_assert_int_eq(get.file >= 0, _i == 3);
	ck_assert(!head.truncated);
	bytes_free(&got);
	bytes_free(&other);
	rt_reply_free(&get);
	rt_reply_free(&head);
	free(text);
	dir_remove(dir);
}
END_TEST

/* --- the user's fields --- */

START_TEST(own_fields_replace_add_and_remove)
{
	static const struct retort_reply own = {
		.fields = "content-type: x/y\nX-One: 1\nX-Two: \nX-One:2",
		.omit = "ETag",
	};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_field(&draft, "Content-Type", "text/plain");
	rt_reply_field(&draft, "ETag", "\"x\"");
	rt_reply_field(&draft, "Last-Modified", DATE);
	rt_reply_body(&draft, "b", 1);
	assert_played(&reply,
		"HTTP/1.1 200 OK\r\n"
		"Date: " DATE "\r\n"
		"Last-Modified: " DATE "\r\n"
		"Content-Length: 1\r\n"
		"content-type: x/y\r\n"
		"X-One: 1\r\n"
		"X-Two: \r\n"
		"X-One:2\r\n"
		"Connection: close\r\n"
		"\r\n"
		"b");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(own_date_and_a_removed_one)
{
	static const struct retort_reply own = {.fields = "DATE: today"};
	static const struct retort_reply none = {.omit = "date"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 204, DATE);
	rt_reply_no_body(&draft);
	assert_played(&reply,
		"HTTP/1.1 204 No Content\r\n"
		"DATE: today\r\n"
		"Connection: close\r\n"
		"\r\n");
	draft.own = &none;
	rt_reply_begin(&draft, 204, DATE);
	rt_reply_no_body(&draft);
	assert_played(&reply,
		"HTTP/1.1 204 No Content\r\n"
		"Connection: close\r\n"
		"\r\n");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(removed_and_given_is_given)
{
	static const struct retort_reply own = {.omit = "Server",
		.fields = "Server: x"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 204, DATE);
	rt_reply_field(&draft, "Server", "retort");
	rt_reply_no_body(&draft);
	assert_played(&reply,
		"HTTP/1.1 204 No Content\r\n"
		"Date: " DATE "\r\n"
		"Server: x\r\n"
		"Connection: close\r\n"
		"\r\n");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(own_is_what_the_user_names)
{
	struct retort_reply own = {.omit = "ETag", .fields = "x-one: 1"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	ck_assert(rt_reply_is_own(&draft, "ETag"));
	ck_assert(rt_reply_is_own(&draft, "etag"));
	ck_assert(rt_reply_is_own(&draft, "X-One"));
	ck_assert(!rt_reply_is_own(&draft, "ETa"));
	ck_assert(!rt_reply_is_own(&draft, "ETags"));
	ck_assert(!rt_reply_is_own(&draft, ""));
	own.fields = NULL;
	ck_assert(!rt_reply_is_own(&draft, "X-One"));
	draft = (struct rt_draft){.reply = &reply};
	ck_assert(!rt_reply_is_own(&draft, "ETag"));
	rt_reply_free(&reply);
}
END_TEST

/* --- errors and raw replies --- */

START_TEST(errors_say_why)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_error(&draft, 404, NULL, DATE);
	assert_played(&reply,
		"HTTP/1.1 404 Not Found\r\n"
		"Date: " DATE "\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 14\r\n"
		"Connection: close\r\n"
		"\r\n"
		"404 Not Found\n");
	rt_reply_begin(&draft, 405, DATE);
	rt_reply_field(&draft, "Allow", "GET, HEAD");
	rt_reply_body_reason(&draft, "because");
	assert_played(&reply,
		"HTTP/1.1 405 Method Not Allowed\r\n"
		"Date: " DATE "\r\n"
		"Allow: GET, HEAD\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 32\r\n"
		"Connection: close\r\n"
		"\r\n"
		"405 Method Not Allowed: because\n");
	draft.head_only = true;
	rt_reply_error(&draft, 404, NULL, DATE);
	assert_played(&reply,
		"HTTP/1.1 404 Not Found\r\n"
		"Date: " DATE "\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 14\r\n"
		"Connection: close\r\n"
		"\r\n");
	ck_assert_int_eq(reply.status, 404);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(reasons_follow_other_fields)
{
	static const struct retort_reply own = {
		.fields = "Content-Type: a/b\r\nX-One: 1\r\n"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 416, DATE);
	rt_reply_field(&draft, "Vary", "Accept-Encoding");
	rt_reply_field(&draft, "Content-Range", "bytes */5");
	rt_reply_body_reason(&draft, NULL);
	assert_played(&reply,
		"HTTP/1.1 416 Range Not Satisfiable\r\n"
		"Date: " DATE "\r\n"
		"Vary: Accept-Encoding\r\n"
		"Content-Range: bytes */5\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 26\r\n"
		"Connection: close\r\n"
		"\r\n"
		"416 Range Not Satisfiable\n");
	ck_assert_int_eq(reply.status, 416);
	draft.own = &own;
	draft.head_only = true;
	rt_reply_begin(&draft, 412, DATE);
	rt_reply_body_reason(&draft, "so");
	assert_played(&reply,
		"HTTP/1.1 412 Precondition Failed\r\n"
		"Date: " DATE "\r\n"
		"Content-Length: 28\r\n"
		"Content-Type: a/b\r\n"
		"X-One: 1\r\n"
		"Connection: close\r\n"
		"\r\n");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(raw_is_verbatim)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_raw(&draft, 200, "anything\n\r\n", 11);
	assert_played(&reply, "anything\n\r\n");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(reply.text.len, 0);
	rt_reply_raw(&draft, 500, NULL, 0);
	assert_played(&reply, "");
	ck_assert_int_eq(reply.status, 500);
	ck_assert_uint_eq(reply.step_count, 1);
	rt_reply_free(&reply);
}
END_TEST

/* --- files --- */

#define SMALL (64u << 10) /* the largest that leaves with the head */

static int
open_file(const char *dir, size_t size)
{
	char path[4096], *data = malloc(size + 1);
	int fd;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 % 251);
	dir_write(dir, "file", data, size);
	free(data);
	(void)snprintf(path, sizeof path, "%s/file", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static const struct {
	size_t size; /* of the file */
	size_t at;
	size_t count;
} files[] = {
	{0, 0, 0},
	{1, 0, 1},
	{1000, 0, 1000},
	{1000, 999, 1},
	{1000, 10, 100},
	{SMALL - 1, 0, SMALL - 1},
	{SMALL, 0, SMALL},
	{SMALL + 1, 0, SMALL + 1},
	{SMALL + 1, 1, SMALL},
	{300000, 0, 300000},
	{300000, 100000, 150000},
};

START_TEST(files_are_sent_as_promised)
{
	char *dir = dir_make();
	size_t count = files[_i].count, at = files[_i].at;
	int fd = open_file(dir, files[_i].size);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, at, count);
	got = script_played(&reply);
	ck_assert(rt_reply_ok(&reply));
	ck_assert(!reply.truncated);
	ck_assert_uint_eq(got.size, reply.head_size + count);
	for (size_t i = 0; i < count; i++)
		if (got.data[reply.head_size + i] !=
			(char)((at + i) * 31 % 251))
			ck_abort_msg("byte %zu of the body is wrong", i);
	if (count > SMALL) {
		ck_assert_uint_eq(reply.step_count, 3);
		ck_assert_int_eq(reply.file, fd);
	} else {
		/* one run of text, so one send */
		ck_assert_uint_eq(reply.step_count, 2);
	}
	if (count > 0 && count <= SMALL) {
		ck_assert_int_eq(reply.file, -1);
		ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	}
	bytes_free(&got);
	rt_reply_free(&reply);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	dir_remove(dir);
}
END_TEST

START_TEST(a_small_file_that_became_shorter)
{
	char *dir = dir_make();
	int fd = open_file(dir, 1000);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;

	ck_assert_int_eq(ftruncate(fd, 300), 0);
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 0, 1000);
	got = script_played(&reply);
	assert_has(got, "\r\nContent-Length: 1000\r\n");
	ck_assert_uint_eq(got.size, reply.head_size + 300);
	ck_assert(reply.truncated);
	ck_assert(rt_reply_ok(&reply));
	bytes_free(&got);
	rt_reply_reset(&reply);
	ck_assert(!reply.truncated);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(a_small_file_that_became_empty)
{
	char *dir = dir_make();
	int fd = open_file(dir, 1000);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;

	ck_assert_int_eq(ftruncate(fd, 0), 0);
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 0, 1000);
	got = script_played(&reply);
	assert_has(got, "\r\nContent-Length: 1000\r\n");
	ck_assert_uint_eq(got.size, reply.head_size);
	ck_assert(reply.truncated);
	bytes_free(&got);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(a_small_file_that_grew)
{
	char *dir = dir_make();
	int fd = open_file(dir, 1000);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 0, 300);
	got = script_played(&reply);
	ck_assert_uint_eq(got.size, reply.head_size + 300);
	ck_assert(!reply.truncated);
	bytes_free(&got);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

/* --- several ranges of a file --- */

static const struct {
	size_t size; /* of the file */
	size_t count;
	struct rt_range ranges[RT_MAX_RANGES];
} several[] = {
	{10, 2, {{0, 1}, {2, 1}}},
	{10, 3, {{8, 2}, {0, 1}, {4, 2}}},
	{10, 1, {{3, 3}}},
	{SMALL + 9, 2, {{0, SMALL - 1}, {SMALL + 1, 1}}},
	{SMALL + 9, 2, {{0, SMALL}, {SMALL + 1, 1}}},
	{300000, 2, {{299999, 1}, {0, 200000}}},
	{300000, 3, {{0, 1}, {2, 1}, {4, 1}}},
};

/* The boundary that the head announces. */
static void
boundary_of(const struct bytes *got, char boundary[80])
{
	static const char before[] =
		"\r\nContent-Type: multipart/byteranges; boundary=";
	const char *at = strstr(got->data, before);
	size_t size;

	ck_assert_msg(at != NULL, "expected \"%s\" in: %s", before,
		shown(got->data, got->size));
	at += sizeof before - 1;
	size = strcspn(at, "\r");
	/* RFC 2046 5.1.1 */
	ck_assert_uint_ge(size, 1);
	ck_assert_uint_le(size, 70);
	memcpy(boundary, at, size);
	boundary[size] = '\0';
}

/* The reply as it is to be when the file is `size` bytes of open_file(). */
static struct bytes
expected_ranges(int i, const char *boundary, size_t *head_size)
{
	struct bytes body = {.data = NULL}, whole = {.data = NULL};
	char text[512];

	for (size_t k = 0; k < several[i].count; k++) {
		size_t at = (size_t)several[i].ranges[k].at;
		size_t end = at + (size_t)several[i].ranges[k].size;

		(void)snprintf(text, sizeof text,
			"\r\n--%s\r\nContent-Type: a/b\r\n"
			"Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
			boundary, at, end - 1, several[i].size);
		bytes_add(&body, text, strlen(text));
		for (; at < end; at++) {
			char byte = (char)(at * 31 % 251);

			bytes_add(&body, &byte, 1);
		}
	}
	(void)snprintf(text, sizeof text, "\r\n--%s--\r\n", boundary);
	bytes_add(&body, text, strlen(text));
	(void)snprintf(text, sizeof text,
		"HTTP/1.1 206 Partial Content\r\n"
		"Date: " DATE "\r\n"
		"Content-Type: multipart/byteranges; boundary=%s\r\n"
		"Content-Length: %zu\r\n"
		"Connection: close\r\n"
		"\r\n",
		boundary, body.size);
	*head_size = strlen(text);
	bytes_add(&whole, text, strlen(text));
	bytes_add(&whole, body.data, body.size);
	bytes_free(&body);
	return whole;
}

static void
give_ranges(struct rt_draft *draft, int fd, int i)
{
	rt_reply_begin(draft, 206, DATE);
	rt_reply_body_ranges(draft, fd, several[i].size, several[i].ranges,
		several[i].count, "a/b");
}

static size_t
bytes_of(int i)
{
	size_t bytes = 0;

	for (size_t k = 0; k < several[i].count; k++)
		bytes += (size_t)several[i].ranges[k].size;
	return bytes;
}

START_TEST(ranges_are_parts)
{
	char *dir = dir_make(), boundary[80];
	int fd = open_file(dir, several[_i].size);
	bool small = bytes_of(_i) <= SMALL;
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got, expected;
	size_t head_size;

	rt_reply_init(&reply);
	give_ranges(&draft, fd, _i);
	ck_assert(rt_reply_ok(&reply));
	ck_assert(!reply.truncated);
	got = script_played(&reply);
	boundary_of(&got, boundary);
	expected = expected_ranges(_i, boundary, &head_size);
	assert_bytes(got.data, got.size, expected.data, expected.size);
	ck_assert_uint_eq(reply.head_size, head_size);
	/* one run of text, or text and file in turn */
	ck_assert_uint_eq(reply.step_count,
		small ? 2 : 2 * several[_i].count + 2);
	ck_assert_int_eq(reply.file, small ? -1 : fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD) == -1, small);
	rt_reply_free(&reply);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	bytes_free(&got);
	bytes_free(&expected);
	dir_remove(dir);
}
END_TEST

START_TEST(ranges_without_the_body)
{
	char *dir = dir_make(), boundary[80];
	int fd = open_file(dir, several[_i].size);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .head_only = true};
	struct bytes got, expected;
	size_t head_size;

	rt_reply_init(&reply);
	give_ranges(&draft, fd, _i);
	ck_assert(rt_reply_ok(&reply));
	got = script_played(&reply);
	boundary_of(&got, boundary);
	expected = expected_ranges(_i, boundary, &head_size);
	assert_bytes(got.data, got.size, expected.data, head_size);
	ck_assert_int_eq(reply.file, -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	rt_reply_free(&reply);
	bytes_free(&got);
	bytes_free(&expected);
	dir_remove(dir);
}
END_TEST

/*
 * The file became shorter before its ranges were read: what was there is
 * sent, and the script ends where the rest is missing.
 */
START_TEST(parts_that_became_shorter)
{
	/* what is left of case 1: 8-9, 0-0, 4-5; and how it then ends */
	static const struct {
		off_t left;
		const char *end;
	} cases[] = {
		{9, "\r\nContent-Range: bytes 8-9/10\r\n\r\n\xf8"},
		{8, "\r\nContent-Range: bytes 8-9/10\r\n\r\n"},
		{0, "\r\nContent-Range: bytes 8-9/10\r\n\r\n"},
	};
	char *dir = dir_make(), boundary[80];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = open_file(dir, several[1].size);
		struct rt_reply reply;
		struct rt_draft draft = {.reply = &reply};
		struct bytes got, expected;
		size_t head_size, end = strlen(cases[i].end);

		ck_assert_int_eq(ftruncate(fd, cases[i].left), 0);
		rt_reply_init(&reply);
		give_ranges(&draft, fd, 1);
		ck_assert(rt_reply_ok(&reply));
		ck_assert(reply.truncated);
		ck_assert_int_eq(reply.file, -1);
		ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
		got = script_played(&reply);
		boundary_of(&got, boundary);
		expected = expected_ranges(1, boundary, &head_size);
		ck_assert_uint_lt(got.size, expected.size);
		assert_bytes(got.data, got.size, expected.data, got.size);
		assert_bytes(got.data + got.size - end, end, cases[i].end, end);
		rt_reply_free(&reply);
		bytes_free(&got);
		bytes_free(&expected);
	}
	dir_remove(dir);
}
END_TEST

/* The first part is whole, the second one is not. */
START_TEST(a_later_part_that_became_shorter)
{
	static const struct rt_range ranges[] = {{0, 2}, {4, 3}, {9, 1}};
	char *dir = dir_make();
	int fd = open_file(dir, 10);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;

	ck_assert_int_eq(ftruncate(fd, 6), 0);
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 206, DATE);
	rt_reply_body_ranges(&draft, fd, 10, ranges, 3, "a/b");
	ck_assert(rt_reply_ok(&reply));
	ck_assert(reply.truncated);
	ck_assert_uint_eq(reply.step_count, 2);
	got = script_played(&reply);
	ck_assert_msg(got.size > 6 &&
			memcmp(got.data + got.size - 6, "\r\n\r\n\x7c\x9b",
				6) == 0,
		"expected the bytes 4 and 5 last in: %s",
		shown(got.data, got.size));
	assert_lacks(got, "9-9/10");
	rt_reply_free(&reply);
	bytes_free(&got);
	dir_remove(dir);
}
END_TEST

/* At each size at which the text may fail to grow. */
START_TEST(ranges_without_memory)
{
	char *dir = dir_make();
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	size_t needed;

	rt_reply_init(&reply);
	give_ranges(&draft, open_file(dir, several[_i].size), _i);
	ck_assert(rt_reply_ok(&reply));
	needed = reply.text.len;
	for (size_t max = 0; max <= needed; max += needed / 50 + 1) {
		int fd = open_file(dir, several[_i].size);

		rt_reply_free(&reply);
		rt_reply_init(&reply);
		reply.text.max = max;
		give_ranges(&draft, fd, _i);
		ck_assert_msg(rt_reply_ok(&reply) == (max == needed),
			"%zu bytes of %zu were enough", max, needed);
		rt_reply_reset(&reply);
		ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	}
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

/* The parts' own text is made apart from the reply's. */
START_TEST(parts_without_memory)
{
	char *dir = dir_make(), *type = malloc(RT_MAX_TEXT + 1);
	int fd = open_file(dir, several[0].size);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	ck_assert_ptr_nonnull(type);
	memset(type, 'x', RT_MAX_TEXT);
	type[RT_MAX_TEXT] = '\0';
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 206, DATE);
	rt_reply_body_ranges(&draft, fd, several[0].size, several[0].ranges,
		several[0].count, type);
	ck_assert(!rt_reply_ok(&reply));
	rt_reply_free(&reply);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	free(type);
	dir_remove(dir);
}
END_TEST

/* --- listings --- */

static struct rt_listing *
make_listing(const char *dir)
{
	struct rt_listing *listing;
	struct rt_root root = {.dotfiles = false};
	struct rt_file file;
	int done;

	dir_write(dir, "sub/a file", "", 0);
	ck_assert_int_eq(rt_root_open(&root, dir), 0);
	ck_assert_int_eq(rt_file_open(&file, &root, "sub/"), 0);
	ck_assert_int_eq(rt_listing_begin(&listing, &root, &file, "sub/", NULL),
		0);
	rt_root_close(&root);
	while ((done = rt_listing_go_on(listing)) == 0)
		;
	ck_assert_int_eq(done, 1);
	return listing;
}

START_TEST(a_listing_is_a_body)
{
	char *dir = dir_make(), length[64];
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .head_only = _i == 1};
	struct rt_listing *listing = make_listing(dir);
	const struct rt_buf *page = rt_listing_text(listing);
	struct bytes got;

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_listing(&draft, listing);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_ptr_eq(reply.listing, listing);
	got = script_played(&reply);
	(void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
		page->len);
	assert_has(got, length);
	if (draft.head_only)
		ck_assert_uint_eq(got.size, reply.head_size);
	else
		assert_bytes(got.data + reply.head_size,
			got.size - reply.head_size, page->data, page->len);
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	/* is owned: whatever begins the next one frees it */
	rt_reply_begin(&draft, 204, DATE);
	ck_assert_ptr_null(reply.listing);
	rt_reply_no_body(&draft);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

/* --- scripts --- */

START_TEST(text_that_meets_is_merged)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_buf_add_text(&reply.text, "abcdefgh");
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 0, .size = 3});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 3, .size = 2});
	ck_assert_uint_eq(reply.step_count, 1);
	ck_assert_uint_eq(reply.steps[0].size, 5);
	/* a gap, an overlap, other kinds: not */
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 6, .size = 2});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 7, .size = 1});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "xy",
			.at = 0,
			.size = 1});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "xy",
			.at = 1,
			.size = 1});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert_uint_eq(reply.step_count, 6);
	assert_played(&reply, "abcdeghhxx");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_step_too_many_fails)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	for (size_t i = 0; i < RT_MAX_STEPS; i++)
		rt_reply_step(&reply,
			(struct rt_step){.kind = RT_STEP_PAUSE, .at = 1});
	ck_assert(rt_reply_ok(&reply));
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert(!rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, RT_MAX_STEPS);
	rt_reply_reset(&reply);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, 0);
	rt_reply_free(&reply);
}
END_TEST

/* A few are kept for the next reply, many are not. */
START_TEST(steps_grow)
{
	static const size_t counts[] = {1, 8, 9, 64, 65, 1000};
	struct rt_reply reply;

	rt_reply_init(&reply);
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		bool kept = counts[k] <= 64;
		const struct rt_step *steps;

		for (size_t i = 0; i < counts[k]; i++)
			rt_reply_step(&reply,
				(struct rt_step){.kind = RT_STEP_PAUSE,
					.at = i});
		ck_assert(rt_reply_ok(&reply));
		ck_assert_uint_eq(reply.step_count, counts[k]);
		ck_assert_uint_ge(reply.step_room, counts[k]);
		for (size_t i = 0; i < counts[k]; i++)
			ck_assert_uint_eq(reply.steps[i].at, i);
		steps = reply.steps;
		rt_reply_reset(&reply);
		ck_assert_ptr_eq(reply.steps, kept ? steps : NULL);
		ck_assert_int_eq(reply.step_room > 0, kept);
		ck_assert_uint_eq(reply.step_count, 0);
	}
	rt_reply_free(&reply);
	ck_assert_ptr_null(reply.steps);
}
END_TEST

START_TEST(a_text_too_long_fails)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	char *body = calloc(1, RT_MAX_TEXT);

	ck_assert_ptr_nonnull(body);
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_copy(&draft, body, RT_MAX_TEXT);
	ck_assert(!rt_reply_ok(&reply));
	/* and is forgotten, memory and all */
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, body, RT_MAX_TEXT);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_lt(reply.text.room, 128u << 10);
	free(body);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_long_reason_is_cut)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;
	char reason[5000], length[64];

	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	rt_reply_init(&reply);
	rt_reply_error(&draft, 400, reason, DATE);
	ck_assert(rt_reply_ok(&reply));
	got = script_played(&reply);
	assert_has(got, "\r\n\r\n400 Bad Request: xxxx");
	ck_assert_int_eq(got.data[got.size - 1], '\n');
	(void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
		got.size - reply.head_size);
	assert_has(got, length);
	bytes_free(&got);
	rt_reply_free(&reply);
}
END_TEST

/* The text of its faults has an end, or there is none. */
START_TEST(faults_that_do_not_fit)
{
	static const char cut[] = "cut 1";
	struct rt_reply reply;
	size_t room;

	for (size_t lack = 0; lack <= sizeof cut; lack++) {
		rt_reply_init(&reply);
		room = reply.text.max - sizeof cut + lack;
		ck_assert_ptr_nonnull(rt_buf_reserve(&reply.text, room));
		memset(reply.text.data, 'x', room);
		reply.text.len = room;
		rt_reply_set_faults(&reply, cut);
		if (lack == 0)
			ck_assert_str_eq(rt_reply_faults(&reply), cut);
		else
			ck_assert_ptr_null(rt_reply_faults(&reply));
		rt_reply_free(&reply);
	}
}
END_TEST

/* Whatever the last client's reply had. */
START_TEST(reset_leaves_nothing)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_buf_add_text(&reply.text, "text");
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	reply.head_at = reply.head_size = reply.rule = reply.faults = 1;
	reply.pace = reply.seed = 1;
	reply.gap = reply.refuse = 1;
	reply.status = 200;
	reply.by_chance = reply.deaf = reply.truncated = reply.failed = true;
	reply.text.failed = true;
	reply.blob = rt_blob_new("x", 1, false);
	ck_assert_ptr_nonnull(reply.blob);
	rt_reply_reset(&reply);
	ck_assert_uint_eq(reply.text.len, 0);
	ck_assert_uint_eq(reply.text.max, RT_MAX_TEXT);
	ck_assert_uint_eq(reply.step_count, 0);
	ck_assert_uint_eq(reply.head_at, 0);
	ck_assert_uint_eq(reply.head_size, 0);
	ck_assert_uint_eq(reply.pace, 0);
	ck_assert_int_eq(reply.gap, 0);
	ck_assert_uint_eq(reply.rule, 0);
	ck_assert_uint_eq(reply.faults, 0);
	ck_assert(!reply.by_chance);
	ck_assert_uint_eq(reply.seed, 0);
	ck_assert_int_eq(reply.refuse, 0);
	ck_assert(!reply.deaf);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_int_eq(reply.file, -1);
	ck_assert_ptr_null(reply.listing);
	ck_assert_ptr_null(reply.blob);
	ck_assert(!reply.truncated);
	ck_assert(rt_reply_ok(&reply));
	/* but the memory */
	ck_assert_uint_gt(reply.text.room, 0);
	ck_assert_uint_gt(reply.step_room, 0);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(reset_closes_the_file)
{
	char *dir = dir_make();
	int fd = open_file(dir, 100000);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 0, 100000);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	rt_reply_reset(&reply);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(reply.file, -1);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_uint_eq(reply.head_size, 0);
	/* as does whatever begins the next one */
	fd = open_file(dir, 100000);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 0, 100000);
	rt_reply_raw(&draft, 200, "x", 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

/* --- what the user wants of it --- */

/* A length that is not the body's, or none. */
START_TEST(own_framing)
{
	static const struct {
		struct retort_reply own;
		const char *head;
	} cases[] = {
		{{.fields = "content-length: 9"},
			"HTTP/1.1 200 OK\r\nDate: " DATE
			"\r\ncontent-length: 9\r\nConnection: close\r\n\r\n"},
		{{.fields = "Content-Length: 9\nContent-Length: 1"},
			"HTTP/1.1 200 OK\r\nDate: " DATE
			"\r\nContent-Length: 9\r\nContent-Length: 1\r\n"
			"Connection: close\r\n\r\n"},
		{{.omit = "Content-Length"},
			"HTTP/1.1 200 OK\r\nDate: " DATE
			"\r\nConnection: close\r\n\r\n"},
		{{.omit = "content-length\nconnection\ndate"},
			"HTTP/1.1 200 OK\r\n\r\n"},
		{{.fields = "Connection: keep-alive"},
			"HTTP/1.1 200 OK\r\nDate: " DATE
			"\r\nContent-Length: 5\r\n"
			"Connection: keep-alive\r\n\r\n"},
	};
	struct rt_reply reply;
	char expected[512];

	rt_reply_init(&reply);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rt_draft draft = {.reply = &reply, .own = &cases[i].own};

		rt_reply_begin(&draft, 200, DATE);
		rt_reply_body(&draft, "hello", 5);
		(void)snprintf(expected, sizeof expected, "%shello",
			cases[i].head);
		assert_played(&reply, expected);
		ck_assert_uint_eq(reply.head_size, strlen(cases[i].head));
		draft.head_only = true;
		rt_reply_begin(&draft, 200, DATE);
		rt_reply_body(&draft, "hello", 5);
		assert_played(&reply, cases[i].head);
	}
	rt_reply_free(&reply);
}
END_TEST

#define CHUNKED_HEAD \
	"HTTP/1.1 200 OK\r\nDate: " DATE "\r\n" \
	"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

/* Each kind of body in chunks: text, or memory and text in turn. */
START_TEST(chunks_of_every_kind)
{
	static const size_t sizes[] = {2, 3, 0};
	static const struct retort_reply own = {.chunks = sizes,
		.trailers = "A: b\nC: d"};
	static const char text[] =
		CHUNKED_HEAD "2\r\n01\r\n3\r\n234\r\n5\r\n"
			     "56789\r\n0\r\nA: b\r\nC: d\r\n\r\n";
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};
	char *dir = dir_make(), path[4096];
	int fd;

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, "0123456789", 10);
	assert_played(&reply, text);
	/* the head with a size line, then bytes and text in turn, and the end */
	ck_assert_uint_eq(reply.step_count, 8);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_copy(&draft, "0123456789", 10);
	assert_played(&reply, text);
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_repeat(&draft, "0123456789!", 11, 10);
	assert_played(&reply, text);
	dir_write(dir, "file", "x0123456789x", 12);
	(void)snprintf(path, sizeof path, "%s/file", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 1, 10);
	assert_played(&reply, text);
	ck_assert_uint_eq(reply.step_count, 2);
	ck_assert_int_eq(reply.file, -1);
	/* HEAD: no chunk, not even the last */
	draft.head_only = true;
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, "0123456789", 10);
	assert_played(&reply, CHUNKED_HEAD);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(chunks_of_a_large_file)
{
	static const size_t sizes[] = {100000, 1, 0};
	static const struct retort_reply own = {.chunks = sizes};
	char *dir = dir_make();
	int fd = open_file(dir, 300000);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};
	struct bytes got, expected = {.data = NULL};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 5, 250000);
	ck_assert_int_eq(reply.file, fd);
	got = script_played(&reply);
	bytes_add(&expected, CHUNKED_HEAD, strlen(CHUNKED_HEAD));
	for (size_t i = 0; i < 250000; i++) {
		char byte = (char)((5 + i) * 31 % 251);

		if (i == 0)
			bytes_add(&expected, "186a0\r\n", 7);
		else if (i == 100000)
			bytes_add(&expected, "\r\n1\r\n", 5);
		else if (i == 100001)
			bytes_add(&expected, "\r\n249ef\r\n", 9);
		bytes_add(&expected, &byte, 1);
	}
	bytes_add(&expected, "\r\n0\r\n\r\n", 7);
	assert_bytes(got.data, got.size, expected.data, expected.size);
	bytes_free(&got);
	bytes_free(&expected);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

/* What is missing is missing: neither padded nor ended as if it were whole. */
START_TEST(chunks_of_a_file_that_became_shorter)
{
	static const size_t sizes[] = {400, 0};
	static const struct retort_reply own = {.chunks = sizes,
		.trailers = "A: b"};
	char *dir = dir_make();
	int fd = open_file(dir, 1000);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};
	struct bytes got;

	ck_assert_int_eq(ftruncate(fd, 500), 0);
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_file(&draft, fd, 0, 1000);
	got = script_played(&reply);
	ck_assert(reply.truncated);
	ck_assert_uint_eq(got.size,
		strlen(CHUNKED_HEAD "190\r\n\r\n258\r\n") + 500);
	assert_lacks(got, "A: b");
	bytes_free(&got);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(no_chunk_is_empty)
{
	static const size_t sizes[] = {3, 3, 3, 0};
	static const struct retort_reply own = {.chunks = sizes};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_copy(&draft, NULL, 0);
	assert_played(&reply, CHUNKED_HEAD "0\r\n\r\n");
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_copy(&draft, "abcdef", 6);
	assert_played(&reply, CHUNKED_HEAD "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_chunk_too_many_fails)
{
	size_t *sizes = malloc((RT_MAX_STEPS + 1) * sizeof *sizes);
	struct retort_reply own = {.chunks = sizes};
	char *body = calloc(1, RT_MAX_STEPS);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	ck_assert_ptr_nonnull(sizes);
	ck_assert_ptr_nonnull(body);
	for (size_t i = 0; i < RT_MAX_STEPS; i++)
		sizes[i] = 1;
	sizes[RT_MAX_STEPS] = 0;
	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, body, RT_MAX_STEPS / 2 - 10);
	ck_assert(rt_reply_ok(&reply));
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, body, RT_MAX_STEPS);
	ck_assert(!rt_reply_ok(&reply));
	/* copied bytes are one step, however many chunks they are in */
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_copy(&draft, body, RT_MAX_STEPS);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
	free(sizes);
	free(body);
}
END_TEST

START_TEST(a_repeated_body_is_one_step)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	const struct rt_step *step;

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_repeat(&draft, "abc", 3, UINT64_MAX);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, 3);
	step = reply.steps + 1;
	ck_assert_int_eq(step->kind, RT_STEP_REPEAT);
	ck_assert_uint_eq(step->at, 3);
	ck_assert_uint_eq(step->from, 0);
	ck_assert_uint_eq(step->size, UINT64_MAX);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body_repeat(&draft, "abc", 3, 0);
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(pauses_are_steps)
{
	static const struct retort_reply own =
		{.interim = "HTTP/1.1 100 Continue\r\n\r\n",
			.pause_head = 1,
			.pause_body = 20,
			.pause_chunk = 300,
			.pause_end = 2147483647};
	static const char head[] =
		"HTTP/1.1 100 Continue\r\n\r\n<1 ms>"
		"HTTP/1.1 200 OK\r\nDate: " DATE
		"\r\nContent-Length: 1\r\nConnection: close\r\n\r\n";
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};
	char expected[512];

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, "x", 1);
	(void)snprintf(expected, sizeof expected, "%s<20 ms>x<2147483647 ms>",
		head);
	assert_played(&reply, expected);
	/* of the script, the head is what it has before the body */
	ck_assert_uint_eq(reply.head_size, sizeof head - 1 - strlen("<1 ms>"));
	draft.head_only = true;
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_body(&draft, "x", 1);
	(void)snprintf(expected, sizeof expected, "%s<2147483647 ms>", head);
	assert_played(&reply, expected);
	rt_reply_raw(&draft, 200, "x", 1);
	assert_played(&reply, "<1 ms>x<2147483647 ms>");
	rt_reply_free(&reply);
}
END_TEST

/* Of a reply that takes the place of another nothing is left. */
START_TEST(an_error_in_the_middle)
{
	static const struct retort_reply own =
		{.interim = "HTTP/1.1 100 Continue\r\n\r\n",
			.pause_head = 1,
			.fields = "A: b"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 200, DATE);
	rt_reply_field(&draft, "X", "y");
	draft.own = NULL;
	rt_reply_error(&draft, 500, NULL, DATE);
	assert_played(&reply,
		"HTTP/1.1 500 Internal Server Error\r\nDate: " DATE "\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 26\r\nConnection: close\r\n\r\n"
		"500 Internal Server Error\n");
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
}
END_TEST

/* --- without HTTP --- */

START_TEST(no_head_without_http)
{
	const struct retort_reply closing = {.close = true};
	const struct retort_reply *const owns[] = {NULL, &closing};

	for (int p = RETORT_TCP; p <= RETORT_UDP; p++)
		for (int i = 0; i < 2; i++) {
			struct rt_reply reply;
			struct rt_draft draft = {.reply = &reply,
				.protocol = (enum retort_protocol)p,
				.own = owns[i]};
			struct rt_step *last;

			rt_reply_init(&reply);
			rt_reply_begin(&draft, 200, DATE);
			rt_reply_field(&draft, "A", "b");
			rt_reply_body(&draft, "hello", 5);
			last = reply.steps + reply.step_count - 1;
			ck_assert_int_eq(last->kind,
				i == 0 ? RT_STEP_NEXT : RT_STEP_CLOSE);
			ck_assert_uint_eq(reply.head_size, 0);
			/* script_played() knows but the one ending */
			last->kind = RT_STEP_CLOSE;
			assert_played(&reply, "hello");
			rt_reply_free(&reply);
		}
}
END_TEST

/* --- changes to a script that is complete --- */

#define EDITED "texttextbytesabcabcabcfilefile"

/* EDITED, of steps of each kind, with a pause between the last two. */
static char *
open_edited(struct rt_reply *reply)
{
	char *dir = dir_make();
	char path[512];

	dir_write(dir, "f", "..filefile..", 12);
	(void)snprintf(path, sizeof path, "%s/f", dir);
	rt_reply_init(reply);
	reply->file = open(path, O_RDONLY);
	ck_assert_int_ge(reply->file, 0);
	rt_buf_add_text(&reply->text, "..texttext");
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 2, .size = 8});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "bytes",
			.size = 5});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "bca",
			.at = 3,
			.from = 2,
			.size = 9});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_PAUSE, .at = 5});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_FILE, .at = 2, .size = 8});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	reply->head_size = 8;
	ck_assert_uint_eq(rt_reply_size(reply), strlen(EDITED));
	return dir;
}

static void
close_edited(struct rt_reply *reply, char *dir)
{
	rt_reply_free(reply);
	dir_remove(dir);
}

/* The bytes alone, and how many nanoseconds of pauses there are. */
static void
assert_edited(const struct rt_reply *reply, const char *expected, size_t size,
	const char *pause)
{
	struct bytes got = script_played(reply);
	char *at = strstr(got.data, "<5 ns>");

	ck_assert(rt_reply_ok(reply));
	ck_assert_int_eq(at != NULL, pause != NULL);
	if (at != NULL) {
		memmove(at, at + 6, got.size - 6 - (size_t)(at - got.data) + 1);
		got.size -= 6;
	}
	assert_bytes(got.data, got.size, expected, size);
	bytes_free(&got);
}

START_TEST(split_at_every_byte)
{
	for (size_t at = 0; at <= strlen(EDITED); at++) {
		struct rt_reply reply;
		char *dir = open_edited(&reply);
		size_t count = reply.step_count, before = 0;
		size_t index = rt_reply_split(&reply, at);

		ck_assert_uint_lt(index, reply.step_count);
		ck_assert_uint_le(reply.step_count, count + 1);
		for (size_t i = 0; i < index; i++)
			if (reply.steps[i].kind <= RT_STEP_FILE)
				before += reply.steps[i].size;
		ck_assert_msg(before == at, "split at %zu, got %zu", at,
			before);
		/* once more changes nothing */
		count = reply.step_count;
		ck_assert_uint_eq(rt_reply_split(&reply, at), index);
		ck_assert_uint_eq(reply.step_count, count);
		assert_edited(&reply, EDITED, strlen(EDITED), "");
		close_edited(&reply, dir);
	}
}
END_TEST

START_TEST(cut_at_every_byte)
{
	for (size_t at = 0; at <= strlen(EDITED); at++) {
		struct rt_reply reply;
		char *dir = open_edited(&reply);

		rt_reply_cut(&reply, at);
		ck_assert_uint_eq(rt_reply_size(&reply), at);
		ck_assert_uint_eq(reply.head_size, at < 8 ? at : 8);
		assert_edited(&reply, EDITED, at, at > 22 ? "" : NULL);
		close_edited(&reply, dir);
	}
}
END_TEST

START_TEST(gather_every_part)
{
	for (size_t from = 0; from < strlen(EDITED); from++) {
		for (size_t n = 0; n <= strlen(EDITED) - from; n++) {
			struct rt_reply reply;
			char *dir = open_edited(&reply);
			size_t at = rt_reply_gather(&reply, from, n);

			ck_assert_uint_eq(reply.text.len, at + n);
			assert_bytes(reply.text.data + at, n, &EDITED[from], n);
			assert_edited(&reply, EDITED, strlen(EDITED), "");
			close_edited(&reply, dir);
		}
	}
}
END_TEST

/* Of a file that has become shorter there is what is left of it, and zeros. */
START_TEST(gather_from_a_shorter_file)
{
	struct rt_reply reply;
	char *dir = open_edited(&reply);
	char path[512];
	size_t at;

	(void)snprintf(path, sizeof path, "%s/f", dir);
	ck_assert_int_eq(truncate(path, 5), 0);
	at = rt_reply_gather(&reply, 0, strlen(EDITED));
	assert_bytes(reply.text.data + at, reply.text.len - at,
		"texttextbytesabcabcabcfil\0\0\0\0\0", strlen(EDITED));
	close_edited(&reply, dir);
}
END_TEST

START_TEST(replace_every_part)
{
	static const char *const texts[] = {"", "x", "<longer>"};

	for (size_t from = 0; from <= strlen(EDITED); from++)
		for (size_t n = 0; n <= strlen(EDITED) - from; n += 1 + n / 3)
			for (size_t k = 0; k < 3; k++) {
				struct rt_reply reply;
				char *dir = open_edited(&reply), whole[100];
				size_t at = reply.text.len;

				/* the head is replaced within itself */
				if (from < 8 && from + n > 8) {
					close_edited(&reply, dir);
					continue;
				}
				rt_buf_add_text(&reply.text, texts[k]);
				rt_reply_replace(&reply, from, n, at);
				(void)snprintf(whole, sizeof whole, "%.*s%s%s",
					(int)from, EDITED, texts[k],
					&EDITED[from + n]);
				assert_edited(&reply, whole, strlen(whole), "");
				ck_assert_uint_eq(reply.head_size,
					from < 8 ? 8 + strlen(texts[k]) - n :
						   8);
				close_edited(&reply, dir);
			}
}
END_TEST

START_TEST(insert_and_remove_steps)
{
	for (size_t i = 0; i < 6; i++) {
		struct rt_reply reply;
		char *dir = open_edited(&reply);

		rt_reply_insert(&reply, i,
			(struct rt_step){.kind = RT_STEP_FLUSH});
		ck_assert_uint_eq(reply.step_count, 7);
		ck_assert_int_eq(reply.steps[i].kind, RT_STEP_FLUSH);
		ck_assert_int_eq(reply.steps[6].kind, RT_STEP_CLOSE);
		rt_reply_remove(&reply, i, i + 1);
		ck_assert_uint_eq(reply.step_count, 6);
		assert_edited(&reply, EDITED, strlen(EDITED), "");
		close_edited(&reply, dir);
	}
}
END_TEST

/* Text that is inserted beside text stays a step of its own. */
START_TEST(insert_without_merging)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_buf_add_text(&reply.text, "abcd");
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .size = 2});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	rt_reply_insert(&reply, 1,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 2, .size = 2});
	ck_assert_uint_eq(reply.step_count, 3);
	assert_played(&reply, "abcd");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_change_too_many_fails)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "ab",
			.at = 2,
			.size = UINT64_C(1) << 40});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	for (uint64_t i = 1; rt_reply_ok(&reply); i++) {
		ck_assert_uint_le(i, RT_MAX_STEPS);
		(void)rt_reply_split(&reply, i);
	}
	ck_assert_uint_eq(reply.step_count, RT_MAX_STEPS);
	/* and what comes then does no harm */
	rt_reply_cut(&reply, UINT64_C(1) << 39);
	rt_reply_replace(&reply, 5, UINT64_C(1) << 39, 0);
	(void)rt_reply_gather(&reply, 100000, 5);
	ck_assert(!rt_reply_ok(&reply));
	rt_reply_free(&reply);
}
END_TEST

/* More bytes than can be counted are split where they should be. */
START_TEST(changes_to_what_does_not_end)
{
	const struct rt_step step = {.kind = RT_STEP_REPEAT,
		.bytes = "ab",
		.at = 2,
		.size = INT64_MAX};
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "hello",
			.size = 5});
	for (int i = 0; i < 4; i++)
		rt_reply_step(&reply, step);
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert_uint_eq(rt_reply_size(&reply), UINT64_MAX);
	ck_assert_uint_eq(rt_reply_split(&reply, UINT64_MAX - 1), 3);
	ck_assert_uint_eq(rt_reply_split(&reply, UINT64_MAX), 4);
	ck_assert_uint_eq(reply.steps[3].size, 1);
	rt_reply_cut(&reply, UINT64_MAX - 1);
	ck_assert_uint_eq(reply.step_count, 4);
	ck_assert_int_eq(reply.steps[3].kind, RT_STEP_CLOSE);
	rt_reply_free(&reply);
}
END_TEST

static void
add_changes(Suite *suite)
{
	TCase *tcase = tcase_create("changes");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, split_at_every_byte);
	tcase_add_test(tcase, cut_at_every_byte);
	tcase_add_test(tcase, gather_every_part);
	tcase_add_test(tcase, gather_from_a_shorter_file);
	tcase_add_test(tcase, replace_every_part);
	tcase_add_test(tcase, insert_and_remove_steps);
	tcase_add_test(tcase, insert_without_merging);
	tcase_add_test(tcase, a_change_too_many_fails);
	tcase_add_test(tcase, changes_to_what_does_not_end);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *heads = tcase_create("heads");
	TCase *bodies = tcase_create("files");
	TCase *parts = tcase_create("ranges and listings");
	TCase *scripts = tcase_create("scripts");
	TCase *wishes = tcase_create("wishes");
	const int cases = (int)(sizeof several / sizeof *several);

	tcase_add_test(heads, a_whole_reply);
	tcase_add_test(heads, an_empty_body_has_a_length);
	tcase_add_test(heads, a_status_without_a_phrase);
	tcase_add_test(heads, no_body);
	tcase_add_test(heads, statuses_that_have_no_body);
	tcase_add_loop_test(heads, head_is_get_without_the_body, 0, 4);
	tcase_add_test(heads, own_fields_replace_add_and_remove);
	tcase_add_test(heads, own_date_and_a_removed_one);
	tcase_add_test(heads, removed_and_given_is_given);
	tcase_add_test(heads, own_is_what_the_user_names);
	tcase_add_test(heads, errors_say_why);
	tcase_add_test(heads, reasons_follow_other_fields);
	tcase_add_test(heads, raw_is_verbatim);
	tcase_add_test(heads, no_head_without_http);
	rt_test_case(suite, heads);
	tcase_add_loop_test(bodies, files_are_sent_as_promised, 0,
		(int)(sizeof files / sizeof *files));
	tcase_add_test(bodies, a_small_file_that_became_shorter);
	tcase_add_test(bodies, a_small_file_that_became_empty);
	tcase_add_test(bodies, a_small_file_that_grew);
	rt_test_case(suite, bodies);
	tcase_add_loop_test(parts, ranges_are_parts, 0, cases);
	tcase_add_loop_test(parts, ranges_without_the_body, 0, cases);
	tcase_add_test(parts, parts_that_became_shorter);
	tcase_add_test(parts, a_later_part_that_became_shorter);
	tcase_add_loop_test(parts, ranges_without_memory, 0, cases);
	tcase_add_test(parts, parts_without_memory);
	tcase_add_loop_test(parts, a_listing_is_a_body, 0, 2);
	rt_test_case(suite, parts);
	tcase_add_test(scripts, text_that_meets_is_merged);
	tcase_add_test(scripts, steps_grow);
	tcase_add_test(scripts, a_step_too_many_fails);
	tcase_add_test(scripts, a_text_too_long_fails);
	tcase_add_test(scripts, a_long_reason_is_cut);
	tcase_add_test(scripts, reset_leaves_nothing);
	tcase_add_test(scripts, faults_that_do_not_fit);
	tcase_add_test(scripts, reset_closes_the_file);
	rt_test_case(suite, scripts);
	tcase_add_test(wishes, own_framing);
	tcase_add_test(wishes, chunks_of_every_kind);
	tcase_add_test(wishes, chunks_of_a_large_file);
	tcase_add_test(wishes, chunks_of_a_file_that_became_shorter);
	tcase_add_test(wishes, no_chunk_is_empty);
	tcase_add_test(wishes, a_chunk_too_many_fails);
	tcase_add_test(wishes, a_repeated_body_is_one_step);
	tcase_add_test(wishes, pauses_are_steps);
	tcase_add_test(wishes, an_error_in_the_middle);
	rt_test_case(suite, wishes);
	add_changes(suite);
	return rt_test_run(suite);
}
