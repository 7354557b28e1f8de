/* SPDX-License-Identifier: MIT */
/* The epoll back end: level-triggered, one registration per channel. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "os/io_parts.h"

static int
epoll_open(struct rt_io *io)
{
	io->fd = epoll_create1(EPOLL_CLOEXEC);
	return io->fd < 0 ? -errno : 0;
}

static void
epoll_end(struct rt_io *io)
{
	rt_io_close_own(io);
}

static int
epoll_arm(struct rt_io *io, struct rt_chan *chan, unsigned events)
{
	struct epoll_event event = {.data.ptr = chan};

	if (chan->shared)
		return 0;
	if (events & RT_READ)
		event.events |= EPOLLIN;
	if (events & RT_WRITE)
		event.events |= EPOLLOUT;
	if (events & RT_END)
		event.events |= EPOLLRDHUP;
	if (epoll_ctl(io->fd, chan->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		    chan->fd, &event) < 0)
		return -errno;
	return 0;
}

static void
epoll_forget(struct rt_io *io, struct rt_chan *chan)
{
	if (!chan->shared)
		(void)epoll_ctl(io->fd, EPOLL_CTL_DEL, chan->fd, NULL);
}

static int
epoll_sleep(struct rt_io *io, int64_t timeout)
{
	struct epoll_event events[RT_READY_MAX];
	int n = epoll_wait(io->fd, events, RT_READY_MAX, rt_poll_ms(timeout));

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		unsigned ready = 0;

		/* the timer has done its work by waking */
		if (events[i].data.ptr == NULL)
			continue;
		if (events[i].events & EPOLLIN)
			ready |= RT_READ;
		if (events[i].events & EPOLLOUT)
			ready |= RT_WRITE;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			ready |= RT_GONE | RT_READ | RT_WRITE;
		if (events[i].events & EPOLLRDHUP)
			ready |= RT_END;
		if (events[i].events & EPOLLHUP)
			ready |= RT_HUNG;
		(void)rt_io_ready(io, events[i].data.ptr, ready);
	}
	return 0;
}

static size_t
epoll_pollfds(const struct rt_io *io, struct pollfd *fds, size_t room)
{
	if (room > 0)
		*fds = (struct pollfd){.fd = io->fd, .events = POLLIN};
	return 1;
}

/* Adds a timer to the channels, for callers that poll one descriptor. */
static int
epoll_pollfd(struct rt_io *io)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	int error;

	if (io->timer >= 0)
		return io->fd;
	io->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (io->timer < 0)
		return -errno;
	if (epoll_ctl(io->fd, EPOLL_CTL_ADD, io->timer, &event) < 0) {
		error = -errno;
		(void)close(io->timer);
		io->timer = -1;
		return error;
	}
	return io->fd;
}

/* Sets the timer again, which also makes it unreadable. */
static void
epoll_ring(struct rt_io *io, int64_t deadline)
{
	struct itimerspec when = {.it_value = {0, 0}};

	if (io->timer < 0)
		return;
	if (deadline != RT_NEVER) {
		/* all zero would be never */
		deadline = deadline > 0 ? deadline : 1;
		when.it_value.tv_sec = (time_t)(deadline / 1000000000);
		when.it_value.tv_nsec = (long)(deadline % 1000000000);
	}
	(void)timerfd_settime(io->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

const struct rt_back_end rt_back_end_epoll = {
	.name = "epoll",
	.open = epoll_open,
	.close = epoll_end,
	.arm = epoll_arm,
	.forget = epoll_forget,
	.wait = epoll_sleep,
	.pollfds = epoll_pollfds,
	.pollfd = epoll_pollfd,
	.ring = epoll_ring,
};
