/* SPDX-License-Identifier: MIT */
/*
 * Fields that a user gives, as lines of text: "Name: value\nName: value". Lines
 * end with LF or CRLF, the last one needs no end, and empty ones do not count.
 */
#ifndef RT_FIELD_H
#define RT_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "retort.h"

/* One line, within the text. */
struct rt_line {
	const char *text; /* without its end */
	size_t size;
	size_t name_size;  /* up to the colon, or all of it */
	const char *value; /* without white space around it; NULL: no colon */
	size_t value_size;
};

/* Takes the next line off `*lines` (NULL: none). False: there is none. */
bool rt_field_next(const char **lines, struct rt_line *line);

/* Whether the line has this name, compared without case. */
bool rt_field_is(const struct rt_line *line, const char *name);

/* Whether one of the lines (NULL: none) has this name. */
bool rt_field_has(const char *lines, const char *name);

/* Whether one of the lines has the same name as this one. */
bool rt_field_has_same(const char *lines, const struct rt_line *as);

/*
 * 0, or -EINVAL with a line in `error` (or NULL) about the first line that is
 * no field: "fields: 'x': expected 'Name: value'", where "fields" is `what`.
 * `with_value`: lines are "Name: value"; otherwise they are names alone.
 */
int rt_field_check(const char *lines, bool with_value, const char *what,
	char *error);

/* The value of the first field of a request that has this name, compared
   without case; NULL: none has. */
const char *rt_field_came(const struct retort_exchange *seen, const char *name,
	size_t size);

#endif
