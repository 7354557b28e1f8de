/* SPDX-License-Identifier: MIT */
/* The request of a call as members of a JSON object. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "inspect/call.h"
#include "show/escape.h"

/* Writes a member, unless there is no text. */
static void
put_text(FILE *file, const char *name, const char *text)
{
	if (text == NULL)
		return;
	(void)fprintf(file, ",\"%s\":", name);
	escape_string(file, text, strlen(text));
}

static void
put_fields(FILE *file, const char *name_of_all,
	const struct retort_field *fields, size_t count, size_t room)
{
	(void)fprintf(file, ",\"%s\":[", name_of_all);
	for (size_t i = 0; i < count; i++) {
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

/* The size of the first bytes, at most `most`, without a half character at the
   end. */
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
put_body(FILE *file, const struct retort_exchange *exchange,
	const struct call_shown *shown)
{
	const unsigned char *bytes = exchange->body;
	size_t size = cut(exchange->body, exchange->body_size, shown->body);

	(void)fprintf(file, ",\"body_size\":%llu",
		(unsigned long long)exchange->body_total);
	if (escape_kind(exchange->body, size) != KIND_BYTES) {
		(void)fputs(",\"body\":", file);
		escape_string(file, exchange->body, size);
		return;
	}
	(void)fputs(",\"body_hex\":\"", file);
	for (size_t i = 0; i < size && i < shown->hex; i++)
		(void)fprintf(file, "%02x", bytes[i]);
	(void)fputc('"', file);
}

void
call_write_request(FILE *file, const struct retort_exchange *exchange,
	const struct call_shown *shown)
{
	if (exchange->method != NULL) {
		put_text(file, "method", exchange->method);
		put_text(file, "target", exchange->target);
		put_fields(file, "fields", exchange->fields,
			exchange->field_count, shown->fields);
	}
	if (exchange->body_size > 0 || shown->empty)
		put_body(file, exchange, shown);
	if (exchange->trailer_count > 0)
		put_fields(file, "trailers", exchange->trailers,
			exchange->trailer_count, shown->fields);
}
