/* SPDX-License-Identifier: MIT */
/* Expectations, as they are given. Called by api/; verdict_judge.c compares
   them with records. */
#include "config.h"

#include "journal/verdict.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "route/route.h"

/* Most bytes of a verdict, and of the mistakes in it. */
#define MAX_TEXT (16u << 20)
#define MAX_MISTAKES (64u << 10)

void
rt_verdict_init(struct rt_verdict *verdict)
{
	*verdict = (struct rt_verdict){.count = 0};
	rt_buf_init(&verdict->mistakes, MAX_MISTAKES);
	rt_buf_init(&verdict->text, MAX_TEXT);
}

static void
free_expectation(struct rt_expectation *expectation)
{
	for (size_t i = 0; i < expectation->count; i++)
		rt_match_free(expectation->matches[i]);
	free(expectation->matches);
	free(expectation->origin);
}

void
rt_verdict_clear_after(struct rt_verdict *verdict, size_t count)
{
	while (verdict->count > count)
		free_expectation(&verdict->expectations[--verdict->count]);
}

void
rt_verdict_replace(struct rt_verdict *verdict, size_t count, const char *file)
{
	struct rt_expectation *all = verdict->expectations;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (rt_origin_is_of(all[i].origin, file))
			free_expectation(all + i);
		else
			all[kept++] = all[i];
	if (verdict->count > count)
		memmove(all + kept, all + count,
			(verdict->count - count) * sizeof *all);
	verdict->count -= count - kept;
}

void
rt_verdict_clear(struct rt_verdict *verdict)
{
	rt_verdict_clear_after(verdict, 0);
	rt_buf_clear(&verdict->mistakes, 0);
}

void
rt_verdict_free(struct rt_verdict *verdict)
{
	rt_verdict_clear(verdict);
	free(verdict->expectations);
	rt_buf_free(&verdict->mistakes);
	rt_buf_free(&verdict->text);
}

/* --- expecting --- */

static int
add(struct rt_verdict *verdict, struct rt_expectation expectation)
{
	if (!rt_grow(&verdict->expectations, &verdict->room, verdict->count,
		    sizeof expectation)) {
		free_expectation(&expectation);
		return -ENOMEM;
	}
	verdict->expectations[verdict->count++] = expectation;
	return (int)verdict->count;
}

/* On how many. 0 or -EINVAL. */
static int
read_connections(struct rt_expectation *expectation,
	const struct retort_requests *when, char *error)
{
	const char *text = when->connections;
	uint64_t from, to;

	if (text == NULL)
		return 0;
	if (!rt_word_range((struct rt_word){text, strlen(text)}, SIZE_MAX / 2,
		    &from, &to) ||
		from > to)
		return rt_fail(error, -EINVAL,
			"connections: '%.60s': expected N, N+ or N-M", text);
	expectation->counts = true;
	expectation->least_of_them = (size_t)from;
	expectation->most_of_them = to == UINT64_MAX ? SIZE_MAX : (size_t)to;
	return 0;
}

int
rt_verdict_expect(struct rt_verdict *verdict, size_t least, size_t most,
	const struct retort_requests *when, enum retort_protocol protocol,
	char *error)
{
	struct rt_expectation expectation = {.least = least, .most = most};
	int code = read_connections(&expectation, when, error);

	if (code < 0)
		return code;
	if (most < least)
		return rt_fail(error, -EINVAL,
			"least: %zu is more than .most, which is %zu", least,
			most);
	expectation.matches = malloc(sizeof(struct rt_match *));
	if (expectation.matches == NULL)
		return -ENOMEM;
	expectation.matches[0] = rt_match_new(when, protocol, error);
	if (expectation.matches[0] == NULL) {
		free(expectation.matches);
		return -errno;
	}
	expectation.count = 1;
	return add(verdict, expectation);
}

int
rt_verdict_expect_order(struct rt_verdict *verdict, const char *const *requests,
	enum retort_protocol protocol, char *error)
{
	struct rt_expectation expectation = {.count = 0};
	size_t count = 0;

	while (requests[count] != NULL)
		count++;
	if (count < 2)
		return rt_fail(error, -EINVAL,
			"expected two requests or more, a line for each");
	expectation.matches = calloc(count, sizeof(struct rt_match *));
	if (expectation.matches == NULL)
		return -ENOMEM;
	for (; expectation.count < count; expectation.count++) {
		struct retort_requests when = {
			.request = requests[expectation.count]};
		struct rt_match *match = rt_match_new(&when, protocol, error);

		if (match == NULL) {
			int code = -errno;

			free_expectation(&expectation);
			return code;
		}
		expectation.matches[expectation.count] = match;
	}
	return add(verdict, expectation);
}

int
rt_verdict_name(struct rt_verdict *verdict, int number, const char *origin)
{
	struct rt_expectation *expectation = verdict->expectations + number - 1;

	expectation->origin = strdup(origin);
	return expectation->origin ? 0 : -ENOMEM;
}

void
rt_verdict_blame(struct rt_verdict *verdict, const char *what,
	const char *error)
{
	rt_buf_add_format(&verdict->mistakes, "%s: %s\n", what, error);
}
