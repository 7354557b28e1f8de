/* SPDX-License-Identifier: MIT */
/*
 * The server: owns listeners, connections and what answers, and takes each
 * connection along its way:
 *
 *	rt_server_accept (server_listen.c) -> serve_connection -> run: receive
 *	-> parse (conn) -> rt_server_decide (server_answer.c) -> send (conn)
 *	-> rt_server_end_conn (server_conn.c)
 *
 * run() goes on with a connection for as long as something can be done
 * without waiting, so that a request that has already arrived is accepted,
 * read, answered and closed in one turn of the loop.
 */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#ifdef HAVE_SYS_SINGLE_THREADED_H
#include <sys/single_threaded.h>
#endif
#include <sys/socket.h>
#include <unistd.h>

/* Operations on one connection before others have their turn. */
#define RUN_BUDGET 32

/* Accepts before others have their turn. */
#define ACCEPT_BUDGET 64

/* Turns of a listener that accept one, before another looks for more. */
#define TURNS_ALONE 16

/* When listening again fails (there is no descriptor, say): the time until it
   is tried once more. */
#define REFUSE_PAUSE (100 * RT_MS)

/* The time after which an end that wakes nobody is looked for at the latest. */
#define PUT_OFF (10 * RT_MS)

/* --- the way of one --- */

/*
 * Whether nobody needs to know at once when the client closes, too: then the
 * thread does not wake up for it, while a test wants to go on, but looks when
 * something else has woken it. One connection at a time, and once.
 */
static bool
can_put_off(const struct retort *server, const struct rt_served *served)
{
	return rt_conn_lingers(&served->conn) && server->threaded &&
		!served->put_off && server->lingering == NULL &&
		server->end_waiters == 0 && server->event == NULL &&
		served->tls == NULL;
}

static void
put_off(struct retort *server, struct rt_served *served)
{
	served->put_off = true;
	server->lingering = served;
	server->linger_until = rt_io_now(server->io) + PUT_OFF;
	rt_io_release(server->io, &served->conn.chan);
}

/* Nothing can be done now. */
static void
sleep_conn(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (can_put_off(server, served)) {
		put_off(server, served);
		return;
	}
	rt_server_rest(server, served);
	if (rt_io_wait(server->io, channel_of(served)) < 0) {
		rt_conn_fail(conn);
		rt_server_end_conn(server, served);
	}
}

/* Bytes after a head that nobody wants; others are reported when it is known
   whose they are. */
static void
report_dropped(struct retort *server, const struct rt_served *served)
{
	const struct rt_op *in = &served->conn.chan.in;

	if (served->head_told && in->result > 0 &&
		in->recv.data == server->config.scratch &&
		rt_conn_is_http(&served->conn))
		rt_server_report(server, served,
			rt_server_dropping(&served->conn), in->recv.data,
			(size_t)in->result);
}

static void
sent(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (served->record != NULL)
		rt_server_record_out(server, served);
	rt_conn_out_done(conn, conn->chan.out.result, rt_io_now(server->io));
}

static void
received(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	/* a request begins */
	if (conn->state == RT_STATE_IDLE && conn->chan.in.result > 0) {
		served->head_told = false;
		rt_server_open_record(server, served);
	}
	if (served->record != NULL)
		rt_server_record_in(server, served);
	report_dropped(server, served);
	rt_conn_in_done(conn, conn->chan.in.result, rt_io_now(server->io));
	if (conn->state == RT_STATE_BODY && conn->buffers->request->has_body &&
		conn->asks != RT_ASK_TELL)
		rt_server_charge(server, served);
}

/* Performs one operation. False: none can be performed now. */
static bool
go_on(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	unsigned done = served->tls == NULL ?
		rt_io_try(server->io, &conn->chan) :
		rt_server_try_tls(server, served);

	if (done & RT_OUT_DONE)
		sent(server, served);
	else if (done & RT_IN_DONE)
		received(server, served);
	if (server->event_all && conn->state != RT_STATE_OVER)
		rt_server_report_fins(server, served);
	return done != 0 || conn->state == RT_STATE_OVER;
}

/* Whether bytes were pushed that are sent between pieces. */
static bool
has_to_say(const struct retort *server, const struct rt_served *served)
{
	return server->pushes != NULL &&
		rt_conn_is_between_pieces(&served->conn) &&
		rt_server_has_more(server, served);
}

static void
run(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	int budget = RUN_BUDGET;

	if (conn->state != RT_STATE_OVER)
		(void)rt_server_lend(server, served);
	while (conn->state != RT_STATE_OVER) {
		if (conn->asks != RT_ASK_NOTHING) {
			if (conn->asks == RT_ASK_NEXT && budget-- <= 0)
				rt_conn_defer(conn, rt_io_now(server->io));
			else
				rt_server_decide(server, served);
			if (server->enough)
				rt_server_have_enough(server, served);
			continue;
		}
		if (budget-- > 0 && go_on(server, served))
			continue;
		if (!has_to_say(server, served)) {
			sleep_conn(server, served);
			return;
		}
		rt_conn_say(conn);
	}
	rt_server_end_conn(server, served);
}

/* Whether its deadline is past, and nothing has happened. */
static bool
is_due(const struct rt_conn *conn, int64_t now)
{
	return conn->state != RT_STATE_OVER && conn->asks == RT_ASK_NOTHING &&
		conn->chan.deadline <= now;
}

/*
 * After a deadline. When it was the server that was late (stopped by ^Z, say),
 * what the client did in time has arrived by now: it is looked at first. So is
 * what it took of a reply of which the kernel has no room for more yet.
 */
static void
expire_conn(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	int64_t now = rt_io_now(server->io);

	if (!rt_server_lend(server, served))
		return;
	(void)go_on(server, served);
	if (is_due(conn, now) && rt_conn_is_held_up(conn, now))
		rt_conn_took(conn, now - rt_sock_held_for(conn->chan.fd));
	if (is_due(conn, now))
		rt_conn_expired(conn, now);
}

static void
wake_conn(struct retort *server, struct rt_served *served, unsigned what)
{
	struct rt_conn *conn = &served->conn;

	if (what & RT_BROKEN)
		rt_conn_broken(conn);
	else if (what & RT_ENDED) {
		rt_conn_ended(conn);
		if (server->event_all)
			rt_server_report_fins(server, served);
	} else if (what & RT_EXPIRED)
		expire_conn(server, served);
	run(server, served);
}

/* --- opening --- */

/* Serves a connected socket, which it takes, as far as it goes now. `tuned`: it
   has inherited what it needs from its listener. */
static void
serve_connection(struct retort *server, int fd, const struct rt_peer *peer,
	bool tuned)
{
	struct rt_served *served = rt_server_new_conn(server, fd, peer);

	if (served == NULL) {
		(void)close(fd);
		return;
	}
	if (server->config.keep_alive && !tuned)
		rt_sock_hurry(fd);
	if (server->event_all)
		rt_server_report(server, served, RETORT_ON_ACCEPT, NULL, 0);
	if (server->route.tls && rt_server_begin_tls(server, served) < 0) {
		rt_conn_fail(&served->conn);
	} else if (server->route.greets && rt_server_lend(server, served)) {
		rt_conn_greet(&served->conn);
	}
	run(server, served);
}

void
rt_server_adopt(struct retort *server, int fd)
{
	struct rt_peer peer = {.family = AF_UNIX};
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	socklen_t size = sizeof address;

	if (getpeername(fd, (struct sockaddr *)&address, &size) == 0 &&
		address.ss_family != AF_UNIX)
		rt_sock_peer(&peer, (struct sockaddr *)&address);
	(void)rt_io_clock(server->io);
	serve_connection(server, fd, &peer, false);
}

static void
serve_datagram(struct retort *server, const struct rt_listener *listener)
{
	const struct rt_chan *chan = &listener->chan;
	struct rt_peer peer;
	const char *unwelcome = rt_server_sender(server, listener, &peer);
	struct rt_served *served = rt_server_new_conn(server, chan->fd, &peer);

	/* it is lost, as datagrams are */
	if (served == NULL)
		return;
	served->conn.chan.shared = true;
	if (rt_server_lend(server, served)) {
		rt_server_record_datagram(server, served, &chan->in);
		rt_conn_datagram(&served->conn, &chan->in, unwelcome);
	}
	run(server, served);
}

/* At most this many of what has arrived; how many. */
static int
accept_from(struct retort *server, struct rt_listener *listener, int most)
{
	const struct rt_op *in = &listener->chan.in;
	int count = 0;

	for (; count < most && rt_server_accept(server, listener); count++) {
		/* those before it took time */
		if (most > 1)
			(void)rt_io_clock(server->io);
		if (server->config.protocol == RETORT_UDP)
			serve_datagram(server, listener);
		else
			serve_connection(server, (int)in->result, &in->peer,
				!listener->sock.borrowed);
	}
	return count;
}

/*
 * To find out that there is no second one takes a system call, as it does to
 * wait for it. While nobody else is served there is hardly ever a second, so
 * that few turns look for it; those that find one are followed by others that
 * do.
 */
static void
accept_some(struct retort *server, struct rt_listener *listener)
{
	if (server->open == 0 && listener->alone < TURNS_ALONE) {
		listener->alone += accept_from(server, listener, 1);
		return;
	}
	if (accept_from(server, listener, ACCEPT_BUDGET) > 1)
		listener->alone = TURNS_ALONE;
	else
		listener->alone = 0;
}

static void
wake_listener(struct retort *server, struct rt_listener *listener,
	unsigned what)
{
	/* nearly always there is nothing else */
	if (what != 0 && !rt_server_rouse(server, listener, what))
		return;
	accept_some(server, listener);
}

/* --- the loop --- */

/* Connections whose reply was made by somebody else go on, in its order. Any
   of them may end others. */
static void
go_on_replied(struct retort *server)
{
	struct rt_served *served;

	while ((served = server->replied) != NULL) {
		server->replied = served->next_replied;
		if (served->conn.state != RT_STATE_WAIT)
			continue;
		served->replied = false;
		rt_conn_replied(&served->conn);
		run(server, served);
	}
}

/* The same of those that wait for bytes of their replies, or say some without
   being asked. */
static void
go_on_pushed(struct retort *server)
{
	struct rt_served *served;

	while ((served = rt_server_pushed(server)) != NULL) {
		rt_conn_pushed(&served->conn);
		run(server, served);
	}
}

/* Makes the calls that other threads have queued. */
static void
make_calls(struct retort *server)
{
	struct rt_call *call;

	while ((call = server->calls) != NULL) {
		server->calls = call->next;
		call->result = call->run(server, call->arg);
		call->done = true;
		rt_server_changed(server);
	}
}

void
rt_server_wake(struct retort *server)
{
	static const uint64_t one = 1; /* as eventfd(2) wants it */
	int error = errno;
	ssize_t n;

	/* when it is full, a wake is under way already; our own end is open,
	   so that there is no SIGPIPE */
	n = write(server->wake_fd, &one, sizeof one);
	(void)n;
	errno = error;
}

static void
empty_waker(struct retort *server)
{
	struct rt_chan *waker = &server->waker;

	/* nobody sleeps any more when it is closed */
	while (!atomic_load(&server->closing) &&
		rt_io_try(server->io, waker) != 0 && waker->in.result > 0)
		;
	(void)rt_io_wait(server->io, waker);
	make_calls(server);
	go_on_replied(server);
	rt_server_end_wanted(server);
	go_on_pushed(server);
}

static void
wake_chan(struct retort *server, struct rt_chan *chan, unsigned what)
{
	switch (chan->kind) {
	case RT_KIND_CONN:
		wake_conn(server, (struct rt_served *)chan, what);
		break;
	case RT_KIND_WIRE:
		wake_conn(server, ((struct rt_tls *)chan)->owner, what);
		break;
	case RT_KIND_LISTENER:
		wake_listener(server, (struct rt_listener *)chan, what);
		break;
	case RT_KIND_WAKER:
		empty_waker(server);
		break;
	}
}

/* The time for which connections were refused is over. */
static void
refuse_no_more(struct retort *server)
{
	server->refuse_until = rt_server_refuse(server, false) == 0 ?
		RT_NEVER :
		rt_io_now(server->io) + REFUSE_PAUSE;
}

/* Whether the client has ended the last connection meanwhile; when the server
   is closed, nobody will know. */
static void
look_back(struct retort *server)
{
	struct rt_served *served = server->lingering;

	if (served == NULL || atomic_load(&server->closing))
		return;
	server->lingering = NULL;
	run(server, served);
}

/* Each channel that is ready goes on. */
static void
go_on_ready(struct retort *server)
{
	struct rt_chan *chan;
	bool first = true;
	unsigned what;

	look_back(server);
	if (rt_io_now(server->io) >= server->refuse_until)
		refuse_no_more(server);
	for (; (chan = rt_io_next(server->io, &what)) != NULL; first = false) {
		/* those before it took time, which the next client has not
		   had */
		if (!first && chan->kind == RT_KIND_LISTENER)
			(void)rt_io_clock(server->io);
		wake_chan(server, chan, what);
	}
	if (server->enough)
		rt_server_have_enough(server, NULL);
}

/* Whether this thread is the only one. */
static inline bool
is_alone(void)
{
#ifdef HAVE_SYS_SINGLE_THREADED_H
	return __libc_single_threaded != 0;
#else
	return false; /* not known */
#endif
}

/* Others may have the lock meanwhile, if there are any. */
static int
sleep_unlocked(struct retort *server, int64_t time, int64_t until)
{
	int error;

	if (is_alone())
		return rt_io_sleep(server->io, time, until);
	(void)pthread_mutex_unlock(&server->lock);
	error = rt_io_sleep(server->io, time, until);
	(void)pthread_mutex_lock(&server->lock);
	return error;
}

int
rt_server_turn(struct retort *server, int64_t time)
{
	int64_t until = server->stop_by;
	uintptr_t before;
	int error;

	if (server->refuse_until < until)
		until = server->refuse_until;
	if (server->lingering != NULL && server->linger_until < until)
		until = server->linger_until;
	before = rt_server_inside(server);
	rt_server_leave(server, 0);
	error = sleep_unlocked(server, time, until);
	(void)rt_server_enter(server);
	if (error == 0)
		go_on_ready(server);
	rt_server_leave(server, before);
	return error;
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
	/* nothing can arrive any more, and nobody may be waited for: those who
	   stop a server whose thread has ended may be several */
	if (server->stopping && server->open == 0)
		return;
	while (turns-- > 0 && rt_server_turn(server, 0) == 0)
		;
	for (size_t i = 0; i < server->listener_count; i++)
		(void)accept_from(server, server->listeners + i, SOMAXCONN);
	server->stopping = true;
	rt_server_close_listeners(server);
	rt_server_stop_others(server, RT_STOP_TOLD, NULL);
}

void
rt_server_forget_states(struct retort *server)
{
	for (struct rt_served *served = server->conns; served != NULL;
		served = served->next)
		served->place = 0;
}

int64_t
rt_server_deadline(const struct retort *server)
{
	int64_t by = rt_io_deadline(server->io);

	if (server->stopping && server->open == 0)
		return 0;
	if (server->refuse_until < by)
		by = server->refuse_until;
	return server->stop_by < by ? server->stop_by : by;
}
