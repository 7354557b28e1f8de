/* SPDX-License-Identifier: MIT */
/*
 * Tests of the loop (io.h): each on both back ends, over socket pairs and
 * loopback connections.
 */
#include "config.h"

#include "harness.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* The loop index of a test: the back end, and whether sendfile is used. */
#define BACK_ENDS 2
#define WAYS 4

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static struct rt_io *io;

static void
open_io(int way)
{
	enum retort_io back_end = way % 2 ? RETORT_IO_POLL : RETORT_IO_EPOLL;
	int error = rt_io_open(&io, back_end, way / 2 != 0);

	ck_assert_msg(error == 0, "rt_io_open: %s", strerror(-error));
	ck_assert_str_eq(io->back_end->name, way % 2 ? "poll" : "epoll");
}

/* A channel on one end of a socket pair, and the other end. */
struct side {
	struct rt_chan chan;
	int peer;
	char data[64];
};

static void
open_side(struct side *side)
{
	int pair[2];

	ck_assert_int_eq(rt_sock_pair(pair), 0);
	rt_chan_init(&side->chan, pair[0], 0);
	side->peer = pair[1];
}

/* The same over TCP, where a FIN and a RST are what they are on the wire. */
static void
open_tcp_side(struct side *side)
{
	static const char *const spec[] = {"127.0.0.1"};
	struct rt_sock socks[2];
	int fd;

	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, spec, 1, 0, 0,
				 NULL),
		1);
	side->peer = client_connect(socks[0].url);
	ck_assert_int_eq(client_wait(socks[0].fd, RT_TEST_PATIENCE * 1000), 0);
	fd = accept(socks[0].fd, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	rt_sock_close(&socks[0]);
	rt_chan_init(&side->chan, fd, 0);
}

/* So that no host holds a great deal between the two. */
static void
limit_buffers(const struct side *side, int size)
{
	ck_assert_int_eq(setsockopt(side->chan.fd, SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof size),
		0);
	ck_assert_int_eq(setsockopt(side->peer, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof size),
		0);
}

static void
close_peer(struct side *side)
{
	if (side->peer >= 0)
		(void)close(side->peer);
	side->peer = -1;
}

static void
close_side(struct side *side)
{
	rt_io_drop(io, &side->chan);
	ck_assert_int_eq(side->chan.fd, -1);
	close_peer(side);
}

static void
reset_peer(struct side *side)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	ck_assert_int_eq(setsockopt(side->peer, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof at_once),
		0);
	close_peer(side);
}

static void
want_recv(struct side *side, size_t size)
{
	side->chan.in.verb = RT_RECV;
	side->chan.in.recv.data = side->data;
	side->chan.in.recv.size = size;
}

static void
want_send(struct side *side, const char *text)
{
	struct rt_op *out = &side->chan.out;

	out->verb = RT_SEND;
	out->more = false;
	out->send.count = 1;
	out->send.pieces[0].iov_base = (char *)(uintptr_t)text;
	out->send.pieces[0].iov_len = strlen(text);
}

static void
put(struct side *side, const char *text)
{
	ck_assert(client_send_text(side->peer, text));
}

static void
wait_for(struct side *side)
{
	ck_assert_int_eq(rt_io_wait(io, &side->chan), 0);
}

static int64_t
in_ms(int ms)
{
	return rt_io_clock(io) + ms * RT_MS;
}

static int64_t
patience(void)
{
	return in_ms(RT_TEST_PATIENCE * 1000);
}

/* The next ready channel, waited for; fails when there is none. */
static struct rt_chan *
next_ready(unsigned *what)
{
	int64_t until = patience();
	struct rt_chan *chan;

	while ((chan = rt_io_next(io, what)) == NULL) {
		ck_assert_msg(rt_io_clock(io) < until, "no channel is ready");
		ck_assert_int_eq(rt_io_sleep(io, until), 0);
	}
	return chan;
}

static void
expect_ready(struct side *side, unsigned expected)
{
	unsigned what;

	ck_assert_ptr_eq(next_ready(&what), &side->chan);
	ck_assert_msg(what == expected, "expected %u, got %u", expected, what);
}

/* Nothing is ready for some ms; and this is slept, not spun. */
static void
expect_quiet(void)
{
	int64_t until = in_ms(30);
	unsigned what;

	ck_assert_int_eq(rt_io_sleep(io, until), 0);
	ck_assert_ptr_null(rt_io_next(io, &what));
	ck_assert_msg(rt_io_now(io) >= until,
		"woke %lld ns early with nothing to do",
		(long long)(until - rt_io_now(io)));
}

static void
expect_in(struct side *side, int64_t result)
{
	unsigned did = rt_io_try(io, &side->chan);

	ck_assert_msg(did == RT_IN_DONE, "expected an end inward, got %u", did);
	ck_assert_msg(side->chan.in.result == result, "expected %lld, got %lld",
		(long long)result, (long long)side->chan.in.result);
}

static void
expect_out(struct side *side, int64_t result)
{
	unsigned did = rt_io_try(io, &side->chan);

	ck_assert_msg(did == RT_OUT_DONE, "expected an end outward, got %u",
		did);
	ck_assert_msg(side->chan.out.result == result,
		"expected %lld, got %lld", (long long)result,
		(long long)side->chan.out.result);
}

/* --- one operation --- */

START_TEST(receives)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	want_recv(&side, sizeof side.data);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	put(&side, "abc");
	expect_ready(&side, 0);
	expect_in(&side, 3);
	ck_assert_mem_eq(side.data, "abc", 3);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	expect_quiet();
	put(&side, "d");
	expect_ready(&side, 0);
	expect_in(&side, 1);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(receives_what_is_there_without_waiting)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	put(&side, "abcde");
	want_recv(&side, 2);
	expect_in(&side, 2);
	expect_in(&side, 2);
	expect_in(&side, 1);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	/* a short receive may hide a FIN: it is found by waiting */
	wait_for(&side);
	close_peer(&side);
	expect_ready(&side, 0);
	expect_in(&side, 0);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(receives_a_fin_and_a_reset)
{
	struct side side;

	open_io(_i);
	open_tcp_side(&side);
	want_recv(&side, sizeof side.data);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	ck_assert_int_eq(shutdown(side.peer, SHUT_WR), 0);
	expect_ready(&side, 0);
	expect_in(&side, 0);
	close_side(&side);

	open_tcp_side(&side);
	want_recv(&side, sizeof side.data);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	reset_peer(&side);
	expect_ready(&side, 0);
	expect_in(&side, -ECONNRESET);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(tries_outward_first)
{
	struct side side;
	char got[8];

	open_io(_i);
	open_side(&side);
	put(&side, "in");
	want_recv(&side, sizeof side.data);
	want_send(&side, "out");
	expect_out(&side, 3);
	side.chan.out.verb = RT_NOTHING;
	expect_in(&side, 2);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 3);
	ck_assert_mem_eq(got, "out", 3);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(waits_in_both_directions)
{
	static char filling[4096];
	struct side side;
	unsigned what;

	open_io(_i);
	open_side(&side);
	while (send(side.chan.fd, filling, sizeof filling, MSG_NOSIGNAL) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	want_recv(&side, sizeof side.data);
	want_send(&side, "out");
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	expect_quiet();
	put(&side, "in");
	expect_ready(&side, 0);
	expect_in(&side, 2);
	wait_for(&side);
	expect_quiet();
	while (recv(side.peer, filling, sizeof filling, 0) > 0)
		;
	ck_assert_ptr_eq(next_ready(&what), &side.chan);
	expect_out(&side, 3);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(accepts)
{
	static const char *const specs[] = {"127.0.0.1"};
	struct rt_sock socks[2];
	struct side side = {.peer = -1};
	char text[RT_PEER_TEXT], expected[RT_PEER_TEXT];
	struct sockaddr_storage own;
	socklen_t size = sizeof own;
	struct rt_peer peer;
	int fd, client;

	open_io(_i);
	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, specs, 1, 0, 0,
				 NULL),
		1);
	rt_chan_init(&side.chan, socks[0].fd, 7);
	ck_assert_int_eq(side.chan.kind, 7);
	side.chan.in.verb = RT_ACCEPT;
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	client = client_connect(socks[0].url);
	expect_ready(&side, 0);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), RT_IN_DONE);
	fd = (int)side.chan.in.result;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&own, &size),
		0);
	rt_sock_peer(&peer, (struct sockaddr *)&own);
	ck_assert_str_eq(rt_sock_peer_text(&side.chan.in.peer, text),
		rt_sock_peer_text(&peer, expected));
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	(void)close(fd);
	(void)close(client);
	rt_io_release(io, &side.chan);
	rt_sock_close(&socks[0]);
	rt_io_close(io);
}
END_TEST

START_TEST(finishes)
{
	struct side side;
	char got;

	open_io(_i);
	open_tcp_side(&side);
	side.chan.out.verb = RT_FINISH;
	expect_out(&side, 0);
	ck_assert_int_eq(recv(side.peer, &got, 1, 0), 0);
	/* the other way is open still */
	put(&side, "a");
	side.chan.out.verb = RT_NOTHING;
	want_recv(&side, 8);
	wait_for(&side);
	expect_ready(&side, 0);
	expect_in(&side, 1);
	close_side(&side);

	side.peer = -1;
	rt_chan_init(&side.chan, socket(AF_INET, SOCK_STREAM, 0), 0);
	side.chan.out.verb = RT_FINISH;
	expect_out(&side, -ENOTCONN);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(leaves_endings_to_the_owner)
{
	struct side side;
	char got;

	open_io(_i);
	open_side(&side);
	side.chan.out.verb = RT_CLOSE;
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	side.chan.out.verb = RT_RESET;
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	ck_assert_int_eq(recv(side.peer, &got, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* --- nothing under way --- */

START_TEST(nothing_never_spins)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	put(&side, "data that nobody wants yet");
	wait_for(&side);
	expect_quiet();
	expect_quiet();
	/* nor after it was wanted */
	want_recv(&side, 4);
	wait_for(&side);
	expect_ready(&side, 0);
	expect_in(&side, 4);
	side.chan.in.verb = RT_NOTHING;
	wait_for(&side);
	expect_quiet();
	want_recv(&side, sizeof side.data);
	wait_for(&side);
	expect_ready(&side, 0);
	expect_in(&side, 22);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(nothing_sees_a_hang_up)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	wait_for(&side);
	expect_quiet();
	close_peer(&side);
	expect_ready(&side, RT_BROKEN);
	close_side(&side);

	open_tcp_side(&side);
	wait_for(&side);
	expect_quiet();
	reset_peer(&side);
	expect_ready(&side, RT_BROKEN);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(a_fin_is_no_hang_up)
{
	struct side side;

	open_io(_i);
	open_tcp_side(&side);
	wait_for(&side);
	ck_assert_int_eq(shutdown(side.peer, SHUT_WR), 0);
	expect_quiet();
	expect_quiet();
	/* until both ways are closed */
	side.chan.out.verb = RT_FINISH;
	expect_out(&side, 0);
	side.chan.out.verb = RT_NOTHING;
	wait_for(&side);
	expect_ready(&side, RT_BROKEN);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(an_operation_finds_the_hang_up_out)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	want_recv(&side, sizeof side.data);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	close_peer(&side);
	expect_ready(&side, 0);
	expect_in(&side, 0);
	side.chan.in.verb = RT_NOTHING;
	want_send(&side, "too late");
	expect_out(&side, -EPIPE);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* --- deadlines --- */

START_TEST(expires_and_not_before)
{
	struct side side;
	unsigned what;

	open_io(_i);
	open_side(&side);
	want_recv(&side, sizeof side.data);
	side.chan.deadline = in_ms(40);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	ck_assert_int_eq(rt_io_deadline(io), side.chan.deadline);
	expect_ready(&side, RT_EXPIRED);
	ck_assert_int_ge(rt_io_now(io), side.chan.deadline);
	/* it has not gone: waiting for it again returns it again */
	wait_for(&side);
	expect_ready(&side, RT_EXPIRED);
	/* and is over when the owner says so */
	side.chan.deadline = RT_NEVER;
	wait_for(&side);
	expect_quiet();
	ck_assert_ptr_null(rt_io_next(io, &what));
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(a_sleep_ends_at_the_earliest)
{
	struct side late, soon;
	int64_t deadline;

	open_io(_i);
	open_side(&late);
	open_side(&soon);
	late.chan.deadline = patience();
	soon.chan.deadline = deadline = in_ms(30);
	wait_for(&late);
	wait_for(&soon);
	expect_ready(&soon, RT_EXPIRED);
	ck_assert_int_ge(rt_io_now(io), deadline);
	ck_assert_int_lt(rt_io_now(io), late.chan.deadline);
	soon.chan.deadline = RT_NEVER;
	wait_for(&soon);
	/* one that is moved forward counts from then on */
	late.chan.deadline = deadline = in_ms(20);
	wait_for(&late);
	expect_ready(&late, RT_EXPIRED);
	ck_assert_int_ge(rt_io_now(io), deadline);
	/* and of one that is moved back the old one does not */
	late.chan.deadline = RT_NEVER;
	soon.chan.deadline = in_ms(10);
	wait_for(&soon);
	soon.chan.deadline = deadline = in_ms(40);
	wait_for(&soon);
	expect_ready(&soon, RT_EXPIRED);
	ck_assert_int_ge(rt_io_now(io), deadline);
	close_side(&late);
	close_side(&soon);
	rt_io_close(io);
}
END_TEST

START_TEST(expires_while_ready)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	want_recv(&side, sizeof side.data);
	side.chan.deadline = rt_io_clock(io);
	put(&side, "a");
	wait_for(&side);
	expect_ready(&side, RT_EXPIRED);
	expect_in(&side, 1);
	close_side(&side);

	open_side(&side);
	side.chan.deadline = rt_io_clock(io);
	close_peer(&side);
	wait_for(&side);
	expect_ready(&side, RT_EXPIRED | RT_BROKEN);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(without_deadline_until_counts)
{
	struct side side;
	int64_t until;

	open_io(_i);
	ck_assert_int_eq(rt_io_deadline(io), RT_NEVER);
	until = in_ms(25);
	ck_assert_int_eq(rt_io_sleep(io, until), 0);
	ck_assert_int_ge(rt_io_now(io), until);
	/* one that has passed: does not sleep, but looks */
	open_side(&side);
	want_recv(&side, sizeof side.data);
	put(&side, "a");
	wait_for(&side);
	ck_assert_int_eq(rt_io_deadline(io), RT_NEVER);
	ck_assert_int_eq(rt_io_sleep(io, 0), 0);
	/* what is ready already is due now */
	ck_assert_int_le(rt_io_deadline(io), rt_io_clock(io));
	expect_ready(&side, 0);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(milliseconds_round_up)
{
	ck_assert_int_eq(rt_io_ms(-1), -1);
	ck_assert_int_eq(rt_io_ms(INT64_MIN), -1);
	ck_assert_int_eq(rt_io_ms(0), 0);
	ck_assert_int_eq(rt_io_ms(1), 1);
	ck_assert_int_eq(rt_io_ms(RT_MS - 1), 1);
	ck_assert_int_eq(rt_io_ms(RT_MS), 1);
	ck_assert_int_eq(rt_io_ms(RT_MS + 1), 2);
	ck_assert_int_eq(rt_io_ms(INT_MAX * RT_MS - 1), INT_MAX);
	ck_assert_int_eq(rt_io_ms(INT_MAX * RT_MS), INT_MAX);
	ck_assert_int_eq(rt_io_ms(INT_MAX * RT_MS + 1), INT_MAX);
	ck_assert_int_eq(rt_io_ms(INT64_MAX), INT_MAX);
}
END_TEST

/* --- many --- */

#define MANY (3 * RT_READY_MAX + 8)

static struct side many[MANY];
static int seen[MANY];

static void
open_many(size_t count)
{
	need_descriptors(3 * (unsigned)count);
	for (size_t i = 0; i < count; i++)
		open_side(many + i);
	memset(seen, 0, sizeof seen);
}

static void
close_many(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (many[i].chan.fd >= 0)
			close_side(many + i);
}

static size_t
index_of(const struct rt_chan *chan)
{
	size_t i = 0;

	while (i < MANY && chan != &many[i].chan)
		i++;
	ck_assert_msg(i < MANY, "a channel that nobody waits for");
	return i;
}

START_TEST(more_are_ready_than_one_turn_takes)
{
	unsigned what;

	open_io(_i);
	open_many(MANY);
	for (size_t i = 0; i < MANY; i++) {
		want_recv(many + i, sizeof many[i].data);
		put(many + i, "a");
		wait_for(many + i);
	}
	for (size_t i = 0; i < MANY; i++) {
		struct rt_chan *chan = next_ready(&what);
		size_t k = index_of(chan);

		ck_assert_uint_eq(what, 0);
		ck_assert_msg(seen[k]++ == 0, "channel %zu came twice", k);
		expect_in(many + k, 1);
		wait_for(many + k);
	}
	expect_quiet();
	close_many(MANY);
	rt_io_close(io);
}
END_TEST

/* Of those that stay ready, none is starved by the others. */
static void
check_fair(size_t count)
{
	size_t missing = count;
	unsigned what;

	open_many(count);
	for (size_t i = 0; i < count; i++) {
		want_recv(many + i, 1);
		put(many + i, "a");
		wait_for(many + i);
	}
	for (int turn = 0; turn < 16 && missing > 0; turn++) {
		struct rt_chan *chan;

		ck_assert_int_eq(rt_io_sleep(io, patience()), 0);
		while ((chan = rt_io_next(io, &what)) != NULL) {
			size_t k = index_of(chan);

			missing -= seen[k] == 0;
			seen[k]++;
			wait_for(many + k);
		}
	}
	ck_assert_msg(missing == 0,
		"%zu of %zu ready channels had no turn in 16", missing, count);
	close_many(count);
}

START_TEST(no_ready_channel_starves)
{
	open_io(_i);
	check_fair(RT_READY_MAX);
	check_fair(RT_READY_MAX + 1);
	check_fair(RT_READY_MAX + 2);
	check_fair(2 * RT_READY_MAX + 2);
	check_fair(MANY);
	rt_io_close(io);
}
END_TEST

START_TEST(more_expire_than_one_turn_takes)
{
	unsigned what;

	open_io(_i);
	open_many(MANY);
	for (size_t i = 0; i < MANY; i++) {
		many[i].chan.deadline = rt_io_clock(io) - (int64_t)i;
		wait_for(many + i);
	}
	for (size_t i = 0; i < MANY; i++) {
		struct rt_chan *chan = next_ready(&what);

		ck_assert_uint_eq(what, RT_EXPIRED);
		ck_assert_int_eq(seen[index_of(chan)]++, 0);
		chan->deadline = RT_NEVER;
		ck_assert_int_eq(rt_io_wait(io, chan), 0);
	}
	expect_quiet();
	close_many(MANY);
	rt_io_close(io);
}
END_TEST

/* Those that stay expired have their turns one as often as the other. */
static void
check_expired_fairly(size_t count)
{
	unsigned what;
	int least = INT_MAX, most = 0;

	for (size_t i = 0; i < 5 * count; i++) {
		struct rt_chan *chan = next_ready(&what);

		ck_assert_uint_eq(what & RT_EXPIRED, RT_EXPIRED);
		seen[index_of(chan)]++;
		ck_assert_int_eq(rt_io_wait(io, chan), 0);
	}
	for (size_t i = 0; i < count; i++) {
		least = seen[i] < least ? seen[i] : least;
		most = seen[i] > most ? seen[i] : most;
	}
	ck_assert_msg(least >= 4 && most <= 6,
		"of %zu turns each, one had %d and one %d", (size_t)5, least,
		most);
}

START_TEST(no_expired_channel_starves)
{
	static const size_t counts[] = {1, 31, 32, 33, 63, 64, 65, 96, 97, 128,
		199, MANY};

	for (size_t k = 0; k < COUNT_OF(counts); k++) {
		open_io(_i);
		open_many(counts[k]);
		for (size_t i = 0; i < counts[k]; i++) {
			many[i].chan.deadline = rt_io_clock(io);
			wait_for(many + i);
		}
		check_expired_fairly(counts[k]);
		close_many(counts[k]);
		rt_io_close(io);
	}
}
END_TEST

/* Neither those that expired nor those that are ready keep the others off. */
START_TEST(expired_and_ready_have_turns)
{
	unsigned what;

	open_io(_i);
	open_many(MANY);
	for (size_t i = 0; i < MANY; i++) {
		want_recv(many + i, 8);
		if (i % 2 == 0)
			put(many + i, "a");
		else
			many[i].chan.deadline = rt_io_clock(io);
		wait_for(many + i);
	}
	/* nobody does anything about it: they stay as they are */
	for (size_t i = 0; i < 20 * MANY; i++) {
		struct rt_chan *chan = next_ready(&what);

		seen[index_of(chan)]++;
		ck_assert_int_eq(rt_io_wait(io, chan), 0);
	}
	for (size_t i = 0; i < MANY; i++)
		ck_assert_msg(seen[i] >= 5, "%zu had %d turns, not about 20", i,
			seen[i]);
	close_many(MANY);
	rt_io_close(io);
}
END_TEST

START_TEST(some_are_ready_and_others_expire)
{
	unsigned what;

	open_io(_i);
	open_many(MANY);
	for (size_t i = 0; i < MANY; i++) {
		want_recv(many + i, 8);
		if (i % 2 == 0)
			put(many + i, "a");
		else
			many[i].chan.deadline = rt_io_clock(io);
		wait_for(many + i);
	}
	for (size_t i = 0; i < MANY; i++) {
		size_t k = index_of(next_ready(&what));

		ck_assert_int_eq(seen[k]++, 0);
		ck_assert_uint_eq(what, k % 2 ? RT_EXPIRED : 0);
		close_side(many + k);
	}
	close_many(MANY);
	rt_io_close(io);
}
END_TEST

START_TEST(drops_in_the_middle_of_a_turn)
{
	struct rt_chan *first;
	unsigned what;
	size_t other;

	open_io(_i);
	open_many(3);
	for (size_t i = 0; i < 2; i++) {
		want_recv(many + i, 8);
		put(many + i, "a");
	}
	want_recv(many + 2, 8);
	for (size_t i = 0; i < 3; i++)
		wait_for(many + i);
	first = next_ready(&what);
	other = index_of(first) == 0 ? 1 : 0;
	close_side(many + other);
	ck_assert_ptr_null(rt_io_next(io, &what));
	/* its memory and its descriptor are another's at once */
	open_side(many + other);
	want_recv(many + other, 8);
	wait_for(many + other);
	ck_assert_ptr_null(rt_io_next(io, &what));
	ck_assert_int_eq(rt_io_try(io, first), RT_IN_DONE);
	expect_quiet();
	put(many + other, "abc");
	expect_ready(many + other, 0);
	expect_in(many + other, 3);
	close_many(3);
	expect_quiet();
	rt_io_close(io);
}
END_TEST

START_TEST(drops_itself_in_its_turn)
{
	unsigned what;

	open_io(_i);
	open_many(10);
	for (size_t i = 0; i < 10; i++) {
		want_recv(many + i, 8);
		put(many + i, "a");
		wait_for(many + i);
	}
	for (size_t i = 0; i < 10; i++) {
		size_t k = index_of(next_ready(&what));

		ck_assert_int_eq(seen[k]++, 0);
		close_side(many + k);
	}
	expect_quiet();
	rt_io_close(io);
}
END_TEST

/* The last takes the place of one that leaves: nobody may be lost by it. */
START_TEST(survives_drops_in_any_order)
{
	unsigned random = 1;

	open_io(_i);
	open_many(100);
	for (size_t i = 0; i < 100; i++) {
		want_recv(many + i, 8);
		wait_for(many + i);
	}
	for (size_t left = 100; left > 0; left--) {
		size_t k;

		do {
			random = random * 1103515245 + 12345;
			k = random / 65536 % 100;
		} while (many[k].chan.fd < 0);
		put(many + k, "a");
		expect_ready(many + k, 0);
		expect_in(many + k, 1);
		close_side(many + k);
	}
	rt_io_close(io);
}
END_TEST

START_TEST(releases)
{
	struct side side;

	open_io(_i);
	open_side(&side);
	want_recv(&side, 8);
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	rt_io_release(io, &side.chan);
	ck_assert_int_ge(fcntl(side.chan.fd, F_GETFD), 0);
	put(&side, "a");
	expect_quiet();
	/* releasing twice, and what never waited, is harmless */
	rt_io_release(io, &side.chan);
	wait_for(&side);
	expect_ready(&side, 0);
	expect_in(&side, 1);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* What was known of a channel goes with it. */
START_TEST(releases_a_ready_channel)
{
	struct side side;
	unsigned what;
	int fd, pair[2];

	open_io(_i);
	open_side(&side);
	wait_for(&side);
	close_peer(&side);
	ck_assert_int_eq(rt_io_sleep(io, patience()), 0);
	rt_io_release(io, &side.chan);
	ck_assert_ptr_null(rt_io_next(io, &what));
	fd = side.chan.fd;
	ck_assert_int_eq(rt_sock_pair(pair), 0);
	side.chan.fd = pair[0];
	side.peer = pair[1];
	side.chan.deadline = in_ms(10);
	wait_for(&side);
	expect_ready(&side, RT_EXPIRED);
	(void)close(fd);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* --- sending --- */

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

	open_io(_i);
	open_side(&side);
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
			while (rt_io_sleep(io, rt_io_clock(io)) == 0 &&
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
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(raises_no_signal)
{
	struct side side;

	(void)signal(SIGPIPE, SIG_DFL);
	open_io(_i);
	open_tcp_side(&side);
	reset_peer(&side);
	want_send(&side, "to nobody");
	/* the RST may be on its way still */
	for (int i = 0; i < 100000; i++)
		if (rt_io_try(io, &side.chan) != 0 && side.chan.out.result < 0)
			break;
	ck_assert_int_lt(side.chan.out.result, 0);
	(void)rt_io_try(io, &side.chan);
	ck_assert_int_eq(side.chan.out.result, -EPIPE);
	close_side(&side);
	rt_io_close(io);
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* --- files --- */

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
	open_io(_i);
	open_tcp_side(&side);
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
		for (unsigned what; rt_io_sleep(io, rt_io_clock(io)) == 0 &&
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
	close_side(&side);
	rt_io_close(io);
	ck_assert_int_gt(waits, 0);
}
END_TEST

START_TEST(sees_that_a_file_is_shorter)
{
	char got[16];
	struct side side;
	int fd = open_file("0123456789", 10);

	open_io(_i);
	open_side(&side);
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
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* What sendfile(2) cannot send is copied all the same. */
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
	open_io(_i);
	open_side(&side);
	want_file(&side, fd, 0, 5);
	expect_out(&side, 5);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 5);
	ck_assert_mem_eq(got, expected, 5);
	(void)close(fd);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(sends_a_file_to_nobody)
{
	struct side side;
	int fd = open_file("0123456789", 10);

	/* without sendfile no signal may be raised */
	(void)signal(SIGPIPE, _i / 2 ? SIG_IGN : SIG_DFL);
	open_io(_i);
	open_side(&side);
	close_peer(&side);
	want_file(&side, fd, 0, 10);
	expect_out(&side, -EPIPE);
	(void)close(fd);
	close_side(&side);
	rt_io_close(io);
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

/* --- the sleep --- */

static void
ignore_alarm(int number)
{
	(void)number;
}

START_TEST(a_signal_wakes)
{
	struct sigaction action = {.sa_handler = ignore_alarm};
	const struct itimerval soon = {.it_value = {.tv_usec = 20000},
		.it_interval = {.tv_usec = 20000}};
	const struct itimerval never = {.it_value = {.tv_usec = 0}};
	struct side side;
	unsigned what;

	open_io(_i);
	open_side(&side);
	want_recv(&side, 8);
	wait_for(&side);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	ck_assert_ptr_null(rt_io_next(io, &what));
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(has_a_descriptor_to_poll)
{
	struct pollfd polled = {.events = POLLIN};
	struct side side;

	open_io(_i);
	polled.fd = rt_io_pollfd(io);
	if (_i % 2 == 1) {
		ck_assert_int_eq(polled.fd, -ENOTSUP);
		rt_io_close(io);
		return;
	}
	ck_assert_int_ge(polled.fd, 0);
	ck_assert_int_ne(fcntl(polled.fd, F_GETFD) & FD_CLOEXEC, 0);
	open_side(&side);
	want_recv(&side, 8);
	wait_for(&side);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	put(&side, "a");
	ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
	expect_ready(&side, 0);
	expect_in(&side, 1);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* It rings when it is told to, though no channel is ready. */
START_TEST(the_descriptor_rings)
{
	struct pollfd polled = {.events = POLLIN};
	struct side side;
	int64_t deadline;
	unsigned what;

	open_io(_i);
	open_side(&side);
	want_recv(&side, 8);
	wait_for(&side);
	/* nobody polls it yet */
	rt_io_ring(io, in_ms(0));
	polled.fd = rt_io_pollfd(io);
	if (_i % 2 == 1) {
		ck_assert_int_eq(polled.fd, -ENOTSUP);
		rt_io_ring(io, in_ms(0));
		rt_io_ring(io, RT_NEVER);
		close_side(&side);
		rt_io_close(io);
		return;
	}
	ck_assert_int_eq(rt_io_pollfd(io), polled.fd);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	for (int round = 0; round < 2; round++) {
		deadline = in_ms(30);
		rt_io_ring(io, deadline);
		ck_assert_int_eq(poll(&polled, 1, 0), 0);
		ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
		ck_assert_msg(rt_io_clock(io) >= deadline,
			"it rang %lld ns early",
			(long long)(deadline - rt_io_now(io)));
		/* until it is told of another time */
		ck_assert_int_eq(poll(&polled, 1, 0), 1);
		ck_assert_int_eq(rt_io_sleep(io, in_ms(0)), 0);
		ck_assert_ptr_null(rt_io_next(io, &what));
		ck_assert_int_eq(poll(&polled, 1, 0), 1);
		rt_io_ring(io, round == 0 ? RT_NEVER : in_ms(3600000));
		ck_assert_int_eq(poll(&polled, 1, 0), 0);
	}
	/* times that are past, all of them */
	for (int i = 0; i < 3; i++) {
		const int64_t past[] = {rt_io_clock(io), 0, -5};

		rt_io_ring(io, past[i]);
		ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
		rt_io_ring(io, RT_NEVER);
		ck_assert_int_eq(poll(&polled, 1, 0), 0);
	}
	/* a channel still is found, whether it rings or not */
	put(&side, "a");
	rt_io_ring(io, in_ms(0));
	expect_ready(&side, 0);
	expect_in(&side, 1);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* A deadline of a channel, as a server has it ringing. */
START_TEST(the_descriptor_rings_for_a_channel)
{
	struct pollfd polled = {.events = POLLIN};
	struct side side;

	open_io(_i);
	polled.fd = rt_io_pollfd(io);
	open_side(&side);
	want_recv(&side, 8);
	side.chan.deadline = in_ms(20);
	wait_for(&side);
	if (_i % 2 == 0) {
		rt_io_ring(io, rt_io_deadline(io));
		ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
		ck_assert_int_ge(rt_io_clock(io), side.chan.deadline);
		ck_assert_int_eq(rt_io_sleep(io, rt_io_clock(io)), 0);
	}
	expect_ready(&side, RT_EXPIRED);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* What to poll for: as many as there are, though there be no room for all. */
START_TEST(has_descriptors_to_poll)
{
	struct pollfd fds[6];
	struct side sides[4];
	size_t count = _i % 2 == 0 ? 1 : COUNT_OF(sides);
	bool reading;

	open_io(_i);
	ck_assert_uint_eq(rt_io_pollfds(io, fds, COUNT_OF(fds)),
		_i % 2 == 0 ? 1 : 0);
	for (size_t i = 0; i < COUNT_OF(sides); i++) {
		open_side(sides + i);
		want_recv(sides + i, 8);
		wait_for(sides + i);
	}
	for (size_t room = 0; room <= COUNT_OF(fds); room++) {
		memset(fds, 0x5a, sizeof fds);
		ck_assert_uint_eq(rt_io_pollfds(io, fds, room), count);
		for (size_t i = 0; i < COUNT_OF(fds); i++)
			ck_assert_msg((fds[i].fd == 0x5a5a5a5a) ==
					(i >= room || i >= count),
				"room for %zu: %zu is %d", room, i, fds[i].fd);
	}
	ck_assert_int_eq(poll(fds, (nfds_t)count, 0), 0);
	for (size_t i = 0; i < COUNT_OF(sides); i++) {
		put(sides + i, "a");
		ck_assert_int_eq(poll(fds, (nfds_t)count,
					 RT_TEST_PATIENCE * 1000),
			1);
		reading = false;
		for (size_t k = 0; k < count; k++)
			reading |= (fds[k].revents & POLLIN) != 0 &&
				(_i % 2 == 0 || fds[k].fd == sides[i].chan.fd);
		ck_assert_msg(reading, "%zu is not ready", i);
		expect_ready(sides + i, 0);
		expect_in(sides + i, 1);
		wait_for(sides + i);
		/* to be asked again after each turn */
		ck_assert_uint_eq(rt_io_pollfds(io, fds, COUNT_OF(fds)), count);
		ck_assert_int_eq(poll(fds, (nfds_t)count, 0), 0);
	}
	close_side(sides + 1);
	ck_assert_uint_eq(rt_io_pollfds(io, fds, COUNT_OF(fds)),
		_i % 2 == 0 ? 1 : COUNT_OF(sides) - 1);
	for (size_t i = 0; i < COUNT_OF(sides); i++)
		if (i != 1)
			close_side(sides + i);
	rt_io_close(io);
}
END_TEST

/* A channel that may send is to be polled for that. */
START_TEST(descriptors_to_poll_for_sending)
{
	static char filling[4096];
	struct pollfd fds[2];
	struct side side;
	size_t count;

	open_io(_i);
	open_side(&side);
	while (send(side.chan.fd, filling, sizeof filling, MSG_NOSIGNAL) > 0)
		;
	want_send(&side, "out");
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	wait_for(&side);
	count = rt_io_pollfds(io, fds, COUNT_OF(fds));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(poll(fds, 1, 0), 0);
	while (recv(side.peer, filling, sizeof filling, MSG_DONTWAIT) > 0)
		;
	ck_assert_int_eq(poll(fds, 1, RT_TEST_PATIENCE * 1000), 1);
	expect_ready(&side, 0);
	expect_out(&side, 3);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

/* --- datagrams --- */

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
	close_side(&side);
	rt_io_close(io);
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
	close_side(&side);
	rt_io_close(io);
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
	close_side(&side);
	rt_io_close(io);
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
	close_side(&side);
	rt_io_close(io);
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
	close_side(&side);
	rt_io_close(io);
}
END_TEST

static int64_t
processor_us(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
		INT64_C(1000000) +
		usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* However often its owner asks, a pause takes no processor time. */
START_TEST(sleeps)
{
	struct side side;
	int64_t used;

	open_io(_i);
	open_side(&side);
	put(&side, "data that nobody wants yet");
	side.chan.deadline = in_ms(400);
	wait_for(&side);
	used = processor_us();
	expect_ready(&side, RT_EXPIRED);
	used = processor_us() - used;
	ck_assert_msg(used < 200000, "a pause of 400 ms took %lld us",
		(long long)used);
	close_side(&side);
	rt_io_close(io);
}
END_TEST

START_TEST(best_is_one_of_them)
{
	ck_assert_int_eq(rt_io_open(&io, RETORT_IO_BEST, false), 0);
#ifdef HAVE_SYS_EPOLL_H
	ck_assert_str_eq(io->back_end->name, "epoll");
#else
	ck_assert_str_eq(io->back_end->name, "poll");
#endif
	rt_io_close(io);
	rt_io_close(NULL);
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

	open_io(_i);
	open_tcp_side(&side);
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
	close_side(&side);
	rt_io_close(io);
#endif
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *const *tests, int ways)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, 0, ways);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("io");
	const TTest *const operations[] = {receives,
		receives_what_is_there_without_waiting,
		receives_a_fin_and_a_reset, tries_outward_first,
		waits_in_both_directions, accepts, finishes, flushes,
		a_flush_that_must_wait, leaves_endings_to_the_owner,
		sends_in_part, raises_no_signal, NULL};
	const TTest *const nothing[] = {nothing_never_spins,
		nothing_sees_a_hang_up, a_fin_is_no_hang_up,
		an_operation_finds_the_hang_up_out, NULL};
	const TTest *const deadlines[] = {expires_and_not_before,
		a_sleep_ends_at_the_earliest, expires_while_ready,
		without_deadline_until_counts, a_signal_wakes,
		has_a_descriptor_to_poll, the_descriptor_rings,
		the_descriptor_rings_for_a_channel, has_descriptors_to_poll,
		descriptors_to_poll_for_sending, sleeps, NULL};
	const TTest *const crowd[] = {more_are_ready_than_one_turn_takes,
		no_ready_channel_starves, more_expire_than_one_turn_takes,
		no_expired_channel_starves, expired_and_ready_have_turns,
		some_are_ready_and_others_expire, drops_in_the_middle_of_a_turn,
		drops_itself_in_its_turn, survives_drops_in_any_order, releases,
		releases_a_ready_channel, NULL};
	const TTest *const datagrams[] = {receives_datagrams,
		receives_from_nobody, sends_datagrams, a_full_peer_is_a_result,
		a_shared_channel, NULL};
	const TTest *const files[] = {sends_a_file, sees_that_a_file_is_shorter,
		sends_from_a_special_file_system, sends_a_file_to_nobody, NULL};
	const TTest *const plain[] = {milliseconds_round_up,
		best_is_one_of_them, NULL};

	add(suite, "operations", operations, BACK_ENDS);
	add(suite, "nothing", nothing, BACK_ENDS);
	add(suite, "deadlines", deadlines, BACK_ENDS);
	add(suite, "many", crowd, BACK_ENDS);
	add(suite, "datagrams", datagrams, BACK_ENDS);
	add(suite, "files", files, WAYS);
	add(suite, "plain", plain, 1);
	return rt_test_run(suite);
}
