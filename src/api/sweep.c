/* SPDX-License-Identifier: MIT */
/*
 * retort_sweep(): one reply, cut and split at its bytes, for a client that says
 * each time whether it took what came for the whole.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/sweep_parts.h"
#include "base/error.h"

/* How long a connection may take to be accepted once its client is done: ms. */
#define ACCEPT_TIME 2000

/* The longest report: bytes. */
#define MAX_REPORT (64u << 20)

/* As many bytes of the reply are told. */
#define MAX_TOLD 65536u

/* What a client may return. */
enum { OTHER = 2 };

/* A way to spoil a reply at each point N. */
struct way {
	const char *clause;
	bool tls;   /* with TLS only */
	bool whole; /* nothing is lacking, and the client should take it; N is
	               between two bytes */
};

static const struct way ways[] = {
	{.clause = "cut N fin"},
	{.clause = "cut N fin; no-close-notify", .tls = true},
	{.clause = "cut N reset"},
	/* the gap is there so that a client that is slow to read meets two
	   segments, and not one */
	{.clause = "split N; gap 20", .whole = true},
};

/* The columns of the report: clauses as they are, and with those of TLS. */
enum { PLAIN_WIDTH = 18, TLS_WIDTH = 27 };

struct sweep {
	struct retort_sweep of;
	struct rt_points points;
	struct rt_buf report;
	struct rt_buf bytes;             /* of the reply */
	struct retort_sweep_point point; /* the present one */
	int width;                       /* of the first column */
	int wrong;
	bool varies; /* so does the output for the whole reply */
};

/* Runs of points that follow each other among those that are tried. */
struct runs {
	struct rt_buf text;
	size_t first; /* by their places */
	size_t end;
};

/* Ends the run, if there is one. */
static void
end_run(const struct sweep *sweep, struct runs *runs)
{
	const uint64_t *at = sweep->points.at;
	size_t count = runs->end - runs->first;
	unsigned long long first, last;

	if (count == 0)
		return;
	first = at[runs->first];
	last = at[runs->end - 1];
	rt_buf_add_format(&runs->text, "%s %llu", runs->text.len > 0 ? "," : "",
		first);
	if (count > 1)
		rt_buf_add_format(&runs->text, "-%llu", last);
	if (count <= last - first)
		rt_buf_add_format(&runs->text, " (%zu tried)", count);
	runs->first = runs->end;
}

static void
add_point(const struct sweep *sweep, struct runs *runs, size_t place)
{
	if (runs->end != place || runs->first == runs->end) {
		end_run(sweep, runs);
		runs->first = place;
	}
	runs->end = place + 1;
}

/* Adds them to the report, and forgets them. */
static void
tell_runs(struct sweep *sweep, struct runs *runs, const char *none)
{
	end_run(sweep, runs);
	sweep->report.failed |= runs->text.failed;
	if (runs->text.len > 0)
		rt_buf_add(&sweep->report, runs->text.data, runs->text.len);
	else
		rt_buf_add_text(&sweep->report, none);
	rt_buf_free(&runs->text);
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

/* What the client takes the reply for, with this fault; < 0: -errno. */
static int
try_once(struct sweep *sweep, const char *fault)
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

/*
 * The same for a reply that lacks nothing. Output that is not that for the whole
 * says nothing of a client whose output for the whole is not the same each
 * time, as with a date in it.
 */
static int
try_whole(struct sweep *sweep, const char *fault)
{
	int taken = try_once(sweep, fault), again;

	if (taken < OTHER || sweep->varies)
		return taken < OTHER ? taken : 1;
	again = try_once(sweep, NULL);
	if (again < 0)
		return again;
	sweep->varies = again != 1;
	return sweep->varies ? 1 : OTHER;
}

/* One reply; what the client took it for, or < 0: -errno. */
static int
try_one(struct sweep *sweep, const char *way, uint64_t at, const char *fault,
	bool whole)
{
	struct retort_sweep_point *point = &sweep->point;
	int taken = whole && fault != NULL ? try_whole(sweep, fault) :
					     try_once(sweep, fault);

	if (taken < 0)
		return taken;
	if (fault == NULL && taken == OTHER)
		taken = 1; /* there is nothing that it differs from */
	point->way = way;
	point->fault = fault;
	point->at = at;
	point->taken = taken;
	point->wrong = whole ? taken != 1 : taken > 0;
	point->done++;
	sweep->wrong += point->wrong;
	if (sweep->of.point != NULL)
		sweep->of.point(sweep->of.client_arg, point);
	return taken;
}

/* The first point of a way, by its place: before byte 0 nothing is split. */
static size_t
first_place(const struct sweep *sweep, const struct way *way)
{
	return way->whole && sweep->points.at[0] == 0;
}

/* Tries the way at its points, from *place on. 0 or -errno. */
static int
try_points(struct sweep *sweep, const struct way *way, size_t *place,
	struct runs *wrong, struct runs *other)
{
	int point = (int)strcspn(way->clause, "N");
	char fault[64];

	for (; *place < sweep->points.count; ++*place) {
		uint64_t at = sweep->points.at[*place];
		int taken;

		(void)snprintf(fault, sizeof fault, "%.*s%llu%s", point,
			way->clause, (unsigned long long)at,
			way->clause + point + 1);
		taken = try_one(sweep, way->clause, at, fault, way->whole);
		if (taken < 0)
			return taken;
		if (way->whole && taken == OTHER)
			add_point(sweep, other, *place);
		else if (way->whole == (taken == 0))
			add_point(sweep, wrong, *place);
	}
	return 0;
}

/* One way at all its points: a line of the report. */
static int
try_way(struct sweep *sweep, const struct way *way)
{
	size_t place = first_place(sweep, way);
	struct runs wrong = {.first = 0}, other = {.first = 0};
	int code;

	rt_buf_init(&wrong.text, MAX_REPORT);
	rt_buf_init(&other.text, MAX_REPORT);
	rt_buf_add_format(&sweep->report,
		"%-*s %6zu  taken for %s:", sweep->width, way->clause,
		sweep->points.count - place,
		way->whole ? "failure" : "success");
	code = try_points(sweep, way, &place, &wrong, &other);
	tell_runs(sweep, &wrong, code < 0 ? "" : " none");
	if (other.first != other.end || other.text.len > 0)
		rt_buf_add_text(&sweep->report,
			"; for success, with other output:");
	tell_runs(sweep, &other, "");
	if (code < 0)
		rt_buf_add_format(&sweep->report, " (%zu not tried)",
			sweep->points.count - place - 1);
	rt_buf_add_text(&sweep->report, "\n");
	return code;
}

/* A reply that lacks nothing, and has no point: a line, too. */
static int
try_line(struct sweep *sweep, const char *name, const char *fault)
{
	int taken = try_one(sweep, name, 0, fault, true);

	if (taken < 0)
		return taken;
	rt_buf_add_format(&sweep->report, "%-*s %6u  taken for %s%s\n",
		sweep->width, name, 1u, taken > 0 ? "success" : "failure",
		taken == OTHER ? ", with other output" : "");
	return 0;
}

/* Which points are in the head, and which of all are tried. */
static void
describe(struct sweep *sweep)
{
	unsigned long long head = sweep->point.head, whole = sweep->point.size;

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
	if (sweep->points.count < whole && sweep->of.at != NULL)
		rt_buf_add_format(&sweep->report, "; %zu tried, %s",
			sweep->points.count, sweep->of.at);
	else if (sweep->points.count < whole)
		rt_buf_add_format(&sweep->report, "; tried: %s%u of the body",
			head > 0 ? "all of the head, " : "", RT_SWEEP_BODY);
	rt_buf_add_text(&sweep->report, "\n");
}

static bool
applies(const struct sweep *sweep, const struct way *way)
{
	return !way->tls || sweep->of.server->route.tls;
}

static int
try_ways(struct sweep *sweep)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < sizeof ways / sizeof *ways; i++)
		if (applies(sweep, ways + i))
			code = try_way(sweep, ways + i);
	return code == 0 ? try_line(sweep, "each 1", "each 1") : code;
}

/* How many replies there will be: the whole one, and byte by byte. */
static size_t
count_all(const struct sweep *sweep)
{
	size_t all = 2;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (applies(sweep, ways + i))
			all += sweep->points.count -
				first_place(sweep, ways + i);
	return all;
}

static int
run_sweep(struct sweep *sweep)
{
	int code;

	sweep->width = sweep->of.server->route.tls ? TLS_WIDTH : PLAIN_WIDTH;
	sweep->point.all = count_all(sweep);
	describe(sweep);
	code = try_line(sweep, "whole", NULL);
	if (code == 0 && sweep->wrong > 0) {
		rt_buf_add_text(&sweep->report, "nothing else was tried\n");
		return 0;
	}
	if (code == 0)
		code = try_ways(sweep);
	if (sweep->varies)
		rt_buf_add_text(&sweep->report,
			"the output for the whole reply is not the same each "
			"time, and was not compared\n");
	return code;
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

/* Measures the reply, and chooses its points. 0 or -errno. */
static int
open_sweep(struct sweep *sweep)
{
	struct retort_sweep_point *point = &sweep->point;
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
			&point->head, &point->size, &sweep->bytes, error);
	unlock(server);
	if (code < 0)
		return code;
	point->bytes = sweep->bytes.data;
	point->byte_count = sweep->bytes.len;
	if (point->size == 0 || point->size > RT_SWEEP_BYTES)
		return rt_fail(error, -EINVAL,
			"a reply of %llu bytes: expected 1 to %u",
			(unsigned long long)point->size, RT_SWEEP_BYTES);
	return rt_sweep_points(&sweep->points, sweep->of.at, point->head,
		point->size, error);
}

/* The report, which the caller frees; NULL: it could not be kept. */
static char *
take_report(struct sweep *sweep)
{
	char *report;

	rt_buf_add(&sweep->report, "", 1);
	if (sweep->report.failed)
		return NULL;
	report = sweep->report.data;
	sweep->report = (struct rt_buf){.data = NULL};
	return report;
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
	rt_buf_init(&sweep.report, MAX_REPORT);
	rt_buf_init(&sweep.bytes, MAX_TOLD);
	code = open_sweep(&sweep);
	if (code == 0) {
		code = run_sweep(&sweep);
		/* and the server answers as it does by itself */
		if (spoil(sweep.of.server, NULL, own) < 0 && code == 0)
			code = rt_fail(sweep.of.error, -ENOMEM, "%s", own);
		if (sweep.of.report != NULL)
			*sweep.of.report = take_report(&sweep);
	}
	free(sweep.points.at);
	rt_buf_free(&sweep.bytes);
	rt_buf_free(&sweep.report);
	return code < 0 ? code : sweep.wrong;
}
