/* SPDX-License-Identifier: MIT */
/*
 * Small files whose content stays in memory from one request to the next, by
 * the paths of requests. Kept content is used only while the file is what it
 * was when it was read. A file is kept only if it was RT_STORE_AGE old by then:
 * for up to that long, a system gives all changes the same time, so a younger
 * file might change without a change of its times.
 *
 * At most RT_STORE_FILES files, and RT_STORE_BYTES of content.
 */
#ifndef RT_STORE_H
#define RT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "os/file.h"
#include "reply/reply.h"

#define RT_STORE_AGE 2 /* seconds */
#define RT_STORE_FILES 256
#define RT_STORE_BYTES (4u << 20)
#define RT_STORE_FILE (64u << 10) /* the largest one */

struct rt_stored {
	struct rt_file file;     /* as it was read; its fd is -1 */
	struct rt_blob *content; /* file.size bytes; NULL: it cannot be kept */
	const char *type;        /* the owner's, NULL at first */
	char etag[RT_ETAG_TEXT];
	struct rt_ready ready; /* with all of it, as the owner likes */
	/* the store's own */
	struct rt_word key; /* the path of a request */
	const char *path;   /* of the file, beneath ROOT */
	char *whole;        /* the same, with ROOT's own before it */
	bool used;          /* since another one wanted its place */
	unsigned asked;     /* how often, when it cannot be kept */
};

/* All zero: it is empty. */
struct rt_store {
	struct rt_stored **places; /* by a hash of the key; NULL: none yet */
	size_t bytes;
	bool eager; /* files of any age are kept; a test may set it */
};

/*
 * The file that is kept for the path of a request, if it is still so. NULL:
 * there is none. It lasts until a file is kept.
 */
struct rt_stored *rt_store_find(struct rt_store *store,
	const struct rt_root *root, struct rt_word key);

/*
 * Keeps the content of an open file, to which the path of a request has led at
 * the time `now`, in seconds; `path` is its path beneath ROOT. NULL: it is not
 * kept.
 */
struct rt_stored *rt_store_keep(struct rt_store *store,
	const struct rt_root *root, struct rt_word key, const char *path,
	const struct rt_file *file, int64_t now);

void rt_store_free(struct rt_store *store);

#endif
