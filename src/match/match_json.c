/* SPDX-License-Identifier: MIT */
/* Bodies that are JSON, compared as values. jansson parses them, if it is
   there; the comparison, which names the path to what differs, is ours. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

#ifdef HAVE_JANSSON

#include "base/c_locale.h"

/* The longest path that is reported. */
#define MOST_PATH 4096

/* --- comparing --- */

/* The way to a value, from within it to the root. */
struct way {
	const struct way *up;
	const char *key; /* NULL: an element of an array */
	size_t index;
};

/* Where two values differ. */
struct difference {
	struct rt_buf *path;         /* NULL: nobody asks */
	const json_t *wanted, *came; /* NULL: nothing */
};

/* Adds the way as a JSON pointer (RFC 6901), in printable ASCII. */
static void
add_way(struct rt_buf *to, const struct way *way)
{
	if (way == NULL)
		return;
	add_way(to, way->up);
	rt_buf_add(to, "/", 1);
	if (way->key == NULL)
		rt_buf_add_number(to, way->index);
	for (const char *at = way->key; at != NULL && *at != '\0'; at++) {
		if (*at == '~' || *at == '/')
			rt_buf_add_text(to, *at == '~' ? "~0" : "~1");
		else if (*at < ' ' || *at > '~')
			rt_buf_add_format(to, "\\x%02x", (unsigned char)*at);
		else
			rt_buf_add(to, at, 1);
	}
}

static bool
differ_here(const struct way *way, const json_t *wanted, const json_t *came,
	struct difference *to)
{
	if (to->path != NULL)
		add_way(to->path, way);
	to->wanted = wanted;
	to->came = came;
	return true;
}

static bool
is_integer(double real, json_int_t integer)
{
	return real >= -9223372036854775808.0 && real < 9223372036854775808.0 &&
		(double)(json_int_t)real == real && (json_int_t)real == integer;
}

/* Whether two numbers are equal, as 1 and 1.0 are. */
static bool
same_number(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) == json_integer_value(b);
	if (json_is_real(a) && json_is_real(b))
		return !(json_real_value(a) < json_real_value(b)) &&
			!(json_real_value(a) > json_real_value(b));
	return json_is_integer(a) ?
		is_integer(json_real_value(b), json_integer_value(a)) :
		is_integer(json_real_value(a), json_integer_value(b));
}

static bool
same_plain(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return same_number(a, b);
	if (json_is_string(a) && json_is_string(b))
		return json_string_length(a) == json_string_length(b) &&
			memcmp(json_string_value(a), json_string_value(b),
				json_string_length(a)) == 0;
	return json_typeof(a) == json_typeof(b);
}

static bool differ(const json_t *wanted, const json_t *came, bool has,
	const struct way *up, struct difference *to);

static bool
objects_differ(const json_t *wanted, const json_t *came, bool has,
	const struct way *up, struct difference *to)
{
	json_t *member;
	const char *key;
	struct way way = {.up = up};

	json_object_foreach((json_t *)(uintptr_t)wanted, key, member)
	{
		const json_t *other = json_object_get(came, key);

		way.key = key;
		if (other == NULL)
			return differ_here(&way, member, NULL, to);
		if (differ(member, other, has, &way, to))
			return true;
	}
	if (has || json_object_size(came) == json_object_size(wanted))
		return false;
	json_object_foreach((json_t *)(uintptr_t)came, key, member)
	{
		way.key = key;
		if (json_object_get(wanted, key) == NULL)
			return differ_here(&way, NULL, member, to);
	}
	return false;
}

/* Arrays must have equal elements in the same order; with `has` these may have
   more members. */
static bool
arrays_differ(const json_t *wanted, const json_t *came, bool has,
	const struct way *up, struct difference *to)
{
	size_t wanted_size = json_array_size(wanted);
	size_t came_size = json_array_size(came);
	struct way way = {.up = up};

	for (size_t i = 0; i < wanted_size || i < came_size; i++) {
		const json_t *a = json_array_get(wanted, i);
		const json_t *b = json_array_get(came, i);

		way.index = i;
		if (a == NULL || b == NULL)
			return differ_here(&way, a, b, to);
		if (differ(a, b, has, &way, to))
			return true;
	}
	return false;
}

/* Whether two values differ. Neither is deeper than RT_JSON_DEEPEST. */
static bool
differ(const json_t *wanted, const json_t *came, bool has, const struct way *up,
	struct difference *to)
{
	if (json_is_object(wanted) && json_is_object(came))
		return objects_differ(wanted, came, has, up, to);
	if (json_is_array(wanted) && json_is_array(came))
		return arrays_differ(wanted, came, has, up, to);
	return !same_plain(wanted, came) && differ_here(up, wanted, came, to);
}

/* --- conditions --- */

/* Tells of the line of the text in which that shows. */
static int
fail_json(const char *member, const char *text,
	const struct rt_json_wrong *wrong, char *error)
{
	size_t begin = wrong->at, size;

	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	size = strcspn(text + begin, "\r\n");
	return rt_fail(error, -EINVAL,
		"%s: '%.*s': malformed JSON at byte %zu: %s", member,
		(int)(size < 80 ? size : 80), text + begin, wrong->at - begin,
		wrong->why);
}

static int
read_value(struct rt_json *json, const char *text, const char *member,
	char *error)
{
	struct rt_json_wrong wrong;
	size_t size = text ? strlen(text) : 0;
	int code;

	if (text == NULL)
		return 0;
	/* a scenario's is a line */
	while (size > 0 && strchr("\r\n", text[size - 1]) != NULL)
		size--;
	code = rt_match_copy_bytes(&json->text, text, size);
	if (code < 0)
		return code;
	json->value = rt_json_parse(text, size, &wrong);
	if (json->value == NULL && *wrong.why == '\0')
		return -ENOMEM;
	return json->value != NULL ?
		0 :
		fail_json(member, json->text, &wrong, error);
}

static void
free_value(void *member)
{
	struct rt_json *json = member;

	free(json->text);
	json_decref(json->value);
}

static bool
value_fits(const struct rt_json *json, bool has,
	const struct retort_exchange *seen)
{
	struct rt_json_wrong wrong;
	struct difference difference = {.path = NULL};
	json_t *came;
	bool fits;

	if (seen->body_total > seen->body_size)
		return false;
	came = rt_json_parse(seen->body ? seen->body : "", seen->body_size,
		&wrong);
	fits = came != NULL &&
		!differ(json->value, came, has, NULL, &difference);
	json_decref(came);
	return fits;
}

/* Writes a value as text, which the caller frees; real numbers have `digits`
   digits. */
static char *
dump(const json_t *value, size_t digits)
{
	struct rt_locale locale;
	char *text = NULL;

	if (value == NULL || !rt_locale_enter(&locale))
		return NULL;
	text = json_dumps(value,
		JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII |
			JSON_REAL_PRECISION(digits));
	rt_locale_leave(&locale);
	return text;
}

static void
add_value(struct rt_buf *to, const json_t *value, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (value == NULL)
		text = "nothing";
	else if (text == NULL)
		text = "...";
	rt_buf_add_format(to, "%.*s", RT_MATCH_SHOWN, text);
	if (size > RT_MATCH_SHOWN)
		rt_buf_add_text(to, "...");
}

static void
say_difference(const struct difference *difference, struct rt_buf *to)
{
	char *wanted = dump(difference->wanted, 15);
	char *came = dump(difference->came, 15);

	if (wanted != NULL && came != NULL && strcmp(wanted, came) == 0) {
		free(wanted);
		free(came);
		wanted = dump(difference->wanted, 17);
		came = dump(difference->came, 17);
	}
	rt_buf_add_text(to, ": expected ");
	add_value(to, difference->wanted, wanted);
	rt_buf_add_text(to, ", got ");
	add_value(to, difference->came, came);
	free(wanted);
	free(came);
}

static void
say_value(const struct rt_json *json, bool has,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *to)
{
	struct rt_json_wrong wrong;
	struct difference difference;
	struct rt_buf path;
	json_t *came;

	rt_buf_add_format(to, "body differs from %s", whose);
	if (seen->body_total > seen->body_size) {
		rt_match_add_kept(to, seen);
		return;
	}
	came = rt_json_parse(seen->body ? seen->body : "", seen->body_size,
		&wrong);
	if (came == NULL) {
		rt_buf_add_format(to, ": malformed JSON at byte %zu: %s: got ",
			wrong.at, *wrong.why ? wrong.why : "no memory");
		rt_match_add_quoted(to, seen->body ? seen->body : "",
			seen->body_size);
		return;
	}
	rt_buf_init(&path, MOST_PATH);
	difference.path = &path;
	if (differ(json->value, came, has, NULL, &difference)) {
		rt_buf_add_text(to, path.len > 0 ? " at " : "");
		rt_buf_add(to, path.data, path.len);
		say_difference(&difference, to);
	}
	rt_buf_free(&path);
	json_decref(came);
}

#else /* without it */

static int
read_value(struct rt_json *json, const char *text, const char *member,
	char *error)
{
	(void)json;
	return text == NULL ?
		0 :
		rt_fail(error, -ENOTSUP,
			"%s: libretort was built without jansson", member);
}

static void
free_value(void *member)
{
	(void)member;
}

static bool
value_fits(const struct rt_json *json, bool has,
	const struct retort_exchange *seen)
{
	(void)json;
	(void)has;
	(void)seen;
	return false;
}

static void
say_value(const struct rt_json *json, bool has,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *to)
{
	(void)json;
	(void)has;
	(void)seen;
	(void)whose;
	(void)to;
}

#endif

/* --- the same --- */

static int
read_json(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	return read_value(&match->json, when->if_json, "if_json", error);
}

static bool
json_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return value_fits(&match->json, false, seen);
}

static void
say_json(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say_value(&match->json, false, seen, whose, to);
}

const struct rt_matcher rt_match_json = {
	.given = offsetof(struct rt_match, json.text),
	.weight = 2,
	.reads_body = true,
	.read = read_json,
	.free = free_value,
	.fits = json_fits,
	.say = say_json,
	.called = "JSON",
};

/* --- at least the same --- */

static int
read_json_has(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	return read_value(&match->json_has, when->if_json_has, "if_json_has",
		error);
}

static bool
json_has_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return value_fits(&match->json_has, true, seen);
}

static void
say_json_has(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say_value(&match->json_has, true, seen, whose, to);
}

const struct rt_matcher rt_match_json_has = {
	.given = offsetof(struct rt_match, json_has.text),
	.weight = 2,
	.reads_body = true,
	.read = read_json_has,
	.free = free_value,
	.fits = json_has_fits,
	.say = say_json_has,
	.called = "JSON with",
};
