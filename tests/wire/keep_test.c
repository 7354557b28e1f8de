/* SPDX-License-Identifier: MIT */
/* Kept connections, at the client's end of a socket. */
#include "config.h"

#include "wire/keeping.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

static struct event {
	enum retort_event event;
	uint64_t nth;
	uint64_t received;
	uint64_t sent;
	int status;
	enum retort_ending server_close;
} events[64];
static size_t event_count;

static void
note(void *arg, enum retort_event event, const struct retort_exchange *exchange,
	const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_HEAD || event_count == COUNT(events))
		return;
	events[event_count++] = (struct event){event, exchange->nth,
		exchange->received, exchange->sent, exchange->status,
		exchange->server_close};
}

static void
open_kept(struct retort_options options, int i)
{
	event_count = 0;
	options.event = note;
	open_keeping(options, i);
}

#define TWO \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" \
	"3\r\ntwo\r\n0\r\n\r\n"
#define NONE "HTTP/1.1 204 No Content\r\n\r\n"

static void
add_rules(void)
{
	ON("GET /one", .body = "one");
	ON("HEAD /one", .body = "one");
	ON("GET /two", .body = "two", .chunked = true);
	ON("GET /none", .status = 204);
	ON("POST /one", .body = "one");
}

START_TEST(one_after_another)
{
	const struct retort_exchange *seen;
	int64_t began = 0;
	int fd;

	open_kept((struct retort_options){.port = 0}, _i);
	add_rules();
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	TURN_UNTIL(event_count == 1);
	exchange_on(fd, GET("/two"), TWO);
	exchange_on(fd, GET("/none"), NONE);
	exchange_on(fd, "HEAD /one HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
	exchange_on(fd,
		"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
		"\r\nab",
		ONE);
	/* while the connection is open, each exchange but the present is
	   over */
	seen = ended(5);
	ck_assert_uint_eq(retort_stats(server).connections, 1);
	ck_assert_uint_eq(retort_stats(server).replies, 5);
	ck_assert_int_eq(seen->server_close, RETORT_NOTHING);
	exchange_last(fd, LAST("/one"), END);
	(void)ended(6);
	ck_assert_uint_eq(retort_stats(server).accepted, 1);
	for (size_t n = 1; n <= 6; n++) {
		seen = retort_record(server, n);
		ck_assert_uint_eq(seen->connection, 1);
		ck_assert_uint_eq(seen->nth, n);
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		ck_assert_int_eq(seen->server_close, RETORT_FIN);
		/* the clock may be set meanwhile */
		ck_assert_int_ge(seen->began, began - 60 * RT_SECOND);
		ck_assert_int_ge(seen->duration, seen->requested);
		began = seen->began;
	}
	seen = retort_record(server, 5);
	assert_bytes(seen->body, seen->body_size, "ab", 2);
	ck_assert_uint_eq(seen->received, seen->raw_size);
	ck_assert_uint_eq(seen->sent, strlen(ONE));
	ck_assert_uint_eq(seen->sent_body, 3);
	assert_verdict(NULL);
	ck_assert_uint_eq(event_count, 7);
	ck_assert_int_eq(events[4].event, RETORT_ON_BODY);
	for (size_t n = 0; n < 7; n++)
		if (n != 4) {
			ck_assert_int_eq(events[n].event, RETORT_ON_END);
			ck_assert_uint_eq(events[n].nth, n < 4 ? n + 1 : n);
			ck_assert_int_eq(events[n].server_close,
				n == 6 ? RETORT_FIN : RETORT_NOTHING);
		}
	close_server();
}
END_TEST

/* However they are cut on their way. */
START_TEST(several_at_once)
{
	static const char requests[] = GET("/one")
		GET("/two") "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET(
			"/none") LAST("/one");
	const size_t size = sizeof requests - 1;

	for (size_t cut = 1; cut < size; cut += rt_test_thin() ? 37 : 7) {
		struct bytes got = {.data = NULL};
		uint64_t received = 0;
		int fd;

		open_kept((struct retort_options){.port = 0}, _i);
		add_rules();
		fd = connect_client();
		ck_assert_int_eq(send(fd, requests, cut, MSG_NOSIGNAL),
			(int)cut);
		turn(-1, 0, 1);
		ck_assert_int_eq(talk(fd, requests + cut, size - cut, &got,
					 NULL),
			0);
		assert_bytes(got.data, got.size, ONE TWO ONE NONE END,
			strlen(ONE TWO ONE NONE END));
		bytes_free(&got);
		(void)close(fd);
		(void)ended(5);
		for (size_t n = 1; n <= 5; n++) {
			const struct retort_exchange *seen =
				retort_record(server, n);

			ck_assert_uint_eq(seen->nth, n);
			ck_assert_uint_eq(seen->received, seen->raw_size);
			received += seen->received;
		}
		ck_assert_uint_eq(received, size);
		assert_verdict(NULL);
		close_server();
	}
}
END_TEST

/* What ends a connection, and what does not. */
static const struct {
	const char *request;
	const char *reply;
	bool ends;
} last[] = {
	{LAST("/one"), END, true},
	{"GET /one HTTP/1.0\r\nHost: a\r\n\r\n", END, true},
	{"GET /one HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		"Connection: keep-alive\r\n\r\none",
		false},
	/* HTTP/1.0 knows no chunks */
	{"GET /two HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		"Connection: close\r\n\r\n3\r\ntwo\r\n0\r\n\r\n",
		true},
	{GET("/bare"), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbare",
		true},
	{"HEAD /bare HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
		false},
	{GET("/says"),
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Connection: X, Close\r\n\r\nx",
		true},
	{GET("/mute"), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false},
	{GET("/old"),
		"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n"
		"Connection: close\r\n\r\nx",
		true},
	{GET("/raw"), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true},
	{GET("/cut"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", true},
	{GET("/told-raw"), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		false},
	{GET("/told-close"),
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Connection: close\r\n\r\nx",
		false},
	{LAST("/told"), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false},
	{"GET /told HTTP/1.0\r\nHost: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false},
	{"POST /told HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 54\r\n"
		"Connection: close\r\n\r\n"
		"421 Misdirected Request: this host is not served here\n",
		true},
	{GET("/closed"),
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Connection: close\r\n\r\nx",
		true},
	{GET("/own"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false},
	{"GET /one HTTP/1.1\r\nHost: b\r\n\r\n",
		"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 54\r\n\r\n"
		"421 Misdirected Request: this host is not served here\n",
		false},
	{"POST /one HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 54\r\n"
		"Connection: close\r\n\r\n"
		"421 Misdirected Request: this host is not served here\n",
		true},
	{"GET /one HTTP/1.1\r\n\r\n",
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 31\r\n"
		"Connection: close\r\n\r\n400 Bad Request: no Host field\n",
		true},
};

START_TEST(what_ends_it)
{
	int fd;

	open_kept((struct retort_options){.hosts = "a"}, 0);
	add_rules();
	ON("/bare", .body = "bare", .omit = "Content-Length");
	ON("/says", .body = "x", .fields = "Connection: X, Close");
	ON("/mute", .body = "x", .omit = "Connection");
	ON("/old", .body = "x", .version = "HTTP/1.0");
	ON("/raw", .raw = true,
		.body = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
	ON("/cut", .body = "hello", .faults = "cut body 2");
	ON("/told-raw", .raw = true, .next = RETORT_NEXT_KEEP,
		.body = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
	ON("/told-close", .body = "x", .fields = "Connection: close",
		.next = RETORT_NEXT_KEEP);
	ON("/told", .body = "x", .next = RETORT_NEXT_KEEP);
	ON("/closed", .body = "x", .next = RETORT_NEXT_CLOSE);
	ON("/own", .body = "ab", .fields = "Content-Length: 2");
	fd = connect_client();
	if (last[_i].ends) {
		exchange_last(fd, last[_i].request, last[_i].reply);
	} else {
		exchange_on(fd, last[_i].request, last[_i].reply);
		exchange_last(fd, LAST("/one"), END);
	}
	close_server();
}
END_TEST

/* By one that closes all others, and by a handler. */
static int
keeps(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	reply->next = RETORT_NEXT_KEEP;
	return 0;
}

START_TEST(kept_by_a_rule)
{
	int fd;

	open_with((struct retort_options){.omit = "Date\nContent-Type"}, _i);
	ON("/one", .body = "one");
	if (_i % 2 != 0)
		ON("/told", .body = "one", .next = RETORT_NEXT_KEEP);
	else
		ON("/told", .body = "one", .handler = keeps);
	fd = connect_client();
	exchange_on(fd, GET("/told"), ONE);
	exchange_on(fd, GET("/told"), ONE);
	exchange_last(fd, GET("/one"), END);
	ck_assert_uint_eq(ended(3)->nth, 3);
	close_server();
}
END_TEST

/* The same where no rule is. */
START_TEST(kept_by_the_answer)
{
	int fd;

	open_with((struct retort_options){.omit = "Date\nContent-Type"}, _i);
	ck_assert_int_eq(retort_answer(server, .body = "one",
				 .next = RETORT_NEXT_KEEP),
		0);
	fd = connect_client();
	exchange_on(fd, GET("/1"), ONE);
	exchange_on(fd, GET("/2"), ONE);
	ck_assert_int_eq(retort_answer(server, .body = "one"), 0);
	exchange_last(fd, GET("/3"), END);
	close_server();
}
END_TEST

START_TEST(so_many_exchanges)
{
	int fd;

	open_kept((struct retort_options){.max_exchanges = 2}, _i);
	add_rules();
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	exchange_last(fd, GET("/one"), END);
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	exchange_last(fd, GET("/one"), END);
	close_server();
}
END_TEST

/* Replies are counted, and the last of all says so. */
START_TEST(so_many_requests)
{
	int first, second;

	open_kept((struct retort_options){.requests = 3}, _i);
	add_rules();
	first = connect_client();
	second = connect_client();
	exchange_on(first, GET("/one"), ONE);
	exchange_on(second, GET("/one"), ONE);
	exchange_last(first, GET("/one"), END);
	/* which was idle */
	exchange_last(second, "", "");
	TURN_UNTIL(retort_stats(server).connections == 0);
	ck_assert_uint_eq(retort_stats(server).replies, 3);
	close_server();
}
END_TEST

/* It is not one of them, and what it greets is the last. */
START_TEST(so_many_after_a_greeting)
{
	int fd;

	open_kept((struct retort_options){.requests = 1}, _i);
	ON(NULL, .accepted = true, .body = "hello ");
	ON("/one", .body = "one");
	fd = connect_client();
	exchange_on(fd, "", "hello ");
	exchange_last(fd, GET("/one"), END);
	close_server();
}
END_TEST

START_TEST(stops)
{
	int idle, late;

	open_kept((struct retort_options){.port = 0}, _i);
	ON("/one", .body = "one");
	ON("/late", .body = "one", .pause_head = 1);
	idle = connect_client();
	late = connect_client();
	exchange_on(idle, GET("/one"), ONE);
	exchange_on(late, GET("/one"), ONE);
	say(late, GET("/one"));
	if (way->drive == OWN_THREAD)
		ck_assert_ptr_nonnull(retort_wait(server, "/one", .times = 3));
	/* nothing was cut off */
	retort_stop(server, PATIENCE);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_ptr_null(retort_stats(server).cut_off);
	ck_assert_uint_eq(retort_record(server, 3)->nth, 2);
	(void)close(idle);
	(void)close(late);
	close_server();
}
END_TEST

/* A silent client is told nothing, and it is no exchange. */
START_TEST(waits_so_long)
{
	int fd;

	open_kept((struct retort_options){.idle_timeout = 20}, _i);
	add_rules();
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	exchange_last(fd, "", "");
	TURN_UNTIL(event_count == 2);
	ck_assert_int_eq(events[1].event, RETORT_ON_CLOSE);
	ck_assert_int_eq(events[1].server_close, RETORT_FIN);
	ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
	ck_assert_int_eq(retort_record(server, 1)->server_close, RETORT_FIN);
	close_server();
}
END_TEST

/* A connection that has had one reply, and has said the next request; whether
   that was in time. */
static bool
say_in_time(int *fd, int idle)
{
	int64_t began = now_ms();

	*fd = connect_client();
	exchange_on(*fd, GET("/one"), ONE);
	TURN_UNTIL(event_count == 1);
	(void)client_send_text(*fd, GET("/one"));
	return now_ms() - began < idle;
}

/* The client was in time, and the server late to see that. */
START_TEST(waits_no_less)
{
	int fd, idle = 100;

	for (;;) {
		open_kept((struct retort_options){.idle_timeout = idle}, _i);
		add_rules();
		if (say_in_time(&fd, idle))
			break;
		(void)close(fd);
		close_server();
		idle *= 2;
	}
	(void)poll(NULL, 0, idle + 20);
	exchange_on(fd, "", ONE);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(tells_who_closed)
{
	char *transcript, line[1024];
	int fd;

	open_kept((struct retort_options){.port = 0}, _i);
	add_rules();
	fd = connect_client();
	exchange_on(fd, GET("/one"), ONE);
	exchange_on(fd, GET("/none"), NONE);
	(void)close(fd);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert(retort_record(server, 1)->client_first);
	ck_assert(retort_record(server, 2)->client_first);
	ck_assert_int_eq(retort_record(server, 2)->client_close, RETORT_FIN);
	/* not before it had its replies */
	for (size_t n = 1; n <= 2; n++) {
		size_t size = retort_log_line(retort_record(server, n),
			RETORT_LOG_SHORT, line, sizeof line - 1);

		line[size] = '\0';
		ck_assert_msg(strstr(line, " ms\n") != NULL, "%s", line);
		ck_assert(retort_record(server, n)->kept);
	}
	transcript = retort_transcript(server, 1);
	ck_assert_ptr_nonnull(strstr(transcript, "> one\n"));
	ck_assert_ptr_nonnull(strstr(transcript, "> HTTP/1.1 204 No Content"));
	ck_assert_ptr_nonnull(strstr(transcript, "< (FIN)\n"));
	ck_assert_ptr_nonnull(strstr(transcript, "- (closed)\n"));
	ck_assert_ptr_null(strstr(strstr(transcript, "GET /none"), "> one\n"));
	ck_assert_ptr_null(retort_record(server, 3));
	ck_assert_uint_eq(events[event_count - 1].event, RETORT_ON_CLOSE);
	free(transcript);
	close_server();
}
END_TEST

/* What the first's record said when the second was over. */
static enum retort_ending said_then;

static void
look_back(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_END && exchange->nth == 2)
		said_then = retort_record(server, 1)->client_close;
}

/* An exchange that ends is work for its own record alone, however many there
   are of the same connection. */
START_TEST(tells_it_once)
{
	int fd;

	said_then = RETORT_RST;
	open_with((struct retort_options){.keep_alive = true,
			  .omit = "Date\nContent-Type",
			  .event = look_back},
		_i);
	ON("/one", .body = "one");
	ON("/late", .body = "one", .pause_head = 20);
	fd = connect_client();
	say(fd, GET("/one") GET("/late"));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	exchange_last(fd, "", ONE ONE);
	ck_assert_int_eq(ended(2)->client_close, RETORT_FIN);
	ck_assert(retort_wait_end(server, NULL, PATIENCE));
	ck_assert_int_eq(said_then, RETORT_NOTHING);
	ck_assert_int_eq(ended(1)->client_close, RETORT_FIN);
	close_server();
}
END_TEST

/* By sendfile(2), too, and with no delay for the last segment. */
START_TEST(files)
{
	static char block[300u << 10];
	char *folder = dir_make();
	int fd;

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (char)(i % 251);
	dir_write(folder, "big", block, sizeof block);
	dir_write(folder, "small", "one", 3);
	open_kept((struct retort_options){.sigpipe_ignored = _i % 2 != 0,
			  .unrecorded = _i % 2 != 0},
		_i / 2);
	ck_assert_int_eq(retort_serve(server, folder,
				 .omit = "ETag\nLast-Modified\n"
					 "Cache-Control\nAccept-Ranges"),
		0);
	fd = connect_client();
	for (int n = 0; n < 3; n++) {
		struct bytes got = {.data = NULL};
		struct talk talk =
			talk_begin(fd, GET("/big"), strlen(GET("/big")), &got);
		const size_t head = strlen("HTTP/1.1 200 OK\r\n"
					   "Content-Length: 307200\r\n\r\n");

		while (got.size < head + sizeof block && talk_on(&talk))
			;
		ck_assert_uint_eq(got.size, head + sizeof block);
		ck_assert_mem_eq(got.data + head, block, sizeof block);
		bytes_free(&got);
		exchange_on(fd, GET("/small"), ONE);
		exchange_on(fd,
			"GET /small HTTP/1.1\r\nHost: a\r\n"
			"If-None-Match: *\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\n\r\n");
		exchange_on(fd,
			"GET /small HTTP/1.1\r\nHost: a\r\n"
			"Range: bytes=1-1\r\n\r\n",
			"HTTP/1.1 206 Partial Content\r\n"
			"Content-Range: bytes 1-1/3\r\nContent-Length: 1\r\n"
			"\r\nn");
	}
	exchange_last(fd, LAST("/small"), END);
	close_server();
	dir_remove(folder);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keep");
	const TTest *const kept[] = {one_after_another, so_many_exchanges,
		stops, waits_so_long, tells_who_closed, tells_it_once, NULL};
	const TTest *const rest[] = {several_at_once, so_many_requests,
		so_many_after_a_greeting, kept_by_a_rule, kept_by_the_answer,
		NULL};
	/* they take steps only when the test does */
	const TTest *const stepped[] = {waits_no_less, NULL};
	TCase *tcase = tcase_create("ends");

	rt_test_cases(suite, "kept", kept, 0, WAYS);
	rt_test_cases(suite, "late", stepped, 2, LISTENING_WAYS);
	rt_test_cases(suite, "at once", rest, 0, BASIC_WAYS);
	tcase_add_loop_test(tcase, what_ends_it, 0, COUNT(last));
	rt_test_loop(tcase, files, 0, 2 * BASIC_WAYS);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
