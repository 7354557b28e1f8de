/* SPDX-License-Identifier: MIT */
/* Logins, as the fields of requests carry them. Called by match/. */
#include "config.h"

#include "http/login.h"

#include <stdint.h>
#include <string.h>

#include "http/http.h"

struct rt_word
rt_login_scheme(const char *value, struct rt_word *rest)
{
	const char *end = value + strlen(value);
	struct rt_word scheme = rt_text_word(&value, end);

	*rest = rt_text_rest(value, end);
	return scheme;
}

/* --- Basic --- */

/* What a digit of base64 is worth (RFC 4648 4); -1: it is none. */
static int
digit_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Four digits, of which the last one or two may be padding: how many bytes they
   are; 0: they are none. */
static size_t
decode_four(const char *four, bool last, char *to)
{
	size_t padding = 0;
	uint32_t bits = 0;

	while (last && padding < 2 && four[3 - padding] == '=')
		padding++;
	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? digit_value(four[i]) : 0;

		if (value < 0)
			return 0;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t i = 0; i < 3 - padding; i++)
		to[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	return 3 - padding;
}

bool
rt_login_basic(struct rt_word said, char *room, struct rt_word *user,
	struct rt_word *password)
{
	const char *colon;
	size_t size = 0;

	if (said.size % 4 != 0)
		return false;
	for (size_t i = 0; i < said.size; i += 4) {
		size_t n = decode_four(said.text + i, i + 4 == said.size,
			room + size);

		if (n == 0)
			return false;
		size += n;
	}
	colon = memchr(room, ':', size);
	if (colon == NULL)
		return false;
	*user = (struct rt_word){room, (size_t)(colon - room)};
	*password = (struct rt_word){colon + 1, size - user->size - 1};
	return true;
}

/* --- Digest --- */

static const char *const names[RT_DIGEST_NAMES] = {
	[RT_DIGEST_USERNAME] = "username",
	[RT_DIGEST_REALM] = "realm",
	[RT_DIGEST_NONCE] = "nonce",
	[RT_DIGEST_OPAQUE] = "opaque",
	[RT_DIGEST_ALGORITHM] = "algorithm",
	[RT_DIGEST_QOP] = "qop",
	[RT_DIGEST_URI] = "uri",
	[RT_DIGEST_RESPONSE] = "response",
	[RT_DIGEST_CNONCE] = "cnonce",
	[RT_DIGEST_NC] = "nc",
	[RT_DIGEST_USERHASH] = "userhash",
	[RT_DIGEST_STALE] = "stale",
	[RT_DIGEST_DOMAIN] = "domain",
	[RT_DIGEST_CHARSET] = "charset",
};

const char *
rt_digest_name(enum rt_digest_name name)
{
	return names[name];
}

/* Parameters that are being read. */
struct reader {
	const char *at, *end;
	char *to; /* where the next value goes */
	struct rt_digest *digest;
};

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && rt_is_blank(*reader->at))
		reader->at++;
}

static bool
expected(struct reader *reader, const char *what)
{
	reader->digest->wrong = what;
	return false;
}

static struct rt_word
take_token(struct reader *reader)
{
	struct rt_word token = {reader->at, 0};

	while (reader->at < reader->end && rt_http_is_token(reader->at, 1))
		reader->at++;
	token.size = (size_t)(reader->at - token.text);
	return token;
}

/* After the quote: up to the next one, without backslashes. */
static bool
take_quoted(struct reader *reader, struct rt_word *value)
{
	*value = (struct rt_word){reader->to, 0};
	while (reader->at < reader->end && *reader->at != '"') {
		reader->at +=
			*reader->at == '\\' && reader->end - reader->at > 1;
		*reader->to++ = *reader->at++;
	}
	if (reader->at == reader->end)
		return expected(reader, "a quote that ends the value");
	reader->at++;
	value->size = (size_t)(reader->to - value->text);
	return true;
}

static bool
take_value(struct reader *reader, struct rt_word *value)
{
	struct rt_word token;

	if (reader->at < reader->end && *reader->at == '"') {
		reader->at++;
		return take_quoted(reader, value);
	}
	token = take_token(reader);
	if (token.size == 0)
		return expected(reader, "a value");
	*value = (struct rt_word){reader->to, token.size};
	memcpy(reader->to, token.text, token.size);
	reader->to += token.size;
	return true;
}

/* "name = value" */
static bool
take_parameter(struct reader *reader)
{
	struct rt_digest *digest = reader->digest;
	const char *begin = reader->at;
	struct rt_word name = take_token(reader), value;
	size_t i = 0;

	if (name.size == 0)
		return expected(reader, "the name of a parameter");
	while (i < RT_DIGEST_NAMES &&
		!rt_caseless(name.text, name.size, names[i]))
		i++;
	if (i < RT_DIGEST_NAMES && digest->of[i].text != NULL) {
		reader->at = begin;
		return expected(reader, "each parameter once");
	}
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != '=')
		return expected(reader, "'='");
	reader->at++;
	skip_blanks(reader);
	if (!take_value(reader, &value))
		return false;
	if (i < RT_DIGEST_NAMES)
		digest->of[i] = value;
	else if (digest->unknown.text == NULL)
		digest->unknown = name;
	return true;
}

bool
rt_digest_read_more(struct rt_digest *digest, const char *text, size_t size,
	char *room)
{
	struct reader reader = {text, text + size, room + digest->used, digest};

	for (;;) {
		/* elements of a list may be empty (RFC 9110 5.6.1.2) */
		while (reader.at < reader.end &&
			(*reader.at == ',' || rt_is_blank(*reader.at)))
			reader.at++;
		if (reader.at == reader.end || !take_parameter(&reader))
			break;
		skip_blanks(&reader);
		if (reader.at < reader.end && *reader.at != ',') {
			(void)expected(&reader, "',' or the end");
			break;
		}
	}
	digest->at = (size_t)(reader.at - text);
	digest->used = (size_t)(reader.to - room);
	return digest->wrong == NULL;
}

bool
rt_digest_read(struct rt_digest *digest, const char *text, size_t size,
	char *room)
{
	*digest = (struct rt_digest){.at = 0};
	return rt_digest_read_more(digest, text, size, room);
}

/* --- the response --- */

const struct rt_algorithm *
rt_digest_algorithm(const struct rt_digest *digest)
{
	static const struct rt_algorithm algorithms[] = {
		{"MD5", RT_HASH_MD5, false},
		{"MD5-sess", RT_HASH_MD5, true},
		{"SHA-256", RT_HASH_SHA256, false},
		{"SHA-256-sess", RT_HASH_SHA256, true},
	};
	struct rt_word name = digest->of[RT_DIGEST_ALGORITHM];

	if (name.text == NULL)
		return &algorithms[0];
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
		if (rt_caseless(name.text, name.size, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

/* The hash of these, with colons between them. */
static bool
hash_all(struct rt_hash *hash, enum rt_hash_kind kind,
	const struct rt_word *words, size_t count, char hex[RT_HASH_HEX])
{
	bool done = rt_hash_begin(hash, kind);

	for (size_t i = 0; i < count && done; i++)
		done = (i == 0 || rt_hash_add(hash, ":", 1)) &&
			rt_hash_add(hash, words[i].text, words[i].size);
	return done && rt_hash_end(hash, hex);
}

bool
rt_digest_response(const struct rt_digest *digest, struct rt_hash *hash,
	struct rt_word user, struct rt_word password, const char *method,
	char hex[RT_HASH_HEX])
{
	const struct rt_algorithm *algorithm = rt_digest_algorithm(digest);
	const struct rt_word *of = digest->of;
	char a1[RT_HASH_HEX], a2[RT_HASH_HEX];
	bool done = algorithm != NULL &&
		hash_all(hash, algorithm->kind,
			(struct rt_word[]){user, of[RT_DIGEST_REALM], password},
			3, a1) &&
		hash_all(hash, algorithm->kind,
			(struct rt_word[]){rt_word_of(method),
				of[RT_DIGEST_URI]},
			2, a2);

	if (done && algorithm->session)
		done = hash_all(hash, algorithm->kind,
			(struct rt_word[]){rt_word_of(a1), of[RT_DIGEST_NONCE],
				of[RT_DIGEST_CNONCE]},
			3, a1);
	if (!done)
		return false;
	/* as before RFC 2617 */
	if (of[RT_DIGEST_QOP].text == NULL)
		return hash_all(hash, algorithm->kind,
			(struct rt_word[]){rt_word_of(a1), of[RT_DIGEST_NONCE],
				rt_word_of(a2)},
			3, hex);
	return hash_all(hash, algorithm->kind,
		(struct rt_word[]){rt_word_of(a1), of[RT_DIGEST_NONCE],
			of[RT_DIGEST_NC], of[RT_DIGEST_CNONCE],
			of[RT_DIGEST_QOP], rt_word_of(a2)},
		6, hex);
}
