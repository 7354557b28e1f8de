/* SPDX-License-Identifier: MIT */
/* --prompt: answers that are typed. Each line of standard input goes to one
   piece or datagram, in the order in which these arrived. */
#ifndef PROMPT_H
#define PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

/* The longest line; a longer one is several. What one datagram can carry. */
#define PROMPT_LINE 65507

struct prompt {
	struct retort *server;
	uint64_t *waiting; /* connections */
	size_t waiting_count;
	size_t waiting_room;
	bool ended;   /* at the end of the input */
	size_t given; /* bytes of the last line, still at the front */
	size_t used;  /* bytes of `text`, these among them */
	char text[PROMPT_LINE];
};

/* The rule's handler; `arg` is a struct prompt. */
retort_handler prompt_handler;

/* The descriptor to poll for reading; -1: nothing is to be read now. */
int prompt_fd(const struct prompt *prompt);

/* Call this when it is readable: reads lines, and answers with them. */
void prompt_read(struct prompt *prompt);

/* Whether all lines were read and given. */
bool prompt_over(const struct prompt *prompt);

#endif
