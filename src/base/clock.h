/* SPDX-License-Identifier: MIT */
/* Time: nanoseconds of the monotonic clock, which is never set. */
#ifndef RT_CLOCK_H
#define RT_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define RT_NEVER INT64_MAX
#define RT_MS INT64_C(1000000)
#define RT_SECOND INT64_C(1000000000)

static inline int64_t
rt_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * RT_SECOND + now.tv_nsec;
}

/* A time as poll(2) and epoll_wait(2) take it: ms, rounded up so as never to
   wake early; a negative one is -1, for ever. */
static inline int
rt_poll_ms(int64_t time)
{
	if (time < 0)
		return -1;
	if (time > INT_MAX * RT_MS)
		return INT_MAX;
	return (int)((time + RT_MS - 1) / RT_MS);
}

#endif
