/* SPDX-License-Identifier: MIT */
/*
 * The script of a reply: its steps, and changes to a complete one, which can be
 * cut, split and replaced byte by byte. A change copies only the bytes that it
 * needs. Called by reply.c, by faults, and by whoever makes steps without a
 * head.
 */
#include "config.h"

#include "reply/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The most memory that a reply keeps for the next one. */
#define KEPT_TEXT (80u << 10)
#define KEPT_STEPS 64

void
rt_reply_init(struct rt_reply *reply)
{
	*reply = (struct rt_reply){.file = -1};
	rt_buf_init(&reply->text, RT_MAX_TEXT);
}

void
rt_reply_close_file(struct rt_reply *reply)
{
	if (reply->file >= 0)
		(void)close(reply->file);
	reply->file = -1;
}

void
rt_reply_reset(struct rt_reply *reply)
{
	rt_reply_close_file(reply);
	if (reply->made.it != NULL)
		reply->made.free(reply->made.it);
	rt_blob_drop(reply->blob);
	if (reply->struck.wire.edits != NULL)
		rt_wire_clear(&reply->struck.wire);
	if (reply->step_room > KEPT_STEPS) {
		free(reply->steps);
		reply->steps = NULL;
		reply->step_room = 0;
	}
	rt_buf_clear(&reply->text, KEPT_TEXT);
	rt_clear(&reply->step_count,
		sizeof *reply - offsetof(struct rt_reply, step_count));
	reply->file = -1;
}

void
rt_reply_empty(struct rt_reply *reply)
{
	if (reply->status != 0 || reply->step_count > 0 ||
		reply->text.len > 0 || reply->made.it != NULL ||
		!rt_reply_ok(reply))
		rt_reply_reset(reply);
}

void
rt_reply_free(struct rt_reply *reply)
{
	rt_reply_reset(reply);
	rt_buf_free(&reply->text);
	free(reply->steps);
	reply->steps = NULL;
	reply->step_room = 0;
}

void
rt_reply_step(struct rt_reply *reply, struct rt_step step)
{
	struct rt_step *last = reply->step_count > 0 ?
		reply->steps + reply->step_count - 1 :
		NULL;

	if (last != NULL && step.kind == RT_STEP_TEXT &&
		last->kind == RT_STEP_TEXT && last->at + last->size == step.at)
		last->size += step.size;
	else if (reply->step_count < RT_MAX_STEPS &&
		rt_grow(&reply->steps, &reply->step_room, reply->step_count,
			sizeof step))
		reply->steps[reply->step_count++] = step;
	else
		reply->failed = true;
}

void
rt_reply_set_faults(struct rt_reply *reply, const char *faults)
{
	reply->struck.text = reply->text.len + 1;
	rt_buf_add(&reply->text, faults, strlen(faults) + 1);
}

const char *
rt_reply_faults(const struct rt_reply *reply)
{
	/* if the text has failed, the faults may have no end */
	return reply->struck.text > 0 && !reply->text.failed ?
		reply->text.data + reply->struck.text - 1 :
		NULL;
}

size_t
rt_reply_read(const struct rt_reply *reply, char *to, uint64_t at, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(reply->file, to + have, size - have,
			(off_t)(at + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

/* --- replies that are made again --- */

void
rt_ready_free(struct rt_ready *ready)
{
	rt_buf_free(&ready->reply.text);
	free(ready->reply.steps);
	*ready = (struct rt_ready){.again = false};
}

/* Makes room for this number of steps. False: no memory. */
static bool
reserve_steps(struct rt_reply *reply, size_t count)
{
	while (reply->step_room < count)
		if (!rt_grow(&reply->steps, &reply->step_room, reply->step_room,
			    sizeof *reply->steps))
			return false;
	return true;
}

/* Copies text and steps, and what was noted of them. False: no memory. */
static bool
copy_script(struct rt_reply *to, const struct rt_reply *from)
{
	rt_buf_add(&to->text, from->text.data, from->text.len);
	if (to->text.failed || !reserve_steps(to, from->step_count))
		return false;
	memcpy(to->steps, from->steps, from->step_count * sizeof *to->steps);
	to->step_count = from->step_count;
	to->head_at = from->head_at;
	to->head_size = from->head_size;
	to->status = from->status;
	to->idle = from->idle;
	to->body = from->body;
	return true;
}

void
rt_draft_keep(const struct rt_draft *draft, struct rt_ready *ready)
{
	const struct rt_reply *reply = draft->reply;
	bool again = ready->again;

	ready->again = true;
	if (!again || !rt_reply_ok(reply) || reply->text.len > KEPT_TEXT ||
		reply->step_count > KEPT_STEPS)
		return;
	/* different requests by turns use the same memory */
	rt_buf_clear(&ready->reply.text, KEPT_TEXT);
	ready->reply.text.max = KEPT_TEXT;
	ready->reply.keep = reply->keep;
	ready->date_at = draft->date_at;
	ready->protocol = draft->protocol;
	ready->head_only = draft->head_only;
	ready->old = draft->old;
	ready->tunnel = draft->tunnel;
	if (!copy_script(&ready->reply, reply))
		ready->reply.step_count = 0;
}

bool
rt_draft_again(const struct rt_draft *draft, const struct rt_ready *ready,
	const char *date)
{
	struct rt_reply *reply = draft->reply;

	if (ready->reply.step_count == 0 ||
		ready->protocol != draft->protocol ||
		ready->reply.keep != reply->keep ||
		ready->head_only != draft->head_only ||
		ready->old != draft->old || ready->tunnel != draft->tunnel)
		return false;
	rt_reply_empty(reply);
	if (!copy_script(reply, &ready->reply))
		reply->failed = true;
	else if (ready->date_at > 0)
		memcpy(reply->text.data + ready->date_at, date, RT_DATE_SIZE);
	return true;
}

/* --- changes to a complete script --- */

uint64_t
rt_reply_size(const struct rt_reply *reply)
{
	uint64_t size = 0;

	for (size_t i = 0; i < reply->step_count; i++) {
		const struct rt_step *step = reply->steps + i;

		if (!rt_has_bytes(step->kind))
			continue;
		if (step->size > UINT64_MAX - size)
			return UINT64_MAX;
		size += step->size;
	}
	return size;
}

void
rt_reply_insert(struct rt_reply *reply, size_t index, struct rt_step step)
{
	size_t count = reply->step_count;

	/* not merged with the step before it */
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_PAUSE});
	if (reply->failed)
		return;
	memmove(reply->steps + index + 1, reply->steps + index,
		(count - index) * sizeof *reply->steps);
	reply->steps[index] = step;
}

/* The step without its first `skip` bytes. */
static struct rt_step
rest_of(struct rt_step step, uint64_t skip)
{
	step.size -= skip;
	switch (step.kind) {
	case RT_STEP_BYTES:
		step.bytes += skip;
		break;
	case RT_STEP_REPEAT:
		step.from = (step.from + skip) % step.at;
		break;
	default:
		step.at += skip;
		break;
	}
	return step;
}

size_t
rt_reply_split(struct rt_reply *reply, uint64_t at)
{
	uint64_t before = 0;
	size_t i;

	for (i = 0; i < reply->step_count && before < at; i++) {
		struct rt_step *step = reply->steps + i;

		if (!rt_has_bytes(step->kind))
			continue;
		if (at - before < step->size) {
			struct rt_step rest = rest_of(*step, at - before);

			step->size = at - before;
			rt_reply_insert(reply, i + 1, rest);
			return i + 1;
		}
		before += step->size;
	}
	return i;
}

void
rt_reply_remove(struct rt_reply *reply, size_t from, size_t to)
{
	memmove(reply->steps + from, reply->steps + to,
		(reply->step_count - to) * sizeof *reply->steps);
	reply->step_count -= to - from;
}

static bool
has_step(const struct rt_reply *reply, enum rt_step_kind kind)
{
	for (size_t i = 0; i < reply->step_count; i++)
		if (reply->steps[i].kind == kind)
			return true;
	return false;
}

void
rt_reply_cut(struct rt_reply *reply, uint64_t at)
{
	size_t index = rt_reply_split(reply, at);

	if (reply->failed)
		return;
	rt_reply_remove(reply, index, reply->step_count - 1);
	if (reply->body >= RT_BODY_OPEN && !has_step(reply, RT_STEP_MORE))
		reply->body = RT_BODY_HERE;
	if (reply->head_size > at)
		reply->head_size = (size_t)at;
	if (reply->head_at > at)
		reply->head_at = (size_t)at;
}

/* Adds a step's bytes to the text. */
static void
gather(struct rt_reply *reply, const struct rt_step *step)
{
	size_t size = (size_t)step->size, done = 0;
	char *to = rt_buf_reserve(&reply->text, size);

	if (to == NULL)
		return;
	switch (step->kind) {
	case RT_STEP_TEXT:
		memcpy(to, reply->text.data + step->at, size);
		break;
	case RT_STEP_BYTES:
		memcpy(to, step->bytes, size);
		break;
	case RT_STEP_REPEAT:
		for (; done < size; done++)
			to[done] = step->bytes[(step->from + done) % step->at];
		break;
	default:
		done = rt_reply_read(reply, to, step->at, size);
		/* if the file has become shorter, zeros stand for the rest */
		memset(to + done, 0, size - done);
		break;
	}
	reply->text.len += size;
}

size_t
rt_reply_gather(struct rt_reply *reply, uint64_t from, size_t size)
{
	size_t first, last, at = reply->text.len;

	first = rt_reply_split(reply, from);
	last = rt_reply_split(reply, from + size);
	for (size_t i = first; i < last && !reply->failed; i++)
		if (rt_has_bytes(reply->steps[i].kind))
			gather(reply, reply->steps + i);
	return at;
}

void
rt_reply_replace(struct rt_reply *reply, uint64_t from, uint64_t size,
	size_t at)
{
	size_t first = rt_reply_split(reply, from), last, kept;
	uint64_t added = reply->text.len - at;

	last = rt_reply_split(reply, from + size);
	if (!rt_reply_ok(reply))
		return;
	/* pauses between the bytes stay, before the text that replaces them */
	kept = first;
	for (size_t i = first; i < last; i++)
		if (!rt_has_bytes(reply->steps[i].kind))
			reply->steps[kept++] = reply->steps[i];
	rt_reply_remove(reply, kept, last);
	if (added > 0)
		rt_reply_insert(reply, kept,
			(struct rt_step){.kind = RT_STEP_TEXT,
				.at = at,
				.size = added});
	if (from < reply->head_at)
		reply->head_at += (size_t)added - (size_t)size;
	if (from < reply->head_size)
		reply->head_size += (size_t)added - (size_t)size;
}
