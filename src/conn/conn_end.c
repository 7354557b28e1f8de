/* SPDX-License-Identifier: MIT */
/* How a connection ends. */
#include "config.h"

#include "conn/conn_parts.h"

#include <errno.h>

void
rt_conn_end(struct rt_conn *conn, enum retort_end end, enum retort_ending how)
{
	conn->state = RT_STATE_OVER;
	conn->end = end;
	conn->asks = RT_ASK_NOTHING;
	/* a datagram has no connection to close, and after its FIN the server
	   has closed its own */
	if (!is_datagram(conn) &&
		(how == RETORT_RST || conn->server_close == RETORT_NOTHING))
		conn->server_close = how;
	conn->chan.watched = false;
	conn->chan.in.verb = RT_NOTHING;
	conn->chan.out.verb =
		conn->server_close == RETORT_RST ? RT_RESET : RT_CLOSE;
	conn->chan.deadline = RT_NEVER;
}

void
rt_conn_end_answered(struct rt_conn *conn, bool still_sending)
{
	enum retort_end end = conn->end;

	/* unless its end began between two */
	if (end == RETORT_OPEN)
		end = conn->buffers->reply.truncated ? RETORT_TRUNCATED :
						       RETORT_ANSWERED;
	conn->still_sending = still_sending;
	rt_conn_end(conn, end, RETORT_FIN);
}

void
rt_conn_client_closed(struct rt_conn *conn, enum retort_ending how)
{
	if (conn->client_close == RETORT_NOTHING &&
		conn->server_close == RETORT_NOTHING)
		conn->client_first = true;
	conn->client_close = how;
}

void
rt_conn_end_failed(struct rt_conn *conn, int64_t error)
{
	switch (-error) {
	case EPIPE:
	case ECONNRESET:
	case ECONNABORTED:
	case ENOTCONN:
	case ETIMEDOUT:
		rt_conn_broken(conn);
		break;
	case EPROTO:
		rt_conn_end(conn, RETORT_TLS_FAILED, RETORT_FIN);
		break;
	default:
		rt_conn_fail(conn);
		break;
	}
}

void
rt_conn_broken(struct rt_conn *conn)
{
	if (conn->state == RT_STATE_OVER)
		return;
	rt_conn_client_closed(conn, RETORT_RST);
	rt_conn_end(conn, RETORT_RESET, RETORT_FIN);
}

void
rt_conn_fail(struct rt_conn *conn)
{
	/* when it fails between two, the first has ended */
	if (conn->asks == RT_ASK_DONE && rt_conn_ends_exchange(conn))
		conn->ended = conn->nth;
	rt_conn_end(conn, RETORT_FAILED, RETORT_FIN);
}

/* Whether its reply was sent, and something else is waited for. */
static bool
is_answered(const struct rt_conn *conn)
{
	return awaits_rest(conn) ||
		(conn->state == RT_STATE_REPLY && conn->interim_left == 0 &&
			rt_play_next(&conn->buffers->play) == RT_STEP_AWAIT);
}

/* A client in the middle of a request may still be sending. */
static void
stop_drain(struct rt_conn *conn)
{
	rt_conn_end_answered(conn,
		rt_conn_is_http(conn) && !conn->complete && conn->drained > 0);
}

/* Whether it has to end at once, and not when its client has its answer. */
static bool
ends_at_once(const struct rt_conn *conn, enum rt_stop why)
{
	enum rt_step_kind next;

	switch (conn->state) {
	case RT_STATE_IDLE:
	case RT_STATE_HEAD:
	case RT_STATE_BODY:
		return true;
	case RT_STATE_WAIT:
		return why == RT_STOP_ENOUGH;
	case RT_STATE_REPLY:
		next = rt_play_next(&conn->buffers->play);
		return next == RT_STEP_STALL || is_answered(conn) ||
			(why == RT_STOP_TOLD &&
				(next == RT_STEP_PAUSE ||
					next == RT_STEP_MORE));
	case RT_STATE_DRAIN:
		return why == RT_STOP_TOLD || is_half(conn);
	case RT_STATE_FINISH:
	case RT_STATE_OVER:
		break;
	}
	return false;
}

void
rt_conn_stop(struct rt_conn *conn, enum rt_stop why)
{
	conn->last = true;
	if (ends_at_once(conn, why))
		rt_conn_abandon(conn);
}

void
rt_conn_abandon(struct rt_conn *conn)
{
	if (conn->state == RT_STATE_DRAIN)
		stop_drain(conn);
	else if (is_answered(conn))
		rt_conn_end_answered(conn, !conn->complete);
	else if (conn->state != RT_STATE_OVER)
		rt_conn_end(conn, RETORT_STOPPED, RETORT_FIN);
}

void
rt_conn_end_now(struct rt_conn *conn, enum retort_ending how)
{
	/* a reply that was sent is one */
	if (how == RETORT_RST && conn->state == RT_STATE_DRAIN)
		rt_conn_end(conn, RETORT_ANSWERED, how);
	else if (how == RETORT_RST && conn->state != RT_STATE_OVER)
		rt_conn_end(conn, RETORT_STOPPED, how);
	else
		rt_conn_abandon(conn);
}
