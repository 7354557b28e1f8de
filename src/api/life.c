/* SPDX-License-Identifier: MIT */
/*
 * The functions of retort.h that open a server, run it, and end it. All of
 * retort_*.c check what callers hand over, take the lock, and leave the work to
 * the rooms.
 *
 * What touches the loop (its channels, its listeners) is done by the loop: on
 * a thread of its own through a call that is queued and waited for, and at
 * once where the caller steps it.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "base/error.h"

#define DEFAULT_GRACE 100

int
rt_api_copy(void *ours, size_t room, const void *theirs, size_t size)
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

int
rt_api_blame(struct retort *server, const char *what, const char *request,
	int code, const char *error)
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
rt_api_fail_elsewhere(char *error)
{
	return rt_fail(error, -EPERM, ELSEWHERE);
}

void
rt_api_ring(struct retort *server)
{
	if (!server->threaded && server->io != NULL)
		rt_io_ring(server->io, rt_server_deadline(server));
}

/* --- waiting, with the lock held --- */

int64_t
rt_api_deadline(int timeout)
{
	return timeout < 0 ? RT_NEVER : rt_clock() + timeout * RT_MS;
}

static bool
is_over(const struct retort *server)
{
	return server->stopping && server->open == 0;
}

/* The loop cannot go on: whoever asks how it went must learn that. */
static int
fail(struct retort *server, int error)
{
	rt_verdict_blame(&server->verdict, "server", strerror(-error));
	rt_buf_add_format(&server->left, "the server cannot go on: %s\n",
		strerror(-error));
	return error;
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
		return fail(server, error);
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

bool
rt_api_wait(struct retort *server, int64_t deadline)
{
	struct timespec until;
	bool late;

	if (is_within(server))
		return false;
	if (!server->threaded) {
		late = deadline != RT_NEVER && deadline <= rt_api_deadline(0);
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
	code = rt_api_copy(&options, sizeof options, theirs, size);
	if (code < 0) {
		(void)rt_fail_errno(error, code, "options");
		goto out;
	}
	server = rt_server_new();
	if (server == NULL) {
		code = rt_fail_errno(error, -ENOMEM, "server");
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
	server->stopping = true;
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
	(void)rt_fail_errno(error, code, "thread");
	rt_server_give_back(server);
	retort_close(server);
	errno = -code;
	return NULL;
}

int
retort_step(struct retort *server, int timeout)
{
	int result;

	if (is_elsewhere(server))
		return -EPERM;
	if (server->threaded)
		return -EDEADLK;
	lock(server);
	result = is_within(server) ? -EDEADLK :
				     step(server, rt_api_deadline(timeout));
	rt_api_ring(server);
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
	if (server->threaded || is_elsewhere(server))
		return 0;
	lock(server);
	by = rt_server_deadline(server);
	if (by != RT_NEVER) {
		by -= rt_io_clock(server->io);
		*timeout = rt_poll_ms(by > 0 ? by : 0);
	}
	count = rt_io_pollfds(server->io, fds, room);
	unlock(server);
	return count;
}

int
retort_fd(struct retort *server)
{
	int fd;

	if (is_elsewhere(server))
		return -EPERM;
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
	if (!is_elsewhere(server))
		rt_server_wake(server);
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
	int type = 0;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	return rt_sock_set_flags(fd);
}

int
retort_adopt(struct retort *server, int fd)
{
	int result;

	if (is_elsewhere(server))
		return -EPERM;
	result = prepare_connected(fd);
	if (result < 0)
		return result;
	lock(server);
	if (server->config.protocol == RETORT_UDP)
		result = -EPROTOTYPE;
	else
		result = server->stopping ? -ESHUTDOWN :
					    call(server, adopt, &fd);
	rt_api_ring(server);
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

	if (is_elsewhere(server))
		return -EPERM;
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
	int64_t by = rt_api_deadline(grace > 0 ? grace : 0);

	if (is_elsewhere(server))
		return;
	lock(server);
	if (is_within(server) && by < server->stop_wanted)
		server->stop_wanted = by;
	else
		(void)call(server, stop, &by);
	rt_api_ring(server);
	unlock(server);
}

const char *
retort_finish(struct retort *server, int grace)
{
	const char *left = NULL;

	if (is_elsewhere(server))
		return ELSEWHERE "\n";
	retort_stop(server, grace < 0 ? DEFAULT_GRACE : grace);
	lock(server);
	while (!is_over(server) && rt_api_wait(server, RT_NEVER))
		;
	if (server->left.len > 0) {
		left = rt_buf_text(&server->left);
		if (left == NULL)
			left = "more than can be told";
	}
	unlock(server);
	return left;
}

/* Another thread had the lock when the process was forked, or nobody. */
static void
leave(struct retort *server)
{
	bool consistent = pthread_mutex_trylock(&server->lock) == 0;

	if (consistent)
		unlock(server);
	rt_server_disown(server, consistent);
}

void
retort_close(struct retort *server)
{
	if (server == NULL)
		return;
	if (is_elsewhere(server)) {
		leave(server);
		return;
	}
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

	if (is_elsewhere(server))
		return -1;
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

	if (is_elsewhere(server))
		return 0;
	lock(server);
	answered = server->answered;
	unlock(server);
	return answered;
}

size_t
retort_connections(struct retort *server)
{
	size_t open;

	if (is_elsewhere(server))
		return 0;
	lock(server);
	open = server->open;
	unlock(server);
	return open;
}

uint64_t
retort_accepted(struct retort *server)
{
	uint64_t number;

	if (is_elsewhere(server))
		return 0;
	lock(server);
	number = server->number;
	unlock(server);
	return number;
}

uint64_t
retort_shortages(struct retort *server)
{
	uint64_t shortages;

	lock(server);
	shortages = server->shortages;
	unlock(server);
	return shortages;
}

const char *
retort_version(void)
{
	return PACKAGE_VERSION;
}
