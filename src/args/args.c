/* SPDX-License-Identifier: MIT */
/*
 * From the command line to the library's options. Whatever cannot be obeyed
 * ends the process here, with one line that names the option.
 */
#include "config.h"

#include "args/args_parts.h"

#include <string.h>

/* Words that are still to be read. */
struct words {
	char **at;
	char **end;
};

/* The value of an option: the rest of its word, or the next word. */
static const char *
take_value(struct words *words, const char *rest, const char *option)
{
	if (rest != NULL)
		return rest;
	if (words->at == words->end)
		args_die(EXIT_USAGE,
			"option %s needs a value (see retort --help)", option);
	return *words->at++;
}

/* A variable of the shell was empty, most often. */
static void
refuse_empty(const struct option *option)
{
	if (strcmp(option->value, "FILE") == 0 ||
		strcmp(option->value, "DIR") == 0)
		args_die(EXIT_USAGE, "--%s '': expected the name of a %s",
			option->name, option->value);
}

static void
take(struct given *given, const struct words *words,
	const struct option *option, const char *value)
{
	given->next = words->at < words->end ? *words->at : NULL;
	if (value != NULL && *value == '\0')
		refuse_empty(option);
	option->read(given, option, value);
	args_note(given, option);
	given->before = option;
	given->value = value;
}

/* "--name", "--name=value", or "--name" and a value. */
static void
read_long(struct given *given, struct words *words, const char *word)
{
	const char *name = word + 2, *rest;
	size_t size = strcspn(name, "=");
	const struct option *option = args_find(given, name, size);
	char room[32];

	if (option == NULL)
		args_unknown(given, word);
	rest = name[size] == '=' ? name + size + 1 : NULL;
	if (option->value != NULL)
		rest = take_value(words, rest, args_call(option, room));
	else if (rest != NULL)
		args_die(EXIT_USAGE, "option --%s takes no value",
			option->name);
	take(given, words, option, rest);
}

/* "-qv", "-p8080", or "-p" and a value. */
static void
read_letters(struct given *given, struct words *words, const char *word)
{
	char letter[] = "-?";

	/* "-body" is hardly -b with a value */
	if (word[2] != '\0' &&
		args_find(given, word + 1, strcspn(word + 1, "=")) != NULL)
		args_unknown(given, word);
	while (*++word != '\0') {
		const struct option *option = args_find_letter(given, *word);

		letter[1] = *word;
		if (option == NULL)
			args_die(EXIT_USAGE, "unknown option %s", letter);
		if (option->value == NULL) {
			take(given, words, option, NULL);
			continue;
		}
		take(given, words, option,
			take_value(words, word[1] ? word + 1 : NULL, letter));
		return;
	}
}

static void
read_words(struct given *given, struct words *words)
{
	bool options = true;

	while (words->at < words->end) {
		const char *word = *words->at++;

		if (!options || word[0] != '-' || word[1] == '\0')
			args_add_operand(given, word);
		else if (strcmp(word, "--") == 0)
			options = false;
		else if (word[1] == '-')
			read_long(given, words, word);
		else
			read_letters(given, words, word);
	}
	if (given->second != NULL)
		args_die(EXIT_USAGE, "'%s': only one ROOT can be served%s",
			given->second, given->args.root_hint);
}

_Noreturn static void
need_command(const char *mode)
{
	args_die(EXIT_USAGE,
		"%s: expected -- COMMAND at the end, such as "
		"-- curl -sf {url}",
		mode);
}

/* Perhaps: one may be the value of an option. */
static bool
asks_for_help(char **from, char **to)
{
	static const char *const words[] = {"-h", "--help", "-V", "--version"};

	for (; from < to; from++)
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (strcmp(*from, words[i]) == 0)
				return true;
	return false;
}

static bool
has_command(enum mode mode)
{
	return mode == MODE_RUN || mode == MODE_SWEEP;
}

/* "run" or "sweep", and the words after "--", which are cut off; or "show". */
static void
read_mode(struct args *args, struct words *words)
{
	char **at = words->at, **end;

	if (at < words->end)
		args->mode = args_mode(*at);
	if (args->mode == MODE_SERVE)
		return;
	end = ++words->at;
	if (!has_command(args->mode))
		return;
	while (end < words->end && strcmp(*end, "--") != 0)
		end++;
	if (words->end - end >= 2) {
		args->command = end + 1;
		words->end = end;
	} else if (!asks_for_help(words->at, end)) {
		need_command(*at);
	}
}

static const struct args defaults = {
	.options = {.port = 8080,
		.head_timeout = 10000,
		.body_timeout = 30000,
		.write_timeout = 600000,
		.idle_timeout = -1, /* it depends on others */
		.unrecorded = true},
	.grace = 1000,
	.lifetime = -1,
	.log = true,
	.root_hint = "",
};

void
args_read(struct args *args, int argc, char **argv, const char *sandbox)
{
	struct given given = {.options = args_options,
		.args = defaults,
		.sandbox = sandbox};
	struct words words = {.at = argv + (argc > 0), .end = argv + argc};

	read_mode(&given.args, &words);
	read_words(&given, &words);
	if (has_command(given.args.mode) && given.args.command == NULL)
		need_command(argv[1]);
	args_finish(&given);
	*args = given.args;
}

const char *
args_words(const char *option)
{
	const struct option *at = args_options;

	while (at->name == NULL || strcmp(at->name, option) != 0)
		at++;
	return at->words;
}
