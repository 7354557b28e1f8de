/* SPDX-License-Identifier: MIT */
/* The server of retort.h: listeners, connections, the loop. */
#ifndef RT_SERVER_H
#define RT_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "conn/conn.h"
#include "journal/journal.h"
#include "journal/verdict.h"
#include "os/io.h"
#include "os/owner.h"
#include "os/sock.h"
#include "retort.h"
#include "route/route.h"
#include "tls/tls.h"

struct rt_listener {
	struct rt_chan chan; /* first: the loop returns this */
	struct rt_sock sock;
	bool open;
	bool refusing; /* it is closed, and its port is held */
	int alone;     /* turns that accepted one, and looked for no second */
};

/* A URL that somebody was given, and keeps while the server lives. */
struct rt_url {
	struct rt_url *next;
	char text[];
};

/* Something that the loop is to do for another thread, which waits. */
struct rt_call {
	int (*run)(struct retort *server, void *arg);
	void *arg;
	int result;
	bool done;
	struct rt_call *next;
};

/*
 * The lock protects all of it, but for `io` and what the loop alone touches
 * while it sleeps; the loop holds it whenever it does not sleep.
 */
struct retort {
	struct rt_owner owner; /* nobody else does anything with it */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a record, an ending, a call is done */
	pthread_t thread;
	bool threaded; /* it runs on `thread` */
	bool thread_ended;
	atomic_bool closing; /* set without the lock: the thread is to end */
	atomic_uintptr_t inside;   /* the thread that callbacks may be under way
	                            on, and that holds the lock; 0: none */
	int64_t stop_wanted;       /* by a callback; RT_NEVER */
	bool ends_wanted;          /* somebody wants connections to end */
	struct rt_pushes *pushes;  /* into open replies */
	struct rt_served *replied; /* got their replies by rt_server_reply(),
	                            in this order */
	struct rt_call *calls;
	struct rt_journal journal;
	struct rt_verdict verdict;
	bool recorded;
	size_t keep;         /* bytes of each body that are kept */
	struct rt_buf left;  /* the connections that stopping cut off, in
	                        words */
	struct rt_url *urls; /* given out, with paths */
	struct rt_io *io;
	struct rt_tls_server *tls;    /* of all connections; NULL: none */
	struct rt_faults *tls_faults; /* of each one's TLS; NULL */
	struct rt_conn_config config;
	struct rt_route route;
	struct rt_listener *listeners;
	struct rt_address from; /* of the datagram under way */
	size_t listener_count;
	struct rt_served *conns; /* all that are open */
	size_t open;
	struct rt_served *lingering;   /* its client's end wakes nobody, but is
	                                looked for in the next turn; NULL */
	int64_t linger_until;          /* when that comes at the latest */
	size_t end_waiters;            /* threads that wait for an end */
	struct rt_served *spare_conns; /* kept for the next ones */
	size_t spare_conn_count;
	struct rt_buffers *spare_buffers;
	size_t spare_buffers_count;
	struct rt_chan waker;
	int wake_fd; /* the other end of the waker */
	char wake_bytes[64];
	uint64_t number;   /* of the last connection */
	uint64_t answered; /* what `requests` counts */
	bool enough;       /* `requests` were answered: stop */
	uint64_t requests; /* stop after this many; 0: never */
	bool defer_accept;
	int fd_limit; /* accept no descriptor from here on; 0: not known yet */
	bool paused;  /* out of descriptors */
	uint64_t shortages;   /* how often it was, and connections that were */
	size_t short_open;    /* open then; 0: that is over */
	bool careful;         /* was, and connections are still open */
	int64_t refuse_until; /* listeners refuse until then; RT_NEVER */
	bool stopping;
	int64_t stop_by; /* what is left then is cut off */
	retort_event_fn *event;
	bool event_all;
	void *event_arg;
	int64_t date_second;
	char date[RT_DATE_TEXT];
};

/*
 * Between these the caller's thread, which has the lock, may be in a callback:
 * what is called there does not take it again. They may be nested.
 */
static inline uintptr_t
rt_server_enter(struct retort *server)
{
	uintptr_t before = atomic_load(&server->inside);

	atomic_store(&server->inside, (uintptr_t)pthread_self());
	return before;
}

static inline void
rt_server_leave(struct retort *server, uintptr_t before)
{
	atomic_store(&server->inside, before);
}

/* A server with nothing in it yet; NULL: no memory. */
struct retort *rt_server_new(void);

/* Opens all that `options` ask for. 0, or -errno with a line in `error`. */
int rt_server_open(struct retort *server, const struct retort_options *options,
	char *error);

/* Opening failed: the caller keeps the descriptors that it passed in. */
void rt_server_give_back(struct retort *server);

/* Ends everything at once, whatever rt_server_open() came to. */
void rt_server_free(struct retort *server);

/*
 * In a fork of its process: closes the descriptors, and does nothing to what
 * is at their other ends. `consistent`: nobody was within at the time of the
 * fork, so that the memory can be freed, too.
 */
void rt_server_disown(struct retort *server, bool consistent);

/* Puts every open connection into its first state. */
void rt_server_forget_states(struct retort *server);

/* When rt_server_turn() must be called at the latest; RT_NEVER. */
int64_t rt_server_deadline(const struct retort *server);

/* Serves a connected socket, which it takes. */
void rt_server_adopt(struct retort *server, int fd);

/* Sleeps at most until then, and takes each ready channel on. 0 or -errno. */
int rt_server_turn(struct retort *server, int64_t until);

/* retort_stop(): what is left at that time is to be abandoned. */
void rt_server_stop(struct retort *server, int64_t by);
void rt_server_abandon(struct retort *server);

/* Makes its loop take a turn; async-signal-safe, for any thread. */
void rt_server_wake(struct retort *server);

/* Closes the TCP listeners, holding their ports, or opens them again. 0 or
   -errno. */
int rt_server_refuse(struct retort *server, bool refuse);
void rt_server_close_listeners(struct retort *server);

/* Ends a connection once the loop is woken. 0; -ENOENT; -ENOTSUP. */
int rt_server_end(struct retort *server, uint64_t connection,
	enum retort_ending how);
/* Bytes of its open reply, or NULL: that was all. As retort_push(). */
int rt_server_push(struct retort *server, uint64_t connection,
	const void *bytes, size_t size);

/* The reply of a connection that waits for one, which goes on once the loop is
   woken. -ENOENT: there is none. */
int rt_server_reply(struct retort *server, uint64_t connection,
	const struct retort_reply *as, char *error);

#endif
