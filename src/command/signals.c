/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/signals.h"

/* Globals: a handler can reach nothing else. */
static struct retort *volatile running;
static volatile struct signals signals;
static struct child_signals before;

static void
on_signal(int number)
{
	for (size_t i = 0; i < CHILD_SIGNALS; i++)
		if (child_signal_numbers[i] == number && number != SIGCHLD) {
			signals.came[i] = 1;
			signals.count = signals.count + 1;
			signals.last = number;
		}
	if (running != NULL)
		retort_wake(running);
}

/* Signals that nohup(1) and shells have us ignore stay ignored. */
static void
catch_unless_ignored(enum mode mode, const struct sigaction *action)
{
	static const struct {
		int number;
		bool run; /* there alone */
	} numbers[] = {{SIGHUP, false}, {SIGQUIT, true}, {SIGTSTP, true},
		{SIGUSR1, true}, {SIGUSR2, true}, {SIGCONT, true}};
	struct sigaction old;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		int number = numbers[i].number;

		if ((mode == MODE_RUN || !numbers[i].run) &&
			sigaction(number, NULL, &old) == 0 &&
			old.sa_handler != SIG_IGN)
			(void)sigaction(number, action, NULL);
	}
}

volatile struct signals *
signals_catch(enum mode mode)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t none;

	child_note_signals(&before);
	signals.before = &before;
	(void)signal(SIGPIPE, SIG_IGN);
	/* beyond RLIMIT_FSIZE a write fails, as on a full disk */
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	/* without COMMAND, children were left to us by the program before us,
	   or by the system as to process 1: nobody asks how they ended */
	if (mode == MODE_SERVE)
		(void)signal(SIGCHLD, SIG_IGN);
	else
		(void)sigaction(SIGCHLD, &action, NULL);
	catch_unless_ignored(mode, &action);
	/* last, as some may be pending */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	return &signals;
}

void
signals_wake(struct retort *server)
{
	running = server;
}
