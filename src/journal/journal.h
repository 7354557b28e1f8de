/* SPDX-License-Identifier: MIT */
/* Records: exchanges, kept for users to look at. */
#ifndef RT_JOURNAL_H
#define RT_JOURNAL_H

#include "journal/served.h"
#include "retort.h"

/*
 * The view of a connection that an event callback gets. `client` is the
 * caller's room for the peer's text; the result borrows from it and from
 * `conn`.
 */
struct retort_exchange rt_journal_view(const struct rt_served *served,
	int64_t now, char client[RT_PEER_TEXT]);

/* Events of a connection. */
enum rt_record_kind {
	RT_RECORD_RECEIVED,
	RT_RECORD_SENT,
	RT_RECORD_CLIENT_FIN,
	RT_RECORD_CLIENT_RST,
	RT_RECORD_SERVER_FIN,
	RT_RECORD_SERVER_RST,
	RT_RECORD_CLOSED,
	RT_RECORD_TLS_IN, /* wire bytes of the handshake of TLS */
	RT_RECORD_TLS_OUT,
	RT_RECORD_TLS /* its end, in words */
};

struct rt_record_event {
	enum rt_record_kind kind;
	int64_t when; /* ns after the connection began */
	size_t at;    /* where its bytes begin in `bytes`, */
	size_t kept;  /* how many are kept there: none of a handshake of TLS, */
	uint64_t size; /* and how many there were */
};

struct rt_journal;

/* The record of one exchange. */
struct rt_record {
	struct retort_exchange seen;
	struct rt_journal *journal;
	struct rt_record *earlier; /* of the same connection; NULL */

	/* what `seen` points at */
	char client[RT_PEER_TEXT];
	char *strings; /* the request */
	size_t size;   /* of these, and of `in` */
	char *in;      /* the states in which it arrived; NULL */
	char *faults;  /* what was wrong with the reply; NULL */
	struct rt_blob *tls_texts;
	struct rt_blob *tunnel;

	/* what happened on the connection */
	int64_t began; /* monotonic */
	struct rt_record_event *events;
	size_t event_count;
	size_t event_room;
	struct rt_buf bytes; /* of all events */
	size_t kept[2];      /* those that arrived, and those that went out */

	/* for the verdict */
	char *why;          /* nothing answers it because; NULL */
	uint64_t rule_id;   /* of the rule that answered; 0: none */
	uint64_t last_rule; /* the last that there was then */
	bool answered;      /* its reply was made */

	/* its life */
	uint64_t era;    /* in which it began */
	size_t counted;  /* bytes of memory, in the journal's sum */
	bool open;       /* its connection is */
	bool published;  /* it stands in the journal */
	bool forgotten;  /* it will not stand there */
	bool partial;    /* something of it found no room */
	bool ended;      /* its exchange is over */
	bool before_tls; /* it is of the time before TLS began */
};

/* Records in the order in which their requests ended. */
struct rt_journal {
	struct rt_record **records;
	size_t count;
	size_t room;
	size_t used; /* bytes of memory, with what open connections hold */
	size_t max;
	struct rt_record *parting; /* one that does not stand there, while its
	                              connection ends; NULL */
	uint64_t lost;             /* exchanges that found it full */
	uint64_t accepted;         /* connections, even without a record */
	uint64_t unshaken; /* connections that failed in the handshake of TLS,
	                      which have no record, */
	uint64_t last_unshaken;        /* the last of them, and why; it lives */
	const char *why_last_unshaken; /* for ever */
	uint64_t era;                  /* how often all was forgotten */
	uint64_t rules_era;            /* in which rules were forgotten, too */
};

/* Begins an empty journal, whose records may use `max` bytes of memory. */
void rt_journal_init(struct rt_journal *journal, size_t max);
void rt_journal_free(struct rt_journal *journal);

/*
 * Begins the record of a connection, or of its next piece; when the journal is
 * full, one that is forgotten from the beginning. NULL: no memory.
 */
struct rt_record *rt_journal_open(struct rt_journal *journal,
	const struct rt_served *served, int64_t now);

/* Adds a record to the journal, when its request has ended. 0 or -ENOMEM. */
int rt_journal_publish(struct rt_journal *journal, struct rt_record *record);

/* Call this when an exchange is over: frees the records of its connection that
   are not published. Returns the last published one, or NULL. */
struct rt_record *rt_journal_keep(struct rt_record *record);

/* Call this when a connection has ended: closes its records, and frees those
   that are not published. */
void rt_journal_close(struct rt_record *record);

/* Notes that a connection with TLS ends; the verdict says so if that was in the
   handshake. */
void rt_journal_note_tls(struct rt_journal *journal,
	const struct rt_served *served);

/* Forgets all records, also those that are not published yet. */
void rt_journal_clear(struct rt_journal *journal);

/* The same, when rules are forgotten as well. */
void rt_journal_reset(struct rt_journal *journal);

/* Whether all records, or all rules, were forgotten since it began. */
static inline bool
rt_record_is_past(const struct rt_record *record)
{
	return record->era < record->journal->era;
}

static inline bool
rt_record_is_ruleless(const struct rt_record *record)
{
	return record->era < record->journal->rules_era;
}

/* Whether it is, or will be, in the journal. */
static inline bool
rt_record_is_kept(const struct rt_record *record)
{
	return !record->forgotten && !rt_record_is_past(record);
}

/* Forgets those of connections that have ended; `open` have not. */
void rt_journal_clear_ended(struct rt_journal *journal, size_t open);

/* The first record of a connection; NULL: none. */
const struct rt_record *rt_journal_find(const struct rt_journal *journal,
	uint64_t connection);

/* Records bytes that arrived. */
void rt_record_received(struct rt_record *record, const void *bytes,
	size_t size, int64_t now);

/* Records the bytes of an operation that is done; `file_bytes`: those of
   RT_FILE. */
void rt_record_sent(struct rt_record *record, const struct rt_op *op,
	const void *file_bytes, int64_t now);

/* Records an event without bytes. */
void rt_record_event(struct rt_record *record, enum rt_record_kind kind,
	int64_t now);

/* Records the progress of the handshake since the last call, and its end. */
void rt_record_shake(struct rt_record *record, struct rt_served *served,
	int64_t now);

/* Copies the request, as far as it arrived and is kept, or the piece. Of the
   body it copies as much as there is room for, and `least` bytes in any case. 0
   or -ENOMEM. */
int rt_record_request(struct rt_record *record, const struct rt_conn *conn,
	size_t least, int64_t now);

/* Copies what is known of its TLS by now. */
void rt_record_note_tls(struct rt_record *record,
	const struct rt_served *served);

/* Notes that TLS begins, after the present records. */
void rt_record_begin_tls(struct rt_served *served);

/* Copies the states in which the request arrives. 0 or -ENOMEM. */
int rt_record_in(struct rt_record *record, const char *states);

/* Clears the record for the request that follows a greeting. */
void rt_record_forget_request(struct rt_record *record);

/* Notes that the reply is made, and its status. */
void rt_record_answered(struct rt_record *record, const struct rt_reply *reply);

/* Why TLS failed; NULL: it did not. */
const char *rt_record_why_tls(const struct rt_tls *tls);

/* Counts the memory of the record in the sum of the journal. */
void rt_record_count(struct rt_record *record);

/* Copies the end of an exchange to its record. Earlier records of the
   connection, which may be many, are left alone. */
void rt_record_end_exchange(struct rt_record *record,
	const struct rt_served *served, int64_t now);

/* The same, and copies the end of the connection to all its records. */
void rt_record_end(struct rt_record *record, const struct rt_served *served,
	int64_t now);

/* Adds the connection of the record as text. Of bytes in a row, in one
   direction, it shows the first `most`. */
void rt_record_transcribe(const struct rt_record *record, size_t most,
	struct rt_buf *to);

/* Whether two such texts are the same, but for times, Date and the client. */
bool rt_transcripts_alike(const char *a, const char *b);

#endif
