/* SPDX-License-Identifier: MIT */
/* Opens a site: checks and copies its options, and opens its root. */
#include "config.h"

#include "site/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "canned/canned.h"
#include "http/field.h"

static int
copy_types(struct rt_site *site, const struct retort_type *types, size_t count)
{
	site->types = calloc(count + 1, sizeof *site->types);
	if (site->types == NULL)
		return -ENOMEM;
	for (; site->type_count < count; site->type_count++) {
		struct retort_type *type = site->types + site->type_count;

		type->extension = strdup(types[site->type_count].extension);
		type->type = strdup(types[site->type_count].type);
		if (type->extension == NULL || type->type == NULL) {
			site->type_count++;
			return -ENOMEM;
		}
	}
	return 0;
}

static int
check_files(const struct retort_files *files, char *error)
{
	int code;

	for (size_t i = 0; i < files->type_count; i++) {
		const char *name = files->types[i].extension;
		const char *type = files->types[i].type;

		if (name == NULL || type == NULL || type[0] == '\0' ||
			!rt_http_is_value(type, strlen(type)))
			return rt_fail(error, -EINVAL,
				"malformed media type of: %s",
				name ? name : "");
	}
	if (files->spa != NULL && files->spa[0] == '/')
		return rt_fail(error, -EINVAL,
			"spa: expected a path beneath the root, without a "
			"slash");
	if (files->prefix != NULL &&
		(files->prefix[0] != '/' ||
			strpbrk(files->prefix, "?#") != NULL))
		return rt_fail(error, -EINVAL,
			"prefix '%.200s': expected a path such as /app",
			files->prefix);
	code = rt_field_check(files->fields, true, "fields", error);
	return code == 0 ? rt_field_check(files->omit, false, "omit", error) :
			   code;
}

/* Sets Cache-Control, such as "max-age=60", unless that is 0. */
static int
set_cache(struct rt_site *site, uint32_t max_age)
{
	char text[32];

	if (max_age == 0)
		return 0;
	(void)snprintf(text, sizeof text, "max-age=%lu",
		(unsigned long)max_age);
	site->cache = strdup(text);
	return site->cache ? 0 : -ENOMEM;
}

/* Sets the prefix as "app/", which the path of a request beneath it begins
   with. */
static int
set_prefix(struct rt_site *site, const char *prefix, bool dotfiles, char *error)
{
	struct rt_buf path;
	int code;

	if (prefix == NULL)
		return 0;
	rt_buf_init(&path, RT_MAX_HEAD);
	code = rt_file_path(&path, prefix, strlen(prefix), dotfiles);
	if (code == 0 && path.len > 0 && path.data[path.len - 1] != '/')
		rt_buf_add(&path, "/", 1);
	if (code == 0 && rt_buf_text(&path) == NULL)
		code = -ENOMEM;
	if (code == 0) {
		site->prefix = path.data;
		return 0;
	}
	rt_buf_free(&path);
	return rt_fail(error, code, "prefix '%.200s': %s", prefix,
		strerror(-code));
}

/* A path as requests have it: one that a shell has completed may begin with
   "./". */
static const char *
plain_path(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		path += 1 + strspn(path + 1, "/");
	return path;
}

/* Copies the options that do not need the root. */
static int
copy_files(struct rt_site *site, const struct retort_files *files)
{
	site->unlisted = files->unlisted;
	site->precompressed = files->precompressed;
	site->html = files->html;
	site->root.dotfiles = files->dotfiles;
	site->root.follow = files->follow_links;
	site->own.fields = files->fields;
	site->own.omit = files->omit;
	if (!rt_canned_copy_strings(&site->own))
		return -ENOMEM;
	if (files->spa != NULL &&
		(site->spa = strdup(plain_path(files->spa))) == NULL)
		return -ENOMEM;
	if (set_cache(site, files->max_age) < 0)
		return -ENOMEM;
	return copy_types(site, files->types, files->type_count);
}

/* Checks that the page is there when it is named. */
static int
check_spa(const struct rt_site *site)
{
	struct rt_file file;
	int code;

	if (site->spa == NULL)
		return 0;
	if (site->root.name != NULL)
		return -ENOTDIR;
	code = rt_file_open(&file, &site->root, site->spa);
	if (code == 0 && !S_ISREG(file.mode))
		code = -EISDIR;
	rt_file_close(&file);
	return code;
}

static int
open_root(struct rt_site *site, const char *root,
	const struct retort_files *files, char *error)
{
	int code = copy_files(site, files);

	if (code == 0) {
		code = set_prefix(site, files->prefix, files->dotfiles, error);
		if (code < 0)
			return code;
	}
	if (code == 0)
		code = rt_root_open(&site->root, root);
	if (code == -ENOTSUP)
		return rt_fail(error, code,
			"%s: neither a folder nor a regular file", root);
	if (code < 0)
		return rt_fail_errno(error, code, root);
	code = check_spa(site);
	if (code < 0)
		(void)rt_fail(error, code, "spa '%.200s': %s", site->spa,
			strerror(-code));
	return code;
}

struct rt_site *
rt_site_open(const char *root, const struct retort_files *files, char *error)
{
	struct rt_site *site = NULL;
	int code = check_files(files, error);

	if (code == 0) {
		site = malloc(sizeof *site);
		if (site == NULL)
			code = rt_fail_errno(error, -ENOMEM, root);
	}
	if (site != NULL) {
		rt_site_init(site);
		code = open_root(site, root, files, error);
	}
	if (code == 0)
		return site;
	rt_site_close(site);
	errno = -code;
	return NULL;
}

void
rt_site_close(struct rt_site *site)
{
	if (site == NULL)
		return;
	rt_site_free(site);
	rt_canned_free_strings(&site->own);
	for (size_t i = 0; i < site->type_count; i++) {
		free((char *)(uintptr_t)site->types[i].extension);
		free((char *)(uintptr_t)site->types[i].type);
	}
	free(site->types);
	free((char *)(uintptr_t)site->cache);
	free((char *)(uintptr_t)site->spa);
	free(site->prefix);
	free(site);
}
