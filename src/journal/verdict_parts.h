/* SPDX-License-Identifier: MIT */
/* Shared by the files of verdict: verdict_judge.c judges expectations and all of
   it, verdict_rules.c rules, and verdict_words.c has what both say. */
#ifndef RT_VERDICT_PARTS_H
#define RT_VERDICT_PARTS_H

#include "journal/verdict.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "match/match.h"
#include "route/route.h"

/* Transcripts that one verdict shows. */
#define RT_VERDICT_SHOWN 16

/* The record that came nearest, as far as they were looked at; NULL: none. */
struct rt_nearest {
	const struct rt_record *record;
	struct rt_miss miss;
};

/* A verdict under way. */
struct rt_judgement {
	struct rt_buf *text;
	const struct rt_journal *journal;
	const struct rt_route *route;             /* NULL: there are no rules */
	struct rt_nearest told[RT_VERDICT_SHOWN]; /* misses of expectations */
	size_t told_count;
	const struct rt_record
		*shown[RT_VERDICT_SHOWN]; /* their transcripts will be */
	size_t shown_count;
};

/* Whether it came nearer than those that were looked at. */
static inline bool
is_nearer(const struct rt_nearest *nearest, struct rt_miss miss)
{
	return nearest->record == NULL ||
		rt_miss_is_nearer(miss, nearest->miss);
}

/* The rule of a number from 1. It is valid until a predicate is asked, which may
   add others, and move these. */
static inline const struct rt_rule *
get_rule(const struct rt_judgement *judgement, size_t number)
{
	return judgement->route->rules + number - 1;
}

static inline bool
was_answered(const struct rt_record *record)
{
	return record->answered && record->why == NULL;
}

/* The transcript of its connection is to be shown. */
void rt_verdict_show(struct rt_judgement *judgement,
	const struct rt_record *record);

/* ", exchange 2": which one of a kept connection, but for the first. */
void rt_verdict_add_nth(struct rt_buf *to, const struct rt_record *record);

/* The number of the rule that answered it; 0: none did, or it was forgotten. */
size_t rt_verdict_rule_of(const struct rt_judgement *judgement,
	const struct rt_record *record);

/* Adds the line of a request that fits, and shows it. */
void rt_verdict_add_fitting(struct rt_judgement *judgement,
	const struct rt_record *record);

/* Adds the line of one that does not fit the conditions of `whose`, with what
   differs, and shows it. */
void rt_verdict_add_missing(struct rt_judgement *judgement,
	const struct rt_record *record, const struct rt_match *match,
	const char *whose);

/* Adds the rules that were never used, where that is a mistake, or may be why
   something else is wrong. After all that can be wrong otherwise. */
void rt_verdict_judge_rules(struct rt_judgement *judgement);

#endif
