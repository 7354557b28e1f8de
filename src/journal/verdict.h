/* SPDX-License-Identifier: MIT */
/* Expectations, and whether they were met. */
#ifndef RT_VERDICT_H
#define RT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "journal/journal.h"
#include "match/match.h"
#include "retort.h"
#include "route/route.h"

/* Requests that fit, a number of them; or one after another. */
struct rt_expectation {
	char *origin; /* where it was given: "FILE:LINE"; NULL */
	struct rt_match **matches;
	size_t count; /* of matches: one, or more that arrive in this order */
	size_t least; /* of one */
	size_t most;
	bool counts; /* the connections on which they arrive, too */
	size_t least_of_them;
	size_t most_of_them;
};

struct rt_verdict {
	struct rt_expectation *expectations;
	size_t count;
	size_t room;
	struct rt_buf mistakes; /* lines: rules and the like that are wrong */
	struct rt_buf text;
};

void rt_verdict_init(struct rt_verdict *verdict);
void rt_verdict_free(struct rt_verdict *verdict);

/* Forgets expectations and mistakes, or expectations after the first. */
void rt_verdict_clear(struct rt_verdict *verdict);
void rt_verdict_clear_after(struct rt_verdict *verdict, size_t count);

/* Adds an expectation: its number, or -errno with a line in `error`. */
int rt_verdict_expect(struct rt_verdict *verdict, size_t least, size_t most,
	const struct retort_requests *when, enum retort_protocol protocol,
	char *error);
int rt_verdict_expect_order(struct rt_verdict *verdict,
	const char *const *requests, enum retort_protocol protocol,
	char *error);

/* The expectations after the first `count` replace those before them that were
   given in that file. */
void rt_verdict_replace(struct rt_verdict *verdict, size_t count,
	const char *file);

/* Notes where expectation `number` was given, for messages. 0 or -ENOMEM. */
int rt_verdict_name(struct rt_verdict *verdict, int number, const char *origin);

/* Adds a mistake: `what` cannot be, as `error` says. */
void rt_verdict_blame(struct rt_verdict *verdict, const char *what,
	const char *error);

/*
 * "" if everything is as expected, including rules (`route` may be NULL); or a
 * text that says what is not. Valid until the next call of this room.
 */
const char *rt_verdict_text(struct rt_verdict *verdict,
	const struct rt_journal *journal, const struct rt_route *route);

#endif
