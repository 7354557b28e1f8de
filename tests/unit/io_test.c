/* SPDX-License-Identifier: MIT */
/* The loop (io.h) on both back ends: operations, deadlines, the sleep. */
#include "config.h"

#include "unit/io_side.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

START_TEST(receives)
{
	struct side side;

	begin(_i, &side);
	wait_to_receive(&side, sizeof side.data);
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
	end(&side);
}
END_TEST

START_TEST(receives_what_is_there_without_waiting)
{
	struct side side;

	begin(_i, &side);
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
	end(&side);
}
END_TEST

START_TEST(receives_a_fin_and_a_reset)
{
	struct side side;

	begin_tcp(_i, &side);
	wait_to_receive(&side, sizeof side.data);
	ck_assert_int_eq(shutdown(side.peer, SHUT_WR), 0);
	expect_ready(&side, 0);
	expect_in(&side, 0);
	close_side(&side);

	open_tcp_side(&side);
	wait_to_receive(&side, sizeof side.data);
	reset_peer(&side);
	expect_ready(&side, 0);
	expect_in(&side, -ECONNRESET);
	end(&side);
}
END_TEST

START_TEST(tries_outward_first)
{
	struct side side;
	char got[8];

	begin(_i, &side);
	put(&side, "in");
	want_recv(&side, sizeof side.data);
	want_send(&side, "out");
	expect_out(&side, 3);
	side.chan.out.verb = RT_NOTHING;
	expect_in(&side, 2);
	ck_assert_int_eq(recv(side.peer, got, sizeof got, 0), 3);
	ck_assert_mem_eq(got, "out", 3);
	end(&side);
}
END_TEST

START_TEST(waits_in_both_directions)
{
	static char filling[4096];
	struct side side;
	unsigned what;

	begin(_i, &side);
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
	end(&side);
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

	begin_tcp(_i, &side);
	side.chan.out.verb = RT_FINISH;
	expect_out(&side, 0);
	ck_assert_int_eq(recv(side.peer, &got, 1, 0), 0);
	/* the other way is open still */
	put(&side, "a");
	side.chan.out.verb = RT_NOTHING;
	want_recv(&side, 8);
	wait_until_ready(&side);
	expect_in(&side, 1);
	close_side(&side);

	side.peer = -1;
	rt_chan_init(&side.chan, socket(AF_INET, SOCK_STREAM, 0), 0);
	side.chan.out.verb = RT_FINISH;
	expect_out(&side, -ENOTCONN);
	end(&side);
}
END_TEST

START_TEST(leaves_endings_to_the_owner)
{
	struct side side;
	char got;

	begin(_i, &side);
	side.chan.out.verb = RT_CLOSE;
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	side.chan.out.verb = RT_RESET;
	ck_assert_uint_eq(rt_io_try(io, &side.chan), 0);
	ck_assert_int_eq(recv(side.peer, &got, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	end(&side);
}
END_TEST

START_TEST(nothing_never_spins)
{
	struct side side;

	begin(_i, &side);
	put(&side, "data that nobody wants yet");
	wait_for(&side);
	expect_quiet();
	expect_quiet();
	/* nor after it was wanted */
	want_recv(&side, 4);
	wait_until_ready(&side);
	expect_in(&side, 4);
	side.chan.in.verb = RT_NOTHING;
	wait_for(&side);
	expect_quiet();
	want_recv(&side, sizeof side.data);
	wait_until_ready(&side);
	expect_in(&side, 22);
	end(&side);
}
END_TEST

START_TEST(nothing_sees_a_hang_up)
{
	struct side side;

	begin(_i, &side);
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
	end(&side);
}
END_TEST

START_TEST(a_fin_is_no_hang_up)
{
	struct side side;

	begin_tcp(_i, &side);
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
	end(&side);
}
END_TEST

START_TEST(an_operation_finds_the_hang_up_out)
{
	struct side side;

	begin(_i, &side);
	wait_to_receive(&side, sizeof side.data);
	close_peer(&side);
	expect_ready(&side, 0);
	expect_in(&side, 0);
	side.chan.in.verb = RT_NOTHING;
	want_send(&side, "too late");
	expect_out(&side, -EPIPE);
	end(&side);
}
END_TEST

START_TEST(expires_and_not_before)
{
	struct side side;
	unsigned what;

	begin(_i, &side);
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
	end(&side);
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

	begin(_i, &side);
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
	end(&side);
}
END_TEST

START_TEST(without_deadline_until_counts)
{
	struct side side;
	int64_t until;

	open_io(_i);
	ck_assert_int_eq(rt_io_deadline(io), RT_NEVER);
	until = in_ms(25);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, until), 0);
	ck_assert_int_ge(rt_io_now(io), until);
	/* so does a time, unless it is the longer one */
	until = in_ms(25);
	ck_assert_int_eq(rt_io_sleep(io, 25 * RT_MS, RT_NEVER), 0);
	ck_assert_int_ge(rt_io_now(io), until);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER - 1, in_ms(1)), 0);
	/* one that has passed: does not sleep, but looks */
	open_side(&side);
	want_recv(&side, sizeof side.data);
	put(&side, "a");
	wait_for(&side);
	ck_assert_int_eq(rt_io_deadline(io), RT_NEVER);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, 0), 0);
	/* what is ready already is due now */
	ck_assert_int_le(rt_io_deadline(io), rt_io_clock(io));
	expect_ready(&side, 0);
	end(&side);
}
END_TEST

START_TEST(milliseconds_round_up)
{
	ck_assert_int_eq(rt_poll_ms(-1), -1);
	ck_assert_int_eq(rt_poll_ms(INT64_MIN), -1);
	ck_assert_int_eq(rt_poll_ms(0), 0);
	ck_assert_int_eq(rt_poll_ms(1), 1);
	ck_assert_int_eq(rt_poll_ms(RT_MS - 1), 1);
	ck_assert_int_eq(rt_poll_ms(RT_MS), 1);
	ck_assert_int_eq(rt_poll_ms(RT_MS + 1), 2);
	ck_assert_int_eq(rt_poll_ms(INT_MAX * RT_MS - 1), INT_MAX);
	ck_assert_int_eq(rt_poll_ms(INT_MAX * RT_MS), INT_MAX);
	ck_assert_int_eq(rt_poll_ms(INT_MAX * RT_MS + 1), INT_MAX);
	ck_assert_int_eq(rt_poll_ms(INT64_MAX), INT_MAX);
}
END_TEST

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

	begin(_i, &side);
	want_recv(&side, 8);
	wait_for(&side);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, RT_NEVER), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	ck_assert_ptr_null(rt_io_next(io, &what));
	end(&side);
}
END_TEST

static int alarm_peer;

static void
send_at_alarm(int number)
{
	(void)number;
	if (write(alarm_peer, "x", 1) < 0)
		abort();
}

/* What has come by then counts before what has expired. */
START_TEST(a_signal_hides_nothing)
{
	struct sigaction action = {.sa_handler = send_at_alarm};
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	struct side side;
	unsigned what;

	begin(_i, &side);
	wait_to_receive(&side, 8);
	alarm_peer = side.peer;
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, RT_NEVER), 0);
	ck_assert_ptr_eq(rt_io_next(io, &what), &side.chan);
	expect_in(&side, 1);
	end(&side);
}
END_TEST

START_TEST(has_a_descriptor_to_poll)
{
	struct pollfd polled = {.events = POLLIN};
	struct side side;

	open_io(_i);
	polled.fd = rt_io_pollfd(io);
	if (!is_one_descriptor(_i)) {
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
	end(&side);
}
END_TEST

/* It rings when it is told to, though no channel is ready. */
START_TEST(the_descriptor_rings)
{
	struct pollfd polled = {.events = POLLIN};
	struct side side;
	int64_t deadline;
	unsigned what;

	begin(_i, &side);
	want_recv(&side, 8);
	wait_for(&side);
	/* nobody polls it yet */
	rt_io_ring(io, in_ms(0));
	polled.fd = rt_io_pollfd(io);
	if (!is_one_descriptor(_i)) {
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
		ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, in_ms(0)), 0);
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
	end(&side);
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
	if (is_one_descriptor(_i)) {
		rt_io_ring(io, rt_io_deadline(io));
		ck_assert_int_eq(poll(&polled, 1, RT_TEST_PATIENCE * 1000), 1);
		ck_assert_int_ge(rt_io_clock(io), side.chan.deadline);
		ck_assert_int_eq(rt_io_sleep(io, 0, RT_NEVER), 0);
	}
	expect_ready(&side, RT_EXPIRED);
	end(&side);
}
END_TEST

/* The descriptors to poll: their number, even without room for all. */
START_TEST(has_descriptors_to_poll)
{
	struct pollfd fds[6];
	struct side sides[4];
	size_t count = is_one_descriptor(_i) ? 1 : COUNT_OF(sides);
	bool reading;

	open_io(_i);
	ck_assert_uint_eq(rt_io_pollfds(io, fds, COUNT_OF(fds)),
		is_one_descriptor(_i) ? 1 : 0);
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
				(is_one_descriptor(_i) ||
					fds[k].fd == sides[i].chan.fd);
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
		is_one_descriptor(_i) ? 1 : COUNT_OF(sides) - 1);
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

	begin(_i, &side);
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
	end(&side);
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

	begin(_i, &side);
	put(&side, "data that nobody wants yet");
	side.chan.deadline = in_ms(400);
	wait_for(&side);
	used = processor_us();
	expect_ready(&side, RT_EXPIRED);
	used = processor_us() - used;
	ck_assert_msg(used < 200000, "a pause of 400 ms took %lld us",
		(long long)used);
	end(&side);
}
END_TEST

START_TEST(best_begins_small)
{
	ck_assert_int_eq(rt_io_open(&io, RETORT_IO_BEST, false), 0);
	ck_assert_str_eq(io->back_end->name, "poll");
	rt_io_close(io);
	rt_io_close(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("io");
	const TTest *const operations[] = {receives,
		receives_what_is_there_without_waiting,
		receives_a_fin_and_a_reset, tries_outward_first,
		waits_in_both_directions, accepts, finishes,
		leaves_endings_to_the_owner, NULL};
	const TTest *const nothing[] = {nothing_never_spins,
		nothing_sees_a_hang_up, a_fin_is_no_hang_up,
		an_operation_finds_the_hang_up_out, NULL};
	const TTest *const deadlines[] = {expires_and_not_before,
		a_sleep_ends_at_the_earliest, expires_while_ready,
		without_deadline_until_counts, a_signal_wakes,
		a_signal_hides_nothing, has_a_descriptor_to_poll,
		the_descriptor_rings, the_descriptor_rings_for_a_channel,
		has_descriptors_to_poll, descriptors_to_poll_for_sending,
		sleeps, NULL};
	const TTest *const plain[] = {milliseconds_round_up, best_begins_small,
		NULL};

	add_ways(suite, "operations", operations, BACK_ENDS);
	add_ways(suite, "nothing", nothing, BACK_ENDS);
	add_ways(suite, "deadlines", deadlines, BACK_ENDS);
	add_ways(suite, "plain", plain, 1);
	return rt_test_run(suite);
}
