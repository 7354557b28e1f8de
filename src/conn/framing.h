/* SPDX-License-Identifier: MIT */
/* Where a piece ends, when bytes arrive without HTTP. Pure. */
#ifndef RT_FRAMING_H
#define RT_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes of a piece, those of its framing among them. */
#define RT_MAX_PIECE (64u << 10)

/* The most bytes of a delimiter. */
#define RT_MAX_DELIMITER 64u

struct rt_framing {
	enum {
		RT_FRAMED_NOT,     /* by what one read returned */
		RT_FRAMED_BY_END,  /* by the delimiter, which belongs to it */
		RT_FRAMED_BY_SIZE, /* by this many bytes before it, big
		                      endian */
		RT_FRAMED_AS_MQTT, /* by the variable length after its first
		                      byte */
		RT_FRAMED_AS_WEBSOCKET /* frames, whose masks are taken off */
	} kind;
	uint8_t size; /* of the delimiter, or of the length: 1, 2 or 4 */
	char end[RT_MAX_DELIMITER];
};

/*
 * Reads "lines", "crlf", `end "bytes"`, "length 1", "length 2", "length 4",
 * "mqtt" or "websocket"; NULL is none. 0, or -EINVAL or -ENOMEM with a line in
 * `error`.
 */
int rt_framing_read(struct rt_framing *framing, const char *text, char *error);

/* Whether they are the same. */
bool rt_framing_is(const struct rt_framing *one,
	const struct rt_framing *other);

/*
 * How many of the `size` bytes are the first piece; 0: more are needed. Of
 * these bytes the first `known` were asked about before, with that answer.
 * -EMSGSIZE: it would be longer than RT_MAX_PIECE; -EBADMSG: its length is
 * malformed, or it is a frame without a mask.
 */
int rt_framing_next(const struct rt_framing *framing, const char *bytes,
	size_t size, size_t known);

/* Takes its mask off a whole piece, in place, if it has one: the bytes that are
   left. */
size_t rt_framing_unmask(const struct rt_framing *framing, char *bytes,
	size_t size);

#endif
