/* SPDX-License-Identifier: MIT */
/* Listeners: server.c asks them for what they accept, as long as there are
   descriptors. A listener may refuse for a while. */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most datagrams that wait for their answers; the kernel keeps others. */
#define MAX_DATAGRAMS 1024

/* From below it services answer, and would be answered for ever. */
#define FIRST_USER_PORT 1024

/* How long accepting pauses when descriptors run out and none is closed. */
#define ACCEPT_PAUSE (100 * RT_MS)

/* Descriptors left for the files of requests that were accepted. */
#define SPARE_DESCRIPTORS 8

/* Descriptors below this are taken without a look at the limit. Under a lower
   limit there is no room for spare ones anyway. */
#define FEW_DESCRIPTORS 16

static bool
is_spare(struct retort *server, int fd)
{
	struct rlimit limit;

	if (fd < FEW_DESCRIPTORS)
		return false;
	if (server->fd_limit == 0) {
		server->fd_limit = INT_MAX;
		if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
			limit.rlim_cur < INT_MAX)
			server->fd_limit =
				(int)limit.rlim_cur - SPARE_DESCRIPTORS;
	}
	return fd >= server->fd_limit;
}

/* Accepts nothing until then, or until a connection has ended. */
static void
rest_listener(struct retort *server, struct rt_listener *listener,
	int64_t until)
{
	server->paused = true;
	listener->chan.in.verb = RT_NOTHING;
	listener->chan.deadline = until;
	(void)rt_io_wait(server->io, &listener->chan);
}

/* Pauses, as descriptors have run out, and counts the shortage. */
static void
pause_listener(struct retort *server, struct rt_listener *listener)
{
	server->careful = true;
	if (server->short_open == 0) {
		server->shortages++;
		server->short_open = server->open > 0 ? server->open : 1;
	}
	rest_listener(server, listener, rt_io_now(server->io) + ACCEPT_PAUSE);
}

/* Has it want to accept, or to receive datagrams. */
static void
listen_on(struct retort *server, struct rt_listener *listener)
{
	struct rt_op *in = &listener->chan.in;

	listener->chan.deadline = RT_NEVER;
	in->verb = RT_ACCEPT;
	if (server->config.protocol != RETORT_UDP)
		return;
	in->verb = RT_RECV_FROM;
	in->recv.data = server->config.scratch;
	in->recv.size = server->config.scratch_size;
	in->recv.from = &server->from;
}

/*
 * Whether the next descriptor would be a spare one. Asked before it is
 * accepted: finding out by accepting would eat up the spare ones in time.
 */
static bool
is_full(struct retort *server)
{
	int fd = fcntl(server->wake_fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 || is_spare(server, fd);
}

/* Whether an error of accept(2) is not about one connection alone. */
static bool
is_shortage(int64_t error)
{
	switch (-error) {
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENOPROTOOPT:
	case ETIMEDOUT:
		return false;
	default:
		return true;
	}
}

/* Why a datagram must not be answered; NULL. */
static const char *
find_loop(const struct retort *server, const struct rt_peer *peer,
	const struct rt_address *from)
{
	if (peer->family == AF_UNIX &&
		from->size <= sizeof from->name.ss_family)
		return "its sender has no address";
	if (peer->family != AF_UNIX && peer->port < FIRST_USER_PORT)
		return "its port is below 1024";
	for (size_t i = 0; i < server->listener_count; i++)
		if (rt_sock_is_own(&server->listeners[i].sock, from))
			return "its address is the server's own";
	return NULL;
}

const char *
rt_server_sender(const struct retort *server,
	const struct rt_listener *listener, struct rt_peer *peer)
{
	const struct rt_address *from = listener->chan.in.recv.from;

	rt_sock_peer(peer, (const struct sockaddr *)&from->name);
	if (peer->family == 0)
		peer->family = AF_UNIX;
	return find_loop(server, peer, from);
}

/* Whether it may take one more; otherwise it rests until there is room. */
static bool
may_take(struct retort *server, struct rt_listener *listener)
{
	const struct rt_op *in = &listener->chan.in;

	if (!listener->open || listener->refusing || in->verb == RT_NOTHING)
		return false;
	if (in->verb == RT_RECV_FROM && server->open >= MAX_DATAGRAMS)
		rest_listener(server, listener, RT_NEVER);
	else if (server->careful && is_full(server))
		pause_listener(server, listener);
	return in->verb != RT_NOTHING;
}

/* Whether there is no descriptor for another one. */
static bool
was_last(struct retort *server, const struct rt_op *in)
{
	if (in->result < 0)
		return is_shortage(in->result);
	return in->verb == RT_ACCEPT && is_spare(server, (int)in->result);
}

bool
rt_server_accept(struct retort *server, struct rt_listener *listener)
{
	const struct rt_op *in = &listener->chan.in;

	while (may_take(server, listener) &&
		rt_io_try(server->io, &listener->chan) != 0) {
		if (was_last(server, in))
			pause_listener(server, listener);
		if (in->result >= 0)
			return true;
	}
	return false;
}

void
rt_server_resume(struct retort *server)
{
	server->paused = false;
	for (size_t i = 0; i < server->listener_count; i++) {
		struct rt_listener *listener = server->listeners + i;

		if (!listener->open || listener->refusing ||
			listener->chan.in.verb != RT_NOTHING)
			continue;
		listen_on(server, listener);
		(void)rt_io_wait(server->io, &listener->chan);
	}
}

static void
close_listener(struct retort *server, struct rt_listener *listener)
{
	if (listener->open && !listener->refusing)
		rt_io_release(server->io, &listener->chan);
	listener->open = false;
	if (server->config.protocol != RETORT_UDP || server->open == 0)
		rt_sock_close(&listener->sock);
	else if (listener->sock.fd >= 0)
		/* datagrams are answered through it still */
		rt_sock_deafen(&listener->sock);
}

void
rt_server_close_listeners(struct retort *server)
{
	for (size_t i = 0; i < server->listener_count; i++)
		close_listener(server, server->listeners + i);
}

/* Closes it: somebody who shares the listening socket has shut it down. */
static void
lose_listener(struct retort *server, struct rt_listener *listener)
{
	close_listener(server, listener);
	for (size_t i = 0; i < server->listener_count; i++)
		if (server->listeners[i].open)
			return;
	server->stopping = true;
}

bool
rt_server_rouse(struct retort *server, struct rt_listener *listener,
	unsigned what)
{
	if (what & RT_BROKEN) {
		lose_listener(server, listener);
		return false;
	}
	if (what & RT_EXPIRED) {
		listen_on(server, listener);
		(void)rt_io_wait(server->io, &listener->chan);
	}
	return true;
}

/*
 * A socket with a large buffer is writable again only when a third of it was
 * taken: a slow reader would look like one that takes nothing. What is
 * accepted inherits this.
 */
static void
keep_little_unsent(const struct rt_sock *sock)
{
#ifdef TCP_NOTSENT_LOWAT
	static const int bytes = 512 << 10;

	if (sock->tcp && !sock->borrowed)
		(void)setsockopt(sock->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
			&bytes, sizeof bytes);
#else
	(void)sock;
#endif
}

/* A connection is not shown until it has sent something: fewer turns. */
static void
defer_accept(const struct rt_sock *sock)
{
#ifdef TCP_DEFER_ACCEPT
	static const int seconds = 1;

	if (sock->tcp && !sock->borrowed)
		(void)setsockopt(sock->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT,
			&seconds, sizeof seconds);
#else
	(void)sock;
#endif
}

int
rt_server_listen(struct retort *server, struct rt_listener *listener)
{
	struct rt_sock *sock = &listener->sock;

	keep_little_unsent(sock);
	/* inherited, too */
	if (server->config.keep_alive && sock->tcp && !sock->borrowed)
		rt_sock_hurry(sock->fd);
	if (server->defer_accept)
		defer_accept(sock);
	rt_chan_init(&listener->chan, sock->fd, RT_KIND_LISTENER);
	listen_on(server, listener);
	return rt_io_wait(server->io, &listener->chan);
}

static int
refuse_at(struct retort *server, struct rt_listener *listener, bool refuse)
{
	int error;

	if (refuse) {
		rt_io_release(server->io, &listener->chan);
		error = rt_sock_refuse(&listener->sock);
		listener->refusing = error == 0;
		if (error < 0)
			(void)rt_io_wait(server->io, &listener->chan);
		return error;
	}
	error = rt_sock_resume(&listener->sock);
	if (error < 0)
		return error;
	error = rt_server_listen(server, listener);
	listener->refusing = error < 0;
	if (error < 0) {
		rt_io_release(server->io, &listener->chan);
		(void)rt_sock_refuse(&listener->sock);
	}
	return error;
}

int
rt_server_refuse(struct retort *server, bool refuse)
{
	int error = 0, code;

	for (size_t i = 0; i < server->listener_count; i++)
		if (server->listeners[i].open &&
			!server->listeners[i].sock.keeps)
			return -ENOTSUP;
	for (size_t i = 0; i < server->listener_count; i++) {
		struct rt_listener *listener = server->listeners + i;

		if (!listener->open || listener->refusing == refuse)
			continue;
		code = refuse_at(server, listener, refuse);
		if (error == 0)
			error = code;
	}
	return error;
}
