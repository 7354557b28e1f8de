/* SPDX-License-Identifier: MIT */
/* Shared by the tests of faults on the wire. */
#ifndef SPOILING_H
#define SPOILING_H

#include "support/serving.h"

#define MS 1000 /* us */

#define HOST " HTTP/1.1\r\nHost: x\r\n"

#define GET "GET /" HOST "\r\n"

#define OK "HTTP/1.1 200 OK\r\n"

#define TYPE "Content-Type: text/plain; charset=utf-8\r\n"

#define CL(n) "Content-Length: " #n "\r\n"

#define CLOSE "Connection: close\r\n\r\n"

#define HEAD OK TYPE CL(10) CLOSE

#define DIGITS "0123456789"

#define WHOLE HEAD DIGITS

/* A client's view of the reply. */
struct heard {
	struct bytes got;
	int end; /* 0: a FIN, or the errno */
	size_t reads[32];
	size_t count;    /* of reads */
	int64_t took;    /* us until the end */
	size_t segments; /* with bytes in them; 0: it is not known */
};

/* Receives until the end, or until `text` has come (unless NULL). */
void hear(int fd, struct heard *heard, const char *text);

struct heard hear_all(const char *request);

void assert_heard(const struct heard *heard, const char *what,
	const char *bytes, size_t size, int end);

void expect(const char *request, const char *bytes, int end);

#endif
