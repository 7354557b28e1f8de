/* SPDX-License-Identifier: MIT */
/*
 * Edits of the bytes of TLS on their way out, after OpenSSL and before the
 * wire, at positions that count wire bytes, records or flights of the
 * handshake. Pure, and knows no OpenSSL: a record says how long it is.
 *
 * An edit is made where the byte at its position would be sent. If it changes
 * bytes, they change at once. If it takes time, or ends the connection, it
 * becomes a hold: a place among the bytes where their sender has to do
 * something first.
 */
#ifndef RT_WIRE_H
#define RT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum rt_wire_act {
	RT_WIRE_INSERT,  /* `bytes` come before it */
	RT_WIRE_CORRUPT, /* every bit of that byte is inverted */
	RT_WIRE_PAUSE,   /* nothing until all before it has left, and then for
	                    `time` */
	RT_WIRE_CUT      /* nothing more at all, when it has: `how` */
};

enum rt_wire_unit { RT_WIRE_BYTES, RT_WIRE_RECORDS, RT_WIRE_FLIGHTS };

struct rt_wire_edit {
	enum rt_wire_act act;
	enum rt_wire_unit unit;
	uint64_t after; /* this many of the unit, */
	uint64_t plus;  /* and this many bytes */
	char *bytes;    /* owned by the list; NULL: none */
	size_t size;
	int64_t time; /* ns */
	int how;      /* the owner's */
	bool stays;   /* other edits do not replace it */
};

/* Edits, in the order in which they are made at one position. */
struct rt_wire_list {
	struct rt_wire_edit *edits;
	size_t count;
	size_t room;
};

/* Takes its bytes. False: no memory, and they are freed. */
bool rt_wire_add(struct rt_wire_list *list, struct rt_wire_edit edit);
void rt_wire_clear(struct rt_wire_list *list);

/* A place among the bytes where the sender has to do something. */
struct rt_hold {
	size_t at; /* of the bytes that are to be sent */
	enum rt_wire_act act;
	int64_t time;
	int how;
};

/* The way out of one connection. */
struct rt_wire {
	struct rt_wire_list list;
	uint64_t begun; /* bytes from which the positions count */
	uint64_t bytes; /* that have arrived, */
	uint64_t records;
	uint64_t flights; /* before the present ones */
	bool cut;         /* nothing passes any more */
	struct rt_hold *holds;
	size_t hold_count;
	size_t hold_room;
	size_t hold; /* the first that was not obeyed */
};

void rt_wire_free(struct rt_wire *wire);

/*
 * From here on these edits are made as well, which it takes: their positions
 * count from here. Of those that arrived before, the ones that do not stay are
 * forgotten. False: no memory.
 */
bool rt_wire_take(struct rt_wire *wire, struct rt_wire_list *list);

/* Passes whole records on to `out`, edited; `flight`: they are one flight of
   the handshake. False: no memory. */
bool rt_wire_pass(struct rt_wire *wire, struct rt_buf *out, const char *bytes,
	size_t size, bool flight);

/* The next hold; NULL: there is none. */
const struct rt_hold *rt_wire_hold(const struct rt_wire *wire);

/* Call this when the next hold was obeyed. */
void rt_wire_obeyed(struct rt_wire *wire);

/* Call this when all bytes in `out` were sent: places of holds begin anew. */
void rt_wire_sent(struct rt_wire *wire);

#endif
