/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "command/commanding.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const ios[] = {"RETORT_IO=" RT_TEST_IO_NAME, "RETORT_IO=poll"};

int
run(struct bytes *errors, const char *const *args)
{
	struct child child = child_start(args, 0);

	return child_end_with_errors(&child, errors);
}

int
times(int usual)
{
	return getenv("CK_TIMEOUT_MULTIPLIER") ? usual / 10 : usual;
}

unsigned
port_of(const char *url)
{
	const char *colon = strrchr(url, ':');
	unsigned port = 0;

	ck_assert_msg(colon != NULL && sscanf(colon, ":%u/", &port) == 1,
		"no port in %s", url);
	return port;
}

unsigned
bound_port(int fd)
{
	struct sockaddr_in6 in6 = {.sin6_port = 0};
	socklen_t size = sizeof in6;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in6, &size), 0);
	return ntohs(in6.sin6_port); /* where sockaddr_in has it */
}

const char *
in(const char *dir, const char *name)
{
	static char texts[2][4096];
	static int turn;

	turn ^= 1;
	(void)snprintf(texts[turn], sizeof texts[0], "%s/%s", dir, name);
	return texts[turn];
}

void
write_text(const char *dir, const char *name, const char *text)
{
	dir_write(dir, name, text, strlen(text));
}

struct bytes
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

char *
make_big(void)
{
	char *dir = dir_make();

	dir_write(dir, "big", "", 0);
	ck_assert_int_eq(truncate(in(dir, "big"), BIG), 0);
	return dir;
}

void
hold(const struct child *child)
{
	ck_assert_int_eq(kill(child->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child->pid, NULL, WUNTRACED), child->pid);
}

void
let_go(const struct child *child)
{
	ck_assert_int_eq(kill(child->pid, SIGCONT), 0);
}

int
connect_held(const struct child *child, const char *url, const char *text)
{
	int fd;

	hold(child);
	fd = client_connect(url);
	ck_assert(client_send_text(fd, text));
	let_go(child);
	return fd;
}

off_t
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

off_t
body_size(const struct bytes *reply)
{
	const char *end = strstr(reply->data, "\r\n\r\n");

	ck_assert_msg(end != NULL, "no whole head: %s",
		shown(reply->data, reply->size));
	return (off_t)(reply->size - (size_t)(end + 4 - reply->data));
}

int
count_lines(const struct bytes *bytes)
{
	int lines = 0;

	for (size_t i = 0; i < bytes->size; i++)
		lines += bytes->data[i] == '\n';
	return lines;
}

char *
local_url(const char *scheme, unsigned port, const char *path)
{
	static char url[64];

	(void)snprintf(url, sizeof url, "%s://%s:%u%s", scheme,
		have_v6() ? "localhost" : "127.0.0.1", port, path);
	return url;
}

int
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

int
begin_big(const char *url, struct bytes *reply)
{
	int fd = client_connect(url);

	ck_assert(client_send_text(fd, "GET /big" END));
	client_expect(fd, reply, "\r\n\r\n");
	assert_begins(*reply, "HTTP/1.1 200 ");
	assert_has(*reply, "Content-Length: 67108864\r\n");
	return fd;
}

bool
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
