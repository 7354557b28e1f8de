/* SPDX-License-Identifier: MIT */
/* Searching for texts. Called by match/. */
#include "config.h"

#include "base/needle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Finds where the search goes on when a code does not fit. */
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
