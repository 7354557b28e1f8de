/* SPDX-License-Identifier: MIT */
/*
 * retort: a minimal HTTP/1.x responder.
 *
 * One request per connection: read it, answer it, close.
 *
 * Errors are 0 or -errno; getters that return a pointer return NULL. The
 * library never prints, exits, raises a signal, or keeps a global. A server
 * is used by one thread at a time; retort_wake() alone may be called from
 * any thread and from a signal handler.
 *
 * Options and replies are open structs whose zero value is the default.
 * They grow only at their end. Each call takes the caller's sizeof (the
 * macros below the declarations pass it): bytes that an older caller does
 * not know are taken as zero, and bytes that an older library does not know
 * must be zero, or the call fails with -E2BIG.
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

/* A server. */
struct retort;

/* Room for an error text and its NUL: "bind 127.0.0.1:80: ..." */
#define RETORT_ERROR_SIZE 256

/* How an exchange, and with it its connection, ended. */
enum retort_end {
	RETORT_ANSWERED,  /* the whole reply was sent, then closed */
	RETORT_CLOSED,    /* the client closed before sending a byte */
	RETORT_RESET,     /* the client reset the connection, or left early */
	RETORT_TIMED_OUT, /* the client was too slow to take the reply, or
	                     never sent a byte */
	RETORT_STOPPED,   /* ended by retort_stop() or by `requests` */
	RETORT_TRUNCATED, /* the file became shorter than was promised */
	RETORT_FAILED     /* out of memory or descriptors, or a file could not
	                     be read */
};

/* One exchange, as seen by an event callback; valid during the call. */
struct retort_exchange {
	uint64_t connection; /* number of the connection, from 1 */
	const char *client;  /* "127.0.0.1:51234", "[::1]:51234", "unix" */
	const char *request; /* the request line as it came, or as far as it
	                         came; not terminated; may hold any byte */
	size_t request_size;
	int status;          /* of the reply, or 0: none was begun */
	enum retort_end end; /* with RETORT_ON_END only */
	uint64_t received;   /* bytes, as they came */
	uint64_t sent;       /* bytes, the reply's head among them */
	uint64_t sent_body;  /* those of `sent` that follow the head */
	int64_t began;       /* when accepted: ns since the epoch */
	int64_t duration;    /* ns from accept to close, or until now */
};

/* What an event callback is told. */
enum retort_event {
	RETORT_ON_HEAD, /* a request's head is complete or was refused: its
	                   bytes */
	RETORT_ON_BODY, /* more bytes came after the head: as they came */
	RETORT_ON_END   /* the exchange is over; no bytes */
};

/* It is called while the server works: of the calls below it may make
   retort_log_line() and retort_wake() alone. */
typedef void retort_event_fn(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size);

/* How the server waits. */
enum retort_io {
	RETORT_IO_BEST, /* epoll where there is one */
	RETORT_IO_EPOLL,
	RETORT_IO_POLL
};

/* A server's options. Pointers need to last only as long as the call. */
struct retort_options {
	/* Where. Each of: 127.0.0.1 ::1 localhost unix:PATH fd:N, the first
	   three with an optional :PORT ([::1]:PORT). localhost is 127.0.0.1
	   and ::1 on one port, whichever the machine has. Names are never
	   looked up. NULL-terminated; NULL: 127.0.0.1. */
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
	uint64_t max_body; /* bytes of a request's body: 413; default 1 MiB
	                      for files and an echo, none for a reply that
	                      does not need it; UINT64_MAX: none */

	/* Time-outs in ms; 0: none. */
	int head_timeout;  /* from accept to the end of the head: 408 */
	int body_timeout;  /* without a byte of the body: 408 */
	int write_timeout; /* without a byte of the reply being taken */

	uint64_t requests; /* stop after this many replies (408s do not
	                      count); 0: never */

	/* Hosts that are answered; any other Host gets 421. Compared without
	   case and without port. NULL-terminated; NULL: all. */
	const char *const *hosts;

	retort_event_fn *event; /* or NULL */
	void *event_arg;
};

/*
 * Creates a server, binds and listens. NULL with a line in `error` (of
 * RETORT_ERROR_SIZE bytes, or NULL) and errno set: EINVAL, a malformed
 * address or a limit out of range; E2BIG; ENOMEM, EMFILE, ENFILE; ENOTSUP, no
 * such back end; anything else says why it could not bind or listen.
 * `options` may be NULL. End it with retort_close().
 */
RETORT_API struct retort *
retort_open_sized(const struct retort_options *options, size_t size,
	char *error);
#define retort_open(options, error) \
	retort_open_sized((options), sizeof(struct retort_options), (error))

/* A field of a reply. A NULL value removes the one retort would send. */
struct retort_field {
	const char *name;
	const char *value;
};

/* The reply to every request. Everything is copied. */
struct retort_reply {
	int status;       /* 200 to 999; 0: 200 */
	const char *type; /* Content-Type; NULL: text/plain; charset=utf-8 if
	                      there is a body, otherwise none */
	const void *body;
	size_t body_size;
	bool raw;  /* body is the whole reply, head and all, to which
	                      nothing is added */
	bool echo; /* the body is the request as it came */
	const struct retort_field *fields; /* not Content-Length, nor
	                      Transfer-Encoding, nor Connection */
	size_t field_count;
};

/*
 * Answers every request with `reply`, or with the files beneath a root. The
 * later call replaces the earlier one. A server that was told neither
 * answers 404. 0 or -errno, with a line in `error` as for retort_open():
 * -EINVAL, a malformed or forbidden field, type or status; -ENOMEM; or why
 * `root` or its `spa` cannot be opened (-ENOTSUP: `root` is neither a folder
 * nor a regular file).
 */
RETORT_API int retort_answer_sized(struct retort *server,
	const struct retort_reply *reply, size_t size, char *error);
#define retort_answer(server, reply, error) \
	retort_answer_sized((server), (reply), sizeof(struct retort_reply), \
		(error))

/* Whether retort_answer() would take the reply: the same result and text. */
RETORT_API int retort_check_sized(const struct retort_reply *reply, size_t size,
	char *error);
#define retort_check(reply, error) \
	retort_check_sized((reply), sizeof(struct retort_reply), (error))

/* How files are served. Everything is copied. */
struct retort_files {
	bool dotfiles; /* serve names that begin with a dot */
	const struct retort_field *fields;
	size_t field_count;
	const struct retort_field *types; /* extension without dot, type */
	size_t type_count;
	bool unlisted; /* a folder without index.html is 403, not a listing */
	bool precompressed; /* FILE.br, FILE.zst, FILE.gz stand for FILE where
	                       Accept-Encoding prefers them and they are not
	                       older */
	const char *spa;    /* file beneath the root that answers, with 200, GET
	                     and HEAD of paths that do not exist, if Accept
	                     names text/html; NULL: none */
	const char *echo; /* the path of an echo of the request, "/echo"; NULL:
	                     none */
	uint32_t max_age; /* Cache-Control: max-age, seconds; 0: no-cache */
};

RETORT_API int retort_serve_sized(struct retort *server, const char *root,
	const struct retort_files *files, size_t size, char *error);
#define retort_serve(server, root, files, error) \
	retort_serve_sized((server), (root), (files), \
		sizeof(struct retort_files), (error))

/*
 * The URL of the i-th listener, "http://127.0.0.1:43121/" or "unix:/path":
 * IPv4 first, then IPv6, then the others. NULL past the last. Valid until
 * retort_close().
 */
RETORT_API const char *retort_url(const struct retort *server, size_t i);

/* The i-th listener's TCP port; 0 for others; -1 past the last. */
RETORT_API int retort_port(const struct retort *server, size_t i);

/* Whether the i-th listener can be reached from this machine only. */
RETORT_API bool retort_local(const struct retort *server, size_t i);

/* Final replies begun so far, 408s not among them. */
RETORT_API uint64_t retort_replies(const struct retort *server);

/*
 * Waits at most `timeout` ms (-1: for ever) until something happens, does
 * what can be done without waiting, and returns 0; 1 once the server has
 * stopped; or -errno. A client in the same thread that blocks waits for
 * itself.
 */
RETORT_API int retort_step(struct retort *server, int timeout);

/* One descriptor that polls readable when retort_step() has something to
   do, or -ENOTSUP (RETORT_IO_POLL), and *timeout: ms until it must be
   called all the same, -1 for never. */
RETORT_API int retort_pollfd(struct retort *server, int *timeout);

/* Makes a retort_step() that waits return. From any thread or handler. */
RETORT_API void retort_wake(struct retort *server);

/*
 * Begins to stop: accepts what is queued once more, closes the listeners,
 * ends at once every connection that has not sent its request or is paused,
 * and gives the others at most `grace` ms. retort_step() returns 1 when the
 * last is gone. A second call may only shorten the time.
 */
RETORT_API void retort_stop(struct retort *server, int grace);

/* Ends everything at once and frees the server. NULL is allowed. */
RETORT_API void retort_close(struct retort *server);

/* How an exchange is written as a line. */
enum retort_log {
	RETORT_LOG_SHORT,  /* for people */
	RETORT_LOG_COMMON, /* Common Log Format */
	RETORT_LOG_JSON    /* one object */
};

/*
 * Writes one line with its newline, and no NUL, into `line`; never more than
 * `size` bytes, cutting the request line where it must (below 512 there is
 * no room for any of it). Nothing in it can
 * forge a line or drive a terminal. Returns its length.
 */
RETORT_API size_t retort_log_line(const struct retort_exchange *exchange,
	enum retort_log format, char *line, size_t size);

/* The media type of a file by its name: "text/html; charset=utf-8". Static. */
RETORT_API const char *retort_type(const char *name);

/* The library's version, "0.1.0". */
RETORT_API const char *retort_version(void);

#ifdef __cplusplus
}
#endif

#endif
