/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room match; nobody else sees it. */
#ifndef RT_MATCH_PARTS_H
#define RT_MATCH_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
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
   bytes: those of the target that each stands for, as they came, go to `stars`
   unless that is NULL. */
bool rt_path_fits(const struct rt_path *path, const char *target,
	struct rt_word *stars);

/* Bytes of the rule's path that the target's has, too. */
size_t rt_path_common(const struct rt_path *path, const char *target);

/* The first parameter of `wanted` that the query (NULL: none) has not, and its
   size; NULL: it has all. */
const char *rt_query_missing(const char *wanted, const char *query,
	size_t *size);

/* --- conditions --- */

struct rt_match {
	char *method; /* NULL: any */
	struct rt_path path;
	char *query; /* NULL: any */
	char *fields;
	char *contains;
	struct rt_needle *contained; /* the value of each line of these */
	size_t contained_count;
	char *absent;
	char *body;
	size_t body_size;
	char *body_has;
	struct rt_needle had; /* the same */
	char *body_begins;
	char *in;
	bool nocase;
	retort_predicate *predicate;
	void *predicate_arg;
};

/* Everything about one condition: a row of the table in match.c. */
struct rt_matcher {
	size_t given;    /* the member that is not NULL when it is given */
	unsigned weight; /* when it is met; people look at the greater first */
	/* 0 or -errno, with a line in `error`; NULL: another row reads it */
	int (*read)(struct rt_match *match, const struct retort_requests *when,
		char *error);
	void (*free)(struct rt_match *match);
	bool (*fits)(const struct rt_match *match,
		const struct retort_exchange *seen);
	/* how near it is when it is not met, worth less; NULL: not at all */
	unsigned (*near)(const struct rt_match *match,
		const struct retort_exchange *seen);
	/* what differs, where `whose` is "rule 2" */
	void (*say)(const struct rt_match *match,
		const struct retort_exchange *seen, const char *whose,
		struct rt_buf *to);
	/* the condition itself */
	void (*describe)(const struct rt_match *match, struct rt_buf *to);
};

extern const struct rt_matcher rt_match_method, rt_match_path, rt_match_query;
extern const struct rt_matcher rt_match_field, rt_match_contains,
	rt_match_absent;
extern const struct rt_matcher rt_match_body, rt_match_body_has,
	rt_match_body_begins;
extern const struct rt_matcher rt_match_in;

/* Copies a text, which may be NULL. 0 or -ENOMEM. */
int rt_match_copy(char **to, const char *text);
int rt_match_copy_bytes(char **to, const char *bytes, size_t size);

/* Bytes of the rule's path that the request's has, too. */
size_t rt_match_common(const struct rt_match *match,
	const struct retort_exchange *seen);

/* Whether they are the same, as the match has it. */
bool rt_match_same(const struct rt_match *match, const char *a, size_t a_size,
	const char *b, size_t b_size);

/* The request line in words: "POST /users", or "any request". */
void rt_match_describe_request(const struct rt_match *match, struct rt_buf *to);

/* Bytes of what differs that are shown. */
#define RT_MATCH_SHOWN 200

static inline void
rt_match_add_quoted(struct rt_buf *to, const void *bytes, size_t size)
{
	rt_text_quote(to, bytes, size, RT_MATCH_SHOWN);
}

#endif
