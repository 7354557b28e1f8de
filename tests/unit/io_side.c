/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/io_side.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rt_io *io;

void
open_io(int way)
{
	enum retort_io back_end = way % 2 ? RETORT_IO_POLL : RT_TEST_IO;
	int error = rt_io_open(&io, back_end, way / 2 != 0);

	ck_assert_msg(error == 0, "rt_io_open: %s", strerror(-error));
	ck_assert_str_eq(io->back_end->name,
		way % 2 ? "poll" : RT_TEST_IO_NAME);
}

bool
is_one_descriptor(int way)
{
	return way % 2 == 0 && RT_TEST_IO != RETORT_IO_POLL;
}

void
open_side(struct side *side)
{
	int pair[2];

	ck_assert_int_eq(rt_sock_pair(pair), 0);
	rt_chan_init(&side->chan, pair[0], 0);
	side->peer = pair[1];
}

void
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

void
limit_buffers(const struct side *side, int size)
{
	ck_assert_int_eq(setsockopt(side->chan.fd, SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof size),
		0);
	ck_assert_int_eq(setsockopt(side->peer, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof size),
		0);
}

void
close_peer(struct side *side)
{
	if (side->peer >= 0)
		(void)close(side->peer);
	side->peer = -1;
}

void
close_side(struct side *side)
{
	rt_io_drop(io, &side->chan);
	ck_assert_int_eq(side->chan.fd, -1);
	close_peer(side);
}

void
begin(int way, struct side *side)
{
	open_io(way);
	open_side(side);
}

void
begin_tcp(int way, struct side *side)
{
	open_io(way);
	open_tcp_side(side);
}

void
end(struct side *side)
{
	close_side(side);
	rt_io_close(io);
}

void
reset_peer(struct side *side)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	ck_assert_int_eq(setsockopt(side->peer, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof at_once),
		0);
	close_peer(side);
}

void
want_recv(struct side *side, size_t size)
{
	side->chan.in.verb = RT_RECV;
	side->chan.in.recv.data = side->data;
	side->chan.in.recv.size = size;
}

void
want_send(struct side *side, const char *text)
{
	struct rt_op *out = &side->chan.out;

	out->verb = RT_SEND;
	out->more = false;
	out->send.count = 1;
	out->send.pieces[0].iov_base = (char *)(uintptr_t)text;
	out->send.pieces[0].iov_len = strlen(text);
}

void
put(struct side *side, const char *text)
{
	ck_assert(client_send_text(side->peer, text));
}

void
wait_for(struct side *side)
{
	ck_assert_int_eq(rt_io_wait(io, &side->chan), 0);
}

void
wait_to_receive(struct side *side, size_t size)
{
	want_recv(side, size);
	ck_assert_uint_eq(rt_io_try(io, &side->chan), 0);
	wait_for(side);
}

int64_t
in_ms(int ms)
{
	return rt_io_clock(io) + ms * RT_MS;
}

int64_t
patience(void)
{
	return in_ms(RT_TEST_PATIENCE * 1000);
}

struct rt_chan *
next_ready(unsigned *what)
{
	int64_t until = patience();
	struct rt_chan *chan;

	while ((chan = rt_io_next(io, what)) == NULL) {
		ck_assert_msg(rt_io_clock(io) < until, "no channel is ready");
		ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, until), 0);
	}
	return chan;
}

void
expect_ready(struct side *side, unsigned expected)
{
	unsigned what;

	ck_assert_ptr_eq(next_ready(&what), &side->chan);
	ck_assert_msg(what == expected, "expected %u, got %u", expected, what);
}

void
wait_until_ready(struct side *side)
{
	wait_for(side);
	expect_ready(side, 0);
}

void
expect_quiet(void)
{
	int64_t until = in_ms(30);
	unsigned what;

	ck_assert_int_eq(rt_io_sleep(io, RT_NEVER, until), 0);
	ck_assert_ptr_null(rt_io_next(io, &what));
	ck_assert_msg(rt_io_now(io) >= until,
		"woke %lld ns early with nothing to do",
		(long long)(until - rt_io_now(io)));
}

void
expect_in(struct side *side, int64_t result)
{
	unsigned did = rt_io_try(io, &side->chan);

	ck_assert_msg(did == RT_IN_DONE, "expected an end inward, got %u", did);
	ck_assert_msg(side->chan.in.result == result, "expected %lld, got %lld",
		(long long)result, (long long)side->chan.in.result);
}

void
expect_out(struct side *side, int64_t result)
{
	unsigned did = rt_io_try(io, &side->chan);

	ck_assert_msg(did == RT_OUT_DONE, "expected an end outward, got %u",
		did);
	ck_assert_msg(side->chan.out.result == result,
		"expected %lld, got %lld", (long long)result,
		(long long)side->chan.out.result);
}

void
add_ways(Suite *suite, const char *name, const TTest *const *tests, int ways)
{
	TCase *tcase = tcase_create(name);

	for (; *tests != NULL; tests++)
		tcase_add_loop_test(tcase, *tests, 0, ways);
	rt_test_case(suite, tcase);
}
