/* SPDX-License-Identifier: MIT */
/*
 * Files as replies: GET, HEAD and OPTIONS of what file.c opens. Called by
 * route.c with a whole request; leaves a whole reply, whatever happens.
 *
 * A path becomes a file, the page that stands for missing ones, a listing, or
 * an error; of a file site_file.c makes the reply.
 */
#include "config.h"

#include "site/site_parts.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "http/type.h"
#include "site/listing.h"
#include "site/negotiate.h"

#define INDEX "index.html"
#define HTML ".html"
#define NOT_FOUND_PAGE "404.html"

/* Longer than any path, encoded, with any query. */
#define MAX_PATH_TEXT (2 * RT_MAX_HEAD)

/* A reply has room for it, and for the rest of its head. */
#define MAX_LOCATION (RT_MAX_TEXT / 2)

/* The most memory that the site's texts keep for the next request. */
#define KEPT (16u << 10)

/* A listing shows names only; it needs no script, and gets none. */
#define LISTING_POLICY \
	"default-src 'none'; style-src 'unsafe-inline'; img-src data:"

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

static void
answer_options(struct answer *answer)
{
	begin(answer, 204);
	rt_draft_field(&answer->draft, "Allow", ALLOW);
	rt_draft_body(&answer->draft, "", 0);
}

/* --- folders --- */

/* Adds the query as it arrived, but encodes bytes that no URI has. */
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
 * Redirects to a folder, with its slash. One slash is in front, and everything
 * but unreserved characters encoded, so that no name can leave the host
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
	rt_draft_field(&answer->draft, "Cache-Control", UNCACHED);
	rt_draft_field(&answer->draft, "Location", to->data);
	rt_draft_body(&answer->draft, "", 0);
}

static void
free_listing(void *listing)
{
	rt_listing_free(listing);
}

/* Makes one slice of the listing that the reply owns. False: there is more. */
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
	rt_draft_field(&answer->draft, "Content-Type",
		"text/html; charset=utf-8");
	rt_draft_field(&answer->draft, "Cache-Control", UNCACHED);
	rt_draft_field(&answer->draft, "Content-Security-Policy",
		LISTING_POLICY);
	reply->made = (struct rt_made){listing, free_listing};
	text = rt_listing_text(listing);
	rt_draft_body(&answer->draft, text->data, text->len);
	return true;
}

/* Answers with a folder, whose descriptor it takes. False: there is more to
   do. */
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
			rt_site_answer_file(answer, &file, path);
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
	rt_draft_field(&answer->draft, "Cache-Control", UNCACHED);
	rt_draft_field(&answer->draft, "Content-Type",
		rt_type_of(NOT_FOUND_PAGE, site->types, site->type_count));
	rt_draft_body_file(&answer->draft, file.fd, 0, file.size);
}

/* --- from the request's path on --- */

/*
 * Opens the index of a folder, without a look at the folder itself. If there is
 * none, opens what is at the path: a folder, or nothing.
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
 * was answered: with a redirect if it is "/", or the prefix without its slash.
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

/* Opens NAME, or NAME.html where there is no file NAME; a folder comes last. */
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

/* Opens what is at the path. The path may become that of a page in its
   place. */
static int
open_path(struct answer *answer, struct rt_buf *path, bool folder,
	struct rt_file *file)
{
	int error = folder ? open_index(answer, path, file) :
			     open_named(answer, path, file);

	if (error == 0 && S_ISDIR(file->mode) &&
		answer->site->root.name != NULL) {
		/* the one file that was served is a folder now */
		rt_file_close(file);
		error = -ENOENT;
	}
	return error;
}

/* Whether the path as it arrived ends in "%2F": to a browser that is no slash
   to go on from. */
static bool
ends_encoded(const struct answer *answer)
{
	struct rt_span path = answer->request->path;

	return path.size > 0 &&
		(answer->base[path.at + path.size - 1] | 32) == 'f';
}

static bool
answer_failure(struct answer *answer, struct rt_buf *path, int error)
{
	int status = rt_file_status(error);

	if (status == 404)
		answer_missing(answer, path);
	else
		answer_error(answer, status, NULL);
	return true;
}

/* Answers by what is beneath the root, which was found. */
static bool
answer_beneath(struct answer *answer, struct rt_buf *path)
{
	const struct rt_site *site = answer->site;
	struct rt_file file = {.fd = -1};
	bool folder = site->root.name == NULL &&
		(path->len == 0 || path->data[path->len - 1] == '/');
	size_t asked = path->len;
	int error;

	error = open_path(answer, path, folder, &file);
	if (error != 0)
		return answer_failure(answer, path, error);
	if (folder && ends_encoded(answer)) {
		rt_file_close(&file);
		path->data[asked] = '\0'; /* of an index, its folder */
		answer_slash(answer, path->data);
		return true;
	}
	if (S_ISDIR(file.mode))
		return answer_folder(answer, &file, path->data, folder);
	if (folder || path->len == asked)
		rt_site_answer_found(answer, &file, path);
	else /* NAME.html, until there is a NAME */
		rt_site_answer_file(answer, &file, path);
	return true;
}

static bool
answer_path(struct answer *answer, struct rt_buf *path)
{
	struct rt_site *site = answer->site;
	struct rt_span span = answer->request->path;
	int error = rt_root_find(&site->root);

	if (error != 0) {
		/* of what it led to, no page is sent either */
		answer_error(answer, rt_file_status(error), NULL);
		return true;
	}
	error = rt_file_path(path, answer->base + span.at, span.size,
		site->root.dotfiles);
	if (error != 0)
		return answer_failure(answer, path, error);
	return !take_prefix(answer, path) || answer_beneath(answer, path);
}

/* Vary: the fields on which the reply with a file depends; NULL: none. */
static const char *
vary_of(const struct rt_site *site)
{
	if (has_variants(site))
		return site->spa ? "Accept, Accept-Encoding" :
				   "Accept-Encoding";
	return site->spa ? "Accept" : NULL;
}

bool
rt_site_answer(struct rt_site *site, const struct rt_site_ways *ways,
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
		.whole = ways->whole,
		.draft = {.reply = reply,
			.own = ways->own ? ways->own : &site->own,
			.head_only =
				request->method == RT_HEAD && !ways->forced,
			.forced = ways->forced},
	};
	int status = rt_site_refusal(request);

	if (reply->made.it != NULL)
		return go_on_listing(&answer);
	if (status != 0) {
		answer_error(&answer, status,
			status == 400 ? "only http:// and https:// are served" :
					NULL);
		return true;
	}
	if (request->method == RT_OPTIONS) {
		answer_options(&answer);
		return true;
	}
	if (rt_site_answer_stored(&answer))
		return true;
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
