/* SPDX-License-Identifier: MIT */
/* Errors, as a line for a caller's char[RETORT_ERROR_SIZE], or as a
   value. */
#ifndef RT_ERROR_H
#define RT_ERROR_H

#include <stddef.h>

#include "retort.h"

/* The mistake in a struct of retort.h, in addition to a code. */
struct rt_error {
	const char *member; /* what it is about, if that matters to anybody:
	                       "faults", "file"; NULL */
	size_t at;          /* where in that */
	char text[RETORT_ERROR_SIZE];
};

/* Writes the line, cut to the size, with a space for each CR and LF, unless
   `error` is NULL. Returns `code`. */
int rt_fail(char *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as "what: ", unless NULL, and what `code`, -errno, means. */
int rt_fail_errno(char *error, int code, const char *what);

#endif
