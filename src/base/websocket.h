/* SPDX-License-Identifier: MIT */
/* WebSockets (RFC 6455): the answer to a handshake, and frames. Pure. */
#ifndef RT_WEBSOCKET_H
#define RT_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* Bytes of Sec-WebSocket-Accept. */
#define RT_WEBSOCKET_ACCEPT 28u

/* The value of Sec-WebSocket-Accept for this Sec-WebSocket-Key. */
void rt_websocket_accept(const char *key, size_t size,
	char accept[RT_WEBSOCKET_ACCEPT]);

/*
 * The first frame in bytes from a client: how many there are before its
 * payload, and the size of that. 0: more are needed; -EBADMSG: it has no mask,
 * or its length is malformed: it has more bytes than it needs, or a close, ping
 * or pong has a payload above 125.
 */
int rt_websocket_frame(const char *bytes, size_t size, uint64_t *payload);

/* Takes the mask off a whole frame of `size` bytes, in place: how many are
   left. */
size_t rt_websocket_unmask(char *bytes, size_t size);

/* The payload of a whole frame without a mask; empty: it is none. */
struct rt_word rt_websocket_payload(const char *bytes, size_t size);

/* The type of a frame by its name, one of RT_WEBSOCKET_FRAMES. 0: there is no
   such. */
#define RT_WEBSOCKET_FRAMES "text, binary, close, ping or pong"
unsigned rt_websocket_opcode(struct rt_word name);

/* The name of the type of a whole frame without a mask, or of its first byte
   alone. NULL: it is neither. */
const char *rt_websocket_type(const char *bytes, size_t size);

/* Makes a frame without a mask of all that is in `to` from `payload` on. */
void rt_websocket_wrap(struct rt_buf *to, unsigned opcode, size_t payload);

#endif
