/* SPDX-License-Identifier: MIT */
/*
 * The functions of retort.h, as far as they are about a server: they check
 * what callers hand over, take the lock, and leave the work to the rooms.
 *
 * What touches the loop (its channels, its listeners) is done by the loop: on
 * a thread of its own through a call that is queued and waited for, and at
 * once where the caller steps it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

#define DEFAULT_GRACE 100

/* --- what callers hand over --- */

/*
 * Copies a caller's struct, of `size` bytes, to ours, of `room`: what the
 * caller does not know is zero, and what we do not know must be.
 */
static int
copy_struct(void *ours, size_t room, const void *theirs, size_t size)
{
	const unsigned char *bytes = theirs;

	memset(ours, 0, room);
	if (theirs == NULL)
		return 0;
	for (size_t i = room; i < size; i++)
		if (bytes[i] != 0)
			return -E2BIG;
	memcpy(ours, theirs, size < room ? size : room);
	return 0;
}

static void
lock(struct retort *server)
{
	(void)pthread_mutex_lock(&server->lock);
}

static void
unlock(struct retort *server)
{
	(void)pthread_mutex_unlock(&server->lock);
}

/*
 * Whether the caller is within a callback, with the lock held: whoever gets
 * the lock while `running` is set holds it already. It cannot wait for itself.
 */
static bool
is_within(const struct retort *server)
{
	return server->running;
}

/* After a step or a call: who polls the server's descriptor hears in time. */
static void
ring(struct retort *server)
{
	if (!server->threaded && server->io != NULL)
		rt_io_ring(server->io, rt_server_deadline(server));
}

/* --- waiting, with the lock held --- */

static int64_t
deadline_of(int timeout)
{
	struct timespec now;

	if (timeout < 0)
		return RT_NEVER;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + timeout * RT_MS;
}

static bool
is_over(const struct retort *server)
{
	return server->stopping && server->open == 0;
}

/* One turn of the loop, and what must be done after it. 1: it is over. */
static int
step(struct retort *server, int64_t until)
{
	int error;

	if (is_over(server))
		return 1;
	if (server->stop_by < until)
		until = server->stop_by;
	error = rt_server_turn(server, until);
	if (error < 0)
		return error;
	server->running = true;
	/* a callback has said so */
	if (server->stop_wanted != RT_NEVER) {
		until = server->stop_wanted;
		server->stop_wanted = RT_NEVER;
		rt_server_stop(server, until);
	}
	if (rt_io_now(server->io) >= server->stop_by)
		rt_server_abandon(server);
	server->running = false;
	return is_over(server);
}

/*
 * Waits until something has changed. False: the time is up, or it is in vain;
 * look once more.
 */
static bool
wait_for_change(struct retort *server, int64_t deadline)
{
	struct timespec until;
	bool late;

	if (is_within(server))
		return false;
	if (!server->threaded) {
		late = deadline != RT_NEVER && deadline <= deadline_of(0);
		return step(server, deadline) == 0 && !late;
	}
	if (server->over)
		return false;
	if (deadline == RT_NEVER)
		return pthread_cond_wait(&server->changed, &server->lock) == 0;
	until.tv_sec = (time_t)(deadline / 1000000000);
	until.tv_nsec = (long)(deadline % 1000000000);
	return pthread_cond_timedwait(&server->changed, &server->lock,
		       &until) == 0;
}

static int
run_here(struct retort *server, int (*run)(struct retort *, void *), void *arg)
{
	int result;

	server->running = true;
	result = run(server, arg);
	server->running = false;
	return result;
}

/* Has the loop do something, and waits until it is done. */
static int
call(struct retort *server, int (*run)(struct retort *, void *), void *arg)
{
	struct rt_call it = {.run = run, .arg = arg};

	if (is_within(server))
		return -EDEADLK;
	if (!server->threaded || server->over)
		return run_here(server, run, arg);
	it.next = server->calls;
	server->calls = &it;
	retort_wake(server);
	while (!it.done && !server->over)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	if (it.done)
		return it.result;
	server->calls = NULL; /* each caller's own, and none is made any more */
	return run_here(server, run, arg);
}

/* --- life --- */

struct retort *
retort_open_sized(const struct retort_options *theirs, size_t size, char *error)
{
	struct retort_options options;
	char text[RETORT_ERROR_SIZE];
	struct retort *server = NULL;
	int code;

	if (error == NULL)
		error = text;
	error[0] = '\0';
	code = copy_struct(&options, sizeof options, theirs, size);
	if (code < 0) {
		(void)rt_server_failed(error, "options", code);
		goto out;
	}
	server = rt_server_new();
	if (server == NULL) {
		code = rt_server_failed(error, "server", -ENOMEM);
		goto out;
	}
	code = rt_server_open(server, &options, error);
out:
	if (code >= 0)
		return server;
	retort_close(server);
	errno = -code;
	return NULL;
}

static void *
run_thread(void *arg)
{
	struct retort *server = arg;

	lock(server);
	while (!atomic_load(&server->closing) && step(server, RT_NEVER) == 0)
		;
	/* here, as callbacks run on this thread */
	server->running = true;
	rt_server_close_listeners(server);
	rt_server_abandon(server);
	server->running = false;
	server->over = true;
	(void)pthread_cond_broadcast(&server->changed);
	unlock(server);
	return NULL;
}

/* The thread inherits a mask of all signals: they are the host's business. */
static int
start_thread(struct retort *server)
{
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	lock(server);
	server->threaded = true;
	error = pthread_create(&server->thread, NULL, run_thread, server);
	server->threaded = error == 0;
	unlock(server);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

struct retort *
retort_start_sized(const struct retort_options *theirs, size_t size,
	char *error)
{
	struct retort *server = retort_open_sized(theirs, size, error);
	int code;

	if (server == NULL)
		return NULL;
	code = start_thread(server);
	if (code == 0)
		return server;
	(void)rt_server_failed(error, "thread", code);
	retort_close(server);
	errno = -code;
	return NULL;
}

int
retort_step(struct retort *server, int timeout)
{
	int result;

	if (server->threaded)
		return -EDEADLK;
	lock(server);
	result = is_within(server) ? -EDEADLK :
				     step(server, deadline_of(timeout));
	ring(server);
	unlock(server);
	return result;
}

size_t
retort_pollfds(struct retort *server, struct pollfd *fds, size_t room,
	int *timeout)
{
	int64_t by;
	size_t count;

	*timeout = -1;
	if (server->threaded)
		return 0;
	lock(server);
	by = rt_server_deadline(server);
	if (by != RT_NEVER) {
		by -= rt_io_clock(server->io);
		*timeout = rt_io_ms(by > 0 ? by : 0);
	}
	count = rt_io_pollfds(server->io, fds, room);
	unlock(server);
	return count;
}

int
retort_fd(struct retort *server)
{
	int fd;

	if (server->threaded)
		return -EDEADLK;
	lock(server);
	fd = rt_io_pollfd(server->io);
	if (fd >= 0)
		rt_io_ring(server->io, rt_server_deadline(server));
	unlock(server);
	return fd;
}

void
retort_wake(struct retort *server)
{
	static const uint64_t one = 1; /* as eventfd(2) wants it */
	int error = errno;
	ssize_t n;

	/* when it is full, a wake is under way already; our own end is open,
	   so that there is no SIGPIPE */
	n = write(server->wake_fd, &one, sizeof one);
	(void)n;
	errno = error;
}

/* --- what the loop does for others --- */

static int
adopt(struct retort *server, void *fd)
{
	rt_server_adopt(server, *(int *)fd);
	return 0;
}

/* 0, or why it cannot be served. */
static int
prepare_connected(int fd)
{
	int type = 0, flags;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

int
retort_adopt(struct retort *server, int fd)
{
	int result = prepare_connected(fd);

	if (result < 0)
		return result;
	lock(server);
	if (server->config.protocol == RETORT_UDP)
		result = -EPROTOTYPE;
	else
		result = server->stopping ? -ESHUTDOWN :
					    call(server, adopt, &fd);
	ring(server);
	unlock(server);
	return result;
}

static int
refuse(struct retort *server, void *yes)
{
	server->refuse_until = RT_NEVER;
	return rt_server_refuse(server, *(bool *)yes);
}

int
retort_refuse(struct retort *server, bool yes)
{
	int result;

	lock(server);
	result = call(server, refuse, &yes);
	unlock(server);
	return result;
}

static int
stop(struct retort *server, void *by)
{
	rt_server_stop(server, *(int64_t *)by);
	return 0;
}

void
retort_stop(struct retort *server, int grace)
{
	int64_t by = deadline_of(grace > 0 ? grace : 0);

	lock(server);
	if (is_within(server) && by < server->stop_wanted)
		server->stop_wanted = by;
	else
		(void)call(server, stop, &by);
	ring(server);
	unlock(server);
}

const char *
retort_finish(struct retort *server, int grace)
{
	const char *left = NULL;

	retort_stop(server, grace < 0 ? DEFAULT_GRACE : grace);
	lock(server);
	while (!is_over(server) && wait_for_change(server, RT_NEVER))
		;
	if (server->left.len > 0) {
		size_t size = server->left.len;

		rt_buf_add(&server->left, "", 1);
		left = server->left.failed ? "more than can be told" :
					     server->left.data;
		server->left.len = size; /* more may be added to it */
	}
	unlock(server);
	return left;
}

void
retort_close(struct retort *server)
{
	if (server == NULL)
		return;
	if (server->threaded) {
		/* retort_stop() would wait for the lock and for an answer */
		atomic_store(&server->closing, true);
		retort_wake(server);
		(void)pthread_join(server->thread, NULL);
		server->threaded = false;
	}
	rt_server_free(server);
}

/* --- getters --- */

const char *
retort_url(const struct retort *server, size_t i)
{
	return i < server->listener_count ? server->listeners[i].sock.url :
					    NULL;
}

int
retort_port(const struct retort *server, size_t i)
{
	return i < server->listener_count ? server->listeners[i].sock.port : -1;
}

int
retort_listener(struct retort *server, size_t i)
{
	int fd = -1;

	lock(server);
	if (i < server->listener_count)
		fd = server->listeners[i].sock.fd;
	unlock(server);
	return fd;
}

bool
retort_local(const struct retort *server, size_t i)
{
	return i < server->listener_count && server->listeners[i].sock.loopback;
}

uint64_t
retort_replies(struct retort *server)
{
	uint64_t answered;

	lock(server);
	answered = server->answered;
	unlock(server);
	return answered;
}

size_t
retort_connections(struct retort *server)
{
	size_t open;

	lock(server);
	open = server->open;
	unlock(server);
	return open;
}

uint64_t
retort_accepted(struct retort *server)
{
	uint64_t number;

	lock(server);
	number = server->number;
	unlock(server);
	return number;
}

const char *
retort_version(void)
{
	return PACKAGE_VERSION;
}

/* --- what is answered --- */

/* Something malformed, about `request` (or NULL), is told by the verdict. */
static int
blame(struct retort *server, const char *what, const char *request, int code,
	const char *error)
{
	char text[RETORT_ERROR_SIZE + 128];

	if (code >= 0)
		return code;
	if (*error == '\0')
		error = strerror(-code);
	(void)snprintf(text, sizeof text, "%s%s%.100s%s", error,
		request ? " (" : "", request ? request : "",
		request ? ")" : "");
	rt_verdict_blame(&server->verdict, what, text);
	return code;
}

int
retort_on_sized(struct retort *server, const struct retort_reply *theirs,
	size_t size)
{
	struct retort_reply rule;
	char error[RETORT_ERROR_SIZE] = "";
	int code = copy_struct(&rule, sizeof rule, theirs, size);

	lock(server);
	if (code == 0 && rule.accepted && server->defer_accept) {
		(void)snprintf(error, sizeof error,
			"accepted: not with defer_accept");
		code = -EINVAL;
	}
	if (code == 0)
		code = rt_route_add(&server->route, &rule, error);
	code = blame(server, "rule", rule.when.request, code, error);
	unlock(server);
	return code;
}

/* Members of a rule's alone. */
static int
check_no_rule(const struct retort_reply *reply, char *error)
{
	static const struct retort_when nothing;

	if (memcmp(&reply->when, &nothing, sizeof nothing) == 0 &&
		reply->times == 0 && reply->handler == NULL &&
		!reply->accepted && !reply->files)
		return 0;
	if (error != NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE,
			"reply: when, times, handler, accepted and files are for rules");
	return -EINVAL;
}

int
retort_check_sized(const struct retort_reply *theirs, size_t size, char *error)
{
	struct retort_reply reply;
	int code = copy_struct(&reply, sizeof reply, theirs, size);

	if (code < 0)
		return rt_server_failed(error, "reply", code);
	code = check_no_rule(&reply, error);
	return code < 0 ? code : rt_canned_check(&reply, RETORT_HTTP, error);
}

int
retort_answer_sized(struct retort *server, const struct retort_reply *theirs,
	size_t size, char *error)
{
	struct retort_reply reply;
	int code = copy_struct(&reply, sizeof reply, theirs, size);

	if (code < 0)
		return rt_server_failed(error, "reply", code);
	code = check_no_rule(&reply, error);
	if (code < 0)
		return code;
	lock(server);
	code = rt_route_set_reply(&server->route, &reply, error);
	unlock(server);
	return code;
}

int
retort_serve_sized(struct retort *server, const char *root,
	const struct retort_files *theirs, size_t size, char *error)
{
	struct retort_files files;
	int code = copy_struct(&files, sizeof files, theirs, size);

	if (code < 0)
		return rt_server_failed(error, root, code);
	lock(server);
	code = rt_route_set_files(&server->route, root, &files, error);
	unlock(server);
	return code;
}

int
retort_reply_later_sized(struct retort *server, uint64_t connection,
	const struct retort_reply *theirs, size_t size)
{
	struct retort_reply reply;
	char error[RETORT_ERROR_SIZE] = "";
	int code = copy_struct(&reply, sizeof reply, theirs, size);

	if (code == 0)
		code = check_no_rule(&reply, error);
	lock(server);
	if (code == 0)
		code = rt_server_reply(server, connection, &reply, error);
	if (code != -ENOENT)
		code = blame(server, "reply", NULL, code, error);
	unlock(server);
	return code;
}

/* --- what came --- */

const struct retort_exchange *
retort_record(struct retort *server, size_t n)
{
	const struct retort_exchange *seen = NULL;

	lock(server);
	if (n > 0 && n <= server->journal.count)
		seen = &server->journal.records[n - 1]->seen;
	unlock(server);
	return seen;
}

/* The n-th record that fits, from 1; NULL. *count of those that do. */
static const struct retort_exchange *
find_record(struct retort *server, const struct rt_match *match, size_t n,
	size_t *count)
{
	const struct rt_journal *journal = &server->journal;
	const struct retort_exchange *seen = NULL;
	bool within = server->running;

	*count = 0;
	server->running = true; /* predicates are callbacks */
	for (size_t i = 0; i < journal->count && seen == NULL; i++)
		if (rt_match_fits(match, &journal->records[i]->seen) &&
			++*count == n)
			seen = &journal->records[i]->seen;
	server->running = within;
	return seen;
}

/* NULL: it is malformed, and was blamed. */
static struct rt_match *
read_when(struct retort *server, const struct retort_when *theirs, size_t size)
{
	struct retort_when when;
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_match *match = NULL;
	int code = copy_struct(&when, sizeof when, theirs, size);

	if (code == 0) {
		match = rt_match_new(&when, server->config.protocol, error);
		code = match ? 0 : -errno;
	}
	(void)blame(server, "request", NULL, code, error);
	return match;
}

size_t
retort_count_sized(struct retort *server, const struct retort_when *when,
	size_t size)
{
	struct rt_match *match;
	size_t count = 0;

	lock(server);
	match = read_when(server, when, size);
	if (match != NULL)
		(void)find_record(server, match, 0, &count);
	rt_match_free(match);
	unlock(server);
	return count;
}

const struct retort_exchange *
retort_wait_sized(struct retort *server, size_t n, int timeout,
	const struct retort_when *when, size_t size)
{
	const struct retort_exchange *seen = NULL;
	int64_t deadline = deadline_of(timeout);
	struct rt_match *match;
	bool more;
	size_t count;

	lock(server);
	match = read_when(server, when, size);
	more = match != NULL && n > 0;
	while (match != NULL &&
		(seen = find_record(server, match, n, &count)) == NULL && more)
		more = wait_for_change(server, deadline);
	rt_match_free(match);
	ring(server);
	unlock(server);
	return seen;
}

bool
retort_wait_end(struct retort *server, const struct retort_exchange *exchange,
	int timeout)
{
	int64_t deadline = deadline_of(timeout);
	bool ended, more = true;

	lock(server);
	while (exchange->end == RETORT_OPEN && more)
		more = wait_for_change(server, deadline);
	ended = exchange->end != RETORT_OPEN;
	ring(server);
	unlock(server);
	return ended;
}

bool
retort_wait_quiet(struct retort *server, int timeout)
{
	int64_t deadline = deadline_of(timeout);
	bool quiet, more = true;

	lock(server);
	while (server->open > 0 && more)
		more = wait_for_change(server, deadline);
	quiet = server->open == 0;
	ring(server);
	unlock(server);
	return quiet;
}

char *
retort_transcript(struct retort *server, uint64_t connection)
{
	const struct rt_record *record;
	struct rt_buf text;

	rt_buf_init(&text, SIZE_MAX / 2);
	lock(server);
	record = rt_journal_find(&server->journal, connection);
	if (record != NULL) {
		rt_record_transcribe(record, &text);
		rt_buf_add(&text, "", 1);
	}
	unlock(server);
	if (text.failed)
		rt_buf_free(&text);
	return text.data;
}

/* --- whether it was right --- */

int
retort_expect_sized(struct retort *server, size_t least, size_t most,
	const struct retort_when *theirs, size_t size)
{
	struct retort_when when;
	char error[RETORT_ERROR_SIZE] = "";
	int code = copy_struct(&when, sizeof when, theirs, size);

	lock(server);
	if (code == 0)
		code = rt_verdict_expect(&server->verdict, least, most, &when,
			server->config.protocol, error);
	code = blame(server, "expectation", when.request, code, error);
	unlock(server);
	return code;
}

int
retort_expect_order(struct retort *server, const char *const *requests)
{
	char error[RETORT_ERROR_SIZE] = "";
	int code;

	lock(server);
	code = rt_verdict_expect_order(&server->verdict, requests,
		server->config.protocol, error);
	code = blame(server, "expectation", NULL, code, error);
	unlock(server);
	return code;
}

const char *
retort_verdict(struct retort *server)
{
	const char *text;
	bool within;

	lock(server);
	within = server->running;
	server->running = true; /* predicates are callbacks */
	text = rt_verdict_text(&server->verdict, &server->journal);
	server->running = within;
	unlock(server);
	return text;
}

void
retort_forget(struct retort *server)
{
	lock(server);
	if (!is_within(server))
		rt_journal_clear(&server->journal);
	unlock(server);
}

void
retort_reset(struct retort *server)
{
	lock(server);
	if (!is_within(server)) {
		rt_route_clear(&server->route);
		rt_verdict_clear(&server->verdict);
		rt_journal_clear(&server->journal);
	}
	unlock(server);
}
