/* SPDX-License-Identifier: MIT */
/* The records of a server, in the order in which their requests ended, and the
   memory that they use together. */
#include "config.h"

#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls.h"

void
rt_journal_init(struct rt_journal *journal, size_t max)
{
	*journal = (struct rt_journal){.max = max};
}

static void
free_record(struct rt_record *record)
{
	record->journal->used -= record->counted;
	free(record->strings);
	free(record->in);
	free(record->events);
	free(record->why);
	free(record->faults);
	rt_blob_drop(record->tls_texts);
	rt_blob_drop(record->tunnel);
	rt_buf_free(&record->bytes);
	free(record);
}

struct rt_record *
rt_journal_keep(struct rt_record *record)
{
	while (record != NULL && !record->published) {
		struct rt_record *earlier = record->earlier;

		free_record(record);
		record = earlier;
	}
	return record;
}

struct rt_record *
rt_journal_open(struct rt_journal *journal, const struct rt_served *served,
	int64_t now)
{
	const struct rt_conn *conn = &served->conn;
	struct rt_record *record = calloc(1, sizeof *record);
	struct timespec wall;

	if (record == NULL)
		return NULL;
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	record->journal = journal;
	record->earlier =
		rt_journal_keep(served->record ? served->record : served->past);
	record->began = conn->accepted;
	record->era = journal->era;
	rt_buf_init(&record->bytes, journal->max);
	record->seen.connection = served->number;
	record->tunnel = rt_blob_share(served->tunnel);
	if (record->tunnel != NULL)
		record->seen.tunnel = record->tunnel->data;
	record->open = true;
	record->forgotten = journal->used >= journal->max;
	journal->lost += record->forgotten;
	record->seen.client = rt_sock_peer_text(&conn->peer, record->client);
	record->seen.began = (int64_t)wall.tv_sec * RT_SECOND + wall.tv_nsec -
		(now - rt_conn_began(conn, now));
	rt_record_count(record);
	return record;
}

int
rt_journal_publish(struct rt_journal *journal, struct rt_record *record)
{
	if (!rt_grow(&journal->records, &journal->room, journal->count,
		    sizeof(struct rt_record *)))
		return -ENOMEM;
	journal->records[journal->count++] = record;
	record->published = true;
	return 0;
}

void
rt_journal_close(struct rt_record *record)
{
	struct rt_record *earlier;

	for (; record != NULL; record = earlier) {
		earlier = record->earlier;
		record->open = false;
		if (!record->published)
			free_record(record);
	}
}

void
rt_journal_note_tls(struct rt_journal *journal, const struct rt_served *served)
{
	const struct rt_tls *tls = served->tls;

	if (tls->ready || rt_record_why_tls(tls) == NULL)
		return;
	journal->unshaken++;
	journal->last_unshaken = served->number;
	journal->why_last_unshaken = rt_record_why_tls(tls);
}

void
rt_journal_clear(struct rt_journal *journal)
{
	for (size_t i = 0; i < journal->count; i++) {
		struct rt_record *record = journal->records[i];

		record->published = false;
		/* the record of an open connection goes with that */
		if (!record->open)
			free_record(record);
	}
	journal->count = 0;
	journal->accepted = 0;
	journal->lost = 0;
	journal->unshaken = 0;
	journal->era++;
}

void
rt_journal_reset(struct rt_journal *journal)
{
	rt_journal_clear(journal);
	journal->rules_era = journal->era;
}

void
rt_journal_clear_ended(struct rt_journal *journal, size_t open)
{
	size_t left = 0;

	for (size_t i = 0; i < journal->count; i++) {
		struct rt_record *record = journal->records[i];

		if (record->open)
			journal->records[left++] = record;
		else
			free_record(record);
	}
	journal->count = left;
	journal->accepted = open;
	journal->lost = 0;
	journal->unshaken = 0;
}

void
rt_journal_free(struct rt_journal *journal)
{
	rt_journal_clear(journal);
	free(journal->records);
	journal->records = NULL;
}

const struct rt_record *
rt_journal_find(const struct rt_journal *journal, uint64_t connection)
{
	struct rt_record *record = NULL;

	/* most are asked for when they have just ended */
	if (journal->parting != NULL &&
		journal->parting->seen.connection == connection)
		record = journal->parting;
	for (size_t i = journal->count; i-- > 0 && record == NULL;)
		if (journal->records[i]->seen.connection == connection)
			record = journal->records[i];
	while (record != NULL && record->earlier != NULL &&
		record->earlier->published)
		record = record->earlier;
	return record;
}
