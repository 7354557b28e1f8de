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

/* Shows from time to time that `done` of `all` are done; `now`: ms. */
void progress_tell(struct progress *progress, int64_t now, size_t done,
	size_t all);

/* Clears the line for other text. */
void progress_clear(const struct progress *progress);

#endif
