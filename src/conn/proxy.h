/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol, versions 1 and 2, as bytes. Pure. */
#ifndef RT_PROXY_H
#define RT_PROXY_H

#include <stddef.h>

#include "os/sock.h"

/* The most bytes of a header: of its addresses and what follows them. */
#define RT_PROXY_MOST (16 + 4096)

/*
 * Looks at what a connection begins with. Returns the header's size, and then
 * *peer is the client that it names, unless it names none; 0: more of it must
 * come; or -EBADMSG: it is none, or malformed, or too long.
 */
int rt_proxy_read(const char *bytes, size_t size, struct rt_peer *peer);

#endif
