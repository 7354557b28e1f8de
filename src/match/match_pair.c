/* SPDX-License-Identifier: MIT */
/* Pairs of names and values: the parameters of a query, and forms. A rule has
   them as text, in which an asterisk stands for any bytes. */
#include "config.h"

#include "match/match_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* --- from text --- */

static int
fail(char *error, const char *member, struct rt_word text, const char *expected)
{
	return rt_fail(error, -EINVAL, "%s: '%.*s': expected %s", member,
		(int)(text.size < 120 ? text.size : 120), text.text, expected);
}

static int
set_pair(struct rt_pair *pair, struct rt_word text, enum rt_coding coding)
{
	static const char typed[] = ";type=";
	const char *end = text.text + text.size;
	const char *equals = memchr(text.text, '=', text.size);
	const char *name_end = equals ? equals : end, *type = NULL;
	int code;

	*pair = (struct rt_pair){.text = text, .valued = equals != NULL};
	if (pair->valued && coding == RT_IN_FILE)
		type = memmem(equals, (size_t)(end - equals), typed,
			sizeof typed - 1);
	code = rt_glob_set(&pair->name, text.text,
		(size_t)(name_end - text.text), coding);
	if (code == 0 && pair->valued)
		code = rt_glob_set(&pair->value, equals + 1,
			(size_t)((type ? type : end) - equals - 1), coding);
	if (code == 0 && type != NULL) {
		type += sizeof typed - 1;
		code = rt_glob_set(&pair->type, type, (size_t)(end - type),
			coding);
	}
	return code;
}

/* Splits the text, which must last as long as the list, at each of the
   separators. */
static int
split(struct rt_pair_list *list, const char *text, const char *separators,
	enum rt_coding coding)
{
	size_t room = 0;
	int code = 0;

	text += strspn(text, separators);
	while (*text != '\0' && code == 0) {
		struct rt_word word = {text, strcspn(text, separators)};

		if (!rt_grow(&list->pairs, &room, list->count,
			    sizeof *list->pairs))
			return -ENOMEM;
		code = set_pair(&list->pairs[list->count++], word, coding);
		text += word.size;
		text += strspn(text, separators);
	}
	return code;
}

int
rt_pairs_read(struct rt_pairs *pairs, const char *text, enum rt_coding coding,
	const char *member, char *error)
{
	int code;

	if (text == NULL)
		return 0;
	code = rt_match_copy(&pairs->text, text);
	if (code == 0)
		/* the name of a file may hold an ampersand */
		code = split(&pairs->wanted, pairs->text,
			coding == RT_IN_FILE ? "\r\n" : "&\r\n", coding);
	for (size_t i = 0; code == 0 && i < pairs->wanted.count; i++) {
		const struct rt_pair *pair = &pairs->wanted.pairs[i];

		if (!pair->valued && coding != RT_IN_QUERY)
			code = fail(error, member, pair->text,
				coding == RT_IN_FILE ? "'name=filename'" :
						       "'name=value'");
	}
	return code;
}

static bool
same_word(struct rt_word a, const char *b, size_t size)
{
	return a.size == size && memcmp(a.text, b, size) == 0;
}

/* Checks the names that must be absent. They come after the wanted pairs, none
   of which can be absent. */
static int
check_absent(const struct rt_pairs *pairs, const struct rt_pair *absent,
	const char *member, char *error)
{
	if (absent->valued ||
		memchr(absent->text.text, '&', absent->text.size) != NULL)
		return fail(error, member, absent->text, "a name alone");
	for (size_t i = 0; i < pairs->wanted.count; i++) {
		const struct rt_pair *pair = &pairs->wanted.pairs[i];

		if (same_word(absent->text, pair->name.text,
			    strlen(pair->name.text)))
			return rt_fail(error, -EINVAL,
				"%s: nothing can fit: '%.*s' is both "
				"wanted and absent",
				member,
				(int)(absent->text.size < 80 ?
						absent->text.size :
						80),
				absent->text.text);
	}
	return 0;
}

int
rt_pairs_read_absent(struct rt_pairs *pairs, const char *text,
	enum rt_coding coding, const char *member, char *error)
{
	int code;

	if (text == NULL)
		return 0;
	code = rt_match_copy(&pairs->absent_text, text);
	if (code == 0)
		code = split(&pairs->absent, pairs->absent_text, "\r\n",
			coding);
	for (size_t i = 0; code == 0 && i < pairs->absent.count; i++)
		code = check_absent(pairs, &pairs->absent.pairs[i], member,
			error);
	/* that there is none is asked, too */
	if (code == 0 && pairs->text == NULL)
		code = rt_match_copy(&pairs->text, "");
	return code;
}

int
rt_pairs_only(struct rt_pairs *pairs, bool only)
{
	pairs->only = only;
	return only && pairs->text == NULL ? rt_match_copy(&pairs->text, "") :
					     0;
}

static void
free_list(struct rt_pair_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		rt_glob_free(&list->pairs[i].name);
		rt_glob_free(&list->pairs[i].value);
		rt_glob_free(&list->pairs[i].type);
	}
	free(list->pairs);
}

void
rt_pairs_free(void *member)
{
	struct rt_pairs *pairs = member;

	free_list(&pairs->wanted);
	free_list(&pairs->absent);
	free(pairs->text);
	free(pairs->absent_text);
}

/* --- comparing --- */

static bool
word_fits(const struct rt_glob *glob, struct rt_word word,
	enum rt_coding coding)
{
	return rt_glob_fits(glob, word.text, word.text + word.size, coding,
		NULL);
}

static bool
name_fits(const struct rt_pair *pair, const struct rt_form_pair *came,
	enum rt_coding coding)
{
	return word_fits(&pair->name, came->name,
		came->encoded ? coding : RT_AS_IT_IS);
}

/* Whether a pair fits; "name=*" also fits a name without a value. */
static bool
pair_fits(const struct rt_pair *pair, const struct rt_form_pair *came,
	enum rt_coding coding)
{
	if (!name_fits(pair, came, coding))
		return false;
	if (coding == RT_IN_FILE)
		return came->file.text != NULL &&
			word_fits(&pair->value, came->file, RT_AS_IT_IS) &&
			(pair->type.text == NULL ||
				(came->type.text != NULL &&
					word_fits(&pair->type, came->type,
						RT_AS_IT_IS)));
	if (coding == RT_IN_QUERY && !came->valued)
		return !pair->valued || strcmp(pair->value.text, "*") == 0;
	return pair->valued &&
		word_fits(&pair->value, came->value,
			came->encoded ? coding : RT_AS_IT_IS);
}

static bool
has(struct rt_pair_reader *form, const struct rt_pair *pair,
	enum rt_coding coding)
{
	struct rt_form_pair came;

	rt_form_rewind(form);
	while (rt_form_next(form, &came))
		if (pair_fits(pair, &came, coding))
			return true;
	return false;
}

/* The first wanted pair that did not come; NULL: all did. */
static const struct rt_pair *
find_missing(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding)
{
	for (size_t i = 0; i < pairs->wanted.count; i++)
		if (!has(form, &pairs->wanted.pairs[i], coding))
			return &pairs->wanted.pairs[i];
	return NULL;
}

/* Why a pair should not have arrived. */
enum excess { NO_EXCESS, ABSENT, OTHER, MORE };

static enum excess
judge(const struct rt_pairs *pairs, const struct rt_form_pair *came,
	enum rt_coding coding)
{
	assert(pairs->wanted.count == 0 || pairs->wanted.pairs != NULL);
	for (size_t i = 0; i < pairs->absent.count; i++)
		if (name_fits(&pairs->absent.pairs[i], came, coding))
			return ABSENT;
	for (size_t i = 0; i < pairs->wanted.count && pairs->only; i++)
		if (pair_fits(&pairs->wanted.pairs[i], came, coding))
			return NO_EXCESS;
	return pairs->only ? OTHER : NO_EXCESS;
}

/* The first pair that should not have arrived; *count is the number of pairs up
   to it. */
static enum excess
find_excess(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding, struct rt_form_pair *came, size_t *count)
{
	enum excess excess;

	*count = 0;
	if (!pairs->only && pairs->absent.count == 0)
		return NO_EXCESS;
	rt_form_rewind(form);
	while (rt_form_next(form, came)) {
		++*count;
		excess = judge(pairs, came, coding);
		if (excess != NO_EXCESS)
			return excess;
	}
	return pairs->only && *count > pairs->wanted.count ? MORE : NO_EXCESS;
}

bool
rt_pairs_fit(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding)
{
	struct rt_form_pair came;
	size_t count;

	return find_missing(pairs, form, coding) == NULL &&
		find_excess(pairs, form, coding, &came, &count) == NO_EXCESS;
}

unsigned
rt_pairs_near(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding)
{
	const struct rt_pair *missing = find_missing(pairs, form, coding);
	struct rt_form_pair came;

	if (missing == NULL)
		return 1;
	rt_form_rewind(form);
	while (rt_form_next(form, &came))
		if (name_fits(missing, &came, coding))
			return 1;
	return 0;
}

/* --- saying what differs --- */

/* Adds the value that arrived, if the name fits but the value does not. */
static void
add_value(struct rt_buf *to, const struct rt_form_pair *came,
	enum rt_coding coding)
{
	if (coding != RT_IN_FILE && came->valued) {
		rt_match_add_quoted(to, came->value.text, came->value.size);
	} else if (coding != RT_IN_FILE) {
		rt_buf_add_text(to, "no value");
	} else if (came->file.text == NULL) {
		rt_buf_add_text(to, "no file");
	} else {
		rt_match_add_quoted(to, came->file.text, came->file.size);
		if (came->type.text != NULL) {
			rt_buf_add_text(to, " of type ");
			rt_match_add_quoted(to, came->type.text,
				came->type.size);
		}
	}
}

static void
add_came(struct rt_buf *to, const struct rt_pair *pair,
	struct rt_pair_reader *form, enum rt_coding coding)
{
	struct rt_form_pair came;
	bool any = false;

	rt_form_rewind(form);
	while (rt_form_next(form, &came)) {
		if (!name_fits(pair, &came, coding))
			continue;
		rt_buf_add_text(to, any ? ", " : ": got ");
		add_value(to, &came, coding);
		any = true;
	}
}

void
rt_pairs_say(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding, const char *noun, const char *whose,
	struct rt_buf *to)
{
	const char *what = coding == RT_IN_QUERY ? "query" : "form";
	const struct rt_pair *missing = find_missing(pairs, form, coding);
	struct rt_form_pair came;
	size_t count;

	if (missing != NULL) {
		rt_buf_add_format(to, "%s differs from %s: no %s ", what, whose,
			noun);
		rt_match_add_quoted(to, missing->text.text, missing->text.size);
		add_came(to, missing, form, coding);
		return;
	}
	switch (find_excess(pairs, form, coding, &came, &count)) {
	case NO_EXCESS:
		return;
	case MORE:
		rt_buf_add_format(to, "%s differs from %s: got %zu %ss, not ",
			what, whose, count, noun);
		rt_buf_add_number(to, pairs->wanted.count);
		return;
	case ABSENT:
		rt_buf_add_format(to, "%s that %s wants absent: ", noun, whose);
		break;
	case OTHER:
		rt_buf_add_format(to, "%s that %s does not have: ", noun,
			whose);
		break;
	}
	rt_match_add_quoted(to, came.name.text, came.name.size);
	if (came.valued) {
		rt_buf_add_text(to, " of value ");
		rt_match_add_quoted(to, came.value.text, came.value.size);
	}
}

void
rt_pairs_describe(const struct rt_pairs *pairs, const char *noun,
	struct rt_buf *to)
{
	for (size_t i = 0; i < pairs->absent.count; i++) {
		rt_buf_add_format(to, ", no %s ", noun);
		rt_match_add_quoted(to, pairs->absent.pairs[i].text.text,
			pairs->absent.pairs[i].text.size);
	}
	if (pairs->only)
		rt_buf_add_format(to, ", no other %ss", noun);
}
