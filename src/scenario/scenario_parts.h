/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room scenario. */
#ifndef RT_SCENARIO_PARTS_H
#define RT_SCENARIO_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "canned/condition.h"
#include "scenario/scenario.h"

/* The most bytes that gather for one item. */
#define RT_SCENARIO_TEXT (64u << 20)

/* The largest number that can be written, so that no sum overflows. */
#define RT_SCENARIO_MOST 999999999999999u

/* The longest time: ms. */
#define RT_SCENARIO_MOST_MS 999999999u

/* Kinds of notices; of each the first one is reported. */
enum rt_notice {
	RT_NOTICE_VERSION, /* another version than HTTP/1.1 */
	RT_NOTICE_CRLF,
	RT_NOTICE_LENGTH,
	RT_NOTICE_CHUNKS,
	RT_NOTICE_CLOSE,    /* Connection */
	RT_NOTICE_PLAIN,    /* Content-Encoding of a text */
	RT_NOTICE_SKIP,     /* a connection of a transcript */
	RT_NOTICE_COMMENT,  /* it belongs to a body */
	RT_NOTICE_INDENTED, /* a directive that belongs to a body */
	RT_NOTICE_MESSAGE,  /* it belongs to a body */
	RT_NOTICE_SHADOW,   /* a rule that is never reached */
	RT_NOTICE_HEADLESS, /* a raw message without its empty line */
	RT_NOTICE_PORTLESS, /* CONNECT */
	RT_NOTICE_WILDCARD, /* in a path */
	RT_NOTICE_SMALL     /* letters of a method, or several methods */
};

struct rt_reader {
	struct rt_scenario *scenario;
	const char *name; /* NULL: nobody is told where it is wrong */
	const char *folder;
	const char *at; /* the next line */
	const char *end;
	const char *line; /* the present one, without its end */
	size_t size;
	unsigned number;
	char *error;
	int code;
	unsigned noticed; /* kinds that were: bits by enum rt_notice */
	bool skips;       /* the connection of a transcript, up to the next */
	struct rt_item *item; /* under way; NULL */
	/* of the item: rt_scenario_add_item() clears these */
	bool raw;      /* its message is left alone */
	bool answered; /* it has its message, or needs none */
	bool message;  /* it was given one as it stands, */
	bool quoted;   /* or in quotes, if only "" */
	/* lines of the item that come one at a time */
	struct rt_buf conditions[RT_CONDITIONS];
	struct rt_buf reply_fields, omit, trailers, faults, parts, bytes;
	size_t part_at; /* where the last of `parts` ends in its text */
};

/* Reports that the text at `at` is wrong. Returns false. */
bool rt_scenario_fail(struct rt_reader *reader, const char *at,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reports that something else was expected at `at`. Returns false. */
bool rt_scenario_expected(struct rt_reader *reader, const char *at,
	const char *what);

/* Reports that there is no memory. Returns false. */
bool rt_scenario_no_memory(struct rt_reader *reader);

/* Reports a correction, or a probable mistake, once for each kind. */
void rt_scenario_notice(struct rt_reader *reader, enum rt_notice kind,
	const char *what);

/* Gives memory to the scenario, which frees it in the end. NULL: `memory` was
   NULL, or there was none to note it. */
void *rt_scenario_own(struct rt_reader *reader, void *memory);

/* Makes a string of a text, for the scenario. NULL: no memory. */
char *rt_scenario_own_text(struct rt_reader *reader, const char *text,
	size_t size);

/* Makes a string of the gathered lines, and empties `lines`. NULL: none. */
const char *rt_scenario_own_lines(struct rt_reader *reader,
	struct rt_buf *lines);

void rt_scenario_add_line(struct rt_buf *lines, const char *text, size_t size);

/* Takes the next line, which becomes the present one. False: there is none. */
bool rt_scenario_next_line(struct rt_reader *reader);

/* Takes the next word of the line from *at on, and moves *at past it. */
struct rt_word rt_scenario_word(const struct rt_reader *reader,
	const char **at);

/* The rest of the line, without white space around it. */
struct rt_word rt_scenario_rest(const struct rt_reader *reader, const char *at);

/* Expects the end of the line. */
bool rt_scenario_ends(struct rt_reader *reader, const char *at);

/* Adds the rest of the line to `lines`. If there is none, `what` was
   expected. */
bool rt_scenario_line(struct rt_reader *reader, const char *at,
	struct rt_buf *lines, const char *what);

/* Reads quoted bytes up to the end of the line, and adds them to `to`. */
bool rt_scenario_quoted(struct rt_reader *reader, const char *at,
	struct rt_buf *to);

/* Reads the type of a frame from *at on, and moves *at past it. Size 0: it is
   none, which is reported. */
struct rt_word rt_scenario_frame_type(struct rt_reader *reader,
	const char **at);

/* Reads the type of a frame, and its payload if it is said, up to the end of
   the line, and adds the frame, without a mask, to `to`. */
bool rt_scenario_frame(struct rt_reader *reader, const char *at,
	struct rt_buf *to);

/* Reads quoted bytes as memory of the scenario; NULL after a mistake. If `what` is not
   NULL, they must be a text of a byte or more, without a NUL, and it is what
   was expected otherwise. */
const char *rt_scenario_own_quoted(struct rt_reader *reader, const char *at,
	const char *what, size_t *size);

/* Reads the rest of the line as a range of numbers from `least` on, as memory
   of the scenario; NULL after a mistake. */
const char *rt_scenario_own_range(struct rt_reader *reader, const char *at,
	uint64_t least, const char *what);

/* Notes the place of a directive of the item under way, whose text is at `at`.
   `once`: a second one is a mistake. */
bool rt_scenario_note(struct rt_reader *reader, const char *directive,
	const char *at, bool once);

/* Adds a place to those of the item. */
bool rt_scenario_add_place(struct rt_reader *reader,
	const struct rt_place *place);

/* The condition that a directive is for; RT_CONDITIONS: none. */
size_t rt_scenario_find_condition(struct rt_word directive);

/* Reads condition `i` for the item under way. */
bool rt_scenario_condition(struct rt_reader *reader, size_t i, const char *at);

/* Gives the item under way the conditions of item `from`, and their places, as
   a mistake in them is there. */
bool rt_scenario_copy_conditions(struct rt_reader *reader, size_t from);

/* Begins an item, with a directive (NULL: none) whose text is at `at`. */
struct rt_item *rt_scenario_add_item(struct rt_reader *reader,
	enum rt_item_kind kind, const char *directive, const char *at);

/* Completes the item under way, if there is one. */
bool rt_scenario_end_item(struct rt_reader *reader);

/* Reads the directive in the present line. */
bool rt_scenario_directive(struct rt_reader *reader);

/* Whether the text begins with the name of a directive that begins an item. */
bool rt_scenario_is_directive(const char *text, size_t size);

/* Read the rest of the line of a directive: in scenario_reply.c those of
   replies, */
bool rt_scenario_read_chunks(struct rt_reader *reader, const char *at);
bool rt_scenario_read_fault(struct rt_reader *reader, const char *at);
bool rt_scenario_read_file(struct rt_reader *reader, const char *at);
bool rt_scenario_read_fill(struct rt_reader *reader, const char *at);
bool rt_scenario_read_frame(struct rt_reader *reader, const char *at);
bool rt_scenario_read_idle(struct rt_reader *reader, const char *at);
bool rt_scenario_read_interim(struct rt_reader *reader, const char *at);
bool rt_scenario_read_next(struct rt_reader *reader, const char *at);
bool rt_scenario_read_part(struct rt_reader *reader, const char *at);
bool rt_scenario_read_raw(struct rt_reader *reader, const char *at);
bool rt_scenario_read_repeat(struct rt_reader *reader, const char *at);
/* and in scenario_condition.c the one that stands for another condition. */
bool rt_scenario_read_if_frame(struct rt_reader *reader, const char *at);

/* Whether a name differs by one letter, or by two that changed places; and in
   case. */
bool rt_scenario_is_near(struct rt_word name, const char *other);

/* Reports that the present line is none of a scenario. False. */
bool rt_scenario_no_line(struct rt_reader *reader);

/* Reports that there is no directive of that name, and which may be meant: that
   which is near it, unless NULL, or a condition. False. */
bool rt_scenario_no_directive(struct rt_reader *reader, struct rt_word name,
	const char *near);

/* Reads @part with its time, at `at`, which stands after `size` bytes of a
   text. */
bool rt_scenario_part(struct rt_reader *reader, const char *at, size_t size);

/* Reads the message that begins with the present line, and corrects it. */
bool rt_scenario_message(struct rt_reader *reader);

/* Reads it as it stands. */
bool rt_scenario_raw_message(struct rt_reader *reader);

/* Reads all lines of a transcript. */
bool rt_scenario_transcript(struct rt_reader *reader);

#endif
