/* SPDX-License-Identifier: MIT */
/*
 * Which answer a request gets: one canned reply, an echo, files beneath a
 * root, or nothing. (The place of ordered rules.)
 */
#ifndef RT_ROUTE_H
#define RT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "reply.h"
#include "retort.h"
#include "site.h"

struct rt_canned;

struct rt_route {
	struct rt_canned *canned;  /* NULL: none */
	struct rt_canned *retired; /* replaced while replies borrow from them */
	struct rt_site *site;      /* NULL: none */
	struct rt_canned *echo;    /* at a path among the files; NULL: none */
	char *echo_path;
	char **hosts;      /* NULL: all */
	uint64_t max_body; /* 0: the default of what answers */
};

/* `hosts` is NULL-terminated and copied. 0 or -ENOMEM. */
int rt_route_init(struct rt_route *route, const char *const *hosts,
	uint64_t max_body);
void rt_route_free(struct rt_route *route);

/* 0, or -EINVAL with a line in `error`: the reply cannot be given. */
int rt_route_check_reply(const struct retort_reply *reply, char *error);

/* What answers from now on; 0, or -errno with a line in `error`. */
int rt_route_set_reply(struct rt_route *route, const struct retort_reply *reply,
	char *error);
int rt_route_set_files(struct rt_route *route, const char *root,
	const struct retort_files *files, char *error);

/* Frees what was replaced; only while no reply is under way. */
void rt_route_forget(struct rt_route *route);

/*
 * Looks at a whole head. 0: read the body, at most *max bytes, kept beside
 * the head if *keep. Otherwise the status that refuses the request at once,
 * and a reason or NULL.
 */
int rt_route_refusal(const struct rt_route *route,
	const struct rt_request *request, const char *base, uint64_t *max,
	bool *keep, const char **reason);

/*
 * Answers a whole request, `size` bytes at `base`. The reply may borrow from
 * the route and from `base`. False: it takes longer; to be called again, with
 * the reply as it is.
 */
bool rt_route_answer(const struct rt_route *route,
	const struct rt_request *request, const char *base, size_t size,
	const char *date, struct rt_reply *reply);

#endif
