/* SPDX-License-Identifier: MIT */
/*
 * Owns what a server answers. Called by server.c when it is told what to
 * answer, when a head is complete, and when a request is.
 */
#include "config.h"

#include "route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_MAX_BODY (1u << 20)
#define TEXT_TYPE "text/plain; charset=utf-8"

struct rt_canned {
	struct rt_canned *next; /* among the retired */
	int status;
	char *type; /* NULL: no Content-Type */
	char *body;
	size_t body_size;
	bool raw;
	bool echo;
	struct retort_field *fields;
	size_t field_count;
};

static int
fail(char *error, int code, const char *what, const char *name)
{
	if (error != NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s: %s", what,
			name ? name : strerror(-code));
	return code;
}

/* --- copies of pairs of strings --- */

static void
free_fields(struct retort_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)fields[i].name);
		free((char *)(uintptr_t)fields[i].value);
	}
	free(fields);
}

/* NULL when out of memory, also for none. */
static struct retort_field *
copy_fields(const struct retort_field *fields, size_t count)
{
	struct retort_field *copy = calloc(count + 1, sizeof *copy);

	for (size_t i = 0; copy != NULL && i < count; i++) {
		copy[i].name = strdup(fields[i].name);
		copy[i].value =
			fields[i].value ? strdup(fields[i].value) : NULL;
		if (copy[i].name == NULL ||
			(fields[i].value != NULL && copy[i].value == NULL)) {
			free_fields(copy, i + 1);
			return NULL;
		}
	}
	return copy;
}

/* What retort itself says about framing cannot be said otherwise. */
static int
check_fields(const struct retort_field *fields, size_t count, char *error)
{
	static const char *const framing[] = {"Content-Length",
		"Transfer-Encoding", "Connection"};

	for (size_t i = 0; i < count; i++) {
		const char *name = fields[i].name;
		const char *value = fields[i].value;

		if (name == NULL || !rt_http_is_token(name, strlen(name)))
			return fail(error, -EINVAL, "malformed field name",
				name ? name : "");
		if (value != NULL && !rt_http_is_value(value, strlen(value)))
			return fail(error, -EINVAL, "malformed value of field",
				name);
		for (size_t k = 0; k < sizeof framing / sizeof *framing; k++)
			if (strcasecmp(name, framing[k]) == 0)
				return fail(error, -EINVAL,
					"field that only a raw reply may have",
					name);
	}
	return 0;
}

/* --- what answers --- */

static void
free_canned(struct rt_canned *canned)
{
	if (canned == NULL)
		return;
	free(canned->type);
	free(canned->body);
	free_fields(canned->fields, canned->field_count);
	free(canned);
}

static void
free_site(struct rt_site *site)
{
	if (site == NULL)
		return;
	rt_site_free(site);
	free_fields((struct retort_field *)(uintptr_t)site->fields,
		site->field_count);
	for (size_t i = 0; i < site->type_count; i++) {
		free((char *)(uintptr_t)site->types[i].extension);
		free((char *)(uintptr_t)site->types[i].type);
	}
	free(site->types);
	free((char *)(uintptr_t)site->cache);
	free((char *)(uintptr_t)site->spa);
	free(site);
}

static void
retire_canned(struct rt_route *route, struct rt_canned **canned)
{
	if (*canned == NULL)
		return;
	(*canned)->next = route->retired;
	route->retired = *canned;
	*canned = NULL;
}

/* Nothing answers any more; what replies may borrow from is kept. */
static void
retire(struct rt_route *route)
{
	retire_canned(route, &route->canned);
	retire_canned(route, &route->echo);
	free(route->echo_path);
	route->echo_path = NULL;
	free_site(route->site);
	route->site = NULL;
}

void
rt_route_forget(struct rt_route *route)
{
	struct rt_canned *canned;

	while ((canned = route->retired) != NULL) {
		route->retired = canned->next;
		free_canned(canned);
	}
}

/* The status that a raw reply begins with, or 0. */
static int
raw_status(const char *bytes, size_t size)
{
	int status = 0;

	if (size < 12 || memcmp(bytes, "HTTP/1.", 7) != 0 || bytes[8] != ' ')
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return 0;
		status = status * 10 + bytes[i] - '0';
	}
	return status;
}

int
rt_route_check_reply(const struct retort_reply *reply, char *error)
{
	if (reply->raw && reply->echo)
		return fail(error, -EINVAL, "reply", "both raw and an echo");
	if (reply->status != 0 && (reply->status < 200 || reply->status > 999))
		return fail(error, -EINVAL, "status", "expected 200 to 999");
	if (!reply->raw && rt_status_has_no_body(reply->status) &&
		reply->body_size > 0)
		return fail(error, -EINVAL, "status",
			"a 204 or 304 has no body");
	if (reply->type != NULL &&
		(reply->type[0] == '\0' ||
			!rt_http_is_value(reply->type, strlen(reply->type))))
		return fail(error, -EINVAL, "malformed media type",
			reply->type);
	return check_fields(reply->fields, reply->field_count, error);
}

/* NULL: no memory. */
static struct rt_canned *
new_canned(const struct retort_reply *reply)
{
	struct rt_canned *canned = calloc(1, sizeof *canned);
	const char *type = reply->type;

	if (canned == NULL)
		return NULL;
	canned->status = reply->status ? reply->status : 200;
	canned->raw = reply->raw;
	canned->echo = reply->echo;
	canned->body_size = reply->body_size;
	if (type == NULL && (reply->body_size > 0 || reply->echo))
		type = TEXT_TYPE;
	canned->type = type ? strdup(type) : NULL;
	canned->body = malloc(reply->body_size + 1);
	canned->fields = copy_fields(reply->fields, reply->field_count);
	if (canned->fields != NULL)
		canned->field_count = reply->field_count;
	if (canned->fields == NULL || canned->body == NULL ||
		(type != NULL && canned->type == NULL)) {
		free_canned(canned);
		return NULL;
	}
	if (reply->body_size > 0)
		memcpy(canned->body, reply->body, reply->body_size);
	if (canned->raw)
		canned->status = raw_status(canned->body, canned->body_size);
	return canned;
}

int
rt_route_set_reply(struct rt_route *route, const struct retort_reply *reply,
	char *error)
{
	struct rt_canned *canned;
	int code = rt_route_check_reply(reply, error);

	if (code < 0)
		return code;
	canned = new_canned(reply);
	if (canned == NULL)
		return fail(error, -ENOMEM, "reply", NULL);
	retire(route);
	route->canned = canned;
	return 0;
}

static int
copy_types(struct rt_site *site, const struct retort_field *types, size_t count)
{
	site->types = calloc(count + 1, sizeof *site->types);
	if (site->types == NULL)
		return -ENOMEM;
	for (; site->type_count < count; site->type_count++) {
		struct rt_type *type = site->types + site->type_count;

		type->extension = strdup(types[site->type_count].name);
		type->type = strdup(types[site->type_count].value);
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
	for (size_t i = 0; i < files->type_count; i++) {
		const char *name = files->types[i].name;
		const char *type = files->types[i].value;

		if (name == NULL || type == NULL || type[0] == '\0' ||
			!rt_http_is_value(type, strlen(type)))
			return fail(error, -EINVAL, "malformed media type of",
				name ? name : "");
	}
	if (files->echo != NULL &&
		(files->echo[0] != '/' || strpbrk(files->echo, "?#") != NULL))
		return fail(error, -EINVAL, "echo",
			"expected a path that begins with a slash");
	if (files->spa != NULL && files->spa[0] == '/')
		return fail(error, -EINVAL, "spa",
			"expected a path beneath the root, without a slash");
	return check_fields(files->fields, files->field_count, error);
}

/* "max-age=60", or NULL */
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

/* What does not need the root. */
static int
copy_files(struct rt_site *site, const struct retort_files *files)
{
	site->unlisted = files->unlisted;
	site->precompressed = files->precompressed;
	site->fields = copy_fields(files->fields, files->field_count);
	if (site->fields == NULL)
		return -ENOMEM;
	site->field_count = files->field_count;
	if (files->spa != NULL && (site->spa = strdup(files->spa)) == NULL)
		return -ENOMEM;
	if (set_cache(site, files->max_age) < 0)
		return -ENOMEM;
	return copy_types(site, files->types, files->type_count);
}

/* The page must be there when it is named. */
static int
check_spa(const struct rt_site *site)
{
	struct rt_file file;
	int code;

	if (site->spa == NULL)
		return 0;
	code = rt_file_open(&file, &site->root, site->spa);
	if (code == 0 && !S_ISREG(file.mode))
		code = -EISDIR;
	rt_file_close(&file);
	return code;
}

static int
open_site(struct rt_site *site, const char *root,
	const struct retort_files *files, char *error)
{
	int code = copy_files(site, files);

	if (code == 0)
		code = rt_root_open(&site->root, root);
	if (code < 0)
		return fail(error, code, root,
			code == -ENOTSUP ?
				"neither a folder nor a regular file" :
				NULL);
	site->root.dotfiles = files->dotfiles;
	code = check_spa(site);
	if (code < 0 && error != NULL)
		(void)snprintf(error, RETORT_ERROR_SIZE, "spa '%.200s': %s",
			site->spa, strerror(-code));
	return code;
}

int
rt_route_set_files(struct rt_route *route, const char *root,
	const struct retort_files *files, char *error)
{
	static const struct retort_reply echo_reply = {.echo = true};
	struct rt_site *site = NULL;
	struct rt_canned *echo = NULL;
	char *echo_path = NULL;
	int code = check_files(files, error);

	if (code < 0)
		return code;
	site = malloc(sizeof *site);
	if (site == NULL)
		return fail(error, -ENOMEM, root, NULL);
	rt_site_init(site);
	code = open_site(site, root, files, error);
	if (code < 0)
		goto out;
	if (files->echo != NULL) {
		echo = new_canned(&echo_reply);
		echo_path = strdup(files->echo);
		if (echo == NULL || echo_path == NULL) {
			code = fail(error, -ENOMEM, files->echo, NULL);
			goto out;
		}
	}
	retire(route);
	route->site = site;
	route->echo = echo;
	route->echo_path = echo_path;
	return 0;
out:
	free_site(site);
	free_canned(echo);
	free(echo_path);
	return code;
}

/* --- requests --- */

/* The Host without its port is one of those served. */
static bool
host_served(const struct rt_route *route, const char *base, struct rt_span host)
{
	if (route->hosts == NULL)
		return true;
	for (uint32_t i = host.size; i-- > 0;) {
		char c = base[host.at + i];

		if (c == ':')
			host.size = i;
		if (c < '0' || c > '9')
			break;
	}
	for (char **name = route->hosts; *name != NULL; name++)
		if (rt_span_is(base, host, *name))
			return true;
	return false;
}

/* The canned reply that a request gets; NULL: none does. */
static const struct rt_canned *
canned_for(const struct rt_route *route, const struct rt_request *request,
	const char *base)
{
	if (route->echo != NULL &&
		request->path.size == strlen(route->echo_path) &&
		memcmp(base + request->path.at, route->echo_path,
			request->path.size) == 0)
		return route->echo;
	return route->canned;
}

int
rt_route_refusal(const struct rt_route *route, const struct rt_request *request,
	const char *base, uint64_t *max, bool *keep, const char **reason)
{
	const struct rt_canned *canned = canned_for(route, request, base);

	*reason = NULL;
	*keep = canned != NULL && canned->echo;
	*max = route->max_body;
	if (*max == 0)
		*max = canned != NULL && !*keep ? UINT64_MAX : DEFAULT_MAX_BODY;
	if (!host_served(route, base, request->host)) {
		*reason = "this host is not served here";
		return 421;
	}
	return canned == NULL && route->site != NULL ?
		rt_site_refusal(request) :
		0;
}

static void
answer_canned(const struct rt_canned *canned, const struct rt_request *request,
	const char *base, size_t size, const char *date, struct rt_reply *reply)
{
	struct rt_draft draft = {
		.reply = reply,
		.own = canned->fields,
		.own_count = canned->field_count,
		.head_only = request->method == RT_HEAD,
	};

	if (canned->raw) {
		rt_reply_raw(reply, canned->status, canned->body,
			canned->body_size);
		return;
	}
	rt_reply_begin(&draft, canned->status, date);
	if (canned->type != NULL)
		rt_reply_field(&draft, "Content-Type", canned->type);
	if (rt_status_has_no_body(canned->status))
		rt_reply_no_body(&draft);
	else if (canned->echo)
		rt_reply_body(&draft, base, size);
	else
		rt_reply_body(&draft, canned->body, canned->body_size);
}

bool
rt_route_answer(const struct rt_route *route, const struct rt_request *request,
	const char *base, size_t size, const char *date, struct rt_reply *reply)
{
	const struct rt_canned *canned = canned_for(route, request, base);
	struct rt_draft draft = {.reply = reply,
		.head_only = request->method == RT_HEAD};

	if (canned != NULL)
		answer_canned(canned, request, base, size, date, reply);
	else if (route->site != NULL)
		return rt_site_answer(route->site, request, base, date, reply);
	else
		rt_reply_error(&draft, 404, NULL, date);
	return true;
}

/* --- the route's life --- */

int
rt_route_init(struct rt_route *route, const char *const *hosts,
	uint64_t max_body)
{
	size_t count = 0;

	*route = (struct rt_route){.max_body = max_body};
	if (hosts == NULL)
		return 0;
	while (hosts[count] != NULL)
		count++;
	route->hosts = calloc(count + 1, sizeof *route->hosts);
	if (route->hosts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		route->hosts[i] = strdup(hosts[i]);
		if (route->hosts[i] == NULL) {
			rt_route_free(route);
			return -ENOMEM;
		}
	}
	return 0;
}

void
rt_route_free(struct rt_route *route)
{
	retire(route);
	rt_route_forget(route);
	for (char **name = route->hosts; name != NULL && *name != NULL; name++)
		free(*name);
	free(route->hosts);
	*route = (struct rt_route){.hosts = NULL};
}

const char *
retort_type(const char *name)
{
	return rt_type_of(name, NULL, 0);
}
