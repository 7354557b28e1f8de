/* SPDX-License-Identifier: MIT */
/* The command: no HTTP. */
#include "config.h"

#include "command/commanding.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- plain sockets --- */

/* The families that a loop test goes through, with each of `ios`. */
enum { V4, V6, LOCAL, FAMILIES };

/* A server of plain sockets, and where its clients live. */
struct plain {
	struct child child;
	char *dir;
	char spec[4200];
	unsigned clients;
};

/* `text`: --tcp or --udp, and more. */
static void
plain_start(struct plain *plain, int family, const char *io, const char *text)
{
	char args[4600];

	if (family == V6)
		need_v6();
	plain->clients = 0;
	plain->dir = dir_make();
	(void)snprintf(plain->spec, sizeof plain->spec, "unix:%s/s",
		plain->dir);
	(void)snprintf(args, sizeof args, "-b %s %s %s",
		family == V4         ? "127.0.0.1:0" :
			family == V6 ? "[::1]:0" :
				       plain->spec,
		io, text);
	plain->child = child_start_text(args, 1);
}

static void
plain_stop(struct plain *plain)
{
	child_stop(&plain->child);
	dir_remove(plain->dir);
}

/* A client of "tcp://127.0.0.1:1", "tcp://[::1]:1" or "unix:/p". */
static int
plain_connect(const char *url)
{
	char as_http[512];

	if (strncmp(url, "tcp://", 6) != 0)
		return client_connect(url);
	(void)snprintf(as_http, sizeof as_http, "http://%.400s/", url + 6);
	return client_connect(as_http);
}

/* A datagram client of "udp://127.0.0.1:1" or "udp://[::1]:1". */
static int
datagram_connect(const char *url)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port_of(url)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port_of(url)),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool v6 = strncmp(url, "udp://[", 7) == 0;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(strncmp(url, "udp://", 6), 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(v6 ? connect(fd, (struct sockaddr *)&in6, sizeof in6) :
			      connect(fd, (struct sockaddr *)&in4, sizeof in4),
		0);
	return fd;
}

/* A Unix datagram client; with a name of its own it can be answered. */
static int
unix_datagram_connect(const char *spec, const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (name != NULL) {
		(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", name);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un),
			0);
	}
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", spec + 5);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
	return fd;
}

/* One more client of a server of datagrams. */
static int
plain_datagrams(struct plain *plain)
{
	char name[32];

	if (strncmp(plain->child.url[0], "unix:", 5) != 0)
		return datagram_connect(plain->child.url[0]);
	(void)snprintf(name, sizeof name, "c%u", plain->clients++);
	return unix_datagram_connect(plain->child.url[0], in(plain->dir, name));
}

/* The next datagram is this one. */
static void
expect_datagram(int fd, const void *data, size_t size)
{
	static char got[70000];
	ssize_t n;

	ck_assert_msg(client_wait(fd, RT_TEST_PATIENCE * 1000) == 0,
		"no datagram came for %d s; expected %s", RT_TEST_PATIENCE,
		shown(data, size));
	n = recv(fd, got, sizeof got, 0);
	ck_assert_msg(n >= 0, "recv: %s", strerror(errno));
	assert_bytes(got, (size_t)n, data, size);
}

static void
send_datagram(int fd, const void *data, size_t size)
{
	ck_assert_int_eq(send(fd, data, size, 0), (ssize_t)size);
}

static void
ask_datagram(int fd, const char *text, const char *answer)
{
	send_datagram(fd, text, strlen(text));
	expect_datagram(fd, answer, strlen(answer));
}

/* SIGTERM, and everything on its stderr. */
static struct bytes
stop_with_errors(struct child *child)
{
	struct bytes errors = {.data = NULL};

	ck_assert_int_eq(kill(child->pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(child, &errors), 0);
	return errors;
}

/* The bytes that are sent, by their place: no two runs of them are alike. */
static char
byte_at(size_t at)
{
	uint32_t x = (uint32_t)at * UINT32_C(2654435761);

	return (char)((x ^ x >> 15) >> 9);
}

/* Sends what it can of the bytes from `at` up to `end`; how many. */
static size_t
send_bytes(int fd, size_t at, size_t end)
{
	static char data[1 << 17];
	size_t size = end - at < sizeof data ? end - at : sizeof data;
	ssize_t n;

	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(at + i);
	n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	ck_assert_msg(n > 0 || errno == EAGAIN, "send: %s", strerror(errno));
	return n > 0 ? (size_t)n : 0;
}

/* Receives what there is; it is what was sent. How much; 0: a FIN. */
static size_t
check_bytes(int fd, size_t at)
{
	static char data[64 << 10];
	ssize_t n = recv(fd, data, sizeof data, 0);

	ck_assert_msg(n >= 0, "after %zu bytes: %s", at, strerror(errno));
	for (size_t i = 0; i < (size_t)n; i++)
		if (data[i] != byte_at(at + i))
			ck_abort_msg("byte %zu: expected \\x%02x, got \\x%02x",
				at + i, (unsigned char)byte_at(at + i),
				(unsigned char)data[i]);
	return (size_t)n;
}

/* Receives up to the FIN: what was sent, from `at` on. How far it came. */
static size_t
check_rest(int fd, size_t at)
{
	size_t n;

	do {
		ck_assert_msg(client_wait(fd, RT_TEST_PATIENCE * 1000) == 0,
			"nothing came for %d s after %zu bytes",
			RT_TEST_PATIENCE, at);
		n = check_bytes(fd, at);
		at += n;
	} while (n > 0);
	return at;
}

/* Sends without reading until nothing is taken any more; how much was. */
static size_t
send_until_blocked(int fd, size_t most)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	size_t sent = 0;

	/* a wait that is too short makes the test weaker, never wrong */
	while (sent < most && poll(&polled, 1, 500) == 1)
		sent += send_bytes(fd, sent, most);
	return sent;
}

/* 1 MiB comes back through pieces of any size. */
START_TEST(test_tcp_echo)
{
	static const size_t sizes[] = {1, 7, 4096, 977, 65537, 2, 65536, 31,
		65535, 100003};
	const size_t total = 1 << 20;
	size_t sent = 0, end = 0, got = 0;
	struct pollfd polled;
	struct plain plain;

	plain_start(&plain, _i / 2, ios[_i % 2], "--tcp --echo");
	polled = (struct pollfd){.fd = plain_connect(plain.child.url[0])};
	for (size_t i = 0; got < total; i += sent == end) {
		if (sent == end && end < total)
			end += sizes[i % 10] < total - end ? sizes[i % 10] :
							     total - end;
		polled.events = (short)(sent < end ? POLLIN | POLLOUT : POLLIN);
		ck_assert_msg(poll(&polled, 1, RT_TEST_PATIENCE * 1000) == 1,
			"nothing happened for %d s: %zu sent, %zu came",
			RT_TEST_PATIENCE, sent, got);
		if (polled.revents & POLLOUT)
			sent += send_bytes(polled.fd, sent, end);
		if (polled.revents & POLLIN)
			got += check_bytes(polled.fd, got);
		ck_assert_uint_le(got, sent);
	}
	ck_assert_int_eq(shutdown(polled.fd, SHUT_WR), 0);
	ck_assert_uint_eq(check_rest(polled.fd, got), total);
	(void)close(polled.fd);
	plain_stop(&plain);
}
END_TEST

/* Of a client that does not read little is held, and nothing is lost. */
START_TEST(test_tcp_echo_unread)
{
	const size_t most = 256 << 20;
	size_t sent, bound = most;
	struct plain plain;
	socklen_t size = sizeof(int);
	int fd, room = 0;

	plain_start(&plain, _i / 2, ios[_i % 2], "--tcp --echo");
	fd = plain_connect(plain.child.url[0]);
	/* a Unix socket's buffers have one size: two of them, and the piece */
	if (_i / 2 == LOCAL) {
		ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room,
					 &size),
			0);
		bound = 2 * (size_t)room + (192u << 10);
	}
	sent = send_until_blocked(fd, most);
	ck_assert_msg(sent < bound, "%zu bytes were taken unread, %zu allowed",
		sent, bound);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_uint_eq(check_rest(fd, 0), sent);
	(void)close(fd);
	plain_stop(&plain);
}
END_TEST

/* A half-close is followed by the rest, then by the end. */
START_TEST(test_tcp_half_close)
{
	struct bytes got = {.data = NULL};
	struct child child = START("--tcp", "--echo", ios[_i]);
	int fd = plain_connect(child.url[0]);
	size_t sent = 0;

	while (sent < 100000)
		sent += send_bytes(fd, sent, 100000);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_uint_eq(check_rest(fd, 0), sent);
	(void)close(fd);
	/* before a byte */
	fd = plain_connect(child.url[0]);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_uint_eq(check_rest(fd, 0), 0);
	(void)close(fd);
	child_stop(&child);

	child = START("--tcp", "--body", "OK\n", ios[_i]);
	fd = plain_connect(child.url[0]);
	ck_assert(client_send_text(fd, "one"));
	client_expect(fd, &got, "OK\n");
	ck_assert(client_send_text(fd, "two"));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(client_receive(fd, &got), 0);
	assert_bytes(got.data, got.size, "OK\nOK\n", 6);
	bytes_free(&got);
	(void)close(fd);
	child_stop(&child);
}
END_TEST

/* So many clients, at once, while the command cannot run. */
START_TEST(test_tcp_burst)
{
	enum { COUNT = 100 };
	struct child child = START("--tcp", "--echo", ios[_i]);
	int fd[COUNT];
	char text[32];

	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(text, sizeof text, "I am number %d", i);
		fd[i] = plain_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], text));
	}
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	/* all are served at the same time: nobody closes */
	for (int turn = 0; turn < 3; turn++)
		for (int i = 0; i < COUNT; i++) {
			struct bytes got = {.data = NULL};

			(void)snprintf(text, sizeof text, "I am number %d", i);
			client_expect(fd[i], &got, text);
			ck_assert_str_eq(got.data, text);
			ck_assert(client_send_text(fd[i], text));
			bytes_free(&got);
		}
	for (int i = 0; i < COUNT; i++)
		(void)close(fd[i]);
	child_stop(&child);
}
END_TEST

/* The pieces and the end of a client that says nothing, and of one that says
   something in between; whether that was in time. */
static bool
falls_silent(int idle, const char *io)
{
	char timeout[32];
	struct child child;
	int64_t connected, began;
	struct bytes got = {.data = NULL}, errors;
	bool in_time;
	int fd;

	(void)snprintf(timeout, sizeof timeout, "idle=%dms", idle);
	child = START("--tcp", "--body", "OK", "--timeout", timeout,
		"--no-sandbox", "-v", io);
	began = now_ms();
	fd = plain_connect(child.url[0]);
	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_int_ge(now_ms() - began, idle);
	ck_assert_uint_eq(got.size, 0);
	(void)close(fd);
	connected = now_ms();
	fd = plain_connect(child.url[0]);
	(void)client_wait(fd, idle / 4);
	began = now_ms();
	(void)client_send_text(fd, "x");
	in_time = now_ms() - connected < idle;
	(void)client_receive(fd, &got);
	(void)close(fd);
	errors = stop_with_errors(&child);
	if (in_time) {
		ck_assert_int_ge(now_ms() - began, idle);
		ck_assert_str_eq(got.data, "OK");
		assert_has(errors, " tcp 0 pieces, 0 bytes in, 0 out, ");
		assert_has(errors, " tcp 1 piece, 1 bytes in, 2 out, ");
		ck_assert_int_eq(count_lines(&errors), 3);
		ck_assert_str_eq(errors.data + errors.size - 12,
			"(timed out)\n");
	}
	bytes_free(&got);
	bytes_free(&errors);
	return in_time;
}

START_TEST(test_tcp_idle)
{
	struct bytes got = {.data = NULL};
	struct child child;
	int fd;

	for (int idle = 200; !falls_silent(idle, ios[_i]); idle *= 2)
		;
	/* that of a reply ends no silence, one without a name does */
	child = START("--tcp", "--echo", "--timeout", "0.1", ios[_i]);
	fd = plain_connect(child.url[0]);
	ck_assert_int_eq(client_receive(fd, &got), 0);
	bytes_free(&got);
	(void)close(fd);
	child_stop(&child);
	child = START("--tcp", "--echo", "--timeout", "reply=0.1", ios[_i]);
	fd = plain_connect(child.url[0]);
	ck_assert_int_eq(client_wait(fd, 400), -1);
	ck_assert(client_send_text(fd, "x"));
	client_expect(fd, &got, "x");
	bytes_free(&got);
	(void)close(fd);
	child_stop(&child);
}
END_TEST

START_TEST(test_tcp_greet)
{
	static const struct {
		const char *option, *value, *answer;
	} cases[] = {
		{"--body", "", ""},
		{"--echo", "-q", "Q\n"},
		{"--body", "A\n", "A\n"},
	};
	char *dir = dir_make(), scenario[4200];

	dir_write(dir, "hello", "@accepted\n@raw \"220 hello\\n\"\n", 29);
	(void)snprintf(scenario, sizeof scenario, "%s/hello", dir);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct child child = START(ios[_i], "--tcp", "--scenario",
			scenario, cases[i].option, cases[i].value);
		struct bytes got = {.data = NULL}, expected = {.data = NULL};
		int fd = plain_connect(child.url[0]);

		/* without a byte of the client's; then the answer, once */
		client_expect(fd, &got, "220 hello\n");
		ck_assert(client_send_text(fd, "Q\n"));
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		ck_assert_int_eq(client_receive(fd, &got), 0);
		bytes_add(&expected, "220 hello\n", 10);
		bytes_add(&expected, cases[i].answer, strlen(cases[i].answer));
		assert_bytes(got.data, got.size, expected.data, expected.size);
		bytes_free(&expected);
		bytes_free(&got);
		(void)close(fd);
		child_stop(&child);
	}
	dir_remove(dir);
}
END_TEST

/* The bytes of a file, whatever they are, to each piece or datagram. */
START_TEST(test_answer_file)
{
	static const char bytes[] = "O\0K\r\n\xff";
	char *dir = dir_make(), option[4200];
	struct bytes got = {.data = NULL};
	struct child child;
	int fd;

	dir_write(dir, "answer", bytes, sizeof bytes);
	(void)snprintf(option, sizeof option, "@%s/answer", dir);
	child = START("--tcp", "--body", option, ios[_i]);
	fd = plain_connect(child.url[0]);
	for (int i = 0; i < 3; i++) {
		char answer[sizeof bytes];

		ck_assert(client_send_text(fd, "x"));
		ck_assert_int_eq(client_wait(fd, RT_TEST_PATIENCE * 1000), 0);
		ck_assert_int_eq(recv(fd, answer, sizeof bytes, MSG_WAITALL),
			sizeof bytes);
		assert_bytes(answer, sizeof answer, bytes, sizeof bytes);
	}
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_uint_eq(got.size, 0);
	bytes_free(&got);
	(void)close(fd);
	child_stop(&child);
	child = START("--udp", "--body", option, ios[_i]);
	fd = datagram_connect(child.url[0]);
	for (int i = 0; i < 3; i++) {
		send_datagram(fd, "x", 1);
		expect_datagram(fd, bytes, sizeof bytes);
	}
	(void)close(fd);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

static void
type_text(const struct child *child, const char *text)
{
	ck_assert_int_eq(write(child->in, text, strlen(text)),
		(ssize_t)strlen(text));
}

static void
end_typing(struct child *child)
{
	(void)close(child->in);
	child->in = -1;
}

/* A piece that is seen to have come before this returns. */
static int
ask_typist(struct child *child, struct bytes *errors, const char *piece)
{
	int fd = plain_connect(child->url[0]);
	char line[64];

	(void)snprintf(line, sizeof line, "> %s\n", piece);
	ck_assert(client_send_text(fd, piece));
	client_expect(child->err, errors, line);
	return fd;
}

static void
expect_answer(int fd, const char *answer)
{
	struct bytes got = {.data = NULL};

	client_expect(fd, &got, answer);
	ck_assert_str_eq(got.data, answer);
	bytes_free(&got);
}

/* The lines go to those who wait, in order of arrival. */
START_TEST(test_typed)
{
	static const char *const pieces[] = {"first", "second", "third"};
	struct child child = START("--tcp", "--prompt", ios[_i]);
	struct bytes errors = {.data = NULL}, rest = {.data = NULL};
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = ask_typist(&child, &errors, pieces[i]);
	/* a line is one when it ends */
	type_text(&child, "one\ntw");
	expect_answer(fd[0], "one\n");
	ck_assert(client_send_text(fd[0], "fourth"));
	client_expect(child.err, &errors, "> fourth\n");
	type_text(&child, "o\n\nfour\n");
	expect_answer(fd[1], "two\n");
	expect_answer(fd[2], "\n");
	expect_answer(fd[0], "four\n");
	/* nobody waits: the end of the input is the end */
	end_typing(&child);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(client_receive(fd[i], &rest), 0);
		(void)close(fd[i]);
	}
	ck_assert_uint_eq(rest.size, 0);
	bytes_free(&rest);
	bytes_free(&errors);
}
END_TEST

/* The end comes while somebody waits. */
START_TEST(test_typed_end)
{
	struct child child = START("--tcp", "--prompt", ios[_i]);
	struct bytes errors = {.data = NULL}, rest = {.data = NULL};
	int first = ask_typist(&child, &errors, "first");
	int second = ask_typist(&child, &errors, "second");

	type_text(&child, "unfinished");
	end_typing(&child);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_eq(client_receive(first, &rest), 0);
	ck_assert_int_eq(client_receive(second, &rest), 0);
	assert_bytes(rest.data, rest.size, "unfinished", 10);
	bytes_free(&rest);
	bytes_free(&errors);
	(void)close(first);
	(void)close(second);
}
END_TEST

/* Lines that are there before anybody asks; the last has no newline. */
START_TEST(test_typed_ahead)
{
	struct child child = START("--tcp", "--prompt", ios[_i]);
	int fd;

	type_text(&child, "one\ntwo\nthree");
	end_typing(&child);
	fd = plain_connect(child.url[0]);
	ck_assert(client_send_text(fd, "a"));
	expect_answer(fd, "one\n");
	ck_assert(client_send_text(fd, "b"));
	expect_answer(fd, "two\n");
	(void)close(fd);
	fd = plain_connect(child.url[0]);
	ck_assert(client_send_text(fd, "c"));
	expect_answer(fd, "three");
	ck_assert_uint_eq(check_rest(fd, 0), 0);
	(void)close(fd);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* More than is read at once: no line is lost, torn or doubled. */
START_TEST(test_typed_much)
{
	enum { LINES = 3000 };
	struct child child = START("--tcp", "--prompt", "-q", ios[_i]);
	struct bytes text = {.data = NULL};
	char line[64];
	size_t at = 0;
	int fd = plain_connect(child.url[0]);

	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof line, "%0*d\n", i % 50 + 1, i);
		bytes_add(&text, line, strlen(line));
	}
	ck_assert_int_eq(fcntl(child.in, F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < LINES; i++) {
		ssize_t n = at == text.size ?
			0 :
			write(child.in, text.data + at, text.size - at);

		at += n > 0 ? (size_t)n : 0;
		(void)snprintf(line, sizeof line, "%0*d\n", i % 50 + 1, i);
		ck_assert(client_send_text(fd, "x"));
		expect_answer(fd, line);
	}
	ck_assert_uint_eq(at, text.size);
	end_typing(&child);
	ck_assert_int_eq(child_end(&child), 0);
	(void)close(fd);
	bytes_free(&text);
}
END_TEST

/* Who is gone gets no line. */
START_TEST(test_typed_gone)
{
	struct child child = START("--tcp", "--prompt", ios[_i]);
	struct bytes errors = {.data = NULL};
	int gone = ask_typist(&child, &errors, "first");
	int fd = ask_typist(&child, &errors, "second");

	client_reset(gone);
	client_expect(child.err, &errors, "(reset)\n");
	type_text(&child, "one\n");
	expect_answer(fd, "one\n");
	(void)close(fd);
	bytes_free(&errors);
	child_stop(&child);
}
END_TEST

START_TEST(test_typed_datagrams)
{
	struct child child = START("--udp", "--prompt", ios[_i]);
	struct bytes errors = {.data = NULL};
	int first = datagram_connect(child.url[0]);
	int second = datagram_connect(child.url[0]);

	send_datagram(first, "first", 5);
	client_expect(child.err, &errors, "> first\n");
	send_datagram(second, "second", 6);
	client_expect(child.err, &errors, "> second\n");
	type_text(&child, "one\ntwo\nthree\nfour");
	expect_datagram(first, "one\n", 4);
	expect_datagram(second, "two\n", 4);
	ask_datagram(second, "third", "three\n");
	end_typing(&child);
	ask_datagram(first, "fourth", "four");
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_has(errors, " udp 5 bytes in, 4 out, ");
	(void)close(first);
	(void)close(second);
	bytes_free(&errors);
}
END_TEST

/* Each datagram is answered, by itself, to whom it came from. */
START_TEST(test_udp_many)
{
	enum { COUNT = 1000, WINDOW = 64 };
	static char data[1024], seen[COUNT];
	size_t sent = 0, got = 0;
	struct plain plain;
	struct pollfd polled;

	plain_start(&plain, _i / 2, ios[_i % 2], "--udp --echo");
	memset(seen, 0, sizeof seen);
	polled = (struct pollfd){.fd = plain_datagrams(&plain)};
	while (got < COUNT) {
		size_t number, size;
		ssize_t n;

		polled.events = POLLIN;
		if (sent < COUNT && sent - got < WINDOW)
			polled.events |= POLLOUT;
		ck_assert_msg(poll(&polled, 1, RT_TEST_PATIENCE * 1000) == 1,
			"nothing happened for %d s: %zu sent, %zu came",
			RT_TEST_PATIENCE, sent, got);
		if (polled.revents & POLLOUT) {
			size = sizeof number + sent % 500;
			memcpy(data, &sent, sizeof sent);
			for (size_t i = sizeof sent; i < size; i++)
				data[i] = byte_at(sent + i);
			n = send(polled.fd, data, size, MSG_DONTWAIT);
			ck_assert(n == (ssize_t)size || errno == EAGAIN);
			sent += n > 0;
		}
		if ((polled.revents & POLLIN) == 0)
			continue;
		n = recv(polled.fd, data, sizeof data, 0);
		ck_assert_int_ge(n, (ssize_t)sizeof number);
		memcpy(&number, data, sizeof number);
		ck_assert_uint_lt(number, sent);
		ck_assert_msg(seen[number]++ == 0, "%zu came twice", number);
		ck_assert_uint_eq((size_t)n, sizeof number + number % 500);
		for (size_t i = sizeof number; i < (size_t)n; i++)
			if (data[i] != byte_at(number + i))
				ck_abort_msg("%zu came changed", number);
		got++;
	}
	(void)close(polled.fd);
	plain_stop(&plain);
}
END_TEST

START_TEST(test_udp_sizes)
{
	static char data[65507];
	static const size_t sizes[] = {65507, 0, 1, 65506, 0};
	struct plain plain;
	struct bytes errors;
	int fd;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = byte_at(i);
	plain_start(&plain, _i / 2, ios[_i % 2], "--udp --echo");
	fd = plain_datagrams(&plain);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		send_datagram(fd, data, sizes[i]);
		expect_datagram(fd, data, sizes[i]);
	}
	(void)close(fd);
	errors = stop_with_errors(&plain.child);
	assert_has(errors, " udp 65507 bytes in, 65507 out, ");
	assert_lacks(errors, "truncated");
	assert_lacks(errors, "unanswered");
	/* what was answered is logged, also if it was empty */
	ck_assert_msg(count_lines(&errors) == 5, "expected 5 lines: %s",
		errors.data);
	bytes_free(&errors);
	dir_remove(plain.dir);
}
END_TEST

/* Longer than any that UDP has: the first 64 KiB, and it is said. */
START_TEST(test_datagram_truncated)
{
	static char data[70000];
	struct plain plain;
	struct bytes errors;
	int fd;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = byte_at(i);
	plain_start(&plain, LOCAL, ios[_i % 2],
		_i < 2 ? "--udp --echo" : "--udp --echo --log json");
	fd = plain_datagrams(&plain);
	send_datagram(fd, data, 65536);
	expect_datagram(fd, data, 65536);
	send_datagram(fd, data, 65537);
	expect_datagram(fd, data, 65536);
	send_datagram(fd, data, sizeof data);
	expect_datagram(fd, data, 65536);
	(void)close(fd);
	errors = stop_with_errors(&plain.child);
	ck_assert_int_eq(count_lines(&errors), 3);
	for (int i = 0; i < 3; i++) {
		char *line = strdup(errors.data), *at = line, *end;
		bool told;

		for (int k = 0; k < i; k++)
			at = strchr(at, '\n') + 1;
		end = strchr(at, '\n');
		*end = '\0';
		told = strstr(at,
			       _i < 2 ? "(the datagram was truncated)" :
					"\"truncated\":true") != NULL;
		ck_assert_msg(told == (i > 0), "line %d: %s", i, at);
		free(line);
	}
	bytes_free(&errors);
	dir_remove(plain.dir);
}
END_TEST

/* A Unix datagram from a socket without a name cannot be answered. */
START_TEST(test_datagram_unnamed)
{
	struct plain plain;
	struct bytes errors;
	int fd, named;

	plain_start(&plain, LOCAL, ios[_i], "--udp --echo");
	fd = unix_datagram_connect(plain.child.url[0], NULL);
	send_datagram(fd, "x", 1);
	named = plain_datagrams(&plain);
	ask_datagram(named, "y", "y");
	(void)close(fd);
	(void)close(named);
	errors = stop_with_errors(&plain.child);
	assert_has(errors, "(unanswered: its sender has no address)");
	ck_assert_int_eq(count_lines(&errors), 2);
	bytes_free(&errors);
	dir_remove(plain.dir);
}
END_TEST

/* The client of a Unix datagram has left before its answer. */
START_TEST(test_datagram_gone)
{
	struct plain plain;
	struct bytes errors;
	int fd;

	plain_start(&plain, LOCAL, ios[_i], "--udp --echo");
	ck_assert_int_eq(kill(plain.child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(plain.child.pid, NULL, WUNTRACED),
		plain.child.pid);
	fd = plain_datagrams(&plain);
	send_datagram(fd, "x", 1);
	(void)close(fd);
	ck_assert_int_eq(unlink(in(plain.dir, "c0")), 0);
	ck_assert_int_eq(kill(plain.child.pid, SIGCONT), 0);
	fd = plain_datagrams(&plain);
	ask_datagram(fd, "y", "y");
	(void)close(fd);
	errors = stop_with_errors(&plain.child);
	assert_has(errors, "(reset)\n");
	ck_assert_int_eq(count_lines(&errors), 2);
	bytes_free(&errors);
	dir_remove(plain.dir);
}
END_TEST

/* A bound UDP socket; `port` 0: any. -1: it cannot be had. */
static int
hold_datagrams(in_addr_t address, unsigned port)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(address)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (bind(fd, (struct sockaddr *)&in4, sizeof in4) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
send_to_port(int fd, in_addr_t address, unsigned port, const char *text)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(address)}};

	ck_assert_int_eq(sendto(fd, text, strlen(text), 0,
				 (struct sockaddr *)&in4, sizeof in4),
		(ssize_t)strlen(text));
}

/* Services answer from there. */
START_TEST(test_udp_low_port)
{
	struct child child;
	struct bytes errors;
	int fd = -1, other;

	for (unsigned port = 1023; fd < 0 && port > 600; port--)
		fd = hold_datagrams(INADDR_LOOPBACK, port);
	if (fd < 0)
		skip_test("no port below 1024 may be bound");
	child = START("--udp", "--echo", ios[_i]);
	send_to_port(fd, INADDR_LOOPBACK, port_of(child.url[0]), "low");
	other = datagram_connect(child.url[0]);
	ask_datagram(other, "high", "high");
	errors = stop_with_errors(&child);
	assert_has(errors,
		" udp 3 bytes in, 0 out, "); /* came first, and was not lost */
	assert_has(errors, "(unanswered: its port is below 1024)\n");
	ck_assert_int_eq(count_lines(&errors), 2);
	ck_assert_int_eq(client_wait(fd, 0), -1);
	bytes_free(&errors);
	(void)close(other);
	(void)close(fd);
}
END_TEST

static void
take_pair(const void *arg)
{
	const struct pair *pair = arg;

	/* not over each other */
	(void)dup2(pair->fd[0], 20);
	(void)dup2(pair->fd[1], 21);
}

/*
 * The server has sockets of this test's, which sends from them: from the one
 * that receives, and from another of the server's.
 */
START_TEST(test_udp_own_address)
{
	static const in_addr_t addresses[] = {INADDR_LOOPBACK, INADDR_ANY};
	struct pair pair = {{hold_datagrams(INADDR_LOOPBACK, 0),
		hold_datagrams(addresses[_i / 2 % 2], 0)}};
	const char *const args[] = {"-b", "fd:20", "-b", "fd:21", "--udp",
		"--echo", ios[_i % 2], NULL};
	const int from = _i / 4;
	struct child child;
	struct bytes errors = {.data = NULL};
	int fd;

	ck_assert_int_ge(pair.fd[0], 0);
	ck_assert_int_ge(pair.fd[1], 0);
	child = child_start_prepared(args, 2, take_pair, &pair);
	send_to_port(pair.fd[from], INADDR_LOOPBACK, bound_port(pair.fd[1]),
		"loop");
	fd = hold_datagrams(INADDR_LOOPBACK, 0);
	send_to_port(fd, INADDR_LOOPBACK, bound_port(pair.fd[1]), "y");
	expect_datagram(fd, "y", 1);
	(void)close(fd);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_has(errors, " udp 4 bytes in, 0 out, ");
	assert_has(errors, "(unanswered: its address is the server's own)\n");
	/* in addition to a line that the wildcard address can be reached */
	ck_assert_msg(count_lines(&errors) == 2 + (_i / 2 % 2), "got: %s",
		shown(errors.data, errors.size));
	bytes_free(&errors);
	(void)close(pair.fd[0]);
	(void)close(pair.fd[1]);
}
END_TEST

START_TEST(test_plain_requests)
{
	struct child child =
		START("--tcp", "--echo", "--requests", "2", ios[_i]);
	struct bytes reply, errors = {.data = NULL};
	int fd;

	/* without one byte: not counted, and not logged */
	(void)close(plain_connect(child.url[0]));
	for (int i = 0; i < 2; i++) {
		fd = plain_connect(child.url[0]);
		ck_assert(client_send_text(fd, "x"));
		expect_answer(fd, "x");
		/* as often as it likes: the connection is what counts */
		ck_assert(client_send_text(fd, "y"));
		expect_answer(fd, "y");
		(void)close(fd);
	}
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_msg(count_lines(&errors) == 2, "expected 2 lines: %s",
		errors.data);
	bytes_free(&errors);

	/* one under way is not waited for when it is silent */
	child = START("--tcp", "--body", "OK", "--requests", "1", ios[_i]);
	fd = plain_connect(child.url[0]);
	ck_assert(client_send_text(fd, "x"));
	expect_answer(fd, "OK");
	reply = (struct bytes){.data = NULL};
	(void)close(plain_connect(child.url[0]));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(client_receive(fd, &reply), 0);
	bytes_free(&reply);
	(void)close(fd);
	ck_assert_int_eq(child_end(&child), 0);

	child = START("--udp", "--echo", "--requests", "3", ios[_i]);
	fd = datagram_connect(child.url[0]);
	for (int i = 0; i < 3; i++)
		ask_datagram(fd, "x", "x");
	(void)close(fd);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_eq(count_lines(&errors), 3);
	bytes_free(&errors);
}
END_TEST

/* Exactly this many, however many are there. */
START_TEST(test_udp_requests_exact)
{
	struct child child =
		START("--udp", "--echo", "--requests", "5", ios[_i]);
	int fd = datagram_connect(child.url[0]);
	int answered = 0;
	char data[8];

	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	for (int i = 0; i < 20; i++)
		send_datagram(fd, "x", 1);
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	ck_assert_int_eq(child_end(&child), 0);
	/* the rest of them may be refused by then, which is told once */
	for (int i = 0; i < 21; i++)
		answered += recv(fd, data, sizeof data, MSG_DONTWAIT) == 1;
	ck_assert_int_eq(answered, 5);
	(void)close(fd);
}
END_TEST

START_TEST(test_plain_lifetime)
{
	static const char *const protocols[] = {"--tcp", "--udp"};

	for (int i = 0; i < 2; i++) {
		struct bytes errors = {.data = NULL};
		int64_t began = now_ms();

		ck_assert_int_eq(RUN(&errors, "-p", "0", protocols[i], "--echo",
					 "--lifetime", "0.2", ios[_i]),
			0);
		ck_assert_int_ge(now_ms() - began, 200);
		ck_assert_str_eq(errors.data, "");
		bytes_free(&errors);
		ck_assert_int_eq(RUN(&errors, "-p", "0", protocols[i], "--echo",
					 "--lifetime", "0.1", "--requests", "1",
					 ios[_i]),
			5);
		bytes_free(&errors);
	}
}
END_TEST

/* The lines on stdout, and the file with the port that they share. */
START_TEST(test_plain_urls)
{
	static const char *const names[] = {"tcp", "udp"};
	char *dir = dir_make(), *name = strdup(in(dir, "port"));
	const char *const args[] = {"-p", "0", _i ? "--udp" : "--tcp", "--echo",
		"--port-file", name, NULL};
	struct child child = child_start(args, 0);
	struct bytes out = {.data = NULL}, text;
	char expected[256];
	unsigned port;
	int used;

	ck_assert_int_eq(client_receive(child.out, &out), 0);
	text = read_file(name);
	ck_assert_int_eq(sscanf(text.data, "%u\n", &port), 1);
	used = snprintf(expected, sizeof expected, "%u\n", port);
	assert_bytes(text.data, text.size, expected, (size_t)used);
	(void)snprintf(expected, sizeof expected, "%s\n",
		local_url(names[_i], port, ""));
	assert_bytes(out.data, out.size, expected, strlen(expected));
	bytes_free(&text);
	bytes_free(&out);
	child_stop(&child);
	free(name);
	dir_remove(dir);
}
END_TEST

START_TEST(test_plain_with_parent)
{
	struct child child = START("--tcp", "--echo", "--with-parent", ios[_i]);
	int fd = plain_connect(child.url[0]);

	type_text(&child, "dropped\n");
	ck_assert(client_send_text(fd, "x"));
	expect_answer(fd, "x");
	end_typing(&child);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_uint_eq(check_rest(fd, 0), 0);
	(void)close(fd);

	child = START("--udp", "--echo", "--with-parent", ios[_i]);
	fd = datagram_connect(child.url[0]);
	ask_datagram(fd, "x", "x");
	end_typing(&child);
	ck_assert_int_eq(child_end(&child), 0);
	(void)close(fd);

	/* lines that are typed are no sign of the parent's end */
	child = START("--tcp", "--prompt", "--with-parent", ios[_i]);
	type_text(&child, "one\ntwo\n");
	fd = plain_connect(child.url[0]);
	ck_assert(client_send_text(fd, "x"));
	expect_answer(fd, "one\n");
	ck_assert(client_send_text(fd, "x"));
	expect_answer(fd, "two\n");
	(void)close(fd);
	child_stop(&child);
}
END_TEST

/* The end of a server of which a client does not read. */
START_TEST(test_plain_grace)
{
	struct child child = START("--tcp", "--echo", "--grace", "60", ios[_i]);
	int fd = plain_connect(child.url[0]);
	int idle = plain_connect(child.url[0]);
	size_t sent = send_until_blocked(fd, 256 << 20), got;
	int64_t began;

	ck_assert_uint_lt(sent, 256 << 20);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	/* who is silent is let go of at once */
	ck_assert_uint_eq(check_rest(idle, 0), 0);
	got = check_rest(fd, 0);
	ck_assert_uint_gt(got, 0);
	ck_assert_uint_le(got, sent);
	ck_assert_int_eq(child_end(&child), 0);
	(void)close(idle);
	(void)close(fd);

	child = START("--tcp", "--echo", "--grace", "0.2", ios[_i]);
	fd = plain_connect(child.url[0]);
	(void)send_until_blocked(fd, 256 << 20);
	began = now_ms();
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_int_ge(now_ms() - began, 200);
	(void)close(fd);
}
END_TEST

/* A connection of two pieces, and a datagram, in each format. */
START_TEST(test_plain_log)
{
	static const struct {
		const char *option, *tcp, *udp;
	} cases[] = {
		{"--log=short",
			"99:99:99.999 #1 127.0.0.1:~ tcp 2 pieces, 6 bytes in, 6 "
			"out, ~.999 ms\n",
			"99:99:99.999 #1 127.0.0.1:~ udp 4 bytes in, 4 out, "
			"~.999 ms\n"},
		{"--log=json",
			"{\"time\":\"9999-99-99T99:99:99.999Z\","
			"\"connection\":1,\"client\":\"127.0.0.1:~\","
			"\"protocol\":\"tcp\",\"pieces\":2,"
			"\"received\":6,\"sent\":6,"
			"\"ms\":~.999,\"end\":\"answered\"}\n",
			"{\"time\":\"9999-99-99T99:99:99.999Z\","
			"\"connection\":1,\"client\":\"127.0.0.1:~\","
			"\"protocol\":\"udp\",\"pieces\":1,"
			"\"received\":4,\"sent\":4,"
			"\"ms\":~.999,\"end\":\"answered\"}\n"},
		{"-v",
			"> a\n> \\x1b\n> bc\n99:99:99.999 #1 127.0.0.1:~ tcp "
			"2 pieces, 6 bytes in, 6 out, ~.999 ms\n",
			"> a\n> \\x1b\n99:99:99.999 #1 127.0.0.1:~ udp 4 bytes "
			"in, 4 out, ~.999 ms\n"},
		{"-q", "", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct child child = START("--tcp", "--echo", "--no-sandbox",
			cases[i].option);
		int fd = plain_connect(child.url[0]);
		struct bytes errors;

		ck_assert(client_send_text(fd, "a\n\x1b"));
		expect_answer(fd, "a\n\x1b");
		ck_assert(client_send_text(fd, "bc\n"));
		expect_answer(fd, "bc\n");
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		ck_assert_uint_eq(check_rest(fd, 0), 0);
		(void)close(fd);
		errors = stop_with_errors(&child);
		ck_assert_msg(is_like(errors.data, cases[i].tcp),
			"expected %s\n# got %s", cases[i].tcp,
			shown(errors.data, errors.size));
		bytes_free(&errors);
		child = START("--udp", "--echo", "--no-sandbox",
			cases[i].option);
		fd = datagram_connect(child.url[0]);
		ask_datagram(fd, "a\n\x1b\n", "a\n\x1b\n");
		(void)close(fd);
		errors = stop_with_errors(&child);
		ck_assert_msg(is_like(errors.data, cases[i].udp),
			"expected %s\n# got %s", cases[i].udp,
			shown(errors.data, errors.size));
		bytes_free(&errors);
	}
}
END_TEST

START_TEST(test_plain_log_common)
{
	struct child child = START("--udp", "--echo", "--log=common");
	int fd = datagram_connect(child.url[0]);
	struct bytes errors;

	ask_datagram(fd, "four", "four");
	(void)close(fd);
	errors = stop_with_errors(&child);
	assert_begins(errors, "127.0.0.1 - - [");
	/* it has no status */
	assert_has(errors, "] \"udp\" - 4\n");
	bytes_free(&errors);
}
END_TEST

/* A line is of all the replies of a connection: their faults are many. */
START_TEST(test_plain_log_chance)
{
	struct child child = START("--tcp", "--echo", "--fault",
		"pause 1 chance 100%", "--seed", "7");
	int fd = plain_connect(child.url[0]);
	struct bytes errors;

	ck_assert(client_send_text(fd, "a"));
	expect_answer(fd, "a");
	ck_assert(client_send_text(fd, "b"));
	expect_answer(fd, "b");
	(void)close(fd);
	errors = stop_with_errors(&child);
	assert_has(errors, " tcp 2 pieces, 2 bytes in, 2 out, ");
	assert_has(errors, " ms (seed 7)\n");
	bytes_free(&errors);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plain");
	TCase *tcase;

	tcase = tcase_create("plain");
	rt_test_loop(tcase, test_tcp_echo, 0, 2 * FAMILIES);
	rt_test_loop(tcase, test_tcp_echo_unread, 0, 2 * FAMILIES);
	rt_test_loop(tcase, test_tcp_half_close, 0, 2);
	rt_test_loop(tcase, test_tcp_burst, 0, 2);
	rt_test_loop(tcase, test_tcp_idle, 0, 2);
	rt_test_loop(tcase, test_tcp_greet, 0, 2);
	rt_test_loop(tcase, test_answer_file, 0, 2);
	rt_test_loop(tcase, test_typed, 0, 2);
	rt_test_loop(tcase, test_typed_end, 0, 2);
	rt_test_loop(tcase, test_typed_ahead, 0, 2);
	rt_test_loop(tcase, test_typed_much, 0, 2);
	rt_test_loop(tcase, test_typed_gone, 0, 2);
	rt_test_loop(tcase, test_typed_datagrams, 0, 2);
	rt_test_loop(tcase, test_udp_many, 0, 2 * FAMILIES);
	rt_test_loop(tcase, test_udp_sizes, 0, 2 * FAMILIES);
	rt_test_loop(tcase, test_datagram_truncated, 0, 4);
	rt_test_loop(tcase, test_datagram_unnamed, 0, 2);
	rt_test_loop(tcase, test_datagram_gone, 0, 2);
	rt_test_loop(tcase, test_udp_low_port, 0, 2);
	rt_test_loop(tcase, test_udp_own_address, 0, 8);
	rt_test_loop(tcase, test_plain_requests, 0, 2);
	rt_test_loop(tcase, test_udp_requests_exact, 0, 2);
	rt_test_loop(tcase, test_plain_lifetime, 0, 2);
	tcase_add_loop_test(tcase, test_plain_urls, 0, 2);
	rt_test_loop(tcase, test_plain_with_parent, 0, 2);
	rt_test_loop(tcase, test_plain_grace, 0, 2);
	tcase_add_test(tcase, test_plain_log);
	tcase_add_test(tcase, test_plain_log_common);
	tcase_add_test(tcase, test_plain_log_chance);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
