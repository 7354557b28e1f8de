/* SPDX-License-Identifier: MIT */
/*
 * The files of Unix sockets: making them, and finding those that are left over.
 * Between the look at one that is left over and its removal, another server
 * could take its place, and nobody would reach that server. So servers do this
 * one after another.
 */
#include "config.h"

#include "os/sock_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_FLOCK
#include <sys/file.h>
#endif

/* Making a socket holds the lock for less than a millisecond; anybody else
   may hold it for ever, and must not keep us. */
#define LOCK_TRIES 200
#define LOCK_INTERVAL 5 /* ms */

#ifdef HAVE_FLOCK

/* The folder of `path`, or -errno. */
static int
open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name;
	int fd;

	name = slash == NULL  ? strdup(".") :
		slash == path ? strdup("/") :
				strndup(path, (size_t)(slash - path));
	if (name == NULL)
		return -ENOMEM;
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(name);
	return fd < 0 ? -errno : fd;
}

int
rt_sock_lock(const char *path)
{
	static const struct timespec interval = {0, LOCK_INTERVAL * 1000000};
	int fd = open_folder(path);

	if (fd < 0)
		return -1;
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK || tries == LOCK_TRIES) {
			(void)close(fd);
			return -1;
		}
		(void)nanosleep(&interval, NULL);
	}
	return fd;
}

void
rt_sock_unlock(int lock)
{
	if (lock < 0)
		return;
	/* a process that was forked meanwhile has it too */
	(void)flock(lock, LOCK_UN);
	(void)close(lock);
}

#else

int
rt_sock_lock(const char *path)
{
	(void)path;
	return -1;
}

void
rt_sock_unlock(int lock)
{
	(void)lock;
}

#endif

/* Whether the file in the way is a socket that nobody listens on. */
static bool
is_stale(const struct end *end)
{
	struct stat status;
	bool stale;
	int fd;

	if (lstat(end->address.un.sun_path, &status) < 0 ||
		!S_ISSOCK(status.st_mode))
		return false;
	fd = rt_sock_open(AF_UNIX, rt_sock_type(end->protocol));
	if (fd < 0)
		return false;
	stale = connect(fd, &end->address.any, end->size) < 0 &&
		errno == ECONNREFUSED;
	(void)close(fd);
	return stale;
}

static int
bind_or_replace(const struct end *end)
{
	int fd = end->sock.fd;

	if (bind(fd, &end->address.any, end->size) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_stale(end))
		return -EADDRINUSE;
	if (unlink(end->address.un.sun_path) < 0 && errno != ENOENT)
		return -errno;
	return bind(fd, &end->address.any, end->size) < 0 ? -errno : 0;
}

int
rt_sock_bind_unix(struct end *end)
{
	const char *path = end->address.un.sun_path;
	struct rt_sock *sock = &end->sock;
	struct stat status;
	int result;

	/* first, so that there is no file to be removed when it fails */
	sock->unlink = strdup(path);
	if (sock->unlink == NULL)
		return -ENOMEM;
	/* Linux gives its file no more than that: it is never open to others,
	   not even until the chmod(2) */
	if (end->mode != 0)
		(void)fchmod(sock->fd, (mode_t)end->mode);
	result = bind_or_replace(end);
	if (result < 0)
		return result;
	if (lstat(path, &status) == 0) {
		sock->device = status.st_dev;
		sock->inode = status.st_ino;
	}
	return end->mode != 0 && chmod(path, (mode_t)end->mode) < 0 ? -errno :
								      0;
}

bool
rt_sock_is_in_place(const struct rt_sock *sock)
{
	struct stat status;

	return lstat(sock->unlink, &status) == 0 && S_ISSOCK(status.st_mode) &&
		status.st_dev == sock->device && status.st_ino == sock->inode;
}
