/* SPDX-License-Identifier: MIT */
/* Media types by file name extension: one sorted table. */
#ifndef RT_TYPE_H
#define RT_TYPE_H

#include <stddef.h>

#include "retort.h"

/* What a file of unknown extension, or of none, is. */
#define RT_TYPE_UNKNOWN "application/octet-stream"

/* What text is that comes from no file. */
#define RT_TYPE_TEXT "text/plain; charset=utf-8"

/*
 * The media type for a path by the last extension of its last segment,
 * compared without case, with "; charset=utf-8" for text/ and for nothing
 * else; RT_TYPE_UNKNOWN otherwise. A dot that begins the name or ends it makes
 * no extension. `more` are `count` pairs of extension and type that go before
 * the table, the last of them first, and whose types are taken as they are.
 * The result lives for ever, or as long as `more`.
 */
const char *rt_type_of(const char *path, const struct retort_type *more,
	size_t count);

/* The table itself, for its test; its extensions are in lower case. */
const struct retort_type *rt_type_table(size_t *count);

#endif
