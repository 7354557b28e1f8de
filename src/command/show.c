/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/show.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "show/color.h"
#include "show/ladder.h"

/* Columns, if no terminal says otherwise. */
#define COLUMNS 80

/* Connections of a report of retort run. */
#define MOST_RECORDED 1000

/* The longest transcript: bytes. */
#define MOST_BYTES (64 << 20)

/* Why a transcript could not be read. */
#define ERROR_SIZE 4096

/* --- reports --- */

FILE *
show_open_report(const struct args *args)
{
	FILE *report;

	if (args->report == NULL)
		return NULL;
	report = fopen(args->report, "we");
	if (report == NULL)
		args_die(args->mode == MODE_SHOW ? EXIT_USAGE : EXIT_OWN,
			"--report %s: %s", args->report, strerror(errno));
	return report;
}

void
show_close_report(const struct args *args, FILE *report)
{
	bool failed = ferror(report) != 0;

	if (fclose(report) != 0 || failed)
		args_die(args->mode == MODE_SHOW ? EXIT_FAILURE : EXIT_OWN,
			"--report %s: %s", args->report, strerror(errno));
}

static void
write_report(const struct args *args, FILE *report,
	const struct ladders *ladders)
{
	const struct ladder_look look = {.columns = COLUMNS};

	if (strcmp(strrchr(args->report, '.'), ".html") == 0)
		ladders_write_html(report, ladders);
	else
		ladders_write_text(report, ladders, &look);
	show_close_report(args, report);
}

/* --- transcripts from files; what is wrong with one ends the process --- */

static _Noreturn void
die_of_memory(void)
{
	args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
}

static _Noreturn void
refuse(const char *name, int error)
{
	args_die(EXIT_USAGE, "show %s: %s", name, strerror(error));
}

/* Reads the rest of the file. */
static char *
read_all(FILE *file, const char *name, size_t *size)
{
	size_t room = 32768;
	char *text = NULL;

	*size = 0;
	do {
		char *longer = realloc(text, room *= 2);

		if (longer == NULL)
			die_of_memory();
		text = longer;
		*size += fread(text + *size, 1, room - *size, file);
		if (*size > MOST_BYTES)
			args_die(EXIT_USAGE,
				"show %s: expected at most %d bytes", name,
				MOST_BYTES);
	} while (*size == room);
	if (ferror(file) != 0)
		refuse(name, errno);
	return text;
}

/* Adds the transcripts of a file, or of standard input. */
static void
add_file(struct ladders *ladders, const char *name)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	char error[ERROR_SIZE], *text;
	size_t size;
	int code;

	if (file == NULL)
		refuse(name, errno);
	text = read_all(file, name, &size);
	if (file != stdin)
		(void)fclose(file);
	if (!ladders_own(ladders, text))
		die_of_memory();
	code = ladders_read(ladders, name, text, size, error, sizeof error);
	if (code == -ENOMEM)
		die_of_memory();
	if (code < 0)
		args_die(EXIT_USAGE, "%s", error);
}

/* N.txt, as --transcript calls them; 0: it is called otherwise. */
static unsigned long long
number_of(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return *name != '0' && digits > 0 && digits < 19 &&
			strcmp(name + digits, ".txt") == 0 ?
		strtoull(name, NULL, 10) :
		0;
}

static int
compare(const void *left, const void *right)
{
	unsigned long long a = *(const unsigned long long *)left,
			   b = *(const unsigned long long *)right;

	return (a > b) - (a < b);
}

/* Lists the numbers of the transcripts of a folder, in their order. The caller
   frees the list. */
static unsigned long long *
list_numbers(DIR *dir, size_t *count)
{
	unsigned long long *numbers = NULL;
	const struct dirent *entry;

	*count = 0;
	while ((entry = readdir(dir)) != NULL) {
		unsigned long long number = number_of(entry->d_name), *more;

		if (number == 0)
			continue;
		more = realloc(numbers, (*count + 1) * sizeof *more);
		if (more == NULL)
			die_of_memory();
		numbers = more;
		numbers[(*count)++] = number;
	}
	if (*count > 0)
		qsort(numbers, *count, sizeof *numbers, compare);
	return numbers;
}

static void
add_folder(struct ladders *ladders, const char *folder, DIR *dir)
{
	size_t count, room = strlen(folder) + 32;
	unsigned long long *numbers = list_numbers(dir, &count);
	char *name;

	if (count == 0)
		args_die(EXIT_USAGE, "show %s: no transcript is there", folder);
	name = malloc(room);
	if (name == NULL)
		die_of_memory();
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(name, room, "%s/%llu.txt", folder, numbers[i]);
		add_file(ladders, name);
	}
	free(name);
	free(numbers);
}

static void
add(struct ladders *ladders, const char *name)
{
	DIR *dir = opendir(name);

	if (dir == NULL) {
		add_file(ladders, name);
		return;
	}
	add_folder(ladders, name, dir);
	(void)closedir(dir);
}

/* --- a terminal --- */

static int
count_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ?
		size.ws_col :
		COLUMNS;
}

/* Whether the terminal knows Unicode, by the names of locales: we use none. */
static bool
knows_unicode(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return strstr(value, "UTF-8") != NULL ||
				strstr(value, "utf8") != NULL;
	}
	return false;
}

int
show_command(const struct args *args)
{
	struct ladders ladders = {.version = retort_version(), .verdict = ""};
	const struct ladder_look look = {.columns = count_columns(),
		.color = color_wanted(STDOUT_FILENO),
		.ascii = !knows_unicode()};
	FILE *report;

	for (size_t i = 0; i < args->shown_count; i++)
		add(&ladders, args->shown[i]);
	report = show_open_report(args);
	if (report != NULL) {
		write_report(args, report, &ladders);
	} else {
		ladders_write_text(stdout, &ladders, &look);
		if (fflush(stdout) != 0 || ferror(stdout) != 0)
			args_die(EXIT_FAILURE, "standard output: %s",
				strerror(errno));
	}
	ladders_free(&ladders);
	return EXIT_SUCCESS;
}

/* --- what a server recorded --- */

/* Adds the first connections of a server, in their order. */
static void
add_records(struct ladders *ladders, struct retort *server)
{
	const struct retort_exchange *seen;
	uint64_t last = 0;
	char error[512];

	for (size_t i = 1; (seen = retort_record(server, i)) != NULL; i++)
		last = seen->connection > last ? seen->connection : last;
	for (uint64_t i = 1; i <= last && ladders->count < MOST_RECORDED; i++) {
		char *text = retort_transcript(server, i);

		if (text != NULL && ladders_own(ladders, text))
			(void)ladders_read(ladders, "", text, strlen(text),
				error, sizeof error);
	}
}

void
show_report(const struct args *args, FILE *report, struct retort *server,
	const char *verdict)
{
	struct ladders ladders = {.version = retort_version()};
	const char *end = ladder_find(verdict);
	char *findings;

	if (report == NULL)
		return;
	/* what was wrong: transcripts follow */
	findings = strndup(verdict,
		end ? (size_t)(end - verdict) : strlen(verdict));
	if (findings == NULL)
		args_die(EXIT_OWN, "%s", strerror(ENOMEM));
	ladders.verdict = findings;
	add_records(&ladders, server);
	write_report(args, report, &ladders);
	ladders_free(&ladders);
	free(findings);
}
