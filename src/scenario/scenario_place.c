/* SPDX-License-Identifier: MIT */
/* Finds the directive that a mistake is about, when it is noticed after the
   text was read, and says the mistake in the words of scenarios. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "canned/condition.h"

/* Members of a reply whose directives have other names. */
static const struct {
	const char *member;
	const char *directive;
} others[] = {
	{"faults", "fault"},
	{"fields", "field"},
	{"parts", "part"},
	{"trailers", "trailer"},
	{"status", RT_MESSAGE},
	{"reason", RT_MESSAGE},
	{"version", RT_MESSAGE},
	{"type", RT_MESSAGE},
	{"chunked", RT_MESSAGE},
	{"body", RT_MESSAGE},
	/* or these have it */
	{"body", "raw"},
	{"body", "frame"},
};

/* Whether a directive is the one for a member: that of a condition, one of
   `others`, or "then-in" for "then_in". */
static bool
is_for(const char *directive, struct rt_word member)
{
	size_t condition = rt_scenario_find_condition(rt_word_of(directive));

	if (condition < RT_CONDITIONS)
		return rt_word_is(member, rt_conditions[condition].name);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (rt_word_is(member, others[i].member) &&
			strcmp(directive, others[i].directive) == 0)
			return true;
	for (; member.size > 0 && *directive != '\0'; directive++) {
		if (*directive != (*member.text == '_' ? '-' : *member.text))
			return false;
		member.text++;
		member.size--;
	}
	return *directive == '\0' && member.size == 0;
}

/* Whether a part of what a directive says can end or begin beside this byte. */
static bool
is_edge(char byte)
{
	return rt_is_blank(byte) || byte == ':' || byte == ';';
}

/* The size of what a message has at `wrong`, up to `stop`, if that is what a
   directive says, or words of it, which begin at *from. 0: it is not. */
static size_t
find_words(struct rt_word said, const char *wrong, char stop, size_t *from)
{
	for (size_t at = 0; at < said.size; at++) {
		size_t n = 0;

		if (at > 0 && !is_edge(said.text[at - 1]))
			continue;
		while (at + n < said.size && wrong[n] == said.text[at + n])
			n++;
		/* a long text is cut in a message */
		if (n > 0 && wrong[n] == stop &&
			(at + n == said.size || is_edge(said.text[at + n]) ||
				n >= 40)) {
			*from = at;
			return n;
		}
	}
	return 0;
}

/* The same, of what a message has in quotes, or before its first colon. */
static size_t
find_said(struct rt_word said, const char *wrong, size_t *from)
{
	size_t size = find_words(said, wrong, ':', from);

	while (size == 0 && (wrong = strchr(wrong, '\'')) != NULL)
		size = find_words(said, ++wrong, '\'', from);
	return size;
}

unsigned
rt_scenario_column(const struct rt_place *place, const char *wrong)
{
	size_t from;

	return find_said(place->said, wrong, &from) > 0 ?
		place->column + (unsigned)from :
		0;
}

const struct rt_place *
rt_scenario_place(const struct rt_item *item, const char *member, size_t size,
	const char *wrong)
{
	const struct rt_word word = {member, size};
	const struct rt_place *found = NULL;
	size_t most = 0, from;

	if (item->begins.directive != NULL &&
		(rt_word_is(word, "request") ||
			is_for(item->begins.directive, word)))
		return &item->begins;
	for (size_t i = 0; i < item->place_count; i++) {
		const struct rt_place *place = &item->places[i];
		size_t fits;

		if (!is_for(place->directive, word))
			continue;
		/* of texts that have it, the one that is no more than it */
		fits = 2 * find_said(place->said, wrong, &from);
		fits += fits == 2 * place->said.size;
		if (found == NULL || fits > most) {
			found = place;
			most = fits;
		}
	}
	return found;
}

/* What a member that a message has as ".name" is called here; NULL: that is no
   member. */
static const char *
find_directive(const struct rt_item *item, struct rt_word member)
{
	const struct rt_place *place =
		rt_scenario_place(item, member.text, member.size, "");

	if (place != NULL)
		return place->directive;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (rt_word_is(member, others[i].member))
			return others[i].directive;
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_conditions[i].directive != NULL &&
			rt_word_is(member, rt_conditions[i].name))
			return rt_conditions[i].directive;
	return NULL;
}

void
rt_scenario_words(const struct rt_item *item, const char *wrong, char *to,
	size_t room)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	const char *quote = wrong + strcspn(wrong, "'\""), *directive;
	size_t used = 0;

	while (*wrong != '\0' && used + 1 < room) {
		struct rt_word member = {wrong + 1,
			*wrong == '.' ? strspn(wrong + 1, letters) : 0};

		directive = wrong < quote && member.size > 0 && used > 0 &&
				to[used - 1] == ' ' ?
			find_directive(item, member) :
			NULL;
		if (directive == NULL) {
			to[used++] = *wrong++;
			continue;
		}
		used += (size_t)snprintf(to + used, room - used, "%s%s",
			strcmp(directive, RT_MESSAGE) == 0 ? "a " : "@",
			directive);
		wrong += 1 + member.size;
	}
	to[used < room ? used : room - 1] = '\0';
}
