/* SPDX-License-Identifier: MIT */
/* The loop with many channels: each has its turn, and may leave in it. */
#include "config.h"

#include "unit/io_side.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

/* With more channels, the best back end is another: those that were there wait
   on, with all that they wait for. */
START_TEST(the_best_grows)
{
	unsigned what;

	if (RT_TEST_IO == RETORT_IO_POLL)
		skip_test("there is no larger one");
	ck_assert_int_eq(rt_io_open(&io, RETORT_IO_BEST, false), 0);
	open_many(MANY);
	many[1].chan.deadline = rt_io_clock(io);
	for (size_t i = 0; i < MANY; i++) {
		if (i != 1) {
			want_recv(many + i, sizeof many[i].data);
			put(many + i, "a");
		}
		wait_for(many + i);
		/* it has left before the others go over */
		if (i == 2)
			close_side(many + i);
		ck_assert_str_eq(io->back_end->name,
			i < 17 ? "poll" : RT_TEST_IO_NAME);
	}
	for (size_t i = 0; i < MANY - 1; i++) {
		struct rt_chan *chan = next_ready(&what);
		size_t k = index_of(chan);

		ck_assert_uint_eq(what, k == 1 ? RT_EXPIRED : 0);
		ck_assert_msg(seen[k]++ == 0, "channel %zu came twice", k);
		chan->deadline = RT_NEVER;
		if (k != 1)
			expect_in(many + k, 1);
		wait_for(many + k);
	}
	expect_quiet();
	close_many(MANY);
	rt_io_close(io);
}
END_TEST

/* Who wants one descriptor for all has it with few channels, too. */
START_TEST(the_best_grows_for_who_polls_it)
{
	struct side side;
	struct pollfd fds[2];
	unsigned what;

	if (RT_TEST_IO == RETORT_IO_POLL)
		skip_test("there is no larger one");
	for (int way = 0; way < 2; way++) {
		ck_assert_int_eq(rt_io_open(&io, RETORT_IO_BEST, false), 0);
		open_side(&side);
		want_recv(&side, sizeof side.data);
		wait_for(&side);
		if (way == 0) {
			ck_assert_uint_eq(rt_io_pollfds(io, fds, 2), 1);
		} else {
			fds[0].fd = rt_io_pollfd(io);
			fds[0].events = POLLIN;
		}
		ck_assert_int_ge(fds[0].fd, 0);
		ck_assert_int_eq(poll(fds, 1, 0), 0);
		put(&side, "a");
		ck_assert_int_eq(poll(fds, 1, -1), 1);
		ck_assert_ptr_eq(next_ready(&what), &side.chan);
		expect_in(&side, 1);
		close_side(&side);
		rt_io_close(io);
	}
}
END_TEST

/* Without a descriptor for it, the small one does. */
START_TEST(the_best_stays_small)
{
	struct rlimit before, none;
	unsigned what;

	ck_assert_int_eq(rt_io_open(&io, RETORT_IO_BEST, false), 0);
	open_many(MANY);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < 20; i++) {
		want_recv(many + i, sizeof many[i].data);
		wait_for(many + i);
	}
	ck_assert_int_lt(rt_io_pollfd(io), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_str_eq(io->back_end->name, "poll");
	put(many + 19, "a");
	ck_assert_ptr_eq(next_ready(&what), &many[19].chan);
	expect_in(many + 19, 1);
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

		ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, patience()), 0);
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

/* Those with an even number are ready, and the others expired. */
static void
open_in_turn(void)
{
	open_many(MANY);
	for (size_t i = 0; i < MANY; i++) {
		want_recv(many + i, 8);
		if (i % 2 == 0)
			put(many + i, "a");
		else
			many[i].chan.deadline = rt_io_clock(io);
		wait_for(many + i);
	}
}

/* Neither those that expired nor those that are ready keep the others off. */
START_TEST(expired_and_ready_have_turns)
{
	unsigned what;

	open_io(_i);
	open_in_turn();
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
	open_in_turn();
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

	begin(_i, &side);
	wait_to_receive(&side, 8);
	rt_io_release(io, &side.chan);
	ck_assert_int_ge(fcntl(side.chan.fd, F_GETFD), 0);
	put(&side, "a");
	expect_quiet();
	/* releasing twice, and what never waited, is harmless */
	rt_io_release(io, &side.chan);
	wait_until_ready(&side);
	expect_in(&side, 1);
	end(&side);
}
END_TEST

/* A channel's readiness goes with it. */
START_TEST(releases_a_ready_channel)
{
	struct side side;
	unsigned what;
	int fd, pair[2];

	begin(_i, &side);
	wait_for(&side);
	close_peer(&side);
	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, patience()), 0);
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
	end(&side);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("io_many");
	const TTest *const crowd[] = {more_are_ready_than_one_turn_takes,
		no_ready_channel_starves, more_expire_than_one_turn_takes,
		no_expired_channel_starves, expired_and_ready_have_turns,
		some_are_ready_and_others_expire, drops_in_the_middle_of_a_turn,
		drops_itself_in_its_turn, survives_drops_in_any_order, releases,
		releases_a_ready_channel, NULL};

	const TTest *const best[] = {the_best_grows,
		the_best_grows_for_who_polls_it, the_best_stays_small, NULL};

	add_ways(suite, "many", crowd, BACK_ENDS);
	rt_test_cases(suite, "best", best, 0, 1);
	return rt_test_run(suite);
}
