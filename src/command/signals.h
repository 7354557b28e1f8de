/* SPDX-License-Identifier: MIT */
/* Signals: those that end us, those that are passed on to COMMAND, and those
   that must not kill us. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

#include "args/args.h"
#include "job/child.h"
#include "retort.h"

/* Signals that arrived: those that ask us to end are counted. */
struct signals {
	sig_atomic_t count;
	sig_atomic_t came[CHILD_SIGNALS];
	sig_atomic_t last;
	const struct child_signals *before;
};

/*
 * From now on they are caught or ignored, and none is blocked, even if the
 * parent had blocked it. Returns what arrives, for the rest of the process.
 */
volatile struct signals *signals_catch(enum mode mode);

/* From now on each signal wakes this server; NULL: none. */
void signals_wake(struct retort *server);

#endif
