/* SPDX-License-Identifier: MIT */
/*
 * Bytes that grow up to a stated maximum.
 *
 * A buffer that could not grow (out of memory, or past its maximum) has
 * failed: it keeps what it held and ignores what is added from then on, so
 * that a caller builds a whole text and looks once at the end.
 */
#ifndef RT_BUF_H
#define RT_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rt_buf {
	char *data;  /* not terminated; NULL until the first byte */
	size_t len;  /* bytes held */
	size_t room; /* bytes allocated */
	size_t max;  /* never more than this many are allocated */
	bool failed;
};

/* Begins an empty buffer, which allocates at most `max` bytes. */
void rt_buf_init(struct rt_buf *buf, size_t max);
void rt_buf_free(struct rt_buf *buf);

/* Empties it, clears the failure, and keeps at most `keep` bytes of memory. */
static inline void
rt_buf_clear(struct rt_buf *buf, size_t keep)
{
	if (buf->room > keep)
		rt_buf_free(buf);
	buf->len = 0;
	buf->failed = false;
}

/* Gives back the memory that it does not use. */
void rt_buf_trim(struct rt_buf *buf);

/*
 * Makes room for `size` more bytes and returns where they go, or NULL when
 * the buffer has failed. Pointers into the buffer are void afterwards.
 */
char *rt_buf_reserve(struct rt_buf *buf, size_t size);

/* rt_buf_add() when there is no room yet. */
void rt_buf_add_slowly(struct rt_buf *buf, const void *bytes, size_t size);

/* Inline: a reply's head is made of many short constant pieces. */
static inline void
rt_buf_add(struct rt_buf *buf, const void *bytes, size_t size)
{
	if (buf->failed || size == 0 || size > buf->room - buf->len) {
		rt_buf_add_slowly(buf, bytes, size);
		return;
	}
	memcpy(buf->data + buf->len, bytes, size);
	buf->len += size;
}

static inline void
rt_buf_add_text(struct rt_buf *buf, const char *text)
{
	rt_buf_add(buf, text, strlen(text));
}

void rt_buf_add_number(struct rt_buf *buf, uint64_t number);
void rt_buf_add_format(struct rt_buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The bytes as text, followed by a NUL, which `len` does not count. Valid until
   something is added; NULL: the buffer has failed. */
const char *rt_buf_text(struct rt_buf *buf);

/* rt_grow() when there is no room. */
bool rt_grow_slowly(void *items, size_t *room, size_t size);

/*
 * Makes room for one more in an array that grows by doubling. `items` is the
 * address of the pointer to it (NULL: empty), `room` what it has room for,
 * `count` what it holds, `size` the bytes of each. False: no memory, and
 * everything is as it was.
 */
static inline bool
rt_grow(void *items, size_t *room, size_t count, size_t size)
{
	return count < *room || rt_grow_slowly(items, room, size);
}

/*
 * Clears a struct, as an initializer does. For one of more than 100 bytes
 * compilers make of that an instruction that is slow to begin: up to 256 bytes,
 * pieces take a quarter of the time, and half of what memset(3) takes. Each
 * request clears several.
 */
static inline void
rt_clear(void *room, size_t size)
{
	char *at = room;

	for (; size >= 64; size -= 64, at += 64)
		memset(at, 0, 64);
	memset(at, 0, size % 64);
}

/*
 * Bytes with several owners, freed with the last of them. All owners belong
 * to one server, which is used by one thread at a time.
 */
struct rt_blob {
	size_t owners;
	size_t size;
	const char *data; /* what follows, with a NUL after it; or the
	                     caller's, if borrowed */
};

/* Makes a blob of one owner. Borrowed bytes are not copied, and outlive it.
   NULL: no memory. */
struct rt_blob *rt_blob_new(const void *bytes, size_t size, bool borrowed);

/* Adds an owner, and returns the same blob. NULL is allowed. */
struct rt_blob *rt_blob_share(struct rt_blob *blob);

/* Takes an owner off, and frees it after the last. NULL is allowed. */
void rt_blob_drop(struct rt_blob *blob);

#endif
