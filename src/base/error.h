/* SPDX-License-Identifier: MIT */
/* One line of what is wrong, for a caller's char[RETORT_ERROR_SIZE]. */
#ifndef RT_ERROR_H
#define RT_ERROR_H

/* Writes the line, cut to the size, unless `error` is NULL. Returns `code`. */
int rt_fail(char *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as "what: ", unless NULL, and what `code`, -errno, means. */
int rt_fail_errno(char *error, int code, const char *what);

#endif
