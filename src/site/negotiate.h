/* SPDX-License-Identifier: MIT */
/* Content negotiation by the request's fields (RFC 9110 12). */
#ifndef RT_NEGOTIATE_H
#define RT_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"

/* A content coding (RFC 9110 8.4.1) for which there may be a file. */
struct rt_content_coding {
	const char *name;   /* for Content-Encoding */
	const char *suffix; /* of the file: ".br" */
};

#define RT_CODINGS 3

/*
 * The codings that the client prefers to none, best first: by their weight in
 * Accept-Encoding, then br, zstd, gzip. "*" stands for those not named;
 * x-gzip is gzip. A coding is preferred to none when its weight is not 0 and
 * no less than that of "identity", where that is named. None without the
 * field. A member that is malformed is passed over; of two of the
 * same name the last counts. Returns their number.
 */
size_t rt_negotiate_codings(const struct rt_request *request, const char *base,
	const struct rt_content_coding *wanted[RT_CODINGS]);

/*
 * Whether Accept names text/html itself, with a weight that is not 0: the
 * request of a browser that goes to a page, not of a script or an image.
 */
bool rt_negotiate_html(const struct rt_request *request, const char *base);

#endif
