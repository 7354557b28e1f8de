/* status: the status codes of HTTP (RFC 9110 15), and those with which this
   server refuses requests. */

#ifndef RT_STATUS_H
#define RT_STATUS_H

#include <stdbool.h>

/* "Not Found", or "Unknown" for a status that has no phrase of its own. */
const char *rt_status_phrase(int status);

/* Whether a reply of this status never has a body (RFC 9110 6.4.1). */
static inline bool
rt_status_has_no_body(int status)
{
	return status / 100 == 1 || status == 204 || status == 304;
}

/* Whether requests are refused with that status, by whatever refuses them; and
   all of those, in words. */
bool rt_status_refuses(int status);
#define RT_STATUS_REFUSALS "400, 408, 413, 414, 417, 421, 431, 501, 503 or 505"

#endif
