/* SPDX-License-Identifier: MIT */
/* Sending by the loop: memory, files and datagrams. */
#include "config.h"

#include "unit/io_side.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Everything that the channel's owner sends, read now and then. */
static void
drain_peer(struct side *side, struct bytes *to)
{
	static char data[4096];
	ssize_t n = recv(side->peer, data, sizeof data, MSG_DONTWAIT);

	if (n > 0)
		bytes_add(to, data, (size_t)n);
	else
		ck_assert_msg(n < 0 && errno == EAGAIN, "recv: %zd", n);
}

START_TEST(sends_in_part)
{
	static char pieces[RT_PIECES][30011];
	struct bytes expected = {.data = NULL}, got = {.data = NULL};
	struct rt_op *out;
	struct side side;
	int parts = 0, waits = 0;

	begin(_i, &side);
	limit_buffers(&side, 4096);
	out = &side.chan.out;
	for (size_t i = 0; i < RT_PIECES; i++) {
		for (size_t k = 0; k < sizeof pieces[i]; k++)
			pieces[i][k] = (char)(k * 7 + k / 251 + i);
		bytes_add(&expected, pieces[i], sizeof pieces[i]);
	}
	for (size_t sent = 0; sent < expected.size;) {
		size_t skip = sent;

		out->verb = RT_SEND;
		out->send.count = 0;
		for (size_t i = 0; i < RT_PIECES; i++) {
			size_t size = sizeof pieces[i];

			if (skip < size)
				out->send.pieces[out->send.count++] =
					(struct iovec){pieces[i] + skip,
						size - skip};
			skip -= skip < size ? skip : size;
		}
		out->more = parts % 2 == 0;
		if (rt_io_try(io, &side.chan) == 0) {
			unsigned what;

			wait_for(&side);
			waits++;
			drain_peer(&side, &got);
			/* it may be more before there is room again */
			while (rt_io_sleep(io, 0, RT_NEVER) == 0 &&
				rt_io_next(io, &what) == NULL)
				drain_peer(&side, &got);
			continue;
		}
		ck_assert_int_gt(out->result, 0);
		sent += (size_t)out->result;
		parts++;
	}
	ck_assert_msg(parts > 1 && waits > 0, "%d parts, %d waits", parts,
		waits);
	while (got.size < expected.size)
		drain_peer(&side, &got);
	ck_assert(memcmp(got.data, expected.data, expected.size) == 0);
	bytes_free(&got);
	bytes_free(&expected);
	end(&side);
}
END_TEST

/* The FIN goes with the last bytes, but not before them. */
START_TEST(sends_the_last)
{
	static char large[1 << 20];
	struct bytes got = {.data = NULL};
	struct side side;
	struct rt_op *out = &side.chan.out;

	begin_tcp(_i, &side);
	limit_buffers(&side, 4096);
	want_send(&side, "not the last");
	out->ends = false;
	expect_out(&side, 12);
	ck_assert(!out->ended);
	out->more = out->ends = true;
	out->send.pieces[0] = (struct iovec){large, sizeof large};
	ck_assert_uint_eq(rt_io_try(io, &side.chan), RT_OUT_DONE);
	ck_assert_int_lt(out->result, (int64_t)sizeof large);
	ck_assert(!out->ended);
	while (got.size < 12 + (size_t)out->result)
		drain_peer(&side, &got);
	want_send(&side, "the last");
	out->more = out->ends = true;
	expect_out(&side, 8);
	ck_assert(out->ended);
	ck_assert_int_eq(client_receive(side.peer, &got), 0);
	ck_assert_mem_eq(got.data + got.size - 8, "the last", 8);
	bytes_free(&got);
	end(&side);
}
END_TEST

START_TEST(raises_no_signal)
{
	struct side side;

	(void)signal(SIGPIPE, SIG_DFL);
	begin_tcp(_i, &side);
	reset_peer(&side);
	want_send(&side, "to nobody");
	/* the RST may be on its way still */
	for (int i = 0; i < 100000; i++)
		if (rt_io_try(io, &side.chan) != 0 && side.chan.out.result < 0)
			break;
	ck_assert_int_lt(side.chan.out.result, 0);
	(void)rt_io_try(io, &side.chan);
	ck_assert_int_eq(side.chan.out.result, -EPIPE);
	end(&side);
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

static int
open_file(const char *data, size_t size)
{
	FILE *file = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(file);
	fd = dup(fileno(file));
	ck_assert_int_ge(fd, 0);
	(void)fclose(file);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	return fd;
}

static void
want_file(struct side *side, int fd, uint64_t at, uint64_t size)
{
	side->chan.out.verb = RT_FILE;
	side->chan.out.file.fd = fd;
	side->chan.out.file.at = at;
	side->chan.out.file.size = size;
}

START_TEST(sends_a_file)
{
	enum { SIZE = 3 << 20, AT = 12345 };
	struct bytes got = {.data = NULL};
	char *data = malloc(SIZE);
	struct side side;
	uint64_t at = AT;
	int fd, waits = 0;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i * 31 + i / 509);
	fd = open_file(data, SIZE);
	begin_tcp(_i, &side);
	limit_buffers(&side, 1 << 16);
	while (at < SIZE) {
		/* a hundred bytes of the file are not wanted */
		want_file(&side, fd, at, SIZE - 100 - at);
		if (at == SIZE - 100)
			break;
		if (rt_io_try(io, &side.chan) != 0) {
			ck_assert_int_gt(side.chan.out.result, 0);
			at += (uint64_t)side.chan.out.result;
			continue;
		}
		wait_for(&side);
		waits++;
		for (unsigned what; rt_io_sleep(io, 0, RT_NEVER) == 0 &&
			rt_io_next(io, &what) == NULL;)
			drain_peer(&side, &got);
	}
	ck_assert_uint_eq(at, SIZE - 100);
	side.chan.out.verb = RT_FINISH;
	expect_out(&side, 0);
	ck_assert_int_eq(client_receive(side.peer, &got), 0);
	ck_assert_uint_eq(got.size, SIZE - 100 - AT);
	ck_assert(memcmp(got.data, data + AT, got.size) == 0);
	/* the file's own offset is where it was */
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), SIZE);
	bytes_free(&got);
	free(data);
	(void)close(fd);
	end(&side);
	ck_assert_int_gt(waits, 0);
}
END_TEST

START_TEST(sees_that_a_file_is_shorter)
{
	char got[16];
	struct side side;
	int fd = open_file("0123456789", 10);

	begin(_i, &side);
	want_file(&side, fd, 6, 100);
	expect_out(&side, 4);
	want_file(&side, fd, 10, 96);
	expect_out(&side, 0);
	/* before it is cut: sendfile(2) does not copy */
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 4);
	ck_assert_mem_eq(got, "6789", 4);
	ck_assert_int_eq(ftruncate(fd, 3), 0);
	want_file(&side, fd, 6, 1);
	expect_out(&side, 0);
	/* and a descriptor that is none */
	(void)close(fd);
	want_file(&side, fd, 0, 1);
	expect_out(&side, -EBADF);
	end(&side);
}
END_TEST

/* A file that sendfile(2) cannot send is copied all the same. */
START_TEST(sends_from_a_special_file_system)
{
	struct side side;
	char got[64], expected[64];
	ssize_t size;
	int fd;

	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		skip_test("no /proc");
	size = pread(fd, expected, 5, 0);
	ck_assert_int_eq(size, 5);
	begin(_i, &side);
	want_file(&side, fd, 0, 5);
	expect_out(&side, 5);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 5);
	ck_assert_mem_eq(got, expected, 5);
	(void)close(fd);
	end(&side);
}
END_TEST

START_TEST(sends_a_file_to_nobody)
{
	struct side side;
	int fd = open_file("0123456789", 10);

	/* without sendfile no signal may be raised */
	(void)signal(SIGPIPE, _i / 2 ? SIG_IGN : SIG_DFL);
	begin(_i, &side);
	close_peer(&side);
	want_file(&side, fd, 0, 10);
	expect_out(&side, -EPIPE);
	(void)close(fd);
	end(&side);
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* A socket at a path of its own, or at any port of 127.0.0.1. */
static int
open_datagrams(const char *dir, const char *name, struct rt_address *at)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int family = dir ? AF_UNIX : AF_INET;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (dir != NULL) {
		(void)snprintf(un.sun_path, sizeof un.sun_path, "%.60s/%.20s",
			dir, name);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un),
			0);
	} else {
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in),
			0);
	}
	at->size = sizeof at->name;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at->name,
				 &at->size),
		0);
	return fd;
}

static void
want_datagram(struct side *side, size_t size, struct rt_address *from)
{
	side->chan.in.verb = RT_RECV_FROM;
	side->chan.in.recv.data = side->data;
	side->chan.in.recv.size = size;
	side->chan.in.recv.from = from;
	/* what was before says nothing */
	side->chan.in.recv.truncated = true;
}

static void
want_send_to(struct rt_chan *chan, const char *one, const char *two,
	const struct rt_address *to)
{
	struct rt_op *out = &chan->out;

	out->verb = RT_SEND_TO;
	out->send.count = 2;
	out->send.pieces[0].iov_base = (char *)(uintptr_t)one;
	out->send.pieces[0].iov_len = strlen(one);
	out->send.pieces[1].iov_base = (char *)(uintptr_t)two;
	out->send.pieces[1].iov_len = strlen(two);
	out->send.to = to;
}

/* Of each: its size, and what a room of 8 bytes makes of it. */
START_TEST(receives_datagrams)
{
	static const struct {
		const char *sent;
		int64_t size;
		bool truncated;
	} cases[] = {
		{"abc", 3, false},
		{"", 0, false},
		{"12345678", 8, false},
		{"123456789", 8, true},
		{"d", 1, false},
	};
	struct rt_address at, from, mine;
	struct side side;

	open_io(_i);
	rt_chan_init(&side.chan, open_datagrams(NULL, NULL, &at), 0);
	side.peer = open_datagrams(NULL, NULL, &mine);
	want_datagram(&side, 8, &from);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	expect_quiet();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ck_assert_int_eq(sendto(side.peer, cases[i].sent,
					 strlen(cases[i].sent), 0,
					 (struct sockaddr *)&at.name, at.size),
			(ssize_t)strlen(cases[i].sent));
		expect_ready(&side, 0);
		want_datagram(&side, 8, &from);
		memset(&from, 0xa5, sizeof from);
		expect_in(&side, cases[i].size);
		ck_assert_mem_eq(side.data, cases[i].sent,
			(size_t)cases[i].size);
		ck_assert_msg(side.chan.in.recv.truncated == cases[i].truncated,
			"%zu: truncated: %d", i, side.chan.in.recv.truncated);
		ck_assert_uint_eq(from.size, mine.size);
		ck_assert_mem_eq(&from.name, &mine.name, mine.size);
		ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
		wait_for(&side);
	}
	end(&side);
}
END_TEST

/* Who has no address is told from who has one. */
START_TEST(receives_from_nobody)
{
	struct rt_address at, from;
	char *dir = dir_make();
	struct side side;

	open_io(_i);
	rt_chan_init(&side.chan, open_datagrams(dir, "a", &at), 0);
	side.peer = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(sendto(side.peer, "x", 1, 0,
				 (struct sockaddr *)&at.name, at.size),
		1);
	memset(&from, 0xa5, sizeof from);
	want_datagram(&side, 8, &from);
	expect_in(&side, 1);
	ck_assert_msg(from.size <= sizeof from.name.ss_family,
		"an address of %u bytes", (unsigned)from.size);
	ck_assert_int_eq(from.name.ss_family, AF_UNSPEC);
	end(&side);
	dir_remove(dir);
}
END_TEST

START_TEST(sends_datagrams)
{
	struct rt_address at, to;
	struct side side;
	char got[16];

	open_io(_i);
	rt_chan_init(&side.chan, open_datagrams(NULL, NULL, &at), 0);
	side.peer = open_datagrams(NULL, NULL, &to);
	/* the pieces are one datagram, and may be empty */
	want_send_to(&side.chan, "ab", "cde", &to);
	expect_out(&side, 5);
	ck_assert_int_eq(client_wait(side.peer, RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 5);
	ck_assert_mem_eq(got, "abcde", 5);
	want_send_to(&side.chan, "", "", &to);
	expect_out(&side, 0);
	ck_assert_int_eq(client_wait(side.peer, RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 0);
	end(&side);
}
END_TEST

/* Nothing tells when it has room again: the owner is told. */
START_TEST(a_full_peer_is_a_result)
{
	struct rt_address at, to;
	char *dir = dir_make();
	struct side side;
	char got[16];
	int sent = 0;

	open_io(_i);
	rt_chan_init(&side.chan, open_datagrams(dir, "a", &at), 0);
	side.peer = open_datagrams(dir, "b", &to);
	want_send_to(&side.chan, "x", "", &to);
	for (;;) {
		ck_assert_uint_eq(rt_io_try(io, &side.chan), RT_OUT_DONE);
		if (side.chan.out.result != 1)
			break;
		ck_assert_int_lt(++sent, 1000000);
	}
	ck_assert_int_eq(side.chan.out.result, -EAGAIN);
	ck_assert_int_gt(sent, 0);
	/* it is not taken for blocked: it may be tried at any time */
	expect_out(&side, -EAGAIN);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 1);
	expect_out(&side, 1);
	expect_out(&side, -EAGAIN);
	/* nobody is there any more */
	close_peer(&side);
	expect_out(&side, -ECONNREFUSED);
	dir_remove(dir);
	want_send_to(&side.chan, "x", "", &to);
	expect_out(&side, -ENOENT);
	end(&side);
}
END_TEST

/* Another channel of the same descriptor: it waits for time alone, and the
   descriptor stays when it leaves. */
START_TEST(a_shared_channel)
{
	struct rt_address at, from, mine;
	struct rt_chan shared[2];
	struct side side;
	unsigned what;

	open_io(_i);
	rt_chan_init(&side.chan, open_datagrams(NULL, NULL, &at), 0);
	side.peer = open_datagrams(NULL, NULL, &mine);
	want_datagram(&side, 8, &from);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	for (int i = 0; i < 2; i++) {
		rt_chan_init(shared + i, side.chan.fd, 1);
		shared[i].shared = true;
		shared[i].deadline = in_ms(40);
		ck_assert_int_eq(rt_io_wait(io, shared + i), 0);
	}
	/* what comes is the other's */
	ck_assert_int_eq(sendto(side.peer, "x", 1, 0,
				 (struct sockaddr *)&at.name, at.size),
		1);
	expect_ready(&side, 0);
	expect_in(&side, 1);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	for (int i = 0; i < 2; i++) {
		struct rt_chan *chan = next_ready(&what);

		ck_assert_uint_eq(what, RT_EXPIRED);
		ck_assert(chan == shared || chan == shared + 1);
		ck_assert_int_ge(rt_io_now(io), chan->deadline);
		want_send_to(chan, "later", "", &mine);
		ck_assert_uint_eq(rt_io_try(io, chan), RT_OUT_DONE);
		ck_assert_int_eq(chan->out.result, 5);
		rt_io_drop(io, chan);
		ck_assert_int_eq(chan->fd, -1);
	}
	ck_assert_int_ge(fcntl(side.chan.fd, F_GETFD), 0);
	expect_quiet();
	/* one that leaves while it sleeps leaves the other's interest alone */
	rt_chan_init(shared, side.chan.fd, 1);
	shared->shared = true;
	shared->deadline = in_ms(60000);
	ck_assert_int_eq(rt_io_wait(io, shared), 0);
	rt_io_drop(io, shared);
	ck_assert_int_eq(sendto(side.peer, "y", 1, 0,
				 (struct sockaddr *)&at.name, at.size),
		1);
	expect_ready(&side, 0);
	expect_in(&side, 1);
	/* and without a deadline it sleeps, whatever comes */
	rt_chan_init(shared, side.chan.fd, 1);
	shared->shared = true;
	ck_assert_int_eq(rt_io_wait(io, shared), 0);
	expect_quiet();
	rt_io_drop(io, shared);
	end(&side);
}
END_TEST

/* Until all that was sent has left: then what follows is not joined to it. */
START_TEST(flushes)
{
	struct side sides[2];

	open_io(_i);
	open_tcp_side(&sides[0]);
	open_side(&sides[1]);
	for (size_t i = 0; i < COUNT_OF(sides); i++) {
		struct side *side = &sides[i];
		struct bytes got = {.data = NULL};
		int64_t until = patience();

		want_send(side, "abc");
		expect_out(side, 3);
		side->chan.out.verb = RT_FLUSH;
		do {
			ck_assert_msg(rt_io_clock(io) < until,
				"what was sent did not leave");
			ck_assert_int_eq(rt_io_try(io, &side->chan),
				RT_OUT_DONE);
		} while (side->chan.out.result == -EAGAIN);
		ck_assert_int_eq(side->chan.out.result, 0);
		client_expect(side->peer, &got, "abc");
		bytes_free(&got);
		close_side(side);
	}
	rt_io_close(io);
}
END_TEST

/* To a peer that takes nothing it stays unsent: a result at once, each time. */
START_TEST(a_flush_that_must_wait)
{
#ifdef HAVE_LINUX_SOCKIOS_H
	static char block[1 << 16];
	struct pollfd full = {.events = POLLOUT};
	struct side side;
	int64_t until;

	begin_tcp(_i, &side);
	until = patience();
	/* what was sent may leave yet, until the peer takes no more */
	full.fd = side.chan.fd;
	do
		while (send(full.fd, block, sizeof block, MSG_DONTWAIT) > 0)
			;
	while (poll(&full, 1, 100) > 0);
	side.chan.out.verb = RT_FLUSH;
	for (int i = 0; i < 3; i++)
		expect_out(&side, -EAGAIN);
	/* once it takes all of it, it has left */
	for (;;) {
		ck_assert_int_eq(rt_io_try(io, &side.chan), RT_OUT_DONE);
		if (side.chan.out.result == 0)
			break;
		ck_assert_int_eq(side.chan.out.result, -EAGAIN);
		ck_assert_msg(rt_io_clock(io) < until, "it never left");
		if (client_wait(side.peer, 1) == 0)
			ck_assert_int_gt(recv(side.peer, block, sizeof block,
						 MSG_DONTWAIT),
				0);
	}
	end(&side);
#endif
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("io_send");
	const TTest *const sending[] = {flushes, a_flush_that_must_wait,
		sends_in_part, sends_the_last, raises_no_signal, NULL};
	const TTest *const datagrams[] = {receives_datagrams,
		receives_from_nobody, sends_datagrams, a_full_peer_is_a_result,
		a_shared_channel, NULL};
	const TTest *const files[] = {sends_a_file, sees_that_a_file_is_shorter,
		sends_from_a_special_file_system, sends_a_file_to_nobody, NULL};

	add_ways(suite, "sending", sending, BACK_ENDS);
	add_ways(suite, "datagrams", datagrams, BACK_ENDS);
	add_ways(suite, "files", files, WAYS);
	return rt_test_run(suite);
}
