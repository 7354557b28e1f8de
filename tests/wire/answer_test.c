/* SPDX-License-Identifier: MIT */
/* The library: rules, and the replies that they give. */
#include "config.h"

#include "canned/condition.h"
#include "wire/embedding.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"

#define CLOSE "Connection: close\r\n\r\n"

/* --- rules --- */

START_TEST(first_fit_answers)
{
	open_plain(_i);
	ON("GET /queue", .body = "one", .times = 1);
	ON("GET /queue", .body = "two", .times = 1);
	ON("GET /queue", .body = "three", .times = 1);
	ON("GET /queue", .status = 404, .body = "gone");
	ON("/queue", .body = "any method");
	expect_body("GET /queue" HOST "\r\n", "one");
	expect_body("GET /queue" HOST "\r\n", "two");
	expect_body("PUT /queue" HOST "Content-Length: 0\r\n\r\n",
		"any method");
	expect_body("GET /queue" HOST "\r\n", "three");
	for (int i = 0; i < 3; i++)
		expect_body("GET /queue" HOST "\r\n", "gone");
	ck_assert_uint_eq(retort_count(server, "GET /queue"), 6);
	ck_assert_int_eq(ended(1)->rule, 1);
	ck_assert_int_eq(ended(2)->rule, 2);
	ck_assert_int_eq(ended(3)->rule, 5);
	ck_assert_int_eq(ended(7)->rule, 4);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* clang-format off */
#define URLENCODED "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
#define PARTS \
	"Content-Type: multipart/form-data; boundary=b\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"

static const struct fit {
	struct retort_requests when;
	const char *request;
	bool fits;
} fits[] = {
	{{.request = "GET"}, "GET /a" HOST "\r\n", true},
	{{.request = "POST"}, "GET /a" HOST "\r\n", false},
	{{.request = "*"}, "GET /a" HOST "\r\n", true},
	{{.request = "* /a"}, "GET /a" HOST "\r\n", true},
	{{.request = "/a"}, "GET /a?b" HOST "\r\n", true},
	{{.request = "/a"}, "GET /A" HOST "\r\n", false},
	{{.request = "/a"}, "GET /%61" HOST "\r\n", true},
	{{.request = "/a"}, "GET http://x/a" HOST "\r\n", true},
	{{.request = "/"}, "GET http://x" HOST "\r\n", true},
	{{.request = "/a/*/c"}, "GET /a/b/b/c" HOST "\r\n", true},
	{{.request = "/a/*/c"}, "GET /a/b" HOST "\r\n", false},
	{{.request = "OPTIONS *"}, "OPTIONS *" HOST "\r\n", true},
	{{.request = "/a?x=1&y=%2f"}, "GET /a?y=/&z&x=1" HOST "\r\n", true},
	{{.request = "/a?x=1"}, "GET /a?x=11" HOST "\r\n", false},
	{{.request = "/a?x=1"}, "GET /a" HOST "\r\n", false},
	{{.if_field = "A: b\nHost: x"}, "GET /" HOST "a:  b \r\n\r\n", true},
	{{.if_field = "A: b"}, "GET /" HOST "A: c\r\nA: b\r\n\r\n", true},
	{{.if_field = "A: b"}, "GET /" HOST "A: bb\r\n\r\n", false},
	{{.if_contains = "A: b"}, "GET /" HOST "A: abba\r\n\r\n", true},
	{{.if_contains = "A: b"}, "GET /" HOST "B: abba\r\n\r\n", false},
	{{.if_absent = "A"}, "GET /" HOST "B: abba\r\n\r\n", true},
	{{.if_absent = "A\nB"}, "GET /" HOST "b: abba\r\n\r\n", false},
	{{.if_body = "abc"},
		"PUT /" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
		true},
	{{.if_body = "abc"}, "PUT /" HOST "Content-Length: 2\r\n\r\nab", false},
	{{.if_body = "a\0b", .if_body_size = 3},
		"PUT /" HOST "Content-Length: 1\r\n\r\na", false},
	{{.if_body = ""}, "GET /" HOST "\r\n", true},
	{{.if_body_has = "bc"}, "PUT /" HOST "Content-Length: 4\r\n\r\nabcd",
		true},
	{{.if_body_has = "x"}, "PUT /" HOST "Content-Length: 4\r\n\r\nabcd",
		false},
	{{.request = "/a?x=*", .if_query_absent = "y", .if_query_only = true},
		"GET /a?x=1" HOST "\r\n", true},
	{{.request = "/a?x=*", .if_query_absent = "y"},
		"GET /a?x=1&y" HOST "\r\n", false},
	{{.request = "/a?x=*", .if_query_only = true},
		"GET /a?x=1&z=2" HOST "\r\n", false},
	{{.if_form = "a=b c\nd=*", .if_form_only = true},
		"POST /" HOST "Content-Length: 10\r\n" URLENCODED
		"d=&a=b+%63", true},
	{{.if_form = "a=b"},
		"POST /" HOST "Content-Length: 4\r\n" URLENCODED "aa=b", false},
	{{.if_form = "a=x", .if_file = "f=*.c;type=a/b"},
		"POST /" HOST PARTS "1c\r\n" "--b\r\nContent-Disposition: x;" "\r\n"
		"64\r\n" "name=a\r\n\r\nx\r\n--b\r\nContent-Disposition: "
		"form-data; name=f; filename=g.c\r\nContent-Type: a/b\r\n\r\n"
		"\r\n--b--\r\n" "0\r\n\r\n", true},
	{{.if_form_absent = "a"},
		"POST /" HOST PARTS "3\r\n--b\r\n0\r\n\r\n", false},
#ifdef HAVE_JANSSON
	{{.if_json = "{\"a\": 1, \"b\": [2]}", .if_json_has = "{}"},
		"PUT /" HOST "Content-Length: 15\r\n\r\n{\"b\":[2],\"a\":1}", true},
	{{.if_json = "{\"a\": 1}"},
		"PUT /" HOST "Content-Length: 7\r\n\r\n{\"a\":2}", false},
	{{.if_json_has = "{\"a\": 1}"},
		"PUT /" HOST "Content-Length: 7\r\n\r\n{\"b\":1}", false},
#endif
	{{.if_path_matches = "^/[0-9] x$", .if_field_matches = "host: ^X$",
		 .if_body_matches = "^a.*\n$", .if_nocase = true},
		"PUT http://h/1%20x?a" HOST "Content-Length: 3\r\n\r\nAb\n", true},
	{{.if_path_matches = "x$"},
		"GET /?x" HOST "\r\n", false},
	{{.if_body_glob = "A*\n", .if_nocase = true},
		"PUT /" HOST "Content-Length: 3\r\n\r\nab\n", true},
	{{.if_body_glob = "*b"},
		"PUT /" HOST "Content-Length: 3\r\n\r\nab\n", false},
	{{.if_body_matches = "^b"},
		"PUT /" HOST "Content-Length: 2\r\n\r\nab", false},
	{{.if_basic = "ada:secret", .if_proxy_basic = "bob:secret"},
		"GET http://x/" HOST "Authorization: Basic YWRhOnNlY3JldA==\r\n"
		"Proxy-Authorization: basic Ym9iOnNlY3JldA==\r\n\r\n", true},
	{{.if_basic = "ada:other"},
		"GET /" HOST "Authorization: Basic YWRhOnNlY3JldA==\r\n\r\n",
		false},
#ifdef RT_OPENSSL
	{{.if_digest = "ada:secret\nnonce=n1"},
		"GET /a?b" HOST DIGEST "\r\n", true},
	{{.if_digest = "ada:secret\nnonce=n2"},
		"GET /a?b" HOST DIGEST "\r\n", false},
	{{.if_proxy_digest = "ada:other"},
		"GET /a?b" HOST "Proxy-" DIGEST "\r\n", false},
#endif
	{{.if_predicate = has_even_body, .if_predicate_arg = &asked},
		"PUT /" HOST "Content-Length: 4\r\n\r\nabcd", true},
	{{.if_predicate = has_even_body, .if_predicate_arg = &asked},
		"PUT /" HOST "Content-Length: 3\r\n\r\nabc", false},
	{{.request = "GET /", .if_field = "A: b", .if_absent = "B"},
		"GET /" HOST "A: b\r\n\r\n", true},
	{{.request = "GET /", .if_field = "A: b", .if_absent = "B"},
		"GET /" HOST "A: b\r\nB: c\r\n\r\n", false},
};

/* The same for rules, counts and waits. */
START_TEST(fits_what_it_says)
{
	open_plain(_i);
	for (size_t i = 0; i < COUNT(fits); i++) {
		const struct fit *fit = fits + i;
		struct retort_reply rule = rule_for(&fit->when);
		struct bytes got;

		rule.body = "fits";
		retort_reset(server);
		ck_assert_int_eq(add_rule(rule),
			1);
		got = exchange(fit->request);
		ck_assert_msg((strncmp(got.data, "HTTP/1.1 200 ", 13) == 0) ==
					fit->fits &&
				(strncmp(got.data, "HTTP/1.1 501 ", 13) == 0) !=
					fit->fits,
			"%s: expected case %zu to %s: %s\n# got %s", way->name,
			i, fit->fits ? "fit" : "miss",
			shown(fit->request, strlen(fit->request)),
			shown(got.data, got.size));
		bytes_free(&got);
		ck_assert_uint_eq(count_fits(fit->when),
			fit->fits);
		ck_assert((wait_fits(fit->when) != NULL) == fit->fits);
		ck_assert(retort_ok(server) == fit->fits);
	}
	ck_assert_int_gt(asked, 0);
	close_server();
}
END_TEST

/* clang-format off */
static const struct {
	struct retort_reply rule;
	const char *text;
} mistakes[] = {
	{{.request = "GET x"}, "rule: request: 'GET x': expected 'METHOD /TARGET'"},
	{{.request = "G@T /"}, "rule: request: 'G@T /': expected 'METHOD /TARGET'"},
	{{.if_field = "no colon"}, "rule: "},
	{{.if_absent = "A: b"}, "rule: if_absent: 'A: b': expected a field's name alone"},
	{{.status = 199}, "rule: status: expected 101, or 200 to 999"},
	{{.request = "GET /a?b", .status = 199},
		"rule: status: expected 101, or 200 to 999 (GET /a?b)"},
	{{.status = 1000}, "rule: status: expected 101, or 200 to 999"},
	{{.status = 204, .body = "x"}, "rule: status: a 204"},
	{{.fields = "A b: c"}, "rule: fields: 'A b: c': expected a token as field name"},
	{{.omit = "A: b"}, "rule: omit: "},
	{{.trailers = "A"}, "rule: trailers: "},
	{{.type = ""}, "rule: type: '': expected a media type"},
	{{.body = "a", .echo = true}, "rule: echo: not with .body"},
	{{.raw = true, .echo = true}, "rule: raw: not with .echo"},
	{{.raw = true, .file = "/x"}, "rule: raw: not with .file"},
	{{.raw = true, .body = "x", .repeat = 9},
		"rule: raw: not with .repeat"},
	{{.repeat = 5}, "rule: repeat: there is no body"},
	{{.body_size = 5}, "rule: body_size: there is no .body"},
	{{.pause_head = -1}, "rule: pause_head: expected 0 ms"},
};

START_TEST(rules_that_are_never_used_are_told)
{
	char why[RETORT_ERROR_SIZE];

	open_plain(_i);
	ON("/a", .body = "a", .times = 2);
	ON("/shared", .body = "b");
	assert_verdict("rule 1 (/a): never used\nrule 2 (/shared): never "
		       "used\n");
	/* once is enough, and what many tests share may be of no use here */
	expect_begin("GET /a" HOST "\r\n", "HTTP/1.1 200 ");
	assert_verdict(NULL);
	ck_assert(retort_ok(server));
	/* but may be why something else is wrong */
	expect_begin("GET /c" HOST "\r\n", "HTTP/1.1 501 ");
	assert_verdict("rule 2 (/shared): never used\n");
	ck_assert(!retort_ok(server));
	ck_assert_ptr_null(strstr(retort_verdict(server), "1 (/a): never"));
	/* the same text, where the call is made */
	ck_assert_int_eq(retort_on(server, "GET x", .error = why), -EINVAL);
	ck_assert_str_eq(why,
		"request: 'GET x': expected 'METHOD /TARGET' or either alone");
	ck_assert_int_eq(retort_answer(server, .status = 1, .error = why),
		-EINVAL);
	ck_assert_str_eq(why, "status: expected 101, or 200 to 999");
	ck_assert_int_eq(retort_serve(server, "/no/such", .error = why),
		-ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "/no/such"));
	close_server();
}
END_TEST

START_TEST(malformed_rules_are_told)
{

	open_plain(_i);
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct retort_reply answer = mistakes[i].rule;

		retort_reset(server);
		ck_assert_msg(add_rule(mistakes[i].rule) == -EINVAL,
			"rule %zu was taken", i);
		assert_verdict(mistakes[i].text);
		if (i < 4)
			continue;
		ck_assert_int_eq(set_answer(&answer), -EINVAL);
		ck_assert_ptr_nonnull(strstr(mistakes[i].text + 6,
			strncmp(error, mistakes[i].text + 6,
				strlen(mistakes[i].text + 6)) == 0 ?
				"" :
				"?"));
		answer.server = server;
		answer.error = NULL;
		ck_assert_int_eq(retort_answer_sized(&answer, sizeof answer),
			-EINVAL);
	}
	retort_reset(server);
	assert_verdict(NULL);
	ck_assert_uint_eq(retort_count(server, "GET x"), SIZE_MAX);
	assert_verdict("request: request: 'GET x': expected");
	retort_reset(server);
	ck_assert_ptr_null(retort_wait(server, "GET x", .timeout = 1000000));
	assert_verdict("request: request: 'GET x': expected");
	retort_reset(server);
	ck_assert_int_eq(retort_expect(server, "/", .least = 2, .most = 1), -EINVAL);
	assert_verdict("expectation: least: 2 is more than .most, which is 1");
	ck_assert_int_eq(retort_expect(server, "/", .times = 2, .never = true),
		-EINVAL);
	assert_verdict("expectation: expected one of .times, .never, and .least "
		       "or .most (/)");
	ck_assert_uint_eq(retort_count(server, "/", .most = 1), SIZE_MAX);
	assert_verdict("request: .least, .most, .never and .connections are for "
		       "retort_expect() (/)");
	ck_assert_int_eq(retort_expect_order(server, "/"), -EINVAL);
	/* what is for rules alone */
	ck_assert_int_eq(set_answer(&(struct retort_reply){.times = 1}),
		-EINVAL);
	ck_assert_int_eq(set_answer(&(struct retort_reply){.request = "/"}),
		-EINVAL);
	close_server();
}
END_TEST

static int
keep(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	return 0;
}

START_TEST(handlers_build_replies)
{
	char *own = strdup("the rule's own");
	struct bytes got;

	open_plain(_i);
	ON("POST", .handler = build, .status = 404, .fields = "X-B: b");
	ON("/own", .handler = keep, .body = own, .status = 202);
	ON("/repeat", .handler = keep, .body = own, .repeat = 20);
	ON("/empty", .handler = keep, .body = "");
	ON("/fails", .handler = err);
	ON("/raw", .handler = keep, .raw = true,
		.body = "HTTP/1.1 299 Raw\r\n\r\nas it is");
	ON("/wrong", .handler = err, .handler_arg = &asked);
	/* what was pointed at need not last longer than the call */
	memset(own, '#', strlen(own));
	free(own);
	got = exchange(
		"POST /a%20b" HOST "X-A: 1\r\nContent-Length: 2\r\n\r\nhi");
	assert_begins(got, "HTTP/1.1 201 Created\r\n");
	assert_has(got, "\r\nX-B: b\r\n");
	assert_has(got, "\r\n\r\nPOST /a b 1 hi");
	bytes_free(&got);
	expect_body("GET /own" HOST "\r\n", "the rule's own");
	expect_body("GET /repeat" HOST "\r\n", "the rule's ownthe ru");
	expect_body("GET /empty" HOST "\r\n", "");
	expect_body("GET /raw" HOST "\r\n", "as it is");
	assert_verdict(NULL);
	expect_body("GET /fails" HOST "\r\n",
		"500 Internal Server Error: the handler of rule 5 failed: it "
		"returned -5\n");
	assert_verdict("connection 6: the handler of rule 5 failed: it "
		       "returned -5\n");
	expect_begin("GET /wrong" HOST "\r\n", "HTTP/1.1 500 ");
	assert_verdict("the handler of rule 7 failed: status: expected 101, or "
		       "200 to 999");
	ck_assert_int_eq(ended(7)->status, 500);
	close_server();
}
END_TEST

/* A handler's arguments. */
static struct given {
	struct retort_reply reply;
	uint64_t connection;
	int code; /* that it is to return */
} given;

static int
keep_given(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct given *to = arg;

	to->reply = *reply;
	to->connection = exchange->connection;
	return to->code;
}

static void
assert_no_rule(const struct retort_reply *reply)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		ck_assert_msg(!rt_condition_given(reply, i), "%s: %s",
			way->name, rt_conditions[i].name);
	ck_assert_uint_eq(reply->times, 0);
	ck_assert(reply->handler == NULL);
	ck_assert_ptr_null(reply->handler_arg);
	ck_assert(!reply->accepted);
	ck_assert(!reply->files);
	ck_assert_msg(set_answer(reply) == 0, "%s: %s", way->name,
		error);
}

/* The reply alone, which can be kept and sent later. */
START_TEST(handlers_are_given_no_rule)
{
	char *texts[] = {strdup("POST /*"), strdup("A: b"), strdup("C: d"),
		strdup("E"), strdup("body"), strdup("od")};
	struct bytes got;
	int fd;

	open_plain(_i);
	ON(NULL, .accepted = true, .times = 1, .handler = keep_given,
		.handler_arg = &given, .body = "220 hello\r\n");
	ON(texts[0], .if_field = texts[1], .if_contains = texts[2],
		.if_absent = texts[3], .if_body = texts[4],
		.if_body_size = 4, .if_body_has = texts[5], .times = 2,
		.handler = keep_given, .handler_arg = &given, .status = 202,
		.fields = "X: y", .body = "kept");
	for (size_t i = 0; i < COUNT(texts); i++) {
		memset(texts[i], '#', strlen(texts[i]));
		free(texts[i]);
	}
	given.code = 0;
	got = exchange(GET);
	assert_begins(got, "220 hello\r\n");
	bytes_free(&got);
	ck_assert_uint_eq(given.connection, 1);
	assert_no_rule(&given.reply);
	given.code = RETORT_LATER;
	fd = connect_client();
	say(fd, "POST /a" HOST "A: b\r\nC: d\r\nContent-Length: 4\r\n\r\nbody");
	ck_assert_ptr_nonnull(retort_wait(server, "POST /a", .timeout = PATIENCE));
	ck_assert_uint_eq(given.connection, 2);
	assert_no_rule(&given.reply);
	ck_assert_int_eq(reply_on(2, &given.reply), 0);
	finish_client(fd, "\r\n\r\nkept");
	ck_assert_int_eq(ended(2)->status, 202);
	close_server();
}
END_TEST

static int replied;

static int
ask_thread(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)reply;
	(void)pthread_mutex_lock(&mutex);
	asked_on = exchange->connection;
	(void)pthread_cond_signal(&cond);
	(void)pthread_mutex_unlock(&mutex);
	return RETORT_LATER;
}

static void *
reply_from_thread(void *arg)
{
	struct retort_reply reply = {.status = 202, .body = arg};

	(void)pthread_mutex_lock(&mutex);
	while (asked_on == 0)
		(void)pthread_cond_wait(&cond, &mutex);
	(void)pthread_mutex_unlock(&mutex);
	replied = reply_on(asked_on, &reply);
	return NULL;
}

START_TEST(replies_later)
{
	char body[] = "from a thread";
	struct bytes got = {.data = NULL};
	uint64_t connection = 0;
	struct retort_reply reply = {.body = "same thread"};
	pthread_t thread;
	int fd;

	open_plain(_i);
	ON("/thread", .handler = ask_thread);
	ON("/same", .handler = later, .handler_arg = &connection);
	reply.error = error;
	ck_assert_int_eq(reply_on(1, &reply), -ENOENT);
	ck_assert_str_eq(error, "connection 1: no request waits for a reply");
	reply.error = NULL;
	asked_on = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, reply_from_thread, body),
		0);
	got = exchange("GET /thread" HOST "\r\n");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(replied, 0);
	assert_begins(got, "HTTP/1.1 202 Accepted\r\n");
	assert_has(got, "\r\n\r\nfrom a thread");
	bytes_free(&got);
	ck_assert_int_eq(ended(1)->status, 202);
	ck_assert_int_eq(ended(1)->rule, 1);
	/* the record is there before the reply, and says that there is none */
	fd = connect_client();
	say(fd, "GET /same" HOST "\r\n");
	ck_assert_int_eq(retort_wait(server, "/same", .timeout = PATIENCE)->status, 0);
	ck_assert_int_eq(reply_on(3, &reply), -ENOENT);
	ck_assert_int_eq(reply_on(2, &reply), 0);
	ck_assert_int_eq(reply_on(2, &reply), -ENOENT);
	finish_client(fd, "\r\n\r\nsame thread");
	ck_assert_int_eq(ended(2)->status, 200);
	ck_assert_int_eq(reply_on(2, &reply), -ENOENT);
	assert_verdict(NULL);
	/* a malformed one is told, and the request waits on */
	fd = connect_client();
	say(fd, "GET /same" HOST "\r\n");
	ck_assert_ptr_nonnull(retort_wait(server, "/same", .times = 2, .timeout = PATIENCE));
	reply.status = 7;
	ck_assert_int_eq(reply_on(3, &reply), -EINVAL);
	assert_verdict("reply: status: expected 101, or 200 to 999");
	reply.status = 0;
	ck_assert_int_eq(reply_on(3, &reply), 0);
	finish_client(fd, "\r\n\r\nsame thread");
	close_server();
}
END_TEST

START_TEST(nobody_waits_for_a_later_reply)
{
	const struct retort_exchange *seen;
	uint64_t connection = 0;
	struct retort_reply reply = {.body = "too late"};
	int fd;

	open_plain(_i);
	ON(NULL, .handler = later, .handler_arg = &connection);
	fd = connect_client();
	say(fd, GET);
	seen = retort_wait(server, .timeout = PATIENCE);
	ck_assert_ptr_nonnull(seen);
	client_reset(fd);
	ck_assert(retort_wait_end(server, seen, PATIENCE));
	ck_assert_int_eq(reply_on(1, &reply), -ENOENT);
	ck_assert_int_eq(seen->end, RETORT_RESET);
	ck_assert_int_eq(seen->status, 0);
	ck_assert_int_eq(seen->client_close, RETORT_RST);
	ck_assert(seen->client_first);
	close_server();
}
END_TEST

START_TEST(falls_back)
{
	struct retort_reply reply = {.status = 503, .body = "not now"};
	char *folder = dir_make();

	dir_write(folder, "a", "file", 4);
	open_plain(_i);
	ON("POST /a", .body = "rule");
	ck_assert_int_eq(set_files(folder, NULL), 0);
	expect_body("GET /a" HOST "\r\n", "file");
	expect_body("POST /a" HOST "Content-Length: 1\r\n\r\nx", "rule");
	expect_begin("POST /b" HOST "Content-Length: 1\r\n\r\nx",
		"HTTP/1.1 405 ");
	ck_assert_int_eq(set_answer(&reply), 0);
	expect_body("GET /a" HOST "\r\n", "not now");
	expect_body("POST /a" HOST "Content-Length: 1\r\n\r\nx", "rule");
	ck_assert_int_eq(ended(4)->rule, 0);
	ck_assert_int_eq(set_files(folder, NULL), 0);
	expect_body("GET /a" HOST "\r\n", "file");
	assert_verdict(NULL);
	close_server();
	dir_remove(folder);
}
END_TEST

/* Its body is not waited for, but the answer is one like others. */
START_TEST(files_answer_other_methods)
{
	static const char post[] =
		"POST /a" HOST "Expect: 100-continue\r\n"
		"Content-Length: 5\r\n\r\n";
	char *folder = dir_make();
	struct bytes got;

	open_plain(_i);
	ck_assert_int_eq(set_files(folder,
				 &(struct retort_files){.precompressed = true,
					 .faults = "insert body 0 \"!\""}),
		0);
	got = exchange(post);
	assert_begins(got, "HTTP/1.1 405 Method Not Allowed\r\n");
	assert_has(got, "\r\nAllow: GET, HEAD, OPTIONS\r\n");
	assert_has(got, "\r\nVary: Accept-Encoding\r\n");
	assert_has(got, "\r\n\r\n!405 Method Not Allowed\n");
	bytes_free(&got);
	ck_assert_int_eq(ended(1)->refused, 0);
	/* but if it is to be read in its own way, it is */
	ck_assert_int_eq(set_files(folder,
				 &(struct retort_files){
					 .faults = "read-slowly 1 1ms"}),
		0);
	got = exchange("POST /a" HOST "Content-Length: 5\r\n\r\nabcde");
	assert_begins(got, "HTTP/1.1 405 Method Not Allowed\r\n");
	bytes_free(&got);
	ck_assert_int_eq(ended(2)->complete, 1);
	close_server();
	dir_remove(folder);
}
END_TEST

START_TEST(says_what_came_nearest)
{
	struct bytes got;

	open_plain(_i);
	got = exchange(GET);
	assert_begins(got, "HTTP/1.1 501 Not Implemented\r\n");
	assert_has(got, "\r\n\r\nno rule fits GET /\n");
	bytes_free(&got);
	ON("POST /users", .body = "x");
	ON("GET /users/1", .body = "x", .if_field = "Accept: a/b");
	expect_body("GET /users/2" HOST "\r\n",
		"no rule fits GET /users/2: path differs from rule 2 "
		"\"/users/1\" at byte 7\n");
	expect_body("GET /users/1" HOST "Accept: c/d\r\n\r\n",
		"no rule fits GET /users/1: field differs from rule 2 "
		"\"Accept: a/b\": got \"c/d\"\n");
	expect_body("GET /users" HOST "\r\n",
		"no rule fits GET /users: method differs from rule 1 "
		"\"POST\"\n");
	ON("GET /once", .body = "x", .times = 1);
	expect_body("GET /once" HOST "\r\n", "x");
	got = exchange("GET /once" HOST "\r\n");
	assert_begins(got, "HTTP/1.1 501 ");
	assert_has(got,
		"\r\n\r\nno rule fits GET /once: rule 3 would, but was used "
		"up (1 of 1)");
	bytes_free(&got);
	assert_verdict("connection 1: no rule fits GET /\n");
	assert_verdict("connection 6: no rule fits GET /once: rule 3 would");
	assert_verdict("< GET /once HTTP/1.1\\r\\n\n");
	ck_assert_int_eq(ended(6)->status, 501);
	ck_assert_int_eq(ended(6)->rule, 0);
	close_server();
}
END_TEST

/* --- replies --- */

#define NO_DATE .omit = "Date"

/* clang-format off */
static const struct wire {
	const char *request;
	struct retort_reply reply;
	const char *expected;
} wires[] = {
	{GET, {NO_DATE},
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" CLOSE},
	{GET, {NO_DATE, .body = "hi"},
		"HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 2\r\n" CLOSE "hi"},
	{GET,
		{.omit = "date\nCONTENT-LENGTH\nconnection\ncontent-type",
			.body = "hi", .status = 404},
		"HTTP/1.1 404 Not Found\r\n\r\nhi"},
	{GET,
		{NO_DATE, .fields = "x-A:  1 \nX-a: 2\r\nContent-Length: 99\n"
				    "connection:",
			.body = "hi", .type = "a/b"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nx-A:  1 \r\nX-a: 2\r\n"
		"Content-Length: 99\r\nconnection:\r\n\r\nhi"},
	{GET, {NO_DATE, .version = "ICY/0.9", .reason = "", .status = 999},
		"ICY/0.9 999 \r\nContent-Length: 0\r\n" CLOSE},
	{GET, {NO_DATE, .reason = "So Be It", .status = 299},
		"HTTP/1.1 299 So Be It\r\nContent-Length: 0\r\n" CLOSE},
	{GET, {NO_DATE, .status = 204},
		"HTTP/1.1 204 No Content\r\n" CLOSE},
	{GET,
		{NO_DATE, .interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>"
				     "\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
			.body = "hi"},
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
		"HTTP/1.1 100 Continue\r\n\r\n"
		"HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 2\r\n" CLOSE "hi"},
	{GET, {NO_DATE, .body = "hello", .chunked = true},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Transfer-Encoding: chunked\r\n" CLOSE
		"5\r\nhello\r\n0\r\n\r\n"},
	{GET, {NO_DATE, .chunked = true},
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" CLOSE
		"0\r\n\r\n"},
	{GET,
		{NO_DATE, .body = "abcdefghijklmnopqr", .chunks = "2 3",
			.trailers = "A: 1\nB: 2", .type = "a/b"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"
		"Transfer-Encoding: chunked\r\n" CLOSE
		"2\r\nab\r\n3\r\ncde\r\nd\r\nfghijklmnopqr\r\n0\r\n"
		"A: 1\r\nB: 2\r\n\r\n"},
	{GET,
		{NO_DATE, .body = "abc", .chunks = "2 3", .type = "a/b",
			.fields = "Content-Length: 3"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"
		"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n" CLOSE
		"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"},
	{"HEAD /" HOST "\r\n", {NO_DATE, .body = "hello", .trailers = "A: 1"},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Transfer-Encoding: chunked\r\n" CLOSE},
	{"HEAD /" HOST "\r\n", {NO_DATE, .body = "hello", .pause_body = 1},
		"HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 5\r\n" CLOSE},
	{GET, {NO_DATE, .body = "abc", .repeat = 8},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Content-Length: 8\r\n" CLOSE "abcabcab"},
	{GET,
		{NO_DATE, .body = "abc", .repeat = 8, .chunks = "2 3",
			.pause_chunk = 1},
		"HTTP/1.1 200 OK\r\n" PLAIN
		"Transfer-Encoding: chunked\r\n" CLOSE
		"2\r\nab\r\n3\r\ncab\r\n3\r\ncab\r\n0\r\n\r\n"},
	{"GET /e" HOST "\r\n", {NO_DATE, .echo = true, .type = "a/b"},
		"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 28"
		"\r\n" CLOSE "GET /e HTTP/1.1\r\nHost: x\r\n\r\n"},
	{GET, {.raw = true, .body = "HTTP/1.1 200 OK\r\n\r\nshort"},
		"HTTP/1.1 200 OK\r\n\r\nshort"},
	{GET, {.raw = true, .body = "no HTTP at all"}, "no HTTP at all"},
	{GET, {.raw = true}, ""},
};

START_TEST(replies_are_exact)
{
	static const char odd[] = "HTTP/1.1 200\0\r\n\xff";
	struct bytes got;

	open_plain(_i);
	for (size_t i = 0; i < COUNT(wires); i++) {
		const struct wire *wire = wires + i;

		retort_reset(server);
		ck_assert_int_eq(add_rule(wire->reply),
			1);
		for (int as = 0; as < 2; as++) {
			got = exchange(wire->request);
			ck_assert_msg(strlen(wire->expected) == got.size &&
					memcmp(wire->expected, got.data,
						got.size) == 0,
				"%s: case %zu: expected %s\n# got: %s",
				way->name, i,
				shown(wire->expected, strlen(wire->expected)),
				shown(got.data, got.size));
			bytes_free(&got);
			/* as the answer to everything, it is the same */
			retort_reset(server);
			ck_assert_int_eq(set_answer(&wire->reply),
				0);
		}
	}
	retort_reset(server);
	ON(NULL, .raw = true, .body = odd, .body_size = sizeof odd - 1);
	got = exchange(GET);
	assert_bytes(got.data, got.size, odd, sizeof odd - 1);
	bytes_free(&got);
	close_server();
}
END_TEST

START_TEST(bodies_are_copied_or_files)
{
	char *folder = dir_make(), body[] = "copied";
	char path[300];
	struct bytes got;

	dir_write(folder, "a.json", "{}", 2);
	(void)snprintf(path, sizeof path, "%s/a.json", folder);
	open_plain(_i);
	ON("/copied", .body = body);
	ON("/file", .file = path);
	ON("/none", .file = "/nowhere/at/all");
	body[0] = '#';
	memset(path, 0, sizeof path);
	expect_body("GET /copied" HOST "\r\n", "copied");
	got = exchange("GET /file" HOST "\r\n");
	assert_has(got, "\r\nContent-Type: application/json\r\n");
	assert_has(got, "\r\n\r\n{}");
	bytes_free(&got);
	/* opened for each reply */
	dir_write(folder, "a.json", "[1]", 3);
	expect_body("GET /file" HOST "\r\n", "[1]");
	expect_begin("GET /none" HOST "\r\n", "HTTP/1.1 500 ");
	close_server();
	dir_remove(folder);
}
END_TEST

/* Long, but made of nothing: neither copied nor recorded whole. */
START_TEST(repeats_without_memory)
{
	static char data[1 << 20];
	uint64_t size = is_slow() ? 20u << 20 : 100u << 20, came = 0;
	const struct retort_exchange *seen;
	long long before, most = 0;
	size_t head;
	ssize_t n = 1;
	int fd;

	open_plain(_i);
	ON(NULL, .body = "0123456789", .repeat = size, .omit = "Date");
	before = live;
	fd = connect_client();
	say(fd, GET);
	while (n != 0) {
		n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		ck_assert_msg(n >= 0 || errno == EAGAIN, "%s", strerror(errno));
		if (n < 0)
			turn(fd, POLLIN, 100);
		else
			came += (uint64_t)n;
		if (live > most)
			most = live;
	}
	(void)close(fd);
	seen = ended(1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert_uint_eq(seen->sent_body, size);
	head = (size_t)(seen->sent - seen->sent_body);
	ck_assert_uint_eq(came, head + size);
	ck_assert_msg(most - before < 8 << 20,
		"%s: %lld bytes of memory for %llu", way->name, most - before,
		(unsigned long long)size);
	close_server();
}
END_TEST

/* Each of the pauses is where it should be. */
START_TEST(pauses)
{
	enum { PAUSE = 60 };
	static const struct {
		struct retort_reply reply;
		const char *before; /* has come at once, by then nothing else */
	} cases[] = {
		{{.pause_head = PAUSE}, ""},
		{{.pause_head = PAUSE,
			 .interim = "HTTP/1.1 100 Continue\r\n\r\n"},
			"HTTP/1.1 100 Continue\r\n\r\n"},
		{{.pause_body = PAUSE}, "\r\n" CLOSE},
		{{.pause_chunk = PAUSE, .chunks = "1"}, "1\r\na\r\n"},
		{{.parts = "1 60"}, CLOSE "a"},
		{{.parts = "1 60", .chunked = true}, "1\r\na\r\n"},
		{{.parts = "3 60", .raw = true}, "abc"},
		{{.pause_end = PAUSE}, "abc"},
		{{.pause_end = PAUSE, .raw = true}, "abc"},
	};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct retort_reply rule = cases[i].reply;
		struct bytes got = {.data = NULL};
		size_t before = strlen(cases[i].before), size;
		int64_t begun;
		int fd;

		retort_reset(server);
		rule.body = "abc";
		ck_assert_int_eq(add_rule(rule),
			1);
		fd = connect_client();
		begun = now_ms();
		say(fd, GET);
		ck_assert_int_eq(talk(fd, "", 0, &got, cases[i].before), 0);
		size = got.size;
		if (now_ms() - begun < PAUSE / 2)
			ck_assert_msg(strcmp(got.data + size - before,
					      cases[i].before) == 0,
				"%s: case %zu came too far: %s", way->name, i,
				shown(got.data, got.size));
		ck_assert_int_eq(talk(fd, GET, 0, &got, NULL), 0);
		ck_assert_msg(now_ms() - begun >= PAUSE, "case %zu: %d ms", i,
			(int)(now_ms() - begun));
		(void)close(fd);
		bytes_free(&got);
	}
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("answer");
	const TTest *const rules[] = {first_fit_answers, fits_what_it_says,
		rules_that_are_never_used_are_told, malformed_rules_are_told,
		handlers_build_replies,
		handlers_are_given_no_rule, replies_later,
		nobody_waits_for_a_later_reply, falls_back,
		files_answer_other_methods, says_what_came_nearest, NULL};
	const TTest *const replies[] = {replies_are_exact,
		bodies_are_copied_or_files, repeats_without_memory, pauses,
		NULL};

	rt_test_cases(suite, "rules", rules, 0, WAYS);
	rt_test_cases(suite, "replies", replies, 0, WAYS);
	return rt_test_run(suite);
}
