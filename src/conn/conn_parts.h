/* SPDX-License-Identifier: MIT */
/*
 * What the files of the room conn share: what happened (conn.c) changes the
 * state, and what is wanted (conn_plan.c) follows from it.
 */
#ifndef RT_CONN_PARTS_H
#define RT_CONN_PARTS_H

#include "conn/conn.h"

#define RT_INTERIM "HTTP/1.1 100 Continue\r\n\r\n"
#define RT_INTERIM_SIZE (sizeof RT_INTERIM - 1)

/* What a set of buffers keeps for the next request. */
#define RT_KEPT_IN (80u << 10)

/* Turns the state into what the channel wants. */
void rt_conn_plan(struct rt_conn *conn);

/* Ends it. */
void rt_conn_over(struct rt_conn *conn, enum retort_end end, enum rt_verb verb);

/* The reply was sent, and as much as should be was read. */
void rt_conn_over_answered(struct rt_conn *conn);

/* All was said: a FIN is sent. */
void rt_conn_finish(struct rt_conn *conn);

/* What was asked is answered, and the buffers are as new. */
void rt_conn_clear(struct rt_conn *conn);

/* Whether bytes may be unread: then close() would reset the connection. */
bool rt_conn_must_drain(const struct rt_conn *conn);

static inline int64_t
later(int64_t when, int64_t timeout)
{
	return timeout == RT_NEVER ? RT_NEVER : when + timeout;
}

static inline bool
is_http(const struct rt_conn *conn)
{
	return conn->config->protocol == RETORT_HTTP;
}

static inline bool
is_datagram(const struct rt_conn *conn)
{
	return conn->config->protocol == RETORT_UDP;
}

/* Bytes of the body as they came. */
static inline uint64_t
body_came(const struct rt_conn *conn)
{
	return conn->received - rt_http_request(conn->buffers->http)->head_size;
}

/* Half closed by a fault: until the client ends it. */
static inline bool
is_half(const struct rt_conn *conn)
{
	return (conn->state == RT_STATE_FINISH ||
		       conn->state == RT_STATE_DRAIN) &&
		conn->buffers->play.reply != NULL &&
		rt_play_next(&conn->buffers->play) == RT_STEP_HALF;
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
