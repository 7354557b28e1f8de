/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Cuts of one input. */
#define CUTS 200

void
fuzz_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

uint64_t
fuzz_seed(const uint8_t *data, size_t size)
{
	return rt_text_hash(RT_TEXT_HASH, data, size);
}

uint32_t
fuzz_below(uint64_t *seed, uint32_t bound)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % bound;
}

char *
fuzz_copy(const void *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

#ifndef FUZZING

static void
cut_and_change(uint8_t *data, size_t size)
{
	(void)LLVMFuzzerTestOneInput(data, size);
	for (size_t i = 0; i < CUTS && i < size; i++) {
		size_t at = size < CUTS ? i : size * i / CUTS;
		uint8_t kept = data[at];

		(void)LLVMFuzzerTestOneInput(data, at);
		data[at] = (uint8_t)fuzz.bytes[i % 8];
		(void)LLVMFuzzerTestOneInput(data, size);
		data[at] = kept;
	}
}

static int
write_corpus(const char *folder)
{
	char path[4096];

	for (size_t i = 0; i < fuzz.count; i++) {
		FILE *file;

		(void)snprintf(path, sizeof path, "%s/%s-%zu", folder,
			fuzz.name, i + 1);
		file = fopen(path, "wb");
		if (file == NULL || fputs(fuzz.corpus[i], file) < 0 ||
			fclose(file) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int
replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof data, file);
	(void)fclose(file);
	if (fuzz.replay != NULL)
		fuzz.replay(data, size);
	else
		cut_and_change(data, size);
	return 0;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 3 && fuzz.corpus != NULL &&
		strcmp(argv[1], "--corpus") == 0)
		return write_corpus(argv[2]);
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}

#endif
