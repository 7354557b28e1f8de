/* SPDX-License-Identifier: MIT */
/*
 * The words of a clause, and the arguments after its first: positions, times,
 * numbers, endings, bytes. Called by fault.c.
 */
#include "config.h"

#include "fault/fault_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "tls/alert.h"

/* The greatest number: sums and products of such do not overflow. */
#define MAX_NUMBER 999999999999999u

static const struct {
	const char *name;
	enum rt_step_kind kind;
} endings[] = {
	{"fin", RT_STEP_CLOSE},
	{"reset", RT_STEP_RESET},
	{"stall", RT_STEP_STALL},
	{"half", RT_STEP_HALF},
};

static bool
is_blank(char c)
{
	return rt_is_blank(c) || c == '\r';
}

static bool
is_end(char c)
{
	return c == '\0' || c == ';' || c == '\n';
}

bool
rt_fault_next_word(struct rt_fault_reader *reader)
{
	while (is_blank(*reader->at))
		reader->at++;
	reader->word.text = reader->at;
	while (!is_blank(*reader->at) && !is_end(*reader->at))
		reader->at++;
	reader->word.size = (size_t)(reader->at - reader->word.text);
	return reader->word.size > 0;
}

void
rt_fault_put_back(struct rt_fault_reader *reader)
{
	reader->at = reader->word.text;
}

/* The number of bytes before the present word that an error shows. */
static int
said_size(const struct rt_fault_reader *reader)
{
	const char *begin = reader->begin, *end = reader->word.text;

	while (end > begin && is_blank(end[-1]))
		end--;
	return (int)(end - begin < 60 ? end - begin : 60);
}

bool
rt_fault_expected(struct rt_fault_reader *reader, const char *what)
{
	struct rt_word word = reader->word;

	reader->code = -EINVAL;
	reader->error->at = (size_t)(word.text - reader->text);
	if (word.size > 0)
		(void)rt_fail(reader->error->text, -EINVAL,
			"'%.*s': expected %s",
			(int)(word.size < 60 ? word.size : 60), word.text,
			what);
	else if (word.text > reader->begin)
		(void)rt_fail(reader->error->text, -EINVAL,
			"after '%.*s': expected %s", said_size(reader),
			reader->begin, what);
	else
		(void)rt_fail(reader->error->text, -EINVAL, "expected %s",
			what);
	return false;
}

bool
rt_fault_expected_of(struct rt_fault_reader *reader,
	const struct rt_clause *clause, const char *what)
{
	reader->code = rt_fail(reader->error->text, -EINVAL,
		"'%.*s': expected %s", rt_clause_shown(clause),
		reader->text + clause->begin, what);
	reader->error->at = clause->begin;
	return false;
}

/* Reads the digits of the present word, without its first `skip` bytes and its
   last `left`. */
static bool
read_digits(const struct rt_fault_reader *reader, size_t skip, size_t left,
	uint64_t *number)
{
	struct rt_word word = reader->word;

	if (word.size < skip + left)
		return false;
	word.text += skip;
	word.size -= skip + left;
	return rt_word_number(word, MAX_NUMBER, number);
}

static bool
read_number(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	return (rt_fault_next_word(reader) &&
		       read_digits(reader, 0, 0, &clause->number)) ||
		rt_fault_expected(reader, "a whole number");
}

/* The place of the present word. */
static struct rt_hole
make_hole(const struct rt_fault_reader *reader)
{
	size_t begin = (size_t)(reader->word.text - reader->text);

	return (struct rt_hole){begin, begin + reader->word.size};
}

/* The letters at the end of a word: its unit, if any. */
static struct rt_word
unit_of(struct rt_word word)
{
	size_t size = word.size;

	while (size > 0 && word.text[size - 1] >= 'a' &&
		word.text[size - 1] <= 'z')
		size--;
	return (struct rt_word){word.text + size, word.size - size};
}

/* Reads the lesser one of two times, which may have the unit of the other. */
static bool
read_least(struct rt_word least, struct rt_word most, uint64_t *ms)
{
	struct rt_word unit = unit_of(most);
	char both[40];
	int size;

	if (unit_of(least).size > 0 || unit.size == 0)
		return rt_word_time(least, MAX_NUMBER, ms);
	size = snprintf(both, sizeof both, "%.*s%.*s", (int)least.size,
		least.text, (int)unit.size, unit.text);
	return size < (int)sizeof both && least.size < sizeof both &&
		rt_word_time((struct rt_word){both, (size_t)size}, MAX_NUMBER,
			ms);
}

/* Reads a time, or two with "-" between them, between which one is drawn. */
static bool
read_time(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	static const char what[] = "a time, such as 250ms or 2s";
	struct rt_word least, most;
	const char *dash;
	uint64_t to;

	if (!rt_fault_next_word(reader))
		return rt_fault_expected(reader, what);
	least = most = reader->word;
	dash = reader->fixed ? NULL : memchr(least.text, '-', least.size);
	if (dash != NULL) {
		least.size = (size_t)(dash - least.text);
		most.text = dash + 1;
		most.size -= least.size + 1;
	}
	if (!read_least(least, most, &clause->time) ||
		!rt_word_time(most, MAX_NUMBER, &to))
		return rt_fault_expected(reader, what);
	if (to > INT32_MAX)
		return rt_fault_expected(reader,
			"a time, 2147483647 ms at most");
	if (to < clause->time)
		return rt_fault_expected(reader, "the smaller number first");
	clause->spare = to - clause->time;
	clause->time *= (uint64_t)RT_MS;
	if (dash != NULL)
		clause->between = make_hole(reader);
	return true;
}

static bool
read_signed(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	if (!rt_fault_next_word(reader))
		return rt_fault_expected(reader, "N, +N or -N");
	if (*reader->word.text == '+' || *reader->word.text == '-')
		clause->sign = *reader->word.text;
	return read_digits(reader, clause->sign != 0, 0, &clause->number) ||
		rt_fault_expected(reader, "N, +N or -N");
}

static const struct {
	const char *name;
	enum rt_fault_base base;
} units[] = {
	{"wire", RT_FAULT_WIRE},
	{"record", RT_FAULT_RECORD},
	{"flight", RT_FAULT_FLIGHT},
};

/* Reads N, or N+M, after the word: a number of records or flights, and of
   bytes. */
static bool
read_on_wire(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	bool bytes = clause->base == RT_FAULT_WIRE;
	const char *plus;
	size_t rest = 0;

	if (!rt_fault_next_word(reader))
		return rt_fault_expected(reader,
			bytes ? "a whole number" : "N or N+M");
	plus = memchr(reader->word.text, '+', reader->word.size);
	if (plus != NULL && !bytes)
		rest = (size_t)(reader->at - plus);
	return (read_digits(reader, 0, rest, &clause->at) &&
		       (rest == 0 ||
			       read_digits(reader, reader->word.size - rest + 1,
				       0, &clause->plus))) ||
		rt_fault_expected(reader,
			bytes ? "a whole number" : "N or N+M");
}

/* Whether the word is a unit of TLS, which a datagram has not. */
static bool
is_on_wire(const struct rt_fault_reader *reader, struct rt_clause *clause)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (rt_fault_is_word(reader, units[i].name)) {
			clause->base = units[i].base;
			clause->stream = true;
			return true;
		}
	return false;
}

static bool
read_position(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	static const char what[] = "N, -N, N%, any, head N, body N, wire N, "
				   "record N or flight N";
	size_t minus;

	if (!rt_fault_next_word(reader))
		return rt_fault_expected(reader, what);
	clause->plus = 0;
	if (is_on_wire(reader, clause))
		return read_on_wire(reader, clause);
	clause->base = RT_FAULT_FROM_BEGIN;
	if (rt_fault_is_word(reader, "head") ||
		rt_fault_is_word(reader, "body")) {
		clause->base = *reader->word.text == 'h' ? RT_FAULT_FROM_HEAD :
							   RT_FAULT_FROM_BODY;
		if (!rt_fault_next_word(reader))
			return rt_fault_expected(reader, what);
	} else if (rt_fault_is_word(reader, "any")) {
		clause->base = RT_FAULT_ANYWHERE;
		clause->any = make_hole(reader);
		return true;
	} else if (reader->word.text[reader->word.size - 1] == '%') {
		clause->base = RT_FAULT_PERCENT;
		return (read_digits(reader, 0, 1, &clause->at) &&
			       clause->at <= 100) ||
			rt_fault_expected(reader, "0% to 100%");
	}
	minus = *reader->word.text == '-' &&
		clause->base == RT_FAULT_FROM_BEGIN;
	if (minus)
		clause->base = RT_FAULT_FROM_END;
	return read_digits(reader, minus, 0, &clause->at) ||
		rt_fault_expected(reader, what);
}

static bool
read_ending(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	if (rt_fault_next_word(reader))
		for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
			if (rt_fault_is_word(reader, endings[i].name)) {
				clause->ending = endings[i].kind;
				return true;
			}
	return rt_fault_expected(reader, "fin, reset, stall or half");
}

static bool
read_alert(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	/* without a position it comes before all that is sent */
	clause->base = RT_FAULT_WIRE;
	return (rt_fault_next_word(reader) &&
		       rt_alert_number(reader->word, &clause->number)) ||
		rt_fault_expected(reader,
			"an alert, such as handshake-failure, or its number");
}

/* Reads `never`, `twice`, or a time. */
static bool
read_when(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	if (rt_fault_next_word(reader) && rt_fault_is_word(reader, "never")) {
		clause->given = false;
		return true;
	}
	clause->given = true;
	if (rt_fault_is_word(reader, "twice")) {
		clause->number = 2;
		return true;
	}
	rt_fault_put_back(reader);
	if (*reader->word.text < '0' || *reader->word.text > '9')
		return rt_fault_expected(reader, "never, twice or a time");
	return read_time(reader, clause);
}

static bool
read_bytes(struct rt_fault_reader *reader, struct rt_clause *clause)
{
	struct rt_buf bytes;
	bool ok;

	while (is_blank(*reader->at))
		reader->at++;
	reader->word.text = reader->at;
	reader->word.size = strcspn(reader->at, "\n");
	rt_buf_init(&bytes, RT_MAX_TEXT / 2);
	ok = rt_text_unquote(&reader->at, reader->word.text + reader->word.size,
		&bytes);
	if (!ok)
		(void)rt_fault_expected(reader, RT_TEXT_QUOTED);
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

bool
rt_fault_argument(struct rt_fault_reader *reader, struct rt_clause *clause,
	char what)
{
	switch (what) {
	case 'p':
		return read_position(reader, clause);
	case 'b':
		return read_position(reader, clause) &&
			(!rt_clause_is_wired(clause) ||
				rt_fault_expected(reader,
					"a position of the reply's bytes"));
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
	case 'a':
		return read_alert(reader, clause);
	default:
		return read_bytes(reader, clause);
	}
}
