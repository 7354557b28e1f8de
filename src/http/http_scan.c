/* SPDX-License-Identifier: MIT */
/*
 * The line structure of heads and trailer sections, part by part, and which
 * bytes may stand where (RFC 9110 5.6.2, 5.5; RFC 9112 2.2 to 5).
 */
#include "config.h"

#include "http/http_parts.h"

#include <string.h>

#include "base/text.h"

#define MAX_LEADING 16 /* bytes of empty lines before a request */

/* Visible ASCII: of no name; of a field's name, or a host's, or both. */
#define V (VCHAR | VALUE | PATH)
#define T (V | TCHAR)
#define H (V | HOST)
#define B (V | TCHAR | HOST)
#define D (B | DIGIT)
#define U (VALUE | HIGH) /* above 0x7f */

/* clang-format off */
const unsigned char rt_http_classes[256] = {
	['\t'] = VALUE | BLANK, [' '] = VALUE | BLANK,
	/* ! " # $ % & ' ( ) * + , - . / */
	['!'] = B, V, T & ~PATH, B, T, B, B, H, H, B, B, H, B, B, V,
	/* 0 to 9, : ; < = > ? @ */
	D, D, D, D, D, D, D, D, D, D, V, H, V, H, V, V & ~PATH, V,
	/* A to Z, [ \ ] ^ _ ` */
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, V, V, V, T, B, T,
	/* a to z, { | } ~ */
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, V, T, V, B,
	[0x80] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0x90] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0xa0] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0xb0] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0xc0] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0xd0] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0xe0] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	[0xf0] = U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
};
/* clang-format on */
#undef V
#undef T
#undef H
#undef B
#undef D
#undef U

bool
rt_http_is_token(const char *text, size_t size)
{
	return size > 0 && rt_http_run(text, 0, size, TCHAR) == size;
}

bool
rt_http_is_value(const char *text, size_t size)
{
	if (size == 0)
		return true;
	return rt_http_run(text, 0, size, VALUE) == size &&
		!rt_is_blank(text[0]) && !rt_is_blank(text[size - 1]);
}

size_t
rt_http_scheme(const char *target, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789+-.";
	size_t n = 0;

	/* RFC 3986 3.1 */
	while (n < size && target[n] != '\0' &&
		(strchr(letters, target[n]) != NULL ||
			(n > 0 && strchr(others, target[n]) != NULL)))
		n++;
	return n > 0 && size - n >= 3 && memcmp(target + n, "://", 3) == 0 ?
		n + 3 :
		0;
}

bool
rt_http_may_come(const char *method, size_t method_size, const char *target,
	size_t size)
{
	static const char connect[] = "CONNECT";

	if (method_size == sizeof connect - 1 &&
		memcmp(method, connect, method_size) == 0)
		return size > 0 && *target != '/';
	return size > 0 &&
		(*target == '/' || *target == '*' ||
			rt_http_scheme(target, size) > 0);
}

static bool
is_word(const char *bytes, size_t size, const char *word)
{
	size_t i = 0;

	while (i < size && bytes[i] == word[i])
		i++;
	return i == size && word[i] == '\0';
}

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
		if (is_word(base + name.at, name.size, known[i].name))
			return known[i].method;
	return RT_UNKNOWN;
}

/*
 * Each of these takes a whole line that begins at *at, and moves *at past it,
 * or goes on with one of which there was less before: the spans of its parts
 * have what is known of it. 1; 0: it has no end before `end`; -1: refused.
 */

/* The span goes on to `end`, unless that is more than `most` bytes. */
static bool
extend(struct rt_span *span, size_t end, size_t most)
{
	size_t size = end - span->at;

	span->size = (uint32_t)(size < most ? size : most);
	return size <= most;
}

/* A byte that no line can have there. */
static int
refuse_byte(struct rt_http *http, char c)
{
	switch (c) {
	case '\r':
		return refuse(http, 400, "bare CR (lines end in CR LF)");
	case '\n':
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	case '\0':
		return refuse(http, 400, "NUL in a field value");
	default:
		return refuse(http, 400, "control character in a field value");
	}
}

/* CR LF is not at `cr`: maybe not yet. */
static int
miss_end(struct rt_http *http, const char *base, size_t cr, size_t end)
{
	if (cr == end || (base[cr] == '\r' && cr + 1 == end))
		return 0;
	return refuse_byte(http, base[cr]);
}

/* Takes a line that ends with the CR LF at `cr`. */
static inline int
end_line(struct rt_http *http, const char *base, size_t *at, size_t cr,
	size_t end)
{
	if (end - cr < 2 || memcmp(base + cr, "\r\n", 2) != 0)
		return miss_end(http, base, cr, end);
	*at = cr + 2;
	return 1;
}

static int
scan_empty(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	if (*at - http->part_at >= MAX_LEADING)
		return refuse(http, 400, "too many empty lines");
	switch (base[*at]) {
	case '\r':
	case '\n':
		return end_line(http, base, at, *at, end);
	case 0x16:
		return refuse(http, 400, "this looks like TLS; use http://");
	default:
		return refuse(http, 400, "malformed request line");
	}
}

static int
refuse_target(struct rt_http *http, char c)
{
	return refuse(http, 400,
		c == '\r' || c == '\n' ?
			"no HTTP version (HTTP/0.9 is not served)" :
			"malformed request target");
}

/* RFC 9112 2.3: HTTP-version is exactly "HTTP/" DIGIT "." DIGIT. Any other than
   those served, or one of which there are `have` bytes so far. */
static int
refuse_version(struct rt_http *http, const char *version, size_t have)
{
	if (memcmp(version, "HTTP/", have < 5 ? have : 5) != 0 ||
		(have > 5 && !rt_http_is(version[5], DIGIT)) ||
		(have > 6 && version[6] != '.') ||
		(have > 7 && !rt_http_is(version[7], DIGIT)) ||
		(have > 8 && version[8] != '\r' && version[8] != '\n'))
		return refuse(http, 400, "malformed HTTP version");
	if (have <= 8)
		return 0;
	if (version[8] == '\n')
		return refuse_byte(http, '\n');
	return refuse(http, 505, "only HTTP/1.0 and HTTP/1.1 are served");
}

static int
scan_version(struct rt_http *http, const char *base, size_t *at, size_t begin,
	size_t end)
{
	const char *version = base + begin;

	if (end - begin <= 8 || memcmp(version, "HTTP/1.", 7) != 0 ||
		(version[7] != '0' && version[7] != '1') || version[8] != '\r')
		return refuse_version(http, version, end - begin);
	http->request.minor = version[7] - '0';
	http->request.line.size = (uint32_t)(begin + 8 - http->request.line.at);
	return end_line(http, base, at, begin + 8, end);
}

/* The method, and the space after it. */
static inline int
scan_method(struct rt_http *http, const char *base, size_t at, size_t end)
{
	struct rt_request *request = &http->request;
	struct rt_span *name = &request->name;
	size_t n;

	request->line.at = name->at = (uint32_t)at;
	/* nearly all: to look for it takes longer than the rest of the line */
	if (end - at >= 4 && memcmp(base + at, "GET ", 4) == 0) {
		name->size = 3;
		request->method = RT_GET;
		return 1;
	}
	n = rt_http_run(base, at + name->size, end, TCHAR);
	if (!extend(name, n, RT_MAX_METHOD))
		return refuse(http, 501, "the method is too long");
	if (n == end)
		return 0;
	if (base[n] != ' ')
		return refuse(http, 400, "malformed request line");
	request->method = method_of(base, *name);
	return 1;
}

static int
scan_request_line(struct rt_http *http, const char *base, size_t *at,
	size_t end)
{
	struct rt_span *target = &http->request.target;
	int scanned = scan_method(http, base, *at, end);
	size_t n;

	if (scanned <= 0)
		return scanned;
	n = *at + http->request.name.size + 1;
	target->at = (uint32_t)n;
	n = rt_http_run(base, n + target->size, end, PATH);
	if (n < end && base[n] != ' ') {
		http->marked_target = true;
		n = rt_http_run(base, n, end, VCHAR);
	}
	/* bytes that should have been encoded, such as those of UTF-8, mean
	   themselves */
	if (n < end && rt_http_is(base[n], HIGH)) {
		http->raw_target = true;
		n = rt_http_run(base, n, end, VCHAR | HIGH);
	}
	if (!extend(target, n, http->limits->target))
		return refuse(http, 414, "the target is too long");
	if (n == end)
		return 0;
	if (base[n] != ' ' || target->size == 0)
		return refuse_target(http, base[n]);
	return scan_version(http, base, at, n + 1, end);
}

/* A field whose line has a colon and a CR there. */
static int
add_field(struct rt_http *http, const char *base, size_t at, size_t colon,
	size_t cr)
{
	size_t begin = colon + 1;

	if (http->found == http->most_found) {
		http->too_many = true;
		return 1;
	}
	/* the colon is not blank */
	for (; rt_http_is(base[cr - 1], BLANK); cr--)
		http->trailing = true;
	while (begin < cr && rt_http_is(base[begin], BLANK))
		begin++;
	if (!rt_http_add(&http->request, base,
		    http->request.field_count + http->found,
		    (struct rt_http_field){
			    .name = {(uint32_t)at, (uint32_t)(colon - at)},
			    .value = {(uint32_t)begin, (uint32_t)(cr - begin)},
		    }))
		return refuse(http, 503, "out of memory");
	http->found++;
	return 1;
}

/* Eight bytes as a number, whose lowest byte is the first. */
static uint64_t
eight_of(const char *bytes)
{
	const unsigned char *at = (const unsigned char *)bytes;

	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
		(uint64_t)at[3] << 24 | (uint64_t)at[4] << 32 |
		(uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
		(uint64_t)at[7] << 56;
}

/* 0: eight bytes are ASCII, and VALUE, but no tabs. Otherwise the lowest bit is
   in the first that is not: above 0x7e adding 1 sets the highest bit of a byte,
   and below 0x20 subtracting that clears it. */
static uint64_t
others_in(const char *bytes)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	const uint64_t high = each * 0x80;
	uint64_t eight = eight_of(bytes);

	return (~((eight | high) - each * 0x20) | (eight + each) | eight) &
		high;
}

/* Where the value ends that begins at `at`: most are ASCII. */
static size_t
run_of_value(const char *base, size_t at, size_t end)
{
	uint64_t others = 0;

	while (end - at >= 8 && (others = others_in(base + at)) == 0)
		at += 8;
	if (others != 0)
		at += (unsigned)__builtin_ctzll(others) / 8;
	if (at < end && base[at] == '\r')
		return at;
	return rt_http_run(base, at, end, VALUE);
}

/* What begins with that is no field. */
static int
refuse_line(struct rt_http *http, char c)
{
	switch (c) {
	case '\n':
		return refuse_byte(http, c);
	case ' ':
	case '\t':
		return refuse(http, 400, "folded field line");
	case ':':
		return refuse(http, 400, "empty field name");
	default:
		return refuse(http, 400, "malformed field name");
	}
}

/* How much of the next field was looked at. */
static int
keep_sizes(struct rt_http *http, size_t name, size_t value)
{
	http->name_size = name;
	http->value_size = value;
	return 0;
}

static int
scan_field(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	size_t begin = *at, colon, cr;
	int ended;

	colon = rt_http_run(base, begin + http->name_size, end, TCHAR);
	if (colon == end)
		return keep_sizes(http, colon - begin, 0);
	if (colon == begin)
		return refuse_line(http, base[colon]);
	if (base[colon] != ':')
		return refuse(http, 400,
			rt_is_blank(base[colon]) ? "space before the colon" :
						   "malformed field name");
	cr = run_of_value(base, colon + 1 + http->value_size, end);
	ended = end_line(http, base, at, cr, end);
	if (ended == 0)
		return keep_sizes(http, colon - begin, cr - colon - 1);
	if (ended < 0)
		return -1;
	(void)keep_sizes(http, 0, 0);
	return add_field(http, base, begin, colon, cr);
}

/* Fields, and the empty line. */
static int
scan_fields(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	int scanned;

	while (*at < end && base[*at] != '\r') {
		scanned = scan_field(http, base, at, end);
		if (scanned <= 0)
			return scanned;
	}
	scanned = end_line(http, base, at, *at, end);
	if (scanned > 0)
		http->scan = SCAN_END;
	return scanned;
}

static int
scan_begin(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	int scanned;

	while (*at < end && !rt_http_is(base[*at], TCHAR)) {
		scanned = scan_empty(http, base, at, end);
		if (scanned <= 0)
			return scanned;
	}
	if (*at == end)
		return 0;
	scanned = scan_request_line(http, base, at, end);
	if (scanned > 0)
		http->scan = SCAN_FIELDS;
	return scanned;
}

int
rt_http_scan(struct rt_http *http, const char *base, size_t size)
{
	size_t at = http->part_at + http->scanned;
	size_t most = http->part_at + http->limits->head;
	size_t end = size < most ? size : most;
	int scanned = 1;

	if (http->scan == SCAN_BEGIN)
		scanned = scan_begin(http, base, &at, end);
	if (scanned > 0 && http->scan == SCAN_FIELDS)
		scanned = scan_fields(http, base, &at, end);
	if (scanned >= 0 && http->scan != SCAN_END && end < size)
		return refuse(http, 431, "the head is too large");
	http->scanned = at - http->part_at;
	return scanned < 0 ? -1 : http->scan == SCAN_END;
}
