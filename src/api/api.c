/* SPDX-License-Identifier: MIT */
/*
 * Common to the functions of retort.h: they check what callers hand over, take
 * the lock, and leave the work to the rooms.
 *
 * Only the loop touches its channels and listeners: on a thread of its own
 * through a call that is queued and waited for, and at once where the caller
 * steps it.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/error.h"

int
rt_api_copy(void *ours, size_t room, const void *theirs, size_t size)
{
	const unsigned char *bytes = theirs;

	memset(ours, 0, room);
	if (theirs == NULL)
		return 0;
	memcpy(ours, theirs, size < room ? size : room);
	for (size_t i = room; i < size; i++)
		if (bytes[i] != 0)
			return -E2BIG;
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
rt_api_fail_elsewhere(const struct retort *server, char *error)
{
	const char *line = elsewhere(server);

	return rt_fail(error, -EPERM, "%.*s", (int)strlen(line) - 1, line);
}

void
rt_api_ring(struct retort *server)
{
	if (!server->threaded && server->io != NULL && rt_io_rings(server->io))
		rt_io_ring(server->io, rt_server_deadline(server));
}

int64_t
rt_api_deadline(int timeout)
{
	return timeout < 0 ? RT_NEVER : rt_clock() + timeout * RT_MS;
}

/* Whether nothing is open, and nothing arrives any more. */
static bool
is_stopped(const struct retort *server)
{
	return server->stopping && server->open == 0;
}

/* Notes that the loop cannot go on, for callers that ask for the result. */
static int
fail(struct retort *server, int error)
{
	rt_verdict_blame(&server->verdict, "server", strerror(-error));
	rt_buf_add_format(&server->left, "the server cannot go on: %s\n",
		strerror(-error));
	return error;
}

/* Stops as a callback has asked for, or cuts off the rest when its time is
   over. */
static void
stop_now(struct retort *server)
{
	uintptr_t before = rt_server_enter(server);
	int64_t by = server->stop_wanted;

	if (by != RT_NEVER) {
		server->stop_wanted = RT_NEVER;
		rt_server_stop(server, by);
	}
	if (rt_io_now(server->io) >= server->stop_by)
		rt_server_abandon(server);
	rt_server_leave(server, before);
}

int
rt_api_step(struct retort *server, int64_t time)
{
	int error;

	if (is_stopped(server))
		return 1;
	error = rt_server_turn(server, time);
	if (error < 0)
		return fail(server, error);
	if (server->stop_wanted != RT_NEVER ||
		rt_io_now(server->io) >= server->stop_by)
		stop_now(server);
	return is_stopped(server);
}

bool
rt_api_wait(struct retort *server, int64_t deadline)
{
	struct timespec until;
	int64_t left;

	if (is_within(server))
		return false;
	if (!server->threaded) {
		left = deadline == RT_NEVER ? RT_NEVER : deadline - rt_clock();
		return rt_api_step(server, left > 0 ? left : 0) == 0 &&
			left > 0;
	}
	if (server->thread_ended)
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
	uintptr_t before = rt_server_enter(server);
	int result = run(server, arg);

	rt_server_leave(server, before);
	return result;
}

int
rt_api_call(struct retort *server, int (*run)(struct retort *, void *),
	void *arg)
{
	struct rt_call it = {.run = run, .arg = arg};

	if (is_within(server))
		return -EDEADLK;
	if (!server->threaded || server->thread_ended)
		return run_here(server, run, arg);
	it.next = server->calls;
	server->calls = &it;
	rt_server_wake(server);
	while (!it.done && !server->thread_ended)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	if (it.done)
		return it.result;
	server->calls = NULL; /* each caller's own, and none is made any more */
	return run_here(server, run, arg);
}

/* Does nothing: the turn that makes the call has looked. */
static int
look(struct retort *server, void *arg)
{
	(void)server;
	(void)arg;
	return 0;
}

void
rt_api_look(struct retort *server)
{
	if (server->lingering != NULL)
		(void)rt_api_call(server, look, NULL);
}
