/* SPDX-License-Identifier: MIT */
/* Addresses: from text, and as text. Never looks a name up. */
#include "config.h"

#include "os/sock_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define PATH_MOST (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* "unix:", a name that may fill sun_path to its last byte, and the NUL */
_Static_assert(RT_URL_TEXT >= sizeof "unix:" + PATH_MOST + 1,
	"a URL has room for every Unix socket's path");

/* The digits of `text` as a number of at most `most`, or -1. */
static int
parse_number(const char *text, int most)
{
	struct rt_word word = {text, strlen(text)};
	uint64_t number;

	return rt_word_number(word, (uint64_t)most, &number) ? (int)number : -1;
}

static bool
parse_v4(struct end *end, const char *host)
{
	end->address.v4.sin_family = AF_INET;
	end->size = sizeof end->address.v4;
	return inet_pton(AF_INET, host, &end->address.v4.sin_addr) == 1;
}

static bool
parse_v6(struct end *end, const char *host)
{
	end->address.v6.sin6_family = AF_INET6;
	end->size = sizeof end->address.v6;
	/* an IPv4-mapped one cannot be bound with IPV6_V6ONLY */
	return inet_pton(AF_INET6, host, &end->address.v6.sin6_addr) == 1 &&
		!IN6_IS_ADDR_V4MAPPED(&end->address.v6.sin6_addr);
}

/*
 * Cuts "host", "host:port", "[host]" or "[host]:port" in place; *port is
 * NULL without one. False when brackets do not match.
 */
static bool
split_port(char *text, char **host, char **port)
{
	const bool bracketed = text[0] == '[';
	char *end = bracketed ? strchr(text, ']') : strchr(text, ':');

	*host = bracketed ? text + 1 : text;
	*port = NULL;
	if (bracketed) {
		if (end == NULL)
			return false;
		*end++ = '\0';
		if (*end == '\0')
			return true;
		if (*end != ':')
			return false;
	} else if (end == NULL || strchr(end + 1, ':') != NULL) {
		/* several colons: IPv6, which has a port in brackets only */
		return true;
	}
	*end = '\0';
	*port = end + 1;
	return true;
}

/* Parses a TCP address into one end or two; how many, or -EINVAL. */
static int
parse_tcp(struct end *ends, const char *spec, int port, char *error)
{
	char text[sizeof "[]:65535" + INET6_ADDRSTRLEN], *host, *digits;
	bool bracketed, localhost;
	int i, count = 1;

	if (strlen(spec) >= sizeof text)
		goto malformed;
	memcpy(text, spec, strlen(spec) + 1);
	bracketed = text[0] == '[';
	if (!split_port(text, &host, &digits))
		goto malformed;
	localhost = !bracketed && strcmp(host, "localhost") == 0;
	if (localhost) {
		(void)parse_v4(&ends[0], "127.0.0.1");
		(void)parse_v6(&ends[1], "::1");
		count = 2;
	} else if ((bracketed || !parse_v4(ends, host)) &&
		!parse_v6(ends, host)) {
		goto malformed;
	}
	if (digits != NULL && (port = parse_number(digits, 65535)) < 0)
		return rt_fail(error, -EINVAL,
			"address '%.100s': expected a port from 0 to 65535",
			spec);
	for (i = 0; i < count; i++) {
		ends[i].optional = localhost;
		ends[i].port = port;
		if (port == 0 && digits == NULL)
			ends[i].group = SHARED_GROUP;
		else if (port == 0)
			ends[i].group = OWN_GROUP + ends[i].spec;
	}
	return count;

malformed:
	return rt_fail(error, -EINVAL,
		"address '%.100s': expected IPv4, IPv6, "
		"localhost, unix:PATH or fd:N",
		spec);
}

static int
parse_unix(struct end *end, const char *spec, const char *path, char *error)
{
	if (*path == '\0')
		return rt_fail(error, -EINVAL, "address '%s': expected a path",
			spec);
	if (strlen(path) > PATH_MOST)
		return rt_fail(error, -EINVAL,
			"address '%.100s...': a Unix "
			"socket's path has at most %zu bytes",
			spec, PATH_MOST);
	end->address.un.sun_family = AF_UNIX;
	memcpy(end->address.un.sun_path, path, strlen(path) + 1);
	end->size = sizeof end->address.un;
	return 1;
}

/* Parses one address into one end or two; how many, or -EINVAL. */
static int
parse_spec(struct end *ends, size_t index, const char *spec, int port,
	char *error)
{
	int fd;

	memset(ends, 0, 2 * sizeof *ends);
	ends[0].spec = ends[1].spec = index;
	ends[0].sock.fd = ends[1].sock.fd = -1;
	ends[0].sock.holder = ends[1].sock.holder = -1;
	if (strncmp(spec, "unix:", 5) == 0)
		return parse_unix(ends, spec, spec + 5, error);
	if (strncmp(spec, "fd:", 3) != 0)
		return parse_tcp(ends, spec, port, error);
	fd = parse_number(spec + 3, INT_MAX);
	if (fd < 0)
		return rt_fail(error, -EINVAL,
			"address '%.100s': expected the "
			"number of a descriptor",
			spec);
	ends[0].sock.fd = fd;
	ends[0].sock.borrowed = true;
	return 1;
}

int
rt_sock_parse(struct end *ends, const char *const *specs, size_t count,
	int port, char *error)
{
	size_t i, j, used = 0;
	int got;

	if (port < 0 || port > 65535)
		return rt_fail(error, -EINVAL,
			"port %d: expected a port from 0 to 65535", port);
	for (i = 0; i < count; i++) {
		got = parse_spec(ends + used, i, specs[i], port, error);
		if (got < 0)
			return got;
		/* two owners of one descriptor would both close it */
		for (j = 0; ends[used].sock.borrowed && j < used; j++)
			if (ends[j].sock.fd == ends[used].sock.fd)
				return rt_fail(error, -EINVAL,
					"address '%.100s': given twice",
					specs[i]);
		used += (size_t)got;
	}
	return (int)used;
}

void
rt_sock_peer(struct rt_peer *peer, const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	/* copied: the caller's may be aligned for another family */
	memset(peer, 0, sizeof *peer);
	memcpy(&peer->family,
		(const char *)address + offsetof(struct sockaddr, sa_family),
		sizeof peer->family);
	if (peer->family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		peer->port = ntohs(v4.sin_port);
		memcpy(peer->address, &v4.sin_addr, 4);
	} else if (peer->family == AF_INET6) {
		memcpy(&v6, address, sizeof v6);
		peer->port = ntohs(v6.sin6_port);
		memcpy(peer->address, &v6.sin6_addr, 16);
	} else if (peer->family != AF_UNIX) {
		peer->family = 0;
	}
}

/* Writes `number` in decimal; returns the place after it. */
static char *
put_number(char *to, unsigned number)
{
	if (number >= 10)
		to = put_number(to, number / 10);
	*to++ = (char)('0' + number % 10);
	return to;
}

/* Without printf(3), which would cost each connection more than reading the
   request. */
static const char *
v4_text(const struct rt_peer *peer, char *text)
{
	char *to = text;

	for (int i = 0; i < 4; i++) {
		to = put_number(to, peer->address[i]);
		*to++ = i < 3 ? '.' : ':';
	}
	*put_number(to, peer->port) = '\0';
	return text;
}

const char *
rt_sock_peer_text(const struct rt_peer *peer, char text[RT_PEER_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	if (peer->family == AF_INET)
		return v4_text(peer, text);
	if (peer->family == AF_INET6 &&
		inet_ntop(AF_INET6, peer->address, host, sizeof host) != NULL)
		(void)snprintf(text, RT_PEER_TEXT, "[%s]:%u", host, peer->port);
	else
		(void)snprintf(text, RT_PEER_TEXT, "%s",
			peer->family == AF_UNIX ? "unix" : "-");
	return text;
}
