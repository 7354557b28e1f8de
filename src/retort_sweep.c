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

#include "error.h"
#include "retort_parts.h"

/* So that a client that is slow to read meets two segments, and not one. */
#define SPLIT_GAP "; gap 20"

/* Most cut points of a reply that is swept. */
#define MAX_SWEEP 65536u

/* The longest report: bytes. */
#define MAX_REPORT (64u << 20)

struct sweep {
	struct retort *server;
	struct retort_reply reply;
	retort_client *client;
	void *arg;
	uint64_t head;
	uint64_t whole;
	struct rt_buf report;
	int wrong;
	char *error;
};

/* What is told of one way: where the client was wrong. */
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

/* Whether the client takes this for success; < 0: -errno. */
static int
try_one(struct sweep *sweep, const char *faults)
{
	struct retort_reply reply = sweep->reply;
	int code;

	reply.faults = faults;
	code = retort_answer(sweep->server, &reply, sweep->error);
	if (code < 0)
		return code;
	return sweep->client(sweep->arg, retort_url(sweep->server, 0));
}

/* One way at all its points. */
static int
try_points(struct sweep *sweep, const char *name, const char *format,
	const char *ending, uint64_t from, uint64_t to, bool right)
{
	struct told told = {.open = false};
	char faults[64];

	rt_buf_add_format(&sweep->report, "%-18s %6llu  ", name,
		(unsigned long long)(to - from));
	rt_buf_add_text(&sweep->report,
		right ? "taken for failure:" : "taken for success:");
	for (uint64_t at = from; at < to; at++) {
		int taken;

		(void)snprintf(faults, sizeof faults, "%s %llu%s", format,
			(unsigned long long)at, ending);
		taken = try_one(sweep, faults);
		if (taken < 0)
			return taken;
		if ((taken > 0) != right)
			tell(sweep, &told, at);
	}
	add_run(sweep, &told);
	rt_buf_add_text(&sweep->report, told.count > 0 ? "\n" : " none\n");
	return 0;
}

static int
try_whole(struct sweep *sweep, const char *name, const char *faults)
{
	int taken = try_one(sweep, faults);

	if (taken < 0)
		return taken;
	sweep->wrong += taken == 0;
	rt_buf_add_format(&sweep->report, "%-18s %6u  taken for %s\n", name, 1u,
		taken > 0 ? "success" : "failure");
	return 0;
}

static int
run_sweep(struct sweep *sweep)
{
	int code;

	rt_buf_add_format(&sweep->report,
		"reply of %llu bytes: head 0-%llu, body %llu-%llu\n",
		(unsigned long long)sweep->whole,
		(unsigned long long)(sweep->head ? sweep->head - 1 : 0),
		(unsigned long long)sweep->head,
		(unsigned long long)(sweep->whole ? sweep->whole - 1 : 0));
	code = try_whole(sweep, "whole", NULL);
	if (code == 0)
		code = try_points(sweep, "cut, FIN", "cut", " fin", 0,
			sweep->whole, false);
	if (code == 0)
		code = try_points(sweep, "cut, RST", "cut", " reset", 0,
			sweep->whole, false);
	if (code == 0)
		code = try_points(sweep, "split in two", "split", SPLIT_GAP, 1,
			sweep->whole, true);
	return code == 0 ? try_whole(sweep, "byte by byte", "each 1") : code;
}

/* What cannot be swept, or NULL. */
static const char *
unfit_for_sweep(const struct retort *server, const struct retort_reply *reply)
{
	if (!server->threaded || server->running)
		return "expected a server of retort_start(), and no callback";
	if (server->listener_count == 0 || !server->listeners[0].sock.tcp)
		return "expected a TCP listener first";
	if (server->route.rule_count > 0 || server->route.chaos != NULL)
		return "expected a server without rules and retort_faults()";
	if (server->requests > 0)
		return "expected no limit of requests";
	return reply->faults != NULL ? "expected a reply without faults" : NULL;
}

/* What there is to be swept. */
static int
open_sweep(struct sweep *sweep, const struct retort_reply *theirs, size_t size)
{
	struct retort *server = sweep->server;
	const char *what;
	int code;

	code = rt_api_copy(&sweep->reply, sizeof sweep->reply, theirs, size);
	if (code < 0)
		return rt_fail_errno(sweep->error, code, "reply");
	lock(server);
	what = unfit_for_sweep(server, &sweep->reply);
	if (what != NULL) {
		unlock(server);
		return rt_fail(sweep->error, -EINVAL, "sweep: %s", what);
	}
	code = rt_route_measure(&server->route, &sweep->reply, &sweep->head,
		&sweep->whole, sweep->error);
	unlock(server);
	if (code == 0 && (sweep->whole == 0 || sweep->whole > MAX_SWEEP))
		code = rt_fail(sweep->error, -EINVAL,
			"a reply of %llu bytes: expected 1 to %u",
			(unsigned long long)sweep->whole, MAX_SWEEP);
	return code;
}

int
retort_sweep_sized(struct retort *server, const struct retort_reply *theirs,
	size_t size, retort_client *client, void *arg, char **report,
	char *error)
{
	char own[RETORT_ERROR_SIZE];
	struct sweep sweep = {
		.server = server,
		.client = client,
		.arg = arg,
		.error = error ? error : own,
	};
	int code = open_sweep(&sweep, theirs, size);

	rt_buf_init(&sweep.report, MAX_REPORT);
	if (code == 0)
		code = run_sweep(&sweep);
	/* and the server answers as it does by itself */
	if (code == 0)
		code = retort_answer(server, &sweep.reply, sweep.error);
	rt_buf_add(&sweep.report, "", 1);
	if (report != NULL)
		*report = sweep.report.failed ? NULL : sweep.report.data;
	if (report == NULL || sweep.report.failed)
		rt_buf_free(&sweep.report);
	return code < 0 ? code : sweep.wrong;
}
