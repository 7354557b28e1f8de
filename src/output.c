/* SPDX-License-Identifier: MIT */
/*
 * Lines gather in a buffer during a turn of the loop and are written at its
 * end, whole lines of at most PIPE_BUF bytes at a time and only when poll(2)
 * says that so much will be taken: a pipe that is full, or closed, costs
 * lines, never time.
 */
#include "config.h"

#include "output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a request shown on one line; four each at most. */
#define SHOWN 100

static uint64_t
count_lines(const char *text, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Whole lines of at most PIPE_BUF bytes, without waiting. */
static bool
write_piece(const struct output *output, const char *text, size_t size)
{
	struct pollfd polled = {.fd = output->fd, .events = POLLOUT};
	ssize_t n;

	if (poll(&polled, 1, 0) != 1 || (polled.revents & POLLOUT) == 0)
		return false;
	do
		n = write(output->fd, text, size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

static void
write_dropped(struct output *output)
{
	char text[80];
	int size;

	if (output->dropped == 0)
		return;
	size = snprintf(text, sizeof text, "retort: %llu log lines dropped\n",
		(unsigned long long)output->dropped);
	if (write_piece(output, text, (size_t)size))
		output->dropped = 0;
}

void
output_flush(struct output *output)
{
	size_t at = 0;

	write_dropped(output);
	while (at < output->used && output->dropped == 0) {
		size_t size = output->used - at;

		if (size > PIPE_BUF)
			for (size = PIPE_BUF;
				output->text[at + size - 1] != '\n';)
				size--;
		if (!write_piece(output, output->text + at, size))
			break;
		at += size;
	}
	output->dropped += count_lines(output->text + at, output->used - at);
	output->used = 0;
}

/* Room for one line, of PIPE_BUF bytes. */
static char *
begin_line(struct output *output)
{
	if (sizeof output->text - output->used < PIPE_BUF)
		output_flush(output);
	return output->text + output->used;
}

/*
 * One line of a request: "> ", and "+ " where it goes on. Nothing but
 * printable ASCII as it is, so that it cannot drive a terminal.
 */
static void
show_line(struct output *output, const char *bytes, size_t size, char mark)
{
	static const char hex[] = "0123456789abcdef";
	char *to = begin_line(output);

	*to++ = mark;
	*to++ = ' ';
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];
		const char *names = "\t\\t\r\\r\\\\\\";
		const char *name = NULL;

		for (size_t k = 0; names[k] != '\0'; k += 3)
			if ((char)c == names[k])
				name = names + k + 1;
		if (name != NULL) {
			memcpy(to, name, 2);
			to += 2;
		} else if (c >= 0x20 && c < 0x7f) {
			*to++ = (char)c;
		} else {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	*to++ = '\n';
	output->used = (size_t)(to - output->text);
}

/* Bytes of a request, a line each for theirs. */
static void
show(struct output *output, const char *bytes, size_t size)
{
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t line = end ? (size_t)(end - bytes) : size;
		size_t past = line + (end != NULL);
		char mark = '>';

		if (end != NULL && line > 0 && bytes[line - 1] == '\r')
			line--;
		for (size_t at = 0; at == 0 || at < line; at += SHOWN) {
			show_line(output, bytes + at,
				line - at < SHOWN ? line - at : SHOWN, mark);
			mark = '+';
		}
		bytes += past;
		size -= past;
	}
}

/* That a transcript is missing is told once. */
static void
miss_transcript(struct output *output, unsigned long long connection)
{
	if (!output->missed)
		(void)fprintf(stderr,
			"retort: --transcript: connection %llu, and maybe "
			"later ones: no more can be kept\n",
			connection);
	output->missed = true;
}

/* DIR/N.txt; a connection without a request has none. */
static void
write_transcript(struct output *output, const struct retort_exchange *exchange)
{
	unsigned long long connection = exchange->connection;
	char *text = retort_transcript(output->server, connection);
	char name[PATH_MAX];
	FILE *file;

	if (text == NULL) {
		if (exchange->received > 0)
			miss_transcript(output, connection);
		return;
	}
	(void)snprintf(name, sizeof name, "%s/%llu.txt", output->transcripts,
		connection);
	file = fopen(name, "we");
	if (file == NULL || fputs(text, file) < 0 || fflush(file) != 0)
		(void)fprintf(stderr, "retort: %s: %s\n", name,
			strerror(errno));
	if (file != NULL)
		(void)fclose(file);
	free(text);
}

void
output_forget(const struct output *output)
{
	if (output->recorded && !output->judged &&
		retort_connections(output->server) == 0)
		retort_forget(output->server);
}

bool
output_judge(const struct output *output)
{
	const char *verdict =
		output->judged ? retort_verdict(output->server) : NULL;

	if (verdict != NULL)
		(void)fprintf(stderr, "retort: not as expected:\n%s", verdict);
	return verdict != NULL;
}

/* A client that came and went in silence is not of interest, unless we sent it
   away. */
static bool
is_logged(const struct output *output, const struct retort_exchange *exchange)
{
	return output->verbose >= 1 || exchange->received > 0 ||
		exchange->sent > 0 || exchange->faults != NULL ||
		exchange->protocol == RETORT_UDP ||
		(exchange->protocol == RETORT_TCP &&
			exchange->end == RETORT_TIMED_OUT);
}

void
output_event(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct output *output = arg;

	switch (event) {
	case RETORT_ON_HEAD:
	case RETORT_ON_PIECE:
		if (output->verbose >= 1)
			show(output, bytes, size);
		break;
	case RETORT_ON_BODY:
		if (output->verbose >= 2)
			show(output, bytes, size);
		break;
	case RETORT_ON_END:
		if (output->transcripts != NULL)
			write_transcript(output, exchange);
		if (output->log && is_logged(output, exchange)) {
			char *line = begin_line(output);

			output->used += retort_log_line(exchange,
				output->format, line, PIPE_BUF);
		}
		break;
	}
}
