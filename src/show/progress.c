/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "show/progress.h"

/* ms between two reports. */
#define INTERVAL 100

/* Writes ", 12/s, 1:20 left", without the rate if it is less than one. */
static void
say_rate(char *to, size_t room, int64_t ms, size_t done, size_t all)
{
	uint64_t rate = ms > 0 ? (uint64_t)done * 1000 / (uint64_t)ms : 0;
	uint64_t left =
		(uint64_t)(all - done) * (uint64_t)ms / ((uint64_t)done * 1000);
	int size = rate > 0 ?
		snprintf(to, room, ", %llu/s", (unsigned long long)rate) :
		0;

	(void)snprintf(to + size, room - (size_t)size, ", %llu:%02llu left",
		(unsigned long long)(left / 60),
		(unsigned long long)(left % 60));
}

void
progress_tell(struct progress *progress, int64_t now, size_t done, size_t all)
{
	char rate[64];

	if (progress->file == NULL || done == 0 ||
		(done < all && now - progress->told < INTERVAL &&
			progress->told != 0))
		return;
	progress->told = now;
	say_rate(rate, sizeof rate, now - progress->began, done, all);
	(void)fprintf(progress->file,
		"\r\33[Kretort: %zu of %zu%s, %zu cut%s taken for "
		"success",
		done, all, rate, progress->wrong,
		progress->wrong == 1 ? "" : "s");
}

void
progress_clear(const struct progress *progress)
{
	if (progress->file != NULL && progress->told != 0)
		(void)fputs("\r\33[K", progress->file);
}
