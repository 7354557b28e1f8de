/* SPDX-License-Identifier: MIT */
/*
 * One exchange after another: whether a connection may be kept, the end of one
 * exchange, and the beginning of the next.
 */
#include "config.h"

#include "conn/conn_parts.h"

#include <string.h>

void
rt_conn_finish(struct rt_conn *conn)
{
	conn->state = RT_STATE_FINISH;
	if (conn->coming != RT_COMING_NOTHING &&
		conn->coming != RT_COMING_UNREAD)
		conn->coming = must_drain(conn) ? RT_COMING_UNWANTED :
						  RT_COMING_UNREAD;
}

/* Bytes that have arrived after the request. */
static size_t
come_after(const struct rt_buffers *buffers)
{
	return buffers->in.len - buffers->parsed;
}

/* The request is answered: nothing of it is kept. Bytes that have arrived after
   it are the next one's. */
static void
forget_request(struct rt_buffers *buffers)
{
	struct rt_buf *in = &buffers->in;
	size_t left = come_after(buffers);

	if (left > 0) {
		memmove(in->data, in->data + buffers->parsed, left);
		in->len = left;
	} else {
		rt_buf_clear(in, RT_KEPT_IN);
	}
	rt_buf_clear(&buffers->content, RT_KEPT_IN);
	rt_reply_reset(&buffers->reply);
	buffers->play.reply = NULL;
	buffers->play.sent = 0;
}

void
rt_conn_clear(struct rt_buffers *buffers)
{
	buffers->parsed = buffers->in.len;
	forget_request(buffers);
}

void
rt_conn_begin_request(const struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	size_t most = conn->config->max_in;

	if (!rt_conn_is_http(conn) && most < RT_MAX_PIECE)
		most = RT_MAX_PIECE;
	rt_conn_hold(buffers, most);
	buffers->parsed = 0;
	buffers->dropped = 0;
	buffers->shown = 0;
	buffers->overdue = false;
	buffers->shows_all = false;
	buffers->keep = SIZE_MAX;
	buffers->keep_raw = SIZE_MAX;
	buffers->reading = (struct rt_reading){.early = false};
	rt_http_reset(buffers->http, &conn->config->limits);
}

/* Whether all of the request was read, so that what follows is the next. */
static bool
is_read(const struct rt_conn *conn)
{
	return conn->state >= RT_STATE_BODY &&
		(conn->complete || !conn->buffers->request->has_body);
}

/* Whether its head was refused, and it is nothing but this head. */
static bool
is_refused_head(const struct rt_conn *conn)
{
	return conn->state == RT_STATE_HEAD && conn->asked == RT_ASK_REFUSE &&
		conn->buffers->request->bare && !conn->buffers->shows_all;
}

/* Whether all of it will have been read when an early reply was sent, or after
   that. Who waits for 100 (Continue), and gets the reply in its place, may send
   no body. */
static bool
will_be_read(const struct rt_conn *conn)
{
	const struct rt_request *request = conn->buffers->request;

	return conn->asked == RT_ASK_ANSWER && conn->buffers->reading.early &&
		request->content_length <= RT_DRAIN_BYTES &&
		(!request->expects_continue || body_came(conn) > 0);
}

enum rt_keep
rt_conn_may_keep(const struct rt_conn *conn)
{
	const struct rt_conn_config *config = conn->config;
	const struct rt_request *request = conn->buffers->request;

	if (conn->last || conn->asked == RT_ASK_GREET)
		return RT_KEEP_NOT;
	/* the answer to a refused one was put off: as it was found then */
	if (conn->state == RT_STATE_WAIT && conn->asked == RT_ASK_REFUSE)
		return conn->buffers->reply.keep;
	if (!is_read(conn))
		return will_be_read(conn) || is_refused_head(conn) ?
			RT_KEEP_TOLD :
			RT_KEEP_NOT;
	if (!config->keep_alive ||
		(config->exchanges > 0 && conn->nth >= config->exchanges) ||
		!rt_http_persists(request, conn->buffers->in.data))
		return RT_KEEP_TOLD;
	return request->minor > 0 ? RT_KEEP : RT_KEEP_SAID;
}

/* What the connection speaks after this step, RT_STEP_NEXT. */
static enum retort_protocol
protocol_after(const struct rt_conn *conn, const struct rt_step *step)
{
	switch ((enum retort_next)step->at) {
	case RETORT_NEXT_HTTP:
	case RETORT_NEXT_TLS_HTTP:
		return RETORT_HTTP;
	case RETORT_NEXT_BYTES:
	case RETORT_NEXT_TLS_BYTES:
		return RETORT_TCP;
	default:
		return conn->protocol;
	}
}

/* A greeting is no exchange, and pieces are one as long as they follow each
   other. */
bool
rt_conn_ends_exchange(const struct rt_conn *conn)
{
	return conn->asked != RT_ASK_GREET &&
		(rt_conn_is_http(conn) ||
			protocol_after(conn, conn->buffers->play.step) ==
				RETORT_HTTP);
}

bool
rt_conn_may_say(const struct rt_conn *conn)
{
	const struct rt_reply *reply;
	const struct rt_step *last;

	if (conn->last || conn->state > RT_STATE_REPLY)
		return false;
	if (conn->state < RT_STATE_REPLY)
		return conn->protocol == RETORT_TCP;
	reply = &conn->buffers->reply;
	last = reply->steps + reply->step_count - 1;
	return last->kind == RT_STEP_NEXT &&
		protocol_after(conn, last) == RETORT_TCP;
}

bool
rt_conn_is_between_pieces(const struct rt_conn *conn)
{
	return conn->state == RT_STATE_IDLE && conn->asks == RT_ASK_NOTHING &&
		rt_conn_may_say(conn);
}

void
rt_conn_say(struct rt_conn *conn)
{
	ask(conn, RT_ASK_SAY);
}

static void
begin_next(struct rt_conn *conn)
{
	conn->protocol = protocol_after(conn, conn->buffers->play.step);
	conn->state = RT_STATE_IDLE;
	conn->asked = RT_ASK_NOTHING;
	conn->coming = RT_COMING_REQUEST;
	conn->complete = false;
	conn->status = 0;
	conn->reason = NULL;
	forget_request(conn->buffers);
	rt_conn_begin_request(conn);
	if (conn->buffers->in.len > 0)
		ask(conn, RT_ASK_NEXT);
}

void
rt_conn_await_next(struct rt_conn *conn)
{
	bool unread = rt_conn_ends_exchange(conn) && !conn->complete &&
		conn->buffers->request->has_body;

	if (conn->last || conn->coming == RT_COMING_NOTHING || unread) {
		rt_conn_finish(conn);
	} else if (rt_conn_ends_exchange(conn) || rt_conn_begins_tls(conn)) {
		/* they are the next one's */
		conn->received -= come_after(conn->buffers);
		if (rt_conn_ends_exchange(conn))
			conn->end = RETORT_ANSWERED;
		conn->asks = RT_ASK_DONE;
	} else {
		begin_next(conn);
	}
}

bool
rt_conn_begins_tls(const struct rt_conn *conn)
{
	return conn->buffers->play.step->at >= RETORT_NEXT_TLS;
}

const char *
rt_conn_rest(const struct rt_conn *conn, size_t *size)
{
	const struct rt_buffers *buffers = conn->buffers;

	*size = come_after(buffers);
	return *size > 0 ? buffers->in.data + buffers->parsed : "";
}

void
rt_conn_drop_rest(struct rt_conn *conn)
{
	conn->buffers->in.len = conn->buffers->parsed;
}

void
rt_conn_end_exchange(struct rt_conn *conn, int64_t now)
{
	if (rt_conn_ends_exchange(conn)) {
		conn->end = RETORT_OPEN;
		conn->ended = conn->nth;
		conn->status = 0;
		conn->received = 0;
		conn->sent = 0;
		conn->drained = 0;
	}
	conn->received += come_after(conn->buffers);
	/* who shakes hands has read what came before */
	if (rt_conn_begins_tls(conn))
		conn->sent_in_all = 0;
	conn->moved = now;
	begin_next(conn);
	/* it was stopped meanwhile */
	if (conn->last) {
		conn->asks = RT_ASK_NOTHING;
		rt_conn_finish(conn);
	}
}
