/* SPDX-License-Identifier: MIT */
/* Shared by the files of sweep. */
#ifndef SWEEP_PARTS_H
#define SWEEP_PARTS_H

#include <stddef.h>
#include <stdint.h>

/* Most cut points of one sweep, and most bytes of its reply. */
#define RT_SWEEP_POINTS 65536u
#define RT_SWEEP_BYTES (64u << 20)

/* So many points of a body are tried, unless others were chosen. */
#define RT_SWEEP_BODY 200u

/* The points that a sweep tries. */
struct rt_points {
	uint64_t *at; /* ascending; the caller frees it */
	size_t count;
};

/*
 * The points of a reply of `whole` bytes, the first `head` of which are its
 * head, that `text` chooses: "head", "body", "all", N, N-M, "every N", with
 * commas between them. NULL: all of the head, and RT_SWEEP_BODY of the body, the
 * first and the last among them. 0, or -EINVAL or -ENOMEM with a line in
 * `error`.
 */
int rt_sweep_points(struct rt_points *points, const char *text, uint64_t head,
	uint64_t whole, char *error);

#endif
