/* SPDX-License-Identifier: MIT */
/* Several ranges of a file in one reply. */
#ifndef RT_SITE_RANGES_H
#define RT_SITE_RANGES_H

#include "reply/reply.h"
#include "site/range.h"

/*
 * Adds the body, as multipart/byteranges (RFC 9110 14.6), and its Content-Type:
 * at most RT_MAX_RANGES of a file of `size` bytes; `type` is the file's own.
 * `content` is all of it (NULL: it is in the file alone). Takes `fd`.
 */
void rt_site_ranges(struct rt_draft *draft, const char *content, int fd,
	uint64_t size, const struct rt_range *ranges, size_t count,
	const char *type);

#endif
