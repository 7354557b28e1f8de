/* SPDX-License-Identifier: MIT */
/* Bodies that are forms. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <string.h>

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
fits(const struct rt_pairs *pairs, enum rt_coding coding,
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
near(const struct rt_pairs *pairs, enum rt_coding coding,
	const struct retort_exchange *seen)
{
	struct rt_pair_reader form;

	return open_form(seen, &form) == FORM &&
		rt_pairs_near(pairs, &form, coding) > 0;
}

static void
say(const struct rt_pairs *pairs, enum rt_coding coding, const char *noun,
	const struct retort_exchange *seen, const char *whose,
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
describe(const struct rt_pairs *pairs, const char *noun, struct rt_buf *to)
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
	return fits(&match->form, RT_IN_FORM, seen);
}

static unsigned
form_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return near(&match->form, RT_IN_FORM, seen);
}

static void
say_form(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say(&match->form, RT_IN_FORM, "pair", seen, whose, to);
}

static void
describe_form(const struct rt_match *match, struct rt_buf *to)
{
	describe(&match->form, "pair", to);
}

const struct rt_matcher rt_match_form = {
	.given = offsetof(struct rt_match, form.text),
	.weight = 2,
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
	return fits(&match->file, RT_IN_FILE, seen);
}

static unsigned
file_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return near(&match->file, RT_IN_FILE, seen);
}

static void
say_file(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	say(&match->file, RT_IN_FILE, "file", seen, whose, to);
}

static void
describe_file(const struct rt_match *match, struct rt_buf *to)
{
	describe(&match->file, "file", to);
}

const struct rt_matcher rt_match_file = {
	.given = offsetof(struct rt_match, file.text),
	.weight = 2,
	.read = read_file,
	.free = rt_pairs_free,
	.fits = file_fits,
	.near = file_near,
	.say = say_file,
	.describe = describe_file,
};
