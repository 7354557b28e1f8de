/* SPDX-License-Identifier: MIT */
/* Called by main.c. */
#include "config.h"

#include "command/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/announce.h"
#include "command/setup.h"
#include "job/child.h"
#include "job/clock.h"

/* One client has so long: ms. */
#define SWEEP_TIME 10000

/* After so many that have not ended there is nothing to be learnt. */
#define MOST_LATE 3

struct sweep {
	const struct args *args;
	struct told_file ca;
	volatile struct signals *signals;
	bool terminal;     /* somebody watches */
	unsigned count;    /* clients so far */
	unsigned crashes;  /* of these */
	unsigned too_late; /* and these did not end in time */
	int failure;       /* COMMAND could not be run: its status */
};

/* On a line of its own where progress is shown. */
static void
tell(const struct sweep *sweep, const char *fault, const char *what, int number,
	const char *unit)
{
	(void)fprintf(stderr, "%sretort: %s: COMMAND %s %d%s\n",
		sweep->terminal ? "\r\33[K" : "",
		fault ? fault : "the whole reply", what, number, unit);
}

/* How one client ended is what it took the reply for: as retort_client. */
static int
judge_client(struct sweep *sweep, const struct child *child, bool ended,
	const char *fault)
{
	if (sweep->signals->count > 0)
		return -EINTR;
	if (!ended) {
		tell(sweep, fault, "did not end within", SWEEP_TIME / 1000,
			" s");
		return ++sweep->too_late < MOST_LATE ? 0 : -ETIMEDOUT;
	}
	/* later on it is an answer of its own */
	if (fault == NULL && (child->status == 126 || child->status == 127)) {
		sweep->failure = child->status;
		return -ENOEXEC;
	}
	if (child->signal != 0) {
		tell(sweep, fault, "was ended by signal", child->signal, "");
		sweep->crashes++;
	}
	if (fault == NULL && child->status != 0)
		tell(sweep, fault, "ended with status", child->status, "");
	return child->status == 0;
}

static int
run_client(void *arg, const char *url, const char *fault)
{
	struct sweep *sweep = arg;
	int64_t end = clock_ms() + SWEEP_TIME;
	struct child child;
	bool ended;
	int code;

	if (sweep->signals->count > 0)
		return -EINTR;
	if (sweep->terminal)
		(void)fprintf(stderr, "\r\33[Kretort: client %u",
			++sweep->count);
	code = child_start(&child, sweep->args->command, url, sweep->ca.name,
		sweep->signals->before, true);
	if (code < 0)
		return code;
	while (!(ended = child_wait(&child, CHILD_INTERVAL)) &&
		sweep->signals->count == 0 && clock_ms() < end)
		;
	child_end(&child, 0);
	return judge_client(sweep, &child, ended, fault);
}

static struct retort *
start_server(const struct args *args, const char *cert_fault)
{
	char error[RETORT_ERROR_SIZE];
	struct retort_options options = args->options;
	struct retort *server;

	options.unrecorded = true;
	if (cert_fault != NULL)
		options.tls_cert_fault = cert_fault;
	options.error = error;
	server = setup_server(args, options);
	if (server == NULL)
		setup_fail(args, errno, error);
	return server;
}

/* Each COMMAND is to trust the server. */
static void
write_ca(struct sweep *sweep, struct retort *server)
{
	struct told_file *ca = &sweep->ca;
	int code = 0;

	if (ca->name == NULL)
		code = told_file_begin(ca, sweep->args->ca_file);
	if (code == 0 && retort_ca(server) != NULL)
		code = told_file_name(ca);
	if (code == 0)
		code = told_file_ca(ca, server, sweep->signals);
	if (code < 0)
		args_die(EXIT_OWN, "--tls-ca %s: %s", ca->name ? ca->name : "",
			strerror(-code));
}

static bool
has_url(char *const *command)
{
	while (*command != NULL && strstr(*command, "{url}") == NULL)
		command++;
	return *command != NULL;
}

/* The last words; the exit status. */
static int
conclude(const struct sweep *sweep, int wrong, const char *report,
	const char *error)
{
	if (sweep->signals->count > 0)
		return 128 + (int)sweep->signals->last;
	if (sweep->failure != 0)
		return sweep->failure;
	args_print(report ? report : "");
	if (wrong == -ETIMEDOUT)
		return EXIT_FAILURE; /* it was told */
	if (wrong < 0)
		args_die(wrong == -EINVAL ? EXIT_USAGE : EXIT_OWN, "%s%s%s",
			error,
			wrong == -ENOTCONN ? " to {url}, or RETORT_URL" : "",
			wrong == -ENOTCONN && !has_url(sweep->args->command) ?
				" (no word of COMMAND has {url})" :
				"");
	return wrong > 0 || sweep->crashes > 0 || sweep->too_late > 0 ?
		EXIT_FAILURE :
		EXIT_SUCCESS;
}

/* --- certificates --- */

/* Bytes of the table of all. */
#define REPORT_SIZE 2048

/* Whether COMMAND takes the reply of a server with it; < 0: -errno. */
static int
try_certificate(struct sweep *sweep, const char *fault, char *error)
{
	struct retort_reply reply = sweep->args->reply;
	int taken;

	reply.server = start_server(sweep->args, fault);
	reply.error = error;
	write_ca(sweep, reply.server);
	taken = retort_answer_sized(&reply, sizeof reply);
	if (taken == 0)
		taken = run_client(sweep, retort_url(reply.server), fault);
	if (taken >= 0 && retort_stats(reply.server).accepted == 0) {
		(void)snprintf(error, RETORT_ERROR_SIZE,
			"%s: the client did not connect",
			fault ? fault : "the right certificate");
		taken = -ENOTCONN;
	}
	retort_close(reply.server);
	return taken;
}

/* The next of these words; false: there is none. */
static bool
next_word(const char **words, char *word, size_t room)
{
	int size = (int)strcspn(*words, " ");

	(void)snprintf(word, room, "%.*s", size, *words);
	*words += size + ((*words)[size] == ' ');
	return size > 0;
}

/* The table of all; how often COMMAND was wrong, or -errno. */
static int
try_certificates(struct sweep *sweep, char *report, char *error)
{
	const char *words = args_words("tls-cert-fault");
	char fault[32] = ""; /* the right one comes first */
	size_t used = 0;
	int wrong = 0;

	do {
		bool right = *fault == '\0';
		int taken = try_certificate(sweep, right ? NULL : fault, error);

		if (taken < 0)
			return taken;
		used += (size_t)snprintf(report + used, REPORT_SIZE - used,
			"%-18s taken for %s\n", right ? "right" : fault,
			taken > 0 ? "success" : "failure");
		wrong += (taken > 0) != right;
		if (right && wrong > 0) {
			(void)snprintf(report + used, REPORT_SIZE - used,
				"nothing else was tried\n");
			break;
		}
	} while (next_word(&words, fault, sizeof fault));
	return wrong;
}

static int
sweep_certificates(struct sweep *sweep)
{
	char error[RETORT_ERROR_SIZE] = "", report[REPORT_SIZE] = "";
	int wrong = try_certificates(sweep, report, error);

	told_file_end(&sweep->ca);
	if (sweep->terminal)
		(void)fputs("\r\33[K", stderr);
	return conclude(sweep, wrong, report, error);
}

int
sweep_command(const struct args *args, volatile struct signals *signals)
{
	struct sweep sweep = {
		.args = args,
		.signals = signals,
		.terminal = isatty(STDERR_FILENO) == 1,
	};
	char error[RETORT_ERROR_SIZE], *report = NULL;
	struct retort_reply reply = args->reply;
	sigset_t child;
	int wrong;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	if (args->certs)
		return sweep_certificates(&sweep);
	reply.server = start_server(args, NULL);
	write_ca(&sweep, reply.server);
	reply.error = error;
	wrong = retort_answer_sized(&reply, sizeof reply);
	if (wrong == 0)
		wrong = retort_sweep(reply.server, run_client,
			.client_arg = &sweep, .report = &report,
			.error = error);
	retort_close(reply.server);
	told_file_end(&sweep.ca);
	if (sweep.terminal)
		(void)fputs("\r\33[K", stderr);
	wrong = conclude(&sweep, wrong, report, error);
	free(report);
	return wrong;
}
