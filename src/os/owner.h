/* SPDX-License-Identifier: MIT */
/*
 * The process that something belongs to. A fork of it has a copy of the memory
 * and shares the descriptors: what it does to these it does to its parent.
 */
#ifndef RT_OWNER_H
#define RT_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

struct rt_owner {
	volatile unsigned char *mark; /* not 0; the kernel clears it in a fork;
	                                 NULL: it cannot */
	pid_t pid;                    /* if there is no mark */
};

/* This process; and no other afterwards. */
void rt_owner_begin(struct rt_owner *owner);
void rt_owner_end(struct rt_owner *owner);

/* Whether this is a fork of it. Async-signal-safe. */
bool rt_owner_is_other(const struct rt_owner *owner);

#endif
