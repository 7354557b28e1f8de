/* SPDX-License-Identifier: MIT */
/*
 * The loop's sleep: datagrams that wait for their answers are no
 * descriptors, and nothing ends it without a word.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than there may be descriptors. */
enum { DESCRIPTORS = 64, DATAGRAMS = 100 };

static void
allow_descriptors(rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int
later(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	(void)exchange;
	(void)reply;
	return RETORT_LATER;
}

START_TEST(more_wait_than_there_may_be_descriptors)
{
	const struct retort_reply reply = {.body = "late"};
	struct pollfd fds[4];
	int fd, timeout;

	allow_descriptors(DESCRIPTORS);
	open_with((struct retort_options){.protocol = RETORT_UDP}, _i);
	ON(NULL, .handler = later);
	fd = connect_plain(SOCK_DGRAM);
	for (size_t i = 1; i <= DATAGRAMS; i++) {
		say(fd, "wait");
		ck_assert_msg(retort_wait(server, .times = i,
				      .timeout = PATIENCE) != NULL,
			"%s: datagram %zu did not come: %s", way->name, i,
			retort_verdict(server));
	}
	/* the waker and the listener at most */
	ck_assert_uint_le(retort_pollfds(server, fds, 4, &timeout), 2);
	for (uint64_t i = 1; i <= DATAGRAMS; i++)
		ck_assert_int_eq(reply_on(i, &reply), 0);
	for (size_t i = 1; i <= DATAGRAMS; i++)
		ck_assert_int_eq(ended(i)->end, RETORT_ANSWERED);
	assert_verdict(NULL);
	(void)close(fd);
	close_server();
}
END_TEST

/* The limit may be lowered while more than it allows is open. */
START_TEST(the_limit_of_descriptors_is_lowered)
{
	int held[8], fd;

	open_plain(_i);
	retort_on(server, "/", .body = "yes");
	for (size_t i = 0; i < 8; i++)
		held[i] = connect_client();
	TURN_UNTIL(retort_stats(server).accepted == 8);
	fd = connect_client();
	TURN_UNTIL(retort_stats(server).accepted == 9);
	allow_descriptors(4);
	say(fd, "GET / HTTP/1.0\r\n\r\n");
	/* it is not waited for */
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(ended(1)->status, 200);
	allow_descriptors(DESCRIPTORS);
	assert_verdict(NULL);
	for (size_t i = 0; i < 8; i++)
		(void)close(held[i]);
	(void)close(fd);
	close_server();
}
END_TEST

/* The descriptor of epoll_wait(2) is no epoll any more. */
START_TEST(a_loop_that_cannot_go_on_says_so)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), epoll;

	ck_assert_int_ge(null, 0);
	/* the next one is the server's first */
	epoll = dup(null);
	(void)close(epoll);
	open_plain(_i);
	ck_assert_int_eq(dup2(null, epoll), epoll);
	retort_wake(server);
	if (way->drive == OWN_THREAD)
		ck_assert_ptr_null(retort_wait(server, .timeout = PATIENCE));
	else
		ck_assert_int_eq(retort_step(server, PATIENCE), -EINVAL);
	assert_verdict("server: Invalid argument\n");
	ck_assert_str_eq(finish(0),
		"the server cannot go on: Invalid argument\n");
	(void)close(null);
	close_server();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("datagram");
	TCase *tcase = tcase_create("waiting");

	rt_test_loop(tcase, more_wait_than_there_may_be_descriptors, 0,
		BASIC_WAYS);
	rt_test_loop(tcase, the_limit_of_descriptors_is_lowered, 0, BASIC_WAYS);
	rt_test_case(suite, tcase);
	tcase = tcase_create("over");
	for (int i = 0; RT_TEST_IO == RETORT_IO_EPOLL && i < BASIC_WAYS; i += 2)
		tcase_add_loop_test(tcase, a_loop_that_cannot_go_on_says_so, i,
			i + 1);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
