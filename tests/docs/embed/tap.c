/* SPDX-License-Identifier: MIT */
/* user.c tested without a framework; it prints TAP. */
#include <retort.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user.h"

static struct retort *server;
static struct user user;
static int count, failed;

/* One test is over: what the client said, and what came to the server. */
static void
report(enum user_error expected, enum user_error got, const char *name)
{
	const char *verdict = retort_verdict(server);
	bool passed = got == expected && *verdict == '\0';
	size_t size;

	(void)printf("%sok %d - %s\n", passed ? "" : "not ", ++count, name);
	if (got != expected)
		(void)printf("# expected %d, got %d\n", expected, got);
	for (; *verdict != '\0'; verdict += size) {
		size = strcspn(verdict, "\n");
		(void)printf("# %.*s\n", (int)size, verdict);
		size += verdict[size] == '\n';
	}
	failed += !passed;
	retort_reset(server);
}

int
main(void)
{
	char error[RETORT_ERROR_SIZE];
	enum user_error result;
	const char *url;

	server = retort_start(.error = error);
	if (server == NULL) {
		(void)printf("Bail out! %s\n", error);
		return 1;
	}
	url = retort_url(server);
	(void)puts("1..4");

	retort_on(server, "GET /users/1",
		.body = "{\"id\":1,\"name\":\"Ada\"}");
	retort_expect(server, "GET /users/1", .times = 1);
	result = fetch_user(url, 1, &user);
	report(USER_OK, result, "fetches");

	retort_on(server, "POST /users", .status = 503, .times = 1);
	retort_on(server, "POST /users", .status = 201,
		.body = "{\"id\":7,\"name\":\"Bob\"}");
	retort_expect(server, "POST /users", .times = 2,
		.if_body_has = "\"Bob\"");
	result = create_user(url, "Bob", &user);
	report(USER_OK, result, "tries again");

	retort_on(server, "GET /users/1",
		.body = "{\"id\":", .fields = "Content-Length: 100");
	result = fetch_user(url, 1, &user);
	report(USER_BROKEN, result, "sees a reply that is cut off");

	retort_refuse(server, true);
	result = fetch_user(url, 1, &user);
	report(USER_UNREACHABLE, result, "sees a refused connection");

	retort_close(server);
	return failed > 0;
}
