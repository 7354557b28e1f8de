/* SPDX-License-Identifier: MIT */
/* The condition on refused requests, of which there are no others. */
#include "config.h"

#include "route/match_parts.h"

#include <errno.h>
#include <stddef.h>

#include "base/error.h"

static int
read_refused(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int status = when->if_refused;

	if (status == 0)
		return 0;
	if (status != RETORT_ANY && (status < 400 || status > 599))
		return rt_fail(error, -EINVAL,
			"if_refused: expected a status from 400 to 599, or "
			"RETORT_ANY: %d",
			status);
	match->refused_with = status;
	match->refused = &match->refused_with;
	return 0;
}

static void
free_refused(struct rt_match *match)
{
	match->refused = NULL;
}

static bool
refused_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->refused != 0 &&
		(*match->refused == RETORT_ANY ||
			*match->refused == seen->refused);
}

static void
say_refused(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	if (seen->refused == 0)
		rt_buf_add_format(to, "%s is for refused requests", whose);
	else
		rt_buf_add_format(to, "%s is for requests refused with %d",
			whose, *match->refused);
}

static void
describe_refused(const struct rt_match *match, struct rt_buf *to)
{
	rt_buf_add_text(to, ", refused");
	if (*match->refused != RETORT_ANY)
		rt_buf_add_format(to, " with %d", *match->refused);
}

const struct rt_matcher rt_match_refused = {
	.given = offsetof(struct rt_match, refused),
	.weight = 8,
	.read = read_refused,
	.free = free_refused,
	.fits = refused_fits,
	.say = say_refused,
	.describe = describe_refused,
};
