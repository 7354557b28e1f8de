/* SPDX-License-Identifier: MIT */
/* Logins: Basic and Digest, at the server and at a proxy. */
#include "config.h"

#include "match/match_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/http.h"
#include "http/login.h"
#include "tls/tls_hash.h"

/* The conditions, of which a rule may have several. */
struct kind {
	const char *member;
	size_t in_requests;
	const char *field;
	const char *scheme;
	bool digest;
};

#define AT(member) #member, offsetof(struct retort_requests, member)

static const struct kind kinds[RT_LOGINS] = {
	{AT(if_basic), "Authorization", "Basic", false},
	{AT(if_digest), "Authorization", "Digest", true},
	{AT(if_proxy_basic), "Proxy-Authorization", "Basic", false},
	{AT(if_proxy_digest), "Proxy-Authorization", "Digest", true},
};

struct rt_login {
	const struct kind *kind;
	char *text; /* as it was given */
	struct rt_word user, password;
	struct rt_digest challenge; /* what the client answers, if known */
	char *challenge_room;       /* where it stands */
	char *room;                 /* where one that arrived does, while it is
	                               looked at: RT_LOGIN_BYTES */
	struct rt_hash *hash;
};

/* --- from text --- */

static int
fail(const struct rt_login *login, const char *expected, char *error)
{
	return rt_fail(error, -EINVAL, "%s: expected %s", login->kind->member,
		expected);
}

/* Reads the first line. */
static int
read_user(struct rt_login *login, const struct rt_line *line, char *error)
{
	if (line->value == NULL)
		return fail(login, "USER:PASSWORD", error);
	if (!rt_http_is_value(line->value, line->value_size))
		return fail(login, "no control characters", error);
	login->user = (struct rt_word){line->text, line->name_size};
	/* blanks belong to it */
	login->password = (struct rt_word){line->text + line->name_size + 1,
		line->size - line->name_size - 1};
	return 0;
}

/* Quotes the line in the error, so that the directive can be found by it. */
static int
fail_line(const struct rt_login *login, const struct rt_line *line,
	const char *expected, char *error)
{
	return rt_fail(error, -EINVAL, "%s: '%.*s': expected %s",
		login->kind->member, (int)(line->size < 60 ? line->size : 60),
		line->text, expected);
}

/* What is expected of the parameters of a challenge; NULL: they are right. */
static const char *
expected_of(const struct rt_digest *challenge)
{
	struct rt_word qop = challenge->of[RT_DIGEST_QOP];

	if (challenge->unknown.text != NULL)
		return "realm, nonce, opaque, algorithm, qop, cnonce or nc";
	if (rt_digest_algorithm(challenge) == NULL)
		return "an algorithm of MD5, SHA-256, MD5-sess, SHA-256-sess";
	if (qop.text != NULL && !rt_text_lists(qop.text, qop.size, "auth"))
		return "a qop of auth";
	if (challenge->of[RT_DIGEST_USERNAME].text != NULL ||
		challenge->of[RT_DIGEST_URI].text != NULL ||
		challenge->of[RT_DIGEST_RESPONSE].text != NULL)
		return "a challenge, without username, uri and response";
	return NULL;
}

/* Reads one of the lines after the first. */
static int
read_parameters(struct rt_login *login, const struct rt_line *line, char *error)
{
	const char *expected;
	char what[64];

	if (!rt_digest_read_more(&login->challenge, line->text, line->size,
		    login->challenge_room)) {
		(void)snprintf(what, sizeof what, "%s at byte %zu",
			login->challenge.wrong, login->challenge.at);
		return fail_line(login, line, what, error);
	}
	expected = expected_of(&login->challenge);
	return expected ? fail_line(login, line, expected, error) : 0;
}

static int
read_challenge(struct rt_login *login, const char *lines, char *error)
{
	struct rt_line line;
	int code = 0;

	lines += strspn(lines, "\r\n");
	/* no answer to a longer one would be looked at */
	if (strlen(lines) > RT_LOGIN_BYTES)
		return fail(login, "a challenge of at most 4096 bytes", error);
	if (*lines != '\0')
		code = rt_match_copy(&login->challenge_room, lines);
	while (code == 0 && rt_field_next(&lines, &line))
		code = read_parameters(login, &line, error);
	return code;
}

static int
read_one(struct rt_login *login, const char *text, char *error)
{
	const char *lines;
	struct rt_line line;
	int code = rt_match_copy(&login->text, text);

	if (code < 0)
		return code;
	lines = login->text;
	if (!rt_field_next(&lines, &line))
		return fail(login, "USER:PASSWORD", error);
	code = read_user(login, &line, error);
	if (code == 0 && login->kind->digest)
		code = read_challenge(login, lines, error);
	else if (code == 0 && rt_field_next(&lines, &line))
		code = fail_line(login, &line, "one line, USER:PASSWORD",
			error);
	if (code == 0 && login->kind->digest)
		code = rt_hash_open(&login->hash, login->kind->member, error);
	if (code == 0) {
		login->room = malloc(RT_LOGIN_BYTES);
		code = login->room != NULL ? 0 : -ENOMEM;
	}
	return code;
}

static int
read_logins(struct rt_match *match, const struct retort_requests *when,
	char *error)
{
	const struct kind *before = NULL;
	int code = 0;

	for (size_t i = 0; i < RT_LOGINS && code == 0; i++) {
		const struct kind *kind = &kinds[i];
		const char *text;

		memcpy(&text, (const char *)when + kind->in_requests,
			sizeof text);
		if (text == NULL)
			continue;
		if (before != NULL && strcmp(before->field, kind->field) == 0)
			return rt_fail(error, -EINVAL,
				"%s: nothing can fit: %s is by Basic or by "
				"Digest",
				kind->member, kind->field);
		before = kind;
		if (match->logins.list == NULL)
			match->logins.list =
				calloc(RT_LOGINS, sizeof *match->logins.list);
		if (match->logins.list == NULL)
			return -ENOMEM;
		match->logins.list[match->logins.count].kind = kind;
		code = read_one(&match->logins.list[match->logins.count++],
			text, error);
	}
	return code;
}

static void
free_logins(void *member)
{
	struct rt_logins *logins = member;

	for (size_t i = 0; i < logins->count; i++) {
		rt_hash_close(logins->list[i].hash);
		free(logins->list[i].challenge_room);
		free(logins->list[i].room);
		free(logins->list[i].text);
	}
	free(logins->list);
}

/* --- comparing --- */

static bool
same(struct rt_word a, struct rt_word b)
{
	return a.size == b.size &&
		(a.size == 0 || memcmp(a.text, b.text, a.size) == 0);
}

/* Adds the difference in words, unless `to` is NULL; returns false. */
static bool
differs(struct rt_buf *to, const char *what, struct rt_word wanted,
	struct rt_word came)
{
	if (to == NULL)
		return false;
	rt_buf_add_format(to, "expected %s ", what);
	rt_match_add_quoted(to, wanted.text, wanted.size);
	if (came.text == NULL) {
		rt_buf_add_text(to, ", got none");
	} else {
		rt_buf_add_text(to, ", got ");
		rt_match_add_quoted(to, came.text, came.size);
	}
	return false;
}

static bool
says(struct rt_buf *to, const char *what)
{
	if (to != NULL)
		rt_buf_add_text(to, what);
	return false;
}

static bool
basic_fits(const struct rt_login *login, struct rt_word said, struct rt_buf *to)
{
	struct rt_word user, password;

	if (!rt_login_basic(said, login->room, &user, &password))
		return says(to, "expected base64 of USER:PASSWORD");
	if (!same(user, login->user))
		return differs(to, "user", login->user, user);
	/* the one that arrived is nobody's business */
	return same(password, login->password) ||
		says(to, "the password is another one");
}

/* Whether the client used this parameter of the challenge, if it is wanted. */
static bool
answers(const struct rt_login *login, const struct rt_digest *came, size_t i,
	struct rt_buf *to)
{
	struct rt_word wanted = login->challenge.of[i];

	if (wanted.text == NULL)
		return true;
	switch (i) {
	case RT_DIGEST_ALGORITHM:
		/* "" is MD5, and the case does not matter */
		if (rt_digest_algorithm(came) ==
			rt_digest_algorithm(&login->challenge))
			return true;
		break;
	case RT_DIGEST_QOP:
		/* of those offered, the one that is computed */
		wanted = rt_word_of("auth");
		break;
	case RT_DIGEST_REALM:
	case RT_DIGEST_NONCE:
	case RT_DIGEST_OPAQUE:
	case RT_DIGEST_CNONCE:
	case RT_DIGEST_NC:
		break;
	default:
		return true;
	}
	return same(wanted, came->of[i]) ||
		differs(to, rt_digest_name((enum rt_digest_name)i), wanted,
			came->of[i]);
}

/* Whether the uri is the target or, for a proxy, the target without its scheme
   and authority. */
static bool
uri_fits(struct rt_word uri, const char *target, struct rt_buf *to)
{
	size_t scheme = rt_http_scheme(target, strlen(target));
	const char *path = target + scheme;

	if (rt_word_is(uri, target))
		return true;
	if (scheme > 0) {
		path += strcspn(path, "/?");
		if (rt_word_is(uri, *path != '\0' ? path : "/"))
			return true;
	}
	return differs(to, "uri", rt_word_of(target), uri);
}

/* Whether all parameters that the response is computed from arrived. */
static bool
is_whole(const struct rt_digest *came, struct rt_buf *to)
{
	static const enum rt_digest_name needed[] = {RT_DIGEST_USERNAME,
		RT_DIGEST_REALM, RT_DIGEST_NONCE, RT_DIGEST_URI,
		RT_DIGEST_RESPONSE, RT_DIGEST_CNONCE, RT_DIGEST_NC};
	const struct rt_algorithm *algorithm = rt_digest_algorithm(came);
	struct rt_word qop = came->of[RT_DIGEST_QOP];
	size_t count = qop.text != NULL ? 7 : algorithm->session ? 6 : 5;

	for (size_t i = 0; i < count; i++) {
		if (came->of[needed[i]].text != NULL)
			continue;
		if (to != NULL)
			rt_buf_add_format(to, "no parameter %s",
				rt_digest_name(needed[i]));
		return false;
	}
	return true;
}

/* Whether the rule can compute a response as the client did. */
static bool
is_known(const struct rt_digest *came, struct rt_buf *to)
{
	struct rt_word qop = came->of[RT_DIGEST_QOP];

	if (rt_digest_algorithm(came) == NULL)
		return differs(to, "algorithm", rt_word_of("MD5 or SHA-256"),
			came->of[RT_DIGEST_ALGORITHM]);
	if (qop.text != NULL && !rt_word_is(qop, "auth"))
		return differs(to, "qop", rt_word_of("auth"), qop);
	if (rt_caseless(came->of[RT_DIGEST_USERHASH].text,
		    came->of[RT_DIGEST_USERHASH].size, "true"))
		return says(to, "expected the user's name, got its hash");
	return is_whole(came, to);
}

static bool
response_fits(const struct rt_login *login, const struct rt_digest *came,
	const struct retort_exchange *seen, struct rt_buf *to)
{
	char hex[RT_HASH_HEX];

	if (!rt_digest_response(came, login->hash, login->user, login->password,
		    seen->method ? seen->method : "", hex))
		return says(to, "its response cannot be computed");
	return rt_word_is(came->of[RT_DIGEST_RESPONSE], hex) ||
		differs(to, "by the password the response", rt_word_of(hex),
			came->of[RT_DIGEST_RESPONSE]);
}

static bool
digest_fits(const struct rt_login *login, struct rt_word said,
	const struct retort_exchange *seen, struct rt_buf *to)
{
	struct rt_digest came;
	bool fits;

	if (!rt_digest_read(&came, said.text, said.size, login->room)) {
		if (to != NULL)
			rt_buf_add_format(to,
				"malformed at byte %zu: expected %s", came.at,
				came.wrong);
		return false;
	}
	fits = is_known(&came, to) &&
		(same(login->user, came.of[RT_DIGEST_USERNAME]) ||
			differs(to, "user", login->user,
				came.of[RT_DIGEST_USERNAME]));
	for (size_t i = 0; i < RT_DIGEST_NAMES && fits; i++)
		fits = answers(login, &came, i, to);
	return fits &&
		uri_fits(came.of[RT_DIGEST_URI],
			seen->target ? seen->target : "", to) &&
		response_fits(login, &came, seen, to);
}

static const char *
find_field(const struct rt_login *login, const struct retort_exchange *seen)
{
	return rt_field_came(seen, login->kind->field,
		strlen(login->kind->field));
}

/* Whether the login fits; otherwise adds the difference to `to`, unless that is
   NULL. */
static bool
fits(const struct rt_login *login, const struct retort_exchange *seen,
	struct rt_buf *to)
{
	const char *value = find_field(login, seen);
	struct rt_word scheme, said;

	if (value == NULL) {
		if (to != NULL)
			rt_buf_add_format(to, "no %s", login->kind->field);
		return false;
	}
	scheme = rt_login_scheme(value, &said);
	if (!rt_caseless(scheme.text, scheme.size, login->kind->scheme))
		return differs(to, "scheme", rt_word_of(login->kind->scheme),
			scheme);
	if (said.size > RT_LOGIN_BYTES)
		return says(to, "it has more than 4096 bytes");
	return login->kind->digest ? digest_fits(login, said, seen, to) :
				     basic_fits(login, said, to);
}

/* The first login that does not fit; NULL: all do. */
static const struct rt_login *
find_unfit(const struct rt_match *match, const struct retort_exchange *seen)
{
	for (size_t i = 0; i < match->logins.count; i++)
		if (!fits(&match->logins.list[i], seen, NULL))
			return &match->logins.list[i];
	return NULL;
}

static bool
logins_fit(const struct rt_match *match, const struct retort_exchange *seen)
{
	return find_unfit(match, seen) == NULL;
}

static unsigned
logins_near(const struct rt_match *match, const struct retort_exchange *seen)
{
	return find_field(find_unfit(match, seen), seen) != NULL;
}

static void
say_logins(const struct rt_match *match, const struct retort_exchange *seen,
	const char *whose, struct rt_buf *to)
{
	rt_buf_add_format(to, "login differs from %s: ", whose);
	(void)fits(find_unfit(match, seen), seen, to);
}

/* Describes each login without its password. */
static void
describe_logins(const struct rt_match *match, struct rt_buf *to)
{
	for (size_t i = 0; i < match->logins.count; i++) {
		const struct rt_login *login = &match->logins.list[i];

		rt_buf_add_format(to, ", %s by %s as ", login->kind->field,
			login->kind->scheme);
		rt_match_add_quoted(to, login->user.text, login->user.size);
	}
}

const struct rt_matcher rt_match_login = {
	.given = offsetof(struct rt_match, logins.list),
	.weight = 2,
	.read = read_logins,
	.free = free_logins,
	.fits = logins_fit,
	.near = logins_near,
	.say = say_logins,
	.describe = describe_logins,
};
