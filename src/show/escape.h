/* SPDX-License-Identifier: MIT */
/*
 * Makes text of others harmless, such as the output of a client: whatever it
 * contains, it cannot change a page, a file or a terminal, or look like other
 * text.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* The format of the file that the text goes to. */
enum escape_to {
	TO_TERMINAL,
	TO_HTML, /* between tags, or in double quotes */
	TO_XML,  /* the same */
	TO_JSON  /* in double quotes, which are not written */
};

/* The kinds of bytes, as text. */
enum escape_kind {
	KIND_BYTES, /* no UTF-8 */
	KIND_ODD,   /* with characters that are not seen, or that reorder */
	KIND_PLAIN  /* with none of these, but LF and HT */
};

enum escape_kind escape_kind(const char *bytes, size_t size);

/*
 * Writes the bytes as UTF-8. A byte that is none is \xHH; a character that is
 * not seen, or that changes the order of others, is \uHHHH. In JSON these are
 * U+FFFD and the character's own escape. LF and HT stay, but for JSON; and at a
 * terminal HT alone.
 */
void escape_text(FILE *file, enum escape_to to, const char *bytes, size_t size);

/* A string of JSON, with its double quotes. */
void escape_string(FILE *file, const char *bytes, size_t size);

/* Writes the lines of a text for a terminal, each after `before`, and ended. */
void escape_lines(FILE *file, const char *bytes, size_t size,
	const char *before);

/* Writes a text for a terminal into `to`, as one line without its end, cut to
   `room` bytes including the NUL. */
void escape_line(char *to, size_t room, const char *text);

#endif
