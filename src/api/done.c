/* SPDX-License-Identifier: MIT */
/* The last call of a test. */
#include "config.h"

#include <string.h>

#include "retort.h"

/* The time for replies that are under way: ms. */
#define GRACE 100

bool(retort_done)(struct retort *server, char **wrong)
{
	const char *verdict;
	bool right;

	if (wrong != NULL)
		*wrong = NULL;
	retort_stop(server, GRACE);
	(void)retort_wait_end(server, NULL, -1);
	verdict = retort_verdict(server);
	if (wrong != NULL && *verdict != '\0')
		*wrong = strdup(verdict);
	right = *verdict == '\0';
	retort_close(server);
	return right;
}
