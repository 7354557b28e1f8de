/* SPDX-License-Identifier: MIT */
/* A server's beginning and end: options, loop, waker and listeners. Called by
   api/. */
#include "config.h"

#include "server/server_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

#define SCRATCH_SIZE (64u << 10)

/* Bytes of a body that are kept, unless max_body says how many. */
#define KEPT_BODY ((size_t)8 << 20)

/* A max_body from here on does not. */
#define MAX_IN ((size_t)1 << 30)

#define MAX_RECORDS (64u << 20)
#define MAX_LEFT (1u << 20)

static int64_t
timeout_of(int ms)
{
	return ms == 0 ? RT_NEVER : ms * RT_MS;
}

/* Checks each option by itself. */
static int
check_ranges(const struct retort_options *options, char *error)
{
	const struct {
		const char *name;
		uint64_t value;
		uint64_t most;
	} limits[] = {
		{"max_head", options->max_head, RT_MAX_HEAD},
		{"max_fields", options->max_fields, RT_MAX_FIELDS},
	};
	const struct {
		const char *name;
		int value;
	} timeouts[] = {
		{"head_timeout", options->head_timeout},
		{"body_timeout", options->body_timeout},
		{"write_timeout", options->write_timeout},
		{"idle_timeout", options->idle_timeout},
	};

	if (options->protocol > RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"protocol: expected RETORT_HTTP, _TCP or _UDP");
	if (options->io > RETORT_IO_POLL)
		return rt_fail(error, -EINVAL,
			"io: expected RETORT_IO_BEST, _EPOLL or _POLL");
	if (options->socket_mode < 0 || options->socket_mode > 0777)
		return rt_fail(error, -EINVAL,
			"socket_mode: expected permissions such as 0660");
	for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++)
		if (timeouts[i].value < 0)
			return rt_fail(error, -EINVAL,
				"%s: expected 0 ms or more", timeouts[i].name);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (limits[i].value > limits[i].most)
			return rt_fail(error, -EINVAL, "%s: at most %llu",
				limits[i].name,
				(unsigned long long)limits[i].most);
	return 0;
}

/* Checks which options go together. */
static int
check_options(const struct retort_options *options, char *error)
{
	if (options->tls && options->tls_later)
		return rt_fail(error, -EINVAL,
			"tls_later: it is instead of tls");
	if (!options->tls && options->tls_fault != NULL)
		return rt_fail(error, -EINVAL, "tls_fault: expected tls, too");
	if (!options->tls && !options->tls_later &&
		(options->tls_cert != NULL || options->tls_key != NULL ||
			options->tls_min || options->tls_max ||
			options->tls_client || options->tls_client_ca != NULL ||
			options->tls_cert_fault != NULL ||
			options->tls_keylog != NULL))
		return rt_fail(error, -EINVAL,
			"tls_cert, tls_key, tls_min, tls_max, tls_client, "
			"tls_client_ca, tls_cert_fault, tls_keylog: "
			"expected tls, too");
	if (options->protocol != RETORT_HTTP && options->keep_alive)
		return rt_fail(error, -EINVAL,
			"keep_alive: it is for RETORT_HTTP");
	if (options->max_exchanges > 0 && !options->keep_alive)
		return rt_fail(error, -EINVAL,
			"max_exchanges: it is for keep_alive");
	if (options->proxy_protocol && options->protocol != RETORT_HTTP)
		return rt_fail(error, -EINVAL,
			"proxy_protocol: it is for RETORT_HTTP");
	/* it would come before the handshake */
	if (options->proxy_protocol && options->tls)
		return rt_fail(error, -EINVAL, "proxy_protocol: not with tls");
	return options->protocol == RETORT_HTTP ?
		rt_route_check_hosts(options->hosts, error) :
		0;
}

static int
configure(struct retort *server, const struct retort_options *options)
{
	struct rt_conn_config *config = &server->config;

	config->protocol = options->protocol;
	config->keep_alive = options->keep_alive;
	config->exchanges = options->max_exchanges;
	config->idle_timeout = timeout_of(options->idle_timeout);
	config->limits = (struct rt_limits){
		.target = options->max_target ? options->max_target : 8u << 10,
		.head = options->max_head ? options->max_head : 64u << 10,
		.fields = options->max_fields ? options->max_fields : 100,
	};
	/* a head, a trailer section or the line of a chunk, and room to
	   receive */
	config->max_in = 2 * config->limits.head + SCRATCH_SIZE;
	server->keep = KEPT_BODY;
	if (options->max_body > 0 && options->max_body < MAX_IN)
		server->keep = (size_t)options->max_body;
	config->head_timeout = timeout_of(options->head_timeout);
	config->body_timeout = timeout_of(options->body_timeout);
	config->write_timeout = timeout_of(options->write_timeout);
	config->scratch_size = SCRATCH_SIZE;
	config->scratch = malloc(SCRATCH_SIZE);
	config->linger = !options->unrecorded;
	config->proxied = options->proxy_protocol;
	if (options->fields != NULL || options->omit != NULL || options->cors)
		config->always = &server->route.always;
	server->recorded = !options->unrecorded;
	server->defer_accept = options->defer_accept;
	rt_journal_init(&server->journal,
		options->max_records ? options->max_records : MAX_RECORDS);
	server->requests = options->requests;
	server->event = options->event;
	server->config.tells = options->event != NULL;
	server->event_all = options->event != NULL && options->event_all;
	server->event_arg = options->event_arg;
	if (config->scratch == NULL)
		return -ENOMEM;
	return rt_route_init(&server->route, options->protocol, options->hosts,
		options->max_body, !options->unrecorded);
}

/* Reads how pieces are framed; datagrams are not. */
static int
read_framing(struct retort *server, const struct retort_options *options,
	char *error)
{
	if (options->framing != NULL && options->protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"framing: a datagram is a piece");
	return rt_framing_read(&server->config.framing, options->framing,
		error);
}

/* Reads the faults of the TLS of connections, which have no reply yet. */
static int
read_tls_faults(struct retort *server, const struct retort_options *options,
	char *error)
{
	char why[RETORT_ERROR_SIZE];
	struct rt_error wrong;

	server->route.tls = options->tls;
	server->route.tls_later = options->tls || options->tls_later;
	if (options->tls_fault == NULL)
		return 0;
	server->tls_faults = rt_faults_new(options->tls_fault, &wrong);
	if (server->tls_faults == NULL)
		return rt_fail(error, -errno, "tls_fault: %s", wrong.text);
	if (rt_faults_check_handshake(server->tls_faults, why) < 0)
		return rt_fail(error, -EINVAL, "tls_fault: %s", why);
	if (server->route.unix_bound && rt_faults_can_reset(server->tls_faults))
		return rt_fail(error, -EINVAL,
			"tls_fault: a Unix socket cannot be reset");
	return 0;
}

static int
open_waker(struct retort *server)
{
	int pair[2];
	int error;

	error = rt_sock_waker(pair);
	if (error < 0)
		return error;
	rt_chan_init(&server->waker, pair[0], RT_KIND_WAKER);
	server->wake_fd = pair[1];
	server->waker.in.verb = RT_TAKE;
	server->waker.in.recv.data = server->wake_bytes;
	server->waker.in.recv.size = sizeof server->wake_bytes;
	return rt_io_wait(server->io, &server->waker);
}

static int
bind_all(struct retort *server, const struct retort_options *options,
	char *error)
{
	static const char *const usual[] = {"127.0.0.1", NULL};
	const char **given =
		options->bind ? rt_text_lines(options->bind) : NULL;
	const char *const *bind = options->bind ? given : usual;
	struct rt_sock *socks;
	size_t count = 0;
	int n;

	while (bind != NULL && bind[count] != NULL)
		count++;
	socks = calloc(2 * count + 1, sizeof *socks);
	server->listeners = calloc(2 * count + 1, sizeof *server->listeners);
	if (bind == NULL || socks == NULL || server->listeners == NULL) {
		n = rt_fail_errno(error, -ENOMEM, "listen");
		goto out;
	}
	n = rt_sock_listen(socks, options->protocol, bind, count, options->port,
		options->socket_mode, error);
	for (int i = 0; i < n; i++) {
		struct rt_listener *listener = server->listeners + i;

		listener->sock = socks[i];
		listener->open = true;
		if (options->tls)
			rt_sock_set_tls(&listener->sock);
		server->route.unix_bound |= socks[i].family == AF_UNIX;
		server->listener_count++;
	}
out:
	free(socks);
	free(given);
	return n < 0 ? n : 0;
}

static int
accept_all(struct retort *server, bool refusing, char *error)
{
	int code;

	for (size_t i = 0; i < server->listener_count; i++) {
		code = rt_server_listen(server, server->listeners + i);
		if (code < 0)
			return rt_fail_errno(error, code,
				server->listeners[i].sock.url);
	}
	code = refusing ? rt_server_refuse(server, true) : 0;
	return code < 0 ? rt_fail_errno(error, code, "refuse") : 0;
}

static int
listen_all(struct retort *server, const struct retort_options *options,
	char *error)
{
	int code = bind_all(server, options, error);

	if (code == 0)
		code = accept_all(server, options->refusing, error);
	if (code < 0)
		rt_server_give_back(server);
	return code;
}

void
rt_server_give_back(struct retort *server)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		struct rt_listener *listener = server->listeners + i;

		if (!listener->sock.borrowed)
			continue;
		rt_io_release(server->io, &listener->chan);
		listener->open = false;
		listener->sock.fd = -1;
	}
}

/* Makes a seed that differs each time. */
static uint64_t
draw_seed(const struct retort *server)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return rt_faults_make_seed((uint64_t)now.tv_sec * 1000000000 +
		(uint64_t)now.tv_nsec + ((uint64_t)(uintptr_t)server << 24));
}

int
rt_server_open(struct retort *server, const struct retort_options *options,
	char *error)
{
	int code = check_ranges(options, error);

	if (code == 0)
		code = check_options(options, error);
	if (code < 0)
		return code;
	if (options->tls || options->tls_later)
		code = rt_tls_open(&server->tls, options, (int64_t)time(NULL),
			error);
	if (code < 0)
		return code;
	code = configure(server, options);
	if (code < 0)
		return rt_fail_errno(error, code, "options");
	code = read_framing(server, options, error);
	if (code < 0)
		return code;
	server->route.kept = options->keep_alive;
	server->route.seed = options->seed ? options->seed : draw_seed(server);
	code = rt_route_set_always(&server->route, options->fields,
		options->omit, options->cors, error);
	if (code < 0)
		return code;
	code = rt_io_open(&server->io, options->io,
		options->sigpipe_ignored && options->unrecorded);
	if (code < 0)
		return rt_fail_errno(error, code, "io");
	code = open_waker(server);
	if (code < 0)
		return rt_fail_errno(error, code, "wake");
	code = listen_all(server, options, error);
	return code < 0 ? code : read_tls_faults(server, options, error);
}

/* Opens the lock, and its condition on the monotonic clock. 0 or -errno. */
static int
open_lock(struct retort *server)
{
	pthread_condattr_t monotonic;
	int error;

	error = pthread_mutex_init(&server->lock, NULL);
	if (error != 0)
		return -error;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	error = pthread_cond_init(&server->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (error != 0)
		(void)pthread_mutex_destroy(&server->lock);
	return -error;
}

struct retort *
rt_server_new(void)
{
	struct retort *server = calloc(1, sizeof *server);

	if (server == NULL)
		return NULL;
	if (open_lock(server) < 0) {
		free(server);
		return NULL;
	}
	rt_owner_begin(&server->owner);
	server->wake_fd = -1;
	server->waker.fd = -1;
	server->stop_by = RT_NEVER;
	server->refuse_until = RT_NEVER;
	server->stop_wanted = RT_NEVER;
	rt_buf_init(&server->left, MAX_LEFT);
	rt_verdict_init(&server->verdict);
	return server;
}

static void
free_spares(struct retort *server)
{
	struct rt_served *served;
	struct rt_buffers *buffers;

	while ((served = server->spare_conns) != NULL) {
		server->spare_conns = served->next;
		free(served);
	}
	while ((buffers = server->spare_buffers) != NULL) {
		server->spare_buffers = buffers->next;
		rt_buffers_free(buffers);
	}
}

/* Frees the rest, once no descriptor is left. */
static void
free_memory(struct retort *server)
{
	free_spares(server);
	rt_route_free(&server->route);
	rt_journal_free(&server->journal);
	rt_verdict_free(&server->verdict);
	rt_buf_free(&server->left);
	while (server->urls != NULL) {
		struct rt_url *next = server->urls->next;

		free(server->urls);
		server->urls = next;
	}
	rt_owner_end(&server->owner);
	rt_tls_close(server->tls);
	rt_faults_free(server->tls_faults);
	free(server->listeners);
	free(server->config.scratch);
	free(server);
}

void
rt_server_free(struct retort *server)
{
	if (server->io != NULL) {
		server->stopping = true;
		rt_server_close_listeners(server);
		rt_server_abandon(server);
	}
	if (server->wake_fd >= 0 && server->wake_fd != server->waker.fd)
		(void)close(server->wake_fd);
	if (server->waker.fd >= 0)
		rt_io_drop(server->io, &server->waker);
	rt_io_close(server->io);
	(void)pthread_cond_destroy(&server->changed);
	(void)pthread_mutex_destroy(&server->lock);
	free_memory(server);
}

/* --- in a fork --- */

static void
close_if_open(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void
free_conns(struct retort *server)
{
	struct rt_served *served;

	while ((served = server->conns) != NULL) {
		server->conns = served->next;
		rt_journal_close(served->record);
		rt_journal_close(served->past);
		rt_server_end_tls(served);
		rt_blob_drop(served->tunnel);
		rt_buffers_free(served->conn.buffers);
		free(served);
	}
}

void
rt_server_disown(struct retort *server, bool consistent)
{
	for (struct rt_served *served = server->conns; served != NULL;
		served = served->next)
		if (!served->conn.chan.shared)
			close_if_open(served->conn.chan.fd);
	for (size_t i = 0; i < server->listener_count; i++) {
		close_if_open(server->listeners[i].sock.fd);
		close_if_open(server->listeners[i].sock.holder);
	}
	close_if_open(server->waker.fd);
	if (server->wake_fd != server->waker.fd)
		close_if_open(server->wake_fd);
	rt_io_leave(server->io);
	if (!consistent)
		return;
	/* neither lock nor condition: others may still wait for them there */
	for (size_t i = 0; i < server->listener_count; i++)
		free(server->listeners[i].sock.unlink);
	rt_io_close(server->io);
	free_conns(server);
	free_memory(server);
}
