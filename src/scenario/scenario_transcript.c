/* SPDX-License-Identifier: MIT */
/*
 * Transcripts as scenarios: their requests get the bytes that were sent then.
 * Lines are "TIME < bytes", "TIME > bytes", and events in parentheses; bytes
 * are escaped as C has them.
 */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <string.h>

#include "base/text.h"
#include "http/http.h"

/* Leaves out the connection: no request could ask for its reply again. */
static bool
skip_connection(struct rt_reader *reader)
{
	rt_scenario_notice(reader, RT_NOTICE_SKIP,
		"a connection is left out: no request that can be repeated");
	rt_buf_clear(&reader->bytes, 0);
	rt_buf_clear(&reader->faults, 0);
	reader->scenario->count--;
	reader->item = NULL;
	reader->skips = true;
	return true;
}

static bool
end_request(struct rt_reader *reader)
{
	if (reader->item == NULL)
		return true;
	if (reader->item->rule.request == NULL)
		return skip_connection(reader);
	reader->answered = true;
	return rt_scenario_end_item(reader);
}

/* Begins the rule of a request, which gets the bytes once. */
static bool
begin_request(struct rt_reader *reader)
{
	if (!end_request(reader))
		return false;
	reader->item =
		rt_scenario_add_item(reader, RT_ITEM_RULE, NULL, reader->line);
	reader->skips = false;
	if (reader->item == NULL)
		return false;
	reader->item->rule.times = 1;
	return true;
}

/* Adds a target that arrived as a rule has it: an asterisk in a path is
   encoded. */
static bool
add_target(struct rt_word target, struct rt_buf *to)
{
	const char *at = target.text, *end = at + target.size;

	while (at < end) {
		const char *star = target.size > 1 ?
			memchr(at, '*', (size_t)(end - at)) :
			NULL;
		const char *stop = star ? star : end;

		if (!rt_text_unescape(at, stop, to))
			return false;
		if (star != NULL)
			rt_buf_add_text(to, "%2A");
		at = stop + (star != NULL);
	}
	return !to->failed;
}

/* Reads METHOD and TARGET of the first line that arrived. */
static bool
read_request_line(struct rt_reader *reader, const char *bytes)
{
	const char *at = bytes;
	struct rt_word method = rt_scenario_word(reader, &at);
	struct rt_word target = rt_scenario_word(reader, &at);
	struct rt_buf text;
	bool ok;

	if (!rt_http_is_token(method.text, method.size) ||
		!rt_http_may_come(method.text, method.size, target.text,
			target.size))
		return skip_connection(reader);
	rt_buf_init(&text, RT_SCENARIO_TEXT);
	rt_buf_add(&text, method.text, method.size);
	rt_buf_add(&text, " ", 1);
	ok = add_target(target, &text);
	if (ok)
		reader->item->rule.request =
			rt_scenario_own_text(reader, text.data, text.len);
	rt_buf_free(&text);
	return ok ? reader->item->rule.request != NULL :
		    skip_connection(reader);
}

/* Whether a line that arrived after a reply begins the next request of a kept
   connection: it is a request line, which the rest of a body hardly is. */
static bool
begins_next(struct rt_reader *reader, const char *bytes)
{
	static const char http[] = "HTTP/1.";
	const char *at = bytes;
	struct rt_word method = rt_scenario_word(reader, &at);
	struct rt_word target = rt_scenario_word(reader, &at);
	struct rt_word version = rt_scenario_word(reader, &at);

	return reader->item->rule.request != NULL && reader->bytes.len > 0 &&
		rt_http_is_token(method.text, method.size) &&
		rt_http_may_come(method.text, method.size, target.text,
			target.size) &&
		version.size > strlen(http) &&
		memcmp(version.text, http, strlen(http)) == 0;
}

/* Reads bytes that arrived: of the request, or of the next one. */
static bool
read_received(struct rt_reader *reader, const char *bytes)
{
	if (begins_next(reader, bytes)) {
		reader->item->rule.next = RETORT_NEXT_KEEP;
		if (!begin_request(reader))
			return false;
	}
	return reader->item->rule.request != NULL ||
		read_request_line(reader, bytes);
}

/* Whether it is an event, in parentheses; a line of bytes that looks like one
   is escaped. Events of TLS are for people: no rule can repeat them. */
static bool
is_event(const char *at, const char *end)
{
	static const char *const events[] = {"(FIN)", "(RST)", "(closed)",
		"(empty)"};
	static const char tls[] = "(TLS: ";

	if ((size_t)(end - at) > strlen(tls) &&
		memcmp(at, tls, strlen(tls)) == 0 && end[-1] == ')')
		return true;
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if ((size_t)(end - at) == strlen(events[i]) &&
			memcmp(at, events[i], strlen(events[i])) == 0)
			return true;
	return false;
}

static bool
read_event(struct rt_reader *reader)
{
	const char *at = reader->line, *end = reader->line + reader->size;
	struct rt_word time = rt_scenario_word(reader, &at);
	struct rt_word mark = rt_scenario_word(reader, &at);

	/* of "TIME > bytes" the bytes begin after one space */
	at += at < end;
	if (rt_word_is(time, ">") || rt_word_is(time, "<"))
		return rt_scenario_fail(reader, reader->line,
			"the transcript is not complete");
	if (reader->skips)
		return true;
	if (reader->item == NULL || mark.size != 1)
		return rt_scenario_expected(reader, reader->line,
			"a line of a transcript");
	if (is_event(at, end)) {
		if (*mark.text == '>' && memcmp(at, "(RST)", 5) == 0)
			rt_buf_add_text(&reader->faults, "end reset\n");
		return true;
	}
	if (*mark.text == '<')
		return read_received(reader, at);
	if (*mark.text == '>' && !rt_text_unescape(at, end, &reader->bytes))
		return rt_scenario_expected(reader, at, RT_TEXT_QUOTED);
	return true;
}

bool
rt_scenario_transcript(struct rt_reader *reader)
{
	while (rt_scenario_next_line(reader)) {
		if (reader->size == 0)
			continue;
		if (reader->size > 11 &&
			memcmp(reader->line, "connection ", 11) == 0) {
			if (!begin_request(reader))
				return false;
		} else if (!read_event(reader)) {
			return false;
		}
	}
	return end_request(reader);
}
