/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "inspect/call.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "show/escape.h"

/* Bytes of a body that is not text. */
#define MOST_HEX ((size_t)4 << 10)

/* The longest line of a log. */
#define LOG_SIZE 4096

/* Writes a member, unless there is no text. */
static void
put_member(FILE *file, const char *name, const char *text, size_t size)
{
	if (text == NULL)
		return;
	(void)fprintf(file, ",\"%s\":", name);
	escape_string(file, text, size);
}

/* Writes the parts of a log line as an object. */
static void
put_log(FILE *file, const struct retort_exchange *exchange)
{
	char line[LOG_SIZE];
	size_t size =
		retort_log_line(exchange, RETORT_LOG_JSON, line, sizeof line);

	(void)fprintf(file, "{\"id\":\"%llu.%llu\",\"log\":%.*s",
		(unsigned long long)exchange->connection,
		(unsigned long long)exchange->nth, (int)size - 1, line);
}

/* Writes the last lines of a transcript, whole. */
static void
put_transcript(FILE *file, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (size > CALL_SHOWN) {
		const char *at = strchr(text + size - CALL_SHOWN, '\n');

		text = at ? at + 1 : text + size;
		size = strlen(text);
	}
	put_member(file, "transcript", text, size);
}

/* Whether the whole request was kept, so that it can be copied. */
static bool
is_whole(const struct retort_exchange *exchange)
{
	size_t size = 0;

	for (size_t i = 0; i < exchange->field_count; i++)
		size += strlen(exchange->fields[i].name) +
			strlen(exchange->fields[i].value);
	return exchange->protocol == RETORT_HTTP && exchange->complete &&
		exchange->refused == 0 && exchange->method != NULL &&
		exchange->target != NULL &&
		exchange->body_size == exchange->body_total &&
		exchange->body_size <= CALL_SHOWN && size <= CALL_SHOWN;
}

char *
call_text(call_writer *writer, const struct call *call, size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	bool failed;

	if (file == NULL)
		return NULL;
	writer(file, call);
	failed = ferror(file) != 0;
	failed = fclose(file) != 0 || failed;
	if (!failed)
		return text;
	free(text);
	return NULL;
}

/* Writes the text of another function as a member, unless it is empty. */
static void
put_made(FILE *file, const char *name, call_writer *writer,
	const struct call *call)
{
	size_t size = 0;
	char *text = call_text(writer, call, &size);

	if (size > 0)
		put_member(file, name, text, size);
	free(text);
}

void
call_write(FILE *file, const struct call *call)
{
	static const struct call_shown in_page = {CALL_SHOWN, CALL_SHOWN,
		MOST_HEX, false};
	const struct retort_exchange *exchange = call->exchange;

	put_log(file, exchange);
	call_write_request(file, exchange, &in_page);
	put_transcript(file, call->transcript);
	if (is_whole(exchange)) {
		put_made(file, "curl", call_write_curl, call);
		put_made(file, "rule", call_write_rule, call);
	}
	(void)fputs("}\n", file);
}
