/* SPDX-License-Identifier: MIT */
/* Tests of site.c: the answers to requests for files, without a socket. */
#include "config.h"

#include "site/range.h"
#include "site/site.h"
#include "support/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static struct rt_limits limits = {.target = 64 << 10,
	.head = 128 << 10,
	.fields = 100};

static char *folder;
static struct rt_site site;
static bool walk; /* each test runs in both ways of opening files */

static void
by_openat2(void)
{
	walk = false;
}

static void
by_walk(void)
{
	walk = true;
}

static void
open_root(const char *path)
{
	rt_root_close(&site.root);
	ck_assert_int_eq(rt_root_open(&site.root, path), 0);
	site.root.walk = site.root.walk || walk;
}

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
	open_root(folder);
}

static void
close_folder(void)
{
	rt_site_free(&site);
	dir_remove(folder);
}

/* The owner gives this field, or, without a value, leaves it out. */
static void
set_own(const char *name, const char *value)
{
	static char line[256];

	(void)snprintf(line, sizeof line, "%s: %s", name, value ? value : "");
	site.own.fields = value ? line : NULL;
	site.own.omit = value ? NULL : name;
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

struct asking {
	struct rt_http *http;
	const char *text;
	struct rt_reply reply;
};

static void
begin_asking(struct asking *asking, const char *text)
{
	size_t at = 0;

	asking->text = text;
	asking->http = rt_http_new();
	ck_assert_ptr_nonnull(asking->http);
	rt_http_reset(asking->http, &limits);
	rt_reply_init(&asking->reply);
	ck_assert_msg(rt_http_feed(asking->http, text, &at, strlen(text)) ==
			RT_HTTP_HEAD,
		"no request: %s", shown(text, strlen(text)));
}

static bool
go_on_asking(struct asking *asking)
{
	return rt_site_answer(&site, NULL, false, rt_http_request(asking->http),
		asking->text, DATE, &asking->reply);
}

static void
stop_asking(struct asking *asking)
{
	rt_reply_free(&asking->reply);
	rt_http_free(asking->http);
}

static int slices; /* of work that the last answer took */

static struct bytes
end_asking(struct asking *asking)
{
	struct bytes answer;

	for (slices = 1; !go_on_asking(asking); slices++)
		ck_assert_int_lt(slices, 10000);
	answer = flatten(&asking->reply);
	stop_asking(asking);
	return answer;
}

static char etag[RT_ETAG_TEXT]; /* stands for $ in the fields of a request */

static void
take_etag(const char *name)
{
	struct rt_file file;

	ck_assert_int_eq(rt_file_open(&file, &site.root, name), 0);
	rt_file_etag(&file, etag);
	rt_file_close(&file);
}

/* `fields` are separated by CRLF, or "". */
static struct bytes
ask_with(const char *method, const char *target, const char *fields)
{
	struct bytes request = {.data = NULL}, answer;
	struct asking asking;

	bytes_add(&request, method, strlen(method));
	bytes_add(&request, " ", 1);
	bytes_add(&request, target, strlen(target));
	bytes_add(&request, " HTTP/1.1\r\nHost: x\r\n", 20);
	for (const char *at = fields; *at != '\0'; at++)
		bytes_add(&request, *at == '$' ? etag : at,
			*at == '$' ? strlen(etag) : 1);
	bytes_add(&request, "\r\n\r\n", *fields != '\0' ? 4 : 2);
	begin_asking(&asking, request.data);
	answer = end_asking(&asking);
	bytes_free(&request);
	return answer;
}

static struct bytes
ask(const char *method, const char *target)
{
	return ask_with(method, target, "");
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

/*
 * How many fields of the head have that name, in the same case; where the
 * value of the last one is.
 */
static size_t
find_field(const struct bytes *answer, const char *name, size_t size,
	const char **value)
{
	const char *end = body_of(answer) - 2;
	const char *line = strstr(answer->data, "\r\n") + 2;
	size_t found = 0;

	for (; line < end; line = strstr(line, "\r\n") + 2) {
		if (strncmp(line, name, size) != 0 ||
			strncmp(line + size, ": ", 2) != 0)
			continue;
		*value = line + size + 2;
		found++;
	}
	return found;
}

/* The field is there once, with that value; or, NULL, not at all. */
static void
expect_field(const struct bytes *answer, const char *name, const char *value)
{
	const char *at = "";
	size_t found = find_field(answer, name, strlen(name), &at);

	ck_assert_msg(found == (value != NULL), "%s is there %zu times in: %s",
		name, found, shown(answer->data, answer->size));
	if (value != NULL)
		assert_bytes(at, strcspn(at, "\r"), value, strlen(value));
}

static void
expect_length(const struct bytes *answer, size_t size)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%zu", size);
	expect_field(answer, "Content-Length", text);
}

static void
expect_length_of_body(const struct bytes *answer)
{
	expect_length(answer,
		answer->size - (size_t)(body_of(answer) - answer->data));
}

/* The head has each of these fields once, and no other; a space between. */
static void
expect_fields(const struct bytes *answer, const char *names)
{
	const char *end = body_of(answer) - 2;
	const char *line = strstr(answer->data, "\r\n") + 2, *value;
	size_t expected = 0, lines = 0, size, found;

	for (; line < end; line = strstr(line, "\r\n") + 2)
		lines++;
	for (; *names != '\0'; names += size) {
		names += strspn(names, " ");
		size = strcspn(names, " ");
		found = find_field(answer, names, size, &value);
		ck_assert_msg(found == 1, "expected one %.*s, got %zu in: %s",
			(int)size, names, found,
			shown(answer->data, answer->size));
		expected++;
	}
	ck_assert_msg(lines == expected, "expected %zu fields, got %zu in: %s",
		expected, lines, shown(answer->data, answer->size));
}

/* The head of HEAD's answer is that of GET's, and there is no body. */
static void
expect_same_head(const struct bytes *head, const struct bytes *get)
{
	assert_bytes(head->data, head->size, get->data,
		(size_t)(body_of(get) - get->data));
}

/* An answer of that status, and what every answer has. */
static struct bytes
ask_status_with(const char *method, const char *target, const char *fields,
	int status)
{
	struct bytes answer = ask_with(method, target, fields);
	char line[32];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	ck_assert_msg(strncmp(answer.data, line, strlen(line)) == 0,
		"%s %s with %s: expected %d, got: %s", method,
		shown(target, strlen(target)), fields, status,
		shown(answer.data, answer.size));
	expect_field(&answer, "Date", DATE);
	expect_field(&answer, "Connection", "close");
	return answer;
}

static struct bytes
ask_status(const char *method, const char *target, int status)
{
	return ask_status_with(method, target, "", status);
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

#define MODIFIED 784111777 /* DATE */

static void
set_time(const char *name, time_t seconds, long ns)
{
	const struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = ns},
		{.tv_sec = seconds, .tv_nsec = ns}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path_in(name), times, 0), 0);
}

/* Tells of whoever opens what is there. */
static int
watch(const char *path)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	ck_assert_msg(fd >= 0, "inotify: %s", strerror(errno));
	ck_assert_msg(inotify_add_watch(fd, path, IN_OPEN) >= 0, "watch %s: %s",
		path, strerror(errno));
	return fd;
}

static bool
was_opened(int watched)
{
	struct inotify_event event;
	ssize_t n = read(watched, &event, sizeof event);

	ck_assert_msg(n == sizeof event || (n < 0 && errno == EAGAIN),
		"expected an event or EAGAIN, got %zd: %s", n, strerror(errno));
	return n > 0;
}

/* --- files --- */

START_TEST(serves_a_file)
{
	struct bytes answer;

	open_folder();
	set_time("a.txt", MODIFIED, 5);
	take_etag("a.txt");
	answer = ask_status("GET", "/a.txt", 200);
	assert_begins(answer, "HTTP/1.1 200 OK\r\n");
	expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
	expect_field(&answer, "Last-Modified", DATE);
	expect_field(&answer, "ETag", etag);
	expect_field(&answer, "Cache-Control", "no-cache");
	expect_field(&answer, "Accept-Ranges", "bytes");
	expect_length(&answer, 6);
	expect_body(&answer, "hello\n", 6);
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

static char *
make_sized(const char *name, size_t size)
{
	char *data = malloc(size + 1);

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 13 + i / 257);
	dir_write(folder, name, data, size);
	return data;
}

static void
check_sized_file(size_t size)
{
	char *data = make_sized("sized", size);
	struct bytes answer;

	answer = ask_status("GET", "/sized", 200);
	expect_length(&answer, size);
	expect_body(&answer, data, size);
	expect_field(&answer, "Content-Type",
		memchr(data, '\0', size < RT_TYPE_PEEK ? size : RT_TYPE_PEEK) ?
			"application/octet-stream" :
			"text/plain; charset=utf-8");
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
	static struct retort_type types[] = {{"txt", "text/x-own"},
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

		expect_same_head(&head, &get);
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
	expect_error("GET", "/sub%252Findex.html", 404);
	expect_error("GET", "/sub%5cindex.html", 404);
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
	/* an index that cannot be opened does not give way to a listing */
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
	/* an encoded slash is one, and what it leads to has one that is not */
	expect_redirect("/%2Fevil", "/evil/");
	expect_redirect("/%2f%2fevil", "/evil/");
	expect_redirect("/evil%2f", "/evil/");
	expect_redirect("/%2f%2fevil%2f", "/evil/");
	expect_redirect("/sub%2F?q", "/sub/?q");
	expect_redirect("/%2F", "/");
	expect_redirect("/sub%2f..%2f", "/");
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

/* Of a client whose owner allows very long targets. */
START_TEST(a_redirect_that_is_too_long)
{
	const struct rt_limits usual = limits;
	struct bytes target = {.data = NULL}, location = {.data = NULL};
	const size_t most = RT_MAX_TEXT; /* of a reply's head */
	char *query = malloc(most + 1);

	ck_assert_ptr_nonnull(query);
	memset(query, 'q', most);
	query[most] = '\0';
	limits.target = most + 16;
	limits.head = limits.target + 1024;
	open_folder();
	bytes_add(&target, "/sub?", 5);
	bytes_add(&target, query, most);
	expect_error("GET", target.data, 503);
	/* what a usual limit lets through is not too long */
	bytes_add(&location, "/sub/?", 6);
	bytes_add(&location, query, most / 4);
	target.data[5 + most / 4] = '\0';
	expect_redirect(target.data, location.data);
	limits = usual;
	close_folder();
	bytes_free(&target);
	bytes_free(&location);
	free(query);
}
END_TEST

/* --- validators and conditions --- */

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define OF_REASON "Date Content-Type Content-Length Connection"
#define OF_304 "Date Cache-Control ETag Connection"
#define OF_416 "Date Content-Range Content-Type Content-Length Connection"
#define OF_FILE \
	"Date Cache-Control ETag Content-Type Last-Modified Accept-Ranges " \
	"Content-Length Connection"
#define OF_RANGE OF_FILE " Content-Range"

/* A folder with a.txt as of DATE, and its tag. */
static void
open_dated_folder(void)
{
	open_folder();
	set_time("a.txt", MODIFIED, 0);
	take_etag("a.txt");
}

static void
value_of(const struct bytes *answer, const char *name, char value[256])
{
	const char *at = "";
	size_t size;

	ck_assert_msg(find_field(answer, name, strlen(name), &at) == 1,
		"expected one %s in: %s", name,
		shown(answer->data, answer->size));
	size = strcspn(at, "\r");
	ck_assert_uint_lt(size, 256);
	memcpy(value, at, size);
	value[size] = '\0';
}

static void
etag_of(const char *target, char value[256])
{
	struct bytes answer = ask_status("GET", target, 200);

	value_of(&answer, "ETag", value);
	ck_assert_msg(value[0] == '"', "expected a strong tag: %s", value);
	bytes_free(&answer);
}

START_TEST(every_change_changes_the_tag)
{
	char first[256], same[256], moved[256], grown[256], other[256];

	open_dated_folder();
	etag_of("/a.txt", first);
	etag_of("/a.txt", same);
	ck_assert_str_eq(first, same);
	/* within the same second */
	set_time("a.txt", MODIFIED, 1);
	etag_of("/a.txt", moved);
	ck_assert_str_ne(first, moved);
	set_time("a.txt", MODIFIED, 0);
	etag_of("/a.txt", same);
	ck_assert_str_eq(first, same);
	/* another size, another file: at the same time */
	dir_write(folder, "a.txt", "hello!\n", 7);
	set_time("a.txt", MODIFIED, 0);
	etag_of("/a.txt", grown);
	ck_assert_str_ne(first, grown);
	dir_write(folder, "new", "HELLO!\n", 7);
	set_time("new", MODIFIED, 0);
	etag_of("/new", other);
	ck_assert_str_ne(grown, other);
	close_folder();
}
END_TEST

/* RFC 9110 8.8.2.1 */
START_TEST(is_never_modified_in_the_future)
{
	int64_t before, modified, after;
	struct bytes answer;
	char text[256];

	open_folder();
	set_time("a.txt", 4102444800, 0);
	before = (int64_t)time(NULL);
	answer = ask_status("GET", "/a.txt", 200);
	after = (int64_t)time(NULL);
	value_of(&answer, "Last-Modified", text);
	ck_assert(rt_date_parse(text, strlen(text), after, &modified));
	ck_assert_int_ge(modified, before);
	ck_assert_int_le(modified, after);
	bytes_free(&answer);
	close_folder();
}
END_TEST

static const struct {
	const char *fields;
	int status; /* of GET and HEAD; OPTIONS is 204 */
} conditions[] = {
	{"If-None-Match: $", 304},
	{"If-None-Match: W/$", 304},
	{"If-None-Match: *", 304},
	{"If-None-Match: \"a\", W/\"b\" ,$", 304},
	{"If-None-Match: \"a\"\r\nIf-None-Match: $", 304},
	{"If-None-Match: \"a\"", 200},
	{"If-None-Match: \"a\", \"b\"", 200},
	{"If-None-Match: a", 200},
	{"If-None-Match:", 200},
	{"If-Match: $", 200},
	{"If-Match: \"a\", $", 200},
	{"If-Match: *", 200},
	{"If-Match: \"a\"", 412},
	{"If-Match: W/$", 412},
	{"If-Match: a", 412},
	{"If-Modified-Since: " DATE, 304},
	{"If-Modified-Since: " AFTER, 304},
	{"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 304},
	{"If-Modified-Since: Sun Nov  6 08:49:37 1994", 304},
	{"If-Modified-Since: " BEFORE, 200},
	{"If-Modified-Since: yesterday", 200},
	{"If-Modified-Since: " DATE "\r\nIf-Modified-Since: " DATE, 200},
	{"If-Unmodified-Since: " DATE, 200},
	{"If-Unmodified-Since: " AFTER, 200},
	{"If-Unmodified-Since: " BEFORE, 412},
	{"If-Unmodified-Since: yesterday", 200},
	/* RFC 9110 13.2.2: the order, and what is passed over */
	{"If-None-Match: \"a\"\r\nIf-Modified-Since: " DATE, 200},
	{"If-None-Match: $\r\nIf-Modified-Since: " BEFORE, 304},
	{"If-Match: $\r\nIf-Unmodified-Since: " BEFORE, 200},
	{"If-Match: \"a\"\r\nIf-Unmodified-Since: " DATE, 412},
	{"If-Match: \"a\"\r\nIf-None-Match: $", 412},
	{"If-None-Match: $\r\nIf-Match: $", 304},
	{"If-Unmodified-Since: " BEFORE "\r\nIf-None-Match: $", 412},
	{"If-Unmodified-Since: " DATE "\r\nIf-Modified-Since: " DATE, 304},
	/* before Range */
	{"If-None-Match: $\r\nRange: bytes=0-1", 304},
	{"If-Match: \"a\"\r\nRange: bytes=0-1", 412},
	{"If-None-Match: $\r\nRange: bytes=100-", 304},
};

static void
check_condition(const char *fields, int status)
{
	struct bytes get, head, options;

	get = ask_status_with("GET", "/a.txt", fields, status);
	head = ask_status_with("HEAD", "/a.txt", fields, status);
	options = ask_status_with("OPTIONS", "/a.txt", fields, 204);
	expect_same_head(&head, &get);
	if (status == 304) {
		expect_fields(&get, OF_304);
		expect_field(&get, "ETag", etag);
		expect_field(&get, "Cache-Control", "no-cache");
		expect_body(&get, "", 0);
	} else if (status == 412) {
		expect_fields(&get, OF_REASON);
		expect_length_of_body(&get);
		expect_body(&get, "412 Precondition Failed\n", 24);
	} else {
		expect_fields(&get, OF_FILE);
		expect_field(&get, "ETag", etag);
		expect_field(&get, "Last-Modified", DATE);
		expect_body(&get, "hello\n", 6);
	}
	bytes_free(&get);
	bytes_free(&head);
	bytes_free(&options);
}

START_TEST(conditions_are_met)
{
	open_dated_folder();
	for (int i = 0; i < COUNT(conditions); i++)
		check_condition(conditions[i].fields, conditions[i].status);
	close_folder();
}
END_TEST

/* RFC 9110 13.2.1: only where the answer would be 2xx without them. */
START_TEST(conditions_are_of_files)
{
	static const struct {
		const char *target;
		int status;
	} others[] = {{"/none", 404}, {"/sub", 301}, {"/%", 400},
		{"/fifo", 403}};

	open_dated_folder();
	ck_assert_int_eq(mkfifo(path_in("fifo"), 0666), 0);
	for (int i = 0; i < COUNT(others); i++) {
		struct bytes answer = ask_status_with("GET", others[i].target,
			"If-None-Match: *\r\nIf-Match: \"a\"\r\n"
			"If-Unmodified-Since: " BEFORE "\r\nRange: bytes=9-",
			others[i].status);

		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* --- ranges --- */

#define DIGITS "0123456789"

static const struct {
	const char *fields;
	int status;
	const char *range; /* Content-Range; NULL: none */
	const char *body;
} ranges[] = {
	{"Range: bytes=0-0", 206, "bytes 0-0/10", "0"},
	{"Range: bytes=2-5", 206, "bytes 2-5/10", "2345"},
	{"Range: BYTES=9-9", 206, "bytes 9-9/10", "9"},
	{"Range: bytes=0-9", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=7-", 206, "bytes 7-9/10", "789"},
	{"Range: bytes=0-", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=-1", 206, "bytes 9-9/10", "9"},
	{"Range: bytes=-10", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=-11", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=8-10", 206, "bytes 8-9/10", "89"},
	{"Range: bytes=8-99999999999999999999999", 206, "bytes 8-9/10", "89"},
	{"Range: bytes= 1-2 ,", 206, "bytes 1-2/10", "12"},
	/* those that meet are one; those past the end are none */
	{"Range: bytes=0-4,2-6", 206, "bytes 0-6/10", "0123456"},
	{"Range: bytes=0-1,2-3", 206, "bytes 0-3/10", "0123"},
	{"Range: bytes=2-3,0-1", 206, "bytes 0-3/10", "0123"},
	{"Range: bytes=0-1,8-9,1-8", 206, "bytes 0-9/10", DIGITS},
	{"Range: bytes=1-2,1-2", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=1-2,10-", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=-0,1-2", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=10-", 416, "bytes */10", NULL},
	{"Range: bytes=10-11", 416, "bytes */10", NULL},
	{"Range: bytes=-0", 416, "bytes */10", NULL},
	{"Range: bytes=20-,30-40", 416, "bytes */10", NULL},
	{"Range: bytes=99999999999999999999999-", 416, "bytes */10", NULL},
	/* malformed, of another unit, or more than one field */
	{"Range: bytes=", 200, NULL, DIGITS},
	{"Range: bytes=-", 200, NULL, DIGITS},
	{"Range: bytes=,", 200, NULL, DIGITS},
	{"Range: bytes=a-b", 200, NULL, DIGITS},
	{"Range: bytes=5-4", 200, NULL, DIGITS},
	{"Range: bytes=1-2;", 200, NULL, DIGITS},
	{"Range: bytes=1-2,x", 200, NULL, DIGITS},
	{"Range: bytes=10-,x", 200, NULL, DIGITS},
	{"Range: bytes=1 -2", 200, NULL, DIGITS},
	{"Range: bytes 1-2", 200, NULL, DIGITS},
	{"Range: 1-2", 200, NULL, DIGITS},
	{"Range: lines=1-2", 200, NULL, DIGITS},
	{"Range:", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nRange: bytes=1-2", 200, NULL, DIGITS},
	{"Range: bytes=10-\r\nRange: bytes=1-2", 200, NULL, DIGITS},
	/* RFC 9110 13.1.5 */
	{"Range: bytes=1-2\r\nIf-Range: $", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=1-2\r\nIf-Range: " DATE, 206, "bytes 1-2/10", "12"},
	{"Range: bytes=10-\r\nIf-Range: $", 416, "bytes */10", NULL},
	{"Range: bytes=1-2\r\nIf-Range: \"a\"", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: W/$", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: $, $", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: *", 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: " BEFORE, 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: " AFTER, 200, NULL, DIGITS},
	{"Range: bytes=1-2\r\nIf-Range: $\r\nIf-Range: $", 200, NULL, DIGITS},
	{"Range: bytes=10-\r\nIf-Range: \"a\"", 200, NULL, DIGITS},
	{"Range: bytes=0-0,2-2\r\nIf-Range: \"a\"", 200, NULL, DIGITS},
	{"If-Range: $", 200, NULL, DIGITS},
	/* a condition that holds changes nothing */
	{"Range: bytes=1-2\r\nIf-None-Match: \"a\"", 206, "bytes 1-2/10", "12"},
	{"Range: bytes=1-2\r\nIf-Match: $", 206, "bytes 1-2/10", "12"},
};

static void
check_range(int i)
{
	struct bytes get, head, whole;

	get = ask_status_with("GET", "/d.txt", ranges[i].fields,
		ranges[i].status);
	expect_field(&get, "Content-Range", ranges[i].range);
	expect_length_of_body(&get);
	expect_field(&get, "Content-Type", "text/plain; charset=utf-8");
	if (ranges[i].status == 416) {
		expect_fields(&get, OF_416);
		expect_body(&get, "416 Range Not Satisfiable\n", 26);
	} else {
		expect_fields(&get,
			ranges[i].status == 206 ? OF_RANGE : OF_FILE);
		expect_field(&get, "ETag", etag);
		expect_field(&get, "Last-Modified", DATE);
		expect_field(&get, "Accept-Ranges", "bytes");
		expect_body(&get, ranges[i].body, strlen(ranges[i].body));
	}
	bytes_free(&get);
	/* RFC 9110 14.2: of GET alone */
	head = ask_status_with("HEAD", "/d.txt", ranges[i].fields, 200);
	whole = ask("GET", "/d.txt");
	expect_same_head(&head, &whole);
	bytes_free(&head);
	bytes_free(&whole);
	head = ask_status_with("OPTIONS", "/d.txt", ranges[i].fields, 204);
	bytes_free(&head);
}

static void
open_digits(void)
{
	open_folder();
	dir_write(folder, "d.txt", DIGITS, 10);
	set_time("d.txt", MODIFIED, 0);
	take_etag("d.txt");
}

START_TEST(a_range)
{
	open_digits();
	for (int i = 0; i < COUNT(ranges); i++)
		check_range(i);
	close_folder();
}
END_TEST

static void
take(const char **at, const struct bytes *answer, const char *text)
{
	size_t left = (size_t)(answer->data + answer->size - *at);

	ck_assert_msg(left >= strlen(text) &&
			memcmp(*at, text, strlen(text)) == 0,
		"expected \"%s\" at %td of: %s", shown(text, strlen(text)),
		*at - answer->data, shown(answer->data, answer->size));
	*at += strlen(text);
}

/* One body part: "0-1" of `size` bytes at `data` (RFC 9110 14.6). */
static const char *
take_part(const char **at, const struct bytes *answer, const char *range,
	const char *type, const char *data, size_t size)
{
	char text[256], *end;
	size_t first = strtoul(range, &end, 10);
	size_t last = strtoul(end + 1, &end, 10);

	(void)snprintf(text, sizeof text,
		"\r\nContent-Type: %s\r\nContent-Range: bytes %zu-%zu/%zu"
		"\r\n\r\n",
		type, first, last, size);
	take(at, answer, text);
	ck_assert_int_ge(answer->data + answer->size - *at,
		(ptrdiff_t)(last - first + 1));
	assert_bytes(*at, last - first + 1, data + first, last - first + 1);
	*at += last - first + 1;
	return end;
}

/*
 * The body is multipart/byteranges, byte for byte as RFC 2046 5.1.1 has it,
 * of these ranges: "0-1,4-5" of the `size` bytes at `data`.
 */
static void
expect_parts(const struct bytes *answer, const char *expected, const char *type,
	const char *data, size_t size)
{
	static const char before[] = "multipart/byteranges; boundary=";
	char value[256], delimiter[256];
	const char *at = body_of(answer), *boundary = value + sizeof before - 1;
	size_t length;

	expect_length_of_body(answer);
	expect_field(answer, "Content-Range", NULL);
	value_of(answer, "Content-Type", value);
	ck_assert_msg(strncmp(value, before, sizeof before - 1) == 0,
		"expected \"%s\" first: %s", before, value);
	length = strspn(boundary, "abcdefghijklmnopqrstuvwxyz0123456789-");
	ck_assert_msg(length > 0 && length <= 70 && boundary[length] == '\0',
		"expected a boundary: %s", boundary);
	(void)snprintf(delimiter, sizeof delimiter, "\r\n--%s", boundary);
	for (;;) {
		take(&at, answer, delimiter);
		if (*expected == '\0')
			break;
		expected = take_part(&at, answer, expected, type, data, size);
		expected += *expected == ',';
	}
	take(&at, answer, "--\r\n");
	ck_assert_msg(at == answer->data + answer->size,
		"%td bytes after the last delimiter of: %s",
		answer->data + answer->size - at,
		shown(answer->data, answer->size));
}

static const struct {
	const char *range;
	const char *parts;
} several[] = {
	{"0-0,2-2", "0-0,2-2"},
	{"8-,0-1", "8-9,0-1"},
	{"-1,0-0", "9-9,0-0"},
	{"0-0, 2-2 ,4-4,,6-6 ", "0-0,2-2,4-4,6-6"},
	{"7-100,1-1,50-60", "7-9,1-1"},
	/* what grows takes in what it meets, in the place of the first */
	{"5-6,0-0,2-3,1-1", "5-6,0-3"},
	{"9-9,0-2,5-5,4-6,1-1", "9-9,0-2,4-6"},
};

START_TEST(several_ranges)
{
	open_digits();
	for (int i = 0; i < COUNT(several); i++) {
		struct bytes answer;
		char fields[128];

		(void)snprintf(fields, sizeof fields, "Range: bytes=%s",
			several[i].range);
		answer = ask_status_with("GET", "/d.txt", fields, 206);
		expect_fields(&answer, OF_FILE);
		expect_field(&answer, "ETag", etag);
		expect_field(&answer, "Last-Modified", DATE);
		expect_parts(&answer, several[i].parts,
			"text/plain; charset=utf-8", DIGITS, 10);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* "0-0,2-2,4-4": so many. */
static void
ask_bytes(char *ranges_text, size_t room, int count)
{
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(ranges_text + used, room - used,
			"%s%d-%d", i > 0 ? "," : "", 2 * i, 2 * i);
}

START_TEST(so_many_ranges_and_no_more)
{
	static char list[8192], fields[8300];
	struct bytes answer;
	char *data;

	open_folder();
	data = make_sized("sized", 1000);
	ask_bytes(list, sizeof list, RT_MAX_RANGES);
	(void)snprintf(fields, sizeof fields, "Range: bytes=%s", list);
	answer = ask_status_with("GET", "/sized", fields, 206);
	expect_parts(&answer, list, "application/octet-stream", data, 1000);
	bytes_free(&answer);
	ask_bytes(list, sizeof list, RT_MAX_RANGES + 1);
	(void)snprintf(fields, sizeof fields, "Range: bytes=%s", list);
	answer = ask_status_with("GET", "/sized", fields, 200);
	expect_fields(&answer, OF_FILE);
	expect_body(&answer, data, 1000);
	bytes_free(&answer);
	free(data);
	close_folder();
}
END_TEST

/* Beyond 64 KiB a body is steps of the file. */
START_TEST(ranges_of_a_large_file)
{
	static const char *const parts[] = {"0-65535,65537-65537",
		"0-0,100000-299999", "200000-299999,0-99999,150000-150000"};
	struct bytes answer;
	char fields[128], *data;

	open_folder();
	data = make_sized("sized", 300000);
	answer = ask_status_with("GET", "/sized", "Range: bytes=-3", 206);
	expect_field(&answer, "Content-Range", "bytes 299997-299999/300000");
	expect_body(&answer, data + 299997, 3);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/sized", "Range: bytes=7-200006", 206);
	expect_field(&answer, "Content-Range", "bytes 7-200006/300000");
	expect_length(&answer, 200000);
	expect_body(&answer, data + 7, 200000);
	bytes_free(&answer);
	for (int i = 0; i < COUNT(parts); i++) {
		(void)snprintf(fields, sizeof fields, "Range: bytes=%s",
			parts[i]);
		answer = ask_status_with("GET", "/sized", fields, 206);
		expect_parts(&answer, parts[i], "application/octet-stream",
			data, 300000);
		bytes_free(&answer);
	}
	free(data);
	close_folder();
}
END_TEST

START_TEST(ranges_of_an_empty_file)
{
	static const struct {
		const char *fields;
		int status;
	} empty[] = {{"Range: bytes=0-", 200}, {"Range: bytes=0-0", 200},
		{"Range: bytes=-5", 200}, {"Range: bytes=0-,0-1", 200},
		{"Range: bytes=1-", 416}, {"Range: bytes=-0", 416},
		{"Range: bytes=1-,2-3", 416}};
	struct bytes answer;

	open_folder();
	for (int i = 0; i < COUNT(empty); i++) {
		answer = ask_status_with("GET", "/empty/a.png", empty[i].fields,
			empty[i].status);
		if (empty[i].status == 416) {
			expect_field(&answer, "Content-Range", "bytes */0");
		} else {
			expect_fields(&answer, OF_FILE);
			expect_body(&answer, "", 0);
		}
		expect_length_of_body(&answer);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* A date as young as the answer may stand for two contents (8.8.2.2). */
START_TEST(a_young_date_is_weak)
{
	struct bytes answer;
	char fields[128], date[RT_DATE_TEXT];

	open_folder();
	set_time("a.txt", 4102444800, 0);
	rt_date_format((int64_t)time(NULL), date);
	(void)snprintf(fields, sizeof fields,
		"Range: bytes=0-0\r\nIf-Range: %s", date);
	answer = ask_status_with("GET", "/a.txt", fields, 200);
	expect_body(&answer, "hello\n", 6);
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* --- precompressed files --- */

#define PLAIN "plain plain plain"
#define WITH_VARY " Vary"

/* a.txt, and one file for each coding, all of the same time. */
static void
open_codings(void)
{
	static const char *const suffixes[] = {"", ".br", ".zst", ".gz"};

	open_folder();
	site.precompressed = true;
	dir_write(folder, "a.txt", PLAIN, strlen(PLAIN));
	dir_write(folder, "a.txt.br", "brotli", 6);
	dir_write(folder, "a.txt.zst", "zstandard", 9);
	dir_write(folder, "a.txt.gz", "gzip", 4);
	for (int i = 0; i < COUNT(suffixes); i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "a.txt%s", suffixes[i]);
		set_time(name, MODIFIED, 5);
	}
}

/* The body says which variant it is. */
static const char *
content_of(const char *coding)
{
	return coding == NULL               ? PLAIN :
		strcmp(coding, "br") == 0   ? "brotli" :
		strcmp(coding, "zstd") == 0 ? "zstandard" :
					      "gzip";
}

static void
expect_coding(const char *target, const char *accepted, const char *coding)
{
	struct bytes get, head;
	char fields[256] = "";

	if (accepted != NULL)
		(void)snprintf(fields, sizeof fields, "Accept-Encoding: %s",
			accepted);
	get = ask_status_with("GET", target, fields, 200);
	expect_fields(&get,
		coding != NULL ? OF_FILE WITH_VARY " Content-Encoding" :
				 OF_FILE WITH_VARY);
	expect_field(&get, "Content-Encoding", coding);
	expect_field(&get, "Vary", "Accept-Encoding");
	expect_field(&get, "Content-Type", "text/plain; charset=utf-8");
	expect_length_of_body(&get);
	expect_body(&get, content_of(coding), strlen(content_of(coding)));
	head = ask_status_with("HEAD", target, fields, 200);
	expect_same_head(&head, &get);
	bytes_free(&get);
	bytes_free(&head);
}

START_TEST(the_coding_that_is_preferred)
{
	static const struct {
		const char *accepted;
		const char *coding;
	} cases[] = {
		{NULL, NULL},
		{"", NULL},
		{"identity", NULL},
		{"deflate, compress", NULL},
		{"gzip", "gzip"},
		{"x-gzip", "gzip"},
		{"GZip", "gzip"},
		{"br", "br"},
		{"zstd", "zstd"},
		{"gzip, deflate, br, zstd", "br"},
		{"gzip, zstd", "zstd"},
		{"*", "br"},
		{"*, br;q=0", "zstd"},
		{"br;q=0, zstd;q=0, *", "gzip"},
		{"gzip;q=1.0, br;q=0.5", "gzip"},
		{"gzip;q=0.5, br;q=0.501", "br"},
		{"br;q=0.2, zstd ; Q=0.3, gzip;q=0.1", "zstd"},
		{"gzip;q=0", NULL},
		{"*;q=0", NULL},
		{"gzip;q=0.000, identity", NULL},
		{"gzip;q=0.5, identity", NULL},
		{"gzip;q=0.5, identity;q=0.4", "gzip"},
		{"gzip, identity", "gzip"},
		{"gzip;q=2, br;q=x", NULL},
		{"gzip\r\nAccept-Encoding: br", "br"},
	};

	open_codings();
	for (int i = 0; i < COUNT(cases); i++)
		expect_coding("/a.txt", cases[i].accepted, cases[i].coding);
	close_folder();
}
END_TEST

/* The next best one, then the file itself. */
START_TEST(a_variant_that_cannot_stand_for_the_file)
{
	char *outside;

	open_codings();
	/* older, by a nanosecond */
	set_time("a.txt.br", MODIFIED, 4);
	expect_coding("/a.txt", "br, zstd, gzip", "zstd");
	set_time("a.txt.zst", MODIFIED - 1, 999999999);
	expect_coding("/a.txt", "br, zstd, gzip", "gzip");
	set_time("a.txt.br", MODIFIED, 6);
	expect_coding("/a.txt", "br, zstd, gzip", "br");
	set_time("a.txt.br", MODIFIED + 1, 0);
	expect_coding("/a.txt", "br, zstd, gzip", "br");
	/* kept in whole seconds, as archives have them */
	set_time("a.txt.br", MODIFIED, 0);
	expect_coding("/a.txt", "br, zstd, gzip", "br");
	set_time("a.txt.br", MODIFIED - 1, 0);
	expect_coding("/a.txt", "br, zstd, gzip", "gzip");
	/* a folder, a FIFO, a link that leads out, nothing */
	ck_assert_int_eq(unlink(path_in("a.txt.br")), 0);
	ck_assert_int_eq(mkdir(path_in("a.txt.br"), 0777), 0);
	expect_coding("/a.txt", "br, gzip", "gzip");
	ck_assert_int_eq(unlink(path_in("a.txt.zst")), 0);
	ck_assert_int_eq(mkfifo(path_in("a.txt.zst"), 0666), 0);
	expect_coding("/a.txt", "zstd, gzip;q=0.9", "gzip");
	outside = dir_make();
	dir_write(outside, "gz", "outside", 7);
	ck_assert_int_eq(unlink(path_in("a.txt.gz")), 0);
	expect_coding("/a.txt", "br, zstd, gzip", NULL);
	ck_assert_int_eq(symlink(outside, path_in("out")), 0);
	ck_assert_int_eq(symlink("out/gz", path_in("a.txt.gz")), 0);
	expect_coding("/a.txt", "br, zstd, gzip", NULL);
	dir_remove(outside);
	close_folder();
}
END_TEST

/* Who waits at it to write must not be woken by a look at it. */
START_TEST(a_variant_that_is_a_fifo_is_not_opened)
{
	int fd;

	open_codings();
	ck_assert_int_eq(unlink(path_in("a.txt.gz")), 0);
	ck_assert_int_eq(unlink(path_in("a.txt.br")), 0);
	ck_assert_int_eq(mkfifo(path_in("a.txt.gz"), 0666), 0);
	ck_assert_int_eq(symlink("a.txt.gz", path_in("a.txt.br")), 0);
	fd = watch(path_in("a.txt.gz"));
	expect_coding("/a.txt", "gzip", NULL);
	expect_coding("/a.txt", "br", NULL);
	expect_coding("/a.txt", "br, zstd;q=0.5, gzip", "zstd");
	ck_assert_msg(!was_opened(fd), "the FIFO was opened");
	/* it would have been seen */
	(void)close(open(path_in("a.txt.gz"), O_RDONLY | O_NONBLOCK));
	ck_assert(was_opened(fd));
	(void)close(fd);
	close_folder();
}
END_TEST

START_TEST(a_variant_is_asked_for_by_the_file)
{
	struct bytes answer;

	open_codings();
	/* its own name is that of an archive, in no coding */
	answer = ask_status_with("GET", "/a.txt.gz", "Accept-Encoding: gzip",
		200);
	expect_fields(&answer, OF_FILE WITH_VARY);
	expect_field(&answer, "Content-Type", "application/gzip");
	expect_body(&answer, "gzip", 4);
	bytes_free(&answer);
	/* alone it stands for nothing */
	ck_assert_int_eq(unlink(path_in("a.txt")), 0);
	answer = ask_status_with("GET", "/a.txt", "Accept-Encoding: gzip", 404);
	expect_field(&answer, "Vary", "Accept-Encoding");
	bytes_free(&answer);
	/* of a folder's index, too; whose name has no such neighbour */
	dir_write(folder, "sub/index.html.gz", "zipped", 6);
	dir_write(folder, "sub.gz", "no", 2);
	answer = ask_status_with("GET", "/sub/", "Accept-Encoding: gzip", 200);
	expect_field(&answer, "Content-Encoding", "gzip");
	expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
	expect_body(&answer, "zipped", 6);
	bytes_free(&answer);
	ck_assert_int_eq(unlink(path_in("sub/index.html")), 0);
	answer = ask_status_with("GET", "/sub/", "Accept-Encoding: gzip", 200);
	expect_field(&answer, "Content-Encoding", NULL);
	assert_has(answer, "index.html.gz");
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(every_reply_varies)
{
	static const struct {
		const char *method;
		const char *target;
		const char *fields;
		int status;
	} cases[] = {
		{"GET", "/a.txt", "", 200},
		{"GET", "/a.txt", "Accept-Encoding: gzip", 200},
		{"GET", "/a.txt", "Range: bytes=0-1", 206},
		{"GET", "/a.txt", "Range: bytes=0-0,2-2", 206},
		{"GET", "/empty/", "", 200},
		{"GET", "/sub", "", 301},
		{"GET", "/a.txt", "If-None-Match: *", 304},
		{"GET", "/%", "", 400},
		{"GET", "/fifo", "", 403},
		{"GET", "/none", "", 404},
		{"POST", "/a.txt", "", 405},
		{"GET", "/a.txt", "If-Match: \"a\"", 412},
		{"GET", "/a.txt", "Range: bytes=100-", 416},
		{"OPTIONS", "/a.txt", "", 204},
	};
	open_codings();
	ck_assert_int_eq(mkfifo(path_in("fifo"), 0666), 0);
	for (int i = 0; i < 4 * COUNT(cases); i++) {
		int k = i % COUNT(cases);
		struct bytes answer;

		site.precompressed = i / COUNT(cases) % 2 == 0;
		site.own.fields =
			i / COUNT(cases) / 2 == 0 ? NULL : "vary: Cookie";
		answer = ask_status_with(cases[k].method, cases[k].target,
			cases[k].fields, cases[k].status);
		expect_field(&answer, "vary",
			site.own.fields ? "Cookie" : NULL);
		expect_field(&answer, "Vary",
			site.precompressed && site.own.fields == NULL ?
				"Accept-Encoding" :
				NULL);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(no_variant_unless_told)
{
	struct bytes answer;

	open_codings();
	site.precompressed = false;
	answer = ask_status_with("GET", "/a.txt", "Accept-Encoding: gzip", 200);
	expect_fields(&answer, OF_FILE);
	expect_body(&answer, PLAIN, strlen(PLAIN));
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* The variant has a tag, a date and bytes of its own. */
START_TEST(a_variant_is_selected_before_all_else)
{
	struct bytes answer;
	char fields[256];

	open_codings();
	set_time("a.txt.gz", MODIFIED + 1, 0);
	take_etag("a.txt");
#define GZIP "Accept-Encoding: gzip\r\n"
	answer = ask_status_with("GET", "/a.txt", GZIP "If-None-Match: $", 200);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", GZIP "If-Match: $", 412);
	bytes_free(&answer);
	take_etag("a.txt.gz");
	answer = ask_status_with("GET", "/a.txt", GZIP "If-None-Match: $", 304);
	expect_fields(&answer, OF_304 WITH_VARY);
	expect_field(&answer, "ETag", etag);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", "If-None-Match: $", 200);
	bytes_free(&answer);
	(void)snprintf(fields, sizeof fields, GZIP "If-Modified-Since: %s",
		DATE);
	answer = ask_status_with("GET", "/a.txt", fields, 200);
	expect_field(&answer, "Last-Modified", AFTER);
	expect_field(&answer, "ETag", etag);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt",
		GZIP "Range: bytes=1-2\r\nIf-Range: $", 206);
	expect_fields(&answer, OF_RANGE WITH_VARY " Content-Encoding");
	expect_field(&answer, "Content-Encoding", "gzip");
	expect_field(&answer, "Content-Range", "bytes 1-2/4");
	expect_body(&answer, "zi", 2);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", GZIP "Range: bytes=0-0,-1",
		206);
	expect_fields(&answer, OF_FILE WITH_VARY " Content-Encoding");
	expect_parts(&answer, "0-0,3-3", "text/plain; charset=utf-8", "gzip",
		4);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", GZIP "Range: bytes=4-", 416);
	expect_fields(&answer, OF_416 WITH_VARY);
	expect_field(&answer, "Content-Range", "bytes */4");
	bytes_free(&answer);
#undef GZIP
	close_folder();
}
END_TEST

/* --- listings --- */

#define OF_LISTING \
	"Date Content-Type Cache-Control Content-Security-Policy " \
	"Content-Length Connection"

/* The targets of its links, a space after each. */
static void
expect_links(const struct bytes *answer, const char *expected)
{
	static const char before[] = "<a href=\"";
	struct bytes links = {.data = NULL};
	const char *at = body_of(answer);

	bytes_add(&links, "", 0);
	while ((at = strstr(at, before)) != NULL) {
		at += sizeof before - 1;
		bytes_add(&links, at, strcspn(at, "\""));
		bytes_add(&links, " ", 1);
	}
	assert_bytes(links.data, links.size, expected, strlen(expected));
	bytes_free(&links);
}

static void
expect_listing(const char *target, const char *links)
{
	struct bytes get = ask_status("GET", target, 200);
	struct bytes head = ask_status("HEAD", target, 200);

	expect_fields(&get, OF_LISTING);
	expect_field(&get, "Content-Type", "text/html; charset=utf-8");
	expect_field(&get, "Cache-Control", "no-cache");
	expect_field(&get, "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:");
	expect_length_of_body(&get);
	ck_assert_msg(strncmp(body_of(&get), "<!DOCTYPE html>", 15) == 0,
		"expected a page: %s", shown(get.data, get.size));
	assert_lacks(get, "<script");
	expect_links(&get, links);
	expect_same_head(&head, &get);
	bytes_free(&get);
	bytes_free(&head);
}

/* All else is as before: an index, a redirect, an error. */
START_TEST(lists_what_has_no_index)
{
	open_folder();
	dir_write(folder, "empty/b/c", "", 0);
	expect_listing("/empty/", "../ b/ a.png ");
	expect_listing("/empty/b/", "../ c ");
	expect_listing("/sub/../empty/.", "../ b/ a.png ");
	expect_listing("/empty/?query", "../ b/ a.png ");
	expect_listing("/.well-known/", "../ x ");
	expect_file("/sub/", "<p>sub");
	ck_assert_int_eq(unlink(path_in("sub/index.html")), 0);
	expect_listing("/sub/", "../ ");
	/* the root has no way up */
	ck_assert_int_eq(unlink(path_in("index.html")), 0);
	expect_listing("/", ".well-known/ empty/ sub/ a.txt ");
	expect_listing("/sub/..", ".well-known/ empty/ sub/ a.txt ");
	site.root.dotfiles = true;
	expect_listing("/", ".well-known/ empty/ sub/ .secret a.txt ");
	close_folder();
}
END_TEST

/* An index that is a folder is an entry like others. */
START_TEST(an_index_that_is_a_folder)
{
	open_folder();
	dir_write(folder, "empty/index.html/b", "", 0);
	expect_listing("/empty/", "../ index.html/ a.png ");
	expect_listing("/empty/index.html/", "../ b ");
	site.unlisted = true;
	expect_error("GET", "/empty/", 403);
	close_folder();
}
END_TEST

START_TEST(a_listing_is_made_for_each_request)
{
	static const char *const fields[] = {"Range: bytes=0-1",
		"Range: bytes=0-0,2-2", "If-Modified-Since: " DATE,
		"If-None-Match: \"a\"", "If-Unmodified-Since: " BEFORE};
	struct bytes answer;

	open_folder();
	site.cache = "max-age=60";
	for (int i = 0; i < COUNT(fields); i++) {
		answer = ask_status_with("GET", "/empty/", fields[i], 200);
		expect_fields(&answer, OF_LISTING);
		expect_field(&answer, "Cache-Control", "no-cache");
		bytes_free(&answer);
	}
	dir_write(folder, "empty/b", "", 0);
	expect_listing("/empty/", "../ a.png b ");
	close_folder();
}
END_TEST

START_TEST(lists_nothing_unless_told)
{
	struct bytes answer;

	open_folder();
	site.unlisted = true;
	expect_error("GET", "/empty/", 403);
	answer = ask_status("GET", "/empty/", 403);
	expect_fields(&answer, OF_REASON);
	expect_body(&answer, "403 Forbidden: no index.html\n", 29);
	bytes_free(&answer);
	expect_status("HEAD", "/empty/", 403);
	expect_status("GET", "/empty", 301);
	expect_file("/sub/", "<p>sub");
	ck_assert_int_eq(unlink(path_in("index.html")), 0);
	expect_error("GET", "/", 403);
	close_folder();
}
END_TEST

/* A folder whose path leaves no room for the name of an index. */
START_TEST(lists_at_the_longest_path)
{
	struct bytes target = {.data = NULL};
	char name[256], half[PATH_MAX];
	int fd, down;

	open_folder();
	memset(name, 'd', 255);
	fd = dup(site.root.fd);
	bytes_add(&target, "/", 1);
	for (int depth = 0; depth < 16; depth++) {
		name[depth < 15 ? 255 : 249] = '\0';
		ck_assert_int_eq(mkdirat(fd, name, 0777), 0);
		down = openat(fd, name, O_RDONLY | O_DIRECTORY);
		ck_assert_int_ge(down, 0);
		(void)close(fd);
		fd = down;
		bytes_add(&target, name, strlen(name));
		if (depth == 7)
			(void)snprintf(half, sizeof half, "%s%s", folder,
				target.data);
		bytes_add(&target, "/", 1);
	}
	down = openat(fd, "a", O_WRONLY | O_CREAT, 0666);
	ck_assert_int_ge(down, 0);
	(void)close(down);
	(void)close(fd);
	ck_assert_uint_lt(target.size - 1, PATH_MAX);
	ck_assert_uint_ge(target.size - 1 + strlen("index.html"), PATH_MAX);
	expect_listing(target.data, "../ a ");
	/* the whole is too deep to be removed by its path */
	ck_assert_int_eq(rename(half, path_in("half")), 0);
	bytes_free(&target);
	close_folder();
}
END_TEST

/* So many files in many/, in fact one; and the links of its listing. */
static void
make_many(int count, struct bytes *links)
{
	char name[32];
	int fd;

	dir_write(folder, "many/f00000", "", 0);
	fd = open(path_in("many"), O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(fd, 0);
	bytes_add(links, "../ ", 4);
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof name, "f%05d ", i);
		bytes_add(links, name, strlen(name));
		name[strlen(name) - 1] = '\0';
		if (i > 0)
			ck_assert_int_eq(linkat(fd, "f00000", fd, name, 0), 0);
	}
	(void)close(fd);
}

START_TEST(lists_in_slices)
{
	struct bytes links = {.data = NULL}, answer, head;

	open_folder();
	make_many(2000, &links);
	answer = ask_status("GET", "/many/", 200);
	ck_assert_int_gt(slices, 2);
	expect_links(&answer, links.data);
	expect_length_of_body(&answer);
	head = ask_status("HEAD", "/many/", 200);
	ck_assert_int_gt(slices, 2);
	expect_same_head(&head, &answer);
	bytes_free(&head);
	bytes_free(&answer);
	bytes_free(&links);
	close_folder();
}
END_TEST

#define MANY_REQUEST "GET /many/ HTTP/1.0\r\n\r\n"

/* The listing goes on; what it needs is its own. */
START_TEST(a_listing_outlives_its_site)
{
	struct bytes links = {.data = NULL}, answer;
	struct asking asking;
	char *other = dir_make();

	open_folder();
	make_many(600, &links);
	begin_asking(&asking, MANY_REQUEST);
	ck_assert(!go_on_asking(&asking));
	ck_assert_ptr_nonnull(asking.reply.made.it);
	ck_assert_uint_eq(asking.reply.step_count, 0);
	rt_site_free(&site);
	rt_site_init(&site);
	open_root(other);
	answer = end_asking(&asking);
	assert_begins(answer, "HTTP/1.1 200 OK\r\n");
	expect_links(&answer, links.data);
	bytes_free(&answer);
	bytes_free(&links);
	expect_error("GET", "/many/", 404);
	dir_remove(other);
	close_folder();
}
END_TEST

/* By a client that leaves, or another answer; no descriptor stays open. */
START_TEST(a_listing_is_given_up)
{
	struct bytes links = {.data = NULL};
	struct asking asking;

	open_folder();
	make_many(600, &links);
	bytes_free(&links);
	for (int calls = 1; calls < 4; calls++) {
		begin_asking(&asking, MANY_REQUEST);
		for (int i = 0; i < calls; i++)
			ck_assert(!go_on_asking(&asking));
		stop_asking(&asking);
	}
	begin_asking(&asking, MANY_REQUEST);
	ck_assert(!go_on_asking(&asking));
	rt_reply_raw(&(struct rt_draft){.reply = &asking.reply}, 200, "x", 1);
	ck_assert_ptr_null(asking.reply.made.it);
	stop_asking(&asking);
	close_folder();
}
END_TEST

/* The folder can be opened, the listing's own descriptors cannot. */
START_TEST(a_listing_without_descriptors)
{
	struct rlimit limit, few;
	int fd;

	open_folder();
	fd = dup(0);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	expect_error("GET", "/empty/", 503);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_listing("/empty/", "../ a.png ");
	close_folder();
}
END_TEST

/* --- a page for paths that do not exist --- */

#define NAVIGATION "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
#define APP "<p>app"

static void
open_app(void)
{
	open_folder();
	dir_write(folder, "app.html", APP, strlen(APP));
	set_time("app.html", MODIFIED, 0);
	take_etag("app.html");
	site.spa = "app.html";
}

static void
expect_app(const char *target, const char *fields)
{
	struct bytes get = ask_status_with("GET", target, fields, 200);
	struct bytes head = ask_status_with("HEAD", target, fields, 200);

	expect_fields(&get, OF_FILE WITH_VARY);
	expect_field(&get, "Content-Type", "text/html; charset=utf-8");
	expect_field(&get, "Vary", "Accept");
	expect_field(&get, "ETag", etag);
	expect_field(&get, "Last-Modified", DATE);
	expect_length_of_body(&get);
	expect_body(&get, APP, strlen(APP));
	expect_same_head(&head, &get);
	bytes_free(&get);
	bytes_free(&head);
}

/* Whoever goes to a page gets it; hidden names are not there. */
START_TEST(a_page_stands_for_what_is_missing)
{
	static const char *const targets[] = {"/none", "/none/", "/a/b/c?q",
		"/a.txt/", "/a.txt/b", "/sub/none.js", "/sub%5Cindex.html",
		"/.secret", "/.git/config", "/sub/../.secret", "/..."};
	static const char *const accepts[] = {NAVIGATION, "Accept: text/html",
		"Accept: TEXT/HTML;q=0.001", "Accept: a/b, text/html;level=1",
		"Accept: a/b\r\nAccept: text/html"};

	open_app();
	for (int i = 0; i < COUNT(targets); i++)
		expect_app(targets[i], NAVIGATION);
	for (int i = 0; i < COUNT(accepts); i++)
		expect_app("/none", accepts[i]);
	close_folder();
}
END_TEST

/* It names scripts that the next build removes. */
START_TEST(the_page_is_not_cached)
{
	static const char *const targets[] = {"/none", "/app.html",
		"/sub/../app.html"};
	struct bytes answer;

	open_app();
	site.cache = "max-age=60";
	for (int i = 0; i < COUNT(targets); i++) {
		answer = ask_status_with("GET", targets[i], NAVIGATION, 200);
		expect_field(&answer, "Cache-Control", "no-cache");
		bytes_free(&answer);
		answer = ask_status_with("GET", targets[i],
			NAVIGATION "\r\nIf-None-Match: *", 304);
		expect_field(&answer, "Cache-Control", "no-cache");
		bytes_free(&answer);
	}
	site.spa = "index.html";
	answer = ask_status_with("GET", "/", "", 200);
	expect_field(&answer, "Cache-Control", "no-cache");
	bytes_free(&answer);
	answer = ask_status_with("GET", "/a.txt", "", 200);
	expect_field(&answer, "Cache-Control", "max-age=60");
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(a_page_for_navigation_alone)
{
	static const char *const others[] = {"", "Accept:", "Accept: */*",
		"Accept: text/*", "Accept: application/json",
		"Accept: text/html;q=0", "Accept: application/xhtml+xml",
		"Accept: text/htmlx", "Accept-Language: text/html"};

	open_app();
	for (int i = 0; i < COUNT(others); i++) {
		struct bytes answer =
			ask_status_with("GET", "/none", others[i], 404);

		expect_fields(&answer, OF_REASON WITH_VARY);
		expect_field(&answer, "Vary", "Accept");
		expect_body(&answer, "404 Not Found\n", 14);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(a_page_does_not_hide_what_exists)
{
	static const struct {
		const char *method;
		const char *target;
		int status;
		const char *body; /* NULL: whatever it is */
	} cases[] = {
		{"GET", "/a.txt", 200, "hello\n"},
		{"GET", "/", 200, "<p>top"},
		{"GET", "/sub/", 200, "<p>sub"},
		{"GET", "/.well-known/x", 200, "known"},
		{"GET", "/app.html", 200, APP},
		{"GET", "/sub", 301, ""},
		{"GET", "/%", 400, NULL},
		{"GET", "/fifo", 403, "403 Forbidden\n"},
		{"POST", "/none", 405, NULL},
		{"FROB", "/none", 501, NULL},
		{"OPTIONS", "/none", 204, ""},
		{"GET", "/empty/", 200, NULL},
	};
	struct bytes answer;

	open_app();
	ck_assert_int_eq(mkfifo(path_in("fifo"), 0666), 0);
	for (int i = 0; i < COUNT(cases); i++) {
		answer = ask_status_with(cases[i].method, cases[i].target,
			NAVIGATION, cases[i].status);
		expect_field(&answer, "Vary", "Accept");
		if (cases[i].body != NULL)
			expect_body(&answer, cases[i].body,
				strlen(cases[i].body));
		else
			assert_lacks(answer, APP);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(conditions_and_ranges_of_the_page)
{
	struct bytes answer;

	open_app();
	answer = ask_status_with("GET", "/none",
		NAVIGATION "\r\nIf-None-Match: $", 304);
	expect_fields(&answer, OF_304 WITH_VARY);
	expect_field(&answer, "ETag", etag);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/none",
		NAVIGATION "\r\nIf-Match: \"a\"", 412);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/none",
		NAVIGATION "\r\nRange: bytes=1-1", 206);
	expect_fields(&answer, OF_RANGE WITH_VARY);
	expect_body(&answer, "p", 1);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/none", "If-None-Match: *", 404);
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(the_page_has_variants)
{
	struct bytes answer;

	open_app();
	dir_write(folder, "app.html.gz", "zipped", 6);
	site.precompressed = true;
	answer = ask_status_with("GET", "/none",
		NAVIGATION "\r\nAccept-Encoding: gzip", 200);
	expect_field(&answer, "Vary", "Accept, Accept-Encoding");
	expect_field(&answer, "Content-Encoding", "gzip");
	expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
	expect_body(&answer, "zipped", 6);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/none", "", 404);
	expect_field(&answer, "Vary", "Accept, Accept-Encoding");
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(the_page_may_lie_anywhere)
{
	struct bytes answer;

	open_app();
	site.spa = "sub/index.html";
	answer = ask_status_with("GET", "/none", NAVIGATION, 200);
	expect_body(&answer, "<p>sub", 6);
	bytes_free(&answer);
	/* its owner names it, hidden or not */
	site.spa = ".secret";
	answer = ask_status_with("GET", "/none", NAVIGATION, 200);
	expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
	expect_body(&answer, "secret", 6);
	bytes_free(&answer);
	close_folder();
}
END_TEST

static void
expect_no_app(const char *body)
{
	struct bytes answer = ask_status_with("GET", "/none", NAVIGATION, 404);

	expect_field(&answer, "Vary", "Accept");
	expect_body(&answer, body, strlen(body));
	bytes_free(&answer);
}

START_TEST(the_page_is_missing_later)
{
	open_app();
	expect_app("/none", NAVIGATION);
	ck_assert_int_eq(unlink(path_in("app.html")), 0);
	expect_no_app("404 Not Found\n");
	dir_write(folder, "404.html", "<p>gone", 7);
	expect_no_app("<p>gone");
	ck_assert_int_eq(mkdir(path_in("app.html"), 0777), 0);
	expect_no_app("<p>gone");
	ck_assert_int_eq(rmdir(path_in("app.html")), 0);
	ck_assert_int_eq(mkfifo(path_in("app.html"), 0666), 0);
	expect_no_app("<p>gone");
	/* and is there again */
	ck_assert_int_eq(unlink(path_in("app.html")), 0);
	dir_write(folder, "app.html", APP, strlen(APP));
	set_time("app.html", MODIFIED, 0);
	take_etag("app.html");
	expect_app("/none", NAVIGATION);
	close_folder();
}
END_TEST

/* --- 404.html --- */

#define LOST "<p>lost"
#define OF_LOST "Date Cache-Control Content-Type Content-Length Connection"

static void
expect_lost(const char *target, const char *fields)
{
	struct bytes get = ask_status_with("GET", target, fields, 404);
	struct bytes head = ask_status_with("HEAD", target, fields, 404);

	expect_fields(&get, OF_LOST);
	expect_field(&get, "Content-Type", "text/html; charset=utf-8");
	expect_field(&get, "Cache-Control", "no-cache");
	expect_length_of_body(&get);
	expect_body(&get, LOST, strlen(LOST));
	expect_same_head(&head, &get);
	bytes_free(&get);
	bytes_free(&head);
}

START_TEST(a_page_for_404)
{
	static const char *const targets[] = {"/none", "/none/", "/a/b?c",
		"/a.txt/", "/sub/none", "/sub%5Cindex.html", "/.secret",
		"/.git/config", "/sub/../.secret", "/loop"};
	static const char *const fields[] = {"If-None-Match: *",
		"If-Match: \"a\"", "If-Modified-Since: " AFTER,
		"If-Unmodified-Since: " BEFORE, "Range: bytes=0-1",
		"Range: bytes=100-", "Accept: image/png"};

	open_folder();
	dir_write(folder, "404.html", LOST, strlen(LOST));
	ck_assert_int_eq(symlink("loop", path_in("loop")), 0);
	for (int i = 0; i < COUNT(targets); i++)
		expect_lost(targets[i], "");
	for (int i = 0; i < COUNT(fields); i++)
		expect_lost("/none", fields[i]);
	/* it may be there the next time */
	site.cache = "max-age=60";
	expect_lost("/none", "");
	close_folder();
}
END_TEST

START_TEST(the_page_for_404_is_a_file_too)
{
	struct bytes answer;

	open_folder();
	dir_write(folder, "404.html", LOST, strlen(LOST));
	answer = ask_status("GET", "/404.html", 200);
	expect_fields(&answer, OF_FILE);
	expect_body(&answer, LOST, strlen(LOST));
	bytes_free(&answer);
	answer = ask_status_with("GET", "/404.html", "If-None-Match: *", 304);
	bytes_free(&answer);
	/* other errors keep their text */
	expect_error("GET", "/%", 400);
	expect_error("POST", "/none", 405);
	site.unlisted = true;
	expect_error("GET", "/empty/", 403);
	close_folder();
}
END_TEST

START_TEST(a_page_for_404_of_its_own_type)
{
	static struct retort_type type = {"html", "text/x-own"};
	struct bytes answer;

	open_folder();
	dir_write(folder, "404.html", "", 0);
	site.types = &type;
	site.type_count = 1;
	site.own.fields = "X-A: b";
	site.own.omit = "Cache-Control";
	site.precompressed = true;
	answer = ask_status_with("GET", "/none", "Accept-Encoding: gzip", 404);
	expect_fields(&answer,
		"Date Vary Content-Type Content-Length X-A Connection");
	expect_field(&answer, "Content-Type", "text/x-own");
	expect_body(&answer, "", 0);
	bytes_free(&answer);
	site.types = NULL;
	site.type_count = 0;
	close_folder();
}
END_TEST

START_TEST(a_large_page_for_404)
{
	struct bytes answer;
	char *data;

	open_folder();
	data = make_sized("404.html", 100000);
	answer = ask_status("GET", "/none", 404);
	expect_fields(&answer, OF_LOST);
	expect_length(&answer, 100000);
	expect_body(&answer, data, 100000);
	bytes_free(&answer);
	free(data);
	close_folder();
}
END_TEST

START_TEST(what_is_no_page_for_404)
{
	char *outside;

	open_folder();
	dir_write(folder, "sub/404.html", LOST, strlen(LOST));
	expect_error("GET", "/sub/none", 404);
	ck_assert_int_eq(mkdir(path_in("404.html"), 0777), 0);
	expect_error("GET", "/none", 404);
	ck_assert_int_eq(rmdir(path_in("404.html")), 0);
	ck_assert_int_eq(mkfifo(path_in("404.html"), 0666), 0);
	expect_error("GET", "/none", 404);
	ck_assert_int_eq(unlink(path_in("404.html")), 0);
	outside = dir_make();
	dir_write(outside, "page", "outside", 7);
	ck_assert_int_eq(symlink(outside, path_in("out")), 0);
	ck_assert_int_eq(symlink("out/page", path_in("404.html")), 0);
	expect_error("GET", "/none", 404);
	dir_remove(outside);
	ck_assert_int_eq(unlink(path_in("404.html")), 0);
	/* one within does */
	ck_assert_int_eq(symlink("sub/404.html", path_in("404.html")), 0);
	expect_lost("/none", "");
	close_folder();
}
END_TEST

/* --- one file --- */

START_TEST(serves_one_file_alone)
{
	struct bytes answer;

	open_folder();
	open_root(path_in("a.txt"));
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

START_TEST(one_file_that_is_a_folder_now)
{
	static const char *const targets[] = {"/", "/a.txt", "//", "/a.txt/",
		"/a.txt/b", "/?q"};

	open_folder();
	open_root(path_in("a.txt"));
	ck_assert_int_eq(unlink(path_in("a.txt")), 0);
	dir_write(folder, "a.txt/b", "", 0);
	for (int i = 0; i < 2 * COUNT(targets); i++) {
		site.unlisted = i >= COUNT(targets);
		expect_error("GET", targets[i % COUNT(targets)], 404);
		expect_status("HEAD", targets[i % COUNT(targets)], 404);
	}
	/* and a file again */
	ck_assert_int_eq(unlink(path_in("a.txt/b")), 0);
	ck_assert_int_eq(rmdir(path_in("a.txt")), 0);
	dir_write(folder, "a.txt", "again", 5);
	expect_file("/", "again");
	close_folder();
}
END_TEST

START_TEST(serves_one_file_by_its_own_name)
{
	open_folder();
	dir_write(folder, ".dot", "dot", 3);
	open_root(path_in(".dot"));
	expect_file("/", "dot");
	/* named by its owner, but hidden by name still */
	expect_error("GET", "/.dot", 404);
	site.root.dotfiles = true;
	expect_file("/.dot", "dot");
	close_folder();
}
END_TEST

/* Of one file, its neighbours are no part. */
START_TEST(one_file_has_no_neighbours)
{
	static const char request[] = "GET / HTTP/1.0\r\n"
				      "Accept-Encoding: gzip\r\n\r\n";
	struct bytes answer;
	struct asking asking;

	open_codings();
	dir_write(folder, "404.html", LOST, strlen(LOST));
	open_root(path_in("a.txt"));
	begin_asking(&asking, request);
	answer = end_asking(&asking);
	assert_begins(answer, "HTTP/1.1 200 OK\r\n");
	expect_fields(&answer, OF_FILE);
	expect_body(&answer, PLAIN, strlen(PLAIN));
	bytes_free(&answer);
	expect_error("GET", "/none", 404);
	expect_error("GET", "/404.html", 404);
	expect_error("GET", "/a.txt.gz", 404);
	close_folder();
}
END_TEST

/* Nor does it stand for others by what it is called. */
START_TEST(one_file_of_a_telling_name)
{
	struct bytes answer;

	open_folder();
	site.precompressed = true;
	dir_write(folder, "404.html", LOST, strlen(LOST));
	open_root(path_in("404.html"));
	expect_file("/", LOST);
	expect_error("GET", "/none", 404);
	dir_write(folder, ".gz", "zipped", 6);
	open_root(path_in(".gz"));
	answer = ask_status_with("GET", "/", "Accept-Encoding: gzip", 200);
	expect_field(&answer, "Content-Encoding", NULL);
	expect_body(&answer, "zipped", 6);
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(conditions_and_ranges_of_one_file)
{
	struct bytes answer;

	open_digits();
	open_root(path_in("d.txt"));
	answer = ask_status_with("GET", "/", "If-None-Match: $", 304);
	expect_fields(&answer, OF_304);
	bytes_free(&answer);
	answer = ask_status_with("GET", "/d.txt", "Range: bytes=0-0,2-2", 206);
	expect_parts(&answer, "0-0,2-2", "text/plain; charset=utf-8", DIGITS,
		10);
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* --- the owner's fields --- */

START_TEST(has_the_owners_fields)
{
	struct bytes answer;

	open_folder();
	site.own.fields = "X-A: one\nx-a: two\ncache-control: max-age=60\n"
			  "Content-Type: text/own\nEmpty: \n";
	site.own.omit = "ETAG\nX-None";
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
	struct bytes answer;

	open_folder();
	site.own.omit = "Date";
	site.own.fields = "Last-Modified: then";
	answer = ask("GET", "/a.txt");
	expect_field(&answer, "Date", NULL);
	expect_field(&answer, "Last-Modified", "then");
	bytes_free(&answer);
	close_folder();
}
END_TEST

/* The validators that are compared are those that are sent. */
static const struct {
	struct retort_field own;
	const char *fields;
	int status;
} own_validators[] = {
	{{"ETag", "\"x\""}, "If-None-Match: \"x\"", 304},
	{{"ETag", "\"x\""}, "If-None-Match: W/\"x\"", 304},
	{{"ETag", "\"x\""}, "If-None-Match: $", 200},
	{{"etag", "\"x\""}, "If-Match: \"x\"", 200},
	{{"ETag", "\"x\""}, "If-Match: $", 412},
	{{"ETag", "\"x\""}, "Range: bytes=0-0\r\nIf-Range: \"x\"", 206},
	{{"ETag", "\"x\""}, "Range: bytes=0-0\r\nIf-Range: $", 200},
	{{"ETag", "W/\"x\""}, "If-None-Match: \"x\"", 304},
	{{"ETag", "W/\"x\""}, "If-Match: W/\"x\"", 412},
	{{"ETag", "W/\"x\""}, "Range: bytes=0-0\r\nIf-Range: W/\"x\"", 200},
	{{"ETag", "x"}, "If-None-Match: x", 200},
	{{"ETag", "x"}, "If-None-Match: \"x\"", 200},
	{{"ETag", "x"}, "If-None-Match: *", 304},
	{{"ETag", NULL}, "If-None-Match: $", 200},
	{{"ETag", NULL}, "If-None-Match: *", 304},
	{{"ETag", NULL}, "If-Match: $", 412},
	{{"ETag", NULL}, "If-Match: *", 200},
	{{"ETag", NULL}, "If-Modified-Since: " DATE, 304},
	{{"ETag", NULL}, "Range: bytes=0-0\r\nIf-Range: $", 200},
	{{"ETag", NULL}, "Range: bytes=0-0", 206},
	{{"Last-Modified", BEFORE}, "If-Modified-Since: " BEFORE, 304},
	{{"Last-Modified", AFTER}, "If-Modified-Since: " DATE, 200},
	{{"last-modified", AFTER}, "If-Modified-Since: " AFTER, 304},
	{{"Last-Modified", AFTER}, "If-Unmodified-Since: " DATE, 412},
	{{"Last-Modified", BEFORE}, "Range: bytes=0-0\r\nIf-Range: " BEFORE,
		206},
	{{"Last-Modified", BEFORE}, "Range: bytes=0-0\r\nIf-Range: " DATE, 200},
	{{"Last-Modified", NULL}, "If-Modified-Since: " AFTER, 200},
	{{"Last-Modified", NULL}, "If-Unmodified-Since: " BEFORE, 200},
	{{"Last-Modified", NULL}, "Range: bytes=0-0\r\nIf-Range: " DATE, 200},
	{{"Last-Modified", NULL}, "If-None-Match: $", 304},
	{{"Last-Modified", "then"}, "If-Modified-Since: " AFTER, 200},
	{{"Last-Modified", "then"}, "If-Unmodified-Since: " BEFORE, 200},
	/* it may be that of another file */
	{{"X-ETag", "\"x\""}, "If-None-Match: \"x\"", 200},
};

START_TEST(has_the_owners_validators)
{
	open_dated_folder();
	for (int i = 0; i < COUNT(own_validators); i++) {
		const struct retort_field *own = &own_validators[i].own;
		struct bytes answer;

		set_own(own->name, own->value);
		answer = ask_status_with("GET", "/a.txt",
			own_validators[i].fields, own_validators[i].status);
		if (own_validators[i].status != 412)
			expect_field(&answer, own->name, own->value);
		if (strcasecmp(own->name, "ETag") == 0 &&
			strcmp(own->name, "ETag") != 0)
			expect_field(&answer, "ETag", NULL);
		if (own_validators[i].status == 304)
			expect_body(&answer, "", 0);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* One that is given is sent, whether it is omitted or not. */
START_TEST(has_validators_both_given_and_removed)
{
	static const struct {
		const char *name;
		const char *value;
		const char *line;
		const char *fields;
	} cases[] = {
		{"ETag", "\"x\"", "ETag: \"x\"", "If-None-Match: \"x\""},
		{"Last-Modified", AFTER, "Last-Modified: " AFTER,
			"If-Modified-Since: " AFTER},
	};

	open_dated_folder();
	for (int i = 0; i < COUNT(cases); i++) {
		struct bytes answer;

		site.own.fields = cases[i].line;
		site.own.omit = cases[i].name;
		answer = ask_status_with("GET", "/a.txt", cases[i].fields, 304);
		expect_field(&answer, cases[i].name, cases[i].value);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* RFC 9110 14.6 has no place for it, so the whole is sent. */
START_TEST(several_ranges_need_a_type_of_their_own)
{
	struct bytes answer;

	open_digits();
	for (int i = 0; i < 2; i++) {
		set_own("Content-Type", NULL);
		if (i == 0)
			set_own("content-type", "a/b");
		answer = ask_status_with("GET", "/d.txt",
			"Range: bytes=0-0,2-2", 200);
		expect_field(&answer, "Content-Type", NULL);
		expect_field(&answer, "content-type", i == 0 ? "a/b" : NULL);
		expect_field(&answer, "Content-Range", NULL);
		expect_body(&answer, DIGITS, 10);
		bytes_free(&answer);
		answer = ask_status_with("GET", "/d.txt", "Range: bytes=2-3",
			206);
		expect_field(&answer, "Content-Type", NULL);
		expect_field(&answer, "content-type", i == 0 ? "a/b" : NULL);
		expect_body(&answer, "23", 2);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* On whatever may be kept: 200, 206, 304. */
static void
expect_cache(const char *value)
{
	static const struct {
		const char *fields;
		int status;
	} cases[] = {{"", 200}, {"Range: bytes=0-0", 206},
		{"Range: bytes=0-0,2-2", 206}, {"If-None-Match: *", 304}};

	for (int i = 0; i < COUNT(cases); i++) {
		struct bytes answer = ask_status_with("GET", "/a.txt",
			cases[i].fields, cases[i].status);

		expect_field(&answer, "Cache-Control", value);
		bytes_free(&answer);
	}
}

START_TEST(may_be_cached)
{
	static const char *const without[] = {"/none", "/%"};
	struct bytes answer;

	open_folder();
	expect_cache("no-cache");
	site.cache = "max-age=60";
	expect_cache("max-age=60");
	for (int i = 0; i < COUNT(without); i++) {
		answer = ask("GET", without[i]);
		expect_field(&answer, "Cache-Control", NULL);
		bytes_free(&answer);
	}
	/* a browser would keep a 301 for ever */
	answer = ask("GET", "/sub");
	expect_field(&answer, "Cache-Control", "no-cache");
	bytes_free(&answer);
	set_own("Cache-Control", "no-store");
	expect_cache("no-store");
	set_own("cache-control", NULL);
	expect_cache(NULL);
	close_folder();
}
END_TEST

/* Each case twice: by openat2(2), where the system has it, and without. */
static void
add(Suite *suite, const char *name, const TTest *const *tests)
{
	static char names[32][32]; /* a case only points to its name */
	static size_t count;

	for (int i = 0; i < 2; i++) {
		TCase *tcase;

		if (count == sizeof names / sizeof *names)
			abort();
		(void)snprintf(names[count], sizeof *names, "%s%s", name,
			i == 0 ? "" : " by walk");
		tcase = tcase_create(names[count++]);
		tcase_set_timeout(tcase, 60);
		tcase_add_checked_fixture(tcase, i == 0 ? by_openat2 : by_walk,
			NULL);
		for (const TTest *const *test = tests; *test != NULL; test++)
			tcase_add_test(tcase, *test);
		rt_test_case(suite, tcase);
	}
}

int
main(void)
{
	Suite *suite = suite_create("site");
	const TTest *const files[] = {serves_a_file, finds_the_file_of_a_path,
		serves_any_size, knows_types, NULL};
	const TTest *const methods[] = {heads_are_those_of_get,
		options_name_the_methods, other_methods_are_refused,
		refuses_by_the_method_alone, NULL};
	const TTest *const errors[] = {is_not_found, is_malformed, is_forbidden,
		has_no_descriptor_left, NULL};
	const TTest *const redirects[] = {redirects_to_the_slash,
		never_redirects_to_another_host, encodes_what_it_redirects_to,
		redirects_any_name, redirects_a_deep_folder,
		a_redirect_that_is_too_long, NULL};
	const TTest *const validators[] = {every_change_changes_the_tag,
		is_never_modified_in_the_future, conditions_are_met,
		conditions_are_of_files, NULL};
	const TTest *const some[] = {a_range, several_ranges,
		so_many_ranges_and_no_more, ranges_of_a_large_file,
		ranges_of_an_empty_file, a_young_date_is_weak, NULL};
	const TTest *const codings[] = {the_coding_that_is_preferred,
		a_variant_that_cannot_stand_for_the_file,
		a_variant_that_is_a_fifo_is_not_opened,
		a_variant_is_asked_for_by_the_file, every_reply_varies,
		no_variant_unless_told, a_variant_is_selected_before_all_else,
		NULL};
	const TTest *const listings[] = {lists_what_has_no_index,
		an_index_that_is_a_folder, a_listing_is_made_for_each_request,
		lists_nothing_unless_told, lists_at_the_longest_path,
		lists_in_slices, a_listing_outlives_its_site,
		a_listing_is_given_up, a_listing_without_descriptors, NULL};
	const TTest *const spa[] = {a_page_stands_for_what_is_missing,
		the_page_is_not_cached, a_page_for_navigation_alone,
		a_page_does_not_hide_what_exists,
		conditions_and_ranges_of_the_page, the_page_has_variants,
		the_page_may_lie_anywhere, the_page_is_missing_later, NULL};
	const TTest *const lost[] = {a_page_for_404,
		the_page_for_404_is_a_file_too, a_page_for_404_of_its_own_type,
		a_large_page_for_404, what_is_no_page_for_404, NULL};
	const TTest *const alone[] = {serves_one_file_alone,
		one_file_that_is_a_folder_now, serves_one_file_by_its_own_name,
		one_file_has_no_neighbours, one_file_of_a_telling_name,
		conditions_and_ranges_of_one_file, NULL};
	const TTest *const fields[] = {has_the_owners_fields,
		has_the_owners_date, has_the_owners_validators,
		has_validators_both_given_and_removed,
		several_ranges_need_a_type_of_their_own, may_be_cached, NULL};

	add(suite, "files", files);
	add(suite, "methods", methods);
	add(suite, "errors", errors);
	add(suite, "redirects", redirects);
	add(suite, "conditions", validators);
	add(suite, "ranges", some);
	add(suite, "precompressed", codings);
	add(suite, "listings", listings);
	add(suite, "spa", spa);
	add(suite, "404.html", lost);
	add(suite, "one file", alone);
	add(suite, "fields", fields);
	return rt_test_run(suite);
}
