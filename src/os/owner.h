/* SPDX-License-Identifier: MIT */
/*
 * The process that something belongs to. Its forks have a copy of the memory
 * but share the descriptors: whatever a fork does to these, it does to its
 * parent.
 */
#ifndef RT_OWNER_H
#define RT_OWNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct rt_owner {
	pid_t pid;
	atomic_uint asked;     /* how often, without a mark */
	atomic_uintptr_t mark; /* of a page whose first byte is not 0, and which
	                          the kernel clears in a fork; 0: none yet, or it
	                          cannot */
};

/* Makes this process the owner; rt_owner_end() frees what that takes. */
void rt_owner_begin(struct rt_owner *owner);
void rt_owner_end(struct rt_owner *owner);

/* Whether this is a fork of it. Async-signal-safe. */
bool rt_owner_is_other(struct rt_owner *owner);

#endif
