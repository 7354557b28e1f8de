/* SPDX-License-Identifier: MIT */
/* Tests of route.c: which answer a request gets, without a socket. */
#include "config.h"

#include "route/route.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct rt_limits limits = {.target = 8 << 10,
	.head = 64 << 10,
	.fields = 100};

static struct rt_route route;
static char error[RETORT_ERROR_SIZE];

static void
open_route(void)
{
	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, NULL, 0, false), 0);
}

static void
set_reply(struct retort_reply reply)
{
	int code = rt_route_set_reply(&route, &reply, error);

	ck_assert_msg(code == 0, "rt_route_set_reply: %s", error);
}

/* --- asking --- */

struct asked {
	struct rt_http *http;
	const char *request; /* text */
	struct rt_reply reply;
	bool unseen; /* as where nothing is recorded */
	enum rt_outcome outcome;
	int rule;
	char why[1024];
};

static void
open_asked(struct asked *asked, const char *request)
{
	size_t at = 0;

	memset(asked, 0, sizeof *asked);
	asked->request = request;
	asked->http = rt_http_new();
	ck_assert_ptr_nonnull(asked->http);
	rt_http_reset(asked->http, &limits);
	ck_assert_msg(rt_http_feed(asked->http, request, &at,
			      strlen(request)) == RT_HTTP_HEAD,
		"no request: %s", shown(request, strlen(request)));
	rt_reply_init(&asked->reply);
}

static void
close_asked(struct asked *asked)
{
	rt_reply_free(&asked->reply);
	rt_http_free(asked->http);
}

/* The span as a string. */
static const char *
text_of(const char *base, struct rt_span span, char text[256])
{
	if (span.size == 0)
		return NULL;
	(void)snprintf(text, 256, "%.*s", (int)span.size, base + span.at);
	return text;
}

/* Once; false: it takes longer. */
static bool
answer_slice(struct asked *asked)
{
	const struct rt_request *request = rt_http_request(asked->http);
	char method[256], target[256], query[256];
	const struct retort_exchange seen = {
		.connection = 7,
		.method = text_of(asked->request, request->name, method),
		.target = text_of(asked->request, request->target, target),
		.query = request->query.size > 0 ?
			text_of(asked->request, request->query, query) + 1 :
			NULL,
	};
	struct rt_asked whole = {
		.request = request,
		.base = asked->request,
		.size = strlen(asked->request),
		.date = DATE,
		.seen = asked->unseen ? NULL : &seen,
	};

	rt_buf_init(&whole.why, sizeof asked->why);
	asked->outcome = rt_route_answer(&route, &whole, &asked->reply);
	asked->rule = whole.rule;
	asked->why[0] = '\0';
	if (whole.why.len > 0)
		(void)snprintf(asked->why, sizeof asked->why, "%s",
			rt_buf_text(&whole.why));
	rt_buf_free(&whole.why);
	return asked->outcome != RT_AGAIN;
}

static void
answer(struct asked *asked)
{
	for (int slices = 1; !answer_slice(asked); slices++)
		ck_assert_int_lt(slices, 10000);
}

/* What the client would receive: all of it is in memory. */
static struct bytes
flatten(const struct rt_reply *reply)
{
	for (size_t i = 0; i + 1 < reply->step_count; i++)
		if (reply->steps[i].kind != RT_STEP_TEXT)
			ck_assert_int_eq(reply->steps[i].kind, RT_STEP_BYTES);
	return script_played(reply);
}

static void
expect_answer(const char *request, const void *expected, size_t size)
{
	struct asked asked;
	struct bytes got;

	open_asked(&asked, request);
	answer(&asked);
	got = flatten(&asked.reply);
	assert_bytes(got.data, got.size, expected, size);
	bytes_free(&got);
	close_asked(&asked);
}

static void
expect_text(const char *request, const char *expected)
{
	expect_answer(request, expected, strlen(expected));
}

/* What rt_route_refusal() says: the status, and for 0 the rest. */
struct verdict {
	int status;
	uint64_t max;
	bool keep;
	const char *reason;
};

static struct verdict
judge(const char *request)
{
	struct verdict verdict = {.reason = "not set", .max = 12345};
	struct asked asked;

	open_asked(&asked, request);
	verdict.status = rt_route_refusal(&route, rt_http_request(asked.http),
		request, &verdict.max, &verdict.keep, &verdict.reason);
	close_asked(&asked);
	return verdict;
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
#define END "Connection: close\r\n\r\n"
#define TOLD "Date: " DATE "\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"

/* --- nothing, canned, raw, echo, files --- */

START_TEST(nothing_answers)
{
	struct asked asked;

	open_route();
	expect_text(GET,
		"HTTP/1.1 501 Not Implemented\r\n" TOLD TEXT
		"Content-Length: 19\r\n" END "no rule fits GET /\n");
	expect_text(HEAD,
		"HTTP/1.1 501 Not Implemented\r\n" TOLD TEXT
		"Content-Length: 20\r\n" END);
	expect_text("POST /a?b HTTP/1.0\r\n\r\n",
		"HTTP/1.1 501 Not Implemented\r\n" TOLD TEXT
		"Content-Length: 23\r\n" END "no rule fits POST /a?b\n");
	open_asked(&asked, GET);
	answer(&asked);
	ck_assert_int_eq(asked.rule, 0);
	ck_assert_str_eq(asked.why, "no rule fits GET /");
	close_asked(&asked);
	/* and where nothing is recorded */
	open_asked(&asked, GET);
	asked.unseen = true;
	answer(&asked);
	ck_assert_str_eq(asked.why, "nothing is served here");
	ck_assert_int_eq(asked.reply.status, 501);
	close_asked(&asked);
	rt_route_free(&route);
}
END_TEST

START_TEST(a_canned_reply)
{
	static const char *const requests[] = {GET,
		"POST /a?b HTTP/1.1\r\nHost: x\r\n\r\n",
		"FROB / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.0\r\n\r\n",
		"DELETE http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"};

	open_route();
	set_reply((struct retort_reply){.status = 201,
		.type = "application/json",
		.body = "{\"a\":1}",
		.body_size = 7});
	for (size_t i = 0; i < COUNT(requests); i++)
		expect_text(requests[i],
			"HTTP/1.1 201 Created\r\n" TOLD
			"Content-Type: application/json\r\n"
			"Content-Length: 7\r\n" END "{\"a\":1}");
	expect_text(HEAD,
		"HTTP/1.1 201 Created\r\n" TOLD
		"Content-Type: application/json\r\n"
		"Content-Length: 7\r\n" END);
	rt_route_free(&route);
}
END_TEST

START_TEST(a_canned_reply_by_default)
{
	open_route();
	set_reply((struct retort_reply){.status = 0});
	expect_text(GET,
		"HTTP/1.1 200 OK\r\n" TOLD "Content-Length: 0\r\n" END);
	set_reply((struct retort_reply){.body = "a\0b", .body_size = 3});
	expect_answer(GET,
		"HTTP/1.1 200 OK\r\n" TOLD TEXT "Content-Length: 3\r\n" END
		"a\0b",
		sizeof "HTTP/1.1 200 OK\r\n" TOLD TEXT
		       "Content-Length: 3\r\n" END "a\0b" -
			1);
	/* the phrase of an unknown status; a type alone is kept */
	set_reply((struct retort_reply){.status = 999, .type = "a/b"});
	expect_text(GET,
		"HTTP/1.1 999 Unknown\r\n" TOLD
		"Content-Type: a/b\r\nContent-Length: 0\r\n" END);
	rt_route_free(&route);
}
END_TEST

START_TEST(statuses_without_a_body)
{
	open_route();
	set_reply((struct retort_reply){.status = 204});
	expect_text(GET, "HTTP/1.1 204 No Content\r\n" TOLD END);
	expect_text(HEAD, "HTTP/1.1 204 No Content\r\n" TOLD END);
	set_reply((struct retort_reply){.status = 304});
	expect_text(GET, "HTTP/1.1 304 Not Modified\r\n" TOLD END);
	rt_route_free(&route);
}
END_TEST

START_TEST(a_canned_reply_with_fields)
{
	open_route();
	set_reply((struct retort_reply){.body = "b",
		.body_size = 1,
		.fields = "X-A: 1\r\nx-a: 2\ncontent-type: own/type\n"
			  "Set: \x80 ,",
		.omit = "date"});
	expect_text(GET,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"X-A: 1\r\nx-a: 2\r\ncontent-type: own/type\r\n"
		"Set: \x80 ,\r\n" END "b");
	rt_route_free(&route);
}
END_TEST

/* Everything is copied. */
START_TEST(a_canned_reply_is_a_copy)
{
	char body[] = "body", type[] = "a/b", fields[] = "N: v",
	     omit[] = "Date";

	open_route();
	set_reply((struct retort_reply){.type = type,
		.body = body,
		.body_size = 4,
		.fields = fields,
		.omit = omit});
	memset(body, 'X', 4);
	memset(type, 'X', 3);
	memset(fields, 'X', 4);
	memset(omit, 'X', 4);
	expect_text(GET,
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"
		"Content-Length: 4\r\nN: v\r\n" END "body");
	rt_route_free(&route);
}
END_TEST

START_TEST(a_raw_reply)
{
	static const struct {
		const char *bytes;
		int status;
	} cases[] = {
		{"HTTP/1.1 418 Teapot\r\n\r\nshort", 418},
		{"HTTP/1.0 200\r\n\r\n", 200},
		{"HTTP/1.1 2x0 OK\r\n\r\n", 0},
		{"HTTP/1.1  200 OK\r\n\r\n", 0},
		{"HTTP/2 200\r\n\r\n", 200},
		{"HTTP/1.1 20", 0},
		{"anything at all", 0},
		{"", 0},
	};

	open_route();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct asked asked;

		set_reply((struct retort_reply){.raw = true,
			.body = cases[i].bytes,
			.body_size = strlen(cases[i].bytes)});
		expect_text(GET, cases[i].bytes);
		/* nothing is left out, whatever the method */
		expect_text(HEAD, cases[i].bytes);
		open_asked(&asked, GET);
		answer(&asked);
		ck_assert_msg(asked.reply.status == cases[i].status,
			"%s: expected %d, got %d", cases[i].bytes,
			cases[i].status, asked.reply.status);
		close_asked(&asked);
	}
	rt_route_free(&route);
}
END_TEST

START_TEST(an_echo)
{
	static const char *const request =
		"POST /a HTTP/1.1\r\nHost:  x \r\n"
		"X: \xff\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3;a=b\r\nabc\r\n0\r\n\r\n";
	char expected[1024];

	open_route();
	set_reply((struct retort_reply){.echo = true,
		.fields = "X-Echo: yes",
		.status = 202});
	(void)snprintf(expected, sizeof expected,
		"HTTP/1.1 202 Accepted\r\n" TOLD TEXT
		"Content-Length: %zu\r\nX-Echo: yes\r\n" END "%s",
		strlen(request), request);
	expect_text(request, expected);
	(void)snprintf(expected, sizeof expected,
		"HTTP/1.1 202 Accepted\r\n" TOLD TEXT
		"Content-Length: %zu\r\nX-Echo: yes\r\n" END,
		strlen(HEAD));
	expect_text(HEAD, expected);
	rt_route_free(&route);
}
END_TEST

static void
set_files(const char *folder, struct retort_files files)
{
	int code = rt_route_set_files(&route, folder, &files, error);

	ck_assert_msg(code == 0, "rt_route_set_files: %s", error);
}

START_TEST(files)
{
	char *folder = dir_make();
	char fields[] = "X-Own: own", omit[] = "ETag", extension[] = "odd",
	     type[] = "own/type";
	struct retort_type mime = {extension, type};
	struct asked asked;
	struct bytes got;

	dir_write(folder, "a.odd", "odd", 3);
	dir_write(folder, ".b", "dot", 3);
	open_route();
	set_files(folder,
		(struct retort_files){.fields = fields,
			.omit = omit,
			.types = &mime,
			.type_count = 1,
			.dotfiles = true});
	fields[0] = omit[0] = extension[0] = type[0] = '!';
	open_asked(&asked, "GET /a.odd HTTP/1.0\r\n\r\n");
	answer(&asked);
	got = flatten(&asked.reply);
	assert_begins(got, "HTTP/1.1 200 OK\r\n" TOLD);
	assert_has(got, "\r\nContent-Type: own/type\r\n");
	assert_has(got, "\r\nX-Own: own\r\n");
	assert_lacks(got, "\r\nETag:");
	assert_has(got, "\r\n\r\nodd");
	bytes_free(&got);
	close_asked(&asked);
	open_asked(&asked, "GET /.b HTTP/1.0\r\n\r\n");
	answer(&asked);
	got = flatten(&asked.reply);
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	close_asked(&asked);
	/* by default neither */
	set_files(folder, (struct retort_files){.dotfiles = false});
	open_asked(&asked, "GET /.b HTTP/1.0\r\n\r\n");
	answer(&asked);
	ck_assert_int_eq(asked.reply.status, 404);
	close_asked(&asked);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(the_later_replaces_the_earlier)
{
	char *folder = dir_make();
	struct asked asked;

	dir_write(folder, "index.html", "file", 4);
	open_route();
	set_reply((struct retort_reply){.status = 201});
	set_files(folder, (struct retort_files){.dotfiles = false});
	open_asked(&asked, GET);
	answer(&asked);
	ck_assert_int_eq(asked.reply.status, 200);
	close_asked(&asked);
	set_reply((struct retort_reply){.status = 202});
	open_asked(&asked, GET);
	answer(&asked);
	ck_assert_int_eq(asked.reply.status, 202);
	/* one that is refused replaces nothing */
	ck_assert_int_eq(rt_route_set_reply(&route,
				 &(struct retort_reply){.status = 7}, error),
		-EINVAL);
	ck_assert_int_lt(rt_route_set_files(&route, "/nowhere/at/all",
				 &(struct retort_files){.dotfiles = false},
				 error),
		0);
	answer(&asked);
	ck_assert_int_eq(asked.reply.status, 202);
	close_asked(&asked);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

/* What was replaced lasts for as long as a reply may borrow from it. */
START_TEST(replaced_replies_last)
{
	struct asked asked[3];
	struct bytes got;

	open_route();
	for (int i = 0; i < 3; i++) {
		char body[32];

		(void)snprintf(body, sizeof body, "body %d", i);
		set_reply((struct retort_reply){.body = body, .body_size = 6});
		open_asked(asked + i, GET);
		answer(asked + i);
	}
	set_reply((struct retort_reply){.raw = true,
		.body = "raw",
		.body_size = 3});
	for (int i = 0; i < 3; i++) {
		char body[32];

		got = flatten(&asked[i].reply);
		(void)snprintf(body, sizeof body, "body %d", i);
		assert_has(got, body);
		bytes_free(&got);
		close_asked(asked + i);
	}
	expect_text(GET, "raw");
	rt_route_free(&route);
}
END_TEST

/* --- what files have beside them --- */

/* The reply to GET with these fields ("A: b\r\n", or ""). */
static struct bytes
got_with(const char *target, const char *fields)
{
	char request[512];
	struct asked asked;
	struct bytes got;

	(void)snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n%s\r\n",
		target, fields);
	open_asked(&asked, request);
	answer(&asked);
	got = flatten(&asked.reply);
	close_asked(&asked);
	return got;
}

static void
expect_status(const char *request, int status)
{
	struct asked asked;
	struct bytes got;

	open_asked(&asked, request);
	answer(&asked);
	got = flatten(&asked.reply);
	ck_assert_msg(asked.reply.status == status, "%s: expected %d, got: %s",
		request, status, shown(got.data, got.size));
	bytes_free(&got);
	close_asked(&asked);
}

static void
expect_echo(const char *request)
{
	struct verdict verdict = judge(request);
	char expected[2048];

	ck_assert_int_eq(verdict.status, 0);
	ck_assert(verdict.keep);
	ck_assert_uint_eq(verdict.max, UINT64_MAX);
	(void)snprintf(expected, sizeof expected,
		"HTTP/1.1 200 OK\r\n" TOLD TEXT "Content-Length: %zu\r\n" END
		"%s",
		strlen(request),
		strncmp(request, "HEAD ", 5) == 0 ? "" : request);
	expect_text(request, expected);
}

/* A rule of this path that echoes. */
static void
add_echo(const char *path)
{
	int rule = rt_route_add(&route,
		&(struct retort_reply){.when.request = path, .echo = true},
		error);

	ck_assert_msg(rule > 0, "rt_route_add: %s", error);
}

START_TEST(an_echo_among_files)
{
	static const char *const echoed[] = {"GET /echo HTTP/1.0\r\n\r\n",
		"HEAD /echo HTTP/1.0\r\n\r\n", "OPTIONS /echo HTTP/1.0\r\n\r\n",
		"FROB /echo HTTP/1.0\r\n\r\n",
		"DELETE http://y/echo?x HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /echo?a=/b HTTP/1.1\r\nHost: x\r\nX: \xff\r\n\r\n",
		"GET /echo HTTP/1.1\r\nHost: x\r\nIf-Match: \"a\"\r\n"
		"Range: bytes=0-1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 3\r\n\r\nabc",
		"PUT /echo? HTTP/1.1\r\nHost: x\r\n"
		"Transfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n"};
	static const char *const missing[] = {"/ech", "/echoo", "/echo/",
		"/Echo", "/%65Cho", "//echo", "/./echo", "/a/echo", "/echo;a",
		"/echo%3Fa"};
	char *folder = dir_make(), path[] = "/echo", request[128];

	dir_write(folder, "a.txt", "text", 4);
	open_route();
	set_files(folder,
		(struct retort_files){.fields = "X-Own: of files alone"});
	add_echo(path);
	memset(path, 'X', 5);
	for (size_t i = 0; i < COUNT(echoed); i++)
		expect_echo(echoed[i]);
	for (size_t i = 0; i < COUNT(missing); i++) {
		(void)snprintf(request, sizeof request,
			"GET %s HTTP/1.0\r\n\r\n", missing[i]);
		expect_status(request, 404);
	}
	/* the files are as they were */
	expect_status("GET /a.txt HTTP/1.0\r\n\r\n", 200);
	expect_status("OPTIONS * HTTP/1.0\r\n\r\n", 204);
	/* a rule may fit, so that the method does not refuse at once */
	ck_assert_int_eq(judge("POST /a.txt HTTP/1.0\r\n\r\n").status, 0);
	expect_status("POST /a.txt HTTP/1.0\r\n\r\n", 405);
	expect_status("FROB / HTTP/1.0\r\n\r\n", 501);
	expect_status("POST /echo/ HTTP/1.0\r\n\r\n", 405);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(an_echo_before_a_file)
{
	char *folder = dir_make();

	dir_write(folder, "a b", "file", 4);
	dir_write(folder, "index.html", "top", 3);
	open_route();
	set_files(folder, (struct retort_files){.dotfiles = false});
	add_echo("/a%20b");
	expect_echo("GET /a%20b HTTP/1.0\r\n\r\n");
	expect_status("GET /a%20%62 HTTP/1.0\r\n\r\n", 200);
	rt_route_clear(&route);
	add_echo("/");
	expect_echo(GET);
	expect_echo("GET / HTTP/1.0\r\n\r\n");
	expect_status("GET /index.html HTTP/1.0\r\n\r\n", 200);
	rt_route_clear(&route);
	expect_status("GET /none HTTP/1.0\r\n\r\n", 404);
	ck_assert(!judge("GET /none HTTP/1.0\r\n\r\n").keep);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(an_echo_is_forgotten)
{
	static const char *const request = "GET /echo HTTP/1.0\r\n\r\n";
	char *folder = dir_make();
	struct asked asked;
	struct bytes got;

	open_route();
	set_files(folder, (struct retort_files){.dotfiles = false});
	add_echo("/echo");
	open_asked(&asked, request);
	answer(&asked);
	expect_echo(request);
	rt_route_clear(&route);
	set_reply((struct retort_reply){.status = 202});
	expect_status(request, 202);
	ck_assert(!judge(request).keep);
	set_files(folder, (struct retort_files){.dotfiles = false});
	add_echo("/other");
	expect_status(request, 404);
	expect_echo("GET /other HTTP/1.0\r\n\r\n");
	/* a reply under way is not touched */
	got = flatten(&asked.reply);
	assert_has(got, request);
	bytes_free(&got);
	close_asked(&asked);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(an_echo_has_the_same_limits)
{
	static const char *const names[] = {"example.org", NULL};
	static const char *const request =
		"POST /echo HTTP/1.1\r\nHost: evil\r\n\r\n";

	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, names, 77, false),
		0);
	add_echo("/echo");
	ck_assert_int_eq(judge(request).status, 421);
	ck_assert_uint_eq(judge("POST /echo HTTP/1.1\r\n"
				"Host: example.org\r\n\r\n")
				  .max,
		77);
	rt_route_free(&route);
}
END_TEST

static void
expect_max_age(const char *folder, uint32_t seconds, const char *field)
{
	struct bytes got;

	set_files(folder, (struct retort_files){.max_age = seconds});
	got = got_with("/index.html", "");
	assert_has(got, field);
	bytes_free(&got);
}

START_TEST(files_may_be_cached)
{
	char *folder = dir_make();

	dir_write(folder, "index.html", "top", 3);
	open_route();
	expect_max_age(folder, 0, "\r\nCache-Control: no-cache\r\n");
	expect_max_age(folder, 1, "\r\nCache-Control: max-age=1\r\n");
	expect_max_age(folder, UINT32_MAX,
		"\r\nCache-Control: max-age=4294967295\r\n");
	expect_max_age(folder, 0, "\r\nCache-Control: no-cache\r\n");
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(files_are_served_as_told)
{
	char *folder = dir_make(), spa[] = "app.html";
	struct bytes got;

	dir_write(folder, "app.html", "<p>app", 6);
	dir_write(folder, "app.html.gz", "zipped", 6);
	open_route();
	set_files(folder,
		(struct retort_files){.spa = spa,
			.precompressed = true,
			.unlisted = true});
	memset(spa, 'X', 8);
	got = got_with("/none", "Accept: text/html\r\n");
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	assert_has(got, "\r\n\r\n<p>app");
	bytes_free(&got);
	got = got_with("/app.html", "Accept-Encoding: gzip\r\n");
	assert_has(got, "\r\nContent-Encoding: gzip\r\n");
	bytes_free(&got);
	expect_status(GET, 403);
	/* by default none of it */
	set_files(folder, (struct retort_files){.spa = NULL});
	got = got_with("/none", "Accept: text/html\r\n");
	assert_begins(got, "HTTP/1.1 404 Not Found\r\n");
	bytes_free(&got);
	got = got_with("/app.html", "Accept-Encoding: gzip\r\n");
	assert_lacks(got, "\r\nContent-Encoding:");
	assert_lacks(got, "\r\nVary:");
	bytes_free(&got);
	got = got_with("/", "");
	assert_has(got, "app.html.gz");
	bytes_free(&got);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

/* A listing under way when something else is to answer. */
START_TEST(replaced_in_the_middle)
{
	char *folder = dir_make(), *other = dir_make();
	struct asked asked;
	struct bytes got;

	dir_write(folder, "here", "", 0);
	open_route();
	for (int i = 0; i < 2; i++) {
		set_files(folder, (struct retort_files){.unlisted = false});
		open_asked(&asked, GET);
		ck_assert(!answer_slice(&asked));
		if (i == 0)
			set_files(other,
				(struct retort_files){.unlisted = true});
		else
			set_reply((struct retort_reply){.status = 202});
		answer(&asked);
		ck_assert_int_eq(asked.reply.status, i == 0 ? 200 : 202);
		got = flatten(&asked.reply);
		if (i == 0)
			assert_has(got, "<a href=\"here\">");
		bytes_free(&got);
		close_asked(&asked);
	}
	rt_route_free(&route);
	dir_remove(folder);
	dir_remove(other);
}
END_TEST

/* --- rules --- */

static int
add_rule(struct retort_reply rule)
{
	int number = rt_route_add(&route, &rule, error);

	ck_assert_msg(number > 0, "rt_route_add: %s", error);
	return number;
}

/* Which rule answers, with which status; and why not. */
static void
expect_rule(const char *request, int rule, int status, const char *why)
{
	struct asked asked;

	open_asked(&asked, request);
	answer(&asked);
	ck_assert_msg(asked.rule == rule && asked.reply.status == status,
		"%s: expected rule %d and %d, got %d and %d", request, rule,
		status, asked.rule, asked.reply.status);
	ck_assert_str_eq(asked.why, why);
	close_asked(&asked);
}

#define ASK(line) line " HTTP/1.0\r\n\r\n"

START_TEST(the_first_rule_that_fits)
{
	open_route();
	ck_assert_int_eq(add_rule(
				 (struct retort_reply){.when.request = "GET /a",
					 .status = 201}),
		1);
	ck_assert_int_eq(add_rule((struct retort_reply){.when.request = "/a*",
				 .status = 202}),
		2);
	ck_assert_int_eq(add_rule(
				 (struct retort_reply){.when.request = "GET /a",
					 .status = 203}),
		3);
	expect_rule(ASK("GET /a"), 1, 201, "");
	expect_rule(ASK("PUT /a"), 2, 202, "");
	expect_rule(ASK("GET /ab"), 2, 202, "");
	expect_rule(ASK("GET /b"), 0, 501,
		"no rule fits GET /b: path differs from rule 1 \"/a\" at "
		"byte 1");
	/* what was set for all others answers where no rule does */
	set_reply((struct retort_reply){.status = 204});
	expect_rule(ASK("GET /b"), 0, 204, "");
	expect_rule(ASK("GET /a"), 1, 201, "");
	rt_route_clear(&route);
	expect_rule(ASK("GET /a"), 0, 204, "");
	/* numbers begin anew */
	ck_assert_int_eq(add_rule((struct retort_reply){.status = 205}), 1);
	expect_rule(ASK("GET /b"), 1, 205, "");
	rt_route_free(&route);
}
END_TEST

START_TEST(rules_are_used_up)
{
	open_route();
	(void)add_rule((struct retort_reply){.when.request = "GET /a",
		.status = 201,
		.times = 2});
	(void)add_rule((struct retort_reply){.when.request = "GET /a",
		.status = 202,
		.times = 1});
	expect_rule(ASK("GET /b"), 0, 501,
		"no rule fits GET /b: path differs from rule 1 \"/a\" at "
		"byte 1");
	expect_rule(ASK("GET /a"), 1, 201, "");
	expect_rule(ASK("GET /a"), 1, 201, "");
	expect_rule(ASK("GET /a"), 2, 202, "");
	expect_rule(ASK("GET /a"), 0, 501,
		"no rule fits GET /a: rule 2 would, but was used up (1 of 1)");
	(void)add_rule(
		(struct retort_reply){.when.request = "GET /a", .status = 203});
	for (int i = 0; i < 5; i++)
		expect_rule(ASK("GET /a"), 3, 203, "");
	rt_route_free(&route);
}
END_TEST

/* The text of a 501 says what it is to be. */
START_TEST(the_nearest_rule_is_named)
{
	open_route();
	(void)add_rule((struct retort_reply){.when.request = "POST /users"});
	(void)add_rule((struct retort_reply){.when.request = "GET /users/1"});
	(void)add_rule((struct retort_reply){.when.request = "GET /items"});
	expect_text(ASK("GET /users"),
		"HTTP/1.1 501 Not Implemented\r\n" TOLD TEXT
		"Content-Length: 59\r\n" END
		"no rule fits GET /users: method differs from rule 1 "
		"\"POST\"\n");
	expect_rule(ASK("GET /users/2"), 0, 501,
		"no rule fits GET /users/2: path differs from rule 2 "
		"\"/users/1\" at byte 7");
	rt_route_free(&route);
}
END_TEST

START_TEST(rules_keep_bodies)
{
	static const char *const post = "POST / HTTP/1.1\r\nHost: x\r\n"
					"Content-Length: 5\r\n\r\n";

	open_route();
	(void)add_rule((struct retort_reply){.when.request = "/other"});
	ck_assert(judge(post).keep);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	set_reply((struct retort_reply){.status = 200});
	ck_assert(judge(post).keep);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	rt_route_clear(&route);
	ck_assert(!judge(post).keep);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	rt_route_free(&route);
	/* as does whoever records */
	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, NULL, 0, true), 0);
	ck_assert(judge(post).keep);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	set_reply((struct retort_reply){.status = 200});
	ck_assert(judge(post).keep);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	rt_route_free(&route);
}
END_TEST

START_TEST(rules_are_checked)
{
	open_route();
	ck_assert_int_eq(rt_route_add(&route,
				 &(struct retort_reply){
					 .when.request = "GET a"},
				 error),
		-EINVAL);
	ck_assert_str_eq(error,
		"expected 'METHOD /TARGET' or either alone: 'GET a'");
	ck_assert_int_eq(rt_route_add(&route,
				 &(struct retort_reply){.status = 7}, error),
		-EINVAL);
	ck_assert_str_eq(error, "status: expected 200 to 999");
	ck_assert_int_eq(add_rule((struct retort_reply){.status = 201}), 1);
	rt_route_free(&route);
}
END_TEST

START_TEST(many_rules)
{
	char path[32], request[64];

	open_route();
	for (int i = 1; i <= 100; i++) {
		(void)snprintf(path, sizeof path, "/%d", i);
		ck_assert_int_eq(add_rule((struct retort_reply){.when.request =
									path,
					 .status = 200 + i}),
			i);
	}
	for (int i = 1; i <= 100; i++) {
		(void)snprintf(request, sizeof request, ASK("GET /%d"), i);
		expect_rule(request, i, 200 + i, "");
	}
	rt_route_free(&route);
}
END_TEST

/* --- handlers --- */

/* What a handler is to do, and what it saw. */
struct handling {
	void (*change)(struct retort_reply *reply);
	int result;
	int calls;
	struct retort_reply given;
	char body[64]; /* that it was given */
};

static int
handle(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct handling *handling = arg;

	ck_assert_uint_eq(exchange->connection, 7);
	handling->calls++;
	handling->given = *reply;
	if (reply->body != NULL)
		(void)snprintf(handling->body, sizeof handling->body, "%.*s",
			reply->body_size > 0 ? (int)reply->body_size : 60,
			(const char *)reply->body);
	if (handling->change != NULL)
		handling->change(reply);
	return handling->result;
}

static void
add_handler(struct handling *handling, struct retort_reply rule)
{
	rule.handler = handle;
	rule.handler_arg = handling;
	(void)add_rule(rule);
}

static void
change_all(struct retort_reply *reply)
{
	reply->status = 404;
	reply->fields = "A: b";
	reply->body = "changed";
	reply->body_size = 0;
}

START_TEST(a_handler_changes_the_reply)
{
	struct handling handling = {.change = change_all};

	open_route();
	add_handler(&handling,
		(struct retort_reply){.status = 201,
			.fields = "X: y",
			.type = "a/b",
			.body = "rule's",
			.times = 2});
	expect_text(ASK("GET /"),
		"HTTP/1.1 404 Not Found\r\n" TOLD "Content-Type: a/b\r\n"
		"Content-Length: 7\r\nA: b\r\n" END "changed");
	/* it began with what the rule has */
	ck_assert_int_eq(handling.given.status, 201);
	ck_assert_str_eq(handling.given.fields, "X: y");
	ck_assert_str_eq(handling.body, "rule's");
	/* and the rule has it still */
	handling.change = NULL;
	expect_text(ASK("GET /"),
		"HTTP/1.1 201 Created\r\n" TOLD "Content-Type: a/b\r\n"
		"Content-Length: 6\r\nX: y\r\n" END "rule's");
	ck_assert_int_eq(handling.calls, 2);
	expect_rule(ASK("GET /"), 0, 501,
		"no rule fits GET /: rule 1 would, but was used up (2 of 2)");
	ck_assert_int_eq(handling.calls, 2);
	rt_route_free(&route);
}
END_TEST

START_TEST(a_handler_is_asked_when_its_rule_fits)
{
	struct handling handling = {.change = NULL};

	open_route();
	(void)add_rule((struct retort_reply){.when.request = "GET /a"});
	add_handler(&handling, (struct retort_reply){.when.request = "/b"});
	expect_rule(ASK("GET /a"), 1, 200, "");
	expect_status(ASK("GET /c"), 501);
	ck_assert_int_eq(handling.calls, 0);
	expect_rule(ASK("GET /b"), 2, 200, "");
	ck_assert_int_eq(handling.calls, 1);
	rt_route_free(&route);
}
END_TEST

/* Bodies of rules that were copied, in every form, when a handler adds none:
   ASan and valgrind see whose they are. */
START_TEST(a_handler_leaves_the_body)
{
	static const struct {
		const char *body;
		size_t size;
		uint64_t repeat;
		bool borrowed;
		const char *got;
	} cases[] = {
		{"hello", 0, 0, false, "hello"},
		{"hello", 2, 0, false, "he"},
		{"", 0, 0, false, ""},
		{"", 0, 0, true, ""},
		{NULL, 0, 0, false, ""},
		{"hello", 0, 0, true, "hello"},
		{"abc", 0, 8, false, "abcabcab"},
		{"abc", 2, 5, false, "ababa"},
		{"abc", 0, 2, false, "ab"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct handling handling = {.change = NULL};
		char *body = cases[i].body ? strdup(cases[i].body) : NULL;
		struct asked asked;
		struct bytes got;
		char end[64];

		open_route();
		add_handler(&handling,
			(struct retort_reply){
				.body = cases[i].borrowed ? cases[i].body :
							    body,
				.body_size = cases[i].size,
				.borrowed = cases[i].borrowed,
				.repeat = cases[i].repeat,
			});
		if (body != NULL)
			memset(body, '#', strlen(body));
		free(body);
		open_asked(&asked, ASK("GET /"));
		answer(&asked);
		ck_assert_msg(asked.reply.status == 200, "case %zu: %s", i,
			asked.why);
		got = script_played(&asked.reply);
		(void)snprintf(end, sizeof end, "\r\n\r\n%s", cases[i].got);
		ck_assert_msg(got.size > strlen(end) &&
				strcmp(got.data + got.size - strlen(end),
					end) == 0,
			"case %zu: expected %s last in: %s", i, cases[i].got,
			shown(got.data, got.size));
		bytes_free(&got);
		close_asked(&asked);
		rt_route_free(&route);
	}
}
END_TEST

static void
give_none(struct retort_reply *reply)
{
	reply->status = 204;
	reply->type = NULL;
	reply->body = NULL;
	reply->body_size = 0;
}

static void
give_nonsense(struct retort_reply *reply)
{
	reply->fields = "field";
}

START_TEST(handlers_fail)
{
	struct handling handling = {.result = -5};
	struct asked asked;

	open_route();
	(void)add_rule((struct retort_reply){.when.request = "/a"});
	add_handler(&handling, (struct retort_reply){.fields = "A: b"});
	expect_text(ASK("GET /"),
		"HTTP/1.1 500 Internal Server Error\r\n" TOLD TEXT
		"Content-Length: 72\r\n" END
		"500 Internal Server Error: the handler of rule 2 failed: "
		"it returned -5\n");
	open_asked(&asked, ASK("GET /"));
	answer(&asked);
	ck_assert_str_eq(asked.why,
		"the handler of rule 2 failed: it returned -5");
	ck_assert_int_eq(asked.rule, 2);
	close_asked(&asked);
	handling.result = 0;
	handling.change = give_nonsense;
	open_asked(&asked, ASK("GET /"));
	answer(&asked);
	ck_assert_int_eq(asked.reply.status, 500);
	ck_assert_str_eq(asked.why,
		"the handler of rule 2 failed: "
		"fields: 'field': expected 'Name: value'");
	close_asked(&asked);
	handling.change = give_none;
	expect_status(ASK("GET /"), 204);
	rt_route_free(&route);
}
END_TEST

START_TEST(handlers_answer_later)
{
	struct handling handling = {.result = RETORT_LATER};
	const struct retort_reply as = {.status = 404, .body = "later"};
	struct asked asked;
	struct bytes got;

	open_route();
	add_handler(&handling, (struct retort_reply){.times = 1});
	open_asked(&asked, ASK("GET /"));
	answer(&asked);
	ck_assert_int_eq(asked.outcome, RT_LATER);
	ck_assert_int_eq(asked.rule, 1);
	ck_assert_str_eq(asked.why, "");
	ck_assert_uint_eq(asked.reply.step_count, 0);
	/* and then with a reply from elsewhere */
	ck_assert_int_eq(rt_route_answer_with(&route, &as,
				 &(struct rt_asked){
					 .request = rt_http_request(asked.http),
					 .base = asked.request,
					 .size = strlen(asked.request),
					 .date = DATE,
				 },
				 &asked.reply, error),
		0);
	got = flatten(&asked.reply);
	assert_begins(got, "HTTP/1.1 404 Not Found\r\n" TOLD TEXT);
	assert_has(got, "\r\n\r\nlater");
	bytes_free(&got);
	ck_assert_int_eq(rt_route_answer_with(&route,
				 &(struct retort_reply){.status = 1},
				 &(struct rt_asked){.date = DATE}, &asked.reply,
				 error),
		-EINVAL);
	ck_assert_str_eq(error, "status: expected 200 to 999");
	close_asked(&asked);
	rt_route_free(&route);
}
END_TEST

/* --- refusals --- */

START_TEST(bodies_of_whom)
{
	static const char *const post = "POST / HTTP/1.1\r\nHost: x\r\n"
					"Content-Length: 5\r\n\r\n";
	char *folder = dir_make();

	open_route();
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	ck_assert_int_eq(judge(post).keep, false);
	set_reply((struct retort_reply){.body = "a", .body_size = 1});
	ck_assert_int_eq(judge(post).status, 0);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	ck_assert_int_eq(judge(post).keep, false);
	ck_assert_ptr_null(judge(post).reason);
	set_reply((struct retort_reply){.raw = true});
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	ck_assert_int_eq(judge(post).keep, false);
	set_reply((struct retort_reply){.echo = true});
	ck_assert_int_eq(judge(post).status, 0);
	ck_assert_uint_eq(judge(post).max, UINT64_MAX);
	ck_assert_int_eq(judge(post).keep, true);
	set_files(folder, (struct retort_files){.dotfiles = false});
	ck_assert_int_eq(judge(post).status, 405);
	ck_assert_int_eq(judge(GET).status, 0);
	ck_assert_uint_eq(judge(GET).max, 1 << 20);
	ck_assert_int_eq(judge(GET).keep, false);
	ck_assert_int_eq(judge("FROB / HTTP/1.0\r\n\r\n").status, 501);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(the_largest_body_is_an_option)
{
	open_route();
	rt_route_free(&route);
	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, NULL, 77, false),
		0);
	ck_assert_uint_eq(judge(GET).max, 77);
	set_reply((struct retort_reply){.body = "a", .body_size = 1});
	ck_assert_uint_eq(judge(GET).max, 77);
	set_reply((struct retort_reply){.echo = true});
	ck_assert_uint_eq(judge(GET).max, 77);
	rt_route_free(&route);
}
END_TEST

static int
judge_host(const char *host)
{
	static char request[512];
	struct verdict verdict;

	(void)snprintf(request, sizeof request,
		"GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	verdict = judge(request);
	if (verdict.status != 0)
		ck_assert_ptr_nonnull(verdict.reason);
	return verdict.status;
}

START_TEST(hosts)
{
	static const char *const names[] = {"example.org", "[::1]", "127.0.0.1",
		NULL};
	static const char *const served[] = {"example.org", "EXAMPLE.org",
		"example.org:8080", "example.org:", "example.org:0", "[::1]",
		"[::1]:8080", "[::1]:", "127.0.0.1", "127.0.0.1:1"};
	static const char *const others[] = {"example.com", "example.or",
		"example.orgg", "www.example.org", "example.org.", "[::2]",
		"[::1:8080]", "127.0.0.2", "evil:example.org", "127.0.0.11",
		""};
	static const char *const none[] = {NULL};

	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, names, 0, false),
		0);
	for (size_t i = 0; i < COUNT(served); i++)
		ck_assert_msg(judge_host(served[i]) == 0, "%s: refused",
			served[i]);
	for (size_t i = 0; i < COUNT(others); i++) {
		/* what is malformed has been refused by then */
		if (strcmp(others[i], "evil:example.org") == 0 ||
			strcmp(others[i], "[::1:8080]") == 0)
			continue;
		ck_assert_msg(judge_host(others[i]) == 421, "%s: served",
			others[i]);
	}
	/* the target's authority goes before Host (RFC 9112 3.2.2) */
	ck_assert_int_eq(judge("GET http://example.org/ HTTP/1.1\r\n"
			       "Host: evil\r\n\r\n")
				 .status,
		0);
	ck_assert_int_eq(judge("GET http://evil/ HTTP/1.1\r\n"
			       "Host: example.org\r\n\r\n")
				 .status,
		421);
	/* none at all is none of them */
	ck_assert_int_eq(judge("GET / HTTP/1.0\r\n\r\n").status, 421);
	/* before the method is looked at */
	set_reply((struct retort_reply){.echo = true});
	ck_assert_int_eq(judge_host("evil"), 421);
	rt_route_free(&route);

	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, none, 0, false), 0);
	ck_assert_int_eq(judge_host("example.org"), 421);
	rt_route_free(&route);
	open_route();
	ck_assert_int_eq(judge_host("anything"), 0);
	ck_assert_int_eq(judge("GET / HTTP/1.0\r\n\r\n").status, 0);
	rt_route_free(&route);
}
END_TEST

/* --- checks --- */

static void
refuse_fields(const char *fields, const char *message)
{
	const struct retort_reply reply = {.fields = fields};
	const struct retort_files own = {.fields = fields};

	memset(error, '#', sizeof error);
	ck_assert_msg(rt_route_set_reply(&route, &reply, error) == -EINVAL,
		"not refused: %s", message);
	ck_assert_str_eq(error, message);
	memset(error, '#', sizeof error);
	ck_assert_int_eq(rt_route_set_files(&route, "/", &own, error), -EINVAL);
	ck_assert_str_eq(error, message);
	/* without room for a text */
	ck_assert_int_eq(rt_route_set_reply(&route, &reply, NULL), -EINVAL);
	ck_assert_int_eq(rt_route_set_files(&route, "/", &own, NULL), -EINVAL);
}

static void
refuse_omit(const char *omit, const char *message)
{
	const struct retort_reply reply = {.omit = omit};
	const struct retort_files own = {.omit = omit};

	memset(error, '#', sizeof error);
	ck_assert_int_eq(rt_route_set_reply(&route, &reply, error), -EINVAL);
	ck_assert_str_eq(error, message);
	memset(error, '#', sizeof error);
	ck_assert_int_eq(rt_route_set_files(&route, "/", &own, error), -EINVAL);
	ck_assert_str_eq(error, message);
}

START_TEST(fields_are_checked)
{
	open_route();
	refuse_fields("Good: one\n: v",
		"fields: ': v': expected a token as field name");
	refuse_fields("A B: v\nGood: one",
		"fields: 'A B: v': expected a token as field name");
	refuse_fields("Good: one\r\n\r\nBad",
		"fields: 'Bad': expected 'Name: value'");
	refuse_fields("A\x80: b",
		"fields: 'A\x80: b': expected a token as field name");
	refuse_fields("X: a\rB: c",
		"fields: 'X: a\rB: c': expected no control characters");
	refuse_fields("X: a\x01",
		"fields: 'X: a\x01': expected no control characters");
	refuse_fields("X: a\x7f",
		"fields: 'X: a\x7f': expected no control characters");
	refuse_omit("Date\nA B", "omit: 'A B': expected a token as field name");
	refuse_omit("Date: x",
		"omit: 'Date: x': expected a field's name alone");
	refuse_omit("Date\n\x80",
		"omit: '\x80': expected a token as field name");
	/* what frames the body is the user's to give */
	set_reply((struct retort_reply){
		.fields = "Content-Length: 9\nTransfer-Encoding: x\n"
			  "Connection: keep-alive",
		.omit = "Connection\nContent-Length"});
	rt_route_free(&route);
}
END_TEST

static void
refuse_reply(struct retort_reply reply, const char *message)
{
	memset(error, '#', sizeof error);
	ck_assert_msg(rt_route_set_reply(&route, &reply, error) == -EINVAL,
		"not refused: %s", message);
	ck_assert_str_eq(error, message);
}

START_TEST(replies_are_checked)
{
	static const char status[] = "status: expected 200 to 999";
	static const char body[] = "status: a 204 or 304 has no body";

	open_route();
	refuse_reply((struct retort_reply){.status = 199}, status);
	refuse_reply((struct retort_reply){.status = 100}, status);
	refuse_reply((struct retort_reply){.status = 1000}, status);
	refuse_reply((struct retort_reply){.status = -1}, status);
	refuse_reply((struct retort_reply){.status = 204,
			     .body = "a",
			     .body_size = 1},
		body);
	refuse_reply((struct retort_reply){.status = 304,
			     .body = "a",
			     .body_size = 1},
		body);
	refuse_reply((struct retort_reply){.raw = true, .echo = true},
		"reply: both raw and an echo");
	refuse_reply((struct retort_reply){.type = ""},
		"malformed media type: ");
	refuse_reply((struct retort_reply){.type = "a\r\nb"},
		"malformed media type: a\r\nb");
	set_reply((struct retort_reply){.status = 200});
	set_reply((struct retort_reply){.status = 999});
	rt_route_free(&route);
}
END_TEST

START_TEST(files_are_checked)
{
	struct retort_type type = {"ext", ""};
	const struct retort_files types = {.types = &type, .type_count = 1};
	char *folder = dir_make();

	open_route();
	ck_assert_int_eq(rt_route_set_files(&route, folder, &types, error),
		-EINVAL);
	ck_assert_str_eq(error, "malformed media type of: ext");
	type.type = NULL;
	ck_assert_int_eq(rt_route_set_files(&route, folder, &types, error),
		-EINVAL);
	type.type = "a\r\n";
	ck_assert_int_eq(rt_route_set_files(&route, folder, &types, error),
		-EINVAL);
	type.extension = NULL;
	type.type = "a/b";
	ck_assert_int_eq(rt_route_set_files(&route, folder, &types, error),
		-EINVAL);
	ck_assert_str_eq(error, "malformed media type of: ");
	ck_assert_int_eq(rt_route_set_files(&route, "/nowhere/at/all",
				 &(struct retort_files){.type_count = 0},
				 error),
		-ENOENT);
	ck_assert_str_eq(error, "/nowhere/at/all: No such file or directory");
	ck_assert_int_eq(rt_route_set_files(&route, "/dev/null",
				 &(struct retort_files){.type_count = 0},
				 error),
		-ENOTSUP);
	ck_assert_str_eq(error,
		"/dev/null: neither a folder nor a regular file");
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

static void
refuse_files(const char *folder, struct retort_files refused, int code,
	const char *message)
{
	memset(error, '#', sizeof error);
	ck_assert_msg(rt_route_set_files(&route, folder, &refused, error) ==
			code,
		"expected %d: %s", code, message);
	ck_assert_str_eq(error, message);
	ck_assert_int_eq(rt_route_set_files(&route, folder, &refused, NULL),
		code);
}

START_TEST(pages_are_checked)
{
	static const char slash[] =
		"spa: expected a path beneath the root, without a slash";
	char *folder = dir_make(), name[300];

	dir_write(folder, "root/sub/app.html", "app", 3);
	dir_write(folder, "out.html", "out", 3);
	(void)snprintf(name, sizeof name, "%s/root", folder);
	open_route();
	refuse_files(name, (struct retort_files){.spa = "/sub/app.html"},
		-EINVAL, slash);
	refuse_files(name, (struct retort_files){.spa = "/"}, -EINVAL, slash);
	refuse_files(name, (struct retort_files){.spa = "none.html"}, -ENOENT,
		"spa 'none.html': No such file or directory");
	refuse_files(name, (struct retort_files){.spa = "sub"}, -EISDIR,
		"spa 'sub': Is a directory");
	refuse_files(name, (struct retort_files){.spa = ""}, -EISDIR,
		"spa '': Is a directory");
	refuse_files(name, (struct retort_files){.spa = "../out.html"}, -EXDEV,
		"spa '../out.html': Invalid cross-device link");
	set_files(name, (struct retort_files){.spa = "sub/app.html"});
	/* of one file, there is no other, and it needs no name */
	(void)snprintf(name, sizeof name, "%s/root/sub/app.html", folder);
	refuse_files(name, (struct retort_files){.spa = "sub/app.html"},
		-ENOTDIR, "spa 'sub/app.html': Not a directory");
	refuse_files(name, (struct retort_files){.spa = "app.html"}, -ENOTDIR,
		"spa 'app.html': Not a directory");
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

START_TEST(a_long_page_is_cut)
{
	char *folder = dir_make(), spa[2000], message[RETORT_ERROR_SIZE];

	memset(spa, 'x', sizeof spa - 1);
	spa[sizeof spa - 1] = '\0';
	(void)snprintf(message, sizeof message,
		"spa '%.200s': File name too long", spa);
	open_route();
	refuse_files(folder, (struct retort_files){.spa = spa}, -ENAMETOOLONG,
		message);
	rt_route_free(&route);
	dir_remove(folder);
}
END_TEST

/* --- without HTTP --- */

/* Asks about a piece of these bytes, or about what was accepted (NULL). */
static enum rt_step_kind
ask_plain(const char *text, struct bytes *got, int *rule, char why[256])
{
	static const struct rt_request request;
	const struct retort_exchange seen = {.connection = 7,
		.protocol = route.protocol,
		.body = text ? text : "",
		.body_size = text ? strlen(text) : 0};
	struct rt_asked asked = {.request = &request,
		.base = text ? text : "",
		.size = text ? strlen(text) : 0,
		.date = DATE,
		.seen = &seen,
		.accepted = text == NULL};
	struct rt_reply reply;
	enum rt_step_kind ending;

	rt_reply_init(&reply);
	rt_buf_init(&asked.why, 1024);
	ck_assert_int_eq(rt_route_answer(&route, &asked, &reply), RT_ANSWERED);
	*got = script_sent(&reply);
	*rule = asked.rule;
	(void)snprintf(why, 256, "%s", rt_buf_text(&asked.why));
	ending = reply.steps[reply.step_count - 1].kind;
	rt_buf_free(&asked.why);
	rt_reply_free(&reply);
	return ending;
}

static void
expect_plain(const char *text, const char *sent, enum rt_step_kind ending,
	int rule, const char *why)
{
	struct bytes got;
	char said[256];
	int by;

	ck_assert_int_eq(ask_plain(text, &got, &by, said), ending);
	assert_bytes(got.data, got.size, sent, strlen(sent));
	ck_assert_int_eq(by, rule);
	ck_assert_str_eq(said, why);
	bytes_free(&got);
}

static int
add_plain_rule(struct retort_reply rule)
{
	return rt_route_add(&route, &rule, error);
}

START_TEST(rules_of_pieces)
{
	for (int p = RETORT_TCP; p <= RETORT_UDP; p++) {
		ck_assert_int_eq(rt_route_init(&route, (enum retort_protocol)p,
					 NULL, 0, false),
			0);
		/* nothing answers: there is no other way to say so */
		expect_plain("a", "", RT_STEP_CLOSE, 0, "no rule fits \"a\"");
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.when.body =
								       "ping",
						 .body = "pong"}),
			1);
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.when.body_has =
								       "o",
						 .body = "once",
						 .times = 1}),
			2);
		expect_plain("ping", "pong", RT_STEP_NEXT, 1, "");
		expect_plain("foo", "once", RT_STEP_NEXT, 2, "");
		set_reply((struct retort_reply){.echo = true});
		expect_plain("foo", "foo", RT_STEP_NEXT, 0, "");
		expect_plain("ping", "pong", RT_STEP_NEXT, 1, "");
		ck_assert_int_eq(rt_route_set_files(&route, "/", NULL, error),
			-EINVAL);
		rt_route_free(&route);
	}
}
END_TEST

static int
fail_with(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	reply->body = "never";
	if (*(int *)arg == 0)
		reply->status = 200;
	return *(int *)arg;
}

START_TEST(a_failing_handler_closes)
{
	static const struct {
		int code;
		const char *why;
	} cases[] = {
		{-5, "the handler of rule 1 failed: it returned -5"},
		{0,
			"the handler of rule 1 failed: status: only a reply of "
			"HTTP has it"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int code = cases[i].code;

		ck_assert_int_eq(rt_route_init(&route, RETORT_TCP, NULL, 0,
					 false),
			0);
		ck_assert_int_eq(add_plain_rule((
					 struct retort_reply){.handler =
								      fail_with,
					 .handler_arg = &code}),
			1);
		expect_plain("a", "", RT_STEP_CLOSE, 1, cases[i].why);
		rt_route_free(&route);
	}
}
END_TEST

static bool
fits_never(void *arg, const struct retort_exchange *exchange)
{
	(void)arg;
	(void)exchange;
	return false;
}

START_TEST(rules_of_what_is_accepted)
{
	for (int p = RETORT_HTTP; p <= RETORT_TCP; p++) {
		ck_assert_int_eq(rt_route_init(&route, (enum retort_protocol)p,
					 NULL, 0, false),
			0);
		ck_assert(!rt_route_greets(&route));
		set_reply((struct retort_reply){.body = "other"});
		/* the reply to all else is none to this */
		expect_plain(NULL, "", RT_STEP_NEXT, 0, "");
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.accepted = true,
						 .when.predicate = fits_never,
						 .body = "never"}),
			1);
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.accepted = true,
						 .body = "hello",
						 .times = 1}),
			2);
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.accepted = true,
						 .body = "bye",
						 .close = true}),
			3);
		ck_assert(rt_route_greets(&route));
		expect_plain(NULL, "hello", RT_STEP_NEXT, 2, "");
		expect_plain(NULL, "bye", RT_STEP_CLOSE, 3, "");
		/* and they are none to a piece */
		if (p == RETORT_TCP)
			expect_plain("a", "other", RT_STEP_NEXT, 0, "");
		rt_route_free(&route);
	}
}
END_TEST

START_TEST(rules_of_what_is_accepted_are_checked)
{
	static const struct {
		struct retort_reply rule;
		const char *error;
	} cases[] = {
		{{.accepted = true, .when.body = "x"},
			"accepted: of `when` only a predicate goes with it"},
		{{.accepted = true, .when.body_has = "x"},
			"accepted: of `when` only a predicate goes with it"},
		{{.accepted = true, .when.request = "GET"},
			"accepted: of `when` only a predicate goes with it"},
		{{.accepted = true, .echo = true},
			"accepted: there is nothing to echo"},
		{{.accepted = true, .status = 200},
			"status: only a reply of HTTP has it"},
	};

	for (int p = RETORT_HTTP; p <= RETORT_TCP; p++) {
		ck_assert_int_eq(rt_route_init(&route, (enum retort_protocol)p,
					 NULL, 0, false),
			0);
		for (size_t i = 0; i < COUNT(cases); i++) {
			ck_assert_int_eq(add_plain_rule(cases[i].rule),
				-EINVAL);
			ck_assert_str_eq(error, cases[i].error);
		}
		ck_assert(!rt_route_greets(&route));
		rt_route_free(&route);
	}
	ck_assert_int_eq(rt_route_init(&route, RETORT_UDP, NULL, 0, false), 0);
	ck_assert_int_eq(add_plain_rule(
				 (struct retort_reply){.accepted = true}),
		-EINVAL);
	ck_assert_str_eq(error, "accepted: datagrams are not");
	ck_assert_int_eq(add_plain_rule(
				 (struct retort_reply){.when.request = "GET"}),
		-EINVAL);
	ck_assert_str_eq(error, "request: only a request of HTTP has it");
	rt_route_free(&route);
}
END_TEST

/* --- faults --- */

static int
add_faulty(struct retort_reply reply)
{
	*error = '\0';
	return rt_route_add(&route, &reply, error);
}

START_TEST(faults_are_checked)
{
	static const char no_body[] = "status: a 204 or 304 has no body, but "
				      "for the fault 'force-body'";
	static const struct {
		struct retort_reply reply;
		const char *error; /* NULL: it is right */
	} replies[] = {
		{{.body = "x", .faults = "what"},
			"faults: 'what': expected a fault, such as cut, "
			"pause, split or end"},
		{{.body = "hello", .faults = "cut body 5"}, NULL},
		{{.body = "hello", .faults = "cut body 6"},
			"faults: cut body 6: the body has 5 bytes"},
		{{.body = "hello", .faults = "cut head 5000"}, "*"},
		{{.raw = true, .body = "raw", .faults = "cut 3"}, NULL},
		{{.raw = true, .body = "raw", .faults = "cut 4"},
			"faults: cut 4: the reply has 3 bytes"},
		/* known when it is asked for */
		{{.echo = true, .faults = "cut body 600"}, NULL},
		{{.file = "/dev/null", .faults = "cut body 600"}, NULL},
		{{.files = true, .faults = "cut body 600"}, NULL},
		/* reading comes before the body */
		{{.when.body = "x", .when.body_size = 1, .faults = "early"},
			"faults: how the body is read cannot depend on the "
			"body"},
		{{.when.body_has = "x", .faults = "read-slowly 1 1"},
			"faults: how the body is read cannot depend on the "
			"body"},
		{{.when.body_has = "x", .faults = "cut 1"}, NULL},
		{{.when.request = "POST", .faults = "stop-reading 5"}, NULL},
		/* files */
		{{.files = true}, NULL},
		{{.files = true, .fields = "A: b", .omit = "ETag"}, NULL},
		{{.files = true, .body = "x"},
			"files: of a reply only fields, omit and faults go "
			"with it"},
		{{.files = true, .status = 404},
			"files: of a reply only fields, omit and faults go "
			"with it"},
		{{.files = true, .echo = true},
			"files: of a reply only fields, omit and faults go "
			"with it"},
		{{.files = true, .accepted = true},
			"files: only HTTP serves them"},
		/* of what is accepted */
		{{.accepted = true, .faults = "end reset"}, NULL},
		{{.accepted = true, .body = "hi", .faults = "cut 1"}, NULL},
		{{.accepted = true, .body = "hi", .faults = "cut 3"},
			"faults: cut 3: the reply has 2 bytes"},
		/* of what has no body */
		{{.status = 204, .body = "x", .faults = "cut 1"}, no_body},
		{{.status = 304, .body = "x", .faults = "end reset"}, no_body},
		{{.status = 204, .echo = true, .faults = "cut 1"}, no_body},
		{{.status = 204,
			 .body = "x",
			 .faults = "force-body; cut body 1"},
			NULL},
		{{.status = 304,
			 .body = "x",
			 .faults = "end reset; force-body"},
			NULL},
		{{.status = 204,
			 .body = "x",
			 .faults = "force-body; cut body 2"},
			"faults: cut body 2: the body has 1 byte"},
		{{.status = 204, .faults = "cut 1"}, NULL},
	};

	open_route();
	for (size_t i = 0; i < COUNT(replies); i++) {
		size_t count = route.rule_count;
		int code = add_faulty(replies[i].reply);

		if (replies[i].error == NULL) {
			ck_assert_msg(code == (int)count + 1, "%zu: %s", i,
				error);
			continue;
		}
		ck_assert_msg(code == -EINVAL, "%zu was taken", i);
		ck_assert_uint_eq(route.rule_count, count);
		if (*replies[i].error != '*')
			ck_assert_str_eq(error, replies[i].error);
	}
	rt_route_free(&route);
}
END_TEST

START_TEST(unix_sockets_have_no_reset)
{
	static const char *const resets[] = {"end reset", "cut 1 reset",
		"early; cut body 1 reset"};

	open_route();
	route.unix_bound = true;
	for (size_t i = 0; i < COUNT(resets); i++) {
		ck_assert_int_eq(add_faulty((struct retort_reply){.body = "abc",
					 .faults = resets[i]}),
			-EINVAL);
		ck_assert_str_eq(error,
			"faults: a Unix socket cannot be reset");
		ck_assert_int_eq(rt_route_set_reply(&route,
					 &(struct retort_reply){.body = "abc",
						 .faults = resets[i]},
					 error),
			-EINVAL);
	}
	ck_assert_int_eq(add_faulty((struct retort_reply){.body = "abc",
				 .faults = "cut 1; end stall"}),
		1);
	rt_route_free(&route);
}
END_TEST

/* A datagram is one segment, and nothing ends it. */
START_TEST(datagrams_have_no_segments)
{
	static const char *const refused[] = {"split 1", "each 1", "rate 1",
		"each 1; gap 1", "spread 1", "end fin", "end reset",
		"end stall", "end half", "end stall; deaf", "refuse",
		"refuse 5", "cut 1 reset", "cut 1 stall", "cut 1 half"};
	static const char *const taken[] = {"cut 1", "empty", "pause 5 1",
		"corrupt 0", "garbage 3", "insert 1 \"x\""};
	char expected[200];

	ck_assert_int_eq(rt_route_init(&route, RETORT_UDP, NULL, 0, false), 0);
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct retort_reply reply = {.body = "abc",
			.faults = refused[i]};

		(void)snprintf(expected, sizeof expected,
			"faults: %s: a datagram has neither segments nor an "
			"ending",
			refused[i]);
		ck_assert_int_eq(add_faulty(reply), -EINVAL);
		ck_assert_str_eq(error, expected);
		ck_assert_int_eq(rt_route_set_reply(&route, &reply, error),
			-EINVAL);
		ck_assert_str_eq(error, expected);
	}
	for (size_t i = 0; i < COUNT(taken); i++)
		ck_assert_msg(add_faulty((struct retort_reply){.body = "abc",
				      .faults = taken[i]}) == (int)i + 1,
			"'%s': %s", taken[i], error);
	rt_route_free(&route);
}
END_TEST

START_TEST(rules_say_how_requests_are_read)
{
	static const struct retort_exchange get = {.method = "GET",
						    .target = "/"},
					    post = {.method = "POST",
						    .target = "/"};
	const struct rt_faults *faults;

	open_route();
	ck_assert_int_eq(add_faulty((struct retort_reply){.when.request = "GET",
				 .faults = "cut 1"}),
		1);
	ck_assert(!route.reads);
	ck_assert_int_eq(add_faulty(
				 (struct retort_reply){.when.request = "POST",
					 .faults = "read-slowly 5 6"}),
		2);
	ck_assert(route.reads);
	ck_assert_ptr_null(rt_route_reading(&route, &get));
	faults = rt_route_reading(&route, &post);
	ck_assert_ptr_nonnull(faults);
	ck_assert_str_eq(rt_faults_text(faults), "read-slowly 5 6");
	ck_assert_uint_eq(rt_faults_reading(faults)->pace, 5);
	rt_route_clear_behind(&route, 1);
	ck_assert_uint_eq(route.rule_count, 1);
	ck_assert(!route.reads);
	ck_assert_ptr_null(rt_route_reading(&route, &post));
	rt_route_free(&route);
}
END_TEST

/* Where no rule fits, the reply to all else says it. */
START_TEST(replies_say_how_requests_are_read)
{
	static const struct retort_exchange get = {.method = "GET",
						    .target = "/"},
					    post = {.method = "POST",
						    .target = "/"};
	const struct rt_faults *faults;

	open_route();
	set_reply((struct retort_reply){.body = "x", .faults = "early"});
	ck_assert(route.reads);
	ck_assert_int_eq(add_faulty((struct retort_reply){.when.request = "GET",
				 .faults = "cut 1"}),
		1);
	ck_assert_ptr_null(rt_route_reading(&route, &get));
	faults = rt_route_reading(&route, &post);
	ck_assert_ptr_nonnull(faults);
	ck_assert(rt_faults_reading(faults)->early);
	rt_route_clear(&route);
	ck_assert(route.reads);
	ck_assert_ptr_nonnull(rt_route_reading(&route, &get));
	/* the next one does not */
	set_reply((struct retort_reply){.body = "x", .faults = "cut 1"});
	ck_assert(!route.reads);
	ck_assert_ptr_null(rt_route_reading(&route, &post));
	rt_route_free(&route);
}
END_TEST

START_TEST(a_reply_is_measured)
{
	static const struct retort_reply reply = {.body = "hello"},
					 echo = {.echo = true},
					 gone = {.file = "/nonexistent/f"};
	uint64_t head = 0, whole = 0;

	open_route();
	ck_assert_int_eq(rt_route_measure(&route, &reply, &head, &whole, error),
		0);
	ck_assert_uint_gt(head, 0);
	ck_assert_uint_eq(whole, head + 5);
	ck_assert_int_eq(rt_route_measure(&route, &echo, &head, &whole, error),
		-EINVAL);
	ck_assert_str_eq(error, "echo: its size is not known");
	ck_assert_int_lt(rt_route_measure(&route, &gone, &head, &whole, error),
		0);
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent/f"));
	rt_route_free(&route);
}
END_TEST

/* What a rule's faults come to, and what is said when they cannot be done. */
START_TEST(faults_of_what_is_asked_for)
{
	struct asked asked;
	struct bytes got;

	open_route();
	ck_assert_int_eq(add_faulty((struct retort_reply){.when.request = "/a",
				 .body = "hello",
				 .faults = "cut body 2"}),
		1);
	ck_assert_int_eq(add_faulty((struct retort_reply){.when.request = "/b",
				 .echo = true,
				 .faults = "cut body 2000"}),
		2);
	ck_assert_int_eq(add_faulty((struct retort_reply){.when.request = "/c",
				 .body = "hello",
				 .faults = "status 503"}),
		3);
	ck_assert_int_eq(add_faulty((struct retort_reply){.when.request = "/d",
				 .files = true}),
		4);

	open_asked(&asked, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	answer(&asked);
	got = flatten(&asked.reply);
	assert_has(got, "Content-Length: 5\r\n");
	ck_assert_str_eq(got.data + got.size - 6, "\r\n\r\nhe");
	ck_assert_pstr_eq(rt_reply_faults(&asked.reply), "cut body 2");
	bytes_free(&got);
	close_asked(&asked);

	open_asked(&asked, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
	answer(&asked);
	got = flatten(&asked.reply);
	assert_begins(got, "HTTP/1.1 500 ");
	ck_assert_ptr_nonnull(strstr(asked.why, "rule 2: cut body 2000: "));
	ck_assert_ptr_null(rt_reply_faults(&asked.reply));
	bytes_free(&got);
	close_asked(&asked);

	open_asked(&asked, "GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
	answer(&asked);
	got = flatten(&asked.reply);
	assert_begins(got, "HTTP/1.1 503 ");
	assert_lacks(got, "hello");
	bytes_free(&got);
	close_asked(&asked);

	open_asked(&asked, "GET /d HTTP/1.1\r\nHost: x\r\n\r\n");
	answer(&asked);
	got = flatten(&asked.reply);
	assert_begins(got, "HTTP/1.1 404 ");
	assert_has(got, "no files are served");
	bytes_free(&got);
	close_asked(&asked);
	rt_route_free(&route);
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	for (; *tests != NULL; tests++)
		tcase_add_test(tcase, *tests);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("route");
	const TTest *const answers[] = {nothing_answers, a_canned_reply,
		a_canned_reply_by_default, statuses_without_a_body,
		a_canned_reply_with_fields, a_canned_reply_is_a_copy,
		a_raw_reply, an_echo, files, the_later_replaces_the_earlier,
		replaced_replies_last, NULL};
	const TTest *const beside[] = {an_echo_among_files,
		an_echo_before_a_file, an_echo_is_forgotten,
		an_echo_has_the_same_limits, files_may_be_cached,
		files_are_served_as_told, replaced_in_the_middle, NULL};
	const TTest *const rules[] = {the_first_rule_that_fits,
		rules_are_used_up, the_nearest_rule_is_named, rules_keep_bodies,
		rules_are_checked, many_rules, a_handler_changes_the_reply,
		a_handler_is_asked_when_its_rule_fits,
		a_handler_leaves_the_body, handlers_fail, handlers_answer_later,
		NULL};
	const TTest *const plain[] = {rules_of_pieces, a_failing_handler_closes,
		rules_of_what_is_accepted,
		rules_of_what_is_accepted_are_checked, NULL};
	const TTest *const refusals[] = {bodies_of_whom,
		the_largest_body_is_an_option, hosts, NULL};
	const TTest *const checks[] = {fields_are_checked, replies_are_checked,
		files_are_checked, pages_are_checked, a_long_page_is_cut, NULL};

	const TTest *const faults[] = {faults_are_checked,
		unix_sockets_have_no_reset, datagrams_have_no_segments,
		rules_say_how_requests_are_read,
		replies_say_how_requests_are_read, a_reply_is_measured,
		faults_of_what_is_asked_for, NULL};

	add(suite, "answers", answers);
	add(suite, "files", beside);
	add(suite, "rules", rules);
	add(suite, "refusals", refusals);
	add(suite, "plain", plain);
	add(suite, "checks", checks);
	add(suite, "faults", faults);
	return rt_test_run(suite);
}
