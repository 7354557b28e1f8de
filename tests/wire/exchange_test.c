/* SPDX-License-Identifier: MIT */
/* The server: exchanges and files. */
#include "config.h"

#include "wire/driving.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- exchanges --- */

START_TEST(answers)
{
	open_unrecorded(_i);
	answer_text("one");
	expect_ok(GET, "one");
	answer_text("two");
	expect_ok(GET, "two");
	expect_ok("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
		  "hello",
		"two");
	expect_ok("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "");
	expect_begin("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
	expect_begin("nonsense\r\n\r\n", "HTTP/1.1 400 ");
	/* the request that is echoed is the whole of it */
	ck_assert_int_eq(answer_with((struct retort_reply){.echo = true}), 0);
	expect_ok("PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		  "\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		"\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n");
	close_server();
}
END_TEST

START_TEST(answers_what_comes_in_pieces)
{
	static const char request[] = GET;
	struct bytes got = {.data = NULL};
	int fd;

	open_unrecorded(_i);
	answer_text("hello");
	fd = connect_client();
	for (size_t i = 0; i < sizeof request - 1; i++) {
		ck_assert(client_send(fd, request + i, 1));
		(void)step(0);
	}
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(answers_one_that_half_closed)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_unrecorded(_i);
	answer_big();
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_gt(got.size, BIG);
	ck_assert(memcmp(got.data + got.size - BIG, big, BIG) == 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

/* A connection on which a request has come in two parts; whether in time. */
static bool
say_in_time(int *fd, int timeout)
{
	int64_t began = now_ms();

	*fd = connect_client();
	ck_assert(client_send_text(*fd, "GET / HTTP/1.1\r\nHost: a\r\n"));
	settle();
	(void)client_send_text(*fd, "\r\n");
	return now_ms() - began < timeout;
}

/* A request that came in time is answered, however late the server looks. */
START_TEST(a_late_server_is_no_time_out)
{
	struct bytes got = {.data = NULL};
	int fd, timeout = 100;

	for (;;) {
		open_stepped((struct retort_options){.head_timeout = timeout},
			_i);
		answer_text("hello");
		if (say_in_time(&fd, timeout))
			break;
		(void)close(fd);
		close_server();
		timeout *= 2;
	}
	/* nobody steps the server meanwhile */
	ck_assert_int_eq(client_wait(fd, timeout + 20), -1);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* Neither what follows the request nor an early answer harms the reply. */
START_TEST(answers_one_that_sends_too_much)
{
	size_t size = 3u << 20;
	char *request = malloc(size);
	struct bytes got;
	int head;

	ck_assert_ptr_nonnull(request);
	memset(request, 'x', size);
	open_stepped((struct retort_options){.max_body = 10}, _i);
	answer_text("hello");
	head = snprintf(request, size, GET);
	request[head] = 'x';
	got = exchange_bytes(request, 64u << 10);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	head = snprintf(request, size,
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: %zu\r\n\r\n",
		size);
	request[head] = 'x';
	got = exchange_bytes(request, size);
	assert_begins(got, "HTTP/1.1 413 ");
	assert_has(got, "\r\n\r\n413 ");
	bytes_free(&got);
	close_server();
	free(request);
}
END_TEST

START_TEST(serves_files)
{
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got;

	big = malloc(BIG);
	ck_assert_ptr_nonnull(big);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 3 + i / 8191);
	dir_write(folder, "big", big, BIG);
	dir_write(folder, "index.html", "small", 5);
	open_stepped(options, _i);
	ck_assert_int_eq(serve(folder), 0);
	expect_ok(GET, "small");
	got = exchange("GET /big HTTP/1.0\r\n\r\n");
	ck_assert_uint_gt(got.size, BIG);
	ck_assert(memcmp(got.data + got.size - BIG, big, BIG) == 0);
	bytes_free(&got);
	expect_begin("POST / HTTP/1.0\r\n\r\n", "HTTP/1.1 405 ");
	/* what replaces it while it is sent does not harm what is sent */
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

START_TEST(a_reply_outlives_its_replacement)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_unrecorded(_i);
	answer_big();
	fd = connect_client();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	answer_text("next");
	expect_ok(GET, "next");
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_gt(got.size, BIG);
	ck_assert(memcmp(got.data + got.size - BIG, big, BIG) == 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(nobody_delays_the_others)
{
	int idle, half, slow;

	open_unrecorded(_i);
	answer_big();
	slow = connect_to_big();
	idle = connect_client();
	half = connect_client();
	ck_assert(client_send_text(half, "GET / HTT"));
	settle();
	answer_text("quick");
	for (int i = 0; i < 20; i++)
		expect_ok(GET, "quick");
	(void)close(idle);
	(void)close(half);
	(void)close(slow);
	close_server();
	free(big);
}
END_TEST

/* The caller's signals, their handlers and its mask are left alone. */
START_TEST(leaves_the_process_alone)
{
	struct sigaction before, after;
	sigset_t mask, other;

	(void)signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &before), 0);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	open_unrecorded(_i);
	answer_text("hello");
	expect_ok(GET, "hello");
	close_server();
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &after), 0);
	ck_assert(before.sa_handler == after.sa_handler);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &other), 0);
	for (int i = 1; i < 32; i++)
		ck_assert_int_eq(sigismember(&mask, i), sigismember(&other, i));
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* --- events, and how exchanges end --- */

START_TEST(ends_truncated)
{
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got = {.data = NULL};
	const char *promised;
	char path[256];
	int fd;

	big = calloc(1, BIG);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", big, BIG);
	(void)snprintf(path, sizeof path, "%s/index.html", folder);
	open_recorded(options, _i);
	ck_assert_int_eq(serve(folder), 0);
	fd = connect_client();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	ck_assert_int_eq(truncate(path, 1000), 0);
	/* a closed connection, before what was promised */
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	(void)the_end(RETORT_TRUNCATED, 200);
	promised = strstr(got.data, "\r\nContent-Length: 25165824\r\n");
	ck_assert_ptr_nonnull(promised);
	ck_assert_uint_lt(got.size, BIG);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

START_TEST(a_file_that_grows_sends_what_was_promised)
{
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got = {.data = NULL};
	char path[256];
	int fd, file;

	big = calloc(1, BIG);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", big, BIG);
	(void)snprintf(path, sizeof path, "%s/index.html", folder);
	open_recorded(options, _i);
	ck_assert_int_eq(serve(folder), 0);
	fd = connect_client();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	file = open(path, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(file, "more", 4), 4);
	(void)close(file);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_eq(the_end(RETORT_ANSWERED, 200)->sent_body, BIG);
	ck_assert_ptr_null(memchr(got.data + got.size - 4, 'm', 4));
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

/* --- listings --- */

/* So many that listing them takes tens of slices. */
#define MANY 5000

static char *listed; /* many/ and few/, empty files, and small */

static void
make_files(const char *name, int count)
{
	char path[280];
	int folder;

	(void)snprintf(path, sizeof path, "%s/%s", listed, name);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder, 0);
	for (int i = 0; i < count; i++) {
		int fd;

		(void)snprintf(path, sizeof path, "file-%05d", i);
		fd = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL, 0666);
		ck_assert_int_ge(fd, 0);
		(void)close(fd);
	}
	(void)close(folder);
}

/* Once for all the tests, which only read it. */
static void
make_listed(void)
{
	listed = dir_make();
	make_files("many", MANY);
	make_files("few", 3);
	dir_write(listed, "small", "small", 5);
}

static void
remove_listed(void)
{
	dir_remove(listed);
}

#define LIST_MANY "GET /many/ HTTP/1.0\r\n\r\n"

#define LIST_FEW "GET /few/ HTTP/1.0\r\n\r\n"

#define GET_SMALL "GET /small HTTP/1.0\r\n\r\n"

/*
 * A reply of 200 that names each of the files, once and in order. Goes from
 * line to line: strstr() looks at the whole rest where it is checked.
 */
static void
assert_listing(const struct bytes *got, int count)
{
	static const char row[] = "<tr><td><a href=\"file-";
	const char *body = strstr(got->data, "\r\n\r\n");
	const char *length = strstr(got->data, "\r\nContent-Length: ");
	const char *end = got->data + got->size;
	char expected[64];
	int rows = 0;

	assert_begins(*got, OK);
	ck_assert(body != NULL && length != NULL && length < body);
	body += 4;
	ck_assert_uint_eq(strtoul(length + 18, NULL, 10), (size_t)(end - body));
	for (const char *at = body; at != NULL;
		at = memchr(at, '\n', (size_t)(end - at))) {
		at += *at == '\n';
		if (strncmp(at, row, sizeof row - 1) != 0)
			continue;
		(void)snprintf(expected, sizeof expected, "%s%05d\">", row,
			rows++);
		ck_assert_msg(strncmp(at, expected, strlen(expected)) == 0,
			"expected %s, got: %s", expected,
			shown(at, strlen(expected)));
	}
	ck_assert_int_eq(rows, count);
	ck_assert_str_eq(end - 8, "</html>\n");
}

static bool
has_come(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* Connections whose answer takes longer. */
static size_t
waiting(void)
{
	size_t count = 0;

	for (const struct rt_served *served = server->conns; served != NULL;
		served = served->next)
		count += served->conn.state == RT_STATE_WAIT;
	return count;
}

/* A client whose request for the long listing is being worked on. */
static int
connect_to_many(void)
{
	size_t before = waiting();
	int fd = connect_client();

	ck_assert(client_send_text(fd, LIST_MANY));
	TURN_UNTIL(waiting() == before + 1);
	ck_assert(!has_come(fd));
	return fd;
}

static void
expect_listing(int fd, int count)
{
	struct bytes got = {.data = NULL};
	int code = converse(fd, "", 0, &got, SIZE_MAX);

	ck_assert_msg(code == 0, "%s after %zu bytes", strerror(code),
		got.size);
	assert_listing(&got, count);
	bytes_free(&got);
	(void)close(fd);
}

static void
open_listed(int i)
{
	open_recorded((struct retort_options){.port = 0}, i);
	ck_assert_int_eq(serve(listed), 0);
}

/* While one client's listing is made, many replies go to another. */
START_TEST(a_listing_leaves_turns_to_others)
{
	int fd, replies = 0, steps = 0;

	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	fd = connect_to_many();
	while (!has_come(fd)) {
		expect_ok(GET_SMALL, "small");
		replies += !has_come(fd);
	}
	ck_assert_msg(replies >= MANY / 1500,
		"only %d replies came before the listing", replies);
	expect_listing(fd, MANY);
	/* nor does a step make more than a part of it */
	fd = connect_to_many();
	for (; !has_come(fd); steps++)
		ck_assert_int_eq(step(RT_TEST_PATIENCE * 1000), 0);
	ck_assert_msg(steps >= MANY / 300, "it took %d steps only", steps);
	expect_listing(fd, MANY);
	close_server();
}
END_TEST

START_TEST(listings_side_by_side)
{
	struct bytes got;
	int fds[5];

	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = connect_to_many();
	/* who came later but wants less is not kept waiting */
	for (int i = 0; i < 3; i++) {
		got = exchange(LIST_FEW);
		assert_listing(&got, 3);
		bytes_free(&got);
	}
	for (size_t i = 0; i < COUNT(fds); i++)
		ck_assert(!has_come(fds[i]));
	for (size_t i = 0; i < COUNT(fds); i++)
		expect_listing(fds[i], MANY);
	close_server();
}
END_TEST

/* More than the back end takes in one turn: they keep nobody out. */
START_TEST(listings_in_a_crowd)
{
	enum { CROWD = 2 * RT_READY_MAX };
	int fds[CROWD], came = 0;

	need_descriptors(3 * CROWD);
	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	for (int i = 0; i < CROWD; i++) {
		fds[i] = connect_client();
		ck_assert(client_send_text(fds[i], LIST_MANY));
	}
	for (int i = 0; i < 3; i++)
		expect_ok(GET_SMALL, "small");
	for (int i = 0; i < CROWD; i++) {
		came += has_come(fds[i]);
		client_reset(fds[i]);
	}
	ck_assert_msg(came == 0,
		"%d of %d listings came before a small file did", came, CROWD);
	TURN_UNTIL(server->open == 0);
	close_server();
}
END_TEST

/* A FIN is no wish to stop: before the request is read, and after. */
START_TEST(a_listing_for_one_that_half_closed)
{
	int fd;

	open_listed(_i);
	fd = connect_client();
	ck_assert(client_send_text(fd, LIST_MANY));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_listing(fd, MANY);
	(void)the_end(RETORT_ANSWERED, 200);
	event_count = 0;
	fd = connect_to_many();
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	settle();
	ck_assert_uint_eq(ends(), 0);
	expect_listing(fd, MANY);
	(void)the_end(RETORT_ANSWERED, 200);
	close_server();
}
END_TEST

/* Nothing is kept of a listing whose client is gone, and it ends early. */
START_TEST(a_listing_for_one_that_resets)
{
	int fd, descriptors;
	long long before;

	open_listed(_i);
	/* the first rounds warm up; what is kept of the small file may be so
	   between any two */
	for (int i = 0; i < 5; i++) {
		before = live;
		descriptors = open_descriptors();
		event_count = 0;
		fd = connect_to_many();
		for (int k = 0; k < MANY / 1000 * i; k++)
			(void)step(10);
		ck_assert(!has_come(fd));
		client_reset(fd);
		ck_assert_uint_eq(the_end(RETORT_RESET, 0)->sent, 0);
		ck_assert_int_eq(open_descriptors(), descriptors);
		ck_assert_msg(i <= 2 || live == before,
			"%lld bytes became %lld", before, (long long)live);
		expect_ok(GET_SMALL, "small");
		TURN_UNTIL(server->open == 0);
	}
	close_server();
}
END_TEST

/* One that leaves without a reset is found out when it is answered. */
START_TEST(a_listing_for_one_that_left)
{
	int descriptors, fd;

	open_listed(_i);
	descriptors = open_descriptors();
	fd = connect_to_many();
	(void)close(fd);
	(void)the_end(RETORT_RESET, 200);
	ck_assert_int_eq(open_descriptors(), descriptors);
	expect_ok(GET_SMALL, "small");
	close_server();
}
END_TEST

START_TEST(a_listing_is_finished_in_the_grace)
{
	int fd;

	open_listed(_i);
	fd = connect_to_many();
	stop(RT_TEST_PATIENCE * 1000);
	ck_assert_int_eq(step(0), 0);
	expect_refused(retort_url(server));
	expect_listing(fd, MANY);
	TURN_UNTIL(step(0) == 1);
	(void)the_end(RETORT_ANSWERED, 200);
	close_server();
}
END_TEST

START_TEST(a_listing_ends_with_the_grace)
{
	int descriptors, fd;

	open_listed(_i);
	descriptors = open_descriptors();
	fd = connect_to_many();
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	(void)the_end(RETORT_STOPPED, 0);
	ck_assert_int_eq(end_of(fd), 0);
	(void)close(fd);
	/* the listener is gone too, and what holds its port, if it is another */
	ck_assert_int_lt(open_descriptors(), descriptors);
	expect_refused(retort_url(server));
	close_server();
	/* and by retort_close() */
	open_listed(_i);
	fd = connect_to_many();
	close_server();
	ck_assert_uint_eq(ends(), 1);
	ck_assert_int_eq(events[event_count - 1].exchange.end, RETORT_STOPPED);
	(void)close(fd);
}
END_TEST

/* The last reply ends what is still being made. */
START_TEST(the_last_request_ends_a_listing)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.unrecorded = true, .requests = 1},
		_i);
	ck_assert_int_eq(serve(listed), 0);
	fd = connect_to_many();
	expect_ok(GET_SMALL, "small");
	TURN_UNTIL(step(0) == 1);
	expect_refused(retort_url(server));
	(void)client_receive(fd, &got);
	assert_bytes(got.data, got.size, "", 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* The root is replaced in the middle of a listing. */
START_TEST(a_listing_outlives_its_replacement)
{
	const struct retort_files other = {.unlisted = true,
		.precompressed = true,
		.fields = "X-New: 1"};
	struct bytes got = {.data = NULL};
	char *folder = dir_make();
	int fd, descriptors;

	dir_write(folder, "small", "other", 5);
	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	/* by other files, one of which is missing */
	fd = connect_to_many();
	ck_assert_int_eq(serve("/nowhere/at/all"), -ENOENT);
	expect_ok(GET_SMALL, "small");
	ck_assert_int_eq(serve_as(folder, &other), 0);
	expect_ok(GET_SMALL, "other");
	expect_begin(LIST_MANY, "HTTP/1.1 404 ");
	expect_listing(fd, MANY);
	/* by a reply to everything: that is the answer now */
	ck_assert_int_eq(serve(listed), 0);
	TURN_UNTIL(server->open == 0);
	descriptors = open_descriptors();
	fd = connect_to_many();
	answer_text("hello");
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, OK);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	(void)close(fd);
	/* neither the root nor the folder is open any more */
	TURN_UNTIL(server->open == 0);
	ck_assert_int_eq(open_descriptors(), descriptors - 1);
	close_server();
	dir_remove(folder);
}
END_TEST

/* The folder is listed as it was opened, whatever becomes of its name. */
START_TEST(a_listing_outlives_its_name)
{
	char before[280], after[280];
	int fd;

	(void)snprintf(before, sizeof before, "%s/many", listed);
	(void)snprintf(after, sizeof after, "%s/moved", listed);
	open_listed(_i);
	fd = connect_to_many();
	ck_assert_int_eq(rename(before, after), 0);
	expect_begin(LIST_MANY, "HTTP/1.1 404 ");
	expect_listing(fd, MANY);
	ck_assert_int_eq(rename(after, before), 0);
	close_server();
}
END_TEST

/* A caller with a poll(2) loop of its own is told not to sleep. */
START_TEST(a_listing_in_a_poll_loop)
{
	int fd, timeout;

	open_unrecorded(_i);
	ck_assert_int_eq(serve(listed), 0);
	fd = connect_to_many();
	timeout = poll_timeout();
	ck_assert_int_eq(timeout, 0);
	expect_listing(fd, MANY);
	close_server();
}
END_TEST

/* --- memory --- */

START_TEST(allocates_nothing_per_request)
{
	static const char *const requests[] = {GET,
		"GET /none HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n",
		"GET /sub?q HTTP/1.0\r\n\r\n", "GET /large HTTP/1.0\r\n\r\n",
		"GET /sub/ HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
		"OPTIONS * HTTP/1.0\r\n\r\n", "nonsense\r\n\r\n",
		("GET /?a=b HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n"
		 "D: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI: 9\r\n\r\n")};
	struct retort_options options = {.unrecorded = true,
		.sigpipe_ignored = _i / 2 != 0};
	char *folder = dir_make();
	struct bytes got;

	big = calloc(1, 1u << 20);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", "small", 5);
	dir_write(folder, "sub/index.html", big, 60000);
	dir_write(folder, "large", big, 1u << 20);
	open_stepped(options, _i);
	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			ck_assert_int_eq(serve(folder), 0);
		else if (kind == 1)
			answer_text("hello");
		else
			ck_assert_int_eq(answer_with((struct retort_reply){
						 .echo = true}),
				0);
		for (int round = 0; round < 6; round++) {
			/* once to get warm; nothing afterwards */
			if (round == 1)
				allocations = 0;
			for (size_t i = 0; i < COUNT(requests); i++) {
				got = exchange(requests[i]);
				assert_begins(got, "HTTP/1.1 ");
				bytes_free(&got);
				/* two at a time need more than one */
				ck_assert(retort_wait_end(server, NULL,
					PATIENCE));
				ck_assert_msg(round == 0 || allocations == 0,
					"%zu allocations in way %d for: %s",
					(size_t)allocations, kind,
					shown(requests[i],
						strlen(requests[i])));
			}
		}
	}
	close_server();
	free(big);
	dir_remove(folder);
}
END_TEST

/* --- faults --- */

/* A client's request that may be answered, refused or cut, but not hang. */
static void
exchange_anyhow(const char *request)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();

	(void)converse(fd, request, strlen(request), &got, SIZE_MAX);
	bytes_free(&got);
	(void)close(fd);
}

/* From one allocation that fails to the next that does. */
static size_t
fail_step(void)
{
	return under_valgrind() ? 3 : 1;
}

/*
 * Open, requests, close, of which one allocation fails, or all from that one
 * on. False once there were not as many.
 */
static bool
cycle_without_memory(int i, const char *folder, size_t n, bool ever_after)
{
	struct retort_options options = {.hosts = "x\ny",
		.bind = "127.0.0.1\n127.0.0.1:0"};
	bool reached;

	allocations = 0;
	fail_at = n;
	fail_ever_after = ever_after;
	if (try_open_with(options, STEPPED + i % 2) == NULL) {
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_ptr_nonnull(strstr(error, "Cannot allocate memory"));
		ck_assert_int_eq(live, 0);
		fail_at = 0;
		return true;
	}
	if (serve(folder) != 0)
		ck_assert_ptr_nonnull(strstr(error, "Cannot allocate memory"));
	exchange_anyhow(GET);
	exchange_anyhow("GET /sub?q HTTP/1.1\r\nHost: x\r\n\r\n");
	exchange_anyhow("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	if (answer_with(
		    (struct retort_reply){.echo = true, .fields = "A: b"}) != 0)
		ck_assert_ptr_nonnull(strstr(error, "Cannot allocate memory"));
	exchange_anyhow(
		"POST / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n"
		"C: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI: 9\r\n"
		"Content-Length: 3\r\n\r\nabc");
	reached = allocations >= n;
	/* when there is memory again, everything is as it should be */
	fail_at = 0;
	ck_assert_int_eq(serve(folder), 0);
	expect_ok(GET, "small");
	answer_text("hello");
	expect_ok(GET, "hello");
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	close_server();
	return reached;
}

START_TEST(lives_without_memory)
{
	char *folder = dir_make();
	size_t n;

	big = calloc(1, 200000);
	ck_assert_ptr_nonnull(big);
	dir_write(folder, "index.html", "small", 5);
	dir_write(folder, "sub/a", "small", 5);
	dir_write(folder, "large", big, 200000);
	free(big);
	for (n = 1; cycle_without_memory(_i, folder, n, _i / 2 != 0);
		n += fail_step())
		ck_assert_uint_lt(n, 1000);
	/* the failures were real */
	ck_assert_uint_gt(n, 20);
	dir_remove(folder);
}
END_TEST

/* As cycle_without_memory(), for what a site can do. */
static bool
site_without_memory(int end, const char *folder, size_t n, bool ever_after)
{
	bool reached;

	open_unrecorded(end);
	allocations = 0;
	fail_at = n;
	fail_ever_after = ever_after;
	if (serve_site(folder) != 0) {
		fail_at = 0;
		ck_assert_int_eq(serve_site(folder), 0);
		fail_at = allocations + 1;
	}
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct bytes got = {.data = NULL};
		int fd = connect_client();

		(void)converse(fd, wholes[i].request, strlen(wholes[i].request),
			&got, SIZE_MAX);
		(void)check_reply(i, &got, true);
		bytes_free(&got);
		(void)close(fd);
	}
	reached = allocations >= n;
	fail_at = 0;
	expect_replies();
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	close_server();
	return reached;
}

START_TEST(a_site_lives_without_memory)
{
	char *folder = make_site();
	size_t n;

	open_unrecorded(_i);
	ck_assert_int_eq(serve_site(folder), 0);
	learn_replies();
	close_server();
	for (n = 1; site_without_memory(_i, folder, n, _i / 2 != 0);
		n += fail_step())
		ck_assert_uint_lt(n, 1000);
	ck_assert_uint_gt(n, 40);
	forget_replies();
	dir_remove(folder);
}
END_TEST

/* --- plain sockets --- */

#define MEBIBYTE (1u << 20)

static void
open_protocol(enum retort_protocol protocol, struct retort_options options,
	int i)
{
	options.protocol = protocol;
	open_recorded(options, i);
}

static void
echo_all(void)
{
	ck_assert_int_eq(answer_with((struct retort_reply){.echo = true}), 0);
}

static char *
make_mebibyte(void)
{
	char *text = malloc(MEBIBYTE);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < MEBIBYTE; i++)
		text[i] = (char)(i * 31 + i / 977);
	return text;
}

/* Sent in pieces of odd sizes, while what comes back is read in others. */
START_TEST(echoes_a_mebibyte)
{
	static const size_t sizes[] = {1, 7, 4093, 65537, 131071, 251};
	char *text = make_mebibyte(), data[3001];
	struct bytes got = {.data = NULL};
	size_t sent = 0, turns = 0;
	int64_t until = now_ms() + RT_TEST_PATIENCE * 1000;
	bool finished = false;
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	/* each piece is an event of its own: too many to keep */
	server->event = NULL;
	echo_all();
	fd = connect_plain(SOCK_STREAM);
	for (;;) {
		size_t size = sizes[turns++ % COUNT(sizes)];
		ssize_t n;

		size = size < MEBIBYTE - sent ? size : MEBIBYTE - sent;
		n = size == 0 ? 0 :
				send(fd, text + sent, size,
					MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		if (sent == MEBIBYTE && !finished) {
			finished = true;
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		}
		n = recv(fd, data, sizeof data - turns % 17, MSG_DONTWAIT);
		if (n == 0)
			break;
		ck_assert_msg(n > 0 || errno == EAGAIN, "after %zu: %s",
			got.size, strerror(errno));
		if (n > 0)
			bytes_add(&got, data, (size_t)n);
		ck_assert_msg(now_ms() < until, "%zu sent, %zu came back", sent,
			got.size);
		(void)step(0);
	}
	ck_assert(finished);
	assert_bytes(got.data, got.size, text, MEBIBYTE);
	TURN_UNTIL(retort_stats(server).connections == 0);
	(void)close(fd);
	bytes_free(&got);
	free(text);
	close_server();
}
END_TEST

/* One that only sends: what is held for it has its bound. */
START_TEST(reads_no_more_than_it_writes)
{
	static char block[64 << 10];
	long long before;
	size_t sent = 0;
	struct bytes got = {.data = NULL};
	int quiet = 0, fd;
	ssize_t n;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	server->event = NULL;
	echo_all();
	fd = connect_plain(SOCK_STREAM);
	before = live;
	while (quiet < 20) {
		n = send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
		quiet = n > 0 ? 0 : quiet + 1;
		if (n > 0)
			sent += (size_t)n;
		ck_assert_uint_lt(sent, 1u << 30);
		(void)step(1);
	}
	ck_assert_msg(live >= before && live - before < 256 << 10,
		"%lld bytes are held", live - before);
	/* and nothing of it was lost */
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_eq(got.size, sent);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

#define CROWD 100

START_TEST(echoes_to_many_at_once)
{
	int fds[CROWD];

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	server->event = NULL;
	echo_all();
	for (int i = 0; i < CROWD; i++)
		fds[i] = connect_plain(SOCK_STREAM);
	TURN_UNTIL(retort_stats(server).connections == CROWD);
	for (int round = 0; round < 3; round++) {
		/* the last that came first */
		for (int i = CROWD - 1; i >= 0; i--) {
			char text[64];

			(void)snprintf(text, sizeof text, "client %d, %d\n", i,
				round);
			ck_assert(client_send_text(fds[i], text));
		}
		for (int i = 0; i < CROWD; i++) {
			struct bytes got = {.data = NULL};
			char text[64];

			(void)snprintf(text, sizeof text, "client %d, %d\n", i,
				round);
			ck_assert_int_eq(converse(fds[i], "", 0, &got,
						 strlen(text)),
				0);
			assert_bytes(got.data, got.size, text, strlen(text));
			bytes_free(&got);
		}
	}
	for (int i = 0; i < CROWD; i++)
		(void)close(fds[i]);
	TURN_UNTIL(retort_stats(server).connections == 0);
	ck_assert_uint_eq(retort_stats(server).accepted, CROWD);
	ck_assert_uint_eq(retort_stats(server).replies, CROWD);
	close_server();
}
END_TEST

START_TEST(tells_of_pieces)
{
	struct bytes got = {.data = NULL};
	const struct retort_exchange *end;
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	ck_assert_int_eq(answer_with((struct retort_reply){.body = "OK"}), 0);
	fd = connect_plain(SOCK_STREAM);
	ck_assert_int_eq(converse(fd, "one", 3, &got, 2), 0);
	ck_assert_int_eq(converse(fd, "second", 6, &got, 4), 0);
	assert_bytes(got.data, got.size, "OKOK", 4);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(end_of(fd), 0);
	end = the_end(RETORT_ANSWERED, 0);
	ck_assert_uint_eq(event_count, 3);
	ck_assert_int_eq(events[0].event, RETORT_ON_PIECE);
	assert_bytes(events[0].bytes, events[0].size, "one", 3);
	ck_assert_uint_eq(events[0].exchange.nth, 1);
	ck_assert_int_eq(events[1].event, RETORT_ON_PIECE);
	assert_bytes(events[1].bytes, events[1].size, "second", 6);
	ck_assert_uint_eq(events[1].exchange.nth, 2);
	ck_assert_int_eq(events[1].exchange.protocol, RETORT_TCP);
	ck_assert_uint_eq(end->nth, 2);
	ck_assert_uint_eq(end->received, 9);
	ck_assert_uint_eq(end->sent, 4);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(closes_the_silent)
{
	struct bytes got = {.data = NULL};
	int64_t began;
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.idle_timeout = 200},
		_i);
	echo_all();
	fd = connect_plain(SOCK_STREAM);
	/* it is silent from some time after this on */
	began = now_ms();
	ck_assert_int_eq(converse(fd, "x", 1, &got, 1), 0);
	ck_assert_int_eq(end_of(fd), 0);
	ck_assert_int_ge(now_ms() - began, 199);
	(void)the_end(RETORT_TIMED_OUT, 0);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

/* A connection counts when it ends, if a piece came on it. */
START_TEST(stops_after_so_many_connections)
{
	struct bytes got = {.data = NULL};
	int fds[3];

	open_protocol(RETORT_TCP, (struct retort_options){.requests = 2}, _i);
	echo_all();
	for (int i = 0; i < 3; i++)
		fds[i] = connect_plain(SOCK_STREAM);
	TURN_UNTIL(retort_stats(server).connections == 3);
	/* silent ones do not */
	(void)close(fds[0]);
	TURN_UNTIL(retort_stats(server).connections == 2);
	ck_assert_uint_eq(retort_stats(server).replies, 0);
	for (int i = 1; i < 3; i++) {
		/* nor pieces */
		for (size_t k = 1; k <= 4; k++)
			ck_assert_int_eq(converse(fds[i], "x", 1, &got, k), 0);
		ck_assert_uint_eq(retort_stats(server).replies,
			(uint64_t)i - 1);
		ck_assert_int_eq(step(0), 0);
		bytes_free(&got);
		got = (struct bytes){.data = NULL};
		(void)close(fds[i]);
		TURN_UNTIL(retort_stats(server).replies == (uint64_t)i);
	}
	TURN_UNTIL(step(0) == 1);
	close_server();
}
END_TEST

START_TEST(greets)
{
	const struct retort_reply greeting = {.accepted = true,
		.body = "220 hello\r\n",
		.pause_head = _i / 2 ? 20 : 0};
	struct bytes got = {.data = NULL};
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.port = 0}, _i);
	echo_all();
	inside++;
	ck_assert_int_eq(add_rule(greeting), 1);
	inside--;
	fd = connect_plain(SOCK_STREAM);
	ck_assert_int_eq(converse(fd, "hi", 2, &got, 13), 0);
	assert_bytes(got.data, got.size, "220 hello\r\nhi", 13);
	(void)close(fd);
	bytes_free(&got);
	close_server();

	/* and a request of HTTP that came early is answered after it */
	got = (struct bytes){.data = NULL};
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	inside++;
	ck_assert_int_eq(add_rule(greeting), 1);
	inside--;
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, "220 hello\r\n" OK);
	(void)close(fd);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(refuses_plain_connections)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd;

	open_protocol(RETORT_TCP, (struct retort_options){.refusing = true},
		_i);
	echo_all();
	in.sin_port = htons((in_port_t)retort_listener(server).port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof in), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	(void)close(fd);
	inside++;
	ck_assert_int_eq(retort_refuse(server, false), 0);
	inside--;
	fd = connect_plain(SOCK_STREAM);
	(void)close(fd);
	close_server();

	open_protocol(RETORT_UDP, (struct retort_options){.port = 0}, _i);
	inside++;
	ck_assert_int_eq(retort_refuse(server, true), -ENOTSUP);
	inside--;
	close_server();
}
END_TEST

#define DATAGRAMS 1000

#define IN_FLIGHT 64

START_TEST(echoes_datagrams)
{
	char text[64], got[64];
	int sent = 0, answered = 0, fd;
	bool seen[DATAGRAMS] = {false};
	int64_t until = now_ms() + RT_TEST_PATIENCE * 1000;

	open_protocol(RETORT_UDP, (struct retort_options){.port = 0}, _i);
	server->event = NULL;
	echo_all();
	fd = connect_plain(SOCK_DGRAM);
	while (answered < DATAGRAMS) {
		ssize_t n;
		int number;

		if (sent < DATAGRAMS && sent - answered < IN_FLIGHT) {
			(void)snprintf(text, sizeof text, "datagram %d",
				sent++);
			ck_assert_int_eq(send(fd, text, strlen(text), 0),
				(ssize_t)strlen(text));
			continue;
		}
		(void)step(1);
		while ((n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT)) > 0) {
			got[n] = '\0';
			ck_assert_msg(sscanf(got, "datagram %d", &number) ==
						1 &&
					number >= 0 && number < sent &&
					!seen[number],
				"unexpected: %s", shown(got, (size_t)n));
			seen[number] = true;
			answered++;
		}
		ck_assert_msg(now_ms() < until, "%d sent, %d answered", sent,
			answered);
	}
	ck_assert_uint_eq(retort_stats(server).replies, DATAGRAMS);
	ck_assert_uint_eq(retort_stats(server).connections, 0);
	/* an empty one comes back, too */
	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	TURN_UNTIL(recv(fd, got, sizeof got, MSG_DONTWAIT) == 0);
	(void)close(fd);
	close_server();
}
END_TEST

/* A datagram from a port below 1024, or from the server itself, would be
   answered for ever. */
START_TEST(leaves_loops_alone)
{
	struct sockaddr_in low = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in to = low;
	const struct retort_exchange *end;
	int fd, port = 1023;

	open_protocol(RETORT_UDP, (struct retort_options){.port = 0}, _i);
	echo_all();
	to.sin_port = htons((in_port_t)retort_listener(server).port);
	/* by its own socket: that is where it comes from */
	ck_assert_int_eq(sendto(retort_listener(server, 0).fd, "loop", 4, 0,
				 (struct sockaddr *)&to, sizeof to),
		4);
	end = the_end(RETORT_UNANSWERED, 0);
	ck_assert_str_eq(end->reason, "its address is the server's own");
	ck_assert_uint_eq(end->sent, 0);
	settle();
	ck_assert_uint_eq(ends(), 1);
	event_count = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	do
		low.sin_port = htons((in_port_t)port);
	while (bind(fd, (struct sockaddr *)&low, sizeof low) < 0 &&
		errno == EADDRINUSE && --port > 900);
	/* only who may bind such a port can try */
	if (port > 900 && errno != EACCES) {
		ck_assert_int_eq(sendto(fd, "echo?", 5, 0,
					 (struct sockaddr *)&to, sizeof to),
			5);
		end = the_end(RETORT_UNANSWERED, 0);
		ck_assert_str_eq(end->reason, "its port is below 1024");
		settle();
		ck_assert_int_eq(recv(fd, events, 1, MSG_DONTWAIT), -1);
	}
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(stops_after_so_many_datagrams)
{
	char got[8];
	int fd;

	open_protocol(RETORT_UDP, (struct retort_options){.requests = 2}, _i);
	echo_all();
	fd = connect_plain(SOCK_DGRAM);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(retort_stats(server).replies, (uint64_t)i);
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
		TURN_UNTIL(recv(fd, got, sizeof got, MSG_DONTWAIT) == 1);
	}
	TURN_UNTIL(step(0) == 1);
	(void)close(fd);
	close_server();
}
END_TEST

static void
add_listings(Suite *suite)
{
	const TTest *const tests[] = {a_listing_leaves_turns_to_others,
		listings_side_by_side, listings_in_a_crowd,
		a_listing_for_one_that_half_closed,
		a_listing_for_one_that_resets, a_listing_for_one_that_left,
		a_listing_is_finished_in_the_grace,
		a_listing_ends_with_the_grace, the_last_request_ends_a_listing,
		a_listing_outlives_its_replacement, a_listing_outlives_its_name,
		a_listing_in_a_poll_loop, NULL};
	TCase *tcase = tcase_create("listings");

	tcase_add_unchecked_fixture(tcase, make_listed, remove_listed);
	for (size_t i = 0; tests[i] != NULL; i++)
		rt_test_loop(tcase, tests[i], 0, BACK_ENDS);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite;
	const TTest *const exchanges[] = {answers, answers_what_comes_in_pieces,
		answers_one_that_half_closed, a_late_server_is_no_time_out,
		answers_one_that_sends_too_much,
		a_reply_outlives_its_replacement, nobody_delays_the_others,
		leaves_the_process_alone, NULL};
	const TTest *const files[] = {serves_files, ends_truncated,
		a_file_that_grows_sends_what_was_promised,
		allocates_nothing_per_request, lives_without_memory,
		a_site_lives_without_memory, NULL};
	const TTest *const pieces[] = {echoes_a_mebibyte,
		reads_no_more_than_it_writes, echoes_to_many_at_once,
		tells_of_pieces, closes_the_silent,
		stops_after_so_many_connections, refuses_plain_connections,
		NULL};
	const TTest *const greetings[] = {greets, NULL};
	const TTest *const datagrams[] = {echoes_datagrams, leaves_loops_alone,
		stops_after_so_many_datagrams, NULL};

	watch_inside();
	way = ways + STEPPED;
	suite = suite_create("exchange");
	rt_test_cases(suite, "exchanges", exchanges, 0, BACK_ENDS);
	/* with and without sendfile */
	rt_test_cases(suite, "files", files, 0, 2 * BACK_ENDS);
	add_listings(suite);
	rt_test_cases(suite, "pieces", pieces, 0, BACK_ENDS);
	rt_test_cases(suite, "greetings", greetings, 0, 2 * BACK_ENDS);
	rt_test_cases(suite, "datagrams", datagrams, 0, BACK_ENDS);
	return rt_test_run(suite);
}
