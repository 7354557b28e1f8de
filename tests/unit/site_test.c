/* SPDX-License-Identifier: MIT */
/* The site: files, methods, errors and redirects. */
#include "config.h"

#include "unit/sites.h"

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
#include <unistd.h>

#include "http/type.h"

/* The owner gives this field, or, without a value, leaves it out. */
static void
set_own(const char *name, const char *value)
{
	static char line[256];

	(void)snprintf(line, sizeof line, "%s: %s", name, value ? value : "");
	site.own.fields = value ? line : NULL;
	site.own.omit = value ? NULL : name;
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
	/* no date is that of the clock, which may be set meanwhile */
	set_time("index.html", MODIFIED, 0);
	set_time("a.txt", MODIFIED, 0);
	set_time("empty/a.png", MODIFIED, 0);
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
	/* if it leads to a folder */
	expect_error("GET", "/none%2f", 404);
	expect_error("GET", "/a.txt%2F", 404);
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

/* --- files that are kept --- */

#ifdef HAVE_STATX

#define KEPT "/sub/f.txt"

/* The times of what is kept stand still for a while on some systems: changes it
   until they are others. */
static void
rewrite(const char *name, const char *content)
{
	struct stat before, after;

	ck_assert_int_eq(stat(path_in(name), &before), 0);
	do {
		dir_write(folder, name, content, strlen(content));
		ck_assert_int_eq(stat(path_in(name), &after), 0);
	} while (before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
		before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
}

static void
move(const char *from, const char *to)
{
	char *old = strdup(path_in(from));

	ck_assert_int_eq(rename(old, path_in(to)), 0);
	free(old);
}

static void
rewrite_alike(void)
{
	rewrite("sub/f.txt", "after!");
}

static void
rewrite_in_its_time(void)
{
	rewrite("sub/f.txt", "after!");
	set_time("sub/f.txt", MODIFIED, 5);
}

static void
grow(void)
{
	rewrite("sub/f.txt", "before and after");
}

static void
empty(void)
{
	rewrite("sub/f.txt", "");
}

static void
replace_alike(void)
{
	dir_write(folder, "new", "after!", 6);
	set_time("new", MODIFIED, 5);
	move("new", "sub/f.txt");
}

static void
take_away(void)
{
	ck_assert_int_eq(unlink(path_in("sub/f.txt")), 0);
}

static void
become_a_link(void)
{
	move("sub/f.txt", "sub/g.txt");
	ck_assert_int_eq(symlink("g.txt", path_in("sub/f.txt")), 0);
}

static char *outside; /* another folder */

/* The file is what it was, only its folder is elsewhere. */
static void
lead_out(void)
{
	char way[PATH_MAX];

	(void)snprintf(way, sizeof way, "%s/sub", outside);
	ck_assert_int_eq(rename(path_in("sub"), way), 0);
	ck_assert_int_eq(symlink(way, path_in("sub")), 0);
}

static void
lead_elsewhere(void)
{
	move("sub", "other");
	ck_assert_int_eq(symlink("other", path_in("sub")), 0);
}

static void
move_the_folder(void)
{
	move("sub", "other");
	ck_assert_int_eq(mkdir(path_in("sub"), 0700), 0);
	dir_write(folder, "sub/f.txt", "after!", 6);
}

static bool
is_kept(const char *path)
{
	return rt_store_find(&site.store, &site.root, rt_word_of(path)) != NULL;
}

/* Once, so that it is kept from now on, new as it is, or not. */
static void
ask_as(bool old, const char *path)
{
	bool before = walk;

	walk = true;
	site.store.eager = old;
	expect_status("GET", path, 200);
	walk = before;
}

/* As the very next request sees it: no other has looked meanwhile. */
START_TEST(changes_are_seen_at_once)
{
	static const struct {
		const char *what;
		void (*change)(void);
		int status;
		const char *content;
	} rows[] = {
		{"another content of that size", rewrite_alike, 200, "after!"},
		{"and of that time", rewrite_in_its_time, 200, "after!"},
		{"more", grow, 200, "before and after"},
		{"nothing", empty, 200, ""},
		{"another file", replace_alike, 200, "after!"},
		{"no file", take_away, 404, NULL},
		{"a link", become_a_link, 200, "before"},
		{"in a folder that is a link", lead_elsewhere, 200, "before"},
		{"out of the root", lead_out, 403, NULL},
		{"another folder", move_the_folder, 200, "after!"},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		outside = dir_make();
		open_folder();
		dir_write(folder, "sub/f.txt", "before", 6);
		set_time("sub/f.txt", MODIFIED, 5);
		ask_as(true, KEPT);
		ck_assert_msg(is_kept(KEPT), "before %s: not kept",
			rows[i].what);
		rows[i].change();
		if (rows[i].content != NULL)
			expect_file(KEPT, rows[i].content);
		else
			expect_status("GET", KEPT, rows[i].status);
		close_folder();
		dir_remove(outside);
	}
}
END_TEST

/* The times of a new one may not show its next change. */
START_TEST(new_files_are_not_kept)
{
	open_folder();
	dir_write(folder, "sub/f.txt", "before", 6);
	set_time("sub/f.txt", MODIFIED, 5);
	ask_as(false, KEPT);
	ck_assert(!is_kept(KEPT));
	close_folder();
}
END_TEST

START_TEST(what_else_is_at_a_path_goes_before)
{
	open_folder();
	site.html = true;
	dir_write(folder, "page.html", "<p>page", 7);
	ask_as(true, "/page");
	ck_assert(!is_kept("/page"));
	ask_as(true, "/page.html");
	ck_assert(is_kept("/page.html"));
	dir_write(folder, "page", "page", 4);
	ask_as(true, "/page");
	ck_assert(is_kept("/page"));
	expect_file("/page", "page");
	ask_as(true, "/sub/");
	ck_assert(is_kept("/sub/"));
	ck_assert_int_eq(unlink(path_in("sub/index.html")), 0);
	site.unlisted = true;
	expect_status("GET", "/sub/", 403);
	expect_status("GET", "/sub%2F", 301);
	close_folder();
}
END_TEST

START_TEST(variants_go_before_what_is_kept)
{
	struct bytes answer;

	open_folder();
	site.precompressed = true;
	ask_as(true, "/a.txt");
	ck_assert(is_kept("/a.txt"));
	dir_write(folder, "a.txt.gz", "gz", 2);
	answer = ask_status_with("GET", "/a.txt", "Accept-Encoding: gzip", 200);
	expect_field(&answer, "Content-Encoding", "gzip");
	expect_body(&answer, "gz", 2);
	bytes_free(&answer);
	close_folder();
}
END_TEST

START_TEST(keeps_what_has_no_links_and_few_folders_on_the_way)
{
	open_folder();
	dir_write(folder, "1/2/f", "f", 1);
	dir_write(folder, "1/2/3/f", "f", 1);
	ck_assert_int_eq(symlink("a.txt", path_in("link")), 0);
	ck_assert_int_eq(symlink("1", path_in("way")), 0);
	ask_as(true, "/1/2/f");
	ask_as(true, "/1/2/3/f");
	ask_as(true, "/link");
	ask_as(true, "/way/2/f");
	ck_assert(is_kept("/1/2/f"));
	ck_assert(!is_kept("/1/2/3/f"));
	ck_assert(!is_kept("/link"));
	ck_assert(!is_kept("/way/2/f"));
	site.root.follow = true;
	ask_as(true, "/way/2/./f");
	ck_assert(is_kept("/way/2/./f"));
	close_folder();
}
END_TEST

/* A head that is kept is that of the site's own fields. */
START_TEST(a_rule_has_other_fields)
{
	const struct retort_reply rule = {.fields = "X-Rule: 1"};
	struct rt_site_ways ways = {.whole = false};
	struct asking asking;
	struct bytes answer;

	open_folder();
	set_time("a.txt", MODIFIED, 5);
	for (int i = 0; i < 6; i++) {
		ask_as(true, "/a.txt");
		begin_asking(&asking, "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
		ways.own = i < 3 ? NULL : &rule;
		ck_assert(rt_site_answer(&site, &ways,
			rt_http_request(asking.http), asking.text, DATE,
			&asking.reply));
		answer = flatten(&asking.reply);
		stop_asking(&asking);
		expect_field(&answer, "X-Rule", i < 3 ? NULL : "1");
		expect_body(&answer, "hello\n", 6);
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

START_TEST(a_forced_body_is_always_sent)
{
	static const struct {
		const char *request;
		int status;
		const char *body; /* its beginning */
	} cases[] = {
		{"HEAD /a.txt", 200, "hello\n"},
		{"HEAD /none", 404, "404 Not Found\n"},
		{"HEAD /empty/", 200, "<!DOCTYPE html>"},
		{"POST /", 405, "405 Method Not Allowed\n"},
		{"GET /a.txt", 304, "hello\n"},
		{"HEAD /a.txt", 304, "hello\n"},
		{"OPTIONS /", 204, ""},
	};
	const struct rt_site_ways ways = {.forced = true};
	char request[256];

	open_folder();
	/* read, and from memory */
	for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
		size_t k = i % (sizeof cases / sizeof *cases);
		struct asking asking;
		struct bytes answer;

		(void)snprintf(request, sizeof request,
			"%s HTTP/1.1\r\nHost: x\r\n%s\r\n", cases[k].request,
			cases[k].status == 304 ? "If-None-Match: *\r\n" : "");
		begin_asking(&asking, request);
		while (!rt_site_answer(&site, &ways,
			rt_http_request(asking.http), asking.text, DATE,
			&asking.reply))
			;
		answer = flatten(&asking.reply);
		ck_assert_msg(asking.reply.status == cases[k].status, "%s: %d",
			request, asking.reply.status);
		stop_asking(&asking);
		expect_length_of_body(&answer);
		ck_assert_msg(strncmp(body_of(&answer), cases[k].body,
				      strlen(cases[k].body)) == 0,
			"%s: expected %s, got %s", request, cases[k].body,
			shown(answer.data, answer.size));
		bytes_free(&answer);
	}
	close_folder();
}
END_TEST

/* One root is a file: it is another one, or its folder is. */
START_TEST(another_root_is_seen_at_once)
{
	char *root;

	open_folder();
	root = strdup(path_in("sub"));
	open_root(root);
	ask_as(true, "/index.html");
	ck_assert(is_kept("/index.html"));
	move("sub", "other");
	expect_status("GET", "/index.html", 404);
	dir_write(folder, "sub/index.html", "<p>new", 6);
	expect_file("/index.html", "<p>new");
	free(root);
	root = strdup(path_in("a.txt"));
	open_root(root);
	ask_as(true, "/");
	ck_assert(is_kept("/"));
	move("sub/index.html", "a.txt");
	expect_file("/", "<p>new");
	free(root);
	close_folder();
}
END_TEST

START_TEST(keeps_few_and_small_files)
{
	char name[32];

	open_folder();
	free(make_sized("large", RT_STORE_FILE + 1));
	ask_as(true, "/large");
	ck_assert(!is_kept("/large"));
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof name, "/%d", i);
		free(make_sized(name + 1, RT_STORE_FILE));
		ask_as(true, name);
		ck_assert_uint_le(site.store.bytes, RT_STORE_BYTES);
	}
	ck_assert(is_kept(name));
	ck_assert_uint_ge(site.store.bytes, RT_STORE_FILE);
	close_folder();
}
END_TEST

#endif

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
	const TTest *const alone[] = {serves_one_file_alone,
		one_file_that_is_a_folder_now, serves_one_file_by_its_own_name,
		one_file_has_no_neighbours, one_file_of_a_telling_name,
		conditions_and_ranges_of_one_file, NULL};
	const TTest *const fields[] = {has_the_owners_fields,
		has_the_owners_date, has_the_owners_validators,
		has_validators_both_given_and_removed,
		several_ranges_need_a_type_of_their_own, may_be_cached, NULL};
#ifdef HAVE_STATX
	const TTest *const kept[] = {changes_are_seen_at_once,
		new_files_are_not_kept, what_else_is_at_a_path_goes_before,
		variants_go_before_what_is_kept, a_rule_has_other_fields,
		a_forced_body_is_always_sent,
		keeps_what_has_no_links_and_few_folders_on_the_way,
		another_root_is_seen_at_once, keeps_few_and_small_files, NULL};
#endif

	add(suite, "files", files);
	add(suite, "methods", methods);
	add(suite, "errors", errors);
	add(suite, "redirects", redirects);
	add(suite, "one file", alone);
	add(suite, "fields", fields);
#ifdef HAVE_STATX
	add(suite, "kept files", kept);
#endif
	return rt_test_run(suite);
}
