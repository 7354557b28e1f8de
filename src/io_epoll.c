/* SPDX-License-Identifier: MIT */
/* The epoll back end: level-triggered, one registration per channel. */
#include "config.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io.h"

static int
epoll_open(struct rt_io *io)
{
	io->fd = epoll_create1(EPOLL_CLOEXEC);
	return io->fd < 0 ? -errno : 0;
}

static void
epoll_end(struct rt_io *io)
{
	(void)close(io->fd);
}

static int
epoll_arm(struct rt_io *io, struct rt_chan *chan, unsigned events)
{
	struct epoll_event event = {.data.ptr = chan};

	if (events & RT_READ)
		event.events |= EPOLLIN;
	if (events & RT_WRITE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(io->fd, chan->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		    chan->fd, &event) < 0)
		return -errno;
	return 0;
}

static void
epoll_forget(struct rt_io *io, struct rt_chan *chan)
{
	(void)epoll_ctl(io->fd, EPOLL_CTL_DEL, chan->fd, NULL);
}

static int
epoll_sleep(struct rt_io *io, int64_t timeout)
{
	struct epoll_event events[RT_READY_MAX];
	int n = epoll_wait(io->fd, events, RT_READY_MAX, rt_io_ms(timeout));

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		unsigned ready = 0;

		if (events[i].events & EPOLLIN)
			ready |= RT_READ;
		if (events[i].events & EPOLLOUT)
			ready |= RT_WRITE;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			ready |= RT_GONE | RT_READ | RT_WRITE;
		(void)rt_io_ready(io, events[i].data.ptr, ready);
	}
	return 0;
}

static int
epoll_pollfd(const struct rt_io *io)
{
	return io->fd;
}

const struct rt_back_end rt_back_end_epoll = {
	.name = "epoll",
	.open = epoll_open,
	.close = epoll_end,
	.arm = epoll_arm,
	.forget = epoll_forget,
	.wait = epoll_sleep,
	.pollfd = epoll_pollfd,
};
