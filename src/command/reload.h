/* SPDX-License-Identifier: MIT */
/* --reload: reads the scenario again when its file has changed. */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>
#include <sys/stat.h>

#include "args/args.h"
#include "talk/output.h"

/* ms between two looks at the file. */
#define RELOAD_INTERVAL 200

struct reload {
	const struct args *args;
	bool changed; /* the file has, since it was read, to this: */
	struct stat seen;
	struct stat read; /* as it was read */
};

/* Call this before the scenario is read for the first time. */
void reload_begin(struct reload *reload, const struct args *args);

/*
 * Looks at the file, and reads it if it has changed and is complete, which it
 * is if it has not changed since the last look. A mistake in it is reported on
 * standard error, and then the rules stay as they were. Returns the ms after
 * which to look again; -1: never.
 */
int reload_look(struct reload *reload, struct retort *server,
	struct output *output);

#endif
