/* SPDX-License-Identifier: MIT */
/* Tests of site.c: the answers to requests for files, without a socket. */
#include "config.h"

#include "harness.h"
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static const struct rt_limits limits = {.target = 64 << 10,
	.head = 128 << 10,
	.fields = 100};

static char *folder;
static struct rt_site site;

static void
open_folder(void)
{
	folder = dir_make();
	dir_write(folder, "index.html", "<p>top", 6);
	dir_write(folder, "a.txt", "hello\n", 6);
	dir_write(folder, "sub/index.html", "<p>sub", 6);
	dir_write(folder, "empty/a.png", "", 0);
	dir_write(folder, ".secret", "secret", 6);
	dir_write(folder, ".well-known/x", "known", 5);
	rt_site_init(&site);
	ck_assert_int_eq(rt_root_open(&site.root, folder), 0);
}

static void
close_folder(void)
{
	rt_site_free(&site);
	dir_remove(folder);
}

/* --- asking --- */

/* The whole reply as the client would receive it. */
static struct bytes
flatten(const struct rt_reply *reply)
{
	struct bytes to = {.data = NULL};
	static char data[1 << 20];

	ck_assert(rt_reply_ok(reply));
	ck_assert_uint_ge(reply->step_count, 1);
	bytes_add(&to, "", 0);
	for (size_t i = 0; i < reply->step_count; i++) {
		const struct rt_step *step = reply->steps + i;

		switch (step->kind) {
		case RT_STEP_TEXT:
			bytes_add(&to, reply->text.data + step->at,
				(size_t)step->size);
			break;
		case RT_STEP_BYTES:
			bytes_add(&to, step->bytes, (size_t)step->size);
			break;
		case RT_STEP_FILE:
			ck_assert_uint_le(step->size, sizeof data);
			ck_assert_int_eq(pread(reply->file, data,
						 (size_t)step->size,
						 (off_t)step->at),
				(ssize_t)step->size);
			bytes_add(&to, data, (size_t)step->size);
			break;
		default:
			ck_assert_int_eq(step->kind, RT_STEP_CLOSE);
			ck_assert_uint_eq(i, reply->step_count - 1);
		}
	}
	return to;
}

static struct bytes
ask_text(const char *request)
{
	struct rt_http *http = rt_http_new();
	struct rt_reply reply;
	struct bytes answer;
	size_t at = 0;

	ck_assert_ptr_nonnull(http);
	rt_http_reset(http, &limits);
	rt_reply_init(&reply);
	ck_assert_msg(rt_http_feed(http, request, &at, strlen(request)) ==
			RT_HTTP_HEAD,
		"no request: %s", shown(request, strlen(request)));
	rt_site_answer(&site, rt_http_request(http), request, DATE, &reply);
	answer = flatten(&reply);
	rt_reply_free(&reply);
	rt_http_free(http);
	return answer;
}

static struct bytes
ask(const char *method, const char *target)
{
	static char request[64 << 10];

	(void)snprintf(request, sizeof request,
		"%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, target);
	return ask_text(request);
}

/* Where the body is. */
static const char *
body_of(const struct bytes *answer)
{
	const char *end = strstr(answer->data, "\r\n\r\n");

	ck_assert_msg(end != NULL, "no end of the head: %s",
		shown(answer->data, answer->size));
	return end + 4;
}

static void
expect_body(const struct bytes *answer, const void *expected, size_t size)
{
	const char *body = body_of(answer);

	assert_bytes(body, answer->size - (size_t)(body - answer->data),
		expected, size);
}

/* The field is there once, with that value; or, NULL, not at all. */
static void
expect_field(const struct bytes *answer, const char *name, const char *value)
{
	struct bytes line = {.data = NULL};
	const char *at;

	bytes_add(&line, "\r\n", 2);
	bytes_add(&line, name, strlen(name));
	bytes_add(&line, ": ", 2);
	at = strstr(answer->data, line.data);
	if (value == NULL) {
		ck_assert_msg(at == NULL, "unexpected %s in: %s", name,
			shown(answer->data, answer->size));
	} else {
		ck_assert_msg(at != NULL, "expected %s in: %s", name,
			shown(answer->data, answer->size));
		at += line.size;
		assert_bytes(at, strcspn(at, "\r"), value, strlen(value));
		ck_assert_msg(strstr(at, line.data) == NULL,
			"%s is there twice in: %s", name,
			shown(answer->data, answer->size));
	}
	bytes_free(&line);
}

static void
expect_length(const struct bytes *answer, size_t size)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%zu", size);
	expect_field(answer, "Content-Length", text);
}

/* An answer of that status, and what every answer has. */
static struct bytes
ask_status(const char *method, const char *target, int status)
{
	struct bytes answer = ask(method, target);
	char line[32];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	ck_assert_msg(strncmp(answer.data, line, strlen(line)) == 0,
		"%s %s: expected %d, got: %s", method,
		shown(target, strlen(target)), status,
		shown(answer.data, answer.size));
	expect_field(&answer, "Date", DATE);
	expect_field(&answer, "Connection", "close");
	return answer;
}

static void
expect_status(const char *method, const char *target, int status)
{
	struct bytes answer = ask_status(method, target, status);

	bytes_free(&answer);
}

static void
expect_file(const char *target, const char *content)
{
	struct bytes answer = ask_status("GET", target, 200);

	expect_length(&answer, strlen(content));
	expect_body(&answer, content, strlen(content));
	bytes_free(&answer);
}

/* A status of 400 and up, with a body that says it. */
static void
expect_error(const char *method, const char *target, int status)
{
	struct bytes answer = ask_status(method, target, status);
	const char *body = body_of(&answer);
	char line[32];

	expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
	expect_length(&answer, answer.size - (size_t)(body - answer.data));
	(void)snprintf(line, sizeof line, "%d ", status);
	ck_assert_msg(strncmp(body, line, strlen(line)) == 0,
		"expected a body of \"%s...\": %s", line,
		shown(body, strlen(body)));
	ck_assert(answer.data[answer.size - 1] == '\n');
	bytes_free(&answer);
}

static char *
path_in(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* --- files --- */

START_TEST(serves_a_file)
{
	const struct timespec times[2] = {{.tv_sec = 784111777},
		{.tv_sec = 784111777, .tv_nsec = 5}};
	char etag[RT_ETAG_TEXT];
	struct rt_file file;
	struct bytes answer;

	open_folder();
	ck_assert_int_eq(utimensat(AT_FDCWD, path_in("a.txt"), times, 0), 0);
	ck_assert_int_eq(rt_file_open(&file, &site.root, "a.txt"), 0);
	rt_file_etag(&file, etag);
	rt_file_close(&file);
	answer = ask_status("GET", "/a.txt", 200);
	assert_begins(answer, "HTTP/1.1 200 OK\r\n");
	expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
	expect_field(&answer, "Last-Modified", DATE);
	expect_field(&answer, "ETag", etag);
	expect_field(&answer, "Cache-Control", "no-cache");
	expect_length(&answer, 6);
	expect_body(&answer, "hello\n", 6);
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(is_never_modified_in_the_future)
{
	const struct timespec times[2] = {{.tv_sec = 4102444800},
		{.tv_sec = 4102444800}};
	struct bytes answer;

	open_folder();
	ck_assert_int_eq(utimensat(AT_FDCWD, path_in("a.txt"), times, 0), 0);
	answer = ask_status("GET", "/a.txt", 200);
	assert_has(answer, "\r\nLast-Modified: ");
	assert_lacks(answer, " 2100 ");
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(finds_the_file_of_a_path)
{
	open_folder();
	dir_write(folder, "A b%c.txt", "odd", 3);
	dir_write(folder, "caf\xc3\xa9", "utf", 3);
	expect_file("/", "<p>top");
	expect_file("/index.html", "<p>top");
	expect_file("/?", "<p>top");
	expect_file("/sub/", "<p>sub");
	expect_file("/sub/?a=/../b", "<p>sub");
	expect_file("/a.txt?query", "hello\n");
	expect_file("//a.txt", "hello\n");
	expect_file("/sub/../a.txt", "hello\n");
	expect_file("/sub/./..//./a.txt", "hello\n");
	expect_file("/../../../a.txt", "hello\n");
	expect_file("/%61.tx%74", "hello\n");
	expect_file("/sub/%2e%2E/a.txt", "hello\n");
	expect_file("/A%20b%25c.txt", "odd");
	expect_file("/caf%C3%A9", "utf");
	expect_file("http://x/a.txt", "hello\n");
	expect_file("http://x", "<p>top");
	expect_file("/sub/..", "<p>top");
	expect_file("/sub/.", "<p>sub");
	expect_file("/.well-known/x", "known");
	close_folder();
}
END_TEST

static void
check_sized_file(size_t size)
{
	char *data = malloc(size + 1);
	struct bytes answer;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 13 + i / 257);
	dir_write(folder, "sized", data, size);
	answer = ask_status("GET", "/sized", 200);
	expect_length(&answer, size);
	expect_body(&answer, data, size);
	expect_field(&answer, "Content-Type", "application/octet-stream");
	bytes_free(&answer);
	answer = ask_status("HEAD", "/sized", 200);
	expect_length(&answer, size);
	expect_body(&answer, "", 0);
	bytes_free(&answer);
	free(data);
}

START_TEST(serves_any_size)
{
	static const size_t sizes[] = {0, 1, 4095, 65535, 65536, 65537,
		1000000};

	open_folder();
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		check_sized_file(sizes[i]);
	close_folder();
}
END_TEST

START_TEST(knows_types)
{
	static struct rt_type types[] = {{"txt", "text/x-own"},
		{"zzz", "application/zzz"}};
	struct bytes answer;

	open_folder();
	dir_write(folder, "b.ZZZ", "z", 1);
	dir_write(folder, "c.HTML", "h", 1);
	site.types = types;
	site.type_count = 2;
	answer = ask_status("GET", "/a.txt", 200);
	expect_field(&answer, "Content-Type", "text/x-own");
	bytes_free(&answer);
	answer = ask_status("GET", "/b.ZZZ", 200);
	expect_field(&answer, "Content-Type", "application/zzz");
	bytes_free(&answer);
	answer = ask_status("GET", "/c.HTML", 200);
	expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
	bytes_free(&answer);
	/* of the index, not of the folder */
	answer = ask_status("GET", "/sub/", 200);
	expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* --- methods --- */

START_TEST(heads_are_those_of_get)
{
	static const char *const targets[] = {"/", "/a.txt", "/sub", "/none",
		"/empty/", "/%zz", "/empty/a.png"};

	open_folder();
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct bytes get = ask("GET", targets[i]);
		struct bytes head = ask("HEAD", targets[i]);

		assert_bytes(head.data, head.size, get.data,
			(size_t)(body_of(&get) - get.data));
		bytes_free(&get);
		bytes_free(&head);
	}
	close_folder();
}
END_TEST

START_TEST(options_name_the_methods)
{
	static const char *const targets[] = {"/", "*", "/a.txt", "/none"};

	open_folder();
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct bytes answer = ask_status("OPTIONS", targets[i], 204);

		expect_field(&answer, "Allow", "GET, HEAD, OPTIONS");
		expect_field(&answer, "Content-Length", NULL);
		expect_field(&answer, "Transfer-Encoding", NULL);
		expect_body(&answer, "", 0);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(other_methods_are_refused)
{
	static const char *const known[] = {"POST", "PUT", "DELETE", "PATCH",
		"TRACE", "PROPFIND"};
	static const char *const unknown[] = {"FROB", "get", "Get", "GETS",
		"!#$%&'*+-.^_`|~"};
	struct bytes answer;

	open_folder();
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		expect_error(known[i], "/a.txt", 405);
		expect_error(known[i], "/none", 405);
		answer = ask(known[i], "/");
		expect_field(&answer, "Allow", "GET, HEAD, OPTIONS");
		bytes_free(&answer);
	}
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		expect_error(unknown[i], "/a.txt", 501);
		answer = ask(unknown[i], "/");
		expect_field(&answer, "Allow", NULL);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(refuses_by_the_method_alone)
{
	struct rt_request request = {.method = RT_GET};

	ck_assert_int_eq(rt_site_refusal(&request), 0);
	request.method = RT_HEAD;
	ck_assert_int_eq(rt_site_refusal(&request), 0);
	request.method = RT_OPTIONS;
	ck_assert_int_eq(rt_site_refusal(&request), 0);
	request.method = RT_OTHER;
	ck_assert_int_eq(rt_site_refusal(&request), 405);
	request.method = RT_UNKNOWN;
	ck_assert_int_eq(rt_site_refusal(&request), 501);
}
END_TEST

/* --- what is not served --- */

START_TEST(is_not_found)
{
	static char path[PATH_MAX + 64];

	open_folder();
	ck_assert_int_eq(symlink("loop", path_in("loop")), 0);
	ck_assert_int_eq(symlink("nowhere", path_in("dangling")), 0);
	expect_error("GET", "/none", 404);
	expect_error("GET", "/none/", 404);
	expect_error("GET", "/none/a", 404);
	expect_error("GET", "/a.txt/", 404);
	expect_error("GET", "/a.txt/b", 404);
	expect_error("GET", "/sub%2Findex.html", 404);
	expect_error("GET", "/sub%2findex.html", 404);
	expect_error("GET", "/A.TXT", 404);
	expect_error("GET", "/loop", 404);
	expect_error("GET", "/dangling", 404);
	expect_error("GET", "/.secret", 404);
	expect_error("GET", "/sub/.secret", 404);
	expect_error("GET", "/sub/../.secret", 404);
	expect_error("GET", "/%2esecret", 404);
	expect_error("GET", "/...", 404);
	memset(path, 'a', 300);
	path[0] = '/';
	expect_error("GET", path, 404);
	for (size_t i = 0; i < sizeof path - 1; i++)
		path[i] = i % 100 == 0 ? '/' : 'a';
	expect_error("GET", path, 404);
	/* what is served otherwise: neither does HEAD find it */
	expect_status("HEAD", "/.secret", 404);
	site.root.dotfiles = true;
	expect_file("/.secret", "secret");
	close_folder();
}
END_TEST

START_TEST(is_malformed)
{
	open_folder();
	expect_error("GET", "/%", 400);
	expect_error("GET", "/%4", 400);
	expect_error("GET", "/%zz", 400);
	expect_error("GET", "/a.txt%00", 400);
	expect_error("GET", "/a.txt%00.html", 400);
	expect_error("GET", "/%-1", 400);
	close_folder();
}
END_TEST

START_TEST(is_forbidden)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct bytes answer;
	char *outside;
	int fd;

	open_folder();
	outside = dir_make();
	dir_write(outside, "a", "outside", 7);
	ck_assert_uint_lt(strlen(path_in("socket")), sizeof address.sun_path);
	memcpy(address.sun_path, path_in("socket"),
		strlen(path_in("socket")) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address),
		0);
	ck_assert_int_eq(mkfifo(path_in("fifo"), 0666), 0);
	ck_assert_int_eq(symlink(outside, path_in("absolute")), 0);
	ck_assert_int_eq(symlink("..", path_in("above")), 0);
	ck_assert_int_eq(symlink("/dev/null", path_in("null")), 0);
	ck_assert_int_eq(symlink("sub/index.html", path_in("within")), 0);
	expect_error("GET", "/fifo", 403);
	expect_error("GET", "/socket", 403);
	expect_error("GET", "/absolute/a", 403);
	expect_error("GET", "/above/", 403);
	expect_error("GET", "/above", 403);
	expect_error("GET", "/null", 403);
	expect_file("/within", "<p>sub");
	answer = ask_status("GET", "/empty/", 403);
	expect_body(&answer, "403 Forbidden: no index.html\n", 29);
	bytes_free(&answer);
	/* an index that is no file is no index */
	ck_assert_int_eq(mkfifo(path_in("empty/index.html"), 0666), 0);
	expect_error("GET", "/empty/", 403);
	if (geteuid() != 0) {
		ck_assert_int_eq(chmod(path_in("a.txt"), 0), 0);
		expect_error("GET", "/a.txt", 403);
	}
	(void)close(fd);
	dir_remove(outside);
	close_folder();
}
END_TEST

START_TEST(has_no_descriptor_left)
{
	struct rlimit limit, none;
	int fd;

	open_folder();
	fd = dup(0);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	expect_error("GET", "/a.txt", 503);
	expect_error("GET", "/", 503);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_file("/a.txt", "hello\n");
	close_folder();
}
END_TEST

/* --- redirects --- */

static void
expect_redirect(const char *target, const char *location)
{
	struct bytes answer = ask_status("GET", target, 301);

	expect_field(&answer, "Location", location);
	expect_length(&answer, 0);
	expect_body(&answer, "", 0);
	bytes_free(&answer);
}

START_TEST(redirects_to_the_slash)
{
	open_folder();
	dir_write(folder, "sub/deep/a", "", 0);
	dir_write(folder, "x-._~9/a", "", 0);
	expect_redirect("/sub", "/sub/");
	expect_redirect("/empty", "/empty/");
	expect_redirect("/sub/deep", "/sub/deep/");
	expect_redirect("/sub/../sub", "/sub/");
	expect_redirect("/sub?a=1&b=%20/../", "/sub/?a=1&b=%20/../");
	expect_redirect("/sub?", "/sub/?");
	expect_redirect("http://elsewhere/sub?q", "/sub/?q");
	expect_redirect("/x-._~9", "/x-._~9/");
	expect_redirect("/.well-known", "/.well-known/");
	close_folder();
}
END_TEST

START_TEST(never_redirects_to_another_host)
{
	open_folder();
	dir_write(folder, "evil/a", "", 0);
	dir_write(folder, "evil.example/b/a", "", 0);
	dir_write(folder, "\\evil/a", "", 0);
	dir_write(folder, "\\\\evil/a", "", 0);
	dir_write(folder, "http:/evil/a", "", 0);
	dir_write(folder, "@evil/a", "", 0);
	dir_write(folder, "\tevil/a", "", 0);
	expect_redirect("//evil", "/evil/");
	expect_redirect("///evil", "/evil/");
	expect_redirect("//evil.example/b", "/evil.example/b/");
	expect_redirect("/.//evil", "/evil/");
	expect_redirect("/sub/..//evil", "/evil/");
	expect_redirect("/%5Cevil", "/%5Cevil/");
	expect_redirect("/%5c%5Cevil", "/%5C%5Cevil/");
	expect_redirect("/http:", "/http%3A/");
	expect_redirect("/http://evil", "/http%3A/evil/");
	expect_redirect("/@evil", "/%40evil/");
	expect_redirect("/%09evil", "/%09evil/");
	/* an encoded slash names nothing at all */
	expect_error("GET", "/%2Fevil", 404);
	expect_error("GET", "/%2f%2fevil", 404);
	close_folder();
}
END_TEST

START_TEST(encodes_what_it_redirects_to)
{
	open_folder();
	dir_write(folder, "a\r\nSet-Cookie: b/a", "", 0);
	dir_write(folder, "a b/a", "", 0);
	dir_write(folder, "a?b/a", "", 0);
	dir_write(folder, "a#b/a", "", 0);
	dir_write(folder, "a%41/a", "", 0);
	dir_write(folder, "\x01\x7f\xc3\xa9\xff/a", "", 0);
	dir_write(folder, "<\">/a", "", 0);
	expect_redirect("/a%0D%0ASet-Cookie%3A%20b",
		"/a%0D%0ASet-Cookie%3A%20b/");
	expect_redirect("/a%20b", "/a%20b/");
	expect_redirect("/a%3Fb?c", "/a%3Fb/?c");
	expect_redirect("/a%23b", "/a%23b/");
	expect_redirect("/a%2541", "/a%2541/");
	expect_redirect("/%01%7f%c3%a9%ff", "/%01%7F%C3%A9%FF/");
	expect_redirect("/%3C%22%3E", "/%3C%22%3E/");
	close_folder();
}
END_TEST

/* Every byte that a name may hold, and a query as long as a target may be. */
START_TEST(redirects_any_name)
{
	static char query[60000];
	static char target[61000], location[61000];

	open_folder();
	for (int c = 1; c < 256; c++) {
		char name[16], encoded[16];

		if (c == '/')
			continue;
		(void)snprintf(name, sizeof name, "n%cn/a", c);
		dir_write(folder, name, "", 0);
		(void)snprintf(encoded, sizeof encoded, "/n%%%02Xn", c);
		(void)snprintf(name, sizeof name, "/n%%%02Xn/", c);
		if (strchr("-._~0123456789", c) != NULL ||
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			(void)snprintf(name, sizeof name, "/n%cn/", c);
		expect_redirect(encoded, name);
	}
	memset(query, 'q', sizeof query - 1);
	(void)snprintf(target, sizeof target, "/sub?%s", query);
	(void)snprintf(location, sizeof location, "/sub/?%s", query);
	expect_redirect(target, location);
	close_folder();
}
END_TEST

START_TEST(redirects_a_deep_folder)
{
	struct bytes path = {.data = NULL}, location = {.data = NULL};
	char name[PATH_MAX];
	int fd, down;

	open_folder();
	/* three bytes of the answer for each of the name */
	memset(name, ' ', 250);
	name[250] = '\0';
	fd = dup(site.root.fd);
	for (int depth = 0; depth < 15; depth++) {
		ck_assert_int_eq(mkdirat(fd, name, 0777), 0);
		down = openat(fd, name, O_RDONLY | O_DIRECTORY);
		ck_assert_int_ge(down, 0);
		(void)close(fd);
		fd = down;
		bytes_add(&path, "/", 1);
		for (int i = 0; i < 250; i++)
			bytes_add(&path, "%20", 3);
	}
	(void)close(fd);
	bytes_add(&location, path.data, path.size);
	bytes_add(&location, "/", 1);
	expect_redirect(path.data, location.data);
	bytes_free(&path);
	bytes_free(&location);
	close_folder();
}
END_TEST

/* --- one file --- */

START_TEST(serves_one_file_alone)
{
	struct bytes answer;

	open_folder();
	rt_root_close(&site.root);
	ck_assert_int_eq(rt_root_open(&site.root, path_in("a.txt")), 0);
	expect_file("/", "hello\n");
	expect_file("/a.txt", "hello\n");
	expect_file("/?query", "hello\n");
	expect_file("/sub/../a.txt", "hello\n");
	expect_error("GET", "/index.html", 404);
	expect_error("GET", "/sub", 404);
	expect_error("GET", "/sub/", 404);
	expect_error("GET", "/sub/index.html", 404);
	expect_error("GET", "/a.txt/", 404);
	expect_error("GET", "/a.txt/b", 404);
	expect_error("GET", "/../a", 404);
	expect_error("GET", "/%", 400);
	expect_error("POST", "/", 405);
	answer = ask_status("GET", "/", 200);
	expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
	bytes_free(&answer);
	answer = ask_status("HEAD", "/", 200);
	expect_length(&answer, 6);
	expect_body(&answer, "", 0);
	bytes_free(&answer);
	/* it is opened anew for each request */
	dir_write(folder, "a.txt", "changed", 7);
	expect_file("/", "changed");
	ck_assert_int_eq(unlink(path_in("a.txt")), 0);
	expect_error("GET", "/", 404);
	close_folder();
}
END_TEST

START_TEST(serves_one_file_by_its_own_name)
{
	open_folder();
	dir_write(folder, ".dot", "dot", 3);
	rt_root_close(&site.root);
	ck_assert_int_eq(rt_root_open(&site.root, path_in(".dot")), 0);
	expect_file("/", "dot");
	/* named by its owner, but hidden by name still */
	expect_error("GET", "/.dot", 404);
	site.root.dotfiles = true;
	expect_file("/.dot", "dot");
	close_folder();
}
END_TEST

/* --- the owner's fields --- */

START_TEST(has_the_owners_fields)
{
	static const struct retort_field fields[] = {{"X-A", "one"},
		{"x-a", "two"}, {"cache-control", "max-age=60"}, {"ETAG", NULL},
		{"X-None", NULL}, {"Content-Type", "text/own"}, {"Empty", ""}};
	struct bytes answer;

	open_folder();
	site.fields = fields;
	site.field_count = sizeof fields / sizeof *fields;
	answer = ask_status("GET", "/a.txt", 200);
	expect_field(&answer, "X-A", "one");
	expect_field(&answer, "x-a", "two");
	expect_field(&answer, "cache-control", "max-age=60");
	expect_field(&answer, "Cache-Control", NULL);
	expect_field(&answer, "ETag", NULL);
	expect_field(&answer, "ETAG", NULL);
	expect_field(&answer, "X-None", NULL);
	expect_field(&answer, "Content-Type", "text/own");
	expect_field(&answer, "Empty", "");
	expect_length(&answer, 6);
	expect_body(&answer, "hello\n", 6);
	bytes_free(&answer);
	answer = ask_status("GET", "/none", 404);
	expect_field(&answer, "X-A", "one");
	bytes_free(&answer);
	answer = ask_status("GET", "/sub", 301);
	expect_field(&answer, "X-A", "one");
	expect_field(&answer, "Location", "/sub/");
	bytes_free(&answer);
	answer = ask_status("OPTIONS", "/", 204);
	expect_field(&answer, "x-a", "two");
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(has_the_owners_date)
{
	static const struct retort_field fields[] = {{"Date", NULL},
		{"Last-Modified", "then"}};
	struct bytes answer;

	open_folder();
	site.fields = fields;
	site.field_count = 2;
	answer = ask("GET", "/a.txt");
	expect_field(&answer, "Date", NULL);
	expect_field(&answer, "Last-Modified", "then");
	bytes_free(&answer);
	close_folder();
}
END_TEST

static void
add(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	for (; *tests != NULL; tests++)
		tcase_add_test(tcase, *tests);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("site");
	const TTest *const files[] = {serves_a_file,
		is_never_modified_in_the_future, finds_the_file_of_a_path,
		serves_any_size, knows_types, NULL};
	const TTest *const methods[] = {heads_are_those_of_get,
		options_name_the_methods, other_methods_are_refused,
		refuses_by_the_method_alone, NULL};
	const TTest *const errors[] = {is_not_found, is_malformed, is_forbidden,
		has_no_descriptor_left, NULL};
	const TTest *const redirects[] = {redirects_to_the_slash,
		never_redirects_to_another_host, encodes_what_it_redirects_to,
		redirects_any_name, redirects_a_deep_folder, NULL};
	const TTest *const alone[] = {serves_one_file_alone,
		serves_one_file_by_its_own_name, NULL};
	const TTest *const fields[] = {has_the_owners_fields,
		has_the_owners_date, NULL};

	add(suite, "files", files);
	add(suite, "methods", methods);
	add(suite, "errors", errors);
	add(suite, "redirects", redirects);
	add(suite, "one file", alone);
	add(suite, "fields", fields);
	return rt_test_run(suite);
}
