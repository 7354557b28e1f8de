/* SPDX-License-Identifier: MIT */
/*
 * The server: owns listeners, connections and what answers, and takes each
 * connection along its way:
 *
 *	accept_one -> run: receive -> parse (conn) -> route -> answer (route)
 *	-> send (conn) -> end_conn: report, close
 *
 * run() goes on with a connection for as long as something can be done
 * without waiting, so that a request that has already arrived is accepted,
 * read, answered and closed in one turn of the loop.
 */
#include "config.h"

#include "server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Operations on one connection, and accepts, before others have their turn. */
#define RUN_BUDGET 32
#define ACCEPT_BUDGET 64

/* What is kept for the next connections. */
#define SPARE_CONNS 64
#define SPARE_EXCHANGES 32

/* How long accepting pauses when descriptors run out and none is closed. */
#define ACCEPT_PAUSE (100 * RT_MS)

/* Bytes of a request line that stopping shows. */
#define MAX_LINE 200

/* Bytes that say why nothing answers a request. */
#define MAX_WHY (16u << 10)

/* --- telling the owner --- */

static void
report(struct retort *server, const struct rt_conn *conn,
	enum retort_event event, const void *bytes, size_t size)
{
	char client[RT_PEER_TEXT];
	struct retort_exchange view;

	if (server->event == NULL)
		return;
	view = rt_journal_view(conn, rt_io_clock(server->io), client);
	server->event(server->event_arg, event, &view, bytes, size);
}

/* --- keeping records --- */

/* A connection has sent its first bytes; they are kept, if anything is. */
static void
open_record(struct retort *server, struct rt_conn *conn)
{
	if (!server->recorded && server->route.rule_count == 0)
		return;
	conn->record =
		rt_journal_open(&server->journal, conn, rt_io_now(server->io));
	server->journal.lost += conn->record == NULL;
}

/* Whether there is a record for others to read. */
static bool
is_kept(const struct retort *server, const struct rt_conn *conn)
{
	return server->recorded && conn->record != NULL &&
		!conn->record->forgotten;
}

/* An operation is done: its bytes, or an end of the stream, are kept. */
static void
record_in(struct retort *server, struct rt_conn *conn)
{
	const struct rt_op *in = &conn->chan.in;
	int64_t now = rt_io_now(server->io);

	if (in->result > 0 && conn->state == RT_STATE_IDLE)
		open_record(server, conn);
	if (!is_kept(server, conn))
		return;
	if (in->result > 0)
		rt_record_received(conn->record, in->recv.data,
			(size_t)in->result, now);
	else if (in->result == 0)
		rt_record_event(conn->record, RT_RECORD_CLIENT_FIN, now);
}

static void
record_out(struct retort *server, struct rt_conn *conn)
{
	const struct rt_op *out = &conn->chan.out;
	int64_t now = rt_io_now(server->io);

	if (!is_kept(server, conn) || out->result < 0)
		return;
	if (out->verb == RT_FINISH)
		rt_record_event(conn->record, RT_RECORD_SERVER_FIN, now);
	else
		rt_record_sent(conn->record, out, rt_io_scratch(server->io),
			now);
}

static void
changed(struct retort *server)
{
	(void)pthread_cond_broadcast(&server->changed);
}

/* The request has ended, and what answers it is known. */
static void
publish(struct retort *server, struct rt_conn *conn)
{
	struct rt_record *record = conn->record;

	if (!is_kept(server, conn) || record->published)
		return;
	record->seen.status = conn->exchange->reply.status;
	/* without memory it is tried again at the end */
	(void)rt_journal_publish(&server->journal, record);
	changed(server);
}

/* The request as it is compared with rules and kept. NULL: it is not. */
static const struct retort_exchange *
look(struct retort *server, struct rt_conn *conn)
{
	struct rt_record *record = conn->record;

	if (record == NULL)
		return NULL;
	if (record->strings == NULL &&
		rt_record_request(record, conn, rt_io_now(server->io)) < 0)
		return NULL;
	return &record->seen;
}

static void
close_record(struct retort *server, struct rt_conn *conn)
{
	struct rt_record *record = conn->record;

	if (record == NULL)
		return;
	/* it broke off before it could be refused */
	if (!record->published && look(server, conn) != NULL) {
		record->seen.reason = "the connection broke off";
		publish(server, conn);
	}
	if (is_kept(server, conn) && !record->published)
		server->journal.lost++;
	if (conn->client_close == RETORT_RST)
		rt_record_event(record, RT_RECORD_CLIENT_RST,
			rt_io_now(server->io));
	if (conn->server_close == RETORT_RST)
		rt_record_event(record, RT_RECORD_SERVER_RST,
			rt_io_now(server->io));
	else
		rt_record_event(record, RT_RECORD_CLOSED,
			rt_io_now(server->io));
	rt_record_end(record, conn, rt_io_clock(server->io));
	rt_journal_close(record);
	conn->record = NULL;
	changed(server);
}

/* --- answering --- */

/* The head, and what came behind it, once. */
static void
report_head(struct retort *server, struct rt_conn *conn)
{
	const struct rt_buf *in = &conn->exchange->in;
	size_t head = rt_http_request(conn->exchange->http)->head_size;

	if (conn->seen)
		return;
	conn->seen = true;
	if (head == 0)
		head = in->len;
	report(server, conn, RETORT_ON_HEAD, in->data, head);
	if (in->len > head)
		report(server, conn, RETORT_ON_BODY, in->data + head,
			in->len - head);
}

static const char *
date_now(struct retort *server)
{
	int64_t now = (int64_t)time(NULL);

	if (now != server->date_second) {
		rt_date_format(now, server->date);
		server->date_second = now;
	}
	return server->date;
}

static void stop_others(struct retort *server, enum rt_stop why,
	const struct rt_conn *running);

/* A final reply is in the exchange: it is counted, and sent. */
static void
answer(struct retort *server, struct rt_conn *conn)
{
	struct rt_reply *reply = &conn->exchange->reply;

	if (!rt_reply_ok(reply)) {
		rt_conn_fail(conn);
		return;
	}
	if (conn->record != NULL)
		conn->record->answered = true;
	rt_conn_answer(conn, rt_io_now(server->io));
	if (reply->status == 408 || ++server->answered != server->requests)
		return;
	server->stopping = true;
	rt_server_close_listeners(server);
	stop_others(server, RT_STOP_ENOUGH, conn);
}

static void
refuse(struct retort *server, struct rt_conn *conn, int status,
	const char *reason)
{
	const struct rt_request *request =
		rt_http_request(conn->exchange->http);
	struct rt_draft draft = {
		.reply = &conn->exchange->reply,
		.head_only = request->method == RT_HEAD,
	};

	rt_reply_begin(&draft, status, date_now(server));
	if (status == 405)
		rt_reply_field(&draft, "Allow", RT_SITE_ALLOW);
	rt_reply_body_reason(&draft, reason);
	answer(server, conn);
}

/* What the verdict is to tell of a request; the first reason stands. */
static void
keep_why(struct retort *server, struct rt_record *record, const char *why)
{
	if (record == NULL || record->why != NULL)
		return;
	record->why = strdup(why);
	/* it must tell of something */
	server->journal.lost += record->why == NULL;
}

/* A refusal is told, but not that a client has left. */
static void
refuse_recorded(struct retort *server, struct rt_conn *conn)
{
	char why[256];

	(void)look(server, conn);
	if (conn->reason != NULL && !conn->client_finished) {
		(void)snprintf(why, sizeof why, "refused with %d: %.200s",
			conn->status, conn->reason);
		keep_why(server, conn->record, why);
	}
	refuse(server, conn, conn->status, conn->reason);
	publish(server, conn);
}

/* The head is complete: is the request welcome? */
static void
decide_head(struct retort *server, struct rt_conn *conn)
{
	struct rt_exchange *x = conn->exchange;
	const char *reason;
	uint64_t max;
	bool keep;
	int status;

	status = rt_route_refusal(&server->route, rt_http_request(x->http),
		x->in.data, &max, &keep, &reason);
	if (status == 0) {
		rt_conn_accept(conn, max, keep, rt_io_now(server->io));
		return;
	}
	conn->status = status;
	conn->reason = reason;
	refuse_recorded(server, conn);
}

static struct rt_asked
ask(struct retort *server, struct rt_conn *conn)
{
	struct rt_exchange *x = conn->exchange;
	struct rt_asked asked = {
		.request = rt_http_request(x->http),
		.base = x->in.data,
		.size = x->parsed,
		.date = date_now(server),
		.seen = look(server, conn),
	};

	rt_buf_init(&asked.why, MAX_WHY);
	return asked;
}

/* The request is complete: what is the answer? */
static void
decide_answer(struct retort *server, struct rt_conn *conn)
{
	struct rt_asked asked = ask(server, conn);
	enum rt_outcome outcome;

	if (asked.seen == NULL && server->route.rule_count > 0) {
		/* the rules cannot be asked, and nothing else may answer */
		refuse(server, conn, 503, "out of memory");
		return;
	}
	outcome =
		rt_route_answer(&server->route, &asked, &conn->exchange->reply);
	if (conn->record != NULL)
		conn->record->seen.rule = asked.rule;
	if (asked.why.len > 0)
		keep_why(server, conn->record,
			asked.why.failed ? "no memory to say why" :
					   asked.why.data);
	rt_buf_free(&asked.why);
	/* the others have their turn, then it goes on */
	if (outcome == RT_AGAIN)
		rt_conn_defer(conn, rt_io_now(server->io));
	else if (outcome == RT_LATER)
		rt_conn_defer(conn, RT_NEVER);
	else
		answer(server, conn);
	if (outcome != RT_AGAIN)
		publish(server, conn);
}

static void
decide(struct retort *server, struct rt_conn *conn)
{
	report_head(server, conn);
	if (conn->asks == RT_ASK_ROUTE) {
		decide_head(server, conn);
	} else if (conn->replied) {
		answer(server, conn);
	} else if (conn->status != 0) {
		refuse_recorded(server, conn);
	} else {
		decide_answer(server, conn);
	}
}

/* --- connections --- */

static int
lend_exchange(struct retort *server, struct rt_conn *conn)
{
	struct rt_exchange *x = server->spare_exchanges;

	if (x != NULL) {
		server->spare_exchanges = x->next;
		server->spare_exchange_count--;
	} else {
		x = rt_exchange_new();
		if (x == NULL)
			return -ENOMEM;
	}
	return rt_conn_lend(conn, x);
}

static void
take_exchange(struct retort *server, struct rt_conn *conn)
{
	struct rt_exchange *x = rt_conn_unlend(conn);

	if (x == NULL)
		return;
	rt_reply_reset(&x->reply);
	if (server->spare_exchange_count == SPARE_EXCHANGES) {
		rt_exchange_free(x);
		return;
	}
	x->next = server->spare_exchanges;
	server->spare_exchanges = x;
	server->spare_exchange_count++;
}

/* Accepting goes on as soon as a descriptor is free again. */
static void
resume_listeners(struct retort *server)
{
	server->paused = false;
	for (size_t i = 0; i < server->listener_count; i++) {
		struct rt_listener *listener = server->listeners + i;

		if (!listener->open || listener->refusing ||
			listener->chan.in.verb != RT_NOTHING)
			continue;
		listener->chan.in.verb = RT_ACCEPT;
		listener->chan.deadline = RT_NEVER;
		(void)rt_io_wait(server->io, &listener->chan);
	}
}

static void
end_conn(struct retort *server, struct rt_conn *conn)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (conn->chan.out.verb == RT_RESET)
		(void)setsockopt(conn->chan.fd, SOL_SOCKET, SO_LINGER, &at_once,
			sizeof at_once);
	rt_io_drop(server->io, &conn->chan);
	report(server, conn, RETORT_ON_END, NULL, 0);
	close_record(server, conn);
	take_exchange(server, conn);
	*conn->link = conn->next;
	if (conn->next != NULL)
		conn->next->link = conn->link;
	server->open--;
	if (server->spare_conn_count == SPARE_CONNS) {
		free(conn);
	} else {
		conn->next = server->spare_conns;
		server->spare_conns = conn;
		server->spare_conn_count++;
	}
	if (server->paused)
		resume_listeners(server);
	if (server->open == 0)
		server->careful = false;
	changed(server);
}

/* Nothing can be done now: sleeps, without buffers if it is idle. */
static void
sleep_conn(struct retort *server, struct rt_conn *conn)
{
	if (conn->state == RT_STATE_IDLE)
		take_exchange(server, conn);
	if (rt_io_wait(server->io, &conn->chan) < 0) {
		rt_conn_fail(conn);
		end_conn(server, conn);
	}
}

/* Performs one operation. False: none can be performed now. */
static bool
go_on(struct retort *server, struct rt_conn *conn)
{
	unsigned done = rt_io_try(server->io, &conn->chan);
	int64_t now = rt_io_now(server->io);

	if (done & RT_OUT_DONE) {
		record_out(server, conn);
		rt_conn_out_done(conn, conn->chan.out.result, now);
	} else if (done & RT_IN_DONE) {
		record_in(server, conn);
		if (conn->state == RT_STATE_BODY && conn->chan.in.result > 0)
			report(server, conn, RETORT_ON_BODY,
				conn->chan.in.recv.data,
				(size_t)conn->chan.in.result);
		rt_conn_in_done(conn, conn->chan.in.result, now);
	}
	return done != 0;
}

static void
run(struct retort *server, struct rt_conn *conn)
{
	int budget = RUN_BUDGET;

	for (;;) {
		if (conn->state == RT_STATE_OVER) {
			end_conn(server, conn);
			return;
		}
		if (conn->asks != RT_ASK_NOTHING) {
			decide(server, conn);
			continue;
		}
		if (conn->exchange == NULL && lend_exchange(server, conn) < 0) {
			rt_conn_fail(conn);
			continue;
		}
		if (budget-- == 0 || !go_on(server, conn))
			break;
	}
	sleep_conn(server, conn);
}

/*
 * After a deadline. When it was the server that was late (stopped by ^Z, say),
 * what the client did in time has come by now: it is looked at first.
 */
static void
expire_conn(struct retort *server, struct rt_conn *conn)
{
	int64_t now = rt_io_now(server->io);

	if (conn->exchange != NULL)
		(void)go_on(server, conn);
	if (conn->state != RT_STATE_OVER && conn->asks == RT_ASK_NOTHING &&
		conn->chan.deadline <= now)
		rt_conn_expired(conn, now);
}

static void
wake_conn(struct retort *server, struct rt_conn *conn, unsigned what)
{
	if (what & RT_BROKEN)
		rt_conn_broken(conn);
	else if (what & RT_EXPIRED)
		expire_conn(server, conn);
	run(server, conn);
}

/* --- accepting --- */

static struct rt_conn *
new_conn(struct retort *server)
{
	struct rt_conn *conn = server->spare_conns;

	if (conn == NULL)
		return malloc(sizeof *conn);
	server->spare_conns = conn->next;
	server->spare_conn_count--;
	return conn;
}

static void
accept_one(struct retort *server, int fd, const struct rt_peer *peer)
{
	struct rt_conn *conn = new_conn(server);

	if (conn == NULL) {
		(void)close(fd);
		return;
	}
	rt_conn_open(conn, fd, peer, &server->config, rt_io_clock(server->io));
	conn->chan.kind = RT_KIND_CONN;
	conn->number = ++server->number;
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->link = &conn->next;
	conn->link = &server->conns;
	server->conns = conn;
	server->open++;
	run(server, conn);
}

static void
pause_listener(struct retort *server, struct rt_listener *listener)
{
	server->paused = true;
	server->careful = true;
	listener->chan.in.verb = RT_NOTHING;
	listener->chan.deadline = rt_io_now(server->io) + ACCEPT_PAUSE;
}

/*
 * Whether the next descriptor would be a spare one. Asked before it is
 * accepted: finding out by accepting would eat up the spare ones in time.
 */
static bool
is_full(const struct retort *server)
{
	int fd = fcntl(server->wake_fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 || fd >= server->fd_limit;
}

/* Errors of the one connection (accept(2)) or of the process. */
static bool
is_shortage(int64_t error)
{
	switch (-error) {
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENOPROTOOPT:
	case ETIMEDOUT:
		return false;
	default:
		return true;
	}
}

/* Accepts at most `budget` connections, and serves what has arrived. */
static void
accept_some(struct retort *server, struct rt_listener *listener, int budget)
{
	struct rt_op *in = &listener->chan.in;

	while (listener->open && !listener->refusing && in->verb == RT_ACCEPT &&
		budget-- > 0) {
		if (server->careful && is_full(server)) {
			pause_listener(server, listener);
			break;
		}
		if (rt_io_try(server->io, &listener->chan) == 0)
			break;
		if (in->result >= 0) {
			int fd = (int)in->result;
			struct rt_peer peer = in->peer;

			if (fd >= server->fd_limit)
				pause_listener(server, listener);
			accept_one(server, fd, &peer);
		} else if (is_shortage(in->result)) {
			pause_listener(server, listener);
		}
	}
}

static void
close_listener(struct retort *server, struct rt_listener *listener)
{
	if (!listener->open)
		return;
	listener->open = false;
	if (!listener->refusing)
		rt_io_release(server->io, &listener->chan);
	rt_sock_close(&listener->sock);
}

void
rt_server_close_listeners(struct retort *server)
{
	for (size_t i = 0; i < server->listener_count; i++)
		close_listener(server, server->listeners + i);
}

/* Somebody who shares the listening socket has shut it down: no more come. */
static void
lose_listener(struct retort *server, struct rt_listener *listener)
{
	close_listener(server, listener);
	for (size_t i = 0; i < server->listener_count; i++)
		if (server->listeners[i].open)
			return;
	server->stopping = true;
}

static void
wake_listener(struct retort *server, struct rt_listener *listener,
	unsigned what)
{
	if (what & RT_BROKEN) {
		lose_listener(server, listener);
		return;
	}
	if (what & RT_EXPIRED) {
		listener->chan.in.verb = RT_ACCEPT;
		listener->chan.deadline = RT_NEVER;
	}
	accept_some(server, listener, ACCEPT_BUDGET);
	if (listener->open && !listener->refusing)
		(void)rt_io_wait(server->io, &listener->chan);
}

/*
 * A socket with a large buffer is writable again only when a third of it was
 * taken: a slow reader would look like one that takes nothing. What is
 * accepted inherits this.
 */
static void
keep_little_unsent(const struct rt_sock *sock)
{
#ifdef TCP_NOTSENT_LOWAT
	static const int bytes = 512 << 10;

	if (sock->tcp && !sock->borrowed)
		(void)setsockopt(sock->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
			&bytes, sizeof bytes);
#else
	(void)sock;
#endif
}

/* A connection is not shown until it has sent something: fewer turns. */
static void
defer_accept(const struct rt_sock *sock)
{
#ifdef TCP_DEFER_ACCEPT
	static const int seconds = 1;

	if (sock->tcp && !sock->borrowed)
		(void)setsockopt(sock->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT,
			&seconds, sizeof seconds);
#else
	(void)sock;
#endif
}

int
rt_server_listen(struct retort *server, struct rt_listener *listener)
{
	struct rt_sock *sock = &listener->sock;

	keep_little_unsent(sock);
	if (server->defer_accept)
		defer_accept(sock);
	rt_chan_init(&listener->chan, sock->fd, RT_KIND_LISTENER);
	listener->chan.in.verb = RT_ACCEPT;
	return rt_io_wait(server->io, &listener->chan);
}

static int
refuse_at(struct retort *server, struct rt_listener *listener, bool refuse)
{
	int error;

	if (refuse) {
		rt_io_release(server->io, &listener->chan);
		listener->refusing = true;
		return rt_sock_refuse(&listener->sock);
	}
	error = rt_sock_resume(&listener->sock);
	if (error < 0)
		return error;
	listener->refusing = false;
	return rt_server_listen(server, listener);
}

int
rt_server_refuse(struct retort *server, bool refuse)
{
	int error = 0;

	for (size_t i = 0; i < server->listener_count; i++)
		if (server->listeners[i].open &&
			server->listeners[i].sock.holder < 0)
			return -ENOTSUP;
	for (size_t i = 0; i < server->listener_count; i++) {
		struct rt_listener *listener = server->listeners + i;

		if (error == 0 && listener->open &&
			listener->refusing != refuse)
			error = refuse_at(server, listener, refuse);
	}
	return error;
}

/* --- stopping --- */

/* What a connection is about, as it is cut off. */
static void
add_left(struct retort *server, const struct rt_conn *conn)
{
	static const char *const states[] = {
		[RT_STATE_IDLE] = "nothing came",
		[RT_STATE_HEAD] = "in the head of the request",
		[RT_STATE_BODY] = "in the body of the request",
		[RT_STATE_WAIT] = "its reply was not made",
		[RT_STATE_REPLY] = "in the reply",
	};
	const struct rt_exchange *x = conn->exchange;
	char client[RT_PEER_TEXT];
	struct rt_span line = {0, 0};

	if (conn->state > RT_STATE_REPLY)
		return;
	/* until it has sent something it has no exchange */
	if (x != NULL)
		line = rt_http_line(x->http, x->in.data, x->in.len);
	rt_buf_add_format(&server->left, "connection %llu, %s, ",
		(unsigned long long)conn->number,
		rt_sock_peer_text(&conn->peer, client));
	rt_buf_add_quoted(&server->left,
		line.size > 0 ? x->in.data + line.at : "", line.size, MAX_LINE);
	rt_buf_add_format(&server->left, ": %s", states[conn->state]);
	if (x != NULL && conn->state == RT_STATE_REPLY)
		rt_buf_add_text(&server->left,
			x->reply.steps[conn->step].kind == RT_STEP_PAUSE ?
				", paused" :
				", which the client does not take");
	rt_buf_add_format(&server->left, "; %llu bytes received, %llu sent\n",
		(unsigned long long)conn->received,
		(unsigned long long)conn->sent);
}

/* `running` is left to its own run(). */
static void
stop_others(struct retort *server, enum rt_stop why,
	const struct rt_conn *running)
{
	struct rt_conn *next;

	for (struct rt_conn *conn = server->conns; conn != NULL; conn = next) {
		size_t size = server->left.len;

		next = conn->next;
		add_left(server, conn);
		rt_conn_stop(conn, why);
		if (conn->state != RT_STATE_OVER || conn->end != RETORT_STOPPED)
			server->left.len = size;
		if (conn->state == RT_STATE_OVER && conn != running)
			end_conn(server, conn);
	}
}

void
rt_server_abandon(struct retort *server)
{
	struct rt_conn *next;

	for (struct rt_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		add_left(server, conn);
		rt_conn_abandon(conn);
		end_conn(server, conn);
	}
}

/* --- the loop --- */

void
rt_server_adopt(struct retort *server, int fd)
{
	struct rt_peer peer = {.family = AF_UNIX};
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	socklen_t size = sizeof address;

	if (getpeername(fd, (struct sockaddr *)&address, &size) == 0 &&
		address.ss_family != AF_UNIX)
		rt_sock_peer(&peer, (struct sockaddr *)&address);
	accept_one(server, fd, &peer);
}

int
rt_server_reply(struct retort *server, uint64_t connection,
	const struct retort_reply *as, char *error)
{
	struct rt_conn *conn = server->conns;
	struct rt_asked asked;
	int code;

	while (conn != NULL &&
		(conn->number != connection || conn->replied ||
			conn->state != RT_STATE_WAIT ||
			conn->chan.deadline != RT_NEVER))
		conn = conn->next;
	if (conn == NULL)
		return -ENOENT;
	asked = ask(server, conn);
	code = rt_route_answer_with(as, &asked, &conn->exchange->reply, error);
	if (code < 0)
		return code;
	conn->replied = true;
	server->replied = true;
	retort_wake(server);
	return 0;
}

/* Connections whose reply was made by somebody else go on. */
static void
go_on_replied(struct retort *server)
{
	struct rt_conn *next;

	server->replied = false;
	for (struct rt_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		if (!conn->replied || conn->state != RT_STATE_WAIT)
			continue;
		rt_conn_expired(conn, rt_io_now(server->io));
		run(server, conn);
	}
}

/* What other threads want done. */
static void
make_calls(struct retort *server)
{
	struct rt_call *call;

	while ((call = server->calls) != NULL) {
		server->calls = call->next;
		call->result = call->run(server, call->arg);
		call->done = true;
		changed(server);
	}
}

static void
empty_waker(struct retort *server)
{
	struct rt_chan *waker = &server->waker;

	while (rt_io_try(server->io, waker) != 0 && waker->in.result > 0)
		;
	(void)rt_io_wait(server->io, waker);
	make_calls(server);
	if (server->replied)
		go_on_replied(server);
}

static void
take_on(struct retort *server, struct rt_chan *chan, unsigned what)
{
	switch (chan->kind) {
	case RT_KIND_CONN:
		wake_conn(server, (struct rt_conn *)chan, what);
		break;
	case RT_KIND_LISTENER:
		wake_listener(server, (struct rt_listener *)chan, what);
		break;
	case RT_KIND_WAKER:
		empty_waker(server);
		break;
	}
}

int
rt_server_turn(struct retort *server, int64_t until)
{
	bool within = server->running;
	struct rt_chan *chan;
	unsigned what;
	int error;

	server->running = false;
	(void)pthread_mutex_unlock(&server->lock);
	error = rt_io_sleep(server->io, until);
	(void)pthread_mutex_lock(&server->lock);
	server->running = within;
	if (error < 0)
		return error;
	server->running = true;
	while ((chan = rt_io_next(server->io, &what)) != NULL)
		take_on(server, chan, what);
	server->running = within;
	return 0;
}

/*
 * Requests that have arrived by now are complete: each channel has a few more
 * turns, and then what these left queued is accepted.
 */
void
rt_server_stop(struct retort *server, int64_t by)
{
	size_t turns =
		4 + (server->open + server->listener_count) / RT_READY_MAX;

	if (by < server->stop_by)
		server->stop_by = by;
	while (turns-- > 0 && rt_server_turn(server, 0) == 0)
		;
	for (size_t i = 0; i < server->listener_count; i++)
		accept_some(server, server->listeners + i, SOMAXCONN);
	server->stopping = true;
	rt_server_close_listeners(server);
	stop_others(server, RT_STOP_TOLD, NULL);
}

int64_t
rt_server_deadline(const struct retort *server)
{
	int64_t by = rt_io_deadline(server->io);

	if (server->stopping && server->open == 0)
		return 0;
	return server->stop_by < by ? server->stop_by : by;
}
