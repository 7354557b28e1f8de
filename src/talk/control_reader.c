/* SPDX-License-Identifier: MIT */
/* Makes commands of bytes. Of their meaning it knows only that rules are
   followed by lines, up to one that is the second word, or a dot. */
#include "config.h"

#include "talk/control_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096

/* Takes the first word from `at`, and moves `at` to it; its size, or 0. */
static size_t
next_word(const char **at)
{
	*at += strspn(*at, BLANKS);
	return strcspn(*at, BLANKS);
}

/* Removes the commands that were obeyed. */
static void
drop_begin(struct control_reader *reader)
{
	if (reader->begin == 0)
		return;
	reader->end -= reader->begin;
	memmove(reader->bytes, reader->bytes + reader->begin, reader->end);
	reader->seen -= reader->begin;
	reader->looked -= reader->begin;
	reader->text -= reader->text > 0 ? reader->begin : 0;
	reader->begin = 0;
}

int
control_reader_add(struct control_reader *reader, const char *bytes,
	size_t size)
{
	size_t room = reader->room > 0 ? reader->room : FIRST_ROOM;

	if (size == 0)
		return 0;
	drop_begin(reader);
	if (size > CONTROL_MOST - reader->end)
		return -EMSGSIZE;
	while (room < reader->end + size)
		room *= 2;
	if (room != reader->room) {
		char *more = realloc(reader->bytes, room);

		if (more == NULL)
			return -ENOMEM;
		reader->bytes = more;
		reader->room = room;
	}
	memcpy(reader->bytes + reader->end, bytes, size);
	reader->end += size;
	return 0;
}

/* Takes the next whole line, without its end, which is LF or CR LF. */
static bool
next_line(struct control_reader *reader, char **line, size_t *size)
{
	size_t left = reader->end - reader->looked;
	char *end = NULL;

	if (left > 0)
		end = memchr(reader->bytes + reader->looked, '\n', left);
	if (end == NULL) {
		reader->looked = reader->end;
		return false;
	}
	*line = reader->bytes + reader->seen;
	*size = (size_t)(end - *line);
	reader->seen += *size + 1;
	reader->looked = reader->seen;
	*size -= *size > 0 && end[-1] == '\r';
	return true;
}

/* Replaces each NUL, which would end the line early and so make another command
   of it. */
static void
terminate(char *line, size_t size)
{
	for (size_t i = 0; i < size; i++)
		line[i] = line[i] == '\0' ? '?' : line[i];
	line[size] = '\0';
}

/* Whether the command takes lines. One with a word too many takes none: it is
   wrong at once. */
static bool
takes_lines(const char *line)
{
	static const char name[] = "rules";
	size_t size = next_word(&line);

	if (size != sizeof name - 1 || memcmp(line, name, size) != 0)
		return false;
	line += size;
	line += next_word(&line);
	return next_word(&line) == 0;
}

/* Whether it is the last line that the command takes. */
static bool
is_end(const char *command, const char *line, size_t size)
{
	size_t end_size = next_word(&command);

	command += end_size;
	end_size = next_word(&command);
	if (end_size == 0) {
		command = ".";
		end_size = 1;
	}
	return size == end_size && memcmp(line, command, size) == 0;
}

bool
control_reader_next(struct control_reader *reader,
	struct control_command *command)
{
	char *line;
	size_t size;

	while (next_line(reader, &line, &size)) {
		char *first = reader->bytes + reader->begin;
		char *text = reader->bytes + reader->text;

		if (reader->text > 0) {
			if (!is_end(first, line, size))
				continue;
			*command = (struct control_command){first, text,
				(size_t)(line - text)};
		} else {
			terminate(line, size);
			if (takes_lines(line)) {
				reader->text = reader->seen;
				continue;
			}
			*command = (struct control_command){line, "", 0};
		}
		reader->text = 0;
		reader->begin = reader->seen;
		return true;
	}
	return false;
}

void
control_reader_free(struct control_reader *reader)
{
	free(reader->bytes);
	*reader = (struct control_reader){.bytes = NULL};
}
