/* SPDX-License-Identifier: MIT */
/*
 * A scenario together with options: those that are for all replies, and the
 * answer to requests that no rule fits.
 */
#include "config.h"

#include "support/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char *dir;

/* The command with a scenario of its own and these options. */
static struct child
start(const char *scenario, const char *options)
{
	char text[1024];

	dir = dir_make();
	dir_write(dir, "s.retort", scenario, strlen(scenario));
	(void)snprintf(text, sizeof text,
		"-p 0 -b 127.0.0.1 --log none %s --scenario %s/s.retort",
		options, dir);
	return child_start_text(text, 1);
}

/* Stops it; the exit status must be that, and what it tells in there. */
static void
stop(struct child *child, int status, const char *told)
{
	struct bytes errors = {.data = NULL};
	int got;

	bytes_add(&errors, "", 0);
	ck_assert_int_eq(kill(child->pid, SIGTERM), 0);
	got = child_end_with_errors(child, &errors);
	ck_assert_msg(got == status, "exit status %d: %s", got, errors.data);
	assert_has(errors, told);
	bytes_free(&errors);
	dir_remove(dir);
}

START_TEST(fields_are_in_all_replies)
{
	static const char *const requests[] = {"GET / HTTP/1.0\r\n\r\n",
		"GET /echo HTTP/1.0\r\n\r\n", "PUT /none HTTP/1.0\r\n\r\n",
		"GET / HTTP/3.0\r\n\r\n"};
	struct child child = start("@on /echo\n@echo\n"
				   "@on /\nHTTP/1.1 201 Made\n\nx\n"
				   "@on /own\nHTTP/1.1 200 OK\nX: own\n\nx\n",
		"-H X:all");
	struct bytes got;

	for (size_t i = 0; i < 4; i++) {
		got = client_exchange(child.url[0], requests[i]);
		assert_has(got, "\r\nX: all\r\n");
		bytes_free(&got);
	}
	got = client_exchange(child.url[0], "GET /own HTTP/1.0\r\n\r\n");
	assert_has(got, "\r\nX: own\r\n");
	assert_lacks(got, "X: all");
	bytes_free(&got);
	stop(&child, 0, "");
}
END_TEST

#define PLAIN(end) \
	"@on\n@if-body \"quiet" end "\"\n@raw \"\"\n" \
	"@on\n@if-body \"hello" end "\"\n@raw \"hi\"\n" \
	"@expect 1\n@if-body \"hello" end "\"\n"

START_TEST(pieces_that_no_rule_fits_end_the_connection)
{
	struct child child = start(PLAIN("\\n"), "--tcp --lines");
	struct bytes got = {.data = NULL};
	int fd = client_connect(child.url[0]);

	/* the answer to the second is not one to the first */
	ck_assert(client_send_text(fd, "quiet\nhello\n"));
	client_expect(fd, &got, "hi");
	ck_assert(client_send_text(fd, "other\n"));
	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_str_eq(got.data, "hi");
	bytes_free(&got);
	(void)close(fd);
	stop(&child, 4, "no rule fits \"other\\n\": body differs from ");
}
END_TEST

START_TEST(datagrams_that_no_rule_fits_are_told)
{
	struct child child = start(PLAIN(""), "--udp");
	struct bytes got = {.data = NULL};
	int fd = client_try(child.url[0], SOCK_DGRAM);

	ck_assert_int_ge(fd, 0);
	ck_assert(client_send_text(fd, "quiet"));
	ck_assert(client_send_text(fd, "other"));
	ck_assert(client_send_text(fd, "hello"));
	client_expect(fd, &got, "hi");
	bytes_free(&got);
	(void)close(fd);
	stop(&child, 4, "no rule fits \"other\": body differs from ");
}
END_TEST

START_TEST(an_answer_with_a_scenario_is_the_default)
{
	struct child child = start(PLAIN(""), "--tcp --body else");
	struct bytes got = {.data = NULL};
	int fd = client_connect(child.url[0]);

	ck_assert(client_send_text(fd, "other"));
	client_expect(fd, &got, "else");
	ck_assert(client_send_text(fd, "hello"));
	client_expect(fd, &got, "hi");
	bytes_free(&got);
	(void)close(fd);
	stop(&child, 0, "");
}
END_TEST

/* No bytes for a reply, and then the end. */
START_TEST(a_raw_reply_may_be_empty)
{
	struct child child = start("@on\n@raw \"\"\n@expect 1 /\n", "");
	struct bytes got =
		client_exchange(child.url[0], "GET / HTTP/1.0\r\n\r\n");

	ck_assert_uint_eq(got.size, 0);
	bytes_free(&got);
	stop(&child, 0, "");
}
END_TEST

/* A rule keeps the connection, whatever the server does with others. */
START_TEST(what_a_rule_keeps_has_the_time_of_the_options)
{
	struct child child =
		start("@on\n@next keep\n@raw \"one\"\n", "--timeout idle=50ms");
	struct bytes got;
	int64_t began = now_ms();

	/* that it ends is the point: nobody closes it but the server */
	got = client_exchange(child.url[0], "GET / HTTP/1.0\r\n\r\n");
	ck_assert_int_ge(now_ms() - began, 50);
	ck_assert_str_eq(got.data, "one");
	bytes_free(&got);
	stop(&child, 0, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("defaults");
	TCase *tcase = tcase_create("scenario");

	tcase_add_test(tcase, fields_are_in_all_replies);
	tcase_add_test(tcase, pieces_that_no_rule_fits_end_the_connection);
	tcase_add_test(tcase, datagrams_that_no_rule_fits_are_told);
	tcase_add_test(tcase, an_answer_with_a_scenario_is_the_default);
	tcase_add_test(tcase, a_raw_reply_may_be_empty);
	tcase_add_test(tcase, what_a_rule_keeps_has_the_time_of_the_options);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
