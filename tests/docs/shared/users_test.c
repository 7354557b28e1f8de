/* SPDX-License-Identifier: MIT */
/*
 * A C test of the client in tests/docs/embed/user.c: the server is in this process.
 * The argument is the scenario.
 */
#include <retort.h>
#include <stdio.h>
#include <string.h>

#include "../embed/user.h"

static int failed;

static void
equal(int expected, int got, const char *name)
{
	if (expected == got)
		return;
	failed = 1;
	(void)printf("%s: expected %d, got %d\n", name, expected, got);
}

static void
run(const char *url)
{
	struct user user = {.id = 0};

	equal(USER_OK, (int)fetch_user(url, 1, &user), "fetches");
	equal(0, strcmp(user.name, "Ada"), "fetches Ada");
	equal(USER_BROKEN, (int)fetch_user(url, 2, &user),
		"sees a reply that is cut off by a reset");
	equal(USER_BROKEN, (int)fetch_user(url, 3, &user),
		"sees a reply that ends too early");
	equal(USER_OK, (int)fetch_user(url, 4, &user), "puts bytes together");
	equal(0, strcmp(user.name, "Barbara"), "fetches Barbara");
	equal(USER_OK, (int)create_user(url, "Bob", &user), "tries again");
	equal(7, (int)user.id, "creates 7");
}

int
main(int argc, char **argv)
{
	char error[RETORT_ERROR_SIZE];
	struct retort *server = retort_start(.error = error);
	const char *verdict;

	if (server == NULL || argc != 2 ||
		retort_load(server, argv[1], .error = error) < 0) {
		(void)puts(argc == 2 ? error : "usage: users_test SCENARIO");
		retort_close(server);
		return 2;
	}
	run(retort_url(server));
	verdict = retort_verdict(server);
	(void)fputs(verdict, stdout);
	failed |= *verdict != '\0';
	retort_close(server);
	return failed;
}
