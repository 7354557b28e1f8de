/* SPDX-License-Identifier: MIT */
/*
 * Which answer a request gets: that of the first rule that fits and is not used
 * up. The last rule fits all requests, and is the fallback. If there is none,
 * the answer is 501; without HTTP, the connection's end.
 */
#ifndef RT_ROUTE_H
#define RT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "canned/canned.h"
#include "http/http.h"
#include "match/match.h"
#include "match/state.h"
#include "reply/reply.h"
#include "retort.h"
#include "site/site.h"

/* Bytes of the longest body that a request may have by default, where only
   files answer. */
#define RT_DEFAULT_BODY (1u << 20)

struct rt_rule {
	uint64_t id;  /* never used again, unlike its number; 0: no rule */
	char *origin; /* where it was given: "FILE:LINE"; NULL */

	/* what it answers */
	enum retort_protocol protocol;
	bool accepted;          /* accepted connections, not requests */
	bool refused;           /* refused requests, not others */
	struct rt_match *match; /* NULL: all fit, as they do the last one */
	uint64_t conditions;    /* a hash of them */
	int prefer;             /* its rank */
	unsigned times;         /* how often; 0: always */
	unsigned used;

	/* and how */
	struct rt_canned *canned;
	bool files;              /* the site answers */
	retort_handler *handler; /* or NULL */
	void *handler_arg;
	unsigned spared; /* its first answers, which have no faults */
	char *then_in;   /* the states that it sets; NULL */
};

struct rt_route {
	struct rt_rule *rules;
	size_t rule_count;
	size_t rule_room;
	struct rt_rule fallback; /* of `canned` NULL: there is none */
	struct rt_site *site;    /* what rules for files serve; NULL: none */
	struct rt_states states;
	uint64_t last_id;
	unsigned malformed; /* rules that were not added */
	char *mistake;      /* what is wrong with the first of them */

	/* the server's */
	enum retort_protocol protocol; /* of connections, at first */
	const char **hosts;            /* NULL-terminated; NULL: all */
	struct rt_always always;       /* fields of all replies */
	bool cors;         /* preflights that no rule answers get 204 */
	uint64_t max_body; /* 0: RT_DEFAULT_BODY for files, else none */
	bool keep;         /* bodies are also kept for records */
	bool kept;         /* connections are, from one request to the next */
	uint64_t seed;     /* of faults by chance */
	bool tls;          /* connections begin with TLS */
	bool tls_later;    /* TLS can begin after a reply */
	bool unix_bound;   /* there may be connections that cannot be reset */

	/* true of at least one rule */
	bool looks;     /* it is in the list, or fills in parts of requests */
	int highest;    /* its rank; none has a higher one */
	bool in_states; /* it sets a state */
	bool reads;     /* it says how requests are read */
	bool keeps;     /* it may keep its connection */
	bool refused;   /* it is for refused requests */
	bool greets;    /* it answers accepted connections */
};

/* A request to be answered; or a connection to be greeted. */
struct rt_asked {
	const struct rt_request *request;
	const char *base;
	size_t size; /* bytes of the request at `base`, as far as it is kept */
	bool cut;    /* there was more of it */
	const char *date;
	int64_t now;                        /* `date`, as seconds since 1970 */
	const struct retort_exchange *seen; /* needed by rules and fills */
	uint64_t connection;
	uint64_t nth;                  /* exchange on it */
	rt_place *place;               /* the state of the connection */
	enum retort_protocol protocol; /* of the answer; greetings are bytes */
	bool greeting;  /* there is no request: a connection was accepted */
	bool refused;   /* the request is refused, unless a rule answers it */
	bool early;     /* more of its body can be read, */
	uint64_t shown; /* and these bytes of it are known */
	/* the result */
	uint64_t wanted;   /* RT_MORE: this many bytes of the body; 0: all */
	int rule;          /* the rule that answered, from 1; 0: none */
	uint64_t rule_id;  /* and its id; or, of a handler whose reply comes
	                      only now, that one's */
	struct rt_buf why; /* nothing answers it because; or the handler's
	                      error. The caller's */
};

enum rt_outcome {
	RT_ANSWERED, /* the reply is made */
	RT_AGAIN,    /* a slice of the work is done: ask again, with the reply
	                as it is */
	RT_LATER,    /* a handler will answer later */
	RT_REFUSED,  /* no rule answers this refused request */
	RT_MORE      /* a handler wants the next piece, or more of the
	                request, before it answers */
};

/* Whether a Host field can name each of these lines (NULL: none). 0, or -EINVAL
   with `error`. */
int rt_route_check_hosts(const char *hosts, char *error);

/* `hosts` are lines; NULL: all. 0 or -ENOMEM. */
int rt_route_init(struct rt_route *route, enum retort_protocol protocol,
	const char *hosts, uint64_t max_body, bool keep);
void rt_route_free(struct rt_route *route);

/* Sets the fields of all replies, which are copied, and those of `cors` that
   neither text names. Call this before anything answers. 0, or -errno with a
   line in `error`. */
int rt_route_set_always(struct rt_route *route, const char *fields,
	const char *omit, bool cors, char *error);

/* The protocol of a rule's reply: a greeting is bytes, whatever the rest
   of the connection is. */
enum retort_protocol rt_route_protocol(const struct rt_route *route,
	const struct retort_reply *given);

/* Whether `next` of the reply is possible. 0, or -EINVAL with `error`. */
int rt_route_check_next(const struct rt_route *route,
	const struct retort_reply *given, char *error);

/* Adds a rule: its number, or -errno with `error`. */
int rt_route_add(struct rt_route *route, const struct retort_reply *given,
	struct rt_error *error);

/* Notes that rule `number` was given at `origin`, "FILE:LINE", whose folders
   are not shown in messages. 0 or -ENOMEM. */
int rt_route_name(struct rt_route *route, int number, const char *origin);

/* The number that the rule of that id has now; 0: it was forgotten. */
size_t rt_route_number(const struct rt_route *route, uint64_t id);

/* Adds the name of rule `number` in messages: "FILE:LINE", or "rule N". */
void rt_route_say(const struct rt_route *route, size_t number,
	struct rt_buf *to);

/* Whether a rule may have been meant for such a request. One for refused
   requests may have been meant for a request that was not refused. */
static inline bool
rt_rule_may_be_meant(const struct rt_rule *rule, enum retort_protocol protocol,
	bool greeting, bool refused)
{
	return rule->protocol == protocol && rule->accepted == greeting &&
		(rule->refused || !refused);
}

/* Whether a connection of HTTP has one request, and what messages say then. */
static inline bool
rt_route_keeps_none(const struct rt_route *route)
{
	return route->protocol == RETORT_HTTP && !route->kept && !route->keeps;
}
#define RT_ROUTE_KEEPS_NONE \
	"without @next or keep-alive (.keep_alive, --keep-alive), a " \
	"connection has one request"

/* The part of an origin that messages show. */
const char *rt_origin_shown(const char *origin);

/* Whether that is an origin in FILE, folders included; NULL: it is none. */
bool rt_origin_is_of(const char *origin, const char *file);

/* Forgets the states that only rules of that file set, to make room for those
   of its new rules; `places`: also those of connections, as none is in one. */
void rt_route_forget_states(struct rt_route *route, const char *file,
	bool places);

/* Has the rules after the first `count` replace those before them that came
   from that file. A rule with the conditions and the rank of one that it
   replaces takes over its count. */
void rt_route_replace(struct rt_route *route, size_t count, const char *file);

/* Notes that a rule was not added, for requests that nothing answers. */
void rt_route_miss(struct rt_route *route, const char *request,
	const char *error);

/* Forgets all rules, mistakes and states; no connection may be in a state any
   more. */
void rt_route_clear(struct rt_route *route);

/* Forgets the rules after the first `count`. */
void rt_route_clear_after(struct rt_route *route, size_t count);

/* Gives the fallback these faults, except for its first `spared` replies from
   now on. 0, or -errno with `error`. */
int rt_route_spoil(struct rt_route *route, const char *faults, unsigned spared,
	struct rt_error *error);

/* Measures the fallback, on a connection that is kept or not: its bytes up to
   the end of the head, and all of them. Adds the first of them to `bytes`, as
   far as there is room. 0, or -errno with a line in `error`: there is no
   fallback, or it depends on the request. */
int rt_route_measure(const struct rt_route *route, bool kept, uint64_t *head,
	uint64_t *whole, struct rt_buf *bytes, char *error);

/* Sets the fallback, a reply or files. 0, or -errno with `error`. */
int rt_route_set_reply(struct rt_route *route, const struct retort_reply *reply,
	struct rt_error *error);
int rt_route_set_files(struct rt_route *route, const char *root,
	const struct retort_files *files, struct rt_error *error);

/* The faults of the answer to a head, if they change how the request is read;
   NULL: they do not. */
const struct rt_faults *rt_route_reading(const struct rt_route *route,
	const struct retort_exchange *seen);

/* Whether the fallback needs a request in full, as rules do. */
static inline bool
rt_route_fills(const struct rt_route *route)
{
	return route->fallback.canned != NULL &&
		route->fallback.canned->fills != NULL;
}

/* Whether `hosts` has the host of a request, which may have a port. */
bool rt_route_has_host(const struct rt_route *route, const char *base,
	struct rt_span host);

/* Whether it is served here. */
static inline bool
rt_route_serves(const struct rt_route *route, const char *base,
	struct rt_span host)
{
	return route->hosts == NULL || rt_route_has_host(route, base, host);
}

/* The needs of an answer for the body of its request. */
struct rt_wanted {
	uint64_t max; /* bytes that it may have */
	bool keep;    /* it is kept with the head */
	bool none;    /* the answer is the same without it, and need not wait */
};

/* What is wanted of the body of a request, by its head. */
struct rt_wanted rt_route_wants(const struct rt_route *route,
	const struct rt_request *request);

/*
 * Answers a whole request. The reply may borrow from asked->base, and from what
 * it owns.
 */
enum rt_outcome rt_route_answer(struct rt_route *route, struct rt_asked *asked,
	struct rt_reply *reply);

/* Answers a request with this reply, which is checked, and copied as far as
   necessary. 0, or -errno with a line in `error`. */
int rt_route_answer_with(const struct rt_route *route,
	const struct retort_reply *as, struct rt_asked *asked,
	struct rt_reply *reply, char *error);

#endif
