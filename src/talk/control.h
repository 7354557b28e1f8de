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
#define CONTROL_POLLED (1 + CONTROL_CLIENTS)

/*
 * Opens a Unix socket for clients, which control_close() removes; or with "-"
 * serves one client by standard input and output, whose end is also that of the
 * server. On failure NULL, with errno and a line in `error`, of
 * RETORT_ERROR_SIZE.
 */
struct control *control_open(struct retort *server, const char *where,
	char *error);

void control_close(struct control *control);

/* Fills in the descriptors to poll; their number. */
size_t control_poll(struct control *control, struct pollfd *polled);

/* Reads the commands that have arrived, after the descriptors were polled. */
void control_read(struct control *control, const struct pollfd *polled);

/* Call this after each step of the server: obeys the commands that need not
   wait any longer. */
void control_step(struct control *control);

/* The ms after which control_step() should be called, at most `timeout` (-1:
   never). */
int control_timeout(const struct control *control, int timeout);

/* Whether a client has told the server to end. */
bool control_over(const struct control *control);

#endif
