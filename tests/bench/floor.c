/* SPDX-License-Identifier: MIT */
/*
 * The least that a server can do, to measure others against.
 *
 *	floor FILE [PORT [keep]]
 *
 * listens on 127.0.0.1, prints its port, and answers every request, once its
 * head is complete, with FILE, which it holds in memory: one thread, epoll,
 * TCP_DEFER_ACCEPT, the FIN on the last data segment. It parses nothing,
 * checks nothing and loses clients that send a head in several segments of
 * which the last is shorter than four bytes. With `keep` it goes on with the
 * next request instead of a FIN. Ends by a signal.
 */
#define _GNU_SOURCE

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 65536

static bool keeps;   /* connections, for one request after another */
static size_t *left; /* by descriptor: bytes of the reply not sent yet, or 0 */

static int
listen_at(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof address;
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on) <
			0 ||
		bind(fd, (struct sockaddr *)&address, size) < 0 ||
		listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		give_up("port %d: %s", port, strerror(errno));
	/* as retort does on loopback; see src/os/sock.c */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	(void)printf("%d\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	return fd;
}

static char *
make_reply(const char *path, size_t *size)
{
	size_t body_size;
	const char *body = read_file(path, &body_size);
	char *reply = malloc(body_size + 256);
	int head;

	if (reply == NULL)
		give_up("out of memory");
	head = snprintf(reply, 256,
		"HTTP/1.1 200 OK\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
		"%s\r\n",
		body_size, keeps ? "" : "Connection: close\r\n");
	memcpy(reply + head, body, body_size);
	*size = (size_t)head + body_size;
	return reply;
}

/* Receives or sends what can be; returns what to wait for, or 0: closed. */
static uint32_t
serve(int fd, const char *reply, size_t size)
{
	char request[4096];
	ssize_t count;

	if (left[fd] == 0) {
		count = recv(fd, request, sizeof request, 0);
		if (count < 0 && errno == EAGAIN)
			return EPOLLIN;
		if (count <= 0)
			goto out;
		if (count < 4 ||
			memcmp(request + count - 4, "\r\n\r\n", 4) != 0)
			return EPOLLIN;
		left[fd] = size;
	}
	while (left[fd] > 0) {
		count = send(fd, reply + size - left[fd], left[fd],
			(keeps ? 0 : MSG_MORE) | MSG_NOSIGNAL);
		if (count < 0 && errno == EAGAIN)
			return EPOLLOUT;
		if (count < 0)
			goto out;
		left[fd] -= (size_t)count;
	}
	/* the next request may have come, but seldom has */
	if (keeps)
		return EPOLLIN;

out:
	left[fd] = 0;
	(void)close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[64], event = {.events = EPOLLIN};
	struct rlimit limit;
	uint32_t wanted;
	size_t size;
	char *reply;
	int epoll, listener, count, i, fd;

	keeps = argc == 4 && strcmp(argv[3], "keep") == 0;
	if (argc < 2 || argc > 3 + keeps)
		give_up("usage: floor FILE [PORT [keep]]");
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur =
		limit.rlim_max < CONNECTIONS ? limit.rlim_max : CONNECTIONS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	left = calloc(CONNECTIONS, sizeof *left);
	reply = make_reply(argv[1], &size);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	listener = listen_at(argc >= 3 ? (int)parse_count(argv[2]) : 0);
	event.data.fd = listener;
	if (left == NULL || epoll < 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
		give_up("cannot start: %s", strerror(errno));
	for (;;) {
		count = epoll_wait(epoll, events, 64, -1);
		for (i = 0; i < count; i++) {
			fd = events[i].data.fd;
			if (fd != listener) {
				wanted = serve(fd, reply, size);
				event.events = wanted;
				event.data.fd = fd;
				if (wanted != 0 && wanted != events[i].events)
					(void)epoll_ctl(epoll, EPOLL_CTL_MOD,
						fd, &event);
				continue;
			}
			fd = accept4(listener, NULL, NULL,
				SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd < 0)
				continue;
			event.events = serve(fd, reply, size);
			event.data.fd = fd;
			if (event.events != 0)
				(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd,
					&event);
		}
	}
}
