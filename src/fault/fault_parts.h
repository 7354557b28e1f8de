/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room fault; nobody else sees it. */
#ifndef RT_FAULT_PARTS_H
#define RT_FAULT_PARTS_H

#include "base/text.h"
#include "fault/fault.h"

/* The verbs, in the order in which they are applied. */
enum rt_fault_verb {
	/* reading */
	RT_FAULT_EARLY,
	RT_FAULT_STOP_READING,
	RT_FAULT_READ,
	RT_FAULT_CONTINUE,
	/* instead of the reply */
	RT_FAULT_STATUS,
	RT_FAULT_GARBAGE_BYTES,
	/* the head: the others cannot be without one */
	RT_FAULT_HEADLESS,
	RT_FAULT_ADD,
	RT_FAULT_LENGTH,
	RT_FAULT_BODY,
	RT_FAULT_NO_RANGE,
	RT_FAULT_ENDLESS,
	RT_FAULT_BARE_LF,
	/* bytes */
	RT_FAULT_ALERT,
	RT_FAULT_INSERT,
	RT_FAULT_CORRUPT,
	/* cuts, and what comes after the reply */
	RT_FAULT_CUT,
	RT_FAULT_APPEND,
	/* time */
	RT_FAULT_PAUSE,
	RT_FAULT_CLOSE_NOTIFY,
	RT_FAULT_REKEY,
	RT_FAULT_SPLIT,
	RT_FAULT_EACH,
	RT_FAULT_GAP,
	RT_FAULT_RATE,
	RT_FAULT_SPREAD,
	/* the ending */
	RT_FAULT_AWAIT,
	RT_FAULT_END,
	RT_FAULT_DEAF,
	RT_FAULT_NO_NOTIFY,
	RT_FAULT_NO_RESUME, /* before there is a request */
	RT_FAULT_REFUSE,
	RT_FAULT_VERBS /* how many there are */
};

/* The point from which a position counts. */
enum rt_fault_base {
	RT_FAULT_FROM_BEGIN,
	RT_FAULT_FROM_END,
	RT_FAULT_FROM_HEAD,
	RT_FAULT_FROM_BODY,
	RT_FAULT_PERCENT,
	RT_FAULT_ANYWHERE, /* a percentage, once it is drawn */
	/* these are positions on the wire, not in the reply */
	RT_FAULT_WIRE,
	RT_FAULT_RECORD,
	RT_FAULT_FLIGHT
};

/* Shares are of a hundred thousand. */
#define RT_FAULT_ALWAYS 100000u

/* A part of the text that is replaced by a number, once that is drawn. */
struct rt_hole {
	size_t begin;
	size_t end; /* 0: there is none */
};

struct rt_clause {
	enum rt_fault_verb verb;
	enum rt_fault_base base;
	uint64_t at;
	uint64_t plus; /* bytes after that many records or flights */
	uint64_t number;
	uint64_t time;  /* ns */
	uint64_t spare; /* and up to this many ms more */
	bool given;     /* an optional word was */
	bool stream;    /* it means nothing to a datagram */
	char sign;      /* of `number`; 0: none */
	enum rt_step_kind ending;
	char *bytes;
	size_t size;
	size_t begin; /* where the clause stands in the text */
	size_t end;
	size_t own; /* of several positions: where this one begins */
	struct rt_hole any;
	struct rt_hole between;
	/* by chance: it is taken if its roll is one of `share` from `from`
	   on */
	unsigned roll; /* alternatives have it in common */
	unsigned choice;
	bool last; /* of the alternatives */
	unsigned from;
	unsigned share;
};

struct rt_faults {
	char *text;
	struct rt_clause *clauses;
	size_t count;
	size_t room;
	struct rt_reading reading;
	bool reads;  /* `reading` is not as usual */
	bool chancy; /* it is to be drawn */
	bool drawn;  /* the bytes of its clauses are another's */
};

/* Whether its position is on the wire of TLS. */
static inline bool
rt_clause_is_wired(const struct rt_clause *clause)
{
	return clause->base >= RT_FAULT_WIRE;
}

/* The number of its bytes that an error shows: there must be room for a reason,
   too. */
static inline int
rt_clause_shown(const struct rt_clause *clause)
{
	size_t size = clause->end - clause->begin;

	return (int)(size < 60 ? size : 60);
}

/* Whether the clause means something beside the other one. */
static inline bool
rt_clause_is_for(const struct rt_clause *clause, const struct rt_clause *other)
{
	switch (clause->verb) {
	case RT_FAULT_GAP:
		return other->verb == RT_FAULT_SPLIT ||
			other->verb == RT_FAULT_EACH;
	case RT_FAULT_DEAF:
		return other->ending == RT_STEP_STALL ||
			other->verb == RT_FAULT_EARLY;
	case RT_FAULT_AWAIT:
		return (other->verb == RT_FAULT_CUT ||
			       other->verb == RT_FAULT_END) &&
			other->ending != RT_STEP_STALL;
	default:
		return true;
	}
}

/* Reads a text, a clause at a time. */
struct rt_fault_reader {
	const char *text;
	const char *at;
	const char *begin;   /* of the present clause, or alternative, */
	struct rt_word word; /* and its present word, for errors */
	/* of the present clause; of fault.c alone */
	const struct rt_fault_word *kind;
	bool fixed; /* it is obeyed before there is a reply: nothing is drawn */
	struct rt_error *error;
	int code;
	unsigned rolls;
};

/* --- fault_argument.c --- */

/* Takes the next word of the clause; false: there is none. */
bool rt_fault_next_word(struct rt_fault_reader *reader);

/* Has the present word be taken once more. */
void rt_fault_put_back(struct rt_fault_reader *reader);

static inline bool
rt_fault_is_word(const struct rt_fault_reader *reader, const char *name)
{
	return rt_word_is(reader->word, name);
}

/* Sets the error that something else than the present word was expected.
   Returns false. */
bool rt_fault_expected(struct rt_fault_reader *reader, const char *what);

/* The same of a whole clause. */
bool rt_fault_expected_of(struct rt_fault_reader *reader,
	const struct rt_clause *clause, const char *what);

/* Reads an argument: `what` is a letter of the table of words. */
bool rt_fault_argument(struct rt_fault_reader *reader, struct rt_clause *clause,
	char what);

/* --- fault_ask.c --- */

/* The first clause of that verb; NULL: there is none. */
const struct rt_clause *rt_faults_find(const struct rt_faults *faults,
	enum rt_fault_verb verb);

#endif
