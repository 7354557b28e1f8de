/* SPDX-License-Identifier: MIT */
/*
 * From the command line to the library's options. Whatever cannot be obeyed
 * ends the process here, with one line that names the option.
 */
#include "config.h"

#include "args/args_parts.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char help[] =
"Usage: retort [OPTION]... [ROOT]\n"
"       retort run [OPTION]... [ROOT] -- COMMAND...\n"
"       retort sweep [OPTION]... -- COMMAND...\n"
"Serves a folder, or one reply to every request, over HTTP on localhost. ROOT is\n"
"a folder or a file; without it, the current folder. See retort(1).\n"
"Where it listens\n"
"  -p, --port PORT         8080 by default; 0 takes any free port\n"
"  -b, --bind ADDRESS      as 127.0.0.1:8080, [::1], 0.0.0.0, unix:PATH or fd:N\n"
"      --socket-mode MODE  of unix:PATH, such as 660\n"
"      --host NAME         answer requests for this Host only\n"
"One reply to every request\n"
"  -s, --status CODE       200 by default\n"
"      --body TEXT         or @FILE, or @- for standard input\n"
"      --type TYPE         of the body\n"
"      --chunked           send the body chunked\n"
"      --raw FILE          all bytes of the reply, from its status line on\n"
"      --echo              the request itself\n"
"  -H, --header 'N: V'     set a field of all replies; 'N:' removes it\n"
"Files\n"
"      --no-listing        403 for folders without index.html\n"
"      --dotfiles          serve names that begin with a dot\n"
"      --mime EXT=TYPE     the type of *.EXT\n"
"      --cache SECONDS     how long clients may keep a file\n"
"      --precompressed     send NAME.br, .zst or .gz in the place of NAME\n"
"      --spa FILE          the page for paths that match no file\n"
"      --html              /about is about.html\n"
"      --prefix /PATH      where ROOT begins: /PATH/file is ROOT/file\n"
"      --follow-links      even where they lead out of ROOT\n"
"      --echo=/PATH        answer requests for this path with the request itself\n"
"Plain sockets instead of HTTP\n"
"      --tcp, --udp        with --echo or --answer TEXT (or @FILE; @-: typed)\n"
"      --greet TEXT        what clients get first\n"
"      --idle SECONDS      close after so much silence (600)\n"
"Faults and scenarios, see retort(5)\n"
"      --fault CLAUSES     what is wrong with each reply, as 'cut body 3 reset'\n"
"      --faults LIST --seed N   by chance: 'rst:5%,cut:5%,503:10%,delay:20ms'\n"
"      --replay LOG        repeat the faults of a log\n"
"      --scenario FILE     which requests get what, and which must come\n"
"Logs\n"
"  -v, -vv                 show heads; bodies, too\n"
"      --log FORMAT        short, common, combined, json, none (or -q, --quiet)\n"
"      --transcript DIR    keep every byte of each connection\n"
"For scripts\n"
"      --port-file FILE    write the port there\n"
"      --requests N        stop after N replies\n"
"      --lifetime SECONDS  stop after this time\n"
"      --with-parent       stop when the parent process ends\n"
"      --grace SECONDS     let replies finish for so long when it stops (1)\n"
"Limits\n"
"      --timeout SECONDS   for each, or head=10,body=30,reply=600\n"
"      --max-target BYTES (8192)    --max-head BYTES (65536)\n"
"      --max-fields N (100)         --max-body BYTES|none\n"
"      --io best|epoll|poll         -h, --help   -V, --version\n";
/* clang-format on */

/* clang-format off */
enum {
	OPT_BODY = UCHAR_MAX + 1, OPT_TYPE, OPT_RAW, OPT_ECHO, OPT_MIME,
	OPT_SOCKET_MODE,
	OPT_DOTFILES, OPT_CACHE, OPT_NO_LISTING, OPT_PRECOMPRESSED, OPT_SPA,
	OPT_HTML, OPT_FOLLOW_LINKS, OPT_PREFIX,
	OPT_HOST, OPT_TCP, OPT_UDP, OPT_ANSWER, OPT_GREET, OPT_IDLE, OPT_FAULT,
	OPT_SCENARIO, OPT_FAULTS, OPT_SEED, OPT_REPLAY, OPT_TRANSCRIPT, OPT_CHUNKED, OPT_LOG,
	OPT_PORT_FILE, OPT_REQUESTS,
	OPT_LIFETIME, OPT_WITH_PARENT, OPT_GRACE, OPT_TIMEOUT, OPT_MAX_TARGET,
	OPT_MAX_HEAD, OPT_MAX_FIELDS, OPT_MAX_BODY, OPT_IO
};
/* clang-format on */

static const struct option long_options[] = {
	{"port", required_argument, NULL, 'p'},
	{"bind", required_argument, NULL, 'b'},
	{"socket-mode", required_argument, NULL, OPT_SOCKET_MODE},
	{"status", required_argument, NULL, 's'},
	{"body", required_argument, NULL, OPT_BODY},
	{"type", required_argument, NULL, OPT_TYPE},
	{"raw", required_argument, NULL, OPT_RAW},
	{"echo", optional_argument, NULL, OPT_ECHO},
	{"header", required_argument, NULL, 'H'},
	{"mime", required_argument, NULL, OPT_MIME},
	{"dotfiles", no_argument, NULL, OPT_DOTFILES},
	{"cache", required_argument, NULL, OPT_CACHE},
	{"no-listing", no_argument, NULL, OPT_NO_LISTING},
	{"precompressed", no_argument, NULL, OPT_PRECOMPRESSED},
	{"spa", required_argument, NULL, OPT_SPA},
	{"html", no_argument, NULL, OPT_HTML},
	{"follow-links", no_argument, NULL, OPT_FOLLOW_LINKS},
	{"prefix", required_argument, NULL, OPT_PREFIX},
	{"host", required_argument, NULL, OPT_HOST},
	{"tcp", no_argument, NULL, OPT_TCP},
	{"udp", no_argument, NULL, OPT_UDP},
	{"answer", required_argument, NULL, OPT_ANSWER},
	{"greet", required_argument, NULL, OPT_GREET},
	{"idle", required_argument, NULL, OPT_IDLE},
	{"fault", required_argument, NULL, OPT_FAULT},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"faults", required_argument, NULL, OPT_FAULTS},
	{"seed", required_argument, NULL, OPT_SEED},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"transcript", required_argument, NULL, OPT_TRANSCRIPT},
	{"chunked", no_argument, NULL, OPT_CHUNKED},
	{"verbose", no_argument, NULL, 'v'},
	{"log", required_argument, NULL, OPT_LOG},
	{"quiet", no_argument, NULL, 'q'},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"requests", required_argument, NULL, OPT_REQUESTS},
	{"lifetime", required_argument, NULL, OPT_LIFETIME},
	{"with-parent", no_argument, NULL, OPT_WITH_PARENT},
	{"grace", required_argument, NULL, OPT_GRACE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"max-target", required_argument, NULL, OPT_MAX_TARGET},
	{"max-head", required_argument, NULL, OPT_MAX_HEAD},
	{"max-fields", required_argument, NULL, OPT_MAX_FIELDS},
	{"max-body", required_argument, NULL, OPT_MAX_BODY},
	{"io", required_argument, NULL, OPT_IO},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* What the library would refuse later is refused where its option is known. */
static void
check(const char *option, const char *text, const struct retort_reply *reply)
{
	char error[RETORT_ERROR_SIZE];

	if (retort_check(reply, error) < 0)
		args_die(EXIT_USAGE, "%s '%s': %s", option, text, error);
}

/* "Name: value", and "Name:" to remove. */
static void
add_header(struct given *given, const char *text)
{
	const char *colon = strchr(text, ':'), *value;
	struct retort_reply reply = {.status = 0};
	size_t size;
	char *line;

	if (colon == NULL || colon == text || strpbrk(text, "\r\n") != NULL)
		args_die(EXIT_USAGE,
			"--header '%s': expected 'Name: value', or "
			"'Name:' to remove it",
			text);
	value = colon + 1 + strspn(colon + 1, " \t");
	size = strlen(value);
	while (size > 0 && strchr(" \t", value[size - 1]) != NULL)
		size--;
	if (size == 0) {
		args_add_line(&given->omit, text, (size_t)(colon - text));
	} else {
		line = args_must(malloc(strlen(text) + 3));
		(void)sprintf(line, "%.*s: %.*s", (int)(colon - text), text,
			(int)size, value);
		args_add_line(&given->fields, line, strlen(line));
		free(line);
	}
	reply.fields = given->fields;
	reply.omit = given->omit;
	check("--header", text, &reply);
}

static void
add_type(struct given *given, const char *text)
{
	const char *equals = strchr(text, '=');
	struct retort_type *type;
	char *extension;

	if (*text == '.')
		text++;
	if (equals == NULL || equals[1] == '\0' ||
		memchr(text, '/', (size_t)(equals - text)) != NULL)
		args_die(EXIT_USAGE,
			"--mime '%s': expected EXT=TYPE, such as "
			"md=text/markdown, or =TYPE for names without one",
			text);
	extension = args_must(strdup(text));
	extension[equals - text] = '\0';
	given->types = args_append(given->types, given->type_count,
		sizeof *given->types);
	type = given->types + given->type_count++;
	type->extension = extension;
	type->type = extension + (equals - text) + 1;
	check("--mime", text, &(struct retort_reply){.type = type->type});
}

/* "SECS", for all; or "head=SECS", "body=SECS", "reply=SECS" for one. */
static void
read_timeout(struct args *args, struct given *given, const char *text,
	size_t size)
{
	const struct {
		const char *name;
		int *ms;
		bool *given;
	} phases[] = {
		{"head", &args->options.head_timeout, &given->head_timeout},
		{"body", &args->options.body_timeout, &given->body_timeout},
		{"reply", &args->options.write_timeout, &given->timeout},
	};
	char *part = args_must(strndup(text, size));
	char *equals = strchr(part, '=');
	const char *value = equals ? equals + 1 : part;
	bool known = equals == NULL;

	if (equals != NULL)
		*equals = '\0';
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
		if (equals == NULL || strcmp(part, phases[i].name) == 0) {
			*phases[i].ms = args_seconds("--timeout", value);
			*phases[i].given |= equals != NULL;
			known = true;
		}
	given->timeout = true;
	if (!known)
		args_die(EXIT_USAGE,
			"--timeout '%s': expected seconds, or one or more of "
			"head=SECS,body=SECS,reply=SECS",
			text);
	free(part);
}

static void
read_timeouts(struct args *args, struct given *given, const char *text)
{
	for (;;) {
		size_t size = strcspn(text, ",");

		read_timeout(args, given, text, size);
		if (text[size] == '\0')
			break;
		text += size + 1;
	}
}

/* Limits and time-outs. False: it is none of these. */
static bool
read_limit(struct args *args, struct given *given, int option, const char *text)
{
	static const char *const backs[] = {"best", "epoll", "poll", NULL};
	struct retort_options *options = &args->options;

	switch (option) {
	case OPT_TIMEOUT:
		read_timeouts(args, given, text);
		return true;
	case OPT_MAX_TARGET:
		options->max_target =
			(size_t)args_number("--max-target", text, 1, 8u << 20);
		return true;
	case OPT_MAX_HEAD:
		options->max_head =
			(size_t)args_number("--max-head", text, 1, 16u << 20);
		return true;
	case OPT_MAX_FIELDS:
		options->max_fields =
			(size_t)args_number("--max-fields", text, 1, 1000);
		return true;
	case OPT_MAX_BODY:
		options->max_body = strcmp(text, "none") == 0 ?
			UINT64_MAX :
			args_number("--max-body", text, 1, UINT64_MAX);
		return true;
	case OPT_IO:
		options->io = (enum retort_io)args_choice("--io", text, backs,
			"best, epoll or poll");
		return true;
	default:
		return false;
	}
}

/* How files are served. False: it is none of these. */
static bool
read_files_option(struct args *args, struct given *given, int option,
	const char *text)
{
	struct retort_files *files = &args->files;

	switch (option) {
	case OPT_MIME:
		add_type(given, text);
		return true;
	case OPT_DOTFILES:
		files->dotfiles = true;
		return true;
	case OPT_CACHE:
		given->cache = text;
		files->max_age =
			(uint32_t)args_number("--cache", text, 0, INT32_MAX);
		return true;
	case OPT_NO_LISTING:
		files->unlisted = true;
		return true;
	case OPT_PRECOMPRESSED:
		files->precompressed = true;
		return true;
	case OPT_SPA:
		if (*text == '\0' || *text == '/')
			args_die(EXIT_USAGE,
				"--spa '%s': expected the path of a file "
				"beneath ROOT, such as index.html",
				text);
		files->spa = text;
		return true;
	case OPT_HTML:
		files->html = true;
		return true;
	case OPT_FOLLOW_LINKS:
		files->follow_links = true;
		return true;
	case OPT_PREFIX:
		if (*text != '/' || strpbrk(text, "?#") != NULL)
			args_die(EXIT_USAGE,
				"--prefix '%s': expected a path that begins "
				"with a slash, such as /app",
				text);
		files->prefix = text;
		return true;
	case OPT_ECHO:
		if (text == NULL)
			return false;
		if (*text != '/' || strpbrk(text, "?#") != NULL)
			args_die(EXIT_USAGE,
				"--echo '%s': expected a path that begins "
				"with a slash",
				text);
		args->echo = text;
		return true;
	default:
		return false;
	}
}

/* Plain sockets. False: it is none of these. */
static bool
read_plain_option(struct args *args, struct given *given, int option,
	const char *text)
{
	switch (option) {
	case OPT_TCP:
		given->tcp = true;
		args->options.protocol = RETORT_TCP;
		return true;
	case OPT_UDP:
		given->udp = true;
		args->options.protocol = RETORT_UDP;
		return true;
	case OPT_ANSWER:
		given->answer = text;
		return true;
	case OPT_GREET:
		given->greeting = text;
		return true;
	case OPT_IDLE:
		given->idle = text;
		args->options.idle_timeout = args_seconds("--idle", text);
		return true;
	default:
		return false;
	}
}

/* Each is checked by itself, so that the message names the right one. */
static void
add_fault(struct given *given, const char *text)
{
	const struct retort_reply reply = {.faults = text};
	char error[RETORT_ERROR_SIZE];
	bool chance = strchr(text, ':') != NULL && strchr(text, '%') != NULL;

	if (retort_check(&reply, error) < 0) {
		const char *why =
			error + (strncmp(error, "faults: ", 8) == 0 ? 8 : 0);
		bool named = *why == '\'';

		/* what it quotes need not be said before it */
		args_die(EXIT_USAGE, "--fault%s%s%s: %s%s", named ? "" : " '",
			named ? "" : text, named ? "" : "'", why,
			chance ? " (faults by chance: --faults)" : "");
	}
	args_add_line(&given->faults, text, strlen(text));
}

/* What goes wrong. False: it is none of these. */
static bool
read_fault_option(struct args *args, struct given *given, int option,
	const char *text)
{
	switch (option) {
	case OPT_FAULT:
		add_fault(given, text);
		return true;
	case OPT_SCENARIO:
		args->scenario = args_file_name(text);
		if (strcmp(args->scenario, "-") == 0)
			args_read_file(args, "--scenario", "-",
				&args->scenario_text, &args->scenario_size);
		return true;
	case OPT_FAULTS:
		args->chances = text;
		return true;
	case OPT_SEED:
		given->seed = text;
		args->seed = args_number("--seed", text, 0, UINT64_MAX);
		return true;
	case OPT_REPLAY:
		args_read_file(args, "--replay", args_file_name(text),
			&args->replay, &args->replay_size);
		return true;
	case OPT_TRANSCRIPT:
		args->transcripts = text;
		return true;
	case OPT_CHUNKED:
		args->reply.chunked = true;
		return true;
	default:
		return false;
	}
}

/* What scripts need. False: it is none of these. */
static bool
read_script_option(struct args *args, struct given *given, int option,
	const char *text)
{
	static const char *const logs[] = {"short", "common", "json",
		"combined", "none", NULL};
	int log;

	switch (option) {
	case OPT_LOG:
		given->log = true;
		log = args_choice("--log", text, logs,
			"short, common, combined, json or none");
		args->log = log < 4;
		if (args->log)
			args->log_format = (enum retort_log)log;
		return true;
	case 'q':
		args->log = false;
		return true;
	case 'v':
		args->verbose++;
		return true;
	case OPT_PORT_FILE:
		args->port_file = text;
		return true;
	case OPT_REQUESTS:
		args->options.requests =
			args_number("--requests", text, 1, UINT64_MAX);
		return true;
	case OPT_LIFETIME:
		args->lifetime = args_seconds("--lifetime", text);
		return true;
	case OPT_WITH_PARENT:
		args->with_parent = true;
		return true;
	case OPT_GRACE:
		given->grace = true;
		args->grace = args_seconds("--grace", text);
		return true;
	default:
		return false;
	}
}

static void
read_option(struct args *args, struct given *given, int option,
	const char *text)
{
	switch (option) {
	case 'p':
		args->options.port = (int)args_number("--port", text, 0, 65535);
		args->port_given = true;
		break;
	case 'b':
		if (strcmp(text, "fd:1") == 0 || strcmp(text, "fd:2") == 0)
			args_die(EXIT_USAGE,
				"--bind '%s': standard output and "
				"error are not for listening",
				text);
		args_add_text(&given->bind, &given->bind_count, text);
		break;
	case OPT_SOCKET_MODE:
		args->options.socket_mode =
			args_permissions("--socket-mode", text);
		break;
	case 's':
		args->reply.status =
			(int)args_number("--status", text, 200, 999);
		given->status = text;
		break;
	case OPT_BODY:
		given->body = text;
		break;
	case OPT_TYPE:
		check("--type", text, &(struct retort_reply){.type = text});
		given->type = text;
		break;
	case OPT_RAW:
		given->raw = text;
		break;
	case OPT_ECHO:
		given->echo = true;
		break;
	case 'H':
		add_header(given, text);
		break;
	case OPT_HOST:
		/* the Host field's port is not compared */
		if (strchr(*text == '[' ? text + strcspn(text, "]") : text,
			    ':') != NULL)
			args_die(EXIT_USAGE,
				"--host '%s': expected a name or "
				"address without port, IPv6 in brackets",
				text);
		args_add_text(&given->hosts, &given->host_count, text);
		break;
	case 'h':
		args_print(help);
		exit(EXIT_SUCCESS);
	case 'V':
		args_print("retort ");
		args_print(retort_version());
		args_print("\n");
		exit(EXIT_SUCCESS);
	case 1:
		args_add_operand(args, given, text);
		break;
	case ':':
		args_die(EXIT_USAGE,
			"option %s needs a value (see retort --help)", text);
	default:
		args_die(EXIT_USAGE, "unknown option %s", text);
	}
}

/* What an operand may have belonged to: the option before it. */
static void
note_option(struct given *given, int option, const char *value)
{
	const struct option *at = long_options;

	if (option == 1)
		return;
	while (at->name != NULL && at->val != option)
		at++;
	given->before = at->name ? at : NULL;
	given->value = value;
}

static enum mode
mode_of(const char *word)
{
	return strcmp(word, "run") == 0    ? MODE_RUN :
		strcmp(word, "sweep") == 0 ? MODE_SWEEP :
					     MODE_SERVE;
}

/*
 * "run" or "sweep", and the words behind "--", which are cut off. Returns how
 * many words are left.
 */
static int
read_mode(struct args *args, int argc, char **argv)
{
	int count = 0;

	if (argc > 1)
		args->mode = mode_of(argv[1]);
	if (args->mode == MODE_SERVE)
		return argc;
	while (count < argc && strcmp(argv[count], "--") != 0)
		count++;
	for (int i = 2; i < count; i++)
		if (strcmp(argv[i], "-h") == 0 ||
			strcmp(argv[i], "--help") == 0 ||
			strcmp(argv[i], "-V") == 0 ||
			strcmp(argv[i], "--version") == 0)
			return argc;
	if (count + 1 >= argc)
		args_die(EXIT_USAGE,
			"%s: expected -- COMMAND at the end, such as "
			"-- curl -sf {url}",
			argv[1]);
	args->command = argv + count + 1;
	return count;
}

static const struct args defaults = {
	.options = {.port = 8080,
		.head_timeout = 10000,
		.body_timeout = 30000,
		.write_timeout = 600000,
		.idle_timeout = 600000,
		.defer_accept = true,
		.unrecorded = true,
		.sigpipe_ignored = true},
	.grace = 1000,
	.lifetime = -1,
	.log = true,
	.root_hint = "",
};

/* As getopt(3), and its value, or what is wrong with it; 1: an operand. */
static int
next_option(int argc, char **argv, const char **text)
{
	static char letter[] = "-?";
	int option;

	if (optind < argc && strcmp(argv[optind], "--") != 0)
		args_check_name(argv[optind], long_options);
	/* "-": operands in their place; ":": a value that lacks is told apart */
	option = getopt_long(argc, argv, "-:p:b:s:H:vqhV", long_options, NULL);
	*text = optarg;
	if (option != '?' && option != ':')
		return option;
	letter[1] = (char)optopt;
	*text = optopt > 0 && optopt <= UCHAR_MAX ? letter : argv[optind - 1];
	return option;
}

void
args_read(struct args *args, int argc, char **argv)
{
	struct given given = {.status = NULL};
	const char *text;
	int option;

	*args = defaults;
	argc = read_mode(args, argc, argv);
	if (args->mode != MODE_SERVE)
		optind = 2;
	opterr = 0;
	while ((option = next_option(argc, argv, &text)) != -1) {
		if (!read_limit(args, &given, option, text) &&
			!read_script_option(args, &given, option, text) &&
			!read_files_option(args, &given, option, text) &&
			!read_plain_option(args, &given, option, text) &&
			!read_fault_option(args, &given, option, text))
			read_option(args, &given, option, text);
		note_option(&given, option, text);
	}
	for (; optind < argc; optind++)
		args_add_operand(args, &given, argv[optind]);
	if (given.second != NULL)
		args_die(EXIT_USAGE, "'%s': only one ROOT can be served%s",
			given.second, args->root_hint);
	args_finish(args, &given);
}
