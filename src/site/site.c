/* SPDX-License-Identifier: MIT */
/*
 * Files as replies: GET, HEAD and OPTIONS of what file.c opens. Called by
 * route.c with a whole request; leaves a whole reply, whatever happens.
 *
 * A path becomes a file, the page that stands for missing ones, a listing, or
 * an error; of a file the best variant is selected; its validators meet the
 * request's conditions; then the whole or its ranges are sent.
 */
#include "config.h"

#include "site/site.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http/field.h"
#include "site/listing.h"
#include "site/negotiate.h"
#include "site/precondition.h"
#include "site/range.h"
#include "site/site_ranges.h"

#define INDEX "index.html"
#define HTML ".html"
#define NOT_FOUND_PAGE "404.html"

/* Longer than any path, encoded, with any query. */
#define MAX_PATH_TEXT (2 * RT_MAX_HEAD)

/* A reply has room for it, and for the rest of its head. */
#define MAX_LOCATION (RT_MAX_TEXT / 2)

/* The most memory that the site's texts keep for the next request. */
#define KEPT (16u << 10)

/* Of what is on no disk, files up to this size are read first. */
#define SMALL_FILE (64u << 10)

/* For what may be another thing the next time. */
#define UNCACHED "no-cache"

/* A listing shows names only; it needs no script, and gets none. */
#define LISTING_POLICY \
	"default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/* An answer in the making. */
struct answer {
	struct rt_site *site;
	const struct rt_request *request;
	const char *base;
	const char *date;
	int64_t now;      /* seconds */
	const char *vary; /* NULL: the reply does not */
	struct rt_draft draft;
	bool whole; /* ranges are ignored */
};

/* A file, or what stands for it. */
struct selected {
	struct rt_file file;
	const char *type;
	const char *cache;                      /* Cache-Control */
	const struct rt_content_coding *coding; /* NULL: none */
	struct rt_validators validators;
	const char *etag;     /* the file's; NULL: it is to be made */
	const char *content;  /* all of it; NULL: it is in the file alone */
	struct rt_head *head; /* of whole replies, if it is kept; NULL */
	bool made; /* for who reads it: it is not what it said to be, and
	                   will be something else next time */
};

int
rt_site_refusal(const struct rt_request *request)
{
	if (request->foreign)
		return 400;
	switch (request->method) {
	case RT_GET:
	case RT_HEAD:
	case RT_OPTIONS:
		return 0;
	case RT_UNKNOWN:
		return 501;
	default:
		return 405;
	}
}

/* Whether a file may have compressed variants next to it. */
static bool
has_variants(const struct rt_site *site)
{
	return site->precompressed && site->root.name == NULL;
}

static void
begin(struct answer *answer, int status)
{
	rt_reply_begin(&answer->draft, status, answer->date);
	if (answer->vary != NULL)
		rt_reply_field(&answer->draft, "Vary", answer->vary);
}

static void
answer_error(struct answer *answer, int status, const char *reason)
{
	begin(answer, status);
	if (status == 405)
		rt_reply_field(&answer->draft, "Allow", RT_SITE_ALLOW);
	rt_reply_body_reason(&answer->draft, reason);
}

static void
answer_options(struct answer *answer)
{
	begin(answer, 204);
	rt_reply_field(&answer->draft, "Allow", RT_SITE_ALLOW);
	rt_reply_no_body(&answer->draft);
}

/* --- folders --- */

/* As it came, but for bytes that no URI has. */
static void
add_query(struct rt_buf *to, const char *query, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)query[i] > 0x7f)
			rt_buf_add_format(to, "%%%02X",
				(unsigned)(unsigned char)query[i]);
		else
			rt_buf_add(to, query + i, 1);
}

/*
 * To a folder, with its slash. Always one slash in front and everything but
 * unreserved characters encoded, so that no name can make it leave the host
 * (RFC 3986 4.2: "//evil" would) or end the field. Browsers keep a 301 for
 * ever unless told not to.
 */
static void
answer_slash(struct answer *answer, const char *path)
{
	const struct rt_span query = answer->request->query;
	const char *prefix = answer->site->prefix;
	struct rt_buf *to = &answer->site->location;

	rt_buf_clear(to, KEPT);
	rt_buf_add(to, "/", 1);
	rt_file_encode(to, prefix ? prefix : "");
	rt_file_encode(to, path);
	if (to->len > 1 && !to->failed && to->data[to->len - 1] != '/')
		rt_buf_add(to, "/", 1);
	add_query(to, answer->base + query.at, query.size);
	if (rt_buf_text(to) == NULL) {
		answer_error(answer, 503, NULL);
		return;
	}
	begin(answer, 301);
	rt_reply_field(&answer->draft, "Cache-Control", UNCACHED);
	rt_reply_field(&answer->draft, "Location", to->data);
	rt_reply_body(&answer->draft, "", 0);
}

static void
free_listing(void *listing)
{
	rt_listing_free(listing);
}

/* One slice of the listing that the reply owns. False: there is more. */
static bool
go_on_listing(struct answer *answer)
{
	struct rt_reply *reply = answer->draft.reply;
	struct rt_listing *listing = reply->made.it;
	int done = rt_listing_go_on(listing);
	const struct rt_buf *text;

	if (done == 0)
		return false;
	if (done < 0) {
		answer_error(answer, rt_file_status(done),
			"the folder cannot be listed");
		return true;
	}
	reply->made.it = NULL; /* begin() would free it */
	begin(answer, 200);
	rt_reply_field(&answer->draft, "Content-Type",
		"text/html; charset=utf-8");
	rt_reply_field(&answer->draft, "Cache-Control", UNCACHED);
	rt_reply_field(&answer->draft, "Content-Security-Policy",
		LISTING_POLICY);
	reply->made = (struct rt_made){listing, free_listing};
	text = rt_listing_text(listing);
	rt_reply_body(&answer->draft, text->data, text->len);
	return true;
}

/* Takes the folder's descriptor. */
static bool
answer_folder(struct answer *answer, struct rt_file *folder, const char *path,
	bool has_slash)
{
	struct rt_listing *listing;
	int error;

	if (!has_slash || answer->site->unlisted) {
		rt_file_close(folder);
		if (has_slash)
			answer_error(answer, 403, "no " INDEX);
		else
			answer_slash(answer, path);
		return true;
	}
	error = rt_listing_begin(&listing, &answer->site->root, folder, path,
		&answer->site->listings);
	if (error == 0) {
		answer->draft.reply->made =
			(struct rt_made){listing, free_listing};
		return go_on_listing(answer);
	}
	answer_error(answer, rt_file_status(error), NULL);
	return true;
}

/* --- files --- */

/*
 * Opens the variant that the client prefers, if it is next to the file and
 * is no older, instead of the file.
 */
static void
select_variant(struct answer *answer, struct rt_buf *path,
	struct selected *selected)
{
	const struct rt_content_coding *codings[RT_CODINGS];
	struct rt_file *file = &selected->file;
	size_t count, size = path->len;

	count = rt_negotiate_codings(answer->request, answer->base, codings);
	for (size_t i = 0; i < count && selected->coding == NULL; i++) {
		const char *suffix = codings[i]->suffix;
		struct rt_file variant;

		rt_buf_add(path, suffix, strlen(suffix) + 1);
		if (path->failed)
			break;
		/* looked at first: a FIFO must not notice */
		if (rt_file_describe(&variant, &answer->site->root,
			    path->data) == 0 &&
			S_ISREG(variant.mode) &&
			rt_file_open(&variant, &answer->site->root,
				path->data) == 0) {
			if (S_ISREG(variant.mode) &&
				!rt_file_is_older(&variant, file)) {
				rt_file_close(file);
				*file = variant;
				selected->coding = codings[i];
			} else {
				rt_file_close(&variant);
			}
		}
		path->len = size;
	}
	path->len = size;
	path->data[size] = '\0';
}

/* The user's own entity tag, which is the same for each file. */
static const char *
own_etag(const struct rt_line *line, struct rt_site *site)
{
	if (line->value_size >= sizeof site->etag)
		return NULL;
	memcpy(site->etag, line->value, line->value_size);
	site->etag[line->value_size] = '\0';
	return site->etag;
}

/*
 * The validators that the reply will have: the file's, or the user's. RFC
 * 9110 8.8.2.1: Last-Modified is never later than Date.
 */
static void
set_validators(struct answer *answer, struct selected *selected)
{
	struct rt_validators *validators = &selected->validators;
	struct rt_line line;

	if (selected->etag == NULL) {
		rt_file_etag(&selected->file, answer->site->etag);
		selected->etag = answer->site->etag;
	}
	validators->etag = selected->etag;
	validators->modified = selected->file.modified < answer->now ?
		selected->file.modified :
		answer->now;
	validators->has_modified = true;
	validators->is_exact = selected->file.modified_ns == 0 ||
		rt_reply_is_own(&answer->draft, "Last-Modified");
	if (rt_reply_is_own(&answer->draft, "ETag"))
		validators->etag = NULL;
	if (rt_reply_is_own(&answer->draft, "Last-Modified"))
		validators->has_modified = false;
	if (rt_reply_given(&answer->draft, "ETag", &line))
		validators->etag = own_etag(&line, answer->site);
	if (rt_reply_given(&answer->draft, "Last-Modified", &line))
		validators->has_modified = rt_date_parse(line.value,
			line.value_size, answer->now, &validators->modified);
}

/* Common to 200, 206 and 304 (RFC 9110 15.4.5). */
static void
begin_file(struct answer *answer, const struct selected *selected, int status)
{
	begin(answer, status);
	if (answer->draft.taken)
		return;
	rt_reply_field(&answer->draft, "Cache-Control", selected->cache);
	if (selected->validators.etag != NULL)
		rt_reply_field(&answer->draft, "ETag",
			selected->validators.etag);
}

static void
add_representation(struct answer *answer, const struct selected *selected)
{
	struct rt_site *site = answer->site;

	if (answer->draft.taken)
		return;
	if (selected->validators.has_modified) {
		int64_t modified = selected->validators.modified;

		if (site->modified != modified ||
			site->modified_text[0] == '\0') {
			rt_date_format(modified, site->modified_text);
			site->modified = modified;
		}
		rt_reply_field(&answer->draft, "Last-Modified",
			site->modified_text);
	}
	if (selected->coding != NULL)
		rt_reply_field(&answer->draft, "Content-Encoding",
			selected->coding->name);
	if (!selected->made)
		rt_reply_field(&answer->draft, "Accept-Ranges", "bytes");
}

/* The ranges that are asked for, as rt_range_parse() has them. */
static int
ranges_of(struct answer *answer, const struct selected *selected,
	struct rt_range ranges[RT_MAX_RANGES])
{
	const struct rt_http_field *field =
		rt_http_field(answer->request, answer->base, "Range", 0);

	if (answer->whole || selected->made || field == NULL ||
		answer->request->method != RT_GET ||
		rt_http_field(answer->request, answer->base, "Range", 1) !=
			NULL ||
		!rt_precondition_range(answer->request, answer->base,
			&selected->validators, answer->now))
		return 0;
	return rt_range_parse(answer->base + field->value.at, field->value.size,
		selected->file.size, ranges);
}

/* RFC 9110 14.4 */
#define CONTENT_RANGE_TEXT 72

static void
answer_unsatisfiable(struct answer *answer, const struct selected *selected)
{
	char text[CONTENT_RANGE_TEXT];

	(void)snprintf(text, sizeof text, "bytes */%" PRIu64,
		selected->file.size);
	begin(answer, 416);
	rt_reply_field(&answer->draft, "Content-Range", text);
	rt_reply_body_reason(&answer->draft, NULL);
}

/* The body, in part or whole. Takes the file's descriptor. */
static void
add_content(struct answer *answer, const struct selected *selected, uint64_t at,
	uint64_t size)
{
	if (selected->content != NULL)
		rt_reply_body_copy(&answer->draft, selected->content + at,
			(size_t)size);
	else
		rt_reply_body_file(&answer->draft, selected->file.fd, at, size);
}

/* Takes the file's descriptor. */
static void
answer_range(struct answer *answer, const struct selected *selected,
	const struct rt_range *range)
{
	char text[CONTENT_RANGE_TEXT];

	(void)snprintf(text, sizeof text,
		"bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->at,
		range->at + range->size - 1, selected->file.size);
	begin_file(answer, selected, 206);
	rt_reply_field(&answer->draft, "Content-Type", selected->type);
	rt_reply_field(&answer->draft, "Content-Range", text);
	add_representation(answer, selected);
	add_content(answer, selected, range->at, range->size);
}

/* Takes the file's descriptor. */
static void
answer_ranges(struct answer *answer, const struct selected *selected,
	const struct rt_range *ranges, int count)
{
	begin_file(answer, selected, 206);
	add_representation(answer, selected);
	rt_site_ranges(&answer->draft, selected->content, selected->file.fd,
		selected->file.size, ranges, (size_t)count, selected->type);
}

/* Takes the file's descriptor. */
static void
answer_whole(struct answer *answer, const struct selected *selected)
{
	answer->draft.head = selected->head;
	begin_file(answer, selected, 200);
	rt_reply_field(&answer->draft, "Content-Type", selected->type);
	add_representation(answer, selected);
	add_content(answer, selected, 0, selected->file.size);
}

/*
 * Reads a file that is on no disk, to know what it holds before the head is
 * made: those of /proc say that they are empty, those of /sys that they have a
 * page. Not 0: it cannot be read, and that was answered.
 */
static int
read_content(struct answer *answer, struct selected *selected)
{
	struct rt_buf *content = &answer->site->content;
	int error;

	if (!selected->file.bodiless || selected->file.size > SMALL_FILE)
		return 0;
	rt_buf_clear(content, SMALL_FILE);
	error = rt_file_read(&selected->file, content);
	if (error != 0) {
		rt_file_close(&selected->file);
		answer_error(answer, rt_file_status(error),
			error == -EFBIG ? "too much for a file without a size" :
					  NULL);
		return error;
	}
	rt_file_close(&selected->file);
	selected->content = content->len > 0 ? content->data : "";
	selected->made = content->len != selected->file.size;
	selected->file.size = content->len;
	if (selected->made)
		selected->cache = UNCACHED;
	return 0;
}

static void
answer_condition(struct answer *answer, struct selected *selected, int status)
{
	rt_file_close(&selected->file);
	if (status == 412) {
		answer_error(answer, 412, NULL);
		return;
	}
	begin_file(answer, selected, 304);
	rt_reply_no_body(&answer->draft);
}

static void
answer_content(struct answer *answer, struct selected *selected)
{
	struct rt_range ranges[RT_MAX_RANGES];
	int status, count;

	if (!selected->made)
		set_validators(answer, selected);
	status = rt_precondition(answer->request, answer->base,
		&selected->validators, answer->now);
	if (status != 0) {
		answer_condition(answer, selected, status);
		return;
	}
	count = ranges_of(answer, selected, ranges);
	if (count == RT_RANGE_UNSATISFIABLE) {
		rt_file_close(&selected->file);
		answer_unsatisfiable(answer, selected);
	} else if (count == 1) {
		answer_range(answer, selected, ranges);
	} else if (count > 1 &&
		!rt_reply_is_own(&answer->draft, "Content-Type"))
		answer_ranges(answer, selected, ranges, count);
	else
		answer_whole(answer, selected);
}

static void
answer_selected(struct answer *answer, struct selected *selected)
{
	if (selected->content == NULL && read_content(answer, selected) != 0)
		return;
	answer_content(answer, selected);
	/* one without a size may be large */
	if (answer->site->content.len > 0)
		rt_buf_clear(&answer->site->content, SMALL_FILE);
}

/* How a file is sent whose type is known; `name` is its path. */
static struct selected
select_file(const struct answer *answer, const struct rt_file *file,
	const char *name, const char *type)
{
	const struct rt_site *site = answer->site;
	struct selected selected = {
		.file = *file,
		.type = type,
		.cache = site->cache,
	};

	/* an application that is kept would ask for scripts that are gone */
	if (selected.cache == NULL ||
		(site->spa && strcmp(name, site->spa) == 0))
		selected.cache = UNCACHED;
	return selected;
}

/* The type of a file whose name says nothing. */
static const char *
look_at(const struct rt_file *file, const char *name)
{
	char bytes[RT_TYPE_PEEK];

	return rt_type_by_content(name, bytes,
		rt_file_peek(file, bytes, sizeof bytes));
}

static const char *
type_of(const struct answer *answer, const struct rt_file *file,
	const char *name)
{
	const struct rt_site *site = answer->site;
	const char *type = rt_type_find(name, site->types, site->type_count);

	return type ? type : look_at(file, name);
}

/* A file's path beneath the root, which may be that file. */
static const char *
name_of(const struct rt_site *site, const struct rt_buf *path)
{
	return site->root.name ? site->root.name : path->data;
}

/* Takes the file's descriptor; `path` is its path beneath the root. */
static void
answer_file(struct answer *answer, const struct rt_file *file,
	struct rt_buf *path)
{
	const struct rt_site *site = answer->site;
	const char *name = name_of(site, path);
	struct selected selected =
		select_file(answer, file, name, type_of(answer, file, name));

	if (has_variants(site))
		select_variant(answer, path, &selected);
	answer_selected(answer, &selected);
}

/* --- files that are kept in memory --- */

/* Whether the request's path alone says which file it is. */
static bool
is_plain(const struct answer *answer)
{
	const struct rt_content_coding *codings[RT_CODINGS];

	return !has_variants(answer->site) ||
		rt_negotiate_codings(answer->request, answer->base, codings) ==
		0;
}

static void
answer_stored(struct answer *answer, struct rt_stored *stored)
{
	struct selected selected =
		select_file(answer, &stored->file, stored->path, stored->type);

	selected.content = stored->content;
	selected.etag = stored->etag;
	/* a rule may have other fields, and in the future Last-Modified moves */
	if (answer->draft.own == &answer->site->own &&
		stored->file.modified < answer->now)
		selected.head = &stored->head;
	answer_selected(answer, &selected);
}

/* The file that an earlier request with this path has led to, if there is
   nothing else to look at. */
static struct rt_stored *
find_stored(const struct answer *answer)
{
	const struct rt_span *key = &answer->request->path;
	struct rt_site *site = answer->site;

	return is_plain(answer) ? rt_store_find(&site->store, &site->root,
					  answer->base + key->at, key->size) :
				  NULL;
}

/* Answers with what the path has led to. Takes the file's descriptor. */
static void
answer_found(struct answer *answer, struct rt_file *file, struct rt_buf *path)
{
	const struct rt_span *key = &answer->request->path;
	struct rt_site *site = answer->site;
	const char *name = name_of(site, path);
	struct rt_stored *stored = NULL;

	if (is_plain(answer))
		stored = rt_store_keep(&site->store, &site->root,
			answer->base + key->at, key->size, name, file,
			answer->now);
	if (stored == NULL) {
		answer_file(answer, file, path);
		return;
	}
	stored->type = type_of(answer, file, name);
	rt_file_close(file);
	answer_stored(answer, stored);
}

/* --- what does not exist --- */

/* Opens a file that stands for missing ones. */
static int
open_instead(struct answer *answer, struct rt_buf *path, const char *name,
	struct rt_file *file)
{
	int error;

	path->len = 0;
	rt_buf_add(path, name, strlen(name) + 1);
	if (path->failed)
		return -ENOMEM;
	path->len--;
	/* looked at first: nobody has asked for it by name */
	error = rt_file_describe(file, &answer->site->root, path->data);
	if (error == 0 && !S_ISREG(file->mode))
		error = -ENOENT;
	return error != 0 ? error :
			    rt_file_open(file, &answer->site->root, path->data);
}

static void
answer_missing(struct answer *answer, struct rt_buf *path)
{
	const struct rt_site *site = answer->site;
	struct rt_file file;
	int error = -ENOENT;

	if (site->spa != NULL &&
		rt_negotiate_html(answer->request, answer->base)) {
		error = open_instead(answer, path, site->spa, &file);
		if (error == 0) {
			answer_file(answer, &file, path);
			return;
		}
	}
	if (site->root.name == NULL && rt_file_status(error) != 503)
		error = open_instead(answer, path, NOT_FOUND_PAGE, &file);
	if (error != 0) {
		/* a page that cannot be opened now is not missing */
		answer_error(answer, rt_file_status(error) == 503 ? 503 : 404,
			NULL);
		return;
	}
	begin(answer, 404);
	rt_reply_field(&answer->draft, "Cache-Control", UNCACHED);
	rt_reply_field(&answer->draft, "Content-Type",
		rt_type_of(NOT_FOUND_PAGE, site->types, site->type_count));
	rt_reply_body_file(&answer->draft, file.fd, 0, file.size);
}

/* --- from the request's path on --- */

/*
 * A folder's index, tried without a look at the folder itself. When there is
 * none, what is at the path is opened after all: a folder, or nothing.
 */
static int
open_index(struct answer *answer, struct rt_buf *path, struct rt_file *file)
{
	size_t size = path->len;
	int error;

	rt_buf_add(path, INDEX, sizeof INDEX);
	if (path->failed)
		return -ENOMEM;
	path->len--;
	error = rt_file_open(file, &answer->site->root, path->data);
	if (error == 0 && S_ISDIR(file->mode)) {
		rt_file_close(file);
		error = -ENOENT;
	}
	if (error != -ENOENT && error != -ENAMETOOLONG)
		return error;
	path->len = size;
	path->data[size] = '\0';
	return rt_file_open(file, &answer->site->root, path->data);
}

/*
 * Takes the prefix off the path. False: it is not beneath the prefix, and that
 * was answered: a redirect where somebody just has come in, or forgot a slash.
 */
static bool
take_prefix(struct answer *answer, struct rt_buf *path)
{
	const char *prefix = answer->site->prefix;
	size_t size = prefix ? strlen(prefix) : 0;

	if (size == 0)
		return true;
	if (path->len >= size && memcmp(path->data, prefix, size) == 0) {
		path->len -= size;
		memmove(path->data, path->data + size, path->len + 1);
		return true;
	}
	if (path->len == 0 ||
		(path->len == size - 1 &&
			memcmp(path->data, prefix, size - 1) == 0))
		answer_slash(answer, "");
	else
		answer_error(answer, 404, "not beneath the prefix");
	return false;
}

/* NAME, or NAME.html where there is no file NAME; a folder comes last. */
static int
open_named(struct answer *answer, struct rt_buf *path, struct rt_file *file)
{
	const struct rt_root *root = &answer->site->root;
	int error = rt_file_open(file, root, path->data), other;
	size_t size = path->len;
	struct rt_file page;

	if (!answer->site->html || root->name != NULL || size == 0 ||
		(error == 0 ? !S_ISDIR(file->mode) : error != -ENOENT))
		return error;
	rt_buf_add(path, HTML, sizeof HTML);
	if (path->failed) {
		rt_file_close(file);
		return -ENOMEM;
	}
	other = rt_file_open(&page, root, path->data);
	if (rt_file_status(other) == 503 ||
		(other == 0 && S_ISREG(page.mode))) {
		rt_file_close(file);
		*file = page;
		path->len--;
		return other;
	}
	rt_file_close(&page);
	path->len = size;
	path->data[size] = '\0';
	return error;
}

static bool
answer_path(struct answer *answer, struct rt_buf *path)
{
	struct rt_site *site = answer->site;
	struct rt_span span = answer->request->path;
	struct rt_file file = {.fd = -1};
	bool folder = false;
	size_t asked = 0;
	int error, status;

	error = rt_root_find(&site->root);
	if (error != 0) {
		/* of what it led to, no page is sent either */
		answer_error(answer, rt_file_status(error), NULL);
		return true;
	}
	error = rt_file_path(path, answer->base + span.at, span.size,
		site->root.dotfiles);
	if (error == 0 && !take_prefix(answer, path))
		return true;
	if (error == 0) {
		folder = site->root.name == NULL &&
			(path->len == 0 || path->data[path->len - 1] == '/');
		/* "%2F": to a browser that is no slash to go on from */
		if (folder && span.size > 0 &&
			(answer->base[span.at + span.size - 1] | 32) == 'f') {
			answer_slash(answer, path->data);
			return true;
		}
		asked = path->len;
		error = folder ? open_index(answer, path, &file) :
				 open_named(answer, path, &file);
	}
	if (error == 0 && S_ISDIR(file.mode) && site->root.name != NULL) {
		/* the one file that was served is a folder now */
		rt_file_close(&file);
		error = -ENOENT;
	}
	status = error != 0 ? rt_file_status(error) : 0;
	if (status == 404)
		answer_missing(answer, path);
	else if (status != 0)
		answer_error(answer, status, NULL);
	else if (S_ISDIR(file.mode))
		return answer_folder(answer, &file, path->data, folder);
	else if (folder || path->len == asked)
		answer_found(answer, &file, path);
	else /* NAME.html, until there is a NAME */
		answer_file(answer, &file, path);
	return true;
}

/* The fields on which a file's reply depends: Vary. */
static const char *
vary_of(const struct rt_site *site)
{
	if (has_variants(site))
		return site->spa ? "Accept, Accept-Encoding" :
				   "Accept-Encoding";
	return site->spa ? "Accept" : NULL;
}

bool
rt_site_answer(struct rt_site *site, const struct retort_reply *own, bool whole,
	const struct rt_request *request, const char *base, const char *date,
	struct rt_reply *reply)
{
	struct answer answer = {
		.site = site,
		.request = request,
		.base = base,
		.date = date,
		.now = (int64_t)time(NULL),
		.vary = vary_of(site),
		.whole = whole,
		.draft = {.reply = reply,
			.own = own ? own : &site->own,
			.head_only = request->method == RT_HEAD},
	};
	int status = rt_site_refusal(request);
	struct rt_stored *stored;

	if (reply->made.it != NULL)
		return go_on_listing(&answer);
	if (status != 0) {
		answer_error(&answer, status,
			status == 400 ? RT_SITE_FOREIGN : NULL);
		return true;
	}
	if (request->method == RT_OPTIONS) {
		answer_options(&answer);
		return true;
	}
	stored = find_stored(&answer);
	if (stored != NULL) {
		answer_stored(&answer, stored);
		return true;
	}
	rt_buf_clear(&site->path, KEPT);
	return answer_path(&answer, &site->path);
}

void
rt_site_init(struct rt_site *site)
{
	*site = (struct rt_site){.root.fd = -1};
	rt_buf_init(&site->path, MAX_PATH_TEXT);
	rt_buf_init(&site->location, MAX_LOCATION);
	rt_buf_init(&site->content, RT_MAX_UNSIZED + SMALL_FILE);
}

void
rt_site_free(struct rt_site *site)
{
	rt_root_close(&site->root);
	rt_buf_free(&site->path);
	rt_buf_free(&site->location);
	rt_buf_free(&site->content);
	rt_store_free(&site->store);
	rt_listings_drop(site->listings);
}
