/* SPDX-License-Identifier: MIT */
/* Heads of requests that are read before a test begins. */
#ifndef HEADS_H
#define HEADS_H

#include "http/http.h"
#include "support/harness.h"

/* As a server has them that is told nothing else. */
extern const struct rt_limits usual_limits;

/* A parser that has read this head. */
struct rt_http *head_read(const char *text, size_t size,
	const struct rt_limits *limits);

struct head {
	struct rt_http *http;
	char *text; /* of exactly its size */
	size_t size;
};

/* Of a request for "/", with these fields, which CR LF separates. */
struct head head_begin(const char *method, const char *fields);
void head_end(struct head *head);

#endif
