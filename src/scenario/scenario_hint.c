/* SPDX-License-Identifier: MIT */
/* Unknown directives: says what may have been meant. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <stdio.h>

#include "base/text.h"
#include "canned/condition.h"

/* Names that others use, and methods: */
static const struct {
	const char *said;
	const char *meant;
} likely[] = {
	{"auth", "'@if-basic USER:PASSWORD' or '@if-digest USER:PASSWORD'"},
	{"body", "the body, after the message's empty line"},
	{"content-type", "a field of the message, 'Content-Type: ...'"},
	{"delay", "'@fault pause TIME'"},
	{"drop", "'@fault empty'"},
	{"get", "'@on GET /PATH'"},
	{"header",
		"a field of the message, 'Name: value', or "
		"'@field Name: value'"},
	{"if-auth", "'@if-basic USER:PASSWORD' or '@if-digest USER:PASSWORD'"},
	{"if-header", "'@if-field Name: value'"},
	{"if-path", "'@on METHOD /PATH'"},
	{"if-query", "'@on METHOD /PATH?NAME=VALUE'"},
	{"if-regex",
		"'@if-path-matches', '@if-field-matches' or "
		"'@if-body-matches REGEX'"},
	{"if-text", "'@if-body QUOTED' or '@if-body-has QUOTED'"},
	{"keep", "'@next keep'"},
	{"keep-alive",
		"'@next keep', or for all connections .keep_alive or "
		"--keep-alive"},
	{"method", "'@on METHOD /PATH'"},
	{"path", "'@on METHOD /PATH'"},
	{"post", "'@on POST /PATH'"},
	{"priority", "'@prefer N'"},
	{"put", "'@on PUT /PATH'"},
	{"delete", "'@on DELETE /PATH'"},
	{"query", "'@on METHOD /PATH?NAME=VALUE'"},
	{"redirect", "'HTTP/1.1 302 Found', and the field 'Location: ...'"},
	{"reply", "a message, 'HTTP/1.1 200 OK'"},
	{"reset", "'@fault end reset'"},
	{"respond", "a message, 'HTTP/1.1 200 OK'"},
	{"response", "a message, 'HTTP/1.1 200 OK'"},
	{"sleep", "'@fault pause TIME'"},
	{"status", "a status line, 'HTTP/1.1 503 Service Unavailable'"},
	{"timeout", "'@fault end stall'"},
	{"type", "a field of the message, 'Content-Type: ...'"},
};

bool
rt_scenario_no_directive(struct rt_reader *reader, struct rt_word name)
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
	return rt_scenario_fail(reader, reader->line,
		"'@%.*s': expected a directive, such as @on, @fault or "
		"@expect%s",
		(int)(name.size < 40 ? name.size : 40), name.text,
		in_body ? " (in a body '@' is written '@@')" : "");
}
