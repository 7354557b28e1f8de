/* SPDX-License-Identifier: MIT */
/* A cursor over the script of a reply, and all that the sender sees of it. It
   yields bytes, a flush or a pause, and finally the ending. */
#ifndef RT_REPLY_PLAY_H
#define RT_REPLY_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "reply/reply.h"

struct rt_play {
	const struct rt_reply *reply; /* NULL: none is played */
	const struct rt_step *step;   /* the present one */
	uint64_t sent;                /* bytes of the script, */
	uint64_t step_sent;           /* of the present step, */
	uint64_t segment;             /* and of the present segment */
	uint64_t pace;                /* its number of bytes; 0: no end */
	int64_t gap;                  /* ns between segments */
	const char *more;             /* of RT_STEP_MORE: bytes to be sent, */
	size_t more_size;
	bool more_ends;            /* and no others come after these */
	enum rt_step_kind between; /* segments: RT_STEP_FLUSH, then _PAUSE;
	                              RT_STEP_TEXT: within one */
};

/* Begins to play a complete script, which must outlive the play. */
void rt_play_begin(struct rt_play *play, const struct rt_reply *reply);

/* The step to play next; RT_STEP_MORE: nothing, until there are bytes. */
static inline enum rt_step_kind
rt_play_next(const struct rt_play *play)
{
	if (play->between != RT_STEP_TEXT)
		return play->between;
	return play->more_size > 0 ? RT_STEP_BYTES : play->step->kind;
}

/* RT_STEP_TEXT, _BYTES, _REPEAT: sets at most `room` pieces of memory, and
   returns how many. The step after them is *next. */
int rt_play_pieces(const struct rt_play *play, struct iovec *pieces, int room,
	enum rt_step_kind *next);

/* RT_STEP_FILE: the number of bytes to be sent of the file, from *at on. */
uint64_t rt_play_file(const struct rt_play *play, uint64_t *at);

/* RT_STEP_PAUSE: its time in ns. */
int64_t rt_play_pause(const struct rt_play *play);

/* RT_STEP_MORE: takes bytes, which stay until they were sent; `ends`: no others
   come after them. */
void rt_play_give(struct rt_play *play, const char *bytes, size_t size,
	bool ends);

/* Notes that this number of bytes was sent. */
void rt_play_sent(struct rt_play *play, uint64_t size);

/* Skips all of the script but its last step. */
void rt_play_skip(struct rt_play *play, const struct rt_reply *reply);

/* Notes that the flush is done, or the pause is over. */
void rt_play_waited(struct rt_play *play);

#endif
