/* SPDX-License-Identifier: MIT */
/* retort sweep: one reply, spoiled in every way, and a COMMAND for each. */
#ifndef SWEEP_H
#define SWEEP_H

#include "args/args.h"
#include "command/signals.h"

/* Runs the sweep; the exit status. */
int sweep_command(const struct args *args, volatile struct signals *signals);

#endif
