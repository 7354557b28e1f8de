/* SPDX-License-Identifier: MIT */
/* --control: a test in any language gives rules, and asks for records and the
   verdict, by lines of text; retort(1) describes them. Nothing here waits. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "retort.h"

struct control;
struct pollfd;

/* Clients at a time; others wait until one has left. */
#define CONTROL_CLIENTS 16

/* Descriptors to be polled, at most. */
#define CONTROL_POLLED (1 + 2 * CONTROL_CLIENTS)

/*
 * "-": one client, by standard input and output, whose end is that of the
 * server. Otherwise those of a Unix socket of that name, which is removed at
 * the end. NULL with errno and a line in `error`, of RETORT_ERROR_SIZE.
 */
struct control *control_open(struct retort *server, const char *where,
	char *error);

void control_close(struct control *control);

/* Fills in those of them that there are; how many. */
size_t control_poll(struct control *control, struct pollfd *polled);

/* Reads what has come, after these were polled. */
void control_read(struct control *control, const struct pollfd *polled);

/* After each step of the server: does what was asked for, as far as it can be
   done by now. */
void control_step(struct control *control);

/* When it should be called again, in ms, if not within `timeout` (-1: never):
   the lesser. */
int control_timeout(const struct control *control, int timeout);

/* Whether the server is to end. */
bool control_over(const struct control *control);

#endif
