/* SPDX-License-Identifier: MIT */
/* A connection as text: the bytes that came and went, line by line; and whether
   two of them are alike. */
#include "config.h"

#include "journal/journal.h"

#include <string.h>

/* The most bytes that a transcript shows in one line: of text, and of others. */
#define LONGEST_LINE 4096
#define LONGEST_BINARY 64

/* A time in ns, as ms. */
#define TIME "%8lld.%03d"
#define TIME_OF(when) (long long)((when) / 1000000), (int)((when) / 1000 % 1000)

/* Writes a byte as C has it, and returns the end of that. */
static char *
put_escaped(char *to, unsigned char c, bool plain)
{
	static const char hex[] = "0123456789abcdef";

	if (plain && c >= ' ' && c <= '~' && c != '\\') {
		*to++ = (char)c;
		return to;
	}
	*to++ = '\\';
	switch (c) {
	case '\r':
		*to++ = 'r';
		break;
	case '\n':
		*to++ = 'n';
		break;
	case '\\':
		*to++ = '\\';
		break;
	default:
		*to++ = 'x';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

/* Adds one line, of LONGEST_LINE bytes at most: time, direction, bytes. */
static void
add_line(struct rt_buf *to, int64_t when, const char *mark, const char *bytes,
	size_t size, bool quoted)
{
	char *at;

	rt_buf_add_format(to, TIME " %s ", TIME_OF(when), mark);
	at = rt_buf_reserve(to, 4 * size + 1);
	if (at == NULL)
		return;
	for (size_t i = 0; i < size; i++)
		/* a parenthesis begins an event */
		at = put_escaped(at, (unsigned char)bytes[i],
			i > 0 || !quoted || bytes[i] != '(');
	*at++ = '\n';
	to->len = (size_t)(at - to->data);
}

/* Whether at least three quarters of the bytes are those of text in ASCII. */
static bool
is_text(const char *bytes, size_t size)
{
	size_t others = 0;

	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		others += (c < ' ' || c > '~') && c != '\r' && c != '\n' &&
			c != '\t';
	}
	return others <= size / 4;
}

/* Adds the first `left` bytes of an event. A line of text becomes a line of the
   transcript; binary data have LFs, too, but by accident. */
static void
add_lines(struct rt_buf *to, const struct rt_record *record,
	const struct rt_record_event *event, const char *mark, size_t left)
{
	const char *bytes = record->bytes.data;

	if (left > 0)
		bytes += event->at;
	while (left > 0) {
		size_t near = left < LONGEST_LINE ? left : LONGEST_LINE;
		const char *lf = memchr(bytes, '\n', near);
		size_t line = lf ? (size_t)(lf - bytes) + 1 : near;
		size_t size = is_text(bytes, line) ? line : LONGEST_BINARY;

		for (left -= line; line > 0; line -= size, bytes += size) {
			size = size < line ? size : line;
			add_line(to, event->when, mark, bytes, size, true);
		}
	}
}

/* Adds the first `most` bytes of events in a row, from *event on, and moves
   *event to the last of them. */
static void
add_row(struct rt_buf *to, const struct rt_record *record, size_t *event,
	const char *mark, size_t most)
{
	const struct rt_record_event *at = record->events + *event;
	const struct rt_record_event *end =
		record->events + record->event_count;
	enum rt_record_kind kind = at->kind;
	uint64_t hidden = 0;

	if (at->size == 0)
		add_line(to, at->when, mark, "(empty)", 7, false);
	for (; at < end && at->kind == kind; at++) {
		size_t shown = at->kept < most ? at->kept : most;

		add_lines(to, record, at, mark, shown);
		most -= shown;
		hidden += at->size - shown;
	}
	if (hidden > 0)
		rt_buf_add_format(to, "%12s %s ... %llu more bytes\n", "", mark,
			(unsigned long long)hidden);
	*event = (size_t)(at - record->events) - 1;
}

/* Adds the handshake of TLS, none of whose bytes are kept. */
static void
add_handshake(struct rt_buf *to, const struct rt_record *record,
	const struct rt_record_event *event, const char *mark)
{
	struct rt_buf text;

	rt_buf_init(&text, SIZE_MAX / 2);
	rt_buf_add_text(&text, "(TLS: ");
	if (event->kind == RT_RECORD_TLS && event->kept > 0)
		rt_buf_add(&text, record->bytes.data + event->at, event->kept);
	else if (event->kind != RT_RECORD_TLS)
		rt_buf_add_format(&text, "%llu bytes",
			(unsigned long long)event->size);
	rt_buf_add_text(&text, ")");
	if (text.failed)
		to->failed = true;
	else
		add_line(to, event->when, mark, text.data, text.len, false);
	rt_buf_free(&text);
}

/* Whether the event is one of a reply: its faults are shown before the
   first. */
static bool
is_of_reply(const struct rt_record_event *event)
{
	return event->kind == RT_RECORD_SENT ||
		event->kind == RT_RECORD_SERVER_FIN ||
		event->kind == RT_RECORD_SERVER_RST ||
		event->kind == RT_RECORD_CLOSED;
}

/* Adds the events of one record. `several`: there are more exchanges, and the
   faults of each are shown before its reply. */
static void
transcribe_one(const struct rt_record *record, size_t most, bool several,
	struct rt_buf *to)
{
	static const struct {
		const char *mark;
		const char *text; /* NULL: bytes */
	} kinds[] = {
		[RT_RECORD_RECEIVED] = {"<", NULL},
		[RT_RECORD_SENT] = {">", NULL},
		[RT_RECORD_CLIENT_FIN] = {"<", "(FIN)"},
		[RT_RECORD_CLIENT_RST] = {"<", "(RST)"},
		[RT_RECORD_SERVER_FIN] = {">", "(FIN)"},
		[RT_RECORD_SERVER_RST] = {">", "(RST)"},
		[RT_RECORD_CLOSED] = {"-", "(closed)"},
		[RT_RECORD_TLS_IN] = {"<", NULL},
		[RT_RECORD_TLS_OUT] = {">", NULL},
		[RT_RECORD_TLS] = {"-", NULL},
	};
	const char *faults = several ? record->faults : NULL;

	for (size_t i = 0; i < record->event_count; i++) {
		const struct rt_record_event *event = record->events + i;
		const char *mark = kinds[event->kind].mark;
		const char *text = kinds[event->kind].text;

		if (faults != NULL && is_of_reply(event)) {
			rt_buf_add_format(to, TIME " - [%s]\n",
				TIME_OF(event->when), faults);
			faults = NULL;
		}
		if (event->kind >= RT_RECORD_TLS_IN)
			add_handshake(to, record, event, mark);
		else if (text == NULL)
			add_row(to, record, &i, mark, most);
		else
			add_line(to, event->when, mark, text, strlen(text),
				false);
	}
}

void
rt_record_transcribe(const struct rt_record *record, size_t most,
	struct rt_buf *to)
{
	const struct rt_journal *journal = record->journal;
	uint64_t connection = record->seen.connection;
	size_t exchanges = !record->published;
	bool several;

	for (size_t i = 0; i < journal->count; i++)
		exchanges += journal->records[i]->seen.connection == connection;
	several = exchanges > 1;
	rt_buf_add_format(to, "connection %llu from %s",
		(unsigned long long)connection, record->seen.client);
	if (record->seen.by_chance)
		rt_buf_add_format(to, " (seed %llu)",
			(unsigned long long)record->seen.seed);
	if (record->faults != NULL && !several)
		rt_buf_add_format(to, " [%s]", record->faults);
	rt_buf_add(to, "\n", 1);
	if (!record->published)
		transcribe_one(record, most, several, to);
	/* the exchanges of a connection are in their order */
	for (size_t i = 0; i < journal->count; i++)
		if (journal->records[i]->seen.connection == connection)
			transcribe_one(journal->records[i], most, several, to);
}

/* --- compared --- */

/* Where what is compared of a line begins: after its time, or in a title after
   "connection 1 from 127.0.0.1:40404". */
static const char *
compared(const char *line)
{
	static const char title[] = "connection ";

	if (strncmp(line, title, strlen(title)) != 0)
		return line + strspn(line, " .0123456789");
	for (int word = 0; word < 4; word++) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	return line;
}

/* Whether a line is so long that it has these ends, and has them. */
static bool
is_between(const char *line, size_t size, const char *begin, const char *end)
{
	size_t left = strlen(begin), right = strlen(end);

	return size >= left + right && memcmp(line, begin, left) == 0 &&
		memcmp(line + size - right, end, right) == 0;
}

static bool
is_date(const char *line, size_t size)
{
	return is_between(line, size, "> Date: ", " GMT\\r\\n");
}

bool
rt_transcripts_alike(const char *a, const char *b)
{
	bool same = true;

	while (same && *a != '\0' && *b != '\0') {
		size_t size, other;

		a = compared(a);
		b = compared(b);
		size = strcspn(a, "\n");
		other = strcspn(b, "\n");
		/* of what is left out nobody knows */
		same = (size == other && memcmp(a, b, size) == 0 &&
			       !is_between(a, size, "", " more bytes")) ||
			(is_date(a, size) && is_date(b, other));
		a += size + (a[size] == '\n');
		b += other + (b[other] == '\n');
	}
	return same && *a == *b;
}
