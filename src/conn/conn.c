/* SPDX-License-Identifier: MIT */
/*
 * The connection's state machine; see the diagram in conn.h. Fed by server.c
 * with the results of operations; makes no system call, so that a test can
 * drive it byte by byte on a virtual clock.
 *
 * Every event ends with rt_conn_go_on(), unless the connection is over.
 */
#include "config.h"

#include "conn/conn_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* The time until the kernel is asked again whether all sent bytes have left. */
#define FLUSH_PAUSE (1 * RT_MS)

struct rt_buffers *
rt_buffers_new(void)
{
	struct rt_buffers *buffers = calloc(1, sizeof *buffers);

	if (buffers == NULL)
		return NULL;
	rt_buf_init(&buffers->in, 0);
	rt_buf_init(&buffers->content, 0);
	rt_reply_init(&buffers->reply);
	buffers->http = rt_http_new();
	if (buffers->http == NULL) {
		rt_buffers_free(buffers);
		return NULL;
	}
	buffers->request = rt_http_request(buffers->http);
	return buffers;
}

void
rt_buffers_free(struct rt_buffers *buffers)
{
	if (buffers == NULL)
		return;
	rt_buf_free(&buffers->in);
	rt_buf_free(&buffers->content);
	rt_reply_free(&buffers->reply);
	rt_http_free(buffers->http);
	free(buffers);
}

/* --- opening, and the buffers on loan --- */

void
rt_conn_open(struct rt_conn *conn, int fd, const struct rt_peer *peer,
	const struct rt_conn_config *config, int64_t now)
{
	rt_chan_init(&conn->chan, fd, 0);
	rt_clear(&conn->asks, sizeof *conn - offsetof(struct rt_conn, asks));
	conn->protocol = config->protocol;
	conn->config = config;
	conn->peer = *peer;
	conn->local = peer->family == AF_UNIX;
	conn->accepted = conn->began = conn->moved = now;
	conn->idle_timeout = config->idle_timeout;
	conn->chan.in.verb = RT_RECV;
	conn->chan.deadline = later(now,
		rt_conn_is_http(conn) ? config->head_timeout :
					config->idle_timeout);
}

int
rt_conn_lend(struct rt_conn *conn, struct rt_buffers *buffers)
{
	conn->buffers = buffers;
	buffers->reply.always = conn->config->always;
	rt_conn_begin_request(conn);
	rt_conn_go_on(conn);
	return conn->state == RT_STATE_OVER ? -ENOMEM : 0;
}

struct rt_buffers *
rt_conn_unlend(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;

	conn->buffers = NULL;
	/* while it is IDLE nothing has arrived */
	if (buffers != NULL && conn->state != RT_STATE_IDLE)
		rt_conn_clear(buffers);
	return buffers;
}

void
rt_conn_greet(struct rt_conn *conn)
{
	ask(conn, RT_ASK_GREET);
}

/* --- what comes --- */

static void
receive_end(struct rt_conn *conn, int64_t now)
{
	conn->coming = RT_COMING_NOTHING;
	rt_conn_client_closed(conn, RETORT_FIN);
	switch (conn->state) {
	case RT_STATE_IDLE:
		conn->moved = now;
		if (conn->nth > 0)
			rt_conn_finish(conn);
		else
			rt_conn_end(conn, RETORT_CLOSED, RETORT_FIN);
		break;
	case RT_STATE_HEAD:
	case RT_STATE_BODY:
		if (rt_conn_is_http(conn))
			rt_conn_refuse(conn, 400, "incomplete request");
		else
			rt_conn_last_piece(conn);
		break;
	case RT_STATE_DRAIN:
		rt_conn_end_answered(conn, false);
		break;
	default:
		break;
	}
}

static void
receive(struct rt_conn *conn, size_t size, int64_t now)
{
	struct rt_buffers *buffers = conn->buffers;
	size_t known;

	if (conn->state > RT_STATE_BODY && !reads_rest(conn)) {
		conn->drained += size;
		if (conn->state == RT_STATE_DRAIN)
			conn->moved = now;
		return;
	}
	known = buffers->in.len - buffers->parsed;
	buffers->in.len += size;
	/* a reply that is under way has a time of its own */
	if (conn->state <= RT_STATE_BODY || awaits_rest(conn))
		conn->moved = now;
	/* of the rest of a body, rt_conn_go_on() takes care */
	if (conn->state <= RT_STATE_BODY)
		rt_conn_take(conn, known);
}

void
rt_conn_in_done(struct rt_conn *conn, int64_t result, int64_t now)
{
	assert(conn->chan.in.verb == RT_RECV);
	if (result < 0) {
		/* after the reply's FIN a reset takes nothing from it that we
		   could know of: the client may have read it all */
		rt_conn_end_failed(conn, result);
		return;
	}
	if (result == 0) {
		receive_end(conn, now);
	} else {
		conn->received += (uint64_t)result;
		conn->may_have_more = (size_t)result == conn->chan.in.recv.size;
		receive(conn, (size_t)result, now);
	}
	/* it may not get to see the reply */
	if (conn->state == RT_STATE_DRAIN && is_drained(conn))
		rt_conn_end_answered(conn, true);
	rt_conn_go_on(conn);
}

/* Its FIN, while nothing is read: what it sent before may be unread. */
void
rt_conn_ended(struct rt_conn *conn)
{
	rt_conn_client_closed(conn, RETORT_FIN);
	rt_conn_go_on(conn);
}

/* --- what was sent --- */

static void
flushed(struct rt_conn *conn, int64_t result, int64_t now)
{
	if (result == -EAGAIN) {
		conn->until = now + FLUSH_PAUSE;
		rt_conn_go_on(conn);
		return;
	}
	if (result < 0) {
		rt_conn_end_failed(conn, result);
		return;
	}
	conn->moved = now;
	rt_play_waited(&conn->buffers->play);
	rt_conn_go_on(conn);
}

static void
finished(struct rt_conn *conn, int64_t result, int64_t now)
{
	/* shutdown(2) fails only when the connection is gone */
	if (result < 0) {
		rt_conn_broken(conn);
		return;
	}
	conn->server_close = RETORT_FIN;
	conn->state = RT_STATE_DRAIN;
	conn->moved = now;
	conn->drain_began = now;
	if (conn->coming != RT_COMING_UNWANTED) {
		rt_conn_end_answered(conn, false);
		return;
	}
	/* its client may stay for a while, and files are not without limit */
	rt_reply_close_file(&conn->buffers->reply);
	rt_conn_plan(conn, &conn->chan);
}

/* A file has become shorter: nothing more can be said. */
static void
lack(struct rt_conn *conn)
{
	conn->buffers->reply.truncated = true;
	conn->may_have_more = true;
	rt_conn_finish(conn);
	rt_conn_go_on(conn);
}

static void
sent(struct rt_conn *conn, int64_t result, int64_t now)
{
	const struct rt_op *out = &conn->chan.out;

	if (result < 0) {
		rt_conn_end_failed(conn, result);
		return;
	}
	conn->moved = now;
	conn->sent += (uint64_t)result;
	conn->sent_in_all += (uint64_t)result;
	/* a reply that takes time may be overtaken by what the client sends
	   meanwhile, and must not be lost to it */
	if (!out->ended && (uint64_t)result < rt_op_size(out))
		conn->may_have_more = true;
	if (conn->interim_left > 0)
		conn->interim_left -= (uint8_t)result;
	else
		rt_play_sent(&conn->buffers->play, (uint64_t)result);
	if (!out->ended) {
		rt_conn_go_on(conn);
		return;
	}
	rt_conn_end_script(conn);
	finished(conn, 0, now);
}

void
rt_conn_out_done(struct rt_conn *conn, int64_t result, int64_t now)
{
	switch (conn->chan.out.verb) {
	case RT_SEND_TO:
		rt_conn_datagram_sent(conn, result, now);
		break;
	case RT_TELL:
	case RT_FLUSH:
		flushed(conn, result, now);
		break;
	case RT_FINISH:
		finished(conn, result, now);
		break;
	case RT_FILE:
		if (result == 0)
			lack(conn);
		else
			sent(conn, result, now);
		break;
	default:
		sent(conn, result, now);
		break;
	}
}

/* Whether the client has taken nothing for all of its time. */
static bool
is_overdue(const struct rt_conn *conn, int64_t now)
{
	return later(conn->moved, conn->config->write_timeout) <= now;
}

/* Whether what was sent is to leave before anything else happens. */
static bool
flushes(const struct rt_conn *conn)
{
	return conn->state == RT_STATE_REPLY && conn->interim_left == 0 &&
		rt_play_next(&conn->buffers->play) == RT_STEP_FLUSH;
}

bool
rt_conn_is_held_up(const struct rt_conn *conn, int64_t now)
{
	enum rt_verb verb = conn->chan.out.verb;

	return is_overdue(conn, now) &&
		(conn->state == RT_STATE_FINISH || flushes(conn) ||
			(conn->state == RT_STATE_REPLY &&
				(verb == RT_SEND || verb == RT_FILE)));
}

void
rt_conn_took(struct rt_conn *conn, int64_t when)
{
	if (when <= conn->moved)
		return;
	conn->moved = when;
	rt_conn_go_on(conn);
}

/* --- everything else that can happen --- */

/* No other request has come: what was sent last may still be on its way. */
static void
expire_idle(struct rt_conn *conn, int64_t now)
{
	if (!has_sent_much(conn)) {
		rt_conn_end(conn, RETORT_TIMED_OUT, RETORT_FIN);
		return;
	}
	conn->end = RETORT_TIMED_OUT;
	conn->moved = now;
	rt_conn_finish(conn);
	rt_conn_go_on(conn);
}

/* A pause is over, or the client has had its time. */
static void
expire_reply(struct rt_conn *conn, int64_t now)
{
	bool sends = conn->interim_left > 0;
	enum rt_step_kind next = rt_play_next(&conn->buffers->play);

	if (is_datagram(conn)) {
		rt_conn_datagram_expired(conn, now);
	} else if (!sends && (next == RT_STEP_PAUSE || next == RT_STEP_AWAIT)) {
		rt_play_waited(&conn->buffers->play);
		conn->moved = now;
		conn->may_have_more = true;
		rt_conn_go_on(conn);
	} else if (awaits_rest(conn)) {
		conn->coming = RT_COMING_NEXT;
		rt_conn_go_on(conn);
	} else if (flushes(conn) && conn->until != 0 &&
		!is_overdue(conn, conn->until)) {
		/* a server that was late has not looked since */
		conn->until = 0;
		rt_conn_go_on(conn);
	} else {
		rt_conn_end(conn, RETORT_TIMED_OUT, RETORT_RST);
	}
}

static void
expire_body(struct rt_conn *conn, int64_t now)
{
	if (conn->rest == RT_REST_NOTHING) {
		conn->buffers->overdue = true;
		rt_conn_refuse(conn, 408, "the body took too long");
		return;
	}
	if (conn->rest == RT_REST_CONTINUE)
		conn->interim_left = rt_conn_interim(conn);
	conn->rest = RT_REST_NOTHING;
	conn->moved = now;
	rt_conn_go_on(conn);
}

void
rt_conn_expired(struct rt_conn *conn, int64_t now)
{
	switch (conn->state) {
	case RT_STATE_IDLE:
		expire_idle(conn, now);
		break;
	case RT_STATE_HEAD:
		conn->buffers->overdue = true;
		if (rt_conn_is_http(conn))
			rt_conn_refuse(conn, 408, "the head took too long");
		else
			rt_conn_late_piece(conn);
		break;
	case RT_STATE_BODY:
		expire_body(conn, now);
		break;
	case RT_STATE_WAIT:
		conn->asks = conn->asked;
		break;
	case RT_STATE_REPLY:
		expire_reply(conn, now);
		break;
	case RT_STATE_DRAIN:
		/* who has sent nothing for a while has had its time to read;
		   another may not get to see the reply */
		rt_conn_end_answered(conn, now - conn->moved < RT_DRAIN_IDLE);
		break;
	case RT_STATE_FINISH: /* it takes nothing, not even TLS's last word */
		rt_conn_end(conn, RETORT_TIMED_OUT, RETORT_RST);
		break;
	case RT_STATE_OVER:
		break;
	}
}

void
rt_conn_cut(struct rt_conn *conn, enum rt_step_kind ending)
{
	struct rt_reply *reply = &conn->buffers->reply;

	if (conn->state >= RT_STATE_DRAIN)
		return;
	if (ending == RT_STEP_RESET && conn->local)
		ending = RT_STEP_CLOSE;
	rt_reply_step(reply, (struct rt_step){.kind = ending});
	if (!rt_reply_ok(reply)) {
		rt_conn_fail(conn);
		return;
	}
	reply->body = RT_BODY_HERE;
	rt_play_skip(&conn->buffers->play, reply);
	conn->state = RT_STATE_REPLY;
	if (conn->coming != RT_COMING_NOTHING && !reply->struck.deaf)
		conn->coming = RT_COMING_UNWANTED;
	conn->asks = RT_ASK_NOTHING;
	conn->rest = RT_REST_NOTHING;
	conn->interim_left = 0;
	conn->may_have_more = true;
	rt_conn_go_on(conn);
}
