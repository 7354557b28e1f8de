/* SPDX-License-Identifier: MIT */
/*
 * Replies: from status, fields and body to a script of steps. Called by the
 * rooms that answer (site, server); read by conn. Its only system calls read
 * a small file into the text and close the file it owns.
 */
#include "config.h"

#include "reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

/* Read and sent with the head rather than by sendfile(2). */
#define SMALL_FILE (64u << 10)

/* What a reply keeps for the next one. */
#define KEPT_TEXT (80u << 10)

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
}

void
rt_reply_step(struct rt_reply *reply, struct rt_step step)
{
	struct rt_step *last = reply->steps + reply->step_count;

	if (reply->step_count > 0 && step.kind == RT_STEP_TEXT &&
		last[-1].kind == RT_STEP_TEXT &&
		last[-1].at + last[-1].size == step.at)
		last[-1].size += step.size;
	else if (reply->step_count == RT_MAX_STEPS)
		reply->failed = true;
	else
		reply->steps[reply->step_count++] = step;
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

static bool
is_own(const struct rt_draft *draft, const char *name)
{
	for (size_t i = 0; i < draft->own_count; i++)
		if (strcasecmp(draft->own[i].name, name) == 0)
			return true;
	return false;
}

void
rt_reply_field(struct rt_draft *draft, const char *name, const char *value)
{
	if (!is_own(draft, name))
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

void
rt_reply_body_file(struct rt_draft *draft, int fd, uint64_t at, uint64_t size)
{
	struct rt_reply *reply = draft->reply;
	struct rt_step body = {.kind = RT_STEP_FILE, .at = at, .size = size};
	char *to;

	end_head_with_length(draft, size);
	reply->file = fd;
	if (!draft->head_only && size > 0 && size <= SMALL_FILE) {
		to = rt_buf_reserve(&reply->text, (size_t)size);
		if (to != NULL) {
			body.kind = RT_STEP_TEXT;
			body.at = reply->head_size;
			body.size = read_file(fd, to, at, (size_t)size);
			reply->text.len += body.size;
			reply->truncated = body.size < size;
		}
	}
	if (draft->head_only || body.kind == RT_STEP_TEXT) {
		(void)close(fd);
		reply->file = -1;
	}
	end_script(draft, body);
}

void
rt_reply_no_body(struct rt_draft *draft)
{
	end_head(draft);
	end_script(draft, (struct rt_step){.size = 0});
}

void
rt_reply_error(struct rt_draft *draft, int status, const char *reason,
	const char *allow, const char *date)
{
	char body[256];
	int size = snprintf(body, sizeof body, "%d %.100s%s%.100s\n", status,
		rt_http_phrase(status), reason ? ": " : "",
		reason ? reason : "");

	rt_reply_begin(draft, status, date);
	rt_reply_field(draft, "Content-Type", "text/plain; charset=utf-8");
	if (allow != NULL)
		rt_reply_field(draft, "Allow", allow);
	rt_reply_body_copy(draft, body, (size_t)size);
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

static void
put_two(char *to, int number)
{
	to[0] = (char)('0' + number / 10 % 10);
	to[1] = (char)('0' + number % 10);
}

void
rt_reply_date(int64_t seconds, char text[RT_DATE_TEXT])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t then = (time_t)seconds;
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	(void)gmtime_r(&then, &tm);
	memcpy(text, "Day, 00 Mon 0000 00:00:00 GMT", RT_DATE_TEXT);
	memcpy(text, days + 3 * (size_t)tm.tm_wday, 3);
	put_two(text + 5, tm.tm_mday);
	memcpy(text + 8, months + 3 * (size_t)tm.tm_mon, 3);
	put_two(text + 12, (tm.tm_year + 1900) / 100);
	put_two(text + 14, (tm.tm_year + 1900) % 100);
	put_two(text + 17, tm.tm_hour);
	put_two(text + 20, tm.tm_min);
	put_two(text + 23, tm.tm_sec);
}
