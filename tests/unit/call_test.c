/* SPDX-License-Identifier: MIT */
/*
 * Tests of call.c, call_curl.c and call_rule.c: a request as a line of JSON, as a command of
 * curl and as a rule, byte for byte. That the last two do the same again is
 * tried by tests/command/inspect.sh.
 */
#include "config.h"

#include "show/escape.h"
#include "support/harness.h"
#include "talk/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct retort_field fields[] = {
	{"Host", "localhost:8080"},
	{"Accept", "*/*"},
	{"Content-Length", "3"},
};

/* A test changes what it is about. */
static struct retort_exchange
make_exchange(void)
{
	return (struct retort_exchange){
		.connection = 7,
		.nth = 2,
		.client = "unix",
		.request = "POST /x HTTP/1.1",
		.request_size = 16,
		.status = 201,
		.rule = 1,
		.end = RETORT_ANSWERED,
		.method = "POST",
		.target = "/x",
		.minor = 1,
		.fields = fields,
		.field_count = COUNT(fields),
		.body = "a=b",
		.body_size = 3,
		.body_total = 3,
		.complete = true,
	};
}

static struct bytes
write_with(void (*function)(FILE *file, const struct call *call),
	const struct call *call)
{
	struct bytes got = {.data = NULL};
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(file);
	function(file, call);
	ck_assert_int_eq(fclose(file), 0);
	bytes_add(&got, text, size);
	free(text);
	return got;
}

static void
assert_written(void (*function)(FILE *file, const struct call *call),
	const struct call *call, const char *expected)
{
	struct bytes got = write_with(function, call);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
}

START_TEST(a_line)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {&exchange, "http://localhost:8080/", "x\ty\n"};

	assert_written(call_write, &call,
		"{\"id\":\"7.2\",\"log\":{\"time\":\"1970-01-01T00:00:00.000Z\","
		"\"connection\":7,\"nth\":2,\"client\":\"unix\","
		"\"request\":\"POST /x HTTP/1.1\",\"status\":201,"
		"\"received\":0,\"sent\":0,\"ms\":0.000,"
		"\"end\":\"answered\"},\"method\":\"POST\",\"target\":\"/x\","
		"\"fields\":[[\"Host\",\"localhost:8080\"],"
		"[\"Accept\",\"*/*\"],[\"Content-Length\",\"3\"]],"
		"\"body_size\":3,\"body\":\"a=b\","
		"\"transcript\":\"x\\ty\\n\",\"curl\":\"curl "
		"'http://localhost:8080/x' \\\\\\n  -H 'Accept: */*' "
		"\\\\\\n  -H 'User-Agent:' \\\\\\n  -H 'Content-Type:' "
		"\\\\\\n  --data-raw 'a=b'\\n\",\"rule\":\"@on POST /x\\n"
		"@if-body \\\"a=b\\\"\\nHTTP/1.1 201\\n\\n\"}\n");
	/* nothing is known but what a log says */
	exchange.method = NULL;
	exchange.body_size = 0;
	assert_written(call_write, &(struct call){.exchange = &exchange},
		"{\"id\":\"7.2\",\"log\":{\"time\":\"1970-01-01T00:00:00.000Z\","
		"\"connection\":7,\"nth\":2,\"client\":\"unix\","
		"\"request\":\"POST /x HTTP/1.1\",\"status\":201,"
		"\"received\":0,\"sent\":0,\"ms\":0.000,"
		"\"end\":\"answered\"}}\n");
}
END_TEST

/* Whatever the bytes of a body are, a line is a line. */
START_TEST(bodies)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {.exchange = &exchange};

	for (int c = 0; c < 256; c++) {
		char body[] = {'a', (char)c, 'b'}, expected[64];
		struct bytes got;

		exchange.body = body;
		got = write_with(call_write, &call);
		if (c >= 0x80)
			(void)snprintf(expected, sizeof expected,
				"\"body_hex\":\"61%02x62\"", (unsigned)c);
		else if (c == '"' || c == '\\')
			(void)snprintf(expected, sizeof expected,
				"\"body\":\"a\\%cb\"", c);
		else if (c == '\n' || c == '\t')
			(void)snprintf(expected, sizeof expected,
				"\"body\":\"a\\%cb\"", c == '\n' ? 'n' : 't');
		else if (c < ' ' || c == 0x7f || c == '<')
			(void)snprintf(expected, sizeof expected,
				"\"body\":\"a\\u%04xb\"", (unsigned)c);
		else
			(void)snprintf(expected, sizeof expected,
				"\"body\":\"a%cb\"", c);
		assert_has(got, expected);
		for (size_t i = 0; i + 1 < got.size; i++)
			ck_assert_msg(got.data[i] >= ' ' && got.data[i] <= '~',
				"byte %zu of %s", i, shown(got.data, got.size));
		bytes_free(&got);
	}
}
END_TEST

/* What a request is, and the command that sends it; NULL: none does. */
static const struct {
	const char *method;
	const char *target;
	const char *body; /* NULL: none */
	const char *curl;
} commands[] = {
	{"GET", "/a?b=c", NULL, "curl 'http://h/a?b=c'"},
	{"GET", "/$(id)'`id`", NULL, "curl 'http://h/$(id)'\\''`id`'"},
	{"GET", "/[1-2]{a,b}", NULL, "curl -g 'http://h/[1-2]{a,b}'"},
	{"GET", "/../a", NULL, "curl --path-as-is 'http://h/../a'"},
	{"HEAD", "/", NULL, "curl -I 'http://h/'"},
	{"PUT", "/", "x", "curl -X 'PUT' 'http://h/'"},
	{"OPTIONS", "*", NULL,
		"curl -X 'OPTIONS' --request-target '*' 'http://h/'"},
	{"GET", "/\xe4#\x1b", NULL,
		"curl --request-target \"$(printf '/\\344#\\033')\" "
		"'http://h/'"},
	{"GET", "/\"!%\xff", NULL,
		"curl --request-target \"$(printf '/\\042\\041%%\\377')\" "},
	{"POST", "/", "\x1b[201~\r", "printf '\\033[201~\\r' |\ncurl "},
	{"POST", "/", "-%\\'\"\xff",
		"printf '\\055%%\\134\\047\"\\377' |\ncurl "},
	{"POST", "/", "--b\r\nA: b; c=\"d-e\"\r\n\r\nf\r\n--b--\r\n",
		"printf '\\055-b\\r\\nA: b; c=\"d-e\"\\r\\n\\r\\nf\\r\\n--b--"
		"\\r\\n' |\ncurl "},
	{"POST", "/", "a\xe2\x80\xae", "printf 'a\\342\\200\\256' |\ncurl "},
	/* what ends the quotes of fish, or is a key; and what does not */
	{"GET", "/\\';id", NULL, "curl \"$(printf 'http://h/\\134\\047;id')\""},
	{"GET", "/\\n'\\u", NULL, "curl 'http://h/\\n'\\''\\u'"},
	{"GET", "/\\", NULL, "curl \"$(printf 'http://h/\\134')\""},
	{"POST", "/", "\\\\';id", "printf '\\134\\134\\047;id' |\ncurl "},
	{"POST", "/", "a\t!", "printf 'a\\011\\041' |\ncurl "},
	/* an empty body is one */
	{"POST", "/", "", "curl 'http://h/'"},
	{"GET", "/", "", "curl -X 'GET' 'http://h/'"},
	{"HEAD", "/", "", "curl -I 'http://h/'"},
};

START_TEST(curl)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {&exchange, "http://h/", NULL};
	const char *body = commands[_i].body;
	struct bytes got;

	exchange.method = commands[_i].method;
	exchange.target = commands[_i].target;
	exchange.body = body;
	exchange.body_size = body ? strlen(body) : 0;
	exchange.body_total = exchange.body_size;
	if (body == NULL) /* nor its length */
		exchange.field_count--;
	got = write_with(call_write_curl, &call);
	assert_begins(got, commands[_i].curl);
	/* and none of it can be seen as another thing than it is */
	ck_assert_int_eq(show_kind(got.data, got.size), SHOW_PLAIN);
	bytes_free(&got);
}
END_TEST

/* Where the server is. */
START_TEST(urls)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {.exchange = &exchange};
	struct bytes got;

	call.url = "unix:/tmp/a 'b";
	got = write_with(call_write_curl, &call);
	assert_begins(got,
		"curl --unix-socket '/tmp/a '\\''b' "
		"'http://localhost/x' \\\n  -H 'Host: ");
	bytes_free(&got);
	call.url = "https://localhost:8080/";
	got = write_with(call_write_curl, &call);
	assert_begins(got,
		"curl -k 'https://localhost:8080/x' \\\n  "
		"-H 'Accept: ");
	bytes_free(&got);
}
END_TEST

static void
assert_not_copied(const struct retort_exchange *exchange)
{
	struct call call = {.exchange = exchange};
	struct bytes got = write_with(call_write, &call);

	assert_lacks(got, "\"curl\":");
	assert_lacks(got, "\"rule\":");
	bytes_free(&got);
}

START_TEST(what_cannot_be_copied)
{
	struct retort_exchange exchange = make_exchange();

	exchange.body_total = 4;
	assert_not_copied(&exchange);
	exchange = make_exchange();
	exchange.refused = 400;
	assert_not_copied(&exchange);
	exchange = make_exchange();
	exchange.complete = false;
	assert_not_copied(&exchange);
	exchange = make_exchange();
	exchange.protocol = RETORT_TCP;
	assert_not_copied(&exchange);
}
END_TEST

START_TEST(rules)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {.exchange = &exchange};

	exchange.body = "\n\"\\\0@\xff";
	exchange.body_size = 6;
	exchange.body_total = 6;
	exchange.rule = 0;
	assert_written(call_write_rule, &call,
		"@on POST /x\n@if-body \"\\n\\\"\\\\\\x00@\\xff\"\n"
		"HTTP/1.1 200 OK\n\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("call");
	TCase *tcase = tcase_create("call");

	tcase_add_test(tcase, a_line);
	tcase_add_test(tcase, bodies);
	tcase_add_loop_test(tcase, curl, 0, COUNT(commands));
	tcase_add_test(tcase, urls);
	tcase_add_test(tcase, what_cannot_be_copied);
	tcase_add_test(tcase, rules);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
