/* SPDX-License-Identifier: MIT */
/*
 * Matches lines with pieces. One of the two queues is always empty: either
 * pieces wait for lines, or lines for pieces, and then no more lines are read.
 */
#include "config.h"

#include "talk/prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The most pieces that wait, or that waited when their clients left. */
#define MAX_WAITING 65536

/* The first line that was not given yet, with its newline; its size, or 0. */
static size_t
first_line(const struct prompt *prompt, const char **line)
{
	size_t left = prompt->used - prompt->given;
	const char *end;

	*line = prompt->text + prompt->given;
	end = memchr(*line, '\n', left);
	if (end != NULL)
		return (size_t)(end - *line) + 1;
	return prompt->ended || left == sizeof prompt->text ? left : 0;
}

/* Removes the lines that were given. */
static void
make_room(struct prompt *prompt)
{
	prompt->used -= prompt->given;
	memmove(prompt->text, prompt->text + prompt->given, prompt->used);
	prompt->given = 0;
}

static int
note_waiting(struct prompt *prompt, uint64_t connection)
{
	if (prompt->waiting_count == MAX_WAITING)
		return -ENOBUFS;
	if (prompt->waiting_count == prompt->waiting_room) {
		size_t room =
			prompt->waiting_room ? 2 * prompt->waiting_room : 8;
		uint64_t *waiting =
			realloc(prompt->waiting, room * sizeof *waiting);

		if (waiting == NULL)
			return -ENOMEM;
		prompt->waiting = waiting;
		prompt->waiting_room = room;
	}
	prompt->waiting[prompt->waiting_count++] = connection;
	return RETORT_LATER;
}

int
prompt_handler(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct prompt *prompt = arg;
	const char *line;
	size_t size;

	make_room(prompt);
	size = first_line(prompt, &line);
	if (size == 0 && !prompt->ended)
		return note_waiting(prompt, exchange->connection);
	reply->body = size > 0 ? line : "";
	reply->body_size = size;
	prompt->given = size;
	return 0;
}

int
prompt_fd(const struct prompt *prompt)
{
	const char *line;

	if (prompt->ended || first_line(prompt, &line) > 0)
		return -1;
	return STDIN_FILENO;
}

/* Gives a line to the first request that still waits. False: none does. */
static bool
give(struct prompt *prompt, const char *line, size_t size)
{
	size_t tried = 0;
	int code = -ENOENT;

	while (code == -ENOENT && tried < prompt->waiting_count)
		code = retort_reply_later(prompt->server,
			prompt->waiting[tried++], .body = line,
			.body_size = size);
	/* without memory it waits on */
	tried -= code < 0 && code != -ENOENT;
	prompt->waiting_count -= tried;
	memmove(prompt->waiting, prompt->waiting + tried,
		prompt->waiting_count * sizeof *prompt->waiting);
	return code == 0;
}

void
prompt_read(struct prompt *prompt)
{
	const char *line;
	ssize_t n;
	size_t size;

	make_room(prompt);
	n = read(STDIN_FILENO, prompt->text + prompt->used,
		sizeof prompt->text - prompt->used);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		prompt->used += (size_t)n;
	else
		prompt->ended = true;
	while (prompt->waiting_count > 0 &&
		(size = first_line(prompt, &line)) > 0 &&
		give(prompt, line, size))
		prompt->given += size;
	/* pieces that still wait get nothing */
	while (prompt->ended && prompt->waiting_count > 0 &&
		give(prompt, "", 0))
		;
}

bool
prompt_over(const struct prompt *prompt)
{
	const char *line;

	return prompt->ended && first_line(prompt, &line) == 0;
}
