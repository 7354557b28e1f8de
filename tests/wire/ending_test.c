/* SPDX-License-Identifier: MIT */
/* Connections that a test ends, and what it is told of their ends. */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* A letter for each event, in its order, which the server's thread adds while
   the test looks; and what the last one was told. */
static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
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
	(void)pthread_mutex_lock(&telling);
	told[strlen(told)] = letters[event];
	(void)pthread_mutex_unlock(&telling);
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

static bool
was_told(const char *events)
{
	bool same;

	(void)pthread_mutex_lock(&telling);
	same = strcmp(told, events) == 0;
	(void)pthread_mutex_unlock(&telling);
	return same;
}

static void
forget_told(void)
{
	(void)pthread_mutex_lock(&telling);
	memset(told, 0, sizeof told);
	(void)pthread_mutex_unlock(&telling);
}

static void
open_told(int i, bool unrecorded)
{
	forget_told();
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
	forget_told();
	got = exchange("GET / HTTP/1.1\r\n\r\n");
	bytes_free(&got);
	wait_quiet();
	ck_assert_str_eq(told_reason, "no Host field");
	ck_assert_str_eq(told_raw, "GET / HTTP/1.1\r\n\r\n");
	ck_assert_int_eq(told_refused, 400);
	ck_assert(!told_complete);
	/* one that sends nothing has its FIN */
	forget_told();
	fd = connect_client();
	TURN_UNTIL(was_told("A"));
	(void)shutdown(fd, SHUT_WR);
	wait_quiet();
	ck_assert_str_eq(told, "ACSEK");
	(void)close(fd);
	close_server();
}
END_TEST

/* --- ends --- */

static _Atomic(uint64_t) waits;

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

	forget_told();
	waits = 0;
	fd = connect_client();
	if (*places[i].request != '\0')
		say(fd, places[i].request);
	TURN_UNTIL(was_told(places[i].told ? "AH" : "A"));
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

/* --- ends that wake nobody --- */

/* For so long the server waits for a client that does not close: ms. */
#define STAYS 2000

static uint64_t stayed; /* the last connection of ask_and_stay() */

/* A client that got its reply, up to the FIN, and has not closed. */
static int
ask_and_stay(void)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();

	ck_assert_int_eq(talk(fd, GET, strlen(GET), &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 200 ");
	bytes_free(&got);
	stayed++;
	return fd;
}

/*
 * Nobody has waited: what the client did just now is there. Not if the thread
 * had looked for it before, as it does once, after 10 ms: then the client's own
 * bytes wake it, and what it did may be late, but not each time.
 */
static bool
is_late(bool late)
{
	static int times;

	times += late;
	ck_assert_msg(times < 500, "%s: it is late each time", way->name);
	return late;
}

/* The client closed, unless it stayed until it was waited for no more. */
static void
assert_fin(const struct retort_exchange *seen, int64_t began)
{
	if (now_ms() - began < STAYS)
		ck_assert_int_eq(seen->client_close, RETORT_FIN);
}

static bool
is_told(const char *end)
{
	char *text = retort_transcript(server, stayed);
	const char *after;
	bool found;

	ck_assert_ptr_nonnull(text);
	after = strstr(text, "> (FIN)\n");
	ck_assert_msg(after != NULL, "%s: no FIN of the server's in: %s",
		way->name, text);
	found = strstr(after, end) != NULL;
	free(text);
	return found;
}

START_TEST(is_known_to_who_asks)
{
	int64_t began;
	bool is_over;
	int fd = -1;

	open_plain(_i);
	ON(NULL, .body = "x");
	do
		(void)close(ask_and_stay());
	while (is_late(!is_told("- (closed)\n")));
	do
		client_reset(ask_and_stay());
	while (is_late(!is_told("< (RST)\n")));
	ck_assert_int_eq(ended(stayed)->client_close, RETORT_RST);
	ck_assert_int_eq(retort_record(server, stayed)->end, RETORT_RESET);
	do {
		if (fd >= 0)
			(void)close(fd);
		fd = ask_and_stay();
		say(fd, "more");
	} while (is_late(!is_told("< more\n")));
	say(fd, "and more");
	(void)close(fd);
	ck_assert_uint_eq(ended(stayed)->received, strlen(GET "moreand more"));
	ck_assert_int_eq(retort_record(server, stayed)->end, RETORT_ANSWERED);
	ck_assert(is_told("< (FIN)\n"));
	/* who is not done is waited for */
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	began = now_ms();
	fd = ask_and_stay();
	is_over = retort_stats(server).connections == 0 ||
		retort_wait_end(server, NULL, 0);
	ck_assert(!is_over || now_ms() - began >= STAYS);
	(void)close(fd);
	assert_fin(ended(stayed), began);
	do
		(void)close(ask_and_stay());
	while (is_late(retort_stats(server).connections > 0));
	do {
		(void)close(ask_and_stay());
		retort_reset(server, RETORT_ENDED);
	} while (is_late(retort_count(server) > 0));
	assert_verdict(NULL);
	close_server();
}
END_TEST

static void *
wait_for_end(void *exchange)
{
	return retort_wait_end(server, exchange, -1) ? exchange : NULL;
}

/* Both before the client closes, and before it asks. */
START_TEST(is_known_to_who_waits)
{
	const struct retort_exchange *seen;
	int64_t began = now_ms();
	pthread_t waiting;
	void *result;
	int fd;

	open_plain(_i);
	ON(NULL, .body = "x");
	fd = ask_and_stay();
	seen = retort_wait(server, "GET /");
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(pthread_create(&waiting, NULL, wait_for_end,
				 (void *)(uintptr_t)seen),
		0);
	for (int i = 0; i < 20; i++)
		(void)close(ask_and_stay());
	(void)close(fd);
	ck_assert_int_eq(pthread_join(waiting, &result), 0);
	ck_assert_ptr_eq(result, seen);
	assert_fin(seen, began);
	ck_assert(retort_wait_end(server, NULL, -1));
	close_server();
}
END_TEST

/* Whether this is the lowest descriptor that is free. */
static bool
is_free(int fd)
{
	int copy = dup(STDOUT_FILENO);

	(void)close(copy);
	return copy == fd;
}

/* The lowest but one, which the server's end of the next connection will be:
   others may be those of who runs the test. */
static int
second_free(void)
{
	int first = dup(STDOUT_FILENO), second = dup(STDOUT_FILENO);

	(void)close(first);
	(void)close(second);
	return second;
}

START_TEST(comes_though_nobody_asks)
{
	int fd, served;

	open_plain(_i);
	ON(NULL, .body = "x");
	served = second_free();
	fd = ask_and_stay();
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	TURN_UNTIL(is_free(served));
	(void)close(fd);
	close_server();
}
END_TEST

static int others[2];

/* While the loop is busy, others ask, too. */
static int
let_others_ask(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	reply->body = "x";
	for (size_t i = 0; exchange->connection == 1 && i < COUNT(others);
		i++) {
		others[i] = connect_client();
		say(others[i], GET);
	}
	return 0;
}

START_TEST(comes_of_several_at_once)
{
	struct bytes got = {.data = NULL};
	int64_t began = now_ms();
	int first;

	open_plain(_i);
	ON(NULL, .handler = let_others_ask);
	/* its connection is open, so that the others are accepted together */
	first = ask_and_stay();
	for (size_t i = 0; i < COUNT(others); i++) {
		ck_assert_int_eq(talk(others[i], NULL, 0, &got, NULL), 0);
		(void)close(others[i]);
	}
	bytes_free(&got);
	(void)close(first);
	for (size_t i = 1; i <= 1 + COUNT(others); i++)
		assert_fin(ended(i), began);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	close_server();
}
END_TEST

START_TEST(is_known_after_a_stop)
{
	for (int closed = 0; closed < 2; closed++) {
		const struct retort_exchange *seen;
		int64_t began = now_ms();
		int fd;

		open_plain(_i);
		ON(NULL, .body = "x");
		fd = ask_and_stay();
		if (closed)
			(void)close(fd);
		ck_assert_ptr_null(finish(0));
		seen = retort_record(server, 1);
		ck_assert_ptr_nonnull(seen);
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		if (closed)
			assert_fin(seen, began);
		else
			ck_assert_int_eq(seen->client_close, RETORT_NOTHING);
		if (!closed)
			(void)close(fd);
		close_server();
	}
	/* and one that nobody looks at any more */
	open_plain(_i);
	ON(NULL, .body = "x");
	(void)close(ask_and_stay());
	close_server();
}
END_TEST

START_TEST(holds_few_descriptors)
{
	int fd, first = -1;

	open_plain(_i);
	ON(NULL, .body = "x");
	for (int i = 0; i < 2000; i++) {
		fd = ask_and_stay();
		if (first < 0)
			first = fd;
		/* some may be late, as many as are accepted in one turn */
		ck_assert_msg(fd <= first + 100, "client %d: descriptor %d", i,
			fd);
		(void)close(fd);
	}
	ck_assert(retort_wait_end(server, NULL, -1));
	ck_assert_uint_eq(retort_count(server), 2000);
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
	/* only a thread can be spared to wake up */
	tcase = tcase_create("ends that wake nobody");
	rt_test_loop(tcase, is_known_to_who_asks, 0, 2);
	rt_test_loop(tcase, is_known_to_who_waits, 0, 2);
	rt_test_loop(tcase, comes_though_nobody_asks, 0, 2);
	rt_test_loop(tcase, comes_of_several_at_once, 0, 2);
	rt_test_loop(tcase, is_known_after_a_stop, 0, 2);
	rt_test_loop(tcase, holds_few_descriptors, 0, 2);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
