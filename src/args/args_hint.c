/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that people make, and what to write instead. One table: a line that
 * says what is wrong, as a pattern, and what to try. It is only looked at when
 * the process is about to end.
 */
#include "config.h"

#include "args/args_parts.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

/* Parts of a line that a hint may repeat, and the line itself. */
#define PARTS 5

/* No name is longer, so that distances fit. */
#define LONGEST_NAME 32

/* The lines are error messages, and those of args_add_operand(). In a hint $1 is
   what the first parentheses have matched. The first row that fits counts. */
static const struct {
	const char *line; /* regex(7), extended */
	const char *hint;
} hints[] = {
	/* ROOT that is none: most often it belonged to the option before it */
	{"^operand '(/.*)' after --echo$", "write --echo=$1"},
	{"^operand '(.*)' after (--(answer|body|faults?|greet|header|type)) "
	 "'(.*)'$",
		"quote it: $2 '$4 $1'"},
	{"^operand ':?([0-9]+)'", "a port is -p $1"},
	{"^operand '(https?://)?([a-z0-9.]+:[0-9]+)/?'", "an address is -b $2"},
	{"^operand '(help|version)'", "--$1"},
	{"^operand '(run|sweep)'", "$1 comes first, before the options"},
	{"^operand 'serve'", "leave out the word serve"},

	/* addresses */
	{"^--bind: address ':?([0-9]+)'", "a port alone is -p $1"},
	{"^--bind: address 'https?://(.*[^/])/?'", "without http: -b $1"},
	{"^--bind: address '[a-z0-9.-]*[a-z][a-z0-9.-]*(:[0-9]+)?': expected I",
		"names are not looked up"},
	{"^--bind: address '(/.*)'", "a Unix socket is -b unix:$1"},
	{"^--port '(.+:[0-9]+)'", "an address is -b $1"},
	{"^--port '=([0-9]+)'", "-p $1"},
	{"^bind [0-9[].*: Address already in use", "-p 0 takes a free port"},
	{"^bind unix:.*: Address already in use",
		"somebody listens there, or it is not a socket"},
	{"^bind [0-9[].*: Permission denied",
		"ports below 1024 are for root: try -p 8080"},

	/* values */
	{"^--fault '[^ ]+': expected", "quote all of it: --fault 'cut body 3'"},
	{"^--max-[a-z]+ '[0-9]+ ?[kKmMgG]", "in bytes: 1 MiB is 1048576"},
	{"^--(body|answer|greet) .*: No such file",
		"@ says that the text is in a file"},

	/* what other servers have */
	{"^unknown option --(addr|address|listen|interface)$",
		"-b ADDRESS, such as -b 0.0.0.0"},
	{"^unknown option (-d|--dir|--directory|--root)$",
		"name the folder alone: retort DIR"},
	{"^unknown option --cors$", "-H 'Access-Control-Allow-Origin: *'"},
	{"^unknown option --(delay|latency|sleep)$", "--fault 'pause 500'"},
	{"^unknown option --code$", "-s CODE"},
	{"^unknown option --content-type$", "--type TYPE"},
	{"^unknown option --(data|file)$", "--body @FILE"},
	{"^unknown option --(socket|unix)$", "-b unix:PATH"},
	{"^unknown option --(cert|https|key|ssl|tls)$", "there is no TLS"},
	{"^unknown option --once$", "--requests 1"},
	{"^unknown option --(fallback|single)$", "--spa index.html"},
	{"^unknown option -.$", "see retort --help"},
};

/* `hint` with the parts of `line` that it names. */
static void
fill_in(char *to, size_t room, const char *hint, const char *line,
	const regmatch_t *parts)
{
	size_t used = 0;

	for (; *hint != '\0' && used + 1 < room; hint++) {
		const regmatch_t *part = parts;
		size_t size;

		if (hint[0] != '$' || hint[1] < '1' || hint[1] >= '0' + PARTS) {
			to[used++] = *hint;
			continue;
		}
		part += *++hint - '0';
		size = part->rm_so < 0 ? 0 :
					 (size_t)(part->rm_eo - part->rm_so);
		if (size > room - 1 - used)
			size = room - 1 - used;
		memcpy(to + used, line + part->rm_so, size);
		used += size;
	}
	to[used] = '\0';
}

bool
args_hint(const char *line, char *hint, size_t room)
{
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		regmatch_t parts[PARTS];
		regex_t pattern;
		bool fits;

		if (regcomp(&pattern, hints[i].line, REG_EXTENDED) != 0)
			continue;
		fits = regexec(&pattern, line, PARTS, parts, 0) == 0;
		regfree(&pattern);
		if (!fits)
			continue;
		fill_in(hint, room, hints[i].hint, line, parts);
		return true;
	}
	return false;
}

/* --- names --- */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters are missing, too many, wrong, or exchanged with the next. */
static size_t
distance(const char *a, size_t size, const char *b)
{
	size_t rows[3][LONGEST_NAME + 1], *before = rows[0], *last = rows[1],
					  *now = rows[2], width = strlen(b);

	for (size_t k = 0; k <= width; k++)
		last[k] = k;
	for (size_t i = 1; i <= size; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t k = 1; k <= width; k++) {
			now[k] = least(last[k - 1] + (a[i - 1] != b[k - 1]),
				1 + least(last[k], now[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
				a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[width];
}

/* The name that begins so, or else the one that is nearest; NULL: none is. */
static const char *
nearest(const struct option *options, const char *name, size_t size)
{
	const char *found = NULL;
	size_t most = size < 4 ? 1 : 2;

	if (size == 0 || size > LONGEST_NAME)
		return NULL;
	for (; options->name != NULL; options++) {
		size_t d = strncmp(options->name, name, size) == 0 ?
			0 :
			distance(name, size, options->name);

		if (d > most || (d == most && found != NULL))
			continue;
		most = d;
		found = options->name;
	}
	return found;
}

void
args_check_name(const char *word, const struct option *options)
{
	bool is_long = strncmp(word, "--", 2) == 0;
	const char *name = word + 1 + is_long, *close;
	char line[128], hint[128];
	size_t size = strcspn(name, "=");
	const struct option *at = options;

	/* one letter has an option of its own, or is followed by its value */
	if (word[0] != '-' || size == 0 || (!is_long && size < 2))
		return;
	while (at->name != NULL &&
		(strlen(at->name) != size ||
			strncmp(at->name, name, size) != 0))
		at++;
	if (at->name == NULL && !is_long)
		return;
	if (at->name != NULL && is_long) {
		if (at->has_arg == no_argument && name[size] == '=')
			die(EXIT_USAGE, "option --%s takes no value", at->name);
		return;
	}
	(void)snprintf(line, sizeof line, "unknown option %.*s",
		(int)(size + (size_t)(name - word)), word);
	if (at->name == NULL && args_hint(line, hint, sizeof hint))
		die(EXIT_USAGE, "%s", line);
	close = at->name ? at->name : nearest(options, name, size);
	if (close != NULL)
		die(EXIT_USAGE, "%s: did you mean --%s?", line, close);
	die(EXIT_USAGE, "%s (see retort --help)", line);
}

/* --- ROOT --- */

void
args_add_operand(struct args *args, struct given *given, const char *text)
{
	char line[512], hint[256], shown[260];
	size_t used =
		(size_t)snprintf(line, sizeof line, "operand '%.120s'", text);

	if (given->before != NULL)
		used += (size_t)snprintf(line + used, sizeof line - used,
			" after --%s", given->before->name);
	if (given->before != NULL && given->value != NULL)
		(void)snprintf(line + used, sizeof line - used, " '%.120s'",
			given->value);
	given->before = NULL;
	if (*args->root_hint == '\0' && args_hint(line, hint, sizeof hint)) {
		(void)snprintf(shown, sizeof shown, " (%s)", hint);
		args->root_hint = args_must(strdup(shown));
	}
	if (args->root == NULL)
		args->root = text;
	else if (given->second == NULL)
		given->second = text;
}
