/* SPDX-License-Identifier: MIT */
/*
 * The functions of retort.h about requests that arrived, and the verdict on
 * them.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/error.h"
#include "base/text.h"

/* How long retort_wait() waits if it is not told: ms. */
#define DEFAULT_WAIT 10000

const struct retort_exchange *
retort_record(struct retort *server, size_t n)
{
	const struct retort_exchange *seen = NULL;

	if (is_elsewhere(server))
		return NULL;
	lock(server);
	if (n > 0 && n <= server->journal.count)
		seen = &server->journal.records[n - 1]->seen;
	unlock(server);
	return seen;
}

const char *
retort_field_of(const struct retort_exchange *exchange, const char *name,
	size_t n)
{
	const struct retort_field *field = exchange->fields;

	for (size_t i = 0; i < exchange->field_count; i++, field++)
		if (rt_caseless(field->name, strlen(field->name), name) &&
			n-- == 0)
			return field->value;
	return NULL;
}

/* The n-th record that fits, from 1; NULL: there is none, and *count is how
   many fit. */
static const struct retort_exchange *
find_record(struct retort *server, const struct rt_match *match, size_t n,
	size_t *count)
{
	const struct rt_journal *journal = &server->journal;
	const struct retort_exchange *seen = NULL;
	uintptr_t before =
		rt_server_enter(server); /* predicates are callbacks */

	*count = 0;
	for (size_t i = 0; i < journal->count && seen == NULL; i++)
		if (rt_match_fits(match, &journal->records[i]->seen) &&
			++*count == n)
			seen = &journal->records[i]->seen;
	rt_server_leave(server, before);
	return seen;
}

/* Reads the conditions, which were copied with this `code`. NULL: they are
   malformed, and the verdict says so. */
static struct rt_match *
read_requests(struct retort *server, const struct retort_requests *requests,
	int code)
{
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_match *match = NULL;

	if (code == 0 &&
		(requests->least > 0 || requests->most > 0 || requests->never ||
			requests->connections != NULL))
		code = rt_fail(error, -EINVAL,
			".least, .most, .never and .connections are for "
			"retort_expect()");
	if (code == 0) {
		match = rt_match_new(requests, server->config.protocol, error);
		code = match ? 0 : -errno;
	}
	(void)rt_api_blame(server, "request", requests->request, code, error);
	return match;
}

size_t
retort_count_sized(const struct retort_requests *theirs, size_t size)
{
	struct retort *server = theirs->server;
	struct retort_requests requests;
	int code = rt_api_copy(&requests, sizeof requests, theirs, size);
	struct rt_match *match;
	size_t count = SIZE_MAX;

	if (is_elsewhere(server))
		return SIZE_MAX;
	lock(server);
	match = read_requests(server, &requests, code);
	if (match != NULL)
		(void)find_record(server, match, 0, &count);
	rt_match_free(match);
	unlock(server);
	return count;
}

const struct retort_exchange *
retort_wait_sized(const struct retort_requests *theirs, size_t size)
{
	struct retort *server = theirs->server;
	const struct retort_exchange *seen = NULL;
	struct retort_requests requests;
	int code = rt_api_copy(&requests, sizeof requests, theirs, size);
	size_t n = requests.times > 0 ? requests.times : 1, count;
	int64_t deadline = rt_api_deadline(
		requests.timeout ? requests.timeout : DEFAULT_WAIT);
	struct rt_match *match;
	bool more = true;

	if (is_elsewhere(server))
		return NULL;
	lock(server);
	match = read_requests(server, &requests, code);
	while (match != NULL &&
		(seen = find_record(server, match, n, &count)) == NULL && more)
		more = rt_api_wait(server, deadline);
	rt_match_free(match);
	rt_api_ring(server);
	unlock(server);
	return seen;
}

/* Whether its connection has ended; NULL: whether all have. */
static bool
has_ended(const struct retort *server, const struct retort_exchange *exchange)
{
	return exchange != NULL ? exchange->end != RETORT_OPEN :
				  server->open == 0;
}

bool
retort_wait_end(struct retort *server, const struct retort_exchange *exchange,
	int timeout)
{
	int64_t deadline = rt_api_deadline(timeout);
	bool ended, more = true;

	if (is_elsewhere(server))
		return false;
	lock(server);
	server->end_waiters++;
	rt_api_look(server);
	while (!has_ended(server, exchange) && more)
		more = rt_api_wait(server, deadline);
	server->end_waiters--;
	ended = has_ended(server, exchange);
	rt_api_ring(server);
	unlock(server);
	return ended;
}

char *
retort_transcript(struct retort *server, uint64_t connection)
{
	const struct rt_record *record;
	struct rt_buf text;

	if (is_elsewhere(server))
		return NULL;
	rt_buf_init(&text, SIZE_MAX / 2);
	lock(server);
	rt_api_look(server);
	record = rt_journal_find(&server->journal, connection);
	if (record != NULL) {
		rt_record_transcribe(record, SIZE_MAX, &text);
		rt_buf_add(&text, "", 1);
	}
	unlock(server);
	if (text.failed)
		rt_buf_free(&text);
	return text.data;
}

/* --- whether it was right --- */

/* Reads how many requests are expected. 0, or -EINVAL with a line in
   `error`. */
static int
read_times(const struct retort_requests *requests, size_t *least, size_t *most,
	char *error)
{
	bool range = requests->least > 0 || requests->most > 0;

	*least = requests->least;
	*most = requests->most > 0 ? requests->most : SIZE_MAX;
	if (range + requests->never + (requests->times > 0) > 1)
		return rt_fail(error, -EINVAL,
			"expected one of .times, .never, and .least or .most");
	if (requests->never)
		*most = 0;
	else if (requests->times > 0)
		*least = *most = requests->times;
	else if (!range)
		*least = 1;
	return 0;
}

int
retort_expect_sized(const struct retort_requests *theirs, size_t size)
{
	struct retort *server = theirs->server;
	struct retort_requests requests;
	char error[RETORT_ERROR_SIZE] = "";
	int code = rt_api_copy(&requests, sizeof requests, theirs, size);
	size_t least = 0, most = 0;

	if (is_elsewhere(server))
		return -EPERM;
	lock(server);
	if (code == 0)
		code = read_times(&requests, &least, &most, error);
	if (code == 0)
		code = rt_verdict_expect(&server->verdict, least, most,
			&requests, server->config.protocol, error);
	code = rt_api_blame(server, "expectation", requests.request, code,
		error);
	unlock(server);
	return code;
}

int
retort_expect_order(struct retort *server, const char *requests)
{
	const char **lines;
	char error[RETORT_ERROR_SIZE] = "";
	int code = -ENOMEM;

	if (is_elsewhere(server))
		return -EPERM;
	lines = rt_text_lines(requests);
	lock(server);
	if (lines != NULL)
		code = rt_verdict_expect_order(&server->verdict, lines,
			server->config.protocol, error);
	code = rt_api_blame(server, "expectation", NULL, code, error);
	unlock(server);
	free(lines);
	return code;
}

const char *
retort_verdict(struct retort *server)
{
	const char *text;
	uintptr_t before;

	if (is_elsewhere(server))
		return elsewhere(server);
	lock(server);
	rt_api_look(server);
	before = rt_server_enter(server); /* predicates are callbacks */
	text = rt_verdict_text(&server->verdict, &server->journal,
		&server->route);
	rt_server_leave(server, before);
	unlock(server);
	return text;
}

static void
forget(struct retort *server, enum retort_part part)
{
	switch (part) {
	case RETORT_TEST:
		rt_route_clear(&server->route);
		rt_server_forget_states(server);
		rt_verdict_clear(&server->verdict);
		rt_journal_reset(&server->journal);
		break;
	case RETORT_RECORDS:
		rt_journal_clear(&server->journal);
		break;
	case RETORT_ENDED:
		rt_api_look(server);
		rt_journal_clear_ended(&server->journal, server->open);
		break;
	}
}

void(retort_reset)(struct retort *server, enum retort_part part)
{
	if (is_elsewhere(server))
		return;
	lock(server);
	if (!is_within(server))
		forget(server, part);
	unlock(server);
}
