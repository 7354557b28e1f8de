/* SPDX-License-Identifier: MIT */
/* The functions of retort.h about what came, and whether it was right. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"

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

/* The n-th record that fits, from 1; NULL. *count of those that do. */
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

/* NULL: it is malformed, and was blamed. */
static struct rt_match *
read_when(struct retort *server, const struct retort_when *theirs, size_t size)
{
	struct retort_when when;
	char error[RETORT_ERROR_SIZE] = "";
	struct rt_match *match = NULL;
	int code = rt_api_copy(&when, sizeof when, theirs, size);

	if (code == 0) {
		match = rt_match_new(&when, server->config.protocol, error);
		code = match ? 0 : -errno;
	}
	(void)rt_api_blame(server, "request", NULL, code, error);
	return match;
}

size_t
retort_count_sized(struct retort *server, const struct retort_when *when,
	size_t size)
{
	struct rt_match *match;
	size_t count = 0;

	if (is_elsewhere(server))
		return 0;
	lock(server);
	match = read_when(server, when, size);
	if (match != NULL)
		(void)find_record(server, match, 0, &count);
	rt_match_free(match);
	unlock(server);
	return count;
}

const struct retort_exchange *
retort_wait_sized(struct retort *server, size_t n, int timeout,
	const struct retort_when *when, size_t size)
{
	const struct retort_exchange *seen = NULL;
	int64_t deadline = rt_api_deadline(timeout);
	struct rt_match *match;
	bool more;
	size_t count;

	if (is_elsewhere(server))
		return NULL;
	lock(server);
	match = read_when(server, when, size);
	more = match != NULL && n > 0;
	while (match != NULL &&
		(seen = find_record(server, match, n, &count)) == NULL && more)
		more = rt_api_wait(server, deadline);
	rt_match_free(match);
	rt_api_ring(server);
	unlock(server);
	return seen;
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
	while (exchange->end == RETORT_OPEN && more)
		more = rt_api_wait(server, deadline);
	ended = exchange->end != RETORT_OPEN;
	rt_api_ring(server);
	unlock(server);
	return ended;
}

bool
retort_wait_quiet(struct retort *server, int timeout)
{
	int64_t deadline = rt_api_deadline(timeout);
	bool quiet, more = true;

	if (is_elsewhere(server))
		return false;
	lock(server);
	while (server->open > 0 && more)
		more = rt_api_wait(server, deadline);
	quiet = server->open == 0;
	rt_api_ring(server);
	unlock(server);
	return quiet;
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

int
retort_expect_sized(struct retort *server, size_t least, size_t most,
	const struct retort_when *theirs, size_t size)
{
	struct retort_when when;
	char error[RETORT_ERROR_SIZE] = "";
	int code = rt_api_copy(&when, sizeof when, theirs, size);

	if (is_elsewhere(server))
		return -EPERM;
	lock(server);
	if (code == 0)
		code = rt_verdict_expect(&server->verdict, least, most, &when,
			server->config.protocol, error);
	code = rt_api_blame(server, "expectation", when.request, code, error);
	unlock(server);
	return code;
}

int
retort_expect_order(struct retort *server, const char *const *requests)
{
	char error[RETORT_ERROR_SIZE] = "";
	int code;

	if (is_elsewhere(server))
		return -EPERM;
	lock(server);
	code = rt_verdict_expect_order(&server->verdict, requests,
		server->config.protocol, error);
	code = rt_api_blame(server, "expectation", NULL, code, error);
	unlock(server);
	return code;
}

size_t
retort_expectations(struct retort *server)
{
	size_t count;

	if (is_elsewhere(server))
		return 0;
	lock(server);
	count = server->verdict.count;
	unlock(server);
	return count;
}

const char *
retort_verdict(struct retort *server)
{
	const char *text;
	uintptr_t before;

	if (is_elsewhere(server))
		return ELSEWHERE "\n";
	lock(server);
	before = rt_server_enter(server); /* predicates are callbacks */
	text = rt_verdict_text(&server->verdict, &server->journal);
	rt_server_leave(server, before);
	unlock(server);
	return text;
}

void
retort_forget(struct retort *server)
{
	if (is_elsewhere(server))
		return;
	lock(server);
	if (!is_within(server))
		rt_journal_clear(&server->journal);
	unlock(server);
}

void
retort_forget_ended(struct retort *server)
{
	lock(server);
	if (!is_within(server))
		rt_journal_clear_ended(&server->journal);
	unlock(server);
}

void
retort_reset(struct retort *server)
{
	if (is_elsewhere(server))
		return;
	lock(server);
	if (!is_within(server)) {
		rt_route_clear(&server->route);
		rt_verdict_clear(&server->verdict);
		rt_journal_reset(&server->journal);
	}
	unlock(server);
}
