/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room route. */
#ifndef RT_ROUTE_PARTS_H
#define RT_ROUTE_PARTS_H

#include "route/route.h"

/* A greeting is bytes, whatever the rest of the connection is. */
static inline enum retort_protocol
rt_route_protocol(const struct rt_route *route, bool accepted)
{
	return accepted && route->protocol == RETORT_HTTP ? RETORT_TCP :
							    route->protocol;
}

#endif
