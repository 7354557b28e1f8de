/* SPDX-License-Identifier: MIT */
/*
 * retort run and retort sweep: a server for the time of a COMMAND. Part of the
 * command: sees retort.h only.
 */
#ifndef RUN_H
#define RUN_H

#include "args/args.h"
#include "command/output.h"
#include "command/signals.h"
#include "retort.h"

/* Serves while COMMAND runs, and judges what came; the exit status. */
int run(const struct args *args, struct retort *server, struct output *output,
	volatile struct signals *signals);

/* Has COMMAND meet one reply in every way; the exit status. */
int sweep(const struct args *args, volatile struct signals *signals);

#endif
