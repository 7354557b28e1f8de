/* SPDX-License-Identifier: MIT */
/*
 * Fields of every reply whose head the server makes: whatever it is about, and
 * unless it says otherwise itself.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char *dir;

static void
open_fields(int i)
{
	dir = dir_make();
	dir_write(dir, "f.txt", "text", 4);
	dir_write(dir, "sub/f.txt", "text", 4);
	open_with((struct retort_options){.hosts = "a",
			  .max_body = 8,
			  .max_target = 64,
			  .fields = "Access-Control-Allow-Origin: *\n"
				    "X-Two: 1\r\nx-two: 2",
			  .omit = "date"},
		i);
	ck_assert_msg(set_files(dir, &(struct retort_files){0}) == 0, "%s",
		error);
}

static int
fails(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	return -1;
}

#define HOST " HTTP/1.1\r\nHost: a\r\n"

static const struct {
	const char *request;
	const char *status;
} everything[] = {
	{"GET /f.txt" HOST "\r\n", "200"},
	{"GET /f.txt" HOST "Range: bytes=1-2\r\n\r\n", "206"},
	{"GET /f.txt" HOST "Range: bytes=9-\r\n\r\n", "416"},
	{"GET /f.txt" HOST "If-None-Match: *\r\n\r\n", "304"},
	{"GET /f.txt" HOST "If-Match: \"x\"\r\n\r\n", "412"},
	{"OPTIONS /f.txt" HOST "\r\n", "204"},
	{"GET /sub" HOST "\r\n", "301"},
	{"GET /sub/" HOST "\r\n", "200"},
	{"GET /missing" HOST "\r\n", "404"},
	{"POST /f.txt" HOST "\r\n", "405"},
	{"BREW /f.txt" HOST "\r\n", "501"},
	{"GET /f.txt HTTP/1.1\r\nHost: b\r\n\r\n", "421"},
	{"GET /f.txt HTTP/1.1\r\n\r\n", "400"},
	{"GET  /f.txt" HOST "\r\n", "400"},
	{"GET /f.txt" HOST "Content-Length: 9\r\n\r\n", "413"},
	{"PUT /r" HOST "Expect: it\r\n\r\n", "417"},
	{"GET /f.txt HTTP/2.0\r\n\r\n", "505"},
	{"PUT /r" HOST "\r\n", "201"},
	{"PUT /fails" HOST "\r\n", "500"},
	{"PUT /spoilt" HOST "\r\n", "503"},
	{"PUT /echo HTTP/1.0\r\nHost: a\r\n\r\n", "200"},
};

static void
expect_everything(const char *request, const char *status)
{
	struct bytes got = exchange(request);
	char begin[32];

	(void)snprintf(begin, sizeof begin, "HTTP/1.1 %s ", status);
	assert_begins(got, begin);
	assert_has(got, "\r\nAccess-Control-Allow-Origin: *\r\n");
	assert_has(got, "\r\nX-Two: 1\r\nx-two: 2\r\n");
	assert_lacks(got, "\r\nDate: ");
	bytes_free(&got);
}

START_TEST(are_in_every_head)
{
	open_fields(_i);
	/* a 405 needs that there are no rules */
	for (size_t i = 0; i < 17; i++)
		expect_everything(everything[i].request, everything[i].status);
	ON("PUT /r", .status = 201);
	ON("PUT /fails", .handler = fails);
	ON("PUT /spoilt", .faults = "status 503");
	ON("PUT /echo", .echo = true);
	ON("/r*", .files = true);
	for (size_t i = 0; i < sizeof everything / sizeof *everything; i++)
		expect_everything(everything[i].request, everything[i].status);
	close_server();
	dir_remove(dir);
}
END_TEST

START_TEST(give_way_to_the_reply)
{
	struct bytes got;

	open_fields(_i);
	ON("/own", .fields = "X-TWO: 3\nDate: now", .body = "b");
	ON("/omits", .omit = "x-two", .body = "b");
	ON("/raw", .raw = true, .body = "HTTP/1.1 200 OK\r\n\r\n");
	got = exchange("GET /own" HOST "\r\n");
	assert_has(got,
		"\r\nX-TWO: 3\r\nDate: now\r\n"
		"Access-Control-Allow-Origin: *\r\n"
		"Connection: close\r\n\r\nb");
	assert_lacks(got, "x-two: 2");
	bytes_free(&got);
	got = exchange("GET /omits" HOST "\r\n");
	assert_has(got, "\r\nAccess-Control-Allow-Origin: *\r\n");
	assert_lacks(got, "Two");
	bytes_free(&got);
	got = exchange("GET /raw" HOST "\r\n");
	ck_assert_str_eq(got.data, "HTTP/1.1 200 OK\r\n\r\n");
	bytes_free(&got);
	close_server();
	dir_remove(dir);
}
END_TEST

/* They are validators like any others, and count for faults. */
START_TEST(are_meant)
{
	dir = dir_make();
	dir_write(dir, "f.txt", "text", 4);
	open_with((struct retort_options){.fields = "ETag: \"mine\"\n"
						    "Content-Length: 3",
			  .omit = "Date\nConnection"},
		_i);
	ck_assert_int_eq(set_files(dir, NULL), 0);
	expect_begin("GET /f.txt" HOST "If-None-Match: \"mine\"\r\n\r\n",
		"HTTP/1.1 304 ");
	ON("/cut", .faults = "cut 53", .body = "1234");
	ck_assert_int_lt(retort_on(server, "/cut", .faults = "cut 90"), 0);
	expect_begin("GET /cut" HOST "\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=ut");
	close_server();
	dir_remove(dir);
}
END_TEST

/* --- cors --- */

#define PREFLIGHT "OPTIONS /p" HOST "Access-Control-Request-Method: PUT\r\n\r\n"

/* What `fields` and `omit` name comes from there, and nothing comes twice. */
START_TEST(make_way_for_others)
{
	struct bytes got;

	open_with((struct retort_options){.cors = true,
			  .fields = "access-control-allow-origin: http://y",
			  .omit = "Access-Control-Allow-methods"},
		_i);
	got = exchange("GET /" HOST "\r\n");
	assert_begins(got, "HTTP/1.1 501 ");
	assert_has(got,
		"\r\naccess-control-allow-origin: http://y\r\n"
		"Access-Control-Allow-Headers: *\r\n");
	assert_lacks(got, "Access-Control-Allow-Origin");
	assert_lacks(got, "ethods: ");
	bytes_free(&got);
	close_server();
}
END_TEST

/* Only those that no rule is for, and only with the option. */
START_TEST(let_preflights_pass)
{
	struct bytes got;

	open_with((struct retort_options){.cors = true}, _i);
	got = exchange(PREFLIGHT);
	assert_begins(got, "HTTP/1.1 204 ");
	assert_has(got,
		"\r\nAccess-Control-Allow-Origin: *\r\n"
		"Access-Control-Allow-Methods: *\r\n"
		"Access-Control-Allow-Headers: *\r\n");
	bytes_free(&got);
	ck_assert_int_eq(retort_answer(server, .status = 401), 0);
	expect_begin(PREFLIGHT, "HTTP/1.1 204 ");
	expect_begin("OPTIONS /p" HOST "\r\n", "HTTP/1.1 401 ");
	ck_assert_str_eq(retort_verdict(server), "");
	ON("OPTIONS", .status = 299);
	expect_begin(PREFLIGHT, "HTTP/1.1 299 ");
	retort_reset(server, RETORT_TEST);
	expect_begin(PREFLIGHT, "HTTP/1.1 204 ");
	close_server();
	open_with((struct retort_options){0}, _i);
	expect_begin(PREFLIGHT, "HTTP/1.1 501 ");
	close_server();
}
END_TEST

static const struct {
	struct retort_options options;
	const char *error;
} wrong[] = {
	{{.fields = "x"}, "fields: 'x': expected 'Name: value'"},
	{{.fields = "a: b\nc d: e"}, "fields: 'c d: e': "},
	{{.omit = "a: b"}, "omit: 'a: b': "},
	{{.protocol = RETORT_TCP, .fields = "a: b"},
		"fields: only a reply of HTTP has it"},
	{{.protocol = RETORT_TCP, .cors = true},
		"cors: only a reply of HTTP has it"},
	{{.protocol = RETORT_UDP, .omit = "a"},
		"omit: only a reply of HTTP has it"},
};

START_TEST(are_checked)
{
	ck_assert_ptr_null(try_open_with(wrong[_i].options, 0));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_msg(strncmp(error, wrong[_i].error,
			      strlen(wrong[_i].error)) == 0,
		"expected \"%s\", got \"%s\"", wrong[_i].error, error);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("always");
	TCase *tcase = tcase_create("fields");

	rt_test_loop(tcase, are_in_every_head, 0, BASIC_WAYS);
	rt_test_loop(tcase, give_way_to_the_reply, 0, BASIC_WAYS);
	rt_test_loop(tcase, are_meant, 0, BASIC_WAYS);
	rt_test_loop(tcase, make_way_for_others, 0, BASIC_WAYS);
	rt_test_loop(tcase, let_preflights_pass, 0, BASIC_WAYS);
	tcase_add_loop_test(tcase, are_checked, 0,
		(int)(sizeof wrong / sizeof *wrong));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
