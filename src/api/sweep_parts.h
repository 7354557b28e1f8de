/* SPDX-License-Identifier: MIT */
/* Shared by the files of sweep. */
#ifndef SWEEP_PARTS_H
#define SWEEP_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most cut points of one sweep, and most bytes of its reply. */
#define RT_SWEEP_POINTS 65536u
#define RT_SWEEP_BYTES (64u << 20)

/* The number of points of a body that are tried, unless others were chosen. */
#define RT_SWEEP_BODY 200u

/* The points of each record: before it, within and after its head, in the
   middle of its content and before its last byte. */
#define RT_SWEEP_RECORD 5u

/* The points that a sweep tries. */
struct rt_points {
	uint64_t *at; /* ascending; the caller frees it */
	size_t count;
};

/*
 * The points of a reply of `whole` bytes, the first `head` of which are its
 * head, that `text` chooses: "head", "body", "all", N, N-M, "every N", with
 * commas between them; "records" are others, and *records is set. NULL: all of
 * the head, and RT_SWEEP_BODY of the body, the first and the last among them.
 * 0, or -EINVAL or -ENOMEM with a line in `error`.
 */
int rt_sweep_points(struct rt_points *points, bool *records, const char *text,
	uint64_t head, uint64_t whole, char *error);

/* Points within each of the records of TLS that end at these `count` bytes on
   the wire, and where they begin. The same results. */
int rt_sweep_records(struct rt_points *points, const uint64_t *ends,
	size_t count, char *error);

/* A way to give a reply: at each point N, or, without an N, once. A line of the
   report. */
struct rt_way {
	const char *clause;
	bool tls;   /* with TLS only */
	bool wired; /* N is a byte on the wire */
	bool plain; /* nothing is wrong with it, and no fault is given */
	bool whole; /* nothing is lacking, and the client should take it; N is
	               between two bytes */
};

/* A client may take a reply for a failure (0), for success (1), or for success
   with other content than that of the whole. */
enum { RT_TAKEN_OTHER = 2 };

/* The replies of a sweep, and what they were taken for. */
struct rt_swept {
	uint64_t head; /* bytes of the reply's head, and all */
	uint64_t size;
	const char *at; /* the points that were chosen; NULL */
	bool tls;
	bool kept;   /* it is the second on its connection */
	bool varies; /* what the client prints of the whole reply */
	struct rt_points points;
	struct rt_points wired; /* those on the wire */
	uint64_t wire;          /* bytes of all records, */
	size_t records;         /* of which there are this many; 0: they were
	                           not chosen */
	signed char
		*taken; /* by number, the whole reply first; -1: not tried */
	size_t all;
};

/* One of these replies. */
struct rt_tried {
	const struct rt_way *way;
	uint64_t at; /* its N, or 0 */
};

/* Chooses the points by the other members; *records: those of records are
   wanted. 0 or -errno, with a line in `error`. */
int rt_swept_choose(struct rt_swept *swept, bool *records, char *error);

/* Points within records, by their ends on the wire. The same results. */
int rt_swept_choose_records(struct rt_swept *swept, const uint64_t *ends,
	size_t count, char *error);

/* Call this when all points were chosen. The same results. */
int rt_swept_open(struct rt_swept *swept, char *error);
void rt_swept_close(struct rt_swept *swept);

/* The reply of that number. */
struct rt_tried rt_swept_at(const struct rt_swept *swept, size_t number);

/* The fault that it has, in `room`; NULL: none. */
const char *rt_tried_fault(const struct rt_tried *tried, char room[64]);

/* Whether a client is wrong to take such a reply for that. */
bool rt_swept_is_wrong(const struct rt_way *way, int taken);

/* The report, which the caller frees; NULL: it could not be kept. */
char *rt_swept_report(const struct rt_swept *swept);

#endif
