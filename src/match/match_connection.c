/* SPDX-License-Identifier: MIT */
/* What came before a request: the states in which it arrived, its number on its
   connection, what the connection has become, and what TLS agreed on. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "canned/condition.h"
#include "http/field.h"
#include "match/state.h"

/* --- states --- */

static int
read_in(struct rt_match *match, const struct retort_requests *when, char *error)
{
	int code = rt_state_check(when->in, "in", error);

	return code < 0 ? code : rt_match_copy(&match->in, when->in);
}

/* The first state that is another than wanted; false: there is none. */
static bool
find_other(const struct rt_match *match, const struct retort_exchange *seen,
	struct rt_state_word *wanted, struct rt_word *came)
{
	const char *text = match->in;

	while (rt_state_next(&text, wanted)) {
		*came = rt_state_of(seen->in, wanted->name);
		if (came->size != wanted->state.size ||
			memcmp(came->text, wanted->state.text, came->size) != 0)
			return true;
	}
	return false;
}

static bool
in_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	struct rt_state_word wanted;
	struct rt_word came;

	return !find_other(match, seen, &wanted, &came);
}

static void
say_in(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	struct rt_state_word wanted;
	struct rt_word came;

	if (find_other(match, seen, &wanted, &came))
		rt_buf_add_format(to,
			"state differs from %s: expected %.*s, was %.*s", whose,
			(int)wanted.text.size, wanted.text.text, (int)came.size,
			came.text);
}

static void
describe_in(const struct rt_match *match, struct rt_buf *to)
{
	const char *text = match->in;
	struct rt_state_word word;

	for (const char *before = ", in "; rt_state_next(&text, &word);
		before = " ")
		rt_buf_add_format(to, "%s%.*s", before, (int)word.text.size,
			word.text.text);
}

const struct rt_matcher rt_match_in = {
	.given = offsetof(struct rt_match, in),
	.weight = 1, /* the bytes say more of what was meant */
	.read = read_in,
	.fits = in_fits,
	.say = say_in,
	.describe = describe_in,
};

/* --- its number --- */

static int
read_nth(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	const char *text = when->if_nth;

	if (text == NULL)
		return 0;
	if (!rt_word_range(rt_word_of(text), UINT64_MAX, &match->nth_from,
		    &match->nth_to) ||
		match->nth_from == 0 || match->nth_from > match->nth_to)
		return rt_fail(error, -EINVAL,
			"if_nth: '%.60s': expected a number from 1, N+ or N-M",
			text);
	return rt_match_copy(&match->nth, text);
}

static bool
nth_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return seen->nth >= match->nth_from && seen->nth <= match->nth_to;
}

static void
say_nth(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to,
		"number on its connection differs from %s: expected %s, was "
		"%llu",
		whose, match->nth, (unsigned long long)seen->nth);
}

static void
describe_nth(const struct rt_match *match, struct rt_buf *to)
{
	rt_buf_add_format(to, ", number %s on its connection", match->nth);
}

const struct rt_matcher rt_match_nth = {
	.given = offsetof(struct rt_match, nth),
	.weight = 2,
	.read = read_nth,
	.fits = nth_fits,
	.say = say_nth,
	.describe = describe_nth,
};

/* --- the protocol --- */

int
rt_match_check_protocol(const struct retort_requests *when,
	enum retort_protocol protocol, char *error)
{
	const struct rt_condition *wrong = NULL;

	if (when->if_bytes && when->if_http)
		return rt_fail(error, -EINVAL, "if_http: not with .if_bytes");
	if ((when->if_bytes || when->if_http) && protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL, "%s: with UDP all are datagrams",
			when->if_bytes ? "if_bytes" : "if_http");
	protocol = rt_conditions_protocol(when, protocol);
	if (protocol != RETORT_HTTP)
		wrong = rt_requests_with(when, RT_CONDITION_HTTP);
	if (wrong != NULL && when->request != NULL)
		return rt_fail(error, -EINVAL,
			"request: '%.80s': only HTTP has a method and a target",
			when->request);
	if (wrong != NULL)
		return rt_fail(error, -EINVAL,
			"%s: only a request of HTTP has it", wrong->name);
	if (protocol == RETORT_UDP)
		wrong = rt_requests_with(when, RT_CONDITION_TLS);
	if (wrong != NULL)
		return rt_fail(error, -EINVAL, "%s: no datagram has it",
			wrong->name);
	return 0;
}

static int
read_protocol(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	(void)error;
	match->protocol_is = when->if_bytes ? RETORT_TCP : RETORT_HTTP;
	if (when->if_bytes || when->if_http)
		match->protocol = &match->protocol_is;
	return 0;
}

static bool
protocol_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	return *match->protocol == seen->protocol;
}

static void
say_protocol(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	(void)seen;
	rt_buf_add_format(to, "%s is for %s", whose,
		*match->protocol == RETORT_HTTP ? "requests of HTTP" :
						  "pieces");
}

const struct rt_matcher rt_match_protocol = {
	.given = offsetof(struct rt_match, protocol),
	.weight = 64,
	.read = read_protocol,
	.free = rt_match_free_nothing,
	.fits = protocol_fits,
	.say = say_protocol,
};

/* --- the tunnel --- */

static bool
is_target(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] <= ' ' ||
			(unsigned char)text[i] > '~')
			return false;
	return true;
}

static int
read_tunnel(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	const char *text = when->if_tunnel;
	size_t size;

	if (text == NULL)
		return 0;
	size = strcspn(text, "\n");
	if (size == 0 || strlen(text) > size + 1 || !is_target(text, size))
		return rt_fail(error, -EINVAL,
			"if_tunnel: expected one target, such as "
			"example.com:443: '%.100s'",
			text);
	return rt_glob_set(&match->tunnel, text, size, RT_AS_IT_IS);
}

static bool
tunnel_fits(const struct rt_match *match, const struct retort_exchange *seen)
{
	const char *came = seen->tunnel;

	return came != NULL &&
		rt_glob_fits(&match->tunnel, came, came + strlen(came),
			RT_AS_IT_IS, NULL);
}

static void
say_tunnel(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "tunnel differs from %s: expected ", whose);
	rt_match_add_quoted(to, match->tunnel.text, strlen(match->tunnel.text));
	if (seen->tunnel == NULL) {
		rt_buf_add_text(to, ", got no tunnel");
		return;
	}
	rt_buf_add_text(to, ", was ");
	rt_match_add_quoted(to, seen->tunnel, strlen(seen->tunnel));
}

const struct rt_matcher rt_match_tunnel = {
	.given = offsetof(struct rt_match, tunnel.text),
	.weight = 8,
	.read = read_tunnel,
	.free = rt_match_free_glob,
	.fits = tunnel_fits,
	.say = say_tunnel,
	.called = "through a tunnel to",
};

/* --- TLS --- */

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
