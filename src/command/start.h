/* SPDX-License-Identifier: MIT */
/* Prepares the process to serve: its descriptors, the sockets that were passed
   in, and the server that the options describe. */
#ifndef START_H
#define START_H

#include "args/args.h"
#include "retort.h"
#include "talk/prompt.h"

/* A socket must not become standard input, output or error. */
void start_standard_descriptors(void);

/* Raises the limit of descriptors as far as the machine allows. */
void start_descriptor_limit(void);

/*
 * Sockets that were passed in, by inetd or systemd, are standard output and
 * error no more; and those with a client at their other end already leave
 * args->bind for args->connected.
 */
void start_passed(struct args *args);

/* Opens a server with these options on the addresses of the command line; if it
   cannot, says why and exits. */
struct retort *start_open(const struct args *args,
	struct retort_options options);

/* The exit status when an address cannot be opened, for an errno. */
int start_status(const struct args *args, int error);

/* Opens a server with its rules, its answer and its scenario; `prompt` is for
   --prompt. If something is wrong with them, says what and exits. */
struct retort *start_server(const struct args *args, struct prompt *prompt);

/*
 * Reads the scenario of the command line; `again`: its rules replace those that
 * were read before. Its notices go to standard error. 0 or -errno, with a line
 * in `error`, of RETORT_ERROR_SIZE.
 */
int start_scenario(const struct args *args, struct retort *server, bool again,
	char *error);

#endif
