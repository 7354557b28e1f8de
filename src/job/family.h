/* SPDX-License-Identifier: MIT */
/*
 * The processes that COMMAND has started, wherever they are by now: in groups
 * and sessions of their own, or left by their parents. Where the system has no
 * subreaper (Linux has one), nothing is known of them.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include <stddef.h>
#include <sys/types.h>

struct family {
	pid_t *strangers; /* children of ours from before COMMAND */
	size_t count;
};

/* Call this before COMMAND starts: from now on orphans become our children. */
void family_begin(struct family *family);
void family_end(struct family *family);

/* Sends a signal to each that lives, except in one group. How many live, those
   in the group included; or -1: that is not known. */
int family_signal(const struct family *family, pid_t group, int number);

#endif
