/* SPDX-License-Identifier: MIT */
/* The client's address, as a proxy in front reports it:
   https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt */
#include "config.h"

#include "conn/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Bytes of a line, with its CR LF. */
#define MAX_LINE 107

static const char line_begins[6] = "PROXY ";
static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* Whether the bytes begin with these, as far as both go. */
static bool
begins(const char *bytes, size_t size, const char *with, size_t with_size)
{
	return memcmp(bytes, with, size < with_size ? size : with_size) == 0;
}

/* --- version 1: a line --- */

/* Reads the address of a line. */
static bool
read_address(struct rt_word word, int family, unsigned char *address)
{
	char text[INET6_ADDRSTRLEN];

	if (word.size == 0 || word.size >= sizeof text)
		return false;
	memcpy(text, word.text, word.size);
	text[word.size] = '\0';
	return inet_pton(family, text, address) == 1;
}

static bool
read_port(struct rt_word word, unsigned short *port)
{
	uint64_t number;

	if (!rt_word_number(word, UINT16_MAX, &number) ||
		(word.size > 1 && *word.text == '0'))
		return false;
	*port = (unsigned short)number;
	return true;
}

/* Takes the next word; one space separates words. */
static struct rt_word
next_word(const char **at, const char *end)
{
	const char *begin = *at,
		   *space = memchr(begin, ' ', (size_t)(end - begin));

	*at = space != NULL ? space + 1 : end;
	return (struct rt_word){begin,
		(size_t)((space != NULL ? space : end) - begin)};
}

/* Reads "TCP4 FROM TO FROM-PORT TO-PORT", or "UNKNOWN" and anything. */
static bool
read_words(const char *at, const char *end, struct rt_peer *peer)
{
	struct rt_word protocol = next_word(&at, end), from, from_port;
	struct rt_peer client = {.family = AF_INET}, to;

	if (rt_word_is(protocol, "UNKNOWN"))
		return true;
	if (rt_word_is(protocol, "TCP6"))
		client.family = AF_INET6;
	else if (!rt_word_is(protocol, "TCP4"))
		return false;
	from = next_word(&at, end);
	if (!read_address(from, client.family, client.address) ||
		!read_address(next_word(&at, end), client.family, to.address))
		return false;
	from_port = next_word(&at, end);
	if (!read_port(from_port, &client.port) ||
		!read_port(next_word(&at, end), &to.port) || at != end ||
		end[-1] == ' ')
		return false;
	*peer = client;
	return true;
}

static int
read_line(const char *bytes, size_t size, struct rt_peer *peer)
{
	size_t most = size < MAX_LINE ? size : MAX_LINE;
	const char *lf = memchr(bytes, '\n', most);

	if (lf == NULL)
		return size < MAX_LINE ? 0 : -EBADMSG;
	if (lf[-1] != '\r' ||
		!read_words(bytes + sizeof line_begins, lf - 1, peer))
		return -EBADMSG;
	return (int)(lf - bytes) + 1;
}

/* --- version 2: binary --- */

static unsigned
number_at(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Reads the client from the address block; false: it is too short for its
   family. */
static bool
read_block(unsigned family, const unsigned char *block, size_t size,
	struct rt_peer *peer)
{
	static const struct {
		sa_family_t family;
		size_t address; /* bytes of each of the two */
		size_t block;
	} families[] = {
		{0, 0, 0},
		{AF_INET, 4, 12},
		{AF_INET6, 16, 36},
		{AF_UNIX, 0, 216},
	};

	if (family >= sizeof families / sizeof *families ||
		size < families[family].block)
		return false;
	if (family == 0)
		return true;
	*peer = (struct rt_peer){.family = families[family].family};
	if (families[family].address > 0) {
		memcpy(peer->address, block, families[family].address);
		peer->port = (unsigned short)number_at(
			block + 2 * families[family].address);
	}
	return true;
}

static int
read_binary(const unsigned char *bytes, size_t size, struct rt_peer *peer)
{
	struct rt_peer none;
	unsigned length;

	if (size < 16)
		return 0;
	length = number_at(bytes + 14);
	/* version 2; LOCAL or PROXY; not specified, a stream, or datagrams */
	if (bytes[12] >> 4 != 2 || (bytes[12] & 15) > 1 ||
		(bytes[13] & 15) > 2 || 16 + length > RT_PROXY_MOST)
		return -EBADMSG;
	if (size < 16 + length)
		return 0;
	/* with LOCAL, the proxy speaks for itself */
	if (!read_block(bytes[13] >> 4, bytes + 16, length,
		    (bytes[12] & 15) == 1 ? peer : &none) &&
		(bytes[12] & 15) == 1)
		return -EBADMSG;
	return (int)(16 + length);
}

int
rt_proxy_read(const char *bytes, size_t size, struct rt_peer *peer)
{
	if (begins(bytes, size, line_begins, sizeof line_begins))
		return size < sizeof line_begins ? 0 :
						   read_line(bytes, size, peer);
	if (begins(bytes, size, signature, sizeof signature))
		return read_binary((const unsigned char *)bytes, size, peer);
	return -EBADMSG;
}
