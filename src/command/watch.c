/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "job/clock.h"

/* How often the parent is looked for where there is no pidfd. */
#define PARENT_INTERVAL 200 /* ms */

/* The places of what is polled; those of --control follow, as many as there
   are, and then the server's. */
enum { PIDFD, INPUT, PROMPT, CONTROL, OWN = CONTROL + CONTROL_POLLED };

static int
open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

struct watch
watch_open(const struct args *args, pid_t parent, struct output *output,
	struct prompt *prompt, struct control *control)
{
	struct watch watch = {.output = output,
		.prompt = prompt,
		.control = control,
		.pidfd = -1,
		.input = -1};
	struct stat status;
	int listens = 0;
	socklen_t size = sizeof listens;

	if (!args->with_parent)
		return watch;
	watch.parent = parent;
	watch.pidfd = open_pidfd(parent);
	/* not when it is a listener: -b fd:0 */
	(void)getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens,
		&size);
	if (!args->stdin_used && !listens &&
		fstat(STDIN_FILENO, &status) == 0 &&
		(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
		watch.input = STDIN_FILENO;
	return watch;
}

void
watch_close(struct watch *watch)
{
	control_close(watch->control);
	watch->control = NULL;
	free(watch->polled);
	watch->polled = NULL;
}

bool
watch_over(const struct watch *watch)
{
	return watch->orphaned || control_over(watch->control) ||
		(watch->prompt != NULL && prompt_over(watch->prompt));
}

/* Whether there is anything to wait for but the server. */
static bool
is_needed(const struct watch *watch)
{
	return watch->parent != 0 || watch->prompt != NULL ||
		watch->control != NULL || watch->output->inspect != NULL;
}

/* Standard input has something, or its end. */
static bool
input_ended(void)
{
	char dropped[512];
	ssize_t n = read(STDIN_FILENO, dropped, sizeof dropped);

	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/* Lists the descriptors of --control, of the server, and of its page: how many
   there are, even if there is no room for all. */
static size_t
list_all(const struct watch *watch, int *timeout)
{
	struct pollfd *polled = watch->polled;
	const size_t room = watch->polled_room;
	size_t count = CONTROL, used;

	count += control_poll(watch->control, polled + count);
	count += retort_pollfds(watch->output->server, polled + count,
		room - count, timeout);
	used = count < room ? count : room;
	return count +
		inspect_poll(watch->output->inspect, polled + used, room - used,
			timeout);
}

/* The same with room for all. No more descriptors than are open: poll(2) fails
   beyond their limit. */
static size_t
list_polled(struct watch *watch, int *timeout)
{
	size_t count = OWN;

	while (watch->polled == NULL ||
		(count = list_all(watch, timeout)) > watch->polled_room) {
		struct pollfd *polled =
			realloc(watch->polled, 2 * count * sizeof *polled);

		if (polled == NULL)
			args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
		watch->polled = polled;
		watch->polled_room = 2 * count;
	}
	return count;
}

static void
look_for_parent(struct watch *watch)
{
	const struct pollfd *polled = watch->polled;

	/* a pidfd opened after the parent had ended would be another's */
	watch->orphaned = watch->parent != 0 &&
		(polled[PIDFD].revents != 0 || getppid() != watch->parent ||
			(polled[INPUT].revents != 0 && input_ended()));
}

/* Waits until there is something to do, and does what is not the server's. */
static void
wait_for_all(struct watch *watch, int timeout)
{
	int prompt = watch->prompt ? prompt_fd(watch->prompt) : -1, own;
	size_t count = list_polled(watch, &own);
	struct pollfd *polled = watch->polled;

	polled[PIDFD] = (struct pollfd){.fd = watch->pidfd, .events = POLLIN};
	polled[INPUT] = (struct pollfd){.fd = watch->input, .events = POLLIN};
	polled[PROMPT] = (struct pollfd){.fd = prompt, .events = POLLIN};
	if (watch->parent != 0 && watch->pidfd < 0)
		timeout = clock_sooner(timeout, PARENT_INTERVAL);
	if (poll(polled, (nfds_t)count, clock_sooner(timeout, own)) < 0)
		return;
	if (polled[PROMPT].revents != 0) {
		/* clients that have left take no line */
		(void)retort_step(watch->output->server, 0);
		prompt_read(watch->prompt);
	}
	control_read(watch->control, polled + CONTROL);
	look_for_parent(watch);
}

int
watch_step(struct watch *watch, int timeout)
{
	int step;

	timeout = output_timeout(watch->output, timeout);
	if (is_needed(watch)) {
		wait_for_all(watch, control_timeout(watch->control, timeout));
		timeout = 0;
	}
	step = retort_step(watch->output->server, timeout);
	if (step == 0)
		control_step(watch->control);
	output_step(watch->output);
	return step;
}
