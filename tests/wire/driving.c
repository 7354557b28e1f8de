/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "wire/driving.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void
open_stepped(struct retort_options options, int i)
{
	open_with(options, STEPPED + i % 2);
}

void
open_unrecorded(int i)
{
	open_stepped((struct retort_options){.unrecorded = true}, i);
}

int
answer_with(struct retort_reply reply)
{
	int code;

	inside++;
	code = set_answer(&reply);
	inside--;
	return code;
}

void
answer_text(const char *body)
{
	ck_assert_int_eq(answer_with((struct retort_reply){.body = body,
				 .body_size = strlen(body)}),
		0);
}

int
serve_as(const char *folder, const struct retort_files *files)
{
	int code;

	inside++;
	code = set_files(folder, files);
	inside--;
	return code;
}

int
serve(const char *folder)
{
	return serve_as(folder, NULL);
}

void
stop(int grace)
{
	inside++;
	retort_stop(server, grace);
	inside--;
}

int64_t
processor_ms(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

int
poll_timeout(void)
{
	struct pollfd polled[8];
	int timeout = 77;

	ck_assert_uint_gt(retort_pollfds(server, polled, COUNT(polled),
				  &timeout),
		0);
	return timeout;
}

void
settle(void)
{
	for (int i = 0; i < 5; i++)
		(void)step(2);
}

int
converse(int fd, const char *request, size_t size, struct bytes *got,
	size_t most)
{
	struct talk talk = talk_begin(fd, request, size, got);

	while (got->size < most && talk_on(&talk))
		;
	return talk.end;
}

void
expect_ok(const char *request, const char *body)
{
	struct bytes got = exchange(request);
	const char *end = strstr(got.data, "\r\n\r\n");

	assert_begins(got, OK);
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end + 4, body);
	bytes_free(&got);
}

int
end_of(int fd)
{
	struct bytes got = {.data = NULL};
	int code = converse(fd, "", 0, &got, SIZE_MAX);

	ck_assert_msg(got.size == 0, "unexpected: %s",
		shown(got.data, got.size));
	bytes_free(&got);
	return code;
}

char *big;

void
answer_big(void)
{
	big = malloc(BIG);
	ck_assert_ptr_nonnull(big);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 4099);
	ck_assert_int_eq(answer_with((struct retort_reply){.body = big,
				 .body_size = BIG}),
		0);
}

int
connect_to_big(void)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();

	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
	assert_begins(got, OK);
	bytes_free(&got);
	settle();
	return fd;
}

struct seen events[64];

size_t event_count;

void
record(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct seen *seen = events + event_count;
	size_t line = exchange->request_size;
	int was_inside = inside;

	inside = 0;
	ck_assert_ptr_eq(arg, events);
	ck_assert_uint_lt(event_count++, COUNT(events));
	seen->event = event;
	seen->exchange = *exchange;
	seen->size = size;
	(void)snprintf(seen->client, sizeof seen->client, "%s",
		exchange->client);
	line = line < sizeof seen->request ? line : sizeof seen->request - 1;
	if (line > 0)
		memcpy(seen->request, exchange->request, line);
	seen->request[line] = '\0';
	if (size > 0)
		memcpy(seen->bytes, bytes,
			size < sizeof seen->bytes ? size : sizeof seen->bytes);
	inside = was_inside;
}

void
open_recorded(struct retort_options options, int i)
{
	options.event = record;
	options.event_arg = events;
	options.unrecorded = true;
	event_count = 0;
	memset(events, 0, sizeof events);
	open_stepped(options, i);
}

size_t
ends(void)
{
	size_t count = 0;

	for (size_t i = 0; i < event_count; i++)
		count += events[i].event == RETORT_ON_END;
	return count;
}

const struct retort_exchange *
the_end(enum retort_end end, int status)
{
	const struct seen *last;

	TURN_UNTIL(ends() > 0);
	last = events + event_count - 1;
	ck_assert_uint_eq(ends(), 1);
	ck_assert_int_eq(last->event, RETORT_ON_END);
	ck_assert_uint_eq(last->size, 0);
	ck_assert_int_eq(last->exchange.end, end);
	ck_assert_int_eq(last->exchange.status, status);
	return &last->exchange;
}

void
expect_refused(const char *url)
{
	ck_assert_int_eq(client_try(url, SOCK_STREAM), -ECONNREFUSED);
}

struct whole wholes[] = {
	{"GET /text HTTP/1.0\r\n\r\n", OK, "\r\n\r\n0123456789", 0, {NULL, 0}},
	{"GET /text HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n", OK,
		"\r\n\r\nzipped", 1, {NULL, 0}},
	{"GET /text HTTP/1.0\r\nRange: bytes=0-0,3-4,-1\r\n\r\n",
		"HTTP/1.1 206 ", "\r\n\r\n34\r\n--retort-", 0, {NULL, 0}},
	{"GET /large HTTP/1.0\r\nRange: bytes=1-100000,150000-\r\n\r\n",
		"HTTP/1.1 206 ", "bytes 150000-199999/200000\r\n\r\naaa", 0,
		{NULL, 0}},
	{"GET /text HTTP/1.0\r\nRange: bytes=10-\r\n\r\n", "HTTP/1.1 416 ",
		"\r\nContent-Range: bytes */10\r\n", 0, {NULL, 0}},
	{"GET /text HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", "HTTP/1.1 304 ",
		"\r\nCache-Control: max-age=60\r\n", 0, {NULL, 0}},
	{"GET /none HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", "\r\n\r\nmissing", 0,
		{NULL, 0}},
	{"GET /none HTTP/1.0\r\nAccept: text/html\r\n\r\n", OK, "\r\n\r\napp",
		0, {NULL, 0}},
	{"GET /folder HTTP/1.0\r\n\r\n", "HTTP/1.1 301 ", "/folder/", 0,
		{NULL, 0}},
	{"GET /folder/ HTTP/1.0\r\n\r\n", OK, "<a href=\"link\">link</a>", 0,
		{NULL, 0}},
	{"POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", OK,
		"\r\n\r\nPOST /echo ", 0, {NULL, 0}},
};

/* No date is that of the clock, which may be set meanwhile. */
static void
make_file(const char *folder, const char *name, const void *data, size_t size)
{
	const struct timespec times[2] = {{.tv_sec = 784111777},
		{.tv_sec = 784111777}};
	char path[300];

	dir_write(folder, name, data, size);
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

char *
make_site(void)
{
	char *folder = dir_make();
	char name[300];

	big = malloc(200000);
	ck_assert_ptr_nonnull(big);
	memset(big, 'a', 200000);
	make_file(folder, "large", big, 200000);
	make_file(folder, "text", "0123456789", 10);
	make_file(folder, "text.gz", "zipped", 6);
	make_file(folder, "404.html", "missing", 7);
	make_file(folder, "app/index.html", "app", 3);
	/* names that make every buffer of a listing grow more than once */
	for (int i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof name, "folder/%03d%.*s", i, 200,
			big);
		dir_write(folder, name, "", 0);
	}
	free(big);
	(void)snprintf(name, sizeof name, "%s/folder/link", folder);
	ck_assert_int_eq(symlink("../text", name), 0);
	return folder;
}

int
serve_site(const char *folder)
{
	static const struct retort_type type = {"ext", "a/b"};

	const struct retort_files files = {.fields = "A: b",
		.types = &type,
		.type_count = 1,
		.precompressed = true,
		.spa = "app/index.html",
		.max_age = 60};
	int code;

	inside++;
	retort_reset(server);
	code = retort_on(server, "/echo", .echo = true);
	inside--;
	return code < 0 ? code : serve_as(folder, &files);
}

void
blot(struct bytes *reply)
{
	char *at = strstr(reply->data, "\r\nDate: ");

	if (at != NULL)
		for (at += 8; *at != '\0' && *at != '\r'; at++)
			*at = '#';
	for (at = reply->data; (at = strstr(at, "retort-")) != NULL;)
		for (at += 7; *at != '\0' && strchr("\"\r-", *at) == NULL; at++)
			*at = '#';
}

void
learn_replies(void)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct whole *whole = wholes + i;

		whole->reply = exchange(whole->request);
		blot(&whole->reply);
		assert_begins(whole->reply, whole->begin);
		assert_has(whole->reply, whole->has);
	}
}

void
forget_replies(void)
{
	for (size_t i = 0; i < COUNT(wholes); i++)
		bytes_free(&wholes[i].reply);
}

bool
same_bytes(const struct bytes *a, const struct bytes *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

bool
check_reply(size_t i, struct bytes *got, bool cut)
{
	const struct whole *whole = wholes + i;

	bytes_add(got, "", 0);
	blot(got);
	if (same_bytes(got, &whole->reply))
		return true;
	ck_assert_msg(same_bytes(got,
			      &whole[-(ptrdiff_t)whole->instead].reply) ||
			strncmp(got->data, "HTTP/1.1 503 ", 13) == 0 ||
			(cut && got->size < whole->reply.size &&
				memcmp(got->data, whole->reply.data,
					got->size) == 0),
		"to %s came: %s", shown(whole->request, strlen(whole->request)),
		shown(got->data, got->size));
	return false;
}

void
expect_replies(void)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct bytes got = exchange(wholes[i].request);

		ck_assert_msg(check_reply(i, &got, false), "not the same: %s",
			shown(got.data, got.size));
		bytes_free(&got);
	}
}
