/* SPDX-License-Identifier: MIT */
/*
 * retort_sweep(): one reply, cut and split at its bytes, for clients that say
 * each time whether they took it for the whole. A server has one client at a
 * time; several servers have several at once.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/sweep_parts.h"
#include "base/error.h"

/* How long what a client has sent may take to arrive once it is done: ms. */
#define COME_TIME 2000

/* The most bytes of the reply that are reported. */
#define MAX_TOLD 65536u

/* Most servers. */
#define MAX_SLOTS 256u

/* The counters of a server before it gets a client. */
struct before {
	uint64_t connections;
	uint64_t replies;
};

/* A server, and the client that it has. */
struct slot {
	struct retort *server;
	struct before before;
	size_t number; /* of the reply that the client gets */
	bool busy;
	bool again; /* it gets the whole reply, for what it printed then */
};

struct sweep {
	struct retort_sweep of;
	struct rt_swept swept;
	struct rt_buf bytes;             /* of the reply */
	struct retort_sweep_point point; /* the last one */
	struct slot *slots;
	size_t slot_count;
	int wrong;
};

/* --- whether a client connected --- */

/* Whether the client has connected; if connections are kept, whether it has
   asked twice. */
static bool
has_come(const struct retort *server, const struct before *before)
{
	return server->config.keep_alive ?
		server->answered >= before->replies + 2 :
		server->number != before->connections;
}

static int
do_nothing(struct retort *server, void *arg)
{
	(void)server;
	(void)arg;
	return 0;
}

/*
 * Whether nothing is left of a client that is done. A connection of it is
 * accepted in the next turn of the loop that begins; a call may be made in one
 * that has begun, so that three calls see at least one whole turn.
 */
static bool
has_left(struct retort *server)
{
	for (int i = 0; i < 3; i++)
		(void)rt_api_call(server, do_nothing, NULL);
	return server->open == 0;
}

/* Waits until the client has come, or has left, and says what it did not do;
   NULL: it did all. */
static const char *
what_lacks(const struct slot *slot, bool whole)
{
	struct retort *server = slot->server;
	const struct before *before = &slot->before;
	int64_t deadline = rt_api_deadline(COME_TIME);
	const char *lacks = NULL;

	lock(server);
	while (!has_come(server, before) && !has_left(server) &&
		rt_api_wait(server, deadline))
		;
	if (server->number == before->connections &&
		server->answered == before->replies)
		lacks = "did not connect";
	else if (!has_come(server, before))
		lacks = "did not make a second request";
	/* after a reply that was spoiled it may have reason to connect again */
	else if (whole && server->config.keep_alive &&
		server->number - before->connections >=
			server->answered - before->replies)
		lacks = "did not make both requests on one connection";
	unlock(server);
	return lacks;
}

/* --- one client --- */

/* Has the server give the reply with this fault. */
static int
spoil(struct retort *server, const char *fault, char *error)
{
	struct rt_error wrong;
	int code;

	lock(server);
	/* the second reply of a connection, and all after it */
	code = rt_route_spoil(&server->route, fault, server->config.keep_alive,
		&wrong);
	unlock(server);
	return code < 0 ? rt_fail(error, code, "%s", wrong.text) : 0;
}

/* The fault of the reply that the client gets; NULL: it has none. */
static const char *
fault_of(const struct sweep *sweep, const struct slot *slot, char room[64])
{
	struct rt_tried tried = rt_swept_at(&sweep->swept, slot->number);

	return slot->again ? NULL : rt_tried_fault(&tried, room);
}

/* Begins a client: what it took the reply for, if it is done at once,
   RETORT_BEGUN, or -errno. */
static int
begin(struct sweep *sweep, struct slot *slot)
{
	struct retort *server = slot->server;
	char *error = sweep->of.error, room[64];
	const char *fault = fault_of(sweep, slot, room);
	int code = spoil(server, fault, error);

	if (code < 0)
		return code;
	lock(server);
	slot->before = (struct before){server->number, server->answered};
	unlock(server);
	slot->busy = true;
	code = sweep->of.client(sweep->of.client_arg, retort_url(server),
		fault);
	return code < 0 ? rt_fail_errno(error, code, "the client") : code;
}

/* Notes and reports what the client took the reply for. */
static void
note(struct sweep *sweep, const struct slot *slot, int taken)
{
	struct rt_tried tried = rt_swept_at(&sweep->swept, slot->number);
	struct retort_sweep_point *point = &sweep->point;
	char room[64];

	sweep->swept.taken[slot->number] = (signed char)(taken > 0 ? taken : 0);
	point->way = tried.way->clause;
	point->fault = rt_tried_fault(&tried, room);
	point->at = tried.at;
	point->taken = taken;
	point->wrong = rt_swept_is_wrong(tried.way, taken);
	point->number = slot->number;
	point->done++;
	sweep->wrong += point->wrong;
	if (sweep->of.point != NULL)
		sweep->of.point(sweep->of.client_arg, point);
}

/*
 * Whether the client has to get the whole reply once more: its output differs
 * from that for the whole, which means nothing if it prints something else each
 * time, such as a date.
 */
static bool
is_doubtful(const struct sweep *sweep, const struct slot *slot, int taken)
{
	return taken == RT_TAKEN_OTHER && slot->number > 0 && !slot->again &&
		!sweep->swept.varies &&
		rt_swept_at(&sweep->swept, slot->number).way->whole;
}

/* What the client took the reply for, now that its outputs can be compared. */
static int
compare(struct sweep *sweep, const struct slot *slot, int taken)
{
	if (slot->again) {
		sweep->swept.varies |= taken != 1;
		taken = RT_TAKEN_OTHER;
	}
	/* the first output is what others differ from; if the client varies,
	   that says nothing */
	return taken == RT_TAKEN_OTHER &&
			(slot->number == 0 || sweep->swept.varies) ?
		1 :
		taken;
}

/* Whether the client did what it should. 0, or -ENOTCONN with a line in the
   error. */
static int
judge(struct sweep *sweep, const struct slot *slot)
{
	char room[64];
	const char *fault = fault_of(sweep, slot, room);
	const char *lacks = what_lacks(slot, fault == NULL);

	return lacks == NULL ?
		0 :
		rt_fail(sweep->of.error, -ENOTCONN, "%s: the client %s",
			fault ? fault : "the whole reply", lacks);
}

/* Takes the result of a client, unless it has only begun. 0 or -errno. */
static int
settle(struct sweep *sweep, struct slot *slot, int taken)
{
	while (taken >= 0 &&
		(taken != RETORT_BEGUN || sweep->of.ended == NULL)) {
		int code = judge(sweep, slot);

		if (code < 0)
			return code;
		if (!is_doubtful(sweep, slot, taken)) {
			note(sweep, slot, compare(sweep, slot, taken));
			slot->busy = slot->again = false;
			return 0;
		}
		slot->again = true;
		taken = begin(sweep, slot);
	}
	return taken < 0 ? taken : 0;
}

/* --- several --- */

static struct slot *
find_idle(const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->slot_count; i++)
		if (!sweep->slots[i].busy)
			return sweep->slots + i;
	return NULL;
}

static bool
is_any_busy(const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->slot_count; i++)
		if (sweep->slots[i].busy)
			return true;
	return false;
}

/* Waits until one of the clients is done. 0 or -errno. */
static int
wait_for_one(struct sweep *sweep)
{
	const char *url = NULL;
	int taken = sweep->of.ended(sweep->of.client_arg, &url);

	if (taken < 0)
		return rt_fail_errno(sweep->of.error, taken, "the client");
	for (size_t i = 0; url != NULL && i < sweep->slot_count; i++) {
		struct slot *slot = sweep->slots + i;

		if (slot->busy && strcmp(retort_url(slot->server), url) == 0)
			return settle(sweep, slot, taken);
	}
	return rt_fail(sweep->of.error, -EINVAL,
		"ended: expected the URL of a client that has begun");
}

/* Tries the replies from `next` up to `end`. 0 or -errno. */
static int
try_some(struct sweep *sweep, size_t next, size_t end)
{
	int code = 0;

	while (code == 0 && (next < end || is_any_busy(sweep))) {
		struct slot *slot = next < end ? find_idle(sweep) : NULL;

		if (slot == NULL) {
			code = wait_for_one(sweep);
			continue;
		}
		slot->number = next++;
		code = settle(sweep, slot, begin(sweep, slot));
	}
	return code;
}

/* --- all of it --- */

/* The reason why this server cannot be swept, or NULL. */
static const char *
unfit_for_sweep(const struct retort *server)
{
	const struct rt_canned *reply = server->route.fallback.canned;

	if (!server->threaded || is_within(server))
		return "expected a server with a thread, and no callback";
	if (server->listener_count == 0 || !server->listeners[0].sock.tcp)
		return "expected a TCP listener first";
	if (server->route.rule_count > 0)
		return "expected a server without rules";
	if (server->requests > 0)
		return "expected no limit of requests";
	return reply != NULL && reply->faults != NULL ?
		"expected a reply without faults" :
		NULL;
}

/* Measures the reply of a server. 0 or -errno. */
static int
measure(struct retort *server, uint64_t *head, uint64_t *size,
	struct rt_buf *bytes, char *error)
{
	const char *what;
	int code;

	lock(server);
	what = unfit_for_sweep(server);
	code = what != NULL ?
		rt_fail(error, -EINVAL, "sweep: %s", what) :
		rt_route_measure(&server->route, server->config.keep_alive,
			head, size, bytes, error);
	unlock(server);
	return code;
}

/* Measures the reply of another server, which must be the same. 0 or -errno. */
static int
measure_more(const struct sweep *sweep, struct retort *server)
{
	struct rt_buf bytes;
	uint64_t head = 0, size = 0;
	int code;

	if (is_elsewhere(server))
		return rt_api_fail_elsewhere(server, sweep->of.error);
	rt_buf_init(&bytes, MAX_TOLD);
	code = measure(server, &head, &size, &bytes, sweep->of.error);
	rt_buf_free(&bytes);
	if (code == 0 &&
		(head != sweep->swept.head || size != sweep->swept.size))
		code = rt_fail(sweep->of.error, -EINVAL,
			"more: expected servers with the same reply");
	return code;
}

/* Makes a slot for each server. 0 or -errno. */
static int
open_slots(struct sweep *sweep)
{
	struct retort *const *more = sweep->of.more;
	size_t count = 1;
	int code = 0;

	while (more != NULL && more[count - 1] != NULL)
		count++;
	if (count > MAX_SLOTS || (count > 1 && sweep->of.ended == NULL))
		return rt_fail(sweep->of.error, -EINVAL,
			"more: expected `ended`, too, and at most %u servers",
			MAX_SLOTS);
	sweep->slots = calloc(count, sizeof *sweep->slots);
	if (sweep->slots == NULL)
		return rt_fail_errno(sweep->of.error, -ENOMEM, "sweep");
	sweep->slots[0].server = sweep->of.server;
	sweep->slot_count = count;
	for (size_t i = 1; code == 0 && i < count; i++) {
		sweep->slots[i].server = more[i - 1];
		code = measure_more(sweep, more[i - 1]);
	}
	return code;
}

/* Has the server note where records of the reply end; NULL: no more. */
static void
note_records(struct retort *server, struct rt_buf *ends)
{
	lock(server);
	rt_tls_note_ends(server->tls, ends);
	unlock(server);
}

/* Gives the client the whole reply. 0 or -errno. */
static int
rehearse(struct sweep *sweep)
{
	struct slot *slot = sweep->slots;
	const char *url = NULL;
	int taken;

	slot->again = true;
	taken = begin(sweep, slot);
	if (taken == RETORT_BEGUN && sweep->of.ended != NULL)
		taken = sweep->of.ended(sweep->of.client_arg, &url);
	if (taken >= 0)
		taken = judge(sweep, slot);
	slot->busy = slot->again = false;
	return taken;
}

/* Measures the records. Their sizes on the wire depend on what the client
   agrees on, so that it gets the whole reply once before. 0 or -errno. */
static int
measure_records(struct sweep *sweep)
{
	struct retort *server = sweep->of.server;
	struct rt_buf ends;
	int code;

	rt_buf_init(&ends, RT_SWEEP_POINTS * sizeof(uint64_t));
	note_records(server, &ends);
	code = rehearse(sweep);
	note_records(server, NULL);
	if (code == 0 && ends.failed)
		code = rt_fail(sweep->of.error, -EINVAL,
			"at: records: there are too many");
	if (code == 0)
		code = rt_swept_choose_records(&sweep->swept,
			(const uint64_t *)(void *)ends.data,
			ends.len / sizeof(uint64_t), sweep->of.error);
	rt_buf_free(&ends);
	return code;
}

/* Measures the reply, and chooses its points. 0 or -errno. */
static int
open_sweep(struct sweep *sweep)
{
	struct retort_sweep_point *point = &sweep->point;
	struct retort *server = sweep->of.server;
	struct rt_swept *swept = &sweep->swept;
	char *error = sweep->of.error;
	bool records;
	int code;

	if (sweep->of.client == NULL)
		return rt_fail(error, -EINVAL, "sweep: expected a client");
	code = measure(server, &point->head, &point->size, &sweep->bytes,
		error);
	if (code < 0)
		return code;
	point->bytes = sweep->bytes.data;
	point->byte_count = sweep->bytes.len;
	if (point->size == 0 || point->size > RT_SWEEP_BYTES)
		return rt_fail(error, -EINVAL,
			"a reply of %llu bytes: expected 1 to %u",
			(unsigned long long)point->size, RT_SWEEP_BYTES);
	swept->head = point->head;
	swept->size = point->size;
	swept->at = sweep->of.at;
	swept->tls = server->route.tls;
	swept->kept = server->config.keep_alive;
	code = open_slots(sweep);
	if (code == 0)
		code = rt_swept_choose(swept, &records, error);
	if (code == 0 && records)
		code = measure_records(sweep);
	if (code == 0)
		code = rt_swept_open(swept, error);
	point->all = swept->all;
	return code;
}

/* Tries all replies; the whole one first and alone, as all others are compared
   with it. 0 or -errno. */
static int
run_sweep(struct sweep *sweep)
{
	int code = try_some(sweep, 0, 1);

	return code == 0 && sweep->wrong == 0 ?
		try_some(sweep, 1, sweep->swept.all) :
		code;
}

/* Has the servers answer without faults again. 0 or -errno. */
static int
restore(const struct sweep *sweep)
{
	char error[RETORT_ERROR_SIZE];
	int code = 0;

	for (size_t i = 0; i < sweep->slot_count; i++)
		if (spoil(sweep->slots[i].server, NULL, error) < 0)
			code = rt_fail(sweep->of.error, -ENOMEM, "%s", error);
	return code;
}

int
retort_sweep_sized(const struct retort_sweep *theirs, size_t size)
{
	char own[RETORT_ERROR_SIZE];
	struct sweep sweep = {.wrong = 0};
	int code = rt_api_copy(&sweep.of, sizeof sweep.of, theirs, size);

	if (sweep.of.error == NULL)
		sweep.of.error = own;
	if (sweep.of.report != NULL)
		*sweep.of.report = NULL;
	if (is_elsewhere(sweep.of.server))
		return rt_api_fail_elsewhere(sweep.of.server, sweep.of.error);
	if (code < 0)
		return rt_fail_errno(sweep.of.error, code, "sweep");
	rt_buf_init(&sweep.bytes, MAX_TOLD);
	code = open_sweep(&sweep);
	if (code == 0) {
		int end;

		code = run_sweep(&sweep);
		/* the first failure is reported */
		if (code < 0)
			sweep.of.error = own;
		end = restore(&sweep);
		code = code < 0 ? code : end;
		if (sweep.of.report != NULL)
			*sweep.of.report = rt_swept_report(&sweep.swept);
	}
	free(sweep.slots);
	rt_swept_close(&sweep.swept);
	rt_buf_free(&sweep.bytes);
	return code < 0 ? code : sweep.wrong;
}
