/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/show.h"
#include "job/child.h"
#include "job/clock.h"
#include "job/trust.h"
#include "retort.h"
#include "talk/output.h"

static void
forward(struct child *child, volatile struct signals *signals)
{
	for (size_t i = 0; i < CHILD_SIGNALS; i++)
		if (signals->came[i]) {
			signals->came[i] = 0;
			child_signal(child, child_signal_numbers[i]);
		}
}

/* Serves until COMMAND ends or the lifetime is over, and passes signals on to
   COMMAND. 0, EXIT_LIFETIME, or EXIT_OWN. */
static int
serve_child(const struct args *args, struct watch *watch, struct child *child,
	volatile struct signals *signals)
{
	int64_t end = clock_end(args->lifetime);
	int step = 0;

	while (step >= 0 && !child_ended(child)) {
		int left = clock_left(end);

		forward(child, signals);
		if (left == 0)
			return EXIT_LIFETIME;
		/* when `requests` is reached, COMMAND may go on alone */
		if (step > 0) {
			(void)child_wait(child, CHILD_INTERVAL);
			continue;
		}
		if (watch_over(watch))
			retort_stop(watch->output->server, args->grace);
		step = watch_step(watch, left);
		if (step > 0)
			watch_close(watch);
	}
	return step < 0 ? EXIT_OWN : 0;
}

/* Says that no request arrived, if none did: a wrong URL makes a long verdict
   for one reason. */
static void
say_silence(const struct args *args, struct retort *server,
	struct output *output)
{
	bool http = args->options.protocol == RETORT_HTTP;

	if (retort_record(server, 1) != NULL)
		return;
	if (args->options.protocol == RETORT_UDP)
		output_say(output, "%s sent nothing to %s", args->command[0],
			retort_url(server));
	else if (retort_stats(server).accepted == 0)
		output_say(output, "%s never connected to %s", args->command[0],
			retort_url(server));
	else
		output_say(output, "%s connected, and sent %s",
			args->command[0], http ? "no request" : "nothing");
}

int
run_command(const struct args *args, struct watch *watch, const char *ca,
	volatile struct signals *signals)
{
	struct retort *server = watch->output->server;
	struct output *output = watch->output;
	FILE *report = show_open_report(args);
	struct child child;
	char line[TRUST_LINE];
	int code = 0, status;

	if (args->control != NULL &&
		setenv("RETORT_CONTROL", args->control, 1) < 0)
		code = -ENOMEM;
	if (code == 0)
		code = child_start(&child, args->command, retort_url(server),
			ca, signals->before, NULL);
	if (code < 0) {
		(void)fprintf(stderr, "retort: %s: %s\n", args->command[0],
			strerror(-code));
		return EXIT_OWN;
	}
	status = serve_child(args, watch, &child, signals);
	if (status == 0)
		status = child.status;
	child_end(&child, args->grace);
	retort_stop(server, args->grace);
	(void)retort_wait_end(server, NULL, -1);
	output_finish(output);
	if (output_judge(output)) {
		say_silence(args, server, output);
		if (status == 0)
			status = EXIT_UNMET;
	} else if (status != 0) {
		if (trust_line(args, server, output->refused, line))
			output_say(output, "%s", line);
		/* one that did not run, or was killed, is no riddle */
		else if (status < EXIT_OWN &&
			retort_stats(server).accepted == 0)
			say_silence(args, server, output);
	}
	show_report(args, report, server,
		output->judged ? retort_verdict(server) : "");
	return status;
}
