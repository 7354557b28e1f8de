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
	int alone;     /* turns in a row that accepted one connection, without
	                  a look for a second */
};

/* A URL that retort_url() made. Its caller may keep it while the server
   lives. */
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
	/* who may use it, and who does */
	struct rt_owner owner; /* the process that it belongs to */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a record, an ending, a call is done */
	pthread_t thread;
	bool threaded; /* the loop runs on `thread` */
	bool thread_ended;
	atomic_bool closing; /* set without the lock: the thread is to end */
	atomic_uintptr_t inside; /* the thread that callbacks may be under way
	                            on, and that holds the lock; 0: none */
	struct rt_call *calls;   /* that threads wait for */
	size_t end_waiters;      /* threads that wait for an end */

	/* the loop, and what wakes it */
	struct rt_io *io;
	struct rt_chan waker;
	int wake_fd; /* the other end of the waker */
	char wake_bytes[64];

	/* options */
	struct rt_conn_config config;
	bool recorded;
	size_t keep;       /* bytes of each body that are kept */
	uint64_t requests; /* stop after this many answers; 0: never */
	bool defer_accept;
	retort_event_fn *event;
	void *event_arg;
	bool event_all;

	/* what it answers */
	struct rt_route route;
	struct rt_tls_server *tls;    /* of all connections; NULL: none */
	struct rt_faults *tls_faults; /* of the TLS of each; NULL */
	int64_t date_second;          /* of `date` */
	char date[RT_DATE_TEXT];

	/* listeners */
	struct rt_listener *listeners;
	size_t listener_count;
	struct rt_url *urls;    /* that retort_url() made, with paths */
	struct rt_address from; /* the sender of the datagram under way */
	int64_t refuse_until;   /* they refuse until then; RT_NEVER */
	int fd_limit; /* accept no descriptor from here on; 0: not known yet */
	bool paused;  /* out of descriptors: they rest */
	bool careful; /* descriptors have run out, and connections are open
	                 still */
	uint64_t shortages; /* how often they did */
	size_t short_open;  /* connections open at the last time; 0: that is
	                       over */

	/* connections */
	struct rt_served *conns;     /* all that are open */
	size_t open;                 /* how many these are */
	uint64_t number;             /* of the last one */
	uint64_t answered;           /* what `requests` counts */
	struct rt_pushes *pushes;    /* bytes pushed for some of them */
	struct rt_served *replied;   /* those that got their replies by
	                                rt_server_reply(), in this order */
	struct rt_served *lingering; /* one whose client's end wakes nobody, but
	                                is looked for in the next turn; NULL */
	int64_t linger_until;        /* when that comes at the latest */
	struct rt_served *spare_conns; /* kept for the next ones */
	size_t spare_conn_count;
	struct rt_buffers *spare_buffers;
	size_t spare_buffers_count;

	/* what has happened */
	struct rt_journal journal;
	struct rt_verdict verdict;

	/* its end, and that of connections */
	bool enough;         /* `requests` were answered: stop */
	bool ends_wanted;    /* some have `ends`: see rt_server_end() */
	int64_t stop_wanted; /* a callback has asked for a stop by then;
	                        RT_NEVER */
	bool stopping;
	int64_t stop_by;    /* the connections left then are cut off */
	struct rt_buf left; /* those that were cut off, in words */
};

/*
 * Who is inside; 0: nobody. Others read it without the lock, but all that they
 * look for is what they have written themselves: that needs no order.
 */
static inline uintptr_t
rt_server_inside(const struct retort *server)
{
	return atomic_load_explicit(&server->inside, memory_order_relaxed);
}

/* The caller's thread, which has the lock, ends what may call callbacks; or
   that which was inside before is so again. */
static inline void
rt_server_leave(struct retort *server, uintptr_t before)
{
	atomic_store_explicit(&server->inside, before, memory_order_relaxed);
}

/*
 * And begins it: functions that these call do not take the lock again. Calls
 * may be nested; the one that ends gets what the other one returned.
 */
static inline uintptr_t
rt_server_enter(struct retort *server)
{
	uintptr_t before = rt_server_inside(server);

	rt_server_leave(server, (uintptr_t)pthread_self());
	return before;
}

/* A server with nothing in it yet; NULL: no memory. */
struct retort *rt_server_new(void);

/* Opens the server by its options. 0, or -errno with a line in `error`. */
int rt_server_open(struct retort *server, const struct retort_options *options,
	char *error);

/* Opening failed: the caller keeps the descriptors that it passed in. */
void rt_server_give_back(struct retort *server);

/* Ends everything at once, also after rt_server_open() has failed. */
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

/* Sleeps, at most for `time`, and serves each channel that is ready. 0 or
   -errno. */
int rt_server_turn(struct retort *server, int64_t time);

/* Begins to stop, as retort_stop() does: connections that are left at `by` are
   to be abandoned. */
void rt_server_stop(struct retort *server, int64_t by);

/* Cuts off the connections that are left, and notes them in `left`. */
void rt_server_abandon(struct retort *server);

/* Makes the loop take a turn. Async-signal-safe, and for any thread. */
void rt_server_wake(struct retort *server);

/* Closes the TCP listeners, holding their ports, or opens them again. 0 or
   -errno. */
int rt_server_refuse(struct retort *server, bool refuse);

/* Closes the listeners for good. With UDP their sockets stay, as long as
   datagrams are to be answered. */
void rt_server_close_listeners(struct retort *server);

/* Has the loop end a connection, once it is woken. Returns as retort_end(). */
int rt_server_end(struct retort *server, uint64_t connection,
	enum retort_ending how);

/* Takes bytes for an open reply or a connection of pieces, or with NULL the end
   of it; they go on once the loop is woken. Returns as retort_push() without a
   time-out. */
int rt_server_push(struct retort *server, uint64_t connection,
	const void *bytes, size_t size);

/* Makes the reply of a connection that waits for one; it goes on once the loop
   is woken. 0, or -errno with a line in `error`; -ENOENT: it does not wait. */
int rt_server_reply(struct retort *server, uint64_t connection,
	const struct retort_reply *as, char *error);

#endif
