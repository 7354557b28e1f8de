/* SPDX-License-Identifier: MIT */
/* Options that exclude or need each other. */
#include "config.h"

#include "args/args_parts.h"

#include <stdio.h>
#include <string.h>

static unsigned
ways_of(const struct option *option)
{
	return option->ways != 0 ? option->ways : ANY_WAY;
}

static bool
is_given(const struct given *given, const struct option *option)
{
	return given->was_given[option - given->options];
}

/* The next that was given; NULL: there is none. */
static const struct option *
next_given(const struct given *given, const struct option *option)
{
	for (; !args_is_end(option); option++)
		if (is_given(given, option))
			return option;
	return NULL;
}

/* Refuses options of plain sockets without these. */
static void
check_protocol(const struct given *given, const struct option *option)
{
	bool tcp = (option->ways & TCP) != 0, udp = (option->ways & UDP) != 0;

	if (option->ways == 0 || (option->ways & HTTP) != 0 ||
		(tcp && args_is_given(given, "tcp")) ||
		(udp && args_is_given(given, "udp")))
		return;
	args_die(EXIT_USAGE, "--%s: needs --tcp%s", option->name,
		udp ? " or --udp" : "");
}

/* Bytes of the names of options that one needs. */
#define NAMES 64

/* Whether one of "a|b" is given; otherwise `names` says "--a or --b". */
static bool
has_one(const struct given *given, const char *words, size_t size,
	char names[NAMES])
{
	const char *at = words;
	char one[32];

	for (*names = '\0'; at < words + size; at += *at == '|') {
		int length = (int)strcspn(at, "| ");
		size_t used = strlen(names);

		(void)snprintf(one, sizeof one, "%.*s", length, at);
		if (args_is_given(given, one) ||
			strcmp(one, args_modes[given->args.mode]) == 0)
			return true;
		(void)snprintf(names + used, NAMES - used, "%s%s%s",
			used == 0                 ? "" :
				at[length] == '|' ? ", " :
						    " or ",
			args_mode(one) != MODE_SERVE ? "" : "--", one);
		at += length;
	}
	return false;
}

/* Refuses an option without those that it needs. */
static void
check_needs(const struct given *given, const struct option *option)
{
	char names[NAMES];

	for (const char *at = option->needs; at != NULL && *at != '\0';) {
		size_t size = strcspn(at, " ");

		if (!has_one(given, at, size, names))
			args_die(EXIT_USAGE, "--%s: needs %s", option->name,
				names);
		at += size + (at[size] == ' ');
	}
}

/* Nothing but a scenario answers: no option says another way. */
static bool
is_scenario_alone(const struct given *given)
{
	const struct option *option = given->options;
	unsigned ways = ANY_WAY;

	while ((option = next_given(given, option)) != NULL)
		ways &= ways_of(option++);
	return given->args.mode != MODE_SWEEP && args_has_rules(&given->args) &&
		given->args.root == NULL && (ways & FILES) != 0;
}

static void
check_ways(const struct given *given, const struct option *option)
{
	const struct option *other = option + 1;
	char name[32], other_name[32];

	if (is_scenario_alone(given) && (ways_of(option) & RULES) == 0)
		args_die(EXIT_USAGE,
			"%s: needs ROOT, as %s alone serves no files",
			args_call(option, name),
			given->args.scenario ? "--scenario" : "--control");
	for (; (other = next_given(given, other)) != NULL; other++)
		if ((ways_of(option) & ways_of(other)) == 0)
			args_die(EXIT_USAGE, "%s and %s exclude each other%s",
				args_call(option, name),
				args_call(other, other_name),
				given->args.root_hint);
}

/* Why modes lack options. */
static const char *const why[] = {
	[MODE_SERVE] = "",
	[MODE_RUN] = "it ends with COMMAND",
	[MODE_SWEEP] = ("it takes the options of one reply, such as --body or "
			"--raw"),
	[MODE_SHOW] = "it serves nothing",
};

/* Refuses options with retort sweep that are not about one reply. */
static void
check_sweep(const struct given *given, const struct option *option)
{
	if (given->args.mode == MODE_SWEEP &&
		(ways_of(option) & (CANNED | RAW)) == 0) {
		char name[32];

		args_die(EXIT_USAGE, "sweep: not with %s: %s%s",
			args_call(option, name), why[MODE_SWEEP],
			given->args.root_hint);
	}
}

/* Refuses options of servers with retort show, which serves nothing. */
static void
check_show(const struct given *given, const struct option *option)
{
	if (given->args.mode == MODE_SHOW &&
		strcmp(option->name, "report") != 0) {
		char name[32];

		args_die(EXIT_USAGE, "show: not with %s: %s",
			args_call(option, name), why[MODE_SHOW]);
	}
}

/* Refuses options and modes that an option excludes by name. */
static void
check_excluded(const struct given *given, const struct option *option)
{
	const enum mode mode = given->args.mode;
	const char *words = option->excludes;
	char word[32];

	while (args_next_word(&words, word)) {
		if (strcmp(word, args_modes[mode]) == 0)
			args_die(EXIT_USAGE, "%s: not with --%s: %s", word,
				option->name, why[mode]);
		if (args_is_given(given, word))
			args_die(EXIT_USAGE, "--%s and --%s exclude each other",
				option->name, word);
	}
}

void
args_check(const struct given *given)
{
	static void (*const checks[])(const struct given *given,
		const struct option *option) = {check_show, check_needs,
		check_protocol, check_sweep, check_ways, check_excluded};

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		const struct option *at = given->options;

		while ((at = next_given(given, at)) != NULL)
			checks[i](given, at++);
	}
}
