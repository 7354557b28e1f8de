/* SPDX-License-Identifier: MIT */
/*
 * Clients that send everything before they read, as most do, get to see why
 * they were refused, whatever they had to send; and who reads late is waited
 * for.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than sockets hold, and than was once drained. */
#define UPLOAD (40u << 20)

/* Sends this many bytes, whatever arrives meanwhile. */
static void
upload(int fd, size_t size)
{
	static const char block[64 << 10];
	int64_t until = now_ms() + PATIENCE;

	while (size > 0) {
		size_t most = size < sizeof block ? size : sizeof block;
		ssize_t n = send(fd, block, most, MSG_NOSIGNAL | MSG_DONTWAIT);

		ck_assert_msg(n >= 0 || errno == EAGAIN,
			"%s: %s, with %zu bytes to be sent", way->name,
			strerror(errno), size);
		ck_assert_int_lt(now_ms(), until);
		if (n > 0)
			size -= (size_t)n;
		else
			turn(fd, POLLOUT, 100);
	}
}

static void
open_limited(int i)
{
	open_with((struct retort_options){.max_body = 1000}, i);
	ON("/", .status = 201);
}

static const struct {
	const char *head;
	const char *reply;
} refused[] = {
	{"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 41943040\r\n\r\n",
		"HTTP/1.1 413 "},
	{"PUT / HTTP/1.1\r\nContent-Length: 41943040\r\n\r\n", "HTTP/1.1 400 "},
	{"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "ffffffff\r\n",
		"HTTP/1.1 413 "},
	{"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "zz\r\n",
		"HTTP/1.1 400 "},
};

START_TEST(everything_is_sent_first)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct bytes got = {.data = NULL};
		int fd;

		open_limited(_i);
		fd = connect_client();
		say(fd, refused[i].head);
		upload(fd, UPLOAD);
		ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
		assert_begins(got, refused[i].reply);
		(void)shutdown(fd, SHUT_WR);
		(void)close(fd);
		ck_assert_int_eq(ended(1)->end, RETORT_ANSWERED);
		ck_assert(!ended(1)->still_sending);
		ck_assert_uint_ge(ended(1)->received, UPLOAD);
		bytes_free(&got);
		close_server();
	}
}
END_TEST

START_TEST(an_upload_that_is_cut_off_is_told)
{
	const struct retort_exchange *seen;
	char line[4096];
	int fd;

	open_limited(_i);
	fd = connect_client();
	say(fd, refused[2].head);
	upload(fd, UPLOAD);
	TURN_UNTIL(retort_stats(server).replies == 1);
	ck_assert_ptr_null(finish(0));
	seen = retort_record(server, 1);
	ck_assert_int_eq(seen->end, RETORT_ANSWERED);
	ck_assert(seen->still_sending);
	(void)retort_log_line(seen, RETORT_LOG_SHORT, line, sizeof line);
	ck_assert_msg(strstr(line, " ms (the client was still sending)\n"),
		"%s", line);
	(void)retort_log_line(seen, RETORT_LOG_JSON, line, sizeof line);
	ck_assert_msg(strstr(line, ",\"still_sending\":true}\n"), "%s", line);
	(void)close(fd);
	close_server();
}
END_TEST

/* Who takes nothing has the time of the reply, and not that of the others. */
START_TEST(phases_have_times_of_their_own)
{
	static char body[16 << 20];
	struct bytes got = {.data = NULL};
	int64_t began;
	int fd;

	open_with((struct retort_options){.head_timeout = 50,
			  .body_timeout = 50,
			  .write_timeout = 400},
		_i);
	ON("/", .body = body, .body_size = sizeof body, .borrowed = true);
	began = now_ms();
	fd = connect_saying("GET / HTTP/1.0\r\n\r\n");
	TURN_UNTIL(retort_stats(server).replies == 1);
	ck_assert_int_eq(ended(1)->end, RETORT_TIMED_OUT);
	ck_assert_int_ge(now_ms() - began, 350);
	(void)close(fd);
	fd = connect_saying(
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	assert_begins(got, "HTTP/1.1 408 ");
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

/* The client says more after its request was read, before there is a reply. */
static int
say_more(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)exchange;
	(void)reply;
	say(*(int *)arg, "\r\n");
	return 0;
}

/* A close(2) that leaves bytes unread resets the connection, and a reply that no
   FIN came after is lost. */
START_TEST(what_comes_at_the_end_loses_no_reply)
{
	static char body[30000];
	struct bytes got = {.data = NULL};
	int fd;

	memset(body, 'a', sizeof body);
	open_with((struct retort_options){.unrecorded = true}, _i);
	ON("/", .handler = say_more, .handler_arg = &fd, .body = body,
		.body_size = sizeof body);
	fd = connect_client();
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	TURN_UNTIL(retort_stats(server).replies == 1);
	/* by a FIN, or a reset after all of it */
	(void)talk(fd, "", 0, &got, NULL);
	assert_begins(got, "HTTP/1.1 200 ");
	ck_assert_msg(got.size > sizeof body &&
			memcmp(got.data + got.size - sizeof body, body,
				sizeof body) == 0,
		"expected a head and %zu bytes, got %zu bytes: %.300s",
		sizeof body, got.size, (char *)got.data);
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

static _Atomic(bool) finished;

static void
note_fin(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	(void)arg;
	(void)exchange;
	(void)bytes;
	(void)size;
	if (event == RETORT_ON_SERVER_FIN)
		finished = true;
}

/* A client whose system takes little before it reads. */
static int
connect_small(void)
{
	const int room = 4096;
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)retort_listener(server).port);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room,
				 sizeof room),
		0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* What the server has sent waits in its kernel when the client says more; on a
   kept connection it may be an earlier reply. */
static const struct {
	const char *request;
	char last;        /* byte of the last reply */
	int idle_timeout; /* ends a kept connection; 0: the client does */
} large[] = {
	{"GET /large HTTP/1.1\r\nHost: a\r\n\r\n", 'l', 0},
	{"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
	 "GET /small HTTP/1.0\r\n\r\n",
		's', 0},
	{"GET /large HTTP/1.1\r\nHost: a\r\n\r\n", 'l', 20},
};

START_TEST(what_comes_after_the_fin_loses_no_reply)
{
	static char body[30000];

	memset(body, 'l', sizeof body);
	for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
		struct bytes got = {.data = NULL};
		int fd, end;

		finished = false;
		open_with((struct retort_options){.unrecorded = true,
				  .keep_alive = i > 0,
				  .idle_timeout = large[i].idle_timeout,
				  .event = note_fin,
				  .event_all = true},
			_i);
		ON("/large", .body = body, .body_size = sizeof body);
		ON("/small", .body = "s");
		fd = connect_small();
		say(fd, large[i].request);
		TURN_UNTIL(finished);
		say(fd, "\r\n");
		end = talk(fd, "", 0, &got, NULL);
		ck_assert_msg(end == 0 && got.size > sizeof body &&
				got.data[got.size - 1] == large[i].last,
			"expected a head, %zu bytes, '%c' and a FIN after %s,"
			" got %zu bytes and %s",
			sizeof body, large[i].last, large[i].request, got.size,
			end == 0 ? "a FIN" : strerror(end));
		bytes_free(&got);
		(void)close(fd);
		close_server();
	}
}
END_TEST

static bool
is_open(const struct stat *file)
{
	struct stat status;

	for (int fd = 0; fd < 256; fd++)
		if (fstat(fd, &status) == 0 && status.st_dev == file->st_dev &&
			status.st_ino == file->st_ino)
			return true;
	return false;
}

/* A client that stays after all was sent does not hold the file. */
START_TEST(a_file_is_closed_before_the_client)
{
	char *dir = dir_make(), path[300];
	struct bytes got = {.data = NULL};
	struct stat file;
	int fd;

	finished = false;
	(void)snprintf(path, sizeof path, "%s/large", dir);
	dir_write(dir, "large", "x", 1);
	ck_assert_int_eq(truncate(path, 1 << 20), 0);
	ck_assert_int_eq(stat(path, &file), 0);
	open_with((struct retort_options){.unrecorded = true,
			  .event = note_fin,
			  .event_all = true},
		_i);
	ON("/", .file = path);
	fd = connect_client();
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_int_eq(talk(fd, "", 0, &got, NULL), 0);
	ck_assert_uint_gt(got.size, 1u << 20);
	TURN_UNTIL(finished);
	ck_assert_uint_eq(retort_stats(server).connections, 1);
	ck_assert(!is_open(&file));
	bytes_free(&got);
	(void)close(fd);
	close_server();
	dir_remove(dir);
}
END_TEST

/* Who takes a little at a time, less than makes room for more, has the time of
   the reply again and again. */
START_TEST(a_slow_client_takes_all)
{
	enum { LATE = 1000 };
	static char body[4 << 20], data[2000];
	struct bytes got = {.data = NULL};
	int64_t began;
	int fd, end;

	open_with((struct retort_options){.write_timeout = LATE}, _i);
	ON("/", .body = body, .body_size = sizeof body, .borrowed = true);
	began = now_ms();
	fd = connect_small();
	say(fd, "GET / HTTP/1.0\r\n\r\n");
	while (now_ms() - began < LATE + LATE / 2) {
		ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);

		ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN),
			"%s after %zu bytes, with %d ms for each",
			n == 0 ? "a FIN" : strerror(errno), got.size, LATE);
		if (n > 0)
			bytes_add(&got, data, (size_t)n);
		turn(-1, 0, LATE / 50);
	}
	end = talk(fd, "", 0, &got, NULL);
	ck_assert_msg(end == 0 && got.size > sizeof body,
		"expected a head, %zu bytes and a FIN, got %zu bytes and %s",
		sizeof body, got.size, end == 0 ? "a FIN" : strerror(end));
	bytes_free(&got);
	(void)close(fd);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("drain");
	TCase *tcase = tcase_create("uploads");

	rt_test_loop(tcase, everything_is_sent_first, 0, WAYS);
	rt_test_loop(tcase, an_upload_that_is_cut_off_is_told, 0, WAYS);
	rt_test_loop(tcase, what_comes_at_the_end_loses_no_reply, 0,
		BASIC_WAYS);
	rt_test_loop(tcase, what_comes_after_the_fin_loses_no_reply, 0,
		BASIC_WAYS);
	rt_test_loop(tcase, a_file_is_closed_before_the_client, 0, BASIC_WAYS);
	rt_test_case(suite, tcase);
	tcase = tcase_create("times");
	rt_test_loop(tcase, phases_have_times_of_their_own, 0, BASIC_WAYS);
#ifdef HAVE_STRUCT_TCP_INFO_TCPI_LAST_DATA_SENT
	rt_test_loop(tcase, a_slow_client_takes_all, 0, BASIC_WAYS);
#endif
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
