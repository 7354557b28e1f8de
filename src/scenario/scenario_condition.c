/* SPDX-License-Identifier: MIT */
/* The conditions of a rule or an expectation, by the table of them all. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <string.h>

#include "base/text.h"
#include "canned/condition.h"
#include "http/status.h"

bool
rt_scenario_ends(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);

	return rest.size == 0 ||
		rt_scenario_expected(reader, rest.text, "nothing more");
}

bool
rt_scenario_line(struct rt_reader *reader, const char *at, struct rt_buf *lines,
	const char *what)
{
	struct rt_word rest = rt_scenario_rest(reader, at);

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text, what);
	rt_scenario_add_line(lines, rest.text, rest.size);
	return true;
}

bool
rt_scenario_quoted(struct rt_reader *reader, const char *at, struct rt_buf *to)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	const char *end = rest.text + rest.size, *next = rest.text;

	if (!rt_text_unquote(&next, end, to))
		return rt_scenario_expected(reader, next, RT_TEXT_QUOTED);
	if (rt_scenario_rest(reader, next).size > 0)
		return rt_scenario_expected(reader, next,
			"the end of the line");
	return !to->failed || rt_scenario_no_memory(reader);
}

const char *
rt_scenario_own_quoted(struct rt_reader *reader, const char *at, bool text,
	size_t *size)
{
	const char *own = NULL;
	struct rt_buf bytes;

	rt_buf_init(&bytes, RT_SCENARIO_TEXT);
	if (!rt_scenario_quoted(reader, at, &bytes))
		;
	else if (bytes.len == 0 ||
		(text && memchr(bytes.data, '\0', bytes.len) != NULL))
		(void)rt_scenario_expected(reader, at,
			text ? "a byte or more, and no NUL" : "a byte or more");
	else
		own = rt_scenario_own_text(reader, bytes.data, bytes.len);
	*size = bytes.len;
	rt_buf_free(&bytes);
	return own;
}

/* A status of a refusal; nothing: any. */
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

/* "2", "2+" or "2-3", and nothing else. */
static bool
is_range(struct rt_word word, uint64_t least)
{
	uint64_t from, to;

	return rt_word_range(word, RT_SCENARIO_MOST, &from, &to) &&
		from >= least && from <= to;
}

const char *
rt_scenario_own_range(struct rt_reader *reader, const char *at, uint64_t least,
	const char *what)
{
	struct rt_word rest = rt_scenario_rest(reader, at);

	if (!is_range(rest, least)) {
		(void)rt_scenario_expected(reader, rest.text, what);
		return NULL;
	}
	return rt_scenario_own_text(reader, rest.text, rest.size);
}

bool
rt_scenario_condition(struct rt_reader *reader, size_t i, const char *at)
{
	const struct rt_condition *condition = &rt_conditions[i];
	struct retort_reply *rule = &reader->item->rule;
	bool text = condition->kind == RT_MEMBER_TEXT;
	const char *own;
	size_t size;

	if (condition->kind == RT_MEMBER_LINES)
		return rt_scenario_line(reader, at, &reader->conditions[i],
			condition->expected);
	if (condition->kind == RT_MEMBER_FLAG) {
		*(bool *)rt_condition_of(rule, i) = true;
		return rt_scenario_ends(reader, at);
	}
	if (condition->kind == RT_MEMBER_STATUS)
		return read_status(reader, i, at);
	if (condition->kind == RT_MEMBER_RANGE)
		own = rt_scenario_own_range(reader, at, 1, condition->expected);
	else
		own = rt_scenario_own_quoted(reader, at, text, &size);
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

/* Where they stand is copied, too: a mistake in them is there. */
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
