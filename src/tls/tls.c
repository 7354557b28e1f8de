/* SPDX-License-Identifier: MIT */
/*
 * One connection's TLS: between OpenSSL, which reads wire bytes from memory and
 * writes others there, and the two channels. Makes no system call.
 */
#include "config.h"

#include "tls/tls_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* The most wire bytes that are kept to be sent: a record, and what OpenSSL
   writes by itself, such as certificates. */
#define MAX_OUT ((size_t)1 << 20)

/* The time until the kernel is asked again whether all that was sent has
   left. */
#define FLUSH_PAUSE (1 * RT_MS)

/* The longest subject of a client's certificate that is shown. */
#define MAX_SUBJECT 1024

/* --- beginning and end --- */

static int
open_ssl(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;

	tls->ssl = ssl->SSL_new(tls->server->context);
	tls->bio_in = ssl->BIO_new(ssl->BIO_s_mem());
	tls->bio_out = ssl->BIO_new(ssl->BIO_s_mem());
	if (tls->ssl == NULL || tls->bio_in == NULL || tls->bio_out == NULL) {
		ssl->BIO_free(tls->bio_in);
		ssl->BIO_free(tls->bio_out);
		return -ENOMEM;
	}
	/* which owns them from now on */
	ssl->SSL_set_bio(tls->ssl, tls->bio_in, tls->bio_out);
	ssl->SSL_set_accept_state(tls->ssl);
	/* for the key log alone, as it costs an allocation */
	if (tls->server->keylog >= 0 &&
		ssl->SSL_set_ex_data(tls->ssl, 0, tls) != 1)
		return -ENOMEM;
	return 0;
}

struct rt_tls *
rt_tls_new(const struct rt_tls_server *server, int fd, int kind, void *owner)
{
	struct rt_tls *tls = calloc(1, sizeof *tls);

	if (tls == NULL)
		return NULL;
	rt_chan_init(&tls->wire, fd, kind);
	tls->owner = owner;
	tls->server = server;
	rt_buf_init(&tls->out, MAX_OUT);
	rt_buf_init(&tls->file, RT_TLS_RECORD);
	if (open_ssl(tls) < 0) {
		rt_tls_free(tls);
		return NULL;
	}
	return tls;
}

void
rt_tls_free(struct rt_tls *tls)
{
	if (tls == NULL)
		return;
	tls->server->ssl.SSL_free(tls->ssl);
	rt_wire_free(&tls->edits);
	rt_buf_free(&tls->out);
	rt_buf_free(&tls->file);
	rt_blob_drop(tls->facts.texts);
	free(tls);
}

void
rt_tls_resume_none(struct rt_tls *tls, uint64_t number)
{
	(void)tls->server->ssl.SSL_set_session_id_context(tls->ssl,
		(const unsigned char *)&number, sizeof number);
}

bool
rt_tls_edit(struct rt_tls *tls, struct rt_wire_list *list)
{
	if (tls->server->ends != NULL)
		rt_buf_clear(tls->server->ends, SIZE_MAX);
	return rt_wire_take(&tls->edits, list);
}

bool
rt_tls_feed(struct rt_tls *tls, const char *bytes, size_t size)
{
	const struct rt_openssl *ssl = &tls->server->ssl;

	return size == 0 ||
		ssl->BIO_write(tls->bio_in, bytes, (int)size) == (int)size;
}

/* --- OpenSSL --- */

/* Takes the bytes that OpenSSL has written, to send them: during the handshake
   they are a flight. */
static void
collect(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	size_t before = tls->out.len;
	char *bytes;
	long size = ssl->BIO_ctrl(tls->bio_out, BIO_CTRL_INFO, 0, &bytes);

	if (size <= 0)
		return;
	if (!rt_wire_pass(&tls->edits, &tls->out, bytes, (size_t)size,
		    !tls->ready))
		tls->failed = -ENOMEM;
	if (!tls->ready)
		tls->shook_out += tls->out.len - before;
	(void)ssl->BIO_ctrl(tls->bio_out, BIO_CTRL_RESET, 0, NULL);
}

/* The results of a call that may need more from the peer. */
enum result { DONE, MORE, END, FAILED };

static enum result
judge(struct rt_tls *tls, int code)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	enum result result = DONE;

	switch (ssl->SSL_get_error(tls->ssl, code)) {
	case SSL_ERROR_NONE:
		break;
	case SSL_ERROR_WANT_READ:
		result = tls->ended ? END : MORE;
		break;
	case SSL_ERROR_ZERO_RETURN:
		result = END;
		break;
	default:
		tls->failed = -EPROTO;
		tls->why = rt_openssl_why(ssl);
		result = FAILED;
		break;
	}
	/* the queue of errors is the thread's, and not ours alone; to clear it
	   costs more than to look */
	if (ssl->ERR_peek_error() != 0)
		ssl->ERR_clear_error();
	collect(tls);
	return tls->failed < 0 ? FAILED : result;
}

/* Adds the subject "NAME" or "", with its NUL. */
static void
add_subject(struct rt_tls *tls, struct rt_buf *to)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	X509 *cert = ssl->SSL_get1_peer_certificate(tls->ssl);
	BIO *text = ssl->BIO_new(ssl->BIO_s_mem());
	char *room;
	int size;

	if (cert != NULL && text != NULL &&
		ssl->X509_NAME_print_ex(text, ssl->X509_get_subject_name(cert),
			0, XN_FLAG_RFC2253) >= 0 &&
		(room = rt_buf_reserve(to, MAX_SUBJECT)) != NULL) {
		size = ssl->BIO_read(text, room, MAX_SUBJECT);
		to->len += size > 0 ? (size_t)size : 0;
	}
	rt_buf_add(to, "", 1);
	ssl->BIO_free(text);
	ssl->X509_free(cert);
}

/* Copies the two texts that OpenSSL may free. */
static void
learn_texts(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	struct rt_tls_facts *facts = &tls->facts;
	const char *sni =
		ssl->SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
	struct rt_buf texts;
	const char *end;

	rt_buf_init(&texts, MAX_SUBJECT + 1024);
	rt_buf_add_text(&texts, sni ? sni : "");
	rt_buf_add(&texts, "", 1);
	add_subject(tls, &texts);
	if (!texts.failed)
		facts->texts = rt_blob_new(texts.data, texts.len, false);
	rt_buf_free(&texts);
	if (facts->texts == NULL)
		return;
	end = facts->texts->data + strlen(facts->texts->data) + 1;
	facts->sni = end > facts->texts->data + 1 ? facts->texts->data : NULL;
	facts->client = *end != '\0' ? end : NULL;
}

static void
learn(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	struct rt_tls_facts *facts = &tls->facts;
	const unsigned char *alpn;
	unsigned size;

	tls->ready = true;
	facts->version = ssl->SSL_get_version(tls->ssl);
	facts->cipher =
		ssl->SSL_CIPHER_get_name(ssl->SSL_get_current_cipher(tls->ssl));
	facts->resumed = ssl->SSL_session_reused(tls->ssl) != 0;
	ssl->SSL_get0_alpn_selected(tls->ssl, &alpn, &size);
	facts->alpn = size > 0 ? "http/1.1" : NULL;
	learn_texts(tls);
}

static void
plan_receiving(struct rt_tls *tls)
{
	struct rt_op *wire = &tls->wire.in;

	wire->verb = RT_RECV;
	wire->recv.data = (char *)(uintptr_t)tls->server->wire;
	wire->recv.size = sizeof tls->server->wire;
}

/* --- outward --- */

/* Whether everything was sent. */
static bool
is_flushed(const struct rt_tls *tls)
{
	return tls->sent == tls->out.len && rt_wire_hold(&tls->edits) == NULL;
}

static void
note_end(struct rt_tls *tls)
{
	const uint64_t end = tls->edits.bytes - tls->edits.begun;

	rt_buf_add(tls->server->ends, &end, sizeof end);
}

/*
 * Encrypts bytes. During another handshake the client has to finish that first.
 */
static void
write_plain(struct rt_tls *tls, const void *bytes, size_t size)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	enum result result = judge(tls,
		ssl->SSL_write_ex(tls->ssl, bytes, size, &tls->taken));

	if (result != DONE)
		tls->taken = 0;
	if (result == DONE && tls->server->ends != NULL)
		note_end(tls);
	if (result == MORE)
		plan_receiving(tls);
	if (result == END)
		tls->failed = -ECONNRESET;
}

/* Encrypts as many bytes of the operation as fit in a record. */
static void
write_pieces(struct rt_tls *tls, const struct rt_op *op)
{
	char *plain = (char *)(uintptr_t)tls->server->plain;
	size_t size = 0;

	for (int i = 0; i < op->send.count && size < RT_TLS_RECORD; i++) {
		const struct iovec *piece = op->send.pieces + i;
		size_t left = RT_TLS_RECORD - size;

		if (piece->iov_len < left)
			left = piece->iov_len;
		memcpy(plain + size, piece->iov_base, left);
		size += left;
	}
	write_plain(tls, plain, size);
}

static void
notify(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;

	tls->notified = true;
	if (tls->ready && ssl->SSL_shutdown(tls->ssl) < 0)
		(void)judge(tls, -1);
	else
		collect(tls);
}

/* Changes the keys: in TLS 1.3 those of both sides; earlier versions ask the
   client to shake hands again. */
static void
rekey(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	int done;

	if (ssl->SSL_version(tls->ssl) == TLS1_3_VERSION) {
		done = ssl->SSL_key_update(tls->ssl, SSL_KEY_UPDATE_REQUESTED);
	} else {
		(void)ssl->SSL_clear_options(tls->ssl, SSL_OP_NO_RENEGOTIATION);
		done = ssl->SSL_renegotiate(tls->ssl);
	}
	if (done == 1)
		done = ssl->SSL_do_handshake(tls->ssl);
	(void)judge(tls, done);
}

/* Whether the client has still to answer. What it sent before its answer, and
   after it, is left to be received. */
static bool
is_answer_due(struct rt_tls *tls)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	enum result result;
	size_t size = 0;
	char byte;

	if (ssl->SSL_version(tls->ssl) == TLS1_3_VERSION ||
		!ssl->SSL_renegotiate_pending(tls->ssl))
		return false;
	result = judge(tls, ssl->SSL_peek_ex(tls->ssl, &byte, 1, &size));
	if (result == MORE)
		plan_receiving(tls);
	if (result == END)
		tls->failed = -ECONNRESET;
	return result != DONE && ssl->SSL_renegotiate_pending(tls->ssl) != 0;
}

/* Sends close_notify. More may be sent after it, as if it had not been sent. */
static void
tell_end(struct rt_tls *tls)
{
	notify(tls);
	tls->server->ssl.SSL_set_shutdown(tls->ssl, 0);
}

static unsigned
try_tell(struct rt_tls *tls, struct rt_op *op)
{
	if (!tls->telling && op->tell == RT_TELL_END)
		tell_end(tls);
	else if (!tls->telling)
		rekey(tls);
	tls->telling = true;
	if (tls->failed < 0 || is_answer_due(tls) || !is_flushed(tls))
		return 0;
	tls->telling = false;
	op->result = 0;
	return RT_OUT_DONE;
}

/*
 * Reports that the operation outward is done: all its records are on their way.
 */
static unsigned
finish_sending(struct rt_tls *tls, struct rt_op *op)
{
	op->result = (int64_t)tls->taken;
	tls->taken = 0;
	tls->file.len = 0;
	return RT_OUT_DONE;
}

/* Makes records of the bytes of the operation. An operation without bytes is
   passed on when all records were sent. */
static unsigned
try_out(struct rt_tls *tls, struct rt_op *op)
{
	struct rt_op *wire = &tls->wire.out;

	switch (op->verb) {
	case RT_SEND:
	case RT_FILE:
		if (tls->taken > 0)
			return is_flushed(tls) ? finish_sending(tls, op) : 0;
		if (op->verb == RT_SEND)
			write_pieces(tls, op);
		else if (tls->file.len > 0)
			write_plain(tls, tls->file.data, tls->file.len);
		break;
	case RT_FINISH:
		if (!tls->notified && !op->bare)
			notify(tls);
		if (is_flushed(tls))
			wire->verb = RT_FINISH;
		break;
	case RT_FLUSH:
		if (is_flushed(tls))
			wire->verb = RT_FLUSH;
		break;
	case RT_TELL:
		return try_tell(tls, op);
	default: /* the owner's to do */
		break;
	}
	return 0;
}

/* Whether a FIN, or the rest of the operation, follows at once. */
static bool
has_more(const struct rt_tls *tls, const struct rt_op *plain)
{
	if (plain->verb == RT_FINISH || tls->taken == 0)
		return plain->verb == RT_FINISH;
	return (plain->verb == RT_SEND && plain->more) ||
		tls->taken < rt_op_size(plain);
}

/* Whether everything was sent, but may not have left the machine yet. */
static bool
is_flush_due(struct rt_tls *tls, int64_t now)
{
	if (tls->flushed)
		return false;
	if (tls->not_yet)
		tls->until = now + FLUSH_PAUSE;
	tls->not_yet = false;
	if (tls->until == 0 || now >= tls->until) {
		tls->until = 0;
		tls->wire.out.verb = RT_FLUSH;
	}
	return true;
}

/* Does what a hold wants. False: it is not over yet. */
static bool
obey(struct rt_tls *tls, const struct rt_hold *hold, int64_t now)
{
	if (is_flush_due(tls, now))
		return false;
	if (hold->act == RT_WIRE_CUT) {
		tls->cut = true;
		tls->how = hold->how;
		return false;
	}
	if (hold->act == RT_WIRE_PAUSE && tls->until == 0)
		tls->until = now + hold->time;
	if (now < tls->until)
		return false;
	tls->until = 0;
	tls->flushed = false;
	rt_wire_obeyed(&tls->edits);
	return true;
}

/* Plans to send as far as the next hold, or what that hold wants. */
static void
plan_sending(struct rt_tls *tls, const struct rt_op *plain, int64_t now)
{
	struct rt_op *wire = &tls->wire.out;
	const struct rt_hold *hold;
	size_t end;

	while ((hold = rt_wire_hold(&tls->edits)) != NULL &&
		hold->at == tls->sent)
		if (!obey(tls, hold, now))
			return;
	end = hold != NULL ? hold->at : tls->out.len;
	if (end == tls->sent)
		return;
	wire->verb = RT_SEND;
	wire->more = hold == NULL && has_more(tls, plain);
	wire->send.count = 1;
	wire->send.pieces[0].iov_base = tls->out.data + tls->sent;
	wire->send.pieces[0].iov_len = end - tls->sent;
}

/* --- inward --- */

static unsigned
try_in(struct rt_tls *tls, struct rt_op *op)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	size_t size = 0;
	enum result result;

	if (op->verb != RT_RECV)
		return 0;
	result = judge(tls,
		ssl->SSL_read_ex(tls->ssl, op->recv.data, op->recv.size,
			&size));
	if (result == MORE)
		plan_receiving(tls);
	if (result == MORE || result == FAILED)
		return 0;
	op->result = result == END ? 0 : (int64_t)size;
	return RT_IN_DONE;
}

/* --- both --- */

/* Fails the operations of both directions, after the peer was told why. */
static unsigned
give_up(struct rt_tls *tls, struct rt_chan *plain, int64_t now)
{
	if (!is_flushed(tls) && tls->failed == -EPROTO) {
		plan_sending(tls, &plain->out, now);
		return 0;
	}
	if (plain->out.verb != RT_NOTHING) {
		plain->out.result = tls->failed;
		return RT_OUT_DONE;
	}
	if (plain->in.verb != RT_NOTHING) {
		plain->in.result = tls->failed;
		return RT_IN_DONE;
	}
	return 0;
}

/* Continues the handshake. False: it is not done. */
static bool
shake_hands(struct rt_tls *tls, struct rt_chan *plain, unsigned *done)
{
	const struct rt_openssl *ssl = &tls->server->ssl;
	enum result result = judge(tls, ssl->SSL_do_handshake(tls->ssl));

	*done = 0;
	if (result == DONE)
		learn(tls);
	if (result == MORE)
		plan_receiving(tls);
	/* the client has left: that is all that there is to be known */
	if (result == END && plain->out.verb != RT_NOTHING) {
		tls->failed = -ECONNRESET;
	} else if (result == END) {
		plain->in.result = 0;
		*done = RT_IN_DONE;
	}
	return result == DONE;
}

/* Passes the end of the connection on, after TLS has ended. */
static unsigned
pass_on(struct rt_tls *tls, const struct rt_chan *plain)
{
	if (plain->out.verb == RT_FINISH || plain->out.verb == RT_FLUSH)
		tls->wire.out.verb = plain->out.verb;
	if (plain->in.verb == RT_RECV)
		plan_receiving(tls);
	return 0;
}

unsigned
rt_tls_try(struct rt_tls *tls, struct rt_chan *plain, int64_t now)
{
	bool wanted =
		plain->in.verb != RT_NOTHING || plain->out.verb != RT_NOTHING;
	unsigned done = 0;

	tls->wire.in.verb = RT_NOTHING;
	tls->wire.out.verb = RT_NOTHING;
	if (tls->cut)
		return pass_on(tls, plain);
	if (tls->failed == 0 && wanted &&
		(tls->ready || shake_hands(tls, plain, &done))) {
		done = try_out(tls, &plain->out);
		if (done == 0 && tls->failed == 0)
			done = try_in(tls, &plain->in);
	}
	if (tls->failed < 0)
		return give_up(tls, plain, now);
	if (done == 0 && !is_flushed(tls))
		plan_sending(tls, &plain->out, now);
	return done;
}

static void
sent(struct rt_tls *tls, int64_t result)
{
	if (result < 0) {
		tls->failed = result;
		return;
	}
	tls->sent += (size_t)result;
	if (!is_flushed(tls))
		return;
	rt_buf_clear(&tls->out, 2 * RT_TLS_RECORD);
	rt_wire_sent(&tls->edits);
	tls->sent = 0;
}

/* Notes whether everything before a hold has left the machine. */
static void
flushed(struct rt_tls *tls, int64_t result)
{
	if (result < 0 && result != -EAGAIN)
		tls->failed = result;
	tls->flushed = result == 0;
	tls->not_yet = result == -EAGAIN;
}

/* After a cut, only the end of the incoming bytes is of interest. */
static unsigned
dropped(const struct rt_tls *tls, struct rt_chan *plain)
{
	plain->in.result = tls->wire.in.result;
	return plain->in.result > 0 ? 0 : RT_IN_DONE;
}

static void
received(struct rt_tls *tls, int64_t result)
{
	const struct rt_openssl *ssl = &tls->server->ssl;

	if (result < 0)
		tls->failed = result;
	else if (result == 0)
		tls->ended = true;
	else if (ssl->BIO_write(tls->bio_in, tls->server->wire, (int)result) !=
		result)
		tls->failed = -ENOMEM;
	if (result > 0 && !tls->ready)
		tls->shook_in += (uint64_t)result;
}

unsigned
rt_tls_done(struct rt_tls *tls, struct rt_chan *plain, unsigned done)
{
	const struct rt_op *out = &tls->wire.out;

	if (done & RT_IN_DONE) {
		if (tls->cut)
			return dropped(tls, plain);
		received(tls, tls->wire.in.result);
		return 0;
	}
	if (out->verb == RT_SEND) {
		sent(tls, out->result);
		return 0;
	}
	if (out->verb == RT_FLUSH && rt_wire_hold(&tls->edits) != NULL &&
		!tls->cut) {
		flushed(tls, out->result);
		return 0;
	}
	plain->out.result = out->result;
	return RT_OUT_DONE;
}

char *
rt_tls_room(struct rt_tls *tls, const struct rt_chan *plain)
{
	char *room;

	if (plain->out.verb != RT_FILE || !tls->ready || tls->failed < 0 ||
		tls->taken > 0 || tls->file.len > 0)
		return NULL;
	room = rt_buf_reserve(&tls->file, RT_TLS_RECORD);
	if (room == NULL)
		tls->failed = -ENOMEM;
	return room;
}

void
rt_tls_read(struct rt_tls *tls, size_t size)
{
	assert(size <= RT_TLS_RECORD);
	tls->file.len = size;
}
