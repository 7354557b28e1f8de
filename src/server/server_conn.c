/* SPDX-License-Identifier: MIT */
/* How a connection begins, borrows buffers and ends. Called by server.c, and by
   server_stop.c for connections that are cut off. */
#include "config.h"

#include "server/server_parts.h"

#include <stdlib.h>

/* Objects kept for the next connections, at most. */
#define SPARE_CONNS 64
#define SPARE_BUFFERS 32

struct rt_served *
rt_server_new_conn(struct retort *server, int fd, const struct rt_peer *peer)
{
	struct rt_served *served = server->spare_conns;

	if (served == NULL) {
		served = malloc(sizeof *served);
	} else {
		server->spare_conns = served->next;
		server->spare_conn_count--;
	}
	if (served == NULL)
		return NULL;
	rt_conn_open(&served->conn, fd, peer, &server->config,
		rt_io_now(server->io));
	served->conn.chan.kind = RT_KIND_CONN;
	served->number = ++server->number;
	server->journal.accepted++;
	served->tls = NULL;
	served->tls_faults = NULL;
	served->record = NULL;
	served->past = NULL;
	served->tunnel = NULL;
	served->head_told = false;
	served->put_off = false;
	served->replied = false;
	served->place = 0;
	served->ends = RETORT_NOTHING;
	served->client_fin_told = served->server_fin_told = false;
	served->chance = (struct rt_chance){.drawn = false};
	served->next_replied = NULL;
	served->next = server->conns;
	if (served->next != NULL)
		served->next->link = &served->next;
	served->link = &server->conns;
	server->conns = served;
	server->open++;
	return served;
}

bool
rt_server_lend(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_buffers *buffers = server->spare_buffers;

	if (conn->buffers != NULL)
		return true;
	if (buffers != NULL) {
		server->spare_buffers = buffers->next;
		server->spare_buffers_count--;
	} else {
		buffers = rt_buffers_new();
	}
	if (buffers == NULL)
		rt_conn_fail(conn);
	return buffers != NULL && rt_conn_lend(conn, buffers) == 0;
}

static void
return_buffers(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_buffers *buffers = rt_conn_unlend(conn);

	if (buffers == NULL)
		return;
	rt_server_discharge(server, buffers);
	if (server->spare_buffers_count == SPARE_BUFFERS) {
		rt_buffers_free(buffers);
		return;
	}
	buffers->next = server->spare_buffers;
	server->spare_buffers = buffers;
	server->spare_buffers_count++;
}

void
rt_server_rest(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (conn->state != RT_STATE_IDLE)
		return;
	if (server->open <= SPARE_BUFFERS &&
		(rt_conn_is_kept(conn) || served->tls != NULL))
		rt_server_discharge(server, conn->buffers);
	else
		return_buffers(server, served);
}

static void
forget_replied(struct retort *server, const struct rt_served *served)
{
	struct rt_served **at = &server->replied;

	while (*at != NULL && *at != served)
		at = &(*at)->next_replied;
	if (*at != NULL)
		*at = served->next_replied;
}

/* Whether TLS has begun after a reply, and its handshake is under way. */
static bool
in_handshake(const struct rt_served *served)
{
	return served->tls != NULL && !served->tls->ready;
}

/* Closes its socket, or resets it. */
static void
close_conn(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (conn->chan.out.verb == RT_RESET)
		rt_sock_reset_when_closed(conn->chan.fd);
	if (served->tls != NULL && rt_conn_is_between(conn))
		rt_server_tell_end(server, served);
	rt_io_drop(server->io, channel_of(served));
}

/* Reports the end of the last exchange, unless that was reported, and that of
   the connection. */
static void
tell_end(struct retort *server, struct rt_served *served)
{
	bool told;

	if (server->event == NULL)
		return;
	told = rt_conn_is_between(&served->conn) && !in_handshake(served);
	if (!told)
		rt_server_report(server, served, RETORT_ON_END, NULL, 0);
	if (told || (server->event_all && !served->conn.chan.shared))
		rt_server_report(server, served, RETORT_ON_CLOSE, NULL, 0);
}

/* Reports and records the end. */
static void
report_end(struct retort *server, struct rt_served *served)
{
	bool recorded = served->record != NULL || served->past != NULL;

	if (server->event_all)
		rt_server_report_fins(server, served);
	if (recorded)
		rt_server_close_record(server, served);
	tell_end(server, served);
	if (recorded)
		rt_server_drop_record(server, served);
	if (served->tls != NULL) {
		rt_journal_note_tls(&server->journal, served);
		rt_server_end_tls(served);
	}
}

/* Gives back its buffers, and keeps it for the next one or frees it. */
static void
free_conn(struct retort *server, struct rt_served *served)
{
	return_buffers(server, served);
	if (served->tunnel != NULL)
		rt_blob_drop(served->tunnel);
	forget_replied(server, served);
	if (server->lingering == served)
		server->lingering = NULL;
	rt_server_forget_pushes(server, served);
	*served->link = served->next;
	if (served->next != NULL)
		served->next->link = served->link;
	server->open--;
	if (server->spare_conn_count == SPARE_CONNS) {
		free(served);
	} else {
		served->next = server->spare_conns;
		server->spare_conns = served;
		server->spare_conn_count++;
	}
}

void
rt_server_end_conn(struct retort *server, struct rt_served *served)
{
	const struct rt_conn *conn = &served->conn;

	close_conn(server, served);
	if (conn->protocol == RETORT_TCP && conn->nth > conn->ended)
		count_answered(server);
	report_end(server, served);
	free_conn(server, served);
	if (server->paused)
		rt_server_resume(server);
	if (server->open <= server->short_open / 2)
		server->short_open = 0;
	if (server->open == 0)
		server->careful = false;
	/* the last that was answered through a listener's socket */
	if (server->open == 0 && server->stopping)
		rt_server_close_listeners(server);
	rt_server_changed(server);
}
