/* SPDX-License-Identifier: MIT */
/*
 * The files of Unix sockets: their permissions, and several servers that want
 * one at the same time.
 */
#include "config.h"

#include "os/sock.h"
#include "support/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { STARTERS = 4, ROUNDS = 200 };

static char *dir;
static char spec[sizeof "unix:" + sizeof(((struct sockaddr_un *)0)->sun_path)];
static const char *path;

static void
setup(void)
{
	dir = dir_make();
	(void)snprintf(spec, sizeof spec, "unix:%s/socket", dir);
	path = spec + 5;
}

static void
teardown(void)
{
	dir_remove(dir);
}

static int
listen_at(struct rt_sock *sock, enum retort_protocol protocol, int mode)
{
	const char *specs[] = {spec};

	return rt_sock_listen(sock, protocol, specs, 1, 0, mode, NULL);
}

/* A socket's file that nobody listens on. */
static void
leave_stale(enum retort_protocol protocol)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX,
		(protocol == RETORT_UDP ? SOCK_DGRAM : SOCK_STREAM) |
			SOCK_CLOEXEC,
		0);

	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	(void)close(fd);
}

/* Whether somebody listens. */
static bool
answers(enum retort_protocol protocol)
{
	int fd = client_try(spec,
		protocol == RETORT_UDP ? SOCK_DGRAM : SOCK_STREAM);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* --- at the same time --- */

struct starter {
	pthread_t thread;
	pthread_barrier_t *barrier;
	enum retort_protocol protocol;
	struct rt_sock sock[2];
	int result;
};

static void *
start(void *arg)
{
	struct starter *starter = arg;

	(void)pthread_barrier_wait(starter->barrier);
	starter->result = listen_at(starter->sock, starter->protocol, 0);
	return NULL;
}

/* One of them has it, and the others are told. */
static void
start_all(enum retort_protocol protocol)
{
	struct starter starters[STARTERS];
	pthread_barrier_t barrier;
	int succeeded = 0;

	(void)pthread_barrier_init(&barrier, NULL, STARTERS);
	for (int i = 0; i < STARTERS; i++) {
		starters[i] = (struct starter){.barrier = &barrier,
			.protocol = protocol};
		ck_assert_int_eq(pthread_create(&starters[i].thread, NULL,
					 start, starters + i),
			0);
	}
	for (int i = 0; i < STARTERS; i++)
		(void)pthread_join(starters[i].thread, NULL);
	(void)pthread_barrier_destroy(&barrier);
	ck_assert(answers(protocol));
	for (int i = 0; i < STARTERS; i++) {
		succeeded += starters[i].result == 1;
		if (starters[i].result == 1)
			rt_sock_close(starters[i].sock);
		else
			ck_assert_int_eq(starters[i].result, -EADDRINUSE);
	}
	ck_assert_int_eq(succeeded, 1);
	/* and it was the one whose file was there */
	ck_assert_int_lt(access(path, F_OK), 0);
}

START_TEST(one_of_several_has_it)
{
	enum retort_protocol protocol = _i == 1 ? RETORT_UDP : RETORT_HTTP;

	for (int i = 0; i < ROUNDS; i++) {
		leave_stale(protocol);
		start_all(protocol);
	}
}
END_TEST

START_TEST(one_of_several_has_it_where_nothing_was)
{
	for (int i = 0; i < ROUNDS; i++)
		start_all(RETORT_HTTP);
}
END_TEST

/* Whoever locks the folder, or hides it, keeps nobody from starting. */
START_TEST(a_lock_of_somebody_else)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rt_sock sock[2];

	leave_stale(RETORT_HTTP);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(listen_at(sock, RETORT_HTTP, 0), 1);
	ck_assert(answers(RETORT_HTTP));
	rt_sock_close(sock);
	(void)close(fd);
}
END_TEST

/* --- permissions --- */

static int
mode_of(const char *name)
{
	struct stat status;

	ck_assert_int_eq(lstat(name, &status), 0);
	ck_assert(S_ISSOCK(status.st_mode));
	return (int)(status.st_mode & 07777);
}

START_TEST(has_the_mode_that_was_asked_for)
{
	static const int modes[] = {0600, 0660, 0666, 0777, 0200};
	enum retort_protocol protocol = _i % 2 ? RETORT_UDP : RETORT_HTTP;
	struct rt_sock sock[2];

	(void)umask(_i < 2 ? 0 : 077);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (i % 2)
			leave_stale(protocol);
		ck_assert_int_eq(listen_at(sock, protocol, modes[i]), 1);
		ck_assert_msg(mode_of(path) == modes[i],
			"expected mode %o, got %o", (unsigned)modes[i],
			(unsigned)mode_of(path));
		rt_sock_close(sock);
	}
}
END_TEST

START_TEST(has_the_mode_of_the_umask)
{
	struct rt_sock sock[2];

	(void)umask(027);
	ck_assert_int_eq(listen_at(sock, RETORT_HTTP, 0), 1);
	ck_assert_int_eq(mode_of(path), 0750);
	rt_sock_close(sock);
}
END_TEST

/* --- the command --- */

START_TEST(command_sets_the_mode)
{
	char address[512];
	const char *const args[] = {"-b", address, "--body", "x", NULL};
	struct child child;

	(void)snprintf(address, sizeof address, "%s,mode=660", spec);
	(void)umask(077);
	child = child_start(args, 1);
	ck_assert_int_eq(mode_of(path), 0660);
	child_stop(&child);
}
END_TEST

START_TEST(command_refuses_other_modes)
{
	static const char *const modes[] = {"rw", "0", "1777", "668", "",
		"660 -b unix:other,mode=600"};
	char text[1024];
	struct child child;
	struct bytes errors = {.data = NULL};

	(void)snprintf(text, sizeof text, "--body x -b %s,mode=%s", spec,
		modes[_i]);
	child = child_start_text(text, 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 2);
	assert_begins(errors, "retort: --bind");
	assert_has(errors, "expected ");
	bytes_free(&errors);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("unix");
	TCase *tcase = tcase_create("files");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, one_of_several_has_it, 0, 2);
	tcase_add_test(tcase, one_of_several_has_it_where_nothing_was);
	tcase_add_test(tcase, a_lock_of_somebody_else);
	tcase_add_loop_test(tcase, has_the_mode_that_was_asked_for, 0, 4);
	tcase_add_test(tcase, has_the_mode_of_the_umask);
	tcase_add_test(tcase, command_sets_the_mode);
	tcase_add_loop_test(tcase, command_refuses_other_modes, 0, 6);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
