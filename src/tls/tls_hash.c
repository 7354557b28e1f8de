/* SPDX-License-Identifier: MIT */
/* Hashes for the logins of requests. Called by match/ and http/login.c. */
#include "config.h"

#include "tls/tls_hash.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "tls/tls_parts.h"

struct rt_hash {
	struct rt_openssl ssl;
	EVP_MD_CTX *context;
};

int
rt_hash_open(struct rt_hash **opened, const char *member, char *error)
{
	struct rt_hash *hash = calloc(1, sizeof *hash);
	int code;

	if (hash == NULL)
		return rt_fail_errno(error, -ENOMEM, member);
	code = rt_openssl_load(&hash->ssl, member, error);
	if (code == 0) {
		hash->context = hash->ssl.EVP_MD_CTX_new();
		if (hash->context == NULL)
			code = rt_fail_errno(error, -ENOMEM, member);
	}
	if (code < 0)
		rt_hash_close(hash);
	else
		*opened = hash;
	return code;
}

void
rt_hash_close(struct rt_hash *hash)
{
	if (hash == NULL)
		return;
	if (hash->context != NULL)
		hash->ssl.EVP_MD_CTX_free(hash->context);
	rt_openssl_unload(&hash->ssl);
	free(hash);
}

/* Removes OpenSSL's errors, which nobody else should see. */
static bool
done(struct rt_hash *hash, int result)
{
	if (result != 1)
		hash->ssl.ERR_clear_error();
	return result == 1;
}

bool
rt_hash_begin(struct rt_hash *hash, enum rt_hash_kind kind)
{
	const EVP_MD *type = kind == RT_HASH_MD5 ? hash->ssl.EVP_md5() :
						   hash->ssl.EVP_sha256();

	return done(hash,
		hash->ssl.EVP_DigestInit_ex(hash->context, type, NULL));
}

bool
rt_hash_add(struct rt_hash *hash, const void *bytes, size_t size)
{
	return size == 0 ||
		done(hash,
			hash->ssl.EVP_DigestUpdate(hash->context, bytes, size));
}

bool
rt_hash_end(struct rt_hash *hash, char hex[RT_HASH_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char value[EVP_MAX_MD_SIZE];
	unsigned count = 0;

	if (!done(hash,
		    hash->ssl.EVP_DigestFinal_ex(hash->context, value, &count)))
		return false;
	for (unsigned i = 0; i < count && 2 * i + 2 < RT_HASH_HEX; i++) {
		*hex++ = digits[value[i] >> 4];
		*hex++ = digits[value[i] & 0xf];
	}
	*hex = '\0';
	return true;
}
