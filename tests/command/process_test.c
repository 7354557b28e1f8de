/* SPDX-License-Identifier: MIT */
/*
 * retort run and the processes around COMMAND: where they go, and that none is
 * left. $RETORT is the command; COMMAND is this program, which behaves as its
 * first argument says.
 */
#include "config.h"

#include "support/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* So long that whoever waits for it fails. */
#define FOREVER "1000"

/* This program. */
static const char *self;

/* --- as COMMAND --- */

/* Goes on for ever, or until it is ended. */
static _Noreturn void
linger(void)
{
	for (;;)
		(void)pause();
}

static void
say_told(int number)
{
	(void)number;
	(void)!write(STDOUT_FILENO, "told\n", 5);
	_exit(0);
}

/* In the process group of retort, as `set -m` or a wrong program may have it. */
static int
leave_group(void)
{
	if (setpgid(0, getpgid(getppid())) < 0)
		return 99;
	(void)!write(STDOUT_FILENO, "ready\n", 6);
	linger();
}

/* In a session of its own, with a parent that has left. */
static int
leave_behind(void (*on_term)(int))
{
	int ready[2];
	char c;

	if (pipe(ready) < 0)
		return 99;
	if (fork() == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		(void)signal(SIGTERM, on_term);
		(void)signal(SIGHUP, SIG_IGN);
		(void)!write(ready[1], "r", 1);
		linger();
	}
	return read(ready[0], &c, 1) == 1 ? 0 : 99;
}

/* One of its group, which ends when it is told to, but whom nobody waits for
   unless retort does. */
static int
leave_zombie(void)
{
	if (fork() == 0)
		linger();
	return 0;
}

static int
behave(const char *how)
{
	if (strcmp(how, "--leave-group") == 0)
		return leave_group();
	if (strcmp(how, "--leave-behind") == 0)
		return leave_behind(say_told);
	if (strcmp(how, "--leave-stubborn") == 0)
		return leave_behind(SIG_IGN);
	if (strcmp(how, "--leave-zombie") == 0)
		return leave_zombie();
	return 98;
}

/* --- how it ends --- */

/* retort run with these options, COMMAND being us. */
#define RUN(how, ...) \
	((const char *const[]){"run", "--body", "x", __VA_ARGS__, "--", self, \
		(how), NULL})

/* The output of COMMAND and all that it has begun, once all have ended. */
static void
assert_written(struct child *child, const char *expected)
{
	struct bytes out = {.data = NULL};

	ck_assert_int_eq(client_receive(child->out, &out), 0);
	assert_bytes(out.data, out.size, expected, strlen(expected));
	bytes_free(&out);
}

START_TEST(ends_what_has_left_its_group)
{
	struct child child =
		child_start(RUN("--leave-group", "--grace", "0.1"), 0);
	struct bytes out = {.data = NULL};

	client_expect(child.out, &out, "ready\n");
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	assert_written(&child, "");
	ck_assert_int_eq(child_end(&child), 128 + SIGTERM);
	bytes_free(&out);
}
END_TEST

START_TEST(ends_what_has_left_its_group_in_time)
{
	char lifetime[32];
	bool is_ready = false;

	/* it has left before that is over: so long it must have */
	for (int ms = 100; !is_ready; ms *= 2) {
		struct bytes out = {.data = NULL};
		struct child child;

		(void)snprintf(lifetime, sizeof lifetime, "%dms", ms);
		child = child_start(RUN("--leave-group", "--lifetime", lifetime,
					    "--grace", FOREVER),
			0);
		ck_assert_int_eq(client_receive(child.out, &out), 0);
		is_ready = strcmp(out.data, "ready\n") == 0;
		ck_assert(is_ready || out.size == 0);
		bytes_free(&out);
		ck_assert_int_eq(child_end(&child), 5);
	}
}
END_TEST

#ifdef PR_SET_CHILD_SUBREAPER

START_TEST(ends_what_has_left_its_session)
{
	struct child child =
		child_start(RUN("--leave-behind", "--grace", FOREVER), 0);

	assert_written(&child, "told\n");
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

START_TEST(kills_what_has_left_its_session)
{
	struct child child =
		child_start(RUN("--leave-stubborn", "--grace", "0.1"), 0);

	assert_written(&child, "");
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* Whoever else gets it, here we, does not wait for it; nor does process 1 of
   many a container. */
START_TEST(waits_for_nobody_that_is_dead)
{
	struct child child;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	child = child_start(RUN("--leave-zombie", "--grace", FOREVER), 0);
	assert_written(&child, "");
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* Of `something & exec retort run ...`. */
START_TEST(leaves_alone_what_was_there_before)
{
	int hold[2], tell[2], fds[2], status;
	struct child child;
	pid_t pid = -1;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(tell, O_CLOEXEC), 0);
	fds[0] = hold[0];
	fds[1] = tell[1];
	child = child_start_prepared(RUN("--leave-behind", "--grace", FOREVER),
		0, leave_child, fds);
	ck_assert_int_eq(read(tell[0], &pid, sizeof pid), sizeof pid);
	assert_written(&child, "told\n");
	ck_assert_int_eq(child_end(&child), 0);
	/* ours by now; it ends only now, and well */
	(void)close(hold[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"wait status %#x", (unsigned)status);
	(void)close(hold[0]);
	(void)close(tell[0]);
	(void)close(tell[1]);
}
END_TEST

/* A client of a sweep that leaves a process running. */
START_TEST(sweeps_leave_nothing)
{
	const char *const args[] = {"sweep", "--status", "204", "--", self,
		"--leave-stubborn", NULL};
	struct child child = child_start(args, 0);
	struct bytes errors = {.data = NULL};

	/* its end comes when nobody has it any more */
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 125);
	assert_has(errors, "did not connect");
	bytes_free(&errors);
}
END_TEST

#endif

static void
add_run(Suite *suite)
{
	TCase *tcase = tcase_create("run");

	tcase_add_test(tcase, ends_what_has_left_its_group);
	tcase_add_test(tcase, ends_what_has_left_its_group_in_time);
#ifdef PR_SET_CHILD_SUBREAPER
	tcase_add_test(tcase, ends_what_has_left_its_session);
	tcase_add_test(tcase, kills_what_has_left_its_session);
	tcase_add_test(tcase, waits_for_nobody_that_is_dead);
	tcase_add_test(tcase, leaves_alone_what_was_there_before);
	tcase_add_test(tcase, sweeps_leave_nothing);
#endif
	rt_test_case(suite, tcase);
}

int
main(int argc, char **argv)
{
	Suite *suite;

	if (argc > 1)
		return behave(argv[1]);
	self = argv[0];
	suite = suite_create("process");
	add_run(suite);
	return rt_test_run(suite);
}
