/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/heads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct rt_limits usual_limits = {.target = 8 << 10,
	.head = 64 << 10,
	.fields = 100};

struct rt_http *
head_read(const char *text, size_t size, const struct rt_limits *limits)
{
	struct rt_http *http = rt_http_new();
	size_t at = 0;

	ck_assert_ptr_nonnull(http);
	rt_http_reset(http, limits);
	ck_assert_msg(rt_http_feed(http, text, &at, size) == RT_HTTP_HEAD,
		"no request: %s", shown(text, size));
	return http;
}

struct head
head_begin(const char *method, const char *fields)
{
	const size_t room = strlen(method) + strlen(fields) + 64;
	char *text = malloc(room);
	struct head head;

	ck_assert_ptr_nonnull(text);
	head.size = (size_t)snprintf(text, room,
		"%s / HTTP/1.1\r\nHost: x\r\n%s\r\n", method, fields);
	/* what reads beyond it is found out */
	head.text = malloc(head.size);
	ck_assert_ptr_nonnull(head.text);
	memcpy(head.text, text, head.size);
	free(text);
	head.http = head_read(head.text, head.size, &usual_limits);
	return head;
}

void
head_end(struct head *head)
{
	rt_http_free(head->http);
	free(head->text);
}
