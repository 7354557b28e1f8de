/* SPDX-License-Identifier: MIT */
/*
 * That it listens, and where: to people, scripts and supervisors. Part of the
 * command: sees retort.h only.
 */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "args/args.h"
#include "command/signals.h"
#include "retort.h"

/* --port-file: where the ports stand. */
struct port_file {
	const char *name; /* NULL: nowhere; "-": standard output */
	bool ours;        /* a regular file that is to be removed at the end */
	dev_t device;     /* that one, so that no other is */
	ino_t inode;
};

/*
 * Before anything is bound: what an earlier server has left there is removed,
 * so that a script that waits for it never reads an old port. 0 or -errno.
 */
int port_file_begin(struct port_file *file, const char *name);

/*
 * Writes each distinct port as a line. A regular file is whole whenever it is
 * there; anything else (a link, FIFO or device) is written into. Waits for the
 * reader of a FIFO, until a signal asks us to end. 0 or -errno.
 */
int port_file_write(struct port_file *file, struct retort *server,
	const volatile struct signals *signals);

/* Removes the file, if it is still the one that was written. */
void port_file_end(const struct port_file *file);

/*
 * Each URL as a line on standard output, unless the port file is that, and then
 * the end of standard output; and warns of those that other machines can reach.
 * 0 or -errno.
 */
int announce(struct retort *server, const struct port_file *file);

/* Tells $NOTIFY_SOCKET, if there is one, as sd_notify(3) does. What goes wrong
   is told on standard error. */
void announce_ready(void);

#endif
