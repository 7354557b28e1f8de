/* SPDX-License-Identifier: MIT */
/*
 * The heads of replies: status and fields, then the fields that frame the body.
 * Keeps heads for replies that are the same each time. Called by the rooms that
 * answer (canned, site, route, server), who go on with reply_body.c.
 */
#include "config.h"

#include "reply/reply_parts.h"

#include <string.h>

#include "base/text.h"
#include "http/field.h"
#include "http/status.h"

static const char coding[] = "Transfer-Encoding", chunked[] = "chunked";
static const char length[] = "Content-Length", connection[] = "Connection";

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
rt_draft_is_own(const struct rt_draft *draft, const char *name)
{
	const struct rt_always *always = draft->reply->always;

	return has_own(draft->own, name) ||
		(always != NULL &&
			(rt_field_has(always->fields, name) ||
				rt_field_has(always->omit, name)));
}

/* Finds the last line of that name. */
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
rt_draft_given(const struct rt_draft *draft, const char *name,
	struct rt_line *line)
{
	const struct rt_always *always = draft->reply->always;

	if (draft->own != NULL && has_own(draft->own, name))
		return find_line(draft->own->fields, name, line);
	return always != NULL && find_line(always->fields, name, line);
}

/* --- fields --- */

void
rt_draft_field(struct rt_draft *draft, const char *name, const char *value)
{
	struct rt_buf *text = &draft->reply->text;

	if (draft->protocol != RETORT_HTTP || rt_draft_is_own(draft, name))
		return;
	rt_buf_add_text(text, name);
	rt_buf_add(text, ": ", 2);
	rt_buf_add_text(text, value);
	rt_buf_add(text, "\r\n", 2);
}

static void
add_date(struct rt_draft *draft, const char *date)
{
	const struct rt_buf *text = &draft->reply->text;
	size_t before = text->len;

	rt_draft_field(draft, "Date", date);
	draft->date_at = text->len > before ? text->len - 2 - RT_DATE_SIZE : 0;
}

void
rt_draft_begin(struct rt_draft *draft, int status, const char *date)
{
	struct rt_buf *text = &draft->reply->text;
	const struct retort_reply *own = draft->own;

	rt_reply_empty(draft->reply);
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
	rt_buf_add_text(text, own && own->version ? own->version : "HTTP/1.1");
	rt_buf_add(text, " ", 1);
	rt_buf_add_number(text, (uint64_t)status);
	rt_buf_add(text, " ", 1);
	rt_buf_add_text(text,
		own && own->reason ? own->reason : rt_status_phrase(status));
	rt_buf_add(text, "\r\n", 2);
	add_date(draft, date);
}

void
rt_reply_add_lines(struct rt_buf *text, const char *lines)
{
	struct rt_line line;

	while (rt_field_next(&lines, &line)) {
		rt_buf_add(text, line.text, line.size);
		rt_buf_add(text, "\r\n", 2);
	}
}

/* Adds the fields of all replies that this one does not have or omit itself;
   without a body no Transfer-Encoding. */
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

	return rt_draft_is_own(draft, name) &&
		!rt_draft_given(draft, name, &line);
}

/* Whether the version and the fields of the reply allow the connection to be
   kept. */
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
	if (!rt_draft_given(draft, connection, &line))
		return keep == RT_KEEP ||
			(keep == RT_KEEP_SAID &&
				!is_omitted(draft, connection));
	if (rt_text_lists(line.value, line.value_size, "close"))
		return false;
	return keep == RT_KEEP ||
		rt_text_lists(line.value, line.value_size, "keep-alive");
}

/* RFC 9112 9.3: decides whether the connection is kept, and adds Connection.
   For that the field `framing` must say where the body ends (NULL: there is
   none). */
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
		rt_draft_field(draft, connection, "close");
	else if (draft->reply->keep == RT_KEEP_SAID && !becomes(draft))
		rt_draft_field(draft, connection, "keep-alive");
}

/* Adds the rest of the head. `framing`: the field that says where the body
   ends; NULL: none does. */
static void
end_head(struct rt_draft *draft, const char *framing)
{
	struct rt_reply *reply = draft->reply;

	if (draft->own != NULL && draft->own->fields != NULL)
		rt_reply_add_lines(&reply->text, draft->own->fields);
	if (reply->always != NULL)
		add_always(draft, framing != NULL);
	if (reply->keep == RT_KEEP_NOT)
		rt_draft_field(draft, connection, "close");
	else
		add_connection(draft, framing);
	rt_buf_add(&reply->text, "\r\n", 2);
	reply->head_size = reply->text.len;
	step_text(reply, reply->head_at);
}

/* Whether the fields of all replies say that it comes in chunks, and its own
   say nothing else. */
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
				       !rt_draft_is_own(draft,
					       "Content-Length")))) ||
		is_always_chunked(draft);
}

static void
end_with_length(struct rt_draft *draft, uint64_t size)
{
	struct rt_buf *text = &draft->reply->text;

	if (!draft->tunnel && !rt_draft_is_own(draft, length)) {
		rt_buf_add_text(text, "Content-Length: ");
		rt_buf_add_number(text, size);
		rt_buf_add(text, "\r\n", 2);
	}
	end_head(draft, draft->tunnel ? NULL : length);
}

/* Whether a client of HTTP/1.0 gets it without chunks, up to the close. */
static bool
has_no_chunks(const struct rt_draft *draft)
{
	return draft->old && draft->own != NULL &&
		(draft->own->parts != NULL || draft->own->open) &&
		!is_always_chunked(draft);
}

void
rt_draft_end_head(struct rt_draft *draft, uint64_t size)
{
	bool in_chunks = is_chunked(draft);
	bool until_close = in_chunks && has_no_chunks(draft);

	draft->in_chunks = in_chunks && !until_close;
	if (draft->head_only)
		draft->reply->body = RT_BODY_LEFT_OUT;
	if (until_close) {
		end_head(draft, coding); /* which is not there */
	} else if (in_chunks) {
		rt_draft_field(draft, coding, chunked);
		end_head(draft, coding);
	} else {
		end_with_length(draft, size);
	}
}

void
rt_draft_end_bare_head(struct rt_draft *draft)
{
	end_head(draft, NULL);
}
