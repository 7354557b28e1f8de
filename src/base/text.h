/* SPDX-License-Identifier: MIT */
/*
 * Text as people and protocols write it: ASCII letters without case, blanks,
 * percent-encoding (RFC 3986 2.1), and bytes in double quotes, escaped as C has
 * them. The host program's locale has no say in any of it.
 */
#ifndef RT_TEXT_H
#define RT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* An ASCII letter as a small one, any other byte as it is. */
static inline unsigned char
rt_fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/*
 * The order of `size` bytes and a text, as strcmp() has it, with ASCII letters
 * compared without case. strcasecmp() and tolower() obey the host program's
 * locale, in which 'I' need not be the capital of 'i'.
 */
int rt_caseless_order(const char *bytes, size_t size, const char *text);

/* Whether they are the same, but for the case of ASCII letters. */
static inline bool
rt_caseless(const char *bytes, size_t size, const char *text)
{
	/* most differ at once, and by more than the bit of a letter's case */
	return (size == 0 || ((*bytes ^ *text) & ~0x20) == 0) &&
		rt_caseless_order(bytes, size, text) == 0;
}

/* White space within a line: SP or HT. */
static inline bool
rt_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The value of a hexadecimal digit, or -1. */
int rt_text_hex(char c);

/* The byte that "%41" at the beginning of the text stands for; -1: none. */
int rt_text_percent(const char *at, const char *end);

/* --- in quotes --- */

#define RT_TEXT_QUOTED \
	"bytes in double quotes, with \\r \\n \\t \\0 \\\\ \\\" \\xHH"

/* Bytes in double quotes, at most `most` of them and then "...", escaped as C
   has them: what is not printable ASCII, quotes and backslashes. */
void rt_text_quote(struct rt_buf *buf, const void *bytes, size_t size,
	size_t most);

/*
 * Reads `"bytes"` from *at on, adds the bytes to `to`, and moves *at behind
 * it. False: it is none; *at is where.
 */
bool rt_text_unquote(const char **at, const char *end, struct rt_buf *to);

/* The same for the whole of what has no quotes around it. */
bool rt_text_unescape(const char *at, const char *end, struct rt_buf *to);

#endif
