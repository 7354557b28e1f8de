/* SPDX-License-Identifier: MIT */
/* WebSockets: the computations of RFC 6455. */
#include "config.h"

#include "base/websocket.h"

#include <errno.h>
#include <string.h>

/* --- SHA-1 (RFC 3174), which the handshake is made of --- */

struct sha1 {
	uint32_t state[5];
	unsigned char block[64];
	uint64_t size; /* of all bytes */
};

static uint32_t
rotate(uint32_t word, unsigned bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t
read_word(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
		(uint32_t)bytes[2] << 8 | bytes[3];
}

/* The function and the constant of a round. */
static uint32_t
mix(size_t round, const uint32_t *s)
{
	switch (round / 20) {
	case 0:
		return ((s[1] & s[2]) | (~s[1] & s[3])) + 0x5a827999;
	case 1:
		return (s[1] ^ s[2] ^ s[3]) + 0x6ed9eba1;
	case 2:
		return ((s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])) +
			0x8f1bbcdc;
	default:
		return (s[1] ^ s[2] ^ s[3]) + 0xca62c1d6;
	}
}

static void
take_block(struct sha1 *sha1)
{
	uint32_t words[80], s[5], next;

	for (size_t i = 0; i < 16; i++)
		words[i] = read_word(sha1->block + 4 * i);
	for (size_t i = 16; i < 80; i++)
		words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^
				words[i - 16],
			1);
	memcpy(s, sha1->state, sizeof s);
	for (size_t i = 0; i < 80; i++) {
		next = rotate(s[0], 5) + mix(i, s) + s[4] + words[i];
		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = next;
	}
	for (size_t i = 0; i < 5; i++)
		sha1->state[i] += s[i];
}

static void
add_byte(struct sha1 *sha1, unsigned char byte)
{
	sha1->block[sha1->size++ % 64] = byte;
	if (sha1->size % 64 == 0)
		take_block(sha1);
}

static void
add(struct sha1 *sha1, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		add_byte(sha1, (unsigned char)bytes[i]);
}

static void
end(struct sha1 *sha1, unsigned char digest[20])
{
	uint64_t bits = sha1->size * 8;

	add_byte(sha1, 0x80);
	while (sha1->size % 64 != 56)
		add_byte(sha1, 0);
	for (unsigned shift = 64; shift > 0; shift -= 8)
		add_byte(sha1, (unsigned char)(bits >> (shift - 8)));
	for (size_t i = 0; i < 20; i++)
		digest[i] = (unsigned char)(sha1->state[i / 4] >>
			(24 - 8 * (i % 4)));
}

/* --- the handshake --- */

void
rt_websocket_accept(const char *key, size_t size,
	char accept[RT_WEBSOCKET_ACCEPT])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	/* RFC 6455 1.3 */
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	struct sha1 sha1 = {
		.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
			0xc3d2e1f0},
	};
	unsigned char digest[21];

	add(&sha1, key, size);
	add(&sha1, guid, sizeof guid - 1);
	end(&sha1, digest);
	/* 20 bytes of base64 are 27 digits and a padding */
	digest[20] = 0;
	for (size_t i = 0; i < RT_WEBSOCKET_ACCEPT; i++) {
		const unsigned char *three = digest + i / 4 * 3;
		uint32_t bits = (uint32_t)three[0] << 16 |
			(uint32_t)three[1] << 8 | three[2];

		accept[i] = digits[bits >> (18 - 6 * (i % 4)) & 63];
	}
	accept[RT_WEBSOCKET_ACCEPT - 1] = '=';
}

/* --- frames --- */

/* The largest payload of a close, ping or pong, whose types have this bit. */
#define MOST_CONTROL 125u
#define CONTROL 0x08u

/* Most bytes before the payload of a frame without a mask. */
#define HEAD 10u

/* Bytes of the length after the first two of a frame. */
static size_t
length_size(const char *bytes)
{
	unsigned length = (unsigned char)bytes[1] & 0x7f;

	return length == 126 ? 2 : length == 127 ? 8 : 0;
}

/* The same for a payload: it must have no more of them (RFC 6455 5.2). */
static size_t
length_size_for(uint64_t payload)
{
	return payload < 126 ? 0 : payload <= 0xffff ? 2 : 8;
}

/* The size of the payload, by the length, which is there. */
static uint64_t
payload_size(const char *bytes)
{
	size_t more = length_size(bytes);
	uint64_t size = more == 0 ? (unsigned char)bytes[1] & 0x7f : 0;

	for (size_t i = 0; i < more; i++)
		size = size << 8 | (unsigned char)bytes[2 + i];
	return size;
}

int
rt_websocket_frame(const char *bytes, size_t size, uint64_t *payload)
{
	size_t more;

	if (size < 2)
		return 0;
	if (((unsigned char)bytes[1] & 0x80) == 0)
		return -EBADMSG;
	more = length_size(bytes);
	if (size < 2 + more)
		return 0;
	*payload = payload_size(bytes);
	if (*payload >> 63 != 0 || length_size_for(*payload) != more)
		return -EBADMSG;
	if (((unsigned char)bytes[0] & CONTROL) != 0 && *payload > MOST_CONTROL)
		return -EBADMSG;
	return (int)(2 + more + 4);
}

size_t
rt_websocket_unmask(char *bytes, size_t size)
{
	size_t head = 2 + length_size(bytes);
	char mask[4];

	memcpy(mask, bytes + head, sizeof mask);
	bytes[1] = (char)((unsigned char)bytes[1] & 0x7f);
	for (size_t i = head + 4; i < size; i++)
		bytes[i - 4] = (char)(bytes[i] ^ mask[(i - head) % 4]);
	return size - 4;
}

struct rt_word
rt_websocket_payload(const char *bytes, size_t size)
{
	struct rt_word none = {bytes, 0};
	uint64_t payload;
	size_t head;

	if (size < 2 || (head = 2 + length_size(bytes)) > size)
		return none;
	payload = payload_size(bytes);
	return payload == size - head ?
		(struct rt_word){bytes + head, size - head} :
		none;
}

/* RFC 6455 11.8 */
static const struct {
	const char *name;
	unsigned opcode;
} types[] = {
	{"text", 1},
	{"binary", 2},
	{"close", 8},
	{"ping", 9},
	{"pong", 10},
};

unsigned
rt_websocket_opcode(struct rt_word name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (rt_word_is(name, types[i].name))
			return types[i].opcode;
	return 0;
}

const char *
rt_websocket_type(const char *bytes, size_t size)
{
	size_t head = size < 2 ? 1 : 2 + length_size(bytes);
	bool whole = size == 1 ||
		(size >= head && payload_size(bytes) == size - head);

	for (size_t i = 0; whole && i < sizeof types / sizeof *types; i++)
		if ((unsigned char)bytes[0] == (0x80 | types[i].opcode))
			return types[i].name;
	return NULL;
}

/* Writes the head of a frame with a payload of `size` bytes; the size of the
   head. */
static size_t
write_head(unsigned opcode, size_t size, char head[HEAD])
{
	size_t more = length_size_for(size);

	head[0] = (char)(0x80 | opcode);
	head[1] = (char)(more == 0 ? size : more == 2 ? 126 : 127);
	for (size_t i = 0; i < more; i++)
		head[2 + i] = (char)((uint64_t)size >> 8 * (more - 1 - i));
	return 2 + more;
}

void
rt_websocket_wrap(struct rt_buf *to, unsigned opcode, size_t payload)
{
	size_t size = to->len - payload, head_size;
	char head[HEAD];

	head_size = write_head(opcode, size, head);
	rt_buf_add(to, head, head_size);
	if (to->failed)
		return;
	memmove(to->data + payload + head_size, to->data + payload, size);
	memcpy(to->data + payload, head, head_size);
}
