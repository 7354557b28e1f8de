/* SPDX-License-Identifier: MIT */
/*
 * What the command writes to stderr while it serves: lines that never make it
 * wait. Part of the command: sees retort.h only.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

struct output {
	int fd;
	bool log;
	enum retort_log format;
	int verbose;
	bool recorded;           /* what comes is kept, */
	bool judged;             /* and compared with what is expected */
	const char *transcripts; /* a folder; NULL: none are written */
	bool missed;             /* one could not be: it was told */
	struct retort *server;   /* whose they are */
	uint64_t dropped;        /* lines that could not be written */
	size_t used;
	char text[16 * PIPE_BUF];
};

/* The event callback; `arg` is a struct output. */
retort_event_fn output_event;

/*
 * Writes what has gathered if the reader takes it at once, and drops it
 * otherwise. The descriptor is never made non-blocking: it is not ours alone.
 */
void output_flush(struct output *output);

/* Forgets what came, while nothing else comes, unless it will be judged. */
void output_forget(const struct output *output);

/* If it is judged: tells what came otherwise than expected; whether anything
   did. */
bool output_judge(const struct output *output);

#endif
