/* SPDX-License-Identifier: MIT */
/* Output to standard error while the command serves: lines that never make it
   wait. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"
#include "talk/inspect.h"
#include "talk/sink.h"
#include "talk/transcript.h"

struct output {
	struct sink sink;
	bool log;
	enum retort_log format;
	int verbose;
	bool recorded;      /* what comes is kept, */
	bool judged;        /* and compared with what is expected, */
	const char *report; /* or shown there; NULL */
	struct transcripts transcripts;
	bool missed;             /* one could not be kept: it was told */
	struct retort *server;   /* whose they are */
	struct inspect *inspect; /* who looks, too; NULL */
	char refused[80];        /* why TLS failed last; "": it did not */
	uint64_t shortages;      /* of descriptors, that were told */
	uint64_t dropped;        /* lines for which there was no room */
	bool blocked;            /* nothing more is taken now */
	size_t begin;            /* of `text`: what was not written yet, */
	size_t end;              /* which may begin within a line */
	char line[PIPE_BUF];     /* the next one */
	char text[16 * PIPE_BUF];
};

/* The event callback; `arg` is a struct output. */
retort_event_fn output_event;

/* A line, "retort: " and this; in its turn, and without waiting. */
void output_say(struct output *output, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* After each step of the server: writes what is taken at once, and forgets
   what nobody will ask for. */
void output_step(struct output *output);

/* When it should be called again, in ms, if not within `timeout` (-1: never):
   the lesser. */
int output_timeout(const struct output *output, int timeout);

/* The server has stopped: waits a little until the rest is taken. */
void output_finish(struct output *output);

/* If it is judged: tells what came otherwise than expected; whether anything
   did. */
bool output_judge(struct output *output);

#endif
