/* SPDX-License-Identifier: MIT */
/* Reads transcripts: retort(3) describes them. */
#include "config.h"

#include "show/ladder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads a transcript line by line. */
struct reader {
	struct ladders *ladders;
	struct ladder *ladder; /* the present one; NULL */
	const char *at;
	const char *end;
	size_t number;      /* of the line */
	size_t first;       /* step of the present exchange */
	struct span faults; /* of that; none: {NULL, 0} */
	bool lacks_memory;
};

/* A line of it: "TIME MARK REST", without a time where it counts bytes. */
struct line {
	int64_t when; /* -1: none */
	char mark;
	struct span rest;
	const char *begin;
	const char *end;
};

/* --- lines --- */

/* Reads at most 15 digits. False: there are none. */
static bool
read_number(const char **at, const char *end, int64_t *number)
{
	const char *first = *at;

	*number = 0;
	while (*at < end && **at >= '0' && **at <= '9' && *at - first < 16)
		*number = *number * 10 + (*(*at)++ - '0');
	return *at > first && *at - first < 16;
}

/* Reads ms such as "12.345" as us. */
static bool
read_time(const char **at, const char *end, int64_t *us)
{
	int64_t whole, part;
	const char *point;

	if (!read_number(at, end, &whole) || *at == end || **at != '.')
		return false;
	point = ++*at;
	if (!read_number(at, end, &part) || *at - point != 3 ||
		whole > INT64_MAX / 2000)
		return false;
	*us = whole * 1000 + part;
	return true;
}

static bool
read_line(struct span text, struct line *line)
{
	const char *at = text.at, *end = text.at + text.size;

	*line = (struct line){.when = -1, .begin = at, .end = end};
	while (at < end && *at == ' ')
		at++;
	if (at < end && *at >= '0' && *at <= '9' &&
		(!read_time(&at, end, &line->when) || at == end ||
			*at++ != ' '))
		return false;
	if (end - at < 2 || memchr("<>-", *at, 3) == NULL || at[1] != ' ')
		return false;
	line->mark = *at;
	line->rest = span_between(at + 2, end);
	return true;
}

/* Takes the next line of the text; false: there is none. */
static bool
next_line(const char **at, const char *end, struct span *line)
{
	const char *lf;

	if (*at == end)
		return false;
	lf = memchr(*at, '\n', (size_t)(end - *at));
	line->at = *at;
	line->size = (size_t)((lf ? lf : end) - *at);
	*at = lf ? lf + 1 : end;
	return true;
}

bool
ladder_next_line(struct span *lines, struct span *found)
{
	const char *at = lines->at, *end;
	struct span text;
	struct line line;

	if (lines->size == 0)
		return false;
	end = at + lines->size;
	if (!next_line(&at, end, &text) || !read_line(text, &line))
		return false;
	*found = line.rest;
	*lines = span_between(at, end);
	return true;
}

static int
value_of(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = digit != '\0' ? strchr(digits, digit) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Reads one byte as a transcript writes it; the number of its characters. */
static size_t
read_byte(const char *at, size_t size, char *byte)
{
	if (*at != '\\' || size < 2) {
		*byte = *at;
		return 1;
	}
	if (at[1] == 'x' && size >= 4) {
		int high = value_of(at[2]), low = value_of(at[3]);

		*byte = (char)(16 * high + low);
		if (high >= 0 && low >= 0)
			return 4;
	}
	*byte = at[1] == 'r' ? '\r' : at[1] == 'n' ? '\n' : at[1];
	return 2;
}

size_t
ladder_bytes(struct span line, char *bytes)
{
	size_t size = 0;

	for (size_t i = 0; i < line.size;)
		i += read_byte(line.at + i, line.size - i, bytes + size++);
	return size;
}

/* The number of bytes that a text stands for. */
static uint64_t
count_bytes(struct span text)
{
	uint64_t count = 0;

	for (size_t i = 0; i < text.size; count++)
		i += text.at[i] != '\\'                            ? 1 :
			i + 1 < text.size && text.at[i + 1] == 'x' ? 4 :
								     2;
	return count;
}

/* --- what grows --- */

/* Makes room for one more element; NULL: there is no memory. */
static void *
grow(void *array, size_t count, size_t size)
{
	/* doubled when it is full */
	if ((count & (count - 1)) != 0)
		return array;
	return realloc(array, (count > 0 ? 2 * count : 1) * size);
}

/* Adds a step for the line; NULL: there is no memory. */
static struct ladder_step *
add_step(struct reader *reader, const struct line *line)
{
	struct ladder *ladder = reader->ladder;
	struct ladder_step *steps =
		grow(ladder->steps, ladder->count, sizeof *steps);

	if (steps == NULL) {
		reader->lacks_memory = true;
		return NULL;
	}
	ladder->steps = steps;
	steps += ladder->count++;
	*steps = (struct ladder_step){.to_client = line->mark != '<',
		.when = line->when};
	return steps;
}

/* The step that a line of bytes continues or begins; NULL: there is no memory.
   A line without a time has that of the line before it. */
static struct ladder_step *
step_of_bytes(struct reader *reader, const struct line *line)
{
	struct ladder *ladder = reader->ladder;
	struct ladder_step *step =
		ladder->count > 0 ? ladder->steps + ladder->count - 1 : NULL;
	int64_t when = line->when >= 0 ? line->when : step ? step->when : 0;

	if (step != NULL && step->kind == LADDER_BYTES && step->more == 0 &&
		step->to_client == (line->mark != '<') && step->when == when)
		return step;
	step = add_step(reader, line);
	if (step != NULL)
		step->when = when;
	return step;
}

static void
add_fault(struct reader *reader, struct span clause, size_t step)
{
	struct ladder *ladder = reader->ladder;
	struct ladder_fault *faults =
		grow(ladder->faults, ladder->fault_count, sizeof *faults);
	size_t place = ladder->fault_count;

	if (faults == NULL) {
		reader->lacks_memory = true;
		return;
	}
	ladder->faults = faults;
	for (; place > 0 && faults[place - 1].step > step; place--)
		faults[place] = faults[place - 1];
	faults[place] = (struct ladder_fault){clause, step};
	ladder->fault_count++;
}

/* --- where a fault is seen --- */

/*
 * The first step of the reply that is of that kind; `otherwise`: there is none.
 */
static size_t
find_kind(const struct reader *reader, enum ladder_kind kind, size_t otherwise)
{
	const struct ladder *ladder = reader->ladder;

	for (size_t i = reader->first; i < ladder->count; i++)
		if (ladder->steps[i].to_client && ladder->steps[i].kind == kind)
			return i;
	return otherwise;
}

/* The step of the reply that the longest pause comes before. */
static size_t
find_pause(const struct reader *reader, size_t otherwise)
{
	const struct ladder *ladder = reader->ladder;
	size_t found = otherwise;
	int64_t longest = 0;

	for (size_t i = reader->first; i < ladder->count; i++) {
		int64_t pause = ladder_pause(ladder, i);

		if (ladder->steps[i].to_client && pause > longest) {
			longest = pause;
			found = i;
		}
	}
	return found;
}

/* Whether the clause has this word. */
static bool
has_word(struct span clause, const char *word)
{
	size_t size = strlen(word);

	for (size_t i = 0; i + size <= clause.size; i++)
		if (memcmp(clause.at + i, word, size) == 0 &&
			(i == 0 || clause.at[i - 1] == ' ') &&
			(i + size == clause.size || clause.at[i + size] == ' '))
			return true;
	return false;
}

/* Places a fault at the step that shows its effect: a reset, a FIN, a pause,
   missing bytes, or otherwise the bytes of the reply. */
static void
place_clause(struct reader *reader, struct span clause)
{
	static const char *const pauses[] = {"pause", "gap", "rate", "each",
		"split", "spread", "await"};
	size_t last = reader->ladder->count - 1;
	size_t bytes = find_kind(reader, LADDER_BYTES, last);

	if (has_word(clause, "reset"))
		bytes = find_kind(reader, LADDER_RST, bytes);
	else if (span_begins(clause, "cut ") || has_word(clause, "fin"))
		bytes = find_kind(reader, LADDER_FIN, bytes);
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
		if (span_begins(clause, pauses[i]))
			bytes = find_pause(reader, bytes);
	add_fault(reader, clause, has_word(clause, "stall") ? last : bytes);
}

/* Places each clause; semicolons separate them, except in quotes. */
static void
place_faults(struct reader *reader)
{
	const char *at = reader->faults.at, *end;

	if (at == NULL)
		return;
	end = at + reader->faults.size;
	while (at < end && reader->ladder->count > 0) {
		const char *first, *last;
		bool quoted = false;

		while (at < end && (*at == ' ' || *at == ';'))
			at++;
		for (first = at; at < end && (quoted || *at != ';'); at++)
			quoted ^= *at == '"' && at[-1] != '\\';
		for (last = at; last > first && last[-1] == ' '; last--)
			;
		if (last > first)
			place_clause(reader, span_between(first, last));
	}
	reader->faults = (struct span){NULL, 0};
}

/* --- a transcript --- */

/* The place of `text` in the title, from `at` on; its end: there is none. */
static size_t
find(struct span title, size_t at, const char *text)
{
	const size_t size = strlen(text);

	while (at + size <= title.size &&
		memcmp(title.at + at, text, size) != 0)
		at++;
	return at + size <= title.size ? at : title.size;
}

/* Takes "[CLAUSES]" off the end of a title, after the name of the client, which
   may have brackets as well. */
static void
cut_off_faults(struct reader *reader, struct span *title)
{
	static const char from[] = " from ";
	size_t at = find(*title, 0, from) + strlen(from);

	at = find(*title, at, " [");
	if (at + 3 >= title->size || title->at[title->size - 1] != ']')
		return;
	reader->faults =
		(struct span){title->at + at + 2, title->size - at - 3};
	title->size = at;
}

static void
begin_connection(struct reader *reader, struct span title)
{
	struct ladders *ladders = reader->ladders;
	struct ladder *all;

	if (reader->ladder != NULL)
		place_faults(reader);
	all = grow(ladders->all, ladders->count, sizeof *all);
	if (all == NULL) {
		reader->lacks_memory = true;
		return;
	}
	ladders->all = all;
	reader->ladder = all + ladders->count++;
	reader->first = 0;
	cut_off_faults(reader, &title);
	*reader->ladder = (struct ladder){.title = title};
}

/* Reads a line "... 4096 more bytes". */
static bool
read_more(struct reader *reader, const struct line *line)
{
	static const char before[] = "... ", after[] = " more bytes";
	const char *at = line->rest.at + strlen(before);
	struct ladder_step *step;
	int64_t number;

	if (!span_begins(line->rest, before) ||
		!read_number(&at, line->end, &number) || number == 0 ||
		!span_is(span_between(at, line->end), after))
		return false;
	/* of nothing of which a byte was kept there is no line */
	step = step_of_bytes(reader, line);
	if (step == NULL)
		return false;
	step->more = (uint64_t)number;
	step->bytes += step->more;
	return true;
}

/* The kind of a line "(EVENT)". */
static enum ladder_kind
kind_of(const struct line *line)
{
	return line->mark == '-'                 ? LADDER_NOTE :
		span_is(line->rest, "(FIN)")     ? LADDER_FIN :
		span_is(line->rest, "(RST)")     ? LADDER_RST :
		span_is(line->rest, "(empty)")   ? LADDER_EMPTY :
		span_begins(line->rest, "(TLS:") ? LADDER_TLS :
						   LADDER_BYTES;
}

/* Reads an event, which begins with a parenthesis. */
static bool
read_event(struct reader *reader, const struct line *line)
{
	const struct span rest = line->rest;
	enum ladder_kind kind = kind_of(line);
	struct ladder_step *step;

	if (rest.size < 3 || rest.at[0] != '(' ||
		rest.at[rest.size - 1] != ')' || kind == LADDER_BYTES)
		return false;
	step = add_step(reader, line);
	if (step == NULL)
		return true;
	step->kind = kind;
	step->note = (struct span){rest.at + 1, rest.size - 2};
	return true;
}

static void
add_bytes(struct reader *reader, const struct line *line)
{
	struct ladder_step *step = step_of_bytes(reader, line);

	if (step == NULL)
		return;
	if (step->lines.at == NULL)
		step->lines.at = line->begin;
	step->lines.size = (size_t)(line->end - step->lines.at);
	step->bytes += count_bytes(line->rest);
}

/* Reads the faults of an exchange, in a line after its request. */
static void
begin_faults(struct reader *reader, const struct line *line)
{
	place_faults(reader);
	reader->first = reader->ladder->count;
	reader->faults = (struct span){line->rest.at + 1, line->rest.size - 2};
}

static bool
read_of_connection(struct reader *reader, struct span text)
{
	struct line line;

	if (reader->ladder == NULL || !read_line(text, &line))
		return false;
	if (line.when < 0 && line.mark != '-')
		return read_more(reader, &line);
	if (line.mark == '-' && span_begins(line.rest, "[") &&
		line.rest.at[line.rest.size - 1] == ']' && line.rest.size > 2) {
		begin_faults(reader, &line);
		return true;
	}
	if (line.when < 0)
		return false;
	if (!read_event(reader, &line)) {
		if (line.mark == '-')
			return false;
		add_bytes(reader, &line);
	}
	return true;
}

int
ladders_read(struct ladders *ladders, const char *name, const char *text,
	size_t size, char *error, size_t room)
{
	struct reader reader = {.ladders = ladders,
		.at = text,
		.end = text + size};
	struct span line;
	bool right = true;

	while (right && !reader.lacks_memory &&
		next_line(&reader.at, reader.end, &line)) {
		reader.number++;
		if (span_begins(line, "connection "))
			begin_connection(&reader, line);
		else if (line.size > 0)
			right = read_of_connection(&reader, line);
	}
	if (reader.ladder != NULL && !reader.lacks_memory)
		place_faults(&reader);
	if (reader.lacks_memory)
		return -ENOMEM;
	if (right && reader.ladder != NULL)
		return 0;
	(void)snprintf(error, room, "%s:%zu: expected %s", name,
		reader.number + right,
		reader.ladder == NULL ?
			"a transcript, which begins with connection N" :
			"a line of a transcript");
	return -EINVAL;
}

/* Whether the text is the rest of a title, after "connection ". */
static bool
is_title(const char *text)
{
	text += strspn(text, "0123456789");
	return strncmp(text, " from ", 6) == 0;
}

const char *
ladder_find(const char *lines)
{
	static const char begin[] = "connection ";

	while (strncmp(lines, begin, strlen(begin)) != 0 ||
		!is_title(lines + strlen(begin))) {
		lines = strchr(lines, '\n');
		if (lines == NULL)
			return NULL;
		lines++;
	}
	return lines;
}

bool
ladders_own(struct ladders *ladders, char *text)
{
	char **texts = realloc(ladders->texts,
		(ladders->text_count + 1) * sizeof(char *));

	if (texts == NULL) {
		free(text);
		return false;
	}
	ladders->texts = texts;
	ladders->texts[ladders->text_count++] = text;
	return true;
}

void
ladders_free(struct ladders *ladders)
{
	for (size_t i = 0; i < ladders->text_count; i++)
		free(ladders->texts[i]);
	free(ladders->texts);
	for (size_t i = 0; i < ladders->count; i++) {
		free(ladders->all[i].steps);
		free(ladders->all[i].faults);
	}
	free(ladders->all);
}

/* --- what is at a step --- */

/* The number of the first fault of that step. */
static size_t
first_fault(const struct ladder *ladder, size_t step)
{
	size_t least = 0, most = ladder->fault_count;

	while (least < most) {
		size_t middle = least + (most - least) / 2;

		if (ladder->faults[middle].step < step)
			least = middle + 1;
		else
			most = middle;
	}
	return least;
}

const struct ladder_fault *
ladder_faults_at(const struct ladder *ladder, size_t step, size_t *count)
{
	size_t first = first_fault(ladder, step);

	*count = first_fault(ladder, step + 1) - first;
	return *count > 0 ? ladder->faults + first : NULL;
}

int64_t
ladder_pause(const struct ladder *ladder, size_t step)
{
	int64_t pause = step > 0 ?
		ladder->steps[step].when - ladder->steps[step - 1].when :
		0;

	return pause > 0 ? pause : 0;
}

int
ladder_length(int64_t pause)
{
	int digits = 0;

	for (int64_t ms = pause / 1000; ms > 0; ms /= 10)
		digits++;
	return digits;
}
