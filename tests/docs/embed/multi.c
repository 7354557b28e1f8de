/* SPDX-License-Identifier: MIT */
/*
 * An event-driven client and its server in one thread: curl waits for the
 * descriptors of both. No thread, no race, and the same order each time.
 */
#include <poll.h>
#include <retort.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user.h"

#define MAX_FDS 16

static int failed;

static void
check(bool holds, const char *what)
{
	if (!holds)
		(void)fprintf(stderr, "failed: %s\n", what);
	failed += !holds;
}

/* The events for poll(2) to wait for, in curl's words. */
static short
wanted(short events)
{
	return (short)((events & POLLIN ? CURL_WAIT_POLLIN : 0) |
		(events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
}

/* Both wait once, and do what can be done. */
static CURLMcode
turn(CURLM *multi, struct retort *server, int *running)
{
	struct pollfd theirs[MAX_FDS];
	struct curl_waitfd fds[MAX_FDS];
	unsigned count = 0;
	int timeout;
	size_t n = retort_pollfds(server, theirs, MAX_FDS, &timeout);
	CURLMcode code;

	for (; count < n && count < MAX_FDS; count++)
		fds[count] = (struct curl_waitfd){.fd = theirs[count].fd,
			.events = wanted(theirs[count].events)};
	if (timeout < 0 || timeout > 1000)
		timeout = 1000;
	code = curl_multi_poll(multi, fds, count, timeout, NULL);
	(void)retort_step(server, 0);
	return code ? code : curl_multi_perform(multi, running);
}

/* Fetches the user; how the transfer ended. */
static enum user_error
fetch(CURLM *multi, struct retort *server, struct user *user)
{
	struct user_text text;
	CURL *curl = user_begin_fetch(retort_url(server), 1, &text);
	time_t deadline = time(NULL) + 10;
	CURLcode code = CURLE_OPERATION_TIMEDOUT;
	int running = 1, left;
	CURLMsg *message;

	curl_multi_add_handle(multi, curl);
	while (running && time(NULL) < deadline)
		if (turn(multi, server, &running) != CURLM_OK)
			break;
	message = curl_multi_info_read(multi, &left);
	if (message != NULL)
		code = message->data.result;
	curl_multi_remove_handle(multi, curl);
	return user_end_fetch(curl, code, &text, user);
}

int
main(void)
{
	char error[RETORT_ERROR_SIZE];
	struct retort *server = retort_start(.stepped = true, .error = error);
	CURLM *multi = curl_multi_init();
	const struct retort_exchange *record;
	struct user user = {.id = 0};
	const char *verdict;

	if (server == NULL || multi == NULL) {
		(void)fprintf(stderr, "%s\n", server ? "no multi" : error);
		return 1;
	}
	retort_on(server, "GET /users/1", .status = 503, .times = 1);
	retort_on(server, "GET /users/1", .times = 1, .pause_body = 50,
		.body = "{\"id\":1,\"name\":\"Ada\"}");
	retort_on(server, "GET /users/1",
		.body = "{\"id\":", .fields = "Content-Length: 100");
	retort_expect(server, "GET /users/1", .times = 3);

	check(fetch(multi, server, &user) == USER_REFUSED, "503 is a refusal");
	check(fetch(multi, server, &user) == USER_OK, "200 is none");
	check(strcmp(user.name, "Ada") == 0, "the name is Ada");
	check(fetch(multi, server, &user) == USER_BROKEN, "cut off is noticed");

	/* what waits steps the server meanwhile */
	record = retort_wait(server, "GET /users/1", .times = 3,
		.timeout = 1000);
	check(record != NULL && retort_wait_end(server, record, 5000) &&
			record->sent_body == strlen("{\"id\":"),
		"the third reply is short");

	check(retort_refuse(server, true) == 0, "connections can be refused");
	check(fetch(multi, server, &user) == USER_UNREACHABLE,
		"a refused connection is noticed");

	verdict = retort_verdict(server);
	failed |= *verdict != '\0';
	(void)fputs(verdict, stderr);
	curl_multi_cleanup(multi);
	retort_close(server);
	return failed;
}
