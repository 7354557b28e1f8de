/* SPDX-License-Identifier: MIT */
/* Compares records with expectations and rules, and says in words what is
   wrong. Called by api/. */
#include "config.h"

#include "journal/verdict.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "route/route.h"

/* Transcripts that one verdict shows. */
#define MAX_SHOWN 16

/* So many bytes in a row of each are shown. */
#define MOST_BYTES 2048

/* A verdict under way. */
struct judgement {
	struct rt_buf *text;
	const struct rt_journal *journal;
	const struct rt_record
		*shown[MAX_SHOWN]; /* their transcripts will be */
	size_t shown_count;
};

static void
show(struct judgement *judgement, const struct rt_record *record)
{
	for (size_t i = 0; i < judgement->shown_count; i++)
		if (judgement->shown[i]->seen.connection ==
			record->seen.connection)
			return;
	if (judgement->shown_count < MAX_SHOWN)
		judgement->shown[judgement->shown_count++] = record;
}

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
		rt_buf_add_text(to, "no request");
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

/* Which exchange of a kept connection, but for the first. */
static void
add_nth(struct rt_buf *to, const struct rt_record *record)
{
	if (record->seen.protocol == RETORT_HTTP && record->seen.nth > 1)
		rt_buf_add_format(to, ", exchange %llu",
			(unsigned long long)record->seen.nth);
}

/* " (connection 3, exchange 2, seed 7)" */
static void
add_connection(struct rt_buf *to, const struct rt_record *record)
{
	rt_buf_add_format(to, " (connection %llu",
		(unsigned long long)record->seen.connection);
	add_nth(to, record);
	if (record->seen.by_chance)
		rt_buf_add_format(to, ", seed %llu",
			(unsigned long long)record->seen.seed);
	rt_buf_add_text(to, ")");
}

/* The request that came nearest to fitting, if any did not fit. */
static void
add_nearest(struct judgement *judgement, const struct rt_match *match,
	const char *whose)
{
	const struct rt_record *nearest = NULL;
	struct rt_miss best = {0}, miss;

	for (size_t i = 0; i < judgement->journal->count; i++) {
		const struct rt_record *record = judgement->journal->records[i];

		if (rt_match_fits(match, &record->seen))
			continue;
		miss = rt_match_explain(match, &record->seen, whose, NULL);
		if (nearest == NULL || rt_miss_is_nearer(miss, best)) {
			nearest = record;
			best = miss;
		}
	}
	if (nearest == NULL)
		return;
	rt_buf_add_text(judgement->text, "  nearest: ");
	rt_match_name(&nearest->seen, judgement->text);
	add_connection(judgement->text, nearest);
	rt_buf_add_text(judgement->text, ": ");
	(void)rt_match_explain(match, &nearest->seen, whose, judgement->text);
	rt_buf_add(judgement->text, "\n", 1);
	show(judgement, nearest);
}

/* Whether the client closed before a byte of the reply was sent. */
static bool
left_before(const struct rt_record *record)
{
	for (size_t i = 0; i < record->event_count; i++) {
		if (record->events[i].kind == RT_RECORD_SENT)
			return false;
		if (record->events[i].kind == RT_RECORD_CLIENT_FIN ||
			record->events[i].kind == RT_RECORD_CLIENT_RST)
			return true;
	}
	return false;
}

/* Those that fit, a line each. */
static void
add_came(struct judgement *judgement, const struct rt_match *match)
{
	const struct rt_journal *journal = judgement->journal;
	size_t left = MAX_SHOWN;

	for (size_t i = 0; i < journal->count && left > 0; i++) {
		const struct rt_record *record = journal->records[i];
		const struct retort_exchange *seen = &record->seen;

		if (!rt_match_fits(match, seen))
			continue;
		left--;
		rt_buf_add_text(judgement->text, "  got: ");
		rt_match_name(seen, judgement->text);
		rt_buf_add_text(judgement->text, ", ");
		if (seen->protocol != RETORT_HTTP)
			rt_buf_add_text(judgement->text,
				record->answered && record->why == NULL ?
					"answered" :
					"unanswered");
		else if (left_before(record))
			rt_buf_add_text(judgement->text,
				"and left before the reply");
		else
			rt_buf_add_format(judgement->text, "answered %d",
				seen->status);
		if (record->faults != NULL)
			rt_buf_add_format(judgement->text, " [%s]",
				record->faults);
		add_connection(judgement->text, record);
		rt_buf_add(judgement->text, "\n", 1);
		show(judgement, record);
	}
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

/* Those that fit, and on how many connections they arrived. */
static size_t
count_came(const struct judgement *judgement,
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
	/* nothing is known without memory */
	if (numbers.failed)
		judgement->text->failed = true;
	rt_buf_free(&numbers);
	return came;
}

static void
judge_count(struct judgement *judgement, size_t number,
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
	if (expectation->counts && came > 0)
		rt_buf_add_format(judgement->text, " on %zu", on);
	rt_buf_add(judgement->text, "\n", 1);
	add_came(judgement, match);
	if (came < expectation->least)
		add_nearest(judgement, match, whose);
}

static void
judge_order(struct judgement *judgement, size_t number,
	const struct rt_expectation *expectation)
{
	const struct rt_journal *journal = judgement->journal;
	const struct rt_match *missing;
	char room[40];
	const char *whose = name(expectation, number, room);
	size_t next = 0;

	for (size_t i = 0; i < journal->count && next < expectation->count; i++)
		if (rt_match_fits(expectation->matches[next],
			    &journal->records[i]->seen))
			next++;
	if (next == expectation->count)
		return;
	missing = expectation->matches[next];
	rt_buf_add_format(judgement->text, "%s (in order): expected ", whose);
	rt_match_describe(missing, judgement->text);
	if (next > 0) {
		rt_buf_add_text(judgement->text, " after ");
		rt_match_describe(expectation->matches[next - 1],
			judgement->text);
	}
	rt_buf_add_text(judgement->text, ", which did not arrive\n");
	add_nearest(judgement, missing, whose);
}

static void
judge_records(struct judgement *judgement)
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
		add_nth(judgement->text, record);
		if (record->seen.by_chance)
			rt_buf_add_format(judgement->text, " (seed %llu)",
				(unsigned long long)record->seen.seed);
		rt_buf_add_format(judgement->text, ": %s\n", why);
		show(judgement, record);
	}
}

static bool
is_in_vain(const struct rt_rule *rule, bool lasting)
{
	return rule->used == 0 && rule->origin == NULL &&
		(lasting || rule->times > 0);
}

/*
 * A rule with a number of times was meant for this test: it is a mistake when
 * no request ever got it. Others may be of a fixture that many tests share, but
 * where something is wrong, they may be why. Those of a scenario have its
 * expectations.
 */
static void
judge_rules(struct judgement *judgement, const struct rt_route *route)
{
	bool wrong = judgement->text->len > 0;

	for (size_t i = 0; route != NULL && i < route->rule_count; i++)
		wrong |= is_in_vain(route->rules + i, false);
	for (size_t i = 0; route != NULL && wrong && i < route->rule_count;
		i++) {
		const struct rt_rule *rule = route->rules + i;

		if (!is_in_vain(rule, true))
			continue;
		rt_buf_add_format(judgement->text, "rule %zu (", i + 1);
		rt_match_describe(rule->match, judgement->text);
		rt_buf_add_text(judgement->text, "): never used\n");
	}
}

/* It may be why nothing arrived. */
static void
tell_unshaken(struct judgement *judgement)
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

const char *
rt_verdict_text(struct rt_verdict *verdict, const struct rt_journal *journal,
	const struct rt_route *route)
{
	struct judgement judgement = {.text = &verdict->text,
		.journal = journal};
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
	judge_rules(&judgement, route);
	tell_unshaken(&judgement);
	if (journal->lost > 0)
		rt_buf_add_format(&verdict->text,
			"%llu exchange%s not recorded, or only in part: "
			"max_records, %zu bytes, is used up\n",
			(unsigned long long)journal->lost,
			journal->lost == 1 ? " was" : "s were", journal->max);
	if (verdict->text.len == 0 && !verdict->text.failed)
		return "";
	for (size_t i = 0; i < judgement.shown_count; i++)
		rt_record_transcribe(judgement.shown[i], MOST_BYTES,
			&verdict->text);
	text = rt_buf_text(&verdict->text);
	return text ? text : "not as expected, and no memory to say how";
}
