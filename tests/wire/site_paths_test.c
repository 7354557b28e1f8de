/* SPDX-License-Identifier: MIT */
/*
 * The files that the paths of requests lead to in a served folder, and how they
 * are sent: encoded slashes and attacks with them, --html, --prefix, types by
 * name and content, files that are made while they are read. Through the
 * library, in each way that a server can be run.
 */
#include "config.h"

#include "support/serving.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "not for you"

static char *base; /* holds "root", which is served, and "secret" */
static char root[4096];

static void
begin(int i, const struct retort_files *files)
{
	base = dir_make();
	ck_assert_int_lt(snprintf(root, sizeof root, "%s/root", base),
		(int)sizeof root);
	dir_write(base, "secret", SECRET, strlen(SECRET));
	dir_write(base, "root/index.html", "top", 3);
	dir_write(base, "root/@scope/pkg", "package", 7);
	dir_write(base, "root/@scope/index.html", "scope", 5);
	dir_write(base, "root/about.html", "about", 5);
	dir_write(base, "root/both/index.html", "folder", 6);
	dir_write(base, "root/both.html", "page", 4);
	dir_write(base, "root/exact", "exact", 5);
	dir_write(base, "root/exact.html", "not exact", 9);
	dir_write(base, "root/back\\slash", "back", 4);
	dir_write(base, "root/a%2fb", "literal", 7);
	dir_write(base, "root/.hidden/x", "hidden", 6);
	open_plain(i);
	ck_assert_msg(set_files(root, files) == 0, "%s", error);
}

static void
end(void)
{
	close_server();
	dir_remove(base);
}

static struct bytes
get(const char *target)
{
	char request[4096];

	ck_assert_int_lt(snprintf(request, sizeof request,
				 "GET %s HTTP/1.0\r\n\r\n", target),
		(int)sizeof request);
	return exchange(request);
}

/* "200 body", or "301 Location", or another status. */
static void
expect(const char *target, const char *expected)
{
	struct bytes got = get(target);
	const char *head_end = strstr(got.data, "\r\n\r\n");
	const char *location = strstr(got.data, "\r\nLocation: ");
	char short_form[256];

	ck_assert_msg(head_end != NULL && got.size > 12, "%s: %s", target,
		shown(got.data, got.size));
	(void)snprintf(short_form, sizeof short_form, "%.3s", got.data + 9);
	if (strcmp(short_form, "200") == 0)
		(void)snprintf(short_form, sizeof short_form, "200 %.200s",
			head_end + 4);
	else if (location != NULL)
		(void)snprintf(short_form, sizeof short_form, "%.3s %.*s",
			got.data + 9, (int)strcspn(location + 12, "\r"),
			location + 12);
	ck_assert_msg(strcmp(short_form, expected) == 0,
		"%s: %s: expected \"%s\", got \"%s\": %s", way->name, target,
		expected, short_form, shown(got.data, got.size));
	bytes_free(&got);
}

struct asked {
	const char *target;
	const char *expected;
};

static void
expect_all(const struct asked *asked, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(asked[i].target, asked[i].expected);
}

/* --- encoded slashes --- */

START_TEST(an_encoded_slash_is_a_slash)
{
	static const struct asked asked[] = {
		{"/@scope%2fpkg", "200 package"},
		{"/@scope%2Fpkg", "200 package"},
		{"/%40scope%2Fpkg", "200 package"},
		{"/%2f@scope/pkg", "200 package"},
		{"/@scope%2f%2fpkg", "200 package"},
		{"/@scope%2f..%2f@scope%2fpkg", "200 package"},
		{"/@scope%2f/", "200 scope"},
		/* relative links on a page need one that browsers see */
		{"/@scope%2f", "301 /%40scope/"},
		{"/@scope", "301 /%40scope/"},
		/* decoded once: these are names */
		{"/@scope%252fpkg", "404"},
		{"/a%252fb", "200 literal"},
		{"/a%2fb", "404"},
		{"/back%5cslash", "200 back"},
		{"/back%5Cslash", "200 back"},
		{"/@scope%5cpkg", "404"},
		{"/@scope%2f%00pkg", "400"},
		{"/@scope%2fpkg%00", "400"},
		{"/@scope%2", "400"},
		{"/%2f.hidden%2fx", "404"},
		{"/@scope%2f..%2f.hidden/x", "404"},
		{"/..%2f", "301 /"},
		{"/..%2findex.html", "200 top"},
	};

	begin(_i, NULL);
	expect_all(asked, COUNT(asked));
	end();
}
END_TEST

static const char *const ups[] = {"..", "%2e%2e", ".%2E", "%252e%252e", "..%00",
	"@scope%2f..%2f.."};
static const char *const slashes[] = {"/", "%2f", "%2F", "%5c", "\\", "%252f",
	"//", "%2f%2f", "/%2f", "%c0%af", "%00/", "/./"};

/* Up this many times, with two kinds of slashes in turn, and then the
   secret. */
static void
expect_no_secret(size_t up, size_t one, size_t other, size_t times)
{
	struct bytes target = {.data = NULL}, got;

	bytes_add(&target, "/", 1);
	for (size_t n = 0; n < times; n++) {
		const char *slash = slashes[n % 2 ? other : one];

		bytes_add(&target, ups[up], strlen(ups[up]));
		bytes_add(&target, slash, strlen(slash));
	}
	bytes_add(&target, "secret", 6);
	got = get(target.data);
	assert_lacks(got, SECRET);
	ck_assert_msg(strncmp(got.data, "HTTP/1.1 4", 10) == 0, "%s: %s",
		target.data, shown(got.data, got.size));
	bytes_free(&target);
	bytes_free(&got);
}

START_TEST(no_path_leads_out)
{
	begin(_i, NULL);
	for (size_t i = 0; i < COUNT(ups); i++)
		for (size_t k = 0; k < COUNT(slashes); k++)
			for (size_t n = 0; n < COUNT(slashes); n++)
				expect_no_secret(i, k, n, 1 + (i + k + n) % 4);
	end();
}
END_TEST

/* --- --html --- */

START_TEST(a_page_without_its_extension)
{
	static const struct retort_files files = {.html = true};
	static const struct asked asked[] = {
		{"/about", "200 about"},
		{"/about?q", "200 about"},
		{"/about.html", "200 about"},
		{"/abo%75t", "200 about"},
		{"/about/", "404"},
		{"/none", "404"},
		{"/", "200 top"},
		{"/index", "200 top"},
		{"/@scope/index", "200 scope"},
		{"/@scope", "301 /%40scope/"},
		/* the file of that name, then the page, then the folder */
		{"/exact", "200 exact"},
		{"/both", "200 page"},
		{"/both/", "200 folder"},
		{"/.hidden", "404"},
		{"/..", "200 top"},
	};
	static const struct asked without[] = {{"/about", "404"},
		{"/both", "301 /both/"}, {"/index", "404"}};
	struct bytes got;

	begin(_i, &files);
	expect_all(asked, COUNT(asked));
	got = get("/about");
	assert_has(got, "\r\nContent-Type: text/html; charset=utf-8\r\n");
	bytes_free(&got);
	/* what is no file does not stand for one */
	dir_write(base, "root/folder.html/x", "x", 1);
	expect("/folder", "404");
	ck_assert_int_eq(set_files(root, NULL), 0);
	expect_all(without, COUNT(without));
	end();
}
END_TEST

/* --- --prefix --- */

START_TEST(a_folder_beneath_a_prefix)
{
	static const char *const same[] = {"/repo", "/repo/", "//repo//",
		"/x/../repo/."};
	static const struct asked asked[] = {
		{"/repo/", "200 top"},
		{"/repo/index.html", "200 top"},
		{"/repo//about.html?q", "200 about"},
		{"/r%65po%2fabout.html", "200 about"},
		{"/x/../repo/about.html", "200 about"},
		{"/repo/@scope%2fpkg", "200 package"},
		{"/repo/@scope", "301 /repo/%40scope/"},
		{"/repo/@scope?q", "301 /repo/%40scope/?q"},
		{"/repo/none", "404"},
		/* where somebody comes in, or forgets the slash */
		{"/", "301 /repo/"},
		{"/?q", "301 /repo/?q"},
		{"/repo", "301 /repo/"},
		{"/repo?q", "301 /repo/?q"},
		{"/repo%2f", "301 /repo/"},
		/* and nothing else */
		{"/about.html", "404"},
		{"/index.html", "404"},
		{"/rep", "404"},
		{"/repository/about.html", "404"},
		{"/Repo/about.html", "404"},
		{"/repo/../about.html", "404"},
		{"/repo%2f..%2fabout.html", "404"},
		{"/repo/../../secret", "404"},
		{"/repo/..%2f..%2fsecret", "404"},
		{"/repo/.hidden/x", "404"},
		{"/repo/%00", "400"},
	};

	for (size_t i = 0; i < COUNT(same); i++) {
		begin(_i, &(struct retort_files){.prefix = same[i]});
		expect_all(asked, COUNT(asked));
		end();
	}
	begin(_i, &(struct retort_files){.prefix = "/"});
	expect("/about.html", "200 about");
	ck_assert_int_eq(set_files(root,
				 &(struct retort_files){.prefix = "/a b/c"}),
		0);
	expect("/", "301 /a%20b/c/");
	expect("/a%20b/c/about.html", "200 about");
	expect("/a%20b/", "404");
	end();
}
END_TEST

START_TEST(a_prefix_that_is_none)
{
	static const char *const wrong[] = {"", "repo", "/a?b", "/a#b", "/%zz",
		"/.git", "/%00"};

	begin(_i, NULL);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		ck_assert_msg(set_files(root,
				      &(struct retort_files){
					      .prefix = wrong[i]}) < 0,
			"'%s' was taken", wrong[i]);
		ck_assert_msg(strncmp(error, "prefix '", 8) == 0, "%s", error);
	}
	expect("/about.html", "200 about");
	end();
}
END_TEST

/* One file, and pages for what is missing, keep to it too. */
START_TEST(a_prefix_and_what_goes_with_it)
{
	static const struct retort_files files = {.prefix = "/app",
		.spa = "./index.html",
		.max_age = 60};
	char file[4200];
	struct bytes got;

	begin(_i, &files);
	dir_write(base, "root/404.html", "lost", 4);
	got = exchange("GET /app/deep/link HTTP/1.0\r\n"
		       "Accept: text/html\r\n\r\n");
	assert_begins(got, "HTTP/1.1 200 ");
	assert_has(got, "\r\nCache-Control: no-cache\r\n");
	assert_has(got, "\r\n\r\ntop");
	bytes_free(&got);
	got = exchange("GET /deep HTTP/1.0\r\nAccept: text/html\r\n\r\n");
	assert_begins(got, "HTTP/1.1 404 ");
	assert_lacks(got, "lost");
	bytes_free(&got);
	got = get("/app/none");
	assert_begins(got, "HTTP/1.1 404 ");
	assert_has(got, "\r\n\r\nlost");
	bytes_free(&got);
	(void)snprintf(file, sizeof file, "%s/exact", root);
	ck_assert_int_eq(set_files(file,
				 &(struct retort_files){.prefix = "/app"}),
		0);
	expect("/app/", "200 exact");
	expect("/app/exact", "200 exact");
	expect("/app", "301 /app/");
	expect("/exact", "404");
	end();
}
END_TEST

/* --- what may be kept --- */

START_TEST(what_is_no_file_is_not_kept)
{
	static const struct retort_files files = {.max_age = 60,
		.spa = "index.html"};
	static const struct {
		const char *target;
		const char *cache;
	} cases[] = {{"/", "no-cache"}, {"/index.html", "no-cache"},
		{"/@scope", "no-cache"}, {"/.well-known/", NULL},
		{"/about.html", "max-age=60"}, {"/exact", "max-age=60"},
		{"/both/", "max-age=60"}};

	begin(_i, &files);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes got = get(cases[i].target);
		char line[64];

		(void)snprintf(line, sizeof line, "\r\nCache-Control: %s\r\n",
			cases[i].cache ? cases[i].cache : "");
		if (cases[i].cache != NULL)
			assert_has(got, line);
		else
			assert_lacks(got, "Cache-Control");
		bytes_free(&got);
	}
	end();
}
END_TEST

/* --- types --- */

static void
expect_type(const char *target, const char *type)
{
	struct bytes got = get(target);
	char line[128];

	assert_begins(got, "HTTP/1.1 200 ");
	(void)snprintf(line, sizeof line, "\r\nContent-Type: %s\r\n", type);
	assert_has(got, line);
	bytes_free(&got);
}

#define TEXT "text/plain; charset=utf-8"
#define BINARY "application/octet-stream"

START_TEST(what_looks_like_text_is_text)
{
	static char many[200000];
	struct bytes got;

	begin(_i, NULL);
	memset(many, 'a', sizeof many);
	dir_write(base, "root/README", "read\n", 5);
	dir_write(base, "root/Dockerfile", "FROM x\n", 7);
	dir_write(base, "root/main.zig", "const\n", 6);
	dir_write(base, "root/empty", "", 0);
	dir_write(base, "root/large", many, sizeof many);
	dir_write(base, "root/program",
		"\x7f"
		"ELF\0",
		5);
	dir_write(base, "root/data.bin", "text\n", 5);
	dir_write(base, "root/page.html", "\0", 1);
	many[4096] = '\0';
	dir_write(base, "root/later", many, sizeof many);
	many[4095] = '\0';
	dir_write(base, "root/first", many, sizeof many);
	expect_type("/README", TEXT);
	expect_type("/Dockerfile", TEXT);
	expect_type("/main.zig", TEXT);
	expect_type("/empty", TEXT);
	expect_type("/large", TEXT);
	expect_type("/later", TEXT);
	expect_type("/first", BINARY);
	expect_type("/program", BINARY);
	/* one extension of two kinds of files */
	dir_write(base, "root/app.ts", "let a = 1;\n", 11);
	dir_write(base, "root/film.ts", "G@\0\x10\0", 5);
	expect_type("/app.ts", TEXT);
	expect_type("/film.ts", "video/mp2t");
	/* a type that is known is believed */
	expect_type("/data.bin", BINARY);
	expect_type("/page.html", "text/html; charset=utf-8");
	/* the same in part */
	got = exchange("GET /README HTTP/1.0\r\nRange: bytes=1-2\r\n\r\n");
	assert_begins(got, "HTTP/1.1 206 ");
	assert_has(got, "\r\nContent-Type: " TEXT "\r\n");
	assert_has(got, "\r\n\r\nea");
	bytes_free(&got);
	end();
}
END_TEST

/* The type is that of what the client has in the end. */
START_TEST(a_variant_has_the_type_of_its_file)
{
	struct bytes got;

	begin(_i, &(struct retort_files){.precompressed = true});
	dir_write(base, "root/README", "read\n", 5);
	dir_write(base, "root/README.gz", "\x1f\x8b\0\0", 4);
	got = exchange("GET /README HTTP/1.0\r\n"
		       "Accept-Encoding: gzip\r\n\r\n");
	assert_has(got, "\r\nContent-Encoding: gzip\r\n");
	assert_has(got, "\r\nContent-Type: " TEXT "\r\n");
	bytes_free(&got);
	end();
}
END_TEST

START_TEST(types_of_ones_own)
{
	static const struct retort_type types[] = {{"gz", "x/gz"},
		{"tar.gz", "x/tar"}, {"", "x/none"}, {"d.ts", "x/ts"}};
	static const struct retort_files files = {.types = types,
		.type_count = COUNT(types)};

	begin(_i, &files);
	dir_write(base, "root/a.tar.gz", "x", 1);
	dir_write(base, "root/a.gz", "x", 1);
	dir_write(base, "root/a.d.ts", "x", 1);
	dir_write(base, "root/a.ts", "x", 1);
	dir_write(base, "root/Makefile", "x", 1);
	dir_write(base, "root/a.zig", "x", 1);
	expect_type("/a.tar.gz", "x/tar");
	expect_type("/a.gz", "x/gz");
	expect_type("/a.d.ts", "x/ts");
	expect_type("/a.ts", TEXT);
	expect_type("/Makefile", "x/none");
	expect_type("/a.zig", TEXT);
	end();
}
END_TEST

/* --- files that are made while they are read --- */

/* Sent whole, and nothing that would let anybody keep it. */
static void
expect_made(const char *target, const char *body)
{
	static const char *const none[] = {"ETag", "Last-Modified",
		"Accept-Ranges", "Content-Range"};
	static const char *const fields[] = {"", "Range: bytes=0-0\r\n",
		"If-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT\r\n"};

	for (size_t i = 0; i < COUNT(fields); i++) {
		char request[256];
		struct bytes got;
		const char *at;

		(void)snprintf(request, sizeof request,
			"GET %s HTTP/1.0\r\n%s\r\n", target, fields[i]);
		got = exchange(request);
		if (i == 2 && strncmp(got.data, "HTTP/1.1 304 ", 13) == 0) {
			/* nobody has such a date from here */
			bytes_free(&got);
			continue;
		}
		assert_begins(got, "HTTP/1.1 200 ");
		assert_has(got, "\r\nCache-Control: no-cache\r\n");
		assert_has(got, body);
		for (size_t k = 0; k < COUNT(none); k++)
			assert_lacks(got, none[k]);
		at = strstr(got.data, "\r\nContent-Length: ");
		ck_assert_ptr_nonnull(at);
		ck_assert_int_eq(atoi(at + 18),
			(int)(got.size -
				(size_t)(strstr(got.data, "\r\n\r\n") + 4 -
					got.data)));
		ck_assert_int_gt(atoi(at + 18), 0);
		bytes_free(&got);
	}
}

START_TEST(files_that_say_they_are_empty)
{
	struct bytes got;

	if (access("/proc/self/status", R_OK) != 0)
		return;
	begin(_i, NULL);
	ck_assert_int_eq(set_files("/proc/self",
				 &(struct retort_files){.max_age = 60}),
		0);
	expect_made("/status", "\nVmSize:");
	/* more than one read(2) gives */
	expect_made("/maps", "[stack]");
	ck_assert_int_eq(set_files("/proc/self/status", NULL), 0);
	expect_made("/", "\nVmSize:");
	/* one that is empty is like any other */
	dir_write(base, "root/empty", "", 0);
	ck_assert_int_eq(set_files(root, NULL), 0);
	got = get("/empty");
	assert_has(got, "\r\nETag: ");
	assert_has(got, "\r\nContent-Length: 0\r\n");
	bytes_free(&got);
	end();
}
END_TEST

START_TEST(files_that_promise_more)
{
	static const char folder[] = "/sys/devices/system/cpu";
	struct stat status;
	char path[64];

	(void)snprintf(path, sizeof path, "%s/online", folder);
	if (stat(path, &status) < 0 || status.st_size != 4096)
		return;
	begin(_i, NULL);
	ck_assert_int_eq(set_files(folder,
				 &(struct retort_files){.max_age = 60}),
		0);
	expect_made("/online", "\r\n\r\n0");
	end();
}
END_TEST

/* --- ranges --- */

/* As zsync asks: for the blocks that it lacks, twenty at a time. */
START_TEST(twenty_ranges)
{
	struct bytes request = {.data = NULL}, got;
	char *large = malloc(1 << 20), text[64];
	size_t parts = 0;

	ck_assert_ptr_nonnull(large);
	memset(large, 'b', 1 << 20);
	begin(_i, NULL);
	dir_write(base, "root/large", large, 1 << 20);
	free(large);
	bytes_add(&request, "GET /large HTTP/1.0\r\nRange: bytes=", 34);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof text, "%s%d-%d", i ? "," : "",
			i * 8192, i * 8192 + 2047);
		bytes_add(&request, text, strlen(text));
	}
	bytes_add(&request, "\r\n\r\n", 4);
	got = exchange_bytes(request.data, request.size);
	assert_begins(got, "HTTP/1.1 206 ");
	assert_has(got, "\r\nContent-Type: multipart/byteranges; ");
	for (const char *at = got.data;
		(at = strstr(at, "\r\nContent-Range: bytes ")) != NULL; at++)
		parts++;
	ck_assert_uint_eq(parts, 20);
	ck_assert_uint_lt(got.size, 20 * (2048 + 200) + 600);
	bytes_free(&got);
	bytes_free(&request);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("site paths");
	const TTest *const paths[] = {an_encoded_slash_is_a_slash,
		no_path_leads_out, a_page_without_its_extension,
		a_folder_beneath_a_prefix, a_prefix_that_is_none,
		a_prefix_and_what_goes_with_it, what_is_no_file_is_not_kept,
		NULL};
	const TTest *const types[] = {what_looks_like_text_is_text,
		a_variant_has_the_type_of_its_file, types_of_ones_own, NULL};
	const TTest *const content[] = {files_that_say_they_are_empty,
		files_that_promise_more, twenty_ranges, NULL};

	rt_test_cases(suite, "paths", paths, 0, BASIC_WAYS);
	rt_test_cases(suite, "types", types, 0, BASIC_WAYS);
	rt_test_cases(suite, "content", content, 0, BASIC_WAYS);
	return rt_test_run(suite);
}
