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

/* So many times a request is compared with a rule that was never used, where
   each BODY_SHARE bytes of a body, which may be parsed for it, are as good as
   one: for more of them nobody waits. */
#define MOST_COMPARED 1000000
#define BODY_SHARE 2

/* Most bytes of a rule's name. */
#define MAX_NAME 4096u

/* The record that came nearest, as far as they were looked at; NULL: none. */
struct nearest {
	const struct rt_record *record;
	struct rt_miss miss;
};

/* A verdict under way. */
struct judgement {
	struct rt_buf *text;
	const struct rt_journal *journal;
	const struct rt_route *route;   /* NULL: there are no rules */
	struct nearest told[MAX_SHOWN]; /* misses of expectations */
	size_t told_count;
	size_t patience; /* for that many comparisons */
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

/* The number of the rule that answered it; 0: none did, or it was forgotten. */
static size_t
rule_of(const struct judgement *judgement, const struct rt_record *record)
{
	const struct rt_route *route = judgement->route;

	return route != NULL && record->rule_id > 0 ?
		rt_route_number(route, record->rule_id) :
		0;
}

/* The rule of a number from 1. It is valid until a predicate is asked, which may
   add others, and move these. */
static const struct rt_rule *
get_rule(const struct judgement *judgement, size_t number)
{
	return judgement->route->rules + number - 1;
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

static bool
was_answered(const struct rt_record *record)
{
	return record->answered && record->why == NULL;
}

/* ", answered 200 by rule 2" */
static void
add_outcome(struct judgement *judgement, const struct rt_record *record)
{
	const struct retort_exchange *seen = &record->seen;
	size_t rule = rule_of(judgement, record);
	struct rt_buf *text = judgement->text;

	if (seen->protocol == RETORT_HTTP && left_before(record))
		rt_buf_add_text(text, ", and left before the reply");
	else if (seen->protocol == RETORT_HTTP && seen->status != 0)
		rt_buf_add_format(text, ", answered %d", seen->status);
	else
		rt_buf_add_text(text,
			was_answered(record) ? ", answered" : ", unanswered");
	if (rule == 0)
		return;
	rt_buf_add_text(text, " by ");
	rt_route_say(judgement->route, rule, text);
}

/* "  got: GET /, answered 200 by rule 2 [cut 9] (connection 1)": a request that
   fits. */
static void
add_fitting(struct judgement *judgement, const struct rt_record *record)
{
	struct rt_buf *text = judgement->text;

	rt_buf_add_text(text, "  got: ");
	rt_match_name(&record->seen, text);
	add_outcome(judgement, record);
	if (record->faults != NULL)
		rt_buf_add_format(text, " [%s]", record->faults);
	add_connection(text, record);
	rt_buf_add(text, "\n", 1);
	show(judgement, record);
}

/* One that does not fit, and what differs. Of one that nothing answered another
   line says so. */
static void
add_missing(struct judgement *judgement, const struct rt_record *record,
	const struct rt_match *match, const char *whose)
{
	struct rt_buf *text = judgement->text;

	rt_buf_add_text(text, "  nearest: ");
	rt_match_name(&record->seen, text);
	if (rule_of(judgement, record) != 0 && was_answered(record))
		add_outcome(judgement, record);
	add_connection(text, record);
	rt_buf_add_text(text, ": ");
	(void)rt_match_explain(match, &record->seen, whose, text);
	rt_buf_add(text, "\n", 1);
	show(judgement, record);
}

/* Whether it came nearer than those that were looked at. */
static bool
is_nearer(const struct nearest *nearest, struct rt_miss miss)
{
	return nearest->record == NULL ||
		rt_miss_is_nearer(miss, nearest->miss);
}

/* The request that came nearest to fitting, if any did not fit. */
static void
add_nearest(struct judgement *judgement, const struct rt_match *match,
	const char *whose)
{
	struct nearest nearest = {.record = NULL};

	for (size_t i = 0; i < judgement->journal->count; i++) {
		const struct rt_record *record = judgement->journal->records[i];
		struct rt_miss miss;

		if (rt_match_fits(match, &record->seen))
			continue;
		miss = rt_match_explain(match, &record->seen, whose, NULL);
		if (is_nearer(&nearest, miss))
			nearest = (struct nearest){record, miss};
	}
	if (nearest.record == NULL)
		return;
	add_missing(judgement, nearest.record, match, whose);
	if (judgement->told_count < MAX_SHOWN)
		judgement->told[judgement->told_count++] = nearest;
}

/* Those that fit, a line each of the first. */
static void
add_came(struct judgement *judgement, const struct rt_match *match)
{
	const struct rt_journal *journal = judgement->journal;
	size_t came = 0;

	for (size_t i = 0; i < journal->count; i++)
		if (rt_match_fits(match, &journal->records[i]->seen) &&
			came++ < MAX_SHOWN)
			add_fitting(judgement, journal->records[i]);
	if (came > MAX_SHOWN)
		rt_buf_add_format(judgement->text, "  and %zu more\n",
			came - MAX_SHOWN);
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
	if (counts_all(expectation) && *connections < journal->accepted)
		*connections = (size_t)journal->accepted;
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
	if (expectation->counts && (came > 0 || counts_all(expectation)))
		rt_buf_add_format(judgement->text, " on %zu", on);
	rt_buf_add(judgement->text, "\n", 1);
	add_came(judgement, match);
	if (came < expectation->least)
		add_nearest(judgement, match, whose);
}

/* Whether a request came too early that fits the one that is missing at `next`;
   not if others like it were expected before. */
static bool
came_early(const struct judgement *judgement,
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
judge_order(struct judgement *judgement, size_t number,
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

/* --- rules that were never used --- */

/*
 * A rule with a number of times was meant for this test: it is a mistake when
 * no request ever got it. Others may be of a fixture that many tests share, and
 * those of a scenario have its expectations: they are only suspects.
 */
static bool
is_mistake(const struct rt_rule *rule)
{
	return rule->used == 0 && rule->times > 0 && rule->origin == NULL;
}

/* Whether something else answered, which this rule could have done. */
static bool
was_lost_to(const struct rt_record *record, const struct rt_rule *rule)
{
	return was_answered(record) && record->last_rule >= rule->id &&
		rt_rule_may_be_meant(rule, record->seen.protocol, false,
			record->seen.refused != 0);
}

/*
 * Whether a request of the rule's method and path seems to have been meant for
 * it, since it meets as many conditions of it as what answered has, and was not
 * the next of a queue.
 */
static bool
seems_meant(const struct judgement *judgement, const struct rt_record *record,
	struct rt_miss miss)
{
	size_t number = rule_of(judgement, record);
	const struct rt_rule *by =
		number > 0 ? get_rule(judgement, number) : NULL;

	return miss.met > 0 &&
		(by == NULL ||
			(by->times == 0 &&
				miss.met >= rt_match_conditions(by->match)));
}

/* The request that came nearest to a rule that was never used, and was answered
   otherwise. */
static struct nearest
find_lost(struct judgement *judgement, const struct rt_rule *rule)
{
	const struct rt_journal *journal = judgement->journal;
	struct nearest nearest = {.record = NULL};

	for (size_t i = 0; i < journal->count && judgement->patience > 0; i++) {
		const struct rt_record *record = journal->records[i];
		struct rt_miss miss;
		size_t cost;

		judgement->patience--;
		if (!was_lost_to(record, rule) ||
			(!is_mistake(rule) &&
				rt_match_strays(rule->match, &record->seen)))
			continue;
		cost = rt_match_reads_body(rule->match) ?
			record->seen.body_size / BODY_SHARE :
			0;
		if (cost > judgement->patience)
			cost = judgement->patience;
		judgement->patience -= cost;
		/* asks no predicate */
		miss = rt_match_explain(rule->match, &record->seen, "", NULL);
		if (is_nearer(&nearest, miss) &&
			(is_mistake(rule) ||
				seems_meant(judgement, record, miss)))
			nearest = (struct nearest){record, miss};
	}
	return nearest;
}

/* "rule 2 (GET /a)" */
static void
describe_rule(struct judgement *judgement, size_t number)
{
	const struct rt_rule *rule = get_rule(judgement, number);

	rt_route_say(judgement->route, number, judgement->text);
	rt_buf_add_text(judgement->text, " (");
	if (rule->accepted)
		rt_buf_add_text(judgement->text, "accepted connections");
	else
		rt_match_describe(rule->match, judgement->text);
	rt_buf_add_text(judgement->text, ")");
}

/* The rule, and the request that was lost to another one (NULL: none). */
static void
tell_unused(struct judgement *judgement, size_t number,
	const struct rt_record *lost)
{
	const struct rt_match *match = get_rule(judgement, number)->match;
	bool fits = lost != NULL && rt_match_fits(match, &lost->seen);
	size_t by = fits ? rule_of(judgement, lost) : 0;
	struct rt_buf whose;

	/* a predicate may also load others in place of these */
	if (number > judgement->route->rule_count)
		return;
	match = get_rule(judgement, number)->match;
	describe_rule(judgement, number);
	rt_buf_add_text(judgement->text, ": never used");
	/* the next of a queue has its turn later */
	if (by > 0 && get_rule(judgement, by)->times == 0) {
		rt_buf_add_text(judgement->text, ": shadowed by ");
		describe_rule(judgement, by);
	}
	rt_buf_add(judgement->text, "\n", 1);
	if (fits)
		add_fitting(judgement, lost);
	if (fits || lost == NULL)
		return;
	rt_buf_init(&whose, MAX_NAME);
	rt_route_say(judgement->route, number, &whose);
	if (rt_buf_text(&whose) != NULL)
		add_missing(judgement, lost, match, whose.data);
	rt_buf_free(&whose);
}

/* Whether an expectation has told the same miss: of the same conditions, that
   is. */
static bool
is_told(const struct judgement *judgement, struct nearest lost)
{
	for (size_t i = 0; i < judgement->told_count; i++)
		if (judgement->told[i].record == lost.record &&
			rt_miss_same(judgement->told[i].miss, lost.miss))
			return true;
	return false;
}

/* Suspects are told where something is wrong: they may be why. Those of a
   scenario only if a request seems to have been meant for them. */
static void
judge_rules(struct judgement *judgement)
{
	const struct rt_route *route = judgement->route;
	bool wrong = judgement->text->len > 0;
	size_t count = route != NULL ? route->rule_count : 0;

	for (size_t i = 1; i <= count; i++)
		wrong |= is_mistake(get_rule(judgement, i));
	for (size_t i = 1; wrong && i <= count && i <= route->rule_count; i++) {
		const struct rt_rule *rule = get_rule(judgement, i);
		struct nearest lost;

		if (rule->used > 0)
			continue;
		lost = find_lost(judgement, rule);
		if (lost.record != NULL && is_told(judgement, lost))
			lost.record = NULL;
		if (lost.record != NULL || rule->origin == NULL)
			tell_unused(judgement, i, lost.record);
	}
}

/* --- all of it --- */

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
tell_alike(struct judgement *judgement, const size_t *like, size_t one)
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
show_all(struct judgement *judgement)
{
	struct rt_buf texts[MAX_SHOWN], *text = judgement->text;
	size_t count = judgement->shown_count, like[MAX_SHOWN];

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
	struct judgement judgement = {.text = &verdict->text,
		.journal = journal,
		.route = route,
		.patience = MOST_COMPARED};
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
	judge_rules(&judgement);
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
