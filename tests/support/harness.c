/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "os/io.h"
#include "reply/reply.h"
#include "support/harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif

/* --- running --- */

int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

static int before;

static void
begin_test(void)
{
	before = open_descriptors();
}

static void
end_test(void)
{
	int after = open_descriptors();

	ck_assert_msg(after == before,
		"%d descriptors were open before the test, %d after it", before,
		after);
}

/* Seconds until a test is taken to hang. Check's own 4 are too few for a machine
   that is busy, and for programs that are instrumented. */
#define PATIENCE_OF_TESTS 300

static int cases; /* each has its number for a tag */

void
rt_test_case(Suite *suite, TCase *tcase)
{
	char tag[16];

	(void)snprintf(tag, sizeof tag, "%d", cases++);
	tcase_set_tags(tcase, tag);
	tcase_set_timeout(tcase, PATIENCE_OF_TESTS);
	tcase_add_checked_fixture(tcase, begin_test, end_test);
	suite_add_tcase(suite, tcase);
}

/* A case that runs, or has run, in a process of its own. */
struct running {
	pid_t pid; /* 0: not yet, -1: it has ended */
	FILE *tap;
	int status;
};

/* Whether this very process runs under valgrind. */
static bool
is_translated(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

static void
start_case(SRunner *runner, struct running *all, int number)
{
	FILE *tap = tmpfile();
	char tag[16];

	if (tap == NULL || fcntl(fileno(tap), F_SETFD, FD_CLOEXEC) != 0)
		abort();
	all[number].tap = tap;
	(void)fflush(stdout);
	all[number].pid = fork();
	if (all[number].pid != 0)
		return;
	if (dup2(fileno(tap), STDOUT_FILENO) < 0)
		abort();
	for (int i = 0; i <= number; i++)
		if (all[i].tap != NULL)
			(void)fclose(all[i].tap);
	(void)snprintf(tag, sizeof tag, "%d", number);
	/* There, a new process translates all code again: 70 ms each. */
	if (is_translated())
		srunner_set_fork_status(runner, CK_NOFORK);
	srunner_set_tap(runner, "-");
	srunner_run_tagged(runner, NULL, NULL, tag, NULL, CK_SILENT);
	srunner_free(runner);
	free(all);
	exit(EXIT_SUCCESS);
}

/* A line of TAP with a number of its own; whether a test failed. */
static bool
print_line(const char *line, int *count)
{
	static const char skipped[] = ": " RT_TEST_SKIP;
	bool failed = strncmp(line, "not ok ", 7) == 0;
	const char *why = failed ? strstr(line, skipped) : NULL;
	const char *name = strstr(line, " - ");

	if (strncmp(line, "1..", 3) == 0)
		return false;
	if ((!failed && strncmp(line, "ok ", 3) != 0) || name == NULL)
		(void)fputs(line, stdout);
	else if (why != NULL)
		printf("ok %d%.*s # SKIP %s", ++*count, (int)(why - name), name,
			why + strlen(skipped));
	else
		printf("%s %d%s", failed ? "not ok" : "ok", ++*count, name);
	return failed && why == NULL;
}

/* The output of a case; how many of its tests failed. */
static int
print_case(struct running *of, int *count)
{
	char *line = NULL;
	size_t room = 0;
	int failed = 0;

	rewind(of->tap);
	while (getline(&line, &room, of->tap) > 0)
		failed += print_line(line, count);
	if (of->status != 0) {
		printf("not ok %d - a case ended with wait status %d\n",
			++*count, of->status);
		failed++;
	}
	free(line);
	(void)fclose(of->tap);
	of->tap = NULL;
	(void)fflush(stdout);
	return failed;
}

/* Waits for one of those that run, if any. */
static void
await_case(struct running *all)
{
	int status;
	pid_t pid = wait(&status);

	if (pid < 0)
		abort();
	for (int i = 0; i < cases; i++)
		if (all[i].pid == pid) {
			all[i].pid = -1;
			all[i].status = status;
		}
}

/* So many cases at a time, for most tests wait more than they compute. */
static int
run_cases(SRunner *runner, int at_a_time)
{
	struct running *all = calloc((size_t)cases, sizeof *all);
	int started = 0, ended = 0, printed = 0, count = 0, failed = 0;

	if (all == NULL)
		abort();
	while (ended < cases) {
		if (started < cases && started - ended < at_a_time) {
			start_case(runner, all, started++);
			continue;
		}
		await_case(all);
		ended++;
		while (printed < cases && all[printed].pid < 0)
			failed += print_case(all + printed++, &count);
	}
	free(all);
	if (count == 0 && getenv("CK_RUN_CASE") == NULL) {
		printf("not ok %d - no test has run\n", ++count);
		failed++;
	}
	printf("1..%d\n", count);
	return failed;
}

void
rt_test_list(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	for (; *tests != NULL; tests++)
		tcase_add_test(tcase, *tests);
	rt_test_case(suite, tcase);
}

void
rt_test_cases(Suite *suite, const char *name, const TTest *const *tests,
	int from, int to)
{
	TCase *tcase = tcase_create(name);

	for (; *tests != NULL; tests++)
		rt_test_loop(tcase, *tests, from, to);
	rt_test_case(suite, tcase);
}

/* Of this many numbers valgrind sees one. */
#define NEIGHBOURS 6

void
rt_test_loop(TCase *tcase, const TTest *test, int from, int to)
{
	static int turn;

	if (!under_valgrind()) {
		tcase_add_loop_test(tcase, test, from, to);
		return;
	}
	turn++;
	for (int i = from; i < to; i += NEIGHBOURS) {
		int size = to - i < NEIGHBOURS ? to - i : NEIGHBOURS;
		int chosen = i + turn % size;

		tcase_add_loop_test(tcase, test, chosen, chosen + 1);
	}
}

bool
rt_test_thin(void)
{
	static unsigned rounds;

	return under_valgrind() && rounds++ % 13 != 0;
}

void
rt_test_row(TCase *tcase, const char *name, void (*test)(int i), int i)
{
	static TTest rows[400];
	static size_t count;
	TTest *row = rows + count++;

	if (count > sizeof rows / sizeof *rows)
		abort();
	*row = (TTest){.name = name, .fn = test, .file = "row"};
	tcase_add_loop_test(tcase, row, i, i + 1);
}

int
rt_test_run(Suite *suite)
{
	const char *at_a_time = getenv("RETORT_TEST_CASES");
	SRunner *runner = srunner_create(suite);
	int failed;

	(void)signal(SIGPIPE, SIG_IGN);
	if (srunner_fork_status(runner) == CK_FORK) {
		failed = run_cases(runner, at_a_time ? atoi(at_a_time) : 4);
	} else { /* in a debugger */
		srunner_set_tap(runner, "-");
		srunner_run_all(runner, CK_SILENT);
		failed = srunner_ntests_failed(runner);
	}
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool
have_v6(void)
{
	const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool have = fd >= 0 &&
		bind(fd, (const struct sockaddr *)&in6, sizeof in6) == 0;

	if (fd >= 0)
		(void)close(fd);
	return have;
}

void
need_descriptors(unsigned count)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur >= count)
		return;
	limit.rlim_cur = count;
	if (count > limit.rlim_max || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		skip_test("no %u descriptors are allowed", count);
}

/* --- bytes --- */

bool
under_valgrind(void)
{
	return is_translated() || getenv("RETORT_MEMCHECK") != NULL;
}

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

bool
is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
	return true;
#else
	return false;
#endif
}

int
rt_test_slowness(void)
{
	return getenv("CK_TIMEOUT_MULTIPLIER") != NULL ? 10 : 1;
}

void
bytes_add(struct bytes *bytes, const void *data, size_t size)
{
	size_t room = 64;

	/* by doubling, so that a long text is not copied again and again */
	while (room < bytes->size + 1)
		room *= 2;
	if (bytes->data == NULL || room < bytes->size + size + 1) {
		while (room < bytes->size + size + 1)
			room *= 2;
		bytes->data = realloc(bytes->data, room);
		if (bytes->data == NULL)
			abort(); /* also used outside of tests */
	}
	if (size > 0)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
	bytes->data[bytes->size] = '\0';
}

void
bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){.data = NULL};
}

const char *
shown(const void *data, size_t size)
{
	static char texts[2][3072]; /* two fit one message of Check */
	static int turn;
	const unsigned char *bytes = data;
	char *text = texts[turn ^= 1];
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (used > sizeof texts[0] - 48) {
			(void)snprintf(text + used, 48, "... (%zu bytes)",
				size);
			return text;
		}
		if (bytes[i] == '\r')
			used += (size_t)sprintf(text + used, "\\r");
		else if (bytes[i] == '\n')
			used += (size_t)sprintf(text + used, "\\n");
		else if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			used += (size_t)sprintf(text + used, "\\x%02x",
				bytes[i]);
		else
			text[used++] = (char)bytes[i];
	}
	text[used] = '\0';
	return text;
}

void
assert_bytes_at(const char *file, int line, const void *got, size_t got_size,
	const void *expected, size_t expected_size)
{
	if (got_size != expected_size ||
		(got_size > 0 && memcmp(got, expected, got_size) != 0))
		ck_abort_msg("%s:%d: expected %zu bytes: %s\n# got %zu: %s",
			file, line, expected_size,
			shown(expected, expected_size), got_size,
			shown(got, got_size));
}

/* --- time --- */

int64_t
now_us(void)
{
	struct timespec ts;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
now_ms(void)
{
	return now_us() / 1000;
}

/* --- scripts --- */

static void
add_text(struct bytes *to, const char *text)
{
	bytes_add(to, text, strlen(text));
}

static void
add_repeated(struct bytes *to, const struct rt_step *step)
{
	bool whole = step->size <= 1u << 20;
	uint64_t size = whole ? step->size : 7;

	ck_assert_uint_lt(step->from, step->at);
	for (uint64_t k = 0; k < size; k++)
		bytes_add(to, step->bytes + (step->from + k) % step->at, 1);
	if (!whole)
		add_text(to, "<...>");
}

static void
add_of_file(struct bytes *to, const struct rt_step *step, int file)
{
	char block[4096];

	for (uint64_t done = 0; done < step->size;) {
		uint64_t left = step->size - done;
		ssize_t n = pread(file, block,
			left < sizeof block ? (size_t)left : sizeof block,
			(off_t)(step->at + done));

		ck_assert_msg(n > 0, "the file ends at %llu",
			(unsigned long long)(step->at + done));
		bytes_add(to, block, (size_t)n);
		done += (uint64_t)n;
	}
}

/* A pause is told in the largest unit of which it is a multiple. */
static void
add_pause(struct bytes *to, uint64_t ns)
{
	bool whole = ns % (uint64_t)RT_MS == 0;
	char text[64];

	(void)snprintf(text, sizeof text, "<%llu %s>",
		(unsigned long long)(whole ? ns / (uint64_t)RT_MS : ns),
		whole ? "ms" : "ns");
	add_text(to, text);
}

/* "<each 3>", or "<each 3><4 ms>" */
static void
add_pace(struct bytes *to, const struct rt_step *step)
{
	char text[64];

	(void)snprintf(text, sizeof text, "<each %llu>",
		(unsigned long long)step->size);
	add_text(to, text);
	if (step->at > 0)
		add_pause(to, step->at);
}

static void
add_step(struct bytes *to, const struct rt_reply *reply,
	const struct rt_step *step)
{
	static const char *const kinds[] = {[RT_STEP_FLUSH] = "<flush>",
		[RT_STEP_AWAIT] = "<await>",
		[RT_STEP_TELL] = "<tell>",
		[RT_STEP_NEXT] = "<next>",
		[RT_STEP_MORE] = "<more>",
		[RT_STEP_STALL] = "<stall>",
		[RT_STEP_HALF] = "<half>",
		[RT_STEP_CLOSE] = "<fin>",
		[RT_STEP_RESET] = "<reset>"};

	if (step->kind <= RT_STEP_FILE)
		ck_assert_uint_gt(step->size, 0);
	switch (step->kind) {
	case RT_STEP_TEXT:
		ck_assert_uint_le(step->at + step->size, reply->text.len);
		bytes_add(to, reply->text.data + step->at, (size_t)step->size);
		break;
	case RT_STEP_BYTES:
		bytes_add(to, step->bytes, (size_t)step->size);
		break;
	case RT_STEP_REPEAT:
		add_repeated(to, step);
		break;
	case RT_STEP_FILE:
		add_of_file(to, step, reply->file);
		break;
	case RT_STEP_PAUSE:
		add_pause(to, step->at);
		break;
	case RT_STEP_PACE:
		add_pace(to, step);
		break;
	default:
		add_text(to, kinds[step->kind]);
		break;
	}
}

/* The first steps; an ending is the last one. */
static struct bytes
steps_shown(const struct rt_reply *reply, size_t count)
{
	struct bytes to = {.data = NULL};

	ck_assert(rt_reply_ok(reply));
	ck_assert_uint_ge(reply->step_count, 1);
	bytes_add(&to, "", 0);
	for (size_t i = 0; i < reply->step_count; i++) {
		const struct rt_step *step = reply->steps + i;

		ck_assert_msg((step->kind >= RT_STEP_NEXT) ==
				(i == reply->step_count - 1),
			"step %zu of %zu is of kind %d", i + 1,
			reply->step_count, (int)step->kind);
		if (i < count)
			add_step(&to, reply, step);
	}
	return to;
}

struct bytes
script_shown(const struct rt_reply *reply)
{
	return steps_shown(reply, reply->step_count);
}

struct bytes
script_sent(const struct rt_reply *reply)
{
	return steps_shown(reply, reply->step_count - 1);
}

struct bytes
script_played(const struct rt_reply *reply)
{
	struct bytes to = script_sent(reply);

	ck_assert_int_eq(reply->steps[reply->step_count - 1].kind,
		RT_STEP_CLOSE);
	return to;
}

void
assert_played(const struct rt_reply *reply, const char *expected)
{
	struct bytes got = script_played(reply);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	ck_assert(rt_reply_ok(reply));
	bytes_free(&got);
}

/* --- clients --- */

int
client_wait(int fd, int ms)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&polled, 1, ms);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -1;
}

/* So that how much a connection holds is no matter of the host. */
static void
limit_buffers(int fd)
{
	const int size = 1 << 17;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof size),
		0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof size),
		0);
}

int
client_try(const char *url, int type)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const struct sockaddr *address = (struct sockaddr *)&in;
	socklen_t size = sizeof in;
	unsigned port = 0;
	int fd, code;

	if (strncmp(url, "unix:", 5) == 0) {
		(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", url + 5);
		address = (struct sockaddr *)&un;
		size = sizeof un;
	} else if (sscanf(url, "%*[a-z]://[::1]:%u/", &port) == 1) {
		in6.sin6_addr = in6addr_loopback;
		in6.sin6_port = htons((uint16_t)port);
		address = (struct sockaddr *)&in6;
		size = sizeof in6;
	} else {
		ck_assert_msg(sscanf(url, "%*[a-z]://127.0.0.1:%u/", &port) ==
					1 ||
				sscanf(url, "%*[a-z]://localhost:%u/", &port) ==
					1,
			"not a URL of this machine: %s", url);
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in.sin_port = htons((uint16_t)port);
	}
	fd = socket(address->sa_family, type | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	if (type == SOCK_STREAM && address->sa_family != AF_UNIX)
		limit_buffers(fd);
	if (connect(fd, address, size) == 0)
		return fd;
	code = -errno;
	(void)close(fd);
	return code;
}

int
client_connect(const char *url)
{
	int fd = client_try(url, SOCK_STREAM);

	ck_assert_msg(fd >= 0, "connect %s: %s", url, strerror(-fd));
	return fd;
}

void
client_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) !=
		0)
		abort(); /* also used by threads, which cannot fail a test */
	(void)close(fd);
}

bool
client_send(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

bool
client_send_text(int fd, const char *text)
{
	return client_send(fd, text, strlen(text));
}

/* One receive: bytes, 0 at a FIN, or -errno. */
static ssize_t
receive_some(int fd, struct bytes *to)
{
	static char data[64 << 10];
	ssize_t n;

	ck_assert_msg(client_wait(fd, RT_TEST_PATIENCE * 1000) == 0,
		"nothing came for %d s after: %s", RT_TEST_PATIENCE,
		shown(to->data, to->size));
	n = read(fd, data, sizeof data);
	if (n < 0)
		return -errno;
	bytes_add(to, data, (size_t)n);
	return n;
}

int
client_receive(int fd, struct bytes *to)
{
	ssize_t n;

	bytes_add(to, "", 0);
	while ((n = receive_some(fd, to)) > 0)
		;
	return (int)-n;
}

void
client_expect(int fd, struct bytes *to, const char *text)
{
	bytes_add(to, "", 0);
	while (strstr(to->data, text) == NULL)
		ck_assert_msg(receive_some(fd, to) > 0,
			"the end came before \"%s\": %s", text,
			shown(to->data, to->size));
}

struct bytes
client_exchange(const char *url, const char *request)
{
	struct bytes reply = {.data = NULL};
	int fd = client_connect(url);
	int error;

	ck_assert(client_send_text(fd, request));
	error = client_receive(fd, &reply);
	ck_assert_msg(error == 0, "%s after: %s", strerror(error),
		shown(reply.data, reply.size));
	(void)close(fd);
	return reply;
}

/* --- the command --- */

static void
read_urls(struct child *child, int count)
{
	struct bytes out = {.data = NULL};
	char *at;

	bytes_add(&out, "", 0);
	for (int i = 0, lines = 0; lines < count; lines = i) {
		ck_assert_msg(receive_some(child->out, &out) > 0,
			"expected %d URL lines on stdout, got: %s", count,
			shown(out.data, out.size));
		for (i = 0, at = out.data; (at = strchr(at, '\n')); at++)
			i++;
	}
	at = out.data;
	for (int i = 0; i < count && i < 2; i++) {
		size_t size = strcspn(at, "\n");

		ck_assert_uint_lt(size, sizeof child->url[i]);
		memcpy(child->url[i], at, size);
		child->url[i][size] = '\0';
		at += size + 1;
	}
	bytes_free(&out);
}

struct child
child_start_prepared(const char *const *args, int wait_urls,
	void (*prepare)(const void *arg), const void *arg)
{
	struct child child = {.in = -1};
	const char *command = getenv("RETORT");
	const char *argv[64] = {command ? command : "./retort"};
	const char *io = NULL;
	int in[2], out[2], err[2];

	for (size_t count = 1; *args != NULL; args++) {
		ck_assert_uint_lt(count, 60);
		if (strncmp(*args, "RETORT_IO=", 10) == 0)
			io = *args + 10;
		else
			argv[count++] = *args;
	}
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	child.pid = fork();
	ck_assert_int_ge(child.pid, 0);
	if (child.pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(err[1], STDERR_FILENO);
		(void)signal(SIGPIPE, SIG_DFL);
		/* ignored, if the tests themselves run under nohup */
		(void)signal(SIGHUP, SIG_DFL);
		if (io != NULL)
			(void)setenv("RETORT_IO", io, 1);
		if (prepare != NULL)
			prepare(arg);
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(126);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(err[1]);
	child.in = in[1];
	child.out = out[0];
	child.err = err[0];
	if (wait_urls > 0)
		read_urls(&child, wait_urls);
	return child;
}

struct child
child_start(const char *const *args, int wait_urls)
{
	return child_start_prepared(args, wait_urls, NULL, NULL);
}

struct child
child_start_text(const char *args, int wait_urls)
{
	char *copy = strdup(args), *rest = copy, *word;
	const char *list[64] = {NULL};
	struct child child;
	size_t count = 0;

	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0' && count < 60)
			list[count++] = word;
	child = child_start(list, wait_urls);
	free(copy);
	return child;
}

int
child_end(struct child *child)
{
	struct bytes ignored = {.data = NULL};
	int status = child_end_with_errors(child, &ignored);

	bytes_free(&ignored);
	return status;
}

int
child_end_with_errors(struct child *child, struct bytes *errors)
{
	int status;

	(void)client_receive(child->err, errors);
	ck_assert_int_eq(waitpid(child->pid, &status, 0), child->pid);
	(void)close(child->out);
	(void)close(child->err);
	if (child->in >= 0)
		(void)close(child->in);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

void
child_stop(struct child *child)
{
	struct bytes errors = {.data = NULL};
	int status;

	ck_assert_int_eq(kill(child->pid, SIGTERM), 0);
	status = child_end_with_errors(child, &errors);
	ck_assert_msg(status == 0, "exit status %d after SIGTERM; stderr: %s",
		status, shown(errors.data, errors.size));
	bytes_free(&errors);
}

void
leave_child(const void *fds)
{
	const int *fd = fds;
	pid_t pid = fork();
	char c;

	if (pid == 0) {
		/* nothing else of it is needed, nor to be kept open */
		for (int i = 0; i < 256; i++)
			if (i != fd[0])
				(void)close(i);
		_exit(read(fd[0], &c, 1) != 0);
	}
	(void)!write(fd[1], &pid, sizeof pid);
}

/* --- files --- */

char *
dir_make(void)
{
	const char *base = getenv("TMPDIR");
	struct bytes name = {.data = NULL};

	base = base ? base : "/tmp";
	bytes_add(&name, base, strlen(base));
	bytes_add(&name, "/retort-XXXXXX", sizeof "/retort-XXXXXX" - 1);
	ck_assert_msg(mkdtemp(name.data) != NULL, "%s: %s", name.data,
		strerror(errno));
	return name.data;
}

static int
remove_one(const char *path, const struct stat *status, int type,
	struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
dir_remove(char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

void
dir_write(const char *dir, const char *name, const void *data, size_t size)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	for (char *slash = path + strlen(dir) + 1;
		(slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		*slash = '\0';
		(void)mkdir(path, 0777);
	}
	file = fopen(path, "wb");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

#ifdef __linux__
int
opening_watch(const char *path)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	ck_assert_msg(fd >= 0, "inotify: %s", strerror(errno));
	ck_assert_msg(inotify_add_watch(fd, path, IN_OPEN) >= 0, "watch %s: %s",
		path, strerror(errno));
	return fd;
}

bool
opening_seen(int watched)
{
	struct inotify_event event;
	ssize_t n = read(watched, &event, sizeof event);

	ck_assert_msg(n == sizeof event || (n < 0 && errno == EAGAIN),
		"expected an event or EAGAIN, got %zd: %s", n, strerror(errno));
	return n > 0;
}
#endif
