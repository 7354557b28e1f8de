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
	free(site);
}

/* Nothing answers any more; what replies may borrow from is kept. */
static void
retire(struct rt_route *route)
{
	if (route->canned != NULL) {
		route->canned->next = route->retired;
		route->retired = route->canned;
		route->canned = NULL;
	}
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

int
rt_route_set_reply(struct rt_route *route, const struct retort_reply *reply,
	char *error)
{
	struct rt_canned *canned;
	const char *type = reply->type;
	int code = rt_route_check_reply(reply, error);

	if (code < 0)
		return code;
	canned = calloc(1, sizeof *canned);
	if (canned == NULL)
		return fail(error, -ENOMEM, "reply", NULL);
	canned->status = reply->status ? reply->status : 200;
	canned->raw = reply->raw;
	canned->echo = reply->echo;
	canned->body_size = reply->body_size;
	canned->field_count = reply->field_count;
	if (type == NULL && (reply->body_size > 0 || reply->echo))
		type = TEXT_TYPE;
	canned->type = type ? strdup(type) : NULL;
	canned->body = malloc(reply->body_size + 1);
	canned->fields = copy_fields(reply->fields, reply->field_count);
	if (canned->fields == NULL || canned->body == NULL ||
		(type != NULL && canned->type == NULL)) {
		if (canned->fields == NULL)
			canned->field_count = 0;
		free_canned(canned);
		return fail(error, -ENOMEM, "reply", NULL);
	}
	if (reply->body_size > 0)
		memcpy(canned->body, reply->body, reply->body_size);
	if (canned->raw)
		canned->status = raw_status(canned->body, canned->body_size);
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

int
rt_route_set_files(struct rt_route *route, const char *root,
	const struct retort_files *files, char *error)
{
	struct rt_site *site;
	int code;

	code = check_fields(files->fields, files->field_count, error);
	if (code < 0)
		return code;
	for (size_t i = 0; i < files->type_count; i++)
		if (files->types[i].name == NULL ||
			files->types[i].value == NULL ||
			files->types[i].value[0] == '\0' ||
			!rt_http_is_value(files->types[i].value,
				strlen(files->types[i].value)))
			return fail(error, -EINVAL, "malformed media type of",
				files->types[i].name ? files->types[i].name :
						       "");
	site = malloc(sizeof *site);
	if (site == NULL)
		return fail(error, -ENOMEM, root, NULL);
	rt_site_init(site);
	site->fields = copy_fields(files->fields, files->field_count);
	code = site->fields == NULL ?
		-ENOMEM :
		copy_types(site, files->types, files->type_count);
	if (site->fields != NULL)
		site->field_count = files->field_count;
	if (code == 0)
		code = rt_root_open(&site->root, root);
	if (code < 0) {
		free_site(site);
		return fail(error, code, root,
			code == -ENOTSUP ?
				"neither a folder nor a regular file" :
				NULL);
	}
	site->root.dotfiles = files->dotfiles;
	retire(route);
	route->site = site;
	return 0;
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

int
rt_route_refusal(const struct rt_route *route, const struct rt_request *request,
	const char *base, uint64_t *max, bool *keep, const char **reason)
{
	*reason = NULL;
	*keep = route->canned != NULL && route->canned->echo;
	*max = route->max_body;
	if (*max == 0)
		*max = route->canned != NULL && !*keep ? UINT64_MAX :
							 DEFAULT_MAX_BODY;
	if (!host_served(route, base, request->host)) {
		*reason = "this host is not served here";
		return 421;
	}
	return route->site != NULL ? rt_site_refusal(request) : 0;
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

void
rt_route_answer(const struct rt_route *route, const struct rt_request *request,
	const char *base, size_t size, const char *date, struct rt_reply *reply)
{
	struct rt_draft draft = {.reply = reply,
		.head_only = request->method == RT_HEAD};

	if (route->canned != NULL)
		answer_canned(route->canned, request, base, size, date, reply);
	else if (route->site != NULL)
		rt_site_answer(route->site, request, base, date, reply);
	else
		rt_reply_error(&draft, 404, NULL, NULL, date);
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
