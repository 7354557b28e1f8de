/* SPDX-License-Identifier: MIT */
/*
 * The COMMAND of retort run and retort sweep: a process group of its own, which
 * ends with us, together with processes of other groups that it has started.
 */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "job/family.h"
#include "job/terminal.h"

/* The signals that we catch or ignore; for COMMAND they are as before. */
#define CHILD_SIGNALS 11
extern const int child_signal_numbers[CHILD_SIGNALS];

struct child_signals {
	struct sigaction actions[CHILD_SIGNALS];
	sigset_t mask;
};

/* Call this before they are changed. */
void child_note_signals(struct child_signals *before);

struct child {
	pid_t pid;
	bool ended;
	int status; /* as the shell has it: 128 + N for signal N */
	int signal; /* that ended it; 0 */
	struct terminal terminal;
	struct family family;
};

/*
 * Starts it: {url} in its words is `url`, and so is RETORT_URL; {port} and
 * RETORT_PORT are its port, if it has one. `ca`, unless it is NULL, is a file
 * of certificates: {ca}, RETORT_CA, and what makes TLS libraries trust them.
 * `outputs`, unless it is NULL: descriptors that are its standard output and
 * error, and then its input is /dev/null. 0 or -errno.
 */
int child_start(struct child *child, char *const *command, const char *url,
	const char *ca, const struct child_signals *before, const int *outputs);

/* Whether it has ended. Does not wait, unless COMMAND was stopped at a
   terminal: then this process stops, too. */
bool child_ended(struct child *child);

/* ms to wait for COMMAND at a time, so that signals are noticed. */
#define CHILD_INTERVAL 50

/* Waits at most `timeout` ms, less when a signal comes; whether it has ended.
   With SIGCHLD blocked its end is not missed; otherwise it may be seen only
   when the time is up. */
bool child_wait(struct child *child, int timeout);

/* A signal that came to us, for its whole group. */
void child_signal(struct child *child, int number);

/* Ends the rest of its group, and all that it has started, within `grace`
   ms, and takes the terminal back. */
void child_end(struct child *child, int grace);

#endif
