/* SPDX-License-Identifier: MIT */
/* Tests of scenario_transcript.c: transcripts as scenarios. */
#include "config.h"

#include "support/harness.h"
#include "unit/scenarios.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	ck_assert_uint_eq(scenario.items[0].line, 1);
	ck_assert_uint_eq(scenario.items[1].line, 13);
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

#define MADE_SKIP "a connection is left out: no request that can come again\n"

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
			scenario.items[i].line);
		found += strcmp(rule(i)->request, "GET /b") == 0;
	}
	ck_assert_uint_eq(found, 1);
	rt_scenario_free(&scenario);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario");
	TCase *transcript = tcase_create("transcripts");

	tcase_add_test(transcript, transcripts);
	tcase_add_test(transcript, transcripts_of_parentheses);
	tcase_add_test(transcript, transcripts_that_cannot_come_again);
	tcase_add_test(transcript, transcripts_without_a_request);
	rt_test_case(suite, transcript);
	return rt_test_run(suite);
}
