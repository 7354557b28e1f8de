/* SPDX-License-Identifier: MIT */
/* The route: rules. */
#include "config.h"

#include "unit/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rules --- */

static int
add_rule(struct retort_reply rule)
{
	int number = try_add(&route, &rule, error);

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
	ck_assert_int_eq(add_rule((struct retort_reply){.request = "GET /a",
				 .status = 201}),
		1);
	ck_assert_int_eq(add_rule((struct retort_reply){.request = "/a*",
				 .status = 202}),
		2);
	ck_assert_int_eq(add_rule((struct retort_reply){.request = "GET /a",
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
	(void)add_rule((struct retort_reply){.request = "GET /a",
		.status = 201,
		.times = 2});
	(void)add_rule((struct retort_reply){.request = "GET /a",
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
		(struct retort_reply){.request = "GET /a", .status = 203});
	for (int i = 0; i < 5; i++)
		expect_rule(ASK("GET /a"), 3, 203, "");
	rt_route_free(&route);
}
END_TEST

/* Whatever their order; of equals it is the first. */
START_TEST(rules_have_a_rank)
{
	open_route();
	(void)add_rule((struct retort_reply){.status = 201, .prefer = -1});
	(void)add_rule((struct retort_reply){.request = "/a*", .status = 202});
	(void)add_rule((struct retort_reply){.request = "/a", .status = 203});
	(void)add_rule((struct retort_reply){.request = "/abc",
		.status = 204,
		.prefer = 2,
		.times = 1});
	(void)add_rule((struct retort_reply){.request = "/ab*",
		.status = 205,
		.prefer = 1});
	(void)add_rule((struct retort_reply){.request = "/ab*",
		.status = 206,
		.prefer = 1});
	expect_rule(ASK("GET /b"), 1, 201, "");
	expect_rule(ASK("GET /a"), 2, 202, "");
	expect_rule(ASK("GET /abd"), 5, 205, "");
	expect_rule(ASK("GET /abc"), 4, 204, "");
	expect_rule(ASK("GET /abc"), 5, 205, "");
	/* what comes later may be higher, and what was higher may go */
	(void)add_rule((struct retort_reply){.status = 207, .prefer = 3});
	expect_rule(ASK("GET /abc"), 7, 207, "");
	rt_route_clear_after(&route, 3);
	expect_rule(ASK("GET /abc"), 2, 202, "");
	rt_route_clear(&route);
	(void)add_rule((struct retort_reply){.status = 208, .prefer = -9});
	(void)add_rule((struct retort_reply){.status = 209, .prefer = -8});
	expect_rule(ASK("GET /"), 2, 209, "");
	rt_route_free(&route);
}
END_TEST

/* The text of a 501 says what it is to be. */
START_TEST(the_nearest_rule_is_named)
{
	open_route();
	(void)add_rule((struct retort_reply){.request = "POST /users"});
	(void)add_rule((struct retort_reply){.request = "GET /users/1"});
	(void)add_rule((struct retort_reply){.request = "GET /items"});
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
	(void)add_rule((struct retort_reply){.request = "/other"});
	ck_assert(judge(post).wanted.keep);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	set_reply((struct retort_reply){.status = 200});
	ck_assert(judge(post).wanted.keep);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	rt_route_clear(&route);
	ck_assert(!judge(post).wanted.keep);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	rt_route_free(&route);
	/* as does whoever records */
	ck_assert_int_eq(rt_route_init(&route, RETORT_HTTP, NULL, 0, true), 0);
	ck_assert(judge(post).wanted.keep);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	set_reply((struct retort_reply){.status = 200});
	ck_assert(judge(post).wanted.keep);
	ck_assert_uint_eq(judge(post).wanted.max, UINT64_MAX);
	rt_route_free(&route);
}
END_TEST

START_TEST(rules_are_checked)
{
	open_route();
	ck_assert_int_eq(try_add(&route,
				 &(struct retort_reply){.request = "GET a"},
				 error),
		-EINVAL);
	ck_assert_str_eq(error,
		"request: 'GET a': expected 'METHOD /TARGET' or either alone");
	ck_assert_int_eq(try_add(&route, &(struct retort_reply){.status = 7},
				 error),
		-EINVAL);
	ck_assert_str_eq(error, "status: expected 101, or 200 to 999");
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
		ck_assert_int_eq(add_rule((struct retort_reply){.request = path,
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

/* A handler's task, and what it saw. */
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
	(void)add_rule((struct retort_reply){.request = "GET /a"});
	add_handler(&handling, (struct retort_reply){.request = "/b"});
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
	(void)add_rule((struct retort_reply){.request = "/a"});
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
	ck_assert_str_eq(error, "status: expected 101, or 200 to 999");
	close_asked(&asked);
	rt_route_free(&route);
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
		.protocol = text == NULL ? RETORT_TCP : route.protocol,
		.greeting = text == NULL};
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
	return try_add(&route, &rule, error);
}

START_TEST(rules_of_pieces)
{
	for (int p = RETORT_TCP; p <= RETORT_UDP; p++) {
		ck_assert_int_eq(rt_route_init(&route, (enum retort_protocol)p,
					 NULL, 0, false),
			0);
		/* nothing answers: there is no other way to say so */
		expect_plain("a", "", RT_STEP_CLOSE, 0, "no rule fits \"a\"");
		ck_assert_int_eq(add_plain_rule((
					 struct retort_reply){.if_body = "ping",
					 .body = "pong"}),
			1);
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.if_body_has =
								       "o",
						 .body = "once",
						 .times = 1}),
			2);
		expect_plain("ping", "pong", RT_STEP_NEXT, 1, "");
		expect_plain("foo", "once", RT_STEP_NEXT, 2, "");
		set_reply((struct retort_reply){.echo = true});
		expect_plain("foo", "foo", RT_STEP_NEXT, 0, "");
		expect_plain("ping", "pong", RT_STEP_NEXT, 1, "");
		ck_assert_int_eq(try_set_files(&route, "/", NULL, error),
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
		ck_assert(!route.greets);
		set_reply((struct retort_reply){.body = "other"});
		/* the reply to all else is none to this */
		expect_plain(NULL, "", RT_STEP_NEXT, 0, "");
		ck_assert_int_eq(add_plain_rule(
					 (struct retort_reply){.accepted = true,
						 .if_predicate = fits_never,
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
		ck_assert(route.greets);
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
		{{.accepted = true, .if_body = "x"},
			"if_body: no request has arrived when a connection is accepted"},
		{{.accepted = true, .if_body_has = "x"},
			"if_body_has: no request has arrived when a connection is accepted"},
		{{.accepted = true, .request = "GET"},
			"request: no request has arrived when a connection is accepted"},
		{{.accepted = true, .echo = true},
			"echo: nothing has arrived when a connection is accepted"},
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
		ck_assert(!route.greets);
		rt_route_free(&route);
	}
	ck_assert_int_eq(rt_route_init(&route, RETORT_UDP, NULL, 0, false), 0);
	ck_assert_int_eq(add_plain_rule(
				 (struct retort_reply){.accepted = true}),
		-EINVAL);
	ck_assert_str_eq(error, "accepted: with UDP nothing is");
	ck_assert_int_eq(add_plain_rule(
				 (struct retort_reply){.request = "GET"}),
		-EINVAL);
	ck_assert_str_eq(error,
		"request: 'GET': only HTTP has a method and a target");
	rt_route_free(&route);
}
END_TEST

/* --- faults --- */

static int
add_faulty(struct retort_reply reply)
{
	*error = '\0';
	return try_add(&route, &reply, error);
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
			"'what': expected a fault, such as cut, "
			"pause, split or end"},
		{{.body = "hello", .faults = "cut body 5"}, NULL},
		{{.body = "hello", .faults = "cut body 6"},
			"cut body 6: the body has 5 bytes"},
		{{.body = "hello", .faults = "cut head 5000"}, "*"},
		{{.raw = true, .body = "raw", .faults = "cut 3"}, NULL},
		{{.raw = true, .body = "raw", .faults = "cut 4"},
			"cut 4: the reply has 3 bytes"},
		/* known when it is asked for */
		{{.echo = true, .faults = "cut body 600"}, NULL},
		{{.file = "/dev/null", .faults = "cut body 600"}, NULL},
		{{.files = true, .faults = "cut body 600"}, NULL},
		/* reading comes before the body */
		{{.if_body = "x", .if_body_size = 1, .faults = "early"},
			"how the body is read cannot depend on the "
			"body"},
		{{.if_body_has = "x", .faults = "read-slowly 1 1"},
			"how the body is read cannot depend on the "
			"body"},
		{{.if_body_has = "x", .faults = "cut 1"}, NULL},
		{{.request = "POST", .faults = "stop-reading 5"}, NULL},
		/* files */
		{{.files = true}, NULL},
		{{.files = true, .fields = "A: b", .omit = "ETag"}, NULL},
		{{.files = true, .body = "x"}, "files: not with .body"},
		{{.files = true, .status = 404}, "files: not with .status"},
		{{.files = true, .echo = true}, "files: not with .echo"},
		{{.files = true, .parts = "1 2"}, "files: not with .parts"},
		{{.files = true, .interim = "HTTP/1.1 103 x\r\n\r\n"},
			"files: not with .interim"},
		{{.files = true, .chunks = "1"}, "files: not with .chunks"},
		{{.files = true, .pause_head = 1},
			"files: not with .pause_head"},
		{{.files = true, .accepted = true},
			"files: only HTTP serves them"},
		/* of what is accepted */
		{{.accepted = true, .faults = "end reset"}, NULL},
		{{.accepted = true, .body = "hi", .faults = "cut 1"}, NULL},
		{{.accepted = true, .body = "hi", .faults = "cut 3"},
			"cut 3: the reply has 2 bytes"},
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
			"cut body 2: the body has 1 byte"},
		{{.status = 204, .faults = "cut 1"}, NULL},
		{{.status = 204, .faults = "cut body 1"},
			"cut body 1: the body has 0 bytes"},
		/* another reply is known, whatever it takes the place of */
		{{.body = "x", .faults = "status 503; cut body 24"}, NULL},
		{{.files = true, .faults = "status 503; cut body 25"},
			"cut body 25: the body has 24 bytes"},
		{{.files = true, .faults = "status 204; length 5"},
			"length 5: the reply has no Content-Length"},
		{{.body = "x", .faults = "status 204; length 5; force-body"},
			NULL},
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
		ck_assert_str_eq(error, "a Unix socket cannot be reset");
		ck_assert_int_eq(try_set_reply(&route,
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
			"%s: a datagram has neither segments nor an "
			"ending",
			refused[i]);
		ck_assert_int_eq(add_faulty(reply), -EINVAL);
		ck_assert_str_eq(error, expected);
		ck_assert_int_eq(try_set_reply(&route, &reply, error), -EINVAL);
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
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "GET",
				 .faults = "cut 1"}),
		1);
	ck_assert(!route.reads);
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "POST",
				 .faults = "read-slowly 5 6"}),
		2);
	ck_assert(route.reads);
	ck_assert_ptr_null(rt_route_reading(&route, &get));
	faults = rt_route_reading(&route, &post);
	ck_assert_ptr_nonnull(faults);
	ck_assert_str_eq(rt_faults_text(faults), "read-slowly 5 6");
	ck_assert_uint_eq(rt_faults_reading(faults)->pace, 5);
	rt_route_clear_after(&route, 1);
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
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "GET",
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
	struct rt_buf bytes;
	uint64_t head = 0, whole = 0;

	open_route();
	rt_buf_init(&bytes, 12);
	ck_assert_int_eq(rt_route_measure(&route, false, &head, &whole, &bytes,
				 error),
		-EINVAL);
	ck_assert_str_eq(error, "expected a reply of retort_answer()");
	set_reply((struct retort_reply){.body = "hello"});
	ck_assert_int_eq(rt_route_measure(&route, false, &head, &whole, &bytes,
				 error),
		0);
	ck_assert_uint_gt(head, 0);
	ck_assert_uint_eq(whole, head + 5);
	/* as many as there is room for */
	assert_bytes(bytes.data, bytes.len, "HTTP/1.1 200", 12);
	set_reply((struct retort_reply){.echo = true});
	ck_assert_int_eq(rt_route_measure(&route, false, &head, &whole, &bytes,
				 error),
		-EINVAL);
	ck_assert_str_eq(error, "echo: its size is not known");
	set_reply((struct retort_reply){.file = "/nonexistent/f"});
	ck_assert_int_lt(rt_route_measure(&route, false, &head, &whole, &bytes,
				 error),
		0);
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent/f"));
	rt_buf_free(&bytes);
	rt_route_free(&route);
}
END_TEST

/* The effects of a rule's faults, and the errors when they cannot be done. */
START_TEST(faults_of_what_is_asked_for)
{
	struct asked asked;
	struct bytes got;

	open_route();
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "/a",
				 .body = "hello",
				 .faults = "cut body 2"}),
		1);
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "/b",
				 .echo = true,
				 .faults = "cut body 2000"}),
		2);
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "/c",
				 .body = "hello",
				 .faults = "status 503"}),
		3);
	ck_assert_int_eq(add_faulty((struct retort_reply){.request = "/d",
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

int
main(void)
{
	Suite *suite = suite_create("route rules");
	const TTest *const rules[] = {the_first_rule_that_fits,
		rules_are_used_up, rules_have_a_rank, the_nearest_rule_is_named,
		rules_keep_bodies, rules_are_checked, many_rules,
		a_handler_changes_the_reply,
		a_handler_is_asked_when_its_rule_fits,
		a_handler_leaves_the_body, handlers_fail, handlers_answer_later,
		NULL};
	const TTest *const plain[] = {rules_of_pieces, a_failing_handler_closes,
		rules_of_what_is_accepted,
		rules_of_what_is_accepted_are_checked, NULL};
	const TTest *const faults[] = {faults_are_checked,
		unix_sockets_have_no_reset, datagrams_have_no_segments,
		rules_say_how_requests_are_read,
		replies_say_how_requests_are_read, a_reply_is_measured,
		faults_of_what_is_asked_for, NULL};

	rt_test_cases(suite, "rules", rules, 0, 1);
	rt_test_cases(suite, "plain", plain, 0, 1);
	rt_test_cases(suite, "faults", faults, 0, 1);
	return rt_test_run(suite);
}
