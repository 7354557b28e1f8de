/* SPDX-License-Identifier: MIT */
/* Shared by the programs of the bench; see common.c. */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Used by a server: itself, its children, and those that it waited for. */
struct usage {
	double cpu;    /* seconds, to the nanosecond where the clock has it */
	double user;   /* seconds of it, in ticks of perhaps 10 ms */
	double system; /* likewise */
	double busy;   /* seconds that the core was not idle, or 0 */
	double memory; /* bytes (Pss) of all that run now, or 0 */
};

/* Prints "NAME: MESSAGE" and exits with status 1. */
_Noreturn void give_up(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A decimal number of at least 0, or the end of the program. */
long parse_count(const char *text);

/* "[http://]127.0.0.1:8080[/...]": loopback only. Returns what follows. */
const char *parse_address(const char *text, struct sockaddr_in *address);

/* A socket that listens on 127.0.0.1, at any port, which *port becomes. */
int listen_anywhere(int *port);

/* The whole file in memory that is never freed. */
char *read_file(const char *path, size_t *size);

/* Seconds of the monotonic clock. */
double now(void);

void get_cpu(struct usage *usage, pid_t pid, int core);
void get_memory(struct usage *usage, pid_t pid);

#endif
