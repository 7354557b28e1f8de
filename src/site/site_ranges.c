/* SPDX-License-Identifier: MIT */
/* Several ranges in one body: a boundary that no file contains, and the text
   between the ranges. */
#include "config.h"

#include "site/site_ranges.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"

#define BOUNDARY_TEXT sizeof "retort-0123456789abcdef"

/* Bytes that no file contains, except by design: the clock, mixed well. */
static void
make_boundary(char boundary[BOUNDARY_TEXT])
{
	struct timespec now = {0, 0};
	uint64_t mixed;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	mixed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	(void)snprintf(boundary, BOUNDARY_TEXT, "retort-%016llx",
		(unsigned long long)(mixed ^ mixed >> 31));
}

/* The delimiter before a part, or, without a range, after the last. */
static void
add_delimiter(struct rt_buf *to, const char *boundary, const char *type,
	const struct rt_range *range, uint64_t size)
{
	rt_buf_add_text(to, "\r\n--");
	rt_buf_add_text(to, boundary);
	if (range == NULL) {
		rt_buf_add_text(to, "--\r\n");
		return;
	}
	rt_buf_add_text(to, "\r\nContent-Type: ");
	rt_buf_add_text(to, type);
	rt_buf_add_format(to,
		"\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
		"\r\n\r\n",
		range->at, range->at + range->size - 1, size);
}

void
rt_site_ranges(struct rt_draft *draft, const char *content, int fd,
	uint64_t size, const struct rt_range *ranges, size_t count,
	const char *type)
{
	char boundary[BOUNDARY_TEXT], own_type[64 + BOUNDARY_TEXT];
	struct rt_part parts[RT_MAX_RANGES + 1];
	size_t ends[RT_MAX_RANGES + 1], from = 0;
	struct rt_buf text;

	make_boundary(boundary);
	rt_buf_init(&text, RT_MAX_TEXT);
	for (size_t i = 0; i <= count; i++) {
		add_delimiter(&text, boundary, type,
			i < count ? &ranges[i] : NULL, size);
		ends[i] = text.len;
	}
	draft->reply->failed = draft->reply->failed || text.failed;
	for (size_t i = 0; i <= count && !text.failed; i++) {
		parts[i] = (struct rt_part){.text = text.data + from,
			.text_size = ends[i] - from,
			.bytes = content,
			.at = i < count ? ranges[i].at : 0,
			.size = i < count ? ranges[i].size : 0};
		from = ends[i];
	}
	(void)snprintf(own_type, sizeof own_type,
		"multipart/byteranges; boundary=%s", boundary);
	rt_draft_field(draft, "Content-Type", own_type);
	rt_draft_body_parts(draft, fd, parts, text.failed ? 0 : count + 1);
	rt_buf_free(&text);
}
