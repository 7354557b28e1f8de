/* SPDX-License-Identifier: MIT */
/* Lines of text as fields. Called by all rooms that read a user's fields. */
#include "config.h"

#include "http/field.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "http/http.h"

bool
rt_field_next(const char **lines, struct rt_line *line)
{
	const char *at = *lines, *colon, *end;

	if (at == NULL)
		return false;
	at += strspn(at, "\r\n");
	if (*at == '\0')
		return false;
	line->text = at;
	line->size = strcspn(at, "\n");
	*lines = at + line->size;
	if (line->size > 0 && at[line->size - 1] == '\r')
		line->size--;
	end = at + line->size;
	colon = memchr(at, ':', line->size);
	line->name_size = colon ? (size_t)(colon - at) : line->size;
	line->value = NULL;
	line->value_size = 0;
	if (colon != NULL) {
		for (at = colon + 1; at < end && rt_is_blank(*at); at++)
			;
		while (end > at && rt_is_blank(end[-1]))
			end--;
		line->value = at;
		line->value_size = (size_t)(end - at);
	}
	return true;
}

bool
rt_field_is(const struct rt_line *line, const char *name)
{
	return rt_caseless(line->text, line->name_size, name);
}

bool
rt_field_has_same(const char *lines, const struct rt_line *as)
{
	struct rt_line line;

	while (rt_field_next(&lines, &line))
		if (line.name_size == as->name_size &&
			rt_caseless_same(line.text, as->text, as->name_size))
			return true;
	return false;
}

bool
rt_field_has(const char *lines, const char *name)
{
	struct rt_line line;

	while (rt_field_next(&lines, &line))
		if (rt_field_is(&line, name))
			return true;
	return false;
}

int
rt_field_check(const char *lines, bool with_value, const char *what,
	char *error)
{
	const char *wanted = NULL;
	struct rt_line line;

	while (wanted == NULL && rt_field_next(&lines, &line)) {
		if (with_value && line.value == NULL)
			wanted = "'Name: value'";
		else if (!rt_http_is_token(line.text, line.name_size))
			wanted = "a token as field name";
		else if (!with_value && line.value != NULL)
			wanted = "a field's name alone";
		else if (with_value &&
			!rt_http_is_value(line.value, line.value_size))
			wanted = "no control characters";
	}
	return wanted == NULL ?
		0 :
		rt_fail(error, -EINVAL, "%s: '%.*s': expected %s", what,
			(int)(line.size < 100 ? line.size : 100), line.text,
			wanted);
}

const char *
rt_field_came(const struct retort_exchange *seen, const char *name, size_t size)
{
	for (size_t i = 0; i < seen->field_count; i++)
		if (rt_caseless(name, size, seen->fields[i].name))
			return seen->fields[i].value;
	return NULL;
}
