/* SPDX-License-Identifier: MIT */
/*
 * Lines gather in a buffer during a turn of the loop and are written at its
 * end, whole lines of at most PIPE_BUF bytes at a time. Lines that are not
 * taken stay in the buffer; when it is full, further lines are dropped. So a
 * slow reader costs lines, never time. A line that was written in part is ended
 * before anything else.
 */
#include "config.h"

#include "talk/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "job/clock.h"
#include "show/ladder.h"

/* Bytes of a request in one line; each takes at most four columns. */
#define SHOWN 100

/* ms between two tries to write, if nothing else happens. */
#define RETRY 100

/* ms at the end to wait for a reader that takes nothing, and for transcripts;
   and ms between two tries. */
#define PATIENCE 2000
#define NAP 5

/* Bytes of transcripts that are written in one turn. */
#define SLICE (256u << 10)

/* "retort: 18446744073709551615 log lines dropped" */
#define DROPPED_SIZE 80

/* --- lines --- */

/* The size of the first whole lines, at most PIPE_BUF bytes; a longer line is
   cut there. */
static size_t
piece_size(const char *text, size_t size)
{
	if (size <= PIPE_BUF)
		return size;
	for (size = PIPE_BUF; size > 0 && text[size - 1] != '\n';)
		size--;
	return size > 0 ? size : PIPE_BUF;
}

/* Writes as much of the text as is taken. */
static void
write_text(struct output *output)
{
	ssize_t n = 0;

	while (output->begin < output->end && n >= 0) {
		const char *text = output->text + output->begin;

		n = sink_put(&output->sink, text,
			piece_size(text, output->end - output->begin));
		if (n > 0)
			output->begin += (size_t)n;
	}
	output->blocked = n == -EAGAIN;
	if (output->begin < output->end)
		return;
	output->begin = 0;
	output->end = 0;
}

/* Makes room for `size` bytes. False: there is none. */
static bool
make_room(struct output *output, size_t size)
{
	size_t held;

	if (sizeof output->text - output->end >= size)
		return true;
	write_text(output);
	held = output->end - output->begin;
	memmove(output->text, output->text + output->begin, held);
	output->begin = 0;
	output->end = held;
	return sizeof output->text - held >= size;
}

/* Says how many lines are missing, in their place. */
static void
add_dropped(struct output *output)
{
	if (output->dropped == 0 || !make_room(output, DROPPED_SIZE))
		return;
	output->end += (size_t)snprintf(output->text + output->end,
		DROPPED_SIZE, "retort: %llu log lines dropped\n",
		(unsigned long long)output->dropped);
	output->dropped = 0;
}

/* Adds the first `size` bytes of output->line, which end in a newline. */
static void
add_line(struct output *output, size_t size)
{
	if (output->dropped > 0 && make_room(output, DROPPED_SIZE + size))
		add_dropped(output);
	if (output->dropped > 0 || !make_room(output, size)) {
		output->dropped++;
		return;
	}
	memcpy(output->text + output->end, output->line, size);
	output->end += size;
}

static void
flush(struct output *output)
{
	write_text(output);
	if (output->dropped == 0 || output->end > 0)
		return;
	add_dropped(output);
	write_text(output);
}

void
output_say(struct output *output, const char *format, ...)
{
	static const char name[] = "retort: ";
	const size_t room = sizeof output->line - sizeof name;
	char *text = output->line + sizeof name - 1;
	va_list args;
	int size;

	memcpy(output->line, name, sizeof name - 1);
	va_start(args, format);
	size = vsnprintf(text, room, format, args);
	va_end(args);
	if (size < 0)
		return;
	size = size < (int)room ? size : (int)room - 1;
	text[size] = '\n';
	add_line(output, sizeof name + (size_t)size);
}

int
output_timeout(const struct output *output, int timeout)
{
	if (output->transcripts.first != NULL)
		return 0;
	return output->blocked && output->end > 0 ?
		clock_sooner(timeout, RETRY) :
		timeout;
}

/* Waits for the reader, as long as it takes something. False: it does not. */
static bool
write_all(struct output *output)
{
	int64_t until = clock_ms() + PATIENCE;

	for (;;) {
		size_t begin = output->begin, end = output->end;

		flush(output);
		if (output->end == 0)
			return true;
		if (output->begin != begin || output->end != end)
			until = clock_ms() + PATIENCE;
		if (!output->blocked || clock_ms() >= until)
			return false;
		/* poll(2) may say that it takes more when it does not */
		(void)poll(NULL, 0, NAP);
	}
}

/* Writes a text of any length, waiting for the reader. */
static void
write_long(struct output *output, const char *text)
{
	size_t left = strlen(text);

	while (left > 0 && write_all(output)) {
		size_t size =
			left < sizeof output->text ? left : sizeof output->text;

		memcpy(output->text, text, size);
		output->end = size;
		text += size;
		left -= size;
	}
}

/* Writes a byte so that it cannot control a terminal, with at most four
   characters; where they end. */
static char *
put_escaped(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '\t' || c == '\r')
		return stpcpy(to, c == '\t' ? "\\t" : "\\r");
	if (c == '\\')
		return stpcpy(to, "\\\\");
	if (c < 0x20 || c >= 0x7f) {
		to = stpcpy(to, "\\x");
		*to++ = (char)hex[c >> 4];
		c = (unsigned char)hex[c & 15];
	}
	*to++ = (char)c;
	return to;
}

/* Adds one line of a request, with a mark: "> ", or "+ " if it continues a
   line. */
static void
add_shown(struct output *output, const char *bytes, size_t size, char mark)
{
	char *to = output->line;

	*to++ = mark;
	*to++ = ' ';
	for (size_t i = 0; i < size; i++)
		to = put_escaped(to, (unsigned char)bytes[i]);
	*to++ = '\n';
	add_line(output, (size_t)(to - output->line));
}

/* Adds the bytes of a request line by line. */
static void
add_request(struct output *output, const char *bytes, size_t size)
{
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t line = end ? (size_t)(end - bytes) : size;
		size_t past = line + (end != NULL);

		if (end != NULL && line > 0 && bytes[line - 1] == '\r')
			line--;
		for (size_t at = 0; at == 0 || at < line; at += SHOWN)
			add_shown(output, bytes + at,
				line - at < SHOWN ? line - at : SHOWN,
				at == 0 ? '>' : '+');
		bytes += past;
		size -= past;
	}
}

/* --- transcripts --- */

/* Reports once that a transcript is missing. */
static void
miss_transcript(struct output *output, unsigned long long connection)
{
	if (!output->missed)
		output_say(output,
			"--transcript: connection %llu, and maybe later ones: "
			"no more can be kept",
			connection);
	output->missed = true;
}

/* Adds the transcript of a connection, if a request arrived on it. */
static void
add_transcript(struct output *output, const struct retort_exchange *exchange)
{
	uint64_t connection = exchange->connection;
	char *text = retort_transcript(output->server, connection);

	if (text == NULL && exchange->received == 0)
		return;
	if (text == NULL ||
		!transcripts_add(&output->transcripts, connection, text))
		miss_transcript(output, connection);
}

/* Whether the connection is kept for another exchange: its transcript comes at
   its end. */
static bool
is_kept(const struct retort_exchange *exchange)
{
	return exchange->protocol == RETORT_HTTP &&
		exchange->server_close == RETORT_NOTHING;
}

static void
write_transcripts(struct output *output)
{
	char error[PIPE_BUF];

	if (transcripts_write(&output->transcripts, SLICE, error,
		    sizeof error) != NULL)
		output_say(output, "--transcript: %s", error);
}

/* --- the server's steps, and its end --- */

/* Forgets the records of connections that have ended, unless a verdict needs
   them. */
static void
forget(struct output *output)
{
	if (output->recorded && !output->judged && output->report == NULL)
		retort_reset(output->server, RETORT_ENDED);
}

/* Reports each shortage once. */
static void
tell_shortage(struct output *output)
{
	uint64_t shortages = retort_stats(output->server).shortages;

	if (shortages != output->shortages)
		output_say(output,
			"no descriptor is left: clients wait until a "
			"connection is closed");
	output->shortages = shortages;
}

void
output_step(struct output *output)
{
	tell_shortage(output);
	write_transcripts(output);
	flush(output);
	inspect_step(output->inspect);
	forget(output);
}

void
output_finish(struct output *output)
{
	struct transcripts *transcripts = &output->transcripts;
	int64_t until = clock_ms() + PATIENCE;

	while (transcripts->first != NULL && clock_ms() < until)
		write_transcripts(output);
	if (transcripts->first != NULL)
		output_say(output,
			"--transcript: connection %llu and later ones: not "
			"written in time",
			(unsigned long long)transcripts->first->connection);
	(void)write_all(output);
}

/* Adds a word for a shell, in quotes unless it is plain. False: there is no
   room, and nothing is added. */
static bool
add_word(char *line, size_t room, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./,:=@%+-";
	bool quotes = text[strspn(text, plain)] != '\0';
	char *to = line + strlen(line);
	size_t size = sizeof " ''";

	for (const char *at = text; *at != '\0'; at++)
		size += *at == '\'' ? strlen("'\\''") : 1;
	if (size > (size_t)(line + room - to))
		return false;
	to = stpcpy(to, quotes ? " '" : " ");
	for (; *text != '\0'; text++)
		if (*text == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *text;
	(void)stpcpy(to, quotes ? "'" : "");
	return true;
}

/* Says where the connections that the verdict shows can be seen, as many of
   them as fit in a line. */
static void
say_where(struct output *output, const char *verdict)
{
	const char *dir = output->transcripts.dir, *at = verdict;
	char line[PIPE_BUF / 2] = "see it by: retort show";
	const size_t empty = strlen(line);
	bool fits = true;

	if (output->report != NULL) {
		output_say(output, "see %s", output->report);
		return;
	}
	for (; fits && dir != NULL && (at = ladder_find(at)) != NULL; at++) {
		const char *number = at + strlen("connection ");
		char name[PATH_MAX];

		(void)snprintf(name, sizeof name, "%s/%.*s.txt", dir,
			(int)strspn(number, "0123456789"), number);
		fits = add_word(line, sizeof line, name);
	}
	if (strlen(line) > empty)
		output_say(output, "%s", line);
}

bool
output_judge(struct output *output)
{
	const char *verdict =
		output->judged ? retort_verdict(output->server) : "";

	if (*verdict == '\0')
		return false;
	output_say(output, "not as expected:");
	write_long(output, verdict);
	say_where(output, verdict);
	(void)write_all(output);
	return true;
}

/* Whether the exchange is logged: not if its client came and went without a
   byte, unless we closed the connection. */
static bool
is_logged(const struct output *output, const struct retort_exchange *exchange)
{
	return output->verbose >= 1 || exchange->received > 0 ||
		exchange->tls_error != NULL || exchange->sent > 0 ||
		exchange->faults != NULL || exchange->protocol == RETORT_UDP ||
		(exchange->protocol == RETORT_TCP &&
			exchange->end == RETORT_TIMED_OUT);
}

void
output_event(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct output *output = arg;

	inspect_event(output->inspect, event, exchange);
	switch (event) {
	case RETORT_ON_HEAD:
	case RETORT_ON_PIECE:
		if (output->verbose >= 1)
			add_request(output, bytes, size);
		break;
	case RETORT_ON_BODY:
	case RETORT_ON_DROPPED:
		if (output->verbose >= 2)
			add_request(output, bytes, size);
		break;
	case RETORT_ON_END:
		if (exchange->tls_error != NULL)
			(void)snprintf(output->refused, sizeof output->refused,
				"%s", exchange->tls_error);
		if (output->transcripts.dir != NULL && !is_kept(exchange))
			add_transcript(output, exchange);
		if (output->log && is_logged(output, exchange))
			add_line(output,
				retort_log_line(exchange, output->format,
					output->line, sizeof output->line));
		break;
	case RETORT_ON_CLOSE:
		if (output->transcripts.dir != NULL)
			add_transcript(output, exchange);
		break;
	case RETORT_ON_ACCEPT: /* it does not ask for these */
	case RETORT_ON_CLIENT_FIN:
	case RETORT_ON_SERVER_FIN:
		break;
	}
}
