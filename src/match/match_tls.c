/* SPDX-License-Identifier: MIT */
/* What client and server agreed on by TLS. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/field.h"

/* The longest line that an error quotes. */
#define QUOTED 80

struct fact {
	const char *name;
	size_t at; /* of struct retort_exchange */
	enum rt_coding coding;
	const char *words[5]; /* all that it may be; none: anything */
	const char *expected; /* the same in words */
};

#define FACT(name) #name, offsetof(struct retort_exchange, tls_##name)

static const struct fact facts[] = {
	{FACT(version), RT_AS_IT_IS, {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"},
		"TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
	{FACT(cipher), RT_AS_IT_IS, {NULL}, NULL},
	{FACT(alpn), RT_AS_IT_IS, {"http/1.1", ""}, "http/1.1 or nothing"},
	{FACT(sni), RT_CASELESS, {NULL}, NULL},
	{FACT(client), RT_AS_IT_IS, {NULL}, NULL},
	{FACT(resumed), RT_AS_IT_IS, {"yes", "no"}, "yes or no"},
};

static const struct fact *
find_fact(const struct rt_line *line)
{
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		if (rt_field_is(line, facts[i].name))
			return facts + i;
	return NULL;
}

/* The value of a fact; NULL: there is none. */
static const char *
value_of(const struct fact *fact, const struct retort_exchange *seen)
{
	const char *value;

	if (fact->at == offsetof(struct retort_exchange, tls_resumed))
		return seen->tls_resumed ? "yes" : "no";
	memcpy(&value, (const char *)seen + fact->at, sizeof value);
	return value;
}

static bool
fits_text(const struct fact *fact, const struct rt_glob *glob, const char *text)
{
	return rt_glob_fits(glob, text, text + strlen(text), fact->coding,
		NULL);
}

/* Whether a fact fits. Only an empty pattern fits an absent one, and "*" does
   not. */
static bool
fact_fits(const struct fact *fact, const struct rt_glob *glob,
	const struct retort_exchange *seen)
{
	const char *value = value_of(fact, seen);

	return value ? fits_text(fact, glob, value) : *glob->text == '\0';
}

/* The first line that does not fit; false: all do. */
static bool
find_unfit(const struct rt_match *match, const struct retort_exchange *seen,
	struct rt_line *line)
{
	const char *lines = match->tls.lines;

	for (size_t i = 0; rt_field_next(&lines, line); i++)
		if (seen->tls_version == NULL ||
			!fact_fits(find_fact(line), match->tls.values + i,
				seen))
			return true;
	return false;
}

/* --- reading --- */

static int
expected(const struct rt_line *line, const char *what, char *error)
{
	return rt_fail(error, -EINVAL, "if_tls: '%.*s': expected %s",
		(int)(line->size < QUOTED ? line->size : QUOTED), line->text,
		what);
}

static int
add_line(struct rt_match *match, const struct rt_line *line, size_t *room,
	char *error)
{
	const struct fact *fact = find_fact(line);
	struct rt_glob *glob;
	int code;

	if (fact == NULL || line->value == NULL)
		return expected(line,
			"version, cipher, alpn, sni, client or resumed, a "
			"colon, and a value",
			error);
	if (!rt_grow(&match->tls.values, room, match->tls.count, sizeof *glob))
		return -ENOMEM;
	glob = match->tls.values + match->tls.count++;
	code = rt_glob_set(glob, line->value, line->value_size, fact->coding);
	if (code < 0 || fact->expected == NULL)
		return code;
	for (const char *const *word = fact->words; *word != NULL; word++)
		if (fits_text(fact, glob, *word))
			return 0;
	return expected(line, fact->expected, error);
}

static int
read_tls(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	int code = rt_match_copy(&match->tls.lines, when->if_tls);
	const char *lines = match->tls.lines;
	struct rt_line line;
	size_t room = 0;

	while (code == 0 && rt_field_next(&lines, &line))
		code = add_line(match, &line, &room, error);
	return code;
}

static void
free_tls(void *member)
{
	struct rt_facts *tls = member;

	free(tls->lines);
	while (tls->count > 0)
		rt_glob_free(tls->values + --tls->count);
	free(tls->values);
}

/* --- the condition --- */

static bool
tls_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_line line;

	return !find_unfit(match, seen, &line);
}

/* Another fact of TLS is nearer than a connection without TLS. */
static unsigned
tls_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	(void)match;
	return seen->tls_version != NULL;
}

static void
say_tls(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_line line;
	const char *value;

	if (!find_unfit(match, seen, &line))
		return;
	rt_buf_add_format(to, "TLS differs from %s ", whose);
	rt_match_add_quoted(to, line.text, line.size);
	if (seen->tls_version == NULL) {
		rt_buf_add_text(to, ": there was none");
		return;
	}
	value = value_of(find_fact(&line), seen);
	rt_buf_add_text(to, value ? ": was " : ": had none");
	if (value != NULL)
		rt_match_add_quoted(to, value, strlen(value));
}

const struct rt_matcher rt_match_tls = {
	.given = offsetof(struct rt_match, tls.lines),
	.weight = 2,
	.read = read_tls,
	.free = free_tls,
	.fits = tls_fits,
	.near = tls_near,
	.say = say_tls,
	.called = "TLS",
	.by_line = true,
};
