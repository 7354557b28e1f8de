/* SPDX-License-Identifier: MIT */
/*
 * Rules mean what they say: targets are compared by what they mean; what can
 * never fit, or never be, is an error; a miss is told by what was nearest.
 */
#include "config.h"

#include "match/match.h"
#include "support/serving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rt_match *
new_match(const struct retort_requests *when)
{
	struct rt_match *match = rt_match_new(when, RETORT_HTTP, error);

	ck_assert_msg(match != NULL, "rt_match_new: %s", error);
	return match;
}

/* --- targets --- */

static const struct {
	const char *rule;
	const char *target;
	bool fits;
} targets[] = {
	/* a byte is itself, however it is written */
	{"/%C3%BC", "/%c3%bc", true},
	{"/%c3%bc", "/%C3%BC", true},
	{"/\xc3\xbc", "/%C3%BC", true},
	{"/\xc3\xbc", "/%c3%Bc", true},
	{"/\xc3\xbc", "/\xc3\xbc", true},
	{"/%C3%BC", "/\xc3\xbc", true},
	{"/\xc3\xbc", "/%C3%BD", false},
	{"/a", "/%61", true},
	{"/%7Ea", "/~a", true},
	{"/@a/b", "/%40a/b", true},
	{"/a b", NULL, false},
	{"/a%20b", "/a%20b", true},
	{"/a%20b", "/a+b", false},
	{"/a|b", "/a%7Cb", true},
	/* but for what separates */
	{"/a%2Fb", "/a%2fb", true},
	{"/a%2Fb", "/a/b", false},
	{"/a/b", "/a%2fb", false},
	{"/a/b", "%2fa/b", false},
	/* and what is no encoding is itself */
	{"/100%", "/100%", true},
	{"/100%", "/100%25", true},
	{"/%zz", "/%zz", true},
	{"/%zz", "/%Zz", false},
	{"/%4", "/%41", false},
	{"/%2541", "/%41", false},
	{"/a%00", "/a%00", true},
	{"/a%00", "/a", false},
	/* asterisks */
	{"/\xc3\xbc/*", "/%c3%bc/x", true},
	{"/*/\xc3\xbc", "/x/%C3%BC", true},
	{"/*/\xc3\xbc", "/x/%C3%BD", false},
	{"/*\xc3\xbc*/x", "/--%c3%bc--/x", true},
	{"/*\xc3\xbc*/x", "/--%c3%bd--/x", false},
	{"/*/b", "/a%2fb", false},
	{"/*%2fb", "/a%2Fb", true},
	{"/*%2fb*", "/a%2Fbc", true},
	{"/*/b*", "/a%2Fbc", false},
	{"/*", "/a%2fb", true},
	/* no part of an encoding is anything */
	{"/*2f", "/a%2f", false},
	{"/*41*", "/%41", false},
	{"/*41*", "/%2541", true},
	{"/*A", "/%41", true},
	{"/a*a", "/a", false},
	{"/aa*aa", "/aaa", false},
	/* an asterisk itself */
	{"/a%2Ab", "/a*b", true},
	{"/a%2Ab", "/a%2ab", true},
	{"/a%2Ab", "/axb", false},
	/* parameters */
	{"/?q=\xc3\xbc", "/?q=%c3%bc", true},
	{"/?q=%C3%BC", "/?q=\xc3\xbc", true},
	{"/?q=a/b", "/?q=a%2Fb", true},
	{"/?q=a+b", "/?q=a+b", true},
	{"/?q=a+b", "/?q=a%2Bb", false},
	{"/?q=a%2bb", "/?q=a%2Bb", true},
	{"/?q=a%2bb", "/?q=a+b", false},
	{"/?q=a%2bb", "/?q=a%20b", false},
	{"/?a%3db=c", "/?a%3Db=c", true},
	{"/?a%3db=c", "/?a=b=c", false},
	{"/?a%26b", "/?a%26b", true},
	{"/?a%26b", "/?a&b", false},
	/* in a path these separate nothing */
	{"/a%2Bb&c=", "/a+b%26c%3D", true},
};

START_TEST(targets_are_compared_by_what_they_mean)
{
	struct retort_requests when = {.request = targets[_i].rule};
	struct retort_exchange seen = {.method = "GET",
		.target = targets[_i].target};
	struct rt_match *match;
	const char *mark;

	if (targets[_i].target == NULL) {
		ck_assert_ptr_null(rt_match_new(&when, RETORT_HTTP, error));
		return;
	}
	mark = strchr(targets[_i].target, '?');
	seen.query = mark ? mark + 1 : NULL;
	match = new_match(&when);
	ck_assert_msg(rt_match_fits(match, &seen) == targets[_i].fits,
		"%s and %s: expected that they are%s the same",
		targets[_i].rule, targets[_i].target,
		targets[_i].fits ? "" : " not");
	rt_match_free(match);
}
END_TEST

/* Where they differ is a byte of the rule's, as it was written. */
START_TEST(a_miss_is_counted_in_the_bytes_of_the_rule)
{
	struct rt_match *match =
		new_match(&(struct retort_requests){.request = "/%C3%BCx"});
	struct retort_exchange seen = {.target = "/\xc3\xbcy"};
	struct rt_buf why;
	const char *expected = "path differs from it \"/%C3%BCx\" at byte 7";

	rt_buf_init(&why, 1000);
	(void)rt_match_explain(match, &seen, "it", &why);
	assert_bytes(why.data, why.len, expected, strlen(expected));
	rt_buf_free(&why);
	rt_match_free(match);
}
END_TEST

/* Text for terminals and replies is ASCII, and means the same. */
START_TEST(targets_are_told_in_ascii)
{
	struct rt_match *match = new_match(
		&(struct retort_requests){.request = "GET /\xc3\xbc?\x9b"});
	struct retort_exchange seen = {.method = "GET",
		.target = "/\xc3\xbc\x9b"};
	struct rt_buf text;

	rt_buf_init(&text, 1000);
	rt_match_describe(match, &text);
	rt_buf_add_text(&text, ", ");
	rt_match_name(&seen, &text);
	ck_assert_str_eq(rt_buf_text(&text), "GET /%C3%BC?%9B, GET /%C3%BC%9B");
	rt_buf_free(&text);
	rt_match_free(match);
}
END_TEST

/* --- by clients --- */

static char *
request_for(const char *target)
{
	static char text[256];

	(void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
		target);
	return text;
}

START_TEST(rules_counts_and_expectations_mean_the_same)
{

	open_plain(_i);
	ON("GET /\xc3\xbc", .body = "umlaut");
	ON("GET /a/b", .body = "two");
	ON("GET /a%2fb", .body = "one");
	ck_assert_int_gt(retort_expect(server, "GET /%C3%BC", .times = 2), 0);
	ck_assert_int_gt(retort_expect_order(server, "GET /%c3%bc\nGET /a%2Fb"),
		0);
	expect_begin(request_for("/%C3%BC"), "HTTP/1.1 200 OK\r\n");
	expect_begin(request_for("/%c3%bc"), "HTTP/1.1 200 OK\r\n");
	ck_assert_int_eq(retort_record(server, 2)->rule, 1);
	expect_begin(request_for("/a%2Fb"), "HTTP/1.1 200 OK\r\n");
	ck_assert_int_eq(retort_record(server, 3)->rule, 3);
	ck_assert_uint_eq(retort_count(server, "/\xc3\xbc"), 2);
	ck_assert_uint_eq(retort_count(server, "/*%bc"), 2);
	ck_assert_uint_eq(retort_count(server, "/a/b"), 0);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* --- what can never be --- */

#define NO_TARGET "expected a target without spaces, control characters or '#'"

static const struct {
	struct retort_requests when;
	const char *error;
} impossible[] = {
	{{.request = "GET /a\x7f"}, "request: '/a\x7f': " NO_TARGET},
	{{.request = "/a?\x01"}, "request: '/a?\x01': " NO_TARGET},
	{{.if_field = "A: b", .if_absent = "a"},
		"if_absent: nothing can fit: field 'a' is both wanted and absent"},
	{{.if_contains = "X: y\nA: b", .if_absent = "B\nA"},
		"if_absent: nothing can fit: field 'A' is both wanted and absent"},
	{{.if_body = "abc", .if_body_has = "d"},
		"if_body_has: nothing can fit: the wanted body does not contain the "
		"wanted part"},
	{{.if_body = "abc", .if_body_has = "BC"},
		"if_body_has: nothing can fit: the wanted body does not contain the "
		"wanted part"},
	{{.request = "GET", .if_nocase = true},
		"if_nocase: expected a condition on a field's value or the body "
		"with it"},
};

START_TEST(what_no_request_can_fit_is_an_error)
{
	errno = 0;
	ck_assert_ptr_null(
		rt_match_new(&impossible[_i].when, RETORT_HTTP, error));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(error, impossible[_i].error);
}
END_TEST

/* --- without case --- */

static const struct {
	struct retort_requests when;
	bool fits;
} cases[] = {
	{{.if_body_has = "EHLO "}, false},
	{{.if_body_has = "EHLO ", .if_nocase = true}, true},
	{{.if_body_has = "HELO ", .if_nocase = true}, false},
	{{.if_body = "EHLO Me\r\n", .if_nocase = true}, true},
	{{.if_body = "EHLO Me\r\n"}, false},
	{{.if_body = "EHLO Me\r", .if_nocase = true}, false},
	{{.if_body = "EHLO Me\r\r", .if_nocase = true}, false},
	/* letters alone: '[' and '{' are as far apart as these */
	{{.if_body_has = "{", .if_nocase = true}, false},
	{{.if_field = "A: GZIP, br", .if_nocase = true}, true},
	{{.if_field = "A: GZIP, br"}, false},
	{{.if_field = "A: GZIP", .if_nocase = true}, false},
	{{.if_contains = "A: ZIP,", .if_nocase = true}, true},
	{{.if_contains = "A: ZIP,"}, false},
	{{.if_contains = "A: x\nA: ZIP", .if_nocase = true}, false},
	/* methods and targets have theirs */
	{{.request = "get", .if_body_has = "ehlo", .if_nocase = true}, false},
	{{.request = "/A", .if_body_has = "ehlo", .if_nocase = true}, false},
};

START_TEST(values_may_be_compared_without_case)
{
	const struct retort_field field = {"a", "gzip, BR"};
	struct retort_exchange seen = {.method = "GET",
		.target = "/a",
		.fields = &field,
		.field_count = 1,
		.body = "[ehlo me\r\n",
		.body_size = 10};
	struct rt_match *match = new_match(&cases[_i].when);

	if (cases[_i].when.if_body != NULL) {
		seen.body = "ehlo me\r\n";
		seen.body_size = 9;
	}
	ck_assert_int_eq(rt_match_fits(match, &seen), cases[_i].fits);
	rt_match_free(match);
}
END_TEST

START_TEST(without_case_it_is_told)
{
	const struct retort_requests when = {.if_body_has = "A",
		.if_nocase = true};
	struct rt_match *match = new_match(&when);
	struct rt_buf text;

	rt_buf_init(&text, 1000);
	rt_match_describe(match, &text);
	ck_assert_str_eq(rt_buf_text(&text),
		"any request, body with \"A\", without case");
	rt_buf_free(&text);
	rt_match_free(match);
}
END_TEST

/* As smtplib greets, and curl. */
START_TEST(a_conversation_without_case)
{
	static const char text[] =
		"@accepted\n@raw \"220 test\\r\\n\"\n"
		"@on\n@if-body-has \"EHLO \"\n@nocase\n@raw \"250 hi\\r\\n\"\n"
		"@expect 2\n@nocase\n@if-body \"Ehlo x\\r\\n\"\n";
	struct bytes got = {NULL, 0};

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ck_assert_msg(retort_load(server, .text = text, .name = "s",
			      .error = error) == 0,
		"%s", error);
	for (int i = 0; i < 2; i++) {
		int fd = connect_client();
		const char *hello = i == 0 ? "ehlo x\r\n" : "EHLO x\r\n";

		ck_assert_int_eq(talk(fd, hello, 8, &got, "250 hi\r\n"), 0);
		(void)close(fd);
		bytes_free(&got);
	}
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* --- the nearest miss with predicates --- */

static bool
says_no(void *arg, const struct retort_exchange *seen)
{
	(void)arg;
	(void)seen;
	return false;
}

START_TEST(a_predicate_does_not_hide_the_nearest_miss)
{
	open_plain(_i);
	ON(NULL, .if_predicate = says_no);
	ON("GET", .if_predicate = says_no);
	ON("GET /users", .body = "x");
	ON("GET *", .if_predicate = says_no);
	expect_begin(request_for("/user"), "HTTP/1.1 501 ");
	assert_verdict("path differs from rule 3 \"/users\" at byte 5");
	close_server();
	/* but it may be the nearest */
	open_plain(_i);
	ON("GET /user", .if_predicate = says_no);
	ON("GET /users", .body = "x");
	expect_begin(request_for("/user"), "HTTP/1.1 501 ");
	assert_verdict("the predicate of rule 1 said no");
	close_server();
}
END_TEST

/* --- what comes too late --- */

static int
reply_with_faults(void *arg, const struct retort_exchange *seen,
	struct retort_reply *reply)
{
	(void)seen;
	reply->faults = arg;
	return 0;
}

static int
keep(void *arg, const struct retort_exchange *seen, struct retort_reply *reply)
{
	(void)arg;
	(void)seen;
	(void)reply;
	return 0;
}

#define POST "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"

/* When a handler is asked, its request has been read. */
START_TEST(a_handler_cannot_say_how_its_request_is_read)
{
	static char faults[][16] = {"stop-reading 1", "early",
		"read-slowly 1 1", "continue 5"};
	char why[160];

	for (int i = 0; i < COUNT(faults); i++) {
		open_plain(_i);
		ON("POST", .handler = reply_with_faults,
			.handler_arg = faults[i]);
		expect_begin(POST, "HTTP/1.1 500 Internal Server Error\r\n");
		(void)snprintf(why, sizeof why,
			"the handler of rule 1 failed: '%s': the "
			"request was read already",
			faults[i]);
		assert_verdict(why);
		ck_assert_ptr_null(ended(1)->faults);
		close_server();
	}
}
END_TEST

/* But what its rule said stays. */
START_TEST(a_handler_keeps_how_its_request_was_read)
{
	struct bytes got;

	open_plain(_i);
	ON("POST", .handler = keep, .faults = "early; end half");
	ON("PUT", .handler = keep, .faults = "read-slowly 1 1");
	got = exchange("PUT / HTTP/1.1\r\nHost: x\r\n"
		       "Content-Length: 2\r\n\r\nab");
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	ck_assert_str_eq(ended(1)->faults, "read-slowly 1 1");
	/* it has no body, so that there is nothing to be early for */
	got = exchange("POST / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	assert_verdict(NULL);
	close_server();
}
END_TEST

static int
later(void *arg, const struct retort_exchange *seen, struct retort_reply *reply)
{
	(void)reply;
	*(uint64_t *)arg = seen->connection;
	return RETORT_LATER;
}

START_TEST(nor_can_a_later_reply)
{
	uint64_t connection = 0;
	struct bytes got = {NULL, 0};
	int fd;

	open_plain(_i);
	ON("POST", .handler = later, .handler_arg = &connection);
	fd = connect_client();
	say(fd, POST);
	TURN_UNTIL(retort_record(server, 1) != NULL);
	ck_assert_int_eq(reply_on(connection,
				 &(struct retort_reply){.faults = "early"}),
		-EINVAL);
	assert_verdict("the request was read already");
	ck_assert_int_eq(reply_on(connection,
				 &(struct retort_reply){.body = "x"}),
		0);
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	(void)close(fd);
	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	bytes_free(&got);
	close_server();
}
END_TEST

/* --- what nothing can answer --- */

START_TEST(a_rule_for_what_is_refused_is_none)
{
	char method[80];

	open_plain(_i);
	ck_assert_int_eq(retort_on(server, "CONNECT /a"), -EINVAL);
	assert_verdict("rule: request: 'CONNECT /a': expected "
		       "'METHOD /TARGET' or either alone (CONNECT /a)");
	retort_reset(server);
	memset(method, 'A', sizeof method);
	method[65] = '\0';
	ck_assert_int_eq(retort_on(server, method), -EINVAL);
	method[64] = '\0';
	ON(method, .body = "x");
	close_server();
}
END_TEST

/* A test that looks at its reply alone must see it there. */
START_TEST(a_malformed_rule_is_told_to_the_client)
{
	struct bytes got;

	open_plain(_i);
	ck_assert_int_eq(retort_on(server, "GET /a b", .body = "x"), -EINVAL);
	got = exchange(request_for("/a"));
	assert_begins(got, "HTTP/1.1 501 Not Implemented\r\n");
	assert_has(got,
		"; 1 rule was malformed: request: '/a b': " NO_TARGET
		" (GET /a b)\n");
	bytes_free(&got);
	/* and in the verdict once */
	assert_verdict("rule: request: '/a b': " NO_TARGET " (GET /a b)\n"
		       "connection 1: no rule fits GET /a\n");
	ON("GET /b", .body = "x");
	ck_assert_int_eq(retort_on(server, NULL, .status = 1), -EINVAL);
	got = exchange(request_for("/a"));
	assert_has(got,
		"\r\n\r\nno rule fits GET /a: path differs from rule 1 "
		"\"/b\" at byte 1; 2 rules were malformed: request: "
		"'/a b': " NO_TARGET " (GET /a b)\n");
	bytes_free(&got);
	retort_reset(server);
	ON("GET /b", .body = "x");
	got = exchange(request_for("/a"));
	assert_has(got, "\"/b\" at byte 1\n");
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(a_file_that_is_missing_is_named)
{
	struct bytes got;

	open_plain(_i);
	ON(NULL, .file = "/nowhere/a.json");
	got = exchange(request_for("/"));
	assert_begins(got, "HTTP/1.1 500 Internal Server Error\r\n");
	/* not where it is */
	assert_has(got,
		"\r\n\r\n500 Internal Server Error: file 'a.json': "
		"No such file or directory\n");
	bytes_free(&got);
	assert_verdict("rule 1: file '/nowhere/a.json': No such file or "
		       "directory");
	close_server();
}
END_TEST

static int
say_file(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	reply->file = arg;
	return 0;
}

START_TEST(a_file_of_a_handler_is_named)
{
	static char missing[] = "/nowhere/a.json", here[] = "nowhere.json";
	struct bytes got;

	open_plain(_i);
	ON("/missing", .handler = say_file, .handler_arg = missing);
	ON("/here", .handler = say_file, .handler_arg = here);
	got = exchange(request_for("/missing"));
	assert_has(got,
		"\r\n\r\n500 Internal Server Error: the handler of rule 1 "
		"failed: a.json: No such file or directory\n");
	bytes_free(&got);
	assert_verdict("the handler of rule 1 failed: /nowhere/a.json: No such "
		       "file or directory\n");
	got = exchange(request_for("/here"));
	assert_has(got, "rule 2 failed: nowhere.json: No such file");
	bytes_free(&got);
	close_server();
}
END_TEST

/* And by a scenario when it is loaded, before anybody asks for it. */
START_TEST(a_scenario_has_its_files)
{
	static const char text[] = "@on /a\n@echo\n@on /b\n  \n@file  b.json\n";
	char *folder = dir_make(), name[4200], expected[4400];

	open_plain(0);
	dir_write(folder, "s.retort", text, sizeof text - 1);
	(void)snprintf(name, sizeof name, "%s/s.retort", folder);
	ck_assert_int_eq(retort_load(server, name, .error = error), -ENOENT);
	(void)snprintf(expected, sizeof expected,
		"%s:5:8: file '%s/b.json': No such file or directory", name,
		folder);
	ck_assert_str_eq(error, expected);
	/* nothing of it is there */
	expect_begin(request_for("/a"), "HTTP/1.1 501 ");
	dir_write(folder, "b.json", "{}", 2);
	ck_assert_int_eq(retort_load(server, name, .error = error), 0);
	expect_begin(request_for("/b"), "HTTP/1.1 200 OK\r\n");
	close_server();
	dir_remove(folder);
}
END_TEST

START_TEST(a_scenario_may_be_a_text)
{
	static const char text[] = "@on /a\nHTTP/2 200\n\nx\n@on";
	char *notices = error;

	open_plain(0);
	ck_assert_int_eq(retort_load(server, .error = error), -EINVAL);
	ck_assert_str_eq(error, "expected .file or .text");
	ck_assert_int_eq(retort_load(server, "/dev/null", .text = ""), -EINVAL);
	ck_assert_int_eq(retort_load(server, .text = "@o", .error = error,
				 .notices = &notices),
		-EINVAL);
	ck_assert_msg(strncmp(error, "scenario:1:1: ", 14) == 0, "%s", error);
	ck_assert_ptr_null(notices);
	/* of a size, or to its NUL */
	ck_assert_int_eq(retort_load(server, .text = text,
				 .size = sizeof text - 4, .name = "pasted",
				 .notices = &notices, .error = error),
		0);
	ck_assert_ptr_nonnull(notices);
	ck_assert_msg(strncmp(notices, "pasted:", 7) == 0, "%s", notices);
	free(notices);
	expect_begin(request_for("/a"), "HTTP/1.1 200 OK\r\n");
	ck_assert_int_eq(retort_load(server, .text = text,
				 .size = retort_size(0), .notices = &notices),
		0);
	ck_assert_ptr_null(notices);
	/* a file of nothing is a mistake */
	ck_assert_int_eq(retort_load(server, "/dev/null", .notices = &notices),
		0);
	ck_assert_str_eq(notices, "/dev/null:1: no rule or expectation\n");
	free(notices);
	close_server();
}
END_TEST

/* Rules that need an option of the server's. */
START_TEST(what_a_scenario_lacks_is_told)
{
	static const char text[] = "@on\n@if-tls version: *\n@raw \"x\"\n"
				   "@on\n@if-frame ping\n@frame pong\n";
	static const char handshake[] =
		"@on\n@fill\nHTTP/1.1 101 OK\nA: {websocket-accept}\n";
	char *notices;

	open_plain(0);
	ck_assert_int_eq(retort_load(server, .text = text, .notices = &notices),
		0);
	ck_assert_pstr_eq(notices,
		"scenario:2: without TLS (.tls, --tls), @if-tls fits nothing\n"
		"scenario:5: without the framing websocket (@framing, "
		".framing, --framing), rules see the client's frames masked, "
		"and not one by one\n");
	free(notices);
	ck_assert_int_eq(retort_load(server, .text = handshake,
				 .notices = &notices),
		0);
	ck_assert_pstr_eq(notices,
		"scenario:1: without the framing websocket (@framing, "
		".framing, --framing), rules see the client's frames masked, "
		"and not one by one\n");
	free(notices);
	close_server();
	server = retort_start(.framing = "websocket");
	ck_assert_int_eq(retort_load(server, .text = handshake,
				 .notices = &notices),
		0);
	ck_assert_pstr_eq(notices, NULL);
	close_server();
}
END_TEST

#define ONE_REQUEST \
	": without @next or keep-alive (.keep_alive, --keep-alive), a " \
	"connection has one request\n"

/* What matters only on a kept connection. */
START_TEST(what_only_a_kept_connection_has_is_told)
{
	static const char later[] = "@expect 0\n@if-nth 2+\n"
				    "@on\n@idle 1s\n@raw \"x\"\n";
	static const struct {
		const char *text;
		const char *notices;
	} rows[] = {
		{later, "scenario:2" ONE_REQUEST},
		{"@on\n@idle 1s\n@raw \"x\"\n", "scenario:2" ONE_REQUEST},
		{"@on\n@if-nth 1+\n@raw \"x\"\n", NULL},
		{"@on\n@idle 1s\n@next keep\n@raw \"x\"\n", NULL},
		/* a rule of an earlier scenario may keep it */
		{later, NULL},
	};
	char *notices;

	open_plain(0);
	for (int i = 0; i < COUNT(rows); i++) {
		ck_assert_int_eq(retort_load(server, .text = rows[i].text,
					 .notices = &notices),
			0);
		ck_assert_pstr_eq(notices, rows[i].notices);
		free(notices);
	}
	close_server();
	server = retort_start(.keep_alive = true);
	ck_assert_int_eq(retort_load(server, .text = later,
				 .notices = &notices),
		0);
	ck_assert_pstr_eq(notices, NULL);
	close_server();
	server = retort_start(.protocol = RETORT_TCP);
	ck_assert_int_eq(retort_load(server, .text = later,
				 .notices = &notices),
		0);
	ck_assert_pstr_eq(notices, NULL);
	close_server();
}
END_TEST

/* Whatever is wrong, the server keeps the framing that it had. */
START_TEST(a_scenario_has_a_framing)
{
	static const struct {
		const char *text;
		const char *error; /* NULL: it is right */
	} rows[] = {
		{"@framing crlff\n",
			"s:1:10: @framing: 'crlff': expected lines, "
			"crlf, end \"BYTES\" (at most 64), length 1, 2 or 4, "
			"mqtt or websocket"},
		{"@framing\n",
			"s:1:9: @framing: '': expected lines, crlf, "
			"end \"BYTES\" (at most 64), length 1, 2 or 4, mqtt or "
			"websocket"},
		{"@framing crlf\n@on\n@chunks 1\n@raw \"x\"\n",
			"s:3:1: @chunks: only a reply of HTTP has it"},
		{"@framing lines\n@on\n@echo\n", NULL},
		{"@framing end \"\\n\"\n", NULL},
		{"@framing crlf\n@on\n@echo\n",
			"s:1:10: @framing: the server has another already"},
	};
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, 0);
	for (int i = 0; i < COUNT(rows); i++) {
		int code = retort_load(server, .text = rows[i].text,
			.name = "s", .error = error);

		ck_assert_int_eq(code, rows[i].error ? -EINVAL : 0);
		ck_assert_msg(strncmp(error, rows[i].error ? rows[i].error : "",
				      rows[i].error ? strlen(rows[i].error) :
						      1) == 0,
			"%s: %s", rows[i].text, error);
	}
	ON(NULL, .body = "never");
	fd = connect_client();
	ck_assert_int_eq(talk(fd, "a\nbc\n", 5, &got, "bc"), 0);
	assert_bytes(got.data, got.size, "a\nbc\n", 5);
	ck_assert_uint_eq(retort_count(server), 2);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	open_with((struct retort_options){.protocol = RETORT_UDP}, 0);
	ck_assert_int_eq(retort_load(server, .text = "@framing lines\n",
				 .name = "s", .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "s:1:10: @framing: a datagram is a piece");
	close_server();
}
END_TEST

/* --- the last call of a test --- */

START_TEST(done_says_whether_all_came)
{
	char *wrong = (char *)1;

	open_plain(_i);
	ON("GET /", .body = "x");
	ck_assert_int_gt(retort_expect(server, "GET /", .times = 1), 0);
	expect_begin(request_for("/"), "HTTP/1.1 200 OK\r\n");
	ck_assert(retort_done(server, &wrong));
	ck_assert_ptr_null(wrong);
	open_plain(_i);
	ck_assert_int_gt(retort_expect(server, "GET /", .times = 1), 0);
	ck_assert(!retort_done(server, &wrong));
	ck_assert_ptr_nonnull(strstr(wrong,
		"expectation 1 (GET /): expected exactly 1, got 0\n"));
	free(wrong);
	open_plain(_i);
	ck_assert_int_lt(retort_on(server, "CONNECT /a"), 0);
	ck_assert(!retort_done(server));
	/* a test without a server does not pass */
	ck_assert(!retort_done(NULL, &wrong));
	ck_assert_str_eq(wrong, "there is no server: retort_start() failed\n");
	free(wrong);
	server = NULL;
}
END_TEST

/* --- repeated bodies --- */

static int
once(void *arg, const struct retort_exchange *seen, struct retort_reply *reply)
{
	(void)arg;
	(void)seen;
	reply->repeat = 0;
	return 0;
}

/* A handler is given the body, and not what it comes to. */
START_TEST(a_handler_is_given_the_body_once)
{
	struct bytes got;

	open_plain(_i);
	ON(NULL, .body = "abc", .repeat = 1000, .handler = once);
	got = exchange(request_for("/"));
	assert_has(got, "\r\nContent-Length: 3\r\n");
	ck_assert_str_eq(got.data + got.size - 7, "\r\n\r\nabc");
	bytes_free(&got);
	close_server();
}
END_TEST

/* --- searches --- */

/* The n-th text of a and b. */
static void
make_text(char *to, unsigned n)
{
	for (n++; n > 1; n /= 2)
		*to++ = (n & 1) ? 'a' : 'b';
	*to = '\0';
}

/* Each short text in each longer one. */
START_TEST(searches_find_what_is_there)
{
	for (unsigned n = 0; n < 127; n++) {
		char has[16], upper[16], body[16];
		struct rt_match *match, *without;

		make_text(has, n);
		for (int i = 0; i == 0 || has[i - 1] != '\0'; i++)
			upper[i] = (char)(has[i] ? has[i] - 'a' + 'A' : '\0');
		match = new_match(
			&(struct retort_requests){.if_body_has = has});
		without = new_match(
			&(struct retort_requests){.if_body_has = upper,
				.if_nocase = true});
		for (unsigned m = 0; m < 1023; m++) {
			struct retort_exchange seen = {.body = body};
			bool there;

			make_text(body, m);
			seen.body_size = strlen(body);
			there = strstr(body, has) != NULL;
			ck_assert_msg(rt_match_fits(match, &seen) == there &&
					rt_match_fits(without, &seen) == there,
				"%s in %s: expected %d", has, body, there);
		}
		rt_match_free(match);
		rt_match_free(without);
	}
}
END_TEST

/* --- time --- */

/* One that grew with the product of both would not end. */
START_TEST(searches_end_soon)
{
	enum { SIZE = 1 << 20, HALF = SIZE / 2, RULES = 20 };
	char *body = malloc(SIZE + 1), *has = malloc(HALF + 5);
	struct retort_field field = {"A", body};
	struct retort_exchange seen = {.method = "GET",
		.target = body,
		.fields = &field,
		.field_count = 1,
		.body = body,
		.body_size = SIZE};

	ck_assert(body != NULL && has != NULL);
	memset(body, 'a', SIZE);
	body[0] = '/';
	body[SIZE] = '\0';
	for (int kind = 0; kind < 3; kind++) {
		struct retort_requests when = {.if_nocase = kind == 1};
		struct rt_match *match;

		memset(has, 'a', HALF);
		memcpy(has + HALF - 4, "ba", 3);
		if (kind < 2)
			when.if_body_has = has;
		if (kind == 2) {
			memcpy(has, "A: ", 3);
			when.if_contains = has;
		}
		match = new_match(&when);
		for (int i = 0; i < RULES; i++)
			ck_assert(!rt_match_fits(match, &seen));
		rt_match_free(match);
		if (kind < 2)
			continue;
		/* a glob, whose end fits */
		memcpy(has, "/*a", 3);
		has[HALF - 2] = '*';
		memcpy(has + HALF - 1, "a", 2);
		match = new_match(&(struct retort_requests){.request = has});
		for (int i = 0; i < RULES; i++)
			ck_assert(!rt_match_fits(match, &seen));
		rt_match_free(match);
	}
	free(body);
	free(has);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rules");
	TCase *unit = tcase_create("what fits");
	TCase *wire = tcase_create("by clients");
	TCase *time = tcase_create("time");

	tcase_add_loop_test(unit, targets_are_compared_by_what_they_mean, 0,
		COUNT(targets));
	tcase_add_test(unit, a_miss_is_counted_in_the_bytes_of_the_rule);
	tcase_add_test(unit, targets_are_told_in_ascii);
	tcase_add_loop_test(unit, what_no_request_can_fit_is_an_error, 0,
		COUNT(impossible));
	tcase_add_loop_test(unit, values_may_be_compared_without_case, 0,
		COUNT(cases));
	tcase_add_test(unit, without_case_it_is_told);
	rt_test_case(suite, unit);
	rt_test_loop(wire, rules_counts_and_expectations_mean_the_same, 0,
		BASIC_WAYS);
	rt_test_loop(wire, a_conversation_without_case, 0, BASIC_WAYS);
	rt_test_loop(wire, a_predicate_does_not_hide_the_nearest_miss, 0,
		BASIC_WAYS);
	rt_test_loop(wire, a_handler_cannot_say_how_its_request_is_read, 0,
		BASIC_WAYS);
	rt_test_loop(wire, a_handler_keeps_how_its_request_was_read, 0,
		BASIC_WAYS);
	rt_test_loop(wire, nor_can_a_later_reply, 0, BASIC_WAYS);
	rt_test_loop(wire, a_rule_for_what_is_refused_is_none, 0, BASIC_WAYS);
	rt_test_loop(wire, a_malformed_rule_is_told_to_the_client, 0,
		BASIC_WAYS);
	rt_test_loop(wire, a_file_that_is_missing_is_named, 0, BASIC_WAYS);
	rt_test_loop(wire, a_file_of_a_handler_is_named, 0, BASIC_WAYS);
	tcase_add_test(wire, a_scenario_has_its_files);
	tcase_add_test(wire, a_scenario_may_be_a_text);
	tcase_add_test(wire, what_a_scenario_lacks_is_told);
	tcase_add_test(wire, what_only_a_kept_connection_has_is_told);
	tcase_add_test(wire, a_scenario_has_a_framing);
	rt_test_loop(wire, done_says_whether_all_came, 0, BASIC_WAYS);
	rt_test_loop(wire, a_handler_is_given_the_body_once, 0, BASIC_WAYS);
	rt_test_case(suite, wire);
	tcase_add_test(time, searches_find_what_is_there);
	tcase_add_test(time, searches_end_soon);
	rt_test_case(suite, time);
	return rt_test_run(suite);
}
