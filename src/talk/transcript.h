/* SPDX-License-Identifier: MIT */
/* --transcript: files that are written a little at a time, so that a slow disk
   delays nobody for long. */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A transcript that waits to be written. */
struct transcript {
	struct transcript *next;
	uint64_t connection;
	char *text; /* its own */
	size_t size;
};

struct transcripts {
	const char *dir;          /* NULL: none are written */
	struct transcript *first; /* in the order in which they ended */
	struct transcript *last;
	size_t held; /* bytes of theirs */
	size_t at;   /* bytes of the first that are written */
	int fd;      /* of the first; -1: it is not begun */
};

/* Takes the text, to write it to DIR/N.txt. False: too many bytes wait. */
bool transcripts_add(struct transcripts *transcripts, uint64_t connection,
	char *text);

/* Writes at most `most` bytes of the transcripts. NULL, or the failure of one
   of them, in `error`. */
const char *transcripts_write(struct transcripts *transcripts, size_t most,
	char *error, size_t size);

#endif
