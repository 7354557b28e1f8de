/* SPDX-License-Identifier: MIT */
/* Makes the page that lists a folder. site.c calls it until the page is
   complete. Owns the open folder, the entries and the page. */
#include "config.h"

#include "site/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/date.h"

/* Entries read or written in one slice: about a millisecond's work. */
#define SLICE 256

struct entry {
	uint32_t name; /* at which of `names` */
	bool folder;
	uint64_t size;
	int64_t modified;
};

/* More than any path that can be opened. */
#define MAX_PATH (64u << 10)

/* Bytes of a row without its name, which is there twice. */
#define LEAST_ROW 70

struct rt_listings {
	size_t owners; /* listings, and the site */
	size_t held;   /* bytes */
};

enum phase { READING, WRITING, COMPLETE };

struct rt_listing {
	enum phase phase;
	struct rt_root root;
	DIR *dir;
	struct rt_buf path;  /* of the folder: "", or with a final slash */
	struct rt_buf names; /* each with its NUL */
	struct entry *heap;  /* the one to be written next on top */
	size_t count;
	size_t room;
	size_t folders;
	size_t least; /* bytes that the page will have at least */
	struct rt_buf text;
	struct rt_listings *all;
	size_t held; /* bytes of theirs that are its own */
};

/* --- what all hold --- */

void
rt_listings_drop(struct rt_listings *all)
{
	if (all != NULL && --all->owners == 0)
		free(all);
}

/* Counts its memory. -ENOMEM: it is too much, with the others. */
static int
count_memory(struct rt_listing *listing)
{
	size_t held = listing->names.room + listing->text.room +
		listing->room * sizeof *listing->heap;

	if (listing->all == NULL)
		return 0;
	listing->all->held += held - listing->held;
	listing->held = held;
	return listing->all->held > RT_MAX_LISTINGS ? -ENOMEM : 0;
}

/* --- the heap --- */

static bool
comes_before(const struct rt_listing *listing, const struct entry *a,
	const struct entry *b)
{
	const char *one = listing->names.data + a->name;
	const char *two = listing->names.data + b->name;
	int order;

	if (a->folder != b->folder)
		return a->folder;
	order = rt_caseless_order(one, strlen(one), two);
	return order != 0 ? order < 0 : strcmp(one, two) < 0;
}

static int
push(struct rt_listing *listing, struct entry entry)
{
	size_t at = listing->count;

	if (!rt_grow(&listing->heap, &listing->room, at, sizeof entry))
		return -ENOMEM;
	listing->count++;
	while (at > 0 &&
		comes_before(listing, &entry, listing->heap + (at - 1) / 2)) {
		listing->heap[at] = listing->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	listing->heap[at] = entry;
	return 0;
}

static struct entry
pop(struct rt_listing *listing)
{
	struct entry *heap = listing->heap;
	struct entry top = heap[0], last = heap[--listing->count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < listing->count) {
		if (child + 1 < listing->count &&
			comes_before(listing, heap + child + 1, heap + child))
			child++;
		if (comes_before(listing, &last, heap + child))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return top;
}

/* --- reading --- */

/* The file that a link leads to, if it stays beneath the root. */
static int
describe_link(struct rt_listing *listing, const char *name,
	struct rt_file *file)
{
	struct rt_buf *path = &listing->path;
	size_t size = path->len;
	int error = -ENOMEM;

	rt_buf_add(path, name, strlen(name) + 1);
	if (!path->failed)
		error = rt_file_describe(file, &listing->root, path->data);
	path->failed = false;
	path->len = size;
	path->data[size] = '\0';
	return error;
}

/* 0, or -errno: it would not be served. */
static int
describe(struct rt_listing *listing, const char *name, struct rt_file *file)
{
	struct stat status;

	if (fstatat(dirfd(listing->dir), name, &status, AT_SYMLINK_NOFOLLOW) <
		0)
		return -errno;
	if (S_ISLNK(status.st_mode))
		return describe_link(listing, name, file);
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return -EACCES;
	file->mode = status.st_mode;
	file->size = (uint64_t)status.st_size;
	file->modified = status.st_mtim.tv_sec;
	return 0;
}

/* Errors of the process: a page without the entry would not be whole. */
static bool
is_shortage(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static int
read_entry(struct rt_listing *listing, const char *name)
{
	struct rt_file file = {.fd = -1};
	struct entry entry;
	int error;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		rt_file_is_hidden(name, strlen(name), listing->path.len == 0,
			listing->root.dotfiles))
		return 0;
	error = describe(listing, name, &file);
	if (error < 0)
		return is_shortage(error) ? error : 0;
	entry = (struct entry){
		.name = (uint32_t)listing->names.len,
		.folder = S_ISDIR(file.mode),
		.size = file.size,
		.modified = file.modified,
	};
	rt_buf_add(&listing->names, name, strlen(name) + 1);
	listing->least += LEAST_ROW + 2 * strlen(name);
	if (listing->names.failed || listing->least > RT_MAX_LISTING)
		return -ENOMEM;
	listing->folders += entry.folder;
	return push(listing, entry);
}

/* One slice; 1 when all were read. */
static int
read_slice(struct rt_listing *listing)
{
	const struct dirent *dirent;
	int error;

	for (int left = SLICE; left > 0; left--) {
		errno = 0;
		dirent = readdir(listing->dir);
		if (dirent == NULL)
			return errno != 0 ? -errno : 1;
		error = read_entry(listing, dirent->d_name);
		if (error < 0)
			return error;
	}
	return 0;
}

/* --- writing --- */

/*
 * The length of the UTF-8 character at the beginning of the text and its
 * number; 1 and U+FFFD for a byte that begins none (RFC 3629).
 */
static size_t
take_character(const char *text, uint32_t *character)
{
	const unsigned char *at = (const unsigned char *)text;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = at[0] < 0x80 ? 1 :
		at[0] < 0xc0       ? 0 :
		at[0] < 0xe0       ? 2 :
		at[0] < 0xf0       ? 3 :
		at[0] < 0xf8       ? 4 :
				     0;

	*character = size < 2 ? at[0] : at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			size = 0;
			break;
		}
		*character = *character << 6 | (at[i] & 0x3f);
	}
	if (size == 0 || *character < least[size] || *character > 0x10ffff ||
		(*character >= 0xd800 && *character < 0xe000)) {
		*character = 0xfffd;
		return 1;
	}
	return size;
}

/* Controls, and characters that change the order of others. */
static bool
is_unseen(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) ||
		(c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Any bytes as text of a page: what cannot be shown is U+FFFD. */
static void
add_text(struct rt_buf *to, const char *text)
{
	uint32_t character;
	size_t size;

	for (; *text != '\0'; text += size) {
		size = take_character(text, &character);
		if (character == '&')
			rt_buf_add_text(to, "&amp;");
		else if (character == '<')
			rt_buf_add_text(to, "&lt;");
		else if (character == '>')
			rt_buf_add_text(to, "&gt;");
		else if (character == '"')
			rt_buf_add_text(to, "&quot;");
		else if (character == 0xfffd || is_unseen(character))
			rt_buf_add_text(to, "\xef\xbf\xbd");
		else
			rt_buf_add(to, text, size);
	}
}

/* "812 B", "1.4 KiB" */
static void
add_size(struct rt_buf *to, uint64_t size)
{
	static const char units[] = "KMGTPE";
	size_t unit = 0;
	uint64_t tenths;

	if (size < 1024) {
		rt_buf_add_number(to, size);
		rt_buf_add_text(to, " B");
		return;
	}
	for (; size >= 1024 * 1024; unit++)
		size /= 1024;
	tenths = size * 10 / 1024;
	rt_buf_add_number(to, tenths / 10);
	rt_buf_add(to, ".", 1);
	rt_buf_add_number(to, tenths % 10);
	rt_buf_add(to, " ", 1);
	rt_buf_add(to, units + unit, 1);
	rt_buf_add_text(to, "iB");
}

/* clang-format off */
static const char head[] =
"<!DOCTYPE html>\n"
"<html lang=\"en\">\n"
"<head>\n"
"<meta charset=\"utf-8\">\n"
"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
"<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg"
" xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
"%3Cpath fill='%23c58a1a' d='M1 3h5l2 2h7v9H1z'/%3E%3C/svg%3E\">\n"
"<style>\n"
":root { color-scheme: light dark; background: Canvas; color: CanvasText }\n"
"body { margin: 0 auto; max-width: 60rem; padding: 1rem;"
" font: 1rem/1.5 system-ui, sans-serif }\n"
"h1 { font-size: 1.3rem; overflow-wrap: anywhere; white-space: pre-wrap }\n"
"table { width: 100%; border-collapse: collapse }\n"
"th, td { padding: .4rem .5rem; border-bottom: 1px solid #8885;"
" text-align: left; white-space: nowrap }\n"
"td:first-child { width: 100%; overflow-wrap: anywhere;"
" white-space: pre-wrap }\n"
"td + td { font-variant-numeric: tabular-nums }\n"
":is(th, td):nth-child(2) { text-align: right }\n"
"tr:hover td { background: #8882 }\n"
"@media (max-width: 34rem) { :is(th, td):nth-child(3) { display: none } }\n"
"</style>\n"
"<title>";
/* clang-format on */

static void
add_head(struct rt_listing *listing)
{
	struct rt_buf *to = &listing->text;
	size_t files = listing->count - listing->folders;

	rt_buf_add(to, head, sizeof head - 1);
	rt_buf_add(to, "/", 1);
	add_text(to, listing->path.data);
	rt_buf_add_text(to, "</title>\n</head>\n<body>\n<main>\n<h1>/");
	add_text(to, listing->path.data);
	rt_buf_add_format(to,
		"</h1>\n<p>%zu folder%s, %zu file%s</p>\n"
		"<table>\n<thead>\n"
		"<tr><th scope=\"col\">Name</th><th scope=\"col\">Size</th>"
		"<th scope=\"col\">Modified (UTC)</th></tr>\n"
		"</thead>\n<tbody>\n",
		listing->folders, listing->folders == 1 ? "" : "s", files,
		files == 1 ? "" : "s");
	if (listing->path.len > 0)
		rt_buf_add_text(to,
			"<tr><td><a href=\"../\">../</a></td>"
			"<td></td><td></td></tr>\n");
}

static void
add_row(struct rt_listing *listing, const struct entry *entry)
{
	struct rt_buf *to = &listing->text;
	const char *name = listing->names.data + entry->name;
	const char *slash = entry->folder ? "/" : "";
	char time[RT_DATE_SHORT];

	rt_buf_add_text(to, "<tr><td><a href=\"");
	rt_file_encode(to, name);
	rt_buf_add_text(to, slash);
	rt_buf_add_text(to, "\">");
	add_text(to, name);
	rt_buf_add_text(to, slash);
	rt_buf_add_text(to, "</a></td><td>");
	if (!entry->folder)
		add_size(to, entry->size);
	rt_buf_add_text(to, "</td><td>");
	rt_date_format_short(entry->modified, time);
	rt_buf_add_text(to, time);
	rt_buf_add_text(to, "</td></tr>\n");
}

/* One slice; 1 when all were written. */
static int
write_slice(struct rt_listing *listing)
{
	struct rt_buf *to = &listing->text;

	if (to->len == 0)
		add_head(listing);
	for (int left = SLICE; left > 0 && listing->count > 0; left--) {
		struct entry entry = pop(listing);

		add_row(listing, &entry);
	}
	if (listing->count == 0)
		rt_buf_add_text(to,
			"</tbody>\n</table>\n</main>\n</body>\n</html>\n");
	if (to->failed)
		return -ENOMEM;
	return listing->count == 0;
}

/* --- its life --- */

/* Frees what a complete page does not need. */
static void
let_go(struct rt_listing *listing)
{
	if (listing->dir != NULL)
		(void)closedir(listing->dir);
	listing->dir = NULL;
	rt_root_close(&listing->root);
	rt_buf_free(&listing->path);
	rt_buf_free(&listing->names);
	free(listing->heap);
	listing->heap = NULL;
	listing->room = 0;
}

int
rt_listing_go_on(struct rt_listing *listing)
{
	int done = 1;

	switch (listing->phase) {
	case READING:
		done = read_slice(listing);
		if (done == 1) {
			listing->phase = WRITING;
			done = 0;
		}
		break;
	case WRITING:
		done = write_slice(listing);
		if (done == 1) {
			listing->phase = COMPLETE;
			let_go(listing);
			rt_buf_trim(&listing->text);
		}
		break;
	case COMPLETE:
		break;
	}
	if (count_memory(listing) < 0 && done == 0)
		done = -ENOMEM;
	return done;
}

/* Becomes one of the owners of *all. */
static int
join(struct rt_listing *listing, struct rt_listings **all)
{
	if (all == NULL)
		return 0;
	if (*all == NULL) {
		*all = calloc(1, sizeof **all);
		if (*all == NULL)
			return -ENOMEM;
		(*all)->owners = 1;
	}
	(*all)->owners++;
	listing->all = *all;
	return 0;
}

int
rt_listing_begin(struct rt_listing **to, const struct rt_root *root,
	struct rt_file *folder, const char *path, struct rt_listings **all)
{
	struct rt_listing *listing = calloc(1, sizeof *listing);
	int error = -ENOMEM;

	*to = listing;
	if (listing == NULL)
		goto out;
	rt_buf_init(&listing->path, MAX_PATH);
	rt_buf_init(&listing->names, RT_MAX_LISTING);
	rt_buf_init(&listing->text, RT_MAX_LISTING);
	listing->root.fd = -1;
	if (join(listing, all) < 0)
		goto out;
	listing->root = *root;
	listing->root.name = NULL;
	listing->root.path = NULL;
	listing->root.fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
	if (listing->root.fd < 0) {
		error = -errno;
		goto out;
	}
	rt_buf_add(&listing->path, path, strlen(path) + 1);
	if (listing->path.failed)
		goto out;
	listing->path.len--;
	listing->dir = fdopendir(folder->fd);
	if (listing->dir == NULL) {
		error = -errno;
		goto out;
	}
	folder->fd = -1;
	return 0;
out:
	rt_file_close(folder);
	rt_listing_free(listing);
	*to = NULL;
	return error;
}

const struct rt_buf *
rt_listing_text(const struct rt_listing *listing)
{
	return &listing->text;
}

void
rt_listing_free(struct rt_listing *listing)
{
	if (listing == NULL)
		return;
	let_go(listing);
	rt_buf_free(&listing->text);
	(void)count_memory(listing);
	rt_listings_drop(listing->all);
	free(listing);
}
