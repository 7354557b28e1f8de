/* SPDX-License-Identifier: MIT */
/* Transcripts as pictures: retort show, and the reports of retort run. */
#ifndef SHOW_H
#define SHOW_H

#include <stdio.h>

#include "args/args.h"
#include "retort.h"

/* retort show; the exit status. */
int show_command(const struct args *args);

/* The file of --report; NULL: there is none. Exits if it cannot be opened: call
   this before anything runs. */
FILE *show_open_report(const struct args *args);
void show_close_report(const struct args *args, FILE *report);

/* Draws what arrived at the server, after the verdict, which may be "". Closes
   the report; does nothing if that is NULL. */
void show_report(const struct args *args, FILE *report, struct retort *server,
	const char *verdict);

#endif
