/* SPDX-License-Identifier: MIT */
/* The poll back end: an array beside the waiting channels. POSIX only. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

static int
poll_open(struct rt_io *io)
{
	(void)io;
	return 0;
}

static void
poll_end(struct rt_io *io)
{
	free(io->polled);
}

static int
poll_arm(struct rt_io *io, struct rt_chan *chan, unsigned events)
{
	struct pollfd *polled;

	if (io->polled_room < io->waiting_count) {
		polled = realloc(io->polled, io->waiting_room * sizeof *polled);
		if (polled == NULL)
			return -ENOMEM;
		io->polled = polled;
		io->polled_room = io->waiting_room;
	}
	polled = io->polled + chan->slot - 1;
	*polled = (struct pollfd){.fd = chan->shared ? -1 : chan->fd};
	if (events & RT_READ)
		polled->events |= POLLIN;
	if (events & RT_WRITE)
		polled->events |= POLLOUT;
#ifdef POLLRDHUP
	if (events & RT_END)
		polled->events |= POLLRDHUP;
#endif
	return 0;
}

static void
poll_forget(struct rt_io *io, struct rt_chan *chan)
{
	io->polled[chan->slot - 1] = io->polled[io->waiting_count - 1];
}

static int
poll_sleep(struct rt_io *io, int64_t timeout)
{
	int n = poll(io->polled, (nfds_t)io->waiting_count, rt_io_ms(timeout));

	if (n < 0)
		return -errno;
	/* Goes round, so that those at the front cannot starve the others
	   when more are ready than one turn takes. */
	for (size_t i = 0; n > 0 && i < io->waiting_count;
		i++, io->poll_next++) {
		size_t at = io->poll_next % io->waiting_count;
		short revents = io->polled[at].revents;
		unsigned ready = 0;

		if (revents == 0)
			continue;
		n--;
		if (revents & POLLIN)
			ready |= RT_READ;
		if (revents & POLLOUT)
			ready |= RT_WRITE;
		if (revents & (POLLERR | POLLHUP | POLLNVAL))
			ready |= RT_GONE | RT_READ | RT_WRITE;
#ifdef POLLRDHUP
		if (revents & POLLRDHUP)
			ready |= RT_END;
#endif
		if (revents & POLLHUP)
			ready |= RT_HUNG;
		/* the next search begins with the one that found no room */
		if (!rt_io_ready(io, io->waiting[at], ready))
			break;
	}
	return 0;
}

static size_t
poll_pollfds(const struct rt_io *io, struct pollfd *fds, size_t room)
{
	size_t count = io->waiting_count < room ? io->waiting_count : room;

	if (count > 0)
		memcpy(fds, io->polled, count * sizeof *fds);
	return io->waiting_count;
}

const struct rt_back_end rt_back_end_poll = {
	.name = "poll",
	.open = poll_open,
	.close = poll_end,
	.arm = poll_arm,
	.forget = poll_forget,
	.wait = poll_sleep,
	.pollfds = poll_pollfds,
};
