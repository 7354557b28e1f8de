/* SPDX-License-Identifier: MIT */
/* Without HTTP: the framing says whether the bytes that arrived are one piece,
   several, or a part of one. */
#include "config.h"

#include "conn/conn_parts.h"

#include <errno.h>
#include <string.h>

/* There is no answer to it, and no way to tell where the next begins. */
static void
ignore(struct rt_conn *conn, const char *reason)
{
	conn->buffers->parsed = conn->buffers->in.len;
	conn->reason = reason;
	ask(conn, RT_ASK_IGNORE);
}

/* Without its mask it may be shorter, and then the next one is nearer. */
static void
take(struct rt_conn *conn, size_t size)
{
	struct rt_buffers *buffers = conn->buffers;
	struct rt_buf *in = &buffers->in;
	char *piece = in->data + buffers->parsed;
	size_t left = rt_framing_unmask(&conn->config->framing, piece, size);

	buffers->parsed += left;
	in->len -= size - left;
	if (left < size)
		memmove(piece + left, piece + size, in->len - buffers->parsed);
}

void
rt_conn_take_piece(struct rt_conn *conn, size_t known)
{
	const struct rt_buffers *buffers = conn->buffers;
	const struct rt_buf *in = &buffers->in;
	/* more may have arrived with a request of HTTP */
	size_t most = in->len < RT_MAX_PIECE ? in->len : RT_MAX_PIECE;
	int size = rt_framing_next(&conn->config->framing,
		in->data + buffers->parsed, most - buffers->parsed, known);

	if (size > 0) {
		take(conn, (size_t)size);
		conn->complete = true;
		ask(conn, RT_ASK_ANSWER);
	} else if (size == -EBADMSG) {
		ignore(conn, "the head of a piece is malformed");
	} else if (size < 0 || most == RT_MAX_PIECE) {
		ignore(conn, "a piece is longer than 65536 bytes");
	}
}

void
rt_conn_last_piece(struct rt_conn *conn)
{
	conn->buffers->parsed = conn->buffers->in.len;
	conn->reason = "the client finished within a piece";
	ask(conn, RT_ASK_ANSWER);
}

void
rt_conn_late_piece(struct rt_conn *conn)
{
	ignore(conn, "a piece took too long");
}
