/* SPDX-License-Identifier: MIT */
/*
 * Targets are compared by what they mean: however a client writes a byte, as
 * itself or percent-encoded, it is the same byte. What separates is apart from
 * what is only encoded: "%2F" from "/", and in a query "%26", "%3D" and "%2B"
 * from "&", "=" and "+".
 */
#include "config.h"

#include "route/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/http.h"

static const char path_separators[] = "/";
static const char query_separators[] = "&=+";

/* Added to a separator that was encoded. */
#define ENCODED 0x100u

static unsigned
meaning(int byte, const char *separators)
{
	return byte != '\0' && strchr(separators, byte) != NULL ?
		ENCODED + (unsigned)byte :
		(unsigned)byte;
}

/* Takes what stands first, or last, off the text. */
static unsigned
take(const char **at, const char *end, const char *separators)
{
	int byte = **at == '%' ? rt_text_percent(*at, end) : -1;

	if (byte < 0)
		return (unsigned char)*(*at)++;
	*at += 3;
	return meaning(byte, separators);
}

static unsigned
take_last(const char *begin, const char **end, const char *separators)
{
	/* no encoding overlaps another: a digit is no '%' */
	int byte = *end - begin < 3 ? -1 : rt_text_percent(*end - 3, *end);

	if (byte < 0)
		return (unsigned char)*--*end;
	*end -= 3;
	return meaning(byte, separators);
}

/* --- paths --- */

static int
set_part(struct rt_needle *part, const char *text, size_t size, uint16_t *codes)
{
	const char *end = text + size;
	size_t count = 0;

	while (text < end)
		codes[count++] = (uint16_t)take(&text, end, path_separators);
	return rt_needle_set(part, codes, count);
}

int
rt_path_set(struct rt_path *path, const char *text, size_t size)
{
	uint16_t *codes = calloc(size + 1, sizeof *codes);
	const char *at, *star;
	int code = 0;

	path->count = 1;
	for (size_t i = 0; i < size; i++)
		path->count += text[i] == '*';
	path->text = strndup(text, size);
	path->parts = calloc(path->count, sizeof *path->parts);
	if (codes == NULL || path->text == NULL || path->parts == NULL) {
		code = -ENOMEM;
		goto out;
	}
	at = path->text;
	for (size_t i = 0; i < path->count && code == 0; i++) {
		star = at + strcspn(at, "*");
		code = set_part(path->parts + i, at, (size_t)(star - at),
			codes);
		at = star + 1;
	}
out:
	free(codes);
	if (code < 0)
		rt_path_free(path);
	return code;
}

void
rt_path_free(struct rt_path *path)
{
	for (size_t i = 0; path->parts != NULL && i < path->count; i++)
		rt_needle_free(path->parts + i);
	free(path->parts);
	free(path->text);
	*path = (struct rt_path){.text = NULL};
}

/* The path of a target as it came, not terminated, and where it ends. */
static const char *
raw_path(const char *target, const char **end)
{
	static const char root[] = "/";
	const char *scheme;

	if (target == NULL) {
		*end = root;
		return root;
	}
	if (*target != '/' && (scheme = strstr(target, "://")) != NULL) {
		target = scheme + 3 + strcspn(scheme + 3, "/?");
		if (*target != '/') {
			*end = root + 1;
			return root;
		}
	}
	*end = target + strcspn(target, "?");
	return target;
}

static bool
begins(const struct rt_needle *part, const char **at, const char *end)
{
	for (size_t i = 0; i < part->size; i++)
		if (*at >= end ||
			take(at, end, path_separators) != part->codes[i])
			return false;
	return true;
}

static bool
ends(const struct rt_needle *part, const char *at, const char **end)
{
	for (size_t i = part->size; i-- > 0;)
		if (at >= *end ||
			take_last(at, end, path_separators) != part->codes[i])
			return false;
	return true;
}

/* Moves *at past the first occurrence of the part. */
static bool
seek(const struct rt_needle *part, const char **at, const char *end)
{
	size_t came = 0;

	while (came < part->size) {
		/* most bytes begin nothing */
		while (came == 0 && *at < end && **at != '%' &&
			(unsigned char)**at != part->codes[0])
			(*at)++;
		if (*at == end)
			return false;
		came = rt_needle_step(part, came,
			take(at, end, path_separators));
	}
	return true;
}

/* The bytes from `from` on, up to the part, which ends at `end`. */
static struct rt_word
before(const struct rt_needle *part, const char *from, const char *end)
{
	for (size_t i = part->size; i > 0; i--)
		(void)take_last(from, &end, path_separators);
	return (struct rt_word){from, (size_t)(end - from)};
}

bool
rt_path_fits(const struct rt_path *path, const char *target,
	struct rt_word *stars)
{
	const struct rt_needle *part = path->parts,
			       *last = part + path->count - 1;
	const char *end, *star, *at = raw_path(target, &end);

	if (!begins(part, &at, end))
		return false;
	if (part == last)
		return at == end;
	if (!ends(last, at, &end))
		return false;
	while (++part < last) {
		star = at;
		if (!seek(part, &at, end))
			return false;
		if (stars != NULL)
			*stars++ = before(part, star, at);
	}
	if (stars != NULL)
		*stars = (struct rt_word){at, (size_t)(end - at)};
	return true;
}

size_t
rt_path_common(const struct rt_path *path, const char *target)
{
	const char *end, *at = raw_path(target, &end);
	const char *own = path->text, *own_end = own + strlen(own), *next = own;

	while (next < own_end && at < end && *next != '*' &&
		take(&next, own_end, path_separators) ==
			take(&at, end, path_separators))
		own = next;
	return (size_t)(own - path->text);
}

/* --- parameters --- */

static bool
is_same(const char *a, size_t a_size, const char *b, size_t b_size)
{
	const char *a_end = a + a_size, *b_end = b + b_size;

	while (a < a_end && b < b_end)
		if (take(&a, a_end, query_separators) !=
			take(&b, b_end, query_separators))
			return false;
	return a == a_end && b == b_end;
}

static bool
has_parameter(const char *query, const char *wanted, size_t wanted_size)
{
	while (query != NULL && *query != '\0') {
		size_t size = strcspn(query, "&");

		if (is_same(query, size, wanted, wanted_size))
			return true;
		query += size;
		query += strspn(query, "&");
	}
	return false;
}

const char *
rt_query_missing(const char *wanted, const char *query, size_t *size)
{
	wanted += strspn(wanted, "&");
	while (*wanted != '\0') {
		*size = strcspn(wanted, "&");
		if (!has_parameter(query, wanted, *size))
			return wanted;
		wanted += *size;
		wanted += strspn(wanted, "&");
	}
	return NULL;
}
