/* SPDX-License-Identifier: MIT */
/* Tells people, scripts and supervisors that the server listens, and where. */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "command/signals.h"
#include "retort.h"

/* --port-file and --tls-ca: a file that is there while the server listens. */
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
 * Writes each distinct port as a line; or the CA, unless it is NULL. A regular
 * file is whole whenever it is there; anything else (a link, FIFO or device) is
 * written into. Waits for the reader of a FIFO, until a signal asks us to end.
 * 0 or -errno.
 */
int told_file_ports(struct told_file *file, struct retort *server,
	const volatile struct signals *signals);
int told_file_ca(struct told_file *file, const char *ca,
	const volatile struct signals *signals);

/* Removes the file, if it is still the one that was written. */
void told_file_end(struct told_file *file);

/*
 * Writes each URL as a line to standard output, unless the port file is that,
 * and warns of URLs that other machines can reach. 0 or -errno.
 */
int announce(struct retort *server, const struct told_file *file);

/* Ends standard output, so that its reader, as in "$(...)", sees the end. */
void announce_end(void);

/* Notifies $NOTIFY_SOCKET, if it is set, as sd_notify(3) does. Reports errors
   on standard error. */
void announce_ready(void);

#endif
