/* SPDX-License-Identifier: MIT */
/* Compares records with expectations, and says in words what is wrong. Called by
   api/. */
#include "config.h"

#include "journal/verdict_parts.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* So many bytes in a row of each are shown. */
#define MOST_BYTES 2048

static void
add_range(struct rt_buf *to, size_t least, size_t most)
{
	if (least == most)
		rt_buf_add_format(to, "exactly %zu", least);
	else if (most == SIZE_MAX)
		rt_buf_add_format(to, "at least %zu", least);
	else if (least == 0)
		rt_buf_add_format(to, "at most %zu", most);
	else
		rt_buf_add_format(to, "%zu to %zu", least, most);
}

static void
add_count(struct rt_buf *to, const struct rt_expectation *expectation)
{
	if (expectation->most == 0)
		rt_buf_add_format(to, "no %s",
			rt_match_noun(expectation->matches[0]));
	else
		add_range(to, expectation->least, expectation->most);
	if (!expectation->counts)
		return;
	rt_buf_add_text(to, " on ");
	add_range(to, expectation->least_of_them, expectation->most_of_them);
	rt_buf_add_text(to,
		expectation->most_of_them == 1 ? " connection" :
						 " connections");
}

/* The request that came nearest to fitting, if any did not fit. */
static void
add_nearest(struct rt_judgement *judgement, const struct rt_match *match,
	const char *whose)
{
	struct rt_nearest nearest = {.record = NULL};

	for (size_t i = 0; i < judgement->journal->count; i++) {
		const struct rt_record *record = judgement->journal->records[i];
		struct rt_miss miss;

		if (rt_match_fits(match, &record->seen))
			continue;
		miss = rt_match_explain(match, &record->seen, whose, NULL);
		if (is_nearer(&nearest, miss))
			nearest = (struct rt_nearest){record, miss};
	}
	if (nearest.record == NULL)
		return;
	rt_verdict_add_missing(judgement, nearest.record, match, whose);
	if (judgement->told_count < RT_VERDICT_SHOWN)
		judgement->told[judgement->told_count++] = nearest;
}

/* Those that fit, a line each of the first. */
static void
add_came(struct rt_judgement *judgement, const struct rt_match *match)
{
	const struct rt_journal *journal = judgement->journal;
	size_t came = 0;

	for (size_t i = 0; i < journal->count; i++)
		if (rt_match_fits(match, &journal->records[i]->seen) &&
			came++ < RT_VERDICT_SHOWN)
			rt_verdict_add_fitting(judgement, journal->records[i]);
	if (came > RT_VERDICT_SHOWN)
		rt_buf_add_format(judgement->text, "  and %zu more\n",
			came - RT_VERDICT_SHOWN);
}

/* "FILE:LINE", or "expectation N" in `room`. */
static const char *
name(const struct rt_expectation *expectation, size_t number, char room[40])
{
	if (expectation->origin != NULL)
		return rt_origin_shown(expectation->origin);
	(void)snprintf(room, 40, "expectation %zu", number);
	return room;
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* How many different ones there are; sorts them. */
static size_t
count_different(struct rt_buf *numbers)
{
	uint64_t *all = (uint64_t *)(void *)numbers->data;
	size_t count = numbers->len / sizeof *all, different = count > 0;

	if (count > 0)
		qsort(all, count, sizeof *all, compare_numbers);
	for (size_t i = 1; i < count; i++)
		different += all[i] != all[i - 1];
	return different;
}

/* Whether all connections count, even those on which nothing arrived: nothing at
   all is expected. */
static bool
counts_all(const struct rt_expectation *expectation)
{
	return expectation->counts && expectation->most == 0 &&
		rt_match_conditions(expectation->matches[0]) == 0;
}

/* Those that fit, and on how many connections they arrived. */
static size_t
count_came(const struct rt_judgement *judgement,
	const struct rt_expectation *expectation, size_t *connections)
{
	const struct rt_journal *journal = judgement->journal;
	struct rt_buf numbers;
	size_t came = 0;

	rt_buf_init(&numbers, SIZE_MAX / 2);
	for (size_t i = 0; i < journal->count; i++) {
		const struct retort_exchange *seen = &journal->records[i]->seen;

		if (!rt_match_fits(expectation->matches[0], seen))
			continue;
		came++;
		if (expectation->counts)
			rt_buf_add(&numbers, &seen->connection,
				sizeof seen->connection);
	}
	*connections = count_different(&numbers);
	if (counts_all(expectation) && *connections < journal->accepted)
		*connections = (size_t)journal->accepted;
	/* nothing is known without memory */
	if (numbers.failed)
		judgement->text->failed = true;
	rt_buf_free(&numbers);
	return came;
}

/* Whether there were too many because a client had no other way. */
static bool
are_unkept(const struct rt_judgement *judgement,
	const struct rt_expectation *expectation, size_t on)
{
	return expectation->counts && expectation->most > 0 &&
		on > expectation->most_of_them && judgement->route != NULL &&
		rt_route_keeps_none(judgement->route);
}

static void
judge_count(struct rt_judgement *judgement, size_t number,
	const struct rt_expectation *expectation)
{
	const struct rt_match *match = expectation->matches[0];
	char room[40];
	const char *whose = name(expectation, number, room);
	size_t on, came = count_came(judgement, expectation, &on);
	bool many = came >= expectation->least && came <= expectation->most;

	if (many &&
		(!expectation->counts ||
			(on >= expectation->least_of_them &&
				on <= expectation->most_of_them)))
		return;
	rt_buf_add_format(judgement->text, "%s (", whose);
	rt_match_describe(match, judgement->text);
	rt_buf_add_text(judgement->text, "): expected ");
	add_count(judgement->text, expectation);
	rt_buf_add_format(judgement->text, ", got %zu", came);
	if (expectation->counts && (came > 0 || counts_all(expectation)))
		rt_buf_add_format(judgement->text, " on %zu", on);
	rt_buf_add(judgement->text, "\n", 1);
	if (are_unkept(judgement, expectation, on))
		rt_buf_add_text(judgement->text, "  " RT_ROUTE_KEEPS_NONE "\n");
	add_came(judgement, match);
	if (came < expectation->least)
		add_nearest(judgement, match, whose);
}

/* Whether a request came too early that fits the one that is missing at `next`;
   not if others like it were expected before. */
static bool
came_early(const struct rt_judgement *judgement,
	const struct rt_expectation *expectation, size_t next)
{
	const struct rt_journal *journal = judgement->journal;
	struct rt_match *const *matches = expectation->matches;
	bool early = false;
	size_t found = 0;

	for (size_t i = 0; i < journal->count; i++) {
		const struct retort_exchange *seen = &journal->records[i]->seen;
		bool fits = rt_match_fits(matches[next], seen);

		if (found < next && rt_match_fits(matches[found], seen)) {
			found++;
			if (fits)
				return false;
		} else {
			early |= fits;
		}
	}
	return early;
}

static void
judge_order(struct rt_judgement *judgement, size_t number,
	const struct rt_expectation *expectation)
{
	const struct rt_journal *journal = judgement->journal;
	const struct rt_match *missing;
	char room[40];
	const char *whose = name(expectation, number, room);
	size_t next = 0;
	bool early;

	for (size_t i = 0; i < journal->count && next < expectation->count; i++)
		if (rt_match_fits(expectation->matches[next],
			    &journal->records[i]->seen))
			next++;
	if (next == expectation->count)
		return;
	missing = expectation->matches[next];
	early = came_early(judgement, expectation, next);
	rt_buf_add_format(judgement->text, "%s (in order): expected ", whose);
	rt_match_describe(missing, judgement->text);
	if (next > 0) {
		rt_buf_add_text(judgement->text, " after ");
		rt_match_describe(expectation->matches[next - 1],
			judgement->text);
	}
	rt_buf_add_text(judgement->text,
		early ? ", but it came before\n" : ", which did not arrive\n");
	if (early)
		add_came(judgement, missing);
	else
		add_nearest(judgement, missing, whose);
}

static void
judge_records(struct rt_judgement *judgement)
{
	for (size_t i = 0; i < judgement->journal->count; i++) {
		const struct rt_record *record = judgement->journal->records[i];
		const char *why = record->why;

		if (why == NULL && record->seen.complete && !record->answered)
			why = "its reply was never made";
		if (why == NULL)
			continue;
		rt_buf_add_format(judgement->text, "connection %llu",
			(unsigned long long)record->seen.connection);
		rt_verdict_add_nth(judgement->text, record);
		if (record->seen.by_chance)
			rt_buf_add_format(judgement->text, " (seed %llu)",
				(unsigned long long)record->seen.seed);
		rt_buf_add_format(judgement->text, ": %s\n", why);
		rt_verdict_show(judgement, record);
	}
}

/* --- all of it --- */

/* It may be why nothing arrived. */
static void
tell_unshaken(struct rt_judgement *judgement)
{
	const struct rt_journal *journal = judgement->journal;
	unsigned long long others = journal->unshaken - 1;

	if (journal->unshaken == 0 || judgement->text->len == 0)
		return;
	rt_buf_add_format(judgement->text, "connection %llu: TLS failed: %s",
		(unsigned long long)journal->last_unshaken,
		journal->why_last_unshaken);
	if (others > 0)
		rt_buf_add_format(judgement->text, " (and %llu before it)",
			others);
	rt_buf_add(judgement->text, "\n", 1);
}

/* Those that are like one before them: like[i] is its place, or i itself. */
static void
find_alike(struct rt_buf *texts, size_t count, size_t *like)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = rt_buf_text(&texts[i]);

		like[i] = i;
		for (size_t j = 0; text != NULL && j < i && like[i] == i; j++)
			if (like[j] == j && texts[j].data != NULL &&
				rt_transcripts_alike(texts[j].data, text))
				like[i] = j;
	}
}

/* "connections 2, 3: like connection 1, but for times" */
static void
tell_alike(struct rt_judgement *judgement, const size_t *like, size_t one)
{
	const struct rt_record *const *shown = judgement->shown;
	struct rt_buf others;
	size_t count = 0;

	rt_buf_init(&others, SIZE_MAX / 2);
	for (size_t i = one + 1; i < judgement->shown_count; i++)
		if (like[i] == one)
			rt_buf_add_format(&others, "%s%llu",
				count++ > 0 ? ", " : "",
				(unsigned long long)shown[i]->seen.connection);
	if (count > 0 && rt_buf_text(&others) != NULL)
		rt_buf_add_format(judgement->text,
			"connection%s %s: like connection %llu, but for "
			"times\n",
			count > 1 ? "s" : "", others.data,
			(unsigned long long)shown[one]->seen.connection);
	rt_buf_free(&others);
}

/* The transcripts, each once of those that are alike. */
static void
show_all(struct rt_judgement *judgement)
{
	struct rt_buf texts[RT_VERDICT_SHOWN], *text = judgement->text;
	size_t count = judgement->shown_count, like[RT_VERDICT_SHOWN];

	for (size_t i = 0; i < count; i++) {
		rt_buf_init(&texts[i], text->max);
		rt_record_transcribe(judgement->shown[i], MOST_BYTES,
			&texts[i]);
		text->failed |= texts[i].failed;
	}
	find_alike(texts, count, like);
	for (size_t i = 0; i < count; i++)
		tell_alike(judgement, like, i);
	for (size_t i = 0; i < count; i++) {
		if (like[i] == i)
			rt_buf_add(text, texts[i].data, texts[i].len);
		rt_buf_free(&texts[i]);
	}
}

const char *
rt_verdict_text(struct rt_verdict *verdict, const struct rt_journal *journal,
	const struct rt_route *route)
{
	struct rt_judgement judgement = {.text = &verdict->text,
		.journal = journal,
		.route = route};
	const char *text;

	rt_buf_clear(&verdict->text, 0);
	rt_buf_add(&verdict->text, verdict->mistakes.data,
		verdict->mistakes.len);
	for (size_t i = 0; i < verdict->count; i++) {
		/* a predicate may add others, and move these */
		const struct rt_expectation expectation =
			verdict->expectations[i];

		if (expectation.count == 1)
			judge_count(&judgement, i + 1, &expectation);
		else
			judge_order(&judgement, i + 1, &expectation);
	}
	judge_records(&judgement);
	rt_verdict_judge_rules(&judgement);
	tell_unshaken(&judgement);
	if (journal->lost > 0)
		rt_buf_add_format(&verdict->text,
			"%llu exchange%s not recorded, or only in part: "
			"max_records, %zu bytes, is used up\n",
			(unsigned long long)journal->lost,
			journal->lost == 1 ? " was" : "s were", journal->max);
	if (verdict->text.len == 0 && !verdict->text.failed)
		return "";
	show_all(&judgement);
	text = rt_buf_text(&verdict->text);
	return text ? text : "not as expected, and no memory to say how";
}
