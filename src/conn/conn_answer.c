/* SPDX-License-Identifier: MIT */
/*
 * What the owner of a connection says to a question: enum rt_ask. Everything
 * here ends with rt_conn_go_on(), unless there is another question.
 */
#include "config.h"

#include "conn/conn_parts.h"

#include <assert.h>

/* --- the body of a request --- */

/* Whether some of it may not be there yet. */
static bool
lacks_body(const struct rt_conn *conn)
{
	const struct rt_request *request = conn->buffers->request;

	return request->chunked || body_came(conn) < request->content_length;
}

/* 100 (Continue), at once unless it was asked for otherwise. */
static void
expect_body(struct rt_conn *conn)
{
	int64_t delay = conn->buffers->reading.delay;

	if (delay == 0)
		conn->interim_left = rt_conn_interim(conn);
	else if (delay != RT_NEVER)
		conn->rest = RT_REST_CONTINUE;
}

/* `expects`: it may wait for 100 (Continue). */
static inline void
read_body(struct rt_conn *conn, bool expects)
{
	rt_conn_parse(conn);
	if (expects && conn->asks == RT_ASK_NOTHING)
		expect_body(conn);
	rt_conn_go_on(conn);
}

void
rt_conn_set_reading(struct rt_conn *conn, const struct rt_reading *reading)
{
	conn->buffers->reading = *reading;
}

void
rt_conn_want_body(struct rt_conn *conn, uint64_t max, size_t keep, int64_t now)
{
	struct rt_buffers *buffers = conn->buffers;
	const struct rt_request *request = buffers->request;
	bool expects;

	assert(conn->asks == RT_ASK_ROUTE);
	conn->moved = now;
	if (!request->has_body) {
		conn->complete = true;
		ask(conn, RT_ASK_ANSWER);
		return;
	}
	/* what arrives during an early reply finds this room: see
	   plan_rest() */
	if (buffers->reading.early && lacks_body(conn) &&
		!rt_conn_reserve(conn)) {
		rt_conn_fail(conn);
		return;
	}
	conn->asks = RT_ASK_NOTHING;
	/* a body that is not read cannot be too large */
	conn->max_body = buffers->reading.stops ? UINT64_MAX : max;
	buffers->keep = SIZE_MAX;
	rt_conn_keep(conn, keep);
	/* RFC 9110 10.1.1: not when some of the body has arrived already */
	expects =
		request->expects_continue && buffers->parsed == buffers->in.len;
	if (request->content_length > conn->max_body && !buffers->reading.early)
		rt_conn_refuse(conn, 413, "the body is too large");
	else
		read_body(conn, expects);
}

void
rt_conn_read_on(struct rt_conn *conn, uint64_t size, int64_t now)
{
	struct rt_buffers *buffers = conn->buffers;
	const struct rt_request *request = buffers->request;
	/* at the head there was no reason for it yet */
	bool expects = request->expects_continue && body_came(conn) == 0;

	assert(conn->asks == RT_ASK_ANSWER && conn->state == RT_STATE_BODY);
	conn->asks = RT_ASK_NOTHING;
	buffers->reading.early = size > 0;
	buffers->reading.early_at = size;
	buffers->shown = 0;
	conn->moved = now;
	if (request->content_length > conn->max_body && size == 0)
		rt_conn_refuse(conn, 413, "the body is too large");
	else
		read_body(conn, expects);
}

void
rt_conn_told(struct rt_conn *conn)
{
	assert(conn->asks == RT_ASK_TELL);
	conn->asks = RT_ASK_NOTHING;
	rt_conn_drop_body(conn);
	rt_conn_go_on(conn);
}

/* --- a request that is refused --- */

bool
rt_conn_see_refused(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	bool last = buffers->overdue || conn->coming == RT_COMING_NOTHING;

	assert(conn->asks == RT_ASK_REFUSE);
	if (!rt_http_see_refused(buffers->http, buffers->in.data,
		    buffers->in.len, last)) {
		conn->asks = RT_ASK_NOTHING;
		rt_conn_go_on(conn);
		return false;
	}
	if (conn->state < RT_STATE_BODY)
		buffers->parsed = buffers->request->head_size;
	if (buffers->shows_all)
		buffers->shown = buffers->in.len;
	/* nobody knows where a body ends that is too large or broke off */
	else if (conn->status == 413)
		buffers->shown = buffers->request->head_size;
	else if (!last)
		buffers->shown = buffers->parsed;
	return true;
}

/* Whether more has arrived than its owner sees. */
static bool
hides_some(const struct rt_conn *conn)
{
	bool cut;

	return !conn->buffers->shows_all &&
		rt_conn_raw(conn, &cut) < conn->buffers->in.len;
}

bool
rt_conn_may_read_refused(const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;

	return hides_some(conn) ||
		(!buffers->overdue && conn->coming != RT_COMING_NOTHING &&
			buffers->in.len < buffers->in.max);
}

void
rt_conn_read_refused(struct rt_conn *conn, int64_t now)
{
	assert(conn->asks == RT_ASK_REFUSE && rt_conn_may_read_refused(conn));
	if (!hides_some(conn))
		conn->asks = RT_ASK_NOTHING;
	conn->buffers->shows_all = true;
	conn->buffers->reading = (struct rt_reading){.early = false};
	conn->rest = RT_REST_NOTHING;
	conn->moved = now;
	rt_conn_go_on(conn);
}

/* --- its reply --- */

/* Who wants what arrives while it is sent. */
static enum rt_coming
coming(const struct rt_conn *conn)
{
	const struct rt_reply *reply = &conn->buffers->reply;

	if (conn->coming == RT_COMING_NOTHING)
		return RT_COMING_NOTHING;
	if (reply->struck.deaf)
		return RT_COMING_UNREAD;
	if (!rt_conn_is_http(conn) || conn->asked == RT_ASK_GREET)
		return RT_COMING_NEXT;
	if (rt_reply_ending(reply) != RT_STEP_NEXT)
		return RT_COMING_UNWANTED;
	if (conn->complete || conn->asked != RT_ASK_ANSWER)
		return RT_COMING_NEXT;
	/* a body too large to be read: the connection will be closed */
	return conn->buffers->request->content_length > RT_DRAIN_BYTES ?
		RT_COMING_UNWANTED :
		RT_COMING_BODY;
}

void
rt_conn_answer(struct rt_conn *conn, int64_t now)
{
	const struct rt_request *request = conn->buffers->request;

	assert(conn->asks != RT_ASK_NOTHING);
	/* routed and answered at once, with no body to wait for */
	if (conn->state == RT_STATE_BODY && !request->has_body)
		conn->complete = true;
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_REPLY;
	conn->rest = RT_REST_NOTHING;
	rt_play_begin(&conn->buffers->play, &conn->buffers->reply);
	conn->coming = coming(conn);
	/* nobody will look at it, and it needs room, where what has arrived may
	   have taken all */
	if (conn->coming == RT_COMING_BODY) {
		rt_conn_keep(conn, 0);
		rt_conn_drop_body(conn);
	}
	conn->idle_timeout = conn->buffers->reply.idle != 0 ?
		conn->buffers->reply.idle :
		conn->config->idle_timeout;
	conn->moved = now;
	/* a 100 (Continue) that was not begun is not wanted any more */
	if (conn->interim_left % RT_INTERIM_SIZE == 0)
		conn->interim_left = 0;
	conn->until = 0;
	rt_conn_go_on(conn);
}

void
rt_conn_defer(struct rt_conn *conn, int64_t until)
{
	assert(conn->asks == RT_ASK_ANSWER || conn->asks == RT_ASK_GREET ||
		conn->asks == RT_ASK_NEXT || conn->asks == RT_ASK_REFUSE);
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_WAIT;
	conn->until = until;
	conn->may_have_more = true;
	rt_conn_go_on(conn);
}

void
rt_conn_replied(struct rt_conn *conn)
{
	assert(conn->state == RT_STATE_WAIT);
	conn->asks = RT_ASK_SEND;
}

void
rt_conn_give(struct rt_conn *conn, const char *bytes, size_t size, bool ends,
	int64_t now)
{
	assert(conn->asks == RT_ASK_MORE);
	conn->asks = RT_ASK_NOTHING;
	conn->rest = size == 0 && !ends ? RT_REST_MORE : RT_REST_NOTHING;
	conn->may_have_more = true;
	conn->moved = now;
	rt_play_give(&conn->buffers->play, bytes, size, ends);
	rt_conn_go_on(conn);
}

void
rt_conn_pushed(struct rt_conn *conn)
{
	if (conn->state != RT_STATE_REPLY || conn->rest != RT_REST_MORE)
		return;
	conn->rest = RT_REST_NOTHING;
	conn->asks = RT_ASK_MORE;
}

/* --- the next request, or piece --- */

void
rt_conn_done(struct rt_conn *conn, int64_t now)
{
	assert(conn->asks == RT_ASK_DONE);
	conn->asks = RT_ASK_NOTHING;
	rt_conn_end_exchange(conn, now);
	rt_conn_go_on(conn);
}

void
rt_conn_next(struct rt_conn *conn, int64_t now)
{
	assert(conn->asks == RT_ASK_NEXT);
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_IDLE; /* it may have been put off */
	conn->moved = now;
	rt_conn_take(conn, 0);
	rt_conn_go_on(conn);
}

void
rt_conn_more(struct rt_conn *conn)
{
	assert(conn->asks == RT_ASK_ANSWER && conn->complete);
	conn->asks = RT_ASK_NOTHING;
	conn->complete = false;
	conn->state = RT_STATE_HEAD;
	rt_conn_take(conn, 0);
	rt_conn_go_on(conn);
}
