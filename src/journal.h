/* SPDX-License-Identifier: MIT */
/* Finished exchanges, as log lines. */
#ifndef RT_JOURNAL_H
#define RT_JOURNAL_H

#include "conn.h"
#include "retort.h"

/*
 * What an event callback is told of a connection. `client` is the caller's
 * room for the peer's text; the result borrows from it and from `conn`.
 */
struct retort_exchange rt_journal_view(const struct rt_conn *conn, int64_t now,
	char client[RT_PEER_TEXT]);

#endif
