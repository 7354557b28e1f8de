/* SPDX-License-Identifier: MIT */
/* The directives about a rule's reply: reads the rest of their lines. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <errno.h>
#include <stdint.h>

#include "base/text.h"
#include "fault/fault.h"

bool
rt_scenario_read_fault(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	struct rt_error error;
	struct rt_faults *faults;
	char *text;

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text, "a fault");
	text = rt_scenario_own_text(reader, rest.text, rest.size);
	if (text == NULL)
		return false;
	faults = rt_faults_new(text, &error);
	if (faults == NULL && errno == ENOMEM)
		return rt_scenario_no_memory(reader);
	if (faults == NULL)
		return rt_scenario_fail(reader, rest.text + error.at, "%s",
			error.text);
	rt_faults_free(faults);
	rt_scenario_add_line(&reader->faults, rest.text, rest.size);
	return true;
}

/* Reads a path, which is relative to the folder of the scenario. */
bool
rt_scenario_read_file(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	bool relative =
		reader->folder != NULL && rest.size > 0 && *rest.text != '/';
	struct rt_buf path;

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text,
			"the path of a file");
	rt_buf_init(&path, RT_SCENARIO_TEXT);
	if (relative) {
		rt_buf_add_text(&path, reader->folder);
		rt_buf_add(&path, "/", 1);
	}
	rt_buf_add(&path, rest.text, rest.size);
	reader->item->rule.file = rt_scenario_own_lines(reader, &path);
	rt_buf_free(&path);
	reader->answered = true;
	return reader->code == 0;
}

bool
rt_scenario_read_repeat(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_rest(reader, at);

	return (rt_word_number(word, RT_SCENARIO_MOST,
			&reader->item->rule.repeat) &&
		       reader->item->rule.repeat > 0) ||
		rt_scenario_expected(reader, word.text,
			"a number of bytes from 1");
}

bool
rt_scenario_part(struct rt_reader *reader, const char *at, size_t size)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	uint64_t ms = 0;

	if (rest.size > 0 && !rt_word_time(rest, RT_SCENARIO_MOST_MS, &ms))
		return rt_scenario_expected(reader, rest.text,
			"a time, such as 200ms or 2s");
	rt_buf_add_format(&reader->parts, "%zu %u,", size - reader->part_at,
		(unsigned)ms);
	reader->part_at = size;
	return true;
}

/* Reads a @part outside a message, whose own are read with its text. */
bool
rt_scenario_read_part(struct rt_reader *reader, const char *at)
{
	/* the bytes of @raw or @frame, or frames after a head */
	return reader->quoted || reader->bytes.len > 0 ?
		rt_scenario_part(reader, at, reader->bytes.len) :
		rt_scenario_expected(reader, reader->line,
			"it within the body of a message, or after @raw "
			"QUOTED or @frame");
}

static const struct {
	const char *name;
	enum retort_next next;
} nexts[] = {
	{"close", RETORT_NEXT_CLOSE},
	{"keep", RETORT_NEXT_KEEP},
	{"http", RETORT_NEXT_HTTP},
	{"bytes", RETORT_NEXT_BYTES},
	{"tls", RETORT_NEXT_TLS},
};

/* Reads the protocol in TLS, after "tls". */
static bool
read_inside(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_word(reader, &at);
	enum retort_next *next = &reader->item->rule.next;

	if (rt_word_is(word, "http"))
		*next = RETORT_NEXT_TLS_HTTP;
	else if (rt_word_is(word, "bytes"))
		*next = RETORT_NEXT_TLS_BYTES;
	else if (word.size > 0)
		return rt_scenario_expected(reader, word.text,
			"http, bytes or nothing more");
	return rt_scenario_ends(reader, at);
}

bool
rt_scenario_read_next(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_word(reader, &at);
	enum retort_next *next = &reader->item->rule.next;

	for (size_t i = 0; i < sizeof nexts / sizeof *nexts; i++)
		if (rt_word_is(word, nexts[i].name)) {
			*next = nexts[i].next;
			return nexts[i].next == RETORT_NEXT_TLS ?
				read_inside(reader, at) :
				rt_scenario_ends(reader, at);
		}
	return rt_scenario_expected(reader, word.text,
		"close, keep, http, bytes or tls");
}

bool
rt_scenario_read_idle(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	uint64_t ms;

	if (!rt_word_time(rest, RT_SCENARIO_MOST_MS, &ms) || ms == 0)
		return rt_scenario_expected(reader, rest.text,
			"a time from 1ms, such as 200ms or 2s");
	reader->item->rule.idle = (int)ms;
	return true;
}

/* Reads @raw, or @raw "bytes". */
bool
rt_scenario_read_raw(struct rt_reader *reader, const char *at)
{
	if (reader->message)
		return rt_scenario_expected(reader, reader->line,
			"it before the message");
	reader->raw = true;
	if (rt_scenario_rest(reader, at).size == 0)
		return true;
	reader->quoted = true;
	return rt_scenario_quoted(reader, at, &reader->bytes);
}

/* Doubles the braces from there on, so that none begins a part of the
   request. */
static void
double_braces(struct rt_buf *bytes, size_t from)
{
	struct rt_buf text;

	rt_buf_init(&text, RT_SCENARIO_TEXT);
	rt_buf_add(&text, bytes->data + from, bytes->len - from);
	bytes->len = from;
	for (size_t i = 0; i < text.len; i++) {
		rt_buf_add(bytes, text.data + i, 1);
		if (text.data[i] == '{')
			rt_buf_add(bytes, "{", 1);
	}
	bytes->failed |= text.failed;
	rt_buf_free(&text);
}

/* Reads a frame whose length is known when it is filled in. */
static bool
read_filled_frame(struct rt_reader *reader, const char *at)
{
	struct rt_buf *bytes = &reader->bytes;
	struct rt_word type = rt_scenario_frame_type(reader, &at);

	if (type.size == 0)
		return false;
	rt_buf_add_format(bytes, "{frame.%.*s}", (int)type.size, type.text);
	if (rt_scenario_rest(reader, at).size > 0 &&
		!rt_scenario_quoted(reader, at, bytes))
		return false;
	rt_buf_add_text(bytes, "{frame.end}");
	return !bytes->failed || rt_scenario_no_memory(reader);
}

bool
rt_scenario_read_frame(struct rt_reader *reader, const char *at)
{
	size_t before = reader->bytes.len;
	bool fill = reader->item->rule.fill;
	bool follows = reader->item->rule.status != 0;

	if (reader->message)
		return rt_scenario_expected(reader, reader->line,
			"it before the message");
	if (follows && reader->item->rule.body != NULL)
		return rt_scenario_expected(reader, reader->line,
			"no body before it");
	/* after a head, frames follow it; otherwise they are the reply, as the
	   bytes of @raw are */
	if (!follows)
		reader->raw = reader->quoted = true;
	if (fill && !follows)
		return read_filled_frame(reader, at);
	if (!rt_scenario_frame(reader, at, &reader->bytes))
		return false;
	if (fill)
		double_braces(&reader->bytes, before);
	return !reader->bytes.failed || rt_scenario_no_memory(reader);
}

/* Reads @fill, which stands before frames: it changes their payloads. */
bool
rt_scenario_read_fill(struct rt_reader *reader, const char *at)
{
	if (rt_scenario_place(reader->item, "frame", 5, "") != NULL)
		return rt_scenario_expected(reader, reader->line,
			"it before @frame");
	reader->item->rule.fill = true;
	return rt_scenario_ends(reader, at);
}

bool
rt_scenario_read_chunks(struct rt_reader *reader, const char *at)
{
	struct retort_reply *rule = &reader->item->rule;
	struct rt_word rest = rt_scenario_rest(reader, at), word;
	uint64_t number;

	while ((word = rt_scenario_word(reader, &at)).size > 0)
		if (!rt_word_number(word, RT_SCENARIO_MOST, &number) ||
			number == 0)
			return rt_scenario_expected(reader, word.text,
				"the size of a chunk, from 1");
	rule->chunked = true;
	if (rest.size > 0)
		rule->chunks =
			rt_scenario_own_text(reader, rest.text, rest.size);
	return rest.size == 0 || rule->chunks != NULL;
}

bool
rt_scenario_read_interim(struct rt_reader *reader, const char *at)
{
	size_t size;

	reader->item->rule.interim = rt_scenario_own_quoted(reader, at,
		"a byte or more, and no NUL", &size);
	return reader->item->rule.interim != NULL;
}
