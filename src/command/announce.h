/* SPDX-License-Identifier: MIT */
/* Tells people, scripts and supervisors that the server listens, and where. */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "command/signals.h"
#include "command/told_file.h"
#include "retort.h"

/* Writes each distinct port as a line into the port file. As
   told_file_write(). */
int announce_ports(struct retort *server, struct told_file *file,
	const volatile struct signals *signals);

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
