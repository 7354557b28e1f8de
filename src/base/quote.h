/* SPDX-License-Identifier: MIT */
/* Bytes as text that people write: in double quotes, escaped as C has them. */
#ifndef RT_QUOTE_H
#define RT_QUOTE_H

#include <stdbool.h>

#include "base/buf.h"

#define RT_QUOTE_WANTS \
	"bytes in double quotes, with \\r \\n \\t \\0 \\\\ \\\" \\xHH"

/* The value of a hexadecimal digit, or -1. */
int rt_quote_hex(char c);

/*
 * Reads `"bytes"` from *at on, adds the bytes to `to`, and moves *at behind
 * it. False: it is none; *at is where.
 */
bool rt_quote_read(const char **at, const char *end, struct rt_buf *to);

/* The same for the whole of what has no quotes around it. */
bool rt_quote_unescape(const char *at, const char *end, struct rt_buf *to);

#endif
