/* SPDX-License-Identifier: MIT */
/*
 * A load generator: one request per connection, many at a time, every byte
 * of every reply compared.
 *
 *	load URL [-n REQUESTS] [-d SECONDS] [-c CONNECTIONS] [-K]
 *		[-e EXPECTED-FILE] [-p PID [-k CORE]] [-w SECONDS]
 *	load URL -i CONNECTIONS -p PID
 *
 * URL is http://127.0.0.1:PORT/PATH or 127.0.0.1:PORT/PATH. It stops after
 * -n requests or -d seconds, at most 60. Prints one line
 *
 *	requests=N errors=N seconds=S rate=N [cpu=S user=S system=S busy=S]
 *
 * with the CPU that process PID and its descendants used meanwhile, and the
 * time core CORE was busy. Exits 1 when a reply was not 200 with exactly the
 * expected body. -K makes one request after another on each connection, which
 * the server must keep. -w waits that long for a server that does not listen yet.
 *
 * -i opens connections that send half a request line and then
 * nothing, and prints "memory=BYTES" of the server for each of them.
 */
#define _GNU_SOURCE

#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MOST 4096    /* of a reply */
#define IDLE_PATIENCE 8.0 /* seconds to open idle connections */
#define PATIENCE 5.0      /* seconds without any progress */

struct conn {
	int fd;
	bool sent;
	bool in_body;
	bool wrong;
	size_t head_size;
	size_t body_size;
	size_t length; /* of the body, if the connection is kept */
	char head[HEAD_MOST];
};

struct load {
	struct sockaddr_in address;
	const char *request;
	size_t request_size;
	const char *expected; /* or NULL: any body */
	size_t expected_size;
	bool keep;
	int epoll;
	long begun, done, errors, most;
	double deadline; /* no request is begun after it */
};

static char room[1 << 17];
static const char *first_error;

static void
note(struct conn *conn, const char *what)
{
	conn->wrong = true;
	if (first_error == NULL)
		first_error = what;
}

static void
take_body(const struct load *load, struct conn *conn, const char *data,
	size_t size)
{
	const size_t at = conn->body_size;

	conn->body_size += size;
	if (load->expected == NULL || conn->wrong)
		return;
	if (size > load->expected_size - at)
		note(conn, "a body is too long");
	else if (memcmp(load->expected + at, data, size) != 0)
		note(conn, "a body has other bytes");
}

/* What the head says that its body has. */
static size_t
find_length(struct conn *conn)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *length =
		memmem(conn->head, conn->head_size, name, sizeof name - 1);

	if (length == NULL)
		note(conn, "a reply has no Content-Length");
	return length ? strtoul(length + sizeof name - 1, NULL, 10) : 0;
}

static void
take(const struct load *load, struct conn *conn, const char *data, size_t size)
{
	const size_t before = conn->head_size;
	size_t part = HEAD_MOST - before;
	const char *end;

	if (conn->in_body) {
		take_body(load, conn, data, size);
		return;
	}
	if (part > size)
		part = size;
	memcpy(conn->head + before, data, part);
	conn->head_size += part;
	end = memmem(conn->head, conn->head_size, "\r\n\r\n", 4);
	if (end == NULL) {
		if (conn->head_size == HEAD_MOST)
			note(conn, "a head is too long");
		return;
	}
	conn->in_body = true;
	if (memcmp(conn->head, "HTTP/1.", 7) != 0 ||
		memcmp(conn->head + 8, " 200 ", 5) != 0)
		note(conn, "a status is not 200");
	if (load->keep)
		conn->length = find_length(conn);
	part = (size_t)(end + 4 - conn->head) - before;
	if (part < size)
		take_body(load, conn, data + part, size - part);
}

static bool begin(struct load *load, struct conn *conn);

static void
count(struct load *load, struct conn *conn)
{
	if (!conn->wrong && !conn->in_body)
		note(conn, "a reply ended in its head");
	if (!conn->wrong && load->expected != NULL &&
		conn->body_size != load->expected_size)
		note(conn, "a body is too short");
	load->errors += conn->wrong;
	load->done++;
}

/* Counts one exchange and begins the next in its place. */
static void
finish(struct load *load, struct conn *conn)
{
	if (load->keep)
		note(conn, "a connection was closed");
	count(load, conn);
	(void)close(conn->fd);
	conn->fd = -1;
	if (load->begun < load->most && now() < load->deadline)
		(void)begin(load, conn);
}

static void
send_request(struct load *load, struct conn *conn)
{
	ssize_t sent =
		send(conn->fd, load->request, load->request_size, MSG_NOSIGNAL);

	conn->sent = true;
	if (sent != (ssize_t)load->request_size) {
		note(conn, "a request cannot be sent");
		finish(load, conn);
	}
}

/* The same on its connection, once the reply is complete. */
static void
go_on(struct load *load, struct conn *conn)
{
	if (!conn->in_body || conn->body_size < conn->length)
		return;
	count(load, conn);
	if (load->begun >= load->most || now() >= load->deadline) {
		(void)close(conn->fd);
		conn->fd = -1;
		return;
	}
	load->begun++;
	conn->in_body = conn->wrong = false;
	conn->head_size = conn->body_size = 0;
	send_request(load, conn);
}

static bool
begin(struct load *load, struct conn *conn)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
	int result;

	conn->sent = conn->in_body = conn->wrong = false;
	conn->head_size = conn->body_size = 0;
	load->begun++;
	conn->fd =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		give_up("socket: %s", strerror(errno));
	result = connect(conn->fd, (const struct sockaddr *)&load->address,
		sizeof load->address);
	if (result < 0 && errno != EINPROGRESS) {
		/* not begun again in its place: that would never end */
		note(conn, strerror(errno));
		(void)close(conn->fd);
		conn->fd = -1;
		load->errors++;
		load->done++;
		return false;
	}
	if (result < 0)
		event.events |= EPOLLOUT;
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event) < 0)
		give_up("epoll_ctl: %s", strerror(errno));
	if (result == 0)
		send_request(load, conn);
	return true;
}

static void
advance(struct load *load, struct conn *conn)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
	ssize_t got;

	if (!conn->sent) {
		(void)epoll_ctl(load->epoll, EPOLL_CTL_MOD, conn->fd, &event);
		send_request(load, conn);
		return;
	}
	got = recv(conn->fd, room, sizeof room, 0);
	if (got > 0) {
		take(load, conn, room, (size_t)got);
		if (load->keep)
			go_on(load, conn);
	} else if (got == 0) {
		finish(load, conn);
	} else if (errno != EAGAIN && errno != EINTR) {
		note(conn, strerror(errno));
		finish(load, conn);
	}
}

static void
run(struct load *load, long connections)
{
	struct conn *conns = calloc((size_t)connections, sizeof *conns);
	struct epoll_event events[64];
	int count, i;
	long c;

	if (conns == NULL)
		give_up("out of memory");
	for (c = 0; c < connections; c++)
		conns[c].fd = -1;
	for (c = 0; c < connections && load->begun < load->most; c++)
		(void)begin(load, &conns[c]);
	while (load->done < load->begun) {
		count = epoll_wait(load->epoll, events, 64,
			(int)(PATIENCE * 1000));
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			first_error = "no progress";
			load->errors += load->begun - load->done;
			break;
		}
		for (i = 0; i < count; i++)
			advance(load, events[i].data.ptr);
	}
	for (c = 0; c < connections; c++)
		if (conns[c].fd >= 0)
			(void)close(conns[c].fd);
	free(conns);
}

static int
dial(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		give_up("socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
wait_listening(const struct sockaddr_in *address, double patience)
{
	const double deadline = now() + patience;
	const struct timespec pause = {.tv_nsec = 5000000};
	int fd;

	while ((fd = dial(address)) < 0) {
		if (now() > deadline)
			give_up("port %d: nobody listens",
				ntohs(address->sin_port));
		(void)nanosleep(&pause, NULL);
	}
	(void)close(fd);
}

/* Memory per connection, once the server's growth has come to rest. */
static void
measure_idle(const struct sockaddr_in *address, long count, pid_t pid)
{
	/* busybox answers 404 as soon as it has the whole line */
	static const char part[] = "GET /";
	const struct timespec pause = {.tv_nsec = 200000000};
	const struct timespec pace = {.tv_nsec = 1000000};
	const double deadline = now() + IDLE_PATIENCE;
	struct usage before, after, last = {.memory = -1};
	struct rlimit limit;
	int tries;
	long i;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	get_memory(&before, pid);
	for (i = 0; i < count; i++) {
		int fd = dial(address); /* closed at exit */

		if (fd < 0 || send(fd, part, sizeof part - 1, MSG_NOSIGNAL) < 0)
			give_up("connection %ld: %s", i + 1, strerror(errno));
		if (now() > deadline)
			give_up("%ld connections took too long", i + 1);
		/* some listen with a backlog of 5 and start a process each */
		(void)nanosleep(&pace, NULL);
	}
	for (tries = 0; tries < 15; tries++) {
		(void)nanosleep(&pause, NULL);
		get_memory(&after, pid);
		if (after.memory == last.memory && tries > 1)
			break;
		last = after;
	}
	(void)printf("memory=%.0f\n",
		(after.memory - before.memory) / (double)count);
}

static void
measure_load(struct load *load, long connections, pid_t pid, int core)
{
	struct usage before, after;
	double began, seconds;

	if (pid > 0)
		get_cpu(&before, pid, core);
	began = now();
	load->deadline += began;
	run(load, connections);
	seconds = now() - began;
	(void)printf("requests=%ld errors=%ld seconds=%.4f rate=%.1f",
		load->done, load->errors, seconds,
		(double)(load->done - load->errors) / seconds);
	if (pid > 0) {
		get_cpu(&after, pid, core);
		(void)printf(" cpu=%.6f user=%.2f system=%.2f busy=%.2f",
			after.cpu - before.cpu, after.user - before.user,
			after.system - before.system, after.busy - before.busy);
	}
	(void)printf("\n");
}

struct options {
	long connections, idle;
	pid_t pid;
	int core;
	double patience;
};

/* Reads the options into the two; whether they are understood. */
static bool
read_options(struct options *options, struct load *load, int argc, char **argv)
{
	int option;

	*options = (struct options){.connections = 1};
	*load = (struct load){.deadline = 60};
	while ((option = getopt(argc, argv, "Kc:d:e:i:k:n:p:w:")) != -1)
		if (option == 'K')
			load->keep = true;
		else if (option == 'c')
			options->connections = parse_count(optarg);
		else if (option == 'd')
			load->deadline = strtod(optarg, NULL);
		else if (option == 'e')
			load->expected =
				read_file(optarg, &load->expected_size);
		else if (option == 'i')
			options->idle = parse_count(optarg);
		else if (option == 'k')
			options->core = (int)parse_count(optarg);
		else if (option == 'n')
			load->most = parse_count(optarg);
		else if (option == 'p')
			options->pid = (pid_t)parse_count(optarg);
		else if (option == 'w')
			options->patience = strtod(optarg, NULL);
		else
			return false;
	/* one request, unless either end was given */
	if (load->most == 0)
		load->most = load->deadline < 60 ? LONG_MAX : 1;
	return optind == argc - 1 && options->connections > 0;
}

int
main(int argc, char **argv)
{
	struct options options;
	static struct load load;
	static char request[1024];
	const char *path;

	if (!read_options(&options, &load, argc, argv))
		give_up("usage: load [OPTION]... URL; see load.c");
	path = parse_address(argv[optind], &load.address);
	(void)snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"%s\r\n",
		*path == '\0' ? "/" : path,
		load.keep ? "" : "Connection: close\r\n");
	load.request = request;
	load.request_size = strlen(request);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll < 0)
		give_up("epoll_create1: %s", strerror(errno));
	wait_listening(&load.address, options.patience);
	if (options.idle > 0) {
		measure_idle(&load.address, options.idle, options.pid);
		return 0;
	}
	measure_load(&load, options.connections, options.pid, options.core);
	if (load.errors > 0)
		(void)fprintf(stderr, "load: %s\n", first_error);
	return load.errors > 0;
}
