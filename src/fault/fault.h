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

#include "base/error.h"
#include "reply/reply.h"

struct rt_faults;

/* Clauses, separated by semicolons or newlines. NULL with `error`, which says
   where in the text, and errno (EINVAL, ENOMEM). */
struct rt_faults *rt_faults_new(const char *text, struct rt_error *error);
void rt_faults_free(struct rt_faults *faults);

/* Their text, in one line, which does the same again. Valid as long as they
   are. */
const char *rt_faults_text(const struct rt_faults *faults);

/* Whether they have to be drawn: a clause has a chance, or leaves a number
   open. */
bool rt_faults_chancy(const struct rt_faults *faults);

/*
 * Draws the faults of a connection, as a pure function of all three arguments:
 * faults without chance, perhaps without any clause, which must be freed before
 * `faults`. NULL: no memory.
 */
struct rt_faults *rt_faults_draw(const struct rt_faults *faults, uint64_t seed,
	uint64_t connection);

/* The n-th of a few draws that together take each clause. NULL: there are fewer
   (errno is 0), or no memory (ENOMEM). */
struct rt_faults *rt_faults_sample(const struct rt_faults *faults, size_t n);

/* A seed that is short enough to be typed, and not 0. Different numbers have
   different seeds, mostly. */
uint64_t rt_faults_make_seed(uint64_t from);

/*
 * Changes a complete script. A clause about a body that HEAD or the status has
 * left out does nothing. 0, or -EINVAL with a line in `error` (or NULL):
 * there is no such byte, or nothing of the kind; then the script may have been
 * changed in part.
 */
int rt_faults_apply(const struct rt_faults *faults, struct rt_reply *reply,
	char *error);

/* Adds the clauses that have positions on the wire, as edits; `stays`: they are
   for the whole connection. False: no memory. */
bool rt_faults_edit_wire(const struct rt_faults *faults,
	struct rt_wire_list *list, bool stays);

/*
 * Whether a reply can have them: only a server with `tls` has a wire, and only
 * a reply that `begins` before the handshake can change that. 0, or -EINVAL
 * with a line in `error`.
 */
int rt_faults_check_wire(const struct rt_faults *faults, bool tls, bool begins,
	char *error);

/* Whether a connection can have them before there is a reply. The same
   results. */
int rt_faults_check_handshake(const struct rt_faults *faults, char *error);

/* Whether no session is resumed. */
bool rt_faults_resume_none(const struct rt_faults *faults);

/* How a request is read before it is answered. */
struct rt_reading {
	bool early; /* answered as soon as this many bytes of its body are
	               there, or all */
	uint64_t early_at;
	bool twice; /* a 100 (Continue) is sent twice */
	bool stops; /* nothing more is read after `stop` bytes of the body,
	               and nothing is answered */
	uint64_t stop;
	uint64_t pace; /* bytes of the body read at once; 0: as many as
	                  arrive */
	int64_t gap;   /* ns between these */
	int64_t delay; /* ns before a 100 (Continue); RT_NEVER: none is sent */
};

/* How they have a request read; NULL: as usual. `faults` may be NULL. */
const struct rt_reading *rt_faults_reading(const struct rt_faults *faults);

/* Whether a request is read in the same way with both (NULL: no faults). */
bool rt_faults_same_reading(const struct rt_faults *a,
	const struct rt_faults *b);

/* The status of the error that stands in for the reply; 0: none does. */
int rt_faults_status(const struct rt_faults *faults);

/* Whether a Range is ignored. */
bool rt_faults_ignore_range(const struct rt_faults *faults);

/* Whether the body is sent even with HEAD, 204 and 304. `faults` may be
   NULL. */
bool rt_faults_force_body(const struct rt_faults *faults);

/* Whether a datagram can have them: no segments, no ending of its own. */
bool rt_faults_suit_datagram(const struct rt_faults *faults);

/* Whether they need a connection that can be reset. */
bool rt_faults_can_reset(const struct rt_faults *faults);

/* Whether each reply ends its connection, and waits for nothing more. */
bool rt_faults_always_end(const struct rt_faults *faults);

#endif
