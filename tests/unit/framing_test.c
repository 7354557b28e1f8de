/* SPDX-License-Identifier: MIT */
/* Tests of framing.c: where a piece ends. */
#include "config.h"

#include "conn/framing.h"
#include "retort.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- from text --- */

static const struct {
	const char *text;
	bool right;
} words[] = {
	{NULL, true},
	{"lines", true},
	{"  lines ", true},
	{"crlf", true},
	{"mqtt", true},
	{"websocket", true},
	{"length 1", true},
	{"length 2", true},
	{"length 4", true},
	{"end \"x\"", true},
	{"end \t \"\\r\\n.\\r\\n\" ", true},
	{"end \"\\0\"", true},
	{"", false},
	{"line", false},
	{"LINES", false},
	{"lines lines", false},
	{"crlf 2", false},
	{"mqtt 4", false},
	{"websocket 13", false},
	{"length", false},
	{"length 0", false},
	{"length 3", false},
	{"length 5", false},
	{"length 8", false},
	{"length 2 2", false},
	{"length two", false},
	{"end", false},
	{"end \"\"", false},
	{"end x", false},
	{"end \"x", false},
	{"end \"x\" y", false},
	{"end \"x\"\"y\"", false},
	{"end \"\\q\"", false},
};

START_TEST(reads_words)
{
	struct rt_framing framing;
	char error[RETORT_ERROR_SIZE] = "", wanted[RETORT_ERROR_SIZE] = "";
	const char *text = words[_i].text;
	int code = rt_framing_read(&framing, text, error);

	ck_assert_msg(code == (words[_i].right ? 0 : -EINVAL),
		"'%s': %d, expected %s: %s", text ? text : "-", code,
		words[_i].right ? "0" : "-EINVAL", error);
	if (!words[_i].right)
		(void)snprintf(wanted, sizeof wanted,
			"framing: '%s': expected lines, crlf, end \"BYTES\" "
			"(at most 64), length 1, 2 or 4, mqtt or websocket",
			text);
	ck_assert_str_eq(error, wanted);
}
END_TEST

START_TEST(a_delimiter_has_a_bound)
{
	struct rt_framing framing;
	char text[200], error[RETORT_ERROR_SIZE] = "";

	(void)snprintf(text, sizeof text, "end \"%.*s\"", RT_MAX_DELIMITER,
		"0123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789");
	ck_assert_int_eq(rt_framing_read(&framing, text, error), 0);
	ck_assert_uint_eq(framing.size, RT_MAX_DELIMITER);
	(void)snprintf(text, sizeof text, "end \"%.*s\"", RT_MAX_DELIMITER + 1,
		"0123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789");
	ck_assert_int_eq(rt_framing_read(&framing, text, error), -EINVAL);
}
END_TEST

/* --- the first piece --- */

#define BYTES(text) text, sizeof(text) - 1

#define TEN "0123456789"

/* What is left after the pieces is none, or an error. */
static const struct {
	const char *framing;
	const char *bytes;
	size_t size;
	int pieces[8];
	int rest;
} streams[] = {
	{NULL, BYTES("all of it\n at once"), {18}, 0},
	{"lines", BYTES("a\nbc\r\n\n\nrest"), {2, 4, 1, 1}, 0},
	{"lines", BYTES("\0\n"), {2}, 0},
	{"crlf", BYTES("a\r\nb\nc\r\r\n\r\n\r"), {3, 6, 2}, 0},
	{"end \"\\r\\n.\\r\\n\"", BYTES("Hi\r\n.\r\n\r\n.\r\n.\r\n.\r\n.\r"),
		{7, 5, 6}, 0},
	{"end \"aab\"", BYTES("aaabaabaab"), {4, 3, 3}, 0},
	{"end \"\\0\"", BYTES("one\0\0two\0th"), {4, 1, 4}, 0},
	{"length 1", BYTES("\003abc\0\001x\002y"), {4, 1, 2}, 0},
	{"length 1", BYTES("\377"), {0}, 0},
	{"length 2", BYTES("\0\003abc\0\0\0\001x\1"), {5, 2, 3}, 0},
	{"length 2", BYTES("\377\376"), {0}, 0},
	{"length 2", BYTES("\377\377"), {0}, -EMSGSIZE},
	{"length 4", BYTES("\0\0\0\003abc\0\0\0\0\0\0\0\001x\0\0\1"), {7, 4, 5},
		0},
	{"length 4", BYTES("\0\0\377\374"), {0}, 0},
	{"length 4", BYTES("\0\0\377\375"), {0}, -EMSGSIZE},
	{"length 4", BYTES("\200\0\0\0"), {0}, -EMSGSIZE},
	{"length 4", BYTES("\377\377\377\377"), {0}, -EMSGSIZE},
	/* a PINGREQ, a packet of three bytes, one of a longer form */
	{"mqtt", BYTES("\300\0\060\003abc\060\203\0xyz\060"), {2, 5, 6}, 0},
	{"mqtt", BYTES("\060\200\200\200\0\060"), {5}, 0},
	{"mqtt", BYTES("\060\200\200\200\200"), {0}, -EBADMSG},
	{"mqtt", BYTES("\060\377\377\377\177"), {0}, -EMSGSIZE},
	/* 65532 and four bytes of head; 65533 */
	{"mqtt", BYTES("\060\374\377\003"), {0}, 0},
	{"mqtt", BYTES("\060\375\377\003"), {0}, -EMSGSIZE},
	/* a payload of three bytes, and of none; lengths of two and of eight
	   bytes, whatever they are */
	{"websocket", BYTES("\201\203maskabc\210\200mask\201\203mas"), {9, 6},
		0},
	{"websocket",
		BYTES("\202\376\0\176mask" TEN TEN TEN TEN TEN TEN TEN TEN TEN
				TEN TEN TEN "123456\202\376"),
		{134}, 0},
	/* lengths that fewer bytes could say */
	{"websocket", BYTES("\202\376\0\175mask"), {0}, -EBADMSG},
	{"websocket", BYTES("\202\377\0\0\0\0\0\0\377\377"), {0}, -EBADMSG},
	{"websocket", BYTES("\202\377\0\0\0\0\0\001\0\0"), {0}, -EMSGSIZE},
	/* a ping of 125 bytes, and a close of 126 */
	{"websocket", BYTES("\211\375"), {0}, 0},
	{"websocket", BYTES("\210\376\0\176"), {0}, -EBADMSG},
	/* 65528 and eight bytes before it; 65529 */
	{"websocket", BYTES("\201\376\377\370"), {0}, 0},
	{"websocket", BYTES("\201\376\377\371"), {0}, -EMSGSIZE},
	{"websocket", BYTES("\201\377\177\377\377\377\377\377\377\377"), {0},
		-EMSGSIZE},
	{"websocket", BYTES("\201\377\200\0\0\0\0\0\0\0"), {0}, -EBADMSG},
	/* without a mask */
	{"websocket", BYTES("\201\003abc"), {0}, -EBADMSG},
};

static void
must_be(const char *what, size_t cut, int got, int expected)
{
	ck_assert_msg(got == expected,
		"stream %s at cut %zu: the piece has %d bytes, expected %d",
		what, cut, got, expected);
}

/* At each cut the answer is "more", or what it is for all of the bytes. */
START_TEST(finds_pieces_at_every_cut)
{
	struct rt_framing framing;
	const char *at = streams[_i].bytes, *text = streams[_i].framing;
	size_t left = streams[_i].size;
	const int *piece = streams[_i].pieces;

	ck_assert_int_eq(rt_framing_read(&framing, text, NULL), 0);
	for (bool rest = false; !rest; piece++) {
		int expected = *piece != 0 ? *piece : streams[_i].rest;
		size_t known = 0;

		rest = *piece == 0;
		must_be(text, 0, rt_framing_next(&framing, at, left, 0),
			expected);
		if (text == NULL)
			break;
		for (size_t cut = 0; cut <= left; cut++) {
			int got = rt_framing_next(&framing, at, cut, 0);

			/* the same by steps of one byte */
			if (got == 0 || known < cut)
				must_be(text, cut,
					rt_framing_next(&framing, at, cut,
						known),
					got);
			if (got == 0)
				known = cut;
			if (got == 0 && (cut < left || expected == 0))
				ck_assert(expected <= 0 ||
					cut < (size_t)expected);
			else
				must_be(text, cut, got, expected);
		}
		at += *piece;
		left -= (size_t)*piece;
	}
}
END_TEST

/* As a server would send them (RFC 6455 5.7). */
static const struct {
	const char *framing;
	const char *bytes;
	size_t size;
	const char *left;
	size_t left_size;
} masked[] = {
	{"websocket", BYTES("\201\205\067\372\041\075\177\237\115\121\130"),
		BYTES("\201\005Hello")},
	{"websocket", BYTES("\212\2001234"), BYTES("\212\0")},
	{"websocket", BYTES("\001\376\0\002\377\377\0\0ab"),
		BYTES("\001\176\0\002\236\235")},
	{"websocket", BYTES("\202\377\0\0\0\0\0\0\0\001\0\0\0\0a"),
		BYTES("\202\177\0\0\0\0\0\0\0\001a")},
	{"lines", BYTES("\201\201\n"), BYTES("\201\201\n")},
};

START_TEST(masks_are_taken_off)
{
	struct rt_framing framing;
	char *bytes = malloc(masked[_i].size);
	size_t left;

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, masked[_i].bytes, masked[_i].size);
	ck_assert_int_eq(rt_framing_read(&framing, masked[_i].framing, NULL),
		0);
	left = rt_framing_unmask(&framing, bytes, masked[_i].size);
	assert_bytes(bytes, left, masked[_i].left, masked[_i].left_size);
	free(bytes);
}
END_TEST

START_TEST(a_piece_has_a_bound)
{
	static const char *const ends[] = {"lines", "crlf", "end \"abc\""};
	struct rt_framing framing;
	char *bytes = malloc(RT_MAX_PIECE + 1);
	size_t size;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'a', RT_MAX_PIECE + 1);
	ck_assert_int_eq(rt_framing_read(&framing, ends[_i], NULL), 0);
	size = framing.size;
	ck_assert_int_eq(rt_framing_next(&framing, bytes, RT_MAX_PIECE - 1, 0),
		0);
	ck_assert_int_eq(rt_framing_next(&framing, bytes, RT_MAX_PIECE, 0),
		-EMSGSIZE);
	ck_assert_int_eq(rt_framing_next(&framing, bytes, RT_MAX_PIECE,
				 RT_MAX_PIECE - 1),
		-EMSGSIZE);
	memcpy(bytes + RT_MAX_PIECE - size, framing.end, size);
	ck_assert_int_eq(rt_framing_next(&framing, bytes, RT_MAX_PIECE + 1, 0),
		RT_MAX_PIECE);
	/* one byte too late */
	memset(bytes, 'a', RT_MAX_PIECE + 1);
	memcpy(bytes + RT_MAX_PIECE + 1 - size, framing.end, size);
	ck_assert_int_eq(rt_framing_next(&framing, bytes, RT_MAX_PIECE + 1, 0),
		-EMSGSIZE);
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("framing");
	TCase *tcase = tcase_create("framing");

	tcase_add_loop_test(tcase, reads_words, 0, COUNT(words));
	tcase_add_test(tcase, a_delimiter_has_a_bound);
	tcase_add_loop_test(tcase, finds_pieces_at_every_cut, 0,
		COUNT(streams));
	tcase_add_loop_test(tcase, masks_are_taken_off, 0, COUNT(masked));
	tcase_add_loop_test(tcase, a_piece_has_a_bound, 0, 3);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
