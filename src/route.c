/* SPDX-License-Identifier: MIT */
/*
 * Owns what a server answers. Called by server.c when a head is complete and
 * when a request is, and by retort.c when it is told what to answer.
 */
#include "config.h"

#include "route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "field.h"

static int
fail(char *error, int code, const char *what, const char *name)
{
	if (error != NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s: %s", what,
			name ? name : strerror(-code));
	return code;
}

static void
free_site(struct rt_site *site)
{
	if (site == NULL)
		return;
	rt_site_free(site);
	rt_canned_free_strings(&site->own);
	for (size_t i = 0; i < site->type_count; i++) {
		free((char *)(uintptr_t)site->types[i].extension);
		free((char *)(uintptr_t)site->types[i].type);
	}
	free(site->types);
	free((char *)(uintptr_t)site->cache);
	free((char *)(uintptr_t)site->spa);
	free(site);
}

/* Nothing answers any more where no rule does. */
static void
forget_fallback(struct rt_route *route)
{
	rt_canned_free(route->canned);
	route->canned = NULL;
	free_site(route->site);
	route->site = NULL;
}

/* Whether anything that answers says how its request is read. */
static void
note_reading(struct rt_route *route)
{
	const struct rt_canned *canned = route->canned;

	route->reads = canned != NULL && rt_faults_reading(canned->faults);
	for (size_t i = 0; i < route->rule_count; i++)
		if (rt_faults_reading(route->rules[i].canned->faults) != NULL)
			route->reads = true;
}

static int check_faults(const struct rt_route *route,
	const struct rt_rule *rule, const struct retort_reply *given,
	char *error);

int
rt_route_set_reply(struct rt_route *route, const struct retort_reply *reply,
	char *error)
{
	struct rt_canned *canned;
	int code = rt_canned_check(reply, route->protocol, error);

	if (code < 0)
		return code;
	canned = rt_canned_new(reply, route->protocol);
	if (canned == NULL)
		return fail(error, -ENOMEM, "reply", NULL);
	code = check_faults(route, &(struct rt_rule){.canned = canned}, reply,
		error);
	if (code < 0) {
		rt_canned_free(canned);
		return code;
	}
	forget_fallback(route);
	route->canned = canned;
	note_reading(route);
	return 0;
}

/* --- rules --- */

/* A greeting is bytes, whatever the rest of the connection is. */
static enum retort_protocol
protocol_of(const struct rt_route *route, bool accepted)
{
	return accepted && route->protocol == RETORT_HTTP ? RETORT_TCP :
							    route->protocol;
}

static void
free_rule(struct rt_rule *rule)
{
	rt_match_free(rule->match);
	rt_canned_free(rule->canned);
}

static bool
has_room(struct rt_route *route)
{
	size_t room = route->rule_room ? 2 * route->rule_room : 8;
	struct rt_rule *rules;

	if (route->rule_count < route->rule_room)
		return true;
	rules = realloc(route->rules, room * sizeof *rules);
	if (rules == NULL)
		return false;
	route->rules = rules;
	route->rule_room = room;
	return true;
}

/* A connection that is accepted has nothing that could be compared. */
static int
check_accepted(const struct rt_route *route, const struct retort_reply *given,
	char *error)
{
	const struct retort_when *when = &given->when;

	if (route->protocol == RETORT_UDP)
		return fail(error, -EINVAL, "accepted", "datagrams are not");
	if (when->request || when->fields || when->contains || when->absent ||
		when->body || when->body_has)
		return fail(error, -EINVAL, "accepted",
			"of `when` only a predicate goes with it");
	if (given->echo)
		return fail(error, -EINVAL, "accepted",
			"there is nothing to echo");
	return 0;
}

/* What answers is a file: the rule has nothing of its own to say but this. */
static int
check_file_rule(const struct rt_route *route, const struct retort_reply *given,
	char *error)
{
	if (route->protocol != RETORT_HTTP || given->accepted)
		return fail(error, -EINVAL, "files", "only HTTP serves them");
	if (given->body || given->file || given->echo || given->raw ||
		given->status || given->type || given->handler)
		return fail(error, -EINVAL, "files",
			"of a reply only fields, omit and faults go with it");
	return 0;
}

/* What a reply comes to where it does not depend on its request. */
static int
try_reply(const struct rt_canned *canned, enum retort_protocol protocol,
	struct rt_reply *reply)
{
	static const struct rt_request request;

	rt_reply_init(reply);
	return rt_canned_answer(canned, protocol, &request, "", 0,
		"Thu, 01 Jan 1970 00:00:00 GMT", reply);
}

/* Where the reply is known, its faults must be possible. */
static int
try_faults(const struct rt_canned *canned, enum retort_protocol protocol,
	char *error)
{
	char why[RETORT_ERROR_SIZE] = "";
	struct rt_reply reply;
	int code;

	(void)try_reply(canned, protocol, &reply);
	code = rt_reply_ok(&reply) ?
		rt_faults_apply(canned->faults, &reply, why) :
		-ENOMEM;
	if (code == 0 && reply.step_count == RT_MAX_STEPS)
		code = fail(why, -EINVAL, "more steps than a reply can have",
			canned->as.faults);
	else if (code == 0 && !rt_reply_ok(&reply))
		code = -ENOMEM;
	rt_reply_free(&reply);
	return code < 0 ? fail(error, code, "faults", why[0] ? why : NULL) : 0;
}

int
rt_route_measure(const struct rt_route *route, const struct retort_reply *as,
	uint64_t *head, uint64_t *whole, char *error)
{
	struct rt_canned *canned;
	struct rt_reply reply;
	int code = rt_canned_check(as, route->protocol, error);

	if (code == 0 && as->echo)
		code = fail(error, -EINVAL, "echo", "its size is not known");
	if (code < 0)
		return code;
	canned = rt_canned_new(as, route->protocol);
	if (canned == NULL)
		return fail(error, -ENOMEM, "reply", NULL);
	code = try_reply(canned, route->protocol, &reply);
	if (code < 0)
		(void)fail(error, code, as->file, NULL);
	*head = reply.head_size;
	*whole = rt_reply_size(&reply);
	rt_reply_free(&reply);
	rt_canned_free(canned);
	return code;
}

static int
check_faults(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, char *error)
{
	const struct rt_canned *canned = rule->canned;
	const struct retort_when *when = &given->when;

	if (canned->faults == NULL)
		return 0;
	if (route->unix_bound && rt_faults_reset(canned->faults))
		return fail(error, -EINVAL, "faults",
			"a Unix socket cannot be reset");
	if (rt_faults_reading(canned->faults) != NULL &&
		(when->body || when->body_has))
		return fail(error, -EINVAL, "faults",
			"how the body is read cannot depend on the body");
	if (rule->files || rule->handler || given->echo || given->file)
		return 0;
	return try_faults(canned, protocol_of(route, rule->accepted), error);
}

int
rt_route_add(struct rt_route *route, const struct retort_reply *given,
	char *error)
{
	struct rt_rule rule = {
		.files = given->files,
		.handler = given->handler,
		.handler_arg = given->handler_arg,
		.accepted = given->accepted,
		.times = given->times,
	};
	enum retort_protocol protocol = protocol_of(route, given->accepted);
	int code = rt_canned_check(given, protocol, error);

	if (code == 0 && given->accepted)
		code = check_accepted(route, given, error);
	if (code == 0 && given->files)
		code = check_file_rule(route, given, error);
	if (code < 0)
		return code;
	rule.match = rt_match_new(&given->when, route->protocol, error);
	if (rule.match == NULL)
		return -errno;
	rule.canned = rt_canned_new(given, protocol);
	if (rule.canned == NULL || !has_room(route)) {
		free_rule(&rule);
		return fail(error, -ENOMEM, "rule", NULL);
	}
	code = check_faults(route, &rule, given, error);
	if (code < 0) {
		free_rule(&rule);
		return code;
	}
	if (rt_faults_reading(rule.canned->faults) != NULL)
		route->reads = true;
	route->rules[route->rule_count++] = rule;
	return (int)route->rule_count;
}

void
rt_route_clear_behind(struct rt_route *route, size_t count)
{
	while (route->rule_count > count)
		free_rule(&route->rules[--route->rule_count]);
	note_reading(route);
}

void
rt_route_clear(struct rt_route *route)
{
	rt_route_clear_behind(route, 0);
}

void
rt_route_set_chaos(struct rt_route *route, struct rt_chaos *chaos)
{
	rt_chaos_free(route->chaos);
	route->chaos = chaos;
}

/* --- files --- */

static int
copy_types(struct rt_site *site, const struct retort_type *types, size_t count)
{
	site->types = calloc(count + 1, sizeof *site->types);
	if (site->types == NULL)
		return -ENOMEM;
	for (; site->type_count < count; site->type_count++) {
		struct rt_type *type = site->types + site->type_count;

		type->extension = strdup(types[site->type_count].extension);
		type->type = strdup(types[site->type_count].type);
		if (type->extension == NULL || type->type == NULL) {
			site->type_count++;
			return -ENOMEM;
		}
	}
	return 0;
}

static int
check_files(const struct retort_files *files, char *error)
{
	int code;

	for (size_t i = 0; i < files->type_count; i++) {
		const char *name = files->types[i].extension;
		const char *type = files->types[i].type;

		if (name == NULL || type == NULL || type[0] == '\0' ||
			!rt_http_is_value(type, strlen(type)))
			return fail(error, -EINVAL, "malformed media type of",
				name ? name : "");
	}
	if (files->spa != NULL && files->spa[0] == '/')
		return fail(error, -EINVAL, "spa",
			"expected a path beneath the root, without a slash");
	code = rt_canned_check_lines(files->fields, true, "fields", error);
	return code == 0 ?
		rt_canned_check_lines(files->omit, false, "omit", error) :
		code;
}

/* "max-age=60", or NULL */
static int
set_cache(struct rt_site *site, uint32_t max_age)
{
	char text[32];

	if (max_age == 0)
		return 0;
	(void)snprintf(text, sizeof text, "max-age=%lu",
		(unsigned long)max_age);
	site->cache = strdup(text);
	return site->cache ? 0 : -ENOMEM;
}

/* What does not need the root. */
static int
copy_files(struct rt_site *site, const struct retort_files *files)
{
	site->unlisted = files->unlisted;
	site->precompressed = files->precompressed;
	site->own.fields = files->fields;
	site->own.omit = files->omit;
	if (!rt_canned_copy_strings(&site->own))
		return -ENOMEM;
	if (files->spa != NULL && (site->spa = strdup(files->spa)) == NULL)
		return -ENOMEM;
	if (set_cache(site, files->max_age) < 0)
		return -ENOMEM;
	return copy_types(site, files->types, files->type_count);
}

/* The page must be there when it is named. */
static int
check_spa(const struct rt_site *site)
{
	struct rt_file file;
	int code;

	if (site->spa == NULL)
		return 0;
	if (site->root.name != NULL)
		return -ENOTDIR;
	code = rt_file_open(&file, &site->root, site->spa);
	if (code == 0 && !S_ISREG(file.mode))
		code = -EISDIR;
	rt_file_close(&file);
	return code;
}

static int
open_site(struct rt_site *site, const char *root,
	const struct retort_files *files, char *error)
{
	int code = copy_files(site, files);

	if (code == 0)
		code = rt_root_open(&site->root, root);
	if (code < 0)
		return fail(error, code, root,
			code == -ENOTSUP ?
				"neither a folder nor a regular file" :
				NULL);
	site->root.dotfiles = files->dotfiles;
	code = check_spa(site);
	if (code < 0 && error != NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE, "spa '%.200s': %s",
			site->spa, strerror(-code));
	return code;
}

int
rt_route_set_files(struct rt_route *route, const char *root,
	const struct retort_files *files, char *error)
{
	struct rt_site *site;
	int code;

	if (route->protocol != RETORT_HTTP)
		return fail(error, -EINVAL, root, "only HTTP serves files");
	code = check_files(files, error);
	if (code < 0)
		return code;
	site = malloc(sizeof *site);
	if (site == NULL)
		return fail(error, -ENOMEM, root, NULL);
	rt_site_init(site);
	code = open_site(site, root, files, error);
	if (code < 0) {
		free_site(site);
		return code;
	}
	forget_fallback(route);
	note_reading(route);
	route->site = site;
	return 0;
}

/* --- requests --- */

/* The Host without its port is one of those served. */
static bool
host_served(const struct rt_route *route, const char *base, struct rt_span host)
{
	if (route->hosts == NULL)
		return true;
	for (uint32_t i = host.size; i-- > 0;) {
		char c = base[host.at + i];

		if (c == ':')
			host.size = i;
		if (c < '0' || c > '9')
			break;
	}
	for (char **name = route->hosts; *name != NULL; name++)
		if (rt_span_is(base, host, *name))
			return true;
	return false;
}

int
rt_route_refusal(const struct rt_route *route, const struct rt_request *request,
	const char *base, uint64_t *max, bool *keep, const char **reason)
{
	const struct rt_canned *canned = route->canned;
	bool echo = canned != NULL && canned->as.echo;

	*reason = NULL;
	*keep = route->keep || route->rule_count > 0 || echo;
	*max = route->max_body;
	if (*max == 0)
		*max = canned != NULL && !*keep ? UINT64_MAX : RT_DEFAULT_BODY;
	if (!host_served(route, base, request->host)) {
		*reason = "this host is not served here";
		return 421;
	}
	/* a rule may fit, and is asked when the request is complete */
	return route->site != NULL && route->rule_count == 0 ?
		rt_site_refusal(request) :
		0;
}

/* Without HTTP there is no other way to say that nothing answers. */
static void
close_plain(struct rt_reply *reply)
{
	rt_reply_reset(reply);
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
}

/* Error replies stand in for what was to be said. */
static void
say_error(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply, int status, const char *reason)
{
	struct rt_draft draft = {.reply = reply,
		.head_only = asked->request->method == RT_HEAD};

	if (protocol_of(route, asked->accepted) != RETORT_HTTP)
		close_plain(reply);
	else
		rt_reply_error(&draft, status, reason, asked->date);
}

static void
apply(const struct rt_route *route, const struct rt_faults *faults,
	struct rt_asked *asked, struct rt_reply *reply)
{
	char error[RETORT_ERROR_SIZE] = "";
	int status;

	status = rt_faults_status(faults);
	if (status != 0)
		say_error(route, asked, reply, status, NULL);
	if (rt_faults_apply(faults, reply, error) == 0) {
		reply->faults = reply->text.len + 1;
		rt_buf_add_text(&reply->text, rt_faults_text(faults));
		rt_buf_add(&reply->text, "", 1);
		return;
	}
	if (asked->rule > 0)
		rt_buf_add_format(&asked->why, "rule %d: ", asked->rule);
	rt_buf_add_text(&asked->why, error);
	rt_buf_add(&asked->why, "", 1);
	say_error(route, asked, reply, 500, error);
}

/* What chance, or a log, has for this one. */
static void
apply_chaos(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply)
{
	char error[RETORT_ERROR_SIZE];
	struct rt_faults *faults;
	struct rt_buf text;
	size_t at;

	rt_buf_init(&text, 64u << 10);
	if (asked->seen != NULL)
		rt_chaos_pick(route->chaos, asked->seen, asked->connection,
			&text);
	if (text.len > 0) {
		rt_buf_add(&text, "", 1);
		faults = text.failed ? NULL :
				       rt_faults_new(text.data, error, &at);
		/* a log may have what cannot be done here */
		if (faults != NULL)
			apply(route, faults, asked, reply);
		rt_faults_free(faults);
	}
	rt_buf_free(&text);
}

/* The reply is made: what is wrong with it is made, too. */
static void
spoil(const struct rt_route *route, const struct rt_faults *faults,
	struct rt_asked *asked, struct rt_reply *reply)
{
	if (faults != NULL)
		apply(route, faults, asked, reply);
	else if (route->chaos != NULL && !asked->accepted)
		apply_chaos(route, asked, reply);
}

static void
answer_canned(const struct rt_route *route, const struct rt_canned *canned,
	struct rt_asked *asked, struct rt_reply *reply)
{
	int error = rt_canned_answer(canned,
		protocol_of(route, asked->accepted), asked->request,
		asked->base, asked->size, asked->date, reply);

	if (error == 0) {
		spoil(route, canned->faults, asked, reply);
		return;
	}
	if (asked->rule > 0)
		rt_buf_add_format(&asked->why, "rule %d: ", asked->rule);
	rt_buf_add_format(&asked->why, "file '%s': %s", canned->as.file,
		strerror(-error));
	rt_buf_add(&asked->why, "", 1);
}

int
rt_route_answer_with(const struct rt_route *route,
	const struct retort_reply *as, struct rt_asked *asked,
	struct rt_reply *reply, char *error)
{
	enum retort_protocol protocol = protocol_of(route, asked->accepted);
	struct rt_canned *canned;
	int code = rt_canned_check(as, protocol, error);

	if (code < 0)
		return code;
	canned = rt_canned_new(as, protocol);
	if (canned == NULL)
		return fail(error, -ENOMEM, "reply", NULL);
	code = rt_canned_answer(canned, protocol, asked->request, asked->base,
		asked->size, asked->date, reply);
	if (code < 0)
		(void)fail(error, code, as->file, NULL);
	else
		spoil(route, canned->faults, asked, reply);
	rt_canned_free(canned);
	return code;
}

static void
handler_failed(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply, const char *error)
{
	rt_buf_add_format(&asked->why, "the handler of rule %d failed: %s",
		asked->rule, error);
	rt_buf_add(&asked->why, "", 1);
	say_error(route, asked, reply, 500,
		asked->why.failed ? NULL : asked->why.data);
}

/* As the handler says, beginning with what the rule has. */
static enum rt_outcome
ask_handler(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	struct retort_reply as = rule->canned->as;
	char error[RETORT_ERROR_SIZE];
	int code;

	if (rule->canned->body != NULL) {
		as.body = rule->canned->body->data;
		/* of a repeated body the rule keeps several periods */
		if (as.repeat > 0)
			as.body_size = rule->canned->body->size;
	}
	as.handler = NULL;
	code = rule->handler(rule->handler_arg, asked->seen, &as);
	if (code == RETORT_LATER)
		return RT_LATER;
	if (code != 0)
		(void)snprintf(error, sizeof error, "it returned %d", code);
	else
		code = rt_route_answer_with(route, &as, asked, reply, error);
	if (code != 0)
		handler_failed(route, asked, reply, error);
	return RT_ANSWERED;
}

/* A rule that does not fit, or is used up. */
struct near {
	size_t rule; /* from 1; 0: none */
	bool used_up;
	struct rt_miss miss;
};

/* Whether `a` is the better hint. */
static bool
is_nearer(const struct near *a, const struct near *b)
{
	if (b->rule == 0)
		return true;
	if (a->miss.score != b->miss.score)
		return a->miss.score > b->miss.score;
	/* what is used up cannot have been meant */
	if (a->used_up != b->used_up)
		return b->used_up;
	return a->miss.common > b->miss.common;
}

/* The first rule that fits but is used up, and the nearest that does not. */
static void
find_near(const struct rt_route *route, const struct retort_exchange *seen,
	size_t *used_up, struct near *nearest)
{
	*used_up = 0;
	*nearest = (struct near){.rule = 0};
	for (size_t i = 0; i < route->rule_count; i++) {
		const struct rt_match *match = route->rules[i].match;
		struct near near = {.rule = i + 1};

		if (route->rules[i].accepted)
			continue;
		if (rt_match_fits(match, seen)) {
			*used_up = *used_up > 0 ? *used_up : i + 1;
			continue;
		}
		near.miss = rt_match_explain(match, seen, "", NULL);
		near.used_up = route->rules[i].times > 0 &&
			route->rules[i].used >= route->rules[i].times;
		if (is_nearer(&near, nearest))
			*nearest = near;
	}
}

/* The nearest of the rules, in words. */
static void
explain(const struct rt_route *route, struct rt_asked *asked)
{
	const struct retort_exchange *seen = asked->seen;
	struct rt_buf *why = &asked->why;
	struct near nearest;
	char whose[32];
	size_t used_up;

	rt_buf_add_text(why, "no rule fits ");
	rt_match_name(seen, why);
	find_near(route, seen, &used_up, &nearest);
	if (used_up > 0)
		rt_buf_add_format(why,
			": rule %zu would, but was used up (%u of %u)", used_up,
			route->rules[used_up - 1].used,
			route->rules[used_up - 1].times);
	if (nearest.rule == 0)
		return;
	(void)snprintf(whose, sizeof whose, "rule %zu", nearest.rule);
	rt_buf_add_text(why, used_up > 0 ? "; of the others, " : ": ");
	(void)rt_match_explain(route->rules[nearest.rule - 1].match, seen,
		whose, why);
}

static void
answer_nothing(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply)
{
	struct rt_draft draft = {.reply = reply,
		.head_only = asked->request->method == RT_HEAD};

	if (asked->accepted) {
		rt_reply_reset(reply);
		rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_NEXT});
		return;
	}
	if (asked->seen != NULL)
		explain(route, asked);
	else
		rt_buf_add_text(&asked->why, "nothing is served here");
	if (route->protocol != RETORT_HTTP) {
		rt_buf_add(&asked->why, "", 1);
		close_plain(reply);
		return;
	}
	rt_reply_begin(&draft, 501, asked->date);
	rt_reply_field(&draft, "Content-Type", RT_TYPE_TEXT);
	rt_buf_add(&asked->why, "\n", 1);
	if (asked->why.failed)
		rt_reply_body(&draft, "", 0);
	else
		rt_reply_body_copy(&draft, asked->why.data, asked->why.len);
	if (!asked->why.failed)
		asked->why.data[asked->why.len - 1] = '\0';
}

/* The first that fits and is not used up, from 1; 0: none. */
static size_t
find_rule(const struct rt_route *route, const struct retort_exchange *seen,
	bool accepted)
{
	/* a predicate may add rules: they are looked up anew each time */
	for (size_t i = 0; i < route->rule_count; i++)
		if ((route->rules[i].times == 0 ||
			    route->rules[i].used < route->rules[i].times) &&
			route->rules[i].accepted == accepted &&
			rt_match_fits(route->rules[i].match, seen))
			return i + 1;
	return 0;
}

/* The site answers, as a rule has it. */
static enum rt_outcome
answer_files(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	const struct rt_canned *canned = rule ? rule->canned : NULL;
	const struct rt_faults *faults = canned ? canned->faults : NULL;
	const struct retort_reply *own = NULL;

	if (canned != NULL && (canned->as.fields || canned->as.omit))
		own = &canned->as;
	if (!rt_site_answer(route->site, own,
		    faults != NULL && rt_faults_whole(faults), asked->request,
		    asked->base, asked->date, reply)) {
		reply->rule = (size_t)asked->rule;
		return RT_AGAIN;
	}
	spoil(route, faults, asked, reply);
	return RT_ANSWERED;
}

static enum rt_outcome
answer_by_rule(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	if (rule->handler != NULL)
		return ask_handler(route, rule, asked, reply);
	if (rule->files && route->site != NULL)
		return answer_files(route, rule, asked, reply);
	if (rule->files)
		say_error(route, asked, reply, 404, "no files are served");
	else
		answer_canned(route, rule->canned, asked, reply);
	return RT_ANSWERED;
}

enum rt_outcome
rt_route_answer(struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply)
{
	bool again = reply->listing != NULL;
	size_t number = again ? reply->rule : 0;

	if (!again && asked->seen != NULL)
		number = find_rule(route, asked->seen, asked->accepted);
	/* it may have been forgotten since */
	if (number > 0 && number <= route->rule_count) {
		struct rt_rule *rule = route->rules + number - 1;

		rule->used += !again;
		asked->rule = (int)number;
		return answer_by_rule(route, rule, asked, reply);
	}
	if (route->canned != NULL && !asked->accepted)
		answer_canned(route, route->canned, asked, reply);
	else if (route->site != NULL && !asked->accepted)
		return answer_files(route, NULL, asked, reply);
	else
		answer_nothing(route, asked, reply);
	return RT_ANSWERED;
}

const struct rt_faults *
rt_route_reading(const struct rt_route *route,
	const struct retort_exchange *seen)
{
	size_t number = find_rule(route, seen, false);
	const struct rt_canned *canned =
		number > 0 ? route->rules[number - 1].canned : route->canned;

	return canned != NULL && rt_faults_reading(canned->faults) != NULL ?
		canned->faults :
		NULL;
}

bool
rt_route_greets(const struct rt_route *route)
{
	for (size_t i = 0; i < route->rule_count; i++)
		if (route->rules[i].accepted)
			return true;
	return false;
}

/* --- the route's life --- */

int
rt_route_init(struct rt_route *route, enum retort_protocol protocol,
	const char *const *hosts, uint64_t max_body, bool keep)
{
	size_t count = 0;

	*route = (struct rt_route){.protocol = protocol,
		.max_body = max_body,
		.keep = keep};
	if (hosts == NULL)
		return 0;
	while (hosts[count] != NULL)
		count++;
	route->hosts = calloc(count + 1, sizeof *route->hosts);
	if (route->hosts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		route->hosts[i] = strdup(hosts[i]);
		if (route->hosts[i] == NULL) {
			rt_route_free(route);
			return -ENOMEM;
		}
	}
	return 0;
}

void
rt_route_free(struct rt_route *route)
{
	rt_route_clear(route);
	free(route->rules);
	forget_fallback(route);
	rt_chaos_free(route->chaos);
	for (char **name = route->hosts; name != NULL && *name != NULL; name++)
		free(*name);
	free(route->hosts);
	*route = (struct rt_route){.hosts = NULL};
}

const char *
retort_type_of(const char *name)
{
	return rt_type_of(name, NULL, 0);
}
