/* SPDX-License-Identifier: MIT */
/* Called by main.c before each step of the server. */
#include "config.h"

#include "command/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show/escape.h"

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
		a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void
reload_begin(struct reload *reload, const struct args *args)
{
	*reload = (struct reload){.file = NULL};
	if (!args->reload || args->scenario_text != NULL)
		return;
	reload->file = args->scenario;
	reload->notices = args->notices;
	(void)stat(reload->file, &reload->read);
}

static void
read_again(const struct reload *reload, struct retort *server,
	struct output *output)
{
	char error[RETORT_ERROR_SIZE], line[2 * RETORT_ERROR_SIZE];
	char *notices = NULL;
	const struct retort_scenario scenario = {
		.server = server,
		.file = reload->file,
		.notices = reload->notices ? &notices : NULL,
		.again = true,
		.error = error,
	};

	if (retort_load_sized(&scenario, sizeof scenario) < 0) {
		show_line(line, sizeof line, error);
		output_say(output, "%s (the rules stay as they were)", line);
	} else if (reload->notices) {
		output_say(output, "%s: read again", reload->file);
	}
	if (notices != NULL)
		show_lines(stderr, notices, strlen(notices), "");
	free(notices);
}

int
reload_look(struct reload *reload, struct retort *server, struct output *output)
{
	struct stat now;

	if (reload->file == NULL)
		return -1;
	/* while it is replaced there may be none */
	if (stat(reload->file, &now) < 0 || is_same(&now, &reload->read)) {
		reload->changed = false;
	} else if (!reload->changed || !is_same(&now, &reload->seen)) {
		reload->changed = true;
		reload->seen = now;
	} else {
		reload->changed = false;
		reload->read = now;
		read_again(reload, server, output);
	}
	return RELOAD_INTERVAL;
}
