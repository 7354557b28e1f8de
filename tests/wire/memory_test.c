/* SPDX-License-Identifier: MIT */
/* The library while memory runs out. */
#include "config.h"

#include "wire/embedding.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- without memory --- */

static char torture_file[300];

/* clang-format off */
/* Rules of every kind. A rule's result is its number, or -ENOMEM. */
static const struct {
	struct retort_reply rule;
	const char *request;
	const char *body; /* of the right reply */
} torture[] = {
	{{.request = "GET /plain?a=b", .body = "plain", .times = 5},
		"GET /plain?a=b" HOST "\r\n", "\r\n\r\nplain"},
	{{.request = "POST /all",
		  .if_field = "A: b",
		  .if_contains = "C: d",
		  .if_absent = "E",
		  .if_body = "body",
		  .if_body_begins = "bo",
		  .if_body_glob = "b*y",
		  .if_body_has = "od",
		  .in = "x:start", .if_nth = "1+",
		  .then_in = "x:start connection:y",
		  .if_query_absent = "b",
		  .if_query_only = true,
		  .if_form_absent = "c",
		  .if_form_only = true,
		  .if_predicate = has_even_body,
		  .if_predicate_arg = &asked,
		 .fields = "X: y\nZ: a", .reason = "Fine", .type = "a/b",
		 .version = "HTTP/1.1", .body = "all"},
		"POST /all" HOST "A: b\r\nC: cde\r\nContent-Length: 4\r\n\r\n"
		"body",
		"\r\n\r\nall"},
	{{.request = "POST /form", .if_form = "a=b\nc=*",
		 .if_path_matches = "form", .if_field_matches = "Host: x\nhost: x",
		 .if_body_matches = "a\nb", .body = "form"},
		"POST /form" HOST "Content-Length: 7\r\nContent-Type: "
		"application/x-www-form-urlencoded\r\n\r\nc=d&a=b",
		"\r\n\r\nform"},
#ifdef HAVE_JANSSON
	{{.request = "/json", .if_json = "[1]", .if_json_has = "[1.0]",
		 .body = "json"},
		"POST /json" HOST "Content-Length: 4\r\n\r\n[ 1]",
		"\r\n\r\njson"},
#endif
	{{.request = "/login", .if_basic = "ada:secret", .body = "login"},
		"GET /login" HOST "Authorization: Basic YWRhOnNlY3JldA==\r\n"
		"\r\n", "\r\n\r\nlogin"},
#ifdef RT_OPENSSL
	{{.request = "/a?b", .if_digest = "ada:secret\nrealm=users",
		 .body = "digest"},
		"GET /a?b" HOST DIGEST "\r\n", "\r\n\r\ndigest"},
#endif
	{{.request = "/handler", .handler = build},
		"POST /handler" HOST "X-A: 1\r\nContent-Length: 1\r\n\r\nx",
		"\r\n\r\nPOST /handler 1 x"},
	{{.request = "/file", .file = torture_file},
		"GET /file" HOST "\r\n", "\r\n\r\nfile"},
	{{.request = "/echo", .echo = true},
		"PUT /echo" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\nT: 1\r\n\r\n",
		"1\r\na\r\n0\r\nT: 1\r\n\r\n"},
	{{.request = "/raw", .raw = true,
		 .body = "HTTP/1.1 200 OK\r\n\r\nraw"},
		"GET /raw" HOST "\r\n", "\r\n\r\nraw"},
	{{.request = "/chunks", .chunks = "2 3", .trailers = "A: b",
		 .body = "abcdefgh",
		 .interim = "HTTP/1.1 103 Early Hints\r\n\r\n"},
		"GET /chunks" HOST "\r\n", "3\r\nfgh\r\n0\r\nA: b\r\n\r\n"},
	{{.request = "/repeat", .body = "abc", .repeat = 10},
		"GET /repeat" HOST "\r\n", "\r\n\r\nabcabcabca"},
	{{.request = "/fill/*", .fill = true, .fields = "X: {1}",
		 .parts = "10 0, 1 0",
		 .body = "filled {1} {query.a}"},
		"GET /fill/b?a=%20c" HOST "\r\n", "\r\n\r\nfilled b  c"},
	{{.request = "/later", .handler = later,
		 .handler_arg = &asked_on},
		"GET /later" HOST "\r\n", "\r\n\r\nlater"},
};

/* A client; or -1, if it could not be adopted. */
static int
torture_connect(void)
{
	int pair[2], code;

	if (!way->adopted)
		return client_connect(retort_url(server));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	inside++;
	code = retort_adopt(server, pair[0]);
	inside--;
	if (code == 0)
		return pair[1];
	ck_assert_int_eq(code, -ENOMEM);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return -1;
}

/* Each request comes twice, on one connection. */
static bool is_kept;

/* The bytes that come until the end, within `size`: terminated. */
static void
torture_receive(int fd, char *data, size_t size, bool is_later)
{
	struct retort_reply reply = {.body = "later"};
	int64_t until = now_ms() + PATIENCE;
	size_t have = 0;
	ssize_t n = -1;

	while (n != 0 && have < size - 1) {
		n = recv(fd, data + have, size - 1 - have, MSG_DONTWAIT);
		if (n > 0)
			have += (size_t)n;
		if (n < 0 && errno != EAGAIN)
			break;
		ck_assert_msg(now_ms() < until,
			"%s: it hangs at allocation "
			"%zu",
			way->name, (size_t)fail_at);
		if (n >= 0)
			continue;
		/* again and again until there is memory for it */
		inside++;
		if (is_later &&
			reply_on(retort_stats(server).accepted, &reply) == -ENOMEM &&
			fail_ever_after)
			n = 0;
		inside--;
		if (n != 0)
			turn(fd, POLLIN, is_later ? 1 : 100);
	}
	data[have] = '\0';
}

/*
 * One request, whose reply may be the right one, an error (500, 503), or the
 * beginning of either, if memory fails; never one that looks right and is not.
 */
static void
torture_request(size_t i, bool added)
{
	static char data[8192];
	const char *request = torture[i].request;
	int fd = torture_connect();

	if (fd < 0)
		return;
	(void)client_send_text(fd, request);
	if (is_kept) {
		(void)client_send_text(fd, request);
		(void)shutdown(fd, SHUT_WR);
	}
	torture_receive(fd, data, sizeof data,
		torture[i].rule.handler == later);
	(void)close(fd);
	ck_assert_msg(strstr(data, torture[i].body) != NULL ||
			strstr(data, "HTTP/1.1 500 ") != NULL ||
			strstr(data, "HTTP/1.1 503 ") != NULL ||
			(!added && strstr(data, "HTTP/1.1 501 ") != NULL) ||
			strstr(data, "\r\n\r\n") == NULL,
		"%s: allocation %zu failed%s, and to %s\n# came: %s", way->name,
		(size_t)fail_at, fail_ever_after ? " and all after it" : "",
		shown(request, strlen(request)), shown(data, strlen(data)));
}

static void
torture_server(void)
{
	bool added[COUNT(torture)];
	int code;

	for (size_t i = 0; i < COUNT(torture); i++) {
		inside++;
		code = add_rule(torture[i].rule);
		inside--;
		ck_assert_msg(code > 0 || code == -ENOMEM, "rule %zu: %s", i,
			strerror(-code));
		added[i] = code > 0;
	}
	inside++;
	code = retort_expect(server, "GET /plain", .least = 1, .most = 2,
		.connections = "1+");
	inside--;
	ck_assert(code > 0 || code == -ENOMEM);
	for (size_t i = 0; i < COUNT(torture); i++)
		torture_request(i, added[i]);
	inside++;
	(void)retort_wait(server, "GET", .times = 3, .timeout = 1, .if_absent = "A");
	(void)retort_count(server, "POST /all", .if_field = "A: b");
	free(retort_transcript(server, 1));
	(void)retort_verdict(server);
	(void)retort_wait_end(server, NULL, 0);
	(void)finish(0);
	inside--;
}

/* One piece or datagram; what comes is its echo, or nothing. */
static void
torture_piece(enum retort_protocol protocol, bool greeted)
{
	static const char whole[] = "hello\nping";
	const char *expected = greeted ? whole : "ping";
	char data[32];
	size_t have = 0;
	ssize_t n = -1;
	int fd = way->adopted ?
		torture_connect() :
		connect_plain(
			protocol == RETORT_UDP ? SOCK_DGRAM : SOCK_STREAM);

	if (fd < 0)
		return;
	(void)client_send_text(fd, "ping");
	/* what is lost is lost: it is not waited for long */
	for (int i = 0; i < 10 && n != 0 && have < strlen(expected); i++) {
		n = recv(fd, data + have, sizeof data - have, MSG_DONTWAIT);
		if (n > 0)
			have += (size_t)n;
		if (n < 0 && errno != EAGAIN)
			break;
		if (n < 0)
			turn(fd, POLLIN, 2);
	}
	(void)close(fd);
	ck_assert_msg(have <= strlen(expected) &&
			memcmp(data, expected, have) == 0,
		"%s: allocation %zu failed%s, and there came %s", way->name,
		(size_t)fail_at, fail_ever_after ? " and all after it" : "",
		shown(data, have));
}

static void
torture_plain_server(enum retort_protocol protocol)
{
	bool greeted = false;

	inside++;
	/* a rule for which there is no memory is none */
	if (protocol == RETORT_TCP)
		greeted = retort_on(server, NULL, .accepted = true,
				  .body = "hello\n") > 0;
	(void)retort_on(server, NULL, .if_body_has = "i", .echo = true);
	(void)retort_expect(server, .times = 1, .if_body = "ping");
	inside--;
	torture_piece(protocol, greeted);
	torture_piece(protocol, greeted);
	inside++;
	(void)retort_wait(server, .timeout = 1, .if_body = "ping");
	free(retort_transcript(server, 1));
	(void)retort_verdict(server);
	(void)finish(0);
	inside--;
}

/* False: there were not as many allocations. */
static bool
torture_once(int i, enum retort_protocol protocol, size_t n, bool ever_after)
{
	bool reached;

	allocations = 0;
	fail_ever_after = ever_after;
	fail_at = n;
	is_test = true;
	if (try_open_with((struct retort_options){.hosts = "x",
				  .keep_alive = is_kept,
				  .cors = protocol == RETORT_HTTP,
				  .protocol = protocol},
		    i) == NULL)
		ck_assert_msg(errno == ENOMEM, "%s", error);
	else if (protocol == RETORT_HTTP)
		torture_server();
	else
		torture_plain_server(protocol);
	reached = allocations >= n;
	fail_at = 0;
	close_server();
	is_test = false;
	return reached;
}

/* From one allocation that fails to the next that does. The ways of a server
   begin with different ones, so that all of them fail in some way. */
static size_t
fail_step(void)
{
	return is_slow() ? 17 : is_sanitized() ? 5 : 2;
}

static void
torture_http(int i, bool kept, bool ever_after)
{
	char *folder = dir_make();
	size_t step = fail_step(), n = 1 + (size_t)i % step;
	long long before;

	is_kept = kept;
	dir_write(folder, "file.txt", "file", 4);
	(void)snprintf(torture_file, sizeof torture_file, "%s/file.txt",
		folder);
	(void)torture_once(i, RETORT_HTTP, SIZE_MAX, false);
	before = live;
	while (torture_once(i, RETORT_HTTP, n, ever_after)) {
		ck_assert_uint_lt(n += step, 3000);
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n - step);
	}
	/* the failures were real */
	ck_assert_uint_gt(n, 100);
	dir_remove(folder);
}

START_TEST(lives_without_memory)
{
	torture_http(_i % WAYS, false, _i >= WAYS);
}
END_TEST

START_TEST(keeps_connections_without_memory)
{
	torture_http(_i % WAYS, true, _i >= WAYS);
}
END_TEST

/* Its second exchange, when allocation n of it fails. False: there were not as
   many. */
static bool
forget_once(int i, size_t n)
{
	const struct retort_exchange *seen;
	struct bytes got = {.data = NULL};
	bool reached;
	int fd;

	open_with((struct retort_options){.keep_alive = true}, i);
	ON("/one", .body = "one");
	ON("/two", .status = 202, .body = "two", .faults = "early 9");
	fd = connect_client();
	ck_assert_int_eq(talk(fd, "GET /one" HOST "\r\n",
				 strlen("GET /one" HOST "\r\n"), &got,
				 "\r\n\r\none"),
		0);
	bytes_free(&got);
	allocations = 0;
	fail_ever_after = false;
	is_test = true;
	fail_at = n;
	(void)talk(fd, "GET /two" HOST "\r\n",
		strlen("GET /two" HOST "\r\n"), &got, "\r\n\r\n");
	reached = allocations >= n;
	fail_at = 0;
	is_test = false;
	bytes_free(&got);
	(void)close(fd);
	seen = ended(1);
	ck_assert_str_eq(seen->path, "/one");
	ck_assert_int_eq(seen->status, 200);
	ck_assert_int_eq(seen->rule, 1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	TURN_UNTIL(retort_stats(server).connections == 0);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	close_server();
	return reached;
}

/* What there is no memory for changes nothing of what was recorded before. */
START_TEST(remembers_without_memory)
{
	size_t n = 1;

	while (forget_once(_i, n))
		n++;
	ck_assert_uint_gt(n, 3);
}
END_TEST

/* Each exchange ends once. */
static void
note_end(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_END)
		*(unsigned *)arg += 1u << 8 * exchange->nth;
}

/* A tunnel, a request in it and a piece after that, when allocation n of them
   fails: what comes is right up to its end, or an error. False: there were not
   as many. */
static bool
tunnel_once(int i, size_t n)
{
	static const char request[] = "CONNECT a:1" HOST "\r\nGET /b" HOST
				      "\r\nping";
	static const char expected[] =
		"HTTP/1.1 200 OK\r\n\r\n"
		"HTTP/1.1 101 Switching Protocols\r\n\r\nping";
	struct bytes got = {.data = NULL};
	unsigned ends = 0; /* a byte for each exchange, and those without */
	size_t same = 0;
	bool reached;
	int fd;

	open_with((struct retort_options){.omit = "Date",
			  .event = note_end,
			  .event_arg = &ends},
		i);
	ON("CONNECT a:1", .next = RETORT_NEXT_HTTP);
	ON("GET /b", .if_tunnel = "a:1", .status = 101,
		.next = RETORT_NEXT_BYTES);
	ON(NULL, .if_bytes = true, .if_tunnel = "a:1", .echo = true,
		.close = true);
	fd = connect_client();
	allocations = 0;
	fail_ever_after = false;
	is_test = true;
	fail_at = n;
	(void)talk(fd, request, strlen(request), &got, NULL);
	reached = allocations >= n;
	fail_at = 0;
	is_test = false;
	(void)close(fd);
	while (same < got.size && same < strlen(expected) &&
		got.data[same] == expected[same])
		same++;
	ck_assert_msg(same == got.size ||
			strncmp(got.data + same, "503 ", 4) == 0,
		"%s: allocation %zu failed, and there came %s", way->name, n,
		shown(got.data, got.size));
	ck_assert(reached || got.size == strlen(expected));
	bytes_free(&got);
	TURN_UNTIL(retort_stats(server).connections == 0);
	close_server();
	ck_assert_msg((ends & 0xfefefefe) == 0,
		"%s: allocation %zu failed, and the exchanges ended %08x times",
		way->name, n, ends);
	return reached;
}

START_TEST(tunnels_without_memory)
{
	size_t n = 1;
	long long before;

	(void)tunnel_once(_i, SIZE_MAX);
	before = live;
	while (tunnel_once(_i, n)) {
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n);
		n++;
	}
	ck_assert_uint_gt(n, 8);
}
END_TEST

static void
torture_plain(int i, enum retort_protocol protocol, bool ever_after)
{
	size_t step = fail_step(), n = 1 + (size_t)i % step;
	long long before;

	is_kept = false;
	(void)torture_once(i, protocol, SIZE_MAX, false);
	before = live;
	while (torture_once(i, protocol, n, ever_after)) {
		ck_assert_uint_lt(n += step, 1000);
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n - step);
	}
	ck_assert_uint_gt(n, 30);
}

START_TEST(converses_without_memory)
{
	torture_plain(_i % WAYS, RETORT_TCP, _i >= WAYS);
}
END_TEST

START_TEST(answers_datagrams_without_memory)
{
	torture_plain(_i % LISTENING_WAYS, RETORT_UDP, _i >= LISTENING_WAYS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory");
	const TTest *const kept[] = {remembers_without_memory,
		tunnels_without_memory, NULL};
	const TTest *const faults[] = {lives_without_memory,
		keeps_connections_without_memory, converses_without_memory,
		NULL};
	const TTest *const datagram_faults[] =
		{answers_datagrams_without_memory, NULL};

	rt_test_cases(suite, "records", kept, 0, WAYS);
	rt_test_cases(suite, "faults", faults, 0, 2 * WAYS);
	rt_test_cases(suite, "datagram faults", datagram_faults, 0, 2 * LISTENING_WAYS);
	return rt_test_run(suite);
}
