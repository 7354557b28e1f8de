/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the loop. */
#ifndef DRIVING_H
#define DRIVING_H

#include "os/io_parts.h"
#include "server/server.h"
#include "support/serving.h"

#define BACK_ENDS 2

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

#define OK "HTTP/1.1 200 OK\r\n"

void open_stepped(struct retort_options options, int i);

void open_unrecorded(int i);

int answer_with(struct retort_reply reply);

void answer_text(const char *body);

int serve_as(const char *folder, const struct retort_files *files);

int serve(const char *folder);

void stop(int grace);

int64_t processor_ms(void);

/* How long a loop of the caller's may wait. */
int poll_timeout(void);

/* Several turns, enough for whatever has arrived. */
void settle(void);

/*
 * Sends, and receives until there are `most` bytes. 0 at a FIN or with that
 * many bytes, or the errno of the end.
 */
int converse(int fd, const char *request, size_t size, struct bytes *got,
	size_t most);

void expect_ok(const char *request, const char *body);

/* The end as the client sees it: 0 at a FIN, or an errno. */
int end_of(int fd);

/* A body that the buffers of two sockets cannot hold. */
#define BIG (24u << 20)

extern char *big;

void answer_big(void);

/* A client with a reply under way of which it has read the beginning. */
int connect_to_big(void);

struct seen {
	enum retort_event event;
	struct retort_exchange exchange;
	char client[64];
	char request[256];
	char bytes[256];
	size_t size;
};

extern struct seen events[64];

extern size_t event_count;

void record(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size);

void open_recorded(struct retort_options options, int i);

size_t ends(void);

/* The one end that was reported by now. */
const struct retort_exchange *the_end(enum retort_end end, int status);

/* Whether new connections are refused. */
void expect_refused(const char *url);

struct whole {
	const char *request;
	const char *begin;
	const char *has;
	size_t instead; /* may stand for it: the one this many places before */
	struct bytes reply;
};

/*
 * The answers of a site, each with its whole reply when nothing fails
 * (Date and boundary blotted out).
 */
extern struct whole wholes[11];

char *make_site(void);

int serve_site(const char *folder);

/* Blots out what differs from one reply to the next. */
void blot(struct bytes *reply);

void learn_replies(void);

void forget_replies(void);

bool same_bytes(const struct bytes *a, const struct bytes *b);

/*
 * The reply without memory or descriptors is the right one, or the other
 * right one, or a 503, or (if `cut`) the beginning of the right one: never a
 * reply that looks right and is not. Whether it was the right one.
 */
bool check_reply(size_t i, struct bytes *got, bool cut);

void expect_replies(void);

#endif
