/* SPDX-License-Identifier: MIT */
/* Conditional requests: preconditions and validators (RFC 9110 13, 8.8). */
#ifndef RT_PRECONDITION_H
#define RT_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"

/* The validators of the selected representation, as they are sent. */
struct rt_validators {
	const char *etag;  /* with its quotes, and W/ if weak; NULL: none */
	int64_t modified;  /* Last-Modified: seconds since the epoch */
	bool has_modified; /* false: it is not sent */
	bool is_exact;     /* it changed at that moment, and not later within
	                      the second */
};

/* Whether a request may have conditions, whose names begin with "If-", or asks
   for a range. */
static inline bool
rt_precondition_may_be(const struct rt_request *request, const char *base)
{
	return (request->letters & rt_http_letter('I')) != 0 ||
		rt_http_field(request, base, "Range") != NULL;
}

/*
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match and
 * If-Modified-Since of a request for a representation that exists, in the
 * order of RFC 9110 13.2.2; not for CONNECT, OPTIONS and TRACE. 0: go on; 304
 * (GET and HEAD alone); or 412. A date that is invalid, or given more than
 * once, is ignored; of a list of entity tags what is malformed is passed over,
 * up to the next comma.
 */
int rt_precondition(const struct rt_request *request, const char *base,
	const struct rt_validators *validators, int64_t now);

/*
 * Whether a Range field is to be obeyed: there is no If-Range, or exactly one
 * that is the same strong entity tag, or the same date, when that is strong
 * (8.8.2.2): here, when it is exact and lies at least a second before `now`.
 * If the file changed again within that second, a client that has the date may
 * have the contents from before.
 */
bool rt_precondition_range(const struct rt_request *request, const char *base,
	const struct rt_validators *validators, int64_t now);

#endif
