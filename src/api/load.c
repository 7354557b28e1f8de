/* SPDX-License-Identifier: MIT */
/* The functions of retort.h that read a text: scenarios, chance, a log. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "base/error.h"
#include "os/file.h"
#include "scenario/scenario.h"

/* The largest scenario: bytes. */
#define MAX_SCENARIO (64u << 20)

/* --- scenarios --- */

/* It is opened for each reply, but who misspells its name is told now. */
static int
check_file(const struct retort_reply *rule, char *error)
{
	size_t size = rule->file ? strlen(rule->file) : 0;
	struct rt_file file;
	int code;

	if (rule->file == NULL)
		return 0;
	code = rt_file_open_named(&file, rule->file);
	/* of a long one the end tells most */
	if (code < 0)
		return rt_fail(error, code, "file '%s': %s",
			rule->file + (size > 80 ? size - 80 : 0),
			strerror(-code));
	(void)close(file.fd);
	return 0;
}

static int
add_item(struct retort *server, struct rt_item *item, const char *origin,
	char *error)
{
	enum retort_protocol protocol = server->config.protocol;
	struct retort_requests when = rt_match_conditions(&item->rule);
	int code;

	/* without HTTP all bytes are */
	if (protocol != RETORT_HTTP)
		item->rule.raw = false;
	switch (item->kind) {
	case RT_ITEM_EXPECT:
		code = rt_verdict_expect(&server->verdict, item->least,
			item->most, &when, protocol, error);
		break;
	case RT_ITEM_ORDER:
		code = rt_verdict_expect_order(&server->verdict, item->requests,
			protocol, error);
		break;
	default:
		code = check_file(&item->rule, error);
		if (code == 0)
			code = rt_route_add(&server->route, &item->rule, error);
		break;
	}
	if (code < 0)
		return code;
	return item->kind == RT_ITEM_RULE ?
		rt_route_name(&server->route, code, origin) :
		rt_verdict_name(&server->verdict, code, origin);
}

/* What is wrong names the line that says it, or the first of its item. */
static void
say_where(const char *name, const struct rt_item *item, int code,
	const char *why, char *error)
{
	unsigned line = item->line, column = 1;

	if (item->fault_line > 0 && strncmp(why, "faults: ", 8) == 0) {
		line = item->fault_line;
		column = item->fault_column;
	} else if (item->file_line > 0 && strncmp(why, "file ", 5) == 0) {
		line = item->file_line;
		column = item->file_column;
	}
	(void)rt_fail(error, code, "%.100s:%u:%u: %.140s", name, line, column,
		why[0] ? why : strerror(-code));
}

/* All of it or nothing. */
static int
add_items(struct retort *server, const char *name,
	const struct rt_scenario *scenario, char *error)
{
	/* not where it is: clients may see it */
	const char *slash = strrchr(name, '/'), *own = slash ? slash + 1 : name;
	size_t rules = server->route.rule_count;
	size_t expectations = server->verdict.count;
	char why[RETORT_ERROR_SIZE] = "";
	int code = 0;

	for (size_t i = 0; i < scenario->count && code == 0; i++) {
		struct rt_item *item = scenario->items + i;
		char origin[256];

		(void)snprintf(origin, sizeof origin, "%.200s:%u", own,
			item->line);
		code = add_item(server, item, origin, why);
		if (code < 0)
			say_where(name, item, code, why, error);
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

	if (is_elsewhere(server))
		return rt_api_fail_elsewhere(error);
	code = rt_scenario_read(&scenario, name, folder, text, size, error);
	if (code == 0) {
		lock(server);
		code = add_items(server, name, &scenario, error);
		rt_buf_clear(&server->notices, 0);
		rt_buf_add(&server->notices, scenario.notices.data,
			scenario.notices.len);
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
		(void)rt_fail_errno(error, code, name);
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

	if (is_elsewhere(server))
		return NULL;
	lock(server);
	if (server->notices.len > 0)
		text = rt_buf_text(&server->notices);
	unlock(server);
	return text;
}

/* --- chance --- */

static int
set_chaos(struct retort *server, struct rt_chaos *chaos, char *error)
{
	int code = 0;

	if (is_elsewhere(server)) {
		rt_chaos_free(chaos);
		return rt_api_fail_elsewhere(error);
	}
	lock(server);
	if (chaos != NULL && server->route.unix_bound &&
		rt_chaos_resets(chaos)) {
		rt_chaos_free(chaos);
		code = rt_fail(error, -EINVAL,
			"rst: a Unix socket cannot be reset");
	} else {
		rt_route_set_chaos(&server->route, chaos);
	}
	unlock(server);
	return code;
}

uint64_t
retort_seed(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return rt_chaos_make_seed((uint64_t)now.tv_sec * 1000000000 +
		(uint64_t)now.tv_nsec + ((uint64_t)getpid() << 32));
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
