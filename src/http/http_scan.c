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

/* clang-format off */
const unsigned char rt_http_classes[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = 15, ['"'] = 6, ['#'] = 7, ['$'] = 15, ['%'] = 15, ['&'] = 15,
	['\''] = 15, ['('] = 14, [')'] = 14, ['*'] = 15, ['+'] = 15,
	[','] = 14, ['-'] = 15, ['.'] = 15, ['/'] = 6, ['0'] = 15, ['1'] = 15,
	['2'] = 15, ['3'] = 15, ['4'] = 15, ['5'] = 15, ['6'] = 15,
	['7'] = 15, ['8'] = 15, ['9'] = 15, [':'] = 6, [';'] = 14, ['<'] = 6,
	['='] = 14, ['>'] = 6, ['?'] = 6, ['@'] = 6, ['A'] = 15, ['B'] = 15,
	['C'] = 15, ['D'] = 15, ['E'] = 15, ['F'] = 15, ['G'] = 15,
	['H'] = 15, ['I'] = 15, ['J'] = 15, ['K'] = 15, ['L'] = 15,
	['M'] = 15, ['N'] = 15, ['O'] = 15, ['P'] = 15, ['Q'] = 15,
	['R'] = 15, ['S'] = 15, ['T'] = 15, ['U'] = 15, ['V'] = 15,
	['W'] = 15, ['X'] = 15, ['Y'] = 15, ['Z'] = 15, ['['] = 6, ['\\'] = 6,
	[']'] = 6, ['^'] = 7, ['_'] = 15, ['`'] = 7, ['a'] = 15, ['b'] = 15,
	['c'] = 15, ['d'] = 15, ['e'] = 15, ['f'] = 15, ['g'] = 15,
	['h'] = 15, ['i'] = 15, ['j'] = 15, ['k'] = 15, ['l'] = 15,
	['m'] = 15, ['n'] = 15, ['o'] = 15, ['p'] = 15, ['q'] = 15,
	['r'] = 15, ['s'] = 15, ['t'] = 15, ['u'] = 15, ['v'] = 15,
	['w'] = 15, ['x'] = 15, ['y'] = 15, ['z'] = 15, ['{'] = 6, ['|'] = 7,
	['}'] = 6, ['~'] = 15,
	/* from 0x80 on */
	[128] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[144] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[160] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[176] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[192] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[208] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[224] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
	[240] = 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
};
/* clang-format on */

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

/*
 * Each of these takes what there is of its part, from *at on, where there is a
 * byte, up to `end`, and moves *at past it. 0, or -1: refused.
 */

static int
scan_begin(struct rt_http *http, const char *base, size_t *at)
{
	char c = base[*at];

	if (rt_http_is(c, TCHAR)) {
		http->request.line.at = (uint32_t)*at;
		http->request.name.at = (uint32_t)*at;
		http->scan = SCAN_METHOD;
		return 0;
	}
	if (*at - http->part_at >= MAX_LEADING)
		return refuse(http, 400, "too many empty lines");
	if (c == '\r') {
		++*at;
		http->scan = SCAN_BEGIN_LF;
		return 0;
	}
	if (c == 0x16)
		return refuse(http, 400, "this looks like TLS; use http://");
	if (c == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	return refuse(http, 400, "malformed request line");
}

/* The span goes on to `end`, unless that is more than `most` bytes. */
static bool
extend(struct rt_span *span, size_t end, size_t most)
{
	size_t size = end - span->at;

	span->size = (uint32_t)(size < most ? size : most);
	return size <= most;
}

static int
scan_method(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	struct rt_span *name = &http->request.name;

	*at = rt_http_run(base, *at, end, TCHAR);
	if (!extend(name, *at, RT_MAX_METHOD))
		return refuse(http, 501, "the method is too long");
	if (*at == end)
		return 0;
	if (base[*at] != ' ')
		return refuse(http, 400, "malformed request line");
	http->request.method = method_of(base, *name);
	++*at;
	http->request.target.at = (uint32_t)*at;
	http->scan = SCAN_TARGET;
	return 0;
}

static int
scan_target(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	struct rt_span *target = &http->request.target;
	char c;

	*at = rt_http_run(base, *at, end, VCHAR);
	/* bytes that should have been encoded, such as those of UTF-8, mean
	   themselves */
	if (*at < end && rt_http_is(base[*at], HIGH)) {
		http->raw_target = true;
		*at = rt_http_run(base, *at, end, VCHAR | HIGH);
	}
	if (!extend(target, *at, http->limits->target))
		return refuse(http, 414, "the target is too long");
	if (*at == end)
		return 0;
	c = base[*at];
	if (c == '\r' || c == '\n')
		return refuse(http, 400,
			"no HTTP version (HTTP/0.9 is not "
			"served)");
	if (c != ' ' || target->size == 0)
		return refuse(http, 400, "malformed request target");
	++*at;
	http->scan = SCAN_VERSION;
	return 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9112 2.3: HTTP-version is exactly "HTTP/" DIGIT "." DIGIT. */
static int
scan_version(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	const struct rt_span *target = &http->request.target;
	const size_t begin = (size_t)target->at + target->size + 1;
	const char *version = base + begin;
	size_t have = end - begin;

	if (memcmp(version, "HTTP/", have < 5 ? have : 5) != 0 ||
		(have > 5 && !is_digit(version[5])) ||
		(have > 6 && version[6] != '.') ||
		(have > 7 && !is_digit(version[7])) ||
		(have > 8 && version[8] != '\r' && version[8] != '\n'))
		return refuse(http, 400, "malformed HTTP version");
	*at = begin + (have < 8 ? have : 8);
	if (*at == end)
		return 0;
	if (version[8] == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	if (version[5] != '1' || version[7] > '1')
		return refuse(http, 505,
			"only HTTP/1.0 and HTTP/1.1 are served");
	http->request.minor = version[7] - '0';
	http->request.line.size = (uint32_t)(*at - http->request.line.at);
	++*at;
	http->scan = SCAN_FIRST_LF;
	return 0;
}

static int
scan_line(struct rt_http *http, const char *base, size_t *at)
{
	char c = base[*at];

	if (rt_http_is(c, TCHAR)) {
		http->name.at = (uint32_t)*at;
		http->scan = SCAN_NAME;
		return 0;
	}
	switch (c) {
	case '\r':
		++*at;
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
scan_name(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	*at = rt_http_run(base, *at, end, TCHAR);
	if (*at == end)
		return 0;
	if (rt_is_blank(base[*at]))
		return refuse(http, 400, "space before the colon");
	if (base[*at] != ':')
		return refuse(http, 400, "malformed field name");
	http->name.size = (uint32_t)(*at - http->name.at);
	++*at;
	http->scan = SCAN_VALUE;
	return 0;
}

/* So many fields of this part are kept. */
static size_t
most_fields(const struct rt_http *http)
{
	return http->part == PART_HEAD ?
		http->limits->fields :
		RT_MAX_FIELDS - http->request.field_count;
}

/* The line of a field ends at `end`. */
static int
end_field(struct rt_http *http, const char *base, size_t end)
{
	size_t begin = (size_t)http->name.at + http->name.size + 1;
	struct rt_http_field field = {.name = http->name};

	if (http->found == most_fields(http)) {
		http->too_many = true;
		return 0;
	}
	for (; end > begin && rt_is_blank(base[end - 1]); end--)
		http->trailing = true;
	while (begin < end && rt_is_blank(base[begin]))
		begin++;
	field.value =
		(struct rt_span){(uint32_t)begin, (uint32_t)(end - begin)};
	if (!rt_http_add(&http->request, base,
		    http->request.field_count + http->found, field))
		return refuse(http, 503, "out of memory");
	http->found++;
	return 0;
}

/* Whether eight bytes are VALUE all of them, and no tabs: none is below 0x20,
   where subtracting that would borrow, and none 0x7f. */
static bool
are_value(const char *bytes)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t eight, deleted;

	memcpy(&eight, bytes, sizeof eight);
	deleted = eight ^ (each * 0x7f);
	return ((((eight - each * 0x20) & ~eight) |
			((deleted - each) & ~deleted)) &
		       (each * 0x80)) == 0;
}

static int
scan_value(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	char c;

	while (end - *at >= 8 && are_value(base + *at))
		*at += 8;
	*at = rt_http_run(base, *at, end, VALUE);
	if (*at == end)
		return 0;
	c = base[*at];
	if (c == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	if (c == '\0')
		return refuse(http, 400, "NUL in a field value");
	if (c != '\r')
		return refuse(http, 400, "control character in a field value");
	http->scan = SCAN_LF;
	return end_field(http, base, (*at)++);
}

static int
scan_lf(struct rt_http *http, const char *base, size_t *at, enum scan next)
{
	if (base[*at] != '\n')
		return refuse(http, 400, "bare CR (lines end in CR LF)");
	++*at;
	http->scan = next;
	return 0;
}

static int
scan_part(struct rt_http *http, const char *base, size_t *at, size_t end)
{
	switch (http->scan) {
	case SCAN_BEGIN:
		return scan_begin(http, base, at);
	case SCAN_BEGIN_LF:
		return scan_lf(http, base, at, SCAN_BEGIN);
	case SCAN_METHOD:
		return scan_method(http, base, at, end);
	case SCAN_TARGET:
		return scan_target(http, base, at, end);
	case SCAN_VERSION:
		return scan_version(http, base, at, end);
	case SCAN_FIRST_LF:
	case SCAN_LF:
		return scan_lf(http, base, at, SCAN_LINE);
	case SCAN_LINE:
		return scan_line(http, base, at);
	case SCAN_NAME:
		return scan_name(http, base, at, end);
	case SCAN_VALUE:
		return scan_value(http, base, at, end);
	case SCAN_END_LF:
		return scan_lf(http, base, at, SCAN_END);
	case SCAN_END:
		break;
	}
	return 0;
}

int
rt_http_scan(struct rt_http *http, const char *base, size_t size)
{
	size_t at = http->part_at + http->scanned;
	size_t most = http->part_at + http->limits->head;
	size_t end = size < most ? size : most;

	while (at < end && http->scan != SCAN_END)
		if (scan_part(http, base, &at, end) != 0)
			return -1;
	if (at < size && http->scan != SCAN_END)
		return refuse(http, 431, "the head is too large");
	http->scanned = at - http->part_at;
	return http->scan == SCAN_END;
}
