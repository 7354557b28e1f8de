/* SPDX-License-Identifier: MIT */
/* What follows by itself, after whatever has happened. */
#include "config.h"

#include "conn/conn_parts.h"

bool
rt_conn_reserve(struct rt_conn *conn)
{
	struct rt_buf *in = &conn->buffers->in;
	size_t room = receive_room(conn);

	if (in->room - in->len >= room / 4)
		return true;
	return rt_buf_reserve(in,
		       room < in->max - in->len ? room : in->max - in->len) !=
		NULL;
}

/* Whether it has sent more than its request, or will not. */
static bool
has_said_more(const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;

	return conn->drained > 0 || buffers->in.len > buffers->parsed ||
		conn->client_close != RETORT_NOTHING;
}

void
rt_conn_end_script(struct rt_conn *conn)
{
	switch (rt_play_next(&conn->buffers->play)) {
	case RT_STEP_NEXT:
		if (!reads_rest(conn))
			rt_conn_await_next(conn);
		break;
	case RT_STEP_HALF:
		conn->may_have_more = true;
		rt_conn_finish(conn);
		break;
	case RT_STEP_CLOSE:
		rt_conn_finish(conn);
		break;
	case RT_STEP_RESET:
		rt_conn_end(conn, RETORT_ANSWERED, RETORT_RST);
		break;
	case RT_STEP_MORE:
		if (conn->rest != RT_REST_MORE)
			conn->asks = RT_ASK_MORE;
		else if (conn->client_close == RETORT_FIN)
			rt_conn_end(conn, RETORT_RESET, RETORT_FIN);
		break;
	case RT_STEP_AWAIT:
		if (!has_said_more(conn))
			break;
		rt_play_waited(&conn->buffers->play);
		rt_conn_end_script(conn);
		break;
	case RT_STEP_STALL: /* the client may have left */
		if (conn->client_close == RETORT_FIN)
			rt_conn_end(conn, RETORT_RESET, RETORT_FIN);
		break;
	default:
		break;
	}
}

static void
go_on_receiving(struct rt_conn *conn)
{
	if (rt_conn_reserve(conn))
		rt_conn_plan(conn, &conn->chan);
	else
		rt_conn_fail(conn);
}

/* The rest of the body comes first, of which somebody may be told. */
static void
go_on_replying(struct rt_conn *conn)
{
	if (reads_rest(conn) && conn->buffers->parsed < conn->buffers->in.len)
		rt_conn_take_rest(conn);
	if (conn->interim_left == 0 && conn->asks == RT_ASK_NOTHING)
		rt_conn_end_script(conn);
	if (conn->asks != RT_ASK_NOTHING || conn->state == RT_STATE_OVER)
		return;
	if (awaits_rest(conn))
		go_on_receiving(conn);
	else
		rt_conn_plan(conn, &conn->chan);
}

void
rt_conn_go_on(struct rt_conn *conn)
{
	if (conn->asks != RT_ASK_NOTHING)
		return;
	if (conn->state <= RT_STATE_BODY)
		go_on_receiving(conn);
	else if (conn->state == RT_STATE_OVER)
		return;
	else if (conn->state != RT_STATE_REPLY)
		rt_conn_plan(conn, &conn->chan);
	else if (is_datagram(conn))
		rt_conn_go_on_datagram(conn);
	else
		go_on_replying(conn);
}
