/* SPDX-License-Identifier: MIT */
/*
 * Requests of others are data, which a stranger may have sent and which may
 * contain secrets. So the path of the page cannot be guessed. It answers only
 * to names of the loopback, which a page of another site cannot have by
 * rebinding its own name, and never to a request that a browser makes for
 * another site.
 */
#include "config.h"

#include "inspect/inspect.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "inspect/call.h"
#include "inspect/inspect_page.h"
#include "job/clock.h"

/* The most calls that are kept for later pages, and the most bytes of them. */
#define MOST_CALLS 200
#define MOST_BYTES ((size_t)4 << 20)

/* The most requests of a kept connection that its growing transcript is sent
   with. */
#define MOST_TRANSCRIPTS 64

/* The number of last records among which a new one is sought. */
#define LOOKED_AT 1000

/* Pages that read at a time. */
#define MOST_PAGES 8

/* Parts that make a line longer than this are left out. */
#define LONGEST_LINE ((size_t)900 << 10)

/* The most ms that a page may take nothing. */
#define PATIENCE 10000

/* The ms that pages have to take the rest at the end. */
#define GRACE 200

/* 128 bits, in hexadecimal digits. */
#define SECRET_BYTES 16
#define SECRET_SIZE (2 * SECRET_BYTES + 1)

/* A call, as the line that pages get. */
struct kept {
	uint64_t connection;
	uint64_t nth;
	bool whole;       /* nothing but its end is to be told */
	uint64_t version; /* of the line, among those of all; 0: none */
	char *line;
	size_t size;
};

/* A page, and what it has: all lines up to this version. */
struct page {
	uint64_t connection; /* 0: the place is free */
	uint64_t version;
};

struct inspect {
	struct retort *server; /* of the page */
	struct retort *shown;  /* the page shows its requests */
	char secret[SECRET_SIZE];
	const char *url;
	struct kept calls[MOST_CALLS]; /* the oldest first */
	size_t count;
	size_t bytes;     /* of their lines */
	uint64_t version; /* of the last one */
	bool partly;      /* one is not whole */
	struct page pages[MOST_PAGES];
	char hello[RETORT_ERROR_SIZE]; /* what a page begins with */
	char moved[SECRET_SIZE + 16];  /* the field that says where the page is,
	                                  if its final slash is missing */
};

/* --- pages --- */

/* The page of a connection, or with 0 a free place; NULL: there is none. */
static struct page *
find_page(struct inspect *inspect, uint64_t connection)
{
	for (size_t i = 0; i < MOST_PAGES; i++)
		if (inspect->pages[i].connection == connection)
			return inspect->pages + i;
	return NULL;
}

/* Handles an event of the server of the page. */
static void
page_event(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size)
{
	struct page *page = find_page(arg, exchange->connection);

	(void)bytes;
	(void)size;
	if (event == RETORT_ON_END && page != NULL)
		page->connection = 0;
}

/* Resets the connection of a page that does not read or has gone. */
static void
cut_off(struct inspect *inspect, struct page *page)
{
	(void)retort_end(inspect->server, page->connection, RETORT_RST);
	page->connection = 0;
}

/* The next call that the page lacks; NULL: none. */
static const struct kept *
find_next(const struct inspect *inspect, const struct page *page)
{
	const struct kept *next = NULL;

	for (size_t i = 0; i < inspect->count; i++) {
		const struct kept *call = inspect->calls + i;

		if (call->version > page->version &&
			(next == NULL || call->version < next->version))
			next = call;
	}
	return next;
}

/* Sends the page as many of the calls that it lacks as it takes now. False: it
   has taken none. */
static bool
push(struct inspect *inspect, struct page *page)
{
	const uint64_t before = page->version;
	const struct kept *call;
	int code = 0;

	while (code == 0 && page->version < inspect->version &&
		(call = find_next(inspect, page)) != NULL) {
		code = retort_push(inspect->server, page->connection,
			call->line, call->size);
		if (code == 0)
			page->version = call->version;
	}
	if (code < 0 && code != -EAGAIN)
		cut_off(inspect, page);
	return page->version != before;
}

/* Sends all pages the calls that they lack. */
static bool
push_all(struct inspect *inspect)
{
	bool any = false;

	for (size_t i = 0; i < MOST_PAGES; i++)
		if (inspect->pages[i].connection != 0)
			any = push(inspect, inspect->pages + i) || any;
	return any;
}

/* --- calls --- */

/* Forgets the first call. A page that still lacks it has not read for long. */
static void
forget_first(struct inspect *inspect)
{
	for (size_t i = 0; i < MOST_PAGES; i++)
		if (inspect->pages[i].connection != 0 &&
			inspect->pages[i].version < inspect->calls[0].version)
			cut_off(inspect, inspect->pages + i);
	inspect->bytes -= inspect->calls[0].size;
	free(inspect->calls[0].line);
	inspect->count--;
	memmove(inspect->calls, inspect->calls + 1,
		inspect->count * sizeof *inspect->calls);
}

static struct kept *
find_call(struct inspect *inspect, const struct retort_exchange *exchange)
{
	for (size_t i = inspect->count; i-- > 0;)
		if (inspect->calls[i].connection == exchange->connection &&
			inspect->calls[i].nth == exchange->nth)
			return inspect->calls + i;
	return NULL;
}

static struct kept *
need_call(struct inspect *inspect, const struct retort_exchange *exchange)
{
	struct kept *call = find_call(inspect, exchange);

	if (call != NULL)
		return call;
	if (inspect->count == MOST_CALLS)
		forget_first(inspect);
	call = inspect->calls + inspect->count++;
	*call = (struct kept){.connection = exchange->connection,
		.nth = exchange->nth};
	inspect->partly = true;
	return call;
}

/* The number of records. */
static size_t
count_records(struct retort *server)
{
	size_t least = 0, most = 1;

	while (retort_record(server, most) != NULL) {
		least = most;
		most *= 2;
	}
	/* there is `least`, and no `most` */
	while (most - least > 1) {
		size_t middle = least + (most - least) / 2;

		if (retort_record(server, middle) != NULL)
			least = middle;
		else
			most = middle;
	}
	return least;
}

/* The record of a call, if it is among the last `most`; NULL: it is not. */
static const struct retort_exchange *
find_record(struct retort *server, const struct kept *call, size_t most)
{
	for (size_t n = count_records(server); n > 0 && most > 0; n--, most--) {
		const struct retort_exchange *record = retort_record(server, n);

		if (record->connection == call->connection &&
			record->nth == call->nth)
			return record;
	}
	return NULL;
}

/* Tells pages what is known of a call now. `exchange` is its record, or that of
   an event. */
static void
tell(struct inspect *inspect, struct kept *kept,
	const struct retort_exchange *exchange, char *transcript)
{
	struct retort_exchange brief = *exchange;
	struct call call = {exchange, retort_url(inspect->shown), transcript,
		inspect->server};
	size_t size = 0;
	char *line = call_text(call_write, &call, &size);

	if (line != NULL && size > LONGEST_LINE) {
		free(line);
		/* as of one of which there is no record */
		brief.method = NULL;
		brief.body_size = 0;
		call = (struct call){.exchange = &brief};
		line = call_text(call_write, &call, &size);
	}
	free(transcript);
	if (line == NULL)
		return;
	inspect->bytes += size - kept->size;
	free(kept->line);
	kept->line = line;
	kept->size = size;
	kept->version = ++inspect->version;
}

/* Whether the client came and went without a byte, which is not shown. */
static bool
is_silent(const struct retort_exchange *exchange)
{
	return exchange->received == 0 && exchange->tls_error == NULL;
}

void
inspect_event(struct inspect *inspect, enum retort_event event,
	const struct retort_exchange *exchange)
{
	const struct retort_exchange *record;
	struct kept *call;

	if (inspect == NULL || inspect->shown == NULL)
		return;
	if (event == RETORT_ON_HEAD)
		(void)need_call(inspect, exchange);
	if (event != RETORT_ON_END || is_silent(exchange))
		return;
	call = need_call(inspect, exchange);
	record = find_record(inspect->shown, call,
		call->whole ? SIZE_MAX : LOOKED_AT);
	call->whole = true;
	tell(inspect, call, record ? record : exchange,
		exchange->nth <= MOST_TRANSCRIPTS ?
			retort_transcript(inspect->shown,
				exchange->connection) :
			NULL);
}

/* Looks again for the records of requests that were still being answered. */
static void
look_again(struct inspect *inspect)
{
	if (!inspect->partly)
		return;
	inspect->partly = false;
	for (size_t i = 0; i < inspect->count; i++) {
		struct kept *call = inspect->calls + i;
		const struct retort_exchange *record;

		if (call->whole)
			continue;
		record = find_record(inspect->shown, call, LOOKED_AT);
		call->whole = record != NULL;
		if (record == NULL)
			inspect->partly = true;
		else
			tell(inspect, call, record, NULL);
	}
}

void
inspect_step(struct inspect *inspect)
{
	if (inspect == NULL)
		return;
	look_again(inspect);
	while (inspect->count > 1 && inspect->bytes > MOST_BYTES)
		forget_first(inspect);
	/* what was sent makes room for more */
	do
		(void)retort_step(inspect->server, 0);
	while (push_all(inspect));
}

/* --- who may look --- */

/* Whether a browser sends the request for a page of another site. */
static bool
is_foreign(const struct retort_exchange *exchange)
{
	const char *site = retort_field_of(exchange, "Sec-Fetch-Site", 0);
	const char *origin = retort_field_of(exchange, "Origin", 0);
	const char *host = retort_field_of(exchange, "Host", 0);

	if (site != NULL && strcmp(site, "same-origin") != 0 &&
		strcmp(site, "none") != 0)
		return true;
	return origin != NULL &&
		(host == NULL || strncmp(origin, "http://", 7) != 0 ||
			strcasecmp(origin + 7, host) != 0);
}

/* The rest of the path after the secret; NULL: it has another. The time of the
   comparison does not depend on how much of the secret was right. */
static const char *
after_secret(const struct inspect *inspect, const char *path)
{
	size_t size = SECRET_SIZE - 1;
	int wrong = 0;

	if (path == NULL || *path != '/' || strlen(path) < size + 1)
		return NULL;
	for (size_t i = 0; i < size; i++)
		wrong |= path[1 + i] ^ inspect->secret[i];
	return wrong == 0 ? path + 1 + size : NULL;
}

static int
refuse(struct retort_reply *reply, int status, const char *why)
{
	reply->status = status;
	reply->body = why;
	return 0;
}

static int
answer_stream(struct inspect *inspect, uint64_t connection,
	struct retort_reply *reply)
{
	struct page *page = find_page(inspect, 0);

	if (page == NULL)
		return refuse(reply, 503, "too many pages are open\n");
	reply->type = "application/x-ndjson";
	reply->body = inspect->hello;
	reply->chunked = true;
	reply->open = true;
	*page = (struct page){.connection = connection};
	return 0;
}

static const struct {
	const char *path;
	const char *type;
	const unsigned char *bytes;
	size_t size;
} parts[] = {
	{"/", "text/html; charset=utf-8", inspect_html, sizeof inspect_html},
	{"/inspect.css", "text/css; charset=utf-8", inspect_css,
		sizeof inspect_css},
	{"/inspect.js", "text/javascript; charset=utf-8", inspect_js,
		sizeof inspect_js},
};

static int
answer(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	struct inspect *inspect = arg;
	const char *path = after_secret(inspect, exchange->path);

	if (is_foreign(exchange))
		return refuse(reply, 403, "not for other sites\n");
	if (path == NULL)
		return refuse(reply, 404, "not here\n");
	if (strcmp(exchange->method, "GET") != 0)
		return refuse(reply, 405, "GET alone\n");
	if (*path == '\0') {
		reply->status = 308;
		reply->fields = inspect->moved;
		return 0;
	}
	if (strcmp(path, "/requests") == 0)
		return answer_stream(inspect, exchange->connection, reply);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strcmp(path, parts[i].path) == 0) {
			reply->type = parts[i].type;
			reply->body = parts[i].bytes;
			reply->body_size = parts[i].size;
			return 0;
		}
	return refuse(reply, 404, "not here\n");
}

/* --- the server of the page --- */

static int
make_secret(char *secret)
{
	unsigned char bytes[SECRET_BYTES];

	if (getentropy(bytes, sizeof bytes) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof bytes; i++)
		(void)snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int
open_page(struct inspect *inspect, char *error)
{
	int code = make_secret(inspect->secret);
	char path[SECRET_SIZE + 2];

	if (code < 0) {
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s", strerror(-code));
		return code;
	}
	inspect->server = retort_start(.bind = "127.0.0.1",
		.hosts = "127.0.0.1\nlocalhost", .stepped = true,
		.unrecorded = true, .sigpipe_ignored = true, .max_body = 1024,
		.head_timeout = PATIENCE, .body_timeout = PATIENCE,
		.write_timeout = PATIENCE, .event = page_event,
		.event_arg = inspect, .error = error);
	if (inspect->server == NULL)
		return -errno;
	code = retort_on(inspect->server, NULL, .handler = answer,
		.handler_arg = inspect,
		.fields = "Content-Security-Policy: default-src 'none'; "
			  "script-src 'self'; style-src 'self'; "
			  "connect-src 'self'; img-src data:; "
			  "base-uri 'none'; form-action 'none'; "
			  "frame-ancestors 'none'\n"
			  "Cache-Control: no-store\n"
			  "Cross-Origin-Opener-Policy: same-origin\n"
			  "Cross-Origin-Resource-Policy: same-origin\n"
			  "Referrer-Policy: no-referrer\n"
			  "X-Content-Type-Options: nosniff");
	(void)snprintf(path, sizeof path, "%s/", inspect->secret);
	(void)snprintf(inspect->moved, sizeof inspect->moved, "Location: /%s",
		path);
	inspect->url = retort_url(inspect->server, path);
	if (code < 0 || inspect->url == NULL) {
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s",
			strerror(code < 0 ? -code : ENOMEM));
		return code < 0 ? code : -ENOMEM;
	}
	return 0;
}

struct inspect *
inspect_open(char *error)
{
	struct inspect *inspect = calloc(1, sizeof *inspect);
	int code = -ENOMEM;

	if (inspect == NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s",
			strerror(ENOMEM));
	else
		code = open_page(inspect, error);
	if (code == 0)
		return inspect;
	inspect_close(inspect);
	errno = -code;
	return NULL;
}

void
inspect_show(struct inspect *inspect, struct retort *server)
{
	const char *url = retort_url(server);

	inspect->shown = server;
	(void)snprintf(inspect->hello, sizeof inspect->hello,
		"{\"retort\":\"%s\",\"url\":\"%s\"}\n", retort_version(),
		url ? url : "");
}

const char *
inspect_url(const struct inspect *inspect)
{
	return inspect->url;
}

size_t
inspect_poll(struct inspect *inspect, struct pollfd *polled, size_t room,
	int *timeout)
{
	size_t count;
	int own;

	if (inspect == NULL)
		return 0;
	count = retort_pollfds(inspect->server, polled, room, &own);
	*timeout = clock_sooner(*timeout, own);
	return count;
}

/* Sends pages all calls that they lack, if they take them soon, and the end. */
static void
end_pages(struct inspect *inspect)
{
	inspect_step(inspect);
	for (size_t i = 0; i < MOST_PAGES; i++)
		if (inspect->pages[i].connection != 0)
			(void)retort_push(inspect->server,
				inspect->pages[i].connection, NULL, 0);
	retort_stop(inspect->server, GRACE);
	(void)retort_wait_end(inspect->server, NULL, GRACE);
}

void
inspect_close(struct inspect *inspect)
{
	if (inspect == NULL)
		return;
	if (inspect->server != NULL)
		end_pages(inspect);
	retort_close(inspect->server);
	while (inspect->count > 0)
		forget_first(inspect);
	free(inspect);
}
