/* SPDX-License-Identifier: MIT */
/* Sockets that refuse for a while, and those without HTTP; see sock.h. */
#include "config.h"

#include "unit/sock_side.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* --- refusing --- */

int __real_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how);

/* How often somebody else gets the port that a socket gives up, and what has it
   then. */
static int rivals, got_count, got_fds[64];

int
__wrap_shutdown(int fd, int how)
{
	const int port = port_of(fd);
	int result = __real_shutdown(fd, how);

	if (result == 0 && got_count < rivals) {
		got_fds[got_count] = occupy(AF_INET, port);
		ck_assert_int_ge(got_fds[got_count++], 0);
	}
	return result;
}

/* Binds the address of a socket, without listening there: 0 or -errno. */
static int
bind_beside(const struct rt_sock *sock, bool reuse)
{
	const bool v6 = strncmp(sock->url, "http://[", 8) == 0;
	const struct sockaddr_in a4 = make_v4(INADDR_LOOPBACK, sock->port);
	const struct sockaddr_in6 a6 = make_v6(sock->port);
	const int on = reuse, only = 1;
	int fd = make_socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM), result;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
				 sizeof on),
		0);
	if (v6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					 &only, sizeof only),
			0);
	result = v6 ? bind(fd, (const struct sockaddr *)&a6, sizeof a6) :
		      bind(fd, (const struct sockaddr *)&a4, sizeof a4);
	result = result < 0 ? -errno : 0;
	(void)close(fd);
	return result;
}

static const char *const families[] = {"127.0.0.1", "::1"};

static void
listen_in_family(int i)
{
	if (i == 1)
		need_v6();
	ck_assert_msg(LISTEN(0, families[i]) == 1, "%s", refusal);
}

/* Those that share the socket do not keep it from refusing. */
START_TEST(refuses_and_listens_again)
{
	const int before = count_fds();
	int port, shared = -1;

	listen_in_family(_i);
#ifdef __linux__
	shared = dup(socks[0].fd);
#endif
	port = socks[0].port;
	ck_assert_int_eq(dial(&socks[0]), 0);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
		ck_assert_int_eq(socks[0].fd, -1);
		ck_assert_int_eq(dial(&socks[0]), -ECONNREFUSED);
		/* it is so already */
		ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
		ck_assert_int_eq(dial(&socks[0]), -ECONNREFUSED);
		ck_assert_int_eq(socks[0].port, port);
		ck_assert_int_eq(rt_sock_resume(&socks[0]), 0);
		ck_assert_int_ge(socks[0].fd, 0);
		ck_assert_int_eq(port_of(socks[0].fd), port);
		ck_assert_int_ne(fcntl(socks[0].fd, F_GETFD) & FD_CLOEXEC, 0);
		ck_assert_int_ne(fcntl(socks[0].fd, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_eq(dial(&socks[0]), 0);
		ck_assert_int_eq(rt_sock_resume(&socks[0]), 0);
		ck_assert_int_eq(dial(&socks[0]), 0);
	}
	close_all(1);
	if (shared >= 0)
		(void)close(shared);
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

/* Whoever else wants the port does not get it, by SO_REUSEADDR either; whether
   the kernel chose it or we asked for it. */
START_TEST(refusing_holds_the_port)
{
	listen_in_family(_i % 2);
	if (_i >= 2) {
		const int port = socks[0].port;

		close_all(1);
		ck_assert_msg(LISTEN(port, families[_i % 2]) == 1, "%s",
			refusal);
	}
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(bind_beside(&socks[0], false), -EADDRINUSE);
		ck_assert_int_eq(bind_beside(&socks[0], true), -EADDRINUSE);
		ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
		ck_assert_int_eq(bind_beside(&socks[0], false), -EADDRINUSE);
		ck_assert_int_eq(occupy(_i % 2 ? AF_INET6 : AF_INET,
					 socks[0].port),
			-EADDRINUSE);
		ck_assert_int_eq(bind_beside(&socks[0], true), -EADDRINUSE);
		ck_assert_int_eq(rt_sock_resume(&socks[0]), 0);
	}
	close_all(1);
	/* and when it is closed the port is free */
	ck_assert_int_eq(bind_beside(&socks[0], true), 0);
}
END_TEST

#ifdef __linux__
/* Somebody else is quicker, each time on the port that was chosen then. */
START_TEST(a_port_that_others_get_is_not_ours)
{
	const int before = count_fds();

	rivals = 2;
	ck_assert_msg(LISTEN(0, "127.0.0.1:0") == 1, "%s", refusal);
	ck_assert_int_eq(got_count, 2);
	ck_assert_int_ne(socks[0].port, port_of(got_fds[0]));
	ck_assert_int_ne(socks[0].port, port_of(got_fds[1]));
	ck_assert_int_eq(dial(&socks[0]), 0);
	close_all(1);
	rivals = 64;
	ck_assert_int_eq(LISTEN(0, "127.0.0.1"), -EADDRINUSE);
	ck_assert_str_eq(refusal, "bind 127.0.0.1:0: Address already in use");
	ck_assert_int_eq(got_count, 2 + 32);
	while (got_count > 0)
		(void)close(got_fds[--got_count]);
	rivals = 0;
	ck_assert_int_eq(count_fds(), before);
}
END_TEST
#endif

START_TEST(refusing_is_closed_as_well)
{
	const int before = count_fds();

	listen_in_family(_i);
	ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
	close_all(1);
	ck_assert_int_eq(count_fds(), before);
	ck_assert_int_eq(bind_beside(&socks[0], true), 0);
}
END_TEST

/* Each family for itself, on the one port that they share. */
START_TEST(one_of_two_refuses)
{
	need_v6();
	ck_assert_msg(LISTEN(0, "localhost") == 2, "%s", refusal);
	ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
	ck_assert_int_eq(dial(&socks[0]), -ECONNREFUSED);
	ck_assert_int_eq(dial(&socks[1]), 0);
	ck_assert_int_eq(rt_sock_refuse(&socks[1]), 0);
	ck_assert_int_eq(rt_sock_resume(&socks[0]), 0);
	ck_assert_int_eq(dial(&socks[0]), 0);
	ck_assert_int_eq(dial(&socks[1]), -ECONNREFUSED);
	close_all(2);
}
END_TEST

/* Connections that wait to be accepted are ended, the accepted ones go on. */
START_TEST(refusing_ends_what_is_queued)
{
	struct bytes got = {.data = NULL};
	int queued, accepted, peer;

	listen_in_family(_i);
	accepted = client_connect(socks[0].url);
	ck_assert_int_eq(client_wait(socks[0].fd, RT_TEST_PATIENCE * 1000), 0);
	peer = accept(socks[0].fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	queued = client_connect(socks[0].url);
	ck_assert_int_eq(rt_sock_refuse(&socks[0]), 0);
	ck_assert_int_eq(client_receive(queued, &got), ECONNRESET);
	ck_assert(client_send_text(peer, "x"));
	client_expect(accepted, &got, "x");
	bytes_free(&got);
	(void)close(queued);
	(void)close(accepted);
	(void)close(peer);
	close_all(1);
}
END_TEST

START_TEST(some_cannot_refuse)
{
	char spec[256], inherited[32];
	int fd = occupy(AF_INET, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(inherited, sizeof inherited, "fd:%d", fd);
	ck_assert_msg(LISTEN(0, unix_spec(spec, "s"), inherited) == 2, "%s",
		refusal);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rt_sock_refuse(&socks[i]), -ENOTSUP);
		ck_assert_int_eq(rt_sock_resume(&socks[i]), -ENOTSUP);
		ck_assert_int_ge(socks[i].fd, 0);
	}
	close_all(2);
}
END_TEST

/* --- plain sockets --- */

static int
listen_as(enum retort_protocol protocol, int port, const char *const *specs,
	size_t count)
{
	memset(socks, 0xa5, sizeof socks);
	memset(refusal, 0, sizeof refusal);
	return rt_sock_listen(socks, protocol, specs, count, port, 0, refusal);
}

#define LISTEN_AS(protocol, port, ...) \
	listen_as((protocol), (port), (const char *[]){__VA_ARGS__}, \
		sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

#define REFUSED_AS(protocol, code, text, port, ...) \
	do { \
		const int before_ = count_fds(); \
		const int got_ = LISTEN_AS((protocol), (port), __VA_ARGS__); \
		ck_assert_msg(got_ == (code), "expected %d, got %d (%s)", \
			(code), got_, refusal); \
		ck_assert_str_eq(refusal, (text)); \
		ck_assert_int_eq(count_fds(), before_); \
	} while (0)

static const struct {
	enum retort_protocol protocol;
	const char *spec;
	const char *url; /* without its port */
	sa_family_t family;
	bool loopback;
} plain_forms[] = {
	{RETORT_TCP, "127.0.0.1", "tcp://127.0.0.1", AF_INET, true},
	{RETORT_TCP, "::1", "tcp://[::1]", AF_INET6, true},
	{RETORT_TCP, "0.0.0.0:0", "tcp://0.0.0.0", AF_INET, false},
	{RETORT_UDP, "127.0.0.1", "udp://127.0.0.1", AF_INET, true},
	{RETORT_UDP, "127.0.0.1:0", "udp://127.0.0.1", AF_INET, true},
	{RETORT_UDP, "[::1]:0", "udp://[::1]", AF_INET6, true},
	{RETORT_UDP, "::", "udp://[::]", AF_INET6, false},
};

START_TEST(urls_of_plain_sockets)
{
	const enum retort_protocol protocol = plain_forms[_i].protocol;
	const bool udp = protocol == RETORT_UDP;
	const int before = count_fds();
	char url[RT_URL_TEXT];
	int got;

	if (plain_forms[_i].family == AF_INET6)
		need_v6();
	got = LISTEN_AS(protocol, 0, plain_forms[_i].spec);
	ck_assert_msg(got == 1, "expected 1 socket, got %d (%s)", got, refusal);
	ck_assert_int_gt(socks[0].port, 0);
	ck_assert_int_eq(socks[0].port, port_of(socks[0].fd));
	/* as the README has them; no slash: there is no path */
	(void)snprintf(url, sizeof url, "%s:%d", plain_forms[_i].url,
		socks[0].port);
	ck_assert_str_eq(socks[0].url, url);
	ck_assert_int_eq(socks[0].family, plain_forms[_i].family);
	ck_assert_int_eq(socks[0].loopback, plain_forms[_i].loopback);
	ck_assert_int_eq(option_of(socks[0].fd, SOL_SOCKET, SO_TYPE),
		udp ? SOCK_DGRAM : SOCK_STREAM);
	ck_assert_int_eq(option_of(socks[0].fd, SOL_SOCKET, SO_REUSEADDR),
		!udp);
	ck_assert_int_eq(option_of(socks[0].fd, SOL_SOCKET, SO_REUSEPORT), 0);
	ck_assert_int_ne(fcntl(socks[0].fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(socks[0].fd, F_GETFD) & FD_CLOEXEC, 0);
	if (socks[0].family == AF_INET6)
		ck_assert_int_eq(option_of(socks[0].fd, IPPROTO_IPV6,
					 IPV6_V6ONLY),
			1);
	close_all(got);
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

/* Sends a byte there and back. */
static void
ping(const struct rt_sock *sock)
{
	const struct sockaddr_in v4 = make_v4(INADDR_LOOPBACK, sock->port);
	const struct sockaddr_in6 v6 = make_v6(sock->port);
	struct sockaddr_storage room;
	socklen_t size = sizeof room;
	int fd = make_socket(sock->family, SOCK_DGRAM);
	char byte = 0;

	ck_assert_int_eq(sock->family == AF_INET ?
			connect(fd, (const struct sockaddr *)&v4, sizeof v4) :
			connect(fd, (const struct sockaddr *)&v6, sizeof v6),
		0);
	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	ck_assert_int_eq(client_wait(sock->fd, RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(recvfrom(sock->fd, &byte, 1, 0,
				 (struct sockaddr *)&room, &size),
		1);
	ck_assert_int_eq(sendto(sock->fd, &byte, 1, 0, (struct sockaddr *)&room,
				 size),
		1);
	ck_assert_int_eq(client_wait(fd, RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'x');
	(void)close(fd);
}

START_TEST(datagrams_of_localhost_share_a_port)
{
	char url[RT_URL_TEXT];
	int got;

	need_v6();
	got = LISTEN_AS(RETORT_UDP, 0, "localhost");
	ck_assert_msg(got == 2, "expected 2 sockets, got %d (%s)", got,
		refusal);
	ck_assert_int_eq(socks[0].family, AF_INET);
	ck_assert_int_eq(socks[1].family, AF_INET6);
	ck_assert_int_eq(socks[0].port, socks[1].port);
	(void)snprintf(url, sizeof url, "udp://localhost:%d", socks[0].port);
	ck_assert_str_eq(socks[0].url, url);
	ck_assert_str_eq(socks[1].url, url);
	ping(&socks[0]);
	ping(&socks[1]);
	close_all(got);
}
END_TEST

/* With SO_REUSEADDR both could have it, and the later one gets it all. */
START_TEST(a_port_of_datagrams_is_nobody_elses)
{
	struct rt_sock first;
	char spec[32], text[128];

	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "127.0.0.1"), 1);
	first = socks[0];
	(void)snprintf(spec, sizeof spec, "127.0.0.1:%d", first.port);
	(void)snprintf(text, sizeof text, "bind %s: %s", spec,
		strerror(EADDRINUSE));
	REFUSED_AS(RETORT_UDP, -EADDRINUSE, text, 0, spec);
	ping(&first);
	rt_sock_close(&first);
	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, spec), 1);
	close_all(1);
}
END_TEST

/* A port of TCP is another one than the same of UDP. */
START_TEST(datagrams_beside_tcp)
{
	struct rt_sock udp, tcp;
	int tries;

	for (tries = 0; tries < 100; tries++) {
		ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "127.0.0.1"), 1);
		udp = socks[0];
		if (LISTEN_AS(RETORT_TCP, udp.port, "127.0.0.1") == 1)
			break;
		rt_sock_close(&udp);
	}
	ck_assert_int_lt(tries, 100);
	tcp = socks[0];
	ck_assert_int_eq(tcp.port, udp.port);
	rt_sock_close(&tcp);
	rt_sock_close(&udp);
}
END_TEST

START_TEST(a_unix_datagram_socket)
{
	char spec[256], text[512];
	const char *path = unix_spec(spec, "d") + strlen("unix:");
	const struct sockaddr_un un = make_un(path);
	int fd;

	/* what was left by somebody who is gone is replaced, again and again */
	for (int i = 0; i < 3; i++) {
		ck_assert_msg(LISTEN_AS(RETORT_UDP, 0, spec) == 1, "%s",
			refusal);
		ck_assert_str_eq(socks[0].url, spec);
		ck_assert_int_eq(socks[0].port, 0);
		ck_assert(socks[0].loopback);
		ck_assert(!socks[0].tcp);
		ck_assert_int_eq(option_of(socks[0].fd, SOL_SOCKET, SO_TYPE),
			SOCK_DGRAM);
		fd = make_socket(AF_UNIX, SOCK_DGRAM);
		ck_assert_int_eq(sendto(fd, "abc", 3, 0,
					 (const struct sockaddr *)&un,
					 sizeof un),
			3);
		(void)close(fd);
		ck_assert_int_eq(recv(socks[0].fd, text, sizeof text, 0), 3);
		close_all(1);
		ck_assert(!exists(spec));
		(void)close(occupy_unix(path, SOCK_DGRAM));
		ck_assert(exists(spec));
	}
	(void)unlink(path);

	/* but not one that lives */
	fd = occupy_unix(path, SOCK_DGRAM);
	(void)snprintf(text, sizeof text, "bind %s: %s", spec,
		strerror(EADDRINUSE));
	REFUSED_AS(RETORT_UDP, -EADDRINUSE, text, 0, spec);
	ck_assert(exists(spec));
	(void)close(fd);
	(void)unlink(path);

	/* nor one that listens, of the other kind */
	fd = occupy_unix(path, SOCK_STREAM);
	ck_assert_int_lt(LISTEN_AS(RETORT_UDP, 0, spec), 0);
	ck_assert(exists(spec));
	(void)close(fd);
	(void)unlink(path);

	/* nor what is no socket */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	REFUSED_AS(RETORT_UDP, -EADDRINUSE, text, 0, spec);
	ck_assert(exists(spec));
	(void)unlink(path);
}
END_TEST

/* The kind of an fd:N must be that of the protocol. */
START_TEST(descriptors_of_the_right_kind)
{
	static const struct {
		bool bound, stream, listens;
		bool good[3]; /* HTTP, TCP, UDP */
	} kinds[] = {
		{true, false, false, {false, false, true}},
		{false, false, false, {false, false, false}},
		{true, true, true, {true, true, false}},
		{true, true, false, {false, false, false}},
	};
	const struct sockaddr_in v4 = make_v4(INADDR_LOOPBACK, 0);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (int p = RETORT_HTTP; p <= RETORT_UDP; p++) {
			int fd = make_socket(AF_INET,
				kinds[i].stream ? SOCK_STREAM : SOCK_DGRAM);
			char spec[16];
			int before = fcntl(fd, F_GETFL), got;

			if (kinds[i].bound)
				ck_assert_int_eq(
					bind(fd, (const struct sockaddr *)&v4,
						sizeof v4),
					0);
			if (kinds[i].listens)
				ck_assert_int_eq(listen(fd, 8), 0);
			(void)snprintf(spec, sizeof spec, "fd:%d", fd);
			got = LISTEN_AS((enum retort_protocol)p, 0, spec);
			if (kinds[i].good[p]) {
				ck_assert_msg(got == 1, "%zu, %d: %s", i, p,
					refusal);
				ck_assert(socks[0].borrowed);
				ck_assert_int_eq(socks[0].port, port_of(fd));
				ck_assert_int_eq(strncmp(socks[0].url, "udp://",
							 6) == 0,
					p == RETORT_UDP);
				close_all(1);
				continue;
			}
			ck_assert_msg(got == -EBADF || got == -ENOTSOCK,
				"%zu, %d: got %d (%s)", i, p, got, refusal);
			ck_assert_msg(strncmp(refusal, spec, strlen(spec)) == 0,
				"%s", refusal);
			/* it is as it was */
			ck_assert_int_eq(fcntl(fd, F_GETFL), before);
			(void)close(fd);
		}
	/* the end of a pipe */
	{
		int pipes[2];
		char spec[16];

		ck_assert_int_eq(pipe(pipes), 0);
		(void)snprintf(spec, sizeof spec, "fd:%d", pipes[0]);
		ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, spec), -ENOTSOCK);
		(void)close(pipes[0]);
		(void)close(pipes[1]);
	}
}
END_TEST

/* Datagrams have no queue of connections that could be refused. */
START_TEST(datagrams_cannot_be_refused)
{
	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "127.0.0.1"), 1);
	ck_assert_int_eq(rt_sock_refuse(&socks[0]), -ENOTSUP);
	ck_assert_int_ge(socks[0].fd, 0);
	ping(&socks[0]);
	close_all(1);
}
END_TEST

static struct rt_address
peer_v4(in_addr_t host, int port)
{
	const struct sockaddr_in v4 = make_v4(host, port);
	struct rt_address from = {.size = sizeof v4};

	memcpy(&from.name, &v4, sizeof v4);
	return from;
}

static struct rt_address
peer_v6(int port)
{
	const struct sockaddr_in6 v6 = make_v6(port);
	struct rt_address from = {.size = sizeof v6};

	memcpy(&from.name, &v6, sizeof v6);
	return from;
}

#define IS_OWN(from) rt_sock_is_own(&socks[0], &(from))

START_TEST(own_addresses)
{
	struct rt_address own, port, host, any;

	need_v6();
	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "127.0.0.1"), 1);
	own = peer_v4(INADDR_LOOPBACK, socks[0].port);
	port = peer_v4(INADDR_LOOPBACK, socks[0].port ^ 1);
	host = peer_v4(INADDR_LOOPBACK + 1, socks[0].port);
	any = peer_v4(INADDR_LOOPBACK, 0);
	ck_assert(IS_OWN(own));
	ck_assert(!IS_OWN(port));
	ck_assert(!IS_OWN(host));
	ck_assert(!IS_OWN(any));
	close_all(1);

	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "[::1]"), 1);
	own = peer_v6(socks[0].port);
	port = peer_v6(socks[0].port ^ 1);
	ck_assert(IS_OWN(own));
	ck_assert(!IS_OWN(port));
	close_all(1);

	/* any address: each of the machine's may be its own */
	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "0.0.0.0"), 1);
	own = peer_v4(INADDR_LOOPBACK, socks[0].port);
	port = peer_v4(INADDR_LOOPBACK, socks[0].port ^ 1);
	host = peer_v4(INADDR_LOOPBACK + 1, socks[0].port);
	ck_assert(IS_OWN(own));
	ck_assert(IS_OWN(host));
	ck_assert(!IS_OWN(port));
	close_all(1);

	ck_assert_int_eq(LISTEN_AS(RETORT_UDP, 0, "[::]"), 1);
	own = peer_v6(socks[0].port);
	ck_assert(IS_OWN(own));
	close_all(1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sock_plain");
	TCase *tests = tcase_create("sock");

	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_loop_test(tests, urls_of_plain_sockets, 0,
		(int)(sizeof plain_forms / sizeof *plain_forms));
	tcase_add_test(tests, datagrams_of_localhost_share_a_port);
	tcase_add_test(tests, a_port_of_datagrams_is_nobody_elses);
	tcase_add_test(tests, datagrams_beside_tcp);
	tcase_add_test(tests, a_unix_datagram_socket);
	tcase_add_test(tests, descriptors_of_the_right_kind);
	tcase_add_test(tests, datagrams_cannot_be_refused);
	tcase_add_test(tests, own_addresses);
	tcase_add_loop_test(tests, refuses_and_listens_again, 0, 2);
	tcase_add_loop_test(tests, refusing_holds_the_port, 0, 4);
#ifdef __linux__
	tcase_add_test(tests, a_port_that_others_get_is_not_ours);
#endif
	tcase_add_loop_test(tests, refusing_is_closed_as_well, 0, 2);
	tcase_add_test(tests, one_of_two_refuses);
	tcase_add_loop_test(tests, refusing_ends_what_is_queued, 0, 2);
	tcase_add_test(tests, some_cannot_refuse);
	rt_test_case(suite, tests);
	return rt_test_run(suite);
}
