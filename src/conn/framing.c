/* SPDX-License-Identifier: MIT */
/* Where a piece ends: the words for that, and the first piece of some bytes. */
#include "config.h"

#include "conn/framing.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/websocket.h"

/* The most bytes of MQTT's length, after the first of the packet. */
#define MQTT_LENGTH 4u

/* --- from text --- */

/* The bytes in quotes. */
static int
read_end(struct rt_framing *framing, struct rt_word rest)
{
	const char *at = rest.text;
	struct rt_buf bytes;
	int code = 0;

	rt_buf_init(&bytes, rest.size + 1);
	if (!rt_text_unquote(&at, rest.text + rest.size, &bytes) ||
		at != rest.text + rest.size || bytes.len == 0)
		code = -EINVAL;
	else if (bytes.failed)
		code = -ENOMEM;
	if (bytes.len > RT_MAX_DELIMITER)
		code = -EINVAL;
	if (code == 0) {
		framing->kind = RT_FRAMED_BY_END;
		framing->size = (uint8_t)bytes.len;
		memcpy(framing->end, bytes.data, bytes.len);
	}
	rt_buf_free(&bytes);
	return code;
}

static int
read_length(struct rt_framing *framing, struct rt_word rest)
{
	uint64_t size;

	if (!rt_word_number(rest, 4, &size) || size == 0 || size == 3)
		return -EINVAL;
	framing->kind = RT_FRAMED_BY_SIZE;
	framing->size = (uint8_t)size;
	return 0;
}

static int
read_words(struct rt_framing *framing, const char *at, const char *end)
{
	static const struct {
		const char *word;
		struct rt_framing framing;
	} alone[] = {
		{"lines", {.kind = RT_FRAMED_BY_END, .size = 1, .end = "\n"}},
		{"crlf", {.kind = RT_FRAMED_BY_END, .size = 2, .end = "\r\n"}},
		{"mqtt", {.kind = RT_FRAMED_AS_MQTT}},
		{"websocket", {.kind = RT_FRAMED_AS_WEBSOCKET}},
	};
	struct rt_word word = rt_text_word(&at, end);
	struct rt_word rest = rt_text_rest(at, end);

	if (rt_word_is(word, "end"))
		return read_end(framing, rest);
	if (rt_word_is(word, "length"))
		return read_length(framing, rest);
	for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
		if (rest.size == 0 && rt_word_is(word, alone[i].word)) {
			*framing = alone[i].framing;
			return 0;
		}
	return -EINVAL;
}

int
rt_framing_read(struct rt_framing *framing, const char *text, char *error)
{
	int code;

	*framing = (struct rt_framing){.kind = RT_FRAMED_NOT};
	if (text == NULL)
		return 0;
	code = read_words(framing, text, text + strlen(text));
	if (code == -ENOMEM)
		return rt_fail_errno(error, code, "framing");
	return code == 0 ? 0 :
			   rt_fail(error, code,
				   "framing: '%.60s': expected lines, crlf, "
				   "end \"BYTES\" (at most %u), length 1, 2 or "
				   "4, mqtt or websocket",
				   text, RT_MAX_DELIMITER);
}

bool
rt_framing_is(const struct rt_framing *one, const struct rt_framing *other)
{
	return one->kind == other->kind && one->size == other->size &&
		memcmp(one->end, other->end, sizeof one->end) == 0;
}

/* --- the first piece --- */

/* With head bytes that say so. */
static int
whole(size_t head, uint64_t length, size_t size)
{
	if (length > RT_MAX_PIECE - head)
		return -EMSGSIZE;
	return head + length <= size ? (int)(head + length) : 0;
}

static int
find_end(const struct rt_framing *framing, const char *bytes, size_t size,
	size_t known)
{
	size_t most = size < RT_MAX_PIECE ? size : RT_MAX_PIECE;
	const char *end = bytes + most, *at = bytes;

	/* a part of it may have been there */
	if (known >= framing->size)
		at += known - framing->size + 1;
	while ((size_t)(end - at) >= framing->size &&
		(at = memchr(at, framing->end[0],
			 (size_t)(end - at) - framing->size + 1)) != NULL) {
		if (memcmp(at, framing->end, framing->size) == 0)
			return (int)(at - bytes) + framing->size;
		at++;
	}
	return most < RT_MAX_PIECE ? 0 : -EMSGSIZE;
}

static int
count_size(const struct rt_framing *framing, const char *bytes, size_t size)
{
	uint64_t length = 0;

	if (size < framing->size)
		return 0;
	for (size_t i = 0; i < framing->size; i++)
		length = length << 8 | (unsigned char)bytes[i];
	return whole(framing->size, length, size);
}

/* Seven bits in each byte, the lowest first; the eighth says that more come. */
static int
count_mqtt(const char *bytes, size_t size)
{
	uint64_t length = 0;

	for (size_t i = 0; i < MQTT_LENGTH && 1 + i < size; i++) {
		unsigned byte = (unsigned char)bytes[1 + i];

		length |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80)
			return whole(2 + i, length, size);
	}
	return size > MQTT_LENGTH ? -EBADMSG : 0;
}

static int
count_frame(const char *bytes, size_t size)
{
	uint64_t payload;
	int head = rt_websocket_frame(bytes, size, &payload);

	return head > 0 ? whole((size_t)head, payload, size) : head;
}

int
rt_framing_next(const struct rt_framing *framing, const char *bytes,
	size_t size, size_t known)
{
	if (size == 0)
		return 0;
	switch (framing->kind) {
	case RT_FRAMED_BY_END:
		return find_end(framing, bytes, size, known);
	case RT_FRAMED_BY_SIZE:
		return count_size(framing, bytes, size);
	case RT_FRAMED_AS_MQTT:
		return count_mqtt(bytes, size);
	case RT_FRAMED_AS_WEBSOCKET:
		return count_frame(bytes, size);
	case RT_FRAMED_NOT:
		break;
	}
	return size <= RT_MAX_PIECE ? (int)size : -EMSGSIZE;
}

size_t
rt_framing_unmask(const struct rt_framing *framing, char *bytes, size_t size)
{
	return framing->kind == RT_FRAMED_AS_WEBSOCKET ?
		rt_websocket_unmask(bytes, size) :
		size;
}
