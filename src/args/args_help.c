/* SPDX-License-Identifier: MIT */
/* --help, which is the table of options in words; and --version. */
#include "config.h"

#include "args/args_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The column where the words begin. */
#define COLUMN 26

static const char usage[] =
	"Usage: retort [OPTION]... [ROOT]\n"
	"       retort run [OPTION]... [ROOT] -- COMMAND...\n"
	"       retort sweep [OPTION]... -- COMMAND...\n"
	"       retort show [--report FILE] TRANSCRIPT...\n"
	"Serves a folder, or one reply to every request, on localhost. See "
	"retort(1).\n";

/* "  -p, --port PORT         8080 by default; 0 takes any free port" */
static void
print_option(const struct option *option)
{
	char line[160], letter[] = "    ", room[32];
	int size;

	if (option->letter != 0)
		(void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
	size = snprintf(line, sizeof line, "  %s%s%s%s",
		option->read ? letter : "", args_call(option, room),
		option->value ? " " : "", option->value ? option->value : "");
	(void)snprintf(line + size, sizeof line - (size_t)size, "%*s%s\n",
		size < COLUMN - 1 ? COLUMN - size : 2, "", option->help);
	args_print(line);
}

void
args_read_help(struct given *given, const struct option *option,
	const char *text)
{
	bool all = given->next != NULL && strcmp(given->next, "all") == 0;

	(void)text;
	args_print(usage);
	for (option = given->options; !args_is_end(option); option++)
		if (option->name == NULL && all) {
			args_print(option->help);
			args_print("\n");
		} else if (!option->part && (all || option->brief)) {
			print_option(option);
		}
	exit(EXIT_SUCCESS);
}

void
args_read_version(struct given *given, const struct option *option,
	const char *text)
{
	(void)option;
	(void)text;
	args_print("retort ");
	args_print(retort_version());
	args_print("\nllhttp " RT_LLHTTP "\n");
#ifdef RT_OPENSSL
	args_print("TLS by OpenSSL, built with " RT_OPENSSL "\n");
#else
	args_print("without TLS\n");
#endif
#ifdef RT_JANSSON
	args_print("JSON by jansson, built with " RT_JANSSON "\n");
#else
	args_print("without JSON\n");
#endif
	args_print(given->sandbox);
	args_print("\n");
	exit(EXIT_SUCCESS);
}
