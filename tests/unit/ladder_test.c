/* SPDX-License-Identifier: MIT */
/* Tests of ladder.c, ladder_text.c and ladder_html.c: transcripts as
   pictures. */
#include "config.h"

#include "show/ladder.h"
#include "support/harness.h"
#include "support/serving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ladders
read_text(const char *text, size_t size)
{
	struct ladders ladders = {.version = "1.2", .verdict = ""};
	char why[200] = "";
	int code = ladders_read(&ladders, "t", text, size, why, sizeof why);

	ck_assert_msg(code == 0, "%d: %s", code, why);
	return ladders;
}

static struct bytes
draw(const struct ladders *ladders, int columns, bool html)
{
	const struct ladder_look look = {.columns = columns, .ascii = true};
	struct bytes got = {.data = NULL};
	FILE *file = open_memstream(&got.data, &got.size);

	ck_assert_ptr_nonnull(file);
	if (html)
		ladders_write_html(file, ladders);
	else
		ladders_write_text(file, ladders, &look);
	ck_assert_int_eq(fclose(file), 0);
	return got;
}

/* --- text --- */

#define FROM "connection 1 from 127.0.0.1:5 "
#define SIDES "\n\n     ms  client                    server\n"

static const struct {
	const char *name;
	const char *text;
	const char *expected;
} drawings[] = {
	{"an exchange",
		FROM "[cut 9 fin]\n"
		     "       0.000 < GET /\\r\\n\n"
		     "       0.000 < \\r\\n\n"
		     "       1.002 > HTTP/1.1\n"
		     "       1.002 > (FIN)\n"
		     "       1.100 < (FIN)\n"
		     "       1.100 - (closed)\n",
		"connection 1 from 127.0.0.1:5" SIDES
		"     0.000 | GET /\\r\\n               |\n"
		"           | \\r\\n                    |\n"
		"           |------- 9 bytes -------->|\n"
		"           :          1 ms           :\n"
		"     1.002 |                HTTP/1.1 |\n"
		"           |<------- 8 bytes --------|\n"
		"           |        fault: cut 9 fin |\n"
		"     1.002 |<--------- FIN ----------|\n"
		"     1.100 |--------- FIN ---------->|\n"
		"     1.100 |                  closed |\n"},
	/* a fault of one exchange, not of the other; where each is seen */
	{"two exchanges",
		FROM "\n"
		     "       0.000 < a\n"
		     "       0.000 > b\n"
		     "       0.000 < c\n"
		     "       0.000 - [status 404; cut \"x; y\" reset]\n"
		     "       0.000 > d\n"
		     "       0.000 > (RST)\n",
		"connection 1 from 127.0.0.1:5 " SIDES
		"     0.000 | a                       |\n"
		"           |-------- 1 byte -------->|\n"
		"     0.000 |                       b |\n"
		"           |<-------- 1 byte --------|\n"
		"     0.000 | c                       |\n"
		"           |-------- 1 byte -------->|\n"
		"     0.000 |                       d |\n"
		"           |       fault: status 404 |\n"
		"           |<-------- 1 byte --------|\n"
		"           | fault: cut \"x; y\" reset |\n"
		"     0.000 |X--------- RST ----------|\n"},
	/* pauses have a row for each digit, and the fault its own */
	{"pauses",
		FROM "[pause 600]\n"
		     "       0.000 < a\n"
		     "       0.999 < b\n"
		     "      10.998 > c\n"
		     "      20.998 > d\n"
		     "     620.998 > e\n"
		     "     720.997 > f\n",
		"connection 1 from 127.0.0.1:5" SIDES
		"     0.000 | a                       |\n"
		"           |-------- 1 byte -------->|\n"
		"     0.999 | b                       |\n"
		"           |-------- 1 byte -------->|\n"
		"           :          9 ms           :\n"
		"    10.998 |                       c |\n"
		"           |<-------- 1 byte --------|\n"
		"           :                         :\n"
		"           :          10 ms          :\n"
		"    20.998 |                       d |\n"
		"           |<-------- 1 byte --------|\n"
		"           :                         :\n"
		"           :         600 ms          :\n"
		"           :                         :\n"
		"   620.998 |                       e |\n"
		"           |        fault: pause 600 |\n"
		"           |<-------- 1 byte --------|\n"
		"           :                         :\n"
		"           :          99 ms          :\n"
		"   720.997 |                       f |\n"
		"           |<-------- 1 byte --------|\n"},
	{"datagrams, of which one is empty",
		"connection 7 from [::1]:9\n"
		"       0.000 < (empty)\n"
		"       0.001 > x\n",
		"connection 7 from [::1]:9" SIDES
		"     0.000 |-------- empty --------->|\n"
		"     0.001 |                       x |\n"
		"           |<-------- 1 byte --------|\n"},
	{"a handshake of TLS",
		FROM "\n"
		     "       0.000 < (TLS: 517 bytes)\n"
		     "       0.000 > (TLS: 99 bytes)\n"
		     "       0.000 - (TLS: TLSv1.3, A, SNI \\xff(x))\n"
		     "       0.000 < a\n",
		"connection 1 from 127.0.0.1:5 " SIDES
		"     0.000 |---- TLS: 517 bytes ---->|\n"
		"     0.000 |<---- TLS: 99 bytes -----|\n"
		"     0.000 | TLS: TLSv1.3, A, SNI \\x |\n"
		"           | ff(x)                   |\n"
		"     0.000 | a                       |\n"
		"           |-------- 1 byte -------->|\n"},
	{"bytes that were not kept",
		FROM "\n"
		     "       0.000 < ab\n"
		     "             < ... 4096 more bytes\n"
		     "       0.000 < c\n"
		     "             > ... 1 more bytes\n",
		"connection 1 from 127.0.0.1:5 " SIDES
		"     0.000 | ab                      |\n"
		"           | ...                     |\n"
		"           |------ 4098 bytes ------>|\n"
		"     0.000 | c                       |\n"
		"           |-------- 1 byte -------->|\n"
		"     0.000 |                     ... |\n"
		"           |<-------- 1 byte --------|\n"},
	{"long lines, and what is no ASCII",
		FROM "\n"
		     "       0.000 < 0123456789012345678901234\\n\n"
		     "       0.000 > \\xff\\x00\33\n",
		"connection 1 from 127.0.0.1:5 " SIDES
		"     0.000 | 01234567890123456789012 |\n"
		"           | 34\\n                    |\n"
		"           |------- 26 bytes ------->|\n"
		"     0.000 |            \\xff\\x00\\x1b |\n"
		"           |<------- 3 bytes --------|\n"},
	{"two connections",
		"connection 1 from a\n"
		"       0.000 - (closed)\n"
		"\n"
		"connection 2 from b\n",
		"connection 1 from a" SIDES
		"     0.000 |                  closed |\n"
		"\n"
		"connection 2 from b" SIDES},
};

static void
is_drawn(int i)
{
	const char *text = drawings[i].text, *expected = drawings[i].expected;
	struct ladders ladders = read_text(text, strlen(text));
	struct bytes got = draw(&ladders, 42, false);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
	ladders_free(&ladders);
}

START_TEST(says_what_failed)
{
	struct ladders ladders = read_text("connection 1 from a\n", 20);
	struct bytes got;

	ladders.verdict = "s.retort:1 (GET /\33): expected 1\n  got: <b>\n";
	got = draw(&ladders, 80, false);
	assert_begins(got,
		"not as expected:\n"
		"s.retort:1 (GET /\\u001b): expected 1\n  got: <b>\n\n"
		"connection 1 from a\n");
	bytes_free(&got);
	got = draw(&ladders, 80, true);
	assert_has(got, "<h1>Not as expected: 1 connection</h1>");
	assert_has(got, "(GET /\\u001b): expected 1\n  got: &lt;b&gt;\n");
	bytes_free(&got);
	ladders_free(&ladders);
}
END_TEST

/* --- a page --- */

#define NASTY \
	"connection 1 from <script> [<script>]\n" \
	"       0.000 < <script>\\x00\\x1b[31m\\xe2\\x80\\xae\\\\x\\r\\n\n" \
	"       0.000 > \\xc3\\xa9 \\xff\n" \
	"       9.000 > (RST)\n"

START_TEST(text_is_no_markup)
{
	struct ladders ladders = read_text(NASTY, strlen(NASTY));
	struct bytes got = draw(&ladders, 80, true);

	assert_lacks(got, "<script");
	assert_has(got, "<h2>connection 1 from &lt;script&gt;</h2>");
	assert_has(got, "fault: <code>&lt;script&gt;</code>");
	assert_has(got,
		"<pre>&lt;script&gt;\\u0000\\u001b[31m\\u202e\\x<i>\\r\\n</i>\n"
		"</pre>");
	assert_has(got, "<pre>\303\251 \\xff\n</pre>");
	assert_has(got, "server: RST, 9.000 ms");
	assert_has(got, "height=\"20\"");
	assert_has(got, "pause: 9 ms");
	bytes_free(&got);
	ladders_free(&ladders);
}
END_TEST

/* A file that we have not made: whatever is in it, what is drawn is plain. */
START_TEST(all_is_data)
{
	static const char head[] = "connection 1 from a\n       0.000 < ";
	const size_t size = 1 << 20, begin = strlen(head);
	char *text = malloc(size);

	ck_assert_ptr_nonnull(text);
	memcpy(text, head, begin);
	for (size_t i = begin; i < size; i++)
		text[i] = (char)(i % 256 == '\n' ? '\0' : i % 256);
	for (int html = 0; html < 2; html++) {
		struct ladders ladders = read_text(text, size);
		struct bytes got = draw(&ladders, 80, html);

		assert_lacks(got, "<script");
		for (size_t i = 0; i < got.size; i++)
			if (got.data[i] != '\n' &&
				(!html || got.data[i] != '\t') &&
				(got.data[i] & 0xff) < ' ')
				ck_abort_msg("byte %zu: %s", i,
					shown(got.data + i, 1));
		ck_assert_msg(html || got.size < 20000, "%zu bytes", got.size);
		bytes_free(&got);
		ladders_free(&ladders);
	}
	free(text);
}
END_TEST

/* --- mistakes --- */

static const struct {
	const char *text;
	const char *error;
} mistakes[] = {
	{"", "t:1: expected a transcript, which begins with connection N"},
	{"@on GET /\n",
		"t:1: expected a transcript, which begins with connection N"},
	{"connection 1 from a\n\n       x < a\n",
		"t:3: expected a line of a transcript"},
	{FROM "\n       0.00 < a\n", "t:2: expected a line of a transcript"},
	{FROM "\n       0.000 ! a\n", "t:2: expected a line of a transcript"},
	{FROM "\n       0.000 <\n", "t:2: expected a line of a transcript"},
	{FROM "\n       0.000 - a\n", "t:2: expected a line of a transcript"},
	{FROM "\n       0.000 - ()\n", "t:2: expected a line of a transcript"},
	{FROM "\n       0.000 - []\n", "t:2: expected a line of a transcript"},
	{FROM "\n  99999999999999999.000 < a\n",
		"t:2: expected a line of a transcript"},
	{FROM "\n < ... x more bytes\n",
		"t:2: expected a line of a transcript"},
	{FROM "\n < ... 0 more bytes\n       0.000 < a\n",
		"t:2: expected a line of a transcript"},
	{FROM "\n < ... 5 more\n", "t:2: expected a line of a transcript"},
};

/* NUL is no mark, though it ends every string of them. */
START_TEST(a_nul_is_a_mistake)
{
	static const char text[] = FROM "\n       0.000 \0 a\n";
	struct ladders ladders = {.version = ""};
	char why[200] = "";

	ck_assert_int_eq(ladders_read(&ladders, "t", text, sizeof text - 1, why,
				 sizeof why),
		-EINVAL);
	ck_assert_str_eq(why, "t:2: expected a line of a transcript");
	ladders_free(&ladders);
}
END_TEST

START_TEST(mistakes_are_told)
{
	struct ladders ladders = {.version = ""};
	char why[200] = "";

	ck_assert_int_eq(ladders_read(&ladders, "t", mistakes[_i].text,
				 strlen(mistakes[_i].text), why, sizeof why),
		-EINVAL);
	ck_assert_str_eq(why, mistakes[_i].error);
	ladders_free(&ladders);
}
END_TEST

START_TEST(is_found_in_a_verdict)
{
	static const char text[] = "s:1: expected 1\n  connection 1 from a\n"
				   "connection x from a\nconnection 2 to a\n"
				   "connection 12 from a\n"
				   "       0.000 < connection 3 from a\n";
	const char *at = ladder_find(text);

	ck_assert_ptr_eq(at, strstr(text, "connection 12"));
	ck_assert_ptr_null(ladder_find(at + 1));
	ck_assert_ptr_null(ladder_find(""));
}
END_TEST

/* Wherever it is cut off, or one byte is another. */
START_TEST(reads_whatever_comes)
{
	static const char bytes[] = "\n [\\-<";
	char text[sizeof NASTY], why[200];

	for (size_t i = 0; i < sizeof NASTY; i++)
		for (int k = 0; k < COUNT(bytes); k++) {
			struct ladders ladders = {.version = "", .verdict = ""};
			size_t size = bytes[k] == '\0' ? i : strlen(NASTY);
			struct bytes got;

			if (rt_test_thin())
				continue;
			memcpy(text, NASTY, sizeof text);
			text[i] = bytes[k];
			(void)ladders_read(&ladders, "t", text, size, why,
				sizeof why);
			got = draw(&ladders, 80, k % 2);
			bytes_free(&got);
			ladders_free(&ladders);
		}
}
END_TEST

START_TEST(lacks_memory)
{
	const char *text = drawings[1].text;
	int code = -ENOMEM;
	size_t n = 0;

	for (n = 1; code == -ENOMEM; n++) {
		struct ladders ladders = {.version = ""};
		char why[200];

		allocations = 0;
		fail_at = n;
		code = ladders_read(&ladders, "t", text, strlen(text), why,
			sizeof why);
		fail_at = 0;
		ladders_free(&ladders);
	}
	ck_assert_int_eq(code, 0);
	ck_assert_uint_gt(n, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ladder");
	TCase *tcase = tcase_create("text");

	for (int i = 0; i < COUNT(drawings); i++)
		rt_test_row(tcase, drawings[i].name, is_drawn, i);
	tcase_add_test(tcase, says_what_failed);
	rt_test_case(suite, tcase);
	tcase = tcase_create("page");
	tcase_add_test(tcase, text_is_no_markup);
	tcase_add_test(tcase, all_is_data);
	rt_test_case(suite, tcase);
	tcase = tcase_create("mistakes");
	tcase_add_loop_test(tcase, mistakes_are_told, 0, COUNT(mistakes));
	tcase_add_test(tcase, a_nul_is_a_mistake);
	tcase_add_test(tcase, is_found_in_a_verdict);
	tcase_add_test(tcase, reads_whatever_comes);
	tcase_add_test(tcase, lacks_memory);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
