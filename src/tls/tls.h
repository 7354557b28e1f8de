/* SPDX-License-Identifier: MIT */
/*
 * TLS between a channel and a connection, which does not know of it.
 *
 * A connection wants bytes received and sent, as its channel says: the plain
 * channel. Its struct rt_tls wants others received and sent, as its own channel
 * says, the one that the loop knows: the wire. Like a connection it makes no
 * system call: it is told what has arrived and what was sent on the wire, and
 * does by that what the plain channel wants.
 *
 *	conn/          plain bytes        tls/          wire bytes        os/io
 *	RT_RECV  <---- rt_tls_try() ----        <---- rt_tls_done() ---- RT_RECV
 *	RT_SEND  ---------------------> records ------------------------> RT_SEND
 *	RT_FINISH --------------------> close_notify --> RT_SEND, RT_FINISH
 *
 * OpenSSL is loaded by rt_tls_open(), and nobody else knows it.
 */
#ifndef RT_TLS_H
#define RT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/io.h"
#include "retort.h"
#include "tls/wire.h"

/* The most plain bytes of a record. */
#define RT_TLS_RECORD ((size_t)16 << 10)

struct ssl_st; /* OpenSSL's */
struct bio_st;

/* The part of TLS that all connections of a server share. */
struct rt_tls_server;

/*
 * Loads OpenSSL, and makes or reads certificates as `options` say, which are
 * valid around `now` (s since the epoch). 0 and *opened; or -errno with a line
 * in `error`: -ENOTSUP, there is no OpenSSL, or this was built without.
 */
int rt_tls_open(struct rt_tls_server **opened,
	const struct retort_options *options, int64_t now, char *error);
void rt_tls_close(struct rt_tls_server *server);

/* The CA of its certificate, in PEM, valid until rt_tls_close(). NULL: the
   certificate is from a file, or there is no server. */
const char *rt_tls_ca(const struct rt_tls_server *server);

/* From now on notes in `ends` where records of plain bytes end, each as a
   uint64_t, in bytes since the last rt_tls_edit(). NULL: no more. */
void rt_tls_note_ends(struct rt_tls_server *server, struct rt_buf *ends);

/* The facts of a connection after its handshake; NULL and false before. */
struct rt_tls_facts {
	const char *version; /* these two and `alpn` live for ever */
	const char *cipher;
	const char *alpn;
	const char *sni;    /* in `texts` */
	const char *client; /* the subject of its certificate; in `texts` */
	bool resumed;
	struct rt_blob *texts; /* a copy of these facts shares it */
};

/* The TLS of one connection. */
struct rt_tls {
	struct rt_chan wire; /* first: the loop returns it */
	void *owner;
	struct rt_tls *beneath; /* the owner's: another one, whose plain channel
	                           this wire is; NULL: none */
	const struct rt_tls_server *server;
	struct ssl_st *ssl;
	struct bio_st *bio_in;  /* wire bytes that arrived, for OpenSSL */
	struct bio_st *bio_out; /* those that it wrote: they go through */
	struct rt_wire edits;   /* these, to */
	struct rt_buf out;      /* the bytes that are being sent */
	size_t sent;            /* of `out` */
	size_t taken;           /* plain bytes of the operation whose records
	                           are in `out`, or sent */
	struct rt_buf file;     /* plain bytes of a RT_FILE */
	bool ready;             /* the handshake is done; */
	uint64_t shook_in;      /* wire bytes that arrived until then, */
	uint64_t shook_out;     /* and that were to be sent */
	bool telling;           /* a RT_TELL is made, but has not left, or was
	                           not answered */
	bool notified;          /* the peer was told that no more will arrive */
	bool ended;             /* no more wire bytes will arrive */
	int64_t failed;         /* -errno: there is nothing more to be done */
	int64_t until;          /* nothing more is sent before; 0 */
	bool flushed;           /* all that is before a hold has left; */
	bool not_yet;           /* it had not, when the kernel was last asked */
	bool cut;               /* the wire was: what is wanted is done without
	                           TLS, and what arrives is dropped */
	int how;                /* as the edit has it */
	const char *why;        /* it failed by TLS itself; lives for ever */
	struct rt_tls_facts facts;
};

/* The server's side of a connection; `kind` is its channel's. NULL: no
   memory. */
struct rt_tls *rt_tls_new(const struct rt_tls_server *server, int fd, int kind,
	void *owner);

/* Lets a connection resume sessions of its own number only. As each number is
   unique, each connection has a full handshake, even if it has a ticket. */
void rt_tls_resume_none(struct rt_tls *tls, uint64_t number);

/* Makes these edits to all bytes that are sent from now on: rt_wire_take(). */
bool rt_tls_edit(struct rt_tls *tls, struct rt_wire_list *list);

/* Adds wire bytes that arrived before TLS began. False: no memory. */
bool rt_tls_feed(struct rt_tls *tls, const char *bytes, size_t size);

/* Frees it, and leaves its descriptor open. NULL is allowed. */
void rt_tls_free(struct rt_tls *tls);

/*
 * Performs an operation of the plain channel, as rt_io_try() does, and sets its
 * result: RT_IN_DONE or RT_OUT_DONE. 0: none can be done before the operations
 * of the wire, which this has set, are done; before `until`; or before others
 * are wanted. If the wire was `cut`, it may be that none can ever be done.
 */
unsigned rt_tls_try(struct rt_tls *tls, struct rt_chan *plain, int64_t now);

/* Call this when rt_io_try() says that an operation of the wire is done. If it
   was one of the plain channel, passed on, returns that it is done; else 0. */
unsigned rt_tls_done(struct rt_tls *tls, struct rt_chan *plain, unsigned done);

/*
 * If the plain channel wants bytes of a file sent that have not been read:
 * room for RT_TLS_RECORD of them, and then rt_tls_read() of how many there
 * are. NULL: none are wanted now.
 */
char *rt_tls_room(struct rt_tls *tls, const struct rt_chan *plain);
void rt_tls_read(struct rt_tls *tls, size_t size);

#endif
