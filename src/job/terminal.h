/* SPDX-License-Identifier: MIT */
/* The terminal, and which process group has it: ours and that of COMMAND are
   one job of the shell. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct terminal {
	int fd;     /* of ours; -1: there is none */
	bool given; /* to COMMAND, which may pass it on to groups of its own */
};

/* Never fails: without a terminal all these do nothing. */
void terminal_open(struct terminal *terminal);
void terminal_close(struct terminal *terminal);

/*
 * Whether COMMAND is to have it from the start, as we have it for input and
 * output. Otherwise others of our group may use it, as `| less` does, and
 * COMMAND gets it when it is stopped for want of it.
 */
bool terminal_is_for_command(const struct terminal *terminal);

/* Call this in the new process, between fork and exec: its group has it. */
void terminal_begin(const struct terminal *terminal);

/* Gives it to the group, if we have it; whether we had. */
bool terminal_give(struct terminal *terminal, pid_t group);

/* Takes it back, if it was given. */
void terminal_take(struct terminal *terminal);

/* Call this when the shell has continued us: it may have the terminal. */
void terminal_look(struct terminal *terminal);

/*
 * Stops our whole group by that signal, as the terminal does. Returns when the
 * shell has continued us; false: at once, as nobody could (our group is
 * orphaned, or does not heed such signals).
 */
bool terminal_stop(struct terminal *terminal, int number);

#endif
