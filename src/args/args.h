/* SPDX-License-Identifier: MIT */
/* The command line of retort(1). */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "retort.h"

enum {
	EXIT_USAGE = 2,
	EXIT_BIND = 3,
	EXIT_UNMET = 4,
	EXIT_LIFETIME = 5,
	EXIT_OWN = 125 /* env(1): a failure of ours, and not of COMMAND */
};

/* retort, retort run, retort sweep, retort show */
enum mode { MODE_SERVE, MODE_RUN, MODE_SWEEP, MODE_SHOW };

/* The command line. Everything in it lives until the process ends. */
struct args {
	enum mode mode;
	char **command;     /* of run and sweep; NULL-terminated */
	const char **shown; /* of show: files and folders */
	size_t shown_count;

	/* the server */
	struct retort_options options;
	const char **bind;      /* its addresses; NULL: none was given */
	const char **connected; /* those passed in that have a client already */
	size_t connected_count;
	bool unconfined; /* no sandbox */

	/* what it answers */
	struct retort_reply reply; /* when `canned` */
	struct retort_files files; /* otherwise */
	bool canned;
	const char *root;      /* NULL: none */
	const char *root_hint; /* what ROOT may have meant: " (...)", or "" */
	const char *faults;    /* clauses; NULL */
	bool prompt;           /* answers are lines of standard input */
	const char *scenario;  /* a file; "-": the text below; NULL: none */
	const void *scenario_text;
	size_t scenario_size;
	bool reload;            /* the scenario, when its file changes */
	const char *control;    /* a Unix socket; "-": standard input; NULL */
	const char *stdin_used; /* the option that reads it; NULL */

	/* a sweep */
	bool certs;       /* of wrong certificates, not replies */
	const char *at;   /* its points; NULL */
	unsigned jobs;    /* clients at once; 0: as many as cores */
	bool progress;    /* it is shown, or not, */
	bool no_progress; /* terminal or none */

	/* what it tells */
	const char *port_file;   /* NULL: none */
	const char *ca_file;     /* NULL: none */
	const char *report;      /* a file for people or programs, too; NULL */
	const char *transcripts; /* a folder; NULL */
	bool inspect;            /* a page shows requests */
	bool notices;            /* corrections of a scenario are reported */
	bool log;
	bool log_chosen; /* this form, and not the usual one: */
	enum retort_log log_format;
	int verbose; /* 1: heads, 2: bodies too */

	/* its end */
	bool with_parent;
	int grace;    /* ms */
	int lifetime; /* ms; -1: for ever */
};

/*
 * Reads the command line and LISTEN_FDS, and the files that it names. Exits
 * with EXIT_USAGE and a line on stderr when it cannot be obeyed, and with 0
 * after --help and --version, which ends with the line `sandbox`.
 */
void args_read(struct args *args, int argc, char **argv, const char *sandbox);

/* The words that an option's value may be, with blanks between them. */
const char *args_words(const char *option);

/* Takes the next of such words, which have less than 32 bytes. False: there is
   none; `words` may point at NULL. */
bool args_next_word(const char **words, char word[32]);

/* A time, with a fraction if need be, in seconds or as 250ms, 2s or 1m; as
   milliseconds rounded up. -1: it is none. */
int args_ms(const char *text);

/* "retort: ..." on stderr, and exit. */
_Noreturn void args_die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes all of it, however long that takes. 0 or -errno. */
int args_write(int fd, const char *text, size_t size);

/* The same to standard output, for what the command is run for; or dies. */
void args_print(const char *text);

#endif
