/* SPDX-License-Identifier: MIT */
/* Output to standard error while the command serves: lines that never make it
   wait. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/inspect.h"
#include "retort.h"
#include "talk/sink.h"
#include "talk/transcript.h"

struct output {
	struct sink sink;
	bool log;
	enum retort_log format;
	int verbose;
	bool recorded;      /* what arrives is kept, */
	bool judged;        /* and compared with what is expected, */
	const char *report; /* or shown there; NULL */
	struct transcripts transcripts;
	bool missed;             /* one was not kept, and that was reported */
	struct retort *server;   /* whose events these are */
	struct inspect *inspect; /* the page that shows them, too; NULL */
	char refused[80];        /* why TLS failed last; "": it did not */
	uint64_t shortages;      /* of descriptors, that were reported */
	uint64_t dropped;        /* lines for which there was no room */
	bool blocked;            /* nothing more is taken now */
	size_t begin;            /* of `text`: what was not written yet, */
	size_t end;              /* which may begin within a line */
	char line[PIPE_BUF];     /* the next one */
	char text[16 * PIPE_BUF];
};

/* The event callback; `arg` is a struct output. */
retort_event_fn output_event;

/* Adds a line, "retort: " and this text, after others. Never blocks. */
void output_say(struct output *output, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Call this after each step of the server: writes as much as is taken at once,
   and forgets records that are no longer needed. */
void output_step(struct output *output);

/* The ms after which output_step() should be called, at most `timeout` (-1:
   never). */
int output_timeout(const struct output *output, int timeout);

/* Waits a little until the rest is taken, after the server has stopped. */
void output_finish(struct output *output);

/* Reports the verdict, if there is one. True: something was not as expected. */
bool output_judge(struct output *output);

#endif
