/* SPDX-License-Identifier: MIT */
/*
 * Listings: folders with every kind of name and link, read back from the page
 * by a strict small parser. Most tests run for each way to open (_i is
 * `walk`).
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "site/listing.h"
#include "support/harness.h"

/* For what is asked of every link: one that passes costs no system call. */
#define MUST(condition, ...) \
	do { \
		if (!(condition)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

/* --- the page, parsed --- */

struct link {
	struct bytes href; /* without its escapes for HTML */
	struct bytes text; /* the same */
	struct bytes rest; /* text between it and the next link */
	struct bytes name; /* what href leads to, without a final slash */
	bool folder;       /* it has one */
};

struct page {
	struct link *links; /* but for the parent's */
	size_t count;
	size_t room;
	int parents; /* links to the parent */
	struct bytes title;
};

struct parser {
	struct page *page;
	const char *at;
	const char *end;
	const char *open[32]; /* elements, the innermost last */
	size_t depth;
	struct link link; /* the one being read */
	bool has_link;
};

static const struct {
	const char *name;
	bool is_empty;
} elements[] = {
	{"html", false},
	{"head", false},
	{"meta", true},
	{"link", true},
	{"style", false},
	{"title", false},
	{"body", false},
	{"h1", false},
	{"p", false},
	{"table", false},
	{"thead", false},
	{"tbody", false},
	{"main", false},
	{"tr", false},
	{"th", false},
	{"td", false},
	{"a", false},
};

static void
wrong(const struct parser *parser, const char *what)
{
	size_t left = (size_t)(parser->end - parser->at);

	ck_abort_msg("%s at: %s", what,
		shown(parser->at, left < 200 ? left : 200));
}

/* The length of a well-formed character (RFC 3629), or 0. */
static size_t
character_size(const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t length = c[0] < 0x80          ? 1 :
		c[0] >= 0xc2 && c[0] <= 0xdf ? 2 :
		c[0] >= 0xe0 && c[0] <= 0xef ? 3 :
		c[0] >= 0xf0 && c[0] <= 0xf4 ? 4 :
					       0;

	if (length == 0 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
		(c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return length;
}

/* Controls (C0, DEL and C1), and what turns the direction of text around. */
static bool
is_control(const char *text, size_t length)
{
	const unsigned char *c = (const unsigned char *)text;

	if (length == 1)
		return c[0] < 0x20 || c[0] == 0x7f;
	if (length == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	return length == 3 && c[0] == 0xe2 &&
		((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
			(c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* Whether the name can stand in a page as it is, but for HTML's escapes. */
static bool
is_plain(const char *name, size_t size)
{
	size_t length;

	for (size_t i = 0; i < size; i += length) {
		length = character_size(name + i, size - i);
		if (length == 0 || is_control(name + i, length))
			return false;
	}
	return true;
}

static void
check_characters(const struct parser *parser)
{
	struct parser on = *parser;
	size_t length;

	for (; on.at < on.end; on.at += length) {
		length = character_size(on.at, (size_t)(on.end - on.at));
		if (length == 0)
			wrong(&on, "not UTF-8");
		if (*on.at != '\n' && is_control(on.at, length))
			wrong(&on, "a raw control character");
	}
}

/* Reads one byte, or one character reference, of text or of a value. */
static char
take_byte(struct parser *parser)
{
	static const struct {
		const char *text;
		char c;
	} references[] = {
		{"&amp;", '&'},
		{"&lt;", '<'},
		{"&gt;", '>'},
		{"&quot;", '"'},
		{"&#39;", '\''},
	};

	if (*parser->at != '&')
		return *parser->at++;
	for (int i = 0; i < COUNT(references); i++) {
		size_t size = strlen(references[i].text);

		if ((size_t)(parser->end - parser->at) >= size &&
			memcmp(parser->at, references[i].text, size) == 0) {
			parser->at += size;
			return references[i].c;
		}
	}
	wrong(parser, "an \"&\" that is no known reference");
	return 0;
}

static bool
take(struct parser *parser, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(parser->end - parser->at) < size ||
		memcmp(parser->at, text, size) != 0)
		return false;
	parser->at += size;
	return true;
}

static bool
is_open(const struct parser *parser, const char *name)
{
	for (size_t i = 0; i < parser->depth; i++)
		if (strcmp(parser->open[i], name) == 0)
			return true;
	return false;
}

/* The target of an href: a name of this folder, and whether it is a folder. */
static void
resolve(struct link *link)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~!$&'()*+,;=@:";
	const char *href = link->href.data;
	unsigned c;

	if (strncmp(href, "./", 2) == 0)
		href += 2;
	else if (strcspn(href, ":") < strcspn(href, "/"))
		ck_abort_msg("href \"%s\" begins with a scheme", href);
	bytes_add(&link->name, "", 0);
	for (; *href != '\0' && strcmp(href, "/") != 0; href++) {
		char byte = *href;

		if (byte == '%') {
			MUST(sscanf(href + 1, "%2x", &c) == 1 && c != 0 &&
					c != '/' &&
					strspn(href + 1,
						"0123456789ABCDEFabcd"
						"ef") >= 2,
				"href \"%s\" at \"%s\"", link->href.data, href);
			byte = (char)c;
			href += 2;
		} else if (strchr(plain, byte) == NULL)
			ck_abort_msg("href \"%s\": raw \"%s\"", link->href.data,
				href);
		bytes_add(&link->name, &byte, 1);
	}
	link->folder = *href == '/';
	MUST(link->name.size > 0 && strcmp(link->name.data, ".") != 0 &&
			strcmp(link->name.data, "..") != 0,
		"href \"%s\" names no entry", link->href.data);
}

static void
free_link(struct link *link)
{
	bytes_free(&link->href);
	bytes_free(&link->text);
	bytes_free(&link->rest);
	bytes_free(&link->name);
}

/* Ends the link that was being read. */
static void
keep_link(struct parser *parser)
{
	struct page *page = parser->page;

	if (!parser->has_link)
		return;
	parser->has_link = false;
	MUST(parser->link.href.size > 0, "a link without href");
	MUST(parser->link.text.size > 0, "nothing is shown for \"%s\"",
		parser->link.href.data);
	if (strcmp(parser->link.href.data, "../") == 0) {
		page->parents++;
		free_link(&parser->link);
		return;
	}
	resolve(&parser->link);
	if (page->count == page->room) {
		page->room = page->room ? 2 * page->room : 64;
		page->links =
			realloc(page->links, page->room * sizeof *page->links);
		ck_assert_ptr_nonnull(page->links);
	}
	page->links[page->count++] = parser->link;
}

/* One attribute: its name, and its value in double quotes. */
static void
take_attribute(struct parser *parser, bool is_link)
{
	const char *name = parser->at;
	bool is_href;

	while (parser->at < parser->end &&
		((*parser->at >= 'a' && *parser->at <= 'z') ||
			*parser->at == '-'))
		parser->at++;
	is_href = is_link && parser->at - name == 4 &&
		memcmp(name, "href", 4) == 0;
	if (parser->at == name || !take(parser, "=\""))
		wrong(parser, "no attribute with a quoted value");
	while (parser->at < parser->end && *parser->at != '"') {
		char c;

		if (*parser->at == '<')
			wrong(parser, "a \"<\" within a value");
		c = take_byte(parser);
		if (is_href)
			bytes_add(&parser->link.href, &c, 1);
	}
	if (!take(parser, "\""))
		wrong(parser, "a value without an end");
}

/* The element whose name comes next, and whether it has no end tag. */
static const char *
take_element(struct parser *parser, bool *is_empty)
{
	size_t size = strspn(parser->at, "abcdefghijklmnopqrstuvwxyz123456");

	for (int i = 0; i < COUNT(elements); i++)
		if (strlen(elements[i].name) == size &&
			memcmp(parser->at, elements[i].name, size) == 0) {
			parser->at += size;
			*is_empty = elements[i].is_empty;
			return elements[i].name;
		}
	wrong(parser, "no known element");
	return "";
}

/* After "<": "/name>", or "name attribute="value">". */
static void
take_tag(struct parser *parser)
{
	bool closes = take(parser, "/"), is_empty, is_link;
	const char *name = take_element(parser, &is_empty);

	is_link = strcmp(name, "a") == 0;
	if (closes) {
		if (parser->depth == 0 ||
			strcmp(parser->open[--parser->depth], name) != 0)
			wrong(parser, "closes what is not open");
	} else {
		if (is_link) {
			if (is_open(parser, "a"))
				wrong(parser, "a link within a link");
			keep_link(parser);
			parser->has_link = true;
			parser->link = (struct link){.folder = false};
		}
		while (take(parser, " "))
			take_attribute(parser, is_link);
		if (!is_empty && parser->depth == COUNT(parser->open))
			wrong(parser, "too deep");
		if (!is_empty)
			parser->open[parser->depth++] = name;
	}
	if (!take(parser, ">"))
		wrong(parser, "a tag without an end");
}

/* Text goes to the title, the link, or what follows it. */
static void
take_text(struct parser *parser)
{
	struct link *link = &parser->link;
	struct bytes *to = is_open(parser, "title") ? &parser->page->title :
		is_open(parser, "a")                ? &link->text :
		parser->has_link                    ? &link->rest :
						      NULL;
	bool raw = is_open(parser, "style");

	while (parser->at < parser->end && *parser->at != '<') {
		char c;

		if (*parser->at == '>' && !raw)
			wrong(parser, "a raw \">\"");
		c = raw ? *parser->at++ : take_byte(parser);
		if (to != NULL)
			bytes_add(to, &c, 1);
	}
}

static struct page
parse_page(const struct rt_buf *text)
{
	struct page page = {.links = NULL};
	struct parser parser = {.page = &page};
	struct bytes copy = {.data = NULL}; /* with a NUL at its end */

	bytes_add(&copy, text->data, text->len);
	bytes_add(&page.title, "", 0);
	parser.at = copy.data;
	parser.end = copy.data + copy.size;
	check_characters(&parser);
	if (!take(&parser, "<!DOCTYPE html>"))
		wrong(&parser, "no doctype");
	while (parser.at < parser.end) {
		if (take(&parser, "<"))
			take_tag(&parser);
		else
			take_text(&parser);
	}
	keep_link(&parser);
	if (parser.depth != 0)
		ck_abort_msg("<%s> is not closed",
			parser.open[parser.depth - 1]);
	ck_assert_uint_gt(page.title.size, 0);
	bytes_free(&copy);
	return page;
}

static void
free_page(struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		free_link(page->links + i);
	free(page->links);
	bytes_free(&page->title);
}

/* --- the folder --- */

static char *base;          /* holds "root", "outside" and "broken" */
static char path[PATH_MAX]; /* of the root */
static struct rt_root root;

static void
begin(int walk)
{
	base = dir_make();
	dir_write(base, "outside", "x", 1);
	(void)snprintf(path, sizeof path, "%s/broken", base);
	ck_assert_int_eq(symlink("missing", path), 0);
	(void)snprintf(path, sizeof path, "%s/root", base);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	root = (struct rt_root){.dotfiles = false};
	ck_assert_int_eq(rt_root_open(&root, path), 0);
	if (walk)
		root.walk = true;
}

static void
end(void)
{
	rt_root_close(&root);
	dir_remove(base);
}

/* A file beneath the root, or, with a final slash, a folder. */
static void
make(const char *name)
{
	size_t size = strlen(name);
	int fd;

	if (name[size - 1] == '/') {
		MUST(mkdirat(root.fd, name, 0755) == 0, "mkdir %s: %s",
			shown(name, size), strerror(errno));
		return;
	}
	fd = openat(root.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		0644);
	MUST(fd >= 0, "%s: %s", shown(name, size), strerror(errno));
	(void)close(fd);
}

/* Another name of a file next to the root: cheaper, where there are many. */
static void
make_again(const char *file, const char *name)
{
	char from[PATH_MAX];

	(void)snprintf(from, sizeof from, "%s/%s", base, file);
	MUST(linkat(AT_FDCWD, from, root.fd, name, 0) == 0, "link %s: %s", name,
		strerror(errno));
}

static void
make_link(const char *name, const char *target)
{
	MUST(symlinkat(target, root.fd, name) == 0, "symlink %s: %s", name,
		strerror(errno));
}

/* --- listing it --- */

struct count {
	int silent;    /* slices that wrote nothing */
	int writing;   /* slices that wrote */
	int most_rows; /* links that one slice wrote */
};

static struct rt_listing *
begin_listing(const char *folder)
{
	struct rt_listing *listing = NULL;
	struct rt_file file;
	int error;

	error = rt_file_open(&file, &root, folder);
	ck_assert_msg(error == 0, "open \"%s\": %s", folder, strerror(-error));
	error = rt_listing_begin(&listing, &root, &file, folder, NULL);
	ck_assert_msg(error == 0, "list \"%s\": %s", folder, strerror(-error));
	ck_assert_ptr_nonnull(listing);
	return listing;
}

static int
count_rows(const char *text, size_t size)
{
	int count = 0;

	for (size_t i = 0; i + 3 <= size; i++)
		count += memcmp(text + i, "<a ", 3) == 0;
	return count;
}

/* One slice, counted. */
static int
go_on(struct rt_listing *listing, struct count *count)
{
	const struct rt_buf *text = rt_listing_text(listing);
	size_t before = text->len;
	int done = rt_listing_go_on(listing), rows;

	ck_assert_uint_ge(text->len, before);
	if (text->len == before) {
		count->silent++;
		return done;
	}
	count->writing++;
	rows = count_rows(text->data + before, text->len - before);
	if (rows > count->most_rows)
		count->most_rows = rows;
	return done;
}

static struct page
finish_counted(struct rt_listing *listing, struct count *count)
{
	struct page page;
	int done = 0;

	for (int left = 1000000; left > 0 && done == 0; left--)
		done = go_on(listing, count);
	ck_assert_msg(done == 1, "expected a complete page, got %d: %s", done,
		done < 0 ? strerror(-done) : "is never complete");
	page = parse_page(rt_listing_text(listing));
	rt_listing_free(listing);
	return page;
}

static struct page
finish(struct rt_listing *listing)
{
	struct count count = {.silent = 0};

	return finish_counted(listing, &count);
}

static int
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

static int
compare_folded(const char *a, const char *b)
{
	while (*a != '\0' && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return fold(*a) - fold(*b);
}

static void
check_order(const struct page *page)
{
	for (size_t i = 1; i < page->count; i++) {
		const struct link *a = page->links + i - 1, *b = a + 1;

		if (a->folder == b->folder ?
				compare_folded(a->name.data, b->name.data) > 0 :
				b->folder)
			ck_abort_msg("\"%s\" comes before \"%s\"",
				shown(a->href.data, a->href.size),
				shown(b->href.data, b->href.size));
	}
}

/* A name that can be shown is shown, with the slash of a folder. */
static void
check_text(const struct link *link)
{
	struct bytes expected = {.data = NULL};

	if (!is_plain(link->name.data, link->name.size))
		return;
	bytes_add(&expected, link->name.data, link->name.size);
	if (link->folder)
		bytes_add(&expected, "/", 1);
	assert_bytes(link->text.data, link->text.size, expected.data,
		expected.size);
	bytes_free(&expected);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **
sorted_names(const struct page *page)
{
	char **names = calloc(page->count + 1, sizeof *names);

	ck_assert_ptr_nonnull(names);
	for (size_t i = 0; i < page->count; i++) {
		const struct link *link = page->links + i;

		names[i] = calloc(link->name.size + 2, 1);
		MUST(names[i] != NULL, "out of memory");
		memcpy(names[i], link->name.data, link->name.size);
		if (link->folder)
			names[i][link->name.size] = '/';
	}
	qsort(names, page->count, sizeof *names, compare_names);
	return names;
}

/*
 * Each of the names has one link, in their order, and there is no other;
 * folders are named with a final slash.
 */
static void
expect_names(const struct page *page, const char *const *names, size_t count)
{
	char **got = sorted_names(page);
	const char **expected = calloc(count + 1, sizeof *expected);
	size_t i = 0;

	ck_assert_ptr_nonnull(expected);
	if (count > 0)
		memcpy(expected, names, count * sizeof *expected);
	qsort(expected, count, sizeof *expected, compare_names);
	while (got[i] != NULL && expected[i] != NULL &&
		strcmp(got[i], expected[i]) == 0)
		i++;
	if (got[i] != NULL || expected[i] != NULL)
		ck_abort_msg("expected %zu names, got %zu; the first that "
			     "differ are: expected %s, got %s",
			count, page->count,
			expected[i] ? shown(expected[i], strlen(expected[i])) :
				      "none",
			got[i] ? shown(got[i], strlen(got[i])) : "none");
	for (i = 0; i < page->count; i++) {
		free(got[i]);
		check_text(page->links + i);
	}
	free(got);
	free(expected);
	check_order(page);
}

/* Lists a folder ("" or with a final slash) and checks all of that. */
static void
expect_listing(const char *folder, const char *const *names, size_t count)
{
	struct page page = finish(begin_listing(folder));
	size_t size = strlen(folder);

	expect_names(&page, names, count);
	ck_assert_msg(page.parents == (size > 0),
		"\"%s\": %d links to the parent", folder, page.parents);
	if (is_plain(folder, size)) {
		const char *title = page.title.data;

		MUST(page.title.size > size &&
				title[page.title.size - size - 1] == '/' &&
				strcmp(title + page.title.size - size,
					folder) == 0,
			"expected a title that ends with \"/%s\": %s", folder,
			title);
	}
	free_page(&page);
}

/* --- what is listed --- */

START_TEST(an_empty_folder)
{
	begin(_i);
	make("sub/");
	expect_listing("sub/", NULL, 0);
	ck_assert_int_eq(unlinkat(root.fd, "sub", AT_REMOVEDIR), 0);
	expect_listing("", NULL, 0);
	end();
}
END_TEST

/* All that is there, in the order in which it is to be listed. */
static const char *const in_order[] = {
	"10/",
	"9/",
	"=/",
	"Apple/",
	"banana/",
	"Cherry/",
	"cherry-tree/",
	"cherry2/",
	"z/",
	"~/",
	"\xc3\xa0/",
	"0",
	"1",
	"1.5",
	"2",
	"[",
	"^_",
	"_",
	"`",
	"A",
	"aB",
	"abc",
	"ABd",
	"B",
	"b.txt",
	"index.HTML",
	"README",
	"readme.md",
	"x",
	"X1",
	"x2",
	"{",
	"\xc3\x89",
	"\xc3\xa9",
	"\xff",
};

START_TEST(folders_first_letters_in_any_case)
{
	struct page page;

	begin(_i);
	for (int i = 0; i < COUNT(in_order); i++)
		make(in_order[i * 13 % COUNT(in_order)]);
	page = finish(begin_listing(""));
	expect_names(&page, in_order, COUNT(in_order));
	for (size_t i = 0; i < page.count; i++) {
		const struct link *link = page.links + i;

		assert_bytes(link->name.data, link->name.size, in_order[i],
			strcspn(in_order[i], "/"));
	}
	free_page(&page);
	end();
}
END_TEST

static const char *const dotted[] = {"..x", "...", ".secret", ".git/",
	".git/.x", ".git/x", "a/", "a/.well-known/", "a/.x", "a/x", "b",
	".well-known/", ".well-known/.x", ".well-known/x", ".well-knownx",
	".Well-Known/", "a/..."};

START_TEST(names_that_begin_with_a_dot)
{
	static const char *const plain[] = {".well-known/", "a/", "b"};
	static const char *const all[] = {"...", "..x", ".git/", ".secret",
		".well-known/", ".Well-Known/", ".well-knownx", "a/", "b"};
	static const char *const x[] = {"x"}, *const both[] = {".x", "x"};
	static const char *const in_a[] = {"...", ".well-known/", ".x", "x"};

	begin(_i);
	for (int i = 0; i < COUNT(dotted); i++)
		make(dotted[i]);
	expect_listing("", plain, COUNT(plain));
	expect_listing("a/", x, 1);
	expect_listing(".well-known/", x, 1);
	root.dotfiles = true;
	expect_listing("", all, COUNT(all));
	expect_listing("a/", in_a, COUNT(in_a));
	expect_listing(".well-known/", both, 2);
	expect_listing(".git/", both, 2);
	end();
}
END_TEST

static const struct {
	const char *name;
	const char *target;
} links[] = {
	{"to-file", "file"},
	{"to-dir", "dir"},
	{"to-slash", "dir/"},
	{"to-sub", "dir/sub"},
	{"to-deep", "dir/../dir/sub/deep"},
	{"to-link", "to-file"},
	{"to-dir-link", "to-dir/sub"},
	{"to-hidden", ".hidden"},
	{"here", "."},
	{".hidden-link", "file"},
	{"dir/up", "../file"},
	{"dir/top", ".."},
	{"dir/here", "."},
	{"dir/down", "sub/deep"},
	/* not served, so not listed */
	{"broken", "missing"},
	{"broken-folder", "missing/"},
	{"file-as-folder", "file/"},
	{"file-below", "file/x"},
	{"loop", "loop"},
	{"ping", "pong"},
	{"pong", "ping"},
	{"out", "../outside"},
	{"out-folder", ".."},
	{"back", "../root/file"},
	{"to-out", "out"},
	{"absolute", "/etc/passwd"},
	{"absolute-folder", "/"},
	{"to-fifo", "fifo"},
	{"to-socket", "socket"},
	{"dir/out", "../../outside"},
	{"dir/out-folder", "../.."},
};

static void
make_links(void)
{
	static const char *const names[] = {"file", "dir/", "dir/sub/",
		"dir/sub/deep", ".hidden"};
	char target[PATH_MAX + 8];

	for (int i = 0; i < COUNT(names); i++)
		make(names[i]);
	for (int i = 0; i < COUNT(links); i++)
		make_link(links[i].name, links[i].target);
	(void)snprintf(target, sizeof target, "%s/file", path);
	make_link("absolute-inside", target);
	ck_assert_int_eq(mkfifoat(root.fd, "fifo", 0666), 0);
	ck_assert_int_eq(mknodat(root.fd, "socket", S_IFSOCK | 0666, 0), 0);
}

START_TEST(links_fifos_and_sockets)
{
	static const char *const top[] = {"dir/", "here/", "to-dir-link/",
		"to-dir/", "to-slash/", "to-sub/", "absolute-inside", "file",
		"to-deep", "to-file", "to-hidden", "to-link"};
	static const char *const in_dir[] = {"here/", "sub/", "top/", "down",
		"up"};
	static const char *const in_sub[] = {"deep"};

	begin(_i);
	make_links();
	expect_listing("", top, COUNT(top));
	expect_listing("here/", top, COUNT(top));
	expect_listing("dir/", in_dir, COUNT(in_dir));
	expect_listing("dir/here/", in_dir, COUNT(in_dir));
	expect_listing("to-dir/", in_dir, COUNT(in_dir));
	expect_listing("to-sub/", in_sub, 1);
	end();
}
END_TEST

/* --- names --- */

/* clang-format off */
static const char *const hostile[] = {
	/* to HTML */
	"<script>alert(1)<script>", "\"><img src=x onerror=alert(1)>",
	"' onclick='alert(1)", "\" onclick=\"alert(1)", "&lt;", "&amp;amp;",
	"&#60;b&#62;", "&copy", "a&b<c>d\"e'f", "<!--", "-->", "]]>", "<a>",
	"<title>", "<style>*{display:none}", "a\"b", "a'b",
	/* to URIs */
	"%", "%%", "%41", "%2e%2e%2f", "%2F", "%00", "%zz", "?q=1", "a?b#c",
	"#fragment", "a:b", "http:", "HTTPS:", "javascript:alert(1)",
	"mailto:x@y", "data:text%html,x", "\\", "a\\b", "\\\\host", "a;b=c",
	"a+b", "a=b", "a,b", "$HOME", "@", "[::1]", "{a}", "|a", "^a", "`a`",
	/* dots and dashes */
	"..x", "...", ".x", "x..", "x.", "-", "--", "--help", "-rf", "~user",
	/* spaces and controls */
	"  ", " leading", "trailing ", "trailing  ", "two  spaces",
	"tab\tab", "new\nline", "new\r\nline", "\nfirst", "last\n",
	"\x1b[31mred\x1b[0m", "a\x01z", "a\x7fz", "bell\a",
	/* no UTF-8 */
	"\xff\xfe", "a\xffz", "\x80z", "a\xc3", "\xc3(", "\xe2\x82",
	"\xe2\x82z", "\xf0\x9f\x98", "\xc0\xaf", "\xc1\xbf", "\xc0\x80",
	"\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf",
	"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
	"\xfc\x84\x80\x80\x80\x80", "\xed\xa0\x80", "\xed\xbf\xbf",
	"a\xed\xa0\xbd\xed\xb8\x80z", "caf\xe9", "\xe9t\xe9", "\xc0<b>",
	"\xe2<b>", "\xe2\x82<b>", "\xf0\x9f\"x",
	/* UTF-8 that is not seen, or turns the text around */
	"\xc2\x80", "\xc2\x85x", "\xc2\x9fx", "a\xe2\x80\xaegnp.exe",
	"a\xe2\x80\xad", "\xe2\x80\xaa", "\xe2\x81\xa6x", "\xe2\x81\xa9x",
	/* and that is */
	"caf\xc3\xa9", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
	"\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80",
	"\xf4\x8f\xbf\xbd", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80",
	"e\xcc\x81", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\xa5",
	"\xe2\x81\xaa",
};
/* clang-format on */

static const char *const long_of[] = {"x", "%", "\"", "&", "\xff", "\n",
	"\xe6\x97\xa5"};

/*
 * All names that are tried: those above, those of 255 bytes, and each byte on
 * its own. One in two is a folder. Each is made when `listed` is NULL.
 */
static size_t
hostile_names(char names[][260])
{
	static const char *const kinds[] = {"", "/"};
	size_t count = 0;

	for (int i = 0; i < COUNT(hostile); i++, count++)
		(void)snprintf(names[count], 260, "%s%s", hostile[i],
			kinds[count % 2]);
	for (int i = 0; i < COUNT(long_of); i++, count++) {
		size_t size = strlen(long_of[i]);

		names[count][0] = '\0';
		for (size_t used = 0; used + size <= 255; used += size)
			memcpy(names[count] + used, long_of[i], size + 1);
		if (count % 2)
			memcpy(names[count] + 255 / size * size, "/", 2);
	}
	for (int c = 1; c < 256; c++)
		if (c != '/' && c != '.' && c != '-' && c != '%' && c != '\\' &&
			c != '@') /* these are above */
			(void)snprintf(names[count++], 260, "%c%s", c,
				kinds[c % 2]);
	return count;
}

/* Who waits at it to write must not be woken by a list. */
START_TEST(a_link_to_a_fifo_does_not_open_it)
{
	static const char *const names[] = {"dir/", "file"};
	char fifo[PATH_MAX + 8];
	int watched, fd;

	begin(_i);
	make("dir/");
	make("file");
	ck_assert_int_eq(mkfifoat(root.fd, "fifo", 0666), 0);
	make_link("to-fifo", "fifo");
	make_link("to-link", "to-fifo");
	make_link("dir/up", "../fifo");
	(void)snprintf(fifo, sizeof fifo, "%s/fifo", path);
	watched = opening_watch(fifo);
	expect_listing("", names, COUNT(names));
	expect_listing("dir/", NULL, 0);
	ck_assert_msg(!opening_seen(watched), "the FIFO was opened");
	/* it would have been seen */
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert(opening_seen(watched));
	(void)close(fd);
	(void)close(watched);
	end();
}
END_TEST

START_TEST(hostile_names_shown_lead_there)
{
	static char names[COUNT(hostile) + COUNT(long_of) + 256][260];
	static const char *list[COUNT(names)];
	static const char *const inner[] = {"a&b"};
	char inside[300];
	size_t count;

	begin(_i);
	root.dotfiles = true;
	count = hostile_names(names);
	for (size_t i = 0; i < count; i++) {
		make(names[i]);
		list[i] = names[i];
	}
	expect_listing("", list, count);
	/* in the page's title as well */
	for (size_t i = 0; i < count; i++) {
		if (names[i][strlen(names[i]) - 1] != '/')
			continue;
		(void)snprintf(inside, sizeof inside, "%s%s", names[i],
			inner[0]);
		make(inside);
		expect_listing(names[i], inner, 1);
	}
	end();
}
END_TEST

/* --- sizes and times --- */

static const struct {
	const char *name;
	off_t size;
	const char *shown;
} sizes[] = {
	{"0", 0, "0 B"},
	{"1", 1, "1 B"},
	{"2", 812, "812 B"},
	{"3", 1023, "1023 B"},
	{"4", 1024, "1.0 KiB"},
	{"5", 1434, "1.4 KiB"},
	{"6", 10240, "10.0 KiB"},
	{"7", 1048575, "1023.9 KiB"},
	{"8", 1048576, "1.0 MiB"},
	{"9", (off_t)3 << 30, "3.0 GiB"},
	{"9a", (off_t)5 << 40, "5.0 TiB"},
};

START_TEST(sizes_are_shown)
{
	int made[COUNT(sizes)];
	struct page page;

	begin(_i);
	make("0dir/");
	for (int i = 0; i < COUNT(sizes); i++) {
		int fd;

		make(sizes[i].name);
		fd = openat(root.fd, sizes[i].name, O_WRONLY | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		/* the largest ones are not for every file system */
		made[i] = ftruncate(fd, sizes[i].size) == 0;
		ck_assert(made[i] || sizes[i].size > 1048576);
		(void)close(fd);
	}
	page = finish(begin_listing(""));
	ck_assert_uint_eq(page.count, COUNT(sizes) + 1);
	assert_lacks(page.links[0].rest, " B");
	assert_lacks(page.links[0].rest, "iB");
	for (int i = 0; i < COUNT(sizes); i++)
		if (made[i])
			assert_begins(page.links[i + 1].rest, sizes[i].shown);
	free_page(&page);
	end();
}
END_TEST

static const struct {
	const char *name;
	time_t seconds;
	const char *shown;
} times[] = {
	{"a/", 784111777, "1994-11-06 08:49"},
	{"b/", 951782400, "2000-02-29 00:00"},
	{"c", 784111777, "1994-11-06 08:49"},
	{"d", 1735689599, "2024-12-31 23:59"},
	{"e", 0, "1970-01-01 00:00"},
	{"f", -1, "1969-12-31 23:59"},
	{"g", 2147483648, "2038-01-19 03:14"},
};

START_TEST(times_are_shown)
{
	struct page page;

	ck_assert_int_eq(setenv("TZ", "Pacific/Auckland", 1), 0);
	tzset();
	begin(_i);
	for (int i = 0; i < COUNT(times); i++) {
		const struct timespec to[2] = {{.tv_sec = times[i].seconds},
			{.tv_sec = times[i].seconds, .tv_nsec = 999999999}};

		make(times[i].name);
		ck_assert_int_eq(utimensat(root.fd, times[i].name, to, 0), 0);
	}
	make_link("h", "c");
	page = finish(begin_listing(""));
	ck_assert_uint_eq(page.count, COUNT(times) + 1);
	for (int i = 0; i < COUNT(times); i++)
		assert_has(page.links[i].rest, times[i].shown);
	/* a link's are those of what it leads to */
	assert_has(page.links[COUNT(times)].rest, "1994-11-06 08:49");
	free_page(&page);
	end();
}
END_TEST

/* --- in slices --- */

#define FEW 2000
#define MANY 20000

/* A file, or one in a hundred a folder. */
static void
name_many(char name[32], int number)
{
	(void)snprintf(name, 32, "%c%05d%s", number % 2 ? 'n' : 'N', number,
		number % 100 ? "" : "/");
}

/* They come in no order. */
static void
make_many(int from, int to)
{
	char name[32];

	for (int i = from; i < to; i++) {
		int number = i * 7919 % MANY;

		name_many(name, number);
		if (number % 100 == 0)
			make(name);
		else
			make_again("outside", name);
	}
}

static void
expect_many(const struct page *page)
{
	int number = 0;

	ck_assert_uint_eq(page->count, MANY);
	for (size_t i = 0; i < page->count; i++) {
		const struct link *link = page->links + i;
		char expected[32];

		if (i == MANY / 100)
			number = 1;
		name_many(expected, number);
		assert_bytes(link->text.data, link->text.size, expected,
			strlen(expected));
		MUST(link->folder == (number % 100 == 0), "\"%s\"", expected);
		number += i < MANY / 100 ? 100 : number % 100 == 99 ? 2 : 1;
	}
}

START_TEST(twenty_thousand_entries)
{
	struct count few = {.silent = 0}, many = {.silent = 0};
	struct page page;

	begin(false);
	make_many(0, FEW);
	page = finish_counted(begin_listing(""), &few);
	ck_assert_uint_eq(page.count, FEW);
	free_page(&page);
	make_many(FEW, MANY);
	page = finish_counted(begin_listing(""), &many);
	expect_many(&page);
	free_page(&page);
	/* a slice is no larger because there is more to do */
	ck_assert_int_ge(few.writing, 2);
	ck_assert_int_ge(few.silent, 2);
	ck_assert_int_eq(many.most_rows, few.most_rows);
	ck_assert_int_le(many.most_rows, 1000);
	ck_assert_int_ge(many.writing, MANY / many.most_rows);
	ck_assert_int_ge(many.silent, few.silent * 5);
	ck_assert_int_ge(many.silent, MANY / 1000);
	end();
}
END_TEST

/* Entries that are passed over are work too. */
START_TEST(many_that_are_not_listed)
{
	struct count count = {.silent = 0};
	struct page page;
	char name[32];

	begin(_i);
	for (int i = 0; i < 2 * FEW; i++) {
		(void)snprintf(name, sizeof name, "%sx%d", i % 2 ? "." : "", i);
		make_again(i % 2 ? "outside" : "broken", name);
	}
	page = finish_counted(begin_listing(""), &count);
	ck_assert_uint_eq(page.count, 0);
	ck_assert_int_ge(count.silent, 2 * FEW / 1000);
	free_page(&page);
	end();
}
END_TEST

/* Whatever slice it has come to. */
START_TEST(freed_in_the_middle)
{
	int done = 0;

	begin(_i);
	make_many(0, 700);
	for (int slices = 0; done == 0; slices++) {
		struct rt_listing *listing = begin_listing("");

		for (int i = 0; i < slices && done == 0; i++)
			done = rt_listing_go_on(listing);
		ck_assert_int_ge(done, 0);
		rt_listing_free(listing);
	}
	rt_listing_free(NULL);
	end();
}
END_TEST

#define KEPT 1500

static void
name_of(char name[32], char kind, int number)
{
	(void)snprintf(name, 32, "%c%04d", kind, number);
}

/* Takes 100 away, of which one becomes a folder, and adds 50. */
static void
change(int step)
{
	char name[32];

	for (int i = step * 100; i < step * 100 + 100 && i < KEPT; i++) {
		name_of(name, 'g', i); /* gone */
		MUST(unlinkat(root.fd, name, 0) == 0, "%s", strerror(errno));
	}
	if (step * 100 < KEPT) {
		memcpy(name + strlen(name), "/", 2);
		make(name);
	}
	for (int i = step * 50; i < step * 50 + 50; i++) {
		name_of(name, 'l', i); /* late */
		make_again("outside", name);
	}
}

START_TEST(changed_while_it_is_listed)
{
	struct count count = {.silent = 0};
	struct rt_listing *listing;
	struct page page;
	char name[32];
	int done = 0, next = 0;

	begin(_i);
	for (int i = 0; i < KEPT; i++) {
		name_of(name, 'k', i);
		make_again("outside", name);
		name_of(name, 'g', i);
		make_again("outside", name);
	}
	listing = begin_listing("");
	for (int step = 0; done == 0; step++) {
		ck_assert_int_lt(step, 1000);
		done = go_on(listing, &count);
		change(step);
	}
	ck_assert_int_eq(done, 1);
	page = parse_page(rt_listing_text(listing));
	rt_listing_free(listing);
	check_order(&page);
	for (size_t i = 0; i < page.count; i++) {
		const char *got = page.links[i].name.data;

		/* by their order, none is there twice */
		MUST(strchr("kgl", *got) != NULL, "\"%s\"", got);
		if (*got != 'k')
			continue;
		name_of(name, 'k', next++);
		MUST(strcmp(got, name) == 0, "expected %s, got %s", name, got);
	}
	ck_assert_int_eq(next, KEPT);
	free_page(&page);
	end();
}
END_TEST

/* Then there is nothing more to read, or it is an error; no more than that. */
START_TEST(removed_while_it_is_listed)
{
	struct rt_listing *listing;
	char name[32];
	int done = 0;

	begin(_i);
	make("sub/");
	for (int i = 0; i < KEPT; i++) {
		(void)snprintf(name, sizeof name, "sub/%d", i);
		make_again("outside", name);
	}
	listing = begin_listing("sub/");
	ck_assert_int_eq(rt_listing_go_on(listing), 0);
	for (int i = 0; i < KEPT; i++) {
		(void)snprintf(name, sizeof name, "sub/%d", i);
		MUST(unlinkat(root.fd, name, 0) == 0, "%s", strerror(errno));
	}
	ck_assert_int_eq(unlinkat(root.fd, "sub", AT_REMOVEDIR), 0);
	for (int left = 1000; left > 0 && done == 0; left--)
		done = rt_listing_go_on(listing);
	ck_assert_msg(done == 1 || done == -EIO,
		"expected a page or EIO, got %d", done);
	if (done == 1) {
		struct page page = parse_page(rt_listing_text(listing));

		ck_assert_uint_lt(page.count, KEPT);
		free_page(&page);
	}
	rt_listing_free(listing);
	end();
}
END_TEST

/* --- its arguments, and what it runs out of --- */

START_TEST(nothing_of_the_arguments_is_kept)
{
	static const char *const names[] = {"here/", "sub/", "top/", "down",
		"up"};
	char folder[] = "dir/";
	struct rt_listing *listing;
	struct rt_file file;
	struct page page;

	begin(_i);
	make_links();
	ck_assert_int_eq(rt_file_open(&file, &root, folder), 0);
	ck_assert_int_eq(rt_listing_begin(&listing, &root, &file, folder, NULL),
		0);
	memset(folder, 'x', sizeof folder - 1);
	memset(&file, 0x5a, sizeof file);
	rt_root_close(&root);
	memset(&root, 0x5a, sizeof root);
	page = finish(listing);
	expect_names(&page, names, COUNT(names));
	ck_assert_int_eq(page.parents, 1);
	free_page(&page);
	root = (struct rt_root){.fd = -1};
	end();
}
END_TEST

START_TEST(two_at_a_time)
{
	static const char *const top[] = {"a/", "b"}, *const in_a[] = {"c"};
	struct rt_listing *one, *two;
	struct page page;

	begin(_i);
	make("a/");
	make("a/c");
	make("b");
	one = begin_listing("");
	two = begin_listing("a/");
	ck_assert_int_eq(rt_listing_go_on(one), 0);
	page = finish(two);
	expect_names(&page, in_a, COUNT(in_a));
	free_page(&page);
	page = finish(one);
	expect_names(&page, top, COUNT(top));
	free_page(&page);
	end();
}
END_TEST

START_TEST(without_descriptors)
{
	struct rt_listing *listing = NULL;
	struct rlimit limit, low;
	struct rt_file file;
	int error, fd;

	begin(_i);
	make("a");
	ck_assert_int_eq(rt_file_open(&file, &root, ""), 0);
	fd = file.fd;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	error = rt_listing_begin(&listing, &root, &file, "", NULL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_msg(error == 0 || error == -EMFILE,
		"expected 0 or EMFILE, got %s", strerror(-error));
	if (error == 0)
		rt_listing_free(listing);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	end();
}
END_TEST

/* Of quotes, which take 9 bytes each on the page. */
START_TEST(a_page_that_is_too_large)
{
	struct rt_listing *listing;
	char name[256];
	int done = 0;

	begin(false);
	memset(name, '"', 255);
	name[255] = '\0';
	for (int i = 0; i < 30000; i++) {
		name[sprintf(name, "%06d", i)] = '"';
		make_again("outside", name);
	}
	listing = begin_listing("");
	while (done == 0) {
		done = rt_listing_go_on(listing);
		ck_assert_uint_le(rt_listing_text(listing)->len,
			RT_MAX_LISTING);
	}
	ck_assert_msg(done == -ENOMEM, "expected ENOMEM, got %d: %s", done,
		done < 0 ? strerror(-done) : "the page is complete");
	rt_listing_free(listing);
	end();
}
END_TEST

#define LONG 120000 /* names of 255 bytes, each twice on the page */

/* Nothing is written when the names that were read are too many already. */
START_TEST(names_that_are_too_many)
{
	struct rt_listing *listing;
	char name[256], file[32] = "";
	int done = 0;

	if (under_valgrind()) /* it is the page above, without the page */
		return;
	begin(false);
	memset(name, 'x', 255);
	name[255] = '\0';
	for (int i = 0; i < LONG; i++) {
		if (i % 30000 == 0) { /* a file has this many names at most */
			(void)snprintf(file, sizeof file, "outside%d", i);
			dir_write(base, file, "x", 1);
		}
		name[sprintf(name, "%06d", i)] = 'x';
		make_again(file, name);
	}
	listing = begin_listing("");
	while (done == 0) {
		done = rt_listing_go_on(listing);
		ck_assert_msg(rt_listing_text(listing)->len == 0,
			"all names were read, and %zu bytes written",
			rt_listing_text(listing)->len);
	}
	ck_assert_msg(done == -ENOMEM, "expected ENOMEM, got %d: %s", done,
		done < 0 ? strerror(-done) : "the page is complete");
	rt_listing_free(listing);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listing");
	TCase *listed = tcase_create("listed");
	TCase *slices = tcase_create("slices");
	TCase *limits = tcase_create("limits");

	tcase_add_loop_test(listed, an_empty_folder, 0, 2);
	tcase_add_loop_test(listed, folders_first_letters_in_any_case, 0, 2);
	tcase_add_loop_test(listed, names_that_begin_with_a_dot, 0, 2);
	tcase_add_loop_test(listed, links_fifos_and_sockets, 0, 2);
	tcase_add_loop_test(listed, a_link_to_a_fifo_does_not_open_it, 0, 2);
	tcase_add_loop_test(listed, hostile_names_shown_lead_there, 0, 2);
	tcase_add_loop_test(listed, sizes_are_shown, 0, 2);
	tcase_add_loop_test(listed, times_are_shown, 0, 2);
	rt_test_case(suite, listed);
	tcase_add_test(slices, twenty_thousand_entries);
	tcase_add_loop_test(slices, many_that_are_not_listed, 0, 2);
	tcase_add_loop_test(slices, freed_in_the_middle, 0, 2);
	tcase_add_loop_test(slices, changed_while_it_is_listed, 0, 2);
	tcase_add_loop_test(slices, removed_while_it_is_listed, 0, 2);
	rt_test_case(suite, slices);
	tcase_add_loop_test(limits, nothing_of_the_arguments_is_kept, 0, 2);
	tcase_add_loop_test(limits, two_at_a_time, 0, 2);
	tcase_add_loop_test(limits, without_descriptors, 0, 2);
	tcase_add_test(limits, a_page_that_is_too_large);
	tcase_add_test(limits, names_that_are_too_many);
	rt_test_case(suite, limits);
	return rt_test_run(suite);
}
