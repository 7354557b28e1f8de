/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the room route. */
#ifndef ROUTES_H
#define ROUTES_H

#include "route/route.h"
#include "support/harness.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

extern struct rt_route route;

extern char error[RETORT_ERROR_SIZE];

void open_route(void);

void set_reply(struct retort_reply reply);

struct asked {
	struct rt_http *http;
	const char *request; /* text */
	struct rt_reply reply;
	bool unseen; /* as where nothing is recorded */
	enum rt_outcome outcome;
	int rule;
	char why[1024];
};

void open_asked(struct asked *asked, const char *request);

void close_asked(struct asked *asked);

/* The span as a string. */
const char *text_of(const char *base, struct rt_span span, char text[256]);

/* Once; false: it takes longer. */
bool answer_slice(struct asked *asked);

void answer(struct asked *asked);

/* The bytes that the client would receive: all of them are in memory. */
struct bytes flatten(const struct rt_reply *reply);

void expect_answer(const char *request, const void *expected, size_t size);

void expect_text(const char *request, const char *expected);

/* Whether its host is served, and what is wanted of its body. */
struct verdict {
	bool served;
	struct rt_wanted wanted;
};

struct verdict judge(const char *request);

#define END "Connection: close\r\n\r\n"

#define TOLD "Date: " DATE "\r\n"

#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"

void expect_status(const char *request, int status);

/* The same as rt_route_*(), with what is wrong as a line, or NULL. */
int try_add(struct rt_route *to, const struct retort_reply *rule, char *why);
int try_set_reply(struct rt_route *to, const struct retort_reply *reply,
	char *why);
int try_set_files(struct rt_route *to, const char *root,
	const struct retort_files *files, char *why);

#endif
