/* SPDX-License-Identifier: MIT */
/*
 * A server started, asked once and stopped, all in this process: what a test
 * that embeds one pays for it.
 *
 *	cycle [-n CYCLES] [-o NAME]
 *
 * goes through all servers in each round, there and back, as one whose code
 * has just run is faster; and prints a line for each,
 *
 *	NAME KIND wall=US cpu=US
 *
 * the medians of one cycle: from before the start to after the stop, and the
 * CPU that the process used meanwhile. KIND is "thread", a server on a thread
 * of its own and a client that blocks, or "stepped", both in one thread. -o
 * leaves out all others. Exits with status 1 when a reply was wrong.
 *
 * The floor is the least that is a server at all: it takes one connection,
 * parses nothing, cannot be stopped before it has answered, and tells
 * nothing. What is built without libmicrohttpd (HAVE_MICROHTTPD) lacks it.
 */
#define _GNU_SOURCE

#include "bench.h"
#include "retort.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_MICROHTTPD
#include <microhttpd.h>
#endif

#define WARM_UP 20 /* rounds that do not count */
#define PATIENCE 5 /* seconds without any progress */

static const char body[] = "hello world\n";
static const char request[] = "GET /hello HTTP/1.1\r\n"
			      "Host: 127.0.0.1\r\n"
			      "Connection: close\r\n\r\n";

/* A server that runs, whichever it is. */
struct server {
	int port;
	int listener;
	pthread_t thread;
	struct retort *retort;
#ifdef HAVE_MICROHTTPD
	struct MHD_Daemon *daemon;
	struct MHD_Response *response;
#endif
};

struct subject {
	const char *name;
	void (*start)(struct server *server);
	void (*step)(struct server *server); /* NULL: on its own thread */
	void (*stop)(struct server *server);
};

/* --- the floor --- */

static void
listen_at_floor(struct server *server)
{
	server->listener = listen_anywhere(&server->port);
}

static void
answer_at_floor(struct server *server)
{
	static const char reply[] =
		"HTTP/1.1 200 OK\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 12\r\n"
		"Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
		"Connection: close\r\n\r\nhello world\n";
	char room[4096];
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || recv(fd, room, sizeof room, 0) <= 0 ||
		send(fd, reply, sizeof reply - 1, MSG_MORE | MSG_NOSIGNAL) <
			0 ||
		shutdown(fd, SHUT_WR) < 0 || close(fd) < 0)
		give_up("floor: %s", strerror(errno));
}

static void *
run_floor(void *arg)
{
	answer_at_floor(arg);
	return NULL;
}

static void
start_floor(struct server *server)
{
	sigset_t all, before;

	listen_at_floor(server);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&server->thread, NULL, run_floor, server) != 0)
		give_up("floor: no thread");
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
stop_floor(struct server *server)
{
	(void)close(server->listener);
}

static void
join_floor(struct server *server)
{
	(void)pthread_join(server->thread, NULL);
	stop_floor(server);
}

/* --- retort --- */

static void
start_retort(struct server *server, bool threaded, bool unrecorded)
{
	char error[RETORT_ERROR_SIZE];

	server->retort = retort_start(.unrecorded = unrecorded,
		.stepped = !threaded, .error = error);
	if (server->retort == NULL ||
		retort_answer(server->retort, .body = body, .error = error) < 0)
		give_up("retort: %s", error);
	server->port = retort_listener(server->retort).port;
}

static void
start_retort_thread(struct server *server)
{
	start_retort(server, true, false);
}

static void
start_retort_stepped(struct server *server)
{
	start_retort(server, false, false);
}

static void
start_unrecorded_thread(struct server *server)
{
	start_retort(server, true, true);
}

static void
start_unrecorded_stepped(struct server *server)
{
	start_retort(server, false, true);
}

static void
step_retort(struct server *server)
{
	if (retort_step(server->retort, PATIENCE * 1000) < 0)
		give_up("retort: it cannot be stepped");
}

static void
stop_retort(struct server *server)
{
	retort_close(server->retort);
}

/* --- libmicrohttpd --- */

#ifdef HAVE_MICROHTTPD

static enum MHD_Result
answer_microhttpd(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *size,
	void **state)
{
	const struct server *server = arg;

	(void)url;
	(void)method;
	(void)version;
	(void)data;
	(void)size;
	(void)state;
	return MHD_queue_response(connection, MHD_HTTP_OK, server->response);
}

static void
start_microhttpd(struct server *server, unsigned flags)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const union MHD_DaemonInfo *port;

	server->response = MHD_create_response_from_buffer(sizeof body - 1,
		(char *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
	server->daemon =
		MHD_start_daemon(flags, 0, NULL, NULL, answer_microhttpd,
			server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
	if (server->response == NULL || server->daemon == NULL)
		give_up("libmicrohttpd does not start");
	(void)MHD_add_response_header(server->response, "Content-Type",
		"text/plain; charset=utf-8");
	port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (port == NULL)
		give_up("libmicrohttpd does not tell its port");
	server->port = port->port;
}

static void
start_microhttpd_thread(struct server *server)
{
	start_microhttpd(server,
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL);
}

static void
start_microhttpd_stepped(struct server *server)
{
	start_microhttpd(server, MHD_USE_EPOLL);
}

static void
step_microhttpd(struct server *server)
{
	if (MHD_run_wait(server->daemon, PATIENCE * 1000) != MHD_YES)
		give_up("libmicrohttpd cannot be stepped");
}

static void
stop_microhttpd(struct server *server)
{
	MHD_stop_daemon(server->daemon);
	MHD_destroy_response(server->response);
}

#endif

static const struct subject subjects[] = {
	{"floor", start_floor, NULL, join_floor},
	{"retort", start_retort_thread, NULL, stop_retort},
	{"unrecorded", start_unrecorded_thread, NULL, stop_retort},
#ifdef HAVE_MICROHTTPD
	{"libmicrohttpd", start_microhttpd_thread, NULL, stop_microhttpd},
#endif
	{"floor", listen_at_floor, answer_at_floor, stop_floor},
	{"retort", start_retort_stepped, step_retort, stop_retort},
	{"unrecorded", start_unrecorded_stepped, step_retort, stop_retort},
#ifdef HAVE_MICROHTTPD
	{"libmicrohttpd", start_microhttpd_stepped, step_microhttpd,
		stop_microhttpd},
#endif
};

#define SUBJECTS (sizeof subjects / sizeof subjects[0])

/* --- the client --- */

static int
connect_to(const struct subject *subject, int port)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int flags = subject->step != NULL ? SOCK_NONBLOCK : 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		give_up("socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) <
			0 &&
		errno != EINPROGRESS)
		give_up("connect to %s: %s", subject->name, strerror(errno));
	return fd;
}

static void
check(const struct subject *subject, const char *reply, size_t size)
{
	const size_t tail = sizeof body - 1;

	if (size > tail && memcmp(reply, "HTTP/1.1 200 ", 13) == 0 &&
		memcmp(reply + size - tail, body, tail) == 0)
		return;
	give_up("%s: not the reply that was expected: %zu bytes: %.*s",
		subject->name, size, (int)size, reply);
}

/* One request, and its reply up to the server's FIN. */
static void
ask(const struct subject *subject, struct server *server)
{
	int fd = connect_to(subject, server->port);
	char reply[1024];
	size_t size = 0;
	ssize_t got;

	/* on loopback the handshake is over when connect(2) returns */
	if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) !=
		(ssize_t)sizeof request - 1)
		give_up("send to %s: %s", subject->name, strerror(errno));
	if (subject->step != NULL)
		subject->step(server);
	for (;;) {
		got = recv(fd, reply + size, sizeof reply - size, 0);
		if (got > 0)
			size += (size_t)got;
		else if (got < 0 && errno == EAGAIN && subject->step != NULL)
			subject->step(server);
		else
			break;
	}
	if (got < 0)
		give_up("recv from %s: %s", subject->name, strerror(errno));
	(void)close(fd);
	check(subject, reply, size);
}

/* --- measuring --- */

/*
 * Each cycle leaves a port in TIME_WAIT, and a few thousand of them make
 * finding a free one take a millisecond. So it is begun with none, in a
 * network of its own, where that is allowed.
 */
static void
use_own_network(void)
{
	struct ifreq loopback = {.ifr_name = "lo"};
	int fd;

	if (unshare(CLONE_NEWNET) < 0 &&
		unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	loopback.ifr_flags = IFF_UP;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) < 0)
		give_up("lo: %s", strerror(errno));
	(void)close(fd);
}

static double
cpu_now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
measure(const struct subject *subject, double *wall, double *cpu)
{
	struct server server = {.listener = -1};
	double cpu_before = cpu_now(), before = now();

	subject->start(&server);
	ask(subject, &server);
	subject->stop(&server);
	*wall = now() - before;
	*cpu = cpu_now() - cpu_before;
}

static int
compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static const char *
kind_of(const struct subject *subject)
{
	return subject->step != NULL ? "stepped" : "thread";
}

/* Whether -o lets it take part: "NAME-KIND". */
static bool
takes_part(const struct subject *subject, const char *only)
{
	const size_t size = strlen(subject->name);

	return only == NULL ||
		(strncmp(only, subject->name, size) == 0 && only[size] == '-' &&
			strcmp(only + size + 1, kind_of(subject)) == 0);
}

int
main(int argc, char **argv)
{
	size_t cycles = 400, round, warm_up = WARM_UP, i;
	double *wall[SUBJECTS], *cpu[SUBJECTS];
	const char *only = NULL;
	int option;

	while ((option = getopt(argc, argv, "n:o:")) != -1) {
		if (option == 'n')
			cycles = (size_t)parse_count(optarg);
		else if (option == 'o')
			only = optarg;
		else
			return 2;
	}
	if (optind < argc || cycles == 0)
		give_up("usage: cycle [-n CYCLES] [-o NAME-KIND]");
	use_own_network();
	for (i = 0; i < SUBJECTS; i++) {
		wall[i] = calloc(cycles + warm_up, sizeof *wall[i]);
		cpu[i] = calloc(cycles + warm_up, sizeof *cpu[i]);
		if (wall[i] == NULL || cpu[i] == NULL)
			give_up("out of memory");
	}
	for (round = 0; round < cycles + warm_up; round++)
		for (size_t nth = 0; nth < SUBJECTS; nth++) {
			i = round % 2 == 0 ? nth : SUBJECTS - 1 - nth;
			if (takes_part(&subjects[i], only))
				measure(&subjects[i], &wall[i][round],
					&cpu[i][round]);
		}
	for (i = 0; i < SUBJECTS; i++)
		if (takes_part(&subjects[i], only))
			(void)printf("%s %s wall=%.2f cpu=%.2f\n",
				subjects[i].name, kind_of(&subjects[i]),
				median(wall[i] + warm_up, cycles) * 1e6,
				median(cpu[i] + warm_up, cycles) * 1e6);
	return 0;
}
