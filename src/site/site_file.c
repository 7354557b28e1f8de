/* SPDX-License-Identifier: MIT */
/*
 * A file as a reply. Called by site.c, which has found it. Selects the best
 * variant, compares its validators with the request's conditions, and sends the
 * whole file or its ranges.
 */
#include "config.h"

#include "site/site_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/type.h"
#include "site/negotiate.h"
#include "site/precondition.h"
#include "site/range.h"
#include "site/site_ranges.h"

/* A file, or what stands for it. */
struct selected {
	struct rt_file file;
	const char *type;
	const char *cache;                      /* Cache-Control */
	const struct rt_content_coding *coding; /* NULL: none */
	struct rt_validators validators;
	const char *etag;       /* the file's; NULL: it is to be made */
	const char *content;    /* all of it; NULL: it is in the file alone */
	struct rt_blob *blob;   /* the same, if it is kept; NULL */
	struct rt_ready *reply; /* with all of it, if that is; NULL */
	bool made; /* while it is read: its size was not true, and the
	              next time it may be another */
};

/* Opens a variant, if it is a file that is no older. */
static bool
open_variant(const struct rt_root *root, const char *path,
	const struct rt_file *file, struct rt_file *variant)
{
	/* looked at first: a FIFO must not notice */
	if (rt_file_describe(variant, root, path) != 0 ||
		!S_ISREG(variant->mode) ||
		rt_file_open(variant, root, path) != 0)
		return false;
	if (S_ISREG(variant->mode) && !rt_file_is_older(variant, file))
		return true;
	rt_file_close(variant);
	return false;
}

/* Opens the variant that the client prefers, if there is one next to the file,
   instead of the file. */
static void
select_variant(struct answer *answer, struct rt_buf *path,
	struct selected *selected)
{
	const struct rt_content_coding *codings[RT_CODINGS];
	struct rt_file variant;
	size_t count, size = path->len;

	count = rt_negotiate_codings(answer->request, answer->base, codings);
	for (size_t i = 0; i < count && selected->coding == NULL; i++) {
		const char *suffix = codings[i]->suffix;

		rt_buf_add(path, suffix, strlen(suffix) + 1);
		if (path->failed)
			break;
		if (open_variant(&answer->site->root, path->data,
			    &selected->file, &variant)) {
			rt_file_close(&selected->file);
			selected->file = variant;
			selected->coding = codings[i];
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
		rt_draft_is_own(&answer->draft, "Last-Modified");
	if (rt_draft_is_own(&answer->draft, "ETag"))
		validators->etag = NULL;
	if (rt_draft_is_own(&answer->draft, "Last-Modified"))
		validators->has_modified = false;
	if (rt_draft_given(&answer->draft, "ETag", &line))
		validators->etag = own_etag(&line, answer->site);
	if (rt_draft_given(&answer->draft, "Last-Modified", &line))
		validators->has_modified = rt_date_parse(line.value,
			line.value_size, answer->now, &validators->modified);
}

/* Begins a 200, 206 or 304, with the fields that they share (RFC 9110
   15.4.5). */
static void
begin_file(struct answer *answer, const struct selected *selected, int status)
{
	begin(answer, status);
	rt_draft_field(&answer->draft, "Cache-Control", selected->cache);
	if (selected->validators.etag != NULL)
		rt_draft_field(&answer->draft, "ETag",
			selected->validators.etag);
}

static void
add_representation(struct answer *answer, const struct selected *selected)
{
	struct rt_site *site = answer->site;

	if (selected->validators.has_modified) {
		int64_t modified = selected->validators.modified;

		if (site->modified != modified ||
			site->modified_text[0] == '\0') {
			rt_date_format(modified, site->modified_text);
			site->modified = modified;
		}
		rt_draft_field(&answer->draft, "Last-Modified",
			site->modified_text);
	}
	if (selected->coding != NULL)
		rt_draft_field(&answer->draft, "Content-Encoding",
			selected->coding->name);
	if (!selected->made)
		rt_draft_field(&answer->draft, "Accept-Ranges", "bytes");
}

/* The ranges that are asked for, as rt_range_parse() has them. */
static int
ranges_of(struct answer *answer, const struct selected *selected,
	struct rt_range ranges[RT_MAX_RANGES])
{
	const struct rt_http_field *field =
		rt_http_field(answer->request, answer->base, "Range");

	if (answer->whole || selected->made || field == NULL ||
		answer->request->method != RT_GET ||
		rt_http_next(answer->request, answer->base, field) != NULL ||
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
	rt_draft_field(&answer->draft, "Content-Range", text);
	rt_draft_body_reason(&answer->draft, NULL);
}

/* Adds the body, in part or whole. Takes the file's descriptor. */
static void
add_content(struct answer *answer, const struct selected *selected, uint64_t at,
	uint64_t size)
{
	if (selected->blob != NULL) {
		rt_draft_body(&answer->draft, selected->blob->data + at,
			(size_t)size);
		answer->draft.reply->blob = rt_blob_share(selected->blob);
	} else if (selected->content != NULL)
		rt_draft_body_copy(&answer->draft, selected->content + at,
			(size_t)size);
	else
		rt_draft_body_file(&answer->draft, selected->file.fd, at, size);
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
	rt_draft_field(&answer->draft, "Content-Type", selected->type);
	rt_draft_field(&answer->draft, "Content-Range", text);
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

/* Answers with the whole reply that was kept. False: none was. */
static bool
answer_again(struct answer *answer, const struct rt_ready *ready,
	struct rt_blob *content)
{
	if (ready == NULL ||
		!rt_draft_again(&answer->draft, ready, answer->date))
		return false;
	answer->draft.reply->blob = rt_blob_share(content);
	return true;
}

/* Takes the file's descriptor. */
static void
answer_whole(struct answer *answer, const struct selected *selected)
{
	if (answer_again(answer, selected->reply, selected->blob))
		return;
	begin_file(answer, selected, 200);
	rt_draft_field(&answer->draft, "Content-Type", selected->type);
	add_representation(answer, selected);
	add_content(answer, selected, 0, selected->file.size);
	if (selected->reply != NULL)
		rt_draft_keep(&answer->draft, selected->reply);
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

/* Takes the file's descriptor. */
static void
answer_condition(struct answer *answer, struct selected *selected, int status)
{
	if (status == 412) {
		rt_file_close(&selected->file);
		answer_error(answer, 412, NULL);
		return;
	}
	begin_file(answer, selected, 304);
	add_content(answer, selected, 0, selected->file.size);
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
		!rt_draft_is_own(&answer->draft, "Content-Type"))
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

/* Selects a file whose type is known; `name` is its path. */
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

/* The type of a file whose name does not tell, by its first bytes. */
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

void
rt_site_answer_file(struct answer *answer, const struct rt_file *file,
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
	struct rt_ready *ready = NULL;
	struct selected selected;

	/* a rule may have other fields; a future Last-Modified is now */
	if (answer->draft.own == &answer->site->own &&
		stored->file.modified < answer->now)
		ready = &stored->ready;
	if (!rt_precondition_may_be(answer->request, answer->base) &&
		answer_again(answer, ready, stored->content))
		return;
	selected =
		select_file(answer, &stored->file, stored->path, stored->type);
	selected.content = stored->content->data;
	selected.blob = stored->content;
	selected.etag = stored->etag;
	selected.reply = ready;
	answer_selected(answer, &selected);
}

/* The key of its file in the store: the path of the request. */
static struct rt_word
key_of(const struct answer *answer)
{
	struct rt_span path = answer->request->path;

	return (struct rt_word){answer->base + path.at, path.size};
}

bool
rt_site_answer_stored(struct answer *answer)
{
	struct rt_site *site = answer->site;
	struct rt_stored *stored;

	if (!is_plain(answer))
		return false;
	stored = rt_store_find(&site->store, &site->root, key_of(answer));
	if (stored != NULL)
		answer_stored(answer, stored);
	return stored != NULL;
}

void
rt_site_answer_found(struct answer *answer, struct rt_file *file,
	struct rt_buf *path)
{
	struct rt_site *site = answer->site;
	const char *name = name_of(site, path);
	struct rt_stored *stored = NULL;

	if (is_plain(answer))
		stored = rt_store_keep(&site->store, &site->root,
			key_of(answer), name, file, answer->now);
	if (stored == NULL) {
		rt_site_answer_file(answer, file, path);
		return;
	}
	stored->type = type_of(answer, file, name);
	rt_file_close(file);
	answer_stored(answer, stored);
}
