/* SPDX-License-Identifier: MIT */
/*
 * Exchanges as users see them, and the records of them: the request, and what
 * happened, in order. Called by the room server for everything that happens to
 * a connection. Copies what it keeps, so that records outlive connections.
 */
#include "config.h"

#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "tls/tls.h"

/* The most bytes kept of each side for the transcript. */
#define MAX_KEPT (1u << 20)

/* --- views --- */

/* The first value of that field, as it arrived. */
static const char *
find_field(const struct rt_buffers *buffers, const char *name, size_t *size)
{
	const struct rt_http_field *field =
		rt_http_field(buffers->request, buffers->in.data, name);

	if (field == NULL)
		return NULL;
	*size = field->value.size;
	return buffers->in.data + field->value.at;
}

/* The first line of the request; bytes after the request have none. */
static struct rt_span
line_of(const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;
	bool cut;

	return rt_http_line(buffers->http, buffers->in.data,
		rt_conn_raw(conn, &cut));
}

const char *
rt_record_why_tls(const struct rt_tls *tls)
{
	if (tls->why != NULL)
		return tls->why;
	return tls->cut && !tls->ready ? "cut by a fault" : NULL;
}

/* Sets the members about TLS, which borrow from that. */
static void
view_tls(struct retort_exchange *view, const struct rt_tls *tls)
{
	const struct rt_tls_facts *facts = &tls->facts;

	view->tls_version = facts->version;
	view->tls_cipher = facts->cipher;
	view->tls_alpn = facts->alpn;
	view->tls_sni = facts->sni;
	view->tls_client = facts->client;
	view->tls_resumed = facts->resumed;
	view->tls_error = view->end == RETORT_TLS_FAILED ?
		rt_record_why_tls(tls) :
		tls->why;
}

/* How the exchange has ended: on a wire that was cut in the handshake nothing
   was answered. */
static enum retort_end
end_of(const struct rt_served *served)
{
	const struct rt_tls *tls = served->tls;
	enum retort_end end = served->conn.end;

	return tls != NULL && tls->cut && !tls->ready &&
			end == RETORT_ANSWERED ?
		RETORT_TLS_FAILED :
		end;
}

/* The number of bytes that were sent after the head. */
static uint64_t
sent_body(const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;

	if (!rt_conn_is_http(conn))
		return conn->sent;
	if (buffers == NULL || buffers->in.len == 0 ||
		buffers->play.sent <= buffers->reply.head_size)
		return 0;
	return buffers->play.sent - buffers->reply.head_size;
}

/* Sets the members about the request and its reply, as far as there are any. */
static void
view_buffers(struct retort_exchange *view, const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;
	bool cut;

	if (buffers->in.len > 0) {
		struct rt_span line = line_of(conn);

		view->request = buffers->in.data + line.at;
		view->request_size = line.size;
		view->raw = buffers->in.data;
		view->raw_size = rt_conn_raw(conn, &cut);
		view->status = buffers->reply.status;
	}
	view->faults = rt_reply_faults(&buffers->reply);
	view->referer = find_field(buffers, "Referer", &view->referer_size);
	view->user_agent =
		find_field(buffers, "User-Agent", &view->user_agent_size);
}

struct retort_exchange
rt_journal_view(const struct rt_served *served, int64_t now,
	char client[RT_PEER_TEXT])
{
	const struct rt_conn *conn = &served->conn;
	struct retort_exchange view = {
		.connection = served->number,
		.client = rt_sock_peer_text(&conn->peer, client),
		.end = end_of(served),
		.received = conn->received,
		.sent = conn->sent,
		.sent_body = sent_body(conn),
		.duration = now - conn->began,
		.protocol = conn->protocol,
		.nth = conn->nth,
		.tunnel = served->tunnel ? served->tunnel->data : NULL,
		.truncated = conn->truncated,
		.still_sending = conn->still_sending,
		.complete = conn->complete,
		.refused = conn->status,
		.reason = conn->reason,
		.kept = conn->asks == RT_ASK_DONE,
		.client_close = conn->client_close,
		.server_close = conn->server_close,
		.client_first = conn->client_first,
		.by_chance = served->chance.drawn,
		.seed = served->chance.seed,
	};
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	view.began =
		(int64_t)wall.tv_sec * RT_SECOND + wall.tv_nsec - view.duration;
	if (conn->buffers != NULL)
		view_buffers(&view, conn);
	/* the reply has none, but the connection has */
	if (view.faults == NULL &&
		(view.request == NULL ||
			(served->tls != NULL && served->tls->cut)))
		view.faults = served->tls_faults;
	if (view.protocol != RETORT_HTTP)
		view.pieces = conn->nth - conn->ended;
	if (served->tls != NULL)
		view_tls(&view, served->tls);
	return view;
}

/* --- what happened, in order --- */

void
rt_record_count(struct rt_record *record)
{
	struct rt_journal *journal = record->journal;
	size_t now = sizeof *record + record->size + record->bytes.room +
		record->event_room * sizeof *record->events;

	journal->used += now - record->counted;
	record->counted = now;
}

/* The number of bytes that there is room for. */
static size_t
room_left(const struct rt_journal *journal)
{
	return journal->max > journal->used ? journal->max - journal->used : 0;
}

/* Notes that something of the record is lost. */
static void
lose(struct rt_record *record)
{
	if (!record->partial && rt_record_is_kept(record))
		record->journal->lost++;
	record->partial = true;
}

static struct rt_record_event *
add_event(struct rt_record *record, enum rt_record_kind kind, int64_t now)
{
	struct rt_record_event *event;

	if (!rt_grow(&record->events, &record->event_room, record->event_count,
		    sizeof *record->events)) {
		lose(record);
		return NULL;
	}
	event = record->events + record->event_count++;
	*event = (struct rt_record_event){
		.kind = kind,
		.when = now - record->began,
		.at = record->bytes.len,
	};
	return event;
}

/* Whether bytes of one direction are one event with those before them: within a
   millisecond, or within a line, whose time is that of its first byte. */
static bool
goes_on(const struct rt_record *record, const struct rt_record_event *event,
	enum rt_record_kind kind, int64_t now)
{
	const struct rt_buf *bytes = &record->bytes;

	return event != NULL && event->kind == kind &&
		(now - record->began - event->when < RT_MS ||
			event->kept < event->size ||
			(bytes->len > 0 &&
				bytes->data[bytes->len - 1] != '\n'));
}

static void
add_bytes(struct rt_record *record, enum rt_record_kind kind, const void *bytes,
	size_t size, int64_t now)
{
	struct rt_record_event *event = record->event_count > 0 ?
		record->events + record->event_count - 1 :
		NULL;
	size_t *sum = record->kept + (kind == RT_RECORD_SENT);
	size_t kept = size < MAX_KEPT - *sum ? size : MAX_KEPT - *sum;

	if (!goes_on(record, event, kind, now))
		event = add_event(record, kind, now);
	if (event == NULL)
		return;
	/* after the first byte that could not be kept none is */
	if (event->size == event->kept) {
		size_t before = record->bytes.len;

		record->bytes.max =
			record->bytes.room + room_left(record->journal);
		rt_buf_add(&record->bytes, bytes, kept);
		if (record->bytes.failed)
			lose(record);
		event->kept += record->bytes.len - before;
		*sum += record->bytes.len - before;
	}
	event->size += size;
	rt_record_count(record);
}

void
rt_record_received(struct rt_record *record, const void *bytes, size_t size,
	int64_t now)
{
	add_bytes(record, RT_RECORD_RECEIVED, bytes, size, now);
}

void
rt_record_sent(struct rt_record *record, const struct rt_op *op,
	const void *file_bytes, int64_t now)
{
	size_t left = (size_t)op->result;

	if (op->verb == RT_FILE)
		add_bytes(record, RT_RECORD_SENT, file_bytes, left, now);
	if (op->verb == RT_SEND_TO && left == 0)
		add_bytes(record, RT_RECORD_SENT, "", 0, now);
	for (int i = 0; op->verb != RT_FILE && i < op->send.count && left > 0;
		i++) {
		const struct iovec *piece = op->send.pieces + i;
		size_t size = piece->iov_len < left ? piece->iov_len : left;

		add_bytes(record, RT_RECORD_SENT, piece->iov_base, size, now);
		left -= size;
	}
}

void
rt_record_event(struct rt_record *record, enum rt_record_kind kind, int64_t now)
{
	(void)add_event(record, kind, now);
	rt_record_count(record);
}

/* --- the handshake of TLS --- */

/* Records bytes of a handshake. More of one direction belong to the same
   flight. */
static void
add_flight(struct rt_record *record, enum rt_record_kind kind, uint64_t *told,
	uint64_t all, int64_t now)
{
	struct rt_record_event *event = NULL;

	if (all == *told)
		return;
	if (record->event_count > 0)
		event = record->events + record->event_count - 1;
	if (record->event_count == 0 || event->kind != kind)
		event = add_event(record, kind, now);
	if (event != NULL)
		event->size += all - *told;
	*told = all;
}

/* Adds "TLSv1.3, TLS_AES_256_GCM_SHA384, SNI localhost", or why it failed. */
static void
describe_tls(const struct rt_tls *tls, struct rt_buf *to)
{
	const struct rt_tls_facts *facts = &tls->facts;

	if (!tls->ready) {
		rt_buf_add_format(to, "failed: %s", rt_record_why_tls(tls));
		return;
	}
	rt_buf_add_format(to, "%s, %s", facts->version, facts->cipher);
	if (facts->alpn != NULL)
		rt_buf_add_format(to, ", ALPN %s", facts->alpn);
	if (facts->sni != NULL)
		rt_buf_add_format(to, ", SNI %s", facts->sni);
	if (facts->client != NULL)
		rt_buf_add_format(to, ", client %s", facts->client);
	if (facts->resumed)
		rt_buf_add_text(to, ", resumed");
}

static void
add_outcome(struct rt_record *record, const struct rt_tls *tls, int64_t now)
{
	struct rt_record_event *event = add_event(record, RT_RECORD_TLS, now);
	struct rt_buf *bytes = &record->bytes;

	if (event == NULL)
		return;
	bytes->max = bytes->room + room_left(record->journal);
	describe_tls(tls, bytes);
	if (bytes->failed)
		lose(record);
	event->kept = bytes->len - event->at;
	event->size = event->kept;
}

void
rt_record_shake(struct rt_record *record, struct rt_served *served, int64_t now)
{
	const struct rt_tls *tls = served->tls;
	uint64_t *told = served->shook;

	add_flight(record, RT_RECORD_TLS_IN, told, tls->shook_in, now);
	add_flight(record, RT_RECORD_TLS_OUT, told + 1, tls->shook_out, now);
	served->shaken = tls->ready || rt_record_why_tls(tls) != NULL;
	if (served->shaken)
		add_outcome(record, tls, now);
	rt_record_count(record);
}

/* --- the request --- */

/* Room that was measured before, and is given out from its beginning. */
struct room {
	char *at;
};

static char *
put(struct room *room, const void *bytes, size_t size)
{
	char *text = room->at;

	if (size > 0)
		memcpy(text, bytes, size);
	text[size] = '\0';
	room->at += size + 1;
	return text;
}

static char *
put_span(struct room *room, const char *base, struct rt_span span)
{
	return put(room, base + span.at, span.size);
}

/* Puts a span, percent-decoded, which takes no more room than the span. NULL:
   it is malformed, or has a NUL. */
static char *
put_decoded(struct room *room, const char *base, struct rt_span span)
{
	const char *from = base + span.at, *end = from + span.size;
	char *text = room->at, *to = text;

	while (from < end) {
		bool encoded = *from == '%';
		int c = encoded ? rt_text_percent(from, end) :
				  (unsigned char)*from;

		if (c <= 0)
			return NULL;
		from += encoded ? 3 : 1;
		*to++ = (char)c;
	}
	*to = '\0';
	room->at = to + 1;
	return text;
}

static size_t
measure(const struct rt_buffers *buffers)
{
	const struct rt_request *request = buffers->request;
	size_t fields = request->field_count + request->trailer_count;
	size_t size = fields * sizeof(struct retort_field);

	for (size_t i = 0; i < fields; i++)
		size += request->fields[i].name.size + 1 +
			request->fields[i].value.size + 1;
	size += request->name.size + 1 + request->target.size + 1;
	size += request->path.size + 1 + request->query.size + 1;
	return size;
}

/* The bytes of a request that are copied. */
struct extent {
	size_t head;
	size_t raw; /* the head among them */
	const char *body;
	size_t body_size;
	bool shared; /* the body is the end of the raw bytes */
};

/* Finds the bytes that are copied: there may be room for a part of them. */
static struct extent
find_extent(struct rt_record *record, const struct rt_conn *conn, size_t least)
{
	const struct rt_request *request = conn->buffers->request;
	size_t most = room_left(record->journal);
	struct extent extent = {.head = request->head_size};
	bool cut;

	extent.raw = rt_conn_raw(conn, &cut);
	extent.body = rt_conn_body(conn, &extent.body_size);
	if (most < least)
		most = least;
	if (extent.body_size > most) {
		extent.body_size = most;
		lose(record);
	}
	if (extent.head > 0 && extent.raw - extent.head > most)
		extent.raw = extent.head + most;
	extent.shared = !request->chunked &&
		extent.raw == extent.head + extent.body_size;
	return extent;
}

/* Whether a word of the request line has arrived whole, up to a space. If the
   head is complete, each has. */
static bool
is_whole(const struct rt_buffers *buffers, struct rt_span word)
{
	size_t end = (size_t)word.at + word.size;

	if (word.size > 0 && buffers->request->head_size > 0)
		return true;
	return word.size > 0 && end < buffers->in.len &&
		buffers->in.data[end] == ' ';
}

/* Notes a field that has a member of its own, for log lines. */
static void
note_field(struct retort_exchange *seen, const char *base,
	const struct rt_http_field *field, const char *value)
{
	if (seen->referer == NULL && rt_span_is(base, field->name, "Referer")) {
		seen->referer = value;
		seen->referer_size = field->value.size;
	}
	if (seen->user_agent == NULL &&
		rt_span_is(base, field->name, "User-Agent")) {
		seen->user_agent = value;
		seen->user_agent_size = field->value.size;
	}
}

/* Puts the parsed request, as strings. */
static void
put_request(struct rt_record *record, const struct rt_buffers *buffers,
	struct room *room)
{
	const struct rt_request *request = buffers->request;
	size_t count = request->field_count + request->trailer_count;
	struct retort_field *fields = (void *)room->at;
	struct retort_exchange *seen = &record->seen;
	const char *base = buffers->in.data;

	room->at += count * sizeof *fields;
	for (size_t i = 0; i < count; i++) {
		const struct rt_http_field *field = request->fields + i;

		fields[i].name = put_span(room, base, field->name);
		fields[i].value = put_span(room, base, field->value);
		if (i < request->field_count)
			note_field(seen, base, field, fields[i].value);
	}
	seen->fields = fields;
	seen->field_count = request->field_count;
	seen->trailers = fields + request->field_count;
	seen->trailer_count = request->trailer_count;
	if (is_whole(buffers, request->name))
		seen->method = put_span(room, base, request->name);
	if (is_whole(buffers, request->target))
		seen->target = put_span(room, base, request->target);
	if (request->head_size > 0 && request->path.size > 0)
		seen->path = put_decoded(room, base, request->path);
	if (request->head_size > 0 && request->query.size > 0)
		seen->query = put_span(room, base, request->query) + 1;
	seen->minor = request->minor;
}

int
rt_record_request(struct rt_record *record, const struct rt_conn *conn,
	size_t least, int64_t now)
{
	const struct rt_buffers *buffers = conn->buffers;
	struct retort_exchange *seen = &record->seen;
	struct extent extent = find_extent(record, conn, least);
	struct rt_span line = line_of(conn);
	struct room room;
	char *raw;

	record->size = measure(buffers) + line.size + 1 + extent.raw + 1;
	if (!extent.shared)
		record->size += extent.body_size + 1;
	record->strings = malloc(record->size);
	if (record->strings == NULL) {
		record->size = 0;
		return -ENOMEM;
	}
	room.at = record->strings;
	put_request(record, buffers, &room);
	seen->request = put_span(&room, buffers->in.data, line);
	seen->request_size = line.size;
	raw = put(&room, buffers->in.data, extent.raw);
	seen->raw = raw;
	seen->raw_size = extent.raw;
	seen->body = extent.shared ? raw + extent.head :
				     put(&room, extent.body, extent.body_size);
	seen->body_size = extent.body_size;
	seen->body_total = buffers->request->body_size;
	if (!rt_conn_is_http(conn)) {
		seen->body_total = extent.body_size;
		seen->pieces = conn->nth - conn->ended;
	}
	/* a PROXY header has arrived since the record was opened */
	if (conn->named_by > 0)
		(void)rt_sock_peer_text(&conn->peer, record->client);
	seen->complete = conn->complete;
	seen->refused = conn->status;
	seen->reason = conn->reason;
	seen->protocol = conn->protocol;
	seen->nth = conn->nth;
	seen->truncated = conn->truncated;
	seen->received = conn->received;
	seen->requested = now - conn->began;
	seen->duration = seen->requested;
	rt_record_count(record);
	return 0;
}

int
rt_record_in(struct rt_record *record, const char *states)
{
	record->in = strdup(states);
	if (record->in == NULL)
		return -ENOMEM;
	record->seen.in = record->in;
	record->size += strlen(states) + 1;
	rt_record_count(record);
	return 0;
}

void
rt_record_begin_tls(struct rt_served *served)
{
	struct rt_record *record =
		served->record ? served->record : served->past;

	for (; record != NULL; record = record->earlier)
		record->before_tls = true;
}

void
rt_record_note_tls(struct rt_record *record, const struct rt_served *served)
{
	if (served->tls == NULL || record->before_tls)
		return;
	view_tls(&record->seen, served->tls);
	if (record->tls_texts == NULL)
		record->tls_texts = rt_blob_share(served->tls->facts.texts);
}

void
rt_record_forget_request(struct rt_record *record)
{
	struct retort_exchange *seen = &record->seen;

	free(record->strings);
	free(record->in);
	record->strings = NULL;
	record->in = NULL;
	record->size = 0;
	record->rule_id = 0;
	/* nothing points at the strings any more */
	*seen = (struct retort_exchange){
		.connection = seen->connection,
		.client = seen->client,
		.began = seen->began,
		.protocol = seen->protocol,
		.nth = seen->nth,
		.tunnel = seen->tunnel,
		.status = seen->status,
		.faults = seen->faults,
		.by_chance = seen->by_chance,
		.seed = seen->seed,
	};
	rt_record_count(record);
}

void
rt_record_answered(struct rt_record *record, const struct rt_reply *reply)
{
	record->answered = true;
	record->seen.status = reply->status;
}

void
rt_record_end_exchange(struct rt_record *record, const struct rt_served *served,
	int64_t now)
{
	const struct rt_conn *conn = &served->conn;
	struct retort_exchange *seen = &record->seen;

	if (!record->ended) {
		record->ended = true;
		seen->end = end_of(served);
		seen->received = conn->received;
		seen->sent = conn->sent;
		seen->sent_body = sent_body(conn);
		seen->duration = now - conn->began;
		seen->kept = conn->asks == RT_ASK_DONE;
		seen->still_sending = conn->still_sending;
		rt_record_note_tls(record, served);
	}
	seen->client_close = conn->client_close;
	seen->server_close = conn->server_close;
	seen->client_first = conn->client_first;
}

void
rt_record_end(struct rt_record *record, const struct rt_served *served,
	int64_t now)
{
	for (; record != NULL; record = record->earlier)
		rt_record_end_exchange(record, served, now);
}
