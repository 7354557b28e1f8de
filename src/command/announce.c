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
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How often a FIFO's reader is looked for. */
#define FIFO_INTERVAL 10 /* ms */

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

/* One line per distinct port, as IPv4 and IPv6 share one. */
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

/* Both listeners of localhost have one URL. */
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

/* --- files for others --- */

bool
told_file_is_output(const struct told_file *file)
{
	return file->name != NULL && strcmp(file->name, "-") == 0;
}

int
told_file_begin(struct told_file *file, const char *name)
{
	struct stat status, output;

	*file = (struct told_file){.name = name};
	if (name == NULL || told_file_is_output(file) ||
		lstat(name, &status) < 0)
		return 0;
	if (S_ISREG(status.st_mode))
		return unlink(name) < 0 ? -errno : 0;
	/* /dev/stdout: opened once more, it would begin at 0 again */
	if (stat(name, &status) == 0 && fstat(STDOUT_FILENO, &output) == 0 &&
		status.st_dev == output.st_dev &&
		status.st_ino == output.st_ino)
		file->name = "-";
	return 0;
}

int
told_file_name(struct told_file *file)
{
	const char *folder = getenv("TMPDIR");
	char *name;
	size_t size;
	int fd;

	if (file->name != NULL)
		return 0;
	if (folder == NULL || *folder == '\0')
		folder = "/tmp";
	size = strlen(folder) + sizeof "/retort-ca.XXXXXX";
	name = malloc(size);
	if (name == NULL)
		return -ENOMEM;
	(void)snprintf(name, size, "%s/retort-ca.XXXXXX", folder);
	fd = mkstemp(name);
	if (fd < 0) {
		int code = -errno;

		free(name);
		return code;
	}
	(void)close(fd);
	file->made = name;
	file->name = name;
	return 0;
}

/* Takes the descriptor. 0 or -errno. */
static int
write_and_close(int fd, const struct lines *lines)
{
	int code = args_write(fd, lines->text, lines->size);

	return close(fd) < 0 && code == 0 ? -errno : code;
}

/* A new file, which is taken, with the mode that others would have. */
static int
fill_file(struct told_file *file, int fd, const struct lines *lines)
{
	mode_t mask = umask(0);
	struct stat status;

	(void)umask(mask);
	if (fchmod(fd, 0666 & ~mask) < 0 || fstat(fd, &status) < 0) {
		int code = -errno;

		(void)close(fd);
		return code;
	}
	file->device = status.st_dev;
	file->inode = status.st_ino;
	return write_and_close(fd, lines);
}

/* Under a temporary name, and then by its own. */
static int
write_regular(struct told_file *file, const struct lines *lines)
{
	size_t size = strlen(file->name) + sizeof ".XXXXXX";
	char *temporary = malloc(size);
	int fd, code;

	if (temporary == NULL)
		return -ENOMEM;
	(void)snprintf(temporary, size, "%s.XXXXXX", file->name);
	fd = mkstemp(temporary);
	code = fd < 0 ? -errno : fill_file(file, fd, lines);
	if (code == 0 && rename(temporary, file->name) < 0)
		code = -errno;
	if (code < 0 && fd >= 0)
		(void)unlink(temporary);
	file->ours = code == 0;
	free(temporary);
	return code;
}

/* Into a file that is not regular; if it is a FIFO, waits for a reader. */
static int
write_other(const struct told_file *file, const struct lines *lines,
	const volatile struct signals *signals)
{
	static const struct timespec interval = {0, FIFO_INTERVAL * 1000000};
	int fd;

	while ((fd = open(file->name,
			O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY |
				O_CLOEXEC,
			0666)) < 0) {
		if (errno != ENXIO && errno != EINTR)
			return -errno;
		if (signals->count > 0)
			return 0;
		(void)nanosleep(&interval, NULL);
	}
	return write_and_close(fd, lines);
}

static int
write_file(struct told_file *file, const struct lines *lines,
	const volatile struct signals *signals)
{
	struct stat status;

	if (told_file_is_output(file))
		return args_write(STDOUT_FILENO, lines->text, lines->size);
	if (lstat(file->name, &status) < 0 || S_ISREG(status.st_mode) ||
		S_ISDIR(status.st_mode))
		return write_regular(file, lines);
	return write_other(file, lines, signals);
}

int
told_file_ports(struct told_file *file, struct retort *server,
	const volatile struct signals *signals)
{
	struct lines lines = {.text = NULL};
	int code;

	if (file->name == NULL)
		return 0;
	code = list_ports(server, &lines);
	if (code == 0)
		code = write_file(file, &lines, signals);
	free(lines.text);
	return code;
}

int
told_file_ca(struct told_file *file, const char *ca,
	const volatile struct signals *signals)
{
	struct lines lines = {.text = (char *)(uintptr_t)ca};

	if (file->name == NULL || ca == NULL)
		return 0;
	lines.size = strlen(ca);
	return write_file(file, &lines, signals);
}

void
told_file_end(struct told_file *file)
{
	struct stat status;

	if (file->ours && lstat(file->name, &status) == 0 &&
		S_ISREG(status.st_mode) && status.st_dev == file->device &&
		status.st_ino == file->inode)
		(void)unlink(file->name);
	free(file->made);
	file->made = NULL;
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
