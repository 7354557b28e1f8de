/* SPDX-License-Identifier: MIT */
/*
 * The line structure of heads and trailer sections, byte by byte, and which
 * bytes may stand where (RFC 9110 5.6.2, 5.5; RFC 9112 2.2 to 5).
 */
#include "config.h"

#include "http/http_parts.h"

#include <string.h>

#define MAX_LEADING 16 /* bytes of empty lines before a request */

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

unsigned
rt_http_class(unsigned char c)
{
	return class_of(c);
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
	/* bytes that should have been encoded, such as those of UTF-8, mean
	   themselves */
	if (c > 0x7f)
		http->raw_target = true;
	if (c > 0x7f || class_of(c) & VCHAR) {
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
scan_value(struct rt_http *http, const char *base, size_t at)
{
	unsigned char c = (unsigned char)base[at];

	if (class_of(c) & VALUE)
		return 0;
	if (c == '\n')
		return refuse(http, 400, "bare LF (lines end in CR LF)");
	if (c == '\0')
		return refuse(http, 400, "NUL in a field value");
	if (c != '\r')
		return refuse(http, 400, "control character in a field value");
	if (base[at - 1] == ' ' || base[at - 1] == '\t')
		http->trailing = true;
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
		return scan_value(http, base, at);
	case SCAN_END_LF:
		return scan_lf(http, c, SCAN_END);
	case SCAN_END:
		break;
	}
	return 0;
}

int
rt_http_scan(struct rt_http *http, const char *base, size_t size)
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
