/* SPDX-License-Identifier: MIT */
/* --reload: reads the scenario again when its file has changed. */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>
#include <sys/stat.h>

#include "args/args.h"
#include "talk/output.h"

/* How often the file is looked at: ms. */
#define RELOAD_INTERVAL 200

struct reload {
	const char *file; /* NULL: none */
	bool notices;
	bool changed; /* it has, since it was read, to this: */
	struct stat seen;
	struct stat read; /* as it was read */
};

/* Before the file is read for the first time. */
void reload_begin(struct reload *reload, const struct args *args);

/*
 * Looks at the file, and reads it if it was changed and is complete: what is as
 * it was one look before. What is wrong with it is said on standard error, and
 * then the rules stay as they were. The ms after which to look again; -1:
 * never.
 */
int reload_look(struct reload *reload, struct retort *server,
	struct output *output);

#endif
