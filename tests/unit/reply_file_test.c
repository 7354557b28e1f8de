/* SPDX-License-Identifier: MIT */
/* Replies whose bodies are files, ranges of them, and listings. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reply/reply.h"
#include "site/listing.h"
#include "site/site_ranges.h"
#include "support/harness.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define CHUNKED_HEAD \
	"HTTP/1.1 200 OK\r\nDate: " DATE "\r\n" \
	"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

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

/* A reply that is made, and a folder for its file. */
struct desk {
	char *dir;
	struct rt_reply reply;
	struct rt_draft draft;
};

static void
open_desk(struct desk *desk)
{
	*desk = (struct desk){.dir = dir_make()};
	rt_reply_init(&desk->reply);
	desk->draft.reply = &desk->reply;
}

static void
close_desk(struct desk *desk)
{
	rt_reply_free(&desk->reply);
	dir_remove(desk->dir);
}

static struct bytes
play_file(struct desk *desk, int fd, size_t at, size_t size)
{
	rt_draft_begin(&desk->draft, 200, DATE);
	rt_draft_body_file(&desk->draft, fd, at, size);
	return script_played(&desk->reply);
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
	size_t count = files[_i].count, at = files[_i].at;
	struct desk desk;
	struct bytes got;
	int fd;

	open_desk(&desk);
	fd = open_file(desk.dir, files[_i].size);
	got = play_file(&desk, fd, at, count);
	ck_assert(rt_reply_ok(&desk.reply));
	ck_assert(!desk.reply.truncated);
	ck_assert_uint_eq(got.size, desk.reply.head_size + count);
	for (size_t i = 0; i < count; i++)
		if (got.data[desk.reply.head_size + i] !=
			(char)((at + i) * 31 % 251))
			ck_abort_msg("byte %zu of the body is wrong", i);
	if (count > SMALL) {
		ck_assert_uint_eq(desk.reply.step_count, 3);
		ck_assert_int_eq(desk.reply.file, fd);
	} else {
		/* one run of text, so one send */
		ck_assert_uint_eq(desk.reply.step_count, 2);
	}
	if (count > 0 && count <= SMALL) {
		ck_assert_int_eq(desk.reply.file, -1);
		ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	}
	bytes_free(&got);
	close_desk(&desk);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

/* A file of 1,000 bytes: what is left of it, and was promised. */
static const struct {
	const char *name;
	off_t left;
	size_t promised;
	size_t sent;
} changed[] = {
	{"a small file that became shorter", 300, 1000, 300},
	{"a small file that became empty", 0, 1000, 0},
	{"a small file that grew", 1000, 300, 300},
};

static void
a_file_that_changed(int i)
{
	struct desk desk;
	char length[64];
	struct bytes got;
	int fd;

	open_desk(&desk);
	fd = open_file(desk.dir, 1000);
	ck_assert_int_eq(ftruncate(fd, changed[i].left), 0);
	got = play_file(&desk, fd, 0, changed[i].promised);
	(void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
		changed[i].promised);
	assert_has(got, length);
	ck_assert_uint_eq(got.size, desk.reply.head_size + changed[i].sent);
	ck_assert_int_eq(desk.reply.truncated,
		changed[i].sent < changed[i].promised);
	ck_assert(rt_reply_ok(&desk.reply));
	bytes_free(&got);
	rt_reply_reset(&desk.reply);
	ck_assert(!desk.reply.truncated);
	close_desk(&desk);
}

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

/* Of the file of that case, as it was promised. */
static void
give_ranges(struct desk *desk, int fd, int i)
{
	rt_draft_begin(&desk->draft, 206, DATE);
	rt_site_ranges(&desk->draft, NULL, fd, several[i].size,
		several[i].ranges, several[i].count, "a/b");
}

static size_t
bytes_of(int i)
{
	size_t bytes = 0;

	for (size_t k = 0; k < several[i].count; k++)
		bytes += (size_t)several[i].ranges[k].size;
	return bytes;
}

/* A case that was played: what came, and what was to come. */
struct parts {
	int fd;
	struct bytes got;
	struct bytes expected;
	size_t head_size;
};

/* Of a file of which this much is left. */
static struct parts
play_ranges(struct desk *desk, int i, size_t left)
{
	struct parts parts = {.fd = open_file(desk->dir, several[i].size)};
	char boundary[80];

	ck_assert_int_eq(ftruncate(parts.fd, (off_t)left), 0);
	give_ranges(desk, parts.fd, i);
	ck_assert(rt_reply_ok(&desk->reply));
	parts.got = script_played(&desk->reply);
	boundary_of(&parts.got, boundary);
	parts.expected = expected_ranges(i, boundary, &parts.head_size);
	ck_assert_uint_eq(desk->reply.head_size, parts.head_size);
	return parts;
}

static void
free_parts(struct parts *parts)
{
	bytes_free(&parts->got);
	bytes_free(&parts->expected);
}

START_TEST(ranges_are_parts)
{
	bool small = bytes_of(_i) <= SMALL;
	struct desk desk;
	struct parts parts;

	open_desk(&desk);
	parts = play_ranges(&desk, _i, several[_i].size);
	ck_assert(!desk.reply.truncated);
	assert_bytes(parts.got.data, parts.got.size, parts.expected.data,
		parts.expected.size);
	/* one run of text, or text and file in turn */
	ck_assert_uint_eq(desk.reply.step_count,
		small ? 2 : 2 * several[_i].count + 2);
	ck_assert_int_eq(desk.reply.file, small ? -1 : parts.fd);
	ck_assert_int_eq(fcntl(parts.fd, F_GETFD) == -1, small);
	close_desk(&desk);
	ck_assert_int_eq(fcntl(parts.fd, F_GETFD), -1);
	free_parts(&parts);
}
END_TEST

START_TEST(ranges_without_the_body)
{
	struct desk desk;
	struct parts parts;

	open_desk(&desk);
	desk.draft.head_only = true;
	parts = play_ranges(&desk, _i, several[_i].size);
	assert_bytes(parts.got.data, parts.got.size, parts.expected.data,
		parts.head_size);
	ck_assert_int_eq(desk.reply.file, -1);
	ck_assert_int_eq(fcntl(parts.fd, F_GETFD), -1);
	free_parts(&parts);
	close_desk(&desk);
}
END_TEST

/* The rest of case 1: 8-9, 0-0, 4-5; and how its first part then ends. */
static const struct {
	const char *name;
	size_t left;
	const char *end;
} shorter[] = {
	{"a part that became shorter", 9,
		"\r\nContent-Range: bytes 8-9/10\r\n\r\n\xf8"},
	{"a part that became empty", 8,
		"\r\nContent-Range: bytes 8-9/10\r\n\r\n"},
	{"parts of a file that became empty", 0,
		"\r\nContent-Range: bytes 8-9/10\r\n\r\n"},
};

/*
 * The file became shorter before its ranges were read: what was there is
 * sent, and the script ends where the rest is missing.
 */
static void
parts_that_became_shorter(int i)
{
	size_t end = strlen(shorter[i].end);
	struct desk desk;
	struct parts parts;

	open_desk(&desk);
	parts = play_ranges(&desk, 1, shorter[i].left);
	ck_assert(desk.reply.truncated);
	ck_assert_int_eq(desk.reply.file, -1);
	ck_assert_int_eq(fcntl(parts.fd, F_GETFD), -1);
	ck_assert_uint_lt(parts.got.size, parts.expected.size);
	assert_bytes(parts.got.data, parts.got.size, parts.expected.data,
		parts.got.size);
	assert_bytes(parts.got.data + parts.got.size - end, end, shorter[i].end,
		end);
	free_parts(&parts);
	close_desk(&desk);
}

/* The first part is whole, the second one is not. */
START_TEST(a_later_part_that_became_shorter)
{
	static const struct rt_range ranges[] = {{0, 2}, {4, 3}, {9, 1}};
	struct desk desk;
	struct bytes got;
	int fd;

	open_desk(&desk);
	fd = open_file(desk.dir, 10);
	ck_assert_int_eq(ftruncate(fd, 6), 0);
	rt_draft_begin(&desk.draft, 206, DATE);
	rt_site_ranges(&desk.draft, NULL, fd, 10, ranges, 3, "a/b");
	ck_assert(rt_reply_ok(&desk.reply));
	ck_assert(desk.reply.truncated);
	ck_assert_uint_eq(desk.reply.step_count, 2);
	got = script_played(&desk.reply);
	ck_assert_msg(got.size > 6 &&
			memcmp(got.data + got.size - 6, "\r\n\r\n\x7c\x9b",
				6) == 0,
		"expected the bytes 4 and 5 last in: %s",
		shown(got.data, got.size));
	assert_lacks(got, "9-9/10");
	bytes_free(&got);
	close_desk(&desk);
}
END_TEST

/* At each size at which the text may fail to grow. */
START_TEST(ranges_without_memory)
{
	struct desk desk;
	size_t needed;

	open_desk(&desk);
	give_ranges(&desk, open_file(desk.dir, several[_i].size), _i);
	ck_assert(rt_reply_ok(&desk.reply));
	needed = desk.reply.text.len;
	for (size_t max = 0; max <= needed; max += needed / 50 + 1) {
		int fd = open_file(desk.dir, several[_i].size);

		rt_reply_free(&desk.reply);
		rt_reply_init(&desk.reply);
		desk.reply.text.max = max;
		give_ranges(&desk, fd, _i);
		ck_assert_msg(rt_reply_ok(&desk.reply) == (max == needed),
			"%zu bytes of %zu were enough", max, needed);
		rt_reply_reset(&desk.reply);
		ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	}
	close_desk(&desk);
}
END_TEST

/* The parts' own text is made apart from the reply's. */
START_TEST(parts_without_memory)
{
	char *type = malloc(RT_MAX_TEXT + 1);
	struct desk desk;
	int fd;

	ck_assert_ptr_nonnull(type);
	memset(type, 'x', RT_MAX_TEXT);
	type[RT_MAX_TEXT] = '\0';
	open_desk(&desk);
	fd = open_file(desk.dir, several[0].size);
	rt_draft_begin(&desk.draft, 206, DATE);
	rt_site_ranges(&desk.draft, NULL, fd, several[0].size,
		several[0].ranges, several[0].count, type);
	ck_assert(!rt_reply_ok(&desk.reply));
	close_desk(&desk);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	free(type);
}
END_TEST

/* --- in chunks, and no more --- */

START_TEST(chunks_of_a_large_file)
{
	static const char sizes[] = "100000 1";
	static const struct retort_reply own = {.chunks = sizes};
	struct desk desk;
	struct bytes got, expected = {.data = NULL};
	int fd;

	open_desk(&desk);
	desk.draft.own = &own;
	fd = open_file(desk.dir, 300000);
	got = play_file(&desk, fd, 5, 250000);
	ck_assert_int_eq(desk.reply.file, fd);
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
	close_desk(&desk);
}
END_TEST

/* Missing bytes are neither padded nor passed over. */
START_TEST(chunks_of_a_file_that_became_shorter)
{
	static const char sizes[] = "400";
	static const struct retort_reply own = {.chunks = sizes,
		.trailers = "A: b"};
	struct desk desk;
	struct bytes got;
	int fd;

	open_desk(&desk);
	desk.draft.own = &own;
	fd = open_file(desk.dir, 1000);
	ck_assert_int_eq(ftruncate(fd, 500), 0);
	got = play_file(&desk, fd, 0, 1000);
	ck_assert(desk.reply.truncated);
	ck_assert_uint_eq(got.size,
		strlen(CHUNKED_HEAD "190\r\n\r\n258\r\n") + 500);
	assert_lacks(got, "A: b");
	bytes_free(&got);
	close_desk(&desk);
}
END_TEST

START_TEST(reset_closes_the_file)
{
	struct desk desk;
	int fd;

	open_desk(&desk);
	fd = open_file(desk.dir, 100000);
	rt_draft_begin(&desk.draft, 200, DATE);
	rt_draft_body_file(&desk.draft, fd, 0, 100000);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	rt_reply_reset(&desk.reply);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(desk.reply.file, -1);
	ck_assert_int_eq(desk.reply.status, 0);
	ck_assert_uint_eq(desk.reply.head_size, 0);
	/* as does whatever begins the next one */
	fd = open_file(desk.dir, 100000);
	rt_draft_begin(&desk.draft, 200, DATE);
	rt_draft_body_file(&desk.draft, fd, 0, 100000);
	rt_draft_raw(&desk.draft, 200, "x", 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	close_desk(&desk);
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

static void
free_listing(void *listing)
{
	rt_listing_free(listing);
}

START_TEST(a_listing_is_a_body)
{
	struct desk desk;
	struct rt_listing *listing;
	const struct rt_buf *page;
	char length[64];
	struct bytes got;

	open_desk(&desk);
	desk.draft.head_only = _i == 1;
	listing = make_listing(desk.dir);
	page = rt_listing_text(listing);
	rt_draft_begin(&desk.draft, 200, DATE);
	desk.reply.made = (struct rt_made){listing, free_listing};
	rt_draft_body(&desk.draft, page->data, page->len);
	ck_assert(rt_reply_ok(&desk.reply));
	got = script_played(&desk.reply);
	(void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
		page->len);
	assert_has(got, length);
	if (desk.draft.head_only)
		ck_assert_uint_eq(got.size, desk.reply.head_size);
	else
		assert_bytes(got.data + desk.reply.head_size,
			got.size - desk.reply.head_size, page->data, page->len);
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	/* is owned: whatever begins the next one frees it */
	rt_draft_begin(&desk.draft, 204, DATE);
	ck_assert_ptr_null(desk.reply.made.it);
	rt_draft_body(&desk.draft, "", 0);
	close_desk(&desk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply_file");
	TCase *bodies = tcase_create("files");
	TCase *parts = tcase_create("ranges and listings");
	const int cases = (int)(sizeof several / sizeof *several);

	tcase_add_loop_test(bodies, files_are_sent_as_promised, 0,
		(int)(sizeof files / sizeof *files));
	for (int i = 0; i < (int)(sizeof changed / sizeof *changed); i++)
		rt_test_row(bodies, changed[i].name, a_file_that_changed, i);
	tcase_add_test(bodies, chunks_of_a_large_file);
	tcase_add_test(bodies, chunks_of_a_file_that_became_shorter);
	tcase_add_test(bodies, reset_closes_the_file);
	rt_test_case(suite, bodies);
	tcase_add_loop_test(parts, ranges_are_parts, 0, cases);
	tcase_add_loop_test(parts, ranges_without_the_body, 0, cases);
	for (int i = 0; i < (int)(sizeof shorter / sizeof *shorter); i++)
		rt_test_row(parts, shorter[i].name, parts_that_became_shorter,
			i);
	tcase_add_test(parts, a_later_part_that_became_shorter);
	tcase_add_loop_test(parts, ranges_without_memory, 0, cases);
	tcase_add_test(parts, parts_without_memory);
	tcase_add_loop_test(parts, a_listing_is_a_body, 0, 2);
	rt_test_case(suite, parts);
	return rt_test_run(suite);
}
