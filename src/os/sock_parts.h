/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room sock; nobody else sees it. */
#ifndef RT_SOCK_PARTS_H
#define RT_SOCK_PARTS_H

#include <netinet/in.h>
#include <sys/un.h>

#include "os/sock.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	struct sockaddr_storage room;
};

/* One end to listen on: a spec has one, localhost two. */
struct end {
	union address address; /* without its port */
	socklen_t size;
	enum retort_protocol protocol;
	size_t spec;   /* which of the caller's it belongs to */
	size_t group;  /* ends of one group share one free port; 0: none */
	int port;      /* as asked for */
	int mode;      /* of a Unix socket's file; 0: as the umask has it */
	bool optional; /* the machine may lack this address */
	bool done;     /* listens, or was found to be lacking */
	struct rt_sock sock;
};

/* The group of all addresses without a port; that of spec i alone is
   i + OWN_GROUP. */
enum { NO_GROUP, SHARED_GROUP, OWN_GROUP };

/* Parses addresses (the forms of sock.h) to one end each, or two; there is room
   for two. How many, or -EINVAL. */
int rt_sock_parse(struct end *ends, const char *const *specs, size_t count,
	int port, char *error);

/* --- sock_open.c --- */

/* SOCK_STREAM or SOCK_DGRAM. */
int rt_sock_type(enum retort_protocol protocol);

/* Opens a socket, non-blocking and close-on-exec; or -errno. */
int rt_sock_open(int family, int type);

/* Bind a socket, with IPV6_V6ONLY; for TCP with SO_REUSEADDR. 0 or -errno. */
int rt_sock_bind_inet(int fd, const struct sockaddr *address, socklen_t size);
int rt_sock_bind_tcp(int fd, const struct sockaddr *address, socklen_t size);

/* Sets the port in the address of an end. */
void rt_sock_set_port(struct end *end, int port);

/* Sees to it that a bound TCP socket, which does not listen yet, can refuse.
   `chosen`: the kernel has chosen its port; -EADDRINUSE: somebody else has got
   that meanwhile. 0, or -errno and the call that failed. */
int rt_sock_keep_port(struct end *end, bool chosen, const char **step);

/* A listener's options. */
void rt_sock_tune(const struct rt_sock *sock);

/* --- sock_unix.c --- */

/* Locks the folder of `path`, so that no other server makes a Unix socket
   there. The lock; -1: it cannot be locked. */
int rt_sock_lock(const char *path);
void rt_sock_unlock(int lock);

/* Binds it, in the place of one that nobody listens on. 0 or -errno. */
int rt_sock_bind_unix(struct end *end);

/* Whether the file at its path is still its own. */
bool rt_sock_is_in_place(const struct rt_sock *sock);

#endif
