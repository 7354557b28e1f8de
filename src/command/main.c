/* SPDX-License-Identifier: MIT */
/*
 * The command: starts a server as args/ read it, says where it is, and runs
 * it until something tells it to stop.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args/args.h"
#include "command/announce.h"
#include "command/reload.h"
#include "command/run.h"
#include "command/sandbox.h"
#include "command/show.h"
#include "command/signals.h"
#include "command/start.h"
#include "command/sweep.h"
#include "command/told_file.h"
#include "command/watch.h"
#include "inspect/inspect.h"
#include "job/clock.h"
#include "retort.h"
#include "show/color.h"
#include "talk/control.h"
#include "talk/output.h"
#include "talk/prompt.h"
#include "talk/sink.h"

/* Whether there is no listener, and the clients passed in have left. */
static bool
nobody_can_come(struct retort *server)
{
	return retort_url(server) == NULL &&
		retort_stats(server).connections == 0;
}

/* Serves until something says to stop, and then until it has stopped; the exit
   status. */
static int
serve(const struct args *args, struct watch *watch, struct reload *reload,
	volatile struct signals *signals)
{
	struct retort *server = watch->output->server;
	struct output *output = watch->output;
	int64_t end = clock_end(args->lifetime);
	int step = 0, left = -1;

	sandbox_enter(args, output);
	while (step == 0 && signals->count == 0 && !nobody_can_come(server) &&
		!watch_over(watch) && (left = clock_left(end)) != 0)
		step = watch_step(watch,
			clock_sooner(left,
				reload_look(reload, server, output)));
	if (step == 0)
		retort_stop(server, args->grace);
	while (step == 0 && signals->count < 2) {
		step = retort_step(server, output_timeout(output, -1));
		output_step(output);
	}
	if (step < 0) {
		output_say(output, "%s", strerror(-step));
		return EXIT_FAILURE;
	}
	if (left == 0 && retort_stats(server).replies < args->options.requests)
		return EXIT_LIFETIME;
	return output_judge(output) ? EXIT_UNMET : EXIT_SUCCESS;
}

/* Call this before the URL is written. */
static struct control *
open_control(const struct args *args, struct retort *server)
{
	char error[RETORT_ERROR_SIZE];
	struct control *control = NULL;

	if (args->control == NULL)
		return NULL;
	control = control_open(server, args->control, error);
	if (control == NULL)
		args_die(start_status(args, errno), "--control: %s", error);
	return control;
}

/* The format of log lines: at a terminal in columns, unless one was chosen. */
static enum retort_log
log_format(const struct args *args)
{
	if (args->log_chosen || isatty(STDERR_FILENO) != 1)
		return args->log_format;
	return color_wanted(STDERR_FILENO) ? RETORT_LOG_COLORED :
					     RETORT_LOG_COLUMNS;
}

/* The page of --inspect. */
static struct inspect *
open_inspect(const struct args *args, struct retort *server)
{
	char error[RETORT_ERROR_SIZE];
	struct inspect *inspect;

	if (!args->inspect)
		return NULL;
	inspect = inspect_open(error);
	if (inspect == NULL)
		args_die(start_status(args, errno), "--inspect: %s", error);
	inspect_show(inspect, server);
	return inspect;
}

/* Makes a folder, unless there is one. False, with errno: it cannot. */
static bool
make_folder(const char *name)
{
	struct stat status;

	if (mkdir(name, 0777) == 0)
		return true;
	if (errno != EEXIST || stat(name, &status) < 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(status.st_mode);
}

static void
open_output(struct args *args, struct output *output)
{
	*output = (struct output){.sink = {STDERR_FILENO, SINK_SHARED},
		.log = args->log,
		.format = log_format(args),
		.verbose = args->verbose,
		.recorded = !args->options.unrecorded,
		.report = args->report,
		.transcripts = {.dir = args->transcripts, .fd = -1}};
	if (args->transcripts != NULL && !make_folder(args->transcripts))
		args_die(EXIT_USAGE, "--transcript %s: %s", args->transcripts,
			strerror(errno));
	if (output->log || output->verbose > 0 || args->transcripts != NULL ||
		args->inspect ||
		(args->mode == MODE_RUN && args->options.tls)) {
		args->options.event = output_event;
		args->options.event_arg = output;
	}
}

/* Gives the output its server, and what depends on it. */
static void
attach_output(const struct args *args, struct output *output,
	struct retort *server)
{
	output->server = server;
	output->sink = sink_open(STDERR_FILENO);
	/* run judges, whatever is expected, what nothing answered */
	output->judged = args->control != NULL ||
		(args->mode == MODE_RUN ?
				args->scenario != NULL :
				retort_stats(server).expectations > 0);
	output->inspect = open_inspect(args, server);
}

/* Says what has failed, if `code` is not 0; returns 0, or then `status`. */
static int
blame(const char *option, const char *name, int code, int status)
{
	if (code == 0)
		return 0;
	(void)fprintf(stderr, "retort: %s%s: %s\n", option, name,
		strerror(-code));
	return status;
}

/* Says where it listens; 0, or the exit status. */
static int
tell_where(const struct args *args, const struct output *output,
	struct told_file *ports, struct told_file *ca,
	const volatile struct signals *signals)
{
	struct retort *server = output->server;
	/* with run, standard output is COMMAND's */
	const bool serves = args->mode == MODE_SERVE;
	const char *text = retort_ca(server);
	int status = blame("--tls-ca ", ca->name,
		text != NULL ? told_file_write(ca, text, signals) : 0,
		EXIT_USAGE);

	if (status == 0)
		status = blame("--port-file ", args->port_file,
			announce_ports(server, ports, signals),
			!told_file_is_output(ports) ? EXIT_USAGE :
				serves              ? EXIT_FAILURE :
						      EXIT_OWN);
	if (status == 0 && serves)
		status = blame("standard output", "", announce(server, ports),
			EXIT_FAILURE);
	if (status != 0)
		return status;
	if (serves &&
		(args->control == NULL || strcmp(args->control, "-") != 0))
		announce_end();
	if (output->inspect != NULL)
		(void)fprintf(stderr, "retort: requests are shown at %s\n",
			inspect_url(output->inspect));
	announce_ready();
	return 0;
}

static void
begin_file(struct told_file *file, const char *option, const char *name)
{
	int code = told_file_begin(file, name);

	if (code < 0)
		args_die(EXIT_USAGE, "%s %s: %s", option, name,
			strerror(-code));
}

/* Names a file for the CA, which COMMAND needs, even without --tls-ca. */
static void
name_ca(struct told_file *ca, struct retort *server, enum mode mode)
{
	int code = retort_ca(server) == NULL || mode == MODE_SERVE ?
		0 :
		told_file_name(ca);

	if (code < 0)
		args_die(EXIT_OWN, "a file for the CA: %s", strerror(-code));
}

/* retort, and retort run: begins and ends all that serving needs; the exit
   status. */
static int
serve_command(struct args *args, pid_t ppid, volatile struct signals *signals)
{
	static struct output output;
	static struct prompt prompt;
	struct told_file ports, ca;
	struct reload reload;
	struct watch watch;
	struct retort *server;
	int status;

	open_output(args, &output);
	if (args->mode == MODE_SERVE)
		start_passed(args);
	begin_file(&ports, "--port-file", args->port_file);
	begin_file(&ca, "--tls-ca", args->ca_file);
	reload_begin(&reload, args);
	server = start_server(args, &prompt);
	name_ca(&ca, server, args->mode);
	signals_wake(server);
	attach_output(args, &output, server);
	watch = watch_open(args, ppid, &output, args->prompt ? &prompt : NULL,
		open_control(args, server));
	status = tell_where(args, &output, &ports, &ca, signals);
	if (status == 0)
		status = args->mode == MODE_RUN ?
			run_command(args, &watch, ca.name, signals) :
			serve(args, &watch, &reload, signals);
	watch_close(&watch);
	free(prompt.waiting);
	told_file_end(&ports);
	told_file_end(&ca);
	signals_wake(NULL);
	inspect_close(output.inspect);
	output.inspect = NULL;
	retort_close(server);
	output_finish(&output);
	sink_close(&output.sink);
	return status;
}

int
main(int argc, char **argv)
{
	static struct args args;
	volatile struct signals *signals;
	pid_t ppid = getppid();

	start_standard_descriptors();
	args_read(&args, argc, argv, sandbox_version());
	if (args.mode == MODE_SHOW)
		return show_command(&args);
	signals = signals_catch(args.mode);
	start_descriptor_limit();
	return args.mode == MODE_SWEEP ? sweep_command(&args, signals) :
					 serve_command(&args, ppid, signals);
}
