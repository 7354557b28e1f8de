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
