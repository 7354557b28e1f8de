/* SPDX-License-Identifier: MIT */
/* A request on its way: reported to the owner, recorded, and answered. server.c
   calls it whenever a connection asks for something. */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes that say why nothing answers a request. */
#define MAX_WHY (16u << 10)

/* Reports a piece, or what has come to one that was reported before. */
static void
report_piece(struct retort *server, struct rt_served *served)
{
	const struct rt_buffers *buffers = served->conn.buffers;
	size_t told = served->head_told ? served->told : 0;

	if (served->head_told && told == buffers->parsed)
		return;
	served->head_told = true;
	served->told = buffers->parsed;
	rt_server_report(server, served, RETORT_ON_PIECE,
		buffers->in.data + told, buffers->parsed - told);
}

/* Reports bytes of the body, or after it, up to `end` of those that have
   arrived. */
static void
report_up_to(struct retort *server, struct rt_served *served,
	enum retort_event event, size_t end)
{
	size_t told = served->told;

	if (end <= told)
		return;
	served->told = end;
	rt_server_report(server, served, event,
		served->conn.buffers->in.data + told, end - told);
}

/* Reports the head, once, and the bytes of the body that were not reported; or
   the piece. */
static void
report_request(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	const struct rt_buf *in = &conn->buffers->in;
	size_t head;

	if (conn->asked == RT_ASK_GREET || conn->asked == RT_ASK_NEXT)
		return;
	if (!rt_conn_is_http(conn)) {
		if (conn->asked != RT_ASK_SAY)
			report_piece(server, served);
		return;
	}
	if (!served->head_told) {
		head = conn->buffers->request->head_size;
		if (head == 0)
			head = in->len;
		served->head_told = true;
		served->told = head;
		rt_server_report(server, served, RETORT_ON_HEAD, in->data,
			head);
	}
	report_up_to(server, served, RETORT_ON_BODY, conn->buffers->parsed);
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

/* Notes the faults of the reply. A reset becomes a close on a Unix socket,
   which has none. */
static void
keep_faults(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	const struct rt_reply *reply = &conn->buffers->reply;
	struct rt_step *ending = reply->steps + reply->step_count - 1;
	struct rt_record *record = served->record;

	if (record != NULL && rt_reply_faults(reply) != NULL) {
		free(record->faults);
		record->faults = strdup(rt_reply_faults(reply));
		record->seen.faults = record->faults;
	}
	/* without HTTP the reply is gone when the connection ends */
	served->chance = reply->struck.chance;
	if (record != NULL) {
		record->seen.by_chance = served->chance.drawn;
		record->seen.seed = served->chance.seed;
	}
	if (ending->kind != RT_STEP_RESET || !conn->local)
		return;
	ending->kind = RT_STEP_CLOSE;
	rt_server_keep_why(server, record, "a Unix socket cannot be reset");
}

/* Refuses connections from now on, for as long as the reply says. */
static void
refuse_others(struct retort *server, struct rt_served *served, int64_t time)
{
	if (rt_server_refuse(server, true) < 0)
		rt_server_keep_why(server, served->record,
			"there is a listener that cannot refuse");
	else
		server->refuse_until = time == RT_NEVER ?
			RT_NEVER :
			rt_io_now(server->io) + time;
}

/* Whether `requests` counts the reply. */
static bool
is_counted(const struct rt_served *served)
{
	const struct rt_conn *conn = &served->conn;

	return conn->asked != RT_ASK_GREET &&
		conn->buffers->reply.status != 408 &&
		conn->protocol != RETORT_TCP;
}

/* Sends the final reply that is in the buffers, and counts it. */
static void
answer(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	bool counted = is_counted(served);
	int64_t refuse = conn->buffers->reply.struck.refuse;

	if (!rt_reply_ok(&conn->buffers->reply)) {
		rt_conn_fail(conn);
		return;
	}
	keep_faults(server, served);
	if (served->record != NULL && conn->asked != RT_ASK_GREET)
		rt_record_answered(served->record, &conn->buffers->reply);
	if (refuse != 0)
		refuse_others(server, served, refuse);
	if (served->tls != NULL && !rt_server_spoil_wire(served)) {
		rt_conn_fail(conn);
		return;
	}
	rt_conn_answer(conn, rt_io_now(server->io));
	if (server->event != NULL && served->head_told &&
		rt_conn_is_http(&served->conn) && !rt_conn_takes_next(conn))
		report_up_to(server, served, rt_server_dropping(conn),
			conn->buffers->in.len);
	if (counted)
		count_answered(server);
}

/* Decides whether the connection may be kept after the reply to be made. */
static void
decide_keep(const struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if ((!server->config.keep_alive && !server->route.keeps) ||
		!rt_conn_is_http(conn))
		return;
	/* the reply that is the last of all says so; a greeting is none */
	if (conn->asked != RT_ASK_GREET && server->requests > 0 &&
		server->answered + 1 >= server->requests)
		conn->last = true;
	conn->buffers->reply.keep = rt_conn_may_keep(conn);
}

static void
refuse(struct retort *server, struct rt_served *served, int status,
	const char *reason)
{
	struct rt_conn *conn = &served->conn;
	const struct rt_request *request = conn->buffers->request;
	struct rt_draft draft = {
		.reply = &conn->buffers->reply,
		.head_only = request->method == RT_HEAD,
	};

	rt_draft_error(&draft, status, reason, date_now(server));
	answer(server, served);
}

/* Refuses a request, and keeps why for the verdict, with why no rule is for it
   (NULL: no rule is for any refused one). That its client has left is no
   reason, unless all of the refused request was waited for. */
static void
refuse_recorded(struct retort *server, struct rt_served *served,
	const char *no_rule)
{
	struct rt_conn *conn = &served->conn;
	struct rt_buf why;

	decide_keep(server, served);
	(void)rt_server_keep_request(server, served);
	if (served->record != NULL && conn->reason != NULL &&
		(conn->coming != RT_COMING_NOTHING ||
			conn->buffers->shows_all)) {
		rt_buf_init(&why, MAX_WHY);
		rt_buf_add_format(&why, "refused with %d: %s", conn->status,
			conn->reason);
		if (conn->status == 413)
			rt_buf_add_format(&why,
				", at most %llu bytes are taken "
				"(.max_body, --limit body=)",
				(unsigned long long)conn->max_body);
		if (no_rule != NULL)
			rt_buf_add_format(&why, "; %s", no_rule);
		rt_server_keep_why(server, served->record, rt_buf_text(&why));
		rt_buf_free(&why);
	}
	refuse(server, served, conn->status, conn->reason);
	rt_server_publish(server, served);
}

/* Looks for a rule that has the body read in its own way, or not at all. */
static void
decide_reading(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	const struct retort_exchange *seen =
		rt_server_keep_request(server, served);
	const struct rt_faults *faults =
		seen ? rt_route_reading(&server->route, seen) : NULL;
	const struct rt_reading *reading = rt_faults_reading(faults);

	/* delays are from now on, and not from when the loop woke */
	if (reading != NULL)
		(void)rt_io_clock(server->io);
	if (reading == NULL || !conn->buffers->request->has_body) {
		if (served->record != NULL)
			rt_record_forget_request(served->record);
		return;
	}
	rt_conn_set_reading(conn, reading);
	/* if nothing answers, they are told all the same */
	if (reading->stops && served->record->faults == NULL)
		served->record->faults = strdup(rt_faults_text(faults));
	rt_record_forget_request(served->record);
}

static void
ask(struct retort *server, struct rt_served *served, struct rt_asked *asked)
{
	struct rt_conn *conn = &served->conn;
	struct rt_buffers *buffers = conn->buffers;

	asked->request = buffers->request;
	asked->base = buffers->in.data;
	asked->size = rt_conn_raw(conn, &asked->cut);
	asked->date = date_now(server);
	asked->now = server->date_second;
	asked->seen = rt_server_keep_request(server, served);
	asked->connection = served->number;
	asked->nth = conn->nth;
	asked->place = &served->place;
	asked->greeting = conn->asked == RT_ASK_GREET;
	asked->protocol = asked->greeting && rt_conn_is_http(conn) ?
		RETORT_TCP :
		conn->protocol;
	asked->refused = conn->asked == RT_ASK_REFUSE;
	asked->early = conn->asks == RT_ASK_ANSWER && !conn->complete &&
		buffers->reading.early;
	asked->shown = buffers->reading.early_at;
	asked->wanted = asked->rule_id = 0;
	asked->rule = 0;
	asked->why = (struct rt_buf){.max = MAX_WHY};
}

/* Keeps why it got this answer, for the verdict. */
static void
keep_reason(struct retort *server, struct rt_served *served,
	struct rt_asked *asked)
{
	if (asked->why.data == NULL)
		return;
	if (asked->why.len > 0)
		rt_server_keep_why(server, served->record,
			rt_buf_text(&asked->why));
	rt_buf_free(&asked->why);
}

/* Gives up: the rules cannot be asked, and nothing else may answer. */
static void
give_up(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (rt_conn_is_http(conn) && conn->asked != RT_ASK_GREET)
		refuse(server, served, 503, "out of memory");
	else
		rt_conn_fail(conn);
}

/* Reads on for a handler, which is asked again then: the next piece, the body,
   or more of a refused request. False: no more of a refused one can arrive. */
static bool
read_on(struct retort *server, struct rt_served *served, struct rt_asked *asked)
{
	struct rt_conn *conn = &served->conn;
	int64_t now = rt_io_now(server->io);

	if (asked->refused && !rt_conn_may_read_refused(conn)) {
		rt_buf_add_text(&asked->why, "its handler waited for more");
		return false;
	}
	rt_buf_free(&asked->why);
	if (served->record != NULL)
		rt_record_forget_request(served->record);
	if (asked->refused)
		rt_conn_read_refused(conn, now);
	else if (rt_conn_is_http(conn))
		rt_conn_read_on(conn, asked->wanted, now);
	else
		rt_conn_more(conn);
	return true;
}

/* Forgets bytes that were pushed for an earlier reply. Those that a connection
   of pieces was not given yet stay: they come after the next piece. */
static void
forget_given(struct retort *server, const struct rt_served *served)
{
	if (rt_conn_is_http(&served->conn) ||
		!rt_server_has_more(server, served))
		rt_server_drop_pushes(server, served);
}

/* Whether rules should look at a request that could not be kept, as there was
   no memory. */
static bool
is_unknown(const struct retort *server, const struct rt_served *served,
	const struct rt_asked *asked)
{
	return asked->seen == NULL && server->route.looks && !asked->refused &&
		(served->record == NULL ||
			!rt_record_is_ruleless(served->record));
}

/* Records by which rule a request is answered, now or later. */
static void
record_rule(struct retort *server, struct rt_served *served,
	struct rt_asked *asked)
{
	const struct rt_conn *conn = &served->conn;

	if (served->record != NULL) {
		served->record->seen.rule = asked->rule;
		served->record->rule_id = asked->rule_id;
		served->record->last_rule = server->route.last_id;
	}
	served->rule_id = asked->rule_id;
	/* of a piece that was cut off nothing is expected */
	if (!rt_conn_is_http(conn) && !conn->complete &&
		conn->asked != RT_ASK_GREET)
		asked->why.len = 0;
	keep_reason(server, served, asked);
}

/* The request is complete, or is refused unless a rule is for it: decides the
   answer. */
static void
decide_answer(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_asked asked;
	enum rt_outcome outcome;

	ask(server, served, &asked);
	decide_keep(server, served);
	if (server->pushes != NULL)
		forget_given(server, served);
	if (is_unknown(server, served, &asked)) {
		give_up(server, served);
		return;
	}
	outcome =
		rt_route_answer(&server->route, &asked, &conn->buffers->reply);
	if (outcome == RT_MORE && read_on(server, served, &asked))
		return;
	if (outcome == RT_MORE || outcome == RT_REFUSED) {
		refuse_recorded(server, served,
			asked.why.len > 0 ? rt_buf_text(&asked.why) : NULL);
		rt_buf_free(&asked.why);
		return;
	}
	record_rule(server, served, &asked);
	if (outcome != RT_AGAIN && conn->asked != RT_ASK_GREET)
		rt_server_publish(server, served);
	/* others have their turn before it goes on */
	if (outcome == RT_AGAIN)
		rt_conn_defer(conn, rt_io_now(server->io));
	else if (outcome == RT_LATER)
		rt_conn_defer(conn, RT_NEVER);
	else
		answer(server, served);
}

/* Decides what is wanted of the body. */
static void
decide_body(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_wanted wanted =
		rt_route_wants(&server->route, conn->buffers->request);

	if (wanted.none)
		rt_conn_set_reading(conn, &(struct rt_reading){.early = true});
	if (server->route.reads)
		decide_reading(server, served);
	if (conn->asks == RT_ASK_ROUTE)
		rt_conn_want_body(conn, wanted.max,
			wanted.keep ? server->keep : 0, rt_io_now(server->io));
}

/* The head is complete: decides whether the request is welcome, and what is
   wanted of its body. Without one nothing is left to be read, or reported. */
static void
decide_head(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	const struct rt_request *request = conn->buffers->request;

	if (!rt_route_serves(&server->route, conn->buffers->in.data,
		    request->host)) {
		rt_conn_refuse(conn, 421, "this host is not served here");
		return;
	}
	if (request->has_body) {
		decide_body(server, served);
		return;
	}
	if (server->route.reads)
		decide_reading(server, served);
	if (conn->asks == RT_ASK_ROUTE)
		rt_conn_want_body(conn, 0, 0, rt_io_now(server->io));
	if (conn->asks == RT_ASK_ANSWER)
		decide_answer(server, served);
}

/* The request is refused, unless a rule is for it. */
static void
decide_refused(struct retort *server, struct rt_served *served)
{
	if (server->route.refused)
		decide_answer(server, served);
	else
		refuse_recorded(server, served, NULL);
}

static void
greet(struct retort *server, struct rt_served *served)
{
	if (served->record == NULL)
		rt_server_open_record(server, served);
	decide_answer(server, served);
}

/* Sends bytes that were pushed between pieces, perhaps before the first one. */
static void
say(struct retort *server, struct rt_served *served)
{
	if (served->record == NULL && served->conn.nth == 0)
		rt_server_open_record(server, served);
	rt_server_say(server, served);
}

/* Reads nothing more, and answers nothing, until the client leaves. */
static void
halt(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_reply *reply = &conn->buffers->reply;

	(void)rt_server_keep_request(server, served);
	rt_server_publish(server, served);
	rt_reply_reset(reply);
	if (served->record != NULL && served->record->faults != NULL) {
		served->record->seen.faults = served->record->faults;
		rt_reply_set_faults(reply, served->record->faults);
	}
	reply->struck.deaf = true;
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_STALL});
	answer(server, served);
}

/* Answers nothing to a datagram that must not be answered; or to bytes that
   cannot be a piece, which end the connection. */
static void
leave_alone(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	struct rt_reply *reply = &conn->buffers->reply;

	if (rt_server_keep_request(server, served) != NULL)
		rt_server_keep_why(server, served->record, conn->reason);
	rt_server_publish(server, served);
	rt_reply_reset(reply);
	rt_reply_step(reply,
		(struct rt_step){.kind = conn->chan.shared ? RT_STEP_NEXT :
							     RT_STEP_CLOSE});
	rt_conn_answer(conn, rt_io_now(server->io));
}

/* Lets go of the bytes of the body, which were reported. */
static void
tell(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	rt_conn_told(conn);
	served->told = conn->buffers->parsed;
	if (conn->state == RT_STATE_BODY)
		rt_server_charge(server, served);
}

/* Begins the next request, whose bytes have arrived: they are in the record of
   the last one. */
static void
begin_next(struct retort *server, struct rt_served *served)
{
	served->head_told = false;
	rt_server_open_record(server, served);
	rt_conn_next(&served->conn, rt_io_now(server->io));
}

/* Whether it is a tunnel after this reply: a 2xx to CONNECT (RFC 9110 9.3.6),
   as the reply wants. */
static bool
becomes_tunnel(const struct rt_conn *conn)
{
	const struct rt_buffers *buffers = conn->buffers;

	return rt_conn_is_http(conn) &&
		buffers->request->method == RT_CONNECT &&
		buffers->reply.status / 100 == 2 &&
		buffers->play.step->at > RETORT_NEXT_KEEP;
}

/* Notes the target of the tunnel. False: no memory. */
static bool
enter_tunnel(struct rt_served *served)
{
	const struct rt_buffers *buffers = served->conn.buffers;
	struct rt_span target = buffers->request->target;

	rt_blob_drop(served->tunnel);
	served->tunnel =
		rt_blob_new(buffers->in.data + target.at, target.size, false);
	return served->tunnel != NULL;
}

/* Begins TLS: the bytes after the request are the beginning of the handshake.
   False: no memory, or no more layers. */
static bool
enter_tls(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;
	size_t size;
	const char *bytes = rt_conn_rest(conn, &size);

	if (rt_server_begin_tls(server, served) < 0 ||
		!rt_tls_feed(served->tls, bytes, size))
		return false;
	rt_conn_drop_rest(conn);
	return true;
}

/* The exchange is over, and the connection is kept. */
static void
end_exchange(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (rt_conn_ends_exchange(conn)) {
		rt_server_end_exchange(server, served);
		if (conn->protocol == RETORT_TCP)
			count_answered(server);
	}
	if ((becomes_tunnel(conn) && !enter_tunnel(served)) ||
		(rt_conn_begins_tls(conn) && !enter_tls(server, served)))
		rt_conn_fail(conn);
	else
		rt_conn_done(conn, rt_io_now(server->io));
}

static void (*const decisions[])(struct retort *, struct rt_served *) = {
	[RT_ASK_ROUTE] = decide_head,
	[RT_ASK_GREET] = greet,
	[RT_ASK_ANSWER] = decide_answer,
	[RT_ASK_REFUSE] = decide_refused,
	[RT_ASK_TELL] = tell,
	[RT_ASK_DONE] = end_exchange,
	[RT_ASK_NEXT] = begin_next,
	[RT_ASK_HALT] = halt,
	[RT_ASK_IGNORE] = leave_alone,
	[RT_ASK_SEND] = answer,
	[RT_ASK_MORE] = rt_server_give,
	[RT_ASK_SAY] = say,
};

void
rt_server_decide(struct retort *server, struct rt_served *served)
{
	struct rt_conn *conn = &served->conn;

	if (conn->asks == RT_ASK_REFUSE && server->route.refused &&
		!rt_conn_see_refused(conn))
		return;
	if (server->event != NULL)
		report_request(server, served);
	decisions[conn->asks](server, served);
}

int
rt_server_reply(struct retort *server, uint64_t connection,
	const struct retort_reply *as, char *error)
{
	struct rt_served *served = server->conns, **end;
	struct rt_asked asked;
	int code;

	while (served != NULL &&
		(served->number != connection || served->replied ||
			served->conn.state != RT_STATE_WAIT ||
			served->conn.chan.deadline != RT_NEVER))
		served = served->next;
	if (served == NULL)
		return -ENOENT;
	decide_keep(server, served);
	ask(server, served, &asked);
	asked.rule_id = served->rule_id;
	/* a reset forgets the rule, and not the request */
	if (asked.seen == NULL && served->record != NULL &&
		served->record->strings != NULL)
		asked.seen = &served->record->seen;
	code = rt_route_answer_with(&server->route, as, &asked,
		&served->conn.buffers->reply, error);
	keep_reason(server, served, &asked);
	if (code < 0)
		return code;
	served->replied = true;
	for (end = &server->replied; *end != NULL; end = &(*end)->next_replied)
		;
	served->next_replied = NULL;
	*end = served;
	return 0;
}
