/* SPDX-License-Identifier: MIT */
/* A part of a text that belongs to others, without a NUL at its end. */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *at;
	size_t size;
};

static inline struct span
span_of(const char *text)
{
	return (struct span){text, strlen(text)};
}

static inline struct span
span_between(const char *at, const char *end)
{
	return (struct span){at, (size_t)(end - at)};
}

static inline bool
span_begins(struct span span, const char *with)
{
	const size_t size = strlen(with);

	return span.size >= size && memcmp(span.at, with, size) == 0;
}

static inline bool
span_begins_caseless(struct span span, const char *with)
{
	const size_t size = strlen(with);

	return span.size >= size && strncasecmp(span.at, with, size) == 0;
}

static inline bool
span_is(struct span span, const char *text)
{
	return span.size == strlen(text) && span_begins(span, text);
}

#endif
