/* SPDX-License-Identifier: MIT */
/*
 * One connection: a state machine that makes no system call.
 *
 * It is told what happened (bytes received, bytes sent, time passed) and says
 * what it wants next in its channel's `in`, `out` and `deadline`, and in
 * `asks` what its owner must decide:
 *
 *	        accepted
 *	           |
 *	          IDLE ---- FIN, time-out ------------------------.
 *	           | a byte                                       |
 *	          HEAD --- refused, FIN, time-out --.             |
 *	           | head complete: asks ROUTE      |             |
 *	          BODY --- refused, FIN, time-out --+             |
 *	           | request complete               |             |
 *	           '------> asks ANSWER, REFUSE <---'             |
 *	                     ^  |  | rt_conn_defer()              |
 *	          deadline | '--|- WAIT --- reset ----------------+
 *	                        | rt_conn_answer()                |
 *	                      REPLY --- reset, time-out ----------+
 *	                        | script at its end               |
 *	                      FINISH (FIN)                        |
 *	  all was read, and |      | bytes may be unread, or come |
 *	    little was sent |      | while the reply is on its way|
 *	                    |    DRAIN --- FIN, bound ------------+
 *	                    '-------------------------------------+
 *	                                                          v
 *	                                                        OVER
 *
 * When asked to ROUTE, the owner may choose to be asked for an early ANSWER, in
 * the middle of the body. What the client still sends is then read and dropped,
 * while the reply is sent and after it. If such a connection is kept, REPLY
 * waits for the end of the body, too.
 *
 * A greeting is a reply before the first byte, and so is what is said later,
 * between pieces.
 *
 * Without HTTP a piece takes the place of a request. HEAD means that a part of
 * one has arrived; a FIN or time-out there makes that the last piece. While its
 * reply is sent, nothing is read.
 *
 * RT_STEP_NEXT leads from REPLY back to IDLE, where a FIN leads to FINISH, and
 * so does a time-out, if much was sent. It says what the connection speaks from
 * then on. If bytes of the next request have arrived already, the connection
 * asks for the NEXT first. With HTTP, or when HTTP follows, the exchange ends
 * there, and before that it is DONE.
 *
 * The FIN may have gone with the last bytes of the reply: then FINISH is over
 * when it begins. What TLS says before it may have to wait, as a reply does.
 *
 * RT_STEP_STALL stays in REPLY until the client leaves, and RT_STEP_HALF in
 * DRAIN, without a bound. `rest` says what a connection waits for besides its
 * peer.
 *
 * A datagram begins with its one piece, and its channel only sends: see
 * conn_datagram.c.
 */
#ifndef RT_CONN_H
#define RT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "conn/framing.h"
#include "fault/fault.h"
#include "http/http.h"
#include "os/io.h"
#include "reply/reply.h"
#include "reply/reply_play.h"
#include "retort.h"

/*
 * Bytes that the client still sends are read and dropped, so that it gets to
 * see its reply, although it may read that only when it has sent everything.
 * This goes on, after the FIN, until nothing has arrived for RT_DRAIN_IDLE, but
 * for RT_DRAIN_TIME and, after the first RT_DRAIN_IDLE, RT_DRAIN_BYTES at most.
 * A body after an early reply, on a connection that is kept, has no more than
 * RT_DRAIN_BYTES, or is dropped so.
 *
 * When more than RT_SENT_AT_ONCE was sent, the client may still send while the
 * kernel waits to send the rest: more segments than these ten have to be
 * acknowledged first (RFC 6928). Once the socket is closed, the answer to one
 * byte would be a RST, and the rest would be lost.
 */
#define RT_DRAIN_BYTES (UINT64_C(1) << 30)
#define RT_DRAIN_IDLE (2000 * RT_MS)
#define RT_DRAIN_TIME (30000 * RT_MS)
#define RT_SENT_AT_ONCE UINT64_C(14600)

/* Shared by all connections of a server. */
struct rt_conn_config {
	enum retort_protocol protocol; /* of each connection, at first */
	struct rt_framing framing;     /* without HTTP */
	struct rt_limits limits;
	bool keep_alive;      /* HTTP: one request after another */
	uint64_t exchanges;   /* at most, on a kept connection; 0: any number */
	int64_t idle_timeout; /* ns between them; RT_NEVER: none */
	int64_t head_timeout;
	int64_t body_timeout;
	int64_t write_timeout;
	bool proxied;  /* a PROXY header comes first, and names the client */
	bool tells;    /* somebody wants to know the bytes of bodies */
	bool linger;   /* after the reply, wait for the client's end as well */
	size_t max_in; /* wire bytes of a request held at once, but for those
	                  of its body that are kept */
	const struct rt_always *always; /* fields of all replies; NULL */
	char *scratch;                  /* where dropped bytes go */
	size_t scratch_size;
};

/*
 * The buffers of a request and its reply. A connection borrows them from its
 * owner when it receives its first bytes, so that an idle one costs none.
 */
struct rt_buffers {
	struct rt_buf in; /* wire bytes: the head, and the part of the body
	                          that is kept */
	size_t parsed;    /* bytes of `in` that were parsed, */
	uint64_t dropped; /* and bytes after the kept ones, dropped since */
	struct rt_buf content; /* of a chunked body, as far as it is kept */
	bool overdue;          /* no more of the request is waited for */
	bool shows_all;        /* of one that is refused its owner sees all that
	                          has arrived, */
	size_t shown;          /* or these bytes of one that is incomplete; 0:
	                          all */
	size_t keep;           /* at most this many bytes of the body are
	                          kept, */
	size_t keep_raw;       /* and this many as they arrive, in `in` */
	size_t charged;        /* the owner's: bytes that it has counted */
	struct rt_http *http;
	struct rt_request *request; /* what it makes of them */
	struct rt_reply reply;
	struct rt_play play;    /* of it */
	struct rt_address from; /* of a datagram */
	struct rt_reading reading;
	struct rt_buffers *next; /* the owner's */
};

/* NULL: no memory. */
struct rt_buffers *rt_buffers_new(void);
void rt_buffers_free(struct rt_buffers *buffers);

enum rt_state {
	RT_STATE_IDLE,
	RT_STATE_HEAD,
	RT_STATE_BODY,
	RT_STATE_WAIT,
	RT_STATE_REPLY,
	RT_STATE_FINISH,
	RT_STATE_DRAIN,
	RT_STATE_OVER
};

/* Questions to the owner; rt_conn_answer() answers each of them but TELL, DONE
   and NEXT. */
enum rt_ask {
	RT_ASK_NOTHING,
	RT_ASK_ROUTE,  /* the head is complete: rt_conn_want_body(), or
	                  rt_conn_refuse() */
	RT_ASK_GREET,  /* a greeting: nothing has arrived */
	RT_ASK_ANSWER, /* the answer to the request */
	RT_ASK_REFUSE, /* the refusal with `status`, for `reason` */
	RT_ASK_TELL,   /* bytes of the body have arrived, which will be dropped:
	                  rt_conn_told() */
	RT_ASK_DONE,   /* the exchange is over, and the connection is kept, or
	                  TLS begins: rt_conn_done() */
	RT_ASK_NEXT,   /* bytes that have arrived already begin the next
	                  request: rt_conn_next() */
	RT_ASK_HALT,   /* nothing more is read, by rt_conn_set_reading() */
	RT_ASK_IGNORE, /* a datagram must not be answered, or a piece cannot
	                  be, for `reason` */
	RT_ASK_SEND,   /* a deferred answer is there: see rt_conn_replied() */
	RT_ASK_MORE,   /* bytes of an open reply: rt_conn_give() */
	RT_ASK_SAY     /* bytes between pieces */
};

/* A connection can rest, that is, wait for something else than its peer. */
enum rt_rest {
	RT_REST_NOTHING,
	RT_REST_CONTINUE, /* before it sends 100 (Continue) */
	RT_REST_BODY,     /* before it reads more of the body */
	RT_REST_MORE      /* for bytes of an open reply: rt_conn_pushed() */
};

/* The bytes that a client may still send, and who wants them. */
enum rt_coming {
	RT_COMING_REQUEST, /* the request, or the rest of it */
	RT_COMING_NOTHING, /* its FIN was received */
	/* and while it is answered: */
	RT_COMING_BODY,     /* the rest of the body, which is read for nobody;
	                       then the next request */
	RT_COMING_NEXT,     /* that alone, which waits until the reply was sent;
	                       or the next piece */
	RT_COMING_UNWANTED, /* they are read and dropped */
	RT_COMING_UNREAD    /* they stay where they are */
};

struct rt_conn {
	struct rt_chan chan; /* what it wants */
	enum rt_ask asks;
	enum rt_ask asked; /* the last question but SEND: what is answered */
	enum rt_state state;
	enum retort_end end; /* when OVER, or from when it is known */
	int status;          /* why the request is refused; 0 */
	struct rt_peer peer; /* here it leaves no gap */
	const char *reason;
	enum retort_protocol protocol; /* what it speaks now */
	const struct rt_conn_config *config;
	struct rt_buffers *buffers; /* NULL: none are lent */
	int64_t accepted;
	int64_t began; /* the exchange: when the connection was accepted, or
	                  the first byte of a later exchange arrived */
	int64_t moved; /* when the last byte in the present state moved */
	int64_t until; /* when it asks (WAIT) or tries (REPLY) again; 0 */
	int64_t idle_timeout; /* that of its last reply, or of `config` */
	union {
		int64_t retry;       /* ns before a datagram was tried again */
		int64_t drain_began; /* for others, when the FIN was sent */
	};
	uint64_t received; /* bytes of the exchange, or of all pieces */
	uint64_t sent;     /* the same, including interim replies */
	uint64_t ended;    /* requests or pieces of exchanges that are over */
	uint64_t nth;      /* the last request or piece that has begun, from 1;
	                      0: none has */
	uint64_t max_body;
	uint64_t drained;
	uint64_t sent_in_all; /* bytes of all exchanges since TLS began */
	uint8_t interim_left; /* bytes of 100 (Continue) to be sent */
	bool local;           /* a Unix socket, which cannot be reset */
	uint16_t named_by;    /* bytes of its PROXY header; 0: none was taken */
	enum rt_rest rest;
	enum rt_coming coming;
	bool complete;      /* the request is complete */
	bool truncated;     /* the datagram arrived truncated, */
	bool answered;      /* and something was sent for it */
	bool last;          /* no further piece is waited for */
	bool may_have_more; /* bytes may be unread: the last receive filled
	                       its room, or the reply takes time */
	bool still_sending; /* it still sent when the connection was closed */
	bool client_first;  /* the client was the first to close */
	enum retort_ending client_close;
	enum retort_ending server_close;
};

void rt_conn_open(struct rt_conn *conn, int fd, const struct rt_peer *peer,
	const struct rt_conn_config *config, int64_t now);

/* Lends buffers, which are clear, to an IDLE connection; takes them back, and
   clears them, while it is IDLE or OVER. */
int rt_conn_lend(struct rt_conn *conn, struct rt_buffers *buffers);
struct rt_buffers *rt_conn_unlend(struct rt_conn *conn);

/* Asks for a greeting, before anything else. */
void rt_conn_greet(struct rt_conn *conn);

/* Takes its one datagram, and asks for the answer; `reason`: why there can be
   none, or NULL. */
void rt_conn_datagram(struct rt_conn *conn, const struct rt_op *in,
	const char *reason);

/* The content of the request's body so far, without chunks, as far as it is
   kept. */
const char *rt_conn_body(const struct rt_conn *conn, size_t *size);

/* The bytes of the request at the beginning of buffers->in as they arrived, as
   far as they are kept; and whether there were more. */
size_t rt_conn_raw(const struct rt_conn *conn, bool *cut);

/* The results of the channel's operations. */
void rt_conn_in_done(struct rt_conn *conn, int64_t result, int64_t now);
void rt_conn_out_done(struct rt_conn *conn, int64_t result, int64_t now);
void rt_conn_expired(struct rt_conn *conn, int64_t now);

/* Whether the kernel has made no room for the time of the reply; and when the
   client last took some of what it holds. */
bool rt_conn_is_held_up(const struct rt_conn *conn, int64_t now);
void rt_conn_took(struct rt_conn *conn, int64_t when);

void rt_conn_broken(struct rt_conn *conn);
void rt_conn_ended(struct rt_conn *conn);

/*
 * When asked to ROUTE: the body is wanted, at most `max` bytes of it; of these
 * the first `keep` are kept with the head, and the others dropped.
 */
void rt_conn_want_body(struct rt_conn *conn, uint64_t max, size_t keep,
	int64_t now);

/* From now on at most `most` bytes are kept, or those that are already. */
void rt_conn_keep(struct rt_conn *conn, size_t most);

/* When asked to ROUTE, before rt_conn_want_body(): how the body is read. */
void rt_conn_set_reading(struct rt_conn *conn,
	const struct rt_reading *reading);

/* When asked for an early answer: the body is wanted, all of it (0), or this
   many bytes, which are more than there were. */
void rt_conn_read_on(struct rt_conn *conn, uint64_t size, int64_t now);

/* When asked to TELL. */
void rt_conn_told(struct rt_conn *conn);

/* When asked to ROUTE: the request is refused. */
void rt_conn_refuse(struct rt_conn *conn, int status, const char *reason);

/*
 * When asked to REFUSE: all of the head, and of the body what was taken, is
 * wanted, however it was cut on its way. False: more of the head is to arrive,
 * and it asks again.
 */
bool rt_conn_see_refused(struct rt_conn *conn);

/*
 * When asked to REFUSE: whether more of it can arrive; and it is wanted,
 * whatever it is: it asks again when some has, or when no more can.
 */
bool rt_conn_may_read_refused(const struct rt_conn *conn);
void rt_conn_read_refused(struct rt_conn *conn, int64_t now);

/* Whatever it asks for is in buffers->reply. */
void rt_conn_answer(struct rt_conn *conn, int64_t now);

/*
 * When asked to GREET, ANSWER, REFUSE or NEXT: it takes longer; asks again when
 * `until` is past, and asks to SEND once rt_conn_replied() says that it is
 * there.
 */
void rt_conn_defer(struct rt_conn *conn, int64_t until);
void rt_conn_replied(struct rt_conn *conn);

/* Whether the connection may be kept after the reply that it asks for. */
enum rt_keep rt_conn_may_keep(const struct rt_conn *conn);

/*
 * When asked for MORE: bytes, which stay until it asks again, and whether they
 * are the last. Without either it waits, and asks again after rt_conn_pushed().
 */
void rt_conn_give(struct rt_conn *conn, const char *bytes, size_t size,
	bool ends, int64_t now);
void rt_conn_pushed(struct rt_conn *conn);

/* Whether bytes may be said between pieces: now, or as soon as the reply that
   is under way was sent; and to ask for them, now. */
bool rt_conn_may_say(const struct rt_conn *conn);
bool rt_conn_is_between_pieces(const struct rt_conn *conn);
void rt_conn_say(struct rt_conn *conn);

/* When it is DONE: whether an exchange is over, and whether what comes from now
   on is TLS. */
bool rt_conn_ends_exchange(const struct rt_conn *conn);
bool rt_conn_begins_tls(const struct rt_conn *conn);

/* The bytes that have arrived already for what follows; and forgets them. */
const char *rt_conn_rest(const struct rt_conn *conn, size_t *size);
void rt_conn_drop_rest(struct rt_conn *conn);

/* When an exchange is DONE, and when asked for the NEXT. */
void rt_conn_done(struct rt_conn *conn, int64_t now);
void rt_conn_next(struct rt_conn *conn, int64_t now);

/* When asked to ANSWER a complete piece: it goes on with the next one. */
void rt_conn_more(struct rt_conn *conn);

/* Whether all was read and sent, so that nothing but the client's end is waited
   for, and nobody is in a hurry about that. */
bool rt_conn_lingers(const struct rt_conn *conn);

/* Whether it waits for another request, or piece, than its first. */
static inline bool
rt_conn_is_kept(const struct rt_conn *conn)
{
	return conn->state == RT_STATE_IDLE && conn->nth > 0;
}

static inline bool
rt_conn_is_http(const struct rt_conn *conn)
{
	return conn->protocol == RETORT_HTTP;
}

/* Whether no exchange is under way on a kept connection. */
static inline bool
rt_conn_is_between(const struct rt_conn *conn)
{
	return conn->ended > 0 && conn->ended == conn->nth;
}

/* Whether bytes that arrive after the request are for what follows its
   reply. */
static inline bool
rt_conn_takes_next(const struct rt_conn *conn)
{
	return conn->coming == RT_COMING_NEXT || conn->coming == RT_COMING_BODY;
}

/* When the exchange began of which bytes arrive now. */
static inline int64_t
rt_conn_began(const struct rt_conn *conn, int64_t now)
{
	return rt_conn_is_between(conn) ? now : conn->began;
}

/* Nothing more can be said: whatever it does, it goes on with this ending of a
   script, unless it has ended. It has buffers. */
void rt_conn_cut(struct rt_conn *conn, enum rt_step_kind ending);

/* There can be no answer: the connection is over. */
void rt_conn_fail(struct rt_conn *conn);

/*
 * The server stops. What arrived only in part ends at once. When enough replies
 * were begun, so does a request that waits for its own; when it was told to,
 * that may still be answered, but pauses and drains end.
 */
enum rt_stop { RT_STOP_ENOUGH, RT_STOP_TOLD };
void rt_conn_stop(struct rt_conn *conn, enum rt_stop why);

/* Ends it now, whatever it does; the same, as somebody wants it. */
void rt_conn_abandon(struct rt_conn *conn);
void rt_conn_end_now(struct rt_conn *conn, enum retort_ending how);

#endif
