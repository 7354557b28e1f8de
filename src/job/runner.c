/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "job/runner.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

#include "job/child.h"

/* An order to a runner. */
struct order {
	int time;
	bool has_ca;
	char url[1024];
	char ca[PATH_MAX];
};

struct answer {
	int code;
	struct trial trial;
};

/* Sends all bytes; 0 or -errno. A signal does not stop a runner: its trial
   ends, and is reported. */
static int
send_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int
receive_all(int fd, void *bytes, size_t size)
{
	char *at = bytes;

	while (size > 0) {
		ssize_t n = recv(fd, at, size, 0);

		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/*
 * Receives the next order. False: a signal, or the other side, ends the runner.
 */
static bool
receive_order(int fd, const struct trials *trials, struct order *order)
{
	return *trials->stop == 0 && receive_all(fd, order, sizeof *order) == 0;
}

/* Runs trials as it is ordered, in a process of its own. */
static _Noreturn void
obey_orders(int fd, struct trials *trials, pid_t parent)
{
	struct answer answer = {.code = 0};
	struct order order;

#ifdef PR_SET_PDEATHSIG
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
	while (getppid() == parent && receive_order(fd, trials, &order)) {
		trials->ca = order.has_ca ? order.ca : NULL;
		answer.code = trials_run(trials, order.url, order.time,
			&answer.trial);
		/* told to end: that says nothing of COMMAND */
		if (*trials->stop != 0 && !answer.trial.ended)
			answer.code = -EINTR;
		if (send_all(fd, &answer, sizeof answer) < 0)
			break;
	}
	(void)close(fd);
	trials_close(trials);
	_exit(EXIT_SUCCESS);
}

/* Begins a runner. It inherits the descriptors of those before it, and closes
   them. */
static int
begin(struct runner *runners, size_t place, struct trials trials)
{
	pid_t parent = getpid();
	int pair[2], code = trials_open(&trials);

	if (code < 0)
		return code;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		code = -errno;
		trials_close(&trials);
		return code;
	}
	(void)fflush(NULL);
	runners[place] = (struct runner){.pid = fork(), .fd = pair[0]};
	if (runners[place].pid == 0) {
		for (size_t i = 0; i <= place; i++)
			(void)close(runners[i].fd);
		obey_orders(pair[1], &trials, parent);
	}
	code = runners[place].pid < 0 ? -errno : 0;
	(void)close(pair[1]);
	trials_close(&trials);
	if (code < 0)
		(void)close(pair[0]);
	return code;
}

int
runners_open(struct runner *runners, size_t count, const struct trials *trials)
{
	int code = 0;
	size_t begun = 0;

	for (; begun < count && code == 0; begun += code == 0)
		code = begin(runners, begun, *trials);
	if (code < 0)
		runners_close(runners, begun);
	return code;
}

void
runners_close(struct runner *runners, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)shutdown(runners[i].fd, SHUT_WR);
		(void)kill(runners[i].pid, SIGTERM);
	}
	for (size_t i = 0; i < count; i++) {
		while (waitpid(runners[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
		(void)close(runners[i].fd);
	}
}

int
runner_begin(struct runner *runner, const char *url, const char *ca, int time)
{
	struct order order = {.time = time, .has_ca = ca != NULL};

	if (strlen(url) >= sizeof order.url ||
		(ca != NULL && strlen(ca) >= sizeof order.ca))
		return -ENAMETOOLONG;
	(void)snprintf(order.url, sizeof order.url, "%s", url);
	(void)snprintf(order.ca, sizeof order.ca, "%s", ca ? ca : "");
	runner->busy = true;
	return send_all(runner->fd, &order, sizeof order);
}

/* The runner that has something to say, within CHILD_INTERVAL ms; -EAGAIN:
   there is none. */
static int
find_ready(const struct runner *runners, size_t count)
{
	struct pollfd *polled = calloc(count, sizeof *polled);
	int code = -ENOMEM;

	for (size_t i = 0; polled != NULL && i < count; i++)
		polled[i] = (struct pollfd){
			.fd = runners[i].busy ? runners[i].fd : -1,
			.events = POLLIN,
		};
	if (polled != NULL)
		code = poll(polled, count, CHILD_INTERVAL) < 0 &&
				errno != EINTR ?
			-errno :
			-EAGAIN;
	for (size_t i = 0; code == -EAGAIN && i < count; i++)
		if (polled[i].revents != 0)
			code = (int)i;
	free(polled);
	return code;
}

int
runners_wait(struct runner *runners, size_t count,
	volatile const sig_atomic_t *stop, struct trial *trial)
{
	struct answer answer;
	int place, code;

	do
		place = *stop != 0 ? -EINTR : find_ready(runners, count);
	while (place == -EAGAIN);
	if (place < 0)
		return place;
	code = receive_all(runners[place].fd, &answer, sizeof answer);
	if (code == 0)
		code = answer.code;
	if (code < 0)
		return code;
	runners[place].busy = false;
	*trial = answer.trial;
	return place;
}
