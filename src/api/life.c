/* SPDX-License-Identifier: MIT */
/* The functions of retort.h that open a server, run it, and end it. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "base/error.h"

static void *
run_thread(void *arg)
{
	struct retort *server = arg;
	uintptr_t before;

	lock(server);
	while (!atomic_load(&server->closing) &&
		rt_api_step(server, RT_NEVER) == 0)
		;
	/* here, as callbacks run on this thread */
	before = rt_server_enter(server);
	rt_server_close_listeners(server);
	rt_server_abandon(server);
	rt_server_leave(server, before);
	server->stopping = true;
	server->thread_ended = true;
	(void)pthread_cond_broadcast(&server->changed);
	unlock(server);
	return NULL;
}

/* Creates its thread, which no signal reaches: they are the host's business. 0
   or an errno. */
static int
create_thread(struct retort *server)
{
	sigset_t all;
	int error;

	(void)sigfillset(&all);
#ifdef HAVE_PTHREAD_ATTR_SETSIGMASK_NP
	pthread_attr_t attr;

	error = pthread_attr_init(&attr);
	if (error != 0)
		return error;
	error = pthread_attr_setsigmask_np(&attr, &all);
	if (error == 0)
		error = pthread_create(&server->thread, &attr, run_thread,
			server);
	(void)pthread_attr_destroy(&attr);
#else
	sigset_t before;

	/* which it inherits */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&server->thread, NULL, run_thread, server);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
	return error;
}

static int
start_thread(struct retort *server)
{
	int error;

	lock(server);
	server->threaded = true;
	error = create_thread(server);
	server->threaded = error == 0;
	unlock(server);
	return -error;
}

/* 0, or -errno with a line in `error`. */
static int
begin(struct retort *server, const struct retort_options *options, char *error)
{
	int code = rt_server_open(server, options, error);

	if (code < 0 || options->stepped)
		return code;
	code = start_thread(server);
	if (code < 0) {
		(void)rt_fail_errno(error, code, "thread");
		rt_server_give_back(server);
	}
	return code;
}

struct retort *
retort_start_sized(const struct retort_options *theirs, size_t size)
{
	struct retort_options options;
	char own[RETORT_ERROR_SIZE];
	struct retort *server = NULL;
	int code = rt_api_copy(&options, sizeof options, theirs, size);

	if (options.error == NULL)
		options.error = own;
	*options.error = '\0';
	if (code < 0) {
		(void)rt_fail_errno(options.error, code, "options");
		goto out;
	}
	server = rt_server_new();
	code = server != NULL ? begin(server, &options, options.error) :
				rt_fail_errno(options.error, -ENOMEM, "server");
out:
	if (code >= 0)
		return server;
	retort_close(server);
	errno = -code;
	return NULL;
}

int
retort_step(struct retort *server, int timeout)
{
	int result;

	if (is_elsewhere(server))
		return -EPERM;
	if (server->threaded || is_within(server))
		return -EDEADLK;
	(void)pthread_mutex_lock(&server->lock);
	result = rt_api_step(server, timeout < 0 ? RT_NEVER : timeout * RT_MS);
	rt_api_ring(server);
	(void)pthread_mutex_unlock(&server->lock);
	return result;
}

size_t
retort_pollfds(struct retort *server, struct pollfd *fds, size_t room,
	int *timeout)
{
	int64_t by;
	size_t count;

	*timeout = -1;
	if (is_elsewhere(server) || server->threaded)
		return 0;
	lock(server);
	by = rt_server_deadline(server);
	if (by != RT_NEVER) {
		by -= rt_io_clock(server->io);
		*timeout = rt_poll_ms(by > 0 ? by : 0);
	}
	count = rt_io_pollfds(server->io, fds, room);
	unlock(server);
	return count;
}

int
retort_fd(struct retort *server)
{
	int fd;

	if (is_elsewhere(server))
		return -EPERM;
	if (server->threaded)
		return -EDEADLK;
	lock(server);
	fd = rt_io_pollfd(server->io);
	if (fd >= 0)
		rt_io_ring(server->io, rt_server_deadline(server));
	unlock(server);
	return fd;
}

void
retort_wake(struct retort *server)
{
	if (!is_elsewhere(server))
		rt_server_wake(server);
}

/* --- what the loop does for others --- */

static int
adopt(struct retort *server, void *fd)
{
	rt_server_adopt(server, *(int *)fd);
	return 0;
}

/* 0, or why it cannot be served. */
static int
prepare_connected(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	return rt_sock_set_flags(fd);
}

int
retort_adopt(struct retort *server, int fd)
{
	int result;

	if (is_elsewhere(server))
		return -EPERM;
	result = prepare_connected(fd);
	if (result < 0)
		return result;
	lock(server);
	if (server->config.protocol == RETORT_UDP)
		result = -EPROTOTYPE;
	else
		result = server->stopping ? -ESHUTDOWN :
					    rt_api_call(server, adopt, &fd);
	rt_api_ring(server);
	unlock(server);
	return result;
}

static int
refuse(struct retort *server, void *yes)
{
	server->refuse_until = RT_NEVER;
	return rt_server_refuse(server, *(bool *)yes);
}

int
retort_end(struct retort *server, uint64_t connection, enum retort_ending how)
{
	int code = -EINVAL;

	if (is_elsewhere(server))
		return -EPERM;
	lock(server);
	if (how == RETORT_FIN || how == RETORT_RST)
		code = rt_server_end(server, connection, how);
	if (code == 0)
		rt_server_wake(server);
	unlock(server);
	return code;
}

int
retort_refuse(struct retort *server, bool yes)
{
	int result;

	if (is_elsewhere(server))
		return -EPERM;
	lock(server);
	result = rt_api_call(server, refuse, &yes);
	unlock(server);
	return result;
}

static int
stop(struct retort *server, void *by)
{
	rt_server_stop(server, *(int64_t *)by);
	return 0;
}

void(retort_stop)(struct retort *server, int grace)
{
	int64_t by = rt_api_deadline(grace > 0 ? grace : 0);

	if (is_elsewhere(server))
		return;
	lock(server);
	if (is_within(server)) {
		if (by < server->stop_wanted)
			server->stop_wanted = by;
		/* the loop may sleep, and this is a caller's predicate */
		rt_server_wake(server);
	} else {
		(void)rt_api_call(server, stop, &by);
	}
	rt_api_ring(server);
	unlock(server);
}

/* Leaves the server to the process that was forked. If another thread had the
   lock then, memory cannot be freed. */
static void
leave(struct retort *server)
{
	bool consistent = pthread_mutex_trylock(&server->lock) == 0;

	if (consistent)
		unlock(server);
	rt_server_disown(server, consistent);
}

void
retort_close(struct retort *server)
{
	if (server == NULL)
		return;
	if (is_elsewhere(server)) {
		leave(server);
		return;
	}
	if (server->threaded) {
		/* retort_stop() would wait for the lock and for an answer */
		atomic_store(&server->closing, true);
		rt_server_wake(server);
		(void)pthread_join(server->thread, NULL);
		server->threaded = false;
	}
	rt_server_free(server);
}

/* --- getters --- */

/* Copies our struct to a caller, who knows `size` bytes of it. */
static void
give(void *theirs, size_t size, const void *ours, size_t room)
{
	memset(theirs, 0, size);
	memcpy(theirs, ours, size < room ? size : room);
}

/* Joins "http://127.0.0.1:43121/" and "file". NULL: no memory. */
static struct rt_url *
join(const struct rt_sock *sock, bool tls, const char *path)
{
	const char *base = sock->family != AF_UNIX ? sock->url :
		tls                                ? "https://localhost/" :
						     "http://localhost/";
	size_t size = strlen(base);
	struct rt_url *joined;

	path += *path == '/';
	joined = malloc(sizeof *joined + size + strlen(path) + 1);
	if (joined != NULL) {
		memcpy(joined->text, base, size);
		memcpy(joined->text + size, path, strlen(path) + 1);
	}
	return joined;
}

/* In a fork it does without the lock, which may be held there for ever: nobody
   else is at work. */
const char *(retort_url)(struct retort *server, const char *path)
{
	bool is_ours = !is_elsewhere(server);
	struct rt_url *joined;

	if (server == NULL || server->listener_count == 0)
		return NULL;
	if (path == NULL)
		return server->listeners[0].sock.url;
	if (server->config.protocol != RETORT_HTTP)
		return NULL;
	joined = join(&server->listeners[0].sock, server->route.tls, path);
	if (joined == NULL)
		return NULL;
	if (is_ours)
		lock(server);
	joined->next = server->urls;
	server->urls = joined;
	if (is_ours)
		unlock(server);
	return joined->text;
}

void
retort_listener_sized(struct retort *server, size_t i,
	struct retort_listener *theirs, size_t size)
{
	struct retort_listener ours = {.port = -1, .fd = -1};
	bool is_there = server != NULL && i < server->listener_count;

	if (is_there) {
		const struct rt_sock *sock = &server->listeners[i].sock;

		ours.url = sock->url;
		ours.port = sock->port;
		ours.local = sock->loopback;
	}
	if (is_there && !is_elsewhere(server)) {
		lock(server);
		ours.fd = server->listeners[i].sock.fd;
		unlock(server);
	}
	give(theirs, size, &ours, sizeof ours);
}

const char *
retort_ca(struct retort *server)
{
	return server != NULL ? rt_tls_ca(server->tls) : NULL;
}

/* With the lock held: the connections that were cut off, as text. NULL: none
   were. */
static const char *
cut_off(struct retort *server)
{
	const char *text;

	if (server->left.len == 0)
		return NULL;
	text = rt_buf_text(&server->left);
	return text ? text : "more than can be told";
}

void
retort_stats_sized(struct retort *server, struct retort_stats *theirs,
	size_t size)
{
	struct retort_stats ours = {.cut_off = elsewhere(server)};

	if (!is_elsewhere(server)) {
		lock(server);
		rt_api_look(server);
		ours.replies = server->answered;
		ours.accepted = server->number;
		ours.shortages = server->shortages;
		ours.connections = server->open;
		ours.expectations = server->verdict.count;
		ours.cut_off = cut_off(server);
		unlock(server);
	}
	give(theirs, size, &ours, sizeof ours);
}

const char *
retort_version(void)
{
	return PACKAGE_VERSION;
}
