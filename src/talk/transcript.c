/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "talk/transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that may wait to be written. */
#define MAX_HELD (64u << 20)

bool
transcripts_add(struct transcripts *transcripts, uint64_t connection,
	char *text)
{
	struct transcript *one = NULL;
	size_t size = strlen(text);

	if (transcripts->held <= MAX_HELD)
		one = malloc(sizeof *one);
	if (one == NULL) {
		free(text);
		return false;
	}
	*one = (struct transcript){.connection = connection,
		.text = text,
		.size = size};
	if (transcripts->first == NULL)
		transcripts->first = one;
	else
		transcripts->last->next = one;
	transcripts->last = one;
	transcripts->held += size;
	return true;
}

/* Opens a new file. It never writes into an existing one, so that no link leads
   elsewhere and no FIFO makes us wait. It replaces an earlier transcript;
   anything but a file stays, and is an error. */
static int
open_new(const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat status;
	int fd = open(name, flags, 0666);

	if (fd >= 0 || errno != EEXIST)
		return fd;
	if (lstat(name, &status) == 0 && S_ISREG(status.st_mode) &&
		unlink(name) == 0)
		return open(name, flags, 0666);
	errno = EEXIST;
	return -1;
}

static void
drop_first(struct transcripts *transcripts)
{
	struct transcript *one = transcripts->first;

	if (transcripts->fd >= 0)
		(void)close(transcripts->fd);
	transcripts->fd = -1;
	transcripts->at = 0;
	transcripts->held -= one->size;
	transcripts->first = one->next;
	free(one->text);
	free(one);
}

/* Writes a part of the first transcript; the bytes, or -1 with errno. */
static ssize_t
write_some(struct transcripts *transcripts, const char *name, size_t most)
{
	const struct transcript *one = transcripts->first;
	size_t left = one->size - transcripts->at;
	ssize_t n;

	if (transcripts->fd < 0)
		transcripts->fd = open_new(name);
	if (transcripts->fd < 0)
		return -1;
	do
		n = write(transcripts->fd, one->text + transcripts->at,
			left < most ? left : most);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		transcripts->at += (size_t)n;
	return n;
}

const char *
transcripts_write(struct transcripts *transcripts, size_t most, char *error,
	size_t size)
{
	while (transcripts->first != NULL && most > 0) {
		const struct transcript *one = transcripts->first;
		char name[PATH_MAX];
		ssize_t n;

		(void)snprintf(name, sizeof name, "%s/%llu.txt",
			transcripts->dir, (unsigned long long)one->connection);
		n = write_some(transcripts, name, most);
		if (n < 0) {
			(void)snprintf(error, size, "%s: %s", name,
				strerror(errno));
			drop_first(transcripts);
			return error;
		}
		most -= (size_t)n;
		if (transcripts->at == one->size)
			drop_first(transcripts);
	}
	return NULL;
}
