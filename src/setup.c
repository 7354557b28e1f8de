/* SPDX-License-Identifier: MIT */
/* Called by main.c. */
#include "config.h"

#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void
setup_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", O_RDWR) != fd)
			exit(EXIT_FAILURE);
}

void
setup_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* --- connections that were passed in --- */

/* The descriptor of "fd:N" if a client is at its other end already, or -1. */
static int
connected_fd(const char *address)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(int);
	int fd, type = 0, listens = 0;
	const char *digits = address + 3;

	/* what is malformed is left to the library to say */
	if (strncmp(address, "fd:", 3) != 0 || *digits == '\0' ||
		strlen(digits) > 9 || digits[strspn(digits, "0123456789")])
		return -1;
	fd = (int)strtol(digits, NULL, 10);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
		type != SOCK_STREAM)
		return -1;
	size = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 ||
		listens != 0)
		return -1;
	size = sizeof peer;
	return getpeername(fd, (struct sockaddr *)&peer, &size) < 0 ? -1 : fd;
}

/* inetd makes the connection standard output and error too, where a URL or a
   log line would be a part of the reply. */
static void
free_standard_descriptors(int connected)
{
	struct stat status, standard;

	if (fstat(connected, &status) < 0)
		return;
	for (int fd = 0; fd <= 2; fd++) {
		int null;

		if (fd == connected || fstat(fd, &standard) < 0 ||
			standard.st_dev != status.st_dev ||
			standard.st_ino != status.st_ino)
			continue;
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0)
			continue;
		(void)dup2(null, fd);
		(void)close(null);
	}
}

void
setup_connected(struct args *args)
{
	const char *const *bind = args->options.bind;
	size_t count = 0, left = 0;
	const char **others;

	while (bind[count] != NULL)
		count++;
	others = calloc(count + 1, sizeof *others);
	args->connected = calloc(count + 1, sizeof *args->connected);
	if (others == NULL || args->connected == NULL)
		die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < count; i++) {
		int fd = connected_fd(bind[i]);

		if (fd < 0) {
			others[left++] = bind[i];
			continue;
		}
		for (size_t k = 0; k < args->connected_count; k++)
			if (args->connected[k] == fd)
				die(EXIT_USAGE, "--bind %s: given twice",
					bind[i]);
		free_standard_descriptors(fd);
		if (fd == STDIN_FILENO)
			args->stdin_used = "--bind";
		args->connected[args->connected_count++] = fd;
	}
	args->options.bind = others;
}
