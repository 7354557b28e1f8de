/* SPDX-License-Identifier: MIT */
/* Called by the rooms fault and scenario. Pure. */
#include "config.h"

#include "base/quote.h"

#include <string.h>

int
rt_quote_hex(char c)
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
		if (end - at >= 3 && *at == 'x' && rt_quote_hex(at[1]) >= 0 &&
			rt_quote_hex(at[2]) >= 0) {
			byte = (char)(rt_quote_hex(at[1]) * 16 +
				rt_quote_hex(at[2]));
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
rt_quote_read(const char **at, const char *end, struct rt_buf *to)
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
rt_quote_unescape(const char *at, const char *end, struct rt_buf *to)
{
	while (at < end)
		if (!read_byte(&at, end, to))
			return false;
	return true;
}
