/* SPDX-License-Identifier: MIT */
/*
 * Replies: from status, fields and body to a script of steps. Called by the
 * rooms that answer (canned, site, route, server); read by conn. Its only
 * system calls are those of reply_script.c.
 */
#include "config.h"

#include "reply/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/field.h"
#include "http/http.h"
#include "http/status.h"
#include "http/type.h"

/* Read and sent with the head rather than by sendfile(2). */
#define SMALL_FILE (64u << 10)

static const char coding[] = "Transfer-Encoding", chunked[] = "chunked";
static const char length[] = "Content-Length", connection[] = "Connection";

/* A pause of so many ms, if any. */
static void
add_pause(struct rt_reply *reply, int ms)
{
	if (ms > 0)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_PAUSE,
				.at = (uint64_t)(ms * RT_MS)});
}

/* The text from `at` on becomes the next step. */
static void
step_text(struct rt_reply *reply, size_t at)
{
	if (reply->text.len > at)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_TEXT,
				.at = at,
				.size = reply->text.len - at});
}

/* --- the head --- */

/* Whether this reply has that field itself, or omits it. */
static bool
has_own(const struct retort_reply *own, const char *name)
{
	/* nearly always there are none */
	if (own == NULL || (own->fields == NULL && own->omit == NULL))
		return false;
	return rt_field_has(own->fields, name) || rt_field_has(own->omit, name);
}

bool
rt_reply_is_own(const struct rt_draft *draft, const char *name)
{
	const struct rt_always *always = draft->reply->always;

	return has_own(draft->own, name) ||
		(always != NULL &&
			(rt_field_has(always->fields, name) ||
				rt_field_has(always->omit, name)));
}

/* The last line of that name. */
static bool
find_line(const char *lines, const char *name, struct rt_line *found)
{
	struct rt_line line;
	bool any = false;

	while (rt_field_next(&lines, &line))
		if (rt_field_is(&line, name)) {
			*found = line;
			any = true;
		}
	return any;
}

bool
rt_reply_given(const struct rt_draft *draft, const char *name,
	struct rt_line *line)
{
	const struct rt_always *always = draft->reply->always;

	if (draft->own != NULL && has_own(draft->own, name))
		return find_line(draft->own->fields, name, line);
	return always != NULL && find_line(always->fields, name, line);
}

/* --- heads that are kept --- */

void
rt_head_free(struct rt_head *head)
{
	free(head->text);
	*head = (struct rt_head){.text = NULL};
}

static bool
is_like(const struct rt_draft *draft, const struct rt_head *head)
{
	const struct rt_reply *reply = draft->reply;

	return head->text != NULL && head->status == reply->status &&
		head->keep == reply->keep &&
		head->head_only == draft->head_only &&
		head->old == draft->old && head->tunnel == draft->tunnel;
}

/* False: none was kept for a reply like this one. */
static bool
take_head(struct rt_draft *draft, const char *date)
{
	struct rt_reply *reply = draft->reply;
	const struct rt_head *head = draft->head;
	size_t after;

	if (head == NULL || !is_like(draft, head))
		return false;
	after = head->date_at + head->date_size;
	rt_buf_add(&reply->text, head->text, head->date_at);
	if (head->date_size > 0)
		rt_buf_add_text(&reply->text, date);
	rt_buf_add(&reply->text, head->text + after, head->size - after);
	reply->head_size = reply->text.len;
	step_text(reply, reply->head_at);
	draft->kept = head->kept;
	draft->in_chunks = head->in_chunks;
	draft->taken = true;
	return true;
}

static void
keep_head(const struct rt_draft *draft)
{
	const struct rt_reply *reply = draft->reply;
	struct rt_head *head = draft->head;
	size_t size = reply->head_size - reply->head_at;
	char *text;

	if (head == NULL || reply->text.failed)
		return;
	if (!head->again) {
		head->again = true;
		return;
	}
	/* those of requests by turns meet the same room */
	text = size <= head->room ? head->text : realloc(head->text, size);
	if (text == NULL)
		return;
	memcpy(text, reply->text.data + reply->head_at, size);
	*head = (struct rt_head){
		.text = text,
		.size = size,
		.room = size > head->room ? size : head->room,
		.date_at = draft->date_at - reply->head_at,
		.date_size = draft->date_size,
		.status = reply->status,
		.keep = reply->keep,
		.head_only = draft->head_only,
		.old = draft->old,
		.tunnel = draft->tunnel,
		.kept = draft->kept,
		.in_chunks = draft->in_chunks,
		.again = true,
	};
}

/* --- fields --- */

void
rt_reply_field(struct rt_draft *draft, const char *name, const char *value)
{
	struct rt_buf *text = &draft->reply->text;

	if (draft->protocol != RETORT_HTTP || draft->taken ||
		rt_reply_is_own(draft, name))
		return;
	rt_buf_add_text(text, name);
	rt_buf_add(text, ": ", 2);
	rt_buf_add_text(text, value);
	rt_buf_add(text, "\r\n", 2);
}

/* Whether it is as rt_reply_reset() leaves it, as it is nearly always. */
static bool
is_empty(const struct rt_reply *reply)
{
	return reply->status == 0 && reply->step_count == 0 &&
		reply->text.len == 0 && reply->made.it == NULL &&
		rt_reply_ok(reply);
}

static void
add_date(struct rt_draft *draft, const char *date)
{
	const struct rt_buf *text = &draft->reply->text;
	size_t before = text->len;

	rt_reply_field(draft, "Date", date);
	draft->date_at = before;
	draft->date_size = 0;
	if (text->len > before) {
		draft->date_size = strlen(date);
		draft->date_at = text->len - 2 - draft->date_size;
	}
}

void
rt_reply_begin(struct rt_draft *draft, int status, const char *date)
{
	struct rt_buf *text = &draft->reply->text;
	const struct retort_reply *own = draft->own;

	if (!is_empty(draft->reply))
		rt_reply_reset(draft->reply);
	draft->reply->status = status;
	if (own != NULL && own->interim != NULL) {
		rt_buf_add_text(text, own->interim);
		step_text(draft->reply, 0);
	}
	if (own != NULL)
		add_pause(draft->reply, own->pause_head);
	if (draft->protocol != RETORT_HTTP)
		return;
	draft->reply->head_at = text->len;
	if (take_head(draft, date))
		return;
	rt_buf_add_text(text, own && own->version ? own->version : "HTTP/1.1");
	rt_buf_add(text, " ", 1);
	rt_buf_add_number(text, (uint64_t)status);
	rt_buf_add(text, " ", 1);
	rt_buf_add_text(text,
		own && own->reason ? own->reason : rt_status_phrase(status));
	rt_buf_add(text, "\r\n", 2);
	add_date(draft, date);
}

/* Each line, as it is, with an end of its own. */
static void
add_lines(struct rt_buf *text, const char *lines)
{
	struct rt_line line;

	while (rt_field_next(&lines, &line)) {
		rt_buf_add(text, line.text, line.size);
		rt_buf_add(text, "\r\n", 2);
	}
}

/* The fields of all replies that this one does not have or omit itself; without
   a body there is nothing that Transfer-Encoding could be about. */
static void
add_always(struct rt_draft *draft, bool body)
{
	struct rt_buf *text = &draft->reply->text;
	const char *lines = draft->reply->always->fields;
	const struct retort_reply *own = draft->own;
	struct rt_line line;

	while (rt_field_next(&lines, &line)) {
		if (own != NULL &&
			(rt_field_has_same(own->fields, &line) ||
				rt_field_has_same(own->omit, &line)))
			continue;
		if (!body && rt_field_is(&line, coding))
			continue;
		rt_buf_add(text, line.text, line.size);
		rt_buf_add(text, "\r\n", 2);
	}
}

/* Whether the user wants a field left out. */
static bool
is_omitted(const struct rt_draft *draft, const char *name)
{
	struct rt_line line;

	return rt_reply_is_own(draft, name) &&
		!rt_reply_given(draft, name, &line);
}

/* Whether the reply's own version, or its own field, wants it kept. */
static bool
wants_kept(const struct rt_draft *draft)
{
	const struct retort_reply *own = draft->own;
	enum rt_keep keep = draft->reply->keep;
	struct rt_line line;

	if (own != NULL && own->version != NULL &&
		strcmp(own->version, "HTTP/1.1") != 0)
		keep = RT_KEEP_NOT;
	if (keep == RT_KEEP_TOLD)
		return false;
	if (!rt_reply_given(draft, connection, &line))
		return keep == RT_KEEP ||
			(keep == RT_KEEP_SAID &&
				!is_omitted(draft, connection));
	if (rt_text_lists(line.value, line.value_size, "close"))
		return false;
	return keep == RT_KEEP ||
		rt_text_lists(line.value, line.value_size, "keep-alive");
}

static enum retort_next
next_of(const struct rt_draft *draft)
{
	return draft->own != NULL ? draft->own->next : RETORT_NEXT_DEFAULT;
}

/* Whether something is to follow, whatever the head says. */
static bool
goes_on(const struct rt_draft *draft)
{
	return next_of(draft) >= RETORT_NEXT_KEEP;
}

/* Whether what follows may be another protocol, so that nothing is said of the
   connection in words of this one. */
static bool
becomes(const struct rt_draft *draft)
{
	return next_of(draft) > RETORT_NEXT_KEEP;
}

/* RFC 9112 9.3: persistence, which the body's end must be told for by
   something else than the connection's; `framing` is the field that does. */
static void
add_connection(struct rt_draft *draft, const char *framing)
{
	bool framed = !draft->tunnel &&
		(framing == NULL || draft->head_only ||
			!is_omitted(draft, framing));

	/* RFC 9112 6.1: HTTP/1.0 knows no chunks */
	if (framing == coding && draft->reply->keep == RT_KEEP_SAID)
		framed = false;
	draft->kept = goes_on(draft) ||
		(framed && next_of(draft) != RETORT_NEXT_CLOSE &&
			wants_kept(draft));
	if (!draft->kept)
		rt_reply_field(draft, connection, "close");
	else if (draft->reply->keep == RT_KEEP_SAID && !becomes(draft))
		rt_reply_field(draft, connection, "keep-alive");
}

/* `framing`: the field that says where the body ends; NULL: there is none. */
static void
end_head(struct rt_draft *draft, const char *framing)
{
	struct rt_reply *reply = draft->reply;

	if (draft->own != NULL && draft->own->fields != NULL)
		add_lines(&reply->text, draft->own->fields);
	if (reply->always != NULL)
		add_always(draft, framing != NULL);
	if (reply->keep == RT_KEEP_NOT)
		rt_reply_field(draft, connection, "close");
	else
		add_connection(draft, framing);
	rt_buf_add(&reply->text, "\r\n", 2);
	reply->head_size = reply->text.len;
	step_text(reply, reply->head_at);
	keep_head(draft);
}

/* Whether the fields of all replies say so, and this one nothing else. */
static bool
is_always_chunked(const struct rt_draft *draft)
{
	const struct rt_always *always = draft->reply->always;
	struct rt_line line;

	return always != NULL && !has_own(draft->own, coding) &&
		find_line(always->fields, coding, &line) &&
		rt_caseless(line.value, line.value_size, chunked);
}

static bool
is_chunked(const struct rt_draft *draft)
{
	const struct retort_reply *own = draft->own;

	if (draft->tunnel)
		return false;
	return (own != NULL &&
		       (own->chunked || own->chunks != NULL ||
			       own->trailers != NULL ||
			       (own->open &&
				       !rt_reply_is_own(draft,
					       "Content-Length")))) ||
		is_always_chunked(draft);
}

/* --- bodies --- */

/* Where a body's bytes come from. */
struct source {
	enum { BYTES, COPY, REPEAT, FROM_FILE } kind;
	const char *bytes;
	size_t period; /* of REPEAT */
	uint64_t at;   /* of FROM_FILE */
	uint64_t size;
};

/* Bytes of the file, read here if they are few. False: it is shorter. */
static bool
add_file(struct rt_reply *reply, uint64_t at, uint64_t size, bool small)
{
	struct rt_step step = {.kind = RT_STEP_FILE, .at = at, .size = size};
	char *to;

	if (small) {
		size_t want = (size_t)size, have;

		to = rt_buf_reserve(&reply->text, want);
		if (to == NULL)
			return false;
		have = rt_reply_read(reply, to, at, want);
		step.kind = RT_STEP_TEXT;
		step.at = reply->text.len;
		step.size = have;
		reply->text.len += have;
		reply->truncated = have < want;
	}
	if (step.size > 0)
		rt_reply_step(reply, step);
	return !reply->truncated;
}

static bool
is_small(const struct source *source)
{
	return source->kind == FROM_FILE && source->size <= SMALL_FILE;
}

/* `size` bytes of the source from `at` on. False: a file is shorter. */
static bool
add_piece(struct rt_reply *reply, const struct source *source, uint64_t at,
	uint64_t size)
{
	size_t end = reply->text.len;

	if (size == 0)
		return true;
	switch (source->kind) {
	case FROM_FILE:
		return add_file(reply, source->at + at, size, is_small(source));
	case COPY:
		rt_buf_add(&reply->text, source->bytes + at, (size_t)size);
		step_text(reply, end);
		break;
	case BYTES:
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = source->bytes + at,
				.size = size});
		break;
	case REPEAT:
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_REPEAT,
				.bytes = source->bytes,
				.from = at % source->period,
				.at = source->period,
				.size = size});
		break;
	}
	return true;
}

static void
add_text(struct rt_reply *reply, const char *text)
{
	size_t end = reply->text.len;

	rt_buf_add_text(&reply->text, text);
	step_text(reply, end);
}

/* RFC 9112 7.1: how a chunk begins, and one with its bytes. */
static void
add_size(struct rt_reply *reply, uint64_t size)
{
	size_t end = reply->text.len;

	rt_buf_add_format(&reply->text, "%" PRIx64 "\r\n", size);
	step_text(reply, end);
}

void
rt_reply_add_chunk(struct rt_buf *to, const void *bytes, size_t size)
{
	rt_buf_add_format(to, "%zx\r\n", size);
	rt_buf_add(to, bytes, size);
	rt_buf_add(to, "\r\n", 2);
}

static bool
add_chunk(struct rt_reply *reply, const struct source *source, uint64_t at,
	uint64_t size)
{
	add_size(reply, size);
	if (!add_piece(reply, source, at, size))
		return false;
	add_text(reply, "\r\n");
	return true;
}

uint64_t
rt_reply_chunk(const char **sizes)
{
	uint64_t size = 0;

	if (*sizes == NULL)
		return 0;
	while (**sizes == ' ' || **sizes == '\t')
		(*sizes)++;
	while (**sizes >= '0' && **sizes <= '9')
		size = size * 10 + (uint64_t)(*(*sizes)++ - '0');
	return size;
}

bool
rt_reply_part(const char **parts, uint64_t *size, int *ms)
{
	if (*parts == NULL || **parts == '\0')
		return false;
	*size = rt_reply_chunk(parts);
	*ms = (int)rt_reply_chunk(parts);
	*parts += strspn(*parts, " \t,");
	return true;
}

/* How a body is cut: into chunks, or into parts with a time after each. */
struct cut {
	const char *chunks;
	const char *parts;
	int pause;
};

static struct cut
cut_of(const struct retort_reply *own, bool in_chunks)
{
	if (own == NULL)
		return (struct cut){.parts = NULL};
	return (struct cut){
		.chunks = in_chunks ? own->chunks : NULL,
		.parts = own->parts,
		.pause = in_chunks ? own->pause_chunk : 0,
	};
}

/* The size of the next piece, at most `most`, and the time after it, as ms; -1:
   none. */
static uint64_t
cut_next(struct cut *cut, uint64_t most, int *ms)
{
	uint64_t size;

	if (rt_reply_part(&cut->parts, &size, ms))
		return size < most ? size : most;
	*ms = cut->pause > 0 ? cut->pause : -1;
	size = rt_reply_chunk(&cut->chunks);
	return size > 0 && size < most ? size : most;
}

/* The bytes of a body, piece by piece. */
static void
add_pieces(struct rt_draft *draft, const struct source *source, bool in_chunks)
{
	struct cut cut = cut_of(draft->own, in_chunks);
	struct rt_reply *reply = draft->reply;
	uint64_t at = 0, size;
	bool all = true;
	int ms;

	if (!in_chunks && cut.parts == NULL) {
		(void)add_piece(reply, source, 0, source->size);
		return;
	}
	while (all && at < source->size) {
		size = cut_next(&cut, source->size - at, &ms);
		if (in_chunks && size > 0)
			all = add_chunk(reply, source, at, size);
		else
			all = add_piece(reply, source, at, size);
		at += size;
		if (ms == 0)
			rt_reply_step(reply,
				(struct rt_step){.kind = RT_STEP_FLUSH});
		add_pause(reply, ms);
	}
}

static void
add_last_chunk(struct rt_draft *draft)
{
	struct rt_reply *reply = draft->reply;
	size_t end = reply->text.len;

	rt_buf_add(&reply->text, "0\r\n", 3);
	if (draft->own != NULL)
		add_lines(&reply->text, draft->own->trailers);
	rt_buf_add(&reply->text, "\r\n", 2);
	step_text(reply, end);
}

/* The script's end; the file is not kept open in vain. */
static void
end_script(struct rt_draft *draft, bool needs_file)
{
	struct rt_reply *reply = draft->reply;
	bool more = draft->protocol == RETORT_HTTP ?
		draft->kept && !reply->truncated :
		draft->own == NULL ||
			(!draft->own->close &&
				next_of(draft) != RETORT_NEXT_CLOSE);

	if (!needs_file && reply->file >= 0) {
		(void)close(reply->file);
		reply->file = -1;
	}
	if (draft->own != NULL) {
		add_pause(reply, draft->own->pause_end);
		reply->idle = draft->own->idle < 0 ? RT_NEVER :
						     draft->own->idle * RT_MS;
	}
	rt_reply_step(reply,
		(struct rt_step){.kind = more ? RT_STEP_NEXT : RT_STEP_CLOSE,
			.at = more && becomes(draft) ? next_of(draft) : 0});
}

static void
end_with_length(struct rt_draft *draft, uint64_t size)
{
	struct rt_buf *text = &draft->reply->text;

	if (!draft->tunnel && !rt_reply_is_own(draft, length)) {
		rt_buf_add_text(text, "Content-Length: ");
		rt_buf_add_number(text, size);
		rt_buf_add(text, "\r\n", 2);
	}
	end_head(draft, draft->tunnel ? NULL : length);
}

/* A body whose size nobody knows yet. */
static bool
is_open(const struct rt_draft *draft)
{
	return draft->own != NULL && draft->own->open;
}

/* What a client of HTTP/1.0 cannot get as chunks. */
static bool
has_no_chunks(const struct rt_draft *draft)
{
	return draft->old && draft->own != NULL &&
		(draft->own->parts != NULL || draft->own->open) &&
		!is_always_chunked(draft);
}

/* The rest of the body comes while it is sent. */
static void
add_more(struct rt_draft *draft, bool in_chunks)
{
	struct rt_reply *reply = draft->reply;

	if (!is_open(draft))
		return;
	reply->open = true;
	reply->in_chunks = in_chunks;
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_MORE});
}

/* The script of what has no head. */
static void
add_plain(struct rt_draft *draft, const struct source *source)
{
	/* also of an empty datagram there is an echo */
	if (source->size == 0 && draft->protocol == RETORT_UDP && draft->own &&
		draft->own->echo)
		rt_reply_step(draft->reply,
			(struct rt_step){.kind = RT_STEP_BYTES, .bytes = ""});
	add_pieces(draft, source, false);
	add_more(draft, false);
	end_script(draft, !is_small(source));
}

/* Ends the head, if it was not taken, with what says where the body ends. */
static void
end_with_framing(struct rt_draft *draft, uint64_t size)
{
	bool in_chunks, until_close;

	if (draft->taken)
		return;
	in_chunks = is_chunked(draft);
	until_close = in_chunks && has_no_chunks(draft);
	draft->in_chunks = in_chunks && !until_close;
	if (until_close) {
		end_head(draft, coding); /* which is not there */
	} else if (in_chunks) {
		rt_reply_field(draft, coding, chunked);
		end_head(draft, coding);
	} else {
		end_with_length(draft, size);
	}
}

/* Ends the head and the script with this body. */
static void
add_body(struct rt_draft *draft, const struct source *source)
{
	struct rt_reply *reply = draft->reply;

	if (draft->protocol != RETORT_HTTP) {
		add_plain(draft, source);
		return;
	}
	end_with_framing(draft, source->size);
	if (!draft->head_only) {
		if (draft->own != NULL)
			add_pause(reply, draft->own->pause_body);
		add_pieces(draft, source, draft->in_chunks);
		add_more(draft, draft->in_chunks);
		if (draft->in_chunks && !reply->truncated)
			add_last_chunk(draft);
	}
	end_script(draft, !draft->head_only && !is_small(source));
}

void
rt_reply_body(struct rt_draft *draft, const void *bytes, size_t size)
{
	add_body(draft,
		&(struct source){.kind = BYTES, .bytes = bytes, .size = size});
}

void
rt_reply_body_copy(struct rt_draft *draft, const void *bytes, size_t size)
{
	add_body(draft,
		&(struct source){.kind = COPY, .bytes = bytes, .size = size});
}

void
rt_reply_body_repeat(struct rt_draft *draft, const void *bytes, size_t period,
	uint64_t size)
{
	add_body(draft,
		&(struct source){.kind = REPEAT,
			.bytes = bytes,
			.period = period,
			.size = size});
}

void
rt_reply_body_file(struct rt_draft *draft, int fd, uint64_t at, uint64_t size)
{
	draft->reply->file = fd;
	add_body(draft,
		&(struct source){.kind = FROM_FILE, .at = at, .size = size});
}

void
rt_reply_body_parts(struct rt_draft *draft, int fd, const struct rt_part *parts,
	size_t count)
{
	struct rt_reply *reply = draft->reply;
	uint64_t bytes = 0, text = 0;
	bool small, in_chunks = is_chunked(draft);

	for (size_t i = 0; i < count; i++) {
		bytes += parts[i].size;
		text += parts[i].text_size;
	}
	small = bytes <= SMALL_FILE;
	if (in_chunks)
		end_head(draft, coding);
	else
		end_with_length(draft, text + bytes);
	reply->file = fd;
	if (in_chunks && !draft->head_only)
		add_size(reply, text + bytes);
	for (size_t i = 0; i < count && !draft->head_only; i++) {
		const struct rt_part *part = parts + i;
		size_t end = reply->text.len;

		rt_buf_add(&reply->text, part->text, part->text_size);
		if (part->bytes != NULL)
			rt_buf_add(&reply->text, part->bytes + part->at,
				(size_t)part->size);
		step_text(reply, end);
		if (part->bytes == NULL && part->size > 0 &&
			!add_file(reply, part->at, part->size, small))
			break;
	}
	if (in_chunks && !draft->head_only && !reply->truncated)
		add_text(reply, "\r\n0\r\n\r\n");
	end_script(draft, !draft->head_only && !small);
}

void
rt_reply_no_body(struct rt_draft *draft)
{
	if (!draft->taken)
		end_head(draft, NULL);
	end_script(draft, false);
}

void
rt_reply_body_reason(struct rt_draft *draft, const char *reason)
{
	int status = draft->reply->status;
	char body[256];
	int size = snprintf(body, sizeof body, "%d %.100s%s%.100s\n", status,
		rt_status_phrase(status), reason ? ": " : "",
		reason ? reason : "");

	rt_reply_field(draft, "Content-Type", RT_TYPE_TEXT);
	rt_reply_body_copy(draft, body, (size_t)size);
}

void
rt_reply_error(struct rt_draft *draft, int status, const char *reason,
	const char *date)
{
	rt_reply_begin(draft, status, date);
	rt_reply_body_reason(draft, reason);
}

void
rt_reply_raw(struct rt_draft *draft, int status, const void *bytes, size_t size)
{
	struct rt_reply *reply = draft->reply;

	rt_reply_reset(reply);
	reply->status = status;
	if (draft->own != NULL)
		add_pause(reply, draft->own->pause_head);
	add_pieces(draft,
		&(struct source){.kind = BYTES, .bytes = bytes, .size = size},
		false);
	add_more(draft, false);
	draft->kept = reply->keep != RT_KEEP_NOT && goes_on(draft);
	end_script(draft, false);
}

bool
rt_status_has_no_body(int status)
{
	return status / 100 == 1 || status == 204 || status == 304;
}
