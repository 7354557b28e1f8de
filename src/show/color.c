/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "show/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
color_wanted(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return (no == NULL || *no == '\0') && terminal != NULL &&
		strcmp(terminal, "dumb") != 0 && isatty(fd) == 1;
}
