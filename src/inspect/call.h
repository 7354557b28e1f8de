/* SPDX-License-Identifier: MIT */
/* A call, that is a request and its answer, as one line of JSON for the page of
   --inspect. */
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "retort.h"

/* The most bytes of a body, of all fields, and of a transcript. */
#define CALL_SHOWN ((size_t)32 << 10)

/* A call, and what else is known of it. */
struct call {
	const struct retort_exchange *exchange;
	const char *url;        /* of the server; NULL */
	const char *transcript; /* of its connection; NULL */
	struct retort *reader;  /* any server, which reads what JSON is; NULL:
	                           none is */
};

/* Any of those below. */
typedef void call_writer(FILE *file, const struct call *call);

/* The text that a writer writes, which the caller frees; NULL: no memory. */
char *call_text(call_writer *writer, const struct call *call, size_t *size);

/* One line, with its end, whatever clients sent: a JSON object, which
   retort(1) describes. */
void call_write(FILE *file, const struct call *call);

/* How much of a request is written. */
struct call_shown {
	size_t fields; /* bytes of them */
	size_t body;   /* bytes of it, if it is text */
	size_t hex;    /* otherwise */
	bool empty;    /* write a body of no bytes, too */
};

/* The members of that object which hold the request, each after a comma. */
void call_write_request(FILE *file, const struct retort_exchange *exchange,
	const struct call_shown *shown);

/* A command line of curl that sends the same request again, for any shell of
   POSIX. The request is whole. */
void call_write_curl(FILE *file, const struct call *call);

/* A rule of a scenario for that request, which is whole; nothing, if there can
   be none. */
void call_write_rule(FILE *file, const struct call *call);

/* The conditions of that rule for the body. */
void call_write_conditions(FILE *file, const struct call *call);

#endif
