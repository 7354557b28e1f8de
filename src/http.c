/* SPDX-License-Identifier: MIT */
/*
 * Requests: the only room that knows llhttp.
 *
 * Every byte of a head passes `scan` first, which knows the line structure
 * and refuses what some versions of llhttp let through (bare CR and LF, NUL,
 * white space before the colon, obs-fold, an empty field name, bytes above
 * 0x7f in the target, versions other than 1.0 and 1.1). When the head is
 * whole, llhttp parses it, and check_head() adds what is left: Host, transfer
 * codings, the target's form. In a chunked body each chunk's size line goes
 * the same way, then the trailer section. Makes no system call.
 */
#include "config.h"

#include "http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rt_llhttp.h"

#define MAX_LEADING 16      /* bytes of empty lines before a request */
#define MAX_CHUNK_LINE 4096 /* bytes of a chunk's size and extensions */

/* Where a byte stands in a head, or in a trailer section (from SCAN_LINE). */
enum scan {
	SCAN_BEGIN, /* empty lines before the request */
	SCAN_BEGIN_LF,
	SCAN_METHOD,
	SCAN_TARGET,
	SCAN_VERSION,
	SCAN_FIRST_LF, /* the LF of the request line */
	SCAN_LINE,     /* first byte of a line */
	SCAN_NAME,
	SCAN_VALUE,
	SCAN_LF,     /* the LF of a field line */
	SCAN_END_LF, /* the LF of the empty line */
	SCAN_END
};

/* What is looked at. */
enum part { PART_HEAD, PART_BODY, PART_CHUNK_LINE, PART_TRAILERS, PART_DONE };

struct rt_http {
	llhttp_t llhttp;
	struct rt_request request;
	const struct rt_limits *limits;
	const char *base; /* while llhttp runs */
	const char *reason;
	struct rt_buf *content; /* of a chunked body; NULL: dropped */
	size_t part_at;         /* where the head or trailer section begins */
	size_t scanned;         /* bytes of that part that were scanned */
	int status;
	enum part part;
	enum scan scan;
	bool has_length;  /* Content-Length was seen, */
	bool has_coding;  /* and Transfer-Encoding */
	bool last_chunk;  /* its size line was seen */
	bool chunk_ended; /* llhttp paused behind a chunk's data */
	bool complete;    /* llhttp has seen the end of the message */
};

static int
refuse(struct rt_http *http, int status, const char *reason)
{
	if (http->status == 0) {
		http->status = status;
		http->reason = reason;
	}
	return -1;
}

/* 1: token character; 2: visible ASCII; 4: may stand in a field value. */
enum { TCHAR = 1, VCHAR = 2, VALUE = 4 };

static unsigned
class_of(unsigned char c)
{
	/* clang-format off */
	static const unsigned char classes[256] = {
		['\t'] = VALUE,
		[' '] = VALUE,
		['!'] = 7, ['"'] = 6, ['#'] = 7, ['$'] = 7, ['%'] = 7,
		['&'] = 7, ['\''] = 7, ['('] = 6, [')'] = 6, ['*'] = 7,
		['+'] = 7, [','] = 6, ['-'] = 7, ['.'] = 7, ['/'] = 6,
		['0'] = 7, ['1'] = 7, ['2'] = 7, ['3'] = 7, ['4'] = 7,
		['5'] = 7, ['6'] = 7, ['7'] = 7, ['8'] = 7, ['9'] = 7,
		[':'] = 6, [';'] = 6, ['<'] = 6, ['='] = 6, ['>'] = 6,
		['?'] = 6, ['@'] = 6,
		['A'] = 7, ['B'] = 7, ['C'] = 7, ['D'] = 7, ['E'] = 7,
		['F'] = 7, ['G'] = 7, ['H'] = 7, ['I'] = 7, ['J'] = 7,
		['K'] = 7, ['L'] = 7, ['M'] = 7, ['N'] = 7, ['O'] = 7,
		['P'] = 7, ['Q'] = 7, ['R'] = 7, ['S'] = 7, ['T'] = 7,
		['U'] = 7, ['V'] = 7, ['W'] = 7, ['X'] = 7, ['Y'] = 7,
		['Z'] = 7, ['['] = 6, ['\\'] = 6, [']'] = 6, ['^'] = 7,
		['_'] = 7, ['`'] = 7,
		['a'] = 7, ['b'] = 7, ['c'] = 7, ['d'] = 7, ['e'] = 7,
		['f'] = 7, ['g'] = 7, ['h'] = 7, ['i'] = 7, ['j'] = 7,
		['k'] = 7, ['l'] = 7, ['m'] = 7, ['n'] = 7, ['o'] = 7,
		['p'] = 7, ['q'] = 7, ['r'] = 7, ['s'] = 7, ['t'] = 7,
		['u'] = 7, ['v'] = 7, ['w'] = 7, ['x'] = 7, ['y'] = 7,
		['z'] = 7, ['{'] = 6, ['|'] = 7, ['}'] = 6, ['~'] = 7,
	};
	/* clang-format on */

	return c > 0x7f ? VALUE : classes[c];
}

static bool
all_of(const char *text, size_t size, unsigned class)
{
	for (size_t i = 0; i < size; i++)
		if ((class_of((unsigned char)text[i]) & class) == 0)
			return false;
	return true;
}

bool
rt_http_is_token(const char *text, size_t size)
{
	return size > 0 && all_of(text, size, TCHAR);
}

bool
rt_http_is_value(const char *text, size_t size)
{
	if (size == 0)
		return true;
	return all_of(text, size, VALUE) && strchr(" \t", text[0]) == NULL &&
		strchr(" \t", text[size - 1]) == NULL;
}

bool
rt_span_is(const char *base, struct rt_span span, const char *text)
{
	return strlen(text) == span.size &&
		strncasecmp(base + span.at, text, span.size) == 0;
}

/* --- the scan: line structure, byte by byte --- */

static enum rt_method
method_of(const char *base, struct rt_span name)
{
	/* Those that every supported llhttp knows; all others are given to
	   llhttp as POST. Method names are case-sensitive. */
	/* clang-format off */
	static const struct {
		const char *name;
		enum rt_method method;
	} known[] = {
		{"GET", RT_GET}, {"HEAD", RT_HEAD}, {"OPTIONS", RT_OPTIONS},
		{"CONNECT", RT_CONNECT}, {"POST", RT_OTHER}, {"PUT", RT_OTHER},
		{"DELETE", RT_OTHER}, {"PATCH", RT_OTHER}, {"TRACE", RT_OTHER},
		{"COPY", RT_OTHER}, {"LOCK", RT_OTHER}, {"MKCOL", RT_OTHER},
		{"MOVE", RT_OTHER}, {"PROPFIND", RT_OTHER},
		{"PROPPATCH", RT_OTHER}, {"SEARCH", RT_OTHER},
		{"UNLOCK", RT_OTHER}, {"BIND", RT_OTHER},
		{"REBIND", RT_OTHER}, {"UNBIND", RT_OTHER}, {"ACL", RT_OTHER},
		{"REPORT", RT_OTHER}, {"MKACTIVITY", RT_OTHER},
		{"CHECKOUT", RT_OTHER}, {"MERGE", RT_OTHER},
		{"M-SEARCH", RT_OTHER}, {"NOTIFY", RT_OTHER},
		{"SUBSCRIBE", RT_OTHER}, {"UNSUBSCRIBE", RT_OTHER},
		{"PURGE", RT_OTHER}, {"MKCALENDAR", RT_OTHER},
		{"LINK", RT_OTHER}, {"UNLINK", RT_OTHER},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].name) == name.size &&
			memcmp(known[i].name, base + name.at, name.size) == 0)
			return known[i].method;
	return RT_UNKNOWN;
}

static int
scan_begin(struct rt_http *http, unsigned char c, size_t at)
{
	if (class_of(c) & TCHAR) {
		http->request.line.at = (uint32_t)at;
		http->request.name.at = (uint32_t)at;
		http->scan = SCAN_METHOD;
		return 0;
	}
	if (at - http->part_at >= MAX_LEADING)
		return refuse(http, 400, "too many empty lines");
	if (c == '\r') {
		http->scan = SCAN_BEGIN_LF;
		return 0;
	}
	if (c == 0x16)
		return refuse(http, 400, "this looks like TLS; use http://");
	if (c == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	return refuse(http, 400, "malformed request line");
}

static int
scan_method(struct rt_http *http, const char *base, size_t at)
{
	struct rt_span *name = &http->request.name;
	unsigned char c = (unsigned char)base[at];

	name->size = (uint32_t)(at - name->at);
	if (c == ' ') {
		http->request.method = method_of(base, *name);
		http->request.target.at = (uint32_t)at + 1;
		http->scan = SCAN_TARGET;
		return 0;
	}
	if ((class_of(c) & TCHAR) == 0)
		return refuse(http, 400, "malformed request line");
	if (name->size >= RT_MAX_METHOD)
		return refuse(http, 501, "the method is too long");
	return 0;
}

static int
scan_target(struct rt_http *http, unsigned char c, size_t at)
{
	struct rt_span *target = &http->request.target;

	target->size = (uint32_t)(at - target->at);
	if (class_of(c) & VCHAR) {
		if (target->size >= http->limits->target)
			return refuse(http, 414, "the target is too long");
		return 0;
	}
	if (c == '\r' || c == '\n')
		return refuse(http, 400,
			"no HTTP version (HTTP/0.9 is not "
			"served)");
	if (c != ' ' || target->size == 0)
		return refuse(http, 400, "malformed request target");
	http->scan = SCAN_VERSION;
	return 0;
}

/* RFC 9112 2.3: HTTP-version is exactly "HTTP/" DIGIT "." DIGIT. */
static int
scan_version(struct rt_http *http, const char *base, size_t at)
{
	static const char form[] = "HTTP/0.0";
	const struct rt_span *target = &http->request.target;
	size_t from = (size_t)target->at + target->size + 1;
	size_t i = at - from;
	char c = base[at];

	if (i < sizeof form - 1) {
		if (form[i] == '0' ? c >= '0' && c <= '9' : c == form[i])
			return 0;
		return refuse(http, 400, "malformed HTTP version");
	}
	if (c == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	if (c != '\r')
		return refuse(http, 400, "malformed HTTP version");
	if (base[at - 3] != '1' || base[at - 1] > '1')
		return refuse(http, 505,
			"only HTTP/1.0 and HTTP/1.1 are served");
	http->request.minor = base[at - 1] - '0';
	http->request.line.size = (uint32_t)(at - http->request.line.at);
	http->scan = SCAN_FIRST_LF;
	return 0;
}

static int
scan_line(struct rt_http *http, unsigned char c)
{
	if (class_of(c) & TCHAR) {
		http->scan = SCAN_NAME;
		return 0;
	}
	switch (c) {
	case '\r':
		http->scan = SCAN_END_LF;
		return 0;
	case '\n':
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	case ' ':
	case '\t':
		return refuse(http, 400, "folded field line");
	case ':':
		return refuse(http, 400, "empty field name");
	default:
		return refuse(http, 400, "malformed field name");
	}
}

static int
scan_name(struct rt_http *http, unsigned char c)
{
	if (class_of(c) & TCHAR)
		return 0;
	if (c == ' ' || c == '\t')
		return refuse(http, 400, "space before the colon");
	if (c != ':')
		return refuse(http, 400, "malformed field name");
	http->scan = SCAN_VALUE;
	return 0;
}

static int
scan_value(struct rt_http *http, unsigned char c)
{
	if (class_of(c) & VALUE)
		return 0;
	if (c == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	if (c == '\0')
		return refuse(http, 400, "NUL in a field value");
	if (c != '\r')
		return refuse(http, 400, "control character in a field value");
	http->scan = SCAN_LF;
	return 0;
}

static int
scan_lf(struct rt_http *http, unsigned char c, enum scan next)
{
	if (c != '\n')
		return refuse(http, 400, "bare CR (lines end in CR LF)");
	http->scan = next;
	return 0;
}

static int
scan_byte(struct rt_http *http, const char *base, size_t at)
{
	unsigned char c = (unsigned char)base[at];

	switch (http->scan) {
	case SCAN_BEGIN:
		return scan_begin(http, c, at);
	case SCAN_BEGIN_LF:
		return scan_lf(http, c, SCAN_BEGIN);
	case SCAN_METHOD:
		return scan_method(http, base, at);
	case SCAN_TARGET:
		return scan_target(http, c, at);
	case SCAN_VERSION:
		return scan_version(http, base, at);
	case SCAN_FIRST_LF:
	case SCAN_LF:
		return scan_lf(http, c, SCAN_LINE);
	case SCAN_LINE:
		return scan_line(http, c);
	case SCAN_NAME:
		return scan_name(http, c);
	case SCAN_VALUE:
		return scan_value(http, c);
	case SCAN_END_LF:
		return scan_lf(http, c, SCAN_END);
	case SCAN_END:
		break;
	}
	return 0;
}

/* Scans up to the end of the head or trailer section. 1: reached. */
static int
scan_part(struct rt_http *http, const char *base, size_t size)
{
	size_t at = http->part_at + http->scanned;

	for (; at < size && http->scan != SCAN_END; at++) {
		if (at - http->part_at >= http->limits->head)
			return refuse(http, 431, "the head is too large");
		if (scan_byte(http, base, at) != 0)
			return -1;
	}
	http->scanned = at - http->part_at;
	return http->scan == SCAN_END;
}

/* --- what llhttp tells --- */

static struct rt_span
span_of(const struct rt_http *http, const char *at, size_t size)
{
	return (struct rt_span){(uint32_t)(at - http->base), (uint32_t)size};
}

static int
add_field(struct rt_http *http, struct rt_span name, size_t limit,
	size_t *count)
{
	struct rt_request *request = &http->request;
	size_t all = request->field_count + request->trailer_count;

	if (all >= limit)
		return refuse(http, 431, "too many fields");
	if (all == request->field_room) {
		size_t room =
			request->field_room ? request->field_room * 2 : 32;
		struct rt_http_field *fields =
			realloc(request->fields, room * sizeof *fields);

		if (fields == NULL)
			return refuse(http, 503, "out of memory");
		request->fields = fields;
		request->field_room = room;
	}
	request->fields[all] = (struct rt_http_field){.name = name};
	++*count;
	return 0;
}

static int
on_field_name(llhttp_t *llhttp, const char *at, size_t size)
{
	struct rt_http *http = llhttp->data;
	struct rt_request *request = &http->request;
	struct rt_span name = span_of(http, at, size);
	bool length = rt_span_is(http->base, name, "Content-Length");
	bool coding = rt_span_is(http->base, name, "Transfer-Encoding");

	/* RFC 9110 6.5.1, 9112 6.3. Versions of llhttp differ in what they make
	   of either, so it does not come to that. */
	if (http->part == PART_TRAILERS) {
		if (length || coding)
			return refuse(http, 400, "framing field in a trailer");
		return add_field(http, name, RT_MAX_FIELDS,
			&request->trailer_count);
	}
	http->has_length |= length;
	http->has_coding |= coding;
	if (http->has_length && http->has_coding)
		return refuse(http, 400,
			"Content-Length with a transfer "
			"coding");
	return add_field(http, name, http->limits->fields,
		&request->field_count);
}

static int
on_field_value(llhttp_t *llhttp, const char *at, size_t size)
{
	struct rt_http *http = llhttp->data;
	struct rt_request *request = &http->request;

	while (size > 0 && strchr(" \t", at[size - 1]) != NULL)
		size--;
	request->fields[request->field_count + request->trailer_count - 1]
		.value = span_of(http, at, size);
	return 0;
}

static int
on_body(llhttp_t *llhttp, const char *at, size_t size)
{
	struct rt_http *http = llhttp->data;

	http->request.body_size += size;
	if (http->content != NULL && http->request.chunked) {
		rt_buf_add(http->content, at, size);
		if (http->content->failed)
			return refuse(http, 503, "out of memory");
	}
	return 0;
}

static int
on_chunk_header(llhttp_t *llhttp)
{
	struct rt_http *http = llhttp->data;

	http->last_chunk = llhttp->content_length == 0;
	return 0;
}

/* Each chunk's size line is checked before llhttp sees it. */
static int
on_chunk_complete(llhttp_t *llhttp)
{
	struct rt_http *http = llhttp->data;

	if (http->last_chunk)
		return 0;
	http->chunk_ended = true;
	return HPE_PAUSED;
}

static int
on_message_complete(llhttp_t *llhttp)
{
	struct rt_http *http = llhttp->data;

	http->complete = true;
	return HPE_PAUSED;
}

static int check_head(struct rt_http *http);

static int
on_headers_complete(llhttp_t *llhttp)
{
	struct rt_http *http = llhttp->data;

	llhttp->upgrade = 0; /* RFC 9110 7.8: Upgrade may be ignored */
	return check_head(http);
}

static const llhttp_settings_t settings = {
	.on_header_field = on_field_name,
	.on_header_value = on_field_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
	.on_chunk_header = on_chunk_header,
	.on_chunk_complete = on_chunk_complete,
};

/*
 * Gives llhttp some bytes. Returns how many it took (less than `size` only
 * when it paused), or -1 when the request must be refused.
 */
static int64_t
give(struct rt_http *http, const char *bytes, size_t size)
{
	llhttp_errno_t error = llhttp_execute(&http->llhttp, bytes, size);
	const char *end = bytes + size;

	if (error == HPE_PAUSED) {
		end = llhttp_get_error_pos(&http->llhttp);
		llhttp_resume(&http->llhttp);
	} else if (error == HPE_INVALID_CONTENT_LENGTH ||
		error == HPE_UNEXPECTED_CONTENT_LENGTH) {
		return refuse(http, 400, "malformed Content-Length");
	} else if (error != HPE_OK) {
		return refuse(http, 400,
			http->part == PART_HEAD ? "malformed request" :
						  "malformed chunk");
	}
	return end - bytes;
}

/* --- what a whole head must be --- */

/* RFC 3986 3.2.2: uri-host [ ":" port ]; no user information. */
static bool
valid_authority(const char *text, size_t size)
{
	size_t i = 0;

	if (size > 0 && text[0] == '[') {
		while (i < size && text[i] != ']')
			i++;
		if (i == size || i < 3)
			return false;
		for (size_t k = 1; k < i; k++)
			if (strchr("0123456789abcdefABCDEFv.:", text[k]) ==
				NULL)
				return false;
		i++;
	} else {
		for (; i < size && text[i] != ':'; i++)
			if (strchr("\"#/<>?@[\\]^`{|}", text[i]) != NULL ||
				(class_of((unsigned char)text[i]) & VCHAR) == 0)
				return false;
	}
	if (i < size && text[i++] != ':')
		return false;
	if (size - i > 5)
		return false;
	for (; i < size; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* RFC 9112 3.2 */
static int
check_target(struct rt_http *http)
{
	static const char *const schemes[] = {"http://", "https://"};
	struct rt_request *request = &http->request;
	struct rt_span rest = request->target;
	const char *text = http->base + rest.at;
	size_t n;

	if (memchr(text, '#', rest.size) != NULL)
		return refuse(http, 400, "fragment in the request target");
	if (request->method == RT_CONNECT) {
		request->form = RT_AUTHORITY;
		request->host = rest;
		return 0;
	}
	if (rt_span_is(http->base, rest, "*")) {
		if (request->method != RT_OPTIONS)
			return refuse(http, 400, "\"*\" is for OPTIONS");
		request->form = RT_ASTERISK;
		return 0;
	}
	request->form = RT_ORIGIN;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		n = strlen(schemes[i]);
		if (rest.size <= n || strncasecmp(text, schemes[i], n) != 0)
			continue;
		request->form = RT_ABSOLUTE;
		request->host.at = rest.at + (uint32_t)n;
		while (n < rest.size && text[n] != '/' && text[n] != '?')
			n++;
		request->host.size = rest.at + (uint32_t)n - request->host.at;
		rest.at += (uint32_t)n;
		rest.size -= (uint32_t)n;
		break;
	}
	text = http->base + rest.at;
	if (request->form == RT_ORIGIN && text[0] != '/')
		return refuse(http, 400, "malformed request target");
	for (n = 0; n < rest.size && text[n] != '?'; n++)
		;
	request->path = (struct rt_span){rest.at, (uint32_t)n};
	request->query = (struct rt_span){rest.at + (uint32_t)n,
		rest.size - (uint32_t)n};
	return 0;
}

/* RFC 9112 3.2: exactly one in HTTP/1.1, at most one before, and valid. */
static int
check_host(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	const struct rt_http_field *host =
		rt_http_field(request, http->base, "Host", 0);

	if (host == NULL) {
		if (request->minor >= 1)
			return refuse(http, 400, "no Host field");
	} else {
		if (rt_http_field(request, http->base, "Host", 1) != NULL)
			return refuse(http, 400, "more than one Host field");
		if (!valid_authority(http->base + host->value.at,
			    host->value.size))
			return refuse(http, 400, "malformed Host field");
		if (request->form == RT_ORIGIN || request->form == RT_ASTERISK)
			request->host = host->value;
	}
	if ((request->form == RT_ABSOLUTE || request->form == RT_AUTHORITY) &&
		(request->host.size == 0 ||
			http->base[request->host.at] == ':' ||
			!valid_authority(http->base + request->host.at,
				request->host.size)))
		return refuse(http, 400, "malformed authority in the target");
	return 0;
}

/* RFC 9112 6.1, 6.3: "chunked", once, and nothing else is served. */
static int
check_framing(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	const struct rt_http_field *coding =
		rt_http_field(request, http->base, "Transfer-Encoding", 0);

	if (coding == NULL) {
		request->content_length = http->llhttp.content_length;
		request->has_body = request->content_length > 0;
		return 0;
	}
	if (request->minor == 0)
		return refuse(http, 400, "transfer coding in HTTP/1.0");
	if (rt_http_field(request, http->base, "Transfer-Encoding", 1) ||
		!rt_span_is(http->base, coding->value, "chunked"))
		return refuse(http, 501,
			"only the transfer coding \"chunked\" "
			"is served");
	request->chunked = true;
	request->has_body = true;
	return 0;
}

/* RFC 9110 10.1.1: ignored in HTTP/1.0, and 417 for anything else. */
static int
check_expect(struct rt_http *http)
{
	struct rt_request *request = &http->request;
	const struct rt_http_field *expect;

	if (request->minor == 0)
		return 0;
	for (size_t n = 0; (expect = rt_http_field(request, http->base,
				    "Expect", n)) != NULL;
		n++) {
		if (!rt_span_is(http->base, expect->value, "100-continue"))
			return refuse(http, 417,
				"only 100-continue can be "
				"expected");
		request->expects_continue = request->has_body;
	}
	return 0;
}

static int
check_head(struct rt_http *http)
{
	if (check_target(http) != 0 || check_host(http) != 0 ||
		check_framing(http) != 0 || check_expect(http) != 0)
		return -1;
	if (http->request.method == RT_CONNECT)
		return refuse(http, 501, "CONNECT is not served");
	return 0;
}

/* --- the parts of a request --- */

static int
feed_head(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	struct rt_request *request = &http->request;
	size_t begin;
	int scanned = scan_part(http, base, size);

	if (scanned <= 0)
		return scanned;
	request->head_size = http->part_at + http->scanned;
	begin = request->name.at;
	if (request->method == RT_UNKNOWN) {
		if (give(http, "POST", 4) < 0)
			return -1;
		begin += request->name.size;
	}
	if (give(http, base + begin, request->head_size - begin) < 0)
		return -1;
	*at = request->head_size;
	if (request->chunked)
		http->part = PART_CHUNK_LINE;
	else
		http->part = request->has_body ? PART_BODY : PART_DONE;
	return 1;
}

/*
 * RFC 9112 7.1: a chunk's size line. Extensions are checked here and not
 * shown to llhttp, whose versions differ in the quoted strings they take.
 */
static int
feed_chunk_line(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	const char *line = base + *at;
	size_t digits, n;

	for (digits = 0; digits < size - *at; digits++)
		if (strchr("0123456789abcdefABCDEF", line[digits]) == NULL ||
			line[digits] == '\0')
			break;
	for (n = digits; n < size - *at && line[n] != '\r'; n++)
		if (n >= MAX_CHUNK_LINE || (n == digits && line[n] != ';') ||
			(class_of((unsigned char)line[n]) & VALUE) == 0)
			return refuse(http, 400, "malformed chunk size");
	if (digits > MAX_CHUNK_LINE || (digits == 0 && n < size - *at))
		return refuse(http, 400, "malformed chunk size");
	if (size - *at < n + 2)
		return 0;
	if (line[n + 1] != '\n')
		return refuse(http, 400, "malformed chunk size");
	if (give(http, line, digits) < 0 || give(http, "\r\n", 2) < 0)
		return -1;
	*at += n + 2;
	if (http->last_chunk) {
		http->part = PART_TRAILERS;
		http->part_at = *at;
		http->scanned = 0;
		http->scan = SCAN_LINE;
	} else {
		http->part = PART_BODY;
	}
	return 1;
}

static int
feed_body(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	int64_t taken;

	if (*at == size)
		return 0;
	taken = give(http, base + *at, size - *at);
	if (taken < 0)
		return -1;
	if (http->complete)
		http->part = PART_DONE;
	else if (http->chunk_ended)
		http->part = PART_CHUNK_LINE;
	http->chunk_ended = false;
	*at += (size_t)taken;
	return http->part != PART_BODY;
}

static int
feed_trailers(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	int scanned;

	http->part_at = *at;
	scanned = scan_part(http, base, size);
	if (scanned <= 0)
		return scanned;
	if (give(http, base + *at, http->scanned) < 0)
		return -1;
	*at += http->scanned;
	http->part = PART_DONE;
	return 1;
}

enum rt_http_result
rt_http_feed(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	int moved = 1;

	http->base = base;
	while (moved > 0 && http->status == 0) {
		switch (http->part) {
		case PART_HEAD:
			moved = feed_head(http, base, at, size);
			if (moved > 0)
				return RT_HTTP_HEAD;
			break;
		case PART_CHUNK_LINE:
			moved = feed_chunk_line(http, base, at, size);
			break;
		case PART_BODY:
			moved = feed_body(http, base, at, size);
			break;
		case PART_TRAILERS:
			moved = feed_trailers(http, base, at, size);
			break;
		case PART_DONE:
			return RT_HTTP_DONE;
		}
	}
	return http->status != 0 ? RT_HTTP_BAD : RT_HTTP_MORE;
}

/* --- the parser's life --- */

struct rt_http *
rt_http_new(void)
{
	return calloc(1, sizeof(struct rt_http));
}

void
rt_http_free(struct rt_http *http)
{
	if (http != NULL)
		free(http->request.fields);
	free(http);
}

void
rt_http_reset(struct rt_http *http, const struct rt_limits *limits)
{
	struct rt_request empty = {
		.fields = http->request.fields,
		.field_room = http->request.field_room,
	};

	*http = (struct rt_http){.limits = limits, .request = empty};
	llhttp_init(&http->llhttp, HTTP_REQUEST, &settings);
	http->llhttp.data = http;
}

void
rt_http_keep(struct rt_http *http, struct rt_buf *content)
{
	http->content = content;
}

struct rt_request *
rt_http_request(struct rt_http *http)
{
	return &http->request;
}

struct rt_span
rt_http_line(const struct rt_http *http, const char *base, size_t size)
{
	struct rt_span line = http->request.line;

	if (line.size == 0)
		while (line.at + line.size < size &&
			base[line.at + line.size] != '\r' &&
			base[line.at + line.size] != '\n')
			line.size++;
	return line;
}

int
rt_http_refusal(const struct rt_http *http, const char **reason)
{
	*reason = http->reason;
	return http->status;
}

const struct rt_http_field *
rt_http_field(const struct rt_request *request, const char *base,
	const char *name, size_t n)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (rt_span_is(base, request->fields[i].name, name) && n-- == 0)
			return &request->fields[i];
	return NULL;
}

int
rt_http_percent(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 3 || *at != '%')
		return -1;
	for (int i = 1; i <= 2; i++) {
		int c = (unsigned char)at[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			c = (c | 0x20) - 'a' + 10;
		else
			return -1;
		value = value << 4 | c;
	}
	return value;
}

const char *
rt_http_phrase(int status)
{
	/* clang-format off */
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{100, "Continue"}, {101, "Switching Protocols"},
		{102, "Processing"}, {103, "Early Hints"},
		{200, "OK"}, {201, "Created"}, {202, "Accepted"},
		{203, "Non-Authoritative Information"}, {204, "No Content"},
		{205, "Reset Content"}, {206, "Partial Content"},
		{207, "Multi-Status"}, {208, "Already Reported"},
		{226, "IM Used"}, {300, "Multiple Choices"},
		{301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
		{304, "Not Modified"}, {305, "Use Proxy"},
		{307, "Temporary Redirect"}, {308, "Permanent Redirect"},
		{400, "Bad Request"}, {401, "Unauthorized"},
		{402, "Payment Required"}, {403, "Forbidden"},
		{404, "Not Found"}, {405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"},
		{411, "Length Required"}, {412, "Precondition Failed"},
		{413, "Content Too Large"}, {414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"}, {417, "Expectation Failed"},
		{418, "I'm a teapot"}, {421, "Misdirected Request"},
		{422, "Unprocessable Content"}, {423, "Locked"},
		{424, "Failed Dependency"}, {425, "Too Early"},
		{426, "Upgrade Required"}, {428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{451, "Unavailable For Legal Reasons"},
		{500, "Internal Server Error"}, {501, "Not Implemented"},
		{502, "Bad Gateway"}, {503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
		{506, "Variant Also Negotiates"},
		{507, "Insufficient Storage"}, {508, "Loop Detected"},
		{511, "Network Authentication Required"},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}
