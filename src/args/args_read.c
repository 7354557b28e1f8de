/* SPDX-License-Identifier: MIT */
/* How each kind of option is read, and a few that are like no other. */
#include "config.h"

#include "args/args_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- by their kind --- */

static void *
place(struct given *given, const struct option *option)
{
	return (char *)given + option->to;
}

static void
store(struct given *given, const struct option *option, uint64_t value)
{
	const uint32_t narrow = (uint32_t)value;

	if (option->width == sizeof narrow)
		memcpy(place(given, option), &narrow, sizeof narrow);
	else
		memcpy(place(given, option), &value, sizeof value);
}

void
args_read_flag(struct given *given, const struct option *option,
	const char *text)
{
	(void)text;
	*(bool *)place(given, option) = true;
}

void
args_read_more(struct given *given, const struct option *option,
	const char *text)
{
	(void)text;
	++*(int *)place(given, option);
}

void
args_read_number(struct given *given, const struct option *option,
	const char *text)
{
	char name[32];

	store(given, option,
		args_number(args_call(option, name), text, option->least,
			option->most));
}

void
args_read_time(struct given *given, const struct option *option,
	const char *text)
{
	char name[32];

	*(int *)place(given, option) = args_time(args_call(option, name), text);
}

void
args_read_text(struct given *given, const struct option *option,
	const char *text)
{
	*(const char **)place(given, option) = text;
}

void
args_read_size(struct given *given, const struct option *option,
	const char *text)
{
	char name[32];

	store(given, option,
		args_size(args_call(option, name), text, option->least,
			option->most));
}

/* --- what has parts --- */

/* "head=10", which is `size` bytes at `text`. False: it is none of them. */
static bool
read_part(struct given *given, const struct option *option, const char *text,
	size_t size)
{
	const char *equals = memchr(text, '=', size);
	const struct option *part = option + 1;

	for (; equals != NULL && part->part; part++) {
		const char *name = part->name + strlen(option->name) + 1;
		char *value;

		if (strlen(name) != (size_t)(equals - text) ||
			strncmp(name, text, strlen(name)) != 0)
			continue;
		value = args_must(strndup(equals + 1, size - strlen(name) - 1));
		part->read(given, part, value);
		args_note(given, part);
		free(value);
		return true;
	}
	return false;
}

void
args_read_parts(struct given *given, const struct option *option,
	const char *text)
{
	const char *at = text;

	for (;;) {
		size_t size = strcspn(at, ",");

		if (!read_part(given, option, at, size))
			args_die(EXIT_USAGE, "--%s '%s': expected %s%s",
				option->name, text,
				option->read == args_read_timeout ?
					"a time, or one or more of " :
					"one or more of ",
				option->words);
		if (at[size] == '\0')
			return;
		at += size + 1;
	}
}

void
args_read_timeout(struct given *given, const struct option *option,
	const char *text)
{
	const struct option *part = option + 1;

	if (strpbrk(text, "=,") != NULL) {
		args_read_parts(given, option, text);
		return;
	}
	for (; part->part; part++) {
		struct option whole = *part;

		whole.name = option->name;
		args_read_time(given, &whole, text);
	}
}

/* --- addresses --- */

/* The address before ",mode=660", which unix:PATH may have. */
static const char *
take_mode(struct given *given, const char *text)
{
	static const char name[] = ",mode=";
	int *mode = &given->args.options.socket_mode, last = *mode;
	const char *at = NULL, *next = text;

	while (strncmp(text, "unix:", 5) == 0 &&
		(next = strstr(next, name)) != NULL)
		at = next++;
	if (at == NULL)
		return text;
	*mode = args_permissions("--bind", at + strlen(name));
	if (last != 0 && last != *mode)
		args_die(EXIT_USAGE,
			"--bind '%s': expected the mode of the others, %o",
			text, (unsigned)last);
	return args_must(strndup(text, (size_t)(at - text)));
}

void
args_read_bind(struct given *given, const struct option *option,
	const char *text)
{
	(void)option;
	if (*text == '\0' || strchr(text, '\n') != NULL)
		args_die(EXIT_USAGE,
			"--bind: address '%s': expected IPv4, IPv6, localhost, "
			"unix:PATH or fd:N",
			text);
	if (strcmp(text, "fd:1") == 0 || strcmp(text, "fd:2") == 0)
		args_die(EXIT_USAGE,
			"--bind '%s': standard output and error are not for "
			"listening",
			text);
	if (text[0] == ':' && text[1] != ':') {
		char *address = args_must(malloc(strlen(text) + 10));

		(void)sprintf(address, "localhost%s", text);
		text = address;
	}
	args_add_text(&given->bind, &given->bind_count, take_mode(given, text));
}

/* Whether the library takes it as one of its hosts. */
static bool
is_host(const char *text)
{
	struct retort *server;

	if (*text == '\0' || strpbrk(text, "\r\n") != NULL)
		return false;
	server = retort_start(.bind = "", .stepped = true, .hosts = text);
	if (server == NULL && errno != EINVAL)
		args_die(EXIT_FAILURE, "--host: %s", strerror(errno));
	retort_close(server);
	return server != NULL;
}

void
args_read_host(struct given *given, const struct option *option,
	const char *text)
{
	(void)option;
	if (!is_host(text))
		args_die(EXIT_USAGE,
			"--host '%s': expected a name or address without port, "
			"IPv6 in brackets",
			text);
	args_add_line(&given->hosts, text, strlen(text));
}

/* --- replies --- */

/* Has the library check a reply. 0, or -errno with a line in `error`. */
static int
try_reply(const struct retort_reply *reply, char *error)
{
	struct retort *server =
		retort_start(.bind = "", .stepped = true, .error = error);
	struct retort_reply tried = *reply;
	int code = -1;

	tried.server = server;
	tried.error = error;
	if (server != NULL)
		code = retort_answer_sized(&tried, sizeof tried);
	retort_close(server);
	return code;
}

/* Refuses here, where the option is known, what the library would refuse. */
static void
check(const char *option, const char *text, const struct retort_reply *reply)
{
	char error[RETORT_ERROR_SIZE], *what = error;

	if (try_reply(reply, error) == 0)
		return;
	/* "type: 'x': expected ..." */
	for (char *at = error; (at = strstr(at, "': ")) != NULL;)
		what = at += 3;
	args_die(EXIT_USAGE, "%s '%s': %s", option, text, what);
}

void
args_read_type(struct given *given, const struct option *option,
	const char *text)
{
	check("--type", text, &(struct retort_reply){.type = text});
	args_read_text(given, option, text);
}

/* "Name: value", and "Name:" to remove. */
void
args_read_header(struct given *given, const struct option *option,
	const char *text)
{
	const char *colon = strchr(text, ':'), *value;
	struct retort_reply reply = {.status = 0};
	size_t size;
	char *line;

	(void)option;
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

/* --- files --- */

void
args_read_mime(struct given *given, const struct option *option,
	const char *text)
{
	const char *equals = strchr(text, '=');
	struct retort_type *type;
	char *extension;

	(void)option;
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

void
args_read_page(struct given *given, const struct option *option,
	const char *text)
{
	if (*text == '\0' || *text == '/')
		args_die(EXIT_USAGE,
			"--spa '%s': expected the path of a file beneath ROOT, "
			"such as index.html",
			text);
	args_read_text(given, option, text);
}

void
args_read_path(struct given *given, const struct option *option,
	const char *text)
{
	if (*text != '/' || strpbrk(text, "?#") != NULL)
		args_die(EXIT_USAGE,
			"--%s '%s': expected a path that begins with a slash, "
			"such as /app",
			option->name, text);
	args_read_text(given, option, text);
}

/* --- protocols and faults --- */

void
args_read_lines(struct given *given, const struct option *option,
	const char *text)
{
	(void)option;
	(void)text;
	given->args.options.framing = "lines";
}

void
args_read_protocol(struct given *given, const struct option *option,
	const char *text)
{
	(void)text;
	given->args.options.protocol =
		option->ways == TCP ? RETORT_TCP : RETORT_UDP;
}

/* Each is checked by itself, so that the message names the right one. */
void
args_read_fault(struct given *given, const struct option *option,
	const char *text)
{
	/* of a file nothing is known, so that the text alone can be wrong */
	const struct retort_reply reply = {.faults = text, .file = "/"};
	char error[RETORT_ERROR_SIZE];
	bool named;

	(void)option;
	if (try_reply(&reply, error) < 0) {
		/* what it quotes need not be said before it */
		named = *error == '\'' ||
			(strncmp(error, "after '", 7) == 0 &&
				strncmp(error + 7, text, strlen(text)) == 0);
		args_die(EXIT_USAGE, "--fault%s%s%s: %s", named ? "" : " '",
			named ? "" : text, named ? "" : "'", error);
	}
	args_add_line(&given->faults, text, strlen(text));
}

/* The server reads them, when it starts. */
void
args_read_tls_fault(struct given *given, const struct option *option,
	const char *text)
{
	(void)option;
	args_add_line(&given->tls_faults, text, strlen(text));
	given->args.options.tls_fault = given->tls_faults;
}

void
args_read_scenario(struct given *given, const struct option *option,
	const char *text)
{
	args_read_text(given, option, args_file_name(text));
}

/* --- logs, reports, limits --- */

void
args_read_log(struct given *given, const struct option *option,
	const char *text)
{
	static const char *const names[] = {"short", "common", "json",
		"combined", "scenario", "none", NULL};
	int format = args_choice("--log", text, names, option->help);

	given->args.log = format < 5;
	given->args.log_chosen = given->args.log;
	if (given->args.log)
		given->args.log_format = (enum retort_log)format;
}

void
args_read_quiet(struct given *given, const struct option *option,
	const char *text)
{
	(void)option;
	(void)text;
	given->args.log = false;
}

void
args_read_report(struct given *given, const struct option *option,
	const char *text)
{
	static const char *const usual[] = {".html", ".txt", NULL};
	static const char *const of_sweep[] = {".html", ".json", ".xml", NULL};
	bool sweeps = given->args.mode == MODE_SWEEP;
	const char *const *ends = sweeps ? of_sweep : usual;
	const char *end = strrchr(text, '.');

	while (*ends != NULL && (end == NULL || strcmp(end, *ends) != 0))
		ends++;
	if (*ends == NULL)
		args_die(EXIT_USAGE, "--report %.100s: expected %s", text,
			sweeps ? "FILE.html, FILE.json or FILE.xml" :
				 "FILE.html or FILE.txt");
	args_read_text(given, option, text);
}

void
args_read_body_limit(struct given *given, const struct option *option,
	const char *text)
{
	if (strcmp(text, "none") == 0)
		store(given, option, UINT64_MAX);
	else
		args_read_size(given, option, text);
}

/* The words are the values of an enum, after its default. */
void
args_read_tls(struct given *given, const struct option *option,
	const char *text)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3",
		NULL};
	static const char *const clients[] = {"wanted", "required", NULL};
	bool client = strcmp(option->name, "tls-client") == 0;
	char name[32];

	store(given, option,
		1 +
			(uint64_t)args_choice(args_call(option, name), text,
				client ? clients : versions,
				client ? "wanted or required" :
					 "1.0, 1.1, 1.2 or 1.3"));
}
