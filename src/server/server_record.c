/* SPDX-License-Identifier: MIT */
/* Reports the events of a connection to its owner, and records them. Called by
   server.c and server_answer.c. */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#include <string.h>

/* Bytes of a body that are kept, if any are, however full it is. */
#define KEPT_ALWAYS (64u << 10)

/* More than all states together have. */
#define MAX_STATES (4u << 10)

void
rt_server_report(struct retort *server, const struct rt_served *served,
	enum retort_event event, const void *bytes, size_t size)
{
	char client[RT_PEER_TEXT];
	struct retort_exchange view;

	if (server->event == NULL)
		return;
	view = rt_journal_view(served, rt_io_clock(server->io), client);
	server->event(server->event_arg, event, &view, bytes, size);
}

void
rt_server_report_fins(struct retort *server, struct rt_served *served)
{
	const struct rt_conn *conn = &served->conn;

	if (conn->client_close == RETORT_FIN && !served->client_fin_told) {
		served->client_fin_told = true;
		rt_server_report(server, served, RETORT_ON_CLIENT_FIN, NULL, 0);
	}
	if (conn->server_close == RETORT_FIN && !served->server_fin_told) {
		served->server_fin_told = true;
		rt_server_report(server, served, RETORT_ON_SERVER_FIN, NULL, 0);
	}
}

/* Whether its record is for others to read. */
static bool
is_kept(const struct retort *server, const struct rt_served *served)
{
	return server->recorded && served->record != NULL &&
		rt_record_is_kept(served->record);
}

void
rt_server_charge(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_buffers *buffers = conn->buffers;
	struct rt_journal *journal = &server->journal;
	size_t held = 0;

	/* what any connection may hold is not counted */
	if (buffers->in.room > server->config.max_in + KEPT_ALWAYS)
		held += buffers->in.room;
	if (buffers->content.room > KEPT_ALWAYS)
		held += buffers->content.room;
	if (held == buffers->charged)
		return;
	journal->used += held - buffers->charged;
	buffers->charged = held;
	if (journal->used >= journal->max)
		rt_conn_keep(conn, KEPT_ALWAYS);
}

void
rt_server_discharge(struct retort *server, struct rt_buffers *buffers)
{
	server->journal.used -= buffers->charged;
	buffers->charged = 0;
}

void
rt_server_open_record(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_record *record;

	if (!server->recorded && !server->route.looks && !server->route.reads)
		return;
	/* the record of a greeting becomes that of the request or first
	   piece */
	if (served->record != NULL && conn->nth == 0 &&
		!rt_record_is_past(served->record)) {
		rt_record_forget_request(served->record);
		return;
	}
	if (is_kept(server, served) && !served->record->published)
		server->journal.lost++;
	record = rt_journal_open(&server->journal, served,
		rt_io_now(server->io));
	server->journal.lost += record == NULL;
	/* the record of the last one tells nothing of the present request */
	if (record != NULL || served->record != NULL)
		served->past = record ? NULL : served->record;
	served->record = record;
}

void
rt_server_record_datagram(struct retort *server, struct rt_served *served,
	const struct rt_op *in)
{
	rt_server_open_record(server, served);
	if (is_kept(server, served))
		rt_record_received(served->record, in->recv.data,
			(size_t)in->result, rt_io_now(server->io));
}

void
rt_server_record_in(struct retort *server, struct rt_served *served)
{
	const struct rt_op *in = &served->conn.chan.in;
	int64_t now;

	if (!is_kept(server, served))
		return;
	now = rt_io_now(server->io);
	if (in->result > 0)
		rt_record_received(served->record, in->recv.data,
			(size_t)in->result, now);
	else if (in->result == 0)
		rt_record_event(served->record, RT_RECORD_CLIENT_FIN, now);
}

void
rt_server_record_out(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	const struct rt_op *out = &conn->chan.out;
	int64_t now;

	if (!is_kept(server, served) || out->result < 0)
		return;
	now = rt_io_now(server->io);
	if (out->verb != RT_FINISH)
		rt_record_sent(served->record, out,
			served->tls ? served->tls->file.data :
				      rt_io_scratch(server->io),
			now);
	if (out->verb == RT_FINISH || out->ended)
		rt_record_event(served->record, RT_RECORD_SERVER_FIN, now);
}

void
rt_server_record_tls(struct retort *server, struct rt_served *served)
{
	const struct rt_tls *tls = served->tls;

	if (tls->shook_in + tls->shook_out == 0)
		return;
	if (served->record == NULL && served->conn.nth == 0)
		rt_server_open_record(server, served);
	if (is_kept(server, served))
		rt_record_shake(served->record, served, rt_io_now(server->io));
	else
		served->shaken = true;
}

void
rt_server_changed(struct retort *server)
{
	/* who steps it waits by steps */
	if (server->threaded)
		(void)pthread_cond_broadcast(&server->changed);
}

void
rt_server_publish(struct retort *server, struct rt_served *served)
{
	struct rt_record *record = served->record;

	if (!is_kept(server, served) || record->published)
		return;
	/* without memory it is tried again at the end */
	(void)rt_journal_publish(&server->journal, record);
	rt_server_changed(server);
}

/* Records the states in which the request arrives, if a rule sets any. 0 or
   -ENOMEM. */
static int
keep_states(struct retort *server, const struct rt_served *served)
{
	const struct rt_states *states = &server->route.states;
	struct rt_buf text;
	int code = 0;

	if (!server->route.in_states)
		return 0;
	rt_buf_init(&text, MAX_STATES);
	rt_states_say(states, served->place, &text);
	if (rt_buf_text(&text) == NULL ||
		rt_record_in(served->record, text.data) < 0)
		code = -ENOMEM;
	rt_buf_free(&text);
	return code;
}

const struct retort_exchange *
rt_server_keep_request(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_record *record = served->record;

	/* rules that were added later are for other requests; or there was no
	   memory for the record of this one */
	if (record == NULL || rt_record_is_ruleless(record) || record->ended)
		return NULL;
	if (record->strings != NULL)
		return &record->seen;
	if (rt_record_request(record, conn, KEPT_ALWAYS,
		    rt_io_now(server->io)) < 0 ||
		keep_states(server, served) < 0)
		return NULL;
	rt_record_note_tls(record, served);
	return &record->seen;
}

/* Whether a request has begun, and has not come to its end. */
static bool
has_begun(const struct rt_conn *conn)
{
	if (rt_conn_is_http(conn))
		return conn->received > 0;
	return !conn->chan.shared && conn->buffers != NULL &&
		conn->buffers->in.len > 0;
}

void
rt_server_end_exchange(struct retort *server, struct rt_served *served)
{
	if (served->record != NULL) {
		rt_record_end_exchange(served->record, served,
			rt_io_clock(server->io));
		served->record = rt_journal_keep(served->record);
		rt_server_changed(server);
	}
	rt_server_report(server, served, RETORT_ON_END, NULL, 0);
	served->chance.drawn = false;
}

void
rt_server_close_record(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_record *record =
		served->record ? served->record : served->past;

	/* the request broke off before it could be refused */
	if (!record->published && has_begun(conn) &&
		rt_server_keep_request(server, served) != NULL) {
		record->seen.reason = "the connection broke off";
		rt_server_publish(server, served);
	}
	if (is_kept(server, served) && !record->published && conn->received > 0)
		server->journal.lost++;
	if (conn->client_close == RETORT_RST)
		rt_record_event(record, RT_RECORD_CLIENT_RST,
			rt_io_now(server->io));
	if (conn->server_close == RETORT_RST)
		rt_record_event(record, RT_RECORD_SERVER_RST,
			rt_io_now(server->io));
	else if (conn->server_close == RETORT_FIN)
		rt_record_event(record, RT_RECORD_CLOSED,
			rt_io_now(server->io));
	rt_record_end(record, served, rt_io_clock(server->io));
	/* a handshake that failed has no other record */
	if (is_kept(server, served) && !record->published &&
		record->event_count > 0)
		server->journal.parting = record;
}

void
rt_server_drop_record(struct retort *server, struct rt_served *served)
{
	struct rt_record *record =
		served->record ? served->record : served->past;

	rt_journal_close(record);
	server->journal.parting = NULL;
	served->record = NULL;
	served->past = NULL;
	rt_server_changed(server);
}

void
rt_server_keep_why(struct retort *server, struct rt_record *record,
	const char *why)
{
	if (record == NULL || record->why != NULL)
		return;
	record->why = strdup(why ? why : "no memory to say why");
	/* the verdict must not be empty */
	server->journal.lost += record->why == NULL;
}
