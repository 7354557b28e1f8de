/* SPDX-License-Identifier: MIT */
/*
 * Faults, as text: changes to the script of a reply, and to how its request is
 * read. One text for the library, the command and scenarios; retort(5) has its
 * words.
 */
#ifndef RT_FAULT_H
#define RT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reply/reply.h"

struct rt_faults;

/*
 * Clauses, separated by semicolons or newlines. NULL with a line in `error`
 * (RETORT_ERROR_SIZE bytes), errno (EINVAL, ENOMEM), and in *at the offset of
 * what is wrong.
 */
struct rt_faults *rt_faults_new(const char *text, char *error, size_t *at);
void rt_faults_free(struct rt_faults *faults);

/* The text as it was given. */
const char *rt_faults_text(const struct rt_faults *faults);

/*
 * Changes a complete script. 0, or -EINVAL with a line in `error` (or NULL):
 * there is no such byte, or nothing of the kind; then the script may have been
 * changed in part.
 */
int rt_faults_apply(const struct rt_faults *faults, struct rt_reply *reply,
	char *error);

/* How a request is read before it is answered. */
struct rt_reading {
	bool early; /* answered as soon as its head is there */
	bool stops; /* nothing more is read after `stop` bytes of the body,
	                    and nothing is answered */
	uint64_t stop;
	uint64_t pace; /* bytes of the body read at once; 0: as many as come */
	int64_t gap;   /* ns between these */
	int64_t delay; /* ns before a 100 (Continue); RT_NEVER: none is sent */
};

/* NULL: as usual. */
const struct rt_reading *rt_faults_reading(const struct rt_faults *faults);

/* Whether both (NULL: nothing is wrong) have a request read in one way. */
bool rt_faults_same_reading(const struct rt_faults *a,
	const struct rt_faults *b);

/* The status of the error that stands in for the reply; 0: none does. */
int rt_faults_status(const struct rt_faults *faults);

/* Whether a Range is ignored. */
bool rt_faults_whole(const struct rt_faults *faults);

/* Whether the body is sent even with HEAD, 204 and 304. NULL: no faults. */
bool rt_faults_body(const struct rt_faults *faults);

/* Whether a datagram can have them: no segments, no ending of its own. */
bool rt_faults_datagram(const struct rt_faults *faults);

/* Whether it needs a connection that can be reset. */
bool rt_faults_reset(const struct rt_faults *faults);

#endif
