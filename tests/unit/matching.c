/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/matching.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/harness.h"

char error[RETORT_ERROR_SIZE];

void
make_request(struct request *request, const char *line, const char *lines,
	const void *body, size_t body_size)
{
	struct retort_exchange *seen = &request->seen;
	char *at = request->lines;

	memset(request, 0, sizeof *request);
	seen->fields = request->fields;
	seen->body = body;
	seen->body_size = body_size;
	if (line != NULL) {
		char *space, *mark;

		(void)snprintf(request->line, sizeof request->line, "%s", line);
		space = strchr(request->line, ' ');
		ck_assert_ptr_nonnull(space);
		*space = '\0';
		seen->method = request->line;
		seen->target = space + 1;
		mark = strchr(space + 1, '?');
		seen->query = mark ? mark + 1 : NULL;
		/* what the tests of paths have is not encoded */
		(void)snprintf(request->path, sizeof request->path, "%.*s",
			(int)strcspn(seen->target, "?"), seen->target);
		seen->path = request->path;
	}
	(void)snprintf(at, sizeof request->lines, "%s", lines ? lines : "");
	while (*at != '\0') {
		struct retort_field *field =
			request->fields + seen->field_count++;
		char *colon = strstr(at, ": "), *end = strchr(at, '\n');

		ck_assert_ptr_nonnull(colon);
		*colon = '\0';
		field->name = at;
		field->value = colon + 2;
		if (end == NULL)
			break;
		*end = '\0';
		at = end + 1;
	}
}

struct rt_match *
new_match(const struct retort_requests *when)
{
	struct rt_match *match = rt_match_new(when, RETORT_HTTP, error);

	ck_assert_msg(match != NULL, "rt_match_new: %s", error);
	return match;
}

void
fail_match(const struct retort_requests *when)
{
	errno = 0;
	ck_assert_ptr_null(rt_match_new(when, RETORT_HTTP, error));
	ck_assert_int_eq(errno, EINVAL);
}

void
check_situation(const struct situation *now)
{
	struct request request;
	struct rt_match *match = new_match(&now->when);
	struct rt_buf why;
	const char *expected = now->why ? now->why : "";
	bool fits;

	make_request(&request, now->line, now->fields, now->body,
		now->body_size);
	rt_buf_init(&why, 1 << 20);
	fits = rt_match_fits(match, &request.seen);
	(void)rt_match_explain(match, &request.seen, "rule 2", &why);
	assert_bytes(why.data, why.len, expected, strlen(expected));
	ck_assert_msg(fits == (now->why == NULL), "it fits: %d", fits);
	rt_buf_free(&why);
	rt_match_free(match);
}

void
check_description(const struct retort_requests *when, const char *expected)
{
	struct rt_match *match = new_match(when);
	struct rt_buf text;

	rt_buf_init(&text, 10000);
	/* it is added to what is there */
	rt_buf_add_text(&text, "1: ");
	rt_match_describe(match, &text);
	assert_bytes(text.data + 3, text.len - 3, expected, strlen(expected));
	rt_buf_free(&text);
	rt_match_free(match);
}
