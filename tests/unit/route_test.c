/* SPDX-License-Identifier: MIT */
/* The route: what answers. */
#include "config.h"

#include "unit/routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- asking --- */

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

#define HEAD "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"

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
	int code = try_set_files(&route, folder, &files, error);

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
	ck_assert_int_eq(try_set_reply(&route,
				 &(struct retort_reply){.status = 7}, error),
		-EINVAL);
	ck_assert_int_lt(try_set_files(&route, "/nowhere/at/all",
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

/* A replaced answer lasts for as long as a reply may borrow from it. */
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

/* --- files together with other answers --- */

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
expect_echo(const char *request)
{
	struct verdict verdict = judge(request);
	char expected[2048];

	ck_assert(verdict.served);
	ck_assert(verdict.wanted.keep);
	ck_assert_uint_eq(verdict.wanted.max, UINT64_MAX);
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
	int rule = try_add(&route,
		&(struct retort_reply){.request = path, .echo = true}, error);

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
	ck_assert(!judge("POST /a.txt HTTP/1.0\r\n\r\n").wanted.none);
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
	ck_assert(!judge("GET /none HTTP/1.0\r\n\r\n").wanted.keep);
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
	ck_assert(!judge(request).wanted.keep);
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
	static const char names[] = "example.org";
	static const char *const request =
		"POST /echo HTTP/1.1\r\nHost: evil\r\n\r\n";

	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, names, 77, false),
		0);
	add_echo("/echo");
	ck_assert(!judge(request).served);
	ck_assert_uint_eq(judge("POST /echo HTTP/1.1\r\n"
				"Host: example.org\r\n\r\n")
				  .wanted.max,
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

/* --- faults --- */

START_TEST(another_status_has_its_own_body)
{
	open_route();
	set_reply((struct retort_reply){.body = "x", .faults = "status 204"});
	expect_text(GET, "HTTP/1.1 204 No Content\r\n" TOLD END);
	set_reply((struct retort_reply){.body = "x",
		.faults = "status 204; force-body"});
	expect_text(HEAD,
		"HTTP/1.1 204 No Content\r\n" TOLD TEXT
		"Content-Length: 15\r\n" END "204 No Content\n");
	set_reply((struct retort_reply){.body = "x",
		.faults = "status 503; cut body 2"});
	expect_text(GET,
		"HTTP/1.1 503 Service Unavailable\r\n" TOLD TEXT
		"Content-Length: 24\r\n" END "50");
	expect_text(HEAD,
		"HTTP/1.1 503 Service Unavailable\r\n" TOLD TEXT
		"Content-Length: 24\r\n" END);
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
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	ck_assert_int_eq(judge(post).wanted.keep, false);
	set_reply((struct retort_reply){.body = "a", .body_size = 1});
	ck_assert(judge(post).served);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	ck_assert_int_eq(judge(post).wanted.keep, false);
	set_reply((struct retort_reply){.raw = true});
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	ck_assert_int_eq(judge(post).wanted.keep, false);
	set_reply((struct retort_reply){.echo = true});
	ck_assert(judge(post).served);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	ck_assert_int_eq(judge(post).wanted.keep, true);
	set_files(folder, (struct retort_files){.dotfiles = false});
	/* the files' answer does not depend on it */
	ck_assert(judge(post).served);
	ck_assert(judge(post).wanted.none);
	ck_assert(judge("FROB / HTTP/1.0\r\n\r\n").wanted.none);
	ck_assert(judge("GET ftp://x/ HTTP/1.0\r\n\r\n").wanted.none);
	ck_assert(!judge(GET).wanted.none);
	ck_assert_uint_eq(judge(GET).wanted.max, 1 << 20);
	ck_assert_int_eq(judge(GET).wanted.keep, false);
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
	ck_assert_uint_eq(judge(GET).wanted.max, 77);
	set_reply((struct retort_reply){.body = "a", .body_size = 1});
	ck_assert_uint_eq(judge(GET).wanted.max, 77);
	set_reply((struct retort_reply){.echo = true});
	ck_assert_uint_eq(judge(GET).wanted.max, 77);
	rt_route_free(&route);
}
END_TEST

static bool
serves(const char *host)
{
	static char request[512];

	(void)snprintf(request, sizeof request,
		"GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	return judge(request).served;
}

START_TEST(hosts)
{
	static const char names[] = "example.org\n[::1]\r\n\n127.0.0.1\n";
	static const char *const served[] = {"example.org", "EXAMPLE.org",
		"example.org:8080", "example.org:", "example.org:0", "[::1]",
		"[::1]:8080", "[::1]:", "127.0.0.1", "127.0.0.1:1"};
	static const char *const others[] = {"example.com", "example.or",
		"example.orgg", "www.example.org", "example.org.", "[::2]",
		"[::1:8080]", "127.0.0.2", "evil:example.org", "127.0.0.11",
		""};

	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, names, 0, false),
		0);
	for (size_t i = 0; i < COUNT(served); i++)
		ck_assert_msg(serves(served[i]), "%s: refused", served[i]);
	for (size_t i = 0; i < COUNT(others); i++) {
		/* what is malformed has been refused by then */
		if (strcmp(others[i], "evil:example.org") == 0 ||
			strcmp(others[i], "[::1:8080]") == 0)
			continue;
		ck_assert_msg(!serves(others[i]), "%s: served", others[i]);
	}
	/* the target's authority goes before Host (RFC 9112 3.2.2) */
	ck_assert(judge("GET http://example.org/ HTTP/1.1\r\n"
			"Host: evil\r\n\r\n")
			  .served);
	ck_assert(!judge("GET http://evil/ HTTP/1.1\r\n"
			 "Host: example.org\r\n\r\n")
			   .served);
	/* none at all is none of them */
	ck_assert(!judge("GET / HTTP/1.0\r\n\r\n").served);
	/* before the method is looked at */
	set_reply((struct retort_reply){.echo = true});
	ck_assert(!serves("evil"));
	rt_route_free(&route);

	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, "", 0, false), 0);
	ck_assert(!serves("example.org"));
	rt_route_free(&route);
	open_route();
	ck_assert(serves("anything"));
	ck_assert(judge("GET / HTTP/1.0\r\n\r\n").served);
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
	ck_assert_msg(try_set_reply(&route, &reply, error) == -EINVAL,
		"not refused: %s", message);
	ck_assert_str_eq(error, message);
	memset(error, '#', sizeof error);
	ck_assert_int_eq(try_set_files(&route, "/", &own, error), -EINVAL);
	ck_assert_str_eq(error, message);
	/* without room for a text */
	ck_assert_int_eq(try_set_reply(&route, &reply, NULL), -EINVAL);
	ck_assert_int_eq(try_set_files(&route, "/", &own, NULL), -EINVAL);
}

static void
refuse_omit(const char *omit, const char *message)
{
	const struct retort_reply reply = {.omit = omit};
	const struct retort_files own = {.omit = omit};

	memset(error, '#', sizeof error);
	ck_assert_int_eq(try_set_reply(&route, &reply, error), -EINVAL);
	ck_assert_str_eq(error, message);
	memset(error, '#', sizeof error);
	ck_assert_int_eq(try_set_files(&route, "/", &own, error), -EINVAL);
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
		"fields: 'X: a B: c': expected no control characters");
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
	ck_assert_msg(try_set_reply(&route, &reply, error) == -EINVAL,
		"not refused: %s", message);
	ck_assert_str_eq(error, message);
}

START_TEST(replies_are_checked)
{
	static const char status[] = "status: expected 101, or 200 to 999";
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
		"raw: not with .echo");
	refuse_reply((struct retort_reply){.type = ""},
		"type: '': expected a media type, such as text/html");
	refuse_reply((struct retort_reply){.type = "a\r\nb"},
		"type: 'a  b': expected a media type, such as text/html");
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
	ck_assert_int_eq(try_set_files(&route, folder, &types, error), -EINVAL);
	ck_assert_str_eq(error, "malformed media type of: ext");
	type.type = NULL;
	ck_assert_int_eq(try_set_files(&route, folder, &types, error), -EINVAL);
	type.type = "a\r\n";
	ck_assert_int_eq(try_set_files(&route, folder, &types, error), -EINVAL);
	type.extension = NULL;
	type.type = "a/b";
	ck_assert_int_eq(try_set_files(&route, folder, &types, error), -EINVAL);
	ck_assert_str_eq(error, "malformed media type of: ");
	ck_assert_int_eq(try_set_files(&route, "/nowhere/at/all",
				 &(struct retort_files){.type_count = 0},
				 error),
		-ENOENT);
	ck_assert_str_eq(error, "/nowhere/at/all: No such file or directory");
	ck_assert_int_eq(try_set_files(&route, "/dev/null",
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
	ck_assert_msg(try_set_files(&route, folder, &refused, error) == code,
		"expected %d: %s", code, message);
	ck_assert_str_eq(error, message);
	ck_assert_int_eq(try_set_files(&route, folder, &refused, NULL), code);
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

int
main(void)
{
	Suite *suite = suite_create("route");
	const TTest *const answers[] = {nothing_answers, a_canned_reply,
		a_canned_reply_by_default, statuses_without_a_body,
		a_canned_reply_with_fields, a_canned_reply_is_a_copy,
		a_raw_reply, an_echo, files, the_later_replaces_the_earlier,
		replaced_replies_last, NULL};
	const TTest *const with_files[] = {an_echo_among_files,
		an_echo_before_a_file, an_echo_is_forgotten,
		an_echo_has_the_same_limits, files_may_be_cached,
		files_are_served_as_told, replaced_in_the_middle, NULL};
	const TTest *const refusals[] = {another_status_has_its_own_body,
		bodies_of_whom, the_largest_body_is_an_option, hosts, NULL};
	const TTest *const checks[] = {fields_are_checked, replies_are_checked,
		files_are_checked, pages_are_checked, a_long_page_is_cut, NULL};

	rt_test_cases(suite, "answers", answers, 0, 1);
	rt_test_cases(suite, "files", with_files, 0, 1);
	rt_test_cases(suite, "refusals", refusals, 0, 1);
	rt_test_cases(suite, "checks", checks, 0, 1);
	return rt_test_run(suite);
}
