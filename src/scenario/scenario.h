/* SPDX-License-Identifier: MIT */
/*
 * Scenarios: rules and expectations as one readable text; retort(5) has the
 * grammar. A transcript is a scenario, too, which gives its replies again, once
 * each. Pure.
 */
#ifndef RT_SCENARIO_H
#define RT_SCENARIO_H

#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"
#include "retort.h"

enum rt_item_kind { RT_ITEM_RULE, RT_ITEM_EXPECT, RT_ITEM_ORDER };

/* The directive of a message, which begins without one. */
#define RT_MESSAGE "message"

/* The place of a directive: its line and column, from 1, and the text after its
   name, within the text that was read. */
struct rt_place {
	const char *directive; /* its name, which lives for ever, or
	                          RT_MESSAGE; NULL: none */
	unsigned line, column;
	struct rt_word said;
};

/* A rule, or an expectation. Its strings are the scenario's. */
struct rt_item {
	enum rt_item_kind kind;
	struct rt_place begins;  /* its first directive, or where it begins */
	struct rt_place *places; /* of the others */
	size_t place_count;
	size_t place_room;
	struct retort_reply rule; /* of an expectation: its conditions */
	size_t least;
	size_t most;
	const char *connections; /* on how many; NULL: on any */
	const char **requests;   /* of an order; NULL-terminated */
};

struct rt_scenario {
	struct rt_item *items;
	size_t count;
	size_t room;
	const char *framing;   /* of pieces; NULL: it says nothing of it */
	unsigned framing_line; /* where it says so, from 1, */
	unsigned framing_column;
	struct rt_buf notices; /* a line for each correction */
	void **owned;          /* memory of the items */
	size_t owned_count;
	size_t owned_room;
};

/*
 * Reads `size` bytes of text. `name` is for messages, `folder` what the names
 * of files are relative to (NULL: the working folder). 0, or -errno with
 * "name:line:column: ..." in `error` (RETORT_ERROR_SIZE bytes): -EINVAL, it is
 * malformed; -ENOMEM.
 */
int rt_scenario_read(struct rt_scenario *scenario, const char *name,
	const char *folder, const char *text, size_t size, char *error);

/*
 * Reads bytes as a line of a scenario has them, QUOTED or "@frame TYPE
 * [QUOTED]", and adds them to `to`. 0, or -errno with what was expected in
 * `error` (RETORT_ERROR_SIZE bytes, or NULL): -EINVAL, it is malformed;
 * -ENOMEM.
 */
int rt_scenario_bytes(struct rt_buf *to, const char *text, char *error);

/*
 * The directive of an item that a mistake is about, in the member of that name
 * of struct retort_reply, where `request` is that of its first directive; of
 * several the one whose text `wrong` has in quotes, or at its beginning, or
 * else the first. The text that was read must still be there. NULL: none is.
 */
const struct rt_place *rt_scenario_place(const struct rt_item *item,
	const char *member, size_t size, const char *wrong);

/* The column of the text there that `wrong` has in quotes or at its beginning,
   whole or in part. 0: it has nothing of it. */
unsigned rt_scenario_column(const struct rt_place *place, const char *wrong);

/* What is wrong with an item, in the words of scenarios: "@fill" in place of
   ".fill", up to what it quotes. `to` has `room` bytes. */
void rt_scenario_words(const struct rt_item *item, const char *wrong, char *to,
	size_t room);

/* Call this also if it could not be read. */
void rt_scenario_free(struct rt_scenario *scenario);

#endif
