/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests: running a suite, clients made of bare sockets, and
 * the command as a child process. Whatever waits has a deadline, and what
 * fails prints the bytes.
 */
#ifndef HARNESS_H
#define HARNESS_H

#ifdef NDEBUG
#error "tests need their assertions"
#endif

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Check writes to a file at every assertion that holds, for the case that the
 * test crashes before the next one: a million system calls in some tests. Those
 * that fail are told all the same.
 */
#define _mark_point(file, line) ((void)0)

/* The back end that is tested in addition to poll(2): epoll, where there is
   it. */
#ifdef HAVE_SYS_EPOLL_H
#define RT_TEST_IO RETORT_IO_EPOLL
#define RT_TEST_IO_NAME "epoll"
#else
#define RT_TEST_IO RETORT_IO_POLL
#define RT_TEST_IO_NAME "poll"
#endif

/* The elements of an array; an int, as loop tests count. */
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/*
 * Adds the case to the suite; each of its tests fails when it leaves a
 * descriptor open.
 */
void rt_test_case(Suite *suite, TCase *tcase);

/*
 * Adds a test with a name of its own, such as that of a row in a table, which
 * calls test(i). The name outlives the suite.
 */
void rt_test_row(TCase *tcase, const char *name, void (*test)(int i), int i);

/*
 * Adds a loop test; under valgrind only one of each six neighbours, by turns,
 * for numbers that stand for a way to run: neighbours differ in the back end.
 */
void rt_test_loop(TCase *tcase, const TTest *test, int from, int to);

/*
 * True for twelve of thirteen calls under valgrind, else never: for loops over
 * every byte, every day, every split.
 *
 *	if (rt_test_thin())
 *		continue;
 */
bool rt_test_thin(void);

/* Adds a case of tests, NULL-terminated. */
void rt_test_list(Suite *suite, const char *name, const TTest *const *tests);

/* The same, each called with `from` to `to` - 1: see rt_test_loop(). */
void rt_test_cases(Suite *suite, const char *name, const TTest *const *tests,
	int from, int to);

/*
 * Runs every test of the suite in a process of its own (under valgrind, every
 * case), with TAP on stdout, and frees the suite. Returns main()'s exit status. CK_RUN_CASE and
 * CK_FORK=no choose and debug one. Four cases run at a time, or as many as
 * RETORT_TEST_CASES says.
 */
int rt_test_run(Suite *suite);

/* Ends the test, which counts as skipped: what is it that is not here? */
#define RT_TEST_SKIP "SKIP: "
#define skip_test(...) ck_abort_msg(RT_TEST_SKIP __VA_ARGS__)

/* Whether this machine has ::1. */
bool have_v6(void);
#define need_v6() \
	do { \
		if (!have_v6()) \
			skip_test("this machine has no ::1"); \
	} while (0)

/* Those that are open, and one more; -1: this system does not say. */
int open_descriptors(void);

/* Allows the test this many descriptors, or skips it. */
void need_descriptors(unsigned count);

/* How many times slower than usual all is: 1, or 10 where
   CK_TIMEOUT_MULTIPLIER says so, as under valgrind. For time-outs that must not
   end what is meant to go on. */
int rt_test_slowness(void);

/* How long anything may take before it is taken to hang: seconds. No test waits
   for so long, unless it fails. */
#define RT_TEST_PATIENCE (100 * rt_test_slowness())

/* Whether the test runs under valgrind, or the command that it starts. */
bool under_valgrind(void);

/* Whether a sanitizer watches it: repetitions that reach the same code with
   other numbers are fewer then; make check has all of them. */
bool is_sanitized(void);

/* Bytes that grow; `data` is terminated by a NUL that is not counted. */
struct bytes {
	char *data;
	size_t size;
};

void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_free(struct bytes *bytes);

/* Escaped as in C, for messages; static, good for two at a time. */
const char *shown(const void *data, size_t size);

/* Fails unless the two are the same, and prints both. */
#define assert_bytes(got, got_size, expected, expected_size) \
	assert_bytes_at(__FILE__, __LINE__, (got), (got_size), (expected), \
		(expected_size))
void assert_bytes_at(const char *file, int line, const void *got,
	size_t got_size, const void *expected, size_t expected_size);

/* Fails unless `text` is found in the bytes (or is not: assert_lacks). */
#define assert_has(got, text) \
	ck_assert_msg(strstr((got).data, (text)) != NULL, \
		"expected \"%s\" in: %s", (text), \
		shown((got).data, (got).size))
#define assert_lacks(got, text) \
	ck_assert_msg(strstr((got).data, (text)) == NULL, \
		"unexpected \"%s\" in: %s", (text), \
		shown((got).data, (got).size))
#define assert_begins(got, text) \
	ck_assert_msg(strncmp((got).data, (text), strlen(text)) == 0, \
		"expected \"%s\" first in: %s", (text), \
		shown((got).data, (got).size))

/* --- time --- */

/* Of a clock that is never set. */
int64_t now_us(void);
int64_t now_ms(void);

/* --- scripts --- */

struct rt_reply;

/*
 * A script that did not fail as text: its bytes, and in angle brackets what
 * else it does: "<5 ms>", "<flush>", "<fin>". What repeats for more than a
 * mebibyte is "<...>" after its first bytes.
 */
struct bytes script_shown(const struct rt_reply *reply);

/* The same without its ending. */
struct bytes script_sent(const struct rt_reply *reply);

/* The same, after which there must be a FIN. */
struct bytes script_played(const struct rt_reply *reply);
void assert_played(const struct rt_reply *reply, const char *expected);

/* --- clients --- */

/*
 * Connects to "http://127.0.0.1:43121/", "http://[::1]:43121/",
 * "http://localhost:43121/" (by IPv4), "unix:/p", or with another scheme than
 * http.
 */
int client_connect(const char *url);

/* The same with a socket of that type; or -errno, if it is refused. */
int client_try(const char *url, int type);

/* Closes with a RST. */
void client_reset(int fd);

/* Sends everything; false when the peer reset the connection. */
bool client_send(int fd, const void *data, size_t size);
bool client_send_text(int fd, const char *text);

/* Receives until FIN or RST. Returns 0, or the errno that ended it. */
int client_receive(int fd, struct bytes *to);

/* Receives until `text` has arrived, or fails. */
void client_expect(int fd, struct bytes *to, const char *text);

/* Connect, send, receive to the end, close: the whole reply. */
struct bytes client_exchange(const char *url, const char *request);

/* 0 once the descriptor is readable, or -1 after `ms`. */
int client_wait(int fd, int ms);

/* --- the command --- */

struct child {
	pid_t pid;
	int out;          /* its stdout, -1 once at its end */
	int err;          /* its stderr */
	int in;           /* its stdin, if `with_input` */
	char url[2][256]; /* the first lines of stdout */
};

/*
 * Starts $RETORT with these arguments (NULL-terminated, without argv[0]), and
 * if `wait_urls` > 0 waits for this many URL lines. "RETORT_IO=..." among them
 * is for its environment.
 */
struct child child_start(const char *const *args, int wait_urls);

/* The same, after prepare(arg) in the new process (NULL: nothing). */
struct child child_start_prepared(const char *const *args, int wait_urls,
	void (*prepare)(const void *arg), const void *arg);

/* The same as one text, split at spaces. */
struct child child_start_text(const char *args, int wait_urls);

/* Waits for its end: the exit status, or 128 + the signal. Closes all. */
int child_end(struct child *child);

/* Everything on its stderr until it ends, then child_end(). */
int child_end_with_errors(struct child *child, struct bytes *errors);

/* Sends SIGTERM, expects exit status 0. */
void child_stop(struct child *child);

/* For child_start_prepared(): the command gets a child, which ends when the pipe
   does that the first of two descriptors reads from; its process ID is written
   to the second. */
void leave_child(const void *fds);

/* --- files --- */

/* A new folder beneath $TMPDIR; removed with all in it by dir_remove(). */
char *dir_make(void);
void dir_remove(char *dir);

/* Writes a file beneath a folder, making the folders on the way. */
void dir_write(const char *dir, const char *name, const void *data,
	size_t size);

/* On Linux: tells of whoever opens what is there; a descriptor. */
int opening_watch(const char *path);
bool opening_seen(int watched);

#endif
