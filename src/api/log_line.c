/* SPDX-License-Identifier: MIT */
/*
 * Exchanges as lines of a log. A line is built so that no byte of a request
 * can forge another one or drive a terminal: everything that is not printable
 * ASCII is escaped.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/date.h"
#include "http/http.h"
#include "os/sock.h"
#include "retort.h"

/* Most of a request line that a log line shows. */
#define MAX_REQUEST 2048

/* Room after a request line for all but its fields; for each; for the last. */
#define AFTER_REQUEST 512
#define AFTER_REQUEST_BY_TLS 768
#define AFTER_FIELD 64
#define AFTER_LAST 8

/* "\u00ff", dots and a quote */
#define LONGEST_BYTE 10

/* A line under way; what does not fit is left out. */
struct line {
	char *text;
	size_t size;
	size_t room;
	bool full; /* something was */
};

static void __attribute__((format(printf, 2, 3)))
add(struct line *line, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->size, line->room - line->size, format,
		args);
	va_end(args);
	if (n > 0 && (size_t)n < line->room - line->size)
		line->size += (size_t)n;
	else
		line->full = true;
}

/* Adds bytes, escaped as C has them, or JSON. Leaves room for `others` after
   them. */
static void
add_escaped(struct line *line, const char *bytes, size_t n, size_t others,
	bool json)
{
	size_t shown = n < MAX_REQUEST ? n : MAX_REQUEST;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (line->room - line->size < others + LONGEST_BYTE) {
			shown = i;
			break;
		}
		if (c == '"' || c == '\\')
			add(line, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			add(line, json ? "\\u%04x" : "\\x%02x", (unsigned)c);
		else
			add(line, "%c", c);
	}
	if (shown < n)
		add(line, "...");
}

static void
add_quoted(struct line *line, const char *bytes, size_t n, size_t others,
	bool json)
{
	add(line, "\"");
	add_escaped(line, bytes, n, others, json);
	add(line, "\"");
}

/* The room for the rest of a line of JSON, which may tell of TLS. */
static size_t
room_after(const struct retort_exchange *exchange)
{
	return exchange->tls_version ? AFTER_REQUEST_BY_TLS : AFTER_REQUEST;
}

static void
add_request(struct line *line, const struct retort_exchange *exchange,
	bool json)
{
	add_quoted(line, exchange->request, exchange->request_size,
		json ? room_after(exchange) : AFTER_REQUEST, json);
}

/* Adds ms, with `width` digits or blanks before the point. Not as a double,
   whose point depends on the locale. */
static void
add_ms(struct line *line, const struct retort_exchange *exchange, int width)
{
	add(line, "%*lld.%03d", width,
		(long long)(exchange->duration / 1000000),
		(int)(exchange->duration / 1000 % 1000));
}

/* Describes the pieces that arrived, in a few words that are no request
   line. */
static void
add_plain(struct line *line, const struct retort_exchange *exchange)
{
	unsigned long long pieces = exchange->pieces;

	if (exchange->protocol == RETORT_UDP)
		add(line, "udp");
	else
		add(line, "tcp %llu piece%s,", pieces, pieces == 1 ? "" : "s");
	add(line, " %llu bytes in, %llu out, ",
		(unsigned long long)exchange->received,
		(unsigned long long)exchange->sent);
	add_ms(line, exchange, 0);
	add(line, " ms");
}

static const char *
end_text(enum retort_end end)
{
	static const char *const texts[] = {
		[RETORT_OPEN] = "open",
		[RETORT_ANSWERED] = "answered",
		[RETORT_CLOSED] = "closed",
		[RETORT_RESET] = "reset",
		[RETORT_TIMED_OUT] = "timed out",
		[RETORT_STOPPED] = "stopped",
		[RETORT_TRUNCATED] = "truncated",
		[RETORT_FAILED] = "failed",
		[RETORT_UNANSWERED] = "unanswered",
		[RETORT_TLS_FAILED] = "TLS failed",
	};

	return (size_t)end < sizeof texts / sizeof *texts ? texts[end] : "?";
}

/* Whether the client had closed its side when the reply was sent, so that it
   may have given up. Without HTTP clients usually close first; and how a kept
   connection ends is not known yet. */
static bool
closed_first(const struct retort_exchange *exchange)
{
	return !exchange->kept && exchange->client_first &&
		exchange->end == RETORT_ANSWERED &&
		exchange->protocol == RETORT_HTTP;
}

/* Why it ended as it did; "": nothing else is known. */
static const char *
reason_of(const struct retort_exchange *exchange)
{
	if (exchange->tls_error != NULL)
		return exchange->tls_error;
	return exchange->protocol != RETORT_HTTP && exchange->reason ?
		exchange->reason :
		"";
}

/* The number of its first request or piece on the connection. */
static uint64_t
first_of(const struct retort_exchange *exchange)
{
	return exchange->pieces > 0 ? exchange->nth - exchange->pieces + 1 :
				      exchange->nth;
}

/* Whether it is not the first exchange of its connection. */
static bool
is_later(const struct retort_exchange *exchange)
{
	return first_of(exchange) > 1;
}

/* Adds the local time of its end, and its number. */
static void
add_begin(struct line *line, const struct retort_exchange *exchange)
{
	int64_t end = exchange->began + exchange->duration;
	time_t seconds = (time_t)(end / RT_SECOND);
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	(void)localtime_r(&seconds, &tm);
	add(line, "%02d:%02d:%02d.%03d #%llu", tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(end % RT_SECOND / 1000000),
		(unsigned long long)exchange->connection);
	if (is_later(exchange))
		add(line, ".%llu", (unsigned long long)first_of(exchange));
}

/* Adds whatever else there is to say. */
static void
add_notes(struct line *line, const struct retort_exchange *exchange)
{
	if (exchange->tunnel != NULL) {
		add(line, " (through ");
		add_escaped(line, exchange->tunnel, strlen(exchange->tunnel),
			AFTER_REQUEST, false);
		add(line, ")");
	}
	if (exchange->end != RETORT_ANSWERED)
		add(line, " (%s%s%.200s)", end_text(exchange->end),
			*reason_of(exchange) != '\0' ? ": " : "",
			reason_of(exchange));
	else if (closed_first(exchange))
		add(line, " (the client closed first)");
	if (exchange->still_sending)
		add(line, " (the client was still sending)");
	if (exchange->truncated)
		add(line, " (the datagram was truncated)");
	if (exchange->by_chance)
		add(line, " (seed %llu)", (unsigned long long)exchange->seed);
	if (exchange->faults != NULL)
		add(line, " [%.1000s%s]", exchange->faults,
			strlen(exchange->faults) > 1000 ? "..." : "");
}

static void
add_short(struct line *line, const struct retort_exchange *exchange)
{
	add_begin(line, exchange);
	add(line, " %s ", exchange->client);
	if (exchange->protocol != RETORT_HTTP) {
		add_plain(line, exchange);
	} else {
		add_request(line, exchange, false);
		if (exchange->status != 0)
			add(line, " %d", exchange->status);
		else
			add(line, " -");
		add(line, " %llu ", (unsigned long long)exchange->sent);
		add_ms(line, exchange, 0);
		add(line, " ms");
	}
	add_notes(line, exchange);
}

/* --- in columns --- */

/* Adds blanks up to that column, and at least one. */
static void
add_tab(struct line *line, size_t column)
{
	do
		add(line, " ");
	while (line->size <= column && !line->full);
}

/* Adds the status, or what there is in its place, in the colour of its
   class. */
static void
add_status(struct line *line, const struct retort_exchange *exchange,
	bool colored)
{
	static const int colors[] = {35, 32, 32, 36, 33, 31};
	size_t class = (size_t)exchange->status / 100;
	int color = class < sizeof colors / sizeof *colors ? colors[class] : 31;

	if (exchange->protocol != RETORT_HTTP)
		color = exchange->end == RETORT_ANSWERED ? 32 : 35;
	if (colored)
		add(line, "\033[%dm", color);
	if (exchange->protocol != RETORT_HTTP)
		add(line, "%s",
			exchange->protocol == RETORT_UDP ? "udp" : "tcp");
	else if (exchange->status != 0)
		add(line, "%d", exchange->status);
	else
		add(line, "  -");
	if (colored)
		add(line, "\033[0m");
}

/* Adds the parts in columns; those that may be long come last. */
static void
add_columns(struct line *line, const struct retort_exchange *exchange,
	bool colored)
{
	unsigned long long pieces = exchange->pieces;

	add_begin(line, exchange);
	add_tab(line, sizeof "08:49:37.123 #12.3" - 1);
	add(line, "%s", exchange->client);
	add_tab(line, sizeof "08:49:37.123 #12.3 127.0.0.1:51234" - 1);
	add_status(line, exchange, colored);
	add(line, " %8llu ", (unsigned long long)exchange->sent);
	add_ms(line, exchange, 5);
	add(line, " ms ");
	if (exchange->protocol == RETORT_HTTP)
		add_request(line, exchange, false);
	else if (exchange->protocol == RETORT_TCP)
		add(line, "%llu piece%s, ", pieces, pieces == 1 ? "" : "s");
	if (exchange->protocol != RETORT_HTTP)
		add(line, "%llu bytes in",
			(unsigned long long)exchange->received);
	add_notes(line, exchange);
}

static void
add_common(struct line *line, const struct retort_exchange *exchange)
{
	size_t host = strlen(exchange->client);
	const char *colon = strrchr(exchange->client, ':');
	char date[RT_DATE_TEXT];

	if (colon != NULL)
		host = (size_t)(colon - exchange->client);
	/* "Sun, 06 Nov 1994 08:49:37 GMT" */
	rt_date_format(exchange->began / RT_SECOND, date);
	add(line, "%.*s - - [%.2s/%.3s/%.4s:%.8s +0000] ", (int)host,
		exchange->client, date + 5, date + 8, date + 12, date + 17);
	if (exchange->protocol == RETORT_HTTP)
		add_request(line, exchange, false);
	else
		add(line, "\"%s\"", rt_sock_scheme(exchange->protocol));
	if (exchange->status != 0)
		add(line, " %d", exchange->status);
	else
		add(line, " -");
	if (exchange->sent_body != 0)
		add(line, " %llu", (unsigned long long)exchange->sent_body);
	else
		add(line, " -");
}

/* Adds the value, or "-". */
static void
add_value(struct line *line, const char *value, size_t size, size_t others)
{
	add(line, " ");
	if (value != NULL)
		add_quoted(line, value, size, others, false);
	else
		add(line, "\"-\"");
}

static void
add_combined(struct line *line, const struct retort_exchange *exchange)
{
	add_common(line, exchange);
	add_value(line, exchange->referer, exchange->referer_size, AFTER_FIELD);
	add_value(line, exchange->user_agent, exchange->user_agent_size,
		AFTER_LAST);
}

/* Adds a member, unless its value is NULL. */
static void
add_member(struct line *line, const char *name, const char *value, size_t size,
	size_t others)
{
	if (value == NULL)
		return;
	add(line, ",\"%s\":", name);
	add_quoted(line, value, size, others, true);
}

/* Adds a member about TLS, unless its value is NULL. */
static void
add_fact(struct line *line, const char *name, const char *value)
{
	if (value != NULL)
		add_member(line, name, value, strlen(value), AFTER_REQUEST);
}

static void
add_tls(struct line *line, const struct retort_exchange *exchange)
{
	if (exchange->tls_version == NULL)
		return;
	add(line, ",\"tls\":{\"version\":\"%.20s\"", exchange->tls_version);
	add_fact(line, "cipher", exchange->tls_cipher);
	add_fact(line, "alpn", exchange->tls_alpn);
	add_fact(line, "sni", exchange->tls_sni);
	add_fact(line, "client", exchange->tls_client);
	add(line, ",\"resumed\":%s}", exchange->tls_resumed ? "true" : "false");
}

/* Adds the members that say when it was, and with whom. */
static void
add_json_begin(struct line *line, const struct retort_exchange *exchange)
{
	char date[RT_DATE_SHORT];

	/* "1994-11-06 08:49" */
	rt_date_format_short(exchange->began / RT_SECOND, date);
	add(line, "{\"time\":\"%.10sT%s:%02d.%03dZ\"", date, date + 11,
		(int)(exchange->began / RT_SECOND % 60),
		(int)(exchange->began % RT_SECOND / 1000000));
	add(line, ",\"connection\":%llu",
		(unsigned long long)exchange->connection);
	if (is_later(exchange))
		add(line, ",\"nth\":%llu",
			(unsigned long long)first_of(exchange));
	add(line, ",\"client\":\"%s\"", exchange->client);
}

/* Adds the members that say how it ended. */
static void
add_json_end(struct line *line, const struct retort_exchange *exchange)
{
	add(line, ",\"end\":\"%s\"", end_text(exchange->end));
	if (*reason_of(exchange) != '\0')
		add(line, ",\"reason\":\"%.200s\"", reason_of(exchange));
	if (exchange->truncated)
		add(line, ",\"truncated\":true");
	if (exchange->still_sending)
		add(line, ",\"still_sending\":true");
	if (closed_first(exchange))
		add(line, ",\"client_first\":true");
}

static void
add_json(struct line *line, const struct retort_exchange *exchange)
{
	add_json_begin(line, exchange);
	if (exchange->protocol == RETORT_HTTP) {
		add(line, ",\"request\":");
		add_request(line, exchange, true);
		add(line, ",\"status\":%d", exchange->status);
	} else {
		add(line, ",\"protocol\":\"%s\",\"pieces\":%llu",
			rt_sock_scheme(exchange->protocol),
			(unsigned long long)exchange->pieces);
	}
	if (exchange->tunnel != NULL)
		add_member(line, "tunnel", exchange->tunnel,
			strlen(exchange->tunnel), room_after(exchange));
	add_tls(line, exchange);
	add(line, ",\"received\":%llu,\"sent\":%llu",
		(unsigned long long)exchange->received,
		(unsigned long long)exchange->sent);
	add(line, ",\"ms\":");
	add_ms(line, exchange, 0);
	add_json_end(line, exchange);
	if (exchange->by_chance)
		add(line, ",\"seed\":%llu", (unsigned long long)exchange->seed);
	add_member(line, "faults", exchange->faults,
		exchange->faults ? strlen(exchange->faults) : 0, AFTER_REQUEST);
	add_member(line, "referer", exchange->referer, exchange->referer_size,
		2 * AFTER_FIELD);
	add_member(line, "user_agent", exchange->user_agent,
		exchange->user_agent_size, AFTER_LAST);
	add(line, "}");
}

/* Adds a target as a rule has it. An asterisk, which would stand for anything
   there, and bytes that are not printable ASCII are percent-encoded, which
   means the same. */
static void
add_target(struct line *line, struct rt_word target)
{
	for (size_t i = 0; i < target.size; i++) {
		char c = target.text[i];

		if (c <= ' ' || c > '~' || (c == '*' && target.size > 1))
			add(line, "%%%02X", (unsigned char)c);
		else
			add(line, "%c", c);
	}
}

/* Whether a rule can be for that request line. */
static bool
can_come(struct rt_word method, struct rt_word target, struct rt_word version)
{
	return version.size > 0 && rt_http_is_token(method.text, method.size) &&
		rt_http_may_come(method.text, method.size, target.text,
			target.size);
}

/* Adds a rule that does the same again, once, to the reply that answers by
   default. Requests that were refused ask no rule. */
static void
add_rule(struct line *line, const struct retort_exchange *exchange)
{
	const char *at = exchange->request, *end = at + exchange->request_size;
	struct rt_word method = rt_text_word(&at, end);
	struct rt_word target = rt_text_word(&at, end);
	struct rt_word version = rt_text_word(&at, end);

	add(line, "# connection %llu",
		(unsigned long long)exchange->connection);
	if (is_later(exchange))
		add(line, ", exchange %llu",
			(unsigned long long)first_of(exchange));
	if (exchange->by_chance)
		add(line, ", seed %llu", (unsigned long long)exchange->seed);
	if (exchange->refused != 0) {
		add(line, ": refused with %d", exchange->refused);
		return;
	}
	if (exchange->protocol != RETORT_HTTP ||
		!can_come(method, target, version)) {
		add(line, ": no request that can be repeated");
		return;
	}
	add(line, "\n@on %.*s ", (int)method.size, method.text);
	add_target(line, target);
	add(line, "\n@times 1\n");
	if (exchange->faults != NULL)
		add(line, "@fault %s\n", exchange->faults);
	add(line, "@files\n");
	/* a part of it would do something else */
	if (line->full) {
		line->size = 0;
		add(line, "# connection %llu: too long to be repeated",
			(unsigned long long)exchange->connection);
	}
}

size_t
retort_log_line(const struct retort_exchange *exchange, enum retort_log format,
	char *text, size_t size)
{
	/* one byte more than is used: vsnprintf ends what it writes */
	struct line line = {.text = text, .room = size};

	if (size < 2)
		return 0;
	switch (format) {
	case RETORT_LOG_SHORT:
		add_short(&line, exchange);
		break;
	case RETORT_LOG_COMMON:
		add_common(&line, exchange);
		break;
	case RETORT_LOG_JSON:
		add_json(&line, exchange);
		break;
	case RETORT_LOG_COMBINED:
		add_combined(&line, exchange);
		break;
	case RETORT_LOG_SCENARIO:
		add_rule(&line, exchange);
		break;
	case RETORT_LOG_COLUMNS:
		add_columns(&line, exchange, false);
		break;
	case RETORT_LOG_COLORED:
		add_columns(&line, exchange, true);
		break;
	}
	text[line.size++] = '\n';
	return line.size;
}
