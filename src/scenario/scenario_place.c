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

/* Whether a message has the text, or its beginning, in quotes. */
static bool
quotes(const char *wrong, struct rt_word said)
{
	char quoted[64];

	(void)snprintf(quoted, sizeof quoted, "'%.*s%s",
		(int)(said.size < 40 ? said.size : 40), said.text,
		said.size <= 40 ? "'" : "");
	return said.size > 0 && strstr(wrong, quoted) != NULL;
}

unsigned
rt_scenario_column(const struct rt_place *place, const char *wrong)
{
	struct rt_word said = place->said;

	if (quotes(wrong, said))
		return place->column;
	/* or a part of it: a word, a member */
	while ((wrong = strchr(wrong, '\'')) != NULL && *++wrong != '\0')
		for (size_t from = 0; from < said.size; from++) {
			size_t n = 0;

			while (from + n < said.size &&
				wrong[n] == said.text[from + n])
				n++;
			if (n > 0 && wrong[n] == '\'')
				return place->column + (unsigned)from;
		}
	return 1;
}

const struct rt_place *
rt_scenario_place(const struct rt_item *item, const char *member, size_t size,
	const char *wrong)
{
	const struct rt_word word = {member, size};
	const struct rt_place *found = NULL;

	if (item->begins.directive != NULL &&
		(rt_word_is(word, "request") ||
			is_for(item->begins.directive, word)))
		return &item->begins;
	for (size_t i = 0; i < item->place_count; i++) {
		const struct rt_place *place = &item->places[i];

		if (!is_for(place->directive, word))
			continue;
		if (quotes(wrong, place->said))
			return place;
		if (found == NULL)
			found = place;
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
	const char *directive;
	size_t used = 0;

	while (*wrong != '\0' && used + 1 < room) {
		struct rt_word member = {wrong + 1,
			*wrong == '.' ? strspn(wrong + 1, letters) : 0};

		directive = member.size > 0 && used > 0 && to[used - 1] == ' ' ?
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
