/* SPDX-License-Identifier: MIT */
/* Runs one COMMAND after another, keeps what it prints, and ends it after a
   time. */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "job/child.h"

/* Bytes of the output of one COMMAND that are kept. */
#define TRIAL_KEPT 1024

/* The output of one COMMAND: its size, a hash of all of it, and its first
   bytes. */
struct printed {
	uint64_t size;
	uint64_t hash;
	char bytes[TRIAL_KEPT];
};

/* How one COMMAND ended. */
struct trial {
	bool ended; /* within its time */
	int status; /* as the shell has it */
	int signal; /* that ended it; 0 */
	int took;   /* ms */
	struct printed output;
	struct printed errors;
};

/* The members that all trials share. */
struct trials {
	char *const *command;
	const char *ca; /* as for child_start() */
	const struct child_signals *before;
	volatile const sig_atomic_t *stop; /* a trial ends when it is not 0 */
	int output;                        /* files without a name */
	int errors;
};

/* Opens the files, with the other members as they are. 0 or -errno. */
int trials_open(struct trials *trials);
void trials_close(struct trials *trials);

/* Runs COMMAND for at most `time` ms, and ends all that it began. SIGCHLD is
   blocked. 0 or -errno: it could not be started. */
int trials_run(struct trials *trials, const char *url, int time,
	struct trial *trial);

/* Whether both have printed the same. */
bool printed_same(const struct printed *one, const struct printed *other);

#endif
