/* SPDX-License-Identifier: MIT */
/* Everything that the command waits for in addition to its server: the end of
   its parent, lines of standard input, and --control. */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "args/args.h"
#include "inspect/inspect.h"
#include "retort.h"
#include "talk/control.h"
#include "talk/prompt.h"

struct pollfd;

struct watch {
	bool parent; /* it is watched */
	pid_t pid;
	int pidfd; /* -1: looked for from time to time */
	int input; /* standard input, ended with the parent; -1: not */
	struct prompt *prompt;   /* NULL: nobody types */
	struct control *control; /* owned; NULL: nobody asks */
	struct inspect *inspect; /* NULL: nobody looks */
	struct pollfd *polled;   /* to be freed */
	size_t polled_room;
};

struct watch watch_open(const struct args *args, pid_t parent,
	struct prompt *prompt, struct control *control,
	struct inspect *inspect);

void watch_close(struct watch *watch);

/* Whether there is anything to wait for. */
bool watch_needed(const struct watch *watch);

/*
 * Waits for the server or for one of these, at most `timeout` ms (-1: for
 * ever), and takes typed lines and commands. True: the server has to end.
 */
bool watch_wait(struct watch *watch, struct retort *server, int timeout);

#endif
