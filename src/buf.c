/* SPDX-License-Identifier: MIT */
/* Growing bytes with a maximum; see buf.h. Makes no system call but malloc's. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SMALLEST_ROOM 512

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
rt_buf_clear(struct rt_buf *buf, size_t keep)
{
	if (buf->room > keep)
		rt_buf_free(buf);
	buf->len = 0;
	buf->failed = false;
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
