/* SPDX-License-Identifier: MIT */
/*
 * A reply is a short script of steps: bytes, a range of a file, a pause, and
 * one ending. The status line, the fields, the body, chunks, trailers and
 * every fault are the same thing to a connection: steps. A fault is a change
 * to the script, never a special case in the code that sends it.
 */
#ifndef RT_REPLY_H
#define RT_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/date.h"
#include "http/field.h"
#include "retort.h"
#include "tls/wire.h"

enum rt_step_kind {
	RT_STEP_TEXT,   /* `size` bytes at `at` of the reply's own text */
	RT_STEP_BYTES,  /* `size` bytes at `bytes`, which outlive the reply */
	RT_STEP_REPEAT, /* `size` bytes: the `at` bytes at `bytes` again and
	                   again, beginning with the one at `from` */
	RT_STEP_FILE,   /* `size` bytes at `at` of the reply's file */
	RT_STEP_PAUSE,  /* nothing for `at` ns */
	RT_STEP_FLUSH,  /* nothing until all that was sent has left, so that the
	                   next bytes begin a segment */
	RT_STEP_TELL,   /* a message of TLS itself: an enum rt_tell, in `at` */
	RT_STEP_MORE,   /* bytes that are pushed while it is played, to their
	                   end */
	RT_STEP_PACE,   /* from here on, segments of `size` bytes, and `at` ns
	                   between them */
	RT_STEP_AWAIT, /* nothing, until the client sends more than its request,
	                  or leaves, or has had its time */
	RT_STEP_NEXT,  /* the end of the reply, but not of the connection: what
	                  follows is an enum retort_next, in `at` */
	RT_STEP_STALL, /* nothing, until the client leaves */
	RT_STEP_HALF,  /* FIN; what arrives is read until the client leaves,
	                  too */
	RT_STEP_CLOSE, /* FIN: the ordinary ending */
	RT_STEP_RESET  /* RST */
};

static inline bool
rt_has_bytes(enum rt_step_kind kind)
{
	return kind <= RT_STEP_FILE;
}

struct rt_step {
	enum rt_step_kind kind;
	const char *bytes;
	uint64_t at;
	uint64_t size;
	uint64_t from;
};

#define RT_MAX_STEPS (1u << 16)

/* Fields of every head that is made, unless the reply has or omits one of that
   name itself. */
struct rt_always {
	char *fields; /* lines "Name: value"; NULL: none */
	char *omit;   /* lines "Name": fields not to send; NULL: none */
};

/* An object of another room, and how to free it. NULL: none. */
struct rt_made {
	void *it;
	void (*free)(void *it);
};

/* Whether the connection may be kept after a reply. */
enum rt_keep {
	RT_KEEP_NOT,
	RT_KEEP_TOLD, /* only if the rule says so */
	RT_KEEP,      /* unless the reply says otherwise */
	RT_KEEP_SAID  /* if the reply says so, to a client of HTTP/1.0 */
};

/* Whether faults were drawn by chance, and by which seed. */
struct rt_chance {
	bool drawn; /* even if none were the result */
	uint64_t seed;
};

/* The faults of a reply, and what they changed besides its script. */
struct rt_struck {
	size_t text; /* rt_reply_faults() knows where; 0: none */
	struct rt_chance chance;
	int64_t refuse; /* ns for which connections are refused when it begins;
	                   RT_NEVER: until told otherwise; 0: not at all */
	struct rt_wire_list wire; /* edits of TLS's bytes; owned, until the
	                             connection takes them */
	bool deaf;                /* while it stalls, nothing is read */
	bool unnotified;          /* its FIN comes without close_notify */
};

/* The place of the body of a reply. */
enum rt_body {
	RT_BODY_HERE,     /* all of it is in the script */
	RT_BODY_LEFT_OUT, /* nowhere, because of HEAD or the status */
	RT_BODY_OPEN,     /* it goes on at a RT_STEP_MORE, */
	RT_BODY_IN_CHUNKS /* or does so in chunks */
};

struct rt_reply {
	/* what stays when it is reset */
	struct rt_buf text;    /* the head, and bodies made for this reply */
	struct rt_step *steps; /* the last one is an ending */
	size_t step_room;
	const struct rt_always *always; /* somebody else's; NULL: none */
	enum rt_keep keep;
	/* and what does not, from here on */
	size_t step_count;
	size_t head_at; /* bytes of the script before its head: interim ones */
	size_t head_size; /* and those up to its end */
	uint64_t rule;    /* the id of its rule, while it is made in slices */
	struct rt_struck struck;
	int64_t idle; /* ns that the connection may be idle after it;
	                 RT_NEVER: for ever; 0: as after any reply */
	enum rt_body body;
	int status;
	int file;             /* owned; -1: none */
	struct rt_made made;  /* what bytes are borrowed from, or will be
	                         made of; owned */
	struct rt_blob *blob; /* a share of the bytes that it borrows */
	bool truncated;       /* the file is shorter than the head says */
	bool failed;          /* a step too many; out of memory: text.failed */
};

/* Largest text of a reply: its head and a body that is made for it. */
#define RT_MAX_TEXT (8u << 20)

void rt_reply_init(struct rt_reply *reply);
void rt_reply_free(struct rt_reply *reply);

/* Closes the file, if it has one, of which nothing more is sent. */
void rt_reply_close_file(struct rt_reply *reply);

/* Empties the script, and closes the file. Keeps the memory, if it is small. */
void rt_reply_reset(struct rt_reply *reply);

/* The same, if anything was done with it since, which is hardly ever so. */
void rt_reply_empty(struct rt_reply *reply);

/*
 * The head: the status line and Date, then rt_draft_field() for each field,
 * then rt_draft_body_*() exactly once, which ends the head with what frames the
 * body, and the script with RT_STEP_CLOSE, or with RT_STEP_NEXT if the
 * connection may be kept and the body's end can be told.
 *
 * `own` is how the user wants it (NULL: as it is): version, reason, fields
 * and omit, which go before what rt_draft_field() adds; interim replies,
 * chunks, trailers and pauses. Its other members are the caller's to obey.
 * `head_only` is for HEAD. A status that never has a body (204, 304) gets none,
 * and nothing that announces one, unless it is `forced`. Without HTTP there is
 * no head, and what comes after the body is RT_STEP_NEXT, unless `own` says to
 * close.
 */
struct rt_draft {
	struct rt_reply *reply;
	enum retort_protocol protocol;
	const struct retort_reply *own;
	bool head_only;
	bool old;       /* the client speaks HTTP/1.0, and knows no chunks */
	bool tunnel;    /* what follows the head is of another protocol */
	bool forced;    /* the body is sent even if the status has none */
	bool kept;      /* the connection is, as the head says */
	bool in_chunks; /* the body is */
	size_t date_at; /* in the text; 0: it has none */
};

void rt_draft_begin(struct rt_draft *draft, int status, const char *date);
void rt_draft_field(struct rt_draft *draft, const char *name,
	const char *value);

/* Reads the next size of "3 2", and moves *sizes past it; 0: there is none. */
uint64_t rt_reply_chunk(const char **sizes);

/* Reads the next part of "5 200, 6 1000", which is bytes and the ms after them,
   and moves *parts past it. False: there is none. */
bool rt_reply_part(const char **parts, uint64_t *size, int *ms);

/* Adds bytes as a chunk. */
void rt_reply_add_chunk(struct rt_buf *to, const void *bytes, size_t size);

/* Whether the user gives that field, or omits it, for this reply or for all. */
bool rt_draft_is_own(const struct rt_draft *draft, const char *name);

/* Finds the last field of that name that the user gives. False: there is
   none. */
bool rt_draft_given(const struct rt_draft *draft, const char *name,
	struct rt_line *line);

/* Adds a body of bytes that outlive the reply; a small one is copied. */
void rt_draft_body(struct rt_draft *draft, const void *bytes, size_t size);

/* Adds a body that is copied. */
void rt_draft_body_copy(struct rt_draft *draft, const void *bytes, size_t size);

/* Adds a body of `size` bytes that are `period` bytes again and again. */
void rt_draft_body_repeat(struct rt_draft *draft, const void *bytes,
	size_t period, uint64_t size);

/*
 * Adds a body that is `size` bytes of a file from `at` on. Takes `fd`: a small
 * file is read and closed here, so that it leaves in one piece with the head.
 */
void rt_draft_body_file(struct rt_draft *draft, int fd, uint64_t at,
	uint64_t size);

/* A part of a body: text, and after it bytes of a file, if any. */
struct rt_part {
	const char *text;
	size_t text_size;
	const char *bytes; /* all of the file; NULL: it is to be read */
	uint64_t at;       /* of the file */
	uint64_t size;
};

/* Adds a body of such parts, which are copied. Takes `fd`, as above. */
void rt_draft_body_parts(struct rt_draft *draft, int fd,
	const struct rt_part *parts, size_t count);

/* Adds a body that says why, as text: "404 Not Found: reason"; NULL: no
   reason. */
void rt_draft_body_reason(struct rt_draft *draft, const char *reason);

/* Makes a whole reply with such a body, and no field of its own. */
void rt_draft_error(struct rt_draft *draft, int status, const char *reason,
	const char *date);

/* Makes a whole reply of these bytes, which outlive it, with the pauses of
   `own`. */
void rt_draft_raw(struct rt_draft *draft, int status, const void *bytes,
	size_t size);

/*
 * A whole reply as it was made, for drafts that differ in nothing but their
 * date, and in what the client is and wants: its version, HEAD, a connection
 * that is kept. The zero value has none yet. It belongs to whatever makes the
 * same reply again and again.
 */
struct rt_ready {
	struct rt_reply reply; /* its text and steps alone are owned */
	size_t date_at;        /* where its date is in the text; 0: nowhere */
	enum retort_protocol protocol;
	bool head_only;
	bool old;
	bool tunnel;
	bool again; /* one was made before: it pays to keep the next */
};

void rt_ready_free(struct rt_ready *ready);

/* When this is called for the second time, keeps the reply that was made. Its
   bytes outlive it, or are copied. */
void rt_draft_keep(const struct rt_draft *draft, struct rt_ready *ready);

/* Makes the reply that was kept. False: none was for a draft like this one. */
bool rt_draft_again(const struct rt_draft *draft, const struct rt_ready *ready,
	const char *date);

/* Adds a step; two runs of text that meet become one. */
void rt_reply_step(struct rt_reply *reply, struct rt_step step);

/* Reads from the file of the reply; fewer bytes, if the file has become
   shorter. */
size_t rt_reply_read(const struct rt_reply *reply, char *to, uint64_t at,
	size_t size);

/* Notes the faults of the reply, as text. */
void rt_reply_set_faults(struct rt_reply *reply, const char *faults);

/* That text, which is valid until more text is added. NULL: it has no
   faults. */
const char *rt_reply_faults(const struct rt_reply *reply);

/* Whether it was built without running out of anything. */
static inline bool
rt_reply_ok(const struct rt_reply *reply)
{
	return !reply->failed && !reply->text.failed;
}

/* The ending of a complete script. */
static inline enum rt_step_kind
rt_reply_ending(const struct rt_reply *reply)
{
	return reply->steps[reply->step_count - 1].kind;
}

/* --- changes to a complete script --- */

/* The number of bytes of the script; UINT64_MAX: that, or more. */
uint64_t rt_reply_size(const struct rt_reply *reply);

/* Makes a step begin with byte `at`, and returns its index. If there are no
   bytes from there on, it is the ending. */
size_t rt_reply_split(struct rt_reply *reply, uint64_t at);

/* Inserts a step before the one at `index`. */
void rt_reply_insert(struct rt_reply *reply, size_t index, struct rt_step step);

/* Removes the steps from `from` up to `to`. */
void rt_reply_remove(struct rt_reply *reply, size_t from, size_t to);

/* Cuts the script: after `at` bytes there is only its ending. */
void rt_reply_cut(struct rt_reply *reply, uint64_t at);

/* Copies bytes of the script to the end of the text, and returns their place
   there. */
size_t rt_reply_gather(struct rt_reply *reply, uint64_t from, size_t size);

/* Replaces those bytes by the text from `at` on. */
void rt_reply_replace(struct rt_reply *reply, uint64_t from, uint64_t size,
	size_t at);

#endif
