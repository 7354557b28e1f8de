/* SPDX-License-Identifier: MIT */
/* A reply as a user gave it, copied: what it says, and how. */
#ifndef RT_CANNED_H
#define RT_CANNED_H

#include <stdbool.h>
#include <stddef.h>

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "canned/fill.h"
#include "fault/fault.h"
#include "http/http.h"
#include "reply/reply.h"
#include "retort.h"

struct rt_canned {
	struct retort_reply as;   /* its strings are the canned reply's own; its
	                             body is that below */
	struct rt_blob *body;     /* NULL: none */
	size_t period;            /* bytes that were given, before repetition */
	struct rt_faults *faults; /* NULL: none */
	struct rt_fills *fills;   /* parts of the request in it; NULL: none */
	int status;
	const char *type;      /* Content-Type: as.type, or by the body; NULL */
	size_t head_at;        /* of a raw reply: where its head begins */
	size_t head_size;      /* and ends; both 0: it has no head */
	struct rt_ready ready; /* of its replies, if they are the same */
};

/* Checks and copies a reply. NULL with `error` and errno: EINVAL, the reply is
   wrong; ENOMEM. */
struct rt_canned *rt_canned_new(const struct retort_reply *reply,
	enum retort_protocol protocol, struct rt_error *error);
void rt_canned_free(struct rt_canned *canned);

/* The reply as it was given, to make another one of it; borrows from this. */
struct retort_reply rt_canned_given(const struct rt_canned *canned);

/*
 * Puts copies in the place of all strings, which are somebody else's. False:
 * there was not the memory for all; the rest is NULL.
 */
bool rt_canned_copy_strings(struct retort_reply *as);
void rt_canned_free_strings(struct retort_reply *as);

/* Kinds of members of a reply. */
enum {
	RT_OF_HEAD = 1,    /* they make a head, or its framing */
	RT_NOT_SILENT = 2, /* they do not go with `silent`, */
	RT_NOT_FILES = 4   /* nor with `files` */
};

/* The name of a member of these kinds that is given; NULL: none is. */
const char *rt_canned_member(const struct retort_reply *reply, unsigned kinds);

/* The greatest number in braces that stands for an asterisk; 0: none. */
size_t rt_canned_stars(const struct rt_canned *canned);

/* The occasion for a reply. */
struct rt_occasion {
	enum retort_protocol protocol; /* of the reply */
	const struct rt_request *request;
	struct rt_word came; /* the request as it arrived, which must outlive a
	                        reply that echoes it */
	const char *date;
	const struct rt_filling *filling; /* NULL: there are no `fills` */
};

/*
 * Answers a whole request. 0, or -errno: the file cannot be read, or what is
 * filled in is too large (-EMSGSIZE), and the reply is 500, or without HTTP
 * nothing. Where the request names the file, one that is not there is a 404,
 * and no error.
 */
int rt_canned_answer(struct rt_canned *canned,
	const struct rt_occasion *occasion, struct rt_reply *reply);

/* Whether a pair of body and size in retort.h is a body, even an empty one. */
static inline bool
rt_has_body(const void *body, size_t size)
{
	return body != NULL || size == SIZE_MAX;
}

/* The size of that body, in bytes. */
static inline size_t
rt_body_size(const void *body, size_t size)
{
	if (size == 0 && body != NULL)
		return strlen(body);
	return size == SIZE_MAX ? 0 : size;
}

#endif
