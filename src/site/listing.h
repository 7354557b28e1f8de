/* SPDX-License-Identifier: MIT */
/*
 * A folder's listing: a page of HTML.
 *
 * It is made in slices of bounded work, so that a folder of a hundred
 * thousand entries keeps no other client waiting. Entries are put on a heap
 * as they are read and taken off in order as they are written: sorting has no
 * moment of its own.
 */
#ifndef RT_LISTING_H
#define RT_LISTING_H

#include "base/buf.h"
#include "os/file.h"

struct rt_listing;

/* Largest page, and most bytes of names. */
#define RT_MAX_LISTING (64u << 20)

/* Counts the memory of several listings, which own it together. */
struct rt_listings;

/* The most memory of all together, including those that clients read slowly. */
#define RT_MAX_LISTINGS (128u << 20)

/* One owner less. NULL is allowed. */
void rt_listings_drop(struct rt_listings *all);

/*
 * Begins to list an open folder, whose descriptor it takes. `path` is the
 * folder's, as rt_file_path() made it; what the listing needs of it and of
 * `root` is copied. It counts among `*all`, which is made if there is none;
 * `all` may be NULL. 0 or -errno (-ENOMEM, -EMFILE); the descriptor is closed
 * in any case. rt_listing_free() ends it.
 */
int rt_listing_begin(struct rt_listing **to, const struct rt_root *root,
	struct rt_file *folder, const char *path, struct rt_listings **all);

/*
 * Does one slice of the work. 1: the page is complete; 0: call it again; or
 * -errno: the folder cannot be read, or (-ENOMEM) there is no memory, more
 * than RT_MAX_LISTING would be needed, or more than RT_MAX_LISTINGS is held by
 * all; then it can only be freed.
 *
 * Listed is what would be served: files and folders, and links to them that
 * stay beneath the root; names that begin with a dot only where they are.
 * Folders come first; names are sorted by their bytes, ASCII letters without
 * regard to case.
 */
int rt_listing_go_on(struct rt_listing *listing);

/* The page, valid until rt_listing_free(). */
const struct rt_buf *rt_listing_text(const struct rt_listing *listing);

/* NULL is allowed. */
void rt_listing_free(struct rt_listing *listing);

#endif
