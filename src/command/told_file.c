/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/told_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "args/args.h"

/* How often a FIFO's reader is looked for. */
#define FIFO_INTERVAL 10 /* ms */

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
write_and_close(int fd, const char *text)
{
	int code = args_write(fd, text, strlen(text));

	return close(fd) < 0 && code == 0 ? -errno : code;
}

/* Fills a new file, with the mode that open(2) would give it. Takes the
   descriptor. */
static int
fill_file(struct told_file *file, int fd, const char *text)
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
	return write_and_close(fd, text);
}

/* Writes a file under a temporary name and renames it, so that it is whole
   whenever it is there. */
static int
write_regular(struct told_file *file, const char *text)
{
	size_t size = strlen(file->name) + sizeof ".XXXXXX";
	char *temporary = malloc(size);
	int fd, code;

	if (temporary == NULL)
		return -ENOMEM;
	(void)snprintf(temporary, size, "%s.XXXXXX", file->name);
	fd = mkstemp(temporary);
	code = fd < 0 ? -errno : fill_file(file, fd, text);
	if (code == 0 && rename(temporary, file->name) < 0)
		code = -errno;
	if (code < 0 && fd >= 0)
		(void)unlink(temporary);
	file->ours = code == 0;
	free(temporary);
	return code;
}

/* Writes into what is not a regular file; waits for the reader of a FIFO. */
static int
write_other(const struct told_file *file, const char *text,
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
	return write_and_close(fd, text);
}

int
told_file_write(struct told_file *file, const char *text,
	const volatile struct signals *signals)
{
	struct stat status;

	if (file->name == NULL)
		return 0;
	if (told_file_is_output(file))
		return args_write(STDOUT_FILENO, text, strlen(text));
	if (lstat(file->name, &status) < 0 || S_ISREG(status.st_mode) ||
		S_ISDIR(status.st_mode))
		return write_regular(file, text);
	return write_other(file, text, signals);
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
