/* SPDX-License-Identifier: MIT */
/* The fields of a request. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/field.h"

static int
read_lines(char **to, const char *lines, bool with_value, const char *what,
	char *error)
{
	int code = rt_field_check(lines, with_value, what, error);

	return code < 0 ? code : rt_match_copy(to, lines);
}

/* Splits the lines of texts that fields contain. */
static int
split_contains(struct rt_match *match)
{
	const char *lines = match->contains.lines;
	struct rt_line line;
	size_t room = 0;
	int code = 0;

	while (code == 0 && rt_field_next(&lines, &line)) {
		struct rt_needle *part;

		if (!rt_grow(&match->contains.parts, &room,
			    match->contains.count, sizeof *part))
			return -ENOMEM;
		part = match->contains.parts + match->contains.count++;
		code = rt_needle_set_bytes(part, line.value, line.value_size,
			match->nocase);
	}
	return code;
}

/* Whether a field has the value of the line, or with `part` contains it. */
static bool
line_fits(const struct rt_match *match, const struct rt_line *line,
	const struct rt_needle *part, const struct retort_exchange *seen)
{
	for (size_t i = 0; i < seen->field_count; i++) {
		const char *value = seen->fields[i].value;
		size_t size = strlen(value);

		if (!rt_field_is(line, seen->fields[i].name))
			continue;
		if (part ? rt_needle_in(part, value, size) :
			   rt_match_same(match, value, size, line->value,
				   line->value_size))
			return true;
	}
	return false;
}

/* The first line of `fields`, or of `contains`, that does not fit; false: all
   do. */
static bool
find_unfit(const struct rt_match *match, const struct retort_exchange *seen,
	bool contains, struct rt_line *line)
{
	const char *lines = contains ? match->contains.lines : match->fields;

	for (size_t i = 0; rt_field_next(&lines, line); i++)
		if (!line_fits(match, line,
			    contains ? match->contains.parts + i : NULL, seen))
			return true;
	return false;
}

bool
rt_match_came(const struct rt_line *line, const struct retort_exchange *seen)
{
	return rt_field_came(seen, line->text, line->name_size) != NULL;
}

/* The first field that should be absent; false: there is none. */
static bool
find_present(const char *lines, const struct retort_exchange *seen,
	struct rt_line *line)
{
	while (rt_field_next(&lines, line))
		if (rt_match_came(line, seen))
			return true;
	return false;
}

static bool
fields_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_unfit(match, seen, false, &line);
}

static bool
contains_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_unfit(match, seen, true, &line);
}

static bool
absent_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_present(match->absent, seen, &line);
}

void
rt_match_add_came(struct rt_buf *to, const struct rt_line *line,
	const struct retort_exchange *seen)
{
	bool any = false;

	for (size_t i = 0; i < seen->field_count; i++)
		if (rt_field_is(line, seen->fields[i].name)) {
			const char *value = seen->fields[i].value;

			rt_buf_add_text(to, any ? ", " : ": got ");
			rt_match_add_quoted(to, value, strlen(value));
			any = true;
		}
	if (!any)
		rt_buf_add_text(to, ": no such field");
}

static void
say_line(const struct rt_line *line, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "field differs from %s ", whose);
	rt_match_add_quoted(to, line->text, line->size);
	rt_match_add_came(to, line, seen);
}

static void
say_fields(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (find_unfit(match, seen, false, &line))
		say_line(&line, seen, whose, to);
}

static void
say_contains(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (find_unfit(match, seen, true, &line))
		say_line(&line, seen, whose, to);
}

static void
say_absent(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (!find_present(match->absent, seen, &line))
		return;
	rt_buf_add_format(to, "field that %s wants absent: ", whose);
	rt_match_add_quoted(to, line.text, line.size);
}

/*
 * Whether a field of that name arrived: a different value is nearer than no
 * field.
 */
static bool
came_otherwise(const struct rt_match *match, const struct retort_exchange *seen,
	bool contains)
{
	struct rt_line line;

	return find_unfit(match, seen, contains, &line) &&
		rt_match_came(&line, seen);
}

static unsigned
fields_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return came_otherwise(match, seen, false);
}

static unsigned
contains_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return came_otherwise(match, seen, true);
}

static int
read_fields(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	return read_lines(&match->fields, when->if_field, true, "if_field",
		error);
}

static int
read_contains(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = read_lines(&match->contains.lines, when->if_contains, true,
		"if_contains", error);

	return code < 0 ? code : split_contains(match);
}

/* Reads `if_absent`. It comes after the others: no field that they need can be
   absent. */
static int
read_absent(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = read_lines(&match->absent, when->if_absent, false,
		"if_absent", error);
	const char *lines = match->absent;
	struct rt_line line;

	while (code == 0 && rt_field_next(&lines, &line))
		if (rt_field_has_same(match->fields, &line) ||
			rt_field_has_same(match->contains.lines, &line))
			return rt_fail(error, -EINVAL,
				"if_absent: nothing can fit: field '%.*s' "
				"is both wanted and absent",
				(int)(line.name_size < 80 ? line.name_size :
							    80),
				line.text);
	return code;
}

static void
free_contains(void *member)
{
	struct rt_contained *contains = member;

	free(contains->lines);
	while (contains->count > 0)
		rt_needle_free(contains->parts + --contains->count);
	free(contains->parts);
}

const struct rt_matcher rt_match_field = {
	.given = offsetof(struct rt_match, fields),
	.weight = 2,
	.read = read_fields,
	.fits = fields_fit,
	.near = fields_near,
	.say = say_fields,
	.called = "field",
	.by_line = true,
};

const struct rt_matcher rt_match_contains = {
	.given = offsetof(struct rt_match, contains.lines),
	.weight = 2,
	.read = read_contains,
	.free = free_contains,
	.fits = contains_fit,
	.near = contains_near,
	.say = say_contains,
	.called = "field with",
	.by_line = true,
};

const struct rt_matcher rt_match_absent = {
	.given = offsetof(struct rt_match, absent),
	.weight = 2,
	.read = read_absent,
	.fits = absent_fit,
	.say = say_absent,
	.called = "no field",
	.by_line = true,
};
