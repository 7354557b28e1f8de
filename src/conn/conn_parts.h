/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the room conn. Events (conn.c) and what the owner says
 * (conn_answer.c) change the state, conn_go_on.c does what follows, and
 * conn_plan.c derives what the connection wants then. conn_request.c takes the
 * request, conn_piece.c a piece, conn_next.c leads from one to the next,
 * conn_end.c ends the connection, and conn_datagram.c takes a datagram and sends
 * the reply.
 */
#ifndef RT_CONN_PARTS_H
#define RT_CONN_PARTS_H

#include "conn/conn.h"

#define RT_INTERIM "HTTP/1.1 100 Continue\r\n\r\n"
#define RT_INTERIM_SIZE (sizeof RT_INTERIM - 1)

/* The most bytes that a set of buffers keeps for the next request. */
#define RT_KEPT_IN (80u << 10)

/* --- conn_plan.c --- */

/* Turns the state into what its channel is to do. */
void rt_conn_plan(const struct rt_conn *conn, struct rt_chan *chan);

/* --- conn_go_on.c --- */

/* Unless the owner is asked something first: whatever follows by itself, and
   then what it wants. */
void rt_conn_go_on(struct rt_conn *conn);

/* The script may be at its end. */
void rt_conn_end_script(struct rt_conn *conn);

/* Room to receive. False: no memory. */
bool rt_conn_reserve(struct rt_conn *conn);

/* --- conn_request.c --- */

/* A request begins, or goes on; of its bytes the first `known` were there
   before. */
void rt_conn_take(struct rt_conn *conn, size_t known);

/* Takes what has arrived, and asks the owner if that is enough for it. */
void rt_conn_parse(struct rt_conn *conn);

/* Forgets body bytes that were parsed and are not kept, so that `in` stays
   small; what arrived last stays: the trailers. */
void rt_conn_drop_body(struct rt_conn *conn);

/* Takes what has arrived of the body after an early reply, for nobody. */
void rt_conn_take_rest(struct rt_conn *conn);

/* --- conn_piece.c --- */

/* The same without HTTP; the first `known` bytes that belong to no piece yet
   were looked at before. */
void rt_conn_take_piece(struct rt_conn *conn, size_t known);

/* The client's FIN, or the end of its time, within a piece. */
void rt_conn_last_piece(struct rt_conn *conn);
void rt_conn_late_piece(struct rt_conn *conn);

/* --- conn_next.c --- */

/* What is to be said was said: the FIN. */
void rt_conn_finish(struct rt_conn *conn);

/* The reply is at its end, but not the connection. */
void rt_conn_await_next(struct rt_conn *conn);

/* The owner has what it wants of the exchange that is over. */
void rt_conn_end_exchange(struct rt_conn *conn, int64_t now);

/* Nothing of a request and its reply is kept. */
void rt_conn_clear(struct rt_buffers *buffers);

/* The buffers, which have nothing of another, are for a request of this
   connection's. */
void rt_conn_begin_request(const struct rt_conn *conn);

/* --- conn_end.c --- */

/* It is over: the server closes, or resets, unless it has done so. */
void rt_conn_end(struct rt_conn *conn, enum retort_end end,
	enum retort_ending how);

/* The reply was sent, and as much as should be was read; the client may have
   sent more. */
void rt_conn_end_answered(struct rt_conn *conn, bool still_sending);

/* An operation has failed: the client may be gone. */
void rt_conn_end_failed(struct rt_conn *conn, int64_t error);

void rt_conn_client_closed(struct rt_conn *conn, enum retort_ending how);

/* --- conn_datagram.c: the reply to one --- */

void rt_conn_go_on_datagram(struct rt_conn *conn);
void rt_conn_datagram_sent(struct rt_conn *conn, int64_t result, int64_t now);
void rt_conn_datagram_expired(struct rt_conn *conn, int64_t now);

/* Holds at most this many bytes; but more may be there already, of
   requests that arrived with one that was larger. */
static inline void
rt_conn_hold(struct rt_buffers *buffers, size_t most)
{
	const size_t there = buffers->in.len, least = there + (4u << 10);

	buffers->in.max = there == 0 || most > least ? most : least;
}

static inline void
ask(struct rt_conn *conn, enum rt_ask what)
{
	conn->asks = what;
	conn->asked = what;
}

static inline int64_t
later(int64_t when, int64_t timeout)
{
	return timeout == RT_NEVER ? RT_NEVER : when + timeout;
}

static inline bool
is_datagram(const struct rt_conn *conn)
{
	return conn->protocol == RETORT_UDP;
}

/* Bytes of 100 (Continue) that are to be sent: once, or twice. */
static inline uint8_t
rt_conn_interim(const struct rt_conn *conn)
{
	return conn->buffers->reading.twice ? 2 * RT_INTERIM_SIZE :
					      RT_INTERIM_SIZE;
}

/* The most bytes received at once: while a head is read, a body, or pieces. */
static inline size_t
receive_room(const struct rt_conn *conn)
{
	if (!rt_conn_is_http(conn))
		return conn->buffers->in.len < RT_MAX_PIECE ?
			RT_MAX_PIECE - conn->buffers->in.len :
			0;
	return conn->state < RT_STATE_BODY ? 4u << 10 : 64u << 10;
}

/* Bytes of the body as they arrived, or that arrived after it. */
static inline uint64_t
body_came(const struct rt_conn *conn)
{
	/* the PROXY header is one of the first exchange's bytes */
	uint64_t named_by = conn->nth > 1 ? 0 : conn->named_by;

	return conn->received - named_by - conn->buffers->request->head_size;
}

/* Whether its reply is early, and the rest of the body is read. */
static inline bool
reads_rest(const struct rt_conn *conn)
{
	return conn->coming == RT_COMING_BODY;
}

/* And the reply was sent. */
static inline bool
awaits_rest(const struct rt_conn *conn)
{
	return reads_rest(conn) &&
		rt_play_next(&conn->buffers->play) == RT_STEP_NEXT;
}

/* Half closed by a fault: until the client ends it. */
static inline bool
is_half(const struct rt_conn *conn)
{
	return conn->state == RT_STATE_DRAIN &&
		conn->buffers->play.reply != NULL &&
		rt_play_next(&conn->buffers->play) == RT_STEP_HALF;
}

/* Whether bytes of an HTTP client may be unread: then close() would reset the
   connection. */
static inline bool
has_unread(const struct rt_conn *conn)
{
	return !conn->complete || conn->may_have_more || conn->drained > 0 ||
		conn->buffers->parsed < conn->buffers->in.len;
}

/* Whether some of it may still be on its way when the client sends more. All
   requests of a kept connection may have come at once: then it has taken none
   of the replies yet. */
static inline bool
has_sent_much(const struct rt_conn *conn)
{
	return conn->sent_in_all > RT_SENT_AT_ONCE;
}

/* Whether what arrives at the end is read. Without HTTP nobody knows whether
   there is more. */
static inline bool
must_drain(const struct rt_conn *conn)
{
	return has_unread(conn) || has_sent_much(conn) ||
		conn->config->linger || !rt_conn_is_http(conn);
}

/* Enough was dropped. */
static inline bool
is_drained(const struct rt_conn *conn)
{
	return conn->drained >= RT_DRAIN_BYTES && !is_half(conn) &&
		(conn->state != RT_STATE_DRAIN ||
			conn->moved - conn->drain_began >= RT_DRAIN_IDLE);
}

#endif
