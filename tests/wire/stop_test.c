/* SPDX-License-Identifier: MIT */
/* The server: how it is woken and stops. */
#include "config.h"

#include "wire/driving.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- stopping --- */

START_TEST(stops_after_so_many_requests)
{
	int idle, half;

	open_recorded((struct retort_options){.requests = 3}, _i);
	answer_text("hello");
	idle = connect_client();
	half = connect_client();
	ck_assert(client_send_text(half, "GET / HT"));
	settle();
	expect_ok(GET, "hello");
	expect_begin("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
	ck_assert_int_eq(step(0), 0);
	expect_ok(GET, "hello");
	TURN_UNTIL(ends() == 5);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(end_of(idle), 0);
	ck_assert_int_eq(end_of(half), 0);
	expect_refused(retort_url(server));
	(void)close(idle);
	(void)close(half);
	close_server();
}
END_TEST

START_TEST(time_outs_are_not_counted)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.unrecorded = true,
			     .requests = 2,
			     .head_timeout = 30},
		_i);
	answer_text("hello");
	for (int i = 0; i < 3; i++) {
		fd = connect_client();
		ck_assert_int_eq(converse(fd, "GET", 3, &got, SIZE_MAX), 0);
		assert_begins(got, "HTTP/1.1 408 ");
		bytes_free(&got);
		(void)close(fd);
	}
	expect_ok(GET, "hello");
	ck_assert_int_eq(step(0), 0);
	expect_ok(GET, "hello");
	TURN_UNTIL(step(0) == 1);
	close_server();
}
END_TEST

START_TEST(the_last_request_leaves_replies_under_way)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_stepped((struct retort_options){.unrecorded = true, .requests = 2},
		_i);
	answer_big();
	fd = connect_to_big();
	answer_text("last");
	expect_ok(GET, "last");
	expect_refused(retort_url(server));
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	ck_assert_uint_ge(got.size, BIG - (64u << 10));
	ck_assert(memcmp(got.data + got.size - 1000, big + BIG - 1000, 1000) ==
		0);
	TURN_UNTIL(step(0) == 1);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(stops)
{
	int idle, half, timeout;

	open_unrecorded(_i);
	answer_text("hello");
	idle = connect_client();
	half = connect_client();
	ck_assert(client_send_text(half,
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 5\r\n\r\nab"));
	settle();
	stop(1000000);
	/* nothing is left to wait for, and a poll loop learns that */
	timeout = poll_timeout();
	ck_assert_int_eq(timeout, 0);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(step(-1), 1);
	ck_assert_int_eq(end_of(idle), 0);
	ck_assert_int_eq(end_of(half), 0);
	expect_refused(retort_url(server));
	stop(5);
	ck_assert_int_eq(step(-1), 1);
	(void)close(idle);
	(void)close(half);
	close_server();
}
END_TEST

/* Requests that are queued when it is told to stop are answered. */
START_TEST(stops_after_what_is_queued)
{
	enum { QUEUED = 100 };
	struct bytes got = {.data = NULL};
	int fds[QUEUED];

	open_unrecorded(_i);
	answer_text("hello");
	expect_ok(GET, "hello");
	expect_ok(GET, "hello");
	for (int i = 0; i < QUEUED; i++) {
		fds[i] = connect_client();
		ck_assert(client_send_text(fds[i], GET));
	}
	stop(RT_TEST_PATIENCE * 1000);
	for (int i = 0; i < QUEUED; i++) {
		int code = converse(fds[i], "", 0, &got, SIZE_MAX);

		ck_assert_msg(code == 0, "client %d: %s", i, strerror(code));
		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		(void)close(fds[i]);
	}
	TURN_UNTIL(step(0) == 1);
	close_server();
}
END_TEST

START_TEST(stops_with_grace)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	fd = connect_to_big();
	stop(RT_TEST_PATIENCE * 1000);
	ck_assert_int_eq(step(0), 0);
	expect_refused(retort_url(server));
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	TURN_UNTIL(step(0) == 1);
	(void)the_end(RETORT_ANSWERED, 200);
	ck_assert(memcmp(got.data + got.size - 1000, big + BIG - 1000, 1000) ==
		0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(stops_when_the_grace_is_over)
{
	int64_t begun;
	int fd, timeout;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	fd = connect_to_big();
	begun = now_ms();
	stop(80);
	/* a longer time does not count any more */
	stop(1000000);
	timeout = poll_timeout();
	ck_assert_int_ge(timeout, 0);
	ck_assert_int_le(timeout, 80);
	while (step(-1) == 0)
		;
	ck_assert_int_ge(now_ms() - begun, 79);
	(void)the_end(RETORT_STOPPED, 200);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(a_second_stop_shortens)
{
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	fd = connect_to_big();
	stop(1000000);
	ck_assert_int_eq(step(0), 0);
	stop(0);
	ck_assert_int_eq(step(-1), 1);
	(void)the_end(RETORT_STOPPED, 200);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

/* --- waking and polling --- */

START_TEST(a_step_waits_and_not_longer)
{
	int64_t begun = now_ms(), used;

	open_unrecorded(_i);
	used = processor_ms();
	ck_assert_int_eq(step(200), 0);
	ck_assert_int_ge(now_ms() - begun, 200);
	ck_assert_int_lt(processor_ms() - used, 100);
	ck_assert_int_eq(step(0), 0);
	close_server();
}
END_TEST

static void *
wake_it(void *arg)
{
	retort_wake(arg);
	return NULL;
}

START_TEST(wakes_from_a_thread)
{
	pthread_t thread;

	open_unrecorded(_i);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, wake_it, server),
			0);
		/* for ever, were it not woken */
		ck_assert_int_eq(step(-1), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
	close_server();
}
END_TEST

static void
wake_on_signal(int number)
{
	(void)number;
	retort_wake(server);
}

START_TEST(wakes_from_a_handler)
{
	struct sigaction action = {.sa_handler = wake_on_signal};

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	open_unrecorded(_i);
	for (int i = 0; i < 10; i++) {
		errno = 77;
		ck_assert_int_eq(raise(SIGUSR1), 0);
		ck_assert_int_eq(errno, 77);
		ck_assert_int_eq(step(-1), 0);
	}
	(void)signal(SIGUSR1, SIG_DFL);
	close_server();
}
END_TEST

START_TEST(wakes_once_for_many)
{
	/* more than a pipe holds */
	int wakes = under_valgrind() ? 1000 : 100000;
	int64_t begun;

	open_unrecorded(_i);
	answer_text("hello");
	for (int i = 0; i < wakes; i++) {
		errno = 77;
		retort_wake(server);
		ck_assert_int_eq(errno, 77);
	}
	ck_assert_int_eq(step(-1), 0);
	/* all are taken by one step: the next one waits */
	begun = now_ms();
	ck_assert_int_eq(step(50), 0);
	ck_assert_int_ge(now_ms() - begun, 50);
	expect_ok(GET, "hello");
	retort_wake(server);
	ck_assert_int_eq(step(-1), 0);
	close_server();
}
END_TEST

START_TEST(has_a_descriptor_to_poll)
{
	struct pollfd polled = {.events = POLLIN};
	int fd, timeout;

	open_stepped((struct retort_options){.head_timeout = 60000}, _i);
	answer_text("hello");
	polled.fd = retort_fd(server);
	ck_assert_int_eq(poll_timeout(), -1);
	if (way->io == RETORT_IO_POLL) {
		ck_assert_int_eq(polled.fd, -ENOTSUP);
		close_server();
		return;
	}
	ck_assert_int_ge(polled.fd, 0);
	ck_assert_int_ne(fcntl(polled.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	retort_wake(server);
	ck_assert_int_eq(poll(&polled, 1, 0), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	fd = connect_client();
	ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	ck_assert_int_eq(retort_fd(server), polled.fd);
	timeout = poll_timeout();
	ck_assert_int_gt(timeout, 0);
	ck_assert_int_le(timeout, 60000);
	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(client_wait(fd, RT_TEST_PATIENCE * 1000), 0);
	(void)close(fd);
	close_server();
}
END_TEST

/* A caller with a poll(2) loop of its own needs nothing else. */
START_TEST(lives_in_a_poll_loop)
{
	struct pollfd polled[8];
	int64_t begun = now_ms();
	struct bytes got = {.data = NULL};
	int fd, timeout, steps = 0;
	size_t count;

	open_stepped((struct retort_options){.head_timeout = 80}, _i);
	fd = connect_client();
	ck_assert(client_send_text(fd, "GET"));
	for (polled[0].revents = 0; polled[0].revents == 0;) {
		polled[0] = (struct pollfd){.fd = fd, .events = POLLIN};
		count = retort_pollfds(server, polled + 1, COUNT(polled) - 1,
			&timeout);
		ck_assert_uint_lt(count, COUNT(polled));
		ck_assert_int_ge(poll(polled, (nfds_t)count + 1, timeout), 0);
		ck_assert_int_eq(step(0), 0);
		ck_assert_int_lt(++steps, 50);
	}
	ck_assert_int_ge(now_ms() - begun, 80);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_begins(got, "HTTP/1.1 408 ");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite;
	const TTest *const stopping[] = {stops_after_so_many_requests,
		time_outs_are_not_counted,
		the_last_request_leaves_replies_under_way, stops,
		stops_after_what_is_queued, stops_with_grace,
		stops_when_the_grace_is_over, a_second_stop_shortens, NULL};
	const TTest *const waking[] = {a_step_waits_and_not_longer,
		wakes_from_a_thread, wakes_from_a_handler, wakes_once_for_many,
		has_a_descriptor_to_poll, lives_in_a_poll_loop, NULL};

	watch_inside();
	way = ways + STEPPED;
	suite = suite_create("stop");
	rt_test_cases(suite, "stopping", stopping, 0, BACK_ENDS);
	rt_test_cases(suite, "waking", waking, 0, BACK_ENDS);
	return rt_test_run(suite);
}
