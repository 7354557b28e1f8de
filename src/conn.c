/* SPDX-License-Identifier: MIT */
/*
 * The connection's state machine; see the diagram in conn.h. Fed by server.c
 * with the results of operations; makes no system call, so that a test can
 * drive it byte by byte on a virtual clock.
 *
 * plan() turns the state into what the channel wants. Every entry point ends
 * with it, unless the owner is asked something first.
 */
#include "config.h"

#include "conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_ROOM 4096u       /* received at once while a head is read */
#define BODY_ROOM (64u << 10) /* and while a body is */
#define KEPT_IN (80u << 10)   /* what an exchange keeps for the next one */

/* A datagram that found no room is tried again, ever later, and for so long at
   most. */
#define RETRY_FIRST (1 * RT_MS)
#define RETRY_MOST (64 * RT_MS)
#define RETRY_BOUND (2000 * RT_MS)

static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

struct rt_exchange *
rt_exchange_new(void)
{
	struct rt_exchange *exchange = calloc(1, sizeof *exchange);

	if (exchange == NULL)
		return NULL;
	rt_buf_init(&exchange->in, 0);
	rt_buf_init(&exchange->content, 0);
	rt_reply_init(&exchange->reply);
	exchange->http = rt_http_new();
	if (exchange->http == NULL) {
		rt_exchange_free(exchange);
		return NULL;
	}
	return exchange;
}

void
rt_exchange_free(struct rt_exchange *exchange)
{
	if (exchange == NULL)
		return;
	rt_buf_free(&exchange->in);
	rt_buf_free(&exchange->content);
	rt_reply_free(&exchange->reply);
	rt_http_free(exchange->http);
	free(exchange);
}

const char *
rt_conn_body(const struct rt_conn *conn, size_t *size)
{
	const struct rt_exchange *exchange = conn->exchange;
	const struct rt_request *request = rt_http_request(exchange->http);
	bool plain = conn->config->protocol != RETORT_HTTP;
	size_t head = plain ? 0 : request->head_size;

	if (request->chunked) {
		*size = exchange->content.len;
		return exchange->content.data;
	}
	/* what was parsed and dropped is not there */
	*size = 0;
	if ((plain || head > 0) && exchange->parsed > head)
		*size = exchange->parsed - head;
	return *size > 0 ? exchange->in.data + head : NULL;
}

/* --- what is wanted --- */

static int64_t
later(int64_t when, int64_t timeout)
{
	return timeout == RT_NEVER ? RT_NEVER : when + timeout;
}

static bool
is_http(const struct rt_conn *conn)
{
	return conn->config->protocol == RETORT_HTTP;
}

static bool
is_datagram(const struct rt_conn *conn)
{
	return conn->config->protocol == RETORT_UDP;
}

static void
over(struct rt_conn *conn, enum retort_end end, enum rt_verb verb)
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

static void
client_closed(struct rt_conn *conn, enum retort_close how)
{
	if (conn->client_close == RETORT_NOTHING &&
		conn->server_close == RETORT_NOTHING)
		conn->client_first = true;
	conn->client_close = how;
}

/* The reply was sent, and all that should be read was. */
static void
over_answered(struct rt_conn *conn)
{
	over(conn,
		conn->exchange->reply.truncated ? RETORT_TRUNCATED :
						  RETORT_ANSWERED,
		RT_CLOSE);
}

static void
plan_receive(struct rt_conn *conn, size_t room)
{
	struct rt_buf *in = &conn->exchange->in;
	struct rt_op *op = &conn->chan.in;

	if (in->room - in->len < room / 4 &&
		rt_buf_reserve(in,
			room < in->max - in->len ? room : in->max - in->len) ==
			NULL) {
		over(conn, RETORT_FAILED, RT_CLOSE);
		return;
	}
	op->verb = RT_RECV;
	op->recv.data = in->data + in->len;
	op->recv.size = in->room - in->len;
	/* a piece is no longer, whatever memory there is */
	if (!is_http(conn) && op->recv.size > room)
		op->recv.size = room;
}

/* Half closed by a fault: until the client ends it. */
static bool
is_half(const struct rt_conn *conn)
{
	const struct rt_reply *reply = &conn->exchange->reply;

	return (conn->state == RT_STATE_FINISH ||
		       conn->state == RT_STATE_DRAIN) &&
		conn->step < reply->step_count &&
		reply->steps[conn->step].kind == RT_STEP_HALF;
}

/* Enough was dropped. */
static bool
is_drained(const struct rt_conn *conn)
{
	return conn->drained >= RT_DRAIN_BYTES && !is_half(conn);
}

/* What arrives is read and dropped, within a bound. */
static void
plan_drain(struct rt_conn *conn)
{
	struct rt_op *op = &conn->chan.in;

	op->verb = RT_NOTHING;
	if (conn->client_finished || is_drained(conn) ||
		conn->exchange->reply.deaf)
		return;
	op->verb = RT_RECV;
	op->recv.data = conn->config->scratch;
	op->recv.size = conn->config->scratch_size;
}

/* Whether bytes may be unread: then close() would reset the connection. */
static bool
must_drain(const struct rt_conn *conn)
{
	if (conn->client_finished || is_drained(conn))
		return false;
	if (is_half(conn))
		return true;
	/* what comes after a piece or a greeting is wanted, while there is more
	   to be said; at the end nobody knows whether all was read */
	if (conn->state == RT_STATE_REPLY && (!is_http(conn) || conn->accepted))
		return false;
	if (!is_http(conn))
		return true;
	return conn->config->linger || !conn->complete || conn->may_have_more ||
		conn->drained > 0 ||
		conn->exchange->parsed < conn->exchange->in.len;
}

static void
plan_interim(struct rt_conn *conn)
{
	struct rt_op *op = &conn->chan.out;

	op->verb = RT_SEND;
	op->more = false;
	op->send.count = 1;
	op->send.pieces[0].iov_base = (char *)(uintptr_t)interim +
		sizeof interim - 1 - conn->interim_left;
	op->send.pieces[0].iov_len = conn->interim_left;
}

static bool
is_memory(enum rt_step_kind kind)
{
	return kind == RT_STEP_TEXT || kind == RT_STEP_BYTES ||
		kind == RT_STEP_REPEAT;
}

/* As much of a step of memory as lies in one piece, `skip` bytes into it. */
static struct iovec
piece_of(const struct rt_reply *reply, const struct rt_step *step,
	uint64_t skip)
{
	const char *bytes = step->bytes;
	uint64_t size = step->size - skip;

	if (step->kind == RT_STEP_TEXT)
		bytes = reply->text.data + step->at;
	if (step->kind == RT_STEP_REPEAT) {
		skip = (step->from + skip) % step->at;
		if (size > step->at - skip)
			size = step->at - skip;
	}
	return (struct iovec){.iov_base = (char *)(uintptr_t)(bytes + skip),
		.iov_len = (size_t)size};
}

/* Bytes that the present segment may still have. */
static uint64_t
segment_room(const struct rt_conn *conn)
{
	uint64_t pace = conn->exchange->reply.pace;

	return pace > 0 ? pace - conn->segment : UINT64_MAX;
}

/* The pieces of memory from the present step on, as far as they reach. */
static void
plan_bytes(struct rt_conn *conn)
{
	const struct rt_reply *reply = &conn->exchange->reply;
	const struct rt_step *step = reply->steps + conn->step;
	struct rt_op *op = &conn->chan.out;
	uint64_t skip = conn->step_sent, room = segment_room(conn);

	op->verb = RT_SEND;
	op->send.count = 0;
	while (op->send.count < RT_PIECES && is_memory(step->kind) &&
		room > 0) {
		struct iovec *piece = op->send.pieces + op->send.count++;

		*piece = piece_of(reply, step, skip);
		if (piece->iov_len > room)
			piece->iov_len = (size_t)room;
		room -= piece->iov_len;
		skip += piece->iov_len;
		if (skip == step->size) {
			step++;
			skip = 0;
		}
	}
	op->more = room > 0 &&
		(step->kind == RT_STEP_FILE || step->kind == RT_STEP_CLOSE ||
			step->kind == RT_STEP_HALF || is_memory(step->kind));
	if (is_datagram(conn)) {
		op->verb = RT_SEND_TO;
		op->send.to = &conn->exchange->from;
	}
}

/* What was asked is answered, and the exchange is as new. */
static void
clear_exchange(struct rt_conn *conn)
{
	struct rt_exchange *exchange = conn->exchange;

	rt_buf_clear(&exchange->in, KEPT_IN);
	rt_buf_clear(&exchange->content, KEPT_IN);
	exchange->parsed = 0;
	exchange->reading = (struct rt_reading){.early = false};
	rt_http_reset(exchange->http, &conn->config->limits);
	rt_reply_reset(&exchange->reply);
}

static void plan(struct rt_conn *conn);

static void
finish(struct rt_conn *conn)
{
	conn->state = RT_STATE_FINISH;
	conn->chan.in.verb = RT_NOTHING;
	conn->chan.out.verb = RT_FINISH;
}

static void
next(struct rt_conn *conn)
{
	if (conn->last || conn->client_finished) {
		finish(conn);
		return;
	}
	conn->state = RT_STATE_IDLE;
	conn->accepted = false;
	conn->seen = false;
	conn->replied = false;
	conn->step = 0;
	conn->step_sent = 0;
	conn->script_sent = 0;
	conn->segment = 0;
	clear_exchange(conn);
	plan(conn);
}

/* A datagram's reply ends with what was sent: all endings are the same. */
static void
over_datagram(struct rt_conn *conn)
{
	over(conn, conn->answered ? RETORT_ANSWERED : RETORT_UNANSWERED,
		RT_CLOSE);
}

static void
plan_reply(struct rt_conn *conn)
{
	const struct rt_reply *reply = &conn->exchange->reply;
	const struct rt_step *step = reply->steps + conn->step;
	struct rt_op *op = &conn->chan.out;

	conn->chan.deadline = later(conn->moved, conn->config->write_timeout);
	if (is_datagram(conn) && step->kind >= RT_STEP_NEXT) {
		over_datagram(conn);
		return;
	}
	if (must_drain(conn))
		plan_drain(conn);
	else
		conn->chan.in.verb = RT_NOTHING;
	if (conn->interim_left > 0) {
		plan_interim(conn);
		return;
	}
	if (conn->rest != RT_REST_NOTHING) {
		op->verb = conn->rest == RT_REST_FLUSH ? RT_FLUSH : RT_NOTHING;
		if (conn->rest == RT_REST_GAP)
			conn->chan.deadline = conn->moved + reply->gap;
		return;
	}
	switch (step->kind) {
	case RT_STEP_TEXT:
	case RT_STEP_BYTES:
	case RT_STEP_REPEAT:
		plan_bytes(conn);
		break;
	case RT_STEP_FILE:
		if (is_datagram(conn)) {
			over(conn, RETORT_FAILED, RT_CLOSE); /* too long */
			break;
		}
		op->verb = RT_FILE;
		op->file.fd = reply->file;
		op->file.at = step->at + conn->step_sent;
		op->file.size = step->size - conn->step_sent;
		if (op->file.size > segment_room(conn))
			op->file.size = segment_room(conn);
		break;
	case RT_STEP_FLUSH:
		op->verb = RT_FLUSH;
		break;
	case RT_STEP_PAUSE:
		op->verb = RT_NOTHING;
		conn->chan.deadline = later(conn->moved, (int64_t)step->at);
		break;
	case RT_STEP_STALL:
		/* the one step that a FIN ends: the client may have left */
		op->verb = RT_NOTHING;
		conn->chan.deadline = RT_NEVER;
		if (conn->client_finished)
			over(conn, RETORT_RESET, RT_CLOSE);
		else
			plan_drain(conn);
		conn->chan.watched = conn->state == RT_STATE_REPLY &&
			conn->chan.in.verb == RT_NOTHING;
		break;
	case RT_STEP_NEXT:
		next(conn);
		break;
	case RT_STEP_HALF:
	case RT_STEP_CLOSE:
		conn->state = RT_STATE_FINISH;
		op->verb = RT_FINISH;
		break;
	case RT_STEP_RESET:
		over(conn, RETORT_ANSWERED, RT_RESET);
		break;
	}
}

/* Bytes of the body as they came. */
static uint64_t
body_came(const struct rt_conn *conn)
{
	return conn->received -
		rt_http_request(conn->exchange->http)->head_size;
}

/* A body that is to be read slowly, or not to its end. */
static void
plan_reading(struct rt_conn *conn)
{
	const struct rt_reading *reading = &conn->exchange->reading;
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

static void
plan(struct rt_conn *conn)
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
		break;
	case RT_STATE_REPLY:
		plan_reply(conn);
		break;
	case RT_STATE_DRAIN:
		chan->out.verb = RT_NOTHING;
		chan->deadline =
			is_half(conn) ? RT_NEVER : conn->moved + RT_DRAIN_TIME;
		plan_drain(conn);
		break;
	case RT_STATE_FINISH:
	case RT_STATE_OVER:
		break;
	}
}

/* --- the request --- */

/* The owner must answer; `status` is not 0 when the request is refused. */
static void
ask_answer(struct rt_conn *conn, int status, const char *reason)
{
	conn->status = status;
	conn->reason = reason;
	conn->asks = RT_ASK_ANSWER;
}

/* Forgets body bytes that were parsed, so that `in` stays small. */
static void
drop_body(struct rt_conn *conn)
{
	struct rt_exchange *exchange = conn->exchange;
	struct rt_buf *in = &exchange->in;
	size_t head = rt_http_request(exchange->http)->head_size;
	size_t left = in->len - exchange->parsed;

	if (exchange->parsed == head)
		return;
	memmove(in->data + head, in->data + exchange->parsed, left);
	in->len = head + left;
	exchange->parsed = head;
}

/* Whether reading is to stop here, as a fault has it. */
static bool
must_halt(const struct rt_conn *conn, bool done)
{
	const struct rt_reading *reading = &conn->exchange->reading;

	if (conn->state != RT_STATE_BODY || !reading->stops)
		return false;
	return body_came(conn) > reading->stop ||
		(body_came(conn) == reading->stop && !done);
}

static void
parse(struct rt_conn *conn)
{
	struct rt_exchange *exchange = conn->exchange;
	struct rt_request *request = rt_http_request(exchange->http);
	enum rt_http_result result = rt_http_feed(exchange->http,
		exchange->in.data, &exchange->parsed, exchange->in.len);
	const char *reason;
	int status;

	if (result == RT_HTTP_BAD) {
		status = rt_http_refusal(exchange->http, &reason);
		ask_answer(conn, status, reason);
		return;
	}
	if (result == RT_HTTP_HEAD) {
		conn->state = RT_STATE_BODY;
		conn->asks = RT_ASK_ROUTE;
		return;
	}
	if (conn->state == RT_STATE_BODY) {
		if (request->body_size > conn->max_body) {
			ask_answer(conn, 413, "the body is too large");
			return;
		}
		if (!conn->keep_body)
			drop_body(conn);
		else if (result == RT_HTTP_MORE &&
			exchange->in.len == exchange->in.max) {
			ask_answer(conn, 413, "the body is too large to keep");
			return;
		}
	}
	if (must_halt(conn, result == RT_HTTP_DONE)) {
		conn->halted = true;
		ask_answer(conn, 0, "no more of it was read");
	} else if (result == RT_HTTP_DONE) {
		conn->complete = true;
		ask_answer(conn, 0, NULL);
	} else if (conn->state == RT_STATE_BODY && exchange->reading.pace > 0) {
		conn->rest = RT_REST_BODY;
	}
}

/* Without HTTP: what has come is a request. */
static void
take_piece(struct rt_conn *conn)
{
	conn->pieces++;
	conn->complete = true;
	conn->exchange->parsed = conn->exchange->in.len;
	ask_answer(conn, 0, NULL);
}

void
rt_conn_greet(struct rt_conn *conn)
{
	conn->accepted = true;
	conn->asks = RT_ASK_ANSWER;
}

void
rt_conn_datagram(struct rt_conn *conn, const struct rt_op *in,
	const char *reason)
{
	struct rt_exchange *exchange = conn->exchange;

	conn->chan.in.verb = RT_NOTHING;
	conn->received = (uint64_t)in->result;
	conn->truncated = in->recv.truncated;
	exchange->from = *in->recv.from;
	rt_buf_add(&exchange->in, in->recv.data, (size_t)in->result);
	if (exchange->in.failed) {
		over(conn, RETORT_FAILED, RT_CLOSE);
		return;
	}
	take_piece(conn);
	conn->unwelcome = reason != NULL;
	conn->reason = reason;
}

static void
receive_end(struct rt_conn *conn)
{
	conn->client_finished = true;
	client_closed(conn, RETORT_FIN);
	switch (conn->state) {
	case RT_STATE_IDLE:
		if (conn->pieces > 0)
			finish(conn);
		else
			over(conn, RETORT_CLOSED, RT_CLOSE);
		break;
	case RT_STATE_HEAD:
	case RT_STATE_BODY:
		ask_answer(conn, 400, "incomplete request");
		break;
	case RT_STATE_DRAIN:
		over_answered(conn);
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
	over(conn, end, RT_CLOSE);
}

static void
receive(struct rt_conn *conn, size_t size, int64_t now)
{
	if (conn->state > RT_STATE_BODY) {
		conn->drained += size;
		return;
	}
	conn->exchange->in.len += size;
	conn->moved = now;
	if (!is_http(conn)) {
		take_piece(conn);
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
		over_answered(conn);
	if (conn->asks == RT_ASK_NOTHING)
		plan(conn);
}

/* 100 (Continue), at once unless it was asked for otherwise. */
static void
expect_body(struct rt_conn *conn)
{
	int64_t delay = conn->exchange->reading.delay;

	if (delay == 0)
		conn->interim_left = sizeof interim - 1;
	else if (delay != RT_NEVER)
		conn->rest = RT_REST_CONTINUE;
}

void
rt_conn_read(struct rt_conn *conn, const struct rt_reading *reading)
{
	conn->exchange->reading = *reading;
}

void
rt_conn_accept(struct rt_conn *conn, uint64_t max, bool keep, int64_t now)
{
	const struct rt_request *request =
		rt_http_request(conn->exchange->http);

	bool expects;

	assert(conn->asks == RT_ASK_ROUTE);
	conn->asks = RT_ASK_NOTHING;
	conn->max_body = max;
	conn->keep_body = keep;
	if (keep)
		rt_http_keep(conn->exchange->http, &conn->exchange->content);
	conn->moved = now;
	if (request->content_length > max) {
		ask_answer(conn, 413, "the body is too large");
		return;
	}
	/* RFC 9110 10.1.1: not when some of the body has come already */
	expects = request->expects_continue &&
		conn->exchange->parsed == conn->exchange->in.len;
	parse(conn);
	if (expects && conn->asks == RT_ASK_NOTHING)
		expect_body(conn);
	if (conn->asks == RT_ASK_NOTHING)
		plan(conn);
}

/* --- the reply --- */

void
rt_conn_answer(struct rt_conn *conn, int64_t now)
{
	const struct rt_request *request =
		rt_http_request(conn->exchange->http);

	assert(conn->asks != RT_ASK_NOTHING);
	/* routed and answered at once, with no body to wait for */
	if (conn->asks == RT_ASK_ROUTE && !request->has_body)
		conn->complete = true;
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_REPLY;
	conn->rest = RT_REST_NOTHING;
	conn->moved = now;
	/* a 100 (Continue) that was not begun is not wanted any more */
	if (conn->interim_left == sizeof interim - 1)
		conn->interim_left = 0;
	plan(conn);
}

void
rt_conn_defer(struct rt_conn *conn, int64_t until)
{
	assert(conn->asks == RT_ASK_ANSWER);
	conn->asks = RT_ASK_NOTHING;
	conn->state = RT_STATE_WAIT;
	conn->chan.deadline = until;
	conn->may_have_more = true;
	plan(conn);
}

/* Waits a little, and tries again; a peer that takes nothing is too slow. */
static void
flush_later(struct rt_conn *conn, int64_t now)
{
	int64_t timeout = conn->config->write_timeout;

	conn->chan.out.verb = RT_NOTHING;
	conn->chan.deadline = now + RETRY_FIRST;
	if (timeout != RT_NEVER && now - conn->moved >= timeout)
		over(conn, RETORT_TIMED_OUT, RT_RESET);
}

static void
flushed(struct rt_conn *conn, int64_t result, int64_t now)
{
	const struct rt_reply *reply = &conn->exchange->reply;

	if (result == -EAGAIN) {
		flush_later(conn, now);
		return;
	}
	conn->moved = now;
	if (conn->rest == RT_REST_NOTHING)
		conn->step++;
	else
		conn->rest = reply->gap > 0 ? RT_REST_GAP : RT_REST_NOTHING;
	plan(conn);
}

static void
finish_done(struct rt_conn *conn, int64_t now)
{
	if (!must_drain(conn)) {
		over_answered(conn);
		return;
	}
	conn->state = RT_STATE_DRAIN;
	conn->moved = now;
	plan(conn);
}

/* Moves over `size` bytes of the script. */
static void
advance(struct rt_conn *conn, uint64_t size)
{
	const struct rt_step *steps = conn->exchange->reply.steps;

	conn->script_sent += size;
	conn->step_sent += size;
	conn->segment += size;
	while ((is_memory(steps[conn->step].kind) ||
		       steps[conn->step].kind == RT_STEP_FILE) &&
		conn->step_sent >= steps[conn->step].size)
		conn->step_sent -= steps[conn->step++].size;
	if (segment_room(conn) > 0)
		return;
	/* before an ending there is nothing to keep apart */
	conn->segment = 0;
	if (steps[conn->step].kind <= RT_STEP_FILE)
		conn->rest = RT_REST_FLUSH;
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
			over(conn, RETORT_TIMED_OUT, RT_CLOSE);
		return;
	case ECONNREFUSED:
	case ENOENT:
		over(conn, RETORT_RESET, RT_CLOSE);
		return;
	default:
		break;
	}
	if (result < 0) {
		over(conn, RETORT_FAILED, RT_CLOSE);
		return;
	}
	conn->sent += (uint64_t)result;
	conn->answered = true;
	while (is_memory(conn->exchange->reply.steps[conn->step].kind))
		conn->step++;
	conn->moved = now;
	plan(conn);
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
			over(conn, RETORT_RESET, RT_CLOSE);
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
		conn->exchange->reply.truncated = true;
		conn->state = RT_STATE_FINISH;
		conn->chan.out.verb = RT_FINISH;
		return;
	} else {
		advance(conn, (uint64_t)result);
	}
	plan(conn);
}

/* --- everything else that can happen --- */

/* What was waited for beside the client. False: it is the client. */
static bool
expire_rest(struct rt_conn *conn, int64_t now)
{
	const struct rt_reply *reply = &conn->exchange->reply;

	if (conn->rest == RT_REST_GAP) {
		conn->rest = RT_REST_NOTHING;
		conn->moved = now;
	} else if (conn->rest != RT_REST_FLUSH &&
		reply->steps[conn->step].kind != RT_STEP_FLUSH) {
		return false;
	}
	plan(conn);
	return true;
}

void
rt_conn_expired(struct rt_conn *conn, int64_t now)
{
	switch (conn->state) {
	case RT_STATE_IDLE:
		over(conn, RETORT_TIMED_OUT, RT_CLOSE);
		break;
	case RT_STATE_HEAD:
		ask_answer(conn, 408, "the head took too long");
		break;
	case RT_STATE_BODY:
		if (conn->rest == RT_REST_NOTHING) {
			ask_answer(conn, 408, "the body took too long");
			break;
		}
		if (conn->rest == RT_REST_CONTINUE)
			conn->interim_left = sizeof interim - 1;
		conn->rest = RT_REST_NOTHING;
		conn->moved = now;
		plan(conn);
		break;
	case RT_STATE_WAIT:
		conn->asks = RT_ASK_ANSWER;
		break;
	case RT_STATE_REPLY:
		if (expire_rest(conn, now))
			break;
		if (conn->interim_left == 0 &&
			conn->exchange->reply.steps[conn->step].kind ==
				RT_STEP_PAUSE) {
			conn->step++;
			conn->moved = now;
			conn->may_have_more = true;
			plan(conn);
		} else if (is_datagram(conn)) {
			plan(conn);
		} else {
			over(conn, RETORT_TIMED_OUT, RT_RESET);
		}
		break;
	case RT_STATE_DRAIN:
		over_answered(conn);
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
	over(conn, RETORT_RESET, RT_CLOSE);
}

/* Its FIN, while nothing is read. */
void
rt_conn_ended(struct rt_conn *conn)
{
	conn->chan.watched = false;
	receive_end(conn);
	if (conn->asks == RT_ASK_NOTHING)
		plan(conn);
}

void
rt_conn_fail(struct rt_conn *conn)
{
	over(conn, RETORT_FAILED, RT_CLOSE);
}

void
rt_conn_stop(struct rt_conn *conn, enum rt_stop why)
{
	enum rt_step_kind step;

	switch (conn->state) {
	case RT_STATE_IDLE:
	case RT_STATE_HEAD:
	case RT_STATE_BODY:
		over(conn, RETORT_STOPPED, RT_CLOSE);
		break;
	case RT_STATE_WAIT:
		conn->last = true;
		if (why == RT_STOP_ENOUGH)
			over(conn, RETORT_STOPPED, RT_CLOSE);
		break;
	case RT_STATE_REPLY:
		conn->last = true;
		step = conn->exchange->reply.steps[conn->step].kind;
		if (step == RT_STEP_STALL ||
			(why == RT_STOP_TOLD &&
				(step == RT_STEP_PAUSE ||
					conn->rest == RT_REST_GAP)))
			over(conn, RETORT_STOPPED, RT_CLOSE);
		break;
	case RT_STATE_DRAIN:
		if (why == RT_STOP_TOLD || is_half(conn))
			over_answered(conn);
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
		over_answered(conn);
	else if (conn->state != RT_STATE_OVER)
		over(conn, RETORT_STOPPED, RT_CLOSE);
}

/* --- opening, and the exchange on loan --- */

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
rt_conn_lend(struct rt_conn *conn, struct rt_exchange *exchange)
{
	conn->exchange = exchange;
	exchange->in.max = conn->config->max_in;
	exchange->content.max = conn->config->max_in;
	clear_exchange(conn);
	plan(conn);
	return conn->state == RT_STATE_OVER ? -ENOMEM : 0;
}

struct rt_exchange *
rt_conn_unlend(struct rt_conn *conn)
{
	struct rt_exchange *exchange = conn->exchange;

	conn->exchange = NULL;
	return exchange;
}
