/* SPDX-License-Identifier: MIT */
/* The server: how it opens, and what it needs. */
#include "config.h"

#include "wire/driving.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the library, with its memory watched --- */

static struct retort *
try_open(struct retort_options options)
{
	struct retort *opened;

	memset(error, '#', sizeof error);
	inside++;
	opened = start_with(options, true);
	inside--;
	return opened;
}

/* --- opening --- */

START_TEST(opens_by_default)
{
	char url[64];

	/* no options at all are the default ones */
	retort_close(retort_start_sized(NULL, 0));
	server = try_open((struct retort_options){.port = 0});
	ck_assert_msg(server != NULL, "%s", error);
	ck_assert_str_eq(error, "");
	ck_assert_int_gt(retort_listener(server).port, 0);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/",
		retort_listener(server).port);
	ck_assert_str_eq(retort_url(server), url);
	ck_assert(retort_listener(server, 0).local);
	ck_assert_ptr_null(retort_listener(server, 1).url);
	ck_assert_int_eq(retort_listener(server, 1).port, -1);
	ck_assert(!retort_listener(server, 1).local);
	ck_assert_ptr_null(retort_listener(server, SIZE_MAX).url);
	expect_begin(GET, "HTTP/1.1 501 Not Implemented\r\n");
	close_server();
	ck_assert_str_eq(retort_version(), PACKAGE_VERSION);
	retort_close(NULL);
}
END_TEST

START_TEST(opens_what_it_is_told)
{
	char *folder = dir_make();
	char path[256], spec[280], bind[320];
	struct bytes got;
	int fd;

	(void)snprintf(path, sizeof path, "%s/socket", folder);
	(void)snprintf(spec, sizeof spec, "unix:%s", path);
	(void)snprintf(bind, sizeof bind, "%s\r\nlocalhost\n\n127.0.0.1:0\n",
		spec);
	open_stepped((struct retort_options){.bind = bind}, _i);
	answer_text("hello");
	/* IPv4 first, the others last; where only one of localhost's two is
	   there it has its number */
	ck_assert_int_eq(strncmp(retort_url(server), "http://localhost:", 17) ==
			0,
		server->listener_count == 4);
	for (size_t i = 0; retort_listener(server, i).url != NULL; i++) {
		bool last = retort_listener(server, i + 1).url == NULL;

		ck_assert_int_eq(strcmp(retort_listener(server, i).url, spec) ==
				0,
			last);
		ck_assert_int_eq(retort_listener(server, i).port == 0, last);
		ck_assert(retort_listener(server, i).local);
		fd = client_connect(retort_listener(server, i).url);
		got = (struct bytes){.data = NULL};
		ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got,
					 SIZE_MAX),
			0);
		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		(void)close(fd);
	}
	close_server();
	ck_assert_int_eq(access(path, F_OK), -1);
	dir_remove(folder);
}
END_TEST

START_TEST(opens_a_descriptor)
{
	static const char *const loopback[] = {"127.0.0.1"};
	struct rt_sock socks[2];
	char spec[32];

	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, loopback, 1, 0, 0,
				 NULL),
		1);
	(void)snprintf(spec, sizeof spec, "fd:%d", socks[0].fd);
	open_stepped((struct retort_options){.bind = spec}, _i);
	(void)close(socks[0].holder);
	ck_assert_int_eq(retort_listener(server).port, socks[0].port);
	answer_text("hello");
	expect_ok(GET, "hello");
	close_server();
	ck_assert_int_eq(fcntl(socks[0].fd, F_GETFD), -1);
}
END_TEST

/* Shut down by somebody who shares it: no spin, and nothing left to do. */
START_TEST(ends_with_its_last_listener)
{
	static const char *const loopback[] = {"127.0.0.1"};
	char spec[32];
	struct rt_sock socks[2];
	int shared, steps = 0;

	ck_assert_int_eq(rt_sock_listen(socks, RETORT_HTTP, loopback, 1, 0, 0,
				 error),
		1);
	shared = dup(socks[0].fd);
	(void)snprintf(spec, sizeof spec, "fd:%d", socks[0].fd);
	open_stepped((struct retort_options){.bind = spec}, _i);
	ck_assert_int_eq(shutdown(shared, SHUT_RDWR), 0);
	while (step(RT_TEST_PATIENCE * 1000) == 0)
		ck_assert_int_lt(++steps, 10);
	(void)close(socks[0].holder);
	(void)close(shared);
	close_server();
}
END_TEST

static void
refuse_open(struct retort_options options, int code, const char *text)
{
	errno = 0;
	ck_assert_ptr_null(try_open(options));
	ck_assert_int_eq(errno, code);
	ck_assert_msg(strstr(error, text) != NULL, "expected \"%s\" in: %s",
		text, error);
	ck_assert_ptr_null(strchr(error, '\n'));
	/* and nobody need hear of it */
	options.stepped = true;
	ck_assert_ptr_null(retort_start_sized(&options, sizeof options));
	ck_assert_int_eq(live, 0);
}

/* It is the caller's, and listens still. */
static void
assert_kept(int fd)
{
	struct sockaddr_in in;
	socklen_t size = sizeof in;
	int client, accepted;

	ck_assert_msg(fcntl(fd, F_GETFD) >= 0, "it was closed");
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&in, size), 0);
	accepted = accept(fd, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	(void)close(accepted);
	(void)close(client);
}

/* One allocation fails. False once there were not as many. */
static bool
lend_without_memory(struct retort_options options, int fd, int i, size_t n)
{
	allocations = 0;
	fail_at = n;
	fail_ever_after = false;
	(void)try_open_with(options, STEPPED + i);
	fail_at = 0;
	if (server == NULL) {
		assert_kept(fd);
		(void)close(fd);
		return true;
	}
	close_server();
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	return allocations >= n;
}

START_TEST(takes_a_descriptor_on_success_only)
{
	/* with this many the loop needs more memory when it gets to know
	   them */
	enum { LISTENERS = 70 };
	char bind[LISTENERS * 16];
	struct retort_options options = {.bind = bind,
		.io = ways[STEPPED + _i].io,
		.refusing = true};
	int own = socket(AF_INET, SOCK_STREAM, 0), fd = dup(own);
	size_t n = 1, used = (size_t)sprintf(bind, "fd:%d", fd);

	for (size_t i = 1; i < LISTENERS; i++)
		used += (size_t)sprintf(bind + used, "\n127.0.0.1:0");
	ck_assert_int_eq(listen(own, 5), 0);
	refuse_open(options, ENOTSUP, "refuse: ");
	assert_kept(fd);
	options.refusing = false;
	while (lend_without_memory(options, fd, _i, n)) {
		ck_assert_int_eq(dup2(own, fd), fd);
		ck_assert_uint_lt(n++, 1000);
	}
	ck_assert_uint_gt(n, 5);
	(void)close(own);
}
END_TEST

START_TEST(says_why_it_cannot_open)
{
	char spec[64];

	open_unrecorded(0);
	(void)snprintf(spec, sizeof spec, "127.0.0.1:0\n127.0.0.1:%d",
		retort_listener(server).port);
	ck_assert_ptr_null(
		start_with((struct retort_options){.bind = spec}, true));
	ck_assert_int_eq(errno, EADDRINUSE);
	(void)snprintf(spec, sizeof spec,
		"bind 127.0.0.1:%d: Address already in use",
		retort_listener(server).port);
	ck_assert_str_eq(error, spec);
	close_server();
	refuse_open((struct retort_options){.bind = "example.org"}, EINVAL,
		"example.org");
	refuse_open((struct retort_options){.bind = "127.0.0.1:99999"}, EINVAL,
		"99999");
	refuse_open((struct retort_options){.port = -1}, EINVAL, "-1");
	refuse_open((struct retort_options){.port = 65536}, EINVAL, "65536");
	refuse_open((struct retort_options){.max_fields = 1001}, EINVAL,
		"max_fields: at most 1000");
	refuse_open((struct retort_options){.max_head = SIZE_MAX}, EINVAL,
		"max_head: at most");
	refuse_open((struct retort_options){.protocol = RETORT_UDP + 1}, EINVAL,
		"protocol: expected RETORT_HTTP, _TCP or _UDP");
	refuse_open((struct retort_options){.tls_min = RETORT_TLS_1_2}, EINVAL,
		"tls_keylog: expected tls, too");
	refuse_open((struct retort_options){.protocol = RETORT_TCP,
			    .keep_alive = true},
		EINVAL, "keep_alive: it is for RETORT_HTTP");
	refuse_open((struct retort_options){.max_exchanges = 1}, EINVAL,
		"max_exchanges: it is for keep_alive");
	refuse_open((struct retort_options){.socket_mode = 01000}, EINVAL,
		"socket_mode: expected permissions such as 0660");
	refuse_open((struct retort_options){.io = RETORT_IO_POLL + 1}, EINVAL,
		"io: expected RETORT_IO_BEST, _EPOLL or _POLL");
	refuse_open((struct retort_options){.head_timeout = -1}, EINVAL,
		"head_timeout: expected 0 ms or more");
	refuse_open((struct retort_options){.body_timeout = INT_MIN}, EINVAL,
		"body_timeout: expected 0 ms or more");
	refuse_open((struct retort_options){.write_timeout = -1}, EINVAL,
		"write_timeout: expected 0 ms or more");
	refuse_open((struct retort_options){.idle_timeout = -5}, EINVAL,
		"idle_timeout: expected 0 ms or more");
}
END_TEST

START_TEST(hosts_are_those_that_a_field_can_name)
{
	static const char *const wrong[] = {"a:80", "http://a", "::1", "[::1",
		"[::1]:80", "[]", "a/b", "a b", "a@b", "\xc3\xa9", "*:*",
		"a%zz", "[1::2::3]"};
	char hosts[64], message[128];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		(void)snprintf(hosts, sizeof hosts, "a.example\n%s\nb",
			wrong[i]);
		(void)snprintf(message, sizeof message,
			"hosts: '%s': expected a name or address without port, "
			"IPv6 in brackets",
			wrong[i]);
		refuse_open((struct retort_options){.hosts = hosts}, EINVAL,
			message);
	}
	/* these may be for a certificate alone */
	open_with((struct retort_options){.hosts = "::1",
			  .protocol = RETORT_TCP},
		0);
	close_server();
	open_with(
		(struct retort_options){
			.hosts = "\r\nA_b\r\n[::1]\n127.0.0.1\n*.a%20(b)"},
		0);
	close_server();
}
END_TEST

/* --- sizes of structs --- */

/* Ours, as a later version may have them. */
struct newer_options {
	struct retort_options known;
	unsigned char more[40];
};

struct newer_reply {
	struct retort_reply known;
	unsigned char more[40];
};

struct newer_files {
	struct retort_files known;
	unsigned char more[40];
};

START_TEST(urls_are_joined_with_paths)
{
	char expected[64];

	server = retort_start(.stepped = true, .error = error);
	ck_assert_msg(server != NULL, "%s", error);
	(void)snprintf(expected, sizeof expected, "http://127.0.0.1:%d/file",
		retort_listener(server).port);
	ck_assert_str_eq(retort_url(server, "/file"), expected);
	ck_assert_str_eq(retort_url(server, "file"), expected);
	expected[strlen(expected) - strlen("file")] = '\0';
	ck_assert_str_eq(retort_url(server), expected);
	ck_assert_str_eq(retort_url(server, ""), expected);
	ck_assert_int_eq(retort_listener(server, 0).port,
		retort_listener(server).port);
	ck_assert_int_ge(retort_listener(server, 0).fd, 0);
	ck_assert_int_eq(retort_listener(server, 1).fd, -1);
	ck_assert_int_eq(retort_listener(server, 1).port, -1);
	retort_close(server);
	server = retort_start(.stepped = true, .protocol = RETORT_TCP);
	ck_assert_ptr_null(retort_url(server, "/file"));
	retort_close(server);
	/* why not, where the options are */
	ck_assert_ptr_null(retort_start(.port = 70000, .error = error));
	ck_assert_ptr_nonnull(strstr(error, "70000"));
}
END_TEST

START_TEST(takes_older_structs)
{
	struct retort_options options;
	struct retort_reply reply;
	struct retort_files files;
	char *folder = dir_make();

	dir_write(folder, ".a", "dot", 3);
	/* the bytes after the older end are anything but an option */
	memset(&options, 0xff, sizeof options);
	options.bind = NULL;
	options.port = 0;
	way = ways; /* an older one has a thread */
	server = retort_start_sized(&options,
		offsetof(struct retort_options, defer_accept));
	ck_assert_ptr_nonnull(server);
	memset(&reply, 0xff, sizeof reply);
	memset(&reply, 0, offsetof(struct retort_reply, type));
	reply.server = server;
	reply.status = 201;
	ck_assert_int_eq(retort_answer_sized(&reply,
				 offsetof(struct retort_reply, type)),
		0);
	expect_begin(GET, "HTTP/1.1 201 ");
	memset(&files, 0xff, sizeof files);
	files.server = server;
	files.root = folder;
	files.dotfiles = true;
	ck_assert_int_eq(retort_serve_sized(&files,
				 offsetof(struct retort_files, fields)),
		0);
	expect_ok("GET /.a HTTP/1.0\r\n\r\n", "dot");
	ck_assert_int_eq(retort_serve_sized(&files,
				 offsetof(struct retort_files, dotfiles)),
		0);
	expect_begin("GET /.a HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ");
	retort_close(server);
	dir_remove(folder);
}
END_TEST

START_TEST(takes_newer_structs)
{
	struct newer_options options;
	struct newer_reply reply;
	struct newer_files files;
	char *folder = dir_make();

	memset(&options, 0, sizeof options);
	memset(&reply, 0, sizeof reply);
	memset(&files, 0, sizeof files);
	options.known.stepped = true;
	way = ways + STEPPED;
	server = retort_start_sized(&options.known, sizeof options);
	ck_assert_ptr_nonnull(server);
	reply.known.server = server;
	reply.known.error = error;
	reply.known.status = 203;
	files.known.server = server;
	files.known.root = folder;
	ck_assert_int_eq(retort_answer_sized(&reply.known, sizeof reply), 0);
	ck_assert_int_eq(retort_serve_sized(&files.known, sizeof files), 0);
	ck_assert_int_eq(retort_answer_sized(&reply.known, sizeof reply), 0);
	/* what is not known must not be asked for */
	reply.more[39] = 1;
	ck_assert_int_eq(retort_answer_sized(&reply.known, sizeof reply),
		-E2BIG);
	ck_assert_int_ne(error[0], '\0');
	files.more[0] = 1;
	ck_assert_int_eq(retort_serve_sized(&files.known, sizeof files),
		-E2BIG);
	expect_begin(GET, "HTTP/1.1 203 ");
	retort_close(server);
	dir_remove(folder);
}
END_TEST

START_TEST(refuses_unknown_options)
{
	struct newer_options options;
	int standard[3];

	memset(&options, 0, sizeof options);
	options.known.error = error;
	options.more[20] = 1;
	for (int fd = 0; fd < 3; fd++)
		standard[fd] = fcntl(fd, F_GETFD);
	errno = 0;
	ck_assert_ptr_null(retort_start_sized(&options.known, sizeof options));
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(strncmp(error, "options: ", 9), 0);
	for (int fd = 0; fd < 3; fd++)
		ck_assert_msg(fcntl(fd, F_GETFD) == standard[fd],
			"descriptor %d was closed", fd);
	options.known.error = NULL;
	ck_assert_ptr_null(retort_start_sized(&options.known, sizeof options));
}
END_TEST

/* --- exchanges --- */

START_TEST(many_servers_live_together)
{
	enum { SERVERS = 50 };
	const long long before = live;
	struct retort *all[SERVERS];
	char body[32];

	for (int i = 0; i < SERVERS; i++) {
		open_unrecorded(i);
		all[i] = server;
		(void)snprintf(body, sizeof body, "server %d", i);
		answer_text(body);
	}
	for (int i = SERVERS; i-- > 0;) {
		server = all[i];
		(void)snprintf(body, sizeof body, "server %d", i);
		expect_ok(GET, body);
	}
	for (int i = 0; i < SERVERS; i++) {
		inside++;
		retort_close(all[i]);
		inside--;
	}
	ck_assert_int_eq(live, before);
}
END_TEST

/* --- memory --- */

START_TEST(opens_and_closes_without_growth)
{
	for (int i = 0; i < 5000; i++) {
		open_unrecorded(_i);
		close_server();
	}
}
END_TEST

/* Replacing the reply again and again does not pile up the old ones. */
START_TEST(replies_are_replaced_without_growth)
{
	long long before;

	open_unrecorded(_i);
	answer_text("hello");
	expect_ok(GET, "hello");
	before = live;
	for (int i = 0; i < 1000; i++)
		answer_text("hello");
	ck_assert_msg(live < before + 10000, "%lld bytes became %lld", before,
		(long long)live);
	expect_ok(GET, "hello");
	close_server();
}
END_TEST

START_TEST(an_idle_connection_costs_little)
{
	enum { CLIENTS = 1000 };
	static int fds[CLIENTS];
	long long before;
	size_t each;

	need_descriptors(2 * CLIENTS + 100);
	open_unrecorded(_i);
	answer_text("hello");
	expect_ok(GET, "hello");
	before = live;
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = connect_client();
		if (i % 100 == 99)
			TURN_UNTIL(server->open == (size_t)i + 1);
	}
	TURN_UNTIL(server->open == CLIENTS);
	settle();
	each = (size_t)(live - before) / CLIENTS;
	/* all but the spare ones were allocated and counted */
	ck_assert_uint_ge(each, sizeof(struct rt_served) * 9 / 10);
	ck_assert_msg(each < 640,
		"an idle connection takes %zu bytes, of which %zu are its own",
		each, sizeof(struct rt_served));
	/* they are in nobody's way */
	expect_ok(GET, "hello");
	for (int i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
	TURN_UNTIL(server->open == 0);
	close_server();
}
END_TEST

/* --- faults --- */

/* No descriptor can be opened any more. */
static struct rlimit
exhaust_descriptors(void)
{
	struct rlimit limit, none;
	int fd = dup(STDERR_FILENO);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	return limit;
}

START_TEST(no_descriptor_to_accept)
{
	enum { CLIENTS = 10 };
	struct bytes got = {.data = NULL};
	struct rlimit limit;
	int64_t used, until;
	int fds[CLIENTS], idle;

	/* it accepts, and then closes, what the limit does not allow */
	if (under_valgrind())
		skip_test("valgrind keeps descriptors of its own");
	open_unrecorded(_i);
	answer_text("hello");
	idle = connect_client();
	settle();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = connect_client();
		ck_assert(client_send_text(fds[i], GET));
	}
	limit = exhaust_descriptors();
	/* it neither spins nor ends */
	used = processor_ms();
	until = now_ms() + 500;
	while (now_ms() < until)
		ck_assert_int_eq(step(500), 0);
	ck_assert_int_lt(processor_ms() - used, 250);
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(client_wait(fds[i], 0), -1);
	/* goes on by itself */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(converse(fds[i], "", 0, &got, SIZE_MAX), 0);
		assert_has(got, "\r\n\r\nhello");
		bytes_free(&got);
		(void)close(fds[i]);
	}
	(void)close(idle);
	close_server();
}
END_TEST

/* With a low limit, those that leave make room for those that wait. */
START_TEST(few_descriptors)
{
	enum { CLIENTS = 40 };
	struct bytes got = {.data = NULL};
	struct rlimit limit, low;
	int fds[CLIENTS], fd;
	int64_t used, until;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 72;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	open_unrecorded(_i);
	answer_text("hello");
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = connect_client();
	fd = connect_client();
	ck_assert(client_send_text(fd, GET));
	used = processor_ms();
	until = now_ms() + 500;
	while (now_ms() < until)
		ck_assert_int_eq(step(500), 0);
	ck_assert_int_lt(processor_ms() - used, 250);
	ck_assert_uint_lt(server->open, CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
	ck_assert_int_eq(converse(fd, "", 0, &got, SIZE_MAX), 0);
	assert_has(got, "\r\n\r\nhello");
	bytes_free(&got);
	(void)close(fd);
	close_server();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

static bool
can_connect(const char *url)
{
	int fd = client_try(url, SOCK_STREAM);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* When the time for which it refuses is over, it cannot listen yet. */
START_TEST(not_yet_able_to_listen)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), holder;
	int64_t used, until;

	open_stepped((struct retort_options){.port = 0}, _i);
	ck_assert_int_eq(answer_with((struct retort_reply){.body = "hello",
				 .faults = "refuse 60000"}),
		0);
	expect_ok(GET, "hello");
	TURN_UNTIL(server->open == 0);
	expect_refused(retort_url(server));
	holder = server->listeners[0].sock.holder;
	server->listeners[0].sock.holder = file;
	/* a minute later */
	server->refuse_until = 0;
	used = processor_ms();
	until = now_ms() + 300;
	while (now_ms() < until)
		ck_assert_int_eq(step(300), 0);
	ck_assert_int_lt(processor_ms() - used, 150);
	ck_assert(server->listeners[0].refusing);
	server->listeners[0].sock.holder = holder;
	TURN_UNTIL(can_connect(retort_url(server)));
	answer_text("once more");
	expect_ok(GET, "once more");
	(void)close(file);
	close_server();
}
END_TEST

static int
cannot_arm(struct rt_io *io, struct rt_chan *chan, unsigned wanted)
{
	(void)io;
	(void)chan;
	(void)wanted;
	return -ENOMEM;
}

static int
refuse(bool yes)
{
	int code;

	inside++;
	code = retort_refuse(server, yes);
	inside--;
	return code;
}

/* One that cannot listen again goes on refusing, and keeps none from it. */
START_TEST(each_listens_again_that_can)
{
	static const char bind[] = "127.0.0.1\n127.0.0.1:0";
	const struct rt_back_end *back_end;
	struct rt_back_end broken;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), holder;

	open_stepped((struct retort_options){.bind = bind}, _i);
	answer_text("hello");
	ck_assert_int_eq(refuse(true), 0);
	holder = server->listeners[0].sock.holder;
	server->listeners[0].sock.holder = file;
	ck_assert_int_eq(refuse(false), -ENOTSOCK);
	server->listeners[0].sock.holder = holder;
	expect_refused(retort_url(server));
	ck_assert(can_connect(retort_listener(server, 1).url));
	/* nor does it accept what the loop does not know */
	back_end = server->io->back_end;
	broken = *back_end;
	broken.arm = cannot_arm;
	server->io->back_end = &broken;
	ck_assert_int_eq(refuse(false), -ENOMEM);
	server->io->back_end = back_end;
	expect_refused(retort_url(server));
	ck_assert_int_eq(refuse(false), 0);
	expect_ok(GET, "hello");
	(void)close(file);
	close_server();
}
END_TEST

START_TEST(no_descriptor_for_a_file)
{
	char *folder = dir_make();
	struct bytes got = {.data = NULL};
	struct rlimit limit;
	int fd;

	dir_write(folder, "index.html", "hello", 5);
	open_unrecorded(_i);
	ck_assert_int_eq(serve(folder), 0);
	fd = connect_client();
	TURN_UNTIL(server->open == 1);
	limit = exhaust_descriptors();
	ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, SIZE_MAX), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_begins(got, "HTTP/1.1 503 Service Unavailable\r\n");
	bytes_free(&got);
	(void)close(fd);
	expect_ok(GET, "hello");
	close_server();
	dir_remove(folder);
}
END_TEST

/* So many descriptors can be opened, and no more. */
static void
allow_more(rlim_t count, const struct rlimit *limit)
{
	struct rlimit few = *limit;
	int fd = dup(STDERR_FILENO);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	few.rlim_cur = (rlim_t)fd + count;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

/* Whatever was kept of a file is not of this file any more: no descriptor would
   be needed for that. */
static void
change_files(const char *folder)
{
	static const char *const names[] = {"large", "text", "text.gz",
		"404.html", "app/index.html"};
	char name[300];

	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
		ck_assert_int_eq(chmod(name, 0644), 0);
	}
}

START_TEST(a_site_lives_without_descriptors)
{
	enum { ENOUGH = 6 };
	char *folder = make_site();
	struct rlimit limit;
	size_t right[ENOUGH + 1] = {0};

	if (under_valgrind()) {
		dir_remove(folder);
		skip_test("valgrind keeps descriptors of its own");
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	open_unrecorded(_i);
	ck_assert_int_eq(serve_site(folder), 0);
	learn_replies();
	for (rlim_t count = 0; count <= ENOUGH; count++)
		for (size_t i = 0; i < COUNT(wholes); i++) {
			struct bytes got = {.data = NULL};
			int fd;

			TURN_UNTIL(server->open == 0);
			fd = connect_client();
			TURN_UNTIL(server->open == 1);
			change_files(folder);
			allow_more(count, &limit);
			ck_assert_int_eq(converse(fd, wholes[i].request,
						 strlen(wholes[i].request),
						 &got, SIZE_MAX),
				0);
			ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
			right[count] += check_reply(i, &got, false);
			bytes_free(&got);
			(void)close(fd);
		}
	/* the failures were real: without one, there is the echo alone */
	ck_assert_uint_eq(right[0], 1);
	ck_assert_uint_eq(right[ENOUGH], COUNT(wholes));
	expect_replies();
	close_server();
	forget_replies();
	dir_remove(folder);
}
END_TEST

/* Whoever leaves in the middle of a reply, no signal is raised. */
START_TEST(raises_no_signal)
{
	char *folder = dir_make();

	(void)signal(SIGPIPE, SIG_DFL);
	open_recorded((struct retort_options){.port = 0}, _i);
	answer_big();
	dir_write(folder, "index.html", big, BIG);
	for (int i = 0; i < 4; i++) {
		struct bytes got = {.data = NULL};
		int fd;

		if (i == 2)
			ck_assert_int_eq(serve(folder), 0);
		event_count = 0;
		fd = connect_client();
		ck_assert_int_eq(converse(fd, GET, sizeof GET - 1, &got, 1), 0);
		bytes_free(&got);
		if (i % 2 == 0)
			client_reset(fd);
		else
			(void)close(fd);
		(void)the_end(RETORT_RESET, 200);
	}
	retort_wake(server);
	close_server();
	free(big);
	dir_remove(folder);
	(void)signal(SIGPIPE, SIG_IGN);
}
END_TEST

int
main(void)
{
	Suite *suite;
	const TTest *const plain[] = {opens_by_default, says_why_it_cannot_open,
		hosts_are_those_that_a_field_can_name,
		urls_are_joined_with_paths, takes_older_structs,
		takes_newer_structs, refuses_unknown_options,
		many_servers_live_together, NULL};
	const TTest *const opening[] = {opens_what_it_is_told,
		opens_a_descriptor, takes_a_descriptor_on_success_only,
		ends_with_its_last_listener, NULL};
	const TTest *const memory[] = {opens_and_closes_without_growth,
		replies_are_replaced_without_growth,
		an_idle_connection_costs_little, NULL};
	const TTest *const faults[] = {no_descriptor_to_accept, few_descriptors,
		not_yet_able_to_listen, each_listens_again_that_can,
		no_descriptor_for_a_file, a_site_lives_without_descriptors,
		raises_no_signal, NULL};

	watch_inside();
	way = ways + STEPPED;
	suite = suite_create("open");
	rt_test_cases(suite, "plain", plain, 0, 1);
	rt_test_cases(suite, "opening", opening, 0, BACK_ENDS);
	rt_test_cases(suite, "memory", memory, 0, BACK_ENDS);
	rt_test_cases(suite, "faults", faults, 0, BACK_ENDS);
	return rt_test_run(suite);
}
