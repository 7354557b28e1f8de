/* SPDX-License-Identifier: MIT */
/* The rights that the process gives up before it serves: access to files that
   it does not need, new connections, other programs. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "args/args.h"
#include "talk/output.h"

/* A line about it for --version, of this build and this kernel. It lives until
   the process ends. */
const char *sandbox_version(void);

/* Enters the sandbox for the rest of the process; where the kernel has none,
   nothing changes. With -v a line says which it is. */
void sandbox_enter(const struct args *args, struct output *output);

#endif
