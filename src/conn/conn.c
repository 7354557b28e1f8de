/* SPDX-License-Identifier: MIT */
/*
 * The connection's state machine; see the diagram in conn.h. Fed by server.c
 * with the results of operations; makes no system call, so that a test can
 * drive it byte by byte on a virtual clock.
 *
 * rt_conn_plan() turns the state into what the channel wants. Every entry point ends
 * with it, unless the owner is asked something first.
 */
#include "config.h"

#include "conn/conn_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a chunked body's framing that are kept in any case. */
#define FRAMING 1024u

/* A datagram that found no room is tried again, ever later, and for so long at
   most. */
#define RETRY_FIRST (1 * RT_MS)
#define RETRY_MOST (64 * RT_MS)
#define RETRY_BOUND (2000 * RT_MS)

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

const char *
rt_conn_body(const struct rt_conn *conn, size_t *size)
{
	const struct rt_buffers *buffers = conn->buffers;
	const struct rt_request *request = rt_http_request(buffers->http);
	bool plain = conn->config->protocol != RETORT_HTTP;
	size_t head = plain ? 0 : request->head_size;

	if (request->chunked) {
		*size = buffers->content.len;
		return buffers->content.data;
	}
	*size = 0;
	if ((plain || head > 0) && buffers->parsed > head)
		*size = buffers->parsed - head;
	/* the same, however it was cut on its way */
	if (*size > buffers->keep)
		*size = buffers->keep;
	return *size > 0 ? buffers->in.data + head : NULL;
}

size_t
rt_conn_raw(const struct rt_conn *conn, bool *cut)
{
	const struct rt_buffers *buffers = conn->buffers;
	size_t head = rt_http_request(buffers->http)->head_size;
	size_t size = conn->complete ? buffers->parsed : buffers->in.len;
	bool kept = head == 0 || size - head <= buffers->keep_raw;

	*cut = !kept || buffers->dropped > 0;
	return kept ? size : head + buffers->keep_raw;
}

static void
client_closed(struct rt_conn *conn, enum retort_close how)
{
	if (conn->client_close == RETORT_NOTHING &&
		conn->server_close == RETORT_NOTHING)
		conn->client_first = true;
	conn->client_close = how;
}

/* --- the request --- */

static void
ask(struct rt_conn *conn, enum rt_ask what)
{
	conn->asks = what;
	conn->asked = what;
}

void
rt_conn_refuse(struct rt_conn *conn, int status, const char *reason)
{
	conn->status = status;
	conn->reason = reason;
	ask(conn, RT_ASK_REFUSE);
}

void
rt_conn_ask_early(struct rt_conn *conn)
{
	assert(conn->asks == RT_ASK_ROUTE);
	ask(conn, RT_ASK_ANSWER);
}

/* Forgets body bytes that were parsed and are not kept, so that `in` stays
   small. */
static void
drop_body(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	struct rt_buf *in = &buffers->in;
	size_t kept =
		rt_http_request(buffers->http)->head_size + buffers->keep_raw;
	size_t left = in->len - buffers->parsed;

	if (buffers->parsed <= kept)
		return;
	memmove(in->data + kept, in->data + buffers->parsed, left);
	buffers->dropped += buffers->parsed - kept;
	in->len = kept + left;
	buffers->parsed = kept;
}

/* Whether reading is to stop here, as a fault has it. */
static bool
must_halt(const struct rt_conn *conn, bool done)
{
	const struct rt_reading *reading = &conn->buffers->reading;

	if (conn->state != RT_STATE_BODY || !reading->stops)
		return false;
	return body_came(conn) > reading->stop ||
		(body_came(conn) == reading->stop && !done);
}

static void
parse(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	struct rt_request *request = rt_http_request(buffers->http);
	enum rt_http_result result = rt_http_feed(buffers->http,
		buffers->in.data, &buffers->parsed, buffers->in.len);
	const char *reason;
	int status;

	if (result == RT_HTTP_BAD) {
		status = rt_http_refusal(buffers->http, &reason);
		rt_conn_refuse(conn, status, reason);
		return;
	}
	if (result == RT_HTTP_HEAD) {
		conn->state = RT_STATE_BODY;
		ask(conn, RT_ASK_ROUTE);
		return;
	}
	if (conn->state == RT_STATE_BODY) {
		if (request->body_size > conn->max_body) {
			rt_conn_refuse(conn, 413, "the body is too large");
			return;
		}
		/* what came last stays: the trailers */
		if (result == RT_HTTP_MORE)
			drop_body(conn);
	}
	if (must_halt(conn, result == RT_HTTP_DONE)) {
		conn->reason = "no more of it was read";
		ask(conn, RT_ASK_HALT);
	} else if (result == RT_HTTP_DONE) {
		conn->complete = true;
		ask(conn, RT_ASK_ANSWER);
	} else if (conn->state == RT_STATE_BODY && buffers->reading.pace > 0) {
		conn->rest = RT_REST_BODY;
	}
}

/* Without HTTP: what has come is a request. */
static void
receive_piece(struct rt_conn *conn)
{
	conn->pieces++;
	conn->complete = true;
	conn->buffers->parsed = conn->buffers->in.len;
	ask(conn, RT_ASK_ANSWER);
}

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
		rt_conn_over(conn, RETORT_FAILED, RT_CLOSE);
		return;
	}
	receive_piece(conn);
	conn->reason = reason;
	if (reason != NULL)
		ask(conn, RT_ASK_IGNORE);
}

static void
receive_end(struct rt_conn *conn)
{
	conn->client_finished = true;
	client_closed(conn, RETORT_FIN);
	switch (conn->state) {
	case RT_STATE_IDLE:
		if (conn->pieces > 0)
			rt_conn_finish(conn);
		else
			rt_conn_over(conn, RETORT_CLOSED, RT_CLOSE);
		break;
	case RT_STATE_HEAD:
	case RT_STATE_BODY:
		rt_conn_refuse(conn, 400, "incomplete request");
		break;
	case RT_STATE_DRAIN:
		rt_conn_over_answered(conn);
		break;
	default:
		break;
	}
}

/* Whether an operation that failed says that the client is gone. */
static enum retort_end
end_of_error(int64_t error)
{
	switch (-error) {
	case EPIPE:
	case ECONNRESET:
	case ECONNABORTED:
	case ENOTCONN:
	case ETIMEDOUT:
		return RETORT_RESET;
	default:
		return RETORT_FAILED;
	}
}

static void
over_failed(struct rt_conn *conn, int64_t error)
{
	enum retort_end end = end_of_error(error);

	if (end == RETORT_RESET)
		client_closed(conn, RETORT_RST);
	rt_conn_over(conn, end, RT_CLOSE);
}

/* It has sent more than is read: it may not get to see the reply. */
static void
cut_off(struct rt_conn *conn)
{
	conn->still_sending = true;
	rt_conn_over_answered(conn);
}

static void
receive(struct rt_conn *conn, size_t size, int64_t now)
{
	if (conn->state > RT_STATE_BODY) {
		conn->drained += size;
		if (conn->state == RT_STATE_DRAIN)
			conn->moved = now;
		return;
	}
	conn->buffers->in.len += size;
	conn->moved = now;
	if (!is_http(conn)) {
		receive_piece(conn);
		return;
	}
	if (conn->state == RT_STATE_IDLE)
		conn->state = RT_STATE_HEAD;
	parse(conn);
}

void
rt_conn_in_done(struct rt_conn *conn, int64_t result, int64_t now)
{
	assert(conn->chan.in.verb == RT_RECV);
	if (result < 0) {
		/* after the reply's FIN a reset takes nothing from it that we
		   could know of: the client may have read it all */
		over_failed(conn, result);
		return;
	}
	if (result == 0) {
		receive_end(conn);
	} else {
		conn->received += (uint64_t)result;
		conn->may_have_more = (size_t)result == conn->chan.in.recv.size;
		receive(conn, (size_t)result, now);
	}
	if (conn->state == RT_STATE_DRAIN && is_drained(conn))
		cut_off(conn);
	if (conn->asks == RT_ASK_NOTHING)
		rt_conn_plan(conn);
}

/* 100 (Continue), at once unless it was asked for otherwise. */
static void
expect_body(struct rt_conn *conn)
{
	int64_t delay = conn->buffers->reading.delay;

	if (delay == 0)
		conn->interim_left = RT_INTERIM_SIZE;
	else if (delay != RT_NEVER)
		conn->rest = RT_REST_CONTINUE;
}

void
rt_conn_set_reading(struct rt_conn *conn, const struct rt_reading *reading)
{
	conn->buffers->reading = *reading;
}

void
rt_conn_keep(struct rt_conn *conn, size_t most)
{
	struct rt_buffers *buffers = conn->buffers;
	size_t head = rt_http_request(buffers->http)->head_size;
	bool chunked = rt_http_request(buffers->http)->chunked;
	size_t raw = buffers->parsed > head ? buffers->parsed - head : 0;
	size_t kept = chunked ? buffers->content.len : raw;

	if (most < kept)
		most = kept;
	if (most >= buffers->keep)
		return;
	buffers->keep = most;
	/* with the framing of all but the smallest chunks */
	buffers->keep_raw = chunked && most > 0 ? 2 * most + FRAMING : most;
	if (buffers->keep_raw < raw)
		buffers->keep_raw = raw;
	buffers->in.max = conn->config->max_in + buffers->keep_raw;
	buffers->content.max = most;
	rt_http_keep(buffers->http, &buffers->content, most);
}

void
rt_conn_want_body(struct rt_conn *conn, uint64_t max, size_t keep, int64_t now)
{
	const struct rt_request *request = rt_http_request(conn->buffers->http);

	bool expects;

	assert(conn->asks == RT_ASK_ROUTE);
	conn->asks = RT_ASK_NOTHING;
	/* what is not read cannot be too large */
	conn->max_body = conn->buffers->reading.stops ? UINT64_MAX : max;
	conn->buffers->keep = SIZE_MAX;
	rt_conn_keep(conn, keep);
	conn->moved = now;
	if (request->content_length > conn->max_body) {
		rt_conn_refuse(conn, 413, "the body is too large");
		return;
	}
	/* RFC 9110 10.1.1: not when some of the body has come already */
	expects = request->expects_continue &&
		conn->buffers->parsed == conn->buffers->in.len;
	parse(conn);
	if (expects && conn->asks == RT_ASK_NOTHING)
		expect_body(conn);
	if (conn->asks == RT_ASK_NOTHING)
		rt_conn_plan(conn);
}

/* --- the reply --- */

void
rt_conn_answer(struct rt_conn *conn, int64_t now)
{
	const struct rt_request *request = rt_http_request(conn->buffers->http);

	assert(conn->asks != RT_ASK_NOTHING);
	/* routed and answered at once, with no body to wait for */
	if (conn->state == RT_STATE_BODY && !request->has_body)
		conn->complete = true;
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_REPLY;
	conn->rest = RT_REST_NOTHING;
	rt_play_begin(&conn->buffers->play, &conn->buffers->reply);
	conn->moved = now;
	/* a 100 (Continue) that was not begun is not wanted any more */
	if (conn->interim_left == RT_INTERIM_SIZE)
		conn->interim_left = 0;
	rt_conn_plan(conn);
}

void
rt_conn_defer(struct rt_conn *conn, int64_t until)
{
	assert(conn->asks == RT_ASK_ANSWER || conn->asks == RT_ASK_GREET);
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_WAIT;
	conn->chan.deadline = until;
	conn->may_have_more = true;
	rt_conn_plan(conn);
}

void
rt_conn_replied(struct rt_conn *conn)
{
	assert(conn->state == RT_STATE_WAIT);
	conn->asks = RT_ASK_SEND;
}

/* Waits a little, and tries again; a peer that takes nothing is too slow. */
static void
flush_later(struct rt_conn *conn, int64_t now)
{
	int64_t timeout = conn->config->write_timeout;

	conn->chan.out.verb = RT_NOTHING;
	conn->chan.deadline = now + RETRY_FIRST;
	if (timeout != RT_NEVER && now - conn->moved >= timeout)
		rt_conn_over(conn, RETORT_TIMED_OUT, RT_RESET);
}

static void
flushed(struct rt_conn *conn, int64_t result, int64_t now)
{
	if (result == -EAGAIN) {
		flush_later(conn, now);
		return;
	}
	conn->moved = now;
	rt_play_waited(&conn->buffers->play);
	rt_conn_plan(conn);
}

static void
finish_done(struct rt_conn *conn, int64_t now)
{
	conn->state = RT_STATE_DRAIN;
	conn->moved = now;
	conn->drain_began = now;
	if (rt_conn_must_drain(conn))
		rt_conn_plan(conn);
	else
		rt_conn_over_answered(conn);
}

/* What the operation outward was to send. */
static uint64_t
planned(const struct rt_op *op)
{
	uint64_t size = 0;

	if (op->verb == RT_FILE)
		return op->file.size;
	for (int i = 0; i < op->send.count; i++)
		size += op->send.pieces[i].iov_len;
	return size;
}

/* One operation sends all of it, or nothing. */
static void
datagram_sent(struct rt_conn *conn, int64_t result, int64_t now)
{
	switch (-result) {
	case EAGAIN:
	case ENOBUFS:
		conn->chan.out.verb = RT_NOTHING;
		conn->retry = conn->retry == 0   ? RETRY_FIRST :
			conn->retry < RETRY_MOST ? 2 * conn->retry :
						   RETRY_MOST;
		conn->chan.deadline = now + conn->retry;
		if (now - conn->moved >= RETRY_BOUND)
			rt_conn_over(conn, RETORT_TIMED_OUT, RT_CLOSE);
		return;
	case ECONNREFUSED:
	case ENOENT:
		rt_conn_over(conn, RETORT_RESET, RT_CLOSE);
		return;
	default:
		break;
	}
	if (result < 0) {
		rt_conn_over(conn, RETORT_FAILED, RT_CLOSE);
		return;
	}
	conn->sent += (uint64_t)result;
	conn->answered = true;
	rt_play_sent(&conn->buffers->play, (uint64_t)result);
	conn->moved = now;
	rt_conn_plan(conn);
}

void
rt_conn_out_done(struct rt_conn *conn, int64_t result, int64_t now)
{
	enum rt_verb verb = conn->chan.out.verb;

	if (verb == RT_SEND_TO) {
		datagram_sent(conn, result, now);
		return;
	}
	if (verb == RT_FLUSH) {
		flushed(conn, result, now);
		return;
	}
	if (conn->state == RT_STATE_FINISH) {
		/* shutdown(2) fails only when the connection is gone */
		if (result < 0) {
			client_closed(conn, RETORT_RST);
			rt_conn_over(conn, RETORT_RESET, RT_CLOSE);
			return;
		}
		conn->server_close = RETORT_FIN;
		finish_done(conn, now);
		return;
	}
	if (result < 0) {
		over_failed(conn, result);
		return;
	}
	conn->moved = now;
	conn->sent += (uint64_t)result;
	/* a reply that takes time may be overtaken by what the client sends
	   meanwhile, and must not be lost to it */
	if ((uint64_t)result < planned(&conn->chan.out))
		conn->may_have_more = true;
	if (conn->interim_left > 0) {
		conn->interim_left -= (uint8_t)result;
	} else if (verb == RT_FILE && result == 0) {
		conn->buffers->reply.truncated = true;
		conn->state = RT_STATE_FINISH;
		conn->chan.out.verb = RT_FINISH;
		return;
	} else {
		rt_play_sent(&conn->buffers->play, (uint64_t)result);
	}
	rt_conn_plan(conn);
}

/* --- everything else that can happen --- */

/* A pause is over, or the client has had its time. */
static void
expire_reply(struct rt_conn *conn, int64_t now)
{
	enum rt_step_kind next = rt_play_next(&conn->buffers->play);

	if (conn->interim_left == 0 && next == RT_STEP_PAUSE) {
		rt_play_waited(&conn->buffers->play);
		conn->moved = now;
		conn->may_have_more = true;
	} else if (next != RT_STEP_FLUSH && !is_datagram(conn)) {
		rt_conn_over(conn, RETORT_TIMED_OUT, RT_RESET);
		return;
	}
	rt_conn_plan(conn);
}

void
rt_conn_expired(struct rt_conn *conn, int64_t now)
{
	switch (conn->state) {
	case RT_STATE_IDLE:
		rt_conn_over(conn, RETORT_TIMED_OUT, RT_CLOSE);
		break;
	case RT_STATE_HEAD:
		rt_conn_refuse(conn, 408, "the head took too long");
		break;
	case RT_STATE_BODY:
		if (conn->rest == RT_REST_NOTHING) {
			rt_conn_refuse(conn, 408, "the body took too long");
			break;
		}
		if (conn->rest == RT_REST_CONTINUE)
			conn->interim_left = RT_INTERIM_SIZE;
		conn->rest = RT_REST_NOTHING;
		conn->moved = now;
		rt_conn_plan(conn);
		break;
	case RT_STATE_WAIT:
		conn->asks = conn->asked;
		break;
	case RT_STATE_REPLY:
		expire_reply(conn, now);
		break;
	case RT_STATE_DRAIN:
		/* who has sent nothing for a while has had its time to read */
		if (now - conn->moved < RT_DRAIN_IDLE)
			cut_off(conn);
		else
			rt_conn_over_answered(conn);
		break;
	case RT_STATE_FINISH:
	case RT_STATE_OVER:
		break;
	}
}

void
rt_conn_broken(struct rt_conn *conn)
{
	if (conn->state == RT_STATE_OVER)
		return;
	client_closed(conn, RETORT_RST);
	rt_conn_over(conn, RETORT_RESET, RT_CLOSE);
}

/* Its FIN, while nothing is read: what it sent before may be unread. */
void
rt_conn_ended(struct rt_conn *conn)
{
	client_closed(conn, RETORT_FIN);
	rt_conn_plan(conn);
}

void
rt_conn_fail(struct rt_conn *conn)
{
	rt_conn_over(conn, RETORT_FAILED, RT_CLOSE);
}

/* Who was in the middle of a request may still be. */
static void
stop_drain(struct rt_conn *conn)
{
	conn->still_sending =
		is_http(conn) && !conn->complete && conn->drained > 0;
	rt_conn_over_answered(conn);
}

void
rt_conn_stop(struct rt_conn *conn, enum rt_stop why)
{
	enum rt_step_kind next;

	switch (conn->state) {
	case RT_STATE_IDLE:
	case RT_STATE_HEAD:
	case RT_STATE_BODY:
		rt_conn_over(conn, RETORT_STOPPED, RT_CLOSE);
		break;
	case RT_STATE_WAIT:
		conn->last = true;
		if (why == RT_STOP_ENOUGH)
			rt_conn_over(conn, RETORT_STOPPED, RT_CLOSE);
		break;
	case RT_STATE_REPLY:
		conn->last = true;
		next = rt_play_next(&conn->buffers->play);
		if (next == RT_STEP_STALL ||
			(why == RT_STOP_TOLD && next == RT_STEP_PAUSE))
			rt_conn_over(conn, RETORT_STOPPED, RT_CLOSE);
		break;
	case RT_STATE_DRAIN:
		if (why == RT_STOP_TOLD || is_half(conn))
			stop_drain(conn);
		break;
	case RT_STATE_FINISH:
	case RT_STATE_OVER:
		break;
	}
}

void
rt_conn_abandon(struct rt_conn *conn)
{
	if (conn->state == RT_STATE_DRAIN)
		stop_drain(conn);
	else if (conn->state != RT_STATE_OVER)
		rt_conn_over(conn, RETORT_STOPPED, RT_CLOSE);
}

/* --- opening, and the buffers on loan --- */

void
rt_conn_open(struct rt_conn *conn, int fd, const struct rt_peer *peer,
	const struct rt_conn_config *config, int64_t now)
{
	*conn = (struct rt_conn){
		.config = config,
		.peer = *peer,
		.began = now,
		.moved = now,
	};
	rt_chan_init(&conn->chan, fd, 0);
	conn->chan.in.verb = RT_RECV;
	conn->chan.deadline = later(now,
		is_http(conn) ? config->head_timeout : config->idle_timeout);
}

int
rt_conn_lend(struct rt_conn *conn, struct rt_buffers *buffers)
{
	conn->buffers = buffers;
	buffers->in.max = conn->config->max_in;
	buffers->reply.always = conn->config->always;
	rt_conn_clear(conn);
	rt_conn_plan(conn);
	return conn->state == RT_STATE_OVER ? -ENOMEM : 0;
}

struct rt_buffers *
rt_conn_unlend(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;

	conn->buffers = NULL;
	if (buffers != NULL) {
		rt_buf_clear(&buffers->in, RT_KEPT_IN);
		rt_buf_clear(&buffers->content, RT_KEPT_IN);
	}
	return buffers;
}
