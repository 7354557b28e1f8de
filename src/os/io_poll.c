/* SPDX-License-Identifier: MIT */
/*
 * The poll back end: an array of descriptors, and another of the channels that
 * own them. A channel whose descriptor is another's has no place in it, so
 * that there are never more than there are descriptors: poll(2) takes no more.
 * POSIX only.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "os/io_parts.h"

#define TRY_PAUSE (10 * RT_MS)

static void
poll_end(struct rt_io *io)
{
	free(io->polled);
	free(io->polled_chans);
	io->polled = NULL;
	io->polled_chans = NULL;
	io->polled_count = io->polled_room = 0;
}

/* Adds a place to both arrays. */
static int
add_place(struct rt_io *io, struct rt_chan *chan)
{
	size_t room = io->polled_room;

	if (!rt_grow(&io->polled_chans, &room, io->polled_count,
		    sizeof(struct rt_chan *)) ||
		!rt_grow(&io->polled, &io->polled_room, io->polled_count,
			sizeof(struct pollfd)))
		return -ENOMEM;
	io->polled_chans[io->polled_count++] = chan;
	chan->place = io->polled_count;
	return 0;
}

static int
poll_arm(struct rt_io *io, struct rt_chan *chan, unsigned events)
{
	struct pollfd *polled;

	if (chan->shared)
		return 0;
	if (chan->place == 0 && add_place(io, chan) < 0)
		return -ENOMEM;
	polled = io->polled + chan->place - 1;
	*polled = (struct pollfd){.fd = chan->fd};
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

/* Moves the last channel to the place of this one. */
static void
poll_forget(struct rt_io *io, struct rt_chan *chan)
{
	size_t last;

	if (chan->place == 0)
		return;
	last = --io->polled_count;
	io->polled[chan->place - 1] = io->polled[last];
	io->polled_chans[chan->place - 1] = io->polled_chans[last];
	io->polled_chans[last]->place = chan->place;
	chan->place = 0;
}

static unsigned
ready_of(short revents)
{
	unsigned ready = 0;

	/* usually, and alone */
	if (revents == POLLIN)
		return RT_READ;
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
	return ready;
}

/*
 * The system has no memory to say who is ready, or the limit of descriptors
 * was lowered below what is open. Either may pass: until it does, everybody
 * may try, after a little while.
 */
static void
try_all(struct rt_io *io, int64_t timeout)
{
	if (timeout < 0 || timeout > TRY_PAUSE)
		timeout = TRY_PAUSE;
	(void)poll(NULL, 0, rt_poll_ms(timeout));
	for (size_t i = 0; i < io->polled_count; i++)
		io->polled[i].revents =
			io->polled[i].events & (POLLIN | POLLOUT);
}

static int
poll_sleep(struct rt_io *io, int64_t timeout)
{
	int n = poll(io->polled, (nfds_t)io->polled_count, rt_poll_ms(timeout));
	size_t at = io->poll_next;

	if (n < 0 && errno == EINTR)
		return -EINTR;
	if (n < 0)
		try_all(io, timeout);
	/* Goes round, so that those at the front cannot starve the others
	   when more are ready than one turn takes: the next search begins with
	   the one that found no room, or with the last one. */
	for (size_t i = 0; n != 0 && i < io->polled_count; i++, at++) {
		if (at >= io->polled_count)
			at = 0;
		if (io->polled[at].revents != 0 &&
			(!rt_io_ready(io, io->polled_chans[at],
				 ready_of(io->polled[at].revents)) ||
				--n == 0))
			break;
	}
	io->poll_next = at;
	return 0;
}

static size_t
poll_pollfds(const struct rt_io *io, struct pollfd *fds, size_t room)
{
	size_t count = io->polled_count < room ? io->polled_count : room;

	if (count > 0)
		memcpy(fds, io->polled, count * sizeof *fds);
	return io->polled_count;
}

const struct rt_back_end rt_back_end_poll = {
	.name = "poll",
	.close = poll_end,
	.arm = poll_arm,
	.forget = poll_forget,
	.wait = poll_sleep,
	.pollfds = poll_pollfds,
};
