/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/conn_play.h"

#include <stdlib.h>
#include <string.h>

void
hand_open(struct hand *hand)
{
	*hand = (struct hand){.now = 1000 * MS, .play = ""};
	bytes_add(&hand->sent, "", 0);
	hand->buffers = rt_buffers_new();
	ck_assert_ptr_nonnull(hand->buffers);
	play(hand, "open");
}

void
hand_close(struct hand *hand)
{
	rt_buffers_free(hand->buffers);
	bytes_free(&hand->sent);
}

size_t
give(struct hand *hand, const void *data, size_t size)
{
	struct rt_conn *conn = &hand->conn;
	size_t given = 0;

	if (conn->buffers == NULL)
		must(hand, rt_conn_lend(conn, hand->buffers) == 0, "lend");
	while (given < size && conn->asks == RT_ASK_NOTHING &&
		conn->chan.in.verb == RT_RECV) {
		size_t n = size - given;

		if (n > conn->chan.in.recv.size)
			n = conn->chan.in.recv.size;
		must(hand, n > 0, "there is no room to receive");
		memcpy(conn->chan.in.recv.data, (const char *)data + given, n);
		given += n;
		rt_conn_in_done(conn, (int64_t)n, hand->now);
		must(hand,
			hand->buffers->in.room <=
				hand->config.max_in + MAX_KEPT,
			"it holds more than its maximum");
	}
	return given;
}

void
give_text(struct hand *hand, const char *text)
{
	size_t size = strlen(text);

	must(hand, give(hand, text, size) == size, "it took a part alone");
}

/* The step after `size` more bytes of the script. */
static enum rt_step_kind
next_kind(const struct hand *hand, uint64_t size)
{
	const struct rt_conn *conn = &hand->conn;
	const struct rt_step *step = conn->buffers->play.step;

	size += conn->buffers->play.step_sent;
	for (; rt_has_bytes(step->kind) && size >= step->size; step++)
		size -= step->size;
	return step->kind;
}

/* With MSG_MORE goes only what is followed by bytes, or by the FIN, at once,
   and not a segment. */
static void
check_more(const struct hand *hand, size_t size)
{
	const struct rt_conn *conn = &hand->conn;
	uint64_t pace = hand->buffers->play.pace;
	enum rt_step_kind next =
		conn->interim_left > 0 ? RT_STEP_NEXT : next_kind(hand, size);
	bool within = pace == 0 || size < pace - conn->buffers->play.segment;
	bool ends = within && (next == RT_STEP_CLOSE || next == RT_STEP_HALF);
	bool more = ends || (within && rt_has_bytes(next));

	must(hand, conn->chan.out.more == more,
		"more = %d before a step of kind %d", conn->chan.out.more,
		(int)next);
	must(hand, conn->chan.out.ends == ends,
		"ends = %d before a step of kind %d", conn->chan.out.ends,
		(int)next);
}

static size_t
take_pieces(struct hand *hand, size_t size)
{
	const struct rt_op *op = &hand->conn.chan.out;
	size_t planned = 0, taken = 0;

	must(hand, op->send.count > 0 && op->send.count <= RT_PIECES,
		"%d pieces are to be sent", op->send.count);
	for (int i = 0; i < op->send.count; i++) {
		const struct iovec *piece = op->send.pieces + i;
		size_t n = piece->iov_len;

		must(hand, n > 0 || op->verb == RT_SEND_TO, "an empty piece");
		planned += n;
		if (n > size - taken)
			n = size - taken;
		bytes_add(&hand->sent, piece->iov_base, n);
		taken += n;
	}
	if (op->verb == RT_SEND)
		check_more(hand, planned);
	return taken;
}

/* A file's byte at i is the lowest byte of i. */
static size_t
take_file(struct hand *hand, size_t size)
{
	const struct rt_conn *conn = &hand->conn;
	const struct rt_op *op = &conn->chan.out;
	const struct rt_reply *reply = &hand->buffers->reply;
	const struct rt_step *step = conn->buffers->play.step;
	size_t taken;

	must(hand, op->verb == RT_FILE && op->file.size > 0,
		"expected something to be sent");
	must(hand, op->file.fd == reply->file, "it is not the reply's file");
	must(hand,
		conn->buffers->play.pace > 0 ||
			op->file.at + op->file.size == step->at + step->size,
		"expected all of the file");
	for (taken = 0; taken < size && taken < op->file.size; taken++) {
		char byte = (char)(op->file.at + taken);

		bytes_add(&hand->sent, &byte, 1);
	}
	return taken;
}

size_t
take(struct hand *hand, size_t size)
{
	enum rt_verb verb = hand->conn.chan.out.verb;
	size_t taken = verb == RT_SEND || verb == RT_SEND_TO ?
		take_pieces(hand, size) :
		take_file(hand, size);

	rt_conn_out_done(&hand->conn, (int64_t)taken, hand->now);
	return taken;
}
