/* SPDX-License-Identifier: MIT */
/* Tests of fill.c: parts of a request in a text, and how they are escaped. */
#include "config.h"

#include "canned/fill.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- filling in --- */

static const struct retort_field fields[] = {
	{"Host", "x"},
	{"X-Id", "one"},
	{"x-id", "two"},
	{"Evil", "a\"b\\c<d>&'e"},
};

static const struct retort_exchange seen = {
	.method = "POST",
	.target = "/a%20b/c?id=7",
	.path = "/a b/c",
	.query = "id=7&name=A+B%26%22&&e&=n&id=8&%69d2=x&bad=%zz%",
	.fields = fields,
	.field_count = sizeof fields / sizeof *fields,
	.body = "b\0\r\ny",
	.body_size = 5,
};

/* Bodies that are read by their type. */
static const struct {
	const char *type;
	const char *body;
	const char *text;
	const char *filled;
	enum rt_fill_in in;
} bodies[] = {
	{"application/x-www-form-urlencoded", "a=1+2&b=%22&a=3",
		"{form.a}|{form.b}|{form.c}", "1 2|\"|", RT_FILL_PLAIN},
	{"application/x-www-form-urlencoded; charset=utf-8", "b=%22",
		"{form.b}", "\\\"", RT_FILL_JSON},
	{"multipart/form-data; boundary=x",
		"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
		"1+2\r\n--x--\r\n",
		"{form.a}", "1+2", RT_FILL_PLAIN},
	{"text/plain", "a=1", "[{form.a}]", "[]", RT_FILL_PLAIN},
	{NULL, "a=1", "[{form.a}]", "[]", RT_FILL_PLAIN},
#ifdef HAVE_JANSSON
	{"application/json",
		"{\"id\": 7, \"n\": {\"a/b\": [1.5, \"\\\"\", null]}}",
		"{json./id}|{json./n/a~1b/0}|{json./n/a~1b/1}|{json./n/a~1b/2}",
		"7|1.5|\"|null", RT_FILL_PLAIN},
	{NULL, "{\"a\":{\"b\": [1, \"x\"]}}", "{json./a}", "{\"b\":[1,\"x\"]}",
		RT_FILL_PLAIN},
	{NULL, "{\"a\":\"<\\\"\"}", "\"{json./a}\"", "\"<\\\"\"", RT_FILL_JSON},
	{NULL, "{\"a\":[1]}", "[{json./b}{json./a/1}{json./a/-}{json./a/x}]",
		"[]", RT_FILL_PLAIN},
	/* all of it */
	{NULL, " {\"a\": [1] }\n", "{json.}", "{\"a\":[1]}", RT_FILL_PLAIN},
	{NULL, "{\"\": 1}", "{raw json.}{json./}", "{\"\":1}1", RT_FILL_PLAIN},
	{NULL, "{\"a\":", "[{json./a}]", "[]", RT_FILL_PLAIN},
	{NULL, "", "[{json./a}]", "[]", RT_FILL_PLAIN},
#endif
};

static const struct rt_filling filling = {
	.seen = &seen,
	.stars = {{"a%20%22", 7}, {"", 0}, {"x/%0d%0a%00y", 12}},
	.connection = 12,
	.count = 3,
	.now = 784111777, /* Sun, 06 Nov 1994 08:49:37 GMT */
};

static const struct {
	enum rt_fill_in in;
	const char *text;
	const char *filled;
	size_t size; /* of `filled`, if it is no text */
} texts[] = {
	/* braces that begin nothing */
	{RT_FILL_PLAIN, "", "", 0},
	{RT_FILL_PLAIN, "text", "text", 0},
	{RT_FILL_PLAIN, "{", "{", 0},
	{RT_FILL_PLAIN, "}", "}", 0},
	{RT_FILL_PLAIN, "{}", "{}", 0},
	{RT_FILL_PLAIN, "{ path }", "{ path }", 0},
	{RT_FILL_PLAIN, "{\"a\":{\"b\":[{}]}}", "{\"a\":{\"b\":[{}]}}", 0},
	{RT_FILL_PLAIN, "{\npath}", "{\npath}", 0},
	{RT_FILL_PLAIN, "{{", "{", 0},
	{RT_FILL_PLAIN, "{{path}", "{path}", 0},
	{RT_FILL_PLAIN, "{{{path}}", "{/a b/c}", 0},
	{RT_FILL_PLAIN, "{{{{", "{{", 0},
	{RT_FILL_PLAIN, "a{{b", "a{b", 0},
	/* each part */
	{RT_FILL_PLAIN, "{method}", "POST", 0},
	{RT_FILL_PLAIN, "<{method}{method}>", "<POSTPOST>", 0},
	{RT_FILL_PLAIN, "{target}", "/a%20b/c?id=7", 0},
	{RT_FILL_PLAIN, "{path}", "/a b/c", 0},
	{RT_FILL_PLAIN, "{1}|{2}|", "a \"||", 0},
	{RT_FILL_PLAIN, "{9}", "", 0},
	{RT_FILL_PLAIN, "{query.id}", "7", 0},
	{RT_FILL_PLAIN, "{query.name}", "A B&\"", 0},
	{RT_FILL_PLAIN, "{query.id2}{query.%69d}", "x", 0},
	{RT_FILL_PLAIN, "[{query.e}{query.n}{query.i}{query.id22}]", "[]", 0},
	{RT_FILL_PLAIN, "{query.bad}", "%zz%", 0},
	{RT_FILL_PLAIN, "{field.x-ID}", "one", 0},
	{RT_FILL_PLAIN, "[{field.None}]", "[]", 0},
	{RT_FILL_PLAIN, "{body}", "b\0\r\ny", 5},
	{RT_FILL_PLAIN, "[{websocket-accept}]", "[]", 0},
	{RT_FILL_PLAIN, "{connection}.{count}", "12.3", 0},
	{RT_FILL_PLAIN, "{now}", "1994-11-06T08:49:37Z", 0},
	{RT_FILL_FIELD, "{now}", "Sun, 06 Nov 1994 08:49:37 GMT", 0},
	{RT_FILL_JSON, "{now}", "1994-11-06T08:49:37Z", 0},
	/* escaped for where they stand, but not the text itself */
	{RT_FILL_PLAIN, "<{field.Evil}>", "<a\"b\\c<d>&'e>", 0},
	{RT_FILL_JSON, "{\"<\":\"{field.Evil}\"}",
		"{\"<\":\"a\\\"b\\\\c<d>&'e\"}", 0},
	{RT_FILL_MARKUP, "<{field.Evil}>", "<a&#34;b\\c&#60;d&#62;&#38;&#39;e>",
		0},
	{RT_FILL_FORM, "a=/{field.Evil}", "a=/a%22b%5Cc%3Cd%3E%26%27e", 0},
	{RT_FILL_FORM, "{path}", "%2Fa%20b%2Fc", 0},
	{RT_FILL_URL, "http://x{path}?", "http://x/a%20b/c?", 0},
	{RT_FILL_JSON, "{body}", "b\\u0000\\u000d\\ny", 0},
	{RT_FILL_MARKUP, "{body}", "b\0\r\ny", 5},
	{RT_FILL_FORM, "{body}", "b%00%0D%0Ay", 0},
	{RT_FILL_EVENT, "data: {body}", "data: b   y", 0},
	{RT_FILL_FIELD, "{body}{3}", "b   yx/   y", 0},
	{RT_FILL_URL, "{3}", "x/%0D%0A%00y", 0},
	/* as they came, but in a field in one line all the same */
	{RT_FILL_JSON, "{raw field.Evil}", "a\"b\\c<d>&'e", 0},
	{RT_FILL_MARKUP, "{raw  field.Evil }", "a\"b\\c<d>&'e", 0},
	{RT_FILL_EVENT, "{raw body}", "b\0\r\ny", 5},
	{RT_FILL_FIELD, "{raw body}", "b   y", 0},
	{RT_FILL_FILE, "{body}{raw body}", "b   yb   y", 0},
	{RT_FILL_FILE, "{now}", "1994-11-06T08:49:37Z", 0},
	{RT_FILL_URL, "{raw query.name}{raw 3}", "A B&\"x/   y", 0},
};

static struct rt_buf
filled(const char *text, enum rt_fill_in in, const struct rt_filling *with)
{
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error = {.at = 0};
	struct rt_buf to;

	rt_buf_init(&to, 1000);
	ck_assert_msg(rt_fill_read(&fill, text, strlen(text), in, RETORT_HTTP,
			      &error) == 0,
		"%s: %s", text, error.text);
	(void)rt_fill_add(&fill, with, 0, &to);
	rt_fill_free(&fill);
	return to;
}

START_TEST(fills)
{
	struct rt_buf to = filled(texts[_i].text, texts[_i].in, &filling);
	size_t size = texts[_i].size;

	if (size == 0)
		size = strlen(texts[_i].filled);
	assert_bytes(to.data ? to.data : "", to.len, texts[_i].filled, size);
	rt_buf_free(&to);
}
END_TEST

START_TEST(of_bodies)
{
	struct retort_field type = {"content-type", bodies[_i].type};
	struct retort_exchange with = {
		.fields = &type,
		.field_count = type.value != NULL,
		.body = bodies[_i].body,
		.body_size = strlen(bodies[_i].body),
	};
	struct rt_filling of = {.seen = &with};
	struct rt_buf to = filled(bodies[_i].text, bodies[_i].in, &of);

	assert_bytes(to.data ? to.data : "", to.len, bodies[_i].filled,
		strlen(bodies[_i].filled));
	rt_buf_free(&to);
}
END_TEST

/* RFC 6455 1.3, and keys that fill one block of SHA-1, or just not. */
START_TEST(accepts)
{
	static const struct {
		const char *key;
		const char *accept;
	} cases[] = {
		{"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		{"", "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="},
		{"xxxxxxxxxxxxxxxxxx", "bZspPpS+bbHX4iBWnSe4VZeDAH8="},
		{"xxxxxxxxxxxxxxxxxxx", "qQsxh2Nb/vsnD9od6HBiP6Igif0="},
		{"xxxxxxxxxxxxxxxxxxxx", "7jD6MP55bPPoLSNhT1mD/AE8sjc="},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxx", "WWp/NRXr3+N4xy7O/17rN1JrRGc="},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			"atUL8kQGe4qplhq19Y5TKRw/Uj4="},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			"EoHUgLwSj5LVfz4NhAZzg2z0i4Y="},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			"DJTE+uYDnPxiT+W6VvIG/iPUxv8="},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		struct retort_field key = {"sec-websocket-key", cases[i].key};
		const struct retort_exchange came = {.fields = &key,
			.field_count = 1};
		const struct rt_filling with = {.seen = &came};
		struct rt_buf to =
			filled("{websocket-accept}", RT_FILL_FIELD, &with);

		assert_bytes(to.data, to.len, cases[i].accept, 28);
		rt_buf_free(&to);
	}
}
END_TEST

/* Frames of a WebSocket, one of which came. */
START_TEST(frames)
{
	static const struct {
		const char *came;
		size_t came_size;
		const char *text;
		const char *filled;
		size_t size;
	} cases[] = {
		{"\x81\x02hi", 4, "{payload}!", "hi!", 3},
		{"\x81\x7e\0\x02hi", 6, "{payload}!", "hi!", 3},
		{"\x81\x7f\0\0\0\0\0\0\0\x02hi", 12, "{payload}!", "hi!", 3},
		{"\x81\0", 2, "{payload}!", "!", 1},
		/* no whole frame, or more than one */
		{"\x81\x03hi", 4, "{payload}!", "!", 1},
		{"\x81\x01hi", 4, "{payload}!", "!", 1},
		{"\x81\x7e\0", 3, "{payload}!", "!", 1},
		{"\x81", 1, "{payload}!", "!", 1},
		{"", 0, "{payload}!", "!", 1},
		/* to the next one, or to the end */
		{"\x81\x02hi", 4, "<{frame.text}{payload}!{frame.ping}",
			"<\x81\x03hi!\x89\0", 8},
		{"\x81\x02hi", 4, "{frame.close}{frame.end}-{frame.pong}x",
			"\x88\0-\x8a\x01x", 6},
		{"\x81\x02hi", 4, "{frame.binary}{body}", "\x82\x04\x81\x02hi",
			6},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		const struct retort_exchange came = {.body = cases[i].came,
			.body_size = cases[i].came_size};
		const struct rt_filling with = {.seen = &came};
		struct rt_buf to = filled(cases[i].text, RT_FILL_PLAIN, &with);

		assert_bytes(to.data, to.len, cases[i].filled, cases[i].size);
		rt_buf_free(&to);
	}
}
END_TEST

/* Of a connection that is greeted nothing is there. */
START_TEST(nothing)
{
	static const struct rt_filling empty = {.connection = 1};
	struct rt_buf to = filled("<{method}{target}{path}{1}{query.a}"
				  "{field.A}{body}{connection}>",
		RT_FILL_PLAIN, &empty);

	assert_bytes(to.data, to.len, "<1>", 3);
	rt_buf_free(&to);
}
END_TEST

/* What is too large fails, and the buffer knows it. */
START_TEST(bounded)
{
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error;
	struct rt_buf to;

	rt_buf_init(&to, 100);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(rt_fill_read(&fill, "{raw body}", 10,
					 RT_FILL_JSON, RETORT_HTTP, &error),
			0);
	(void)rt_fill_add(&fill, &filling, 0, &to);
	ck_assert(to.failed);
	ck_assert_uint_le(to.len, 100);
	rt_buf_free(&to);
	rt_fill_free(&fill);
}
END_TEST

/* --- fields --- */

static void
expect_fields(const char *given, const struct rt_filling *from,
	const char *expected)
{
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error;
	struct rt_buf to;

	rt_buf_init(&to, 1000);
	ck_assert_int_eq(rt_fill_read_fields(&fill, given, RETORT_HTTP, &error),
		0);
	(void)rt_fill_add(&fill, from, 0, &to);
	assert_bytes(to.data, to.len, expected, strlen(expected));
	rt_buf_free(&to);
	rt_fill_free(&fill);
}

START_TEST(lines)
{
	static const char given[] = "X-{path}: {path}\r\nLocation: /u{path}\n"
				    "content-location:{query.name}\nA:\nB";
	static const char expected[] =
		"X-{path}: /a b/c\nLocation: /u/a%20b/c\n"
		"content-location:A%20B%26%22\nA:\nB\n";

	expect_fields(given, &filling, expected);
}
END_TEST

/* A host may have a port, or be an address in brackets; elsewhere in a URL a
   colon would end its scheme. */
START_TEST(hosts)
{
	static const struct retort_field host = {"Host", "[::1]:80/@"};
	static const struct retort_exchange sent = {.fields = &host,
		.field_count = 1};
	static const struct rt_filling from = {.seen = &sent};
	static const char given[] = "Location: http://{field.host}/a\n"
				    "Location: {field.host}\n"
				    "Location: /{field.host}\n";
	static const char expected[] = "Location: http://[::1]:80/%40/a\n"
				       "Location: %5B%3A%3A1%5D%3A80/%40\n"
				       "Location: /%5B%3A%3A1%5D%3A80/%40\n";

	expect_fields(given, &from, expected);
}
END_TEST

/* --- mistakes --- */

#define LIKE "expected {path}, {query.NAME} or the like; a brace is '{{'"
#define POINTER \
	"expected a JSON pointer, which begins with a slash, such as " \
	"{json./items/0/id}"
#define PLAIN \
	"expected {body}, {payload}, {connection}, {count} or {now}; a brace " \
	"is '{{'"

static const struct {
	const char *text;
	size_t at;
	const char *error;
	enum retort_protocol protocol;
} mistakes[] = {
	{"{name}", 1, "'name': " LIKE, RETORT_HTTP},
	{"ab {path} {pathh}", 11, "'pathh': " LIKE, RETORT_HTTP},
	{"{Path}", 1, "'Path': " LIKE, RETORT_HTTP},
	{"{0}", 1, "'0': " LIKE, RETORT_HTTP},
	{"{10}", 1, "'10': " LIKE, RETORT_HTTP},
	{"{query}", 1, "'query': " LIKE, RETORT_HTTP},
	{"{query.}", 1, "'query.': " LIKE, RETORT_HTTP},
	{"{form.}", 1, "'form.': " LIKE, RETORT_HTTP},
#ifdef HAVE_JANSSON
	{"{json.a}", 1, "'json.a': " POINTER, RETORT_HTTP},
	{"{json. }", 1, "'json. ': " POINTER, RETORT_HTTP},
	{"{raw json.a/b}", 1, "'raw json.a/b': " POINTER, RETORT_HTTP},
#else
	{"{json./a}", 1, "'json./a': " LIKE, RETORT_HTTP},
#endif
	{"{header.Host}", 1, "'header.Host': expected {field.NAME}",
		RETORT_HTTP},
	{"{header.Host}", 1, "'header.Host': " PLAIN, RETORT_TCP},
	{"{port}", 1, "'port': expected {field.Host}, such as localhost:8080",
		RETORT_HTTP},
	{"{field.}", 1, "'field.': " LIKE, RETORT_HTTP},
	{"{path.a}", 1, "'path.a': " LIKE, RETORT_HTTP},
	{"{raw }", 1, "'raw ': " LIKE, RETORT_HTTP},
	{"{raw}", 1, "'raw': " LIKE, RETORT_HTTP},
	{"{raw raw path}", 1, "'raw raw path': " LIKE, RETORT_HTTP},
	{"{path }", 1, "'path ': " LIKE, RETORT_HTTP},
	{"{path", 1, "'path': expected a '}' after it; a brace is '{{'",
		RETORT_HTTP},
	{"{a\n}", 1, "'a': expected a '}' after it; a brace is '{{'",
		RETORT_HTTP},
	{"{path}", 1, "'path': " PLAIN, RETORT_TCP},
	{"{frame.texts}", 1, "'frame.texts': " PLAIN, RETORT_TCP},
	{"{frame.}", 1, "'frame.': " PLAIN, RETORT_TCP},
	{"{1}", 1, "'1': " PLAIN, RETORT_UDP},
	{"{query.a}", 1, "'query.a': " PLAIN, RETORT_TCP},
};

START_TEST(mistake)
{
	const char *text = mistakes[_i].text;
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error;

	ck_assert_int_eq(rt_fill_read(&fill, text, strlen(text), RT_FILL_PLAIN,
				 mistakes[_i].protocol, &error),
		-EINVAL);
	ck_assert_str_eq(error.text, mistakes[_i].error);
	ck_assert_uint_eq(error.at, mistakes[_i].at);
	rt_fill_free(&fill);
}
END_TEST

START_TEST(no_frame_in_a_field)
{
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error;

	ck_assert_int_eq(rt_fill_read_fields(&fill, "A: {raw frame.text}\n",
				 RETORT_HTTP, &error),
		-EINVAL);
	ck_assert_str_eq(error.text, "'raw frame.text': " LIKE);
	rt_fill_free(&fill);
}
END_TEST

START_TEST(mistake_in_fields)
{
	static const char given[] = "A: {path}\r\nB: x{y}\n";
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error error;

	ck_assert_int_eq(rt_fill_read_fields(&fill, given, RETORT_HTTP, &error),
		-EINVAL);
	ck_assert_uint_eq(error.at, (size_t)(strstr(given, "y}") - given));
	rt_fill_free(&fill);
}
END_TEST

/* --- types --- */

static const struct {
	const char *type;
	enum rt_fill_in in;
} types[] = {
	{"application/json", RT_FILL_JSON},
	{"Application/JSON ; charset=utf-8", RT_FILL_JSON},
	{"application/problem+json", RT_FILL_JSON},
	{"application/x-ndjson", RT_FILL_JSON},
	{"text/html; charset=utf-8", RT_FILL_MARKUP},
	{"application/xml", RT_FILL_MARKUP},
	{"image/svg+xml", RT_FILL_MARKUP},
	{"application/x-www-form-urlencoded", RT_FILL_FORM},
	{"text/event-stream", RT_FILL_EVENT},
	{"text/plain; a=/json", RT_FILL_PLAIN},
	{"json", RT_FILL_PLAIN},
	{"", RT_FILL_PLAIN},
	{NULL, RT_FILL_PLAIN},
};

START_TEST(type)
{
	const char *name = types[_i].type;

	ck_assert_int_eq(rt_fill_in_type(name, name ? strlen(name) : 0),
		types[_i].in);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fill");
	TCase *tcase = tcase_create("fill");

	tcase_add_loop_test(tcase, fills, 0, COUNT(texts));
	tcase_add_loop_test(tcase, of_bodies, 0, COUNT(bodies));
	tcase_add_test(tcase, accepts);
	tcase_add_test(tcase, frames);
	tcase_add_test(tcase, nothing);
	tcase_add_test(tcase, bounded);
	tcase_add_test(tcase, lines);
	tcase_add_test(tcase, hosts);
	tcase_add_loop_test(tcase, mistake, 0, COUNT(mistakes));
	tcase_add_test(tcase, no_frame_in_a_field);
	tcase_add_test(tcase, mistake_in_fields);
	tcase_add_loop_test(tcase, type, 0, COUNT(types));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
