/* SPDX-License-Identifier: MIT */
/* A request and its answer as a rule of a scenario: retort(5). Nothing in a
   request can become a directive. */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/call.h"
#include "show/escape.h"
#include "show/ladder.h"
#include "show/span.h"

/* The longest rule for the same request, by a log line. */
#define RULE_SIZE 16384

/* --- what was sent --- */

/* A reply; without `has_body` its body is not known. */
struct reply {
	char *bytes;        /* all that was sent on the connection */
	struct span status; /* of the status line, from the status on */
	struct span fields; /* with their line ends */
	struct span body;
	bool has_body;
};

/* All bytes that were sent on a connection, from its transcript, followed by a
   NUL. */
static char *
read_sent(const struct ladder *ladder, size_t room, size_t *size)
{
	char *bytes = calloc(room + 1, 1);

	*size = 0;
	for (size_t i = 0; bytes != NULL && i < ladder->count; i++) {
		struct span lines = ladder->steps[i].lines, line;

		if (!ladder->steps[i].to_client ||
			ladder->steps[i].kind != LADDER_BYTES)
			continue;
		if (ladder->steps[i].more > 0) {
			free(bytes);
			return NULL;
		}
		while (ladder_next_line(&lines, &line))
			*size += ladder_bytes(line, bytes + *size);
	}
	return bytes;
}

/* Takes the next whole line, without its end; false: there is none. */
static bool
next_line(struct span *fields, struct span *line)
{
	const char *lf = fields->size > 0 ?
		memchr(fields->at, '\n', fields->size) :
		NULL;

	if (lf == NULL)
		return false;
	*line = span_between(fields->at, lf);
	fields->at = lf + 1;
	fields->size -= line->size + 1;
	if (line->size > 0 && line->at[line->size - 1] == '\r')
		line->size--;
	return true;
}

static bool
is_named(struct span line, const char *name)
{
	size_t size = strlen(name);

	return span_begins_caseless(line, name) && line.size > size &&
		line.at[size] == ':';
}

static bool
has_field(struct span fields, const char *name)
{
	struct span line;

	while (next_line(&fields, &line))
		if (is_named(line, name))
			return true;
	return false;
}

/* Whether it is three digits and a printable text, as in a scenario. */
static bool
is_status(struct span text)
{
	return text.size >= 3 && strspn(text.at, "0123456789") == 3 &&
		(text.size == 3 || text.at[3] == ' ') &&
		escape_kind(text.at, text.size) == KIND_PLAIN;
}

static bool
is_switch(const struct reply *reply)
{
	return span_begins(reply->status, "101");
}

/* Finds the last head that was sent for one request: heads of 1xx may come
   before it. */
static bool
split(struct reply *reply, struct span all)
{
	const char *end;

	do {
		struct span line;

		end = memmem(all.at, all.size, "\r\n\r\n", 4);
		if (end == NULL)
			return false;
		end += 2;
		reply->fields = span_between(all.at, end);
		if (!next_line(&reply->fields, &line) || line.size < 12 ||
			!span_begins(line, "HTTP/1."))
			return false;
		reply->status = (struct span){line.at + 9, line.size - 9};
		if (!is_status(reply->status))
			return false;
		end += 2;
		all.size -= (size_t)(end - all.at);
		all.at = end;
	} while (*reply->status.at == '1' && !is_switch(reply));
	reply->body = all;
	return true;
}

/* Replaces chunks by their contents, in place. */
static bool
join_chunks(struct span *body)
{
	char *to = (char *)(uintptr_t)body->at;
	const char *at = body->at, *end = at + body->size;

	for (;;) {
		char *after;
		size_t size = strtoul(at, &after, 16);
		const char *lf = memchr(after, '\n', (size_t)(end - after));

		if (after == at || lf == NULL)
			return false;
		at = lf + 1;
		if (size == 0)
			break;
		if ((size_t)(end - at) < 2 || size > (size_t)(end - at) - 2)
			return false;
		memmove(to, at, size);
		to += size;
		at += size + 2;
	}
	body->size = (size_t)(to - body->at);
	return true;
}

/* Whether the whole body is there, and is text. */
static bool
read_body(struct reply *reply, const struct retort_exchange *exchange)
{
	if (exchange->end != RETORT_ANSWERED || exchange->faults != NULL ||
		is_switch(reply) || strcmp(exchange->method, "HEAD") == 0)
		return false;
	if (has_field(reply->fields, "Transfer-Encoding") &&
		!join_chunks(&reply->body))
		return false;
	return reply->body.size <= CALL_SHOWN &&
		escape_kind(reply->body.at, reply->body.size) == KIND_PLAIN;
}

/* Reads the reply. False: nothing is known of it. In both cases the caller
   frees its bytes. */
static bool
read_reply(struct reply *reply, const struct call *call)
{
	const uint64_t sent = call->exchange->sent;
	const char *text = call->transcript;
	struct ladders ladders = {.version = NULL};
	char error[RETORT_ERROR_SIZE];
	size_t size = 0;

	if (text != NULL &&
		ladders_read(&ladders, "", text, strlen(text), error,
			sizeof error) == 0 &&
		ladders.count == 1)
		reply->bytes = read_sent(ladders.all, strlen(text), &size);
	ladders_free(&ladders);
	if (reply->bytes == NULL || size < sent)
		return false;
	if (!split(reply,
		    (struct span){reply->bytes + size - sent, (size_t)sent}))
		return false;
	reply->has_body = read_body(reply, call->exchange);
	return true;
}

/* --- a message --- */

/* Whether the rule can do without this line: the server adds it, or it
   describes a body that the rule does not have. */
static bool
is_made(struct span line, const struct reply *reply)
{
	static const char *const names[] = {"Date", "Keep-Alive",
		"Content-Length", "Transfer-Encoding", "Trailer"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_named(line, names[i]))
			return true;
	return (!reply->has_body && is_named(line, "Content-Encoding")) ||
		(!is_switch(reply) && is_named(line, "Connection"));
}

/* Whether a scenario can have this line as a field. */
static bool
is_field(struct span line)
{
	const char *colon = memchr(line.at, ':', line.size);
	size_t size = colon ? (size_t)(colon - line.at) : 0;

	for (size_t i = 0; i < size; i++)
		if (line.at[i] <= ' ' || line.at[i] > '~' ||
			strchr("\"(),/;<=>?@[\\]{}", line.at[i]) != NULL)
			return false;
	return size > 0 && escape_kind(line.at, line.size) == KIND_PLAIN;
}

/* Whether the field accepts a WebSocket: its value depends on the key of the
   request, so that the rule has to fill it in. */
static bool
is_filled(const struct reply *reply)
{
	return is_switch(reply) &&
		has_field(reply->fields, "Sec-WebSocket-Accept") &&
		memchr(reply->fields.at, '{', reply->fields.size) == NULL;
}

static void
put_fields(FILE *file, const struct reply *reply)
{
	struct span fields = reply->fields, line;

	while (next_line(&fields, &line))
		if (is_filled(reply) && is_named(line, "Sec-WebSocket-Accept"))
			(void)fputs("Sec-WebSocket-Accept: "
				    "{websocket-accept}\n",
				file);
		else if (is_field(line) && !is_made(line, reply))
			(void)fprintf(file, "%.*s\n", (int)line.size, line.at);
}

/* Writes a body, and doubles each "@" that begins a line, so that no line is a
   directive. */
static void
put_text(FILE *file, struct span body)
{
	bool begins = true;

	for (size_t i = 0; i < body.size; i++) {
		if (begins && body.at[i] == '@')
			(void)fputc('@', file);
		(void)fputc(body.at[i], file);
		begins = body.at[i] == '\n';
	}
	if (!begins)
		(void)fputc('\n', file);
}

static void
put_reply(FILE *file, const struct reply *reply)
{
	const struct span body = reply->body;

	if (is_filled(reply))
		(void)fputs("@fill\n", file);
	if (!reply->has_body)
		(void)fputs("# the body of the reply is not in it\n", file);
	(void)fprintf(file, "HTTP/1.1 %.*s\n", (int)reply->status.size,
		reply->status.at);
	put_fields(file, reply);
	/* line ends at its end are of the scenario otherwise */
	if (reply->has_body && body.size > 0 && body.at[body.size - 1] == '\n')
		(void)fprintf(file, "Content-Length: %zu\n", body.size);
	(void)fputc('\n', file);
	if (reply->has_body && body.size > 0) {
		put_text(file, body);
		(void)fputc('\n', file);
	}
}

/* Writes the status, which is all that is known of the reply. */
static void
put_status(FILE *file, const struct retort_exchange *exchange, bool unanswered)
{
	(void)fputs(unanswered ? "# no rule answered it\n" :
				 "# the body of the reply is not in it\n",
		file);
	if (unanswered || exchange->status < 200 || exchange->status == 200)
		(void)fputs("HTTP/1.1 200 OK\n\n", file);
	else
		(void)fprintf(file, "HTTP/1.1 %d\n\n", exchange->status);
}

/* Writes the answer, as far as it is known. */
static void
put_answer(FILE *file, const struct call *call)
{
	const struct retort_exchange *exchange = call->exchange;
	const bool unanswered = exchange->rule == 0 && exchange->status == 501;
	struct reply reply = {.bytes = NULL};

	if (exchange->faults != NULL)
		(void)fprintf(file, "@fault %s\n", exchange->faults);
	if (!unanswered && read_reply(&reply, call))
		put_reply(file, &reply);
	else
		put_status(file, exchange, unanswered);
	free(reply.bytes);
}

/* --- a rule --- */

void
call_write_rule(FILE *file, const struct call *call)
{
	const struct retort_exchange *exchange = call->exchange;
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
	call_write_conditions(file, call);
	put_answer(file, call);
}
