/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the room site. */
#ifndef SITES_H
#define SITES_H

#include "site/range.h"
#include "site/site.h"
#include "support/harness.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

extern struct rt_limits limits;

extern char *folder;

extern struct rt_site site;

extern bool walk; /* each test runs in both ways of opening files */
void by_openat2(void);

void by_walk(void);

void open_root(const char *path);

void open_folder(void);

void close_folder(void);

/* The whole reply as the client would receive it. */
struct bytes flatten(const struct rt_reply *reply);

struct asking {
	struct rt_http *http;
	const char *text;
	struct rt_reply reply;
};

void begin_asking(struct asking *asking, const char *text);

bool go_on_asking(struct asking *asking);

void stop_asking(struct asking *asking);

extern int slices; /* of work that the last answer took */
struct bytes end_asking(struct asking *asking);

/* stands for $ in the fields of a request */
extern char etag[RT_ETAG_TEXT];

void take_etag(const char *name);

/* `fields` are separated by CRLF, or "". */
struct bytes ask_with(const char *method, const char *target,
	const char *fields);

struct bytes ask(const char *method, const char *target);

/* Where the body is. */
const char *body_of(const struct bytes *answer);

void expect_body(const struct bytes *answer, const void *expected, size_t size);

/*
 * How many fields of the head have that name, in the same case; where the
 * value of the last one is.
 */
size_t find_field(const struct bytes *answer, const char *name, size_t size,
	const char **value);

/* The field is there once, with that value; or, NULL, not at all. */
void expect_field(const struct bytes *answer, const char *name,
	const char *value);

void expect_length(const struct bytes *answer, size_t size);

void expect_length_of_body(const struct bytes *answer);

/* The head has each of these fields once, and no other; a space between. */
void expect_fields(const struct bytes *answer, const char *names);

/* The head of HEAD's answer is that of GET's, and there is no body. */
void expect_same_head(const struct bytes *head, const struct bytes *get);

/* An answer of that status, and what every answer has. */
struct bytes ask_status_with(const char *method, const char *target,
	const char *fields, int status);

struct bytes ask_status(const char *method, const char *target, int status);

void expect_status(const char *method, const char *target, int status);

void expect_file(const char *target, const char *content);

/* A status of 400 and up, with a body that says it. */
void expect_error(const char *method, const char *target, int status);

char *path_in(const char *name);

#define MODIFIED 784111777 /* DATE */

void set_time(const char *name, time_t seconds, long ns);

char *make_sized(const char *name, size_t size);

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"

#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define OF_REASON "Date Content-Type Content-Length Connection"

#define OF_304 "Date Cache-Control ETag Connection"

#define OF_FILE \
	"Date Cache-Control ETag Content-Type Last-Modified Accept-Ranges " \
	"Content-Length Connection"

#define OF_RANGE OF_FILE " Content-Range"

/* A folder with a.txt as of DATE, and its tag. */
void open_dated_folder(void);

void value_of(const struct bytes *answer, const char *name, char value[256]);

#define DIGITS "0123456789"

void open_digits(void);

void take(const char **at, const struct bytes *answer, const char *text);

/* One body part: "0-1" of `size` bytes at `data` (RFC 9110 14.6). */
const char *take_part(const char **at, const struct bytes *answer,
	const char *range, const char *type, const char *data, size_t size);

/*
 * The body is multipart/byteranges, byte for byte as RFC 2046 5.1.1 has it,
 * of these ranges: "0-1,4-5" of the `size` bytes at `data`.
 */
void expect_parts(const struct bytes *answer, const char *expected,
	const char *type, const char *data, size_t size);

#define PLAIN "plain plain plain"

#define WITH_VARY " Vary"

/* a.txt, and one file for each coding, all of the same time. */
void open_codings(void);

#define LOST "<p>lost"

/* Each case twice: by openat2(2), where the system has it, and then with what
   another request has left in memory, and without. */
void add(Suite *suite, const char *name, const TTest *const *tests);

#endif
