/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the library as a fixture. */
#ifndef EMBEDDING_H
#define EMBEDDING_H

#include "support/serving.h"

#include <malloc.h>
#include <pthread.h>

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

#define HOST " HTTP/1.1\r\nHost: x\r\n"

/* A field by which "ada" with the password "secret" requests "/a?b". */
#define DIGEST \
	"Authorization: Digest username=\"ada\", realm=\"users\", " \
	"nonce=\"n1\", uri=\"/a?b\", qop=auth, nc=00000001, cnonce=\"c\", " \
	"response=\"069f40b1785f70bd715b167750d79b5d\"\r\n"

/* The reply's body. */
void expect_body(const char *request, const char *body);

/* Receives what is left, until the end, and closes. */
void finish_client(int fd, const char *expected);

extern _Atomic(int) signals_here, signals_elsewhere;

bool is_slow(void);

int later(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply);

struct stuck {
	const char *request;
	bool whole;
	const char *left;
};

/* clang-format off */
extern const struct stuck stuck[6];

bool has_even_body(void *arg, const struct retort_exchange *exchange);

extern int asked;

int build(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply);

int err(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply);

/* A request for another thread to answer. */
extern pthread_mutex_t mutex;

extern pthread_cond_t cond;

extern uint64_t asked_on;


/* Blots out times and ports. */
void mask(char *text);

extern _Atomic(bool) enough;

/* The events that an event function got, as text. */
extern char heard[400];

#endif
