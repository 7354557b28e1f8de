/* SPDX-License-Identifier: MIT */
/*
 * What clients send, as conditions read it: forms of both kinds, JSON, texts
 * that patterns are looked for in; and logins. What is replayed is also cut
 * short; --corpus DIR writes a small corpus: see fuzz.h.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "http/form.h"
#include "http/login.h"
#include "match/match.h"

static volatile char last;

static void
touch(struct rt_word word)
{
	if (word.size > 0)
		last = word.text[word.size - 1];
}

static bool
is_within(const struct rt_pair_reader *form, struct rt_word word)
{
	return word.text >= form->begin && word.text <= form->end &&
		word.size <= (size_t)(form->end - word.text);
}

/* The number of pairs, each of which can be read. */
static size_t
read_pairs(struct rt_pair_reader *form)
{
	struct rt_form_pair pair;
	size_t count = 0;

	while (rt_form_next(form, &pair)) {
		must(is_within(form, pair.value));
		must(!pair.encoded || is_within(form, pair.name));
		must(pair.encoded || pair.name.size <= RT_FORM_NAME);
		must(pair.file.size <= RT_FORM_NAME);
		touch(pair.name);
		touch(pair.value);
		touch(pair.file);
		touch(pair.type);
		count++;
	}
	must(form->at >= form->begin && form->at <= form->end);
	must(form->boundary_size == 0 || count <= RT_FORM_PARTS);
	return count;
}

static void
check_form(const char *type, const char *body, size_t size)
{
	struct rt_pair_reader form;
	const char *wrong;
	size_t count;

	if (!rt_form_begin(&form, type, body, size))
		return;
	count = read_pairs(&form);
	wrong = form.wrong;
	rt_form_rewind(&form);
	must(read_pairs(&form) == count);
	must(form.wrong == wrong);
}

/* A difference is reported if there is a miss, and none otherwise. */
static void
check_match(const struct retort_requests *when,
	const struct retort_exchange *seen)
{
	char error[RETORT_ERROR_SIZE];
	struct rt_match *match = rt_match_new(when, RETORT_HTTP, error);
	struct rt_buf why;
	bool fits;

	if (match == NULL) {
		must(*error != '\0');
		return;
	}
	rt_buf_init(&why, 1 << 24);
	fits = rt_match_fits(match, seen);
	(void)rt_match_explain(match, seen, "it", &why);
	must(fits == (why.len == 0));
	rt_match_describe(match, &why);
	rt_buf_free(&why);
	rt_match_free(match);
}

static void
check_digest(const char *text, size_t size)
{
	char *copy = fuzz_copy(text, size), *room = fuzz_copy(text, size);
	struct rt_digest digest;
	bool right;

	right = rt_digest_read(&digest, copy, size, room);
	must(right == (digest.wrong == NULL));
	must(digest.at <= size && (!right || digest.at == size));
	for (size_t i = 0; i < RT_DIGEST_NAMES; i++)
		touch(digest.of[i]);
	touch(digest.unknown);
	free(room);
	free(copy);
}

/* A field that came, and what may have been asked in the challenge. */
static void
check_login(const char *challenge, const char *value)
{
	struct retort_field field = {.name = "Authorization", .value = value};
	struct retort_exchange seen = {.method = "GET",
		.target = "/a",
		.fields = &field,
		.field_count = 1};
	char login[256];

	check_digest(value, strlen(value));
	check_digest(challenge, strlen(challenge));
	check_match(&(struct retort_requests){.if_basic = "ada:secret"}, &seen);
	(void)snprintf(login, sizeof login, "ada:secret\n%s", challenge);
	check_match(&(struct retort_requests){.if_digest = login}, &seen);
}

/* A condition, a media type and a body, with line ends between them; or, of a
   login, a challenge and a field. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *type, *body = NULL;
	struct retort_field field = {.name = "Content-Type"};
	struct retort_exchange seen = {.method = "POST",
		.target = "/",
		.fields = &field,
		.field_count = 1};

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	type = strchr(copy, '\n');
	if (type != NULL)
		body = strchr(type + 1, '\n');
	if (body != NULL) {
		*type++ = *body++ = '\0';
		field.value = type;
		seen.body_size = seen.body_total = size - (size_t)(body - copy);
		seen.body = fuzz_copy(body, seen.body_size);
		check_form(type, seen.body, seen.body_size);
		check_login(copy, type);
		check_match(&(struct retort_requests){.if_form = copy}, &seen);
		check_match(&(struct retort_requests){.if_form = copy,
				    .if_form_absent = "a",
				    .if_form_only = true},
			&seen);
		check_match(&(struct retort_requests){.if_file = copy}, &seen);
		check_match(&(struct retort_requests){.if_json = copy}, &seen);
		check_match(&(struct retort_requests){.if_json_has = copy},
			&seen);
		free((char *)(uintptr_t)seen.body);
		/* the sanitizer's regexec() wants a NUL, as a record has it */
		seen.body = body;
		check_match(&(struct retort_requests){.if_body_matches = copy},
			&seen);
	}
	free(copy);
	return 0;
}

static const char *const corpus[] = {
	"{\"a\": [1, {\"b\": \"c\\u0000\"}]}\n\n"
	"{\"z\": null, \"a\": [1.0, {\"b\": \"c\\u0000\", \"d\": -1e2}]}",
	"x\nBasic YWRhOnNlY3JldA==\n",
	"realm=\"a\\\"b\", nonce=1, qop=\"auth\"\n"
	"Digest username=\"ada\", realm=\"a\\\"b\", nonce=\"1\", uri=\"/a\", "
	"qop=auth, nc=00000001, cnonce=\"c\", algorithm=MD5-sess, "
	"response=\"8b8feea048cfe4779180d82537341bb3\"\n",
	"^(a|[]b[:digit:]]{2,3})+\\.$\n\nab12.",
	"a=b*c&d=%2A\napplication/x-www-form-urlencoded\na=b+c%2a&d=&e",
	"a=x*\nmultipart/form-data; boundary=\"b\"\n"
	"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx y\r\n--b--\r\n",
	"c=*.png;type=image/*\nMultipart/Form-Data; x=y; boundary=bb\n"
	"before\r\n--bb \r\nContent-Disposition: form-data; name=\"c\\\"%22\"; "
	"filename=\"me.png\"\r\nContent-Type: image/png; a=b\r\n\r\n\r\n"
	"\r\n--bb\r\n\r\n\r\n--bb--",
};

const struct fuzz fuzz = {NULL, "\n\r\"-;={%", "body", corpus,
	sizeof corpus / sizeof *corpus};
