/* SPDX-License-Identifier: MIT */
/* Finds the directive that a mistake is about, when it is noticed after the
   text was read. */
#include "config.h"

#include "scenario/scenario_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "canned/condition.h"

/* Whether a directive is the one for a member: that of a condition, "then-in"
   for "then_in", and "fault" for "faults". */
static bool
is_for(const char *directive, const char *member, size_t size)
{
	size_t condition = rt_scenario_find_condition(rt_word_of(directive));

	if (condition < RT_CONDITIONS)
		return rt_word_is((struct rt_word){member, size},
			rt_conditions[condition].name);
	for (; size > 0 && *directive != '\0'; size--, member++, directive++)
		if (*directive != (*member == '_' ? '-' : *member))
			return false;
	return *directive == '\0' &&
		(size == 0 || (size == 1 && *member == 's'));
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
	const struct rt_place *found = NULL;

	if (item->begins.directive != NULL &&
		rt_word_is((struct rt_word){member, size}, "request"))
		return &item->begins;
	for (size_t i = 0; i < item->place_count; i++) {
		const struct rt_place *place = &item->places[i];

		if (!is_for(place->directive, member, size))
			continue;
		if (quotes(wrong, place->said))
			return place;
		if (found == NULL)
			found = place;
	}
	return found;
}
