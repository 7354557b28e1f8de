/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "wire/embedding.h"

#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
expect_body(const char *request, const char *body)
{
	struct bytes got = exchange(request);
	const char *end = strstr(got.data, "\r\n\r\n");

	ck_assert_msg(end != NULL && strcmp(end + 4, body) == 0,
		"%s: to %s\n# expected \"%s\", got: %s", way->name,
		shown(request, strlen(request)), body,
		shown(got.data, got.size));
	bytes_free(&got);
}

void
finish_client(int fd, const char *expected)
{
	struct bytes got = {.data = NULL};
	int code = talk(fd, "", 0, &got, NULL);

	ck_assert_msg(code == 0, "%s: %s after: %s", way->name, strerror(code),
		shown(got.data, got.size));
	assert_has(got, expected);
	bytes_free(&got);
	(void)close(fd);
}

_Atomic(int) signals_here, signals_elsewhere;

bool
is_slow(void)
{
	return getenv("CK_TIMEOUT_MULTIPLIER") != NULL;
}

int
later(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	uint64_t *connection = arg;

	(void)reply;
	*connection = exchange->connection;
	return RETORT_LATER;
}

const struct stuck stuck[] = {
	{"", false, "\"\": nothing arrived; 0 bytes received, 0 sent\n"},
	{"GET /half HT", false,
		"\"GET /half HT\": in the head of the request; 12 bytes "
		"received, 0 sent\n"},
	{"POST /half" HOST "Content-Length: 5\r\n\r\nab", false,
		"\"POST /half HTTP/1.1\": in the body of the request; 53 bytes "
		"received, 0 sent\n"},
	{"GET /paused" HOST "\r\n", true,
		"\"GET /paused HTTP/1.1\": in the reply, paused; 33 bytes "
		"received, 0 sent\n"},
	{"GET /big" HOST "\r\n", true,
		"\"GET /big HTTP/1.1\": in the reply, which the client does "
		"not take; 30 bytes received, "},
	{"GET /later" HOST "\r\n", true,
		"\"GET /later HTTP/1.1\": its reply was not made; 32 bytes "
		"received, 0 sent\n"},
};

bool
has_even_body(void *arg, const struct retort_exchange *exchange)
{
	++*(int *)arg;
	return exchange->body_size % 2 == 0;
}

int asked;

int
build(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	static char body[200];

	(void)arg;
	(void)snprintf(body, sizeof body, "%s %s %s %.*s", exchange->method,
		exchange->path, retort_field_of(exchange, "x-a", 0),
		(int)exchange->body_size, (const char *)exchange->body);
	reply->status = 201;
	reply->body = body;
	reply->body_size = 0;
	return 0;
}

int
err(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	if (arg != NULL)
		reply->status = 7;
	return arg ? 0 : -5;
}

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

uint64_t asked_on;

void
mask(char *text)
{
	for (char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");
		char *from = strstr(line, " from 127.0.0.1:");

		if (from != NULL && from < line + size)
			for (from += 16; *from != '\n'; from++)
				*from = '#';
		else if (size > 12 && line[8] == '.')
			memcpy(line, "        ####", 12);
		line += size + 1;
	}
}

_Atomic(bool) enough;

char heard[400];
