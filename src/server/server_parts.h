/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room server; nobody else sees it. */
#ifndef RT_SERVER_PARTS_H
#define RT_SERVER_PARTS_H

#include "server/server.h"

/* The kinds of channels. */
enum { RT_KIND_CONN, RT_KIND_LISTENER, RT_KIND_WAKER, RT_KIND_WIRE };

/* Counts an answer that `requests` limits. */
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

/* Handles what has woken a listener. False: it listens no more. */
bool rt_server_rouse(struct retort *server, struct rt_listener *listener,
	unsigned what);

/* Has listeners that rest accept again, as a descriptor may be free. */
void rt_server_resume(struct retort *server);

/* --- server_record.c --- */

/* Calls the owner's event function, if there is one. */
void rt_server_report(struct retort *server, const struct rt_served *served,
	enum retort_event event, const void *bytes, size_t size);

/* Reports FINs that were not reported yet, to an owner who wants all events. */
void rt_server_report_fins(struct retort *server, struct rt_served *served);

/* Record an operation that is done: its bytes, or an end of the stream. */
void rt_server_record_in(struct retort *server, struct rt_served *served);
void rt_server_record_datagram(struct retort *server, struct rt_served *served,
	const struct rt_op *in);
void rt_server_record_out(struct retort *server, struct rt_served *served);

/* Records the end of a connection that has a record. */
void rt_server_close_record(struct retort *server, struct rt_served *served);

/* Records that a handshake of TLS has gone on. */
void rt_server_record_tls(struct retort *server, struct rt_served *served);

/* Ends the recording of a connection. A record without a request goes. */
void rt_server_drop_record(struct retort *server, struct rt_served *served);

/* Records and reports that an exchange is over, but not its connection. */
void rt_server_end_exchange(struct retort *server, struct rt_served *served);

/* Counts the memory of a body. When all bodies together have too much, no more
   of this one is kept. */
void rt_server_charge(struct retort *server, struct rt_served *served);

/* Counts it no more, when the request is over. */
void rt_server_discharge(struct retort *server, struct rt_buffers *buffers);

/* Begins a record for the first bytes, or for the next piece, if there are
   records. */
void rt_server_open_record(struct retort *server, struct rt_served *served);

/* Makes the request as rules and records see it, unless it is there. NULL: it
   is not kept. */
const struct retort_exchange *rt_server_keep_request(struct retort *server,
	struct rt_served *served);

/* Keeps the reason that the verdict will give for a request (NULL: there was no
   memory for it), unless there is one already. */
void rt_server_keep_why(struct retort *server, struct rt_record *record,
	const char *why);

/* Shows the record to others: the request is complete, and the rule that
   answers it is known. */
void rt_server_publish(struct retort *server, struct rt_served *served);

/* Wakes those who wait for a change. */
void rt_server_changed(struct retort *server);

/* --- server_wire.c --- */

/* Begins TLS on a connection. 0, -ENOMEM, or -ELOOP: it is too deep. */
int rt_server_begin_tls(struct retort *server, struct rt_served *served);
void rt_server_end_tls(struct rt_served *served);

/* Has the wire spoiled by the faults of the reply. False: no memory. */
bool rt_server_spoil_wire(struct rt_served *served);

/* Tells the client by TLS that the connection ends after a reply that others
   were to follow, if that is possible at once. */
void rt_server_tell_end(struct retort *server, struct rt_served *served);

/* rt_io_try() for a connection with TLS. */
unsigned rt_server_try_tls(struct retort *server, struct rt_served *served);

/* The channel of it that the loop waits for, with what it is to wait for. */
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

/* Begins a connection, or that of a datagram. NULL: no memory. */
struct rt_served *rt_server_new_conn(struct retort *server, int fd,
	const struct rt_peer *peer);

/* Gives it buffers, unless it has some. False: there is no memory, and it is
   over. */
bool rt_server_lend(struct retort *server, struct rt_served *served);

/* Call this before it waits: takes its buffers back if it is idle. While few
   connections are open, one that is kept keeps them, and one with TLS, which
   waits several times before its first request. */
void rt_server_rest(struct retort *server, struct rt_served *served);

/* Ends it, when it is over or cut off: reports, records and frees it. */
void rt_server_end_conn(struct retort *server, struct rt_served *served);

/* --- server_stop.c --- */

/* Ends what can end of all connections. `current`, which is under way, is not
   freed; NULL: none is. */
void rt_server_stop_others(struct retort *server, enum rt_stop why,
	const struct rt_served *current);

/* Stops the server after as many answers as `requests` says. */
void rt_server_have_enough(struct retort *server,
	const struct rt_served *current);

/* Ends the connections that rt_server_end() was called for. The verdict takes
   their requests for answered. */
void rt_server_end_wanted(struct retort *server);

/* --- server_answer.c --- */

/* Decides what the connection asks for. */
void rt_server_decide(struct retort *server, struct rt_served *served);

/* --- server_push.c --- */

/* Forgets the bytes that were pushed for an earlier reply. */
void rt_server_drop_pushes(struct retort *server,
	const struct rt_served *served);

static inline void
rt_server_forget_pushes(struct retort *server, const struct rt_served *served)
{
	if (server->pushes != NULL)
		rt_server_drop_pushes(server, served);
}

/* The next connection that can go on, as bytes were pushed for it; NULL:
   none. */
struct rt_served *rt_server_pushed(struct retort *server);

/* Gives the connection the pushed bytes, when it asks for MORE. */
void rt_server_give(struct retort *server, struct rt_served *served);

/* Whether bytes were pushed that the connection was not given. */
bool rt_server_has_more(const struct retort *server,
	const struct rt_served *served);

/* Makes a reply of these, when it asks to SAY them. */
void rt_server_say(struct retort *server, struct rt_served *served);

#endif
