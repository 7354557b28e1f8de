/* SPDX-License-Identifier: MIT */
/* The body of a request: as bytes, and as a form. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/websocket.h"
#include "canned/canned.h"

static int
read_body(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	(void)error;
	if (!rt_has_body(when->if_body, when->if_body_size))
		return 0;
	match->body_size = rt_body_size(when->if_body, when->if_body_size);
	return rt_match_copy_bytes(&match->body,
		when->if_body ? when->if_body : "", match->body_size);
}

static bool
begins(const struct rt_match *match, const char *body, size_t size)
{
	size_t wanted = strlen(match->body_begins);

	return size >= wanted &&
		rt_match_same(match, body, wanted, match->body_begins, wanted);
}

/* Reads `if_body_has`. It comes after the whole body, which must contain the
   text. */
static int
read_body_has(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = rt_match_copy(&match->body_has.text, when->if_body_has);

	if (code == 0 && match->body_has.text != NULL)
		code = rt_needle_set_bytes(&match->body_has.needle,
			match->body_has.text, strlen(match->body_has.text),
			match->nocase);
	if (code == 0 && match->body != NULL && match->body_has.text != NULL &&
		!rt_needle_in(&match->body_has.needle, match->body,
			match->body_size))
		return rt_fail(error, -EINVAL,
			"if_body_has: nothing can fit: the wanted body does "
			"not contain the wanted part");
	return code;
}

/* Reads `if_body_begins`. It comes after the whole body, too. */
static int
read_body_begins(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = rt_match_copy(&match->body_begins, when->if_body_begins);

	if (code == 0 && match->body_begins != NULL && match->body != NULL &&
		!begins(match, match->body, match->body_size))
		return rt_fail(error, -EINVAL,
			"if_body_begins: nothing can fit: the wanted body "
			"does not begin with the wanted part");
	return code;
}

static void
free_body_has(void *member)
{
	struct rt_body_part *part = member;

	free(part->text);
	rt_needle_free(&part->needle);
}

/* A body that was not kept whole fits no condition. */
static bool
body_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->body_total <= seen->body_size &&
		rt_match_same(match, seen->body, seen->body_size, match->body,
			match->body_size);
}

static bool
body_begins_fits(const struct rt_match *match,
	const struct retort_exchange *seen)
{
	return begins(match, seen->body ? seen->body : "", seen->body_size);
}

static bool
body_has_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return rt_needle_in(&match->body_has.needle,
		seen->body ? seen->body : "", seen->body_size);
}

void
rt_match_add_kept(struct rt_buf *to, const struct retort_exchange *seen)
{
	if (seen->body_total > seen->body_size)
		rt_buf_add_format(to, " (%zu of its %llu bytes were kept)",
			seen->body_size, (unsigned long long)seen->body_total);
}

size_t
rt_match_common_body(const struct rt_match *match,
	const struct retort_exchange *seen)
{
	const char *wanted = match->body ? match->body : match->body_begins;
	const char *body = seen->body;
	size_t size = match->body ? match->body_size :
		wanted != NULL    ? strlen(wanted) :
				    0;
	size_t n = 0;

	while (n < size && n < seen->body_size &&
		rt_fold(body[n]) == rt_fold(wanted[n]))
		n++;
	return n;
}

static void
add_frame(struct rt_buf *to, const char *type, const char *bytes, size_t size)
{
	struct rt_word payload = rt_websocket_payload(bytes, size);

	rt_buf_add_text(to, type);
	if (payload.size > 0) {
		rt_buf_add(to, " ", 1);
		rt_match_add_quoted(to, payload.text, payload.size);
	}
}

/* Says it in words if both are frames of WebSockets, of different types. */
static bool
say_frames(const char *wanted, size_t size, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	const char *expected = rt_websocket_type(wanted, size);
	const char *got = rt_websocket_type(seen->body, seen->body_size);

	if (seen->protocol != RETORT_TCP || expected == NULL || got == NULL ||
		strcmp(expected, got) == 0)
		return false;
	rt_buf_add_format(to, "frame differs from %s: expected ", whose);
	add_frame(to, expected, wanted, size);
	rt_buf_add_text(to, ", got ");
	add_frame(to, got, seen->body, seen->body_size);
	return true;
}

/* Shows the bytes from a little before the first one that differs. */
static void
say_difference(const struct rt_match *match, const char *wanted, size_t size,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *to)
{
	const char *body = seen->body ? seen->body : "";
	size_t n = 0, from;

	if (say_frames(wanted, size, seen, whose, to))
		return;
	while (n < seen->body_size && n < size &&
		rt_match_same(match, body + n, 1, wanted + n, 1))
		n++;
	from = n > 20 ? n - 20 : 0;
	rt_buf_add_format(to, "body differs from %s at byte %zu: expected ",
		whose, n);
	rt_match_add_quoted(to, wanted + from, size - from);
	rt_buf_add_text(to, ", got ");
	rt_match_add_quoted(to, body + from, seen->body_size - from);
	rt_match_add_kept(to, seen);
}

static void
say_body(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say_difference(match, match->body, match->body_size, seen, whose, to);
}

static void
say_body_begins(const struct rt_match *match,
	const struct retort_exchange *seen, const char *whose,
	struct rt_buf *to)
{
	say_difference(match, match->body_begins, strlen(match->body_begins),
		seen, whose, to);
}

static void
say_body_has(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "body differs from %s: no ", whose);
	rt_match_add_quoted(to, match->body_has.text,
		strlen(match->body_has.text));
	rt_buf_add_text(to, " in ");
	rt_match_add_quoted(to, seen->body ? seen->body : "", seen->body_size);
	rt_match_add_kept(to, seen);
}

static void
describe_body(const struct rt_match *match, struct rt_buf *to)
{
	rt_buf_add_text(to, ", body ");
	rt_match_add_quoted(to, match->body, match->body_size);
}

const struct rt_matcher rt_match_body = {
	.given = offsetof(struct rt_match, body),
	.weight = 2,
	.reads_body = true,
	.read = read_body,
	.fits = body_fits,
	.say = say_body,
	.describe = describe_body,
};

const struct rt_matcher rt_match_body_begins = {
	.given = offsetof(struct rt_match, body_begins),
	.weight = 2,
	.reads_body = true,
	.read = read_body_begins,
	.fits = body_begins_fits,
	.say = say_body_begins,
	.called = "body that begins with",
};

const struct rt_matcher rt_match_body_has = {
	.given = offsetof(struct rt_match, body_has.text),
	.weight = 2,
	.reads_body = true,
	.read = read_body_has,
	.free = free_body_has,
	.fits = body_has_fits,
	.say = say_body_has,
	.called = "body with",
};

/* --- with asterisks --- */

static enum rt_coding
glob_coding(const struct rt_match *match)
{
	return match->nocase ? RT_CASELESS : RT_AS_IT_IS;
}

static int
read_body_glob(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	(void)error;
	return when->if_body_glob == NULL ?
		0 :
		rt_glob_set(&match->body_glob, when->if_body_glob,
			strlen(when->if_body_glob), glob_coding(match));
}

static bool
body_glob_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	const char *body = seen->body ? seen->body : "";

	return seen->body_total <= seen->body_size &&
		rt_glob_fits(&match->body_glob, body, body + seen->body_size,
			glob_coding(match), NULL);
}

static void
say_body_glob(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	const char *glob = match->body_glob.text;

	rt_buf_add_format(to, "body differs from %s: expected ", whose);
	rt_match_add_quoted(to, glob, strlen(glob));
	rt_buf_add_text(to, ", got ");
	rt_match_add_quoted(to, seen->body ? seen->body : "", seen->body_size);
	rt_match_add_kept(to, seen);
}

const struct rt_matcher rt_match_body_glob = {
	.given = offsetof(struct rt_match, body_glob.text),
	.weight = 2,
	.reads_body = true,
	.read = read_body_glob,
	.free = rt_match_free_glob,
	.fits = body_glob_fits,
	.say = say_body_glob,
	.called = "body like",
};

/* --- forms --- */

/* The form that arrived, if one arrived. */
enum came { FORM, NO_FORM, CUT_FORM, MALFORMED_FORM };

static const char *
content_type(const struct retort_exchange *seen)
{
	return rt_field_came(seen, "Content-Type", 12);
}

/* Opens a form. A malformed form fits nothing, even if its beginning would. */
static enum came
open_form(const struct retort_exchange *seen, struct rt_pair_reader *form)
{
	const char *type = content_type(seen);
	struct rt_form_pair pair;

	if (type == NULL ||
		!rt_form_begin(form, type, seen->body ? seen->body : "",
			seen->body_size))
		return NO_FORM;
	if (seen->body_total > seen->body_size)
		return CUT_FORM;
	while (rt_form_next(form, &pair))
		;
	return form->wrong ? MALFORMED_FORM : FORM;
}

/* Whether the pairs fit. A request without a form has no pairs. */
static bool
form_pairs_fit(const struct rt_pairs *pairs, enum rt_coding coding,
	const struct retort_exchange *seen)
{
	struct rt_pair_reader form;

	switch (open_form(seen, &form)) {
	case FORM:
		return rt_pairs_fit(pairs, &form, coding);
	case NO_FORM:
		return pairs->wanted.count == 0;
	default:
		return false;
	}
}

static unsigned
form_pairs_near(const struct rt_pairs *pairs, enum rt_coding coding,
	const struct retort_exchange *seen)
{
	struct rt_pair_reader form;

	return open_form(seen, &form) == FORM &&
		rt_pairs_near(pairs, &form, coding) > 0;
}

static void
say_form_pairs(const struct rt_pairs *pairs, enum rt_coding coding,
	const char *noun, const struct retort_exchange *seen, const char *whose,
	struct rt_buf *to)
{
	const char *type = content_type(seen);
	struct rt_pair_reader form;

	switch (open_form(seen, &form)) {
	case FORM:
		rt_pairs_say(pairs, &form, coding, noun, whose, to);
		break;
	case NO_FORM:
		rt_buf_add_format(to, "form differs from %s: ", whose);
		rt_buf_add_text(to,
			type ? "Content-Type is " : "no Content-Type");
		if (type != NULL)
			rt_match_add_quoted(to, type, strlen(type));
		break;
	case CUT_FORM:
		rt_buf_add_format(to, "form differs from %s", whose);
		rt_match_add_kept(to, seen);
		break;
	case MALFORMED_FORM:
		rt_buf_add_format(to,
			"form differs from %s: it is malformed at byte %zu: %s",
			whose, (size_t)(form.at - form.begin), form.wrong);
		break;
	}
}

static void
describe_form_pairs(const struct rt_pairs *pairs, const char *noun,
	struct rt_buf *to)
{
	for (size_t i = 0; i < pairs->wanted.count; i++) {
		rt_buf_add_format(to, ", %s ", noun);
		rt_match_add_quoted(to, pairs->wanted.pairs[i].text.text,
			pairs->wanted.pairs[i].text.size);
	}
	rt_pairs_describe(pairs, noun, to);
}

/* --- pairs --- */

static int
read_form(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = rt_pairs_read(&match->form, when->if_form, RT_IN_FORM,
		"if_form", error);

	if (code == 0)
		code = rt_pairs_read_absent(&match->form, when->if_form_absent,
			RT_IN_FORM, "if_form_absent", error);
	return code < 0 ? code :
			  rt_pairs_only(&match->form, when->if_form_only);
}

static bool
form_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return form_pairs_fit(&match->form, RT_IN_FORM, seen);
}

static unsigned
form_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return form_pairs_near(&match->form, RT_IN_FORM, seen);
}

static void
say_form(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say_form_pairs(&match->form, RT_IN_FORM, "pair", seen, whose, to);
}

static void
describe_form(const struct rt_match *match, struct rt_buf *to)
{
	describe_form_pairs(&match->form, "pair", to);
}

const struct rt_matcher rt_match_form = {
	.given = offsetof(struct rt_match, form.text),
	.weight = 2,
	.reads_body = true,
	.read = read_form,
	.free = rt_pairs_free,
	.fits = form_fits,
	.near = form_near,
	.say = say_form,
	.describe = describe_form,
};

/* --- files --- */

static int
read_file(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	return rt_pairs_read(&match->file, when->if_file, RT_IN_FILE, "if_file",
		error);
}

static bool
file_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return form_pairs_fit(&match->file, RT_IN_FILE, seen);
}

static unsigned
file_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return form_pairs_near(&match->file, RT_IN_FILE, seen);
}

static void
say_file(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say_form_pairs(&match->file, RT_IN_FILE, "file", seen, whose, to);
}

static void
describe_file(const struct rt_match *match, struct rt_buf *to)
{
	describe_form_pairs(&match->file, "file", to);
}

const struct rt_matcher rt_match_file = {
	.given = offsetof(struct rt_match, file.text),
	.weight = 2,
	.reads_body = true,
	.read = read_file,
	.free = rt_pairs_free,
	.fits = file_fits,
	.near = file_near,
	.say = say_file,
	.describe = describe_file,
};
