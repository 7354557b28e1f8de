/* SPDX-License-Identifier: MIT */
/* A connection with TLS: carries what its channel wants to a struct rt_tls, and
   what that wants to the loop. server.c calls it in place of the loop. */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Layers of TLS in TLS: each passes bytes on to the next one. */
#define MOST_LAYERS 4

/* Notes faults that belong to no reply, after earlier ones. False: no
   memory. */
static bool
note_faults(struct rt_served *served, const char *faults)
{
	const char *before = served->tls_faults ? served->tls_faults : "";
	size_t room = strlen(before) + strlen("; ") + strlen(faults) + 1;
	char *all = malloc(room);

	if (all == NULL)
		return false;
	(void)snprintf(all, room, "%s%s%s", before, *before != '\0' ? "; " : "",
		faults);
	free(served->tls_faults);
	served->tls_faults = all;
	return true;
}

/* Spoils its TLS by the faults that all connections have, drawn for this one.
   False: no memory. */
static bool
spoil(struct retort *server, struct rt_served *served)
{
	struct rt_faults *drawn = rt_faults_draw(server->tls_faults,
		server->route.seed, served->number);
	struct rt_wire_list edits = {NULL, 0, 0};
	bool ok = drawn != NULL;

	served->chance = (struct rt_chance){
		.drawn = rt_faults_chancy(server->tls_faults),
		.seed = server->route.seed,
	};
	if (ok && rt_faults_resume_none(drawn))
		rt_tls_resume_none(served->tls, served->number);
	if (ok && *rt_faults_text(drawn) != '\0')
		ok = note_faults(served, rt_faults_text(drawn));
	ok = ok && rt_faults_edit_wire(drawn, &edits, true);
	rt_faults_free(drawn);
	return rt_tls_edit(served->tls, &edits) && ok;
}

bool
rt_server_spoil_wire(struct rt_served *served)
{
	struct rt_reply *reply = &served->conn.buffers->reply;

	/* the reply of a greeting ends before its faults are shown */
	if (served->conn.asked == RT_ASK_GREET &&
		reply->struck.wire.count > 0 &&
		rt_reply_faults(reply) != NULL &&
		!note_faults(served, rt_reply_faults(reply)))
		return false;
	return rt_tls_edit(served->tls, &reply->struck.wire);
}

/* Whether there are as many layers as there may be. */
static bool
is_deep(const struct rt_tls *tls)
{
	int layers = 0;

	for (; tls != NULL; tls = tls->beneath)
		layers++;
	return layers >= MOST_LAYERS;
}

int
rt_server_begin_tls(struct retort *server, struct rt_served *served)
{
	struct rt_tls *beneath = served->tls, *tls;

	if (is_deep(beneath)) {
		rt_server_keep_why(server, served->record,
			"TLS in TLS: there are 4 layers already");
		return -ELOOP;
	}
	tls = rt_tls_new(server->tls, served->conn.chan.fd, RT_KIND_WIRE,
		served);
	if (tls == NULL)
		return -ENOMEM;
	/* from now on the loop knows its wire in place of the connection's */
	if (beneath == NULL)
		rt_io_release(server->io, &served->conn.chan);
	tls->beneath = beneath;
	served->tls = tls;
	served->shook[0] = served->shook[1] = 0;
	served->shaken = !server->recorded;
	rt_record_begin_tls(served);
	return server->tls_faults == NULL || beneath != NULL ||
			spoil(server, served) ?
		0 :
		-ENOMEM;
}

void
rt_server_end_tls(struct rt_served *served)
{
	struct rt_tls *beneath;

	for (; served->tls != NULL; served->tls = beneath) {
		beneath = served->tls->beneath;
		rt_tls_free(served->tls);
	}
	free(served->tls_faults);
	served->tls_faults = NULL;
}

/* Reads bytes of a file, if that is to be sent, so that they can become a
   record. False: there are none, and the operation has its result. */
static bool
read_file(struct rt_served *served)
{
	struct rt_op *op = &served->conn.chan.out;
	char *room = rt_tls_room(served->tls, &served->conn.chan);
	int64_t n;

	if (room == NULL)
		return true;
	n = rt_io_read_file(op, room, RT_TLS_RECORD);
	if (n > 0)
		rt_tls_read(served->tls, (size_t)n);
	else
		op->result = n;
	return n > 0;
}

/* A result: the wire was cut, and the connection wants something else now. */
#define CUT 0x100u

static unsigned
try_at(struct retort *server, struct rt_served *served, struct rt_tls *tls,
	struct rt_chan *plain)
{
	bool was_cut;
	unsigned done;

	for (;;) {
		if (tls == served->tls && !read_file(served))
			return RT_OUT_DONE;
		was_cut = tls->cut;
		done = rt_tls_try(tls, plain, rt_io_now(server->io));
		if (tls == served->tls && !served->shaken)
			rt_server_record_tls(server, served);
		if (done != 0)
			return done;
		if (tls->cut && !was_cut) {
			rt_conn_cut(&served->conn, (enum rt_step_kind)tls->how);
			return served->conn.state == RT_STATE_OVER ? 0 : CUT;
		}
		done = tls->beneath == NULL ?
			rt_io_try(server->io, &tls->wire) :
			try_at(server, served, tls->beneath, &tls->wire);
		if (done == 0 || done == CUT)
			return done;
		done = rt_tls_done(tls, plain, done);
		if (done != 0)
			return done;
	}
}

unsigned
rt_server_try_tls(struct retort *server, struct rt_served *served)
{
	unsigned done;

	do
		done = try_at(server, served, served->tls, &served->conn.chan);
	while (done == CUT);
	return done;
}

void
rt_server_tell_end(struct retort *server, struct rt_served *served)
{
	struct rt_chan *plain = &served->conn.chan;

	if (served->tls->notified || served->tls->cut ||
		served->conn.client_close == RETORT_RST ||
		served->conn.server_close != RETORT_FIN)
		return;
	plain->in.verb = RT_NOTHING;
	plain->out.verb = RT_FINISH;
	plain->out.bare = false;
	(void)rt_server_try_tls(server, served);
	plain->out.verb = RT_CLOSE;
}

/* Has the wire wait for as long as the plain channel. */
static void
plan_wire(struct rt_tls *tls, const struct rt_chan *plain)
{
	struct rt_chan *wire = &tls->wire;
	bool wanted =
		plain->in.verb != RT_NOTHING || plain->out.verb != RT_NOTHING;

	wire->deadline = plain->deadline;
	wire->watched = plain->watched;
	if (tls->until > 0)
		wire->deadline = tls->until;
	/* no event of the wire would wake it after the turn of others */
	else if (wanted && wire->in.verb == RT_NOTHING &&
		wire->out.verb == RT_NOTHING)
		wire->deadline = 0;
}

struct rt_chan *
rt_server_wire(struct rt_served *served)
{
	struct rt_chan *plain = &served->conn.chan;
	struct rt_tls *tls = served->tls;

	plan_wire(tls, plain);
	for (; tls->beneath != NULL; tls = tls->beneath)
		plan_wire(tls->beneath, &tls->wire);
	return &tls->wire;
}
