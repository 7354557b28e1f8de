/* SPDX-License-Identifier: MIT */
/* Whether a reply that a user gives can be sent. Called by canned.c. */
#include "config.h"

#include "canned/canned_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "canned/condition.h"
#include "http/field.h"
#include "http/status.h"

/* The most bytes that UDP over IPv4 can carry. */
#define MAX_DATAGRAM 65507u

/* The most chunks: each may be four steps of a script. */
#define MAX_CHUNKS ((RT_MAX_STEPS - 8) / 4)

static bool
is_value(const char *text, bool empty)
{
	return text == NULL ||
		((empty || *text != '\0') &&
			rt_http_is_value(text, strlen(text)));
}

/* --- members, by name --- */

/* What a member is, beyond a part of a reply; and what it excludes. */
enum {
	SOURCE = 8,   /* of the body */
	NOT_RAW = 16, /* a raw reply cannot have it */
	NOT_FILLED = 32,
	SIZED = 64 /* it says where the body is divided */
};

#define M(of) \
#of, offsetof(struct retort_reply, of), \
		sizeof((struct retort_reply *)NULL)->of

static const struct member {
	const char *name;
	size_t at;
	size_t size;
	unsigned kinds; /* also those of canned.h */
	unsigned excludes;
} members[] = {
	{M(file), SOURCE | NOT_RAW | RT_NOT_SILENT | RT_NOT_FILES, SOURCE},
	{M(echo), SOURCE | NOT_RAW | RT_NOT_SILENT | RT_NOT_FILES, SOURCE},
	{M(body), SOURCE | RT_NOT_SILENT | RT_NOT_FILES, SOURCE},
	/* with RETORT_EMPTY alone */
	{"body", offsetof(struct retort_reply, body_size), sizeof(size_t),
		RT_NOT_SILENT | RT_NOT_FILES, 0},
	{M(raw), NOT_FILLED | RT_NOT_FILES, NOT_RAW},
	{M(fill), RT_NOT_SILENT | RT_NOT_FILES, NOT_FILLED},
	{M(repeat), NOT_RAW | NOT_FILLED, 0},
	{M(status), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(reason), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(version), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(type), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(fields), RT_OF_HEAD, 0},
	{M(omit), RT_OF_HEAD, 0},
	{M(chunks), RT_OF_HEAD | RT_NOT_FILES, SIZED},
	{M(chunked), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(trailers), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(interim), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(pause_body), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(pause_chunk), RT_OF_HEAD | RT_NOT_FILES, 0},
	{M(parts), SIZED | RT_NOT_SILENT | RT_NOT_FILES, 0},
	{M(pause_head), RT_NOT_SILENT | RT_NOT_FILES, 0},
	{M(pause_end), RT_NOT_SILENT | RT_NOT_FILES, 0},
	{M(close), RT_NOT_SILENT, 0},
	{M(next), RT_NOT_SILENT | RT_NOT_FILES, 0},
	{M(idle), RT_NOT_SILENT, 0},
	{M(open), RT_NOT_SILENT | RT_NOT_FILES, 0},
	{M(faults), RT_NOT_SILENT, 0},
	{M(handler), RT_NOT_FILES, 0},
};

static bool
is_given(const struct retort_reply *reply, const struct member *member)
{
	return rt_member_given((const char *)reply + member->at, member->size);
}

/* The first of these kinds but for `other` that is given; NULL: none is. */
static const char *
find_member(const struct retort_reply *reply, unsigned kinds,
	const struct member *other)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if ((members[i].kinds & kinds) != 0 && &members[i] != other &&
			is_given(reply, &members[i]))
			return members[i].name;
	return NULL;
}

const char *
rt_canned_member(const struct retort_reply *reply, unsigned kinds)
{
	return find_member(reply, kinds, NULL);
}

/* Members that exclude each other: the names of two of them. */
static int
check_excluded(const struct retort_reply *reply, char *error)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct member *member = &members[i];
		const char *other;

		if (member->excludes == 0 || !is_given(reply, member))
			continue;
		other = find_member(reply, member->excludes, member);
		if (other != NULL)
			return rt_fail(error, -EINVAL, "%s: not with .%s",
				member->name, other);
	}
	return 0;
}

static int
check_body(const struct retort_reply *reply, char *error)
{
	int code = check_excluded(reply, error);

	if (code < 0)
		return code;
	if (!rt_has_body(reply->body, reply->body_size) && reply->body_size > 0)
		return rt_fail(error, -EINVAL, "body_size: there is no .body");
	if (reply->repeat > 0 && (reply->body == NULL || !has_body(reply)))
		return rt_fail(error, -EINVAL, "repeat: there is no body");
	return 0;
}

/* Checks faults as far as they do not depend on the script of the reply. */
static int
check_faults(const struct retort_reply *reply, const struct rt_faults *faults,
	enum retort_protocol protocol, struct rt_error *error)
{
	/* after a 101 it is of another protocol */
	if (rt_status_has_no_body(reply->status) && reply->status != 101 &&
		has_body(reply) && !reply->raw && !rt_faults_force_body(faults))
		return rt_fail(error->text, -EINVAL,
			"status: a 204 or 304 has no body%s",
			faults ? ", but for the fault 'force-body'" : "");
	if (protocol != RETORT_UDP || faults == NULL ||
		rt_faults_suit_datagram(faults))
		return 0;
	error->member = "faults";
	return rt_fail(error->text, -EINVAL,
		"%.150s: a datagram has neither segments nor an ending",
		rt_faults_text(faults));
}

#define DIGITS "0123456789"

/* Checks that they are numbers from 1 on, with blanks between them. */
static int
check_chunks(const char *sizes, char *error)
{
	const char *at = sizes;
	size_t count = 0;

	while (sizes != NULL && *(at += strspn(at, " \t")) != '\0') {
		size_t digits = strspn(at, DIGITS);

		if (digits == 0 || digits > 15 || rt_reply_chunk(&at) == 0 ||
			(*at != '\0' && *at != ' ' && *at != '\t'))
			return rt_fail(error, -EINVAL,
				"chunks: expected sizes from 1, as \"3 2\": "
				"'%.100s'",
				sizes);
		if (++count > MAX_CHUNKS)
			return rt_fail(error, -EINVAL, "chunks: too many");
	}
	return 0;
}

/* Checks that they are pairs of a size and a time, with commas between them. */
static int
check_parts(const struct retort_reply *reply, char *error)
{
	const char *at = reply->parts;
	uint64_t size;
	size_t count = 0;
	int ms;

	while (at != NULL && *at != '\0') {
		const char *pair = at;
		size_t digits = strspn(at, DIGITS);

		at += digits;
		at += strspn(at, " \t");
		if (digits == 0 || digits > 15 || at == pair + digits ||
			strspn(at, DIGITS) == 0 || strspn(at, DIGITS) > 9)
			return rt_fail(error, -EINVAL,
				"parts: expected sizes and ms, as \"5 200, 6 "
				"0\": '%.100s'",
				reply->parts);
		at = pair;
		(void)rt_reply_part(&at, &size, &ms);
		if (++count > MAX_CHUNKS)
			return rt_fail(error, -EINVAL, "parts: too many");
	}
	return 0;
}

/* Checks a reply without HTTP, which is nothing but its bytes. */
static int
check_plain(const struct retort_reply *reply, enum retort_protocol protocol,
	char *error)
{
	const char *member =
		reply->raw ? "raw" : rt_canned_member(reply, RT_OF_HEAD);
	uint64_t size = reply->repeat;

	if (member != NULL)
		return rt_fail(error, -EINVAL,
			"%s: only a reply of HTTP has it", member);
	if (protocol != RETORT_UDP)
		return 0;
	if (reply->parts != NULL || reply->open)
		return rt_fail(error, -EINVAL, "%s: a datagram is sent at once",
			reply->open ? "open" : "parts");
	if (size == 0)
		size = rt_body_size(reply->body, reply->body_size);
	return size > MAX_DATAGRAM ?
		rt_fail(error, -EINVAL,
			"body: a datagram has at most 65507 bytes") :
		0;
}

/* Checks a raw reply, which has all of its head in its bytes. */
static int
check_raw(const struct retort_reply *reply, char *error)
{
	const char *member = rt_canned_member(reply, RT_OF_HEAD);

	return member != NULL ? rt_fail(error, -EINVAL,
					"%s: a raw reply has it in its body, "
					"or not at all",
					member) :
				0;
}

static int
check_status(int status, char *error)
{
	if (status == 0 || status == 101 || (status >= 200 && status <= 999))
		return 0;
	return rt_fail(error, -EINVAL, "status: expected 101, or 200 to 999");
}

static int
check_texts(const struct retort_reply *reply, char *error)
{
	int code;

	if (!is_value(reply->type, false))
		return rt_fail(error, -EINVAL,
			"type: '%.100s': expected a media type, such as text/html",
			reply->type);
	if (!is_value(reply->version, false))
		return rt_fail(error, -EINVAL,
			"version: '%.100s': expected one such as HTTP/1.0",
			reply->version);
	if (!is_value(reply->reason, true))
		return rt_fail(error, -EINVAL,
			"reason: '%.100s': expected no control characters",
			reply->reason);
	code = check_chunks(reply->chunks, error);
	if (code == 0)
		code = check_parts(reply, error);
	if (code == 0)
		code = rt_field_check(reply->fields, true, "fields", error);
	if (code == 0)
		code = rt_field_check(reply->omit, false, "omit", error);
	if (code == 0)
		code = rt_field_check(reply->trailers, true, "trailers", error);
	return code;
}

/* Checks a reply that sends nothing and waits for what comes next. */
static int
check_silent(const struct retort_reply *reply, enum retort_protocol protocol,
	char *error)
{
	const char *other;

	if (protocol == RETORT_HTTP)
		return rt_fail(error, -EINVAL,
			"silent: only for bytes (RETORT_TCP or _UDP, --tcp or "
			"--udp); for HTTP, the fault 'cut 0 stall' never "
			"answers");
	other = rt_canned_member(reply, RT_NOT_SILENT);
	return other != NULL ? rt_fail(error, -EINVAL,
				       "silent: not with .%s: nothing is sent, "
				       "and the connection is kept",
				       other) :
			       0;
}

/* Checks what follows the reply. */
static int
check_next(const struct retort_reply *reply, enum retort_protocol protocol,
	char *error)
{
	if (reply->close && protocol == RETORT_HTTP)
		return rt_fail(error, -EINVAL,
			"close: only for bytes (RETORT_TCP, --tcp); for HTTP "
			"there is 'next close'");
	if (reply->close && protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"close: a datagram has no connection");
	if (reply->close && reply->next >= RETORT_NEXT_KEEP)
		return rt_fail(error, -EINVAL,
			"close: not with .next, which keeps the connection");
	if (reply->next > RETORT_NEXT_TLS_BYTES)
		return rt_fail(error, -EINVAL,
			"next: expected RETORT_NEXT_CLOSE, _KEEP, _HTTP, "
			"_BYTES, _TLS, _TLS_HTTP or _TLS_BYTES");
	if (reply->next != RETORT_NEXT_DEFAULT && protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"next: a datagram has no connection");
	if (reply->idle != 0 && protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"idle: a datagram has no connection");
	if (reply->idle < -1)
		return rt_fail(error, -EINVAL,
			"idle: expected milliseconds, or -1 for ever");
	return 0;
}

static int
check_pauses(const struct retort_reply *reply, char *error)
{
	const char *negative = reply->pause_head < 0 ? "head" :
		reply->pause_body < 0                ? "body" :
		reply->pause_chunk < 0               ? "chunk" :
		reply->pause_end < 0                 ? "end" :
						       NULL;

	return negative == NULL ?
		0 :
		rt_fail(error, -EINVAL, "pause_%s: expected 0 ms or more",
			negative);
}

int
rt_canned_check(const struct retort_reply *reply,
	const struct rt_faults *faults, enum retort_protocol protocol,
	struct rt_error *error)
{
	int code = check_body(reply, error->text);

	if (code == 0 && protocol != RETORT_HTTP)
		code = check_plain(reply, protocol, error->text);
	else if (code == 0 && reply->raw)
		code = check_raw(reply, error->text);
	if (code == 0)
		code = check_status(reply->status, error->text);
	if (code == 0)
		code = check_faults(reply, faults, protocol, error);
	if (code < 0)
		return code;
	code = check_next(reply, protocol, error->text);
	if (code == 0 && reply->silent)
		code = check_silent(reply, protocol, error->text);
	if (code < 0)
		return code;
	code = check_pauses(reply, error->text);
	return code < 0 ? code : check_texts(reply, error->text);
}
