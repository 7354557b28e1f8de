/* SPDX-License-Identifier: MIT */
/* What all options together amount to, and notices of what is hardly meant. */
#include "config.h"

#include "args/args_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LISTEN_FD 3 /* sd_listen_fds(3) */

/* How long a client may be silent between requests or pieces, unless told:
   ms. */
#define KEPT_IDLE 15000
#define PLAIN_IDLE 600000

/* Reads the value of --body: TEXT, @FILE or @-. */
static void
read_body(struct args *args, const char *text)
{
	struct retort_reply *reply = &args->reply;

	reply->body = text;
	reply->body_size = strlen(text);
	if (text[0] == '@')
		args_read_file(args, "--body", text + 1, &reply->body,
			&reply->body_size);
}

/* Takes standard input for this option; it can be for one alone. */
static void
take_input(struct args *args, const struct given *given, const char *option)
{
	const char *reader =
		args->mode == MODE_RUN ? "COMMAND" : args->stdin_used;

	if (reader != NULL && strcmp(reader, option) != 0)
		args_die(EXIT_USAGE, "%s: standard input is read by %s", option,
			reader);
	for (size_t i = 0; i < given->bind_count; i++)
		if (strcmp(given->bind[i], "fd:0") == 0)
			args_die(EXIT_USAGE,
				"%s and --bind fd:0 exclude each other",
				option);
	args->stdin_used = option;
}

/* Reads answers that are typed: their author has to see what arrives. */
static void
read_prompt(struct args *args, const struct given *given)
{
	take_input(args, given, "--prompt");
	args->verbose += args->verbose == 0 && args->log;
}

static void
read_plain(struct args *args, const struct given *given)
{
	/* what no rule of a scenario answers must not look answered */
	args->canned = args->reply.echo || given->body || args->prompt ||
		!args_has_rules(args);
	if (given->body != NULL)
		read_body(args, given->body);
	if (args->prompt)
		read_prompt(args, given);
}

/* The media type of a body: that of a file by its name, if it has an extension;
   otherwise by what the bytes look like. */
static const char *
type_of(const char *option, const struct retort_reply *reply)
{
	const char *name = option + 1, *slash = strrchr(name, '/');

	if (option[0] == '@' && strchr(slash ? slash : name, '.') != NULL)
		return retort_type_of(name);
	return args_guess_type(reply->body, reply->body_size);
}

static void
read_reply(struct args *args, const struct given *given)
{
	struct retort_reply *reply = &args->reply;

	args->canned = reply->status || given->body || reply->type ||
		given->raw || reply->echo || reply->fill;
	if (given->raw != NULL) {
		reply->raw = true;
		args_read_file(args, "--raw", args_file_name(given->raw),
			&reply->body, &reply->body_size);
	} else if (given->body != NULL) {
		read_body(args, given->body);
		if (reply->type == NULL)
			reply->type = type_of(given->body, reply);
	}
	if ((reply->status == 204 || reply->status == 304) && given->body &&
		given->faults == NULL)
		args_die(EXIT_USAGE,
			"--status %d allows no body: leave out --body",
			reply->status);
}

/* Adds the sockets that were handed over: descriptors from 3 on, if LISTEN_PID
   is this process. */
static void
read_listen_fds(struct given *given)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	uint64_t count;

	if (pid == NULL || fds == NULL ||
		strtoll(pid, NULL, 10) != (long long)getpid())
		return;
	count = args_number("LISTEN_FDS", fds, 0, 1000);
	if (count > 0 && args_is_given(given, "port"))
		args_die(EXIT_USAGE,
			"--port and LISTEN_FDS exclude each other");
	for (uint64_t i = 0; i < count; i++) {
		char *spec = args_must(malloc(32));

		(void)snprintf(spec, 32, "fd:%llu",
			(unsigned long long)(FIRST_LISTEN_FD + i));
		args_add_text(&given->bind, &given->bind_count, spec);
	}
}

static bool
is_socket(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 ||
		strncmp(address, "fd:", 3) == 0;
}

/* Whether --port does not apply to the address: it names a port, or can have
   none. Text that is no port is refused when it is bound. */
static bool
has_own_port(const char *address)
{
	const char *bracket = strchr(address, ']');
	const char *colon = strchr(bracket ? bracket : address, ':');

	return is_socket(address) ||
		(colon != NULL && colon[1] != '\0' &&
			colon[1 + strspn(colon + 1, "0123456789")] == '\0');
}

static void
check_port(const struct given *given)
{
	const char *const *bind = given->bind;
	size_t i = 0;

	while (i < given->bind_count && has_own_port(bind[i]))
		i++;
	if (args_is_given(given, "port") && i > 0 && i == given->bind_count)
		args_die(EXIT_USAGE,
			"--port applies to no address: --bind %.100s has %s",
			bind[0],
			is_socket(bind[0]) ? "no port" : "a port of its own");
}

/* Gives the reply of a sweep a body, unless it has one or can have none. */
static void
set_sweep(struct given *given)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	const int status = given->args.reply.status;

	if (given->raw == NULL && given->body == NULL && status != 204 &&
		status != 304)
		given->body = letters;
}

/* Sets the options of servers that are for one command or test, and not for
   people to look at. */
static void
set_mode(struct args *args, const struct given *given)
{
	if (args->mode == MODE_SERVE && args->control == NULL)
		return;
	if (!args_is_given(given, "port"))
		args->options.port = 0;
	args->log =
		args->log && (args_is_given(given, "log") || args->verbose > 0);
	args->options.unrecorded = args->mode == MODE_SWEEP;
}

/* --- what can be obeyed, and is hardly what was meant --- */

static __attribute__((format(printf, 2, 3))) void
notice(const struct args *args, const char *format, ...)
{
	char text[512];
	va_list list;

	if (!args->notices)
		return;
	va_start(list, format);
	(void)vsnprintf(text, sizeof text, format, list);
	va_end(list);
	args_say(text);
}

/* Notices a body that is the name of a file, which may lack an "@". */
static void
notice_body(const struct args *args, const char *text)
{
	if (text == NULL || text[0] == '@' || text[0] == '\0' ||
		(strcmp(text, "-") != 0 && access(text, F_OK) < 0))
		return;
	notice(args,
		"--body %.100s: sent as text; to send %s, write --body "
		"@%.100s",
		text, *text == '-' ? "standard input" : "the file", text);
}

/* Notices an option about a body without a body. */
static void
notice_bodiless(const struct args *args, const char *option)
{
	notice(args, "%s: the reply has no body; give one by --body", option);
}

static void
notice_raw(const struct args *args, const struct given *given)
{
	static const char begin[] = "HTTP/";
	const struct retort_reply *reply = &args->reply;

	if (given->raw == NULL)
		return;
	if (reply->body_size == 0)
		notice(args, "--raw %.100s: empty, so clients get no reply",
			given->raw);
	else if (reply->body_size < strlen(begin) ||
		memcmp(reply->body, begin, strlen(begin)) != 0)
		notice(args,
			"--raw %.100s: not an HTTP reply, which begins with a "
			"line such as HTTP/1.1 200 OK",
			given->raw);
}

static void
give_notices(const struct args *args, const struct given *given)
{
	static const char suffix[] = ".retort";
	const size_t tail = strlen(suffix);
	const char *root = args->root ? args->root : "";

	notice_body(args, given->body);
	notice_raw(args, given);
	if (args->reply.type != NULL && given->body == NULL)
		notice_bodiless(args, "--type");
	if (args->reply.fill && given->body == NULL)
		notice_bodiless(args, "--fill");
	if (strlen(root) > tail &&
		strcmp(root + strlen(root) - tail, suffix) == 0)
		notice(args,
			"%.100s: served as a file; to play it as a scenario, "
			"write --scenario %.100s",
			root, root);
}

/* Reads how the server is to wait, which is for tests. */
static void
read_environment(struct args *args)
{
	static const char *const names[] = {"best", "epoll", "poll", NULL};
	const char *io = getenv("RETORT_IO");

	if (io != NULL)
		args->options.io = (enum retort_io)args_choice("RETORT_IO", io,
			names, "best, epoll or poll");
}

/* Adds --delay to the faults, unless it is 0. */
static void
add_delay(struct given *given)
{
	char clause[32];
	int size = snprintf(clause, sizeof clause, "pause %d", given->delay);

	if (given->delay > 0)
		args_add_line(&given->faults, clause, (size_t)size);
}

/* Hands over what was gathered word by word. */
static void
take_gathered(struct args *args, struct given *given)
{
	add_delay(given);
	args->bind = given->bind;
	args->faults = given->faults;
	args->options.hosts = given->hosts;
	args->options.fields = given->fields;
	args->options.omit = given->omit;
	args->files.types = given->types;
	args->files.type_count = given->type_count;
}

/* Sets options of the server that depend on others. */
static void
set_options(struct args *args, const struct given *given)
{
	if (args->options.idle_timeout < 0)
		args->options.idle_timeout =
			args->options.keep_alive ? KEPT_IDLE : PLAIN_IDLE;
	args->options.tls |= args->certs;
	args->notices = args->log;
	set_mode(args, given);
	if (args->transcripts != NULL || args->inspect || args_has_rules(args))
		args->options.unrecorded = false;
	args->options.sigpipe_ignored = args->options.unrecorded;
	/* where something is recorded, a client that leaves without a byte is,
	   too */
	args->options.defer_accept = args->options.unrecorded &&
		args->mode != MODE_SWEEP &&
		args->options.protocol == RETORT_HTTP;
}

/* Sets what answers: one reply, files, or a scenario by itself. */
static void
set_answer(struct args *args, const struct given *given)
{
	const bool plain = args->options.protocol != RETORT_HTTP;

	if (args->scenario != NULL && strcmp(args->scenario, "-") == 0)
		args_read_file(args, "--scenario", "-", &args->scenario_text,
			&args->scenario_size);
	if (plain)
		read_plain(args, given);
	else
		read_reply(args, given);
	if (args->root == NULL && !args->canned && !args_has_rules(args))
		args->root = ".";
	if (args->faults != NULL && args->root == NULL && !args->canned)
		args_die(EXIT_USAGE,
			"%s: needs a reply to spoil: %s or the like",
			args_is_given(given, "fault") ? "--fault" : "--delay",
			plain ? "--body, --echo" : "ROOT, --body");
}

void
args_finish(struct given *given)
{
	struct args *args = &given->args;

	args_check(given);
	if (args->mode == MODE_SHOW && args->shown_count == 0)
		args_die(EXIT_USAGE,
			"show: expected a transcript, or the folder of "
			"--transcript");
	if (args->mode == MODE_SHOW)
		return;
	read_environment(args);
	read_listen_fds(given);
	check_port(given);
	if (args->mode == MODE_SWEEP)
		set_sweep(given);
	take_gathered(args, given);
	set_options(args, given);
	if (args->control != NULL && strcmp(args->control, "-") == 0)
		take_input(args, given, "--control");
	set_answer(args, given);
	if (args->reload &&
		(args->scenario == NULL || args->scenario_text != NULL))
		args_die(EXIT_USAGE, "--reload: needs --scenario FILE");
	give_notices(args, given);
}
