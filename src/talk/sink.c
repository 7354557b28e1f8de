/* SPDX-License-Identifier: MIT */
/*
 * Called by output.c and control.c. poll(2) is no promise: it says that a
 * terminal takes a byte, and then the write of a line waits; a pipe that others
 * write to may be full again by then. So a terminal or pipe is opened once
 * more, by the name that the system has for it, and only the new descriptor
 * gets O_NONBLOCK.
 */
#include "config.h"

#include "talk/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

/* us after which a write is interrupted, if the file cannot be opened again. */
#define LONGEST_WRITE 10000

#define MAX_NAME 256

static int
open_own(const char *name)
{
	return open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Opens the same file again; -1: that is not possible. */
static int
open_same(const char *name, const struct stat *wanted)
{
	struct stat status;
	int fd = open_own(name);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && status.st_dev == wanted->st_dev &&
		status.st_ino == wanted->st_ino)
		return fd;
	(void)close(fd);
	return -1;
}

/* A file description of our own for the terminal or pipe; -1: there is none. */
static int
open_again(int fd, const struct stat *status)
{
	char name[MAX_NAME];
	int own;

	/* Linux; where /dev/fd is another dup(2) there is no such folder */
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	own = open_same(name, status);
	if (own >= 0 || !S_ISCHR(status->st_mode))
		return own;
	if (ttyname_r(fd, name, sizeof name) == 0)
		own = open_same(name, status);
	/* after su(1) the terminal is another user's */
	if (own < 0 && tcgetsid(fd) == getsid(0))
		own = open_own("/dev/tty");
	return own;
}

struct sink
sink_open(int fd)
{
	struct sink sink = {.fd = fd, .kind = SINK_PLAIN};
	int flags = fcntl(fd, F_GETFL);
	struct stat status;
	int own;

	if (fstat(fd, &status) < 0 || (flags >= 0 && (flags & O_NONBLOCK) != 0))
		return sink;
	if (S_ISSOCK(status.st_mode)) {
		sink.kind = SINK_SOCKET;
	} else if (S_ISFIFO(status.st_mode) || isatty(fd) == 1) {
		own = open_again(fd, &status);
		sink.kind = own >= 0 ? SINK_OWN : SINK_SHARED;
		sink.fd = own >= 0 ? own : fd;
	}
	return sink;
}

void
sink_close(struct sink *sink)
{
	if (sink->kind == SINK_OWN)
		(void)close(sink->fd);
	*sink = (struct sink){.fd = -1, .kind = SINK_PLAIN};
}

static void
on_alarm(int number)
{
	(void)number;
}

/* Writes for a limited time: a timer interrupts the write, repeatedly in case
   it has not begun. */
static ssize_t
write_shortly(int fd, const char *bytes, size_t size)
{
	const struct itimerval never = {.it_value = {.tv_sec = 0}};
	const struct timeval longest = {.tv_usec = LONGEST_WRITE};
	const struct itimerval timer = {longest, longest};
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	struct sigaction action = {.sa_handler = on_alarm}, before;
	ssize_t n;
	int error;

	if (poll(&polled, 1, 0) != 1 || (polled.revents & POLLOUT) == 0) {
		errno = EAGAIN;
		return -1;
	}
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGALRM, &action, &before);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	n = write(fd, bytes, size);
	error = errno;
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	errno = n < 0 && error == EINTR ? EAGAIN : error;
	return n;
}

ssize_t
sink_put(const struct sink *sink, const char *bytes, size_t size)
{
	ssize_t n;

	do {
		if (sink->kind == SINK_SOCKET)
			n = send(sink->fd, bytes, size,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		else if (sink->kind == SINK_SHARED)
			n = write_shortly(sink->fd, bytes, size);
		else
			n = write(sink->fd, bytes, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return n > 0 ? n : -EAGAIN;
}
