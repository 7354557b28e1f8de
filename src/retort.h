/* SPDX-License-Identifier: MIT */
/*
 * retort: a minimal HTTP/1.x responder, and a fixture server for tests.
 *
 * One request per connection: read it, answer it, close. retort(3) tells more
 * about each function, with examples.
 *
 * Errors are 0 or -errno; getters that return a pointer return NULL. The
 * library never prints, exits, raises a signal, keeps a global, or touches
 * the caller's signal mask, locale, umask or working directory. Every
 * descriptor is close-on-exec.
 *
 * Every function may be called from any thread, retort_wake() also from a
 * signal handler; but a server of retort_open() is stepped, waited for,
 * adopted to, refused and stopped by one thread at a time. Callbacks run on
 * the server's thread, or in the call that steps it; predicates given to
 * retort_count(), retort_wait() and retort_expect() run in the caller's. While
 * one runs, every other call for the server waits. Within a callback what
 * waits fails at once (-EDEADLK, NULL, false), retort_stop() is obeyed after
 * it, retort_reset() does nothing, and retort_close() must not be called.
 *
 * A server belongs to the process that has opened it. In a fork of that,
 * retort_url(), retort_port() and retort_listener() say where it is,
 * retort_close() closes descriptors and nothing else, and all else does
 * nothing: -EPERM, NULL, false, 0, or a verdict that says so. The parent's
 * server goes on.
 *
 * Options, rules and replies are open structs whose zero value is the default.
 * They grow only at their end. Each call takes the caller's sizeof (the
 * functions and macros that are defined here pass it): bytes that an older
 * caller does not know are taken as zero, and bytes that an older library does
 * not know must be zero, or the call fails with -E2BIG. What they point at
 * needs to last only as long as the call, unless a member says otherwise.
 */
#ifndef RETORT_H
#define RETORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RETORT_API __attribute__((visibility("default")))
#else
#define RETORT_API
#endif

/* Arguments that may be left out: their values, in C++ and in C. */
#ifdef __cplusplus
#define RETORT_OR(value) = value
#else
#define RETORT_OR(value)
#define RETORT_TWO(first, second, ...) first, second
#endif

/* A server. */
struct retort;

struct pollfd; /* <poll.h> */

/* Room for an error text and its NUL: "bind 127.0.0.1:80: ..." */
#define RETORT_ERROR_SIZE 256

/* What a server speaks. */
enum retort_protocol {
	RETORT_HTTP,
	RETORT_TCP, /* bytes on TCP, or on a Unix stream socket */
	RETORT_UDP  /* datagrams by UDP, or on a Unix datagram socket */
};

/* --- what came in --- */

/* A field of a request or of its trailers, as it came. */
struct retort_field {
	const char *name;
	const char *value; /* without white space around it */
};

/* How an exchange, and with it its connection, ended. */
enum retort_end {
	RETORT_OPEN,      /* it has not */
	RETORT_ANSWERED,  /* the whole reply was sent, then closed */
	RETORT_CLOSED,    /* the client closed before sending a byte */
	RETORT_RESET,     /* the client reset the connection, or left early */
	RETORT_TIMED_OUT, /* the client was too slow to take the reply, or
	                     never sent a byte */
	RETORT_STOPPED,   /* ended by the server's stop, or by `requests` */
	RETORT_TRUNCATED, /* the file became shorter than was promised */
	RETORT_FAILED,    /* out of memory or descriptors, a file could not be
	                     read, or a datagram is too long to be sent */
	RETORT_UNANSWERED /* a datagram that got no answer */
};

/* What one side of a connection did to it. */
enum retort_ending { RETORT_NOTHING, RETORT_FIN, RETORT_RST };

/*
 * One exchange: a connection, the request on it, and its reply.
 *
 * With RETORT_TCP a piece is the request: the bytes that one read gave, at
 * most 64 KiB. It is `body` and `raw`, its first line is `request`, and what
 * HTTP has beside these is empty; the pieces of a connection share its end.
 * With RETORT_UDP a datagram is, and each is a connection of its own.
 *
 * As a record, it and all it points at live until retort_reset() or
 * retort_close(). Members marked (end) are set when the connection ends, and
 * are to be read after retort_wait_end() only; so is status, when its reply
 * comes later. In a callback it is valid during the call, and holds what is
 * known by then; an event function is given no members from `method` to
 * `requested`.
 */
struct retort_exchange {
	uint64_t connection; /* number of the connection, from 1 */
	const char *client;  /* "127.0.0.1:51234", "[::1]:51234", "unix" */
	const char *request; /* the request line as it came, or as far as it
	                        came; not terminated; may hold any byte */
	size_t request_size;
	int status;          /* of the reply, or 0: none was begun */
	enum retort_end end; /* (end) */
	uint64_t received;   /* (end) bytes, as they came */
	uint64_t sent;       /* (end) bytes, the reply's head among them */
	uint64_t sent_body;  /* (end) those of `sent` that follow the head */
	int64_t began;       /* when accepted: ns since the epoch */
	int64_t duration;    /* (end) ns from accept to close, or until now */

	/* the request; strings are terminated, and NULL or empty where it did
	   not come so far */
	const char *method;
	const char *target; /* as it came */
	const char *path;   /* of the target, percent-decoded, dot segments and
	                       all; NULL if it has none or decodes to a NUL */
	const char *query;  /* of the target, behind "?"; NULL: none */
	int minor;          /* HTTP/1.minor */
	const struct retort_field *fields; /* in order and case */
	size_t field_count;
	const void *body; /* out of its chunks; followed by a NUL */
	size_t body_size; /* less than `body_total` when not all is kept */
	const struct retort_field *trailers;
	size_t trailer_count;
	const void *raw; /* the bytes as they came, up to the request's end */
	size_t raw_size;
	bool complete;      /* it came whole */
	int refused;        /* the status that refused it; 0: it was welcome */
	const char *reason; /* why it was refused, or is not complete; NULL */
	int rule;           /* the rule that answered it, from 1; 0: none */
	int64_t requested;  /* ns from accept until it was complete */
	enum retort_ending client_close; /* (end) what the client did */
	enum retort_ending server_close; /* (end) what the server did */
	bool client_first; /* (end) the client was the first of the two */
	enum retort_protocol protocol;
	uint64_t piece; /* RETORT_TCP, _UDP: its number on the connection, from
	                   1; in RETORT_ON_END the last one's */
	bool truncated; /* the datagram was longer than `body` */
	/* These three, too, are 0 or NULL until the reply is there, where the
	   handler said RETORT_LATER. */
	const char *faults; /* what was wrong with its reply, as text; NULL */
	bool by_chance;     /* the faults, or their absence, were drawn ... */
	uint64_t seed;      /* from this and `connection` */
	/* the first field of that name; not terminated; NULL: none came */
	const char *referer;
	size_t referer_size;
	const char *user_agent;
	size_t user_agent_size;
	uint64_t body_total; /* bytes of the body that came; `body` and `raw`
	                        may be its beginning: see `max_body` */
	bool still_sending;  /* (end) the whole reply was sent, but the client
	                       sent more than is read after it, and may have
	                       found a reset connection in its place */
};

/* The n-th value of that field (compared without case), from 0; or NULL. */
RETORT_API const char *retort_field_of(const struct retort_exchange *exchange,
	const char *name, size_t n);

/* --- life --- */

/* What an event callback is told. */
enum retort_event {
	RETORT_ON_HEAD, /* a request's head is complete or was refused: its
	                   bytes */
	RETORT_ON_BODY, /* more bytes came after the head: as they came */
	RETORT_ON_END,  /* the exchange is over; no bytes */
	RETORT_ON_PIECE /* RETORT_TCP, _UDP: a piece or datagram came: it */
};

typedef void retort_event_fn(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size);

/* How the server waits. */
enum retort_io {
	RETORT_IO_BEST, /* epoll where there is one */
	RETORT_IO_EPOLL,
	RETORT_IO_POLL
};

/* A server's options. */
struct retort_options {
	const void *reserved; /* NULL: the macros begin with it */

	/* Where. Each of: 127.0.0.1 ::1 localhost unix:PATH fd:N, the first
	   three with an optional :PORT ([::1]:PORT). localhost is 127.0.0.1
	   and ::1 on one port, or the one of them that the machine has. Names
	   are never looked up. NULL-terminated, and may be empty
	   (retort_adopt()); NULL: 127.0.0.1. Of fd:N, which is taken on
	   success only, O_NONBLOCK and FD_CLOEXEC may be set all the same. */
	const char *const *bind;
	int port; /* of addresses that name none; 0: any free one, shared */
	bool defer_accept; /* TCP_DEFER_ACCEPT, 1 s: a connection is invisible
	                      until it sends, and costs less; not on fd:N */
	enum retort_io io;
	bool sigpipe_ignored; /* the caller ignores SIGPIPE: sendfile(2) may be
	                         used, which cannot be told not to raise it */

	/* Limits. 0 stands for the default. */
	size_t max_target; /* bytes of a request target (8 KiB): 414 */
	size_t max_head;   /* bytes of a request's head (64 KiB): 431 */
	size_t max_fields; /* fields in a head (100): 431 */
	uint64_t max_body; /* bytes of a request's body: 413; UINT64_MAX: none.
	                      Default: 1 MiB where files alone answer, else
	                      none, and so many bytes, or 8 MiB, are kept of
	                      it */

	/* Time-outs in ms; 0: none. */
	int head_timeout;  /* from accept to the end of the head: 408 */
	int body_timeout;  /* without a byte of the body: 408 */
	int write_timeout; /* without a byte of the reply being taken */

	uint64_t requests; /* stop when retort_replies() is this; 0: never */

	/* Hosts that are answered; any other Host gets 421. Compared without
	   case and without port. NULL-terminated; NULL: all. */
	const char *const *hosts;

	retort_event_fn *event; /* or NULL */
	void *event_arg;

	bool unrecorded;    /* keep no records: no waits, counts, verdicts */
	size_t max_records; /* bytes of memory for records, and for bodies under
	                       way beyond the first 64 KiB of each (64 MiB):
	                       once they are used up, requests are answered
	                       still, but not recorded, or in part, and
	                       retort_verdict() says so */
	bool refusing;      /* begin with retort_refuse(server, true) */

	enum retort_protocol protocol;
	int idle_timeout; /* RETORT_TCP: ms without a piece, then the connection
	                     is closed; 0: none */
	int socket_mode;  /* permissions of the files of Unix sockets, such as
	                     0660; 0: as the umask has them */

	/* Of every reply whose head the server makes: of rules and files,
	   refusals and errors. A field that the reply has or omits itself
	   is not touched, and nothing is added to one that is `raw`. By
	   "Transfer-Encoding: chunked" bodies are framed in one chunk. */
	const char *fields; /* lines "Name: value" */
	const char *omit;   /* lines "Name": what is not sent */

	uint64_t seed; /* of faults by chance: what a connection gets is a pure
	                  function of their text, this, and its number. 0: one
	                  is drawn, which retort_exchange.seed tells */
	char *error;   /* room for RETORT_ERROR_SIZE bytes: why not; or NULL */
};

/*
 * Creates a server that runs on a thread of its own, which blocks every
 * signal; it listens when this returns. NULL with a line in `error` (of
 * RETORT_ERROR_SIZE bytes, or NULL) and errno set: EINVAL, a malformed
 * address or a limit out of range; E2BIG; ENOMEM, EMFILE, ENFILE, EAGAIN;
 * ENOTSUP, no such back end; anything else says why it could not bind or
 * listen. `options` may be NULL. End it with
 * retort_done() or retort_close().
 */
RETORT_API struct retort *
retort_start_sized(const struct retort_options *options, size_t size,
	char *error);
static inline struct retort *
retort_start_with(const struct retort_options *options, char *error)
{
	return retort_start_sized(options, sizeof *options, error);
}
#ifndef __cplusplus
#define retort_start(...) \
	retort_start_sized(&(const struct retort_options){.reserved = NULL, \
				   __VA_ARGS__}, \
		sizeof(struct retort_options), NULL)
#endif

/* The same without a thread: the caller runs it by retort_step(). */
RETORT_API struct retort *
retort_open_sized(const struct retort_options *options, size_t size,
	char *error);
static inline struct retort *
retort_open_with(const struct retort_options *options, char *error)
{
	return retort_open_sized(options, sizeof *options, error);
}
#ifndef __cplusplus
#define retort_open(...) \
	retort_open_sized(&(const struct retort_options){.reserved = NULL, \
				  __VA_ARGS__}, \
		sizeof(struct retort_options), NULL)
#endif

/*
 * Waits at most `timeout` ms (-1: for ever) until something happens, does
 * what can be done without waiting, and returns 0; 1 once the server has
 * stopped; or -errno (-EDEADLK: it has a thread of its own). A client in the
 * same thread that blocks waits for itself: use retort_start(), or a client
 * that can be stepped too.
 */
RETORT_API int retort_step(struct retort *server, int timeout);

/*
 * For an event loop of the caller's: what to wait for before
 * retort_step(server, 0). Fills at most `room` of `fds` and returns how many
 * there are, which may be more than `room`; *timeout is the ms after which it
 * must be stepped in any case, -1 for never. To be asked again after each
 * step.
 */
RETORT_API size_t retort_pollfds(struct retort *server, struct pollfd *fds,
	size_t room, int *timeout);

/*
 * One descriptor, the server's own, that polls readable whenever it should be
 * stepped, deadlines among it; the same for its whole life. -ENOTSUP with
 * RETORT_IO_POLL.
 */
RETORT_API int retort_fd(struct retort *server);

/* Makes a retort_step() that waits return. From any thread or handler. */
RETORT_API void retort_wake(struct retort *server);

/*
 * Serves a stream socket that is connected already, one end of
 * socketpair(2), say. Taken on success: 0 or -errno; -EPROTOTYPE with
 * RETORT_UDP, or when it is another kind of socket.
 */
RETORT_API int retort_adopt(struct retort *server, int fd);

/*
 * From now on connections are refused (ECONNREFUSED), or accepted again. The
 * ports stay the server's own in the meantime. For TCP listeners that the
 * server bound itself; -ENOTSUP when there are others. 0 or -errno.
 */
RETORT_API int retort_refuse(struct retort *server, bool refuse);

/*
 * Begins to stop: accepts what is queued once more, closes the listeners,
 * ends at once every connection that has not sent its request or is paused,
 * and gives the others at most `grace` ms. retort_step() returns 1 when the
 * last is gone. A second call may only shorten the time.
 */
RETORT_API void retort_stop(struct retort *server, int grace RETORT_OR(0));
#ifndef __cplusplus
#define retort_stop(...) retort_stop(RETORT_TWO(__VA_ARGS__, 0, ))
#endif

/*
 * retort_stop(), and waits until the server has stopped, for `grace` ms (-1:
 * 100) and not much longer. Returns NULL, or one line for each connection that
 * had to be cut off: which, and what it was about to do; and one if the server
 * has ended by itself because the system failed it, which the verdict tells,
 * too. Valid until retort_close().
 */
RETORT_API const char *retort_finish(struct retort *server, int grace);

/* Ends everything at once and frees the server, and says nothing of what was
   expected: see retort_done(). NULL is allowed. */
RETORT_API void retort_close(struct retort *server);

/*
 * The URL of the first listener, "http://127.0.0.1:43121/", or with a path
 * "http://127.0.0.1:43121/file", whether or not that begins with a slash. On a
 * Unix socket it is "unix:/path", and with a path "http://localhost/file", as
 * curl's --unix-socket wants it. NULL: there is no listener, or no memory, or
 * the server speaks no HTTP and has no paths. Valid until retort_close().
 */
RETORT_API const char *retort_url(struct retort *server,
	const char *path RETORT_OR(NULL));
#ifndef __cplusplus
#define retort_url(...) retort_url(RETORT_TWO(__VA_ARGS__, NULL, ))
#endif

/* The i-th listener's TCP port; 0 for others; -1 past the last. */
RETORT_API int retort_port(const struct retort *server, size_t i RETORT_OR(0));
#ifndef __cplusplus
#define retort_port(...) retort_port(RETORT_TWO(__VA_ARGS__, 0, ))
#endif

/*
 * One listener: IPv4 come first, then IPv6, then the others. Both of localhost
 * have the same URL, "http://localhost:43121/".
 */
struct retort_listener {
	const char *url; /* valid until retort_close(); NULL past the last */
	int port;        /* TCP or UDP; 0 for others; -1 past the last */
	int fd;          /* the server's own; -1: it does not listen */
	bool local;      /* it can be reached from this machine only */
};
RETORT_API void retort_listener_sized(struct retort *server, size_t i,
	struct retort_listener *listener, size_t size);
static inline struct retort_listener
retort_listener(struct retort *server, size_t i)
{
	struct retort_listener listener;

	retort_listener_sized(server, i, &listener, sizeof listener);
	return listener;
}

/* Final replies begun so far, 408s not among them; with RETORT_TCP,
   connections that have ended after one piece or more, and with RETORT_UDP
   datagrams that might be answered. */
RETORT_API uint64_t retort_replies(struct retort *server);

/* --- what is answered --- */

/* A condition of a rule's own: whether the request fits. */
typedef bool retort_predicate(void *arg,
	const struct retort_exchange *exchange);

/* For body_size, of bytes that may be none: 0 would stand for strlen(body),
   which reads on where there is no NUL. */
static inline size_t
retort_size(size_t size)
{
	return size > 0 ? size : (size_t)-1;
}

/*
 * Which requests: `request` and the members that begin with if_. All that are
 * given must fit; where none is, every request does. A condition that no
 * request can meet is malformed.
 *
 * `request` is "METHOD TARGET", or either alone (a target begins with "/" or
 * "*"): "GET /users/1", "POST", "/users/<any>" with an asterisk for <any>,
 * "GET /search?q=a&lang=en". The method fits exactly; "*" fits any. The path
 * is compared with the target's by what it means: a byte is the same whether it
 * is percent-encoded or not, but "%2F" is not "/"; dot segments stay. An
 * asterisk in it stands for any bytes, none and slashes among them. Each
 * parameter after "?" must be among those of the request, in any order, and
 * others may be; "%26", "%3D" and "%2B" are not "&", "=" and "+". Without "?"
 * the query does not matter.
 *
 * These are asked of what came, by retort_count(), retort_wait() and
 * retort_expect(); retort_on() takes the same conditions of a struct
 * retort_reply.
 */
struct retort_requests {
	struct retort *server;
	const char *request;

	/* retort_wait() and retort_expect(): how many */
	size_t times;

	/* retort_wait() */
	int timeout; /* ms; 0: 10 seconds; -1: for ever */

	/* retort_expect(): another number than `times` */
	size_t least;
	size_t most;
	bool never; /* none at all */

	const char *if_field;    /* lines "Name: value": a field of that name
	                            has this value, exactly */
	const char *if_contains; /* lines "Name: text": or has this in it */
	const char *if_absent;   /* lines "Name": no field of that name */
	const void *if_body;     /* exactly this body */
	size_t if_body_size;     /* 0: strlen(if_body); retort_size(n): n */
	const char *if_body_has; /* a body with this text in it */
	retort_predicate *if_predicate;
	void *if_predicate_arg;
	bool if_nocase; /* values of fields and bodies are compared without the
	                   case of ASCII letters */
};

struct retort_reply;

/*
 * Makes the reply of a rule from the request: fills `reply`, which holds the
 * rule's own to begin with, and returns 0. What it points at must last until
 * the handler is called again. RETORT_LATER: the reply will come by
 * retort_reply_later(). Any other value, and a reply that cannot be, is an
 * error of the handler: the client gets 500, and retort_verdict() tells.
 */
#define RETORT_LATER 1
typedef int retort_handler(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply);

/*
 * A reply; in retort_on(), a rule: a reply and the requests that get it, by
 * the conditions of struct retort_requests.
 */
struct retort_reply {
	struct retort *server; /* set by the macros */

	/* retort_on() only, as are `accepted` and `files` */
	const char *request;
	const char *if_field;
	const char *if_contains;
	const char *if_absent;
	const void *if_body;
	size_t if_body_size;
	const char *if_body_has;
	retort_predicate *if_predicate;
	void *if_predicate_arg;
	bool if_nocase;
	unsigned times; /* how often, then the rule does not fit any more; 0:
	                   always */
	retort_handler *handler;
	void *handler_arg;

	int status;          /* 200 to 999; 0: 200 */
	const char *reason;  /* NULL: the status' own; may be empty */
	const char *version; /* NULL: "HTTP/1.1" */
	const char *type;    /* Content-Type; NULL: text/plain; charset=utf-8
	                        if there is a body, otherwise none */
	const char *fields;  /* lines "Name: value", sent as they are; those of
	                        the same name that retort would send are not */
	const char *omit;    /* lines "Name": what retort would send and shall
	                        not: Date, Content-Length, Connection ... */

	const void *body;
	size_t body_size; /* 0: strlen(body); retort_size(n): n */
	bool borrowed;    /* the body is not copied: it outlives the server */
	const char *file; /* the body is this file, opened for each reply */
	uint64_t repeat;  /* the body again and again, up to so many bytes */
	bool echo;        /* the body is the request as it came */
	bool raw;         /* the body is the whole reply, head and all, to
	                     which nothing is added; only pause_head, pause_end
	                     and faults go with it */

	bool chunked;         /* Transfer-Encoding: chunked */
	const char *chunks;   /* "3 2": sizes of the first chunks; the rest is
	                         one chunk; chunked is implied */
	const char *trailers; /* lines "Name: value"; chunked is implied */
	const char *interim;  /* sent before the reply, as it is: whole replies
	                         of 1xx with their CRLFs */

	int pause_head;  /* ms before the head */
	int pause_body;  /* and between head and body */
	int pause_chunk; /* and between chunks */
	int pause_end;   /* and before the connection is closed */

	bool close;    /* RETORT_TCP: close after it, instead of waiting for the
	                  next piece */
	bool accepted; /* retort_on() only: for no request, but for a connection
	                  as soon as it is accepted, whatever the protocol; the
	                  reply is its body or file alone, and what
	                  the client sends is read after it. Of the conditions
	                  only a predicate goes with it. Not with `defer_accept`. */
	bool files;    /* retort_on() only: the files of retort_serve() answer,
	                  with the `fields` and `omit` of this rule; or the
	                  reply of retort_answer(); either with its `faults` */
	const char *faults; /* what is wrong with it: clauses of retort(5), such
	                       as "cut body 10 reset" or "cut any chance 5%";
	                       NULL: nothing. How
	                       the request is read is said in retort_on() or
	                       retort_answer(), not by a handler */
	char *error;        /* room for RETORT_ERROR_SIZE bytes: why it was not
	                       taken; or NULL */
};

/*
 * Adds a rule. Of the rules that fit a request and are not used up, the one
 * added first answers; when none does, the reply of retort_answer() does,
 * else the files of retort_serve(), else 501 with a text that names the
 * nearest rule and what was malformed. Returns the rule's number, from 1, or
 * -errno: -EINVAL, it is malformed, or no request can fit (retort_verdict()
 * says how), -ENOMEM, -E2BIG.
 *
 *	retort_on(server, "GET /users/1", .body = "{}", .times = 2);
 *
 * With RETORT_TCP and _UDP a rule answers a piece or datagram with the bytes
 * of its body, file or echo; a piece that none answers closes the connection.
 *
 *	retort_on(server, .body = "OK\r\n", .times = 1, .close = true);
 *	retort_on(server, .accepted = true, .body = "220 hello\r\n");
 */
RETORT_API int retort_on_sized(const struct retort_reply *rule, size_t size);
#ifndef __cplusplus
#define retort_on(...) \
	retort_on_sized(&(const struct retort_reply){.server = __VA_ARGS__}, \
		sizeof(struct retort_reply))
#endif

/*
 * Answers every request with `reply`, or with the files beneath a root. The
 * later call replaces the earlier one. 0 or -errno, with a line in `error` as
 * for retort_open(): -EINVAL, a malformed field, type or status;
 * -ENOMEM; or why `root` or its `spa` cannot be opened (-ENOTSUP: `root` is
 * neither a folder nor a regular file).
 */
RETORT_API int retort_answer_sized(struct retort *server,
	const struct retort_reply *reply, size_t size, char *error);
static inline int
retort_answer_with(struct retort *server, const struct retort_reply *reply,
	char *error)
{
	return retort_answer_sized(server, reply, sizeof *reply, error);
}
#ifndef __cplusplus
#define retort_answer(server, ...) \
	retort_answer_sized((server), \
		&(const struct retort_reply){__VA_ARGS__}, \
		sizeof(struct retort_reply), NULL)
#endif

/*
 * Reads rules and expectations from a scenario, whose text retort(5) explains:
 * from a file, or from `size` bytes that `name` is for messages. 0, or -errno
 * with a line "NAME:LINE:COLUMN: ..." in `error` (RETORT_ERROR_SIZE bytes, or
 * NULL) and nothing added: -EINVAL, malformed; -ENOMEM; or why the file, or one
 * that a rule names, cannot be read. Names of files in it are relative to its
 * own folder, and for text to the working folder.
 */
RETORT_API int retort_load(struct retort *server, const char *file,
	char *error);
RETORT_API int retort_load_text(struct retort *server, const char *name,
	const void *text, size_t size, char *error);

/* What loading has made right in pasted messages, a line each; NULL: nothing.
   Valid until the next load or retort_close(). */
RETORT_API const char *retort_notices(struct retort *server);

/*
 * The client of a sweep: talks to `url` once, and returns 1 if it took what it
 * got for success, 0 if not, and < 0 to end the sweep, which returns that.
 * `fault`: what is wrong with the reply, as a fault of retort(5); NULL:
 * nothing.
 */
typedef int retort_client(void *arg, const char *url, const char *fault);

/*
 * Has a client meet one reply in every way: cut at byte 0, 1, ... and ended by
 * a FIN, then by a RST; split in two at every byte; byte by byte. For a server
 * of retort_start() with a TCP listener; `reply`, which has a body of its own,
 * takes the place of that of retort_answer(); there must be no rules. Returns
 * how often the client was wrong: it took a part for the whole, or did not take
 * the whole; or -errno with a line in `error`, -ENOTCONN if the client did not
 * connect. Where it does not take the reply that is whole, nothing else is
 * tried. A report, to be freed by the caller, is left in *report, unless NULL.
 */
RETORT_API int retort_sweep_sized(struct retort *server,
	const struct retort_reply *reply, size_t size, retort_client *client,
	void *arg, char **report, char *error);
static inline int
retort_sweep(struct retort *server, const struct retort_reply *reply,
	retort_client *client, void *arg, char **report, char *error)
{
	return retort_sweep_sized(server, reply, sizeof *reply, client, arg,
		report, error);
}

/* The reply to a request whose handler said RETORT_LATER. -ENOENT: there is no
   such request, or its client has reset the connection. */
RETORT_API int retort_reply_later_sized(struct retort *server,
	uint64_t connection, const struct retort_reply *reply, size_t size);
static inline int
retort_reply_later(struct retort *server, uint64_t connection,
	const struct retort_reply *reply)
{
	return retort_reply_later_sized(server, connection, reply,
		sizeof *reply);
}

/* A file name extension, without its dot, and its media type. It may have dots
   within ("tar.gz"); "" is that of names without one. The longest that fits
   counts, and of the same the last. */
struct retort_type {
	const char *extension;
	const char *type;
};

/* How files are served. Everything is copied. */
struct retort_files {
	struct retort *server; /* these two are set by the macro */
	const char *root;

	bool dotfiles;      /* serve names that begin with a dot */
	const char *fields; /* as of retort_reply */
	const char *omit;
	const struct retort_type *types;
	size_t type_count;
	bool unlisted; /* a folder without index.html is 403, not a listing */
	bool precompressed; /* FILE.br, FILE.zst, FILE.gz stand for FILE where
	                       Accept-Encoding prefers them and they are not
	                       older */
	const char *spa;    /* file beneath the root that answers, with 200, GET
	                     and HEAD of paths that do not exist, if Accept
	                     names text/html; NULL: none */
	uint32_t max_age;   /* Cache-Control: max-age, seconds; 0: no-cache */
	bool follow_links;  /* links are followed wherever they lead; false:
	                       those that lead out of the root are 403 */
	bool html;          /* NAME.html answers NAME, where there is no file
	                       NAME; a folder comes after it */
	const char *prefix; /* "/app": the path that the root is at, to which /
	                       redirects; what is not beneath it is 404; NULL:
	                       "/" */
	const char *faults; /* as of retort_reply */
	char *error;        /* as of retort_reply */
};

RETORT_API int retort_serve_sized(struct retort *server, const char *root,
	const struct retort_files *files, size_t size, char *error);
RETORT_API int retort_serve_named(const struct retort_files *files,
	size_t size);
static inline int
retort_serve_with(struct retort *server, const char *root,
	const struct retort_files *files, char *error)
{
	return retort_serve_sized(server, root, files, sizeof *files, error);
}
#ifndef __cplusplus
#define retort_serve(...) \
	retort_serve_named(&(const struct retort_files){.server = \
								__VA_ARGS__}, \
		sizeof(struct retort_files))
#endif

/* --- what came --- */

/*
 * A request is recorded when it came whole, was refused, or broke off; a
 * connection without a byte is none. The n-th record, from 1; or NULL.
 */
RETORT_API const struct retort_exchange *retort_record(struct retort *server,
	size_t n);

/*
 * How many records fit. SIZE_MAX: a condition is malformed, which
 * retort_verdict() tells, too.
 *
 *	retort_count(server)
 *	retort_count(server, "POST /users", .if_body_has = "id=7")
 */
RETORT_API size_t retort_count_sized(const struct retort_requests *requests,
	size_t size);
#ifndef __cplusplus
#define retort_count(...) \
	retort_count_sized( \
		&(const struct retort_requests){.server = __VA_ARGS__}, \
		sizeof(struct retort_requests))
#endif

/*
 * Waits until so many requests that fit are recorded (`times`; 0: one), at most
 * `timeout` ms, and returns the last of them; or NULL. Without a thread of its
 * own, the server is stepped meanwhile.
 *
 *	retort_wait(server, "POST /users", .times = 2, .timeout = 1000)
 */
RETORT_API const struct retort_exchange *
retort_wait_sized(const struct retort_requests *requests, size_t size);
#ifndef __cplusplus
#define retort_wait(...) \
	retort_wait_sized( \
		&(const struct retort_requests){.server = __VA_ARGS__}, \
		sizeof(struct retort_requests))
#endif

/* Waits until the record's connection has ended; whether it has. */
RETORT_API bool retort_wait_end(struct retort *server,
	const struct retort_exchange *exchange, int timeout);

/* Waits until no connection is open; whether none is. */
RETORT_API bool retort_wait_quiet(struct retort *server, int timeout);

/* Connections that are open, and all that were accepted. */
RETORT_API size_t retort_connections(struct retort *server);
RETORT_API uint64_t retort_accepted(struct retort *server);

/* How often there was no descriptor left for another connection: each time
   counts once, until half of the connections are closed. They wait in the
   kernel's queue meanwhile. */
RETORT_API uint64_t retort_shortages(struct retort *server);

/*
 * A connection as text: time, direction, bytes and events, a line each, the
 * same for the same exchange but for times and ports. NULL: no such
 * connection was recorded, or no memory. To be freed by the caller.
 */
RETORT_API char *retort_transcript(struct retort *server, uint64_t connection);

/* --- whether it was right --- */

/*
 * Expects `times` requests that fit; or `least` or more, at most `most`, or
 * `least` to `most`; or `never` any; or, where none of these is given, one or
 * more. The number of the expectation, or -errno as for retort_on().
 *
 *	retort_expect(server, "POST /users", .times = 2);
 *	retort_expect(server, "DELETE", .never = true);
 */
RETORT_API int retort_expect_sized(const struct retort_requests *requests,
	size_t size);
#ifndef __cplusplus
#define retort_expect(...) \
	retort_expect_sized( \
		&(const struct retort_requests){.server = __VA_ARGS__}, \
		sizeof(struct retort_requests))
#endif

/* Expects a request that fits the first of these lines, after it one that fits
   the second, and so on; others may come between. */
RETORT_API int retort_expect_order(struct retort *server, const char *requests);

/* How many expectations there are, those of scenarios among them. */
RETORT_API size_t retort_expectations(struct retort *server);

/*
 * "" if everything was as expected: each expectation is met, each request
 * that came whole was answered by a rule, a reply or a file, none was refused,
 * and no rule was malformed. Or a text that says what was expected and what
 * came, with the nearest miss and the transcripts. Valid until the next call
 * or retort_close().
 */
RETORT_API const char *retort_verdict(struct retort *server);

/* Whether it is "". */
static inline bool
retort_ok(struct retort *server)
{
	return *retort_verdict(server) == '\0';
}

/*
 * The last call of a test: retort_finish(), retort_verdict() and
 * retort_close(). True if everything was as expected. Otherwise *wrong (unless
 * `wrong` is NULL) is the verdict, to be freed by the caller, or NULL for want
 * of memory; it is NULL, too, where nothing is wrong.
 */
RETORT_API bool retort_done(struct retort *server,
	char **wrong RETORT_OR(NULL));
#ifndef __cplusplus
#define retort_done(...) retort_done(RETORT_TWO(__VA_ARGS__, NULL, ))
#endif

/* Forgets records alone: all, with requests of which something came already; or
   those whose connections have ended. */
RETORT_API void retort_forget(struct retort *server);
RETORT_API void retort_forget_ended(struct retort *server);

/* Forgets rules, expectations, mistakes and records. What answers otherwise
   stays, and so do the counters. Open connections go on; a request of which
   something came already is not recorded, and gets no rule that is added
   later. */
RETORT_API void retort_reset(struct retort *server);

/* --- beside servers --- */

/* How an exchange is written as a line. */
enum retort_log {
	RETORT_LOG_SHORT,    /* for people */
	RETORT_LOG_COMMON,   /* Common Log Format */
	RETORT_LOG_JSON,     /* one object */
	RETORT_LOG_COMBINED, /* common, with Referer and User-Agent */
	RETORT_LOG_SCENARIO  /* a rule that does the same again, once */
};

/*
 * Writes one line (RETORT_LOG_SCENARIO: several) with its newline, and no NUL,
 * into `line`; never more than
 * `size` bytes, cutting the request line where it must (below 512 there is
 * no room for any of it). Nothing in it can forge a line or drive a terminal.
 * Returns its length.
 */
RETORT_API size_t retort_log_line(const struct retort_exchange *exchange,
	enum retort_log format, char *line, size_t size);

/* The media type of a file by its name: "text/html; charset=utf-8", or
   "application/octet-stream" if it says nothing. Static. */
RETORT_API const char *retort_type_of(const char *name);

/* The library's version, "0.1.0". */
RETORT_API const char *retort_version(void);

#ifdef __cplusplus
} /* extern "C" */

/*
 * The same calls in C++. Members follow as pairs:
 *
 *	retort_on(server, "GET /", &retort_reply::body, "hello",
 *		&retort_reply::times, 2u);
 *
 * or, in C++20, in braces: retort_on(server, "GET /", {.body = "hello"}).
 */
template <class Type> struct retort_same {
	typedef Type type;
};

template <class Struct>
inline void
retort_set(Struct &)
{
}

template <class Struct, class Type, class... Rest>
inline void
retort_set(Struct &to, Type Struct::*member,
	typename retort_same<Type>::type value, Rest... rest)
{
	to.*member = value;
	retort_set(to, rest...);
}

template <class... Members>
inline struct retort *
retort_start(Members... members)
{
	struct retort_options options = {};

	retort_set(options, members...);
	return retort_start_sized(&options, sizeof options, nullptr);
}

template <class... Members>
inline struct retort *
retort_open(Members... members)
{
	struct retort_options options = {};

	retort_set(options, members...);
	return retort_open_sized(&options, sizeof options, nullptr);
}

inline int
retort_on(struct retort *server, const char *request,
	struct retort_reply rule = {})
{
	rule.server = server;
	rule.request = request;
	return retort_on_sized(&rule, sizeof rule);
}

template <class Type, class... Rest>
inline int
retort_on(struct retort *server, const char *request,
	Type retort_reply::*member, typename retort_same<Type>::type value,
	Rest... rest)
{
	struct retort_reply rule = {};

	retort_set(rule, member, value, rest...);
	return retort_on(server, request, rule);
}

template <class... Members>
inline int
retort_answer(struct retort *server, Members... members)
{
	struct retort_reply reply = {};

	retort_set(reply, members...);
	return retort_answer_sized(server, &reply, sizeof reply, nullptr);
}

template <class... Members>
inline int
retort_serve(struct retort *server, const char *root, Members... members)
{
	struct retort_files files = {};

	retort_set(files, members...);
	return retort_serve_sized(server, root, &files, sizeof files, nullptr);
}

template <class... Members>
inline struct retort_requests
retort_requests_of(struct retort *server, const char *request,
	Members... members)
{
	struct retort_requests requests = {};

	requests.server = server;
	requests.request = request;
	retort_set(requests, members...);
	return requests;
}

template <class... Members>
inline size_t
retort_count(struct retort *server, const char *request = nullptr,
	Members... members)
{
	const struct retort_requests requests =
		retort_requests_of(server, request, members...);

	return retort_count_sized(&requests, sizeof requests);
}

template <class... Members>
inline const struct retort_exchange *
retort_wait(struct retort *server, const char *request = nullptr,
	Members... members)
{
	const struct retort_requests requests =
		retort_requests_of(server, request, members...);

	return retort_wait_sized(&requests, sizeof requests);
}

template <class... Members>
inline int
retort_expect(struct retort *server, const char *request, Members... members)
{
	const struct retort_requests requests =
		retort_requests_of(server, request, members...);

	return retort_expect_sized(&requests, sizeof requests);
}
#endif

#endif
