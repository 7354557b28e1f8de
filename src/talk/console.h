/* SPDX-License-Identifier: MIT */
/* Answers that are typed: each line of standard input goes to one piece or
   datagram, in the order in which they arrived. */
#ifndef TYPED_H
#define TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

/* The longest line; a longer one is several. What one datagram can carry. */
#define TYPED_LINE 65507

struct typed {
	struct retort *server;
	uint64_t *waiting; /* connections */
	size_t waiting_count;
	size_t waiting_room;
	bool ended;   /* at the end of the input */
	size_t given; /* bytes of the last line, still at the front */
	size_t used;  /* bytes of `text`, these among them */
	char text[TYPED_LINE];
};

/* The rule's handler; `arg` is a struct typed. */
retort_handler typed_handler;

/* To be polled for reading; -1: nothing, as a line is left or all is read. */
int typed_fd(const struct typed *typed);

/* Reads what there is, and hands it out. To be called when it is readable. */
void typed_read(struct typed *typed);

/* Whether there will be no answer any more. */
bool typed_over(const struct typed *typed);

#endif
