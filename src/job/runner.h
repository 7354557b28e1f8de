/* SPDX-License-Identifier: MIT */
/* Processes of ours that run one COMMAND after another. So several run at once,
   and each process ends what its own COMMAND has started, and nothing else. */
#ifndef RUNNER_H
#define RUNNER_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "job/trial.h"

struct runner {
	pid_t pid;
	int fd; /* what it is to run goes there, and its trials come */
	bool busy;
};

/* Begins as many, before there are threads. The members of `trials` but for its
   files are as they are for all. 0 or -errno. */
int runners_open(struct runner *runners, size_t count,
	const struct trials *trials);

/* Ends them, and what they run. */
void runners_close(struct runner *runners, size_t count);

/* Has it run COMMAND, for at most `time` ms, by trials_run(). `ca`: the file,
   or NULL. 0 or -errno. */
int runner_begin(struct runner *runner, const char *url, const char *ca,
	int time);

/* Waits until one of those that run something is done, and reads the trial. Its
   place, or -errno: why it could not be started, or -EINTR, when *stop is not
   0. */
int runners_wait(struct runner *runners, size_t count,
	volatile const sig_atomic_t *stop, struct trial *trial);

#endif
