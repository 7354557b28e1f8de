/* SPDX-License-Identifier: MIT */
/*
 * A scenario that is loaded again: its rules and expectations take the place of
 * the former ones, and go on counting, or all stays as it was.
 */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK(path) "GET " path HOST "\r\n"

static int
load(const char *text, bool again)
{
	return retort_load(server, .text = text, .name = "s.retort",
		.again = again, .error = error);
}

static const char first[] = "@on GET /a\n@times 2\n@fill\nHTTP/1.1 200 OK\n\n"
			    "one {count}\n@then\nHTTP/1.1 200 OK\n\nrest\n"
			    "@expect 9 GET /a\n";
static const char second[] = "# a line more\n@on GET /b\nHTTP/1.1 200 OK\n\nb\n"
			     "@on GET /a\n@times 2\n@fill\nHTTP/1.1 200 OK\n\n"
			     "two {count}\n@then\nHTTP/1.1 200 OK\n\nrest\n"
			     "@expect 3 GET /a\n";

START_TEST(replaces)
{
	open_plain(_i);
	ON("/own", .body = "own");
	ck_assert_int_eq(load(first, false), 0);
	ck_assert_int_eq(retort_load(server, .name = "t.retort",
				 .text = "@on GET /t\nHTTP/1.1 200 OK\n\nt\n"),
		0);
	expect_body(ASK("/a"), "one 1");
	ck_assert_int_eq(load(second, true), 0);
	/* it goes on counting */
	expect_body(ASK("/a"), "two 2");
	expect_body(ASK("/a"), "rest");
	expect_body(ASK("/b"), "b");
	/* the others have their rules */
	expect_body(ASK("/own"), "own");
	expect_body(ASK("/t"), "t");
	/* and of expectations only the new one counts */
	ck_assert_uint_eq(retort_stats(server).expectations, 1);
	assert_verdict(NULL);
	ck_assert_int_eq(load("", true), 0);
	expect_begin(ASK("/a"), "HTTP/1.1 501 ");
	expect_body(ASK("/t"), "t");
	close_server();
}
END_TEST

/* Rules before it went: its number is another one now, and its place. */
START_TEST(a_later_reply_finds_its_rule)
{
	const struct retort_reply reply = {.fill = true,
		.body = "<{1} {count}>"};
	struct bytes got = {.data = NULL};
	uint64_t connection = 0;
	int fd;

	open_plain(_i);
	ck_assert_int_eq(load(first, false), 0);
	ON("/mine/*", .handler = later, .handler_arg = &connection);
	fd = connect_client();
	say(fd, ASK("/mine/x"));
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	ck_assert_int_eq(load("", true), 0);
	ck_assert_int_eq(reply_on(connection, &reply), 0);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	assert_has(got, "\r\n\r\n<x 1>");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(changes_nothing_if_it_is_wrong)
{
	static const char *const wrong[] = {"@on GET /a\n@tims 2\n@echo\n",
		"@on GET /a\n@echo\n@on GET /b\n@file /none/at/all\n"};

	open_plain(_i);
	ck_assert_int_eq(load(first, false), 0);
	expect_body(ASK("/a"), "one 1");
	for (int i = 0; i < COUNT(wrong); i++) {
		ck_assert_int_lt(load(wrong[i], true), 0);
		ck_assert_msg(strncmp(error, "s.retort:", 9) == 0, "%s", error);
	}
	expect_body(ASK("/a"), "one 2");
	expect_body(ASK("/a"), "rest");
	ck_assert_uint_eq(retort_stats(server).expectations, 1);
	close_server();
}
END_TEST

/* Of rules with the same conditions each has its own count. */
START_TEST(counts_by_rank)
{
	static const char text[] =
		"@on GET /a\n@times 1\nHTTP/1.1 200 OK\n\nlow\n"
		"@on GET /a\n@prefer 1\n@times 1\nHTTP/1.1 200 OK\n\nhigh\n";

	open_plain(_i);
	ck_assert_int_eq(load(text, false), 0);
	expect_body(ASK("/a"), "high");
	ck_assert_int_eq(load(text, true), 0);
	expect_body(ASK("/a"), "low");
	ck_assert_int_eq(load(text, true), 0);
	expect_begin(ASK("/a"), "HTTP/1.1 501 ");
	close_server();
}
END_TEST

/* However late they differ. */
START_TEST(counts_by_long_conditions)
{
	static const char rule[] = "@on GET /a\n@if-absent %0300d-%c\n"
				   "@times 1\nHTTP/1.1 200 OK\n\n%c\n";
	char text[1024];
	int size;

	open_plain(_i);
	size = snprintf(text, sizeof text, rule, 0, 'x', 'x');
	(void)snprintf(text + size, sizeof text - (size_t)size, rule, 0, 'y',
		'y');
	ck_assert_int_eq(load(text, false), 0);
	expect_body(ASK("/a"), "x");
	/* of the first there is nothing left */
	ck_assert_int_eq(load(text + size, true), 0);
	expect_body(ASK("/a"), "y");
	close_server();
}
END_TEST

/* Before those that were given after it. */
START_TEST(keeps_its_place)
{
	static const char text[] = "@on GET /a\nHTTP/1.1 200 OK\n\nfile\n"
				   "@on GET /b\nHTTP/1.1 200 OK\n\nb\n";

	open_plain(_i);
	ON("/c", .body = "c");
	ck_assert_int_eq(load(text, false), 0);
	ON("/a", .body = "own");
	ON("/d", .body = "d");
	expect_body(ASK("/a"), "file");
	ck_assert_int_eq(load(text, true), 0);
	expect_body(ASK("/a"), "file");
	expect_body(ASK("/b"), "b");
	expect_body(ASK("/c"), "c");
	expect_body(ASK("/d"), "d");
	ck_assert_int_eq(load("", true), 0);
	expect_body(ASK("/a"), "own");
	close_server();
}
END_TEST

/* A server has 32 names of states, however often others were read. */
START_TEST(leaves_states)
{
	char text[400];

	open_plain(_i);
	for (int i = 0; i < 40; i++) {
		int size = snprintf(text, sizeof text,
			"@on GET /a\n@in name:kept\nHTTP/1.1 200 OK\n\nkept\n"
			"@on GET /a\n@then-in connection:c%d s%d:x name:kept\n"
			"HTTP/1.1 200 OK\n\nfirst\n",
			i, i);

		ck_assert_msg(load(text, true) == 0, "%d: %s", i, error);
		/* the server stays in those that it still has */
		expect_body(ASK("/a"), i == 0 ? "first" : "kept");
		ck_assert(retort_wait_end(server, NULL, 10000));
		(void)snprintf(text + size, sizeof text - (size_t)size,
			"@on GET /a\n@then-in connection:d%d t%d:x\n"
			"@file /none/at/all\n",
			i, i);
		ck_assert_int_lt(load(text, true), 0);
	}
	close_server();
}
END_TEST

/* Names that begin alike are of different files. */
START_TEST(knows_its_own)
{
	open_plain(_i);
	ck_assert_int_eq(retort_load(server, .name = "s.retort2",
				 .text = "@on GET /t\nHTTP/1.1 200 OK\n\nt\n"),
		0);
	/* nor one of the same name elsewhere, though both are shown without */
	ck_assert_int_eq(retort_load(server, .name = "a/s.retort",
				 .text = "@on GET /v\n@times 1\n"
					 "HTTP/1.1 200 OK\n\nv\n"),
		0);
	ck_assert_int_eq(load(first, true), 0);
	ck_assert_int_eq(load("@on GET /u\nHTTP/1.1 200 OK\n\nu\n", true), 0);
	expect_body(ASK("/t"), "t");
	expect_body(ASK("/u"), "u");
	expect_begin(ASK("/a"), "HTTP/1.1 501 ");
	expect_body(ASK("/v"), "v");
	expect_begin(ASK("/v"), "HTTP/1.1 501 ");
	assert_verdict(": s.retort:1 would, but was used up (1 of 1)");
	close_server();
}
END_TEST

/* The old rules or the new ones, never a part. */
START_TEST(without_memory)
{
	bool reached = true;

	open_plain(_i);
	for (size_t n = 1; reached; n++) {
		int code;

		retort_reset(server);
		ck_assert_int_eq(load(first, false), 0);
		expect_body(ASK("/a"), "one 1");
		allocations = 0;
		fail_at = n;
		inside++;
		code = load(second, true);
		inside--;
		reached = allocations >= n;
		fail_at = 0;
		ck_assert_msg(code == 0 || code == -ENOMEM, "%s", error);
		if (code == 0)
			expect_body(ASK("/b"), "b");
		else
			expect_body(ASK("/a"), "one 2");
	}
	close_server();
}
END_TEST

int
main(void)
{
	const TTest *const all[] = {replaces, a_later_reply_finds_its_rule,
		changes_nothing_if_it_is_wrong, counts_by_rank,
		counts_by_long_conditions, keeps_its_place, leaves_states,
		knows_its_own, NULL};
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("once");

	rt_test_cases(suite, "ways", all, 0, WAYS);
	tcase_add_loop_test(tcase, without_memory, STEPPED - 1, STEPPED);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
