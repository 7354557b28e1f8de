/* SPDX-License-Identifier: MIT */
/* The request of a connection: parses what has arrived, keeps or drops it, and
   asks the owner. */
#include "config.h"

#include "conn/conn_parts.h"

#include <string.h>

#include "conn/proxy.h"

/* Bytes of a chunked body's framing that are kept in any case. */
#define FRAMING 1024u

const char *
rt_conn_body(const struct rt_conn *conn, size_t *size)
{
	const struct rt_buffers *buffers = conn->buffers;
	const struct rt_request *request = buffers->request;
	bool plain = !rt_conn_is_http(conn);
	size_t head = plain ? 0 : request->head_size;

	if (request->chunked) {
		*size = buffers->content.len;
		if (conn->status == 413 && *size > conn->max_body)
			*size = (size_t)conn->max_body;
		return buffers->content.data;
	}
	*size = 0;
	if (plain && !conn->complete)
		*size = buffers->in.len; /* a part of a piece */
	else if ((plain || head > 0) && buffers->parsed > head)
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
	size_t head = buffers->request->head_size;
	bool whole = conn->complete ||
		(buffers->parsed > 0 && !buffers->request->has_body);
	size_t size = whole ? buffers->parsed : buffers->in.len;
	bool kept;

	if (buffers->shown > 0)
		size = buffers->shown;
	kept = head == 0 || size - head <= buffers->keep_raw;
	*cut = !kept || buffers->dropped > 0;
	return kept ? size : head + buffers->keep_raw;
}

void
rt_conn_refuse(struct rt_conn *conn, int status, const char *reason)
{
	/* the first reason counts */
	if (conn->status == 0) {
		conn->status = status;
		conn->reason = reason;
	}
	ask(conn, RT_ASK_REFUSE);
}

void
rt_conn_drop_body(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	struct rt_buf *in = &buffers->in;
	size_t kept = buffers->request->head_size + buffers->keep_raw;
	size_t left = in->len - buffers->parsed;

	if (buffers->parsed <= kept)
		return;
	memmove(in->data + kept, in->data + buffers->parsed, left);
	buffers->dropped += buffers->parsed - kept;
	in->len = kept + left;
	buffers->parsed = kept;
}

/* Some of a body was parsed, and there is more to come. */
static void
pass_body(struct rt_conn *conn, size_t before)
{
	if (conn->config->tells && conn->buffers->parsed > before)
		conn->asks = RT_ASK_TELL;
	else
		rt_conn_drop_body(conn);
}

/* Whether a fault stops reading here. */
static bool
must_halt(const struct rt_conn *conn, bool done)
{
	const struct rt_buffers *buffers = conn->buffers;
	const struct rt_reading *reading = &buffers->reading;
	uint64_t came;

	if (conn->state != RT_STATE_BODY || !reading->stops)
		return false;
	came = body_came(conn);
	/* what comes after a body that is whole is the next request */
	if (done)
		came -= buffers->in.len - buffers->parsed;
	return came > reading->stop || (came == reading->stop && !done);
}

/* Whether as much has arrived as is wanted before an early answer. */
static bool
is_early(const struct rt_conn *conn)
{
	const struct rt_reading *reading = &conn->buffers->reading;

	return conn->state == RT_STATE_BODY && reading->early &&
		body_came(conn) >= reading->early_at;
}

/* Bytes that arrived after those, which are not looked at: the answer is the
   same however they were cut on their way. */
static uint64_t
beyond_early(const struct rt_conn *conn)
{
	return is_early(conn) ?
		body_came(conn) - conn->buffers->reading.early_at :
		0;
}

/* What was parsed after the head, of which `before` bytes were before; whether
   the request is complete. */
static void
take_body(struct rt_conn *conn, size_t before, bool done)
{
	struct rt_buffers *buffers = conn->buffers;
	bool in_body = conn->state == RT_STATE_BODY;

	if (in_body && buffers->request->body_size > conn->max_body) {
		rt_conn_refuse(conn, 413, "the body is too large");
	} else if (!done && is_early(conn)) {
		buffers->shown = buffers->parsed;
		ask(conn, RT_ASK_ANSWER);
	} else if (must_halt(conn, done)) {
		conn->reason = "no more of it was read";
		ask(conn, RT_ASK_HALT);
	} else if (done) {
		conn->complete = true;
		ask(conn, RT_ASK_ANSWER);
	} else if (in_body) {
		if (buffers->reading.pace > 0)
			conn->rest = RT_REST_BODY;
		pass_body(conn, before);
	}
}

void
rt_conn_parse(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	size_t before = buffers->parsed;
	enum rt_http_result result;
	const char *reason;
	int status;

	/* more of one that is refused, for its owner alone */
	if (conn->status != 0) {
		ask(conn, RT_ASK_REFUSE);
		return;
	}
	result = rt_http_feed(buffers->http, buffers->in.data, &buffers->parsed,
		buffers->in.len - (size_t)beyond_early(conn));
	if (result == RT_HTTP_BAD) {
		status = rt_http_refusal(buffers->http, &reason);
		rt_conn_refuse(conn, status, reason);
	} else if (result == RT_HTTP_HEAD) {
		conn->state = RT_STATE_BODY;
		ask(conn, RT_ASK_ROUTE);
	} else {
		take_body(conn, before, result == RT_HTTP_DONE);
	}
}

void
rt_conn_take_rest(struct rt_conn *conn)
{
	struct rt_buffers *buffers = conn->buffers;
	size_t before = buffers->parsed;
	enum rt_http_result result = rt_http_feed(buffers->http,
		buffers->in.data, &buffers->parsed, buffers->in.len);

	/* nobody knows where the next request begins, or wants to */
	if (result == RT_HTTP_BAD ||
		buffers->request->body_size > RT_DRAIN_BYTES) {
		conn->coming = RT_COMING_UNWANTED;
	} else if (result == RT_HTTP_DONE) {
		conn->complete = true;
		conn->coming = RT_COMING_NEXT;
	} else {
		pass_body(conn, before);
	}
}

void
rt_conn_keep(struct rt_conn *conn, size_t most)
{
	struct rt_buffers *buffers = conn->buffers;
	size_t head = buffers->request->head_size;
	bool chunked = buffers->request->chunked;
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
	rt_conn_hold(buffers, conn->config->max_in + buffers->keep_raw);
	buffers->content.max = most;
	rt_http_keep(buffers->http, &buffers->content, most);
}

/* Takes a PROXY header. False: more of it is to arrive, or nothing after it
   has; or it is none, and the request is refused. */
static bool
take_proxy(struct rt_conn *conn)
{
	struct rt_buf *in = &conn->buffers->in;
	int size = rt_proxy_read(in->data, in->len, &conn->peer);

	if (size < 0)
		rt_conn_refuse(conn, 400, "expected a PROXY protocol header");
	if (size <= 0)
		return false;
	conn->named_by = (uint16_t)size;
	in->len -= (size_t)size;
	memmove(in->data, in->data + size, in->len);
	return in->len > 0;
}

void
rt_conn_take(struct rt_conn *conn, size_t known)
{
	if (conn->state == RT_STATE_IDLE) {
		conn->state = RT_STATE_HEAD;
		if (rt_conn_is_between(conn))
			conn->began = conn->moved;
		conn->nth++;
	}
	if (conn->config->proxied && conn->named_by == 0 && !take_proxy(conn))
		return;
	if (rt_conn_is_http(conn))
		rt_conn_parse(conn);
	else
		rt_conn_take_piece(conn, known);
}
