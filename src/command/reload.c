/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/reload.h"

#include "command/start.h"
#include "retort.h"
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
	*reload = (struct reload){.args = args};
	if (args->reload)
		(void)stat(args->scenario, &reload->read);
}

static void
read_again(const struct args *args, struct retort *server,
	struct output *output)
{
	char error[RETORT_ERROR_SIZE], line[2 * RETORT_ERROR_SIZE];

	if (start_scenario(args, server, true, error) < 0) {
		escape_line(line, sizeof line, error);
		output_say(output, "%s (the rules stay as they were)", line);
	} else if (args->notices) {
		output_say(output, "%s: read again", args->scenario);
	}
}

int
reload_look(struct reload *reload, struct retort *server, struct output *output)
{
	struct stat now;

	if (!reload->args->reload)
		return -1;
	/* while it is replaced there may be none */
	if (stat(reload->args->scenario, &now) < 0 ||
		is_same(&now, &reload->read)) {
		reload->changed = false;
	} else if (!reload->changed || !is_same(&now, &reload->seen)) {
		reload->changed = true;
		reload->seen = now;
	} else {
		reload->changed = false;
		reload->read = now;
		read_again(reload->args, server, output);
	}
	return RELOAD_INTERVAL;
}
