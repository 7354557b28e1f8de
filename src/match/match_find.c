/* SPDX-License-Identifier: MIT */
/*
 * Texts that are compared, and looked for. Part of match.
 *
 * A text that is found in one pass (Knuth, Morris and Pratt): a client
 * chooses what is searched, and must not be able to keep the loop busy.
 */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Where the search goes on when a code does not fit. */
static void
find_backs(struct rt_needle *needle)
{
	size_t end = 0;

	for (size_t i = 1; i < needle->size; i++) {
		needle->back[i] = (uint32_t)end;
		end = rt_needle_step(needle, end, needle->codes[i]);
	}
}

int
rt_needle_set(struct rt_needle *needle, const uint16_t *codes, size_t size)
{
	*needle = (struct rt_needle){.size = size};
	if (size == 0)
		return 0;
	if (size > UINT32_MAX)
		return -ENOMEM;
	needle->codes = malloc(size * sizeof *needle->codes);
	needle->back = calloc(size, sizeof *needle->back);
	if (needle->codes == NULL || needle->back == NULL) {
		rt_needle_free(needle);
		return -ENOMEM;
	}
	memcpy(needle->codes, codes, size * sizeof *codes);
	find_backs(needle);
	return 0;
}

int
rt_needle_set_bytes(struct rt_needle *needle, const char *bytes, size_t size,
	bool nocase)
{
	uint16_t *codes = calloc(size + 1, sizeof *codes);
	int code;

	*needle = (struct rt_needle){.size = 0};
	if (codes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		codes[i] = nocase ? rt_fold(bytes[i]) : (unsigned char)bytes[i];
	code = rt_needle_set(needle, codes, size);
	needle->nocase = nocase;
	free(codes);
	return code;
}

void
rt_needle_free(struct rt_needle *needle)
{
	free(needle->codes);
	free(needle->back);
	*needle = (struct rt_needle){.size = 0};
}

bool
rt_needle_in(const struct rt_needle *needle, const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size;
	size_t came = 0;

	if (needle->size == 0)
		return true;
	while (at < end && (size_t)(end - at) >= needle->size - came) {
		/* most bytes begin nothing */
		if (came == 0 && !needle->nocase) {
			at = memchr(at, needle->codes[0], (size_t)(end - at));
			if (at == NULL)
				return false;
		}
		came = rt_needle_step(needle, came,
			needle->nocase ? rt_fold(*at) : (unsigned char)*at);
		at++;
		if (came == needle->size)
			return true;
	}
	return false;
}

/* --- texts as they are --- */

int
rt_match_copy_bytes(char **to, const char *bytes, size_t size)
{
	*to = malloc(size + 1);
	if (*to == NULL)
		return -ENOMEM;
	memcpy(*to, bytes, size);
	(*to)[size] = '\0';
	return 0;
}

int
rt_match_copy(char **to, const char *text)
{
	return text ? rt_match_copy_bytes(to, text, strlen(text)) : 0;
}

bool
rt_match_same(const struct rt_match *match, const char *a, size_t a_size,
	const char *b, size_t b_size)
{
	if (a_size != b_size || a_size == 0)
		return a_size == b_size;
	if (!match->nocase)
		return memcmp(a, b, a_size) == 0;
	for (size_t i = 0; i < a_size; i++)
		if (rt_fold(a[i]) != rt_fold(b[i]))
			return false;
	return true;
}
