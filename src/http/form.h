/* SPDX-License-Identifier: MIT */
/*
 * Forms: pairs of a name and a value, in the query of a target, in a body of
 * application/x-www-form-urlencoded, and in one of multipart/form-data (RFC
 * 7578). Pure, and without memory of its own.
 */
#ifndef RT_FORM_H
#define RT_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Limits of multipart/form-data: of its parts, of the head of one in bytes, and
   of each name in that. */
#define RT_FORM_PARTS 1000
#define RT_FORM_HEAD 8192
#define RT_FORM_NAME 1024

/* A boundary has at most 70 bytes (RFC 2046 5.1.1). */
#define RT_FORM_BOUNDARY 70

struct rt_form_pair {
	struct rt_word name;
	struct rt_word value;
	bool encoded; /* as in URLs; otherwise these are the bytes themselves */
	bool valued;  /* there is a value, if only of no bytes */
	struct rt_word file; /* its file name; .text NULL: it is no file */
	struct rt_word type; /* its media type; .text NULL: it has none */
};

struct rt_pair_reader {
	const char *begin, *at, *end;
	char boundary[4 + RT_FORM_BOUNDARY]; /* CR LF "--" and the boundary */
	size_t boundary_size;                /* 0: it is encoded as in URLs */
	size_t parts;
	char name[RT_FORM_NAME], file[RT_FORM_NAME];
	const char *wrong; /* what is malformed there, at `at`; NULL */
};

/* Pairs that are encoded as in URLs. NULL: there are none. */
void rt_form_begin_encoded(struct rt_pair_reader *form, const char *text,
	size_t size);

/*
 * The body of a request with that Content-Type. False: that is no form. It may
 * be malformed, even if the first pairs are not.
 */
bool rt_form_begin(struct rt_pair_reader *form, const char *type,
	const char *body, size_t size);

/* Begins once more. */
void rt_form_rewind(struct rt_pair_reader *form);

/* The next pair, valid until the one after it. False: there is none, or
   form->wrong. */
bool rt_form_next(struct rt_pair_reader *form, struct rt_form_pair *pair);

#endif
