/* SPDX-License-Identifier: MIT */
/*
 * Replies as users give them: copied, and made into scripts. Called by route.c.
 * Opens the files that bodies come from.
 */
#include "config.h"

#include "canned/canned_parts.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "canned/condition.h"
#include "http/type.h"
#include "os/file.h"

/* A body is repeated in memory up to this size, so that it has fewer pieces. */
#define REPEATED (64u << 10)

/* The strings of a reply, which copies of it own. */
static const size_t strings[] = {
	offsetof(struct retort_reply, reason),
	offsetof(struct retort_reply, version),
	offsetof(struct retort_reply, type),
	offsetof(struct retort_reply, fields),
	offsetof(struct retort_reply, omit),
	offsetof(struct retort_reply, file),
	offsetof(struct retort_reply, chunks),
	offsetof(struct retort_reply, trailers),
	offsetof(struct retort_reply, interim),
	offsetof(struct retort_reply, faults),
	offsetof(struct retort_reply, parts),
};

static const char **
string_of(struct retort_reply *reply, size_t i)
{
	return (const char **)(void *)((char *)reply + strings[i]);
}

void
rt_canned_free_strings(struct retort_reply *as)
{
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		free((char *)(uintptr_t)*string_of(as, i));
}

void
rt_canned_free(struct rt_canned *canned)
{
	if (canned == NULL)
		return;
	rt_canned_free_fills(canned);
	rt_canned_free_strings(&canned->as);
	rt_blob_drop(canned->body);
	rt_faults_free(canned->faults);
	rt_ready_free(&canned->ready);
	free(canned);
}

bool
rt_canned_copy_strings(struct retort_reply *as)
{
	bool all = true;

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		const char **string = string_of(as, i);

		if (*string == NULL)
			continue;
		*string = all ? strdup(*string) : NULL;
		all = *string != NULL;
	}
	return all;
}

/* A period of the body, several times if it is short. */
static struct rt_blob *
repeated(const char *body, size_t size, uint64_t up_to, bool borrowed)
{
	struct rt_blob *blob;
	size_t times = 1;
	char *bytes;

	if (up_to > REPEATED)
		up_to = REPEATED;
	if (size > 0 && size < up_to)
		times = (size_t)(up_to / size);
	if (times == 1)
		return rt_blob_new(body, size, borrowed);
	bytes = malloc(times * size);
	if (bytes == NULL)
		return NULL;
	for (size_t i = 0; i < times; i++)
		memcpy(bytes + i * size, body, size);
	blob = rt_blob_new(bytes, times * size, false);
	free(bytes);
	return blob;
}

static bool
copy_body(struct rt_canned *canned, const struct retort_reply *reply)
{
	const char *body = reply->body;
	size_t size = rt_body_size(body, reply->body_size);

	if (body == NULL)
		return true;
	if (size == 0)
		body = ""; /* theirs may have no NUL */
	canned->period = size;
	canned->body = reply->repeat > 0 ?
		repeated(body, size, reply->repeat, reply->borrowed) :
		rt_blob_new(body, size, reply->borrowed);
	return canned->body != NULL;
}

/* The place after the first empty line, which CR LF or LF ends; 0: none. */
static size_t
find_body(const char *bytes, size_t at, size_t size)
{
	const char *line;

	while ((line = memchr(bytes + at, '\n', size - at)) != NULL) {
		at = (size_t)(line - bytes) + 1;
		if (at < size && bytes[at] == '\n')
			return at + 1;
		if (size - at > 1 && bytes[at] == '\r' && bytes[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

/* Finds the final head in bytes that are a whole reply: its status, if they
   begin as HTTP does, and its place, if it has an end. */
static void
find_head(struct rt_canned *canned)
{
	const char *bytes = canned->body ? canned->body->data : "";
	size_t size = canned->body ? canned->body->size : 0;
	size_t from = 0, end;
	int status;

	while ((status = rt_text_status(bytes + from, bytes + size)) != 0) {
		canned->status = status;
		end = find_body(bytes, from, size);
		if (end == 0)
			return;
		/* 101 is final: what follows it is of another protocol */
		if (status / 100 != 1 || status == 101) {
			canned->head_at = from;
			canned->head_size = end;
			return;
		}
		from = end;
	}
}

/* Clears the members that only a rule has. Its conditions are not copied, and a
   handler's reply may come back by retort_reply_later(). */
static void
forget_rule(struct retort_reply *as)
{
	as->server = NULL;
	as->error = NULL;
	rt_conditions_clear(as);
	as->prefer = 0;
	as->times = 0;
	as->then_in = NULL;
	as->handler = NULL;
	as->handler_arg = NULL;
	as->accepted = false;
	as->files = false;
}

/* Copies everything that the reply points at. False: no memory. */
static bool
copy_all(struct rt_canned *canned, const struct retort_reply *reply,
	enum retort_protocol protocol)
{
	bool all;

	canned->as = *reply;
	forget_rule(&canned->as);
	/* a handler that sets a text in its place need not know */
	if (reply->body_size == SIZE_MAX) {
		canned->as.body = "";
		canned->as.body_size = 0;
	}
	all = rt_canned_copy_strings(&canned->as);
	canned->type = canned->as.type;
	if (protocol == RETORT_HTTP && reply->type == NULL && has_body(reply))
		canned->type = reply->file != NULL ?
			rt_type_of(reply->file, NULL, 0) :
			RT_TYPE_TEXT;
	return copy_body(canned, reply) && all;
}

struct retort_reply
rt_canned_given(const struct rt_canned *canned)
{
	struct retort_reply as = canned->as;

	if (canned->body == NULL)
		return as;
	as.body = canned->body->data;
	/* of a repeated body several periods are kept */
	if (as.repeat > 0)
		as.body_size = canned->period;
	return as;
}

struct rt_canned *
rt_canned_new(const struct retort_reply *reply, enum retort_protocol protocol,
	struct rt_error *error)
{
	struct rt_canned *canned = calloc(1, sizeof *canned);
	int code = canned ? 0 : -ENOMEM;

	*error = (struct rt_error){.member = NULL};
	if (code == 0 && reply->faults != NULL) {
		canned->faults = rt_faults_new(reply->faults, error);
		code = canned->faults ? 0 : -errno;
	}
	if (code == 0)
		code = rt_canned_check(reply, canned->faults, protocol, error);
	if (code == 0 && !copy_all(canned, reply, protocol))
		code = -ENOMEM;
	if (code == 0 && reply->fill)
		code = rt_canned_read_fills(canned, protocol, error);
	if (code < 0) {
		if (code == -ENOMEM)
			(void)rt_fail_errno(error->text, code, "reply");
		rt_canned_free(canned);
		errno = -code;
		return NULL;
	}
	if (reply->raw)
		find_head(canned);
	else
		canned->status = reply->status ? reply->status : 200;
	return canned;
}

/* Answers with an error, or without HTTP with no bytes. */
static void
answer_error(struct rt_draft *draft, int status, const char *why,
	const char *date)
{
	if (draft->protocol != RETORT_HTTP) {
		rt_draft_body(draft, "", 0);
		return;
	}
	draft->own = NULL;
	rt_draft_error(draft, status, why, date);
}

static int
answer_file(const struct rt_canned *canned, struct rt_draft *draft,
	const char *date)
{
	const char *name = draft->own->file, *slash = strrchr(name, '/');
	bool named = rt_canned_names_file(canned);
	char why[256];
	struct rt_file file;
	int error = named ? rt_canned_open(canned, name, &file) :
			    rt_file_open_named(&file, name);

	if (error == 0) {
		rt_draft_body_file(draft, file.fd, 0, file.size);
		return 0;
	}
	/* if a client asks for a missing file, that is not a mistake */
	if (named && rt_file_status(error) < 500) {
		answer_error(draft, rt_file_status(error), NULL, date);
		return 0;
	}
	/* a client sees this: it is not told the folder */
	(void)snprintf(why, sizeof why, "file '%.120s': %s",
		slash ? slash + 1 : name, strerror(-error));
	answer_error(draft, 500, why, date);
	return error;
}

static void
answer_raw(const struct rt_canned *canned, struct rt_draft *draft)
{
	rt_draft_raw(draft, canned->status,
		canned->body ? canned->body->data : "",
		canned->body ? canned->body->size : 0);
	draft->reply->head_at = canned->head_at;
	draft->reply->head_size = canned->head_size;
}

/* Fills in a reply without `fill`, which is the same each time. */
static void
fill_nothing(const struct rt_canned *canned, struct rt_filled *filled)
{
	filled->type = canned->type;
	filled->body = canned->body ? canned->body->data : "";
	filled->body_size = canned->body ? canned->body->size : 0;
	filled->blob = rt_blob_share(canned->body);
}

/* Whether its replies are the same for all requests. */
static bool
is_constant(const struct rt_canned *canned)
{
	return canned->fills == NULL && canned->as.file == NULL &&
		!canned->as.echo;
}

/* Answers with the script of the last time. False: it has to be made. */
static bool
answer_again(const struct rt_canned *canned, const struct rt_draft *draft,
	const char *date)
{
	if (!rt_draft_again(draft, &canned->ready, date))
		return false;
	draft->reply->blob = rt_blob_share(canned->body);
	return true;
}

/* Adds the type and the body to a reply that has begun. */
static int
add_body(const struct rt_canned *canned, struct rt_draft *draft,
	const struct rt_filled *filled, const struct rt_occasion *occasion)
{
	const struct retort_reply *as = &canned->as;

	if (filled->type != NULL && (!draft->tunnel || as->type != NULL))
		rt_draft_field(draft, "Content-Type", filled->type);
	if (as->echo)
		rt_draft_body(draft, occasion->came.text, occasion->came.size);
	else if (as->file != NULL)
		return answer_file(canned, draft, occasion->date);
	else if (as->repeat > 0)
		rt_draft_body_repeat(draft, filled->body, filled->body_size,
			as->repeat);
	else
		rt_draft_body(draft, filled->body, filled->body_size);
	return 0;
}

static int
answer_anew(const struct rt_canned *canned, struct rt_draft *draft,
	const struct rt_occasion *occasion)
{
	bool http = draft->protocol == RETORT_HTTP;
	struct rt_filled filled;
	int error = 0;

	draft->forced = rt_faults_force_body(canned->faults);
	if (canned->fills == NULL)
		fill_nothing(canned, &filled);
	else if ((error = rt_canned_fill(canned, occasion->filling, &filled)) ==
		0)
		draft->own = &filled.as;
	if (canned->as.raw) {
		answer_raw(canned, draft);
	} else {
		rt_draft_begin(draft, http ? canned->status : 0,
			occasion->date);
		if (error < 0) {
			answer_error(draft, 500, "it is too large, filled in",
				occasion->date);
			return error;
		}
		error = add_body(canned, draft, &filled, occasion);
	}
	draft->reply->blob = filled.blob;
	return error;
}

static void
answer_nothing(struct rt_reply *reply)
{
	rt_reply_reset(reply);
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_NEXT});
}

int
rt_canned_answer(struct rt_canned *canned, const struct rt_occasion *occasion,
	struct rt_reply *reply)
{
	const struct rt_request *request = occasion->request;
	struct rt_draft draft = {
		.reply = reply,
		.protocol = occasion->protocol,
		.own = &canned->as,
		.head_only = request->method == RT_HEAD &&
			!rt_faults_force_body(canned->faults),
		.old = request->minor == 0,
		/* RFC 9110 9.3.6, 7.8 */
		.tunnel = canned->status == 101 ||
			(request->method == RT_CONNECT &&
				canned->status / 100 == 2),
	};
	int error = 0;

	if (canned->as.silent) {
		answer_nothing(reply);
	} else if (!answer_again(canned, &draft, occasion->date)) {
		error = answer_anew(canned, &draft, occasion);
		if (is_constant(canned))
			rt_draft_keep(&draft, &canned->ready);
	}
	return error;
}
