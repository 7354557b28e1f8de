/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of args. A table of options (args_options.c) says how the
 * words of the command line are read, one by one (args.c, args_read.c); then
 * all of them are checked together (args_check.c), and taken together
 * (args_finish.c).
 */
#ifndef ARGS_PARTS_H
#define ARGS_PARTS_H

#include "args/args.h"

#include <stddef.h>

/* Ways to answer: one at most, and only with the options that belong to it. */
enum way {
	CANNED = 1,
	RAW = 2,
	ECHO = 4,
	FILES = 8,
	RULES = 16, /* a scenario alone */
	HTTP = 31,
	TCP_ECHO = 32,
	TCP_ANSWER = 64,
	TCP = TCP_ECHO | TCP_ANSWER,
	UDP_ECHO = 128,
	UDP_ANSWER = 256,
	UDP = UDP_ECHO | UDP_ANSWER,
	PLAIN_ECHO = TCP_ECHO | UDP_ECHO,
	ANY_WAY = 511
};

struct given;
struct option;

/* Takes what an option was given; what it cannot take ends the process. */
typedef void args_reader(struct given *given, const struct option *option,
	const char *text);

/* An option, an operand, a heading of --help, or the end: all is empty. */
struct option {
	const char *name;  /* NULL: a heading, which is `help` */
	char letter;       /* -p; 0: none */
	const char *value; /* as --help calls it; NULL: it takes none */
	const char *help;
	/* "timeout head": what --timeout takes as head=. Its row follows that
	   of its option. */
	bool part;
	args_reader *read; /* NULL: an operand */
	size_t to;         /* where in struct given, and how wide that is */
	size_t width;
	uint64_t least; /* of a number */
	uint64_t most;
	unsigned ways;        /* that it belongs to; 0: all */
	const char *excludes; /* words: modes and options that exclude it */
	const char *needs;    /* words "a b|c": options or modes that must be */
	bool brief;           /* --help shows it, too, not just --help all */
	bool many;            /* it may be repeated */
	/* Words that a shell may complete; "": none can be guessed; NULL: names
	   of files, if it has a value. */
	const char *words;
};

extern const struct option args_options[];

/* The words for the modes, by enum mode. */
extern const char *const args_modes[];

/* The mode of that name; MODE_SERVE: there is none. */
enum mode args_mode(const char *word);

static inline bool
args_is_end(const struct option *option)
{
	return option->name == NULL && option->help == NULL;
}

/* The most rows of the table. */
#define OPTION_ROOM 96

/* The options that were given so far. */
struct given {
	const struct option *options; /* args_options */
	bool was_given[OPTION_ROOM];  /* of these */
	struct args args;             /* what they amount to */
	const char *body;
	const char *raw;
	const char **bind;
	size_t bind_count;
	char *hosts;  /* lines */
	char *faults; /* lines */
	int delay;    /* ms; one more of them, if it is given */
	char *tls_faults;
	char *fields;
	char *omit;
	struct retort_type *types;
	size_t type_count;
	const struct option *before; /* of the present word, and its value */
	const char *value;
	const char *next;    /* the word after it; NULL */
	const char *second;  /* an operand too many; NULL */
	const char *sandbox; /* a line of --version */
};

/* "retort: ..." on stderr: one line, whatever is in it. Changes `text`. */
void args_say(char *text);

/* --- the table --- */

/* The option whose name the `size` bytes are; NULL: there is none. */
const struct option *args_find(const struct given *given, const char *name,
	size_t size);

/* The same by its letter. */
const struct option *args_find_letter(const struct given *given, char letter);

/* Notes that it was given. */
void args_note(struct given *given, const struct option *option);

/* Whether the option of that name was given. */
bool args_is_given(const struct given *given, const char *name);

/* The name of an option in messages: "--port", "ROOT". */
const char *args_call(const struct option *option, char room[32]);

/* Ends the process: there is no such option; perhaps another one was meant. */
_Noreturn void args_unknown(const struct given *given, const char *word);

/* --- readers: each for a kind of option --- */

args_reader args_read_flag, args_read_more, args_read_number, args_read_time,
	args_read_text, args_read_size, args_read_parts, args_read_timeout;

/* --- and for one --- */

args_reader args_read_bind, args_read_host, args_read_type, args_read_header,
	args_read_lines, args_read_mime, args_read_page, args_read_path,
	args_read_protocol, args_read_fault, args_read_scenario, args_read_log,
	args_read_quiet, args_read_body_limit, args_read_help,
	args_read_version, args_read_tls, args_read_tls_fault, args_read_report;

/* --- values; anything else ends the process, naming `option` --- */

uint64_t args_number(const char *option, const char *text, uint64_t least,
	uint64_t most);

/* Bytes, also as 64k, 1M or 1G. */
uint64_t args_size(const char *option, const char *text, uint64_t least,
	uint64_t most);

/* Milliseconds, as args_ms() reads them. */
int args_time(const char *option, const char *text);

/* Permissions of a file, in octal. */
int args_permissions(const char *option, const char *text);

/* The place of `text` among `names`, which NULL ends. */
int args_choice(const char *option, const char *text, const char *const *names,
	const char *expected);

/* The whole of a file; "-" is standard input, which one option alone can
   read. */
void args_read_file(struct args *args, const char *option, const char *name,
	const void **bytes, size_t *size);

/* The name of a file without the @ that may stand before it. */
const char *args_file_name(const char *text);

/* The media type of bytes that look like JSON, HTML or no text; or NULL. */
const char *args_guess_type(const void *bytes, size_t size);

/* --- what grows; no memory ends the process --- */

void *args_must(void *memory);

/* Appends a cleared element, and one more that ends the array. */
void *args_append(void *array, size_t count, size_t size);
void args_add_text(const char ***list, size_t *count, const char *text);

/* Appends a line. */
void args_add_line(char **lines, const char *line, size_t size);

/* --- mistakes --- */

/* The advice that follows the error in `line`. False: there is none. */
bool args_hint(const char *line, char *hint, size_t room);

/* ROOT, or one operand too many; what else it may have been meant to be. */
void args_add_operand(struct given *given, const char *text);

/* --- all of them --- */

/* Whether rules answer by themselves: those of a scenario, or rules that will
   be given. */
static inline bool
args_has_rules(const struct args *args)
{
	return args->scenario != NULL || args->control != NULL;
}

/* Refuses options that do not go together. */
void args_check(const struct given *given);

/* Checks them, and fills in what follows from them. */
void args_finish(struct given *given);

#endif
