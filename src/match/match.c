/* SPDX-License-Identifier: MIT */
/*
 * Compares a request with conditions, and says where it differs. Called by
 * whoever asks "which requests": route.c for rules, verdict.c for expectations,
 * api/record.c for waits and counts. Pure.
 *
 * A condition is one row of a table: how it is read, whether it is given,
 * whether the request fits, and how to say that it does not. The rows are in
 * match_request.c, match_connection.c, match_field.c, match_login.c,
 * match_regex.c, match_body.c and match_json.c.
 */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "canned/condition.h"

/* In the order in which differences are reported. */
static const struct rt_matcher *const matchers[RT_MATCHERS + 1] = {
	&rt_match_protocol,
	&rt_match_method,
	&rt_match_path,
	&rt_match_path_regex,
	&rt_match_query,
	&rt_match_tunnel,
	&rt_match_refused,
	&rt_match_tls,
	&rt_match_field,
	&rt_match_contains,
	&rt_match_field_regex,
	&rt_match_absent,
	&rt_match_login,
	&rt_match_body,
	&rt_match_body_begins,
	&rt_match_body_has,
	&rt_match_body_glob,
	&rt_match_body_regex,
	&rt_match_in,
	&rt_match_nth,
	&rt_match_form,
	&rt_match_file,
	&rt_match_json,
	&rt_match_json_has,
	NULL,
};

static char *
member_of(const struct rt_match *match, const struct rt_matcher *matcher)
{
	char *member;

	memcpy(&member, (const char *)match + matcher->given, sizeof member);
	return member;
}

static bool
is_given(const struct rt_match *match, const struct rt_matcher *matcher)
{
	return member_of(match, matcher) != NULL;
}

static void
free_one(struct rt_match *match, const struct rt_matcher *matcher)
{
	if (matcher->free != NULL)
		matcher->free((char *)match + matcher->given);
	else
		free(member_of(match, matcher));
}

static int
read_when(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	size_t given = 0;
	int code = 0;

	match->nocase = when->if_nocase;
	match->predicate = when->if_predicate;
	match->predicate_arg = when->if_predicate_arg;
	for (size_t i = 0; matchers[i] != NULL && code == 0; i++)
		if (matchers[i]->read != NULL)
			code = matchers[i]->read(match, when, error);
	/* others are not asked about each request */
	for (size_t i = 0; matchers[i] != NULL && code == 0; i++)
		if (is_given(match, matchers[i]))
			match->given[given++] = matchers[i];
	if (code == 0 && match->nocase &&
		rt_requests_with(when, RT_CONDITION_CASE) == NULL)
		return rt_fail(error, -EINVAL,
			"if_nocase: expected a condition on a field's value or "
			"the body with it");
	return code;
}

struct rt_match *
rt_match_new(const struct retort_requests *when, enum retort_protocol protocol,
	char *error)
{
	struct rt_match *match = calloc(1, sizeof *match);
	int code = match ? 0 : -ENOMEM;

	if (code == 0)
		code = rt_match_check_protocol(when, protocol, error);
	if (code == 0)
		match->noun = rt_conditions_noun(
			rt_conditions_protocol(when, protocol));
	if (code == 0)
		code = read_when(match, when, error);
	if (code == 0)
		return match;
	if (code == -ENOMEM)
		(void)rt_fail_errno(error, code, NULL);
	/* what was read before, and half of what is wrong */
	for (size_t i = 0; match != NULL && matchers[i] != NULL; i++)
		free_one(match, matchers[i]);
	free(match);
	errno = -code;
	return NULL;
}

void
rt_match_free(struct rt_match *match)
{
	if (match == NULL)
		return;
	for (size_t i = 0; match->given[i] != NULL; i++)
		free_one(match, match->given[i]);
	free(match);
}

static bool
predicate_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return match->predicate(match->predicate_arg, seen);
}

bool
rt_match_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	for (size_t i = 0; match->given[i] != NULL; i++)
		if (!match->given[i]->fits(match, seen))
			return false;
	return match->predicate == NULL || predicate_fits(match, seen);
}

bool
rt_match_reads_body(const struct rt_match *match)
{
	for (size_t i = 0; match->given[i] != NULL; i++)
		if (match->given[i]->reads_body)
			return true;
	return false;
}

size_t
rt_match_conditions(const struct rt_match *match)
{
	size_t count = 0;

	while (match->given[count] != NULL)
		count++;
	return count + (match->predicate != NULL);
}

/* Conditions of this weight and more are on the protocol, method and path. */
#define HEAVY 16

bool
rt_match_strays(const struct rt_match *match,
	const struct retort_exchange *seen)
{
	for (size_t i = 0; match->given[i] != NULL; i++)
		if (match->given[i]->weight >= HEAVY &&
			!match->given[i]->fits(match, seen))
			return true;
	return false;
}

struct rt_miss
rt_match_explain(const struct rt_match *match,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *why)
{
	struct rt_miss miss = {.common = rt_match_common(match, seen) +
			rt_match_common_body(match, seen)};
	bool said = false;

	for (size_t i = 0; matchers[i] != NULL; i++) {
		const struct rt_matcher *matcher = matchers[i];
		bool given = is_given(match, matcher);

		if (!given || matcher->fits(match, seen)) {
			if (given || !matcher->presumed ||
				match->predicate == NULL)
				miss.score += matcher->weight;
			miss.met += given;
			continue;
		}
		if (matcher->near != NULL)
			miss.score += matcher->near(match, seen);
		if (why != NULL && !said)
			matcher->say(match, seen, whose, why);
		said = true;
	}
	/* a predicate is asked about requests that fit otherwise */
	if (!said && match->predicate != NULL && why != NULL &&
		!predicate_fits(match, seen))
		rt_buf_add_format(why, "the predicate of %s said no", whose);
	return miss;
}

const char *
rt_match_noun(const struct rt_match *match)
{
	return match->noun;
}

static void
describe_text(const struct rt_matcher *matcher, const char *text, size_t size,
	struct rt_buf *to)
{
	rt_buf_add_format(to, ", %s ", matcher->called);
	rt_match_add_quoted(to, text, size);
}

static void
describe_one(const struct rt_match *match, const struct rt_matcher *matcher,
	struct rt_buf *to)
{
	const char *text = member_of(match, matcher);
	struct rt_line line;

	if (matcher->describe != NULL)
		matcher->describe(match, to);
	else if (matcher->called != NULL && !matcher->by_line)
		describe_text(matcher, text, strlen(text), to);
	else if (matcher->called != NULL)
		while (rt_field_next(&text, &line))
			describe_text(matcher, line.text, line.size, to);
}

void
rt_match_describe(const struct rt_match *match, struct rt_buf *to)
{
	rt_match_describe_request(match, to);
	for (size_t i = 0; matchers[i] != NULL; i++)
		if (is_given(match, matchers[i]))
			describe_one(match, matchers[i], to);
	if (match->nocase)
		rt_buf_add_text(to, ", without case");
	if (match->predicate != NULL)
		rt_buf_add_text(to, ", a predicate");
}
