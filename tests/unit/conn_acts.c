/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/conn_line.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct word ends[] = {
	{"answered", RETORT_ANSWERED}, {"closed", RETORT_CLOSED},
	{"reset", RETORT_RESET}, {"timed-out", RETORT_TIMED_OUT},
	{"stopped", RETORT_STOPPED}, {"truncated", RETORT_TRUNCATED},
	{"failed", RETORT_FAILED}, {"unanswered", RETORT_UNANSWERED}, {NULL, 0}
};
static const struct word closes[] = {
	{"-", RETORT_NOTHING}, {"FIN", RETORT_FIN}, {"RST", RETORT_RST},
	{NULL, 0}
};
static const struct word endings[] = {
	{"flush", RT_STEP_FLUSH}, {"more", RT_STEP_MORE},
	{"await", RT_STEP_AWAIT}, {"next", RT_STEP_NEXT},
	{"stall", RT_STEP_STALL}, {"half", RT_STEP_HALF},
	{"close", RT_STEP_CLOSE}, {"reset", RT_STEP_RESET}, {NULL, 0}
};
static const struct word keeps[] = {
	{"not", RT_KEEP_NOT}, {"told", RT_KEEP_TOLD}, {"yes", RT_KEEP}, {"said", RT_KEEP_SAID},
	{NULL, 0}
};
static const struct word stops[] = {
	{"told", RT_STOP_TOLD}, {"enough", RT_STOP_ENOUGH}, {NULL, 0}
};
/* clang-format on */

/* --- the client and the clock --- */

static void
must_lend(struct hand *hand, int64_t result)
{
	must(hand, rt_conn_lend(&hand->conn, hand->buffers) == result,
		"lending does not return %d", (int)result);
}

static void
act_receive(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_conn *conn = &hand->conn;
	const struct word *end = next_of(line, errors);
	struct bytes bytes;

	if (end != NULL) {
		if (conn->buffers == NULL)
			must_lend(hand, 0);
		must(hand, conn->chan.in.verb == RT_RECV, "nothing is read");
		rt_conn_in_done(conn, -end->value, hand->now);
		return;
	}
	bytes = next_bytes(line);
	hand->taken = give(hand, bytes.data, bytes.size);
	must_be(hand, "what was received", hand->taken, bytes.size);
	bytes_free(&bytes);
}

static void
act_offer(struct line *line)
{
	struct bytes bytes = next_bytes(line);

	line->hand->taken = give(line->hand, bytes.data, bytes.size);
	bytes_free(&bytes);
}

/* It is only counted, and so need not be there. */
static void
act_flood(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_conn *conn = &hand->conn;
	int64_t left = next_number(line);

	while (left > 0 && conn->asks == RT_ASK_NOTHING &&
		conn->chan.in.verb == RT_RECV) {
		int64_t n = (int64_t)conn->chan.in.recv.size;

		must(hand, conn->chan.in.recv.data == hand->scratch,
			"it is looked at");
		n = n < left ? n : left;
		left -= n;
		rt_conn_in_done(conn, n, hand->now);
	}
	must_be(hand, "what was not received", (uint64_t)left, 0);
}

static void
act_drip(struct line *line)
{
	struct hand *hand = line->hand;
	struct bytes bytes = next_bytes(line);
	/* of hundreds of thousands, valgrind would take half a minute */
	size_t piece = under_valgrind() && bytes.size > 10000 ? 13 : 1, n;

	hand->taken = 0;
	do {
		n = bytes.size - hand->taken;
		n = give(hand, bytes.data + hand->taken, n < piece ? n : piece);
		hand->taken += n;
	} while (n > 0 && hand->taken < bytes.size);
	bytes_free(&bytes);
}

static bool
is_sending(const struct hand *hand)
{
	enum rt_verb verb = hand->conn.chan.out.verb;

	return verb == RT_SEND || verb == RT_FILE;
}

static void
act_send(struct line *line)
{
	struct hand *hand = line->hand;
	const struct word *error = next_of(line, errors);
	size_t size;

	if (error != NULL || next_is(line, "nothing")) {
		rt_conn_out_done(&hand->conn, error != NULL ? -error->value : 0,
			hand->now);
		return;
	}
	if (next_is(line, "by")) {
		size = (size_t)next_number(line);
		while (is_sending(hand))
			must(hand, take(hand, size) > 0, "nothing was sent");
		return;
	}
	/* its FIN, too */
	if (next_is(line, "all")) {
		must(hand, hand->conn.chan.out.ends, "it sends no FIN");
		hand->conn.chan.out.ended = true;
	}
	if (!is_number(line)) {
		(void)take(hand, SIZE_MAX);
		return;
	}
	size = (size_t)next_number(line);
	must_be(hand, "what was sent", take(hand, size), size);
}

static void
expire(struct hand *hand)
{
	struct rt_conn *conn = &hand->conn;

	must(hand, conn->chan.deadline != RT_NEVER, "there is no deadline");
	must(hand, conn->chan.deadline >= hand->now, "its time is over");
	hand->now = conn->chan.deadline;
	rt_conn_expired(conn, hand->now);
}

static void
act_expire(struct line *line)
{
	expire(line->hand);
}

static void
act_deliver(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_conn *conn = &hand->conn;
	bool each = next_is(line, "by");
	size_t some = is_number(line) ? (size_t)next_number(line) : 0;

	while (conn->state == RT_STATE_REPLY) {
		if (conn->chan.out.verb == RT_NOTHING) {
			expire(hand);
			continue;
		}
		if (conn->chan.out.verb == RT_FLUSH)
			rt_conn_out_done(conn, 0, hand->now);
		else if (each)
			(void)take(hand, some);
		else if (some > 0)
			some -= take(hand, some);
		else
			(void)take(hand, SIZE_MAX);
		must(hand,
			conn->coming != RT_COMING_NOTHING ||
				conn->chan.in.verb == RT_NOTHING,
			"it receives after the end");
	}
	must(hand, conn->state == RT_STATE_FINISH, "it does not finish");
	must(hand, conn->chan.out.verb == RT_FINISH, "it sends no FIN");
}

static void
act_finish(struct line *line)
{
	struct hand *hand = line->hand;

	must(hand, hand->conn.chan.out.verb == RT_FINISH, "it sends no FIN");
	rt_conn_out_done(&hand->conn, next_error(line), hand->now);
}

static void
act_flush(struct line *line)
{
	struct hand *hand = line->hand;

	must(hand, hand->conn.chan.out.verb == RT_FLUSH, "it does not flush");
	rt_conn_out_done(&hand->conn, next_error(line), hand->now);
}

static void
act_pass(struct line *line)
{
	line->hand->now += next_number(line);
}

static void
act_took(struct line *line)
{
	struct hand *hand = line->hand;

	must(hand, rt_conn_is_held_up(&hand->conn, hand->now),
		"it is not held up");
	rt_conn_took(&hand->conn, hand->now - next_number(line));
}

static void
act_wake(struct line *line)
{
	rt_conn_expired(&line->hand->conn, line->hand->now);
}

static void
act_replied(struct line *line)
{
	rt_conn_replied(&line->hand->conn);
}

static void
act_give(struct line *line)
{
	struct hand *hand = line->hand;
	size_t size = 0;
	const char *text = next_text(line, &size);

	rt_conn_give(&hand->conn, text, size, next_is(line, "last"), hand->now);
}

static void
act_pushed(struct line *line)
{
	rt_conn_pushed(&line->hand->conn);
}

static void
act_break(struct line *line)
{
	rt_conn_broken(&line->hand->conn);
}

static void
act_leave(struct line *line)
{
	must(line->hand, line->hand->conn.chan.watched, "it is not watched");
	rt_conn_ended(&line->hand->conn);
}

/* --- the owner --- */

static void
open_conn(struct hand *hand)
{
	static const struct rt_peer nobody;

	if (hand->conn.buffers != NULL)
		(void)rt_conn_unlend(&hand->conn);
	rt_conn_open(&hand->conn, -1, &nobody, &hand->config, hand->now);
	hand->sent.size = 0;
}

static void
read_framing(struct line *line, struct rt_framing *framing)
{
	struct bytes text = next_bytes(line);
	char error[RETORT_ERROR_SIZE] = "";

	must(line->hand, rt_framing_read(framing, text.data, error) == 0, "%s",
		error);
	bytes_free(&text);
}

static void
act_open(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_conn_config *config = &hand->config;

	*config = (struct rt_conn_config){
		.limits = {.target = 8192, .head = 65536, .fields = 100},
		.idle_timeout = IDLE_TIMEOUT,
		.head_timeout = HEAD_TIMEOUT,
		.body_timeout = BODY_TIMEOUT,
		.write_timeout = WRITE_TIMEOUT,
		.max_in = MAX_IN,
		.scratch = hand->scratch,
		.scratch_size = sizeof hand->scratch,
	};
	while (!at_end(line)) {
		if (next_is(line, "tcp"))
			config->protocol = RETORT_TCP;
		else if (next_is(line, "keep"))
			config->keep_alive = true;
		else if (next_is(line, "exchanges="))
			config->exchanges = (uint64_t)next_number(line);
		else if (next_is(line, "linger"))
			config->linger = true;
		else if (next_is(line, "tells"))
			config->tells = true;
		else if (next_is(line, "proxied"))
			config->proxied = true;
		else if (next_is(line, "framing="))
			read_framing(line, &config->framing);
		else if (next_is(line, "max="))
			config->max_in = (size_t)next_number(line);
		else if (next_is(line, "idle="))
			config->idle_timeout = next_number(line);
		else if (next_is(line, "head="))
			config->head_timeout = next_number(line);
		else if (next_is(line, "body="))
			config->body_timeout = next_number(line);
		else if (next_is(line, "write="))
			config->write_timeout = next_number(line);
		else
			return;
	}
	open_conn(hand);
}

static void
act_datagram(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_op in = {.verb = RT_RECV_FROM};
	size_t size = 0, length = 0;
	const char *text = next_text(line, &size), *because = NULL;

	must(hand, text != NULL, "expected bytes");
	in.result = (int64_t)size;
	in.recv.data = (char *)(uintptr_t)text;
	in.recv.from = &hand->sender;
	in.recv.truncated = next_is(line, "truncated");
	if (next_is(line, "because"))
		because = next_text(line, &length);
	(void)snprintf(hand->reason, sizeof hand->reason, "%.*s", (int)length,
		because != NULL ? because : "");
	because = because != NULL ? hand->reason : NULL;
	hand->config.protocol = RETORT_UDP;
	open_conn(hand);
	hand->conn.chan.shared = true;
	hand->sender.size = 16;
	memset(&hand->sender.name, 0x5a, sizeof hand->sender.name);
	must_lend(hand, 0);
	rt_conn_datagram(&hand->conn, &in, because);
	must(hand, hand->conn.reason == because, "it has another reason");
	/* it has a copy */
	memset(&hand->sender, 0, sizeof hand->sender);
	must_be(hand, "received", hand->conn.received, size);
	must_be(hand, "what is read", hand->conn.chan.in.verb, RT_NOTHING);
}

static void
act_lend(struct line *line)
{
	must_lend(line->hand, next_error(line));
}

static void
act_unlend(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_buffers *lent = hand->conn.buffers;

	must(hand, lent == NULL || lent == hand->buffers, "a strange one");
	must(hand, rt_conn_unlend(&hand->conn) == lent, "it was another one");
	must(hand, hand->conn.buffers == NULL, "it was kept");
}

static void
act_greet(struct line *line)
{
	struct hand *hand = line->hand;

	must_lend(hand, 0);
	rt_conn_greet(&hand->conn);
	must_ask(hand, RT_ASK_GREET);
}

static void
act_read(struct line *line)
{
	struct rt_reading reading = {.early = false};

	while (!at_end(line)) {
		if (next_is(line, "early=")) {
			reading.early = true;
			reading.early_at = (uint64_t)next_number(line);
		} else if (next_is(line, "twice")) {
			reading.twice = true;
		} else if (next_is(line, "stop=")) {
			reading.stops = true;
			reading.stop = (uint64_t)next_number(line);
		} else if (next_is(line, "pace="))
			reading.pace = (uint64_t)next_number(line);
		else if (next_is(line, "gap="))
			reading.gap = next_number(line);
		else if (next_is(line, "delay="))
			reading.delay = next_number(line);
		else
			return;
	}
	rt_conn_set_reading(&line->hand->conn, &reading);
}

static void
act_read_on(struct line *line)
{
	uint64_t size = is_number(line) ? (uint64_t)next_number(line) : 0;

	rt_conn_read_on(&line->hand->conn, size, line->hand->now);
}

static void
act_want(struct line *line)
{
	struct hand *hand = line->hand;
	uint64_t most =
		is_number(line) ? (uint64_t)next_number(line) : UINT64_MAX;
	size_t keep = 0;

	if (next_is(line, "keep"))
		keep = is_number(line) ? (size_t)next_number(line) : KEPT;
	must_ask(hand, RT_ASK_ROUTE);
	rt_conn_want_body(&hand->conn, most, keep, hand->now);
}

static void
next_step(struct line *line, struct rt_reply *reply)
{
	struct rt_step step = {.kind = RT_STEP_BYTES};
	bool text = next_is(line, "text");
	size_t size = 0;

	if (next_is(line, "file")) {
		step.kind = RT_STEP_FILE;
		step.at = (uint64_t)next_number(line);
		must(line->hand, next_is(line, "+"), "expected +SIZE");
		step.size = (uint64_t)next_number(line);
	} else if (next_is(line, "pause")) {
		step.kind = RT_STEP_PAUSE;
		step.at = (uint64_t)next_number(line);
	} else if (next_is(line, "repeat")) {
		step.kind = RT_STEP_REPEAT;
		step.bytes = next_text(line, &size);
		step.at = size;
		if (next_is(line, "from"))
			step.from = (uint64_t)next_number(line);
		must(line->hand, next_is(line, "size"), "expected a size");
		step.size = (uint64_t)next_number(line);
	} else if ((step.bytes = next_text(line, &size)) == NULL) {
		step.kind = (enum rt_step_kind)must_have(line, endings);
	} else if (text) {
		step.kind = RT_STEP_TEXT;
		step.at = reply->text.len;
		rt_buf_add(&reply->text, step.bytes, size);
		step.size = size;
	} else {
		step.size = size;
	}
	rt_reply_step(reply, step);
}

/* What comes after it. */
static void
become(struct rt_reply *reply, enum retort_next next)
{
	reply->steps[reply->step_count - 1].at = next;
}

static void
act_reply(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_reply *reply = &hand->buffers->reply;

	rt_reply_reset(reply);
	while (!at_end(line)) {
		if (next_is(line, "pace="))
			rt_reply_step(reply,
				(struct rt_step){.kind = RT_STEP_PACE,
					.size = (uint64_t)next_number(line)});
		else if (next_is(line, "gap="))
			reply->steps->at = (uint64_t)next_number(line);
		else if (next_is(line, "idle="))
			reply->idle = next_number(line);
		else if (next_is(line, "to-http"))
			become(reply, RETORT_NEXT_HTTP);
		else if (next_is(line, "to-bytes"))
			become(reply, RETORT_NEXT_BYTES);
		else if (next_is(line, "to-tls"))
			become(reply, RETORT_NEXT_TLS);
		else if (next_is(line, "deaf"))
			reply->struck.deaf = true;
		else
			next_step(line, reply);
	}
	must(hand, rt_reply_ok(reply), "the script failed");
	rt_conn_answer(&hand->conn, hand->now);
}

static void
answer(struct hand *hand)
{
	struct rt_draft draft = {.reply = &hand->buffers->reply};

	rt_draft_raw(&draft, 200, ANSWER, strlen(ANSWER));
	rt_conn_answer(&hand->conn, hand->now);
}

static void
act_answer(struct line *line)
{
	answer(line->hand);
}

/* The bytes lie where they were received. */
static void
act_echo(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_reply *reply = &hand->buffers->reply;
	struct rt_step step = {.kind = RT_STEP_BYTES};
	size_t size;

	step.bytes = rt_conn_body(&hand->conn, &size);
	step.size = size;
	must(hand, size > 0, "there is nothing to echo");
	rt_reply_reset(reply);
	rt_reply_step(reply, step);
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_NEXT});
	rt_conn_answer(&hand->conn, hand->now);
}

static void
act_defer(struct line *line)
{
	struct hand *hand = line->hand;
	int64_t time = next_number(line);

	rt_conn_defer(&hand->conn,
		time == RT_NEVER ? RT_NEVER : hand->now + time);
}

/* What was sent is counted from here on. */
static void
act_done(struct line *line)
{
	struct hand *hand = line->hand;

	must_ask(hand, RT_ASK_DONE);
	must_be(hand, "its end", hand->conn.end, RETORT_ANSWERED);
	rt_conn_done(&hand->conn, hand->now);
	hand->sent.size = 0;
}

static void
act_told(struct line *line)
{
	must_ask(line->hand, RT_ASK_TELL);
	rt_conn_told(&line->hand->conn);
}

static void
act_keeps(struct line *line)
{
	struct hand *hand = line->hand;
	int64_t keep = must_have(line, keeps);

	must(hand, rt_conn_may_keep(&hand->conn) == keep, "it is %s",
		name_of(keeps, rt_conn_may_keep(&hand->conn)));
}

static void
act_next(struct line *line)
{
	must_ask(line->hand, RT_ASK_NEXT);
	must(line->hand, !line->hand->conn.complete, "it is complete");
	rt_conn_next(&line->hand->conn, line->hand->now);
}

static void
act_join(struct line *line)
{
	must_ask(line->hand, RT_ASK_ANSWER);
	rt_conn_more(&line->hand->conn);
}

static void
act_see(struct line *line)
{
	struct hand *hand = line->hand;

	must_ask(hand, RT_ASK_REFUSE);
	must(hand, rt_conn_see_refused(&hand->conn), "more of the head comes");
}

static void
act_see_more(struct line *line)
{
	struct hand *hand = line->hand;

	act_see(line);
	must(hand, rt_conn_may_read_refused(&hand->conn), "no more can come");
	rt_conn_read_refused(&hand->conn, hand->now);
}

static void
act_all_seen(struct line *line)
{
	struct hand *hand = line->hand;

	must_ask(hand, RT_ASK_REFUSE);
	(void)rt_conn_see_refused(&hand->conn);
	must(hand, !rt_conn_may_read_refused(&hand->conn), "more can come");
}

static void
act_fail(struct line *line)
{
	rt_conn_fail(&line->hand->conn);
}

static void
act_stop(struct line *line)
{
	rt_conn_stop(&line->hand->conn, (enum rt_stop)must_have(line, stops));
}

static void
act_abandon(struct line *line)
{
	rt_conn_abandon(&line->hand->conn);
}

/* What becomes of its bytes was cut. */
static void
act_cut_off(struct line *line)
{
	const struct word *ending = next_of(line, endings);

	must(line->hand, ending != NULL, "that is no ending");
	rt_conn_cut(&line->hand->conn, (enum rt_step_kind)ending->value);
}

/* --- what must follow --- */

static void
check_deadline(struct line *line)
{
	struct hand *hand = line->hand;
	int64_t deadline = hand->conn.chan.deadline, left = next_number(line);

	must(hand,
		left == RT_NEVER ? deadline == RT_NEVER :
				   deadline - hand->now == left,
		"the deadline is another one");
}

static void
check_over(struct line *line)
{
	struct hand *hand = line->hand;
	const struct rt_conn *conn = &hand->conn;
	enum retort_end end = (enum retort_end)must_have(line, ends);
	enum rt_verb verb = next_is(line, "reset") ? RT_RESET : RT_CLOSE;

	must(hand, conn->end == end, "it ended as %s",
		name_of(ends, (int64_t)conn->end));
	must(hand, conn->chan.in.verb == RT_NOTHING, "it receives");
	must(hand, conn->chan.out.verb == verb, "it does not %s",
		name_of(wants, (int64_t)verb));
	must(hand, conn->chan.deadline == RT_NEVER, "it has a deadline");
}

static void
check_state(struct line *line, enum rt_state state)
{
	struct hand *hand = line->hand;
	const struct rt_chan *chan = &hand->conn.chan;

	must(hand, hand->conn.state == state, "it is elsewhere");
	must(hand, hand->conn.asks == RT_ASK_NOTHING, "it asks something");
	if (state == RT_STATE_OVER) {
		check_over(line);
	} else if (!at_end(line)) {
		enum rt_verb in = (enum rt_verb)must_have(line, wants);

		must(hand, chan->in.verb == in, "it wants something else in");
		must(hand, next_is(line, "/"), "expected IN/OUT");
		must(hand, chan->out.verb == must_have(line, wants),
			"it wants something else out");
		must(hand,
			in != RT_RECV || hand->conn.buffers == NULL ||
				chan->in.recv.size > 0,
			"there is no room to receive");
		if (!at_end(line))
			check_deadline(line);
	}
}

/* It is to be answered, being complete, or not to be read further. */
static void
check_answer(struct hand *hand, enum rt_ask ask)
{
	const struct rt_conn *conn = &hand->conn;
	bool complete = ask != RT_ASK_HALT && conn->buffers->shown == 0;

	must_ask(hand, ask);
	must_be(hand, "what was asked", conn->asked, ask);
	must_be(hand, "the status", (uint64_t)conn->status, 0);
	must(hand, conn->complete == complete, "complete: %d", conn->complete);
}

static void
act_asks(struct line *line)
{
	struct hand *hand = line->hand;

	if (next_is(line, "answer"))
		check_answer(hand, RT_ASK_ANSWER);
	else if (next_is(line, "halt"))
		check_answer(hand, RT_ASK_HALT);
	else if (is_number(line)) {
		must_ask(hand, RT_ASK_REFUSE);
		must_be(hand, "the status", (uint64_t)hand->conn.status,
			(uint64_t)next_number(line));
	} else
		must_ask(hand, (enum rt_ask)must_have(line, asks));
}

static void
act_refused(struct line *line)
{
	struct hand *hand = line->hand;
	struct rt_conn *conn = &hand->conn;
	struct bytes reason;

	must_ask(hand, RT_ASK_REFUSE);
	must_be(hand, "the status", (uint64_t)conn->status,
		(uint64_t)next_number(line));
	must(hand, !conn->complete, "it is complete");
	reason = next_bytes(line);
	must_be_bytes(hand, "the reason", conn->reason, strlen(conn->reason),
		&reason);
	bytes_free(&reason);
	/* and the refusal goes out as any answer does */
	play(hand, "answer; deliver; sent ANSWER");
}

static void
act_closes(struct line *line)
{
	struct hand *hand = line->hand;
	const struct rt_conn *conn = &hand->conn;

	must(hand, conn->client_close == must_have(line, closes),
		"the client did %s", name_of(closes, conn->client_close));
	must(hand, next_is(line, "/"), "expected CLIENT/SERVER");
	must(hand, conn->server_close == must_have(line, closes),
		"the server did %s", name_of(closes, conn->server_close));
	must(hand, conn->client_first == next_is(line, "first"),
		"the client was the first: %d", conn->client_first);
}

static void
act_sent(struct line *line)
{
	struct hand *hand = line->hand;
	struct bytes expected = next_bytes(line);

	must_be_bytes(hand, "what was sent", hand->sent.data, hand->sent.size,
		&expected);
	must_be(hand, "its count", hand->conn.sent, expected.size);
	bytes_free(&expected);
}

static void
act_sends(struct line *line)
{
	struct hand *hand = line->hand;
	const struct rt_op *out = &hand->conn.chan.out;
	struct bytes expected = next_bytes(line), got = {.data = NULL};

	must(hand, out->verb == RT_SEND || out->verb == RT_SEND_TO, "no send");
	for (int i = 0; i < out->send.count; i++)
		bytes_add(&got, out->send.pieces[i].iov_base,
			out->send.pieces[i].iov_len);
	must_be_bytes(hand, "what is sent", got.data, got.size, &expected);
	bytes_free(&expected);
	bytes_free(&got);
	if (out->verb != RT_SEND_TO)
		return;
	must_be(hand, "the address's size", out->send.to->size, 16);
	must_be(hand, "the address's byte",
		((const unsigned char *)&out->send.to->name)[3], 0x5a);
}

static void
act_file(struct line *line)
{
	struct hand *hand = line->hand;
	const struct rt_op *out = &hand->conn.chan.out;

	must_be(hand, "what is sent", out->verb, RT_FILE);
	must_be(hand, "its place", out->file.at, (uint64_t)next_number(line));
	must(hand, next_is(line, "+"), "expected AT+SIZE");
	must_be(hand, "its size", out->file.size, (uint64_t)next_number(line));
}

static void
check_body(struct line *line)
{
	struct bytes expected = next_bytes(line);
	size_t size = 12345;
	const char *body = rt_conn_body(&line->hand->conn, &size);

	must_be_bytes(line->hand, "the body", body, size, &expected);
	bytes_free(&expected);
}

static void
act_body(struct line *line)
{
	check_body(line);
}

static void
act_kept(struct line *line)
{
	const struct rt_buffers *buffers = line->hand->buffers;
	struct bytes expected = next_bytes(line);
	bool cut;

	must_be_bytes(line->hand, "what is kept", buffers->in.data,
		rt_conn_raw(&line->hand->conn, &cut), &expected);
	bytes_free(&expected);
}

static void
act_piece(struct line *line)
{
	struct hand *hand = line->hand;

	must(hand, hand->conn.asked != RT_ASK_GREET, "it is a greeting");
	must_be(hand, "its number", hand->conn.nth,
		(uint64_t)next_number(line));
	check_body(line);
	check_answer(hand, hand->conn.reason ? RT_ASK_IGNORE : RT_ASK_ANSWER);
}

/* Cut off, by the client's end or for a reason. */
static void
check_cut_off(struct line *line, enum rt_ask ask)
{
	struct hand *hand = line->hand;

	must_ask(hand, ask);
	must(hand, !hand->conn.complete, "it is complete");
	must(hand, hand->conn.reason != NULL, "nothing says why");
}

static void
act_last_piece(struct line *line)
{
	check_cut_off(line, RT_ASK_ANSWER);
	must_be(line->hand, "its number", line->hand->conn.nth,
		(uint64_t)next_number(line));
	check_body(line);
	must(line->hand,
		strcmp(line->hand->conn.reason,
			"the client finished within a piece") == 0,
		"the reason: %s", line->hand->conn.reason);
}

/* The owner has it closed. */
static void
act_ignored(struct line *line)
{
	struct bytes reason = next_bytes(line);
	const char *why = line->hand->conn.reason;

	check_cut_off(line, RT_ASK_IGNORE);
	must_be_bytes(line->hand, "the reason", why, strlen(why), &reason);
	bytes_free(&reason);
	play(line->hand, "reply close; FINISH; finish");
}

/* Counts and flags of the connection, by their names. */
static void
check_flag(struct line *line, const char *name, bool flag)
{
	bool expected = strncmp(line->hand->play, "no-", 3) != 0;

	must(line->hand, flag == expected, "%s: %d", name, flag);
}

static bool
is_count(struct line *line)
{
	struct hand *hand = line->hand;
	const struct rt_conn *conn = &hand->conn;
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"script", conn->buffers->play.sent},
		{"received", conn->received},
		{"nth", conn->nth},
		{"taken", hand->taken},
		{"room", conn->chan.in.recv.size},
	};

	for (size_t i = 0; i < COUNT(counts); i++)
		if (next_is(line, counts[i].name)) {
			must_be(hand, counts[i].name, counts[i].count,
				(uint64_t)next_number(line));
			return true;
		}
	return false;
}

static bool
is_flag(struct line *line)
{
	const struct rt_conn *conn = &line->hand->conn;
	const struct {
		const char *name;
		bool flag;
	} flags[] = {
		{"complete", conn->complete},
		{"greeting", conn->asked == RT_ASK_GREET},
		{"truncated", conn->truncated},
		{"halted", conn->asked == RT_ASK_HALT},
		{"watched", conn->chan.watched},
		{"still-sending", conn->still_sending},
		{"lingers", rt_conn_lingers(conn)},
		{"more", conn->chan.out.more},
	};

	if (strncmp(line->at, "no-", 3) == 0)
		line->at += 3;
	for (size_t i = 0; i < COUNT(flags); i++)
		if (next_is(line, flags[i].name)) {
			check_flag(line, flags[i].name, flags[i].flag);
			return true;
		}
	return false;
}

static const struct {
	const char *name;
	void (*act)(struct line *line);
} acts[] = {
	{"receive", act_receive},
	{"offer", act_offer},
	{"drip", act_drip},
	{"flood", act_flood},
	{"send", act_send},
	{"deliver", act_deliver},
	{"finish", act_finish},
	{"flush", act_flush},
	{"pass", act_pass},
	{"took", act_took},
	{"expire", act_expire},
	{"wake", act_wake},
	{"replied", act_replied},
	{"give", act_give},
	{"pushed", act_pushed},
	{"break", act_break},
	{"leave", act_leave},
	{"open", act_open},
	{"datagram", act_datagram},
	{"lend", act_lend},
	{"unlend", act_unlend},
	{"greet", act_greet},
	{"read-on", act_read_on},
	{"read", act_read},
	{"want", act_want},
	{"reply", act_reply},
	{"answer", act_answer},
	{"echo", act_echo},
	{"defer", act_defer},
	{"next", act_next},
	{"join", act_join},
	{"see", act_see},
	{"see-more", act_see_more},
	{"all-seen", act_all_seen},
	{"done", act_done},
	{"told", act_told},
	{"keeps", act_keeps},
	{"fail", act_fail},
	{"stop", act_stop},
	{"abandon", act_abandon},
	{"cut-off", act_cut_off},
	{"asks", act_asks},
	{"refused", act_refused},
	{"closes", act_closes},
	{"sent", act_sent},
	{"sends", act_sends},
	{"file", act_file},
	{"body", act_body},
	{"kept", act_kept},
	{"piece", act_piece},
	{"last-piece", act_last_piece},
	{"ignored", act_ignored},
};

void
act(struct line *line)
{
	const struct word *state = next_of(line, states);

	if (state != NULL) {
		check_state(line, (enum rt_state)state->value);
		return;
	}
	for (size_t i = 0; i < COUNT(acts); i++)
		if (next_is(line, acts[i].name)) {
			acts[i].act(line);
			return;
		}
	must(line->hand, is_count(line) || is_flag(line),
		"there is no such statement");
}
