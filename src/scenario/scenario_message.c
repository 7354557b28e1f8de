/* SPDX-License-Identifier: MIT */
/* The messages of a scenario: HTTP as people write and paste it, corrected with
   a notice, or taken as it stands. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "canned/fill.h"
#include "http/http.h"

static bool
read_status_line(struct rt_reader *reader)
{
	struct retort_reply *rule = &reader->item->rule;
	const char *at = reader->line;
	struct rt_word version = rt_scenario_word(reader, &at);
	struct rt_word status = rt_scenario_word(reader, &at);
	struct rt_word reason = rt_scenario_rest(reader, at);
	uint64_t number;

	if (!rt_word_number(status, 999, &number) ||
		(number < 200 && number != 101))
		return rt_scenario_expected(reader, status.text,
			"a status, 101 or from 200 to 999");
	if (!rt_word_is(version, "HTTP/1.1"))
		rt_scenario_notice(reader, RT_NOTICE_VERSION,
			"the status line is changed to HTTP/1.1");
	rule->status = (int)number;
	/* a status line of HTTP/2 has none */
	if (reason.size == 0 && !rt_word_is(version, "HTTP/1.1"))
		return true;
	rule->reason = rt_scenario_own_text(reader, reason.text, reason.size);
	return rule->reason != NULL;
}

/* The head's statements about the body; white space around values is gone. */
struct framing {
	bool has_length;
	uint64_t length;
	bool chunked;
	bool has_type;
	bool events; /* text/event-stream: an empty line ends each event */
	bool closed; /* HTTP/1.0, where the connection's end may be its end */
	bool close;  /* Connection says so */
	bool pasted; /* it has what a server says, and people leave out */
	struct rt_word coding; /* Content-Encoding */
};

static bool
is_name(struct rt_word name, const char *text)
{
	return rt_caseless(name.text, name.size, text);
}

static bool
is_of_events(struct rt_word type)
{
	static const char events[] = "text/event-stream";
	const size_t size = sizeof events - 1;

	return type.size >= size && rt_caseless(type.text, size, events) &&
		(type.size == size || type.text[size] == ';' ||
			rt_is_blank(type.text[size]));
}

/* Checks that parts of the request can be filled in that text of the line. */
static bool
check_fill(struct rt_reader *reader, const char *text, size_t size)
{
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error;
	int code = reader->item->rule.fill ?
		rt_fill_read(&fill, text, size, RT_FILL_PLAIN, RETORT_HTTP,
			&error) :
		0;

	rt_fill_free(&fill);
	if (code == -ENOMEM)
		return rt_scenario_no_memory(reader);
	return code == 0 ||
		rt_scenario_fail(reader, text + error.at, "%s", error.text);
}

/* Notes what a field says about the body. False: the field is left out, as it
   is added later. */
static bool
note_field(struct rt_reader *reader, struct framing *framing,
	struct rt_word name, struct rt_word value)
{
	bool close = is_name(value, "close");

	framing->pasted |= is_name(name, "Date");
	if (is_name(name, "Content-Length")) {
		framing->has_length = rt_word_number(value, RT_SCENARIO_MOST,
			&framing->length);
		return false;
	}
	if (is_name(name, "Transfer-Encoding") && is_name(value, "chunked")) {
		framing->chunked = true;
		return false;
	}
	if (is_name(name, "Content-Encoding")) {
		framing->coding = value;
		return false;
	}
	if (is_name(name, "Content-Type")) {
		framing->has_type = true;
		framing->events = is_of_events(value);
	}
	if (!is_name(name, "Connection"))
		return true;
	framing->close |= close;
	/* what it is upgraded to, the server does not know */
	if (close || reader->item->rule.status == 101)
		return true;
	rt_scenario_notice(reader, RT_NOTICE_CLOSE,
		"Connection is left to the server");
	return false;
}

static bool
read_field(struct rt_reader *reader, struct framing *framing)
{
	const char *colon = memchr(reader->line, ':', reader->size);
	struct rt_word name = {reader->line, 0}, value;

	if (rt_is_blank(*reader->line))
		return rt_scenario_expected(reader, reader->line,
			"no folded line (@fault fold makes one)");
	if (colon == NULL || colon == reader->line)
		return rt_scenario_expected(reader, reader->line,
			"a field, 'Name: value', or the empty line before the "
			"body");
	name.size = (size_t)(colon - reader->line);
	value = rt_scenario_rest(reader, colon + 1);
	if (!rt_http_is_token(name.text, name.size))
		return rt_scenario_expected(reader, name.text,
			"a field's name, or the empty line before the body");
	if (!rt_http_is_value(value.text, value.size))
		return rt_scenario_expected(reader, value.text,
			"a field's value");
	if (!check_fill(reader, value.text, value.size))
		return false;
	if (note_field(reader, framing, name, value))
		rt_scenario_add_line(&reader->reply_fields, reader->line,
			reader->size);
	return true;
}

/* Reads the fields, and the empty line after them. */
static bool
read_head(struct rt_reader *reader, struct framing *framing)
{
	while (reader->at < reader->end && *reader->at != '@') {
		if (!rt_scenario_next_line(reader) || reader->size == 0)
			return true;
		if (!read_field(reader, framing))
			return false;
	}
	return true;
}

/* Notices a line of the body that looks as if it began something of its own. */
static void
look_at_line(struct rt_reader *reader, const char *line, size_t size)
{
	size_t blanks = 0;

	while (blanks < size && rt_is_blank(line[blanks]))
		blanks++;
	if (blanks > 0 && blanks < size && line[blanks] == '@' &&
		rt_scenario_is_directive(line + blanks + 1, size - blanks - 1))
		rt_scenario_notice(reader, RT_NOTICE_INDENTED,
			"an indented directive belongs to the body: "
			"directives begin at the margin");
	if (rt_text_status(line, line + size) != 0)
		rt_scenario_notice(reader, RT_NOTICE_MESSAGE,
			"a status line here belongs to the body: "
			"another reply begins with @then or @on");
}

/* Whether the next line says that a part of the text ends. */
static bool
is_part(const struct rt_reader *reader)
{
	const char *at = reader->at, *end = reader->end;

	return end - at >= 5 && memcmp(at, "@part", 5) == 0 &&
		(end - at == 5 || strchr(" \t\r\n", at[5]) != NULL);
}

/* Ends the event, if the part of the text has one that is not ended. */
static void
end_event(struct rt_buf *text, size_t from)
{
	size_t size = text->len > from ? text->len - from : 0;
	const char *end;

	if (size == 0 || text->failed)
		return;
	end = text->data + text->len;
	if (end[-1] != '\n')
		rt_buf_add(text, "\n\n", 2);
	else if (size < 2 ||
		(end[-2] != '\n' &&
			(size < 3 || end[-2] != '\r' || end[-3] != '\n')))
		rt_buf_add(text, "\n", 1);
}

/* Reads lines up to the next directive, as they stand; "@@" is an "@", and
   "@part" stands between two parts. `framing` is NULL for a raw message. */
static bool
read_text(struct rt_reader *reader, const struct framing *framing,
	struct rt_buf *to)
{
	while (reader->at < reader->end) {
		const char *begin = reader->at;

		if (is_part(reader)) {
			(void)rt_scenario_next_line(reader);
			if (framing != NULL && framing->events)
				end_event(to, reader->part_at);
			if (!rt_scenario_part(reader, begin + 5, to->len))
				return false;
			continue;
		}
		if (*begin == '@') {
			if (reader->end - begin < 2 || begin[1] != '@')
				break;
			begin++;
		}
		(void)rt_scenario_next_line(reader);
		if (!check_fill(reader, reader->line, reader->size))
			return false;
		if (framing != NULL)
			look_at_line(reader, begin,
				(size_t)(reader->line + reader->size - begin));
		rt_buf_add(to, begin, (size_t)(reader->at - begin));
	}
	return true;
}

/* Takes off one empty line at the end, which may be for the eye. */
static void
trim_raw(struct rt_buf *text, bool more)
{
	if (more && text->len >= 2 && text->data[text->len - 1] == '\n' &&
		text->data[text->len - 2] == '\n')
		text->len--;
}

/* Whether the text of the message is its body. */
static bool
has_body(const struct retort_reply *rule)
{
	return rule->file == NULL && rule->status != 204 && rule->status != 304;
}

/* The line end that begins at `at`: its size, or 0. */
static size_t
line_end(const struct rt_buf *text, size_t at, size_t whole)
{
	if (at < whole && text->data[at] == '\n')
		return 1;
	return whole - at >= 2 && memcmp(text->data + at, "\r\n", 2) == 0 ? 2 :
									    0;
}

/* Takes off blank lines before the next directive, and the end of the last
   line, which are for the eye; but not what a Content-Length that was pasted
   counts, or what ends an event. */
static void
trim_text(struct rt_buf *text, const struct framing *framing,
	const struct retort_reply *rule)
{
	size_t whole = text->len;
	bool counts = framing->has_length && !framing->chunked &&
		has_body(rule) && rule->repeat == 0;

	while (text->len > 0 && text->data[text->len - 1] == '\n') {
		text->len--;
		if (text->len > 0 && text->data[text->len - 1] == '\r')
			text->len--;
	}
	if (counts && framing->length >= text->len &&
		framing->length <= whole) {
		text->len = (size_t)framing->length;
	} else if (framing->events && text->len > 0) {
		text->len += line_end(text, text->len, whole);
		text->len += line_end(text, text->len, whole);
	}
}

/* Replaces bytes that are framed in chunks (RFC 9112 7.1) by their content.
   False: they are not. */
static bool
unframe(struct rt_buf *body)
{
	size_t at = 0, to = 0;

	for (;;) {
		size_t size = 0, digits = 0;

		while (at < body->len && rt_text_hex(body->data[at]) >= 0 &&
			digits < 8) {
			size = size * 16 + (size_t)rt_text_hex(body->data[at]);
			at++;
			digits++;
		}
		/* what ended it was trimmed */
		if (digits > 0 && size == 0 && at == body->len)
			break;
		if (digits == 0 || body->len - at < 1)
			return false;
		at += body->data[at] == '\r';
		if (at >= body->len || body->data[at++] != '\n')
			return false;
		if (size == 0)
			break;
		if (body->len - at < size)
			return false;
		memmove(body->data + to, body->data + at, size);
		to += size;
		at += size;
		at += at < body->len && body->data[at] == '\r';
		if (at >= body->len || body->data[at++] != '\n')
			return false;
	}
	body->len = to;
	return true;
}

/* Whether it is text, so that it is not coded: what a coding makes of more than
   a few bytes is none. */
static bool
is_text(const struct rt_buf *body)
{
	for (size_t i = 0; i < body->len; i++) {
		unsigned char c = (unsigned char)body->data[i];

		if (c < ' ' && c != '\t' && c != '\r' && c != '\n')
			return false;
	}
	return true;
}

/* Adds the Content-Encoding, unless the body is text: then the coding was
   undone before it was pasted. */
static void
check_coding(struct rt_reader *reader, const struct framing *framing,
	const struct rt_buf *body)
{
	if (framing->coding.size == 0)
		return;
	if (body->len > 0 && reader->item->rule.file == NULL && is_text(body)) {
		rt_scenario_notice(reader, RT_NOTICE_PLAIN,
			"Content-Encoding is left out: the body is text "
			"(@fault add \"Content-Encoding: gzip\\r\\n\" "
			"sends it)");
		return;
	}
	rt_buf_add_text(&reader->reply_fields, "Content-Encoding: ");
	rt_scenario_add_line(&reader->reply_fields, framing->coding.text,
		framing->coding.size);
}

/* Makes parts chunks, unless the message says otherwise where its body ends. */
static void
frame_parts(struct rt_reader *reader, const struct framing *framing)
{
	if (framing->has_length || framing->chunked)
		return;
	if (framing->closed || framing->close)
		rt_scenario_add_line(&reader->omit, "Content-Length", 14);
	else
		reader->item->rule.chunked = true;
}

static bool
set_body(struct rt_reader *reader, const struct framing *framing,
	struct rt_buf *body)
{
	struct retort_reply *rule = &reader->item->rule;
	struct rt_buf copy;
	uint64_t size;

	rule->chunked |= framing->chunked;
	if (reader->parts.len > 0) {
		frame_parts(reader, framing);
	} else if (framing->chunked) {
		rt_buf_init(&copy, RT_SCENARIO_TEXT);
		rt_buf_add(&copy, body->data, body->len);
		if (body->len > 0)
			rt_scenario_notice(reader, RT_NOTICE_CHUNKS,
				"the body is framed in chunks again");
		if (body->len > 0 && !copy.failed && unframe(&copy)) {
			rt_buf_clear(body, 0);
			rt_buf_add(body, copy.data, copy.len);
		}
		rt_buf_free(&copy);
	}
	size = rule->repeat > 0 ? rule->repeat : body->len;
	if (has_body(rule) && reader->parts.len == 0 &&
		(framing->has_length ? framing->length != size :
				       framing->closed && !framing->chunked))
		rt_scenario_notice(reader, RT_NOTICE_LENGTH,
			"Content-Length is computed from the body");
	if (body->failed)
		return rt_scenario_no_memory(reader);
	if (body->len == 0)
		return true;
	if (rule->file != NULL || rule->echo)
		return rt_scenario_fail(reader, reader->line,
			"a body: expected none after @%s of the rule of line "
			"%u",
			rule->echo ? "echo" : "file",
			reader->item->begins.line);
	rule->body_size = body->len;
	rule->body = rt_scenario_own_text(reader, body->data, body->len);
	return rule->body != NULL;
}

/* Notices a last line that its author may have meant for a comment. */
static void
look_for_comment(struct rt_reader *reader, const struct rt_buf *body)
{
	size_t at = body->len;

	while (at > 0 && body->data[at - 1] != '\n')
		at--;
	if (at > 0 && at < body->len && body->data[at] == '#')
		rt_scenario_notice(reader, RT_NOTICE_COMMENT,
			"the last line of the body begins with '#', but is "
			"no comment: '@#' begins one");
}

/* Notices a raw message without an empty line, which may have been taken for
   the one between two rules. */
static void
look_for_head(struct rt_reader *reader)
{
	const struct rt_buf *text = &reader->bytes;

	if (text->failed || text->len < 5 ||
		memcmp(text->data, "HTTP/", 5) != 0)
		return;
	for (size_t i = 0; i + 1 < text->len; i++)
		if (text->data[i] == '\n' &&
			line_end(text, i + 1, text->len) > 0)
			return;
	rt_scenario_notice(reader, RT_NOTICE_HEADLESS,
		"the raw message has no empty line after its head");
}

bool
rt_scenario_raw_message(struct rt_reader *reader)
{
	reader->at = reader->line;
	reader->number--;
	if (!read_text(reader, NULL, &reader->bytes))
		return false;
	reader->message = true;
	trim_raw(&reader->bytes, reader->at < reader->end);
	look_for_head(reader);
	reader->answered = true;
	return !reader->bytes.failed || rt_scenario_no_memory(reader);
}

/* Why no message can stand here; NULL: it can. */
static const char *
no_message(const struct rt_reader *reader)
{
	const struct retort_reply *rule = &reader->item->rule;

	if (reader->answered && rule->file == NULL && !rule->files) {
		if (rule->accepted)
			return "@raw: a greeting has no message";
		if (rule->echo)
			return "no message with @echo";
		if (rule->silent)
			return "no message with @silent";
		if (rule->close)
			return "no message with @close, which is only for "
			       "bytes (for HTTP there is '@next close')";
		return "no second message; another reply begins with @then or "
		       "@on";
	}
	return reader->quoted ? "no message, as there are bytes of @raw" : NULL;
}

/* Whether the present line begins with that version of HTTP. */
static bool
has_version(const struct rt_reader *reader, const char *version)
{
	const size_t size = strlen(version);

	return reader->size >= size && memcmp(reader->line, version, size) == 0;
}

/* Reads the body, after the head. */
static bool
read_body(struct rt_reader *reader, struct framing *framing,
	struct rt_buf *body)
{
	if (!read_text(reader, framing, body))
		return false;
	trim_text(body, framing, &reader->item->rule);
	if (framing->events && reader->parts.len > 0)
		end_event(body, reader->part_at);
	look_for_comment(reader, body);
	check_coding(reader, framing, body);
	if (!framing->has_type)
		rt_scenario_add_line(&reader->omit, "Content-Type", 12);
	return set_body(reader, framing, body);
}

/* Reads the message that begins with the present line, and corrects it. */
static bool
read_message(struct rt_reader *reader)
{
	const char *end = reader->line + reader->size;
	const bool crlf = end < reader->end && *end == '\r';
	const bool typed = has_version(reader, "HTTP/1.1");
	struct framing framing = {.closed = has_version(reader, "HTTP/1.0")};
	struct rt_buf body;
	bool ok;

	if (!rt_scenario_note(reader, RT_MESSAGE, reader->line, false) ||
		!read_status_line(reader) || !read_head(reader, &framing))
		return false;
	/* what was typed is not expected to have CRLF */
	if (!crlf && (framing.pasted || !typed))
		rt_scenario_notice(reader, RT_NOTICE_CRLF,
			"line ends are changed to CRLF");
	rt_buf_init(&body, RT_SCENARIO_TEXT);
	ok = read_body(reader, &framing, &body);
	rt_buf_free(&body);
	reader->answered = true;
	return ok;
}

bool
rt_scenario_message(struct rt_reader *reader)
{
	const char *why;

	if (reader->item == NULL || reader->item->kind != RT_ITEM_RULE)
		return rt_scenario_expected(reader, reader->line,
			"@on before the message");
	why = no_message(reader);
	if (why != NULL)
		return rt_scenario_expected(reader, reader->line, why);
	return reader->raw ? rt_scenario_raw_message(reader) :
			     read_message(reader);
}
