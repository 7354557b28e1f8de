/* SPDX-License-Identifier: MIT */
/* Growing bytes with a maximum; see buf.h. No system calls but malloc's. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SMALLEST_ROOM 512
#define FIRST_ITEMS 16

void
rt_buf_init(struct rt_buf *buf, size_t max)
{
	*buf = (struct rt_buf){.max = max};
}

void
rt_buf_free(struct rt_buf *buf)
{
	free(buf->data);
	rt_buf_init(buf, buf->max);
}

void
rt_buf_trim(struct rt_buf *buf)
{
	char *data = buf->len > 0 ? realloc(buf->data, buf->len) : NULL;

	if (data == NULL)
		return;
	buf->data = data;
	buf->room = buf->len;
}

char *
rt_buf_reserve(struct rt_buf *buf, size_t size)
{
	size_t room = buf->room;
	char *data;

	if (buf->failed)
		return NULL;
	if (size <= room - buf->len)
		return buf->data ? buf->data + buf->len : NULL;
	if (size > buf->max - buf->len) {
		buf->failed = true;
		return NULL;
	}
	if (room < SMALLEST_ROOM)
		room = SMALLEST_ROOM;
	while (room - buf->len < size)
		room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
	if (room > buf->max)
		room = buf->max;
	data = realloc(buf->data, room);
	if (data == NULL) {
		buf->failed = true;
		return NULL;
	}
	buf->data = data;
	buf->room = room;
	return buf->data + buf->len;
}

void
rt_buf_add_slowly(struct rt_buf *buf, const void *bytes, size_t size)
{
	char *to;

	if (size == 0 || (to = rt_buf_reserve(buf, size)) == NULL)
		return;
	memcpy(to, bytes, size);
	buf->len += size;
}

void
rt_buf_add_number(struct rt_buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	rt_buf_add(buf, digits + at, sizeof digits - at);
}

void
rt_buf_add_format(struct rt_buf *buf, const char *format, ...)
{
	va_list args, again;
	char *to;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	/* vsnprintf wants room for its final NUL, which is not counted */
	if (size < 0)
		buf->failed = true;
	else if ((to = rt_buf_reserve(buf, (size_t)size + 1)) != NULL) {
		(void)vsnprintf(to, (size_t)size + 1, format, again);
		buf->len += (size_t)size;
	}
	va_end(again);
	va_end(args);
}

const char *
rt_buf_text(struct rt_buf *buf)
{
	char *end = rt_buf_reserve(buf, 1);

	if (end == NULL)
		return NULL;
	*end = '\0';
	return buf->data;
}

bool
rt_grow_slowly(void *items, size_t *room, size_t size)
{
	size_t half = *room > 0 ? *room : FIRST_ITEMS / 2;
	void *grown;

	if (half > SIZE_MAX / 2 / size)
		return false;
	/* whatever type its pointer has */
	memcpy(&grown, items, sizeof grown);
	grown = realloc(grown, half * 2 * size);
	if (grown == NULL)
		return false;
	memcpy(items, &grown, sizeof grown);
	*room = half * 2;
	return true;
}

struct rt_blob *
rt_blob_new(const void *bytes, size_t size, bool borrowed)
{
	struct rt_blob *blob;
	char *copy;

	if (!borrowed && size >= SIZE_MAX - sizeof *blob)
		return NULL;
	blob = malloc(sizeof *blob + (borrowed ? 0 : size + 1));
	if (blob == NULL)
		return NULL;
	blob->owners = 1;
	blob->size = size;
	blob->data = bytes;
	if (!borrowed) {
		copy = (char *)(blob + 1);
		if (size > 0)
			memcpy(copy, bytes, size);
		copy[size] = '\0';
		blob->data = copy;
	}
	return blob;
}

struct rt_blob *
rt_blob_share(struct rt_blob *blob)
{
	if (blob != NULL)
		blob->owners++;
	return blob;
}

void
rt_blob_drop(struct rt_blob *blob)
{
	if (blob != NULL && --blob->owners == 0)
		free(blob);
}
