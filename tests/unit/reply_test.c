/* SPDX-License-Identifier: MIT */
/* Replies: heads byte for byte, bodies that are not files, scripts. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http.h"
#include "http/status.h"
#include "reply/reply.h"
#include "support/harness.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* --- whole replies --- */

/* How a reply gets its body. */
enum way { WITHOUT, BODY, COPY, REASON, ERROR };

#define DATE_FIELD "Date: " DATE "\r\n"
#define TEXT_PLAIN "Content-Type: text/plain; charset=utf-8\r\n"
#define CLOSE "Connection: close\r\n\r\n"
#define CHUNKED \
	"HTTP/1.1 200 OK\r\n" DATE_FIELD "Transfer-Encoding: chunked\r\n" CLOSE

static const char by_three[] = "3 3 3";

/* The request, with fields of the server and wishes of the user;
   and the head and the body that it makes. */
static const struct {
	const char *name;
	int status;
	const char *fields[7]; /* names and values in turn */
	enum way way;
	const char *text; /* of the body, or the reason */
	struct retort_reply own;
	const char *head;
	const char *body;
} replies[] = {
	{.name = "a whole reply",
		.status = 200,
		.fields = {"Content-Type", "text/plain", "ETag", "\"x\""},
		.way = BODY,
		.text = "hello\n",
		.head = "HTTP/1.1 200 OK\r\n" DATE_FIELD
			"Content-Type: text/plain\r\n"
			"ETag: \"x\"\r\n"
			"Content-Length: 6\r\n" CLOSE,
		.body = "hello\n"},
	{.name = "an empty body has a length",
		.status = 404,
		.way = BODY,
		.text = "",
		.head = "HTTP/1.1 404 Not Found\r\n" DATE_FIELD
			"Content-Length: 0\r\n" CLOSE},
	{.name = "a status without a phrase",
		.status = 799,
		.way = COPY,
		.text = "x",
		.head = "HTTP/1.1 799 Unknown\r\n" DATE_FIELD
			"Content-Length: 1\r\n" CLOSE,
		.body = "x"},
	{.name = "no body",
		.status = 304,
		.fields = {"ETag", "\"x\""},
		.head = "HTTP/1.1 304 Not Modified\r\n" DATE_FIELD
			"ETag: \"x\"\r\n" CLOSE},
	{.name = "own fields replace, add and remove",
		.status = 200,
		.fields = {"Content-Type", "text/plain", "ETag", "\"x\"",
			"Last-Modified", DATE},
		.way = BODY,
		.text = "b",
		.own = {.fields = "content-type: x/y\nX-One: 1\n"
				  "X-Two: \nX-One:2",
			.omit = "ETag"},
		.head = "HTTP/1.1 200 OK\r\n" DATE_FIELD "Last-Modified: " DATE
			"\r\n"
			"Content-Length: 1\r\n"
			"content-type: x/y\r\n"
			"X-One: 1\r\n"
			"X-Two: \r\n"
			"X-One:2\r\n" CLOSE,
		.body = "b"},
	{.name = "an own date",
		.status = 204,
		.own = {.fields = "DATE: today"},
		.head = "HTTP/1.1 204 No Content\r\nDATE: today\r\n" CLOSE},
	{.name = "no date",
		.status = 204,
		.own = {.omit = "date"},
		.head = "HTTP/1.1 204 No Content\r\n" CLOSE},
	{.name = "what is removed and given is given",
		.status = 204,
		.fields = {"Server", "retort"},
		.own = {.omit = "Server", .fields = "Server: x"},
		.head = "HTTP/1.1 204 No Content\r\n" DATE_FIELD
			"Server: x\r\n" CLOSE},
	{.name = "an error",
		.status = 404,
		.way = ERROR,
		.head = "HTTP/1.1 404 Not Found\r\n" DATE_FIELD TEXT_PLAIN
			"Content-Length: 14\r\n" CLOSE,
		.body = "404 Not Found\n"},
	{.name = "a body that says why",
		.status = 405,
		.fields = {"Allow", "GET, HEAD"},
		.way = REASON,
		.text = "because",
		.head = "HTTP/1.1 405 Method Not Allowed\r\n" DATE_FIELD
			"Allow: GET, HEAD\r\n" TEXT_PLAIN
			"Content-Length: 32\r\n" CLOSE,
		.body = "405 Method Not Allowed: because\n"},
	{.name = "a reason follows other fields",
		.status = 416,
		.fields = {"Vary", "Accept-Encoding", "Content-Range",
			"bytes */5"},
		.way = REASON,
		.head = "HTTP/1.1 416 Range Not Satisfiable\r\n" DATE_FIELD
			"Vary: Accept-Encoding\r\n"
			"Content-Range: bytes */5\r\n" TEXT_PLAIN
			"Content-Length: 26\r\n" CLOSE,
		.body = "416 Range Not Satisfiable\n"},
	{.name = "a reason with an own type",
		.status = 412,
		.way = REASON,
		.text = "so",
		.own = {.fields = "Content-Type: a/b\r\nX-One: 1\r\n"},
		.head = "HTTP/1.1 412 Precondition Failed\r\n" DATE_FIELD
			"Content-Length: 28\r\n"
			"Content-Type: a/b\r\n"
			"X-One: 1\r\n" CLOSE,
		.body = "412 Precondition Failed: so\n"},
	{.name = "a length that is not the body's",
		.status = 200,
		.way = BODY,
		.text = "hello",
		.own = {.fields = "content-length: 9"},
		.head = "HTTP/1.1 200 OK\r\n" DATE_FIELD
			"content-length: 9\r\n" CLOSE,
		.body = "hello"},
	{.name = "two lengths",
		.status = 200,
		.way = BODY,
		.text = "hello",
		.own = {.fields = "Content-Length: 9\nContent-Length: 1"},
		.head = "HTTP/1.1 200 OK\r\n" DATE_FIELD "Content-Length: 9\r\n"
			"Content-Length: 1\r\n" CLOSE,
		.body = "hello"},
	{.name = "no length",
		.status = 200,
		.way = BODY,
		.text = "hello",
		.own = {.omit = "Content-Length"},
		.head = "HTTP/1.1 200 OK\r\n" DATE_FIELD CLOSE,
		.body = "hello"},
	{.name = "no field at all",
		.status = 200,
		.way = BODY,
		.text = "hello",
		.own = {.omit = "content-length\nconnection\ndate"},
		.head = "HTTP/1.1 200 OK\r\n\r\n",
		.body = "hello"},
	{.name = "an own Connection",
		.status = 200,
		.way = BODY,
		.text = "hello",
		.own = {.fields = "Connection: keep-alive"},
		.head = "HTTP/1.1 200 OK\r\n" DATE_FIELD "Content-Length: 5\r\n"
			"Connection: keep-alive\r\n\r\n",
		.body = "hello"},
	{.name = "no chunk is empty",
		.status = 200,
		.way = COPY,
		.text = "",
		.own = {.chunks = by_three},
		.head = CHUNKED,
		.body = "0\r\n\r\n"},
	{.name = "no chunk is empty at the end",
		.status = 200,
		.way = COPY,
		.text = "abcdef",
		.own = {.chunks = by_three},
		.head = CHUNKED,
		.body = "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"},
};

static void
give_reply(struct rt_draft *draft, int i)
{
	const char *text = replies[i].text;

	rt_draft_begin(draft, replies[i].status, DATE);
	for (const char *const *field = replies[i].fields; *field != NULL;
		field += 2)
		rt_draft_field(draft, field[0], field[1]);
	switch (replies[i].way) {
	case WITHOUT:
		rt_draft_body(draft, "unsaid", 6);
		break;
	case BODY:
		rt_draft_body(draft, text, strlen(text));
		break;
	case COPY:
		rt_draft_body_copy(draft, text, strlen(text));
		break;
	case REASON:
		rt_draft_body_reason(draft, text);
		break;
	case ERROR:
		rt_draft_error(draft, replies[i].status, text, DATE);
		break;
	}
}

/* Played, with HEAD as without, and after whatever reply came before. */
static void
a_reply(int i)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	char whole[1024];

	rt_reply_init(&reply);
	ck_assert_int_eq(reply.file, -1);
	(void)snprintf(whole, sizeof whole, "%s%s", replies[i].head,
		replies[i].body != NULL ? replies[i].body : "");
	for (int turn = 0; turn < 4; turn++) {
		const struct retort_reply *own = &replies[i].own;

		draft.head_only = turn % 2 == 1;
		/* who wishes for nothing may have no wishes */
		draft.own = turn < 2 || own->fields != NULL ||
				own->omit != NULL || own->chunks != NULL ?
			own :
			NULL;
		give_reply(&draft, i);
		assert_played(&reply,
			draft.head_only ? replies[i].head : whole);
		ck_assert_int_eq(reply.status, replies[i].status);
		ck_assert(!reply.truncated);
		ck_assert_uint_eq(reply.head_size, strlen(replies[i].head));
		/* one step of text, as all these bodies are small */
		ck_assert_uint_eq(reply.step_count, 2);
	}
	rt_reply_free(&reply);
}

/* --- heads --- */

START_TEST(statuses_that_have_no_body)
{
	for (int status = 100; status < 1000; status++)
		ck_assert_msg(rt_status_has_no_body(status) ==
				(status < 200 || status == 204 ||
					status == 304),
			"%d", status);
}
END_TEST

START_TEST(a_forced_body)
{
	static const int statuses[] = {204, 304};

	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < sizeof statuses / sizeof *statuses;
			i++) {
			struct rt_reply reply;
			struct rt_draft draft = {.reply = &reply,
				.forced = again == 1};
			struct bytes got;

			rt_reply_init(&reply);
			rt_draft_error(&draft, statuses[i], "because", DATE);
			ck_assert_int_eq(reply.body,
				draft.forced ? RT_BODY_HERE : RT_BODY_LEFT_OUT);
			got = script_played(&reply);
			if (draft.forced) {
				assert_has(got, "\r\nContent-Length: ");
				assert_has(got, ": because\n");
			} else {
				assert_lacks(got, "Content-Length");
				ck_assert_uint_eq(got.size, reply.head_size);
			}
			bytes_free(&got);
			rt_reply_free(&reply);
		}
}
END_TEST

/* Each kind of body, with HEAD: the same head as with GET, and no more. */
static void
give_body(struct rt_draft *draft, int kind, const char *text, const char *dir)
{
	size_t size = strlen(text);
	char path[4096];
	int fd = -1;

	rt_draft_begin(draft, 200, DATE);
	if (kind >= 2) {
		dir_write(dir, "file", text, size);
		(void)snprintf(path, sizeof path, "%s/file", dir);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
	}
	if (kind == 0)
		rt_draft_body(draft, text, size);
	else if (kind == 1)
		rt_draft_body_copy(draft, text, size);
	else
		rt_draft_body_file(draft, fd, 0, size);
}

START_TEST(head_is_get_without_the_body)
{
	char *dir = dir_make(), *text;
	size_t size = _i == 3 ? 200000 : 5;
	struct rt_reply get, head;
	struct rt_draft draft = {.reply = &get};
	struct bytes got, other;

	text = malloc(size + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	text[size] = '\0';
	rt_reply_init(&get);
	rt_reply_init(&head);
	give_body(&draft, _i, text, dir);
	draft = (struct rt_draft){.reply = &head, .head_only = true};
	give_body(&draft, _i, text, dir);
	got = script_played(&get);
	other = script_played(&head);
	assert_bytes(other.data, other.size, got.data, got.size - size);
	assert_bytes(got.data + other.size, size, text, size);
	ck_assert_uint_eq(head.head_size, other.size);
	ck_assert_uint_eq(get.head_size, head.head_size);
	ck_assert_int_eq(head.file, -1);
	ck_assert_int_eq(get.file >= 0, _i == 3);
	ck_assert(!head.truncated);
	bytes_free(&got);
	bytes_free(&other);
	rt_reply_free(&get);
	rt_reply_free(&head);
	free(text);
	dir_remove(dir);
}
END_TEST

START_TEST(own_is_what_the_user_names)
{
	struct retort_reply own = {.omit = "ETag", .fields = "x-one: 1"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	ck_assert(rt_draft_is_own(&draft, "ETag"));
	ck_assert(rt_draft_is_own(&draft, "etag"));
	ck_assert(rt_draft_is_own(&draft, "X-One"));
	ck_assert(!rt_draft_is_own(&draft, "ETa"));
	ck_assert(!rt_draft_is_own(&draft, "ETags"));
	ck_assert(!rt_draft_is_own(&draft, ""));
	own.fields = NULL;
	ck_assert(!rt_draft_is_own(&draft, "X-One"));
	draft = (struct rt_draft){.reply = &reply};
	ck_assert(!rt_draft_is_own(&draft, "ETag"));
	rt_reply_free(&reply);
}
END_TEST

START_TEST(raw_is_verbatim)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};

	rt_reply_init(&reply);
	rt_draft_raw(&draft, 200, "anything\n\r\n", 11);
	assert_played(&reply, "anything\n\r\n");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(reply.text.len, 0);
	rt_draft_raw(&draft, 500, NULL, 0);
	assert_played(&reply, "");
	ck_assert_int_eq(reply.status, 500);
	ck_assert_uint_eq(reply.step_count, 1);
	rt_reply_free(&reply);
}
END_TEST

/* --- scripts --- */

START_TEST(text_that_meets_is_merged)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_buf_add_text(&reply.text, "abcdefgh");
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 0, .size = 3});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 3, .size = 2});
	ck_assert_uint_eq(reply.step_count, 1);
	ck_assert_uint_eq(reply.steps[0].size, 5);
	/* a gap, an overlap, other kinds: not */
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 6, .size = 2});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 7, .size = 1});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "xy",
			.at = 0,
			.size = 1});
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "xy",
			.at = 1,
			.size = 1});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert_uint_eq(reply.step_count, 6);
	assert_played(&reply, "abcdeghhxx");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_step_too_many_fails)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	for (size_t i = 0; i < RT_MAX_STEPS; i++)
		rt_reply_step(&reply,
			(struct rt_step){.kind = RT_STEP_PAUSE, .at = 1});
	ck_assert(rt_reply_ok(&reply));
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert(!rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, RT_MAX_STEPS);
	rt_reply_reset(&reply);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, 0);
	rt_reply_free(&reply);
}
END_TEST

/* A few are kept for the next reply, many are not. */
START_TEST(steps_grow)
{
	static const size_t counts[] = {1, 8, 9, 64, 65, 1000};
	struct rt_reply reply;

	rt_reply_init(&reply);
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		bool kept = counts[k] <= 64;
		const struct rt_step *steps;

		for (size_t i = 0; i < counts[k]; i++)
			rt_reply_step(&reply,
				(struct rt_step){.kind = RT_STEP_PAUSE,
					.at = i});
		ck_assert(rt_reply_ok(&reply));
		ck_assert_uint_eq(reply.step_count, counts[k]);
		ck_assert_uint_ge(reply.step_room, counts[k]);
		for (size_t i = 0; i < counts[k]; i++)
			ck_assert_uint_eq(reply.steps[i].at, i);
		steps = reply.steps;
		rt_reply_reset(&reply);
		ck_assert_ptr_eq(reply.steps, kept ? steps : NULL);
		ck_assert_int_eq(reply.step_room > 0, kept);
		ck_assert_uint_eq(reply.step_count, 0);
	}
	rt_reply_free(&reply);
	ck_assert_ptr_null(reply.steps);
}
END_TEST

START_TEST(a_text_too_long_fails)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	char *body = calloc(1, RT_MAX_TEXT);

	ck_assert_ptr_nonnull(body);
	rt_reply_init(&reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_copy(&draft, body, RT_MAX_TEXT);
	ck_assert(!rt_reply_ok(&reply));
	/* and is forgotten, memory and all */
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, body, RT_MAX_TEXT);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_lt(reply.text.room, 128u << 10);
	free(body);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_long_reason_is_cut)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	struct bytes got;
	char reason[5000], length[64];

	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	rt_reply_init(&reply);
	rt_draft_error(&draft, 400, reason, DATE);
	ck_assert(rt_reply_ok(&reply));
	got = script_played(&reply);
	assert_has(got, "\r\n\r\n400 Bad Request: xxxx");
	ck_assert_int_eq(got.data[got.size - 1], '\n');
	(void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
		got.size - reply.head_size);
	assert_has(got, length);
	bytes_free(&got);
	rt_reply_free(&reply);
}
END_TEST

/* The text of its faults has an end, or there is none. */
START_TEST(faults_that_do_not_fit)
{
	static const char cut[] = "cut 1";
	struct rt_reply reply;
	size_t room;

	for (size_t lack = 0; lack <= sizeof cut; lack++) {
		rt_reply_init(&reply);
		room = reply.text.max - sizeof cut + lack;
		ck_assert_ptr_nonnull(rt_buf_reserve(&reply.text, room));
		memset(reply.text.data, 'x', room);
		reply.text.len = room;
		rt_reply_set_faults(&reply, cut);
		if (lack == 0)
			ck_assert_str_eq(rt_reply_faults(&reply), cut);
		else
			ck_assert_ptr_null(rt_reply_faults(&reply));
		rt_reply_free(&reply);
	}
}
END_TEST

/* Whatever the last client's reply had. */
START_TEST(reset_leaves_nothing)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_buf_add_text(&reply.text, "text");
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	reply.head_at = reply.head_size = 1;
	reply.rule = 1;
	reply.struck = (struct rt_struck){.text = 1,
		.chance = {.drawn = true, .seed = 1},
		.refuse = 1,
		.deaf = true,
		.unnotified = true};
	reply.status = 200;
	reply.truncated = reply.failed = true;
	reply.text.failed = true;
	reply.blob = rt_blob_new("x", 1, false);
	ck_assert_ptr_nonnull(reply.blob);
	rt_reply_reset(&reply);
	ck_assert_uint_eq(reply.text.len, 0);
	ck_assert_uint_eq(reply.text.max, RT_MAX_TEXT);
	ck_assert_uint_eq(reply.step_count, 0);
	ck_assert_uint_eq(reply.head_at, 0);
	ck_assert_uint_eq(reply.head_size, 0);
	ck_assert_uint_eq(reply.rule, 0);
	ck_assert_uint_eq(reply.struck.text, 0);
	ck_assert(!reply.struck.chance.drawn);
	ck_assert_uint_eq(reply.struck.chance.seed, 0);
	ck_assert_int_eq(reply.struck.refuse, 0);
	ck_assert(!reply.struck.deaf);
	ck_assert(!reply.struck.unnotified);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_int_eq(reply.file, -1);
	ck_assert_ptr_null(reply.made.it);
	ck_assert_ptr_null(reply.blob);
	ck_assert(!reply.truncated);
	ck_assert(rt_reply_ok(&reply));
	/* but the memory */
	ck_assert_uint_gt(reply.text.room, 0);
	ck_assert_uint_gt(reply.step_room, 0);
	rt_reply_free(&reply);
}
END_TEST

/* --- what the user wants of it --- */

/* Each kind of body in chunks: text, or memory and text in turn. */
START_TEST(chunks_of_every_kind)
{
	static const char sizes[] = "2 3";
	static const struct retort_reply own = {.chunks = sizes,
		.trailers = "A: b\nC: d"};
	static const char text[] = CHUNKED "2\r\n01\r\n3\r\n234\r\n5\r\n"
					   "56789\r\n0\r\nA: b\r\nC: d\r\n\r\n";
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};
	char *dir = dir_make(), path[4096];
	char large[4096] = "";
	int fd;

	rt_reply_init(&reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, "0123456789", 10);
	assert_played(&reply, text);
	ck_assert_uint_eq(reply.step_count, 2);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, large, sizeof large);
	/* the head with a size line, then bytes and text in turn, and the end */
	ck_assert_uint_eq(reply.step_count, 8);
	ck_assert_ptr_eq(reply.steps[1].bytes, large);
	ck_assert_ptr_eq(reply.steps[5].bytes, large + 5);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_copy(&draft, "0123456789", 10);
	assert_played(&reply, text);
	ck_assert_uint_eq(reply.step_count, 2);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_repeat(&draft, "0123456789!", 11, 10);
	assert_played(&reply, text);
	dir_write(dir, "file", "x0123456789x", 12);
	(void)snprintf(path, sizeof path, "%s/file", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_file(&draft, fd, 1, 10);
	assert_played(&reply, text);
	ck_assert_uint_eq(reply.step_count, 2);
	ck_assert_int_eq(reply.file, -1);
	/* HEAD: no chunk, not even the last */
	draft.head_only = true;
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, "0123456789", 10);
	assert_played(&reply, CHUNKED);
	rt_reply_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(a_chunk_too_many_fails)
{
	char *sizes = malloc(2 * RT_MAX_STEPS + 1);
	struct retort_reply own = {.chunks = sizes};
	char *body = calloc(1, RT_MAX_STEPS);
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	ck_assert_ptr_nonnull(sizes);
	ck_assert_ptr_nonnull(body);
	for (size_t i = 0; i < RT_MAX_STEPS; i++)
		memcpy(sizes + 2 * i, "1 ", 3);
	rt_reply_init(&reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, body, RT_MAX_STEPS / 2 - 10);
	ck_assert(rt_reply_ok(&reply));
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, body, RT_MAX_STEPS);
	ck_assert(!rt_reply_ok(&reply));
	/* copied bytes are one step, however many chunks they are in */
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_copy(&draft, body, RT_MAX_STEPS);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
	free(sizes);
	free(body);
}
END_TEST

START_TEST(a_repeated_body_is_one_step)
{
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply};
	const struct rt_step *step;

	rt_reply_init(&reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_repeat(&draft, "abc", 3, UINT64_MAX);
	ck_assert(rt_reply_ok(&reply));
	ck_assert_uint_eq(reply.step_count, 3);
	step = reply.steps + 1;
	ck_assert_int_eq(step->kind, RT_STEP_REPEAT);
	ck_assert_uint_eq(step->at, 3);
	ck_assert_uint_eq(step->from, 0);
	ck_assert_uint_eq(step->size, UINT64_MAX);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body_repeat(&draft, "abc", 3, 0);
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
}
END_TEST

START_TEST(pauses_are_steps)
{
	static const struct retort_reply own =
		{.interim = "HTTP/1.1 100 Continue\r\n\r\n",
			.pause_head = 1,
			.pause_body = 20,
			.pause_chunk = 300,
			.pause_end = 2147483647};
	static const char head[] =
		"HTTP/1.1 100 Continue\r\n\r\n<1 ms>"
		"HTTP/1.1 200 OK\r\nDate: " DATE
		"\r\nContent-Length: 1\r\nConnection: close\r\n\r\n";
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};
	char expected[512];

	rt_reply_init(&reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, "x", 1);
	(void)snprintf(expected, sizeof expected, "%s<20 ms>x<2147483647 ms>",
		head);
	assert_played(&reply, expected);
	/* of the script, the head is what it has before the body */
	ck_assert_uint_eq(reply.head_size, sizeof head - 1 - strlen("<1 ms>"));
	draft.head_only = true;
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_body(&draft, "x", 1);
	(void)snprintf(expected, sizeof expected, "%s<2147483647 ms>", head);
	assert_played(&reply, expected);
	rt_draft_raw(&draft, 200, "x", 1);
	assert_played(&reply, "<1 ms>x<2147483647 ms>");
	rt_reply_free(&reply);
}
END_TEST

/* Of a reply that takes the place of another nothing is left. */
START_TEST(an_error_in_the_middle)
{
	static const struct retort_reply own =
		{.interim = "HTTP/1.1 100 Continue\r\n\r\n",
			.pause_head = 1,
			.fields = "A: b"};
	struct rt_reply reply;
	struct rt_draft draft = {.reply = &reply, .own = &own};

	rt_reply_init(&reply);
	rt_draft_begin(&draft, 200, DATE);
	rt_draft_field(&draft, "X", "y");
	draft.own = NULL;
	rt_draft_error(&draft, 500, NULL, DATE);
	assert_played(&reply,
		"HTTP/1.1 500 Internal Server Error\r\nDate: " DATE "\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 26\r\nConnection: close\r\n\r\n"
		"500 Internal Server Error\n");
	ck_assert_uint_eq(reply.step_count, 2);
	rt_reply_free(&reply);
}
END_TEST

/* --- without HTTP --- */

START_TEST(no_head_without_http)
{
	const struct retort_reply closing = {.close = true};
	const struct retort_reply *const owns[] = {NULL, &closing};

	for (int p = RETORT_TCP; p <= RETORT_UDP; p++)
		for (int i = 0; i < 2; i++) {
			struct rt_reply reply;
			struct rt_draft draft = {.reply = &reply,
				.protocol = (enum retort_protocol)p,
				.own = owns[i]};
			struct rt_step *last;

			rt_reply_init(&reply);
			rt_draft_begin(&draft, 200, DATE);
			rt_draft_field(&draft, "A", "b");
			rt_draft_body(&draft, "hello", 5);
			last = reply.steps + reply.step_count - 1;
			ck_assert_int_eq(last->kind,
				i == 0 ? RT_STEP_NEXT : RT_STEP_CLOSE);
			ck_assert_uint_eq(reply.head_size, 0);
			/* script_played() knows but the one ending */
			last->kind = RT_STEP_CLOSE;
			assert_played(&reply, "hello");
			rt_reply_free(&reply);
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *heads = tcase_create("heads");
	TCase *scripts = tcase_create("scripts");
	TCase *wishes = tcase_create("wishes");

	for (int i = 0; i < (int)(sizeof replies / sizeof *replies); i++)
		rt_test_row(heads, replies[i].name, a_reply, i);
	tcase_add_test(heads, statuses_that_have_no_body);
	tcase_add_test(heads, a_forced_body);
	tcase_add_loop_test(heads, head_is_get_without_the_body, 0, 4);
	tcase_add_test(heads, own_is_what_the_user_names);
	tcase_add_test(heads, raw_is_verbatim);
	tcase_add_test(heads, no_head_without_http);
	rt_test_case(suite, heads);
	tcase_add_test(scripts, text_that_meets_is_merged);
	tcase_add_test(scripts, a_step_too_many_fails);
	tcase_add_test(scripts, steps_grow);
	tcase_add_test(scripts, a_text_too_long_fails);
	tcase_add_test(scripts, a_long_reason_is_cut);
	tcase_add_test(scripts, faults_that_do_not_fit);
	tcase_add_test(scripts, reset_leaves_nothing);
	rt_test_case(suite, scripts);
	tcase_add_test(wishes, chunks_of_every_kind);
	tcase_add_test(wishes, a_chunk_too_many_fails);
	tcase_add_test(wishes, a_repeated_body_is_one_step);
	tcase_add_test(wishes, pauses_are_steps);
	tcase_add_test(wishes, an_error_in_the_middle);
	rt_test_case(suite, wishes);
	return rt_test_run(suite);
}
