/* SPDX-License-Identifier: MIT */
/* Hashes, computed by OpenSSL, which is loaded for that. */
#ifndef RT_TLS_HASH_H
#define RT_TLS_HASH_H

#include <stdbool.h>
#include <stddef.h>

enum rt_hash_kind { RT_HASH_MD5, RT_HASH_SHA256 };

/* Room for a hash in hexadecimal digits, with its NUL. */
#define RT_HASH_HEX 65

struct rt_hash;

/* 0 and *opened; or -errno with a line in `error` that begins with `member`:
   -ENOTSUP, there is no OpenSSL, or this was built without; -ENOMEM. */
int rt_hash_open(struct rt_hash **opened, const char *member, char *error);

/* NULL is allowed. */
void rt_hash_close(struct rt_hash *hash);

/* Begin a hash, add bytes to it, and write it in lower case. False: OpenSSL
   does not compute it. */
bool rt_hash_begin(struct rt_hash *hash, enum rt_hash_kind kind);
bool rt_hash_add(struct rt_hash *hash, const void *bytes, size_t size);
bool rt_hash_end(struct rt_hash *hash, char hex[RT_HASH_HEX]);

#endif
