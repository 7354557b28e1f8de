/* SPDX-License-Identifier: MIT */
/* The command: how it starts. */
#include "config.h"

#include "command/commanding.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A TCP socket on a loopback address, which listens if it is asked to. */
static int
hold_port(bool v6, unsigned port, bool listening)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	ck_assert_int_ge(fd, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	ck_assert_int_eq(v6 ? bind(fd, (struct sockaddr *)&in6, sizeof in6) :
			      bind(fd, (struct sockaddr *)&in, sizeof in),
		0);
	if (listening)
		ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

/* One line on stderr, "retort: ...", with `text` in it. */
static void
assert_one_line(const struct bytes *errors, const char *text)
{
	assert_begins(*errors, "retort: ");
	assert_has(*errors, text);
	ck_assert_msg(count_lines(errors) == 1 &&
			errors->data[errors->size - 1] == '\n',
		"expected one line: %s", shown(errors->data, errors->size));
}

/* --- start --- */

/* stdout is a socket that keeps each write apart. */
static void
take_stdout(const void *fd)
{
	(void)dup2(*(const int *)fd, STDOUT_FILENO);
}

/* One line, so that "$(...)" is a URL; both addresses answer it. */
START_TEST(test_urls_one_write)
{
	const char *const args[] = {"-p", "0", "--body", "x", NULL};
	char text[512], expected[512];
	struct child child;
	unsigned port;
	int pair[2];
	ssize_t n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				 pair),
		0);
	child = child_start_prepared(args, 0, take_stdout, &pair[1]);
	(void)close(pair[1]);
	ck_assert_int_eq(client_wait(pair[0], RT_TEST_PATIENCE * 1000), 0);
	n = recv(pair[0], text, sizeof text - 1, 0);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	port = port_of(text);
	(void)snprintf(expected, sizeof expected, "%s\n",
		local_url("http", port, "/"));
	ck_assert_str_eq(text, expected);

	/* the end comes at once, while it serves */
	ck_assert_int_eq(client_wait(pair[0], RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(recv(pair[0], text, sizeof text, 0), 0);
	for (int v6 = 0; v6 <= have_v6(); v6++) {
		struct bytes reply;

		(void)snprintf(text, sizeof text, "http://%s:%u/",
			v6 ? "[::1]" : "127.0.0.1", port);
		reply = client_exchange(text, GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	(void)close(pair[0]);
	child_stop(&child);
}
END_TEST

START_TEST(test_stdout_ends)
{
	struct bytes rest = {.data = NULL}, reply;
	struct child child = START("-q", "--body", "x", ios[_i]);

	ck_assert_int_eq(client_receive(child.out, &rest), 0);
	ck_assert_uint_eq(rest.size, 0);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	child_stop(&child);
	bytes_free(&reply);
	bytes_free(&rest);
}
END_TEST

/* IPv4, then IPv6, then the others, whatever their order was. */
START_TEST(test_url_order)
{
	char *dir = dir_make(), spec[4200], text[600];
	const char *const args[] = {"-p", "0", "-b", spec, "-b", "[::1]", "-b",
		"127.0.0.1", "--body", "x", NULL};
	struct bytes out = {.data = NULL};
	struct child child;
	unsigned port;

	if (!have_v6()) {
		dir_remove(dir);
		need_v6();
	}
	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 0);
	ck_assert_int_eq(client_receive(child.out, &out), 0);
	port = port_of(strndupa(out.data, strcspn(out.data, "\n")));
	(void)snprintf(text, sizeof text,
		"http://127.0.0.1:%u/\nhttp://[::1]:%u/\n%.500s\n", port, port,
		spec);
	ck_assert_str_eq(out.data, text);
	bytes_free(&out);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

static int
count_entries(const char *dir)
{
	char command[4200];
	int count = -1;
	FILE *list;

	(void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", dir);
	list = popen(command, "r");
	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(fscanf(list, "%d", &count), 1);
	ck_assert_int_eq(pclose(list), 0);
	return count;
}

START_TEST(test_port_file)
{
	char *dir = dir_make(), *name = strdup(in(dir, "port"));
	char expected[64];
	struct child child;
	struct bytes text;

	write_text(dir, "port", "an older and longer text than a port is\n");
	child = child_start((const char *const[]){"-p", "0", "--port-file",
				    name, "--body", "x", NULL},
		1);
	/* it is there before the URLs are; both addresses share one line */
	text = read_file(name);
	(void)snprintf(expected, sizeof expected, "%u\n",
		port_of(child.url[0]));
	assert_bytes(text.data, text.size, expected, strlen(expected));
	ck_assert_int_eq(count_entries(dir), 1);
	bytes_free(&text);
	child_stop(&child);

	child = child_start((const char *const[]){"-b", "127.0.0.1:0", "-b",
				    "127.0.0.2:0", "--port-file", name,
				    "--body", "x", NULL},
		2);
	text = read_file(name);
	/* each distinct one: the system may choose one number for both */
	(void)snprintf(expected, sizeof expected, "%u\n",
		port_of(child.url[0]));
	if (port_of(child.url[1]) != port_of(child.url[0]))
		(void)snprintf(expected, sizeof expected, "%u\n%u\n",
			port_of(child.url[0]), port_of(child.url[1]));
	assert_bytes(text.data, text.size, expected, strlen(expected));
	bytes_free(&text);
	child_stop(&child);
	free(name);
	dir_remove(dir);
}
END_TEST

START_TEST(test_port_file_fails)
{
	char *dir = dir_make(), *name = strdup(in(dir, "no/such/port"));
	struct bytes errors = {.data = NULL};

	ck_assert_int_eq(RUN(&errors, "-p", "0", "--port-file", name), 2);
	assert_one_line(&errors, name);
	assert_has(errors, "--port-file ");
	bytes_free(&errors);
	/* it cannot be renamed over a folder, and leaves no file */
	ck_assert_int_eq(mkdir(in(dir, "folder"), 0777), 0);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--port-file",
				 in(dir, "folder")),
		2);
	assert_one_line(&errors, "folder");
	ck_assert_int_eq(count_entries(dir), 1);
	bytes_free(&errors);
	free(name);
	dir_remove(dir);
}
END_TEST

/* Taken on either address: an error, never another port, nothing served. */
START_TEST(test_port_taken)
{
	bool v6 = _i == 1;
	struct bytes errors = {.data = NULL}, out = {.data = NULL};
	char port[16], expected[128];
	struct child child;
	int fd;

	if (v6)
		need_v6();
	fd = hold_port(v6, 0, true);
	(void)snprintf(port, sizeof port, "%u", bound_port(fd));
	(void)snprintf(expected, sizeof expected,
		"retort: bind %s:%s: Address already in use "
		"(port 0 takes any free one)\n",
		v6 ? "[::1]" : "127.0.0.1", port);
	child = child_start((const char *const[]){"-p", port, NULL}, 0);
	ck_assert_int_eq(client_receive(child.out, &out), 0);
	ck_assert_uint_eq(out.size, 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 3);
	ck_assert_str_eq(errors.data, expected);
	bytes_free(&errors);
	bytes_free(&out);
	(void)close(fd);
}
END_TEST

/* As a supervisor hands sockets over: the first at descriptor 3. */
struct handover {
	int fd;
	int at;
	const char *count;
	bool other_pid;
};

static void
hand_over(const void *arg)
{
	const struct handover *handover = arg;
	char pid[32];

	(void)dup2(handover->fd, handover->at);
	if (handover->count == NULL)
		return;
	(void)snprintf(pid, sizeof pid, "%ld",
		(long)getpid() + (handover->other_pid ? 1 : 0));
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", handover->count, 1);
}

START_TEST(test_listen_fds)
{
	struct handover handover = {.fd = hold_port(false, 0, true),
		.at = 3,
		.count = "1"};
	const char *const args[] = {"--body", "x", ios[_i], NULL};
	const char *const clash[] = {"-p", "0", NULL};
	const char *const other[] = {"-p", "0", "-b", "127.0.0.1", NULL};
	unsigned port = bound_port(handover.fd);
	struct bytes errors = {.data = NULL}, reply;
	struct child child;

	child = child_start_prepared(args, 1, hand_over, &handover);
	ck_assert_uint_eq(port_of(child.url[0]), port);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);

	child = child_start_prepared(clash, 0, hand_over, &handover);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 2);
	assert_one_line(&errors, "LISTEN_FDS");
	assert_has(errors, "--port");
	bytes_free(&errors);

	/* meant for another process */
	handover.other_pid = true;
	child = child_start_prepared(other, 1, hand_over, &handover);
	ck_assert_uint_ne(port_of(child.url[0]), port);
	child_stop(&child);
	(void)close(handover.fd);
}
END_TEST

START_TEST(test_fd)
{
	struct handover handover = {.fd = hold_port(false, 0, true), .at = 9};
	const char *const args[] = {"-b", "fd:9", "--body", "x", ios[_i], NULL};
	struct child child =
		child_start_prepared(args, 1, hand_over, &handover);
	struct bytes reply, errors = {.data = NULL};
	int fd;

	ck_assert_uint_eq(port_of(child.url[0]), bound_port(handover.fd));
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);

	/* it still listens: its owner has it */
	fd = client_connect(child.url[0]);
	(void)close(fd);
	(void)close(handover.fd);

	/* not listening, and not there: nothing can be bound */
	handover.fd = hold_port(false, 0, false);
	child = child_start_prepared(args, 0, hand_over, &handover);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 3);
	assert_one_line(&errors, "fd:9");
	bytes_free(&errors);
	(void)close(handover.fd);
	ck_assert_int_eq(RUN(&errors, "-b", "fd:87"), 3);
	assert_one_line(&errors, "fd:87");
	bytes_free(&errors);
}
END_TEST

START_TEST(test_unix)
{
	char *dir = dir_make(), spec[4200];
	const char *const args[] = {"-b", spec, "--body", "x", NULL};
	struct bytes reply, errors = {.data = NULL};
	struct child child;
	struct stat status;
	int fd;

	/* stale: replaced, and removed on exit */
	(void)snprintf(spec, sizeof spec, "unix:%s/socket", dir);
	(void)close(make_unix(spec + 5, true));
	child = child_start(args, 1);
	ck_assert_str_eq(child.url[0], spec);
	reply = client_exchange(spec, GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
	ck_assert_int_eq(lstat(spec + 5, &status), -1);
	ck_assert_int_eq(errno, ENOENT);

	/* in use: left alone */
	fd = make_unix(spec + 5, true);
	ck_assert_int_eq(run(&errors, args), 3);
	assert_one_line(&errors, spec);
	bytes_free(&errors);
	(void)close(client_connect(spec));
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

START_TEST(test_unix_not_a_socket)
{
	char *dir = dir_make(), spec[4200];
	struct bytes text, errors = {.data = NULL};

	(void)snprintf(spec, sizeof spec, "unix:%s/file", dir);
	write_text(dir, "file", "precious");
	ck_assert_int_eq(RUN(&errors, "-b", spec, "--body", "x"), 3);
	assert_one_line(&errors, spec);
	text = read_file(spec + 5);
	ck_assert_str_eq(text.data, "precious");
	bytes_free(&text);
	bytes_free(&errors);
	dir_remove(dir);
}
END_TEST

static void
close_standard(const void *arg)
{
	(void)arg;
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	(void)close(STDERR_FILENO);
}

/* Without standard descriptors, no socket may take their place. */
START_TEST(test_no_standard_descriptors)
{
	char *dir = dir_make(), spec[4200];
	const char *const args[] = {"-vv", "-b", spec, "--echo", NULL};
	const int64_t end = now_ms() + RT_TEST_PATIENCE * 1000;
	struct stat status;
	struct bytes reply;
	struct child child;

	(void)snprintf(spec, sizeof spec, "unix:%s/socket", dir);
	child = child_start_prepared(args, 0, close_standard, NULL);
	for (int fd = -1; fd < 0; (void)close(fd)) {
		struct sockaddr_un un = {.sun_family = AF_UNIX};

		(void)snprintf(un.sun_path, sizeof un.sun_path, "%.100s",
			spec + 5);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
			continue;
		(void)close(fd);
		fd = -1;
		ck_assert_int_lt(now_ms(), end);
		(void)poll(NULL, 0, 1);
	}
	for (int i = 0; i < 3; i++) {
		reply = client_exchange(spec, GET);
		ck_assert_str_eq(strstr(reply.data, "\r\n\r\n") + 4, GET);
		bytes_free(&reply);
	}
	child_stop(&child);
	ck_assert_int_eq(lstat(spec + 5, &status), -1);
	dir_remove(dir);
}
END_TEST

START_TEST(test_other_machines)
{
	struct bytes errors = {.data = NULL};

	ck_assert_int_eq(RUN(&errors, "-p", "0", "-b", "0.0.0.0", "--lifetime",
				 "0", "--body", "x"),
		0);
	assert_one_line(&errors, "http://0.0.0.0:");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--lifetime", "0", "--body",
				 "x"),
		0);
	ck_assert_str_eq(errors.data, "");
	bytes_free(&errors);
}
END_TEST

/*
 * The port is also bound, not listened on, by this test: so nobody else is
 * given it in between.
 */
START_TEST(test_start_stop)
{
	int held = hold_port(false, 0, false);
	char port[16];

	(void)snprintf(port, sizeof port, "%u", bound_port(held));
	for (int i = 0; i < (under_valgrind() ? 4 : 200); i++) {
		struct child child =
			child_start((const char *const[]){"-q", "-b",
					    "127.0.0.1", "-p", port, "--body",
					    "x", NULL},
				1);
		struct bytes reply = client_exchange(child.url[0], GET);

		ck_assert_uint_eq(port_of(child.url[0]), bound_port(held));
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		child_stop(&child);
	}
	(void)close(held);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listen");
	TCase *tcase;

	tcase = tcase_create("start");
	tcase_add_test(tcase, test_urls_one_write);
	rt_test_loop(tcase, test_stdout_ends, 0, 2);
	tcase_add_test(tcase, test_url_order);
	tcase_add_test(tcase, test_port_file);
	tcase_add_test(tcase, test_port_file_fails);
	tcase_add_loop_test(tcase, test_port_taken, 0, 2);
	rt_test_loop(tcase, test_listen_fds, 0, 2);
	rt_test_loop(tcase, test_fd, 0, 2);
	tcase_add_test(tcase, test_unix);
	tcase_add_test(tcase, test_unix_not_a_socket);
	tcase_add_test(tcase, test_no_standard_descriptors);
	tcase_add_test(tcase, test_other_machines);
	tcase_add_test(tcase, test_start_stop);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
