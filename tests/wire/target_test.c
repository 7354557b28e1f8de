/* SPDX-License-Identifier: MIT */
/*
 * Targets with bytes that should have been percent-encoded, such as those of
 * UTF-8: they mean themselves wherever a target is used, and drive nothing
 * where it is shown.
 */
#include "config.h"

#include "support/serving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UE "\xc3\xbc"

static char *dir;

static void
open_files(int i)
{
	dir = dir_make();
	dir_write(dir, UE ".txt", "text", 4);
	dir_write(dir, UE "/" UE ".txt", "deep", 4);
	dir_write(dir, "\xff", "none", 4);
	open_plain(i);
	ck_assert_msg(set_files(dir,
			      &(struct retort_files){.unlisted = true}) == 0,
		"%s", error);
}

static void
close_files(void)
{
	close_server();
	dir_remove(dir);
}

static const struct {
	const char *target;
	const char *begin;
	const char *has;
} files[] = {
	{"/" UE ".txt", "HTTP/1.1 200 OK\r\n", "\r\n\r\ntext"},
	{"/%C3%BC.txt?" UE, "HTTP/1.1 200 OK\r\n", "\r\n\r\ntext"},
	{"/" UE "/%c3%bc.txt", "HTTP/1.1 200 OK\r\n", "\r\n\r\ndeep"},
	{"/x/../" UE "/" UE ".txt", "HTTP/1.1 200 OK\r\n", "\r\n\r\ndeep"},
	{"/\xff", "HTTP/1.1 200 OK\r\n", "\r\n\r\nnone"},
	{"/\xc3", "HTTP/1.1 404 Not Found\r\n", ""},
	/* where it goes on is a URI */
	{"/" UE, "HTTP/1.1 301 ", "\r\nLocation: /%C3%BC/\r\n"},
	{"/" UE "?a=" UE "&b=%20\xff", "HTTP/1.1 301 ",
		"\r\nLocation: /%C3%BC/?a=%C3%BC&b=%20%FF\r\n"},
	{"/" UE "/\x7f", "HTTP/1.1 400 Bad Request\r\n", ""},
	{"/" UE "\x1b[m", "HTTP/1.1 400 Bad Request\r\n", ""},
};

START_TEST(names_files)
{
	open_files(_i);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char request[256];
		struct bytes got;

		(void)snprintf(request, sizeof request,
			"GET %s HTTP/1.1\r\nHost: a\r\n\r\n", files[i].target);
		got = exchange(request);
		assert_begins(got, files[i].begin);
		assert_has(got, files[i].has);
		bytes_free(&got);
	}
	close_files();
}
END_TEST

START_TEST(is_recorded_and_shown)
{
	const struct retort_exchange *seen;
	static const char request[] =
		"GET /" UE "/%C3%BC?q=" UE "\xc2\x9b HTTP/1.0\r\n\r\n";
	struct bytes got;
	char line[4096], *transcript;

	open_plain(_i);
	ON("GET", .echo = true);
	got = exchange(request);
	assert_has(got, request);
	bytes_free(&got);
	seen = ended(1);
	ck_assert_str_eq(seen->target, "/" UE "/%C3%BC?q=" UE "\xc2\x9b");
	ck_assert_str_eq(seen->path, "/" UE "/" UE);
	ck_assert_str_eq(seen->query, "q=" UE "\xc2\x9b");
	(void)retort_log_line(seen, RETORT_LOG_SHORT, line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line,
		" \"GET /\\xc3\\xbc/%C3%BC?q=\\xc3\\xbc\\xc2\\x9b HTTP/1.0\" "));
	(void)retort_log_line(seen, RETORT_LOG_JSON, line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line,
		"\"GET /\\u00c3\\u00bc/%C3%BC?q=\\u00c3\\u00bc\\u00c2\\u009b "
		"HTTP/1.0\""));
	transcript = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(strstr(transcript, "GET /\\xc3\\xbc/%C3%BC"));
	free(transcript);
	close_server();
}
END_TEST

#define TO(target) target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* As a proxy is asked: by an authority, or by a URL of any scheme. */
START_TEST(may_be_of_a_proxy)
{
	static const struct {
		const char *request;
		const char *reply;
	} rows[] = {
		/* RFC 9110 9.3.6: after it comes the tunnel */
		{TO("CONNECT a:443"),
			"HTTP/1.1 200 OK\r\n"
			"Connection: close\r\n\r\n"},
		{TO("CONNECT b:80"), "HTTP/1.1 407 "},
		{TO("GET ftp://a/b"), "HTTP/1.1 201 "},
		{TO("GET ftp://u:p@b:21/c;type=i"), "HTTP/1.1 202 "},
		{TO("GET http://a/b"), "HTTP/1.1 203 "},
		{TO("GET /b"), "HTTP/1.1 204 "},
	};
	struct bytes got;

	open_plain(_i);
	got = exchange(TO("CONNECT a:443"));
	assert_begins(got, "HTTP/1.1 501 ");
	bytes_free(&got);
	retort_reset(server);
	ON("CONNECT a:443", .omit = "Date");
	ON("CONNECT *:80", .status = 407);
	ON("ftp://a/*", .status = 201);
	ON("GET /c;type=i", .status = 202);
	ON("GET http://a/b", .status = 203);
	ON("GET /b", .status = 204);
	for (size_t i = 0; i < (size_t)COUNT(rows); i++)
		expect_begin(rows[i].request, rows[i].reply);
	ck_assert_str_eq(ended(1)->target, "a:443");
	ck_assert_ptr_null(ended(1)->path);
	ck_assert_str_eq(ended(4)->path, "/c;type=i");
	assert_verdict(NULL);
	/* a reply to all is one to these, too */
	retort_reset(server);
	ck_assert_int_eq(retort_answer(server, .status = 299), 0);
	expect_begin(TO("CONNECT a:443"), "HTTP/1.1 299 ");
	expect_begin(TO("GET ftp://a/"), "HTTP/1.1 299 ");
	close_server();
}
END_TEST

START_TEST(of_a_proxy_is_no_file)
{
	struct bytes got;

	open_files(_i);
	expect_begin(TO("CONNECT a:443"), "HTTP/1.1 405 ");
	got = exchange(TO("GET ftp://a/" UE ".txt"));
	assert_begins(got, "HTTP/1.1 400 ");
	assert_has(got, "only http:// and https:// are served");
	bytes_free(&got);
	ON("POST /", .body = "x");
	expect_begin(TO("CONNECT a:443"), "HTTP/1.1 405 ");
	got = exchange(TO("GET ftp://a/" UE ".txt"));
	assert_begins(got, "HTTP/1.1 400 ");
	assert_has(got, "only http:// and https:// are served");
	bytes_free(&got);
	close_files();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("target");
	TCase *tcase = tcase_create("raw");

	rt_test_loop(tcase, names_files, 0, BASIC_WAYS);
	rt_test_loop(tcase, may_be_of_a_proxy, 0, BASIC_WAYS);
	rt_test_loop(tcase, of_a_proxy_is_no_file, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_recorded_and_shown, 0, BASIC_WAYS);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
