/* SPDX-License-Identifier: MIT */
/* Names of options that are not known, and operands that are none. */
#include "config.h"

#include "args/args_parts.h"

#include <stdio.h>
#include <string.h>

/* No name is longer, so that distances fit. */
#define LONGEST_NAME 32

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
			args_die(EXIT_USAGE, "option --%s takes no value",
				at->name);
		return;
	}
	(void)snprintf(line, sizeof line, "unknown option %.*s",
		(int)(size + (size_t)(name - word)), word);
	if (at->name == NULL && args_hint(line, hint, sizeof hint))
		args_die(EXIT_USAGE, "%s", line);
	close = at->name ? at->name : nearest(options, name, size);
	if (close != NULL)
		args_die(EXIT_USAGE, "%s: did you mean --%s?", line, close);
	args_die(EXIT_USAGE, "%s (see retort --help)", line);
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
