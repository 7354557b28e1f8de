/* SPDX-License-Identifier: MIT */
/*
 * Files as replies: GET, HEAD and OPTIONS of what file.c opens. Called by
 * route.c with a whole request; leaves a whole reply, whatever happens.
 */
#include "config.h"

#include "site.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define INDEX "index.html"

/* Longer than any path, encoded, with any query. */
#define MAX_PATH_TEXT (2 * RT_MAX_HEAD)

/* What the site's texts keep for the next request. */
#define KEPT (16u << 10)

/* What an answer is made of. */
struct answer {
	struct rt_site *site;
	const struct rt_request *request;
	const char *base;
	const char *date;
	struct rt_draft draft;
};

int
rt_site_refusal(const struct rt_request *request)
{
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
answer_error(struct answer *answer, int status, const char *reason)
{
	rt_reply_error(&answer->draft, status, reason,
		status == 405 ? RT_SITE_ALLOW : NULL, answer->date);
}

static void
answer_options(struct answer *answer)
{
	rt_reply_begin(&answer->draft, 204, answer->date);
	rt_reply_field(&answer->draft, "Allow", RT_SITE_ALLOW);
	rt_reply_no_body(&answer->draft);
}

/*
 * To the same path with a slash. Always one slash in front and everything
 * but unreserved characters encoded, so that no name can make it leave the
 * host (RFC 3986 4.2: "//evil" would) or end the field.
 */
static void
answer_slash(struct answer *answer, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	const struct rt_span query = answer->request->query;
	struct rt_buf *to = &answer->site->location;

	rt_buf_clear(to, KEPT);
	rt_buf_add(to, "/", 1);
	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;
		char code[3] = {'%', hex[c >> 4], hex[c & 15]};

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || strchr("-._~/", c) != NULL)
			rt_buf_add(to, path, 1);
		else
			rt_buf_add(to, code, sizeof code);
	}
	rt_buf_add(to, "/", 1);
	rt_buf_add(to, answer->base + query.at, query.size);
	rt_buf_add(to, "", 1);
	if (to->failed) {
		answer_error(answer, 503, NULL);
		return;
	}
	rt_reply_begin(&answer->draft, 301, answer->date);
	rt_reply_field(&answer->draft, "Location", to->data);
	rt_reply_body(&answer->draft, "", 0);
}

/* RFC 9110 8.8.2.1: Last-Modified is never later than Date. */
static void
add_validators(struct answer *answer, const struct rt_file *file)
{
	struct rt_site *site = answer->site;
	int64_t modified = (int64_t)time(NULL);
	char etag[RT_ETAG_TEXT];

	if (file->modified < modified)
		modified = file->modified;
	if (site->modified != modified || site->modified_text[0] == '\0') {
		rt_reply_date(modified, site->modified_text);
		site->modified = modified;
	}
	rt_reply_field(&answer->draft, "Last-Modified", site->modified_text);
	rt_file_etag(file, etag);
	rt_reply_field(&answer->draft, "ETag", etag);
}

/* Takes the file's descriptor. */
static void
answer_file(struct answer *answer, const struct rt_file *file, const char *path)
{
	const struct rt_site *site = answer->site;

	rt_reply_begin(&answer->draft, 200, answer->date);
	rt_reply_field(&answer->draft, "Content-Type",
		rt_type_of(path, site->types, site->type_count));
	add_validators(answer, file);
	rt_reply_field(&answer->draft, "Cache-Control", "no-cache");
	rt_reply_body_file(&answer->draft, file->fd, 0, file->size);
}

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
		return -ENAMETOOLONG;
	error = rt_file_open(file, &answer->site->root, path->data);
	if (error != -ENOENT)
		return error;
	path->data[size] = '\0';
	return rt_file_open(file, &answer->site->root, path->data);
}

static void
answer_path(struct answer *answer, struct rt_buf *path)
{
	const struct rt_site *site = answer->site;
	struct rt_span span = answer->request->path;
	struct rt_file file = {.fd = -1};
	bool folder = false;
	int error;

	error = rt_file_path(path, answer->base + span.at, span.size,
		site->root.dotfiles);
	if (error == 0) {
		folder = site->root.name == NULL &&
			(path->len == 0 || path->data[path->len - 1] == '/');
		error = folder ? open_index(answer, path, &file) :
				 rt_file_open(&file, &site->root, path->data);
	}
	if (error != 0) {
		answer_error(answer, rt_file_status(error), NULL);
	} else if (!S_ISDIR(file.mode)) {
		answer_file(answer, &file,
			site->root.name ? site->root.name : path->data);
	} else {
		rt_file_close(&file);
		if (folder || site->root.name != NULL)
			answer_error(answer, 403, "no index.html");
		else
			answer_slash(answer, path->data);
	}
}

void
rt_site_answer(struct rt_site *site, const struct rt_request *request,
	const char *base, const char *date, struct rt_reply *reply)
{
	struct answer answer = {
		.site = site,
		.request = request,
		.base = base,
		.date = date,
		.draft = {.reply = reply,
			.own = site->fields,
			.own_count = site->field_count,
			.head_only = request->method == RT_HEAD},
	};
	int status = rt_site_refusal(request);

	if (status != 0) {
		answer_error(&answer, status, NULL);
		return;
	}
	if (request->method == RT_OPTIONS) {
		answer_options(&answer);
		return;
	}
	rt_buf_clear(&site->path, KEPT);
	answer_path(&answer, &site->path);
}

void
rt_site_init(struct rt_site *site)
{
	*site = (struct rt_site){.root.fd = -1};
	rt_buf_init(&site->path, MAX_PATH_TEXT);
	rt_buf_init(&site->location, MAX_PATH_TEXT);
}

void
rt_site_free(struct rt_site *site)
{
	rt_root_close(&site->root);
	rt_buf_free(&site->path);
	rt_buf_free(&site->location);
}
