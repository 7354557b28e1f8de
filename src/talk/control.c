/* SPDX-License-Identifier: MIT */
/* The clients of --control. If one does not take its answers, nothing more is
   read from it, so that it delays only itself. */
#include "config.h"

#include "talk/control_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "job/clock.h"
#include "talk/sink.h"

/* Bytes that are read at once. */
#define PIECE 65536

/* ms until the next try, if there was no descriptor for another client. */
#define RETRY 100

struct client {
	bool present;    /* otherwise this place is free */
	int in;          /* -1: nothing more arrives */
	struct sink out; /* for answers */
	bool unread;     /* nobody reads them any more */
	bool asks;       /* there is a command that is not answered yet: */
	struct control_command command;
	int64_t began;
	int left; /* ms, after which it is tried again */
	struct control_reader reader;
	struct control_answer answer; /* that is not sent yet */
	size_t sent;
	int in_at; /* places among what is polled; -1: it is not */
	int out_at;
};

struct control {
	struct control_server served;
	struct retort *listener; /* NULL: the one client is at stdin */
	int64_t retry_at;        /* none is accepted before; by clock_ms() */
	int listener_at;         /* its place among what is polled; -1 */
	bool over;
	struct client clients[CONTROL_CLIENTS];
};

/* --- clients --- */

/* Opens a server of the library for its socket, because the library knows how
   to create and remove the file even if several servers begin at once. That
   server is never stepped: we accept. */
static struct retort *
open_listener(const char *path, char *error)
{
	char bind[RETORT_ERROR_SIZE];
	const struct retort_options options = {
		.bind = bind,
		.socket_mode = 0600,
		.unrecorded = true,
		.stepped = true,
		.error = error,
	};

	if (snprintf(bind, sizeof bind, "unix:%s", path) >= (int)sizeof bind) {
		(void)snprintf(error, RETORT_ERROR_SIZE, "%s",
			strerror(ENAMETOOLONG));
		errno = EINVAL;
		return NULL;
	}
	return retort_start_sized(&options, sizeof options);
}

static void
begin_client(struct client *client, int in, int out)
{
	*client = (struct client){.present = true,
		.in = in,
		.out = sink_open(out)};
}

struct control *
control_open(struct retort *server, const char *where, char *error)
{
	struct control *control = calloc(1, sizeof *control);

	(void)snprintf(error, RETORT_ERROR_SIZE, "%s", strerror(ENOMEM));
	if (control == NULL)
		return NULL;
	control->served.server = server;
	if (strcmp(where, "-") == 0) {
		begin_client(&control->clients[0], STDIN_FILENO, STDOUT_FILENO);
		return control;
	}
	control->listener = open_listener(where, error);
	if (control->listener == NULL) {
		int code = errno;

		free(control);
		errno = code;
		return NULL;
	}
	return control;
}

static int
listener_fd(const struct control *control)
{
	return control->listener ? retort_listener(control->listener).fd : -1;
}

/* Finds a place for one more client; NULL: there is none. */
static struct client *
find_room(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (!control->clients[i].present)
			return &control->clients[i];
	return NULL;
}

static void
accept_client(struct control *control)
{
	struct client *client = find_room(control);
	int fd = client ? accept(listener_fd(control), NULL, NULL) : -1;

	if (fd >= 0) {
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		begin_client(client, fd, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		control->retry_at = clock_ms() + RETRY;
	}
}

static bool
is_paused(const struct control *control)
{
	return control->retry_at > 0 && clock_ms() < control->retry_at;
}

static void
end_client(struct control *control, struct client *client)
{
	const int fd = client->out.fd;

	free(client->answer.owned);
	control_reader_free(&client->reader);
	sink_close(&client->out);
	if (control->listener != NULL)
		(void)close(fd);
	else
		control->over = true;
	*client = (struct client){.present = false};
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	/* a client that sees its end finds no socket any more */
	retort_close(control->listener);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].present)
			end_client(control, &control->clients[i]);
	free(control);
}

/* --- answers --- */

static void
drop_answer(struct client *client)
{
	free(client->answer.owned);
	client->answer = (struct control_answer){.text = NULL};
	client->sent = 0;
}

/* Stops answering a client that has left or does not read. */
static void
stop_answering(struct client *client)
{
	client->unread = true;
	drop_answer(client);
}

/* Sends as much of the answer as the client takes. False: there is more. */
static bool
send_answer(struct client *client)
{
	while (client->sent < client->answer.size) {
		size_t left = client->answer.size - client->sent;
		ssize_t n = sink_put(&client->out,
			client->answer.text + client->sent,
			left < PIPE_BUF ? left : PIPE_BUF);

		if (n == -EAGAIN)
			return false;
		if (n < 0) {
			stop_answering(client);
			return true;
		}
		client->sent += (size_t)n;
	}
	drop_answer(client);
	return true;
}

/* --- commands --- */

/* Takes the next command, if the one before it has been answered. */
static bool
take_command(struct client *client)
{
	if (!client->asks) {
		client->asks =
			control_reader_next(&client->reader, &client->command);
		client->began = clock_ms();
	}
	return client->asks;
}

/* Obeys the command. False: it has to wait. */
static bool
obey(struct control *control, struct client *client)
{
	if (*client->command.line == '\0') {
		client->asks = false;
		return true;
	}
	client->left = control_obey(&control->served, &client->command,
		client->began, &client->answer);
	/* nobody waits for it */
	if (client->left > 0 && !client->unread)
		return false;
	client->asks = false;
	control->over = client->answer.stop;
	if (client->unread)
		drop_answer(client);
	return true;
}

static void
step(struct control *control, struct client *client)
{
	while (!control->over && send_answer(client) && take_command(client))
		if (!obey(control, client))
			return;
	if (client->in < 0 && !client->asks && client->answer.size == 0 &&
		control_reader_lacks_end(&client->reader)) {
		client->answer = control_refuse(-ENODATA);
		control_reader_free(&client->reader);
	}
	(void)send_answer(client);
	if (client->in >= 0 || client->asks || client->answer.size > 0)
		return;
	end_client(control, client);
}

void
control_step(struct control *control)
{
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++)
		if (control->clients[i].present)
			step(control, &control->clients[i]);
}

/* --- waiting --- */

/* Adds a descriptor to poll, if there is one, and notes its place. Both ends of
   a socket have one place: poll(2) fails if it is given more places than
   descriptors may be open. */
static size_t
add_polled(struct pollfd *polled, size_t count, int *place, int fd,
	short events)
{
	*place = -1;
	if (fd < 0)
		return count;
	if (count > 0 && polled[count - 1].fd == fd) {
		*place = (int)count - 1;
		polled[count - 1].events |= events;
		return count;
	}
	*place = (int)count;
	polled[count] = (struct pollfd){.fd = fd, .events = events};
	return count + 1;
}

size_t
control_poll(struct control *control, struct pollfd *polled)
{
	size_t count = 0;
	bool room;

	if (control == NULL)
		return 0;
	room = find_room(control) != NULL && !is_paused(control);
	count = add_polled(polled, count, &control->listener_at,
		room ? listener_fd(control) : -1, POLLIN);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];
		bool sends = client->answer.size > 0;
		bool reads = client->present && !client->asks && !sends;
		bool answers = client->present && !client->unread;

		count = add_polled(polled, count, &client->in_at,
			reads ? client->in : -1, POLLIN);
		count = add_polled(polled, count, &client->out_at,
			answers ? client->out.fd : -1, sends ? POLLOUT : 0);
	}
	return count;
}

/* The events of a polled descriptor; 0 if it was not polled. */
static int
events_at(const struct pollfd *polled, int place)
{
	return place >= 0 ? polled[place].revents : 0;
}

static void
read_some(struct client *client)
{
	char bytes[PIECE];
	ssize_t n = read(client->in, bytes, sizeof bytes);
	int code = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		code = control_reader_add(&client->reader, bytes, (size_t)n);
	if (n > 0 && code == 0)
		return;
	client->in = -1;
	/* it would be another command without its beginning */
	if (code < 0)
		client->answer = control_refuse(code);
}

void
control_read(struct control *control, const struct pollfd *polled)
{
	if (control == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];

		if (events_at(polled, client->in_at) != 0)
			read_some(client);
		if ((events_at(polled, client->out_at) &
			    (POLLERR | POLLHUP | POLLNVAL)) != 0)
			stop_answering(client);
	}
	if (events_at(polled, control->listener_at) != 0)
		accept_client(control);
}

int
control_timeout(const struct control *control, int timeout)
{
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++) {
		const struct client *client = &control->clients[i];

		if (client->present && client->asks)
			timeout = clock_sooner(timeout, client->left);
	}
	return control != NULL && is_paused(control) ?
		clock_sooner(timeout, RETRY) :
		timeout;
}

bool
control_over(const struct control *control)
{
	return control != NULL && control->over;
}
