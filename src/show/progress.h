/* SPDX-License-Identifier: MIT */
/* How far a sweep is: a line of the terminal. Part of the command. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool shown;
	int64_t began; /* by clock_ms() */
	int64_t told;
	size_t wrong; /* parts taken for success */
};

/* So many of all are done; on standard error, now and then. */
void progress_tell(struct progress *progress, size_t done, size_t all);

/* The line is free for other text. */
void progress_clear(const struct progress *progress);

#endif
