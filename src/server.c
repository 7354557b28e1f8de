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
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Operations on one connection, and accepts, before others have their turn. */
#define RUN_BUDGET 32
#define ACCEPT_BUDGET 64

/* What is kept for the next connections. */
#define SPARE_CONNS 64
#define SPARE_EXCHANGES 32

/* Descriptors left for the files of requests that were accepted. */
#define SPARE_DESCRIPTORS 8

/* How long accepting pauses when descriptors run out and none is closed. */
#define ACCEPT_PAUSE (100 * RT_MS)

#define SCRATCH_SIZE (64u << 10)

/* Wire bytes of a request that may be held, whatever the limits say. */
#define MAX_IN ((size_t)1 << 30)

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

/* --- answering --- */

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

static void stop_others(struct retort *server, bool hurry,
	const struct rt_conn *running);
static void close_listeners(struct retort *server);

/* A final reply is in the exchange: it is counted, and sent. */
static void
answer(struct retort *server, struct rt_conn *conn)
{
	struct rt_reply *reply = &conn->exchange->reply;

	if (!rt_reply_ok(reply)) {
		rt_conn_fail(conn);
		return;
	}
	rt_conn_answer(conn, rt_io_now(server->io));
	if (reply->status == 408 || ++server->answered != server->requests)
		return;
	server->stopping = true;
	close_listeners(server);
	stop_others(server, false, conn);
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

/* The connection asks: is the request welcome, and what is the answer? */
static void
decide(struct retort *server, struct rt_conn *conn)
{
	struct rt_exchange *x = conn->exchange;
	const struct rt_request *request = rt_http_request(x->http);
	const char *reason;
	uint64_t max;
	bool keep;
	int status;

	report_head(server, conn);
	if (conn->asks == RT_ASK_ROUTE) {
		status = rt_route_refusal(&server->route, request, x->in.data,
			&max, &keep, &reason);
		if (status != 0)
			refuse(server, conn, status, reason);
		else
			rt_conn_accept(conn, max, keep, rt_io_now(server->io));
	} else if (conn->status != 0) {
		refuse(server, conn, conn->status, conn->reason);
	} else if (rt_route_answer(&server->route, request, x->in.data,
			   x->parsed, date_now(server), &x->reply)) {
		answer(server, conn);
	} else {
		/* the others have their turn, then it goes on */
		rt_conn_defer(conn, rt_io_now(server->io));
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

		if (!listener->open || listener->chan.in.verb != RT_NOTHING)
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
	if (server->open == 0) {
		server->careful = false;
		rt_route_forget(&server->route);
	}
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
		rt_conn_out_done(conn, conn->chan.out.result, now);
	} else if (done & RT_IN_DONE) {
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

	while (listener->open && in->verb == RT_ACCEPT && budget-- > 0) {
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
	rt_io_release(server->io, &listener->chan);
	rt_sock_close(&listener->sock);
}

static void
close_listeners(struct retort *server)
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
	if (listener->open)
		(void)rt_io_wait(server->io, &listener->chan);
}

/* --- stopping --- */

/* `running` is left to its own run(). */
static void
stop_others(struct retort *server, bool hurry, const struct rt_conn *running)
{
	struct rt_conn *next;

	for (struct rt_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		rt_conn_stop(conn, hurry);
		if (conn->state == RT_STATE_OVER && conn != running)
			end_conn(server, conn);
	}
}

static void
abandon_all(struct retort *server)
{
	struct rt_conn *next;

	for (struct rt_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		rt_conn_abandon(conn);
		end_conn(server, conn);
	}
}

/* --- the loop --- */

static void
empty_waker(struct retort *server)
{
	struct rt_chan *waker = &server->waker;

	while (rt_io_try(server->io, waker) != 0 && waker->in.result > 0)
		;
	(void)rt_io_wait(server->io, waker);
}

/* Sleeps at most until then, and takes each ready channel on. 0 or -errno. */
static int
turn(struct retort *server, int64_t until)
{
	struct rt_chan *chan;
	unsigned what;
	int error = rt_io_sleep(server->io, until);

	if (error < 0)
		return error;
	while ((chan = rt_io_next(server->io, &what)) != NULL) {
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
	return 0;
}

int
retort_step(struct retort *server, int timeout)
{
	int64_t until = RT_NEVER;
	int error;

	if (server->stopping && server->open == 0)
		return 1;
	if (timeout >= 0)
		until = rt_io_clock(server->io) + timeout * RT_MS;
	if (server->stop_by < until)
		until = server->stop_by;
	error = turn(server, until);
	if (error < 0)
		return error;
	if (rt_io_now(server->io) >= server->stop_by)
		abandon_all(server);
	return server->stopping && server->open == 0;
}

void
retort_stop(struct retort *server, int grace)
{
	int64_t by = rt_io_clock(server->io) + (int64_t)grace * RT_MS;
	size_t turns;

	if (by < server->stop_by)
		server->stop_by = by;
	/* requests that have arrived by now are complete: each channel has a
	   few more turns, and then what these left queued is accepted */
	turns = 4 + (server->open + server->listener_count) / RT_READY_MAX;
	while (turns-- > 0 && turn(server, 0) == 0)
		;
	for (size_t i = 0; i < server->listener_count; i++)
		accept_some(server, server->listeners + i, SOMAXCONN);
	server->stopping = true;
	close_listeners(server);
	stop_others(server, true, NULL);
}

int
retort_pollfd(struct retort *server, int *timeout)
{
	int64_t by = rt_io_deadline(server->io);

	if (server->stop_by < by)
		by = server->stop_by;
	if (server->stopping && server->open == 0)
		by = 0;
	*timeout = -1;
	if (by != RT_NEVER) {
		by -= rt_io_clock(server->io);
		*timeout = rt_io_ms(by > 0 ? by : 0);
	}
	return rt_io_pollfd(server->io);
}

void
retort_wake(struct retort *server)
{
	int error = errno;

	/* when it is full, a wake is under way already */
	(void)send(server->wake_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	errno = error;
}

/* --- getters --- */

const char *
retort_url(const struct retort *server, size_t i)
{
	return i < server->listener_count ? server->listeners[i].sock.url :
					    NULL;
}

int
retort_port(const struct retort *server, size_t i)
{
	return i < server->listener_count ? server->listeners[i].sock.port : -1;
}

bool
retort_local(const struct retort *server, size_t i)
{
	return i < server->listener_count && server->listeners[i].sock.loopback;
}

uint64_t
retort_replies(const struct retort *server)
{
	return server->answered;
}

const char *
retort_version(void)
{
	return PACKAGE_VERSION;
}

/* --- opening and closing --- */

/*
 * Copies a caller's struct, of `size` bytes, to ours, of `room`: what the
 * caller does not know is zero, and what we do not know must be.
 */
static int
copy_struct(void *ours, size_t room, const void *theirs, size_t size)
{
	const unsigned char *bytes = theirs;

	memset(ours, 0, room);
	if (theirs == NULL)
		return 0;
	for (size_t i = room; i < size; i++)
		if (bytes[i] != 0)
			return -E2BIG;
	memcpy(ours, theirs, size < room ? size : room);
	return 0;
}

static int
open_failed(char *error, const char *what, int code)
{
	if (error != NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s: %s", what,
			strerror(-code));
	return code;
}

static int64_t
timeout_of(int ms)
{
	return ms <= 0 ? RT_NEVER : ms * RT_MS;
}

static int
configure(struct retort *server, const struct retort_options *options)
{
	struct rt_conn_config *config = &server->config;
	uint64_t body = options->max_body ? options->max_body : 1u << 20;
	struct rlimit limit;

	config->limits = (struct rt_limits){
		.target = options->max_target ? options->max_target : 8u << 10,
		.head = options->max_head ? options->max_head : 64u << 10,
		.fields = options->max_fields ? options->max_fields : 100,
	};
	if (config->limits.head > RT_MAX_HEAD ||
		config->limits.fields > RT_MAX_FIELDS)
		return -EINVAL;
	/* a kept body, with framing of about the same size, or a piece of one
	   that is dropped, with room to receive */
	config->max_in = MAX_IN;
	if (body < MAX_IN / 4)
		config->max_in =
			2 * (config->limits.head + (size_t)body) + SCRATCH_SIZE;
	config->head_timeout = timeout_of(options->head_timeout);
	config->body_timeout = timeout_of(options->body_timeout);
	config->write_timeout = timeout_of(options->write_timeout);
	config->scratch_size = SCRATCH_SIZE;
	config->scratch = malloc(SCRATCH_SIZE);
	server->requests = options->requests;
	server->event = options->event;
	server->event_arg = options->event_arg;
	server->fd_limit = INT_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX)
		server->fd_limit = (int)limit.rlim_cur - SPARE_DESCRIPTORS;
	if (config->scratch == NULL)
		return -ENOMEM;
	return rt_route_init(&server->route, options->hosts, options->max_body);
}

static int
open_waker(struct retort *server)
{
	int pair[2];
	int error;

	error = rt_sock_pair(pair);
	if (error < 0)
		return error;
	rt_chan_init(&server->waker, pair[0], RT_KIND_WAKER);
	server->wake_fd = pair[1];
	server->waker.in.verb = RT_RECV;
	server->waker.in.recv.data = server->wake_bytes;
	server->waker.in.recv.size = sizeof server->wake_bytes;
	return rt_io_wait(server->io, &server->waker);
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

static int
listen_all(struct retort *server, const struct retort_options *options,
	char *error)
{
	static const char *const loopback[] = {"127.0.0.1", NULL};
	const char *const *bind = options->bind ? options->bind : loopback;
	size_t count = 0;
	struct rt_sock *socks;
	int n;

	while (bind[count] != NULL)
		count++;
	socks = calloc(2 * count + 1, sizeof *socks);
	server->listeners = calloc(2 * count + 1, sizeof *server->listeners);
	if (socks == NULL || server->listeners == NULL) {
		free(socks);
		return open_failed(error, "listen", -ENOMEM);
	}
	n = rt_sock_listen(socks, bind, count, options->port, error);
	for (int i = 0; i < n; i++) {
		struct rt_listener *listener = server->listeners + i;

		listener->sock = socks[i];
		listener->open = true;
		server->listener_count++;
		keep_little_unsent(&listener->sock);
		if (options->defer_accept)
			defer_accept(&listener->sock);
		rt_chan_init(&listener->chan, listener->sock.fd,
			RT_KIND_LISTENER);
		listener->chan.in.verb = RT_ACCEPT;
	}
	free(socks);
	for (int i = 0; i < n; i++) {
		int code = rt_io_wait(server->io, &server->listeners[i].chan);

		if (code < 0)
			return open_failed(error, server->listeners[i].sock.url,
				code);
	}
	return n < 0 ? n : 0;
}

static int
open_server(struct retort *server, const struct retort_options *options,
	char *error)
{
	int code = configure(server, options);

	if (code < 0)
		return open_failed(error, "options", code);
	code = rt_io_open(&server->io, options->io, options->sigpipe_ignored);
	if (code < 0)
		return open_failed(error, "io", code);
	code = open_waker(server);
	if (code < 0)
		return open_failed(error, "wake", code);
	return listen_all(server, options, error);
}

static struct retort *
new_server(void)
{
	struct retort *server = calloc(1, sizeof *server);

	if (server == NULL)
		return NULL;
	server->wake_fd = -1;
	server->waker.fd = -1;
	server->stop_by = RT_NEVER;
	return server;
}

struct retort *
retort_open_sized(const struct retort_options *theirs, size_t size, char *error)
{
	struct retort_options options;
	char text[RETORT_ERROR_SIZE];
	struct retort *server = NULL;
	int code;

	if (error == NULL)
		error = text;
	error[0] = '\0';
	code = copy_struct(&options, sizeof options, theirs, size);
	if (code < 0) {
		(void)open_failed(error, "options", code);
		goto out;
	}
	server = new_server();
	if (server == NULL) {
		code = open_failed(error, "server", -ENOMEM);
		goto out;
	}
	code = open_server(server, &options, error);
out:
	if (code >= 0)
		return server;
	retort_close(server);
	errno = -code;
	return NULL;
}

int
retort_check_sized(const struct retort_reply *theirs, size_t size, char *error)
{
	struct retort_reply reply;
	int code = copy_struct(&reply, sizeof reply, theirs, size);

	if (code < 0)
		return open_failed(error, "reply", code);
	return rt_route_check_reply(&reply, error);
}

int
retort_answer_sized(struct retort *server, const struct retort_reply *theirs,
	size_t size, char *error)
{
	struct retort_reply reply;
	int code = copy_struct(&reply, sizeof reply, theirs, size);

	if (code < 0)
		return open_failed(error, "reply", code);
	code = rt_route_set_reply(&server->route, &reply, error);
	if (server->open == 0)
		rt_route_forget(&server->route);
	return code;
}

int
retort_serve_sized(struct retort *server, const char *root,
	const struct retort_files *theirs, size_t size, char *error)
{
	struct retort_files files;
	int code = copy_struct(&files, sizeof files, theirs, size);

	if (code < 0)
		return open_failed(error, root, code);
	return rt_route_set_files(&server->route, root, &files, error);
}

static void
free_spares(struct retort *server)
{
	struct rt_conn *conn;
	struct rt_exchange *x;

	while ((conn = server->spare_conns) != NULL) {
		server->spare_conns = conn->next;
		free(conn);
	}
	while ((x = server->spare_exchanges) != NULL) {
		server->spare_exchanges = x->next;
		rt_exchange_free(x);
	}
}

void
retort_close(struct retort *server)
{
	if (server == NULL)
		return;
	if (server->io != NULL) {
		close_listeners(server);
		abandon_all(server);
	}
	if (server->waker.fd >= 0)
		rt_io_drop(server->io, &server->waker);
	if (server->wake_fd >= 0)
		(void)close(server->wake_fd);
	rt_io_close(server->io);
	free_spares(server);
	rt_route_free(&server->route);
	free(server->listeners);
	free(server->config.scratch);
	free(server);
}
