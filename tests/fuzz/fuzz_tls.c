/* SPDX-License-Identifier: MIT */
/*
 * Wire bytes to the server's side of TLS: whatever comes, and however it is cut,
 * it asks for more, or fails and stays so, and holds a bounded amount.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz/fuzz.h"
#include "tls/tls.h"

#define STEPS 1000000 /* more than these: it does not end */
#define MOST ((size_t)1 << 20)

struct run {
	struct rt_tls *tls;
	struct rt_chan plain;
	char room[512];
	const uint8_t *data;
	size_t size;
	size_t given;
	uint64_t seed;
	int64_t now;
};

static uint32_t
below(struct run *run, uint32_t bound)
{
	return fuzz_below(&run->seed, bound);
}

/* A connection that receives, and perhaps sends. */
static void
want(struct run *run)
{
	struct rt_chan *plain = &run->plain;

	plain->in.verb = RT_RECV;
	plain->in.recv.data = run->room;
	plain->in.recv.size = sizeof run->room;
	plain->out.verb = below(run, 2) ? RT_SEND :
		below(run, 8)           ? RT_NOTHING :
					  RT_TELL;
	plain->out.tell = (enum rt_tell)below(run, 2);
	plain->out.send.count = 1;
	plain->out.send.pieces[0].iov_base = run->room;
	plain->out.send.pieces[0].iov_len = 1 + below(run, sizeof run->room);
}

/* The wire's turn; false: nothing is left to come. */
static bool
turn(struct run *run)
{
	struct rt_op *in = &run->tls->wire.in, *out = &run->tls->wire.out;
	size_t n = 1 + below(run, below(run, 2) ? 16 : 8192);

	must(run->tls->out.room <= MOST);
	if (out->verb != RT_NOTHING) {
		must(out->verb == RT_SEND || out->verb == RT_FLUSH);
		if (out->verb == RT_SEND)
			out->result = 1 +
				below(run,
					(uint32_t)out->send.pieces[0].iov_len);
		else
			out->result = below(run, 2) ? 0 : -EAGAIN;
		must(rt_tls_done(run->tls, &run->plain, RT_OUT_DONE) == 0);
		return true;
	}
	if (run->tls->until > run->now) {
		run->now = run->tls->until;
		return true;
	}
	must(in->verb == RT_RECV);
	if (n > in->recv.size)
		n = in->recv.size;
	if (n > run->size - run->given)
		n = run->size - run->given;
	memcpy(in->recv.data, run->data + run->given, n);
	run->given += n;
	in->result = (int64_t)n;
	must(rt_tls_done(run->tls, &run->plain, RT_IN_DONE) == 0);
	return n > 0;
}

/* What faults do to the bytes that it sends. */
static void
edit(struct run *run)
{
	struct rt_wire_list list = {NULL, 0, 0};

	for (uint32_t n = below(run, 4); n > 0; n--)
		must(rt_wire_add(&list,
			(struct rt_wire_edit){
				.act = (enum rt_wire_act)below(run, 4),
				.unit = (enum rt_wire_unit)below(run, 3),
				.after = below(run, below(run, 2) ? 4 : 2000),
				.plus = below(run, 100),
				.time = below(run, 3),
			}));
	must(rt_tls_edit(run->tls, &list));
}

static void
run_one(const struct rt_tls_server *server, const uint8_t *data, size_t size,
	uint64_t seed)
{
	struct run run = {.data = data, .size = size, .seed = seed};
	bool more = true;
	int steps = 0;

	run.tls = rt_tls_new(server, -1, 0, NULL);
	must(run.tls != NULL);
	rt_chan_init(&run.plain, -1, 0);
	edit(&run);
	want(&run);
	for (;;) {
		unsigned done = rt_tls_try(run.tls, &run.plain, run.now);

		must(steps++ < STEPS);
		if (run.tls->cut)
			break;
		if (done == 0) {
			more = turn(&run) && more;
			continue;
		}
		if ((done & RT_IN_DONE) && run.plain.in.result <= 0)
			break;
		if ((done & RT_OUT_DONE) &&
			run.plain.out.result <
				(run.plain.out.verb == RT_SEND ? 1 : 0))
			break;
		want(&run);
	}
	if (run.tls->failed < 0 && !run.tls->cut)
		must(run.plain.in.result == run.tls->failed ||
			run.plain.out.result == run.tls->failed);
	rt_tls_free(run.tls);
}

static const struct rt_tls_server *
open_server(void)
{
	static struct rt_tls_server *server;
	const struct retort_options options = {.tls_min = RETORT_TLS_1_0,
		.tls_client = RETORT_TLS_CLIENT_WANTED};
	char error[RETORT_ERROR_SIZE];

	if (server == NULL &&
		rt_tls_open(&server, &options, (int64_t)time(NULL), error) <
			0) {
		(void)fprintf(stderr, "%s\n", error);
		exit(1);
	}
	return server;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_one(open_server(), data, size, fuzz_seed(data, size));
	return 0;
}

static void
replay(uint8_t *data, size_t size)
{
	for (uint64_t seed = 0; seed < 50; seed++)
		run_one(open_server(), data, size, seed);
}

const struct fuzz fuzz = {.replay = replay};
