/* SPDX-License-Identifier: MIT */
/*
 * Preconditions: the whole table of RFC 9110 13.2.2, then entity tags, dates
 * and If-Range one by one. The requests are parsed from their bytes.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/precondition.h"
#include "unit/heads.h"

/* The representation's Last-Modified, and what lies around it. */
#define MODIFIED INT64_C(784111777)
#define NOW (MODIFIED + 3600)
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define IN_2094 "Sat, 06 Nov 2094 08:49:38 GMT"

static const struct rt_validators strong = {.etag = "\"x\"",
	.modified = MODIFIED,
	.has_modified = true,
	.is_exact = true};
static const struct rt_validators weak = {.etag = "W/\"x\"",
	.modified = MODIFIED,
	.has_modified = true,
	.is_exact = true};
static const struct rt_validators inexact = {.etag = "\"x\"",
	.modified = MODIFIED,
	.has_modified = true};
static const struct rt_validators none = {.etag = NULL,
	.modified = MODIFIED,
	.has_modified = false};

/* --- asking --- */

static void
expect_status(const char *method, const char *fields,
	const struct rt_validators *validators, int64_t now, int expected)
{
	struct head head = head_begin(method, fields);
	int status = rt_precondition(rt_http_request(head.http), head.text,
		validators, now);

	ck_assert_msg(status == expected,
		"%s of ETag %s, %s: expected %d, got %d: %s", method,
		validators->etag ? validators->etag : "none",
		validators->has_modified ? "modified " SAME : "no date",
		expected, status, shown(head.text, head.size));
	head_end(&head);
}

/* --- the order of evaluation --- */

enum state { ABSENT, TRUE, FALSE, STATES };

static const char *const if_match[STATES] = {
	[ABSENT] = "",
	[TRUE] = "If-Match: \"a\", \"x\"\r\n",
	[FALSE] = "If-Match: \"a\", \"b\"\r\n",
};
static const char *const if_unmodified_since[STATES] = {
	[ABSENT] = "",
	[TRUE] = "If-Unmodified-Since: " SAME "\r\n",
	[FALSE] = "If-Unmodified-Since: " BEFORE "\r\n",
};
static const char *const if_none_match[STATES] = {
	[ABSENT] = "",
	[TRUE] = "If-None-Match: \"a\", \"b\"\r\n",
	[FALSE] = "If-None-Match: \"a\", \"x\"\r\n",
};
static const char *const if_modified_since[STATES] = {
	[ABSENT] = "",
	[TRUE] = "If-Modified-Since: " BEFORE "\r\n",
	[FALSE] = "If-Modified-Since: " SAME "\r\n",
};

static const struct {
	const char *name;
	bool reads;
} methods[] = {
	{"GET", true},
	{"HEAD", true},
	{"POST", false},
	{"PUT", false},
	{"DELETE", false},
	{"get", false},
};

/* RFC 9110 13.2.2, step by step. */
static int
evaluate(bool reads, enum state match, enum state unmodified,
	enum state none_match, enum state modified)
{
	if (match == FALSE)
		return 412;
	if (match == ABSENT && unmodified == FALSE)
		return 412;
	if (none_match == FALSE)
		return reads ? 304 : 412;
	if (none_match == ABSENT && reads && modified == FALSE)
		return 304;
	return 0;
}

START_TEST(fields_in_their_order)
{
	enum state match = (enum state)(_i / 27);
	enum state unmodified = (enum state)(_i / 9 % 3);
	enum state none_match = (enum state)(_i / 3 % 3);
	enum state modified = (enum state)(_i % 3);
	char fields[512];

	for (int i = 0; i < COUNT(methods); i++) {
		int expected = evaluate(methods[i].reads, match, unmodified,
			none_match, modified);

		(void)snprintf(fields, sizeof fields, "%s%s%s%s",
			if_match[match], if_unmodified_since[unmodified],
			if_none_match[none_match], if_modified_since[modified]);
		expect_status(methods[i].name, fields, &strong, NOW, expected);
		/* not the order in which they come */
		(void)snprintf(fields, sizeof fields, "%s%s%s%s",
			if_modified_since[modified], if_none_match[none_match],
			if_unmodified_since[unmodified], if_match[match]);
		expect_status(methods[i].name, fields, &strong, NOW, expected);
	}
}
END_TEST

/* --- entity tags --- */

enum { YES = 1, NO = 0 };

/* How a list compares with the entity tag "x", and with W/"x". */
static const struct {
	const char *list;
	bool strongly; /* with "x", for If-Match; never with W/"x" */
	bool weakly;   /* with either, for If-None-Match */
} lists[] = {
	{"*", YES, YES}, /* a representation exists */
	{"\"x\"", YES, YES},
	{"W/\"x\"", NO, YES},
	{"\"\"", NO, NO},
	{"\"X\"", NO, NO},
	{"\"xx\"", NO, NO},
	{"\"a\"", NO, NO},
	{"W/\"a\"", NO, NO},
	{"\"a\", \"b\", \"x\"", YES, YES},
	{"\"x\", \"a\", \"b\"", YES, YES},
	{"\"a\",\"x\",\"b\"", YES, YES},
	{"\"a\", W/\"x\"", NO, YES},
	{"W/\"x\", \"x\"", YES, YES},
	{"W/\"a\", W/\"b\"", NO, NO},
	{"\"a\"\t,\t \"x\"", YES, YES},
	{",\"x\"", YES, YES},
	{", ,, \"x\", ,", YES, YES},
	{",", NO, NO},
	{", ,", NO, NO},
	{"", NO, NO},
	/* what a tag may hold: a comma, and no escape */
	{"\"a,x\"", NO, NO},
	{"\"a,\"", NO, NO},
	{"\",\", \"x\"", YES, YES},
	{"\"a,b\",\"x\"", YES, YES},
	{"\"a\\\",\"x\"", YES, YES},
	{"\"\\x\"", NO, NO},
	{"\"\x80\xff\", \"x\"", YES, YES},
	{"\"!#'()*+-./:;<=>?@[]^_`{|}~\", \"x\"", YES, YES},
	{"\"*\"", NO, NO},
	{"W/*", NO, NO},
	/* malformed */
	{"x", NO, NO},
	{"'x'", NO, NO},
	{"\"x", NO, NO},
	{"x\"", NO, NO},
	{"\"", NO, NO},
	{"\"\"x\"", NO, NO},
	{"\"x\"\"", NO, NO},
	{"\"x\"\"x\"", NO, NO},
	{"\"x\"a", NO, NO},
	{"\"x\" a", NO, NO},
	{"a\"x\"", NO, NO},
	{"a \"x\"", NO, NO},
	{"w/\"x\"", NO, NO},
	{"W\"x\"", NO, NO},
	{"W/", NO, NO},
	{"W/x", NO, NO},
	{"W/ \"x\"", NO, NO},
	{"W /\"x\"", NO, NO},
	{"W/W/\"x\"", NO, NO},
	{"/\"x\"", NO, NO},
	{"\" x\"", NO, NO},
	{"\"x \"", NO, NO},
	{"\"x\";q=1", NO, NO},
	{"{\"x\"}", NO, NO},
	/* and passed over, up to the next comma */
	{"a, \"x\"", YES, YES},
	{"\"x\", a", YES, YES},
	{"\"x\", \"", YES, YES},
	{"\"a, \"x\"", YES, YES},
	{"\"a\"b, \"x\"", YES, YES},
	{"\"a\" \"b\", \"x\"", YES, YES},
	{"\"a b\", \"x\"", YES, YES},
	{"w/\"a\", \"x\"", YES, YES},
	{"W/, \"x\"", YES, YES},
	{"W, W/\"x\"", NO, YES},
	{"\"x\"a, \"b\"", NO, NO},
	{"a, W/\"b, b, \"x\"", YES, YES},
};

START_TEST(entity_tags)
{
	char fields[512];

	(void)snprintf(fields, sizeof fields, "If-Match: %s\r\n",
		lists[_i].list);
	expect_status("GET", fields, &strong, NOW,
		lists[_i].strongly ? 0 : 412);
	expect_status("PUT", fields, &strong, NOW,
		lists[_i].strongly ? 0 : 412);
	/* a weak tag of our own is never strongly the same */
	expect_status("GET", fields, &weak, NOW,
		lists[_i].list[0] == '*' ? 0 : 412);
	(void)snprintf(fields, sizeof fields, "If-None-Match: %s\r\n",
		lists[_i].list);
	expect_status("GET", fields, &strong, NOW, lists[_i].weakly ? 304 : 0);
	expect_status("HEAD", fields, &strong, NOW, lists[_i].weakly ? 304 : 0);
	expect_status("PUT", fields, &strong, NOW, lists[_i].weakly ? 412 : 0);
	expect_status("GET", fields, &weak, NOW, lists[_i].weakly ? 304 : 0);
}
END_TEST

static const struct {
	const char *etag;
	const char *fields;
	int status; /* of GET */
} tags[] = {
	/* no entity tag: nothing but "*" is true */
	{NULL, "If-Match: *\r\n", 0},
	{NULL, "If-Match: \"x\"\r\n", 412},
	{NULL, "If-Match: \"\"\r\n", 412},
	{NULL, "If-None-Match: *\r\n", 304},
	{NULL, "If-None-Match: \"x\"\r\n", 0},
	{NULL, "If-None-Match: \"\"\r\n", 0},
	/* tags that are not like "x" */
	{"\"\"", "If-None-Match: \"\"\r\n", 304},
	{"\"\"", "If-None-Match: W/\"\"\r\n", 304},
	{"\"\"", "If-Match: \"\"\r\n", 0},
	{"\"\"", "If-Match: W/\"\"\r\n", 412},
	{"\"\"", "If-Match: \"x\"\r\n", 412},
	{"\"a,b\"", "If-Match: \"a,b\"\r\n", 0},
	{"\"a,b\"", "If-Match: \"c\",W/\"a,b\" ,\"a,b\"\r\n", 0},
	{"\"a,b\"", "If-Match: \"a\", \"b\"\r\n", 412},
	{"\"a,b\"", "If-None-Match: W/\"a,b\"\r\n", 304},
	{"\"\\\"", "If-None-Match: \"\\\"\r\n", 304},
	{"\"W/\"", "If-None-Match: \"W/\"\r\n", 304},
	{"\"*\"", "If-Match: \"*\"\r\n", 0},
	{"\"\xc3\xa9\"", "If-None-Match: \"\xc3\xa9\"\r\n", 304},
	{"\"18a0b1c2d3e4f506-3e8-1f2a\"",
		"If-None-Match: \"18a0b1c2d3e4f506-3e8-1f2\"\r\n", 0},
	{"\"18a0b1c2d3e4f506-3e8-1f2a\"",
		"If-None-Match: \"18a0b1c2d3e4f506-3e8-1f2ab\"\r\n", 0},
	{"\"18a0b1c2d3e4f506-3e8-1f2a\"",
		"If-None-Match: \"18a0b1c2d3e4f506-3e8-1f2a\"\r\n", 304},
	/* names in any case, and several lines of one name */
	{"\"x\"", "iF-nONE-mATCH: \"x\"\r\n", 304},
	{"\"x\"", "IF-MATCH: \"a\"\r\n", 412},
	{"\"x\"", "If-Match: \"a\"\r\nIf-Match: \"x\"\r\n", 0},
	{"\"x\"", "If-Match: \"x\"\r\nIf-Match: \"a\"\r\n", 0},
	{"\"x\"", "If-Match: \"a\"\r\nIf-Match: \"b\"\r\n", 412},
	{"\"x\"", "If-None-Match: \"a\"\r\nIf-None-Match: \"x\"\r\n", 304},
	{"\"x\"", "If-None-Match: \"x\"\r\nIf-None-Match: \"a\"\r\n", 304},
	{"\"x\"",
		"If-None-Match: \"a\"\r\nX: \"x\"\r\nif-none-match: \"b\"\r\n",
		0},
	{"\"x\"", "If-None-Match:\r\nIf-None-Match: W/\"x\"\r\n", 304},
	{"\"x\"", "If-None-Match: \"a\r\nIf-None-Match: \"x\"\r\n", 304},
	{"\"x\"", "If-None-Match: a\r\nIf-None-Match: b, \"x\"\r\n", 304},
	/* what looks like one of them */
	{"\"x\"", "If-None-Matches: \"x\"\r\n", 0},
	{"\"x\"", "If-None: \"x\"\r\n", 0},
	{"\"x\"", "Match: \"a\"\r\n", 0},
	/* a list that says nothing is there nevertheless */
	{"\"x\"", "If-Match: \r\nIf-Unmodified-Since: " SAME "\r\n", 412},
	{"\"x\"", "If-None-Match: x\r\nIf-Modified-Since: " SAME "\r\n", 0},
	{"\"x\"", "If-None-Match: \r\nIf-Modified-Since: " SAME "\r\n", 0},
};

START_TEST(entity_tags_of_all_kinds)
{
	struct rt_validators validators = {.etag = tags[_i].etag,
		.modified = MODIFIED,
		.has_modified = true,
		.is_exact = true};

	expect_status("GET", tags[_i].fields, &validators, NOW,
		tags[_i].status);
}
END_TEST

/* --- dates --- */

/* A date, and whether Last-Modified is later; ignored if it is malformed. */
static const struct {
	const char *date;
	int later; /* or -1: ignored */
} dates[] = {
	{BEFORE, YES},
	{SAME, NO},
	{AFTER, NO},
	{IN_2094, NO},
	{"Thu, 01 Jan 1970 00:00:00 GMT", YES},
	{"Wed, 31 Dec 1969 23:59:59 GMT", YES},
	{"Mon, 01 Jan 0001 00:00:00 GMT", YES},
	{"Sunday, 06-Nov-94 08:49:36 GMT", YES},
	{"Sunday, 06-Nov-94 08:49:37 GMT", NO},
	{"Sunday, 06-Nov-93 08:49:37 GMT", YES},
	{"Sunday, 06-Nov-44 08:49:37 GMT", NO},
	{"Sunday, 06-Nov-45 08:49:37 GMT", YES},
	{"Sun Nov  6 08:49:36 1994", YES},
	{"Sun Nov  6 08:49:37 1994", NO},
	{"", -1},
	{"0", -1},
	{"784111776", -1},
	{"yesterday", -1},
	{"Sun, 06 Nov 1994 08:49:36", -1},
	{"Sun, 06 Nov 1994 08:49:36 UTC", -1},
	{"Sun, 06 Nov 1994 08:49:36 +0000", -1},
	{"sun, 06 nov 1994 08:49:36 gmt", -1},
	{"Sun, 6 Nov 1994 08:49:36 GMT", -1},
	{"Sun, 31 Nov 1993 08:49:36 GMT", -1},
	{"Sun, 06 Nov 1994 08:49:36 GMT; length=6", -1},
	{"\"Sun, 06 Nov 1994 08:49:36 GMT\"", -1},
	{BEFORE "," BEFORE, -1},
	{BEFORE ", ", -1},
	{"\"x\"", -1},
	{"*", -1},
};

START_TEST(dates_since)
{
	int later = dates[_i].later;
	char fields[512];

	(void)snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\n",
		dates[_i].date);
	expect_status("GET", fields, &strong, NOW, later == NO ? 304 : 0);
	expect_status("HEAD", fields, &strong, NOW, later == NO ? 304 : 0);
	expect_status("PUT", fields, &strong, NOW, 0);
	expect_status("GET", fields, &none, NOW, 0);
	(void)snprintf(fields, sizeof fields, "If-Unmodified-Since: %s\r\n",
		dates[_i].date);
	expect_status("GET", fields, &strong, NOW, later == YES ? 412 : 0);
	expect_status("PUT", fields, &strong, NOW, later == YES ? 412 : 0);
	expect_status("PUT", fields, &none, NOW, 0);
}
END_TEST

#define SINCE "If-Modified-Since: "
#define UNSINCE "If-Unmodified-Since: "

static const struct {
	const char *fields;
	int status; /* of GET */
} twice[] = {
	{SINCE SAME "\r\n" SINCE SAME "\r\n", 0},
	{SINCE SAME "\r\n" SINCE AFTER "\r\n", 0},
	{SINCE SAME "\r\nif-modified-since: x\r\n", 0},
	{SINCE "\r\n" SINCE SAME "\r\n", 0},
	{UNSINCE BEFORE "\r\n" UNSINCE BEFORE "\r\n", 0},
	{UNSINCE BEFORE "\r\nX: y\r\n" UNSINCE "x\r\n", 0},
	/* the other one is none the less obeyed */
	{UNSINCE SAME "\r\n" SINCE SAME "\r\n", 304},
	{UNSINCE BEFORE "\r\n" SINCE SAME "\r\n" UNSINCE SAME "\r\n", 304},
	{UNSINCE BEFORE "\r\n" SINCE SAME "\r\n" SINCE SAME "\r\n", 412},
	/* an invalid date does not bring another field back */
	{"If-Match: \"a\"\r\n" UNSINCE "x\r\n", 412},
	{"If-None-Match: \"a\"\r\n" SINCE SAME "\r\n", 0},
	{"If-None-Match: \"x\"\r\n" SINCE BEFORE "\r\n", 304},
	{"If-Match: \"x\"\r\n" UNSINCE BEFORE "\r\n", 0},
	{"If-Match: *\r\n" UNSINCE BEFORE "\r\n", 0},
};

START_TEST(dates_given_twice)
{
	expect_status("GET", twice[_i].fields, &strong, NOW, twice[_i].status);
}
END_TEST

START_TEST(files_older_than_the_epoch)
{
	const struct rt_validators old = {.modified = -1, .has_modified = true};
	const struct rt_validators zero = {.modified = 0, .has_modified = true};

	expect_status("GET", SINCE "Wed, 31 Dec 1969 23:59:59 GMT\r\n", &old,
		NOW, 304);
	expect_status("GET", SINCE "Wed, 31 Dec 1969 23:59:58 GMT\r\n", &old,
		NOW, 0);
	expect_status("GET", SINCE "Wed, 31 Dec 1969 23:59:59 GMT\r\n", &zero,
		NOW, 0);
	expect_status("GET", SINCE "Thu, 01 Jan 1970 00:00:00 GMT\r\n", &zero,
		NOW, 304);
	expect_status("PUT", UNSINCE "Wed, 31 Dec 1969 23:59:58 GMT\r\n", &old,
		NOW, 412);
}
END_TEST

/* --- If-Range --- */

enum validator { STRONG, WEAK, NONE, INEXACT };

static const struct {
	const char *fields;
	int64_t age; /* seconds from Last-Modified to now; 0: an hour */
	enum validator validator;
	bool obeyed;
} if_ranges[] = {
	{"", 0, STRONG, YES},
	{"", 0, WEAK, YES},
	{"", 0, NONE, YES},
	{"Range: bytes=0-1\r\n", 0, STRONG, YES},
	{"If-Match: \"a\"\r\n" SINCE BEFORE "\r\n", 0, STRONG, YES},
	/* entity tags */
	{"If-Range: \"x\"\r\n", 0, STRONG, YES},
	{"if-rANGE: \"x\"\r\n", 0, STRONG, YES},
	{"If-Range: \t \"x\" \t\r\n", 0, STRONG, YES},
	{"If-Range: \"x\"\r\n", 0, WEAK, NO},
	{"If-Range: \"x\"\r\n", 0, NONE, NO},
	{"If-Range: W/\"x\"\r\n", 0, STRONG, NO},
	{"If-Range: W/\"x\"\r\n", 0, WEAK, NO},
	{"If-Range: W/\"x\"\r\n", 0, NONE, NO},
	{"If-Range: \"a\"\r\n", 0, STRONG, NO},
	{"If-Range: \"X\"\r\n", 0, STRONG, NO},
	{"If-Range: \"xx\"\r\n", 0, STRONG, NO},
	{"If-Range: \"\"\r\n", 0, STRONG, NO},
	{"If-Range: *\r\n", 0, STRONG, NO},
	{"If-Range: *\r\n", 0, NONE, NO},
	{"If-Range: x\r\n", 0, STRONG, NO},
	{"If-Range: \"x\r\n", 0, STRONG, NO},
	{"If-Range: x\"\r\n", 0, STRONG, NO},
	{"If-Range: \"x\"a\r\n", 0, STRONG, NO},
	{"If-Range: \"x\",\r\n", 0, STRONG, NO},
	{"If-Range: ,\"x\"\r\n", 0, STRONG, NO},
	{"If-Range: \"x\", \"x\"\r\n", 0, STRONG, NO},
	{"If-Range: \"a\", \"x\"\r\n", 0, STRONG, NO},
	{"If-Range:\r\n", 0, STRONG, NO},
	{"If-Range:\r\n", 0, NONE, NO},
	{"If-Range: \r\nIf-Range: \"x\"\r\n", 0, STRONG, NO},
	{"If-Range: \"x\"\r\nIf-Range: \"x\"\r\n", 0, STRONG, NO},
	{"If-Range: \"x\"\r\nX: y\r\nif-range: \"a\"\r\n", 0, STRONG, NO},
	{"If-Range: \"x\"\r\nIf-Range: " SAME "\r\n", 0, STRONG, NO},
	/* dates, of which only the same is the same */
	{"If-Range: " SAME "\r\n", 0, STRONG, YES},
	{"If-Range: " SAME "\r\n", 0, WEAK, YES},
	{"If-Range: " SAME "\r\n", 0, NONE, NO},
	{"If-Range: " BEFORE "\r\n", 0, STRONG, NO},
	{"If-Range: " AFTER "\r\n", 0, STRONG, NO},
	{"If-Range: " IN_2094 "\r\n", 0, STRONG, NO},
	{"If-Range: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 0, STRONG, YES},
	{"If-Range: Sunday, 06-Nov-94 08:49:36 GMT\r\n", 0, STRONG, NO},
	{"If-Range: Sun Nov  6 08:49:37 1994\r\n", 0, STRONG, YES},
	{"If-Range: Sun, 06 Nov 1994 08:49:37\r\n", 0, STRONG, NO},
	{"If-Range: sun, 06 nov 1994 08:49:37 gmt\r\n", 0, STRONG, NO},
	{"If-Range: \"" SAME "\"\r\n", 0, STRONG, NO},
	{"If-Range: " SAME "\r\nIf-Range: " SAME "\r\n", 0, STRONG, NO},
	{"If-Range: " SAME ", " SAME "\r\n", 0, STRONG, NO},
	/* a file may change twice within one second */
	{"If-Range: " SAME "\r\n", 1, STRONG, YES},
	{"If-Range: " SAME "\r\n", 2, STRONG, YES},
	{"If-Range: " SAME "\r\n", -1, STRONG, NO},
	{"If-Range: " SAME "\r\n", -3600, STRONG, NO},
	{"If-Range: \"x\"\r\n", -1, STRONG, YES},
	/* and who has the date may have what was there before */
	{"If-Range: " SAME "\r\n", 0, INEXACT, NO},
	{"If-Range: " SAME "\r\n", 1, INEXACT, NO},
	{"If-Range: \"x\"\r\n", 0, INEXACT, YES},
};

static const struct rt_validators *
validators_of(enum validator validator)
{
	return validator == STRONG   ? &strong :
		validator == WEAK    ? &weak :
		validator == INEXACT ? &inexact :
				       &none;
}

static void
expect_obeyed(const char *fields, const struct rt_validators *validators,
	int64_t now, bool expected)
{
	struct head head = head_begin("GET", fields);
	bool obeyed = rt_precondition_range(rt_http_request(head.http),
		head.text, validators, now);

	ck_assert_msg(obeyed == expected,
		"%d s after the change, of ETag %s: expected Range to be %s: "
		"%s",
		(int)(now - MODIFIED),
		validators->etag ? validators->etag : "none",
		expected ? "obeyed" : "ignored", shown(head.text, head.size));
	head_end(&head);
}

START_TEST(range_is_obeyed)
{
	int64_t age = if_ranges[_i].age ? if_ranges[_i].age : 3600;

	expect_obeyed(if_ranges[_i].fields,
		validators_of(if_ranges[_i].validator), MODIFIED + age,
		if_ranges[_i].obeyed);
}
END_TEST

START_TEST(range_within_the_second)
{
	expect_obeyed("If-Range: " SAME "\r\n", &strong, MODIFIED, NO);
	expect_obeyed("If-Range: \"x\"\r\n", &strong, MODIFIED, YES);
	/* what If-Range says is nothing to the other fields */
	expect_status("GET", "If-Range: \"a\"\r\n", &strong, NOW, 0);
	expect_status("GET", "If-Range: \"a\"\r\nIf-None-Match: \"x\"\r\n",
		&strong, NOW, 304);
}
END_TEST

/* No value, however it is cut, is read past its end. */
START_TEST(every_beginning_of_a_value)
{
	static const char value[] = ", W/\"a,b\" , \"x\"c, W/\"x\", \"x\"";
	char fields[128];

	for (int i = 0; i < COUNT(value); i++) {
		(void)snprintf(fields, sizeof fields, "If-None-Match: %.*s\r\n",
			i, value);
		expect_status("GET", fields, &strong, NOW,
			i >= (int)strlen(", W/\"a,b\" , \"x\"c, W/\"x\"") ||
					i ==
						(int)strlen(
							", W/\"a,b\" , \"x\"") ?
				304 :
				0);
		(void)snprintf(fields, sizeof fields, "If-Match: %.*s\r\n", i,
			value);
		expect_status("GET", fields, &strong, NOW,
			i == (int)sizeof value - 1 ||
					i ==
						(int)strlen(
							", W/\"a,b\" , \"x\"") ?
				0 :
				412);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("precondition");
	TCase *order = tcase_create("order");
	TCase *values = tcase_create("values");
	TCase *range = tcase_create("if-range");

	tcase_add_loop_test(order, fields_in_their_order, 0, 81);
	rt_test_case(suite, order);
	tcase_add_loop_test(values, entity_tags, 0, COUNT(lists));
	tcase_add_loop_test(values, entity_tags_of_all_kinds, 0, COUNT(tags));
	tcase_add_loop_test(values, dates_since, 0, COUNT(dates));
	tcase_add_loop_test(values, dates_given_twice, 0, COUNT(twice));
	tcase_add_test(values, files_older_than_the_epoch);
	tcase_add_test(values, every_beginning_of_a_value);
	rt_test_case(suite, values);
	tcase_add_loop_test(range, range_is_obeyed, 0, COUNT(if_ranges));
	tcase_add_test(range, range_within_the_second);
	rt_test_case(suite, range);
	return rt_test_run(suite);
}
