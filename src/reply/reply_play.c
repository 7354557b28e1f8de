/* SPDX-License-Identifier: MIT */
/* Moves along a script; called by conn. Makes no system call. */
#include "config.h"

#include "reply/reply_play.h"

static bool
is_memory(enum rt_step_kind kind)
{
	return rt_has_bytes(kind) && kind != RT_STEP_FILE;
}

/* Bytes that the present segment may still have. */
static uint64_t
segment_room(const struct rt_play *play)
{
	return play->pace > 0 ? play->pace - play->segment : UINT64_MAX;
}

/* Obeys steps that pace: nobody else sees them. */
static void
take_pace(struct rt_play *play)
{
	for (; play->step->kind == RT_STEP_PACE; play->step++) {
		play->pace = play->step->size;
		play->gap = (int64_t)play->step->at;
		play->segment = 0;
	}
}

void
rt_play_begin(struct rt_play *play, const struct rt_reply *reply)
{
	*play = (struct rt_play){.reply = reply, .step = reply->steps};
	take_pace(play);
}

/* The piece of memory that a step has from its byte `skip` on. */
static struct iovec
piece_of(const struct rt_reply *reply, const struct rt_step *step,
	uint64_t skip)
{
	const char *bytes = step->bytes;
	uint64_t size = step->size - skip;

	if (step->kind == RT_STEP_TEXT)
		bytes = reply->text.data + step->at;
	if (step->kind == RT_STEP_REPEAT) {
		skip = (step->from + skip) % step->at;
		if (size > step->at - skip)
			size = step->at - skip;
	}
	return (struct iovec){.iov_base = (char *)(uintptr_t)(bytes + skip),
		.iov_len = (size_t)size};
}

int
rt_play_pieces(const struct rt_play *play, struct iovec *pieces, int room,
	enum rt_step_kind *next)
{
	const struct rt_step *step = play->step;
	uint64_t skip = play->step_sent, left = segment_room(play);
	int count = 0;

	if (play->more_size > 0) {
		pieces->iov_base = (char *)(uintptr_t)play->more;
		pieces->iov_len =
			play->more_size < left ? play->more_size : (size_t)left;
		*next = RT_STEP_MORE;
		return 1;
	}
	while (count < room && is_memory(step->kind) && left > 0) {
		struct iovec *piece = pieces + count++;

		*piece = piece_of(play->reply, step, skip);
		if (piece->iov_len > left)
			piece->iov_len = (size_t)left;
		left -= piece->iov_len;
		skip += piece->iov_len;
		if (skip == step->size) {
			step++;
			skip = 0;
		}
	}
	*next = left > 0 ? step->kind : RT_STEP_FLUSH;
	return count;
}

uint64_t
rt_play_file(const struct rt_play *play, uint64_t *at)
{
	uint64_t size = play->step->size - play->step_sent;
	uint64_t room = segment_room(play);

	*at = play->step->at + play->step_sent;
	return size < room ? size : room;
}

int64_t
rt_play_pause(const struct rt_play *play)
{
	return play->between == RT_STEP_PAUSE ? play->gap :
						(int64_t)play->step->at;
}

/* Goes past RT_STEP_MORE, when all of it was sent. */
static void
end_more(struct rt_play *play)
{
	if (play->more_size == 0 && play->more_ends) {
		play->more_ends = false;
		play->step++;
	}
}

void
rt_play_give(struct rt_play *play, const char *bytes, size_t size, bool ends)
{
	play->more = bytes;
	play->more_size = size;
	play->more_ends = ends;
	end_more(play);
	take_pace(play);
}

void
rt_play_sent(struct rt_play *play, uint64_t size)
{
	play->sent += size;
	play->segment += size;
	if (play->more_size > 0) {
		play->more += size;
		play->more_size -= (size_t)size;
		end_more(play);
	} else {
		play->step_sent += size;
	}
	while (rt_has_bytes(play->step->kind) &&
		play->step_sent >= play->step->size)
		play->step_sent -= play->step++->size;
	take_pace(play);
	if (segment_room(play) > 0)
		return;
	/* before an ending there is nothing to keep apart */
	play->segment = 0;
	if (rt_has_bytes(play->step->kind) || play->step->kind == RT_STEP_MORE)
		play->between = RT_STEP_FLUSH;
}

void
rt_play_skip(struct rt_play *play, const struct rt_reply *reply)
{
	*play = (struct rt_play){
		.reply = reply,
		.step = reply->steps + reply->step_count - 1,
		.sent = play->sent,
	};
}

void
rt_play_waited(struct rt_play *play)
{
	if (play->between == RT_STEP_TEXT) {
		play->step++;
		take_pace(play);
	} else if (play->between == RT_STEP_FLUSH && play->gap > 0) {
		play->between = RT_STEP_PAUSE;
	} else {
		play->between = RT_STEP_TEXT;
	}
}
