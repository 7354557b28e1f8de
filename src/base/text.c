/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/text.h"

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

int
rt_text_percent(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 3 || *at != '%')
		return -1;
	for (int i = 1; i <= 2; i++) {
		int c = (unsigned char)at[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			c = (c | 0x20) - 'a' + 10;
		else
			return -1;
		value = value << 4 | c;
	}
	return value;
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
		if (end - at >= 3 && *at == 'x' && rt_text_hex(at[1]) >= 0 &&
			rt_text_hex(at[2]) >= 0) {
			byte = (char)(rt_text_hex(at[1]) * 16 +
				rt_text_hex(at[2]));
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
