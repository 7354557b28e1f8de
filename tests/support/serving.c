/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "canned/condition.h"

/* --- memory --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_free(void *old);

_Atomic(long long) live;
_Atomic(size_t) allocations;
_Atomic(size_t) fail_at;
_Atomic(bool) fail_ever_after;
_Thread_local int inside;
_Thread_local bool is_test;
static bool only_inside;

static bool
fails(void)
{
	size_t n;

	if ((is_test || only_inside) && inside == 0)
		return false;
	n = ++allocations;
	return fail_at != 0 &&
		(n == fail_at || (fail_ever_after && n > fail_at));
}

static void
tally(void *allocated, int sign)
{
	if (inside > 0 || !only_inside)
		live += sign * (long long)malloc_usable_size(allocated);
}

static void *
counted(void *new)
{
	tally(new, 1);
	return new;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(count, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
	long long before = (long long)malloc_usable_size(old);
	void *new = fails() ? NULL : __real_realloc(old, size);

	if (new != NULL && (inside > 0 || !only_inside))
		live -= before;
	return counted(new);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : counted(__real_strdup(text));
}

char *
__wrap_strndup(const char *text, size_t size)
{
	return fails() ? NULL : counted(__real_strndup(text, size));
}

void
__wrap_free(void *old)
{
	tally(old, -1);
	__real_free(old);
}

void
watch_inside(void)
{
	only_inside = true;
	live = 0;
}

/* --- ways of running a server --- */

/* A server of poll(2) has no one descriptor. */
#define RT_TEST_POLLFD (RT_TEST_IO == RETORT_IO_POLL ? POLLFDS : POLLFD)

/* clang-format off */
const struct way ways[] = {
	{"thread, " RT_TEST_IO_NAME, OWN_THREAD, RT_TEST_IO, false},
	{"thread, poll", OWN_THREAD, RETORT_IO_POLL, false},
	{"steps, " RT_TEST_IO_NAME, STEPS, RT_TEST_IO, false},
	{"steps, poll", STEPS, RETORT_IO_POLL, false},
	{"retort_pollfds(), " RT_TEST_IO_NAME, POLLFDS, RT_TEST_IO, false},
	{"retort_pollfds(), poll", POLLFDS, RETORT_IO_POLL, false},
	{"retort_fd()", RT_TEST_POLLFD, RT_TEST_IO, false},
	{"thread, adopted", OWN_THREAD, RETORT_IO_BEST, true},
	{"steps, adopted", STEPS, RETORT_IO_BEST, true},
	{"each step, " RT_TEST_IO_NAME, EACH_STEP, RT_TEST_IO, false},
	{"each step, poll", EACH_STEP, RETORT_IO_POLL, false},
};
/* clang-format on */

const struct way *way = ways;
struct retort *server;
char error[RETORT_ERROR_SIZE];

struct retort *
start_with(struct retort_options options, bool stepped)
{
	if (options.error == NULL)
		options.error = error;
	options.stepped = stepped;
	return retort_start_sized(&options, sizeof options);
}

struct retort *
try_open_with(struct retort_options options, int i)
{
	way = ways + i;
	options.io = way->io;
	if (way->adopted)
		options.bind = "";
	inside++;
	server = start_with(options, way->drive != OWN_THREAD);
	inside--;
	return server;
}

void
open_with(struct retort_options options, int i)
{
	ck_assert_msg(try_open_with(options, i) != NULL, "%s: %s", way->name,
		error);
}

void
open_plain(int i)
{
	open_with((struct retort_options){.port = 0}, i);
}

void
close_server(void)
{
	inside++;
	retort_close(server);
	inside--;
	server = NULL;
	ck_assert_msg(!only_inside || live == 0, "%lld bytes were not freed",
		(long long)live);
}

const char *
finish(int grace)
{
	retort_stop(server, grace);
	(void)retort_wait_end(server, NULL, -1);
	return retort_stats(server).cut_off;
}

int
step(int timeout)
{
	int code;

	inside++;
	code = retort_step(server, timeout);
	inside--;
	ck_assert_msg(code >= 0, "retort_step: %s", strerror(-code));
	return code;
}

/* Polls the client together with the server's descriptors, then steps it. */
static void
poll_both(struct pollfd *client, int most)
{
	struct pollfd polled[64];
	size_t count = 1;
	int timeout = -1;

	inside++;
	if (way->drive == POLLFDS)
		count = retort_pollfds(server, polled + 1, COUNT(polled) - 1,
			&timeout);
	else
		polled[1] = (struct pollfd){.fd = retort_fd(server),
			.events = POLLIN};
	inside--;
	ck_assert_int_ge(polled[1].fd, 0);
	ck_assert_uint_lt(count, COUNT(polled));
	if (timeout < 0 || timeout > most)
		timeout = most;
	polled[0] = *client;
	ck_assert_int_ge(poll(polled, (nfds_t)count + 1, timeout), 0);
	client->revents = polled[0].revents;
	(void)step(0);
}

void
turn(int fd, short wanted, int most)
{
	struct pollfd client = {.fd = fd, .events = wanted};

	switch (way->drive) {
	case OWN_THREAD:
		(void)poll(&client, 1, most);
		break;
	case STEPS:
		if (poll(&client, 1, 0) == 0)
			(void)step(most);
		break;
	case EACH_STEP:
		(void)step(most);
		break;
	case POLLFDS:
	case POLLFD:
		poll_both(&client, most);
		break;
	}
}

/* --- clients --- */

int
connect_saying(const char *text)
{
	int pair[2], code;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	say(pair[1], text);
	code = retort_adopt(server, pair[0]);
	ck_assert_msg(code == 0, "retort_adopt: %s", strerror(-code));
	return pair[1];
}

int
connect_client(void)
{
	return way->adopted ? connect_saying("") :
			      client_connect(retort_url(server));
}

int
connect_plain(int type)
{
	int fd;

	if (way->adopted)
		return connect_client();
	fd = client_try(retort_url(server), type);
	ck_assert_msg(fd >= 0, "%s: connect: %s", way->name, strerror(-fd));
	return fd;
}

struct talk
talk_begin(int fd, const void *bytes, size_t size, struct bytes *got)
{
	bytes_add(got, "", 0);
	return (struct talk){.fd = fd,
		.bytes = bytes,
		.size = size,
		.got = got,
		.until = now_ms() + PATIENCE};
}

bool
talk_on(struct talk *talk)
{
	static char data[16 << 10];
	ssize_t out = -1, in;

	if (talk->size > 0)
		out = send(talk->fd, talk->bytes, talk->size,
			MSG_NOSIGNAL | MSG_DONTWAIT);
	if (out > 0) {
		talk->bytes += out;
		talk->size -= (size_t)out;
	}
	in = recv(talk->fd, data, sizeof data, MSG_DONTWAIT);
	if (in == 0 || (in < 0 && errno != EAGAIN)) {
		talk->end = in == 0 ? 0 : errno;
		return false;
	}
	if (in > 0)
		bytes_add(talk->got, data, (size_t)in);
	ck_assert_msg(now_ms() < talk->until, "%s: no end came after: %s",
		way->name, shown(talk->got->data, talk->got->size));
	if (way->drive == EACH_STEP)
		(void)step(in > 0 || out > 0 ? 0 : 10);
	else if (in < 0)
		turn(talk->fd, (short)(POLLIN | (talk->size > 0 ? POLLOUT : 0)),
			100);
	return true;
}

int
talk(int fd, const void *bytes, size_t size, struct bytes *got,
	const char *text)
{
	struct talk talk = talk_begin(fd, bytes, size, got);

	while ((text == NULL || strstr(got->data, text) == NULL) &&
		talk_on(&talk))
		;
	return talk.end;
}

struct bytes
exchange_bytes(const void *request, size_t size)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();
	int code = talk(fd, request, size, &got, NULL);

	ck_assert_msg(code == 0, "%s: %s after: %s", way->name, strerror(code),
		shown(got.data, got.size));
	(void)close(fd);
	return got;
}

struct bytes
exchange(const char *request)
{
	return exchange_bytes(request, strlen(request));
}

void
expect_begin(const char *request, const char *begin)
{
	struct bytes got = exchange(request);

	assert_begins(got, begin);
	bytes_free(&got);
}

void
say(int fd, const char *text)
{
	ck_assert(client_send_text(fd, text));
}

/* --- records --- */

const struct retort_exchange *
ended(size_t n)
{
	const struct retort_exchange *seen =
		retort_wait(server, .times = n, .timeout = PATIENCE);

	ck_assert_msg(seen != NULL, "%s: no record %zu", way->name, n);
	ck_assert_msg(retort_wait_end(server, seen, PATIENCE),
		"%s: record %zu does not end", way->name, n);
	return seen;
}

void
assert_verdict(const char *text)
{
	const char *verdict = retort_verdict(server);

	if (text == NULL)
		ck_assert_msg(*verdict == '\0', "%s: unexpected: %s", way->name,
			verdict);
	else
		ck_assert_msg(strstr(verdict, text) != NULL,
			"%s: expected \"%s\" in: %s", way->name, text, verdict);
}

/* --- what tables have --- */

int
set_answer(const struct retort_reply *reply)
{
	struct retort_reply answer = *reply;

	answer.server = server;
	if (answer.error == NULL)
		answer.error = error;
	return retort_answer_sized(&answer, sizeof answer);
}

int
set_files(const char *root, const struct retort_files *files)
{
	struct retort_files served = {.root = NULL};

	if (files != NULL)
		served = *files;
	served.server = server;
	served.root = root;
	if (served.error == NULL)
		served.error = error;
	return retort_serve_sized(&served, sizeof served);
}

int
reply_on(uint64_t connection, const struct retort_reply *reply)
{
	struct retort_reply later = *reply;

	later.server = server;
	later.connection = connection;
	if (later.error == NULL)
		later.error = error;
	return retort_reply_later_sized(&later, sizeof later);
}

int
add_rule(struct retort_reply rule)
{
	rule.server = server;
	return retort_on_sized(&rule, sizeof rule);
}

struct retort_reply
rule_for(const struct retort_requests *requests)
{
	struct retort_reply rule = {.server = NULL};

	for (size_t i = 0; i < RT_CONDITIONS; i++)
		memcpy(rt_condition_of(&rule, i),
			(const char *)requests + rt_conditions[i].in_requests,
			rt_conditions[i].size);
	return rule;
}

size_t
count_fits(struct retort_requests requests)
{
	requests.server = server;
	return retort_count_sized(&requests, sizeof requests);
}

const struct retort_exchange *
wait_fits(struct retort_requests requests)
{
	requests.server = server;
	requests.timeout = 1;
	return retort_wait_sized(&requests, sizeof requests);
}
