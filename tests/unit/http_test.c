/* SPDX-License-Identifier: MIT */
/*
 * Requests: the cases of requests.txt, each of them fed in every way that its
 * bytes can be cut, from memory that ends at a protected page; and what the
 * case file cannot say.
 *
 *	http_test                      the tests
 *	http_test --corpus DIR         writes each case's bytes to a file
 *	http_test --mutate SEED COUNT  prints the outcomes of spoiled cases
 *
 * The last is for comparing builds with different versions of llhttp, whose
 * output must be the same.
 */
#include "config.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "http/http.h"
#include "http/status.h"
#include "support/harness.h"

#define ROOM (1u << 20)
#define GROUP 10
#define SHORT 1024 /* requests up to this size are split everywhere, */
#define ENDS 50    /* and others so near their ends */

static const struct rt_limits limits = {.target = 8192,
	.head = 65536,
	.fields = 100};

/* --- the case file --- */

struct request_case {
	char *name;
	int line; /* of the file */
	struct bytes request;
	struct bytes *expected;
	size_t expected_count;
};

static struct request_case *cases;
static size_t case_count;

static const char *
case_file(void)
{
	static char path[4096];
	const char *folder = getenv("RETORT_SRCDIR");

	(void)snprintf(path, sizeof path, "%s/tests/unit/requests.txt",
		folder ? folder : ".");
	return path;
}

static void
die(int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: %s\n", case_file(), line, what);
	exit(99);
}

static int
hex_digit(char c, int line)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	if (at == NULL)
		die(line, "\\x wants two digits, in lower case");
	return (int)(at - digits);
}

static void unescape(struct bytes *to, const char *text, size_t size, int line);

/* Appends, `count` times, text with its escapes replaced. */
static void
repeat(struct bytes *to, const char *text, size_t size, size_t count, int line)
{
	struct bytes once = {.data = NULL};
	char *all;

	unescape(&once, text, size, line);
	all = malloc(once.size * count + 1);
	if (all == NULL || once.size == 0)
		die(line, "nothing to repeat");
	for (size_t i = 0; i < count; i++)
		memcpy(all + i * once.size, once.data, once.size);
	bytes_add(to, all, once.size * count);
	bytes_free(&once);
	free(all);
}

/* Appends text with its escapes replaced. */
static void
unescape(struct bytes *to, const char *text, size_t size, int line)
{
	static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";

	for (size_t i = 0; i < size; i++) {
		const char *name, *star, *end;
		size_t plain = strcspn(text + i, "\\");
		char c;

		if (plain > 0) {
			plain = plain < size - i ? plain : size - i;
			bytes_add(to, text + i, plain);
			i += plain - 1;
			continue;
		}
		c = ++i < size ? text[i] : '\0';
		if (c == '{') {
			star = strchr(text + i, '*');
			end = star ? strchr(star, '}') : NULL;
			if (end == NULL)
				die(line, "\\{TEXT*N} without * or }");
			repeat(to, text + i + 1, (size_t)(star - text) - i - 1,
				strtoul(star + 1, NULL, 10), line);
			i = (size_t)(end - text);
		} else if (c == 'x' && i + 2 < size) {
			c = (char)(hex_digit(text[i + 1], line) * 16 +
				hex_digit(text[i + 2], line));
			bytes_add(to, &c, 1);
			i += 2;
		} else if (c != '\0' && (name = strchr(names, c)) != NULL) {
			bytes_add(to, values + (name - names), 1);
		} else {
			die(line, "unknown escape");
		}
	}
}

static void
add_case(const char *name, size_t size, int line)
{
	cases = realloc(cases, (case_count + 1) * sizeof *cases);
	if (cases == NULL)
		die(line, "out of memory");
	cases[case_count] = (struct request_case){.line = line};
	cases[case_count].name = strndup(name, size);
	bytes_add(&cases[case_count].request, "", 0);
	case_count++;
}

static void
add_line(const char *text, size_t size, int line)
{
	struct request_case *last = case_count ? cases + case_count - 1 : NULL;
	struct bytes *expected;

	if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
		if (last != NULL && last->expected_count == 0)
			die(line, "the case before it expects nothing");
		add_case(text + 1, size - 2, line);
	} else if (last != NULL && strncmp(text, "=> ", 3) == 0) {
		last->expected = realloc(last->expected,
			(last->expected_count + 1) * sizeof *last->expected);
		if (last->expected == NULL)
			die(line, "out of memory");
		expected = last->expected + last->expected_count++;
		*expected = (struct bytes){.data = NULL};
		unescape(expected, text + 3, size - 3, line);
	} else if (last != NULL && last->expected_count == 0) {
		unescape(&last->request, text, size, line);
	} else if (size > 0 && text[0] != '#') {
		die(line, "neither a name, nor an expectation");
	}
}

static void
read_cases(void)
{
	FILE *file = fopen(case_file(), "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t size;

	if (file == NULL)
		die(0, "cannot be read");
	for (int line = 1; (size = getline(&text, &room, file)) > 0; line++) {
		if (text[size - 1] == '\n')
			text[--size] = '\0';
		add_line(text, (size_t)size, line);
	}
	free(text);
	(void)fclose(file);
	if (case_count == 0)
		die(0, "no case");
}

static void
free_cases(void)
{
	for (size_t i = 0; i < case_count; i++) {
		free(cases[i].name);
		bytes_free(&cases[i].request);
		for (size_t k = 0; k < cases[i].expected_count; k++)
			bytes_free(&cases[i].expected[k]);
		free(cases[i].expected);
	}
	free(cases);
}

/* --- outcomes, as text --- */

static void
add_text(struct bytes *to, const char *text)
{
	bytes_add(to, text, strlen(text));
}

static void
add_number(struct bytes *to, const char *name, uint64_t number)
{
	char text[64];

	(void)snprintf(text, sizeof text, "%s %" PRIu64 "\n", name, number);
	add_text(to, text);
}

static void
add_span(struct bytes *to, const char *name, const char *base,
	struct rt_span span)
{
	if (span.size == 0)
		return;
	add_text(to, name);
	bytes_add(to, base + span.at, span.size);
	add_text(to, "\n");
}

static void
add_head(struct bytes *to, const struct rt_request *request, const char *base)
{
	static const char *const forms[] = {
		[RT_ORIGIN] = "form origin\n",
		[RT_ABSOLUTE] = "form absolute\n",
		[RT_AUTHORITY] = "form authority\n",
		[RT_ASTERISK] = "form asterisk\n",
	};

	add_text(to, forms[request->form]);
	add_span(to, "path ", base, request->path);
	add_span(to, "query ", base, request->query);
	add_span(to, "host ", base, request->host);
	for (size_t i = 0; i < request->field_count; i++) {
		const struct rt_http_field *field = request->fields + i;

		add_text(to, "field ");
		bytes_add(to, base + field->name.at, field->name.size);
		add_text(to, ": ");
		bytes_add(to, base + field->value.at, field->value.size);
		add_text(to, "\n");
	}
	if (request->method == RT_UNKNOWN)
		add_text(to, "unknown\n");
	if (request->chunked)
		add_text(to, "chunked\n");
	if (request->expects_continue)
		add_text(to, "continue\n");
	add_text(to, "head\n");
	add_number(to, "length", request->content_length);
	add_number(to, "body", request->body_size);
}

/* `at` and `size` as given to rt_http_feed(). */
static struct bytes
outcome_of(struct rt_http *http, enum rt_http_result result, bool head,
	const char *base, size_t at, size_t size)
{
	const struct rt_request *request = rt_http_request(http);
	struct bytes to = {.data = NULL};
	const char *reason;
	char text[64];
	int status;

	if (result == RT_HTTP_DONE) {
		add_text(&to, "ok ");
		bytes_add(&to, base + request->name.at, request->name.size);
		add_text(&to, " ");
		bytes_add(&to, base + request->target.at, request->target.size);
		(void)snprintf(text, sizeof text, " %d %" PRIu64 "\n",
			request->minor, request->body_size);
		add_text(&to, text);
		add_number(&to, "rest", size - at);
	} else if (result == RT_HTTP_BAD) {
		status = rt_http_refusal(http, &reason);
		(void)snprintf(text, sizeof text, "%d ", status);
		add_text(&to, text);
		add_text(&to, reason);
		add_text(&to, "\n");
	} else {
		add_text(&to, "more\n");
	}
	if (head)
		add_head(&to, request, base);
	return to;
}

/* --- feeding --- */

static char *room_end; /* a protected page begins here */

static void
make_room(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *room = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED || mprotect(room + ROOM, page, PROT_NONE) != 0)
		die(0, "no room");
	room_end = room + ROOM;
}

enum manner {
	IN_PLACE, /* the base stays, and what was not given yet is garbage */
	MOVING,   /* what was given always ends at the protected page */
	DROPPING  /* body bytes that were dealt with are taken away */
};

/* Gives `first` bytes, then `step` more each time, up to the end. */
static struct bytes
feed(struct rt_http *http, const struct bytes *request, size_t first,
	size_t step, enum manner manner)
{
	enum rt_http_result result = RT_HTTP_MORE;
	size_t given = 0, size = 0, at = 0, add = first, head;
	char *base = room_end - request->size;
	bool seen = false;

	memset(base, 0xff, request->size);
	rt_http_reset(http, &limits);
	do {
		if (add > request->size - given)
			add = request->size - given;
		if (manner == MOVING) {
			base = room_end - given - add;
			if (given > 0)
				memcpy(base, request->data, given);
		}
		memcpy(base + size, request->data + given, add);
		given += add;
		size += add;
		add = step;
		while ((result = rt_http_feed(http, base, &at, size)) ==
			RT_HTTP_HEAD) {
			if (seen)
				die(0, "two heads");
			seen = true;
		}
		if (at > size)
			die(0, "more was taken than given");
		head = rt_http_request(http)->head_size;
		if (manner == DROPPING && seen && at > head) {
			memmove(base + head, base + at, size - at);
			size -= at - head;
			at = head;
		}
	} while (given < request->size && result == RT_HTTP_MORE);
	size += request->size - given;
	return outcome_of(http, result, seen, base, at, size);
}

static bool
has_line(const struct bytes *text, const struct bytes *line)
{
	const char *at = text->data;

	for (; *at != '\0'; at = strchr(at, '\n') + 1)
		if (strcspn(at, "\n") == line->size &&
			memcmp(at, line->data, line->size) == 0)
			return true;
	return false;
}

/* The first word of what must not be there is enough: "!host". */
static bool
has_word(const struct bytes *text, const char *word)
{
	const char *at = text->data;
	size_t size = strlen(word);

	for (; *at != '\0'; at = strchr(at, '\n') + 1)
		if (strncmp(at, word, size) == 0 &&
			(at[size] == ' ' || at[size] == '\n'))
			return true;
	return false;
}

static void
assert_expected(const struct request_case *tried, const struct bytes *outcome)
{
	for (size_t i = 0; i < tried->expected_count; i++) {
		const struct bytes *line = tried->expected + i;
		bool met;

		if (i == 0)
			met = strcspn(outcome->data, "\n") == line->size &&
				memcmp(outcome->data, line->data, line->size) ==
					0;
		else if (line->data[0] == '!')
			met = !has_word(outcome, line->data + 1);
		else
			met = has_line(outcome, line);
		ck_assert_msg(met, "line %d, \"%s\": expected \"%s\"\n# of: %s",
			tried->line, tried->name, shown(line->data, line->size),
			shown(outcome->data, outcome->size));
	}
}

static void
assert_same(struct rt_http *http, const struct request_case *tried,
	const struct bytes *outcome, size_t first, size_t step,
	enum manner manner)
{
	struct bytes other = feed(http, &tried->request, first, step, manner);

	ck_assert_msg(other.size == outcome->size &&
			memcmp(other.data, outcome->data, other.size) == 0,
		"line %d, \"%s\": fed %zu bytes, then %zu at a time "
		"(manner %d): %s\n# but fed whole: %s",
		tried->line, tried->name, first, step, (int)manner,
		shown(other.data, other.size),
		shown(outcome->data, outcome->size));
	bytes_free(&other);
}

static void
try_case(const struct request_case *tried)
{
	size_t size = tried->request.size;
	struct rt_http *http = rt_http_new();
	struct bytes outcome;

	ck_assert_ptr_nonnull(http);
	outcome = feed(http, &tried->request, size, 1, MOVING);
	assert_expected(tried, &outcome);
	assert_same(http, tried, &outcome, 0, 1, IN_PLACE);
	assert_same(http, tried, &outcome, 0, 1, DROPPING);
	if (size <= SHORT)
		assert_same(http, tried, &outcome, 1, 1, MOVING);
	for (size_t k = 1; k < size; k++) {
		if (!rt_test_thin())
			assert_same(http, tried, &outcome, k, size, MOVING);
		/* in the middle of a long one, here and there is enough */
		if (size > SHORT && k > ENDS && size - k > ENDS + size / 16)
			k += size / 16;
		else if (size > SHORT && k > ENDS && size - k > ENDS)
			k = size - ENDS;
	}
	bytes_free(&outcome);
	rt_http_free(http);
}

/* Not each in a process of its own, which would take longer than the case. */
START_TEST(outcomes_of_cases)
{
	size_t from = (size_t)_i * GROUP;

	for (size_t i = from; i < from + GROUP && i < case_count; i++)
		try_case(cases + i);
}
END_TEST

/* --- what the case file cannot say --- */

START_TEST(a_parser_can_be_used_again)
{
	struct rt_http *http = rt_http_new();

	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < case_count; i++) {
			struct bytes outcome = feed(http, &cases[i].request,
				cases[i].request.size, 1, IN_PLACE);

			assert_expected(cases + i, &outcome);
			bytes_free(&outcome);
		}
	}
	rt_http_free(http);
}
END_TEST

START_TEST(names_are_unique)
{
	for (size_t i = 0; i < case_count; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(cases[i].name, cases[k].name),
				"lines %d and %d: \"%s\"", cases[k].line,
				cases[i].line, cases[i].name);
}
END_TEST

/* Feeds a text whole, up to its head, and no further. */
static enum rt_http_result
feed_text(struct rt_http *http, const char *text)
{
	size_t at = 0;

	return rt_http_feed(http, text, &at, strlen(text));
}

START_TEST(the_head_comes_before_the_rest)
{
	static const char text[] = "PUT / HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 3\r\n\r\nabcd";
	size_t at = 0, head = sizeof text - 1 - 4;
	struct rt_http *http = rt_http_new();
	const struct rt_request *request = rt_http_request(http);

	rt_http_reset(http, &limits);
	ck_assert_int_eq(rt_http_feed(http, text, &at, head - 1), RT_HTTP_MORE);
	ck_assert_uint_eq(at, 0);
	ck_assert_int_eq(rt_http_feed(http, text, &at, head + 1), RT_HTTP_HEAD);
	ck_assert_uint_eq(at, head);
	ck_assert_uint_eq(request->head_size, head);
	ck_assert(request->has_body);
	ck_assert_uint_eq(request->content_length, 3);
	ck_assert_uint_eq(request->body_size, 0);
	ck_assert_int_eq(rt_http_feed(http, text, &at, head + 1), RT_HTTP_MORE);
	ck_assert_uint_eq(at, head + 1);
	ck_assert_uint_eq(request->body_size, 1);
	ck_assert_int_eq(rt_http_feed(http, text, &at, head + 4), RT_HTTP_DONE);
	ck_assert_uint_eq(at, head + 3);
	ck_assert_uint_eq(request->body_size, 3);
	/* and it stays so */
	ck_assert_int_eq(rt_http_feed(http, text, &at, head + 4), RT_HTTP_DONE);
	ck_assert_uint_eq(at, head + 3);
	rt_http_free(http);
}
END_TEST

START_TEST(a_refusal_stays)
{
	struct rt_http *http = rt_http_new();
	const char *reason = NULL;
	size_t at = 0;

	rt_http_reset(http, &limits);
	ck_assert_int_eq(feed_text(http, "GET / HTTP/9.9\r\n"), RT_HTTP_BAD);
	ck_assert_int_eq(rt_http_refusal(http, &reason), 505);
	ck_assert_int_eq(rt_http_feed(http, "GET / HTTP/1.1\r\n\r\n", &at, 18),
		RT_HTTP_BAD);
	ck_assert_int_eq(rt_http_refusal(http, &reason), 505);
	rt_http_reset(http, &limits);
	ck_assert_int_eq(feed_text(http, "GET / HTTP/1.0\r\n\r\n"),
		RT_HTTP_HEAD);
	rt_http_free(http);
}
END_TEST

/* A limit is what is still allowed. */
static const struct {
	struct rt_limits limits;
	const char *text;
	int status; /* 0: it is served */
} limited[] = {
	{{4, 100, 10}, "GET /abc HTTP/1.0\r\n\r\n", 0},
	{{4, 100, 10}, "GET /abcd HTTP/1.0\r\n\r\n", 414},
	{{9, 21, 10}, "GET /abc HTTP/1.0\r\n\r\n", 0},
	{{9, 20, 10}, "GET /abc HTTP/1.0\r\n\r\n", 431},
	{{9, 22, 10}, "\r\nGET /abc HTTP/1.0\r\n\r\n", 431},
	{{9, 23, 10}, "\r\nGET /abc HTTP/1.0\r\n\r\n", 0},
	{{9, 100, 2}, "GET / HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n", 0},
	{{9, 100, 1}, "GET / HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n", 431},
	{{9, 100, 0}, "GET / HTTP/1.0\r\n\r\n", 0},
	{{9, 100, 0}, "GET / HTTP/1.0\r\nA: b\r\n\r\n", 431},
};

START_TEST(limits_are_obeyed)
{
	struct rt_http *http = rt_http_new();
	const char *reason = "";
	int status;

	rt_http_reset(http, &limited[_i].limits);
	(void)feed_text(http, limited[_i].text);
	status = rt_http_refusal(http, &reason);
	ck_assert_msg(status == limited[_i].status,
		"%s: expected %d, got %d %s",
		shown(limited[_i].text, strlen(limited[_i].text)),
		limited[_i].status, status, reason);
	rt_http_free(http);
}
END_TEST

START_TEST(a_thousand_fields)
{
	static const struct rt_limits most = {8192, RT_MAX_HEAD, RT_MAX_FIELDS};
	struct rt_http *http = rt_http_new();
	struct bytes text = {.data = NULL};
	const struct rt_http_field *field;

	add_text(&text, "GET / HTTP/1.0\r\n");
	for (size_t i = 0; i < RT_MAX_FIELDS; i++) {
		add_number(&text, "A:", i);
		text.size--;
		add_text(&text, "\r\n");
	}
	add_text(&text, "\r\n");
	rt_http_reset(http, &most);
	ck_assert_int_eq(feed_text(http, text.data), RT_HTTP_HEAD);
	ck_assert_uint_eq(rt_http_request(http)->field_count, RT_MAX_FIELDS);
	field = rt_http_field(rt_http_request(http), text.data, "a");
	for (size_t i = 0; i < 777 && field != NULL; i++)
		field = rt_http_next(rt_http_request(http), text.data, field);
	ck_assert_ptr_nonnull(field);
	ck_assert(rt_span_is(text.data, field->value, "777"));
	bytes_free(&text);
	rt_http_free(http);
}
END_TEST

START_TEST(fields_are_found_without_case)
{
	static const char text[] = "GET / HTTP/1.0\r\nAccept: 1\r\nB: 2\r\n"
				   "ACCEPT: 3\r\nAccep: 4\r\n\r\n";
	struct rt_http *http = rt_http_new();
	const struct rt_request *request = rt_http_request(http);

	rt_http_reset(http, &limits);
	ck_assert_int_eq(feed_text(http, text), RT_HTTP_HEAD);
	ck_assert_uint_eq(request->field_count, 4);
	ck_assert_ptr_eq(rt_http_field(request, text, "accept"),
		request->fields);
	ck_assert_ptr_eq(rt_http_next(request, text, request->fields),
		request->fields + 2);
	ck_assert_ptr_null(rt_http_next(request, text, request->fields + 2));
	ck_assert_ptr_null(rt_http_field(request, text, ""));
	ck_assert_ptr_null(rt_http_field(request, text, "Accept-"));
	rt_http_free(http);
}
END_TEST

/* Why a value cannot have this byte; NULL: it can. */
static const char *
refusal_of(int c)
{
	switch (c) {
	case '\0':
		return "NUL in a field value";
	case '\t':
		return NULL;
	case '\n':
		return "bare LF (lines end in CR LF)";
	case '\r':
		return "bare CR (lines end in CR LF)";
	default:
		return c >= ' ' && c != 0x7f ?
			NULL :
			"control character in a field value";
	}
}

/* Each byte in each place of a value that is read in pieces of eight. Without
   the reason llhttp may be who refuses it, as only some versions do. */
START_TEST(values_by_byte_and_place)
{
	static const char text[] = "GET / HTTP/1.0\r\n"
				   "A: 0123456789abcdef0\r\n\r\n";
	const char *value = strstr(text, "0123"), *reason;
	struct rt_http *http = rt_http_new();
	char spoiled[sizeof text];

	for (size_t place = 1; place < 16; place++)
		for (int c = 0; c < 256; c++) {
			const char *wrong = refusal_of(c);
			size_t at = 0;

			memcpy(spoiled, text, sizeof text);
			spoiled[value - text + (ptrdiff_t)place] = (char)c;
			rt_http_reset(http, &limits);
			ck_assert_msg((rt_http_feed(http, spoiled, &at,
					       sizeof text - 1) ==
					      RT_HTTP_HEAD) == (wrong == NULL),
				"byte %d in place %zu", c, place);
			(void)rt_http_refusal(http, &reason);
			ck_assert_pstr_eq(reason, wrong);
		}
	rt_http_free(http);
}
END_TEST

/* Requests as a log shows them, including refused ones. */
static const struct {
	const char *text;
	const char *line;
} lines[] = {
	{"GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y HTTP/1.1"},
	{"\r\n\r\nGET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0"},
	{"GET / HTTP/1.0\r\nA", "GET / HTTP/1.0"},
	{"GET / HT", "GET / HT"},
	{"GET", "GET"},
	{"", ""},
	{"GET / HTTP/2.0\r\nA: b\r\n\r\n", "GET / HTTP/2.0"},
	{"GET / HTTP/1.1 more\r\nA: b\r\n\r\n", "GET / HTTP/1.1 more"},
	{"GET /\r\nmore", "GET /"},
	{"G(T / HTTP/1.0\r\n\r\n", "G(T / HTTP/1.0"},
	{"\x16\x03\x01\x02\x03", "\x16\x03\x01\x02\x03"},
	{"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1"},
};

START_TEST(the_line_that_is_shown)
{
	const char *text = lines[_i].text;
	struct rt_http *http = rt_http_new();
	struct rt_span line;

	rt_http_reset(http, &limits);
	(void)feed_text(http, text);
	line = rt_http_line(http, text, strlen(text));
	assert_bytes(text + line.at, line.size, lines[_i].line,
		strlen(lines[_i].line));
	rt_http_free(http);
}
END_TEST

START_TEST(spans_are_compared_whole_and_without_case)
{
	static const char text[] = "xxChunkedxx";
	struct rt_span span = {2, 7};

	ck_assert(rt_span_is(text, span, "chunked"));
	ck_assert(rt_span_is(text, span, "CHUNKED"));
	ck_assert(!rt_span_is(text, span, "chunke"));
	ck_assert(!rt_span_is(text, span, "chunkedx"));
	ck_assert(!rt_span_is(text, span, "chunkes"));
	ck_assert(!rt_span_is(text, span, ""));
	ck_assert(rt_span_is(text, (struct rt_span){3, 0}, ""));
}
END_TEST

START_TEST(tokens_and_values_by_byte)
{
	static const char tokens[] = "!#$%&'*+-.^_`|~0123456789"
				     "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (int i = 0; i < 256; i++) {
		char alone = (char)i, within[3] = {'a', (char)i, 'b'};
		bool token = i != 0 && strchr(tokens, i) != NULL;
		bool visible = (i > 0x20 && i != 0x7f);
		bool blank = i == ' ' || i == '\t';

		ck_assert_msg(rt_http_is_token(&alone, 1) == token,
			"as a token: %s", shown(&alone, 1));
		ck_assert_msg(rt_http_is_token(within, 3) == token,
			"in a token: %s", shown(&alone, 1));
		ck_assert_msg(rt_http_is_value(&alone, 1) == visible,
			"as a value: %s", shown(&alone, 1));
		ck_assert_msg(rt_http_is_value(within, 3) == (visible || blank),
			"in a value: %s", shown(&alone, 1));
	}
	ck_assert(!rt_http_is_token("", 0));
	ck_assert(rt_http_is_value("", 0));
	ck_assert(!rt_http_is_value("a ", 2));
	ck_assert(!rt_http_is_value("\ta", 2));
}
END_TEST

/* RFC 3986 3.2.2 */
START_TEST(hosts_by_text)
{
	static const char *const right[] = {"a", "A-z_0.~!$&'()*+,;=", "*",
		"127.0.0.1", "1.2.3.4.5", "%41", "%c3%BC.a", "a%00", "[::]",
		"[::1]", "[1:2:3:4:5:6:7:8]", "[1::8]", "[::ffff:1.2.3.4]",
		"[ABCD:ef01:2345:6789:abcd:EF01:2345:6789]", "[v1.x]",
		"[VaF.a:b!]"};
	static const char *const wrong[] = {"", "%", "%4", "%zz", "a%4", "a%4g",
		"a%%41", "a:", "a/", "a[", "[", "[]", "[a]", "::1", "[::1",
		"[::1]]", "[[::1]]", "[::1]a", "[1.2.3.4]", "[:::1]",
		"[1::2::3]", "[12345::]", "[1:2:3]", "[1:2:3:4:5:6:7:8:9]",
		"[::1%25lo]", "[v]", "[v1]", "[v1.]", "[v.x]", "[vg.x]",
		"[v1.%41]", "[v1.x/]",
		("[::1111111111111111111111111111111111"
		 "111111111111111111111111111111]")};

	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		ck_assert_msg(rt_http_is_host(right[i], strlen(right[i])),
			"'%s' is a host", right[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(!rt_http_is_host(wrong[i], strlen(wrong[i])),
			"'%s' is not a host", wrong[i]);
	ck_assert_msg(!rt_http_is_host("[::1\0]", 6), "a NUL ends nothing");
	ck_assert_msg(!rt_http_is_host("%41", 2), "digits after the end");
}
END_TEST

START_TEST(phrases)
{
	ck_assert_str_eq(rt_status_phrase(200), "OK");
	ck_assert_str_eq(rt_status_phrase(404), "Not Found");
	ck_assert_str_eq(rt_status_phrase(413), "Content Too Large");
	ck_assert_str_eq(rt_status_phrase(421), "Misdirected Request");
	ck_assert_str_eq(rt_status_phrase(505), "HTTP Version Not Supported");
	ck_assert_str_eq(rt_status_phrase(299), "Unknown");
	ck_assert_str_eq(rt_status_phrase(999), "Unknown");
	for (int status = 0; status < 1000; status++)
		ck_assert(rt_http_is_value(rt_status_phrase(status),
			strlen(rt_status_phrase(status))));
}
END_TEST

/* --- the other modes --- */

static int
write_corpus(const char *folder)
{
	char path[4096];

	for (size_t i = 0; i < case_count; i++) {
		FILE *file;

		(void)snprintf(path, sizeof path, "%s/%03zu", folder, i);
		file = fopen(path, "wb");
		if (file == NULL ||
			fwrite(cases[i].request.data, 1, cases[i].request.size,
				file) != cases[i].request.size ||
			fclose(file) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static uint32_t
random_below(uint64_t *seed, size_t bound)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return bound == 0 ? 0 : (uint32_t)((*seed >> 33) % bound);
}

/* Replaces, removes or inserts a byte or two, or a piece of another case. */
static void
spoil(struct bytes *request, uint64_t *seed)
{
	static const char *const pieces[] = {"\r\n", "\r", "\n", " ", "\t", ":",
		" chunked", ", chunked", "chunked, ", ",chunked", " gzip, ",
		"Transfer-Encoding: gzip\r\n", "Transfer-Encoding:\r\n",
		"Content-Length: 0\r\n", "Content-Length:\r\n", ": ", ",,",
		"Connection: keep-alive\r\n", "Expect: 100-continue\r\n",
		"Transfer-Encoding: chunked\t\r\n", "1\r\nx\r\n", "0\r\n", ",",
		";", "\"", "0", "5", "chunked", "Content-Length: 3\r\n",
		"Transfer-Encoding: chunked\r\n", "Connection: upgrade\r\n",
		"Upgrade: x\r\n", "Connection: close, upgrade, x\r\n",
		"Host: a\r\n", "\r\n\r\n", "0\r\n\r\n", "HTTP/1.0", "HTTP/1.1",
		"GET", "PRI", "CONNECT", "http://", "*", "/", "?", "#", "@",
		"\x7f", "\x80", "[", "]", "Proxy-Connection: keep-alive\r\n",
		"Transfer-Encoding: ", "Content-Length: ", "Expect: "};
	struct bytes made = {.data = NULL};
	size_t at = random_below(seed, request->size + 1), skip = 0;
	const struct bytes *other =
		&cases[random_below(seed, case_count)].request;
	uint32_t kind = random_below(seed, 16);
	const char *piece;
	size_t from;
	char byte;

	/* often where a line begins, or a value: most else is refused soon */
	while (at > 0 && kind > 5 && request->data[at - 1] != '\n')
		at--;
	if (kind > 9)
		at += strcspn(request->data + at, ": ");
	bytes_add(&made, request->data, at);
	switch (kind) {
	case 0:
		byte = (char)random_below(seed, 256);
		bytes_add(&made, &byte, 1);
		break;
	case 1:
		byte = (char)random_below(seed, 256);
		bytes_add(&made, &byte, 1);
		skip = 1;
		break;
	case 2:
		skip = 1 + random_below(seed, 8);
		break;
	case 3:
		from = random_below(seed, other->size + 1);
		bytes_add(&made, other->data + from, other->size - from);
		skip = request->size;
		break;
	default:
		piece = pieces[random_below(seed,
			sizeof pieces / sizeof *pieces)];
		bytes_add(&made, piece, strlen(piece));
		skip = random_below(seed, 3) == 0 ? strlen(piece) : 0;
	}
	if (skip < request->size - at)
		bytes_add(&made, request->data + at + skip,
			request->size - at - skip);
	bytes_free(request);
	*request = made;
}

static int
print_outcomes(uint64_t seed, unsigned long count)
{
	struct rt_http *http = rt_http_new();

	for (unsigned long i = 0; i < count; i++) {
		const struct bytes *from =
			&cases[random_below(&seed, case_count)].request;
		struct bytes request = {.data = NULL};
		struct bytes outcome;

		if (i % 100 != 0 && from->size > SHORT)
			continue;
		bytes_add(&request, from->data, from->size);
		for (unsigned n = i < case_count ? 0 :
						   1 + random_below(&seed, 3);
			n > 0 && request.size < ROOM / 8; n--)
			spoil(&request, &seed);
		outcome = feed(http, &request,
			random_below(&seed, request.size + 1),
			1 + random_below(&seed, 100), MOVING);
		(void)printf("%lu: %s\n\t%s\n", i,
			shown(request.data, request.size),
			shown(outcome.data, outcome.size));
		bytes_free(&outcome);
		bytes_free(&request);
	}
	rt_http_free(http);
	return 0;
}

/* --- chunked bodies: their content, and their trailers --- */

#define CHUNKED \
	"POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"

static const struct rt_limits roomy = {.target = 8192,
	.head = 65536,
	.fields = 5};

/* A parser and what it is given. */
struct feeding {
	struct rt_http *http;
	struct rt_buf content;
	enum rt_http_result result;
};

static void
open_feeding(struct feeding *feeding, size_t max)
{
	feeding->http = rt_http_new();
	ck_assert_ptr_nonnull(feeding->http);
	rt_http_reset(feeding->http, &roomy);
	rt_buf_init(&feeding->content, max);
	rt_http_keep(feeding->http, &feeding->content, SIZE_MAX);
}

static void
close_feeding(struct feeding *feeding)
{
	rt_http_free(feeding->http);
	rt_buf_free(&feeding->content);
}

/* In two parts; the bytes stay where they are. */
static void
feed_parts(struct feeding *feeding, const char *text, size_t size, size_t cut)
{
	const size_t parts[] = {cut, size};
	size_t at = 0;

	for (int i = 0; i < 2; i++)
		do
			feeding->result = rt_http_feed(feeding->http, text, &at,
				parts[i]);
		while (feeding->result == RT_HTTP_HEAD);
}

static const struct {
	const char *body;
	size_t size;
	const char *content;
	size_t content_size;
	const char *trailers; /* "Name: value" each */
} chunked_bodies[] = {
	{"0\r\n\r\n", 5, "", 0, ""},
	{"3\r\nabc\r\n0\r\n\r\n", 13, "abc", 3, ""},
	{"1\r\na\r\n1\r\nb\r\n02;x=y\r\n\0\r\r\n0\r\n\r\n", 30, "ab\0\r", 4,
		""},
	{"A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", 20, "0\r\n\r\n0\r\n\r\n", 10,
		""},
	/* in order, with their case; twice, empty, any bytes */
	{"1\r\na\r\n0\r\nX-b: 2\r\nX-a:1\r\nx-b: \t 3 \t\r\nE:\r\n"
	 "F: \x80,\"\r\n\r\n",
		51, "a", 1, "X-b: 2\nX-a: 1\nx-b: 3\nE: \nF: \x80,\"\n"},
	/* more than a head may have fields */
	{"0\r\n1:a\r\n2:b\r\n3:c\r\n4:d\r\n5:e\r\n6:f\r\n\r\n", 35, "", 0,
		"1: a\n2: b\n3: c\n4: d\n5: e\n6: f\n"},
};

static void
assert_trailers(const struct rt_request *request, const char *base,
	const char *expected)
{
	struct bytes got = {.data = NULL};

	bytes_add(&got, "", 0);
	for (size_t i = 0; i < request->trailer_count; i++) {
		const struct rt_http_field *field =
			request->fields + request->field_count + i;

		bytes_add(&got, base + field->name.at, field->name.size);
		bytes_add(&got, ": ", 2);
		bytes_add(&got, base + field->value.at, field->value.size);
		bytes_add(&got, "\n", 1);
	}
	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
}

START_TEST(content_and_trailers_split_everywhere)
{
	struct bytes text = {.data = NULL};

	bytes_add(&text, CHUNKED, sizeof CHUNKED - 1);
	bytes_add(&text, chunked_bodies[_i].body, chunked_bodies[_i].size);
	for (size_t cut = 0; cut <= text.size; cut++) {
		struct feeding feeding;
		const struct rt_request *request;

		open_feeding(&feeding, 1000);
		feed_parts(&feeding, text.data, text.size, cut);
		ck_assert_msg(feeding.result == RT_HTTP_DONE,
			"cut at %zu: got %d", cut, (int)feeding.result);
		request = rt_http_request(feeding.http);
		assert_bytes(feeding.content.data, feeding.content.len,
			chunked_bodies[_i].content,
			chunked_bodies[_i].content_size);
		ck_assert_uint_eq(request->body_size, feeding.content.len);
		/* and the head's are as they were */
		ck_assert_uint_eq(request->field_count, 3);
		ck_assert(rt_span_is(text.data, request->fields[1].value, "b"));
		assert_trailers(request, text.data,
			chunked_bodies[_i].trailers);
		ck_assert_ptr_null(rt_http_field(request, text.data, "X-b"));
		close_feeding(&feeding);
	}
	bytes_free(&text);
}
END_TEST

/* What was dealt with, after the head, makes room for what follows; `at` is
   where that begins then. */
static void
drop_body(struct bytes *text, size_t *at)
{
	const size_t head = sizeof CHUNKED - 1;

	if (*at <= head)
		return;
	memmove(text->data + head, text->data + *at, text->size - *at);
	text->size -= *at - head;
	*at = head;
}

/* Trailers are where they are when their section is complete. */
START_TEST(trailers_that_are_moved)
{
	static const char body[] = "3\r\nabc\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
			  framed[] = "0\r\nContent-Length: 3\r\nB: 2\r\n\r\n";
	const char *rest = _i == 0 ? body : framed;

	for (size_t cut = 1; cut < strlen(rest); cut++) {
		struct bytes text = {.data = NULL};
		struct feeding feeding;
		size_t at = 0;

		open_feeding(&feeding, 1000);
		bytes_add(&text, CHUNKED, sizeof CHUNKED - 1);
		(void)rt_http_feed(feeding.http, text.data, &at, text.size);
		bytes_add(&text, rest, cut);
		(void)rt_http_feed(feeding.http, text.data, &at, text.size);
		drop_body(&text, &at);
		bytes_add(&text, rest + cut, strlen(rest) - cut);
		feeding.result =
			rt_http_feed(feeding.http, text.data, &at, text.size);
		ck_assert_msg(feeding.result ==
				(_i == 0 ? RT_HTTP_DONE : RT_HTTP_BAD),
			"cut at %zu: got %d", cut, (int)feeding.result);
		if (_i == 0)
			assert_trailers(rt_http_request(feeding.http),
				text.data, "A: 1\nB: 2\n");
		close_feeding(&feeding);
		bytes_free(&text);
	}
}
END_TEST

/* The part of a chunk that has come is kept, and nothing of another request. */
START_TEST(content_so_far)
{
	static const char text[] = CHUNKED "5\r\nabcde\r\n0\r\nT: u\r\n\r\n";
	const size_t head = sizeof CHUNKED - 1;
	struct feeding feeding;
	size_t at = 0;

	open_feeding(&feeding, 1000);
	ck_assert_int_eq(rt_http_feed(feeding.http, text, &at, head),
		RT_HTTP_HEAD);
	ck_assert_int_eq(rt_http_feed(feeding.http, text, &at, head + 5),
		RT_HTTP_MORE);
	assert_bytes(feeding.content.data, feeding.content.len, "ab", 2);
	ck_assert_int_eq(rt_http_feed(feeding.http, text, &at, head + 6),
		RT_HTTP_MORE);
	assert_bytes(feeding.content.data, feeding.content.len, "abc", 3);
	/* forgotten: it is kept for one request */
	rt_http_reset(feeding.http, &roomy);
	ck_assert_uint_eq(rt_http_request(feeding.http)->trailer_count, 0);
	at = 0;
	ck_assert_int_eq(rt_http_feed(feeding.http, text, &at, head),
		RT_HTTP_HEAD);
	ck_assert_int_eq(rt_http_feed(feeding.http, text, &at, sizeof text - 1),
		RT_HTTP_DONE);
	ck_assert_uint_eq(feeding.content.len, 3);
	ck_assert_uint_eq(rt_http_request(feeding.http)->trailer_count, 1);
	close_feeding(&feeding);
}
END_TEST

START_TEST(plain_content_is_not_kept_twice)
{
	static const char text[] =
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
	struct feeding feeding;

	open_feeding(&feeding, 1000);
	feed_parts(&feeding, text, sizeof text - 1, 0);
	ck_assert_int_eq(feeding.result, RT_HTTP_DONE);
	ck_assert_uint_eq(feeding.content.len, 0);
	ck_assert_uint_eq(rt_http_request(feeding.http)->body_size, 3);
	close_feeding(&feeding);
}
END_TEST

START_TEST(content_without_memory)
{
	static const char text[] = CHUNKED "5\r\nabcde\r\n0\r\n\r\n";
	struct feeding feeding;
	const char *reason;

	for (size_t max = 0; max < 5; max++) {
		open_feeding(&feeding, max);
		feed_parts(&feeding, text, sizeof text - 1, 0);
		ck_assert_int_eq(feeding.result, RT_HTTP_BAD);
		ck_assert_int_eq(rt_http_refusal(feeding.http, &reason), 503);
		ck_assert_str_eq(reason, "out of memory");
		close_feeding(&feeding);
	}
}
END_TEST

/* As many as a head's fields leave of RT_MAX_FIELDS, and not one more. */
START_TEST(trailers_have_a_limit)
{
	for (size_t more = 0; more < 2; more++) {
		struct bytes text = {.data = NULL};
		struct feeding feeding;
		const char *reason;

		bytes_add(&text, CHUNKED "0\r\n", sizeof CHUNKED "0\r\n" - 1);
		for (size_t i = 0; i < RT_MAX_FIELDS - 3 + more; i++)
			bytes_add(&text, "T: u\r\n", 6);
		bytes_add(&text, "\r\n", 2);
		open_feeding(&feeding, 1000);
		feed_parts(&feeding, text.data, text.size, text.size / 2);
		if (more == 0) {
			ck_assert_int_eq(feeding.result, RT_HTTP_DONE);
			ck_assert_uint_eq(rt_http_request(feeding.http)
						  ->trailer_count,
				RT_MAX_FIELDS - 3);
		} else {
			ck_assert_int_eq(feeding.result, RT_HTTP_BAD);
			ck_assert_int_eq(rt_http_refusal(feeding.http, &reason),
				431);
			ck_assert_str_eq(reason, "too many fields");
		}
		close_feeding(&feeding);
		bytes_free(&text);
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http");
	TCase *file = tcase_create("requests.txt");
	TCase *other = tcase_create("other");
	TCase *chunked = tcase_create("chunked");

	tcase_add_test(file, names_are_unique);
	tcase_add_loop_test(file, outcomes_of_cases, 0,
		(int)((case_count + GROUP - 1) / GROUP));
	tcase_add_test(file, a_parser_can_be_used_again);
	rt_test_case(suite, file);
	tcase_add_test(other, the_head_comes_before_the_rest);
	tcase_add_test(other, a_refusal_stays);
	tcase_add_loop_test(other, limits_are_obeyed, 0,
		(int)(sizeof limited / sizeof *limited));
	tcase_add_test(other, a_thousand_fields);
	tcase_add_test(other, values_by_byte_and_place);
	tcase_add_test(other, fields_are_found_without_case);
	tcase_add_loop_test(other, the_line_that_is_shown, 0,
		(int)(sizeof lines / sizeof *lines));
	tcase_add_test(other, spans_are_compared_whole_and_without_case);
	tcase_add_test(other, tokens_and_values_by_byte);
	tcase_add_test(other, hosts_by_text);
	tcase_add_test(other, phrases);
	rt_test_case(suite, other);
	tcase_add_loop_test(chunked, content_and_trailers_split_everywhere, 0,
		(int)(sizeof chunked_bodies / sizeof *chunked_bodies));
	tcase_add_loop_test(chunked, trailers_that_are_moved, 0, 2);
	tcase_add_test(chunked, content_so_far);
	tcase_add_test(chunked, plain_content_is_not_kept_twice);
	tcase_add_test(chunked, content_without_memory);
	tcase_add_test(chunked, trailers_have_a_limit);
	rt_test_case(suite, chunked);
	return suite;
}

int
main(int argc, char **argv)
{
	int status = 2;

	read_cases();
	make_room();
	if (argc == 1)
		status = rt_test_run(make_suite());
	else if (argc == 3 && strcmp(argv[1], "--corpus") == 0)
		status = write_corpus(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "--mutate") == 0)
		status = print_outcomes(strtoull(argv[2], NULL, 0),
			strtoul(argv[3], NULL, 0));
	free_cases();
	return status;
}
