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

/* Room for the reason why a text is no JSON. */
#define RT_JSON_WRONG (JSON_ERROR_TEXT_LENGTH + 40)

/* A new value. NULL: `wrong` says why, and is empty if there is no memory. */
json_t *rt_json_parse(const char *bytes, size_t size, char *wrong, size_t room);

#endif

/*
 * Adds the value that a JSON pointer (RFC 6901) finds in the text: the bytes of
 * a string, or else JSON. Nothing, if there is none, or no jansson.
 */
void rt_json_find(const char *bytes, size_t size, struct rt_word pointer,
	struct rt_buf *to);

#endif
