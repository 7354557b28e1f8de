/* SPDX-License-Identifier: MIT */
/* What came before a request: the states in which it came, and its number on
   its connection. Part of match. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "match/state.h"

static int
read_in(struct rt_match *match, const struct retort_requests *when, char *error)
{
	int code = rt_state_check(when->in, "in", error);

	return code < 0 ? code : rt_match_copy(&match->in, when->in);
}

static void
free_in(struct rt_match *match)
{
	free(match->in);
}

/* The first that is another; false: all are as wanted. */
static bool
find_other(const struct rt_match *match, const struct retort_exchange *seen,
	struct rt_state_word *wanted, struct rt_word *came)
{
	const char *text = match->in;

	while (rt_state_next(&text, wanted)) {
		*came = rt_state_of(seen->in, wanted->name);
		if (came->size != wanted->state.size ||
			memcmp(came->text, wanted->state.text, came->size) != 0)
			return true;
	}
	return false;
}

static bool
in_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_state_word wanted;
	struct rt_word came;

	return !find_other(match, seen, &wanted, &came);
}

static void
say_in(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_state_word wanted;
	struct rt_word came;

	if (find_other(match, seen, &wanted, &came))
		rt_buf_add_format(to,
			"state differs from %s: expected %.*s, was %.*s", whose,
			(int)wanted.text.size, wanted.text.text, (int)came.size,
			came.text);
}

static void
describe_in(const struct rt_match *match, struct rt_buf *to)
{
	const char *text = match->in;
	struct rt_state_word word;

	for (const char *before = ", in "; rt_state_next(&text, &word);
		before = " ")
		rt_buf_add_format(to, "%s%.*s", before, (int)word.text.size,
			word.text.text);
}

const struct rt_matcher rt_match_in = {
	.given = offsetof(struct rt_match, in),
	.weight = 2,
	.read = read_in,
	.free = free_in,
	.fits = in_fits,
	.say = say_in,
	.describe = describe_in,
};

/* --- its number --- */

static int
read_nth(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	const char *text = when->if_nth;

	if (text == NULL)
		return 0;
	if (!rt_word_range((struct rt_word){text, strlen(text)}, UINT64_MAX,
		    &match->nth_from, &match->nth_to) ||
		match->nth_from == 0 || match->nth_from > match->nth_to)
		return rt_fail(error, -EINVAL,
			"if_nth: '%.60s': expected a number from 1, N+ or N-M",
			text);
	return rt_match_copy(&match->nth, text);
}

static void
free_nth(struct rt_match *match)
{
	free(match->nth);
}

static bool
nth_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->nth >= match->nth_from && seen->nth <= match->nth_to;
}

static void
say_nth(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to,
		"number on its connection differs from %s: expected %s, was "
		"%llu",
		whose, match->nth, (unsigned long long)seen->nth);
}

static void
describe_nth(const struct rt_match *match, struct rt_buf *to)
{
	rt_buf_add_format(to, ", number %s on its connection", match->nth);
}

const struct rt_matcher rt_match_nth = {
	.given = offsetof(struct rt_match, nth),
	.weight = 2,
	.read = read_nth,
	.free = free_nth,
	.fits = nth_fits,
	.say = say_nth,
	.describe = describe_nth,
};
