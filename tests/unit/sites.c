/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "unit/heads.h"
#include "unit/sites.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct rt_limits limits = {.target = 64 << 10,
	.head = 128 << 10,
	.fields = 100};

char *folder;

struct rt_site site;

/* Each test runs in both ways of opening files. By openat2(2) each request is
   made three times, and what was kept of the first two, however new, makes the
   last answer. */
bool walk;

void
by_openat2(void)
{
	walk = false;
}

void
by_walk(void)
{
	walk = true;
}

void
open_root(const char *path)
{
	rt_root_close(&site.root);
	ck_assert_int_eq(rt_root_open(&site.root, path), 0);
	site.root.walk = site.root.walk || walk;
}

void
open_folder(void)
{
	folder = dir_make();
	dir_write(folder, "index.html", "<p>top", 6);
	dir_write(folder, "a.txt", "hello\n", 6);
	dir_write(folder, "sub/index.html", "<p>sub", 6);
	dir_write(folder, "empty/a.png", "", 0);
	dir_write(folder, ".secret", "secret", 6);
	dir_write(folder, ".well-known/x", "known", 5);
	rt_site_init(&site);
	open_root(folder);
}

void
close_folder(void)
{
	rt_site_free(&site);
	dir_remove(folder);
}

struct bytes
flatten(const struct rt_reply *reply)
{
	struct bytes to = {.data = NULL};
	static char data[1 << 20];

	ck_assert(rt_reply_ok(reply));
	ck_assert_uint_ge(reply->step_count, 1);
	bytes_add(&to, "", 0);
	for (size_t i = 0; i < reply->step_count; i++) {
		const struct rt_step *step = reply->steps + i;

		switch (step->kind) {
		case RT_STEP_TEXT:
			bytes_add(&to, reply->text.data + step->at,
				(size_t)step->size);
			break;
		case RT_STEP_BYTES:
			bytes_add(&to, step->bytes, (size_t)step->size);
			break;
		case RT_STEP_FILE:
			ck_assert_uint_le(step->size, sizeof data);
			ck_assert_int_eq(pread(reply->file, data,
						 (size_t)step->size,
						 (off_t)step->at),
				(ssize_t)step->size);
			bytes_add(&to, data, (size_t)step->size);
			break;
		default:
			ck_assert_int_eq(step->kind, RT_STEP_CLOSE);
			ck_assert_uint_eq(i, reply->step_count - 1);
		}
	}
	return to;
}

void
begin_asking(struct asking *asking, const char *text)
{
	asking->text = text;
	asking->http = head_read(text, strlen(text), &limits);
	rt_reply_init(&asking->reply);
}

bool
go_on_asking(struct asking *asking)
{
	static const struct rt_site_ways as_always;

	return rt_site_answer(&site, &as_always, rt_http_request(asking->http),
		asking->text, DATE, &asking->reply);
}

void
stop_asking(struct asking *asking)
{
	rt_reply_free(&asking->reply);
	rt_http_free(asking->http);
}

int slices; /* of work that the last answer took */

struct bytes
end_asking(struct asking *asking)
{
	struct bytes answer;

	for (slices = 1; !go_on_asking(asking); slices++)
		ck_assert_int_lt(slices, 10000);
	answer = flatten(&asking->reply);
	stop_asking(asking);
	return answer;
}

char etag[RT_ETAG_TEXT]; /* stands for $ in the fields of a request */

void
take_etag(const char *name)
{
	struct rt_file file;

	ck_assert_int_eq(rt_file_open(&file, &site.root, name), 0);
	rt_file_etag(&file, etag);
	rt_file_close(&file);
}

struct bytes
ask_with(const char *method, const char *target, const char *fields)
{
	struct bytes request = {.data = NULL}, answer;
	struct asking asking;

	bytes_add(&request, method, strlen(method));
	bytes_add(&request, " ", 1);
	bytes_add(&request, target, strlen(target));
	bytes_add(&request, " HTTP/1.1\r\nHost: x\r\n", 20);
	for (const char *at = fields; *at != '\0'; at++)
		bytes_add(&request, *at == '$' ? etag : at,
			*at == '$' ? strlen(etag) : 1);
	bytes_add(&request, "\r\n\r\n", *fields != '\0' ? 4 : 2);
	site.store.eager = site.store.eager || !walk;
	begin_asking(&asking, request.data);
	answer = end_asking(&asking);
	for (int i = 0; i < 2 && !walk; i++) {
		bytes_free(&answer);
		begin_asking(&asking, request.data);
		answer = end_asking(&asking);
	}
	if (!walk)
		rt_store_free(&site.store);
	bytes_free(&request);
	return answer;
}

struct bytes
ask(const char *method, const char *target)
{
	return ask_with(method, target, "");
}

const char *
body_of(const struct bytes *answer)
{
	const char *end = strstr(answer->data, "\r\n\r\n");

	ck_assert_msg(end != NULL, "no end of the head: %s",
		shown(answer->data, answer->size));
	return end + 4;
}

void
expect_body(const struct bytes *answer, const void *expected, size_t size)
{
	const char *body = body_of(answer);

	assert_bytes(body, answer->size - (size_t)(body - answer->data),
		expected, size);
}

size_t
find_field(const struct bytes *answer, const char *name, size_t size,
	const char **value)
{
	const char *end = body_of(answer) - 2;
	const char *line = strstr(answer->data, "\r\n") + 2;
	size_t found = 0;

	for (; line < end; line = strstr(line, "\r\n") + 2) {
		if (strncmp(line, name, size) != 0 ||
			strncmp(line + size, ": ", 2) != 0)
			continue;
		*value = line + size + 2;
		found++;
	}
	return found;
}

void
expect_field(const struct bytes *answer, const char *name, const char *value)
{
	const char *at = "";
	size_t found = find_field(answer, name, strlen(name), &at);

	ck_assert_msg(found == (value != NULL), "%s is there %zu times in: %s",
		name, found, shown(answer->data, answer->size));
	if (value != NULL)
		assert_bytes(at, strcspn(at, "\r"), value, strlen(value));
}

void
expect_length(const struct bytes *answer, size_t size)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%zu", size);
	expect_field(answer, "Content-Length", text);
}

void
expect_length_of_body(const struct bytes *answer)
{
	expect_length(answer,
		answer->size - (size_t)(body_of(answer) - answer->data));
}

void
expect_fields(const struct bytes *answer, const char *names)
{
	const char *end = body_of(answer) - 2;
	const char *line = strstr(answer->data, "\r\n") + 2, *value;
	size_t expected = 0, lines = 0, size, found;

	for (; line < end; line = strstr(line, "\r\n") + 2)
		lines++;
	for (; *names != '\0'; names += size) {
		names += strspn(names, " ");
		size = strcspn(names, " ");
		found = find_field(answer, names, size, &value);
		ck_assert_msg(found == 1, "expected one %.*s, got %zu in: %s",
			(int)size, names, found,
			shown(answer->data, answer->size));
		expected++;
	}
	ck_assert_msg(lines == expected, "expected %zu fields, got %zu in: %s",
		expected, lines, shown(answer->data, answer->size));
}

void
expect_same_head(const struct bytes *head, const struct bytes *get)
{
	assert_bytes(head->data, head->size, get->data,
		(size_t)(body_of(get) - get->data));
}

struct bytes
ask_status_with(const char *method, const char *target, const char *fields,
	int status)
{
	struct bytes answer = ask_with(method, target, fields);
	char line[32];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	ck_assert_msg(strncmp(answer.data, line, strlen(line)) == 0,
		"%s %s with %s: expected %d, got: %s", method,
		shown(target, strlen(target)), fields, status,
		shown(answer.data, answer.size));
	expect_field(&answer, "Date", DATE);
	expect_field(&answer, "Connection", "close");
	return answer;
}

struct bytes
ask_status(const char *method, const char *target, int status)
{
	return ask_status_with(method, target, "", status);
}

void
expect_status(const char *method, const char *target, int status)
{
	struct bytes answer = ask_status(method, target, status);

	bytes_free(&answer);
}

void
expect_file(const char *target, const char *content)
{
	struct bytes answer = ask_status("GET", target, 200);

	expect_length(&answer, strlen(content));
	expect_body(&answer, content, strlen(content));
	bytes_free(&answer);
}

void
expect_error(const char *method, const char *target, int status)
{
	struct bytes answer = ask_status(method, target, status);
	const char *body = body_of(&answer);
	char line[32];

	expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
	expect_length(&answer, answer.size - (size_t)(body - answer.data));
	(void)snprintf(line, sizeof line, "%d ", status);
	ck_assert_msg(strncmp(body, line, strlen(line)) == 0,
		"expected a body of \"%s...\": %s", line,
		shown(body, strlen(body)));
	ck_assert(answer.data[answer.size - 1] == '\n');
	bytes_free(&answer);
}

char *
path_in(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

void
set_time(const char *name, time_t seconds, long ns)
{
	const struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = ns},
		{.tv_sec = seconds, .tv_nsec = ns}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path_in(name), times, 0), 0);
}

char *
make_sized(const char *name, size_t size)
{
	char *data = malloc(size + 1);

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 13 + i / 257);
	dir_write(folder, name, data, size);
	return data;
}

void
open_dated_folder(void)
{
	open_folder();
	set_time("a.txt", MODIFIED, 0);
	take_etag("a.txt");
}

void
value_of(const struct bytes *answer, const char *name, char value[256])
{
	const char *at = "";
	size_t size;

	ck_assert_msg(find_field(answer, name, strlen(name), &at) == 1,
		"expected one %s in: %s", name,
		shown(answer->data, answer->size));
	size = strcspn(at, "\r");
	ck_assert_uint_lt(size, 256);
	memcpy(value, at, size);
	value[size] = '\0';
}

void
open_digits(void)
{
	open_folder();
	dir_write(folder, "d.txt", DIGITS, 10);
	set_time("d.txt", MODIFIED, 0);
	take_etag("d.txt");
}

void
take(const char **at, const struct bytes *answer, const char *text)
{
	size_t left = (size_t)(answer->data + answer->size - *at);

	ck_assert_msg(left >= strlen(text) &&
			memcmp(*at, text, strlen(text)) == 0,
		"expected \"%s\" at %td of: %s", shown(text, strlen(text)),
		*at - answer->data, shown(answer->data, answer->size));
	*at += strlen(text);
}

const char *
take_part(const char **at, const struct bytes *answer, const char *range,
	const char *type, const char *data, size_t size)
{
	char text[256], *end;
	size_t first = strtoul(range, &end, 10);
	size_t last = strtoul(end + 1, &end, 10);

	(void)snprintf(text, sizeof text,
		"\r\nContent-Type: %s\r\nContent-Range: bytes %zu-%zu/%zu"
		"\r\n\r\n",
		type, first, last, size);
	take(at, answer, text);
	ck_assert_int_ge(answer->data + answer->size - *at,
		(ptrdiff_t)(last - first + 1));
	assert_bytes(*at, last - first + 1, data + first, last - first + 1);
	*at += last - first + 1;
	return end;
}

void
expect_parts(const struct bytes *answer, const char *expected, const char *type,
	const char *data, size_t size)
{
	static const char before[] = "multipart/byteranges; boundary=";
	char value[256], delimiter[256];
	const char *at = body_of(answer), *boundary = value + sizeof before - 1;
	size_t length;

	expect_length_of_body(answer);
	expect_field(answer, "Content-Range", NULL);
	value_of(answer, "Content-Type", value);
	ck_assert_msg(strncmp(value, before, sizeof before - 1) == 0,
		"expected \"%s\" first: %s", before, value);
	length = strspn(boundary, "abcdefghijklmnopqrstuvwxyz0123456789-");
	ck_assert_msg(length > 0 && length <= 70 && boundary[length] == '\0',
		"expected a boundary: %s", boundary);
	(void)snprintf(delimiter, sizeof delimiter, "\r\n--%s", boundary);
	for (;;) {
		take(&at, answer, delimiter);
		if (*expected == '\0')
			break;
		expected = take_part(&at, answer, expected, type, data, size);
		expected += *expected == ',';
	}
	take(&at, answer, "--\r\n");
	ck_assert_msg(at == answer->data + answer->size,
		"%td bytes after the last delimiter of: %s",
		answer->data + answer->size - at,
		shown(answer->data, answer->size));
}

void
open_codings(void)
{
	static const char *const suffixes[] = {"", ".br", ".zst", ".gz"};

	open_folder();
	site.precompressed = true;
	dir_write(folder, "a.txt", PLAIN, strlen(PLAIN));
	dir_write(folder, "a.txt.br", "brotli", 6);
	dir_write(folder, "a.txt.zst", "zstandard", 9);
	dir_write(folder, "a.txt.gz", "gzip", 4);
	for (int i = 0; i < COUNT(suffixes); i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "a.txt%s", suffixes[i]);
		set_time(name, MODIFIED, 5);
	}
}

void
add(Suite *suite, const char *name, const TTest *const *tests)
{
	static char names[32][32]; /* a case only points to its name */
	static size_t count;

	for (int i = 0; i < 2; i++) {
		TCase *tcase;

		if (count == sizeof names / sizeof *names)
			abort();
		(void)snprintf(names[count], sizeof *names, "%s%s", name,
			i == 0 ? "" : " by walk");
		tcase = tcase_create(names[count++]);
		tcase_add_checked_fixture(tcase, i == 0 ? by_openat2 : by_walk,
			NULL);
		for (const TTest *const *test = tests; *test != NULL; test++)
			tcase_add_test(tcase, *test);
		rt_test_case(suite, tcase);
	}
}
