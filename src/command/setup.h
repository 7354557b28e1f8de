/* SPDX-License-Identifier: MIT */
/* What has to be done before there is a server: the descriptors of the process,
   those that were passed in, and addresses. */
#ifndef SETUP_H
#define SETUP_H

#include "args/args.h"
#include "retort.h"

/* A socket must not become standard input, output or error. */
void setup_standard_descriptors(void);

/* As many connections as the machine allows; select(2) is not used. */
void setup_descriptor_limit(void);

/*
 * Sockets that were passed in, by inetd or systemd, are standard output and
 * error no more; and those with a client at their other end already leave
 * args->bind for args->connected.
 */
void setup_passed(struct args *args);

/* Starts a server with these options on the addresses of the command line. NULL
   with errno and a line in options.error. */
struct retort *setup_server(const struct args *args,
	struct retort_options options);

/* The N of "fd:N", or -1. */
int setup_fd(const char *address);

/* The exit status when an address cannot be opened, for an errno. */
int setup_status(const struct args *args, int error);

/* It could not be opened, for an errno and a line: exits with that. */
_Noreturn void setup_fail(const struct args *args, int error, const char *why);

#endif
