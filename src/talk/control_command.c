/* SPDX-License-Identifier: MIT */
/* Commands, each obeyed by calling retort.h. */
#include "config.h"

#include "talk/control_parts.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args/args.h"
#include "inspect/call.h"
#include "job/clock.h"
#include "show/escape.h"

/* The default time-out of `wait`, in ms. */
#define WAIT 10000

/* The longest command, and the bytes of it that an error shows. */
#define LONGEST 255
#define SHOWN 60

#define MOST_WORDS 3

/* The longest line of a record. */
#define RECORD_SIZE 4096

enum outcome { OK, WRONG, LATER, MISUSED };

/* A command while it is obeyed. */
struct obeyed {
	struct control_server *of;
	struct retort *server; /* its */
	const struct control_command *command;
	char line[LONGEST + 1];
	const char *words[MOST_WORDS]; /* of it; "" beyond the last one */
	FILE *answer;
	int64_t began;
	int left;  /* ms, if it is LATER */
	bool stop; /* the server is to end */
};

/* --- words --- */

/* Splits the line into words. False: there are more than a command can have. */
static bool
read_words(struct obeyed *obeyed)
{
	char *at = obeyed->line;

	for (size_t i = 0; i < MOST_WORDS; i++) {
		at += strspn(at, BLANKS);
		obeyed->words[i] = at;
		at += strcspn(at, BLANKS);
		if (*at != '\0')
			*at++ = '\0';
	}
	return at[strspn(at, BLANKS)] == '\0';
}

/* Reads a whole number from 1; 0: it is none. */
static unsigned long long
read_number(const char *word)
{
	unsigned long long number;

	if (*word == '\0' || strspn(word, "0123456789") != strlen(word))
		return 0;
	errno = 0;
	number = strtoull(word, NULL, 10);
	return errno == 0 ? number : 0;
}

/* Reads a time; `ms` if the word is empty. False: it is none. A number without
   a unit is in ms, as in the scenarios that are written here, too, although it
   is in seconds in options. */
static bool
read_time(const char *word, int *ms)
{
	size_t size = strlen(word);

	if (size == 0)
		return true;
	*ms = strchr("0123456789.", word[size - 1]) ? -1 : args_ms(word);
	return *ms >= 0;
}

/* Whether it is too late to wait, for `ms` in all. */
static bool
is_late(struct obeyed *obeyed, int ms)
{
	int64_t left = obeyed->began + ms - clock_ms();

	obeyed->left = left > 0 ? (int)left : 0;
	return left <= 0;
}

/* --- commands --- */

static enum outcome
obey_rules(struct obeyed *obeyed)
{
	char error[RETORT_ERROR_SIZE];
	unsigned number = obeyed->of->rules + 1;
	char name[32] = "rules", *notices = NULL;
	const char *said;
	const struct retort_scenario scenario = {
		.server = obeyed->server,
		.text = obeyed->command->text,
		.size = retort_size(obeyed->command->size),
		.name = name,
		.notices = &notices,
		.error = error,
	};
	int code;

	if (number > 1)
		(void)snprintf(name, sizeof name, "rules-%u", number);
	code = retort_load_sized(&scenario, sizeof scenario);
	if (code == 0)
		obeyed->of->rules = number;
	said = code < 0 ? error : notices ? notices : "";
	/* both may quote the text, and clients expect UTF-8 */
	escape_lines(obeyed->answer, said, strlen(said), "");
	free(notices);
	return code < 0 ? WRONG : OK;
}

static enum outcome
obey_reset(struct obeyed *obeyed)
{
	bool records = strcmp(obeyed->words[1], "records") == 0;

	if (!records && *obeyed->words[1] != '\0')
		return MISUSED;
	retort_reset(obeyed->server, records ? RETORT_RECORDS : RETORT_TEST);
	if (!records)
		obeyed->of->rules = 0;
	return OK;
}

/* Whether it arrived whole, and why not, or why it was refused. Other reasons
   are in the log line. */
static void
put_arrival(FILE *file, const struct retort_exchange *exchange)
{
	(void)fprintf(file, ",\"complete\":%s",
		exchange->complete ? "true" : "false");
	if (exchange->refused != 0)
		(void)fprintf(file, ",\"refused\":%d", exchange->refused);
	if (exchange->reason == NULL || exchange->protocol != RETORT_HTTP ||
		exchange->tls_error != NULL)
		return;
	(void)fputs(",\"reason\":", file);
	escape_string(file, exchange->reason, strlen(exchange->reason));
}

static enum outcome
obey_requests(struct obeyed *obeyed)
{
	static const struct call_shown all = {SIZE_MAX, SIZE_MAX, SIZE_MAX,
		true};
	const struct retort_exchange *exchange;
	bool whole = strcmp(obeyed->words[1], "whole") == 0;
	char line[RECORD_SIZE];

	if (!whole && *obeyed->words[1] != '\0')
		return MISUSED;
	for (size_t n = 1;
		(exchange = retort_record(obeyed->server, n)) != NULL; n++) {
		size_t size = retort_log_line(exchange, RETORT_LOG_JSON, line,
			sizeof line);

		if (whole) {
			size -= strlen("}\n");
			(void)fwrite(line, 1, size, obeyed->answer);
			put_arrival(obeyed->answer, exchange);
			call_write_request(obeyed->answer, exchange, &all);
			(void)fputs("}\n", obeyed->answer);
		} else {
			(void)fwrite(line, 1, size, obeyed->answer);
		}
	}
	return OK;
}

static enum outcome
obey_transcript(struct obeyed *obeyed)
{
	unsigned long long connection = read_number(obeyed->words[1]);
	char *text;

	if (connection == 0)
		return MISUSED;
	text = retort_transcript(obeyed->server, connection);
	if (text == NULL)
		(void)fprintf(obeyed->answer,
			"connection %llu: there is no record of it\n",
			connection);
	else
		(void)fputs(text, obeyed->answer);
	free(text);
	return text == NULL ? WRONG : OK;
}

static enum outcome
obey_wait(struct obeyed *obeyed)
{
	unsigned long long times = read_number(obeyed->words[1]);
	size_t count = retort_count(obeyed->server);
	int ms = WAIT;

	if (times == 0 || !read_time(obeyed->words[2], &ms))
		return MISUSED;
	if (count >= times)
		return OK;
	if (!is_late(obeyed, ms))
		return LATER;
	(void)fprintf(obeyed->answer,
		"%zu of %llu requests arrived within %d ms\n", count, times,
		ms);
	return WRONG;
}

static enum outcome
obey_verdict(struct obeyed *obeyed)
{
	const char *verdict = retort_verdict(obeyed->server);
	int ms = 0;

	if (!read_time(obeyed->words[1], &ms))
		return MISUSED;
	if (*verdict == '\0')
		return OK;
	if (!is_late(obeyed, ms))
		return LATER;
	(void)fputs(verdict, obeyed->answer);
	return WRONG;
}

/* Why a function of retort.h could not do it. */
struct failure {
	int code;
	const char *text;
};

/* OK, or an answer that says what became of the connection. */
static enum outcome
tell(struct obeyed *obeyed, unsigned long long connection, int code,
	const struct failure failures[], size_t count)
{
	const char *text = strerror(-code);

	for (size_t i = 0; i < count; i++)
		if (code == failures[i].code)
			text = failures[i].text;
	if (code < 0)
		(void)fprintf(obeyed->answer, "connection %llu: %s\n",
			connection, text);
	return code < 0 ? WRONG : OK;
}

/* The bytes that it says, or its lines; NULL: neither. They are freed by
   `owned`. False: they are malformed, which is answered. */
static bool
read_pushed(const struct obeyed *obeyed, const char **bytes, size_t *size,
	char **owned)
{
	const struct control_command *command = obeyed->command;
	char error[RETORT_ERROR_SIZE];

	*owned = NULL;
	*bytes = command->size > 0 ? command->text : NULL;
	*size = command->size;
	if (command->said == NULL)
		return true;
	*bytes = *owned = retort_bytes_of(command->said, size, error);
	/* it quotes them, and clients expect UTF-8 */
	if (*owned == NULL)
		escape_lines(obeyed->answer, error, strlen(error), "");
	return *owned != NULL;
}

/* Continues an open reply by what it is given; by nothing, ends it. */
static enum outcome
obey_push(struct obeyed *obeyed)
{
	static const struct failure failures[] = {
		{-EAGAIN, "its client takes nothing"},
		{-EPIPE, "its client has left, or its reply is over"},
		{-ENOENT,
			"it has ended or never was, or its reply is not "
			"open (@open)"},
		{-EMSGSIZE, "more than 1 MiB at once"},
	};
	unsigned long long connection = read_number(obeyed->words[1]);
	const char *bytes;
	char *owned;
	size_t size;
	int code;

	if (connection == 0)
		return MISUSED;
	if (!read_pushed(obeyed, &bytes, &size, &owned))
		return WRONG;
	code = retort_push(obeyed->server, connection, bytes, size);
	free(owned);
	if (code == -EAGAIN && !is_late(obeyed, WAIT))
		return LATER;
	return tell(obeyed, connection, code, failures,
		sizeof failures / sizeof *failures);
}

static enum outcome
obey_end(struct obeyed *obeyed)
{
	static const struct failure failures[] = {
		{-ENOENT, "it has ended, or never was"},
		{-ENOTSUP, "a datagram has none, and a Unix socket no reset"},
	};
	unsigned long long connection = read_number(obeyed->words[1]);
	bool reset = strcmp(obeyed->words[2], "reset") == 0;

	if (connection == 0 || (!reset && *obeyed->words[2] != '\0'))
		return MISUSED;
	return tell(obeyed, connection,
		retort_end(obeyed->server, connection,
			reset ? RETORT_RST : RETORT_FIN),
		failures, sizeof failures / sizeof *failures);
}

static enum outcome
obey_refuse(struct obeyed *obeyed)
{
	bool off = strcmp(obeyed->words[1], "off") == 0;
	int code;

	if (!off && *obeyed->words[1] != '\0')
		return MISUSED;
	code = retort_refuse(obeyed->server, !off);
	if (code < 0)
		(void)fprintf(obeyed->answer, "%s\n",
			code == -ENOTSUP ?
				"there is a listener that cannot refuse" :
				strerror(-code));
	return code < 0 ? WRONG : OK;
}

static enum outcome
obey_url(struct obeyed *obeyed)
{
	const char *url = retort_url(obeyed->server);

	if (url != NULL)
		(void)fprintf(obeyed->answer, "%s\n", url);
	return OK;
}

static enum outcome
obey_stop(struct obeyed *obeyed)
{
	obeyed->stop = true;
	return OK;
}

static const struct {
	const char *name;
	size_t most; /* words */
	enum outcome (*obey)(struct obeyed *obeyed);
	const char *expected; /* if it is MISUSED */
} commands[] = {
	{"rules", 2, obey_rules, "rules [END]"},
	{"requests", 2, obey_requests, "requests or requests whole"},
	{"transcript", 2, obey_transcript,
		"transcript N, the number of a connection"},
	{"verdict", 2, obey_verdict,
		"verdict [TIME], as verdict or verdict 2s"},
	{"wait", 3, obey_wait,
		"wait N [TIME], as wait 2, wait 2 500ms or wait 2 3s"},
	{"push", 3, obey_push,
		"push N [END], push N QUOTED or push N @frame TYPE [QUOTED], N "
		"the number of a connection"},
	{"end", 3, obey_end, "end N [reset], N the number of a connection"},
	{"refuse", 2, obey_refuse, "refuse or refuse off"},
	{"reset", 2, obey_reset, "reset or reset records"},
	{"url", 1, obey_url, "url alone"},
	{"stop", 1, obey_stop, "stop alone"},
};

#define COMMANDS (sizeof commands / sizeof *commands)

/* Says which commands there are. */
static enum outcome
refuse(const struct obeyed *obeyed)
{
	const char *line = obeyed->command->line;

	(void)fputs("expected ", obeyed->answer);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(obeyed->answer, "%s%s", commands[i].name,
			i + 2 < COMMANDS         ? ", " :
				i + 1 < COMMANDS ? " or " :
						   ", not '");
	for (size_t i = 0; line[i] != '\0' && i < SHOWN; i++)
		(void)fputc(line[i] < ' ' || line[i] > '~' ? '?' : line[i],
			obeyed->answer);
	(void)fputs(strlen(line) > SHOWN ? "...'\n" : "'\n", obeyed->answer);
	return WRONG;
}

static enum outcome
obey(struct obeyed *obeyed)
{
	const char *line = obeyed->command->line;
	bool fits = strlen(line) <= LONGEST;
	enum outcome outcome = MISUSED;
	size_t i = 0, most;

	(void)snprintf(obeyed->line, sizeof obeyed->line, "%s", line);
	fits = read_words(obeyed) && fits;
	while (i < COMMANDS && strcmp(obeyed->words[0], commands[i].name) != 0)
		i++;
	if (i == COMMANDS)
		return refuse(obeyed);
	most = commands[i].most;
	if (fits && (most == MOST_WORDS || *obeyed->words[most] == '\0'))
		outcome = commands[i].obey(obeyed);
	if (outcome != MISUSED)
		return outcome;
	(void)fprintf(obeyed->answer, "expected %s\n", commands[i].expected);
	return WRONG;
}

/* --- answers --- */

struct control_answer
control_refuse(int code)
{
	static const char none[] = "error 1\nCannot allocate memory\n";
	static const char many[] =
		"error 1\na command has 64 MiB at most, with its lines\n";
	static const char cut[] =
		"error 1\nexpected the line that ends the lines of the last "
		"command, such as '.'\n";
	const char *text = code == -EMSGSIZE ? many :
		code == -ENODATA             ? cut :
					       none;

	return (struct control_answer){.text = text, .size = strlen(text)};
}

/* Makes an answer: a line with the number of lines, and the lines. */
static struct control_answer
make_answer(bool ok, const char *lines, size_t size)
{
	unsigned long long count = 0;
	char *text = malloc(size + 40);
	int head;

	if (text == NULL)
		return control_refuse(-ENOMEM);
	for (size_t i = 0; i < size; i++)
		count += lines[i] == '\n';
	head = sprintf(text, "%s %llu\n", ok ? "ok" : "error", count);
	memcpy(text + head, lines, size);
	return (struct control_answer){text, (size_t)head + size, text, false};
}

int
control_obey(struct control_server *server,
	const struct control_command *command, int64_t began,
	struct control_answer *answer)
{
	struct obeyed obeyed = {.of = server,
		.server = server->server,
		.command = command,
		.began = began};
	enum outcome outcome = WRONG;
	char *lines = NULL;
	size_t size = 0;
	bool failed;

	obeyed.answer = open_memstream(&lines, &size);
	if (obeyed.answer == NULL) {
		*answer = control_refuse(-ENOMEM);
		return 0;
	}
	outcome = obey(&obeyed);
	failed = ferror(obeyed.answer) != 0;
	failed = fclose(obeyed.answer) != 0 || failed;
	if (failed)
		*answer = control_refuse(-ENOMEM);
	else if (outcome != LATER)
		*answer = make_answer(outcome == OK, lines, size);
	answer->stop = obeyed.stop;
	free(lines);
	return failed || outcome != LATER ? 0 : obeyed.left;
}
