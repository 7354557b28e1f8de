/* SPDX-License-Identifier: MIT */
/* How far a sweep has come: a line at the terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *file;    /* NULL: it is not shown */
	int64_t began; /* ms */
	int64_t told;
	size_t wrong; /* parts taken for success */
};

/* So many of all are done, at `now`: says so, now and then. */
void progress_tell(struct progress *progress, int64_t now, size_t done,
	size_t all);

/* The line is free for other text. */
void progress_clear(const struct progress *progress);

#endif
