/* SPDX-License-Identifier: MIT */
/*
 * From start to first reply.
 *
 *	start [-k CORE] 127.0.0.1:PORT/PATH COMMAND [ARGUMENT]...
 *	start -f COUNT
 *
 * runs the command (on that core), asks it for PATH until it answers 200,
 * prints the milliseconds since just before the command was executed, and
 * ends it with everything in its process group. -f prints ports of 127.0.0.1
 * that are free.
 */
#define _GNU_SOURCE

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10.0 /* seconds */

static volatile sig_atomic_t launched; /* the process group to be ended */

static void
interrupted(int number)
{
	if (launched > 0)
		(void)kill(-(pid_t)launched, SIGKILL);
	_exit(128 + number);
}

/*
 * Below the ports that connect(2) picks from: a client that knocks until
 * somebody listens would else connect to itself some day.
 */
static void
print_free_ports(long count)
{
	const int first = 20000, past = 32000;
	int port = first + (int)(getpid() % (past - first)), tries, fd;
	struct sockaddr_in address;

	for (tries = first; count > 0 && tries < past; tries++) {
		memset(&address, 0, sizeof address);
		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.sin_port = htons((in_port_t)port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			give_up("socket: %s", strerror(errno));
		if (bind(fd, (struct sockaddr *)&address, sizeof address) ==
			0) {
			(void)printf("%d\n", port);
			count--;
		}
		(void)close(fd);
		port = port + 1 < past ? port + 1 : first;
	}
	if (count > 0)
		give_up("no free port");
}

static _Noreturn void
become(char **command, int core, int report)
{
	cpu_set_t cores;
	double began;
	int null;

	if (core >= 0) {
		CPU_ZERO(&cores);
		CPU_SET((size_t)core, &cores);
		(void)sched_setaffinity(0, sizeof cores, &cores);
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
	}
	began = now();
	if (write(report, &began, sizeof began) == sizeof began)
		(void)execvp(command[0], command);
	_exit(127);
}

/*
 * Runs the command, returns once it has been executed, and tells when that
 * was. Were the caller to knock at its port at once, the child would often
 * have to wait for the caller's time slice to end.
 */
static pid_t
launch(char **command, int core, double *began)
{
	int ends[2];
	pid_t pid;
	char end;

	if (pipe2(ends, O_CLOEXEC) < 0)
		give_up("pipe2: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	/* by both, as neither may run before it is done */
	(void)setpgid(pid, pid);
	if (pid == 0)
		become(command, core, ends[1]);
	launched = pid;
	(void)close(ends[1]);
	if (read(ends[0], began, sizeof *began) != sizeof *began ||
		read(ends[0], &end, 1) != 0)
		give_up("%s: cannot be started", command[0]);
	(void)close(ends[0]);
	return pid;
}

/* Asks once; whether a 200 came. */
static bool
ask(const struct sockaddr_in *address, const char *request)
{
	const struct timeval patience = {.tv_sec = 2};
	char reply[13];
	size_t size = 0;
	ssize_t got = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		give_up("socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof patience);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) ==
			0 &&
		send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
		while (size < sizeof reply && got > 0) {
			got = recv(fd, reply + size, sizeof reply - size, 0);
			size += got > 0 ? (size_t)got : 0;
		}
	(void)close(fd);
	return size == sizeof reply && memcmp(reply, "HTTP/1.", 7) == 0 &&
		memcmp(reply + 8, " 200 ", 5) == 0;
}

static void
end(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int tries;

	(void)kill(pid, SIGTERM);
	for (tries = 0; tries < 200; tries++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	/* and anything that it leaves running */
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

int
main(int argc, char **argv)
{
	/* knocking without a pause keeps the kernel's own threads from their
	   work until the next tick, and the reply with them */
	const struct timespec pause = {.tv_nsec = 20000};
	struct sockaddr_in address;
	char request[1024];
	double began, took;
	const char *path;
	int option, core = -1;
	bool answered = false;
	pid_t pid;

	while ((option = getopt(argc, argv, "+f:k:")) != -1) {
		if (option == 'f') {
			print_free_ports(parse_count(optarg));
			return 0;
		}
		if (option != 'k')
			return 2;
		core = (int)parse_count(optarg);
	}
	if (argc - optind < 2)
		give_up("usage: start [-k CORE] ADDRESS COMMAND...");
	path = parse_address(argv[optind], &address);
	(void)snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Connection: close\r\n\r\n",
		*path == '\0' ? "/" : path);
	if (ask(&address, request))
		give_up("somebody answers already");
	(void)prctl(PR_SET_TIMERSLACK, 1000);
	(void)signal(SIGINT, interrupted);
	(void)signal(SIGTERM, interrupted);
	(void)signal(SIGHUP, interrupted);
	pid = launch(argv + optind + 1, core, &began);
	while (!(answered = ask(&address, request)) &&
		now() - began < PATIENCE && waitpid(pid, NULL, WNOHANG) == 0)
		(void)nanosleep(&pause, NULL);
	took = now() - began;
	end(pid);
	if (!answered)
		give_up("%s: no reply", argv[optind + 1]);
	(void)printf("%.3f\n", took * 1000);
	return 0;
}
