/* SPDX-License-Identifier: MIT */
/*
 * Requests that are refused unless a rule asks for them: what the rule sees,
 * however the bytes were cut on their way, and the reply that it gives.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define H "Host: a\r\n"
#define END "\r\n"
#define AFTER "more"
#define ONE "GET /one HTTP/1.1\r\nConnection: close\r\n" H END

/* The request is shown up to `AFTER`, unless the row says up to where. */
static const struct {
	const char *name;
	const char *request;
	const char *seen;
	size_t raw; /* 0: all but AFTER */
} rows[] = {
	{"no Host", "GET /a?b=%20 HTTP/1.1\r\nX: y\r\n" END AFTER,
		"400 no Host field: GET /a?b=%20 /a b=%20 [X=y]", 0},
	{"two Hosts", "GET / HTTP/1.1\r\n" H H END AFTER,
		"400 more than one Host field: GET / / - [Host=a] [Host=a]", 0},
	{"a folded line", "GET / HTTP/1.1\r\nX: y\r\n z\r\n" H END AFTER,
		"400 folded field line: GET / / - [X=y] [Host=a]", 0},
	{"a space before the colon", "GET / HTTP/1.1\r\nX : y\r\n" H END AFTER,
		"400 space before the colon: GET / / - [X=y] [Host=a]", 0},
	{"a name with odd bytes",
		"GET / HTTP/1.1\r\n" H "a b\x80: y\r\n" END AFTER,
		"400 space before the colon: GET / / - [Host=a] [a b\x80=y]",
		0},
	{"a line without a colon", "GET / HTTP/1.1\r\njunk\r\n" H END AFTER,
		"400 malformed field name: GET / / - [Host=a]", 0},
	{"bare LFs",
		"GET /a HTTP/1.1\n"
		"Host: a\n\n" AFTER,
		"400 bare LF (lines end in CR LF): GET /a /a - [Host=a]", 0},
	{"a bare LF among others", "GET /a HTTP/1.1\r\nHost: a\n" END AFTER,
		"400 bare LF (lines end in CR LF): GET /a /a - [Host=a]", 0},
	{"HTTP/0.9", "GET /a\r\n" AFTER,
		"400 no HTTP version (HTTP/0.9 is not served): "
		"GET /a /a -",
		0},
	{"HTTP/0.9 with a bare LF", "GET /a\n" AFTER,
		"400 no HTTP version (HTTP/0.9 is not served): GET /a /a -", 0},
	{"a target with a space", "GET /a b HTTP/1.1\r\n" H END AFTER,
		"400 malformed HTTP version: GET /a b /a b - [Host=a]", 0},
	{"a control character in the target",
		"GET /a\x01 HTTP/1.1\r\n" H END AFTER,
		"400 malformed request target: GET /a\x01 /a\x01 -", 7},
	{"another version", "GET / HTTP/2.0\r\n" H END AFTER,
		"505 only HTTP/1.0 and HTTP/1.1 are served: GET / / - [Host=a]",
		0},
	{"a fragment", "GET /a#b HTTP/1.1\r\n" H END AFTER,
		"400 fragment in the request target: GET /a#b - - [Host=a]", 0},
	{"both framings",
		"POST / HTTP/1.1\r\n" H "Content-Length: 4\r\n"
		"Transfer-Encoding: chunked\r\n" END AFTER,
		"400 Content-Length with a transfer coding: POST / / - "
		"[Host=a] [Content-Length=4] [Transfer-Encoding=chunked]",
		0},
	{"another expectation",
		"POST / HTTP/1.1\r\n" H "Expect: x\r\n" END AFTER,
		"417 only 100-continue can be expected: POST / / - [Host=a] "
		"[Expect=x]",
		0},
	{"an unknown coding",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n" END AFTER,
		"501 only the transfer coding \"chunked\" is served: POST / / - "
		"[Host=a] [Transfer-Encoding=gzip]",
		0},
	{"a banner", "SSH-2.0-x\r\n" AFTER,
		"400 malformed request line: - - - -", 0},
	{"TLS", "\x16\x03\x01" AFTER,
		"400 this looks like TLS; use http://: - - - -", 1},
	{"empty lines, and then nothing that is one",
		"\n\nGET / HTTP/1.1\r\n" H END AFTER,
		"400 bare LF (lines end in CR LF): GET / / - [Host=a]", 0},
	{"a target that is too long",
		"GET /0123456789012345678901234567890123456789 HTTP/1.1\r\n" H
			END AFTER,
		"414 the target is too long: "
		"GET /0123456789012345678901234567890123456789 "
		"/0123456789012345678901234567890123456789 - [Host=a]",
		0},
	{"a head that is too large",
		"GET / HTTP/1.1\r\n" H
		"A: 0123456789012345678901234567890123456789\r\n"
		"B: 0123456789012345678901234567890123456789\r\n"
		"C: 0123456789012345678901234567890123456789\r\n" END AFTER,
		"431 the head is too large: GET / / - [Host=a] "
		"[A=0123456789012345678901234567890123456789] "
		"[B=0123456789012345678901234567890123456789]",
		128},
	{"a body that is too large",
		"POST / HTTP/1.1\r\n" H "Content-Length: 9\r\n" END AFTER,
		"413 the body is too large: POST / / - [Host=a] "
		"[Content-Length=9]",
		0},
	{"chunks that are too large",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END
		"9\r\nabcdefghi\r\n0\r\n\r\n",
		"413 the body is too large: POST / / - [Host=a] "
		"[Transfer-Encoding=chunked] abcdefgh",
		56},
	{"a malformed chunk",
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END
		"2\r\nab\r\nx\r\n0\r\n\r\n",
		"400 malformed chunk size: POST / / - [Host=a] "
		"[Transfer-Encoding=chunked] ab",
		63},
};

static void
open_refusing(int i)
{
	open_with((struct retort_options){.max_body = 8,
			  .max_target = 40,
			  .max_head = 128},
		i);
}

static void
add_word(struct bytes *to, const char *word)
{
	bytes_add(to, " ", 1);
	bytes_add(to, word ? word : "-", word ? strlen(word) : 1);
}

/* What there is of the request, in a line. */
static struct bytes
told(const struct retort_exchange *seen)
{
	struct bytes text = {.data = NULL};
	char status[200];

	(void)snprintf(status, sizeof status, "%d %s:", seen->refused,
		seen->reason ? seen->reason : "-");
	bytes_add(&text, status, strlen(status));
	add_word(&text, seen->method);
	add_word(&text, seen->target);
	add_word(&text, seen->path);
	add_word(&text, seen->query);
	for (size_t i = 0; i < seen->field_count; i++) {
		add_word(&text, "[");
		bytes_add(&text, seen->fields[i].name,
			strlen(seen->fields[i].name));
		bytes_add(&text, "=", 1);
		bytes_add(&text, seen->fields[i].value,
			strlen(seen->fields[i].value));
		bytes_add(&text, "]", 1);
	}
	if (seen->body_size > 0)
		add_word(&text, seen->body);
	return text;
}

static struct bytes saw, saw_raw;

static int
look(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)reply;
	bytes_free(&saw);
	bytes_free(&saw_raw);
	saw = told(exchange);
	saw_raw = (struct bytes){.data = NULL};
	bytes_add(&saw_raw, exchange->raw, exchange->raw_size);
	return 0;
}

/* `bytes` of the request come first, and are looked at; then the others. */
static void
exchange_cut(const char *request, size_t first)
{
	struct bytes got = {.data = NULL};
	int fd = connect_client();
	int end;

	ck_assert(client_send(fd, request, first));
	for (int i = 0; i < 3; i++)
		turn(-1, 0, 0);
	end = talk(fd, request + first, strlen(request) - first, &got, NULL);
	ck_assert_int_eq(end, 0);
	assert_begins(got, "HTTP/1.1 299 ");
	bytes_free(&got);
	(void)close(fd);
}

/* Until the request, and what follows it, end with a dot. */
static int
await_dot(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	const char *raw = exchange->raw;

	(void)look(arg, exchange, reply);
	return raw[exchange->raw_size - 1] == '.' ? 0 : RETORT_MORE;
}

START_TEST(is_seen_with_what_follows)
{
	static const char request[] = "GET / HTTP/1.1\r\nX: y\r\n" END "a.b.";
	const size_t size = sizeof request - 1;
	struct bytes got = {.data = NULL};
	int fd;

	open_refusing(_i);
	ON(NULL, .if_refused = 400, .status = 299, .handler = await_dot,
		.times = 2);
	exchange_cut(request, size - 1);
	ck_assert_str_eq(saw.data, "400 no Host field: GET / / - [X=y]");
	assert_bytes(saw_raw.data, saw_raw.size, request, size);
	assert_bytes(ended(1)->raw, ended(1)->raw_size, request, size);
	exchange_cut(request, 3);
	ck_assert_uint_eq(saw_raw.size, size);
	assert_verdict(NULL);
	close_server();
	/* which does not come */
	open_refusing(_i);
	ON(NULL, .if_refused = 400, .handler = await_dot);
	fd = connect_client();
	say(fd, "GET / HTTP/1.1\r\nX: y\r\n" END "a");
	for (int i = 0; i < 3; i++)
		turn(-1, 0, 0);
	(void)shutdown(fd, SHUT_WR);
	ck_assert_int_eq(talk(fd, NULL, 0, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 400 ");
	ck_assert_int_eq(ended(1)->rule, 0);
	assert_verdict("refused with 400: no Host field; its handler waited "
		       "for more");
	bytes_free(&got);
	bytes_free(&saw);
	bytes_free(&saw_raw);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(is_seen_by_its_rule)
{
	open_refusing(2 + _i % 2);
	ON(NULL, .if_refused = RETORT_ANY, .status = 299, .handler = look);
	for (size_t i = 0; i < (size_t)COUNT(rows); i++) {
		const char *request = rows[i].request;
		const char *after = strstr(request, AFTER);
		size_t size = rows[i].raw;

		if (size == 0)
			size = (size_t)(after - request);
		for (size_t cut = 0; cut < strlen(request); cut++) {
			if (cut > 0 && rt_test_thin())
				continue;
			exchange_cut(request, cut);
			ck_assert_msg(strcmp(saw.data, rows[i].seen) == 0,
				"%s, cut at %zu: expected \"%s\", got \"%s\"",
				rows[i].name, cut, rows[i].seen, saw.data);
			ck_assert_msg(saw_raw.size == size &&
					memcmp(saw_raw.data, request, size) ==
						0,
				"%s, cut at %zu: its bytes are %s",
				rows[i].name, cut,
				shown(saw_raw.data, saw_raw.size));
		}
	}
	bytes_free(&saw);
	bytes_free(&saw_raw);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(is_refused_without_one)
{
	struct bytes got;

	open_refusing(_i);
	ON(NULL, .body = "no");
	ON("GET /x", .if_refused = RETORT_ANY, .body = "no");
	ON(NULL, .if_refused = 431, .body = "no");
	ON(NULL, .if_refused = 400, .body = "once", .times = 1);
	got = exchange("GET / HTTP/1.1\r\n\r\n");
	assert_begins(got, "HTTP/1.1 200 ");
	assert_has(got, "\r\n\r\nonce");
	bytes_free(&got);
	assert_verdict(NULL);
	got = exchange("GET / HTTP/1.1\r\n\r\n");
	assert_begins(got, "HTTP/1.1 400 ");
	assert_has(got, "no Host field");
	bytes_free(&got);
	ck_assert_int_eq(ended(1)->refused, 400);
	ck_assert_int_eq(ended(1)->rule, 4);
	ck_assert_int_eq(ended(2)->rule, 0);
	ck_assert_uint_eq(retort_count(server, NULL, .if_refused = RETORT_ANY),
		2);
	ck_assert_uint_eq(retort_count(server, NULL, .if_refused = 413), 0);
	assert_verdict("refused with 400: no Host field; no rule fits GET /: "
		       "rule 4 would, but was used up (1 of 1)");
	close_server();
}
END_TEST

/* Those that are not, are not for it; and it is for nothing that is whole. */
START_TEST(is_for_no_other)
{
	struct bytes got;

	open_plain(_i);
	ON(NULL, .if_refused = RETORT_ANY, .body = "no");
	got = exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_begins(got, "HTTP/1.1 501 ");
	assert_has(got, "no rule fits GET /: rule 1 is for refused requests\n");
	bytes_free(&got);
	assert_verdict("no rule fits GET /: rule 1 is for refused requests");
	close_server();
}
END_TEST

static uint64_t waits;

static int
wait_first(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)reply;
	waits = exchange->connection;
	return RETORT_LATER;
}

START_TEST(is_answered_in_every_way)
{
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON("GET", .if_refused = 400, .times = 1, .raw = true, .body = "0.9");
	ON("GET", .if_refused = 400, .times = 1, .echo = true);
	if (!way->adopted)
		ON("GET", .if_refused = 400, .times = 1, .body = "hello",
			.faults = "cut body 2 reset");
	ON("GET", .if_refused = 400, .times = 1, .pause_head = 20);
	ON("GET", .if_refused = 400, .times = 1, .handler = wait_first);
	got = exchange(request);
	assert_bytes(got.data, got.size, "0.9", 3);
	bytes_free(&got);
	got = exchange(request);
	assert_has(got, "\r\n\r\nGET / HTTP/1.1\r\n\r\n");
	bytes_free(&got);
	got.data = NULL;
	got.size = 0;
	if (!way->adopted) {
		fd = connect_client();
		ck_assert_int_eq(talk(fd, request, strlen(request), &got, NULL),
			ECONNRESET);
		assert_has(got, "\r\n\r\nhe");
		(void)close(fd);
		bytes_free(&got);
	}
	got = exchange(request);
	assert_begins(got, "HTTP/1.1 200 ");
	bytes_free(&got);
	got.data = NULL;
	got.size = 0;
	fd = connect_client();
	waits = 0;
	say(fd, request);
	TURN_UNTIL(waits != 0);
	ck_assert_int_eq(retort_reply_later(server, waits, .status = 204), 0);
	ck_assert_int_eq(talk(fd, NULL, 0, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 204 ");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* If its rule says so, the connection is kept after it, for what follows. */
START_TEST(is_followed_by_another)
{
	struct bytes got;

	open_plain(_i);
	ON("GET /", .if_refused = 400, .next = RETORT_NEXT_KEEP, .omit = "Date",
		.body = "odd");
	ON("GET /one", .body = "one");
	got = exchange("GET / HTTP/1.1\r\nX: y\r\n" END ONE);
	assert_has(got, "\r\nContent-Length: 3\r\n\r\noddHTTP/1.1 200 OK\r\n");
	assert_has(got, "\r\n\r\none");
	bytes_free(&got);
	got = exchange("GET / HTTP/1.1\r\nContent-Length: 2\r\n" END "ok" ONE);
	assert_has(got, "\r\nConnection: close\r\n\r\nodd");
	bytes_free(&got);
	(void)ended(3);
	ck_assert_uint_eq(retort_count(server), 3);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(is_seen_when_the_client_ends)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_plain(_i);
	ON(NULL, .if_refused = 400, .status = 299, .handler = look);
	fd = connect_client();
	say(fd, "GET / HTTP/1.1\r\nX: y\r\nZ");
	(void)shutdown(fd, SHUT_WR);
	(void)talk(fd, NULL, 0, &got, NULL);
	assert_begins(got, "HTTP/1.1 299 ");
	ck_assert_str_eq(saw.data, "400 incomplete request: GET / / - [X=y]");
	bytes_free(&got);
	(void)close(fd);
	bytes_free(&saw);
	bytes_free(&saw_raw);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* What is refused in its middle is waited for no longer than others are. */
START_TEST(is_seen_when_no_more_comes)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.head_timeout = 50,
			  .body_timeout = 50},
		_i);
	ON(NULL, .if_refused = 400, .status = 299, .handler = look);
	ON(NULL, .if_refused = 408, .status = 298, .handler = look);
	fd = connect_saying("GET / HTTP/1.1\r\nX : y\r\nZ");
	ck_assert_int_eq(talk(fd, NULL, 0, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 299 ");
	ck_assert_str_eq(saw.data,
		"400 space before the colon: GET / / - [X=y]");
	ck_assert_uint_eq(saw_raw.size, 24);
	bytes_free(&got);
	(void)close(fd);
	fd = connect_saying("GET / HTTP/1.1\r\nX: y\r\nZ");
	ck_assert_int_eq(talk(fd, NULL, 0, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 298 ");
	ck_assert_str_eq(saw.data,
		"408 the head took too long: GET / / - [X=y]");
	bytes_free(&got);
	(void)close(fd);
	fd = connect_saying(
		"PUT / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab");
	ck_assert_int_eq(talk(fd, NULL, 0, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 298 ");
	ck_assert_str_eq(saw.data,
		"408 the body took too long: PUT / / - [Host=a] "
		"[Content-Length=3] ab");
	bytes_free(&got);
	(void)close(fd);
	bytes_free(&saw);
	bytes_free(&saw_raw);
	assert_verdict(NULL);
	close_server();
}
END_TEST

START_TEST(is_checked)
{
	static const struct {
		struct retort_reply rule;
		const char *why;
	} wrong[] = {
		{{.if_refused = 407},
			"if_refused: nothing is refused with 407: expected "
			"RETORT_ANY, 400, 408, 413, 414, 417, 421, 431, "
			"501, 503 or 505"},
		{{.if_refused = 200},
			"if_refused: nothing is refused with 200: expected"},
		{{.if_refused = -2},
			"if_refused: nothing is refused with -2: expected"},
		{{.if_refused = 400, .files = true},
			"if_refused: no files answer what is refused"},
		{{.if_refused = 400, .faults = "early"},
			"if_refused: .faults cannot change how the body is read here"},
		{{.if_refused = 400, .accepted = true},
			"if_refused: no request has arrived when a connection is accepted"},
	};

	open_plain(_i);
	for (size_t i = 0; i < (size_t)COUNT(wrong); i++) {
		ck_assert_int_eq(add_rule(wrong[i].rule), -EINVAL);
		assert_verdict(wrong[i].why);
		retort_reset(server);
	}
	ck_assert_int_eq(retort_answer(server, .if_refused = 400,
				 .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "if_refused: only a rule has it");
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("refused");
	TCase *tcase = tcase_create("rules");

	rt_test_loop(tcase, is_seen_by_its_rule, 0, 2);
	rt_test_loop(tcase, is_seen_with_what_follows, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_refused_without_one, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_for_no_other, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_answered_in_every_way, 0, WAYS);
	rt_test_loop(tcase, is_seen_when_the_client_ends, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_seen_when_no_more_comes, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_followed_by_another, 0, BASIC_WAYS);
	rt_test_loop(tcase, is_checked, 0, 1);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
