/* SPDX-License-Identifier: MIT */
/*
 * The command with a back door, for tests/command/sandbox.sh: GET
 * /back-door?WHAT=WHERE does in the server what somebody would who had got into
 * it, and says what the system made of that.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retort.h"

/* The linker has these in the place of retort_start_sized(). */
struct retort *__real_retort_start_sized(const struct retort_options *options,
	size_t size);
struct retort *__wrap_retort_start_sized(const struct retort_options *options,
	size_t size);

static int
open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int
read_file(const char *path)
{
	return open_and_close(path, O_RDONLY);
}

static int
write_file(const char *path)
{
	return open_and_close(path, O_WRONLY | O_CREAT);
}

static int
remove_file(const char *path)
{
	return unlink(path) < 0 ? errno : 0;
}

static int
call_address(const char *port, int type,
	int (*call)(int, const struct sockaddr *, socklen_t))
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, 0), error = 0;

	if (fd < 0 ||
		call(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		error = errno;
	if (fd >= 0)
		(void)close(fd);
	return error;
}

static int
bind_port(const char *port)
{
	return call_address(port, SOCK_STREAM, bind);
}

static int
connect_port(const char *port)
{
	return call_address(port, SOCK_STREAM, connect);
}

static int
connect_udp(const char *port)
{
	return call_address(port, SOCK_DGRAM, connect);
}

static int
run_program(const char *path)
{
	char *const argv[] = {(char *)(uintptr_t)path, NULL};
	char *const none[] = {NULL};
	pid_t pid;
	int error = posix_spawn(&pid, path, NULL, NULL, argv, none);

	if (error == 0)
		(void)waitpid(pid, NULL, 0);
	return error;
}

static int
signal_process(const char *pid)
{
	return kill((pid_t)strtol(pid, NULL, 10), 0) < 0 ? errno : 0;
}

static const struct {
	const char *name;
	int (*does)(const char *);
} ways[] = {
	{"read=", read_file},
	{"write=", write_file},
	{"remove=", remove_file},
	{"bind=", bind_port},
	{"connect=", connect_port},
	{"udp=", connect_udp},
	{"run=", run_program},
	{"signal=", signal_process},
};

static int
back_door(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	const char *query = exchange->query ? exchange->query : "";

	(void)arg;
	reply->body = "what?";
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		size_t size = strlen(ways[i].name);

		if (strncmp(query, ways[i].name, size) == 0)
			reply->body = strerror(ways[i].does(query + size));
	}
	return 0;
}

struct retort *
__wrap_retort_start_sized(const struct retort_options *options, size_t size)
{
	struct retort *server = __real_retort_start_sized(options, size);

	if (server != NULL &&
		retort_on(server, "GET /back-door", .handler = back_door) < 0)
		abort();
	return server;
}
