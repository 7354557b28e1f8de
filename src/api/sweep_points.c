/* SPDX-License-Identifier: MIT */
/* Called by sweep.c: where a reply is cut. Pure. */
#include "config.h"

#include "api/sweep_parts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Some points of a reply: each `step`-th of first <= N < end. */
struct span {
	uint64_t first;
	uint64_t end;
	uint64_t step;
};

/* "N", "N-M" or "every N". */
static bool
read_numbers(struct rt_word word, struct span *span)
{
	static const char every[] = "every ";
	const char *at = word.text, *end = word.text + word.size;
	uint64_t number;

	if (word.size > strlen(every) &&
		memcmp(at, every, strlen(every)) == 0) {
		at += strlen(every);
		return rt_text_digits(&at, end, &span->step) && at == end &&
			span->step > 0;
	}
	if (!rt_text_digits(&at, end, &number))
		return false;
	span->first = number;
	if (at < end && *at == '-') {
		at++;
		if (!rt_text_digits(&at, end, &number) || number < span->first)
			return false;
	}
	span->end = number < span->end ? number + 1 : span->end;
	return at == end;
}

static bool
read_span(struct rt_word word, uint64_t head, uint64_t whole, struct span *span)
{
	*span = (struct span){0, whole, 1};
	if (rt_word_is(word, "head"))
		span->end = head;
	else if (rt_word_is(word, "body"))
		span->first = head;
	else if (!rt_word_is(word, "all"))
		return read_numbers(word, span);
	return true;
}

/* A bit for each byte of the reply. */
static void
mark(unsigned char *marks, const struct span *span)
{
	uint64_t at = span->first;

	while (at < span->end) {
		marks[at / 8] |= (unsigned char)(1u << at % 8);
		if (span->step > span->end - at)
			return;
		at += span->step;
	}
}

static int
mark_chosen(unsigned char *marks, bool *records, const char *text,
	uint64_t head, uint64_t whole, char *error)
{
	for (const char *at = text;; at++) {
		const char *end = at + strcspn(at, ",");
		struct rt_word word = rt_text_rest(at, end);
		struct span span;

		if (rt_word_is(word, "records"))
			*records = true;
		else if (read_span(word, head, whole, &span))
			mark(marks, &span);
		else
			return rt_fail(error, -EINVAL,
				"at: '%.*s': expected head, body, all, N, N-M, "
				"every N or records, with commas between them",
				(int)(word.size < 60 ? word.size : 60),
				word.text);
		at = end;
		if (*at == '\0')
			return 0;
	}
}

static void
mark_usual(unsigned char *marks, uint64_t head, uint64_t whole)
{
	const uint64_t body = whole - head, most = RT_SWEEP_BODY - 1;

	mark(marks, &(struct span){0, head, 1});
	if (body <= RT_SWEEP_BODY) {
		mark(marks, &(struct span){head, whole, 1});
		return;
	}
	for (uint64_t i = 0; i <= most; i++) {
		uint64_t at = head + i * (body - 1) / most;

		mark(marks, &(struct span){at, at + 1, 1});
	}
}

static bool
is_marked(const unsigned char *marks, uint64_t at)
{
	return marks[at / 8] >> at % 8 & 1;
}

/* Lists those that are marked, at least `least`; 0 or -errno. */
static int
list(struct rt_points *points, const unsigned char *marks, uint64_t whole,
	size_t least, char *error)
{
	size_t count = 0;

	for (uint64_t at = 0; at < whole; at++)
		count += is_marked(marks, at);
	if (count < least || count > RT_SWEEP_POINTS)
		return rt_fail(error, -EINVAL,
			"at: %zu points of a reply of %llu bytes: expected 1 "
			"to %u",
			count, (unsigned long long)whole, RT_SWEEP_POINTS);
	points->at = calloc(count + 1, sizeof *points->at);
	if (points->at == NULL)
		return rt_fail_errno(error, -ENOMEM, "sweep");
	for (uint64_t at = 0; at < whole; at++)
		if (is_marked(marks, at))
			points->at[points->count++] = at;
	return 0;
}

int
rt_sweep_points(struct rt_points *points, bool *records, const char *text,
	uint64_t head, uint64_t whole, char *error)
{
	unsigned char *marks = calloc((size_t)(whole / 8) + 1, 1);
	int code = 0;

	*points = (struct rt_points){.at = NULL};
	*records = false;
	if (marks == NULL)
		return rt_fail_errno(error, -ENOMEM, "sweep");
	if (text != NULL)
		code = mark_chosen(marks, records, text, head, whole, error);
	else
		mark_usual(marks, head, whole);
	if (code == 0)
		code = list(points, marks, whole, *records ? 0 : 1, error);
	free(marks);
	return code;
}

/* Bytes of a record before its content: type, version, length. */
#define RECORD_HEAD 5

int
rt_sweep_records(struct rt_points *points, const uint64_t *ends, size_t count,
	char *error)
{
	uint64_t at = 0;

	*points = (struct rt_points){.at = NULL};
	if (count > RT_SWEEP_POINTS / RT_SWEEP_RECORD)
		return rt_fail(error, -EINVAL,
			"at: records: there are more than %u",
			RT_SWEEP_POINTS / RT_SWEEP_RECORD);
	points->at = calloc(RT_SWEEP_RECORD * count + 1, sizeof *points->at);
	if (points->at == NULL)
		return rt_fail_errno(error, -ENOMEM, "sweep");
	for (size_t i = 0; i < count; at = ends[i++]) {
		const uint64_t content = ends[i] - at - RECORD_HEAD;
		const uint64_t within[RT_SWEEP_RECORD] = {0, 1, RECORD_HEAD,
			RECORD_HEAD + content / 2, RECORD_HEAD + content - 1};

		for (size_t n = 0; n < RT_SWEEP_RECORD; n++)
			points->at[points->count++] = at + within[n];
	}
	return 0;
}
