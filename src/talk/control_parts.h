/* SPDX-License-Identifier: MIT */
/* Shared by the files of control: control_reader.c makes commands of bytes,
   control_command.c obeys them, and control.c has the clients. */
#ifndef CONTROL_PARTS_H
#define CONTROL_PARTS_H

#include "talk/control.h"

#include <stddef.h>
#include <stdint.h>

/* --- bytes --- */

/* A command, and the lines that it takes, has this many bytes at most. */
#define CONTROL_MOST (64u << 20)

/* The bytes of a client that are not obeyed yet. Zero: none have arrived. */
struct control_reader {
	char *bytes;
	size_t begin;  /* of the first command; */
	size_t text;   /* of the lines that it takes, */
	size_t seen;   /* of the first line that may be incomplete, */
	size_t looked; /* of what was not looked at for its end; */
	size_t end;
	size_t room;
};

struct control_command {
	const char *line; /* without its end, and what it says; terminated */
	const char *said; /* bytes at the end of its line, "..." or @...;
	                     terminated; NULL: none, and it may take lines */
	const char *text; /* the lines that it takes, without the last one */
	size_t size;
};

/* More bytes. 0 or -errno: -EMSGSIZE, they are too many; -ENOMEM. */
int control_reader_add(struct control_reader *reader, const char *bytes,
	size_t size);

/* The next command, valid until bytes are added. False: it is incomplete. */
bool control_reader_next(struct control_reader *reader,
	struct control_command *command);

/* Whether a command lacks the line that ends the lines that it takes. */
bool control_reader_lacks_end(const struct control_reader *reader);

void control_reader_free(struct control_reader *reader);

/* Between the words of a command. */
#define BLANKS " \t"

/* --- commands --- */

/* "ok N" or "error N", and N lines. */
struct control_answer {
	const char *text;
	size_t size;
	char *owned; /* to be freed: the same, unless there is no memory */
	bool stop;   /* after it the server is to end */
};

/* The server that commands are about. */
struct control_server {
	struct retort *server;
	unsigned rules; /* texts of `rules` that it has */
};

/*
 * Obeys a command that arrived at `began`, by clock_ms(). 0: it is done, and
 * `answer` is set. Otherwise try it again after the next step of the server,
 * within this number of ms.
 */
int control_obey(struct control_server *server,
	const struct control_command *command, int64_t began,
	struct control_answer *answer);

/* The answer to a command that cannot be read: see control_reader_add();
   -ENODATA: it lacks its end. */
struct control_answer control_refuse(int code);

#endif
