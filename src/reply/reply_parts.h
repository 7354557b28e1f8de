/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room reply; nobody else sees it. */
#ifndef RT_REPLY_PARTS_H
#define RT_REPLY_PARTS_H

#include "base/clock.h"
#include "reply/reply.h"

/* A pause of this many ms, if any. */
static inline void
add_pause(struct rt_reply *reply, int ms)
{
	if (ms > 0)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_PAUSE,
				.at = (uint64_t)(ms * RT_MS)});
}

/* The text from `at` on becomes the next step. */
static inline void
step_text(struct rt_reply *reply, size_t at)
{
	if (reply->text.len > at)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_TEXT,
				.at = at,
				.size = reply->text.len - at});
}

static inline enum retort_next
next_of(const struct rt_draft *draft)
{
	return draft->own != NULL ? draft->own->next : RETORT_NEXT_DEFAULT;
}

/* Whether something is to follow, whatever the head says. */
static inline bool
goes_on(const struct rt_draft *draft)
{
	return next_of(draft) >= RETORT_NEXT_KEEP;
}

/* Whether what follows may be another protocol, so that nothing is said of the
   connection in words of this one. */
static inline bool
becomes(const struct rt_draft *draft)
{
	return next_of(draft) > RETORT_NEXT_KEEP;
}

/* Each line, as it is, with an end of its own. */
void rt_reply_add_lines(struct rt_buf *text, const char *lines);

/* Ends the head with what says where a body of this many bytes ends;
   draft->in_chunks says then whether it comes in chunks. */
void rt_draft_end_head(struct rt_draft *draft, uint64_t size);

/* The same of a head without a body. */
void rt_draft_end_bare_head(struct rt_draft *draft);

#endif
