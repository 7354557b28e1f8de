/* SPDX-License-Identifier: MIT */
/*
 * The functions of retort.h that give a server many things at once: scenarios,
 * chance, and sweeps.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "server.h"

/* The largest scenario: bytes. */
#define MAX_SCENARIO (64u << 20)

/* So that a client that is slow to read meets two segments, and not one. */
#define SPLIT_GAP "; gap 20"

/* Most cut points of a reply that is swept. */
#define MAX_SWEEP 65536u

static void
lock(struct retort *server)
{
	(void)pthread_mutex_lock(&server->lock);
}

static void
unlock(struct retort *server)
{
	(void)pthread_mutex_unlock(&server->lock);
}

/* --- scenarios --- */

static int
add_item(struct retort *server, struct rt_item *item, char *error)
{
	enum retort_protocol protocol = server->config.protocol;
	int code;

	/* without HTTP all bytes are */
	if (protocol != RETORT_HTTP)
		item->rule.raw = false;

	switch (item->kind) {
	case RT_ITEM_EXPECT:
		code = rt_verdict_expect(&server->verdict, item->least,
			item->most, &item->rule.when, protocol, error);
		break;
	case RT_ITEM_ORDER:
		code = rt_verdict_expect_order(&server->verdict, item->requests,
			protocol, error);
		break;
	default:
		code = rt_route_add(&server->route, &item->rule, error);
		break;
	}
	return code < 0 ? code : 0;
}

/* All of it or nothing. */
static int
add_items(struct retort *server, const char *name,
	const struct rt_scenario *scenario, char *error)
{
	size_t rules = server->route.rule_count;
	size_t expectations = server->verdict.count;
	char why[RETORT_ERROR_SIZE] = "";
	int code = 0;

	for (size_t i = 0; i < scenario->count && code == 0; i++) {
		struct rt_item *item = scenario->items + i;
		bool fault;

		code = add_item(server, item, why);
		fault = item->fault_line > 0 &&
			strncmp(why, "faults: ", 8) == 0;
		if (code < 0)
			(void)snprintf(error, RETORT_ERROR_SIZE,
				"%.100s:%u:%u: %.140s", name,
				fault ? item->fault_line : item->line,
				fault ? item->fault_column : 1,
				why[0] ? why : strerror(-code));
	}
	if (code < 0) {
		rt_route_clear_behind(&server->route, rules);
		rt_verdict_clear_behind(&server->verdict, expectations);
	}
	return code;
}

static int
load(struct retort *server, const char *name, const char *folder,
	const char *text, size_t size, char *error)
{
	struct rt_scenario scenario;
	int code;

	code = rt_scenario_read(&scenario, name, folder, text, size, error);
	if (code == 0) {
		lock(server);
		code = add_items(server, name, &scenario, error);
		rt_buf_clear(&server->notices, 0);
		rt_buf_add(&server->notices, scenario.notices.data,
			scenario.notices.len);
		rt_buf_add(&server->notices, "", 1);
		unlock(server);
	}
	rt_scenario_free(&scenario);
	return code;
}

int
retort_load_text(struct retort *server, const char *name, const void *text,
	size_t size, char *error)
{
	char own[RETORT_ERROR_SIZE];

	return load(server, name, NULL, text, size, error ? error : own);
}

/* The whole of a file. 0 or -errno. */
static int
read_all(const char *name, struct rt_buf *to)
{
	FILE *file = fopen(name, "rbe");
	char piece[4096];
	int code = 0;
	size_t n;

	if (file == NULL)
		return -errno;
	while (!to->failed && (n = fread(piece, 1, sizeof piece, file)) > 0)
		rt_buf_add(to, piece, n);
	if (ferror(file))
		code = errno ? -errno : -EIO;
	(void)fclose(file);
	if (to->failed)
		code = to->len + sizeof piece > to->max ? -EFBIG : -ENOMEM;
	return code;
}

int
retort_load(struct retort *server, const char *name, char *error)
{
	char own[RETORT_ERROR_SIZE];
	const char *slash = strrchr(name, '/');
	char *folder = slash ? strndup(name, (size_t)(slash - name)) : NULL;
	struct rt_buf text;
	int code = slash != NULL && folder == NULL ? -ENOMEM : 0;

	if (error == NULL)
		error = own;
	rt_buf_init(&text, MAX_SCENARIO);
	if (code == 0)
		code = read_all(name, &text);
	if (code < 0)
		(void)rt_server_failed(error, name, code);
	else
		code = load(server, name,
			slash != NULL && slash == name ? "" : folder,
			text.len > 0 ? text.data : "", text.len, error);
	rt_buf_free(&text);
	free(folder);
	return code;
}

const char *
retort_notices(struct retort *server)
{
	const char *text = NULL;

	lock(server);
	if (server->notices.len > 1 && !server->notices.failed)
		text = server->notices.data;
	unlock(server);
	return text;
}

/* --- chance --- */

static int
set_chaos(struct retort *server, struct rt_chaos *chaos, char *error)
{
	int code = 0;

	lock(server);
	if (chaos != NULL && server->route.unix_bound &&
		rt_chaos_resets(chaos)) {
		(void)snprintf(error, RETORT_ERROR_SIZE,
			"rst: a Unix socket cannot be reset");
		rt_chaos_free(chaos);
		code = -EINVAL;
	} else {
		rt_route_set_chaos(&server->route, chaos);
	}
	unlock(server);
	return code;
}

int
retort_faults(struct retort *server, const char *faults, uint64_t seed,
	char *error)
{
	char own[RETORT_ERROR_SIZE];
	struct rt_chaos *chaos = NULL;

	if (error == NULL)
		error = own;
	if (faults != NULL) {
		chaos = rt_chaos_new(faults, seed, error);
		if (chaos == NULL)
			return -errno;
	}
	return set_chaos(server, chaos, error);
}

int
retort_replay(struct retort *server, const void *log, size_t size, char *error)
{
	char own[RETORT_ERROR_SIZE];
	struct rt_chaos *chaos;

	if (error == NULL)
		error = own;
	chaos = rt_chaos_replay(log, size, error);
	return chaos == NULL ? -errno : set_chaos(server, chaos, error);
}

/* --- sweeps --- */

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

/* As of a caller that may be older; -E2BIG: it is newer, and wants what we do
   not know. */
static int
copy_reply(struct retort_reply *ours, const struct retort_reply *theirs,
	size_t size)
{
	const unsigned char *bytes = (const unsigned char *)theirs;

	for (size_t i = sizeof *ours; i < size; i++)
		if (bytes[i] != 0)
			return -E2BIG;
	memcpy(ours, theirs, size < sizeof *ours ? size : sizeof *ours);
	return 0;
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

	code = copy_reply(&sweep->reply, theirs, size);
	if (code < 0)
		return rt_server_failed(sweep->error, "reply", code);
	lock(server);
	what = unfit_for_sweep(server, &sweep->reply);
	if (what != NULL) {
		unlock(server);
		(void)snprintf(sweep->error, RETORT_ERROR_SIZE, "sweep: %s",
			what);
		return -EINVAL;
	}
	code = rt_route_measure(&server->route, &sweep->reply, &sweep->head,
		&sweep->whole, sweep->error);
	unlock(server);
	if (code == 0 && (sweep->whole == 0 || sweep->whole > MAX_SWEEP)) {
		(void)snprintf(sweep->error, RETORT_ERROR_SIZE,
			"a reply of %llu bytes: expected 1 to %u",
			(unsigned long long)sweep->whole, MAX_SWEEP);
		code = -EINVAL;
	}
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

	rt_buf_init(&sweep.report, MAX_SCENARIO);
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
