/* SPDX-License-Identifier: MIT */
/*
 * Fields of requests for files: ranges, conditions, codings, dates; and the
 * header of the PROXY protocol. What is replayed is also cut short; --corpus DIR
 * writes a small corpus: see fuzz.h.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/proxy.h"
#include "http/date.h"
#include "http/http.h"
#include "site/negotiate.h"
#include "site/precondition.h"
#include "site/range.h"

/* A Sunday. */
#define NOW INT64_C(784111777)

static const uint64_t sizes[] = {0, 1, 10, 4096, UINT64_MAX};

/* What is asked lies within, and does not meet. */
static void
check_ranges(const char *text, size_t length)
{
	struct rt_range ranges[RT_MAX_RANGES];

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint64_t size = sizes[i];
		int count = rt_range_parse(text, length, size, ranges);

		must(count >= RT_RANGE_UNSATISFIABLE && count <= RT_MAX_RANGES);
		for (int k = 0; k < count; k++) {
			must(ranges[k].size > 0 && ranges[k].at < size);
			must(ranges[k].size <= size - ranges[k].at);
		}
		for (int k = 1; k < count; k++) {
			const struct rt_range *a = ranges + k - 1;

			must(a->at + a->size < ranges[k].at ||
				ranges[k].at + ranges[k].size < a->at);
		}
	}
}

/* A date that is read is the same once it is written. */
static void
check_date(const char *text, size_t size)
{
	char written[RT_DATE_TEXT];
	int64_t seconds, again;

	if (!rt_date_parse(text, size, NOW, &seconds))
		return;
	rt_date_format(seconds, written);
	must(rt_date_parse(written, strlen(written), NOW, &again));
	must(again == seconds);
}

/* Whatever follows, the same is found; and more of it never makes it less. */
static void
check_proxy(const char *bytes, size_t size)
{
	struct rt_peer peer = {.family = 0};
	int found = rt_proxy_read(bytes, size, &peer);

	must(found == -EBADMSG || (found >= 0 && (size_t)found <= size));
	must(found <= RT_PROXY_MOST);
	if (found == 0)
		must(size < RT_PROXY_MOST);
	else if (found > 0)
		must(rt_proxy_read(bytes, (size_t)found, &peer) == found);
}

/* As the fields of a GET. */
static void
check_fields(const char *fields, size_t size)
{
	static const char line[] = "GET / HTTP/1.1\r\nHost: x\r\n";
	static const struct rt_limits limits = {.target = 8192,
		.head = 65536,
		.fields = 100};
	static const struct rt_validators validators = {.etag = "\"x\"",
		.modified = NOW - 60,
		.has_modified = true,
		.is_exact = true};
	const struct rt_content_coding *wanted[RT_CODINGS];
	size_t whole = sizeof line - 1 + size + 4, at = 0;
	struct rt_http *http = rt_http_new();
	char *head = malloc(whole);

	must(http != NULL && head != NULL);
	memcpy(head, line, sizeof line - 1);
	memcpy(head + sizeof line - 1, fields, size);
	memcpy(head + sizeof line - 1 + size, "\r\n\r\n", 4);
	rt_http_reset(http, &limits);
	if (rt_http_feed(http, head, &at, whole) == RT_HTTP_HEAD) {
		const struct rt_request *request = rt_http_request(http);
		int status = rt_precondition(request, head, &validators, NOW);

		must(status == 0 || status == 304 || status == 412);
		(void)rt_precondition_range(request, head, &validators, NOW);
		must(rt_negotiate_codings(request, head, wanted) <= RT_CODINGS);
		(void)rt_negotiate_html(request, head);
	}
	free(head);
	rt_http_free(http);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);

	check_ranges(copy, size);
	check_date(copy, size);
	check_proxy(copy, size);
	check_fields(copy, size);
	free(copy);
	return 0;
}

static const char *const corpus[] = {
	"bytes=0-0, 5-, -3, 18446744073709551615-",
	"bytes=1-2,4-5,3-3,0-,-18446744073709551616",
	"Sun, 06 Nov 1994 08:49:37 GMT",
	"Sunday, 06-Nov-94 08:49:37 GMT",
	"Sun Nov  6 08:49:37 1994",
	"PROXY TCP4 192.0.2.1 192.0.2.2 65535 80\r\nGET",
	"PROXY TCP6 2001:db8::1 ::1 1 2\r\n",
	"PROXY UNKNOWN any\r\n",
	"If-None-Match: W/\"x\", \"y\", *\r\nIf-Match: \"x\"\r\n"
	"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
	"If-Range: \"x\"\r\nRange: bytes=0-1\r\n"
	"If-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT",
	"Accept-Encoding: br;q=0.5, gzip;q=0.001, *;q=0, identity\r\n"
	"Accept: text/html;level=1;q=0.7, */*;q=0.1, text/*",
};

const struct fuzz fuzz = {NULL, "\n\r\"-;=,:", "field", corpus,
	sizeof corpus / sizeof *corpus};
