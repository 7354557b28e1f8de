/* SPDX-License-Identifier: MIT */
/*
 * The head of a request, when it is whole: what its target, its Host and the
 * fields about its body must be, beyond what llhttp asks for; and fields by
 * their names.
 */
#include "config.h"

#include "http/http_parts.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

/* --- fields --- */

/* The first from `field` on. */
static inline const struct rt_http_field *
find_from(const struct rt_request *request, const char *base,
	const struct rt_http_field *field, const char *name, size_t size)
{
	const struct rt_http_field *end =
		request->fields + request->field_count;

	for (; field < end; field++)
		if (field->name.size == size &&
			rt_caseless_same(base + field->name.at, name, size))
			return field;
	return NULL;
}

const struct rt_http_field *
rt_http_find(const struct rt_request *request, const char *base,
	const char *name, size_t size)
{
	return find_from(request, base, request->fields, name, size);
}

const struct rt_http_field *
rt_http_next(const struct rt_request *request, const char *base,
	const struct rt_http_field *field)
{
	return find_from(request, base, field + 1, base + field->name.at,
		field->name.size);
}

/* Whether one of the fields of that name, which are lists, has this token. */
static bool
has_token(const struct rt_request *request, const char *base, const char *name,
	const char *token)
{
	const struct rt_http_field *field = rt_http_field(request, base, name);

	for (; field != NULL; field = rt_http_next(request, base, field))
		if (rt_text_lists(base + field->value.at, field->value.size,
			    token))
			return true;
	return false;
}

bool
rt_http_persists(const struct rt_request *request, const char *base)
{
	static const char connection[] = "Connection";

	if (has_token(request, base, connection, "close"))
		return false;
	return request->minor > 0 ||
		has_token(request, base, connection, "keep-alive");
}

/* --- hosts and ports --- */

/* "v1.x", which an address of a later IP could be. */
static bool
is_future(const char *text, size_t size)
{
	size_t at = 1;

	while (at < size && rt_text_hex(text[at]) >= 0)
		at++;
	if (at == 1 || size - at < 2 || text[at++] != '.')
		return false;
	while (at < size && (text[at] == ':' || rt_http_is(text[at], HOST)))
		at++;
	return at == size;
}

static bool
is_ipv6(const char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (size >= sizeof address || memchr(text, '\0', size) != NULL)
		return false;
	memcpy(address, text, size);
	address[size] = '\0';
	return inet_pton(AF_INET6, address, bytes) == 1;
}

/* Bytes of the "[IPv6]" that a text begins with; 0: it is none. */
static size_t
size_of_literal(const char *text, size_t size)
{
	const char *end = memchr(text, ']', size);
	size_t inner = end ? (size_t)(end - text) - 1 : 0;
	bool valid = inner > 0 &&
		(rt_fold(text[1]) == 'v' ? is_future(text + 1, inner) :
					   is_ipv6(text + 1, inner));

	return valid ? inner + 2 : 0;
}

/* Where a name ends that has a '%' at `at`. */
static size_t
end_of_name(const char *text, size_t at, size_t size)
{
	while (at < size && rt_text_percent(text + at, text + size) >= 0)
		at = rt_http_run(text, at + 3, size, HOST);
	return at;
}

/* Bytes of the name that a text begins with; an IPv4 address is one, too. */
static inline size_t
size_of_name(const char *text, size_t size)
{
	size_t at = rt_http_run(text, 0, size, HOST);

	return at < size && text[at] == '%' ? end_of_name(text, at, size) : at;
}

/* Bytes of the uri-host that a text of a byte or more begins with (RFC 3986
   3.2.2); 0: there is none. */
static inline size_t
size_of_host(const char *text, size_t size)
{
	return text[0] == '[' ? size_of_literal(text, size) :
				size_of_name(text, size);
}

bool
rt_http_is_host(const char *text, size_t size)
{
	return size > 0 && size_of_host(text, size) == size;
}

/* RFC 3986 3.2.2: uri-host [ ":" port ]; no user information. Nothing at all is
   a Host field's, where the target has no authority (RFC 9110 7.2). */
static bool
valid_authority(const char *text, size_t size)
{
	size_t end;

	if (size == 0)
		return true;
	end = size_of_host(text, size);
	if (end == 0 || (end < size && text[end] != ':') || size - end > 6)
		return false;
	return end == size || rt_http_run(text, end + 1, size, DIGIT) == size;
}

/* The same of a Host field. A client says nearly always what it said last. */
static inline bool
valid_host(struct rt_http *http, const char *text, size_t size)
{
	if (size == http->host_size && memcmp(text, http->host, size) == 0)
		return true;
	if (!valid_authority(text, size))
		return false;
	if (size <= sizeof http->host) {
		memcpy(http->host, text, size);
		http->host_size = size;
	}
	return true;
}

/* Whether a valid authority ends in a port that a client can connect to. */
static bool
names_port(const char *text, size_t size)
{
	size_t at = size_of_host(text, size) + 1;
	uint64_t port;

	return at < size &&
		rt_word_number((struct rt_word){text + at, size - at}, 65535,
			&port) &&
		port > 0;
}

/* --- the target and the Host --- */

static bool
is_web(const char *target, size_t scheme)
{
	return rt_caseless(target, scheme, "http://") ||
		rt_caseless(target, scheme, "https://");
}

/* The authority after the scheme, which user information may precede where it
   is not forbidden (RFC 9110 4.2.4). Returns where it ends. */
static size_t
take_authority(struct rt_http *http, struct rt_span target, size_t at)
{
	struct rt_request *request = &http->request;
	const char *text = http->base + target.at;
	size_t begin = at;

	request->form = RT_ABSOLUTE;
	request->foreign = !is_web(text, at);
	for (; at < target.size && text[at] != '/' && text[at] != '?'; at++)
		if (request->foreign && text[at] == '@')
			begin = at + 1;
	request->host = (struct rt_span){target.at + (uint32_t)begin,
		(uint32_t)(at - begin)};
	return at;
}

/* A path and a query, from byte `at` of the target on. */
static inline int
take_path(struct rt_http *http, size_t at)
{
	struct rt_request *request = &http->request;
	size_t begin = request->target.at + at;
	size_t size = request->target.size - at, path = size;
	const char *text = http->base + begin, *query;

	query = http->marked_target ? memchr(text, '?', size) : NULL;
	if (query != NULL)
		path = (size_t)(query - text);
	request->path = (struct rt_span){(uint32_t)begin, (uint32_t)path};
	request->query = (struct rt_span){(uint32_t)(begin + path),
		(uint32_t)(size - path)};
	return 0;
}

/* A target that does not begin with a path. */
static int
take_other_form(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	struct rt_span target = request->target;
	size_t scheme;

	if (rt_span_is(http->base, target, "*")) {
		if (request->method != RT_OPTIONS)
			return refuse(http, 400, "\"*\" is for OPTIONS");
		request->form = RT_ASTERISK;
		return 0;
	}
	scheme = rt_http_scheme(http->base + target.at, target.size);
	if (scheme == 0 || scheme == target.size)
		return refuse(http, 400, "malformed request target");
	return take_path(http, take_authority(http, target, scheme));
}

/* RFC 9112 3.2 */
static int
check_target(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	const char *text = http->base + request->target.at;

	if (http->marked_target && memchr(text, '#', request->target.size))
		return refuse(http, 400, "fragment in the request target");
	if (request->method == RT_CONNECT) {
		request->form = RT_AUTHORITY;
		request->host = request->target;
		return 0;
	}
	request->form = RT_ORIGIN;
	return *text == '/' ? take_path(http, 0) : take_other_form(http);
}

/* That of the target; CONNECT wants a port in it (RFC 9110 9.3.6). */
static int
check_authority(struct rt_http *http)
{
	struct rt_span host = http->request.host;
	const char *text = http->base + host.at;

	if (host.size == 0 || !valid_authority(text, host.size))
		return refuse(http, 400, "malformed authority in the target");
	if (http->request.form == RT_AUTHORITY && !names_port(text, host.size))
		return refuse(http, 400,
			"CONNECT wants a port, from 1 to 65535");
	return 0;
}

/* RFC 9112 3.2: exactly one in HTTP/1.1, at most one before, and valid. */
int
rt_http_check_host(struct rt_http *http)
{
	static const char name[] = "Host";
	struct rt_request *request = &http->request;
	const struct rt_http_field *host =
		rt_http_field(request, http->base, name);

	if (host == NULL) {
		if (request->minor >= 1)
			return refuse(http, 400, "no Host field");
	} else {
		if (find_from(request, http->base, host + 1, name,
			    sizeof name - 1) != NULL)
			return refuse(http, 400, "more than one Host field");
		if (!valid_host(http, http->base + host->value.at,
			    host->value.size))
			return refuse(http, 400, "malformed Host field");
		if (request->form == RT_ORIGIN || request->form == RT_ASTERISK)
			request->host = host->value;
	}
	return request->form == RT_ABSOLUTE || request->form == RT_AUTHORITY ?
		check_authority(http) :
		0;
}

/* --- the body --- */

static const char coding[] = "Transfer-Encoding";

/* RFC 9112 6.1, 6.3: "chunked", once, and nothing else is served. */
static int
check_framing(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	const struct rt_http_field *field =
		rt_http_field(request, http->base, coding);

	if (field == NULL) {
		request->content_length = http->llhttp.content_length;
		request->has_body = request->content_length > 0;
		return 0;
	}
	if (request->minor == 0)
		return refuse(http, 400, "transfer coding in HTTP/1.0");
	if (rt_http_next(request, http->base, field) != NULL ||
		!rt_span_is(http->base, field->value, "chunked"))
		return refuse(http, 501,
			"only the transfer coding \"chunked\" "
			"is served");
	request->chunked = true;
	request->has_body = true;
	return 0;
}

/* RFC 9110 10.1.1: a list, ignored in HTTP/1.0, and 417 for anything else. */
static int
check_expect(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	const struct rt_http_field *expect;
	struct rt_word member;

	if (request->minor == 0)
		return 0;
	for (expect = rt_http_field(request, http->base, "Expect");
		expect != NULL;
		expect = rt_http_next(request, http->base, expect)) {
		const char *at = http->base + expect->value.at;
		const char *end = at + expect->value.size;

		while ((member = rt_text_member(&at, end)).size > 0) {
			if (!rt_caseless(member.text, member.size,
				    "100-continue"))
				return refuse(http, 417,
					"only 100-continue can be expected");
			request->expects_continue = request->has_body;
		}
	}
	return 0;
}

/* --- all of it --- */

int
rt_http_check_before(struct rt_http *http)
{
	const struct rt_request *request = &http->request;

	if (check_target(http) != 0)
		return -1;
	if (http->too_many)
		return refuse(http, 431, "too many fields");
	/* RFC 9112 6.3: versions of llhttp differ in what they make of both */
	if (rt_http_field(request, http->base, "Content-Length") != NULL &&
		rt_http_field(request, http->base, coding) != NULL)
		return refuse(http, 400,
			"Content-Length with a transfer coding");
	return 0;
}

int
rt_http_check_after(struct rt_http *http)
{
	return rt_http_check_host(http) != 0 || check_framing(http) != 0 ||
			check_expect(http) != 0 ?
		-1 :
		0;
}
