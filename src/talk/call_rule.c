/* SPDX-License-Identifier: MIT */
/*
 * A request as a rule of a scenario, that somebody pastes. It is built so that
 * nothing of a request becomes a directive.
 */
#include "config.h"

#include <string.h>

#include "talk/call.h"

/* A longer body is no condition that somebody would read. */
#define MOST_CONDITION ((size_t)4 << 10)

/* The longest rule for the same request, by a log line. */
#define RULE_SIZE 16384

/* As scenarios have bytes in double quotes. */
static void
put_escaped(FILE *file, const char *bytes, size_t size)
{
	(void)fputc('"', file);
	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (c == '\n')
			(void)fputs("\\n", file);
		else if (c == '"' || c == '\\')
			(void)fprintf(file, "\\%c", c);
		else if (c >= ' ' && c < 0x7f)
			(void)fputc(c, file);
		else
			(void)fprintf(file, "\\x%02x", (unsigned char)c);
	}
	(void)fputc('"', file);
}

void
call_write_rule(FILE *file, const struct call *call)
{
	const struct retort_exchange *exchange = call->exchange;
	int status = exchange->rule > 0 ? exchange->status : 200;
	char text[RULE_SIZE];
	size_t size;
	const char *line;

	/* "# ...", "@on METHOD TARGET", and what is not for us */
	size = retort_log_line(exchange, RETORT_LOG_SCENARIO, text,
		sizeof text - 1);
	text[size] = '\0';
	line = strstr(text, "\n@on ");
	if (line == NULL)
		return;
	line++;
	(void)fprintf(file, "%.*s\n", (int)strcspn(line, "\n"), line);
	if (exchange->body_size > 0 && exchange->body_size <= MOST_CONDITION) {
		(void)fputs("@if-body ", file);
		put_escaped(file, exchange->body, exchange->body_size);
		(void)fputc('\n', file);
	}
	if (status < 200)
		status = 200;
	(void)fprintf(file, "HTTP/1.1 %d%s\n\n", status,
		status == 200 ? " OK" : "");
}
