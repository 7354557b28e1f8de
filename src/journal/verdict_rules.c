/* SPDX-License-Identifier: MIT */
/* Rules that were never used, and the requests that they lost to others. */
#include "config.h"

#include "journal/verdict_parts.h"

/* So many times a request is compared with a rule that was never used, where
   each BODY_SHARE bytes of a body, which may be parsed for it, are as good as
   one: for more of them nobody waits. */
#define MOST_COMPARED 1000000
#define BODY_SHARE 2

/* Most bytes of a rule's name. */
#define MAX_NAME 4096u

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
seems_meant(const struct rt_judgement *judgement,
	const struct rt_record *record, struct rt_miss miss)
{
	size_t number = rt_verdict_rule_of(judgement, record);
	const struct rt_rule *by =
		number > 0 ? get_rule(judgement, number) : NULL;

	return miss.met > 0 &&
		(by == NULL ||
			(by->times == 0 &&
				miss.met >= rt_match_conditions(by->match)));
}

/* What it costs to compare the request with the rule. */
static size_t
cost_of(const struct rt_record *record, const struct rt_rule *rule)
{
	return rt_match_reads_body(rule->match) ?
		1 + record->seen.body_size / BODY_SHARE :
		1;
}

/* The request that came nearest to a rule that was never used, and was answered
   otherwise; as long as there is patience. */
static struct rt_nearest
find_lost(const struct rt_judgement *judgement, const struct rt_rule *rule,
	size_t *patience)
{
	const struct rt_journal *journal = judgement->journal;
	struct rt_nearest nearest = {.record = NULL};

	for (size_t i = 0; *patience > 0 && i < journal->count; i++) {
		const struct rt_record *record = journal->records[i];
		bool compared = was_lost_to(record, rule) &&
			(is_mistake(rule) ||
				!rt_match_strays(rule->match, &record->seen));
		size_t cost = compared ? cost_of(record, rule) : 1;
		struct rt_miss miss;

		*patience -= cost < *patience ? cost : *patience;
		if (!compared)
			continue;
		/* asks no predicate */
		miss = rt_match_explain(rule->match, &record->seen, "", NULL);
		if (is_nearer(&nearest, miss) &&
			(is_mistake(rule) ||
				seems_meant(judgement, record, miss)))
			nearest = (struct rt_nearest){record, miss};
	}
	return nearest;
}

/* "rule 2 (GET /a)" */
static void
describe_rule(struct rt_judgement *judgement, size_t number)
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
tell_unused(struct rt_judgement *judgement, size_t number,
	const struct rt_record *lost)
{
	const struct rt_match *match;
	bool fits = lost != NULL &&
		rt_match_fits(get_rule(judgement, number)->match, &lost->seen);
	size_t by = fits ? rt_verdict_rule_of(judgement, lost) : 0;
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
		rt_verdict_add_fitting(judgement, lost);
	if (fits || lost == NULL)
		return;
	rt_buf_init(&whose, MAX_NAME);
	rt_route_say(judgement->route, number, &whose);
	if (rt_buf_text(&whose) != NULL)
		rt_verdict_add_missing(judgement, lost, match, whose.data);
	rt_buf_free(&whose);
}

/* Whether an expectation has told the same miss: of the same conditions, that
   is. */
static bool
is_told(const struct rt_judgement *judgement, struct rt_nearest lost)
{
	for (size_t i = 0; i < judgement->told_count; i++)
		if (judgement->told[i].record == lost.record &&
			rt_miss_same(judgement->told[i].miss, lost.miss))
			return true;
	return false;
}

/* Suspects are told where something is wrong: they may be why. Those of a
   scenario only if a request seems to have been meant for them. */
void
rt_verdict_judge_rules(struct rt_judgement *judgement)
{
	const struct rt_route *route = judgement->route;
	bool wrong = judgement->text->len > 0;
	size_t count = route != NULL ? route->rule_count : 0;
	size_t patience = MOST_COMPARED;

	for (size_t i = 1; i <= count; i++)
		wrong |= is_mistake(get_rule(judgement, i));
	for (size_t i = 1; wrong && i <= count && i <= route->rule_count; i++) {
		const struct rt_rule *rule = get_rule(judgement, i);
		struct rt_nearest lost;

		if (rule->used > 0)
			continue;
		lost = find_lost(judgement, rule, &patience);
		if (lost.record != NULL && is_told(judgement, lost))
			lost.record = NULL;
		if (lost.record != NULL || rule->origin == NULL)
			tell_unused(judgement, i, lost.record);
	}
}
