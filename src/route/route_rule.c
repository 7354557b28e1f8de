/* SPDX-License-Identifier: MIT */
/* The rules of a server, and the fallback. All of it is checked when it is
   given. */
#include "config.h"

#include "route/route_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "canned/condition.h"
#include "http/field.h"

/* Notes what is true of a rule, and so of at least one of them. */
static void
note_rule(struct rt_route *route, const struct rt_rule *rule)
{
	route->looks = true;
	route->reads |= rt_faults_reading(rule->canned->faults) != NULL;
	route->refused |= rule->refused;
	route->greets |= rule->accepted;
	route->keeps |= rule->handler != NULL ||
		rule->canned->as.next >= RETORT_NEXT_KEEP;
	if (rule->prefer > route->highest)
		route->highest = rule->prefer;
}

/* Notes the same anew, of all rules and the fallback. */
static void
note_rules(struct rt_route *route)
{
	const struct rt_canned *last = route->fallback.canned;

	route->refused = route->greets = false;
	route->looks = rt_route_fills(route);
	route->keeps = last != NULL && last->as.next >= RETORT_NEXT_KEEP;
	route->highest = INT_MIN;
	route->reads = last != NULL && rt_faults_reading(last->faults);
	for (size_t i = 0; i < route->rule_count; i++)
		note_rule(route, route->rules + i);
}

/* --- rules --- */

static void
free_rule(struct rt_rule *rule)
{
	rt_match_free(rule->match);
	rt_canned_free(rule->canned);
	free(rule->then_in);
	free(rule->origin);
}

static int
read_then_in(struct rt_rule *rule, const char *text, char *error)
{
	int code = rt_state_check(text, "then_in", error);

	if (code < 0 || text == NULL)
		return code;
	rule->then_in = strdup(text);
	return rule->then_in != NULL ? 0 :
				       rt_fail_errno(error, -ENOMEM, "then_in");
}

/* Notes the states that the rules name; those that stay keep their values. */
static void
note_states(struct rt_route *route)
{
	struct rt_states old;

	route->in_states = false;
	for (size_t i = 0; i < route->rule_count; i++)
		route->in_states |= route->rules[i].then_in != NULL;
	/* most have none, and they are large */
	if (!route->in_states && route->states.count == 0)
		return;
	/* connections may be in any of their places */
	old = route->states;
	route->states.count = 0;
	for (size_t i = 0; i < route->rule_count; i++)
		(void)rt_states_note(&route->states, route->rules[i].then_in);
	rt_states_copy(&route->states, &old);
}

enum retort_protocol
rt_route_protocol(const struct rt_route *route,
	const struct retort_reply *given)
{
	const struct retort_requests when = {
		.if_bytes = given->if_bytes,
		.if_http = given->if_http,
	};

	if (given->accepted && route->protocol == RETORT_HTTP)
		return RETORT_TCP;
	return rt_conditions_protocol(&when, route->protocol);
}

/* Makes the match of a rule. NULL, with errno and a line in `error`. */
static struct rt_match *
make_match(const struct rt_route *route, const struct retort_reply *given,
	char *error)
{
	const struct retort_requests when = rt_conditions_of(given);

	return rt_match_new(&when, route->protocol, error);
}

/* Makes a rule as it was given, for the list (`listed`) or as the fallback. 0,
   or -errno with `error`. */
static int
make_rule(const struct rt_route *route, const struct retort_reply *given,
	bool listed, struct rt_rule *rule, struct rt_error *error)
{
	int code;

	*rule = (struct rt_rule){
		.files = given->files,
		.handler = given->handler,
		.handler_arg = given->handler_arg,
		.accepted = given->accepted,
		.prefer = given->prefer,
		.refused = given->if_refused != 0,
		.protocol = rt_route_protocol(route, given),
		.times = given->times,
		.conditions = listed ? rt_conditions_hash(given) : 0,
	};
	rule->canned = rt_canned_new(given, rule->protocol, error);
	if (rule->canned == NULL)
		return -errno;
	code = rt_route_check(route, rule, given, error->text);
	if (code == 0 && listed) {
		rule->match = make_match(route, given, error->text);
		code = rule->match ? 0 : -errno;
	}
	if (code == 0)
		code = read_then_in(rule, given->then_in, error->text);
	if (code == 0)
		code = rt_route_check_stars(rule, error->text);
	if (code == 0) {
		code = rt_route_check_faults(route, rule, given, listed,
			error->text);
		error->member = code < 0 ? "faults" : NULL;
	}
	if (code < 0)
		free_rule(rule);
	return code;
}

int
rt_route_add(struct rt_route *route, const struct retort_reply *given,
	struct rt_error *error)
{
	struct rt_rule rule;
	int code = make_rule(route, given, true, &rule, error);

	if (code < 0)
		return code;
	if (!rt_grow(&route->rules, &route->rule_room, route->rule_count,
		    sizeof rule)) {
		free_rule(&rule);
		return rt_fail_errno(error->text, -ENOMEM, "rule");
	}
	if (!rt_states_note(&route->states, rule.then_in)) {
		free_rule(&rule);
		note_states(route);
		return rt_fail(error->text, -EINVAL,
			"then_in: more than %d names of states",
			RT_STATE_NAMES);
	}
	rule.id = ++route->last_id;
	route->rules[route->rule_count++] = rule;
	note_rule(route, &rule);
	route->in_states |= rule.then_in != NULL;
	return (int)route->rule_count;
}

/* Sets the fallback, and takes the site, which may be NULL. */
static void
set_fallback(struct rt_route *route, const struct rt_rule *rule,
	struct rt_site *site)
{
	free_rule(&route->fallback);
	rt_site_close(route->site);
	route->fallback = *rule;
	route->site = site;
	note_rules(route);
}

int
rt_route_set_reply(struct rt_route *route, const struct retort_reply *reply,
	struct rt_error *error)
{
	struct rt_rule rule;
	int code = make_rule(route, reply, false, &rule, error);

	if (code < 0)
		return code;
	set_fallback(route, &rule, NULL);
	return 0;
}

int
rt_route_spoil(struct rt_route *route, const char *faults, unsigned spared,
	struct rt_error *error)
{
	struct retort_reply reply = rt_canned_given(route->fallback.canned);
	int code;

	reply.faults = faults;
	code = rt_route_set_reply(route, &reply, error);
	if (code == 0)
		route->fallback.spared = spared;
	return code;
}

int
rt_route_set_files(struct rt_route *route, const char *root,
	const struct retort_files *files, struct rt_error *error)
{
	struct retort_reply reply = {.files = true};
	struct rt_site *site;
	struct rt_rule rule;
	int code;

	*error = (struct rt_error){.member = NULL};
	if (route->protocol != RETORT_HTTP)
		return rt_fail(error->text, -EINVAL,
			"%s: only HTTP serves files", root);
	site = rt_site_open(root, files, error->text);
	if (site == NULL)
		return -errno;
	reply.faults = files->faults;
	code = make_rule(route, &reply, false, &rule, error);
	if (code < 0) {
		rt_site_close(site);
		return code;
	}
	set_fallback(route, &rule, site);
	return 0;
}

int
rt_route_name(struct rt_route *route, int number, const char *origin)
{
	struct rt_rule *rule = route->rules + number - 1;

	rule->origin = strdup(origin);
	return rule->origin ? 0 : -ENOMEM;
}

void
rt_route_clear_after(struct rt_route *route, size_t count)
{
	while (route->rule_count > count)
		free_rule(&route->rules[--route->rule_count]);
	note_rules(route);
	note_states(route);
}

/* Clients may see it: they are not told the folder. */
const char *
rt_origin_shown(const char *origin)
{
	const char *slash = strrchr(origin, '/');

	return slash != NULL ? slash + 1 : origin;
}

bool
rt_origin_is_of(const char *origin, const char *file)
{
	size_t size = strlen(file);

	return origin != NULL && strncmp(origin, file, size) == 0 &&
		origin[size] == ':' && strchr(origin + size + 1, ':') == NULL;
}

void
rt_route_forget_states(struct rt_route *route, const char *file, bool places)
{
	struct rt_states old = route->states;

	route->states.count = 0;
	if (places)
		route->states.place_count = 0;
	for (size_t i = 0; i < route->rule_count; i++)
		if (!rt_origin_is_of(route->rules[i].origin, file))
			(void)rt_states_note(&route->states,
				route->rules[i].then_in);
	rt_states_copy(&route->states, &old);
}

/* Hands the count of an old rule to the first new one with its conditions and
   rank that has not got another. */
static void
hand_on(struct rt_route *route, size_t count, const struct rt_rule *old)
{
	for (size_t i = count; i < route->rule_count; i++) {
		struct rt_rule *rule = route->rules + i;

		if (rule->used > 0 || rule->accepted != old->accepted ||
			rule->prefer != old->prefer ||
			rule->conditions != old->conditions)
			continue;
		rule->used = old->used;
		return;
	}
}

static void
reverse(struct rt_rule *rules, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct rt_rule rule = rules[i];

		rules[i] = rules[count - 1 - i];
		rules[count - 1 - i] = rule;
	}
}

/* Moves the last `count` of these rules to the front. */
static void
rotate(struct rt_rule *rules, size_t all, size_t count)
{
	reverse(rules, all - count);
	reverse(rules + all - count, count);
	reverse(rules, all);
}

void
rt_route_replace(struct rt_route *route, size_t count, const char *file)
{
	size_t added = route->rule_count - count, kept = 0, place = count;

	for (size_t i = 0; i < count; i++) {
		struct rt_rule *rule = route->rules + i;

		if (!rt_origin_is_of(rule->origin, file)) {
			route->rules[kept++] = *rule;
			continue;
		}
		if (place == count)
			place = kept;
		if (rule->used > 0)
			hand_on(route, count, rule);
		free_rule(rule);
	}
	if (added > 0)
		memmove(route->rules + kept, route->rules + count,
			added * sizeof *route->rules);
	route->rule_count = kept + added;
	if (place < kept)
		rotate(route->rules + place, kept - place + added, added);
	note_rules(route);
	note_states(route);
}

void
rt_route_miss(struct rt_route *route, const char *request, const char *error)
{
	struct rt_buf text;

	if (route->malformed++ > 0)
		return;
	rt_buf_init(&text, 4096);
	rt_buf_add_text(&text, error);
	if (request != NULL)
		rt_buf_add_format(&text, " (%.1000s)", request);
	/* without memory the number must do */
	if (rt_buf_text(&text) != NULL)
		route->mistake = strdup(text.data);
	rt_buf_free(&text);
}

void
rt_route_clear(struct rt_route *route)
{
	rt_route_clear_after(route, 0);
	route->states.place_count = 0;
	route->malformed = 0;
	free(route->mistake);
	route->mistake = NULL;
}

/* --- the route's life --- */

int
rt_route_init(struct rt_route *route, enum retort_protocol protocol,
	const char *hosts, uint64_t max_body, bool keep)
{
	*route = (struct rt_route){.protocol = protocol,
		.highest = INT_MIN,
		.max_body = max_body,
		.keep = keep};
	if (hosts == NULL)
		return 0;
	route->hosts = rt_text_lines(hosts);
	return route->hosts ? 0 : -ENOMEM;
}

/* The lines of `fields`, and those of CORS that neither these nor `omit` name.
   The caller frees them; NULL: no memory. */
static char *
with_cors(const char *fields, const char *omit)
{
	static const char *const names[] = {"Access-Control-Allow-Origin",
		"Access-Control-Allow-Methods", "Access-Control-Allow-Headers"};
	struct rt_buf lines;

	rt_buf_init(&lines, SIZE_MAX);
	if (fields != NULL)
		rt_buf_add_text(&lines, fields);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!rt_field_has(fields, names[i]) &&
			!rt_field_has(omit, names[i]))
			rt_buf_add_format(&lines, "\n%s: *", names[i]);
	if (rt_buf_text(&lines) != NULL)
		return lines.data;
	rt_buf_free(&lines);
	return NULL;
}

int
rt_route_set_always(struct rt_route *route, const char *fields,
	const char *omit, bool cors, char *error)
{
	int code = 0;

	if (route->protocol != RETORT_HTTP && (fields || omit || cors))
		return rt_fail(error, -EINVAL,
			"%s: only a reply of HTTP has it",
			fields       ? "fields" :
				omit ? "omit" :
				       "cors");
	if (fields != NULL)
		code = rt_field_check(fields, true, "fields", error);
	if (code == 0 && omit != NULL)
		code = rt_field_check(omit, false, "omit", error);
	if (code < 0)
		return code;
	route->cors = cors;
	if (cors)
		route->always.fields = with_cors(fields, omit);
	else if (fields != NULL)
		route->always.fields = strdup(fields);
	if (omit != NULL)
		route->always.omit = strdup(omit);
	return ((fields || cors) && route->always.fields == NULL) ||
			(omit && route->always.omit == NULL) ?
		rt_fail_errno(error, -ENOMEM, "fields") :
		0;
}

void
rt_route_free(struct rt_route *route)
{
	free(route->always.fields);
	free(route->always.omit);
	rt_route_clear(route);
	set_fallback(route, &(struct rt_rule){.canned = NULL}, NULL);
	free(route->rules);
	free(route->hosts);
}
