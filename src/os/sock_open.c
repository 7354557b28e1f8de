/* SPDX-License-Identifier: MIT */
/* Sockets that never block and are closed on exec. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
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
