/* SPDX-License-Identifier: MIT */
/*
 * What goes together on the command line, and what it amounts to.
 */
#include "config.h"

#include "args/args_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LISTEN_FD 3 /* sd_listen_fds(3) */

/* --- what goes together --- */

/* Ways to answer: one at most, and only with what belongs to it. */
enum {
	WAY_CANNED = 1,
	WAY_RAW = 2,
	WAY_ECHO = 4,
	WAY_FILES = 8,
	WAY_RULES = 256, /* a scenario alone */
	WAY_HTTP = 15 + WAY_RULES,
	WAY_TCP_ECHO = 16,
	WAY_TCP_ANSWER = 32,
	WAY_TCP = 48,
	WAY_UDP_ECHO = 64,
	WAY_UDP_ANSWER = 128,
	WAY_UDP = 192
};

/* Nothing but a scenario answers. */
static bool
is_scenario_alone(const struct args *args, const struct given *given)
{
	return args->mode != MODE_SWEEP && args->scenario != NULL &&
		args->root == NULL && !given->status && !given->body &&
		!given->type && !given->raw && !given->echo &&
		!args->reply.chunked && !given->tcp && !given->udp;
}

/* What belongs to plain sockets alone would do nothing without them. */
static void
check_protocol(const struct given *given)
{
	if (given->answer != NULL && !given->tcp && !given->udp)
		args_die(EXIT_USAGE, "--answer: needs --tcp or --udp");
	if (given->greeting != NULL && !given->tcp)
		args_die(EXIT_USAGE, "--greet: needs --tcp");
	if (given->idle != NULL && !given->tcp)
		args_die(EXIT_USAGE, "--idle: needs --tcp");
}

static void
check_clashes(const struct args *args, const struct given *given)
{
	const struct retort_options *options = &args->options;
	const struct {
		const char *name;
		bool given;
		unsigned way; /* set of ways that it belongs to */
	} uses[] = {
		{"sweep", args->mode == MODE_SWEEP, WAY_CANNED | WAY_RAW},
		{"--status", given->status != NULL, WAY_CANNED},
		{"--body", given->body != NULL, WAY_CANNED},
		{"--type", given->type != NULL, WAY_CANNED},
		{"--raw", given->raw != NULL, WAY_RAW},
		{"--echo", given->echo, WAY_ECHO | WAY_TCP_ECHO | WAY_UDP_ECHO},
		{"ROOT", args->root != NULL, WAY_FILES},
		{"--dotfiles", args->files.dotfiles, WAY_FILES},
		{"--cache", given->cache != NULL, WAY_FILES},
		{"--no-listing", args->files.unlisted, WAY_FILES},
		{"--precompressed", args->files.precompressed, WAY_FILES},
		{"--spa", args->files.spa != NULL, WAY_FILES},
		{"--html", args->files.html, WAY_FILES},
		{"--follow-links", args->files.follow_links, WAY_FILES},
		{"--prefix", args->files.prefix != NULL, WAY_FILES},
		{"--echo=PATH", args->echo != NULL, WAY_FILES | WAY_RULES},
		{"--mime", given->type_count > 0, WAY_FILES},
		{"--chunked", args->reply.chunked, WAY_CANNED},
		{"--header", given->fields != NULL || given->omit != NULL,
			WAY_CANNED | WAY_ECHO | WAY_FILES | WAY_RULES},
		{"--host", given->host_count > 0, WAY_HTTP},
		{"--max-target", options->max_target != 0, WAY_HTTP},
		{"--max-head", options->max_head != 0, WAY_HTTP},
		{"--max-fields", options->max_fields != 0, WAY_HTTP},
		{"--max-body", options->max_body != 0, WAY_HTTP},
		{"--timeout", given->timeout, WAY_HTTP | WAY_TCP},
		{"--timeout head", given->head_timeout, WAY_HTTP},
		{"--timeout body", given->body_timeout, WAY_HTTP},
		{"--replay", args->replay != NULL, WAY_HTTP},
		{"--answer", given->answer != NULL,
			WAY_TCP_ANSWER | WAY_UDP_ANSWER},
		{"--greet", given->greeting != NULL, WAY_TCP},
		{"--idle", given->idle != NULL, WAY_TCP},
		{"--tcp", given->tcp, WAY_TCP},
		{"--udp", given->udp, WAY_UDP},
	};
	const size_t count = sizeof uses / sizeof *uses;
	bool alone = is_scenario_alone(args, given);

	for (size_t i = 0; i < count && alone; i++)
		if (uses[i].given && (uses[i].way & WAY_RULES) == 0)
			args_die(EXIT_USAGE,
				"%s: needs ROOT, as --scenario alone serves no "
				"files",
				uses[i].name);
	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (uses[i].given && uses[k].given &&
				(uses[i].way & uses[k].way) == 0)
				args_die(EXIT_USAGE,
					"%s and %s exclude each other%s",
					uses[i].name, uses[k].name,
					args->root_hint);
}

/* TEXT, @FILE or @-. */
static void
read_text(struct args *args, const char *option, const char *text,
	struct retort_reply *reply)
{
	reply->body = text;
	reply->body_size = strlen(text);
	if (text[0] != '@')
		return;
	args_read_file(args, option, text + 1, &reply->body, &reply->body_size);
}

static void
read_plain(struct args *args, const struct given *given)
{
	static const char *const typed = "@-";

	/* what no rule of a scenario answers must not look answered */
	args->canned = given->echo || given->answer || args->scenario == NULL;
	args->options.defer_accept = false;
	args->reply.echo = given->echo;
	if (given->greeting != NULL)
		read_text(args, "--greet", given->greeting, &args->greeting);
	if (given->answer == NULL)
		return;
	args->typed = strcmp(given->answer, typed) == 0;
	if (args->typed && args->stdin_used != NULL)
		args_die(EXIT_USAGE, "--answer: standard input is read by %s",
			args->stdin_used);
	for (size_t i = 0; args->typed && i < given->bind_count; i++)
		if (strcmp(given->bind[i], "fd:0") == 0)
			args_die(EXIT_USAGE,
				"--answer @- and --bind fd:0 exclude each "
				"other");
	if (args->typed && given->faults != NULL)
		args_die(EXIT_USAGE,
			"--answer @- and --fault exclude each other");
	if (args->typed) {
		args->stdin_used = "--answer";
		/* who types must see what came */
		args->verbose += args->verbose == 0 && args->log;
	} else {
		read_text(args, "--answer", given->answer, &args->reply);
	}
}

/* A file's by its name, if that says it; all else by what it looks like. */
static const char *
type_of(const char *option, const struct retort_reply *reply)
{
	const char *name = option + 1, *slash = strrchr(name, '/');

	if (option[0] == '@' && strchr(slash ? slash : name, '.') != NULL)
		return retort_type_of(name);
	return args_look(reply->body, reply->body_size);
}

static void
read_reply(struct args *args, const struct given *given)
{
	struct retort_reply *reply = &args->reply;

	args->canned = given->status || given->body || given->type ||
		given->raw || given->echo || reply->chunked;
	reply->echo = given->echo;
	reply->type = given->type;
	if (given->raw != NULL) {
		reply->raw = true;
		args_read_file(args, "--raw", args_file_name(given->raw),
			&reply->body, &reply->body_size);
	} else if (given->body != NULL) {
		read_text(args, "--body", given->body, reply);
		if (reply->type == NULL)
			reply->type = type_of(given->body, reply);
	}
	if ((reply->status == 204 || reply->status == 304) &&
		(given->body || reply->chunked) && given->faults == NULL)
		args_die(EXIT_USAGE,
			"--status %d has no body: %s and it "
			"exclude each other",
			reply->status, given->body ? "--body" : "--chunked");
}

/* Sockets handed over: fds 3 and up, when LISTEN_PID is this process. */
static void
read_listen_fds(struct args *args, struct given *given)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	uint64_t count;

	if (pid == NULL || fds == NULL ||
		strtoll(pid, NULL, 10) != (long long)getpid())
		return;
	count = args_number("LISTEN_FDS", fds, 0, 1000);
	if (count > 0 && args->port_given)
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

/* A socket without a port has none that could be given, either. */
static bool
has_own_port(const char *address)
{
	const char *bracket = strchr(address, ']');
	const char *colon = strchr(bracket ? bracket : address, ':');

	return is_socket(address) ||
		(colon != NULL && strchr(colon + 1, ':') == NULL);
}

static void
check_port(const struct args *args, const struct given *given)
{
	const char *const *bind = given->bind;
	size_t i = 0;

	while (i < given->bind_count && has_own_port(bind[i]))
		i++;
	if (args->port_given && i > 0 && i == given->bind_count)
		args_die(EXIT_USAGE,
			"--port: nothing takes it: --bind %.100s has %s",
			bind[0],
			is_socket(bind[0]) ? "no port" : "a port of its own");
}

static void
check_socket_mode(const struct args *args, const struct given *given)
{
	bool any = args->options.socket_mode == 0;

	for (size_t i = 0; i < given->bind_count; i++)
		any = any || strncmp(given->bind[i], "unix:", 5) == 0;
	if (!any)
		args_die(EXIT_USAGE,
			"--socket-mode: expected --bind unix:PATH with it");
}

/* What faults by chance go with. */
static void
check_chance(struct args *args, const struct given *given)
{
	if (args->chances != NULL && given->faults != NULL)
		args_die(EXIT_USAGE, "--fault and --faults exclude each other");
	if (args->replay != NULL && given->faults != NULL)
		args_die(EXIT_USAGE, "--fault and --replay exclude each other");
	if (args->chances != NULL && args->replay != NULL)
		args_die(EXIT_USAGE,
			"--faults and --replay exclude each other");
	args->seed_drawn = args->chances != NULL && given->seed == NULL;
	if (args->seed_drawn)
		args->seed = retort_seed();
	if (args->chances == NULL && given->seed != NULL)
		args_die(EXIT_USAGE, "--seed: needs --faults LIST");
}

/* A sweep is of one reply, for a client that we start. */
static void
set_sweep(const struct args *args, struct given *given)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	const struct {
		const char *name;
		bool given;
	} uses[] = {
		{"--scenario", args->scenario != NULL},
		{"--fault", given->faults != NULL},
		{"--faults", args->chances != NULL},
		{"--replay", args->replay != NULL},
		{"--port-file", args->port_file != NULL},
		{"--transcript", args->transcripts != NULL},
		{"--lifetime", args->lifetime >= 0},
		{"--with-parent", args->with_parent},
		{"--requests", args->options.requests > 0},
		{"--grace", given->grace},
		{"--host", given->host_count > 0},
		{"--log", args->log && given->log},
		{"--verbose", args->verbose > 0},
	};

	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
		if (uses[i].given)
			args_die(EXIT_USAGE,
				"sweep: not with %s: it takes the options of "
				"one reply, such as --body, --raw or "
				"--chunked",
				uses[i].name);
	if (given->raw == NULL && given->body == NULL &&
		args->reply.status != 204 && args->reply.status != 304)
		given->body = letters;
}

/* They are for one command, and not for people to look at. */
static void
set_mode(struct args *args, struct given *given)
{
	if (args->mode == MODE_SERVE)
		return;
	if (!args->port_given)
		args->options.port = 0;
	args->log = args->log && (given->log || args->verbose > 0);
	args->options.unrecorded = args->mode == MODE_SWEEP;
	args->options.sigpipe_ignored = args->options.unrecorded;
	if (args->mode == MODE_RUN && args->with_parent)
		args_die(EXIT_USAGE,
			"run: not with --with-parent: it ends with COMMAND");
	if (args->mode == MODE_RUN)
		return;
	args->options.defer_accept = false;
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

/* The name of a file in place of "@" and the name. */
static void
notice_text(const struct args *args, const char *option, const char *text)
{
	if (text == NULL || text[0] == '@' || text[0] == '\0' ||
		(strcmp(text, "-") != 0 && access(text, F_OK) < 0))
		return;
	notice(args, "%s %.100s: sent as text; %s is %s @%.100s", option, text,
		*text == '-' ? "standard input" : "what the file holds", option,
		text);
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

	notice_text(args, "--body", given->body);
	notice_text(args, "--answer", given->answer);
	notice_text(args, "--greet", given->greeting);
	notice_raw(args, given);
	if (given->type != NULL && given->body == NULL)
		notice(args,
			"--type: the reply has no body; give one by "
			"--body");
	if (strlen(root) > tail &&
		strcmp(root + strlen(root) - tail, suffix) == 0)
		notice(args,
			"%.100s: served as a file; to play it as a scenario, "
			"write --scenario %.100s",
			root, root);
}

void
args_finish(struct args *args, struct given *given)
{
	static const char *const loopback[] = {"localhost", NULL};

	check_protocol(given);
	check_clashes(args, given);
	if (args->mode == MODE_SWEEP)
		set_sweep(args, given);
	check_chance(args, given);
	args->notices = args->log;
	set_mode(args, given);
	read_listen_fds(args, given);
	check_port(args, given);
	check_socket_mode(args, given);
	if (given->tcp || given->udp)
		read_plain(args, given);
	else
		read_reply(args, given);
	args->bind = given->bind;
	args->options.bind = given->bind ? given->bind : loopback;
	args->options.hosts = given->hosts;
	if (args->transcripts != NULL || args->scenario != NULL) {
		args->options.unrecorded = false;
		args->options.sigpipe_ignored = false;
	}
	if (given->faults != NULL && args->root == NULL && !args->canned)
		args_die(EXIT_USAGE,
			"--fault: needs a reply to spoil: %s or the like",
			given->tcp || given->udp ? "--answer, --echo" :
						   "ROOT, --body");
	args->faults = given->faults;
	args->options.fields = given->fields;
	args->options.omit = given->omit;
	args->files.types = given->types;
	args->files.type_count = given->type_count;
	give_notices(args, given);
	/* a scenario answers by itself */
	if (args->root == NULL && !args->canned && args->scenario == NULL)
		args->root = ".";
}
