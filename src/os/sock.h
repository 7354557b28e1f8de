/* SPDX-License-Identifier: MIT */
/*
 * Addresses: text to listening descriptor and back.
 *
 * The forms, here and in every option that takes an address:
 *
 *	127.0.0.1  127.0.0.1:8080     IPv4
 *	::1  [::1]  [::1]:8080        IPv6, never IPv4 too (IPV6_V6ONLY)
 *	localhost  localhost:8080     127.0.0.1 and ::1 on one port; either may
 *	                              be missing on a machine that lacks it
 *	unix:PATH                     Unix stream socket
 *	fd:N                          a descriptor that already listens
 *
 * Names are never looked up. A port is 0 to 65535, in digits; only the
 * bracketed form of IPv6 can have one.
 */
#ifndef RT_SOCK_H
#define RT_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "retort.h"

/* The sender of a datagram, as the system has it. */
struct rt_address {
	socklen_t size;
	struct sockaddr_storage name;
};

/* A peer or local address in as few bytes as its text needs. */
struct rt_peer {
	sa_family_t family; /* AF_INET, AF_INET6, AF_UNIX, or 0 */
	unsigned short port;
	unsigned char address[16];
};

/* "127.0.0.1:43121" or "[::1]:43121" (or longest form) and its NUL */
#define RT_PEER_TEXT 64

/* Room for a URL and its NUL: "unix:" and the longest path of a socket. */
#define RT_URL_TEXT 160

/* One listening socket; with RETORT_UDP one that is bound. */
struct rt_sock {
	int fd;     /* -1: it refuses */
	int holder; /* does not listen, and holds the port while it refuses:
	               on Linux `fd` is that at other times; -1 */
	bool keeps; /* it can refuse */
	bool tcp;
	sa_family_t family;
	bool borrowed; /* fd:N: not ours to tune */
	char *unlink;  /* the Unix socket's path to be removed, or NULL; as
	                  given, so a relative one is lost by a chdir(2) */
	dev_t device;  /* of that socket's file ... */
	ino_t inode;   /* ... so that no other file is ever removed */
	/* "http://127.0.0.1:43121/", "tcp://[::1]:7", "udp://127.0.0.1:7",
	   "unix:/path"; both of localhost have "http://localhost:43121/".
	   Control characters as '?', an abstract name (fd:N only) as
	   "unix:@name" */
	char url[RT_URL_TEXT];
	int port;      /* TCP or UDP port, or 0 */
	bool loopback; /* reachable from this machine only */
};

/*
 * Binds and listens on each of `specs` (forms above), writing to `socks`,
 * which has room for two per spec.
 * All descriptors are non-blocking and close-on-exec, with SO_REUSEADDR
 * (TCP), never SO_REUSEPORT, backlog SOMAXCONN. Of fd:N only those two flags
 * are changed, and only once everything else has succeeded.
 *
 * Addresses without a port of their own share `port`; when that is 0 they
 * share one free port that the kernel chooses: if a further address finds
 * it taken, all are released and another is chosen, at most 32 times. The
 * two of localhost:0 share a port of their own in the same way.
 *
 * A Unix socket's file that is in the way is replaced when it is a socket
 * that refuses connections. Where the system has flock(2), its folder is locked
 * until the new one listens, so that of several who do this at once one
 * succeeds. `mode`: the file's permissions, whatever the umask says; 0: as that
 * has them.
 *
 * With RETORT_UDP they are datagram sockets, which are bound and nothing else:
 * no SO_REUSEADDR, with which others could bind the same port.
 *
 * Returns how many sockets listen, IPv4 before IPv6 before the others and
 * otherwise in the caller's order; or -errno with a line in `error`
 * (RETORT_ERROR_SIZE bytes, or NULL) such as
 * "bind 127.0.0.1:8080: Address already in use"; then nothing is left
 * open, and what fd:N names is as it was. A malformed address or port, and
 * an fd:N given twice, are -EINVAL before anything is bound; an fd:N that
 * is no listening stream socket, or no bound datagram socket, is -EBADF or
 * -ENOTSOCK.
 */
int rt_sock_listen(struct rt_sock *socks, enum retort_protocol protocol,
	const char *const *specs, size_t count, int port, int mode,
	char *error);

/*
 * Stops listening: connections are refused, and nobody else can have the port.
 * 0 or -errno; -ENOTSUP, if it is not a TCP socket of our own.
 */
int rt_sock_refuse(struct rt_sock *sock);

/* Listens there again. 0 or -errno. */
int rt_sock_resume(struct rt_sock *sock);

/* Has a datagram socket take nothing any more; it still sends. */
void rt_sock_deafen(struct rt_sock *sock);

/* Closes it, fd:N too, and removes its Unix socket's file if still ours. */
void rt_sock_close(struct rt_sock *sock);

/* Gives it a URL of TLS: "https://127.0.0.1:43121/", "tls://127.0.0.1:7". */
void rt_sock_set_tls(struct rt_sock *sock);

/* Makes a descriptor close-on-exec and non-blocking; 0 or -errno. */
int rt_sock_set_flags(int fd);

/* For how long (ns) the kernel has sent nothing of what it holds, since the peer
   has no room; RT_NEVER: nobody knows. */
int64_t rt_sock_held_for(int fd);

/* Has close(2) send a RST. */
void rt_sock_reset_when_closed(int fd);

/* Has small segments not wait until earlier ones are acknowledged; on a
   listening socket, those of the connections that it accepts. */
void rt_sock_hurry(int fd);

/* Two connected stream sockets, non-blocking and close-on-exec; or -errno. */
int rt_sock_pair(int pair[2]);

/* The same for a waker, which takes eight bytes; both may be one descriptor. */
int rt_sock_waker(int ends[2]);

/* The peer's address as stored by accept(2). */
void rt_sock_peer(struct rt_peer *peer, const struct sockaddr *address);

/* Whether a datagram from there comes from the socket itself: from its address,
   or from its port on a machine that may be this one. */
bool rt_sock_is_own(const struct rt_sock *sock, const struct rt_address *from);

/* "http", "tcp", "udp"; "?" for anything else. */
const char *rt_sock_scheme(enum retort_protocol protocol);

/* Writes "127.0.0.1:43121", "[::1]:43121", "unix", or "-" for family 0;
   returns `text`. */
const char *rt_sock_peer_text(const struct rt_peer *peer,
	char text[RT_PEER_TEXT]);

#endif
