/* SPDX-License-Identifier: MIT */
/* Tests of match.c: which requests fit, and in which words others do not. */
#include "config.h"

#include "match/match.h"
#include "support/harness.h"
#include "unit/matching.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what fits, and why something does not --- */

static bool
says(void *arg, const struct retort_exchange *seen)
{
	ck_assert_ptr_nonnull(seen);
	return *(bool *)arg;
}

static bool yes = true, no = false;

#define R(text) .when = {.request = (text)}

static const struct situation requests[] = {
	/* methods */
	{R("GET"), "GET /", .why = NULL},
	{R("GET"), "GET /any?thing", .why = NULL},
	{R("GET"), "GET *", .why = NULL},
	{R("GET"), "HEAD /", .why = "method differs from rule 2 \"GET\""},
	{R("GET"), "get /", .why = "method differs from rule 2 \"GET\""},
	{R("GET"), "GETS /", .why = "method differs from rule 2 \"GET\""},
	{R("M-SEARCH"), "M-SEARCH /", .why = NULL},
	{R("*"), "FROB /x", .why = NULL},
	{R(NULL), "FROB /x", .why = NULL},
	{R("* /x"), "FROB /x", .why = NULL},
	{R("* /x"), "FROB /y",
		.why = "path differs from rule 2 \"/x\" at byte 1"},
	{R("GET *"), "GET /x?y", .why = NULL},
	{R("GET *"), "PUT /x?y", .why = "method differs from rule 2 \"GET\""},
	{R("* *"), "PUT /x?y", .why = NULL},
	/* exact paths */
	{R("/"), "GET /", .why = NULL},
	{R("/"), "GET /x", .why = "path differs from rule 2 \"/\" at byte 1"},
	{R("/users/1"), "GET /users/1", .why = NULL},
	{R("GET /users/1"), "GET /users/1", .why = NULL},
	{R("/users/1"), "GET /users/",
		.why = "path differs from rule 2 \"/users/1\" at byte 7"},
	{R("/users/1"), "GET /users/12",
		.why = "path differs from rule 2 \"/users/1\" at byte 8"},
	{R("/users/1"), "GET /Users/1",
		.why = "path differs from rule 2 \"/users/1\" at byte 1"},
	{R("/a"), "GET /%61", .why = NULL},
	{R("/%61"), "GET /%61", .why = NULL},
	{R("/a/../b"), "GET /b",
		.why = "path differs from rule 2 \"/a/../b\" at byte 1"},
	{R("/a"), "GET *", .why = "path differs from rule 2 \"/a\" at byte 0"},
	/* the path weighs more, but the method is told first */
	{R("GET /a"), "PUT /b", .why = "method differs from rule 2 \"GET\""},
	/* without "?" the query does not matter */
	{R("/a"), "GET /a?", .why = NULL},
	{R("/a"), "GET /a?b=c/d", .why = NULL},
	/* globs */
	{R("/users/*"), "GET /users/1", .why = NULL},
	{R("/users/*"), "GET /users/", .why = NULL},
	{R("/users/*"), "GET /users/1/a/b", .why = NULL},
	{R("/users/*"), "GET /users",
		.why = "path differs from rule 2 \"/users/*\" at byte 6"},
	{R("/*"), "GET /", .why = NULL},
	{R("/*"), "OPTIONS *",
		.why = "path differs from rule 2 \"/*\" at byte 0"},
	{R("GET */x"), "GET /a/x", .why = NULL},
	{R("GET */x"), "GET /x", .why = NULL},
	{R("GET */x"), "GET /xx",
		.why = "path differs from rule 2 \"*/x\" at byte 0"},
	{R("/a*b"), "GET /ab", .why = NULL},
	{R("/a*b"), "GET /abab", .why = NULL},
	{R("/a*b"), "GET /aba",
		.why = "path differs from rule 2 \"/a*b\" at byte 2"},
	{R("/*/x/*/y"), "GET /1/x/2/y", .why = NULL},
	{R("/*/x/*/y"), "GET /x/x/y/y/y", .why = NULL},
	{R("/*/x/*/y"), "GET /1/x/y",
		.why = "path differs from rule 2 \"/*/x/*/y\" at byte 1"},
	{R("/**"), "GET /", .why = NULL},
	{R("/a**b***"), "GET /a--b--", .why = NULL},
	{R("/*a"), "GET /aab",
		.why = "path differs from rule 2 \"/*a\" at byte 1"},
	{R("/*aab"), "GET /aaaab", .why = NULL},
	{R("/*abac*"), "GET /ababac", .why = NULL},
	{R("/*"), "GET /a?b", .why = NULL},
	{R("/*b"), "GET /a?b",
		.why = "path differs from rule 2 \"/*b\" at byte 1"},
	/* absolute-form and authority-form */
	{R("/a"), "GET http://x/a", .why = NULL},
	{R("/a"), "GET http://x:80/a?b", .why = NULL},
	{R("/a"), "GET https://[::1]/a", .why = NULL},
	{R("/"), "GET http://x", .why = NULL},
	{R("/"), "GET http://x?a", .why = NULL},
	{R("/?a"), "GET http://x?a", .why = NULL},
	{R("/a"), "GET http://x/b",
		.why = "path differs from rule 2 \"/a\" at byte 1"},
	{R("/a://b/c"), "GET /a://b/c", .why = NULL},
	{R("/a"), "GET ftp://u@x/a;type=i",
		.why = "path differs from rule 2 \"/a\" at byte 2"},
	{R("GET ftp://x/*"), "GET ftp://x/a?b", .why = NULL},
	{R("http://x/a?b"), "GET http://x/a?b", .why = NULL},
	{R("http://x/a"), "GET http://y/a",
		.why = "path differs from rule 2 \"http://x/a\" at byte 7"},
	{R("http://x/a"), "GET /a",
		.why = "path differs from rule 2 \"http://x/a\" at byte 0"},
	{R("CONNECT"), "CONNECT x:80", .why = NULL},
	{R("CONNECT x:80"), "CONNECT x:80", .why = NULL},
	{R("CONNECT *:80"), "CONNECT x:80", .why = NULL},
	{R("CONNECT x:*"), "CONNECT x:80", .why = NULL},
	{R("CONNECT x:80"), "CONNECT y:80",
		.why = "path differs from rule 2 \"x:80\" at byte 0"},
	/* what did not come */
	{R("GET"), NULL, .why = "method differs from rule 2 \"GET\""},
	{R("/a"), NULL, .why = "path differs from rule 2 \"/a\" at byte 0"},
	{R("*"), NULL, .why = NULL},
	{R("GET *?a"), NULL, .why = "method differs from rule 2 \"GET\""},
	{R("* *?a"), NULL,
		.why = "query differs from rule 2: no parameter \"a\""},
};

#define Q(text, ...) .when = {.request = (text), __VA_ARGS__}

static const struct situation queries[] = {
	{R("/?a=1"), "GET /?a=1", .why = NULL},
	{R("/?a=1"), "GET /?b=2&a=1&c", .why = NULL},
	{R("/?a=1&b=2"), "GET /?b=2&a=1", .why = NULL},
	{R("/?a=1&b=2"), "GET /?a=1",
		.why = "query differs from rule 2: no parameter \"b=2\""},
	{R("/?a=1&b=2"), "GET /?b=2",
		.why = "query differs from rule 2: no parameter \"a=1\""},
	{R("/?a=1"), "GET /",
		.why = "query differs from rule 2: no parameter \"a=1\""},
	{R("/?a=1"), "GET /?",
		.why = "query differs from rule 2: no parameter \"a=1\""},
	{R("/?a=1"), "GET /?a=10",
		.why = "query differs from rule 2: no parameter \"a=1\": got \"10\""},
	{R("/?a=10"), "GET /?a=1",
		.why = "query differs from rule 2: no parameter \"a=10\": got \"1\""},
	{R("/?a=1"), "GET /?A=1",
		.why = "query differs from rule 2: no parameter \"a=1\""},
	{R("/?a"), "GET /?a", .why = NULL},
	{R("/?a"), "GET /?a=",
		.why = "query differs from rule 2: no parameter \"a\": got \"\""},
	{R("/?a="), "GET /?a=", .why = NULL},
	{R("/?"), "GET /", .why = NULL},
	{R("/?"), "GET /?a", .why = NULL},
	{R("/?&a&&b&"), "GET /?b&&&a&", .why = NULL},
	{R("/?a=1&a=2"), "GET /?a=2&a=1", .why = NULL},
	{R("/?a=1&a=2"), "GET /?a=1&a=1",
		.why = "query differs from rule 2: no parameter \"a=2\": got \"1\", \"1\""},
	{R("/?a=b?c=/d"), "GET /?a=b?c=/d", .why = NULL},
	/* encoded on either side */
	{R("/?a=%62"), "GET /?a=b", .why = NULL},
	{R("/?a=b"), "GET /?%61=%62", .why = NULL},
	{R("/?a=%2f"), "GET /?a=%2F", .why = NULL},
	{R("/?a=%2f"), "GET /?a=/", .why = NULL},
	{R("/?a=1%262"), "GET /?a=1%262", .why = NULL},
	{R("/?a=1%262"), "GET /?a=1&2",
		.why = "query differs from rule 2: no parameter \"a=1%262\": got \"1\""},
	{R("/?a=%00b"), "GET /?a=%00b", .why = NULL},
	{R("/?a=%00b"), "GET /?a=%00c",
		.why = "query differs from rule 2: no parameter \"a=%00b\": got \"%00c\""},
	{R("/?a=%"), "GET /?a=%25", .why = NULL},
	{R("/?a=%4"), "GET /?a=%4", .why = NULL},
	{R("/?a=%4"), "GET /?a=%41",
		.why = "query differs from rule 2: no parameter \"a=%4\": got \"%41\""},
	{R("/?a=%zz"), "GET /?a=%zz", .why = NULL},
	{R("/?a=%g1"), "GET /?a=%61",
		.why = "query differs from rule 2: no parameter \"a=%g1\": got \"%61\""},
	{R("/?a=\x80"), "GET /?a=%80", .why = NULL},
	{R("/?a=+"), "GET /?a=%20",
		.why = "query differs from rule 2: no parameter \"a=+\": got \"%20\""},
	/* an asterisk stands for any bytes, or for itself when encoded */
	{R("/?a=*"), "GET /?a=*", .why = NULL},
	{R("/?a=*"), "GET /?a=b", .why = NULL},
	{R("/?a=*"), "GET /?a=", .why = NULL},
	{R("/?a=*"), "GET /?a", .why = NULL},
	{R("/?a=**"), "GET /?a",
		.why = "query differs from rule 2: no parameter \"a=**\": got "
		       "no value"},
	{R("/?a=*"), "GET /?ab=c",
		.why = "query differs from rule 2: no parameter \"a=*\""},
	{R("/?a=b*d"), "GET /?a=bccd", .why = NULL},
	{R("/?a=b*d"), "GET /?a=b%64", .why = NULL},
	{R("/?a=b*d"), "GET /?a=bcde",
		.why = "query differs from rule 2: no parameter \"a=b*d\": "
		       "got \"bcde\""},
	{R("/?utm_*=*&b"), "GET /?b&utm_x=y", .why = NULL},
	{R("/?a=%2A"), "GET /?a=*", .why = NULL},
	{R("/?a=%2a"), "GET /?a=b",
		.why = "query differs from rule 2: no parameter \"a=%2a\": "
		       "got \"b\""},
	/* without this one */
	{Q("/", .if_query_absent = "a"), "GET /", .why = NULL},
	{Q("/", .if_query_absent = "a"), "GET /?b=a&A", .why = NULL},
	{Q("/", .if_query_absent = "a"), "GET /?b&%61",
		.why = "parameter that rule 2 wants absent: \"%61\""},
	{Q("/?c", .if_query_absent = "a\nb*\r\n"), "GET /?c&bcd=e",
		.why = "parameter that rule 2 wants absent: \"bcd\" of "
		       "value \"e\""},
	{Q("/?c", .if_query_absent = "a"), "GET /?a",
		.why = "query differs from rule 2: no parameter \"c\""},
	/* and with no others */
	{Q("/", .if_query_only = true), "GET /", .why = NULL},
	{Q("/", .if_query_only = true), "GET /?", .why = NULL},
	{Q("/", .if_query_only = true), "GET /?&&", .why = NULL},
	{Q("/", .if_query_only = true), "GET /?a",
		.why = "parameter that rule 2 does not have: \"a\""},
	{Q("/?a=1&b=*", .if_query_only = true), "GET /?b=2&a=1", .why = NULL},
	{Q("/?a=1&b=*", .if_query_only = true), "GET /?b=2&a=1&c=3",
		.why = "parameter that rule 2 does not have: \"c\" of "
		       "value \"3\""},
	{Q("/?a=1", .if_query_only = true), "GET /?a=1&a=1",
		.why = "query differs from rule 2: got 2 parameters, not 1"},
	{Q("/?a=*&a=1", .if_query_only = true), "GET /?a=1&a=2", .why = NULL},
	{Q("/?a=1", .if_query_only = true), "GET /?b",
		.why = "query differs from rule 2: no parameter \"a=1\""},
	/* the path is told first */
	{R("/a?b"), "GET /c",
		.why = "path differs from rule 2 \"/a\" at byte 1"},
};

static const struct situation fields[] = {
	{.when = {.if_field = "A: b"}, POST_IT, "A: b", .why = NULL},
	{.when = {.if_field = "a:b  "}, POST_IT, "A: b", .why = NULL},
	{.when = {.if_field = "A: b"}, POST_IT, "X: y\na: b", .why = NULL},
	{.when = {.if_field = "A: b"},
		POST_IT,
		"A: c\nA: b\nA: d",
		.why = NULL},
	{.when = {.if_field = "A: b\nA: c"},
		POST_IT,
		"A: c\nA: b",
		.why = NULL},
	{.when = {.if_field = "A: b\r\n\r\nC: d\r\n"},
		POST_IT,
		"C: d\nA: b",
		.why = NULL},
	{.when = {.if_field = "A:"}, POST_IT, "A: ", .why = NULL},
	{.when = {.if_field = ""}, POST_IT, "A: b", .why = NULL},
	{.when = {.if_field = "A: b"},
		POST_IT,
		NULL,
		.why = "field differs from rule 2 \"A: b\": no such field"},
	{.when = {.if_field = "A: b"},
		POST_IT,
		"AA: b",
		.why = "field differs from rule 2 \"A: b\": no such field"},
	{.when = {.if_field = "A: b"},
		POST_IT,
		"A: B",
		.why = "field differs from rule 2 \"A: b\": got \"B\""},
	{.when = {.if_field = "A: b"},
		POST_IT,
		"A: bc",
		.why = "field differs from rule 2 \"A: b\": got \"bc\""},
	{.when = {.if_field = "A: bc"},
		POST_IT,
		"A: b",
		.why = "field differs from rule 2 \"A: bc\": got \"b\""},
	{.when = {.if_field = "A: b"},
		POST_IT,
		"A: \na: c\nX: b",
		.why = "field differs from rule 2 \"A: b\": got \"\", \"c\""},
	{.when = {.if_field = "A:"},
		POST_IT,
		"A: b",
		.why = "field differs from rule 2 \"A:\": got \"b\""},
	/* the first that differs is told, one line alone */
	{.when = {.if_field = "A: b\nC: d\nE: f"},
		POST_IT,
		"A: b\nC: x\nE: x",
		.why = "field differs from rule 2 \"C: d\": got \"x\""},
	{.when = {.if_field = "A: b"},
		POST_IT,
		"A: \x80\"\\\t",
		.why = "field differs from rule 2 \"A: b\": got "
		       "\"\\x80\\\"\\\\\\x09\""},
	/* a part of a value */
	{.when = {.if_contains = "A: b"}, POST_IT, "A: abc", .why = NULL},
	{.when = {.if_contains = "a: abc"}, POST_IT, "A: abc", .why = NULL},
	{.when = {.if_contains = "A: c"}, POST_IT, "A: ab\nA: bc", .why = NULL},
	{.when = {.if_contains = "A:"}, POST_IT, "A: b", .why = NULL},
	{.when = {.if_contains = "A:"}, POST_IT, "A: ", .why = NULL},
	{.when = {.if_contains = "A: b\nC: d"},
		POST_IT,
		"C: xdx\nA: b",
		.why = NULL},
	{.when = {.if_contains = "A: aab"}, POST_IT, "A: aaab", .why = NULL},
	{.when = {.if_contains = "A: b"},
		POST_IT,
		"X: b",
		.why = "field differs from rule 2 \"A: b\": no such field"},
	{.when = {.if_contains = "A:"},
		POST_IT,
		NULL,
		.why = "field differs from rule 2 \"A:\": no such field"},
	{.when = {.if_contains = "A: B"},
		POST_IT,
		"A: abc\nA: d",
		.why = "field differs from rule 2 \"A: B\": got \"abc\", "
		       "\"d\""},
	{.when = {.if_contains = "A: abcd"},
		POST_IT,
		"A: abc",
		.why = "field differs from rule 2 \"A: abcd\": got \"abc\""},
	/* none of that name */
	{.when = {.if_absent = "A"}, POST_IT, NULL, .why = NULL},
	{.when = {.if_absent = "A\nB"}, POST_IT, "C: A\nAA: b", .why = NULL},
	{.when = {.if_absent = "A"},
		POST_IT,
		"a: ",
		.why = "field that rule 2 wants absent: \"A\""},
	{.when = {.if_absent = "X\r\nA\n"},
		POST_IT,
		"B: c\nA: b",
		.why = "field that rule 2 wants absent: \"A\""},
	/* of several conditions the first that is not met is told */
	{.when = {.if_field = "A: b", .if_contains = "C: d", .if_absent = "E"},
		POST_IT,
		"A: b\nC: xd",
		.why = NULL},
	{.when = {.if_field = "A: b", .if_contains = "C: d", .if_absent = "E"},
		POST_IT,
		"A: b\nC: x\nE: f",
		.why = "field differs from rule 2 \"C: d\": got \"x\""},
	{.when = {.request = "GET", .if_field = "A: b"},
		POST_IT,
		NULL,
		.why = "method differs from rule 2 \"GET\""},
};

static const struct situation bodies[] = {
	{.when = {.if_body = "abc"}, POST_IT, NULL, "abc", 3, NULL},
	{.when = {.if_body = ""}, POST_IT, NULL, NULL, 0, NULL},
	{.when = {.if_body = ""}, POST_IT, NULL, "", 0, NULL},
	{.when = {.if_body = "a\0c", .if_body_size = 3},
		POST_IT,
		NULL,
		"a\0c",
		3,
		NULL},
	{.when = {.if_body = "abc", .if_body_size = 2},
		POST_IT,
		NULL,
		"ab",
		2,
		NULL},
	{.when = {.if_body = "a\0c", .if_body_size = 3},
		POST_IT,
		NULL,
		"a\0d",
		3,
		"body differs from rule 2 at byte 2: expected \"a\\x00c\", "
		"got \"a\\x00d\""},
	{.when = {.if_body = "a\0", .if_body_size = 2},
		POST_IT,
		NULL,
		"a",
		1,
		"body differs from rule 2 at byte 1: expected \"a\\x00\", "
		"got \"a\""},
	{.when = {.if_body = "abc"},
		POST_IT,
		NULL,
		"abcd",
		4,
		"body differs from rule 2 at byte 3: expected \"abc\", got "
		"\"abcd\""},
	{.when = {.if_body = "abc"},
		POST_IT,
		NULL,
		NULL,
		0,
		"body differs from rule 2 at byte 0: expected \"abc\", got "
		"\"\""},
	{.when = {.if_body = ""},
		POST_IT,
		NULL,
		"x",
		1,
		"body differs from rule 2 at byte 0: expected \"\", got "
		"\"x\""},
	/* 20 bytes before what differs are shown */
	{.when = {.if_body = "0123456789012345678901234567890"},
		POST_IT,
		NULL,
		"0123456789012345678901234x67890",
		31,
		"body differs from rule 2 at byte 25: expected "
		"\"56789012345678901234567890\", got "
		"\"56789012345678901234x67890\""},
	{.when = {.if_body_has = "b"}, POST_IT, NULL, "abc", 3, NULL},
	{.when = {.if_body_has = ""}, POST_IT, NULL, NULL, 0, NULL},
	{.when = {.if_body_has = "c"}, POST_IT, NULL, "a\0b\0c", 5, NULL},
	{.when = {.if_body_has = "abc"},
		POST_IT,
		NULL,
		"ab",
		2,
		"body differs from rule 2: no \"abc\" in \"ab\""},
	{.when = {.if_body_has = "abc"},
		POST_IT,
		NULL,
		"ab\0c\n",
		5,
		"body differs from rule 2: no \"abc\" in \"ab\\x00c\\n\""},
	{.when = {.if_body_has = "a"},
		POST_IT,
		NULL,
		NULL,
		0,
		"body differs from rule 2: no \"a\" in \"\""},
	{.when = {.if_body_has = "b", .if_body = "abc"},
		POST_IT,
		NULL,
		"abd",
		3,
		"body differs from rule 2 at byte 2: expected \"abc\", got "
		"\"abd\""},
	{.when = {.if_body_begins = "ab"}, POST_IT, NULL, "ab", 2, NULL},
	{.when = {.if_body_begins = "ab"}, POST_IT, NULL, "ab\0c", 4, NULL},
	{.when = {.if_body_begins = ""}, POST_IT, NULL, NULL, 0, NULL},
	{.when = {.if_body_begins = "AB", .if_nocase = true},
		POST_IT,
		NULL,
		"aBc",
		3,
		NULL},
	{.when = {.if_body_begins = "AB"},
		POST_IT,
		NULL,
		"aBc",
		3,
		"body differs from rule 2 at byte 0: expected \"AB\", got "
		"\"aBc\""},
	{.when = {.if_body_begins = "abc"},
		POST_IT,
		NULL,
		"ab",
		2,
		"body differs from rule 2 at byte 2: expected \"abc\", got "
		"\"ab\""},
	{.when = {.if_body_begins = "a"},
		POST_IT,
		NULL,
		NULL,
		0,
		"body differs from rule 2 at byte 0: expected \"a\", got \"\""},
	/* a predicate */
	{.when = {.if_predicate = says, .if_predicate_arg = &yes},
		POST_IT,
		NULL,
		NULL,
		0,
		NULL},
	{.when = {.if_predicate = says, .if_predicate_arg = &no},
		POST_IT,
		NULL,
		NULL,
		0,
		"the predicate of rule 2 said no"},
	{.when = {.request = "/a",
		 .if_predicate = says,
		 .if_predicate_arg = &no},
		POST_IT,
		NULL,
		NULL,
		0,
		"path differs from rule 2 \"/a\" at byte 1"},
};

#define RESUMED \
	.tls_version = "TLSv1.3", .tls_cipher = "TLS_AES_128_GCM_SHA256", \
	.tls_alpn = "http/1.1", .tls_sni = "API.test", \
	.tls_client = "CN=ada 7,O=Some", .tls_resumed = true

static const struct {
	const char *lines;
	struct retort_exchange seen;
	const char *why; /* NULL: it fits */
} tls[] = {
	{"version: TLSv1.3", {RESUMED}, NULL},
	{"version: TLSv1*", {RESUMED}, NULL},
	{"Version: TLSv1.2", {RESUMED},
		"TLS differs from rule 2 \"Version: TLSv1.2\": was "
		"\"TLSv1.3\""},
	{"cipher: *GCM*", {RESUMED}, NULL},
	{"cipher: *CBC*", {RESUMED},
		"TLS differs from rule 2 \"cipher: *CBC*\": was "
		"\"TLS_AES_128_GCM_SHA256\""},
	{"sni: api.TEST", {RESUMED}, NULL},
	{"sni: *.test\nclient: CN=ada*\nresumed: yes\n", {RESUMED}, NULL},
	{"sni: *.test\nclient: cn=ada*", {RESUMED},
		"TLS differs from rule 2 \"client: cn=ada*\": was "
		"\"CN=ada 7,O=Some\""},
	{"client: CN=*\nclient: *,O=Some", {RESUMED}, NULL},
	{"client: CN=*\nclient: *,O=None", {RESUMED},
		"TLS differs from rule 2 \"client: *,O=None\": was "
		"\"CN=ada 7,O=Some\""},
	{"client:", {RESUMED},
		"TLS differs from rule 2 \"client:\": was \"CN=ada 7,O=Some\""},
	{"resumed: no", {RESUMED},
		"TLS differs from rule 2 \"resumed: no\": was \"yes\""},
	{"alpn: http/1.1", {RESUMED}, NULL},
	/* what is not there */
	{"client:\nsni:\nalpn:\nresumed: no", {.tls_version = "TLSv1.2"}, NULL},
	{"client: *", {.tls_version = "TLSv1.2"},
		"TLS differs from rule 2 \"client: *\": had none"},
	{"alpn: http/1.1", {.tls_version = "TLSv1.2"},
		"TLS differs from rule 2 \"alpn: http/1.1\": had none"},
	{"resumed: no", {.tls_version = NULL},
		"TLS differs from rule 2 \"resumed: no\": there was none"},
};

START_TEST(facts_of_tls)
{
	const char *expected = tls[_i].why ? tls[_i].why : "";
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_tls = tls[_i].lines});
	struct rt_buf why;

	rt_buf_init(&why, 1000);
	ck_assert_int_eq(rt_match_fits(match, &tls[_i].seen),
		tls[_i].why == NULL);
	(void)rt_match_explain(match, &tls[_i].seen, "rule 2", &why);
	assert_bytes(why.data, why.len, expected, strlen(expected));
	rt_buf_free(&why);
	rt_match_free(match);
}
END_TEST

START_TEST(datagrams_have_no_tls)
{
	const struct retort_requests when = {.if_tls = "sni: a"};
	struct rt_match *match;

	errno = 0;
	ck_assert_ptr_null(rt_match_new(&when, RETORT_UDP, error));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_str_eq(error, "if_tls: no datagram has it");
	match = rt_match_new(&when, RETORT_TCP, error);
	ck_assert_ptr_nonnull(match);
	rt_match_free(match);
}
END_TEST

START_TEST(method_and_path)
{
	check_situation(&requests[_i]);
}
END_TEST

START_TEST(parameters)
{
	check_situation(&queries[_i]);
}
END_TEST

START_TEST(fields_of_a_request)
{
	check_situation(&fields[_i]);
}
END_TEST

START_TEST(bodies_and_predicates)
{
	check_situation(&bodies[_i]);
}
END_TEST

START_TEST(nothing_given_fits_all)
{
	const struct retort_requests nothing = {.request = NULL};
	struct request request;
	struct rt_match *match = new_match(&nothing);

	make_request(&request, "FROB /x?y", "A: b", "body", 4);
	ck_assert(rt_match_fits(match, &request.seen));
	make_request(&request, NULL, NULL, NULL, 0);
	ck_assert(rt_match_fits(match, &request.seen));
	rt_match_free(match);
	rt_match_free(NULL);
	check_description(&nothing, "any request");
}
END_TEST

/* A long body is shown in part. */
START_TEST(long_texts_are_cut)
{
	char body[5000], expected[600], xs[201];
	struct request request;
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_body_has = "y"});
	struct rt_buf why;

	memset(body, 'x', sizeof body);
	memset(xs, 'x', 200);
	xs[200] = '\0';
	make_request(&request, "GET /", NULL, body, sizeof body);
	rt_buf_init(&why, 1 << 20);
	(void)rt_match_explain(match, &request.seen, "it", &why);
	(void)snprintf(expected, sizeof expected,
		"body differs from it: no \"y\" in \"%s...\"", xs);
	assert_bytes(why.data, why.len, expected, strlen(expected));
	rt_buf_free(&why);
	rt_match_free(match);
}
END_TEST

/* --- the predicate --- */

static bool
count_calls(void *arg, const struct retort_exchange *seen)
{
	(void)seen;
	++*(int *)arg;
	return true;
}

/* It may be costly, so that it is asked last. */
START_TEST(a_predicate_is_asked_last)
{
	int calls = 0;
	struct request request;
	struct rt_match *match = new_match(&(struct retort_requests){
		.request = "GET /a?b",
		.if_field = "A: b",
		.if_body_has = "x",
		.if_predicate = count_calls,
		.if_predicate_arg = &calls,
	});
	static const char *const others[] = {"PUT /a?b", "GET /b?b", "GET /a"};

	for (int i = 0; i < COUNT(others); i++) {
		make_request(&request, others[i], "A: b", "x", 1);
		ck_assert(!rt_match_fits(match, &request.seen));
		(void)rt_match_explain(match, &request.seen, "it", NULL);
	}
	make_request(&request, "GET /a?b", "A: c", "x", 1);
	ck_assert(!rt_match_fits(match, &request.seen));
	make_request(&request, "GET /a?b", "A: b", "y", 1);
	ck_assert(!rt_match_fits(match, &request.seen));
	ck_assert_int_eq(calls, 0);
	make_request(&request, "GET /a?b", "A: b", "x", 1);
	ck_assert(rt_match_fits(match, &request.seen));
	ck_assert_int_eq(calls, 1);
	rt_match_free(match);
}
END_TEST

/* --- copies --- */

START_TEST(everything_is_copied)
{
	char method[] = "GET /a*?b=c", lines[] = "A: b", part[] = "C: d",
	     name[] = "E", body[] = "x\0y", has[] = "x";
	struct retort_requests when = {.request = method,
		.if_field = lines,
		.if_contains = part,
		.if_absent = name,
		.if_body = body,
		.if_body_size = 3,
		.if_body_has = has};
	struct rt_match *match = new_match(&when);
	struct request request;

	memset(method, '!', sizeof method);
	memset(lines, '!', sizeof lines);
	memset(part, '!', sizeof part);
	memset(name, '!', sizeof name);
	memset(body, '!', sizeof body);
	memset(has, '!', sizeof has);
	memset(&when, 0x55, sizeof when);
	make_request(&request, "GET /aa?b=c", "A: b\nC: d", "x\0y", 3);
	ck_assert(rt_match_fits(match, &request.seen));
	rt_match_free(match);
}
END_TEST

/* --- descriptions --- */

static const struct {
	struct retort_requests when;
	const char *text;
} descriptions[] = {
	{{.request = NULL}, "any request"},
	{{.request = "*"}, "any request"},
	{{.request = "* *"}, "any request"},
	{{.request = "GET"}, "GET"},
	{{.request = "GET *"}, "GET"},
	{{.request = "/a*"}, "/a*"},
	{{.request = "* /a"}, "/a"},
	{{.request = "POST /users"}, "POST /users"},
	{{.request = "GET /a?b=c&d"}, "GET /a?b=c&d"},
	{{.request = "GET *?b"}, "GET *?b"},
	{{.request = "* *?b"}, "*?b"},
	{{.request = "POST /users", .if_field = "Accept: a/b"},
		"POST /users, field \"Accept: a/b\""},
	{{.if_field = "A: b\r\nC: d",
		 .if_contains = "E: f",
		 .if_absent = "G\nH",
		 .if_body = "x\0\"",
		 .if_body_size = 3,
		 .if_body_has = "\"",
		 .if_predicate = says,
		 .if_predicate_arg = &yes},
		"any request, field \"A: b\", field \"C: d\", "
		"field with \"E: f\", no field \"G\", no field \"H\", "
		"body \"x\\x00\\\"\", body with \"\\\"\", a predicate"},
	{{.request = "/?a=*",
		 .if_query_absent = "b\nc",
		 .if_query_only = true,
		 .if_form = "d=1\ne=2",
		 .if_form_absent = "f",
		 .if_form_only = true,
		 .if_file = "g=*.png"},
		"/?a=*, no parameter \"b\", no parameter \"c\", no other "
		"parameters, pair \"d=1\", pair \"e=2\", no pair \"f\", no "
		"other pairs, file \"g=*.png\""},
	{{.request = "/", .if_tls = "sni: *.test\nclient:"},
		"/, TLS \"sni: *.test\", TLS \"client:\""},
};

START_TEST(describes)
{
	check_description(&descriptions[_i].when, descriptions[_i].text);
}
END_TEST

/* --- what is malformed --- */

#define FORM(text) \
	"request: '" text "': expected 'METHOD /TARGET' or either alone"
#define TARGET(text) \
	"request: '" text \
	"': expected a target without spaces, control characters or '#'"

static const struct {
	struct retort_requests when;
	const char *error;
} malformed[] = {
	{{.request = ""}, FORM("")},
	{{.request = " "}, FORM(" ")},
	{{.request = " /a"}, FORM(" /a")},
	{{.request = "GET "}, FORM("GET ")},
	{{.request = "GET  /a"}, FORM("GET  /a")},
	{{.request = "GET a"}, FORM("GET a")},
	{{.request = "GET x://a b"}, TARGET("x://a b")},
	{{.request = "CONNECT /"}, FORM("CONNECT /")},
	{{.request = "GET x:80"}, FORM("GET x:80")},
	{{.request = "GET ?a"}, FORM("GET ?a")},
	{{.request = "GET/a"}, FORM("GET/a")},
	{{.request = "GE(T /a"}, FORM("GE(T /a")},
	{{.request = "G\xc3\x8bT"}, FORM("G\xc3\x8bT")},
	{{.request = "GET\t/a"}, FORM("GET\t/a")},
	{{.request = "GET\n"}, FORM("GET ")},
	{{.request = "GET /a HTTP/1.1"}, TARGET("/a HTTP/1.1")},
	{{.request = "/a b"}, TARGET("/a b")},
	{{.request = "/a\r\n"}, TARGET("/a  ")},
	{{.request = "/a?b c"}, TARGET("/a?b c")},
	{{.request = "/a\tb"}, TARGET("/a\tb")},
	{{.if_field = "A"}, "if_field: 'A': expected 'Name: value'"},
	{{.if_field = "A: b\nA B: c\n"},
		"if_field: 'A B: c': expected a token as field name"},
	{{.if_field = "A: \x01"},
		"if_field: 'A: \x01': expected no control characters"},
	{{.if_contains = ": b"},
		"if_contains: ': b': expected a token as field name"},
	{{.if_contains = "A: b\nC"},
		"if_contains: 'C': expected 'Name: value'"},
	{{.if_absent = "A: b"},
		"if_absent: 'A: b': expected a field's name alone"},
	{{.if_absent = "A\nB C"},
		"if_absent: 'B C': expected a token as field name"},
	{{.if_query_absent = "a=b"},
		"if_query_absent: 'a=b': expected a name alone"},
	{{.request = "/?a=1", .if_query_absent = "b\na"},
		"if_query_absent: nothing can fit: 'a' is both wanted and absent"},
	{{.if_body = "abc", .if_body_begins = "bc"},
		"if_body_begins: nothing can fit: the wanted body does not begin with the wanted part"},
	{{.if_form = "a=1\nb"}, "if_form: 'b': expected 'name=value'"},
	{{.if_form_absent = "a=b"},
		"if_form_absent: 'a=b': expected a name alone"},
	{{.if_form = "a=1", .if_form_absent = "a"},
		"if_form_absent: nothing can fit: 'a' is both wanted and absent"},
	{{.if_file = "a"}, "if_file: 'a': expected 'name=filename'"},
	{{.request = "GET /a", .if_field = "A: b", .if_absent = "\x80"},
		"if_absent: '\x80': expected a token as field name"},
	{{.if_tls = "sni: a\ncolour: b"},
		"if_tls: 'colour: b': expected version, cipher, alpn, sni, "
		"client or resumed, a colon, and a value"},
	{{.if_tls = "sni"},
		"if_tls: 'sni': expected version, cipher, alpn, sni, client or "
		"resumed, a colon, and a value"},
	{{.if_tls = "version: 1.3"},
		"if_tls: 'version: 1.3': expected TLSv1, TLSv1.1, TLSv1.2 or "
		"TLSv1.3"},
	{{.if_tls = "alpn: h2"},
		"if_tls: 'alpn: h2': expected http/1.1 or nothing"},
	{{.if_tls = "resumed:"}, "if_tls: 'resumed:': expected yes or no"},
};

START_TEST(refuses_what_is_malformed)
{
	memset(error, '#', sizeof error);
	fail_match(&malformed[_i].when);
	assert_bytes(error, strlen(error), malformed[_i].error,
		strlen(malformed[_i].error));
}
END_TEST

/* A fragment is never sent (RFC 9112 3.2). */
START_TEST(refuses_a_fragment)
{
	fail_match(&(struct retort_requests){.request = "/a#b"});
	ck_assert_msg(strstr(error, "'/a#b'") != NULL, "got: %s", error);
}
END_TEST

START_TEST(long_errors_are_cut)
{
	char *text = malloc(100000), expected[RETORT_ERROR_SIZE];

	ck_assert_ptr_nonnull(text);
	memset(text, '(', 99999);
	text[99999] = '\0';
	fail_match(&(struct retort_requests){.request = text});
	(void)snprintf(expected, sizeof expected, FORM("%.120s"), text);
	assert_bytes(error, strlen(error), expected, strlen(expected));
	free(text);
}
END_TEST

/* A target alone begins with a slash or an asterisk: retort.h. */
START_TEST(a_target_alone_may_begin_with_an_asterisk)
{
	struct request request;
	struct rt_match *match =
		new_match(&(struct retort_requests){.request = "*.css"});

	make_request(&request, "GET /a.css", NULL, NULL, 0);
	ck_assert(rt_match_fits(match, &request.seen));
	make_request(&request, "GET /a.js", NULL, NULL, 0);
	ck_assert(!rt_match_fits(match, &request.seen));
	rt_match_free(match);
	match = new_match(&(struct retort_requests){.request = "*?a=b"});
	make_request(&request, "GET /c?a=b", NULL, NULL, 0);
	ck_assert(rt_match_fits(match, &request.seen));
	make_request(&request, "GET /c", NULL, NULL, 0);
	ck_assert(!rt_match_fits(match, &request.seen));
	rt_match_free(match);
}
END_TEST

/* --- globs, compared with what they mean --- */

static bool
means(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return means(pattern + 1, text) ||
			(*text != '\0' && means(pattern, text + 1));
	return *pattern == *text && means(pattern + 1, text + 1);
}

/* The n-th text over these letters, the short ones first. */
static void
make_text(char *to, unsigned n, const char *letters)
{
	unsigned base = (unsigned)strlen(letters);

	for (; n > 0; n = (n - 1) / base)
		*to++ = letters[(n - 1) % base];
	*to = '\0';
}

START_TEST(globs_mean_what_they_say)
{
	struct request request;

	/* all patterns of up to 5, all texts of up to 6 letters */
	for (unsigned p = 0; p < 364; p++) {
		char when[64] = "GET /", line[64] = "GET /";
		struct rt_match *match;

		make_text(when + 5, p, "ab*");
		match = new_match(&(struct retort_requests){.request = when});
		for (unsigned t = 0; t < 127; t++) {
			bool fits;

			make_text(line + 5, t, "ab");
			make_request(&request, line, NULL, NULL, 0);
			fits = rt_match_fits(match, &request.seen);
			ck_assert_msg(fits == means(when + 4, line + 4),
				"%s and %s: got %d", when, line, fits);
		}
		rt_match_free(match);
	}
}
END_TEST

/* Time that grew with a power of the asterisks would not end. */
START_TEST(globs_take_little_time)
{
	char when[256] = "GET /", line[9000] = "GET /";
	struct request request;
	struct rt_match *match;

	for (int i = 0; i < 60; i++)
		memcpy(when + 5 + 2 * i, "*a", 3);
	memcpy(when + 5 + 120, "*b", 3);
	memset(line + 5, 'a', 8000);
	match = new_match(&(struct retort_requests){.request = when});
	make_request(&request, line, NULL, NULL, 0);
	ck_assert(!rt_match_fits(match, &request.seen));
	line[8000] = 'b';
	line[8001] = '\0';
	make_request(&request, line, NULL, NULL, 0);
	ck_assert(rt_match_fits(match, &request.seen));
	rt_match_free(match);
}
END_TEST

/* --- the nearest --- */

/* Several rules, and which of them is nearest to a request that fits none. */
static const struct {
	const char *line;
	const char *fields;
	int nearest;
	struct retort_requests rules[4]; /* those with a request */
} misses[] = {
	/* the path outweighs the method */
	{"PUT /users", NULL, 1,
		{{.request = "PUT /x"}, {.request = "GET /users"},
			{.request = "PUT /y"}}},
	/* and the method what is left */
	{"PUT /x", NULL, 1,
		{{.request = "GET /a?b"}, {.request = "PUT /b?c"},
			{.request = "GET /a"}}},
	/* among equals the path that is the same for longer */
	{"GET /users/17", NULL, 2,
		{{.request = "GET /items"}, {.request = "GET /users"},
			{.request = "GET /users/1"}, {.request = "GET /u"}}},
	/* the rest being the same, the one that was first */
	{"GET /c", NULL, 0, {{.request = "GET /a"}, {.request = "GET /b"}}},
	{"GET /a", NULL, 1,
		{{.request = "GET /a?b", .if_field = "A: b"},
			{.request = "GET /a", .if_field = "A: b"},
			{.request = "GET /a?c"}}},
	/* what is met counts */
	{"GET /a", "A: b\nC: d", 1,
		{{.request = "GET /a",
			 .if_field = "A: b\nB: c",
			 .if_absent = "C"},
			{.request = "GET /a", .if_field = "A: b\nB: c"}}},
	/* among equals the one of which more was met */
	{"GET /a", "A: b", 1,
		{{.request = "GET /a", .if_body = "c"},
			{.request = "GET /a",
				.if_field = "A: b",
				.if_body = "d"}}},
	/* the words outweigh the state */
	{"GET /a", NULL, 1,
		{{.request = "GET /a", .in = "start", .if_body = "c"},
			{.request = "GET /a", .in = "ready", .if_body = ""}}},
	/* a path is not nearer for being the same up to a glob's end */
	{"GET /a/b/c", NULL, 1,
		{{.request = "PUT /a/b/c"}, {.request = "GET /a/b/c?d"}}},
};

START_TEST(the_nearest_miss)
{
	struct rt_miss best = {0};
	struct request request;
	int nearest = -1;

	make_request(&request, misses[_i].line, misses[_i].fields, NULL, 0);
	for (int i = 0; i < 4 && misses[_i].rules[i].request; i++) {
		struct rt_match *match = new_match(&misses[_i].rules[i]);
		struct rt_miss miss, again;
		struct rt_buf words;

		ck_assert(!rt_match_fits(match, &request.seen));
		miss = rt_match_explain(match, &request.seen, "it", NULL);
		/* words or none, it is as near */
		rt_buf_init(&words, 1000);
		again = rt_match_explain(match, &request.seen, "it", &words);
		ck_assert_uint_eq(miss.score, again.score);
		ck_assert_uint_eq(miss.met, again.met);
		ck_assert_uint_eq(miss.common, again.common);
		rt_buf_free(&words);
		rt_match_free(match);
		if (nearest < 0 || rt_miss_is_nearer(miss, best)) {
			best = miss;
			nearest = i;
		}
	}
	ck_assert_msg(nearest == misses[_i].nearest, "expected %d, got %d",
		misses[_i].nearest, nearest);
}
END_TEST

START_TEST(how_much_of_a_path_is_common)
{
	static const struct {
		const char *request;
		const char *line;
		size_t common;
	} cases[] = {
		{"GET", "GET /abc", 0},
		{"/", "GET /abc", 1},
		{"/abcd", "GET /abc", 4},
		{"/abd", "GET /abc", 3},
		{"/abc", "GET /abc?abc", 4},
		{"/a*", "GET /abc", 2},
		{"/abc", "GET http://x/abd", 3},
		{"/abc", NULL, 0},
	};
	struct request request;

	for (int i = 0; i < COUNT(cases); i++) {
		struct rt_match *match = new_match(
			&(struct retort_requests){.request = cases[i].request});
		struct rt_miss miss;

		make_request(&request, cases[i].line, NULL, NULL, 0);
		miss = rt_match_explain(match, &request.seen, "it", NULL);
		ck_assert_msg(miss.common == cases[i].common,
			"%s and %s: expected %zu, got %zu", cases[i].request,
			cases[i].line, cases[i].common, miss.common);
		rt_match_free(match);
	}
}
END_TEST

/* What a connection has become by then. */
START_TEST(tunnels_and_protocols)
{
	static const struct {
		struct retort_requests when;
		struct retort_exchange seen;
		const char *why, *words;
	} cases[] = {
		{{.if_tunnel = "a:1\n"}, {.tunnel = "a:1"}, "",
			"any request, through a tunnel to \"a:1\""},
		{{.if_tunnel = "*:1"}, {.tunnel = "a.b:1"}, "",
			"any request, through a tunnel to \"*:1\""},
		{{.if_tunnel = "a:1"}, {.tunnel = "a:12"},
			"tunnel differs from X: expected \"a:1\", was "
			"\"a:12\"",
			"any request, through a tunnel to \"a:1\""},
		{{.if_tunnel = "*"}, {.tunnel = NULL},
			"tunnel differs from X: expected \"*\", got no tunnel",
			"any request, through a tunnel to \"*\""},
		/* what it asks for differs more */
		{{.if_tunnel = "a:1", .request = "GET"}, {.method = "POST"},
			"method differs from X \"GET\"",
			"GET, through a tunnel to \"a:1\""},
		{{.if_bytes = true}, {.protocol = RETORT_TCP}, "", "any piece"},
		{{.if_bytes = true}, {.protocol = RETORT_HTTP},
			"X is for pieces", "any piece"},
		{{.if_http = true}, {.protocol = RETORT_HTTP}, "",
			"any request"},
		{{.if_http = true, .request = "GET"}, {.protocol = RETORT_TCP},
			"X is for requests of HTTP", "GET"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rt_match *match =
			rt_match_new(&cases[i].when, RETORT_HTTP, error);
		struct rt_buf text;

		ck_assert_ptr_nonnull(match);
		ck_assert(rt_match_fits(match, &cases[i].seen) ==
			(*cases[i].why == '\0'));
		rt_buf_init(&text, 1000);
		(void)rt_match_explain(match, &cases[i].seen, "X", &text);
		ck_assert_str_eq(rt_buf_text(&text), cases[i].why);
		rt_buf_clear(&text, 1000);
		rt_match_describe(match, &text);
		ck_assert_str_eq(rt_buf_text(&text), cases[i].words);
		rt_buf_free(&text);
		rt_match_free(match);
	}
}
END_TEST

/* Which is told first, whatever else does not go together. */
START_TEST(nothing_has_two_protocols)
{
	static const struct {
		struct retort_requests when;
		enum retort_protocol protocol;
		const char *error;
	} cases[] = {
		{{.if_bytes = true, .if_http = true, .request = "GET"},
			RETORT_HTTP, "if_http: not with .if_bytes"},
		{{.if_bytes = true, .request = "GET"}, RETORT_UDP,
			"if_bytes: with UDP all are datagrams"},
		{{.if_http = true, .if_tls = "sni: a"}, RETORT_UDP,
			"if_http: with UDP all are datagrams"},
		{{.if_bytes = true, .request = "GET"}, RETORT_HTTP,
			"request: 'GET': only HTTP has a method and a target"},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		errno = 0;
		ck_assert_ptr_null(
			rt_match_new(&cases[i].when, cases[i].protocol, error));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_str_eq(error, cases[i].error);
	}
}
END_TEST

START_TEST(pieces_are_matched_by_their_bytes)
{
	static const struct retort_requests bad[] = {{.if_field = "A: b"},
		{.if_contains = "A: b"}, {.if_absent = "A"}};
	static const char *const names[] = {"if_field", "if_contains",
		"if_absent"};
	const struct retort_requests when = {.if_body = "ping"};
	struct retort_exchange seen = {.protocol = RETORT_TCP,
		.body = "ping",
		.body_size = 4};
	struct rt_match *match;
	struct rt_buf name;
	char expected[128];

	for (int p = RETORT_TCP; p <= RETORT_UDP; p++) {
		for (int i = 0; i < COUNT(bad); i++) {
			errno = 0;
			ck_assert_ptr_null(rt_match_new(&bad[i],
				(enum retort_protocol)p, error));
			ck_assert_int_eq(errno, EINVAL);
			(void)snprintf(expected, sizeof expected,
				"%s: only a request of HTTP has it", names[i]);
			ck_assert_str_eq(error, expected);
		}
		match = rt_match_new(&when, (enum retort_protocol)p, error);
		ck_assert_ptr_nonnull(match);
		seen.body_size = 4;
		ck_assert(rt_match_fits(match, &seen));
		seen.body_size = 3;
		ck_assert(!rt_match_fits(match, &seen));
		rt_match_free(match);
	}
	rt_buf_init(&name, 1000);
	seen.body = "a\r\n\0\"";
	seen.body_size = 5;
	rt_match_name(&seen, &name);
	rt_buf_add(&name, "", 1);
	ck_assert_str_eq(name.data, "\"a\\r\\n\\x00\\\"\"");
	rt_buf_free(&name);
	seen = (struct retort_exchange){.method = "GET"};
	rt_match_name(&seen, &name);
	rt_buf_add(&name, "", 1);
	ck_assert_str_eq(name.data, "GET -");
	rt_buf_free(&name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("match");
	TCase *fit = tcase_create("what fits");
	TCase *text = tcase_create("texts");
	TCase *near = tcase_create("globs and misses");

	tcase_add_loop_test(fit, method_and_path, 0, COUNT(requests));
	tcase_add_loop_test(fit, parameters, 0, COUNT(queries));
	tcase_add_loop_test(fit, fields_of_a_request, 0, COUNT(fields));
	tcase_add_loop_test(fit, bodies_and_predicates, 0, COUNT(bodies));
	tcase_add_loop_test(fit, facts_of_tls, 0, COUNT(tls));
	tcase_add_test(fit, datagrams_have_no_tls);
	tcase_add_test(fit, nothing_given_fits_all);
	tcase_add_test(fit, pieces_are_matched_by_their_bytes);
	tcase_add_test(fit, tunnels_and_protocols);
	tcase_add_test(fit, nothing_has_two_protocols);
	tcase_add_test(fit, long_texts_are_cut);
	tcase_add_test(fit, a_predicate_is_asked_last);
	tcase_add_test(fit, everything_is_copied);
	rt_test_case(suite, fit);
	tcase_add_loop_test(text, describes, 0, COUNT(descriptions));
	tcase_add_loop_test(text, refuses_what_is_malformed, 0,
		COUNT(malformed));
	tcase_add_test(text, refuses_a_fragment);
	tcase_add_test(text, long_errors_are_cut);
	tcase_add_test(text, a_target_alone_may_begin_with_an_asterisk);
	rt_test_case(suite, text);
	tcase_add_test(near, globs_mean_what_they_say);
	tcase_add_test(near, globs_take_little_time);
	tcase_add_loop_test(near, the_nearest_miss, 0, COUNT(misses));
	tcase_add_test(near, how_much_of_a_path_is_common);
	rt_test_case(suite, near);
	return rt_test_run(suite);
}
