/* SPDX-License-Identifier: MIT */
/* Tests of sock.c on real sockets of this machine; see sock.h. */
#include "config.h"

#include "unit/sock_side.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* Takes a port of one family that is free in the other; the descriptor. */
static int
occupy_half(int family, int *port)
{
	const int other = family == AF_INET ? AF_INET6 : AF_INET;
	int fd, probe, tries;

	for (tries = 0; tries < 100; tries++) {
		fd = occupy(family, 0);
		ck_assert_msg(fd >= 0, "no port: %s", strerror(-fd));
		*port = port_of(fd);
		probe = occupy(other, *port);
		if (probe >= 0) {
			(void)close(probe);
			return fd;
		}
		(void)close(fd);
	}
	ck_abort_msg("no port is free in the other family");
	return -1;
}

/* Checks one TCP socket from its text to its client. */
static void
check_tcp(const struct rt_sock *sock, const char *host, bool loopback)
{
	char url[RT_URL_TEXT];

	ck_assert_int_gt(sock->port, 0);
	ck_assert_int_eq(sock->port, port_of(sock->fd));
	(void)snprintf(url, sizeof url, "http://%s:%d/", host, sock->port);
	ck_assert_str_eq(sock->url, url);
	ck_assert_int_eq(sock->loopback, loopback);
	ck_assert_int_eq(sock->tcp, true);
	ck_assert_int_eq(sock->borrowed, false);
	ck_assert_ptr_null(sock->unlink);
	ck_assert_int_eq(dial(sock), 0);
}

START_TEST(tcp_forms)
{
	static const struct {
		const char *spec, *host;
		bool loopback;
	} forms[] = {
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1:0", "127.0.0.1", true},
		{"127.0.0.1:00000", "127.0.0.1", true},
		{"127.1.2.3", "127.1.2.3", true},
		{"0.0.0.0", "0.0.0.0", false},
		{"::1", "[::1]", true},
		{"[::1]", "[::1]", true},
		{"[::1]:0", "[::1]", true},
		{"0:0:0:0:0:0:0:1", "[::1]", true},
		{"::", "[::]", false},
		{"[::]:0", "[::]", false},
	};
	const int before = count_fds();
	int got;

	if (strchr(forms[_i].host, ':') != NULL)
		need_v6();
	got = LISTEN(0, forms[_i].spec);
	ck_assert_msg(got == 1, "%s: expected 1 socket, got %d (%s)",
		forms[_i].spec, got, refusal);
	if (strcmp(forms[_i].host, "127.1.2.3") != 0)
		check_tcp(&socks[0], forms[_i].host, forms[_i].loopback);
	else
		ck_assert_int_eq(socks[0].loopback, true);
	close_all(got);
	ck_assert_int_eq(socks[0].fd, -1);
	ck_assert_int_eq(count_fds(), before);
}
END_TEST
#define TCP_FORMS 11

START_TEST(malformed)
{
#define ANY "': expected IPv4, IPv6, localhost, unix:PATH or fd:N"
#define PORT "': expected a port from 0 to 65535"
#define NUMBER "': expected the number of a descriptor"
	static const struct {
		const char *spec, *why;
	} cases[] = {
		{"", ANY},
		{"foo", ANY},
		{"foo:80", ANY},
		{":80", ANY},
		{"8080", ANY},
		{"LOCALHOST", ANY},
		{"localhost.", ANY},
		{"[localhost]:80", ANY},
		{"localhost:80:80", ANY},
		{"127.1", ANY},
		{"127.0.0.1.", ANY},
		{"127.0.0.256", ANY},
		{"0x7f.0.0.1", ANY},
		{" 127.0.0.1", ANY},
		{"127.0.0.1 ", ANY},
		{"127.0.0.1/8", ANY},
		{"[127.0.0.1]", ANY},
		{"[127.0.0.1]:80", ANY},
		{"127.0.0.1:80:80", ANY},
		{"[::1", ANY},
		{"::1]", ANY},
		{"[::1]80", ANY},
		{"[]", ANY},
		{"[]:80", ANY},
		{"[[::1]]:80", ANY},
		{"[::1]:80]", PORT},
		{"1::2::3", ANY},
		{"::ffff:127.0.0.1", ANY},
		{"[::ffff:127.0.0.1]:80", ANY},
		{"fe80::1%lo", ANY},
		{"http://127.0.0.1", ANY},
		{"unix", ANY},
		{"fd", ANY},
		{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:1", ANY},
		{"127.0.0.1:", PORT},
		{"127.0.0.1:65536", PORT},
		{"127.0.0.1:99999", PORT},
		{"127.0.0.1:8080x", PORT},
		{"127.0.0.1:-1", PORT},
		{"127.0.0.1:+80", PORT},
		{"127.0.0.1: 80", PORT},
		{"127.0.0.1:80 ", PORT},
		{"127.0.0.1:4294967376", PORT},
		{"127.0.0.1:0x50", PORT},
		{"localhost:", PORT},
		{"localhost:65536", PORT},
		{"[::1]:", PORT},
		{"[::1]:65536", PORT},
		{"[::1]:+1", PORT},
		{"[::1]::80", PORT},
		{"fd:", NUMBER},
		{"fd:x", NUMBER},
		{"fd:-1", NUMBER},
		{"fd:+3", NUMBER},
		{"fd: 3", NUMBER},
		{"fd:3 ", NUMBER},
		{"fd:2147483648", NUMBER},
		{"fd:4294967299", NUMBER},
		{"unix:", "': expected a path"},
	};
	char line[RETORT_ERROR_SIZE];
	const int before = count_fds();
	size_t i;
	int got;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(line, sizeof line, "address '%s%s",
			cases[i].spec, cases[i].why);
		/* after a good one, which must not be left open */
		got = LISTEN(0, "127.0.0.1", cases[i].spec);
		ck_assert_msg(got == -EINVAL, "'%s': expected %d, got %d",
			cases[i].spec, -EINVAL, got);
		ck_assert_str_eq(refusal, line);
		ck_assert_int_eq(count_fds(), before);
	}
	ck_assert_uint_gt(i, 50);
}
END_TEST

START_TEST(malformed_port)
{
	REFUSED(-EINVAL, "port -1: expected a port from 0 to 65535", -1,
		"127.0.0.1");
	REFUSED(-EINVAL, "port 65536: expected a port from 0 to 65535", 65536,
		"127.0.0.1");
}
END_TEST

START_TEST(long_text)
{
	char spec[2000];

	memset(spec, 'a', sizeof spec - 1);
	spec[sizeof spec - 1] = '\0';
	ck_assert_int_eq(LISTEN(0, spec), -EINVAL);
	ck_assert_ptr_nonnull(strstr(refusal, "aaa': expected IPv4, IPv6, "));
	memcpy(spec, "unix:", 5);
	ck_assert_int_eq(LISTEN(0, spec), -EINVAL);
	ck_assert_ptr_nonnull(strstr(refusal, "path has at most "));
	memcpy(spec, "fd:", 3);
	ck_assert_int_eq(LISTEN(0, spec), -EINVAL);
	ck_assert_ptr_nonnull(strstr(refusal, "': expected the number"));
	/* and a caller who does not want the line */
	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP,
				 (const char *[]){"foo"}, 1, 0, 0, NULL),
		-EINVAL);
}
END_TEST

START_TEST(nothing)
{
	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, NULL, 0, 0, 0,
				 refusal),
		0);
}
END_TEST

START_TEST(flags)
{
	char spec[256];
	int got, i, fd;

	need_v6();
	got = LISTEN(0, "localhost", "[::]:0", unix_spec(spec, "s"));
	ck_assert_msg(got == 4, "expected 4, got %d (%s)", got, refusal);
	for (i = 0; i < got; i++) {
		fd = socks[i].fd;
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
		ck_assert_int_eq(accept(fd, NULL, NULL), -1);
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_ne(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
		if (!socks[i].tcp)
			continue;
		ck_assert_int_ne(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 0);
#ifdef SO_REUSEPORT
		ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 0);
#endif
	}
	/* Linux sets it for ::1 by itself: the wildcard tells */
	ck_assert_int_eq(strncmp(socks[2].url, "http://[::]:", 12), 0);
	ck_assert_int_ne(option_of(socks[2].fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	close_all(got);
}
END_TEST

#ifdef TCP_CONGESTION
static void
get_congestion(int fd, char name[32])
{
	socklen_t size = 31;

	memset(name, 0, 32);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
				 &size),
		0);
}

START_TEST(congestion)
{
	char usual[32], name[32], lent[32];
	int got, fd = occupy(AF_INET, 0), probe;
	char spec[32];

	ck_assert_int_ge(fd, 0);
	get_congestion(fd, usual);
	/* only where the kernel has it at all */
	probe = make_socket(AF_INET, SOCK_STREAM);
	got = setsockopt(probe, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	(void)close(probe);
	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	ck_assert_int_eq(LISTEN(0, "127.0.0.1", "0.0.0.0:0", spec), 3);
	get_congestion(socks[0].fd, name);
	ck_assert_str_eq(name, got == 0 ? "cubic" : usual);
	ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
	ck_assert_int_eq(rt_sock_resume(&socks[0]), 0);
	get_congestion(socks[0].fd, name);
	ck_assert_str_eq(name, got == 0 ? "cubic" : usual);
	get_congestion(socks[1].fd, name);
	ck_assert_str_eq(name, usual);
	get_congestion(socks[2].fd, lent);
	ck_assert_str_eq(lent, usual);
	close_all(3);
}
END_TEST
#endif

/* What is accepted does not wait either. */
START_TEST(hurry)
{
	int on = 0, client = make_socket(AF_INET, SOCK_STREAM), fd;
	struct sockaddr_in to;
	socklen_t size = sizeof on;

	ck_assert_int_eq(LISTEN(0, "127.0.0.1"), 1);
	rt_sock_hurry(socks[0].fd);
	to = make_v4(INADDR_LOOPBACK, socks[0].port);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&to, sizeof to), 0);
	fd = accept(socks[0].fd, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size),
		0);
	ck_assert_int_ne(on, 0);
	(void)close(fd);
	(void)close(client);
	close_all(1);
}
END_TEST

START_TEST(order)
{
	char unix_a[256], unix_b[256], lent[32], last[32];
	int got, fd = occupy(AF_INET, 0);

	need_v6();
	ck_assert_int_ge(fd, 0);
	(void)snprintf(lent, sizeof lent, "fd:%d", fd);
	(void)snprintf(last, sizeof last, "http://127.0.0.1:%d/", port_of(fd));
	got = LISTEN(0, unix_spec(unix_b, "b"), "::1", "127.0.0.2",
		unix_spec(unix_a, "a"), "[::1]:0", "127.0.0.1", lent);
	ck_assert_msg(got == 7, "expected 7, got %d (%s)", got, refusal);
	ck_assert_int_eq(strncmp(socks[0].url, "http://127.0.0.2:", 17), 0);
	ck_assert_int_eq(strncmp(socks[1].url, "http://127.0.0.1:", 17), 0);
	ck_assert_str_eq(socks[2].url, last);
	ck_assert_int_eq(strncmp(socks[3].url, "http://[::1]:", 13), 0);
	ck_assert_int_eq(strncmp(socks[4].url, "http://[::1]:", 13), 0);
	ck_assert_int_eq(socks[3].port, socks[0].port);
	ck_assert_int_ne(socks[4].port, socks[0].port);
	ck_assert_str_eq(socks[5].url, unix_b);
	ck_assert_str_eq(socks[6].url, unix_a);
	close_all(got);
}
END_TEST

START_TEST(shared_port)
{
	int got, port, fd;

	need_v6();
	got = LISTEN(0, "localhost");
	ck_assert_int_eq(got, 2);
	/* one place, which has one name */
	check_tcp(&socks[0], "localhost", true);
	check_tcp(&socks[1], "localhost", true);
	ck_assert_int_eq(socks[0].family, AF_INET);
	ck_assert_int_eq(socks[1].family, AF_INET6);
	ck_assert_int_eq(socks[0].port, socks[1].port);
	close_all(got);
	/* two that were asked for are two */
	got = LISTEN(0, "127.0.0.1", "::1");
	ck_assert_int_eq(got, 2);
	check_tcp(&socks[0], "127.0.0.1", true);
	check_tcp(&socks[1], "[::1]", true);
	close_all(got);
	/* localhost:0 has a port of its own, and its two have one */
	got = LISTEN(0, "::1", "localhost:0", "127.0.0.1");
	ck_assert_msg(got == 4, "expected 4, got %d (%s)", got, refusal);
	ck_assert_int_eq(socks[0].port, socks[3].port);
	ck_assert_int_eq(socks[1].port, socks[2].port);
	ck_assert_int_ne(socks[0].port, socks[1].port);
	check_tcp(&socks[0], "localhost", true);
	check_tcp(&socks[1], "127.0.0.1", true);
	check_tcp(&socks[2], "[::1]", true);
	check_tcp(&socks[3], "localhost", true);
	close_all(got);
	/* a port that is asked for is that port, on both */
	fd = occupy_half(AF_INET, &port);
	(void)close(fd);
	got = LISTEN(port, "localhost");
	ck_assert_msg(got == 2, "expected 2, got %d (%s)", got, refusal);
	ck_assert_int_eq(socks[0].port, port);
	ck_assert_int_eq(socks[1].port, port);
	close_all(got);
	/* SO_REUSEADDR: and at once again */
	got = LISTEN(port, "localhost");
	ck_assert_msg(got == 2, "expected 2, got %d (%s)", got, refusal);
	close_all(got);
}
END_TEST

START_TEST(port_taken)
{
	char line[RETORT_ERROR_SIZE], spec[64], own[256];
	int port, fd;

	need_v6();
	fd = occupy_half(AF_INET6, &port);
	(void)snprintf(line, sizeof line,
		"bind [::1]:%d: Address already in use", port);
	REFUSED(-EADDRINUSE, line, port, "localhost");
	REFUSED(-EADDRINUSE, line, port, "127.0.0.1", "::1");
	(void)snprintf(spec, sizeof spec, "localhost:%d", port);
	REFUSED(-EADDRINUSE, line, 0, spec);
	(void)snprintf(spec, sizeof spec, "[::1]:%d", port);
	REFUSED(-EADDRINUSE, line, 0, unix_spec(own, "s"), spec);
	ck_assert_msg(!exists(own), "%s was left behind", own);
	/* nothing holds the other family's port either */
	(void)close(fd);
	fd = occupy(AF_INET, port);
	ck_assert_msg(fd >= 0, "127.0.0.1:%d: %s", port, strerror(-fd));
	(void)snprintf(line, sizeof line,
		"bind 127.0.0.1:%d: Address already in use", port);
	REFUSED(-EADDRINUSE, line, port, "localhost");
	REFUSED(-EADDRINUSE, line, port, "0.0.0.0:0", "127.0.0.1");
	(void)close(fd);
}
END_TEST

START_TEST(same_twice)
{
	/* no port can be free twice: it gives up instead of looking for ever */
	const int before = count_fds();

	ck_assert_int_eq(LISTEN(0, "127.0.0.1", "127.0.0.1"), -EADDRINUSE);
	ck_assert_int_eq(strncmp(refusal, "bind 127.0.0.1:", 15), 0);
	ck_assert_ptr_nonnull(strstr(refusal, ": Address already in use"));
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(not_local)
{
	/* documentation addresses, RFC 5737 and RFC 3849 */
	REFUSED(-EADDRNOTAVAIL,
		"bind 203.0.113.1:0: Cannot assign requested address", 0,
		"localhost", "203.0.113.1:0");
	REFUSED(-EADDRNOTAVAIL,
		"bind [2001:db8::1]:0: Cannot assign requested address", 0,
		"[2001:db8::1]:0");
}
END_TEST

START_TEST(no_descriptors)
{
	struct rlimit limit, less;
	const int before = count_fds();
	char spec[256];
	int got, high;
	rlim_t room;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	/* the limit is on the number, so on the lowest one that is free */
	high = dup(0);
	ck_assert_int_ge(high, 0);
	(void)close(high);
	for (room = 0; room < 4; room++) {
		less = limit;
		less.rlim_cur = (rlim_t)high + room;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &less), 0);
		got = LISTEN(0, unix_spec(spec, "s"), "127.0.0.1",
			"localhost:0");
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		ck_assert_int_eq(got, -EMFILE);
		ck_assert_ptr_nonnull(strstr(refusal, ": Too many open files"));
		ck_assert_int_eq(strncmp(refusal, "socket ", 7), 0);
		ck_assert_int_eq(count_fds(), before);
		ck_assert_msg(!exists(spec), "%s was left behind", spec);
	}
}
END_TEST

START_TEST(unix_socket)
{
	char spec[256];
	const int before = count_fds();

	ck_assert_int_eq(LISTEN(0, unix_spec(spec, "s")), 1);
	ck_assert_str_eq(socks[0].url, spec);
	ck_assert_str_eq(socks[0].unlink, spec + 5);
	ck_assert_int_eq(socks[0].tcp, false);
	ck_assert_int_eq(socks[0].borrowed, false);
	ck_assert_int_eq(socks[0].loopback, true);
	ck_assert_int_eq(socks[0].port, 0);
	ck_assert_int_eq(dial(&socks[0]), 0);
	close_all(1);
	ck_assert_ptr_null(socks[0].unlink);
	ck_assert_msg(!exists(spec), "%s was left behind", spec);
	ck_assert_int_eq(count_fds(), before);
	/* and closing twice harms nobody */
	close_all(1);
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(unix_longest)
{
	char spec[256];
	size_t length;

	(void)unix_spec(spec, "");
	length = strlen(spec);
	memset(spec + length, 'x', sizeof spec - length);
	spec[strlen("unix:") + UNIX_MOST] = '\0';
	ck_assert_int_eq(LISTEN(0, spec), 1);
	ck_assert_str_eq(socks[0].url, spec);
	close_all(1);
	ck_assert_msg(!exists(spec), "%s was left behind", spec);
	spec[strlen("unix:") + UNIX_MOST] = 'x';
	spec[strlen("unix:") + UNIX_MOST + 1] = '\0';
	ck_assert_int_eq(LISTEN(0, spec), -EINVAL);
	(void)snprintf(spec, sizeof spec,
		"...': a Unix socket's path has at most %zu bytes", UNIX_MOST);
	ck_assert_msg(strstr(refusal, spec) != NULL, "expected '%s' in '%s'",
		spec, refusal);
}
END_TEST

START_TEST(unix_line_break)
{
	char spec[256], url[256];

	(void)unix_spec(spec, "a\nb\033c");
	(void)unix_spec(url, "a?b?c");
	ck_assert_int_eq(LISTEN(0, spec), 1);
	ck_assert_str_eq(socks[0].url, url);
	close_all(1);
	ck_assert_msg(!exists(spec), "%s was left behind", spec);
}
END_TEST

START_TEST(unix_no_folder)
{
	char spec[256], line[512];

	(void)unix_spec(spec, "none/s");
	(void)snprintf(line, sizeof line, "bind %s: No such file or directory",
		spec);
	REFUSED(-ENOENT, line, 0, spec);
}
END_TEST

START_TEST(unix_stale)
{
	char spec[256];
	int fd;

	(void)unix_spec(spec, "s");
	fd = occupy_unix(spec + 5, SOCK_STREAM);
	(void)close(fd);
	ck_assert_msg(exists(spec), "no stale socket to test with");
	ck_assert_msg(LISTEN(0, spec) == 1, "expected 1 socket: %s", refusal);
	ck_assert_int_eq(dial(&socks[0]), 0);
	close_all(1);
	ck_assert_msg(!exists(spec), "%s was left behind", spec);
}
END_TEST

/* Refuses `spec`, and leaves the very file in its way. */
static void
check_in_the_way(const char *spec)
{
	char line[512];
	struct stat before, after;

	(void)snprintf(line, sizeof line, "bind %s: Address already in use",
		spec);
	ck_assert_int_eq(lstat(spec + 5, &before), 0);
	REFUSED(-EADDRINUSE, line, 0, spec);
	ck_assert_msg(lstat(spec + 5, &after) == 0, "%s was removed", spec);
	ck_assert_int_eq(before.st_ino == after.st_ino, true);
}

START_TEST(unix_live)
{
	char spec[256];
	int fd;

	(void)unix_spec(spec, "s");
	ck_assert_int_eq(LISTEN(0, spec), 1);
	{
		struct rt_sock live = socks[0];

		check_in_the_way(spec);
		ck_assert_int_eq(dial(&live), 0);
		rt_sock_close(&live);
	}
	/* one of another type listens, or at least could be sent to */
	fd = occupy_unix(spec + 5, SOCK_DGRAM);
	check_in_the_way(spec);
	(void)close(fd);
	(void)unlink(spec + 5);
}
END_TEST

START_TEST(unix_live_full)
{
	struct sockaddr_un un;
	char spec[256];
	int clients[64], count = 0, fd, result = 0;

	(void)unix_spec(spec, "s");
	un = make_un(spec + 5);
	fd = make_socket(AF_UNIX, SOCK_STREAM);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&un, sizeof un), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	while (result == 0 && count < 64) {
		clients[count] = make_socket(AF_UNIX, SOCK_STREAM);
		ck_assert_int_eq(fcntl(clients[count], F_SETFL, O_NONBLOCK), 0);
		result = connect(clients[count++], (const struct sockaddr *)&un,
			sizeof un);
	}
	ck_assert_msg(result < 0 && errno != ECONNREFUSED,
		"the backlog did not fill up");
	check_in_the_way(spec);
	while (count > 0)
		(void)close(clients[--count]);
	(void)close(fd);
	(void)unlink(spec + 5);
}
END_TEST

START_TEST(unix_other_files)
{
	char spec[256], target[256];
	int fd;

	(void)unix_spec(spec, "s");
	fd = open(spec + 5, O_CREAT | O_EXCL | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	check_in_the_way(spec);
	(void)unlink(spec + 5);
	ck_assert_int_eq(mkfifo(spec + 5, 0600), 0);
	check_in_the_way(spec);
	(void)unlink(spec + 5);
	ck_assert_int_eq(mkdir(spec + 5, 0700), 0);
	check_in_the_way(spec);
	(void)rmdir(spec + 5);
	/* a link to a stale socket is not ours to follow, nor to remove */
	(void)unix_spec(target, "t");
	(void)close(occupy_unix(target + 5, SOCK_STREAM));
	ck_assert_int_eq(symlink(target + 5, spec + 5), 0);
	check_in_the_way(spec);
	ck_assert_msg(exists(target), "%s was removed", target);
	(void)unlink(spec + 5);
	(void)unlink(target + 5);
}
END_TEST

START_TEST(unix_replaced)
{
	char spec[256];
	int fd;

	(void)unix_spec(spec, "s");
	/* another server's socket */
	ck_assert_int_eq(LISTEN(0, spec), 1);
	ck_assert_int_eq(unlink(spec + 5), 0);
	fd = occupy_unix(spec + 5, SOCK_STREAM);
	close_all(1);
	ck_assert_msg(exists(spec), "another's socket was removed");
	(void)close(fd);
	/* which is stale by now; then a regular file */
	ck_assert_int_eq(LISTEN(0, spec), 1);
	ck_assert_int_eq(unlink(spec + 5), 0);
	fd = open(spec + 5, O_CREAT | O_EXCL | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	close_all(1);
	ck_assert_msg(exists(spec), "another's file was removed");
	ck_assert_int_eq(unlink(spec + 5), 0);
	/* and nothing at all */
	ck_assert_int_eq(LISTEN(0, spec), 1);
	ck_assert_int_eq(unlink(spec + 5), 0);
	close_all(1);
}
END_TEST

START_TEST(unix_twice)
{
	char spec[256], line[512];

	(void)unix_spec(spec, "s");
	(void)snprintf(line, sizeof line, "bind %s: Address already in use",
		spec);
	REFUSED(-EADDRINUSE, line, 0, spec, spec);
	ck_assert_msg(!exists(spec), "%s was left behind", spec);
}
END_TEST

/* Hands `fd` over as fd:N; it must become the one socket, with `url`. */
static void
check_lent(int fd, const char *url, bool tcp)
{
	char spec[32];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	ck_assert_msg(LISTEN(0, spec) == 1, "expected 1 socket: %s", refusal);
	ck_assert_int_eq(socks[0].fd, fd);
	ck_assert_str_eq(socks[0].url, url);
	ck_assert_int_eq(socks[0].tcp, tcp);
	ck_assert_int_eq(socks[0].borrowed, true);
	ck_assert_ptr_null(socks[0].unlink);
	ck_assert_int_eq(socks[0].port, tcp ? port_of(fd) : 0);
	ck_assert_int_eq(socks[0].loopback, true);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	close_all(1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}

START_TEST(fd_forms)
{
	const int before = count_fds();
	char url[256];
	int fd;

	need_v6();
	fd = occupy(AF_INET, 0);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", port_of(fd));
	check_lent(fd, url, true);
	fd = occupy(AF_INET6, 0);
	(void)snprintf(url, sizeof url, "http://[::1]:%d/", port_of(fd));
	check_lent(fd, url, true);
	fd = occupy_unix(unix_spec(url, "s") + 5, SOCK_STREAM);
	check_lent(fd, url, false);
	ck_assert_msg(exists(url), "a lent socket's file was removed");
	ck_assert_int_eq(unlink(url + 5), 0);
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

#ifdef __linux__
/* Names that need not end in a NUL, or hold some. */
START_TEST(fd_odd_names)
{
	static const char abstract[] = "\0a\0b\nc";
	const socklen_t before = offsetof(struct sockaddr_un, sun_path);
	struct {
		struct sockaddr_un un;
		char nul; /* for valgrind, which looks for the name's end */
	} room;
	struct sockaddr_un *const un = &room.un;
	char url[256];
	int fd;

	memset(&room, 0, sizeof room);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, abstract, 6);
	fd = make_socket(AF_UNIX, SOCK_STREAM);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)un, before + 6), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	check_lent(fd, "unix:@a?b?c", false);
	memset(un->sun_path, 'y', sizeof un->sun_path);
	memcpy(un->sun_path, folder, strlen(folder));
	un->sun_path[strlen(folder)] = '/';
	fd = make_socket(AF_UNIX, SOCK_STREAM);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)un, sizeof *un), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	(void)snprintf(url, sizeof url, "unix:%.*s", (int)sizeof un->sun_path,
		un->sun_path);
	check_lent(fd, url, false);
	ck_assert_int_eq(unlink(url + 5), 0);
}
END_TEST
#endif

/* Refuses fd:N so, and leaves it open and as it was. */
static void
check_not_lent(int fd, int code, const char *why)
{
	char spec[32], line[RETORT_ERROR_SIZE];
	int status;

	ck_assert_int_ge(fd, 0);
	status = fcntl(fd, F_GETFL);
	ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	(void)snprintf(line, sizeof line, "fd:%d: %s", fd, why);
	REFUSED(code, line, 0, "127.0.0.1", spec);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL), status);
	(void)close(fd);
}

START_TEST(fd_refused)
{
	char spec[256], line[RETORT_ERROR_SIZE];
	const struct sockaddr_in v4 = make_v4(INADDR_LOOPBACK, 0);
	int fd, ends[2];

	check_not_lent(open("/dev/null", O_RDONLY), -ENOTSOCK,
		"not a listening socket");
	ck_assert_int_eq(pipe(ends), 0);
	check_not_lent(ends[0], -ENOTSOCK, "not a listening socket");
	(void)close(ends[1]);
	/* bound, or connected, but not listening */
	fd = make_socket(AF_INET, SOCK_STREAM);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&v4, sizeof v4), 0);
	check_not_lent(fd, -ENOTSOCK, "not a listening socket");
	check_not_lent(make_socket(AF_INET, SOCK_DGRAM), -ENOTSOCK,
		"not a listening socket");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	check_not_lent(ends[0], -ENOTSOCK, "not a listening socket");
	(void)close(ends[1]);
	fd = occupy_unix(unix_spec(spec, "s") + 5, SOCK_SEQPACKET);
	check_not_lent(fd, -ENOTSOCK, "not a stream socket");
	(void)unlink(spec + 5);
	/* closed by now */
	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	(void)snprintf(line, sizeof line, "fd:%d: Bad file descriptor", fd);
	REFUSED(-EBADF, line, 0, spec);
	REFUSED(-EBADF, "fd:2147483647: Bad file descriptor", 0,
		"fd:2147483647");
}
END_TEST

START_TEST(fd_twice)
{
	char spec[32], line[RETORT_ERROR_SIZE];
	int fd = occupy(AF_INET, 0);

	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	(void)snprintf(line, sizeof line, "address '%s': given twice", spec);
	REFUSED(-EINVAL, line, 0, spec, "::1", spec);
	(void)close(fd);
}
END_TEST

START_TEST(fd_kept_on_failure)
{
	char spec[32], taken[64], line[RETORT_ERROR_SIZE];
	int fd = occupy(AF_INET, 0), other = occupy(AF_INET, 0), status;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(other, 0);
	status = fcntl(fd, F_GETFL);
	(void)snprintf(spec, sizeof spec, "fd:%d", fd);
	(void)snprintf(taken, sizeof taken, "127.0.0.1:%d", port_of(other));
	(void)snprintf(line, sizeof line, "bind %s: Address already in use",
		taken);
	REFUSED(-EADDRINUSE, line, 0, spec, taken);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL), status);
	(void)close(fd);
	(void)close(other);
}
END_TEST

START_TEST(peers)
{
	struct sockaddr_in v4 = make_v4(0xc0000201, 65535);
	struct sockaddr_in6 v6 = make_v6(43121);
	struct sockaddr_un un = make_un("");
	struct sockaddr_storage none;
	char text[RT_PEER_TEXT];
	struct rt_peer peer;

	memset(&none, 0, sizeof none);
	rt_sock_peer(&peer, (const struct sockaddr *)&v4);
	ck_assert_int_eq(peer.port, 65535);
	ck_assert_str_eq(rt_sock_peer_text(&peer, text), "192.0.2.1:65535");
	rt_sock_peer(&peer, (const struct sockaddr *)&v6);
	ck_assert_ptr_eq(rt_sock_peer_text(&peer, text), text);
	ck_assert_str_eq(text, "[::1]:43121");
	memset(&v6.sin6_addr, 0xfe, sizeof v6.sin6_addr);
	v6.sin6_port = htons(65535);
	rt_sock_peer(&peer, (const struct sockaddr *)&v6);
	ck_assert_str_eq(rt_sock_peer_text(&peer, text),
		"[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe]:65535");
	rt_sock_peer(&peer, (const struct sockaddr *)&un);
	ck_assert_str_eq(rt_sock_peer_text(&peer, text), "unix");
	ck_assert_int_eq(peer.port, 0);
	rt_sock_peer(&peer, (const struct sockaddr *)&none);
	ck_assert_str_eq(rt_sock_peer_text(&peer, text), "-");
}
END_TEST

#ifdef __linux__
static bool
write_text(const char *path, const char *text)
{
	const ssize_t length = (ssize_t)strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, (size_t)length) == length;

	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* Moves this test's process to a network of its own, without any address. */
static void
enter_network(void)
{
	if (unshare(CLONE_NEWNET) != 0 &&
		unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		skip_test("no network namespaces: %s", strerror(errno));
}

static void
raise_loopback(void)
{
	int fd = make_socket(AF_INET, SOCK_DGRAM);
	struct ifreq request;

	memset(&request, 0, sizeof request);
	memcpy(request.ifr_name, "lo", sizeof "lo");
	ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	request.ifr_flags |= IFF_UP;
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	(void)close(fd);
}

START_TEST(no_v6_address)
{
	int got;

	enter_network();
	if (!write_text("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1"))
		skip_test("disable_ipv6: %s", strerror(errno));
	raise_loopback();
	got = LISTEN(0, "localhost");
	ck_assert_msg(got == 1, "expected 1 socket, got %d (%s)", got, refusal);
	check_tcp(&socks[0], "127.0.0.1", true);
	close_all(got);
	REFUSED(-EADDRNOTAVAIL,
		"bind [::1]:8080: Cannot assign requested address", 8080,
		"localhost", "::1");
}
END_TEST

/* Makes socket(2) fail for one family, as on a kernel without it. */
static void
forbid_family(unsigned family)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof filter / sizeof filter[0],
		.filter = filter,
	};
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
		fd = socket((int)family, SOCK_STREAM, 0);
		if (fd < 0 && errno == EAFNOSUPPORT)
			return;
		(void)close(fd);
	}
	skip_test("no filter of system calls");
}

START_TEST(no_v6_family)
{
	forbid_family(AF_INET6);
	ck_assert_int_eq(LISTEN(0, "localhost"), 1);
	check_tcp(&socks[0], "127.0.0.1", true);
	close_all(1);
	REFUSED(-EAFNOSUPPORT,
		"socket [::1]:0: Address family not supported by protocol", 0,
		"localhost", "[::1]:0");
}
END_TEST

START_TEST(no_v4_family)
{
	need_v6();
	forbid_family(AF_INET);
	/* the first of the two is missing: the second chooses the port */
	ck_assert_int_eq(LISTEN(0, "localhost"), 1);
	check_tcp(&socks[0], "[::1]", true);
	close_all(1);
}
END_TEST

START_TEST(no_family)
{
	char spec[256];

	forbid_family(AF_INET);
	forbid_family(AF_INET6);
	REFUSED(-EADDRNOTAVAIL,
		"localhost: this machine has neither 127.0.0.1 nor ::1", 0,
		unix_spec(spec, "s"), "localhost");
	ck_assert_msg(!exists(spec), "%s was left behind", spec);
}
END_TEST

/*
 * In a network with few ports to choose from, most of them taken for ::1
 * only, the first choice is often wrong, and never may that be seen.
 */
START_TEST(port_chosen_again)
{
	enum { FIRST = 40000, COUNT = 4 };
	int port, got, round, fd, taken[COUNT];
	char lent[32];

	enter_network();
	raise_loopback();
	need_v6();
	if (!write_text("/proc/sys/net/ipv4/ip_local_port_range",
		    "40000 40003"))
		skip_test("ip_local_port_range: %s", strerror(errno));
	for (port = 0; port < COUNT; port++) {
		taken[port] = port == 3 ? -1 : occupy(AF_INET6, FIRST + port);
		ck_assert_int_eq(taken[port] >= 0, port != 3);
	}
	/* the kernel draws one of the odd ones, 1 or 3: that all draws of a
	   round are wrong is not to be seen in a lifetime */
	for (round = 0; round < 24; round++) {
		fd = occupy(AF_INET, 50000 + round);
		ck_assert_int_ge(fd, 0);
		(void)snprintf(lent, sizeof lent, "fd:%d", fd);
		got = LISTEN(0, "127.0.0.1", "::1", lent);
		ck_assert_msg(got == 3, "expected 3 sockets, got %d (%s)", got,
			refusal);
		ck_assert_int_eq(socks[0].port, FIRST + 3);
		ck_assert_int_eq(socks[2].port, FIRST + 3);
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close_all(got);
	}
	/* none is free for both: at some time that is the answer */
	taken[3] = occupy(AF_INET6, FIRST + 3);
	ck_assert_int_ge(taken[3], 0);
	round = count_fds();
	ck_assert_int_eq(LISTEN(0, "localhost"), -EADDRINUSE);
	ck_assert_int_eq(count_fds(), round);
	ck_assert_int_eq(LISTEN(0, "localhost:0"), -EADDRINUSE);
	ck_assert_int_eq(count_fds(), round);
	for (port = 0; port < COUNT; port++)
		(void)close(taken[port]);
}
END_TEST
#endif

static void
add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, tcp_forms, 0, TCP_FORMS);
	tcase_add_test(tests, malformed);
	tcase_add_test(tests, malformed_port);
	tcase_add_test(tests, long_text);
	tcase_add_test(tests, nothing);
	tcase_add_test(tests, flags);
#ifdef TCP_CONGESTION
	tcase_add_test(tests, congestion);
#endif
	tcase_add_test(tests, hurry);
	tcase_add_test(tests, order);
	tcase_add_test(tests, shared_port);
	tcase_add_test(tests, port_taken);
	tcase_add_test(tests, same_twice);
	tcase_add_test(tests, not_local);
	tcase_add_test(tests, no_descriptors);
	tcase_add_test(tests, unix_socket);
	tcase_add_test(tests, unix_longest);
	tcase_add_test(tests, unix_line_break);
	tcase_add_test(tests, unix_no_folder);
	tcase_add_test(tests, unix_stale);
	tcase_add_test(tests, unix_live);
	tcase_add_test(tests, unix_live_full);
	tcase_add_test(tests, unix_other_files);
	tcase_add_test(tests, unix_replaced);
	tcase_add_test(tests, unix_twice);
	tcase_add_test(tests, fd_forms);
	tcase_add_test(tests, fd_refused);
	tcase_add_test(tests, fd_twice);
	tcase_add_test(tests, fd_kept_on_failure);
	tcase_add_test(tests, peers);
}

#ifdef __linux__
/* A case of its own: its process has less than others. */
static void
add_alone(Suite *suite, const TTest *test)
{
	TCase *tcase = tcase_create("alone");

	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_test(tcase, test);
	rt_test_case(suite, tcase);
}
#endif

int
main(void)
{
	Suite *suite = suite_create("sock");
	TCase *tests = tcase_create("sock");

	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	add_tests(tests);
#ifdef __linux__
	tcase_add_test(tests, fd_odd_names);
	tcase_add_test(tests, port_chosen_again);
#endif
	rt_test_case(suite, tests);
#ifdef __linux__
	add_alone(suite, no_v6_address);
	add_alone(suite, no_v6_family);
	add_alone(suite, no_v4_family);
	add_alone(suite, no_family);
#endif
	return rt_test_run(suite);
}
