/* SPDX-License-Identifier: MIT */
/* The site: lists and pages that stand in. */
#include "config.h"

#include "unit/sites.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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
	rt_draft_raw(&(struct rt_draft){.reply = &asking.reply}, 200, "x", 1);
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

int
main(void)
{
	Suite *suite = suite_create("site pages");
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

	add(suite, "listings", listings);
	add(suite, "spa", spa);
	add(suite, "404.html", lost);
	return rt_test_run(suite);
}
