/* SPDX-License-Identifier: MIT */
/*
 * The preferences of a client. Called by site.c before it opens a file; pure.
 */
#include "config.h"

#include "base/text.h"
#include "site/negotiate.h"

#include <string.h>

/* The codings; among equals the first is taken. */
static const struct rt_content_coding codings[RT_CODINGS] = {
	{"br", ".br"},
	{"zstd", ".zst"},
	{"gzip", ".gz"},
};

#define NOT_NAMED (-1)

/* A member of a list: what stands before its parameters, and its weight. */
struct member {
	const char *name;
	size_t size;
	int weight; /* thousandths */
};

static const char *
skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* The end of the text up to one of these characters, outside quoted strings. */
static const char *
find(const char *at, const char *end, const char *what)
{
	bool quoted = false;

	for (; at < end; at++) {
		if (quoted && *at == '\\' && at + 1 < end)
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && strchr(what, *at) != NULL)
			break;
	}
	return at;
}

static const char *
trim_end(const char *begin, const char *end)
{
	while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return end;
}

/* qvalue (RFC 9110 12.4.2): in thousandths, or -1. */
static int
weight_of(const char *at, const char *end)
{
	int weight, unit = 100;

	if (at == end || (*at != '0' && *at != '1'))
		return -1;
	weight = (*at++ - '0') * 1000;
	if (at < end && *at++ != '.')
		return -1;
	for (; at < end; at++, unit /= 10) {
		if (*at < '0' || *at > '9' || unit == 0)
			return -1;
		weight += (*at - '0') * unit;
	}
	return weight <= 1000 ? weight : -1;
}

/*
 * Reads a parameter. False: malformed, a second weight, or one that is no
 * weight where none other may be.
 */
static bool
take_parameter(const char *at, const char *end, bool others,
	struct member *member)
{
	const char *equals = memchr(at, '=', (size_t)(end - at));

	if (at == end && others) /* RFC 9110 5.6.6 */
		return true;
	if (equals == NULL || !rt_http_is_token(at, (size_t)(equals - at)))
		return false;
	if (equals - at != 1 || (*at | 0x20) != 'q')
		return others && equals + 1 < end;
	if (member->weight != NOT_NAMED)
		return false;
	member->weight = weight_of(equals + 1, end);
	return member->weight >= 0;
}

/* A member without its list; false: malformed. */
static bool
read_member(const char *at, const char *end, bool others, struct member *member)
{
	const char *stop = find(at, end, ";");

	member->name = at;
	member->size = (size_t)(trim_end(at, stop) - at);
	member->weight = NOT_NAMED;
	while (stop < end) {
		at = skip_space(stop + 1, end);
		stop = find(at, end, ";");
		if (!take_parameter(at, trim_end(at, stop), others, member))
			return false;
	}
	if (member->weight == NOT_NAMED)
		member->weight = 1000;
	return member->size > 0;
}

/*
 * Takes the next member that is well-formed off a list; its parameters are
 * weights alone, or `others` too.
 */
static bool
take_member(const char **list, const char *end, bool others,
	struct member *member)
{
	while (*list < end) {
		const char *at = skip_space(*list, end);
		const char *next = find(at, end, ",");

		*list = next < end ? next + 1 : end;
		if (read_member(at, trim_end(at, next), others, member))
			return true;
	}
	return false;
}

static bool
is_named(const struct member *member, const char *name)
{
	return rt_caseless(member->name, member->size, name);
}

/* The weights of a list of codings. */
struct weights {
	int coding[RT_CODINGS];
	int identity;
	int any; /* "*" */
};

static void
weigh(struct weights *weights, const struct member *member)
{
	if (is_named(member, "*"))
		weights->any = member->weight;
	else if (is_named(member, "identity"))
		weights->identity = member->weight;
	else if (is_named(member, "x-gzip"))
		weights->coding[RT_CODINGS - 1] = member->weight;
	for (size_t i = 0; i < RT_CODINGS; i++)
		if (is_named(member, codings[i].name))
			weights->coding[i] = member->weight;
}

/* Takes out the coding of the greatest weight; NULL: none is preferred. */
static const struct rt_content_coding *
best_of(struct weights *weights)
{
	int least = weights->identity > 1 ? weights->identity : 1;
	size_t best = RT_CODINGS;

	for (size_t i = 0; i < RT_CODINGS; i++)
		if (weights->coding[i] >= least) {
			least = weights->coding[i] + 1;
			best = i;
		}
	if (best == RT_CODINGS)
		return NULL;
	weights->coding[best] = 0;
	return codings + best;
}

size_t
rt_negotiate_codings(const struct rt_request *request, const char *base,
	const struct rt_content_coding *wanted[RT_CODINGS])
{
	struct weights weights = {{NOT_NAMED, NOT_NAMED, NOT_NAMED}, NOT_NAMED,
		NOT_NAMED};
	const struct rt_http_field *field;
	const struct rt_content_coding *best;
	struct member member;
	size_t count = 0;

	for (field = rt_http_field(request, base, "Accept-Encoding");
		field != NULL; field = rt_http_next(request, base, field)) {
		const char *at = base + field->value.at;
		const char *end = at + field->value.size;

		while (take_member(&at, end, false, &member))
			weigh(&weights, &member);
	}
	for (size_t i = 0; i < RT_CODINGS; i++)
		if (weights.coding[i] == NOT_NAMED)
			weights.coding[i] = weights.any;
	while ((best = best_of(&weights)) != NULL)
		wanted[count++] = best;
	return count;
}

bool
rt_negotiate_html(const struct rt_request *request, const char *base)
{
	const struct rt_http_field *field =
		rt_http_field(request, base, "Accept");
	struct member member;

	for (; field != NULL; field = rt_http_next(request, base, field)) {
		const char *at = base + field->value.at;
		const char *end = at + field->value.size;

		while (take_member(&at, end, true, &member))
			if (member.weight > 0 && is_named(&member, "text/html"))
				return true;
	}
	return false;
}
