/* SPDX-License-Identifier: MIT */
/*
 * Bodies as a pointer and a size, which may be 0: nothing is read where there
 * is nothing.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST " HTTP/1.1\r\nHost: a\r\n"

/* Of `size` bytes, none of which is a NUL, and none follows. */
static void *
bytes_of(size_t size)
{
	char *bytes = malloc(size > 0 ? size : 1);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'x', size > 0 ? size : 1);
	return bytes;
}

static int
leaves_the_body(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	reply->status = 202;
	return 0;
}

static int
sets_text(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	reply->body = "text";
	return 0;
}

static int
sets_bytes(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	reply->body = arg;
	reply->body_size = retort_size(0);
	return 0;
}

static void
expect_end(const char *request, const char *begin, const char *end)
{
	struct bytes got = exchange(request);

	assert_begins(got, begin);
	ck_assert_msg(got.size >= strlen(end) &&
			strcmp(got.data + got.size - strlen(end), end) == 0,
		"%s", got.data);
	bytes_free(&got);
}

#define NOTHING "Content-Length: 0\r\nConnection: close\r\n\r\n"

START_TEST(replies_of_no_bytes)
{
	void *none = bytes_of(0), *two = bytes_of(2);

	open_plain(_i);
	ON("/none", .body = none, .body_size = retort_size(0));
	ON("/two", .body = two, .body_size = retort_size(2));
	ON("/null", .body = NULL, .body_size = retort_size(0));
	ON("/lent", .body = none, .body_size = retort_size(0),
		.borrowed = true);
	ON("/204", .status = 204, .body = none, .body_size = retort_size(0));
	ON("/chunked", .chunked = true, .body = none,
		.body_size = retort_size(0));
	ON("/raw", .raw = true, .body = none, .body_size = retort_size(0));
	ON("/left", .handler = leaves_the_body, .body = none,
		.body_size = retort_size(0), .borrowed = true);
	ON("/text", .handler = sets_text, .body = none,
		.body_size = retort_size(0));
	ON("/bytes", .handler = sets_bytes, .handler_arg = none,
		.body = "of the rule");
	expect_end("GET /none" HOST "\r\n", "HTTP/1.1 200 ", NOTHING);
	expect_end("GET /two" HOST "\r\n", "HTTP/1.1 200 ", "\r\n\r\nxx");
	expect_end("GET /null" HOST "\r\n", "HTTP/1.1 200 ", NOTHING);
	expect_end("GET /lent" HOST "\r\n", "HTTP/1.1 200 ", NOTHING);
	expect_end("GET /204" HOST "\r\n", "HTTP/1.1 204 ", "close\r\n\r\n");
	expect_end("GET /chunked" HOST "\r\n", "HTTP/1.1 200 ",
		"\r\n\r\n0\r\n\r\n");
	expect_end("GET /raw" HOST "\r\n", "", "");
	ck_assert_uint_eq(ended(7)->sent, 0);
	expect_end("GET /left" HOST "\r\n", "HTTP/1.1 202 ", NOTHING);
	expect_end("GET /text" HOST "\r\n", "HTTP/1.1 200 ", "\r\n\r\ntext");
	expect_end("GET /bytes" HOST "\r\n", "HTTP/1.1 200 ", NOTHING);
	assert_verdict(NULL);
	close_server();
	free(none);
	free(two);
}
END_TEST

START_TEST(conditions_of_no_bytes)
{
	void *none = bytes_of(0);

	open_plain(_i);
	ON("PUT /a", .if_body = none, .if_body_size = retort_size(0),
		.status = 201);
	ON("PUT /b", .if_body_size = retort_size(0), .status = 202);
	expect_begin("PUT /a" HOST "\r\n", "HTTP/1.1 201 ");
	expect_begin("PUT /b" HOST "\r\n", "HTTP/1.1 202 ");
	expect_begin("PUT /a" HOST "Content-Length: 1\r\n\r\nx",
		"HTTP/1.1 501 ");
	expect_begin("PUT /b" HOST "Content-Length: 1\r\n\r\nx",
		"HTTP/1.1 501 ");
	(void)ended(4);
	ck_assert_uint_eq(retort_count(server, .if_body = none,
				  .if_body_size = retort_size(0)),
		2);
	close_server();
	free(none);
}
END_TEST

/* A size without its pointer stays a mistake. */
START_TEST(sizes_without_bytes)
{
	open_plain(0);
	ck_assert_int_eq(retort_on(server, "/", .body_size = 1), -EINVAL);
	ck_assert_int_eq(set_answer(&(struct retort_reply){.status = 100}),
		-EINVAL);
	ck_assert_str_eq(error, "status: expected 101, or 200 to 999");
	ck_assert_int_eq(set_answer(&(struct retort_reply){.status = 204,
				 .body = "x",
				 .body_size = retort_size(1)}),
		-EINVAL);
	ck_assert_str_eq(error, "status: a 204 or 304 has no body");
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("empty");
	TCase *tcase = tcase_create("bodies");

	rt_test_loop(tcase, replies_of_no_bytes, 0, BASIC_WAYS);
	rt_test_loop(tcase, conditions_of_no_bytes, 0, BASIC_WAYS);
	tcase_add_test(tcase, sizes_without_bytes);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
