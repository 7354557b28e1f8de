/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets: bound, described, closed, and what else the server needs
 * of sockets. Called by the room server at its start and end, and rarely in
 * between. Never accepts, and never closes or removes what it did not make or
 * take over.
 */
#include "config.h"

#include "os/sock_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_EVENTFD
#include <sys/eventfd.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

/* The number of free ports that are tried for several addresses. */
#define PORT_TRIES 32

/* Writes "unix:" and the name in `un`, of which the kernel told `size`. */
static void
describe_unix(struct rt_sock *sock, const struct sockaddr_un *un,
	socklen_t size)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	const char *name = un->sun_path;
	size_t length = size > before ? size - before : 0;
	char *to = sock->url + strlen("unix:");

	memcpy(sock->url, "unix:", sizeof "unix:");
	if (length > sizeof un->sun_path)
		length = sizeof un->sun_path;
	if (length > 0 && *name == '\0')
		*to++ = '@', name++, length--; /* abstract: NULs count */
	else
		length = strnlen(name, length);
	for (; length > 0; length--, name++)
		*to++ = (unsigned char)*name < ' ' || *name == 0x7f ? '?' :
								      *name;
	*to = '\0';
	sock->loopback = true;
}

const char *
rt_sock_scheme(enum retort_protocol protocol)
{
	static const char *const schemes[] = {
		[RETORT_HTTP] = "http",
		[RETORT_TCP] = "tcp",
		[RETORT_UDP] = "udp",
	};

	return (size_t)protocol < sizeof schemes / sizeof *schemes ?
		schemes[protocol] :
		"?";
}

/* Writes a URL such as "tcp://[::1]:7"; one of HTTP has a path. */
static void
write_url(struct rt_sock *sock, enum retort_protocol protocol,
	const char *address)
{
	/* each server pays for it: snprintf(3) would take 1,000 instructions */
	char *to = stpcpy(sock->url, rt_sock_scheme(protocol));

	to = stpcpy(to, "://");
	to = stpcpy(to, address);
	(void)stpcpy(to, protocol == RETORT_HTTP ? "/" : "");
}

void
rt_sock_set_tls(struct rt_sock *sock)
{
	char plain[RT_URL_TEXT];
	const char *address;

	if (sock->family == AF_UNIX)
		return;
	memcpy(plain, sock->url, sizeof plain);
	address = strstr(plain, "://");
	(void)snprintf(sock->url, sizeof sock->url, "%s%.*s",
		*plain == 'h' ? "https" : "tls",
		(int)(sizeof sock->url - sizeof "https"), address);
}

/* Fills in what the socket tells about itself; 0 or -errno. */
static int
describe(struct rt_sock *sock, enum retort_protocol protocol)
{
	union address address;
	socklen_t size = sizeof address;
	struct in6_addr *v6 = &address.v6.sin6_addr;
	struct rt_peer local;
	char text[RT_PEER_TEXT];

	memset(&address, 0, sizeof address);
	if (getsockname(sock->fd, &address.any, &size) < 0)
		return -errno;
	sock->family = address.any.sa_family;
	if (address.any.sa_family == AF_UNIX) {
		describe_unix(sock, &address.un, size);
		return 0;
	}
	if (address.any.sa_family == AF_INET)
		sock->loopback = ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
	else if (address.any.sa_family == AF_INET6)
		sock->loopback = IN6_IS_ADDR_LOOPBACK(v6) ||
			(IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
	else
		return -EAFNOSUPPORT;
	rt_sock_peer(&local, &address.any);
	sock->tcp = protocol != RETORT_UDP;
	sock->port = local.port;
	write_url(sock, protocol, rt_sock_peer_text(&local, text));
	return 0;
}

/* The address and `port` as an error line names them. */
static const char *
name_end(const struct end *end, int port, char text[RT_URL_TEXT])
{
	struct rt_peer peer;

	if (end->address.any.sa_family == AF_UNIX) {
		(void)snprintf(text, RT_URL_TEXT, "unix:%s",
			end->address.un.sun_path);
		return text;
	}
	rt_sock_peer(&peer, &end->address.any);
	peer.port = (unsigned short)port;
	return rt_sock_peer_text(&peer, text);
}

static int
bind_end(struct end *end, int port)
{
	if (end->address.any.sa_family == AF_UNIX)
		return rt_sock_bind_unix(end);
	rt_sock_set_port(end, port);
	return end->protocol == RETORT_UDP ?
		rt_sock_bind_inet(end->sock.fd, &end->address.any, end->size) :
		rt_sock_bind_tcp(end->sock.fd, &end->address.any, end->size);
}

/* Makes, binds and describes one end's socket, on `port` if it has one. */
static int
open_alone(struct end *end, int port, char *error)
{
	const char *step = "socket";
	char text[RT_URL_TEXT];
	int result;

	result = rt_sock_open(end->address.any.sa_family,
		rt_sock_type(end->protocol));
	if (result < 0)
		goto out;
	end->sock.fd = result;
	step = "bind";
	result = bind_end(end, port);
	if (result < 0)
		goto out;
	step = "getsockname";
	result = describe(&end->sock, end->protocol);
	if (result < 0)
		goto out;
	if (end->protocol == RETORT_UDP)
		goto look;
	if (end->sock.tcp)
		result = rt_sock_keep_port(end, port == 0, &step);
	if (result < 0)
		goto out;
	/* with SO_REUSEADDR a port may turn out to be taken only here */
	step = "listen";
	if (listen(end->sock.fd, SOMAXCONN) < 0) {
		result = -errno;
		goto out;
	}
	rt_sock_tune(&end->sock);
look:
	step = "bind";
	/* where there are no locks */
	if (end->sock.unlink == NULL || rt_sock_is_in_place(&end->sock))
		return 0;
	result = -EADDRINUSE;
out:
	rt_sock_close(&end->sock);
	(void)rt_fail(error, result, "%s %s: %s", step,
		name_end(end, port, text), strerror(-result));
	/* -EINVAL is for malformed text; the kernel has it too, for a
	   link-local address */
	return result == -EINVAL ? -EADDRNOTAVAIL : result;
}

static int
open_end(struct end *end, int port, char *error)
{
	bool unix_socket = end->address.any.sa_family == AF_UNIX;
	int lock = unix_socket ? rt_sock_lock(end->address.un.sun_path) : -1;
	int result = open_alone(end, port, error);

	rt_sock_unlock(lock);
	return result;
}

/* Says why a socket is not of the right kind; NULL: it is. */
static const char *
find_unfit(int fd, enum retort_protocol protocol)
{
	int listens = 0, type = 0;
	socklen_t size = sizeof listens;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return protocol == RETORT_UDP ? "not a datagram socket" :
						"not a listening socket";
	if (protocol == RETORT_UDP)
		return type == SOCK_DGRAM ? NULL : "not a datagram socket";
	size = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 ||
		listens == 0)
		return "not a listening socket";
	return type == SOCK_STREAM ? NULL : "not a stream socket";
}

/* Checks a descriptor that was passed in, without changing it. */
static int
check_fd(struct end *end, char *error)
{
	struct rt_sock *sock = &end->sock;
	const int fd = sock->fd;
	const char *unfit;
	struct stat status;
	int result = 0;

	if (fstat(fd, &status) < 0)
		result = -errno;
	if (result == 0 && (unfit = find_unfit(fd, end->protocol)) != NULL)
		return rt_fail(error, -ENOTSOCK, "fd:%d: %s", fd, unfit);
	if (result == 0)
		result = describe(sock, end->protocol);
	if (result == -EAFNOSUPPORT)
		return rt_fail(error, -ENOTSOCK,
			"fd:%d: not an IPv4, IPv6 or Unix socket", fd);
	if (result == 0 && sock->family != AF_UNIX && sock->port == 0)
		return rt_fail(error, -ENOTSOCK, "fd:%d: not bound", fd);
	if (result < 0)
		return rt_fail(error, result, "fd:%d: %s", fd,
			strerror(-result));
	return 0;
}

static bool
is_lacking(int result)
{
	return result == -EADDRNOTAVAIL || result == -EAFNOSUPPORT;
}

/* Opens ends[from] and all later ones of its group once, on one port. */
static int
try_group(struct end *ends, size_t from, size_t count, char *error)
{
	int port = ends[from].port, result;
	size_t i;

	for (i = from; i < count; i++) {
		if (i != from &&
			(ends[from].group == NO_GROUP ||
				ends[i].group != ends[from].group))
			continue;
		result = open_end(&ends[i], port, error);
		if (result < 0 && !(ends[i].optional && is_lacking(result)))
			return result;
		if (result == 0 && port == 0)
			port = ends[i].sock.port;
		ends[i].done = true;
	}
	return 0;
}

static int
open_group(struct end *ends, size_t from, size_t count, char *error)
{
	const size_t group = ends[from].group;
	int tries, result;
	size_t i;

	for (tries = 1;; tries++) {
		result = try_group(ends, from, count, error);
		if (result != -EADDRINUSE || group == NO_GROUP ||
			tries == PORT_TRIES)
			return result;
		for (i = from; i < count; i++)
			if (ends[i].group == group)
				rt_sock_close(&ends[i].sock);
	}
}

static int
open_ends(struct end *ends, size_t count, char *error)
{
	size_t i, spec;
	bool any;
	int result;

	for (i = 0; i < count; i++) {
		if (ends[i].done)
			continue;
		result = ends[i].sock.borrowed ?
			check_fd(&ends[i], error) :
			open_group(ends, i, count, error);
		if (result < 0)
			return result;
	}
	for (i = 0; i < count;) {
		spec = ends[i].spec;
		for (any = false; i < count && ends[i].spec == spec; i++)
			any = any || ends[i].sock.fd >= 0;
		if (!any)
			return rt_fail(error, -EADDRNOTAVAIL,
				"localhost: this "
				"machine has neither 127.0.0.1 nor ::1");
	}
	/* Last, so that on failure all are as they were. O_NONBLOCK is of the
	   open file, so the process that passed it in sees it too; a listening
	   socket that is polled cannot do without, as accept(2) would block
	   when the client is gone by then. */
	for (i = 0; i < count; i++) {
		result = ends[i].sock.borrowed ?
			rt_sock_set_flags(ends[i].sock.fd) :
			0;
		if (result < 0)
			return rt_fail(error, result, "fd:%d: %s",
				ends[i].sock.fd, strerror(-result));
	}
	return 0;
}

/* The two listeners of localhost have one URL: clients that look the name up
   reach the server at either. If the machine lacks one, the URL of the other
   has its address. */
static void
name_localhosts(struct end *ends, size_t count)
{
	char text[sizeof "localhost:65535"];

	for (size_t i = 0; i + 1 < count; i++) {
		struct rt_sock *v4 = &ends[i].sock, *v6 = &ends[i + 1].sock;

		if (ends[i].spec != ends[i + 1].spec || v4->fd < 0 ||
			v6->fd < 0)
			continue;
		(void)snprintf(text, sizeof text, "localhost:%hu",
			(unsigned short)v4->port);
		write_url(v4, ends[i].protocol, text);
		write_url(v6, ends[i].protocol, text);
	}
}

/* The order of listeners: IPv4 first, then IPv6, then the others. */
static int
rank_sock(const struct rt_sock *sock)
{
	if (sock->family == AF_INET6)
		return 1;
	return sock->family == AF_INET ? 0 : 2;
}

int
rt_sock_listen(struct rt_sock *socks, enum retort_protocol protocol,
	const char *const *specs, size_t count, int port, int mode, char *error)
{
	struct end *ends;
	size_t i, used = 0;
	int rank, result, listening = 0;

	ends = calloc(2 * count + 1, sizeof *ends);
	if (ends == NULL)
		return rt_fail_errno(error, -ENOMEM, NULL);
	result = rt_sock_parse(ends, specs, count, port, error);
	if (result < 0)
		goto out;
	used = (size_t)result;
	for (i = 0; i < used; i++) {
		ends[i].protocol = protocol;
		ends[i].mode = mode;
	}
	result = open_ends(ends, used, error);
	if (result < 0)
		goto out;
	name_localhosts(ends, used);
	for (rank = 0; rank <= 2; rank++)
		for (i = 0; i < used; i++)
			if (ends[i].sock.fd >= 0 &&
				rank_sock(&ends[i].sock) == rank)
				socks[listening++] = ends[i].sock;
	result = listening;

out:
	for (i = 0; result < 0 && i < used; i++)
		if (!ends[i].sock.borrowed)
			rt_sock_close(&ends[i].sock);
	free(ends);
	return result;
}

static void
remove_file(struct rt_sock *sock)
{
	/* Before the close: while our socket is open its file's inode cannot
	   be given to another file. */
	if (sock->unlink != NULL && rt_sock_is_in_place(sock))
		(void)unlink(sock->unlink);
	free(sock->unlink);
	sock->unlink = NULL;
}

void
rt_sock_close(struct rt_sock *sock)
{
	remove_file(sock);
	if (sock->fd >= 0)
		(void)close(sock->fd);
	sock->fd = -1;
	if (sock->holder >= 0)
		(void)close(sock->holder);
	sock->holder = -1;
}

int64_t
rt_sock_held_for(int fd)
{
#ifdef HAVE_STRUCT_TCP_INFO_TCPI_LAST_DATA_SENT
	struct tcp_info info;
	socklen_t size = sizeof info;

	/* what is sent again, to nobody perhaps, counts as sent, too */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
		info.tcpi_retransmits == 0)
		return info.tcpi_last_data_sent * RT_MS;
#endif
	(void)fd;
	return RT_NEVER;
}

void
rt_sock_reset_when_closed(int fd)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void
rt_sock_hurry(int fd)
{
	static const int on = 1;

	/* a Unix socket does so by itself */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int
rt_sock_pair(int pair[2])
{
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair) < 0 ?
		-errno :
		0;
#else
	int result;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -errno;
	result = rt_sock_set_flags(pair[0]);
	if (result == 0)
		result = rt_sock_set_flags(pair[1]);
	if (result < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	return result;
#endif
}

int
rt_sock_waker(int ends[2])
{
#ifdef HAVE_EVENTFD
	ends[0] = ends[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ends[0] < 0 ? -errno : 0;
#else
	return rt_sock_pair(ends);
#endif
}

bool
rt_sock_is_own(const struct rt_sock *sock, const struct rt_address *from)
{
	static const unsigned char any[16];
	struct rt_address own = {.size = sizeof own.name};
	struct rt_peer peer, local;

	if (getsockname(sock->fd, (struct sockaddr *)&own.name, &own.size) < 0)
		return true;
	if (own.name.ss_family == AF_UNIX)
		return own.size == from->size &&
			memcmp(&own.name, &from->name, own.size) == 0;
	rt_sock_peer(&peer, (const struct sockaddr *)&from->name);
	rt_sock_peer(&local, (const struct sockaddr *)&own.name);
	return peer.port == local.port &&
		(memcmp(local.address, any, sizeof any) == 0 ||
			memcmp(local.address, peer.address, sizeof any) == 0);
}

void
rt_sock_deafen(struct rt_sock *sock)
{
	remove_file(sock);
	/* ENOTCONN, but done all the same */
	(void)shutdown(sock->fd, SHUT_RD);
}
