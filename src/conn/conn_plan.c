/* SPDX-License-Identifier: MIT */
/*
 * The plan of a connection: derives from its state the next operation inward,
 * the next one outward, and a deadline. Changes nothing: conn_go_on.c does
 * what follows from a state.
 */
#include "config.h"

#include "conn/conn_parts.h"

static const char interim[] = RT_INTERIM RT_INTERIM;

static void
plan_receive(const struct rt_conn *conn, struct rt_op *op)
{
	const struct rt_buf *in = &conn->buffers->in;
	size_t most = receive_room(conn);

	op->verb = RT_RECV;
	op->recv.data = in->data + in->len;
	op->recv.size = in->room - in->len;
	/* pieces are no longer, whatever memory there is */
	if (!rt_conn_is_http(conn) && op->recv.size > most)
		op->recv.size = most;
}

/* The rest of a body: while a script is under way, which may have bytes of
   `in`, these stay where they are, and there is as much room as there was. */
static void
plan_rest(const struct rt_conn *conn, struct rt_op *op)
{
	plan_receive(conn, op);
	if (op->recv.size == 0)
		op->verb = RT_NOTHING;
}

/* Reads and drops the bytes that arrive, within a bound. */
static void
plan_drain(const struct rt_conn *conn, struct rt_op *op)
{
	if (conn->coming == RT_COMING_NOTHING ||
		conn->coming == RT_COMING_UNREAD || is_drained(conn))
		return;
	op->verb = RT_RECV;
	op->recv.data = conn->config->scratch;
	op->recv.size = conn->config->scratch_size;
}

/* When what arrives is not read any more. */
static int64_t
drain_deadline(const struct rt_conn *conn)
{
	int64_t silent = conn->moved + RT_DRAIN_IDLE;
	int64_t last = conn->drain_began + RT_DRAIN_TIME;

	if (is_half(conn))
		return RT_NEVER;
	return silent < last ? silent : last;
}

bool
rt_conn_lingers(const struct rt_conn *conn)
{
	return conn->state == RT_STATE_DRAIN && rt_conn_is_http(conn) &&
		!is_half(conn) && !has_unread(conn);
}

static void
plan_interim(const struct rt_conn *conn, struct rt_op *op)
{
	op->verb = RT_SEND;
	op->more = op->ends = false;
	op->send.count = 1;
	op->send.pieces[0].iov_base = (char *)(uintptr_t)interim +
		2 * RT_INTERIM_SIZE - conn->interim_left;
	op->send.pieces[0].iov_len = conn->interim_left;
}

/* Nothing is read: a FIN is noted, but may arrive after unread bytes. */
static bool
is_watched(const struct rt_conn *conn, const struct rt_chan *chan)
{
	return chan->in.verb == RT_NOTHING &&
		conn->client_close == RETORT_NOTHING;
}

static void
plan_bytes(const struct rt_play *play, struct rt_op *op)
{
	enum rt_step_kind next;

	op->verb = RT_SEND;
	op->send.count =
		rt_play_pieces(play, op->send.pieces, RT_PIECES, &next);
	op->ends = next == RT_STEP_CLOSE || next == RT_STEP_HALF;
	op->more = op->ends || rt_has_bytes(next);
}

/* Nothing is sent: a time has to pass, or something to happen. */
static void
plan_wait(const struct rt_conn *conn, struct rt_chan *chan)
{
	const struct rt_play *play = &conn->buffers->play;

	switch (rt_play_next(play)) {
	case RT_STEP_PAUSE:
		chan->watched = is_watched(conn, chan);
		chan->deadline = conn->moved + rt_play_pause(play);
		break;
	case RT_STEP_MORE:
		chan->watched = is_watched(conn, chan);
		chan->deadline = RT_NEVER;
		break;
	case RT_STEP_NEXT: /* the rest of the body comes first */
		chan->deadline = later(conn->moved, conn->config->body_timeout);
		break;
	case RT_STEP_AWAIT:
		chan->deadline = later(conn->moved, conn->idle_timeout);
		if (!reads_rest(conn))
			plan_drain(conn, &chan->in);
		chan->watched = is_watched(conn, chan);
		break;
	case RT_STEP_STALL:
		chan->deadline = RT_NEVER;
		plan_drain(conn, &chan->in);
		chan->watched = is_watched(conn, chan);
		break;
	default: /* an ending is a state of its own */
		break;
	}
}

static void
plan_step(const struct rt_conn *conn, struct rt_chan *chan)
{
	const struct rt_play *play = &conn->buffers->play;
	struct rt_op *out = &chan->out;

	switch (rt_play_next(play)) {
	case RT_STEP_TEXT:
	case RT_STEP_BYTES:
	case RT_STEP_REPEAT:
		plan_bytes(play, out);
		break;
	case RT_STEP_FILE:
		out->verb = RT_FILE;
		out->file.fd = play->reply->file;
		out->file.size = rt_play_file(play, &out->file.at);
		break;
	case RT_STEP_FLUSH:
		if (conn->until == 0)
			out->verb = RT_FLUSH;
		else
			chan->deadline = conn->until;
		break;
	case RT_STEP_TELL:
		out->verb = RT_TELL;
		out->tell = (enum rt_tell)play->step->at;
		break;
	default:
		plan_wait(conn, chan);
		break;
	}
}

/* A body that is to be read slowly, or not to its end. */
static void
plan_reading(const struct rt_conn *conn, struct rt_chan *chan)
{
	const struct rt_reading *reading = &conn->buffers->reading;
	uint64_t most = UINT64_MAX;

	if (reading->stops)
		most = reading->stop - body_came(conn);
	else if (reading->early)
		most = reading->early_at - body_came(conn);
	if (reading->pace > 0 && reading->pace < most)
		most = reading->pace;
	if (chan->in.recv.size > most)
		chan->in.recv.size = (size_t)most;
	if (conn->rest == RT_REST_CONTINUE) {
		chan->deadline = conn->moved + reading->delay;
	} else if (conn->rest == RT_REST_BODY) {
		chan->in.verb = RT_NOTHING;
		chan->deadline = conn->moved + reading->gap;
	}
}

/* The next request, or the rest of its head. */
static void
plan_head(const struct rt_conn *conn, struct rt_chan *chan)
{
	chan->deadline = rt_conn_is_http(conn) && !rt_conn_is_kept(conn) ?
		later(conn->began, conn->config->head_timeout) :
		later(conn->moved, conn->idle_timeout);
	plan_receive(conn, &chan->in);
}

static void
plan_body(const struct rt_conn *conn, struct rt_chan *chan)
{
	chan->deadline = later(conn->moved, conn->config->body_timeout);
	if (conn->interim_left > 0)
		plan_interim(conn, &chan->out);
	plan_receive(conn, &chan->in);
	plan_reading(conn, chan);
}

static void
plan_reply(const struct rt_conn *conn, struct rt_chan *chan)
{
	chan->deadline = later(conn->moved, conn->config->write_timeout);
	if (reads_rest(conn))
		plan_rest(conn, &chan->in);
	else if (conn->coming == RT_COMING_UNWANTED && must_drain(conn))
		plan_drain(conn, &chan->in);
	if (conn->interim_left > 0)
		plan_interim(conn, &chan->out);
	else
		plan_step(conn, chan);
}

void
rt_conn_plan(const struct rt_conn *conn, struct rt_chan *chan)
{
	chan->watched = false;
	chan->in.verb = RT_NOTHING;
	chan->out.verb = RT_NOTHING;
	chan->out.ended = false;
	switch (conn->state) {
	case RT_STATE_IDLE:
	case RT_STATE_HEAD:
		plan_head(conn, chan);
		break;
	case RT_STATE_BODY:
		plan_body(conn, chan);
		break;
	case RT_STATE_WAIT: /* what the client sends can wait */
		chan->deadline = conn->until;
		chan->watched =
			conn->until == RT_NEVER && is_watched(conn, chan);
		break;
	case RT_STATE_REPLY:
		plan_reply(conn, chan);
		break;
	case RT_STATE_FINISH:
		chan->deadline =
			later(conn->moved, conn->config->write_timeout);
		plan_drain(conn, &chan->in);
		chan->out.verb = RT_FINISH;
		chan->out.bare = conn->buffers->reply.struck.unnotified;
		break;
	case RT_STATE_DRAIN:
		chan->deadline = drain_deadline(conn);
		plan_drain(conn, &chan->in);
		break;
	case RT_STATE_OVER: /* nothing more: see rt_conn_end() */
		break;
	}
}
