/* SPDX-License-Identifier: MIT */
/*
 * How the command begins: what it inherits (signals, descriptors, connections),
 * where it says that it listens, and what it does when that cannot be said.
 * $RETORT is the command; as COMMAND of retort run this program tells of the
 * process that it is.
 */
#include "config.h"

#include "support/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* Arguments of a command that serves on a free port. */
#define ARGS(...) \
	((const char *const[]){"-p", "0", "-b", "127.0.0.1", "--body", "x", \
		__VA_ARGS__, NULL})

/* This program. */
static const char *self;

static struct bytes
read_file(const char *name)
{
	struct bytes bytes = {.data = NULL};
	char text[512];
	ssize_t n;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	bytes_add(&bytes, "", 0);
	while ((n = read(fd, text, sizeof text)) > 0)
		bytes_add(&bytes, text, (size_t)n);
	(void)close(fd);
	return bytes;
}

/* Of a child, with what it wrote to standard output in `out`. */
static int
end_with_output(struct child *child, struct bytes *out, struct bytes *errors)
{
	ck_assert_int_eq(client_receive(child->out, out), 0);
	return child_end_with_errors(child, errors);
}

static void
assert_error(int status, int expected, const struct bytes *errors,
	const char *text)
{
	const char *end = strchr(errors->data, '\n');

	ck_assert_msg(status == expected, "exit status %d, expected %d: %s",
		status, expected, shown(errors->data, errors->size));
	assert_begins(*errors, "retort: ");
	assert_has(*errors, text);
	ck_assert_msg(end == errors->data + errors->size - 1,
		"expected one line: %s", shown(errors->data, errors->size));
}

/* "DIR/NAME"; static. */
static const char *
in(const char *dir, const char *name)
{
	static char texts[4][4096];
	static int turn;

	turn = (turn + 1) % 4;
	(void)snprintf(texts[turn], sizeof texts[0], "%s/%s", dir, name);
	return texts[turn];
}

/* Waits, with a deadline, until it is there. */
static void
wait_for_file(const char *name)
{
	int64_t end = now_ms() + RT_TEST_PATIENCE * 1000;

	while (access(name, F_OK) < 0) {
		ck_assert_msg(now_ms() < end, "%s is not there", name);
		(void)poll(NULL, 0, 1);
	}
}

static unsigned
port_of(const char *url)
{
	const char *colon = strrchr(url, ':');

	ck_assert_msg(colon != NULL, "no port in %s", url);
	return (unsigned)strtoul(colon + 1, NULL, 10);
}

static void
assert_port(const struct bytes *text, const char *url)
{
	char expected[16];
	int size = snprintf(expected, sizeof expected, "%u\n", port_of(url));

	assert_bytes(text->data, text->size, expected, (size_t)size);
}

/* --- signals --- */

/* As parents do that take signals from signalfd(2): all are blocked. */
static void
block_all(const void *unused)
{
	sigset_t all;

	(void)unused;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

START_TEST(hears_signals_that_were_blocked)
{
	struct child child =
		child_start_prepared(ARGS("-q"), 1, block_all, NULL);

	child_stop(&child);
}
END_TEST

START_TEST(hears_of_a_child_while_that_was_blocked)
{
	const char *const args[] = {"run", "--body", "x", "--", "true", NULL};
	struct child child = child_start_prepared(args, 0, block_all, NULL);

	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* As COMMAND: what is blocked, and how some signals are met. */
static int
tell_signals(void)
{
	static const int numbers[] = {SIGUSR1, SIGALRM, SIGXFSZ, SIGPIPE,
		SIGTERM, SIGINT};
	sigset_t mask;

	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction action;

		(void)sigaction(numbers[i], NULL, &action);
		(void)printf("%s%s ",
			sigismember(&mask, numbers[i]) ? "blocked" : "open",
			action.sa_handler == SIG_DFL ? "" : "-changed");
	}
	return 0;
}

static void
block_two(const void *unused)
{
	sigset_t two;

	(void)unused;
	(void)sigemptyset(&two);
	(void)sigaddset(&two, SIGUSR1);
	(void)sigaddset(&two, SIGALRM);
	(void)sigprocmask(SIG_SETMASK, &two, NULL);
}

START_TEST(command_finds_signals_as_they_were)
{
	const char *const args[] = {"run", "--body", "x", "--", self,
		"--tell-signals", NULL};
	struct child child = child_start_prepared(args, 0, block_two, NULL);
	struct bytes out = {.data = NULL}, errors = {.data = NULL};

	ck_assert_int_eq(end_with_output(&child, &out, &errors), 0);
	ck_assert_str_eq(out.data, "blocked blocked open open open open ");
	bytes_free(&out);
	bytes_free(&errors);
}
END_TEST

/* As process 1 of a container, which gets whatever others leave. */
START_TEST(leaves_no_zombies)
{
	int hold[2], tell[2], fds[2];
	struct child child;
	int64_t end = now_ms() + RT_TEST_PATIENCE * 1000;
	pid_t pid = -1;

	ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(tell, O_CLOEXEC), 0);
	fds[0] = hold[0];
	fds[1] = tell[1];
	child = child_start_prepared(ARGS("-q"), 1, leave_child, fds);
	ck_assert_int_eq(read(tell[0], &pid, sizeof pid), sizeof pid);
	ck_assert_int_eq(kill(pid, 0), 0);
	(void)close(hold[1]);
	while (kill(pid, 0) == 0) {
		ck_assert_msg(now_ms() < end, "process %ld is still there",
			(long)pid);
		(void)poll(NULL, 0, 1);
	}
	child_stop(&child);
	(void)close(hold[0]);
	(void)close(tell[0]);
	(void)close(tell[1]);
}
END_TEST

/* --- files that may not grow, as on a full disk --- */

static void
limit_files(const void *size)
{
	const struct rlimit limit = {*(const rlim_t *)size,
		*(const rlim_t *)size};

	(void)setrlimit(RLIMIT_FSIZE, &limit);
	/* what clang counts (make coverage) is a file as well */
	(void)setenv("LLVM_PROFILE_FILE", "/dev/null", 1);
}

START_TEST(port_file_on_a_full_disk)
{
	static const rlim_t none = 0;
	char *dir = dir_make();
	struct child child =
		child_start_prepared(ARGS("--port-file", in(dir, "port")), 0,
			limit_files, &none);
	struct bytes errors = {.data = NULL};
	int status = child_end_with_errors(&child, &errors);

	assert_error(status, 2, &errors, "--port-file ");
	assert_has(errors, strerror(EFBIG));
	/* not even the temporary one */
	ck_assert_msg(rmdir(dir) == 0, "%s: %s", dir, strerror(errno));
	free(dir);
	bytes_free(&errors);
}
END_TEST

struct full_log {
	const char *name;
	rlim_t size;
};

static void
log_to_small_file(const void *arg)
{
	const struct full_log *log = arg;
	int fd = open(log->name, O_WRONLY | O_CREAT | O_APPEND, 0666);

	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
	limit_files(&log->size);
}

START_TEST(serves_while_the_log_is_full)
{
	char *dir = dir_make();
	struct full_log log = {in(dir, "log"), 100};
	struct child child =
		child_start_prepared(ARGS("-v"), 1, log_to_small_file, &log);

	for (int i = 0; i < 10; i++) {
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		bytes_free(&reply);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- what cannot be written --- */

static void
take_full_output(const void *unused)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)unused;
	(void)dup2(fd, STDOUT_FILENO);
	(void)close(fd);
}

START_TEST(results_that_cannot_be_written)
{
	static const char *const commands[][10] = {
		{"--help"},
		{"-V"},
		{"run", "--help"},
		{"-p", "0", "--body", "x"},
		{"sweep", "--status", "204", "--", "true"},
		{"-p", "0", "--body", "x", "--port-file", "-"},
	};
	const char *what = _i < 5 ? "standard output: " : "--port-file -: ";
	struct child child;
	struct bytes errors = {.data = NULL};
	int status;

	if (access("/dev/full", W_OK) < 0)
		return;
	child = child_start_prepared(commands[_i], 0, take_full_output, NULL);
	status = child_end_with_errors(&child, &errors);
	assert_error(status, 1, &errors, what);
	assert_has(errors, strerror(ENOSPC));
	bytes_free(&errors);
}
END_TEST

/* The sockets and files of a server that could not say where it is are gone. */
START_TEST(leaves_nothing_when_it_cannot_say_where)
{
	char *dir = dir_make(), address[4096 + 8];
	struct bytes errors = {.data = NULL};
	struct child child;

	if (access("/dev/full", W_OK) < 0)
		return;
	(void)snprintf(address, sizeof address, "unix:%s/socket", dir);
	child = child_start_prepared(ARGS("-b", address, "--port-file",
					     in(dir, "port")),
		0, take_full_output, NULL);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 1);
	ck_assert_msg(rmdir(dir) == 0, "%s: %s", dir, strerror(errno));
	free(dir);
	bytes_free(&errors);
}
END_TEST

/* --- the port file --- */

/* Not while the port is not the one that is meant, and not afterwards. */
START_TEST(port_file_comes_and_goes)
{
	char *dir = dir_make(), *name = strdup(in(dir, "port"));
	struct child child;
	struct bytes text;

	dir_write(dir, "port", "80\n", 3);
	child = child_start(ARGS("--port-file", name), 1);
	text = read_file(name);
	assert_port(&text, child.url[0]);
	bytes_free(&text);
	child_stop(&child);
	ck_assert_msg(access(name, F_OK) < 0, "%s is still there", name);
	free(name);
	dir_remove(dir);
}
END_TEST

START_TEST(port_file_of_a_server_that_does_not_start)
{
	char *dir = dir_make(), *name = strdup(in(dir, "port"));
	const char *const args[] = {"-b", "unix:/nowhere/socket", "--body", "x",
		"--port-file", name, NULL};
	struct child child;

	dir_write(dir, "port", "80\n", 3);
	child = child_start(args, 0);
	ck_assert_int_eq(child_end(&child), 3);
	ck_assert_msg(access(name, F_OK) < 0, "%s is still there", name);
	free(name);
	dir_remove(dir);
}
END_TEST

/* A file that somebody has put in its place meanwhile is theirs. */
START_TEST(port_file_of_somebody_else)
{
	char *dir = dir_make(), *name = strdup(in(dir, "port"));
	struct child child = child_start(ARGS("--port-file", name), 1);
	struct bytes text;

	dir_write(dir, "other", "81\n", 3);
	ck_assert_int_eq(rename(in(dir, "other"), name), 0);
	child_stop(&child);
	text = read_file(name);
	ck_assert_str_eq(text.data, "81\n");
	bytes_free(&text);
	free(name);
	dir_remove(dir);
}
END_TEST

START_TEST(port_file_through_a_link)
{
	char *dir = dir_make(), *name = strdup(in(dir, "link"));
	struct child child;
	struct stat status;
	struct bytes text;

	dir_write(dir, "target", "an older and longer text\n", 25);
	ck_assert_int_eq(symlink("target", name), 0);
	child = child_start(ARGS("--port-file", name), 1);
	text = read_file(in(dir, "target"));
	assert_port(&text, child.url[0]);
	bytes_free(&text);
	child_stop(&child);
	ck_assert_int_eq(lstat(name, &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	free(name);
	dir_remove(dir);
}
END_TEST

START_TEST(port_file_into_a_fifo)
{
	char *dir = dir_make(), *name = strdup(in(dir, "fifo"));
	struct child child;
	struct stat status;
	struct bytes text, urls = {.data = NULL};

	ck_assert_int_eq(mkfifo(name, 0600), 0);
	/* URLs come once somebody reads it */
	child = child_start(ARGS("--port-file", name), 0);
	text = read_file(name);
	client_expect(child.out, &urls, "\n");
	bytes_free(&urls);
	ck_assert_uint_ne(strtoul(text.data, NULL, 10), 0);
	child_stop(&child);
	ck_assert_int_eq(lstat(name, &status), 0);
	ck_assert(S_ISFIFO(status.st_mode));
	bytes_free(&text);
	free(name);
	dir_remove(dir);
}
END_TEST

/* Nobody reads it, and it is told to stop. */
START_TEST(port_file_in_vain)
{
	char *dir = dir_make(), *name = strdup(in(dir, "fifo"));
	char *socket_name = strdup(in(dir, "socket")), address[4096 + 8];
	struct child child;

	ck_assert_int_eq(mkfifo(name, 0600), 0);
	(void)snprintf(address, sizeof address, "unix:%s", socket_name);
	child = child_start(ARGS("-b", address, "--port-file", name), 0);
	/* it listens: signals are caught by now */
	wait_for_file(socket_name);
	child_stop(&child);
	free(socket_name);
	free(name);
	dir_remove(dir);
}
END_TEST

START_TEST(port_file_on_standard_output)
{
	static const char *const names[] = {"-", "/dev/stdout"};
	struct child child =
		child_start(ARGS("--port-file", names[_i], "-q"), 0);
	struct bytes out = {.data = NULL}, reply;
	char url[64];

	/* it stands alone, so that "$(...)" is the port */
	ck_assert_int_eq(client_receive(child.out, &out), 0);
	ck_assert_uint_eq(strspn(out.data, "0123456789"), out.size - 1);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%lu/",
		strtoul(out.data, NULL, 10));
	reply = client_exchange(url, GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	bytes_free(&out);
	child_stop(&child);
}
END_TEST

static void
take_output(const void *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0666);

	(void)dup2(fd, STDOUT_FILENO);
	(void)close(fd);
}

/* Opened by its name it would be cut, or written over. */
START_TEST(port_file_on_a_file_that_is_standard_output)
{
	char *dir = dir_make(), *name = strdup(in(dir, "out"));
	struct child child;
	struct bytes text;

	dir_write(dir, "out", "before\n", 7);
	child = child_start_prepared(ARGS("--port-file", "/dev/stdout",
					     "--lifetime", "0"),
		0, take_output, name);
	ck_assert_int_eq(child_end(&child), 0);
	text = read_file(name);
	assert_begins(text, "before\n");
	ck_assert_uint_ne(strtoul(text.data + 7, NULL, 10), 0);
	bytes_free(&text);
	free(name);
	dir_remove(dir);
}
END_TEST

/* --- a supervisor --- */

static void
set_notify_socket(const void *value)
{
	(void)setenv("NOTIFY_SOCKET", value, 1);
}

START_TEST(tells_the_supervisor)
{
	bool abstract = _i == 1;
	char *dir = dir_make();
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct bytes reply;
	struct child child;
	char text[128];
	ssize_t n;

	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s%s/notify",
		abstract ? "@" : "", dir);
	(void)snprintf(text, sizeof text, "%s", un.sun_path);
	if (abstract)
		un.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un,
				 (socklen_t)(offsetof(struct sockaddr_un,
						     sun_path) +
					 strlen(text) + !abstract)),
		0);
	child = child_start_prepared(ARGS("-q"), 1, set_notify_socket, text);
	ck_assert_int_eq(client_wait(fd, RT_TEST_PATIENCE * 1000), 0);
	n = recv(fd, text, sizeof text, 0);
	ck_assert_int_gt(n, 0);
	assert_bytes(text, (size_t)n, "READY=1\n", 8);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
	(void)close(fd);
	dir_remove(dir);
}
END_TEST

/* Nobody is there: that is told, and it serves. */
START_TEST(tells_no_supervisor)
{
	static const char *const sockets[] = {"/nowhere/notify", "@", "vsock:2",
		"@nobody-listens-at-this-name"};
	struct child child = child_start_prepared(ARGS("-q"), 1,
		set_notify_socket, sockets[_i]);
	struct bytes errors = {.data = NULL};
	int status;

	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	status = child_end_with_errors(&child, &errors);
	assert_error(status, 0, &errors, "NOTIFY_SOCKET ");
	bytes_free(&errors);
}
END_TEST

/* COMMAND is not the one that is waited for. */
START_TEST(command_has_no_supervisor)
{
	const char *const run[] = {"run", "--body", "x", "--", "sh", "-c",
		"test -z \"${NOTIFY_SOCKET+set}\"", NULL};
	const char *const sweep[] = {"sweep", "--status", "204", "--", "sh",
		"-c", "exit ${NOTIFY_SOCKET+126}", NULL};
	const char *const *args = _i == 0 ? run : sweep;
	struct child child = child_start_prepared(args, 0, set_notify_socket,
		"/nowhere/notify");

	/* a sweep's client has to connect, which this one does not */
	ck_assert_int_eq(child_end(&child), _i == 0 ? 0 : 125);
}
END_TEST

/* --- a connection that was passed in --- */

/* The two ends of a connection. */
static void
connect_pair(bool tcp, int pair[2])
{
	struct sockaddr_in in4 = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof in4;
	int fd;

	if (!tcp) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					 0, pair),
			0);
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in4, size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in4, &size), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(pair[0], (struct sockaddr *)&in4, size), 0);
	pair[1] = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(pair[1], 0);
	(void)close(fd);
}

/* As systemd does with Accept=yes. */
static void
pass_as_3(const void *fd)
{
	char pid[32];

	(void)dup2(*(const int *)fd, 3);
	(void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	(void)setenv("LISTEN_FDNAMES", "connection", 1);
}

/* As inetd does. */
static void
pass_as_standard(const void *fd)
{
	for (int to = 0; to <= 2; to++)
		(void)dup2(*(const int *)fd, to);
}

static void
assert_whole_reply(int fd)
{
	struct bytes reply = {.data = NULL};

	ck_assert(client_send_text(fd, GET));
	ck_assert_int_eq(client_receive(fd, &reply), 0);
	/* no URL before it, no log line after it */
	assert_begins(reply, "HTTP/1.1 200 ");
	ck_assert_msg(strcmp(strstr(reply.data, "\r\n\r\n"), "\r\n\r\nx") == 0,
		"more than a reply: %s", shown(reply.data, reply.size));
	bytes_free(&reply);
}

START_TEST(serves_the_connection_of_systemd)
{
	static const char *const args[] = {"--body", "x", NULL};
	struct bytes out = {.data = NULL}, errors = {.data = NULL};
	struct child child;
	int pair[2];

	connect_pair(_i == 1, pair);
	child = child_start_prepared(args, 0, pass_as_3, &pair[1]);
	(void)close(pair[1]);
	assert_whole_reply(pair[0]);
	(void)close(pair[0]);
	ck_assert_int_eq(end_with_output(&child, &out, &errors), 0);
	ck_assert_str_eq(out.data, "");
	assert_has(errors, "\"GET / HTTP/1.1\" 200 ");
	bytes_free(&out);
	bytes_free(&errors);
}
END_TEST

START_TEST(serves_the_connection_of_inetd)
{
	static const char *const args[] = {"-b", "fd:0", "--body", "x", "-v",
		"--with-parent", NULL};
	struct child child;
	int pair[2];

	connect_pair(_i == 1, pair);
	child = child_start_prepared(args, 0, pass_as_standard, &pair[1]);
	(void)close(pair[1]);
	assert_whole_reply(pair[0]);
	(void)close(pair[0]);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* inetd's "wait": the listener is standard output and error, too. */
START_TEST(listens_on_its_standard_descriptors)
{
	static const char *const args[] = {"-b", "fd:0", "--body", "x", "-v",
		"--requests", "1", NULL};
	struct sockaddr_in in4 = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof in4;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct child child;
	char url[64];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in4, size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in4, &size), 0);
	child = child_start_prepared(args, 0, pass_as_standard, &fd);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/",
		(unsigned)ntohs(in4.sin_port));
	(void)close(fd);
	fd = client_connect(url);
	assert_whole_reply(fd);
	(void)close(fd);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* A client that leaves without a word ends it, too. */
START_TEST(ends_with_the_connection)
{
	static const char *const args[] = {"-b", "fd:0", "--body", "x", NULL};
	struct child child;
	int pair[2];

	connect_pair(_i == 1, pair);
	child = child_start_prepared(args, 0, pass_as_standard, &pair[1]);
	(void)close(pair[1]);
	(void)close(pair[0]);
	ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* Beside a listener it is one client of several. */
START_TEST(goes_on_beside_the_connection)
{
	static const char *const args[] = {"-b", "127.0.0.1:0", "--body", "x",
		"-q", NULL};
	struct bytes reply;
	struct child child;
	int pair[2];

	connect_pair(_i == 1, pair);
	child = child_start_prepared(args, 1, pass_as_3, &pair[1]);
	(void)close(pair[1]);
	assert_whole_reply(pair[0]);
	(void)close(pair[0]);
	reply = client_exchange(child.url[0], GET);
	assert_begins(reply, "HTTP/1.1 200 ");
	bytes_free(&reply);
	child_stop(&child);
}
END_TEST

static void
take_input(const void *fd)
{
	(void)dup2(*(const int *)fd, STDIN_FILENO);
}

/* COMMAND would have no URL. */
START_TEST(no_command_for_a_connection)
{
	static const char *const args[] = {"run", "-b", "fd:0", "--body", "x",
		"--", "true", NULL};
	struct bytes errors = {.data = NULL};
	struct child child;
	int pair[2], status;

	connect_pair(false, pair);
	child = child_start_prepared(args, 0, take_input, &pair[1]);
	status = child_end_with_errors(&child, &errors);
	assert_error(status, 125, &errors, "fd:0: not a listening socket");
	(void)close(pair[0]);
	(void)close(pair[1]);
	bytes_free(&errors);
}
END_TEST

static void
add_signals(Suite *suite)
{
	TCase *tcase = tcase_create("signals");

	tcase_add_test(tcase, hears_signals_that_were_blocked);
	tcase_add_test(tcase, hears_of_a_child_while_that_was_blocked);
	tcase_add_test(tcase, command_finds_signals_as_they_were);
	tcase_add_test(tcase, leaves_no_zombies);
	/* it writes files of its own */
	if (!under_valgrind()) {
		tcase_add_test(tcase, port_file_on_a_full_disk);
		tcase_add_test(tcase, serves_while_the_log_is_full);
	}
	rt_test_case(suite, tcase);
}

static void
add_announce(Suite *suite)
{
	TCase *tcase = tcase_create("announce");

	tcase_add_loop_test(tcase, results_that_cannot_be_written, 0, 6);
	tcase_add_test(tcase, leaves_nothing_when_it_cannot_say_where);
	tcase_add_test(tcase, port_file_comes_and_goes);
	tcase_add_test(tcase, port_file_of_a_server_that_does_not_start);
	tcase_add_test(tcase, port_file_of_somebody_else);
	tcase_add_test(tcase, port_file_through_a_link);
	tcase_add_test(tcase, port_file_into_a_fifo);
	tcase_add_test(tcase, port_file_in_vain);
	tcase_add_loop_test(tcase, port_file_on_standard_output, 0, 2);
	tcase_add_test(tcase, port_file_on_a_file_that_is_standard_output);
	tcase_add_loop_test(tcase, tells_the_supervisor, 0, 2);
	tcase_add_loop_test(tcase, tells_no_supervisor, 0, 4);
	tcase_add_loop_test(tcase, command_has_no_supervisor, 0, 2);
	rt_test_case(suite, tcase);
}

static void
add_connections(Suite *suite)
{
	TCase *tcase = tcase_create("connections");

	tcase_add_loop_test(tcase, serves_the_connection_of_systemd, 0, 2);
	tcase_add_loop_test(tcase, serves_the_connection_of_inetd, 0, 2);
	tcase_add_loop_test(tcase, ends_with_the_connection, 0, 2);
	tcase_add_test(tcase, listens_on_its_standard_descriptors);
	tcase_add_loop_test(tcase, goes_on_beside_the_connection, 0, 2);
	tcase_add_test(tcase, no_command_for_a_connection);
	rt_test_case(suite, tcase);
}

int
main(int argc, char **argv)
{
	Suite *suite;

	if (argc > 1 && strcmp(argv[1], "--tell-signals") == 0)
		return tell_signals();
	self = argv[0];
	suite = suite_create("start");
	add_signals(suite);
	add_announce(suite);
	add_connections(suite);
	return rt_test_run(suite);
}
