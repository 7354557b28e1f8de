/* SPDX-License-Identifier: MIT */
/*
 * Replies: from status, fields and body to a script of steps. Called by the
 * rooms that answer (site, server); read by conn. Its only system calls read
 * a small file into the text, close the file it owns, and ask the time for a
 * boundary.
 */
#include "config.h"

#include "reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

/* Read and sent with the head rather than by sendfile(2). */
#define SMALL_FILE (64u << 10)

/* What a reply keeps for the next one. */
#define KEPT_TEXT (80u << 10)
#define KEPT_STEPS 64

/* Room for a boundary (RFC 2046 5.1.1) and its NUL. */
#define BOUNDARY_TEXT 24

void
rt_reply_init(struct rt_reply *reply)
{
	*reply = (struct rt_reply){.file = -1};
	rt_buf_init(&reply->text, RT_MAX_TEXT);
}

void
rt_reply_reset(struct rt_reply *reply)
{
	if (reply->file >= 0)
		(void)close(reply->file);
	reply->file = -1;
	rt_listing_free(reply->listing);
	reply->listing = NULL;
	if (reply->step_room > KEPT_STEPS) {
		free(reply->steps);
		reply->steps = NULL;
		reply->step_room = 0;
	}
	reply->status = 0;
	reply->step_count = 0;
	reply->head_size = 0;
	reply->truncated = false;
	reply->failed = false;
	rt_buf_clear(&reply->text, KEPT_TEXT);
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

static bool
has_room(struct rt_reply *reply)
{
	size_t room = reply->step_room > 0 ? 2 * reply->step_room : 8;
	struct rt_step *steps;

	if (reply->steps != NULL && reply->step_count < reply->step_room)
		return true;
	if (room > RT_MAX_STEPS)
		return false;
	steps = realloc(reply->steps, room * sizeof *steps);
	if (steps == NULL)
		return false;
	reply->steps = steps;
	reply->step_room = room;
	return true;
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
	else if (has_room(reply))
		reply->steps[reply->step_count++] = step;
	else
		reply->failed = true;
}

bool
rt_reply_ok(const struct rt_reply *reply)
{
	return !reply->failed && !reply->text.failed;
}

/* --- the head --- */

static void
add_field(struct rt_buf *text, const char *name, const char *value)
{
	rt_buf_add_text(text, name);
	rt_buf_add(text, ": ", 2);
	rt_buf_add_text(text, value);
	rt_buf_add(text, "\r\n", 2);
}

bool
rt_reply_is_own(const struct rt_draft *draft, const char *name)
{
	for (size_t i = 0; i < draft->own_count; i++)
		if (strcasecmp(draft->own[i].name, name) == 0)
			return true;
	return false;
}

void
rt_reply_field(struct rt_draft *draft, const char *name, const char *value)
{
	if (!rt_reply_is_own(draft, name))
		add_field(&draft->reply->text, name, value);
}

void
rt_reply_begin(struct rt_draft *draft, int status, const char *date)
{
	struct rt_buf *text = &draft->reply->text;

	rt_reply_reset(draft->reply);
	draft->reply->status = status;
	rt_buf_add_text(text, "HTTP/1.1 ");
	rt_buf_add_number(text, (uint64_t)status);
	rt_buf_add(text, " ", 1);
	rt_buf_add_text(text, rt_http_phrase(status));
	rt_buf_add(text, "\r\n", 2);
	rt_reply_field(draft, "Date", date);
}

static void
end_head(struct rt_draft *draft)
{
	struct rt_reply *reply = draft->reply;

	for (size_t i = 0; i < draft->own_count; i++)
		if (draft->own[i].value != NULL)
			add_field(&reply->text, draft->own[i].name,
				draft->own[i].value);
	rt_buf_add_text(&reply->text, "Connection: close\r\n\r\n");
	reply->head_size = reply->text.len;
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_TEXT,
			.size = reply->text.len});
}

static void
end_head_with_length(struct rt_draft *draft, uint64_t size)
{
	struct rt_buf *text = &draft->reply->text;

	rt_buf_add_text(text, "Content-Length: ");
	rt_buf_add_number(text, size);
	rt_buf_add(text, "\r\n", 2);
	end_head(draft);
}

static void
end_script(struct rt_draft *draft, struct rt_step body)
{
	if (!draft->head_only && body.size > 0)
		rt_reply_step(draft->reply, body);
	rt_reply_step(draft->reply, (struct rt_step){.kind = RT_STEP_CLOSE});
}

/* --- bodies --- */

void
rt_reply_body(struct rt_draft *draft, const void *bytes, size_t size)
{
	end_head_with_length(draft, size);
	end_script(draft,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = bytes,
			.size = size});
}

void
rt_reply_body_copy(struct rt_draft *draft, const void *bytes, size_t size)
{
	struct rt_reply *reply = draft->reply;

	end_head_with_length(draft, size);
	if (!draft->head_only)
		rt_buf_add(&reply->text, bytes, size);
	end_script(draft,
		(struct rt_step){.kind = RT_STEP_TEXT,
			.at = reply->head_size,
			.size = size});
}

/* Reads up to `size` bytes; fewer when the file has become shorter. */
static size_t
read_file(int fd, char *to, uint64_t at, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n =
			pread(fd, to + have, size - have, (off_t)(at + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

/* A range, read here if the body is small. False: the file is shorter. */
static bool
add_range(struct rt_reply *reply, const struct rt_range *range, bool small)
{
	struct rt_step step = {.kind = RT_STEP_FILE,
		.at = range->at,
		.size = range->size};
	char *to;

	if (small) {
		to = rt_buf_reserve(&reply->text, (size_t)range->size);
		if (to == NULL)
			return false;
		step.kind = RT_STEP_TEXT;
		step.at = reply->text.len;
		step.size = read_file(reply->file, to, range->at,
			(size_t)range->size);
		reply->text.len += step.size;
		reply->truncated = step.size < range->size;
	}
	if (step.size > 0)
		rt_reply_step(reply, step);
	return !reply->truncated;
}

/* Ends the script of a body from a file, which is not kept open in vain. */
static void
end_file(struct rt_reply *reply, bool needed)
{
	if (!needed) {
		(void)close(reply->file);
		reply->file = -1;
	}
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
}

void
rt_reply_body_file(struct rt_draft *draft, int fd, uint64_t at, uint64_t size)
{
	const struct rt_range whole = {at, size};
	bool small = size <= SMALL_FILE;

	end_head_with_length(draft, size);
	draft->reply->file = fd;
	if (!draft->head_only && size > 0)
		(void)add_range(draft->reply, &whole, small);
	end_file(draft->reply, !draft->head_only && !small);
}

/* What no file holds but by design: made of the clock, mixed well. */
static void
make_boundary(char boundary[BOUNDARY_TEXT])
{
	struct timespec now = {0, 0};
	uint64_t mixed;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	mixed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	(void)snprintf(boundary, BOUNDARY_TEXT, "retort-%016llx",
		(unsigned long long)(mixed ^ mixed >> 31));
}

/* What stands before a part, or, without a range, after the last. */
static void
add_delimiter(struct rt_buf *to, const char *boundary, const char *type,
	const struct rt_range *range, uint64_t size)
{
	rt_buf_add_text(to, "\r\n--");
	rt_buf_add_text(to, boundary);
	if (range == NULL) {
		rt_buf_add_text(to, "--\r\n");
		return;
	}
	rt_buf_add_text(to, "\r\nContent-Type: ");
	rt_buf_add_text(to, type);
	rt_buf_add_format(to,
		"\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
		"\r\n\r\n",
		range->at, range->at + range->size - 1, size);
}

void
rt_reply_body_ranges(struct rt_draft *draft, int fd, uint64_t size,
	const struct rt_range *ranges, size_t count, const char *type)
{
	struct rt_reply *reply = draft->reply;
	char boundary[BOUNDARY_TEXT], own_type[64 + BOUNDARY_TEXT];
	struct rt_buf delimiters;
	size_t ends[RT_MAX_RANGES + 1], from = 0;
	uint64_t bytes = 0;
	bool small;

	make_boundary(boundary);
	rt_buf_init(&delimiters, RT_MAX_TEXT);
	for (size_t i = 0; i <= count; i++) {
		add_delimiter(&delimiters, boundary, type,
			i < count ? &ranges[i] : NULL, size);
		ends[i] = delimiters.len;
		bytes += i < count ? ranges[i].size : 0;
	}
	small = bytes <= SMALL_FILE;
	(void)snprintf(own_type, sizeof own_type,
		"multipart/byteranges; boundary=%s", boundary);
	rt_reply_field(draft, "Content-Type", own_type);
	end_head_with_length(draft, bytes + delimiters.len);
	reply->file = fd;
	reply->failed = reply->failed || delimiters.failed;
	for (size_t i = 0;
		i <= count && !draft->head_only && !delimiters.failed; i++) {
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_TEXT,
				.at = reply->text.len,
				.size = ends[i] - from});
		rt_buf_add(&reply->text, delimiters.data + from,
			ends[i] - from);
		from = ends[i];
		if (i < count && !add_range(reply, &ranges[i], small))
			break;
	}
	rt_buf_free(&delimiters);
	end_file(reply, !draft->head_only && !small);
}

void
rt_reply_body_listing(struct rt_draft *draft, struct rt_listing *listing)
{
	const struct rt_buf *text = rt_listing_text(listing);

	draft->reply->listing = listing;
	rt_reply_body(draft, text->data, text->len);
}

void
rt_reply_no_body(struct rt_draft *draft)
{
	end_head(draft);
	end_script(draft, (struct rt_step){.size = 0});
}

void
rt_reply_body_reason(struct rt_draft *draft, const char *reason)
{
	int status = draft->reply->status;
	char body[256];
	int size = snprintf(body, sizeof body, "%d %.100s%s%.100s\n", status,
		rt_http_phrase(status), reason ? ": " : "",
		reason ? reason : "");

	rt_reply_field(draft, "Content-Type", "text/plain; charset=utf-8");
	rt_reply_body_copy(draft, body, (size_t)size);
}

void
rt_reply_error(struct rt_draft *draft, int status, const char *reason,
	const char *date)
{
	rt_reply_begin(draft, status, date);
	rt_reply_body_reason(draft, reason);
}

void
rt_reply_raw(struct rt_reply *reply, int status, const void *bytes, size_t size)
{
	rt_reply_reset(reply);
	reply->status = status;
	if (size > 0)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = bytes,
				.size = size});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
}

bool
rt_status_has_no_body(int status)
{
	return status / 100 == 1 || status == 204 || status == 304;
}
