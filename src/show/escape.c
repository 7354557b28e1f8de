/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "show/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A character and its bytes. */
struct character {
	uint32_t code;
	size_t size;
	bool valid; /* otherwise it is a byte */
};

/* Reads the character that begins there, by RFC 3629. */
static struct character
read_character(const unsigned char *at, size_t size)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = *at < 0x80 ? 1 :
		*at < 0xc0         ? 0 :
		*at < 0xe0         ? 2 :
		*at < 0xf0         ? 3 :
		*at < 0xf8         ? 4 :
				     0;
	uint32_t code = length > 1 ? *at & (0xffu >> (length + 1)) : *at;

	if (length == 0 || length > size)
		return (struct character){*at, 1, false};
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return (struct character){*at, 1, false};
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (code < least[length] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return (struct character){*at, 1, false};
	return (struct character){code, length, true};
}

/* Whether the character is invisible, or makes others look different. */
static bool
is_hidden(uint32_t code)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} hidden[] = {
		{0, 0x1f},
		{0x7f, 0x9f},
		{0xad, 0xad},
		{0x61c, 0x61c},
		{0x180e, 0x180e},
		{0x200b, 0x200f},
		{0x2028, 0x202e},
		{0x2060, 0x206f},
		{0xfeff, 0xfeff},
		{0xfff0, 0xfffb},
		{0xfffe, 0xffff},
		{0xe0000, 0xe0fff},
		{0x1fffe, 0x1ffff},
	};

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

/* The escape of a character in this format; NULL: the character itself. */
static const char *
stands_for(enum escape_to to, uint32_t code)
{
	if (to == TO_HTML || to == TO_XML)
		return code == '&'   ? "&amp;" :
			code == '<'  ? "&lt;" :
			code == '>'  ? "&gt;" :
			code == '"'  ? "&quot;" :
			code == '\'' ? "&#39;" :
				       NULL;
	if (to != TO_JSON)
		return NULL;
	return code == '"'   ? "\\\"" :
		code == '\\' ? "\\\\" :
		code == '\n' ? "\\n" :
		code == '\t' ? "\\t" :
		code == '<'  ? "\\u003c" : /* </script> */
			       NULL;
}

static void
escape(FILE *file, enum escape_to to, struct character character)
{
	unsigned code = (unsigned)character.code;

	if (!character.valid)
		(void)fprintf(file, to == TO_JSON ? "\\ufffd" : "\\x%02x",
			code);
	else if (code > 0xffff && to == TO_JSON)
		(void)fprintf(file, "\\u%04x\\u%04x",
			0xd800 + ((code - 0x10000) >> 10),
			0xdc00 + ((code - 0x10000) & 0x3ff));
	else
		(void)fprintf(file, "\\u%04x", code);
}

void
escape_text(FILE *file, enum escape_to to, const char *bytes, size_t size)
{
	const unsigned char *at = (const unsigned char *)bytes;
	struct character character;

	for (size_t i = 0; i < size; i += character.size) {
		const char *other;
		bool blank;

		character = read_character(at + i, size - i);
		other = character.valid ? stands_for(to, character.code) : NULL;
		blank = character.code == '\t' ||
			(character.code == '\n' && to != TO_TERMINAL);
		if (other != NULL)
			(void)fputs(other, file);
		else if (!character.valid ||
			(!blank && is_hidden(character.code)))
			escape(file, to, character);
		else
			(void)fwrite(at + i, 1, character.size, file);
	}
}

enum escape_kind
escape_kind(const char *bytes, size_t size)
{
	const unsigned char *at = (const unsigned char *)bytes;
	enum escape_kind kind = KIND_PLAIN;
	struct character character;

	for (size_t i = 0; i < size; i += character.size) {
		character = read_character(at + i, size - i);
		if (!character.valid)
			return KIND_BYTES;
		if (character.code != '\t' && character.code != '\n' &&
			is_hidden(character.code))
			kind = KIND_ODD;
	}
	return kind;
}

void
escape_string(FILE *file, const char *bytes, size_t size)
{
	(void)fputc('"', file);
	escape_text(file, TO_JSON, bytes, size);
	(void)fputc('"', file);
}

void
escape_lines(FILE *file, const char *bytes, size_t size, const char *before)
{
	const char *end = bytes + size;

	while (bytes < end) {
		const char *line = memchr(bytes, '\n', (size_t)(end - bytes));

		line = line ? line : end;
		(void)fputs(before, file);
		escape_text(file, TO_TERMINAL, bytes, (size_t)(line - bytes));
		(void)fputs("\n", file);
		bytes = line + 1;
	}
}

void
escape_line(char *to, size_t room, const char *text)
{
	FILE *file;

	memset(to, 0, room);
	file = fmemopen(to, room - 1, "w");
	if (file == NULL)
		return;
	escape_text(file, TO_TERMINAL, text, strlen(text));
	(void)fclose(file);
}
