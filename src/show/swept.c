/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "show/swept.h"

#include <stdlib.h>
#include <string.h>

const char *const swept_words[OUTCOMES] = {
	[OUTCOME_NOTICED] = "noticed",
	[OUTCOME_TAKEN] = "taken for success, as it should be",
	[OUTCOME_PART] = "a part taken for success",
	[OUTCOME_FAILED] = "the whole taken for failure",
	[OUTCOME_OTHER] = "taken for success, with other output",
	[OUTCOME_CRASHED] = "crashed",
	[OUTCOME_LATE] = "did not end",
};

enum outcome
swept_outcome(const struct swept_point *point)
{
	if (point->late)
		return OUTCOME_LATE;
	if (point->signal != 0)
		return OUTCOME_CRASHED;
	if (point->is_cut)
		return point->wrong ? OUTCOME_PART : OUTCOME_NOTICED;
	if (!point->wrong)
		return OUTCOME_TAKEN;
	return point->taken > 0 ? OUTCOME_OTHER : OUTCOME_FAILED;
}

size_t
swept_count(const struct swept *swept, enum outcome outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < swept->count; i++)
		count += swept_outcome(swept->points + i) == outcome;
	return count;
}

size_t
swept_way_end(const struct swept *swept, size_t first)
{
	const char *way = swept->points[first].way;
	size_t end = first + 1;

	while (end < swept->count && strcmp(swept->points[end].way, way) == 0)
		end++;
	return end;
}

static void
say_cuts(FILE *file, const struct swept *swept)
{
	size_t parts = swept_count(swept, OUTCOME_PART), cuts = 0;
	size_t noticed = swept_count(swept, OUTCOME_NOTICED);

	for (size_t i = 0; i < swept->count; i++)
		cuts += swept->points[i].is_cut;
	if (cuts == 0)
		(void)fputs("No cut reply was tried", file);
	else if (noticed == cuts)
		(void)fprintf(file, "The client noticed each of %zu cuts",
			cuts);
	else if (parts == 0)
		(void)fprintf(file, "The client noticed %zu of %zu cuts",
			noticed, cuts);
	else
		(void)fprintf(file,
			"The client took %zu of %zu cut replies for success",
			parts, cuts);
}

void
swept_summary(FILE *file, enum escape_to to, const struct swept *swept)
{
	static const struct {
		enum outcome outcome;
		const char *words;
	} more[] = {
		{OUTCOME_FAILED, "took the whole reply for a failure"},
		{OUTCOME_OTHER, "printed something else for the whole reply"},
		{OUTCOME_CRASHED, "crashed"},
		{OUTCOME_LATE, "did not end"},
	};

	if (swept->error != NULL) {
		(void)fputs("The sweep ended early: ", file);
		escape_text(file, to, swept->error, strlen(swept->error));
		(void)fputs(". ", file);
	}
	say_cuts(file, swept);
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		size_t count = swept_count(swept, more[i].outcome);

		if (count > 0)
			(void)fprintf(file, "; %zu time%s it %s", count,
				count == 1 ? "" : "s", more[i].words);
	}
	if (swept->count < swept->all)
		(void)fprintf(file, "; %zu of %zu replies were not tried",
			swept->all - swept->count, swept->all);
	(void)fputs(".", file);
}

void
swept_close_up(struct swept *swept)
{
	for (size_t i = 0; swept->points != NULL && i < swept->all; i++)
		if (swept->points[i].tried)
			swept->points[swept->count++] = swept->points[i];
}

void
swept_free(struct swept *swept)
{
	for (size_t i = 0; i < swept->count; i++) {
		free(swept->points[i].output.bytes);
		free(swept->points[i].errors.bytes);
	}
	free(swept->points);
	free(swept->bytes);
}
