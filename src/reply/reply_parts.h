/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room reply; nobody else sees it. */
#ifndef RT_REPLY_PARTS_H
#define RT_REPLY_PARTS_H

#include "base/clock.h"
#include "reply/reply.h"

/* Adds a pause of this number of ms, unless that is 0. */
static inline void
add_pause(struct rt_reply *reply, int ms)
{
	if (ms > 0)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_PAUSE,
				.at = (uint64_t)(ms * RT_MS)});
}

/* Makes a step of the text from `at` on, unless that is empty. */
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

/* Whether the connection is to be kept, whatever the head says. */
static inline bool
goes_on(const struct rt_draft *draft)
{
	return next_of(draft) >= RETORT_NEXT_KEEP;
}

/* Whether another protocol may follow, so that the head says nothing of the
   connection. */
static inline bool
becomes(const struct rt_draft *draft)
{
	return next_of(draft) > RETORT_NEXT_KEEP;
}

/* Adds each line as it is, with CR LF after it. */
void rt_reply_add_lines(struct rt_buf *text, const char *lines);

/* Ends the head with the field that frames a body of `size` bytes, and sets
   draft->in_chunks. */
void rt_draft_end_head(struct rt_draft *draft, uint64_t size);

/* The same of a head without a body. */
void rt_draft_end_bare_head(struct rt_draft *draft);

#endif
