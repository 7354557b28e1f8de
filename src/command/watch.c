/* SPDX-License-Identifier: MIT */
/* Called by main.c before each step of the server. */
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
watch_open(const struct args *args, pid_t parent, struct prompt *prompt,
	struct control *control, struct inspect *inspect)
{
	struct watch watch = {.pidfd = -1,
		.input = -1,
		.prompt = prompt,
		.control = control,
		.inspect = inspect};
	struct stat status;
	int listens = 0;
	socklen_t size = sizeof listens;

	if (!args->with_parent)
		return watch;
	watch.parent = true;
	watch.pid = parent;
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
	free(watch->polled);
	*watch = (struct watch){.pidfd = -1};
}

bool
watch_needed(const struct watch *watch)
{
	return watch->parent || watch->prompt != NULL ||
		watch->control != NULL || watch->inspect != NULL;
}

/* Standard input has something, or its end. */
static bool
input_ended(void)
{
	char dropped[512];
	ssize_t n = read(STDIN_FILENO, dropped, sizeof dropped);

	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/* Those of the servers: of the one that is asked, and of its page. How many,
   also if there is not room for all. */
static size_t
list_served(struct watch *watch, struct retort *server, struct pollfd *polled,
	size_t room, int *timeout)
{
	size_t count = retort_pollfds(server, polled, room, timeout);
	size_t used = count < room ? count : room;

	return count +
		inspect_poll(watch->inspect, polled + used, room - used,
			timeout);
}

/* The descriptors to poll: our own, then the servers'. No more of them than are
   open: poll(2) fails beyond the limit of descriptors. */
static struct pollfd *
list_polled(struct watch *watch, struct retort *server, size_t *count,
	int *timeout)
{
	struct pollfd *polled = watch->polled;

	for (;;) {
		size_t room = watch->polled_room, own = CONTROL;

		*count = OWN;
		if (polled != NULL) {
			own += control_poll(watch->control, polled + own);
			*count = own +
				list_served(watch, server, polled + own,
					room - own, timeout);
		}
		if (polled != NULL && *count <= room)
			break;
		room = 2 * *count;
		polled = realloc(polled, room * sizeof *polled);
		if (polled == NULL)
			args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
		watch->polled = polled;
		watch->polled_room = room;
	}
	polled[PIDFD] = (struct pollfd){.fd = watch->pidfd, .events = POLLIN};
	polled[INPUT] = (struct pollfd){.fd = watch->input, .events = POLLIN};
	polled[PROMPT] =
		(struct pollfd){.fd = watch->prompt ? prompt_fd(watch->prompt) :
						      -1,
			.events = POLLIN};
	return polled;
}

static bool
parent_ended(const struct watch *watch)
{
	const struct pollfd *polled = watch->polled;

	if (!watch->parent)
		return false;
	/* a pidfd opened after the parent had ended would be another's */
	return polled[PIDFD].revents != 0 || getppid() != watch->pid ||
		(polled[INPUT].revents != 0 && input_ended());
}

bool
watch_wait(struct watch *watch, struct retort *server, int timeout)
{
	struct pollfd *polled;
	size_t count;
	int own;

	if (watch->prompt != NULL && prompt_over(watch->prompt))
		return true;
	polled = list_polled(watch, server, &count, &own);
	if (watch->parent && watch->pidfd < 0 &&
		(timeout < 0 || timeout > PARENT_INTERVAL))
		timeout = PARENT_INTERVAL;
	if (own >= 0 && (timeout < 0 || own < timeout))
		timeout = own;
	if (poll(polled, (nfds_t)count, timeout) < 0)
		return false;
	if (polled[PROMPT].revents != 0) {
		/* clients that have left take no line */
		(void)retort_step(server, 0);
		prompt_read(watch->prompt);
	}
	control_read(watch->control, polled + CONTROL);
	return parent_ended(watch);
}
