/* SPDX-License-Identifier: MIT */
/* Called by sweep.c: the results of a sweep, by number, and the report of them.
   Pure. */
#include "config.h"

#include "api/sweep_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

/* The longest report: bytes. */
#define MAX_REPORT (64u << 20)

/* The ways, in the order in which they are tried. */
static const struct rt_way ways[] = {
	{.clause = "whole", .plain = true, .whole = true},
	{.clause = "cut N fin"},
	{.clause = "cut N fin; no-close-notify", .tls = true},
	{.clause = "cut N reset"},
	{.clause = "cut wire N fin", .tls = true, .wired = true},
	{.clause = "cut wire N reset", .tls = true, .wired = true},
	/* the gap is there so that a client that is slow to read meets two
	   segments, and not one */
	{.clause = "split N; gap 20", .whole = true},
	{.clause = "each 1", .whole = true},
};

#define WAYS (sizeof ways / sizeof *ways)

/* The columns of the report: clauses as they are, and with those of TLS. */
enum { PLAIN_WIDTH = 18, TLS_WIDTH = 27 };

static bool
has_points(const struct rt_way *way)
{
	return strchr(way->clause, 'N') != NULL;
}

static const struct rt_points *
points_of(const struct rt_swept *swept, const struct rt_way *way)
{
	return way->wired ? &swept->wired : &swept->points;
}

/* The first point of a way, by its place: before byte 0 nothing is split. */
static size_t
first_place(const struct rt_swept *swept, const struct rt_way *way)
{
	const struct rt_points *points = points_of(swept, way);

	return way->whole && points->count > 0 && points->at[0] == 0;
}

/* How many replies it makes. */
static size_t
count(const struct rt_swept *swept, const struct rt_way *way)
{
	if (way->tls && !swept->tls)
		return 0;
	return has_points(way) ?
		points_of(swept, way)->count - first_place(swept, way) :
		1;
}

int
rt_swept_choose(struct rt_swept *swept, bool *records, char *error)
{
	int code = rt_sweep_points(&swept->points, records, swept->at,
		swept->head, swept->size, error);

	if (code == 0 && *records && !swept->tls)
		code = rt_fail(error, -EINVAL,
			"at: records: expected a server with TLS");
	return code;
}

int
rt_swept_choose_records(struct rt_swept *swept, const uint64_t *ends,
	size_t count, char *error)
{
	swept->records = count;
	swept->wire = count > 0 ? ends[count - 1] : 0;
	return rt_sweep_records(&swept->wired, ends, count, error);
}

int
rt_swept_open(struct rt_swept *swept, char *error)
{
	for (size_t i = 0; i < WAYS; i++)
		swept->all += count(swept, ways + i);
	swept->taken = malloc(swept->all);
	if (swept->taken == NULL)
		return rt_fail_errno(error, -ENOMEM, "sweep");
	memset(swept->taken, -1, swept->all);
	return 0;
}

void
rt_swept_close(struct rt_swept *swept)
{
	free(swept->points.at);
	free(swept->wired.at);
	free(swept->taken);
}

struct rt_tried
rt_swept_at(const struct rt_swept *swept, size_t number)
{
	const struct rt_way *way = ways;
	size_t of_it;

	for (; number >= (of_it = count(swept, way)); way++)
		number -= of_it;
	return (struct rt_tried){.way = way,
		.at = has_points(way) ?
			points_of(swept, way)
				->at[first_place(swept, way) + number] :
			0};
}

const char *
rt_tried_fault(const struct rt_tried *tried, char room[64])
{
	const char *clause = tried->way->clause;
	int before = (int)strcspn(clause, "N");

	if (tried->way->plain)
		return NULL;
	if (!has_points(tried->way))
		return clause;
	(void)snprintf(room, 64, "%.*s%llu%s", before, clause,
		(unsigned long long)tried->at, clause + before + 1);
	return room;
}

bool
rt_swept_is_wrong(const struct rt_way *way, int taken)
{
	return way->whole ? taken != 1 : taken > 0;
}

/* --- the report --- */

/* Runs of points that follow each other among those that are tried. */
struct runs {
	const uint64_t *at;
	struct rt_buf text;
	size_t first; /* by their places */
	size_t end;
};

/* Ends the run, if there is one. */
static void
end_run(struct runs *runs)
{
	const uint64_t *at = runs->at;
	size_t length = runs->end - runs->first;
	unsigned long long first, last;

	if (length == 0)
		return;
	first = at[runs->first];
	last = at[runs->end - 1];
	rt_buf_add_format(&runs->text, "%s %llu", runs->text.len > 0 ? "," : "",
		first);
	if (length > 1)
		rt_buf_add_format(&runs->text, "-%llu", last);
	if (length <= last - first)
		rt_buf_add_format(&runs->text, " (%zu tried)", length);
	runs->first = runs->end;
}

static void
add_point(struct runs *runs, size_t place)
{
	if (runs->end != place || runs->first == runs->end) {
		end_run(runs);
		runs->first = place;
	}
	runs->end = place + 1;
}

/* Adds the runs to the report, and forgets them. */
static void
tell_runs(struct runs *runs, const char *before, const char *none,
	struct rt_buf *to)
{
	end_run(runs);
	to->failed |= runs->text.failed;
	if (runs->text.len > 0) {
		rt_buf_add_text(to, before);
		rt_buf_add(to, runs->text.data, runs->text.len);
	} else {
		rt_buf_add_text(to, none);
	}
	rt_buf_free(&runs->text);
}

/* Adds a way with points; `first` is the number of its first reply. */
static void
tell_points(const struct rt_swept *swept, const struct rt_way *way,
	size_t first, size_t untried, struct rt_buf *to)
{
	const signed char *taken = swept->taken + first;
	size_t replies = count(swept, way), place = first_place(swept, way);
	const uint64_t *at = points_of(swept, way)->at;
	struct runs wrong = {.at = at}, other = {.at = at};

	rt_buf_init(&wrong.text, MAX_REPORT);
	rt_buf_init(&other.text, MAX_REPORT);
	for (size_t i = 0; i < replies; i++)
		if (way->whole && taken[i] == RT_TAKEN_OTHER)
			add_point(&other, place + i);
		else if (taken[i] >= 0 && way->whole == (taken[i] == 0))
			add_point(&wrong, place + i);
	rt_buf_add_format(to, "%6zu  taken for %s:", replies,
		way->whole ? "failure" : "success");
	tell_runs(&wrong, "", untried > 0 ? "" : " none", to);
	tell_runs(&other, "; for success, with other output:", "", to);
	if (untried > 0)
		rt_buf_add_format(to, " (%zu not tried)", untried);
}

static void
tell_way(const struct rt_swept *swept, const struct rt_way *way, size_t first,
	struct rt_buf *to)
{
	const signed char *taken = swept->taken + first;
	size_t replies = count(swept, way), untried = 0;

	for (size_t i = 0; i < replies; i++)
		untried += taken[i] < 0;
	if (untried == replies)
		return;
	rt_buf_add_format(to, "%-*s ", swept->tls ? TLS_WIDTH : PLAIN_WIDTH,
		way->clause);
	if (has_points(way))
		tell_points(swept, way, first, untried, to);
	else
		rt_buf_add_format(to, "%6u  taken for %s%s", 1u,
			*taken > 0 ? "success" : "failure",
			*taken == RT_TAKEN_OTHER ? ", with other output" : "");
	rt_buf_add_text(to, "\n");
}

/* Says which points are in the head, and which of all are tried. */
static void
describe(const struct rt_swept *swept, struct rt_buf *to)
{
	unsigned long long head = swept->head, whole = swept->size;

	rt_buf_add_format(to, "reply of %llu byte%s", whole,
		whole == 1 ? "" : "s");
	if (head > 0)
		rt_buf_add_format(to, ": head 0-%llu", head - 1);
	if (head > 0 && head < whole)
		rt_buf_add_format(to, ", body %llu-%llu", head, whole - 1);
	if (swept->kept)
		rt_buf_add_text(to, ", the second on its connection");
	if (swept->points.count < whole && swept->at != NULL)
		rt_buf_add_format(to, "; %zu tried, %s",
			swept->points.count + swept->wired.count, swept->at);
	else if (swept->points.count < whole)
		rt_buf_add_format(to, "; tried: %s%u of the body",
			head > 0 ? "all of the head, " : "", RT_SWEEP_BODY);
	if (swept->records > 0)
		rt_buf_add_format(to, "; %zu record%s, %llu bytes on the wire",
			swept->records, swept->records == 1 ? "" : "s",
			(unsigned long long)swept->wire);
	rt_buf_add_text(to, "\n");
}

char *
rt_swept_report(const struct rt_swept *swept)
{
	struct rt_buf to;
	size_t number = 0;

	rt_buf_init(&to, MAX_REPORT);
	describe(swept, &to);
	for (size_t i = 0; i < WAYS; i++) {
		tell_way(swept, ways + i, number, &to);
		number += count(swept, ways + i);
	}
	if (rt_swept_is_wrong(ways, swept->taken[0]) && swept->taken[0] >= 0)
		rt_buf_add_text(&to, "nothing else was tried\n");
	if (swept->varies)
		rt_buf_add_text(&to,
			"the output for the whole reply is not the same each "
			"time, and was not compared\n");
	rt_buf_add(&to, "", 1);
	if (!to.failed)
		return to.data;
	rt_buf_free(&to);
	return NULL;
}
