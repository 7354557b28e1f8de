/* SPDX-License-Identifier: MIT */
/*
 * Transcripts as values, and as pictures: the client on the left, the server on
 * the right, and between them what went from one to the other, line by line.
 */
#ifndef LADDER_H
#define LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "show/span.h"

enum ladder_kind {
	LADDER_BYTES,
	LADDER_EMPTY, /* a datagram without any */
	LADDER_FIN,
	LADDER_RST,
	LADDER_TLS, /* bytes of a handshake, which are not kept */
	LADDER_NOTE /* nothing goes: the server has closed it, or TLS is
	               there */
};

/* Bytes or an event, at one time and in one direction. */
struct ladder_step {
	enum ladder_kind kind;
	bool to_client;
	int64_t when;      /* us after the connection began */
	struct span lines; /* LADDER_BYTES: those of the transcript */
	struct span note;  /* LADDER_TLS, LADDER_NOTE: in words */
	uint64_t bytes;    /* how many, with those that it lacks: */
	uint64_t more;
};

/* A clause, and the step at which it is seen. */
struct ladder_fault {
	struct span clause;
	size_t step;
};

/* A connection. */
struct ladder {
	struct span title; /* "connection 1 from 127.0.0.1:40000" */
	struct ladder_step *steps;
	size_t count;
	struct ladder_fault *faults; /* by their steps */
	size_t fault_count;
};

struct ladders {
	const char *version;
	const char *verdict; /* what was not as expected, in lines; "" */
	struct ladder *all;
	size_t count;
	char **texts; /* its own, see ladders_own() */
	size_t text_count;
};

/*
 * Adds the connections of a transcript, which borrow from its text. 0, -ENOMEM,
 * or -EINVAL with a line in `error` that begins with `name`.
 */
int ladders_read(struct ladders *ladders, const char *name, const char *text,
	size_t size, char *error, size_t room);

/* Finds the first transcript in the lines of a verdict; NULL: there is none. */
const char *ladder_find(const char *lines);

/* Takes an allocated text that ladders_read() is to borrow from, and frees it
   with the ladders. False: there is no memory, and it was freed. */
bool ladders_own(struct ladders *ladders, char *text);

void ladders_free(struct ladders *ladders);

/* The next line of a step's bytes, as the transcript has it: printable ASCII if
   it was made by us. False: there is none. */
bool ladder_next_line(struct span *lines, struct span *line);

/* The faults that are seen at that step; NULL: none. */
const struct ladder_fault *ladder_faults_at(const struct ladder *ladder,
	size_t step, size_t *count);

/* Writes the bytes that a line stands for, at most its size; their number. */
size_t ladder_bytes(struct span line, char *bytes);

/* The time between that step and the one before it: us. */
int64_t ladder_pause(const struct ladder *ladder, size_t step);

/* The length that a pause is drawn with, on the same scale in all ladders: the
   number of digits of its milliseconds. */
int ladder_length(int64_t pause);

/* How a text is drawn. */
struct ladder_look {
	int columns;
	bool color;
	bool ascii; /* and no lines of Unicode */
};

void ladders_write_text(FILE *file, const struct ladders *ladders,
	const struct ladder_look *look);
void ladders_write_html(FILE *file, const struct ladders *ladders);

#endif
