/* SPDX-License-Identifier: MIT */
/* The site: conditions, ranges and variants. */
#include "config.h"

#include "unit/sites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- validators and conditions --- */

#define OF_416 "Date Content-Range Content-Type Content-Length Connection"

static void
etag_of(const char *target, char value[256])
{
	struct bytes answer = ask_status("GET", target, 200);

	value_of(&answer, "ETag", value);
	ck_assert_msg(value[0] == '"', "expected a strong tag: %s", value);
	bytes_free(&answer);
}

START_TEST(every_change_changes_the_tag)
{
	char first[256], same[256], moved[256], grown[256], other[256];

	open_dated_folder();
	etag_of("/a.txt", first);
	etag_of("/a.txt", same);
	ck_assert_str_eq(first, same);
	/* within the same second */
	set_time("a.txt", MODIFIED, 1);
	etag_of("/a.txt", moved);
	ck_assert_str_ne(first, moved);
	set_time("a.txt", MODIFIED, 0);
	etag_of("/a.txt", same);
	ck_assert_str_eq(first, same);
	/* another size, another file: at the same time */
	dir_write(folder, "a.txt", "hello!\n", 7);
	set_time("a.txt", MODIFIED, 0);
	etag_of("/a.txt", grown);
	ck_assert_str_ne(first, grown);
	dir_write(folder, "new", "HELLO!\n", 7);
	set_time("new", MODIFIED, 0);
	etag_of("/new", other);
	ck_assert_str_ne(grown, other);
	close_folder();
}
END_TEST

/* RFC 9110 8.8.2.1 */
START_TEST(is_never_modified_in_the_future)
{
	int64_t before, modified, after;
	struct bytes answer;
	char text[256];

	open_folder();
	set_time("a.txt", 4102444800, 0);
	before = (int64_t)time(NULL);
	answer = ask_status("GET", "/a.txt", 200);
	after = (int64_t)time(NULL);
	value_of(&answer, "Last-Modified", text);
	ck_assert(rt_date_parse(text, strlen(text), after, &modified));
	/* the clock may be set meanwhile */
	ck_assert_int_ge(modified, before - 60);
	ck_assert_int_le(modified, after + 60);
	bytes_free(&answer);
	close_folder();
}
END_TEST

static const struct {
	const char *fields;
	int status; /* of GET and HEAD; OPTIONS is 204 */
} conditions[] = {
	{"If-None-Match: $", 304},
	{"If-None-Match: W/$", 304},
	{"If-None-Match: *", 304},
	{"If-None-Match: \"a\", W/\"b\" ,$", 304},
	{"If-None-Match: \"a\"\r\nIf-None-Match: $", 304},
	{"If-None-Match: \"a\"", 200},
	{"If-None-Match: \"a\", \"b\"", 200},
	{"If-None-Match: a", 200},
	{"If-None-Match:", 200},
	{"If-Match: $", 200},
	{"If-Match: \"a\", $", 200},
	{"If-Match: *", 200},
	{"If-Match: \"a\"", 412},
	{"If-Match: W/$", 412},
	{"If-Match: a", 412},
	{"If-Modified-Since: " DATE, 304},
	{"If-Modified-Since: " AFTER, 304},
	{"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 304},
	{"If-Modified-Since: Sun Nov  6 08:49:37 1994", 304},
	{"If-Modified-Since: " BEFORE, 200},
	{"If-Modified-Since: yesterday", 200},
	{"If-Modified-Since: " DATE "\r\nIf-Modified-Since: " DATE, 200},
	{"If-Unmodified-Since: " DATE, 200},
	{"If-Unmodified-Since: " AFTER, 200},
	{"If-Unmodified-Since: " BEFORE, 412},
	{"If-Unmodified-Since: yesterday", 200},
	/* RFC 9110 13.2.2: the order, and what is passed over */
	{"If-None-Match: \"a\"\r\nIf-Modified-Since: " DATE, 200},
	{"If-None-Match: $\r\nIf-Modified-Since: " BEFORE, 304},
	{"If-Match: $\r\nIf-Unmodified-Since: " BEFORE, 200},
	{"If-Match: \"a\"\r\nIf-Unmodified-Since: " DATE, 412},
	{"If-Match: \"a\"\r\nIf-None-Match: $", 412},
	{"If-None-Match: $\r\nIf-Match: $", 304},
	{"If-Unmodified-Since: " BEFORE "\r\nIf-None-Match: $", 412},
	{"If-Unmodified-Since: " DATE "\r\nIf-Modified-Since: " DATE, 304},
	/* before Range */
	{"If-None-Match: $\r\nRange: bytes=0-1", 304},
	{"If-Match: \"a\"\r\nRange: bytes=0-1", 412},
	{"If-None-Match: $\r\nRange: bytes=100-", 304},
};

static void
check_condition(const char *fields, int status)
{
	struct bytes get, head, options;

	get = ask_status_with("GET", "/a.txt", fields, status);
	head = ask_status_with("HEAD", "/a.txt", fields, status);
	options = ask_status_with("OPTIONS", "/a.txt", fields, 204);
	expect_same_head(&head, &get);
	if (status == 304) {
		expect_fields(&get, OF_304);
		expect_field(&get, "ETag", etag);
		expect_field(&get, "Cache-Control", "no-cache");
		expect_body(&get, "", 0);
	} else if (status == 412) {
		expect_fields(&get, OF_REASON);
		expect_length_of_body(&get);
		expect_body(&get, "412 Precondition Failed\n", 24);
	} else {
		expect_fields(&get, OF_FILE);
		expect_field(&get, "ETag", etag);
		expect_field(&get, "Last-Modified", DATE);
		expect_body(&get, "hello\n", 6);
	}
	bytes_free(&get);
	bytes_free(&head);
	bytes_free(&options);
}

START_TEST(conditions_are_met)
{
	open_dated_folder();
	for (int i = 0; i < COUNT(conditions); i++)
		check_condition(conditions[i].fields, conditions[i].status);
	close_folder();
}
END_TEST

/* RFC 9110 13.2.1: only where the answer would be 2xx without them. */
START_TEST(conditions_are_of_files)
{
	static const struct {
		const char *target;
		int status;
	} others[] = {{"/none", 404}, {"/sub", 301}, {"/%", 400},
		{"/fifo", 403}};

	open_dated_folder();
	ck_assert_int_eq(mkfifo(path_in("fifo"), 0666), 0);
	for (int i = 0; i < COUNT(others); i++) {
		struct bytes answer = ask_status_with("GET", others[i].target,
			"If-None-Match: *\r\nIf-Match: \"a\"\r\n"
			"If-Unmodified-Since: " BEFORE "\r\nRange: bytes=9-",
			others[i].status);

		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* --- ranges --- */

static const struct {
	const char *fields;
	int status;
	const char *range; /* Content-Range; NULL: none */
	const char *body;
} ranges[] = {
	{"Range: bytes=0-0", 206, "bytes 0-0/10", "0"},
	{"Range: bytes=2-5", 206, "bytes 2-5/10", "2345"},
	{"Range: BYTES=9-9", 206, "bytes 9-9/10", "9"},
	{"Range: bytes=0-9", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=7-", 206, "bytes 7-9/10", "789"},
	{"Range: bytes=0-", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=-1", 206, "bytes 9-9/10", "9"},
	{"Range: bytes=-10", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=-11", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=8-10", 206, "bytes 8-9/10", "89"},
	{"Range: bytes=8-99999999999999999999999", 206, "bytes 8-9/10", "89"},
	{"Range: bytes= 1-2 ,", 206, "bytes 1-2/10", "12"},
	/* those that meet are one; those past the end are none */
	{"Range: bytes=0-4,2-6", 206, "bytes 0-6/10", "0123456"},
	{"Range: bytes=0-1,2-3", 206, "bytes 0-3/10", "0123"},
	{"Range: bytes=2-3,0-1", 206, "bytes 0-3/10", "0123"},
	{"Range: bytes=0-1,8-9,1-8", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=1-2,1-2", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=1-2,10-", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=-0,1-2", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=10-", 416, "bytes */10", NULL},
	{"Range: bytes=10-11", 416, "bytes */10", NULL},
	{"Range: bytes=-0", 416, "bytes */10", NULL},
	{"Range: bytes=20-,30-40", 416, "bytes */10", NULL},
	{"Range: bytes=99999999999999999999999-", 416, "bytes */10", NULL},
	/* malformed, of another unit, or more than one field */
	{"Range: bytes=", 200, NULL, DIGITS},
	{"Range: bytes=-", 200, NULL, DIGITS},
	{"Range: bytes=,", 200, NULL, DIGITS},
	{"Range: bytes=a-b", 200, NULL, DIGITS},
	{"Range: bytes=5-4", 200, NULL, DIGITS},
	{"Range: bytes=1-2;", 200, NULL, DIGITS},
	{"Range: bytes=1-2,x", 200, NULL, DIGITS},
	{"Range: bytes=10-,x", 200, NULL, DIGITS},
	{"Range: bytes=1 -2", 200, NULL, DIGITS},
	{"Range: bytes 1-2", 200, NULL, DIGITS},
	{"Range: 1-2", 200, NULL, DIGITS},
	{"Range: lines=1-2", 200, NULL, DIGITS},
	{"Range:", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nRange: bytes=1-2", 200, NULL, DIGITS},
	{"Range: bytes=10-\r\nRange: bytes=1-2", 200, NULL, DIGITS},
	/* RFC 9110 13.1.5 */
	{"Range: bytes=1-2\r\nIf-Range: $", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=1-2\r\nIf-Range: " DATE, 206, "bytes 1-2/10", "12"},
	{"Range: bytes=10-\r\nIf-Range: $", 416, "bytes */10", NULL},
	{"Range: bytes=1-2\r\nIf-Range: \"a\"", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: W/$", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: $, $", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: *", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: " BEFORE, 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: " AFTER, 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: $\r\nIf-Range: $", 200, NULL, DIGITS},
	{"Range: bytes=10-\r\nIf-Range: \"a\"", 200, NULL, DIGITS},
	{"Range: bytes=0-0,2-2\r\nIf-Range: \"a\"", 200, NULL, DIGITS},
	{"If-Range: $", 200, NULL, DIGITS},
	/* a condition that holds changes nothing */
	{"Range: bytes=1-2\r\nIf-None-Match: \"a\"", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=1-2\r\nIf-Match: $", 206, "bytes 1-2/10", "12"},
};

static void
check_range(int i)
{
	struct bytes get, head, whole;

	get = ask_status_with("GET", "/d.txt", ranges[i].fields,
		ranges[i].status);
	expect_field(&get, "Content-Range", ranges[i].range);
	expect_length_of_body(&get);
	expect_field(&get, "Content-Type", "text/plain; charset=utf-8");
	if (ranges[i].status == 416) {
		expect_fields(&get, OF_416);
		expect_body(&get, "416 Range Not Satisfiable\n", 26);
	} else {
		expect_fields(&get,
			ranges[i].status == 206 ? OF_RANGE : OF_FILE);
		expect_field(&get, "ETag", etag);
		expect_field(&get, "Last-Modified", DATE);
		expect_field(&get, "Accept-Ranges", "bytes");
		expect_body(&get, ranges[i].body, strlen(ranges[i].body));
	}
	bytes_free(&get);
	/* RFC 9110 14.2: of GET alone */
	head = ask_status_with("HEAD", "/d.txt", ranges[i].fields, 200);
	whole = ask("GET", "/d.txt");
	expect_same_head(&head, &whole);
	bytes_free(&head);
	bytes_free(&whole);
	head = ask_status_with("OPTIONS", "/d.txt", ranges[i].fields, 204);
	bytes_free(&head);
}

START_TEST(a_range)
{
	open_digits();
	for (int i = 0; i < COUNT(ranges); i++)
		check_range(i);
	close_folder();
}
END_TEST

static const struct {
	const char *range;
	const char *parts;
} several[] = {
	{"0-0,2-2", "0-0,2-2"},
	{"8-,0-1", "8-9,0-1"},
	{"-1,0-0", "9-9,0-0"},
	{"0-0, 2-2 ,4-4,,6-6 ", "0-0,2-2,4-4,6-6"},
	{"7-100,1-1,50-60", "7-9,1-1"},
	/* what grows takes in what it meets, in the place of the first */
	{"5-6,0-0,2-3,1-1", "5-6,0-3"},
	{"9-9,0-2,5-5,4-6,1-1", "9-9,0-2,4-6"},
};

START_TEST(several_ranges)
{
	open_digits();
	for (int i = 0; i < COUNT(several); i++) {
		struct bytes answer;
		char fields[128];

		(void)snprintf(fields, sizeof fields, "Range: bytes=%s",
			several[i].range);
		answer = ask_status_with("GET", "/d.txt", fields, 206);
		expect_fields(&answer, OF_FILE);
		expect_field(&answer, "ETag", etag);
		expect_field(&answer, "Last-Modified", DATE);
		expect_parts(&answer, several[i].parts,
			"text/plain; charset=utf-8", DIGITS, 10);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* "0-0,2-2,4-4": this many. */
static void
ask_bytes(char *ranges_text, size_t room, int count)
{
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(ranges_text + used, room - used,
			"%s%d-%d", i > 0 ? "," : "", 2 * i, 2 * i);
}

START_TEST(so_many_ranges_and_no_more)
{
	static char list[8192], fields[8300];
	struct bytes answer;
	char *data;

	open_folder();
	data = make_sized("sized", 1000);
	ask_bytes(list, sizeof list, RT_MAX_RANGES);
	(void)snprintf(fields, sizeof fields, "Range: bytes=%s", list);
	answer = ask_status_with("GET", "/sized", fields, 206);
	expect_parts(&answer, list, "application/octet-stream", data, 1000);
	bytes_free(&answer);
	ask_bytes(list, sizeof list, RT_MAX_RANGES + 1);
	(void)snprintf(fields, sizeof fields, "Range: bytes=%s", list);
	answer = ask_status_with("GET", "/sized", fields, 200);
	expect_fields(&answer, OF_FILE);
	expect_body(&answer, data, 1000);
	bytes_free(&answer);
	free(data);
	close_folder();
}
END_TEST

/* Beyond 64 KiB a body is steps of the file. */
START_TEST(ranges_of_a_large_file)
{
	static const char *const parts[] = {"0-65535,65537-65537",
		"0-0,100000-299999", "200000-299999,0-99999,150000-150000"};
	struct bytes answer;
	char fields[128], *data;

	open_folder();
	data = make_sized("sized", 300000);
	answer = ask_status_with("GET", "/sized", "Range: bytes=-3", 206);
	expect_field(&answer, "Content-Range", "bytes 299997-299999/300000");
	expect_body(&answer, data + 299997, 3);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/sized", "Range: bytes=7-200006", 206);
	expect_field(&answer, "Content-Range", "bytes 7-200006/300000");
	expect_length(&answer, 200000);
	expect_body(&answer, data + 7, 200000);
	bytes_free(&answer);
	for (int i = 0; i < COUNT(parts); i++) {
		(void)snprintf(fields, sizeof fields, "Range: bytes=%s",
			parts[i]);
		answer = ask_status_with("GET", "/sized", fields, 206);
		expect_parts(&answer, parts[i], "application/octet-stream",
			data, 300000);
		bytes_free(&answer);
	}
	free(data);
	close_folder();
}
END_TEST

START_TEST(ranges_of_an_empty_file)
{
	static const struct {
		const char *fields;
		int status;
	} empty[] = {{"Range: bytes=0-", 200}, {"Range: bytes=0-0", 200},
		{"Range: bytes=-5", 200}, {"Range: bytes=0-,0-1", 200},
		{"Range: bytes=1-", 416}, {"Range: bytes=-0", 416},
		{"Range: bytes=1-,2-3", 416}};
	struct bytes answer;

	open_folder();
	for (int i = 0; i < COUNT(empty); i++) {
		answer = ask_status_with("GET", "/empty/a.png", empty[i].fields,
			empty[i].status);
		if (empty[i].status == 416) {
			expect_field(&answer, "Content-Range", "bytes */0");
		} else {
			expect_fields(&answer, OF_FILE);
			expect_body(&answer, "", 0);
		}
		expect_length_of_body(&answer);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* A date as young as the answer may stand for two contents (8.8.2.2). */
START_TEST(a_young_date_is_weak)
{
	struct bytes answer;
	char fields[128], date[RT_DATE_TEXT];

	open_folder();
	set_time("a.txt", 4102444800, 0);
	rt_date_format((int64_t)time(NULL), date);
	(void)snprintf(fields, sizeof fields,
		"Range: bytes=0-0\r\nIf-Range: %s", date);
	answer = ask_status_with("GET", "/a.txt", fields, 200);
	expect_body(&answer, "hello\n", 6);
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* --- precompressed files --- */

/* The body says which variant it is. */
static const char *
content_of(const char *coding)
{
	return coding == NULL               ? PLAIN :
		strcmp(coding, "br") == 0   ? "brotli" :
		strcmp(coding, "zstd") == 0 ? "zstandard" :
					      "gzip";
}

static void
expect_coding(const char *target, const char *accepted, const char *coding)
{
	struct bytes get, head;
	char fields[256] = "";

	if (accepted != NULL)
		(void)snprintf(fields, sizeof fields, "Accept-Encoding: %s",
			accepted);
	get = ask_status_with("GET", target, fields, 200);
	expect_fields(&get,
		coding != NULL ? OF_FILE WITH_VARY " Content-Encoding" :
				 OF_FILE WITH_VARY);
	expect_field(&get, "Content-Encoding", coding);
	expect_field(&get, "Vary", "Accept-Encoding");
	expect_field(&get, "Content-Type", "text/plain; charset=utf-8");
	expect_length_of_body(&get);
	expect_body(&get, content_of(coding), strlen(content_of(coding)));
	head = ask_status_with("HEAD", target, fields, 200);
	expect_same_head(&head, &get);
	bytes_free(&get);
	bytes_free(&head);
}

START_TEST(the_coding_that_is_preferred)
{
	static const struct {
		const char *accepted;
		const char *coding;
	} cases[] = {
		{NULL, NULL},
		{"", NULL},
		{"identity", NULL},
		{"deflate, compress", NULL},
		{"gzip", "gzip"},
		{"x-gzip", "gzip"},
		{"GZip", "gzip"},
		{"br", "br"},
		{"zstd", "zstd"},
		{"gzip, deflate, br, zstd", "br"},
		{"gzip, zstd", "zstd"},
		{"*", "br"},
		{"*, br;q=0", "zstd"},
		{"br;q=0, zstd;q=0, *", "gzip"},
		{"gzip;q=1.0, br;q=0.5", "gzip"},
		{"gzip;q=0.5, br;q=0.501", "br"},
		{"br;q=0.2, zstd ; Q=0.3, gzip;q=0.1", "zstd"},
		{"gzip;q=0", NULL},
		{"*;q=0", NULL},
		{"gzip;q=0.000, identity", NULL},
		{"gzip;q=0.5, identity", NULL},
		{"gzip;q=0.5, identity;q=0.4", "gzip"},
		{"gzip, identity", "gzip"},
		{"gzip;q=2, br;q=x", NULL},
		{"gzip\r\nAccept-Encoding: br", "br"},
	};

	open_codings();
	for (int i = 0; i < COUNT(cases); i++)
		expect_coding("/a.txt", cases[i].accepted, cases[i].coding);
	close_folder();
}
END_TEST

/* The next best one, then the file itself. */
START_TEST(a_variant_that_cannot_stand_for_the_file)
{
	char *outside;

	open_codings();
	/* older, by a nanosecond */
	set_time("a.txt.br", MODIFIED, 4);
	expect_coding("/a.txt", "br, zstd, gzip", "zstd");
	set_time("a.txt.zst", MODIFIED - 1, 999999999);
	expect_coding("/a.txt", "br, zstd, gzip", "gzip");
	set_time("a.txt.br", MODIFIED, 6);
	expect_coding("/a.txt", "br, zstd, gzip", "br");
	set_time("a.txt.br", MODIFIED + 1, 0);
	expect_coding("/a.txt", "br, zstd, gzip", "br");
	/* kept in whole seconds, as archives have them */
	set_time("a.txt.br", MODIFIED, 0);
	expect_coding("/a.txt", "br, zstd, gzip", "br");
	set_time("a.txt.br", MODIFIED - 1, 0);
	expect_coding("/a.txt", "br, zstd, gzip", "gzip");
	/* a folder, a FIFO, a link that leads out, nothing */
	ck_assert_int_eq(unlink(path_in("a.txt.br")), 0);
	ck_assert_int_eq(mkdir(path_in("a.txt.br"), 0777), 0);
	expect_coding("/a.txt", "br, gzip", "gzip");
	ck_assert_int_eq(unlink(path_in("a.txt.zst")), 0);
	ck_assert_int_eq(mkfifo(path_in("a.txt.zst"), 0666), 0);
	expect_coding("/a.txt", "zstd, gzip;q=0.9", "gzip");
	outside = dir_make();
	dir_write(outside, "gz", "outside", 7);
	ck_assert_int_eq(unlink(path_in("a.txt.gz")), 0);
	expect_coding("/a.txt", "br, zstd, gzip", NULL);
	ck_assert_int_eq(symlink(outside, path_in("out")), 0);
	ck_assert_int_eq(symlink("out/gz", path_in("a.txt.gz")), 0);
	expect_coding("/a.txt", "br, zstd, gzip", NULL);
	dir_remove(outside);
	close_folder();
}
END_TEST

/* Who waits at it to write must not be woken by a look at it. */
START_TEST(a_variant_that_is_a_fifo_is_not_opened)
{
	int fd;

	open_codings();
	ck_assert_int_eq(unlink(path_in("a.txt.gz")), 0);
	ck_assert_int_eq(unlink(path_in("a.txt.br")), 0);
	ck_assert_int_eq(mkfifo(path_in("a.txt.gz"), 0666), 0);
	ck_assert_int_eq(symlink("a.txt.gz", path_in("a.txt.br")), 0);
	fd = opening_watch(path_in("a.txt.gz"));
	expect_coding("/a.txt", "gzip", NULL);
	expect_coding("/a.txt", "br", NULL);
	expect_coding("/a.txt", "br, zstd;q=0.5, gzip", "zstd");
	ck_assert_msg(!opening_seen(fd), "the FIFO was opened");
	/* it would have been seen */
	(void)close(open(path_in("a.txt.gz"), O_RDONLY | O_NONBLOCK));
	ck_assert(opening_seen(fd));
	(void)close(fd);
	close_folder();
}
END_TEST

START_TEST(a_variant_is_asked_for_by_the_file)
{
	struct bytes answer;

	open_codings();
	/* its own name is that of an archive, in no coding */
	answer = ask_status_with("GET", "/a.txt.gz", "Accept-Encoding: gzip",
		200);
	expect_fields(&answer, OF_FILE WITH_VARY);
	expect_field(&answer, "Content-Type", "application/gzip");
	expect_body(&answer, "gzip", 4);
	bytes_free(&answer);
	/* alone it stands for nothing */
	ck_assert_int_eq(unlink(path_in("a.txt")), 0);
	answer = ask_status_with("GET", "/a.txt", "Accept-Encoding: gzip", 404);
	expect_field(&answer, "Vary", "Accept-Encoding");
	bytes_free(&answer);
	/* of a folder's index, too; whose name has no such neighbour */
	dir_write(folder, "sub/index.html.gz", "zipped", 6);
	dir_write(folder, "sub.gz", "no", 2);
	answer = ask_status_with("GET", "/sub/", "Accept-Encoding: gzip", 200);
	expect_field(&answer, "Content-Encoding", "gzip");
	expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
	expect_body(&answer, "zipped", 6);
	bytes_free(&answer);
	ck_assert_int_eq(unlink(path_in("sub/index.html")), 0);
	answer = ask_status_with("GET", "/sub/", "Accept-Encoding: gzip", 200);
	expect_field(&answer, "Content-Encoding", NULL);
	assert_has(answer, "index.html.gz");
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(every_reply_varies)
{
	static const struct {
		const char *method;
		const char *target;
		const char *fields;
		int status;
	} cases[] = {
		{"GET", "/a.txt", "", 200},
		{"GET", "/a.txt", "Accept-Encoding: gzip", 200},
		{"GET", "/a.txt", "Range: bytes=0-1", 206},
		{"GET", "/a.txt", "Range: bytes=0-0,2-2", 206},
		{"GET", "/empty/", "", 200},
		{"GET", "/sub", "", 301},
		{"GET", "/a.txt", "If-None-Match: *", 304},
		{"GET", "/%", "", 400},
		{"GET", "/fifo", "", 403},
		{"GET", "/none", "", 404},
		{"POST", "/a.txt", "", 405},
		{"GET", "/a.txt", "If-Match: \"a\"", 412},
		{"GET", "/a.txt", "Range: bytes=100-", 416},
		{"OPTIONS", "/a.txt", "", 204},
	};
	open_codings();
	ck_assert_int_eq(mkfifo(path_in("fifo"), 0666), 0);
	for (int i = 0; i < 4 * COUNT(cases); i++) {
		int k = i % COUNT(cases);
		struct bytes answer;

		site.precompressed = i / COUNT(cases) % 2 == 0;
		site.own.fields =
			i / COUNT(cases) / 2 == 0 ? NULL : "vary: Cookie";
		answer = ask_status_with(cases[k].method, cases[k].target,
			cases[k].fields, cases[k].status);
		expect_field(&answer, "vary",
			site.own.fields ? "Cookie" : NULL);
		expect_field(&answer, "Vary",
			site.precompressed && site.own.fields == NULL ?
				"Accept-Encoding" :
				NULL);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(no_variant_unless_told)
{
	struct bytes answer;

	open_codings();
	site.precompressed = false;
	answer = ask_status_with("GET", "/a.txt", "Accept-Encoding: gzip", 200);
	expect_fields(&answer, OF_FILE);
	expect_body(&answer, PLAIN, strlen(PLAIN));
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* The variant has a tag, a date and bytes of its own. */
START_TEST(a_variant_is_selected_before_all_else)
{
	struct bytes answer;
	char fields[256];

	open_codings();
	set_time("a.txt.gz", MODIFIED + 1, 0);
	take_etag("a.txt");
#define GZIP "Accept-Encoding: gzip\r\n"
	answer = ask_status_with("GET", "/a.txt", GZIP "If-None-Match: $", 200);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", GZIP "If-Match: $", 412);
	bytes_free(&answer);
	take_etag("a.txt.gz");
	answer = ask_status_with("GET", "/a.txt", GZIP "If-None-Match: $", 304);
	expect_fields(&answer, OF_304 WITH_VARY);
	expect_field(&answer, "ETag", etag);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", "If-None-Match: $", 200);
	bytes_free(&answer);
	(void)snprintf(fields, sizeof fields, GZIP "If-Modified-Since: %s",
		DATE);
	answer = ask_status_with("GET", "/a.txt", fields, 200);
	expect_field(&answer, "Last-Modified", AFTER);
	expect_field(&answer, "ETag", etag);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt",
		GZIP "Range: bytes=1-2\r\nIf-Range: $", 206);
	expect_fields(&answer, OF_RANGE WITH_VARY " Content-Encoding");
	expect_field(&answer, "Content-Encoding", "gzip");
	expect_field(&answer, "Content-Range", "bytes 1-2/4");
	expect_body(&answer, "zi", 2);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", GZIP "Range: bytes=0-0,-1",
		206);
	expect_fields(&answer, OF_FILE WITH_VARY " Content-Encoding");
	expect_parts(&answer, "0-0,3-3", "text/plain; charset=utf-8", "gzip",
		4);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", GZIP "Range: bytes=4-", 416);
	expect_fields(&answer, OF_416 WITH_VARY);
	expect_field(&answer, "Content-Range", "bytes */4");
	bytes_free(&answer);
#undef GZIP
	close_folder();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("site select");
	const TTest *const validators[] = {every_change_changes_the_tag,
		is_never_modified_in_the_future, conditions_are_met,
		conditions_are_of_files, NULL};
	const TTest *const some[] = {a_range, several_ranges,
		so_many_ranges_and_no_more, ranges_of_a_large_file,
		ranges_of_an_empty_file, a_young_date_is_weak, NULL};
	const TTest *const codings[] = {the_coding_that_is_preferred,
		a_variant_that_cannot_stand_for_the_file,
		a_variant_that_is_a_fifo_is_not_opened,
		a_variant_is_asked_for_by_the_file, every_reply_varies,
		no_variant_unless_told, a_variant_is_selected_before_all_else,
		NULL};

	add(suite, "conditions", validators);
	add(suite, "ranges", some);
	add(suite, "precompressed", codings);
	return rt_test_run(suite);
}
