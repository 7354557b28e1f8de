/* SPDX-License-Identifier: MIT */
/* Searching for texts in one pass (Knuth, Morris and Pratt): clients choose
   what is searched, and must not be able to keep the loop busy. */
#ifndef RT_NEEDLE_H
#define RT_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A text that is looked for in one pass, whatever it is and whatever it is
 * looked for in. Its codes are bytes, or what the bytes of a path mean.
 */
struct rt_needle {
	uint16_t *codes;
	uint32_t *back; /* the longest end of the first n codes that is a
	                   beginning of them, too, and shorter */
	size_t size;
	bool nocase; /* ASCII letters are compared without case */
};

/* `codes` are copied. 0 or -ENOMEM. */
int rt_needle_set(struct rt_needle *needle, const uint16_t *codes, size_t size);
int rt_needle_set_bytes(struct rt_needle *needle, const char *bytes,
	size_t size, bool nocase);
void rt_needle_free(struct rt_needle *needle);

/* How many codes of it end with `code`, after `so_far` came before. */
static inline size_t
rt_needle_step(const struct rt_needle *needle, size_t so_far, unsigned code)
{
	while (so_far > 0 && needle->codes[so_far] != code)
		so_far = needle->back[so_far];
	return so_far + (needle->codes[so_far] == code);
}

/* Whether it stands somewhere in the bytes. */
bool rt_needle_in(const struct rt_needle *needle, const char *bytes,
	size_t size);

#endif
