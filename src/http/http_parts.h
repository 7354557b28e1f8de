/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room http; nobody else sees it. */
#ifndef RT_HTTP_PARTS_H
#define RT_HTTP_PARTS_H

#include <assert.h>

#include "http/http.h"
#include "http/rt_llhttp.h"
#include "http/status.h"

/* The next line of a head, or of a trailer section (from SCAN_FIELDS). */
enum scan {
	SCAN_BEGIN,  /* the request line, or an empty one before it */
	SCAN_FIELDS, /* a field's, or the empty one */
	SCAN_END
};

/* The part of a request that comes next. */
enum part { PART_HEAD, PART_BODY, PART_CHUNK_LINE, PART_TRAILERS, PART_DONE };

struct rt_http {
	llhttp_t fresh; /* as it is before each request */
	llhttp_t llhttp;
	char host[64]; /* the last Host field that was valid, */
	size_t host_size;
	struct rt_request request; /* what follows the memory of its fields is
	                              cleared for the next */
	const struct rt_limits *limits;
	const char *base; /* while llhttp runs */
	const char *reason;
	struct rt_buf *content; /* of a chunked body; NULL: dropped */
	size_t most;            /* bytes of it */
	size_t part_at;         /* where the head or trailer section begins */
	size_t scanned;         /* bytes of its lines that were scanned */
	int status;
	enum part part;
	enum scan scan;
	size_t name_size;   /* bytes of the next field's name, */
	size_t value_size;  /* and of its value, that were looked at */
	size_t found;       /* fields of that part, */
	size_t most_found;  /* of which this many are kept, */
	bool too_many;      /* and there are more of them */
	bool raw_target;    /* the target has bytes above 0x7f */
	bool marked_target; /* it may have '?' or '#' */
	bool trailing;      /* white space was seen at the end of a value */
	bool last_chunk;    /* its size line was seen */
	bool chunk_ended;   /* llhttp paused after a chunk's data */
	bool complete;      /* llhttp has seen the end of the message */
};

/* Why it is bad: the first reason counts. Returns -1. */
static inline int
refuse(struct rt_http *http, int status, const char *reason)
{
	assert(rt_status_refuses(status));
	if (http->status == 0) {
		http->status = status;
		http->reason = reason;
	}
	return -1;
}

/* Token characters; visible ASCII; what may stand in a field value; in the name
   of a host (RFC 3986 3.2.2), as itself; above 0x7f; visible, but neither '?'
   nor '#'; digits; SP and HT. */
enum {
	TCHAR = 1,
	VCHAR = 2,
	VALUE = 4,
	HOST = 8,
	HIGH = 16,
	PATH = 32,
	DIGIT = 64,
	BLANK = 128
};

extern const unsigned char rt_http_classes[256];

static inline bool
rt_http_is(char c, unsigned classes)
{
	return (rt_http_classes[(unsigned char)c] & classes) != 0;
}

/* Where the bytes of these classes end that begin at `at`. */
static inline size_t
rt_http_run(const char *base, size_t at, size_t end, unsigned classes)
{
	/* to ask for the end costs as much as to look at a byte */
	for (; end - at >= 4; at += 4) {
		if (!rt_http_is(base[at], classes))
			return at;
		if (!rt_http_is(base[at + 1], classes))
			return at + 1;
		if (!rt_http_is(base[at + 2], classes))
			return at + 2;
		if (!rt_http_is(base[at + 3], classes))
			return at + 3;
	}
	while (at < end && rt_http_is(base[at], classes))
		at++;
	return at;
}

/* Scans up to the end of the head or trailer section. 1: reached; 0: not yet;
   -1: refused. */
int rt_http_scan(struct rt_http *http, const char *base, size_t size);

/* Adds a field to `count` others. False: no memory. */
static inline bool
rt_http_add(struct rt_request *request, const char *base, size_t count,
	struct rt_http_field field)
{
	if (!rt_grow(&request->fields, &request->field_room, count,
		    sizeof field))
		return false;
	request->fields[count] = field;
	request->letters |= rt_http_letter(base[field.name.at]);
	return true;
}

/* What a whole head must be, before llhttp sees it, and after that. 0, or -1:
   refused. */
int rt_http_check_before(struct rt_http *http);
int rt_http_check_after(struct rt_http *http);

/* A part of the latter. */
int rt_http_check_host(struct rt_http *http);

#endif
