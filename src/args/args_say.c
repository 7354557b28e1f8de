/* SPDX-License-Identifier: MIT */
/* Writes mistakes to standard error, and what the command is run for to
   standard output. */
#include "config.h"

#include "args/args_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
args_say(char *text)
{
	for (char *at = text; *at != '\0'; at++)
		if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
			*at = '?';
	(void)fprintf(stderr, "retort: %s\n", text);
}

void
args_die(int status, const char *format, ...)
{
	char text[4096], hint[2048];
	size_t used;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	used = strlen(text);
	if (args_hint(text, hint, sizeof hint))
		(void)snprintf(text + used, sizeof text - used, " (%s)", hint);
	args_say(text);
	exit(status);
}

int
args_write(int fd, const char *text, size_t size)
{
	while (size > 0) {
		struct pollfd polled = {.fd = fd, .events = POLLOUT};
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EAGAIN)
			(void)poll(&polled, 1, -1);
		else if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

void
args_print(const char *text)
{
	int code = args_write(STDOUT_FILENO, text, strlen(text));

	if (code < 0)
		args_die(EXIT_FAILURE, "standard output: %s", strerror(-code));
}

void *
args_must(void *memory)
{
	if (memory == NULL)
		args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	return memory;
}
