/* SPDX-License-Identifier: MIT */
/*
 * Matches lines with pieces. One of the two queues is always empty: either
 * pieces wait for lines, or lines for pieces, and then no more lines are read.
 */
#include "config.h"

#include "talk/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The most pieces that wait, or that waited when their clients left. */
#define MAX_WAITING 65536

/* The first line that was not given yet, with its newline; its size, or 0. */
static size_t
first_line(const struct typed *typed, const char **line)
{
	size_t left = typed->used - typed->given;
	const char *end;

	*line = typed->text + typed->given;
	end = memchr(*line, '\n', left);
	if (end != NULL)
		return (size_t)(end - *line) + 1;
	return typed->ended || left == sizeof typed->text ? left : 0;
}

/* Removes the lines that were given. */
static void
make_room(struct typed *typed)
{
	typed->used -= typed->given;
	memmove(typed->text, typed->text + typed->given, typed->used);
	typed->given = 0;
}

static int
note_waiting(struct typed *typed, uint64_t connection)
{
	if (typed->waiting_count == MAX_WAITING)
		return -ENOBUFS;
	if (typed->waiting_count == typed->waiting_room) {
		size_t room = typed->waiting_room ? 2 * typed->waiting_room : 8;
		uint64_t *waiting =
			realloc(typed->waiting, room * sizeof *waiting);

		if (waiting == NULL)
			return -ENOMEM;
		typed->waiting = waiting;
		typed->waiting_room = room;
	}
	typed->waiting[typed->waiting_count++] = connection;
	return RETORT_LATER;
}

int
typed_handler(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct typed *typed = arg;
	const char *line;
	size_t size;

	make_room(typed);
	size = first_line(typed, &line);
	if (size == 0 && !typed->ended)
		return note_waiting(typed, exchange->connection);
	reply->body = size > 0 ? line : "";
	reply->body_size = size;
	typed->given = size;
	return 0;
}

int
typed_fd(const struct typed *typed)
{
	const char *line;

	if (typed->server == NULL || typed->ended ||
		first_line(typed, &line) > 0)
		return -1;
	return STDIN_FILENO;
}

/* Gives a line to the first request that still waits. False: none does. */
static bool
give(struct typed *typed, const char *line, size_t size)
{
	size_t tried = 0;
	int code = -ENOENT;

	while (code == -ENOENT && tried < typed->waiting_count)
		code = retort_reply_later(typed->server,
			typed->waiting[tried++], .body = line,
			.body_size = size);
	/* without memory it waits on */
	tried -= code < 0 && code != -ENOENT;
	typed->waiting_count -= tried;
	memmove(typed->waiting, typed->waiting + tried,
		typed->waiting_count * sizeof *typed->waiting);
	return code == 0;
}

void
typed_read(struct typed *typed)
{
	const char *line;
	ssize_t n;
	size_t size;

	make_room(typed);
	n = read(STDIN_FILENO, typed->text + typed->used,
		sizeof typed->text - typed->used);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		typed->used += (size_t)n;
	else
		typed->ended = true;
	while (typed->waiting_count > 0 &&
		(size = first_line(typed, &line)) > 0 &&
		give(typed, line, size))
		typed->given += size;
	/* who still waits does so in vain */
	while (typed->ended && typed->waiting_count > 0 && give(typed, "", 0))
		;
}

bool
typed_over(const struct typed *typed)
{
	const char *line;

	return typed->ended && first_line(typed, &line) == 0;
}
