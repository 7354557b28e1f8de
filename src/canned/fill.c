/* SPDX-License-Identifier: MIT */
/* Parts of the request in a text. Called by canned_fill.c for replies, and by
   the scenario reader, so that it reports mistakes where they are. Pure. */
#include "config.h"

#include "canned/fill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/websocket.h"
#include "http/date.h"
#include "http/field.h"
#include "http/form.h"

/* --- reading --- */

/* The words in braces; a name follows those that end with a dot. */
static const struct {
	const char *name;
	enum rt_fill_kind kind;
	bool plain; /* there without HTTP, too */
} names[] = {
	{"method", RT_FILL_METHOD, false},
	{"target", RT_FILL_TARGET, false},
	{"path", RT_FILL_PATH, false},
	{"query.", RT_FILL_QUERY, false},
	{"field.", RT_FILL_OF_FIELD, false},
	{"form.", RT_FILL_OF_FORM, false},
#ifdef HAVE_JANSSON
	{"json.", RT_FILL_OF_JSON, false},
#endif
	{"websocket-accept", RT_FILL_ACCEPT, false},
	{"body", RT_FILL_BODY, true},
	{"payload", RT_FILL_PAYLOAD, true},
	{"frame.", RT_FILL_FRAME, true},
	{"connection", RT_FILL_CONNECTION, true},
	{"count", RT_FILL_COUNT, true},
	{"now", RT_FILL_NOW, true},
};

static bool
is_word(char c)
{
	return (rt_fold(c) >= 'a' && rt_fold(c) <= 'z') ||
		(c >= '0' && c <= '9');
}

static int
add_piece(struct rt_fill *fill, struct rt_piece piece)
{
	if (piece.kind == RT_FILL_TEXT && piece.size == 0)
		return 0;
	if (!rt_grow(&fill->pieces, &fill->room, fill->count, sizeof piece))
		return -ENOMEM;
	fill->pieces[fill->count++] = piece;
	fill->any |= piece.kind > RT_FILL_BREAK;
	return 0;
}

/* Whether a piece begins or ends a frame, as it can in a body of bytes alone:
   its head could stand nowhere else. */
static bool
is_frame(const struct rt_piece *piece)
{
	struct rt_word name = {piece->text, piece->size};

	return piece->in == RT_FILL_PLAIN &&
		(rt_websocket_opcode(name) != 0 || rt_word_is(name, "end"));
}

/* Whether the name after the dot can be one of that kind. */
static bool
is_named(const struct rt_piece *piece)
{
	switch (piece->kind) {
	case RT_FILL_OF_JSON:
		/* RFC 6901: the empty pointer is to all of it */
		return piece->size == 0 || *piece->text == '/';
	case RT_FILL_FRAME:
		return is_frame(piece);
	default:
		return piece->size > 0;
	}
}

/* Finds what the word in braces names. False: nothing. */
static bool
look_up(struct rt_word word, enum retort_protocol protocol,
	struct rt_piece *piece)
{
	if (word.size == 1 && *word.text >= '1' && *word.text <= '9') {
		piece->kind = RT_FILL_STAR;
		return protocol == RETORT_HTTP;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *name = names[i].name;
		size_t size = strlen(name);
		bool named = name[size - 1] == '.';

		if (named ? word.size < size : word.size != size)
			continue;
		if (memcmp(word.text, name, size) != 0)
			continue;
		piece->kind = names[i].kind;
		piece->text += size;
		piece->size -= size;
		return (!named || is_named(piece)) &&
			(names[i].plain || protocol == RETORT_HTTP);
	}
	return false;
}

/* How a part is escaped that is wanted raw. */
static enum rt_fill_in
unescaped(enum rt_fill_in in)
{
	if (in == RT_FILL_FILE)
		return in;
	return in == RT_FILL_FIELD || in == RT_FILL_URL || in == RT_FILL_HOST ?
		RT_FILL_FIELD :
		RT_FILL_PLAIN;
}

/* How a part is escaped that begins after the first `at` bytes, its brace
   included. */
static enum rt_fill_in
escaped(enum rt_fill_in in, const char *text, size_t at)
{
	return in == RT_FILL_URL && at > 3 &&
			memcmp(text + at - 4, "://", 3) == 0 ?
		RT_FILL_HOST :
		in;
}

static int
fail(struct rt_error *error, size_t at, const char *text, size_t size,
	const char *expected)
{
	error->at = at;
	return rt_fail(error->text, -EINVAL, "'%.*s': expected %s",
		(int)(size < 40 ? size : 40), text, expected);
}

/* What was expected in place of a word that names nothing, perhaps by what the
   word means elsewhere. */
static const char *
expected_for(struct rt_word word, enum retort_protocol protocol)
{
	static const struct {
		const char *begin;
		const char *expected;
	} likely[] = {
		{"header.", "{field.NAME}"},
		{"headers.", "{field.NAME}"},
		{"host", "{field.Host}, such as localhost:8080"},
		{"port", "{field.Host}, such as localhost:8080"},
		{"url", "http://{field.Host}{target}, or {path}"},
#ifdef HAVE_JANSSON
		{"json.",
			"a JSON pointer, which begins with a slash, such as "
			"{json./items/0/id}"},
#endif
	};

	if (protocol != RETORT_HTTP)
		return "{body}, {payload}, {connection}, {count} or {now}; a "
		       "brace is '{{'";
	for (size_t i = 0; i < sizeof likely / sizeof *likely; i++) {
		size_t size = strlen(likely[i].begin);

		if (word.size >= size &&
			memcmp(word.text, likely[i].begin, size) == 0)
			return likely[i].expected;
	}
	return "{path}, {query.NAME} or the like; a brace is '{{'";
}

/* A text while it is read. */
struct reading {
	struct rt_fill *fill;
	const char *text;
	enum rt_fill_in in;
	enum retort_protocol protocol;
	struct rt_error *error;
};

/* Reads the text in braces, which are before `at` and at `end`. */
static int
read_braces(const struct reading *reading, size_t at, size_t end)
{
	struct rt_fill *fill = reading->fill;
	const char *text = reading->text;
	const struct rt_word inner = {text + at, end - at};
	struct rt_word word = inner;
	struct rt_piece piece = {.in = escaped(reading->in, text, at)};

	if (end - at > 4 && memcmp(word.text, "raw ", 4) == 0) {
		word = rt_text_rest(word.text + 4, text + end);
		piece.in = unescaped(reading->in);
	}
	piece.text = word.text;
	piece.size = word.size;
	if (!look_up(word, reading->protocol, &piece))
		return fail(reading->error, at, inner.text, inner.size,
			expected_for(word, reading->protocol));
	if (piece.kind == RT_FILL_STAR &&
		fill->stars < (size_t)(*piece.text - '0'))
		fill->stars = (size_t)(*piece.text - '0');
	return add_piece(fill, piece);
}

int
rt_fill_read(struct rt_fill *fill, const char *text, size_t size,
	enum rt_fill_in in, enum retort_protocol protocol,
	struct rt_error *error)
{
	const struct reading reading = {fill, text, in, protocol, error};
	struct rt_piece piece = {.kind = RT_FILL_TEXT, .text = text};
	size_t at = 0, end;
	int code = 0;

	while (code == 0 && at < size) {
		const char *brace = memchr(text + at, '{', size - at);

		at = brace ? (size_t)(brace - text) + 1 : size + 1;
		if (at >= size)
			break;
		if (text[at] == '{') {
			piece.size = (size_t)(text + at - piece.text);
			code = add_piece(fill, piece);
			piece.text = text + ++at;
		} else if (is_word(text[at])) {
			for (end = at; end < size && text[end] != '}' &&
				text[end] != '\n';
				end++)
				;
			if (end == size || text[end] == '\n')
				return fail(error, at, text + at, end - at,
					"a '}' after it; a brace is '{{'");
			piece.size = (size_t)(text + at - 1 - piece.text);
			code = add_piece(fill, piece);
			if (code == 0)
				code = read_braces(&reading, at, end);
			at = end + 1;
			piece.text = text + at;
		}
	}
	piece.size = (size_t)(text + size - piece.text);
	return code == 0 ? add_piece(fill, piece) : code;
}

int
rt_fill_break(struct rt_fill *fill)
{
	return add_piece(fill, (struct rt_piece){.kind = RT_FILL_BREAK});
}

/* How parts are escaped in a field, which may hold a URL. */
static enum rt_fill_in
in_field(const struct rt_line *line)
{
	return rt_field_is(line, "Location") ||
			rt_field_is(line, "Content-Location") ?
		RT_FILL_URL :
		RT_FILL_FIELD;
}

int
rt_fill_read_fields(struct rt_fill *fill, const char *lines,
	enum retort_protocol protocol, struct rt_error *error)
{
	const char *begin = lines;
	struct rt_line line;
	size_t skip;
	int code = 0;

	while (code == 0 && rt_field_next(&lines, &line)) {
		/* the name cannot be filled in, and the value can */
		skip = line.name_size + 1;
		if (skip > line.size)
			skip = line.size;
		code = add_piece(fill,
			(struct rt_piece){.text = line.text, .size = skip});
		if (code == 0)
			code = rt_fill_read(fill, line.text + skip,
				line.size - skip, in_field(&line), protocol,
				error);
		if (code == -EINVAL)
			error->at += (size_t)(line.text + skip - begin);
		if (code == 0)
			code = add_piece(fill,
				(struct rt_piece){.text = "\n", .size = 1});
	}
	return code;
}

void
rt_fill_free(struct rt_fill *fill)
{
	free(fill->pieces);
	*fill = (struct rt_fill){.pieces = NULL};
}

static bool
ends_with(const char *type, size_t size, const char *end)
{
	size_t length = strlen(end);

	return size >= length && rt_caseless(type + size - length, length, end);
}

enum rt_fill_in
rt_fill_in_type(const char *type, size_t size)
{
	const char *end;

	if (type == NULL)
		return RT_FILL_PLAIN;
	end = memchr(type, ';', size);
	if (end != NULL)
		size = (size_t)(end - type);
	while (size > 0 && rt_is_blank(type[size - 1]))
		size--;
	if (ends_with(type, size, "/json") || ends_with(type, size, "+json") ||
		ends_with(type, size, "/x-ndjson"))
		return RT_FILL_JSON;
	if (ends_with(type, size, "/html") || ends_with(type, size, "/xml") ||
		ends_with(type, size, "+xml"))
		return RT_FILL_MARKUP;
	if (rt_caseless(type, size, "application/x-www-form-urlencoded"))
		return RT_FILL_FORM;
	if (rt_caseless(type, size, "text/event-stream"))
		return RT_FILL_EVENT;
	return RT_FILL_PLAIN;
}

/* --- filling in --- */

/* Most bytes of a value that is written as JSON again. */
#define MAX_JSON (4u << 20)

/* Bytes of the request, and how they are encoded there. */
struct value {
	const char *at;
	const char *end;
	bool percent; /* percent-encoded */
	bool plus;    /* and a blank is "+" */
};

static void
add_json(struct rt_buf *to, unsigned char c)
{
	if (c == '"' || c == '\\')
		rt_buf_add_format(to, "\\%c", c);
	else if (c == '\n')
		rt_buf_add(to, "\\n", 2);
	else
		rt_buf_add_format(to, "\\u%04x", (unsigned)c);
}

static void
add_markup(struct rt_buf *to, unsigned char c)
{
	rt_buf_add_format(to, "&#%u;", (unsigned)c);
}

static bool
is_unreserved(unsigned char c)
{
	return is_word((char)c) || (c != '\0' && strchr("-._~", c) != NULL);
}

/* Whether a byte need not be percent-encoded there. */
static bool
stays(unsigned char c, enum rt_fill_in in)
{
	return is_unreserved(c) || (c == '/' && in != RT_FILL_FORM) ||
		(in == RT_FILL_HOST && c != '\0' && strchr(":[]", c) != NULL);
}

static bool
is_control(unsigned char c)
{
	return (c < ' ' && c != '\t') || c == 0x7f;
}

static void
add_byte(struct rt_buf *to, unsigned char c, enum rt_fill_in in)
{
	switch (in) {
	case RT_FILL_JSON:
		if (c == '"' || c == '\\' || c < ' ') {
			add_json(to, c);
			return;
		}
		break;
	case RT_FILL_MARKUP:
		if (c != '\0' && strchr("<>&\"'", c) != NULL) {
			add_markup(to, c);
			return;
		}
		break;
	case RT_FILL_FORM:
	case RT_FILL_URL:
	case RT_FILL_HOST:
		if (!stays(c, in)) {
			rt_buf_add_format(to, "%%%02X", (unsigned)c);
			return;
		}
		break;
	case RT_FILL_EVENT:
	case RT_FILL_FILE:
	case RT_FILL_FIELD:
		if (is_control(c))
			c = ' ';
		break;
	default:
		break;
	}
	rt_buf_add(to, &c, 1);
}

/* Takes a byte off the value, decoded. */
static unsigned char
take(struct value *value)
{
	int byte = value->percent && *value->at == '%' ?
		rt_text_percent(value->at, value->end) :
		-1;

	if (byte >= 0) {
		value->at += 3;
		return (unsigned char)byte;
	}
	byte = (unsigned char)*value->at++;
	return value->plus && byte == '+' ? ' ' : (unsigned char)byte;
}

static void
add_value(struct rt_buf *to, struct value value, enum rt_fill_in in)
{
	if (!value.percent && in == RT_FILL_PLAIN)
		rt_buf_add(to, value.at, (size_t)(value.end - value.at));
	else
		while (value.at < value.end && !to->failed)
			add_byte(to, take(&value), in);
}

/* These bytes, as they are; NULL: none. */
static struct value
bytes_value(const char *bytes, size_t size)
{
	if (bytes == NULL)
		bytes = "";
	return (struct value){.at = bytes, .end = bytes + size};
}

static struct value
text_value(const char *text)
{
	return bytes_value(text, text ? strlen(text) : 0);
}

static bool
is_name(struct value value, const struct rt_piece *piece)
{
	size_t i = 0;

	while (value.at < value.end && i < piece->size)
		if (take(&value) != (unsigned char)piece->text[i++])
			return false;
	return value.at == value.end && i == piece->size;
}

/* The value of the first pair of that name; an empty one if there is none. */
static struct value
pair(struct rt_pair_reader *form, const struct rt_piece *piece)
{
	struct rt_form_pair pair;

	while (rt_form_next(form, &pair)) {
		struct value name = bytes_value(pair.name.text, pair.name.size);
		struct value value =
			bytes_value(pair.value.text, pair.value.size);

		name.percent = name.plus = pair.encoded;
		value.percent = value.plus = pair.encoded;
		if (is_name(name, piece))
			return value;
	}
	return text_value(NULL);
}

static struct value
parameter(const struct retort_exchange *seen, const struct rt_piece *piece)
{
	struct rt_pair_reader form;

	rt_form_begin_encoded(&form, seen->query,
		seen->query ? strlen(seen->query) : 0);
	return pair(&form, piece);
}

/* The same of a form in the body. If it is malformed, the pairs before the
   mistake count. */
static struct value
form_value(const struct retort_exchange *seen, const struct rt_piece *piece)
{
	const char *type = rt_field_came(seen, "Content-Type", 12);
	struct rt_pair_reader form;

	if (type == NULL || seen->body == NULL ||
		!rt_form_begin(&form, type, seen->body, seen->body_size))
		return text_value(NULL);
	return pair(&form, piece);
}

/* The part of the request that a piece names. */
static struct value
value_of(const struct rt_piece *piece, const struct rt_filling *filling)
{
	static const struct retort_exchange nothing;
	const struct retort_exchange *seen =
		filling->seen ? filling->seen : &nothing;
	struct rt_word payload;
	struct value value;

	switch (piece->kind) {
	case RT_FILL_METHOD:
		return text_value(seen->method);
	case RT_FILL_TARGET:
		return text_value(seen->target);
	case RT_FILL_PATH:
		return text_value(seen->path);
	case RT_FILL_STAR:
		value = bytes_value(filling->stars[*piece->text - '1'].text,
			filling->stars[*piece->text - '1'].size);
		value.percent = true;
		return value;
	case RT_FILL_QUERY:
		return parameter(seen, piece);
	case RT_FILL_OF_FIELD:
		return text_value(
			rt_field_came(seen, piece->text, piece->size));
	case RT_FILL_OF_FORM:
		return form_value(seen, piece);
	case RT_FILL_PAYLOAD:
		payload = rt_websocket_payload(seen->body, seen->body_size);
		return bytes_value(payload.text, payload.size);
	default:
		return bytes_value(seen->body, seen->body_size);
	}
}

/* Adds a value of a body that is JSON. */
static void
add_json_value(struct rt_buf *to, const struct retort_exchange *seen,
	const struct rt_piece *piece)
{
	struct rt_word pointer = {piece->text, piece->size};
	struct rt_buf text;

	if (seen == NULL || seen->body == NULL)
		return;
	rt_buf_init(&text, MAX_JSON);
	rt_json_find(seen->body, seen->body_size, pointer, &text);
	add_value(to, bytes_value(text.data, text.len), piece->in);
	to->failed |= text.failed;
	rt_buf_free(&text);
}

/* Adds the answer to the key of a WebSocket's handshake. */
static void
add_accept(struct rt_buf *to, const struct retort_exchange *seen)
{
	const char *key =
		seen ? rt_field_came(seen, "Sec-WebSocket-Key", 17) : NULL;
	char accept[RT_WEBSOCKET_ACCEPT];

	if (key == NULL)
		return;
	rt_websocket_accept(key, strlen(key), accept);
	rt_buf_add(to, accept, sizeof accept);
}

static void
add_now(struct rt_buf *to, int64_t now, enum rt_fill_in in)
{
	char text[RT_DATE_TEXT];

	if (in == RT_FILL_FIELD)
		rt_date_format(now, text);
	else
		rt_date_format_iso(now, text);
	rt_buf_add_text(to, text);
}

/* Ends the frame that began at `begin`; opcode 0: there is none. */
static void
end_frame(struct rt_buf *to, unsigned opcode, size_t begin)
{
	if (opcode != 0 && !to->failed)
		rt_websocket_wrap(to, opcode, begin);
}

/* Adds what a piece stands for. */
static void
fill_piece(const struct rt_piece *piece, const struct rt_filling *filling,
	struct rt_buf *to)
{
	switch (piece->kind) {
	case RT_FILL_TEXT:
		rt_buf_add(to, piece->text, piece->size);
		break;
	case RT_FILL_CONNECTION:
		rt_buf_add_number(to, filling->connection);
		break;
	case RT_FILL_COUNT:
		rt_buf_add_number(to, filling->count);
		break;
	case RT_FILL_NOW:
		add_now(to, filling->now, piece->in);
		break;
	case RT_FILL_OF_JSON:
		add_json_value(to, filling->seen, piece);
		break;
	case RT_FILL_ACCEPT:
		add_accept(to, filling->seen);
		break;
	default:
		add_value(to, value_of(piece, filling), piece->in);
		break;
	}
}

size_t
rt_fill_add(const struct rt_fill *fill, const struct rt_filling *filling,
	size_t from, struct rt_buf *to)
{
	bool more = true;
	unsigned frame = 0;
	size_t begin = 0;

	while (more && from < fill->count) {
		const struct rt_piece *piece = fill->pieces + from++;

		if (piece->kind == RT_FILL_FRAME) {
			end_frame(to, frame, begin);
			frame = rt_websocket_opcode(
				(struct rt_word){piece->text, piece->size});
			begin = to->len;
		} else if (piece->kind == RT_FILL_BREAK) {
			more = false;
		} else {
			fill_piece(piece, filling, to);
		}
	}
	end_frame(to, frame, begin);
	return from;
}
