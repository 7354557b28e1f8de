/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions, the extended ones of POSIX, for the path, fields and the
 * body.
 *
 * The C library compiles and runs them, in the C locale, whatever the host
 * program's is. It tries a pattern at each byte of a text in turn, which takes
 * time by the square of its length: a client could keep the loop busy. So a
 * pattern is joined to one that skips any bytes before it, and is tried once.
 * Whatever else takes time or memory has limits here.
 */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_locale.h"
#include "base/error.h"
#include "http/field.h"

/* The most characters of a pattern, where a{3} counts as three. */
#define MOST_CHARACTERS 1000

/* The limit of groups within each other. */
#define DEEPEST 50

/* The most repetitions of a piece that may be empty: each doubles the time of
   regcomp(3). */
#define MOST_HOLLOW 16

/* The most bytes of a text that are tried. */
#define MOST_TRIED 65536

/* Any bytes before the pattern, and its end. */
#define BEFORE "^([^a]|a)*("
#define AFTER ")"

/* --- what a pattern may be --- */

/* A piece of a pattern, its repetitions written out. */
struct piece {
	size_t size;   /* its characters */
	size_t hollow; /* its repetitions of what may be empty */
	bool empty;    /* it may be */
};

/* A check of a pattern: the part of each group before its last piece, and this
   piece, which may be repeated. */
struct look {
	const char *at, *end;
	size_t depth;
	struct group {
		struct piece all; /* `empty`: of this alternative */
		bool empty;       /* an earlier one may be */
	} groups[DEEPEST];
	struct piece last;
};

/* Skips a bracket expression, after its "[". Neither its first byte nor one in
   [:alpha:] ends it. */
static void
skip_bracket(struct look *look)
{
	const char *at = look->at;

	at += at < look->end && *at == '^';
	at += at < look->end && *at == ']';
	while (at < look->end && *at != ']') {
		char kind = at + 1 < look->end && *at == '[' ? at[1] : '\0';

		at++;
		if (kind != ':' && kind != '.' && kind != '=')
			continue;
		at++;
		while (at + 1 < look->end && (*at != kind || at[1] != ']'))
			at++;
		at += at + 1 < look->end ? 2 : 1;
	}
	look->at = at < look->end ? at + 1 : look->end;
}

/* Reads the least and the greatest number of repetitions, after "{". */
static void
take_repeats(struct look *look, uint64_t *least, uint64_t *most)
{
	*least = 1;
	(void)rt_text_digits(&look->at, look->end, least);
	*most = *least;
	if (look->at < look->end && *look->at == ',') {
		look->at++;
		if (!rt_text_digits(&look->at, look->end, most))
			*most = *least + 1;
	}
	look->at += look->at < look->end && *look->at == '}';
}

/* Repeats the last piece `most` times, or from 0 times on if `empty`. */
static void
repeat(struct look *look, uint64_t most, bool empty)
{
	struct piece *last = &look->last;
	size_t times =
		most < MOST_CHARACTERS ? (size_t)most : MOST_CHARACTERS + 1;

	last->size *= times;
	last->hollow *= times;
	last->hollow += last->empty ? times : 0;
	last->empty |= empty;
}

static void
end_piece(struct look *look)
{
	struct piece *all = &look->groups[look->depth].all;

	all->size += look->last.size;
	all->hollow += look->last.hollow;
	all->empty &= look->last.empty;
	look->last = (struct piece){.empty = true};
}

static void
add_character(struct look *look, bool empty)
{
	end_piece(look);
	look->last = (struct piece){.size = 1, .empty = empty};
}

static void
end_alternative(struct look *look)
{
	struct group *group = &look->groups[look->depth];

	end_piece(look);
	group->empty |= group->all.empty;
	group->all.empty = true;
}

static const char *
open_group(struct look *look)
{
	if (look->depth + 1 == DEEPEST)
		return "groups are more than 49 deep";
	end_piece(look);
	look->groups[++look->depth] = (struct group){.all.empty = true};
	return NULL;
}

static const char *
close_group(struct look *look)
{
	struct group *group = &look->groups[look->depth];

	if (look->depth == 0)
		return "Unmatched )";
	end_alternative(look);
	look->last = group->all;
	look->last.empty = group->empty;
	look->depth--;
	return NULL;
}

/* Reads what follows a backslash: a character, or a place such as the end of a
   word. */
static const char *
take_escaped(struct look *look)
{
	char escaped = look->at < look->end ? *look->at++ : '\0';

	if (escaped >= '1' && escaped <= '9')
		return "back-references take too long";
	add_character(look, escaped != '\0' && strchr("<>bB`'", escaped));
	return NULL;
}

/* Reads the next character; NULL, or the mistake in it. */
static const char *
look_on(struct look *look)
{
	uint64_t least, most;

	switch (*look->at++) {
	case '\\':
		return take_escaped(look);
	case '[':
		skip_bracket(look);
		add_character(look, false);
		return NULL;
	case '(':
		return open_group(look);
	case ')':
		return close_group(look);
	case '|':
		end_alternative(look);
		return NULL;
	case '{':
		take_repeats(look, &least, &most);
		repeat(look, most, least == 0);
		return NULL;
	case '+': /* the same, and then any number of it */
		repeat(look, 2, false);
		return NULL;
	case '*':
	case '?':
		repeat(look, 1, true);
		return NULL;
	case '^':
	case '$':
		add_character(look, true);
		return NULL;
	default:
		add_character(look, false);
		return NULL;
	}
}

/* Checks a pattern before it is compiled; NULL, or the mistake in it. */
static const char *
check_pattern(struct rt_word text)
{
	struct look look = {
		.at = text.text,
		.end = text.text + text.size,
		.groups[0].all.empty = true,
		.last.empty = true,
	};
	const struct piece *last = &look.last, *all;
	const char *wrong = NULL;

	if (text.size > MOST_CHARACTERS)
		return "more than 1000 characters";
	while (look.at < look.end && wrong == NULL) {
		wrong = look_on(&look);
		all = &look.groups[look.depth].all;
		if (all->size + last->size > MOST_CHARACTERS)
			return "more than 1000 characters, repeated";
		if (all->hollow + last->hollow > MOST_HOLLOW)
			return "more than 16 repetitions of what may be empty";
	}
	return wrong;
}

/* --- patterns of a rule --- */

static int
compile(struct rt_pattern *pattern, struct rt_word text, bool nocase,
	const char *member, char *error)
{
	char wrong[100], whole[MOST_CHARACTERS + sizeof BEFORE + sizeof AFTER];
	const char *refused = check_pattern(text);
	struct rt_locale locale;
	int code;

	if (refused == NULL) {
		(void)snprintf(whole, sizeof whole, BEFORE "%.*s" AFTER,
			(int)text.size, text.text);
		if (!rt_locale_enter(&locale))
			return -ENOMEM;
		code = regcomp(&pattern->regex, whole,
			REG_EXTENDED | REG_NOSUB | (nocase ? REG_ICASE : 0));
		if (code != 0)
			(void)regerror(code, NULL, wrong, sizeof wrong);
		rt_locale_leave(&locale);
		pattern->compiled = code == 0;
		if (code == 0)
			return 0;
		if (code == REG_ESPACE)
			return -ENOMEM;
		refused = wrong;
	}
	return rt_fail(error, -EINVAL, "%s: '%.*s': %s", member,
		(int)(text.size < 120 ? text.size : 120), text.text, refused);
}

/* Reads each line as a pattern, or as a field name and a pattern. */
static int
read_patterns(struct rt_patterns *patterns, const char *text, bool of_fields,
	bool nocase, const char *member, char *error)
{
	const char *lines;
	struct rt_line line;
	size_t room = 0;
	int code;

	if (text == NULL)
		return 0;
	code = rt_match_copy(&patterns->text, text);
	lines = patterns->text;
	while (code == 0 && rt_field_next(&lines, &line)) {
		struct rt_pattern *pattern;
		struct rt_word word = {line.text, line.size};

		if (!rt_grow(&patterns->list, &room, patterns->count,
			    sizeof *patterns->list))
			return -ENOMEM;
		if (of_fields)
			word = (struct rt_word){line.value, line.value_size};
		pattern = &patterns->list[patterns->count++];
		*pattern = (struct rt_pattern){.line = line};
		code = compile(pattern, word, nocase, member, error);
	}
	return code;
}

static void
free_patterns(void *member)
{
	struct rt_patterns *patterns = member;

	for (size_t i = 0; i < patterns->count; i++)
		if (patterns->list[i].compiled)
			regfree(&patterns->list[i].regex);
	free(patterns->list);
	free(patterns->text);
}

/* Whether the pattern matches somewhere in the bytes. If they are `cut`, more
   bytes follow, and their end is no end for the pattern. */
static bool
matches(const struct rt_pattern *pattern, const char *bytes, size_t size,
	bool cut)
{
	int flags = cut || size > MOST_TRIED ? REG_NOTEOL : 0;
	struct rt_locale locale;
	regmatch_t match;
	int code;

	if (size > MOST_TRIED)
		size = MOST_TRIED;
#ifdef REG_STARTEND
	match.rm_so = 0;
	match.rm_eo = (regoff_t)size;
	flags |= REG_STARTEND;
#else
	/* they end with a NUL, or are not tried at all */
	if (size == MOST_TRIED || memchr(bytes, '\0', size) != NULL)
		return false;
#endif
	if (!rt_locale_enter(&locale))
		return false;
	code = regexec(&pattern->regex, bytes, 1, &match, flags);
	rt_locale_leave(&locale);
	return code == 0;
}

static void
add_pattern(struct rt_buf *to, const struct rt_pattern *pattern)
{
	rt_buf_add_text(to, "no match of ");
	rt_match_add_quoted(to, pattern->line.text, pattern->line.size);
}

/* --- paths --- */

static int
read_path(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	return read_patterns(&match->path_patterns, when->if_path_matches,
		false, false, "if_path_matches", error);
}

/* The first pattern that does not match; NULL: all do. */
static const struct rt_pattern *
find_path(const struct rt_match *match, const struct retort_exchange *seen)
{
	const struct rt_patterns *patterns = &match->path_patterns;

	for (size_t i = 0; i < patterns->count; i++)
		if (seen->path == NULL ||
			!matches(&patterns->list[i], seen->path,
				strlen(seen->path), false))
			return &patterns->list[i];
	return NULL;
}

static bool
path_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return find_path(match, seen) == NULL;
}

static void
say_path(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	const char *path = seen->path ? seen->path : "";

	rt_buf_add_format(to, "path differs from %s: ", whose);
	add_pattern(to, find_path(match, seen));
	rt_buf_add_text(to, " in ");
	rt_match_add_quoted(to, path, strlen(path));
}

const struct rt_matcher rt_match_path_regex = {
	.given = offsetof(struct rt_match, path_patterns.text),
	.weight = 32,
	.read = read_path,
	.free = free_patterns,
	.fits = path_fits,
	.say = say_path,
	.called = "path matching",
	.by_line = true,
};

/* --- fields --- */

static int
read_fields(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = rt_field_check(when->if_field_matches, true,
		"if_field_matches", error);

	return code < 0 ?
		code :
		read_patterns(&match->field_patterns, when->if_field_matches,
			true, match->nocase, "if_field_matches", error);
}

static bool
field_matches(const struct rt_pattern *pattern,
	const struct retort_exchange *seen)
{
	for (size_t i = 0; i < seen->field_count; i++)
		if (rt_field_is(&pattern->line, seen->fields[i].name) &&
			matches(pattern, seen->fields[i].value,
				strlen(seen->fields[i].value), false))
			return true;
	return false;
}

static const struct rt_pattern *
find_field(const struct rt_match *match, const struct retort_exchange *seen)
{
	for (size_t i = 0; i < match->field_patterns.count; i++)
		if (!field_matches(&match->field_patterns.list[i], seen))
			return &match->field_patterns.list[i];
	return NULL;
}

static bool
fields_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	return find_field(match, seen) == NULL;
}

static unsigned
fields_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return rt_match_came(&find_field(match, seen)->line, seen);
}

static void
say_fields(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	const struct rt_pattern *pattern = find_field(match, seen);

	rt_buf_add_format(to, "field differs from %s: ", whose);
	add_pattern(to, pattern);
	rt_match_add_came(to, &pattern->line, seen);
}

const struct rt_matcher rt_match_field_regex = {
	.given = offsetof(struct rt_match, field_patterns.text),
	.weight = 2,
	.read = read_fields,
	.free = free_patterns,
	.fits = fields_fit,
	.near = fields_near,
	.say = say_fields,
	.called = "field matching",
	.by_line = true,
};

/* --- bodies --- */

static int
read_body(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	return read_patterns(&match->body_patterns, when->if_body_matches,
		false, match->nocase, "if_body_matches", error);
}

static const struct rt_pattern *
find_body(const struct rt_match *match, const struct retort_exchange *seen)
{
	bool cut = seen->body_total > seen->body_size;

	for (size_t i = 0; i < match->body_patterns.count; i++)
		if (!matches(&match->body_patterns.list[i],
			    seen->body ? seen->body : "", seen->body_size, cut))
			return &match->body_patterns.list[i];
	return NULL;
}

static bool
body_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return find_body(match, seen) == NULL;
}

static void
say_body(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "body differs from %s: ", whose);
	add_pattern(to, find_body(match, seen));
	rt_buf_add_text(to, " in ");
	rt_match_add_quoted(to, seen->body ? seen->body : "", seen->body_size);
	if (seen->body_size > MOST_TRIED)
		rt_buf_add_format(to, " (the first %d bytes were tried)",
			MOST_TRIED);
	rt_match_add_kept(to, seen);
}

const struct rt_matcher rt_match_body_regex = {
	.given = offsetof(struct rt_match, body_patterns.text),
	.weight = 2,
	.reads_body = true,
	.read = read_body,
	.free = free_patterns,
	.fits = body_fits,
	.say = say_body,
	.called = "body matching",
	.by_line = true,
};
