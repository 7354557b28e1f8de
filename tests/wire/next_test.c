/* SPDX-License-Identifier: MIT */
/* What a connection becomes after a reply, at the client's end of a socket. */
#include "config.h"

#include "wire/keeping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD " HTTP/1.1\r\nHost: a\r\n"
#define CONNECT(to) "CONNECT " to HEAD "\r\n"
#define OPENED "HTTP/1.1 200 OK\r\n\r\n"

static void
open_proxy(struct retort_options options, int i)
{
	options.omit = "Date\nContent-Type";
	open_with(options, i);
}

static void
expect_seen(const struct retort_exchange *seen, enum retort_protocol protocol,
	const char *tunnel, uint64_t nth, uint64_t pieces, const char *line)
{
	ck_assert_uint_eq(seen->connection, 1);
	ck_assert_int_eq(seen->protocol, protocol);
	ck_assert_pstr_eq(seen->tunnel, tunnel);
	ck_assert_uint_eq(seen->nth, nth);
	ck_assert_uint_eq(seen->pieces, pieces);
	assert_bytes(seen->request, seen->request_size, line, strlen(line));
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
}

#define INSIDE(text) \
	"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n" text

/* The same requests, inside and outside of tunnels. */
START_TEST(http_in_tunnels)
{
	int fd;

	open_proxy((struct retort_options){.port = 0}, _i);
	ON("CONNECT *:80", .next = RETORT_NEXT_HTTP);
	ON("GET", .if_tunnel = "a.*:80", .body = "to a\r\n");
	ON("GET", .if_tunnel = "*", .body = "to b\r\n");
	ON("GET", .body = "none\r\n");
	fd = connect_client();
	exchange_on(fd, CONNECT("a.example:80"), OPENED);
	exchange_last(fd, GET("/"), INSIDE("to a\r\n"));
	/* the first request has come with the CONNECT */
	exchange_last(connect_client(), CONNECT("b:80") GET("/"),
		OPENED INSIDE("to b\r\n"));
	exchange_last(connect_client(), GET("/"), INSIDE("none\r\n"));
	expect_seen(ended(1), RETORT_HTTP, NULL, 1, 0,
		"CONNECT a.example:80 HTTP/1.1");
	expect_seen(ended(2), RETORT_HTTP, "a.example:80", 2, 0,
		"GET / HTTP/1.1");
	ck_assert_str_eq(ended(4)->tunnel, "b:80");
	ck_assert_ptr_null(ended(5)->tunnel);
	ck_assert_uint_eq(retort_count(server, "GET", .if_tunnel = "*:80"), 2);
	ck_assert_uint_eq(retort_stats(server).replies, 5);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A challenge, a tunnel, a second CONNECT in it, and one that is taken: all on
   one connection. */
START_TEST(one_after_another)
{
	int fd;

	open_proxy((struct retort_options){.keep_alive = true}, _i);
	ON("CONNECT", .if_tunnel = "a:1", .status = 403);
	ON("CONNECT", .if_contains = "Proxy-Authorization: Basic",
		.next = RETORT_NEXT_HTTP);
	ON("CONNECT", .status = 407, .next = RETORT_NEXT_KEEP,
		.fields = "Proxy-Authenticate: Basic realm=x");
	ON("GET", .body = "hi");
	fd = connect_client();
	exchange_on(fd, CONNECT("a:1"),
		"HTTP/1.1 407 Proxy Authentication Required\r\n"
		"Content-Length: 0\r\n"
		"Proxy-Authenticate: Basic realm=x\r\n\r\n");
	exchange_on(fd,
		"CONNECT a:1" HEAD "Proxy-Authorization: Basic eDp5\r\n\r\n",
		OPENED);
	exchange_on(fd, CONNECT("b:1"),
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	exchange_on(fd, GET("/"),
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	/* a request that is malformed ends it */
	exchange_last(fd, "x\r\n\r\n",
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 40\r\n"
		"Connection: close\r\n\r\n"
		"400 Bad Request: malformed request line\n");
	ck_assert_ptr_null(ended(2)->tunnel);
	ck_assert_str_eq(ended(3)->tunnel, "a:1");
	ck_assert_str_eq(ended(4)->tunnel, "a:1");
	ck_assert_str_eq(ended(5)->tunnel, "a:1");
	close_server();
}
END_TEST

#define UPGRADED \
	"HTTP/1.1 101 Switching Protocols\r\n" \
	"Connection: Upgrade\r\nUpgrade: lines\r\n\r\n"

/* Pieces for rules of their own, with framing, and the server's first. */
START_TEST(bytes_after_an_upgrade)
{
	const struct retort_exchange *seen;
	int fd;

	open_proxy((struct retort_options){.framing = "lines"}, _i);
	ON("GET /lines", .status = 101, .next = RETORT_NEXT_BYTES,
		.fields = "Connection: Upgrade\nUpgrade: lines",
		.body = "hello\n");
	ON(NULL, .if_bytes = true, .if_body = "quit\n", .body = "bye\n",
		.close = true);
	ON(NULL, .if_bytes = true, .if_body_begins = "a", .times = 2,
		.echo = true);
	ON("/", .body = "no piece gets this");
	fd = connect_client();
	exchange_on(fd, GET("/lines") "ab", UPGRADED "hello\n");
	exchange_on(fd, "c\nad\n", "abc\nad\n");
	exchange_last(fd, "quit\n", "bye\n");
	expect_seen(ended(1), RETORT_HTTP, NULL, 1, 0, "GET /lines HTTP/1.1");
	seen = ended(2);
	expect_seen(seen, RETORT_TCP, NULL, 2, 1, "abc");
	ck_assert_uint_eq(seen->body_size, 4);
	expect_seen(ended(3), RETORT_TCP, NULL, 3, 2, "ad");
	expect_seen(ended(4), RETORT_TCP, NULL, 4, 3, "quit");
	ck_assert_uint_eq(ended(4)->received, strlen("abc\nad\nquit\n"));
	ck_assert_uint_eq(ended(4)->sent, strlen("abc\nad\nbye\n"));
	ck_assert_uint_eq(ended(1)->received, strlen(GET("/lines")));
	ck_assert_uint_eq(retort_count(server, NULL, .if_bytes = true), 3);
	ck_assert_uint_eq(retort_count(server, NULL, .if_http = true), 1);
	ck_assert_uint_eq(retort_stats(server).replies, 2);
	assert_verdict(NULL);
	/* what no rule is for */
	fd = connect_client();
	exchange_on(fd, GET("/lines"), UPGRADED "hello\n");
	exchange_last(fd, "ax\n", "");
	assert_verdict("no rule fits \"ax\\n\": rule 3 would, but was used up "
		       "(2 of 2); of the others, body differs from rule 2");
	close_server();
}
END_TEST

/* Frames, without their masks; the handshake's key is that of RFC 6455 1.3. */
START_TEST(frames_of_a_websocket)
{
	const struct retort_exchange *seen;
	int fd;

	open_proxy((struct retort_options){.framing = "websocket"}, _i);
	ON("GET /chat", .if_field = "Upgrade: websocket", .status = 101,
		.next = RETORT_NEXT_BYTES, .fill = true,
		.fields = "Connection: Upgrade\nUpgrade: websocket\n"
			  "Sec-WebSocket-Accept: {websocket-accept}");
	ON(NULL, .if_bytes = true, .if_body_begins = "\x88", .echo = true,
		.close = true);
	ON(NULL, .if_bytes = true, .fill = true,
		.body = "{frame.text}{payload}");
	fd = connect_client();
	exchange_on(fd,
		"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Connection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	exchange_on(fd, "\x81\x82zzzz\x12\x13\x81\x82", "\x81\x02hi");
	exchange_last(fd, "zzzz\x12\x15\x88\x82zzzz\x79\x92",
		"\x81\x02ho\x88\x02\x03\xe8");
	seen = ended(3);
	expect_seen(seen, RETORT_TCP, NULL, 3, 2, "\x81\x02ho");
	assert_bytes(seen->raw, seen->raw_size, "\x81\x02ho", 4);
	ck_assert_uint_eq(seen->received, 24);
	ck_assert_uint_eq(seen->sent, 12);
	assert_verdict(NULL);
	close_server();
}
END_TEST

/* A proxy that speaks a protocol of its own first, as SOCKS does. */
START_TEST(http_after_pieces)
{
	int fd;

	open_with((struct retort_options){.protocol = RETORT_TCP}, _i);
	ON(NULL, .if_body = "\5\1\1", .body = "\5\1", .next = RETORT_NEXT_HTTP);
	ON("GET /", .if_http = true, .body = "inside", .omit = "Date");
	fd = connect_client();
	exchange_on(fd, "\5\1\1", "\5\1");
	exchange_last(fd, GET("/"),
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 6\r\nConnection: close\r\n\r\ninside");
	expect_seen(ended(1), RETORT_TCP, NULL, 1, 1, "\5\1\1");
	expect_seen(ended(2), RETORT_HTTP, NULL, 2, 0, "GET / HTTP/1.1");
	ck_assert_uint_eq(ended(1)->sent, 2);
	/* another request than that */
	fd = connect_client();
	exchange_on(fd, "\5\1\1", "\5\1");
	say(fd, GET("/x"));
	/* it is not waited for */
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(ended(4)->status, 501);
	(void)close(fd);
	close_server();
}
END_TEST

static size_t heard;

static void
hear(void *arg, enum retort_event event, const struct retort_exchange *exchange,
	const void *bytes, size_t size)
{
	(void)arg;
	(void)exchange;
	(void)bytes;
	if (event == RETORT_ON_BODY)
		heard += size;
}

/* Of a body that is not kept, all the same. */
START_TEST(events_after_pieces)
{
	enum { SIZE = 1 << 20 }; /* more than is kept */
	char *body = malloc(SIZE + 1);
	int fd;

	ck_assert_ptr_nonnull(body);
	memset(body, 'x', SIZE);
	body[SIZE] = '\0';
	heard = 0;
	open_with((struct retort_options){.protocol = RETORT_TCP,
			  .max_records = 100 << 10,
			  .event = hear},
		_i);
	ON(NULL, .if_body = "begin", .body = "ok", .next = RETORT_NEXT_HTTP);
	ON("POST /", .if_http = true, .raw = true, .body = "taken");
	fd = connect_client();
	exchange_on(fd, "begin", "ok");
	say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n");
	exchange_last(fd, body, "taken");
	ck_assert_uint_eq(ended(2)->body_total, SIZE);
	ck_assert_uint_eq(heard, SIZE);
	free(body);
	close_server();
}
END_TEST

/* Faults count from the start of each reply; a tunnel that is not to be is
   none. */
START_TEST(faults)
{
	int fd;

	open_proxy((struct retort_options){.keep_alive = true}, _i);
	ON("CONNECT x:1", .next = RETORT_NEXT_HTTP, .faults = "cut 8");
	ON("CONNECT", .next = RETORT_NEXT_HTTP);
	ON("GET", .body = "hello", .faults = "cut body 2");
	exchange_last(connect_client(), CONNECT("x:1") GET("/"), "HTTP/1.1");
	fd = connect_client();
	exchange_on(fd, CONNECT("y:1"), OPENED);
	exchange_last(fd, GET("/"),
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
	close_server();
}
END_TEST

static const struct {
	struct retort_reply reply;
	enum retort_protocol protocol;
	const char *error;
} mistakes[] = {
	{{.next = RETORT_NEXT_TLS_BYTES + 1}, RETORT_HTTP,
		"next: expected RETORT_NEXT_CLOSE, _KEEP, _HTTP, "
		"_BYTES, _TLS, _TLS_HTTP or _TLS_BYTES"},
	{{.next = RETORT_NEXT_HTTP}, RETORT_UDP,
		"next: a datagram has no connection"},
	{{.next = RETORT_NEXT_HTTP, .close = true}, RETORT_TCP,
		"close: not with .next, which keeps the connection"},
	{{.next = RETORT_NEXT_BYTES, .accepted = true}, RETORT_TCP,
		"next: the server's protocol follows a greeting"},
	{{.if_bytes = true, .if_http = true}, RETORT_HTTP,
		"if_http: not with .if_bytes"},
	{{.if_bytes = true}, RETORT_UDP,
		"if_bytes: with UDP all are datagrams"},
	{{.if_http = true}, RETORT_UDP, "if_http: with UDP all are datagrams"},
	{{.if_bytes = true, .if_field = "A: b"}, RETORT_HTTP,
		"if_field: only a request of HTTP has it"},
	{{.if_bytes = true, .status = 404}, RETORT_HTTP,
		"status: only a reply of HTTP has it"},
	{{.if_bytes = true, .files = true}, RETORT_HTTP,
		"files: only HTTP serves them"},
	{{.if_tunnel = ""}, RETORT_HTTP,
		"if_tunnel: expected one target, such as example.com:443: ''"},
	{{.if_tunnel = "a b"}, RETORT_HTTP,
		"if_tunnel: expected one target, such as example.com:443: "
		"'a b'"},
	{{.if_tunnel = "a:1\nb:1\n"}, RETORT_HTTP,
		"if_tunnel: expected one target, such as example.com:443: "
		"'a:1 b:1 '"},
};

START_TEST(mistakes_are_told)
{
	struct retort_reply reply = mistakes[_i].reply;
	char why[RETORT_ERROR_SIZE];

	open_with((struct retort_options){.protocol = mistakes[_i].protocol},
		0);
	reply.server = server;
	reply.error = why;
	ck_assert_int_eq(retort_on_sized(&reply, sizeof reply), -EINVAL);
	ck_assert_str_eq(why, mistakes[_i].error);
	retort_close(server);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("next");
	const TTest *const all[] = {http_in_tunnels, one_after_another,
		bytes_after_an_upgrade, frames_of_a_websocket,
		http_after_pieces, events_after_pieces, faults, NULL};
	TCase *tcase = tcase_create("mistakes");

	rt_test_cases(suite, "becomes", all, 0, WAYS);
	tcase_add_loop_test(tcase, mistakes_are_told, 0, COUNT(mistakes));
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
