/* SPDX-License-Identifier: MIT */
/*
 * Compares a request with conditions, and tells where it differs. Called by
 * whatever asks "which requests": route.c for rules, verdict.c for
 * expectations, retort_record.c for waits and counts. Pure.
 *
 * A condition is one row of a table: whether it is given, whether the request
 * fits, and how to say that it does not.
 */
#include "config.h"

#include "match.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "field.h"
#include "http.h"

/* Bytes of a piece that name it. */
#define NAME_BYTES 60

struct rt_match {
	char *method; /* NULL: any */
	char *path;   /* NULL: any */
	char *query;  /* NULL: any */
	char *fields;
	char *contains;
	char *absent;
	char *body;
	size_t body_size;
	char *body_has;
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
	if (target[strcspn(target, " \t\r\n#")] != '\0')
		return fail(error, "malformed target", target, strlen(target));
	query = strchr(target, '?');
	size = query ? (size_t)(query - target) : strlen(target);
	if (!(size == 1 && *target == '*'))
		code = set(&match->path, target, size);
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
check_plain(const struct retort_when *when, char *error)
{
	const struct {
		const char *name;
		const char *given;
	} members[] = {
		{"request", when->request},
		{"fields", when->fields},
		{"contains", when->contains},
		{"absent", when->absent},
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].given != NULL)
			return rt_fail(error, -EINVAL,
				"%s: only a request of HTTP has it",
				members[i].name);
	return 0;
}

static int
read_when(struct rt_match *match, const struct retort_when *when, char *error)
{
	int code = read_request(match, when->request, error);

	if (code == 0)
		code = read_lines(&match->fields, when->fields, true, "fields",
			error);
	if (code == 0)
		code = read_lines(&match->contains, when->contains, true,
			"contains", error);
	if (code == 0)
		code = read_lines(&match->absent, when->absent, false, "absent",
			error);
	if (code == 0 && when->body != NULL) {
		match->body_size =
			when->body_size ? when->body_size : strlen(when->body);
		code = set(&match->body, when->body, match->body_size);
	}
	if (code == 0)
		code = copy(&match->body_has, when->body_has);
	match->predicate = when->predicate;
	match->predicate_arg = when->predicate_arg;
	return code;
}

struct rt_match *
rt_match_new(const struct retort_when *when, enum retort_protocol protocol,
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
	free(match->path);
	free(match->query);
	free(match->fields);
	free(match->contains);
	free(match->absent);
	free(match->body);
	free(match->body_has);
	free(match);
}

/* --- paths --- */

/* The path of a target as it came: a part of it, not terminated. */
static const char *
raw_path(const char *target, size_t *size)
{
	const char *scheme;

	if (target == NULL)
		target = "";
	if (*target != '/' && (scheme = strstr(target, "://")) != NULL) {
		target = scheme + 3 + strcspn(scheme + 3, "/?");
		if (*target != '/') {
			*size = 1;
			return "/";
		}
	}
	*size = strcspn(target, "?");
	return target;
}

/* Whether the text is the pattern, in which an asterisk is any bytes. */
static bool
globs(const char *pattern, const char *text, const char *end)
{
	const char *star = NULL, *resume = NULL;

	while (text < end) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
path_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t size;
	const char *path = raw_path(seen->target, &size);

	return globs(match->path, path, path + size);
}

/* --- parameters --- */

/* Takes one byte, decoded, off text that is percent-encoded. */
static int
take_byte(const char **at, const char *end)
{
	int c = rt_http_percent(*at, end);

	if (c >= 0) {
		*at += 3;
		return c;
	}
	return (unsigned char)*(*at)++;
}

static bool
same_decoded(const char *a, size_t a_size, const char *b, size_t b_size)
{
	const char *a_end = a + a_size, *b_end = b + b_size;

	while (a < a_end && b < b_end)
		if (take_byte(&a, a_end) != take_byte(&b, b_end))
			return false;
	return a == a_end && b == b_end;
}

/* Whether a query has the parameter. */
static bool
has_parameter(const char *query, const char *wanted, size_t wanted_size)
{
	while (query != NULL && *query != '\0') {
		size_t size = strcspn(query, "&");

		if (same_decoded(query, size, wanted, wanted_size))
			return true;
		query += size;
		query += strspn(query, "&");
	}
	return false;
}

/* The first parameter that is missing, or NULL. */
static const char *
missing_parameter(const struct rt_match *match,
	const struct retort_exchange *seen, size_t *size)
{
	const char *at = match->query + strspn(match->query, "&");

	while (*at != '\0') {
		*size = strcspn(at, "&");
		if (!has_parameter(seen->query, at, *size))
			return at;
		at += *size;
		at += strspn(at, "&");
	}
	return NULL;
}

static bool
query_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t size;

	return missing_parameter(match, seen, &size) == NULL;
}

/* --- fields and bodies --- */

/* Where `part` stands in the bytes; NULL: nowhere. */
static const char *
find(const char *bytes, size_t size, const char *part, size_t part_size)
{
	for (size_t i = 0; i + part_size <= size; i++)
		if (memcmp(bytes + i, part, part_size) == 0)
			return bytes + i;
	return NULL;
}

/* Whether a field has the line's value, or has it somewhere in its own. */
static bool
line_fits(const struct rt_line *line, const struct retort_exchange *seen,
	bool whole)
{
	for (size_t i = 0; i < seen->field_count; i++) {
		const char *value = seen->fields[i].value;
		size_t size = strlen(value);

		if (!rt_field_is(line, seen->fields[i].name))
			continue;
		if (whole ? size == line->value_size &&
					memcmp(value, line->value, size) == 0 :
			    find(value, size, line->value, line->value_size) !=
					NULL)
			return true;
	}
	return false;
}

/* The first line that does not fit; false: all do. */
static bool
find_unfit(const char *lines, const struct retort_exchange *seen, bool whole,
	struct rt_line *line)
{
	while (rt_field_next(&lines, line))
		if (!line_fits(line, seen, whole))
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

	return !find_unfit(match->fields, seen, true, &line);
}

static bool
contains_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_unfit(match->contains, seen, false, &line);
}

static bool
absent_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_present(match->absent, seen, &line);
}

static bool
body_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->body_size == match->body_size &&
		(match->body_size == 0 ||
			memcmp(seen->body, match->body, match->body_size) == 0);
}

static bool
body_has_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return find(seen->body ? seen->body : "", seen->body_size,
		       match->body_has, strlen(match->body_has)) != NULL;
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
	rt_buf_add_quoted(to, text, size, MAX_SHOWN);
}

static void
say_method(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	(void)seen;
	rt_buf_add_format(to, "method differs from %s \"%s\"", whose,
		match->method);
}

/* Bytes that path and pattern have in common. */
static size_t
common_of(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t size, n = 0;
	const char *path = raw_path(seen->target, &size);

	if (match->path != NULL)
		while (n < size && match->path[n] == path[n])
			n++;
	return n;
}

static void
say_path(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "path differs from %s ", whose);
	add_quoted(to, match->path, strlen(match->path));
	rt_buf_add_format(to, " at byte %zu", common_of(match, seen));
}

static void
say_query(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	size_t size = 0;
	const char *wanted = missing_parameter(match, seen, &size);

	rt_buf_add_format(to, "query differs from %s: no parameter ", whose);
	add_quoted(to, wanted, size);
}

/* What the line wants, and what came under that name. */
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

	if (find_unfit(match->fields, seen, true, &line))
		say_line(&line, seen, whose, to);
}

static void
say_contains(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;

	if (find_unfit(match->contains, seen, false, &line))
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

static void
say_body(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	const char *body = seen->body ? seen->body : "";
	size_t n = 0, from;

	while (n < seen->body_size && n < match->body_size &&
		body[n] == match->body[n])
		n++;
	from = n > 20 ? n - 20 : 0;
	rt_buf_add_format(to, "body differs from %s at byte %zu: expected ",
		whose, n);
	add_quoted(to, match->body + from, match->body_size - from);
	rt_buf_add_text(to, ", came ");
	add_quoted(to, body + from, seen->body_size - from);
}

static void
say_body_has(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "body differs from %s: no ", whose);
	add_quoted(to, match->body_has, strlen(match->body_has));
	rt_buf_add_text(to, " in ");
	add_quoted(to, seen->body ? seen->body : "", seen->body_size);
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
came_otherwise(const char *lines, const struct retort_exchange *seen,
	bool whole)
{
	struct rt_line line;

	if (find_unfit(lines, seen, whole, &line))
		for (size_t i = 0; i < seen->field_count; i++)
			if (rt_field_is(&line, seen->fields[i].name))
				return true;
	return false;
}

static unsigned
fields_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return came_otherwise(match->fields, seen, true);
}

static unsigned
contains_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return came_otherwise(match->contains, seen, false);
}

/* The longer the beginning that is right, the nearer. */
static unsigned
path_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t common = common_of(match, seen);

	return common < NEAR_PATH ? (unsigned)common : NEAR_PATH;
}

/* What weighs more is looked at by people first; `near` is worth less. */
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
	{offsetof(struct rt_match, path), 32, path_fits, path_near, say_path},
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

		if (!is_given(match, condition) ||
			condition->fits(match, seen)) {
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
	if (seen->protocol != RETORT_HTTP)
		rt_buf_add_quoted(to, seen->body, seen->body_size, NAME_BYTES);
	else
		rt_buf_add_format(to, "%s %s",
			seen->method ? seen->method : "-",
			seen->target ? seen->target : "-");
}

void
rt_match_describe(const struct rt_match *match, struct rt_buf *to)
{
	size_t begin = to->len;
	struct rt_line line;
	const char *lines;

	if (match->method != NULL)
		rt_buf_add_text(to, match->method);
	if (match->path != NULL || match->query != NULL) {
		rt_buf_add_text(to, to->len > begin ? " " : "");
		rt_buf_add_text(to, match->path ? match->path : "*");
	}
	if (match->query != NULL) {
		rt_buf_add(to, "?", 1);
		rt_buf_add_text(to, match->query);
	}
	if (to->len == begin)
		rt_buf_add_text(to, "any request");
	for (lines = match->fields; rt_field_next(&lines, &line);) {
		rt_buf_add_text(to, ", field ");
		add_quoted(to, line.text, line.size);
	}
	for (lines = match->contains; rt_field_next(&lines, &line);) {
		rt_buf_add_text(to, ", field with ");
		add_quoted(to, line.text, line.size);
	}
	for (lines = match->absent; rt_field_next(&lines, &line);) {
		rt_buf_add_text(to, ", no field ");
		add_quoted(to, line.text, line.size);
	}
	if (match->body != NULL) {
		rt_buf_add_text(to, ", body ");
		add_quoted(to, match->body, match->body_size);
	}
	if (match->body_has != NULL) {
		rt_buf_add_text(to, ", body with ");
		add_quoted(to, match->body_has, strlen(match->body_has));
	}
	if (match->predicate != NULL)
		rt_buf_add_text(to, ", a predicate");
}
