/* SPDX-License-Identifier: MIT */
/* Times in milliseconds. One to wait that is -1 is for ever. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time of a clock that is never set back. */
static inline int64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The end of a time that begins now. */
static inline int64_t
clock_end(int ms)
{
	return ms < 0 ? INT64_MAX : clock_ms() + ms;
}

/* The time left until that end; 0: none. */
static inline int
clock_left(int64_t end)
{
	int64_t left = end - clock_ms();

	if (end == INT64_MAX)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* The shorter of two times to wait. */
static inline int
clock_sooner(int one, int other)
{
	return one < 0 || (other >= 0 && other < one) ? other : one;
}

#endif
