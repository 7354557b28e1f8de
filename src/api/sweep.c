/* SPDX-License-Identifier: MIT */
/*
 * retort_sweep(): one reply, cut and split at each of its bytes, for a client
 * that says each time whether it took what came for the whole.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/error.h"

/* How long a connection may take to be accepted once its client is done: ms. */
#define ACCEPT_TIME 2000

/* Most cut points of a reply that is swept. */
#define MAX_SWEEP 65536u

/* The longest report: bytes. */
#define MAX_REPORT (64u << 20)

/* With TLS: its truncation. */
#define UNNOTIFIED "cut N fin; no-close-notify"

struct sweep {
	struct retort_sweep of;
	uint64_t head;
	uint64_t whole;
	struct rt_buf report;
	int width; /* of the first column */
	int wrong;
};

/* The report on one kind of reply: where the client was wrong. */
struct told {
	uint64_t first; /* of a run of points */
	uint64_t last;
	bool open;
	size_t count;
};

/* One more run of points, if there is one. */
static void
add_run(struct sweep *sweep, struct told *told)
{
	if (!told->open)
		return;
	rt_buf_add_text(&sweep->report, told->count++ > 0 ? ", " : " ");
	rt_buf_add_format(&sweep->report, "%llu",
		(unsigned long long)told->first);
	if (told->last > told->first)
		rt_buf_add_format(&sweep->report, "-%llu",
			(unsigned long long)told->last);
	told->open = false;
}

static void
tell(struct sweep *sweep, struct told *told, uint64_t at)
{
	sweep->wrong++;
	if (told->open && told->last + 1 == at) {
		told->last = at;
		return;
	}
	add_run(sweep, told);
	*told = (struct told){at, at, true, told->count};
}

/* What the client has done before, so that more can be told from it. */
struct before {
	uint64_t connections;
	uint64_t replies;
};

/* Whether there was a connection since, or is one that waits to be accepted. On
   connections that are kept the client asks twice. */
static bool
has_come(const struct retort *server, const struct before *before)
{
	return server->config.keep_alive ?
		server->answered >= before->replies + 2 :
		server->number != before->connections;
}

/* Waits for that, and for the reason why it is not as it should be; NULL. */
static const char *
what_lacks(struct retort *server, const struct before *before, bool whole)
{
	int64_t deadline = rt_api_deadline(ACCEPT_TIME);
	const char *lacks = NULL;
	bool more = true;

	lock(server);
	while (!has_come(server, before) && more)
		more = rt_api_wait(server, deadline);
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

/* Whether the client takes this for success; < 0: -errno. */
static int
try_one(struct sweep *sweep, const char *fault)
{
	struct retort *server = sweep->of.server;
	char *error = sweep->of.error;
	struct before before;
	const char *lacks;
	int code;

	lock(server);
	before = (struct before){server->number, server->answered};
	unlock(server);
	code = spoil(server, fault, error);
	if (code < 0)
		return code;
	code = sweep->of.client(sweep->of.client_arg, retort_url(server),
		fault);
	if (code < 0)
		return rt_fail_errno(error, code, "the client");
	lacks = what_lacks(server, &before, fault == NULL);
	if (lacks != NULL)
		return rt_fail(error, -ENOTCONN, "%s: the client %s",
			fault ? fault : "the whole reply", lacks);
	return code;
}

/* One way at all its points: a clause, with its position for the N. */
static int
try_points(struct sweep *sweep, const char *clause, uint64_t from, uint64_t to,
	bool right)
{
	int point = (int)strcspn(clause, "N");
	struct told told = {.open = false};
	char fault[64];

	rt_buf_add_format(&sweep->report, "%-*s %6llu  ", sweep->width, clause,
		(unsigned long long)(to - from));
	rt_buf_add_text(&sweep->report,
		right ? "taken for failure:" : "taken for success:");
	for (uint64_t at = from; at < to; at++) {
		int taken;

		(void)snprintf(fault, sizeof fault, "%.*s%llu%s", point, clause,
			(unsigned long long)at, clause + point + 1);
		taken = try_one(sweep, fault);
		if (taken < 0) {
			add_run(sweep, &told);
			rt_buf_add_format(&sweep->report, " (%llu not tried)\n",
				(unsigned long long)(to - at - 1));
			return taken;
		}
		if ((taken > 0) != right)
			tell(sweep, &told, at);
	}
	add_run(sweep, &told);
	rt_buf_add_text(&sweep->report, told.count > 0 ? "\n" : " none\n");
	return 0;
}

static int
try_whole(struct sweep *sweep, const char *name, const char *fault)
{
	int taken = try_one(sweep, fault);

	if (taken < 0)
		return taken;
	sweep->wrong += taken == 0;
	rt_buf_add_format(&sweep->report, "%-*s %6u  taken for %s\n",
		sweep->width, name, 1u, taken > 0 ? "success" : "failure");
	return 0;
}

/* Which points are in the head. */
static void
describe(struct sweep *sweep)
{
	unsigned long long head = sweep->head, whole = sweep->whole;

	rt_buf_add_format(&sweep->report, "reply of %llu byte%s", whole,
		whole == 1 ? "" : "s");
	if (head > 0)
		rt_buf_add_format(&sweep->report, ": head 0-%llu", head - 1);
	if (head > 0 && head < whole)
		rt_buf_add_format(&sweep->report, ", body %llu-%llu", head,
			whole - 1);
	if (sweep->of.server->config.keep_alive)
		rt_buf_add_text(&sweep->report,
			", the second on its connection");
	rt_buf_add_text(&sweep->report, "\n");
}

static int
run_sweep(struct sweep *sweep)
{
	int code;

	sweep->width = sweep->of.server->tls ? (int)sizeof UNNOTIFIED : 18;
	describe(sweep);
	code = try_whole(sweep, "whole", NULL);
	if (code == 0 && sweep->wrong > 0) {
		rt_buf_add_text(&sweep->report, "nothing else was tried\n");
		return 0;
	}
	if (code == 0)
		code = try_points(sweep, "cut N fin", 0, sweep->whole, false);
	if (code == 0 && sweep->of.server->tls != NULL)
		code = try_points(sweep, UNNOTIFIED, 0, sweep->whole, false);
	if (code == 0)
		code = try_points(sweep, "cut N reset", 0, sweep->whole, false);
	/* the gap is there so that a client that is slow to read meets two
	   segments, and not one */
	if (code == 0)
		code = try_points(sweep, "split N; gap 20", 1, sweep->whole,
			true);
	return code == 0 ? try_whole(sweep, "each 1", "each 1") : code;
}

/* The reason why this cannot be swept, or NULL. */
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

/* Measures the reply. 0 or -errno. */
static int
open_sweep(struct sweep *sweep)
{
	struct retort *server = sweep->of.server;
	char *error = sweep->of.error;
	const char *what;
	int code;

	if (sweep->of.client == NULL)
		return rt_fail(error, -EINVAL, "sweep: expected a client");
	lock(server);
	what = unfit_for_sweep(server);
	code = what != NULL ?
		rt_fail(error, -EINVAL, "sweep: %s", what) :
		rt_route_measure(&server->route, server->config.keep_alive,
			&sweep->head, &sweep->whole, error);
	unlock(server);
	if (code == 0 && (sweep->whole == 0 || sweep->whole > MAX_SWEEP))
		code = rt_fail(error, -EINVAL,
			"a reply of %llu bytes: expected 1 to %u",
			(unsigned long long)sweep->whole, MAX_SWEEP);
	return code;
}

/* The report, which the caller frees; NULL: it could not be kept. */
static char *
take_report(struct sweep *sweep)
{
	rt_buf_add(&sweep->report, "", 1);
	if (!sweep->report.failed)
		return sweep->report.data;
	rt_buf_free(&sweep->report);
	return NULL;
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
		return rt_api_fail_elsewhere(sweep.of.error);
	if (code < 0)
		return rt_fail_errno(sweep.of.error, code, "sweep");
	code = open_sweep(&sweep);
	if (code < 0)
		return code;
	rt_buf_init(&sweep.report, MAX_REPORT);
	code = run_sweep(&sweep);
	/* and the server answers as it does by itself */
	if (spoil(sweep.of.server, NULL, own) < 0 && code == 0)
		code = rt_fail(sweep.of.error, -ENOMEM, "%s", own);
	if (sweep.of.report != NULL)
		*sweep.of.report = take_report(&sweep);
	else
		rt_buf_free(&sweep.report);
	return code < 0 ? code : sweep.wrong;
}
