/* SPDX-License-Identifier: MIT */
/* The library: how a server begins, runs and ends. */
#include "config.h"

#include "wire/embedding.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- life --- */

START_TEST(listens_when_it_returns)
{
	char url[64];

	open_plain(_i);
	ON(NULL, .body = "hello");
	expect_body(GET, "hello");
	if (way->adopted) {
		ck_assert_ptr_null(retort_url(server));
		ck_assert_int_eq(retort_listener(server).port, -1);
		ck_assert_int_eq(retort_listener(server, 0).fd, -1);
		ck_assert(!retort_listener(server, 0).local);
	} else {
		int one = 0;
		socklen_t size = sizeof one;

		(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/",
			retort_listener(server).port);
		ck_assert_str_eq(retort_url(server), url);
		ck_assert_ptr_null(retort_listener(server, 1).url);
		ck_assert(retort_listener(server, 0).local);
		ck_assert_int_eq(getsockopt(retort_listener(server, 0).fd,
					 SOL_SOCKET, SO_ACCEPTCONN, &one,
					 &size),
			0);
		ck_assert_int_eq(one, 1);
	}
	ck_assert_uint_eq(retort_stats(server).replies, 1);
	ck_assert_uint_eq(retort_stats(server).accepted, 1);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_uint_eq(retort_stats(server).connections, 0);
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
		ck_assert_uint_eq(retort_count(server), 1);
	}
	for (int i = 0; i < SERVERS; i++)
		retort_close(all[i]);
}
END_TEST

START_TEST(says_why_it_does_not_start)
{
	char spec[64], text[128];

	open_plain(0);
	(void)snprintf(spec, sizeof spec, "127.0.0.1:%d",
		retort_listener(server).port);
	(void)snprintf(text, sizeof text, "bind %s: Address already in use",
		spec);
	for (int i = 0; i < 2; i++) {
		struct retort_options options = {.bind = spec};

		errno = 0;
		ck_assert_ptr_null(start_with(options, i));
		ck_assert_int_eq(errno, EADDRINUSE);
		ck_assert_str_eq(error, text);
		options.bind = "example.org";
		ck_assert_ptr_null(start_with(options, i));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_ptr_nonnull(strstr(error, "example.org"));
		ck_assert_ptr_null(strchr(error, '\n'));
		options = (struct retort_options){.max_head = SIZE_MAX};
		ck_assert_ptr_null(start_with(options, i));
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
	TURN_UNTIL(retort_stats(server).connections == 1);
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

/* How many are left: one that was joined is listed for a moment longer. */
static int
threads_left(int expected)
{
	int64_t until = now_ms() + PATIENCE;
	int count;

	while ((count = count_threads(NULL)) > expected && now_ms() < until)
		(void)sched_yield();
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
	ck_assert_ptr_nonnull(
		retort_wait(server, "GET /", .timeout = PATIENCE));
	bytes_free(&got);
	client_reset(fd);
	close_server();
}

START_TEST(lives_and_dies_without_growth)
{
	int cycles = is_slow() || is_sanitized() ? 50 : _i == 0 ? 10000 : 1000;
	int descriptors = 0, threads = 0;
	long long bytes = 0;
	size_t heap = 0;

	for (int i = 0; i < cycles; i++) {
		/* once to get warm */
		if (i == cycles / 10) {
			descriptors = open_descriptors();
			threads = count_threads(NULL);
			heap = mallinfo2().uordblks;
			bytes = live;
		}
		one_cycle(_i);
	}
	ck_assert_int_eq(open_descriptors(), descriptors);
	ck_assert_int_le(threads_left(threads), threads);
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
				retort_wait(server, .timeout = PATIENCE));
		begun = now_ms();
		left = finish(30);
		ck_assert_msg(left != NULL &&
				strncmp(left, "connection 1, ", 14) == 0 &&
				strstr(left, stuck[i].left) != NULL,
			"%s: expected %s, got: %s", way->name, stuck[i].left,
			left ? left : "(NULL)");
		/* what may still move has the time it was given */
		if (i == 4)
			ck_assert_int_ge(now_ms() - begun, 29);
		ck_assert_uint_eq(retort_stats(server).connections, 0);
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
	ck_assert_ptr_null(finish(0));
	ck_assert_ptr_null(finish(0));
	ck_assert_ptr_null(retort_wait(server, .timeout = -1));
	close_server();
	open_plain(_i);
	ON("/", .body = "hello", .pause_head = 1);
	expect_body(GET, "hello");
	/* one that was answered is left to nobody */
	fd = connect_client();
	say(fd, GET);
	ck_assert_ptr_nonnull(
		retort_wait(server, "/", .times = 2, .timeout = PATIENCE));
	{
		struct bytes got = {.data = NULL};

		ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
		bytes_free(&got);
	}
	ck_assert_ptr_null(finish(PATIENCE));
	ck_assert_int_eq(retort_wait(server, "/", .times = 2, .timeout = 1)
				 ->end,
		RETORT_ANSWERED);
	(void)close(fd);
	close_server();
}
END_TEST

/* Whether it was answered within the grace. */
static bool
answers_while_it_stops(int grace, int i)
{
	uint64_t connection = 0;
	int64_t began;
	int code, fd;
	bool in_time;

	open_plain(i);
	ON("/later", .handler = later, .handler_arg = &connection);
	fd = connect_client();
	say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, .timeout = PATIENCE));
	began = now_ms();
	retort_stop(server, grace);
	code = retort_reply_later(server, connection, .body = "x",
		.faults = "end fin; await");
	(void)retort_wait_end(server, NULL, -1);
	in_time = code == 0 && retort_stats(server).cut_off == NULL;
	if (in_time)
		ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	else
		ck_assert_int_ge(now_ms() - began, grace);
	(void)close(fd);
	close_server();
	return in_time;
}

/* What waits for its client's next word has its answer. */
START_TEST(finishes_with_an_answer_that_awaits)
{
	for (int grace = 100; !answers_while_it_stops(grace, _i); grace *= 2)
		;
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

	in.sin_port = htons((uint16_t)retort_listener(of).port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in;
}

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
	(void)snprintf(url, sizeof url, "%s", retort_url(server));
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
	ck_assert_str_eq(retort_url(server), url);
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
		TURN_UNTIL(retort_stats(server).connections == 1);
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
	char bind[300];
	const struct retort_options options = {.bind = bind, .refusing = true};

	way = ways;
	(void)snprintf(bind, sizeof bind, "127.0.0.1\nunix:%s/s", folder);
	server = start_with((struct retort_options){.bind = bind}, false);
	ck_assert_msg(server != NULL, "%s", error);
	ON(NULL, .body = "ok");
	ck_assert_int_eq(retort_refuse(server, true), -ENOTSUP);
	expect_body(GET, "ok");
	close_server();
	ck_assert_ptr_null(start_with(options, false));
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
	within.waited =
		retort_wait(server, .times = 99, .timeout = 1000000) != NULL;
	within.ended = retort_wait_end(server, exchange, 1000000);
	within.quiet = retort_wait_end(server, NULL, 1000000);
	within.count = retort_count(server);
	within.replies = (size_t)retort_stats(server).replies;
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
	ON("/predicate", .if_predicate = look_at_request,
		.if_predicate_arg = &always, .body = "ok");
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
	ck_assert_uint_eq(retort_count(server, .if_predicate = look_at_request,
				  .if_predicate_arg = &always),
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
	ck_assert_ptr_null(retort_wait(server, .times = 2, .timeout = -1));
	ck_assert_ptr_null(finish(PATIENCE));
	close_server();
}
END_TEST

static bool
stop_all(void *arg, const struct retort_exchange *exchange)
{
	(void)arg;
	(void)exchange;
	retort_stop(server, 0);
	return true;
}

/* So does the predicate of a count, on a thread that is not the loop's. */
START_TEST(stops_from_within_a_count)
{
	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(GET, "ok");
	(void)ended(1);
	ck_assert_uint_eq(retort_count(server, .if_predicate = stop_all), 1);
	/* returns NULL as soon as the server has stopped */
	ck_assert_ptr_null(
		retort_wait(server, .times = 2, .timeout = PATIENCE));
	ck_assert_int_eq(retort_listener(server, 0).fd, -1);
	close_server();
}
END_TEST

static bool
add_expectations(void *arg, const struct retort_exchange *exchange)
{
	(void)exchange;
	for (int *left = arg; *left > 0; --*left)
		ck_assert_int_gt(retort_expect(server, "GET /new", .least = 0,
					 .most = 9),
			0);
	return true;
}

/* Expectations may be added while the verdict looks through them. */
START_TEST(adds_expectations_from_within)
{
	static int count = 1000;

	open_plain(_i);
	ON(NULL, .body = "ok");
	expect_body(GET, "ok");
	(void)ended(1);
	ck_assert_int_gt(retort_expect(server, .times = 1,
				 .if_predicate = add_expectations,
				 .if_predicate_arg = &count),
		0);
	assert_verdict(NULL);
	ck_assert_int_eq(count, 0);
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
	ON(NULL, .if_predicate = add_rules, .if_predicate_arg = &count,
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
	struct retort_requests known;
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
		options.known.stepped = i;
		other = retort_start_sized(&options.known, sizeof options);
		ck_assert((other == NULL) == (expected < 0));
		if (other == NULL)
			ck_assert_int_eq(errno, -expected);
		retort_close(other);
	}
	reply.known.server = when.known.server = files.known.server = server;
	files.known.root = ".";
	ck_assert_int_eq(retort_answer_sized(&reply.known, sizeof reply),
		expected);
	ck_assert_int_eq(retort_serve_sized(&files.known, sizeof files),
		expected);
	ck_assert_int_eq(retort_reply_later_sized(&reply.known, sizeof reply),
		expected < 0 ? expected : -ENOENT);
	when.known.timeout = 1;
	ck_assert_int_eq(retort_on_sized(&reply.known, sizeof reply),
		expected < 0 ? expected : 1);
	ck_assert_int_eq(retort_expect_sized(&when.known, sizeof when),
		expected < 0 ? expected : 1);
	ck_assert_uint_eq(retort_count_sized(&when.known, sizeof when),
		expected < 0 ? SIZE_MAX : 1);
	ck_assert((retort_wait_sized(&when.known, sizeof when) == NULL) ==
		(expected < 0));
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

/* The bytes after the end of an older struct may be anything. */
#define OLDER(thing, member) \
	memset((char *)&(thing) + offsetof(__typeof__(thing), member), 0xff, \
		sizeof(thing) - offsetof(__typeof__(thing), member))

START_TEST(takes_older_structs)
{
	struct retort_options options = {.bind = ""};
	struct retort_reply reply = {.status = 201};
	struct retort_requests when = {.request = "GET /", .times = 1};
	struct retort_files files = {.root = ".", .dotfiles = true};
	struct retort *other;

	OLDER(options, defer_accept);
	OLDER(reply, reason);
	OLDER(when, if_field);
	OLDER(files, fields);
	open_plain(_i);
	other = retort_start_sized(&options,
		offsetof(struct retort_options, defer_accept));
	ck_assert_ptr_nonnull(other);
	retort_close(other);
	reply.server = when.server = files.server = server;
	ck_assert_int_eq(retort_on_sized(&reply,
				 offsetof(struct retort_reply, reason)),
		1);
	ck_assert_int_eq(retort_answer_sized(&reply,
				 offsetof(struct retort_reply, reason)),
		0);
	ck_assert_int_eq(retort_serve_sized(&files,
				 offsetof(struct retort_files, fields)),
		0);
	ck_assert_int_eq(retort_reply_later_sized(&reply,
				 offsetof(struct retort_reply, reason)),
		-ENOENT);
	expect_begin(GET, "HTTP/1.1 201 ");
	ck_assert_int_eq(retort_expect_sized(&when,
				 offsetof(struct retort_requests, if_field)),
		1);
	ck_assert_uint_eq(retort_count_sized(&when,
				  offsetof(struct retort_requests, if_field)),
		1);
	ck_assert_ptr_nonnull(retort_wait_sized(&when,
		offsetof(struct retort_requests, if_field)));
	ck_assert_uint_eq(retort_count(server), 1);
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
		int fd = client_connect(retort_url(server));
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
			retort_wait(server, "GET /", .times = n, .timeout = 10);

		if (seen != NULL) {
			wrong += strcmp(seen->method, "GET") != 0 ||
				!seen->complete || seen->raw_size < 20;
			free(retort_transcript(server, seen->connection));
		}
		if (!arg && seen != NULL && retort_wait_end(server, seen, 0))
			(void)retort_log_line(seen, RETORT_LOG_JSON, line,
				sizeof line);
		wrong += retort_count(server) > retort_stats(server).accepted;
		(void)retort_stats(server).connections;
		(void)retort_stats(server).replies;
		if (!arg)
			(void)retort_wait_end(server, NULL, 0);
		(void)retort_verdict(server);
		retort_wake(server);
		wrong += i < 50 && retort_on(server, "/unused") < 0;
		wrong += i < 50 &&
			retort_expect(server, "/", .most = 9999999) < 0;
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
		code = reply_on(connection, &reply);
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

/* Calls that do not wait may be made while another thread steps the server. */
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

int
main(void)
{
	Suite *suite = suite_create("life");
	const TTest *const once[] = {says_why_it_does_not_start,
		cannot_refuse_on_others, NULL};
	const TTest *const life[] = {listens_when_it_returns, sixteen_at_once,
		descriptors_are_close_on_exec, signals_are_the_callers,
		lives_and_dies_without_growth, ends_while_it_is_told_to,
		finishes_and_says_what_was_left, finishes_with_nothing_left,
		finishes_with_an_answer_that_awaits, NULL};
	const TTest *const others[] = {refuses_and_resumes,
		refuses_beside_what_is_open, nothing_waits_for_itself,
		a_predicate_of_a_wait_does_not_wait, stops_from_within,
		stops_from_within_a_count, adds_expectations_from_within,
		adds_rules_from_within, adopts_sockets_alone,
		takes_newer_structs, takes_older_structs, NULL};
	const TTest *const threads[] = {many_threads, NULL};
	const TTest *const stepping[] = {asked_while_it_is_stepped, NULL};

	rt_test_cases(suite, "once", once, 0, 1);
	rt_test_cases(suite, "life", life, 0, WAYS);
	rt_test_cases(suite, "others", others, 0, WAYS);
	/* both threads of their own */
	rt_test_cases(suite, "threads", threads, 0, 2);
	rt_test_cases(suite, "stepping", stepping, 0, WAYS);
	return rt_test_run(suite);
}
