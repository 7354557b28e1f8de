/* SPDX-License-Identifier: MIT */
/* Replies: heads byte for byte, bodies of every kind, dates, scripts. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "http.h"
#include "reply.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* What a client would receive, and how it would end. */
static struct bytes
played(const struct rt_reply *reply)
{
	struct bytes to = {.data = NULL};

	bytes_add(&to, "", 0);
	for (size_t i = 0; i < reply->step_count; i++) {
		const struct rt_step *step = reply->steps + i;
		char block[4096];

		switch (step->kind) {
		case RT_STEP_TEXT:
			ck_assert_uint_le(step->at + step->size,
				reply->text.len);
			bytes_add(&to, reply->text.data + step->at,
				(size_t)step->size);
			break;
		case RT_STEP_BYTES:
			bytes_add(&to, step->bytes, (size_t)step->size);
			break;
		case RT_STEP_FILE:
			for (uint64_t at = 0; at < step->size;) {
				size_t want = step->size - at < sizeof block ?
					(size_t)(step->size - at) :
					sizeof block;
				ssize_t n = pread(reply->file, block, want,
					(off_t)(step->at + at));

				ck_assert_int_gt(n, 0);
				bytes_add(&to, block, (size_t)n);
				at += (uint64_t)n;
			}
			break;
		case RT_STEP_CLOSE:
			ck_assert_uint_eq(i, reply->step_count - 1);
			return to;
		default:
			ck_abort_msg("step %zu is of kind %d", i,
				(int)step->kind);
		}
	}
	ck_abort_msg("the script has no ending");
	return to;
}

static void
assert_played(const struct rt_reply *reply, const char *expected)
{
	struct bytes got = played(reply);

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
	got = played(&get);
	other = played(&head);
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
	static const struct retort_field own[] = {
		{"content-type", "x/y"},
		{"X-One", "1"},
		{"X-Two", ""},
		{"ETag", NULL},
		{"X-One", "2"},
	};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = own, .own_count = 5};

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
		"X-One: 2\r\n"
		"Connection: close\r\n"
		"\r\n"
		"b");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(own_date_and_a_removed_one)
{
	static const struct retort_field own[] = {{"DATE", "today"}};
	static const struct retort_field none[] = {{"Date", NULL}};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = own, .own_count = 1};

	rt_reply_init(&reply);
	rt_reply_begin(&draft, 204, DATE);
	rt_reply_no_body(&draft);
	assert_played(&reply,
		"HTTP/1.1 204 No Content\r\n"
		"DATE: today\r\n"
		"Connection: close\r\n"
		"\r\n");
	draft.own = none;
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
	static const struct retort_field own[] = {{"Server", NULL},
		{"Server", "x"}};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = own, .own_count = 2};

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

/* --- errors and raw replies --- */

START_TEST(errors_say_why)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_reply_error(&draft, 404, NULL, NULL, DATE);
	assert_played(&reply,
		"HTTP/1.1 404 Not Found\r\n"
		"Date: " DATE "\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 14\r\n"
		"Connection: close\r\n"
		"\r\n"
		"404 Not Found\n");
	rt_reply_error(&draft, 405, "because", "GET, HEAD", DATE);
	assert_played(&reply,
		"HTTP/1.1 405 Method Not Allowed\r\n"
		"Date: " DATE "\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Allow: GET, HEAD\r\n"
		"Content-Length: 32\r\n"
		"Connection: close\r\n"
		"\r\n"
		"405 Method Not Allowed: because\n");
	draft.head_only = true;
	rt_reply_error(&draft, 404, NULL, NULL, DATE);
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

START_TEST(raw_is_verbatim)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_reply_raw(&reply, 200, "anything\n\r\n", 11);
	assert_played(&reply, "anything\n\r\n");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(reply.text.len, 0);
	rt_reply_raw(&reply, 500, NULL, 0);
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
	got = played(&reply);
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
	got = played(&reply);
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
	got = played(&reply);
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
	got = played(&reply);
	ck_assert_uint_eq(got.size, reply.head_size + 300);
	ck_assert(!reply.truncated);
	bytes_free(&got);
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
	for (int i = 0; i < RT_MAX_STEPS; i++)
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
	rt_reply_error(&draft, 400, reason, NULL, DATE);
	ck_assert(rt_reply_ok(&reply));
	got = played(&reply);
	assert_has(got, "\r\n\r\n400 Bad Request: xxxx");
	ck_assert_int_eq(got.data[got.size - 1], '\n');
	(void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
		got.size - reply.head_size);
	assert_has(got, length);
	bytes_free(&got);
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
	rt_reply_raw(&reply, 200, "x", 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

/* --- dates --- */

static const struct {
	int64_t seconds;
	const char *text;
} dates[] = {
	{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	{-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
	{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
	{951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
	{951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
	{1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
	{1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
	{2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
	{4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
	{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

START_TEST(dates_in_any_locale_and_zone)
{
	char text[RT_DATE_TEXT];

	ck_assert_int_eq(setenv("TZ", "Pacific/Auckland", 1), 0);
	tzset();
	(void)setlocale(LC_ALL, "de_DE.UTF-8");
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		rt_reply_date(dates[i].seconds, text);
		ck_assert_str_eq(text, dates[i].text);
	}
}
END_TEST

START_TEST(every_day_and_month_has_its_name)
{
	char text[RT_DATE_TEXT], expected[64];

	for (int64_t day = 0; day < 366; day++) {
		time_t seconds = (time_t)(1700000000 + day * 86400);
		struct tm tm;

		ck_assert_ptr_nonnull(gmtime_r(&seconds, &tm));
		/* the locale is C here */
		ck_assert_uint_eq(strftime(expected, sizeof expected,
					  "%a, %d %b %Y %H:%M:%S GMT", &tm),
			RT_DATE_TEXT - 1);
		rt_reply_date(seconds, text);
		ck_assert_str_eq(text, expected);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *heads = tcase_create("heads");
	TCase *bodies = tcase_create("files");
	TCase *scripts = tcase_create("scripts");
	TCase *times = tcase_create("dates");

	tcase_add_test(heads, a_whole_reply);
	tcase_add_test(heads, an_empty_body_has_a_length);
	tcase_add_test(heads, a_status_without_a_phrase);
	tcase_add_test(heads, no_body);
	tcase_add_test(heads, statuses_that_have_no_body);
	tcase_add_loop_test(heads, head_is_get_without_the_body, 0, 4);
	tcase_add_test(heads, own_fields_replace_add_and_remove);
	tcase_add_test(heads, own_date_and_a_removed_one);
	tcase_add_test(heads, removed_and_given_is_given);
	tcase_add_test(heads, errors_say_why);
	tcase_add_test(heads, raw_is_verbatim);
	rt_test_case(suite, heads);
	tcase_add_loop_test(bodies, files_are_sent_as_promised, 0,
		(int)(sizeof files / sizeof *files));
	tcase_add_test(bodies, a_small_file_that_became_shorter);
	tcase_add_test(bodies, a_small_file_that_became_empty);
	tcase_add_test(bodies, a_small_file_that_grew);
	rt_test_case(suite, bodies);
	tcase_add_test(scripts, text_that_meets_is_merged);
	tcase_add_test(scripts, a_step_too_many_fails);
	tcase_add_test(scripts, a_text_too_long_fails);
	tcase_add_test(scripts, a_long_reason_is_cut);
	tcase_add_test(scripts, reset_closes_the_file);
	rt_test_case(suite, scripts);
	tcase_add_test(times, dates_in_any_locale_and_zone);
	tcase_add_test(times, every_day_and_month_has_its_name);
	rt_test_case(suite, times);
	return rt_test_run(suite);
}
