/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "job/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void
terminal_open(struct terminal *terminal)
{
	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	terminal->given = false;
}

void
terminal_close(struct terminal *terminal)
{
	if (terminal->fd >= 0)
		(void)close(terminal->fd);
	terminal->fd = -1;
}

static bool
is_ours(const struct terminal *terminal)
{
	return terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp();
}

bool
terminal_is_for_command(const struct terminal *terminal)
{
	return is_ours(terminal) && isatty(STDIN_FILENO) == 1 &&
		isatty(STDOUT_FILENO) == 1;
}

/* Sets the group of the terminal. SIGTTOU is blocked, because it would stop us
   in a background group. */
static bool
set_group(const struct terminal *terminal, pid_t group)
{
	sigset_t stops, old;
	bool set;

	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &stops, &old);
	set = tcsetpgrp(terminal->fd, group) == 0;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return set;
}

void
terminal_begin(const struct terminal *terminal)
{
	(void)set_group(terminal, getpgrp());
}

bool
terminal_give(struct terminal *terminal, pid_t group)
{
	if (!is_ours(terminal) || !set_group(terminal, group))
		return false;
	terminal->given = true;
	return true;
}

void
terminal_take(struct terminal *terminal)
{
	if (terminal->given)
		(void)set_group(terminal, getpgrp());
	terminal->given = false;
}

void
terminal_look(struct terminal *terminal)
{
	/* an interactive shell leads the session */
	if (terminal->given && tcgetpgrp(terminal->fd) == getsid(0))
		terminal->given = false;
}

bool
terminal_stop(struct terminal *terminal, int number)
{
	struct sigaction caught, stop = {.sa_handler = SIG_DFL};
	sigset_t continues, old, pending;

	terminal_take(terminal);
	/* one that continues us waits, so that it is seen */
	(void)sigemptyset(&continues);
	(void)sigaddset(&continues, SIGCONT);
	(void)sigprocmask(SIG_BLOCK, &continues, &old);
	(void)sigemptyset(&stop.sa_mask);
	(void)sigaction(SIGTSTP, NULL, &caught);
	if (caught.sa_handler != SIG_IGN)
		(void)sigaction(SIGTSTP, &stop, NULL);
	(void)kill(0, number);
	(void)sigaction(SIGTSTP, &caught, NULL);
	(void)sigpending(&pending);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return sigismember(&pending, SIGCONT) == 1;
}
