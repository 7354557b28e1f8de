/* SPDX-License-Identifier: MIT */
/* Makes commands of bytes. Of their meaning it knows only that some are followed
   by lines, up to one that is their last word, or a dot; or, instead of these,
   say bytes at the end of their own line. */
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

/* The commands that take lines, and how many words stand before the one that
   ends these; and whether bytes may stand there instead. */
static const struct taking {
	const char *name;
	size_t words;
	bool says;
} taking[] = {
	{"rules", 0, false},
	{"push", 1, true},
};

#define TAKING (sizeof taking / sizeof *taking)

/* The row of the table; NULL: the command takes no lines. */
static const struct taking *
find_taking(const char *name, size_t size)
{
	for (size_t i = 0; i < TAKING; i++)
		if (size == strlen(taking[i].name) &&
			memcmp(name, taking[i].name, size) == 0)
			return taking + i;
	return NULL;
}

/* Cuts the bytes that the command says from its line, also if a word is missing
   before them. NULL: it says none. */
static const char *
cut_said(char *line)
{
	const char *at = line;
	size_t size = next_word(&at);
	const struct taking *takes = find_taking(at, size);

	for (size_t i = 0; takes != NULL && takes->says && i <= takes->words;
		i++) {
		at += size;
		size = next_word(&at);
		if (*at == '"' || *at == '@') {
			/* a blank is before it */
			line[at - line - 1] = '\0';
			return at;
		}
	}
	return NULL;
}

/* Whether the command takes lines, and the word that ends them; its size is 0
   if none is given. With a word too many it takes none: it is wrong at once. */
static bool
takes_lines(const char *line, const char **end, size_t *end_size)
{
	size_t size = next_word(&line);
	const struct taking *takes = find_taking(line, size);

	if (takes == NULL)
		return false;
	for (size_t left = takes->words; left > 0; left--) {
		line += size;
		size = next_word(&line);
	}
	*end = line + size;
	*end_size = next_word(end);
	line = *end + *end_size;
	return next_word(&line) == 0;
}

/* Whether it is the last line that the command takes. */
static bool
is_end(const char *command, const char *line, size_t size)
{
	const char *end = "";
	size_t end_size = 0;

	(void)takes_lines(command, &end, &end_size);
	if (end_size == 0) {
		end = ".";
		end_size = 1;
	}
	return size == end_size && memcmp(line, end, size) == 0;
}

bool
control_reader_next(struct control_reader *reader,
	struct control_command *command)
{
	const char *end, *said;
	char *line;
	size_t size, end_size;

	while (next_line(reader, &line, &size)) {
		char *first = reader->bytes + reader->begin;
		char *text = reader->bytes + reader->text;

		if (reader->text > 0) {
			if (!is_end(first, line, size))
				continue;
			*command = (struct control_command){first, NULL, text,
				(size_t)(line - text)};
		} else {
			terminate(line, size);
			said = cut_said(line);
			if (said == NULL &&
				takes_lines(line, &end, &end_size)) {
				reader->text = reader->seen;
				continue;
			}
			*command = (struct control_command){line, said, "", 0};
		}
		reader->text = 0;
		reader->begin = reader->seen;
		return true;
	}
	return false;
}

bool
control_reader_lacks_end(const struct control_reader *reader)
{
	return reader->text > 0;
}

void
control_reader_free(struct control_reader *reader)
{
	free(reader->bytes);
	*reader = (struct control_reader){.bytes = NULL};
}
