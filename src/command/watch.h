/* SPDX-License-Identifier: MIT */
/* The turns of the command: each waits for the server and for everything else,
   such as the end of our parent, lines of standard input, and --control. */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "args/args.h"
#include "retort.h"
#include "talk/control.h"
#include "talk/output.h"
#include "talk/prompt.h"

struct pollfd;

struct watch {
	struct output *output;   /* it has the server, and its page */
	struct prompt *prompt;   /* NULL: none */
	struct control *control; /* owned; NULL: none */
	pid_t parent;            /* 0: its end is not watched */
	int pidfd;               /* -1: looked for from time to time */
	int input; /* standard input, ended with the parent; -1: not */
	bool orphaned;
	struct pollfd *polled; /* to be freed */
	size_t polled_room;
};

/* Takes `control`. */
struct watch watch_open(const struct args *args, pid_t parent,
	struct output *output, struct prompt *prompt, struct control *control);

void watch_close(struct watch *watch);

/*
 * One turn: waits at most `timeout` ms (-1: for ever), takes typed lines and
 * commands, steps the server, and writes the log. As retort_step() returns.
 */
int watch_step(struct watch *watch, int timeout);

/* Whether one of them wants the server to end. */
bool watch_over(const struct watch *watch);

#endif
