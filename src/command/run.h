/* SPDX-License-Identifier: MIT */
/* retort run: a server while a COMMAND runs. */
#ifndef RUN_H
#define RUN_H

#include "args/args.h"
#include "command/signals.h"
#include "command/watch.h"
#include "retort.h"
#include "talk/output.h"

/* Serves while COMMAND runs, and judges what arrived; the exit status. `ca`:
   the file of the CA; NULL. */
int run_command(const struct args *args, struct retort *server,
	struct watch *watch, struct output *output, const char *ca,
	volatile struct signals *signals);

#endif
