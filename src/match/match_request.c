/* SPDX-License-Identifier: MIT */
/* The request line, that is method and target, and whether the request is
   refused. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "http/http.h"
#include "http/status.h"

/* The most bytes of a piece that name it. */
#define NAME_BYTES 60

static int
fail(char *error, const char *text, const char *expected)
{
	return rt_fail(error, -EINVAL, "request: '%.120s': expected %s", text,
		expected);
}

/* Reads "METHOD TARGET", or either. */
static int
read_request(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	const char *text = when->request, *target = text, *query;
	size_t size = 0;
	int code = 0;

	if (text == NULL || strcmp(text, "*") == 0)
		return 0;
	if (*text != '/' && (*text != '*' || text[1] == ' ') &&
		rt_http_scheme(text, strlen(text)) == 0) {
		size = strcspn(text, " ");
		target = text[size] == ' ' ? text + size + 1 : NULL;
		if (!rt_http_is_token(text, size) ||
			(target != NULL &&
				!rt_http_may_come(text, size, target,
					strlen(target))))
			return fail(error, text,
				"'METHOD /TARGET' or either alone");
	}
	if (size > 0 && !(size == 1 && *text == '*'))
		code = rt_match_copy_bytes(&match->method, text, size);
	if (code < 0 || target == NULL)
		return code;
	for (const char *at = target; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '#')
			return fail(error, target,
				"a target without spaces, control characters "
				"or '#'");
	query = strchr(target, '?');
	size = query ? (size_t)(query - target) : strlen(target);
	if (!(size == 1 && *target == '*'))
		code = rt_glob_set(&match->path, target, size, RT_IN_PATH);
	if (code == 0 && query != NULL)
		code = rt_pairs_read(&match->query, query + 1, RT_IN_QUERY,
			"request", error);
	return code;
}

static bool
method_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->method != NULL && strcmp(match->method, seen->method) == 0;
}

static bool
path_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return rt_path_fits(&match->path, seen->target, NULL);
}

size_t
rt_match_stars(const struct rt_match *match)
{
	return match->path.text != NULL ? match->path.count - 1 : 0;
}

void
rt_match_star(const struct rt_match *match, const struct retort_exchange *seen,
	struct rt_word *stars)
{
	if (rt_match_stars(match) > 0)
		(void)rt_path_fits(&match->path, seen->target, stars);
}

/* Reads the conditions on the query, in addition to the parameters of
   `request`. */
static int
read_query(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = rt_pairs_read_absent(&match->query, when->if_query_absent,
		RT_IN_QUERY, "if_query_absent", error);

	return code < 0 ? code :
			  rt_pairs_only(&match->query, when->if_query_only);
}

static void
open_query(const struct retort_exchange *seen, struct rt_pair_reader *form)
{
	rt_form_begin_encoded(form, seen->query,
		seen->query ? strlen(seen->query) : 0);
}

static bool
query_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_pair_reader form;

	open_query(seen, &form);
	return rt_pairs_fit(&match->query, &form, RT_IN_QUERY);
}

static unsigned
query_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_pair_reader form;

	open_query(seen, &form);
	return rt_pairs_near(&match->query, &form, RT_IN_QUERY);
}

/* Adds the target percent-encoded, in printable ASCII, which is safe for
   terminals and replies. */
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

size_t
rt_match_common(const struct rt_match *match,
	const struct retort_exchange *seen)
{
	return match->path.text ? rt_path_common(&match->path, seen->target) :
				  0;
}

static void
say_path(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "path differs from %s ", whose);
	rt_match_add_quoted(to, match->path.text, strlen(match->path.text));
	rt_buf_add_format(to, " at byte %zu", rt_match_common(match, seen));
}

static void
say_query(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_pair_reader form;

	open_query(seen, &form);
	rt_pairs_say(&match->query, &form, RT_IN_QUERY, "parameter", whose, to);
}

static void
describe_query(const struct rt_match *match, struct rt_buf *to)
{
	rt_pairs_describe(&match->query, "parameter", to);
}

/* Bytes of a path that count when it differs: less than the whole does. */
#define NEAR_PATH 24

/* A path is the nearer, the longer its right beginning is. */
static unsigned
path_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	size_t common = rt_match_common(match, seen);

	return common < NEAR_PATH ? (unsigned)common : NEAR_PATH;
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

/* Describes method and target; without either, everything fits. */
void
rt_match_describe_request(const struct rt_match *match, struct rt_buf *to)
{
	size_t begin = to->len;

	if (match->method != NULL)
		rt_buf_add_text(to, match->method);
	if (match->path.text != NULL || match->query.wanted.count > 0) {
		rt_buf_add_text(to, to->len > begin ? " " : "");
		add_target(to, match->path.text ? match->path.text : "*");
	}
	if (match->query.wanted.count > 0) {
		rt_buf_add(to, "?", 1);
		add_target(to, match->query.text);
	}
	if (to->len == begin)
		rt_buf_add_format(to, "any %s", match->noun);
}

const struct rt_matcher rt_match_method = {
	.given = offsetof(struct rt_match, method),
	.weight = 16,
	.presumed = true,
	.read = read_request,
	.fits = method_fits,
	.say = say_method,
};

const struct rt_matcher rt_match_path = {
	.given = offsetof(struct rt_match, path.text),
	.weight = 32,
	.presumed = true,
	.free = rt_match_free_glob,
	.fits = path_fits,
	.near = path_near,
	.say = say_path,
};

const struct rt_matcher rt_match_query = {
	.given = offsetof(struct rt_match, query.text),
	.weight = 4,
	.presumed = true,
	.read = read_query,
	.free = rt_pairs_free,
	.fits = query_fits,
	.near = query_near,
	.say = say_query,
	.describe = describe_query,
};

/* --- refused requests --- */

static int
read_refused(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int status = when->if_refused;

	if (status == 0)
		return 0;
	if (status != RETORT_ANY && !rt_status_refuses(status))
		return rt_fail(error, -EINVAL,
			"if_refused: nothing is refused with %d: expected "
			"RETORT_ANY, " RT_STATUS_REFUSALS,
			status);
	match->refused_with = status;
	match->refused = &match->refused_with;
	return 0;
}

static bool
refused_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->refused != 0 &&
		(*match->refused == RETORT_ANY ||
			*match->refused == seen->refused);
}

static void
say_refused(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	if (seen->refused == 0)
		rt_buf_add_format(to, "%s is for refused requests", whose);
	else
		rt_buf_add_format(to, "%s is for requests refused with %d",
			whose, *match->refused);
}

static void
describe_refused(const struct rt_match *match, struct rt_buf *to)
{
	rt_buf_add_text(to, ", refused");
	if (*match->refused != RETORT_ANY)
		rt_buf_add_format(to, " with %d", *match->refused);
}

const struct rt_matcher rt_match_refused = {
	.given = offsetof(struct rt_match, refused),
	.weight = 8,
	.read = read_refused,
	.free = rt_match_free_nothing,
	.fits = refused_fits,
	.say = say_refused,
	.describe = describe_refused,
};
