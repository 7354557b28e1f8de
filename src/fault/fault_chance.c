/* SPDX-License-Identifier: MIT */
/*
 * Faults by chance: which of them a connection gets, and the numbers that were
 * left open. A pure function of the text, a seed and the connection's number.
 * Called by the room route.
 */
#include "config.h"

#include "fault/fault_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A way to draw. */
struct draw {
	bool sample;
	size_t n; /* of samples */
	uint64_t seed;
	uint64_t connection;
};

/* The n-th number for a connection. Each bit of the arguments changes all of
   it. */
static uint64_t
mix(uint64_t seed, uint64_t connection, uint64_t n)
{
	uint64_t mixed = seed * 0x9e3779b97f4a7c15 + connection;

	mixed = mixed * 0xd1b54a32d192ed03 + n;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return mixed ^ mixed >> 31;
}

uint64_t
rt_faults_make_seed(uint64_t from)
{
	return mix(from, 0, 0) % 999999999 + 1;
}

static bool
is_taken(const struct draw *draw, const struct rt_clause *clause)
{
	uint64_t roll;

	if (draw->sample)
		return clause->choice == draw->n ||
			(clause->last && clause->choice < draw->n);
	roll = mix(draw->seed, draw->connection, 2 * clause->roll);
	roll %= RT_FAULT_ALWAYS;
	return roll >= clause->from && roll < clause->from + clause->share;
}

/* Whether a clause means something beside those that are taken: what is drawn
   is text that can be given again, and a gap alone would be an error. */
static bool
is_any_use(const struct rt_faults *faults, const struct draw *draw,
	const struct rt_clause *clause)
{
	for (size_t i = 0; i < faults->count; i++)
		if (is_taken(draw, faults->clauses + i) &&
			rt_clause_is_for(clause, faults->clauses + i))
			return true;
	return false;
}

/* Draws the numbers of the n-th clause. */
static void
draw_numbers(const struct draw *draw, size_t n, struct rt_clause *clause)
{
	uint64_t drawn = draw->sample ?
		0 :
		mix(draw->seed, draw->connection, 2 * (uint64_t)n + 1);

	if (clause->base == RT_FAULT_ANYWHERE) {
		clause->base = RT_FAULT_PERCENT;
		clause->at = drawn % 100;
	}
	clause->time += drawn / 100 % (clause->spare + 1) * (uint64_t)RT_MS;
}

/* Adds the text of the clause, with numbers in its holes: a time comes
   first. */
static void
add_text(const char *text, size_t from, const struct rt_clause *clause,
	struct rt_buf *to)
{
	if (clause->between.end > 0) {
		rt_buf_add(to, text + from, clause->between.begin - from);
		rt_buf_add_number(to, clause->time / (uint64_t)RT_MS);
		from = clause->between.end;
	}
	if (clause->any.end > 0) {
		rt_buf_add(to, text + from, clause->any.begin - from);
		rt_buf_add_number(to, clause->at);
		rt_buf_add(to, "%", 1);
		from = clause->any.end;
	}
	rt_buf_add(to, text + from, clause->end - from);
}

/* Adds the text of the next clause that is drawn; `before` is the one before
   it, as it was written, or NULL. */
static void
add_clause(struct rt_faults *drawn, const char *text,
	const struct rt_clause *clause, const struct rt_clause *before,
	struct rt_buf *to)
{
	struct rt_clause *ours = drawn->clauses + drawn->count;
	/* several positions of one */
	bool goes_on = before != NULL && before->begin == clause->begin;

	if (to->len > 0 && !goes_on)
		rt_buf_add_text(to, "; ");
	ours->begin = goes_on ? ours[-1].begin : to->len;
	add_text(text, goes_on ? clause->own : clause->begin, ours, to);
	ours->end = to->len;
	drawn->count++;
}

static struct rt_faults *
draw_all(const struct rt_faults *faults, const struct draw *draw)
{
	struct rt_faults *drawn = calloc(1, sizeof *drawn);
	const struct rt_clause *before = NULL;
	struct rt_buf text;

	rt_buf_init(&text, RT_MAX_TEXT);
	if (drawn == NULL)
		return NULL;
	drawn->drawn = true;
	drawn->reading = faults->reading;
	drawn->reads = faults->reads;
	drawn->clauses = calloc(faults->count + 1, sizeof *drawn->clauses);
	for (size_t i = 0; drawn->clauses && i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;

		if (!is_taken(draw, clause) ||
			!is_any_use(faults, draw, clause))
			continue;
		drawn->clauses[drawn->count] = *clause;
		draw_numbers(draw, i, drawn->clauses + drawn->count);
		add_clause(drawn, faults->text, clause, before, &text);
		before = clause;
	}
	rt_buf_add(&text, "", 1);
	drawn->text = text.data;
	if (drawn->clauses == NULL || text.failed) {
		rt_faults_free(drawn);
		return NULL;
	}
	return drawn;
}

struct rt_faults *
rt_faults_draw(const struct rt_faults *faults, uint64_t seed,
	uint64_t connection)
{
	return draw_all(faults,
		&(struct draw){.seed = seed, .connection = connection});
}

struct rt_faults *
rt_faults_sample(const struct rt_faults *faults, size_t n)
{
	size_t choices = 1;

	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].choice >= choices)
			choices = faults->clauses[i].choice + 1;
	errno = 0;
	if (n >= choices)
		return NULL;
	errno = ENOMEM;
	return draw_all(faults, &(struct draw){.sample = true, .n = n});
}
