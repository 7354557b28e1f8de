/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room site: the answer in the making. */
#ifndef RT_SITE_PARTS_H
#define RT_SITE_PARTS_H

#include "site/site.h"

/* Files that are on no disk, up to this size, are read before the head is
   made. */
#define SMALL_FILE (64u << 10)

/* Cache-Control of what may be something else the next time. */
#define UNCACHED "no-cache"

/* Methods that files answer. */
#define ALLOW "GET, HEAD, OPTIONS"

/* An answer in the making. */
struct answer {
	struct rt_site *site;
	const struct rt_request *request;
	const char *base;
	const char *date;
	int64_t now;      /* seconds */
	const char *vary; /* NULL: the reply does not */
	struct rt_draft draft;
	bool whole; /* ranges are ignored */
};

/* Whether a file may have compressed variants next to it. */
static inline bool
has_variants(const struct rt_site *site)
{
	return site->precompressed && site->root.name == NULL;
}

static inline void
begin(struct answer *answer, int status)
{
	rt_draft_begin(&answer->draft, status, answer->date);
	if (answer->vary != NULL)
		rt_draft_field(&answer->draft, "Vary", answer->vary);
}

static inline void
answer_error(struct answer *answer, int status, const char *reason)
{
	begin(answer, status);
	if (status == 405)
		rt_draft_field(&answer->draft, "Allow", ALLOW);
	rt_draft_body_reason(&answer->draft, reason);
}

/* --- site_file.c --- */

/* Answers with a file, whose descriptor it takes; `path`: beneath the root. */
void rt_site_answer_file(struct answer *answer, const struct rt_file *file,
	struct rt_buf *path);

/* The same for the file that the request's path leads to: it may be kept. */
void rt_site_answer_found(struct answer *answer, struct rt_file *file,
	struct rt_buf *path);

/* Answers with the file that is kept for this path. False: none is, or the
   answer depends on more than the path. */
bool rt_site_answer_stored(struct answer *answer);

#endif
