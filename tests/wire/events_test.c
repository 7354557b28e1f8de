/* SPDX-License-Identifier: MIT */
/* The server: what it tells its owner. */
#include "config.h"

#include "wire/driving.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- events, and how exchanges end --- */

START_TEST(tells_what_happens)
{
	static const char head[] = "POST /a?b HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 6\r\n\r\n";
	const struct retort_exchange *end;
	struct timespec before, after;
	struct bytes got = {.data = NULL};
	int fd;

	(void)clock_gettime(CLOCK_REALTIME, &before);
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	fd = connect_client();
	settle();
	ck_assert_uint_eq(event_count, 0);
	ck_assert(client_send(fd, head, sizeof head - 1));
	TURN_UNTIL(event_count == 1);
	ck_assert_int_eq(events[0].event, RETORT_ON_HEAD);
	assert_bytes(events[0].bytes, events[0].size, head, sizeof head - 1);
	ck_assert_str_eq(events[0].request, "POST /a?b HTTP/1.1");
	ck_assert_int_eq(events[0].exchange.status, 0);
	ck_assert(client_send(fd, "abc", 3));
	TURN_UNTIL(event_count == 2);
	ck_assert_int_eq(events[1].event, RETORT_ON_BODY);
	assert_bytes(events[1].bytes, events[1].size, "abc", 3);
	ck_assert_int_eq(converse(fd, "def", 3, &got, SIZE_MAX), 0);
	end = the_end(RETORT_ANSWERED, 200);
	ck_assert_uint_eq(event_count, 4);
	assert_bytes(events[2].bytes, events[2].size, "def", 3);
	ck_assert_str_eq(events[3].request, "POST /a?b HTTP/1.1");
	ck_assert_uint_eq(end->connection, 1);
	ck_assert_uint_eq(end->received, sizeof head - 1 + 6);
	ck_assert_uint_eq(end->sent, got.size);
	ck_assert_uint_eq(end->sent_body, 5);
	(void)clock_gettime(CLOCK_REALTIME, &after);
	/* the clock may be set meanwhile */
	ck_assert_int_ge(end->began / RT_SECOND, before.tv_sec - 60);
	ck_assert_int_le(end->began / RT_SECOND, after.tv_sec + 60);
	ck_assert_int_gt(end->duration, 0);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(tells_of_the_client)
{
	struct sockaddr_storage own;
	socklen_t size = sizeof own;
	char text[RT_PEER_TEXT];
	struct rt_peer peer;
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	expect_begin("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 ");
	TURN_UNTIL(ends() == 1);
	fd = connect_client();
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &size), 0);
	rt_sock_peer(&peer, (struct sockaddr *)&own);
	settle();
	(void)close(fd);
	TURN_UNTIL(ends() == 2);
	ck_assert_str_eq(events[event_count - 1].client,
		rt_sock_peer_text(&peer, text));
	ck_assert_uint_eq(events[event_count - 1].exchange.connection, 2);
	close_server();
}
END_TEST

/* Events that came in one piece are told apart all the same. */
START_TEST(tells_head_and_body_apart)
{
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	expect_ok("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
		  "abc",
		"hello");
	(void)the_end(RETORT_ANSWERED, 200);
	ck_assert_uint_eq(event_count, 3);
	ck_assert_int_eq(events[0].event, RETORT_ON_HEAD);
	ck_assert_uint_eq(events[0].size, 47);
	ck_assert_int_eq(events[1].event, RETORT_ON_BODY);
	assert_bytes(events[1].bytes, events[1].size, "abc", 3);
	close_server();
}
END_TEST

START_TEST(tells_of_a_refused_head)
{
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	expect_begin("GET / HTTP/1.1\r\nHost : x\r\n\r\n", "HTTP/1.1 400 ");
	(void)the_end(RETORT_ANSWERED, 400);
	ck_assert_int_eq(events[0].event, RETORT_ON_HEAD);
	ck_assert_str_eq(events[0].request, "GET / HTTP/1.1");
	close_server();
}
END_TEST

START_TEST(ends_closed)
{
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	fd = connect_client();
	settle();
	(void)close(fd);
	ck_assert_uint_eq(the_end(RETORT_CLOSED, 0)->received, 0);
	ck_assert_uint_eq(event_count, 1);
	ck_assert_str_eq(events[0].request, "");
	close_server();
}
END_TEST

START_TEST(ends_reset)
{
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	client_reset(connect_to_big());
	(void)the_end(RETORT_RESET, 200);
	/* one that leaves with bytes unread resets it too */
	event_count = 0;
	(void)close(connect_to_big());
	(void)the_end(RETORT_RESET, 200);
	event_count = 0;
	client_reset(connect_client());
	(void)the_end(RETORT_RESET, 0);
	close_server();
	free(big);
}
END_TEST

START_TEST(ends_timed_out)
{
	const struct retort_exchange *end;
	struct bytes got = {.data = NULL};
	int fd;

	open_recorded((struct retort_options){.write_timeout = 60}, _i);
	answer_big();
	fd = connect_to_big();
	end = the_end(RETORT_TIMED_OUT, 200);
	ck_assert_int_ge(end->duration, 60 * RT_MS);
	ck_assert_uint_lt(end->sent_body, BIG);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), ECONNRESET);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

/* Takes what the sockets hold; whether there was an end. */
static bool
take_all(int fd, struct bytes *got)
{
	static char data[64 << 10];
	ssize_t n;

	while ((n = recv(fd, data, sizeof data, MSG_DONTWAIT)) > 0)
		bytes_add(got, data, (size_t)n);
	ck_assert_msg(n == 0 || errno == EAGAIN, "%s after %zu bytes",
		strerror(errno), got->size);
	return n == 0;
}

/* Progress alone counts: the whole reply may take longer. */
START_TEST(a_slow_reader_is_not_timed_out)
{
	enum { LATE = 100 };
	struct bytes got = {.data = NULL};
	int64_t begun = now_ms();
	int fd;

	open_recorded((struct retort_options){.write_timeout = LATE}, _i);
	answer_big();
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	/* whenever the server looks, there is room again */
	while (!take_all(fd, &got)) {
		(void)step(0);
		if (now_ms() - begun < 3 * LATE)
			(void)poll(NULL, 0, LATE / 2);
	}
	ck_assert_int_ge(now_ms() - begun, 3 * LATE);
	ck_assert_uint_gt(got.size, BIG - (1u << 20));
	(void)the_end(RETORT_ANSWERED, 200);
	bytes_free(&got);
	(void)close(fd);
	close_server();
	free(big);
}
END_TEST

START_TEST(heads_time_out)
{
	struct bytes got = {.data = NULL};
	int64_t begun = now_ms();
	int fd;

	open_recorded((struct retort_options){.head_timeout = 60}, _i);
	answer_text("hello");
	fd = connect_client();
	ck_assert_int_eq(converse(fd, "GET / HTTP", 10, &got, SIZE_MAX), 0);
	ck_assert_int_ge(now_ms() - begun, 60);
	assert_begins(got, "HTTP/1.1 408 Request Timeout\r\n");
	bytes_free(&got);
	(void)close(fd);
	(void)the_end(RETORT_ANSWERED, 408);
	/* without a byte there is nothing to be answered */
	event_count = 0;
	fd = connect_client();
	ck_assert_int_eq(end_of(fd), 0);
	(void)the_end(RETORT_TIMED_OUT, 0);
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(bodies_time_out)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: x\r\n"
				      "Content-Length: 5\r\n\r\nabc";
	struct bytes got = {.data = NULL};
	int64_t begun = now_ms();
	int fd;

	open_recorded((struct retort_options){.body_timeout = 60}, _i);
	answer_text("hello");
	fd = connect_client();
	ck_assert_int_eq(converse(fd, request, sizeof request - 1, &got,
				 SIZE_MAX),
		0);
	ck_assert_int_ge(now_ms() - begun, 60);
	assert_begins(got, "HTTP/1.1 408 Request Timeout\r\n");
	bytes_free(&got);
	(void)close(fd);
	(void)the_end(RETORT_ANSWERED, 408);
	close_server();
}
END_TEST

START_TEST(ends_stopped)
{
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	fd = connect_client();
	ck_assert(client_send_text(fd, "GET"));
	settle();
	stop(0);
	(void)the_end(RETORT_STOPPED, 0);
	ck_assert_int_eq(step(0), 1);
	(void)close(fd);
	close_server();
	/* and by retort_close() */
	open_recorded((struct retort_options){.port = 0}, _i);
	fd = connect_client();
	settle();
	close_server();
	ck_assert_uint_eq(ends(), 1);
	ck_assert_int_eq(events[0].exchange.end, RETORT_STOPPED);
	(void)close(fd);
}
END_TEST

START_TEST(ends_failed)
{
	static char request[30000];
	int fd;

	open_recorded((struct retort_options){.port = 0}, _i);
	answer_text("hello");
	expect_ok(GET, "hello");
	TURN_UNTIL(ends() == 1);
	event_count = 0;
	fd = connect_client();
	settle();
	memset(request, 'a', sizeof request);
	memcpy(request, "GET / HTTP/1.1\r\nX: ", 19);
	ck_assert(client_send(fd, request, sizeof request));
	fail_at = 1;
	fail_ever_after = true;
	(void)the_end(RETORT_FAILED, 0);
	fail_at = 0;
	(void)close(fd);
	/* it closed one connection, and the server lives */
	expect_ok(GET, "hello");
	close_server();
}
END_TEST

static struct {
	int64_t closed; /* us, when the owner has done what it does then */
	int64_t late;   /* us, since the next client was accepted; */
	int64_t most;   /* no more than since then */
	bool accepted;
} times;

/* That a connection is closed takes the owner two milliseconds. */
static void
take_time(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	int64_t began = now_us();

	(void)arg;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_CLOSE && times.closed == 0) {
		while ((times.closed = now_us()) < began + 2000)
			;
	} else if (event == RETORT_ON_ACCEPT && times.closed != 0) {
		times.accepted = true;
		times.late = exchange->duration / 1000;
		times.most = began - times.closed;
	}
}

/* It has come meanwhile, but its time begins when it is accepted. */
START_TEST(the_next_client_has_all_of_its_time)
{
	struct pollfd polled = {.events = POLLIN};
	int64_t replied;
	int next;

	memset(&times, 0, sizeof times);
	open_stepped((struct retort_options){.unrecorded = true,
			     .keep_alive = true,
			     .idle_timeout = 1,
			     .event = take_time,
			     .event_all = true},
		_i);
	answer_text("hello");
	polled.fd = client_connect(retort_url(server));
	ck_assert(client_send_text(polled.fd, GET));
	TURN_UNTIL(poll(&polled, 1, 0) == 1);
	replied = now_us();
	next = client_connect(retort_url(server));
	ck_assert(client_send_text(next, "G"));
	while (now_us() < replied + 2000)
		;
	TURN_UNTIL(times.accepted);
	ck_assert_msg(times.late <= times.most,
		"it had its time for %lld us before it was accepted",
		(long long)(times.late - times.most));
	(void)close(next);
	(void)close(polled.fd);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite;
	const TTest *const happens[] = {tells_what_happens, tells_of_the_client,
		tells_head_and_body_apart, tells_of_a_refused_head, ends_closed,
		ends_reset, ends_timed_out, a_slow_reader_is_not_timed_out,
		heads_time_out, bodies_time_out, ends_stopped, ends_failed,
		the_next_client_has_all_of_its_time, NULL};

	watch_inside();
	way = ways + STEPPED;
	suite = suite_create("events");
	rt_test_cases(suite, "events", happens, 0, BACK_ENDS);
	return rt_test_run(suite);
}
