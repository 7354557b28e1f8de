/* SPDX-License-Identifier: MIT */
/*
 * Requests: the only room that knows llhttp.
 *
 * Every byte of a head passes rt_http_scan() first, which knows the line
 * structure, keeps where the fields are, and refuses what some versions of
 * llhttp let through (bare CR and LF, NUL, white space before the colon, obs-
 * fold, an empty field name, versions other than 1.0 and 1.1). When the head is
 * whole, llhttp parses it, and http_head.c has the rest: the target's form,
 * Host, transfer codings. llhttp is not shown what some of its versions refuse
 * without need: methods that they do not know, CONNECT, schemes other than http
 * and https, bytes above 0x7f in the target, white space after a value. In a
 * chunked body each chunk's size line goes the same way, then the trailer
 * section. Makes no system call.
 */
#include "config.h"

#include "http/http_parts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHUNK_LINE 4096 /* bytes of a chunk's size and extensions */

/* --- what llhttp tells --- */

static int
on_body(llhttp_t *llhttp, const char *at, size_t size)
{
	struct rt_http *http = llhttp->data;

	http->request.body_size += size;
	if (http->content != NULL && http->request.chunked) {
		size_t room = http->most - http->content->len;

		rt_buf_add(http->content, at, size < room ? size : room);
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

static int
on_headers_complete(llhttp_t *llhttp)
{
	struct rt_http *http = llhttp->data;

	llhttp->upgrade = 0; /* RFC 9110 7.8: Upgrade may be ignored */
	return rt_http_check_after(http);
}

static const llhttp_settings_t settings = {
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

/* --- the parts of a request --- */

/* The request line as every llhttp takes it, as far as that needs to be; the
   rest of the head begins at *rest. */
static int
give_line(struct rt_http *http, const char *base, size_t *rest)
{
	const struct rt_request *request = &http->request;
	bool known =
		request->method != RT_UNKNOWN && request->method != RT_CONNECT;
	bool raw = http->raw_target || request->method == RT_CONNECT ||
		request->foreign;

	*rest = request->name.at;
	if (known && !raw)
		return 0;
	*rest += request->name.size;
	if (give(http, known ? base + request->name.at : "POST",
		    known ? request->name.size : 4) < 0)
		return -1;
	if (!raw)
		return 0;
	*rest = (size_t)request->target.at + request->target.size;
	return give(http, " /", 2) < 0 ? -1 : 0;
}

/* Whole lines, but for the white space at their ends. */
static int
give_trimmed(struct rt_http *http, const char *bytes, size_t size)
{
	const char *end = bytes + size, *cr, *last;

	for (; bytes < end; bytes = cr + 2) {
		last = cr = memchr(bytes, '\r', (size_t)(end - bytes));
		while (last > bytes && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (last > bytes &&
			give(http, bytes, (size_t)(last - bytes)) < 0)
			return -1;
		if (give(http, cr, 2) < 0)
			return -1;
	}
	return 0;
}

static inline int
give_lines(struct rt_http *http, const char *bytes, size_t size)
{
	if (http->trailing)
		return give_trimmed(http, bytes, size);
	return give(http, bytes, size) < 0 ? -1 : 0;
}

static int
feed_head(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	struct rt_request *request = &http->request;
	int scanned = rt_http_scan(http, base, size);
	size_t begin;

	if (scanned <= 0)
		return scanned;
	request->head_size = http->part_at + http->scanned;
	request->field_count = http->found;
	if (rt_http_check_before(http) != 0)
		return -1;
	if (give_line(http, base, &begin) != 0 ||
		give_lines(http, base + begin, request->head_size - begin) != 0)
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
			!rt_http_is(line[n], VALUE))
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
		http->found = 0;
		http->most_found = RT_MAX_FIELDS - http->request.field_count;
		http->scan = SCAN_FIELDS;
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

/* RFC 9110 6.5.1 */
static int
check_trailers(struct rt_http *http, const char *base)
{
	const struct rt_request *request = &http->request;

	for (size_t i = 0; i < request->trailer_count; i++) {
		struct rt_span name =
			request->fields[request->field_count + i].name;

		if (rt_span_is(base, name, "Content-Length") ||
			rt_span_is(base, name, "Transfer-Encoding"))
			return refuse(http, 400, "framing field in a trailer");
	}
	return http->too_many ? refuse(http, 431, "too many fields") : 0;
}

/* The section begins at `at` now, as bytes before it were dropped. */
static void
move_trailers(struct rt_http *http, size_t at)
{
	uint32_t by = (uint32_t)(http->part_at - at);
	struct rt_http_field *field =
		http->request.fields + http->request.field_count;

	for (size_t i = 0; i < http->found; i++, field++) {
		field->name.at -= by;
		field->value.at -= by;
	}
	http->part_at = at;
}

static int
feed_trailers(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	int scanned;

	move_trailers(http, *at);
	scanned = rt_http_scan(http, base, size);
	if (scanned <= 0)
		return scanned;
	http->request.trailer_count = http->found;
	if (check_trailers(http, base) != 0 ||
		give_lines(http, base + *at, http->scanned) != 0)
		return -1;
	*at += http->scanned;
	http->part = PART_DONE;
	return 1;
}

/* What comes after the head. */
static enum rt_http_result
feed_rest(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	int moved = 1;

	while (moved > 0 && http->status == 0) {
		switch (http->part) {
		case PART_CHUNK_LINE:
			moved = feed_chunk_line(http, base, at, size);
			break;
		case PART_BODY:
			moved = feed_body(http, base, at, size);
			break;
		case PART_TRAILERS:
			moved = feed_trailers(http, base, at, size);
			break;
		default: /* PART_DONE */
			return RT_HTTP_DONE;
		}
	}
	return http->status != 0 ? RT_HTTP_BAD : RT_HTTP_MORE;
}

enum rt_http_result
rt_http_feed(struct rt_http *http, const char *base, size_t *at, size_t size)
{
	http->base = base;
	if (http->part != PART_HEAD)
		return feed_rest(http, base, at, size);
	if (http->status == 0 && feed_head(http, base, at, size) > 0)
		return RT_HTTP_HEAD;
	return http->status != 0 ? RT_HTTP_BAD : RT_HTTP_MORE;
}

/* --- the parser's life --- */

struct rt_http *
rt_http_new(void)
{
	struct rt_http *http = calloc(1, sizeof *http);

	if (http == NULL)
		return NULL;
	llhttp_init(&http->fresh, HTTP_REQUEST, &settings);
	http->fresh.data = http;
	return http;
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
	http->llhttp = http->fresh;
	rt_clear(&http->request.field_count,
		sizeof *http - offsetof(struct rt_http, request.field_count));
	http->limits = limits;
	http->most_found = limits->fields;
}

void
rt_http_keep(struct rt_http *http, struct rt_buf *content, size_t most)
{
	http->content = content;
	http->most = most;
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
