/* SPDX-License-Identifier: MIT */
/* user.c tested with Check: a server for each test. */
#include <check.h>
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>

#include "user.h"

static struct retort *server;
static struct user user;

static void
setup(void)
{
	char error[RETORT_ERROR_SIZE];

	server = retort_start(.error = error);
	ck_assert_msg(server != NULL, "%s", error);
}

static void
teardown(void)
{
	retort_close(server);
}

/* Before what the client says is looked at: the verdict tells why. (After a
   failed assertion Check does not come to the teardown.) */
static void
assert_expected(void)
{
	const char *verdict = retort_verdict(server);

	if (*verdict != '\0') {
		/* longer than a message of Check can be */
		fputs(verdict, stderr);
		ck_abort_msg("not as expected");
	}
}

START_TEST(fetches)
{
	retort_on(server, "GET /users/1", .type = "application/json",
		.body = "{\"id\":1,\"name\":\"Ada\"}");
	retort_expect(server, "GET /users/1", .times = 1);

	fetch_user(retort_url(server), 1, &user);
	assert_expected();
	ck_assert_str_eq(user.name, "Ada");
}
END_TEST

START_TEST(tries_again)
{
	const struct retort_exchange *first, *second;

	retort_on(server, "POST /users", .status = 503, .times = 1,
		.fields = "Retry-After: 1");
	retort_on(server, "POST /users", .status = 201,
		.body = "{\"id\":7,\"name\":\"Bob\"}");
	retort_expect(server, "POST /users", .times = 2,
		.if_body = "{\"name\":\"Bob\"}",
		.if_field = "Content-Type: application/json");

	create_user(retort_url(server), "Bob", &user);
	assert_expected();
	ck_assert_int_eq(user.id, 7);
	first = retort_record(server, 1);
	second = retort_record(server, 2);
	ck_assert(first != NULL && second != NULL);
	ck_assert_int_eq(first->status, 503);
	ck_assert_int_eq(second->status, 201);
	/* after the second that the reply asked for, or nearly so: the clock
	   may be adjusted meanwhile */
	ck_assert_int_ge(second->began - first->began, 900000000);
}
END_TEST

START_TEST(sees_a_reply_that_is_cut_off)
{
	enum user_error error;

	retort_on(server, "GET /users/1", .fields = "Content-Length: 100",
		.body = "{\"id\":1,");

	error = fetch_user(retort_url(server), 1, &user);
	assert_expected();
	ck_assert_int_eq(error, USER_BROKEN);
}
END_TEST

START_TEST(sees_a_refused_connection)
{
	ck_assert_int_eq(retort_refuse(server, true), 0);
	ck_assert_int_eq(fetch_user(retort_url(server), 1, &user),
		USER_UNREACHABLE);
	ck_assert_uint_eq(retort_stats(server).accepted, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("user");
	TCase *test = tcase_create("user");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, teardown);
	tcase_add_test(test, fetches);
	tcase_add_test(test, tries_again);
	tcase_add_test(test, sees_a_reply_that_is_cut_off);
	tcase_add_test(test, sees_a_refused_connection);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
