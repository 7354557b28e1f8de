/* SPDX-License-Identifier: MIT */
/* Whether a reply that a user gives can be sent. Called by canned.c. */
#include "config.h"

#include "canned/canned_parts.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
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

static int
check_body(const struct retort_reply *reply, char *error)
{
	int sources =
		(reply->body != NULL) + (reply->file != NULL) + reply->echo;

	if (reply->raw && reply->echo)
		return rt_fail(error, -EINVAL, "reply: both raw and an echo");
	if (sources > 1)
		return rt_fail(error, -EINVAL,
			"reply: more than one of body, file and echo");
	if (!rt_has_body(reply->body, reply->body_size) && reply->body_size > 0)
		return rt_fail(error, -EINVAL, "body: its size without it");
	if (reply->repeat > 0 && (reply->body == NULL || !has_body(reply)))
		return rt_fail(error, -EINVAL, "repeat: there is no body");
	if (reply->raw && (reply->file != NULL || reply->repeat > 0))
		return rt_fail(error, -EINVAL,
			"reply: both raw and a file or repeat");
	if (reply->fill && (reply->raw || reply->repeat > 0))
		return rt_fail(error, -EINVAL,
			"reply: both fill and raw or repeat");
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

	if (at != NULL && reply->chunks != NULL)
		return rt_fail(error, -EINVAL, "reply: both parts and chunks");
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

/* The first member that makes a head or its framing; NULL: none is given. */
static const char *
find_http(const struct retort_reply *reply)
{
	const struct {
		const char *name;
		bool given;
	} members[] = {
		{"status", reply->status != 0},
		{"reason", reply->reason != NULL},
		{"version", reply->version != NULL},
		{"type", reply->type != NULL},
		{"fields", reply->fields != NULL},
		{"omit", reply->omit != NULL},
		{"chunked", reply->chunked},
		{"chunks", reply->chunks != NULL},
		{"trailers", reply->trailers != NULL},
		{"interim", reply->interim != NULL},
		{"pause_body", reply->pause_body != 0},
		{"pause_chunk", reply->pause_chunk != 0},
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].given)
			return members[i].name;
	return NULL;
}

/* Checks a reply without HTTP, which is nothing but its bytes. */
static int
check_plain(const struct retort_reply *reply, enum retort_protocol protocol,
	char *error)
{
	const char *member = reply->raw ? "raw" : find_http(reply);
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
	const char *member = find_http(reply);

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
		return rt_fail(error, -EINVAL, "malformed media type: %s",
			reply->type);
	if (!is_value(reply->version, false))
		return rt_fail(error, -EINVAL, "malformed version: %s",
			reply->version);
	if (!is_value(reply->reason, true))
		return rt_fail(error, -EINVAL, "malformed reason: %s",
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
	if (protocol == RETORT_HTTP)
		return rt_fail(error, -EINVAL,
			"silent: only for bytes (RETORT_TCP or _UDP, --tcp or "
			"--udp); for HTTP, the fault 'cut 0 stall' never "
			"answers");
	if (rt_has_body(reply->body, reply->body_size) || reply->file ||
		reply->echo || reply->close || reply->pause_head ||
		reply->pause_end || reply->faults || reply->parts ||
		reply->open || reply->fill || reply->next || reply->idle)
		return rt_fail(error, -EINVAL,
			"silent: expected nothing of a reply with it, such as "
			"a body, close, next, pauses or faults");
	return 0;
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
			"reply: both close and next, which keeps the "
			"connection");
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
	if (reply->pause_head < 0 || reply->pause_body < 0 ||
		reply->pause_chunk < 0 || reply->pause_end < 0)
		return rt_fail(error->text, -EINVAL,
			"pause: expected 0 ms or more");
	return check_texts(reply, error->text);
}
