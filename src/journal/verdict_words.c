/* SPDX-License-Identifier: MIT */
/* What a verdict says of a request. */
#include "config.h"

#include "journal/verdict_parts.h"

void
rt_verdict_show(struct rt_judgement *judgement, const struct rt_record *record)
{
	for (size_t i = 0; i < judgement->shown_count; i++)
		if (judgement->shown[i]->seen.connection ==
			record->seen.connection)
			return;
	if (judgement->shown_count < RT_VERDICT_SHOWN)
		judgement->shown[judgement->shown_count++] = record;
}

/* Which exchange of a kept connection, but for the first. */
void
rt_verdict_add_nth(struct rt_buf *to, const struct rt_record *record)
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
	rt_verdict_add_nth(to, record);
	if (record->seen.by_chance)
		rt_buf_add_format(to, ", seed %llu",
			(unsigned long long)record->seen.seed);
	rt_buf_add_text(to, ")");
}

/* The number of the rule that answered it; 0: none did, or it was forgotten. */
size_t
rt_verdict_rule_of(const struct rt_judgement *judgement,
	const struct rt_record *record)
{
	const struct rt_route *route = judgement->route;

	return route != NULL && record->rule_id > 0 ?
		rt_route_number(route, record->rule_id) :
		0;
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

/* ", answered 200 by rule 2" */
static void
add_outcome(struct rt_judgement *judgement, const struct rt_record *record)
{
	const struct retort_exchange *seen = &record->seen;
	size_t rule = rt_verdict_rule_of(judgement, record);
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
void
rt_verdict_add_fitting(struct rt_judgement *judgement,
	const struct rt_record *record)
{
	struct rt_buf *text = judgement->text;

	rt_buf_add_text(text, "  got: ");
	rt_match_name(&record->seen, text);
	add_outcome(judgement, record);
	if (record->faults != NULL)
		rt_buf_add_format(text, " [%s]", record->faults);
	add_connection(text, record);
	rt_buf_add(text, "\n", 1);
	rt_verdict_show(judgement, record);
}

/* One that does not fit, and what differs. Of one that nothing answered another
   line says so. */
void
rt_verdict_add_missing(struct rt_judgement *judgement,
	const struct rt_record *record, const struct rt_match *match,
	const char *whose)
{
	struct rt_buf *text = judgement->text;

	rt_buf_add_text(text, "  nearest: ");
	rt_match_name(&record->seen, text);
	if (rt_verdict_rule_of(judgement, record) != 0 && was_answered(record))
		add_outcome(judgement, record);
	add_connection(text, record);
	rt_buf_add_text(text, ": ");
	(void)rt_match_explain(match, &record->seen, whose, text);
	rt_buf_add(text, "\n", 1);
	rt_verdict_show(judgement, record);
}
