/* SPDX-License-Identifier: MIT */
/* Tests of proxy.c: headers of the PROXY protocol, cut at every byte. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn/proxy.h"
#include "support/harness.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define WAS "-" /* as it was: nobody is named */
#define BAD (-EBADMSG)
#define ALL (-1)
#define BYTES(text) text, sizeof(text) - 1
#define UNIX_108 \
	"123456789012345678901234567890123456789012345678901234" \
	"123456789012345678901234567890123456789012345678901234"

static const struct {
	const char *bytes;
	size_t size;
	int result; /* ALL: the size */
	const char *peer;
} rows[] = {
	/* version 1 */
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 65535 80\r\n"), ALL,
		"1.2.3.4:65535"},
	{BYTES("PROXY TCP6 ::1 fe80::1 0 80\r\n"), ALL, "[::1]:0"},
	{BYTES("PROXY UNKNOWN\r\n"), ALL, WAS},
	{BYTES("PROXY UNKNOWN any thing\r\n"), ALL, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 80 \r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 80 9\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n"), BAD, WAS},
	{BYTES("PROXY TCP4  1.2.3.4 5.6.7.8 1 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 01 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 65536 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 -1 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3 5.6.7.8 1 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 ::1 ::1 1 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP6 1.2.3.4 5.6.7.8 1 80\r\n"), BAD, WAS},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 80\n"), BAD, WAS},
	{BYTES("PROXY TCP4\r\n"), BAD, WAS},
	{BYTES("PROXY \r\n"), BAD, WAS},
	{BYTES("PROXY tcp4 1.2.3.4 5.6.7.8 1 80\r\n"), BAD, WAS},
	/* 107 bytes are the most */
	{BYTES("PROXY UNKNOWN " UNIX_108), BAD, WAS},
	{BYTES("PROXY UNKNOWN 12345678901234567890123456789012345678901234567890"
	       "12345678901234567890123456789012345678901\r\n"),
		ALL, WAS},
	{BYTES("PROXY UNKNOWN 12345678901234567890123456789012345678901234567890"
	       "123456789012345678901234567890123456789012\r\n"),
		BAD, WAS},
	{BYTES("GET / HTTP/1.1\r\n"), BAD, WAS},
	{BYTES("PUT"), BAD, WAS},
	{BYTES(""), 0, WAS},
	{BYTES("PROXY TCP4 1.2"), 0, WAS},
	/* version 2 */
	{BYTES(V2 "\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\x12\x34\0\x50"), ALL,
		"1.2.3.4:4660"},
	{BYTES(V2 "\x21\x12\0\x0e\1\2\3\4\5\6\7\x08\x12\x34\0\x50\4\0"), ALL,
		"1.2.3.4:4660"},
	{BYTES(V2 "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
		  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2"),
		ALL, "[::1]:1"},
	{BYTES(V2 "\x21\x31\0\xd8" UNIX_108 UNIX_108), ALL, "unix"},
	{BYTES(V2 "\x21\0\0\0"), ALL, WAS},
	{BYTES(V2 "\x20\0\0\0"), ALL, WAS},
	{BYTES(V2 "\x20\x11\0\x0c\1\2\3\4\5\6\7\x08\x12\x34\0\x50"), ALL, WAS},
	{BYTES(V2 "\x20\x11\0\1a"), ALL, WAS},
	{BYTES(V2 "\x21\x11\0\x0b\1\2\3\4\5\6\7\x08\x12\x34\0"), BAD, WAS},
	{BYTES(V2 "\x21\x21\0\x0c\1\2\3\4\5\6\7\x08\x12\x34\0\x50"), BAD, WAS},
	{BYTES(V2 "\x21\x41\0\0"), BAD, WAS},
	{BYTES(V2 "\x21\x13\0\0"), BAD, WAS},
	{BYTES(V2 "\x22\x11\0\0"), BAD, WAS},
	{BYTES(V2 "\x11\x11\0\0"), BAD, WAS},
	{BYTES(V2 "\x21\0\x10\x01"), BAD, WAS},
	{BYTES(V2 "\x21\0\x10\0"), 0, WAS},
	{BYTES("\r\n\r\n\0\r\nQUIX\n\x21\0\0\0"), BAD, WAS},
	{BYTES("\r\n"), 0, WAS},
};

/* In memory that ends with them. */
static int
read_first(const char *bytes, size_t size, struct rt_peer *peer)
{
	char *copy = malloc(size + (size == 0));
	int result;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, size);
	result = rt_proxy_read(copy, size, peer);
	free(copy);
	return result;
}

START_TEST(reads_headers)
{
	int expected =
		rows[_i].result == ALL ? (int)rows[_i].size : rows[_i].result;
	char text[RT_PEER_TEXT];

	for (size_t cut = 0; cut <= rows[_i].size; cut++) {
		struct rt_peer peer = {.family = 0};
		int result = read_first(rows[_i].bytes, cut, &peer);

		/* what is not there yet is not judged, unless it is bad */
		if (cut < rows[_i].size && result == BAD &&
			rows[_i].result == BAD)
			break;
		if (cut < rows[_i].size) {
			ck_assert_msg(result == 0, "cut at %zu: %d", cut,
				result);
			continue;
		}
		ck_assert_int_eq(result, expected);
		ck_assert_str_eq(rt_sock_peer_text(&peer, text), rows[_i].peer);
	}
	/* what follows it is not looked at */
	if (rows[_i].result == ALL) {
		struct rt_peer peer = {.family = 0};
		struct bytes more = {.data = NULL};

		bytes_add(&more, rows[_i].bytes, rows[_i].size);
		bytes_add(&more, "GET / HTTP/1.1\r\n", 16);
		ck_assert_int_eq(read_first(more.data, more.size, &peer),
			expected);
		ck_assert_str_eq(rt_sock_peer_text(&peer, text), rows[_i].peer);
		bytes_free(&more);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tcase = tcase_create("headers");

	tcase_add_loop_test(tcase, reads_headers, 0, COUNT(rows));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
