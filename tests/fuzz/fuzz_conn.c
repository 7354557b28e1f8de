/* SPDX-License-Identifier: MIT */
/*
 * A whole connection, fed with anything, cut anyhow, and answered as a
 * server would; what is replayed, with several ways to cut it: see fuzz.h.
 *
 * A corpus: http_test --corpus DIR.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "fuzz/fuzz.h"
#include "journal/journal.h"

#define STEPS 1000000 /* more than these: it does not end */

struct run {
	struct rt_conn_config config;
	struct rt_served served;
	struct rt_buffers *buffers;
	const uint8_t *data;
	size_t size;
	size_t given;
	int again; /* this often the same follows once more */
	/* in all, and in exchanges that are over */
	uint64_t received;
	uint64_t taken;
	uint64_t received_before;
	uint64_t taken_before;
	uint64_t seed;
	int64_t now;
	int64_t waits_until;
	size_t piece_at;   /* without HTTP: where the present piece begins */
	size_t piece_size; /* and its bytes, if another is joined to it */
	bool becomes;      /* another protocol, at times */
	bool finished;     /* the client, its FIN or RST was given */
	char scratch[512];
};

static uint32_t
below(struct run *run, uint32_t bound)
{
	return fuzz_below(&run->seed, bound);
}

static void
build_reply(struct run *run)
{
	static const char sizes[] = "1 10 3";
	static const struct retort_reply in_chunks = {.chunks = sizes,
		.interim = "HTTP/1.1 103 Early Hints\r\n\r\n",
		.trailers = "A: b",
		.pause_head = 1,
		.pause_chunk = 1,
		.pause_end = 1};
	struct rt_buffers *x = run->buffers;
	const struct rt_request *request = rt_http_request(x->http);
	struct rt_draft draft = {.reply = &x->reply,
		.head_only = request->method == RT_HEAD};
	uint32_t kind = below(run, 8);

	x->reply.keep = rt_conn_may_keep(&run->served.conn);

	if (run->served.conn.asks == RT_ASK_REFUSE ||
		run->served.conn.asks == RT_ASK_ROUTE) {
		rt_draft_error(&draft,
			run->served.conn.status ? run->served.conn.status : 421,
			run->served.conn.reason, "today");
	} else if (kind == 0) {
		rt_draft_raw(&draft, 200, "raw", 3);
	} else if (kind == 1) {
		rt_reply_reset(&x->reply);
		rt_reply_step(&x->reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = "abc",
				.size = 3});
		rt_reply_step(&x->reply,
			(struct rt_step){.kind = RT_STEP_PAUSE, .at = 1000});
		rt_reply_step(&x->reply,
			(struct rt_step){.kind = RT_STEP_FILE, .size = 1000});
		rt_reply_step(&x->reply,
			(struct rt_step){
				.kind = RT_STEP_STALL + below(run, 3)});
	} else if (kind == 2) {
		rt_draft_begin(&draft, 200, "today");
		rt_draft_body_repeat(&draft, "repeated", 1 + below(run, 8),
			below(run, 20000));
	} else if (kind == 3) {
		draft.own = &in_chunks;
		rt_draft_begin(&draft, 200, "today");
		rt_draft_body_repeat(&draft, "again", 5, below(run, 1000));
	} else {
		/* an echo, as far as it was kept */
		rt_draft_begin(&draft, 200, "today");
		rt_draft_body(&draft, x->in.data, x->parsed);
	}
}

/* What follows a reply that is not the last: mostly the same. */
static uint64_t
draw_next(struct run *run)
{
	static const enum retort_next nexts[] = {RETORT_NEXT_HTTP,
		RETORT_NEXT_BYTES};

	return run->becomes && below(run, 4) == 0 ? nexts[below(run, 2)] :
						    RETORT_NEXT_DEFAULT;
}

/* It is the one that the whole stream has there, however it was cut: a frame
   without its mask. Its bytes in the stream. */
static size_t
check_piece(struct run *run, const char *shown, size_t size)
{
	const struct rt_framing *framing = &run->config.framing;
	const char *rest = (const char *)run->data + run->piece_at;
	size_t came = size;
	char *copy;

	if (run->served.conn.complete && framing->kind != RT_FRAMED_NOT) {
		int next = rt_framing_next(framing, rest,
			run->size - run->piece_at, 0);

		must(next > 0);
		came = (size_t)next;
	}
	must(run->piece_at + came <= run->given);
	copy = fuzz_copy(rest, came);
	must(size ==
		(run->served.conn.complete ?
				rt_framing_unmask(framing, copy, came) :
				came));
	must(size == 0 || memcmp(shown, copy, size) == 0);
	free(copy);
	return came;
}

static void
decide_piece(struct run *run)
{
	struct rt_conn *conn = &run->served.conn;
	size_t before = run->piece_size, size;
	const char *body = rt_conn_body(conn, &size);

	must(size >= before && size <= RT_MAX_PIECE);
	must(conn->complete == (conn->reason == NULL));
	run->piece_at += check_piece(run, size > before ? body + before : NULL,
		size - before);
	if (conn->complete && below(run, 8) == 0) {
		run->piece_size = size;
		rt_conn_more(conn);
		return;
	}
	run->piece_size = 0;
	rt_reply_reset(&run->buffers->reply);
	if (size > 0 && below(run, 4) != 0)
		rt_reply_step(&run->buffers->reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = body,
				.size = size});
	rt_reply_step(&run->buffers->reply,
		(struct rt_step){.kind = conn->asks == RT_ASK_IGNORE ?
				RT_STEP_CLOSE :
				RT_STEP_NEXT,
			.at = draw_next(run)});
	rt_conn_answer(conn, run->now);
}

static void
decide(struct run *run)
{
	struct rt_conn *conn = &run->served.conn;

	if (conn->asks == RT_ASK_NEXT && below(run, 4) != 0) {
		rt_conn_next(conn, run->now);
		return;
	}
	if (conn->asks == RT_ASK_ROUTE && below(run, 8) != 0) {
		if (below(run, 4) == 0)
			rt_conn_set_reading(conn,
				&(struct rt_reading){.early = true,
					.early_at = below(run, 40),
					.twice = below(run, 2) != 0});
		rt_conn_want_body(conn, below(run, 3) ? UINT64_MAX : 3,
			below(run, 2) ? below(run, 40) : 4096, run->now);
		return;
	}
	if (conn->asks == RT_ASK_TELL) {
		rt_conn_told(conn);
		return;
	}
	if (conn->asks == RT_ASK_DONE) {
		must(conn->received + run->received_before <= run->received);
		run->received_before += conn->received;
		run->taken_before += conn->sent;
		rt_conn_done(conn, run->now);
		run->piece_at = run->received_before;
		run->piece_size = 0;
		return;
	}
	/* a rule is for it, or none is */
	if (conn->asks == RT_ASK_REFUSE && below(run, 2) &&
		!rt_conn_see_refused(conn))
		return;
	if (conn->asks == RT_ASK_REFUSE && below(run, 2) &&
		rt_conn_may_read_refused(conn)) {
		rt_conn_read_refused(conn, run->now);
		return;
	}
	/* early: all of it is wanted, or not */
	if (conn->asks == RT_ASK_ANSWER && run->buffers->reading.early &&
		conn->state == RT_STATE_BODY && !conn->complete &&
		below(run, 2)) {
		rt_conn_read_on(conn,
			below(run, 2) ? 0 :
					run->buffers->reading.early_at + 1 +
					below(run, 9),
			run->now);
		return;
	}
	/* at once, in time, or after every time-out; and perhaps again */
	if (conn->asks == RT_ASK_NEXT ||
		(conn->asks == RT_ASK_ANSWER && below(run, 4) == 0)) {
		run->waits_until = run->now + below(run, 3) * 1000000;
		rt_conn_defer(conn, run->waits_until);
		return;
	}
	if (!rt_conn_is_http(conn)) {
		decide_piece(run);
		return;
	}
	build_reply(run);
	if (rt_reply_ending(&run->buffers->reply) == RT_STEP_NEXT)
		run->buffers->reply.steps[run->buffers->reply.step_count - 1]
			.at = draw_next(run);
	must(rt_reply_ok(&run->buffers->reply));
	rt_conn_answer(conn, run->now);
}

/* Bytes up to and with the next empty line, or all. */
static size_t
line_end(const struct run *run)
{
	const uint8_t *from = run->data + run->given;
	size_t left = run->size - run->given;

	for (size_t i = 4; i <= left; i++)
		if (memcmp(from + i - 4, "\r\n\r\n", 4) == 0)
			return i;
	return left;
}

static void
receive(struct run *run)
{
	struct rt_op *in = &run->served.conn.chan.in;
	size_t left = run->size - run->given;
	size_t n = 1 + below(run, below(run, 2) ? 16 : 8192);

	must(in->recv.size > 0);
	if (left == 0 && run->again-- > 0) {
		run->given = 0;
		left = run->size;
	}
	/* often up to the end of the head, so that a client waits there */
	if (below(run, 4) == 0)
		n = line_end(run);
	if (n > in->recv.size)
		n = in->recv.size;
	if (n > left)
		n = left;
	if (n == 0) {
		run->finished = true;
		rt_conn_in_done(&run->served.conn, below(run, 4) ? 0 : -104,
			run->now);
		return;
	}
	memcpy(in->recv.data, run->data + run->given, n);
	run->given += n;
	run->received += n;
	rt_conn_in_done(&run->served.conn, (int64_t)n, run->now);
}

static void
send_some(struct run *run)
{
	struct rt_op *out = &run->served.conn.chan.out;
	uint64_t most = 1 + below(run, below(run, 2) ? 16 : 8192), n = 0;
	volatile char last;

	if (out->verb == RT_FINISH || below(run, 64) == 0) {
		/* a FIN, or a failure, or a file that became shorter */
		rt_conn_out_done(&run->served.conn,
			out->verb == RT_SEND ? -32 : 0, run->now);
		return;
	}
	if (out->verb == RT_FILE) {
		must(out->file.size > 0);
		n = out->file.size < most ? out->file.size : most;
	} else {
		must(out->verb == RT_SEND && out->send.count > 0);
		for (int i = 0; i < out->send.count && n < most; i++) {
			uint64_t size = out->send.pieces[i].iov_len;

			must(size > 0);
			size = size < most - n ? size : most - n;
			/* both ends can be read */
			last = *(char *)out->send.pieces[i].iov_base;
			last = ((char *)out->send.pieces[i].iov_base)[size - 1];
			(void)last;
			n += size;
		}
	}
	run->taken += n;
	out->ended = out->verb == RT_SEND && out->ends &&
		n == rt_op_size(out) && below(run, 2);
	rt_conn_out_done(&run->served.conn, (int64_t)n, run->now);
}

static void
wait_for_nothing(struct run *run)
{
	struct rt_conn *conn = &run->served.conn;

	if (conn->chan.deadline == RT_NEVER) {
		rt_conn_broken(conn);
		return;
	}
	if (conn->chan.deadline > run->now)
		run->now = conn->chan.deadline;
	if (rt_conn_is_held_up(conn, run->now) && below(run, 2) == 0)
		rt_conn_took(conn, run->now - below(run, 9));
	if (conn->asks == RT_ASK_NOTHING && conn->chan.deadline <= run->now)
		rt_conn_expired(conn, run->now);
}

/*
 * An answer that takes longer: neither direction is wanted, a FIN goes
 * unseen, and time alone makes it ask again, for the same answer.
 */
static void
wait_for_the_answer(struct run *run)
{
	struct rt_conn *conn = &run->served.conn;
	int status = conn->status;

	must(conn->asks == RT_ASK_NOTHING);
	must(conn->buffers == run->buffers);
	must(conn->chan.in.verb == RT_NOTHING);
	must(conn->chan.out.verb == RT_NOTHING);
	must(conn->chan.deadline == run->waits_until);
	if (below(run, 16) == 0) {
		rt_conn_broken(conn);
		must(conn->state == RT_STATE_OVER);
		must(conn->end == RETORT_RESET);
	} else if (below(run, 16) == 0) {
		rt_conn_stop(conn, RT_STOP_TOLD);
		must(conn->state == RT_STATE_WAIT);
	} else if (below(run, 16) == 0) {
		rt_conn_stop(conn, RT_STOP_ENOUGH);
		must(conn->state == RT_STATE_OVER);
		must(conn->end == RETORT_STOPPED);
	} else if (below(run, 64) == 0) {
		rt_conn_abandon(conn);
		must(conn->state == RT_STATE_OVER);
		must(conn->end == RETORT_STOPPED);
	} else {
		wait_for_nothing(run);
		must(conn->asks == RT_ASK_ANSWER || conn->asks == RT_ASK_NEXT);
		must(conn->status == status);
	}
}

static void
step(struct run *run)
{
	struct rt_conn *conn = &run->served.conn;
	bool in = conn->chan.in.verb == RT_RECV && !run->finished;
	bool out = conn->chan.out.verb != RT_NOTHING;

	must(conn->chan.in.verb == RT_RECV || conn->chan.in.verb == RT_NOTHING);
	if (conn->asks != RT_ASK_NOTHING) {
		decide(run);
	} else if (conn->state == RT_STATE_WAIT) {
		wait_for_the_answer(run);
	} else if (conn->buffers == NULL) {
		must(rt_conn_lend(conn, run->buffers) == 0);
	} else if (below(run, 512) == 0) {
		rt_conn_stop(conn, (enum rt_stop)below(run, 2));
	} else if (below(run, 1024) == 0) {
		rt_conn_abandon(conn);
	} else if (below(run, 64) == 0 || (!in && !out)) {
		wait_for_nothing(run);
	} else if (in && (!out || below(run, 2))) {
		receive(run);
	} else {
		send_some(run);
	}
	run->now += below(run, 3);
}

/* The connection's own account agrees with what happened to it. */
static void
check_end(struct run *run)
{
	struct rt_conn *conn = &run->served.conn;
	char client[RT_PEER_TEXT], line[4096];
	struct retort_exchange view;
	size_t size;

	must(conn->state == RT_STATE_OVER);
	must(conn->chan.in.verb == RT_NOTHING);
	must(conn->chan.out.verb == RT_CLOSE ||
		conn->chan.out.verb == RT_RESET);
	must(conn->received + run->received_before == run->received);
	must(conn->sent + run->taken_before == run->taken);
	must(run->config.keep_alive || run->received_before == 0 ||
		run->config.protocol == RETORT_TCP);
	/* with what is kept of a body, and its framing; and room to receive */
	must(run->buffers->in.room <= run->config.max_in + 4 * 4096);
	view = rt_journal_view(&run->served, run->now, client);
	for (enum retort_log format = RETORT_LOG_SHORT;
		format <= RETORT_LOG_COMBINED; format++) {
		size = retort_log_line(&view, format, line, sizeof line);
		must(size > 0 && line[size - 1] == '\n');
		for (size_t i = 0; i + 1 < size; i++)
			must(line[i] >= ' ' && line[i] <= '~');
	}
}

/* The record of it: strings that end, and bytes that came. */
static void
check_record(struct run *run)
{
	struct rt_journal journal;
	struct rt_record *record;
	struct rt_buf text;

	rt_journal_init(&journal, 1 << 20);
	record = rt_journal_open(&journal, &run->served, run->now);
	must(record != NULL);
	rt_record_received(record, run->data, run->size, run->now);
	rt_record_event(record, RT_RECORD_CLOSED, run->now);
	must(rt_record_request(record, &run->served.conn, SIZE_MAX / 2,
		     run->now) == 0);
	must(record->seen.raw_size <= run->received);
	must(record->seen.body_size <= run->received);
	must(((const char *)record->seen.body)[record->seen.body_size] == 0);
	for (size_t i = 0; i < record->seen.field_count; i++)
		must(retort_field_of(&record->seen, record->seen.fields[i].name,
			     0) != NULL);
	for (size_t i = 0; i < record->seen.trailer_count; i++)
		must(strlen(record->seen.trailers[i].name) +
				strlen(record->seen.trailers[i].value) <
			run->received);
	rt_record_end(record, &run->served, run->now);
	rt_buf_init(&text, 16 << 20);
	rt_record_transcribe(record, SIZE_MAX, &text);
	must(!text.failed);
	for (size_t i = 0; i < text.len; i++)
		must(text.data[i] == '\n' ||
			(text.data[i] >= ' ' && text.data[i] <= '~'));
	rt_buf_free(&text);
	rt_journal_close(record);
	must(journal.used == 0);
	rt_journal_free(&journal);
}

/* Some connections speak no HTTP. */
static void
choose_protocol(struct run *run)
{
	static const char *const framings[] = {NULL, "lines", "end \"aa\"",
		"length 1", "length 2", "length 4", "mqtt", "websocket"};
	uint32_t chosen = below(run, 4 * sizeof framings / sizeof *framings);

	if (chosen >= sizeof framings / sizeof *framings)
		return;
	if (below(run, 2) == 0)
		run->config.protocol = RETORT_TCP;
	must(rt_framing_read(&run->config.framing, framings[chosen], NULL) ==
		0);
}

static void
run_one(const uint8_t *data, size_t size, uint64_t seed)
{
	static const struct rt_peer nobody;
	struct run run = {.data = data, .size = size, .seed = seed};
	int steps = 0;

	run.config = (struct rt_conn_config){
		.limits = {.target = 300, .head = 3000, .fields = 20},
		.idle_timeout = 1000000,
		.head_timeout = 1000000,
		.body_timeout = 1000000,
		.write_timeout = 1000000,
		.max_in = RT_MAX_PIECE,
		.scratch = run.scratch,
		.scratch_size = sizeof run.scratch,
		.linger = below(&run, 2) != 0,
		.keep_alive = below(&run, 2) != 0,
		.tells = below(&run, 2) != 0,
		.exchanges = below(&run, 4),
		.proxied = size > 0 && (data[0] == 'P' || data[0] == '\r') &&
			below(&run, 2),
	};
	choose_protocol(&run);
	/* pieces are looked up where they stand */
	run.becomes = below(&run, 2) != 0;
	if (run.config.protocol == RETORT_HTTP && !run.becomes)
		run.again = (int)below(&run, 4);
	run.config.proxied &= run.config.protocol == RETORT_HTTP;
	run.buffers = rt_buffers_new();
	must(run.buffers != NULL);
	rt_conn_open(&run.served.conn, -1, &nobody, &run.config, 0);
	while (run.served.conn.state != RT_STATE_OVER) {
		must(steps++ < STEPS);
		step(&run);
	}
	check_end(&run);
	if (run.served.conn.buffers != NULL)
		check_record(&run);
	rt_buffers_free(run.buffers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_one(data, size, fuzz_seed(data, size));
	return 0;
}

static void
replay(uint8_t *data, size_t size)
{
	(void)LLVMFuzzerTestOneInput(data, size);
	for (uint64_t seed = 0; seed < 50; seed++)
		run_one(data, size, seed);
}

const struct fuzz fuzz = {.replay = replay};
