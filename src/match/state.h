/* SPDX-License-Identifier: MIT */
/*
 * The states that rules require and set. "STATE" is the server's own,
 * "NAME:STATE" one of several that it has, "connection:STATE" that of the
 * connection. Each begins as "start". Pure.
 */
#ifndef RT_STATE_H
#define RT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* Most bytes of a name or state; most names of a server's, and most states that
   connections can be in. */
#define RT_STATE_BYTES 32
#define RT_STATE_NAMES 32

struct rt_states {
	size_t count;
	struct {
		char name[RT_STATE_BYTES + 1]; /* "": the server's own */
		char now[RT_STATE_BYTES + 1];
	} of[RT_STATE_NAMES];
	size_t place_count;
	char places[RT_STATE_NAMES][RT_STATE_BYTES + 1];
};

/* That of a connection, which costs no more than this: one of the places, from
   1; 0: start. */
typedef uint8_t rt_place;

/* A word, in its parts. */
struct rt_state_word {
	struct rt_word name; /* of no bytes: the server's own */
	struct rt_word state;
	struct rt_word text; /* both */
};

/* The next of a text that is right; false: there is none. */
bool rt_state_next(const char **text, struct rt_state_word *word);

/* Whether a text has one word or more, as they must be, and no name twice; NULL
   is right. 0 or -EINVAL, with a line that begins with `member`. */
int rt_state_check(const char *text, const char *member, char *error);

/* Makes room for the names, and the states of connections, of a text that is
   right. False: they are too many. */
bool rt_states_note(struct rt_states *states, const char *text);

/* Names that both have are as they are in `from`. */
void rt_states_copy(struct rt_states *to, const struct rt_states *from);

/* The states of a text, whose names were noted, are entered. */
void rt_states_enter(struct rt_states *states, rt_place *connection,
	const char *text);

/* All of them as a text: "ready cart:full connection:data". */
void rt_states_say(const struct rt_states *states, rt_place connection,
	struct rt_buf *to);

/* The state of that name in such a text, which may be NULL. */
struct rt_word rt_state_of(const char *text, struct rt_word name);

#endif
