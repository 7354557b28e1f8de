/* SPDX-License-Identifier: MIT */
/* retort run: a server while a COMMAND runs. */
#ifndef RUN_H
#define RUN_H

#include "args/args.h"
#include "command/signals.h"
#include "command/watch.h"

/* Serves while COMMAND runs, and judges what arrived; the exit status. `ca`:
   the file of the CA; NULL. */
int run_command(const struct args *args, struct watch *watch, const char *ca,
	volatile struct signals *signals);

#endif
