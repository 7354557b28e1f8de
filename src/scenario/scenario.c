/* SPDX-License-Identifier: MIT */
/*
 * A scenario as a whole: which of its lines are directives, messages or a
 * transcript. A directive begins an item or adds to it, a message ends it.
 * Called by api/load.c.
 */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool
read_lines(struct rt_reader *reader)
{
	while (rt_scenario_next_line(reader)) {
		if (rt_scenario_rest(reader, reader->line).size == 0 ||
			*reader->line == '#')
			continue;
		if (memchr(reader->line, '\0', reader->size) != NULL)
			return rt_scenario_fail(reader,
				memchr(reader->line, '\0', reader->size),
				"a NUL: expected text");
		if (*reader->line == '@') {
			if (!rt_scenario_directive(reader))
				return false;
		} else if (reader->size >= 5 &&
			memcmp(reader->line, "HTTP/", 5) == 0) {
			if (!rt_scenario_message(reader))
				return false;
		} else if (reader->raw && reader->item != NULL &&
			!reader->answered && !reader->quoted) {
			if (!rt_scenario_raw_message(reader))
				return false;
		} else {
			return rt_scenario_no_line(reader);
		}
	}
	return rt_scenario_end_item(reader);
}

static void
each_buffer(struct rt_reader *reader, void (*call)(struct rt_buf *))
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		call(&reader->conditions[i]);
	call(&reader->reply_fields);
	call(&reader->omit);
	call(&reader->trailers);
	call(&reader->faults);
	call(&reader->parts);
	call(&reader->bytes);
}

static void
open_buffer(struct rt_buf *buf)
{
	rt_buf_init(buf, RT_SCENARIO_TEXT);
}

int
rt_scenario_read(struct rt_scenario *scenario, const char *name,
	const char *folder, const char *text, size_t size, char *error)
{
	static const char transcript[] = "connection ";
	struct rt_reader reader = {
		.scenario = scenario,
		.name = name,
		.folder = folder,
		.at = text,
		.end = text + size,
		.line = text,
		.error = error,
	};

	/* some editors begin UTF-8 so */
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader.at = reader.line = text + 3;
	*scenario = (struct rt_scenario){.count = 0};
	rt_buf_init(&scenario->notices, RT_SCENARIO_TEXT);
	each_buffer(&reader, open_buffer);
	error[0] = '\0';
	if ((size_t)(reader.end - reader.at) > sizeof transcript &&
		memcmp(reader.at, transcript, sizeof transcript - 1) == 0)
		(void)rt_scenario_transcript(&reader);
	else
		(void)read_lines(&reader);
	each_buffer(&reader, rt_buf_free);
	return reader.code;
}

int
rt_scenario_bytes(struct rt_buf *to, const char *text, char *error)
{
	struct rt_reader reader = {
		.line = text,
		.size = strlen(text),
		.error = error,
	};
	const char *at = text;
	struct rt_word word = rt_scenario_word(&reader, &at);

	if (rt_word_is(word, "@frame"))
		(void)rt_scenario_frame(&reader, at, to);
	else if (word.size > 0 && *word.text == '"')
		(void)rt_scenario_quoted(&reader, text, to);
	else
		(void)rt_scenario_expected(&reader, word.text,
			"bytes in double quotes, or @frame");
	return reader.code;
}

void
rt_scenario_free(struct rt_scenario *scenario)
{
	while (scenario->owned_count > 0)
		free(scenario->owned[--scenario->owned_count]);
	free(scenario->owned);
	for (size_t i = 0; i < scenario->count; i++)
		free(scenario->items[i].places);
	free(scenario->items);
	rt_buf_free(&scenario->notices);
	*scenario = (struct rt_scenario){.count = 0};
}
