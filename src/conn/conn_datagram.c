/* SPDX-License-Identifier: MIT */
/*
 * A datagram: a whole request from the start, answered by datagrams; one
 * operation sends all of a datagram or nothing.
 *
 *	asks ANSWER or IGNORE -> (WAIT) -> REPLY -> OVER
 */
#include "config.h"

#include "conn/conn_parts.h"

#include <errno.h>

/* One that found no room is tried again, ever later, and for this long at
   most. */
#define RETRY_FIRST (1 * RT_MS)
#define RETRY_MOST (64 * RT_MS)
#define RETRY_BOUND (2000 * RT_MS)

void
rt_conn_datagram(struct rt_conn *conn, const struct rt_op *in,
	const char *reason)
{
	struct rt_buffers *buffers = conn->buffers;

	conn->chan.in.verb = RT_NOTHING;
	conn->received = (uint64_t)in->result;
	conn->truncated = in->recv.truncated;
	buffers->from = *in->recv.from;
	rt_buf_add(&buffers->in, in->recv.data, (size_t)in->result);
	if (buffers->in.failed) {
		rt_conn_fail(conn);
		return;
	}
	conn->nth++;
	conn->complete = true;
	buffers->parsed = buffers->in.len;
	ask(conn, RT_ASK_ANSWER);
	conn->reason = reason;
	if (reason != NULL)
		ask(conn, RT_ASK_IGNORE);
}

static void
end(struct rt_conn *conn, enum retort_end end)
{
	rt_conn_end(conn, end, RETORT_NOTHING);
}

/* Pieces of memory that follow each other are one datagram; of its ending
   nothing is seen. */
static void
plan_reply(const struct rt_conn *conn, struct rt_chan *chan)
{
	const struct rt_play *play = &conn->buffers->play;
	struct rt_op *out = &chan->out;
	enum rt_step_kind next;

	chan->in.verb = RT_NOTHING;
	chan->out.verb = RT_NOTHING;
	if (conn->until != 0) {
		chan->deadline = conn->until;
	} else if (rt_play_next(play) == RT_STEP_PAUSE) {
		chan->deadline = conn->moved + rt_play_pause(play);
	} else {
		chan->deadline = RT_NEVER;
		out->verb = RT_SEND_TO;
		out->send.to = &conn->buffers->from;
		out->send.count = rt_play_pieces(play, out->send.pieces,
			RT_PIECES, &next);
	}
}

void
rt_conn_go_on_datagram(struct rt_conn *conn)
{
	enum rt_step_kind next = rt_play_next(&conn->buffers->play);

	if (next >= RT_STEP_NEXT)
		end(conn, conn->answered ? RETORT_ANSWERED : RETORT_UNANSWERED);
	else if (next == RT_STEP_FILE)
		end(conn, RETORT_FAILED); /* too long */
	else
		plan_reply(conn, &conn->chan);
}

/* There is no room for it now. */
static void
retry(struct rt_conn *conn, int64_t now)
{
	conn->retry = conn->retry == 0   ? RETRY_FIRST :
		conn->retry < RETRY_MOST ? 2 * conn->retry :
					   RETRY_MOST;
	conn->until = now + conn->retry;
	if (now - conn->moved >= RETRY_BOUND)
		end(conn, RETORT_TIMED_OUT);
	else
		plan_reply(conn, &conn->chan);
}

void
rt_conn_datagram_sent(struct rt_conn *conn, int64_t result, int64_t now)
{
	switch (result < 0 ? -result : 0) {
	case 0:
		conn->sent += (uint64_t)result;
		conn->answered = true;
		conn->moved = now;
		rt_play_sent(&conn->buffers->play, (uint64_t)result);
		rt_conn_go_on_datagram(conn);
		break;
	case EAGAIN:
	case ENOBUFS:
		retry(conn, now);
		break;
	case ECONNREFUSED:
	case ENOENT:
		end(conn, RETORT_RESET);
		break;
	default:
		end(conn, RETORT_FAILED);
		break;
	}
}

void
rt_conn_datagram_expired(struct rt_conn *conn, int64_t now)
{
	if (conn->until == 0) {
		rt_play_waited(&conn->buffers->play);
		conn->moved = now;
	}
	conn->until = 0;
	rt_conn_go_on_datagram(conn);
}
