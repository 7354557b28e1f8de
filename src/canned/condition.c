/* SPDX-License-Identifier: MIT */
/* The conditions, as members of structs; match/match.c knows what they mean.
   Called by whoever handles a rule, or a part of one. */
#include "config.h"

#include "canned/condition.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "canned/canned.h"
#include "http/status.h"

#define MEMBER(member) \
#member, offsetof(struct retort_reply, member), \
		offsetof(struct retort_requests, member), \
		sizeof((struct retort_reply *)NULL)->member

const struct rt_condition rt_conditions[RT_CONDITIONS] = {
	{MEMBER(request), RT_MEMBER_TEXT, RT_CONDITION_HTTP, NULL, NULL},
	{MEMBER(if_field), RT_MEMBER_LINES,
		RT_CONDITION_HTTP | RT_CONDITION_CASE, "if-field",
		"Name: value"},
	{MEMBER(if_contains), RT_MEMBER_LINES,
		RT_CONDITION_HTTP | RT_CONDITION_CASE, "if-contains",
		"Name: text"},
	{MEMBER(if_absent), RT_MEMBER_LINES, RT_CONDITION_HTTP, "if-absent",
		"the name of a field"},
	{MEMBER(if_body), RT_MEMBER_BYTES,
		RT_CONDITION_BODY | RT_CONDITION_CASE, "if-body", NULL},
	{MEMBER(if_body_size), RT_MEMBER_CODE, RT_CONDITION_BODY, NULL, NULL},
	{MEMBER(if_body_has), RT_MEMBER_TEXT,
		RT_CONDITION_BODY | RT_CONDITION_CASE, "if-body-has",
		"a byte or more, and no NUL"},
	{MEMBER(if_body_begins), RT_MEMBER_TEXT,
		RT_CONDITION_BODY | RT_CONDITION_CASE, "if-body-begins",
		"a byte or more, and no NUL"},
	{MEMBER(in), RT_MEMBER_LINES, RT_CONDITION_BARE, "in",
		"a state, such as ready or connection:data"},
	{MEMBER(if_predicate), RT_MEMBER_CODE, RT_CONDITION_BARE, NULL, NULL},
	{MEMBER(if_predicate_arg), RT_MEMBER_CODE, RT_CONDITION_BARE, NULL,
		NULL},
	{MEMBER(if_nocase), RT_MEMBER_FLAG, RT_CONDITION_WIDER, "nocase", NULL},
	{MEMBER(if_query_absent), RT_MEMBER_LINES, RT_CONDITION_HTTP,
		"if-query-absent", "the name of a parameter"},
	{MEMBER(if_query_only), RT_MEMBER_FLAG, RT_CONDITION_HTTP,
		"if-query-only", NULL},
	{MEMBER(if_form), RT_MEMBER_LINES,
		RT_CONDITION_HTTP | RT_CONDITION_BODY, "if-form", "name=value"},
	{MEMBER(if_form_absent), RT_MEMBER_LINES,
		RT_CONDITION_HTTP | RT_CONDITION_BODY, "if-form-absent",
		"the name of a pair"},
	{MEMBER(if_form_only), RT_MEMBER_FLAG,
		RT_CONDITION_HTTP | RT_CONDITION_BODY, "if-form-only", NULL},
	{MEMBER(if_file), RT_MEMBER_LINES,
		RT_CONDITION_HTTP | RT_CONDITION_BODY, "if-file",
		"name=filename"},
	{MEMBER(if_json), RT_MEMBER_LINES, RT_CONDITION_BODY, "if-json",
		"JSON"},
	{MEMBER(if_json_has), RT_MEMBER_LINES, RT_CONDITION_BODY, "if-json-has",
		"JSON"},
	{MEMBER(if_path_matches), RT_MEMBER_LINES, RT_CONDITION_HTTP,
		"if-path-matches", "a regular expression"},
	{MEMBER(if_field_matches), RT_MEMBER_LINES,
		RT_CONDITION_HTTP | RT_CONDITION_CASE, "if-field-matches",
		"Name: regular expression"},
	{MEMBER(if_body_matches), RT_MEMBER_LINES,
		RT_CONDITION_BODY | RT_CONDITION_CASE, "if-body-matches",
		"a regular expression"},
	{MEMBER(if_refused), RT_MEMBER_STATUS,
		RT_CONDITION_HTTP | RT_CONDITION_APART, "if-refused",
		"nothing, " RT_STATUS_REFUSALS},
	{MEMBER(if_nth), RT_MEMBER_RANGE, 0, "if-nth",
		"a number from 1, N+ or N-M"},
	{MEMBER(if_basic), RT_MEMBER_LINE, RT_CONDITION_HTTP, "if-basic",
		"USER:PASSWORD"},
	{MEMBER(if_digest), RT_MEMBER_LINES, RT_CONDITION_HTTP, "if-digest",
		"USER:PASSWORD"},
	{MEMBER(if_proxy_basic), RT_MEMBER_LINE, RT_CONDITION_HTTP,
		"if-proxy-basic", "USER:PASSWORD"},
	{MEMBER(if_proxy_digest), RT_MEMBER_LINES, RT_CONDITION_HTTP,
		"if-proxy-digest", "USER:PASSWORD"},
	{MEMBER(if_body_glob), RT_MEMBER_TEXT,
		RT_CONDITION_BODY | RT_CONDITION_CASE, "if-body-glob",
		"a byte or more, and no NUL"},
	{MEMBER(if_tls), RT_MEMBER_LINES, RT_CONDITION_TLS, "if-tls",
		"a fact and its value, such as sni: api.test"},
	{MEMBER(if_tunnel), RT_MEMBER_LINE, 0, "if-tunnel",
		"the target of a CONNECT, such as example.com:443"},
	{MEMBER(if_bytes), RT_MEMBER_FLAG, RT_CONDITION_APART, "if-bytes",
		NULL},
	{MEMBER(if_http), RT_MEMBER_FLAG, RT_CONDITION_APART, "if-http", NULL},
};

const char *
rt_condition_text(const struct retort_reply *rule, size_t i)
{
	const char *text;

	memcpy(&text, rt_condition_in(rule, i), sizeof text);
	return text;
}

void
rt_condition_set_text(struct retort_reply *rule, size_t i, const char *text)
{
	memcpy(rt_condition_of(rule, i), &text, sizeof text);
}

bool
rt_member_given(const void *member, size_t size)
{
	const char *bytes = member;
	uintptr_t word;

	/* nearly all of them are pointers, and each rule has all of them */
	if (size == sizeof word) {
		memcpy(&word, member, sizeof word);
		return word != 0;
	}
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return true;
	return false;
}

bool
rt_condition_given(const struct retort_reply *rule, size_t i)
{
	return rt_member_given(rt_condition_in(rule, i), rt_conditions[i].size);
}

struct retort_requests
rt_conditions_of(const struct retort_reply *rule)
{
	struct retort_requests requests = {.server = NULL};

	for (size_t i = 0; i < RT_CONDITIONS; i++)
		memcpy((char *)&requests + rt_conditions[i].in_requests,
			rt_condition_in(rule, i), rt_conditions[i].size);
	return requests;
}

static const struct rt_condition *
find(const struct retort_reply *rule, unsigned flags, bool with)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (((rt_conditions[i].flags & flags) != 0) == with &&
			rt_condition_given(rule, i))
			return &rt_conditions[i];
	return NULL;
}

const struct rt_condition *
rt_condition_without(const struct retort_reply *rule, unsigned flags)
{
	return find(rule, flags, false);
}

const struct rt_condition *
rt_condition_with(const struct retort_reply *rule, unsigned flags)
{
	return find(rule, flags, true);
}

const struct rt_condition *
rt_requests_with(const struct retort_requests *requests, unsigned flags)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if ((rt_conditions[i].flags & flags) != 0 &&
			rt_member_given((const char *)requests +
					rt_conditions[i].in_requests,
				rt_conditions[i].size))
			return &rt_conditions[i];
	return NULL;
}

void
rt_conditions_copy(struct retort_reply *to, const struct retort_reply *from)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		memcpy(rt_condition_of(to, i), rt_condition_in(from, i),
			rt_conditions[i].size);
}

void
rt_conditions_clear(struct retort_reply *rule)
{
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_condition_given(rule, i))
			memset(rt_condition_of(rule, i), 0,
				rt_conditions[i].size);
}

/* --- as a number --- */

static void
add_bytes(uint64_t *hash, const void *bytes, size_t size)
{
	*hash = rt_text_hash(*hash, bytes, size);
}

static void
add_condition(uint64_t *hash, const struct retort_reply *rule, size_t i)
{
	const char *text;

	add_bytes(hash, &i, sizeof i);
	switch (rt_conditions[i].kind) {
	case RT_MEMBER_LINES:
	case RT_MEMBER_LINE:
	case RT_MEMBER_TEXT:
	case RT_MEMBER_RANGE:
		text = rt_condition_text(rule, i);
		add_bytes(hash, text, strlen(text));
		break;
	case RT_MEMBER_BYTES:
		add_bytes(hash, rule->if_body,
			rt_body_size(rule->if_body, rule->if_body_size));
		break;
	default:
		add_bytes(hash, rt_condition_in(rule, i),
			rt_conditions[i].size);
		break;
	}
}

enum retort_protocol
rt_conditions_protocol(const struct retort_requests *requests,
	enum retort_protocol otherwise)
{
	return requests->if_bytes ? RETORT_TCP :
		requests->if_http ? RETORT_HTTP :
				    otherwise;
}

const char *
rt_conditions_noun(enum retort_protocol protocol)
{
	static const char *const nouns[] = {[RETORT_HTTP] = "request",
		[RETORT_TCP] = "piece",
		[RETORT_UDP] = "datagram"};

	return nouns[protocol];
}

uint64_t
rt_conditions_hash(const struct retort_reply *rule)
{
	uint64_t hash = RT_TEXT_HASH;

	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_condition_given(rule, i))
			add_condition(&hash, rule, i);
	return hash;
}

/* --- one rule and another --- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_bytes(const struct retort_reply *a, const struct retort_reply *b)
{
	return a->if_body_size == b->if_body_size &&
		(a->if_body == b->if_body ||
			(a->if_body != NULL && b->if_body != NULL &&
				memcmp(a->if_body, b->if_body,
					a->if_body_size) == 0));
}

/* Whether `b` has the condition, if `a` has. */
static bool
covers(const struct retort_reply *a, const struct retort_reply *b, size_t i)
{
	switch (rt_conditions[i].kind) {
	case RT_MEMBER_LINES:
	case RT_MEMBER_LINE:
	case RT_MEMBER_TEXT:
	case RT_MEMBER_RANGE:
		return same_text(rt_condition_text(a, i),
			rt_condition_text(b, i));
	case RT_MEMBER_BYTES:
		return same_bytes(a, b);
	case RT_MEMBER_STATUS:
		return a->if_refused == b->if_refused ||
			(a->if_refused == RETORT_ANY && b->if_refused != 0);
	default:
		return memcmp(rt_condition_in(a, i), rt_condition_in(b, i),
			       rt_conditions[i].size) == 0;
	}
}

/* Whether the "only" of `a` allows what `b` allows: the fewer pairs a condition
   names, the more are others. */
static bool
only_covers(const struct retort_reply *a, const struct retort_reply *b)
{
	if (a->if_form_only && !same_text(a->if_form, b->if_form))
		return false;
	return !a->if_query_only || same_text(a->request, b->request) ||
		b->request == NULL || strchr(b->request, '?') == NULL;
}

bool
rt_conditions_cover(const struct retort_reply *a, const struct retort_reply *b)
{
	bool cased = false;

	for (size_t i = 0; i < RT_CONDITIONS; i++) {
		unsigned flags = rt_conditions[i].flags;

		if ((flags & RT_CONDITION_WIDER) != 0 ||
			(!rt_condition_given(a, i) &&
				(flags & RT_CONDITION_APART) == 0))
			continue;
		cased |= (flags & RT_CONDITION_CASE) != 0;
		if (!covers(a, b, i))
			return false;
	}
	return (a->if_nocase || !b->if_nocase || !cased) && only_covers(a, b);
}
