/* SPDX-License-Identifier: MIT */
/* The bodies of replies, whole, in chunks or in parts, and the end of the
   script. Its only system calls are those of reply_script.c. */
#include "config.h"

#include "reply/reply_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/status.h"
#include "http/type.h"

/* A file up to this size is read, and sent with the head. */
#define SMALL_FILE (64u << 10)

/* A body up to this size is copied, to be one piece of memory with the head. */
#define SMALL_BODY 2048u

/* The source of the bytes of a body. */
struct source {
	enum { BYTES, COPY, REPEAT, FROM_FILE } kind;
	const char *bytes;
	size_t period; /* of REPEAT */
	uint64_t at;   /* of FROM_FILE */
	uint64_t size;
};

/* Adds bytes of the file, which are read here if they are few. False: it is
   shorter. */
static bool
add_file(struct rt_reply *reply, uint64_t at, uint64_t size, bool small)
{
	struct rt_step step = {.kind = RT_STEP_FILE, .at = at, .size = size};
	char *to;

	if (small) {
		size_t want = (size_t)size, have;

		to = rt_buf_reserve(&reply->text, want);
		if (to == NULL)
			return false;
		have = rt_reply_read(reply, to, at, want);
		step.kind = RT_STEP_TEXT;
		step.at = reply->text.len;
		step.size = have;
		reply->text.len += have;
		reply->truncated = have < want;
	}
	if (step.size > 0)
		rt_reply_step(reply, step);
	return !reply->truncated;
}

static bool
is_small(const struct source *source)
{
	return source->kind == FROM_FILE && source->size <= SMALL_FILE;
}

/* Adds `size` bytes of the source from `at` on. False: a file is shorter. */
static bool
add_piece(struct rt_reply *reply, const struct source *source, uint64_t at,
	uint64_t size)
{
	size_t end = reply->text.len;

	if (size == 0)
		return true;
	switch (source->kind) {
	case FROM_FILE:
		return add_file(reply, source->at + at, size, is_small(source));
	case COPY:
		rt_buf_add(&reply->text, source->bytes + at, (size_t)size);
		step_text(reply, end);
		break;
	case BYTES:
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = source->bytes + at,
				.size = size});
		break;
	case REPEAT:
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_REPEAT,
				.bytes = source->bytes,
				.from = at % source->period,
				.at = source->period,
				.size = size});
		break;
	}
	return true;
}

static void
add_text(struct rt_reply *reply, const char *text)
{
	size_t end = reply->text.len;

	rt_buf_add_text(&reply->text, text);
	step_text(reply, end);
}

/* RFC 9112 7.1: adds the beginning of a chunk. */
static void
add_size(struct rt_reply *reply, uint64_t size)
{
	size_t end = reply->text.len;

	rt_buf_add_format(&reply->text, "%" PRIx64 "\r\n", size);
	step_text(reply, end);
}

void
rt_reply_add_chunk(struct rt_buf *to, const void *bytes, size_t size)
{
	rt_buf_add_format(to, "%zx\r\n", size);
	rt_buf_add(to, bytes, size);
	rt_buf_add(to, "\r\n", 2);
}

static bool
add_chunk(struct rt_reply *reply, const struct source *source, uint64_t at,
	uint64_t size)
{
	add_size(reply, size);
	if (!add_piece(reply, source, at, size))
		return false;
	add_text(reply, "\r\n");
	return true;
}

uint64_t
rt_reply_chunk(const char **sizes)
{
	uint64_t size = 0;

	if (*sizes == NULL)
		return 0;
	while (**sizes == ' ' || **sizes == '\t')
		(*sizes)++;
	while (**sizes >= '0' && **sizes <= '9')
		size = size * 10 + (uint64_t)(*(*sizes)++ - '0');
	return size;
}

bool
rt_reply_part(const char **parts, uint64_t *size, int *ms)
{
	if (*parts == NULL || **parts == '\0')
		return false;
	*size = rt_reply_chunk(parts);
	*ms = (int)rt_reply_chunk(parts);
	*parts += strspn(*parts, " \t,");
	return true;
}

/* A way to cut a body: into chunks, or into parts with a time after each. */
struct cut {
	const char *chunks;
	const char *parts;
	int pause;
};

static struct cut
cut_of(const struct retort_reply *own, bool in_chunks)
{
	if (own == NULL)
		return (struct cut){.parts = NULL};
	return (struct cut){
		.chunks = in_chunks ? own->chunks : NULL,
		.parts = own->parts,
		.pause = in_chunks ? own->pause_chunk : 0,
	};
}

/* The size of the next piece, at most `most`, and the time after it, as ms; -1:
   none. */
static uint64_t
cut_next(struct cut *cut, uint64_t most, int *ms)
{
	uint64_t size;

	if (rt_reply_part(&cut->parts, &size, ms))
		return size < most ? size : most;
	*ms = cut->pause > 0 ? cut->pause : -1;
	size = rt_reply_chunk(&cut->chunks);
	return size > 0 && size < most ? size : most;
}

/* Adds the bytes of a body, piece by piece. */
static void
add_pieces(struct rt_draft *draft, const struct source *source, bool in_chunks)
{
	struct cut cut = cut_of(draft->own, in_chunks);
	struct rt_reply *reply = draft->reply;
	uint64_t at = 0, size;
	bool all = true;
	int ms;

	if (!in_chunks && cut.parts == NULL) {
		(void)add_piece(reply, source, 0, source->size);
		return;
	}
	while (all && at < source->size) {
		size = cut_next(&cut, source->size - at, &ms);
		if (in_chunks && size > 0)
			all = add_chunk(reply, source, at, size);
		else
			all = add_piece(reply, source, at, size);
		at += size;
		if (ms == 0)
			rt_reply_step(reply,
				(struct rt_step){.kind = RT_STEP_FLUSH});
		add_pause(reply, ms);
	}
}

static void
add_last_chunk(struct rt_draft *draft)
{
	struct rt_reply *reply = draft->reply;
	size_t end = reply->text.len;

	rt_buf_add(&reply->text, "0\r\n", 3);
	if (draft->own != NULL)
		rt_reply_add_lines(&reply->text, draft->own->trailers);
	rt_buf_add(&reply->text, "\r\n", 2);
	step_text(reply, end);
}

/* Ends the script, and closes the file if it is not needed. */
static void
end_script(struct rt_draft *draft, bool needs_file)
{
	struct rt_reply *reply = draft->reply;
	bool more = draft->protocol == RETORT_HTTP ?
		draft->kept && !reply->truncated :
		draft->own == NULL ||
			(!draft->own->close &&
				next_of(draft) != RETORT_NEXT_CLOSE);

	if (!needs_file)
		rt_reply_close_file(reply);
	if (draft->own != NULL) {
		add_pause(reply, draft->own->pause_end);
		reply->idle = draft->own->idle < 0 ? RT_NEVER :
						     draft->own->idle * RT_MS;
	}
	rt_reply_step(reply,
		(struct rt_step){.kind = more ? RT_STEP_NEXT : RT_STEP_CLOSE,
			.at = more ? next_of(draft) : 0});
}

/* Whether nobody knows the size of the body yet. */
static bool
is_open(const struct rt_draft *draft)
{
	return draft->own != NULL && draft->own->open;
}

/* Adds the step of an open body, whose rest is pushed while it is sent. */
static void
add_more(struct rt_draft *draft, bool in_chunks)
{
	struct rt_reply *reply = draft->reply;

	if (!is_open(draft))
		return;
	reply->body = in_chunks ? RT_BODY_IN_CHUNKS : RT_BODY_OPEN;
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_MORE});
}

/* Adds the script of a reply without a head. */
static void
add_plain(struct rt_draft *draft, const struct source *source)
{
	/* an empty datagram has an echo, too */
	if (source->size == 0 && draft->protocol == RETORT_UDP && draft->own &&
		draft->own->echo)
		rt_reply_step(draft->reply,
			(struct rt_step){.kind = RT_STEP_BYTES, .bytes = ""});
	add_pieces(draft, source, false);
	add_more(draft, false);
	end_script(draft, !is_small(source));
}

/* Adds no body, and nothing that announces one. */
static void
add_no_body(struct rt_draft *draft)
{
	draft->reply->body = RT_BODY_LEFT_OUT;
	rt_draft_end_bare_head(draft);
	end_script(draft, false);
}

/* Whether its status never has a body, and nobody wants one all the same. */
static bool
has_no_body(const struct rt_draft *draft)
{
	return rt_status_has_no_body(draft->reply->status) && !draft->tunnel &&
		!draft->forced;
}

/* Ends the head and the script with this body. */
static void
add_body(struct rt_draft *draft, const struct source *source)
{
	struct rt_reply *reply = draft->reply;

	if (draft->protocol != RETORT_HTTP) {
		add_plain(draft, source);
		return;
	}
	if (has_no_body(draft)) {
		add_no_body(draft);
		return;
	}
	rt_draft_end_head(draft, source->size);
	if (!draft->head_only) {
		if (draft->own != NULL)
			add_pause(reply, draft->own->pause_body);
		add_pieces(draft, source, draft->in_chunks);
		add_more(draft, draft->in_chunks);
		if (draft->in_chunks && !reply->truncated)
			add_last_chunk(draft);
	}
	end_script(draft, !draft->head_only && !is_small(source));
}

void
rt_draft_body(struct rt_draft *draft, const void *bytes, size_t size)
{
	add_body(draft,
		&(struct source){.kind = size <= SMALL_BODY ? COPY : BYTES,
			.bytes = bytes,
			.size = size});
}

void
rt_draft_body_copy(struct rt_draft *draft, const void *bytes, size_t size)
{
	add_body(draft,
		&(struct source){.kind = COPY, .bytes = bytes, .size = size});
}

void
rt_draft_body_repeat(struct rt_draft *draft, const void *bytes, size_t period,
	uint64_t size)
{
	add_body(draft,
		&(struct source){.kind = REPEAT,
			.bytes = bytes,
			.period = period,
			.size = size});
}

void
rt_draft_body_file(struct rt_draft *draft, int fd, uint64_t at, uint64_t size)
{
	draft->reply->file = fd;
	add_body(draft,
		&(struct source){.kind = FROM_FILE, .at = at, .size = size});
}

void
rt_draft_body_parts(struct rt_draft *draft, int fd, const struct rt_part *parts,
	size_t count)
{
	struct rt_reply *reply = draft->reply;
	uint64_t bytes = 0, text = 0;
	bool small;

	for (size_t i = 0; i < count; i++) {
		bytes += parts[i].size;
		text += parts[i].text_size;
	}
	small = bytes <= SMALL_FILE;
	rt_draft_end_head(draft, text + bytes);
	reply->file = fd;
	if (draft->in_chunks && !draft->head_only)
		add_size(reply, text + bytes);
	for (size_t i = 0; i < count && !draft->head_only; i++) {
		const struct rt_part *part = parts + i;
		size_t end = reply->text.len;

		rt_buf_add(&reply->text, part->text, part->text_size);
		if (part->bytes != NULL)
			rt_buf_add(&reply->text, part->bytes + part->at,
				(size_t)part->size);
		step_text(reply, end);
		if (part->bytes == NULL && part->size > 0 &&
			!add_file(reply, part->at, part->size, small))
			break;
	}
	if (draft->in_chunks && !draft->head_only && !reply->truncated)
		add_text(reply, "\r\n0\r\n\r\n");
	end_script(draft, !draft->head_only && !small);
}

void
rt_draft_body_reason(struct rt_draft *draft, const char *reason)
{
	int status = draft->reply->status;
	char body[256];
	int size = snprintf(body, sizeof body, "%d %.100s%s%.100s\n", status,
		rt_status_phrase(status), reason ? ": " : "",
		reason ? reason : "");

	if (!has_no_body(draft))
		rt_draft_field(draft, "Content-Type", RT_TYPE_TEXT);
	rt_draft_body_copy(draft, body, (size_t)size);
}

void
rt_draft_error(struct rt_draft *draft, int status, const char *reason,
	const char *date)
{
	rt_draft_begin(draft, status, date);
	rt_draft_body_reason(draft, reason);
}

void
rt_draft_raw(struct rt_draft *draft, int status, const void *bytes, size_t size)
{
	struct rt_reply *reply = draft->reply;

	rt_reply_reset(reply);
	reply->status = status;
	if (draft->own != NULL)
		add_pause(reply, draft->own->pause_head);
	add_pieces(draft,
		&(struct source){.kind = BYTES, .bytes = bytes, .size = size},
		false);
	add_more(draft, false);
	draft->kept = reply->keep != RT_KEEP_NOT && goes_on(draft);
	end_script(draft, false);
}
