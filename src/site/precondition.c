/* SPDX-License-Identifier: MIT */
/*
 * Whether a request's conditions hold for what was selected. Called by
 * site_file.c when a file is open; pure.
 */
#include "config.h"

#include "site/precondition.h"

#include <string.h>

#include "http/date.h"

/* An entity tag without its quotes (RFC 9110 8.8.3). */
struct tag {
	const char *opaque;
	size_t size;
	bool weak;
};

/* Reads a tag at the beginning of the text. NULL, or what follows it. */
static const char *
take_tag(const char *at, const char *end, struct tag *tag)
{
	tag->weak = end - at >= 2 && at[0] == 'W' && at[1] == '/';
	if (tag->weak)
		at += 2;
	if (at == end || *at != '"')
		return NULL;
	tag->opaque = ++at;
	/* etagc: visible, or above 0x7f; there is no escape */
	while (at < end && *at != '"' && (unsigned char)*at > ' ' &&
		*at != 0x7f)
		at++;
	if (at == end || *at != '"')
		return NULL;
	tag->size = (size_t)(at - tag->opaque);
	return at + 1;
}

/* RFC 9110 8.8.3.2 */
static bool
same_tag(const struct tag *a, const struct tag *b, bool strong)
{
	return a->size == b->size &&
		memcmp(a->opaque, b->opaque, a->size) == 0 &&
		(!strong || (!a->weak && !b->weak));
}

static const char *
skip(const char *at, const char *end, const char *what)
{
	while (at < end && strchr(what, *at) != NULL)
		at++;
	return at;
}

/* Whether a list of tags in one field line holds this one, or NULL. */
static bool
line_has(const char *at, const char *end, const char *etag, bool strong)
{
	struct tag own, tag;
	const char *next;

	if (etag == NULL || take_tag(etag, etag + strlen(etag), &own) == NULL)
		return false;
	while ((at = skip(at, end, " \t,")) < end) {
		next = take_tag(at, end, &tag);
		if (next != NULL) {
			at = skip(next, end, " \t");
			if ((at == end || *at == ',') &&
				same_tag(&tag, &own, strong))
				return true;
		}
		while (at < end && *at != ',')
			at++;
	}
	return false;
}

enum outcome { ABSENT, HOLDS, FAILS };

/*
 * If-Match and If-None-Match: whether a tag of the list, or "*", matches.
 * ABSENT: there is no such field.
 */
static enum outcome
match(const struct rt_request *request, const char *base, const char *name,
	const struct rt_validators *validators, bool strong)
{
	const struct rt_http_field *field = rt_http_field(request, base, name);

	if (field == NULL)
		return ABSENT;
	for (; field != NULL; field = rt_http_next(request, base, field)) {
		const char *at = base + field->value.at;
		const char *end = at + field->value.size;

		if (rt_span_is(base, field->value, "*"))
			return HOLDS;
		if (line_has(at, end, validators->etag, strong))
			return HOLDS;
	}
	return FAILS;
}

/* The date of a field that stands there once and is valid. */
static bool
date_of(const struct rt_request *request, const char *base, const char *name,
	int64_t now, int64_t *date)
{
	const struct rt_http_field *field = rt_http_field(request, base, name);

	return field != NULL && rt_http_next(request, base, field) == NULL &&
		rt_date_parse(base + field->value.at, field->value.size, now,
			date);
}

/* Whether it was not modified after the field's date; ABSENT: no such date. */
static enum outcome
unmodified(const struct rt_request *request, const char *base, const char *name,
	const struct rt_validators *validators, int64_t now)
{
	int64_t date;

	if (!validators->has_modified ||
		!date_of(request, base, name, now, &date))
		return ABSENT;
	return validators->modified <= date ? HOLDS : FAILS;
}

int
rt_precondition(const struct rt_request *request, const char *base,
	const struct rt_validators *validators, int64_t now)
{
	bool safe = request->method == RT_GET || request->method == RT_HEAD;
	enum outcome outcome;

	outcome = match(request, base, "If-Match", validators, true);
	if (outcome == ABSENT)
		outcome = unmodified(request, base, "If-Unmodified-Since",
			validators, now);
	if (outcome == FAILS)
		return 412;

	outcome = match(request, base, "If-None-Match", validators, false);
	if (outcome == HOLDS)
		return safe ? 304 : 412;
	if (outcome == ABSENT && safe)
		outcome = unmodified(request, base, "If-Modified-Since",
			validators, now);
	return outcome == HOLDS ? 304 : 0;
}

bool
rt_precondition_range(const struct rt_request *request, const char *base,
	const struct rt_validators *validators, int64_t now)
{
	const struct rt_http_field *field =
		rt_http_field(request, base, "If-Range");
	struct tag tag;
	const char *at, *end;
	int64_t date;

	if (field == NULL)
		return true;
	if (rt_http_next(request, base, field) != NULL)
		return false;
	at = base + field->value.at;
	end = at + field->value.size;
	if (take_tag(at, end, &tag) == end)
		return line_has(at, end, validators->etag, true);
	return validators->has_modified && validators->is_exact &&
		rt_date_parse(at, field->value.size, now, &date) &&
		date == validators->modified && date < now;
}
