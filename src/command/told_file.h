/* SPDX-License-Identifier: MIT */
/* --port-file and --tls-ca: files that are there while the server listens. */
#ifndef TOLD_FILE_H
#define TOLD_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "command/signals.h"

struct told_file {
	const char *name; /* NULL: nowhere; "-": standard output */
	char *made;       /* the name, if told_file_name() made it; NULL */
	bool ours;        /* a regular file that is to be removed at the end: */
	dev_t device;     /* this one, and no other of its name */
	ino_t inode;
};

/*
 * Call this before anything is bound: removes the file of an earlier server, so
 * that a script that waits for the file never reads an old port. 0 or -errno.
 */
int told_file_begin(struct told_file *file, const char *name);

/* Whether it is standard output. */
bool told_file_is_output(const struct told_file *file);

/* Names a temporary file, if it has no name. 0 or -errno. */
int told_file_name(struct told_file *file);

/*
 * Writes the text, unless the file has no name. A regular file is whole
 * whenever it is there; anything else (a link, FIFO or device) is written into.
 * Waits for the reader of a FIFO, until a signal asks us to end. 0 or -errno.
 */
int told_file_write(struct told_file *file, const char *text,
	const volatile struct signals *signals);

/* Removes the file, if it is still the one that was written. */
void told_file_end(struct told_file *file);

#endif
