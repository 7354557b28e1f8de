/* SPDX-License-Identifier: MIT */
/* The command: log. */
#include "config.h"

#include "command/commanding.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- the log --- */

/* Everything on stderr after one request and the end. */
static struct bytes
logged(const char *option, const char *request, size_t size)
{
	struct child child = START(option, "--body", "x", "--no-sandbox");
	struct bytes errors = {.data = NULL}, reply = {.data = NULL};
	int fd = client_connect(child.url[0]);

	ck_assert(client_send(fd, request, size));
	(void)client_receive(fd, &reply);
	bytes_free(&reply);
	(void)close(fd);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	return errors;
}

START_TEST(test_log_formats)
{
	static const struct {
		const char *option, *shape;
	} cases[] = {
		{"--log=short",
			"99:99:99.999 #1 127.0.0.1:~ "
			"\"GET /\\\"\\\\ HTTP/1.1\" 200 ~ ~.999 ms\n"},
		{"RETORT_IO=best",
			"99:99:99.999 #1 127.0.0.1:~ "
			"\"GET /\\\"\\\\ HTTP/1.1\" 200 ~ ~.999 ms\n"},
		{"--log=json",
			"{\"time\":\"9999-99-99T99:99:99.999Z\","
			"\"connection\":1,\"client\":\"127.0.0.1:~\","
			"\"request\":\"GET /\\\"\\\\ HTTP/1.1\","
			"\"status\":200,\"received\":~,\"sent\":~,"
			"\"ms\":~.999,\"end\":\"answered\"}\n"},
		{"--log=none", ""},
		{"-q", ""},
	};
	static const char request[] = "GET /\"\\" END;
	static const char named[] =
		"GET / HTTP/1.1\r\nHost: a\r\nreferer: b\r\n"
		"User-Agent: c d\r\n\r\n";
	struct bytes errors;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		errors = logged(cases[i].option, request, strlen(request));
		ck_assert_msg(is_like(errors.data, cases[i].shape),
			"expected %s\n# got %s", cases[i].shape,
			shown(errors.data, errors.size));
		bytes_free(&errors);
	}
	errors = logged("--log=common", GET, strlen(GET));
	assert_begins(errors, "127.0.0.1 - - [");
	assert_has(errors, "] \"GET / HTTP/1.1\" 200 1\n");
	bytes_free(&errors);
	errors = logged("--log=combined", named, strlen(named));
	assert_has(errors, "] \"GET / HTTP/1.1\" 200 1 \"b\" \"c d\"\n");
	bytes_free(&errors);
	errors = logged("--log=json", named, strlen(named));
	assert_has(errors, ",\"referer\":\"b\",\"user_agent\":\"c d\"}\n");
	bytes_free(&errors);
}
END_TEST

/* Nothing in a request forges a line or drives a terminal. */
START_TEST(test_log_escapes)
{
	static const char *const options[] = {"--log=short", "--log=common",
		"--log=json", "-v", "-vv"};
	static const char hostile[] =
		"GET /\x1b[2J\r\0\xff HTTP/1.1\r\n" HOST
		"A: \x1b]0;\r\x7f\0\x9b\t\\x\r\n\r\nbody\x1b";

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct bytes errors =
			logged(options[i], hostile, sizeof hostile - 1);

		for (size_t k = 0; k < errors.size; k++)
			ck_assert_msg(errors.data[k] == '\n' ||
					(errors.data[k] >= ' ' &&
						errors.data[k] <= '~'),
				"%s: byte %zu of: %s", options[i], k,
				shown(errors.data, errors.size));
		if (i < 3)
			ck_assert_int_eq(count_lines(&errors), 1);
		bytes_free(&errors);
	}
}
END_TEST

START_TEST(test_verbose)
{
	static const char request[] =
		"POST /a HTTP/1.1\r\n" HOST
		"A: \\\x80\t\r\nContent-Length: 9\r\n\r\n1\n\0\x1b\r2\n34";
	static const char head[] =
		"> POST /a HTTP/1.1\n"
		"> Host: localhost\n> A: \\\\\\x80\\t\n> Content-Length: 9\n"
		"> \n";
	static const char body[] = "> 1\n> \\x00\\x1b\\r2\n> 34\n";
	struct bytes errors = logged("-v", request, sizeof request - 1);

	assert_begins(errors, head);
	ck_assert_int_eq(count_lines(&errors), 6);
	assert_lacks(errors, "x1b");
	bytes_free(&errors);
	errors = logged("-vv", request, sizeof request - 1);
	assert_begins(errors, head);
	assert_has(errors, body);
	ck_assert_int_eq(count_lines(&errors), 9);
	bytes_free(&errors);
}
END_TEST

/* Whatever a line begins with comes from the command. */
START_TEST(test_verbose_forgery)
{
	static const char request[] =
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 40\r\n\r\n"
		"retort: forged\n12:34:56.789 127.0.0.1:1\n";
	struct bytes errors = logged("-vv", request, sizeof request - 1);

	assert_has(errors, "\n> retort: forged\n> 12:34:56.789 ");
	bytes_free(&errors);
}
END_TEST

/* A connection that ends without one byte is logged only with -v. */
START_TEST(test_log_empty)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		char *dir = dir_make(), spec[4200];
		const char *const args[] = {"-b", spec, "--body", "x",
			"--no-sandbox", verbose ? "-v" : "RETORT_IO=best",
			NULL};
		struct bytes reply, errors = {.data = NULL};
		struct child child;

		(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
		child = child_start(args, 1);
		(void)close(client_connect(spec));
		reply = client_exchange(spec, GET);
		bytes_free(&reply);
		ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
		ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
		/* with -v, the three lines of the head are there as well */
		ck_assert_msg(count_lines(&errors) == (verbose ? 5 : 1),
			"got: %s", shown(errors.data, errors.size));
		if (verbose)
			assert_has(errors, "(closed)");
		bytes_free(&errors);
		dir_remove(dir);
	}
}
END_TEST

/* A long request is cut: no line is longer than PIPE_BUF. */
START_TEST(test_log_long)
{
	static const char *const options[] = {"--log=short", "--log=common",
		"--log=json", "-v"};
	char request[9000];

	memset(request, '\x1b', 8000);
	memcpy(request, "GET /", 5);
	memcpy(request + 8000, END, sizeof END);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct bytes errors =
			logged(options[i], request, strlen(request));
		size_t size;

		for (const char *at = errors.data; *at; at += size) {
			size = strcspn(at, "\n") + 1;
			ck_assert_uint_le(size, 4096);
		}
		bytes_free(&errors);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase;

	tcase = tcase_create("log");
	tcase_add_test(tcase, test_log_formats);
	tcase_add_test(tcase, test_log_escapes);
	tcase_add_test(tcase, test_verbose);
	tcase_add_test(tcase, test_verbose_forgery);
	tcase_add_test(tcase, test_log_empty);
	tcase_add_test(tcase, test_log_long);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
