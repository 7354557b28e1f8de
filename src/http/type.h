/* SPDX-License-Identifier: MIT */
/* Media types by file name extension: one sorted table; or by content. */
#ifndef RT_TYPE_H
#define RT_TYPE_H

#include <stddef.h>

#include "retort.h"

/* Files of unknown extension, or of none. */
#define RT_TYPE_UNKNOWN "application/octet-stream"

/* Text that comes from no file. */
#define RT_TYPE_TEXT "text/plain; charset=utf-8"

/*
 * The media type for a path by the last extension of its last segment,
 * compared without case, with "; charset=utf-8" for text/ and for nothing
 * else; RT_TYPE_UNKNOWN otherwise. A dot that begins the name or ends it makes
 * no extension. `more` are `count` pairs of extension and type that go before
 * the table, and whose types are taken as they are: the longest extension that
 * fits, "tar.gz" before "gz", and among the same the last; "" is that of a
 * name without one. The result lives for ever, or as long as `more`.
 */
const char *rt_type_of(const char *path, const struct retort_type *more,
	size_t count);

/*
 * The same, but NULL if the name alone does not say it: an extension that is
 * unknown, or that of binary files and of sources too, as "ts" is of MPEG
 * streams and of TypeScript.
 */
const char *rt_type_find(const char *path, const struct retort_type *more,
	size_t count);

/* Bytes that decide the type of a file whose name does not. */
#define RT_TYPE_PEEK 4096

/*
 * The type that rt_type_find() does not know, by the first bytes: text, unless
 * there is a NUL among them; then as rt_type_of().
 */
const char *rt_type_by_content(const char *path, const void *bytes,
	size_t size);

/* The table itself, for its test; its extensions are in lower case. */
const struct retort_type *rt_type_table(size_t *count);

#endif
