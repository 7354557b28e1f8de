/* SPDX-License-Identifier: MIT */
/* Writes to a descriptor of any kind without waiting for its reader. */
#ifndef SINK_H
#define SINK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

/* Ways to write. O_NONBLOCK is never set on a description that others share. */
enum sink_kind {
	SINK_OWN,    /* a terminal or pipe, by a description of our own */
	SINK_PLAIN,  /* a file, which never makes its writer wait */
	SINK_SOCKET, /* send(2) can be told not to wait */
	SINK_SHARED  /* anything else: writing to it is interrupted */
};

struct sink {
	int fd;
	enum sink_kind kind;
};

/* Never fails. */
struct sink sink_open(int fd);

/* Closes the descriptor that sink_open() opened, not the one that it got. */
void sink_close(struct sink *sink);

/*
 * Writes some of at most PIPE_BUF bytes: how many, or -errno; -EAGAIN if
 * nothing is taken now.
 */
ssize_t sink_put(const struct sink *sink, const char *bytes, size_t size);

#endif
