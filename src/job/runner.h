/* SPDX-License-Identifier: MIT */
/* Processes that each run one COMMAND after another, so that several run at
   once, and each ends what its own COMMAND has started, and nothing else. */
#ifndef RUNNER_H
#define RUNNER_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "job/trial.h"

struct runner {
	pid_t pid;
	int fd; /* a socket for orders and their answers */
	bool busy;
};

/* Forks `count` runners, before there are threads. All use the members of
   `trials`, but each opens files of its own. 0 or -errno. */
int runners_open(struct runner *runners, size_t count,
	const struct trials *trials);

/* Ends them, and what they run. */
void runners_close(struct runner *runners, size_t count);

/* Orders one COMMAND, which trials_run() runs for at most `time` ms. `ca`: the
   file, or NULL. 0 or -errno. */
int runner_begin(struct runner *runner, const char *url, const char *ca,
	int time);

/* Waits until a busy runner is done, and reads the trial. The place of the
   runner, or -errno: why COMMAND could not be started, or -EINTR if *stop is
   not 0. */
int runners_wait(struct runner *runners, size_t count,
	volatile const sig_atomic_t *stop, struct trial *trial);

#endif
