/* SPDX-License-Identifier: MIT */
/*
 * What a connection wants: its state as the next operation inward, the next
 * one outward, and a deadline.
 */
#include "config.h"

#include "conn/conn_parts.h"

#define HEAD_ROOM 4096u       /* received at once while a head is read */
#define BODY_ROOM (64u << 10) /* and while a body is */

static const char interim[] = RT_INTERIM;

void
rt_conn_over(struct rt_conn *conn, enum retort_end end, enum rt_verb verb)
{
	conn->state = RT_STATE_OVER;
	conn->end = end;
	conn->asks = RT_ASK_NOTHING;
	conn->chan.in.verb = RT_NOTHING;
	conn->chan.out.verb = verb;
	conn->chan.deadline = RT_NEVER;
	if (is_datagram(conn))
		return; /* it has no connection to close */
	if (verb == RT_RESET)
		conn->server_close = RETORT_RST;
	else if (conn->server_close == RETORT_NOTHING)
		conn->server_close = RETORT_FIN;
}

void
rt_conn_over_answered(struct rt_conn *conn)
{
	rt_conn_over(conn,
		conn->buffers->reply.truncated ? RETORT_TRUNCATED :
						 RETORT_ANSWERED,
		RT_CLOSE);
}

static void
plan_receive(struct rt_conn *conn, size_t room)
{
	struct rt_buf *in = &conn->buffers->in;
	struct rt_op *op = &conn->chan.in;

	if (in->room - in->len < room / 4 &&
		rt_buf_reserve(in,
			room < in->max - in->len ? room : in->max - in->len) ==
			NULL) {
		rt_conn_over(conn, RETORT_FAILED, RT_CLOSE);
		return;
	}
	op->verb = RT_RECV;
	op->recv.data = in->data + in->len;
	op->recv.size = in->room - in->len;
	/* a piece is no longer, whatever memory there is */
	if (!is_http(conn) && op->recv.size > room)
		op->recv.size = room;
}

/* What arrives is read and dropped, within a bound. */
static void
plan_drain(struct rt_conn *conn)
{
	struct rt_op *op = &conn->chan.in;

	op->verb = RT_NOTHING;
	if (conn->client_finished || is_drained(conn) ||
		conn->buffers->reply.deaf)
		return;
	op->verb = RT_RECV;
	op->recv.data = conn->config->scratch;
	op->recv.size = conn->config->scratch_size;
}

/* When what comes is not read any more. */
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
rt_conn_must_drain(const struct rt_conn *conn)
{
	if (conn->client_finished || is_drained(conn))
		return false;
	if (is_half(conn))
		return true;
	/* what comes after a piece or a greeting is wanted, while there is more
	   to be said; at the end nobody knows whether all was read */
	if (conn->state == RT_STATE_REPLY &&
		(!is_http(conn) || conn->asked == RT_ASK_GREET))
		return false;
	if (!is_http(conn))
		return true;
	return conn->config->linger || !conn->complete || conn->may_have_more ||
		conn->drained > 0 ||
		conn->buffers->parsed < conn->buffers->in.len;
}

static void
plan_interim(struct rt_conn *conn)
{
	struct rt_op *op = &conn->chan.out;

	op->verb = RT_SEND;
	op->more = false;
	op->send.count = 1;
	op->send.pieces[0].iov_base = (char *)(uintptr_t)interim +
		RT_INTERIM_SIZE - conn->interim_left;
	op->send.pieces[0].iov_len = conn->interim_left;
}

static void
plan_bytes(struct rt_conn *conn)
{
	struct rt_op *op = &conn->chan.out;

	op->verb = RT_SEND;
	op->send.count = rt_play_pieces(&conn->buffers->play, op->send.pieces,
		RT_PIECES, &op->more);
	if (is_datagram(conn)) {
		op->verb = RT_SEND_TO;
		op->send.to = &conn->buffers->from;
	}
}

void
rt_conn_clear(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;

	rt_buf_clear(&buffers->in, RT_KEPT_IN);
	rt_buf_clear(&buffers->content, RT_KEPT_IN);
	buffers->parsed = 0;
	buffers->dropped = 0;
	buffers->keep = SIZE_MAX;
	buffers->keep_raw = SIZE_MAX;
	buffers->reading = (struct rt_reading){.early = false};
	rt_http_reset(buffers->http, &conn->config->limits);
	rt_reply_reset(&buffers->reply);
	conn->buffers->play.reply = NULL;
	conn->buffers->play.sent = 0;
}

void
rt_conn_finish(struct rt_conn *conn)
{
	conn->state = RT_STATE_FINISH;
	conn->chan.in.verb = RT_NOTHING;
	conn->chan.out.verb = RT_FINISH;
}

static void
next(struct rt_conn *conn)
{
	if (conn->last || conn->client_finished) {
		rt_conn_finish(conn);
		return;
	}
	conn->state = RT_STATE_IDLE;
	conn->asked = RT_ASK_NOTHING;
	conn->head_told = false;
	conn->replied = false;
	rt_conn_clear(conn);
	rt_conn_plan(conn);
}

/* A datagram's reply ends with what was sent: all endings are the same. */
static void
over_datagram(struct rt_conn *conn)
{
	rt_conn_over(conn, conn->answered ? RETORT_ANSWERED : RETORT_UNANSWERED,
		RT_CLOSE);
}

static void
plan_file(struct rt_conn *conn)
{
	struct rt_op *op = &conn->chan.out;

	if (is_datagram(conn)) {
		rt_conn_over(conn, RETORT_FAILED, RT_CLOSE); /* too long */
		return;
	}
	op->verb = RT_FILE;
	op->file.fd = conn->buffers->play.reply->file;
	op->file.size = rt_play_file(&conn->buffers->play, &op->file.at);
}

/* Nothing is read: its FIN is noted, but may stand behind what it has sent. */
static void
watch_client(struct rt_conn *conn)
{
	conn->chan.watched = conn->chan.in.verb == RT_NOTHING &&
		conn->client_close == RETORT_NOTHING;
}

/* The one step that a FIN ends: the client may have left. */
static void
plan_stall(struct rt_conn *conn)
{
	conn->chan.out.verb = RT_NOTHING;
	conn->chan.deadline = RT_NEVER;
	if (conn->client_close == RETORT_FIN) {
		rt_conn_over(conn, RETORT_RESET, RT_CLOSE);
		return;
	}
	plan_drain(conn);
	watch_client(conn);
}

static void
plan_step(struct rt_conn *conn)
{
	switch (rt_play_next(&conn->buffers->play)) {
	case RT_STEP_TEXT:
	case RT_STEP_BYTES:
	case RT_STEP_REPEAT:
		plan_bytes(conn);
		break;
	case RT_STEP_FILE:
		plan_file(conn);
		break;
	case RT_STEP_FLUSH:
		conn->chan.out.verb = RT_FLUSH;
		break;
	case RT_STEP_PAUSE:
		conn->chan.out.verb = RT_NOTHING;
		watch_client(conn);
		conn->chan.deadline =
			conn->moved + rt_play_pause(&conn->buffers->play);
		break;
	case RT_STEP_STALL:
		plan_stall(conn);
		break;
	case RT_STEP_NEXT:
		next(conn);
		break;
	case RT_STEP_HALF:
	case RT_STEP_CLOSE:
		conn->state = RT_STATE_FINISH;
		conn->chan.out.verb = RT_FINISH;
		break;
	case RT_STEP_RESET:
		rt_conn_over(conn, RETORT_ANSWERED, RT_RESET);
		break;
	}
}

static void
plan_reply(struct rt_conn *conn)
{
	conn->chan.deadline = later(conn->moved, conn->config->write_timeout);
	if (is_datagram(conn) &&
		rt_play_next(&conn->buffers->play) >= RT_STEP_NEXT) {
		over_datagram(conn);
		return;
	}
	if (rt_conn_must_drain(conn))
		plan_drain(conn);
	else
		conn->chan.in.verb = RT_NOTHING;
	if (conn->interim_left > 0)
		plan_interim(conn);
	else
		plan_step(conn);
}

/* A body that is to be read slowly, or not to its end. */
static void
plan_reading(struct rt_conn *conn)
{
	const struct rt_reading *reading = &conn->buffers->reading;
	struct rt_chan *chan = &conn->chan;
	uint64_t most = UINT64_MAX;

	if (reading->stops)
		most = reading->stop - body_came(conn);
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

void
rt_conn_plan(struct rt_conn *conn)
{
	const struct rt_conn_config *config = conn->config;
	struct rt_chan *chan = &conn->chan;

	chan->watched = false;
	switch (conn->state) {
	case RT_STATE_IDLE:
	case RT_STATE_HEAD:
		chan->out.verb = RT_NOTHING;
		chan->deadline = is_http(conn) ?
			later(conn->began, config->head_timeout) :
			later(conn->moved, config->idle_timeout);
		plan_receive(conn, is_http(conn) ? HEAD_ROOM : BODY_ROOM);
		break;
	case RT_STATE_BODY:
		chan->out.verb = RT_NOTHING;
		if (conn->interim_left > 0)
			plan_interim(conn);
		chan->deadline = later(conn->moved, config->body_timeout);
		plan_receive(conn, BODY_ROOM);
		if (conn->state == RT_STATE_BODY)
			plan_reading(conn);
		break;
	case RT_STATE_WAIT:
		/* its deadline is set; what the client sends can wait */
		chan->in.verb = RT_NOTHING;
		chan->out.verb = RT_NOTHING;
		if (chan->deadline == RT_NEVER)
			watch_client(conn);
		break;
	case RT_STATE_REPLY:
		plan_reply(conn);
		break;
	case RT_STATE_DRAIN:
		chan->out.verb = RT_NOTHING;
		chan->deadline = drain_deadline(conn);
		plan_drain(conn);
		break;
	case RT_STATE_FINISH:
	case RT_STATE_OVER:
		break;
	}
}
