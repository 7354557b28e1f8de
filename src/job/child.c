/* SPDX-License-Identifier: MIT */
/* COMMAND is forked without threads, so that the new process may use stdio. */
#include "config.h"

#include "job/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

#include "job/clock.h"

/* The time between two looks at processes that should end. */
#define INTERVAL 10 /* ms */

/* The time to kill processes other than COMMAND; some cannot be killed, such as
   those of another user. */
#define KILL_TIME 500 /* ms */

/* env(1) */
enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

const int child_signal_numbers[CHILD_SIGNALS] = {SIGHUP, SIGINT, SIGQUIT,
	SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGPIPE, SIGCHLD, SIGCONT, SIGXFSZ};

void
child_note_signals(struct child_signals *before)
{
	for (size_t i = 0; i < CHILD_SIGNALS; i++)
		(void)sigaction(child_signal_numbers[i], NULL,
			&before->actions[i]);
	(void)sigprocmask(SIG_SETMASK, NULL, &before->mask);
}

/* A copy of `word` with `text` in the place of each `mark`. NULL: no memory. */
static char *
fill_in(const char *word, const char *mark, const char *text)
{
	const size_t size = strlen(mark);
	size_t count = 0, used = 0;
	const char *at = word;
	char *filled;

	for (; (at = strstr(at, mark)) != NULL; at += size)
		count++;
	filled = calloc(1, strlen(word) + count * strlen(text) + 1);
	while (filled != NULL && *word != '\0') {
		if (strncmp(word, mark, size) == 0) {
			memcpy(filled + used, text, strlen(text));
			used += strlen(text);
			word += size;
		} else {
			filled[used++] = *word++;
		}
	}
	return filled;
}

/* A mark in the words of COMMAND, and the text that replaces it. */
struct mark {
	const char *mark;
	const char *text; /* NULL: it stays */
};

static char *
fill_in_marks(const char *word, const struct mark *marks)
{
	char *filled = strdup(word);

	for (; filled != NULL && marks->mark != NULL; marks++) {
		char *before = filled;

		if (marks->text == NULL)
			continue;
		filled = fill_in(before, marks->mark, marks->text);
		free(before);
	}
	return filled;
}

static void
free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static char **
fill_in_all(char *const *command, const struct mark *marks)
{
	size_t count = 0;
	char **words;

	while (command[count] != NULL)
		count++;
	words = calloc(count + 1, sizeof *words);
	for (size_t i = 0; words != NULL && i < count; i++) {
		words[i] = fill_in_marks(command[i], marks);
		if (words[i] == NULL) {
			free_words(words);
			return NULL;
		}
	}
	return words;
}

static void
be_quiet(const int outputs[2])
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(outputs[0], STDOUT_FILENO);
	(void)dup2(outputs[1], STDERR_FILENO);
	if (null > STDERR_FILENO)
		(void)close(null);
}

/* Restores the signals as they were before we caught or ignored them. */
static void
restore_signals(const struct child_signals *before)
{
	for (size_t i = 0; i < CHILD_SIGNALS; i++)
		(void)sigaction(child_signal_numbers[i], &before->actions[i],
			NULL);
	/* in the background of a script it is ignored, but it is passed on */
	(void)signal(SIGINT, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

static void
say_why(const char *name, int error)
{
	bool quoted = error == ENOENT && strchr(name, ' ') != NULL;

	(void)fprintf(stderr, "retort: %s: %s%s\n", name, strerror(error),
		quoted ? " (COMMAND and its arguments are words of their own: "
			 "no quotes around them all)" :
			 "");
}

/* Between fork and exec: becomes COMMAND. */
static _Noreturn void
become_command(char **words, const int *outputs,
	const struct terminal *terminal, pid_t parent,
	const struct child_signals *before)
{
	int error;

	(void)setpgid(0, 0);
	if (terminal->given)
		terminal_begin(terminal);
	restore_signals(before);
#ifdef PR_SET_PDEATHSIG
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
	if (getppid() != parent)
		_exit(EXIT_CANNOT_RUN);
	if (outputs != NULL)
		be_quiet(outputs);
	(void)execvp(words[0], words);
	error = errno;
	say_why(words[0], error);
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

/* Sets the variables for OpenSSL and programs that use it, curl, Node and
   Python's requests. */
static int
trust(const char *ca)
{
	static const char *const names[] = {"RETORT_CA", "SSL_CERT_FILE",
		"CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ca != NULL && setenv(names[i], ca, 1) < 0)
			return -1;
	return 0;
}

/* Writes the port of a URL without a path to `port`; NULL: it has none, as it
   is a Unix socket. */
static const char *
port_of(const char *url, char port[sizeof "65535"])
{
	const char *host = strstr(url, "://");
	const char *colon = host != NULL ? strrchr(host + 3, ':') : NULL;
	size_t size = colon != NULL ? strspn(colon + 1, "0123456789") : 0;

	if (size == 0 || size >= sizeof "65535")
		return NULL;
	memcpy(port, colon + 1, size);
	port[size] = '\0';
	return port;
}

/* Puts the address of the server into the environment. */
static int
tell(const char *url, const char *port)
{
	if (setenv("RETORT_URL", url, 1) < 0)
		return -1;
	return port != NULL ? setenv("RETORT_PORT", port, 1) :
			      unsetenv("RETORT_PORT");
}

int
child_start(struct child *child, char *const *command, const char *url,
	const char *ca, const struct child_signals *before, const int *outputs)
{
	char room[sizeof "65535"];
	const char *port = port_of(url, room);
	const struct mark marks[] = {{"{url}", url}, {"{port}", port},
		{"{ca}", ca}, {NULL, NULL}};
	char **words = fill_in_all(command, marks);
	pid_t parent = getpid();
	int error = 0;

	*child = (struct child){.pid = -1, .terminal = {.fd = -1}};
	if (words == NULL || words[0] == NULL || tell(url, port) < 0 ||
		trust(ca) < 0) {
		free_words(words);
		return -ENOMEM;
	}
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDNAMES");
	(void)unsetenv("NOTIFY_SOCKET");
	if (outputs == NULL)
		terminal_open(&child->terminal);
	child->terminal.given = terminal_is_for_command(&child->terminal);
	(void)fflush(NULL);
	family_begin(&child->family);
	child->pid = fork();
	if (child->pid == 0)
		become_command(words, outputs, &child->terminal, parent,
			before);
	if (child->pid < 0) {
		error = -errno;
		family_end(&child->family);
	} else {
		/* the first that ends */
		(void)setpgid(child->pid, child->pid);
	}
	free_words(words);
	return error;
}

static void
note_status(struct child *child, int status)
{
	child->ended = true;
	child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	child->status =
		child->signal ? 128 + child->signal : WEXITSTATUS(status);
}

/* Sends a signal to the group of COMMAND, and to COMMAND itself if it has left
   that. */
static void
send_signal(const struct child *child, int number)
{
	(void)kill(-child->pid, number);
	if (!child->ended && getpgid(child->pid) != child->pid)
		(void)kill(child->pid, number);
}

/* COMMAND was stopped. If it wants the terminal and we have it, COMMAND gets
   it. Otherwise our whole group stops as well, until the shell continues us. */
static void
follow_stop(struct child *child, int number)
{
	bool wants = number == SIGTTIN || number == SIGTTOU;
	bool had = child->terminal.given;

	if (child->terminal.fd < 0)
		return;
	if (!wants || !terminal_give(&child->terminal, child->pid)) {
		/* as the kernel does with a job that cannot be continued */
		if (!terminal_stop(&child->terminal,
			    wants ? SIGTTIN : SIGTSTP) &&
			wants)
			send_signal(child, SIGHUP);
		if (had)
			(void)terminal_give(&child->terminal, child->pid);
	}
	send_signal(child, SIGCONT);
}

bool
child_ended(struct child *child)
{
	int status;
	pid_t pid;

	/* and those whose parents have left them to us */
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != child->pid)
			continue;
		if (WIFSTOPPED(status))
			follow_stop(child, WSTOPSIG(status));
		else
			note_status(child, status);
	}
	return child->ended;
}

bool
child_wait(struct child *child, int timeout)
{
	const struct timespec time = {timeout / 1000,
		(long)(timeout % 1000) * 1000000};
#ifdef HAVE_SIGTIMEDWAIT
	sigset_t ends;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGCHLD);
	if (!child_ended(child))
		(void)sigtimedwait(&ends, NULL, &time);
#else
	if (!child_ended(child))
		(void)nanosleep(&time, NULL);
#endif
	return child_ended(child);
}

void
child_signal(struct child *child, int number)
{
	if (child->pid <= 0)
		return;
	send_signal(child, number);
	if (number == SIGCONT)
		terminal_look(&child->terminal);
	/* one that is stopped would not hear it */
	else if (number != SIGTSTP)
		send_signal(child, SIGCONT);
}

/* Whether COMMAND and all processes that it has started have ended. */
static bool
is_over(struct child *child)
{
	int living;

	if (!child_ended(child))
		return false;
	living = family_signal(&child->family, child->pid, 0);
	return living < 0 ? kill(-child->pid, 0) < 0 : living == 0;
}

static bool
wait_until_over(struct child *child, int timeout)
{
	const struct timespec interval = {0, INTERVAL * 1000000};
	int64_t end = clock_ms() + timeout;
	bool over;

	while (!(over = is_over(child)) && clock_ms() < end)
		(void)nanosleep(&interval, NULL);
	return over;
}

/* Kills processes repeatedly, because they may have started others
   meanwhile. */
static void
kill_all(struct child *child)
{
	int64_t end = clock_ms() + KILL_TIME;

	do {
		child_signal(child, SIGKILL);
		(void)family_signal(&child->family, child->pid, SIGKILL);
	} while (!wait_until_over(child, INTERVAL) &&
		(!child->ended || clock_ms() < end));
}

void
child_end(struct child *child, int grace)
{
	if (child->pid <= 0)
		return;
	child_signal(child, SIGTERM);
	(void)family_signal(&child->family, child->pid, SIGTERM);
	(void)family_signal(&child->family, child->pid, SIGCONT);
	if (!wait_until_over(child, grace))
		kill_all(child);
	family_end(&child->family);
	terminal_take(&child->terminal);
	terminal_close(&child->terminal);
	child->pid = -1;
}
