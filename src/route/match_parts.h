/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room match; nobody else sees it. */
#ifndef RT_MATCH_PARTS_H
#define RT_MATCH_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "route/match.h"

/*
 * A text that is looked for in one pass, whatever it is and whatever it is
 * looked for in. Its codes are bytes, or what the bytes of a path mean.
 */
struct rt_needle {
	uint16_t *codes;
	uint32_t *back; /* the longest end of the first n codes that is a
	                   beginning of them, too, and shorter */
	size_t size;
	bool nocase; /* ASCII letters are compared without case */
};

/* `codes` are copied. 0 or -ENOMEM. */
int rt_needle_set(struct rt_needle *needle, const uint16_t *codes, size_t size);
int rt_needle_set_bytes(struct rt_needle *needle, const char *bytes,
	size_t size, bool nocase);
void rt_needle_free(struct rt_needle *needle);

/* How many codes of it end with `code`, after `so_far` came before. */
static inline size_t
rt_needle_step(const struct rt_needle *needle, size_t so_far, unsigned code)
{
	while (so_far > 0 && needle->codes[so_far] != code)
		so_far = needle->back[so_far];
	return so_far + (needle->codes[so_far] == code);
}

/* Whether it stands somewhere in the bytes. */
bool rt_needle_in(const struct rt_needle *needle, const char *bytes,
	size_t size);

/* The path of a rule: the parts between its asterisks. */
struct rt_path {
	char *text; /* as it was given; NULL: any */
	struct rt_needle *parts;
	size_t count; /* 1: there is no asterisk */
};

/* 0 or -ENOMEM. */
int rt_path_set(struct rt_path *path, const char *text, size_t size);
void rt_path_free(struct rt_path *path);

/* Whether the path of a target is this one, in which an asterisk is any
   bytes. */
bool rt_path_fits(const struct rt_path *path, const char *target);

/* Bytes of the rule's path that the target's has, too. */
size_t rt_path_common(const struct rt_path *path, const char *target);

/* The first parameter of `wanted` that the query (NULL: none) has not, and its
   size; NULL: it has all. */
const char *rt_query_missing(const char *wanted, const char *query,
	size_t *size);

#endif
