/* SPDX-License-Identifier: MIT */
/*
 * Parts of the request in a text: "{path}", "{query.id}". A brace begins one
 * if a letter or digit follows it; "{{" is one brace, and any other stands for
 * itself. The text is read once, and filled in for each request. Pure.
 */
#ifndef RT_FILL_H
#define RT_FILL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "retort.h"

/* The place of a text, which decides how parts of the request are escaped. */
enum rt_fill_in {
	RT_FILL_PLAIN,  /* not at all */
	RT_FILL_JSON,   /* within a string of JSON */
	RT_FILL_MARKUP, /* as text or in a quoted attribute of HTML or XML */
	RT_FILL_FORM,   /* percent-encoded but for unreserved characters */
	RT_FILL_URL,    /* likewise, but for slashes, too */
	RT_FILL_HOST,   /* likewise, where a URL has its host, which may have a
	                   port or be an address in brackets */
	RT_FILL_EVENT,  /* in one line: control characters become blanks */
	RT_FILL_FILE,   /* likewise, even as it arrived: a NUL would end the
	                   name */
	RT_FILL_FIELD   /* likewise, and {now} is an HTTP-date */
};

enum rt_fill_kind {
	RT_FILL_TEXT, /* the text's own bytes */
	RT_FILL_BREAK,
	RT_FILL_METHOD,
	RT_FILL_TARGET,
	RT_FILL_PATH,
	RT_FILL_STAR,
	RT_FILL_QUERY,
	RT_FILL_OF_FIELD,
	RT_FILL_OF_FORM,
	RT_FILL_OF_JSON,
	RT_FILL_ACCEPT,
	RT_FILL_BODY,
	RT_FILL_PAYLOAD,
	RT_FILL_FRAME, /* one begins, or "end": the last one ends */
	RT_FILL_CONNECTION,
	RT_FILL_COUNT,
	RT_FILL_NOW
};

struct rt_piece {
	enum rt_fill_kind kind;
	enum rt_fill_in in;
	const char *text; /* the bytes, or the name of what is filled in */
	size_t size;
};

/* A text, as it was read. All zeros: an empty one. */
struct rt_fill {
	struct rt_piece *pieces;
	size_t count;
	size_t room;
	size_t stars; /* the greatest number in braces; 0: none */
	bool any;     /* it has parts of the request */
};

/*
 * Reads more of the text, which must outlive it. 0; -EINVAL, with `error`, in
 * which `at` is the offset of the mistake; -ENOMEM.
 */
int rt_fill_read(struct rt_fill *fill, const char *text, size_t size,
	enum rt_fill_in in, enum retort_protocol protocol,
	struct rt_error *error);

/* Reads lines of fields likewise. Their names, in which nothing is filled in,
   decide about escaping. */
int rt_fill_read_fields(struct rt_fill *fill, const char *lines,
	enum retort_protocol protocol, struct rt_error *error);

/* The next call of rt_fill_add() ends here. 0 or -ENOMEM. */
int rt_fill_break(struct rt_fill *fill);

void rt_fill_free(struct rt_fill *fill);

/* How a body of this media type (NULL: none) is filled in. */
enum rt_fill_in rt_fill_in_type(const char *type, size_t size);

/* The most asterisks of a path that can be filled in. */
#define RT_MAX_STARS 9

/* The request whose parts are filled in. */
struct rt_filling {
	const struct retort_exchange *seen; /* NULL: nothing arrived */
	struct rt_word stars[RT_MAX_STARS]; /* as they arrived */
	uint64_t connection;
	unsigned count; /* how often the rule has answered */
	int64_t now;    /* seconds since the epoch */
};

/* Adds the text, filled in, from piece `from` to the next break, or to its end;
   the piece after that. */
size_t rt_fill_add(const struct rt_fill *fill, const struct rt_filling *filling,
	size_t from, struct rt_buf *to);

#endif
