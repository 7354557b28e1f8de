/* SPDX-License-Identifier: MIT */
/* Fills in parts of the request in a canned reply. Called by canned.c. A file
   is opened beneath the folder that its name begins with. */
#include "config.h"

#include "canned/canned_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/field.h"
#include "http/type.h"

/* --- when it is given --- */

/* How parts of a request are escaped in the body: by its Content-Type, as far
   as that is known. */
static enum rt_fill_in
body_in(const struct rt_canned *canned)
{
	const char *lines = canned->as.fields;
	struct rt_line line;

	while (rt_field_next(&lines, &line))
		if (rt_field_is(&line, "Content-Type"))
			return rt_fill_in_type(line.value, line.value_size);
	return canned->type != NULL ?
		rt_fill_in_type(canned->type, strlen(canned->type)) :
		RT_FILL_PLAIN;
}

/* The fixed beginning of the file's name, up to its last slash. */
static size_t
root_size(const struct rt_fill *name)
{
	size_t size = name->count > 0 && name->pieces->kind == RT_FILL_TEXT ?
		name->pieces->size :
		0;

	while (size > 0 && name->pieces->text[size - 1] != '/')
		size--;
	return size;
}

static int
read_file(struct rt_canned *canned, enum retort_protocol protocol,
	struct rt_error *error)
{
	const char *name = canned->as.file;
	int code = rt_fill_read(&canned->fills->file, name, strlen(name),
		RT_FILL_FILE, protocol, error);

	canned->fills->root_size = root_size(&canned->fills->file);
	return code;
}

/* Reads the body part by part: none can end within braces. */
static int
read_body(struct rt_canned *canned, enum retort_protocol protocol,
	struct rt_error *error)
{
	const char *text = canned->body->data, *parts = canned->as.parts;
	enum rt_fill_in in = body_in(canned);
	uint64_t left = canned->body->size, size;
	struct rt_fill *body = &canned->fills->body;
	int code = 0, ms;

	while (code == 0 && rt_reply_part(&parts, &size, &ms)) {
		if (size > left)
			size = left;
		code = rt_fill_read(body, text, (size_t)size, in, protocol,
			error);
		if (code == 0)
			code = rt_fill_break(body);
		text += size;
		left -= size;
	}
	return code < 0 ?
		code :
		rt_fill_read(body, text, (size_t)left, in, protocol, error);
}

static int
read_all(struct rt_canned *canned, enum retort_protocol protocol,
	struct rt_error *error)
{
	struct rt_fills *fills = canned->fills;
	int code = 0;

	error->member = "fields";
	if (canned->as.fields != NULL)
		code = rt_fill_read_fields(&fills->fields, canned->as.fields,
			protocol, error);
	if (code == 0 && canned->as.file != NULL) {
		error->member = "file";
		code = read_file(canned, protocol, error);
	}
	if (code == 0 && canned->body != NULL) {
		error->member = "body";
		code = read_body(canned, protocol, error);
	}
	if (code == 0)
		error->member = NULL;
	return code;
}

int
rt_canned_read_fills(struct rt_canned *canned, enum retort_protocol protocol,
	struct rt_error *error)
{
	char what[sizeof error->text];
	int code;

	canned->fills = calloc(1, sizeof *canned->fills);
	if (canned->fills == NULL)
		return -ENOMEM;
	code = read_all(canned, protocol, error);
	if (code == -EINVAL) {
		memcpy(what, error->text, sizeof what);
		(void)rt_fail(error->text, code, "%s: %.200s", error->member,
			what);
	}
	return code;
}

void
rt_canned_free_fills(struct rt_canned *canned)
{
	if (canned->fills == NULL)
		return;
	rt_fill_free(&canned->fills->fields);
	rt_fill_free(&canned->fills->file);
	rt_fill_free(&canned->fills->body);
	free(canned->fills);
}

size_t
rt_canned_stars(const struct rt_canned *canned)
{
	const struct rt_fills *fills = canned->fills;
	size_t most = 0;

	if (fills == NULL)
		return 0;
	most = fills->fields.stars;
	if (most < fills->file.stars)
		most = fills->file.stars;
	return most < fills->body.stars ? fills->body.stars : most;
}

/* --- for a request --- */

/* Fills in the body, and lists the sizes that its parts have now. */
static void
fill_body(const struct rt_canned *canned, const struct rt_filling *filling,
	struct rt_buf *to, struct rt_buf *parts)
{
	const struct rt_fill *body = &canned->fills->body;
	const char *given = canned->as.parts;
	size_t at = to->len, next = 0;
	uint64_t size;
	int ms;

	while (rt_reply_part(&given, &size, &ms)) {
		next = rt_fill_add(body, filling, next, to);
		rt_buf_add_format(parts, "%zu %d,", to->len - at, ms);
		at = to->len;
	}
	(void)rt_fill_add(body, filling, next, to);
}

int
rt_canned_fill(const struct rt_canned *canned, const struct rt_filling *filling,
	struct rt_filled *filled)
{
	const struct rt_fills *fills = canned->fills;
	struct rt_buf to, parts;
	size_t file, body, end;
	const char *text;

	rt_buf_init(&to, RT_MAX_FILLED);
	rt_buf_init(&parts, RT_MAX_FILLED);
	(void)rt_fill_add(&fills->fields, filling, 0, &to);
	rt_buf_add(&to, "", 1);
	file = to.len;
	(void)rt_fill_add(&fills->file, filling, 0, &to);
	rt_buf_add(&to, "", 1);
	body = to.len;
	fill_body(canned, filling, &to, &parts);
	end = to.len;
	rt_buf_add(&to, parts.data, parts.len);
	filled->blob = to.failed || parts.failed ?
		NULL :
		rt_blob_new(to.data, to.len, false);
	rt_buf_free(&to);
	rt_buf_free(&parts);
	if (filled->blob == NULL)
		return -EMSGSIZE;
	text = filled->blob->data;
	filled->as = canned->as;
	if (canned->as.fields != NULL)
		filled->as.fields = text;
	if (canned->as.file != NULL)
		filled->as.file = text + file;
	/* the parts of a file, or of an echo, are as they were given */
	if (canned->as.parts != NULL && canned->body != NULL)
		filled->as.parts = text + end;
	filled->type = canned->type;
	if (rt_canned_names_file(canned) && canned->as.type == NULL)
		filled->type = rt_type_of(text + file, NULL, 0);
	filled->body = text + body;
	filled->body_size = end - body;
	return 0;
}

/* Makes the path as a request would name it, which keeps it beneath the
   root. */
static int
find_path(const char *name, struct rt_buf *path)
{
	struct rt_buf encoded;
	int code;

	rt_buf_init(&encoded, path->max);
	rt_buf_add(&encoded, "/", 1);
	rt_file_encode(&encoded, name);
	code = encoded.failed ?
		-ENAMETOOLONG :
		rt_file_path(path, encoded.data, encoded.len, false);
	rt_buf_free(&encoded);
	return code;
}

int
rt_canned_open(const struct rt_canned *canned, const char *name,
	struct rt_file *file)
{
	size_t size = canned->fills->root_size;
	char *folder = size > 0 ? strndup(name, size) : strdup(".");
	struct rt_root root = {.fd = -1};
	struct rt_buf path;
	int code = folder ? rt_root_open(&root, folder) : -ENOMEM;

	rt_buf_init(&path, 64u << 10);
	file->fd = -1;
	if (code == 0)
		code = find_path(name + size, &path);
	if (code == 0)
		code = rt_file_open(file, &root, path.data);
	if (code == 0 && !S_ISREG(file->mode)) {
		rt_file_close(file);
		code = -ENOENT;
	}
	rt_root_close(&root);
	rt_buf_free(&path);
	free(folder);
	return code;
}
