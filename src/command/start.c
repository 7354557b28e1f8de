/* SPDX-License-Identifier: MIT */
/* Called by main.c. */
#include "config.h"

#include "command/start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/setup.h"
#include "show/escape.h"

/* A line that says what is wrong with an option; `code`. */
static int
blame(char *error, int code, const char *option, const char *why)
{
	char line[RETORT_ERROR_SIZE];

	/* it may quote a file, or words of others */
	show_line(line, sizeof line, why);
	(void)snprintf(error, RETORT_ERROR_SIZE, "%s%.220s", option, line);
	return code;
}

/* The rules before those of a scenario; 0 or -errno. */
static int
set_rules(struct retort *server, const struct args *args, struct prompt *prompt,
	char *error)
{
	char why[RETORT_ERROR_SIZE];
	int code = 0;

	if (args->prompt)
		code = retort_on(server, NULL, .handler = prompt_handler,
			.handler_arg = prompt, .error = why);
	return code < 0 ? blame(error, code, "--prompt: ", why) : 0;
}

/* The same of a reply, of which --body is what can be wrong, if it is filled in
   or is no HTTP. */
static int
blame_reply(const struct args *args, char *error, int code, const char *why)
{
	static const char member[] = "body: ";

	if (args->options.protocol == RETORT_HTTP && !args->reply.fill)
		return blame(error, code, "", why);
	if (strncmp(why, member, sizeof member - 1) == 0)
		why += sizeof member - 1;
	return blame(error, code, "--body: ", why);
}

/* The one reply; 0 or -errno. */
static int
set_reply(struct retort *server, const struct args *args, char *error)
{
	struct retort_reply reply = args->reply;
	char why[RETORT_ERROR_SIZE];
	int code;

	reply.server = server;
	reply.error = why;
	code = retort_answer_sized(&reply, sizeof reply);
	if (code < 0)
		return blame_reply(args, error, code, why);
	reply.faults = args->faults;
	if (reply.faults != NULL)
		code = retort_answer_sized(&reply, sizeof reply);
	return code < 0 ? blame(error, code, "--fault: ", why) : 0;
}

/* Sets the answer for when no rule fits; 0 or -errno. */
static int
set_answer(struct retort *server, const struct args *args, char *error)
{
	struct retort_files files = args->files;
	char why[RETORT_ERROR_SIZE];
	int code;

	if (args->canned)
		return set_reply(server, args, error);
	if (args->root == NULL)
		return 0;
	files.server = server;
	files.root = args->root;
	files.error = why;
	code = retort_serve_sized(&files, sizeof files);
	files.faults = args->faults;
	if (code == 0 && files.faults != NULL) {
		code = retort_serve_sized(&files, sizeof files);
		return code < 0 ? blame(error, code, "--fault: ", why) : 0;
	}
	if (code == 0)
		return 0;
	(void)strncat(why, args->root_hint, sizeof why - 1 - strlen(why));
	/* these are called as their options are */
	return blame(error, code,
		strncmp(why, "spa '", 5) == 0 ||
				strncmp(why, "prefix '", 8) == 0 ?
			"--" :
			"",
		why);
}

static int
load_scenario(struct retort *server, const struct args *args, char *error)
{
	char *notices = NULL;
	char why[RETORT_ERROR_SIZE];
	const struct retort_scenario scenario = {
		.server = server,
		.file = args->scenario_text ? NULL : args->scenario,
		.text = args->scenario_text,
		.size = retort_size(args->scenario_size),
		.name = "stdin",
		.notices = args->notices ? &notices : NULL,
		.error = why,
	};
	int code = retort_load_sized(&scenario, sizeof scenario);

	if (code < 0)
		return blame(error, code, "--scenario ", why);
	if (notices != NULL)
		show_lines(stderr, notices, strlen(notices), "");
	free(notices);
	return 0;
}

/* Clients that were passed in; 0 or -errno. */
static int
adopt(struct retort *server, const struct args *args, char *error)
{
	for (size_t i = 0; i < args->connected_count; i++) {
		const char *address = args->connected[i];
		int code = retort_adopt(server, setup_fd(address));

		if (code < 0) {
			(void)snprintf(error, RETORT_ERROR_SIZE,
				"--bind %s: %s", address, strerror(-code));
			return code;
		}
	}
	return 0;
}

struct retort *
start_server(const struct args *args, struct prompt *prompt)
{
	char error[RETORT_ERROR_SIZE];
	struct retort_options options = args->options;
	struct retort *server;
	int code;

	options.stepped = true;
	options.error = error;
	server = setup_server(args, options);
	if (server == NULL)
		setup_fail(args, errno, error);
	code = set_rules(server, args, prompt, error);
	if (code == 0)
		code = set_answer(server, args, error);
	if (code == 0 && args->scenario != NULL)
		code = load_scenario(server, args, error);
	if (code == 0)
		code = adopt(server, args, error);
	if (code < 0) {
		retort_close(server);
		/* what is wrong is an operand, not an address */
		args_die(code == -ENOMEM ? setup_status(args, ENOMEM) :
					   EXIT_USAGE,
			"%s", error);
	}
	if (args->files.follow_links && args->root != NULL)
		(void)fprintf(stderr,
			"retort: links in %s are followed, out of it too\n",
			args->root);
	return server;
}
