/* SPDX-License-Identifier: MIT */
/*
 * retort: a small HTTP/1.x server inside a test of an HTTP client.
 *
 *	struct retort *server = retort_start();
 *
 *	retort_on(server, "GET /", .body = "hello\n");
 *	retort_expect(server, "GET /", .times = 1);
 *	... the client requests retort_url(server) ...
 *	if (!retort_done(server))
 *		return 1;
 *
 * Each connection carries one request: the server reads it, answers it, and
 * closes the connection, unless `keep_alive` is set. retort(3) describes each
 * function in more detail, with examples.
 *
 * Functions that return an int return 0 or more, or -errno; functions that
 * return a pointer return NULL on failure. The library never prints, exits,
 * raises a signal, keeps a global, or changes the caller's signal mask, locale,
 * umask or working directory. Every descriptor is close-on-exec.
 *
 * Threads: any thread may call any function at any time, and a signal handler
 * may call retort_wake(). But for a stepped server, only one thread at a time
 * may call retort_step(), retort_pollfds(), retort_fd(), the waits,
 * retort_push() with a `timeout`, retort_adopt(), retort_refuse() and
 * retort_stop().
 *
 * Callbacks run on the server's thread, or in the call that steps it; the
 * predicates of retort_count(), retort_wait(), and of retort_expect() in a
 * verdict, run in the caller's thread. While a callback runs, every other call
 * for the same server waits. In a callback, functions that would wait return at
 * once (-EDEADLK, NULL, false), retort_stop() takes effect after the callback
 * has returned, retort_reset() does nothing, and retort_close() must not be
 * called.
 *
 * Forks: a server belongs to the process that opened it, and goes on there. In
 * a child, retort_url() and retort_listener() say where it is, and
 * retort_close() only closes the child's descriptors and frees memory. All
 * other functions do nothing: they return -EPERM, NULL, false, 0,
 * SIZE_MAX from retort_count(), or a verdict that says so.
 *
 * A server that is NULL, because retort_start() failed, is as one in a child:
 * nothing happens, and the verdict says so.
 *
 * Options, rules and replies are structs whose zero value is the default. Later
 * versions add members only at the end. Each call passes the caller's sizeof
 * (the functions and macros in this header do so): members that an older caller
 * does not know are taken as zero, and members that an older library does not
 * know must be zero, or the call fails with -E2BIG. What members point to needs
 * to last only as long as the call, unless a member says otherwise.
 */
#ifndef RETORT_H
#define RETORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* some structs and functions */
#endif
extern "C" {
#endif

#if defined(__GNUC__)
#define RETORT_API __attribute__((visibility("default")))
#else
#define RETORT_API
#endif

/* Default values of arguments that may be left out, in C++ and in C. */
#ifdef __cplusplus
#define RETORT_OR(value) = value
#else
#define RETORT_OR(value)
#define RETORT_TWO(first, second, ...) first, second
#define RETORT_FIVE(first, second, third, fourth, fifth, ...) \
	first, second, third, fourth, fifth
#endif

/* A server. */
struct retort;

struct pollfd; /* <poll.h> */

/* Size of a buffer for an error text, such as "bind 127.0.0.1:80: ...", with
   its NUL. */
#define RETORT_ERROR_SIZE 256

/* The protocol of a server. */
enum retort_protocol {
	RETORT_HTTP,
	RETORT_TCP, /* bytes on TCP, or on a Unix stream socket */
	RETORT_UDP  /* datagrams by UDP, or on a Unix datagram socket */
};

/* --- requests received --- */

/* A field of a request or of its trailers, as it arrived. */
struct retort_field {
	const char *name;
	const char *value; /* without leading and trailing white space */
};

/* How an exchange ended. */
enum retort_end {
	RETORT_OPEN,       /* it has not ended */
	RETORT_ANSWERED,   /* the whole reply was sent, and the connection was
	                      closed after it, or kept */
	RETORT_CLOSED,     /* the client closed without sending a byte */
	RETORT_RESET,      /* the client reset the connection, or left early */
	RETORT_TIMED_OUT,  /* the client was too slow to take the reply, or
	                      never sent a byte */
	RETORT_STOPPED,    /* the server was stopped, or reached `requests`, or
	                      retort_end() ended it */
	RETORT_TRUNCATED,  /* the file became shorter than announced */
	RETORT_FAILED,     /* out of memory or descriptors, a file could not be
	                      read, or a datagram is too long to be sent */
	RETORT_UNANSWERED, /* a datagram that got no answer */
	RETORT_TLS_FAILED  /* its handshake, or a record: see `tls_error` */
};

/* How one side closed a connection: not, by FIN, by RST. */
enum retort_ending { RETORT_NOTHING, RETORT_FIN, RETORT_RST };

/*
 * One exchange: a connection, a request on it, and its reply. With `keep_alive`
 * a connection may have several: each ends with its reply, but for the last,
 * which ends with the connection if the reply was to be its end.
 *
 * With RETORT_TCP the request is a piece, at most 64 KiB: the bytes that one
 * read returned, or those that `framing` of the options says. They are `body`
 * and `raw`, the first line is `request`, and the members that are for HTTP
 * only are empty. A piece that the client's end cut off is not `complete`. The
 * pieces of one connection share all that is known at its end. With RETORT_UDP
 * the request is a datagram, and each is a connection of its own.
 *
 * A record, and all it points to, stays valid until retort_close() or
 * retort_reset(); with RETORT_ENDED that forgets it only if its connection has
 * ended. Members marked (end) are known when the exchange ends: read them only
 * after retort_wait_end(); so too `status`, if the handler returned
 * RETORT_LATER. Those marked (close) are known when the connection ends:
 * RETORT_NOTHING and false until then. An exchange that a callback is passed is
 * valid during the call, and holds what is known by then; for an event function
 * the members from `method` to `requested` are not set, but for `raw`,
 * `complete`, `refused` and `reason` in RETORT_ON_END.
 */
struct retort_exchange {
	uint64_t connection; /* number of the connection, from 1 */
	const char *client;  /* "127.0.0.1:51234", "[::1]:51234", "unix" */
	const char *request; /* the request line, or the part that arrived;
	                        not terminated; may hold any byte */
	size_t request_size;
	int status;          /* of the reply; 0: none was begun */
	enum retort_end end; /* (end) */
	uint64_t received;   /* (end) bytes received */
	uint64_t sent;       /* (end) bytes sent, including the head */
	uint64_t sent_body;  /* (end) those bytes that follow the head */
	int64_t began;       /* time of accept, or, after the first exchange, of
	                        the first byte: ns since the epoch */
	int64_t duration;    /* (end) ns since then, or until now */

	/* The request. Strings are terminated; a part that did not arrive is
	   NULL or empty. */
	const char *method;
	const char *target; /* as it arrived */
	const char *path;   /* of the target, percent-decoded, dot segments
	                       kept; NULL if none, or if it decodes to a NUL */
	const char *query;  /* of the target, after "?"; NULL: none */
	int minor;          /* HTTP/1.minor */
	const struct retort_field *fields; /* as they arrived */
	size_t field_count;
	const void *body; /* without chunked coding; followed by a NUL */
	size_t body_size; /* less than `body_total` if not all is kept */
	const struct retort_field *trailers;
	size_t trailer_count;
	const void *raw; /* the bytes as they arrived, to the end of the
	                    request */
	size_t raw_size;
	bool complete; /* the request arrived whole; false if the reply was
	                  early, even when the rest arrived after it */
	int refused;   /* status with which it was refused; 0: not refused */
	const char *reason; /* why it was refused, or is not complete; NULL */
	int rule;           /* the rule that answered it, from 1; 0: none */
	int64_t requested;  /* ns from `began` to the end of the request */
	enum retort_ending client_close; /* (close) by the client */
	enum retort_ending server_close; /* (close) by the server */
	bool client_first;               /* (close) the client closed first */
	enum retort_protocol protocol;
	uint64_t nth;   /* its number on the connection, from 1; with RETORT_TCP
	                   in RETORT_ON_END that of the last piece */
	bool truncated; /* the datagram was longer than `body` */
	/* If the handler returned RETORT_LATER, these three are also 0 or NULL
	   until the reply is there. */
	const char *faults; /* the faults of its reply, as text; NULL: none */
	bool by_chance;     /* the faults, or their absence, came by chance */
	uint64_t seed; /* ... from this, `connection` and, with RETORT_HTTP,
	                  `nth` */
	/* The first field of that name; not terminated; NULL: none. */
	const char *referer;
	size_t referer_size;
	const char *user_agent;
	size_t user_agent_size;
	uint64_t body_total; /* bytes of the body that arrived; `body` and `raw`
	                        may hold only the first: see `max_body` */
	bool still_sending;  /* (end) the whole reply was sent, but the client
	                        sent more than is read after it: it may have
	                        met a reset connection instead of the reply */

	/* Of the TLS on the connection; NULL and false without. */
	const char *tls_version; /* "TLSv1.3" */
	const char *tls_cipher;  /* "TLS_AES_256_GCM_SHA384" */
	const char *tls_alpn;    /* "http/1.1"; NULL: none was agreed on */
	const char *tls_sni;     /* the name that the client wants; NULL */
	const char *tls_client;  /* the subject of its certificate, as
	                            "CN=client 7,O=Some"; NULL: it has none */
	bool tls_resumed;        /* the client resumed a session */
	const char *tls_error; /* (end) why it failed, in OpenSSL's words, such
	                          as "tlsv1 alert unknown ca"; "cut by a fault",
	                          in the handshake; NULL */

	const char *in;     /* the states in which it arrived, before the rule
	                       that answered it set others: "ready
	                       connection:data"; NULL: no rule has `then_in` */
	const char *tunnel; /* the target of the CONNECT through whose tunnel it
	                       arrived, such as "example.com:443"; NULL: none */
	uint64_t pieces;    /* RETORT_TCP and _UDP: those of the exchange up to
	                       this one, or in RETORT_ON_END all of them */
	bool kept; /* (end) the connection was kept after it, for another */
};

/* The n-th value, from 0, of the fields of that name (compared without case);
   or NULL. */
RETORT_API const char *retort_field_of(const struct retort_exchange *exchange,
	const char *name, size_t n);

/* --- starting and stopping --- */

/* The events of an event function, and the bytes that it is passed. */
enum retort_event {
	RETORT_ON_HEAD,  /* the head of a request is complete or was
	                    refused: the head */
	RETORT_ON_BODY,  /* bytes of the body arrived: these, as they arrived;
	                    or others after a request that was refused */
	RETORT_ON_END,   /* the exchange is over: no bytes; with RETORT_HTTP and
	                    no `server_close` the connection is kept */
	RETORT_ON_PIECE, /* RETORT_TCP, _UDP: a piece or datagram arrived: it;
	                    or, after RETORT_MORE, what has arrived since */
	RETORT_ON_CLOSE, /* a kept connection was closed while no request was
	                    under way, which RETORT_ON_END tells otherwise; with
	                    `event_all` any connection, as its last event: no
	                    bytes */

	/* only with `event_all`: no bytes */
	RETORT_ON_ACCEPT,     /* a connection was accepted or adopted */
	RETORT_ON_CLIENT_FIN, /* the client has finished sending */
	RETORT_ON_SERVER_FIN, /* the server has */

	RETORT_ON_DROPPED /* RETORT_HTTP: bytes arrived after the request that
	                     are not the next one's, and are dropped: these */
};

typedef void retort_event_fn(void *arg, enum retort_event event,
	const struct retort_exchange *exchange, const void *bytes, size_t size);

/* The back end with which the server waits. */
enum retort_io {
	RETORT_IO_BEST, /* poll for a few descriptors; for more, or for who
	                   asks for one, epoll if the system has it */
	RETORT_IO_EPOLL,
	RETORT_IO_POLL
};

/* Versions of TLS. */
enum retort_tls_version {
	RETORT_TLS_DEFAULT,
	RETORT_TLS_1_0,
	RETORT_TLS_1_1,
	RETORT_TLS_1_2,
	RETORT_TLS_1_3
};

/* Whether clients are asked for a certificate. */
enum retort_tls_client {
	RETORT_TLS_CLIENT_NOT,
	RETORT_TLS_CLIENT_WANTED, /* they may have none */
	RETORT_TLS_CLIENT_REQUIRED
};

/* The options of a server. */
struct retort_options {
	const void *reserved; /* NULL: the macros begin with it */

	/* The addresses to listen on, one per line: an IPv4 or IPv6 address or
	   localhost, each with an optional :PORT ([::1]:PORT); unix:PATH; fd:N.
	   localhost is 127.0.0.1 and ::1 on one port, or the one of them that
	   the machine has. Names are never looked up. NULL: 127.0.0.1; "":
	   none (retort_adopt()). The server takes over fd:N on success only,
	   but may set its O_NONBLOCK and FD_CLOEXEC even on failure. */
	const char *bind;
	int port; /* of addresses that name none; 0: any free one for all */
	bool defer_accept; /* TCP_DEFER_ACCEPT, 1 s: accept a connection only
	                      when it sends; costs less; not for fd:N */
	enum retort_io io;
	bool sigpipe_ignored; /* the caller ignores SIGPIPE: sendfile(2), which
	                         may raise it, can be used */

	/* Limits, with the default for 0, and the status beyond them. */
	size_t max_target; /* bytes of a request target (8 KiB): 414 */
	size_t max_head;   /* bytes of a request's head (64 KiB): 431 */
	size_t max_fields; /* fields in a head (100): 431 */
	uint64_t max_body; /* bytes of a request's body: 413; UINT64_MAX: no
	                      limit. Default: 1 MiB if only files answer,
	                      otherwise no limit. This is also how much of a
	                      body is kept; for the default or no limit, the
	                      first 8 MiB are */

	/* Time-outs in ms; 0: no time-out. */
	int head_timeout;  /* from accept to the end of the head: 408 */
	int body_timeout;  /* without a byte of the body: 408 */
	int write_timeout; /* in which the client takes nothing of the reply */

	uint64_t requests; /* stop after this many `replies` of retort_stats();
	                      0: never */

	const char *hosts; /* the hosts that are answered, without ports, one
	                      per line; any other Host gets 421. Compared
	                      without case and port. NULL: all hosts */

	retort_event_fn *event; /* or NULL */
	void *event_arg;

	bool unrecorded;    /* keep no records: no waits, counts, verdicts */
	size_t max_records; /* bytes of memory for records, and for bodies that
	                       are still arriving beyond the first 64 KiB of
	                       each; 0: 64 MiB. When it is used up, requests
	                       are still answered, but recorded in part or not
	                       at all, and retort_verdict() says so */
	bool refusing;      /* begin as after retort_refuse(server, true) */

	enum retort_protocol protocol;
	int idle_timeout; /* ms after which a connection is closed: with
	                     RETORT_TCP without a byte, with `keep_alive`
	                     without another request; 0: never */
	int socket_mode;  /* permissions of the files of Unix sockets, such as
	                     0660; 0: as the umask says */

	/* For every reply whose head the server makes: those of rules and
	   files, refusals and errors. A line does not apply to a reply that
	   gives or omits a field of that name itself; `raw` replies are never
	   changed. With "Transfer-Encoding: chunked" bodies are sent in one
	   chunk. */
	const char *fields; /* lines "Name: value": fields to add */
	const char *omit;   /* lines "Name": fields not to send */

	uint64_t seed; /* of faults by chance. These depend only on their text,
	                  the seed, the number of the connection and, with
	                  `keep_alive`, that of the exchange on it. 0: a random
	                  seed, which retort_exchange.seed holds */
	char *error;   /* a buffer of RETORT_ERROR_SIZE bytes. It receives the
	                  reason of a failure, or "" on success; NULL: none */

	/* Where a piece ends, with RETORT_TCP or after RETORT_NEXT_BYTES.
	   "lines": after LF; "crlf": after CR LF; "end \"BYTES\"": after
	   these bytes, at most 64, written as in retort(5); "length 1", 2 or 4:
	   this number of bytes, big endian, says how many bytes follow;
	   "mqtt": with a packet of MQTT; "websocket": with a frame of a
	   WebSocket, whose mask is removed. A piece has at most 64 KiB,
	   including its end or length; a longer one closes the connection.
	   NULL: where a read ends */
	const char *framing;
	bool proxy_protocol; /* RETORT_HTTP, not with `tls`: each connection
	                        begins with a header of the PROXY protocol,
	                        version 1 or 2, of at most 4112 bytes. Its
	                        source is the `client` of the exchanges. A
	                        connection without a header gets 400 */
	bool event_all; /* `event` is also called when a connection begins or
	                   ends, and for FINs */
	bool stepped;   /* run without a thread: the caller runs the server with
	                   retort_step() */

	/* TLS (HTTPS), for RETORT_HTTP and RETORT_TCP. retort_start() fails
	   with ENOTSUP if the library was built without OpenSSL, or cannot load
	   it. Unless `tls_cert` is given, the server makes a CA, which
	   retort_ca() returns, and a certificate for localhost, 127.0.0.1, ::1
	   and `hosts`. */
	bool tls;
	const char *tls_cert; /* a file of a certificate and its chain, in PEM;
	                         both this and `tls_key`, or neither */
	const char *tls_key;  /* a file of its key, in PEM, without password */
	enum retort_tls_version tls_min; /* the oldest; default: 1.2, or
	                                    `tls_max` if that is older */
	enum retort_tls_version tls_max; /* the latest; default: 1.3 */
	enum retort_tls_client tls_client;
	const char *tls_client_ca;  /* a file of the CAs of clients, in PEM;
	                               NULL: any certificate is accepted */
	const char *tls_cert_fault; /* the fault of the certificate that the
	                               server makes: "expired", or another of
	                               retort(1); NULL: none */

	/* RETORT_HTTP: keep a connection for further requests, unless the
	   request or the reply says `Connection: close`, a client of HTTP/1.0
	   does not ask for it, or only the close can mark the end of the reply.
	   Pipelined requests are answered one after another. */
	bool keep_alive;
	uint64_t max_exchanges; /* the greatest number on a kept connection; the
	                           last reply says `Connection: close`; 0: any
	                           number */

	const char *tls_keylog; /* a regular file to which the secrets of each
	                           connection are appended, in the format of
	                           SSLKEYLOGFILE, for programs that decrypt
	                           captured packets; NULL: none */

	const char *tls_fault; /* with `tls`, the fault of each connection:
	                          clauses of retort(5) whose positions are on
	                          the wire, in records or in flights, such as
	                          "cut flight 1 stall"; NULL: none */
	bool tls_later; /* instead of `tls`: connections begin without TLS, and
	                   change to it after replies whose `next` says so */

	/* RETORT_HTTP: pages of all sites may read the replies. Each reply gets
	   Access-Control-Allow-Origin, -Methods and -Headers, all "*", but for
	   those that `fields` or `omit` names; preflights (OPTIONS with
	   Access-Control-Request-Method) that no rule answers get 204. */
	bool cors;
};

/*
 * Starts a server:
 *
 *	retort_start()
 *	retort_start(.port = 8080, .error = error)
 *
 * When this returns, the server listens. Unless it is `stepped`, it runs on a
 * thread of its own, which blocks every signal. End it with retort_done() or
 * retort_close().
 *
 * On failure this returns NULL, writes a line to `error` and sets errno:
 * EINVAL, an address is malformed or a limit out of range; E2BIG; ENOMEM,
 * EMFILE, ENFILE, EAGAIN; ENOTSUP, the system lacks the back end, or OpenSSL
 * cannot be loaded; anything else is the error from binding or listening.
 */
RETORT_API struct retort *
retort_start_sized(const struct retort_options *options, size_t size);
#ifndef __cplusplus
#define retort_start(...) \
	retort_start_sized(&(const struct retort_options){.reserved = NULL, \
				   __VA_ARGS__}, \
		sizeof(struct retort_options))
#endif

/*
 * Waits at most `timeout` ms (-1: for ever) until something happens, and does
 * all that can be done without waiting. Returns 0, or 1 once the server has
 * stopped, or -errno (-EDEADLK: the server has a thread of its own). A client
 * that blocks in the same thread waits for itself: use a server with a thread,
 * or a client that can be stepped, too.
 */
RETORT_API int retort_step(struct retort *server, int timeout);

/*
 * For an event loop of the caller: the descriptors to wait for before
 * retort_step(server, 0). Fills at most `room` elements of `fds` and returns
 * the number of descriptors, which may exceed `room`. Sets *timeout to the ms
 * after which the server must be stepped even if none is ready; -1: never.
 * Call this again after each step.
 */
RETORT_API size_t retort_pollfds(struct retort *server, struct pollfd *fds,
	size_t room, int *timeout);

/*
 * For an event loop of the caller: one descriptor that is readable whenever the
 * server should be stepped, also because a deadline has passed. It belongs to
 * the server and never changes. -ENOTSUP with RETORT_IO_POLL.
 */
RETORT_API int retort_fd(struct retort *server);

/* Makes a retort_step() that is waiting return, or else the next one. May be
   called from any thread or signal handler. */
RETORT_API void retort_wake(struct retort *server);

/*
 * Serves a stream socket that is already connected, such as one end of
 * socketpair(2). On success it belongs to the server. 0 or -errno: -EPROTOTYPE,
 * it is another kind of socket, or the server speaks RETORT_UDP.
 */
RETORT_API int retort_adopt(struct retort *server, int fd);

/*
 * From now on connections are refused (ECONNREFUSED), or accepted again. In the
 * meantime the server keeps its ports. 0 or -errno: -ENOTSUP, a listener is not
 * on a TCP address that the server bound itself.
 */
RETORT_API int retort_refuse(struct retort *server, bool refuse);

/*
 * Ends a connection at once, in any state, by RETORT_FIN or RETORT_RST. Its
 * exchange ends as RETORT_STOPPED, unless the whole reply was sent. May be
 * called in callbacks, and takes effect as soon as the loop runs: a handler
 * returns RETORT_LATER, or its reply may be sent before. 0 or -errno: -ENOENT,
 * the connection has ended or never was; -EINVAL, `how` is neither of these;
 * -ENOTSUP, a RST on a Unix socket, or RETORT_UDP.
 */
RETORT_API int retort_end(struct retort *server, uint64_t connection,
	enum retort_ending how);

/*
 * Begins to stop the server: accepts the queued connections once more and
 * closes the listeners. Connections whose request has not arrived whole, or
 * whose reply is open, or in a pause, a rate or a stall, end at once; the
 * others have at most `grace` ms. When the last has ended, retort_step()
 * returns 1, and retort_wait_end(server, NULL, -1) returns. A second call can
 * only shorten the time.
 */
RETORT_API void retort_stop(struct retort *server, int grace RETORT_OR(0));
#ifndef __cplusplus
#define retort_stop(...) retort_stop(RETORT_TWO(__VA_ARGS__, 0, ))
#endif

/* Ends everything at once and frees the server, without checking expectations:
   for that, see retort_done(). `server` may be NULL. */
RETORT_API void retort_close(struct retort *server);

/*
 * The URL of the first listener, such as "http://127.0.0.1:43121/", or with a
 * path, which may begin with a slash, "http://127.0.0.1:43121/file". For a
 * Unix socket it is "unix:/path", and with a path "http://localhost/file", for
 * curl --unix-socket. NULL: there is no listener or no memory, or a path was
 * given and the server does not speak HTTP. Valid until retort_close().
 */
RETORT_API const char *retort_url(struct retort *server,
	const char *path RETORT_OR(NULL));
#ifndef __cplusplus
#define retort_url(...) retort_url(RETORT_TWO(__VA_ARGS__, NULL, ))
#endif

/* With `tls`: the CA that signed the server's certificate, in PEM, for the
   client to trust. Valid until retort_close(). NULL: there is no TLS, or the
   certificate is from `tls_cert`. */
RETORT_API const char *retort_ca(struct retort *server);

/*
 * The i-th listener, or the first: retort_listener(server).port. Those with
 * IPv4 addresses come first, then IPv6, then the others. Both listeners of
 * localhost have the same URL, such as "http://localhost:43121/".
 */
struct retort_listener {
	const char *url; /* valid until retort_close(); NULL: no listener */
	int port;        /* TCP or UDP; 0: it has none; -1: no such listener */
	int fd;          /* belongs to the server; -1: it does not listen */
	bool local;      /* only this machine can reach it */
};
RETORT_API void retort_listener_sized(struct retort *server, size_t i,
	struct retort_listener *listener, size_t size);
static inline struct retort_listener
retort_listener(struct retort *server, size_t i RETORT_OR(0))
{
	struct retort_listener listener;

	retort_listener_sized(server, i, &listener, sizeof listener);
	return listener;
}
#ifndef __cplusplus
#define retort_listener(...) retort_listener(RETORT_TWO(__VA_ARGS__, 0, ))
#endif

/* Counters of the whole life of a server, which retort_reset() does not clear,
   and what is true at the moment. */
struct retort_stats {
	uint64_t replies;   /* final replies begun, except 408; with RETORT_TCP,
	                       connections that have ended after at least one
	                       piece; with RETORT_UDP, datagrams, except those
	                       that must not be answered */
	uint64_t accepted;  /* connections accepted */
	uint64_t shortages; /* times that there was no descriptor for another
	                       connection. A shortage counts once, until half
	                       of the connections are closed; meanwhile new
	                       ones wait in the kernel's queue */
	size_t connections; /* that are open now */
	size_t expectations; /* including those of scenarios */
	const char *cut_off; /* after retort_stop(): a line for each connection
	                        that was cut off, with its state, and a line if
	                        the server had to end because a system call
	                        failed; NULL: none. Valid until the next call
	                        or retort_close() */
};
RETORT_API void retort_stats_sized(struct retort *server,
	struct retort_stats *stats, size_t size);
static inline struct retort_stats
retort_stats(struct retort *server)
{
	struct retort_stats stats;

	retort_stats_sized(server, &stats, sizeof stats);
	return stats;
}

/* --- rules and replies --- */

/* A condition as a function: returns whether the request fits. */
typedef bool retort_predicate(void *arg,
	const struct retort_exchange *exchange);

/* A value for `body_size` if the size may be 0: a plain 0 would mean
   strlen(body), which reads beyond a buffer without a NUL. */
static inline size_t
retort_size(size_t size)
{
	return size > 0 ? size : (size_t)-1;
}

/*
 * The requests that something is for: those that fit `request`, such as
 * "GET /users/1", "POST", "/users/1" or "GET /search?q=a&lang=en", and meet the
 * conditions in the members that begin with if_. A request fits if it meets all
 * that are given; if none is given, every request fits. A condition that no
 * request can meet is malformed.
 *
 * `request` is "METHOD TARGET", or either alone. The method must be exactly the
 * same; "*" fits any. A target begins with "/" or "*", or is a URL or an
 * authority ("CONNECT example.com:443"); these two are compared as they
 * arrived. The path fits whether its bytes are percent-encoded or not, but
 * "%2F" is not the same as "/", and dot segments are not removed. An asterisk
 * in the path stands for any bytes, including slashes, or none. Each parameter
 * after "?" must be among those of the request, in any order, and the request
 * may have others; "%26", "%3D" and "%2B" are not the same as "&", "=" and "+".
 * Without "?" the query does not matter. An asterisk in a parameter stands for
 * any bytes, too: "k=*" fits "k" with any value or none; "%2A" is an asterisk.
 *
 * A form is a body whose Content-Type is application/x-www-form-urlencoded or
 * multipart/form-data. Its names and values are decoded before they are
 * compared. In `if_form` and `if_file` "%HH" stands for a byte, "*" for any
 * bytes, and "&" ends a pair of `if_form`, as a line does; all other bytes
 * stand for themselves, even "+". A form in parts has at most 1000 of them,
 * with 8 KiB in the head of each and 1 KiB in a name. A form that has more, is
 * malformed, or was not kept whole fits none of these conditions. A request
 * without a form has no pairs.
 *
 * In a regular expression "^" and "$" are the beginning and the end of the
 * whole text, and line ends are bytes like any others. Bytes are compared as in
 * the C locale, whatever the locale of the program. An expression has at most
 * 1000 characters, where a{3} counts as three, and no back-references. Only the
 * first 64 KiB of a text are tried.
 *
 * For a login by Digest, OpenSSL computes the response that follows from the
 * password and the client's own realm, nonce, cnonce, nc, qop (auth, or none)
 * and uri, by MD5, SHA-256 or one of these with "-sess"; the uri must be the
 * target of the request. Without OpenSSL the call fails with -ENOTSUP. Further
 * lines, as in "ada:secret\nrealm=\"x\", nonce=\"1\"", are parameters that the
 * client must have used: realm, nonce, opaque, algorithm, qop, cnonce and nc;
 * others of a challenge do not matter.
 *
 * JSON is compared by value: 1 is equal to 1.0, arrays are compared in their
 * order, and the order of members does not matter. A body is not JSON, and fits
 * neither condition, if an object has a name twice or a name with a NUL, if an
 * integer does not fit in 64 bits or another number in a double, or if it is
 * not UTF-8, has more than 100 levels or 1 MiB, or was not kept whole.
 *
 * A fact of TLS is "version", "cipher", "alpn", "sni", "client" or "resumed",
 * with the value of the member of struct retort_exchange that begins with tls_:
 * "client: CN=ada*", "resumed: yes". An asterisk stands for any bytes. A fact
 * without a value must be absent: "client:" fits a client without a
 * certificate. A connection without TLS fits no fact.
 *
 * A state is a word of at most 32 letters, digits or "-_.". "ready" is a state
 * of the server, "connection:data" one of the connection, and "cart:full" a
 * further one of the server, named "cart"; there are at most 32 such names.
 * `in` and `then_in` hold one or more of these, with blanks between them. A
 * rule sets the states in its `then_in` as soon as it is chosen. At first each
 * state is "start".
 *
 * retort_count(), retort_wait() and retort_expect() look for requests that have
 * arrived. retort_on() has the same conditions in struct retort_reply.
 */
struct retort_requests {
	struct retort *server;
	const char *request;

	/* retort_wait() and retort_expect(): the number of requests; 0: one
	   (retort_wait()), or one or more (retort_expect()) */
	size_t times;

	/* retort_wait() */
	int timeout; /* ms; 0: 10 seconds; -1: for ever */

	/* retort_expect(), instead of `times` */
	size_t least; /* this number or more */
	size_t most;  /* at most this number; 0: any number */
	bool never;   /* no request at all */

	const char *if_field;    /* lines "Name: value": a field of that name
	                            has exactly this value */
	const char *if_contains; /* lines "Name: text": contains this text */
	const char *if_absent;   /* lines "Name": no field of that name */
	const void *if_body;     /* the body is exactly this */
	size_t if_body_size;     /* 0: strlen(if_body); retort_size(n): n */
	const char *if_body_has; /* the body contains this text */
	retort_predicate *if_predicate;
	void *if_predicate_arg;
	bool if_nocase; /* compare values of fields and bodies without the case
	                   of ASCII letters */
	const char *if_body_begins; /* the body begins with this text */
	const char *in; /* the server and the connection are in these states */

	const char *if_query_absent; /* lines "name": no such parameter */
	bool if_query_only;          /* no parameters except those in `request`,
	                                each only as often as it is there */
	const char *if_form; /* lines "name=value": the body is a form that has
	                        this pair, in any order; see above */
	const char *if_form_absent; /* lines "name": no such pair */
	bool if_form_only;          /* no pairs except those of `if_form`, each
	                               only as often as it is there */
	const char *if_file;        /* lines "name=filename" or
	                               "name=filename;type=TYPE": a form in
	                               parts has this file */

	/* Lines, each a POSIX extended regular expression, all of which must
	   match somewhere: see above */
	const char *if_path_matches;  /* the path, decoded */
	const char *if_field_matches; /* lines "Name: expression": a value */
	const char *if_body_matches;  /* the body, or a piece or datagram */

	/* The body as JSON; -ENOTSUP if the library lacks jansson */
	const char *if_json;     /* it has the same value; white space and the
	                            order of members do not matter */
	const char *if_json_has; /* the same, but its objects may have more
	                            members */
	int if_refused; /* the request is malformed or beyond a limit, and is
	                   refused with this status; RETORT_ANY: with any; 0:
	                   whether it is refused does not matter */
	const char *if_nth; /* its number on its connection, from 1, as `nth` of
	                       an exchange: "1"; "2+": 2 or more; "2-4" */

	/* retort_expect(): the number of different connections on which these
	   requests come, in the same form: "1", "2+", "1-2"; with `never` and
	   no condition that of all connections */
	const char *connections;

	/* Authorization has this login, "USER:PASSWORD", by Basic or by Digest.
	   After a login by Digest, further lines can be parameters of the
	   challenge that it answers: see above */
	const char *if_basic;
	const char *if_digest;
	const char *if_proxy_basic; /* the same for Proxy-Authorization */
	const char *if_proxy_digest;
	const char *if_body_glob; /* the body is this text, in which an asterisk
	                             stands for any bytes or none */

	const char *if_tls;    /* lines "fact: value": they are true of the TLS
	                          on the connection: see above */
	const char *if_tunnel; /* it arrived through the tunnel of a CONNECT to
	                          this target, such as "example.com:443"; an
	                          asterisk stands for any bytes */

	/* A rule with neither is for the protocol of the server. */
	bool if_bytes; /* it is a piece, not an HTTP request */
	bool if_http;  /* it is an HTTP request, not a piece */
};

/* Of `if_refused`: any status. */
#define RETORT_ANY (-1)

struct retort_reply;

/* The use of a connection after a reply. None of these can be used with
   RETORT_UDP. */
enum retort_next {
	RETORT_NEXT_DEFAULT, /* as `keep_alive` says; RETORT_TCP: a piece */
	RETORT_NEXT_CLOSE,   /* close it */
	RETORT_NEXT_KEEP, /* read another request, regardless of this one, the
	                     reply and `keep_alive`; after an early reply
	                     first the rest of the body. It is still closed
	                     if some of the request was not read, or if the
	                     server stops; after a refused one, unless its
	                     head is whole and names no body */

	/* Keep it as well, and choose the protocol that it speaks from then on.
	   After a 2xx reply to CONNECT it is a tunnel. */
	RETORT_NEXT_HTTP,  /* HTTP requests, for the same rules; with
	                      RETORT_TCP for those with `if_http` */
	RETORT_NEXT_BYTES, /* pieces, as with RETORT_TCP and `framing`; with
	                      RETORT_HTTP for rules with `if_bytes` */

	/* Keep it, begin a handshake of TLS, and continue inside TLS with
	   requests or pieces, as before. Needs the option `tls_later`, or `tls`
	   for TLS inside TLS. */
	RETORT_NEXT_TLS,
	RETORT_NEXT_TLS_HTTP,
	RETORT_NEXT_TLS_BYTES
};

/*
 * Makes the reply of a rule from the request: changes `reply`, which initially
 * holds that of the rule, and returns one of:
 *
 * 0: `reply` is complete. All that it points to must stay valid until the
 * handler is called again.
 *
 * RETORT_LATER: the reply will come from retort_reply_later().
 *
 * RETORT_MORE: the handler needs more of the request. With RETORT_TCP the next
 * piece is joined to this one, up to 64 KiB, and the rules are tried with both;
 * if the client sends no more, the connection is closed. With HTTP, if the
 * fault "early" called the handler before the body, the rest of the body is
 * read, or as much as `early` of the reply says, and the rules are tried again.
 * If the request is refused, they are tried again with what the client sends
 * after it, in `raw`; if it sends no more, or in time, the refusal is sent.
 *
 * Any other value: the handler failed. The client gets 500, and
 * retort_verdict() says why, as it does for a malformed reply.
 */
#define RETORT_LATER 1
#define RETORT_MORE 2
typedef int retort_handler(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply);

/*
 * A reply. In retort_on() it is a rule: a reply and the requests that get it,
 * by the conditions of struct retort_requests.
 */
struct retort_reply {
	struct retort *server; /* set by the macros */

	/* Only in retort_on(), like `accepted` and `files`. */
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
	const char *if_query_absent;
	bool if_query_only;
	const char *if_form;
	const char *if_form_absent;
	bool if_form_only;
	const char *if_file;
	const char *if_path_matches;
	const char *if_field_matches;
	const char *if_body_matches;
	const char *if_json;
	const char *if_json_has;
	int prefer;     /* its rank: see retort_on() */
	int if_refused; /* the rule is for requests that would be refused with
	                   this status, or with any (RETORT_ANY), and its reply
	                   is sent instead; 0: it is for all others */
	unsigned times; /* the number of requests that it answers; 0: any
	                   number */
	retort_handler *handler;
	void *handler_arg;

	int status;          /* 101, or 200 to 999; 0: 200 */
	const char *reason;  /* the reason phrase, which may be empty; NULL:
	                        that of RFC 9110 */
	const char *version; /* of the status line; NULL: "HTTP/1.1" */
	const char *type;    /* Content-Type; NULL: that of the file, otherwise
	                        text/plain; charset=utf-8, or none if the body
	                        is empty */
	const char *fields;  /* lines "Name: value", sent unchanged. They
	                        replace fields of the same name that the library
	                        would add */
	const char *omit;    /* lines "Name": fields that the library must not
	                        add: Date, Content-Length, Connection ... */

	const void *body;
	size_t body_size; /* 0: strlen(body); retort_size(n): n */
	bool borrowed;    /* do not copy the body: it outlives the server */
	const char *file; /* the body is this file, opened for each reply */
	uint64_t repeat; /* repeat the body up to this number of bytes; 0: no */
	bool echo;       /* the body is the request as it arrived */
	bool raw;        /* the body is the whole reply, including the head,
	                    and nothing is added. Only `parts`, `open`, `next`,
	                    `pause_head`, `pause_end` and `faults` can be given
	                    with it */

	bool chunked;         /* with Transfer-Encoding: chunked */
	const char *chunks;   /* "3 2": the sizes of the first chunks; the rest
	                         is one chunk. Implies chunked */
	const char *trailers; /* lines "Name: value"; implies chunked */
	const char *interim;  /* sent first, unchanged: complete 1xx responses,
	                         with their CRLFs */

	int pause_head;  /* ms before the head */
	int pause_body;  /* ms between head and body */
	int pause_chunk; /* ms between chunks */
	int pause_end;   /* ms before the connection is closed */

	bool close;    /* RETORT_TCP: close the connection after it, instead of
	                  waiting for the next piece */
	bool accepted; /* only in retort_on(), not with RETORT_UDP or
	                  `defer_accept`: answers no request, but greets a
	                  connection when it is accepted. The greeting is the
	                  body or file alone; the first request is read after
	                  it. Its only conditions can be a predicate and
	                  states */
	bool files;    /* only in retort_on(): the files of retort_serve()
	                  answer, with `fields` and `omit` of this rule, or the
	                  reply of retort_answer(), both with `faults` */
	const char *faults;  /* what goes wrong: clauses of retort(5), such as
	                        "cut body 10 reset" or "cut any chance 5%";
	                        NULL: nothing. Those about the reading of the
	                        request are for retort_on() or retort_answer(),
	                        not for a handler */
	char *error;         /* a buffer of RETORT_ERROR_SIZE bytes. It receives
	                        the reason of a failure; NULL: none */
	bool fill;           /* fill in parts of the request, such as {path} or
	                        {query.id}, in `fields`, body and `file`: see
	                        retort(5) */
	uint64_t connection; /* only in retort_reply_later(), whose macro sets
	                        it */
	const char *parts;   /* "5 200, 6 1000": send the first 5 bytes of the
	                        body, wait 200 ms, send 6 more, wait a second,
	                        and send the rest. 0 ms begins a new segment.
	                        With `chunked` each part is a chunk; a client of
	                        HTTP/1.0 gets the body without chunks, up to the
	                        end of the connection. With `raw` all bytes
	                        count */
	enum retort_next next; /* the use of its connection after it */
	bool silent; /* RETORT_TCP, _UDP: send nothing, and wait for the next
	                piece; no other member of a reply can be given with
	                it */

	/* Only in retort_on(). */
	const char *if_body_begins;
	const char *in;
	const char *then_in; /* the states that it sets, in the form of `in` */
	bool open; /* not with RETORT_UDP: the reply does not end with this
	              body, and retort_push() continues it. It is sent in
	              chunks, unless it is `raw` or `fields` has a
	              Content-Length */
	const char *if_nth; /* only in retort_on() */

	/* For a handler that returns RETORT_MORE after the fault "early": the
	   number of bytes of the body with which the rules are tried again,
	   more than it has seen; 0: all of them. */
	uint64_t early;
	int idle; /* not with RETORT_UDP: ms for which the connection is kept
	             after it without another request or piece, instead of
	             `idle_timeout`; 0: `idle_timeout`; -1: for ever */

	/* Only in retort_on(). */
	const char *if_basic;
	const char *if_digest;
	const char *if_proxy_basic;
	const char *if_proxy_digest;
	const char *if_body_glob;
	const char *if_tls;
	const char *if_tunnel;
	bool if_bytes;
	bool if_http;
};

/*
 * Adds a rule:
 *
 *	retort_on(server, "GET /users/1", .body = "{}", .times = 2);
 *
 * Of the rules that fit a request and are not used up, the first of those with
 * the greatest `prefer` answers it. If there is none, the reply of
 * retort_answer() or the files of retort_serve() answer, whichever was called
 * last; otherwise the client gets 501, with a text that names the nearest rule
 * and anything malformed. Returns the number of the rule, from 1, or -errno:
 * -EINVAL, it is malformed, or no request can fit (retort_verdict() says why);
 * -ENOTSUP, a condition needs jansson or OpenSSL; -ENOMEM; -E2BIG.
 *
 * With RETORT_TCP and _UDP a rule answers a piece or datagram with the bytes
 * of its body, file or echo. A piece that no rule answers closes the
 * connection.
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
 * Answers every request that no rule answers with `reply`, or with the files
 * beneath `root` (retort_serve(), below). A later call of either replaces an
 * earlier one. 0, or -errno with a line in `error`:
 * -EINVAL, a field, type or status is malformed; -ENOMEM; -ENOTSUP, `root` is
 * neither a folder nor a regular file; or the error from opening `root` or its
 * `spa`.
 */
RETORT_API int retort_answer_sized(const struct retort_reply *reply,
	size_t size);
#ifndef __cplusplus
#define retort_answer(...) \
	retort_answer_sized(&(const struct retort_reply){.server = \
								 __VA_ARGS__}, \
		sizeof(struct retort_reply))
#endif

/* A scenario, which retort(5) describes: a file or a text. */
struct retort_scenario {
	struct retort *server; /* set by the macro, as is `file` */
	const char *file; /* files that it names are relative to its folder */

	const char *text; /* the scenario itself, instead of `file`. Files that
	                     it names are relative to the working folder */
	size_t size;      /* of the text; 0: strlen(text); retort_size(n): n */
	const char *name; /* of the text, in messages; NULL: "scenario" */
	char **notices;   /* receives a text that the caller frees, with a line
	                     for each correction to a pasted message and for
	                     each probable mistake, or NULL if there are none;
	                     may be NULL */
	char *error;      /* as in struct retort_reply */
	bool again;       /* if it has no mistake, it replaces the rules and
	                     expectations of earlier loads of this file or name.
	                     A rule continues the count of an earlier one with
	                     the same conditions and rank */
};

/*
 * Adds the rules and expectations of a scenario:
 *
 *	retort_load(server, "users.retort");
 *	retort_load(server, .text = "@on GET /\n@echo\n");
 *
 * 0, or -errno with a line "NAME:LINE:COLUMN: ..." in `error`, and then nothing
 * is added: -EINVAL, the scenario is malformed; -ENOMEM; or the error from
 * reading a file.
 */
RETORT_API int retort_load_sized(const struct retort_scenario *scenario,
	size_t size);
#ifndef __cplusplus
#define retort_load(...) \
	retort_load_sized( \
		&(const struct retort_scenario){.server = __VA_ARGS__}, \
		sizeof(struct retort_scenario))
#endif

/*
 * The client of a sweep: makes one request to `url`, or two on one connection
 * if the server has `keep_alive`. Returns 1 if it took the reply, or both, for
 * success; 2 if it did, but with other content than that of the whole reply; 0
 * if not; and < 0 to end the sweep, which returns that value. `fault` is the
 * fault of the reply, or of the second one, as in retort(5); NULL: none. Both
 * texts are valid until it returns. If the sweep has an `ended`, it may begin
 * the client, without waiting for it, and return RETORT_BEGUN.
 */
#define RETORT_BEGUN 3
typedef int retort_client(void *arg, const char *url, const char *fault);

/*
 * Waits until one of the clients that have begun ends, sets *url to the URL
 * that this client was given, and returns what a retort_client would.
 */
typedef int retort_ended_fn(void *arg, const char **url);

/* One reply of a sweep, and what the client took it for. */
struct retort_sweep_point {
	const char *way;   /* "whole", "cut N fin", ...: a line of the report */
	const char *fault; /* its fault; NULL: none */
	uint64_t at;       /* the point N; 0 if it has none */
	int taken;         /* the value that the client returned */
	bool wrong;        /* the client should have returned another */
	size_t done;       /* the number of replies up to this one */
	size_t all;        /* the number of all replies */
	uint64_t head;     /* bytes of the head of the whole reply */
	uint64_t size;     /* bytes of the whole reply */
	const void *bytes; /* its first bytes, at most 65536 */
	size_t byte_count;
	size_t number; /* its place in the order of the report, from 0; with
	                  several servers, replies may end in another order */
};

/* Called for each reply of a sweep, when the client is done with it. */
typedef void retort_sweep_fn(void *arg, const struct retort_sweep_point *point);

/* The sweep of a client. */
struct retort_sweep {
	struct retort *server; /* the macro sets these two */
	retort_client *client;

	void *client_arg;
	char **report;  /* receives a report that the caller frees; or NULL */
	char *error;    /* as in struct retort_reply */
	const char *at; /* the points: "head", "body", "all", N, N-M, "every N",
	                   with commas between them; NULL: all of the head, and
	                   at most 200 of the body. "records", with TLS: five
	                   points within each record, in bytes on the wire; the
	                   client is called once more to find them, with the
	                   whole reply */
	retort_sweep_fn *point; /* or NULL; its `arg` is client_arg */

	/* To run several clients at once: further servers with the same reply,
	   at most 255, with NULL after the last. Each has one client at a time,
	   as `server` has. When each of them has one, `ended` is called, with
	   client_arg. If the sweep fails, clients may be left. */
	struct retort *const *more;
	retort_ended_fn *ended;
};

/*
 * Shows whether a client notices each way in which the reply of retort_answer()
 * can be cut off: calls it with the whole reply; with it cut at each point, by
 * FIN and then by RST; split in two at each point; and byte by byte.
 *
 *	retort_answer(server, .body = "hello\n");
 *	wrong = retort_sweep(server, client, .report = &report);
 *
 * The server has a thread, a TCP listener and no rules, and the reply has its
 * own body, and at most 64 MiB. Returns the number of times that the client was
 * wrong: it took a part for the whole, or did not take the whole. If it does
 * not take the unchanged reply, nothing else is tried. On failure returns
 * -errno with a line in `error`: -EINVAL, such as no points, or more than
 * 65536; -ENOTCONN, the client did not connect, or did not make a second
 * request on its connection.
 */
RETORT_API int retort_sweep_sized(const struct retort_sweep *sweep,
	size_t size);
#ifndef __cplusplus
#define retort_sweep(...) \
	retort_sweep_sized(&(const struct retort_sweep){.server = \
								__VA_ARGS__}, \
		sizeof(struct retort_sweep))
#endif

/*
 * Gives the reply to a request whose handler returned RETORT_LATER:
 *
 *	retort_reply_later(server, exchange->connection, .body = "now\n");
 *
 * 0 or -errno: -ENOENT, there is no such request, or its client has reset the
 * connection.
 */
RETORT_API int retort_reply_later_sized(const struct retort_reply *reply,
	size_t size);
#ifndef __cplusplus
#define retort_reply_later(to, ...) \
	retort_reply_later_sized(&(const struct retort_reply){.server = (to), \
					 .connection = __VA_ARGS__}, \
		sizeof(struct retort_reply))
#endif

/*
 * Continues an `open` reply: copies these bytes and sends them, as a chunk of
 * their own if the reply is in chunks. NULL for `bytes` ends the reply. Any
 * thread may call this, after the request was recorded or retort_reply_later()
 * has opened the reply:
 *
 *	retort_on(server, "GET /events", .type = "text/event-stream",
 *		.open = true);
 *	request = retort_wait(server, "GET /events");
 *	retort_push(server, request->connection, "data: 1\n\n", 9);
 *	retort_push(server, request->connection, NULL, 0);
 *
 * On a connection of pieces (RETORT_TCP, or after RETORT_NEXT_BYTES) without an
 * open reply, the bytes are sent between pieces: at once, or after the reply to
 * the piece that is coming or is being answered. There NULL closes the
 * connection.
 *
 * At most 1 MiB waits for a client. If there is no room for these bytes, the
 * call waits until there is, for at most `timeout` ms (0: not at all; -1: for
 * ever), and steps a stepped server meanwhile; in a callback it never waits.
 *
 * 0 or -errno: -EAGAIN, there is no room yet: try again later; -EPIPE, the
 * client has left, or the reply is over; -ENOENT, the connection has no open
 * reply and is not one of pieces, or a fault cuts off the reply; -EMSGSIZE,
 * more than 1 MiB at once; -ENOMEM.
 */
RETORT_API int retort_push(struct retort *server, uint64_t connection,
	const void *bytes, size_t size, int timeout RETORT_OR(0));
#ifndef __cplusplus
#define retort_push(...) retort_push(RETORT_FIVE(__VA_ARGS__, 0, ))
#endif

/* The media type of a file name extension, which is written without its first
   dot ("html", "tar.gz"); "" is for names without one. The longest extension
   that fits counts; of equal ones, the last. */
struct retort_type {
	const char *extension;
	const char *type;
};

/* How files are served. Everything is copied. */
struct retort_files {
	struct retort *server; /* the macro sets these two */
	const char *root;

	bool dotfiles;      /* serve names that begin with a dot */
	const char *fields; /* as in struct retort_reply */
	const char *omit;
	const struct retort_type *types;
	size_t type_count;
	bool unlisted; /* a folder without index.html gets 403, not a listing */
	bool precompressed; /* serve FILE.br, FILE.zst or FILE.gz for FILE if
	                       Accept-Encoding prefers it and it is not older */
	const char *spa;    /* the file beneath the root that answers GET and
	                       HEAD for paths that do not exist, with 200, if
	                       Accept names text/html; NULL: none */
	uint32_t max_age;   /* seconds of Cache-Control: max-age; 0: no-cache */
	bool follow_links;  /* follow links that lead out of the root; false:
	                       they get 403 */
	bool html;          /* NAME.html answers NAME if there is no file NAME,
	                       even if there is a folder NAME */
	const char *prefix; /* the path of the root, such as "/app", to which /
	                       redirects; other paths get 404; NULL: "/" */
	const char *faults; /* as in struct retort_reply */
	char *error;        /* as in struct retort_reply */
};

RETORT_API int retort_serve_sized(const struct retort_files *files,
	size_t size);
#ifndef __cplusplus
#define retort_serve(...) \
	retort_serve_sized(&(const struct retort_files){.server = \
								__VA_ARGS__}, \
		sizeof(struct retort_files))
#endif

/* --- looking at requests --- */

/*
 * The n-th record, from 1; or NULL. A request is recorded when it arrived
 * whole, was refused, or broke off; a connection on which no byte arrived is
 * not recorded.
 */
RETORT_API const struct retort_exchange *retort_record(struct retort *server,
	size_t n);

/*
 * The number of records that fit. SIZE_MAX: a condition is malformed;
 * retort_verdict() says so, too.
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
 * Waits until `times` requests that fit are recorded (0: one), for at most
 * `timeout` ms (0: 10 seconds; -1: for ever), and returns the last of them, or
 * NULL. Steps a stepped server meanwhile.
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

/* Waits until the exchange of the record ends or, if `exchange` is NULL,
   until no connection is open; returns whether that is so. After the last
   reply a connection stays open until the client closes it, too, for at most
   2 s. `timeout` is in ms; -1: for ever. */
RETORT_API bool retort_wait_end(struct retort *server,
	const struct retort_exchange *exchange, int timeout);

/*
 * A connection as text, which the caller frees: each line has a time in ms, a
 * direction, and bytes or an event. Apart from times and ports, the same
 * exchange gives the same text. NULL: no such connection was recorded, or there
 * is no memory.
 */
RETORT_API char *retort_transcript(struct retort *server, uint64_t connection);

/* --- expectations and verdict --- */

/*
 * Expects requests that fit:
 *
 *	retort_expect(server, "GET /users/1");            one or more
 *	retort_expect(server, "POST /users", .times = 2); exactly two
 *	retort_expect(server, "DELETE", .never = true);   none
 *
 * or at least `least`, at most `most`, or from `least` to `most`. Returns the
 * number of the expectation, or -errno as for retort_on().
 */
RETORT_API int retort_expect_sized(const struct retort_requests *requests,
	size_t size);
#ifndef __cplusplus
#define retort_expect(...) \
	retort_expect_sized( \
		&(const struct retort_requests){.server = __VA_ARGS__}, \
		sizeof(struct retort_requests))
#endif

/* Expects a request that fits the first line of `requests`, after it one that
   fits the second, and so on; others may arrive between them. */
RETORT_API int retort_expect_order(struct retort *server, const char *requests);

/*
 * "" if everything was as expected: each expectation is met; each request that
 * arrived whole was answered by a rule, a reply or a file; none was refused; no
 * rule was malformed; and so on, see retort(3). Otherwise a text that compares
 * what was expected with what arrived, with the nearest misses and the
 * transcripts. Valid until the next call or retort_close().
 */
RETORT_API const char *retort_verdict(struct retort *server);

/* Whether the verdict is "". */
static inline bool
retort_ok(struct retort *server)
{
	return *retort_verdict(server) == '\0';
}

/*
 * The last call of a test: stops the server, gives replies that are under way
 * at most 100 ms, and calls retort_verdict() and retort_close(). Returns true,
 * with *wrong set to NULL, if everything was as expected. Otherwise *wrong
 * (unless `wrong` is NULL) is the verdict, which the caller frees, or NULL if
 * there is no memory for it.
 */
RETORT_API bool retort_done(struct retort *server,
	char **wrong RETORT_OR(NULL));
#ifndef __cplusplus
#define retort_done(...) retort_done(RETORT_TWO(__VA_ARGS__, NULL, ))
#endif

/* What retort_reset() forgets. */
enum retort_part {
	RETORT_TEST,    /* rules, expectations, mistakes and records */
	RETORT_RECORDS, /* records only */
	RETORT_ENDED    /* records whose connections have ended */
};

/*
 * Forgets what one test has set and seen, or only its records:
 *
 *	retort_reset(server);
 *	retort_reset(server, RETORT_RECORDS);
 *
 * The reply of retort_answer() or the files of retort_serve() stay, and so do
 * the counters. Open connections continue; but, except with RETORT_ENDED, a
 * request of which a byte has arrived already is not recorded, and is not
 * answered by rules that are added later.
 */
RETORT_API void retort_reset(struct retort *server,
	enum retort_part part RETORT_OR(RETORT_TEST));
#ifndef __cplusplus
#define retort_reset(...) retort_reset(RETORT_TWO(__VA_ARGS__, RETORT_TEST, ))
#endif

/* --- other functions --- */

/* The formats of a log line. */
enum retort_log {
	RETORT_LOG_SHORT,    /* for people */
	RETORT_LOG_COMMON,   /* Common Log Format */
	RETORT_LOG_JSON,     /* one object */
	RETORT_LOG_COMBINED, /* common, with Referer and User-Agent */
	RETORT_LOG_SCENARIO, /* a rule that gives one request the same faults */
	RETORT_LOG_COLUMNS,  /* short, in columns that line up */
	RETORT_LOG_COLORED   /* the same, with the status in colour */
};

/*
 * Writes one line (RETORT_LOG_SCENARIO: several) to `line`, with its newline
 * and without a NUL, and returns the number of bytes, at most `size`. If there
 * is too little room, the request line is cut (below 512 bytes there is no
 * room for any of it), or a comment takes the place of the rule. A request
 * cannot forge a line or control a terminal.
 */
RETORT_API size_t retort_log_line(const struct retort_exchange *exchange,
	enum retort_log format, char *line, size_t size);

/*
 * The bytes that a line of text stands for, as in a scenario: quoted ones, such
 * as "\"data: 1\\n\"" in C, or a frame of a WebSocket, from a server:
 *
 *	char *frame = retort_bytes_of("@frame text \"hello\"", &size, error);
 *
 *	retort_push(server, request->connection, frame, size);
 *	free(frame);
 *
 * There are *size of them, which may be 0, and a NUL after them; the caller
 * frees them. NULL: the text is malformed, or there is no memory; `error` (NULL
 * or RETORT_ERROR_SIZE bytes) says what was expected.
 */
RETORT_API char *retort_bytes_of(const char *text, size_t *size, char *error);

/* The media type of a file by its name, such as "text/html; charset=utf-8", or
   "application/octet-stream" if the name does not tell. Valid for ever. */
RETORT_API const char *retort_type_of(const char *name);

/* The version of the library, such as "0.1.0". */
RETORT_API const char *retort_version(void);

#ifdef __cplusplus
} /* extern "C" */

/*
 * The same calls in C++, with members in pairs, each with its value:
 *
 *	retort_on(server, "GET /", &retort_reply::body, "hello",
 *		&retort_reply::times, 2u);
 *
 * or, in C++20, in braces, in the order of the struct:
 *
 *	retort_on(server, "GET /", {.times = 2, .body = "hello"});
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
	return retort_start_sized(&options, sizeof options);
}

/* A function of a server and one more argument, which may be left out. */
#define RETORT_CALL(Result, name, Struct, Type, argument) \
	inline Result name(struct retort *server, Type argument = {}, \
		struct Struct call = {}) \
	{ \
		call.server = server; \
		call.argument = argument; \
		return name##_sized(&call, sizeof call); \
	} \
	template <class Value, class... Rest> \
	inline Result name(struct retort *server, Type argument, \
		Value Struct::*member, \
		typename retort_same<Value>::type value, Rest... rest) \
	{ \
		struct Struct call = {}; \
\
		retort_set(call, member, value, rest...); \
		return name(server, argument, call); \
	} \
	template <class Value, class... Rest> \
	inline Result name(struct retort *server, Value Struct::*member, \
		typename retort_same<Value>::type value, Rest... rest) \
	{ \
		struct Struct call = {}; \
\
		retort_set(call, member, value, rest...); \
		return name(server, {}, call); \
	}

RETORT_CALL(int, retort_on, retort_reply, const char *, request)
RETORT_CALL(int, retort_answer, retort_reply, const char *, request)
RETORT_CALL(int, retort_reply_later, retort_reply, uint64_t, connection)
RETORT_CALL(int, retort_serve, retort_files, const char *, root)
RETORT_CALL(int, retort_load, retort_scenario, const char *, file)
RETORT_CALL(int, retort_sweep, retort_sweep, retort_client *, client)
RETORT_CALL(size_t, retort_count, retort_requests, const char *, request)
RETORT_CALL(const struct retort_exchange *, retort_wait, retort_requests,
	const char *, request)
RETORT_CALL(int, retort_expect, retort_requests, const char *, request)
#undef RETORT_CALL
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
#endif

#endif
