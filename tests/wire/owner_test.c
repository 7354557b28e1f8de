/* SPDX-License-Identifier: MIT */
/*
 * Who may do what with a server: forks of its process, which run the parent's
 * clean-up, say, and several threads after its end.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

enum { STOPPERS = 8, STOPS = 100 };

/* Where clang counts what runs (make coverage): _exit(2) writes nothing. */
int __llvm_profile_write_file(void) __attribute__((weak));

/* Ends a fork. Its memory is that of its parent, whose threads it lacks: under
   valgrind another program ends in its place, so that nothing is taken for
   lost. */
static _Noreturn void
end_fork(int status)
{
	if (under_valgrind())
		(void)execl("/bin/sh", "sh", "-c",
			status == 0 ? "exit 0" : "exit 1", (char *)NULL);
	if (__llvm_profile_write_file != NULL)
		(void)__llvm_profile_write_file();
	_exit(status);
}

/* Runs `act` in a fork; what it returns is the exit status, 0 if all is well.
   One that hangs is ended by SIGALRM. */
static void
in_fork(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)signal(SIGALRM, SIG_DFL);
		(void)alarm((unsigned)RT_TEST_PATIENCE);
		end_fork(act());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "%s: the fork ended with wait status %#x",
		way->name, (unsigned)status);
}

static int
close_it(void)
{
	retort_close(server);
	return 0;
}

/* As a handler of atexit(3) may do it. */
static int
clean_up(void)
{
	retort_stop(server, 0);
	(void)finish(0);
	retort_reset(server);
	retort_wake(server);
	retort_close(server);
	return 0;
}

static void
expect_body(const char *request, const char *body)
{
	struct bytes got = exchange(request);
	const char *end = strstr(got.data, "\r\n\r\n");

	ck_assert_msg(end != NULL && strcmp(end + 4, body) == 0,
		"%s: expected the body \"%s\": %s", way->name, body,
		shown(got.data, got.size));
	bytes_free(&got);
}

/* --- clean-up in a fork --- */

START_TEST(goes_on_after_clean_up_in_a_fork)
{
	struct bytes got = {.data = NULL};
	char *dir = dir_make(), socket_url[4096], bind[4200];
	int fd;

	(void)snprintf(socket_url, sizeof socket_url, "unix:%s/socket", dir);
	(void)snprintf(bind, sizeof bind, "127.0.0.1\n%s", socket_url);
	open_with((struct retort_options){.bind = bind}, _i % BASIC_WAYS);
	ON("GET /", .body = "hello");
	expect_body(GET, "hello");
	/* one in the middle of its request */
	fd = connect_client();
	say(fd, "GET / HTTP/1.1\r\n");
	TURN_UNTIL(retort_stats(server).connections == 1);

	in_fork(_i < BASIC_WAYS ? clean_up : close_it);
	ck_assert_int_eq(access(socket_url + 5, F_OK), 0);
	ck_assert_int_eq(talk(fd, "Host: x\r\n\r\n", 11, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 200 ");
	bytes_free(&got);
	(void)close(fd);
	expect_body(GET, "hello");
	fd = client_connect(socket_url);
	ck_assert_int_eq(talk(fd, GET, strlen(GET), &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 200 ");
	bytes_free(&got);
	(void)close(fd);
	ck_assert_uint_eq(retort_count(server, "GET /"), 4);
	assert_verdict(NULL);
	/* it ends, and does not wait for ever */
	close_server();
	ck_assert_int_ne(access(socket_url + 5, F_OK), 0);
	dir_remove(dir);
}
END_TEST

START_TEST(datagrams_go_on_after_clean_up_in_a_fork)
{
	struct pollfd polled;
	char text[16];
	int fd;

	open_with((struct retort_options){.protocol = RETORT_UDP}, _i);
	ON(NULL, .body = "b");
	in_fork(clean_up);
	fd = connect_plain(SOCK_DGRAM);
	say(fd, "a");
	polled = (struct pollfd){.fd = fd, .events = POLLIN};
	TURN_UNTIL(poll(&polled, 1, 0) == 1);
	ck_assert_int_eq(recv(fd, text, sizeof text, 0), 1);
	ck_assert_int_eq(text[0], 'b');
	(void)close(fd);
	close_server();
}
END_TEST

/* A reply that ends in a RST, in the fork too, is under way. */
START_TEST(a_fork_resets_nobody)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON("GET /", .body = "hello", .faults = "pause 100; end reset");
	fd = connect_client();
	say(fd, GET);
	TURN_UNTIL(retort_count(server, "GET /") == 1);
	in_fork(clean_up);
	ck_assert_int_eq(talk(fd, "", 0, &got, "hello"), 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- the lock is held at the time --- */

static int
fork_within(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	pid_t pid = fork();

	(void)exchange;
	if (pid == 0) {
		(void)signal(SIGALRM, SIG_DFL);
		(void)alarm((unsigned)RT_TEST_PATIENCE);
		end_fork(clean_up());
	}
	*(pid_t *)arg = pid;
	reply->body = "forked";
	return 0;
}

START_TEST(clean_up_in_a_fork_made_by_a_callback)
{
	int status = -1;
	pid_t pid = -1;

	open_plain(_i);
	ON("GET /fork", .handler = fork_within, .handler_arg = &pid);
	ON("GET /", .body = "hello");
	expect_body("GET /fork HTTP/1.1\r\nHost: x\r\n\r\n", "forked");
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "wait status %#x", (unsigned)status);
	expect_body(GET, "hello");
	close_server();
}
END_TEST

/* --- what a fork asks --- */

#define FAIL_UNLESS(condition) \
	do { \
		if (!(condition)) { \
			(void)fprintf(stderr, "in a fork: %s\n", #condition); \
			return 1; \
		} \
	} while (0)

static int
ask_about_the_life(void)
{
	int timeout = 0, pair[2];
	struct pollfd polled[4];

	FAIL_UNLESS(retort_step(server, 0) == -EPERM);
	FAIL_UNLESS(retort_pollfds(server, polled, 4, &timeout) == 0);
	FAIL_UNLESS(timeout == -1);
	FAIL_UNLESS(retort_fd(server) == -EPERM);
	FAIL_UNLESS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	FAIL_UNLESS(retort_adopt(server, pair[0]) == -EPERM);
	FAIL_UNLESS(retort_refuse(server, true) == -EPERM);
	FAIL_UNLESS(retort_listener(server, 0).fd == -1);
	FAIL_UNLESS(strstr(finish(0), "fork") != NULL);
	/* where it is may be asked: a client in a fork needs it */
	FAIL_UNLESS(strncmp(retort_url(server), "http://", 7) == 0);
	FAIL_UNLESS(retort_listener(server).port > 0);
	return 0;
}

static int
ask_about_answers(void)
{
	char text[RETORT_ERROR_SIZE] = "", *notices = text;
	const struct retort_reply reply = {.body = "x", .error = text};

	FAIL_UNLESS(retort_on(server, "GET /x", .body = "x") == -EPERM);
	FAIL_UNLESS(set_answer(&reply) == -EPERM);
	FAIL_UNLESS(strstr(text, "fork") != NULL);
	FAIL_UNLESS(set_files(".", &(struct retort_files){0}) == -EPERM);
	FAIL_UNLESS(reply_on(1, &reply) == -EPERM);
	FAIL_UNLESS(retort_load(server, .text = "") == -EPERM);
	FAIL_UNLESS(retort_load(server, "/dev/null", .notices = &notices) ==
		-EPERM);
	FAIL_UNLESS(notices == NULL);
	FAIL_UNLESS(retort_sweep(server, NULL) == -EPERM);
	return 0;
}

static int
ask_about_what_came(void)
{
	struct retort_exchange exchange = {.end = RETORT_OPEN};

	FAIL_UNLESS(retort_record(server, 1) == NULL);
	FAIL_UNLESS(retort_count(server, "GET /") == SIZE_MAX);
	FAIL_UNLESS(retort_wait(server, "GET /", .timeout = -1) == NULL);
	FAIL_UNLESS(!retort_wait_end(server, &exchange, -1));
	FAIL_UNLESS(!retort_wait_end(server, NULL, -1));
	FAIL_UNLESS(retort_stats(server).connections == 0);
	FAIL_UNLESS(retort_stats(server).accepted == 0);
	FAIL_UNLESS(retort_stats(server).shortages == 0);
	FAIL_UNLESS(retort_load(server, "/no/such/file") == -EPERM);
	FAIL_UNLESS(retort_stats(server).replies == 0);
	FAIL_UNLESS(retort_transcript(server, 1) == NULL);
	FAIL_UNLESS(retort_expect(server, "GET /", .times = 1) == -EPERM);
	FAIL_UNLESS(retort_expect_order(server, "GET /\nPOST /") == -EPERM);
	FAIL_UNLESS(retort_stats(server).expectations == 0);
	FAIL_UNLESS(strstr(retort_verdict(server), "fork") != NULL);
	retort_reset(server, RETORT_RECORDS);
	retort_reset(server, RETORT_ENDED);
	return 0;
}

/* --- a server that did not start --- */

START_TEST(nobody_is_told)
{
	static const char why[] = "there is no server: retort_start() failed";
	struct retort *none = NULL;
	char text[RETORT_ERROR_SIZE] = "";
	struct pollfd polled;
	int timeout;

	ck_assert_int_eq(retort_on(none, "GET /", .error = text), -EPERM);
	ck_assert_str_eq(text, why);
	ck_assert_int_eq(retort_answer(none, .body = "x"), -EPERM);
	ck_assert_int_eq(retort_serve(none, "."), -EPERM);
	ck_assert_int_eq(retort_reply_later(none, 1, .body = "x"), -EPERM);
	ck_assert_int_eq(retort_push(none, 1, "x", 1), -EPERM);
	ck_assert_int_eq(retort_load(none, .text = ""), -EPERM);
	ck_assert_int_eq(retort_sweep(none, NULL), -EPERM);
	ck_assert_int_eq(retort_expect(none, "GET /"), -EPERM);
	ck_assert_int_eq(retort_expect_order(none, "GET /\nGET /"), -EPERM);
	ck_assert_int_eq(retort_step(none, 0), -EPERM);
	ck_assert_int_eq(retort_fd(none), -EPERM);
	ck_assert(retort_pollfds(none, &polled, 1, &timeout) == 0);
	ck_assert_int_eq(retort_adopt(none, 0), -EPERM);
	ck_assert_int_eq(retort_refuse(none, true), -EPERM);
	ck_assert_int_eq(retort_end(none, 1, RETORT_FIN), -EPERM);
	ck_assert_ptr_null(retort_url(none, "/"));
	ck_assert_ptr_null(retort_ca(none));
	ck_assert_int_eq(retort_listener(none).port, -1);
	ck_assert_ptr_null(retort_record(none, 1));
	ck_assert(retort_count(none) == SIZE_MAX);
	ck_assert_ptr_null(retort_wait(none));
	ck_assert(!retort_wait_end(none, NULL, -1));
	ck_assert_ptr_null(retort_transcript(none, 1));
	ck_assert(!retort_ok(none));
	ck_assert_int_eq(strncmp(retort_verdict(none), why, strlen(why)), 0);
	ck_assert_ptr_nonnull(strstr(retort_stats(none).cut_off, why));
	retort_wake(none);
	retort_reset(none);
	retort_stop(none);
	retort_close(none);
}
END_TEST

START_TEST(a_fork_is_told)
{
	open_plain(_i);
	ON("GET /", .body = "hello");
	ck_assert_int_gt(retort_expect(server, "GET /", .times = 1), 0);
	expect_body(GET, "hello");
	in_fork(ask_about_the_life);
	in_fork(ask_about_answers);
	in_fork(ask_about_what_came);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* --- several threads --- */

static void *
stop_it(void *barrier)
{
	(void)pthread_barrier_wait(barrier);
	for (int i = 0; i < STOPS; i++)
		retort_stop(server, 0);
	(void)finish(0);
	(void)retort_refuse(server, true);
	return NULL;
}

/* At once, while it still runs, or after its loop has ended. */
START_TEST(stopped_by_several_threads)
{
	bool ended = _i >= 2;
	pthread_barrier_t barrier;
	pthread_t threads[STOPPERS];

	open_with((struct retort_options){.requests = ended ? 1 : 0}, _i % 2);
	ON("GET /", .body = "hello");
	expect_body(GET, "hello");
	if (ended)
		TURN_UNTIL(client_try(retort_url(server), SOCK_STREAM) < 0);
	(void)pthread_barrier_init(&barrier, NULL, STOPPERS);
	for (int i = 0; i < STOPPERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, stop_it,
					 &barrier),
			0);
	for (int i = 0; i < STOPPERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	(void)pthread_barrier_destroy(&barrier);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("owner");
	TCase *tcase = tcase_create("forks");

	rt_test_loop(tcase, goes_on_after_clean_up_in_a_fork, 0,
		2 * BASIC_WAYS);
	rt_test_loop(tcase, datagrams_go_on_after_clean_up_in_a_fork, 0,
		BASIC_WAYS);
	rt_test_loop(tcase, a_fork_resets_nobody, 0, BASIC_WAYS);
	rt_test_loop(tcase, clean_up_in_a_fork_made_by_a_callback, 0,
		BASIC_WAYS);
	rt_test_loop(tcase, a_fork_is_told, 0, BASIC_WAYS);
	tcase_add_test(tcase, nobody_is_told);
	rt_test_case(suite, tcase);
	tcase = tcase_create("threads");
	tcase_add_loop_test(tcase, stopped_by_several_threads, 0, 4);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
