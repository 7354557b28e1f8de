/* SPDX-License-Identifier: MIT */
/*
 * Mistakes that people make, and what to write instead. Each row of the table
 * has the pattern of an error line, and the hint. It is used only when the
 * process is about to end.
 */
#include "config.h"

#include "args/args_parts.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

/* Parts of a line that a hint may repeat, and the line itself. */
#define PARTS 5

/* The lines are error messages, and those of args_add_operand(). In a hint, $1
   is the match of the first parentheses. The first row that fits counts. */
static const struct {
	const char *line; /* regex(7), extended, from its beginning on */
	const char *hint;
} hints[] = {
	/* ROOT that is none: most often it belonged to the option before it */
	{"^operand '/.*' after --echo$", "@on /PATH and @echo in a --scenario"},
	{"^operand '(.*)' after (--(body|fault|header|type)) "
	 "'(.*)'$",
		"quote it: $2 '$4 $1'"},
	{"^operand ':?([0-9]+)'", "a port is -p $1"},
	{"^operand '(https?://)?(localhost:[0-9]+|[0-9.]+:[0-9]+)/?'",
		"an address is -b $2"},
	{"^operand '(help|version)'", "--$1"},
	{"^operand '(run|sweep)'", "$1 comes first, before the options"},
	{"^operand 'serve'", "leave out the word serve"},

	/* addresses */
	{"^--bind: address '([0-9]+)'", "a port alone is -p $1"},
	{"^--bind: address 'https?://((localhost|[0-9.]+|\\[[0-9a-f:]+\\])"
	 "(:[0-9]+)?)[/']",
		"without http: -b $1"},
	{"^--bind: address '[a-z0-9.-]*[a-z][a-z0-9.-]*(:[0-9]+)?': expected I",
		"names are not looked up"},
	{"^--bind: address '(/.*)'", "a Unix socket is -b unix:$1"},
	{"^--port '([^:]*:[0-9]+)'", "an address is -b $1"},
	{"^--(port|status|bind:) (address )?'=(.+)': ", "without the ="},
	{"^bind [0-9[].*: Address already in use", "port 0 takes any free one"},
	{"^bind unix:.*: Address already in use",
		"somebody listens there, or it is not a socket"},
	{"^--control: bind unix:.*: Address already in use",
		"somebody listens there, or it is not a socket"},
	{"^bind [0-9[].*: Permission denied",
		"ports below 1024 are for root: try -p 8080"},

	/* values */
	{"^--fault: after '[^ ]+': expected",
		"quote all of it: --fault 'cut body 3'"},
	{"^--limit '?body", "or none"},
	{"^option --help takes no value", "--help all"},
	{"^option --verbose takes no value", "-vv"},
	{"^option --echo takes no value",
		"@on /PATH and @echo in a --scenario"},
	{"^--body .*: No such file", "@ says that the text is in a file"},

	/* what other servers have */
	{"^unknown option (-l|--(addr|address|bind-address|interface|ip|listen|"
	 "listen-address))$",
		"-b ADDRESS, such as -b 0.0.0.0"},
	{"^unknown option (-d|--dir|--directory|--root)$",
		"name the folder alone: retort DIR"},
	{"^unknown option --(latency|sleep)$", "--delay 500ms"},
	{"^unknown option --(rate|limit-rate|throttle|bandwidth|slow)$",
		"--fault 'rate 10000', in bytes each second"},
	{"^unknown option --truncate$", "--fault 'cut 50%'"},
	{"^unknown option --(drop|reset)$", "--fault 'cut 0 reset'"},
	{"^unknown option --(config|mock|routes?|rules?|script|spec)$",
		"--scenario FILE"},
	{"^unknown option --(expect|on)$", "@$1 in a --scenario"},
	{"^unknown option --(endpoint|method|path|url)$",
		"@on METHOD /PATH in a --scenario"},
	{"^unknown option --watch$", "--reload with --scenario FILE"},
	{"^unknown option --cache$", "-H 'Cache-Control: max-age=60'"},
	{"^unknown option --(redirect|location)$",
		"-s 302 with -H 'Location: URL'"},
	{"^unknown option --(allow-origin|cors-origin)$", "--cors"},
	{"^unknown option --(code|status-code)$", "-s CODE"},
	{"^unknown option --json$", "--body '{\"id\": 1}'"},
	{"^unknown option --content-type$", "--type TYPE"},
	{"^unknown option --(data|file)$", "--body @FILE"},
	{"^unknown option --(reply|response|text)$", "--body TEXT"},
	{"^unknown option --(socket|unix)$", "-b unix:PATH"},
	{"^unknown option --(https|ssl)$", "--tls"},
	{"^unknown option --(cert|key)$", "--tls with --tls-$1 FILE"},
	{"^unknown option --once$", "--requests 1"},
	{"^unknown option --(count|max-requests)$", "--requests N"},
	{"^unknown option --(duration|for|max-time|ttl)$", "--lifetime TIME"},
	{"^unknown option --(idle|idle-timeout)$", "--timeout idle=TIME"},
	{"^unknown option --max-(body|body-size|size)$", "--limit body=BYTES"},
	{"^unknown option --(auth|basic|basic-auth|user)$",
		"@if-basic USER:PASSWORD in a --scenario"},
	{"^unknown option --proxy$", "@on CONNECT HOST:PORT in a --scenario"},
	{"^unknown option --(log-file|access-log)$",
		"the log is on standard error: 2>FILE"},
	{"^unknown option --(format|log-format)$", "--log FORMAT"},
	{"^unknown option --(no-log|silent)$", "--quiet"},
	{"^unknown option --(debug|log-level)$", "-v; with bodies: -vv"},
	{"^unknown option --(gzip|brotli|compress)$",
		"--precompressed, with FILE.gz or FILE.br next to FILE"},
	{"^unknown option --(background|daemon|detach)$",
		"& of the shell: it prints its URL once it listens"},
	{"^unknown option --pid-?file$", "$! of the shell is its number"},
	{"^unknown option --no-cache$", "it is the default"},
	{"^unknown option --no-(autoindex|index)$", "--no-listing"},
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

/* Whether the line begins as each that fits does: to compile all patterns would
   take longer than all else. */
static bool
may_fit(const char *line, const char *pattern)
{
	size_t plain = strcspn(++pattern, "[(.+?\\$");

	plain -= pattern[plain] == '?';
	return strncmp(line, pattern, plain) == 0;
}

bool
args_hint(const char *line, char *hint, size_t room)
{
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		regmatch_t parts[PARTS];
		regex_t pattern;
		bool fits;

		if (!may_fit(line, hints[i].line) ||
			regcomp(&pattern, hints[i].line, REG_EXTENDED) != 0)
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
