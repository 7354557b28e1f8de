/* SPDX-License-Identifier: MIT */
/*
 * Shared by the fuzzers, of which each is two programs: with FUZZING libFuzzer
 * has main(), and calls LLVMFuzzerTestOneInput(); without, main() replays the
 * files that are its arguments.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert(), which would be gone from a build that is optimized. */
#define must(what) \
	do { \
		if (!(what)) \
			fuzz_fail(__FILE__, __LINE__, #what); \
	} while (0)
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

/* Numbers that follow from the input: where they begin, and the next of them,
   below a bound. */
uint64_t fuzz_seed(const uint8_t *data, size_t size);
uint32_t fuzz_below(uint64_t *seed, uint32_t bound);

/* A copy with nothing after it, for free(). */
char *fuzz_copy(const void *data, size_t size);

/* What a fuzzer is without libFuzzer. */
struct fuzz {
	/* Replays one input, which it may change. NULL: the whole of it; cut
	   short in several places; and with the byte there changed, to one of
	   eight. */
	void (*replay)(uint8_t *data, size_t size);
	const char *bytes;

	/* What --corpus DIR writes there, as NAME-1 and so on; or NULL. */
	const char *name;
	const char *const *corpus;
	size_t count;
};
extern const struct fuzz fuzz;

#endif
