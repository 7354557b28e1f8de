/* SPDX-License-Identifier: MIT */
/*
 * Ends connections before they end by themselves: when the server stops, when
 * enough requests were answered, when somebody wants it. Called by server.c.
 */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>

#include "base/text.h"

/* Bytes of a request line that stopping shows. */
#define MAX_LINE 200

/* Why a reply has not ended, by its next step. */
static const char *
what_holds(enum rt_step_kind step)
{
	return step == RT_STEP_PAUSE  ? ", paused" :
		step == RT_STEP_STALL ? ", stalled" :
		step == RT_STEP_MORE  ? ", which is open" :
					", which the client does not take";
}

/* Where a connection is in its exchange. */
static const char *
what_lasts(const struct rt_conn *conn)
{
	static const char *const states[] = {
		[RT_STATE_IDLE] = "nothing arrived",
		[RT_STATE_HEAD] = "in the head of the request",
		[RT_STATE_BODY] = "in the body of the request",
		[RT_STATE_WAIT] = "its reply was not made",
		[RT_STATE_REPLY] = "in the reply",
	};

	if (conn->asked == RT_ASK_HALT)
		return "no more of the request is read";
	if (conn->state == RT_STATE_HEAD && !rt_conn_is_http(conn))
		return "in a piece";
	return states[conn->state];
}

/* Describes a connection that is cut off. */
static void
add_left(struct retort *server, const struct rt_served *served)
{
	const struct rt_conn *conn = &served->conn;
	const struct rt_buffers *buffers = conn->buffers;
	char client[RT_PEER_TEXT];
	struct rt_span line = {0, 0};

	if (conn->state > RT_STATE_REPLY ||
		(conn->state == RT_STATE_IDLE && conn->nth > 0))
		return;
	/* one that has sent nothing may have no buffers */
	if (buffers != NULL)
		line = rt_http_line(buffers->http, buffers->in.data,
			buffers->in.len);
	rt_buf_add_format(&server->left, "connection %llu, %s, ",
		(unsigned long long)served->number,
		rt_sock_peer_text(&conn->peer, client));
	rt_text_quote(&server->left,
		line.size > 0 ? buffers->in.data + line.at : "", line.size,
		MAX_LINE);
	rt_buf_add_format(&server->left, ": %s", what_lasts(conn));
	if (buffers != NULL && conn->state == RT_STATE_REPLY &&
		conn->asked != RT_ASK_HALT)
		rt_buf_add_text(&server->left,
			what_holds(rt_play_next(&buffers->play)));
	rt_buf_add_format(&server->left, "; %llu bytes received, %llu sent\n",
		(unsigned long long)conn->received,
		(unsigned long long)conn->sent);
}

/* Takes back what add_left() has added after `before` bytes, unless the
   connection was cut off. */
static void
keep_left(struct retort *server, const struct rt_served *served, size_t before)
{
	if (served->conn.state != RT_STATE_OVER ||
		served->conn.end != RETORT_STOPPED)
		server->left.len = before;
}

void
rt_server_stop_others(struct retort *server, enum rt_stop why,
	const struct rt_served *current)
{
	struct rt_served *next;

	for (struct rt_served *served = server->conns; served != NULL;
		served = next) {
		size_t size = server->left.len;

		next = served->next;
		add_left(server, served);
		rt_conn_stop(&served->conn, why);
		keep_left(server, served, size);
		if (served->conn.state == RT_STATE_OVER && served != current)
			rt_server_end_conn(server, served);
	}
}

void
rt_server_abandon(struct retort *server)
{
	struct rt_served *next;

	for (struct rt_served *served = server->conns; served != NULL;
		served = next) {
		size_t size = server->left.len;

		next = served->next;
		add_left(server, served);
		rt_conn_abandon(&served->conn);
		keep_left(server, served, size);
		rt_server_end_conn(server, served);
	}
}

void
rt_server_have_enough(struct retort *server, const struct rt_served *current)
{
	server->enough = false;
	server->stopping = true;
	rt_server_close_listeners(server);
	rt_server_stop_others(server, RT_STOP_ENOUGH, current);
}

int
rt_server_end(struct retort *server, uint64_t connection,
	enum retort_ending how)
{
	struct rt_served *served = server->conns;

	if (server->config.protocol == RETORT_UDP)
		return -ENOTSUP;
	while (served != NULL && served->number != connection)
		served = served->next;
	if (served == NULL || served->conn.state == RT_STATE_OVER)
		return -ENOENT;
	if (how == RETORT_RST && served->conn.local)
		return -ENOTSUP;
	served->ends = (uint8_t)how;
	server->ends_wanted = true;
	return 0;
}

void
rt_server_end_wanted(struct retort *server)
{
	struct rt_served *next;

	if (!server->ends_wanted)
		return;
	server->ends_wanted = false;
	for (struct rt_served *served = server->conns; served != NULL;
		served = next) {
		next = served->next;
		if (served->ends == RETORT_NOTHING)
			continue;
		if (served->record != NULL)
			served->record->answered = true;
		rt_conn_end_now(&served->conn,
			(enum retort_ending)served->ends);
		rt_server_end_conn(server, served);
	}
}
