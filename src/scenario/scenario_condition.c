/* SPDX-License-Identifier: MIT */
/* Reads the conditions of a rule or an expectation, by the table of all
   conditions. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <string.h>

#include "base/text.h"
#include "base/websocket.h"
#include "canned/condition.h"
#include "http/status.h"

/* Reads the status of a refusal; without one it is any. */
static bool
read_status(struct rt_reader *reader, size_t i, const char *at)
{
	struct rt_word word = rt_scenario_rest(reader, at);
	int *status = rt_condition_of(&reader->item->rule, i);
	uint64_t number = 0;

	if (word.size > 0 &&
		(!rt_word_number(word, 999, &number) ||
			!rt_status_refuses((int)number)))
		return rt_scenario_expected(reader, word.text,
			rt_conditions[i].expected);
	*status = word.size > 0 ? (int)number : RETORT_ANY;
	return true;
}

/* Sets a text without quotes, up to the end of its line. */
static bool
set_line(struct rt_reader *reader, size_t i, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text,
			rt_conditions[i].expected);
	rt_condition_set_text(&reader->item->rule, i,
		rt_scenario_own_text(reader, rest.text, rest.size));
	return rt_condition_text(&reader->item->rule, i) != NULL;
}

bool
rt_scenario_condition(struct rt_reader *reader, size_t i, const char *at)
{
	const struct rt_condition *condition = &rt_conditions[i];
	struct retort_reply *rule = &reader->item->rule;
	const char *own;
	size_t size = 0;

	if (condition->kind == RT_MEMBER_LINES)
		return rt_scenario_line(reader, at, &reader->conditions[i],
			condition->expected);
	if (condition->kind == RT_MEMBER_LINE)
		return set_line(reader, i, at);
	if (condition->kind == RT_MEMBER_FLAG) {
		*(bool *)rt_condition_of(rule, i) = true;
		return rt_scenario_ends(reader, at);
	}
	if (condition->kind == RT_MEMBER_STATUS)
		return read_status(reader, i, at);
	if (condition->kind == RT_MEMBER_RANGE)
		own = rt_scenario_own_range(reader, at, 1, condition->expected);
	else
		own = rt_scenario_own_quoted(reader, at, condition->expected,
			&size);
	if (own == NULL)
		return false;
	/* @if-frame may have set it */
	if (rt_condition_text(rule, i) != NULL)
		return rt_scenario_expected(reader, reader->line,
			"no @if-frame before it");
	rt_condition_set_text(rule, i, own);
	if (condition->kind == RT_MEMBER_BYTES)
		memcpy(rt_condition_of(rule, i + 1), &size, sizeof size);
	return true;
}

/* A piece, and no request of HTTP, that is such a frame, without its mask; of
   any payload, if none is said. */
bool
rt_scenario_read_if_frame(struct rt_reader *reader, const char *at)
{
	struct retort_reply *rule = &reader->item->rule;
	const char *payload = at;
	struct rt_word type = rt_scenario_frame_type(reader, &payload);
	struct rt_buf frame;

	if (type.size == 0)
		return false;
	if (rule->if_body != NULL || rule->if_body_begins != NULL)
		return rt_scenario_expected(reader, reader->line,
			"no @if-body, @if-body-begins or @if-frame before it");
	rule->if_bytes = true;
	if (rt_scenario_rest(reader, payload).size == 0) {
		char first = (char)(0x80 | rt_websocket_opcode(type));

		rule->if_body_begins = rt_scenario_own_text(reader, &first, 1);
		return rule->if_body_begins != NULL;
	}
	rt_buf_init(&frame, RT_SCENARIO_TEXT);
	if (rt_scenario_frame(reader, at, &frame)) {
		rule->if_body_size = frame.len;
		rule->if_body = rt_scenario_own_lines(reader, &frame);
	}
	rt_buf_free(&frame);
	return rule->if_body != NULL;
}

bool
rt_scenario_copy_conditions(struct rt_reader *reader, size_t number)
{
	const struct rt_item *from = reader->scenario->items + number;

	rt_conditions_copy(&reader->item->rule, &from->rule);
	/* lines are gathered once more at its end */
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_conditions[i].kind == RT_MEMBER_LINES &&
			rt_condition_text(&from->rule, i) != NULL)
			rt_buf_add_text(&reader->conditions[i],
				rt_condition_text(&from->rule, i));
	for (size_t i = 0; i < from->place_count; i++)
		if (rt_scenario_find_condition(rt_word_of(
			    from->places[i].directive)) < RT_CONDITIONS &&
			!rt_scenario_add_place(reader, &from->places[i]))
			return false;
	return true;
}
