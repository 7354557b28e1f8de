/* SPDX-License-Identifier: MIT */
/* HTTP-date (RFC 9110 5.6.7), in any locale. */
#ifndef RT_DATE_H
#define RT_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of an IMF-fixdate; and room for them and a NUL. */
#define RT_DATE_SIZE 29
#define RT_DATE_TEXT (RT_DATE_SIZE + 1)

/*
 * Seconds since the epoch as "Sun, 06 Nov 1994 08:49:37 GMT". What lies
 * outside the years 1 to 9999 becomes their first or last second.
 */
void rt_date_format(int64_t seconds, char text[RT_DATE_TEXT]);

/* Room for a time as people read it, and its NUL. */
#define RT_DATE_SHORT 17

/* The same as "1994-11-06 08:49", UTC. */
void rt_date_format_short(int64_t seconds, char text[RT_DATE_SHORT]);

/* The same as "1994-11-06T08:49:37Z" (RFC 3339). */
void rt_date_format_iso(int64_t seconds, char text[RT_DATE_TEXT]);

/*
 * Reads a date in each of the three formats: IMF-fixdate, "Sunday, 06-Nov-94
 * 08:49:37 GMT" (its year is the latest that is at most 50 years after `now`),
 * and "Sun Nov  6 08:49:37 1994". Exact in case, spaces and digits; the date
 * must exist, the name of its day is not compared with it. Second 60 is
 * allowed, and is the next minute's first.
 */
bool rt_date_parse(const char *text, size_t size, int64_t now,
	int64_t *seconds);

#endif
