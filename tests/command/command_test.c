/* SPDX-License-Identifier: MIT */
/*
 * The command as its user has it: what it prints, where it listens, how it
 * ends, and what a client sees, by bare sockets. $RETORT is the command.
 * RT_TEST_SLOW=1 runs the long cases in full.
 */
#include "config.h"

#include "support/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define END " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define BIG ((off_t)64 << 20) /* no pair of socket buffers holds it */

/* Every loop test runs once with each. */
static const char *const ios[] = {"epoll", "poll"};

/* Quietly on any port of 127.0.0.1; more arguments may follow. */
#define START(...) \
	child_start((const char *const[]){"-p", "0", "-b", "127.0.0.1", \
			    __VA_ARGS__, NULL}, \
		1)

/* Starts it and waits for its end; what it wrote to stderr goes to errors. */
#define RUN(errors, ...) run((errors), (const char *const[]){__VA_ARGS__, NULL})

static int
run(struct bytes *errors, const char *const *args)
{
	struct child child = child_start(args, 0);

	return child_end_with_errors(&child, errors);
}

/* As often as is good in a daily run; under valgrind, a tenth of it. */
static int
times(int usual)
{
	return getenv("CK_TIMEOUT_MULTIPLIER") ? usual / 10 : usual;
}

static unsigned
port_of(const char *url)
{
	const char *colon = strrchr(url, ':');
	unsigned port = 0;

	ck_assert_msg(colon != NULL && sscanf(colon, ":%u/", &port) == 1,
		"no port in %s", url);
	return port;
}

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

static unsigned
bound_port(int fd)
{
	struct sockaddr_in6 in6 = {.sin6_port = 0};
	socklen_t size = sizeof in6;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in6, &size), 0);
	return ntohs(in6.sin6_port); /* where sockaddr_in has it */
}

/* A name beneath a folder; static, good for two at a time. */
static const char *
in(const char *dir, const char *name)
{
	static char texts[2][4096];
	static int turn;

	turn ^= 1;
	(void)snprintf(texts[turn], sizeof texts[0], "%s/%s", dir, name);
	return texts[turn];
}

static void
write_text(const char *dir, const char *name, const char *text)
{
	dir_write(dir, name, text, strlen(text));
}

static struct bytes
read_file(const char *path)
{
	struct bytes bytes = {.data = NULL};
	FILE *file = fopen(path, "rb");
	char text[512];
	size_t n;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	bytes_add(&bytes, "", 0);
	while ((n = fread(text, 1, sizeof text, file)) > 0)
		bytes_add(&bytes, text, n);
	(void)fclose(file);
	return bytes;
}

/* A folder with a file of `BIG` bytes, all zero, that takes no room. */
static char *
make_big(void)
{
	char *dir = dir_make();

	dir_write(dir, "big", "", 0);
	ck_assert_int_eq(truncate(in(dir, "big"), BIG), 0);
	return dir;
}

/* Adds so many of one byte. */
static void
add_many(struct bytes *bytes, char c, int count)
{
	char *run = malloc((size_t)count + 1);

	ck_assert_ptr_nonnull(run);
	memset(run, c, (size_t)count);
	bytes_add(bytes, run, (size_t)count);
	free(run);
}

/* Receives until the end and returns how much that was. */
static off_t
count_rest(int fd, int *error)
{
	static char dropped[256 << 10];
	off_t count = 0;
	ssize_t n;

	for (;;) {
		ck_assert_msg(client_wait(fd, RT_TEST_PATIENCE * 1000) == 0,
			"nothing came for %d s", RT_TEST_PATIENCE);
		n = read(fd, dropped, sizeof dropped);
		if (n <= 0)
			break;
		count += n;
	}
	*error = n < 0 ? errno : 0;
	return count;
}

/* Bytes of body that have come. */
static off_t
body_size(const struct bytes *reply)
{
	const char *end = strstr(reply->data, "\r\n\r\n");

	ck_assert_msg(end != NULL, "no whole head: %s",
		shown(reply->data, reply->size));
	return (off_t)(reply->size - (size_t)(end + 4 - reply->data));
}

static int
count_lines(const struct bytes *bytes)
{
	int lines = 0;

	for (size_t i = 0; i < bytes->size; i++)
		lines += bytes->data[i] == '\n';
	return lines;
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

/* Waits, with a deadline, until nobody listens any more. */
static void
wait_refused(const char *url)
{
	int64_t end = now_ms() + RT_TEST_PATIENCE * 1000;
	int fd;

	while ((fd = client_try(url, SOCK_STREAM)) >= 0) {
		(void)close(fd);
		ck_assert_msg(now_ms() < end, "%s still listens", url);
		(void)poll(NULL, 0, 1);
	}
}

/* --- start --- */

/* stdout is a socket that keeps each write apart. */
static void
take_stdout(const void *fd)
{
	(void)dup2(*(const int *)fd, STDOUT_FILENO);
}

/* The URL of localhost: its number where the machine has IPv4 alone. */
static char *
local_url(const char *scheme, unsigned port, const char *path)
{
	static char url[64];

	(void)snprintf(url, sizeof url, "%s://%s:%u%s", scheme,
		have_v6() ? "localhost" : "127.0.0.1", port, path);
	return url;
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
	struct child child = START("-q", "--body", "x", "--io", ios[_i]);

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
	/* it cannot be renamed over a folder, and leaves nothing behind */
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
		"(-p 0 takes a free port)\n",
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
	const char *const args[] = {"--body", "x", "--io", ios[_i], NULL};
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
	const char *const args[] = {"-b", "fd:9", "--body", "x", "--io",
		ios[_i], NULL};
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

/* A Unix socket at `path`, which is left there when it is closed. */
static int
make_unix(const char *path, bool listening)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

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
	for (int i = 0; i < times(200); i++) {
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

/* --- end --- */

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP};

/* Idle and half-received ones end at once, whatever the grace. */
START_TEST(test_signal)
{
	char *dir = dir_make(), spec[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-b", spec,
		"--body", "x", "--grace", "3600", "--io", ios[_i / 3], NULL};
	struct bytes reply, end = {.data = NULL};
	struct child child;
	int idle, half;

	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 2);
	idle = client_connect(spec);
	half = client_connect(child.url[0]);
	ck_assert(client_send_text(half, "GET / HT"));
	/* accepted in order: both were when these are answered */
	for (int i = 0; i < 2; i++) {
		reply = client_exchange(child.url[i], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	ck_assert_int_eq(kill(child.pid, end_signals[_i % 3]), 0);
	ck_assert_int_eq(child_end(&child), 0);
	(void)client_receive(idle, &end);
	(void)client_receive(half, &end);
	ck_assert_uint_eq(end.size, 0);
	bytes_free(&end);
	(void)close(idle);
	(void)close(half);
	dir_remove(dir);
}
END_TEST

static void
ignore_hangup(const void *arg)
{
	(void)arg;
	(void)signal(SIGHUP, SIG_IGN);
}

START_TEST(test_nohup)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		NULL};
	struct child child = child_start_prepared(args, 1, ignore_hangup, NULL);

	for (int i = 0; i < 3; i++) {
		struct bytes reply;

		ck_assert_int_eq(kill(child.pid, SIGHUP), 0);
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	child_stop(&child);
}
END_TEST

/* Begins a download of the big file: the head has come. */
static int
begin_big(const char *url, struct bytes *reply)
{
	int fd = client_connect(url);

	ck_assert(client_send_text(fd, "GET /big" END));
	client_expect(fd, reply, "\r\n\r\n");
	assert_begins(*reply, "HTTP/1.1 200 ");
	assert_has(*reply, "Content-Length: 67108864\r\n");
	return fd;
}

START_TEST(test_grace_finishes)
{
	char *dir = make_big();
	struct child child = START("--grace", "60", "--io", ios[_i], dir);
	struct bytes reply = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);

	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	wait_refused(child.url[0]);
	ck_assert_int_eq(body_size(&reply) + count_rest(fd, &error), BIG);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(child_end(&child), 0);
	bytes_free(&reply);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

START_TEST(test_grace_cuts)
{
	char *dir = make_big();
	struct child child = START("--grace", "0.2", "--io", ios[_i], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);
	int64_t began = now_ms();

	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_ge(now_ms() - began, 200);
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), BIG);
	assert_has(errors, "(stopped)");
	bytes_free(&errors);
	bytes_free(&reply);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

START_TEST(test_second_signal)
{
	char *dir = make_big();
	struct child child = START("--grace", "3600", "--io", ios[_i], dir);
	struct bytes reply = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);

	ck_assert_int_eq(kill(child.pid, SIGINT), 0);
	wait_refused(child.url[0]);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), BIG);
	bytes_free(&reply);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* Connections in the queue, and bytes already there, when the signal comes. */
START_TEST(test_queued)
{
	struct child child = START("--body", "x", "--io", ios[_i]);
	struct bytes reply = {.data = NULL};
	int half = client_connect(child.url[0]), fd[8];

	ck_assert(client_send_text(half, "GET / HTTP/1.1\r\n"));
	reply = client_exchange(child.url[0], GET);
	bytes_free(&reply);
	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	ck_assert(client_send_text(half, "Host: localhost\r\n\r\n"));
	for (int i = 0; i < 8; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], GET));
	}
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(client_receive(fd[i], &reply), 0);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	/* its request was complete before the signal */
	(void)client_receive(half, &reply);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	(void)close(half);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* In a process of its own, as no other can be started there afterwards. */
START_TEST(test_pid_1)
{
	enum { NOT_ALLOWED = 77 };
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct bytes reply;
		struct child child;

		if (unshare(CLONE_NEWPID) < 0)
			_exit(NOT_ALLOWED);
		/* it needs a /proc of the same namespace */
		(void)setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
		child = START("--body", "x", "--with-parent");
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		child_stop(&child);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) &&
			(WEXITSTATUS(status) == 0 ||
				WEXITSTATUS(status) == NOT_ALLOWED),
		"wait status %#x", (unsigned)status);
}
END_TEST

/* A client that leaves in the middle of its reply. */
START_TEST(test_sigpipe)
{
	char *dir = make_big();
	struct child child = START("--io", ios[_i], dir);
	struct bytes reply = {.data = NULL};

	for (int i = 0; i < 4; i++) {
		int fd = begin_big(child.url[0], &reply);

		if (i % 2)
			client_reset(fd);
		else
			(void)close(fd);
		bytes_free(&reply);
	}
	reply = client_exchange(child.url[0], "HEAD /big" END);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_requests)
{
	struct child child =
		START("--body", "x", "--requests", "3", "--io", ios[_i]);
	struct bytes reply, errors = {.data = NULL};

	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	/* without one byte: not counted, and not logged */
	(void)close(client_connect(child.url[0]));
	reply = client_exchange(child.url[0], "nonsense\r\n\r\n");
	assert_begins(reply, "HTTP/1.1 400 ");
	bytes_free(&reply);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_msg(count_lines(&errors) == 3, "expected 3 lines: %s",
		errors.data);
	bytes_free(&errors);
}
END_TEST

START_TEST(test_requests_late)
{
	struct child child = START("--body", "x", "--requests", "1",
		"--timeout", "0.2", "--io", ios[_i]);
	struct bytes reply;

	for (int i = 0; i < 2; i++) {
		reply = client_exchange(child.url[0], "GET / HT");
		assert_begins(reply, "HTTP/1.1 408 ");
		bytes_free(&reply);
	}
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* The last one closes the door; a reply under way is finished. */
START_TEST(test_requests_under_way)
{
	char *dir = make_big();
	struct child child = START("--requests", "2", "--io", ios[_i], dir);
	struct bytes reply = {.data = NULL}, last, none = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);
	int half = client_connect(child.url[0]);

	ck_assert(client_send_text(half, "GET / HT"));
	last = client_exchange(child.url[0], "GET /missing" END);
	assert_begins(last, "HTTP/1.1 404 ");
	(void)client_receive(half, &none);
	ck_assert_uint_eq(none.size, 0);
	wait_refused(child.url[0]);
	ck_assert_int_eq(body_size(&reply) + count_rest(fd, &error), BIG);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(child_end(&child), 0);
	bytes_free(&reply);
	bytes_free(&last);
	bytes_free(&none);
	(void)close(half);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* Exactly so many, however many come at once. */
START_TEST(test_requests_exact)
{
	struct child child =
		START("--body", "x", "--requests", "5", "--io", ios[_i]);
	struct bytes reply = {.data = NULL};
	int fd[20], answered = 0;

	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	for (int i = 0; i < 20; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], GET));
	}
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	for (int i = 0; i < 20; i++) {
		(void)client_receive(fd[i], &reply);
		answered += strncmp(reply.data, "HTTP/1.1 200 ", 13) == 0;
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	ck_assert_int_eq(answered, 5);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* As exactly when the replies take many turns to be made. */
START_TEST(test_requests_listings)
{
	char *dir = dir_make(), name[32];
	struct child child;
	struct bytes reply = {.data = NULL};
	int fd[8], answered = 0;

	dir_write(dir, "many/0", "", 0);
	for (int i = 1; i < 3000; i++) {
		(void)snprintf(name, sizeof name, "many/%d", i);
		ck_assert_int_eq(link(in(dir, "many/0"), in(dir, name)), 0);
	}
	child = START("--requests", "1", "--io", ios[_i], dir);
	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	for (int i = 0; i < 8; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], "GET /many/" END));
	}
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	for (int i = 0; i < 8; i++) {
		bytes_add(&reply, "", 0);
		(void)client_receive(fd[i], &reply);
		if (reply.size > 0) {
			assert_begins(reply, "HTTP/1.1 200 ");
			assert_has(reply, "</html>\n");
			answered++;
		}
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	ck_assert_msg(answered == 1, "expected 1 reply, came %d", answered);
	ck_assert_int_eq(child_end(&child), 0);
	dir_remove(dir);
}
END_TEST

START_TEST(test_lifetime)
{
	struct bytes errors = {.data = NULL}, reply;
	int64_t began = now_ms();
	struct child child;
	int fd;

	ck_assert_int_eq(RUN(&errors, "-p", "0", "--body", "x", "--lifetime",
				 "0.2", "--io", ios[_i]),
		0);
	ck_assert_int_ge(now_ms() - began, 200);
	ck_assert_str_eq(errors.data, "");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--body", "x", "--lifetime",
				 "0.1", "--requests", "1", "--io", ios[_i]),
		5);
	bytes_free(&errors);
	child = START("--body", "x", "--lifetime", "3600", "--requests", "1",
		"--io", ios[_i]);
	reply = client_exchange(child.url[0], GET);
	bytes_free(&reply);
	ck_assert_int_eq(child_end(&child), 0);
	/* the reply was given, though its connection is still being drained */
	child = START("--body", "x", "--lifetime", "0.3", "--requests", "1",
		"--io", ios[_i]);
	reply = (struct bytes){.data = NULL};
	fd = client_connect(child.url[0]);
	ck_assert(client_send_text(fd, "BAD\x01\r\n"));
	client_expect(fd, &reply, "400 Bad Request");
	bytes_free(&reply);
	ck_assert_int_eq(child_end(&child), 0);
	(void)close(fd);
	/* a signal is not the end of a lifetime */
	child = START("--body", "x", "--lifetime", "3600", "--requests", "1",
		"--io", ios[_i]);
	child_stop(&child);
}
END_TEST

static void
take_null_input(const void *arg)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)arg;
	(void)dup2(fd, STDIN_FILENO);
}

/*
 * A process between this one and the command is killed, which cannot tell
 * the command anything. Its orphan comes to us, if we ask for that.
 */
START_TEST(test_parent_killed)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		"--with-parent", "--io", ios[_i], NULL};
	struct child child;
	int status, pair[2];
	pid_t parent;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
	parent = fork();
	ck_assert_int_ge(parent, 0);
	if (parent == 0) {
		child = child_start_prepared(args, 1, take_null_input, NULL);
		(void)!write(pair[1], &child, sizeof child);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(client_wait(pair[0], RT_TEST_PATIENCE * 1000), 0);
	ck_assert_int_eq(read(pair[0], &child, sizeof child), sizeof child);
	(void)close(pair[1]);
	ck_assert_int_eq(kill(parent, SIGKILL), 0);
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	(void)close(pair[0]);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"wait status %#x", (unsigned)status);
}
END_TEST

/* The end of a pipe on stdin, which must be asked for. */
START_TEST(test_input_ends)
{
	struct child child =
		START("--body", "x", "--with-parent", "--io", ios[_i]);
	struct bytes reply;

	/* what comes on it is dropped */
	ck_assert_int_eq(write(child.in, "some\nlines\n", 11), 11);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	(void)close(child.in);
	child.in = -1;
	ck_assert_int_eq(child_end(&child), 0);

	child = START("--body", "x", "--io", ios[_i]);
	(void)close(child.in);
	child.in = -1;
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
}
END_TEST

/* An option reads it: its end is not the parent's. Neither is /dev/null's. */
START_TEST(test_input_used)
{
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--body",
		"@-", "--with-parent", "--io", ios[_i], NULL};
	const char *const null[] = {"-p", "0", "-b", "127.0.0.1", "--body", "x",
		"--with-parent", "--io", ios[_i], NULL};
	struct child child = child_start(args, 0);
	struct bytes reply, urls = {.data = NULL};

	ck_assert_int_eq(write(child.in, "from\0stdin", 10), 10);
	(void)close(child.in);
	child.in = -1;
	ck_assert_int_eq(client_receive(child.out, &urls), 0);
	for (int i = 0; i < 3; i++) {
		reply = client_exchange(strndupa(urls.data,
						strcspn(urls.data, "\n")),
			GET);
		ck_assert_int_eq(body_size(&reply), 10);
		ck_assert_mem_eq(reply.data + reply.size - 10, "from\0stdin",
			10);
		bytes_free(&reply);
	}
	bytes_free(&urls);
	child_stop(&child);

	child = child_start_prepared(null, 1, take_null_input, NULL);
	for (int i = 0; i < 3; i++) {
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	child_stop(&child);
}
END_TEST

/* --- load --- */

/* So many clients, at once, while the command cannot run. */
START_TEST(test_burst)
{
	enum { COUNT = 200 };
	struct child child = START("--body", "x", "--io", ios[_i]);
	struct bytes reply = {.data = NULL};
	int fd[COUNT];

	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	for (int i = 0; i < COUNT; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], GET));
	}
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(client_receive(fd[i], &reply), 0);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
		(void)close(fd[i]);
	}
	child_stop(&child);
}
END_TEST

/* Silent ones: by TCP, and by a Unix socket, where they are accepted. */
START_TEST(test_idle)
{
	enum { COUNT = 2000 };
	char *dir, spec[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-b", spec,
		"--body", "x", "--timeout", "600", "--io", ios[_i], NULL};
	static int fd[COUNT];
	struct child child;

	need_descriptors(COUNT + 100);
	dir = dir_make();
	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 2);
	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < COUNT; i++)
			fd[i] = client_connect(child.url[k]);
		for (int i = 0; i < 10; i++) {
			struct bytes reply = client_exchange(child.url[k], GET);

			assert_begins(reply, "HTTP/1.1 200 ");
			bytes_free(&reply);
		}
		for (int i = 0; i < COUNT; i++)
			(void)close(fd[i]);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Nobody reads the log. */
START_TEST(test_full_log)
{
	struct child child = START("-vv", "--body", "x", "--io", ios[_i]);
	struct bytes errors = {.data = NULL};
	int status;

	for (int i = 0; i < times(5000); i++) {
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	/* what did come is made of whole lines, and what did not is told */
	while (client_wait(child.err, 0) == 0 && errors.size < 65536) {
		char text[4096];
		ssize_t n = read(child.err, text, sizeof text);

		ck_assert_int_gt(n, 0);
		bytes_add(&errors, text, (size_t)n);
	}
	ck_assert_uint_ge(errors.size, times(5000) >= 5000 ? 32768 : 1);
	ck_assert_int_eq(errors.data[errors.size - 1], '\n');
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	status = child_end_with_errors(&child, &errors);
	ck_assert_int_eq(status, 0);
	if (times(5000) >= 5000)
		assert_has(errors, " log lines dropped\n");
	bytes_free(&errors);
}
END_TEST

START_TEST(test_closed_log)
{
	struct child child = START("-vv", "--body", "x", "--io", ios[_i]);
	int status;

	(void)close(child.err);
	for (int i = 0; i < 100; i++) {
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(status, 0);
	(void)close(child.out);
	(void)close(child.in);
}
END_TEST

/* Becomes a shell that becomes the command. (valgrind only pretends to do
   what setrlimit(2) asks for.) */
static void
limit_descriptors(const void *args)
{
	const char *const *at = args;
	const char *command = getenv("RETORT");
	const char *argv[32] = {"sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\"",
		command ? command : "./retort"};

	for (size_t i = 4; *at != NULL && i < 31; i++)
		argv[i] = *at++;
	(void)execv("/bin/sh", (char *const *)(uintptr_t)argv);
}

/* Processor time of a process, in milliseconds. */
static int64_t
used_ms(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char name[64];
	struct bytes text;

	(void)snprintf(name, sizeof name, "/proc/%ld/stat", (long)pid);
	text = read_file(name);
	ck_assert_int_eq(sscanf(strrchr(text.data, ')'),
				 ") %*c %*d %*d %*d "
				 "%*d %*d %*u %*u %*u %*u %*u %lu %lu",
				 &user, &system),
		2);
	bytes_free(&text);
	return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

START_TEST(test_descriptors)
{
	enum { COUNT = 100 };
	char *dir = dir_make();
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "--timeout",
		"600", "--io", ios[_i], dir, NULL};
	struct child child;
	struct bytes reply = {.data = NULL};
	int64_t used;
	int fd[COUNT], waiting;

	write_text(dir, "index.html", "index");
	child = child_start_prepared(args, 1, limit_descriptors, args);
	for (int i = 0; i < COUNT; i++) {
		fd[i] = client_connect(child.url[0]);
		ck_assert(client_send_text(fd[i], "G"));
	}
	waiting = client_connect(child.url[0]);
	ck_assert(client_send_text(waiting, GET));
	/* it waits, and so does the command, which has no reason to run */
	used = used_ms(child.pid);
	ck_assert_int_eq(client_wait(waiting, 1000), -1);
	used = used_ms(child.pid) - used;
	ck_assert_msg(used < 500, "%lld ms of processor time in 1000 ms",
		(long long)used);
	/* the accepted ones are served meanwhile, from files too: however
	   long it takes, accepting leaves some descriptors for these */
	ck_assert(client_send_text(fd[0], &GET[1]));
	ck_assert_int_eq(client_receive(fd[0], &reply), 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	for (int i = 0; i < COUNT; i++)
		(void)close(fd[i]);
	ck_assert_int_eq(client_receive(waiting, &reply), 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	(void)close(waiting);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Bodies that nobody wants, from a client that sends everything first. */
static void
refused_posts(const char *url, const char *expected)
{
	static char body[3 << 20];
	int count = getenv("RT_TEST_SLOW") ? 1000 : times(100);
	char head[200];

	(void)snprintf(head, sizeof head,
		"POST / HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: %zu\r\n\r\n",
		sizeof body);
	memset(body, 'b', sizeof body);
	for (int i = 0; i < count; i++) {
		struct bytes reply = {.data = NULL};
		int error, fd = client_connect(url);

		ck_assert_msg(client_send_text(fd, head) &&
				client_send(fd, body, sizeof body),
			"reset while sending body %d", i);
		error = client_receive(fd, &reply);
		ck_assert_msg(error == 0, "body %d: %s", i, strerror(error));
		assert_begins(reply, expected);
		ck_assert_int_gt(body_size(&reply), 0);
		bytes_free(&reply);
		(void)close(fd);
	}
}

START_TEST(test_refused_posts)
{
	char *dir = dir_make();
	struct child child = START("-q", "--io", ios[_i], dir);

	refused_posts(child.url[0], "HTTP/1.1 405 ");
	child_stop(&child);
	child = START("-q", "--io", ios[_i], "--body", "x", "--max-body",
		"1000");
	refused_posts(child.url[0], "HTTP/1.1 413 ");
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_slow_clients)
{
	char *dir = make_big();
	struct child child;
	struct bytes slow = {.data = NULL}, written = {.data = NULL}, reply;
	int error, reader, writer;

	write_text(dir, "index.html", "index");
	child = START("--io", ios[_i], dir);
	reader = begin_big(child.url[0], &slow);
	writer = client_connect(child.url[0]);
	for (const char *at = GET; *at != '\0'; at++) {
		ck_assert(client_send(writer, at, 1));
		if (at[1] == '\0')
			break;
		reply = client_exchange(child.url[0], GET);
		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	ck_assert_int_eq(client_receive(writer, &written), 0);
	assert_begins(written, "HTTP/1.1 200 ");
	ck_assert_int_eq(body_size(&slow) + count_rest(reader, &error), BIG);
	ck_assert_int_eq(error, 0);
	bytes_free(&written);
	bytes_free(&slow);
	(void)close(reader);
	(void)close(writer);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- time-outs --- */

START_TEST(test_timeout)
{
	char *dir = dir_make(), spec[4200];
	const char *const args[] = {"-p", "0", "-b", "127.0.0.1", "-b", spec,
		"--body", "x", "--timeout", "0.2", "--io", ios[_i], NULL};
	static const char *const begun[] = {"G", "GET / HTTP/1.1\r\nHost: x",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody",
		("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		 "\r\n4\r\nbody\r\n")};
	struct bytes reply = {.data = NULL};
	struct child child;
	int64_t began;
	int fd;

	(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
	child = child_start(args, 2);
	for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
		began = now_ms();
		reply = client_exchange(child.url[0], begun[i]);
		assert_begins(reply, "HTTP/1.1 408 ");
		ck_assert_int_ge(now_ms() - began, 200);
		bytes_free(&reply);
	}
	for (int i = 0; i < 2; i++) { /* idle: without a word */
		began = now_ms();
		fd = client_connect(child.url[i]);
		ck_assert_int_eq(client_receive(fd, &reply), 0);
		ck_assert_uint_eq(reply.size, 0);
		ck_assert_int_ge(now_ms() - began, 200);
		bytes_free(&reply);
		(void)close(fd);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* The client takes nothing of the reply. */
START_TEST(test_write_timeout)
{
	char *dir = make_big();
	struct child child = START("--requests", "1", "--timeout", "0.2",
		"--io", ios[_i], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int64_t began = now_ms();
	int error, fd = begin_big(child.url[0], &reply);

	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_ge(now_ms() - began, 200);
	assert_has(errors, "(timed out)");
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), BIG);
	bytes_free(&reply);
	bytes_free(&errors);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* --- HTTP --- */

/* What every reply has. The body, if any, is as long as was promised. */
static void
check_reply(const struct bytes *reply, int status, bool head_only)
{
	char first[32];
	const char *length = strstr(reply->data, "\r\nContent-Length: ");

	(void)snprintf(first, sizeof first, "HTTP/1.1 %d ", status);
	assert_begins(*reply, first);
	assert_has(*reply, "\r\nConnection: close\r\n");
	assert_has(*reply, "\r\nDate: ");
	if (status == 204 || status == 304) {
		ck_assert_ptr_null(length);
		ck_assert_int_eq(body_size(reply), 0);
		return;
	}
	ck_assert_msg(length != NULL, "no Content-Length: %s",
		shown(reply->data, reply->size));
	if (head_only)
		ck_assert_int_eq(body_size(reply), 0);
	else
		ck_assert_int_eq(body_size(reply), atoll(length + 18));
	if (body_size(reply) > 0)
		assert_has(*reply, "\r\nContent-Type: ");
}

struct row {
	int status;
	const char *request;
	size_t size; /* 0: strlen() */
	const char *has;
};

static void
check_row(const char *url, const struct row *row)
{
	size_t size = row->size ? row->size : strlen(row->request);
	struct bytes reply = {.data = NULL};
	int fd = client_connect(url);
	int error;

	ck_assert(client_send(fd, row->request, size));
	error = client_receive(fd, &reply);
	ck_assert_msg(error == 0, "%s after %s", strerror(error),
		shown(row->request, size));
	(void)close(fd);
	ck_assert_msg(reply.size > 13 && atoi(reply.data + 9) == row->status,
		"expected %d to %s\n# got: %s", row->status,
		shown(row->request, size), shown(reply.data, reply.size));
	check_reply(&reply, row->status,
		strncmp(row->request, "HEAD ", 5) == 0);
	if (row->has != NULL)
		assert_has(reply, row->has);
	bytes_free(&reply);
}

#define HOST "Host: localhost\r\n"
#define WITH(fields) "GET / HTTP/1.1\r\n" HOST fields "\r\n\r\n"
#define POST_WITH(fields, body) \
	"POST / HTTP/1.1\r\n" HOST fields "\r\n\r\n" body

static const struct row file_rows[] = {
	{200, GET, 0, "\r\n\r\n<p>index"},
	{200, "HEAD /" END, 0, "\r\nContent-Length: 8\r\n"},
	{200, "GET / HTTP/1.0\r\n\r\n", 0, NULL},
	{200, "\r\n\r\n" GET, 0, NULL},
	{200, "GET http://localhost/text.TXT" END, 0,
		"Content-Type: "
		"text/plain; charset=utf-8\r\n"},
	{200, "GET /t%65xt.TXT?query" END, 0, "\r\n\r\ntext"},
	{200, "GET /sub/../text.TXT" END, 0, "\r\n\r\ntext"},
	{200, "GET /../../text.TXT" END, 0, "\r\n\r\ntext"},
	{200, "GET /sub/%2e%2e/text.TXT" END, 0, "\r\n\r\ntext"},
	{200, "GET /link" END, 0, "\r\n\r\ntext"},
	{200, "GET /.well-known/seen" END, 0, "\r\n\r\nseen"},
	{200, "GET /page/" END, 0, "\r\n\r\npage"},
	{200, "GET /sub/" END, 0, "<a href=\"file\">file</a>"},
	{200, WITH("Upgrade: h2c\r\nConnection: Upgrade"), 0, NULL},
	{200, "GET /empty" END, 0, "\r\nContent-Length: 0\r\n"},
	{301, "GET /page" END, 0, "\r\nLocation: /page/\r\n"},
	{301, "GET /page?a=%22b&c" END, 0, "\r\nLocation: /page/?a=%22b&c\r\n"},
	{301, "HEAD /page" END, 0, "\r\nLocation: /page/\r\n"},
	{301, "GET //evil" END, 0, "\r\nLocation: /evil/\r\n"},
	{301, "GET //evil//more" END, 0, "\r\nLocation: /evil/more/\r\n"},
	{301, "GET /cr%0D%0ALF:%20x" END, 0,
		"\r\nLocation: /cr%0D%0ALF%3A%20x/\r\n"},
	{301, "GET /%5Cevil" END, 0, "\r\nLocation: /%5Cevil/\r\n"},
	{400, "GET /\r\n\r\n", 0, NULL},
	{400, "GET / HTTP/1.1\r\n\r\n", 0, NULL},
	{400, WITH("Host: localhost"), 0, NULL},
	{400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, NULL},
	{400, "GET / HTTP/1.1\nHost: x\n\n", 0, NULL},
	{400, WITH("A: b\rc"), 0, NULL},
	{400, WITH("A: b\0c"), sizeof WITH("A: b\0c") - 1, NULL},
	{400, WITH("A : b"), 0, "space before the colon"},
	{400, WITH(": b"), 0, NULL},
	{400, WITH("A: b\r\n c"), 0, NULL},
	{400, POST_WITH("Content-Length: +1", "x"), 0, NULL},
	{400, POST_WITH("Content-Length: 1, 2", "xy"), 0, NULL},
	{400, POST_WITH("Content-Length: 1\r\nContent-Length: 2", "xy"), 0,
		NULL},
	{400,
		POST_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked",
			"0\r\n\r\n"),
		0, NULL},
	{400, "GET /%00" END, 0, NULL},
	{400, "GET /%zz" END, 0, NULL},
	{400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, "TLS"},
	{403, "GET /fifo" END, 0, NULL},
	{403, "GET /socket" END, 0, NULL},
	{403, "GET /out" END, 0, NULL},
	{403, "GET /absolute" END, 0, NULL},
	{404, "GET /missing" END, 0, NULL},
	{404, "GET /missing/" END, 0, NULL},
	{404, "HEAD /missing" END, 0, NULL},
	{404, "GET /.hidden" END, 0, NULL},
	{404, "GET /.git/config" END, 0, NULL},
	{404, "GET /.well-known/.hidden" END, 0, NULL},
	{200, "GET /page%2Findex.html" END, 0, NULL},
	{404, "GET /page%252Findex.html" END, 0, NULL},
	{404, "GET /text.TXT/more" END, 0, NULL},
	{404, "GET /loop" END, 0, NULL},
	{405, "POST /" END, 0, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
	{405, "DELETE /text.TXT" END, 0, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
	{413, WITH("Content-Length: 1048577"), 0, NULL},
	{417, WITH("Expect: a miracle"), 0, NULL},
	{501, "BREW /" END, 0, NULL},
	{501, "CONNECT localhost:80" END, 0, NULL},
	{501, POST_WITH("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 0,
		NULL},
	{505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 0, NULL},
	{505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, NULL},
};

/* A folder with something of every kind in it. */
static char *
make_site(void)
{
	char *dir = dir_make();

	write_text(dir, "index.html", "<p>index");
	write_text(dir, "text.TXT", "text");
	write_text(dir, "empty", "");
	write_text(dir, "page/index.html", "page");
	write_text(dir, "sub/file", "file");
	write_text(dir, "evil/more/file", "file");
	write_text(dir, "\\evil/file", "file");
	write_text(dir, "cr\r\nLF: x/file", "file");
	write_text(dir, ".hidden", "hidden");
	write_text(dir, ".git/config", "hidden");
	write_text(dir, ".well-known/seen", "seen");
	write_text(dir, ".well-known/.hidden", "hidden");
	ck_assert_int_eq(symlink("text.TXT", in(dir, "link")), 0);
	ck_assert_int_eq(symlink("../..", in(dir, "out")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", in(dir, "absolute")), 0);
	ck_assert_int_eq(symlink("loop", in(dir, "loop")), 0);
	ck_assert_int_eq(mkfifo(in(dir, "fifo"), 0666), 0);
	(void)close(make_unix(in(dir, "socket"), false));
	return dir;
}

START_TEST(test_files)
{
	char *dir = make_site();
	struct child child = START("--io", ios[_i], dir);

	for (size_t i = 0; i < sizeof file_rows / sizeof *file_rows; i++)
		check_row(child.url[0], file_rows + i);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Long things, which rows cannot show. */
START_TEST(test_limits)
{
	static const struct {
		int status, target, field, count;
	} cases[] = {
		{404, 300, 0, 0}, /* ENAMETOOLONG */
		{404, 8191, 0, 0},
		{414, 8192, 0, 0},
		{414, 70000, 0, 0},
		{200, 0, 60000, 0},
		{431, 0, 65536, 0},
		{200, 0, 0, 99},
		{431, 0, 0, 100},
	};
	char *dir = make_site();
	struct child child = START(dir);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes request = {.data = NULL};
		struct row row = {.status = cases[i].status};

		bytes_add(&request, "GET /", 5);
		add_many(&request, 'a', cases[i].target);
		bytes_add(&request, " HTTP/1.1\r\n" HOST, 11 + sizeof HOST - 1);
		for (int k = 0; k < cases[i].count; k++)
			bytes_add(&request, "A: b\r\n", 6);
		if (cases[i].field > 0)
			bytes_add(&request, "A: ", 3);
		add_many(&request, 'b', cases[i].field);
		if (cases[i].field > 0)
			bytes_add(&request, "\r\n", 2);
		bytes_add(&request, "\r\n", 2);
		row.request = request.data;
		row.size = request.size;
		check_row(child.url[0], &row);
		bytes_free(&request);
	}
	child_stop(&child);

	child = START("--max-target", "10", "--max-head", "100", "--max-fields",
		"2", dir);
	check_row(child.url[0],
		&(struct row){404, "GET /123456789" END, 0, NULL});
	check_row(child.url[0],
		&(struct row){414, "GET /1234567890" END, 0, NULL});
	check_row(child.url[0], &(struct row){200, WITH("A: b"), 0, NULL});
	check_row(child.url[0],
		&(struct row){431, WITH("A: b\r\nA: b"), 0, NULL});
	check_row(child.url[0],
		&(struct row){431,
			WITH("A: "
			     "1234567890123456789012345678901234567890123456789012345678901"),
			0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_file_fields)
{
	char *dir = make_site();
	struct child child = START(dir);
	struct bytes reply = client_exchange(child.url[0], GET);
	struct bytes head = client_exchange(child.url[0], "HEAD /" END);

	assert_has(reply, "\r\nLast-Modified: ");
	assert_has(reply, "\r\nETag: \"");
	assert_has(reply, "\r\nCache-Control: no-cache\r\n");
	assert_has(reply, "\r\nContent-Type: text/html; charset=utf-8\r\n");
	/* the same but for the second in which it was made */
	ck_assert_uint_eq(reply.size - 8, head.size);
	ck_assert_str_eq(strstr(head.data, "\r\nContent-Type"),
		strndupa(strstr(reply.data, "\r\nContent-Type"),
			strlen(strstr(reply.data, "\r\nContent-Type")) - 8));
	bytes_free(&reply);
	bytes_free(&head);
	reply = client_exchange(child.url[0],
		"OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
	assert_begins(reply, "HTTP/1.1 20");
	assert_has(reply, "\r\nAllow: GET, HEAD, OPTIONS\r\n");
	bytes_free(&reply);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_dotfiles)
{
	char *dir = make_site();
	struct child child = START("--dotfiles", dir);

	check_row(child.url[0],
		&(struct row){200, "GET /.hidden" END, 0, "\r\n\r\nhidden"});
	check_row(child.url[0],
		&(struct row){200, "GET /.git/config" END, 0,
			"\r\n\r\nhidden"});
	check_row(child.url[0], &(struct row){403, "GET /out" END, 0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* ROOT is one file. */
START_TEST(test_one_file)
{
	char *dir = make_site();
	struct child child = START(in(dir, "text.TXT"));

	check_row(child.url[0],
		&(struct row){200, GET, 0,
			"\r\nContent-Type: text/plain; charset=utf-8\r\n"});
	check_row(child.url[0],
		&(struct row){200, "GET /text.TXT" END, 0, "\r\n\r\ntext"});
	check_row(child.url[0],
		&(struct row){404, "GET /index.html" END, 0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* An operand is named as such, an option as it is written. */
START_TEST(test_wrong_root)
{
	char *dir = make_site();
	const char *file = in(dir, "text.TXT");
	struct bytes errors = {.data = NULL};

	ck_assert_int_eq(RUN(&errors, "-p", "0", "spa x"), 2);
	ck_assert_str_eq(errors.data,
		"retort: spa x: No such file or directory\n");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--spa", "x", "spa x"), 2);
	ck_assert_str_eq(errors.data,
		"retort: spa x: No such file or directory\n");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--spa", "x", file), 2);
	ck_assert_str_eq(errors.data, "retort: --spa 'x': Not a directory\n");
	bytes_free(&errors);
	dir_remove(dir);
}
END_TEST

/* A file of 3 MB, some of it after the client's FIN, or behind garbage. */
START_TEST(test_half_close)
{
	enum { SIZE = 3000000 };
	char *dir = dir_make(), *content = malloc(SIZE);
	struct bytes garbage = {.data = NULL}, reply = {.data = NULL};
	struct child child;
	int fd;

	ck_assert_ptr_nonnull(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)(i * 31 + i / 251);
	dir_write(dir, "file", content, SIZE);
	child = START("--io", ios[_i % 2], dir);
	fd = client_connect(child.url[0]);
	bytes_add(&garbage, "GET /file" END, strlen("GET /file" END));
	if (_i >= 2) {
		bytes_add(&garbage, "\0\n\r\n", 4);
		add_many(&garbage, '\xff', 64 << 10);
	}
	ck_assert(client_send(fd, garbage.data, garbage.size));
	if (_i < 4)
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(client_receive(fd, &reply), 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	ck_assert_int_eq(body_size(&reply), SIZE);
	ck_assert_mem_eq(reply.data + reply.size - SIZE, content, SIZE);
	(void)close(fd);
	child_stop(&child);
	bytes_free(&garbage);
	bytes_free(&reply);
	free(content);
	dir_remove(dir);
}
END_TEST

/* What was promised is sent, or the connection is closed before its end. */
START_TEST(test_file_changes)
{
	bool grows = _i >= 2;
	char *dir = make_big();
	struct child child = START("--io", ios[_i % 2], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);
	off_t got;

	ck_assert_int_eq(truncate(in(dir, "big"), grows ? 2 * BIG : BIG / 4),
		0);
	got = body_size(&reply) + count_rest(fd, &error);
	(void)close(fd);
	ck_assert_int_eq(error, 0);
	if (grows)
		ck_assert_int_eq(got, BIG);
	else
		ck_assert_int_lt(got, BIG);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	if (grows)
		assert_lacks(errors, "(truncated)");
	else
		assert_has(errors, "(truncated)");
	bytes_free(&errors);
	bytes_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(test_expect)
{
	static const char head[] =
		"PUT / HTTP/1.1\r\n" HOST
		"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n";
	char *dir = dir_make();
	struct child child = START("--body", "x", "--io", ios[_i]);
	struct bytes reply = {.data = NULL};
	int fd = client_connect(child.url[0]);

	ck_assert(client_send_text(fd, head));
	client_expect(fd, &reply, "\r\n\r\n");
	ck_assert_str_eq(reply.data, "HTTP/1.1 100 Continue\r\n\r\n");
	bytes_free(&reply);
	ck_assert(client_send_text(fd, "body"));
	ck_assert_int_eq(client_receive(fd, &reply), 0);
	check_reply(&reply, 200, false);
	bytes_free(&reply);
	(void)close(fd);
	child_stop(&child);

	/* not wanted: no interim reply */
	child = START("--io", ios[_i], dir);
	reply = client_exchange(child.url[0], head);
	check_reply(&reply, 405, false);
	bytes_free(&reply);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- conditions, ranges, listings --- */

#define TEXT_WITH(fields) "GET /text.TXT HTTP/1.1\r\n" HOST fields "\r\n\r\n"
#define EARLIER "Thu, 02 Jan 2020 03:04:04 GMT"
#define MODIFIED "Thu, 02 Jan 2020 03:04:05 GMT"
#define LATER "Thu, 02 Jan 2020 03:04:06 GMT"

/* make_site(), whose text.TXT is of MODIFIED. */
static char *
make_dated_site(void)
{
	static const struct timespec then[2] = {{.tv_sec = 1577934245},
		{.tv_sec = 1577934245}};
	char *dir = make_site();

	ck_assert_int_eq(utimensat(AT_FDCWD, in(dir, "text.TXT"), then, 0), 0);
	return dir;
}

static void
check_rows(const char *url, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(url, rows + i);
}

static const struct row condition_rows[] = {
	{200, TEXT_WITH("A: b"), 0, "\r\nLast-Modified: " MODIFIED "\r\n"},
	{304, TEXT_WITH("If-Modified-Since: " MODIFIED), 0, "\r\nETag: \""},
	{304, TEXT_WITH("If-Modified-Since: " LATER), 0,
		"\r\nCache-Control: no-cache\r\n"},
	{200, TEXT_WITH("If-Modified-Since: " EARLIER), 0, "\r\n\r\ntext"},
	/* the two obsolete forms of a date */
	{304, TEXT_WITH("If-Modified-Since: Thursday, 02-Jan-20 03:04:05 GMT"),
		0, NULL},
	{200, TEXT_WITH("If-Modified-Since: Thursday, 02-Jan-20 03:04:04 GMT"),
		0, NULL},
	{304, TEXT_WITH("If-Modified-Since: Thu Jan  2 03:04:05 2020"), 0,
		NULL},
	/* what is no date, or is one twice, is as if it were not there */
	{200, TEXT_WITH("If-Modified-Since: tomorrow"), 0, NULL},
	{200,
		TEXT_WITH("If-Modified-Since: " LATER
			  "\r\nIf-Modified-Since: " LATER),
		0, NULL},
	{412, TEXT_WITH("If-Unmodified-Since: " EARLIER), 0,
		"\r\n\r\n412 Precondition Failed"},
	{200, TEXT_WITH("If-Unmodified-Since: " MODIFIED), 0, NULL},
	{304, TEXT_WITH("If-None-Match: *"), 0, NULL},
	{200, TEXT_WITH("If-None-Match: \"a\", W/\"b\""), 0, NULL},
	{200, TEXT_WITH("If-Match: *"), 0, "\r\n\r\ntext"},
	{412, TEXT_WITH("If-Match: \"a\", W/\"b\""), 0, NULL},
	/* a tag counts more than a date */
	{200, TEXT_WITH("If-None-Match: \"a\"\r\nIf-Modified-Since: " LATER), 0,
		NULL},
	{200, TEXT_WITH("If-Match: *\r\nIf-Unmodified-Since: " EARLIER), 0,
		NULL},
	/* and both, before the range */
	{412, TEXT_WITH("If-Match: \"a\"\r\nIf-None-Match: *"), 0, NULL},
	{304, TEXT_WITH("If-None-Match: *\r\nRange: bytes=9-"), 0, NULL},
	{304, "HEAD /text.TXT HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0, NULL},
	{412, "HEAD /text.TXT HTTP/1.0\r\nIf-Match: \"a\"\r\n\r\n", 0, NULL},
	{204, "OPTIONS /text.TXT HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0,
		NULL},
	/* of what is there alone */
	{404, "GET /missing HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0, NULL},
	{404, "GET /missing HTTP/1.0\r\nIf-Match: *\r\n\r\n", 0, NULL},
	{301, "GET /page HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0, NULL},
	{200, "GET /sub/ HTTP/1.0\r\nIf-Match: \"a\"\r\n\r\n", 0, "</html>"},
	{405, "POST /text.TXT HTTP/1.0\r\nIf-Match: \"a\"\r\n\r\n", 0, NULL},
};

START_TEST(test_conditions)
{
	char *dir = make_dated_site();
	struct child child = START(dir);

	check_rows(child.url[0], condition_rows,
		sizeof condition_rows / sizeof *condition_rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

#define RANGE(ranges) TEXT_WITH("Range: " ranges)
#define CONTENT_RANGE(range) "\r\nContent-Range: bytes " range "\r\n"

/* Of "text", four bytes. */
static const struct row range_rows[] = {
	{206, RANGE("bytes=0-0"), 0, CONTENT_RANGE("0-0/4")},
	{206, RANGE("bytes=0-0"), 0, "\r\n\r\nt"},
	{206, RANGE("BYTES=1-2"), 0, "\r\n\r\nex"},
	{206, RANGE("bytes=2-"), 0, "\r\n\r\nxt"},
	{206, RANGE("bytes=-1"), 0, CONTENT_RANGE("3-3/4")},
	{206, RANGE("bytes=0-99999999999999999999999"), 0,
		CONTENT_RANGE("0-3/4")},
	{206, RANGE("bytes=-99999999999999999999999"), 0,
		CONTENT_RANGE("0-3/4")},
	{206, RANGE("bytes=0-1,9-,1-2"), 0, CONTENT_RANGE("0-2/4")},
	{206, RANGE("bytes= , 1-1\t,,"), 0, CONTENT_RANGE("1-1/4")},
	{206, RANGE("bytes=3-3,0-0"), 0, "\r\n\r\nt\r\n--"},
	{416, RANGE("bytes=4-"), 0, CONTENT_RANGE("*/4")},
	{416, RANGE("bytes=4-,99999999999999999999999-"), 0,
		CONTENT_RANGE("*/4")},
	{416, RANGE("bytes=-0"), 0, NULL},
	/* as if it were not there */
	{200, RANGE("bytes=1-0"), 0, "\r\n\r\ntext"},
	{200, RANGE("bytes=0-0,x"), 0, "\r\n\r\ntext"},
	{200, RANGE("bytes=-"), 0, NULL},
	{200, RANGE("bytes="), 0, NULL},
	{200, RANGE("bytes 0-0"), 0, NULL},
	{200, RANGE("lines=0-0"), 0, NULL},
	{200, RANGE("bytes=0-0\r\nRange: bytes=0-0"), 0, NULL},
	{200, "HEAD /text.TXT HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", 0,
		"\r\nContent-Length: 4\r\n"},
	/* of an empty file nothing can be sent */
	{200, "GET /empty HTTP/1.0\r\nRange: bytes=0-\r\n\r\n", 0,
		"\r\nContent-Length: 0\r\n"},
	{200, "GET /empty HTTP/1.0\r\nRange: bytes=-1\r\n\r\n", 0,
		"\r\nContent-Length: 0\r\n"},
	{416, "GET /empty HTTP/1.0\r\nRange: bytes=1-\r\n\r\n", 0,
		CONTENT_RANGE("*/0")},
	{206, RANGE("bytes=0-0\r\nIf-Range: " MODIFIED), 0, NULL},
	{200, RANGE("bytes=0-0\r\nIf-Range: " LATER), 0, NULL},
	{200, RANGE("bytes=0-0\r\nIf-Range: \"a\""), 0, NULL},
	{200, RANGE("bytes=9-\r\nIf-Range: \"a\""), 0, "\r\n\r\ntext"},
	{404, "GET /missing HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", 0, NULL},
	{200, "GET /sub/ HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", 0, "</html>"},
};

START_TEST(test_ranges)
{
	char *dir = make_dated_site();
	struct child child = START("--io", ios[_i], dir);

	check_rows(child.url[0], range_rows,
		sizeof range_rows / sizeof *range_rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Sixteen that do not meet are sent, one more is too many. */
START_TEST(test_many_ranges)
{
	char *dir = make_big(), text[8000];
	struct child child = START(dir);

	for (int count = 256; count <= 257; count++) {
		size_t used = (size_t)sprintf(text,
			"GET /big HTTP/1.0\r\nRange: bytes=");
		struct bytes reply = {.data = NULL};
		int error, fd;

		for (int i = 0; i < count; i++)
			used += (size_t)sprintf(text + used, "%s%d-%d",
				i > 0 ? "," : "", 10 * i, 10 * i + 3);
		(void)sprintf(text + used, "\r\n\r\n");
		fd = client_connect(child.url[0]);
		ck_assert(client_send_text(fd, text));
		client_expect(fd, &reply, "\r\n\r\n");
		assert_begins(reply,
			count == 256 ? "HTTP/1.1 206 " : "HTTP/1.1 200 ");
		ck_assert_int_eq(body_size(&reply) + count_rest(fd, &error),
			atoll(strstr(reply.data, "Content-Length: ") + 16));
		bytes_free(&reply);
		(void)close(fd);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* A reply that must go out by sendfile(2), in one part or in several. */
START_TEST(test_large_ranges)
{
	enum { SIZE = 3000000 };
	char *dir = dir_make(), *content = malloc(SIZE), *part;
	struct child child;
	struct bytes reply;

	ck_assert_ptr_nonnull(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)(i * 31 + i / 251);
	dir_write(dir, "file", content, SIZE);
	child = START("--io", ios[_i], dir);
	reply = client_exchange(child.url[0],
		"GET /file HTTP/1.0\r\nRange: bytes=1000001-\r\n\r\n");
	check_reply(&reply, 206, false);
	assert_has(reply, CONTENT_RANGE("1000001-2999999/3000000"));
	ck_assert_int_eq(body_size(&reply), SIZE - 1000001);
	ck_assert_mem_eq(reply.data + reply.size - (SIZE - 1000001),
		content + 1000001, SIZE - 1000001);
	bytes_free(&reply);

	reply = client_exchange(child.url[0],
		"GET /file HTTP/1.0\r\n"
		"Range: bytes=2000000-2999999,7-7,1000-1500999\r\n\r\n");
	check_reply(&reply, 206, false);
	part = memmem(reply.data, reply.size, "2000000-2999999/3000000\r\n\r\n",
		27);
	ck_assert_ptr_nonnull(part);
	ck_assert_mem_eq(part + 27, content + 2000000, 1000000);
	part += 27 + 1000000;
	ck_assert_mem_eq(part, "\r\n--retort-", 11);
	part = memmem(part, 200, "7-7/3000000\r\n\r\n", 15);
	ck_assert_ptr_nonnull(part);
	ck_assert_int_eq(part[15], content[7]);
	part = memmem(part, 200, "1000-1500999/3000000\r\n\r\n", 24);
	ck_assert_ptr_nonnull(part);
	ck_assert_mem_eq(part + 24, content + 1000, 1500000);
	part += 24 + 1500000;
	ck_assert_mem_eq(part, "\r\n--retort-", 11);
	ck_assert_str_eq(part + strlen(part) - 4, "--\r\n");
	bytes_free(&reply);
	child_stop(&child);
	free(content);
	dir_remove(dir);
}
END_TEST

/* What was promised of a range is not there any more: closed before its end. */
START_TEST(test_range_of_a_file_that_shrinks)
{
	static const char *const ranges[] = {"1-", "1-30000000,40000000-"};
	char *dir = make_big(), text[128];
	struct child child = START("--io", ios[_i % 2], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int error, fd = client_connect(child.url[0]);
	off_t promised;

	(void)snprintf(text, sizeof text,
		"GET /big HTTP/1.0\r\nRange: bytes=%s\r\n\r\n", ranges[_i / 2]);
	ck_assert(client_send_text(fd, text));
	client_expect(fd, &reply, "\r\n\r\n");
	assert_begins(reply, "HTTP/1.1 206 ");
	promised = atoll(strstr(reply.data, "Content-Length: ") + 16);
	ck_assert_int_eq(truncate(in(dir, "big"), BIG / 4), 0);
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), promised);
	ck_assert_int_eq(error, 0);
	(void)close(fd);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_has(errors, " 206 ");
	assert_has(errors, "(truncated)");
	bytes_free(&errors);
	bytes_free(&reply);
	dir_remove(dir);
}
END_TEST

static const struct row variant_rows[] = {
	{200, TEXT_WITH("Accept-Encoding: gzip"), 0, "\r\n\r\ngzipped"},
	{200, TEXT_WITH("Accept-Encoding: x-gzip"), 0, "\r\n\r\ngzipped"},
	{200, TEXT_WITH("Accept-Encoding: gzip, br"), 0, "\r\n\r\nbrotli"},
	{200, TEXT_WITH("Accept-Encoding: br"), 0,
		"\r\nContent-Encoding: br\r\n"},
	{200, TEXT_WITH("Accept-Encoding: gzip, br;q=0.999"), 0,
		"\r\n\r\ngzipped"},
	{200, TEXT_WITH("Accept-Encoding: gzip\r\nAccept-Encoding: br"), 0,
		"\r\n\r\nbrotli"},
	{200, TEXT_WITH("Accept-Encoding: br;q=0, GZIP"), 0,
		"\r\nContent-Encoding: gzip\r\n"},
	{200, TEXT_WITH("Accept-Encoding: gzip"), 0,
		"\r\nContent-Type: text/plain; charset=utf-8\r\n"},
	{200, TEXT_WITH("Accept-Encoding: identity, br;q=0.5"), 0,
		"\r\n\r\ntext"},
	{200, TEXT_WITH("Accept-Encoding: deflate"), 0, "\r\n\r\ntext"},
	/* a folder, and a link that leads out, are no variants */
	{200, TEXT_WITH("Accept-Encoding: zstd"), 0, "\r\n\r\ntext"},
	{200, TEXT_WITH("Accept-Encoding: zstd, gzip;q=0.1"), 0,
		"\r\n\r\ngzipped"},
	{200, WITH("Accept-Encoding: gzip"), 0, "\r\n\r\n<p>index"},
	{200, WITH("Accept-Encoding: br"), 0, "\r\n\r\nindex by br"},
	{200, TEXT_WITH(""), 0, "\r\nVary: Accept-Encoding\r\n"},
	{200, "HEAD /text.TXT HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n", 0,
		"\r\nContent-Length: 7\r\n"},
	{206, TEXT_WITH("Accept-Encoding: gzip\r\nRange: bytes=4-"), 0,
		CONTENT_RANGE("4-6/7")},
	{206, TEXT_WITH("Accept-Encoding: gzip\r\nRange: bytes=4-"), 0,
		"\r\nContent-Encoding: gzip\r\n"},
	{416, TEXT_WITH("Range: bytes=4-"), 0, CONTENT_RANGE("*/4")},
	{304, TEXT_WITH("Accept-Encoding: gzip\r\nIf-None-Match: *"), 0,
		"\r\nVary: Accept-Encoding\r\n"},
	{404, "GET /missing" END, 0, "\r\nVary: Accept-Encoding\r\n"},
	{200, "GET /sub/" END, 0, "\r\nVary: Accept-Encoding\r\n"},
	{200, "GET /text.TXT.gz" END, 0, "\r\n\r\ngzipped"},
};

START_TEST(test_variants)
{
	char *dir = make_site();
	struct child child;

	write_text(dir, "text.TXT.gz", "gzipped");
	write_text(dir, "text.TXT.br", "brotli");
	write_text(dir, "text.TXT.zst/file", "file");
	write_text(dir, "index.html.br", "index by br");
	ck_assert_int_eq(symlink("/etc/passwd", in(dir, "index.html.gz")), 0);
	child = START("--precompressed", dir);
	check_rows(child.url[0], variant_rows,
		sizeof variant_rows / sizeof *variant_rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* What would not be served is not shown; HEAD tells the length. */
START_TEST(test_listing)
{
	static const char *const links[] = {".well-known/", "%5Cevil/",
		"cr%0D%0ALF%3A%20x/", "evil/", "page/", "sub/", "empty", "link",
		"text.TXT"};
	char *dir = make_site();
	struct child child = START("--io", ios[_i], dir);
	struct bytes reply, head;
	const char *at;

	ck_assert_int_eq(unlink(in(dir, "index.html")), 0);
	reply = client_exchange(child.url[0], GET);
	check_reply(&reply, 200, false);
	assert_has(reply, "\r\nContent-Type: text/html; charset=utf-8\r\n");
	assert_has(reply, "\r\nContent-Security-Policy: default-src 'none'");
	assert_has(reply, "\r\nCache-Control: no-cache\r\n");
	assert_lacks(reply, "\r\nETag");
	assert_lacks(reply, "\r\nLast-Modified");
	at = reply.data;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		char link[64];

		(void)snprintf(link, sizeof link, "<a href=\"%s\">", links[i]);
		at = strstr(at, "<a href=");
		ck_assert_msg(at != NULL &&
				strncmp(at, link, strlen(link)) == 0,
			"expected %s in: %s", link,
			shown(reply.data, reply.size));
		at++;
	}
	ck_assert_ptr_null(strstr(at, "<a href="));
	head = client_exchange(child.url[0], "HEAD /" END);
	check_reply(&head, 200, true);
	ck_assert_int_eq(atoll(strstr(head.data, "Content-Length: ") + 16),
		body_size(&reply));
	bytes_free(&head);
	bytes_free(&reply);
	child_stop(&child);

	child = START("--no-listing", dir);
	check_row(child.url[0],
		&(struct row){403, GET, 0, "403 Forbidden: no index.html"});
	check_row(child.url[0], &(struct row){200, "GET /page/" END, 0, NULL});
	check_row(child.url[0], &(struct row){301, "GET /sub" END, 0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Byte for byte, at its path alone; files are around it. */
START_TEST(test_echo_path)
{
	static const char *const requests[] = {"GET /echo" END,
		"\r\nGET http://localhost/echo?b HTTP/1.0\r\nA:  b \r\n\r\n",
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody",
		"BREW /echo HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n"
		"004;ext=1\r\nbo\xff\n\r\n0\r\nTrailer: t\r\n\r\n"};
	static const struct row rows[] = {
		{200, GET, 0, "\r\n\r\n<p>index"},
		{200, "HEAD /echo" END, 0, "\r\nContent-Type: text/plain"},
		{404, "GET /echo/" END, 0, NULL},
		{404, "GET /%65Cho" END, 0, NULL},
		{404, "GET /ech" END, 0, NULL},
		{405, POST_WITH("Content-Length: 4", "body"), 0, NULL},
		{400, "GET /echo HTTP/1.1\r\n\r\n", 0, NULL},
	};
	char *dir = make_site();
	struct child child = START("--echo=/echo", "--io", ios[_i], dir);

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct bytes reply = client_exchange(child.url[0], requests[i]);
		size_t size = (size_t)body_size(&reply);

		check_reply(&reply, 200, false);
		assert_has(reply, "\r\nContent-Type: text/plain");
		assert_bytes(reply.data + reply.size - size, size, requests[i],
			strlen(requests[i]));
		bytes_free(&reply);
	}
	check_rows(child.url[0], rows, sizeof rows / sizeof *rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

#define NOT_THERE(fields) "GET /a/b?c HTTP/1.1\r\n" HOST fields "\r\n\r\n"

START_TEST(test_missing_pages)
{
	static const struct row rows[] = {
		{200, NOT_THERE("Accept: text/html"), 0, "\r\n\r\n<p>index"},
		{200, NOT_THERE("Accept: a/b;c=\",\", TEXT/HTML ; q=0.1"), 0,
			"\r\nContent-Type: text/html; charset=utf-8\r\n"},
		{200, NOT_THERE("Accept: a/b\r\nAccept: text/html"), 0,
			"\r\nVary: Accept\r\n"},
		{206, NOT_THERE("Accept: text/html\r\nRange: bytes=-1"), 0,
			"\r\n\r\nx"},
		{304, NOT_THERE("Accept: text/html\r\nIf-None-Match: *"), 0,
			"\r\nVary: Accept\r\n"},
		{200, "HEAD /a HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			"\r\nContent-Length: 8\r\n"},
		{200, "GET /.hidden HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			"\r\n\r\n<p>index"},
		{404, NOT_THERE("Accept: */*"), 0, "\r\n\r\n<p>sorry"},
		{404, NOT_THERE("Accept: text/htmlx"), 0, NULL},
		{404, NOT_THERE("Accept: text/html;q=0"), 0, NULL},
		{404, NOT_THERE("If-None-Match: *\r\nRange: bytes=0-0"), 0,
			"\r\n\r\n<p>sorry"},
		{404, NOT_THERE("A: b"), 0, "\r\nVary: Accept\r\n"},
		{404, NOT_THERE("A: b"), 0,
			"\r\nContent-Type: text/html; charset=utf-8\r\n"},
		{404, "HEAD /a" END, 0, "\r\nContent-Length: 8\r\n"},
		{400, "GET /%zz HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			NULL},
		{403, "GET /out HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			NULL},
		{405, "POST /a HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0, NULL},
		{204, "OPTIONS /a HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			NULL},
	};
	char *dir = make_site();
	struct child child;

	write_text(dir, "404.html", "<p>sorry");
	child = START("--spa", "index.html", dir);
	check_rows(child.url[0], rows, sizeof rows / sizeof *rows);
	/* the page may go, and its place be taken by another */
	ck_assert_int_eq(unlink(in(dir, "404.html")), 0);
	check_row(child.url[0],
		&(struct row){404, NOT_THERE("A: b"), 0,
			"\r\n\r\n404 Not Found"});
	write_text(dir, "404.html/index.html", "x");
	check_row(child.url[0],
		&(struct row){404, NOT_THERE("A: b"), 0,
			"\r\n\r\n404 Not Found"});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- canned replies --- */

START_TEST(test_canned)
{
	struct child child = START("-s", "503", "--body", "later\n", "-H",
		"Retry-After: 120", "--io", ios[_i]);
	static const char *const requests[] = {GET, "DELETE /a/b?c" END,
		"BREW /" END, "OPTIONS *" END, "GET /%2e%00" END,
		"POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody"};

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		check_row(child.url[0],
			&(struct row){503, requests[i], 0,
				"\r\nRetry-After: 120\r\n"});
	check_row(child.url[0],
		&(struct row){503, GET, 0,
			"\r\nContent-Type: text/plain; charset=utf-8\r\n"});
	check_row(child.url[0], &(struct row){503, GET, 0, "\r\n\r\nlater\n"});
	check_row(child.url[0],
		&(struct row){503, "HEAD /" END, 0,
			"\r\nContent-Length: 6\r\n"});
	/* refused all the same */
	check_row(child.url[0],
		&(struct row){400, "GET / HTTP/1.1\r\n\r\n", 0, NULL});
	check_row(child.url[0],
		&(struct row){501,
			"1234567890123456789012345678901234567890123456789012345678901"
			"2345 /" END,
			0, NULL});
	child_stop(&child);
}
END_TEST

START_TEST(test_canned_without_body)
{
	static const char *const codes[] = {"204", "304", "200"};

	for (size_t i = 0; i < 3; i++) {
		struct child child = START("-s", codes[i]);
		struct bytes reply = client_exchange(child.url[0], GET);

		check_reply(&reply, atoi(codes[i]), false);
		ck_assert_int_eq(body_size(&reply), 0);
		assert_lacks(reply, "Content-Type");
		bytes_free(&reply);
		child_stop(&child);
	}
}
END_TEST

/* What -H says is sent as it is, framing and all. */
START_TEST(test_framing_fields)
{
	char *dir = make_site();

	for (int files = 0; files < 2; files++) {
		struct child child = START("-H", "content-length: 99", "-H",
			"Connection: x", "-H",
			"Transfer-Encoding:", files ? dir : "--body=text");
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		assert_has(reply, "\r\ncontent-length: 99\r\n");
		assert_lacks(reply, "Content-Length");
		assert_has(reply, "\r\nConnection: x\r\n");
		assert_lacks(reply, "close");
		assert_lacks(reply, "Transfer-Encoding");
		bytes_free(&reply);
		child_stop(&child);
	}
	dir_remove(dir);
}
END_TEST

/* -H replaces, removes and repeats. */
START_TEST(test_fields)
{
	char *dir = make_site();

	for (int files = 0; files < 2; files++) {
		struct child child = START("-H", "Date:", "-H", "X-A: 1", "-H",
			"content-type:  x/y ", "-H", "X-A: 2", "-H",
			"Cache-Control: max-age=1", files ? "--io" : "--body",
			files ? "best" : "text", files ? dir : "--io=best");
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		assert_lacks(reply, "\r\nDate:");
		assert_lacks(reply, "Content-Type");
		assert_has(reply, "\r\ncontent-type: x/y\r\n");
		assert_has(reply, "\r\nX-A: 1\r\n");
		assert_has(reply, "\r\nX-A: 2\r\n");
		assert_has(reply, "\r\nCache-Control: max-age=1\r\n");
		assert_lacks(reply, "no-cache");
		assert_has(reply, "\r\nConnection: close\r\n");
		bytes_free(&reply);
		child_stop(&child);
	}
	dir_remove(dir);
}
END_TEST

START_TEST(test_mime)
{
	char *dir = make_site();
	struct child child = START("--mime", "txt=text/markdown", "--mime",
		"EMPTY=a/b", dir);

	check_row(child.url[0],
		&(struct row){200, "GET /text.TXT" END, 0,
			"\r\nContent-Type: text/markdown"});
	check_row(child.url[0],
		&(struct row){200, GET, 0,
			"\r\nContent-Type: text/html; charset=utf-8\r\n"});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* The bytes of a file, all of them, with the type that its name tells. */
START_TEST(test_body_file)
{
	static const char json[] = "{\"id\":1}\0\r\n";
	char *dir = dir_make(), option[4200];
	struct child child;
	struct bytes reply;

	dir_write(dir, "user.json", json, sizeof json);
	(void)snprintf(option, sizeof option, "@%s/user.json", dir);
	child = START("--body", option);
	reply = client_exchange(child.url[0], GET);
	assert_has(reply, "\r\nContent-Type: application/json");
	ck_assert_int_eq(body_size(&reply), sizeof json);
	ck_assert_mem_eq(reply.data + reply.size - sizeof json, json,
		sizeof json);
	bytes_free(&reply);
	child_stop(&child);
	child = START("--body", option, "--type", "a/b; c=d");
	check_row(child.url[0],
		&(struct row){200, GET, 0, "\r\nContent-Type: a/b; c=d\r\n"});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Verbatim, whatever it is. */
START_TEST(test_raw)
{
	static const char *const replies[] =
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
			"no HTTP at all\n", "", "HTTP/1.0 299\n\nx"};
	char *dir = dir_make(), *name = strdup(in(dir, "raw"));

	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		static const char *const methods[] = {GET, "HEAD /" END};
		struct child child;

		write_text(dir, "raw", replies[i]);
		child = START("--raw", name, "--io", ios[_i]);
		for (size_t k = 0; k < 2; k++) {
			struct bytes reply =
				client_exchange(child.url[0], methods[k]);

			assert_bytes(reply.data, reply.size, replies[i],
				strlen(replies[i]));
			bytes_free(&reply);
		}
		child_stop(&child);
	}
	free(name);
	dir_remove(dir);
}
END_TEST

/* The request as it came, byte for byte. */
START_TEST(test_echo)
{
	static const char *const requests[] = {GET,
		"\r\nGET http://localhost/%41?b HTTP/1.0\r\nA:  b \r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody",
		"PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"004;ext=1\r\nbo\xff\n\r\n0\r\nTrailer: t\r\n\r\n"};
	struct child child = START("--echo", "--io", ios[_i]);

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct bytes reply = client_exchange(child.url[0], requests[i]);
		size_t size = (size_t)body_size(&reply);

		check_reply(&reply, 200, false);
		assert_has(reply, "\r\nContent-Type: text/plain");
		assert_bytes(reply.data + reply.size - size, size, requests[i],
			strlen(requests[i]));
		bytes_free(&reply);
	}
	child_stop(&child);
}
END_TEST

START_TEST(test_host)
{
	struct child child = START("--host", "localhost", "--host", "127.0.0.1",
		"--host", "[::1]", "--body", "x");

	check_row(child.url[0], &(struct row){200, GET, 0, NULL});
	check_row(child.url[0],
		&(struct row){200,
			"GET / HTTP/1.1\r\nHost: LocalHost:8080\r\n\r\n", 0,
			NULL});
	check_row(child.url[0],
		&(struct row){200, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
			0, NULL});
	check_row(child.url[0],
		&(struct row){421,
			"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 0,
			NULL});
	check_row(child.url[0],
		&(struct row){421,
			"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
			0, NULL});
	check_row(child.url[0],
		&(struct row){421,
			"GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n",
			0, NULL});
	child_stop(&child);
}
END_TEST

/* --- the log --- */

/* Everything on stderr after one request and the end. */
static struct bytes
logged(const char *option, const char *request, size_t size)
{
	struct child child = START(option, "--body", "x");
	struct bytes errors = {.data = NULL}, reply = {.data = NULL};
	int fd = client_connect(child.url[0]);

	ck_assert(client_send(fd, request, size));
	(void)client_receive(fd, &reply);
	bytes_free(&reply);
	(void)close(fd);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	return errors;
}

/* Whether the text has the shape: 9 is a digit, ~ any number of them. */
static bool
is_like(const char *text, const char *shape)
{
	for (; *shape != '\0'; shape++) {
		if (*shape == '~') {
			if (*text < '0' || *text > '9')
				return false;
			text += strspn(text, "0123456789");
		} else if (*shape == '9' ? *text < '0' || *text > '9' :
					   *text != *shape) {
			return false;
		} else {
			text++;
		}
	}
	return *text == '\0';
}

START_TEST(test_log_formats)
{
	static const struct {
		const char *option, *shape;
	} cases[] = {
		{"--log=short",
			"99:99:99.999 #1 127.0.0.1:~ "
			"\"GET /\\\"\\\\ HTTP/1.1\" 200 ~ ~.999 ms\n"},
		{"--io=best",
			"99:99:99.999 #1 127.0.0.1:~ "
			"\"GET /\\\"\\\\ HTTP/1.1\" 200 ~ ~.999 ms\n"},
		{"--log=json",
			"{\"time\":\"9999-99-99T99:99:99.999Z\","
			"\"connection\":1,\"client\":\"127.0.0.1:~\","
			"\"request\":\"GET /\\\"\\\\ HTTP/1.1\","
			"\"status\":200,\"received\":~,\"sent\":~,"
			"\"ms\":~.999,\"end\":\"answered\"}\n"},
		{"--log=none", ""},
		{"-q", ""},
	};
	static const char request[] = "GET /\"\\" END;
	static const char named[] =
		"GET / HTTP/1.1\r\nHost: a\r\nreferer: b\r\n"
		"User-Agent: c d\r\n\r\n";
	struct bytes errors;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		errors = logged(cases[i].option, request, strlen(request));
		ck_assert_msg(is_like(errors.data, cases[i].shape),
			"expected %s\n# got %s", cases[i].shape,
			shown(errors.data, errors.size));
		bytes_free(&errors);
	}
	errors = logged("--log=common", GET, strlen(GET));
	assert_begins(errors, "127.0.0.1 - - [");
	assert_has(errors, "] \"GET / HTTP/1.1\" 200 1\n");
	bytes_free(&errors);
	errors = logged("--log=combined", named, strlen(named));
	assert_has(errors, "] \"GET / HTTP/1.1\" 200 1 \"b\" \"c d\"\n");
	bytes_free(&errors);
	errors = logged("--log=json", named, strlen(named));
	assert_has(errors, ",\"referer\":\"b\",\"user_agent\":\"c d\"}\n");
	bytes_free(&errors);
}
END_TEST

/* Nothing in a request forges a line or drives a terminal. */
START_TEST(test_log_escapes)
{
	static const char *const options[] = {"--log=short", "--log=common",
		"--log=json", "-v", "-vv"};
	static const char hostile[] =
		"GET /\x1b[2J\r\0\xff HTTP/1.1\r\n" HOST
		"A: \x1b]0;\r\x7f\0\x9b\t\\x\r\n\r\nbody\x1b";

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct bytes errors =
			logged(options[i], hostile, sizeof hostile - 1);

		for (size_t k = 0; k < errors.size; k++)
			ck_assert_msg(errors.data[k] == '\n' ||
					(errors.data[k] >= ' ' &&
						errors.data[k] <= '~'),
				"%s: byte %zu of: %s", options[i], k,
				shown(errors.data, errors.size));
		if (i < 3)
			ck_assert_int_eq(count_lines(&errors), 1);
		bytes_free(&errors);
	}
}
END_TEST

START_TEST(test_verbose)
{
	static const char request[] =
		"POST /a HTTP/1.1\r\n" HOST
		"A: \\\x80\t\r\nContent-Length: 9\r\n\r\n1\n\0\x1b\r2\n34";
	static const char head[] =
		"> POST /a HTTP/1.1\n"
		"> Host: localhost\n> A: \\\\\\x80\\t\n> Content-Length: 9\n"
		"> \n";
	static const char body[] = "> 1\n> \\x00\\x1b\\r2\n> 34\n";
	struct bytes errors = logged("-v", request, sizeof request - 1);

	assert_begins(errors, head);
	ck_assert_int_eq(count_lines(&errors), 6);
	assert_lacks(errors, "x1b");
	bytes_free(&errors);
	errors = logged("-vv", request, sizeof request - 1);
	assert_begins(errors, head);
	assert_has(errors, body);
	ck_assert_int_eq(count_lines(&errors), 9);
	bytes_free(&errors);
}
END_TEST

/* Whatever a line begins with comes from the command. */
START_TEST(test_verbose_forgery)
{
	static const char request[] =
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 40\r\n\r\n"
		"retort: forged\n12:34:56.789 127.0.0.1:1\n";
	struct bytes errors = logged("-vv", request, sizeof request - 1);

	assert_has(errors, "\n> retort: forged\n> 12:34:56.789 ");
	bytes_free(&errors);
}
END_TEST

/* A connection that ends without one byte is logged only with -v. */
START_TEST(test_log_empty)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		char *dir = dir_make(), spec[4200];
		const char *const args[] = {"-b", spec, "--body", "x",
			verbose ? "-v" : "--io=best", NULL};
		struct bytes reply, errors = {.data = NULL};
		struct child child;

		(void)snprintf(spec, sizeof spec, "unix:%s/s", dir);
		child = child_start(args, 1);
		(void)close(client_connect(spec));
		reply = client_exchange(spec, GET);
		bytes_free(&reply);
		ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
		ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
		/* with -v, the three lines of the head are there as well */
		ck_assert_msg(count_lines(&errors) == (verbose ? 5 : 1),
			"got: %s", shown(errors.data, errors.size));
		if (verbose)
			assert_has(errors, "(closed)");
		bytes_free(&errors);
		dir_remove(dir);
	}
}
END_TEST

/* A long request is cut: no line is longer than PIPE_BUF. */
START_TEST(test_log_long)
{
	static const char *const options[] = {"--log=short", "--log=common",
		"--log=json", "-v"};
	char request[9000];

	memset(request, '\x1b', 8000);
	memcpy(request, "GET /", 5);
	memcpy(request + 8000, END, sizeof END);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct bytes errors =
			logged(options[i], request, strlen(request));
		size_t size;

		for (const char *at = errors.data; *at; at += size) {
			size = strcspn(at, "\n") + 1;
			ck_assert_uint_le(size, 4096);
		}
		bytes_free(&errors);
	}
}
END_TEST

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
	(void)snprintf(args, sizeof args, "-b %s --io %s %s",
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

	plain_start(&plain, _i % FAMILIES, ios[_i / FAMILIES], "--tcp --echo");
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

	plain_start(&plain, _i % FAMILIES, ios[_i / FAMILIES], "--tcp --echo");
	fd = plain_connect(plain.child.url[0]);
	/* a Unix socket's buffers have one size: two of them, and the piece */
	if (_i % FAMILIES == LOCAL) {
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
	struct child child = START("--tcp", "--echo", "--io", ios[_i]);
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

	child = START("--tcp", "--answer", "OK\n", "--io", ios[_i]);
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
	struct child child = START("--tcp", "--echo", "--io", ios[_i]);
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

/* The pieces and the end of a client that says nothing for a while. */
START_TEST(test_tcp_idle)
{
	struct child child = START("--tcp", "--answer", "OK", "--idle", "0.4",
		"-v", "--io", ios[_i]);
	int64_t began = now_ms();
	struct bytes got = {.data = NULL}, errors;
	int fd = plain_connect(child.url[0]);

	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_int_ge(now_ms() - began, 400);
	ck_assert_uint_eq(got.size, 0);
	(void)close(fd);
	fd = plain_connect(child.url[0]);
	ck_assert_int_eq(client_wait(fd, 100), -1);
	began = now_ms();
	ck_assert(client_send_text(fd, "x"));
	ck_assert_int_eq(client_receive(fd, &got), 0);
	ck_assert_int_ge(now_ms() - began, 400);
	ck_assert_str_eq(got.data, "OK");
	(void)close(fd);
	bytes_free(&got);
	errors = stop_with_errors(&child);
	assert_has(errors, " tcp 0 pieces, 0 bytes in, 0 out, ");
	assert_has(errors, " tcp 1 piece, 1 bytes in, 2 out, ");
	ck_assert_int_eq(count_lines(&errors), 3);
	ck_assert_str_eq(errors.data + errors.size - 12, "(timed out)\n");
	bytes_free(&errors);

	/* a time-out of HTTP's ends no silence */
	child = START("--tcp", "--echo", "--timeout", "0.1", "--io", ios[_i]);
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
		{"--io", "best", ""},
		{"--echo", "-q", "Q\n"},
		{"--answer", "A\n", "A\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct child child = START("--io", ios[_i], "--tcp", "--greet",
			"220 hello\n", cases[i].option, cases[i].value);
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
	child = START("--tcp", "--answer", option, "--io", ios[_i]);
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
	child = START("--udp", "--answer", option, "--io", ios[_i]);
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
	struct child child = START("--tcp", "--answer", "@-", "--io", ios[_i]);
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
	struct child child = START("--tcp", "--answer", "@-", "--io", ios[_i]);
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
	struct child child = START("--tcp", "--answer", "@-", "--io", ios[_i]);
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
	struct child child =
		START("--tcp", "--answer", "@-", "-q", "--io", ios[_i]);
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
	struct child child = START("--tcp", "--answer", "@-", "--io", ios[_i]);
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
	struct child child = START("--udp", "--answer", "@-", "--io", ios[_i]);
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

	plain_start(&plain, _i % FAMILIES, ios[_i / FAMILIES], "--udp --echo");
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
	plain_start(&plain, _i % FAMILIES, ios[_i / FAMILIES], "--udp --echo");
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
	child = START("--udp", "--echo", "--io", ios[_i]);
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

struct pair {
	int fd[2];
};

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
		"--echo", "--io", ios[_i % 2], NULL};
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
	/* beside a word that the wildcard address can be reached */
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
		START("--tcp", "--echo", "--requests", "2", "--io", ios[_i]);
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
	child = START("--tcp", "--answer", "OK", "--requests", "1", "--io",
		ios[_i]);
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

	child = START("--udp", "--echo", "--requests", "3", "--io", ios[_i]);
	fd = datagram_connect(child.url[0]);
	for (int i = 0; i < 3; i++)
		ask_datagram(fd, "x", "x");
	(void)close(fd);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	ck_assert_int_eq(count_lines(&errors), 3);
	bytes_free(&errors);
}
END_TEST

/* Exactly so many, however many are there. */
START_TEST(test_udp_requests_exact)
{
	struct child child =
		START("--udp", "--echo", "--requests", "5", "--io", ios[_i]);
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
					 "--lifetime", "0.2", "--io", ios[_i]),
			0);
		ck_assert_int_ge(now_ms() - began, 200);
		ck_assert_str_eq(errors.data, "");
		bytes_free(&errors);
		ck_assert_int_eq(RUN(&errors, "-p", "0", protocols[i], "--echo",
					 "--lifetime", "0.1", "--requests", "1",
					 "--io", ios[_i]),
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
	struct child child =
		START("--tcp", "--echo", "--with-parent", "--io", ios[_i]);
	int fd = plain_connect(child.url[0]);

	type_text(&child, "dropped\n");
	ck_assert(client_send_text(fd, "x"));
	expect_answer(fd, "x");
	end_typing(&child);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_uint_eq(check_rest(fd, 0), 0);
	(void)close(fd);

	child = START("--udp", "--echo", "--with-parent", "--io", ios[_i]);
	fd = datagram_connect(child.url[0]);
	ask_datagram(fd, "x", "x");
	end_typing(&child);
	ck_assert_int_eq(child_end(&child), 0);
	(void)close(fd);

	/* lines that are typed are no sign of the parent's end */
	child = START("--tcp", "--answer", "@-", "--with-parent", "--io",
		ios[_i]);
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
	struct child child =
		START("--tcp", "--echo", "--grace", "60", "--io", ios[_i]);
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

	child = START("--tcp", "--echo", "--grace", "0.2", "--io", ios[_i]);
	fd = plain_connect(child.url[0]);
	(void)send_until_blocked(fd, 256 << 20);
	began = now_ms();
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_int_ge(now_ms() - began, 200);
	(void)close(fd);
}
END_TEST

/* What each format has of a connection of two pieces, and of a datagram. */
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
		struct child child = START("--tcp", "--echo", cases[i].option);
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
		child = START("--udp", "--echo", cases[i].option);
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
	struct child child = START("--tcp", "--echo", "--faults", "delay:1ms",
		"--seed", "7");
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

/* --- suite --- */

static void
add_start(Suite *suite)
{
	TCase *tcase = tcase_create("start");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_urls_one_write);
	tcase_add_loop_test(tcase, test_stdout_ends, 0, 2);
	tcase_add_test(tcase, test_url_order);
	tcase_add_test(tcase, test_port_file);
	tcase_add_test(tcase, test_port_file_fails);
	tcase_add_loop_test(tcase, test_port_taken, 0, 2);
	tcase_add_loop_test(tcase, test_listen_fds, 0, 2);
	tcase_add_loop_test(tcase, test_fd, 0, 2);
	tcase_add_test(tcase, test_unix);
	tcase_add_test(tcase, test_unix_not_a_socket);
	tcase_add_test(tcase, test_no_standard_descriptors);
	tcase_add_test(tcase, test_other_machines);
	tcase_add_test(tcase, test_start_stop);
	rt_test_case(suite, tcase);
}

static void
add_end(Suite *suite)
{
	TCase *tcase = tcase_create("end");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_signal, 0, 6);
	tcase_add_test(tcase, test_nohup);
	tcase_add_loop_test(tcase, test_grace_finishes, 0, 2);
	tcase_add_loop_test(tcase, test_grace_cuts, 0, 2);
	tcase_add_loop_test(tcase, test_second_signal, 0, 2);
	tcase_add_loop_test(tcase, test_queued, 0, 2);
	tcase_add_test(tcase, test_pid_1);
	tcase_add_loop_test(tcase, test_sigpipe, 0, 2);
	tcase_add_loop_test(tcase, test_requests, 0, 2);
	tcase_add_loop_test(tcase, test_requests_late, 0, 2);
	tcase_add_loop_test(tcase, test_requests_under_way, 0, 2);
	tcase_add_loop_test(tcase, test_requests_exact, 0, 2);
	tcase_add_loop_test(tcase, test_requests_listings, 0, 2);
	tcase_add_loop_test(tcase, test_lifetime, 0, 2);
	tcase_add_loop_test(tcase, test_parent_killed, 0, 2);
	tcase_add_loop_test(tcase, test_input_ends, 0, 2);
	tcase_add_loop_test(tcase, test_input_used, 0, 2);
	rt_test_case(suite, tcase);
}

static void
add_load(Suite *suite)
{
	TCase *tcase = tcase_create("load");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_burst, 0, 2);
	tcase_add_loop_test(tcase, test_idle, 0, 2);
	tcase_add_loop_test(tcase, test_full_log, 0, 2);
	tcase_add_loop_test(tcase, test_closed_log, 0, 2);
	tcase_add_loop_test(tcase, test_descriptors, 0, 2);
	tcase_add_loop_test(tcase, test_refused_posts, 0, 2);
	tcase_add_loop_test(tcase, test_slow_clients, 0, 2);
	tcase_add_loop_test(tcase, test_timeout, 0, 2);
	tcase_add_loop_test(tcase, test_write_timeout, 0, 2);
	rt_test_case(suite, tcase);
}

static void
add_http(Suite *suite)
{
	TCase *tcase = tcase_create("http");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_files, 0, 2);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_file_fields);
	tcase_add_test(tcase, test_dotfiles);
	tcase_add_test(tcase, test_one_file);
	tcase_add_test(tcase, test_wrong_root);
	tcase_add_loop_test(tcase, test_half_close, 0, 6);
	tcase_add_loop_test(tcase, test_file_changes, 0, 4);
	tcase_add_test(tcase, test_conditions);
	tcase_add_loop_test(tcase, test_ranges, 0, 2);
	tcase_add_test(tcase, test_many_ranges);
	tcase_add_loop_test(tcase, test_large_ranges, 0, 2);
	tcase_add_loop_test(tcase, test_range_of_a_file_that_shrinks, 0, 4);
	tcase_add_test(tcase, test_variants);
	tcase_add_loop_test(tcase, test_listing, 0, 2);
	tcase_add_loop_test(tcase, test_echo_path, 0, 2);
	tcase_add_test(tcase, test_missing_pages);
	tcase_add_loop_test(tcase, test_expect, 0, 2);
	tcase_add_loop_test(tcase, test_canned, 0, 2);
	tcase_add_test(tcase, test_canned_without_body);
	tcase_add_test(tcase, test_framing_fields);
	tcase_add_test(tcase, test_fields);
	tcase_add_test(tcase, test_mime);
	tcase_add_test(tcase, test_body_file);
	tcase_add_loop_test(tcase, test_raw, 0, 2);
	tcase_add_loop_test(tcase, test_echo, 0, 2);
	tcase_add_test(tcase, test_host);
	rt_test_case(suite, tcase);
}

static void
add_log(Suite *suite)
{
	TCase *tcase = tcase_create("log");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_log_formats);
	tcase_add_test(tcase, test_log_escapes);
	tcase_add_test(tcase, test_verbose);
	tcase_add_test(tcase, test_verbose_forgery);
	tcase_add_test(tcase, test_log_empty);
	tcase_add_test(tcase, test_log_long);
	rt_test_case(suite, tcase);
}

static void
add_plain(Suite *suite)
{
	TCase *tcase = tcase_create("plain");
	const int all = 2 * FAMILIES;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_tcp_echo, 0, all);
	tcase_add_loop_test(tcase, test_tcp_echo_unread, 0, all);
	tcase_add_loop_test(tcase, test_tcp_half_close, 0, 2);
	tcase_add_loop_test(tcase, test_tcp_burst, 0, 2);
	tcase_add_loop_test(tcase, test_tcp_idle, 0, 2);
	tcase_add_loop_test(tcase, test_tcp_greet, 0, 2);
	tcase_add_loop_test(tcase, test_answer_file, 0, 2);
	tcase_add_loop_test(tcase, test_typed, 0, 2);
	tcase_add_loop_test(tcase, test_typed_end, 0, 2);
	tcase_add_loop_test(tcase, test_typed_ahead, 0, 2);
	tcase_add_loop_test(tcase, test_typed_much, 0, 2);
	tcase_add_loop_test(tcase, test_typed_gone, 0, 2);
	tcase_add_loop_test(tcase, test_typed_datagrams, 0, 2);
	tcase_add_loop_test(tcase, test_udp_many, 0, all);
	tcase_add_loop_test(tcase, test_udp_sizes, 0, all);
	tcase_add_loop_test(tcase, test_datagram_truncated, 0, 4);
	tcase_add_loop_test(tcase, test_datagram_unnamed, 0, 2);
	tcase_add_loop_test(tcase, test_datagram_gone, 0, 2);
	tcase_add_loop_test(tcase, test_udp_low_port, 0, 2);
	tcase_add_loop_test(tcase, test_udp_own_address, 0, 8);
	tcase_add_loop_test(tcase, test_plain_requests, 0, 2);
	tcase_add_loop_test(tcase, test_udp_requests_exact, 0, 2);
	tcase_add_loop_test(tcase, test_plain_lifetime, 0, 2);
	tcase_add_loop_test(tcase, test_plain_urls, 0, 2);
	tcase_add_loop_test(tcase, test_plain_with_parent, 0, 2);
	tcase_add_loop_test(tcase, test_plain_grace, 0, 2);
	tcase_add_test(tcase, test_plain_log);
	tcase_add_test(tcase, test_plain_log_common);
	tcase_add_test(tcase, test_plain_log_chance);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("command");

	add_start(suite);
	add_end(suite);
	add_load(suite);
	add_http(suite);
	add_log(suite);
	add_plain(suite);
	return rt_test_run(suite);
}
