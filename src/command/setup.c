/* SPDX-License-Identifier: MIT */
/* Called by main.c. */
#include "config.h"

#include "command/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* --- a server that cannot be opened --- */

int
setup_status(const struct args *args, int error)
{
	bool serves = args->mode == MODE_SERVE;

	switch (error) {
	case EINVAL:
		return EXIT_USAGE;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOTSUP:
		return serves ? EXIT_FAILURE : EXIT_OWN;
	default:
		return serves ? EXIT_BIND : EXIT_OWN;
	}
}

/* Some members of struct retort_options are called as their options are. */
void
setup_fail(const struct args *args, int error, const char *why)
{
	char name[RETORT_ERROR_SIZE];
	size_t size = strcspn(why, " :");

	if (strncmp(why, "tls", 3) != 0 && strncmp(why, "framing", 7) != 0)
		args_die(setup_status(args, error), "%s%s",
			error == EINVAL ? "--bind: " : "", why);
	(void)snprintf(name, sizeof name, "%.*s", (int)size, why);
	for (char *at = name; *at != '\0'; at++)
		*at = *at == '_' ? '-' : *at;
	args_die(error == ENOTSUP ? EXIT_USAGE : setup_status(args, error),
		"--%s%s", name, why + size);
}

/* --- sockets that were passed in --- */

int
setup_fd(const char *address)
{
	const char *digits = address + 3;

	if (strncmp(address, "fd:", 3) != 0 || *digits == '\0' ||
		strlen(digits) > 9 || digits[strspn(digits, "0123456789")])
		return -1;
	return (int)strtol(digits, NULL, 10);
}

/* Whether a client is at its other end already. */
static bool
is_connected(int fd)
{
	struct sockaddr_storage peer;
	int type = 0, listens = 0;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
		type != SOCK_STREAM)
		return false;
	size = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 ||
		listens != 0)
		return false;
	size = sizeof peer;
	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

/* inetd makes the socket standard output and error too, where a URL or a log
   line would be a part of the reply, or could not be written. */
static void
free_standard_descriptors(int passed)
{
	struct stat status, standard;

	if (fstat(passed, &status) < 0 || !S_ISSOCK(status.st_mode))
		return;
	for (int fd = 0; fd <= 2; fd++) {
		int null;

		if (fd == passed || fstat(fd, &standard) < 0 ||
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

static void
add_connected(struct args *args, const char *address)
{
	for (size_t i = 0; i < args->connected_count; i++) {
		const char *other = args->connected[i];

		if (other != NULL && strcmp(other, address) == 0)
			args_die(EXIT_USAGE, "--bind %s: given twice", address);
	}
	if (setup_fd(address) == STDIN_FILENO)
		args->stdin_used = "--bind";
	args->connected[args->connected_count++] = address;
}

void
setup_passed(struct args *args)
{
	const char **bind = args->bind;
	size_t count = 0, left = 0;

	while (bind != NULL && bind[count] != NULL)
		count++;
	args->connected = calloc(count + 1, sizeof *args->connected);
	if (args->connected == NULL)
		args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < count; i++) {
		int fd = setup_fd(bind[i]);

		if (fd >= 0)
			free_standard_descriptors(fd);
		if (fd >= 0 && is_connected(fd))
			add_connected(args, bind[i]);
		else
			bind[left++] = bind[i];
	}
	if (bind != NULL)
		bind[left] = NULL;
}

struct retort *
setup_server(const struct args *args, struct retort_options options)
{
	size_t size = 1, used = 0;
	struct retort *server;
	char *lines;

	for (const char **bind = args->bind; bind && *bind; bind++)
		size += strlen(*bind) + 1;
	lines = calloc(1, size);
	if (lines == NULL)
		args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	for (const char **bind = args->bind; bind && *bind; bind++)
		used += (size_t)sprintf(lines + used, "%s\n", *bind);
	options.bind = args->bind ? lines : "localhost";
	server = retort_start_sized(&options, sizeof options);
	free(lines);
	return server;
}
