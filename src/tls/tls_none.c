/* SPDX-License-Identifier: MIT */
/* The room tls of a build without OpenSSL: there is no such connection. */
#include "config.h"

#include "tls/tls.h"

#include <errno.h>

#include "base/error.h"
#include "tls/tls_hash.h"

int
rt_tls_open(struct rt_tls_server **opened, const struct retort_options *options,
	int64_t now, char *error)
{
	(void)opened;
	(void)options;
	(void)now;
	return rt_fail(error, -ENOTSUP, "tls: this was built without OpenSSL");
}

void
rt_tls_close(struct rt_tls_server *server)
{
	(void)server;
}

const char *
rt_tls_ca(const struct rt_tls_server *server)
{
	(void)server;
	return NULL;
}

void
rt_tls_note_ends(struct rt_tls_server *server, struct rt_buf *ends)
{
	(void)server;
	(void)ends;
}

struct rt_tls *
rt_tls_new(const struct rt_tls_server *server, int fd, int kind, void *owner)
{
	(void)server;
	(void)fd;
	(void)kind;
	(void)owner;
	return NULL;
}

void
rt_tls_free(struct rt_tls *tls)
{
	(void)tls;
}

void
rt_tls_resume_none(struct rt_tls *tls, uint64_t number)
{
	(void)tls;
	(void)number;
}

bool
rt_tls_edit(struct rt_tls *tls, struct rt_wire_list *list)
{
	(void)tls;
	rt_wire_clear(list);
	return true;
}

unsigned
rt_tls_try(struct rt_tls *tls, struct rt_chan *plain, int64_t now)
{
	(void)now;
	(void)tls;
	(void)plain;
	return 0;
}

unsigned
rt_tls_done(struct rt_tls *tls, struct rt_chan *plain, unsigned done)
{
	(void)tls;
	(void)plain;
	(void)done;
	return 0;
}

bool
rt_tls_feed(struct rt_tls *tls, const char *bytes, size_t size)
{
	(void)tls;
	(void)bytes;
	(void)size;
	return false;
}

char *
rt_tls_room(struct rt_tls *tls, const struct rt_chan *plain)
{
	(void)tls;
	(void)plain;
	return NULL;
}

void
rt_tls_read(struct rt_tls *tls, size_t size)
{
	(void)tls;
	(void)size;
}

int
rt_hash_open(struct rt_hash **opened, const char *member, char *error)
{
	(void)opened;
	return rt_fail(error, -ENOTSUP, "%s: this was built without OpenSSL",
		member);
}

void
rt_hash_close(struct rt_hash *hash)
{
	(void)hash;
}

bool
rt_hash_begin(struct rt_hash *hash, enum rt_hash_kind kind)
{
	(void)hash;
	(void)kind;
	return false;
}

bool
rt_hash_add(struct rt_hash *hash, const void *bytes, size_t size)
{
	(void)hash;
	(void)bytes;
	(void)size;
	return false;
}

bool
rt_hash_end(struct rt_hash *hash, char hex[RT_HASH_HEX])
{
	(void)hash;
	*hex = '\0';
	return false;
}
