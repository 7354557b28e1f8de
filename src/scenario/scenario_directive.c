/* SPDX-License-Identifier: MIT */
/*
 * The directives of scenarios: where each may stand, and how the rest of its
 * line is read. Those that begin an item are read here.
 */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "canned/condition.h"
#include "http/http.h"

/* Whether it has what other tools write for any segment: "/users/{id}" or
   "/users/:id". */
static bool
has_wildcard(struct rt_word target)
{
	const char *end = target.text + target.size;

	for (const char *at = target.text; at + 2 < end && *at != '?'; at++)
		if (*at == '/' && (at[1] == ':' || at[1] == '{'))
			return true;
	return false;
}

/* Notices a request that hardly any client sends. */
static void
look_at_request(struct rt_reader *reader, struct rt_word method,
	struct rt_word target)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT",
		"PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"};
	char what[64];

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (rt_caseless(method.text, method.size, methods[i]) &&
			!rt_word_is(method, methods[i])) {
			(void)snprintf(what, sizeof what,
				"methods are case-sensitive: clients send %s",
				methods[i]);
			rt_scenario_notice(reader, RT_NOTICE_SMALL, what);
		}
	if (target.size > 0 && memchr(method.text, '|', method.size) != NULL)
		rt_scenario_notice(reader, RT_NOTICE_SMALL,
			"a rule has one method, or any if none is given");
	if (has_wildcard(target.size > 0 ? target : method))
		rt_scenario_notice(reader, RT_NOTICE_WILDCARD,
			"in a path only '*' stands for any bytes");
	if (rt_word_is(method, "CONNECT") && target.size > 0 &&
		memchr(target.text, ':', target.size) == NULL &&
		target.text[target.size - 1] != '*')
		rt_scenario_notice(reader, RT_NOTICE_PORTLESS,
			"clients name the port as well: example.com:443");
}

/* Reads "METHOD TARGET", either alone, or nothing. */
static bool
set_request(struct rt_reader *reader, struct rt_item *item, const char *at)
{
	struct rt_word method = rt_scenario_word(reader, &at);
	struct rt_word target = rt_scenario_word(reader, &at);
	struct rt_word more = rt_scenario_word(reader, &at);
	struct rt_buf *text = &reader->bytes;

	if (method.size == 0)
		return true;
	if (more.size > 0)
		return rt_scenario_expected(reader, more.text,
			"the end of the line, or a target without spaces");
	if (target.size > 0 && *method.text == '/')
		return rt_scenario_expected(reader, target.text,
			"the end of the line; a method stands before the "
			"target");
	if (target.size > 0 &&
		!rt_http_may_come(method.text, method.size, target.text,
			target.size))
		return rt_scenario_expected(reader, target.text,
			"a target, which begins with '/' or '*'");
	look_at_request(reader, method, target);
	rt_buf_add(text, method.text, method.size);
	if (target.size > 0) {
		rt_buf_add(text, " ", 1);
		rt_buf_add(text, target.text, target.size);
	}
	item->rule.request = rt_scenario_own_lines(reader, text);
	return item->rule.request != NULL;
}

/* Reads the framing of the whole file; the server checks it. */
static bool
read_framing(struct rt_reader *reader, const char *at)
{
	struct rt_scenario *scenario = reader->scenario;
	struct rt_word rest = rt_scenario_rest(reader, at);

	if (scenario->count > 0)
		return rt_scenario_expected(reader, reader->line,
			"it before the first rule or expectation");
	if (scenario->framing != NULL)
		return rt_scenario_fail(reader, reader->line,
			"@framing: only one per scenario; line %u already has "
			"it",
			scenario->framing_line);
	scenario->framing = rt_scenario_own_text(reader, rest.text, rest.size);
	scenario->framing_line = reader->number;
	scenario->framing_column = (unsigned)(rest.text - reader->line) + 1;
	return scenario->framing != NULL;
}

static bool
begin_rule(struct rt_reader *reader, const char *at, bool accepted)
{
	if (!rt_scenario_end_item(reader))
		return false;
	reader->item = rt_scenario_add_item(reader, RT_ITEM_RULE,
		accepted ? "accepted" : "on", at);
	if (reader->item == NULL)
		return false;
	reader->answered = accepted;
	reader->item->rule.accepted = accepted;
	return accepted ? rt_scenario_ends(reader, at) :
			  set_request(reader, reader->item, at);
}

static bool
read_on(struct rt_reader *reader, const char *at)
{
	return begin_rule(reader, at, false);
}

static bool
read_accepted(struct rt_reader *reader, const char *at)
{
	return begin_rule(reader, at, true);
}

/* Begins the next reply to the same requests; the one before answers once. */
static bool
read_then(struct rt_reader *reader, const char *at)
{
	struct rt_item *item = reader->item;
	size_t before;
	bool accepted;

	if (item == NULL || item->kind != RT_ITEM_RULE)
		return rt_scenario_fail(reader, reader->line,
			"@then: expected an @on before it");
	if (item->rule.times == 0)
		item->rule.times = 1;
	accepted = item->rule.accepted;
	before = (size_t)(item - reader->scenario->items);
	if (!rt_scenario_ends(reader, at) || !rt_scenario_end_item(reader) ||
		!begin_rule(reader, at, accepted) ||
		!rt_scenario_copy_conditions(reader, before))
		return false;
	reader->item->rule.prefer = reader->scenario->items[before].rule.prefer;
	return true;
}

static bool
read_prefer(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_rest(reader, at), digits = word;
	bool negative = word.size > 0 && *word.text == '-';
	uint64_t number;

	digits.text += negative;
	digits.size -= negative;
	if (!rt_word_number(digits, INT32_MAX, &number))
		return rt_scenario_expected(reader, word.text,
			"a whole number from -2147483647 to 2147483647");
	reader->item->rule.prefer = negative ? -(int)number : (int)number;
	return true;
}

static bool
read_times(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_rest(reader, at);
	uint64_t number;

	if (!rt_word_number(word, UINT32_MAX, &number) || number == 0)
		return rt_scenario_expected(reader, word.text,
			"a number from 1 to 4294967295");
	reader->item->rule.times = (unsigned)number;
	return true;
}

/* Reads "2", "2+" or "2-3". */
static bool
read_count(struct rt_reader *reader, struct rt_word word, struct rt_item *item)
{
	uint64_t from, to;

	if (!rt_word_range(word, RT_SCENARIO_MOST, &from, &to))
		return rt_scenario_expected(reader, word.text,
			"a number of requests: N, N+ or N-M");
	item->least = (size_t)from;
	item->most = to == UINT64_MAX ? SIZE_MAX : (size_t)to;
	return from <= to ||
		rt_scenario_expected(reader, word.text,
			"the smaller number first");
}

/* Reads on how many connections the expected requests arrive. */
static bool
read_connections(struct rt_reader *reader, const char *at)
{
	reader->item->connections = rt_scenario_own_range(reader, at, 0,
		"a number of connections: N, N+ or N-M");
	return reader->item->connections != NULL;
}

static bool
read_expect(struct rt_reader *reader, const char *at)
{
	struct rt_item *item;
	struct rt_word count;

	if (!rt_scenario_end_item(reader))
		return false;
	item = rt_scenario_add_item(reader, RT_ITEM_EXPECT, "expect", at);
	count = rt_scenario_word(reader, &at);
	if (item == NULL || !read_count(reader, count, item))
		return false;
	reader->item = item;
	return set_request(reader, item, at);
}

/* Reads requests with " -> " between them. */
static bool
read_order(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	const char *end = rest.text + rest.size, *next;
	const char **requests;
	struct rt_item *item;
	size_t count = 0;

	if (!rt_scenario_end_item(reader))
		return false;
	item = rt_scenario_add_item(reader, RT_ITEM_ORDER, "order", at);
	requests = item ? rt_scenario_own(reader,
				  calloc(rest.size / 4 + 2, sizeof *requests)) :
			  NULL;
	if (requests == NULL)
		return false;
	for (at = rest.text; at < end; at = next) {
		const char *stop = at;

		while (end - stop >= 4 && memcmp(stop, " -> ", 4) != 0)
			stop++;
		next = end - stop >= 4 ? stop + 4 : end;
		stop = end - stop >= 4 ? stop : end;
		requests[count] =
			rt_scenario_own_text(reader, at, (size_t)(stop - at));
		if (requests[count++] == NULL)
			return false;
	}
	item->requests = requests;
	return count >= 2 ||
		rt_scenario_expected(reader, rest.text,
			"REQUEST -> REQUEST, or more");
}

/* The places of a directive, and whether it may come more than once. */
enum place {
	ANYWHERE, /* it begins an item, or is about the whole file */
	IN_ITEM,  /* once in each, of any kind; */
	IN_EXPECTATION,
	IN_RULE,
	OFTEN_IN_RULE,
	OFTEN_OR_AFTER_101 /* even after a message with that status */
};

/* The text after a directive. */
enum said {
	READ,   /* what its function reads; */
	FLAG,   /* nothing: it sets a bool of the rule; */
	ANSWER, /* nothing, too, and it is an answer; */
	WORDS,  /* a text of the rule is what is left of the line; */
	LINE    /* or it is one of the lines that a buffer gathers */
};

#define OF_RULE(member) offsetof(struct retort_reply, member)
#define OF_READER(member) offsetof(struct rt_reader, member)

static const struct directive {
	const char *name;
	enum place place;
	bool (*read)(struct rt_reader *reader, const char *at);
	enum said said;
	size_t in; /* the rule, or the reader */
	const char *expected;
} directives[] = {
	{"framing", ANYWHERE, .read = read_framing},
	{"on", ANYWHERE, .read = read_on},
	{"accepted", ANYWHERE, .read = read_accepted},
	{"then", ANYWHERE, .read = read_then},
	{"expect", ANYWHERE, .read = read_expect},
	{"order", ANYWHERE, .read = read_order},
	{"connections", IN_EXPECTATION, .read = read_connections},
	{"if-frame", IN_ITEM, .read = rt_scenario_read_if_frame},
	{"prefer", IN_RULE, .read = read_prefer},
	{"times", IN_RULE, .read = read_times},
	{"then-in", IN_RULE, .said = WORDS, .in = OF_RULE(then_in),
		.expected = "a state, such as ready"},
	{"fault", OFTEN_IN_RULE, .read = rt_scenario_read_fault},
	{"file", IN_RULE, .read = rt_scenario_read_file},
	{"repeat", IN_RULE, .read = rt_scenario_read_repeat},
	{"echo", IN_RULE, .said = ANSWER, .in = OF_RULE(echo)},
	{"files", IN_RULE, .said = ANSWER, .in = OF_RULE(files)},
	{"close", IN_RULE, .said = ANSWER, .in = OF_RULE(close)},
	{"open", IN_RULE, .said = FLAG, .in = OF_RULE(open)},
	{"next", IN_RULE, .read = rt_scenario_read_next},
	{"idle", IN_RULE, .read = rt_scenario_read_idle},
	{"silent", IN_RULE, .said = ANSWER, .in = OF_RULE(silent)},
	{"fill", IN_RULE, .read = rt_scenario_read_fill},
	{"part", OFTEN_OR_AFTER_101, .read = rt_scenario_read_part},
	{"raw", OFTEN_IN_RULE, .read = rt_scenario_read_raw},
	{"frame", OFTEN_OR_AFTER_101, .read = rt_scenario_read_frame},
	{"chunks", IN_RULE, .read = rt_scenario_read_chunks},
	{"field", OFTEN_IN_RULE, .said = LINE, .in = OF_READER(reply_fields),
		.expected = "Name: value"},
	{"omit", OFTEN_IN_RULE, .said = LINE, .in = OF_READER(omit),
		.expected = "the name of a field"},
	{"trailer", OFTEN_IN_RULE, .said = LINE, .in = OF_READER(trailers),
		.expected = "Name: value"},
	{"interim", IN_RULE, .read = rt_scenario_read_interim},
};

/* The one whose name is nearly so; NULL: none is. */
static const char *
find_near(struct rt_word name)
{
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
		if (rt_scenario_is_near(name, directives[i].name))
			return directives[i].name;
	return NULL;
}

bool
rt_scenario_is_directive(const char *text, size_t size)
{
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
		size_t length = strlen(directives[i].name);

		if (directives[i].place == ANYWHERE && size >= length &&
			memcmp(text, directives[i].name, length) == 0 &&
			(size == length || rt_is_blank(text[length]) ||
				text[length] == '\r' || text[length] == '\n'))
			return true;
	}
	return false;
}

/* Checks that it may stand here, after the first line of an item and before its
   message. */
static bool
has_place(struct rt_reader *reader, enum place place)
{
	const struct rt_item *item = reader->item;

	if (place >= IN_RULE && (item == NULL || item->kind != RT_ITEM_RULE))
		return rt_scenario_expected(reader, reader->line,
			"@on before it");
	if (place == IN_EXPECTATION &&
		(item == NULL || item->kind != RT_ITEM_EXPECT))
		return rt_scenario_expected(reader, reader->line,
			"@expect before it");
	if (item == NULL)
		return rt_scenario_expected(reader, reader->line,
			"@on or @expect before it");
	if (reader->answered && item->rule.status != 0 &&
		(place != OFTEN_OR_AFTER_101 || item->rule.status != 101))
		return rt_scenario_expected(reader, reader->line,
			"it before the message");
	return true;
}

/* Reads the text after a directive, by its row of the table. */
static bool
read_said(struct rt_reader *reader, const struct directive *directive,
	const char *at)
{
	char *of = directive->said == LINE ? (char *)reader :
					     (char *)&reader->item->rule;
	void *in = of + directive->in;
	struct rt_word rest = rt_scenario_rest(reader, at);
	const char *own;

	if (directive->read != NULL)
		return directive->read(reader, at);
	if (directive->said == LINE)
		return rt_scenario_line(reader, at, in, directive->expected);
	if (directive->said == WORDS) {
		if (rest.size == 0)
			return rt_scenario_expected(reader, rest.text,
				directive->expected);
		own = rt_scenario_own_text(reader, rest.text, rest.size);
		memcpy(in, &own, sizeof own);
		return own != NULL;
	}
	*(bool *)in = true;
	if (directive->said == ANSWER)
		reader->answered = true;
	return rt_scenario_ends(reader, at);
}

bool
rt_scenario_directive(struct rt_reader *reader)
{
	const char *at = reader->line + 1;
	struct rt_word name = rt_scenario_word(reader, &at);
	size_t condition;

	if (name.size > 0 && *name.text == '#')
		return true; /* a comment, wherever it stands */
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
		const struct directive *directive = &directives[i];

		if (!rt_word_is(name, directive->name))
			continue;
		if (directive->place == ANYWHERE)
			return directive->read(reader, at);
		return has_place(reader, directive->place) &&
			rt_scenario_note(reader, directive->name, at,
				directive->place < OFTEN_IN_RULE) &&
			read_said(reader, directive, at);
	}
	condition = rt_scenario_find_condition(name);
	if (condition == RT_CONDITIONS)
		return rt_scenario_no_directive(reader, name, find_near(name));
	return has_place(reader, IN_ITEM) &&
		rt_scenario_note(reader, rt_conditions[condition].directive, at,
			rt_conditions[condition].kind != RT_MEMBER_LINES) &&
		rt_scenario_condition(reader, condition, at);
}
