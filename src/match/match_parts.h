/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room match; nobody else sees it. */
#ifndef RT_MATCH_PARTS_H
#define RT_MATCH_PARTS_H

#include <errno.h>
#include <regex.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/needle.h"
#include "base/text.h"
#include "http/field.h"
#include "http/form.h"
#include "match/match.h"

/* --- pairs --- */

/* A pair of a rule. */
struct rt_pair {
	struct rt_word text; /* as it was given */
	struct rt_glob name, value;
	struct rt_glob type; /* of a file; .text NULL: any */
	bool valued;
};

struct rt_pair_list {
	struct rt_pair *pairs;
	size_t count;
};

struct rt_pairs {
	char *text; /* as they were given; NULL: nothing is asked */
	char *absent_text;
	struct rt_pair_list wanted;
	struct rt_pair_list absent; /* names alone */
	bool only;                  /* no others */
};

/* In this order. `member` is for the line in `error`; texts may be NULL. 0 or
   -errno. */
int rt_pairs_read(struct rt_pairs *pairs, const char *text,
	enum rt_coding coding, const char *member, char *error);
int rt_pairs_read_absent(struct rt_pairs *pairs, const char *text,
	enum rt_coding coding, const char *member, char *error);
int rt_pairs_only(struct rt_pairs *pairs, bool only);
void rt_pairs_free(void *member);

/* Whether the pairs that arrived fit, whether one arrived that nearly does, and
   what differs; `noun` is what one of them is called. */
bool rt_pairs_fit(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding);
unsigned rt_pairs_near(const struct rt_pairs *pairs,
	struct rt_pair_reader *form, enum rt_coding coding);
void rt_pairs_say(const struct rt_pairs *pairs, struct rt_pair_reader *form,
	enum rt_coding coding, const char *noun, const char *whose,
	struct rt_buf *to);

/* Those that should not come. */
void rt_pairs_describe(const struct rt_pairs *pairs, const char *noun,
	struct rt_buf *to);

/* --- regular expressions --- */

struct rt_pattern {
	struct rt_line line; /* as it was given, of a field with its name */
	regex_t regex;
	bool compiled;
};

struct rt_patterns {
	char *text; /* as they were given; NULL: nothing is asked */
	struct rt_pattern *list;
	size_t count;
};

/* --- JSON --- */

struct json_t; /* of jansson */

struct rt_json {
	char *text; /* as it was given; NULL: nothing is asked */
	struct json_t *value;
};

/* --- conditions --- */

/* Conditions that are logins. */
#define RT_LOGINS 4

struct rt_login; /* of match_login.c */
struct rt_matcher;

/* Conditions that there can be. */
#define RT_MATCHERS 24

struct rt_logins {
	struct rt_login *list; /* NULL: nothing is asked */
	size_t count;
};

/* Texts that fields contain. */
struct rt_contained {
	char *lines; /* as they were given; NULL: nothing is asked */
	struct rt_needle *parts; /* the value of each */
	size_t count;
};

/* A text that the body contains. */
struct rt_body_part {
	char *text; /* NULL: nothing is asked */
	struct rt_needle needle;
};

/* Facts of TLS. */
struct rt_facts {
	char *lines;            /* as they were given; NULL: nothing is asked */
	struct rt_glob *values; /* of each */
	size_t count;
};

struct rt_match {
	const struct rt_matcher *given[RT_MATCHERS + 1]; /* and a NULL */
	const char *noun; /* what can meet them, as messages call it */
	char *method;     /* NULL: any */
	struct rt_glob path;
	struct rt_pairs query;
	char *fields;
	struct rt_contained contains;
	char *absent;
	char *body;
	size_t body_size;
	struct rt_body_part body_has;
	char *body_begins;
	struct rt_glob body_glob;
	char *in;
	struct rt_pairs form;
	struct rt_pairs file;
	struct rt_json json;
	struct rt_json json_has;
	struct rt_patterns path_patterns;
	struct rt_patterns field_patterns;
	struct rt_patterns body_patterns;
	struct rt_logins logins;
	struct rt_facts tls;
	const int *refused; /* this, or NULL: it does not matter */
	int refused_with;   /* a status, or RETORT_ANY */
	char *nth;          /* as it was given, */
	uint64_t nth_from;  /* and these numbers */
	uint64_t nth_to;
	const enum retort_protocol *protocol; /* this; NULL: any */
	enum retort_protocol protocol_is;
	struct rt_glob tunnel;
	bool nocase;
	retort_predicate *predicate;
	void *predicate_arg;
};

/* Everything about one condition: a row of the table in match.c. */
struct rt_matcher {
	size_t given;    /* the member that is not NULL when it is given */
	unsigned weight; /* when it is met; people look at the greater first */
	bool presumed;   /* where it is not given a predicate may ask for it */
	bool reads_body; /* its time may depend on the size of the body */
	/* 0 or -errno, with a line in `error`; NULL: another row reads it */
	int (*read)(struct rt_match *match, const struct retort_requests *when,
		char *error);
	/* frees what begins with that member; NULL: it is a text */
	void (*free)(void *member);
	bool (*fits)(const struct rt_match *match,
		const struct retort_exchange *seen);
	/* how near it is when it is not met, worth less; NULL: not at all */
	unsigned (*near)(const struct rt_match *match,
		const struct retort_exchange *seen);
	/* what differs, where `whose` is "rule 2" */
	void (*say)(const struct rt_match *match,
		const struct retort_exchange *seen, const char *whose,
		struct rt_buf *to);
	/* the condition itself; NULL: `called`, if that is not NULL either, and
	   that member as text, whole or line by line */
	void (*describe)(const struct rt_match *match, struct rt_buf *to);
	const char *called;
	bool by_line;
};

extern const struct rt_matcher rt_match_method, rt_match_path, rt_match_query;
extern const struct rt_matcher rt_match_field, rt_match_contains,
	rt_match_absent;
extern const struct rt_matcher rt_match_body, rt_match_body_has,
	rt_match_body_begins, rt_match_body_glob;
extern const struct rt_matcher rt_match_in;
extern const struct rt_matcher rt_match_form, rt_match_file;
extern const struct rt_matcher rt_match_json, rt_match_json_has;
extern const struct rt_matcher rt_match_path_regex, rt_match_field_regex,
	rt_match_body_regex;
extern const struct rt_matcher rt_match_refused;
extern const struct rt_matcher rt_match_nth;
extern const struct rt_matcher rt_match_login;
extern const struct rt_matcher rt_match_tls;
extern const struct rt_matcher rt_match_protocol, rt_match_tunnel;

/* Whether a server of that protocol can have such requests. 0 or -EINVAL. */
int rt_match_check_protocol(const struct retort_requests *when,
	enum retort_protocol protocol, char *error);

/* Copies bytes, which a NUL follows, or a text, which may be NULL. 0 or
   -ENOMEM. */
static inline int
rt_match_copy_bytes(char **to, const char *bytes, size_t size)
{
	*to = malloc(size + 1);
	if (*to == NULL)
		return -ENOMEM;
	memcpy(*to, bytes, size);
	(*to)[size] = '\0';
	return 0;
}

static inline int
rt_match_copy(char **to, const char *text)
{
	return text ? rt_match_copy_bytes(to, text, strlen(text)) : 0;
}

/* Bytes of the rule's path that the request's has, too. */
size_t rt_match_common(const struct rt_match *match,
	const struct retort_exchange *seen);

/* Bytes at the beginning of the body that are as wanted, but for case. */
size_t rt_match_common_body(const struct rt_match *match,
	const struct retort_exchange *seen);

/* Whether they are the same, with the case as the match wants it. */
static inline bool
rt_match_same(const struct rt_match *match, const char *a, size_t a_size,
	const char *b, size_t b_size)
{
	if (a_size != b_size || a_size == 0)
		return a_size == b_size;
	if (!match->nocase)
		return memcmp(a, b, a_size) == 0;
	for (size_t i = 0; i < a_size; i++)
		if (rt_fold(a[i]) != rt_fold(b[i]))
			return false;
	return true;
}

/* Frees of conditions. */
static inline void
rt_match_free_glob(void *glob)
{
	rt_glob_free(glob);
}

static inline void
rt_match_free_nothing(void *member)
{
	(void)member;
}

/* The request line in words: "POST /users", or "any request". */
void rt_match_describe_request(const struct rt_match *match, struct rt_buf *to);

/* Whether a field of the line's name arrived; and which values did, in
   words. */
bool rt_match_came(const struct rt_line *line,
	const struct retort_exchange *seen);
void rt_match_add_came(struct rt_buf *to, const struct rt_line *line,
	const struct retort_exchange *seen);

/* Why there may be more to a body: that not all of it was kept. */
void rt_match_add_kept(struct rt_buf *to, const struct retort_exchange *seen);

/* At most this many bytes that differ are shown. */
#define RT_MATCH_SHOWN 200

static inline void
rt_match_add_quoted(struct rt_buf *to, const void *bytes, size_t size)
{
	rt_text_quote(to, bytes, size, RT_MATCH_SHOWN);
}

#endif
