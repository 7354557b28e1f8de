/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/conn_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct word errors[] = {
	{"FIN", 0}, {"EAGAIN", EAGAIN}, {"ECONNREFUSED", ECONNREFUSED},
	{"ECONNRESET", ECONNRESET}, {"EIO", EIO}, {"EMSGSIZE", EMSGSIZE},
	{"ENOBUFS", ENOBUFS}, {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM},
	{"ENOTCONN", ENOTCONN}, {"EPERM", EPERM}, {"EPIPE", EPIPE}, {NULL, 0}
};
const struct word states[] = {
	{"IDLE", RT_STATE_IDLE}, {"HEAD", RT_STATE_HEAD},
	{"BODY", RT_STATE_BODY}, {"WAIT", RT_STATE_WAIT},
	{"REPLY", RT_STATE_REPLY}, {"FINISH", RT_STATE_FINISH},
	{"DRAIN", RT_STATE_DRAIN}, {"OVER", RT_STATE_OVER}, {NULL, 0}
};
const struct word wants[] = {
	{"-", RT_NOTHING}, {"recv", RT_RECV}, {"send", RT_SEND},
	{"send-to", RT_SEND_TO}, {"file", RT_FILE}, {"flush", RT_FLUSH},
	{"finish", RT_FINISH}, {"close", RT_CLOSE}, {"reset", RT_RESET},
	{NULL, 0}
};
const struct word asks[] = {
	{"nothing", RT_ASK_NOTHING}, {"route", RT_ASK_ROUTE},
	{"greet", RT_ASK_GREET}, {"answer", RT_ASK_ANSWER},
	{"refuse", RT_ASK_REFUSE}, {"halt", RT_ASK_HALT},
	{"ignore", RT_ASK_IGNORE}, {"send", RT_ASK_SEND},
	{"tell", RT_ASK_TELL}, {"done", RT_ASK_DONE}, {"next", RT_ASK_NEXT}, {"more", RT_ASK_MORE},
	{NULL, 0}
};
static const struct word units[] = {
	{"us", 1000}, {"ms", MS}, {NULL, 0}
};
/* clang-format on */

static const struct {
	const char *text;
	const char *bytes;
} names[] = {
	{"GET", GET},
	{"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"POST5", POST_5},
	{"CHUNKED", POST_CHUNKED},
	{"EXPECT", POST_EXPECT},
	{"CONTINUE", CONTINUE},
	{"ANSWER", ANSWER},
};

/* --- what is wrong --- */

const char *
name_of(const struct word *words, int64_t value)
{
	while (words->text != NULL && words->value != value)
		words++;
	return words->text != NULL ? words->text : "?";
}

const char *
statement_end(const char *text)
{
	int depth = 0;

	for (bool quoted = false; *text != '\0'; text++) {
		if (*text == '\'')
			quoted = !quoted;
		if (quoted)
			continue;
		if (depth == 0 && (*text == ';' || *text == ')'))
			break;
		depth += (*text == '(') - (*text == ')');
	}
	return text;
}

const char *
complaint(const struct hand *hand, const char *format, ...)
{
	static char text[3800];
	const struct rt_conn *conn = &hand->conn;
	size_t size = (size_t)(statement_end(hand->play) - hand->play), used;
	int64_t left = conn->chan.deadline - hand->now;
	va_list args;

	used = (size_t)snprintf(text, sizeof text,
		"\"%.1500s\": ", shown(hand->play, size < 500 ? size : 500));
	va_start(args, format);
	(void)vsnprintf(text + used, 1500, format, args);
	va_end(args);
	(void)snprintf(text + strlen(text), sizeof text - strlen(text),
		"\n# $ is %" PRIu64 ", and it is: %s %s/%s %.6gms, asks %s %d",
		hand->number, name_of(states, conn->state),
		name_of(wants, conn->chan.in.verb),
		name_of(wants, conn->chan.out.verb),
		conn->chan.deadline == RT_NEVER ? -1 : (double)left / MS,
		name_of(asks, conn->asks), conn->status);
	return text;
}

void
must_be(struct hand *hand, const char *what, uint64_t got, uint64_t expected)
{
	must(hand, got == expected, "%s is %" PRIu64 ", expected %" PRIu64,
		what, got, expected);
}

void
must_ask(struct hand *hand, enum rt_ask ask)
{
	must(hand, hand->conn.asks == ask, "it does not ask for %s",
		name_of(asks, (int64_t)ask));
}

void
must_be_bytes(struct hand *hand, const char *what, const void *got, size_t size,
	const struct bytes *expected)
{
	must(hand,
		size == expected->size &&
			(size == 0 || memcmp(got, expected->data, size) == 0),
		"%s are %zu bytes: %.600s\n# expected %zu: %.600s", what, size,
		shown(got, size), expected->size,
		shown(expected->data, expected->size));
}

/* --- reading a statement --- */

bool
at_end(struct line *line)
{
	while (line->at < line->end && strchr(" \n", *line->at) != NULL)
		line->at++;
	return line->at == line->end;
}

bool
next_is(struct line *line, const char *text)
{
	size_t size = strlen(text);

	if (at_end(line) || (size_t)(line->end - line->at) < size ||
		memcmp(line->at, text, size) != 0)
		return false;
	if (strchr("=/+(", text[size - 1]) == NULL &&
		line->at + size < line->end &&
		strchr(" \n/+'", line->at[size]) == NULL)
		return false;
	line->at += size;
	return true;
}

const struct word *
next_of(struct line *line, const struct word *words)
{
	for (; words->text != NULL; words++)
		if (next_is(line, words->text))
			return words;
	return NULL;
}

int64_t
must_have(struct line *line, const struct word *words)
{
	const struct word *word = next_of(line, words);

	must(line->hand, word != NULL, "what is \"%.*s\"?",
		(int)(line->end - line->at), line->at);
	return word->value;
}

bool
is_number(struct line *line)
{
	return !at_end(line) && strchr("$0123456789", *line->at) != NULL;
}

int64_t
next_number(struct line *line)
{
	const struct word *unit = units;
	int64_t number = (int64_t)line->hand->number;
	char *end;

	if (next_is(line, "never"))
		return RT_NEVER;
	must(line->hand, is_number(line), "expected a number");
	end = (char *)(uintptr_t)line->at + 1;
	if (*line->at != '$')
		number = strtoll(line->at, &end, 10);
	for (; unit->text != NULL; unit++)
		if (strncmp(end, unit->text, strlen(unit->text)) == 0) {
			number *= unit->value;
			end += strlen(unit->text);
			break;
		}
	if (*end == '-')
		number += strtoll(end, &end, 10);
	line->at = end;
	return number;
}

const char *
next_text(struct line *line, size_t *size)
{
	const char *text, *end;

	for (size_t i = 0; i < COUNT(names); i++)
		if (next_is(line, names[i].text)) {
			*size = strlen(names[i].bytes);
			return names[i].bytes;
		}
	if (at_end(line) || *line->at != '\'')
		return NULL;
	text = line->at + 1;
	end = memchr(text, '\'', (size_t)(line->end - text));
	must(line->hand, end != NULL, "expected a quote");
	line->at = end + 1;
	*size = (size_t)(end - text);
	return text;
}

/* In runs, so that millions of bytes are soon there. */
static void
add_times(struct bytes *bytes, const char *text, size_t size, int64_t times)
{
	struct bytes run = {.data = NULL};
	int64_t count = 0;

	for (; count < times && run.size < 4096; count++)
		bytes_add(&run, text, size);
	for (; times > 0 && times >= count; times -= count)
		bytes_add(bytes, run.data, run.size);
	for (; times > 0; times--)
		bytes_add(bytes, text, size);
	bytes_free(&run);
}

struct bytes
next_bytes(struct line *line)
{
	size_t most = SIZE_MAX, size;
	struct bytes bytes = {.data = NULL};
	bool any = false;

	bytes_add(&bytes, "", 0);
	if (next_is(line, "first")) {
		most = (size_t)next_number(line);
		must(line->hand, next_is(line, "of"), "expected \"of\"");
	}
	while (!at_end(line)) {
		int64_t times = is_number(line) ? next_number(line) : 1;
		const char *text;

		line->at += *line->at == '*';
		text = next_text(line, &size);
		must(line->hand, text != NULL, "expected bytes");
		add_times(&bytes, text, size, times);
		any = true;
	}
	must(line->hand, any, "expected bytes");
	if (most < bytes.size)
		bytes.data[bytes.size = most] = '\0';
	return bytes;
}

int64_t
next_error(struct line *line)
{
	const struct word *error = next_of(line, errors);

	return error == NULL ? 0 : -error->value;
}
