/* SPDX-License-Identifier: MIT */
/*
 * The process as it must be before it serves: its descriptors. Part of the
 * command: sees retort.h only.
 */
#ifndef SETUP_H
#define SETUP_H

#include "args.h"
#include "retort.h"

/* A socket must not become standard input, output or error. */
void setup_standard_descriptors(void);

/* As many connections as the machine allows; select(2) is not used. */
void setup_descriptor_limit(void);

/*
 * Sockets that were passed in and are connected already: inetd's, or those of
 * systemd's Accept=yes. They leave args->options.bind for args->connected, and
 * are standard output and error no more.
 */
void setup_connected(struct args *args);

#endif
