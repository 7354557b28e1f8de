/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room route; nobody else sees it. */
#ifndef RT_ROUTE_PARTS_H
#define RT_ROUTE_PARTS_H

#include "route/route.h"

/* Checks a rule, whose match is not made yet. 0, or -EINVAL with `error`. */
int rt_route_check(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, char *error);

/* Checks that its path has an asterisk for each number in braces. The same
   results. */
int rt_route_check_stars(const struct rt_rule *rule, char *error);

/* Checks that its faults are possible, as far as its reply is known; `listed`:
   it is not the fallback. 0, or -EINVAL or -ENOMEM with `error`. */
int rt_route_check_faults(const struct rt_route *route,
	const struct rt_rule *rule, const struct retort_reply *given,
	bool listed, char *error);

#endif
