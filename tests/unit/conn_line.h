/* SPDX-License-Identifier: MIT */
/*
 * A statement of a play, as it is read word by word; see conn_play.h. All that
 * is not as expected fails the test.
 */
#ifndef CONN_LINE_H
#define CONN_LINE_H

#include "unit/conn_play.h"

/* A statement, as far as it was not read yet. */
struct line {
	struct hand *hand;
	const char *at;
	const char *end;
};

/* A word of the language, and what it stands for. */
struct word {
	const char *text;
	int64_t value;
};

/* The last one has no text. */
extern const struct word errors[], states[], wants[], asks[];

const char *name_of(const struct word *words, int64_t value);

/* Where the statement ends: at a semicolon outside quotes and parentheses, or
   at the parenthesis that closes those around it. */
const char *statement_end(const char *text);

bool at_end(struct line *line);

/* Whether `text` is next; up to where it is no word, unless it ends with "=" or
   so. */
bool next_is(struct line *line, const char *text);

/* One of the words, if it is next; or what it stands for, as it must be. */
const struct word *next_of(struct line *line, const struct word *words);
int64_t must_have(struct line *line, const struct word *words);

bool is_number(struct line *line);
int64_t next_number(struct line *line);

/* A name's bytes, or those between quotes; NULL: neither is next. */
const char *next_text(struct line *line, size_t *size);
struct bytes next_bytes(struct line *line);

/* As a result: -errno, or 0 if none is next. */
int64_t next_error(struct line *line);

/* The result is as expected, or the test fails. */
void must_be(struct hand *hand, const char *what, uint64_t got,
	uint64_t expected);
void must_be_bytes(struct hand *hand, const char *what, const void *got,
	size_t size, const struct bytes *expected);
void must_ask(struct hand *hand, enum rt_ask ask);

/* Does what it says: all but what encloses other statements. */
void act(struct line *line);

#endif
