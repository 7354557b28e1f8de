/* SPDX-License-Identifier: MIT */
/* retort_load(): scenarios; and bytes as these have them. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/error.h"
#include "canned/condition.h"
#include "os/file.h"
#include "scenario/scenario.h"

/* The largest scenario: bytes. */
#define MAX_SCENARIO (64u << 20)

/* Opens the file of a rule once: each reply opens it, but a misspelled name is
   an error now. */
static int
check_file(const struct retort_reply *rule, struct rt_error *error)
{
	size_t size = rule->file ? strlen(rule->file) : 0;
	struct rt_file file;
	int code;

	/* with `fill` its name may be known for a request alone */
	if (rule->file == NULL ||
		(rule->fill && strchr(rule->file, '{') != NULL))
		return 0;
	code = rt_file_open_named(&file, rule->file);
	/* of a long one the end tells most */
	if (code < 0) {
		error->member = "file";
		return rt_fail(error->text, code, "file '%s': %s",
			rule->file + (size > 80 ? size - 80 : 0),
			strerror(-code));
	}
	(void)close(file.fd);
	return 0;
}

static int
add_item(struct retort *server, struct rt_item *item, const char *origin,
	struct rt_error *error)
{
	enum retort_protocol protocol = server->config.protocol;
	struct retort_requests when = rt_conditions_of(&item->rule);
	int code;

	/* without HTTP all bytes are */
	if (rt_route_protocol(&server->route, &item->rule) != RETORT_HTTP) {
		item->rule.raw = false;
		if (item->rule.status != 0)
			return rt_fail(error->text, -EINVAL,
				"status: only for HTTP; without it '@raw "
				"QUOTED' is all of a reply");
	}
	switch (item->kind) {
	case RT_ITEM_EXPECT:
		when.connections = item->connections;
		code = rt_verdict_expect(&server->verdict, item->least,
			item->most, &when, protocol, error->text);
		break;
	case RT_ITEM_ORDER:
		code = rt_verdict_expect_order(&server->verdict, item->requests,
			protocol, error->text);
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

/* What stands at the place of a mistake, as a message begins: "@fill", or a
   status line in quotes. */
static void
say_place(const struct rt_place *place, char to[64])
{
	struct rt_word said = place->said;

	if (strcmp(place->directive, RT_MESSAGE) != 0)
		(void)snprintf(to, 64, "@%s", place->directive);
	else
		(void)snprintf(to, 64, "'%.*s'",
			(int)(said.size < 40 ? said.size : 40), said.text);
}

/* Names the directive that the mistake is about, and where it stands; or the
   first line of its item. */
static void
say_where(const char *name, const struct rt_item *item, int code,
	const struct rt_error *why, char *error)
{
	/* "if_form: 'x': expected ..." */
	size_t size = strcspn(why->text, ": ");
	bool begins = why->text[size] == ':';
	const struct rt_place *place = NULL;
	char text[RETORT_ERROR_SIZE], what[64] = "";
	unsigned column = 0;

	rt_scenario_words(item, why->text[0] ? why->text : strerror(-code),
		text, sizeof text);
	if (why->member != NULL)
		place = rt_scenario_place(item, why->member,
			strlen(why->member), why->text);
	else if (begins)
		place = rt_scenario_place(item, why->text, size, why->text);
	if (place != NULL && why->member == NULL)
		say_place(place, what);
	if (place != NULL)
		column = rt_scenario_column(place, why->text);
	if (column == 0)
		column = why->member && place ? place->column : 1;
	(void)rt_fail(error, code, "%.100s:%u:%u: %s%.140s", name,
		place != NULL ? place->line : item->begins.line, column, what,
		text + (*what != '\0' ? size : 0));
}

/* Whether a connection is in another state than at its start. */
static bool
any_place(const struct retort *server)
{
	const struct rt_served *served = server->conns;

	while (served != NULL && served->place == 0)
		served = served->next;
	return served != NULL;
}

/* Sets the framing that the scenario wants. One that the options or an earlier
   scenario have set cannot be changed, as there may be connections. */
static int
set_framing(struct retort *server, const struct rt_scenario *scenario,
	char *error)
{
	struct rt_framing framing, *own = &server->config.framing;
	int code;

	if (scenario->framing == NULL)
		return 0;
	code = rt_framing_read(&framing, scenario->framing, error);
	if (code < 0)
		return code;
	if (server->config.protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"framing: a datagram is a piece");
	if (own->kind != RT_FRAMED_NOT && !rt_framing_is(own, &framing))
		return rt_fail(error, -EINVAL,
			"framing: the server has another already");
	*own = framing;
	return 0;
}

/* Adds all items of a scenario, or none. */
static int
add_items(struct retort *server, const char *name, bool again,
	const struct rt_scenario *scenario, char *error)
{
	size_t size = strlen(name) + sizeof ":4294967295";
	char *origin = malloc(size);
	size_t rules = server->route.rule_count;
	size_t expectations = server->verdict.count;
	const struct rt_states states = server->route.states;
	const struct rt_framing framing = server->config.framing;
	struct rt_error why = {.member = NULL};
	int code = origin != NULL ? 0 : rt_fail_errno(error, -ENOMEM, name);

	if (code == 0 && (code = set_framing(server, scenario, why.text)) < 0)
		(void)rt_fail(error, code, "%.100s:%u:%u: @%.140s", name,
			scenario->framing_line, scenario->framing_column,
			why.text);
	if (again)
		rt_route_forget_states(&server->route, name,
			!any_place(server));
	for (size_t i = 0; i < scenario->count && code == 0; i++) {
		struct rt_item *item = scenario->items + i;

		(void)snprintf(origin, size, "%s:%u", name, item->begins.line);
		code = add_item(server, item, origin, &why);
		if (code < 0)
			say_where(name, item, code, &why, error);
	}
	if (code < 0) {
		rt_route_clear_after(&server->route, rules);
		rt_verdict_clear_after(&server->verdict, expectations);
		server->route.states = states;
		server->config.framing = framing;
	} else if (again) {
		rt_route_replace(&server->route, rules, name);
		rt_states_copy(&server->route.states, &states);
		rt_verdict_replace(&server->verdict, expectations, name);
	}
	free(origin);
	return code;
}

/* --- what the server's options lack --- */

static void
notice(struct rt_scenario *scenario, const char *name, unsigned line,
	const char *what)
{
	rt_buf_add_format(&scenario->notices, "%s:%u: %s\n", name, line, what);
}

/* The line that says a member of its rule; 0: none. */
static unsigned
line_of(const struct rt_item *item, const char *member)
{
	const struct rt_place *place =
		rt_scenario_place(item, member, strlen(member), "");

	return place != NULL ? place->line : 0;
}

/* The line of a frame, of a condition on one, or of a rule that opens a
   WebSocket; 0: the item has none. */
static unsigned
websocket_line(const struct rt_item *item)
{
	const struct retort_reply *rule = &item->rule;
	unsigned line = line_of(item, "if_frame");

	if (line == 0)
		line = line_of(item, "frame");
	if (line == 0 && rule->fill && rule->fields != NULL &&
		strstr(rule->fields, "{websocket-accept}") != NULL)
		return item->begins.line;
	return line;
}

/* The line of what matters only after the first request of a connection; 0: the
   item has none. */
static unsigned
kept_line(const struct rt_item *item)
{
	const char *nth = item->rule.if_nth;

	if (nth != NULL && strtoull(nth, NULL, 10) > 1)
		return line_of(item, "if_nth");
	return line_of(item, "idle");
}

/* Notices rules that are of little use with these options: the first of each
   kind. */
static void
notice_options(const struct retort *server, const char *name,
	struct rt_scenario *scenario)
{
	bool framed = server->config.framing.kind == RT_FRAMED_AS_WEBSOCKET;
	bool tls = server->route.tls_later;
	bool kept = !rt_route_keeps_none(&server->route);

	for (size_t i = 0; i < scenario->count; i++) {
		const struct rt_item *item = scenario->items + i;
		unsigned frame = websocket_line(item);
		unsigned fact = line_of(item, "if_tls");
		unsigned later = kept_line(item);

		if (!framed && frame > 0)
			notice(scenario, name, frame,
				"without the framing websocket (@framing, "
				".framing, --framing), rules see the client's "
				"frames masked, and not one by one");
		if (!tls && fact > 0)
			notice(scenario, name, fact,
				"without TLS (.tls, --tls), @if-tls fits "
				"nothing");
		if (!kept && later > 0)
			notice(scenario, name, later, RT_ROUTE_KEEPS_NONE);
		framed |= frame > 0;
		tls |= fact > 0;
		kept |= later > 0;
	}
}

/* --- a scenario --- */

/* Reads the whole of a file. 0 or -errno. */
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

/* Loads the text of a scenario, which has `size` bytes and is called `name`. */
static int
load(const struct retort_scenario *of, const char *folder, const char *name,
	const char *text, size_t size)
{
	struct retort *server = of->server;
	struct rt_scenario scenario;
	int code = rt_scenario_read(&scenario, name, folder, text, size,
		of->error);

	if (code == 0) {
		lock(server);
		code = add_items(server, name, of->again, &scenario, of->error);
		if (code == 0)
			notice_options(server, name, &scenario);
		/* a program may well give a text of nothing */
		if (scenario.count == 0 && scenario.framing == NULL &&
			of->file != NULL)
			notice(&scenario, name, 1, "no rule or expectation");
		unlock(server);
	}
	if (code == 0 && of->notices != NULL && scenario.notices.len > 0) {
		const char *notices = rt_buf_text(&scenario.notices);

		*of->notices = notices ? strdup(notices) : NULL;
	}
	rt_scenario_free(&scenario);
	return code;
}

static int
load_file(const struct retort_scenario *of)
{
	const char *slash = strrchr(of->file, '/');
	char *folder = NULL;
	struct rt_buf text;
	int code;

	rt_buf_init(&text, MAX_SCENARIO);
	if (slash != NULL)
		folder = strndup(of->file, (size_t)(slash - of->file));
	code = slash != NULL && folder == NULL ? -ENOMEM :
						 read_all(of->file, &text);
	if (code < 0)
		(void)rt_fail_errno(of->error, code, of->file);
	else
		code = load(of, folder, of->file, text.len > 0 ? text.data : "",
			text.len);
	rt_buf_free(&text);
	free(folder);
	return code;
}

int
retort_load_sized(const struct retort_scenario *theirs, size_t size)
{
	struct retort_scenario of;
	char own[RETORT_ERROR_SIZE];
	int code = rt_api_copy(&of, sizeof of, theirs, size);

	if (of.error == NULL)
		of.error = own;
	if (of.notices != NULL)
		*of.notices = NULL;
	if (is_elsewhere(of.server))
		return rt_api_fail_elsewhere(of.server, of.error);
	if (code < 0)
		return rt_fail_errno(of.error, code, "scenario");
	if ((of.file == NULL) == (of.text == NULL))
		return rt_fail(of.error, -EINVAL, "expected .file or .text");
	if (of.file != NULL)
		return load_file(&of);
	return load(&of, NULL, of.name ? of.name : "scenario", of.text,
		rt_body_size(of.text, of.size));
}

char *
retort_bytes_of(const char *text, size_t *size, char *error)
{
	struct rt_buf bytes;
	int code;

	rt_buf_init(&bytes, MAX_SCENARIO);
	code = rt_scenario_bytes(&bytes, text, error);
	*size = bytes.len;
	if (code == 0 && rt_buf_text(&bytes) == NULL)
		code = rt_fail_errno(error, -ENOMEM, NULL);
	if (code < 0)
		rt_buf_free(&bytes);
	return bytes.data;
}
