/* SPDX-License-Identifier: MIT */
/* Requests and conditions for the tests of match. */
#ifndef MATCHING_H
#define MATCHING_H

#include "match/match.h"

extern char error[RETORT_ERROR_SIZE];

/* A request with the memory that it points at. */
struct request {
	struct retort_exchange seen;
	struct retort_field fields[8];
	char line[16384]; /* "METHOD\0TARGET" */
	char path[16384];
	char lines[1024]; /* "Name\0value\0..." */
};

/* "METHOD TARGET" (or NULL: nothing came), and fields "A: b\nC: d". */
void make_request(struct request *request, const char *line, const char *lines,
	const void *body, size_t body_size);

/* It must be well-formed. */
struct rt_match *new_match(const struct retort_requests *when);

/* It must be malformed; `error` says why. */
void fail_match(const struct retort_requests *when);

/* A request, and why it does not fit "rule 2". */
struct situation {
	struct retort_requests when;
	const char *line;
	const char *fields;
	const void *body;
	size_t body_size;
	const char *why; /* NULL: it fits */
};

#define POST_IT "POST /"

void check_situation(const struct situation *now);

/* How it is described. */
void check_description(const struct retort_requests *when,
	const char *expected);

#endif
