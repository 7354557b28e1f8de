/* SPDX-License-Identifier: MIT */
/*
 * Bytes to request: llhttp, and the checks that llhttp does not make.
 *
 * The request's head is kept whole in the caller's buffer, so a request is
 * made of spans of that buffer; nothing is copied. llhttp is given whole,
 * checked pieces only (the head, a chunk's size line, a trailer section), which
 * makes the outcome the same however the bytes were cut on their way, and the
 * same with every version of llhttp.
 */
#ifndef RT_HTTP_H
#define RT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* Bytes of the buffer that the request was read into. */
struct rt_span {
	uint32_t at;
	uint32_t size;
};

struct rt_http_field {
	struct rt_span name;
	struct rt_span value; /* without white space around it */
};

enum rt_method {
	RT_UNKNOWN, /* any token that is none of the others */
	RT_GET,
	RT_HEAD,
	RT_OPTIONS,
	RT_CONNECT,
	RT_OTHER /* known, and nothing special about it here */
};

/* RFC 9112 3.2 */
enum rt_form { RT_ORIGIN, RT_ABSOLUTE, RT_AUTHORITY, RT_ASTERISK };

struct rt_limits {
	size_t target; /* bytes of the request target: 414 */
	size_t head;   /* bytes of the head, or of a trailer section: 431;
	                  at most RT_MAX_HEAD */
	size_t fields; /* fields in the head: 431; at most RT_MAX_FIELDS */
};

#define RT_MAX_FIELDS 1000
#define RT_MAX_HEAD (16u << 20)
#define RT_MAX_METHOD 64

struct rt_request {
	struct rt_http_field *fields; /* in order, as they arrived */
	size_t field_room;
	size_t field_count;
	size_t trailer_count; /* those of the trailer section, after them */
	enum rt_method method;
	enum rt_form form;
	int minor;             /* HTTP/1.minor: 0 or 1 */
	struct rt_span line;   /* the request line, or what came of it */
	struct rt_span name;   /* of the method */
	struct rt_span target; /* as it arrived */
	struct rt_span path;   /* of the target; size 0 when it has none */
	struct rt_span query;  /* with its "?"; size 0 when it has none */
	struct rt_span host;   /* authority: the target's, else Host's */
	uint32_t letters; /* that fields' names begin with: most names that are
	                     looked for begin with others */
	size_t head_size; /* bytes up to and with the empty line */
	bool has_body;    /* one is announced, and it is not empty */
	bool bare;        /* a refused head that is whole, and announces none */
	bool foreign;     /* its target has a scheme that is not http, https */
	bool chunked;
	bool expects_continue;   /* Expect: 100-continue, in HTTP/1.1 */
	uint64_t content_length; /* announced; 0 when chunked */
	uint64_t body_size;      /* bytes of content seen so far */
};

struct rt_http;

enum rt_http_result {
	RT_HTTP_MORE, /* everything was looked at: more bytes are needed */
	RT_HTTP_HEAD, /* the head is complete; call again for the rest */
	RT_HTTP_DONE, /* the request is complete; bytes may follow it */
	RT_HTTP_BAD   /* it must be refused: rt_http_refusal() */
};

/* A parser and its request; reused through rt_http_reset(). NULL: no memory. */
struct rt_http *rt_http_new(void);
void rt_http_free(struct rt_http *http);

/* Forgets the request. The limits must outlive the next one. */
void rt_http_reset(struct rt_http *http, const struct rt_limits *limits);

/* The content of a chunked body is added to `content`, once for a request,
   until it holds `most` bytes. Called again, it may be less. */
void rt_http_keep(struct rt_http *http, struct rt_buf *content, size_t most);

/*
 * Looks at `size` bytes of `base`, those from *at on for the first time, and
 * moves *at past what it has dealt with. Before RT_HTTP_HEAD is returned the
 * bytes must stay where they are within `base` (base itself may move); after
 * that, body bytes before *at may be dropped, and the bytes after them moved
 * up, if *at and `size` are adjusted.
 */
enum rt_http_result rt_http_feed(struct rt_http *http, const char *base,
	size_t *at, size_t size);

struct rt_request *rt_http_request(struct rt_http *http);

/* The request line, or what came of it among the first `size` bytes. */
struct rt_span rt_http_line(const struct rt_http *http, const char *base,
	size_t size);

/* The status (4xx, 5xx) and a short reason why a request is refused. */
int rt_http_refusal(const struct rt_http *http, const char **reason);

/*
 * Shows all of a head that was refused: the request becomes its parts, as far
 * as they can be told apart, and its head_size the bytes up to an empty line,
 * the end of a request line without a version, the first byte that is no text,
 * or the limit; however they were cut on their way. False: more of it is to
 * come, unless what there is is the `last`.
 */
bool rt_http_see_refused(struct rt_http *http, const char *base, size_t size,
	bool last);

/* A bit for what names begin with; a letter's case does not change it. */
static inline uint32_t
rt_http_letter(char c)
{
	return (uint32_t)1 << (c & 31);
}

/* rt_http_field() of a name, of `size` bytes, that a field may have. */
const struct rt_http_field *rt_http_find(const struct rt_request *request,
	const char *base, const char *name, size_t size);

/* The first field of that name (compared without case), or NULL. */
static inline const struct rt_http_field *
rt_http_field(const struct rt_request *request, const char *base,
	const char *name)
{
	return (request->letters & rt_http_letter(*name)) == 0 ?
		NULL :
		rt_http_find(request, base, name, strlen(name));
}

/* The next one of the same name, or NULL. */
const struct rt_http_field *rt_http_next(const struct rt_request *request,
	const char *base, const struct rt_http_field *field);

/* Whether the span holds exactly this text, letters compared without case. */
static inline bool
rt_span_is(const char *base, struct rt_span span, const char *text)
{
	return rt_caseless(base + span.at, span.size, text);
}

/* Whether it is a token (RFC 9110 5.6.2), or visible ASCII, SP and HT or
   above 0x7f: a field value (5.5) without white space around it. */
bool rt_http_is_token(const char *text, size_t size);
bool rt_http_is_value(const char *text, size_t size);

/* Whether it is what a Host field can say, without a port. */
bool rt_http_is_host(const char *text, size_t size);

/* Whether the client wants to go on after the reply (RFC 9112 9.3). */
bool rt_http_persists(const struct rt_request *request, const char *base);

/* Bytes of the "SCHEME://" that a target begins with; 0: it has none. */
size_t rt_http_scheme(const char *target, size_t size);

/* Whether a target, or a pattern for it, can come with that method (size 0:
   any): a path, "*", a URL, or with CONNECT an authority. */
bool rt_http_may_come(const char *method, size_t method_size,
	const char *target, size_t size);

#endif
