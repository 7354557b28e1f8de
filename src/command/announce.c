/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "args/args.h"

/* Lines that grow. */
struct lines {
	char *text;
	size_t size;
};

static int
add_line(struct lines *lines, const char *line)
{
	size_t size = strlen(line);
	char *text = realloc(lines->text, lines->size + size + 2);

	if (text == NULL)
		return -ENOMEM;
	memcpy(text + lines->size, line, size);
	memcpy(text + lines->size + size, "\n", 2);
	lines->text = text;
	lines->size += size + 1;
	return 0;
}

/* Lists each port once: IPv4 and IPv6 share one. */
static int
list_ports(struct retort *server, struct lines *lines)
{
	int port, code = 0;

	for (size_t i = 0;
		code == 0 && (port = retort_listener(server, i).port) >= 0;
		i++) {
		bool seen = port == 0;
		char line[16];

		for (size_t k = 0; k < i && !seen; k++)
			seen = retort_listener(server, k).port == port;
		(void)snprintf(line, sizeof line, "%d", port);
		if (!seen)
			code = add_line(lines, line);
	}
	return code;
}

/* Whether an earlier listener has the same URL, as both of localhost do. */
static bool
is_repeated(struct retort *server, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(retort_listener(server, k).url,
			    retort_listener(server, i).url) == 0)
			return true;
	return false;
}

static int
list_urls(struct retort *server, struct lines *lines)
{
	const char *url;
	int code = 0;

	for (size_t i = 0;
		code == 0 && (url = retort_listener(server, i).url) != NULL;
		i++)
		if (!is_repeated(server, i))
			code = add_line(lines, url);
	return code;
}

int
announce_ports(struct retort *server, struct told_file *file,
	const volatile struct signals *signals)
{
	struct lines lines = {.text = NULL};
	int code;

	if (file->name == NULL)
		return 0;
	code = list_ports(server, &lines);
	if (code == 0)
		code = told_file_write(file, lines.text ? lines.text : "",
			signals);
	free(lines.text);
	return code;
}

/* --- standard output --- */

static void
warn_of_others(struct retort *server)
{
	const char *url;

	for (size_t i = 0; (url = retort_listener(server, i).url) != NULL; i++)
		if (!retort_listener(server, i).local)
			(void)fprintf(stderr,
				"retort: %s can be reached from "
				"other machines\n",
				url);
}

void
announce_end(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDOUT_FILENO);
		(void)close(null);
	}
}

int
announce(struct retort *server, const struct told_file *file)
{
	struct lines lines = {.text = NULL};
	int code = told_file_is_output(file) ? 0 : list_urls(server, &lines);

	warn_of_others(server);
	if (code == 0)
		code = args_write(STDOUT_FILENO, lines.text, lines.size);
	free(lines.text);
	return code;
}

/* --- a supervisor --- */

/* The length of the address, or -errno. */
static int
read_address(const char *text, struct sockaddr_un *address)
{
	size_t size = strlen(text);

	if (size < 2 || (*text != '/' && *text != '@'))
		return -EAFNOSUPPORT;
	if (size >= sizeof address->sun_path)
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, text, size);
	/* an abstract name: no NUL ends it */
	if (*text == '@')
		address->sun_path[0] = '\0';
	return (int)(offsetof(struct sockaddr_un, sun_path) + size +
		(*text == '/'));
}

static int
notify(const char *where, const char *text)
{
	struct sockaddr_un address;
	int size = read_address(where, &address);
	int fd, code = 0;

	if (size < 0)
		return size;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address,
		    (socklen_t)size) < 0)
		code = -errno;
	(void)close(fd);
	return code;
}

void
announce_ready(void)
{
	const char *where = getenv("NOTIFY_SOCKET");
	int code = where != NULL && *where != '\0' ?
		notify(where, "READY=1\n") :
		0;

	if (code < 0)
		(void)fprintf(stderr, "retort: NOTIFY_SOCKET %s: %s\n", where,
			strerror(-code));
}
