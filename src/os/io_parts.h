/* SPDX-License-Identifier: MIT */
/* Shared by the loop and its back ends; nobody else sees it. */
#ifndef RT_IO_PARTS_H
#define RT_IO_PARTS_H

#include <poll.h>
#include <unistd.h>

#include "os/io.h"

enum { RT_READ = 1, RT_WRITE = 2, RT_GONE = 4, RT_HUNG = 8, RT_END = 16 };

struct rt_back_end {
	const char *name;
	int (*open)(struct rt_io *io); /* of the larger one */
	void (*close)(struct rt_io *io);
	/* Changes a channel's interest to `events`; `armed` still holds what
	   was before. */
	int (*arm)(struct rt_io *io, struct rt_chan *chan, unsigned events);
	/* The channel leaves. */
	void (*forget)(struct rt_io *io, struct rt_chan *chan);
	/* Waits, and calls rt_io_ready() for each ready channel. */
	int (*wait)(struct rt_io *io, int64_t timeout);
	size_t (*pollfds)(const struct rt_io *io, struct pollfd *fds,
		size_t room);
	/* One descriptor that is readable when a channel is ready, and after
	   ring() also from that time on. NULL: there is none. */
	int (*pollfd)(struct rt_io *io);
	void (*ring)(struct rt_io *io, int64_t deadline);
};

extern const struct rt_back_end rt_back_end_epoll;
extern const struct rt_back_end rt_back_end_poll;

struct rt_io {
	const struct rt_back_end *back_end;
	const struct rt_back_end *larger; /* for more channels; NULL: none */
	int64_t now;
	int64_t earliest;         /* no deadline is before this */
	size_t expire_next;       /* where the next search for it begins */
	struct rt_chan **waiting; /* slot - 1 is the index */
	size_t waiting_count;
	size_t waiting_room;
	struct rt_chan *ready[RT_READY_MAX];
	size_t ready_count;
	size_t ready_next;
	bool sendfile;
	char *scratch;         /* for files without sendfile */
	int fd;                /* epoll's; -1 */
	int timer;             /* epoll's, for who polls `fd`; -1: nobody */
	struct pollfd *polled; /* poll's, */
	struct rt_chan **polled_chans; /* and whose they are */
	size_t polled_count;
	size_t polled_room;
	size_t poll_next; /* where its next search begins */
};

/* The descriptors that are its own. */
static inline void
rt_io_close_own(struct rt_io *io)
{
	if (io->timer >= 0)
		(void)close(io->timer);
	if (io->fd >= 0)
		(void)close(io->fd);
	io->timer = io->fd = -1;
}

/* The channel gets a turn; false: there is no room for it among the ready. */
static inline bool
rt_io_ready(struct rt_io *io, struct rt_chan *chan, unsigned events)
{
	if (chan->turn == 0) {
		if (io->ready_count == RT_READY_MAX)
			return false;
		io->ready[io->ready_count++] = chan;
		chan->turn = io->ready_count;
	}
	chan->ready |= (unsigned char)events;
	return true;
}

#endif
