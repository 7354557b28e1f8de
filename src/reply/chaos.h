/* SPDX-License-Identifier: MIT */
/*
 * Faults by chance: which fault a connection gets is a pure function of a seed
 * and its number; or what an earlier log says of its request.
 */
#ifndef RT_CHAOS_H
#define RT_CHAOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "retort.h"

struct rt_chaos;

/*
 * "rst:5%,cut:5%,503:10%,delay:20ms". NULL with a line in `error` and errno:
 * EINVAL, ENOMEM.
 */
struct rt_chaos *rt_chaos_new(const char *text, uint64_t seed, char *error);

/* The faults in brackets at the end of the lines of a log. */
struct rt_chaos *rt_chaos_replay(const char *log, size_t size, char *error);

/* A seed that is short enough to be typed: of different numbers most are
   different. */
uint64_t rt_chaos_make_seed(uint64_t from);

void rt_chaos_free(struct rt_chaos *chaos);

/* Whether a connection may be reset. */
bool rt_chaos_resets(const struct rt_chaos *chaos);

/* By which seed it draws; false: it does not, but replays. */
bool rt_chaos_seed(const struct rt_chaos *chaos, uint64_t *seed);

/* Adds the clauses for this exchange, or nothing. What is replayed is used up
   by it. */
void rt_chaos_pick(struct rt_chaos *chaos, const struct retort_exchange *seen,
	uint64_t connection, struct rt_buf *to);

#endif
