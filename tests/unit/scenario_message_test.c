/* SPDX-License-Identifier: MIT */
/* The messages of scenarios, and transcripts as scenarios. */
#include "config.h"

#include "support/harness.h"
#include "unit/scenarios.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- transcripts --- */

START_TEST(transcripts)
{
	read_good("connection 1 from 127.0.0.1:33506\n"
		  "       0.000 < GET /a?b HTTP/1.1\\r\\n\n"
		  "       0.000 < Host: x\\r\\n\n"
		  "       0.000 < \\r\\n\n"
		  "       2.160 - [end fin]\n"
		  "       2.160 > HTTP/1.1 200 OK\\r\\n\n"
		  "       2.160 > \\r\\n\n"
		  "       2.160 >  a\\\\b\\x00\\xff\\n\n"
		  "       2.160 > (FIN)\n"
		  "       7.364 < (FIN)\n"
		  "       7.364 - (closed)\n"
		  "\n"
		  "connection 2 from 127.0.0.1:33507\n"
		  "       0.000 < POST / HTTP/1.1\\r\\n\n"
		  "       0.000 < \\r\\n\n"
		  "       0.010 < (TLS: 517 bytes)\n"
		  "       0.010 - (TLS: TLSv1.3, A, SNI \\xff(x))\n"
		  "       0.100 < body\n"
		  "       2.160 > HTTP/1.1 \n"
		  "       2.160 > (RST)\n"
		  "connection 3 from 127.0.0.1:33508\n"
		  "       0.000 < GET /*a/\\xc3\\xbc*?* HTTP/1.1\\r\\n\n"
		  "       2.160 > x\n"
		  "connection 4 from 127.0.0.1:33509\n"
		  "       0.000 < GET http://x/* HTTP/1.1\\r\\n\n"
		  "       2.160 > x\n"
		  "connection 5 from 127.0.0.1:33510\n"
		  "       0.000 < CONNECT x:443 HTTP/1.1\\r\\n\n"
		  "       2.160 > x\n");
	ck_assert_uint_eq(scenario.count, 5);
	ck_assert_uint_eq(scenario.items[0].begins.line, 1);
	ck_assert_uint_eq(scenario.items[1].begins.line, 13);
	assert_text(rule(0)->request, "GET /a?b");
	ck_assert_uint_eq(rule(0)->times, 1);
	ck_assert(rule(0)->raw);
	assert_bytes(rule(0)->body, rule(0)->body_size,
		"HTTP/1.1 200 OK\r\n\r\n a\\b\0\xff\n", 26);
	ck_assert_ptr_null(rule(0)->faults);
	assert_text(rule(1)->request, "POST /");
	assert_body(rule(1), "HTTP/1.1 ");
	assert_text(rule(1)->faults, "end reset\n");
	/* what came is itself, and stands for nothing else */
	assert_text(rule(2)->request, "GET /%2Aa/\xc3\xbc%2A?%2A");
	assert_text(rule(3)->request, "GET http://x/%2A");
	assert_text(rule(4)->request, "CONNECT x:443");
	rt_scenario_free(&scenario);
}
END_TEST

#define MADE_SKIP "a connection is left out: no request that can be repeated\n"

/* Each request of a kept connection has a rule, which keeps it for the next. */
START_TEST(transcripts_of_kept_connections)
{
	read_good("connection 1 from a\n"
		  " 0.1 < POST /a HTTP/1.1\\r\\n\n"
		  " 0.1 < \\r\\n\n"
		  " 0.1 > HTTP/1.1 100 Continue\\r\\n\n"
		  " 0.1 > \\r\\n\n"
		  " 0.2 < GET the body\\n\n"
		  " 0.2 > one\n"
		  " 0.3 < and the rest of it\n"
		  " 0.4 < GET /b HTTP/1.1\\r\\n\n"
		  " 0.4 - [end reset]\n"
		  " 0.4 > two\n"
		  " 0.4 > (RST)\n"
		  "connection 2 from a\n"
		  " 0.1 < GET /b HTTP/1.1\\r\\n\n"
		  " 0.1 > three\n"
		  " 0.2 < GET /%zz\\q HTTP/1.1\\r\\n\n"
		  " 0.2 > no\n");
	ck_assert_uint_eq(scenario.count, 3);
	ck_assert_uint_eq(scenario.items[1].begins.line, 9);
	assert_text(rule(0)->request, "POST /a");
	assert_body(rule(0), "HTTP/1.1 100 Continue\r\n\r\none");
	ck_assert_int_eq(rule(0)->next, RETORT_NEXT_KEEP);
	ck_assert_ptr_null(rule(0)->faults);
	assert_text(rule(1)->request, "GET /b");
	assert_body(rule(1), "two");
	ck_assert_int_eq(rule(1)->next, RETORT_NEXT_DEFAULT);
	assert_text(rule(1)->faults, "end reset\n");
	assert_body(rule(2), "three");
	assert_notices("s:16: " MADE_SKIP);
	rt_scenario_free(&scenario);
}
END_TEST

/* A body that begins like an event, or ends like one, is none. */
START_TEST(transcripts_of_parentheses)
{
	read_good("connection 1 from a\n"
		  " 0.1 < (TLS: 5 bytes)\n"
		  " 0.1 - (TLS: failed: x)\n"
		  " 0.1 < (FIN)\n"
		  " 0.1 > (empty)\n"
		  " 0.1 < GET / HTTP/1.1\\r\\n\n"
		  " 0.1 > (hello)\\n\n"
		  " 0.1 > (FIN) \n"
		  " 0.1 >  (RST)\n"
		  " 0.1 > (rst)\n"
		  " 0.1 > (RST)x\n"
		  " 0.1 > (closed\n"
		  " 0.1 > (closed)\n"
		  " 0.1 > (empty).\n"
		  " 0.1 > (truncated)\n"
		  " 0.1 > (TLS: \n"
		  " 0.1 > (FIN)\n");
	ck_assert_uint_eq(scenario.count, 1);
	assert_text(rule(0)->request, "GET /");
	assert_body(rule(0),
		"(hello)\n(FIN)  (RST)(rst)(RST)x(closed(empty).(truncated)"
		"(TLS: ");
	ck_assert_ptr_null(rule(0)->faults);
	assert_notices("");
	rt_scenario_free(&scenario);
}
END_TEST

/* A request that cannot be made again is left out, and leaves nothing. */
START_TEST(transcripts_that_cannot_come_again)
{
	static const char *const lines[] = {"GET\\r\\n", "GET", "",
		"hello there", "\\x16\\x03\\x01\\x00 /", "G@T / HTTP/1.1\\r\\n",
		"GET a HTTP/1.1\\r\\n", "CONNECT /x HTTP/1.1\\r\\n",
		"GET /\\q HTTP/1.1\\r\\n", "(FIN)"};

	for (int i = 0; i < COUNT(lines); i++) {
		char text[400];

		(void)snprintf(text, sizeof text,
			"connection 1 from a\n"
			" 0.1 > early\n"
			" 0.1 > (RST)\n"
			" 0.1 < %s\n"
			" 0.1 > late\n"
			" 0.1 > (RST)\n"
			"connection 2 from a\n"
			" 0.1 < OPTIONS * HTTP/1.1\\r\\n\n"
			" 0.1 > x\n"
			"connection 3 from a\n"
			" 0.1 < %s\n",
			lines[i], lines[i]);
		read_good(text);
		ck_assert_msg(scenario.count == 1, "'%s': %zu rules", lines[i],
			scenario.count);
		assert_text(rule(0)->request, "OPTIONS *");
		assert_body(rule(0), "x");
		ck_assert_ptr_null(rule(0)->faults);
		/* at its request line, or where it ends; once */
		assert_notices(i == COUNT(lines) - 1 ? "s:7: " MADE_SKIP :
						       "s:4: " MADE_SKIP);
		rt_scenario_free(&scenario);
	}
}
END_TEST

/* Who asked nothing has no rule that would fit everything. */
START_TEST(transcripts_without_a_request)
{
	static const char text[] = "connection 1 from a\n"
				   " 0.1 < (FIN)\n"
				   " 0.1 - (closed)\n"
				   "connection 2 from a\n"
				   " 0.1 < GET /b HTTP/1.1\\r\\n\n"
				   " 0.1 > x\n"
				   " 0.1 > (FIN)\n"
				   "connection 3 from a\n"
				   " 0.1 < (RST)\n";
	size_t found = 0;

	read_good(text);
	for (size_t i = 0; i < scenario.count; i++) {
		ck_assert_msg(rule(i)->request != NULL,
			"the rule of line %u fits every request",
			scenario.items[i].begins.line);
		found += strcmp(rule(i)->request, "GET /b") == 0;
	}
	ck_assert_uint_eq(found, 1);
	rt_scenario_free(&scenario);
}
END_TEST

/* --- messages --- */

#define MADE_1_1 "s:2: the status line is changed to HTTP/1.1\n"
#define LEFT_OUT \
	"Content-Encoding is left out: the body is text (@fault add " \
	"\"Content-Encoding: gzip\\r\\n\" sends it)\n"
#define MADE_PLAIN "s:5: " LEFT_OUT
#define MADE_INDENTED \
	"an indented directive belongs to the body: " \
	"directives begin at the margin\n"
#define MADE_CRLF "line ends are changed to CRLF\n"

static const struct {
	const char *text; /* after "@on /\n" */
	int status;
	const char *reason;
	const char *fields;
	const char *body;
	bool chunked;
	const char *notices;
} messages[] = {
	{"HTTP/1.1 200 OK\r\n\r\n", 200, "OK", NULL, "", false, ""},
	{"HTTP/1.1 200\r\n\r\n", 200, "", NULL, "", false, ""},
	{"HTTP/1.1 999 \xc3\xa9 x\r\n", 999, "\xc3\xa9 x", NULL, "", false, ""},
	/* of HTTP/2 and others */
	{"HTTP/2 200 \r\n\r\n", 200, NULL, NULL, "", false, MADE_1_1},
	{"HTTP/2 404\r\nserver: x\r\n\r\nno\r\n", 404, NULL, "server: x\n",
		"no", false, MADE_1_1},
	{"HTTP/1.0 200 Fine\r\n\r\nx", 200, "Fine", NULL, "x", false,
		MADE_1_1 "s:4: Content-Length is computed from the body\n"},
	{"HTTP/1.0 200 Fine\r\nContent-Length: 1\r\n\r\nx", 200, "Fine", NULL,
		"x", false, MADE_1_1},
	{"HTTP/3 204 \n", 204, NULL, NULL, "", false,
		MADE_1_1 "s:2: " MADE_CRLF},
	/* line ends: of what was typed nobody expects CRLF */
	{"HTTP/1.1 200 OK", 200, "OK", NULL, "", false, ""},
	{"HTTP/1.1 200 OK\nA: b\n\nx\ny\n\n", 200, "OK", "A: b\n", "x\ny",
		false, ""},
	{"HTTP/1.1 200 OK\nDate: x\n\nx\ny\n\n", 200, "OK", "Date: x\n", "x\ny",
		false, "s:4: " MADE_CRLF},
	{"HTTP/1.1 200 OK\nA: b\nContent-Length: 3\n\nx\ny\n\n", 200, "OK",
		"A: b\n", "x\ny", false, ""},
	{"HTTP/1.1 200 OK\r\nA: b\r\n\r\nx\ny\r\nz\r\n", 200, "OK", "A: b\n",
		"x\ny\r\nz", false, ""},
	/* the body is as it stands, but for an @ */
	{"HTTP/1.1 200 OK\r\n\r\n# x\n\n @y\n@@z\nHTTP/1.1 1\n@@@\n", 200, "OK",
		NULL, "# x\n\n @y\n@z\nHTTP/1.1 1\n@@", false, ""},
	/* and for what looks like a directive, and is none */
	{"HTTP/1.1 200 OK\r\n\r\nx\n\t @then\n", 200, "OK", NULL, "x\n\t @then",
		false, "s:5: " MADE_INDENTED},
	{"HTTP/1.1 200 OK\r\n\r\n @on /\nx\n", 200, "OK", NULL, " @on /\nx",
		false, "s:4: " MADE_INDENTED},
	{"HTTP/1.1 200 OK\r\n\r\n @only\na @on\n", 200, "OK", NULL,
		" @only\na @on", false, ""},
	{"HTTP/1.1 200 OK\r\n\r\nx\n# y\n", 200, "OK", NULL, "x\n# y", false,
		"s:5: the last line of the body begins with '#', but is no "
		"comment: '@#' begins one\n"},
	{"HTTP/1.1 200 OK\r\n\r\n\n\nx\n \n", 200, "OK", NULL, "\n\nx\n ",
		false, ""},
	/* a length that is right, and wrong */
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\n", 200, "OK", NULL,
		"hello", false, ""},
	{"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nA: b\r\n\r\nhello\n", 200,
		"OK", "A: b\n", "hello", false,
		"s:6: Content-Length is computed from the body\n"},
	/* that of all the lines */
	{"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nA: b\r\n\r\nhello\n", 200,
		"OK", "A: b\n", "hello\n", false, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello\r\n\r\n"
	 "@on\n@echo\n",
		200, "OK", NULL, "hello\r\n\r\n", false, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n\n@expect 1\n",
		200, "OK", NULL, "hello\n", false, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello\n\n@expect 1\n",
		200, "OK", NULL, "hello", false,
		"s:6: Content-Length is computed from the body\n"},
	/* one that is of nothing that stands there */
	{"HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\n\n\n"
	 "@on\n@echo\n",
		304, "Not Modified", NULL, "", false, ""},
	{"HTTP/1.0 204 No\r\n\r\n", 204, "No", NULL, "", false, MADE_1_1},
	{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
	 "Transfer-Encoding: chunked\r\n\r\nhello\n\n",
		200, "OK", NULL, "hello", true,
		"s:7: the body is framed in chunks again\n"
		"s:7: Content-Length is computed from the body\n"},
	{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200,
		"OK", NULL, "", true,
		MADE_1_1 "s:6: the body is framed in chunks again\n"},
	/* a reply that was meant to be another */
	{"HTTP/1.1 200 OK\r\n\r\nhi\nHTTP/1.1 404 No\n\nho\n", 200, "OK", NULL,
		"hi\nHTTP/1.1 404 No\n\nho", false,
		"s:5: a status line here belongs to the body: another reply "
		"begins with @then or @on\n"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "OK", NULL, "",
		false, ""},
	/* chunks */
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\n", 200,
		"OK", NULL, "hello", true,
		"s:5: the body is framed in chunks again\n"},
	{"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n", 200, "OK",
		NULL, "", true, ""},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
		200, "OK", NULL, "hello0123456789", true,
		"s:10: the body is framed in chunks again\n"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "5\nhello\n0\n\n",
		200, "OK", NULL, "hello", true,
		"s:8: the body is framed in chunks again\n"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200,
		"OK", NULL, "", true,
		"s:6: the body is framed in chunks again\n"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "5\r\nhel\r\n0\r\n\r\n",
		200, "OK", NULL, "5\r\nhel\r\n0", true,
		"s:8: the body is framed in chunks again\n"},
	/* connections */
	{"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, "OK", NULL,
		"", false, "s:3: Connection is left to the server\n"},
	{"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	 "Upgrade: chat\r\n\r\n",
		101, "Switching Protocols",
		"Connection: Upgrade\nUpgrade: chat\n", "", false, ""},
	{"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", 200, "OK",
		"Connection: Close\n", "", false, ""},
	/* codings that were undone by who pasted it */
	{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello\n", 200, "OK",
		NULL, "hello", false, MADE_PLAIN},
	{"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\n", 200,
		"OK", "Content-Encoding: gzip\n", "\x1f\x8b\x08", false, ""},
	{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", 200, "OK",
		"Content-Encoding: gzip\n", "", false, ""},
	/* whatever it is called */
	{"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx", 200, "OK", NULL,
		"x", false, MADE_PLAIN},
	{"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\n\r\n\xc3\xa9\t\x7f\n",
		200, "OK", NULL, "\xc3\xa9\t\x7f", false, MADE_PLAIN},
	{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br\r\n\r\na\nb\n", 200,
		"OK", NULL, "a\nb", false, "s:6: " LEFT_OUT},
	{"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx\x01y", 200, "OK",
		"Content-Encoding: br\n", "x\x01y", false, ""},
	{"HTTP/1.1 200 OK\r\nContent-Encoding: own\r\n\r\n\x1f", 200, "OK",
		"Content-Encoding: own\n", "\x1f", false, ""},
	/* all of it: curl -i */
	{"HTTP/2 200 \r\ncontent-type: text/html\r\n"
	 "content-encoding: gzip\r\ncontent-length: 1256\r\n\r\n<p>hi</p>\n",
		200, NULL, "content-type: text/html\n", "<p>hi</p>", false,
		MADE_1_1 "s:7: " LEFT_OUT
			 "s:7: Content-Length is computed from the body\n"},
};

START_TEST(messages_are_made_right)
{
	struct bytes text = {.data = NULL};
	const struct retort_reply *got;

	bytes_add(&text, "@on /\n", 6);
	bytes_add(&text, messages[_i].text, strlen(messages[_i].text));
	read_good(text.data);
	got = rule(0);
	ck_assert_int_eq(got->status, messages[_i].status);
	assert_text(got->reason, messages[_i].reason);
	assert_text(got->fields, messages[_i].fields);
	assert_body(got, messages[_i].body);
	ck_assert_int_eq(got->chunked, messages[_i].chunked);
	ck_assert(!got->raw);
	/* a type that was not said is not made up */
	assert_text(got->omit,
		messages[_i].fields && strstr(messages[_i].fields, "type:") ?
			NULL :
			"Content-Type\n");
	assert_notices(messages[_i].notices);
	rt_scenario_free(&scenario);
	bytes_free(&text);
}
END_TEST

START_TEST(notices_are_told_once)
{
	read_good("@on /a\nHTTP/2 200\n\nx\n@on /b\nHTTP/2 200\n\nx\n");
	assert_notices(MADE_1_1 "s:3: " MADE_CRLF);
	ck_assert_uint_eq(scenario.count, 2);
	rt_scenario_free(&scenario);
}
END_TEST

/* Of what is asked for by hand; an asterisk may stand for it. */
START_TEST(a_port_is_missed)
{
	read_good("@on CONNECT a:*\n@echo\n@on CONNECT a*\n@echo\n"
		  "@on CONNECT\n@echo\n@on GET /\n@echo\n"
		  "@expect 1 CONNECT [::1]:443\n");
	assert_notices("");
	rt_scenario_free(&scenario);
	read_good("@on CONNECT a.example\n@next http\nHTTP/1.1 200 OK\n\n"
		  "@expect 1 CONNECT a.example\n");
	assert_notices("s:1: clients name the port as well: example.com:443\n");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(a_method_is_in_capitals)
{
	read_good("@on GET /\n@echo\n@on got /\n@echo\n@on /get\n@echo\n");
	assert_notices("");
	rt_scenario_free(&scenario);
	read_good("@on GET /\n@echo\n@expect 1 Get /\n@on post\n@echo\n");
	assert_notices("s:3: methods are case-sensitive: clients send GET\n");
	rt_scenario_free(&scenario);
	read_good("@on GET|HEAD /\n@echo\n");
	assert_notices("s:1: a rule has one method, or any if none is given\n");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(a_path_has_asterisks)
{
	read_good("@on /a?b=/{c}\n@echo\n@on /a{b\n@echo\n@on /a|:b\n@echo\n"
		  "@on /a/\n@echo\n@on CONNECT [::1]:443\n@echo\n"
		  "@on http://a/\n@echo\n");
	assert_notices("");
	rt_scenario_free(&scenario);
	read_good("@on GET /\n@echo\n@on GET /a/{id}\n@echo\n"
		  "@expect 1 /b/:id\n");
	assert_notices("s:3: in a path only '*' stands for any bytes\n");
	rt_scenario_free(&scenario);
	read_good("@on /b/:id\n@echo\n");
	assert_notices("s:1: in a path only '*' stands for any bytes\n");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(conditions_on_refusals)
{
	read_good("@on\n@if-refused\n@echo\n@then\n@echo\n"
		  "@on\n@if-refused 431\n@echo\n@expect 1\n@if-refused 505\n");
	ck_assert_int_eq(rule(0)->if_refused, RETORT_ANY);
	ck_assert_int_eq(rule(1)->if_refused, RETORT_ANY);
	ck_assert_int_eq(rule(2)->if_refused, 431);
	ck_assert_int_eq(scenario.items[3].rule.if_refused, 505);
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(bodies_with_asterisks)
{
	read_good("@on\n@if-body-glob \"a*\\n\"\n@nocase\n@echo\n");
	assert_text(rule(0)->if_body_glob, "a*\n");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(conditions_on_logins)
{
	read_good("@on\n@if-basic ada:a secret \n@echo\n@then\n@echo\n"
		  "@on\n@if-digest ada:b\n@if-digest realm=\"x\", nonce=1\n"
		  "@echo\n@expect 1\n@if-proxy-basic :\n"
		  "@if-proxy-digest bob:c\n");
	assert_text(rule(0)->if_basic, "ada:a secret");
	assert_text(rule(1)->if_basic, "ada:a secret");
	assert_text(rule(2)->if_digest, "ada:b\nrealm=\"x\", nonce=1\n");
	assert_text(scenario.items[3].rule.if_proxy_basic, ":");
	assert_text(scenario.items[3].rule.if_proxy_digest, "bob:c\n");
	rt_scenario_free(&scenario);
}
END_TEST

/* It is one of the conditions, wherever it stands among them. */
START_TEST(conditions_without_case)
{
	read_good("@on\n@nocase\n@if-body-has \"EHLO\"\n@echo\n@then\n"
		  "@echo\n@on\n@echo\n@expect 1\n@if-field A: b\n@nocase\n");
	ck_assert(rule(0)->if_nocase);
	ck_assert(rule(1)->if_nocase);
	ck_assert(!rule(2)->if_nocase);
	ck_assert(scenario.items[3].rule.if_nocase);
	rt_scenario_free(&scenario);
	ck_assert_int_eq(read_text("@on\n@nocase x\n", 14, NULL), -EINVAL);
	ck_assert_str_eq(error, "s:2:9: 'x': expected nothing more");
	rt_scenario_free(&scenario);
	/* it is no answer */
	ck_assert_int_eq(read_text("@on\n@nocase\n", 12, NULL), -EINVAL);
	rt_scenario_free(&scenario);
}
END_TEST

/* An empty line ends an event, and is no line between two rules. */
START_TEST(events_have_their_end)
{
	static const struct {
		const char *text; /* after the status line */
		const char *body;
	} cases[] = {
		{"Content-Type: text/event-stream\n\ndata: x\n\n",
			"data: x\n\n"},
		{"Content-Type: text/event-stream\n\ndata: x\n\n\n\n",
			"data: x\n\n"},
		{"content-type:Text/Event-Stream;a=b\n\ndata: x\n\ndata: y"
		 "\n\n",
			"data: x\n\ndata: y\n\n"},
		{"Content-Type: text/event-stream\r\n\r\ndata: x\r\n\r\n",
			"data: x\r\n\r\n"},
		{"Content-Type: text/event-stream\n\ndata: x\n", "data: x\n"},
		{"Content-Type: text/event-stream\n\ndata: x", "data: x"},
		{"Content-Type: text/event-stream\n\n\n\n", ""},
		/* who counts them knows */
		{"Content-Type: text/event-stream\nContent-Length: 8\n\n"
		 "data: x\n\n",
			"data: x\n"},
		{"Content-Type: text/event-streams\n\ndata: x\n\n", "data: x"},
		{"Transfer-Encoding: chunked\nContent-Type: "
		 "text/event-stream\n\n9\ndata: x\n\n\n0\n\n",
			"data: x\n\n"},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		char text[256];

		size_t size = strlen(cases[i].text);

		(void)snprintf(text, sizeof text,
			"@on /a\nHTTP/1.1 200 OK\n%s%s", cases[i].text,
			cases[i].text[size - 1] == '\n' ? "@expect 1\n" : "");
		read_good(text);
		assert_body(rule(0), cases[i].body);
		rt_scenario_free(&scenario);
	}
}
END_TEST

/* Lines of their own cut a body into parts, and say how it is framed. */
START_TEST(bodies_in_parts)
{
	static const struct {
		const char *text; /* after "@on /\n" */
		const char *parts;
		const char *body;
		bool chunked;
		const char *omit;
	} cases[] = {
		{"HTTP/1.1 200 OK\nContent-Type: a/b\n\nab\n@part 200ms\n"
		 "c\n\n",
			"3 200,", "ab\nc", true, NULL},
		{"HTTP/1.1 200 OK\nContent-Type: a/b\n\n@part 2s\nab\n@part\n"
		 "@@c\n@part 7",
			"0 2000,3 0,3 7,", "ab\n@c", true, NULL},
		{"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nab\r\n"
		 "@part 1\r\nc\r\n",
			"4 1,", "ab\r\nc", true, NULL},
		/* as the message says */
		{"HTTP/1.1 200 OK\nContent-Type: a/b\nContent-Length: 5\n\nab\n"
		 "@part 1\nc\n",
			"3 1,", "ab\nc\n", false, NULL},
		{"HTTP/1.1 200 OK\nContent-Type: a/b\nTransfer-Encoding: "
		 "chunked\n\nab\n@part 1\nc\n",
			"3 1,", "ab\nc", true, NULL},
		{"HTTP/1.1 200 OK\nContent-Type: a/b\nConnection: close\n\nab\n"
		 "@part 1\nc\n",
			"3 1,", "ab\nc", false, "Content-Length\n"},
		/* each part is whole events */
		{"HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n"
		 "data: a\n@part 1\ndata: b\n\n@part 2\n\n@part 3\n"
		 "id: 1\ndata: c",
			"9 1,9 2,2 3,",
			"data: a\n\ndata: b\n\n\n\nid: 1\ndata: c\n\n", true,
			NULL},
		/* bytes as they are */
		{"@raw\nx\n@part 1\ny\n", "2 1,", "x\ny\n", false, NULL},
		{"@raw \"x\"\n@part 1\n@raw \"y\"\n@part\n", "1 1,1 0,", "xy",
			false, NULL},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		char text[256];

		(void)snprintf(text, sizeof text, "@on /\n%s", cases[i].text);
		read_good(text);
		assert_text(rule(0)->parts, cases[i].parts);
		assert_body(rule(0), cases[i].body);
		ck_assert_msg(rule(0)->chunked == cases[i].chunked, "case %d",
			i);
		assert_text(rule(0)->omit, cases[i].omit);
		rt_scenario_free(&scenario);
	}
}
END_TEST

START_TEST(raw_heads_have_an_end)
{
	static const struct {
		const char *text;
		const char *notice;
	} cases[] = {
		{"@on\n@raw\nHTTP/1.1 204 No Content\nA: b\n\n@expect 1\n",
			"s:5: the raw message has no empty line after its "
			"head\n"},
		{"@on\n@raw\nHTTP/1.1 204 No Content\nA: b\n",
			"s:4: the raw message has no empty line after its "
			"head\n"},
		{"@on\n@raw\nHTTP/1.1 204 No Content\nA: b\n\n", ""},
		{"@on\n@raw\nHTTP/1.1 204 N\r\nA: b\r\n\r\n\n@expect 1\n", ""},
		{"@on\n@raw\nSSH-2.0-x\n", ""},
		{"@on\n@raw \"HTTP/1.1 200 OK\\n\"\n", ""},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		read_good(cases[i].text);
		assert_notices(cases[i].notice);
		rt_scenario_free(&scenario);
	}
}
END_TEST

/* A rule that no request can reach. */
START_TEST(shadows_are_told)
{
	static const struct {
		const char *text;
		unsigned line; /* 0: none is in a shadow */
	} cases[] = {
		{"@on GET /\n@echo\n@on GET /\n@echo\n", 3},
		{"@on\n@echo\n@on GET /\n@if-field A: b\n@echo\n", 3},
		{"@accepted\n@fault end fin\n@accepted\n@fault empty\n", 3},
		{"@on GET /\n@echo\n@then\n@echo\n@on GET /\n@echo\n", 5},
		{"@on /\n@if-body \"a\"\n@echo\n@on /\n@if-body \"a\"\n"
		 "@echo\n",
			4},
		{"@on GET /\n@echo\n@on GET /a\n@echo\n@on\n@echo\n", 0},
		{"@on GET /\n@times 1\n@echo\n@on GET /\n@echo\n", 0},
		{"@on GET /\n@if-field A: b\n@echo\n@on GET /\n@echo\n", 0},
		{"@on /\n@if-body \"a\"\n@echo\n@on /\n@if-body \"b\"\n"
		 "@echo\n",
			0},
		{"@on\n@echo\n@expect 1\n@accepted\n@fault end fin\n", 0},
		/* bodies are the same up to a NUL */
		{"@on\n@if-body \"a\\0b\"\n@echo\n"
		 "@on\n@if-body \"a\\0c\"\n@echo\n",
			0},
		/* what has to have its case fits without */
		{"@on\n@if-body-has \"a\"\n@nocase\n@echo\n"
		 "@on\n@if-body-has \"a\"\n@echo\n",
			5},
		{"@on\n@if-body-has \"a\"\n@echo\n"
		 "@on\n@if-body-has \"a\"\n@nocase\n@echo\n",
			0},
		{"@on\n@echo\n@on\n@nocase\n@if-field A: b\n@echo\n", 3},
		/* nor is one that is preferred */
		{"@on\n@echo\n@on /a\n@prefer 1\n@echo\n", 0},
		{"@on\n@prefer 1\n@echo\n@on /a\n@prefer 1\n@echo\n", 4},
		{"@on\n@echo\n@on /a\n@prefer -1\n@echo\n", 3},
		{"@on\n@echo\n@on\n@if-refused\n@echo\n", 0},
		{"@on\n@if-refused 400\n@echo\n@on\n@if-refused\n@echo\n", 0},
		{"@on\n@if-refused\n@echo\n@on\n@if-refused 400\n@echo\n", 4},
		/* no pairs, and one of them */
		{"@on\n@if-form-only\n@echo\n"
		 "@on\n@if-form a=b\n@if-form-only\n@echo\n",
			0},
		{"@on\n@if-form-only\n@echo\n@on /\n@if-form-only\n@echo\n", 4},
		{"@on\n@if-query-only\n@echo\n"
		 "@on /?a=b\n@if-query-only\n@echo\n",
			0},
		{"@on\n@if-query-only\n@echo\n"
		 "@on /\n@if-query-only\n@echo\n",
			4},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		char notice[100] = "";
		unsigned first = i == 3 ? 3 : 1;

		if (cases[i].line > 0)
			(void)snprintf(notice, sizeof notice,
				"s:%u: never reached: the rule of line %u "
				"answers all of these\n",
				cases[i].line, first);
		read_good(cases[i].text);
		assert_notices(notice);
		rt_scenario_free(&scenario);
	}
}
END_TEST

/* A field, or an empty body, that is not ended but by a directive. */
START_TEST(directives_end_messages)
{
	read_good("@on /a\n" OK "A: b\n@on /b\n" OK "@expect 1\n");
	ck_assert_uint_eq(scenario.count, 3);
	assert_text(rule(0)->fields, "A: b\n");
	assert_body(rule(0), "");
	assert_body(rule(1), "");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(raw_messages_are_left_alone)
{
	static const char *const bytes[] =
		{"HTTP/2 abc\nContent-Length: x\n\nx\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx\n",
			"no HTTP at all\n", "\x01\x02\n", "two empty lines\n\n",
			"its line ends in\r\n"};

	for (int i = 0; i < COUNT(bytes); i++) {
		char text[200];

		/* an empty line more, which is not the message's */
		(void)snprintf(text, sizeof text,
			"@on /a\n@raw\n@times 2\n%s\n@on /b\n@echo\n",
			bytes[i]);
		read_good(text);
		ck_assert_uint_eq(scenario.count, 2);
		ck_assert(rule(0)->raw);
		ck_assert_uint_eq(rule(0)->times, 2);
		assert_body(rule(0), bytes[i]);
		ck_assert(!rule(1)->raw);
		assert_notices("");
		rt_scenario_free(&scenario);
	}
	/* of what follows it nothing is raw */
	read_good("@on\n@raw \"x\"\n@then\nHTTP/2 200\n\ny\n");
	ck_assert(rule(0)->raw && !rule(1)->raw);
	assert_body(rule(1), "y");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(frames_have_heads)
{
	static char text[70000], expected[70000];

	read_good("@on\n@frame text \"a\\x00b\"\n@raw \"-\"\n@frame ping\n"
		  "@frame close \"\\x03\\xe8\"\n@frame pong \"\"\n"
		  "@frame binary \"c\"\n");
	ck_assert(rule(0)->raw);
	assert_bytes(rule(0)->body, rule(0)->body_size,
		"\x81\x03"
		"a\0b-\x89\0\x88\x02\x03\xe8\x8a\0\x82\x01"
		"c",
		17);
	rt_scenario_free(&scenario);
	/* their lengths are known when they are filled in */
	read_good("@on\n@fill\n@frame text \"a {payload}\"\n@frame ping\n");
	assert_text(rule(0)->body,
		"{frame.text}a {payload}{frame.end}{frame.ping}{frame.end}");
	rt_scenario_free(&scenario);
	read_good("@on\n@if-frame text \"a\\x00\"\n@echo\n@then\n@echo\n"
		  "@on\n@if-frame close\n@echo\n");
	for (size_t i = 0; i < 2; i++)
		assert_bytes(rule(i)->if_body, rule(i)->if_body_size,
			"\x81\x02"
			"a",
			4);
	assert_text(rule(2)->if_body_begins, "\x88");
	/* none of HTTP */
	for (size_t i = 0; i < 3; i++)
		ck_assert(rule(i)->if_bytes);
	rt_scenario_free(&scenario);
	/* the first of what follows a head */
	read_good("@on\n@fill\n@next bytes\nHTTP/1.1 101 X\nA: {path}\n\n"
		  "@frame text \"{a}{{\"\n@frame ping\n@on\n@echo\n");
	ck_assert(!rule(0)->raw);
	ck_assert_int_eq(rule(0)->status, 101);
	assert_text(rule(0)->fields, "A: {path}\n");
	assert_bytes(rule(0)->body, rule(0)->body_size,
		"\x81\x05{{a}{{{{\x89\0", 12);
	rt_scenario_free(&scenario);
	/* a pause between them is where it is once the braces are filled in */
	read_good("@on\n@fill\n@next bytes\nHTTP/1.1 101 X\n\n"
		  "@part 9\n@frame text \"{a\"\n@part 20\n@frame ping\n");
	assert_bytes(rule(0)->body, rule(0)->body_size, "\x81\x02{{a\x89\0", 7);
	assert_text(rule(0)->parts, "0 9,5 20,");
	rt_scenario_free(&scenario);
	(void)snprintf(text, sizeof text, "@on\n@frame text \"%0126d\"\n", 7);
	(void)snprintf(expected, sizeof expected, "\x81\x7e%c\x7e%0126d", 0, 7);
	read_good(text);
	assert_bytes(rule(0)->body, rule(0)->body_size, expected, 130);
	rt_scenario_free(&scenario);
	(void)snprintf(text, sizeof text, "@on\n@frame text \"%065536d\"\n", 7);
	read_good(text);
	assert_bytes(rule(0)->body, 10, "\x81\x7f\0\0\0\0\0\x01\0\0", 10);
	ck_assert_uint_eq(rule(0)->body_size, 65546);
	rt_scenario_free(&scenario);
}
END_TEST

/* Where they end is what the file says. */
START_TEST(raw_messages_end)
{
	static const struct {
		const char *text; /* after "@on /\n@raw\n" */
		const char *body;
	} ends[] = {
		{"x", "x"},
		{"x\n", "x\n"},
		{"x\n\n", "x\n\n"},
		{"x\r\n\r\n", "x\r\n\r\n"},
		{"x\n@on\n@echo\n", "x\n"},
		{"x\n\n@on\n@echo\n", "x\n"},
		{"x\n\n\n@on\n@echo\n", "x\n\n"},
		{"x\r\n\r\n@on\n@echo\n", "x\r\n\r\n"},
		{"x\r\n\n@on\n@echo\n", "x\r\n"},
		{"x\n@@y\n\n@expect 1\n", "x\n@y\n"},
	};

	for (int i = 0; i < COUNT(ends); i++) {
		char text[100];

		(void)snprintf(text, sizeof text, "@on /\n@raw\n%s",
			ends[i].text);
		read_good(text);
		assert_body(rule(0), ends[i].body);
		assert_notices("");
		rt_scenario_free(&scenario);
	}
}
END_TEST

START_TEST(bytes_of_every_kind)
{
	static const char text[] =
		"@on\n" OK "\na\0b\xff\n@on\n@raw\nx\n\0y\xff\n";

	ck_assert_int_eq(read_text(text, sizeof text - 1, NULL), 0);
	assert_bytes(rule(0)->body, rule(0)->body_size, "a\0b\xff", 4);
	assert_bytes(rule(1)->body, rule(1)->body_size, "x\n\0y\xff\n", 6);
	rt_scenario_free(&scenario);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("messages");
	TCase *right = tcase_create("right");
	TCase *transcript = tcase_create("transcripts");
	const TTest *const texts[] = {notices_are_told_once, a_port_is_missed,
		a_method_is_in_capitals, a_path_has_asterisks,
		conditions_on_refusals, conditions_on_logins,
		bodies_with_asterisks, conditions_without_case,
		events_have_their_end, bodies_in_parts, raw_heads_have_an_end,
		shadows_are_told, directives_end_messages,
		raw_messages_are_left_alone, frames_have_heads,
		raw_messages_end, bytes_of_every_kind, NULL};

	tcase_add_test(transcript, transcripts);
	tcase_add_test(transcript, transcripts_of_kept_connections);
	tcase_add_test(transcript, transcripts_of_parentheses);
	tcase_add_test(transcript, transcripts_that_cannot_come_again);
	tcase_add_test(transcript, transcripts_without_a_request);
	rt_test_case(suite, transcript);
	tcase_add_loop_test(right, messages_are_made_right, 0, COUNT(messages));
	rt_test_case(suite, right);
	rt_test_list(suite, "messages", texts);
	return rt_test_run(suite);
}
