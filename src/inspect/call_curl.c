/* SPDX-License-Identifier: MIT */
/* A request as a command that somebody pastes into a shell. Nothing in a
   request can become a command of its own, or a key at the terminal. */
#include "config.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "inspect/call.h"
#include "show/escape.h"

/*
 * Whether the bytes can stand between single quotes: they must mean the same in
 * sh(1), bash, zsh and fish, and must be no key for their editors. In fish a
 * backslash there escapes a quote or another backslash, so that bytes which are
 * data to sh(1) would end the quotes.
 */
static bool
can_be_quoted(const char *bytes, size_t size)
{
	if (escape_kind(bytes, size) != KIND_PLAIN)
		return false;
	for (size_t i = 0; i < size; i++)
		if (bytes[i] == '\t' ||
			(bytes[i] == '\\' &&
				(i + 1 == size || bytes[i + 1] == '\\' ||
					bytes[i + 1] == '\'')))
			return false;
	return true;
}

/* Writes bytes as the format of printf(1) in single quotes, in which no shell
   gives them another meaning; the bytes in `escaped` are always escaped. The
   format does not begin with a hyphen, which would make it an option. */
static void
put_format(FILE *file, const char *bytes, size_t size, const char *escaped)
{
	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (c == '\r' || c == '\n')
			(void)fputs(c == '\r' ? "\\r" : "\\n", file);
		else if (c == '%')
			(void)fputs("%%", file);
		else if (c >= ' ' && c < 0x7f && strchr(escaped, c) == NULL &&
			(c != '-' || i > 0))
			(void)fputc(c, file);
		else
			(void)fprintf(file, "\\%03o", (unsigned char)c);
	}
}

/* Writes bytes between single quotes, which they cannot end. */
static void
put_between(FILE *file, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] == '\'')
			(void)fputs("'\\''", file);
		else
			(void)fputc(bytes[i], file);
}

/* Writes a word of the shell, made of up to three texts, which may hold
   unprintable bytes. */
static void
put_word(FILE *file, const char *first, const char *second, const char *third)
{
	const char *const texts[] = {first, second, third};
	bool plain = true;

	for (int i = 0; i < 3; i++)
		plain = plain && can_be_quoted(texts[i], strlen(texts[i])) &&
			strchr(texts[i], '\n') == NULL;
	(void)fputs(plain ? "'" : "\"$(printf '", file);
	for (int i = 0; i < 3; i++)
		if (plain)
			put_between(file, texts[i], strlen(texts[i]));
		else
			put_format(file, texts[i], strlen(texts[i]), "\\'!\"");
	(void)fputs(plain ? "'" : "')\"", file);
}

static bool
has_field(const struct retort_exchange *exchange, const char *name)
{
	return retort_field_of(exchange, name, 0) != NULL;
}

/* If only an empty one, of which curl would say nothing, or wait for it; with
   -I it sends none. */
static bool
has_body(const struct retort_exchange *exchange)
{
	return exchange->body_size > 0 ||
		(strcmp(exchange->method, "HEAD") != 0 &&
			(has_field(exchange, "Content-Length") ||
				has_field(exchange, "Transfer-Encoding")));
}

/* Whether curl makes this field itself, with this value, from the URL or the
   body. */
static bool
is_made(const struct retort_field *field, bool body, const char *host,
	size_t size)
{
	return (body && strcasecmp(field->name, "Content-Length") == 0) ||
		(strcasecmp(field->name, "Host") == 0 && size > 0 &&
			strlen(field->value) == size &&
			strncmp(field->value, host, size) == 0);
}

static void
put_fields(FILE *file, const struct retort_exchange *exchange, const char *url)
{
	static const char *const usual[] = {"User-Agent", "Accept", NULL};
	const char *host = url ? strstr(url, "://") : NULL;
	bool body = has_body(exchange);
	size_t size = 0;

	if (host != NULL) {
		host += 3;
		size = strcspn(host, "/");
	}
	for (size_t i = 0; i < exchange->field_count; i++) {
		const struct retort_field *field = exchange->fields + i;

		if (is_made(field, body, host, size))
			continue;
		(void)fputs(" \\\n  -H ", file);
		put_word(file, field->name, *field->value ? ": " : ";",
			field->value);
	}
	for (size_t i = 0; usual[i] != NULL; i++)
		if (!has_field(exchange, usual[i]))
			(void)fprintf(file, " \\\n  -H '%s:'", usual[i]);
	if (body && !has_field(exchange, "Content-Type"))
		(void)fputs(" \\\n  -H 'Content-Type:'", file);
}

/* Whether curl sends this target unchanged from a URL. */
static bool
is_usual(const char *target)
{
	if (*target != '/')
		return false;
	for (; *target != '\0'; target++)
		if (*target <= ' ' || *target > '~' || *target == '#')
			return false;
	return true;
}

/* Writes the URL of the request. */
static void
put_url(FILE *file, const struct retort_exchange *exchange, const char *url)
{
	const char *target = exchange->target;

	if (url != NULL && strncmp(url, "unix:", 5) == 0) {
		(void)fputs(" --unix-socket ", file);
		put_word(file, url + 5, "", "");
		url = "http://localhost/";
	}
	if (url == NULL)
		url = "http://127.0.0.1/";
	if (strncmp(url, "https:", 6) == 0)
		(void)fputs(" -k", file);
	if (is_usual(target)) {
		(void)fputs(strpbrk(target, "[]{}") ? " -g" : "", file);
		(void)fputs(strstr(target, "/.") ? " --path-as-is " : " ",
			file);
		put_word(file, url, target + 1, "");
		return;
	}
	(void)fputs(" --request-target ", file);
	put_word(file, target, "", "");
	(void)fputc(' ', file);
	put_word(file, url, "", "");
}

void
call_write_curl(FILE *file, const struct call *call)
{
	const struct retort_exchange *exchange = call->exchange;
	const char *method = exchange->method, *body = exchange->body;
	size_t size = exchange->body_size;
	bool plain, sent;

	plain = can_be_quoted(body, size);
	sent = has_body(exchange);
	if (!plain) {
		(void)fputs("printf '", file);
		put_format(file, body, size, "\\'!");
		(void)fputs("' |\n", file);
	}
	(void)fputs("curl", file);
	if (exchange->minor == 0)
		(void)fputs(" -0", file);
	if (strcmp(method, "HEAD") == 0 && !sent) {
		(void)fputs(" -I", file);
	} else if (strcmp(method, sent ? "POST" : "GET") != 0) {
		(void)fputs(" -X ", file);
		put_word(file, method, "", "");
	}
	put_url(file, exchange, call->url);
	put_fields(file, exchange, call->url);
	if (sent)
		(void)fputs(" \\\n  ", file);
	if (sent && plain) {
		(void)fputs("--data-raw '", file);
		put_between(file, body, size);
		(void)fputc('\'', file);
	} else if (sent) {
		(void)fputs("--data-binary @-", file);
	}
	(void)fputc('\n', file);
}
