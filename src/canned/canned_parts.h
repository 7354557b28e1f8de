/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room canned; nobody else sees it. */
#ifndef RT_CANNED_PARTS_H
#define RT_CANNED_PARTS_H

#include "canned/canned.h"
#include "os/file.h"

/* The texts of a reply with `fill`, as they were read. */
struct rt_fills {
	struct rt_fill fields;
	struct rt_fill file;
	struct rt_fill body;
	size_t root_size; /* bytes of `file` that name the folder which no
	                     request can leave */
};

/* Most bytes that are filled in: body, fields and file name together. */
#define RT_MAX_FILLED (4u << 20)

/* A reply, filled in. */
struct rt_filled {
	struct retort_reply as;
	const char *type;
	const char *body;
	size_t body_size;
	struct rt_blob *blob; /* its own: all others borrow from it */
};

/* Whether it has a body of a byte or more, or may have. */
static inline bool
has_body(const struct retort_reply *reply)
{
	return rt_body_size(reply->body, reply->body_size) > 0 ||
		reply->file != NULL || reply->echo || reply->open;
}

/* Whether a reply of a user can be sent, with these faults (NULL: none). 0, or
   -EINVAL with `error`. */
int rt_canned_check(const struct retort_reply *reply,
	const struct rt_faults *faults, enum retort_protocol protocol,
	struct rt_error *error);

/* Reads the texts of a canned reply. 0 or -errno with `error`. */
int rt_canned_read_fills(struct rt_canned *canned,
	enum retort_protocol protocol, struct rt_error *error);
void rt_canned_free_fills(struct rt_canned *canned);

/* Whether the name of its file depends on the request. */
static inline bool
rt_canned_names_file(const struct rt_canned *canned)
{
	return canned->fills != NULL && canned->fills->file.any;
}

/* Fills in the texts for a request. 0, or -EMSGSIZE: the reply is too large, or
   there is no memory. */
int rt_canned_fill(const struct rt_canned *canned,
	const struct rt_filling *filling, struct rt_filled *filled);

/* Opens the file of that name, beneath its root and without names that begin
   with a dot. 0 or -errno. */
int rt_canned_open(const struct rt_canned *canned, const char *name,
	struct rt_file *file);

#endif
