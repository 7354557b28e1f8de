/* SPDX-License-Identifier: MIT */
/* Names of options, known and unknown, and operands. */
#include "config.h"

#include "args/args_parts.h"

#include <stdio.h>
#include <string.h>

const char *const args_modes[] = {"serve", "run", "sweep", "show"};

enum mode
args_mode(const char *word)
{
	for (enum mode mode = MODE_RUN; mode <= MODE_SHOW; mode++)
		if (strcmp(word, args_modes[mode]) == 0)
			return mode;
	return MODE_SERVE;
}

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
nearest(const struct option *option, const char *name, size_t size)
{
	const char *found = NULL;
	size_t most = size < 5 ? 1 : 2;

	if (size == 0 || size > LONGEST_NAME)
		return NULL;
	for (; !args_is_end(option); option++) {
		size_t d;

		if (option->read == NULL || option->part)
			continue;
		d = strncmp(option->name, name, size) == 0 ?
			0 :
			distance(name, size, option->name);
		if (d > most || (d == most && found != NULL))
			continue;
		most = d;
		found = option->name;
	}
	return found;
}

void
args_unknown(const struct given *given, const char *word)
{
	bool is_long = strncmp(word, "--", 2) == 0;
	const char *name = word + 1 + is_long, *close;
	size_t size = strcspn(name, "=");
	char line[128], hint[128];

	(void)snprintf(line, sizeof line, "unknown option %.*s",
		(int)(size + (size_t)(name - word)), word);
	if (is_long && args_hint(line, hint, sizeof hint))
		args_die(EXIT_USAGE, "%s", line);
	close = nearest(given->options, name, size);
	if (close != NULL)
		args_die(EXIT_USAGE, "%s: did you mean --%s?", line, close);
	args_die(EXIT_USAGE, "%s (see retort --help)", line);
}

/* --- what was given --- */

const struct option *
args_find(const struct given *given, const char *name, size_t size)
{
	const struct option *option = given->options;

	for (; !args_is_end(option); option++)
		if (option->read != NULL && !option->part &&
			strlen(option->name) == size &&
			strncmp(option->name, name, size) == 0)
			return option;
	return NULL;
}

const struct option *
args_find_letter(const struct given *given, char letter)
{
	const struct option *option = given->options;

	while (!args_is_end(option) && option->letter != letter)
		option++;
	return args_is_end(option) ? NULL : option;
}

void
args_note(struct given *given, const struct option *option)
{
	given->was_given[option - given->options] = true;
}

bool
args_is_given(const struct given *given, const char *name)
{
	const struct option *option = args_find(given, name, strlen(name));

	return option != NULL && given->was_given[option - given->options];
}

const char *
args_call(const struct option *option, char room[32])
{
	(void)snprintf(room, 32, "%s%s", option->read ? "--" : "",
		option->name);
	return room;
}

/* --- ROOT --- */

/* The row of ROOT. */
static const struct option *
find_operand(const struct given *given)
{
	const struct option *option = given->options;

	while (option->name == NULL || option->read != NULL)
		option++;
	return option;
}

void
args_add_operand(struct given *given, const char *text)
{
	struct args *args = &given->args;
	char line[512], hint[256], shown[260];
	size_t used =
		(size_t)snprintf(line, sizeof line, "operand '%.120s'", text);

	if (*text == '\0')
		args_die(EXIT_USAGE,
			"ROOT '': expected the name of a folder or a file");
	if (args->mode == MODE_SHOW) {
		args_add_text(&args->shown, &args->shown_count, text);
		return;
	}
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
	if (args->root == NULL) {
		args->root = text;
		args_note(given, find_operand(given));
	} else if (given->second == NULL)
		given->second = text;
}
