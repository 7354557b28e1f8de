/* SPDX-License-Identifier: MIT */
/* Open replies, and what is said between pieces: pushed bytes wait here until
   their connection asks for them. Bytes that a connection is sending never
   move. */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Most bytes that wait for a client, framing among them. */
#define MAX_PUSHED (1u << 20)

/* "100000", two CR LF */
#define MAX_FRAMING 16u

/* The pushed bytes of one connection: those that it is sending, and others. */
struct rt_pushes {
	struct rt_served *served;
	struct rt_buf given;
	struct rt_buf waiting;
	bool ends;   /* after these the reply, or the connection, ends */
	bool ended;  /* the connection was given the end */
	bool is_new; /* the connection was not told */
	struct rt_pushes *next;
};

static struct rt_pushes *
find_pushes(const struct retort *server, const struct rt_served *served)
{
	struct rt_pushes *pushes = server->pushes;

	while (pushes != NULL && pushes->served != served)
		pushes = pushes->next;
	return pushes;
}

static struct rt_pushes *
need_pushes(struct retort *server, struct rt_served *served)
{
	struct rt_pushes *pushes = find_pushes(server, served);

	if (pushes != NULL)
		return pushes;
	pushes = calloc(1, sizeof *pushes);
	if (pushes == NULL)
		return NULL;
	pushes->served = served;
	rt_buf_init(&pushes->given, MAX_PUSHED + MAX_FRAMING);
	rt_buf_init(&pushes->waiting, MAX_PUSHED + MAX_FRAMING);
	pushes->next = server->pushes;
	server->pushes = pushes;
	return pushes;
}

void
rt_server_drop_pushes(struct retort *server, const struct rt_served *served)
{
	struct rt_pushes **at = &server->pushes, *pushes;

	while (*at != NULL && (*at)->served != served)
		at = &(*at)->next;
	pushes = *at;
	if (pushes == NULL)
		return;
	*at = pushes->next;
	rt_buf_free(&pushes->given);
	rt_buf_free(&pushes->waiting);
	free(pushes);
}

struct rt_served *
rt_server_pushed(struct retort *server)
{
	for (struct rt_pushes *pushes = server->pushes; pushes != NULL;
		pushes = pushes->next) {
		bool is_new = pushes->is_new;

		pushes->is_new = false;
		if (is_new &&
			(pushes->served->conn.rest == RT_REST_MORE ||
				rt_conn_is_between_pieces(
					&pushes->served->conn)))
			return pushes->served;
	}
	return NULL;
}

/* The connection with that number; NULL: it is over, or was never. */
static struct rt_served *
find(const struct retort *server, uint64_t connection)
{
	struct rt_served *served = server->conns;

	while (served != NULL && served->number != connection)
		served = served->next;
	return served;
}

/* Adds bytes, framed, unless too many wait already. 0 or -errno. */
static int
add(struct rt_pushes *pushes, bool in_chunks, const void *bytes, size_t size)
{
	struct rt_buf *to = &pushes->waiting;

	if (size > MAX_PUSHED)
		return -EMSGSIZE;
	if (to->len > 0 && to->len + size + MAX_FRAMING > MAX_PUSHED)
		return -EAGAIN;
	/* a chunk of no bytes would be the last */
	if (size > 0 && in_chunks)
		rt_reply_add_chunk(to, bytes, size);
	else
		rt_buf_add(to, bytes, size);
	return to->failed ? -ENOMEM : 0;
}

/* The reply that is under way and open; NULL: there is none. */
static const struct rt_reply *
open_reply(const struct rt_conn *conn)
{
	return conn->buffers != NULL &&
			conn->buffers->reply.body >= RT_BODY_OPEN ?
		&conn->buffers->reply :
		NULL;
}

int
rt_server_push(struct retort *server, uint64_t connection, const void *bytes,
	size_t size)
{
	struct rt_served *served = find(server, connection);
	struct rt_pushes *pushes;
	const struct rt_reply *reply;
	size_t before;
	int code;

	if (served == NULL)
		return connection > 0 && connection <= server->number ? -EPIPE :
									-ENOENT;
	if (served->conn.state > RT_STATE_REPLY)
		return -EPIPE;
	reply = open_reply(&served->conn);
	pushes = find_pushes(server, served);
	/* on a kept connection the last reply, which was open, is over */
	if (reply == NULL && !rt_conn_may_say(&served->conn))
		return pushes != NULL && pushes->ends ? -EPIPE : -ENOENT;
	pushes = need_pushes(server, served);
	if (pushes == NULL)
		return -ENOMEM;
	/* the end was that of an earlier reply */
	if (pushes->ended && served->conn.state < RT_STATE_REPLY)
		pushes->ends = pushes->ended = false;
	if (pushes->ends)
		return -EPIPE;
	before = pushes->waiting.len;
	code = bytes ?
		add(pushes, reply != NULL && reply->body == RT_BODY_IN_CHUNKS,
			bytes, size) :
		0;
	if (code < 0) {
		pushes->waiting.len = before;
		pushes->waiting.failed = false;
		return code;
	}
	pushes->ends = bytes == NULL;
	pushes->is_new = true;
	return 0;
}

/* Moves the bytes that wait to those that are given: the earlier ones were
   sent. Who waits for room has it now. */
static void
take(struct retort *server, struct rt_pushes *pushes)
{
	struct rt_buf given = pushes->given;

	rt_buf_clear(&given, MAX_PUSHED);
	pushes->given = pushes->waiting;
	pushes->waiting = given;
	pushes->ended = pushes->ends;
	if (pushes->given.len > 0)
		rt_server_changed(server);
}

void
rt_server_give(struct retort *server, struct rt_served *served)
{
	struct rt_pushes *pushes = find_pushes(server, served);
	int64_t now = rt_io_now(server->io);

	if (pushes == NULL) {
		rt_conn_give(&served->conn, NULL, 0, false, now);
		return;
	}
	take(server, pushes);
	rt_conn_give(&served->conn, pushes->given.data, pushes->given.len,
		pushes->ends, now);
}

bool
rt_server_has_more(const struct retort *server, const struct rt_served *served)
{
	const struct rt_pushes *pushes = find_pushes(server, served);

	return pushes != NULL &&
		(pushes->waiting.len > 0 || (pushes->ends && !pushes->ended));
}

void
rt_server_say(struct retort *server, struct rt_served *served)
{
	struct rt_pushes *pushes = find_pushes(server, served);
	struct rt_reply *reply = &served->conn.buffers->reply;

	take(server, pushes);
	rt_reply_reset(reply);
	reply->idle = served->conn.idle_timeout;
	if (pushes->given.len > 0)
		rt_reply_step(reply,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = pushes->given.data,
				.size = pushes->given.len});
	rt_reply_step(reply,
		(struct rt_step){
			.kind = pushes->ends ? RT_STEP_CLOSE : RT_STEP_NEXT});
	if (rt_reply_ok(reply))
		rt_conn_answer(&served->conn, rt_io_now(server->io));
	else
		rt_conn_fail(&served->conn);
}
