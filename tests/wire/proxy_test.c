/* SPDX-License-Identifier: MIT */
/* Clients that a proxy names before their requests. */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define V1 "PROXY TCP4 192.0.2.1 127.0.0.1 5000 80\r\n"
#define V2 \
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x13\x88\0\x50"
#define REQUEST "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"

static void
open_named(int i)
{
	open_with((struct retort_options){.proxy_protocol = true}, i);
	ON("POST /a", .echo = true);
}

/* The first bytes are looked at before the others come. */
static void
expect_named(const char *bytes, size_t size, size_t cut, size_t n)
{
	static const char echo[] = "\r\n\r\n" REQUEST;
	struct bytes got = {.data = NULL};
	int fd = connect_client();

	ck_assert(client_send(fd, bytes, cut));
	for (int i = 0; i < 3; i++)
		turn(-1, 0, 0);
	ck_assert_int_eq(talk(fd, bytes + cut, size - cut, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 200 ");
	assert_has(got, echo);
	bytes_free(&got);
	(void)close(fd);
	ck_assert_str_eq(ended(n)->client, "192.0.2.1:5000");
	ck_assert_uint_eq(ended(n)->raw_size, strlen(REQUEST));
	ck_assert_uint_eq(ended(n)->received, size);
	ck_assert_uint_eq(ended(n)->body_size, 5);
}

START_TEST(are_named)
{
	static const char one[] = V1 REQUEST, two[] = V2 REQUEST;
	size_t n = 0;

	open_named(_i);
	for (size_t cut = 0; cut < sizeof one - 1; cut++)
		if (!rt_test_thin())
			expect_named(one, sizeof one - 1, cut, ++n);
	for (size_t cut = 0; cut < sizeof two - 1; cut++)
		if (!rt_test_thin())
			expect_named(two, sizeof two - 1, cut, ++n);
	assert_verdict(NULL);
	close_server();
}
END_TEST

static char seen_client[64];

static void
note_client(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_END)
		(void)strcpy(seen_client, exchange->client);
}

START_TEST(must_be_named)
{
	struct bytes got;

	open_with((struct retort_options){.proxy_protocol = true,
			  .event = note_client,
			  .unrecorded = true},
		_i);
	ck_assert_int_eq(retort_answer(server, .status = 204), 0);
	got = exchange(REQUEST);
	assert_begins(got, "HTTP/1.1 400 ");
	assert_has(got, "expected a PROXY protocol header");
	bytes_free(&got);
	got = exchange("PROXY TCP4 x y\r\n" REQUEST);
	assert_begins(got, "HTTP/1.1 400 ");
	bytes_free(&got);
	/* and may be by nobody */
	expect_begin("PROXY UNKNOWN\r\n" REQUEST, "HTTP/1.1 204 ");
	/* the last one that ends is to be the last one that came */
	TURN_UNTIL(retort_stats(server).connections == 0);
	expect_begin(V1 REQUEST, "HTTP/1.1 204 ");
	TURN_UNTIL(retort_stats(server).connections == 0);
	ck_assert_str_eq(seen_client, "192.0.2.1:5000");
	close_server();
}
END_TEST

/* The connection itself is what it was. */
START_TEST(leave_a_unix_socket_one)
{
	struct bytes got = {.data = NULL};
	int fd;

	open_with((struct retort_options){.proxy_protocol = true}, _i);
	ON("POST /a", .body = "hello", .faults = "end reset");
	fd = connect_client();
	ck_assert_int_eq(talk(fd, V1 REQUEST, strlen(V1 REQUEST), &got, NULL),
		way->adopted ? 0 : ECONNRESET);
	assert_verdict(way->adopted ? "a Unix socket cannot be reset" : NULL);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(are_those_of_http)
{
	ck_assert_ptr_null(
		try_open_with((struct retort_options){.proxy_protocol = true,
				      .protocol = RETORT_TCP},
			0));
	ck_assert_str_eq(error, "proxy_protocol: it is for RETORT_HTTP");
	ck_assert_ptr_null(
		try_open_with((struct retort_options){.proxy_protocol = true,
				      .tls = true},
			0));
	ck_assert_str_eq(error, "proxy_protocol: not with tls");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tcase = tcase_create("clients");

	rt_test_loop(tcase, are_named, 2, BASIC_WAYS);
	rt_test_loop(tcase, must_be_named, 0, BASIC_WAYS);
	rt_test_loop(tcase, leave_a_unix_socket_one, 0, WAYS);
	tcase_add_test(tcase, are_those_of_http);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
