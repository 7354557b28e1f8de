/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room server; nobody else sees it. */
#ifndef RT_SERVER_PARTS_H
#define RT_SERVER_PARTS_H

#include "server/server.h"

/* Whose channel it is. */
enum { RT_KIND_CONN, RT_KIND_LISTENER, RT_KIND_WAKER, RT_KIND_WIRE };

/* One of those that `requests` limits was answered. */
static inline void
count_answered(struct retort *server)
{
	if (++server->answered == server->requests)
		server->enough = true;
}

/* --- server_listen.c --- */

/* Begins to accept on a socket that listens. 0 or -errno. */
int rt_server_listen(struct retort *server, struct rt_listener *listener);

/*
 * Takes the next connection or datagram that has arrived: it is in the
 * listener's channel. False: none has, or it cannot be taken now, and the
 * listener tries again later.
 */
bool rt_server_accept(struct retort *server, struct rt_listener *listener);

/* Who sent the datagram; and why it must not be answered, or NULL. */
const char *rt_server_sender(const struct retort *server,
	const struct rt_listener *listener, struct rt_peer *peer);

/* The loop has woken it. False: it listens no more. */
bool rt_server_rouse(struct retort *server, struct rt_listener *listener,
	unsigned what);

/* Accepting goes on as soon as a descriptor is free again. */
void rt_server_resume(struct retort *server);

/* --- server_record.c --- */

/* Tells the owner. */
void rt_server_report(struct retort *server, const struct rt_served *served,
	enum retort_event event, const void *bytes, size_t size);

/* FINs since the last time, if the owner wants to be told of all events. */
void rt_server_report_fins(struct retort *server, struct rt_served *served);

/* An operation is done: its bytes, or an end of the stream, are kept. */
void rt_server_record_in(struct retort *server, struct rt_served *served);
void rt_server_record_datagram(struct retort *server, struct rt_served *served,
	const struct rt_op *in);
void rt_server_record_out(struct retort *server, struct rt_served *served);
void rt_server_close_record(struct retort *server, struct rt_served *served);

/* The handshake of TLS has gone on. */
void rt_server_record_tls(struct retort *server, struct rt_served *served);

/* Nothing more is recorded of a connection: a record without a request goes. */
void rt_server_drop_record(struct retort *server, struct rt_served *served);

/* The exchange is over, but not the connection. */
void rt_server_end_exchange(struct retort *server, struct rt_served *served);

/* Counts what came of a body. When all bodies together hold too much, no more
   of this one is kept. */
void rt_server_charge(struct retort *server, struct rt_served *served);

/* The request is over: its bytes count no more. */
void rt_server_discharge(struct retort *server, struct rt_buffers *buffers);

/* Begins a record for the first bytes, or for the next piece, if there are
   records. */
void rt_server_open_record(struct retort *server, struct rt_served *served);

/* The request as rules and records see it. NULL: it is not kept. */
const struct retort_exchange *rt_server_keep_request(struct retort *server,
	struct rt_served *served);

/* Keeps the reason that the verdict will give for a request (NULL: there was no
   memory for it), unless there is one already. */
void rt_server_keep_why(struct retort *server, struct rt_record *record,
	const char *why);

/* The request is complete, and the rule that answers it is known. */
void rt_server_publish(struct retort *server, struct rt_served *served);

/* Wakes those who wait for a change. */
void rt_server_changed(struct retort *server);

/* --- server_wire.c --- */

/* Begins TLS on a connection. 0, -ENOMEM, or -ELOOP: it is too deep. */
int rt_server_begin_tls(struct retort *server, struct rt_served *served);
void rt_server_end_tls(struct rt_served *served);

/* Applies the faults of its reply to the wire. False: no memory. */
bool rt_server_spoil_wire(struct rt_served *served);

/* The connection is closed after a reply that others were to follow: tells the
   client by TLS, if that is possible at once. */
void rt_server_tell_end(struct retort *server, struct rt_served *served);

/* rt_io_try() for a connection with TLS; and the channel that the loop waits
   for. */
unsigned rt_server_try_tls(struct retort *server, struct rt_served *served);
struct rt_chan *rt_server_wire(struct rt_served *served);

/* The channel that the loop knows. */
static inline struct rt_chan *
channel_of(struct rt_served *served)
{
	return served->tls == NULL ? &served->conn.chan :
				     rt_server_wire(served);
}

/* The event for bytes after a head that are dropped: of the body, or after the
   request. */
static inline enum retort_event
rt_server_dropping(const struct rt_conn *conn)
{
	return conn->complete ? RETORT_ON_DROPPED : RETORT_ON_BODY;
}

/* --- server_conn.c --- */

/* A connection, or a datagram's, begins. NULL: no memory. */
struct rt_served *rt_server_new_conn(struct retort *server, int fd,
	const struct rt_peer *peer);

/* It has buffers from now on. False: there is no memory, and it is over. */
bool rt_server_lend(struct retort *server, struct rt_served *served);

/* It waits, without buffers if it is idle; but of a few that are kept each has
   those that would be spare otherwise. */
void rt_server_rest(struct retort *server, struct rt_served *served);

/* It is over, or cut off: it goes. */
void rt_server_end_conn(struct retort *server, struct rt_served *served);

/* --- server_stop.c --- */

/* Connections end, but for `current` (NULL: none), which is under way. */
void rt_server_stop_others(struct retort *server, enum rt_stop why,
	const struct rt_served *current);

/* `requests` of them were answered: the others end. */
void rt_server_have_enough(struct retort *server,
	const struct rt_served *current);

/* Ends those that somebody wants to be ended: the verdict has nothing against
   it. */
void rt_server_end_wanted(struct retort *server);

/* --- server_answer.c --- */

/* Decides what the connection asks for. */
void rt_server_decide(struct retort *server, struct rt_served *served);

/* --- server_push.c --- */

/* Forgets what was pushed for an earlier reply. */
void rt_server_drop_pushes(struct retort *server,
	const struct rt_served *served);

static inline void
rt_server_forget_pushes(struct retort *server, const struct rt_served *served)
{
	if (server->pushes != NULL)
		rt_server_drop_pushes(server, served);
}

/* A connection that can go on with what was pushed; NULL: none. */
struct rt_served *rt_server_pushed(struct retort *server);

/* Gives the connection what was pushed, when it asks for MORE. */
void rt_server_give(struct retort *server, struct rt_served *served);

/* Whether something was pushed that the connection was not given; and when it
   asks to SAY that. */
bool rt_server_has_more(const struct retort *server,
	const struct rt_served *served);
void rt_server_say(struct retort *server, struct rt_served *served);

#endif
