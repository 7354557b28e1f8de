/* SPDX-License-Identifier: MIT */
/* What the files of the room site share: the answer in the making. */
#ifndef RT_SITE_PARTS_H
#define RT_SITE_PARTS_H

#include "site/site.h"

/* Of what is on no disk, files up to this size are read first. */
#define SMALL_FILE (64u << 10)

/* For what may be another thing the next time. */
#define UNCACHED "no-cache"

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
		rt_draft_field(&answer->draft, "Allow", RT_SITE_ALLOW);
	rt_draft_body_reason(&answer->draft, reason);
}

/* --- site_file.c --- */

/* Takes the file's descriptor; `path` is its path beneath the root. */
void rt_site_answer_file(struct answer *answer, const struct rt_file *file,
	struct rt_buf *path);

/* The same for what the request's path has led to, which may be kept. */
void rt_site_answer_found(struct answer *answer, struct rt_file *file,
	struct rt_buf *path);

/* With the file that an earlier request with this path has led to. False: none
   is kept, or there is something else to look at. */
bool rt_site_answer_stored(struct answer *answer);

#endif
