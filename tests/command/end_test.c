/* SPDX-License-Identifier: MIT */
/* The command: how it ends. */
#include "config.h"

#include "command/commanding.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits, with a deadline, until nobody listens any more. */
static void
wait_refused(const char *url)
{
	int64_t end = now_ms() + RT_TEST_PATIENCE * 1000;
	int fd;

	while ((fd = client_try(url, SOCK_STREAM)) >= 0) {
		(void)close(fd);
		ck_assert_msg(now_ms() < end, "%s still listens", url);
		(void)poll(NULL, 0, 1);
	}
}

/* --- end --- */

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP};

/* Idle and half-received ones end at once, whatever the grace. */
START_TEST(test_signal)
{
	char *dir = dir_make(), spec[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-b", spec,
		"--body", "x", "--grace", "3600", ios[_i % 2], NULL};
	struct bytes reply, end = {.data = NULL};
	struct child child;
	int idle, half;

	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 2);
	idle = client_connect(spec);
	half = client_connect(child.url[0]);
	ck_assert(client_send_text(half, "GET / HT"));
	/* accepted in order: both were when these are answered */
	for (int i = 0; i < 2; i++) {
		reply = client_exchange(child.url[i], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	ck_assert_int_eq(kill(child.pid, end_signals[_i / 2]), 0);
	ck_assert_int_eq(child_end(&child), 0);
	(void)client_receive(idle, &end);
	(void)client_receive(half, &end);
	ck_assert_uint_eq(end.size, 0);
	bytes_free(&end);
	(void)close(idle);
	(void)close(half);
	dir_remove(dir);
}
END_TEST

static void
ignore_hangup(const void *arg)
{
	(void)arg;
	(void)signal(SIGHUP, SIG_IGN);
}

START_TEST(test_nohup)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		NULL};
	struct child child = child_start_prepared(args, 1, ignore_hangup, NULL);

	for (int i = 0; i < 3; i++) {
		struct bytes reply;

		ck_assert_int_eq(kill(child.pid, SIGHUP), 0);
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	child_stop(&child);
}
END_TEST

START_TEST(test_grace_finishes)
{
	char *dir = make_big();
	struct child child = START("--grace", "60", ios[_i], dir);
	struct bytes reply = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);

	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	wait_refused(child.url[0]);
	ck_assert_int_eq(body_size(&reply) + count_rest(fd, &error), BIG);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(child_end(&child), 0);
	bytes_free(&reply);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

START_TEST(test_grace_cuts)
{
	char *dir = make_big();
	struct child child = START("--grace", "0.2", ios[_i], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);
	int64_t began = now_ms();

	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_ge(now_ms() - began, 200);
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), BIG);
	assert_has(errors, "(stopped)");
	bytes_free(&errors);
	bytes_free(&reply);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

START_TEST(test_second_signal)
{
	char *dir = make_big();
	struct child child = START("--grace", "3600", ios[_i], dir);
	struct bytes reply = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);

	ck_assert_int_eq(kill(child.pid, SIGINT), 0);
	wait_refused(child.url[0]);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), BIG);
	bytes_free(&reply);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* Connections in the queue, and bytes already there, when the signal comes. */
START_TEST(test_queued)
{
	struct child child = START("--body", "x", ios[_i]);
	struct bytes reply = {.data = NULL};
	int half = client_connect(child.url[0]), fd[8];

	ck_assert(client_send_text(half, "GET / HTTP/1.1\r\n"));
	reply = client_exchange(child.url[0], GET);
	bytes_free(&reply);
	hold(&child);
	ck_assert(client_send_text(half, "Host: localhost\r\n\r\n"));
	for (int i = 0; i < 8; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], GET));
	}
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	let_go(&child);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(client_receive(fd[i], &reply), 0);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	/* its request was complete before the signal */
	(void)client_receive(half, &reply);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	(void)close(half);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* In a process of its own, as no other can be started there afterwards. */
START_TEST(test_pid_1)
{
	enum { NOT_ALLOWED = 77 };
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct bytes reply;
		struct child child;

		if (unshare(CLONE_NEWPID) < 0)
			_exit(NOT_ALLOWED);
		/* it needs a /proc of the same namespace */
		(void)setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
		child = START("--body", "x", "--with-parent");
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		child_stop(&child);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) &&
			(WEXITSTATUS(status) == 0 ||
				WEXITSTATUS(status) == NOT_ALLOWED),
		"wait status %#x", (unsigned)status);
}
END_TEST

/* A client that leaves in the middle of its reply. */
START_TEST(test_sigpipe)
{
	char *dir = make_big();
	struct child child = START(ios[_i], dir);
	struct bytes reply = {.data = NULL};

	for (int i = 0; i < 4; i++) {
		int fd = begin_big(child.url[0], &reply);

		if (i % 2)
			client_reset(fd);
		else
			(void)close(fd);
		bytes_free(&reply);
	}
	reply = client_exchange(child.url[0], "HEAD /big" END);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_requests)
{
	struct child child = START("--body", "x", "--requests", "3", ios[_i]);
	struct bytes reply, errors = {.data = NULL};

	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	/* without one byte: not counted, and not logged */
	(void)close(client_connect(child.url[0]));
	reply = client_exchange(child.url[0], "nonsense\r\n\r\n");
	assert_begins(reply, "HTTP/1.1 400 ");
	bytes_free(&reply);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_msg(count_lines(&errors) == 3, "expected 3 lines: %s",
		errors.data);
	bytes_free(&errors);
}
END_TEST

/* To a client that is in time. */
static void
expect_reply(const struct child *child, const char *request, const char *begin)
{
	struct bytes reply = {.data = NULL};
	int fd = connect_held(child, child->url[0], request);

	ck_assert_int_eq(client_receive(fd, &reply), 0);
	assert_begins(reply, begin);
	bytes_free(&reply);
	(void)close(fd);
}

START_TEST(test_requests_late)
{
	struct child child = START("--body", "x", "--requests", "1",
		"--timeout", "0.2", ios[_i]);

	for (int i = 0; i < 2; i++)
		expect_reply(&child, "GET / HT", "HTTP/1.1 408 ");
	expect_reply(&child, GET, "HTTP/1.1 200 ");
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* The last one closes the door; a reply under way is finished. */
START_TEST(test_requests_under_way)
{
	char *dir = make_big();
	struct child child = START("--requests", "2", ios[_i], dir);
	struct bytes reply = {.data = NULL}, last, none = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);
	int half = client_connect(child.url[0]);

	ck_assert(client_send_text(half, "GET / HT"));
	last = client_exchange(child.url[0], "GET /missing" END);
	assert_begins(last, "HTTP/1.1 404 ");
	(void)client_receive(half, &none);
	ck_assert_uint_eq(none.size, 0);
	wait_refused(child.url[0]);
	ck_assert_int_eq(body_size(&reply) + count_rest(fd, &error), BIG);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(child_end(&child), 0);
	bytes_free(&reply);
	bytes_free(&last);
	bytes_free(&none);
	(void)close(half);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* Exactly this many, however many arrive at once. */
START_TEST(test_requests_exact)
{
	struct child child = START("--body", "x", "--requests", "5", ios[_i]);
	struct bytes reply = {.data = NULL};
	int fd[20], answered = 0;

	hold(&child);
	for (int i = 0; i < 20; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], GET));
	}
	let_go(&child);
	for (int i = 0; i < 20; i++) {
		(void)client_receive(fd[i], &reply);
		answered += strncmp(reply.data, "HTTP/1.1 200 ", 13) == 0;
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	ck_assert_int_eq(answered, 5);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* As exactly when the replies take many turns to be made. */
START_TEST(test_requests_listings)
{
	char *dir = dir_make(), name[32];
	struct child child;
	struct bytes reply = {.data = NULL};
	int fd[8], answered = 0;

	dir_write(dir, "many/0", "", 0);
	for (int i = 1; i < 3000; i++) {
		(void)snprintf(name, sizeof name, "many/%d", i);
		ck_assert_int_eq(link(in(dir, "many/0"), in(dir, name)), 0);
	}
	child = START("--requests", "1", ios[_i], dir);
	hold(&child);
	for (int i = 0; i < 8; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], "GET /many/" END));
	}
	let_go(&child);
	for (int i = 0; i < 8; i++) {
		bytes_add(&reply, "", 0);
		(void)client_receive(fd[i], &reply);
		if (reply.size > 0) {
			assert_begins(reply, "HTTP/1.1 200 ");
			assert_has(reply, "</html>\n");
			answered++;
		}
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	ck_assert_msg(answered == 1, "expected 1 reply, got %d", answered);
	ck_assert_int_eq(child_end(&child), 0);
	dir_remove(dir);
}
END_TEST

/* The reply was given, though its connection is still being drained. Whether
   the client was in time for it. */
static bool
ends_while_it_drains(int lifetime, const char *io)
{
	struct bytes reply = {.data = NULL};
	struct child child;
	char text[32];
	int fd;
	bool came;

	(void)snprintf(text, sizeof text, "%dms", lifetime);
	child = START("--body", "x", "--lifetime", text, "--requests", "1", io);
	fd = client_try(child.url[0], SOCK_STREAM);
	if (fd >= 0) {
		(void)client_send_text(fd, "BAD\x01\r\n");
		(void)client_receive(fd, &reply);
	}
	came = reply.size > 0;
	if (came)
		assert_has(reply, "400 Bad Request");
	ck_assert_int_eq(child_end(&child), came ? 0 : 5);
	bytes_free(&reply);
	if (fd >= 0)
		(void)close(fd);
	return came;
}

START_TEST(test_lifetime_drains)
{
	for (int lifetime = 300; !ends_while_it_drains(lifetime, ios[_i]);
		lifetime *= 2)
		;
}
END_TEST

START_TEST(test_lifetime)
{
	struct bytes errors = {.data = NULL}, reply;
	int64_t began = now_ms();
	struct child child;

	ck_assert_int_eq(RUN(&errors, "-p", "0", "--body", "x", "--lifetime",
				 "0.2", ios[_i]),
		0);
	ck_assert_int_ge(now_ms() - began, 200);
	ck_assert_str_eq(errors.data, "");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--body", "x", "--lifetime",
				 "0.1", "--requests", "1", ios[_i]),
		5);
	bytes_free(&errors);
	child = START("--body", "x", "--lifetime", "3600", "--requests", "1",
		ios[_i]);
	reply = client_exchange(child.url[0], GET);
	bytes_free(&reply);
	ck_assert_int_eq(child_end(&child), 0);
	/* a signal is not the end of a lifetime */
	child = START("--body", "x", "--lifetime", "3600", "--requests", "1",
		ios[_i]);
	child_stop(&child);
}
END_TEST

static void
take_null_input(const void *arg)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)arg;
	(void)dup2(fd, STDIN_FILENO);
}

/*
 * A process between this one and the command is killed, which cannot tell
 * the command anything. Its orphan comes to us, if we ask for that.
 */
START_TEST(test_parent_killed)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		"--with-parent", ios[_i], NULL};
	struct child child;
	int status, pair[2];
	pid_t parent;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
	parent = fork();
	ck_assert_int_ge(parent, 0);
	if (parent == 0) {
		child = child_start_prepared(args, 1, take_null_input, NULL);
		(void)!write(pair[1], &child, sizeof child);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(client_wait(pair[0], RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(read(pair[0], &child, sizeof child), sizeof child);
	(void)close(pair[1]);
	ck_assert_int_eq(kill(parent, SIGKILL), 0);
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	(void)close(pair[0]);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"wait status %#x", (unsigned)status);
}
END_TEST

/* The end of a pipe on stdin, which must be asked for. */
START_TEST(test_input_ends)
{
	struct child child = START("--body", "x", "--with-parent", ios[_i]);
	struct bytes reply;

	/* what comes on it is dropped */
	ck_assert_int_eq(write(child.in, "some\nlines\n", 11), 11);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	(void)close(child.in);
	child.in = -1;
	ck_assert_int_eq(child_end(&child), 0);

	child = START("--body", "x", ios[_i]);
	(void)close(child.in);
	child.in = -1;
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
}
END_TEST

/* An option reads it: its end is not the parent's. Neither is /dev/null's. */
START_TEST(test_input_used)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body",
		"@-", "--with-parent", ios[_i], NULL};
	const char *const null[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		"--with-parent", ios[_i], NULL};
	struct child child = child_start(args, 0);
	struct bytes reply, urls = {.data = NULL};

	ck_assert_int_eq(write(child.in, "from\0stdin", 10), 10);
	(void)close(child.in);
	child.in = -1;
	ck_assert_int_eq(client_receive(child.out, &urls), 0);
	for (int i = 0; i < 3; i++) {
		reply = client_exchange(strndupa(urls.data,
						strcspn(urls.data, "\n")),
			GET);
		ck_assert_int_eq(body_size(&reply), 10);
		ck_assert_mem_eq(reply.data + reply.size - 10, "from\0stdin",
			10);
		bytes_free(&reply);
	}
	bytes_free(&urls);
	child_stop(&child);

	child = child_start_prepared(null, 1, take_null_input, NULL);
	for (int i = 0; i < 3; i++) {
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	child_stop(&child);
}
END_TEST

/* --- load --- */

/* So many clients, at once, while the command cannot run. */
START_TEST(test_burst)
{
	enum { COUNT = 200 };
	struct child child = START("--body", "x", ios[_i]);
	struct bytes reply = {.data = NULL};
	int fd[COUNT];

	hold(&child);
	for (int i = 0; i < COUNT; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], GET));
	}
	let_go(&child);
	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(client_receive(fd[i], &reply), 0);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	child_stop(&child);
}
END_TEST

/* Silent ones: by TCP, and by a Unix socket, where they are accepted. */
START_TEST(test_idle)
{
	enum { COUNT = 2000 };
	char *dir, spec[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-b", spec,
		"--body", "x", "--timeout", "600", ios[_i], NULL};
	static int fd[COUNT];
	struct child child;

	need_descriptors(COUNT + 100);
	dir = dir_make();
	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 2);
	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < COUNT; i++)
			fd[i] = client_connect(child.url[k]);
		for (int i = 0; i < 10; i++) {
			struct bytes reply = client_exchange(child.url[k], GET);

			assert_begins(reply, "HTTP/1.1 200 ");
			bytes_free(&reply);
		}
		for (int i = 0; i < COUNT; i++)
			(void)close(fd[i]);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Nobody reads the log. */
START_TEST(test_full_log)
{
	struct child child = START("-vv", "--body", "x", ios[_i]);
	struct bytes errors = {.data = NULL};
	int status;

	for (int i = 0; i < times(5000); i++) {
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	/* what did come is made of whole lines, and what did not is told */
	while (client_wait(child.err, 0) == 0 && errors.size < 65536) {
		char text[4096];
		ssize_t n = read(child.err, text, sizeof text);

		ck_assert_int_gt(n, 0);
		bytes_add(&errors, text, (size_t)n);
	}
	ck_assert_uint_ge(errors.size, times(5000) >= 5000 ? 32768 : 1);
	ck_assert_int_eq(errors.data[errors.size - 1], '\n');
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	status = child_end_with_errors(&child, &errors);
	ck_assert_int_eq(status, 0);
	if (times(5000) >= 5000)
		assert_has(errors, " log lines dropped\n");
	bytes_free(&errors);
}
END_TEST

START_TEST(test_closed_log)
{
	struct child child = START("-vv", "--body", "x", ios[_i]);
	int status;

	(void)close(child.err);
	for (int i = 0; i < 100; i++) {
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(status, 0);
	(void)close(child.out);
	(void)close(child.in);
}
END_TEST

/* Becomes a shell that becomes the command. (valgrind only pretends to do
   what setrlimit(2) asks for.) */
static void
limit_descriptors(const void *args)
{
	const char *const *at = args;
	const char *command = getenv("RETORT");
	const char *argv[32] = {"sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\"",
		command ? command : "./retort"};

	/* RETORT_IO is in the environment by now */
	for (size_t i = 4; *at != NULL && i < 31; at++)
		if (strchr(*at, '=') == NULL)
			argv[i++] = *at;
	(void)execv("/bin/sh", (char *const *)(uintptr_t)argv);
}

/* Processor time of a process, in milliseconds. */
static int64_t
used_ms(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char name[64];
	struct bytes text;

	(void)snprintf(name, sizeof name, "/proc/%ld/stat", (long)pid);
	text = read_file(name);
	ck_assert_int_eq(sscanf(strrchr(text.data, ')'),
				 ") %*c %*d %*d %*d "
				 "%*d %*d %*u %*u %*u %*u %*u %lu %lu",
				 &user, &system),
		2);
	bytes_free(&text);
	return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

START_TEST(test_descriptors)
{
	enum { COUNT = 100 };
	char *dir = dir_make();
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--timeout",
		"600", ios[_i], dir, NULL};
	struct child child;
	struct bytes reply = {.data = NULL};
	int64_t used;
	int fd[COUNT], waiting;

	write_text(dir, "index.html", "index");
	child = child_start_prepared(args, 1, limit_descriptors, args);
	for (int i = 0; i < COUNT; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], "G"));
	}
	waiting = client_connect(child.url[0]);
	ck_assert(client_send_text(waiting, GET));
	/* it waits, and so does the command, which has no reason to run */
	used = used_ms(child.pid);
	ck_assert_int_eq(client_wait(waiting, 1000), -1);
	used = used_ms(child.pid) - used;
	ck_assert_msg(used < 500, "%lld ms of processor time in 1000 ms",
		(long long)used);
	/* the accepted ones are served meanwhile, from files too: however
	   long it takes, accepting leaves some descriptors for these */
	ck_assert(client_send_text(fd[0], &GET[1]));
	ck_assert_int_eq(client_receive(fd[0], &reply), 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	for (int i = 0; i < COUNT; i++)
		(void)close(fd[i]);
	ck_assert_int_eq(client_receive(waiting, &reply), 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	(void)close(waiting);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Bodies that nobody wants, from a client that sends everything first. */
static void
refused_posts(const char *url, const char *expected)
{
	static char body[3 << 20];
	int count = getenv("RT_TEST_SLOW") ? 1000 : times(100);
	char head[200];

	(void)snprintf(head, sizeof head,
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: %zu\r\n\r\n",
		sizeof body);
	memset(body, 'b', sizeof body);
	for (int i = 0; i < count; i++) {
		struct bytes reply = {.data = NULL};
		int error, fd = client_connect(url);

		ck_assert_msg(client_send_text(fd, head) &&
				client_send(fd, body, sizeof body),
			"reset while sending body %d", i);
		error = client_receive(fd, &reply);
		ck_assert_msg(error == 0, "body %d: %s", i, strerror(error));
		assert_begins(reply, expected);
		ck_assert_int_gt(body_size(&reply), 0);
		bytes_free(&reply);
		(void)close(fd);
	}
}

START_TEST(test_refused_posts)
{
	char *dir = dir_make();
	struct child child = START("-q", ios[_i], dir);

	refused_posts(child.url[0], "HTTP/1.1 405 ");
	child_stop(&child);
	child = START("-q", ios[_i], "--body", "x", "--limit", "body=1000");
	refused_posts(child.url[0], "HTTP/1.1 413 ");
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_slow_clients)
{
	char *dir = make_big();
	struct child child;
	struct bytes slow = {.data = NULL}, written = {.data = NULL}, reply;
	int error, reader, writer;

	write_text(dir, "index.html", "index");
	child = START(ios[_i], dir);
	reader = begin_big(child.url[0], &slow);
	writer = client_connect(child.url[0]);
	for (const char *at = GET; *at != '\0'; at++) {
		ck_assert(client_send(writer, at, 1));
		if (at[1] == '\0')
			break;
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	ck_assert_int_eq(client_receive(writer, &written), 0);
	assert_begins(written, "HTTP/1.1 200 ");
	ck_assert_int_eq(body_size(&slow) + count_rest(reader, &error), BIG);
	ck_assert_int_eq(error, 0);
	bytes_free(&written);
	bytes_free(&slow);
	(void)close(reader);
	(void)close(writer);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- time-outs --- */

START_TEST(test_timeout)
{
	char *dir = dir_make(), spec[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-b", spec,
		"--body", "x", "--timeout", "0.2", ios[_i], NULL};
	static const char *const begun[] = {"G", "GET / HTTP/1.1\r\nHost: x",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody",
		("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		 "\r\n4\r\nbody\r\n")};
	struct bytes reply = {.data = NULL};
	struct child child;
	int64_t began;
	int fd;

	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 2);
	for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
		began = now_ms();
		expect_reply(&child, begun[i], "HTTP/1.1 408 ");
		ck_assert_int_ge(now_ms() - began, 200);
	}
	for (int i = 0; i < 2; i++) { /* idle: without a word */
		began = now_ms();
		fd = client_connect(child.url[i]);
		ck_assert_int_eq(client_receive(fd, &reply), 0);
		ck_assert_uint_eq(reply.size, 0);
		ck_assert_int_ge(now_ms() - began, 200);
		bytes_free(&reply);
		(void)close(fd);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* The client takes nothing of the reply. */
START_TEST(test_write_timeout)
{
	char *dir = make_big();
	struct child child =
		START("--requests", "1", "--timeout", "0.2", ios[_i], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int64_t began = now_ms();
	int error, fd = connect_held(&child, child.url[0], "GET /big" END);

	client_expect(fd, &reply, "\r\n\r\n");
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_ge(now_ms() - began, 200);
	assert_has(errors, "(timed out)");
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), BIG);
	bytes_free(&reply);
	bytes_free(&errors);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("end");
	TCase *tcase;

	tcase = tcase_create("end");
	rt_test_loop(tcase, test_signal, 0, 6);
	tcase_add_test(tcase, test_nohup);
	rt_test_loop(tcase, test_grace_finishes, 0, 2);
	rt_test_loop(tcase, test_grace_cuts, 0, 2);
	rt_test_loop(tcase, test_second_signal, 0, 2);
	rt_test_loop(tcase, test_queued, 0, 2);
	tcase_add_test(tcase, test_pid_1);
	rt_test_loop(tcase, test_sigpipe, 0, 2);
	rt_test_loop(tcase, test_requests, 0, 2);
	rt_test_loop(tcase, test_requests_late, 0, 2);
	rt_test_loop(tcase, test_requests_under_way, 0, 2);
	rt_test_loop(tcase, test_requests_exact, 0, 2);
	rt_test_loop(tcase, test_requests_listings, 0, 2);
	rt_test_loop(tcase, test_lifetime, 0, 2);
	rt_test_loop(tcase, test_lifetime_drains, 0, 2);
	rt_test_loop(tcase, test_parent_killed, 0, 2);
	rt_test_loop(tcase, test_input_ends, 0, 2);
	rt_test_loop(tcase, test_input_used, 0, 2);
	rt_test_case(suite, tcase);
	tcase = tcase_create("load");
	rt_test_loop(tcase, test_burst, 0, 2);
	rt_test_loop(tcase, test_idle, 0, 2);
	rt_test_loop(tcase, test_full_log, 0, 2);
	rt_test_loop(tcase, test_closed_log, 0, 2);
	rt_test_loop(tcase, test_descriptors, 0, 2);
	rt_test_loop(tcase, test_refused_posts, 0, 2);
	rt_test_loop(tcase, test_slow_clients, 0, 2);
	rt_test_loop(tcase, test_timeout, 0, 2);
	rt_test_loop(tcase, test_write_timeout, 0, 2);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
