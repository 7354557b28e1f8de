/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/sock_side.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct rt_sock socks[2 * MOST];
char refusal[RETORT_ERROR_SIZE];
char folder[64];

int
count_fds(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int
listen_on(int port, size_t count, const char *const *specs)
{
	memset(socks, 0xa5, sizeof socks);
	memset(refusal, 0, sizeof refusal);
	return rt_sock_listen(socks, RETORT_HTTP, specs, count, port, 0,
		refusal);
}

void
close_all(int count)
{
	int i;

	for (i = 0; i < count; i++)
		rt_sock_close(&socks[i]);
}

struct sockaddr_in
make_v4(in_addr_t host, int port)
{
	struct sockaddr_in v4;

	memset(&v4, 0, sizeof v4);
	v4.sin_family = AF_INET;
	v4.sin_port = htons((in_port_t)port);
	v4.sin_addr.s_addr = htonl(host);
	return v4;
}

struct sockaddr_in6
make_v6(int port)
{
	struct sockaddr_in6 v6;

	memset(&v6, 0, sizeof v6);
	v6.sin6_family = AF_INET6;
	v6.sin6_port = htons((in_port_t)port);
	v6.sin6_addr = in6addr_loopback;
	return v6;
}

struct sockaddr_un
make_un(const char *path)
{
	struct sockaddr_un un;

	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	ck_assert_uint_lt(strlen(path), sizeof un.sun_path);
	memcpy(un.sun_path, path, strlen(path) + 1);
	return un;
}

int
make_socket(int family, int type)
{
	int fd = socket(family, type, 0);

	ck_assert_msg(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

int
occupy(int family, int port)
{
	const struct sockaddr_in v4 = make_v4(INADDR_LOOPBACK, port);
	const struct sockaddr_in6 v6 = make_v6(port);
	const int on = 1;
	int fd = make_socket(family, SOCK_STREAM), result;

	if (family == AF_INET6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
					 sizeof on),
			0);
	result = family == AF_INET ?
		bind(fd, (const struct sockaddr *)&v4, sizeof v4) :
		bind(fd, (const struct sockaddr *)&v6, sizeof v6);
	if (result < 0 || listen(fd, 8) < 0) {
		result = -errno;
		(void)close(fd);
		return result;
	}
	return fd;
}

int
occupy_unix(const char *path, int type)
{
	const struct sockaddr_un un = make_un(path);
	int fd = make_socket(AF_UNIX, type);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&un, sizeof un), 0);
	if (type != SOCK_DGRAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

int
port_of(int fd)
{
	struct sockaddr_storage room;
	socklen_t size = sizeof room;
	struct rt_peer peer;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&room, &size), 0);
	rt_sock_peer(&peer, (const struct sockaddr *)&room);
	return peer.port;
}

int
dial(const struct rt_sock *sock)
{
	const bool v6 = sock->family == AF_INET6;
	const struct sockaddr_in v4 = make_v4(INADDR_LOOPBACK, sock->port);
	const struct sockaddr_in6 six = make_v6(sock->port);
	struct sockaddr_un un;
	int fd, result;

	if (!sock->tcp) {
		un = make_un(sock->url + strlen("unix:"));
		fd = make_socket(AF_UNIX, SOCK_STREAM);
		result = connect(fd, (const struct sockaddr *)&un, sizeof un);
	} else if (v6) {
		fd = make_socket(AF_INET6, SOCK_STREAM);
		result = connect(fd, (const struct sockaddr *)&six, sizeof six);
	} else {
		fd = make_socket(AF_INET, SOCK_STREAM);
		result = connect(fd, (const struct sockaddr *)&v4, sizeof v4);
	}
	result = result < 0 ? -errno : 0;
	(void)close(fd);
	return result;
}

int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof value;

	ck_assert_msg(getsockopt(fd, level, name, &value, &size) == 0,
		"getsockopt(%d, %d): %s", level, name, strerror(errno));
	return value;
}

const char *
unix_spec(char spec[256], const char *name)
{
	(void)snprintf(spec, 256, "unix:%s/%s", folder, name);
	return spec;
}

bool
exists(const char *spec)
{
	struct stat status;

	return lstat(spec + strlen("unix:"), &status) == 0;
}

void
make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp == NULL || strlen(tmp) > 32)
		tmp = "/tmp";
	(void)snprintf(folder, sizeof folder, "%s/sock.XXXXXX", tmp);
	ck_assert_msg(mkdtemp(folder) != NULL, "%s: %s", folder,
		strerror(errno));
}

void
remove_folder(void)
{
	/* everything a test leaves in its folder is a failure of that test */
	ck_assert_msg(rmdir(folder) == 0, "%s: %s", folder, strerror(errno));
}
