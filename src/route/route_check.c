/* SPDX-License-Identifier: MIT */
/* Checks rules when they are given, and makes replies on trial: for faults, and
   to be measured. */
#include "config.h"

#include "route/route_parts.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "canned/condition.h"

/* Checks a greeting: when a connection is accepted there is nothing to
   compare. */
static int
check_accepted(const struct rt_route *route, const struct retort_reply *given,
	char *error)
{
	const struct rt_condition *other;

	if (route->protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL, "accepted: with UDP nothing is");
	other = rt_condition_without(given, RT_CONDITION_BARE);
	if (other != NULL)
		return rt_fail(error, -EINVAL,
			"%s: no request has arrived when a connection is accepted",
			other->name);
	if (given->next > RETORT_NEXT_KEEP)
		return rt_fail(error, -EINVAL,
			"next: the server's protocol follows a greeting");
	if (given->echo)
		return rt_fail(error, -EINVAL,
			"echo: nothing has arrived when a connection is accepted");
	return 0;
}

/* Checks a rule for refused requests, which are read no further. */
static int
check_refused(const struct retort_reply *given, struct rt_canned *canned,
	char *error)
{
	if (given->files)
		return rt_fail(error, -EINVAL,
			"if_refused: no files answer what is refused");
	if (rt_faults_reading(canned->faults) != NULL)
		return rt_fail(error, -EINVAL,
			"if_refused: .faults cannot change how the body is "
			"read here");
	return 0;
}

/* Checks a rule that is answered with files. */
static int
check_file_rule(const struct retort_reply *given, enum retort_protocol protocol,
	char *error)
{
	const char *other = rt_canned_member(given, RT_NOT_FILES);

	if (protocol != RETORT_HTTP)
		return rt_fail(error, -EINVAL, "files: only HTTP serves them");
	return other != NULL ?
		rt_fail(error, -EINVAL, "files: not with .%s", other) :
		0;
}

/* Refuses a request that no rule would ever be asked for. */
static int
check_request(const struct retort_reply *given, char *error)
{
	const char *request = given->request ? given->request : "";
	size_t size = strcspn(request, " ");

	if (rt_http_scheme(request, strlen(request)) == 0 && *request != '/' &&
		size > RT_MAX_METHOD)
		return rt_fail(error, -EINVAL,
			"request: '%.*s': expected a method of at most %d "
			"bytes",
			(int)(size < 120 ? size : 120), request, RT_MAX_METHOD);
	return 0;
}

static const char some_date[] = "Thu, 01 Jan 1970 00:00:00 GMT";

/* Makes a reply on trial, as far as it does not depend on its request. */
static int
try_reply(const struct rt_route *route, struct rt_canned *canned,
	enum retort_protocol protocol, enum rt_keep keep,
	struct rt_reply *reply)
{
	static const struct rt_request request = {.minor = 1};
	const struct rt_occasion occasion = {
		.protocol = protocol,
		.request = &request,
		.came = {"", 0},
		.date = some_date,
	};

	rt_reply_init(reply);
	reply->keep = keep;
	reply->always = &route->always;
	return rt_canned_answer(canned, &occasion, reply);
}

/* Whether the reply of a rule is the same for all requests, or nearly. */
static bool
is_known(const struct rt_rule *rule, const struct retort_reply *given)
{
	return !rule->files && !rule->handler && !given->echo && !given->file &&
		!given->fill;
}

/* Makes the reply that faults are to change, on trial. False: it is not known
   yet. */
static bool
try_spoilt(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, const struct rt_faults *faults,
	struct rt_reply *reply)
{
	int status = rt_faults_status(faults);
	struct rt_draft draft = {.reply = reply,
		.forced = rt_faults_force_body(faults)};

	if (status != 0 && rule->protocol == RETORT_HTTP) {
		rt_reply_init(reply);
		reply->always = &route->always;
		rt_draft_error(&draft, status, NULL, some_date);
	} else if (is_known(rule, given)) {
		(void)try_reply(route, rule->canned, rule->protocol,
			RT_KEEP_NOT, reply);
	} else {
		return false;
	}
	/* on trial it has its body: no HEAD has left that out */
	reply->body = RT_BODY_HERE;
	return true;
}

/* Checks that faults without chance are possible. */
static int
try_drawn(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, const struct rt_faults *faults,
	char *error)
{
	struct rt_reply reply;
	int code;

	if (!try_spoilt(route, rule, given, faults, &reply))
		return 0;
	code = rt_reply_ok(&reply) ? rt_faults_apply(faults, &reply, error) :
				     -ENOMEM;
	if (code == 0 && reply.step_count == RT_MAX_STEPS)
		code = rt_fail(error, -EINVAL,
			"more steps than a reply can have: %s",
			rule->canned->as.faults);
	else if (code == 0 && !rt_reply_ok(&reply))
		code = -ENOMEM;
	rt_reply_free(&reply);
	if (code == -ENOMEM)
		(void)rt_fail_errno(error, code, "faults");
	return code;
}

/* Checks that each of its faults is possible, if the reply is known. */
static int
try_faults(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, char *error)
{
	struct rt_faults *drawn;
	int code = 0;

	for (size_t n = 0; code == 0 &&
		(drawn = rt_faults_sample(rule->canned->faults, n)) != NULL;
		n++) {
		code = try_drawn(route, rule, given, drawn, error);
		rt_faults_free(drawn);
	}
	if (code == 0 && errno != 0)
		code = rt_fail_errno(error, -errno, "faults");
	return code;
}

/* Copies as many bytes of the reply as there is room for. */
static int
read_bytes(struct rt_reply *reply, uint64_t whole, struct rt_buf *bytes,
	char *error)
{
	size_t size = whole < bytes->max ? (size_t)whole : bytes->max;
	size_t at = rt_reply_gather(reply, 0, size);

	if (rt_reply_ok(reply))
		rt_buf_add(bytes, reply->text.data + at, size);
	return !rt_reply_ok(reply) || bytes->failed ?
		rt_fail_errno(error, -ENOMEM, "sweep") :
		0;
}

int
rt_route_measure(const struct rt_route *route, bool kept, uint64_t *head,
	uint64_t *whole, struct rt_buf *bytes, char *error)
{
	struct rt_canned *canned = route->fallback.canned;
	struct rt_reply reply;
	int code;

	if (canned == NULL || route->fallback.files)
		return rt_fail(error, -EINVAL,
			"expected a reply of retort_answer()");
	if (canned->as.echo || canned->as.fill || canned->as.open)
		return rt_fail(error, -EINVAL, "%s: its size is not known",
			canned->as.echo         ? "echo" :
				canned->as.fill ? "fill" :
						  "open");
	code = try_reply(route, canned, route->protocol,
		kept ? RT_KEEP : RT_KEEP_NOT, &reply);
	if (code < 0)
		(void)rt_fail_errno(error, code, canned->as.file);
	*head = reply.head_size;
	*whole = rt_reply_size(&reply);
	if (code == 0)
		code = read_bytes(&reply, *whole, bytes, error);
	rt_reply_free(&reply);
	return code;
}

int
rt_route_check_faults(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, bool listed, char *error)
{
	struct rt_canned *canned = rule->canned;
	int code;

	if (canned->faults == NULL)
		return 0;
	/* so args/ reads them alone, before it knows whether there is TLS: the
	   reply of retort_answer() with a file is checked when it is sent */
	if (given->file == NULL || listed) {
		code = rt_faults_check_wire(canned->faults, route->tls,
			rule->accepted, error);
		if (code < 0)
			return code;
	}
	if (route->unix_bound && rt_faults_can_reset(canned->faults))
		return rt_fail(error, -EINVAL, "a Unix socket cannot be reset");
	if (rt_faults_reading(canned->faults) != NULL &&
		rt_condition_with(given, RT_CONDITION_BODY) != NULL)
		return rt_fail(error, -EINVAL,
			"how the body is read cannot depend on the body");
	if (given->idle != 0 && rt_faults_always_end(canned->faults))
		return rt_fail(error, -EINVAL,
			"end: not with .idle, unless with await: it waits for "
			"no other request");
	return try_faults(route, rule, given, error);
}

int
rt_route_check_stars(const struct rt_rule *rule, char *error)
{
	size_t most = rt_canned_stars(rule->canned);
	size_t stars = rule->match != NULL ? rt_match_stars(rule->match) : 0;

	if (stars > RT_MAX_STARS && most > 0)
		return rt_fail(error, -EINVAL,
			"fill: more than %d asterisks in the path",
			RT_MAX_STARS);
	return most <= stars ?
		0 :
		rt_fail(error, -EINVAL,
			"fill: '{%zu}': the path of the rule has %zu "
			"asterisk%s",
			most, stars, stars == 1 ? "" : "s");
}

int
rt_route_check_next(const struct rt_route *route,
	const struct retort_reply *given, char *error)
{
	if (given->next >= RETORT_NEXT_TLS && !route->tls_later)
		return rt_fail(error, -EINVAL,
			"next: TLS can begin only with .tls_later or .tls "
			"(--tls-later, --tls)");
	return 0;
}

int
rt_route_check(const struct rt_route *route, const struct rt_rule *rule,
	const struct retort_reply *given, char *error)
{
	int code = check_request(given, error);

	if (code == 0)
		code = rt_route_check_next(route, given, error);
	if (code == 0 && given->early > 0)
		code = rt_fail(error, -EINVAL,
			"early: a handler sets it, and returns RETORT_MORE; "
			"a rule has the fault 'early'");
	if (code == 0 && given->accepted)
		code = check_accepted(route, given, error);
	if (code == 0 && given->if_refused != 0)
		code = check_refused(given, rule->canned, error);
	if (code == 0 && given->files)
		code = check_file_rule(given, rule->protocol, error);
	return code;
}

int
rt_route_check_hosts(const char *hosts, char *error)
{
	struct rt_line line;

	while (rt_field_next(&hosts, &line))
		if (!rt_http_is_host(line.text, line.size))
			return rt_fail(error, -EINVAL,
				"hosts: '%.*s': expected a name or address "
				"without port, IPv6 in brackets",
				(int)(line.size < 100 ? line.size : 100),
				line.text);
	return 0;
}
