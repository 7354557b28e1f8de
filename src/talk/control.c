/* SPDX-License-Identifier: MIT */
/*
 * The clients of --control. Of one that does not take its answers nothing more
 * is read, so that it holds up itself alone.
 */
#include "config.h"

#include "talk/control_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "job/clock.h"
#include "talk/sink.h"

/* Bytes that are read at once. */
#define PIECE 65536

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
};

struct control {
	struct retort *server;
	bool over;
	struct client clients[CONTROL_CLIENTS];
};

/* --- clients --- */

struct control *
control_open(struct retort *server)
{
	struct control *control = calloc(1, sizeof *control);

	if (control == NULL)
		return NULL;
	control->server = server;
	control->clients[0] = (struct client){.here = true,
		.in = STDIN_FILENO,
		.out = sink_open(STDOUT_FILENO)};
	return control;
}

static void
leave(struct client *client)
{
	free(client->answer.owned);
	control_reader_free(&client->reader);
	sink_close(&client->out);
	*client = (struct client){.here = false};
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].here)
			leave(&control->clients[i]);
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

/* It has left, or will not be told. */
static void
turn_deaf(struct client *client)
{
	client->deaf = true;
	drop_answer(client);
}

/* Sends the answer, as far as it is taken. False: there is more. */
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

/* The next command, if the one before it has been answered. */
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

/* False: it has to wait. */
static bool
obey(struct control *control, struct client *client)
{
	if (*client->command.line == '\0') {
		client->asks = false;
		return true;
	}
	client->left = control_obey(control->server, &client->command,
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
	leave(client);
	control->over = true;
}

void
control_step(struct control *control)
{
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++)
		if (control->clients[i].here)
			step(control, &control->clients[i]);
}

/* --- waiting --- */

void
control_poll(const struct control *control, struct pollfd *polled)
{
	static const struct client nobody = {.here = false};

	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *client =
			control ? &control->clients[i] : &nobody;
		bool sends = client->answer.size > 0;
		bool reads = client->here && !client->asks && !sends;
		bool listens = client->here && !client->deaf;

		polled[2 * i] = (struct pollfd){.fd = reads ? client->in : -1,
			.events = POLLIN};
		polled[2 * i + 1] =
			(struct pollfd){.fd = listens ? client->out.fd : -1,
				.events = sends ? POLLOUT : 0};
	}
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
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];

		if (polled[2 * i].revents != 0)
			read_some(client);
		if ((polled[2 * i + 1].revents &
			    (POLLERR | POLLHUP | POLLNVAL)) != 0)
			turn_deaf(client);
	}
}

int
control_timeout(const struct control *control, int timeout)
{
	for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS; i++) {
		const struct client *client = &control->clients[i];

		if (client->here && client->asks &&
			(timeout < 0 || client->left < timeout))
			timeout = client->left;
	}
	return timeout;
}

bool
control_over(const struct control *control)
{
	return control != NULL && control->over;
}
