/* SPDX-License-Identifier: MIT */
/*
 * Parts of the request in the reply, as a client sees them: in fields, bodies
 * and names of files; by rules, handlers and the reply to all others.
 */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON "application/json"

START_TEST(fields_and_body)
{
	struct bytes got;

	open_plain(_i);
	ON("POST /users/*/*", .fill = true, .type = JSON, .status = 201,
		.fields = "Location: /users/{2}\nX-Name: {query.name}",
		.body = "{\"id\":\"{1}\",\"name\":\"{query.name}\","
			"\"body\":\"{body}\",\"n\":[{count},{connection}]}");
	for (int i = 1; i <= 2; i++) {
		char body[200];

		got = exchange("POST /users/a%22b/c%20d?name=A+%22B%0d%0a" HOST
			       "Content-Length: 3\r\n\r\nx\ny");
		assert_begins(got, "HTTP/1.1 201 ");
		assert_has(got, "\r\nLocation: /users/c%20d\r\n");
		assert_has(got, "\r\nX-Name: A \"B  \r\n");
		(void)snprintf(body, sizeof body,
			"\r\n\r\n{\"id\":\"a\\\"b\","
			"\"name\":\"A \\\"B\\u000d\\n\","
			"\"body\":\"x\\ny\",\"n\":[%d,%d]}",
			i, i);
		assert_has(got, body);
		bytes_free(&got);
	}
	close_server();
}
END_TEST

/* Without a rule, and to HEAD. */
START_TEST(answer_to_all)
{
	struct bytes got;

	open_plain(_i);
	ck_assert_int_eq(retort_answer(server, .fill = true,
				 .body = "{method} {path} {count}{{x}"),
		0);
	expect_body("GET /a%20b" HOST "\r\n", "GET /a b 1{x}");
	expect_body("PUT /c" HOST "Content-Length: 1\r\n\r\nx", "PUT /c 2{x}");
	got = exchange("HEAD /" HOST "\r\n");
	assert_has(got, "\r\nContent-Length: 11\r\n");
	assert_has(got, "\r\n\r\n");
	ck_assert_str_eq(strstr(got.data, "\r\n\r\n"), "\r\n\r\n");
	bytes_free(&got);
	/* braces are bytes unless they are to be filled in */
	ck_assert_int_eq(retort_answer(server, .body = "{path}"), 0);
	expect_body("GET /" HOST "\r\n", "{path}");
	close_server();
}
END_TEST

/* A part stays one, whatever its size is now. */
START_TEST(bodies_in_parts)
{
	struct bytes got;

	open_plain(_i);
	ON("/*", .fill = true, .chunked = true, .parts = "4 1, 2 0",
		.body = "<{1}>-{count}");
	got = exchange("GET /abc" HOST "\r\n");
	assert_has(got, "\r\n\r\n4\r\n<abc\r\n2\r\n>-\r\n1\r\n1\r\n0\r\n");
	bytes_free(&got);
	got = exchange("GET /" HOST "\r\n");
	assert_has(got, "\r\n\r\n1\r\n<\r\n2\r\n>-\r\n1\r\n2\r\n0\r\n");
	bytes_free(&got);
	close_server();
}
END_TEST

static int
fills(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	reply->fill = true;
	reply->body = arg;
	return 0;
}

START_TEST(handlers)
{
	static char right[] = "{1} {count}", wrong[] = "{what}";
	struct bytes got;

	open_plain(_i);
	ON("/right/*", .handler = fills, .handler_arg = right);
	ON("/wrong", .handler = fills, .handler_arg = wrong);
	expect_body("GET /right/a" HOST "\r\n", "a 1");
	got = exchange("GET /wrong" HOST "\r\n");
	assert_begins(got, "HTTP/1.1 500 ");
	assert_has(got, "'what': expected {path}");
	bytes_free(&got);
	close_server();
}
END_TEST

/* What is left of a reply that comes after its rule was forgotten. */
START_TEST(a_reset_keeps_the_request)
{
	const struct retort_reply reply = {.fill = true,
		.body = "<{path} {query.c} {1} {count}>"};
	struct bytes got = {.data = NULL};
	uint64_t connection = 0;
	int fd;

	open_plain(_i);
	ON("/a/*", .handler = later, .handler_arg = &connection);
	fd = connect_client();
	say(fd, "GET /a/b?c=d" HOST "\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	retort_reset(server);
	/* another one of the same number */
	ON("/*/*", .body = "x");
	ck_assert_int_eq(reply_on(connection, &reply), 0);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	assert_has(got, "\r\n\r\n</a/b d  0>");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* A pair of bytes of the request for each of the reply's, and too many. */
START_TEST(too_large)
{
	size_t size = 3u << 20;
	char *request = malloc(size + 200);
	struct bytes got;
	int head;

	ck_assert_ptr_nonnull(request);
	head = sprintf(request,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
		size);
	memset(request + head, 'x', size);
	open_plain(_i);
	ON("POST /", .fill = true, .body = "{body}", .times = 1);
	ON("POST /", .fill = true, .body = "{body}{body}");
	got = exchange_bytes(request, (size_t)head + size);
	assert_begins(got, "HTTP/1.1 200 ");
	ck_assert_uint_gt(got.size, size);
	bytes_free(&got);
	got = exchange_bytes(request, (size_t)head + size);
	assert_begins(got, "HTTP/1.1 500 ");
	assert_has(got, "it is too large, filled in");
	bytes_free(&got);
	assert_verdict("rule 2: the reply is too large, filled in");
	free(request);
	close_server();
}
END_TEST

/* --- files --- */

static void
put_file(const char *folder, const char *name, const char *text)
{
	char path[300];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static const struct {
	const char *path; /* beneath /files/ */
	const char *begin;
	const char *end;
} named[] = {
	{"a.json", "HTTP/1.1 200 ", "\r\n\r\n{\"a\":1}"},
	{"sub/b.txt", "HTTP/1.1 200 ", "\r\n\r\nb"},
	{"sub//b.txt", "HTTP/1.1 200 ", "\r\n\r\nb"},
	{"b%2Etxt", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"none", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"sub", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"", "HTTP/1.1 404 ", "404 Not Found\n"},
	/* nothing outside, and nothing hidden */
	{"../secret", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"%2e%2e%2fsecret", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"sub/../../secret", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"/etc/passwd", "HTTP/1.1 404 ", "404 Not Found\n"},
	{".hidden", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"sub/.hidden", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"out", "HTTP/1.1 403 ", "403 Forbidden\n"},
	{"a.json%00", "HTTP/1.1 404 ", "404 Not Found\n"},
	{"%252e%252e/secret", "HTTP/1.1 404 ", "404 Not Found\n"},
};

START_TEST(files)
{
	static const char *const made[] = {"files/a.json", "files/sub/b.txt",
		"files/.hidden", "files/sub/.hidden", "files/out", "secret",
		"files/sub", "files", ""};
	char folder[] = "/tmp/retort-fill-XXXXXX", path[300], request[300];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/files", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/files/sub", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	put_file(folder, "files/a.json", "{\"a\":1}");
	put_file(folder, "files/sub/b.txt", "b");
	put_file(folder, "files/.hidden", "no");
	put_file(folder, "files/sub/.hidden", "no");
	put_file(folder, "secret", "no");
	(void)snprintf(path, sizeof path, "%s/files/out", folder);
	ck_assert_int_eq(symlink("../secret", path), 0);
	open_plain(_i);
	(void)snprintf(path, sizeof path, "%s/files/{1}", folder);
	ON("/files/*", .fill = true, .file = path);
	for (int i = 0; i < COUNT(named); i++) {
		struct bytes got;

		(void)snprintf(request, sizeof request,
			"GET /files/%s" HOST "\r\n", named[i].path);
		got = exchange(request);
		ck_assert_msg(strncmp(got.data, named[i].begin,
				      strlen(named[i].begin)) == 0 &&
				got.size > strlen(named[i].end) &&
				strcmp(got.data + got.size -
						strlen(named[i].end),
					named[i].end) == 0,
			"%s: expected %s...%s, got %s", named[i].path,
			named[i].begin,
			shown(named[i].end, strlen(named[i].end)),
			shown(got.data, got.size));
		if (i == 0)
			assert_has(got, "\r\nContent-Type: " JSON "\r\n");
		bytes_free(&got);
	}
	/* a NUL does not leave out what follows it */
	(void)snprintf(path, sizeof path, "%s/files/{raw 1}.txt", folder);
	ON("/raw/*", .fill = true, .file = path);
	expect_begin("GET /raw/sub%2Fb" HOST "\r\n", "HTTP/1.1 200 ");
	expect_begin("GET /raw/a.json%00" HOST "\r\n", "HTTP/1.1 404 ");
	/* what is not there is no mistake of the test's */
	assert_verdict(NULL);
	close_server();
	for (int i = 0; i < COUNT(made); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, made[i]);
		ck_assert_int_eq(remove(path), 0);
	}
}
END_TEST

/* --- without HTTP --- */

START_TEST(pieces)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .accepted = true, .fill = true,
		.body = "220 {connection}\r\n");
	ON(NULL, .fill = true, .body = "{count}: {body}\r\n");
	fd = connect_client();
	ck_assert_int_eq(talk(fd, "hi", 2, &got, "1: hi\r\n"), 0);
	ck_assert_str_eq(got.data, "220 1\r\n1: hi\r\n");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- what can never be --- */

static const struct {
	struct retort_reply rule;
	const char *error;
} refused[] = {
	{{.body = "a {b}"},
		"body: 'b': expected {path}, {query.NAME} or the like; a brace is "
		"'{{'"},
	{{.fields = "A: {b}"},
		"fields: 'b': expected {path}, {query.NAME} or the like; a brace is "
		"'{{'"},
	{{.file = "a/{b}"},
		"file: 'b': expected {path}, {query.NAME} or the like; a brace is "
		"'{{'"},
	{{.body = "{path}", .parts = "3 1"},
		"body: 'pa': expected a '}' after it; a brace is '{{'"},
	{{.raw = true, .body = "x"}, "fill: not with .raw"},
	{{.repeat = 2, .body = "x"}, "fill: not with .repeat"},
	{{.request = "/*/a", .body = "{1}{2}"},
		"fill: '{2}': the path of the rule has 1 asterisk"},
	{{.request = "/a", .fields = "A: {1}"},
		"fill: '{1}': the path of the rule has 0 asterisks"},
	{{.body = "{9}"}, "fill: '{9}': the path of the rule has 0 asterisks"},
	{{.request = "/**********", .body = "{1}"},
		"fill: more than 9 asterisks in the path"},
	{{.files = true}, "files: not with .fill"},
};

START_TEST(mistakes)
{
	for (int i = 0; i < COUNT(refused); i++) {
		struct retort_reply rule = refused[i].rule;

		open_plain(STEPPED - 1);
		rule.fill = true;
		rule.error = error;
		ck_assert_int_eq(add_rule(rule), -EINVAL);
		ck_assert_str_eq(error, refused[i].error);
		close_server();
	}
}
END_TEST

int
main(void)
{
	const TTest *const all[] = {fields_and_body, answer_to_all,
		bodies_in_parts, handlers, files, NULL};
	Suite *suite = suite_create("fill");
	TCase *tcase = tcase_create("once");

	rt_test_cases(suite, "ways", all, 0, WAYS);
	rt_test_loop(tcase, a_reset_keeps_the_request, 0, WAYS);
	tcase_add_loop_test(tcase, too_large, 0, 1);
	tcase_add_loop_test(tcase, pieces, 0, BASIC_WAYS);
	tcase_add_test(tcase, mistakes);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
