/* SPDX-License-Identifier: MIT */
/*
 * The portable half of the loop: trying operations, the waiting and the
 * ready channels, deadlines. Owns neither descriptors nor connections; the
 * server does. The only room where EINTR and EAGAIN are handled.
 *
 * Deadlines are found by looking at all waiting channels, but only when
 * `earliest` has passed. That is a lower bound that starting an operation
 * can bring forward and nothing moves back until the next search, so
 * searches come at most about once per shortest time-out, however many
 * connections come and go in between.
 */
#include "config.h"

#include "os/io_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_LINUX_SOCKIOS_H
#include <linux/sockios.h>
#endif
#ifdef HAVE_SYS_SENDFILE_H
#include <sys/sendfile.h>
#endif

#include "base/buf.h"

#define SCRATCH_SIZE (64u << 10)
#define MAX_SENDFILE (1u << 20)

#ifdef HAVE_SYS_EPOLL_H
#define LARGER (&rt_back_end_epoll)
#else
#define LARGER NULL
#endif

/* Up to this number poll(2) costs less than epoll's descriptor and the
   registration of each channel. */
#define FEW_CHANNELS 16

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifndef MSG_MORE
#define MSG_MORE 0
#endif

int64_t
rt_io_clock(struct rt_io *io)
{
	io->now = rt_clock();
	return io->now;
}

int64_t
rt_io_now(const struct rt_io *io)
{
	return io->now;
}

/* Changes to the larger back end, with all channels. On failure (-ENOTSUP:
   there is no larger one) nothing has changed. */
static int
use_larger(struct rt_io *io)
{
	const struct rt_back_end *small = io->back_end;
	int error;

	if (io->larger == NULL)
		return -ENOTSUP;
	error = io->larger->open(io);
	for (size_t i = 0; error == 0 && i < io->polled_count; i++) {
		struct rt_chan *chan = io->polled_chans[i];

		chan->registered = false; /* there */
		error = io->larger->arm(io, chan, chan->armed);
		chan->registered = true;
	}
	if (error < 0) {
		io->larger->close(io);
		return error;
	}
	io->back_end = io->larger;
	io->larger = NULL;
	small->close(io);
	return 0;
}

int
rt_io_open(struct rt_io **opened, enum retort_io choice, bool sendfile)
{
	struct rt_io *io = calloc(1, sizeof *io);
	int error;

	if (io == NULL)
		return -ENOMEM;
	io->fd = -1;
	io->timer = -1;
	io->earliest = RT_NEVER;
	io->sendfile = sendfile;
	io->back_end = &rt_back_end_poll;
	if (choice != RETORT_IO_POLL)
		io->larger = LARGER;
	error = choice == RETORT_IO_EPOLL ? use_larger(io) : 0;
	if (error < 0) {
		free(io);
		return error;
	}
	(void)rt_io_clock(io);
	*opened = io;
	return 0;
}

void
rt_io_close(struct rt_io *io)
{
	if (io == NULL)
		return;
	io->back_end->close(io);
	free(io->waiting);
	free(io->scratch);
	free(io);
}

void
rt_io_leave(struct rt_io *io)
{
	rt_io_close_own(io);
}

/* --- operations --- */

static int64_t
try_accept(int fd, struct rt_op *op)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	int got;

#ifdef HAVE_ACCEPT4
	got = accept4(fd, (struct sockaddr *)&address, &size,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
	got = accept(fd, (struct sockaddr *)&address, &size);
#endif
	if (got < 0)
		return -errno;
#ifndef HAVE_ACCEPT4
	if (rt_sock_set_flags(got) < 0) {
		int error = errno;

		(void)close(got);
		return -error;
	}
#endif
	if (size < sizeof address.ss_family)
		address.ss_family = AF_UNIX; /* an unnamed Unix socket */
	rt_sock_peer(&op->peer, (struct sockaddr *)&address);
	return got;
}

static int64_t
try_recv(int fd, struct rt_op *op)
{
	ssize_t n = recv(fd, op->recv.data, op->recv.size, 0);

	return n < 0 ? -errno : n;
}

static int64_t
try_read(int fd, struct rt_op *op)
{
	ssize_t n = read(fd, op->recv.data, op->recv.size);

	return n < 0 ? -errno : n;
}

static int64_t
try_recv_from(int fd, struct rt_op *op)
{
	struct rt_address *from = op->recv.from;
	struct iovec room = {op->recv.data, op->recv.size};
	struct msghdr message = {
		.msg_name = &from->name,
		.msg_namelen = sizeof from->name,
		.msg_iov = &room,
		.msg_iovlen = 1,
	};
	ssize_t n;

	from->name.ss_family = AF_UNSPEC;
	n = recvmsg(fd, &message, 0);
	if (n < 0)
		return -errno;
	from->size = message.msg_namelen;
	op->recv.truncated = (message.msg_flags & MSG_TRUNC) != 0;
	return n;
}

static int64_t
try_send_to(int fd, struct rt_op *op)
{
	const struct rt_address *to = op->send.to;
	struct msghdr message = {
		.msg_name = (void *)(uintptr_t)&to->name,
		.msg_namelen = to->size,
		.msg_iov = op->send.pieces,
		.msg_iovlen = (size_t)op->send.count,
	};
	ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

static ssize_t
send_pieces(int fd, struct rt_op *op, int flags)
{
	struct msghdr message = {
		.msg_iov = op->send.pieces,
		.msg_iovlen = (size_t)op->send.count,
	};

	return sendmsg(fd, &message, flags);
}

static int64_t
try_send(int fd, struct rt_op *op)
{
	int flags = MSG_NOSIGNAL | (op->more ? MSG_MORE : 0);
	ssize_t n = op->send.count == 1 ?
		send(fd, op->send.pieces[0].iov_base,
			op->send.pieces[0].iov_len, flags) :
		send_pieces(fd, op, flags);

	if (n < 0)
		return -errno;
	/* if it fails, it does so again as an operation of its own */
	op->ended = op->ends && (uint64_t)n == rt_op_size(op) &&
		shutdown(fd, SHUT_WR) == 0;
	return n;
}

int64_t
rt_io_read_file(const struct rt_op *op, void *room, size_t size)
{
	ssize_t n;

	if (size > op->file.size)
		size = (size_t)op->file.size;
	do
		n = pread(op->file.fd, room, size, (off_t)op->file.at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Copies by a buffer, for the library, which may not raise SIGPIPE. */
static int64_t
copy_file(struct rt_io *io, int fd, const struct rt_op *op)
{
	size_t want = op->file.size < SCRATCH_SIZE ? (size_t)op->file.size :
						     SCRATCH_SIZE;
	ssize_t n;

	if (io->scratch == NULL && (io->scratch = malloc(SCRATCH_SIZE)) == NULL)
		return -ENOMEM;
	n = pread(op->file.fd, io->scratch, want, (off_t)op->file.at);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	n = send(fd, io->scratch, (size_t)n,
		MSG_NOSIGNAL | ((uint64_t)n < op->file.size ? MSG_MORE : 0));
	return n < 0 ? -errno : n;
}

static int64_t
try_file(struct rt_io *io, int fd, const struct rt_op *op)
{
#ifdef HAVE_SYS_SENDFILE_H
	if (io->sendfile) {
		off_t at = (off_t)op->file.at;
		size_t want = op->file.size < MAX_SENDFILE ?
			(size_t)op->file.size :
			MAX_SENDFILE;
		ssize_t n = sendfile(fd, op->file.fd, &at, want);

		if (n >= 0)
			return n;
		/* a file system that cannot (FUSE, procfs) */
		if (errno != EINVAL && errno != ENOSYS)
			return -errno;
	}
#endif
	return copy_file(io, fd, op);
}

/* Keeps the bytes after it in another segment than those before it. */
static int64_t
try_flush(int fd)
{
	static const int on = 1;
	int unsent = 0;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef SIOCOUTQNSD
	if (ioctl(fd, SIOCOUTQNSD, &unsent) < 0)
		return 0; /* a Unix socket holds nothing back */
#endif
	return unsent > 0 ? -EAGAIN : 0;
}

static int64_t
try_finish(int fd)
{
	return shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}

static int64_t
call_in(int fd, struct rt_op *op)
{
	switch (op->verb) {
	case RT_ACCEPT:
		return try_accept(fd, op);
	case RT_RECV:
		return try_recv(fd, op);
	case RT_TAKE:
		return try_read(fd, op);
	case RT_RECV_FROM:
		return try_recv_from(fd, op);
	default:
		return -EAGAIN;
	}
}

static int64_t
call_out(struct rt_io *io, int fd, struct rt_op *op)
{
	switch (op->verb) {
	case RT_SEND:
		return try_send(fd, op);
	case RT_SEND_TO:
		return try_send_to(fd, op);
	case RT_FILE:
		return try_file(io, fd, op);
	case RT_FLUSH:
		return try_flush(fd);
	case RT_FINISH:
		return try_finish(fd);
	default: /* left to others */
		return -EAGAIN;
	}
}

static bool
has_blocked(const struct rt_op *op)
{
	return op->result == -EAGAIN || op->result == -EWOULDBLOCK;
}

/* Tries what the direction wants. True when it is done. */
static inline bool
try_in(struct rt_chan *chan)
{
	struct rt_op *op = &chan->in;

	do
		op->result = call_in(chan->fd, op);
	while (op->result == -EINTR);
	/* A read that did not fill its room has emptied the socket: trying
	   again would cost a call to learn just that. */
	if (has_blocked(op) ||
		((op->verb == RT_RECV || op->verb == RT_TAKE) &&
			op->result > 0 && (size_t)op->result < op->recv.size))
		chan->blocked |= RT_READ;
	return !has_blocked(op);
}

static inline bool
try_out(struct rt_io *io, struct rt_chan *chan)
{
	struct rt_op *op = &chan->out;

	do
		op->result = call_out(io, chan->fd, op);
	while (op->result == -EINTR);
	/* of these it is a result */
	if (!has_blocked(op) || op->verb == RT_SEND_TO || op->verb == RT_FLUSH)
		return true;
	chan->blocked |= RT_WRITE;
	return false;
}

/* Written for the usual case: a channel that wants something in one direction
   alone. */
static inline bool
can_try(const struct rt_chan *chan, const struct rt_op *op, unsigned way)
{
	return op->verb != RT_NOTHING && (chan->blocked & way) == 0;
}

unsigned
rt_io_try(struct rt_io *io, struct rt_chan *chan)
{
	if (can_try(chan, &chan->out, RT_WRITE) && try_out(io, chan))
		return RT_OUT_DONE;
	if (can_try(chan, &chan->in, RT_READ) && try_in(chan))
		return RT_IN_DONE;
	return 0;
}

/* --- waiting --- */

static int
add_waiting(struct rt_io *io, struct rt_chan *chan)
{
	if (!rt_grow(&io->waiting, &io->waiting_room, io->waiting_count,
		    sizeof(struct rt_chan *)))
		return -ENOMEM;
	io->waiting[io->waiting_count++] = chan;
	chan->slot = io->waiting_count;
	return 0;
}

static void
remove_waiting(struct rt_io *io, struct rt_chan *chan)
{
	struct rt_chan *last = io->waiting[--io->waiting_count];

	io->waiting[chan->slot - 1] = last;
	last->slot = chan->slot;
	chan->slot = 0;
}

int
rt_io_wait(struct rt_io *io, struct rt_chan *chan)
{
	unsigned events = 0;
	int error;

	if (chan->in.verb != RT_NOTHING)
		events |= RT_READ;
	if (chan->out.verb != RT_NOTHING)
		events |= RT_WRITE;
	if (chan->watched)
		events |= RT_END;
	if (chan->slot == 0) {
		error = add_waiting(io, chan);
		if (error < 0)
			return error;
	}
	if (!chan->registered && io->polled_count >= FEW_CHANNELS &&
		io->larger != NULL)
		(void)use_larger(io);
	if (!chan->registered || chan->armed != events) {
		error = io->back_end->arm(io, chan, events);
		if (error < 0) {
			/* those that wait are those the back end knows */
			if (!chan->registered)
				remove_waiting(io, chan);
			return error;
		}
		chan->armed = (unsigned char)events;
		chan->registered = true;
	}
	if (chan->deadline < io->earliest)
		io->earliest = chan->deadline;
	return 0;
}

void
rt_io_release(struct rt_io *io, struct rt_chan *chan)
{
	if (chan->registered)
		io->back_end->forget(io, chan);
	chan->registered = false;
	if (chan->turn != 0)
		io->ready[chan->turn - 1] = NULL;
	chan->turn = 0;
	chan->ready = 0;
	chan->blocked = 0; /* nothing says any more when that is over */
	if (chan->slot != 0)
		remove_waiting(io, chan);
}

void
rt_io_drop(struct rt_io *io, struct rt_chan *chan)
{
	rt_io_release(io, chan);
	if (!chan->shared)
		(void)close(chan->fd);
	chan->fd = -1;
}

/*
 * Moves what has expired to the ready, while these are fewer than `most`, and
 * learns the next deadline. Goes round, so that those at the front cannot
 * starve the others when more have expired than one turn takes.
 */
static void
find_expired(struct rt_io *io, size_t most)
{
	int64_t earliest = RT_NEVER;
	struct rt_chan *chan;

	if (io->now < io->earliest)
		return;
	for (size_t i = 0; i < io->waiting_count; i++, io->expire_next++) {
		chan = io->waiting[io->expire_next % io->waiting_count];
		if (chan->deadline > io->now) {
			if (chan->deadline < earliest)
				earliest = chan->deadline;
		} else if (io->ready_count >= most ||
			!rt_io_ready(io, chan, 0)) {
			return; /* no room: the rest in the next turn */
		}
	}
	io->earliest = earliest;
}

int
rt_io_sleep(struct rt_io *io, int64_t time, int64_t until)
{
	int error = 0;

	if (io->ready_next < io->ready_count)
		return 0;
	io->ready_count = 0;
	io->ready_next = 0;
	/* however many others are ready, what has expired has room, and the
	   other way round */
	(void)rt_io_clock(io);
	find_expired(io, RT_READY_MAX / 2);
	if (until > io->earliest)
		until = io->earliest;
	/* if both are RT_NEVER, as long as poll(2) can: some weeks */
	if (until - io->now < time)
		time = until - io->now;
	if (io->ready_count > 0 || time < 0)
		time = 0;
	error = io->back_end->wait(io, time);
	/* after ^Z, say: what has arrived meanwhile counts before what has
	   expired */
	if (error == -EINTR)
		error = io->back_end->wait(io, 0);
	if (error == -EINTR)
		error = 0;
	(void)rt_io_clock(io);
	find_expired(io, RT_READY_MAX);
	return error;
}

struct rt_chan *
rt_io_next(struct rt_io *io, unsigned *what)
{
	while (io->ready_next < io->ready_count) {
		struct rt_chan *chan = io->ready[io->ready_next++];

		if (chan == NULL)
			continue;
		chan->turn = 0;
		*what = 0;
		if ((chan->ready & RT_GONE) != 0 &&
			chan->in.verb == RT_NOTHING &&
			chan->out.verb == RT_NOTHING)
			*what |= RT_BROKEN;
		if ((chan->ready & RT_END) != 0 && chan->watched)
			*what |= RT_ENDED;
		/* a datagram socket that was shut down: that is all it says */
		if ((chan->ready & RT_HUNG) != 0 &&
			chan->in.verb == RT_RECV_FROM)
			*what |= RT_BROKEN;
		if (chan->deadline <= io->now)
			*what |= RT_EXPIRED;
		chan->blocked &= (unsigned char)~chan->ready;
		chan->ready = 0;
		return chan;
	}
	return NULL;
}

int64_t
rt_io_deadline(const struct rt_io *io)
{
	return io->ready_next < io->ready_count ? io->now : io->earliest;
}

int
rt_io_pollfd(struct rt_io *io)
{
	int error = io->larger != NULL ? use_larger(io) : 0;

	if (error < 0)
		return error;
	return io->back_end->pollfd ? io->back_end->pollfd(io) : -ENOTSUP;
}

bool
rt_io_rings(const struct rt_io *io)
{
	return io->timer >= 0;
}

void
rt_io_ring(struct rt_io *io, int64_t deadline)
{
	if (io->back_end->ring != NULL)
		io->back_end->ring(io, deadline);
}

size_t
rt_io_pollfds(struct rt_io *io, struct pollfd *fds, size_t room)
{
	if (io->larger != NULL)
		(void)use_larger(io);
	return io->back_end->pollfds(io, fds, room);
}

const void *
rt_io_scratch(const struct rt_io *io)
{
	return io->scratch;
}
