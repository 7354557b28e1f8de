/* SPDX-License-Identifier: MIT */
/*
 * --inspect: a page that shows requests as they arrive. It has a server of its
 * own, on the loopback, whose requests do not count as the user's; the page
 * reads from a reply that stays open. Nothing here waits.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stddef.h>

#include "retort.h"

struct inspect;
struct pollfd;

/* NULL with errno and a line in `error`, of RETORT_ERROR_SIZE. */
struct inspect *inspect_open(char *error);

/* Sets the server whose requests are shown. Call this before any step. */
void inspect_show(struct inspect *inspect, struct retort *server);

/* The URL of the page. Valid until inspect_close(). */
const char *inspect_url(const struct inspect *inspect);

/* All that follow do nothing if `inspect` is NULL. */

/* Ends the pages that are open, too. */
void inspect_close(struct inspect *inspect);

/* Call this for each event of that server. */
void inspect_event(struct inspect *inspect, enum retort_event event,
	const struct retort_exchange *exchange);

/* Call this after each step of that server, before records are forgotten. */
void inspect_step(struct inspect *inspect);

/* Fills at most `room` descriptors, and returns how many there are; `timeout`
   may become less: ms, -1: never. */
size_t inspect_poll(struct inspect *inspect, struct pollfd *polled, size_t room,
	int *timeout);

#endif
