/* SPDX-License-Identifier: MIT */
/*
 * The logins in Authorization and Proxy-Authorization (RFC 9110 11.4): user and
 * password of Basic (RFC 7617), the parameters of Digest (RFC 7616), and the
 * response that these should have. Pure.
 */
#ifndef RT_LOGIN_H
#define RT_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "tls/tls_hash.h"

/* Most bytes of such a field that are looked at. */
#define RT_LOGIN_BYTES 4096u

/* Takes the scheme off the field's value; the rest, without blanks around it,
   is what it says. */
struct rt_word rt_login_scheme(const char *value, struct rt_word *rest);

/* "USER:PASSWORD" of Basic, decoded into `room` for as many bytes. False: it is
   none. */
bool rt_login_basic(struct rt_word said, char *room, struct rt_word *user,
	struct rt_word *password);

/* The parameters of Digest, of a login or of a challenge. */
enum rt_digest_name {
	RT_DIGEST_USERNAME,
	RT_DIGEST_REALM,
	RT_DIGEST_NONCE,
	RT_DIGEST_OPAQUE,
	RT_DIGEST_ALGORITHM,
	RT_DIGEST_QOP,
	RT_DIGEST_URI,
	RT_DIGEST_RESPONSE,
	RT_DIGEST_CNONCE,
	RT_DIGEST_NC,
	RT_DIGEST_USERHASH,
	RT_DIGEST_STALE,
	RT_DIGEST_DOMAIN,
	RT_DIGEST_CHARSET,
	RT_DIGEST_NAMES /* how many there are */
};

struct rt_digest {
	struct rt_word of[RT_DIGEST_NAMES]; /* unquoted; .text NULL: it did not
	                                       come */
	struct rt_word unknown; /* the name of the first that is none of them;
	                           .text NULL */
	const char *wrong;      /* what was expected at byte `at`; NULL */
	size_t at;
	size_t used; /* bytes of the values */
};

/* The name of a parameter. */
const char *rt_digest_name(enum rt_digest_name name);

/* Reads "name=value, name="value"", whose values go to `room` for as many
   bytes. False: `wrong` says why. */
bool rt_digest_read(struct rt_digest *digest, const char *text, size_t size,
	char *room);

/* Reads more of it, with the same room. */
bool rt_digest_read_more(struct rt_digest *digest, const char *text,
	size_t size, char *room);

/* An algorithm that is computed. */
struct rt_algorithm {
	const char *name;
	enum rt_hash_kind kind;
	bool session; /* "-sess" */
};

/* That of a digest, which is MD5 if it names none; NULL: it is not computed. */
const struct rt_algorithm *rt_digest_algorithm(const struct rt_digest *digest);

/* The response of that user with that password to a request of that method.
   False: OpenSSL does not compute it. */
bool rt_digest_response(const struct rt_digest *digest, struct rt_hash *hash,
	struct rt_word user, struct rt_word password, const char *method,
	char hex[RT_HASH_HEX]);

#endif
