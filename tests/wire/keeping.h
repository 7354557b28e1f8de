/* SPDX-License-Identifier: MIT */
/* Shared by the tests of kept connections. */
#ifndef KEEPING_H
#define KEEPING_H

#include "support/serving.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST(path) \
	"GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

/* Their replies have no fields but those that frame them. */
#define ONE "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
#define END \
	"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" \
	"Connection: close\r\n\r\none"

/* A server that keeps connections, in ways[i]. */
void open_keeping(struct retort_options options, int i);

/* Sends the request; all of `expected` comes, and nothing else. */
void exchange_on(int fd, const char *request, const char *expected);

/* Then the connection ends, by a FIN (0) or an errno; it is closed here. */
void exchange_until(int fd, const char *request, const char *expected, int end);

static inline void
exchange_last(int fd, const char *request, const char *expected)
{
	exchange_until(fd, request, expected, 0);
}

#endif
