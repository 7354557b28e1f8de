/* SPDX-License-Identifier: MIT */
/*
 * The connection's state machine; see the diagram in conn.h. Fed by server.c
 * with the results of operations; makes no system call, so that a test can
 * drive it byte by byte on a virtual clock.
 *
 * Every entry point ends with go_on(), unless the connection is over.
 */
#include "config.h"

#include "conn/conn_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* --- from one state to the next --- */

/* Room to receive. False: no memory. */
static bool
reserve(struct rt_conn *conn)
{
	struct rt_buf *in = &conn->buffers->in;
	size_t room = receive_room(conn);

	if (in->room - in->len >= room / 4)
		return true;
	return rt_buf_reserve(in,
		       room < in->max - in->len ? room : in->max - in->len) !=
		NULL;
}

/* Whether some of the body may not be there yet. */
static bool
lacks_body(const struct rt_conn *conn)
{
	const struct rt_request *request = conn->buffers->request;

	return request->chunked || body_came(conn) < request->content_length;
}

/* Whether it has sent more than its request, or will not. */
static bool
has_said_more(const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;

	return conn->drained > 0 || buffers->in.len > buffers->parsed ||
		conn->client_close != RETORT_NOTHING;
}

/* The script may be at its end. */
static void
end_script(struct rt_conn *conn)
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
		end_script(conn);
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
	if (reserve(conn))
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
		end_script(conn);
	if (conn->asks != RT_ASK_NOTHING || conn->state == RT_STATE_OVER)
		return;
	if (awaits_rest(conn))
		go_on_receiving(conn);
	else
		rt_conn_plan(conn, &conn->chan);
}

/* Unless the owner is asked something first: whatever follows by itself, and
   then what it wants. */
static inline void
go_on(struct rt_conn *conn)
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

/* --- the request --- */

void
rt_conn_greet(struct rt_conn *conn)
{
	ask(conn, RT_ASK_GREET);
}

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
receive_end(struct rt_conn *conn)
{
	conn->coming = RT_COMING_NOTHING;
	rt_conn_client_closed(conn, RETORT_FIN);
	switch (conn->state) {
	case RT_STATE_IDLE:
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

/* A request begins, or goes on; of its bytes the first `known` were there
   before. */
static void
take(struct rt_conn *conn, size_t known)
{
	if (conn->state == RT_STATE_IDLE) {
		conn->state = RT_STATE_HEAD;
		if (rt_conn_is_between(conn))
			conn->began = conn->moved;
		conn->nth++;
	}
	if (conn->config->proxied && conn->named_by == 0 &&
		!rt_conn_take_proxy(conn))
		return;
	if (rt_conn_is_http(conn))
		rt_conn_parse(conn);
	else
		rt_conn_take_piece(conn, known);
}

void
rt_conn_next(struct rt_conn *conn, int64_t now)
{
	assert(conn->asks == RT_ASK_NEXT);
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_IDLE; /* it may have been put off */
	conn->moved = now;
	take(conn, 0);
	go_on(conn);
}

void
rt_conn_more(struct rt_conn *conn)
{
	assert(conn->asks == RT_ASK_ANSWER && conn->complete);
	conn->asks = RT_ASK_NOTHING;
	conn->complete = false;
	conn->state = RT_STATE_HEAD;
	take(conn, 0);
	go_on(conn);
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
	/* of the rest of a body, go_on() takes care */
	if (conn->state <= RT_STATE_BODY)
		take(conn, known);
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
		receive_end(conn);
	} else {
		conn->received += (uint64_t)result;
		conn->may_have_more = (size_t)result == conn->chan.in.recv.size;
		receive(conn, (size_t)result, now);
	}
	/* it may not get to see the reply */
	if (conn->state == RT_STATE_DRAIN && is_drained(conn))
		rt_conn_end_answered(conn, true);
	go_on(conn);
}

void
rt_conn_want_body(struct rt_conn *conn, uint64_t max, size_t keep, int64_t now)
{
	/* what arrives during an early reply finds this room: see
	   plan_rest() */
	if (conn->buffers->reading.early && lacks_body(conn) &&
		!reserve(conn)) {
		rt_conn_fail(conn);
		return;
	}
	rt_conn_begin_body(conn, max, keep, now);
	go_on(conn);
}

bool
rt_conn_see_refused(struct rt_conn *conn)
{
	bool all = rt_conn_has_refused(conn);

	go_on(conn);
	return all;
}

void
rt_conn_read_refused(struct rt_conn *conn, int64_t now)
{
	rt_conn_begin_refused(conn, now);
	go_on(conn);
}

void
rt_conn_told(struct rt_conn *conn)
{
	assert(conn->asks == RT_ASK_TELL);
	conn->asks = RT_ASK_NOTHING;
	rt_conn_drop_body(conn);
	go_on(conn);
}

void
rt_conn_read_on(struct rt_conn *conn, uint64_t size, int64_t now)
{
	rt_conn_begin_rest(conn, size, now);
	go_on(conn);
}

/* --- the reply --- */

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
	go_on(conn);
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
	go_on(conn);
}

void
rt_conn_replied(struct rt_conn *conn)
{
	assert(conn->state == RT_STATE_WAIT);
	conn->asks = RT_ASK_SEND;
}

void
rt_conn_done(struct rt_conn *conn, int64_t now)
{
	assert(conn->asks == RT_ASK_DONE);
	conn->asks = RT_ASK_NOTHING;
	rt_conn_end_exchange(conn, now);
	go_on(conn);
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
	go_on(conn);
}

void
rt_conn_pushed(struct rt_conn *conn)
{
	if (conn->state != RT_STATE_REPLY || conn->rest != RT_REST_MORE)
		return;
	conn->rest = RT_REST_NOTHING;
	conn->asks = RT_ASK_MORE;
}

/* Waits a little, and tries again; a peer that takes nothing is too slow. */
static void
flush_later(struct rt_conn *conn, int64_t now)
{
	int64_t timeout = conn->config->write_timeout;

	conn->until = now + FLUSH_PAUSE;
	if (timeout != RT_NEVER && now - conn->moved >= timeout)
		rt_conn_end(conn, RETORT_TIMED_OUT, RETORT_RST);
	else
		go_on(conn);
}

static void
flushed(struct rt_conn *conn, int64_t result, int64_t now)
{
	if (result == -EAGAIN) {
		flush_later(conn, now);
		return;
	}
	if (result < 0) {
		rt_conn_end_failed(conn, result);
		return;
	}
	conn->moved = now;
	rt_play_waited(&conn->buffers->play);
	go_on(conn);
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
	if (conn->coming == RT_COMING_UNWANTED)
		rt_conn_plan(conn, &conn->chan);
	else
		rt_conn_end_answered(conn, false);
}

/* A file has become shorter: nothing more can be said. */
static void
lack(struct rt_conn *conn)
{
	conn->buffers->reply.truncated = true;
	conn->may_have_more = true;
	rt_conn_finish(conn);
	go_on(conn);
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
		go_on(conn);
		return;
	}
	end_script(conn);
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

/* --- everything else that can happen --- */

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
		go_on(conn);
	} else if (awaits_rest(conn)) {
		conn->coming = RT_COMING_NEXT;
		go_on(conn);
	} else if (!sends && next == RT_STEP_FLUSH) {
		conn->until = 0;
		go_on(conn);
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
	go_on(conn);
}

void
rt_conn_expired(struct rt_conn *conn, int64_t now)
{
	switch (conn->state) {
	case RT_STATE_IDLE:
		rt_conn_end(conn, RETORT_TIMED_OUT, RETORT_FIN);
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
	case RT_STATE_FINISH:
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
	go_on(conn);
}

/* Its FIN, while nothing is read: what it sent before may be unread. */
void
rt_conn_ended(struct rt_conn *conn)
{
	rt_conn_client_closed(conn, RETORT_FIN);
	go_on(conn);
}

/* --- opening, and the buffers on loan --- */

void
rt_conn_open(struct rt_conn *conn, int fd, const struct rt_peer *peer,
	const struct rt_conn_config *config, int64_t now)
{
	*conn = (struct rt_conn){
		.protocol = config->protocol,
		.config = config,
		.peer = *peer,
		.accepted = now,
		.local = peer->family == AF_UNIX,
		.began = now,
		.moved = now,
		.idle_timeout = config->idle_timeout,
		.chan = {.fd = fd, .in.verb = RT_RECV},
	};
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
	go_on(conn);
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
