/* SPDX-License-Identifier: MIT */
/* Reads forms. Called by match/match_pair.c and canned/fill.c. */
#include "config.h"

#include "http/form.h"

#include <string.h>

/* --- as in URLs --- */

void
rt_form_begin_encoded(struct rt_pair_reader *form, const char *text,
	size_t size)
{
	form->begin = text ? text : "";
	form->end = form->begin + (text ? size : 0);
	form->boundary_size = 0;
	rt_form_rewind(form);
}

static bool
next_encoded(struct rt_pair_reader *form, struct rt_form_pair *pair)
{
	const char *at = form->at, *end, *equals;

	while (at < form->end && *at == '&')
		at++;
	form->at = at;
	if (at == form->end)
		return false;
	end = memchr(at, '&', (size_t)(form->end - at));
	if (end == NULL)
		end = form->end;
	equals = memchr(at, '=', (size_t)(end - at));
	*pair = (struct rt_form_pair){.encoded = true,
		.valued = equals != NULL};
	pair->name =
		(struct rt_word){at, (size_t)((equals ? equals : end) - at)};
	pair->value.text = equals ? equals + 1 : end;
	pair->value.size = (size_t)(end - pair->value.text);
	form->at = end;
	return true;
}

/* --- parameters of a field --- */

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && rt_is_blank(*at))
		at++;
	return at;
}

static bool
is_prefix(const char *at, const char *end, const char *text, size_t size)
{
	return (size_t)(end - at) >= size && memcmp(at, text, size) == 0;
}

/* What stands for one byte in quotes: a backslash before a quote or another,
   as curl has it, and what browsers percent-encode there, which is no more than
   this. */
static char
take_quoted(const char **at, const char *end)
{
	static const struct {
		char text[4];
		char byte;
	} codes[] = {{"\\\"", '"'}, {"\\\\", '\\'}, {"%22", '"'}, {"%0D", '\r'},
		{"%0A", '\n'}};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (is_prefix(*at, end, codes[i].text, strlen(codes[i].text))) {
			*at += strlen(codes[i].text);
			return codes[i].byte;
		}
	return *(*at)++;
}

/* A parameter's value, in quotes or not, into `to`. False: it does not end, or
   is too long. */
static bool
take_value(const char **at, const char *end, char *to, size_t room,
	size_t *size)
{
	bool quoted = *at < end && **at == '"';

	*size = 0;
	*at += quoted;
	while (*at < end && (quoted ? **at != '"' : **at != ';')) {
		if (*size == room)
			return false;
		to[(*size)++] = quoted ? take_quoted(at, end) : *(*at)++;
	}
	if (quoted && *at == end)
		return false;
	*at += quoted;
	while (!quoted && *size > 0 && rt_is_blank(to[*size - 1]))
		--*size;
	return true;
}

/* The parameter of that name after the first semicolon: 1, into `to`; 0: there
   is none; -1: it is malformed. */
static int
find_parameter(const char *at, const char *end, const char *name, char *to,
	size_t room, size_t *size)
{
	char skipped[RT_FORM_NAME];
	size_t ignored;

	while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		const char *word = skip_blanks(at + 1, end);
		bool is_it;

		at = word;
		while (at < end && *at != '=' && *at != ';')
			at++;
		if (at == end || *at == ';')
			continue;
		is_it = rt_caseless(word, (size_t)(at - word), name);
		at++;
		if (!take_value(&at, end, is_it ? to : skipped,
			    is_it ? room : sizeof skipped,
			    is_it ? size : &ignored))
			return -1;
		if (is_it)
			return 1;
	}
	return 0;
}

/* The media type without its parameters. */
static struct rt_word
type_of(const char *text, size_t size)
{
	const char *end = memchr(text, ';', size);

	return rt_text_rest(text, end ? end : text + size);
}

/* --- multipart/form-data --- */

static bool
fail(struct rt_pair_reader *form, const char *at, const char *wrong)
{
	form->at = at;
	form->wrong = wrong;
	return false;
}

/* The delimiter from `at` on; NULL: there is none. */
static const char *
find_delimiter(const struct rt_pair_reader *form, const char *at)
{
	return memmem(at, (size_t)(form->end - at), form->boundary,
		form->boundary_size);
}

/* What follows a delimiter: a part, unless it was the last. */
static bool
begin_part(struct rt_pair_reader *form, const char *at)
{
	const char *line = at;

	if (is_prefix(at, form->end, "--", 2)) {
		form->at = form->end;
		return false;
	}
	at = skip_blanks(at, form->end);
	if (!is_prefix(at, form->end, "\r\n", 2))
		return fail(form, line,
			"expected CR LF or '--' after a boundary");
	if (++form->parts > RT_FORM_PARTS)
		return fail(form, line, "more than 1000 parts");
	/* the CR LF may begin an empty head */
	form->at = at;
	return true;
}

/* The first delimiter needs no line before it. */
static bool
begin_first(struct rt_pair_reader *form)
{
	const char *at = form->begin;

	if (is_prefix(at, form->end, form->boundary + 2,
		    form->boundary_size - 2))
		return begin_part(form, at + form->boundary_size - 2);
	at = find_delimiter(form, at);
	return at != NULL ? begin_part(form, at + form->boundary_size) :
			    fail(form, form->begin, "its boundary is missing");
}

/* A field of a part's head. */
static bool
read_field(struct rt_pair_reader *form, const char *at, const char *end,
	struct rt_form_pair *pair)
{
	const char *colon = memchr(at, ':', (size_t)(end - at));
	struct rt_word value;
	int named, filed;

	if (colon == NULL)
		return fail(form, at, "expected a field of a part");
	value = rt_text_rest(colon + 1, end);
	if (rt_caseless(at, (size_t)(colon - at), "content-type"))
		pair->type = type_of(value.text, value.size);
	if (!rt_caseless(at, (size_t)(colon - at), "content-disposition"))
		return true;
	end = value.text + value.size;
	named = find_parameter(value.text, end, "name", form->name,
		sizeof form->name, &pair->name.size);
	filed = find_parameter(value.text, end, "filename", form->file,
		sizeof form->file, &pair->file.size);
	if (named < 0 || filed < 0)
		return fail(form, at,
			"a name does not end, or has more than 1024 bytes");
	if (named > 0)
		pair->name.text = form->name;
	if (filed > 0)
		pair->file.text = form->file;
	return true;
}

/* The head of a part, from the CR LF before it on; to its first byte. */
static bool
read_head(struct rt_pair_reader *form, struct rt_form_pair *pair)
{
	const char *line = form->at + 2, *head = line, *end;

	for (;;) {
		end = memmem(line, (size_t)(form->end - line), "\r\n", 2);
		if (end == NULL)
			return fail(form, line, "the head of a part is cut");
		if (end - head > RT_FORM_HEAD)
			return fail(form, line,
				"the head of a part has more than 8192 bytes");
		if (end == line)
			break;
		if (!read_field(form, line, end, pair))
			return false;
		line = end + 2;
	}
	if (pair->name.text == NULL)
		return fail(form, head,
			"expected Content-Disposition with a name");
	/* a part of no bytes ends with the CR LF that its delimiter begins */
	form->at = end;
	return true;
}

static bool
next_part(struct rt_pair_reader *form, struct rt_form_pair *pair)
{
	const char *end;

	if (form->at == form->begin ? !begin_first(form) :
				      form->at == form->end)
		return false;
	*pair = (struct rt_form_pair){.valued = true};
	if (!read_head(form, pair))
		return false;
	end = find_delimiter(form, form->at);
	if (end == NULL)
		return fail(form, form->end, "its last boundary is missing");
	pair->value.text = end > form->at ? form->at + 2 : end;
	pair->value.size = (size_t)(end - pair->value.text);
	(void)begin_part(form, end + form->boundary_size);
	return true;
}

/* --- either --- */

void
rt_form_rewind(struct rt_pair_reader *form)
{
	form->at = form->begin;
	form->parts = 0;
	form->wrong = NULL;
}

bool
rt_form_begin(struct rt_pair_reader *form, const char *type, const char *body,
	size_t size)
{
	struct rt_word word = type_of(type, strlen(type));
	char *boundary = form->boundary;

	rt_form_begin_encoded(form, body, size);
	if (rt_caseless(word.text, word.size,
		    "application/x-www-form-urlencoded"))
		return true;
	if (!rt_caseless(word.text, word.size, "multipart/form-data"))
		return false;
	memcpy(boundary, "\r\n--", 4);
	if (find_parameter(type, type + strlen(type), "boundary", boundary + 4,
		    RT_FORM_BOUNDARY, &form->boundary_size) <= 0)
		form->boundary_size = 0;
	form->boundary_size += 4;
	return true;
}

bool
rt_form_next(struct rt_pair_reader *form, struct rt_form_pair *pair)
{
	if (form->wrong != NULL)
		return false;
	if (form->boundary_size == 0)
		return next_encoded(form, pair);
	if (form->boundary_size == 4)
		return fail(form, form->begin,
			"its Content-Type has no boundary of 1 to 70 bytes");
	return next_part(form, pair);
}
