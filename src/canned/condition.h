/* SPDX-License-Identifier: MIT */
/*
 * The conditions on requests, which are members of retort.h: of struct
 * retort_reply, for a rule, and of struct retort_requests. One table of them,
 * for all who copy, compare, refuse or read them.
 */
#ifndef RT_CONDITION_H
#define RT_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

/* The kinds of members. */
enum rt_member {
	RT_MEMBER_LINES,  /* a text of lines */
	RT_MEMBER_LINE,   /* of one line */
	RT_MEMBER_TEXT,   /* a text */
	RT_MEMBER_BYTES,  /* bytes, of which the next member is the size */
	RT_MEMBER_FLAG,   /* a bool */
	RT_MEMBER_STATUS, /* an int, or RETORT_ANY */
	RT_MEMBER_RANGE,  /* a text: "2", "2+" or "2-3" */
	RT_MEMBER_CODE    /* for programs only: a function, a size */
};

/* Further properties of a condition. */
enum {
	RT_CONDITION_HTTP = 1,   /* only a request of HTTP can meet it */
	RT_CONDITION_BODY = 2,   /* it needs the body */
	RT_CONDITION_BARE = 4,   /* an accepted connection can meet it */
	RT_CONDITION_CASE = 8,   /* if_nocase applies to it */
	RT_CONDITION_WIDER = 16, /* more requests fit with it, not fewer */
	RT_CONDITION_APART = 32, /* a rule without it is for other requests */
	RT_CONDITION_TLS = 64    /* only a connection with TLS can meet it */
};

struct rt_condition {
	const char *name;
	size_t in_reply; /* its place in struct retort_reply, */
	size_t in_requests;
	size_t size; /* and its size */
	enum rt_member kind;
	unsigned flags;
	const char *directive; /* in a scenario; NULL: none of its own */
	const char *expected;  /* after that; NULL: nothing, or any bytes */
};

/* How many there are, all given in `rt_conditions`. */
#define RT_CONDITIONS 34

extern const struct rt_condition rt_conditions[RT_CONDITIONS];

/* The member of a rule. */
static inline void *
rt_condition_of(struct retort_reply *rule, size_t i)
{
	return (char *)rule + rt_conditions[i].in_reply;
}

static inline const void *
rt_condition_in(const struct retort_reply *rule, size_t i)
{
	return (const char *)rule + rt_conditions[i].in_reply;
}

/* Whether a member of this size is set: NULL, 0 and false have no bits. */
bool rt_member_given(const void *member, size_t size);

/* The text of one of RT_MEMBER_LINES, _LINE, _TEXT or _RANGE; NULL: not
   given. */
const char *rt_condition_text(const struct retort_reply *rule, size_t i);
void rt_condition_set_text(struct retort_reply *rule, size_t i,
	const char *text);

/* Whether a rule has the condition. */
bool rt_condition_given(const struct retort_reply *rule, size_t i);

/* The conditions of a rule. */
struct retort_requests rt_conditions_of(const struct retort_reply *rule);

/* The first condition of a rule that has none of these flags; NULL: there is
   none. */
const struct rt_condition *rt_condition_without(const struct retort_reply *rule,
	unsigned flags);

/* The first that has one of these flags; NULL: there is none. */
const struct rt_condition *rt_condition_with(const struct retort_reply *rule,
	unsigned flags);

/* The same of requests. */
const struct rt_condition *
rt_requests_with(const struct retort_requests *requests, unsigned flags);

/* The protocol of requests that can meet the conditions; `otherwise`, the
   server's, if they do not say. */
enum retort_protocol
rt_conditions_protocol(const struct retort_requests *requests,
	enum retort_protocol otherwise);

/* The name of what meets conditions there: "request", "piece" or "datagram". */
const char *rt_conditions_noun(enum retort_protocol protocol);

/* Leaves a rule without conditions. */
void rt_conditions_clear(struct retort_reply *rule);

/* Gives a rule the conditions of another. */
void rt_conditions_copy(struct retort_reply *to,
	const struct retort_reply *from);

/* A hash: the same for the same conditions, and another one for others. */
uint64_t rt_conditions_hash(const struct retort_reply *rule);

/* Whether all requests that fit `b` fit `a`, as far as can be seen: `a` has no
   condition that `b` has not. */
bool rt_conditions_cover(const struct retort_reply *a,
	const struct retort_reply *b);

#endif
