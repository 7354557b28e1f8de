/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of the loop (io.h): the loop on either back end, and
 * channels in it, each with the other end of its socket pair.
 */
#ifndef IO_SIDE_H
#define IO_SIDE_H

#include "os/io_parts.h"
#include "support/harness.h"

/* The loop index of a test: the back end, and whether sendfile is used. */
#define BACK_ENDS 2
#define WAYS 4

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A channel on one end of a socket pair, and the other end. */
struct side {
	struct rt_chan chan;
	int peer;
	char data[64];
};

extern struct rt_io *io;

void open_io(int way);
void open_side(struct side *side);

/* The same over TCP, where a FIN and a RST are what they are on the wire. */
void open_tcp_side(struct side *side);

/* So that no host holds a great deal between the two. */
void limit_buffers(const struct side *side, int size);
void close_peer(struct side *side);
void close_side(struct side *side);
void reset_peer(struct side *side);
void want_recv(struct side *side, size_t size);
void want_send(struct side *side, const char *text);
void put(struct side *side, const char *text);
void wait_for(struct side *side);
int64_t in_ms(int ms);
int64_t patience(void);

/* The next ready channel, waited for; fails when there is none. */
struct rt_chan *next_ready(unsigned *what);
void expect_ready(struct side *side, unsigned expected);

/* Nothing is ready for some ms; and this is slept, not spun. */
void expect_quiet(void);
void expect_in(struct side *side, int64_t result);
void expect_out(struct side *side, int64_t result);

/* The loop, and one side of a pair in it, which end() closes with it. */
void begin(int way, struct side *side);
void begin_tcp(int way, struct side *side);
void end(struct side *side);

/* Nothing is there yet; and then something is. */
void wait_to_receive(struct side *side, size_t size);
void wait_until_ready(struct side *side);

/* Whether the loop waits by one descriptor, which others can poll. */
bool is_one_descriptor(int way);

/* Adds a case whose tests run in each of the ways. */
void add_ways(Suite *suite, const char *name, const TTest *const *tests,
	int ways);

#endif
