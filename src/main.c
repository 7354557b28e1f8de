/* SPDX-License-Identifier: MIT */
/*
 * The command: starts a server as args.c read it, says where it is, and runs
 * it until something tells it to stop. Sees retort.h only.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "output.h"
#include "retort.h"
#include "run.h"
#include "typed.h"
#include "watch.h"

/* The one server, for the signal handler. */
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

/* What ends us, and in run what COMMAND is to be told. */
static void
catch_signals(enum mode mode)
{
	/* what nohup(1) and shells have us ignore stays so */
	static const struct {
		int number;
		bool run; /* there alone */
	} unless_ignored[] = {{SIGHUP, false}, {SIGQUIT, true}, {SIGTSTP, true},
		{SIGUSR1, true}, {SIGUSR2, true}, {SIGCONT, true}};
	struct sigaction action = {.sa_handler = on_signal}, old;

	child_note_signals(&before);
	signals.before = &before;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
	for (size_t i = 0; i < sizeof unless_ignored / sizeof *unless_ignored;
		i++) {
		int number = unless_ignored[i].number;

		if ((mode == MODE_RUN || !unless_ignored[i].run) &&
			sigaction(number, NULL, &old) == 0 &&
			old.sa_handler != SIG_IGN)
			(void)sigaction(number, &action, NULL);
	}
}

/* --- before serving --- */

/* A socket must not become standard input, output or error. */
static void
fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", O_RDWR) != fd)
			exit(EXIT_FAILURE);
}

/* As many connections as the machine allows; select(2) is not used. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		text += n;
		size -= (size_t)n;
	}
}

/* Both listeners of localhost have one URL. */
static bool
is_repeated(const struct retort *server, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(retort_url(server, k), retort_url(server, i)) == 0)
			return true;
	return false;
}

/*
 * One line per URL, in one write. Then standard output ends, so that what
 * reads it (a pipe, "$(...)") is not kept waiting for more.
 */
static void
announce(const struct retort *server)
{
	char text[PIPE_BUF];
	size_t used = 0;
	const char *url;
	int null;

	for (size_t i = 0; (url = retort_url(server, i)) != NULL; i++) {
		size_t size = strlen(url);

		if (is_repeated(server, i))
			continue;
		if (!retort_local(server, i))
			(void)fprintf(stderr,
				"retort: %s can be reached from "
				"other machines\n",
				url);
		if (used + size + 1 > sizeof text) {
			write_all(STDOUT_FILENO, text, used);
			used = 0;
		}
		memcpy(text + used, url, size);
		used += size;
		text[used++] = '\n';
	}
	write_all(STDOUT_FILENO, text, used);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDOUT_FILENO);
		(void)close(null);
	}
}

/* One line per distinct port; complete whenever it is there. */
static int
write_port_file(const struct retort *server, const char *name)
{
	size_t size = strlen(name) + sizeof ".XXXXXX";
	char *temporary = malloc(size);
	int fd = -1, port, result = -1;
	mode_t mask = umask(0);
	FILE *file = NULL;

	(void)umask(mask);
	if (temporary == NULL)
		return -1;
	(void)snprintf(temporary, size, "%s.XXXXXX", name);
	fd = mkstemp(temporary);
	if (fd < 0)
		goto out;
	if (fchmod(fd, 0666 & ~mask) < 0 || (file = fdopen(fd, "w")) == NULL)
		goto out;
	fd = -1;
	for (size_t i = 0; (port = retort_port(server, i)) >= 0; i++) {
		bool seen = port == 0;

		for (size_t k = 0; k < i && !seen; k++)
			seen = retort_port(server, k) == port;
		if (!seen)
			(void)fprintf(file, "%d\n", port);
	}
	result = ferror(file) ? -1 : 0;
	if (fclose(file) != 0)
		result = -1;
	if (result == 0)
		result = rename(temporary, name);
out:
	if (result < 0 && fd >= 0)
		(void)close(fd);
	if (result < 0) {
		int error = errno;

		(void)unlink(temporary);
		errno = error;
	}
	free(temporary);
	return result;
}

/* --- serving --- */

/* Until it has stopped; the exit status. */
static int
serve(struct retort *server, const struct args *args, struct watch *watch,
	struct output *output)
{
	int64_t end =
		args->lifetime < 0 ? INT64_MAX : clock_ms() + args->lifetime;
	bool stopping = false, lifetime_over = false;
	int status = EXIT_SUCCESS, step = 0;

	while (step == 0 && signals.count < 2) {
		bool stop = signals.count > 0;
		int timeout = -1;

		if (!stopping && end != INT64_MAX) {
			int64_t left = end - clock_ms();

			lifetime_over = left <= 0 && !stop;
			stop = stop || left <= 0;
			timeout = left > INT_MAX ? INT_MAX : (int)left;
		}
		if (!stopping && !stop && watch_needed(watch)) {
			stop = watch_wait(watch, server, timeout);
			timeout = 0;
		}
		if (stop && !stopping) {
			stopping = true;
			retort_stop(server, args->grace);
			timeout = 0;
		}
		if (stopping)
			timeout = -1;
		step = retort_step(server, timeout);
		output_flush(output);
		output_forget(output);
	}
	if (lifetime_over && retort_replies(server) < args->options.requests)
		status = EXIT_LIFETIME;
	if (step < 0) {
		(void)fprintf(stderr, "retort: %s\n", strerror(-step));
		status = EXIT_FAILURE;
	}
	return status;
}

/* The exit status of what goes wrong with us. */
static int
failure(const struct args *args)
{
	return args->mode == MODE_SERVE ? EXIT_FAILURE : EXIT_OWN;
}

static int
exit_status(int error, const struct args *args)
{
	switch (error) {
	case EINVAL:
		return EXIT_USAGE;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOTSUP:
		return failure(args);
	default:
		return args->mode == MODE_SERVE ? EXIT_BIND : EXIT_OWN;
	}
}

/* What answers; 0 or -errno. */
static int
set_answer(struct retort *server, const struct args *args, struct typed *typed,
	char *error)
{
	struct retort_reply reply = args->reply;
	int code = 0;

	if (args->greeting.body != NULL)
		code = retort_on(server, NULL, .accepted = true,
			.body = args->greeting.body,
			.body_size = args->greeting.body_size);
	if (code >= 0 && args->echo != NULL)
		code = retort_on(server, args->echo, .echo = true);
	if (code >= 0 && args->typed)
		code = retort_on(server, NULL, .handler = typed_handler,
			.handler_arg = typed);
	if (code < 0) {
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s", strerror(-code));
		return code;
	}
	reply.faults = args->faults;
	if (args->canned)
		return retort_answer(server, &reply, error);
	return args->root == NULL ?
		0 :
		retort_serve(server, args->root, &args->files, error);
}

/* Why there is no rule for it: "rule: faults: ...", the verdict's first line. */
static void
explain_fault(struct retort *server, char *why)
{
	const char *verdict = retort_verdict(server);
	const char *reason = verdict ? strstr(verdict, "faults: ") : NULL;

	reason =
		reason ? reason + strlen("faults: ") : "Cannot allocate memory";
	(void)snprintf(why, RETORT_ERROR_SIZE, "--fault: %.*s",
		(int)strcspn(reason, "\n"), reason);
}

/* What goes wrong with what answers, and what is expected; 0 or -errno. */
static int
set_faults(struct retort *server, const struct args *args, char *error)
{
	char why[RETORT_ERROR_SIZE];
	const char *option = "", *notices;
	int code = 0;

	if (args->scenario != NULL)
		code = retort_load(server, args->scenario, why);
	if (code == 0 && args->chances != NULL) {
		option = "--faults: ";
		code = retort_faults(server, args->chances, args->seed, why);
	}
	if (code == 0 && args->replay != NULL) {
		option = "--replay: ";
		code = retort_replay(server, args->replay, args->replay_size,
			why);
	}
	/* behind the rules of the scenario */
	if (code == 0 && args->faults != NULL && args->root != NULL) {
		code = retort_on(server, NULL, .files = true,
			.faults = args->faults);
		if (code < 0)
			explain_fault(server, why);
		code = code < 0 ? code : 0;
	}
	if (code < 0)
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s%.240s", option,
			why);
	notices = code == 0 && args->notices ? retort_notices(server) : NULL;
	if (notices != NULL)
		(void)fputs(notices, stderr);
	return code;
}

/* Which option an error of set_answer() is about. */
static const char *
option_of(const struct args *args, const char *error)
{
	if (strncmp(error, "faults: ", 8) == 0)
		return "--fault: ";
	if (args->options.protocol != RETORT_HTTP)
		return "--answer: ";
	return args->files.spa && strncmp(error, "spa '", 5) == 0 ? "--" : "";
}

static struct retort *
start(const struct args *args, struct typed *typed)
{
	char error[RETORT_ERROR_SIZE];
	struct retort *server = retort_open(&args->options, error);
	int code;

	if (server == NULL)
		die(exit_status(errno, args), "%s%s",
			errno == EINVAL ? "--bind: " : "", error);
	code = set_answer(server, args, typed, error);
	if (code == 0)
		code = set_faults(server, args, error);
	if (code < 0) {
		retort_close(server);
		/* what is wrong is an operand, not an address */
		die(code == -ENOMEM ? failure(args) : EXIT_USAGE, "%s%s",
			option_of(args, error),
			strncmp(error, "faults: ", 8) == 0 ? error + 8 : error);
	}
	return server;
}

/* Serves until it is told to end; the exit status. */
static int
serve_all(const struct args *args, struct retort *server, struct typed *typed,
	struct output *output, pid_t ppid)
{
	struct watch watch = watch_open(args, ppid, args->typed ? typed : NULL);
	int status;

	announce(server);
	status = serve(server, args, &watch, output);
	if (status == EXIT_SUCCESS && output_judge(output))
		status = EXIT_UNMET;
	free(watch.polled);
	free(typed->waiting);
	return status;
}

static void
open_output(struct args *args, struct output *output)
{
	*output = (struct output){.fd = STDERR_FILENO,
		.log = args->log,
		.format = args->log_format,
		.verbose = args->verbose,
		.recorded = !args->options.unrecorded,
		.transcripts = args->transcripts};
	if (args->transcripts != NULL && mkdir(args->transcripts, 0777) < 0 &&
		errno != EEXIST)
		die(EXIT_USAGE, "--transcript %s: %s", args->transcripts,
			strerror(errno));
	if (output->log || output->verbose > 0 || args->transcripts != NULL) {
		args->options.event = output_event;
		args->options.event_arg = output;
	}
}

int
main(int argc, char **argv)
{
	static struct args args;
	static struct output output;
	static struct typed typed;
	pid_t ppid = getppid();
	struct retort *server;
	int status;

	fill_standard_descriptors();
	args_read(&args, argc, argv);
	catch_signals(args.mode);
	raise_descriptor_limit();
	if (args.mode == MODE_SWEEP)
		return sweep(&args, &signals);
	open_output(&args, &output);
	server = start(&args, &typed);
	output.server = server;
	/* run judges, whatever is expected, what nothing answered */
	output.judged = args.mode == MODE_RUN ? args.scenario != NULL :
						retort_expectations(server) > 0;
	typed.server = server;
	running = server;
	if (args.port_file != NULL &&
		write_port_file(server, args.port_file) < 0) {
		int error = errno;

		running = NULL;
		retort_close(server);
		die(failure(&args), "%s: %s", args.port_file, strerror(error));
	}
	status = args.mode == MODE_RUN ?
		run(&args, server, &output, &signals) :
		serve_all(&args, server, &typed, &output, ppid);
	running = NULL;
	retort_close(server);
	output_flush(&output);
	return status;
}
