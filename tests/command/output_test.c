/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the command writes while it serves: standard error is a
 * terminal, pipe, socket or file that nobody reads, or that is full; and
 * transcripts go to folders in which something is in the way.
 */
#include "config.h"

#include "support/harness.h"
#include "talk/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* More than any of these holds, with what the command holds. */
#define MANY 3000

/* Requests whose lines fill it, and one that is answered all the same. */
static int
many(void)
{
	return under_valgrind() ? 300 : MANY;
}

/* The command's standard error, which the test reads. */
struct pair {
	int reader;
	int writer;
};

/* A terminal; reader -1: there is none here. */
static struct pair
open_terminal(void)
{
	struct pair pair = {.reader = posix_openpt(O_RDWR | O_NOCTTY),
		.writer = -1};
	const char *name;

	if (pair.reader < 0)
		return pair;
	ck_assert_int_eq(fcntl(pair.reader, F_SETFD, FD_CLOEXEC), 0);
	ck_assert_int_eq(grantpt(pair.reader), 0);
	ck_assert_int_eq(unlockpt(pair.reader), 0);
	name = ptsname(pair.reader);
	ck_assert_ptr_nonnull(name);
	pair.writer = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(pair.writer, 0);
	return pair;
}

static struct pair
open_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(fcntl(fds[i], F_SETFD, FD_CLOEXEC), 0);
	return (struct pair){fds[0], fds[1]};
}

static struct pair
open_socket(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				 fds),
		0);
	return (struct pair){fds[0], fds[1]};
}

static struct pair (*const pairs[])(
	void) = {open_terminal, open_pipe, open_socket};

#define PAIRS (int)(sizeof pairs / sizeof *pairs)

static void
close_pair(const struct pair *pair)
{
	(void)close(pair->reader);
	(void)close(pair->writer);
}

/* --- one write --- */

/* Until nothing more is taken; never waiting for long. */
static void
fill(const struct sink *sink)
{
	static const char line[] = "0123456789012345678901234567890\n";
	char text[PIPE_BUF];
	int64_t until = now_ms() + RT_TEST_PATIENCE * 1000;
	ssize_t n;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = line[i % (sizeof line - 1)];
	/* twice: a terminal takes a byte more, now and then */
	for (int times = 0; times < 2; times++)
		do {
			n = sink_put(sink, text, sizeof text);
			ck_assert_int_lt(now_ms(), until);
		} while (n > 0);
	ck_assert_int_eq(n, -EAGAIN);
}

/* Also where there is no other way than to be interrupted. */
START_TEST(nothing_waits)
{
	struct pair pair = pairs[_i / 2]();
	bool shared = _i % 2 != 0;
	struct sink sink;
	int flags;

	if (pair.reader < 0)
		return;
	sink = (struct sink){.fd = pair.writer, .kind = SINK_SHARED};
	if (!shared)
		sink = sink_open(pair.writer);
	/* of a socket each write waits for room for the whole of it */
	if (!shared || pairs[_i / 2] != open_socket)
		fill(&sink);
	flags = fcntl(pair.writer, F_GETFL);
	ck_assert_msg((flags & O_NONBLOCK) == 0,
		"what others use does not wait any more");
	if (sink.fd != pair.writer)
		(void)close(sink.fd);
	close_pair(&pair);
}
END_TEST

/* --- the command --- */

/* Standard error. */
static void
take_stderr(const void *arg)
{
	(void)dup2(*(const int *)arg, STDERR_FILENO);
}

static void
serve(const struct child *child, int count)
{
	for (int i = 0; i < count; i++) {
		struct bytes reply = client_exchange(child->url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
}

/* The bytes that come until the other side is closed. */
static void
read_rest(int fd, struct bytes *to)
{
	char text[4096];
	ssize_t n;

	do {
		ck_assert_int_eq(client_wait(fd, RT_TEST_PATIENCE * 1000), 0);
		n = read(fd, text, sizeof text);
		if (n > 0)
			bytes_add(to, text, (size_t)n);
	} while (n > 0);
	bytes_add(to, "", 0);
}

/* Each is one that the command writes, and whole. */
static void
assert_whole_lines(const struct bytes *log)
{
	const char *at = log->data;

	while (*at != '\0') {
		size_t size = strcspn(at, "\n");

		ck_assert_msg(at[size] == '\n' &&
				(strncmp(at, "> ", 2) == 0 ||
					strncmp(at, "retort: ", 8) == 0 ||
					strstr(at, " ms") < at + size),
			"not a whole line: %.100s", at);
		at += size + 1;
	}
}

/* Everybody is answered while nobody reads; who reads at the end, only then,
   is told what is missing. */
START_TEST(nobody_reads)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-v",
		"--body", "x", NULL};
	struct pair pair = pairs[_i]();
	struct bytes log = {.data = NULL};
	struct child child;

	if (pair.reader < 0)
		return;
	child = child_start_prepared(args, 1, take_stderr, &pair.writer);
	(void)close(pair.writer);
	serve(&child, many());
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	read_rest(pair.reader, &log);
	assert_whole_lines(&log);
	if (many() == MANY)
		assert_has(log, " log lines dropped");
	ck_assert_int_eq(child_end(&child), 0);
	bytes_free(&log);
	(void)close(pair.reader);
}
END_TEST

/* Nor does it wait for ever when it has been told to stop. */
START_TEST(nobody_ever_reads)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-v",
		"--body", "x", NULL};
	struct pair pair = pairs[_i]();
	struct child child;

	if (pair.reader < 0)
		return;
	child = child_start_prepared(args, 1, take_stderr, &pair.writer);
	serve(&child, many());
	child_stop(&child);
	close_pair(&pair);
}
END_TEST

/* A disk on which there is no more room, and then there is. */
static void
take_small_file(const void *arg)
{
	struct rlimit limit;

	take_stderr(arg);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 200;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(a_full_disk)
{
	char *dir = dir_make(), name[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		NULL};
	struct bytes log = {.data = NULL};
	struct child child;
	int fd;

	(void)snprintf(name, sizeof name, "%s/log", dir);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	ck_assert_int_ge(fd, 0);
	child = child_start_prepared(args, 1, take_small_file, &fd);
	serve(&child, 10);
	/* somebody makes room */
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	serve(&child, 1);
	child_stop(&child);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	read_rest(fd, &log);
	/* half a line was lost with what was cut off; its rest, and then whole
	   lines follow */
	ck_assert_uint_gt(log.size, 100);
	ck_assert_ptr_nonnull(strchr(log.data, '\n'));
	for (const char *at = strchr(log.data, '\n') + 1; *at != '\0';) {
		size_t size = strcspn(at, "\n");

		if (at[size] == '\0')
			break; /* the room is used up again */
		ck_assert_msg(at[2] == ':' && at[5] == ':' &&
				strncmp(at + size - 3, " ms", 3) == 0,
			"not a whole line: %.*s", (int)size, at);
		at += size + 1;
	}
	bytes_free(&log);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* A line says of a reply that was sent into the void what is known. */
START_TEST(a_client_that_gave_up)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		"--fault", "pause 200", NULL};
	struct child child = child_start(args, 1);
	struct bytes errors = {.data = NULL};

	for (int i = 0; i < 2; i++) {
		struct bytes reply = {.data = NULL};
		int fd = client_connect(child.url[0]);

		ck_assert(client_send_text(fd, GET));
		if (i == 0)
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		ck_assert_int_eq(client_receive(fd, &reply), 0);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		(void)close(fd);
	}
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_has(errors, " ms (the client closed first) [pause 200]\n");
	assert_has(errors, " ms [pause 200]\n");
	bytes_free(&errors);
}
END_TEST

/* --- columns and colours --- */

/* An environment, what the log is said to be, and how the line then goes on
   after the client. */
static const struct {
	struct pair (*open)(void);
	const char *terminal; /* TERM; NULL: not set */
	const char *no_color; /* NO_COLOR; the same */
	const char *format;
	const char *line;
} looks[] = {
	{open_terminal, "xterm", NULL, NULL, " \033[32m200\033[0m "},
	{open_terminal, "xterm", "", NULL, " \033[32m200\033[0m "},
	{open_terminal, "xterm", "1", NULL, " 200 "},
	{open_terminal, "dumb", NULL, NULL, " 200 "},
	{open_terminal, NULL, NULL, NULL, " 200 "},
	{open_terminal, "xterm", NULL, "short", " \"GET / HTTP/1.1\" 200 "},
	{open_pipe, "xterm", NULL, NULL, " \"GET / HTTP/1.1\" 200 "},
};

struct look {
	int number;
	int fd;
};

static void
set(const char *name, const char *value)
{
	(void)(value ? setenv(name, value, 1) : unsetenv(name));
}

static void
take_look(const void *arg)
{
	const struct look *look = arg;

	take_stderr(&look->fd);
	set("TERM", looks[look->number].terminal);
	set("NO_COLOR", looks[look->number].no_color);
}

START_TEST(who_looks_at_a_terminal)
{
	const char *format = looks[_i].format;
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		format ? "--log" : NULL, format, NULL};
	struct pair pair = looks[_i].open();
	const struct look look = {_i, pair.writer};
	struct bytes log = {.data = NULL};
	const char *client;
	struct child child;

	if (pair.reader < 0)
		return;
	child = child_start_prepared(args, 1, take_look, &look);
	(void)close(pair.writer);
	serve(&child, 1);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	read_rest(pair.reader, &log);
	assert_has(log, " #1 ");
	client = strstr(log.data, " 127.0.0.1:");
	ck_assert_msg(client != NULL, "no client: %s",
		shown(log.data, log.size));
	client += strcspn(client + 1, " ") + 1;
	client += strspn(client, " ") - 1;
	ck_assert_msg(strncmp(client, looks[_i].line, strlen(looks[_i].line)) ==
			0,
		"expected: ...%s\ncame: %s", looks[_i].line,
		shown(log.data, log.size));
	ck_assert_int_eq(child_end(&child), 0);
	bytes_free(&log);
	(void)close(pair.reader);
}
END_TEST

/* --- descriptors --- */

enum { FEW = 40 };

static void
take_few_descriptors(const void *arg)
{
	const struct rlimit limit = {FEW, FEW};

	(void)arg;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Told once, although many wait, and again the next time. */
START_TEST(no_descriptor_is_left)
{
	static const char line[] =
		"retort: no descriptor is left: clients wait until a connection "
		"is closed\n";
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		NULL};
	struct child child;
	struct bytes errors = {.data = NULL};
	int fds[FEW];

	/* it has descriptors of its own, and lends them to nobody */
	if (under_valgrind())
		return;
	child = child_start_prepared(args, 1, take_few_descriptors, NULL);
	for (int spell = 0; spell < 2; spell++) {
		for (int i = 0; i < FEW; i++) {
			fds[i] = client_connect(child.url[0]);
			ck_assert(client_send_text(fds[i], "GET / "));
		}
		client_expect(child.err, &errors, line);
		/* some come to an end, and others take their places */
		for (int i = 0; i < FEW; i++) {
			struct bytes reply = {.data = NULL};

			ck_assert(client_send_text(fds[i],
				"HTTP/1.1\r\nHost: a\r\n\r\n"));
			ck_assert_int_eq(client_receive(fds[i], &reply), 0);
			assert_begins(reply, "HTTP/1.1 200 ");
			bytes_free(&reply);
			(void)close(fds[i]);
		}
		assert_has(errors, line);
		ck_assert_ptr_null(strstr(strstr(errors.data, line) + 1, line));
		bytes_free(&errors);
		serve(&child, 1);
		client_expect(child.err, &errors, "\n");
		bytes_free(&errors);
	}
	child_stop(&child);
}
END_TEST

/* --- transcripts --- */

/* The file, as a text. */
static struct bytes
read_file(const char *dir, const char *file)
{
	struct bytes bytes = {.data = NULL};
	char name[4200];
	int fd;

	(void)snprintf(name, sizeof name, "%s/%s", dir, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	read_rest(fd, &bytes);
	(void)close(fd);
	return bytes;
}

/* 1.txt is a link, 2.txt a FIFO, 3.txt a folder, and 4.txt an old transcript
   with a second name. */
static void
lay_traps(const char *dir)
{
	char name[4200], other[4200];

	dir_write(dir, "victim", "safe", 4);
	dir_write(dir, "4.txt", "old", 3);
	(void)snprintf(name, sizeof name, "%s/1.txt", dir);
	ck_assert_int_eq(symlink("victim", name), 0);
	(void)snprintf(name, sizeof name, "%s/2.txt", dir);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	(void)snprintf(name, sizeof name, "%s/3.txt", dir);
	ck_assert_int_eq(mkdir(name, 0700), 0);
	(void)snprintf(name, sizeof name, "%s/4.txt", dir);
	(void)snprintf(other, sizeof other, "%s/other", dir);
	ck_assert_int_eq(link(name, other), 0);
}

START_TEST(transcripts_are_new_files)
{
	char *dir = dir_make();
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-q",
		"--body", "x", "--transcript", dir, NULL};
	struct bytes errors = {.data = NULL}, bytes;
	struct child child;

	lay_traps(dir);
	child = child_start(args, 1);
	serve(&child, 5);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_has(errors, "/1.txt: File exists\n");
	assert_has(errors, "/2.txt: File exists\n");
	assert_has(errors, "/3.txt: File exists\n");
	bytes = read_file(dir, "victim");
	assert_bytes(bytes.data, bytes.size, "safe", 4);
	bytes_free(&bytes);
	bytes = read_file(dir, "other");
	assert_bytes(bytes.data, bytes.size, "old", 3);
	bytes_free(&bytes);
	bytes = read_file(dir, "4.txt");
	assert_begins(bytes, "connection 4 from ");
	bytes_free(&bytes);
	bytes = read_file(dir, "5.txt");
	assert_begins(bytes, "connection 5 from ");
	bytes_free(&bytes);
	bytes_free(&errors);
	dir_remove(dir);
}
END_TEST

/* None can be written, which is told each time, to nobody. */
START_TEST(notices_wait_for_nobody)
{
	char *dir = dir_make();
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-q",
		"--body", "x", "--transcript", dir, NULL};
	struct pair pair = open_pipe();
	struct child child;

	child = child_start_prepared(args, 1, take_stderr, &pair.writer);
	ck_assert_int_eq(rmdir(dir), 0);
	serve(&child, many());
	child_stop(&child);
	close_pair(&pair);
	free(dir);
}
END_TEST

/* Of large ones as much is kept as is said, and all of them are written, also
   if one connection stays open. */
START_TEST(transcripts_of_much)
{
	enum { SIZE = 3 << 20, COUNT = 70 };
	char *dir = dir_make(), *body = malloc(SIZE), name[40];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", dir,
		"--transcript", dir, NULL};
	struct bytes errors = {.data = NULL}, bytes;
	struct child child;
	int count = under_valgrind() ? 4 : COUNT;
	int open;

	ck_assert_ptr_nonnull(body);
	memset(body, 'x', SIZE);
	dir_write(dir, "large", body, SIZE);
	child = child_start(args, 1);
	open = client_connect(child.url[0]);
	ck_assert(client_send_text(open, "GET /"));
	for (int i = 0; i < count; i++) {
		struct bytes reply = client_exchange(child.url[0],
			"GET /large HTTP/1.1\r\nHost: a\r\n\r\n");

		assert_begins(reply, "HTTP/1.1 200 ");
		ck_assert_uint_gt(reply.size, SIZE);
		bytes_free(&reply);
	}
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_lacks(errors, "can be kept");
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof name, "%d.txt", i + 2);
		bytes = read_file(dir, name);
		assert_has(bytes, " more bytes\n");
		bytes_free(&bytes);
	}
	(void)close(open);
	bytes_free(&errors);
	free(body);
	dir_remove(dir);
}
END_TEST

static void
add_sinks(Suite *suite)
{
	TCase *tcase = tcase_create("sinks");

	tcase_add_loop_test(tcase, nothing_waits, 0, 2 * PAIRS);
	rt_test_case(suite, tcase);
}

static void
add_logs(Suite *suite)
{
	TCase *tcase = tcase_create("logs");

	tcase_add_loop_test(tcase, nobody_reads, 0, PAIRS);
	tcase_add_loop_test(tcase, nobody_ever_reads, 0, PAIRS);
	tcase_add_test(tcase, a_full_disk);
	tcase_add_test(tcase, a_client_that_gave_up);
	tcase_add_loop_test(tcase, who_looks_at_a_terminal, 0,
		sizeof looks / sizeof *looks);
	tcase_add_test(tcase, no_descriptor_is_left);
	rt_test_case(suite, tcase);
}

static void
add_transcripts(Suite *suite)
{
	TCase *tcase = tcase_create("transcripts");

	tcase_add_test(tcase, transcripts_are_new_files);
	tcase_add_test(tcase, notices_wait_for_nobody);
	tcase_add_test(tcase, transcripts_of_much);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("output");

	add_sinks(suite);
	add_logs(suite);
	add_transcripts(suite);
	return rt_test_run(suite);
}
