/* SPDX-License-Identifier: MIT */
/* Reads faults: a table of words, and clauses made of them. Called by canned.c
   and route.c, and by whoever checks a text before it is used. Pure. */
#include "config.h"

#include "fault/fault_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#define MAX_CLAUSES 1024

/* Bytes of `insert` that TLS has to hold. */
#define MAX_ON_WIRE ((size_t)256 << 10)

/* Properties of a word. */
enum {
	STREAM = 1, /* it means nothing to a datagram */
	EARLY = 2   /* it is obeyed before there is a reply: not by chance */
};

/*
 * Words and what follows them: p position, b position of the reply, e ending, n
 * number, l signed number, t time, w `never`, `twice` or a time, s quoted
 * bytes, a alert of TLS. A `?` after it: it may be left out; `*`: there may be
 * more.
 */
static const struct rt_fault_word {
	const char *name;
	enum rt_fault_verb verb;
	const char *wants;
	unsigned is;
	uint64_t least; /* of `n` */
	uint64_t most;  /* 0: any */
	const char *bounds;
	const char *means; /* bytes */
} words[] = {
	{"early", RT_FAULT_EARLY, "n?", .is = EARLY},
	{"stop-reading", RT_FAULT_STOP_READING, "n?", .is = EARLY},
	{"read-slowly", RT_FAULT_READ, "nt", .is = EARLY, .least = 1,
		.bounds = "at least 1 byte"},
	{"continue", RT_FAULT_CONTINUE, "w", .is = EARLY},
	{"status", RT_FAULT_STATUS, "n", .least = 200, .most = 999,
		.bounds = "200 to 999"},
	{"garbage", RT_FAULT_GARBAGE_BYTES, "n?", .most = RT_MAX_TEXT / 2,
		.bounds = "fewer bytes"},
	{"bare-lf", RT_FAULT_BARE_LF, "", .is = 0},
	{"add", RT_FAULT_ADD, "s", .is = 0},
	{"fold", RT_FAULT_ADD, "", .means = "X-Folded: a\r\n b\r\n"},
	{"length", RT_FAULT_LENGTH, "l", .is = 0},
	{"headless", RT_FAULT_HEADLESS, "", .is = 0},
	{"force-body", RT_FAULT_BODY, "", .is = EARLY},
	{"no-range", RT_FAULT_NO_RANGE, "", .is = EARLY},
	{"endless", RT_FAULT_ENDLESS, "", .is = 0},
	{"alert", RT_FAULT_ALERT, "ap?", .is = STREAM},
	{"insert", RT_FAULT_INSERT, "ps", .is = 0},
	{"corrupt", RT_FAULT_CORRUPT, "p", .is = 0},
	{"cut", RT_FAULT_CUT, "pe?", .is = 0},
	{"empty", RT_FAULT_CUT, "", .is = 0},
	{"append", RT_FAULT_APPEND, "st?", .is = STREAM},
	{"pause", RT_FAULT_PAUSE, "tp?", .is = 0},
	{"close-notify", RT_FAULT_CLOSE_NOTIFY, "b", .is = STREAM},
	{"rekey", RT_FAULT_REKEY, "b", .is = STREAM},
	{"split", RT_FAULT_SPLIT, "p*", .is = STREAM},
	{"each", RT_FAULT_EACH, "n", .is = STREAM, .least = 1,
		.bounds = "at least 1 byte"},
	{"gap", RT_FAULT_GAP, "t", .is = STREAM},
	{"rate", RT_FAULT_RATE, "n", .is = STREAM, .least = 1,
		.bounds = "at least 1 byte"},
	{"spread", RT_FAULT_SPREAD, "t", .is = STREAM},
	{"await", RT_FAULT_AWAIT, "", .is = STREAM},
	{"end", RT_FAULT_END, "e", .is = STREAM},
	{"deaf", RT_FAULT_DEAF, "", .is = STREAM},
	{"no-close-notify", RT_FAULT_NO_NOTIFY, "", .is = STREAM},
	{"no-resume", RT_FAULT_NO_RESUME, "", .is = STREAM},
	{"refuse", RT_FAULT_REFUSE, "t?", .is = STREAM},
};

/* Adds a clause, which begins as a copy of `like`. NULL: it cannot. */
static struct rt_clause *
add_clause(struct rt_faults *faults, const struct rt_clause *like,
	struct rt_fault_reader *reader)
{
	const struct rt_clause copy = *like; /* it may be one of them */

	if (faults->count == MAX_CLAUSES) {
		(void)rt_fault_expected(reader, "fewer clauses");
		return NULL;
	}
	if (!rt_grow(&faults->clauses, &faults->room, faults->count,
		    sizeof copy)) {
		reader->code = -ENOMEM;
		return NULL;
	}
	faults->clauses[faults->count] = copy;
	return faults->clauses + faults->count++;
}

static const struct rt_fault_word *
find_word(const struct rt_fault_reader *reader)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (rt_fault_is_word(reader, words[i].name))
			return &words[i];
	return NULL;
}

/* Words that other tools have for the same. */
static const struct {
	const char *said;
	const char *meant;
} likely[] = {
	{"abort", "'end reset'"},
	{"bandwidth", "rate N"},
	{"close", "'end fin' or empty"},
	{"delay", "pause TIME"},
	{"disconnect", "empty or 'end reset'"},
	{"dribble", "'each 1; gap TIME' or spread TIME"},
	{"drip", "'each 1; gap TIME' or spread TIME"},
	{"drop", "empty or 'end reset'"},
	{"error", "status N"},
	{"fin", "'end fin'"},
	{"half", "'end half'"},
	{"half-close", "'end half'"},
	{"hang", "'end stall' or 'cut 0 stall'"},
	{"jitter", "'pause TIME-TIME'"},
	{"latency", "pause TIME"},
	{"limit", "rate N"},
	{"reset", "'end reset' or 'cut 0 reset'"},
	{"rst", "'end reset' or 'cut 0 reset'"},
	{"sleep", "pause TIME"},
	{"slow", "rate N or spread TIME"},
	{"stall", "'end stall' or 'cut 0 stall'"},
	{"throttle", "rate N"},
	{"timeout", "'end stall' or 'cut 0 stall'"},
	{"trickle", "rate N or spread TIME"},
	{"trunc", "cut AT"},
	{"truncate", "cut AT"},
	{"wait", "pause TIME"},
};

static bool
expected_fault(struct rt_fault_reader *reader)
{
	char what[96];

	for (size_t i = 0; i < sizeof likely / sizeof *likely; i++)
		if (rt_fault_is_word(reader, likely[i].said)) {
			(void)snprintf(what, sizeof what,
				"a fault; did you mean %s?", likely[i].meant);
			return rt_fault_expected(reader, what);
		}
	return rt_fault_expected(reader,
		"a fault, such as cut, pause, split or end");
}

/* Sets the meaning of a word that is short for another clause. */
static bool
set_meaning(struct rt_clause *clause, const struct rt_fault_word *word)
{
	clause->ending = RT_STEP_CLOSE;
	if (word->means == NULL)
		return true;
	clause->size = strlen(word->means);
	clause->bytes = strdup(word->means);
	return clause->bytes != NULL;
}

/* Whether another argument follows. */
static bool
has_more(struct rt_fault_reader *reader)
{
	bool more = rt_fault_next_word(reader) &&
		!rt_fault_is_word(reader, "chance") &&
		!rt_fault_is_word(reader, "or");

	rt_fault_put_back(reader);
	return more;
}

/* Reads one argument, of the kind that the letter says. */
static bool
read_one(struct rt_fault_reader *reader, struct rt_clause *clause, char what)
{
	clause->own = clause->end;
	if (!rt_fault_argument(reader, clause, what))
		return false;
	clause->end = (size_t)(reader->at - reader->text);
	return true;
}

/* Reads the arguments of a word. Each of several positions becomes a clause. */
static bool
read_arguments(struct rt_fault_reader *reader, struct rt_faults *faults,
	struct rt_clause *clause)
{
	const char *wants = reader->kind->wants;

	clause->end = (size_t)(reader->at - reader->text);
	for (; *wants != '\0'; wants += 1 + (wants[1] == '?')) {
		if (wants[1] == '?' && !has_more(reader))
			break;
		clause->given = true;
		if (!read_one(reader, clause, *wants))
			return false;
		while (wants[1] == '*' && has_more(reader)) {
			clause = add_clause(faults, clause, reader);
			if (clause == NULL)
				return false;
			clause->any.end = 0;
			if (!read_one(reader, clause, *wants))
				return false;
		}
		if (wants[1] == '*')
			break;
	}
	return true;
}

/* Reads a share, such as 5% or 0.25%. */
static bool
read_share(struct rt_fault_reader *reader, unsigned *share)
{
	const char *at, *end;
	unsigned unit = RT_FAULT_ALWAYS / 100;
	uint64_t whole = 0;
	bool ok = rt_fault_next_word(reader);

	at = reader->word.text;
	end = at + reader->word.size;
	ok = ok && rt_text_digits(&at, end, &whole) && whole <= 100;
	*share = (unsigned)whole * unit;
	if (ok && at < end && *at == '.')
		for (at++; at < end && unit > 1 && *at >= '0' && *at <= '9';
			at++)
			*share += (unit /= 10) * (unsigned)(*at - '0');
	ok = ok && end - at == 1 && *at == '%' && *share <= RT_FAULT_ALWAYS;
	return ok ||
		rt_fault_expected(reader,
			"a percentage from 0% to 100%, with at most 3 decimals");
}

/* Reads the chance of the clauses from `first` on, which are taken together or
   not at all. `with`: they are an alternative to the ones before. */
static bool
read_chance(struct rt_fault_reader *reader, struct rt_faults *faults,
	size_t first, bool with)
{
	const struct rt_clause *before =
		with ? faults->clauses + first - 1 : NULL;
	struct rt_clause like = faults->clauses[first];
	bool given = rt_fault_next_word(reader) &&
		rt_fault_is_word(reader, "chance");

	like.end = faults->clauses[faults->count - 1].end;
	like.share = RT_FAULT_ALWAYS;
	if (!given)
		rt_fault_put_back(reader);
	if (given && reader->fixed)
		return rt_fault_expected(reader,
			"no chance: it is obeyed before there is a reply");
	if (given && !read_share(reader, &like.share))
		return false;
	like.from = with ? before->from + before->share : 0;
	if (like.from + like.share > RT_FAULT_ALWAYS)
		return rt_fault_expected_of(reader, &like,
			"chances of 100% together at most");
	for (size_t i = first; i < faults->count; i++) {
		struct rt_clause *clause = faults->clauses + i;

		clause->roll = with ? before->roll : reader->rolls;
		clause->choice = with ? before->choice + 1 : 0;
		clause->last = true;
		clause->from = like.from;
		clause->share = like.share;
		faults->chancy = faults->chancy || given ||
			clause->any.end > 0 || clause->between.end > 0;
	}
	reader->rolls += !with;
	return true;
}

/* Checks that a number is within the bounds of its word. */
static bool
check_number(struct rt_fault_reader *reader, const struct rt_clause *clause)
{
	const struct rt_fault_word *word = reader->kind;

	if (*word->wants != 'n' || !clause->given ||
		(clause->number >= word->least &&
			(word->most == 0 || clause->number <= word->most)))
		return true;
	return rt_fault_expected_of(reader, clause, word->bounds);
}

/* Reads one alternative, from its word on, with its chance; `with` as above. */
static bool
read_alternative(struct rt_fault_reader *reader, struct rt_faults *faults,
	bool with)
{
	const struct rt_clause empty = {
		.begin = (size_t)(reader->word.text - reader->text)};
	size_t first = faults->count;
	struct rt_clause *clause;

	reader->kind = find_word(reader);
	if (reader->kind == NULL)
		return expected_fault(reader);
	reader->begin = reader->word.text;
	clause = add_clause(faults, &empty, reader);
	if (clause == NULL)
		return false;
	clause->verb = reader->kind->verb;
	clause->stream = reader->kind->is & STREAM;
	reader->fixed = reader->kind->is & EARLY;
	if (!set_meaning(clause, reader->kind)) {
		reader->code = -ENOMEM;
		return false;
	}
	return read_arguments(reader, faults, clause) &&
		check_number(reader, faults->clauses + first) &&
		read_chance(reader, faults, first, with);
}

/* Reads a clause up to the semicolon: alternatives have "or" between them. */
static bool
read_clause(struct rt_fault_reader *reader, struct rt_faults *faults)
{
	size_t first = faults->count, before;

	if (!read_alternative(reader, faults, false))
		return false;
	while (rt_fault_next_word(reader)) {
		if (!rt_fault_is_word(reader, "or"))
			return rt_fault_expected(reader,
				"the end of the clause");
		before = faults->count;
		(void)rt_fault_next_word(reader);
		if (!read_alternative(reader, faults, true))
			return false;
		for (size_t i = first; i < before; i++)
			faults->clauses[i].last = false;
		first = before;
	}
	return true;
}

/* Checks that the text is printable, as logs and terminals show it. */
static bool
is_printable(struct rt_fault_reader *reader)
{
	for (const char *at = reader->text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		if ((c < ' ' && strchr("\t\r\n", c) == NULL) || c > '~') {
			reader->begin = at;
			reader->word = (struct rt_word){at, 0};
			return rt_fault_expected(reader,
				"printable ASCII; other bytes as \\xHH");
		}
	}
	return true;
}

static bool
read_all(struct rt_fault_reader *reader, struct rt_faults *faults)
{
	while (*reader->at != '\0') {
		if (rt_fault_next_word(reader) && !read_clause(reader, faults))
			return false;
		if (*reader->at != '\0')
			reader->at++;
	}
	return true;
}

/* Puts the clauses on reading together. */
static void
set_reading(struct rt_faults *faults)
{
	struct rt_reading *reading = &faults->reading;

	for (size_t i = 0; i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;

		faults->reads =
			faults->reads || clause->verb <= RT_FAULT_CONTINUE;
		switch (clause->verb) {
		case RT_FAULT_EARLY:
			reading->early = true;
			reading->early_at = clause->given ? clause->number : 0;
			break;
		case RT_FAULT_STOP_READING:
			reading->stops = true;
			reading->stop = clause->number;
			break;
		case RT_FAULT_READ:
			reading->pace = clause->number;
			reading->gap = (int64_t)clause->time;
			break;
		case RT_FAULT_CONTINUE:
			reading->delay = clause->given ? (int64_t)clause->time :
							 RT_NEVER;
			reading->twice = clause->number == 2;
			break;
		default:
			break;
		}
	}
}

/* What is to be expected instead of a clause that would do nothing; NULL: it
   does something. */
static const char *
find_useless(const struct rt_faults *faults, const struct rt_clause *clause)
{
	const struct rt_clause *early = rt_faults_find(faults, RT_FAULT_EARLY);

	if (clause->verb > RT_FAULT_EARLY &&
		clause->verb <= RT_FAULT_CONTINUE && early != NULL &&
		!early->given)
		return "no early with it, which does not wait for the body";
	if (clause->verb == RT_FAULT_INSERT && rt_clause_is_wired(clause) &&
		clause->size > MAX_ON_WIRE)
		return "at most 262144 bytes on the wire";
	if (clause->verb == RT_FAULT_STOP_READING && faults->reading.early)
		return "no early with it, which answers";
	for (size_t i = 0; i < faults->count; i++)
		if (rt_clause_is_for(clause, faults->clauses + i))
			return NULL;
	if (clause->verb == RT_FAULT_AWAIT)
		return "an end with it that is no stall, such as 'end reset'";
	return clause->verb == RT_FAULT_GAP ?
		"split or each with it" :
		"early or a stall with it, such as 'end stall'";
}

/* Checks that each clause does something, alone or with the others. */
static bool
check_sense(struct rt_fault_reader *reader, const struct rt_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;
		const char *wrong = find_useless(faults, clause);

		if (wrong != NULL)
			return rt_fault_expected_of(reader, clause, wrong);
	}
	return true;
}

/* Makes it one line, as it was said. */
static void
tidy_text(char *text)
{
	size_t size = strlen(text);

	while (size > 0 && strchr("\r\n; \t", text[size - 1]) != NULL)
		text[--size] = '\0';
	for (; *text != '\0'; text++)
		if (*text == '\n')
			*text = ';';
		else if (*text == '\r' || *text == '\t')
			*text = ' ';
}

struct rt_faults *
rt_faults_new(const char *text, struct rt_error *error)
{
	struct rt_faults *faults = calloc(1, sizeof *faults);
	struct rt_fault_reader reader = {.text = text,
		.at = text,
		.begin = text,
		.error = error};

	*error = (struct rt_error){.member = NULL};
	if (faults == NULL || (faults->text = strdup(text)) == NULL) {
		reader.code = -ENOMEM;
	} else if (is_printable(&reader) && read_all(&reader, faults)) {
		set_reading(faults);
		(void)check_sense(&reader, faults);
	}
	if (reader.code == 0) {
		tidy_text(faults->text);
		return faults;
	}
	error->member = "faults";
	if (reader.code == -ENOMEM)
		(void)rt_fail_errno(error->text, reader.code, NULL);
	rt_faults_free(faults);
	errno = -reader.code;
	return NULL;
}

void
rt_faults_free(struct rt_faults *faults)
{
	if (faults == NULL)
		return;
	for (size_t i = 0; i < faults->count && !faults->drawn; i++)
		/* the clauses of one split share nothing */
		free(faults->clauses[i].bytes);
	free(faults->clauses);
	free(faults->text);
	free(faults);
}

const char *
rt_faults_text(const struct rt_faults *faults)
{
	return faults->text;
}
