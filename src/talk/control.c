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
	bool here;       /* there is one */
	int in;          /* -1: it has finished */
	struct sink out; /* it takes answers there, */
	bool deaf;       /* or not any more */
	bool asks;       /* for this, which is not answered yet: */
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
	struct control_server of;
	struct retort *door; /* where clients come in; NULL: there is one */
	int64_t shut_until;  /* by clock_ms() */
	int door_at;
	bool over;
	struct client clients[CONTROL_CLIENTS];
};

/* --- clients --- */

/* Opens a server of the library for its socket, because the library knows how
   to create and remove the file even if several servers begin at once. That
   server is never stepped: we accept. */
static struct retort *
open_door(const char *path, char *error)
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
enter(struct client *client, int in, int out)
{
	*client =
		(struct client){.here = true, .in = in, .out = sink_open(out)};
}

struct control *
control_open(struct retort *server, const char *where, char *error)
{
	struct control *control = calloc(1, sizeof *control);

	(void)snprintf(error, RETORT_ERROR_SIZE, "%s", strerror(ENOMEM));
	if (control == NULL)
		return NULL;
	control->of.server = server;
	if (strcmp(where, "-") == 0) {
		enter(&control->clients[0], STDIN_FILENO, STDOUT_FILENO);
		return control;
	}
	control->door = open_door(where, error);
	if (control->door == NULL) {
		int code = errno;

		free(control);
		errno = code;
		return NULL;
	}
	return control;
}

static int
door_fd(const struct control *control)
{
	return control->door ? retort_listener(control->door).fd : -1;
}

/* Finds a place for one more client; NULL: there is none. */
static struct client *
find_room(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (!control->clients[i].here)
			return &control->clients[i];
	return NULL;
}

static void
let_in(struct control *control)
{
	struct client *client = find_room(control);
	int fd = client ? accept(door_fd(control), NULL, NULL) : -1;

	if (fd >= 0) {
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		enter(client, fd, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		control->shut_until = clock_ms() + RETRY;
	}
}

static bool
is_shut(const struct control *control)
{
	return control->shut_until > 0 && clock_ms() < control->shut_until;
}

static void
leave(struct control *control, struct client *client)
{
	const int fd = client->out.fd;

	free(client->answer.owned);
	control_reader_free(&client->reader);
	sink_close(&client->out);
	if (control->door != NULL)
		(void)close(fd);
	else
		control->over = true;
	*client = (struct client){.here = false};
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	/* who sees its end finds no socket any more */
	retort_close(control->door);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].here)
			leave(control, &control->clients[i]);
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
turn_deaf(struct client *client)
{
	client->deaf = true;
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
			turn_deaf(client);
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
	client->left = control_obey(&control->of, &client->command,
		client->began, &client->answer);
	/* nobody waits for it */
	if (client->left > 0 && !client->deaf)
		return false;
	client->asks = false;
	control->over = client->answer.stop;
	if (client->deaf)
		drop_answer(client);
	return true;
}

static void
step(struct control *control, struct client *client)
{
	while (!control->over && send_answer(client) && take_command(client))
		if (!obey(control, client))
			return;
	(void)send_answer(client);
	if (client->in >= 0 || client->asks || client->answer.size > 0)
		return;
	leave(control, client);
}

void
control_step(struct control *control)
{
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++)
		if (control->clients[i].here)
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
	room = find_room(control) != NULL && !is_shut(control);
	count = add_polled(polled, count, &control->door_at,
		room ? door_fd(control) : -1, POLLIN);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];
		bool sends = client->answer.size > 0;
		bool reads = client->here && !client->asks && !sends;
		bool listens = client->here && !client->deaf;

		count = add_polled(polled, count, &client->in_at,
			reads ? client->in : -1, POLLIN);
		count = add_polled(polled, count, &client->out_at,
			listens ? client->out.fd : -1, sends ? POLLOUT : 0);
	}
	return count;
}

/* The events of a polled descriptor; 0 if it was not polled. */
static int
came(const struct pollfd *polled, int place)
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

		if (came(polled, client->in_at) != 0)
			read_some(client);
		if ((came(polled, client->out_at) &
			    (POLLERR | POLLHUP | POLLNVAL)) != 0)
			turn_deaf(client);
	}
	if (came(polled, control->door_at) != 0)
		let_in(control);
}

int
control_timeout(const struct control *control, int timeout)
{
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++) {
		const struct client *client = &control->clients[i];

		if (client->here && client->asks)
			timeout = clock_sooner(timeout, client->left);
	}
	return control != NULL && is_shut(control) ?
		clock_sooner(timeout, RETRY) :
		timeout;
}

bool
control_over(const struct control *control)
{
	return control != NULL && control->over;
}
