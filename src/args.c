/* SPDX-License-Identifier: MIT */
/*
 * From the command line to the library's options. Whatever cannot be obeyed
 * ends the process here, with one line that names the option.
 */
#include "config.h"

#include "args.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LISTEN_FD 3 /* sd_listen_fds(3) */

void
die(int status, const char *format, ...)
{
	char text[PIPE_BUF];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	/* one line, whatever was given */
	for (char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	(void)fflush(stdout);
	(void)fprintf(stderr, "retort: %s\n", text);
	exit(status);
}

/* clang-format off */
static const char help[] =
"Usage: retort [OPTION]... [ROOT]\n"
"       retort run [OPTION]... [ROOT] -- COMMAND...\n"
"       retort sweep [OPTION]... -- COMMAND...\n"
"Answers HTTP requests, one per connection, with the files beneath ROOT (.),\n"
"with ROOT itself if it is a file, or with one canned reply. See retort(1).\n"
"Where\n"
"  -p, --port PORT       8080; 0: a free one     -b, --bind ADDR unix:PATH, fd:N\n"
"What\n"
"  -s, --status CODE     reply to everything     --body TEXT     or @FILE, @-\n"
"      --type TYPE       its Content-Type        --raw FILE      all its bytes\n"
"      --echo[=PATH]     the request itself; at PATH only, among the files\n"
"      --mime EXT=TYPE   type of *.EXT           --dotfiles      serve .names\n"
"      --cache SECS      max-age                 --no-listing    of folders\n"
"      --precompressed   .br, .zst, .gz          --spa FILE      for no file\n"
"  -H, --header 'N: V'   a field; 'N:' removes   --host NAME     421 for others\n"
"Instead of HTTP\n"
"      --tcp, --udp          plain sockets: with\n"
"      --echo                what came, or       --answer TEXT   @FILE; @-: typed\n"
"      --greet TEXT          when accepted       --idle SECS     of silence (600)\n"
"Being wrong on purpose\n"
"      --fault CLAUSES       see retort(5)       --scenario FILE rules from there\n"
"      --faults 'rst:5%,cut:5%,503:10%,delay:20ms' --seed N      by chance\n"
"      --replay LOG          what it logged      --chunked       its framing\n"
"Seeing the requests\n"
"      --transcript DIR      each connection\n"
"  -v, -vv               their heads; bodies     -q, --quiet     no log\n"
"      --log FORMAT      short, common, json, none\n"
"For scripts\n"
"      --port-file FILE  write the port there    --requests N    exit after N\n"
"      --lifetime SECS   exit after a time       --with-parent   exit with it\n"
"      --grace SECS      to end replies (1)\n"
"Limits\n"
"      --timeout SECS    head, body, reply (10, 10, 30)\n"
"      --max-target BYTES (8192)   --max-head BYTES (65536)\n"
"      --max-fields N (100)        --max-body BYTES|none\n"
"      --io best|epoll|poll        -h, --help   -V, --version\n";
/* clang-format on */

/* --- values --- */

static uint64_t
number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			break;
		value = value * 10 + digit;
	}
	if (at == text || *at != '\0' || value < least || value > most) {
		if (most == UINT64_MAX)
			die(EXIT_USAGE,
				"%s '%s': expected a whole number from %llu",
				option, text, (unsigned long long)least);
		die(EXIT_USAGE,
			"%s '%s': expected a whole number from %llu "
			"to %llu",
			option, text, (unsigned long long)least,
			(unsigned long long)most);
	}
	return value;
}

/* Seconds, with a fraction if need be, as milliseconds rounded up. */
static int
seconds(const char *option, const char *text)
{
	const uint64_t most = INT_MAX / 1000;
	uint64_t whole = 0, ms = 0, unit = 100;
	const char *at = text;
	bool any = false, more = false;

	for (; *at >= '0' && *at <= '9' && whole <= most; at++, any = true)
		whole = whole * 10 + (uint64_t)(*at - '0');
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, any = true) {
			ms += unit * (uint64_t)(*at - '0');
			more = more || (unit == 0 && *at != '0');
			unit /= 10;
		}
	if (!any || *at != '\0' || whole >= most)
		die(EXIT_USAGE,
			"%s '%s': expected seconds, such as 2 or 0.5, "
			"less than %llu",
			option, text, (unsigned long long)most);
	return (int)(whole * 1000 + ms + (more ? 1 : 0));
}

/* The place of `text` among `names`. */
static int
choice(const char *option, const char *text, const char *const *names,
	const char *expected)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	die(EXIT_USAGE, "%s '%s': expected %s", option, text, expected);
}

static void *
must(void *memory)
{
	if (memory == NULL)
		die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	return memory;
}

/* Appends to an array that is one longer than `count`, and cleared there. */
static void *
append(void *array, size_t count, size_t size)
{
	char *longer = must(realloc(array, (count + 2) * size));

	memset(longer + count * size, 0, 2 * size);
	return longer;
}

/* The whole of a file; "-" is standard input. */
static void
read_file(const char *option, const char *name, const void **bytes,
	size_t *size)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "rb");
	size_t room = 4096, used = 0, n;
	char *data;

	if (file == NULL)
		die(EXIT_USAGE, "%s %s: %s", option, name, strerror(errno));
	data = must(malloc(room));
	while ((n = fread(data + used, 1, room - 1 - used, file)) > 0) {
		used += n;
		if (used == room - 1)
			data = must(realloc(data, room *= 2));
	}
	if (ferror(file))
		die(EXIT_USAGE, "%s %s: %s", option, name, strerror(errno));
	if (!standard)
		(void)fclose(file);
	data[used] = '\0'; /* an empty body is empty text */
	*bytes = data;
	*size = used;
}

/* --- options --- */

/* clang-format off */
enum {
	OPT_BODY = UCHAR_MAX + 1, OPT_TYPE, OPT_RAW, OPT_ECHO, OPT_MIME,
	OPT_DOTFILES, OPT_CACHE, OPT_NO_LISTING, OPT_PRECOMPRESSED, OPT_SPA,
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

/* What was given that decides what is served. */
struct given {
	const char *status;
	const char *body;
	const char *type;
	const char *raw;
	bool echo;
	const char *cache;
	bool tcp;
	bool udp;
	bool log;
	const char *answer;
	const char *greeting;
	const char *idle;
	const char *seed;
	const char **bind;
	size_t bind_count;
	const char **hosts;
	size_t host_count;
	char *faults; /* lines */
	char *fields;
	char *omit;
	struct retort_type *types;
	size_t type_count;
};

/* What the library would refuse later is refused where its option is known. */
static void
check(const char *option, const char *text, const struct retort_reply *reply)
{
	char error[RETORT_ERROR_SIZE];

	if (retort_check(reply, error) < 0)
		die(EXIT_USAGE, "%s '%s': %s", option, text, error);
}

/* A line more. */
static void
add_line(char **lines, const char *line, size_t size)
{
	size_t used = *lines ? strlen(*lines) : 0;

	*lines = must(realloc(*lines, used + size + 2));
	memcpy(*lines + used, line, size);
	memcpy(*lines + used + size, "\n", 2);
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
		die(EXIT_USAGE,
			"--header '%s': expected 'Name: value', or "
			"'Name:' to remove it",
			text);
	value = colon + 1 + strspn(colon + 1, " \t");
	size = strlen(value);
	while (size > 0 && strchr(" \t", value[size - 1]) != NULL)
		size--;
	if (size == 0) {
		add_line(&given->omit, text, (size_t)(colon - text));
	} else {
		line = must(malloc(strlen(text) + 3));
		(void)sprintf(line, "%.*s: %.*s", (int)(colon - text), text,
			(int)size, value);
		add_line(&given->fields, line, strlen(line));
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
	if (equals == NULL || equals <= text || equals[1] == '\0')
		die(EXIT_USAGE,
			"--mime '%s': expected EXT=TYPE, such as "
			"md=text/markdown",
			text);
	extension = must(strdup(text));
	extension[equals - text] = '\0';
	given->types =
		append(given->types, given->type_count, sizeof *given->types);
	type = given->types + given->type_count++;
	type->extension = extension;
	type->type = extension + (equals - text) + 1;
	check("--mime", text, &(struct retort_reply){.type = type->type});
}

static void
add_text(const char ***list, size_t *count, const char *text)
{
	*list = append(*list, *count, sizeof **list);
	(*list)[(*count)++] = text;
}

/* Limits and time-outs. False: it is none of these. */
static bool
read_limit(struct args *args, int option, const char *text)
{
	static const char *const backs[] = {"best", "epoll", "poll", NULL};
	struct retort_options *options = &args->options;

	switch (option) {
	case OPT_TIMEOUT:
		options->head_timeout = seconds("--timeout", text);
		options->body_timeout = options->head_timeout;
		options->write_timeout = options->head_timeout;
		return true;
	case OPT_MAX_TARGET:
		options->max_target =
			(size_t)number("--max-target", text, 1, 8u << 20);
		return true;
	case OPT_MAX_HEAD:
		options->max_head =
			(size_t)number("--max-head", text, 1, 16u << 20);
		return true;
	case OPT_MAX_FIELDS:
		options->max_fields =
			(size_t)number("--max-fields", text, 1, 1000);
		return true;
	case OPT_MAX_BODY:
		options->max_body = strcmp(text, "none") == 0 ?
			UINT64_MAX :
			number("--max-body", text, 1, UINT64_MAX);
		return true;
	case OPT_IO:
		options->io = (enum retort_io)choice("--io", text, backs,
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
			(uint32_t)number("--cache", text, 0, INT32_MAX);
		return true;
	case OPT_NO_LISTING:
		files->unlisted = true;
		return true;
	case OPT_PRECOMPRESSED:
		files->precompressed = true;
		return true;
	case OPT_SPA:
		if (*text == '\0' || *text == '/')
			die(EXIT_USAGE,
				"--spa '%s': expected the path of a file "
				"beneath ROOT, such as index.html",
				text);
		files->spa = text;
		return true;
	case OPT_ECHO:
		if (text == NULL)
			return false;
		if (*text != '/' || strpbrk(text, "?#") != NULL)
			die(EXIT_USAGE,
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
		args->options.idle_timeout = seconds("--idle", text);
		return true;
	default:
		return false;
	}
}

/* Each is checked by itself, so that the message names the right one. */
static void
add_fault(struct given *given, const char *text)
{
	check("--fault", text, &(struct retort_reply){.faults = text});
	add_line(&given->faults, text, strlen(text));
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
		args->scenario = text;
		return true;
	case OPT_FAULTS:
		args->chances = text;
		return true;
	case OPT_SEED:
		given->seed = text;
		args->seed = number("--seed", text, 0, UINT64_MAX);
		return true;
	case OPT_REPLAY:
		read_file("--replay", text, &args->replay, &args->replay_size);
		args->stdin_used |= strcmp(text, "-") == 0;
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
	static const char *const logs[] = {"short", "common", "json", "none",
		NULL};
	int log;

	switch (option) {
	case OPT_LOG:
		given->log = true;
		log = choice("--log", text, logs,
			"short, common, json or none");
		args->log = log < 3;
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
			number("--requests", text, 1, UINT64_MAX);
		return true;
	case OPT_LIFETIME:
		args->lifetime = seconds("--lifetime", text);
		return true;
	case OPT_WITH_PARENT:
		args->with_parent = true;
		return true;
	case OPT_GRACE:
		args->grace = seconds("--grace", text);
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
		args->options.port = (int)number("--port", text, 0, 65535);
		args->port_given = true;
		break;
	case 'b':
		if (strcmp(text, "fd:1") == 0 || strcmp(text, "fd:2") == 0)
			die(EXIT_USAGE,
				"--bind '%s': standard output and "
				"error are not for listening",
				text);
		add_text(&given->bind, &given->bind_count, text);
		break;
	case 's':
		args->reply.status = (int)number("--status", text, 200, 999);
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
			die(EXIT_USAGE,
				"--host '%s': expected a name or "
				"address without port, IPv6 in brackets",
				text);
		add_text(&given->hosts, &given->host_count, text);
		break;
	case 'h':
		(void)fputs(help, stdout);
		exit(EXIT_SUCCESS);
	case 'V':
		(void)printf("retort %s\n", retort_version());
		exit(EXIT_SUCCESS);
	case ':':
		die(EXIT_USAGE, "option %s needs a value (see retort --help)",
			text);
	default:
		die(EXIT_USAGE, "unknown option %s (see retort --help)", text);
	}
}

/* --- what goes together --- */

/* Ways to answer: one at most, and only with what belongs to it. */
enum {
	WAY_CANNED = 1,
	WAY_RAW = 2,
	WAY_ECHO = 4,
	WAY_FILES = 8,
	WAY_HTTP = 15,
	WAY_TCP_ECHO = 16,
	WAY_TCP_ANSWER = 32,
	WAY_TCP = 48,
	WAY_UDP_ECHO = 64,
	WAY_UDP_ANSWER = 128,
	WAY_UDP = 192
};

/* What belongs to plain sockets alone would do nothing without them. */
static void
check_protocol(const struct given *given)
{
	if (given->answer != NULL && !given->tcp && !given->udp)
		die(EXIT_USAGE, "--answer: expected --tcp or --udp with it");
	if (given->greeting != NULL && !given->tcp)
		die(EXIT_USAGE, "--greet: expected --tcp with it");
	if (given->idle != NULL && !given->tcp)
		die(EXIT_USAGE, "--idle: expected --tcp with it");
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
		{"--echo=PATH", args->echo != NULL, WAY_FILES},
		{"--mime", given->type_count > 0, WAY_FILES},
		{"--chunked", args->reply.chunked, WAY_CANNED},
		{"--header", given->fields != NULL || given->omit != NULL,
			WAY_CANNED | WAY_ECHO | WAY_FILES},
		{"--host", given->host_count > 0, WAY_HTTP},
		{"--max-target", options->max_target != 0, WAY_HTTP},
		{"--max-head", options->max_head != 0, WAY_HTTP},
		{"--max-fields", options->max_fields != 0, WAY_HTTP},
		{"--max-body", options->max_body != 0, WAY_HTTP},
		{"--answer", given->answer != NULL,
			WAY_TCP_ANSWER | WAY_UDP_ANSWER},
		{"--greet", given->greeting != NULL, WAY_TCP},
		{"--idle", given->idle != NULL, WAY_TCP},
		{"--tcp", given->tcp, WAY_TCP},
		{"--udp", given->udp, WAY_UDP},
	};
	const size_t count = sizeof uses / sizeof *uses;

	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (uses[i].given && uses[k].given &&
				(uses[i].way & uses[k].way) == 0)
				die(EXIT_USAGE, "%s and %s exclude each other",
					uses[i].name, uses[k].name);
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
	args->stdin_used |= strcmp(text, "@-") == 0;
	read_file(option, text + 1, &reply->body, &reply->body_size);
}

static void
read_plain(struct args *args, const struct given *given)
{
	static const char *const typed = "@-";

	args->canned = true;
	args->options.defer_accept = false;
	args->reply.echo = given->echo;
	if (given->greeting != NULL)
		read_text(args, "--greet", given->greeting, &args->greeting);
	if (given->answer == NULL)
		return;
	args->typed = strcmp(given->answer, typed) == 0;
	if (args->typed && args->stdin_used)
		die(EXIT_USAGE,
			"--answer @- and --greet @- exclude each other");
	for (size_t i = 0; args->typed && i < given->bind_count; i++)
		if (strcmp(given->bind[i], "fd:0") == 0)
			die(EXIT_USAGE,
				"--answer @- and --bind fd:0 exclude each "
				"other");
	if (args->typed) {
		args->stdin_used = true;
		/* who types must see what came */
		args->verbose += args->verbose == 0 && args->log;
	} else {
		read_text(args, "--answer", given->answer, &args->reply);
	}
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
		read_file("--raw", given->raw, &reply->body, &reply->body_size);
		args->stdin_used = strcmp(given->raw, "-") == 0;
	} else if (given->body != NULL) {
		read_text(args, "--body", given->body, reply);
		if (reply->type == NULL && given->body[0] == '@' &&
			!args->stdin_used)
			reply->type = retort_type_of(given->body + 1);
	}
	if ((reply->status == 204 || reply->status == 304) && given->body &&
		given->faults == NULL)
		die(EXIT_USAGE,
			"--status %d has no body: --body and it "
			"exclude each other",
			reply->status);
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
	count = number("LISTEN_FDS", fds, 0, 1000);
	if (count > 0 && args->port_given)
		die(EXIT_USAGE, "--port and LISTEN_FDS exclude each other");
	for (uint64_t i = 0; i < count; i++) {
		char *spec = must(malloc(32));

		(void)snprintf(spec, 32, "fd:%llu",
			(unsigned long long)(FIRST_LISTEN_FD + i));
		add_text(&given->bind, &given->bind_count, spec);
	}
}

static void
check_port(const struct args *args, const struct given *given)
{
	size_t without = 0;

	for (size_t i = 0; i < given->bind_count; i++)
		if (strncmp(given->bind[i], "unix:", 5) == 0 ||
			strncmp(given->bind[i], "fd:", 3) == 0)
			without++;
	if (args->port_given && without > 0 && without == given->bind_count)
		die(EXIT_USAGE, "--port: no --bind address takes a port");
}

/* What faults by chance go with. */
static void
check_chance(const struct args *args, const struct given *given)
{
	if (args->chances != NULL && given->faults != NULL)
		die(EXIT_USAGE, "--fault and --faults exclude each other");
	if (args->chances != NULL && args->replay != NULL)
		die(EXIT_USAGE, "--faults and --replay exclude each other");
	if (args->chances != NULL && given->seed == NULL)
		die(EXIT_USAGE, "--faults: expected --seed N with it");
	if (args->chances == NULL && given->seed != NULL)
		die(EXIT_USAGE, "--seed: expected --faults with it");
}

/*
 * "run" or "sweep", and the words behind "--", which are cut off. Returns how
 * many words are left.
 */
static int
read_mode(struct args *args, int argc, char **argv)
{
	static const char *const names[] = {"", "run", "sweep"};
	int count = 0;

	for (int i = MODE_RUN; i <= MODE_SWEEP; i++)
		if (argc > 1 && strcmp(argv[1], names[i]) == 0)
			args->mode = (enum mode)i;
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
		die(EXIT_USAGE, "%s: expected '-- COMMAND' (see retort --help)",
			argv[1]);
	args->command = argv + count + 1;
	return count;
}

/* They are for one command, and not for people to look at. */
static void
set_mode(struct args *args, struct given *given)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

	if (args->mode == MODE_SERVE)
		return;
	if (!args->port_given)
		args->options.port = 0;
	args->log = args->log && (given->log || args->verbose > 0);
	args->options.unrecorded = args->mode == MODE_SWEEP;
	args->options.sigpipe_ignored = args->options.unrecorded;
	if (args->mode == MODE_RUN && args->with_parent)
		die(EXIT_USAGE, "run: --with-parent does nothing with it");
	if (args->mode == MODE_RUN)
		return;
	if (args->root != NULL || args->scenario != NULL ||
		args->chances != NULL || args->replay != NULL ||
		given->faults != NULL || given->echo || given->tcp ||
		given->udp)
		die(EXIT_USAGE,
			"sweep: expected the options of one reply alone, such "
			"as --body, --raw or --chunked");
	if (args->port_file || args->transcripts || args->lifetime >= 0 ||
		args->with_parent || args->log || args->verbose > 0 ||
		args->options.requests > 0 || given->host_count > 0)
		die(EXIT_USAGE,
			"sweep: --port-file, --transcript, --lifetime, "
			"--with-parent, --requests, --host, --log and -v do "
			"nothing with it");
	if (given->raw == NULL && given->body == NULL)
		given->body = letters;
	args->options.defer_accept = false;
}

void
args_read(struct args *args, int argc, char **argv)
{
	static const char *const loopback[] = {"localhost", NULL};
	struct given given = {.status = NULL};
	int option;

	*args = (struct args){
		.options = {.port = 8080,
			.head_timeout = 10000,
			.body_timeout = 10000,
			.write_timeout = 30000,
			.idle_timeout = 600000,
			.defer_accept = true,
			.unrecorded = true,
			.sigpipe_ignored = true},
		.grace = 1000,
		.lifetime = -1,
		.log = true,
	};
	argc = read_mode(args, argc, argv);
	if (args->mode != MODE_SERVE)
		optind = 2;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":p:b:s:H:vqhV", long_options,
			NULL)) != -1) {
		const char *text = optarg;
		char letter[] = {'-', (char)optopt, '\0'};

		if (option == '?' || option == ':')
			text = optopt > 0 && optopt <= UCHAR_MAX ?
				letter :
				argv[optind - 1];
		if (!read_limit(args, option, text) &&
			!read_script_option(args, &given, option, text) &&
			!read_files_option(args, &given, option, text) &&
			!read_plain_option(args, &given, option, text) &&
			!read_fault_option(args, &given, option, text))
			read_option(args, &given, option, text);
	}
	args->root = optind < argc ? argv[optind] : NULL;
	if (optind + 1 < argc)
		die(EXIT_USAGE, "'%s': only one ROOT can be served",
			argv[optind + 1]);
	check_protocol(&given);
	check_clashes(args, &given);
	check_chance(args, &given);
	set_mode(args, &given);
	read_listen_fds(args, &given);
	check_port(args, &given);
	if (given.tcp || given.udp)
		read_plain(args, &given);
	else
		read_reply(args, &given);
	args->options.bind = given.bind ? given.bind : loopback;
	args->options.hosts = given.hosts;
	if (args->transcripts != NULL) {
		args->options.unrecorded = false;
		args->options.sigpipe_ignored = false;
	}
	if (given.faults != NULL && args->root == NULL && !args->canned)
		die(EXIT_USAGE,
			"--fault: expected ROOT, or a reply such as --body, "
			"with it");
	args->faults = given.faults;
	args->reply.fields = args->files.fields = given.fields;
	args->reply.omit = args->files.omit = given.omit;
	args->files.types = given.types;
	args->files.type_count = given.type_count;
	/* a scenario answers by itself */
	if (args->root == NULL && !args->canned && args->scenario == NULL)
		args->root = ".";
}
