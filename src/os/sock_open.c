/* SPDX-License-Identifier: MIT */
/*
 * Sockets of our own: they never block and are closed on exec; TCP ones, what
 * they are bound to, and how a port stays ours while nobody listens there.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/sock_parts.h"

static int
add_flags(int fd, int get, int set, int flags)
{
	int old = fcntl(fd, get);

	if (old < 0 || fcntl(fd, set, old | flags) < 0)
		return -errno;
	return 0;
}

int
rt_sock_set_flags(int fd)
{
	int result = add_flags(fd, F_GETFD, F_SETFD, FD_CLOEXEC);

	return result < 0 ? result :
			    add_flags(fd, F_GETFL, F_SETFL, O_NONBLOCK);
}

int
rt_sock_type(enum retort_protocol protocol)
{
	return protocol == RETORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

int
rt_sock_open(int family, int type)
{
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
#else
	int result, fd = socket(family, type, 0);

	if (fd < 0)
		return -errno;
	result = rt_sock_set_flags(fd);
	if (result == 0)
		return fd;
	(void)close(fd);
	return result;
#endif
}

static int
set_on(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on) < 0 ? -errno : 0;
}

int
rt_sock_bind_inet(int fd, const struct sockaddr *address, socklen_t size)
{
	return (address->sa_family == AF_INET6 &&
		       set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0) ||
			bind(fd, address, size) < 0 ?
		-errno :
		0;
}

int
rt_sock_bind_tcp(int fd, const struct sockaddr *address, socklen_t size)
{
	struct rt_peer asked;
	int result = 0;

	/* for a free port only afterwards: before, the kernel would look in
	   half of the range alone, and for long when that fills up */
	rt_sock_peer(&asked, address);
	if (asked.port != 0)
		result = set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	if (result == 0)
		result = rt_sock_bind_inet(fd, address, size);
	if (result == 0 && asked.port == 0)
		result = set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	return result;
}

void
rt_sock_set_port(struct end *end, int port)
{
	if (end->address.any.sa_family == AF_INET)
		end->address.v4.sin_port = htons((in_port_t)port);
	else
		end->address.v6.sin6_port = htons((in_port_t)port);
}

void
rt_sock_tune(const struct rt_sock *sock)
{
#ifdef TCP_CONGESTION
	/* Where bbr is the default it paces large replies even on loopback,
	   at a third of what cubic does there. It matters to nobody else. */
	static const char name[] = "cubic";

	if (sock->tcp && sock->loopback)
		(void)setsockopt(sock->fd, IPPROTO_TCP, TCP_CONGESTION, name,
			sizeof name - 1);
#else
	(void)sock;
#endif
}

/*
 * While nobody listens, the port is to stay ours.
 *
 * Linux needs no second socket for that: shutdown(2) ends listening, the port
 * is kept if bind(2) was asked for it by its number, and listen(2) goes on
 * there. Elsewhere another socket is bound to it, before the first one listens:
 * nobody can be bound while a socket does.
 */

/* SO_REUSEADDR would let others bind the port then. */
static void
lock_port(const struct rt_sock *sock, bool yes)
{
	const int reuse = !yes;

	(void)setsockopt(sock->holder, SOL_SOCKET, SO_REUSEADDR, &reuse,
		sizeof reuse);
}

#ifdef __linux__

int
rt_sock_keep_port(struct end *end, bool chosen, const char **step)
{
	const int fd = end->sock.fd;

	end->sock.keeps = true;
	if (!chosen)
		return 0;
	/* gives up the port that the kernel has chosen, and asks for it */
	*step = "listen";
	if (listen(fd, 1) < 0)
		return -errno;
	end->sock.keeps = shutdown(fd, SHUT_RD) == 0;
	*step = "bind";
	rt_sock_set_port(end, end->sock.port);
	if (!end->sock.keeps || bind(fd, &end->address.any, end->size) == 0)
		return 0;
	/* EINVAL: this kernel has left it its port anyway */
	return errno == EINVAL ? 0 : -errno;
}

int
rt_sock_refuse(struct rt_sock *sock)
{
	int result = 0;

	if (!sock->keeps)
		return -ENOTSUP;
	if (sock->fd < 0)
		return 0;
	sock->holder = sock->fd;
	sock->fd = -1;
	lock_port(sock, true);
	if (shutdown(sock->holder, SHUT_RD) < 0) {
		result = -errno;
		lock_port(sock, false);
		sock->fd = sock->holder;
		sock->holder = -1;
	}
	return result;
}

int
rt_sock_resume(struct rt_sock *sock)
{
	int result = 0;

	if (!sock->keeps)
		return -ENOTSUP;
	if (sock->fd >= 0)
		return 0;
	lock_port(sock, false);
	if (listen(sock->holder, SOMAXCONN) < 0) {
		result = -errno;
		lock_port(sock, true);
	} else {
		sock->fd = sock->holder;
		sock->holder = -1;
	}
	return result;
}

#else

int
rt_sock_keep_port(struct end *end, bool chosen, const char **step)
{
	int fd = rt_sock_open(end->address.any.sa_family, SOCK_STREAM);
	int result;

	(void)chosen;
	*step = "socket";
	if (fd < 0)
		return fd;
	*step = "bind";
	rt_sock_set_port(end, end->sock.port);
	result = rt_sock_bind_tcp(fd, &end->address.any, end->size);
	if (result < 0) {
		(void)close(fd);
		return result;
	}
	end->sock.holder = fd;
	end->sock.keeps = true;
	return 0;
}

int
rt_sock_refuse(struct rt_sock *sock)
{
	if (!sock->keeps)
		return -ENOTSUP;
	lock_port(sock, true);
	if (sock->fd >= 0)
		(void)close(sock->fd);
	sock->fd = -1;
	return 0;
}

/* Binds a further socket to the address of the holder, and listens. The
   descriptor, or -errno. */
static int
listen_again(const struct sockaddr *address, socklen_t size)
{
	int fd = rt_sock_open(address->sa_family, SOCK_STREAM);
	int result;

	if (fd < 0)
		return fd;
	result = rt_sock_bind_tcp(fd, address, size);
	if (result == 0 && listen(fd, SOMAXCONN) < 0)
		result = -errno;
	if (result < 0) {
		(void)close(fd);
		return result;
	}
	return fd;
}

int
rt_sock_resume(struct rt_sock *sock)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof address;
	int fd;

	if (!sock->keeps)
		return -ENOTSUP;
	if (sock->fd >= 0)
		return 0;
	if (getsockname(sock->holder, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	lock_port(sock, false);
	fd = listen_again((struct sockaddr *)&address, size);
	if (fd < 0) {
		lock_port(sock, true);
		return fd;
	}
	sock->fd = fd;
	rt_sock_tune(sock);
	return 0;
}

#endif
