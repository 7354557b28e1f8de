/* SPDX-License-Identifier: MIT */
/*
 * Tests of call.c and call_...: a request as a line of JSON, as a command of
 * curl and as a rule, byte for byte. That the last two do the same again is
 * tried by tests/command/inspect.sh.
 */
#include "config.h"

#include "inspect/call.h"
#include "show/escape.h"
#include "support/harness.h"

#include <stdio.h>
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
write_with(call_writer *writer, const struct call *call)
{
	struct bytes got = {.data = NULL};

	got.data = call_text(writer, call, &got.size);
	ck_assert_ptr_nonnull(got.data);
	return got;
}

static void
assert_written(call_writer *writer, const struct call *call,
	const char *expected)
{
	struct bytes got = write_with(writer, call);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
}

START_TEST(a_line)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {&exchange, "http://localhost:8080/", "x\ty\n",
		NULL};

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
		"@if-body \\\"a=b\\\"\\n# the body of the reply is not in it"
		"\\nHTTP/1.1 201\\n\\n\"}\n");
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
	struct call call = {&exchange, "http://h/", NULL, NULL};
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
	ck_assert_int_eq(escape_kind(got.data, got.size), KIND_PLAIN);
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
	exchange.status = 501;
	assert_written(call_write_rule, &call,
		"@on POST /x\n@if-body \"\\n\\\"\\\\\\x00@\\xff\"\n"
		"# no rule answered it\nHTTP/1.1 200 OK\n\n");
}
END_TEST

#define FORM "application/x-www-form-urlencoded"
#define PARTS "Multipart/Form-Data; boundary=b"
#define PART "Content-Disposition: form-data; name=\"a\"\r\n"

/* What a body is, and the conditions for it. */
static const struct {
	const char *type;
	const char *body;
	const char *conditions;
} bodies_of_rules[] = {
	{FORM, "a=b+c&d=%26*&e=&a=%zz",
		"@if-form a=b c\n@if-form d=%26%2A\n@if-form e=\n"
		"@if-form a=%25zz\n@if-form-only\n"},
	{FORM "; charset=utf-8", "+=+b+",
		"@if-form %20=%20b%20\n@if-form-only\n"},
	/* no form but by its name */
	{FORM, "hello", "@if-body \"hello\"\n"},
	{FORM, "=b", "@if-body \"=b\"\n"},
	{FORM, "a=b c", "@if-body \"a=b c\"\n"},
	{"text/plain", "a=b", "@if-body \"a=b\"\n"},
	/* whatever the boundary is */
	{PARTS,
		"--b\r\n" PART "\r\nx=% +&y\r\n--b\r\n"
		"content-type: text/plain; charset=a\r\n"
		"Content-Disposition: form-data; name=\"f=\"; "
		"filename=\"a;type=b\xff\"\r\n\r\nz\r\n--b\r\n" PART
		"\r\n\r\n--b--\r\n",
		"@if-form a=x=%25 +%26y\n"
		"@if-file f%3D=a%3Btype=b%FF;type=text/plain\n"
		"@if-form f%3D=*\n@if-form a=\n@if-form-only\n"},
	{"multipart/form-data; boundary=\"b\"", "--b\r\n" PART "\r\nx\r\n--b--",
		"@if-form a=x\n@if-form-only\n"},
	/* parts that are not as usual */
	{PARTS, "--b\r\n" PART "\r\nx",
		"@if-body \"--b\\r\\nContent-Disposition: form-data; "
		"name=\\\"a\\\"\\r\\n\\r\\nx\"\n"},
	{PARTS, "--b\r\n\r\nx\r\n--b--",
		"@if-body \"--b\\r\\n\\r\\nx\\r\\n--b--\"\n"},
	{PARTS,
		"--b\r\nContent-Disposition: form-data; name=\"%22\"\r\n"
		"\r\nx\r\n--b--",
		"@if-body \"--b\\r\\nContent-Disposition: form-data; "
		"name=\\\"%22\\\"\\r\\n\\r\\nx\\r\\n--b--\"\n"},
	{"multipart/form-data", "--b\r\n", "@if-body \"--b\\r\\n\"\n"},
	{"multipart/form-data; boundary=", "--\r\n", "@if-body \"--\\r\\n\"\n"},
	/* what is no JSON, or has what cannot be seen */
	{"application/json", "{a}", "@if-body \"{a}\"\n"},
	{"application/json", "{\"a\": 1, \"a\": 2}",
		"@if-body \"{\\\"a\\\": 1, \\\"a\\\": 2}\"\n"},
	{"application/json", "[\"\r\"]", "@if-body \"[\\\"\\r\\\"]\"\n"},
	{"application/json", " ", "@if-body \" \"\n"},
#ifdef HAVE_JANSSON
	{FORM, "{\"a\": [1]}", "@if-json {\"a\": [1]}\n"},
	{"application/json", "\n[\n  \"@on\",\n\n\"\xc3\xa9\"]\n",
		"@if-json [\n@if-json   \"@on\",\n@if-json \"\xc3\xa9\"]\n"},
#endif
};

START_TEST(conditions)
{
	struct retort *reader = retort_start(.stepped = true);
	struct retort_field type = {"Content-Type", bodies_of_rules[_i].type};
	struct retort_exchange exchange = make_exchange();
	struct call call = {&exchange, NULL, NULL, reader};

	exchange.fields = &type;
	exchange.field_count = 1;
	exchange.body = bodies_of_rules[_i].body;
	exchange.body_size = strlen(bodies_of_rules[_i].body);
	exchange.body_total = exchange.body_size;
	assert_written(call_write_conditions, &call,
		bodies_of_rules[_i].conditions);
	retort_close(reader);
}
END_TEST

/* Long values are any, and a long body is no condition. */
START_TEST(long_bodies)
{
	static char body[5000];
	struct retort_field type = {"Content-Type", FORM};
	struct retort_exchange exchange = make_exchange();
	struct call call = {.exchange = &exchange};

	memset(body, 'x', sizeof body);
	body[1] = '=';
	exchange.fields = &type;
	exchange.field_count = 1;
	exchange.body = body;
	exchange.body_size = sizeof body;
	assert_written(call_write_conditions, &call,
		"@if-form x=*\n@if-form-only\n");
	type.value = "text/plain";
	assert_written(call_write_conditions, &call, "");
	/* so many pairs that nobody would read them */
	type.value = FORM;
	for (size_t i = 0; i < 404; i++)
		body[i] = "a=b&"[i % 4];
	exchange.body_size = 404;
	exchange.body_total = 404;
	{
		struct bytes got = write_with(call_write_conditions, &call);

		assert_begins(got, "@if-body \"a=b&a=b");
		bytes_free(&got);
	}
}
END_TEST

#define SENT "connection 7 from unix\n       0.000 < x\n"
#define AT "       0.000 > "
#define OK AT "HTTP/1.1 200 OK\\r\\n\n"
#define LACKS "# the body of the reply is not in it\n"

/* What a transcript has of a reply, and the rule for it. */
static const struct {
	const char *sent;
	uint64_t size; /* of the reply, at its end */
	const char *method;
	const char *faults;
	const char *rule;
} replies[] = {
	/* the last reply, as a message that needs no notice */
	{SENT OK AT "\\r\\n\n" AT "first\n" OK AT "Date: x\\r\\n\n" AT
		    "X: y\\r\\n\n" AT "Content-Length: 2\\r\\n\n" AT
		    "\\r\\n\n" AT "hi\n"
		    "       0.000 - (closed)\n",
		55, "GET", NULL, "HTTP/1.1 200 OK\nX: y\n\nhi\n\n"},
	/* no line of it is a directive, and its last line end is its own */
	{SENT OK AT "\\r\\n\n" AT "@on\\n\n" AT " @\\n\n", 26, "GET", NULL,
		"HTTP/1.1 200 OK\nContent-Length: 7\n\n@@on\n @\n\n"},
	{SENT OK AT "Transfer-Encoding: chunked\\r\\n\n" AT "\\r\\n\n" AT
		    "2\\r\\n\n" AT "hi\\r\\n\n" AT "a;x\\r\\n\n" AT
		    "0123456789\\r\\n\n" AT "0\\r\\n\n" AT "\\r\\n\n",
		76, "GET", NULL, "HTTP/1.1 200 OK\n\nhi0123456789\n\n"},
	{SENT AT "HTTP/1.1 100 Continue\\r\\n\n" AT "\\r\\n\n" AT
		 "HTTP/1.1 204 No Content\\r\\n\n" AT "\\r\\n\n",
		52, "GET", NULL, "HTTP/1.1 204 No Content\n\n"},
	/* a key is of one request; what follows the switch is no body */
	{SENT AT "HTTP/1.1 101 Switching Protocols\\r\\n\n" AT
		 "Connection: Upgrade\\r\\n\n" AT
		 "Sec-WebSocket-Accept: x\\r\\n\n" AT "\\r\\n\n" AT "hi\n",
		84, "GET", NULL,
		"@fill\n" LACKS "HTTP/1.1 101 Switching Protocols\n"
		"Connection: Upgrade\n"
		"Sec-WebSocket-Accept: {websocket-accept}\n\n"},
	/* what is malformed would be an error in the rule */
	{SENT OK AT "X\\r\\n\n" AT ": a\\r\\n\n" AT " b: c\\r\\n\n" AT
		    "d\\xff: e\\r\\n\n" AT "F: \\x1b\\r\\n\n" AT "G:\\r\\n\n" AT
		    "\\r\\n\n",
		51, "GET", NULL, "HTTP/1.1 200 OK\nG:\n\n"},
	{SENT AT "HTTP/1.1 20x OK\\r\\n\n" AT "\\r\\n\n", 19, "GET", NULL,
		LACKS "HTTP/1.1 200 OK\n\n"},
	{SENT AT "HTTP/1.1 200 \\xff\\r\\n\n" AT "\\r\\n\n", 18, "GET", NULL,
		LACKS "HTTP/1.1 200 OK\n\n"},
	/* some end their lines otherwise */
	{SENT AT "HTTP/1.1 200 OK\\n\n" AT "X: y\\n\n" AT "Z:\\r\\n\n" AT
		 "\\r\\n\n",
		27, "GET", NULL, "HTTP/1.1 200 OK\nX: y\nZ:\n\n"},
	/* it is not known, or not what the rule would say */
	{SENT OK AT "Content-Encoding: br\\r\\n\n" AT "X: y\\r\\n\n" AT
		    "\\r\\n\n" AT "\\xff\n",
		48, "GET", NULL, LACKS "HTTP/1.1 200 OK\nX: y\n\n"},
	{SENT OK AT "Content-Length: 9\\r\\n\n" AT "\\r\\n\n", 38, "HEAD", NULL,
		LACKS "HTTP/1.1 200 OK\n\n"},
	{SENT OK AT "\\r\\n\n" AT "hi\n", 21, "GET", "cut 2 fin",
		"@fault cut 2 fin\n" LACKS "HTTP/1.1 200 OK\n\n"},
	{SENT OK AT "Transfer-Encoding: chunked\\r\\n\n" AT "\\r\\n\n" AT
		    "ffffffffffffffff\\r\\n\n" AT "hi\\r\\n\n",
		69, "GET", NULL, LACKS "HTTP/1.1 200 OK\n\n"},
	{SENT OK AT "\\r\\n\n" AT "hi\n"
		    "             > ... 9 more bytes\n",
		30, "GET", NULL, LACKS "HTTP/1.1 200 OK\n\n"},
	{SENT OK AT "\\r\\n\n", 999, "GET", NULL, LACKS "HTTP/1.1 200 OK\n\n"},
	{SENT AT "HTTP/1.\\n\n" AT "x\\r\\n\n" AT "\\r\\n\n", 13, "GET", NULL,
		LACKS "HTTP/1.1 200 OK\n\n"},
	{"x", 0, "GET", NULL, LACKS "HTTP/1.1 200 OK\n\n"},
};

START_TEST(what_was_answered)
{
	struct retort_exchange exchange = make_exchange();
	struct call call = {&exchange, NULL, replies[_i].sent, NULL};
	struct bytes got;

	exchange.request = "GET /x HTTP/1.1";
	exchange.request_size = 15;
	exchange.method = replies[_i].method;
	exchange.status = 200;
	exchange.faults = replies[_i].faults;
	exchange.sent = replies[_i].size;
	exchange.body_size = 0;
	exchange.body_total = 0;
	got = write_with(call_write_rule, &call);
	assert_begins(got, "@on GET /x\n");
	assert_bytes(got.data + 11, got.size - 11, replies[_i].rule,
		strlen(replies[_i].rule));
	bytes_free(&got);
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
	tcase_add_loop_test(tcase, conditions, 0, COUNT(bodies_of_rules));
	tcase_add_test(tcase, long_bodies);
	tcase_add_loop_test(tcase, what_was_answered, 0, COUNT(replies));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
