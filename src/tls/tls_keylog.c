/* SPDX-License-Identifier: MIT */
/* The key log: a line for each secret of a connection, with which other
   programs read what went over the wire. It is off by default. */
#include "config.h"

#include "tls/tls_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/error.h"

/* Writes the line at once: the client may append to the same file. */
static void
log_key(const SSL *connection, const char *line)
{
	const struct rt_tls *tls = rt_openssl_owner(connection);
	struct iovec pieces[] = {
		{(void *)(uintptr_t)line, strlen(line)},
		{(void *)(uintptr_t) "\n", 1},
	};

	if (tls != NULL && writev(tls->server->keylog, pieces, 2) < 0)
		return; /* it lacks a line, and nothing else */
}

int
rt_tls_log_keys(struct rt_tls_server *server, const char *file, char *error)
{
	const char *why = NULL;
	struct stat found;

	/* never a FIFO, which would block, or raise a signal */
	server->keylog = open(file,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY |
			O_NONBLOCK,
		0600);
	if (server->keylog < 0 || fstat(server->keylog, &found) < 0)
		why = strerror(errno);
	else if (!S_ISREG(found.st_mode))
		why = "expected a regular file";
	if (why != NULL)
		return rt_fail(error, -EINVAL, "tls_keylog '%.100s': %s", file,
			why);
	server->ssl.SSL_CTX_set_keylog_callback(server->context, log_key);
	return 0;
}
