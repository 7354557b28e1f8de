/* SPDX-License-Identifier: MIT */
/* user.c tested with cmocka: one server, emptied between the tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <retort.h>

#include "user.h"

static struct retort *server;
static struct user user;

static int
start(void **state)
{
	char error[RETORT_ERROR_SIZE];

	(void)state;
	server = retort_start(.error = error);
	if (server == NULL)
		print_error("%s\n", error);
	return server ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	retort_close(server);
	return 0;
}

/* After each test, whether it passed or not. */
static int
judge(void **state)
{
	const char *verdict = retort_verdict(server);
	int result = *verdict != '\0' ? -1 : 0;

	(void)state;
	/* of a longer text print_error() would show the beginning only */
	(void)fputs(verdict, stderr);
	retort_reset(server);
	return result;
}

static void
fetches(void **state)
{
	(void)state;
	retort_on(server, "GET /users/1", .type = "application/json",
		.body = "{\"id\":1,\"name\":\"Ada\"}");
	retort_expect(server, "GET /users/1", .times = 1,
		.if_absent = "Cookie");

	assert_int_equal(fetch_user(retort_url(server), 1, &user), USER_OK);
	assert_string_equal(user.name, "Ada");
}

static void
tries_again(void **state)
{
	const struct retort_exchange *record;

	(void)state;
	retort_on(server, "POST /users", .status = 503, .times = 2);
	retort_on(server, "POST /users", .status = 201,
		.body = "{\"id\":7,\"name\":\"Bob\"}");
	retort_expect(server, "POST /users", .times = 3);

	create_user(retort_url(server), "Bob", &user);
	assert_int_equal(user.id, 7);
	record =
		retort_wait(server, "POST /users", .times = 3, .timeout = 1000);
	assert_non_null(record);
	assert_string_equal(retort_field_of(record, "content-type", 0),
		"application/json");
	assert_string_equal(record->body, "{\"name\":\"Bob\"}");
}

static void
gives_up(void **state)
{
	(void)state;
	retort_on(server, "POST /users", .status = 503);
	retort_expect(server, "POST /users", .times = 3);

	assert_int_equal(create_user(retort_url(server), "Bob", &user),
		USER_REFUSED);
}

static void
sees_a_reply_that_is_no_http(void **state)
{
	(void)state;
	retort_on(server, "/users/1", .raw = true,
		.body = "220 smtp ready\r\n");

	assert_int_equal(fetch_user(retort_url(server), 1, &user), USER_BROKEN);
}

static void
sees_a_refused_connection(void **state)
{
	enum user_error error;

	(void)state;
	assert_int_equal(retort_refuse(server, true), 0);
	error = fetch_user(retort_url(server), 1, &user);
	assert_int_equal(retort_refuse(server, false), 0);
	assert_int_equal(error, USER_UNREACHABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(fetches, judge),
		cmocka_unit_test_teardown(tries_again, judge),
		cmocka_unit_test_teardown(gives_up, judge),
		cmocka_unit_test_teardown(sees_a_reply_that_is_no_http, judge),
		cmocka_unit_test_teardown(sees_a_refused_connection, judge),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
