/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int
rt_caseless_order(const char *bytes, size_t size, const char *text)
{
	int difference;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\0')
			return 1;
		difference = rt_fold(bytes[i]) - rt_fold(text[i]);
		if (difference != 0)
			return difference;
	}
	return text[size] == '\0' ? 0 : -1;
}

bool
rt_caseless_similar(const char *one, const char *two, size_t size)
{
	size_t i = 0;

	while (i < size && rt_fold(one[i]) == rt_fold(two[i]))
		i++;
	return i == size;
}

struct rt_word
rt_text_word(const char **at, const char *end)
{
	struct rt_word word;

	while (*at < end && rt_is_blank(**at))
		(*at)++;
	word.text = *at;
	while (*at < end && !rt_is_blank(**at))
		(*at)++;
	word.size = (size_t)(*at - word.text);
	return word;
}

struct rt_word
rt_text_rest(const char *at, const char *end)
{
	while (at < end && rt_is_blank(*at))
		at++;
	while (end > at && rt_is_blank(end[-1]))
		end--;
	return (struct rt_word){at, (size_t)(end - at)};
}

bool
rt_word_is(struct rt_word word, const char *text)
{
	return word.size == strlen(text) &&
		memcmp(word.text, text, word.size) == 0;
}

bool
rt_text_digits(const char **at, const char *end, uint64_t *number)
{
	const char *begin = *at;

	for (*number = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		unsigned digit = (unsigned)(**at - '0');

		if (*number > (UINT64_MAX - digit) / 10)
			*number = UINT64_MAX;
		else
			*number = *number * 10 + digit;
	}
	return *at > begin;
}

bool
rt_word_number(struct rt_word word, uint64_t most, uint64_t *number)
{
	const char *at = word.text, *end = word.text + word.size;

	return rt_text_digits(&at, end, number) && at == end && *number <= most;
}

bool
rt_word_range(struct rt_word word, uint64_t most, uint64_t *from, uint64_t *to)
{
	const char *at = word.text, *end = at + word.size;
	bool ok = rt_text_digits(&at, end, from) && *from <= most;

	*to = *from;
	if (!ok || at == end)
		return ok;
	if (*at == '+') {
		*to = UINT64_MAX;
		return at + 1 == end;
	}
	word = (struct rt_word){at + 1, (size_t)(end - at) - 1};
	return *at == '-' && rt_word_number(word, most, to);
}

/* How many ms a unit has; 0: there is none of that name. */
static uint64_t
unit_of_time(struct rt_word name)
{
	return rt_word_is(name, "ms") ? 1 :
		rt_word_is(name, "s") ? 1000 :
		rt_word_is(name, "m") ? 60000 :
					0;
}

/* Decimals of a time. */
#define MOST_DECIMALS 6

bool
rt_word_time(struct rt_word word, uint64_t most, uint64_t *ms)
{
	const char *at = word.text, *end = at + word.size;
	uint64_t whole, part = 0, scale = 1, unit = 1;
	bool fraction;

	if (!rt_text_digits(&at, end, &whole))
		return false;
	fraction = at < end && *at == '.';
	if (fraction) {
		const char *from = ++at;

		if (!rt_text_digits(&at, end, &part) ||
			at - from > MOST_DECIMALS)
			return false;
		for (; from < at; from++)
			scale *= 10;
	}
	if (fraction || at < end)
		unit = unit_of_time((struct rt_word){at, (size_t)(end - at)});
	if (unit == 0 || whole > most / unit)
		return false;
	*ms = whole * unit + (part * unit + scale - 1) / scale;
	return *ms <= most;
}

/* A version is short. */
#define MAX_VERSION 16

int
rt_text_status(const char *at, const char *end)
{
	struct rt_word word;
	uint64_t status;

	if (end - at < 5 || memcmp(at, "HTTP/", 5) != 0)
		return 0;
	word = rt_text_word(&at,
		end - at > MAX_VERSION ? at + MAX_VERSION : end);
	if (word.size == MAX_VERSION || end - at < 4 || *at != ' ')
		return 0;
	word = (struct rt_word){at + 1, 3};
	return rt_word_number(word, 999, &status) ? (int)status : 0;
}

const char **
rt_text_lines(const char *text)
{
	size_t size = strlen(text) + 1, count = 2;
	const char **lines;
	char *copy;

	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	lines = calloc(1, count * sizeof *lines + size);
	if (lines == NULL)
		return NULL;
	copy = memcpy(lines + count, text, size);
	count = 0;
	while (*copy != '\0') {
		char *end = copy + strcspn(copy, "\n");
		char *next = end + (*end == '\n');

		if (next > end && end > copy && end[-1] == '\r')
			end--;
		if (end > copy)
			lines[count++] = copy;
		*end = '\0';
		copy = next;
	}
	return lines;
}

struct rt_word
rt_text_member(const char **at, const char *end)
{
	struct rt_word word = {end, 0};

	while (word.size == 0 && *at < end) {
		const char *comma = memchr(*at, ',', (size_t)(end - *at));

		word = rt_text_rest(*at, comma ? comma : end);
		*at = comma ? comma + 1 : end;
	}
	return word;
}

bool
rt_text_lists(const char *list, size_t size, const char *member)
{
	const char *end = list + size;
	struct rt_word word;

	while ((word = rt_text_member(&list, end)).size > 0)
		if (rt_caseless(word.text, word.size, member))
			return true;
	return false;
}

int
rt_text_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Two digits; -1: they are none. */
static int
read_hex(const char *at)
{
	int high = rt_text_hex(at[0]), low = rt_text_hex(at[1]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

int
rt_text_percent(const char *at, const char *end)
{
	return end - at < 3 || *at != '%' ? -1 : read_hex(at + 1);
}

/* One byte, escaped or not. False: no escape that we know. */
static bool
read_byte(const char **from, const char *end, struct rt_buf *to)
{
	static const char names[] = "rnt0\\\"", bytes[] = "\r\n\t\0\\\"";
	const char *at = *from, *name;
	char byte = *at++;

	/* it is shown in one line, and read back */
	if ((unsigned char)byte < ' ')
		return false;
	if (byte == '\\') {
		if (end - at >= 3 && *at == 'x' && read_hex(at + 1) >= 0) {
			byte = (char)read_hex(at + 1);
			at += 3;
		} else {
			name = at < end && *at ? strchr(names, *at) : NULL;
			if (name == NULL)
				return false;
			byte = bytes[name - names];
			at++;
		}
	}
	rt_buf_add(to, &byte, 1);
	*from = at;
	return true;
}

bool
rt_text_unquote(const char **at, const char *end, struct rt_buf *to)
{
	if (*at == end || **at != '"')
		return false;
	(*at)++;
	while (*at < end && **at != '"')
		if (!read_byte(at, end, to))
			return false;
	if (*at == end)
		return false;
	(*at)++;
	return true;
}

bool
rt_text_unescape(const char *at, const char *end, struct rt_buf *to)
{
	while (at < end)
		if (!read_byte(&at, end, to))
			return false;
	return true;
}

void
rt_text_quote(struct rt_buf *buf, const void *bytes, size_t size, size_t most)
{
	const unsigned char *at = bytes;

	rt_buf_add(buf, "\"", 1);
	for (size_t i = 0; i < size && i < most; i++) {
		if (at[i] == '"' || at[i] == '\\')
			rt_buf_add(buf, "\\", 1);
		if (at[i] == '\r')
			rt_buf_add(buf, "\\r", 2);
		else if (at[i] == '\n')
			rt_buf_add(buf, "\\n", 2);
		else if (at[i] < ' ' || at[i] > '~')
			rt_buf_add_format(buf, "\\x%02x", (unsigned)at[i]);
		else
			rt_buf_add(buf, at + i, 1);
	}
	rt_buf_add_text(buf, size > most ? "...\"" : "\"");
}
