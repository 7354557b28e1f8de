/* SPDX-License-Identifier: MIT */
/* Shared by the files that implement retort.h. */
#ifndef RT_API_H
#define RT_API_H

#include "server/server.h"

/*
 * Copies a caller's struct, of `size` bytes, to ours, of `room`: what the
 * caller does not know is zero, and what we do not know must be, or -E2BIG.
 */
int rt_api_copy(void *ours, size_t room, const void *theirs, size_t size);

/* If `code` < 0, has the verdict say what is malformed, about `request` (NULL:
   about none). Returns `code`. */
int rt_api_blame(struct retort *server, const char *what, const char *request,
	int code, const char *error);

/* Call this after a step or another call: whoever polls the server's descriptor
   is told when to step it next. */
void rt_api_ring(struct retort *server);

/* ms from now as a time of the monotonic clock; < 0: RT_NEVER */
int64_t rt_api_deadline(int timeout);

/*
 * With the lock held: waits until something has changed. False: the time is
 * up, or it is in vain; look once more.
 */
bool rt_api_wait(struct retort *server, int64_t deadline);

/* With the lock held: notes what clients have done until now. */
void rt_api_look(struct retort *server);

/* With the lock held: takes one turn of the loop, which sleeps for `time` at
   most, and does what must be done after it. 1: the server has stopped; or
   -errno. */
int rt_api_step(struct retort *server, int64_t time);

/* With the lock held: has the loop call `run`, waits until that is done, and
   returns its result. -EDEADLK: the caller is in a callback. */
int rt_api_call(struct retort *server, int (*run)(struct retort *, void *),
	void *arg);

/*
 * Whether this is a fork of the process that the server belongs to: asked
 * before anything else, as the lock may be held for ever there. A server that
 * did not start is elsewhere, too: so a test that goes on without it fails, and
 * does not crash.
 */
static inline bool
is_elsewhere(struct retort *server)
{
	return server == NULL || rt_owner_is_other(&server->owner);
}

/* Where it is, as a line. */
static inline const char *
elsewhere(const struct retort *server)
{
	return server == NULL ?
		"there is no server: retort_start() failed\n" :
		"this process is a fork of the one that the server belongs "
		"to\n";
}

/* Says so in `error`, without the line end, unless NULL; returns -EPERM. */
int rt_api_fail_elsewhere(const struct retort *server, char *error);

/* Whether the caller is in a callback. It has the lock, and cannot wait for
   itself. */
static inline bool
is_within(const struct retort *server)
{
	uintptr_t inside = rt_server_inside(server);

	return inside != 0 && inside == (uintptr_t)pthread_self();
}

static inline void
lock(struct retort *server)
{
	if (!is_within(server))
		(void)pthread_mutex_lock(&server->lock);
}

static inline void
unlock(struct retort *server)
{
	if (!is_within(server))
		(void)pthread_mutex_unlock(&server->lock);
}

#endif
