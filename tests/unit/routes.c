/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "unit/heads.h"
#include "unit/routes.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

struct rt_route route;

char error[RETORT_ERROR_SIZE];

void
open_route(void)
{
	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, NULL, 0, false), 0);
}

void
set_reply(struct retort_reply reply)
{
	int code = try_set_reply(&route, &reply, error);

	ck_assert_msg(code == 0, "rt_route_set_reply: %s", error);
}

void
open_asked(struct asked *asked, const char *request)
{
	memset(asked, 0, sizeof *asked);
	asked->request = request;
	asked->http = head_read(request, strlen(request), &usual_limits);
	rt_reply_init(&asked->reply);
}

void
close_asked(struct asked *asked)
{
	rt_reply_free(&asked->reply);
	rt_http_free(asked->http);
}

const char *
text_of(const char *base, struct rt_span span, char text[256])
{
	if (span.size == 0)
		return NULL;
	(void)snprintf(text, 256, "%.*s", (int)span.size, base + span.at);
	return text;
}

bool
answer_slice(struct asked *asked)
{
	const struct rt_request *request = rt_http_request(asked->http);
	char method[256], target[256], query[256];
	const struct retort_exchange seen = {
		.connection = 7,
		.method = text_of(asked->request, request->name, method),
		.target = text_of(asked->request, request->target, target),
		.query = request->query.size > 0 ?
			text_of(asked->request, request->query, query) + 1 :
			NULL,
	};
	struct rt_asked whole = {
		.request = request,
		.base = asked->request,
		.size = strlen(asked->request),
		.date = DATE,
		.seen = asked->unseen ? NULL : &seen,
	};

	rt_buf_init(&whole.why, sizeof asked->why);
	asked->outcome = rt_route_answer(&route, &whole, &asked->reply);
	asked->rule = whole.rule;
	asked->why[0] = '\0';
	if (whole.why.len > 0)
		(void)snprintf(asked->why, sizeof asked->why, "%s",
			rt_buf_text(&whole.why));
	rt_buf_free(&whole.why);
	return asked->outcome != RT_AGAIN;
}

void
answer(struct asked *asked)
{
	for (int slices = 1; !answer_slice(asked); slices++)
		ck_assert_int_lt(slices, 10000);
}

struct bytes
flatten(const struct rt_reply *reply)
{
	for (size_t i = 0; i + 1 < reply->step_count; i++)
		if (reply->steps[i].kind != RT_STEP_TEXT)
			ck_assert_int_eq(reply->steps[i].kind, RT_STEP_BYTES);
	return script_played(reply);
}

void
expect_answer(const char *request, const void *expected, size_t size)
{
	struct asked asked;
	struct bytes got;

	open_asked(&asked, request);
	answer(&asked);
	got = flatten(&asked.reply);
	assert_bytes(got.data, got.size, expected, size);
	bytes_free(&got);
	close_asked(&asked);
}

void
expect_text(const char *request, const char *expected)
{
	expect_answer(request, expected, strlen(expected));
}

struct verdict
judge(const char *request)
{
	const struct rt_request *parsed;
	struct verdict verdict;
	struct asked asked;

	open_asked(&asked, request);
	parsed = rt_http_request(asked.http);
	verdict.served = rt_route_serves(&route, request, parsed->host);
	verdict.wanted = rt_route_wants(&route, parsed);
	close_asked(&asked);
	return verdict;
}

void
expect_status(const char *request, int status)
{
	struct asked asked;
	struct bytes got;

	open_asked(&asked, request);
	answer(&asked);
	got = flatten(&asked.reply);
	ck_assert_msg(asked.reply.status == status, "%s: expected %d, got: %s",
		request, status, shown(got.data, got.size));
	bytes_free(&got);
	close_asked(&asked);
}

static int
told(int code, const struct rt_error *wrong, char *why)
{
	return code < 0 ? rt_fail(why, code, "%s", wrong->text) : code;
}

int
try_add(struct rt_route *to, const struct retort_reply *rule, char *why)
{
	struct rt_error wrong;

	return told(rt_route_add(to, rule, &wrong), &wrong, why);
}

int
try_set_reply(struct rt_route *to, const struct retort_reply *reply, char *why)
{
	struct rt_error wrong;

	return told(rt_route_set_reply(to, reply, &wrong), &wrong, why);
}

int
try_set_files(struct rt_route *to, const char *root,
	const struct retort_files *files, char *why)
{
	struct rt_error wrong;

	return told(rt_route_set_files(to, root, files, &wrong), &wrong, why);
}
