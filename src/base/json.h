/* SPDX-License-Identifier: MIT */
/* JSON of requests. jansson parses it, if it is there. */
#ifndef RT_JSON_H
#define RT_JSON_H

#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"

#ifdef HAVE_JANSSON

#include <jansson.h>

/* The longest text that is parsed, in bytes, and the deepest. */
#define RT_JSON_BYTES (1u << 20)
#define RT_JSON_DEEPEST 100

/* Why a text is no JSON. */
struct rt_json_wrong {
	size_t at; /* the byte where that shows, from 0 */
	char why[JSON_ERROR_TEXT_LENGTH]; /* "": there is no memory */
};

/* A new value, or NULL. */
json_t *rt_json_parse(const char *bytes, size_t size,
	struct rt_json_wrong *wrong);

#endif

/*
 * Adds the value that a JSON pointer (RFC 6901) finds in the text: the bytes of
 * a string, or else JSON. Nothing, if there is none, or no jansson.
 */
void rt_json_find(const char *bytes, size_t size, struct rt_word pointer,
	struct rt_buf *to);

#endif
