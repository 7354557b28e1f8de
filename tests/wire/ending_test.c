/* SPDX-License-Identifier: MIT */
/* Connections that a test ends, and what it is told of their ends. */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* A letter for each event, in its order, and what the last one was told. */
static char told[100];
static char told_raw[200];
static char told_reason[100];
static int told_refused;
static bool told_complete;

static void
note(void *arg, enum retort_event event, const struct retort_exchange *exchange,
	const void *bytes, size_t size)
{
	static const char letters[] = "HBEPKACS";

	(void)arg;
	(void)bytes;
	(void)size;
	told[strlen(told)] = letters[event];
	if (event != RETORT_ON_END)
		return;
	(void)snprintf(told_raw, sizeof told_raw, "%.*s",
		(int)exchange->raw_size,
		exchange->raw ? (const char *)exchange->raw : "");
	(void)snprintf(told_reason, sizeof told_reason, "%s",
		exchange->reason ? exchange->reason : "");
	told_refused = exchange->refused;
	told_complete = exchange->complete;
}

static void
open_told(int i, bool unrecorded)
{
	memset(told, 0, sizeof told);
	open_with((struct retort_options){.event = note,
			  .event_all = true,
			  .unrecorded = unrecorded},
		i);
}

static void
wait_quiet(void)
{
	TURN_UNTIL(retort_stats(server).connections == 0);
}

/* --- events --- */

START_TEST(is_told_in_order)
{
	struct bytes got;
	int fd;

	open_told(_i, true);
	ck_assert_int_eq(retort_answer(server, .body = "x"), 0);
	got = exchange(GET);
	bytes_free(&got);
	wait_quiet();
	ck_assert_msg(strcmp(told, "AHSEK") == 0 || strcmp(told, "AHSCEK") == 0,
		"%s", told);
	ck_assert_str_eq(told_raw, GET);
	ck_assert(told_complete);
	ck_assert_int_eq(told_refused, 0);
	memset(told, 0, sizeof told);
	got = exchange("GET / HTTP/1.1\r\n\r\n");
	bytes_free(&got);
	wait_quiet();
	ck_assert_str_eq(told_reason, "no Host field");
	ck_assert_str_eq(told_raw, "GET / HTTP/1.1\r\n\r\n");
	ck_assert_int_eq(told_refused, 400);
	ck_assert(!told_complete);
	/* one that sends nothing has its FIN */
	memset(told, 0, sizeof told);
	fd = connect_client();
	TURN_UNTIL(strcmp(told, "A") == 0);
	(void)shutdown(fd, SHUT_WR);
	wait_quiet();
	ck_assert_str_eq(told, "ACSEK");
	(void)close(fd);
	close_server();
}
END_TEST

/* --- ends --- */

static uint64_t waits;

static int
wait_for_it(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)reply;
	waits = exchange->connection;
	return RETORT_LATER;
}

static int
end_it(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	reply->body = "late";
	ck_assert_int_eq(retort_end(server, exchange->connection, RETORT_FIN),
		0);
	return 0;
}

static const struct {
	const char *request;
	bool told; /* its head is */
} places[] = {
	{"", false},
	{"GET / HT", false},
	{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", true},
	{"GET /later HTTP/1.1\r\nHost: a\r\n\r\n", true},
	{"GET /pause HTTP/1.1\r\nHost: a\r\n\r\n", true},
	{"GET /stall HTTP/1.1\r\nHost: a\r\n\r\n", true},
};

static void
end_at(size_t i, enum retort_ending how, uint64_t number)
{
	struct bytes got = {.data = NULL};
	int fd, end;

	memset(told, 0, sizeof told);
	waits = 0;
	fd = connect_client();
	if (*places[i].request != '\0')
		say(fd, places[i].request);
	TURN_UNTIL(strcmp(told, places[i].told ? "AH" : "A") == 0);
	if (strstr(places[i].request, "later") != NULL)
		TURN_UNTIL(waits != 0);
	for (int n = 0; n < 3; n++)
		turn(-1, 0, 1);
	ck_assert_int_eq(retort_end(server, number, how), 0);
	end = talk(fd, NULL, 0, &got, NULL);
	ck_assert_msg(end == (how == RETORT_RST ? ECONNRESET : 0) ||
			(way->drive == OWN_THREAD && !places[i].told),
		"%s: after \"%s\": %d", way->name, places[i].request, end);
	ck_assert_uint_eq(strlen(got.data), 0);
	bytes_free(&got);
	(void)close(fd);
	wait_quiet();
	ck_assert_int_eq(retort_end(server, number, how), -ENOENT);
}

START_TEST(ends_as_it_is_told_to)
{
	uint64_t number = 0;

	open_told(_i, false);
	ON("GET /later", .handler = wait_for_it);
	ON("GET /pause", .pause_head = 1000000);
	ON("GET /stall", .faults = "cut 0 stall");
	for (size_t i = 0; i < (size_t)COUNT(places); i++) {
		end_at(i, RETORT_FIN, ++number);
		if (!way->adopted)
			end_at(i, RETORT_RST, ++number);
	}
	ck_assert_int_eq(retort_end(server, number, RETORT_NOTHING), -EINVAL);
	ck_assert_int_eq(retort_end(server, 0, RETORT_FIN), -ENOENT);
	ck_assert_int_eq(ended(1)->end, RETORT_STOPPED);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(ends_by_its_handler)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_told(_i, false);
	ON(NULL, .handler = end_it, .pause_head = 1000000);
	fd = connect_client();
	ck_assert_int_eq(talk(fd, GET, strlen(GET), &got, NULL), 0);
	ck_assert_uint_eq(got.size, 0);
	bytes_free(&got);
	(void)close(fd);
	ck_assert_int_eq(ended(1)->end, RETORT_STOPPED);
	if (way->adopted) {
		fd = connect_client();
		TURN_UNTIL(retort_stats(server).connections == 1);
		ck_assert_int_eq(retort_end(server, 2, RETORT_RST), -ENOTSUP);
		(void)close(fd);
	}
	assert_verdict(NULL);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ending");
	TCase *tcase = tcase_create("ends");

	rt_test_loop(tcase, is_told_in_order, 0, BASIC_WAYS);
	rt_test_loop(tcase, ends_as_it_is_told_to, 0, WAYS);
	rt_test_loop(tcase, ends_by_its_handler, 0, WAYS);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
