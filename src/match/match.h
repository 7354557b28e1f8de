/* SPDX-License-Identifier: MIT */
/* Which requests: the conditions of rules, waits and expectations. */
#ifndef RT_MATCH_H
#define RT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "retort.h"

struct rt_match;

/* A copy of the conditions. NULL with a line in `error` (RETORT_ERROR_SIZE
   bytes) and errno: EINVAL, malformed; ENOMEM. */
struct rt_match *rt_match_new(const struct retort_requests *when,
	enum retort_protocol protocol, char *error);
void rt_match_free(struct rt_match *match);

/* Whether the request fits. */
bool rt_match_fits(const struct rt_match *match,
	const struct retort_exchange *seen);

/*
 * How many asterisks the path of the conditions has, and the bytes that each
 * of them stands for in a request that fits, as they arrived. `stars` has room
 * for that many.
 */
size_t rt_match_stars(const struct rt_match *match);
void rt_match_star(const struct rt_match *match,
	const struct retort_exchange *seen, struct rt_word *stars);

/* How near a request came that does not fit. */
struct rt_miss {
	unsigned score; /* greater is nearer */
	unsigned met;   /* among equals: conditions that were given and met; */
	size_t common;  /* and first bytes of path and body that are alike */
};

static inline bool
rt_miss_same(struct rt_miss a, struct rt_miss b)
{
	return a.score == b.score && a.met == b.met && a.common == b.common;
}

static inline bool
rt_miss_is_nearer(struct rt_miss a, struct rt_miss b)
{
	if (a.score != b.score)
		return a.score > b.score;
	return a.met != b.met ? a.met > b.met : a.common > b.common;
}

/*
 * Measures the miss and says, in words added to `why` (NULL: no words), what
 * differs: `path differs from rule 2 "/users" at byte 5`, where `whose` is
 * "rule 2".
 */
struct rt_miss rt_match_explain(const struct rt_match *match,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *why);

/* Whether its protocol, method or path differs. */
bool rt_match_strays(const struct rt_match *match,
	const struct retort_exchange *seen);

/* Whether it takes longer to compare with a larger body. */
bool rt_match_reads_body(const struct rt_match *match);

/* How many conditions were given. */
size_t rt_match_conditions(const struct rt_match *match);

/* A request in words: `GET /users`, or of a plain socket its bytes, quoted. */
void rt_match_name(const struct retort_exchange *seen, struct rt_buf *to);

/* What is meant to meet the conditions: "request", "piece" or "datagram". */
const char *rt_match_noun(const struct rt_match *match);

/* The conditions as one line: `POST /users, field "Accept: a/b"`. */
void rt_match_describe(const struct rt_match *match, struct rt_buf *to);

#endif
