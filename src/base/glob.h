/* SPDX-License-Identifier: MIT */
/*
 * Patterns in which an asterisk stands for any bytes: paths, parameters, and
 * pairs of forms.
 *
 * Targets are compared by what they mean: a byte is the same whether a client
 * writes it as itself or percent-encoded. A byte that separates differs from
 * the same byte encoded: "%2F" from "/", and in a query "%26", "%3D" and "%2B"
 * from "&", "=" and "+".
 */
#ifndef RT_GLOB_H
#define RT_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/needle.h"
#include "base/text.h"

/* How the bytes of a text mean what they mean. */
enum rt_coding {
	RT_IN_PATH,  /* percent-encoded; "%2F" is apart from "/" */
	RT_IN_QUERY, /* percent-encoded; what separates is apart, too */
	RT_IN_FORM,  /* percent-encoded, and what arrived has "+" for a space */
	RT_IN_FILE,  /* percent-encoded, for the names of files in a form */
	RT_AS_IT_IS,
	RT_CASELESS /* as it is, but for the case of ASCII letters */
};

/* A text of a rule, in which an asterisk is any bytes: the parts between. */
struct rt_glob {
	char *text; /* as it was given; NULL: any */
	struct rt_needle *parts;
	size_t count; /* 1: there is no asterisk */
};

/* 0 or -ENOMEM. */
int rt_glob_set(struct rt_glob *glob, const char *text, size_t size,
	enum rt_coding coding);
void rt_glob_free(struct rt_glob *glob);

/* Whether the text up to `end`, in its own coding, is this one: the bytes that
   each asterisk stands for, as they arrived, go to `stars` unless that is
   NULL. */
bool rt_glob_fits(const struct rt_glob *glob, const char *at, const char *end,
	enum rt_coding coding, struct rt_word *stars);

/* The same of the path of a target. */
bool rt_path_fits(const struct rt_glob *path, const char *target,
	struct rt_word *stars);

/* Bytes of the rule's path that the target's has, too. */
size_t rt_path_common(const struct rt_glob *path, const char *target);

#endif
