/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "job/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "job/clock.h"

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define HASH_BEGIN 14695981039346656037u
#define HASH_PRIME 1099511628211u

/* Opens a file for the output, so that COMMAND never waits for a reader. */
static int
open_file(void)
{
	FILE *file = tmpfile();
	int fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 3) : -1;
	int error = -errno;

	if (file != NULL)
		(void)fclose(file);
	return fd < 0 ? error : fd;
}

int
trials_open(struct trials *trials)
{
	trials->errors = -1;
	trials->output = open_file();
	if (trials->output < 0)
		return trials->output;
	trials->errors = open_file();
	if (trials->errors >= 0)
		return 0;
	(void)close(trials->output);
	return trials->errors;
}

void
trials_close(struct trials *trials)
{
	(void)close(trials->output);
	(void)close(trials->errors);
}

/* Empties the file for the next trial. */
static void
empty(int fd)
{
	(void)!ftruncate(fd, 0);
	(void)lseek(fd, 0, SEEK_SET);
}

static void
add(struct printed *printed, const unsigned char *bytes, size_t size)
{
	if (printed->size < TRIAL_KEPT) {
		size_t room = TRIAL_KEPT - (size_t)printed->size;

		memcpy(printed->bytes + printed->size, bytes,
			size < room ? size : room);
	}
	for (size_t i = 0; i < size; i++)
		printed->hash = (printed->hash ^ bytes[i]) * HASH_PRIME;
	printed->size += size;
}

static void
read_printed(int fd, struct printed *printed)
{
	unsigned char bytes[4096];
	ssize_t n;

	printed->size = 0;
	printed->hash = HASH_BEGIN;
	while ((n = pread(fd, bytes, sizeof bytes, (off_t)printed->size)) > 0)
		add(printed, bytes, (size_t)n);
}

int
trials_run(struct trials *trials, const char *url, int time,
	struct trial *trial)
{
	const int outputs[2] = {trials->output, trials->errors};
	int64_t begin = clock_ms();
	struct child child;
	int code;

	empty(trials->output);
	empty(trials->errors);
	code = child_start(&child, trials->command, url, trials->ca,
		trials->before, outputs);
	if (code < 0)
		return code;
	while (!(trial->ended = child_wait(&child, CHILD_INTERVAL)) &&
		*trials->stop == 0 && clock_ms() - begin < time)
		;
	trial->took = (int)(clock_ms() - begin);
	trial->status = child.status;
	trial->signal = child.signal;
	child_end(&child, 0);
	read_printed(trials->output, &trial->output);
	read_printed(trials->errors, &trial->errors);
	return 0;
}

bool
printed_same(const struct printed *one, const struct printed *other)
{
	return one->size == other->size && one->hash == other->hash;
}
