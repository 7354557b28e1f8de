/* SPDX-License-Identifier: MIT */
/*
 * Compares a request with conditions, and tells where it differs. Called by
 * whatever asks "which requests": route.c for rules, verdict.c for
 * expectations, api/record.c for waits and counts. Pure. match_target.c has
 * what is asked of the target.
 *
 * A condition is one row of a table: whether it is given, whether the request
 * fits, and how to say that it does not.
 */
#include "config.h"

#include "route/match_parts.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "http/field.h"
#include "http/http.h"
#include "reply/canned.h"

/* Bytes of a piece that name it. */
#define NAME_BYTES 60

struct rt_match {
	char *method; /* NULL: any */
	struct rt_path path;
	char *query; /* NULL: any */
	char *fields;
	char *contains;
	struct rt_needle *contained; /* the value of each line of these */
	size_t contained_count;
	char *absent;
	char *body;
	size_t body_size;
	char *body_has;
	struct rt_needle had; /* the same */
	bool nocase;
	retort_predicate *predicate;
	void *predicate_arg;
};

/* --- from text --- */

static int
fail(char *error, const char *what, const char *text, size_t size)
{
	return rt_fail(error, -EINVAL, "%s: '%.*s'", what,
		(int)(size < 120 ? size : 120), text);
}

static int
set(char **to, const char *text, size_t size)
{
	*to = malloc(size + 1);
	if (*to == NULL)
		return -ENOMEM;
	memcpy(*to, text, size);
	(*to)[size] = '\0';
	return 0;
}

static int
copy(char **to, const char *text)
{
	return text ? set(to, text, strlen(text)) : 0;
}

/* "METHOD TARGET", or either. */
static int
read_request(struct rt_match *match, const char *text, char *error)
{
	const char *target = text, *query;
	size_t size = 0;
	int code = 0;

	if (text == NULL || strcmp(text, "*") == 0)
		return 0;
	if (*text != '/' && (*text != '*' || text[1] == ' ')) {
		size = strcspn(text, " ");
		target = text[size] == ' ' ? text + size + 1 : NULL;
		if (!rt_http_is_token(text, size) ||
			(target != NULL && *target != '/' && *target != '*'))
			return fail(error,
				"expected 'METHOD /TARGET' or either alone",
				text, strlen(text));
	}
	if (size > 0 && !(size == 1 && *text == '*'))
		code = set(&match->method, text, size);
	if (code < 0 || target == NULL)
		return code;
	for (const char *at = target; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '#')
			return fail(error, "malformed target", target,
				strlen(target));
	query = strchr(target, '?');
	size = query ? (size_t)(query - target) : strlen(target);
	if (!(size == 1 && *target == '*'))
		code = rt_path_set(&match->path, target, size);
	if (code == 0 && query != NULL)
		code = copy(&match->query, query + 1);
	return code;
}

static int
read_lines(char **to, const char *lines, bool with_value, const char *what,
	char *error)
{
	int code = rt_field_check(lines, with_value, what, error);

	return code < 0 ? code : copy(to, lines);
}

/* Conditions that only a request of HTTP can meet. */
static int
check_plain(const struct retort_requests *when, char *error)
{
	const struct {
		const char *name;
		const char *given;
	} members[] = {
		{"request", when->request},
		{"if_field", when->if_field},
		{"if_contains", when->if_contains},
		{"if_absent", when->if_absent},
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].given != NULL)
			return rt_fail(error, -EINVAL,
				"%s: only a request of HTTP has it",
				members[i].name);
	return 0;
}

/* The texts that fields contain. */
static int
read_contains(struct rt_match *match)
{
	const char *lines = match->contains;
	struct rt_line line;
	size_t room = 0;
	int code = 0;

	while (code == 0 && rt_field_next(&lines, &line)) {
		struct rt_needle *part;

		if (!rt_grow(&match->contained, &room, match->contained_count,
			    sizeof *part))
			return -ENOMEM;
		part = match->contained + match->contained_count++;
		code = rt_needle_set_bytes(part, line.value, line.value_size,
			match->nocase);
	}
	return code;
}

static int
read_body(struct rt_match *match, const struct retort_requests *when)
{
	int code = 0;

	if (rt_has_body(when->if_body, when->if_body_size)) {
		match->body_size =
			rt_body_size(when->if_body, when->if_body_size);
		code = set(&match->body, when->if_body ? when->if_body : "",
			match->body_size);
	}
	if (code == 0 && when->if_body_has != NULL) {
		code = copy(&match->body_has, when->if_body_has);
		if (code == 0)
			code = rt_needle_set_bytes(&match->had,
				when->if_body_has, strlen(when->if_body_has),
				match->nocase);
	}
	return code;
}

/* Conditions of which one excludes another, or means nothing. */
static int
check_sense(const struct rt_match *match, char *error)
{
	const char *lines = match->absent;
	struct rt_line line;

	while (rt_field_next(&lines, &line)) {
		char name[80];

		(void)snprintf(name, sizeof name, "%.*s", (int)line.name_size,
			line.text);
		if (rt_field_has(match->fields, name) ||
			rt_field_has(match->contains, name))
			return rt_fail(error, -EINVAL,
				"no request can fit: field '%s' is both "
				"wanted and absent",
				name);
	}
	if (match->body != NULL && match->body_has != NULL &&
		!rt_needle_in(&match->had, match->body, match->body_size))
		return rt_fail(error, -EINVAL,
			"no request can fit: the wanted body does not "
			"contain the wanted part");
	if (match->nocase && !match->fields && !match->contains &&
		!match->body && !match->body_has)
		return rt_fail(error, -EINVAL,
			"if_nocase: expected a condition on a field's value or "
			"the body with it");
	return 0;
}

static int
read_when(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = read_request(match, when->request, error);

	match->nocase = when->if_nocase;
	match->predicate = when->if_predicate;
	match->predicate_arg = when->if_predicate_arg;
	if (code == 0)
		code = read_lines(&match->fields, when->if_field, true,
			"if_field", error);
	if (code == 0)
		code = read_lines(&match->contains, when->if_contains, true,
			"if_contains", error);
	if (code == 0)
		code = read_contains(match);
	if (code == 0)
		code = read_lines(&match->absent, when->if_absent, false,
			"if_absent", error);
	if (code == 0)
		code = read_body(match, when);
	return code < 0 ? code : check_sense(match, error);
}

struct retort_requests
rt_match_conditions(const struct retort_reply *rule)
{
	return (struct retort_requests){
		.request = rule->request,
		.if_field = rule->if_field,
		.if_contains = rule->if_contains,
		.if_absent = rule->if_absent,
		.if_body = rule->if_body,
		.if_body_size = rule->if_body_size,
		.if_body_has = rule->if_body_has,
		.if_predicate = rule->if_predicate,
		.if_predicate_arg = rule->if_predicate_arg,
		.if_nocase = rule->if_nocase,
	};
}

struct rt_match *
rt_match_new(const struct retort_requests *when, enum retort_protocol protocol,
	char *error)
{
	struct rt_match *match = calloc(1, sizeof *match);
	int code = match ? 0 : -ENOMEM;

	if (code == 0 && when != NULL && protocol != RETORT_HTTP)
		code = check_plain(when, error);
	if (code == 0 && when != NULL)
		code = read_when(match, when, error);
	if (code == 0)
		return match;
	if (code == -ENOMEM)
		(void)rt_fail_errno(error, code, NULL);
	rt_match_free(match);
	errno = -code;
	return NULL;
}

void
rt_match_free(struct rt_match *match)
{
	if (match == NULL)
		return;
	free(match->method);
	rt_path_free(&match->path);
	free(match->query);
	free(match->fields);
	free(match->contains);
	while (match->contained_count > 0)
		rt_needle_free(match->contained + --match->contained_count);
	free(match->contained);
	free(match->absent);
	free(match->body);
	free(match->body_has);
	rt_needle_free(&match->had);
	free(match);
}

/* --- targets --- */

static bool
path_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return rt_path_fits(&match->path, seen->target);
}

static bool
query_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t size;

	return rt_query_missing(match->query, seen->query, &size) == NULL;
}

/* --- fields and bodies --- */

static bool
same_bytes(const struct rt_match *match, const char *a, size_t a_size,
	const char *b, size_t b_size)
{
	if (a_size != b_size || a_size == 0)
		return a_size == b_size;
	if (!match->nocase)
		return memcmp(a, b, a_size) == 0;
	for (size_t i = 0; i < a_size; i++)
		if (rt_fold(a[i]) != rt_fold(b[i]))
			return false;
	return true;
}

/* Whether a field has the line's value, or `part` somewhere in its own. */
static bool
line_fits(const struct rt_match *match, const struct rt_line *line,
	const struct rt_needle *part, const struct retort_exchange *seen)
{
	for (size_t i = 0; i < seen->field_count; i++) {
		const char *value = seen->fields[i].value;
		size_t size = strlen(value);

		if (!rt_field_is(line, seen->fields[i].name))
			continue;
		if (part ? rt_needle_in(part, value, size) :
			   same_bytes(match, value, size, line->value,
				   line->value_size))
			return true;
	}
	return false;
}

/* The first line of `fields`, or of `contains`, that does not fit; false: all
   do. */
static bool
find_unfit(const struct rt_match *match, const struct retort_exchange *seen,
	bool contains, struct rt_line *line)
{
	const char *lines = contains ? match->contains : match->fields;

	for (size_t i = 0; rt_field_next(&lines, line); i++)
		if (!line_fits(match, line,
			    contains ? match->contained + i : NULL, seen))
			return true;
	return false;
}

/* The first field that should be absent; false: all are. */
static bool
find_present(const char *lines, const struct retort_exchange *seen,
	struct rt_line *line)
{
	while (rt_field_next(&lines, line))
		for (size_t i = 0; i < seen->field_count; i++)
			if (rt_field_is(line, seen->fields[i].name))
				return true;
	return false;
}

static bool
method_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->method != NULL && strcmp(match->method, seen->method) == 0;
}

static bool
fields_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_unfit(match, seen, false, &line);
}

static bool
contains_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_unfit(match, seen, true, &line);
}

static bool
absent_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_present(match->absent, seen, &line);
}

/* A body that was not kept whole fits no condition. */
static bool
body_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->body_total <= seen->body_size &&
		same_bytes(match, seen->body, seen->body_size, match->body,
			match->body_size);
}

static bool
body_has_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return rt_needle_in(&match->had, seen->body ? seen->body : "",
		seen->body_size);
}

static bool
predicate_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return match->predicate(match->predicate_arg, seen);
}

/* --- saying what differs --- */

/* Bytes of what differs that are shown. */
#define MAX_SHOWN 200

static void
add_quoted(struct rt_buf *to, const char *text, size_t size)
{
	rt_text_quote(to, text, size, MAX_SHOWN);
}

/* A target in the printable ASCII that terminals and replies can take:
   the same target, percent-encoded. */
static void
add_target(struct rt_buf *to, const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text > '~')
			rt_buf_add_format(to, "%%%02X", (unsigned char)*text);
		else
			rt_buf_add(to, text, 1);
}

static void
say_method(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	(void)seen;
	rt_buf_add_format(to, "method differs from %s \"%s\"", whose,
		match->method);
}

/* Bytes of the rule's path that the request's has, too. */
static size_t
common_of(const struct rt_match *match, const struct retort_exchange *seen)
{
	return match->path.text ? rt_path_common(&match->path, seen->target) :
				  0;
}

static void
say_path(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "path differs from %s ", whose);
	add_quoted(to, match->path.text, strlen(match->path.text));
	rt_buf_add_format(to, " at byte %zu", common_of(match, seen));
}

static void
say_query(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	size_t size = 0;
	const char *wanted = rt_query_missing(match->query, seen->query, &size);

	rt_buf_add_format(to, "query differs from %s: no parameter ", whose);
	add_quoted(to, wanted, size);
}

/* The line's condition, and the fields that came under that name. */
static void
say_line(const struct rt_line *line, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	bool any = false;

	rt_buf_add_format(to, "field differs from %s ", whose);
	add_quoted(to, line->text, line->size);
	for (size_t i = 0; i < seen->field_count; i++)
		if (rt_field_is(line, seen->fields[i].name)) {
			const char *value = seen->fields[i].value;

			rt_buf_add_text(to, any ? ", " : ": came ");
			add_quoted(to, value, strlen(value));
			any = true;
		}
	if (!any)
		rt_buf_add_text(to, ": no such field came");
}

static void
say_fields(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (find_unfit(match, seen, false, &line))
		say_line(&line, seen, whose, to);
}

static void
say_contains(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (find_unfit(match, seen, true, &line))
		say_line(&line, seen, whose, to);
}

static void
say_absent(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (!find_present(match->absent, seen, &line))
		return;
	rt_buf_add_format(to, "field that %s wants absent came: ", whose);
	add_quoted(to, line.text, line.size);
}

/* Why there may be more to it. */
static void
add_kept(struct rt_buf *to, const struct retort_exchange *seen)
{
	if (seen->body_total > seen->body_size)
		rt_buf_add_format(to, " (%zu of its %llu bytes were kept)",
			seen->body_size, (unsigned long long)seen->body_total);
}

static void
say_body(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	const char *body = seen->body ? seen->body : "";
	size_t n = 0, from;

	while (n < seen->body_size && n < match->body_size &&
		same_bytes(match, body + n, 1, match->body + n, 1))
		n++;
	from = n > 20 ? n - 20 : 0;
	rt_buf_add_format(to, "body differs from %s at byte %zu: expected ",
		whose, n);
	add_quoted(to, match->body + from, match->body_size - from);
	rt_buf_add_text(to, ", came ");
	add_quoted(to, body + from, seen->body_size - from);
	add_kept(to, seen);
}

static void
say_body_has(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "body differs from %s: no ", whose);
	add_quoted(to, match->body_has, strlen(match->body_has));
	rt_buf_add_text(to, " in ");
	add_quoted(to, seen->body ? seen->body : "", seen->body_size);
	add_kept(to, seen);
}

static void
say_predicate(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	(void)match;
	(void)seen;
	rt_buf_add_format(to, "the predicate of %s said no", whose);
}

/* --- all of them --- */

/* Bytes of a path that count when it differs: less than the whole does. */
#define NEAR_PATH 24

/* A field that differs is nearer than one that did not come. */
static bool
came_otherwise(const struct rt_match *match, const struct retort_exchange *seen,
	bool contains)
{
	struct rt_line line;

	if (find_unfit(match, seen, contains, &line))
		for (size_t i = 0; i < seen->field_count; i++)
			if (rt_field_is(&line, seen->fields[i].name))
				return true;
	return false;
}

static unsigned
fields_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return came_otherwise(match, seen, false);
}

static unsigned
contains_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return came_otherwise(match, seen, true);
}

/* The longer the beginning that is right, the nearer. */
static unsigned
path_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t common = common_of(match, seen);

	return common < NEAR_PATH ? (unsigned)common : NEAR_PATH;
}

/* People look at the greater weight first; `near` is worth less. */
static const struct condition {
	size_t given; /* the member that is not NULL when it is given */
	unsigned weight;
	bool (*fits)(const struct rt_match *, const struct retort_exchange *);
	unsigned (
		*near)(const struct rt_match *, const struct retort_exchange *);
	void (*say)(const struct rt_match *, const struct retort_exchange *,
		const char *, struct rt_buf *);
} conditions[] = {
	{offsetof(struct rt_match, method), 16, method_fits, NULL, say_method},
	{offsetof(struct rt_match, path.text), 32, path_fits, path_near,
		say_path},
	{offsetof(struct rt_match, query), 4, query_fits, NULL, say_query},
	{offsetof(struct rt_match, fields), 2, fields_fit, fields_near,
		say_fields},
	{offsetof(struct rt_match, contains), 2, contains_fit, contains_near,
		say_contains},
	{offsetof(struct rt_match, absent), 2, absent_fit, NULL, say_absent},
	{offsetof(struct rt_match, body), 2, body_fits, NULL, say_body},
	{offsetof(struct rt_match, body_has), 2, body_has_fits, NULL,
		say_body_has},
};

static bool
is_given(const struct rt_match *match, const struct condition *condition)
{
	const char *member;

	memcpy(&member, (const char *)match + condition->given, sizeof member);
	return member != NULL;
}

bool
rt_match_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		if (is_given(match, &conditions[i]) &&
			!conditions[i].fits(match, seen))
			return false;
	return match->predicate == NULL || predicate_fits(match, seen);
}

struct rt_miss
rt_match_explain(const struct rt_match *match,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *why)
{
	struct rt_miss miss = {.common = common_of(match, seen)};
	bool said = false;

	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		const struct condition *condition = &conditions[i];

		bool given = is_given(match, condition);

		if (!given || condition->fits(match, seen)) {
			/* a predicate may stand for what is not given */
			if (given || match->predicate == NULL)
				miss.score += condition->weight;
			continue;
		}
		if (condition->near != NULL)
			miss.score += condition->near(match, seen);
		if (why != NULL && !said)
			condition->say(match, seen, whose, why);
		said = true;
	}
	/* a predicate is asked about requests that fit otherwise */
	if (!said && match->predicate != NULL && why != NULL &&
		!predicate_fits(match, seen))
		say_predicate(match, seen, whose, why);
	return miss;
}

void
rt_match_name(const struct retort_exchange *seen, struct rt_buf *to)
{
	if (seen->protocol != RETORT_HTTP) {
		rt_text_quote(to, seen->body, seen->body_size, NAME_BYTES);
		return;
	}
	rt_buf_add_text(to, seen->method ? seen->method : "-");
	rt_buf_add(to, " ", 1);
	add_target(to, seen->target ? seen->target : "-");
}

static void
add_lines(struct rt_buf *to, const char *what, const char *lines)
{
	struct rt_line line;

	while (rt_field_next(&lines, &line)) {
		rt_buf_add_text(to, what);
		add_quoted(to, line.text, line.size);
	}
}

void
rt_match_describe(const struct rt_match *match, struct rt_buf *to)
{
	size_t begin = to->len;

	if (match->method != NULL)
		rt_buf_add_text(to, match->method);
	if (match->path.text != NULL || match->query != NULL) {
		rt_buf_add_text(to, to->len > begin ? " " : "");
		add_target(to, match->path.text ? match->path.text : "*");
	}
	if (match->query != NULL) {
		rt_buf_add(to, "?", 1);
		add_target(to, match->query);
	}
	if (to->len == begin)
		rt_buf_add_text(to, "any request");
	add_lines(to, ", field ", match->fields);
	add_lines(to, ", field with ", match->contains);
	add_lines(to, ", no field ", match->absent);
	if (match->body != NULL) {
		rt_buf_add_text(to, ", body ");
		add_quoted(to, match->body, match->body_size);
	}
	if (match->body_has != NULL) {
		rt_buf_add_text(to, ", body with ");
		add_quoted(to, match->body_has, strlen(match->body_has));
	}
	if (match->nocase)
		rt_buf_add_text(to, ", without case");
	if (match->predicate != NULL)
		rt_buf_add_text(to, ", a predicate");
}
