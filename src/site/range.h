/* SPDX-License-Identifier: MIT */
/* Byte ranges: the Range field (RFC 9110 14.1.2, 14.2). */
#ifndef RT_RANGE_H
#define RT_RANGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Several ranges cost the delimiters between them, some 150 bytes each,
 * and finding those that meet: as many as this, and as many comparisons with
 * each other as they need among themselves. Beyond, the whole is sent instead.
 */
#define RT_MAX_RANGES 256

struct rt_range {
	uint64_t at;   /* first byte */
	uint64_t size; /* bytes, at least 1 */
};

#define RT_RANGE_UNSATISFIABLE (-1) /* 416 */

/*
 * The ranges that a Range field's value asks of `size` bytes, in its order;
 * those that overlap or touch an earlier one are merged into it, those that
 * begin past the end are left out.
 *
 * The number of ranges; 0 when the field is to be ignored: another unit than
 * bytes, malformed anywhere, more than RT_MAX_RANGES at any time, or so many
 * that meet that they are costly to merge;
 * RT_RANGE_UNSATISFIABLE when it is well-formed and no range has a byte. An
 * empty file asked for from its start, or by a suffix that is not empty, is
 * sent whole: 0.
 */
int rt_range_parse(const char *text, size_t length, uint64_t size,
	struct rt_range ranges[RT_MAX_RANGES]);

#endif
