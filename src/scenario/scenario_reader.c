/* SPDX-License-Identifier: MIT */
/*
 * The reader of scenarios: lines, words, items and what they own, for
 * directives, messages and transcripts alike.
 */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/websocket.h"

#define MAX_ITEMS 65536u

/* The number of rules before it with which a rule is compared. */
#define MOST_COMPARED 1000

/* --- what is wrong --- */

bool
rt_scenario_fail(struct rt_reader *reader, const char *at, const char *format,
	...)
{
	char what[RETORT_ERROR_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (reader->name == NULL)
		reader->code = rt_fail(reader->error, -EINVAL, "%s", what);
	else
		reader->code = rt_fail(reader->error, -EINVAL,
			"%.100s:%u:%zu: %.140s", reader->name, reader->number,
			(size_t)(at - reader->line) + 1, what);
	return false;
}

bool
rt_scenario_expected(struct rt_reader *reader, const char *at, const char *what)
{
	size_t left = (size_t)(reader->line + reader->size - at);

	if (left == 0)
		return rt_scenario_fail(reader, at,
			"the line ends: expected %s", what);
	return rt_scenario_fail(reader, at, "'%.*s': expected %s",
		(int)(left < 40 ? left : 40), at, what);
}

bool
rt_scenario_no_memory(struct rt_reader *reader)
{
	reader->code = rt_fail_errno(reader->error, -ENOMEM, reader->name);
	return false;
}

static void
notice_at(struct rt_reader *reader, enum rt_notice kind, unsigned line,
	const char *what)
{
	const unsigned bit = 1u << kind;

	if ((reader->noticed & bit) != 0)
		return;
	reader->noticed |= bit;
	rt_buf_add_format(&reader->scenario->notices, "%s:%u: %s\n",
		reader->name, line, what);
}

void
rt_scenario_notice(struct rt_reader *reader, enum rt_notice kind,
	const char *what)
{
	notice_at(reader, kind, reader->number, what);
}

/* --- memory of the items --- */

void *
rt_scenario_own(struct rt_reader *reader, void *memory)
{
	struct rt_scenario *scenario = reader->scenario;

	if (memory == NULL ||
		!rt_grow(&scenario->owned, &scenario->owned_room,
			scenario->owned_count, sizeof memory)) {
		free(memory);
		(void)rt_scenario_no_memory(reader);
		return NULL;
	}
	scenario->owned[scenario->owned_count++] = memory;
	return memory;
}

char *
rt_scenario_own_text(struct rt_reader *reader, const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (rt_scenario_own(reader, copy) == NULL)
		return NULL;
	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

const char *
rt_scenario_own_lines(struct rt_reader *reader, struct rt_buf *lines)
{
	const char *text = NULL;

	if (lines->failed)
		(void)rt_scenario_no_memory(reader);
	else if (lines->len > 0)
		text = rt_scenario_own_text(reader, lines->data, lines->len);
	rt_buf_clear(lines, 0);
	return text;
}

void
rt_scenario_add_line(struct rt_buf *lines, const char *text, size_t size)
{
	rt_buf_add(lines, text, size);
	rt_buf_add(lines, "\n", 1);
}

/* --- lines and words --- */

bool
rt_scenario_next_line(struct rt_reader *reader)
{
	const char *end;

	if (reader->at == reader->end)
		return false;
	end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	reader->line = reader->at;
	reader->at = end ? end + 1 : reader->end;
	reader->size = (size_t)((end ? end : reader->end) - reader->line);
	if (reader->size > 0 && reader->line[reader->size - 1] == '\r')
		reader->size--;
	reader->number++;
	return true;
}

struct rt_word
rt_scenario_word(const struct rt_reader *reader, const char **at)
{
	return rt_text_word(at, reader->line + reader->size);
}

struct rt_word
rt_scenario_rest(const struct rt_reader *reader, const char *at)
{
	return rt_text_rest(at, reader->line + reader->size);
}

/* --- the rest of a line --- */

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

struct rt_word
rt_scenario_frame_type(struct rt_reader *reader, const char **at)
{
	struct rt_word word = rt_scenario_word(reader, at);

	if (rt_websocket_opcode(word) != 0)
		return word;
	(void)rt_scenario_expected(reader, word.text, RT_WEBSOCKET_FRAMES);
	return (struct rt_word){word.text, 0};
}

bool
rt_scenario_frame(struct rt_reader *reader, const char *at, struct rt_buf *to)
{
	struct rt_word type = rt_scenario_frame_type(reader, &at);
	size_t before = to->len;

	if (type.size == 0)
		return false;
	if (rt_scenario_rest(reader, at).size > 0 &&
		!rt_scenario_quoted(reader, at, to))
		return false;
	rt_websocket_wrap(to, rt_websocket_opcode(type), before);
	return !to->failed || rt_scenario_no_memory(reader);
}

const char *
rt_scenario_own_quoted(struct rt_reader *reader, const char *at,
	const char *what, size_t *size)
{
	const char *own = NULL;
	struct rt_buf bytes;

	rt_buf_init(&bytes, RT_SCENARIO_TEXT);
	if (!rt_scenario_quoted(reader, at, &bytes))
		;
	else if (what != NULL &&
		(bytes.len == 0 || memchr(bytes.data, '\0', bytes.len) != NULL))
		(void)rt_scenario_expected(reader, at, what);
	else
		own = rt_scenario_own_text(reader, bytes.data, bytes.len);
	*size = bytes.len;
	rt_buf_free(&bytes);
	return own;
}

/* Whether it is "2", "2+" or "2-3". */
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

/* --- items, and where their directives stand --- */

/* The place of a directive of this line whose text is at `at`. */
static struct rt_place
place_of(const struct rt_reader *reader, const char *directive, const char *at)
{
	struct rt_word said = rt_scenario_rest(reader, at);

	return (struct rt_place){.directive = directive,
		.line = reader->number,
		.column = (unsigned)(said.text - reader->line) + 1,
		.said = said};
}

struct rt_item *
rt_scenario_add_item(struct rt_reader *reader, enum rt_item_kind kind,
	const char *directive, const char *at)
{
	struct rt_scenario *scenario = reader->scenario;

	if (scenario->count == MAX_ITEMS) {
		(void)rt_scenario_fail(reader, reader->line,
			"more than %u items", MAX_ITEMS);
		return NULL;
	}
	if (!rt_grow(&scenario->items, &scenario->room, scenario->count,
		    sizeof *scenario->items)) {
		(void)rt_scenario_no_memory(reader);
		return NULL;
	}
	reader->raw = false;
	reader->answered = false;
	reader->message = false;
	reader->quoted = false;
	scenario->items[scenario->count] = (struct rt_item){.kind = kind,
		.begins = place_of(reader, directive, at)};
	return scenario->items + scenario->count++;
}

bool
rt_scenario_add_place(struct rt_reader *reader, const struct rt_place *place)
{
	struct rt_item *item = reader->item;

	if (!rt_grow(&item->places, &item->place_room, item->place_count,
		    sizeof *item->places))
		return rt_scenario_no_memory(reader);
	item->places[item->place_count++] = *place;
	return true;
}

bool
rt_scenario_note(struct rt_reader *reader, const char *directive,
	const char *at, bool once)
{
	const struct rt_item *item = reader->item;
	struct rt_place place = place_of(reader, directive, at);

	for (size_t i = 0; once && i < item->place_count; i++)
		if (strcmp(item->places[i].directive, directive) == 0)
			return rt_scenario_fail(reader, reader->line,
				"@%s: only one per %s; line %u already has it",
				directive,
				item->kind == RT_ITEM_RULE ? "rule" :
							     "expectation",
				item->places[i].line);
	return rt_scenario_add_place(reader, &place);
}

size_t
rt_scenario_find_condition(struct rt_word directive)
{
	size_t i = 0;

	while (i < RT_CONDITIONS &&
		(rt_conditions[i].directive == NULL ||
			!rt_word_is(directive, rt_conditions[i].directive)))
		i++;
	return i;
}

/* Notices a rule after one that answers all of its requests, and is never used
   up. */
static void
look_for_shadow(struct rt_reader *reader, const struct rt_item *item)
{
	const struct rt_item *first = reader->scenario->items;
	char what[96];

	for (size_t i = 0; first + i < item && i < MOST_COMPARED; i++) {
		const struct retort_reply *rule = &first[i].rule;

		if (first[i].kind != RT_ITEM_RULE || rule->times != 0 ||
			rule->prefer < item->rule.prefer ||
			rule->accepted != item->rule.accepted ||
			!rt_conditions_cover(rule, &item->rule))
			continue;
		(void)snprintf(what, sizeof what,
			"never reached: the rule of line %u answers all of "
			"these",
			first[i].begins.line);
		notice_at(reader, RT_NOTICE_SHADOW, item->begins.line, what);
		return;
	}
}

static void
own_conditions(struct rt_reader *reader, struct retort_reply *rule)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_conditions[i].kind == RT_MEMBER_LINES)
			rt_condition_set_text(rule, i,
				rt_scenario_own_lines(reader,
					&reader->conditions[i]));
}

bool
rt_scenario_end_item(struct rt_reader *reader)
{
	struct rt_item *item = reader->item;
	struct retort_reply *rule;

	reader->item = NULL;
	if (item == NULL)
		return true;
	rule = &item->rule;
	if (reader->quoted || reader->bytes.len > 0 || reader->bytes.failed) {
		rule->body_size = reader->bytes.len;
		rule->body = rt_scenario_own_lines(reader, &reader->bytes);
		rule->raw = !rule->accepted && rule->status == 0;
		reader->answered = true;
	}
	own_conditions(reader, rule);
	rule->fields = rt_scenario_own_lines(reader, &reader->reply_fields);
	rule->omit = rt_scenario_own_lines(reader, &reader->omit);
	rule->trailers = rt_scenario_own_lines(reader, &reader->trailers);
	rule->faults = rt_scenario_own_lines(reader, &reader->faults);
	rule->parts = rt_scenario_own_lines(reader, &reader->parts);
	reader->part_at = 0;
	if (reader->code < 0)
		return false;
	if (item->kind == RT_ITEM_RULE && !reader->answered &&
		rule->faults == NULL)
		return rt_scenario_fail(reader, reader->line,
			"expected a message that begins with HTTP/, for the "
			"rule of line %u",
			item->begins.line);
	if (item->kind == RT_ITEM_RULE)
		look_for_shadow(reader, item);
	return true;
}
