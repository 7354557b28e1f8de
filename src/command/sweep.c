/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/show.h"
#include "command/start.h"
#include "command/told_file.h"
#include "job/clock.h"
#include "job/runner.h"
#include "job/trial.h"
#include "job/trust.h"
#include "retort.h"
#include "show/escape.h"
#include "show/progress.h"
#include "show/swept.h"

/* One client has this long at first: ms. */
#define SWEEP_TIME 10000

/* Later it has this many times as long as the slowest that has ended, and this
   in addition; less once one has hung. */
#define PATIENCE 20
#define PATIENCE_MORE 2000

/* The sweep ends after this many clients that did not end in time. */
#define MOST_LATE 10
static const char too_late[] = "COMMAND did not end 10 times";

/* Standard errors of clients that were wrong, at most this many, are shown. */
#define MOST_SHOWN 5

/* Most clients at once: as --jobs allows. */
#define MOST_LANES 256

/* A server, and how the client ended that it had. */
struct lane {
	struct retort *server;
	bool again;        /* it gets the whole reply once more */
	char fault[64];    /* "": the whole reply */
	int time;          /* that the client may take: ms */
	char refused[80];  /* why TLS failed; "": it did not */
	struct trial last; /* except for the whole reply, given again */
};

struct sweep {
	const struct args *args;
	struct told_file ca;
	volatile struct signals *signals;
	struct runner runners[MOST_LANES]; /* of the lanes */
	struct lane *lanes;
	size_t lane_count;
	const struct lane *ended; /* its client was the last to end */
	struct printed whole;     /* what was printed for the whole reply, */
	bool known;               /* once it was given */
	int slowest;              /* ms */
	unsigned crashes;
	unsigned late;
	int failure; /* COMMAND could not be run: its status */
	struct progress progress;
	struct swept swept;
	FILE *report; /* NULL */
};

/* Says what became of a client, on a line of its own where progress is
   shown. */
static void
tell(const struct sweep *sweep, const char *fault, const char *what, int number,
	const char *unit)
{
	progress_clear(&sweep->progress);
	(void)fprintf(stderr, "retort: %s: COMMAND %s %d%s\n",
		fault ? fault : "the whole reply", what, number, unit);
}

static size_t
kept(const struct printed *printed)
{
	return printed->size < TRIAL_KEPT ? (size_t)printed->size : TRIAL_KEPT;
}

/* The time that the next client may take. */
static int
patience(const struct sweep *sweep)
{
	int less = sweep->late > 0 ? 2 : 1;
	int time = (PATIENCE_MORE + PATIENCE * sweep->slowest) / less;

	return sweep->known && time < SWEEP_TIME ? time : SWEEP_TIME;
}

/* Judges the first client, which gets the whole reply: keeps its output, and
   says why it failed. 0, or -ENOEXEC: it could not be run. */
static int
judge_whole(struct sweep *sweep, const struct trial *trial)
{
	if (sweep->known)
		return 0;
	sweep->known = true;
	sweep->whole = trial->output;
	if (trial->status == 0)
		return 0;
	escape_lines(stderr, trial->errors.bytes, kept(&trial->errors), "");
	/* later on it is an answer of its own */
	if (trial->status == 126 || trial->status == 127) {
		sweep->failure = trial->status;
		return -ENOEXEC;
	}
	if (trial->signal == 0)
		tell(sweep, NULL, "ended with status", trial->status, "");
	return 0;
}

/* Says what a client took the reply for, by how it ended: as a retort_client
   does. */
static int
judge_client(struct sweep *sweep, const struct lane *lane,
	const struct trial *trial)
{
	const char *fault = *lane->fault ? lane->fault : NULL;
	int code = 0;

	if (sweep->signals->count > 0)
		return -EINTR;
	if (!trial->ended) {
		tell(sweep, fault, "did not end within", lane->time, " ms");
		sweep->late++;
		return 0;
	}
	if (trial->took > sweep->slowest)
		sweep->slowest = trial->took;
	if (fault == NULL)
		code = judge_whole(sweep, trial);
	if (trial->signal != 0) {
		tell(sweep, fault, "was ended by signal", trial->signal, "");
		sweep->crashes++;
	}
	if (code < 0 || trial->status != 0)
		return code;
	return printed_same(&trial->output, &sweep->whole) ? 1 : 2;
}

/* A retort_client. */
static int
begin_client(void *arg, const char *url, const char *fault)
{
	struct sweep *sweep = arg;
	size_t place = 0;
	struct lane *lane;
	int code;

	if (sweep->signals->count > 0)
		return -EINTR;
	if (sweep->late >= MOST_LATE)
		return -ETIMEDOUT;
	while (strcmp(retort_url(sweep->lanes[place].server), url) != 0)
		place++;
	lane = sweep->lanes + place;
	lane->again = fault == NULL && sweep->known;
	lane->time = patience(sweep);
	(void)snprintf(lane->fault, sizeof lane->fault, "%s",
		fault ? fault : "");
	code = runner_begin(sweep->runners + place, url, sweep->ca.name,
		lane->time);
	return code < 0 ? code : RETORT_BEGUN;
}

/* A retort_ended_fn. */
static int
end_client(void *arg, const char **url)
{
	struct sweep *sweep = arg;
	struct trial trial;
	int place = runners_wait(sweep->runners, sweep->lane_count,
		&sweep->signals->count, &trial);
	struct lane *lane;

	if (place < 0)
		return place;
	lane = sweep->lanes + place;
	sweep->ended = lane;
	*url = retort_url(lane->server);
	if (!lane->again)
		lane->last = trial;
	return judge_client(sweep, lane, &trial);
}

/* --- what becomes of a reply --- */

static struct swept_text
keep_text(const struct printed *printed)
{
	struct swept_text text = {.kept = kept(printed), .size = printed->size};

	text.bytes = malloc(text.kept + 1);
	if (text.bytes == NULL)
		args_die(EXIT_OWN, "%s", strerror(ENOMEM));
	memcpy(text.bytes, printed->bytes, text.kept);
	return text;
}

/* Keeps the reply, of which the first point tells. */
static void
keep_reply(struct swept *swept, const struct retort_sweep_point *point)
{
	swept->head = point->head;
	swept->size = point->size;
	swept->all = point->all;
	swept->byte_count = point->byte_count;
	swept->bytes = malloc(point->byte_count + 1);
	swept->points = calloc(point->all, sizeof *swept->points);
	if (swept->bytes == NULL || swept->points == NULL)
		args_die(EXIT_OWN, "%s", strerror(ENOMEM));
	if (point->byte_count > 0)
		memcpy(swept->bytes, point->bytes, point->byte_count);
}

static void
keep_point(struct sweep *sweep, const struct retort_sweep_point *point)
{
	const struct trial *trial = &sweep->ended->last;
	struct swept_point kept = {
		.is_cut = strncmp(point->way, "cut", 3) == 0,
		.is_placed = strchr(point->way, 'N') != NULL &&
			strstr(point->way, "wire") == NULL,
		.tried = true,
		.at = point->at,
		.taken = point->taken,
		.wrong = point->wrong,
		.late = !trial->ended,
		.status = trial->status,
		.signal = trial->signal,
		.took = trial->took,
		.other = !printed_same(&trial->output, &sweep->whole),
	};

	(void)snprintf(kept.way, sizeof kept.way, "%s", point->way);
	(void)snprintf(kept.fault, sizeof kept.fault, "%s",
		point->fault ? point->fault : "");
	if (kept.wrong || sweep->report != NULL) {
		kept.output = keep_text(&trial->output);
		kept.errors = keep_text(&trial->errors);
	}
	sweep->swept.points[point->number] = kept;
	sweep->progress.wrong += kept.is_cut && kept.wrong;
}

static void
take_point(void *arg, const struct retort_sweep_point *point)
{
	struct sweep *sweep = arg;

	if (sweep->swept.points == NULL)
		keep_reply(&sweep->swept, point);
	keep_point(sweep, point);
	progress_tell(&sweep->progress, clock_ms(), point->done, point->all);
}

/* Shows what the first clients that were wrong wrote to standard error. */
static void
show_wrong(const struct sweep *sweep)
{
	const struct swept *swept = &sweep->swept;
	size_t told = 0;

	for (size_t i = 1; i < swept->count; i++) {
		const struct swept_point *point = swept->points + i;

		if (!point->wrong || point->errors.size == 0 ||
			told++ >= MOST_SHOWN)
			continue;
		(void)fprintf(stderr, "retort: %s: COMMAND said:\n",
			point->fault);
		escape_lines(stderr, point->errors.bytes, point->errors.kept,
			"  ");
	}
	if (told > MOST_SHOWN)
		(void)fprintf(stderr, "retort: and so %zu times more\n",
			told - MOST_SHOWN);
}

/* Writes the report in the format that its name says, which args_read_report()
   has checked. */
static void
write_report(struct sweep *sweep)
{
	static const struct {
		const char *end;
		void (*write)(FILE *file, const struct swept *swept);
	} formats[] = {
		{".html", swept_write_html},
		{".json", swept_write_json},
		{".xml", swept_write_xml},
	};
	size_t i = 0;

	if (sweep->report == NULL)
		return;
	while (strcmp(strrchr(sweep->args->report, '.'), formats[i].end) != 0)
		i++;
	formats[i].write(sweep->report, &sweep->swept);
	show_close_report(sweep->args, sweep->report);
}

/* --- servers and their CAs --- */

/* The event callback of a lane. */
static void
note_refusal(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct lane *lane = arg;

	(void)bytes;
	(void)size;
	if (event == RETORT_ON_END && exchange->tls_error != NULL)
		(void)snprintf(lane->refused, sizeof lane->refused, "%s",
			exchange->tls_error);
}

static struct retort *
open_server(const struct args *args, struct lane *lane, const char *cert_fault)
{
	struct retort_options options = args->options;

	options.unrecorded = true;
	if (options.tls) {
		options.event = note_refusal;
		options.event_arg = lane;
	}
	if (cert_fault != NULL)
		options.tls_cert_fault = cert_fault;
	return start_open(args, options);
}

/* Joins the CAs of all servers; NULL: there are none. The caller frees it. */
static char *
join_cas(const struct sweep *sweep)
{
	size_t size = 0, used = 0;
	char *all;

	for (size_t i = 0; i < sweep->lane_count; i++) {
		const char *ca = retort_ca(sweep->lanes[i].server);

		size += ca != NULL ? strlen(ca) : 0;
	}
	if (size == 0)
		return NULL;
	all = malloc(size + 1);
	if (all == NULL)
		args_die(EXIT_OWN, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < sweep->lane_count; i++) {
		const char *ca = retort_ca(sweep->lanes[i].server);

		size = ca != NULL ? strlen(ca) : 0;
		memcpy(all + used, ca != NULL ? ca : "", size);
		used += size;
	}
	all[used] = '\0';
	return all;
}

/* Writes the CAs into a file, for each COMMAND to trust the servers. */
static void
write_ca(struct sweep *sweep)
{
	struct told_file *ca = &sweep->ca;
	char *text = join_cas(sweep);
	int code = 0;

	if (ca->name == NULL)
		code = told_file_begin(ca, sweep->args->ca_file);
	if (code == 0 && text != NULL)
		code = told_file_name(ca);
	if (code == 0 && text != NULL)
		code = told_file_write(ca, text, sweep->signals);
	free(text);
	if (code < 0)
		args_die(EXIT_OWN, "--tls-ca %s: %s", ca->name ? ca->name : "",
			strerror(-code));
}

/* --- the end --- */

static bool
has_url(char *const *command)
{
	while (*command != NULL && strstr(*command, "{url}") == NULL)
		command++;
	return *command != NULL;
}

/* Ends the clients, says the last words, and returns the exit status. */
static int
conclude(struct sweep *sweep, int wrong, const char *report, const char *error)
{
	runners_close(sweep->runners, sweep->lane_count);
	if (sweep->failure != 0)
		return sweep->failure;
	args_print(report ? report : "");
	if (sweep->signals->count > 0)
		return 128 + (int)sweep->signals->last;
	if (wrong == -ETIMEDOUT) {
		(void)fprintf(stderr,
			"retort: the sweep ends early: %s; if it tries "
			"again, turn that off (wget --tries=1)\n",
			too_late);
		return EXIT_FAILURE;
	}
	if (wrong < 0)
		args_die(wrong == -EINVAL ? EXIT_USAGE : EXIT_OWN, "%s%s%s%s",
			strncmp(error, "at: ", 4) == 0 ? "--" : "", error,
			wrong == -ENOTCONN ? " to {url}, or RETORT_URL" : "",
			wrong == -ENOTCONN && !has_url(sweep->args->command) ?
				" (no word of COMMAND has {url})" :
				"");
	return wrong > 0 || sweep->crashes > 0 || sweep->late > 0 ?
		EXIT_FAILURE :
		EXIT_SUCCESS;
}

/* Says so if COMMAND may not trust the server, after it did not take the whole
   reply. The server has yet to read the last of it. */
static void
say_distrust(const struct sweep *sweep)
{
	const struct lane *lane = sweep->lanes;
	char line[TRUST_LINE];

	retort_stop(lane->server, 100);
	(void)retort_wait_end(lane->server, NULL, -1);
	if (trust_line(sweep->args, lane->server, lane->refused, line))
		(void)fprintf(stderr, "retort: %s\n", line);
}

/* --- certificates --- */

/* Bytes of the table of all. */
#define REPORT_SIZE 2048

/* Whether COMMAND takes the reply of a server with it; < 0: -errno. */
static int
try_certificate(struct sweep *sweep, const char *fault, char *error)
{
	struct retort_reply reply = sweep->args->reply;
	const char *url;
	int taken;

	reply.server = open_server(sweep->args, sweep->lanes, fault);
	reply.error = error;
	sweep->lanes->server = reply.server;
	write_ca(sweep);
	taken = retort_answer_sized(&reply, sizeof reply);
	if (taken == 0)
		taken = begin_client(sweep, retort_url(reply.server), fault);
	if (taken == RETORT_BEGUN)
		taken = end_client(sweep, &url);
	if (taken >= 0 && retort_stats(reply.server).accepted == 0) {
		(void)snprintf(error, RETORT_ERROR_SIZE,
			"%s: the client did not connect",
			fault ? fault : "the right certificate");
		taken = -ENOTCONN;
	}
	if (taken == 0 && fault == NULL)
		say_distrust(sweep);
	retort_close(reply.server);
	return taken;
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
	} while (args_next_word(&words, fault));
	return wrong;
}

static int
sweep_certificates(struct sweep *sweep)
{
	char error[RETORT_ERROR_SIZE] = "", report[REPORT_SIZE] = "";
	int wrong = try_certificates(sweep, report, error);

	told_file_end(&sweep->ca);
	return conclude(sweep, wrong, report, error);
}

/* --- one reply --- */

/* Starts a server for each lane, with the reply. 0 or -errno. */
static int
start_lanes(struct sweep *sweep, char *error)
{
	struct retort_reply reply = sweep->args->reply;
	int code = 0;

	reply.error = error;
	for (size_t i = 0; code == 0 && i < sweep->lane_count; i++) {
		reply.server = open_server(sweep->args, sweep->lanes + i, NULL);
		sweep->lanes[i].server = reply.server;
		code = retort_answer_sized(&reply, sizeof reply);
	}
	return code;
}

/* Sweeps; returns as retort_sweep(). The caller frees the report. */
static int
run_sweep(struct sweep *sweep, char **report, char *error)
{
	struct retort *more[MOST_LANES] = {NULL};

	for (size_t i = 1; i < sweep->lane_count; i++)
		more[i - 1] = sweep->lanes[i].server;
	return retort_sweep(sweep->lanes->server, begin_client,
		.client_arg = sweep, .report = report, .error = error,
		.at = sweep->args->at, .point = take_point, .more = more,
		.ended = end_client);
}

/* Sweeps one reply; the exit status. */
static int
sweep_reply(struct sweep *sweep)
{
	char error[RETORT_ERROR_SIZE] = "", *report = NULL;
	int wrong = start_lanes(sweep, error);

	if (wrong == 0) {
		sweep->report = show_open_report(sweep->args);
		write_ca(sweep);
		wrong = run_sweep(sweep, &report, error);
	}
	progress_clear(&sweep->progress);
	if (sweep->swept.points != NULL && sweep->swept.points->wrong)
		say_distrust(sweep);
	for (size_t i = 0; i < sweep->lane_count; i++)
		retort_close(sweep->lanes[i].server);
	told_file_end(&sweep->ca);
	swept_close_up(&sweep->swept);
	show_wrong(sweep);
	if (wrong < 0 && sweep->signals->count == 0)
		sweep->swept.error = sweep->failure != 0 ?
			"COMMAND cannot be run" :
			wrong == -ETIMEDOUT ? too_late :
					      error;
	write_report(sweep);
	wrong = conclude(sweep, wrong, report, error);
	free(report);
	swept_free(&sweep->swept);
	return wrong;
}

/* --- the whole of it --- */

/* The number of lanes. An address that was given is for one server. */
static size_t
count_lanes(const struct args *args)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (args->jobs > 0)
		return args->jobs;
	if (args->certs || args->bind != NULL || args->options.port != 0 ||
		cores < 1)
		return 1;
	return cores < MOST_LANES ? (size_t)cores : MOST_LANES;
}

/* Opens the lanes, and forks their runners: there are no threads yet. */
static void
open_lanes(struct sweep *sweep)
{
	struct trials trials = {.command = sweep->args->command,
		.before = sweep->signals->before,
		.stop = &sweep->signals->count};
	sigset_t child;
	int code;

	sweep->lane_count = count_lanes(sweep->args);
	sweep->lanes = calloc(sweep->lane_count, sizeof *sweep->lanes);
	if (sweep->lanes == NULL)
		args_die(EXIT_OWN, "%s", strerror(ENOMEM));
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	code = runners_open(sweep->runners, sweep->lane_count, &trials);
	if (code < 0)
		args_die(EXIT_OWN, "a temporary file: %s", strerror(-code));
}

int
sweep_command(const struct args *args, volatile struct signals *signals)
{
	struct sweep sweep = {
		.args = args,
		.signals = signals,
		.progress = {.began = clock_ms()},
		.swept = {.version = retort_version(),
			.command = args->command},
	};
	int status;

	if (!args->no_progress &&
		(args->progress || isatty(STDERR_FILENO) == 1))
		sweep.progress.file = stderr;
	open_lanes(&sweep);
	status = args->certs ? sweep_certificates(&sweep) : sweep_reply(&sweep);
	free(sweep.lanes);
	return status;
}
