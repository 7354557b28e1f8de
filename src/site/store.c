/* SPDX-License-Identifier: MIT */
/*
 * A table with one place for each key, and no chains. A file does not get a
 * place if the file there was used since another one last wanted it, so that
 * two files with one place do not drive each other out all the time. When there
 * are too many bytes, all of them go: whatever is asked for often is soon there
 * again.
 */
#include "config.h"

#include "site/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"

/* A file that cannot be kept, as there is a link on the way to it, is tried
   again after this number of requests. */
#define RETRY 256

static size_t
place_of(struct rt_word key)
{
	uint64_t hash = rt_text_hash(RT_TEXT_HASH, key.text, key.size);

	return (hash ^ hash >> 32) % RT_STORE_FILES;
}

/* Whether it is the file that was read. */
static bool
is_still(struct rt_stored *stored, const struct rt_root *root)
{
	return rt_file_is_still(&stored->file, root, stored->whole,
		(size_t)(stored->path - stored->whole));
}

static bool
is_of(const struct rt_stored *stored, struct rt_word key)
{
	return stored != NULL && stored->key.size == key.size &&
		memcmp(stored->key.text, key.text, key.size) == 0;
}

static void
drop(struct rt_store *store, struct rt_stored **place)
{
	if (*place == NULL)
		return;
	if ((*place)->content != NULL)
		store->bytes -= (size_t)(*place)->file.size;
	rt_blob_drop((*place)->content);
	rt_ready_free(&(*place)->ready);
	free(*place);
	*place = NULL;
}

static void
drop_all(struct rt_store *store)
{
	for (size_t i = 0; i < RT_STORE_FILES; i++)
		drop(store, store->places + i);
}

struct rt_stored *
rt_store_find(struct rt_store *store, const struct rt_root *root,
	struct rt_word key)
{
	struct rt_stored **place;
	struct rt_stored *stored;

	if (store->places == NULL)
		return NULL;
	place = store->places + place_of(key);
	stored = *place;
	if (!is_of(stored, key) || stored->content == NULL)
		return NULL;
	if (!is_still(stored, root)) {
		drop(store, place);
		return NULL;
	}
	stored->used = true;
	return stored;
}

/* Whether the file is worth being kept, and would show when it changes. */
static bool
is_fit(const struct rt_store *store, const struct rt_file *file, int64_t now)
{
	return S_ISREG(file->mode) && !file->bodiless &&
		file->size <= RT_STORE_FILE &&
		(store->eager || file->changed + RT_STORE_AGE < now);
}

/* Makes a place, with its texts after it, and no content yet. NULL: no
   memory. */
static struct rt_stored *
new_stored(struct rt_word key, const struct rt_root *root, const char *path,
	const struct rt_file *file)
{
	size_t root_size = strlen(root->path), path_size = strlen(path) + 1;
	struct rt_stored *stored =
		malloc(sizeof *stored + root_size + 1 + path_size + key.size);
	char *text;

	if (stored == NULL)
		return NULL;
	*stored = (struct rt_stored){.file = *file};
	stored->file.fd = -1;
	rt_file_etag(file, stored->etag);
	text = stored->whole = (char *)(stored + 1);
	memcpy(text, root->path, root_size);
	text += root_size;
	/* ROOT may be the file itself */
	*text++ = root->name != NULL ? '\0' : '/';
	stored->path = memcpy(text, path, path_size);
	stored->key =
		(struct rt_word){memcpy(text + path_size, key.text, key.size),
			key.size};
	return stored;
}

/* The content of the file, if one read has all of it, and the file is the same
   afterwards. NULL: it is not, or there is a link on the way to it, or no
   memory. */
static struct rt_blob *
read_still(struct rt_stored *stored, const struct rt_root *root,
	const struct rt_file *file)
{
	size_t size = (size_t)file->size;
	char *bytes = malloc(size + 1);
	struct rt_blob *content = NULL;

	if (bytes != NULL && rt_file_peek(file, bytes, size) == size &&
		is_still(stored, root))
		content = rt_blob_new(bytes, size, false);
	free(bytes);
	return content;
}

/* Whether the file in that place stays there. */
static bool
is_taken(struct rt_stored *stored, struct rt_word key)
{
	bool used;

	if (stored == NULL)
		return false;
	if (is_of(stored, key))
		return stored->content == NULL && stored->asked++ < RETRY;
	used = stored->used;
	stored->used = false;
	return used;
}

struct rt_stored *
rt_store_keep(struct rt_store *store, const struct rt_root *root,
	struct rt_word key, const char *path, const struct rt_file *file,
	int64_t now)
{
	struct rt_stored **place;
	struct rt_stored *stored;

	if (root->path == NULL || !is_fit(store, file, now))
		return NULL;
	if (store->places == NULL)
		store->places = calloc(RT_STORE_FILES, sizeof(void *));
	if (store->places == NULL)
		return NULL;
	place = store->places + place_of(key);
	if (is_taken(*place, key))
		return NULL;
	drop(store, place);
	stored = new_stored(key, root, path, file);
	if (stored == NULL)
		return NULL;
	stored->content = read_still(stored, root, file);
	if (stored->content != NULL) {
		if (store->bytes + file->size > RT_STORE_BYTES)
			drop_all(store);
		store->bytes += (size_t)file->size;
	}
	*place = stored;
	return stored->content != NULL ? stored : NULL;
}

void
rt_store_free(struct rt_store *store)
{
	if (store->places != NULL)
		drop_all(store);
	free(store->places);
	*store = (struct rt_store){.places = NULL};
}
