/* SPDX-License-Identifier: MIT */
/*
 * Finds the answer to a request. Called by server_answer.c when a head is
 * complete and when a request is.
 */
#include "config.h"

#include "route/route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "http/type.h"

/* The most bytes of the name of a rule in a message. */
#define MAX_NAME 4096u

bool
rt_route_has_host(const struct rt_route *route, const char *base,
	struct rt_span host)
{
	for (uint32_t i = host.size; i-- > 0;) {
		char c = base[host.at + i];

		if (c == ':')
			host.size = i;
		if (c < '0' || c > '9')
			break;
	}
	for (const char **name = route->hosts; *name != NULL; name++)
		if (rt_span_is(base, host, *name))
			return true;
	return false;
}

struct rt_wanted
rt_route_wants(const struct rt_route *route, const struct rt_request *request)
{
	const struct rt_canned *canned = route->fallback.canned;
	bool echo = canned != NULL && canned->as.echo;
	/* a rule may fit, and is asked when the request is complete */
	bool files = route->fallback.files && route->rule_count == 0;
	uint64_t most = files ? RT_DEFAULT_BODY : UINT64_MAX;

	return (struct rt_wanted){
		.max = route->max_body > 0 ? route->max_body : most,
		.keep = route->keep || route->looks || echo,
		.none = files && rt_site_refusal(request) != 0,
	};
}

/* Closes the connection: without HTTP nothing else says that nothing
   answers. */
static void
close_plain(struct rt_reply *reply)
{
	rt_reply_reset(reply);
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
}

/* Answers with an error in place of the reply; `forced`: with a body, even if
   there cannot be one. */
static void
say_status(struct rt_asked *asked, struct rt_reply *reply, int status,
	const char *reason, bool forced)
{
	struct rt_draft draft = {.reply = reply,
		.head_only = asked->request->method == RT_HEAD && !forced,
		.forced = forced};

	if (asked->protocol != RETORT_HTTP)
		close_plain(reply);
	else
		rt_draft_error(&draft, status, reason, asked->date);
}

static void
say_error(struct rt_asked *asked, struct rt_reply *reply, int status,
	const char *reason)
{
	say_status(asked, reply, status, reason, false);
}

void
rt_route_say(const struct rt_route *route, size_t number, struct rt_buf *to)
{
	if (route->rules[number - 1].origin != NULL)
		rt_buf_add_text(to,
			rt_origin_shown(route->rules[number - 1].origin));
	else
		rt_buf_add_format(to, "rule %zu", number);
}

/* Blames the rule that answers, if one does, for its reply. */
static void
blame_rule(const struct rt_route *route, struct rt_asked *asked)
{
	if (asked->rule == 0)
		return;
	rt_route_say(route, (size_t)asked->rule, &asked->why);
	rt_buf_add_text(&asked->why, ": ");
}

static void
apply(const struct rt_route *route, const struct rt_faults *faults,
	struct rt_asked *asked, struct rt_reply *reply)
{
	char error[RETORT_ERROR_SIZE] = "";
	int status;

	status = rt_faults_status(faults);
	if (status != 0)
		say_status(asked, reply, status, NULL,
			rt_faults_force_body(faults));
	if (rt_faults_check_wire(faults, route->tls, asked->greeting, error) ==
			0 &&
		rt_faults_apply(faults, reply, error) == 0) {
		rt_reply_set_faults(reply, rt_faults_text(faults));
		return;
	}
	blame_rule(route, asked);
	rt_buf_add_text(&asked->why, error);
	say_error(asked, reply, 500, error);
}

/* The number that chance is drawn by, another one for each exchange. For the
   first exchange, and for pieces, it is that of the connection. */
static uint64_t
chance_of(const struct rt_asked *asked)
{
	bool first = asked->protocol != RETORT_HTTP || asked->nth < 2;

	return asked->connection + (first ? 0 : (asked->nth - 1) << 32);
}

/* Draws the faults of this reply, and applies them. */
static void
apply_by_chance(const struct rt_route *route, const struct rt_faults *faults,
	struct rt_asked *asked, struct rt_reply *reply)
{
	struct rt_faults *drawn =
		rt_faults_draw(faults, route->seed, chance_of(asked));

	if (drawn == NULL)
		reply->failed = true;
	else if (*rt_faults_text(drawn) != '\0')
		apply(route, drawn, asked, reply);
	reply->struck.chance =
		(struct rt_chance){.drawn = true, .seed = route->seed};
	rt_faults_free(drawn);
}

/* Applies the faults (NULL: none) to a reply that is made. */
static void
spoil(const struct rt_route *route, const struct rt_faults *faults,
	struct rt_asked *asked, struct rt_reply *reply)
{
	if (faults == NULL)
		return;
	if (rt_faults_chancy(faults))
		apply_by_chance(route, faults, asked, reply);
	else
		apply(route, faults, asked, reply);
}

/* Refuses to echo a request whose bytes were not all kept. */
static void
refuse_echo(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply)
{
	blame_rule(route, asked);
	rt_buf_add_format(&asked->why,
		"the request is too large to echo: of its body %zu bytes were "
		"kept",
		asked->size - asked->request->head_size);
	say_error(asked, reply, 413, rt_buf_text(&asked->why));
}

/* The parts of the request that a reply fills in; NULL: it fills in none.
   `rule` is NULL if it was forgotten. */
static const struct rt_filling *
find_filling(const struct rt_canned *canned, const struct rt_rule *rule,
	const struct rt_asked *asked, struct rt_filling *filling)
{
	if (canned->fills == NULL)
		return NULL;
	*filling = (struct rt_filling){
		.seen = asked->seen,
		.connection = asked->connection,
		.count = rule != NULL ? rule->used : 0,
		.now = asked->now,
	};
	if (asked->seen != NULL && rule != NULL && rule->match != NULL &&
		rt_match_stars(rule->match) <= RT_MAX_STARS)
		rt_match_star(rule->match, asked->seen, filling->stars);
	return filling;
}

/* Makes a reply of the canned one; `rule` is NULL if it was forgotten. 0 or
   -errno, as rt_canned_answer(). */
static inline int
answer_as(struct rt_canned *canned, const struct rt_rule *rule,
	const struct rt_asked *asked, struct rt_reply *reply)
{
	struct rt_filling filling;
	const struct rt_occasion occasion = {
		.protocol = asked->protocol,
		.request = asked->request,
		.came = {asked->base, asked->size},
		.date = asked->date,
		.filling = find_filling(canned, rule, asked, &filling),
	};

	return rt_canned_answer(canned, &occasion, reply);
}

static void
answer_canned(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_canned *canned, struct rt_asked *asked,
	struct rt_reply *reply)
{
	int error;

	if (canned->as.echo && asked->cut) {
		refuse_echo(route, asked, reply);
		return;
	}
	error = answer_as(canned, rule, asked, reply);
	if (error == 0) {
		if (rule->used > rule->spared)
			spoil(route, rule->canned->faults, asked, reply);
		return;
	}
	blame_rule(route, asked);
	if (error == -EMSGSIZE)
		rt_buf_add_text(&asked->why,
			"the reply is too large, filled in");
	else
		rt_buf_add_format(&asked->why, "file '%s': %s", canned->as.file,
			strerror(-error));
}

/* Refuses faults that change how the request is read, other than those of its
   rule, as it was read already. */
static int
check_reading(const struct rt_route *route, const struct rt_faults *faults,
	const struct rt_asked *asked, char *error)
{
	const struct rt_canned *canned =
		asked->rule > 0 ? route->rules[asked->rule - 1].canned : NULL;

	if (rt_faults_reading(faults) == NULL ||
		(canned != NULL &&
			rt_faults_same_reading(faults, canned->faults)))
		return 0;
	return rt_fail(error, -EINVAL,
		"'%.100s': the request was read already: "
		"retort_on() can say how",
		rt_faults_text(faults));
}

size_t
rt_route_number(const struct rt_route *route, uint64_t id)
{
	for (size_t i = 0; i < route->rule_count; i++)
		if (route->rules[i].id == id)
			return i + 1;
	return 0;
}

/* The rule whose handler gives the reply, now or later; NULL: it was
   forgotten. */
static const struct rt_rule *
rule_of(const struct rt_route *route, const struct rt_asked *asked)
{
	size_t number = rt_route_number(route, asked->rule_id);

	return number > 0 ? route->rules + number - 1 : NULL;
}

int
rt_route_answer_with(const struct rt_route *route,
	const struct retort_reply *as, struct rt_asked *asked,
	struct rt_reply *reply, char *error)
{
	struct rt_error wrong;
	struct rt_canned *canned;
	int code;

	if (as->echo && asked->cut)
		return rt_fail(error, -EMSGSIZE,
			"echo: the request is too large to be kept");
	canned = rt_canned_new(as, asked->protocol, &wrong);
	if (canned == NULL)
		return rt_fail(error, -errno, "%s", wrong.text);
	code = check_reading(route, canned->faults, asked, error);
	if (code == 0)
		code = rt_route_check_next(route, as, error);
	if (code == 0) {
		code = answer_as(canned, rule_of(route, asked), asked, reply);
		if (code == -EMSGSIZE)
			(void)rt_fail(error, code,
				"it is too large, filled in");
		else if (code < 0)
			(void)rt_fail_errno(error, code, as->file);
		else
			spoil(route, canned->faults, asked, reply);
	}
	rt_canned_free(canned);
	return code;
}

/* An error that begins with the name of a file, without its folders, as clients
   may see it. */
static const char *
without_folders(const char *error, const char *file)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	size_t size = slash != NULL ? (size_t)(slash - file) + 1 : 0;

	if (size == 0 || strncmp(error, file, size) != 0)
		return error;
	return strlen(error) > size ? error + size : "its file";
}

static void
handler_failed(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply, const char *file, const char *error)
{
	size_t size;

	rt_buf_add_text(&asked->why, "the handler of ");
	rt_route_say(route, (size_t)asked->rule, &asked->why);
	rt_buf_add_text(&asked->why, " failed: ");
	size = asked->why.len;
	rt_buf_add_text(&asked->why, without_folders(error, file));
	say_error(asked, reply, 500, rt_buf_text(&asked->why));
	asked->why.len = size;
	rt_buf_add_text(&asked->why, error);
}

/* Asks for more of the request, if there can be more. */
static enum rt_outcome
want_more(const struct rt_asked *asked, struct rt_reply *reply)
{
	if (asked->seen != NULL && asked->seen->complete)
		return RT_MORE;
	close_plain(reply);
	return RT_ANSWERED;
}

/* Has the handler answer, which begins with the reply of the rule. */
static enum rt_outcome
ask_handler(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	struct retort_reply as = rt_canned_given(rule->canned);
	char error[RETORT_ERROR_SIZE];
	int code = rule->handler(rule->handler_arg, asked->seen, &as);

	if (code == RETORT_LATER)
		return RT_LATER;
	if (code == RETORT_MORE && asked->protocol == RETORT_TCP &&
		!asked->greeting)
		return want_more(asked, reply);
	if (code == RETORT_MORE && asked->refused)
		return RT_MORE;
	/* it has seen only the beginning of the request */
	if (code == RETORT_MORE && asked->early &&
		(as.early == 0 || as.early > asked->shown)) {
		asked->wanted = as.early;
		return RT_MORE;
	}
	if (code == RETORT_MORE && asked->early)
		code = rt_fail(error, -EINVAL,
			"early: it has seen %llu bytes already",
			(unsigned long long)asked->shown);
	else if (code != 0)
		(void)snprintf(error, sizeof error, "it returned %d", code);
	else
		code = rt_route_answer_with(route, &as, asked, reply, error);
	if (code != 0)
		handler_failed(route, asked, reply, as.file, error);
	return RT_ANSWERED;
}

/* Whether a rule is for the kind of what is asked: a greeting, a refused
   request, or another. */
static bool
is_for(const struct rt_rule *rule, const struct rt_asked *asked)
{
	return rule->protocol == asked->protocol &&
		rule->accepted == asked->greeting &&
		rule->refused == asked->refused;
}

static bool
is_used_up(const struct rt_rule *rule)
{
	return rule->times > 0 && rule->used >= rule->times;
}

/* Finds the last rule that fits but is used up, and the nearest that does not
   fit, from 1; 0: there is none. */
static void
find_near(const struct rt_route *route, const struct rt_asked *asked,
	size_t *used_up, size_t *nearest)
{
	const struct retort_exchange *seen = asked->seen;
	struct rt_miss best = {0};

	*used_up = *nearest = 0;
	for (size_t i = 0; i < route->rule_count; i++) {
		const struct rt_rule *rule = route->rules + i;
		struct rt_miss miss;

		if (!rt_rule_may_be_meant(rule, asked->protocol,
			    asked->greeting, asked->refused))
			continue;
		if (rt_match_fits(rule->match, seen)) {
			*used_up = i + 1;
			continue;
		}
		miss = rt_match_explain(rule->match, seen, "", NULL);
		/* of two equals, the one that is used up was not meant */
		miss.score = 2 * miss.score + !is_used_up(rule);
		if (*nearest == 0 || rt_miss_is_nearer(miss, best)) {
			*nearest = i + 1;
			best = miss;
		}
	}
}

/* Adds how many rules were malformed, and the first mistake. */
static void
add_malformed(const struct rt_route *route, struct rt_buf *why)
{
	if (route->malformed == 0)
		return;
	rt_buf_add_format(why, "; %u rule%s malformed: ", route->malformed,
		route->malformed == 1 ? " was" : "s were");
	rt_buf_add_text(why, route->mistake ? route->mistake : "no memory");
}

/* Explains why no rule fits, by the nearest of them. */
static void
explain(const struct rt_route *route, struct rt_asked *asked)
{
	const struct retort_exchange *seen = asked->seen;
	struct rt_buf *why = &asked->why;
	struct rt_buf whose;
	size_t used_up, nearest;

	rt_buf_add_text(why, "no rule fits ");
	rt_match_name(seen, why);
	find_near(route, asked, &used_up, &nearest);
	if (used_up > 0) {
		rt_buf_add_text(why, ": ");
		rt_route_say(route, used_up, why);
		rt_buf_add_format(why, " would, but was used up (%u of %u)",
			route->rules[used_up - 1].used,
			route->rules[used_up - 1].times);
	}
	if (nearest == 0)
		return;
	rt_buf_init(&whose, MAX_NAME);
	rt_route_say(route, nearest, &whose);
	rt_buf_add_text(why, used_up > 0 ? "; of the others, " : ": ");
	if (rt_buf_text(&whose) != NULL)
		(void)rt_match_explain(route->rules[nearest - 1].match, seen,
			whose.data, why);
	rt_buf_free(&whose);
}

static void
answer_nothing(const struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply)
{
	struct rt_draft draft = {.reply = reply,
		.head_only = asked->request->method == RT_HEAD};
	size_t size;

	if (asked->greeting) {
		rt_reply_reset(reply);
		rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_NEXT});
		return;
	}
	if (asked->seen != NULL)
		explain(route, asked);
	else
		rt_buf_add_text(&asked->why, "nothing is served here");
	if (asked->protocol != RETORT_HTTP) {
		close_plain(reply);
		return;
	}
	rt_draft_begin(&draft, 501, asked->date);
	rt_draft_field(&draft, "Content-Type", RT_TYPE_TEXT);
	size = asked->why.len;
	add_malformed(route, &asked->why);
	rt_buf_add(&asked->why, "\n", 1);
	if (asked->why.failed) {
		rt_draft_body(&draft, "", 0);
		return;
	}
	rt_draft_body_copy(&draft, asked->why.data, asked->why.len);
	/* the verdict has what was malformed already */
	asked->why.len = size;
}

/* The first rule of the highest rank that fits and is not used up, from 1; 0:
   there is none. */
static size_t
find_rule(const struct rt_route *route, const struct rt_asked *asked)
{
	size_t found = 0;

	/* a predicate may add rules: they are looked up each time */
	for (size_t i = 0; i < route->rule_count; i++) {
		if (found > 0 &&
			route->rules[i].prefer <=
				route->rules[found - 1].prefer)
			continue;
		if (is_used_up(route->rules + i) ||
			!is_for(route->rules + i, asked) ||
			!rt_match_fits(route->rules[i].match, asked->seen))
			continue;
		found = i + 1;
		if (route->rules[i].prefer >= route->highest)
			break;
	}
	return found;
}

/* Has the site answer, with the fields of a rule. */
static enum rt_outcome
answer_site(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	const struct rt_canned *canned = rule->canned;
	const struct rt_faults *faults = canned->faults;
	struct rt_site_ways ways = {.own = NULL};

	if (canned->as.fields != NULL || canned->as.omit != NULL)
		ways.own = &canned->as;
	if (faults != NULL) {
		ways.whole = rt_faults_ignore_range(faults);
		ways.forced = rt_faults_force_body(faults);
	}
	if (!rt_site_answer(route->site, &ways, asked->request, asked->base,
		    asked->date, reply)) {
		reply->rule = asked->rule_id;
		return RT_AGAIN;
	}
	spoil(route, faults, asked, reply);
	return RT_ANSWERED;
}

/* Has the fallback answer, with the faults of the rule. */
static enum rt_outcome
answer_by_default(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	struct rt_canned *canned = route->fallback.canned;

	if (route->site != NULL)
		return answer_site(route, rule, asked, reply);
	if (canned != NULL)
		answer_canned(route, rule, canned, asked, reply);
	else
		say_error(asked, reply, 404, "no files are served");
	return RT_ANSWERED;
}

static enum rt_outcome
answer_by_rule(const struct rt_route *route, const struct rt_rule *rule,
	struct rt_asked *asked, struct rt_reply *reply)
{
	if (rule->handler != NULL)
		return ask_handler(route, rule, asked, reply);
	if (rule->files)
		return answer_by_default(route, rule, asked, reply);
	answer_canned(route, rule, rule->canned, asked, reply);
	return RT_ANSWERED;
}

/* Whether a browser asks if a page of another site may make a request. */
static bool
is_preflight(const struct rt_asked *asked)
{
	return asked->protocol == RETORT_HTTP && !asked->greeting &&
		asked->request->method == RT_OPTIONS &&
		rt_http_field(asked->request, asked->base,
			"Access-Control-Request-Method") != NULL;
}

enum rt_outcome
rt_route_answer(struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply)
{
	bool again = reply->made.it != NULL;
	size_t number = again ? rt_route_number(route, reply->rule) : 0;
	struct rt_rule *rule = &route->fallback;
	enum rt_outcome outcome;
	bool handles;

	if (!again && asked->seen != NULL)
		number = find_rule(route, asked);
	if (number > 0) {
		rule = route->rules + number - 1;
		asked->rule = (int)number;
		asked->rule_id = rule->id;
	} else if (asked->refused) {
		if (asked->seen != NULL)
			explain(route, asked);
		return RT_REFUSED;
	} else if (route->cors && is_preflight(asked)) {
		/* whether it may is said by fields that all replies have */
		say_error(asked, reply, 204, NULL);
		return RT_ANSWERED;
	} else if (rule->canned == NULL || asked->greeting ||
		rule->protocol != asked->protocol) {
		answer_nothing(route, asked, reply);
		return RT_ANSWERED;
	}
	rule->used += !again;
	handles = rule->handler != NULL;
	outcome = answer_by_rule(route, rule, asked, reply);
	/* the handler may have moved its rule */
	if (handles)
		number = rt_route_number(route, asked->rule_id);
	if (again || number == 0)
		return outcome;
	rule = route->rules + number - 1;
	if (outcome == RT_MORE)
		rule->used--;
	else
		rt_states_enter(&route->states, asked->place, rule->then_in);
	return outcome;
}

const struct rt_faults *
rt_route_reading(const struct rt_route *route,
	const struct retort_exchange *seen)
{
	const struct rt_asked asked = {.seen = seen};
	size_t number = find_rule(route, &asked);
	const struct rt_rule *rule =
		number > 0 ? route->rules + number - 1 : &route->fallback;

	return rule->canned != NULL &&
			rt_faults_reading(rule->canned->faults) != NULL ?
		rule->canned->faults :
		NULL;
}
