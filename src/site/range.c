/* SPDX-License-Identifier: MIT */
/* Turns a Range field into ranges of bytes. Knows numbers only, neither
   requests nor files. */
#include "config.h"

#include "site/range.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Comparisons of one range with another. */
#define MAX_COST (RT_MAX_RANGES * RT_MAX_RANGES / 2)

struct scan {
	const char *at;
	const char *end;
};

static void
skip_space(struct scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
		scan->at++;
}

static bool
take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* Whether the number that ends at `end` is less than the other; both may have
   more digits than an integer can hold. */
static bool
is_less(const char *at, const char *end, const char *other,
	const char *other_end)
{
	while (at < end && *at == '0')
		at++;
	while (other < other_end && *other == '0')
		other++;
	if (end - at != other_end - other)
		return end - at < other_end - other;
	return memcmp(at, other, (size_t)(end - at)) < 0;
}

/*
 * One range-spec: "first-", "first-last" or "-suffix". False: malformed. A
 * range of size 0 lies past the end.
 */
static bool
take_range(struct scan *scan, uint64_t size, struct rt_range *range)
{
	uint64_t first, last = UINT64_MAX;
	const char *begin = scan->at, *dash;
	bool has_first = rt_text_digits(&scan->at, scan->end, &first);
	bool has_last;

	dash = scan->at;
	if (!take(scan, '-'))
		return false;
	has_last = rt_text_digits(&scan->at, scan->end, &last);
	if (!has_first) {
		if (!has_last)
			return false;
		range->size = last < size ? last : size;
		range->at = size - range->size;
		return true;
	}
	if (has_last && is_less(dash + 1, scan->at, begin, dash))
		return false;
	if (!has_last || last >= size)
		last = size - 1;
	range->at = first;
	range->size = first < size ? last - first + 1 : 0;
	return true;
}

/* Overlap or touch. */
static bool
meet(const struct rt_range *a, const struct rt_range *b)
{
	return a->at <= b->at + b->size && b->at <= a->at + a->size;
}

static struct rt_range
unite(const struct rt_range *a, const struct rt_range *b)
{
	uint64_t a_end = a->at + a->size, b_end = b->at + b->size;
	uint64_t at = a->at < b->at ? a->at : b->at;

	return (struct rt_range){at, (a_end > b_end ? a_end : b_end) - at};
}

/* Adds a range in the place of the first that it meets, or as the last. */
static void
add_range(struct rt_range *ranges, size_t *count, struct rt_range range)
{
	size_t place = *count, i = 0;

	while (i < *count) {
		if (!meet(&ranges[i], &range)) {
			i++;
			continue;
		}
		range = unite(&ranges[i], &range);
		place = i < place ? i : place;
		--*count;
		memmove(ranges + i, ranges + i + 1,
			(*count - i) * sizeof *ranges);
	}
	memmove(ranges + place + 1, ranges + place,
		(*count - place) * sizeof *ranges);
	ranges[place] = range;
	++*count;
}

int
rt_range_parse(const char *text, size_t length, uint64_t size,
	struct rt_range ranges[RT_MAX_RANGES])
{
	struct scan scan = {text, text + length};
	struct rt_range found[RT_MAX_RANGES + 1], range;
	size_t count = 0, cost = 0;
	bool any = false;

	if (length < 6 || !rt_caseless(text, 6, "bytes="))
		return 0;
	scan.at += 6;
	for (;;) {
		skip_space(&scan);
		if (scan.at == scan.end)
			break;
		if (take(&scan, ','))
			continue;
		/* an empty file is judged as if it had a first byte */
		if (!take_range(&scan, size > 0 ? size : 1, &range))
			return 0;
		skip_space(&scan);
		if (scan.at < scan.end && *scan.at != ',')
			return 0;
		any = true;
		if (range.size == 0)
			continue;
		cost += count;
		if (cost > MAX_COST)
			return 0;
		add_range(found, &count, range);
		if (count > RT_MAX_RANGES)
			return 0;
	}
	if (count > 0 && size == 0)
		return 0;
	memcpy(ranges, found, count * sizeof *found);
	return any && count == 0 ? RT_RANGE_UNSATISFIABLE : (int)count;
}
