/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "command/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show/escape.h"

/* --- the descriptors of the process --- */

void
start_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", O_RDWR) != fd)
			exit(EXIT_FAILURE);
}

void
start_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* --- sockets that were passed in --- */

/* The N of "fd:N", or -1. */
static int
passed_fd(const char *address)
{
	const char *digits = address + 3;

	if (strncmp(address, "fd:", 3) != 0 || *digits == '\0' ||
		strlen(digits) > 9 || digits[strspn(digits, "0123456789")])
		return -1;
	return (int)strtol(digits, NULL, 10);
}

/* Whether a client is at its other end already. */
static bool
is_connected(int fd)
{
	struct sockaddr_storage peer;
	int type = 0, listens = 0;
	socklen_t size = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
		type != SOCK_STREAM)
		return false;
	size = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 ||
		listens != 0)
		return false;
	size = sizeof peer;
	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

/* inetd makes the socket standard output and error too, where a URL or a log
   line would be a part of the reply, or could not be written. */
static void
free_standard_descriptors(int passed)
{
	struct stat status, standard;

	if (fstat(passed, &status) < 0 || !S_ISSOCK(status.st_mode))
		return;
	for (int fd = 0; fd <= 2; fd++) {
		int null;

		if (fd == passed || fstat(fd, &standard) < 0 ||
			standard.st_dev != status.st_dev ||
			standard.st_ino != status.st_ino)
			continue;
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0)
			continue;
		(void)dup2(null, fd);
		(void)close(null);
	}
}

static void
add_connected(struct args *args, const char *address)
{
	for (size_t i = 0; i < args->connected_count; i++) {
		const char *other = args->connected[i];

		if (other != NULL && strcmp(other, address) == 0)
			args_die(EXIT_USAGE, "--bind %s: given twice", address);
	}
	if (passed_fd(address) == STDIN_FILENO)
		args->stdin_used = "--bind";
	args->connected[args->connected_count++] = address;
}

void
start_passed(struct args *args)
{
	const char **bind = args->bind;
	size_t count = 0, left = 0;

	while (bind != NULL && bind[count] != NULL)
		count++;
	args->connected = calloc(count + 1, sizeof *args->connected);
	if (args->connected == NULL)
		args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < count; i++) {
		int fd = passed_fd(bind[i]);

		if (fd >= 0)
			free_standard_descriptors(fd);
		if (fd >= 0 && is_connected(fd))
			add_connected(args, bind[i]);
		else
			bind[left++] = bind[i];
	}
	if (bind != NULL)
		bind[left] = NULL;
}

/* --- a server on the addresses --- */

int
start_status(const struct args *args, int error)
{
	bool serves = args->mode == MODE_SERVE;

	switch (error) {
	case EINVAL:
		return EXIT_USAGE;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOTSUP:
		return serves ? EXIT_FAILURE : EXIT_OWN;
	default:
		return serves ? EXIT_BIND : EXIT_OWN;
	}
}

/* A server could not be opened: exits with a line that names the option. Some
   members of struct retort_options are called as their options are. */
static _Noreturn void
fail(const struct args *args, int error, const char *why)
{
	char name[RETORT_ERROR_SIZE];
	size_t size = strcspn(why, " :");

	if (strncmp(why, "tls", 3) != 0 && strncmp(why, "framing", 7) != 0)
		args_die(start_status(args, error), "%s%s",
			error == EINVAL ? "--bind: " : "", why);
	(void)snprintf(name, sizeof name, "%.*s", (int)size, why);
	for (char *at = name; *at != '\0'; at++)
		*at = *at == '_' ? '-' : *at;
	args_die(error == ENOTSUP ? EXIT_USAGE : start_status(args, error),
		"--%s%s", name, why + size);
}

struct retort *
start_open(const struct args *args, struct retort_options options)
{
	char error[RETORT_ERROR_SIZE], *lines;
	size_t size = 1, used = 0;
	struct retort *server;

	for (const char **bind = args->bind; bind && *bind; bind++)
		size += strlen(*bind) + 1;
	lines = calloc(1, size);
	if (lines == NULL)
		args_die(EXIT_FAILURE, "%s", strerror(ENOMEM));
	for (const char **bind = args->bind; bind && *bind; bind++)
		used += (size_t)sprintf(lines + used, "%s\n", *bind);
	options.bind = args->bind ? lines : "localhost";
	options.error = error;
	server = retort_start_sized(&options, sizeof options);
	free(lines);
	if (server == NULL)
		fail(args, errno, error);
	return server;
}

/* --- what it answers --- */

/* A line that says what is wrong with an option; `code`. */
static int
blame(char *error, int code, const char *option, const char *why)
{
	char line[RETORT_ERROR_SIZE];

	/* it may quote a file, or words of others */
	escape_line(line, sizeof line, why);
	(void)snprintf(error, RETORT_ERROR_SIZE, "%s%.220s", option, line);
	return code;
}

/* The rule before those of a scenario; 0 or -errno. */
static int
set_prompt(struct retort *server, const struct args *args,
	struct prompt *prompt, char *error)
{
	char why[RETORT_ERROR_SIZE];
	int code = 0;

	prompt->server = server;
	if (args->prompt)
		code = retort_on(server, NULL, .handler = prompt_handler,
			.handler_arg = prompt, .error = why);
	return code < 0 ? blame(error, code, "--prompt: ", why) : 0;
}

/* The same of a reply, whose members are called as options are, but for one;
   what is about none of them is about --body, if that is filled in or is no
   HTTP. */
static int
blame_reply(const struct args *args, char *error, int code, const char *why)
{
	size_t size = strspn(why, "abcdefghijklmnopqrstuvwxyz");
	char option[32];

	if (size == 0 || why[size] != ':')
		return blame(error, code,
			args->options.protocol == RETORT_HTTP &&
					!args->reply.fill ?
				"" :
				"--body: ",
			why);
	(void)snprintf(option, sizeof option, "--%.*s",
		strncmp(why, "fields:", 7) == 0 ? 6 : (int)size,
		strncmp(why, "fields:", 7) == 0 ? "header" : why);
	return blame(error, code, option, why + size);
}

/* The one reply; 0 or -errno. */
static int
set_reply(struct retort *server, const struct args *args, char *error)
{
	struct retort_reply reply = args->reply;
	char why[RETORT_ERROR_SIZE], without[RETORT_ERROR_SIZE];
	int code;

	reply.server = server;
	reply.error = why;
	reply.faults = args->faults;
	code = retort_answer_sized(&reply, sizeof reply);
	if (code == 0 || args->faults == NULL)
		return code < 0 ? blame_reply(args, error, code, why) : 0;
	/* it is the reply that is wrong, or only its faults */
	reply.faults = NULL;
	reply.error = without;
	return retort_answer_sized(&reply, sizeof reply) < 0 ?
		blame_reply(args, error, code, without) :
		blame(error, code, "--fault: ", why);
}

/* Sets the answer for when no rule fits; 0 or -errno. */
static int
set_answer(struct retort *server, const struct args *args, char *error)
{
	struct retort_files files = args->files;
	char why[RETORT_ERROR_SIZE];
	int code;

	if (args->canned)
		return set_reply(server, args, error);
	if (args->root == NULL)
		return 0;
	files.server = server;
	files.root = args->root;
	files.error = why;
	code = retort_serve_sized(&files, sizeof files);
	files.faults = args->faults;
	if (code == 0 && files.faults != NULL) {
		code = retort_serve_sized(&files, sizeof files);
		return code < 0 ? blame(error, code, "--fault: ", why) : 0;
	}
	if (code == 0)
		return 0;
	(void)strncat(why, args->root_hint, sizeof why - 1 - strlen(why));
	/* these are called as their options are */
	return blame(error, code,
		strncmp(why, "spa '", 5) == 0 ||
				strncmp(why, "prefix '", 8) == 0 ?
			"--" :
			"",
		why);
}

int
start_scenario(const struct args *args, struct retort *server, bool again,
	char *error)
{
	char *notices = NULL;
	const struct retort_scenario scenario = {
		.server = server,
		.file = args->scenario_text ? NULL : args->scenario,
		.text = args->scenario_text,
		.size = retort_size(args->scenario_size),
		.name = "stdin",
		.notices = args->notices ? &notices : NULL,
		.again = again,
		.error = error,
	};
	int code = retort_load_sized(&scenario, sizeof scenario);

	if (notices != NULL)
		escape_lines(stderr, notices, strlen(notices), "");
	free(notices);
	return code;
}

static int
set_scenario(struct retort *server, const struct args *args, char *error)
{
	char why[RETORT_ERROR_SIZE];
	int code = args->scenario != NULL ?
		start_scenario(args, server, false, why) :
		0;

	return code < 0 ? blame(error, code, "--scenario ", why) : 0;
}

/* Clients that were passed in; 0 or -errno. */
static int
adopt(struct retort *server, const struct args *args, char *error)
{
	for (size_t i = 0; i < args->connected_count; i++) {
		const char *address = args->connected[i];
		int code = retort_adopt(server, passed_fd(address));

		if (code < 0) {
			(void)snprintf(error, RETORT_ERROR_SIZE,
				"--bind %s: %s", address, strerror(-code));
			return code;
		}
	}
	return 0;
}

struct retort *
start_server(const struct args *args, struct prompt *prompt)
{
	char error[RETORT_ERROR_SIZE];
	struct retort_options options = args->options;
	struct retort *server;
	int code;

	options.stepped = true;
	server = start_open(args, options);
	code = set_prompt(server, args, prompt, error);
	if (code == 0)
		code = set_answer(server, args, error);
	if (code == 0)
		code = set_scenario(server, args, error);
	if (code == 0)
		code = adopt(server, args, error);
	if (code < 0) {
		retort_close(server);
		/* what is wrong is an operand, not an address */
		args_die(code == -ENOMEM ? start_status(args, ENOMEM) :
					   EXIT_USAGE,
			"%s", error);
	}
	if (args->files.follow_links && args->root != NULL)
		(void)fprintf(stderr,
			"retort: links in %s are followed, out of it too\n",
			args->root);
	return server;
}
