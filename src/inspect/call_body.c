/* SPDX-License-Identifier: MIT */
/*
 * The body of a request as conditions of a rule. JSON and forms are compared by
 * what they mean, so that the rule also fits such a request with other blanks
 * or another boundary.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "inspect/call.h"
#include "show/escape.h"
#include "show/span.h"

/* The longest body in a condition that somebody would read. */
#define MOST_CONDITION ((size_t)4 << 10)

/* The most pairs of a form, and bytes of a value. */
#define MOST_PAIRS 100
#define MOST_VALUE ((size_t)1 << 10)

/* The longest delimiter of RFC 2046, with its CR LF. */
#define DELIMITER_SIZE 80

/* A pair of a form. A pair that the client has encoded is as in URLs. */
struct pair {
	struct span name;
	struct span value;
	struct span file; /* .at NULL: it is no file */
	struct span type; /* .at NULL: it has none */
};

struct form {
	struct pair pairs[MOST_PAIRS];
	size_t count;
	bool encoded;
};

/* --- forms --- */

/* Adds a pair; NULL: there are too many. */
static struct pair *
add_pair(struct form *form)
{
	struct pair *pair = form->pairs + form->count;

	if (form->count == MOST_PAIRS)
		return NULL;
	form->count++;
	*pair = (struct pair){.name.at = NULL};
	return pair;
}

/* Reads a percent-encoded form; false: it is none, although curl says so of
   every body that it is given. */
static bool
read_encoded(struct form *form, struct span body)
{
	const char *end = body.at + body.size;

	for (size_t i = 0; i < body.size; i++)
		if (body.at[i] <= ' ' || body.at[i] > '~' ||
			strchr("\"<>", body.at[i]) != NULL)
			return false;
	form->encoded = true;
	while (body.size > 0) {
		const char *stop = memchr(body.at, '&', body.size);
		struct span text = span_between(body.at, stop ? stop : end);
		const char *is = memchr(text.at, '=', text.size);
		struct pair *pair = add_pair(form);

		if (pair == NULL || is == NULL || is == text.at)
			return false;
		pair->name = span_between(text.at, is);
		pair->value = span_between(is + 1, text.at + text.size);
		body = span_between(stop ? stop + 1 : end, end);
	}
	return true;
}

/* A parameter in quotes, in which nothing is escaped; false: it is another. */
static bool
read_parameter(struct span line, const char *begin, struct span *value)
{
	const char *end = line.at + line.size;
	const char *at = memmem(line.at, line.size, begin, strlen(begin));
	const char *quote;

	if (at == NULL)
		return true;
	at += strlen(begin);
	quote = memchr(at, '"', (size_t)(end - at));
	if (quote == NULL)
		return false;
	*value = span_between(at, quote);
	return memchr(at, '\\', value->size) == NULL &&
		memchr(at, '%', value->size) == NULL;
}

/* The media type without its parameters. */
static struct span
read_type(struct span line)
{
	const char *at = memchr(line.at, ':', line.size), *end;

	for (at++; at < line.at + line.size && *at == ' ';)
		at++;
	line = span_between(at, line.at + line.size);
	end = memchr(line.at, ';', line.size);
	line.size = end ? (size_t)(end - line.at) : line.size;
	while (line.size > 0 && line.at[line.size - 1] == ' ')
		line.size--;
	return line;
}

/* Reads the head of a part; false: it is not as clients usually write it. */
static bool
read_head(struct span *left, struct pair *pair)
{
	const char *end = left->at + left->size, *cr;

	while ((cr = memmem(left->at, left->size, "\r\n", 2)) != NULL) {
		struct span line = span_between(left->at, cr);

		*left = span_between(cr + 2, end);
		if (line.size == 0)
			return pair->name.size > 0;
		if (span_begins_caseless(line, "Content-Type:"))
			pair->type = read_type(line);
		if (span_begins_caseless(line, "Content-Disposition:") &&
			(!read_parameter(line, "; name=\"", &pair->name) ||
				!read_parameter(line, "; filename=\"",
					&pair->file)))
			return false;
	}
	return false;
}

/* Makes CR LF, "--" and the boundary; false: there is no boundary. */
static bool
make_delimiter(const char *type, char *delimiter)
{
	const char *at = strcasestr(type, "boundary=");
	size_t size;

	if (at == NULL)
		return false;
	at += strlen("boundary=");
	at += *at == '"';
	size = strcspn(at, "\"; \t");
	if (size == 0 || size > 70)
		return false;
	(void)snprintf(delimiter, DELIMITER_SIZE, "\r\n--%.*s", (int)size, at);
	return true;
}

static bool
read_multipart(struct form *form, struct span body, const char *type)
{
	const char *end = body.at + body.size, *stop;
	char delimiter[DELIMITER_SIZE];
	struct pair *pair;
	size_t size;

	if (!make_delimiter(type, delimiter))
		return false;
	size = strlen(delimiter);
	if (!span_begins(body, delimiter + 2))
		return false;
	body = span_between(body.at + size - 2, end);
	while (span_begins(body, "\r\n")) {
		body = span_between(body.at + 2, end);
		pair = add_pair(form);
		if (pair == NULL || !read_head(&body, pair))
			return false;
		stop = memmem(body.at, body.size, delimiter, size);
		if (stop == NULL)
			return false;
		pair->value = span_between(body.at, stop);
		body = span_between(stop + size, end);
	}
	return form->count > 0 && span_begins(body, "--");
}

static bool
read_form(struct form *form, const struct retort_exchange *exchange)
{
	const char *type = retort_field_of(exchange, "Content-Type", 0);
	struct span body = {exchange->body, exchange->body_size};
	struct span kind = span_of(type ? type : "");

	form->count = 0;
	form->encoded = false;
	if (span_begins_caseless(kind, "application/x-www-form-urlencoded"))
		return read_encoded(form, body);
	return span_begins_caseless(kind, "multipart/form-data") &&
		read_multipart(form, body, type);
}

static bool
is_hex(char c)
{
	return strchr("0123456789abcdefABCDEF", c) != NULL && c != '\0';
}

/* Writes a text, percent-encoded where necessary; `apart` separates. */
static void
put_coded(FILE *file, struct span text, bool encoded, const char *apart)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.at[i];
		bool at_end = i == 0 || i + 1 == text.size;
		bool coded = encoded && c == '%' && text.size - i > 2 &&
			is_hex(text.at[i + 1]) && is_hex(text.at[i + 2]);

		if (encoded && c == '+')
			c = ' ';
		if (coded || (c == ' ' && !at_end) ||
			(c > ' ' && c <= '~' && c != '%' && c != '*' &&
				strchr(apart, c) == NULL))
			(void)fputc(c, file);
		else
			(void)fprintf(file, "%%%02X", (unsigned char)c);
	}
}

static void
put_pair(FILE *file, const struct pair *pair, bool encoded)
{
	const bool is_file = pair->file.at != NULL;

	if (is_file) {
		(void)fputs("@if-file ", file);
		put_coded(file, pair->name, false, "=");
		(void)fputc('=', file);
		put_coded(file, pair->file, false, ";");
		(void)fputs(pair->type.size > 0 ? ";type=" : "", file);
		put_coded(file, pair->type, false, "");
		(void)fputc('\n', file);
	}
	(void)fputs("@if-form ", file);
	put_coded(file, pair->name, encoded, "=&");
	(void)fputc('=', file);
	if (is_file || pair->value.size > MOST_VALUE)
		(void)fputc('*', file);
	else
		put_coded(file, pair->value, encoded, "&");
	(void)fputc('\n', file);
}

/* --- others --- */

/* Whether the body is an object or array, by the rules of the library. */
static bool
is_json(const struct call *call)
{
	const struct retort_exchange *exchange = call->exchange;
	const char *body = exchange->body;

	return call->reader != NULL &&
		escape_kind(body, exchange->body_size) == KIND_PLAIN &&
		strchr("{[", body[strspn(body, " \t\n")]) != NULL &&
		retort_count(call->reader, NULL, .if_json = body) != SIZE_MAX;
}

static void
put_json(FILE *file, struct span body)
{
	const char *end = body.at + body.size;

	while (body.size > 0) {
		const char *lf = memchr(body.at, '\n', body.size);
		struct span line = span_between(body.at, lf ? lf : end);

		if (line.size > 0)
			(void)fprintf(file, "@if-json %.*s\n", (int)line.size,
				line.at);
		body = span_between(lf ? lf + 1 : end, end);
	}
}

/* Writes bytes as in double quotes in a scenario. */
static void
put_escaped(FILE *file, struct span text)
{
	(void)fputc('"', file);
	for (size_t i = 0; i < text.size; i++) {
		char c = text.at[i];

		if (c == '\r' || c == '\n')
			(void)fputs(c == '\r' ? "\\r" : "\\n", file);
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
call_write_conditions(FILE *file, const struct call *call)
{
	const struct retort_exchange *exchange = call->exchange;
	const struct span body = {exchange->body, exchange->body_size};
	struct form form;

	if (body.size == 0)
		return;
	if (body.size <= MOST_CONDITION && is_json(call)) {
		put_json(file, body);
	} else if (read_form(&form, exchange)) {
		for (size_t i = 0; i < form.count; i++)
			put_pair(file, form.pairs + i, form.encoded);
		(void)fputs("@if-form-only\n", file);
	} else if (body.size <= MOST_CONDITION) {
		(void)fputs("@if-body ", file);
		put_escaped(file, body);
		(void)fputc('\n', file);
	}
}
