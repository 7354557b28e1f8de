/* SPDX-License-Identifier: MIT */
/*
 * Standard error, whatever it is, written without ever waiting for its reader.
 */
#ifndef SINK_H
#define SINK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

/* How it is written to. O_NONBLOCK is never set on what others use, too. */
enum sink_kind {
	SINK_OWN,    /* a terminal or pipe, by a description of our own */
	SINK_PLAIN,  /* what never makes its writer wait: a file */
	SINK_SOCKET, /* send(2) can be told not to wait */
	SINK_SHARED  /* what may: it is interrupted */
};

struct sink {
	int fd;
	enum sink_kind kind;
};

/* Never fails. */
struct sink sink_open(int fd);

/* Closes what it has opened, and not what it was given. */
void sink_close(struct sink *sink);

/*
 * Writes some of at most PIPE_BUF bytes: how many, or -errno; -EAGAIN if
 * nothing is taken now.
 */
ssize_t sink_put(const struct sink *sink, const char *bytes, size_t size);

#endif
