/* SPDX-License-Identifier: MIT */
/*
 * Tests of libretort as a fixture (retort.h): rules, records, waits and
 * verdicts, in every way that a server can be run. Clients are bare sockets of
 * the test's own thread, which drives the server meanwhile where it has none.
 * Linked with --wrap for malloc and its kin: bytes are counted, allocations
 * fail when told to.
 */
#include "config.h"

#include "support/serving.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HOST " HTTP/1.1\r\nHost: x\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
#define CLOSE "Connection: close\r\n\r\n"

/* The reply's body. */
static void
expect_body(const char *request, const char *body)
{
	struct bytes got = exchange(request);
	const char *end = strstr(got.data, "\r\n\r\n");

	ck_assert_msg(end != NULL && strcmp(end + 4, body) == 0,
		"%s: to %s\n# expected \"%s\", got: %s", way->name,
		shown(request, strlen(request)), body,
		shown(got.data, got.size));
	bytes_free(&got);
}

/* Receives what is left, until the end, and closes. */
static void
finish_client(int fd, const char *expected)
{
	struct bytes got = {.data = NULL};
	int code = talk(fd, "", 0, &got, NULL);

	ck_assert_msg(code == 0, "%s: %s after: %s", way->name, strerror(code),
		shown(got.data, got.size));
	assert_has(got, expected);
	bytes_free(&got);
	(void)close(fd);
}

/* --- life --- */

START_TEST(listens_when_it_returns)
{
	char url[64];

	open_plain(_i);
	ON(NULL, .body = "hello");
	expect_body(GET, "hello");
	if (way->adopted) {
		ck_assert_ptr_null(retort_url(server, 0));
		ck_assert_int_eq(retort_port(server, 0), -1);
		ck_assert_int_eq(retort_listener(server, 0), -1);
		ck_assert(!retort_local(server, 0));
	} else {
		int one = 0;
		socklen_t size = sizeof one;

		(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/",
			retort_port(server, 0));
		ck_assert_str_eq(retort_url(server, 0), url);
		ck_assert_ptr_null(retort_url(server, 1));
		ck_assert(retort_local(server, 0));
		ck_assert_int_eq(getsockopt(retort_listener(server, 0),
					 SOL_SOCKET, SO_ACCEPTCONN, &one,
					 &size),
			0);
		ck_assert_int_eq(one, 1);
	}
	ck_assert_uint_eq(retort_replies(server), 1);
	ck_assert_uint_eq(retort_accepted(server), 1);
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_uint_eq(retort_connections(server), 0);
	assert_verdict(NULL);
	close_server();
	retort_close(NULL);
}
END_TEST

START_TEST(sixteen_at_once)
{
	enum { SERVERS = 16 };
	struct retort *all[SERVERS];
	char body[32];

	for (int i = 0; i < SERVERS; i++) {
		open_plain(_i);
		all[i] = server;
		(void)snprintf(body, sizeof body, "server %d", i);
		ON("GET /", .body = body);
	}
	for (int i = SERVERS; i-- > 0;) {
		server = all[i];
		(void)snprintf(body, sizeof body, "server %d", i);
		expect_body(GET, body);
		ck_assert_uint_eq(retort_count(server, NULL), 1);
	}
	for (int i = 0; i < SERVERS; i++)
		retort_close(all[i]);
}
END_TEST

START_TEST(says_why_it_does_not_start)
{
	static const char *const malformed[] = {"example.org", NULL};
	const char *taken[] = {NULL, NULL};
	char spec[64], text[128];

	open_plain(0);
	(void)snprintf(spec, sizeof spec, "127.0.0.1:%d",
		retort_port(server, 0));
	taken[0] = spec;
	(void)snprintf(text, sizeof text, "bind %s: Address already in use",
		spec);
	for (int i = 0; i < 2; i++) {
		struct retort_options options = {.bind = taken};

		errno = 0;
		ck_assert_ptr_null(i ? retort_open(&options, error) :
				       retort_start(&options, error));
		ck_assert_int_eq(errno, EADDRINUSE);
		ck_assert_str_eq(error, text);
		options.bind = malformed;
		ck_assert_ptr_null(i ? retort_open(&options, error) :
				       retort_start(&options, error));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_ptr_nonnull(strstr(error, "example.org"));
		ck_assert_ptr_null(strchr(error, '\n'));
		options = (struct retort_options){.max_head = SIZE_MAX};
		ck_assert_ptr_null(i ? retort_open(&options, NULL) :
				       retort_start(&options, NULL));
		ck_assert_int_eq(errno, EINVAL);
	}
	close_server();
}
END_TEST

/* Whether the descriptor is not of those that stand in the set. */
static bool
is_new(int fd, const bool *before, int room)
{
	return fd < room && !before[fd] && fcntl(fd, F_GETFD) >= 0;
}

START_TEST(descriptors_are_close_on_exec)
{
	enum { ROOM = 256 };
	bool before[ROOM];
	int fd, found = 0;

	for (int i = 0; i < ROOM; i++)
		before[i] = fcntl(i, F_GETFD) >= 0;
	open_plain(_i);
	if (way->drive == POLLFD)
		(void)retort_fd(server);
	fd = connect_client();
	say(fd, "GET");
	TURN_UNTIL(retort_connections(server) == 1);
	if (!way->adopted) {
		ck_assert_int_eq(retort_refuse(server, true), 0);
		ck_assert_int_eq(retort_refuse(server, false), 0);
	}
	for (int i = 0; i < ROOM; i++)
		if (is_new(i, before, ROOM)) {
			ck_assert_msg(fcntl(i, F_GETFD) & FD_CLOEXEC,
				"descriptor %d is inherited", i);
			found++;
		}
	ck_assert_int_ge(found, 3);
	(void)close(fd);
	close_server();
}
END_TEST

static _Atomic(int) signals_here, signals_elsewhere;
static pthread_t main_thread;

static void
count_signal(int number)
{
	(void)number;
	if (pthread_equal(pthread_self(), main_thread))
		signals_here++;
	else
		signals_elsewhere++;
}

/* The thread's mask, as the kernel has it. */
static unsigned long long
blocked_by(const char *task)
{
	char path[300], line[256];
	unsigned long long mask = 0;
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "SigBlk: %llx", &mask) == 1)
			break;
	(void)fclose(file);
	return mask;
}

static int
count_threads(unsigned long long *mask)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(folder);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (mask != NULL && atol(entry->d_name) != (long)getpid() &&
			blocked_by(entry->d_name) > *mask)
			*mask = blocked_by(entry->d_name);
	}
	(void)closedir(folder);
	return count;
}

/* Signals are the caller's: its mask and handlers are left, and its thread
   gets them all. */
START_TEST(signals_are_the_callers)
{
	struct sigaction action = {.sa_handler = count_signal}, pipe_after;
	unsigned long long mask = 0;
	sigset_t before, after;

	main_thread = pthread_self();
	(void)signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	open_plain(_i);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	for (int i = 1; i < 32; i++)
		ck_assert_int_eq(sigismember(&before, i),
			sigismember(&after, i));
	ON(NULL, .repeat = 10u << 20, .body = "x");
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	for (int i = 0; i < 3; i++) {
		struct bytes got = {.data = NULL};
		int fd = connect_client();

		ck_assert_int_eq(talk(fd, GET, sizeof GET - 1, &got, "xxx"), 0);
		client_reset(fd);
		bytes_free(&got);
		(void)ended((size_t)i + 1);
	}
	ck_assert_int_eq(signals_elsewhere, 0);
	ck_assert_int_gt(signals_here, 0);
	(void)count_threads(&mask);
	/* valgrind keeps those for itself that a thread causes */
	if (way->drive == OWN_THREAD && !under_valgrind())
		for (int i = 1; i < 32; i++)
			ck_assert_msg(i == SIGKILL || i == SIGSTOP ||
					(mask >> (i - 1) & 1) != 0,
				"signal %d is not blocked: %llx", i, mask);
	close_server();
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &pipe_after), 0);
	ck_assert(pipe_after.sa_handler == SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, SIG_DFL);
}
END_TEST

static int
count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	ck_assert_ptr_nonnull(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

static bool
is_slow(void)
{
	return getenv("CK_TIMEOUT_MULTIPLIER") != NULL;
}

/* Without a TIME_WAIT for each: they would use up the ports. */
static void
one_cycle(int i)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(i);
	ON("GET /", .body = "hello");
	fd = connect_client();
	ck_assert_int_eq(talk(fd, GET, sizeof GET - 1, &got, NULL), 0);
	assert_has(got, "\r\n\r\nhello");
	ck_assert_ptr_nonnull(retort_wait(server, 1, PATIENCE, "GET /"));
	bytes_free(&got);
	client_reset(fd);
	close_server();
}

START_TEST(lives_and_dies_without_growth)
{
	int cycles = is_slow() ? 50 : _i == 0 ? 10000 : 1000;
	int descriptors = 0, threads = 0;
	long long bytes = 0;
	size_t heap = 0;

	for (int i = 0; i < cycles; i++) {
		/* once to get warm */
		if (i == cycles / 10) {
			descriptors = count_descriptors();
			threads = count_threads(NULL);
			heap = mallinfo2().uordblks;
			bytes = live;
		}
		one_cycle(_i);
	}
	ck_assert_int_eq(count_descriptors(), descriptors);
	ck_assert_int_eq(count_threads(NULL), threads);
	ck_assert_msg(live == bytes, "%s: %lld bytes became %lld", way->name,
		bytes, live);
	ck_assert_msg(mallinfo2().uordblks <= heap + 65536,
		"%s: a heap of %zu bytes grew to %zu", way->name, heap,
		mallinfo2().uordblks);
}
END_TEST

/* A server that ends by itself while it is told to: neither waits for ever. */
START_TEST(ends_while_it_is_told_to)
{
	int cycles = is_slow() ? 50 : 1000;

	for (int i = 0; i < cycles; i++) {
		struct bytes got = {.data = NULL};
		int fd;

		open_with((struct retort_options){.requests = 1}, _i);
		ON(NULL, .body = "hello");
		fd = connect_client();
		ck_assert_int_eq(talk(fd, GET, sizeof GET - 1, &got, "hello"),
			0);
		bytes_free(&got);
		client_reset(fd);
		(void)retort_refuse(server, true);
		retort_stop(server, 0);
		close_server();
	}
}
END_TEST

/* --- finishing --- */

static int
later(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	uint64_t *connection = arg;

	(void)reply;
	*connection = exchange->connection;
	return RETORT_LATER;
}

/* clang-format off */
static const struct stuck {
	const char *request;
	bool whole;
	const char *left;
} stuck[] = {
	{"", false, "\"\": nothing came; 0 bytes received, 0 sent\n"},
	{"GET /half HT", false,
		"\"GET /half HT\": in the head of the request; 12 bytes "
		"received, 0 sent\n"},
	{"POST /half" HOST "Content-Length: 5\r\n\r\nab", false,
		"\"POST /half HTTP/1.1\": in the body of the request; 53 bytes "
		"received, 0 sent\n"},
	{"GET /paused" HOST "\r\n", true,
		"\"GET /paused HTTP/1.1\": in the reply, paused; 33 bytes "
		"received, 0 sent\n"},
	{"GET /big" HOST "\r\n", true,
		"\"GET /big HTTP/1.1\": in the reply, which the client does "
		"not take; 30 bytes received, "},
	{"GET /later" HOST "\r\n", true,
		"\"GET /later HTTP/1.1\": its reply was not made; 32 bytes "
		"received, 0 sent\n"},
};
/* clang-format on */

START_TEST(finishes_and_says_what_was_left)
{
	uint64_t connection = 0;
	const char *left;
	int64_t begun;

	for (size_t i = 0; i < COUNT(stuck); i++) {
		int fd;

		open_plain(_i);
		ON("/paused", .pause_head = 1000000);
		ON("/big", .body = "x", .repeat = 1u << 30);
		ON("/later", .handler = later, .handler_arg = &connection);
		fd = connect_client();
		say(fd, stuck[i].request);
		if (stuck[i].whole)
			ck_assert_ptr_nonnull(
				retort_wait(server, 1, PATIENCE, NULL));
		begun = now_ms();
		left = retort_finish(server, 30);
		ck_assert_msg(left != NULL &&
				strncmp(left, "connection 1, ", 14) == 0 &&
				strstr(left, stuck[i].left) != NULL,
			"%s: expected %s, got: %s", way->name, stuck[i].left,
			left ? left : "(NULL)");
		/* what may still move has the time it was given */
		if (i == 4)
			ck_assert_int_ge(now_ms() - begun, 29);
		ck_assert_uint_eq(retort_connections(server), 0);
		(void)close(fd);
		close_server();
	}
}
END_TEST

START_TEST(finishes_with_nothing_left)
{
	int fd;

	open_plain(_i);
	ON("/", .body = "hello");
	ck_assert_ptr_null(retort_finish(server, 0));
	ck_assert_ptr_null(retort_finish(server, -1));
	ck_assert_ptr_null(retort_wait(server, 1, -1, NULL));
	close_server();
	open_plain(_i);
	ON("/", .body = "hello", .pause_head = 1);
	expect_body(GET, "hello");
	/* one that was answered is left to nobody */
	fd = connect_client();
	say(fd, GET);
	ck_assert_ptr_nonnull(retort_wait(server, 2, PATIENCE, "/"));
	{
		struct bytes got = {.data = NULL};

		ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
		bytes_free(&got);
	}
	ck_assert_ptr_null(retort_finish(server, PATIENCE));
	ck_assert_int_eq(retort_wait(server, 2, 0, "/")->end, RETORT_ANSWERED);
	(void)close(fd);
	close_server();
}
END_TEST

/* --- rules --- */

START_TEST(first_fit_answers)
{
	open_plain(_i);
	ON("GET /queue", .body = "one", .times = 1);
	ON("GET /queue", .body = "two", .times = 1);
	ON("GET /queue", .body = "three", .times = 1);
	ON("GET /queue", .status = 404, .body = "gone");
	ON("/queue", .body = "any method");
	expect_body("GET /queue" HOST "\r\n", "one");
	expect_body("GET /queue" HOST "\r\n", "two");
	expect_body("PUT /queue" HOST "Content-Length: 0\r\n\r\n",
		"any method");
	expect_body("GET /queue" HOST "\r\n", "three");
	for (int i = 0; i < 3; i++)
		expect_body("GET /queue" HOST "\r\n", "gone");
	ck_assert_uint_eq(retort_count(server, "GET /queue"), 6);
	ck_assert_int_eq(ended(1)->rule, 1);
	ck_assert_int_eq(ended(2)->rule, 2);
	ck_assert_int_eq(ended(3)->rule, 5);
	ck_assert_int_eq(ended(7)->rule, 4);
	assert_verdict(NULL);
	close_server();
}
END_TEST

static bool
has_even_body(void *arg, const struct retort_exchange *exchange)
{
	++*(int *)arg;
	return exchange->body_size % 2 == 0;
}

static int asked;

/* clang-format off */
static const struct fit {
	struct retort_when when;
	const char *request;
	bool fits;
} fits[] = {
	{{.request = "GET"}, "GET /a" HOST "\r\n", true},
	{{.request = "POST"}, "GET /a" HOST "\r\n", false},
	{{.request = "*"}, "GET /a" HOST "\r\n", true},
	{{.request = "* /a"}, "GET /a" HOST "\r\n", true},
	{{.request = "/a"}, "GET /a?b" HOST "\r\n", true},
	{{.request = "/a"}, "GET /A" HOST "\r\n", false},
	{{.request = "/a"}, "GET /%61" HOST "\r\n", true},
	{{.request = "/a"}, "GET http://x/a" HOST "\r\n", true},
	{{.request = "/"}, "GET http://x" HOST "\r\n", true},
	{{.request = "/a/*/c"}, "GET /a/b/b/c" HOST "\r\n", true},
	{{.request = "/a/*/c"}, "GET /a/b" HOST "\r\n", false},
	{{.request = "OPTIONS *"}, "OPTIONS *" HOST "\r\n", true},
	{{.request = "/a?x=1&y=%2f"}, "GET /a?y=/&z&x=1" HOST "\r\n", true},
	{{.request = "/a?x=1"}, "GET /a?x=11" HOST "\r\n", false},
	{{.request = "/a?x=1"}, "GET /a" HOST "\r\n", false},
	{{.fields = "A: b\nHost: x"}, "GET /" HOST "a:  b \r\n\r\n", true},
	{{.fields = "A: b"}, "GET /" HOST "A: c\r\nA: b\r\n\r\n", true},
	{{.fields = "A: b"}, "GET /" HOST "A: bb\r\n\r\n", false},
	{{.contains = "A: b"}, "GET /" HOST "A: abba\r\n\r\n", true},
	{{.contains = "A: b"}, "GET /" HOST "B: abba\r\n\r\n", false},
	{{.absent = "A"}, "GET /" HOST "B: abba\r\n\r\n", true},
	{{.absent = "A\nB"}, "GET /" HOST "b: abba\r\n\r\n", false},
	{{.body = "abc"},
		"PUT /" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
		true},
	{{.body = "abc"}, "PUT /" HOST "Content-Length: 2\r\n\r\nab", false},
	{{.body = "a\0b", .body_size = 3},
		"PUT /" HOST "Content-Length: 1\r\n\r\na", false},
	{{.body = ""}, "GET /" HOST "\r\n", true},
	{{.body_has = "bc"}, "PUT /" HOST "Content-Length: 4\r\n\r\nabcd",
		true},
	{{.body_has = "x"}, "PUT /" HOST "Content-Length: 4\r\n\r\nabcd",
		false},
	{{.predicate = has_even_body, .predicate_arg = &asked},
		"PUT /" HOST "Content-Length: 4\r\n\r\nabcd", true},
	{{.predicate = has_even_body, .predicate_arg = &asked},
		"PUT /" HOST "Content-Length: 3\r\n\r\nabc", false},
	{{.request = "GET /", .fields = "A: b", .absent = "B"},
		"GET /" HOST "A: b\r\n\r\n", true},
	{{.request = "GET /", .fields = "A: b", .absent = "B"},
		"GET /" HOST "A: b\r\nB: c\r\n\r\n", false},
};
/* clang-format on */

/* The same for rules, counts and waits. */
START_TEST(fits_what_it_says)
{
	open_plain(_i);
	for (size_t i = 0; i < COUNT(fits); i++) {
		const struct fit *fit = fits + i;
		struct retort_reply rule = {.when = fit->when, .body = "fits"};
		struct bytes got;

		retort_reset(server);
		ck_assert_int_eq(retort_on_sized(server, &rule, sizeof rule),
			1);
		got = exchange(fit->request);
		ck_assert_msg((strncmp(got.data, "HTTP/1.1 200 ", 13) == 0) ==
					fit->fits &&
				(strncmp(got.data, "HTTP/1.1 501 ", 13) == 0) !=
					fit->fits,
			"%s: expected case %zu to %s: %s\n# got %s", way->name,
			i, fit->fits ? "fit" : "miss",
			shown(fit->request, strlen(fit->request)),
			shown(got.data, got.size));
		bytes_free(&got);
		ck_assert_uint_eq(retort_count_sized(server, &fit->when,
					  sizeof fit->when),
			fit->fits);
		ck_assert((retort_wait_sized(server, 1, 0, &fit->when,
				   sizeof fit->when) != NULL) == fit->fits);
		ck_assert((retort_verdict(server) == NULL) == fit->fits);
	}
	ck_assert_int_gt(asked, 0);
	close_server();
}
END_TEST

/* clang-format off */
static const struct {
	struct retort_reply rule;
	const char *text;
} mistakes[] = {
	{{.when.request = "GET x"}, "rule: expected 'METHOD /TARGET'"},
	{{.when.request = "G@T /"}, "rule: expected 'METHOD /TARGET'"},
	{{.when.fields = "no colon"}, "rule: "},
	{{.when.absent = "A: b"}, "rule: absent: 'A: b': expected a field's name alone"},
	{{.status = 199}, "rule: status: expected 200 to 999"},
	{{.when.request = "GET /a?b", .status = 199},
		"rule: status: expected 200 to 999 (GET /a?b)"},
	{{.status = 1000}, "rule: status: expected 200 to 999"},
	{{.status = 204, .body = "x"}, "rule: status: a 204"},
	{{.fields = "A b: c"}, "rule: fields: 'A b: c': expected a token as field name"},
	{{.omit = "A: b"}, "rule: omit: "},
	{{.trailers = "A"}, "rule: trailers: "},
	{{.type = ""}, "rule: malformed media type"},
	{{.body = "a", .echo = true}, "rule: reply: more than one of"},
	{{.raw = true, .echo = true}, "rule: reply: both raw and an echo"},
	{{.raw = true, .file = "/x"}, "rule: reply: both raw and a file"},
	{{.raw = true, .body = "x", .repeat = 9},
		"rule: reply: both raw and a file or repeat"},
	{{.repeat = 5}, "rule: repeat: there is no body"},
	{{.body_size = 5}, "rule: body: "},
	{{.pause_head = -1}, "rule: pause: "},
};
/* clang-format on */

START_TEST(malformed_rules_are_told)
{
	const char *const one[] = {"/", NULL};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct retort_reply answer = mistakes[i].rule;

		retort_reset(server);
		ck_assert_msg(retort_on_sized(server, &mistakes[i].rule,
				      sizeof mistakes[i].rule) == -EINVAL,
			"rule %zu was taken", i);
		assert_verdict(mistakes[i].text);
		if (i < 4)
			continue;
		ck_assert_int_eq(retort_check(&answer, error), -EINVAL);
		ck_assert_ptr_nonnull(strstr(mistakes[i].text + 6,
			strncmp(error, mistakes[i].text + 6,
				strlen(mistakes[i].text + 6)) == 0 ?
				"" :
				"?"));
		ck_assert_int_eq(retort_answer(server, &answer, NULL), -EINVAL);
	}
	retort_reset(server);
	assert_verdict(NULL);
	ck_assert_uint_eq(retort_count(server, "GET x"), 0);
	assert_verdict("request: expected 'METHOD /TARGET'");
	retort_reset(server);
	ck_assert_ptr_null(retort_wait(server, 1, 1000000, "GET x"));
	assert_verdict("request: expected");
	retort_reset(server);
	ck_assert_int_eq(retort_expect(server, 2, 1, "/"), -EINVAL);
	assert_verdict("expectation: at least 2 and at most 1");
	ck_assert_int_eq(retort_expect_order(server, one), -EINVAL);
	/* what is for rules alone */
	ck_assert_int_eq(retort_check(&(struct retort_reply){.times = 1},
				 error),
		-EINVAL);
	ck_assert_int_eq(retort_answer(server,
				 &(struct retort_reply){.when.request = "/"},
				 error),
		-EINVAL);
	close_server();
}
END_TEST

static int
build(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	static char body[200];

	(void)arg;
	(void)snprintf(body, sizeof body, "%s %s %s %.*s", exchange->method,
		exchange->path, retort_field_of(exchange, "x-a", 0),
		(int)exchange->body_size, (const char *)exchange->body);
	reply->status = 201;
	reply->body = body;
	reply->body_size = 0;
	return 0;
}

static int
keep(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	return 0;
}

static int
err(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	if (arg != NULL)
		reply->status = 7;
	return arg ? 0 : -5;
}

START_TEST(handlers_build_replies)
{
	char *own = strdup("the rule's own");
	struct bytes got;

	open_plain(_i);
	ON("POST", .handler = build, .status = 404, .fields = "X-B: b");
	ON("/own", .handler = keep, .body = own, .status = 202);
	ON("/repeat", .handler = keep, .body = own, .repeat = 20);
	ON("/empty", .handler = keep, .body = "");
	ON("/fails", .handler = err);
	ON("/wrong", .handler = err, .handler_arg = &asked);
	/* what was pointed at need not last longer than the call */
	memset(own, '#', strlen(own));
	free(own);
	got = exchange(
		"POST /a%20b" HOST "X-A: 1\r\nContent-Length: 2\r\n\r\nhi");
	assert_begins(got, "HTTP/1.1 201 Created\r\n");
	assert_has(got, "\r\nX-B: b\r\n");
	assert_has(got, "\r\n\r\nPOST /a b 1 hi");
	bytes_free(&got);
	expect_body("GET /own" HOST "\r\n", "the rule's own");
	expect_body("GET /repeat" HOST "\r\n", "the rule's ownthe ru");
	expect_body("GET /empty" HOST "\r\n", "");
	assert_verdict(NULL);
	expect_body("GET /fails" HOST "\r\n",
		"500 Internal Server Error: the handler of rule 5 failed: it "
		"returned -5\n");
	assert_verdict("connection 5: the handler of rule 5 failed: it "
		       "returned -5\n");
	expect_begin("GET /wrong" HOST "\r\n", "HTTP/1.1 500 ");
	assert_verdict("the handler of rule 6 failed: status: expected 200");
	ck_assert_int_eq(ended(6)->status, 500);
	close_server();
}
END_TEST

/* What a handler was given. */
static struct given {
	struct retort_reply reply;
	uint64_t connection;
	int code; /* that it is to return */
} given;

static int
keep_given(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct given *to = arg;

	to->reply = *reply;
	to->connection = exchange->connection;
	return to->code;
}

static void
assert_no_rule(const struct retort_reply *reply)
{
	const struct retort_when *when = &reply->when;

	ck_assert_msg(when->request == NULL && when->fields == NULL &&
			when->contains == NULL && when->absent == NULL &&
			when->body == NULL && when->body_size == 0 &&
			when->body_has == NULL && when->predicate == NULL &&
			when->predicate_arg == NULL && !when->nocase,
		"%s: there are conditions", way->name);
	ck_assert_uint_eq(reply->times, 0);
	ck_assert(reply->handler == NULL);
	ck_assert_ptr_null(reply->handler_arg);
	ck_assert(!reply->accepted);
	ck_assert(!reply->files);
	ck_assert_msg(retort_check(reply, error) == 0, "%s: %s", way->name,
		error);
}

/* The reply alone, which can be kept and sent later. */
START_TEST(handlers_are_given_no_rule)
{
	char *texts[] = {strdup("POST /*"), strdup("A: b"), strdup("C: d"),
		strdup("E"), strdup("body"), strdup("od")};
	struct bytes got;
	int fd;

	open_plain(_i);
	ON(NULL, .accepted = true, .times = 1, .handler = keep_given,
		.handler_arg = &given, .body = "220 hello\r\n");
	ON(texts[0], .when.fields = texts[1], .when.contains = texts[2],
		.when.absent = texts[3], .when.body = texts[4],
		.when.body_size = 4, .when.body_has = texts[5], .times = 2,
		.handler = keep_given, .handler_arg = &given, .status = 202,
		.fields = "X: y", .body = "kept");
	for (size_t i = 0; i < COUNT(texts); i++) {
		memset(texts[i], '#', strlen(texts[i]));
		free(texts[i]);
	}
	given.code = 0;
	got = exchange(GET);
	assert_begins(got, "220 hello\r\n");
	bytes_free(&got);
	ck_assert_uint_eq(given.connection, 1);
	assert_no_rule(&given.reply);
	given.code = RETORT_LATER;
	fd = connect_client();
	say(fd, "POST /a" HOST "A: b\r\nC: d\r\nContent-Length: 4\r\n\r\nbody");
	ck_assert_ptr_nonnull(retort_wait(server, 1, PATIENCE, "POST /a"));
	ck_assert_uint_eq(given.connection, 2);
	assert_no_rule(&given.reply);
	ck_assert_int_eq(retort_reply_later(server, 2, &given.reply), 0);
	finish_client(fd, "\r\n\r\nkept");
	ck_assert_int_eq(ended(2)->status, 202);
	close_server();
}
END_TEST

/* What another thread is to answer. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static uint64_t asked_on;
static int replied;

static int
ask_thread(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)reply;
	(void)pthread_mutex_lock(&mutex);
	asked_on = exchange->connection;
	(void)pthread_cond_signal(&cond);
	(void)pthread_mutex_unlock(&mutex);
	return RETORT_LATER;
}

static void *
reply_from_thread(void *arg)
{
	struct retort_reply reply = {.status = 202, .body = arg};

	(void)pthread_mutex_lock(&mutex);
	while (asked_on == 0)
		(void)pthread_cond_wait(&cond, &mutex);
	(void)pthread_mutex_unlock(&mutex);
	replied = retort_reply_later(server, asked_on, &reply);
	return NULL;
}

START_TEST(replies_later)
{
	char body[] = "from a thread";
	struct bytes got = {.data = NULL};
	uint64_t connection = 0;
	struct retort_reply reply = {.body = "same thread"};
	pthread_t thread;
	int fd;

	open_plain(_i);
	ON("/thread", .handler = ask_thread);
	ON("/same", .handler = later, .handler_arg = &connection);
	ck_assert_int_eq(retort_reply_later(server, 1, &reply), -ENOENT);
	asked_on = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, reply_from_thread, body),
		0);
	got = exchange("GET /thread" HOST "\r\n");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(replied, 0);
	assert_begins(got, "HTTP/1.1 202 Accepted\r\n");
	assert_has(got, "\r\n\r\nfrom a thread");
	bytes_free(&got);
	ck_assert_int_eq(ended(1)->status, 202);
	ck_assert_int_eq(ended(1)->rule, 1);
	/* the record is there before the reply, and says that there is none */
	fd = connect_client();
	say(fd, "GET /same" HOST "\r\n");
	ck_assert_int_eq(retort_wait(server, 1, PATIENCE, "/same")->status, 0);
	ck_assert_int_eq(retort_reply_later(server, 3, &reply), -ENOENT);
	ck_assert_int_eq(retort_reply_later(server, 2, &reply), 0);
	ck_assert_int_eq(retort_reply_later(server, 2, &reply), -ENOENT);
	finish_client(fd, "\r\n\r\nsame thread");
	ck_assert_int_eq(ended(2)->status, 200);
	ck_assert_int_eq(retort_reply_later(server, 2, &reply), -ENOENT);
	assert_verdict(NULL);
	/* a malformed one is told, and the request waits on */
	fd = connect_client();
	say(fd, "GET /same" HOST "\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, 2, PATIENCE, "/same"));
	reply.status = 7;
	ck_assert_int_eq(retort_reply_later(server, 3, &reply), -EINVAL);
	assert_verdict("reply: status: expected 200 to 999");
	reply.status = 0;
	ck_assert_int_eq(retort_reply_later(server, 3, &reply), 0);
	finish_client(fd, "\r\n\r\nsame thread");
	close_server();
}
END_TEST

START_TEST(nobody_waits_for_a_later_reply)
{
	const struct retort_exchange *seen;
	uint64_t connection = 0;
	struct retort_reply reply = {.body = "too late"};
	int fd;

	open_plain(_i);
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_client();
	say(fd, GET);
	seen = retort_wait(server, 1, PATIENCE, NULL);
	ck_assert_ptr_nonnull(seen);
	client_reset(fd);
	ck_assert(retort_wait_end(server, seen, PATIENCE));
	ck_assert_int_eq(retort_reply_later(server, 1, &reply), -ENOENT);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->status, 0);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	ck_assert(seen->client_first);
	close_server();
}
END_TEST

START_TEST(falls_back)
{
	struct retort_reply reply = {.status = 503, .body = "not now"};
	char *folder = dir_make();

	dir_write(folder, "a", "file", 4);
	open_plain(_i);
	ON("POST /a", .body = "rule");
	ck_assert_int_eq(retort_serve(server, folder, NULL, error), 0);
	expect_body("GET /a" HOST "\r\n", "file");
	expect_body("POST /a" HOST "Content-Length: 1\r\n\r\nx", "rule");
	expect_begin("POST /b" HOST "Content-Length: 1\r\n\r\nx",
		"HTTP/1.1 405 ");
	ck_assert_int_eq(retort_answer(server, &reply, error), 0);
	expect_body("GET /a" HOST "\r\n", "not now");
	expect_body("POST /a" HOST "Content-Length: 1\r\n\r\nx", "rule");
	ck_assert_int_eq(ended(4)->rule, 0);
	ck_assert_int_eq(retort_serve(server, folder, NULL, error), 0);
	expect_body("GET /a" HOST "\r\n", "file");
	assert_verdict(NULL);
	close_server();
	dir_remove(folder);
}
END_TEST

START_TEST(says_what_came_nearest)
{
	struct bytes got;

	open_plain(_i);
	got = exchange(GET);
	assert_begins(got, "HTTP/1.1 501 Not Implemented\r\n");
	assert_has(got, "\r\n\r\nno rule fits GET /\n");
	bytes_free(&got);
	ON("POST /users", .body = "x");
	ON("GET /users/1", .body = "x", .when.fields = "Accept: a/b");
	expect_body("GET /users/2" HOST "\r\n",
		"no rule fits GET /users/2: path differs from rule 2 "
		"\"/users/1\" at byte 7\n");
	expect_body("GET /users/1" HOST "Accept: c/d\r\n\r\n",
		"no rule fits GET /users/1: field differs from rule 2 "
		"\"Accept: a/b\": came \"c/d\"\n");
	expect_body("GET /users" HOST "\r\n",
		"no rule fits GET /users: method differs from rule 1 "
		"\"POST\"\n");
	ON("GET /once", .body = "x", .times = 1);
	expect_body("GET /once" HOST "\r\n", "x");
	got = exchange("GET /once" HOST "\r\n");
	assert_begins(got, "HTTP/1.1 501 ");
	assert_has(got,
		"\r\n\r\nno rule fits GET /once: rule 3 would, but was used "
		"up (1 of 1)");
	bytes_free(&got);
	assert_verdict("connection 1: no rule fits GET /\n");
	assert_verdict("connection 6: no rule fits GET /once: rule 3 would");
	assert_verdict("< GET /once HTTP/1.1\\r\\n\n");
	ck_assert_int_eq(ended(6)->status, 501);
	ck_assert_int_eq(ended(6)->rule, 0);
	close_server();
}
END_TEST

/* --- replies --- */

static const size_t two_three[] = {2, 3, 0};

#define NO_DATE .omit = "Date"

/* clang-format off */
static const struct wire {
	const char *request;
	struct retort_reply reply;
	const char *expected;
} wires[] = {
	{GET, {NO_DATE},
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" CLOSE},
	{GET, {NO_DATE, .body = "hi"},
		"HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 2\r\n" CLOSE "hi"},
	{GET,
		{.omit = "date\nCONTENT-LENGTH\nconnection\ncontent-type",
			.body = "hi", .status = 404},
		"HTTP/1.1 404 Not Found\r\n\r\nhi"},
	{GET,
		{NO_DATE, .fields = "x-A:  1 \nX-a: 2\r\nContent-Length: 99\n"
				    "connection:",
			.body = "hi", .type = "a/b"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nx-A:  1 \r\nX-a: 2\r\n"
		"Content-Length: 99\r\nconnection:\r\n\r\nhi"},
	{GET, {NO_DATE, .version = "ICY/0.9", .reason = "", .status = 999},
		"ICY/0.9 999 \r\nContent-Length: 0\r\n" CLOSE},
	{GET, {NO_DATE, .reason = "So Be It", .status = 299},
		"HTTP/1.1 299 So Be It\r\nContent-Length: 0\r\n" CLOSE},
	{GET, {NO_DATE, .status = 204},
		"HTTP/1.1 204 No Content\r\n" CLOSE},
	{GET,
		{NO_DATE, .interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>"
				     "\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
			.body = "hi"},
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
		"HTTP/1.1 100 Continue\r\n\r\n"
		"HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 2\r\n" CLOSE "hi"},
	{GET, {NO_DATE, .body = "hello", .chunked = true},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Transfer-Encoding: chunked\r\n" CLOSE
		"5\r\nhello\r\n0\r\n\r\n"},
	{GET, {NO_DATE, .chunked = true},
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" CLOSE
		"0\r\n\r\n"},
	{GET,
		{NO_DATE, .body = "abcdefghijklmnopqr", .chunks = two_three,
			.trailers = "A: 1\nB: 2", .type = "a/b"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"
		"Transfer-Encoding: chunked\r\n" CLOSE
		"2\r\nab\r\n3\r\ncde\r\nd\r\nfghijklmnopqr\r\n0\r\n"
		"A: 1\r\nB: 2\r\n\r\n"},
	{GET,
		{NO_DATE, .body = "abc", .chunks = two_three, .type = "a/b",
			.fields = "Content-Length: 3"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"
		"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n" CLOSE
		"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"},
	{"HEAD /" HOST "\r\n", {NO_DATE, .body = "hello", .trailers = "A: 1"},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Transfer-Encoding: chunked\r\n" CLOSE},
	{"HEAD /" HOST "\r\n", {NO_DATE, .body = "hello", .pause_body = 1},
		"HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 5\r\n" CLOSE},
	{GET, {NO_DATE, .body = "abc", .repeat = 8},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Content-Length: 8\r\n" CLOSE "abcabcab"},
	{GET,
		{NO_DATE, .body = "abc", .repeat = 8, .chunks = two_three,
			.pause_chunk = 1},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Transfer-Encoding: chunked\r\n" CLOSE
		"2\r\nab\r\n3\r\ncab\r\n3\r\ncab\r\n0\r\n\r\n"},
	{"GET /e" HOST "\r\n", {NO_DATE, .echo = true, .type = "a/b"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 28"
		"\r\n" CLOSE "GET /e HTTP/1.1\r\nHost: x\r\n\r\n"},
	{GET, {.raw = true, .body = "HTTP/1.1 200 OK\r\n\r\nshort"},
		"HTTP/1.1 200 OK\r\n\r\nshort"},
	{GET, {.raw = true, .body = "no HTTP at all"}, "no HTTP at all"},
	{GET, {.raw = true}, ""},
};
/* clang-format on */

START_TEST(replies_are_exact)
{
	static const char odd[] = "HTTP/1.1 200\0\r\n\xff";
	struct bytes got;

	open_plain(_i);
	for (size_t i = 0; i < COUNT(wires); i++) {
		const struct wire *wire = wires + i;

		retort_reset(server);
		ck_assert_int_eq(retort_on_sized(server, &wire->reply,
					 sizeof wire->reply),
			1);
		for (int as = 0; as < 2; as++) {
			got = exchange(wire->request);
			ck_assert_msg(strlen(wire->expected) == got.size &&
					memcmp(wire->expected, got.data,
						got.size) == 0,
				"%s: case %zu: expected %s\n# got: %s",
				way->name, i,
				shown(wire->expected, strlen(wire->expected)),
				shown(got.data, got.size));
			bytes_free(&got);
			/* as the answer to everything, it is the same */
			retort_reset(server);
			ck_assert_int_eq(retort_answer(server, &wire->reply,
						 error),
				0);
		}
	}
	retort_reset(server);
	ON(NULL, .raw = true, .body = odd, .body_size = sizeof odd - 1);
	got = exchange(GET);
	assert_bytes(got.data, got.size, odd, sizeof odd - 1);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(bodies_are_copied_or_files)
{
	char *folder = dir_make(), body[] = "copied";
	char path[300];
	struct bytes got;

	dir_write(folder, "a.json", "{}", 2);
	(void)snprintf(path, sizeof path, "%s/a.json", folder);
	open_plain(_i);
	ON("/copied", .body = body);
	ON("/file", .file = path);
	ON("/none", .file = "/nowhere/at/all");
	body[0] = '#';
	memset(path, 0, sizeof path);
	expect_body("GET /copied" HOST "\r\n", "copied");
	got = exchange("GET /file" HOST "\r\n");
	assert_has(got, "\r\nContent-Type: application/json\r\n");
	assert_has(got, "\r\n\r\n{}");
	bytes_free(&got);
	/* opened for each reply */
	dir_write(folder, "a.json", "[1]", 3);
	expect_body("GET /file" HOST "\r\n", "[1]");
	expect_begin("GET /none" HOST "\r\n", "HTTP/1.1 500 ");
	close_server();
	dir_remove(folder);
}
END_TEST

/* Long, but made of nothing: neither copied nor recorded whole. */
START_TEST(repeats_without_memory)
{
	static char data[1 << 20];
	uint64_t size = is_slow() ? 20u << 20 : 100u << 20, came = 0;
	const struct retort_exchange *seen;
	long long before, most = 0;
	size_t head;
	ssize_t n = 1;
	int fd;

	open_plain(_i);
	ON(NULL, .body = "0123456789", .repeat = size, .omit = "Date");
	before = live;
	fd = connect_client();
	say(fd, GET);
	while (n != 0) {
		n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		ck_assert_msg(n >= 0 || errno == EAGAIN, "%s", strerror(errno));
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			came += (uint64_t)n;
		if (live > most)
			most = live;
	}
	(void)close(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_uint_eq(seen->sent_body, size);
	head = (size_t)(seen->sent - seen->sent_body);
	ck_assert_uint_eq(came, head + size);
	ck_assert_msg(most - before < 8 << 20,
		"%s: %lld bytes of memory for %llu", way->name, most - before,
		(unsigned long long)size);
	close_server();
}
END_TEST

/* Each of the pauses is where it should be. */
START_TEST(pauses)
{
	enum { PAUSE = 60 };
	static const size_t one[] = {1, 0};
	static const struct {
		struct retort_reply reply;
		const char *before; /* has come at once, by then nothing else */
	} cases[] = {
		{{.pause_head = PAUSE}, ""},
		{{.pause_head = PAUSE,
			 .interim = "HTTP/1.1 100 Continue\r\n\r\n"},
			"HTTP/1.1 100 Continue\r\n\r\n"},
		{{.pause_body = PAUSE}, "\r\n" CLOSE},
		{{.pause_chunk = PAUSE, .chunks = one}, "1\r\na\r\n"},
		{{.pause_end = PAUSE}, "abc"},
		{{.pause_end = PAUSE, .raw = true}, "abc"},
	};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct retort_reply rule = cases[i].reply;
		struct bytes got = {.data = NULL};
		size_t before = strlen(cases[i].before), size;
		int64_t begun;
		int fd;

		retort_reset(server);
		rule.body = "abc";
		ck_assert_int_eq(retort_on_sized(server, &rule, sizeof rule),
			1);
		fd = connect_client();
		begun = now_ms();
		say(fd, GET);
		ck_assert_int_eq(talk(fd, "", 0, &got, cases[i].before), 0);
		size = got.size;
		if (now_ms() - begun < PAUSE / 2)
			ck_assert_msg(strcmp(got.data + size - before,
					      cases[i].before) == 0,
				"%s: case %zu came too far: %s", way->name, i,
				shown(got.data, got.size));
		ck_assert_int_eq(talk(fd, GET, 0, &got, NULL), 0);
		ck_assert_msg(now_ms() - begun >= PAUSE, "case %zu: %d ms", i,
			(int)(now_ms() - begun));
		(void)close(fd);
		bytes_free(&got);
	}
	close_server();
}
END_TEST

/* --- records --- */

static int64_t
wall_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
assert_field(const struct retort_field *field, const char *name,
	const char *value)
{
	ck_assert_str_eq(field->name, name);
	ck_assert_str_eq(field->value, value);
}

START_TEST(records_everything)
{
	static const char head[] = "POST /a%20b/../c?x=1&y HTTP/1.1\r\n"
				   "Host: x\r\nx-One:  1 \r\nX-ONE: 2\r\n"
				   "Content-Length: 5\r\n\r\n";
	const struct retort_exchange *seen;
	struct bytes request = {.data = NULL}, got;
	int64_t before = wall_ns();

	open_plain(_i);
	ON("GET", .body = "no");
	ON("POST", .body = "four", .status = 201);
	bytes_add(&request, head, sizeof head - 1);
	bytes_add(&request, "he\0lo", 5);
	got = exchange_bytes(request.data, request.size);
	seen = ended(1);
	ck_assert_ptr_eq(seen, retort_record(server, 1));
	ck_assert_ptr_null(retort_record(server, 0));
	ck_assert_ptr_null(retort_record(server, 2));
	ck_assert_uint_eq(seen->connection, 1);
	ck_assert_int_eq(strncmp(seen->client,
				 way->adopted ? "unix" : "127.0.0.1:",
				 way->adopted ? 5 : 10),
		0);
	assert_bytes(seen->request, seen->request_size, head, 31);
	ck_assert_int_eq(seen->status, 201);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_uint_eq(seen->received, request.size);
	ck_assert_uint_eq(seen->sent, got.size);
	ck_assert_uint_eq(seen->sent_body, 4);
	ck_assert_int_ge(seen->began, before - 10000000);
	ck_assert_int_le(seen->began + seen->duration,
		wall_ns() + 10000000 * rt_test_slowness());
	ck_assert_int_ge(seen->requested, 0);
	ck_assert_int_le(seen->requested, seen->duration);
	ck_assert_str_eq(seen->method, "POST");
	ck_assert_str_eq(seen->target, "/a%20b/../c?x=1&y");
	ck_assert_str_eq(seen->path, "/a b/../c");
	ck_assert_str_eq(seen->query, "x=1&y");
	ck_assert_int_eq(seen->minor, 1);
	ck_assert_uint_eq(seen->field_count, 4);
	assert_field(seen->fields + 1, "x-One", "1");
	assert_field(seen->fields + 2, "X-ONE", "2");
	ck_assert_str_eq(retort_field_of(seen, "X-one", 0), "1");
	ck_assert_str_eq(retort_field_of(seen, "X-one", 1), "2");
	ck_assert_ptr_null(retort_field_of(seen, "X-one", 2));
	assert_bytes(seen->body, seen->body_size + 1, "he\0lo", 6);
	ck_assert_uint_eq(seen->trailer_count, 0);
	assert_bytes(seen->raw, seen->raw_size, request.data, request.size);
	ck_assert(seen->complete);
	ck_assert_int_eq(seen->refused, 0);
	ck_assert_ptr_null(seen->reason);
	ck_assert_int_eq(seen->rule, 2);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	bytes_free(&request);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(records_chunked_bodies)
{
	static const char head[] =
		"PUT *" HOST "Transfer-Encoding: chunked\r\n\r\n";
	static const char request[] =
		"PUT /c" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"3;ext=1\r\nabc\r\nB\r\ndefghijklmn\r\n"
		"0\r\nT: 1\r\nt:  2 \r\n\r\n";
	struct bytes many = {.data = NULL}, got;
	const struct retort_exchange *seen;
	size_t size = 0, wrong = 0;

	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(request, "ok");
	seen = ended(1);
	assert_bytes(seen->body, seen->body_size, "abcdefghijklmn", 14);
	assert_bytes(seen->raw, seen->raw_size, request, sizeof request - 1);
	ck_assert_uint_eq(seen->trailer_count, 2);
	assert_field(seen->trailers, "T", "1");
	assert_field(seen->trailers + 1, "t", "2");
	ck_assert_uint_eq(seen->field_count, 2);
	/* far more than one receive takes, in chunks that these cut */
	bytes_add(&many, "PUT /c", 6);
	bytes_add(&many, head + 5, sizeof head - 6);
	for (size_t n = 1; size < 500000; size += n, n = n % 5000 + 7) {
		char text[16];
		int length = snprintf(text, sizeof text, "%zx\r\n", n);

		bytes_add(&many, text, (size_t)length);
		for (size_t i = 0; i < n; i++)
			bytes_add(&many, &(char){(char)((size + i) % 251)}, 1);
		bytes_add(&many, "\r\n", 2);
	}
	bytes_add(&many, "0\r\n\r\n", 5);
	got = exchange_bytes(many.data, many.size);
	assert_has(got, "\r\n\r\nok");
	seen = ended(2);
	ck_assert_uint_eq(seen->body_size, size);
	for (size_t i = 0; i < size; i++)
		wrong += ((const unsigned char *)seen->body)[i] != i % 251;
	ck_assert_uint_eq(wrong, 0);
	bytes_free(&many);
	bytes_free(&got);
	close_server();
}
END_TEST

/* clang-format off */
static const struct refused {
	const char *request;
	int status;
	const char *method;
	bool whole_head; /* so that the fields are known */
} refused[] = {
	{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "GET", false},
	{"GET / HTTP/1.1\r\n\r\n", 400, "GET", false},
	{"nonsense\r\n\r\n", 400, NULL, false},
	{"GET / HTTP/1.1\r\nHost: y\r\n\r\n", 421, "GET", true},
	{"POST /" HOST "Content-Length: 11\r\n\r\n", 413, "POST", true},
	{"POST /" HOST "Transfer-Encoding: chunked\r\n\r\nB\r\nabcdefghijk\r\n",
		413, "POST", true},
	{"GET /" HOST "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n\r\n", 431,
		"GET", false},
	{"GET /01234567890123456789" HOST "\r\n", 414, "GET", false},
};
/* clang-format on */

START_TEST(records_what_is_refused)
{
	static const char *const hosts[] = {"x", NULL};

	open_with((struct retort_options){.hosts = hosts,
			  .max_body = 10,
			  .max_fields = 5,
			  .max_target = 20},
		_i);
	ON(NULL, .body = "ok");
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct retort_exchange *seen;
		char begin[32];

		(void)snprintf(begin, sizeof begin, "HTTP/1.1 %d ",
			refused[i].status);
		expect_begin(refused[i].request, begin);
		seen = ended(i + 1);
		ck_assert_int_eq(seen->refused, refused[i].status);
		ck_assert_int_eq(seen->status, refused[i].status);
		ck_assert_int_eq(seen->rule, 0);
		ck_assert(!seen->complete);
		ck_assert_ptr_nonnull(seen->reason);
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		assert_bytes(seen->raw, seen->raw_size, refused[i].request,
			strlen(refused[i].request));
		assert_bytes(seen->request, seen->request_size,
			refused[i].request, strcspn(refused[i].request, "\r"));
		if (refused[i].method != NULL)
			ck_assert_str_eq(seen->method, refused[i].method);
		if (refused[i].whole_head)
			ck_assert_ptr_nonnull(retort_field_of(seen, "host", 0));
	}
	close_server();
}
END_TEST

/* clang-format off */
static const struct broken {
	const char *request;
	const char *method;
	const char *body;
} broken[] = {
	{"GET /a", NULL, ""},
	{"GET /a HTTP/1.1\r\nHost: x\r\nA:", "GET", ""},
	{"PUT /a" HOST "Content-Length: 5\r\n\r\n", "PUT", ""},
	{"PUT /a" HOST "Content-Length: 5\r\n\r\nab", "PUT", "ab"},
	{"PUT /a" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\nd",
		"PUT", "abcd"},
};
/* clang-format on */

/* What of a request that broke off: the i-th record. */
static const struct retort_exchange *
check_broken(const struct broken *what, size_t n)
{
	const struct retort_exchange *seen = ended(n);

	ck_assert_msg(!seen->complete && seen->reason != NULL,
		"%s: complete, or no reason", way->name);
	assert_bytes(seen->raw, seen->raw_size, what->request,
		strlen(what->request));
	ck_assert_uint_eq(seen->received, strlen(what->request));
	if (what->method != NULL)
		ck_assert_str_eq(seen->method, what->method);
	assert_bytes(seen->body, seen->body_size, what->body,
		strlen(what->body));
	return seen;
}

START_TEST(records_what_breaks_off)
{
	open_plain(_i);
	ON(NULL, .body = "ok");
	for (size_t i = 0; i < COUNT(broken); i++) {
		const struct retort_exchange *seen;
		int fd = connect_client();

		say(fd, broken[i].request);
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		finish_client(fd, "HTTP/1.1 400 ");
		seen = check_broken(broken + i, 2 * i + 1);
		ck_assert_int_eq(seen->refused, 400);
		ck_assert_int_eq(seen->client_close, RETORT_FIN);
		ck_assert_int_eq(seen->server_close, RETORT_FIN);
		ck_assert(seen->client_first);
		/* the same without good manners */
		fd = connect_client();
		say(fd, broken[i].request);
		TURN_UNTIL(retort_connections(server) == 1);
		/* it is read by now, unless the thread is late; a reset may
		   take what is not */
		if (way->drive == OWN_THREAD || way->adopted) {
			(void)close(fd);
			(void)check_broken(broken + i, 2 * i + 2);
			continue;
		}
		for (int k = 0; k < 5; k++)
			ck_assert_int_ge(retort_step(server, 2), 0);
		client_reset(fd);
		seen = check_broken(broken + i, 2 * i + 2);
		ck_assert_int_eq(seen->refused, 0);
		ck_assert_int_eq(seen->status, 0);
		ck_assert_int_eq(seen->end, RETORT_RESET);
		ck_assert_int_eq(seen->client_close, RETORT_RST);
		ck_assert(seen->client_first);
	}
	/* one without a byte is none */
	client_reset(connect_client());
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_uint_eq(retort_count(server, NULL), 2 * COUNT(broken));
	close_server();
}
END_TEST

START_TEST(records_the_request_alone)
{
	const struct retort_exchange *seen;

	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(GET "GET /second" HOST "\r\n", "ok");
	seen = ended(1);
	assert_bytes(seen->raw, seen->raw_size, GET, sizeof GET - 1);
	ck_assert(seen->complete);
	ck_assert_uint_eq(seen->received, 2 * (sizeof GET - 1) + 6);
	ck_assert_uint_eq(retort_count(server, NULL), 1);
	close_server();
}
END_TEST

START_TEST(records_what_waits_to_go_on)
{
	const struct retort_exchange *seen;
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON(NULL, .body = "ok", .omit = "Date");
	fd = connect_client();
	say(fd,
		"PUT /" HOST "Expect: 100-continue\r\n"
		"Content-Length: 3\r\n\r\n");
	ck_assert_int_eq(talk(fd, "", 0, &got, "\r\n\r\n"), 0);
	ck_assert_str_eq(got.data, "HTTP/1.1 100 Continue\r\n\r\n");
	ck_assert_uint_eq(retort_count(server, NULL), 0);
	ck_assert_int_eq(talk(fd, "abc", 3, &got, NULL), 0);
	(void)close(fd);
	seen = ended(1);
	assert_bytes(seen->body, seen->body_size, "abc", 3);
	ck_assert_int_eq(seen->status, 200);
	ck_assert_uint_eq(seen->sent, got.size);
	ck_assert_uint_eq(seen->sent_body, 2);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(tells_who_closed_first)
{
	const struct retort_exchange *seen;
	struct bytes got = {.data = NULL};
	int fd, late = 50 * rt_test_slowness();

	open_with((struct retort_options){.head_timeout = late,
			  .write_timeout = late},
		_i);
	ON("/", .body = "ok");
	ON("/paused", .body = "ok", .pause_head = 20);
	ON("/big", .body = "x", .repeat = 1u << 30);
	/* the client half-closes, and waits */
	fd = connect_client();
	say(fd, "GET /paused" HOST "\r\n");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	finish_client(fd, "\r\n\r\nok");
	seen = ended(1);
	ck_assert(seen->client_first);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	/* the server closes first */
	expect_body(GET, "ok");
	ck_assert(!ended(2)->client_first);
	ck_assert_int_eq(ended(2)->client_close, RETORT_FIN);
	/* a client that leaves in the middle of the reply */
	fd = connect_client();
	ck_assert_int_eq(talk(fd, "GET /big" HOST "\r\n", 30, &got, "xx"), 0);
	client_reset(fd);
	seen = ended(3);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	ck_assert(seen->client_first);
	/* one that reads no more */
	fd = connect_client();
	say(fd, "GET /big" HOST "\r\n");
	seen = ended(4);
	ck_assert_int_eq(seen->end, RETORT_TIMED_OUT);
	ck_assert_int_eq(seen->server_close, RETORT_RST);
	ck_assert_int_eq(seen->client_close, RETORT_NOTHING);
	ck_assert(!seen->client_first);
	ck_assert_int_ge(seen->duration, late * 1000000);
	(void)close(fd);
	/* one that sends no more */
	fd = connect_client();
	say(fd, "GET /a HT");
	finish_client(fd, "HTTP/1.1 408 ");
	seen = ended(5);
	ck_assert_int_eq(seen->refused, 408);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert(!seen->client_first);
	bytes_free(&got);
	close_server();
}
END_TEST

#define KEPT 4

START_TEST(records_end)
{
	const struct retort_exchange *seen[KEPT];
	int fd;

	open_with((struct retort_options){.max_records = 1}, _i);
	ON("GET /", .body = "ok");
	for (int i = 0; i < 3; i++)
		expect_body(GET, "ok");
	ck_assert_uint_eq(retort_count(server, NULL), 1);
	assert_verdict("3 exchanges were not recorded, or only in part: "
		       "max_records, 1 bytes, is used up");
	/* from the beginning, when the memory is free again */
	ck_assert(retort_wait_quiet(server, PATIENCE));
	retort_reset(server);
	assert_verdict(NULL);
	ON("GET /", .body = "again");
	expect_body(GET, "again");
	ck_assert_uint_eq(retort_count(server, NULL), 1);
	close_server();
	open_with((struct retort_options){.unrecorded = true}, _i);
	ON("GET /", .body = "ok", .when.absent = "B");
	expect_body(GET, "ok");
	expect_begin("GET /x" HOST "\r\n", "HTTP/1.1 501 ");
	ck_assert_uint_eq(retort_count(server, NULL), 0);
	ck_assert_ptr_null(retort_record(server, 1));
	ck_assert_ptr_null(retort_transcript(server, 1));
	close_server();
	/* they outlive their connections, and do not move */
	open_plain(_i);
	ON("GET", .body = "ok");
	for (size_t i = 0; i < KEPT; i++) {
		expect_body(GET, "ok");
		seen[i] = ended(i + 1);
	}
	for (int i = 0; i < 200; i++)
		expect_body("GET /more" HOST "\r\n", "ok");
	for (size_t i = 0; i < KEPT; i++) {
		ck_assert_ptr_eq(retort_record(server, i + 1), seen[i]);
		ck_assert_str_eq(seen[i]->target, "/");
	}
	fd = connect_client();
	(void)close(fd);
	close_server();
}
END_TEST

/* --- waits --- */

struct slow_client {
	int fd;
	int after; /* ms */
};

static void *
send_slowly(void *arg)
{
	struct slow_client *client = arg;

	/* a pause that nothing is asserted about but that it passes */
	(void)poll(NULL, 0, client->after);
	say(client->fd, "GET /slow" HOST "\r\n");
	return NULL;
}

START_TEST(waits)
{
	struct slow_client client = {.after = 30};
	const struct retort_exchange *seen;
	pthread_t thread;
	int64_t begun;

	open_plain(_i);
	ON(NULL, .body = "ok", .pause_body = 1);
	/* it times out */
	begun = now_ms();
	ck_assert_ptr_null(retort_wait(server, 1, 40, NULL));
	ck_assert_int_ge(now_ms() - begun, 40);
	ck_assert_ptr_null(retort_wait(server, 1, 0, NULL));
	ck_assert_ptr_null(retort_wait(server, 0, 1000000, NULL));
	/* it comes later */
	client.fd = connect_client();
	ck_assert_int_eq(pthread_create(&thread, NULL, send_slowly, &client),
		0);
	seen = retort_wait(server, 1, PATIENCE, "GET /slow");
	ck_assert_ptr_nonnull(seen);
	ck_assert_str_eq(seen->target, "/slow");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	/* it has not ended, and then it has */
	ck_assert_uint_eq(retort_connections(server), 1);
	ck_assert(!retort_wait_end(server, seen, 10));
	ck_assert(!retort_wait_quiet(server, 0));
	finish_client(client.fd, "\r\n\r\nok");
	ck_assert(retort_wait_end(server, seen, -1));
	ck_assert(retort_wait_end(server, seen, 0));
	ck_assert(retort_wait_quiet(server, -1));
	/* it is there already; the n-th */
	expect_body(GET, "ok");
	expect_body("GET /slow" HOST "\r\n", "ok");
	ck_assert_ptr_eq(retort_wait(server, 1, 0, "/slow"), seen);
	seen = retort_wait(server, 2, 0, "/slow");
	ck_assert_ptr_nonnull(seen);
	ck_assert_uint_eq(seen->connection, 3);
	ck_assert_ptr_null(retort_wait(server, 3, 5, "/slow"));
	ck_assert_uint_eq(retort_wait(server, 2, 0, NULL)->connection, 2);
	ck_assert_uint_eq(retort_count(server, "/slow"), 2);
	ck_assert_uint_eq(retort_accepted(server), 3);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A descriptor to poll tells of each deadline, whoever set it. */
START_TEST(one_descriptor_tells_all)
{
	struct pollfd polled = {.events = POLLIN};
	int pair[2];

	open_with((struct retort_options){.head_timeout = 30}, _i);
	ON(NULL, .body = "x", .repeat = 1u << 30);
	polled.fd = retort_fd(server);
	if (way->io == RETORT_IO_POLL || way->drive == OWN_THREAD) {
		ck_assert_int_eq(polled.fd,
			way->drive == OWN_THREAD ? -EDEADLK : -ENOTSUP);
		close_server();
		return;
	}
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), 0);
	/* the head's time-out, which nobody steps */
	ck_assert_msg(poll(&polled, 1, PATIENCE / 4) == 1,
		"%s: retort_adopt() sets a deadline, of which nothing is told",
		way->name);
	TURN_UNTIL(retort_connections(server) == 0);
	(void)close(pair[1]);
	/* the end of the grace */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), 0);
	say(pair[1], GET);
	ck_assert_ptr_nonnull(retort_wait(server, 1, PATIENCE, NULL));
	TURN_UNTIL(poll(&polled, 1, 0) == 0);
	retort_stop(server, 30);
	ck_assert_msg(poll(&polled, 1, PATIENCE / 4) == 1,
		"%s: retort_stop() sets a deadline, of which nothing is told",
		way->name);
	while (step(0) == 0)
		ck_assert_int_eq(poll(&polled, 1, PATIENCE), 1);
	(void)close(pair[1]);
	close_server();
	/* and that it has stopped */
	open_plain(_i);
	polled.fd = retort_fd(server);
	retort_stop(server, 0);
	ck_assert_msg(poll(&polled, 1, PATIENCE / 4) == 1,
		"%s: it has stopped, of which nothing is told", way->name);
	ck_assert_int_eq(step(0), 1);
	close_server();
}
END_TEST

/* --- forgetting --- */

START_TEST(forgets_while_connections_are_open)
{
	struct retort_reply reply = {.body = "after all"};
	struct bytes got = {.data = NULL};
	uint64_t connection = 0;
	int silent, half, drained, waiting;

	open_plain(_i);
	ON("/later", .handler = later, .handler_arg = &connection);
	ON(NULL, .body = "before");
	ck_assert_int_gt(retort_expect(server, 5, 5, "/never"), 0);
	silent = connect_client();
	half = connect_client();
	say(half, "GET /half");
	drained = connect_client();
	ck_assert_int_eq(talk(drained, GET, sizeof GET - 1, &got, "before"), 0);
	waiting = connect_client();
	say(waiting, "GET /later" HOST "\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, 2, PATIENCE, NULL));
	TURN_UNTIL(retort_connections(server) == 4);
	retort_reset(server);
	ck_assert_uint_eq(retort_count(server, NULL), 0);
	assert_verdict(NULL);
	ON(NULL, .body = "afterwards");
	/* each goes on */
	(void)close(drained);
	ck_assert_int_eq(retort_reply_later(server, 4, &reply), 0);
	finish_client(waiting, "\r\n\r\nafter all");
	/* but what was forgotten stays so, and what came later is not for what
	   had begun */
	say(half, HOST "\r\n");
	finish_client(half, "\r\n\r\nnothing is served here\n");
	say(silent, "GET /half" HOST "\r\n");
	finish_client(silent, "\r\n\r\nafterwards");
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_msg(retort_count(server, NULL) == 1,
		"%s: expected 1 record, got %zu: %s", way->name,
		retort_count(server, NULL), retort_record(server, 1)->target);
	ck_assert_str_eq(retort_record(server, 1)->target, "/half");
	ck_assert_int_eq(retort_record(server, 1)->rule, 1);
	assert_verdict(NULL);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(forgets_while_a_listing_is_made)
{
	char *folder = dir_make();
	char name[32];
	int fd;

	for (int i = 0; i < (is_slow() ? 100 : 500); i++) {
		(void)snprintf(name, sizeof name, "many/%04d", i);
		dir_write(folder, name, "", 0);
	}
	open_plain(_i);
	ON("/x", .body = "before");
	ck_assert_int_eq(retort_serve(server, folder, NULL, error), 0);
	fd = connect_client();
	say(fd, "GET /many/" HOST "\r\n");
	TURN_UNTIL(retort_connections(server) == 1);
	retort_reset(server);
	finish_client(fd, "</html>\n");
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_uint_eq(retort_replies(server), 1);
	assert_verdict(NULL);
	close_server();
	dir_remove(folder);
}
END_TEST

/* --- transcripts and verdicts --- */

/* Blots out times and ports. */
static void
mask(char *text)
{
	for (char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");
		char *from = strstr(line, " from 127.0.0.1:");

		if (from != NULL && from < line + size)
			for (from += 16; *from != '\n'; from++)
				*from = '#';
		else if (size > 12 && line[8] == '.')
			memcpy(line, "        ####", 12);
		line += size + 1;
	}
}

START_TEST(transcribes)
{
	static const char expected[] =
		"        #### < POST /t HTTP/1.1\\r\\n\n"
		"        #### < Host: x\\r\\n\n"
		"        #### < Content-Length: 70\\r\\n\n"
		"        #### < \\r\\n\n"
		"        #### < \\x00\\xff\\\\ x\\n\n"
		"        #### < aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaa\n"
		"        #### > HTTP/1.1 200 OK\\r\\n\n"
		"        #### > Content-Length: 2\\r\\n\n"
		"        #### > \\r\\n\n"
		"        #### > ok\n"
		"        #### > (FIN)\n"
		"        #### < (FIN)\n"
		"        #### - (closed)\n";
	struct bytes request = {.data = NULL}, got;
	char *text, *from;

	open_plain(_i);
	ON(NULL, .raw = true,
		.body = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	bytes_add(&request, "POST /t" HOST "Content-Length: 70\r\n\r\n", 49);
	bytes_add(&request, "\0\xff\\ x\n", 6);
	for (int i = 0; i < 64; i++)
		bytes_add(&request, "a", 1);
	ck_assert_ptr_null(retort_transcript(server, 1));
	got = exchange_bytes(request.data, request.size);
	bytes_free(&request);
	bytes_free(&got);
	(void)ended(1);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	mask(text);
	from = strchr(text, '\n');
	ck_assert_int_eq(strncmp(text,
				 way->adopted ? "connection 1 from unix\n" :
						"connection 1 from 127.0.0.1:#",
				 23),
		0);
	ck_assert_str_eq(from + 1, expected);
	free(text);
	ck_assert_ptr_null(retort_transcript(server, 2));
	close_server();
}
END_TEST

START_TEST(transcribes_resets_and_excess)
{
	static char data[64 << 10];
	size_t size = 0;
	ssize_t n;
	char *text;
	int fd;

	open_plain(_i);
	ON(NULL, .body = "a line of 16 ...\n", .repeat = 16u << 20);
	fd = connect_client();
	/* what is kept of a reply is its first MiB */
	say(fd, GET);
	while (size < 3u << 20) {
		n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		ck_assert_msg(n > 0 || errno == EAGAIN, "%s", strerror(errno));
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			size += (size_t)n;
	}
	client_reset(fd);
	(void)ended(1);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, " more bytes\n"));
	ck_assert_ptr_nonnull(strstr(text, " < (RST)\n"));
	ck_assert_str_eq(text + strlen(text) - 11, "- (closed)\n");
	free(text);
	close_server();
}
END_TEST

START_TEST(judges)
{
	static const char *const order[] = {"GET /a", "GET /b", NULL};
	static const char *const wrong[] = {"GET /b", "GET /a", "/c", NULL};

	open_plain(_i);
	ON(NULL, .body = "ok");
	ck_assert_int_eq(retort_expect(server, 1, 1, "GET /a"), 1);
	ck_assert_int_eq(retort_expect(server, 0, 0, "DELETE"), 2);
	ck_assert_int_eq(retort_expect(server, 1, SIZE_MAX, "/b",
				 .fields = "A: b"),
		3);
	ck_assert_int_eq(retort_expect_order(server, order), 4);
	assert_verdict("expectation 1 (GET /a): expected exactly 1, came 0\n");
	assert_verdict("expectation 3 (/b, field \"A: b\"): expected at least "
		       "1, came 0\n");
	assert_verdict("expectation 4 (in order): expected GET /a, which did "
		       "not come\n");
	expect_body("GET /b" HOST "\r\n", "ok");
	assert_verdict("  nearest: GET /b (connection 1): field differs from "
		       "expectation 3 \"A: b\": no such field came\n");
	assert_verdict("< GET /b HTTP/1.1\\r\\n\n");
	expect_body("GET /a" HOST "\r\n", "ok");
	assert_verdict("expectation 4 (in order): expected GET /b after GET "
		       "/a, which did not come\n");
	expect_body("GET /b" HOST "A: b\r\n\r\n", "ok");
	assert_verdict(NULL);
	expect_body("DELETE /a" HOST "\r\n", "ok");
	assert_verdict("expectation 2 (DELETE): expected no request, came "
		       "1\n");
	expect_body("GET /a" HOST "\r\n", "ok");
	assert_verdict("expectation 1 (GET /a): expected exactly 1, came 2\n");
	retort_reset(server);
	ON(NULL, .body = "ok");
	expect_body("GET /a" HOST "\r\n", "ok");
	expect_body("GET /b" HOST "\r\n", "ok");
	expect_body("GET /c" HOST "\r\n", "ok");
	ck_assert_int_eq(retort_expect(server, 0, SIZE_MAX, "/z"), 1);
	ck_assert_int_eq(retort_expect(server, 0, 3, NULL), 2);
	ck_assert_int_eq(retort_expect(server, 2, 3, NULL), 3);
	assert_verdict(NULL);
	ck_assert_int_eq(retort_expect_order(server, wrong), 4);
	assert_verdict("expectation 4 (in order): expected GET /a after GET "
		       "/b, which did not come\n");
	retort_reset(server);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* --- refusing --- */

/* 0, or the errno of connect(2). */
static int
try_connect(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code = 0;

	if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		code = errno;
	client_reset(fd);
	return code;
}

static struct sockaddr_in
address_of(struct retort *of)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_port = htons((uint16_t)retort_port(of, 0));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in;
}

static _Atomic(bool) enough;

static void *
connect_again_and_again(void *arg)
{
	const struct sockaddr_in *address = arg;
	intptr_t others = 0;

	while (!enough) {
		int code = try_connect(address);

		others +=
			code != 0 && code != ECONNREFUSED && code != ECONNRESET;
	}
	return (void *)others;
}

START_TEST(refuses_and_resumes)
{
	struct sockaddr_in address;
	pthread_t threads[3];
	char url[64];
	void *others;

	open_with((struct retort_options){.refusing = true}, _i);
	if (way->adopted) {
		close_server();
		return;
	}
	ON(NULL, .body = "ok");
	(void)snprintf(url, sizeof url, "%s", retort_url(server, 0));
	address = address_of(server);
	ck_assert_int_eq(try_connect(&address), ECONNREFUSED);
	ck_assert_int_eq(retort_refuse(server, true), 0);
	ck_assert_int_eq(try_connect(&address), ECONNREFUSED);
	ck_assert_int_eq(retort_refuse(server, false), 0);
	expect_body(GET, "ok");
	enough = false;
	for (size_t i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
					 connect_again_and_again, &address),
			0);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(retort_refuse(server, true), 0);
		ck_assert_int_eq(try_connect(&address), ECONNREFUSED);
		ck_assert_int_eq(retort_refuse(server, false), 0);
		ck_assert_int_eq(retort_refuse(server, false), 0);
		ck_assert_int_eq(try_connect(&address), 0);
	}
	enough = true;
	for (size_t i = 0; i < COUNT(threads); i++) {
		ck_assert_int_eq(pthread_join(threads[i], &others), 0);
		ck_assert_int_eq((intptr_t)others, 0);
	}
	expect_body(GET, "ok");
	ck_assert_str_eq(retort_url(server, 0), url);
	close_server();
	ck_assert_int_eq(try_connect(&address), ECONNREFUSED);
}
END_TEST

START_TEST(refuses_beside_what_is_open)
{
	int fd;

	open_plain(_i);
	if (!way->adopted) {
		ON(NULL, .body = "ok");
		fd = connect_client();
		say(fd, "GET");
		TURN_UNTIL(retort_connections(server) == 1);
		ck_assert_int_eq(retort_refuse(server, true), 0);
		say(fd, " /" HOST "\r\n");
		finish_client(fd, "\r\n\r\nok");
	}
	close_server();
}
END_TEST

START_TEST(cannot_refuse_on_others)
{
	char *folder = dir_make();
	char spec[300];
	const char *const bind[] = {"127.0.0.1", spec, NULL};
	const struct retort_options options = {.bind = bind, .refusing = true};

	way = ways;
	(void)snprintf(spec, sizeof spec, "unix:%s/s", folder);
	server = retort_start(&(struct retort_options){.bind = bind}, error);
	ck_assert_msg(server != NULL, "%s", error);
	ON(NULL, .body = "ok");
	ck_assert_int_eq(retort_refuse(server, true), -ENOTSUP);
	expect_body(GET, "ok");
	close_server();
	ck_assert_ptr_null(retort_start(&options, error));
	ck_assert_int_eq(errno, ENOTSUP);
	ck_assert_int_eq(strncmp(error, "refuse: ", 8), 0);
	dir_remove(folder);
}
END_TEST

/* --- from within --- */

static struct within {
	int calls;
	int step, refuse, adopt;
	bool waited, ended, quiet;
	size_t count;
	size_t replies;
} within;

static void
look_around(const struct retort_exchange *exchange)
{
	int pair[2];

	within.calls++;
	if (way->drive != OWN_THREAD)
		within.step = retort_step(server, 1000000);
	within.refuse = retort_refuse(server, true);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	within.adopt = retort_adopt(server, pair[0]);
	if (within.adopt < 0)
		(void)close(pair[0]);
	(void)close(pair[1]);
	within.waited = retort_wait(server, 99, 1000000, NULL) != NULL;
	within.ended = retort_wait_end(server, exchange, 1000000);
	within.quiet = retort_wait_quiet(server, 1000000);
	within.count = retort_count(server, NULL);
	within.replies = retort_replies(server);
	free(retort_transcript(server, exchange->connection));
	retort_wake(server);
}

static void
check_within(void)
{
	ck_assert_int_gt(within.calls, 0);
	if (way->drive != OWN_THREAD)
		ck_assert_int_eq(within.step, -EDEADLK);
	ck_assert_int_eq(within.refuse, -EDEADLK);
	ck_assert_int_eq(within.adopt, -EDEADLK);
	ck_assert(!within.waited);
}

static void
look_at_event(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_HEAD)
		look_around(exchange);
}

static bool
look_at_request(void *arg, const struct retort_exchange *exchange)
{
	if (*(bool *)arg)
		look_around(exchange);
	return true;
}

static int
look_and_answer(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	char body[16];

	(void)arg;
	look_around(exchange);
	/* what is asked of the server itself is no wait */
	(void)snprintf(body, sizeof body, "%zu", within.count);
	ck_assert_int_gt(retort_on(server, "/new", .body = "added within"), 0);
	reply->body = "handled";
	return 0;
}

START_TEST(nothing_waits_for_itself)
{
	static bool always = true;

	memset(&within, 0, sizeof within);
	open_with((struct retort_options){.event = look_at_event}, _i);
	ON("/", .body = "ok");
	expect_body(GET, "ok");
	(void)ended(1);
	check_within();
	ck_assert(!within.ended && !within.quiet);
	memset(&within, 0, sizeof within);
	close_server();
	open_plain(_i);
	ON("/handler", .handler = look_and_answer);
	ON("/predicate", .when.predicate = look_at_request,
		.when.predicate_arg = &always, .body = "ok");
	expect_body("GET /handler" HOST "\r\n", "handled");
	check_within();
	ck_assert(!within.ended && !within.quiet);
	memset(&within, 0, sizeof within);
	expect_body("GET /new" HOST "\r\n", "added within");
	expect_body("GET /predicate" HOST "\r\n", "ok");
	check_within();
	ck_assert(!within.ended && !within.quiet);
	memset(&within, 0, sizeof within);
	close_server();
}
END_TEST

/* The predicate of a wait is a callback too, on whatever thread it runs. */
START_TEST(a_predicate_of_a_wait_does_not_wait)
{
	static bool always = true;

	memset(&within, 0, sizeof within);
	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(GET, "ok");
	ck_assert_uint_eq(retort_count(server, NULL,
				  .predicate = look_at_request,
				  .predicate_arg = &always),
		1);
	check_within();
	close_server();
}
END_TEST

static int
stop_within(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	retort_reset(server);
	retort_stop(server, PATIENCE);
	return 0;
}

/* A handler stops the server, which obeys after it; it forgets nothing. */
START_TEST(stops_from_within)
{
	const struct retort_exchange *seen;

	open_plain(_i);
	ON("/stop", .handler = stop_within, .body = "stopped",
		.fields = "A: b");
	expect_body("GET /stop" HOST "\r\n", "stopped");
	seen = ended(1);
	ck_assert_int_eq(seen->rule, 1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_ptr_null(retort_wait(server, 2, -1, NULL));
	ck_assert_ptr_null(retort_finish(server, PATIENCE));
	close_server();
}
END_TEST

static bool
add_rules(void *arg, const struct retort_exchange *exchange)
{
	(void)exchange;
	for (int i = 0; i < *(int *)arg; i++)
		ck_assert_int_gt(retort_on(server, "/new", .body = "new"), 0);
	return false;
}

/* Rules may be added while they are looked through. */
START_TEST(adds_rules_from_within)
{
	static int count = 100;

	open_plain(_i);
	ON(NULL, .when.predicate = add_rules, .when.predicate_arg = &count,
		.body = "no");
	ON("/old", .body = "old");
	expect_body("GET /old" HOST "\r\n", "old");
	expect_body("GET /new" HOST "\r\n", "new");
	close_server();
}
END_TEST

/* --- adopting --- */

START_TEST(adopts_sockets_alone)
{
	int pair[2], fds[2];

	open_plain(_i);
	ON(NULL, .body = "ok");
	ck_assert_int_eq(retort_adopt(server, -1), -EBADF);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(retort_adopt(server, fds[0]), -ENOTSOCK);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), -EPROTOTYPE);
	for (int i = 0; i < 2; i++) {
		/* not taken */
		ck_assert_int_eq(close(pair[i]), 0);
		ck_assert_int_eq(close(fds[i]), 0);
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), 0);
	say(pair[1], GET);
	finish_client(pair[1], "\r\n\r\nok");
	ck_assert_str_eq(ended(1)->client, "unix");
	retort_stop(server, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), -ESHUTDOWN);
	(void)close(pair[0]);
	(void)close(pair[1]);
	close_server();
}
END_TEST

/* --- sizes of structs --- */

struct newer_options {
	struct retort_options known;
	unsigned char more[40];
};
struct newer_reply {
	struct retort_reply known;
	unsigned char more[40];
};
struct newer_when {
	struct retort_when known;
	unsigned char more[40];
};
struct newer_files {
	struct retort_files known;
	unsigned char more[40];
};

/* Each call with a larger struct; `more` is what stands in its tail. */
static void
call_newer(unsigned char more, int expected)
{
	struct newer_options options;
	struct newer_reply reply;
	struct newer_when when;
	struct newer_files files;
	struct retort *other;

	memset(&options, 0, sizeof options);
	memset(&reply, 0, sizeof reply);
	memset(&when, 0, sizeof when);
	memset(&files, 0, sizeof files);
	options.more[39] = more;
	reply.more[0] = more;
	when.more[20] = more;
	files.more[39] = more;
	for (int i = 0; i < 2; i++) {
		errno = 0;
		other = i ? retort_start_sized(&options.known, sizeof options,
				    error) :
			    retort_open_sized(&options.known, sizeof options,
				    error);
		ck_assert((other == NULL) == (expected < 0));
		if (other == NULL)
			ck_assert_int_eq(errno, -expected);
		retort_close(other);
	}
	ck_assert_int_eq(retort_check_sized(&reply.known, sizeof reply, error),
		expected);
	ck_assert_int_eq(retort_answer_sized(server, &reply.known, sizeof reply,
				 error),
		expected);
	ck_assert_int_eq(retort_serve_sized(server, ".", &files.known,
				 sizeof files, error),
		expected);
	ck_assert_int_eq(retort_reply_later_sized(server, 77, &reply.known,
				 sizeof reply),
		expected < 0 ? expected : -ENOENT);
	ck_assert_int_eq(retort_on_sized(server, &reply.known, sizeof reply),
		expected < 0 ? expected : 1);
	ck_assert_int_eq(retort_expect_sized(server, 0, SIZE_MAX, &when.known,
				 sizeof when),
		expected < 0 ? expected : 1);
	ck_assert_uint_eq(retort_count_sized(server, &when.known, sizeof when),
		expected < 0 ? 0 : 1);
	ck_assert((retort_wait_sized(server, 1, 0, &when.known, sizeof when) ==
			  NULL) == (expected < 0));
}

START_TEST(takes_newer_structs)
{
	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(GET, "ok");
	call_newer(1, -E2BIG);
	assert_verdict("rule: Argument list too long\n");
	assert_verdict("reply: Argument list too long\n");
	assert_verdict("expectation: Argument list too long\n");
	assert_verdict("request: Argument list too long\n");
	retort_reset(server);
	ON(NULL, .body = "ok", .times = 1);
	expect_body(GET, "ok");
	retort_reset(server);
	expect_begin(GET, "HTTP/1.1 501 ");
	call_newer(0, 0);
	close_server();
}
END_TEST

/* What is behind the end of an older struct is anything. */
#define OLDER(thing, member) \
	memset((char *)&(thing) + offsetof(__typeof__(thing), member), 0xff, \
		sizeof(thing) - offsetof(__typeof__(thing), member))

START_TEST(takes_older_structs)
{
	static const char *const none[] = {NULL};
	struct retort_options options = {.bind = none};
	struct retort_reply reply = {.status = 201};
	struct retort_when when = {.request = "GET /"};
	struct retort_files files = {.dotfiles = true};
	struct retort *other;

	OLDER(options, defer_accept);
	OLDER(reply, reason);
	OLDER(when, fields);
	OLDER(files, fields);
	open_plain(_i);
	for (int i = 0; i < 2; i++) {
		size_t size = offsetof(struct retort_options, defer_accept);

		other = i ? retort_start_sized(&options, size, error) :
			    retort_open_sized(&options, size, error);
		ck_assert_msg(other != NULL, "%s", error);
		retort_close(other);
	}
	ck_assert_int_eq(retort_on_sized(server, &reply,
				 offsetof(struct retort_reply, reason)),
		1);
	ck_assert_int_eq(retort_check_sized(&reply,
				 offsetof(struct retort_reply, reason), error),
		0);
	ck_assert_int_eq(retort_answer_sized(server, &reply,
				 offsetof(struct retort_reply, reason), error),
		0);
	ck_assert_int_eq(retort_serve_sized(server, ".", &files,
				 offsetof(struct retort_files, fields), error),
		0);
	ck_assert_int_eq(retort_reply_later_sized(server, 77, &reply,
				 offsetof(struct retort_reply, reason)),
		-ENOENT);
	expect_begin(GET, "HTTP/1.1 201 ");
	ck_assert_int_eq(retort_expect_sized(server, 1, 1, &when,
				 offsetof(struct retort_when, fields)),
		1);
	ck_assert_uint_eq(retort_count_sized(server, &when,
				  offsetof(struct retort_when, fields)),
		1);
	ck_assert_ptr_nonnull(retort_wait_sized(server, 1, 0, &when,
		offsetof(struct retort_when, fields)));
	ck_assert_uint_eq(retort_count_sized(server, NULL, 0), 1);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* --- threads --- */

#define CLIENTS 8

static void *
request_again_and_again(void *arg)
{
	int rounds = is_slow() ? 10 : 100;
	char data[4096];
	intptr_t failed = 0;

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		int fd = client_connect(retort_url(server, 0));
		size_t size = 0;
		ssize_t n = 1;

		failed += !client_send_text(fd,
			i % 4 == 0 ? "GET /later" HOST "\r\n" : GET);
		if (i % 10 == 9) {
			client_reset(fd);
			continue;
		}
		while (n > 0 && size < sizeof data &&
			client_wait(fd, PATIENCE) == 0)
			if ((n = recv(fd, data + size, sizeof data - size, 0)) >
				0)
				size += (size_t)n;
		failed += size < 12 || memcmp(data, "HTTP/1.1 200", 12) != 0;
		(void)close(fd);
	}
	return (void *)failed;
}

/* Everything that may be asked from any thread; waits too, without `arg`. */
static void *
ask_again_and_again(void *arg)
{
	char line[1024];
	intptr_t wrong = 0;

	for (int i = 0; !enough; i++) {
		size_t n = (size_t)i % 50 + 1;
		const struct retort_exchange *seen = arg ?
			retort_record(server, n) :
			retort_wait(server, n, 10, "GET /");

		if (seen != NULL) {
			wrong += strcmp(seen->method, "GET") != 0 ||
				!seen->complete || seen->raw_size < 20;
			free(retort_transcript(server, seen->connection));
		}
		if (!arg && seen != NULL && retort_wait_end(server, seen, 0))
			(void)retort_log_line(seen, RETORT_LOG_JSON, line,
				sizeof line);
		wrong += retort_count(server, NULL) > retort_accepted(server);
		(void)retort_connections(server);
		(void)retort_replies(server);
		if (!arg)
			(void)retort_wait_quiet(server, 0);
		(void)retort_verdict(server);
		retort_wake(server);
		wrong += i < 50 && retort_on(server, "/unused") < 0;
		wrong += i < 50 && retort_expect(server, 0, 9999999, "/") < 0;
		/* a mutex is not fair: who waits for it may wait for long */
		(void)sched_yield();
	}
	return (void *)wrong;
}

static uint64_t to_reply[CLIENTS * 200];
static size_t to_reply_count;

static int
queue_reply(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)reply;
	(void)pthread_mutex_lock(&mutex);
	to_reply[to_reply_count++] = exchange->connection;
	(void)pthread_cond_signal(&cond);
	(void)pthread_mutex_unlock(&mutex);
	return RETORT_LATER;
}

static void *
reply_again_and_again(void *arg)
{
	struct retort_reply reply = {.body = "later"};
	intptr_t wrong = 0;
	size_t done = 0;

	(void)arg;
	(void)pthread_mutex_lock(&mutex);
	while (!enough) {
		uint64_t connection;
		int code;

		if (done == to_reply_count) {
			(void)pthread_cond_wait(&cond, &mutex);
			continue;
		}
		connection = to_reply[done++];
		(void)pthread_mutex_unlock(&mutex);
		code = retort_reply_later(server, connection, &reply);
		wrong += code != 0 && code != -ENOENT;
		(void)pthread_mutex_lock(&mutex);
	}
	(void)pthread_mutex_unlock(&mutex);
	return (void *)wrong;
}

START_TEST(many_threads)
{
	pthread_t clients[CLIENTS], asking, replying;
	void *failed;

	enough = false;
	to_reply_count = 0;
	open_plain(_i);
	ON("GET /", .body = "ok");
	ON("GET /later", .handler = queue_reply);
	ck_assert_int_eq(pthread_create(&asking, NULL, ask_again_and_again,
				 NULL),
		0);
	ck_assert_int_eq(pthread_create(&replying, NULL, reply_again_and_again,
				 NULL),
		0);
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(pthread_create(&clients[i], NULL,
					 request_again_and_again, NULL),
			0);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(pthread_join(clients[i], &failed), 0);
		ck_assert_msg(failed == NULL, "client %d: %d failed", i,
			(int)(intptr_t)failed);
	}
	ck_assert_int_eq(pthread_mutex_lock(&mutex), 0);
	enough = true;
	(void)pthread_cond_signal(&cond);
	(void)pthread_mutex_unlock(&mutex);
	ck_assert_int_eq(pthread_join(asking, &failed), 0);
	ck_assert_int_eq((intptr_t)failed, 0);
	ck_assert_int_eq(pthread_join(replying, &failed), 0);
	ck_assert_int_eq((intptr_t)failed, 0);
	close_server();
}
END_TEST

/* What does not wait may be asked while another thread steps the server. */
START_TEST(asked_while_it_is_stepped)
{
	static char no_waits;
	pthread_t asking;
	void *wrong;

	open_plain(_i);
	enough = false;
	ON("GET /", .body = "ok");
	ck_assert_int_eq(pthread_create(&asking, NULL, ask_again_and_again,
				 &no_waits),
		0);
	for (int i = 0; i < (is_slow() ? 20 : 200); i++)
		expect_body(GET, "ok");
	enough = true;
	ck_assert_int_eq(pthread_join(asking, &wrong), 0);
	ck_assert_int_eq((intptr_t)wrong, 0);
	close_server();
}
END_TEST

/* --- plain sockets --- */

static void
open_protocol(enum retort_protocol protocol, int i)
{
	open_with((struct retort_options){.protocol = protocol}, i);
}

/* Receives as many bytes as are expected, in any pieces. */
static void
hear_bytes(int fd, const void *expected, size_t size)
{
	int64_t until = now_ms() + PATIENCE;
	char *got = calloc(1, size + 1);
	size_t have = 0;

	while (have < size) {
		ssize_t n = recv(fd, got + have, size - have, MSG_DONTWAIT);

		ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN),
			"%s: expected %s, then came %s", way->name,
			shown(expected, size),
			n == 0 ? "FIN" : strerror(errno));
		ck_assert_msg(now_ms() < until, "%s: %s did not come",
			way->name, shown(expected, size));
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			have += (size_t)n;
	}
	assert_bytes(got, have, expected, size);
	free(got);
}

static void
hear(int fd, const char *expected)
{
	hear_bytes(fd, expected, strlen(expected));
}

/* One piece, and its answer. */
static void
converse(int fd, const char *piece, const char *expected)
{
	say(fd, piece);
	hear(fd, expected);
}

/* Nothing but these bytes comes until FIN; closes. */
static void
hear_end(int fd, const char *expected)
{
	struct bytes got = {.data = NULL};
	int code = talk(fd, "", 0, &got, NULL);

	ck_assert_msg(code == 0, "%s: %s after: %s", way->name, strerror(code),
		shown(got.data, got.size));
	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
	(void)close(fd);
}

START_TEST(answers_these_bytes_once)
{
	const struct retort_exchange *seen;
	char url[64];
	int fd;

	open_protocol(RETORT_TCP, _i);
	if (!way->adopted) {
		(void)snprintf(url, sizeof url, "tcp://127.0.0.1:%d",
			retort_port(server, 0));
		ck_assert_str_eq(retort_url(server, 0), url);
	}
	ON(NULL, .body = "O\0K\r\n", .body_size = 5, .times = 1, .close = true);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "ping");
	hear_bytes(fd, "O\0K\r\n", 5);
	hear_end(fd, "");
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	ck_assert_int_eq(seen->rule, 1);
	ck_assert_int_eq(seen->status, 0); /* which is of HTTP */
	assert_verdict(NULL);
	/* then there is no answer, and the connection says so */
	fd = connect_plain(SOCK_STREAM);
	say(fd, "again");
	hear_end(fd, "");
	ck_assert_int_eq(ended(2)->rule, 0);
	assert_verdict("connection 2: no rule fits \"again\": rule 1 would, "
		       "but was used up (1 of 1)\n");
	ck_assert_uint_eq(retort_replies(server), 2);
	close_server();
}
END_TEST

START_TEST(records_pieces)
{
	static const char *const pieces[] = {"one\n", "zw\xffi", "3\r\nthree"};
	static const char *const lines[] = {"one", "zw\xffi", "3"};
	const struct retort_reply echo = {.echo = true};
	const struct retort_exchange *seen;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ck_assert_int_eq(retort_answer(server, &echo, error), 0);
	fd = connect_plain(SOCK_STREAM);
	converse(fd, pieces[0], pieces[0]);
	/* recorded before its answer is sent, open until the connection ends */
	seen = retort_record(server, 1);
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(seen->end, RETORT_OPEN);
	ck_assert(!retort_wait_end(server, seen, 0));
	for (size_t i = 1; i < COUNT(pieces); i++)
		converse(fd, pieces[i], pieces[i]);
	ck_assert_uint_eq(retort_replies(server), 0);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	hear_end(fd, "");
	for (size_t i = 0; i < COUNT(pieces); i++) {
		seen = ended(i + 1);
		assert_bytes(seen->body, seen->body_size, pieces[i],
			strlen(pieces[i]));
		assert_bytes(seen->raw, seen->raw_size, pieces[i],
			strlen(pieces[i]));
		assert_bytes(seen->request, seen->request_size, lines[i],
			strlen(lines[i]));
		ck_assert_uint_eq(seen->piece, i + 1);
		ck_assert_int_eq(seen->protocol, RETORT_TCP);
		ck_assert_uint_eq(seen->connection, 1);
		ck_assert_int_eq(seen->status, 0);
		ck_assert_ptr_null(seen->method);
		ck_assert_ptr_null(seen->target);
		ck_assert_uint_eq(seen->field_count, 0);
		ck_assert(seen->complete && !seen->truncated);
		ck_assert_ptr_null(seen->reason);
		/* its end is that of all of them */
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		ck_assert_uint_eq(seen->received, 16);
		ck_assert_uint_eq(seen->sent, 16);
		ck_assert_uint_eq(seen->sent_body, 16);
		ck_assert_int_eq(seen->client_close, RETORT_FIN);
		ck_assert_int_eq(seen->server_close, RETORT_FIN);
		ck_assert(seen->client_first);
	}
	ck_assert_ptr_null(retort_record(server, 4));
	ck_assert_uint_eq(retort_replies(server), 1);
	ck_assert_uint_eq(retort_count(server, NULL), 3);
	ck_assert_uint_eq(retort_count(server, NULL, .body = "one\n"), 1);
	ck_assert_uint_eq(retort_count(server, NULL, .body_has = "e"), 2);
	seen = retort_wait(server, 2, 0, NULL, .body_has = "e");
	ck_assert_ptr_eq(seen, retort_record(server, 3));
	ck_assert_ptr_null(retort_wait(server, 1, 0, NULL, .body = "one"));
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A mailbox that takes one letter: what a piece means depends on those before
   it on the same connection. */
static struct mailbox {
	uint64_t letter_on; /* connection; 0: none is under way */
	char letter[100];
} mailbox;

static int
take_letter(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct mailbox *box = arg;

	if (box->letter_on == exchange->connection) {
		(void)snprintf(box->letter, sizeof box->letter, "%s",
			(const char *)exchange->body);
		box->letter_on = 0;
		reply->body = "250 taken\r\n";
	} else if (strcmp(exchange->body, "DATA\r\n") == 0) {
		box->letter_on = exchange->connection;
		reply->body = "354 go on\r\n";
	} else {
		reply->close = strcmp(exchange->body, "QUIT\r\n") == 0;
		reply->body = reply->close ? "221 bye\r\n" : "500 what?\r\n";
	}
	return 0;
}

START_TEST(remembers_a_conversation)
{
	int first, second;

	open_protocol(RETORT_TCP, _i);
	memset(&mailbox, 0, sizeof mailbox);
	ON(NULL, .handler = take_letter, .handler_arg = &mailbox);
	first = connect_plain(SOCK_STREAM);
	second = connect_plain(SOCK_STREAM);
	converse(first, "DATA\r\n", "354 go on\r\n");
	converse(second, "Dear all\r\n", "500 what?\r\n");
	converse(first, "Dear sir\r\n", "250 taken\r\n");
	converse(first, "Dear sir\r\n", "500 what?\r\n");
	ck_assert_str_eq(mailbox.letter, "Dear sir\r\n");
	say(second, "QUIT\r\n");
	hear_end(second, "221 bye\r\n");
	say(first, "QUIT\r\n");
	hear_end(first, "221 bye\r\n");
	ck_assert_uint_eq(ended(6)->piece, 4);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(handlers_of_pieces_may_fail)
{
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .when.body = "err", .handler = err);
	ON(NULL, .handler = err, .handler_arg = &error);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "err");
	hear_end(fd, "");
	assert_verdict("connection 1: the handler of rule 1 failed: it "
		       "returned -5\n");
	/* it sets a status, which is of HTTP */
	fd = connect_plain(SOCK_STREAM);
	say(fd, "status");
	hear_end(fd, "");
	assert_verdict("connection 2: the handler of rule 2 failed: ");
	close_server();
}
END_TEST

START_TEST(answers_pieces_later)
{
	const struct retort_exchange *seen;
	struct retort_reply reply = {.body = "first"};
	const struct retort_reply wrong = {.status = 200, .body = "x"};
	uint64_t connection = 0;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "a");
	seen = retort_wait(server, 1, PATIENCE, NULL, .body = "a");
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(retort_reply_later(server, seen->connection, &wrong),
		-EINVAL);
	assert_verdict("only a reply of HTTP has it");
	ck_assert_int_eq(retort_reply_later(server, seen->connection, &reply),
		0);
	ck_assert_int_eq(retort_reply_later(server, seen->connection, &reply),
		-ENOENT);
	hear(fd, "first");
	ck_assert_int_eq(retort_reply_later(server, seen->connection, &reply),
		-ENOENT);
	/* each piece anew; the second reply closes */
	say(fd, "b");
	ck_assert_ptr_nonnull(
		retort_wait(server, 1, PATIENCE, NULL, .body = "b"));
	reply = (struct retort_reply){.body = "second", .close = true};
	ck_assert_int_eq(retort_reply_later(server, connection, &reply), 0);
	hear_end(fd, "second");
	ck_assert_int_eq(ended(2)->end, RETORT_ANSWERED);
	close_server();
}
END_TEST

static bool
is_second(void *arg, const struct retort_exchange *exchange)
{
	(void)arg;
	return exchange->connection == 2;
}

static int
greet_by_number(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	char *text = arg;

	(void)snprintf(text, 40, "%llu\n",
		(unsigned long long)exchange->connection);
	reply->body = text;
	return 0;
}

START_TEST(greets)
{
	static char text[40];
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .accepted = true, .body = "220 once\r\n", .times = 1);
	ON(NULL, .accepted = true, .body = "second\r\n",
		.when.predicate = is_second);
	ON(NULL, .accepted = true, .handler = greet_by_number,
		.handler_arg = text, .times = 1);
	ON(NULL, .accepted = true, .body = "full\r\n", .close = true,
		.times = 1);
	ON(NULL, .body = "250 ok\r\n");
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "220 once\r\n");
	converse(fd, "HELO\r\n", "250 ok\r\n");
	converse(fd, "NOOP\r\n", "250 ok\r\n");
	(void)close(fd);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "second\r\n");
	(void)close(fd);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "3\n");
	(void)close(fd);
	hear_end(connect_plain(SOCK_STREAM), "full\r\n");
	/* nobody is left to greet */
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "HELO\r\n", "250 ok\r\n");
	(void)close(fd);
	ck_assert(retort_wait_quiet(server, PATIENCE));
	/* a connection without a byte is no record */
	ck_assert_uint_eq(retort_count(server, NULL), 3);
	ck_assert_uint_eq(retort_record(server, 1)->sent, 26);
	ck_assert_uint_eq(retort_record(server, 1)->piece, 1);
	ck_assert_uint_eq(retort_accepted(server), 5);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(greets_before_http)
{
	static const char hello[] = "220 not HTTP\r\n";
	const struct retort_exchange *seen;
	char *text;
	int fd;

	open_plain(_i);
	ON(NULL, .accepted = true, .body = hello, .times = 1);
	ON("GET /", .body = "hello");
	fd = connect_client();
	hear(fd, hello);
	say(fd, GET);
	finish_client(fd, "\r\n\r\nhello");
	seen = ended(1);
	ck_assert_int_eq(seen->rule, 2);
	ck_assert_int_eq(seen->status, 200);
	assert_bytes(seen->raw, seen->raw_size, GET, strlen(GET));
	ck_assert_uint_eq(seen->sent_body, 5);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strstr(text, " > 220 not HTTP\\r\\n\n") != NULL &&
			strstr(text, " > 220 ") < strstr(text, " < GET "),
		"%s: %s", way->name, text);
	free(text);
	expect_begin(GET, "HTTP/1.1 200 OK\r\n");
	assert_verdict(NULL);
	ck_assert_uint_eq(retort_replies(server), 2);
	close_server();
}
END_TEST

/* Neither rule nor condition; what the verdict says of it. */
#define MALFORMED(call, text) \
	do { \
		ck_assert_int_eq((call), -EINVAL); \
		assert_verdict(text); \
		retort_reset(server); \
	} while (0)

START_TEST(mistakes_about_pieces_are_told)
{
	static const char *const order[] = {"GET /a", "GET /b", NULL};
	const struct retort_reply wrong = {.status = 404};

	open_protocol(RETORT_TCP, _i);
	MALFORMED(retort_on(server, "GET /", .body = "x"),
		"request: only a request of HTTP has it");
	MALFORMED(retort_on(server, NULL, .when.fields = "A: b"),
		"fields: only a request of HTTP has it");
	MALFORMED(retort_on(server, NULL, .status = 200),
		"status: only a reply of HTTP has it");
	MALFORMED(retort_on(server, NULL, .fields = "A: b", .body = "x"),
		"fields: only a reply of HTTP has it");
	MALFORMED(retort_on(server, NULL, .chunked = true, .body = "x"),
		"chunked: only a reply of HTTP has it");
	MALFORMED(retort_on(server, NULL, .accepted = true, .when.body = "x"),
		"accepted: of `when` only a predicate goes with it");
	MALFORMED(retort_on(server, NULL, .accepted = true, .echo = true),
		"accepted: there is nothing to echo");
	MALFORMED(retort_expect(server, 1, 1, "GET /"),
		"request: only a request of HTTP has it");
	MALFORMED(retort_expect_order(server, order),
		"request: only a request of HTTP has it");
	ck_assert_uint_eq(retort_count(server, "GET /"), 0);
	assert_verdict("request: only a request of HTTP has it");
	retort_reset(server);
	ck_assert_int_eq(retort_answer(server, &wrong, error), -EINVAL);
	ck_assert_str_eq(error, "status: only a reply of HTTP has it");
	ck_assert_int_eq(retort_serve(server, "/", NULL, error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "only HTTP serves files"));
	close_server();
	open_plain(_i);
	MALFORMED(retort_on(server, "/", .close = true), "close: it is for ");
	MALFORMED(retort_on(server, "/", .accepted = true, .body = "x"),
		"accepted: of `when` only a predicate goes with it");
	MALFORMED(retort_on(server, NULL, .accepted = true, .status = 200),
		"status: only a reply of HTTP has it");
	close_server();
}
END_TEST

START_TEST(judges_pieces)
{
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .when.body = "ping", .body = "pong");
	ck_assert_int_eq(retort_expect(server, 1, 1, NULL, .body = "ping"), 1);
	ck_assert_int_eq(retort_expect(server, 0, 0, NULL, .body_has = "x"), 2);
	assert_verdict(
		"expectation 1 (any request, body \"ping\"): expected exactly 1, "
		"came 0\n");
	fd = connect_plain(SOCK_STREAM);
	say(fd, "pint\n");
	hear_end(fd, "");
	assert_verdict("  nearest: \"pint\\n\" (connection 1): body differs "
		       "from expectation 1 at byte 3: ");
	assert_verdict("connection 1: no rule fits \"pint\\n\": body differs "
		       "from rule 1 at byte 3: ");
	assert_verdict("< pint\\n\n");
	retort_reset(server);
	ON(NULL, .body = "pong");
	ck_assert_int_eq(retort_expect(server, 1, 1, NULL, .body = "ping"), 1);
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "ping", "pong");
	assert_verdict(NULL);
	converse(fd, "ping", "pong");
	assert_verdict(
		"expectation 1 (any request, body \"ping\"): expected exactly 1, "
		"came 2\n");
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(transcribes_a_conversation)
{
	static const char expected[] = "        #### > 220 hi\\r\\n\n"
				       "        #### < one\\n\n"
				       "        #### > 1\n"
				       "        #### < two\n"
				       "        #### > 2\n"
				       "        #### > (FIN)\n"
				       "        #### < (FIN)\n"
				       "        #### - (closed)\n";
	char *text;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .accepted = true, .body = "220 hi\r\n");
	ON(NULL, .body = "1", .times = 1);
	ON(NULL, .body = "2", .close = true);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "220 hi\r\n");
	converse(fd, "one\n", "1");
	say(fd, "two");
	hear_end(fd, "2");
	(void)ended(2);
	text = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(text);
	mask(text);
	ck_assert_str_eq(strchr(text, '\n') + 1, expected);
	free(text);
	ck_assert_ptr_null(retort_transcript(server, 2));
	close_server();
}
END_TEST

START_TEST(forgets_in_the_middle)
{
	const struct retort_exchange *seen;
	uint64_t connection = 0;
	struct retort_reply reply = {.body = "late"};
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .body = "old");
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "1", "old");
	converse(fd, "2", "old");
	retort_reset(server);
	ck_assert_ptr_null(retort_record(server, 1));
	ON(NULL, .body = "new", .times = 1);
	ON(NULL, .handler = later, .handler_arg = &connection);
	converse(fd, "3", "new");
	seen = retort_record(server, 1);
	ck_assert_ptr_nonnull(seen);
	assert_bytes(seen->body, seen->body_size, "3", 1);
	ck_assert_uint_eq(seen->piece, 3);
	/* and while an answer is awaited */
	say(fd, "4");
	ck_assert_ptr_nonnull(
		retort_wait(server, 1, PATIENCE, NULL, .body = "4"));
	retort_reset(server);
	ON(NULL, .body = "newest", .close = true);
	ck_assert_int_eq(retort_reply_later(server, connection, &reply), 0);
	hear(fd, "late");
	say(fd, "5");
	hear_end(fd, "newest");
	seen = ended(1);
	ck_assert_uint_eq(seen->piece, 5);
	ck_assert_uint_eq(seen->received, 5);
	ck_assert_uint_eq(seen->sent, 19);
	ck_assert_uint_eq(retort_count(server, NULL), 1);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(closes_who_is_silent)
{
	const struct retort_options options = {.protocol = RETORT_TCP,
		.idle_timeout = 200};
	const struct retort_exchange *seen;
	int64_t begun;
	int fd;

	open_with(options, _i);
	ON(NULL, .body = "ok");
	begun = now_ms();
	hear_end(connect_plain(SOCK_STREAM), "");
	ck_assert_int_ge(now_ms() - begun, 199);
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_ptr_null(retort_record(server, 1));
	fd = connect_plain(SOCK_STREAM);
	/* it is silent from some time after this on */
	begun = now_ms();
	converse(fd, "a", "ok");
	hear_end(fd, "");
	ck_assert_int_ge(now_ms() - begun, 199);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_TIMED_OUT);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert(!seen->client_first);
	close_server();
}
END_TEST

START_TEST(half_close_gets_the_rest)
{
	static char data[64 << 10];
	const size_t all = 6u << 20;
	int64_t until = now_ms() + PATIENCE;
	size_t size = 0;
	ssize_t n = -1;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .body = "0123456789", .repeat = all);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "all");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	while (n != 0) {
		n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		ck_assert_msg(n >= 0 || errno == EAGAIN, "%s: %s after %zu",
			way->name, strerror(errno), size);
		ck_assert_msg(now_ms() < until, "%s: stuck after %zu bytes",
			way->name, size);
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			for (ssize_t i = 0; i < n; i++, size++)
				if (data[i] != (char)('0' + size % 10))
					ck_abort_msg("%s: byte %zu differs",
						way->name, size);
	}
	(void)close(fd);
	ck_assert_uint_eq(size, all);
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	ck_assert_uint_eq(ended(1)->sent, all);
	close_server();
}
END_TEST

START_TEST(tells_who_left_a_conversation)
{
	const struct retort_exchange *seen;
	uint64_t connection = 0;
	int fd;

	open_protocol(RETORT_TCP, _i);
	ON(NULL, .when.body = "later", .handler = later,
		.handler_arg = &connection);
	ON(NULL, .body = "ok");
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "a", "ok");
	if (way->adopted) {
		/* unread bytes make it a reset */
		say(fd, "a");
		ck_assert_ptr_nonnull(
			retort_wait(server, 2, PATIENCE, NULL, .body = "a"));
		TURN_UNTIL(recv(fd, error, 2, MSG_PEEK | MSG_DONTWAIT) == 2);
	}
	client_reset(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	ck_assert(seen->client_first);
	close_server();
}
END_TEST

/* clang-format off */
static const struct stuck stuck_plain[] = {
	{"", false, "\"\": nothing came; 0 bytes received, 0 sent\n"},
	{"later\nmore", true,
		"\"later\": its reply was not made; 10 bytes received, "
		"0 sent\n"},
	{"pause", true,
		"\"pause\": in the reply, paused; 5 bytes received, 0 sent\n"},
	{"big", true,
		"\"big\": in the reply, which the client does not take; "
		"3 bytes received, "},
};
/* clang-format on */

START_TEST(finishes_conversations)
{
	uint64_t connection = 0;
	const char *left;
	int fd;

	for (size_t i = 0; i < COUNT(stuck_plain); i++) {
		open_protocol(RETORT_TCP, _i);
		ON(NULL, .when.body_has = "later", .handler = later,
			.handler_arg = &connection);
		ON(NULL, .when.body = "pause", .pause_head = 1000000);
		ON(NULL, .when.body = "big", .body = "x", .repeat = 1u << 30);
		fd = connect_plain(SOCK_STREAM);
		say(fd, stuck_plain[i].request);
		if (stuck_plain[i].whole)
			ck_assert_ptr_nonnull(
				retort_wait(server, 1, PATIENCE, NULL));
		left = retort_finish(server, 20);
		ck_assert_msg(left != NULL &&
				strncmp(left, "connection 1, ", 14) == 0 &&
				strstr(left, stuck_plain[i].left) != NULL,
			"%s: expected %s, got: %s", way->name,
			stuck_plain[i].left, left ? left : "(NULL)");
		(void)close(fd);
		if (stuck_plain[i].whole)
			ck_assert_int_eq(retort_record(server, 1)->end,
				RETORT_STOPPED);
		close_server();
	}
	/* who has had every answer misses nothing */
	open_protocol(RETORT_TCP, _i);
	ON(NULL, .when.body = "ping", .body = "pong");
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_STREAM);
	converse(fd, "ping", "pong");
	ck_assert_ptr_null(retort_finish(server, 0));
	hear_end(fd, "");
	close_server();
	/* retort_close() asks nobody */
	open_protocol(RETORT_TCP, _i);
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_STREAM);
	say(fd, "x");
	ck_assert_ptr_nonnull(retort_wait(server, 1, PATIENCE, NULL));
	close_server();
	(void)close(fd);
}
END_TEST

/* What an event function was told, as text. */
static char events[400];

static void
note_event(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	size_t used = strlen(events);

	(void)arg;
	(void)snprintf(events + used, sizeof events - used, "%d:%llu:%.*s;",
		(int)event, (unsigned long long)exchange->piece, (int)size,
		bytes ? (const char *)bytes : "");
}

START_TEST(tells_of_pieces)
{
	const struct retort_options options = {.protocol = RETORT_TCP,
		.event = note_event};
	char expected[100];
	int fd;

	events[0] = '\0';
	open_with(options, _i);
	ON(NULL, .accepted = true, .body = "hello");
	ON(NULL, .body = "ok", .times = 1);
	ON(NULL, .body = "bye", .close = true);
	fd = connect_plain(SOCK_STREAM);
	hear(fd, "hello");
	converse(fd, "one", "ok");
	say(fd, "two");
	hear_end(fd, "bye");
	(void)ended(2);
	(void)snprintf(expected, sizeof expected, "%d:1:one;%d:2:two;%d:2:;",
		RETORT_ON_PIECE, RETORT_ON_PIECE, RETORT_ON_END);
	ck_assert_str_eq(events, expected);
	close_server();
}
END_TEST

START_TEST(stops_after_conversations)
{
	const struct retort_options options = {.protocol = RETORT_TCP,
		.requests = 2};
	int first, second;

	open_with(options, _i);
	ON(NULL, .body = "ok");
	first = connect_plain(SOCK_STREAM);
	second = connect_plain(SOCK_STREAM);
	converse(first, "a", "ok");
	converse(first, "b", "ok");
	converse(second, "c", "ok");
	ck_assert_int_eq(shutdown(first, SHUT_WR), 0);
	hear_end(first, "");
	TURN_UNTIL(retort_replies(server) == 1);
	converse(second, "d", "ok");
	(void)close(second);
	ck_assert(retort_wait_quiet(server, PATIENCE));
	ck_assert_uint_eq(retort_replies(server), 2);
	ck_assert_ptr_null(retort_finish(server, PATIENCE));
	if (way->adopted) {
		int pair[2];

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					 0, pair),
			0);
		ck_assert_int_eq(retort_adopt(server, pair[0]), -ESHUTDOWN);
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	close_server();
}
END_TEST

/* --- datagrams --- */

START_TEST(answers_datagrams)
{
	const struct retort_exchange *seen;
	char url[64], name[64];
	struct sockaddr_in in = {.sin_port = 0};
	socklen_t size = sizeof in;
	int fd;

	open_protocol(RETORT_UDP, _i);
	(void)snprintf(url, sizeof url, "udp://127.0.0.1:%d",
		retort_port(server, 0));
	ck_assert_str_eq(retort_url(server, 0), url);
	ON(NULL, .when.body = "once", .body = "this", .times = 1);
	ON(NULL, .when.body = "echo\n", .echo = true);
	ON(NULL, .when.body = "", .echo = true);
	fd = connect_plain(SOCK_DGRAM);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	converse(fd, "once", "this");
	converse(fd, "echo\n", "echo\n");
	/* an empty one is a datagram too */
	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	turn(fd, POLLIN, 100);
	TURN_UNTIL(recv(fd, error, sizeof error, MSG_DONTWAIT) == 0);
	(void)snprintf(name, sizeof name, "127.0.0.1:%d", ntohs(in.sin_port));
	for (size_t i = 1; i <= 3; i++) {
		seen = ended(i);
		ck_assert_uint_eq(seen->connection, i);
		ck_assert_uint_eq(seen->piece, 1);
		ck_assert_int_eq(seen->protocol, RETORT_UDP);
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		ck_assert_int_eq(seen->rule, (int)i);
		ck_assert_str_eq(seen->client, name);
		ck_assert(seen->complete && !seen->truncated);
		ck_assert_int_eq(seen->client_close, RETORT_NOTHING);
		ck_assert_int_eq(seen->server_close, RETORT_NOTHING);
	}
	seen = retort_record(server, 2);
	assert_bytes(seen->body, seen->body_size, "echo\n", 5);
	assert_bytes(seen->raw, seen->raw_size, "echo\n", 5);
	assert_bytes(seen->request, seen->request_size, "echo", 4);
	ck_assert_uint_eq(seen->received, 5);
	ck_assert_uint_eq(seen->sent, 5);
	ck_assert_uint_eq(retort_record(server, 3)->body_size, 0);
	ck_assert_uint_eq(retort_replies(server), 3);
	ck_assert_uint_eq(retort_accepted(server), 3);
	ck_assert_uint_eq(retort_connections(server), 0);
	assert_verdict(NULL);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(leaves_datagrams_unanswered)
{
	int fd;

	open_protocol(RETORT_UDP, _i);
	ON(NULL, .when.body = "a", .body = "ok");
	ck_assert_int_eq(retort_expect(server, 1, 1, NULL, .body = "a"), 1);
	fd = connect_plain(SOCK_DGRAM);
	say(fd, "b");
	ck_assert_int_eq(ended(1)->end, RETORT_UNANSWERED);
	ck_assert_uint_eq(retort_record(server, 1)->sent, 0);
	/* it answers in order: had there been one, it would come first */
	converse(fd, "a", "ok");
	assert_verdict("connection 1: no rule fits \"b\": body differs from "
		       "rule 1 at byte 0: ");
	(void)ended(2);
	ck_assert_int_eq(retort_expect(server, 0, 0, NULL, .body = "b"), 2);
	assert_verdict("  came: \"b\", unanswered (connection 1)\n");
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(answers_datagrams_later)
{
	const struct retort_reply late = {.body = "late"};
	const struct retort_reply long_one = {.body = "x", .repeat = 65508};
	uint64_t connection = 0;
	const char *left;
	int fd, pair[2];

	open_protocol(RETORT_UDP, _i);
	ON(NULL, .when.body = "now", .body = "ok");
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_plain(SOCK_DGRAM);
	say(fd, "wait");
	ck_assert_ptr_nonnull(
		retort_wait(server, 1, PATIENCE, NULL, .body = "wait"));
	/* others are answered meanwhile */
	converse(fd, "now", "ok");
	ck_assert_uint_eq(retort_connections(server), 1);
	ck_assert_int_eq(retort_reply_later(server, 1, &long_one), -EINVAL);
	ck_assert_int_eq(retort_reply_later(server, 1, &late), 0);
	hear(fd, "late");
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	ck_assert_int_eq(retort_reply_later(server, 1, &late), -ENOENT);
	/* there are no connections to refuse or to adopt */
	ck_assert_int_eq(retort_refuse(server, true), -ENOTSUP);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	ck_assert_int_eq(retort_adopt(server, pair[0]), -EPROTOTYPE);
	(void)close(pair[0]);
	(void)close(pair[1]);
	/* what is awaited still is named at the end */
	say(fd, "vain");
	ck_assert_ptr_nonnull(
		retort_wait(server, 1, PATIENCE, NULL, .body = "vain"));
	left = retort_finish(server, 0);
	ck_assert_msg(left != NULL && strncmp(left, "connection 3, ", 14) == 0,
		"%s: %s", way->name, left ? left : "(NULL)");
	ck_assert_msg(strstr(left,
			      "\"vain\": its reply was not made; 4 bytes "
			      "received, 0 sent\n") != NULL,
		"%s: %s", way->name, left);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(mistakes_about_datagrams_are_told)
{
	open_protocol(RETORT_UDP, _i);
	MALFORMED(retort_on(server, NULL, .accepted = true, .body = "x"),
		"accepted: datagrams are not");
	MALFORMED(retort_on(server, NULL, .close = true),
		"close: it is for RETORT_TCP");
	MALFORMED(retort_on(server, NULL, .body = "x", .repeat = 65508),
		"body: a datagram has at most 65507 bytes");
	MALFORMED(retort_expect(server, 1, 1, "/"),
		"request: only a request of HTTP has it");
	ON(NULL, .body = "x", .repeat = 65507);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(thousand_datagrams)
{
	const unsigned all = 1000, most = 64;
	int64_t until = now_ms() + PATIENCE;
	bool came[1000] = {false};
	unsigned sent = 0, got = 0, n;
	int fd;

	open_protocol(RETORT_UDP, _i);
	ON(NULL, .echo = true);
	fd = connect_plain(SOCK_DGRAM);
	while (got < all) {
		while (sent < all && sent - got < most) {
			ck_assert_int_eq(send(fd, &sent, sizeof sent, 0),
				sizeof sent);
			sent++;
		}
		if (recv(fd, &n, sizeof n, MSG_DONTWAIT) == sizeof n) {
			ck_assert_msg(n < all && !came[n], "%s: %u again",
				way->name, n);
			came[n] = true;
			got++;
		} else {
			turn(fd, POLLIN, 100);
		}
		ck_assert_msg(now_ms() < until, "%s: only %u of %u came",
			way->name, got, sent);
	}
	(void)ended(all);
	ck_assert_uint_eq(retort_count(server, NULL), all);
	ck_assert_uint_eq(retort_replies(server), all);
	(void)close(fd);
	close_server();
}
END_TEST

/* A Unix datagram socket that is connected to the server; "": without an
   address of its own. */
static int
connect_unix(const char *folder, const char *name)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX}, un = own;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(own.sun_path, sizeof own.sun_path, "%s/%s", folder,
		name);
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s/server", folder);
	if (name[0] != '\0')
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof own),
			0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
	return fd;
}

START_TEST(unix_datagrams)
{
	static char long_one[100000];
	const struct retort_exchange *seen;
	char *folder = dir_make();
	char spec[200];
	const char *const bind[] = {spec, NULL};
	const struct retort_options options = {.protocol = RETORT_UDP,
		.bind = bind};
	int fd, nobody;

	(void)snprintf(spec, sizeof spec, "unix:%s/server", folder);
	open_with(options, _i);
	ck_assert_str_eq(retort_url(server, 0), spec);
	ck_assert_int_eq(retort_port(server, 0), 0);
	ON(NULL, .echo = true);
	fd = connect_unix(folder, "client");
	converse(fd, "hello", "hello");
	ck_assert_str_eq(ended(1)->client, "unix");
	assert_verdict(NULL);
	/* what is longer than 64 KiB is cut */
	memset(long_one, 'x', sizeof long_one);
	ck_assert_int_eq(send(fd, long_one, sizeof long_one, 0),
		sizeof long_one);
	seen = ended(2);
	ck_assert(seen->truncated);
	ck_assert_uint_eq(seen->body_size, 64u << 10);
	ck_assert(!retort_record(server, 1)->truncated);
	/* it cannot be answered, and it is said why */
	nobody = connect_unix(folder, "");
	say(nobody, "hello?");
	seen = ended(3);
	ck_assert_int_eq(seen->end, RETORT_UNANSWERED);
	ck_assert_ptr_nonnull(seen->reason);
	ck_assert_ptr_nonnull(strstr(seen->reason, "has no address"));
	assert_verdict("connection 3: its sender has no address\n");
	ck_assert_int_eq(retort_expect(server, 0, 0, NULL, .body = "hello?"),
		1);
	assert_verdict("  came: \"hello?\", unanswered");
	(void)close(nobody);
	/* a client that has left takes nothing with it */
	say(fd, "last words");
	(void)close(fd);
	(void)ended(4);
	close_server();
	dir_remove(folder);
}
END_TEST

/* --- without memory --- */

static char torture_file[300];

/* clang-format off */
/* Rules of every kind. A rule's result is its number, or -ENOMEM. */
static const struct {
	struct retort_reply rule;
	const char *request;
	const char *body; /* of the right reply */
} torture[] = {
	{{.when.request = "GET /plain?a=b", .body = "plain", .times = 5},
		"GET /plain?a=b" HOST "\r\n", "\r\n\r\nplain"},
	{{.when = {.request = "POST /all",
		  .fields = "A: b",
		  .contains = "C: d",
		  .absent = "E",
		  .body = "body",
		  .body_has = "od",
		  .predicate = has_even_body,
		  .predicate_arg = &asked},
		 .fields = "X: y\nZ: a", .reason = "Fine", .type = "a/b",
		 .version = "HTTP/1.1", .body = "all"},
		"POST /all" HOST "A: b\r\nC: cde\r\nContent-Length: 4\r\n\r\n"
		"body",
		"\r\n\r\nall"},
	{{.when.request = "/handler", .handler = build},
		"POST /handler" HOST "X-A: 1\r\nContent-Length: 1\r\n\r\nx",
		"\r\n\r\nPOST /handler 1 x"},
	{{.when.request = "/file", .file = torture_file},
		"GET /file" HOST "\r\n", "\r\n\r\nfile"},
	{{.when.request = "/echo", .echo = true},
		"PUT /echo" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\nT: 1\r\n\r\n",
		"1\r\na\r\n0\r\nT: 1\r\n\r\n"},
	{{.when.request = "/raw", .raw = true,
		 .body = "HTTP/1.1 200 OK\r\n\r\nraw"},
		"GET /raw" HOST "\r\n", "\r\n\r\nraw"},
	{{.when.request = "/chunks", .chunks = two_three, .trailers = "A: b",
		 .body = "abcdefgh",
		 .interim = "HTTP/1.1 103 Early Hints\r\n\r\n"},
		"GET /chunks" HOST "\r\n", "3\r\nfgh\r\n0\r\nA: b\r\n\r\n"},
	{{.when.request = "/repeat", .body = "abc", .repeat = 10},
		"GET /repeat" HOST "\r\n", "\r\n\r\nabcabcabca"},
	{{.when.request = "/later", .handler = later,
		 .handler_arg = &asked_on},
		"GET /later" HOST "\r\n", "\r\n\r\nlater"},
};
/* clang-format on */

/* A client; or -1, if it could not be adopted. */
static int
torture_connect(void)
{
	int pair[2], code;

	if (!way->adopted)
		return client_connect(retort_url(server, 0));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	inside++;
	code = retort_adopt(server, pair[0]);
	inside--;
	if (code == 0)
		return pair[1];
	ck_assert_int_eq(code, -ENOMEM);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return -1;
}

/* What comes until the end, within `size` bytes: terminated. */
static void
torture_receive(int fd, char *data, size_t size, bool is_later)
{
	struct retort_reply reply = {.body = "later"};
	int64_t until = now_ms() + PATIENCE;
	size_t have = 0;
	ssize_t n = -1;

	while (n != 0 && have < size - 1) {
		n = recv(fd, data + have, size - 1 - have, MSG_DONTWAIT);
		if (n > 0)
			have += (size_t)n;
		if (n < 0 && errno != EAGAIN)
			break;
		ck_assert_msg(now_ms() < until,
			"%s: it hangs at allocation "
			"%zu",
			way->name, (size_t)fail_at);
		if (n >= 0)
			continue;
		/* again and again until there is memory for it */
		inside++;
		if (is_later &&
			retort_reply_later(server, retort_accepted(server),
				&reply) == -ENOMEM &&
			fail_ever_after)
			n = 0;
		inside--;
		if (n != 0)
			turn(fd, POLLIN, is_later ? 1 : 100);
	}
	data[have] = '\0';
}

/*
 * One request, whose reply may be the right one, an error (500, 503), or the
 * beginning of either, if memory fails; never one that looks right and is not.
 */
static void
torture_request(size_t i, bool added)
{
	static char data[8192];
	const char *request = torture[i].request;
	int fd = torture_connect();

	if (fd < 0)
		return;
	(void)client_send_text(fd, request);
	torture_receive(fd, data, sizeof data,
		torture[i].rule.handler == later);
	(void)close(fd);
	ck_assert_msg(strstr(data, torture[i].body) != NULL ||
			strstr(data, "HTTP/1.1 500 ") != NULL ||
			strstr(data, "HTTP/1.1 503 ") != NULL ||
			(!added && strstr(data, "HTTP/1.1 501 ") != NULL) ||
			strstr(data, "\r\n\r\n") == NULL,
		"%s: allocation %zu failed%s, and to %s\n# came: %s", way->name,
		(size_t)fail_at, fail_ever_after ? " and all after it" : "",
		shown(request, strlen(request)), shown(data, strlen(data)));
}

static void
torture_server(void)
{
	bool added[COUNT(torture)];
	int code;

	for (size_t i = 0; i < COUNT(torture); i++) {
		inside++;
		code = retort_on_sized(server, &torture[i].rule,
			sizeof torture[i].rule);
		inside--;
		ck_assert_msg(code > 0 || code == -ENOMEM, "rule %zu: %s", i,
			strerror(-code));
		added[i] = code > 0;
	}
	inside++;
	code = retort_expect(server, 1, 2, "GET /plain");
	inside--;
	ck_assert(code > 0 || code == -ENOMEM);
	for (size_t i = 0; i < COUNT(torture); i++)
		torture_request(i, added[i]);
	inside++;
	(void)retort_wait(server, 3, 1, "GET", .absent = "A");
	(void)retort_count(server, "POST /all", .fields = "A: b");
	free(retort_transcript(server, 1));
	(void)retort_verdict(server);
	(void)retort_wait_quiet(server, 0);
	(void)retort_finish(server, 0);
	inside--;
}

/* One piece or datagram; what comes is its echo, or nothing. */
static void
torture_piece(enum retort_protocol protocol, bool greeted)
{
	static const char whole[] = "hello\nping";
	const char *expected = greeted ? whole : "ping";
	char data[32];
	size_t have = 0;
	ssize_t n = -1;
	int fd = way->adopted ?
		torture_connect() :
		connect_plain(
			protocol == RETORT_UDP ? SOCK_DGRAM : SOCK_STREAM);

	if (fd < 0)
		return;
	(void)client_send_text(fd, "ping");
	/* what is lost is lost: it is not waited for long */
	for (int i = 0; i < 10 && n != 0 && have < strlen(expected); i++) {
		n = recv(fd, data + have, sizeof data - have, MSG_DONTWAIT);
		if (n > 0)
			have += (size_t)n;
		if (n < 0 && errno != EAGAIN)
			break;
		if (n < 0)
			turn(fd, POLLIN, 2);
	}
	(void)close(fd);
	ck_assert_msg(have <= strlen(expected) &&
			memcmp(data, expected, have) == 0,
		"%s: allocation %zu failed%s, and there came %s", way->name,
		(size_t)fail_at, fail_ever_after ? " and all after it" : "",
		shown(data, have));
}

static void
torture_plain_server(enum retort_protocol protocol)
{
	bool greeted = false;

	inside++;
	/* a rule for which there is no memory is none */
	if (protocol == RETORT_TCP)
		greeted = retort_on(server, NULL, .accepted = true,
				  .body = "hello\n") > 0;
	(void)retort_on(server, NULL, .when.body_has = "i", .echo = true);
	(void)retort_expect(server, 1, 1, NULL, .body = "ping");
	inside--;
	torture_piece(protocol, greeted);
	torture_piece(protocol, greeted);
	inside++;
	(void)retort_wait(server, 1, 1, NULL, .body = "ping");
	free(retort_transcript(server, 1));
	(void)retort_verdict(server);
	(void)retort_finish(server, 0);
	inside--;
}

/* False: there were not as many allocations. */
static bool
torture_once(int i, enum retort_protocol protocol, size_t n, bool ever_after)
{
	static const char *const hosts[] = {"x", NULL};
	bool reached;

	allocations = 0;
	fail_ever_after = ever_after;
	fail_at = n;
	is_test = true;
	if (try_open_with((struct retort_options){.hosts = hosts,
				  .protocol = protocol},
		    i) == NULL)
		ck_assert_msg(errno == ENOMEM, "%s", error);
	else if (protocol == RETORT_HTTP)
		torture_server();
	else
		torture_plain_server(protocol);
	reached = allocations >= n;
	fail_at = 0;
	close_server();
	is_test = false;
	return reached;
}

START_TEST(lives_without_memory)
{
	char *folder = dir_make();
	bool ever_after = _i >= WAYS;
	size_t step = is_slow() ? 17 : 1, n = 1;
	long long before;

	dir_write(folder, "file.txt", "file", 4);
	(void)snprintf(torture_file, sizeof torture_file, "%s/file.txt",
		folder);
	(void)torture_once(_i % WAYS, RETORT_HTTP, SIZE_MAX, false);
	before = live;
	while (torture_once(_i % WAYS, RETORT_HTTP, n, ever_after)) {
		ck_assert_uint_lt(n += step, 3000);
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n - step);
	}
	/* the failures were real */
	ck_assert_uint_gt(n, 100);
	dir_remove(folder);
}
END_TEST

static void
torture_plain(int i, enum retort_protocol protocol, bool ever_after)
{
	size_t step = is_slow() ? 17 : 1, n = 1;
	long long before;

	(void)torture_once(i, protocol, SIZE_MAX, false);
	before = live;
	while (torture_once(i, protocol, n, ever_after)) {
		ck_assert_uint_lt(n += step, 1000);
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n - step);
	}
	ck_assert_uint_gt(n, 30);
}

START_TEST(converses_without_memory)
{
	torture_plain(_i % WAYS, RETORT_TCP, _i >= WAYS);
}
END_TEST

START_TEST(answers_datagrams_without_memory)
{
	torture_plain(_i % LISTENING_WAYS, RETORT_UDP, _i >= LISTENING_WAYS);
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *const *tests, int from, int to)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 100);
	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, from, to);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("embed");
	const TTest *const life[] = {listens_when_it_returns, sixteen_at_once,
		descriptors_are_close_on_exec, signals_are_the_callers,
		lives_and_dies_without_growth, ends_while_it_is_told_to,
		finishes_and_says_what_was_left, finishes_with_nothing_left,
		NULL};
	const TTest *const rules[] = {first_fit_answers, fits_what_it_says,
		malformed_rules_are_told, handlers_build_replies,
		handlers_are_given_no_rule, replies_later,
		nobody_waits_for_a_later_reply, falls_back,
		says_what_came_nearest, NULL};
	const TTest *const replies[] = {replies_are_exact,
		bodies_are_copied_or_files, repeats_without_memory, pauses,
		NULL};
	const TTest *const records[] = {records_everything,
		records_chunked_bodies, records_what_is_refused,
		records_what_breaks_off, records_the_request_alone,
		records_what_waits_to_go_on, tells_who_closed_first,
		records_end, NULL};
	const TTest *const waiting[] = {waits, one_descriptor_tells_all,
		forgets_while_connections_are_open,
		forgets_while_a_listing_is_made, NULL};
	const TTest *const verdicts[] = {transcribes,
		transcribes_resets_and_excess, judges, NULL};
	const TTest *const others[] = {refuses_and_resumes,
		refuses_beside_what_is_open, nothing_waits_for_itself,
		a_predicate_of_a_wait_does_not_wait, stops_from_within,
		adds_rules_from_within, adopts_sockets_alone,
		takes_newer_structs, takes_older_structs, NULL};
	const TTest *const once[] = {says_why_it_does_not_start,
		cannot_refuse_on_others, NULL};
	const TTest *const threads[] = {many_threads, NULL};
	const TTest *const stepping[] = {asked_while_it_is_stepped, NULL};
	const TTest *const pieces[] = {answers_these_bytes_once, records_pieces,
		remembers_a_conversation, handlers_of_pieces_may_fail,
		answers_pieces_later, greets, greets_before_http,
		mistakes_about_pieces_are_told, judges_pieces,
		transcribes_a_conversation, forgets_in_the_middle,
		closes_who_is_silent, half_close_gets_the_rest,
		tells_who_left_a_conversation, finishes_conversations,
		tells_of_pieces, stops_after_conversations, NULL};
	const TTest *const datagrams[] = {answers_datagrams,
		leaves_datagrams_unanswered, answers_datagrams_later,
		mistakes_about_datagrams_are_told, thousand_datagrams,
		unix_datagrams, NULL};
	const TTest *const faults[] = {lives_without_memory,
		converses_without_memory, NULL};
	const TTest *const datagram_faults[] =
		{answers_datagrams_without_memory, NULL};

	add(suite, "once", once, 0, 1);
	add(suite, "life", life, 0, WAYS);
	add(suite, "rules", rules, 0, WAYS);
	add(suite, "replies", replies, 0, WAYS);
	add(suite, "records", records, 0, WAYS);
	add(suite, "waiting", waiting, 0, WAYS);
	add(suite, "verdicts", verdicts, 0, WAYS);
	add(suite, "others", others, 0, WAYS);
	/* both threads of their own */
	add(suite, "threads", threads, 0, 2);
	add(suite, "stepping", stepping, 0, WAYS);
	add(suite, "pieces", pieces, 0, WAYS);
	add(suite, "datagrams", datagrams, 0, LISTENING_WAYS);
	add(suite, "faults", faults, 0, 2 * WAYS);
	add(suite, "datagram faults", datagram_faults, 0, 2 * LISTENING_WAYS);
	return rt_test_run(suite);
}
