/* SPDX-License-Identifier: MIT */
/* Unknown directives and lines: says what may have been meant. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "canned/condition.h"
#include "http/http.h"

/* Names that others use, and methods: */
static const struct {
	const char *said;
	const char *meant;
} likely[] = {
	{"auth", "'@if-basic USER:PASSWORD' or '@if-digest USER:PASSWORD'"},
	{"body", "the body, after the message's empty line"},
	{"content-type", "a field of the message, 'Content-Type: ...'"},
	{"cookie", "a field of the message, 'Set-Cookie: NAME=VALUE'"},
	{"cut", "'@fault cut AT'"},
	{"delay", "'@fault pause TIME'"},
	{"delete", "'@on DELETE /PATH'"},
	{"drop", "'@fault empty'"},
	{"get", "'@on GET /PATH'"},
	{"header",
		"a field of the message, 'Name: value', or "
		"'@field Name: value'"},
	{"if-auth", "'@if-basic USER:PASSWORD' or '@if-digest USER:PASSWORD'"},
	{"if-bearer", "'@if-field Authorization: Bearer TOKEN'"},
	{"if-cookie", "'@if-contains Cookie: NAME=VALUE'"},
	{"if-field-absent", "'@if-absent Name'"},
	{"if-header", "'@if-field Name: value'"},
	{"if-header-absent", "'@if-absent Name'"},
	{"if-header-matches", "'@if-field-matches Name: REGEX'"},
	{"if-host", "'@if-field Host: NAME:PORT' or '@if-contains Host: NAME'"},
	{"if-json-path", "'@if-json-has JSON', such as {\"id\": 1}"},
	{"if-method", "'@on METHOD /PATH'"},
	{"if-path", "'@on METHOD /PATH'"},
	{"if-query", "'@on METHOD /PATH?NAME=VALUE'"},
	{"if-query-matches", "'@on METHOD /PATH?NAME=*'"},
	{"if-regex",
		"'@if-path-matches', '@if-field-matches' or "
		"'@if-body-matches REGEX'"},
	{"if-state", "'@in STATE'"},
	{"if-text", "'@if-body QUOTED' or '@if-body-has QUOTED'"},
	{"keep", "'@next keep'"},
	{"keep-alive",
		"'@next keep', or for all connections .keep_alive or "
		"--keep-alive"},
	{"method", "'@on METHOD /PATH'"},
	{"never", "'@expect 0 METHOD /PATH'"},
	{"path", "'@on METHOD /PATH'"},
	{"post", "'@on POST /PATH'"},
	{"priority", "'@prefer N'"},
	{"proxy", "a rule '@on CONNECT HOST:PORT' or '@on http://HOST/*'"},
	{"put", "'@on PUT /PATH'"},
	{"query", "'@on METHOD /PATH?NAME=VALUE'"},
	{"rate", "'@fault rate N', in bytes each second"},
	{"redirect", "'HTTP/1.1 302 Found', and the field 'Location: ...'"},
	{"reply", "a message, 'HTTP/1.1 200 OK'"},
	{"reset", "'@fault end reset'"},
	{"respond", "a message, 'HTTP/1.1 200 OK'"},
	{"response", "a message, 'HTTP/1.1 200 OK'"},
	{"set-cookie", "a field of the message, 'Set-Cookie: NAME=VALUE'"},
	{"set-state", "'@then-in STATE'"},
	{"sleep", "'@fault pause TIME'"},
	{"state", "'@in STATE' or '@then-in STATE'"},
	{"status", "a status line, 'HTTP/1.1 503 Service Unavailable'"},
	{"template", "'@fill'"},
	{"throttle", "'@fault rate N', in bytes each second"},
	{"timeout", "'@fault end stall'"},
	{"truncate", "'@fault cut AT'"},
	{"type", "a field of the message, 'Content-Type: ...'"},
	{"websocket", "'@framing websocket', and '@frame text QUOTED'"},
};

bool
rt_scenario_is_near(struct rt_word name, const char *other)
{
	size_t left = strlen(other), same = 0;

	if (name.size < 2)
		return false;
	while (same < name.size && same < left &&
		rt_fold(name.text[same]) == rt_fold(other[same]))
		same++;
	name.text += same;
	name.size -= same;
	other += same;
	left -= same;
	while (name.size > 0 && left > 0 &&
		rt_fold(name.text[name.size - 1]) == rt_fold(other[left - 1])) {
		name.size--;
		left--;
	}
	return (name.size <= 1 && left <= 1) ||
		(name.size == 2 && left == 2 &&
			rt_fold(name.text[0]) == rt_fold(other[1]) &&
			rt_fold(name.text[1]) == rt_fold(other[0]));
}

/* The condition whose directive has nearly that name; NULL: none has. */
static const char *
find_near(struct rt_word name)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_conditions[i].directive != NULL &&
			rt_scenario_is_near(name, rt_conditions[i].directive))
			return rt_conditions[i].directive;
	return NULL;
}

bool
rt_scenario_no_directive(struct rt_reader *reader, struct rt_word name,
	const char *near)
{
	bool in_body = reader->item != NULL && reader->item->rule.status != 0;
	char condition[40];

	(void)snprintf(condition, sizeof condition, "if-%.*s",
		(int)(name.size < 36 ? name.size : 36), name.text);
	for (size_t i = 0; i < sizeof likely / sizeof *likely && !in_body; i++)
		if (rt_caseless(name.text, name.size, likely[i].said))
			return rt_scenario_fail(reader, reader->line,
				"'@%s': expected a directive; did you mean %s?",
				likely[i].said, likely[i].meant);
	if (rt_scenario_find_condition(rt_word_of(condition)) < RT_CONDITIONS &&
		!in_body)
		return rt_scenario_fail(reader, reader->line,
			"'@%s': expected a directive; did you mean @%s?",
			condition + 3, condition);
	if (near == NULL)
		near = find_near(name);
	return rt_scenario_fail(reader, reader->line,
		"'@%.*s': expected a directive%s%s%s%s",
		(int)(name.size < 40 ? name.size : 40), name.text,
		near ? "; did you mean @" : ", such as @on, @fault or @expect",
		near ? near : "", near ? "?" : "",
		in_body ? " (in a body '@' is written '@@')" : "");
}

bool
rt_scenario_no_line(struct rt_reader *reader)
{
	const char *at = reader->line;
	struct rt_word word = rt_scenario_word(reader, &at);
	struct rt_word next = rt_scenario_word(reader, &at);
	uint64_t status;

	if (word.text > reader->line)
		return rt_scenario_expected(reader, word.text,
			"it at the margin");
	if (next.size > 0 && *next.text == '/' &&
		rt_http_is_token(word.text, word.size))
		return rt_scenario_expected(reader, reader->line,
			"a directive before the request, such as @on");
	if (word.size == 3 && rt_word_number(word, 999, &status))
		return rt_scenario_expected(reader, reader->line,
			"HTTP/1.1 before the status");
	return rt_scenario_expected(reader, reader->line,
		"a directive (@on ...), a message (HTTP/1.1 ...) or a comment "
		"(#)");
}
