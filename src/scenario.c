/* SPDX-License-Identifier: MIT */
/*
 * The reader of scenarios, line by line: directives fill the present item,
 * whose message is taken as it stands, or made right with a notice. Called by
 * retort_load.c.
 */
#include "config.h"

#include "scenario_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "fault.h"
#include "quote.h"

#define MAX_ITEMS 65536u

/* --- what is wrong --- */

bool
rt_scenario_fail(struct rt_reader *reader, const char *at, const char *format,
	...)
{
	char what[RETORT_ERROR_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	reader->code = rt_fail(reader->error, -EINVAL, "%.100s:%u:%zu: %.140s",
		reader->name, reader->number, (size_t)(at - reader->line) + 1,
		what);
	return false;
}

/* What stands there is not what was expected. */
bool
rt_scenario_expected(struct rt_reader *reader, const char *at, const char *what)
{
	size_t left = (size_t)(reader->line + reader->size - at);

	if (left == 0)
		return rt_scenario_fail(reader, at,
			"the line ends: expected %s", what);
	return rt_scenario_fail(reader, at, "'%.*s': expected %s",
		(int)(left < 40 ? left : 40), at, what);
}

bool
rt_scenario_no_memory(struct rt_reader *reader)
{
	reader->code = rt_fail_errno(reader->error, -ENOMEM, reader->name);
	return false;
}

void
rt_scenario_notice(struct rt_reader *reader, unsigned kind, const char *what)
{
	if (reader->made & kind)
		return;
	reader->made |= kind;
	rt_buf_add_format(&reader->scenario->notices, "%s:%u: %s\n",
		reader->name, reader->number, what);
}

/* --- memory of the items --- */

void *
rt_scenario_own(struct rt_reader *reader, void *memory)
{
	struct rt_scenario *scenario = reader->scenario;
	void **longer;

	if (memory == NULL) {
		(void)rt_scenario_no_memory(reader);
		return NULL;
	}
	longer = realloc(scenario->owned,
		(scenario->owned_count + 1) * sizeof *longer);
	if (longer == NULL) {
		free(memory);
		(void)rt_scenario_no_memory(reader);
		return NULL;
	}
	scenario->owned = longer;
	longer[scenario->owned_count++] = memory;
	return memory;
}

char *
rt_scenario_own_text(struct rt_reader *reader, const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (rt_scenario_own(reader, copy) == NULL)
		return NULL;
	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

/* What gathered, as a string of the item's; empties it. NULL: nothing did. */
static const char *
own_lines(struct rt_reader *reader, struct rt_buf *lines)
{
	const char *text = NULL;

	if (lines->failed)
		(void)rt_scenario_no_memory(reader);
	else if (lines->len > 0)
		text = rt_scenario_own_text(reader, lines->data, lines->len);
	rt_buf_clear(lines, 0);
	return text;
}

void
rt_scenario_add_line(struct rt_buf *lines, const char *text, size_t size)
{
	rt_buf_add(lines, text, size);
	rt_buf_add(lines, "\n", 1);
}

/* --- lines and words --- */

bool
rt_scenario_next_line(struct rt_reader *reader)
{
	const char *end;

	if (reader->at == reader->end)
		return false;
	end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	reader->line = reader->at;
	reader->at = end ? end + 1 : reader->end;
	reader->size = (size_t)((end ? end : reader->end) - reader->line);
	if (reader->size > 0 && reader->line[reader->size - 1] == '\r')
		reader->size--;
	reader->number++;
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct rt_word
rt_scenario_word(const struct rt_reader *reader, const char **at)
{
	const char *end = reader->line + reader->size;
	struct rt_word word;

	while (*at < end && is_blank(**at))
		(*at)++;
	word.text = *at;
	while (*at < end && !is_blank(**at))
		(*at)++;
	word.size = (size_t)(*at - word.text);
	return word;
}

bool
rt_scenario_is_word(struct rt_word word, const char *text)
{
	return word.size == strlen(text) &&
		memcmp(word.text, text, word.size) == 0;
}

/* The rest of the line, without white space around it. */
struct rt_word
rt_scenario_rest(const struct rt_reader *reader, const char *at)
{
	const char *end = reader->line + reader->size;

	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	return (struct rt_word){at, (size_t)(end - at)};
}

bool
rt_scenario_number(struct rt_word word, uint64_t *number)
{
	*number = 0;
	if (word.size == 0 || word.size > 15)
		return false;
	for (size_t i = 0; i < word.size; i++) {
		if (word.text[i] < '0' || word.text[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(word.text[i] - '0');
	}
	return true;
}

/* --- items --- */

struct rt_item *
rt_scenario_add_item(struct rt_reader *reader, enum rt_item_kind kind)
{
	struct rt_scenario *scenario = reader->scenario;
	struct rt_item *longer;

	if (scenario->count == MAX_ITEMS) {
		(void)rt_scenario_fail(reader, reader->line,
			"more than %u items", MAX_ITEMS);
		return NULL;
	}
	/* room grows in powers of two */
	if ((scenario->count & (scenario->count - 1)) == 0) {
		longer = realloc(scenario->items,
			(scenario->count ? 2 * scenario->count : 1) *
				sizeof *longer);
		if (longer == NULL) {
			(void)rt_scenario_no_memory(reader);
			return NULL;
		}
		scenario->items = longer;
	}
	scenario->items[scenario->count] =
		(struct rt_item){.kind = kind, .line = reader->number};
	return scenario->items + scenario->count++;
}

/* The item under way is complete. */
bool
rt_scenario_end_item(struct rt_reader *reader)
{
	struct rt_item *item = reader->item;
	struct retort_reply *rule;

	reader->item = NULL;
	if (item == NULL)
		return true;
	rule = &item->rule;
	if (reader->bytes.len > 0 || reader->bytes.failed) {
		rule->body_size = reader->bytes.len;
		rule->body = own_lines(reader, &reader->bytes);
		rule->raw = !rule->accepted;
		reader->answered = true;
	}
	rule->when.fields = own_lines(reader, &reader->fields);
	rule->when.contains = own_lines(reader, &reader->contains);
	rule->when.absent = own_lines(reader, &reader->absent);
	rule->fields = own_lines(reader, &reader->reply_fields);
	rule->omit = own_lines(reader, &reader->omit);
	rule->trailers = own_lines(reader, &reader->trailers);
	rule->faults = own_lines(reader, &reader->faults);
	if (reader->code < 0)
		return false;
	if (item->kind == RT_ITEM_RULE && !reader->answered &&
		rule->faults == NULL)
		return rt_scenario_fail(reader, reader->line,
			"expected a message that begins with HTTP/, for the "
			"rule of line %u",
			item->line);
	return true;
}

/* "METHOD TARGET", either alone, or nothing. */
static bool
set_request(struct rt_reader *reader, struct rt_item *item, const char *at)
{
	struct rt_word method = rt_scenario_word(reader, &at);
	struct rt_word target = rt_scenario_word(reader, &at);
	struct rt_word more = rt_scenario_word(reader, &at);
	struct rt_buf *text = &reader->bytes;

	if (method.size == 0)
		return true;
	if (more.size > 0)
		return rt_scenario_expected(reader, more.text,
			"the end of the line, or a target without spaces");
	if (target.size > 0 && *target.text != '/' && *target.text != '*')
		return rt_scenario_expected(reader, target.text,
			"a target, which begins with '/' or '*'");
	rt_buf_add(text, method.text, method.size);
	if (target.size > 0) {
		rt_buf_add(text, " ", 1);
		rt_buf_add(text, target.text, target.size);
	}
	item->rule.when.request = own_lines(reader, text);
	return item->rule.when.request != NULL;
}

static bool
begin_rule(struct rt_reader *reader, const char *at, bool accepted)
{
	if (!rt_scenario_end_item(reader))
		return false;
	reader->item = rt_scenario_add_item(reader, RT_ITEM_RULE);
	if (reader->item == NULL)
		return false;
	reader->raw = false;
	reader->message = false;
	reader->answered = accepted;
	reader->item->rule.accepted = accepted;
	if (accepted && rt_scenario_rest(reader, at).size > 0)
		return rt_scenario_expected(reader,
			rt_scenario_rest(reader, at).text, "nothing more");
	return accepted || set_request(reader, reader->item, at);
}

static bool
read_on(struct rt_reader *reader, const char *at)
{
	return begin_rule(reader, at, false);
}

static bool
read_accepted(struct rt_reader *reader, const char *at)
{
	return begin_rule(reader, at, true);
}

/* The next reply to the same requests; the one before answers once. */
static bool
read_then(struct rt_reader *reader, const char *at)
{
	struct retort_when when;
	struct rt_item *item = reader->item;
	bool accepted;

	if (item == NULL || item->kind != RT_ITEM_RULE)
		return rt_scenario_fail(reader, reader->line,
			"@then: expected an @on before it");
	if (item->rule.times == 0)
		item->rule.times = 1;
	accepted = item->rule.accepted;
	if (rt_scenario_rest(reader, at).size > 0)
		return rt_scenario_expected(reader,
			rt_scenario_rest(reader, at).text, "nothing more");
	if (!rt_scenario_end_item(reader))
		return false;
	when = item->rule.when;
	if (!begin_rule(reader, at, accepted))
		return false;
	reader->item->rule.when = when;
	/* these are gathered once more at its end */
	rt_buf_add_text(&reader->fields, when.fields ? when.fields : "");
	rt_buf_add_text(&reader->contains, when.contains ? when.contains : "");
	rt_buf_add_text(&reader->absent, when.absent ? when.absent : "");
	return true;
}

static bool
add_rest(struct rt_reader *reader, const char *at, struct rt_buf *lines,
	const char *what)
{
	struct rt_word rest = rt_scenario_rest(reader, at);

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text, what);
	rt_scenario_add_line(lines, rest.text, rest.size);
	return true;
}

static bool
read_if_field(struct rt_reader *reader, const char *at)
{
	return add_rest(reader, at, &reader->fields, "Name: value");
}

static bool
read_if_contains(struct rt_reader *reader, const char *at)
{
	return add_rest(reader, at, &reader->contains, "Name: text");
}

static bool
read_if_absent(struct rt_reader *reader, const char *at)
{
	return add_rest(reader, at, &reader->absent, "the name of a field");
}

/* Quoted bytes up to the line's end, added to `to`. */
static bool
read_quoted(struct rt_reader *reader, const char *at, struct rt_buf *to)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	const char *end = rest.text + rest.size, *next = rest.text;

	if (!rt_quote_read(&next, end, to))
		return rt_scenario_expected(reader, next, RT_QUOTE_WANTS);
	if (rt_scenario_rest(reader, next).size > 0)
		return rt_scenario_expected(reader, next,
			"the end of the line");
	return !to->failed || rt_scenario_no_memory(reader);
}

static bool
read_condition(struct rt_reader *reader, const char *at, bool text_only,
	const char **text, size_t *size)
{
	struct rt_buf bytes;
	bool ok;

	rt_buf_init(&bytes, RT_SCENARIO_TEXT);
	ok = read_quoted(reader, at, &bytes);
	if (ok &&
		(bytes.len == 0 ||
			(text_only &&
				memchr(bytes.data, '\0', bytes.len) != NULL)))
		ok = rt_scenario_expected(reader, at,
			text_only ? "a byte or more, and no NUL" :
				    "a byte or more");
	if (ok) {
		*text = rt_scenario_own_text(reader, bytes.data, bytes.len);
		*size = bytes.len;
		ok = *text != NULL;
	}
	rt_buf_free(&bytes);
	return ok;
}

static bool
read_if_body(struct rt_reader *reader, const char *at)
{
	struct retort_when *when = &reader->item->rule.when;
	const char *text;

	if (!read_condition(reader, at, false, &text, &when->body_size))
		return false;
	when->body = text;
	return true;
}

static bool
read_if_body_has(struct rt_reader *reader, const char *at)
{
	size_t size;

	return read_condition(reader, at, true,
		&reader->item->rule.when.body_has, &size);
}

static bool
read_times(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_rest(reader, at);
	uint64_t number;

	if (!rt_scenario_number(word, &number) || number == 0 ||
		number > UINT32_MAX)
		return rt_scenario_expected(reader, word.text,
			"a number from 1");
	reader->item->rule.times = (unsigned)number;
	return true;
}

static bool
read_fault(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	char error[RETORT_ERROR_SIZE];
	struct rt_faults *faults;
	size_t where;
	char *text;

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text, "a fault");
	text = rt_scenario_own_text(reader, rest.text, rest.size);
	if (text == NULL)
		return false;
	faults = rt_faults_new(text, error, &where);
	if (faults == NULL && errno == ENOMEM)
		return rt_scenario_no_memory(reader);
	if (faults == NULL)
		return rt_scenario_fail(reader, rest.text + where, "%s", error);
	rt_faults_free(faults);
	if (reader->item->fault_line == 0) {
		reader->item->fault_line = reader->number;
		reader->item->fault_column =
			(unsigned)(rest.text - reader->line) + 1;
	}
	rt_scenario_add_line(&reader->faults, rest.text, rest.size);
	return true;
}

/* A path, relative to the scenario's folder. */
static bool
read_file(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	bool relative =
		reader->folder != NULL && rest.size > 0 && *rest.text != '/';
	struct rt_buf path;

	if (rest.size == 0)
		return rt_scenario_expected(reader, rest.text,
			"the path of a file");
	rt_buf_init(&path, RT_SCENARIO_TEXT);
	if (relative) {
		rt_buf_add_text(&path, reader->folder);
		rt_buf_add(&path, "/", 1);
	}
	rt_buf_add(&path, rest.text, rest.size);
	reader->item->rule.file = own_lines(reader, &path);
	rt_buf_free(&path);
	reader->answered = true;
	return reader->code == 0;
}

static bool
read_repeat(struct rt_reader *reader, const char *at)
{
	struct rt_word word = rt_scenario_rest(reader, at);

	return (rt_scenario_number(word, &reader->item->rule.repeat) &&
		       reader->item->rule.repeat > 0) ||
		rt_scenario_expected(reader, word.text,
			"a number of bytes from 1");
}

static bool
read_nothing(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);

	reader->answered = true;
	return rest.size == 0 ||
		rt_scenario_expected(reader, rest.text, "nothing more");
}

static bool
read_echo(struct rt_reader *reader, const char *at)
{
	reader->item->rule.echo = true;
	return read_nothing(reader, at);
}

static bool
read_files(struct rt_reader *reader, const char *at)
{
	reader->item->rule.files = true;
	return read_nothing(reader, at);
}

static bool
read_close(struct rt_reader *reader, const char *at)
{
	reader->item->rule.close = true;
	return read_nothing(reader, at);
}

/* @raw, and @raw "bytes". */
static bool
read_raw(struct rt_reader *reader, const char *at)
{
	if (reader->message)
		return rt_scenario_expected(reader, reader->line,
			"it before the message");
	reader->raw = true;
	return rt_scenario_rest(reader, at).size == 0 ||
		read_quoted(reader, at, &reader->bytes);
}

static bool
read_chunks(struct rt_reader *reader, const char *at)
{
	size_t count = 0, *sizes = NULL, *longer;
	struct rt_word word;
	uint64_t number;

	while ((word = rt_scenario_word(reader, &at)).size > 0) {
		if (!rt_scenario_number(word, &number) || number == 0) {
			free(sizes);
			return rt_scenario_expected(reader, word.text,
				"the size of a chunk, from 1");
		}
		longer = realloc(sizes, (count + 2) * sizeof *sizes);
		if (longer == NULL) {
			free(sizes);
			return rt_scenario_no_memory(reader);
		}
		sizes = longer;
		sizes[count++] = (size_t)number;
		sizes[count] = 0;
	}
	reader->item->rule.chunked = true;
	reader->item->rule.chunks = sizes;
	return sizes == NULL || rt_scenario_own(reader, sizes) != NULL;
}

static bool
read_trailer(struct rt_reader *reader, const char *at)
{
	return add_rest(reader, at, &reader->trailers, "Name: value");
}

static bool
read_interim(struct rt_reader *reader, const char *at)
{
	size_t size;

	return read_condition(reader, at, true, &reader->item->rule.interim,
		&size);
}

/* "2", "2+", "2-3" */
static bool
read_count(struct rt_reader *reader, struct rt_word word, struct rt_item *item)
{
	const char *dash = memchr(word.text, '-', word.size);
	struct rt_word least = word, most = {NULL, 0};
	uint64_t from, to;

	if (word.size > 0 && word.text[word.size - 1] == '+') {
		least.size--;
	} else if (dash != NULL) {
		least.size = (size_t)(dash - word.text);
		most = (struct rt_word){dash + 1, word.size - least.size - 1};
	} else {
		most = word;
	}
	if (!rt_scenario_number(least, &from) ||
		(most.text != NULL && !rt_scenario_number(most, &to)))
		return rt_scenario_expected(reader, word.text, "N, N+ or N-M");
	item->least = (size_t)from;
	item->most = most.text ? (size_t)to : SIZE_MAX;
	return item->least <= item->most ||
		rt_scenario_expected(reader, word.text,
			"the smaller number first");
}

static bool
read_expect(struct rt_reader *reader, const char *at)
{
	struct rt_word count = rt_scenario_word(reader, &at);
	struct rt_item *item;

	if (!rt_scenario_end_item(reader))
		return false;
	reader->raw = false;
	reader->answered = false;
	item = rt_scenario_add_item(reader, RT_ITEM_EXPECT);
	if (item == NULL || !read_count(reader, count, item))
		return false;
	reader->item = item;
	return set_request(reader, item, at);
}

/* Requests with " -> " between them. */
static bool
read_order(struct rt_reader *reader, const char *at)
{
	struct rt_word rest = rt_scenario_rest(reader, at);
	const char *end = rest.text + rest.size, *next;
	const char **requests;
	struct rt_item *item;
	size_t count = 0;

	if (!rt_scenario_end_item(reader))
		return false;
	reader->raw = false;
	item = rt_scenario_add_item(reader, RT_ITEM_ORDER);
	requests = item ? rt_scenario_own(reader,
				  calloc(rest.size / 4 + 2, sizeof *requests)) :
			  NULL;
	if (requests == NULL)
		return false;
	for (at = rest.text; at < end; at = next) {
		const char *stop = at;

		while (end - stop >= 4 && memcmp(stop, " -> ", 4) != 0)
			stop++;
		next = end - stop >= 4 ? stop + 4 : end;
		stop = end - stop >= 4 ? stop : end;
		requests[count] =
			rt_scenario_own_text(reader, at, (size_t)(stop - at));
		if (requests[count++] == NULL)
			return false;
	}
	item->requests = requests;
	return count >= 2 ||
		rt_scenario_expected(reader, rest.text,
			"REQUEST -> REQUEST, or more");
}

/* Where a directive may stand. */
enum place { ANYWHERE, IN_RULE, IN_ITEM };

static const struct directive {
	const char *name;
	enum place place;
	bool (*read)(struct rt_reader *reader, const char *at);
} directives[] = {
	{"on", ANYWHERE, read_on},
	{"accepted", ANYWHERE, read_accepted},
	{"then", ANYWHERE, read_then},
	{"expect", ANYWHERE, read_expect},
	{"order", ANYWHERE, read_order},
	{"if-field", IN_ITEM, read_if_field},
	{"if-contains", IN_ITEM, read_if_contains},
	{"if-absent", IN_ITEM, read_if_absent},
	{"if-body", IN_ITEM, read_if_body},
	{"if-body-has", IN_ITEM, read_if_body_has},
	{"times", IN_RULE, read_times},
	{"fault", IN_RULE, read_fault},
	{"file", IN_RULE, read_file},
	{"repeat", IN_RULE, read_repeat},
	{"echo", IN_RULE, read_echo},
	{"files", IN_RULE, read_files},
	{"close", IN_RULE, read_close},
	{"raw", IN_RULE, read_raw},
	{"chunks", IN_RULE, read_chunks},
	{"trailer", IN_RULE, read_trailer},
	{"interim", IN_RULE, read_interim},
};

bool
rt_scenario_is_directive(const char *text, size_t size)
{
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
		size_t length = strlen(directives[i].name);

		if (directives[i].place == ANYWHERE && size >= length &&
			memcmp(text, directives[i].name, length) == 0 &&
			(size == length || is_blank(text[length]) ||
				text[length] == '\r' || text[length] == '\n'))
			return true;
	}
	return false;
}

/* --- the whole --- */

static bool
read_directive(struct rt_reader *reader)
{
	const char *at = reader->line + 1;
	struct rt_word name = rt_scenario_word(reader, &at);

	if (name.size > 0 && *name.text == '#')
		return true; /* a comment, wherever it stands */
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
		const struct directive *directive = &directives[i];

		if (!rt_scenario_is_word(name, directive->name))
			continue;
		if (directive->place == IN_RULE &&
			(reader->item == NULL ||
				reader->item->kind != RT_ITEM_RULE))
			return rt_scenario_expected(reader, reader->line,
				"@on before it");
		if (directive->place == IN_ITEM && reader->item == NULL)
			return rt_scenario_expected(reader, reader->line,
				"@on or @expect before it");
		if (directive->place != ANYWHERE && reader->answered &&
			reader->item->rule.status != 0)
			return rt_scenario_expected(reader, reader->line,
				"it before the message");
		return directive->read(reader, at);
	}
	return rt_scenario_fail(reader, reader->line,
		"'@%.*s': expected a directive, such as @on, @fault or @expect%s",
		(int)(name.size < 40 ? name.size : 40), name.text,
		reader->item != NULL && reader->item->rule.status != 0 ?
			" (in a body '@' is written '@@')" :
			"");
}

static bool
read_lines(struct rt_reader *reader)
{
	while (rt_scenario_next_line(reader)) {
		if (rt_scenario_rest(reader, reader->line).size == 0 ||
			*reader->line == '#')
			continue;
		if (memchr(reader->line, '\0', reader->size) != NULL)
			return rt_scenario_fail(reader,
				memchr(reader->line, '\0', reader->size),
				"a NUL: expected text");
		if (*reader->line == '@') {
			if (!read_directive(reader))
				return false;
		} else if (reader->size >= 5 &&
			memcmp(reader->line, "HTTP/", 5) == 0) {
			if (!rt_scenario_message(reader))
				return false;
		} else if (reader->raw && reader->item != NULL &&
			!reader->answered && reader->bytes.len == 0) {
			if (!rt_scenario_raw_message(reader))
				return false;
		} else {
			return rt_scenario_expected(reader, reader->line,
				is_blank(*reader->line) ?
					"it at the margin" :
					"a directive (@on ...), a message "
					"(HTTP/...) or a comment (#)");
		}
	}
	return rt_scenario_end_item(reader);
}

static void
each_buffer(struct rt_reader *reader, void (*call)(struct rt_buf *))
{
	call(&reader->fields);
	call(&reader->contains);
	call(&reader->absent);
	call(&reader->reply_fields);
	call(&reader->omit);
	call(&reader->trailers);
	call(&reader->faults);
	call(&reader->bytes);
}

static void
open_buffer(struct rt_buf *buf)
{
	rt_buf_init(buf, RT_SCENARIO_TEXT);
}

int
rt_scenario_read(struct rt_scenario *scenario, const char *name,
	const char *folder, const char *text, size_t size, char *error)
{
	static const char transcript[] = "connection ";
	struct rt_reader reader = {
		.scenario = scenario,
		.name = name,
		.folder = folder,
		.at = text,
		.end = text + size,
		.line = text,
		.error = error,
	};

	/* some editors begin UTF-8 so */
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader.at = reader.line = text + 3;
	*scenario = (struct rt_scenario){.count = 0};
	rt_buf_init(&scenario->notices, RT_SCENARIO_TEXT);
	each_buffer(&reader, open_buffer);
	error[0] = '\0';
	if ((size_t)(reader.end - reader.at) > sizeof transcript &&
		memcmp(reader.at, transcript, sizeof transcript - 1) == 0)
		(void)rt_scenario_transcript(&reader);
	else
		(void)read_lines(&reader);
	each_buffer(&reader, rt_buf_free);
	return reader.code;
}

void
rt_scenario_free(struct rt_scenario *scenario)
{
	while (scenario->owned_count > 0)
		free(scenario->owned[--scenario->owned_count]);
	free(scenario->owned);
	free(scenario->items);
	rt_buf_free(&scenario->notices);
	*scenario = (struct rt_scenario){.count = 0};
}
