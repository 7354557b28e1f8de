/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wire/keeping.h"

#include <string.h>
#include <unistd.h>

void
open_keeping(struct retort_options options, int i)
{
	options.keep_alive = true;
	options.omit = "Date\nContent-Type";
	open_with(options, i);
}

void
exchange_on(int fd, const char *request, const char *expected)
{
	size_t size = strlen(expected);
	struct bytes got = {.data = NULL};
	struct talk talk = talk_begin(fd, request, strlen(request), &got);

	while (got.size < size && talk_on(&talk))
		;
	assert_bytes(got.data, got.size, expected, size);
	bytes_free(&got);
}

void
exchange_until(int fd, const char *request, const char *expected, int end)
{
	struct bytes got = {.data = NULL};
	int code = talk(fd, request, strlen(request), &got, NULL);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	ck_assert_msg(code == end, "%s: expected the end %d (%s), got %d (%s)",
		way->name, end, strerror(end), code, strerror(code));
	bytes_free(&got);
	(void)close(fd);
}
