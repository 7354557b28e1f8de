/* SPDX-License-Identifier: MIT */
/* A served folder: how requests for its files are answered (RFC 9110). */
#ifndef RT_SITE_H
#define RT_SITE_H

#include "base/buf.h"
#include "http/date.h"
#include "http/http.h"
#include "os/file.h"
#include "reply/reply.h"
#include "retort.h"
#include "site/store.h"

struct rt_site {
	struct rt_root root;
	/* how it is served: all of it the owner's */
	struct retort_type *types; /* the user's, before the table */
	size_t type_count;
	struct retort_reply own; /* fields and omit, nothing else */
	const char *cache;       /* Cache-Control; NULL: "no-cache" */
	const char *spa;    /* the page for paths that do not exist; NULL */
	char *prefix;       /* of every path: "repo/"; NULL: none */
	bool unlisted;      /* a folder without an index is 403 */
	bool precompressed; /* .br, .zst and .gz next to a file stand for it */
	bool html;          /* NAME.html stands for NAME */
	/* kept from one answer to the next */
	struct rt_buf path;           /* of the request being answered */
	struct rt_buf location;       /* of its redirect */
	struct rt_buf content;        /* of a file on no disk */
	struct rt_store store;        /* small files */
	struct rt_listings *listings; /* the memory of all; NULL: none yet */
	char etag[256];               /* a file's, or the user's own */
	int64_t modified; /* last Last-Modified, which is often the next */
	char modified_text[RT_DATE_TEXT];
};

/*
 * A site of its own memory, which copies what it is given. NULL: errno, and a
 * line in `error`.
 */
struct rt_site *rt_site_open(const char *root, const struct retort_files *files,
	char *error);

/* Frees a site that rt_site_open() made. NULL is allowed. */
void rt_site_close(struct rt_site *site);

/* Initialises a site; what is set in it later is borrowed. */
void rt_site_init(struct rt_site *site);

/* Closes the root. */
void rt_site_free(struct rt_site *site);

/* 0, or the status of the error that its method, or the scheme of its target,
   gets, whatever the path. */
int rt_site_refusal(const struct rt_request *request);

/* How a rule wants its answer; all zero: as any other. */
struct rt_site_ways {
	const struct retort_reply *own; /* fields and omissions instead of the
	                                   site's; NULL: the site's */
	bool whole;                     /* ranges are ignored */
	bool forced; /* the body is sent even after HEAD, and with 304 */
};

/*
 * Answers a whole request. False: a slice of the work is done, and it is to be
 * called again with the same request and the reply as it is.
 */
bool rt_site_answer(struct rt_site *site, const struct rt_site_ways *ways,
	const struct rt_request *request, const char *base, const char *date,
	struct rt_reply *reply);

#endif
