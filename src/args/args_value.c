/* SPDX-License-Identifier: MIT */
/* The words of the command line as values. */
#include "config.h"

#include "args/args_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits, and how many there are; at most UINT64_MAX, which no limit allows
   but as an end. */
static size_t
read_digits(const char *text, uint64_t *value)
{
	size_t size = strspn(text, "0123456789");

	errno = 0;
	*value = size > 0 ? strtoull(text, NULL, 10) : 0;
	return errno == 0 ? size : 0;
}

/* Refuses `text`, in place of a number in a range. */
static _Noreturn void
refuse_range(const char *option, const char *text, const char *expected,
	uint64_t least, uint64_t most)
{
	if (most == UINT64_MAX)
		args_die(EXIT_USAGE, "%s '%s': expected %s from %llu", option,
			text, expected, (unsigned long long)least);
	args_die(EXIT_USAGE, "%s '%s': expected %s from %llu to %llu", option,
		text, expected, (unsigned long long)least,
		(unsigned long long)most);
}

uint64_t
args_number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	uint64_t value;
	size_t size = read_digits(text, &value);

	if (size == 0 || text[size] != '\0' || value < least || value > most)
		refuse_range(option, text, "a whole number", least, most);
	return value;
}

uint64_t
args_size(const char *option, const char *text, uint64_t least, uint64_t most)
{
	static const char units[] = "kKmMgG";
	uint64_t value;
	size_t size = read_digits(text, &value);
	const char *unit =
		size > 0 && text[size] ? strchr(units, text[size]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)((unit - units) / 2 + 1) : 0;

	if (size == 0 || text[size + (unit != NULL)] != '\0' ||
		value > most >> shift || value << shift < least)
		refuse_range(option, text, "bytes, such as 65536, 64k or 1M,",
			least, most);
	return value << shift;
}

/* How many ms a unit has; 0: there is none of that name. */
static uint64_t
unit_of_time(const char *name)
{
	return *name == '\0' || strcmp(name, "s") == 0 ? 1000 :
		strcmp(name, "ms") == 0                ? 1 :
		strcmp(name, "m") == 0                 ? 60000 :
							 0;
}

/* Each time is less than this: s. */
#define MOST_TIME (INT_MAX / 1000)

int
args_ms(const char *text)
{
	const uint64_t most = MOST_TIME;
	uint64_t whole, part = 0, scale = 1, unit, ms;
	size_t size = read_digits(text, &whole), digits = 0;
	const char *at = text + strspn(text, "0123456789");
	bool more = false;

	if (*at == '.') {
		for (at++; *at >= '0' && *at <= '9'; at++, digits++)
			if (scale < 1000000000) {
				part = part * 10 + (uint64_t)(*at - '0');
				scale *= 10;
			} else {
				more = more || *at != '0';
			}
	}
	unit = unit_of_time(at);
	ms = whole < most * 1000 ?
		whole * unit + (part * unit + scale - 1) / scale +
			(more && part * unit % scale == 0) :
		UINT64_MAX;
	if (size + digits == 0 || (size == 0 && *text != '.') || unit == 0 ||
		ms >= most * 1000)
		return -1;
	return (int)ms;
}

int
args_time(const char *option, const char *text)
{
	int ms = args_ms(text);

	if (ms < 0)
		args_die(EXIT_USAGE,
			"%s '%s': expected a time, such as 2, 0.5 or 250ms, "
			"less than %d s",
			option, text, MOST_TIME);
	return ms;
}

int
args_permissions(const char *option, const char *text)
{
	const char *digits = text + (*text == '0');
	size_t size = strlen(digits);
	long mode = strtol(text, NULL, 8);

	if (size > 3 || strspn(digits, "01234567") != size || mode == 0)
		args_die(EXIT_USAGE,
			"%s '%s': expected permissions in octal, such as 660",
			option, text);
	return (int)mode;
}

int
args_choice(const char *option, const char *text, const char *const *names,
	const char *expected)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	args_die(EXIT_USAGE, "%s '%s': expected %s", option, text, expected);
}

bool
args_next_word(const char **words, char word[32])
{
	size_t size = *words != NULL ? strcspn(*words, " ") : 0;

	if (size == 0)
		return false;
	(void)snprintf(word, 32, "%.*s", (int)size, *words);
	*words += size + ((*words)[size] == ' ');
	return true;
}

void *
args_append(void *array, size_t count, size_t size)
{
	char *longer = args_must(realloc(array, (count + 2) * size));

	memset(longer + count * size, 0, 2 * size);
	return longer;
}

void
args_add_line(char **lines, const char *line, size_t size)
{
	size_t used = *lines ? strlen(*lines) : 0;

	*lines = args_must(realloc(*lines, used + size + 2));
	memcpy(*lines + used, line, size);
	memcpy(*lines + used + size, "\n", 2);
}

void
args_add_text(const char ***list, size_t *count, const char *text)
{
	*list = args_append(*list, *count, sizeof **list);
	(*list)[(*count)++] = text;
}

const char *
args_file_name(const char *text)
{
	return text + (text[0] == '@');
}

void
args_read_file(struct args *args, const char *option, const char *name,
	const void **bytes, size_t *size)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "rb");
	size_t room = 4096, used = 0, n;
	char *data;

	if (standard && args->stdin_used != NULL)
		args_die(EXIT_USAGE, "%s: standard input is read by %s", option,
			args->stdin_used);
	if (standard)
		args->stdin_used = option;
	if (file == NULL)
		args_die(EXIT_USAGE, "%s %s: %s", option, name,
			strerror(errno));
	data = args_must(malloc(room));
	while ((n = fread(data + used, 1, room - 1 - used, file)) > 0) {
		used += n;
		if (used == room - 1)
			data = args_must(realloc(data, room *= 2));
	}
	if (ferror(file))
		args_die(EXIT_USAGE, "%s %s: %s", option, name,
			strerror(errno));
	if (!standard)
		(void)fclose(file);
	data[used] = '\0'; /* an empty body is empty text */
	*bytes = data;
	*size = used;
}

/* --- what bytes look like --- */

static bool
begins(const char *text, size_t size, const char *with)
{
	return size >= strlen(with) &&
		strncasecmp(text, with, strlen(with)) == 0;
}

/* An object or a list from end to end, as far as two letters tell. */
static bool
is_json(const char *text, size_t size)
{
	static const char blanks[] = " \t\r\n";
	const char close = *text == '{' ? '}' : ']';
	const char *first = *text == '{' ? "\"}" : "\"{[]-0123456789tfn";
	size_t at = 1;

	if (size < 2 || (*text != '{' && *text != '['))
		return false;
	while (strchr(blanks, text[size - 1]) != NULL)
		size--;
	while (at < size && strchr(blanks, text[at]) != NULL)
		at++;
	return at < size && text[size - 1] == close &&
		strchr(first, text[at]) != NULL;
}

const char *
args_guess_type(const void *bytes, size_t size)
{
	static const char *const html[] = {"<!doctype html", "<html", "<head",
		"<title", "<body", "<h1", "<p>", "<div"};
	const char *text = bytes;

	if (memchr(text, '\0', size) != NULL)
		return "application/octet-stream";
	while (size > 0 && strchr(" \t\r\n", *text) != NULL)
		text++, size--;
	for (size_t i = 0; i < sizeof html / sizeof *html; i++)
		if (begins(text, size, html[i]))
			return "text/html; charset=utf-8";
	return size > 0 && is_json(text, size) ? "application/json" : NULL;
}
