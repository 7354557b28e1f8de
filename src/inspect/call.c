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

/* Writes a member, unless its text is empty. */
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

static void
put_fields(FILE *file, const struct retort_exchange *exchange)
{
	const struct retort_field *fields = exchange->fields;
	size_t room = CALL_SHOWN;

	(void)fputs(",\"fields\":[", file);
	for (size_t i = 0; i < exchange->field_count; i++) {
		size_t name = strlen(fields[i].name);
		size_t value = strlen(fields[i].value);

		if (name + value > room)
			break;
		room -= name + value;
		(void)fputs(i > 0 ? ",[" : "[", file);
		escape_string(file, fields[i].name, name);
		(void)fputc(',', file);
		escape_string(file, fields[i].value, value);
		(void)fputc(']', file);
	}
	(void)fputc(']', file);
}

/* At most `most` of the first bytes, without a half character at the end. */
static size_t
cut(const char *bytes, size_t size, size_t most)
{
	if (size <= most)
		return size;
	for (size = most; most - size < 3 && (bytes[size] & 0xc0) == 0x80;)
		size--;
	return size;
}

static void
put_body(FILE *file, const struct retort_exchange *exchange)
{
	const unsigned char *bytes = exchange->body;
	size_t size = cut(exchange->body, exchange->body_size, CALL_SHOWN);

	(void)fprintf(file, ",\"body_size\":%llu",
		(unsigned long long)exchange->body_total);
	if (escape_kind(exchange->body, size) != KIND_BYTES) {
		put_member(file, "body", exchange->body, size);
		return;
	}
	(void)fputs(",\"body_hex\":\"", file);
	for (size_t i = 0; i < size && i < MOST_HEX; i++)
		(void)fprintf(file, "%02x", bytes[i]);
	(void)fputc('"', file);
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
	const struct retort_exchange *exchange = call->exchange;

	put_log(file, exchange);
	if (exchange->method != NULL) {
		put_member(file, "method", exchange->method,
			strlen(exchange->method));
		if (exchange->target != NULL)
			put_member(file, "target", exchange->target,
				strlen(exchange->target));
		put_fields(file, exchange);
	}
	if (exchange->body_size > 0)
		put_body(file, exchange);
	put_transcript(file, call->transcript);
	if (is_whole(exchange)) {
		put_made(file, "curl", call_write_curl, call);
		put_made(file, "rule", call_write_rule, call);
	}
	(void)fputs("}\n", file);
}
