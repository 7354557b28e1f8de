/* SPDX-License-Identifier: MIT */
/* The command, asked by --control: clients of its pipes. */
#include "config.h"

#include "command/commanding.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL(...) \
	child_start((const char *const[]){"--control", "-", __VA_ARGS__, \
			    NULL}, \
		1)

#define HELLO \
	"rules\n@on GET /\nHTTP/1.1 200 OK\nContent-Length: 5\n\nhello\n.\n"

static void
write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		ck_assert_msg(n > 0, "write: %s", strerror(errno));
		at += n;
		size -= (size_t)n;
	}
}

static void
tell(int fd, const char *text)
{
	write_all(fd, text, strlen(text));
}

/* So many lines. */
static void
read_lines(int fd, struct bytes *lines, int count)
{
	char c;

	bytes_add(lines, "", 0);
	while (count > 0) {
		ck_assert_msg(client_wait(fd, RT_TEST_PATIENCE * 1000) == 0,
			"no line came for %d s, after: %s", RT_TEST_PATIENCE,
			shown(lines->data, lines->size));
		ck_assert_msg(read(fd, &c, 1) == 1, "the end came after: %s",
			shown(lines->data, lines->size));
		bytes_add(lines, &c, 1);
		count -= c == '\n';
	}
}

/* A whole answer. */
static struct bytes
read_answer(int fd)
{
	struct bytes answer = {.data = NULL};
	int count = -1;

	read_lines(fd, &answer, 1);
	ck_assert_msg(sscanf(answer.data, "%*[a-z] %d\n", &count) == 1,
		"expected \"ok N\" or \"error N\", got: %s",
		shown(answer.data, answer.size));
	read_lines(fd, &answer, count);
	return answer;
}

/* The next answer is this one. */
static void
expect(int fd, const char *wanted)
{
	struct bytes answer = read_answer(fd);

	assert_bytes(answer.data, answer.size, wanted, strlen(wanted));
	bytes_free(&answer);
}

/* The next answer begins so; and has this. */
static void
expect_has(int fd, const char *begin, const char *text)
{
	struct bytes answer = read_answer(fd);

	assert_begins(answer, begin);
	assert_has(answer, text);
	bytes_free(&answer);
}

/* The same of several texts. */
static void
expect_has_all(int fd, const char *begin, const char *const *texts)
{
	struct bytes answer = read_answer(fd);

	assert_begins(answer, begin);
	for (; *texts != NULL; texts++)
		assert_has(answer, *texts);
	bytes_free(&answer);
}

static void
expect_reply(const char *url, const char *request, const char *begin,
	const char *body)
{
	struct bytes reply = client_exchange(url, request);

	assert_begins(reply, begin);
	assert_has(reply, body);
	bytes_free(&reply);
}

static void
finish_input(struct child *child)
{
	(void)close(child->in);
	child->in = -1;
}

/* It says nothing more, and ends so. */
static void
expect_end(struct child *child, int status, const char *said)
{
	struct bytes errors = {.data = NULL}, rest = {.data = NULL};
	int got;

	if (child->in >= 0)
		finish_input(child);
	(void)client_receive(child->out, &rest);
	got = child_end_with_errors(child, &errors);
	ck_assert_msg(got == status, "exit status %d, expected %d; stderr: %s",
		got, status, shown(errors.data, errors.size));
	if (said != NULL)
		assert_has(errors, said);
	else
		assert_bytes(errors.data, errors.size, "", 0);
	assert_bytes(rest.data, rest.size, "", 0);
	bytes_free(&errors);
	bytes_free(&rest);
}

/* --- what it is for --- */

START_TEST(test_talk)
{
	struct child child = CONTROL(ios[_i]);
	char line[300];

	tell(child.in, HELLO);
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], GET, "HTTP/1.1 200 ", "\r\n\r\nhello");
	tell(child.in, "verdict\n");
	expect(child.out, "ok 0\n");
	tell(child.in, "requests\n");
	expect_has(child.out, "ok 1\n{\"time\":\"",
		"\"request\":\"GET / HTTP/1.1\",\"status\":200,");
	tell(child.in, "transcript 1\n");
	expect_has(child.out, "ok ", " < GET / HTTP/1.1\\r\\n\n");
	tell(child.in, "url\n");
	(void)snprintf(line, sizeof line, "ok 1\n%s\n", child.url[0]);
	expect(child.out, line);

	tell(child.in, "reset\n");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], GET, "HTTP/1.1 501 ", "");
	tell(child.in, "verdict\n");
	expect_has(child.out, "error ", "no rule");
	tell(child.in, "reset records\nverdict\nrequests\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	expect_end(&child, 0, NULL);
}
END_TEST

/* With fields, body and trailers, for a test that looks at them. */
START_TEST(test_whole)
{
	struct child child = CONTROL(ios[_i]);

	expect_reply(child.url[0],
		"POST /a?b HTTP/1.1\r\nHost: x\r\nX: 1\r\nx: \"2\"\r\n"
		"Content-Length: 4\r\n\r\n\"\n\xc3\xa9",
		"HTTP/1.1 501 ", "");
	expect_reply(child.url[0], "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
		"HTTP/1.1 400 ", "");
	expect_reply(child.url[0],
		"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		"\r\n2\r\n\xff\n\r\n0\r\nT: 1\r\n\r\n",
		"HTTP/1.1 501 ", "");
	expect_reply(child.url[0], GET, "HTTP/1.1 501 ", "");
	tell(child.in, "requests whole\nreset\nrequests whole\n");
	expect_has_all(child.out, "ok 4\n{\"time\":\"",
		(const char *const[]){",\"complete\":false,\"refused\":400,"
				      "\"reason\":\"space before the colon\",",
			",\"complete\":true,\"method\":\"POST\","
			"\"target\":\"/a?b\",\"fields\":"
			"[[\"Host\",\"x\"],[\"X\",\"1\"],[\"x\",\"\\\"2\\\"\"],"
			"[\"Content-Length\",\"4\"]],"
			"\"body_size\":4,\"body\":\"\\\"\\n\u00e9\"}\n{",
			",\"body_size\":2,\"body_hex\":\"ff0a\","
			"\"trailers\":[[\"T\",\"1\"]]}\n{",
			",\"body_size\":0,\"body\":\"\"}\n", NULL});
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	expect_end(&child, 0, NULL);
}
END_TEST

/* A reply whose next part comes when the test says so. */
START_TEST(test_push)
{
	struct child child = CONTROL(ios[_i]);
	struct bytes got = {.data = NULL};
	int fd;

	tell(child.in, "rules\n@on GET /\n@open\nHTTP/1.1 200 OK\n\nzero\n.\n");
	expect(child.out, "ok 0\n");
	fd = client_connect(child.url[0]);
	ck_assert(client_send_text(fd, GET));
	tell(child.in, "wait 1\n");
	expect(child.out, "ok 0\n");
	client_expect(fd, &got, "4\r\nzero\r\n");
	tell(child.in, "push 1\ndata: one\n\n.\n");
	expect(child.out, "ok 0\n");
	client_expect(fd, &got, "b\r\ndata: one\n\n\r\n");
	tell(child.in, "push 1 END\n.\r\nEND\n");
	expect(child.out, "ok 0\n");
	client_expect(fd, &got, "3\r\n.\r\n\r\n");
	tell(child.in, "push 1\n.\n");
	expect(child.out, "ok 0\n");
	ck_assert_int_eq(client_receive(fd, &got), 0);
	assert_has(got, "\r\n0\r\n\r\n");
	(void)close(fd);
	tell(child.in, "push 1\nx\n.\nverdict\n");
	expect(child.out,
		"error 1\nconnection 1: its client has left, or its reply is "
		"over\n");
	expect(child.out, "ok 0\n");
	bytes_free(&got);
	expect_end(&child, 0, NULL);
}
END_TEST

/* Bytes without a line end: half an event, and the rest of it. */
START_TEST(test_push_bytes)
{
	struct child child = CONTROL(ios[_i]);
	struct bytes got = {.data = NULL};
	int fd;

	tell(child.in, "rules\n@on GET /\n@open\n@raw \"begin\"\n.\n");
	expect(child.out, "ok 0\n");
	fd = client_connect(child.url[0]);
	ck_assert(client_send_text(fd, GET));
	client_expect(fd, &got, "begin");
	tell(child.in, "push 1 \"data: ha\"\npush 1 \"\"\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	client_expect(fd, &got, "data: ha");
	tell(child.in, "push 1 \"lf\\n\\n\"\npush 1 \"x\\\"\npush 1\n.\n");
	expect(child.out, "ok 0\n");
	expect_has(child.out, "error 1\n", "expected bytes in double quotes");
	expect(child.out, "ok 0\n");
	ck_assert_int_eq(client_receive(fd, &got), 0);
	assert_bytes(got.data, got.size, "begindata: half\n\n", 17);
	(void)close(fd);
	bytes_free(&got);
	expect_end(&child, 0, NULL);
}
END_TEST

#define NEWS \
	"rules\n@framing websocket\n@on GET /news\n@next bytes\n@fill\n" \
	"HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\n" \
	"Upgrade: websocket\nSec-WebSocket-Accept: {websocket-accept}\n\n" \
	"@on\n@if-frame ping\n@frame pong\n.\n"

/* Frames that nobody asked for, between those that answer. */
START_TEST(test_push_frames)
{
	struct child child = CONTROL(ios[_i]);
	struct bytes got = {.data = NULL};
	int fd;

	tell(child.in, NEWS);
	expect(child.out, "ok 0\n");
	fd = client_connect(child.url[0]);
	ck_assert(client_send_text(fd,
		"GET /news HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
	client_expect(fd, &got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	tell(child.in, "wait 1\npush 1 @frame text \"hello\"\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	client_expect(fd, &got, "\r\n\r\n\x81\5hello");
	/* nothing is no end; half a frame, and the rest of it */
	tell(child.in, "push 1 \"\"\npush 1 \"\\x81\\x02h\"\npush 1 \"i\"\n");
	for (int i = 0; i < 3; i++)
		expect(child.out, "ok 0\n");
	client_expect(fd, &got, "\5hello\x81\2hi");
	/* the client goes on */
	ck_assert(client_send(fd, "\x89\x80\1\2\3\4", 6));
	client_expect(fd, &got, "hi\x8a");
	tell(child.in, "push 1 @frame close \"\\x03\\xe8\"\npush 1\n.\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_uint_gt(got.size, 8);
	assert_bytes(got.data + got.size - 8, 8, "hi\x8a\0\x88\2\3\xe8", 8);
	(void)close(fd);
	bytes_free(&got);
	expect_end(&child, 0, NULL);
}
END_TEST

/* It waits for a client that takes what was pushed before. */
START_TEST(test_push_much)
{
	enum { LINE = 1 << 20, LINES = 32 };
	struct child child = CONTROL(ios[_i]);
	struct bytes got = {.data = NULL};
	char *line = malloc(LINE);
	int fd, told = 0;

	ck_assert_ptr_nonnull(line);
	memset(line, 'x', LINE);
	line[LINE - 1] = '\n';
	tell(child.in, "rules\n@on GET /\n@open\n@raw \"begin\"\n.\n");
	expect(child.out, "ok 0\n");
	fd = client_connect(child.url[0]);
	ck_assert(client_send_text(fd, GET));
	client_expect(fd, &got, "begin");
	/* until one waits, it is more than the sockets and the server hold */
	for (bool waits = false; !waits && told < LINES; told++) {
		tell(child.in, "push 1\n");
		write_all(child.in, line, LINE);
		tell(child.in, ".\n");
		waits = client_wait(child.out, 200) != 0;
		if (!waits)
			expect(child.out, "ok 0\n");
	}
	ck_assert_int_lt(told, LINES);
	tell(child.in, "push 1 \"end\"\npush 1\n.\n");
	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_uint_eq(got.size, 5 + (size_t)told * LINE + 3);
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	(void)close(fd);
	free(line);
	bytes_free(&got);
	expect_end(&child, 0, NULL);
}
END_TEST

/* Connections end, and are refused, when the test says so. */
START_TEST(test_ends)
{
	struct child child = CONTROL(ios[_i]);
	struct bytes got = {.data = NULL};
	int fd;

	tell(child.in, "rules\n@on GET /\n@open\n@raw \"begin\"\n.\n");
	expect(child.out, "ok 0\n");
	for (int n = 1; n <= 2; n++) {
		fd = client_connect(child.url[0]);
		ck_assert(client_send_text(fd, GET));
		client_expect(fd, &got, "begin");
		tell(child.in, n == 1 ? "end 1\n" : "end 2 reset\n");
		expect(child.out, "ok 0\n");
		ck_assert_int_eq(client_receive(fd, &got),
			n == 1 ? 0 : ECONNRESET);
		assert_bytes(got.data, got.size, "begin", 5);
		(void)close(fd);
		bytes_free(&got);
	}
	tell(child.in, "end 2\nrefuse\n");
	expect(child.out,
		"error 1\nconnection 2: it has ended, or never was\n");
	expect(child.out, "ok 0\n");
	ck_assert_int_eq(client_try(child.url[0], SOCK_STREAM), -ECONNREFUSED);
	tell(child.in, "refuse off\n");
	expect(child.out, "ok 0\n");
	(void)close(client_connect(child.url[0]));
	expect_end(&child, 0, NULL);
}
END_TEST

/* Clients that send nothing are known, even one that resets at once. */
START_TEST(test_silent_clients)
{
	struct child child = CONTROL(ios[_i]);
	int fd = client_connect(child.url[0]);

	tell(child.in, "rules\n@expect 0\n@connections 2\n.\n");
	expect(child.out, "ok 0\n");
	client_reset(client_connect(child.url[0]));
	tell(child.in, "verdict 60s\n");
	expect(child.out, "ok 0\n");
	(void)close(fd);
	expect_end(&child, 0, NULL);
}
END_TEST

/* Its end judges as any other, whatever was expected. */
START_TEST(test_judges)
{
	struct child child = CONTROL(ios[_i]);

	tell(child.in, "rules\n@expect 2 GET /\n.\n");
	expect(child.out, "ok 0\n");
	expect_end(&child, 4,
		"retort: not as expected:\n"
		"rules:1 (GET /): expected exactly 2, got 0\n");

	child = CONTROL(ios[_i]);
	expect_reply(child.url[0], GET, "HTTP/1.1 501 ", "");
	expect_end(&child, 4, "retort: not as expected:\n");
}
END_TEST

/* Rules with a mistake change nothing. */
START_TEST(test_mistake)
{
	struct child child = CONTROL(ios[_i]);

	tell(child.in, "rules\n@on GET /\n@raw \"old\"\n.\n");
	expect(child.out, "ok 0\n");
	tell(child.in,
		"rules\n@on GET /\n@prefer 1\n@raw \"new\"\n@expect 1 /new\n"
		"\n@on GET /\n@fault cut body x\n.\n");
	expect_has(child.out, "error 1\nrules-2:7:", "expected");
	expect_reply(child.url[0], GET, "old", "");
	tell(child.in, "verdict\n");
	expect(child.out, "ok 0\n");
	expect_end(&child, 0, NULL);
}
END_TEST

/* What waits holds up nobody but the one who asked for it. */
START_TEST(test_waits)
{
	struct child child = CONTROL(ios[_i]);
	int64_t began = now_ms();

	tell(child.in,
		"rules\n@on\n@raw \"x\"\n@expect 2+ GET /\n.\n"
		"wait 1 60s\nverdict 60s\nurl\nwait 3 50ms\n");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], GET, "x", "");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], GET, "x", "");
	expect(child.out, "ok 0\n");
	expect_has(child.out, "ok 1\n", child.url[0]);
	expect(child.out, "error 1\n2 of 3 requests arrived within 50 ms\n");
	ck_assert_int_ge(now_ms() - began, 50);
	expect_end(&child, 0, NULL);
}
END_TEST

START_TEST(test_stop)
{
	struct child child = CONTROL(ios[_i]);

	tell(child.in, "stop it\nurl\nstop\nurl\n");
	expect_has(child.out, "error 1\n", "expected stop alone\n");
	expect_has(child.out, "ok 1\n", child.url[0]);
	expect(child.out, "ok 0\n");
	expect_end(&child, 0, NULL);
}
END_TEST

/* Plain sockets have rules, too. */
START_TEST(test_plain)
{
	struct child child = CONTROL("--tcp", "--lines", ios[_i]);

	tell(child.in,
		"rules\n@on\n@if-body \"PING\\n\"\n@raw \"PONG\\n\"\n"
		"@close\n.\n");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], "PING\n", "PONG\n", "");
	tell(child.in, "verdict\nrequests\n");
	expect(child.out, "ok 0\n");
	expect_has(child.out, "ok 1\n", "\"protocol\":\"tcp\"");
	expect_end(&child, 0, NULL);
}
END_TEST

/* In addition to files, which a reset leaves. */
START_TEST(test_root)
{
	char *dir = dir_make();
	struct child child;

	write_text(dir, "a.txt", "file");
	child = CONTROL(dir, ios[_i]);
	tell(child.in, "rules\n@on /b\n@raw \"rule\"\n.\nreset\n");
	expect(child.out, "ok 0\n");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], "GET /a.txt" END, "HTTP/1.1 200 ", "file");
	expect_reply(child.url[0], "GET /b" END, "HTTP/1.1 404 ", "");
	expect_end(&child, 0, NULL);
	dir_remove(dir);
}
END_TEST

/* --- what clients do --- */

/* Commands byte by byte, and what its end cuts off. */
START_TEST(test_pieces)
{
	static const char bytes[] =
		"\r\n\nrules E\r\n@on\r\n@raw \"\\n.\\n\"\r\n"
		".\r\nE\r\nurl\r\nreset";
	struct child child = CONTROL(ios[_i]);

	for (size_t i = 0; i < sizeof bytes - 1; i++)
		write_all(child.in, bytes + i, 1);
	expect_has(child.out, "error 1\n", "rules:3:1");
	expect_has(child.out, "ok 1\n", child.url[0]);
	expect_end(&child, 0, NULL);

	child = CONTROL(ios[_i]);
	/* the end of input is not that of the lines */
	tell(child.in, "url\nrules\n@expect 1 GET /\nverdict\n");
	finish_input(&child);
	expect_has(child.out, "ok 1\n", child.url[0]);
	expect(child.out,
		"error 1\nexpected the line that ends the lines of the last "
		"command, such as '.'\n");
	expect_end(&child, 0, NULL);
}
END_TEST

/* Lines of a mebibyte, and NULs. */
START_TEST(test_long)
{
	enum { SIZE = 1 << 20 };
	struct child child = CONTROL(ios[_i]);
	char *much = malloc(SIZE);
	struct bytes reply;

	ck_assert_ptr_nonnull(much);
	memset(much, 'a', SIZE);
	write_all(child.in, much, SIZE);
	tell(child.in, "\n");
	expect_has(child.out, "error 1\nexpected rules, ", "aaaa...'\n");
	tell(child.in, "rules\n@on GET /\n@raw\nHTTP/1.1 200 OK\n\n");
	write_all(child.in, much, SIZE);
	tell(child.in, "\n.\n");
	expect_has(child.out, "ok ", "");
	reply = client_exchange(child.url[0], GET);
	ck_assert_uint_ge(reply.size, SIZE);
	bytes_free(&reply);
	write_all(child.in, "stop\0\n", 6);
	expect_has(child.out, "error 1\n", "not 'stop?'\n");
	write_all(child.in, "rules\n@on GET /\n@\0\n.\n", 21);
	expect_has(child.out, "error 1\nrules-2:2:2: a NUL: ", "expected");
	free(much);
	expect_end(&child, 0, NULL);
}
END_TEST

/* Of one who takes no answers nothing more is read; who requests has no part in
   that. */
START_TEST(test_unread)
{
	static const char command[] = "transcript 1\n";
	struct child child = CONTROL(ios[_i]);
	struct bytes first, all = {.data = NULL}, rest = {.data = NULL};

	tell(child.in, "rules\n@on\n@raw \"x\"\n.\n");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], GET, "x", "");
	tell(child.in, command);
	first = read_answer(child.out);
	ck_assert_int_eq(fcntl(child.in, F_SETFL, O_NONBLOCK), 0);
	for (;;) {
		struct pollfd polled = {.fd = child.in, .events = POLLOUT};

		/* a pipe takes that whole or not at all */
		if (write(child.in, command, sizeof command - 1) > 0)
			bytes_add(&all, first.data, first.size);
		else if (poll(&polled, 1, 100) == 0)
			break;
	}
	expect_reply(child.url[0], GET, "x", "");
	finish_input(&child);
	(void)client_receive(child.out, &rest);
	assert_bytes(rest.data, rest.size, all.data, all.size);
	bytes_free(&first);
	bytes_free(&all);
	bytes_free(&rest);
	expect_end(&child, 0, NULL);
}
END_TEST

/* It is gone when they are, whatever it waits for. */
START_TEST(test_gone)
{
	struct child child = CONTROL(ios[_i]);

	tell(child.in, "wait 1 600s\n");
	finish_input(&child);
	(void)close(child.out);
	child.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect_end(&child, 0, NULL);
}
END_TEST

/* One who listens no more may still ask. */
START_TEST(test_deaf)
{
	struct child child = CONTROL(ios[_i]);

	(void)close(child.out);
	child.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	tell(child.in,
		"url\nwait 1 600s\nurl\nrules\n@expect 1 GET /\n.\nstop\n");
	expect_end(&child, 4, "rules:1 (GET /): expected exactly 1, got 0\n");
}
END_TEST

static void
take_pair(const void *arg)
{
	const struct pair *pair = arg;

	(void)dup2(pair->fd[1], STDIN_FILENO);
	(void)dup2(pair->fd[1], STDOUT_FILENO);
}

/* One socket for both, as some languages have it. */
START_TEST(test_pair)
{
	static const char *const args[] = {"--control", "-", NULL};
	struct child child;
	struct pair pair;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				 pair.fd),
		0);
	child = child_start_prepared(args, 0, take_pair, &pair);
	(void)close(pair.fd[1]);
	(void)close(child.out);
	child.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	tell(pair.fd[0], "wait 1 50ms\nreset\nverdict\n");
	ck_assert_int_eq(shutdown(pair.fd[0], SHUT_WR), 0);
	{
		struct bytes url = {.data = NULL};

		read_lines(pair.fd[0], &url, 1);
		assert_begins(url, "http://");
		bytes_free(&url);
	}
	expect(pair.fd[0], "error 1\n0 of 1 requests arrived within 50 ms\n");
	expect(pair.fd[0], "ok 0\n");
	expect(pair.fd[0], "ok 0\n");
	expect_end(&child, 0, NULL);
	(void)close(pair.fd[0]);
}
END_TEST

/* --- by a Unix socket --- */

/* Quietly, at DIR/socket. */
static struct child
start_at(const char *dir, const char *io)
{
	return child_start((const char *const[]){"--control", in(dir, "socket"),
				   io, NULL},
		1);
}

static int
enter(const char *dir)
{
	char url[4096];

	(void)snprintf(url, sizeof url, "unix:%s", in(dir, "socket"));
	return client_connect(url);
}

static void
expect_gone(const char *dir)
{
	ck_assert_int_eq(access(in(dir, "socket"), F_OK), -1);
}

/* Two at once: one waits, the other does not; and one leaves within a
   command. */
START_TEST(test_two)
{
	char *dir = dir_make();
	struct child child = start_at(dir, ios[_i]);
	int first = enter(dir), second = enter(dir);
	struct stat status;

	ck_assert_int_eq(stat(in(dir, "socket"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	tell(first, "rules\n@on\n@raw \"x\"\n.\nwait 1 60s\n");
	expect(first, "ok 0\n");
	tell(second, "verdict\nrules\n@on\n@raw \"never\"\n");
	expect(second, "ok 0\n");
	(void)close(second);
	expect_reply(child.url[0], GET, "x", "");
	expect(first, "ok 0\n");
	second = enter(dir);
	tell(second, "requests\n");
	expect_has(second, "ok 1\n{", "GET / HTTP/1.1");
	tell(first, "stop\n");
	expect(first, "ok 0\n");
	expect_end(&child, 0, NULL);
	expect_gone(dir);
	(void)close(first);
	(void)close(second);
	dir_remove(dir);
}
END_TEST

/* Those who are too many wait; those who leave without taking an answer, or
   while they wait for one, make room. */
START_TEST(test_many)
{
	enum { MANY = 41 }; /* the last one does not wait */
	char *dir = dir_make();
	struct child child = start_at(dir, ios[_i]);
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		fds[i] = enter(dir);
		tell(fds[i], i % 3 == 0 ? "wait 1 600s\n" : "url\n");
	}
	expect_has(fds[1], "ok 1\n", child.url[0]);
	for (int i = 0; i < MANY - 1; i++)
		(void)close(fds[i]);
	tell(fds[MANY - 1], "stop\n");
	(void)shutdown(fds[MANY - 1], SHUT_WR);
	expect_end(&child, 0, NULL);
	(void)close(fds[MANY - 1]);
	dir_remove(dir);
}
END_TEST

static void
allow_few(const void *arg)
{
	const struct rlimit few = {16, 16};

	(void)arg;
	/* what was inherited would take places */
	for (int fd = STDERR_FILENO + 1; fd < 16; fd++)
		(void)close(fd);
	(void)setrlimit(RLIMIT_NOFILE, &few);
}

/* With few descriptors some have to wait, too. */
START_TEST(test_few)
{
	enum { MANY = 15 };
	char *dir = dir_make();
	const char *const args[] = {"--control", in(dir, "socket"), ios[_i],
		NULL};
	struct child child;
	int fds[MANY];

	if (under_valgrind())
		skip_test("valgrind needs more descriptors itself");
	child = child_start_prepared(args, 1, allow_few, NULL);
	for (int i = 0; i < MANY; i++) {
		fds[i] = enter(dir);
		tell(fds[i], "url\n");
	}
	for (int i = 0; i < MANY; i++) {
		expect_has(fds[i], "ok 1\n", child.url[0]);
		if (i == MANY - 1)
			tell(fds[i], "stop\n");
		(void)close(fds[i]);
	}
	expect_end(&child, 0, ""); /* of descriptors, maybe */
	dir_remove(dir);
}
END_TEST

/* What was left over is replaced; what is something else is not. */
START_TEST(test_place)
{
	char *dir = dir_make();
	struct bytes errors = {.data = NULL};
	char long_name[400];
	struct child child;
	int fd;

	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	(void)close(make_unix(in(dir, "socket"), true));
	child = start_at(dir, ios[_i]);
	ck_assert_int_eq(RUN(&errors, "--control", in(dir, "socket")), 3);
	assert_has(errors, "retort: --control: bind unix:");
	assert_has(errors, "Address already in use");
	bytes_free(&errors);
	fd = enter(dir);
	tell(fd, "stop\n");
	expect(fd, "ok 0\n");
	(void)close(fd);
	expect_end(&child, 0, NULL);
	expect_gone(dir);
	write_text(dir, "socket", "a file");
	ck_assert_int_eq(RUN(&errors, "--control", in(dir, "socket")), 3);
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "--control", ""), 2);
	assert_has(errors, "retort: --control: ");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "--control", long_name), 2);
	assert_has(errors, "retort: --control: File name too long");
	bytes_free(&errors);
	dir_remove(dir);
}
END_TEST

/* COMMAND knows where it is; its status is that of COMMAND. */
START_TEST(test_run)
{
	static const char script[] = "echo \"$RETORT_URL\"; "
				     "echo \"$RETORT_CONTROL\"; "
				     "read -r line; exit 7";
	char *dir = dir_make();
	struct child child =
		child_start((const char *const[]){"run", "--control",
				    in(dir, "socket"), ios[_i], "--", "sh",
				    "-c", script, NULL},
			2);
	int fd = enter(dir);

	ck_assert_str_eq(child.url[1], in(dir, "socket"));
	tell(fd, "rules\n@on\n@raw \"x\"\n.\nwait 1 60s\nverdict\n");
	expect(fd, "ok 0\n");
	expect_reply(child.url[0], GET, "x", "");
	expect(fd, "ok 0\n");
	expect(fd, "ok 0\n");
	tell(child.in, "\n");
	expect_end(&child, 7, NULL);
	(void)close(fd);
	expect_gone(dir);
	dir_remove(dir);
}
END_TEST

/* After `stop` COMMAND goes on alone, and what came is judged. */
START_TEST(test_run_stop)
{
	char *dir = dir_make();
	struct child child =
		child_start((const char *const[]){"run", "--control",
				    in(dir, "socket"), ios[_i], "--", "sh",
				    "-c", "echo \"$RETORT_URL\"; read -r line",
				    NULL},
			1);
	struct bytes rest = {.data = NULL};
	int fd = enter(dir);

	tell(fd, "rules\n@expect 1 GET /\n.\nstop\n");
	expect(fd, "ok 0\n");
	expect(fd, "ok 0\n");
	ck_assert_int_eq(client_receive(fd, &rest), 0);
	ck_assert_uint_eq(rest.size, 0);
	bytes_free(&rest);
	(void)close(fd);
	expect_gone(dir);
	tell(child.in, "\n");
	expect_end(&child, 4, "rules:1 (GET /): expected exactly 1, got 0\n");
	dir_remove(dir);
}
END_TEST

/* --- the command line --- */

START_TEST(test_usage)
{
	static const struct {
		const char *args[6];
		const char *said;
	} rows[] = {
		{{"run", "--control", "-", "--", "true"},
			"--control: standard input is read by COMMAND"},
		{{"sweep", "--control", "-", "--", "true"},
			"sweep: not with --control"},
		{{"--control", "-", "--tcp", "--prompt"},
			"--prompt: standard input is read by --control"},
		{{"--control", "-", "--scenario", "-"},
			"--scenario: standard input is read by --control"},
		{{"--control", "-", "--body", "@-"},
			"--body: standard input is read by --control"},
		{{"--control", "-", "-b", "fd:0"},
			"--control and --bind fd:0 exclude each other"},
		{{"--control", "-", "--spa", "index.html"},
			"--spa: needs ROOT, as --control alone serves no files"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct bytes errors = {.data = NULL};

		ck_assert_int_eq(run(&errors, rows[i].args), 2);
		assert_has(errors, rows[i].said);
		bytes_free(&errors);
	}
}
END_TEST

/* It logs nothing unless it is told to. */
START_TEST(test_log)
{
	struct child child = CONTROL("--log", "json");

	tell(child.in, "rules\n@on\n@raw \"x\"\n.\n");
	expect(child.out, "ok 0\n");
	expect_reply(child.url[0], GET, "x", "");
	expect_end(&child, 0, "{\"time\":");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {test_talk, test_whole, test_push,
		test_push_bytes, test_push_frames, test_push_much, test_ends,
		test_silent_clients, test_judges, test_mistake, test_waits,
		test_stop, test_plain, test_root, test_pieces, test_long,
		test_unread, test_gone, test_deaf, test_pair, test_two,
		test_few, test_many, test_place, test_run, test_run_stop, NULL};
	Suite *suite = suite_create("control");
	TCase *tcase;

	rt_test_cases(suite, "asked", tests, 0, 2);
	tcase = tcase_create("options");
	tcase_add_test(tcase, test_usage);
	tcase_add_test(tcase, test_log);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
