/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of sock.c: listening sockets, what may be in their way,
 * and a folder for those of Unix.
 */
#ifndef SOCK_SIDE_H
#define SOCK_SIDE_H

#include "os/sock.h"
#include "support/harness.h"

#include <netinet/in.h>
#include <sys/un.h>

#define MOST 8 /* specs, sockets */
#define UNIX_MOST (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* The last listener, or why there is none; and the folder of the test. */
extern struct rt_sock socks[2 * MOST];
extern char refusal[RETORT_ERROR_SIZE];
extern char folder[64];

#define LISTEN(port, ...) \
	listen_on((port), \
		sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
		(const char *[]){__VA_ARGS__})

/* LISTEN(...) must be refused so, and nothing be left open. */
#define REFUSED(code, text, port, ...) \
	do { \
		const int before_ = count_fds(); \
		const int got_ = LISTEN((port), __VA_ARGS__); \
		ck_assert_int_eq(got_, (code)); \
		ck_assert_str_eq(refusal, (text)); \
		ck_assert_int_eq(count_fds(), before_); \
	} while (0)

int count_fds(void);
int listen_on(int port, size_t count, const char *const *specs);
void close_all(int count);
struct sockaddr_in make_v4(in_addr_t host, int port);
struct sockaddr_in6 make_v6(int port);
struct sockaddr_un make_un(const char *path);
int make_socket(int family, int type);

/* Listens on 127.0.0.1 or ::1; the descriptor, or -errno. */
int occupy(int family, int port);
int occupy_unix(const char *path, int type);
int port_of(int fd);

/* connect(2) as a client: 0 or -errno. */
int dial(const struct rt_sock *sock);
int option_of(int fd, int level, int name);

/* "unix:" and a path in the test's own folder. */
const char *unix_spec(char spec[256], const char *name);
bool exists(const char *spec);
void make_folder(void);
void remove_folder(void);

#endif
