/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of the room tls: the server's side of a connection, and
 * OpenSSL's own client at the other end, in memory.
 */
#ifndef TLS_PAIR_H
#define TLS_PAIR_H

#include <openssl/ssl.h>

#include "support/harness.h"
#include "tls/tls.h"

#define NOW INT64_C(1764400000) /* some time in 2025 */

/* A client's options. */
struct client {
	int min; /* versions; 0: whatever it has */
	int max;
	const char *alpn; /* as it is on the wire; NULL: none */
	const char *sni;
	const char *ca;     /* PEM; NULL: it takes any certificate */
	const char *host;   /* what it verifies; NULL: nothing */
	X509 *cert;         /* its own; NULL: none */
	EVP_PKEY *key;      /* of that */
	SSL_SESSION *again; /* to be resumed; NULL */
};

struct pair {
	struct rt_tls_server *server;
	struct rt_tls *tls;
	struct rt_chan plain;
	char room[RT_TLS_RECORD];
	SSL_CTX *context;
	SSL *client;
	BIO *to; /* the client reads this */
	BIO *from;
	size_t split_in;  /* bytes that come first, on their own; 0: all */
	size_t split_out; /* and that are sent first */
	size_t came;      /* wire bytes so far, in either direction */
	size_t went;
	int64_t now;
	bool cut;  /* after `split_in` bytes the client is gone */
	bool more; /* of the wire's last RT_SEND */
};

/* A server with these options; fails unless there is one. */
struct rt_tls_server *open_server(const struct retort_options *options);

/* One without options, for all tests of a case. */
extern const struct retort_options plain_options;
extern struct rt_tls_server *shared;
void open_shared(void);
void close_shared(void);

/* The client's side of it, and the server's. */
void open_pair(struct pair *pair, struct rt_tls_server *server,
	const struct client *client);
void close_pair(struct pair *pair);

/* What the plain channel is to want. */
void want_recv(struct pair *pair, size_t size);
void want_send(struct pair *pair, const void *bytes, size_t size, bool more);
void want(struct pair *pair, enum rt_verb out);

/* Carries bytes both ways until something is done that the plain channel
   wanted, or nothing can be: as rt_tls_try(). */
unsigned carry(struct pair *pair);

/* The handshake of both, and a byte from the client; false: it failed. */
bool shake(struct pair *pair);

/* The client sends this; the server gets it all. */
void exchange_in(struct pair *pair, const char *text);

/* The server sends this; the client gets it all. */
void exchange_out(struct pair *pair, const void *bytes, size_t size);

/* What the client reads next: bytes; 0: close_notify; < 0: -SSL_ERROR_... */
int client_reads(struct pair *pair, void *bytes, int size);

#endif
