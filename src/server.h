/* SPDX-License-Identifier: MIT */
/* The server behind retort.h: listeners, connections, the loop. */
#ifndef RT_SERVER_H
#define RT_SERVER_H

#include "conn.h"
#include "io.h"
#include "journal.h"
#include "retort.h"
#include "route.h"
#include "sock.h"

/* Whose channel it is. */
enum { RT_KIND_CONN, RT_KIND_LISTENER, RT_KIND_WAKER };

struct rt_listener {
	struct rt_chan chan; /* first: the loop returns this */
	struct rt_sock sock;
	bool open;
};

struct retort {
	struct rt_io *io;
	struct rt_conn_config config;
	struct rt_route route;
	struct rt_listener *listeners;
	size_t listener_count;
	struct rt_conn *conns; /* all that are open */
	size_t open;
	struct rt_conn *spare_conns; /* kept for the next ones */
	size_t spare_conn_count;
	struct rt_exchange *spare_exchanges;
	size_t spare_exchange_count;
	struct rt_chan waker;
	int wake_fd; /* the other end of the waker */
	char wake_bytes[64];
	uint64_t number;   /* of the last connection */
	uint64_t answered; /* final replies other than 408 */
	uint64_t requests; /* stop after so many; 0: never */
	int fd_limit;      /* accept no descriptor from here on */
	bool paused;       /* out of descriptors */
	bool careful;      /* was, and connections are still open */
	bool stopping;
	int64_t stop_by; /* end what is left then */
	retort_event_fn *event;
	void *event_arg;
	int64_t date_second;
	char date[RT_DATE_TEXT];
};

#endif
