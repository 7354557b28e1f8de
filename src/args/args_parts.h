/* SPDX-License-Identifier: MIT */
/*
 * What the files of args share: words become values (args_value.c), options
 * are read one by one (args.c), and then all of them together (args_check.c).
 */
#ifndef ARGS_PARTS_H
#define ARGS_PARTS_H

#include "args/args.h"

#include <getopt.h>
#include <stddef.h>

/* What was given that decides what is served. */
struct given {
	const char *status;
	const char *body;
	const char *type;
	const char *raw;
	bool echo;
	const char *cache;
	bool tcp;
	bool udp;
	bool log;
	bool grace;
	const char *answer;
	const char *greeting;
	const char *idle;
	bool timeout;      /* of any kind, */
	bool head_timeout; /* and by its name */
	bool body_timeout;
	const char *seed;
	const char **bind;
	size_t bind_count;
	const char **hosts;
	size_t host_count;
	char *faults; /* lines */
	char *fields;
	char *omit;
	struct retort_type *types;
	size_t type_count;
	const struct option *before; /* of the present word, and its value */
	const char *value;
	const char *second; /* an operand too many; NULL */
};

/* "retort: ..." on stderr: one line, whatever is in it. Changes `text`. */
void args_say(char *text);

/* --- values; what is none ends the process, naming `option` --- */

uint64_t args_number(const char *option, const char *text, uint64_t least,
	uint64_t most);

/* Seconds, with a fraction if need be, as milliseconds rounded up. */
int args_seconds(const char *option, const char *text);

/* Permissions of a file, in octal. */
int args_permissions(const char *option, const char *text);

/* The place of `text` among `names`, which NULL ends. */
int args_choice(const char *option, const char *text, const char *const *names,
	const char *expected);

/* The whole of a file; "-" is standard input, which one option alone can
   read. */
void args_read_file(struct args *args, const char *option, const char *name,
	const void **bytes, size_t *size);

/* Where an option takes a file, @ may stand before its name: as @FILE does
   where it takes a text. */
const char *args_file_name(const char *text);

/* The media type of bytes that look like JSON, HTML or no text; or NULL. */
const char *args_look(const void *bytes, size_t size);

/* --- what grows; no memory ends the process --- */

void *args_must(void *memory);

/* Appends to an array that is one longer than `count`, and cleared there. */
void *args_append(void *array, size_t count, size_t size);
void args_add_text(const char ***list, size_t *count, const char *text);

/* A line more. */
void args_add_line(char **lines, const char *line, size_t size);

/* --- mistakes --- */

/* What to try instead of what `line` says is wrong. False: no idea. */
bool args_hint(const char *line, char *hint, size_t room);

/* Ends the process unless an option of several letters is written in full. */
void args_check_name(const char *word, const struct option *options);

/* ROOT, or one operand too many; what else it may have been meant to be. */
void args_add_operand(struct args *args, struct given *given, const char *text);

/* --- all of them --- */

/* Refuses what does not go together, and fills in what follows from it. */
void args_finish(struct args *args, struct given *given);

#endif
