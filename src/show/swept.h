/* SPDX-License-Identifier: MIT */
/* The results of a sweep as values, and reports of them. */
#ifndef SWEPT_H
#define SWEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "show/escape.h"

/* The output of a client: its first bytes, and how many there were. */
struct swept_text {
	char *bytes;
	size_t kept;
	uint64_t size;
};

/* One reply, and what became of it. */
struct swept_point {
	char way[40];   /* a line of the report: "cut N fin" */
	char fault[48]; /* "": nothing was wrong with it */
	bool tried;     /* otherwise all else is 0 */
	bool is_cut;    /* a part of the reply is lacking */
	bool is_placed; /* `at` is a byte of the reply */
	uint64_t at;
	int taken;  /* as a retort_client says it */
	bool wrong; /* and it should not */
	bool late;  /* it did not end in time */
	int status; /* of COMMAND, as the shell has it */
	int signal; /* that ended it; 0 */
	int took;   /* ms */
	bool other; /* it printed something else than for the whole reply */
	struct swept_text output;
	struct swept_text errors;
};

struct swept {
	const char *version;
	char *const *command;
	uint64_t head; /* bytes of the reply's head, and all */
	uint64_t size;
	char *bytes; /* the first of them */
	size_t byte_count;
	struct swept_point *points; /* in the order of the replies */
	size_t count;               /* that were tried */
	size_t all;                 /* as many were to be tried */
	const char *error; /* why it ended before its end; NULL: it did not */
};

/* How one reply was taken: first the two that are right. */
enum outcome {
	OUTCOME_NOTICED, /* a cut: failure */
	OUTCOME_TAKEN,   /* the whole: success */
	OUTCOME_PART,    /* a cut: success */
	OUTCOME_FAILED,  /* the whole: failure */
	OUTCOME_OTHER,   /* the whole: success, with other output */
	OUTCOME_CRASHED,
	OUTCOME_LATE,
	OUTCOMES
};

enum outcome swept_outcome(const struct swept_point *point);

/* Whether it is a failure of the client: the last five of these. */
static inline bool
swept_is_failure(const struct swept_point *point)
{
	return swept_outcome(point) > OUTCOME_TAKEN;
}

/* Outcomes in words: "a part taken for success". */
extern const char *const swept_words[OUTCOMES];

/* The number of points with that outcome. */
size_t swept_count(const struct swept *swept, enum outcome outcome);

/* The end of the points of one way that begin at `first`. */
size_t swept_way_end(const struct swept *swept, size_t first);

/* Writes what the sweep has found, in a sentence. */
void swept_summary(FILE *file, enum escape_to to, const struct swept *swept);

/* Call this at the end of the sweep: leaves out what was not tried. */
void swept_close_up(struct swept *swept);

void swept_free(struct swept *swept);

/* The reports; `file` has an error if one could not be written. */
void swept_write_html(FILE *file, const struct swept *swept);
void swept_write_json(FILE *file, const struct swept *swept);
void swept_write_xml(FILE *file, const struct swept *swept);

#endif
