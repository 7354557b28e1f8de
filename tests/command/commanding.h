/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the command. */
#ifndef COMMANDING_H
#define COMMANDING_H

#include "support/harness.h"

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

#define END " HTTP/1.1\r\nHost: localhost\r\n\r\n"

#define BIG ((off_t)64 << 20) /* no pair of socket buffers holds it */

/* Every loop test runs once with each. */
extern const char *const ios[];

/* Quietly on any port of 127.0.0.1; more arguments may follow. */
#define START(...) \
	child_start((const char *const[]){"-p", "0", "-b", "127.0.0.1", \
			    __VA_ARGS__, NULL}, \
		1)

/* Starts it and waits for its end; what it wrote to stderr goes to errors. */
#define RUN(errors, ...) run((errors), (const char *const[]){__VA_ARGS__, NULL})

int run(struct bytes *errors, const char *const *args);

/* As often as is good in a daily run; under valgrind, a tenth of it. */
int times(int usual);

unsigned port_of(const char *url);

unsigned bound_port(int fd);

/* A name beneath a folder; static, good for two at a time. */
const char *in(const char *dir, const char *name);

void write_text(const char *dir, const char *name, const char *text);

struct bytes read_file(const char *path);

/* A folder with a file of `BIG` bytes, all zero, that takes no room. */
char *make_big(void);

/* The command cannot run, until it may go on. */
void hold(const struct child *child);
void let_go(const struct child *child);

/*
 * Connects and says this while the command cannot run: no time-out for what a
 * client has to say comes before it, however late the client is.
 */
int connect_held(const struct child *child, const char *url, const char *text);

/* Receives until the end and returns how much that was. */
off_t count_rest(int fd, int *error);

/* Bytes of body that have come. */
off_t body_size(const struct bytes *reply);

int count_lines(const struct bytes *bytes);

/* The URL of localhost: its number where the machine has IPv4 alone. */
char *local_url(const char *scheme, unsigned port, const char *path);

/* A Unix socket at `path`, which is left there when it is closed. */
int make_unix(const char *path, bool listening);

/* Begins a download of the big file: the head has come. */
int begin_big(const char *url, struct bytes *reply);

#define HOST "Host: localhost\r\n"

/* Whether the text has the shape: 9 is a digit, ~ any number of them. */
bool is_like(const char *text, const char *shape);

struct pair {
	int fd[2];
};

#endif
