/* SPDX-License-Identifier: MIT */
/*
 * Faults as text: a table of words, and the reader. Called by canned.c and
 * route.c, and by what checks a text before it is used. Pure.
 */
#include "config.h"

#include "reply/fault_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#define MAX_CLAUSES 1024

/* A number of this many digits overflows nothing. */
#define MAX_DIGITS 15

/*
 * Words and what follows them: p position, e ending, n number, l signed
 * number, t time in ms, w `never` or a time, s quoted bytes. A `?` after it: it
 * may be left out; `*`: there may be more.
 */
static const struct word {
	const char *name;
	enum rt_fault_verb verb;
	const char *wants;
	const char *means; /* another clause, or NULL */
} words[] = {
	{"early", RT_FAULT_EARLY, "", NULL},
	{"stop-reading", RT_FAULT_STOP_READING, "n?", NULL},
	{"read-slowly", RT_FAULT_READ, "nt", NULL},
	{"continue", RT_FAULT_CONTINUE, "w", NULL},
	{"status", RT_FAULT_STATUS, "n", NULL},
	{"garbage", RT_FAULT_GARBAGE_BYTES, "n?", NULL},
	{"bare-lf", RT_FAULT_BARE_LF, "", NULL},
	{"add", RT_FAULT_ADD, "s", NULL},
	{"fold", RT_FAULT_ADD, "", "X-Folded: a\r\n b\r\n"},
	{"length", RT_FAULT_LENGTH, "l", NULL},
	{"headless", RT_FAULT_HEADLESS, "", NULL},
	{"force-body", RT_FAULT_BODY, "", NULL},
	{"no-range", RT_FAULT_NO_RANGE, "", NULL},
	{"endless", RT_FAULT_ENDLESS, "", NULL},
	{"insert", RT_FAULT_INSERT, "ps", NULL},
	{"corrupt", RT_FAULT_CORRUPT, "p", NULL},
	{"cut", RT_FAULT_CUT, "pe?", NULL},
	{"empty", RT_FAULT_CUT, "", NULL},
	{"pause", RT_FAULT_PAUSE, "tp?", NULL},
	{"split", RT_FAULT_SPLIT, "p*", NULL},
	{"each", RT_FAULT_EACH, "n", NULL},
	{"gap", RT_FAULT_GAP, "t", NULL},
	{"rate", RT_FAULT_RATE, "n", NULL},
	{"spread", RT_FAULT_SPREAD, "t", NULL},
	{"end", RT_FAULT_END, "e", NULL},
	{"deaf", RT_FAULT_DEAF, "", NULL},
	{"refuse", RT_FAULT_REFUSE, "t?", NULL},
};

static const struct {
	const char *name;
	enum rt_step_kind kind;
} endings[] = {
	{"fin", RT_STEP_CLOSE},
	{"reset", RT_STEP_RESET},
	{"rst", RT_STEP_RESET},
	{"stall", RT_STEP_STALL},
	{"half", RT_STEP_HALF},
};

/* --- reading --- */

struct reader {
	const char *text;
	const char *at;
	const char *word; /* the present one, for errors */
	size_t size;
	char *error;
	int code;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_end(char c)
{
	return c == '\0' || c == ';' || c == '\n';
}

/* The next word of the clause; false: there is none. */
static bool
next_word(struct reader *reader)
{
	while (is_blank(*reader->at))
		reader->at++;
	reader->word = reader->at;
	while (!is_blank(*reader->at) && !is_end(*reader->at))
		reader->at++;
	reader->size = (size_t)(reader->at - reader->word);
	return reader->size > 0;
}

static void
put_back(struct reader *reader)
{
	reader->at = reader->word;
}

static bool
is_word(const struct reader *reader, const char *name)
{
	return strlen(name) == reader->size &&
		memcmp(name, reader->word, reader->size) == 0;
}

static bool
expected(struct reader *reader, const char *what)
{
	reader->code = -EINVAL;
	if (reader->size > 0)
		(void)rt_fail(reader->error, -EINVAL, "'%.*s': expected %s",
			(int)(reader->size < 60 ? reader->size : 60),
			reader->word, what);
	else
		(void)rt_fail(reader->error, -EINVAL, "expected %s", what);
	return false;
}

/* The digits of the present word from `skip` on, up to `left` bytes. */
static bool
read_digits(const struct reader *reader, size_t skip, size_t left,
	uint64_t *number)
{
	size_t size = reader->size - skip - left;

	*number = 0;
	if (reader->size < skip + left + 1 || size > MAX_DIGITS)
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = reader->word[skip + i];

		if (c < '0' || c > '9')
			return false;
		*number = *number * 10 + (uint64_t)(c - '0');
	}
	return true;
}

static bool
read_number(struct reader *reader, struct rt_clause *clause)
{
	return (next_word(reader) &&
		       read_digits(reader, 0, 0, &clause->number)) ||
		expected(reader, "a whole number");
}

static bool
read_time(struct reader *reader, struct rt_clause *clause)
{
	if (!next_word(reader) || !read_digits(reader, 0, 0, &clause->time))
		return expected(reader, "milliseconds");
	if (clause->time > INT32_MAX)
		return expected(reader, "milliseconds, 2147483647 at most");
	clause->time *= (uint64_t)RT_MS;
	return true;
}

static bool
read_signed(struct reader *reader, struct rt_clause *clause)
{
	if (!next_word(reader))
		return expected(reader, "N, +N or -N");
	if (*reader->word == '+' || *reader->word == '-')
		clause->sign = *reader->word;
	return read_digits(reader, clause->sign != 0, 0, &clause->number) ||
		expected(reader, "N, +N or -N");
}

static bool
read_position(struct reader *reader, struct rt_clause *clause)
{
	static const char what[] = "N, -N, N%, head N or body N";
	size_t minus;

	if (!next_word(reader))
		return expected(reader, what);
	clause->base = RT_FAULT_FROM_BEGIN;
	if (is_word(reader, "head") || is_word(reader, "body")) {
		clause->base = *reader->word == 'h' ? RT_FAULT_FROM_HEAD :
						      RT_FAULT_FROM_BODY;
		if (!next_word(reader))
			return expected(reader, what);
	} else if (reader->word[reader->size - 1] == '%') {
		clause->base = RT_FAULT_PERCENT;
		return (read_digits(reader, 0, 1, &clause->at) &&
			       clause->at <= 100) ||
			expected(reader, "0% to 100%");
	}
	minus = *reader->word == '-' && clause->base == RT_FAULT_FROM_BEGIN;
	if (minus)
		clause->base = RT_FAULT_FROM_END;
	return read_digits(reader, minus, 0, &clause->at) ||
		expected(reader, what);
}

static bool
read_ending(struct reader *reader, struct rt_clause *clause)
{
	if (next_word(reader))
		for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
			if (is_word(reader, endings[i].name)) {
				clause->ending = endings[i].kind;
				return true;
			}
	return expected(reader, "fin, reset, stall or half");
}

/* `never`, or a time. */
static bool
read_when(struct reader *reader, struct rt_clause *clause)
{
	if (next_word(reader) && is_word(reader, "never")) {
		clause->given = false;
		return true;
	}
	put_back(reader);
	clause->given = true;
	if (*reader->word < '0' || *reader->word > '9')
		return expected(reader, "never or milliseconds");
	return read_time(reader, clause);
}

static bool
read_bytes(struct reader *reader, struct rt_clause *clause)
{
	struct rt_buf bytes;
	bool ok;

	while (is_blank(*reader->at))
		reader->at++;
	reader->word = reader->at;
	reader->size = strcspn(reader->at, "\n");
	rt_buf_init(&bytes, RT_MAX_TEXT / 2);
	ok = rt_text_unquote(&reader->at, reader->word + reader->size, &bytes);
	if (!ok)
		(void)expected(reader, RT_TEXT_QUOTED);
	else if (bytes.failed)
		reader->code = -ENOMEM;
	if (reader->code < 0) {
		rt_buf_free(&bytes);
		return false;
	}
	clause->bytes = bytes.data;
	clause->size = bytes.len;
	return true;
}

static bool
read_argument(struct reader *reader, struct rt_clause *clause, char what)
{
	switch (what) {
	case 'p':
		return read_position(reader, clause);
	case 'e':
		return read_ending(reader, clause);
	case 'n':
		return read_number(reader, clause);
	case 'l':
		return read_signed(reader, clause);
	case 't':
		return read_time(reader, clause);
	case 'w':
		return read_when(reader, clause);
	default:
		return read_bytes(reader, clause);
	}
}

/* A clause more, which `like` begins as; NULL: there cannot be. */
static struct rt_clause *
add_clause(struct rt_faults *faults, const struct rt_clause *like,
	struct reader *reader)
{
	const struct rt_clause copy = *like; /* it may be one of them */

	if (faults->count == MAX_CLAUSES) {
		(void)expected(reader, "fewer clauses");
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

static const struct word *
find_word(const struct reader *reader)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (is_word(reader, words[i].name))
			return &words[i];
	return NULL;
}

/* Words that others have for the same. */
static const struct {
	const char *said;
	const char *meant;
} likely[] = {
	{"abort", "'end reset'"},
	{"bandwidth", "rate N"},
	{"close", "'end fin' or empty"},
	{"delay", "pause MS"},
	{"disconnect", "empty or 'end reset'"},
	{"drop", "empty or 'end reset'"},
	{"fin", "'end fin'"},
	{"half", "'end half'"},
	{"hang", "'end stall' or 'cut 0 stall'"},
	{"latency", "pause MS"},
	{"limit", "rate N"},
	{"reset", "'end reset' or 'cut 0 reset'"},
	{"rst", "'end reset' or 'cut 0 reset'"},
	{"sleep", "pause MS"},
	{"slow", "rate N or spread MS"},
	{"stall", "'end stall' or 'cut 0 stall'"},
	{"throttle", "rate N"},
	{"timeout", "'end stall' or 'cut 0 stall'"},
	{"trickle", "rate N or spread MS"},
	{"trunc", "cut AT"},
	{"truncate", "cut AT"},
	{"wait", "pause MS"},
};

static bool
expected_fault(struct reader *reader)
{
	char what[96];

	for (size_t i = 0; i < sizeof likely / sizeof *likely; i++)
		if (is_word(reader, likely[i].said)) {
			(void)snprintf(what, sizeof what,
				"a fault; did you mean %s?", likely[i].meant);
			return expected(reader, what);
		}
	return expected(reader, "a fault, such as cut, pause, split or end");
}

/* What a word is short for. */
static bool
set_meaning(struct rt_clause *clause, const struct word *word)
{
	clause->ending = RT_STEP_CLOSE;
	if (word->means == NULL)
		return true;
	clause->size = strlen(word->means);
	clause->bytes = strdup(word->means);
	return clause->bytes != NULL;
}

static bool
has_more(struct reader *reader)
{
	bool more = next_word(reader);

	put_back(reader);
	return more;
}

/* What follows the word; of several positions each is a clause. */
static bool
read_arguments(struct reader *reader, struct rt_faults *faults,
	struct rt_clause *clause, const char *wants)
{
	clause->end = (size_t)(reader->at - reader->text);
	for (; *wants != '\0'; wants += 1 + (wants[1] == '?')) {
		if (wants[1] == '?' && !has_more(reader))
			break;
		clause->given = true;
		if (!read_argument(reader, clause, *wants))
			return false;
		clause->end = (size_t)(reader->at - reader->text);
		if (wants[1] != '*')
			continue;
		while (has_more(reader)) {
			clause = add_clause(faults, clause, reader);
			if (clause == NULL ||
				!read_argument(reader, clause, *wants))
				return false;
			clause->end = (size_t)(reader->at - reader->text);
		}
		break;
	}
	return !next_word(reader) || expected(reader, "the end of the clause");
}

static bool
read_clause(struct reader *reader, struct rt_faults *faults)
{
	const struct rt_clause empty = {
		.begin = (size_t)(reader->word - reader->text)};
	const struct word *word = find_word(reader);
	struct rt_clause *clause;

	if (word == NULL)
		return expected_fault(reader);
	clause = add_clause(faults, &empty, reader);
	if (clause == NULL)
		return false;
	clause->verb = word->verb;
	if (!set_meaning(clause, word)) {
		reader->code = -ENOMEM;
		return false;
	}
	return read_arguments(reader, faults, clause, word->wants);
}

/* It is shown in logs and at terminals. */
static bool
is_printable(struct reader *reader)
{
	for (const char *at = reader->text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		if ((c < ' ' && strchr("\t\r\n", c) == NULL) || c > '~') {
			reader->word = at;
			reader->size = 0;
			return expected(reader,
				"printable ASCII; other bytes as \\xHH");
		}
	}
	return true;
}

static bool
read_all(struct reader *reader, struct rt_faults *faults)
{
	while (*reader->at != '\0') {
		if (next_word(reader) && !read_clause(reader, faults))
			return false;
		if (*reader->at != '\0')
			reader->at++;
	}
	return true;
}

/* What is said of reading, as one. */
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
			break;
		default:
			break;
		}
	}
}

const struct rt_clause *
rt_faults_find(const struct rt_faults *faults, enum rt_fault_verb verb)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].verb == verb)
			return faults->clauses + i;
	return NULL;
}

/* What would do nothing: what was expected in its place. */
static const char *
find_useless(const struct rt_faults *faults, const struct rt_clause *clause)
{
	if (clause->verb == RT_FAULT_GAP &&
		rt_faults_find(faults, RT_FAULT_SPLIT) == NULL &&
		rt_faults_find(faults, RT_FAULT_EACH) == NULL)
		return "split or each with it";
	if (clause->verb > RT_FAULT_EARLY &&
		clause->verb <= RT_FAULT_CONTINUE && faults->reading.early)
		return "no early beside it, which does not wait for the body";
	if (clause->verb != RT_FAULT_DEAF)
		return NULL;
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].ending == RT_STEP_STALL)
			return NULL;
	return "a stall with it, such as 'end stall'";
}

/* Numbers that the words cannot mean, and words that mean nothing alone. */
static bool
check_numbers(const struct rt_faults *faults, char *error, size_t *at)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;
		const char *wrong = NULL;

		if ((clause->verb == RT_FAULT_EACH ||
			    clause->verb == RT_FAULT_RATE ||
			    clause->verb == RT_FAULT_READ) &&
			clause->number == 0)
			wrong = "at least 1 byte";
		if (clause->verb == RT_FAULT_STATUS &&
			(clause->number < 200 || clause->number > 999))
			wrong = "200 to 999";
		if (clause->verb == RT_FAULT_GARBAGE_BYTES &&
			clause->number > RT_MAX_TEXT / 2)
			wrong = "fewer bytes";
		if (wrong == NULL)
			wrong = find_useless(faults, clause);
		if (wrong == NULL)
			continue;
		*at = clause->begin;
		(void)rt_fail(error, -EINVAL, "'%.*s': expected %s",
			(int)(clause->end - clause->begin),
			faults->text + clause->begin, wrong);
		return false;
	}
	return true;
}

/* One line. */
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
rt_faults_new(const char *text, char *error, size_t *at)
{
	struct rt_faults *faults = calloc(1, sizeof *faults);
	struct reader reader = {.text = text, .at = text, .error = error};

	*at = 0;
	if (faults == NULL || (faults->text = strdup(text)) == NULL) {
		reader.code = -ENOMEM;
	} else if (!is_printable(&reader) || !read_all(&reader, faults)) {
		*at = (size_t)(reader.word - text);
	} else {
		set_reading(faults);
		if (!check_numbers(faults, error, at))
			reader.code = -EINVAL;
	}
	if (reader.code == 0) {
		tidy_text(faults->text);
		return faults;
	}
	if (reader.code == -ENOMEM)
		(void)rt_fail_errno(error, reader.code, NULL);
	rt_faults_free(faults);
	errno = -reader.code;
	return NULL;
}

void
rt_faults_free(struct rt_faults *faults)
{
	if (faults == NULL)
		return;
	for (size_t i = 0; i < faults->count; i++)
		/* those of one split share nothing */
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

/* --- what others ask --- */

const struct rt_reading *
rt_faults_reading(const struct rt_faults *faults)
{
	return faults != NULL && faults->reads ? &faults->reading : NULL;
}

bool
rt_faults_same_reading(const struct rt_faults *a, const struct rt_faults *b)
{
	const struct rt_reading *one = rt_faults_reading(a),
				*other = rt_faults_reading(b);

	if (one == NULL || other == NULL)
		return one == other;
	return one->early == other->early && one->stops == other->stops &&
		one->stop == other->stop && one->pace == other->pace &&
		one->gap == other->gap && one->delay == other->delay;
}

int
rt_faults_status(const struct rt_faults *faults)
{
	const struct rt_clause *clause =
		rt_faults_find(faults, RT_FAULT_STATUS);

	return clause ? (int)clause->number : 0;
}

bool
rt_faults_body(const struct rt_faults *faults)
{
	return faults != NULL && rt_faults_find(faults, RT_FAULT_BODY) != NULL;
}

bool
rt_faults_whole(const struct rt_faults *faults)
{
	return rt_faults_find(faults, RT_FAULT_NO_RANGE) != NULL;
}

bool
rt_faults_datagram(const struct rt_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;

		if ((clause->verb >= RT_FAULT_SPLIT &&
			    clause->verb <= RT_FAULT_REFUSE) ||
			clause->ending != RT_STEP_CLOSE)
			return false;
	}
	return true;
}

bool
rt_faults_reset(const struct rt_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].ending == RT_STEP_RESET)
			return true;
	return false;
}
