/* SPDX-License-Identifier: MIT */
/* Texts for the tests of scenario.c. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include "scenario/scenario.h"

#define ON "@on GET /\n"
#define OK "HTTP/1.1 200 OK\n"

extern struct rt_scenario scenario; /* that was read last */
extern char error[RETORT_ERROR_SIZE];

/* Reads a copy with nothing after it, which is called "s". */
int read_text(const char *text, size_t size, const char *folder);

/* It must be right. */
void read_good(const char *text);

void assert_notices(const char *expected);

/* The item of that number, from 0, which must be a rule. */
const struct retort_reply *rule(size_t number);

void assert_text(const char *got, const char *expected);
void assert_body(const struct retort_reply *reply, const char *expected);

#endif
