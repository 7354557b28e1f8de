/* SPDX-License-Identifier: MIT */
/*
 * Called by main.c when everything is open. Landlock is used by system calls: C
 * libraries have no functions for them, and the header may be older than the
 * kernel.
 */
#include "config.h"

#include "command/sandbox.h"

#if defined HAVE_LINUX_LANDLOCK_H && HAVE_DECL_SYS_LANDLOCK_CREATE_RULESET
#define SANDBOX
#endif

#ifdef SANDBOX

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* All that version 1 knows of files; and what came with versions 2, 3, 5 and 9:
   to link and rename across folders, truncate(2), ioctl(2) of devices, to reach
   the Unix sockets of others. */
#define FILES_1 ((UINT64_C(1) << 13) - 1)
#define FILES_2 (UINT64_C(1) << 13)
#define FILES_3 (UINT64_C(1) << 14)
#define FILES_5 (UINT64_C(1) << 15)
#define FILES_9 (UINT64_C(1) << 16)
/* bind(2) and connect(2) of TCP; version 4. The same of UDP, and to send; 10 */
#define NET_4 UINT64_C(3)
#define NET_10 (UINT64_C(3) << 2)
/* What is not ours: abstract Unix sockets, signals; version 6 */
#define ABSTRACT_6 UINT64_C(1)
#define SIGNALS_6 UINT64_C(2)

#define READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE | READ_DIR)
#define READ_DIR ((uint64_t)LANDLOCK_ACCESS_FS_READ_DIR)
#define REMOVE ((uint64_t)LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define WRITE \
	((uint64_t)LANDLOCK_ACCESS_FS_MAKE_REG | \
		LANDLOCK_ACCESS_FS_WRITE_FILE | REMOVE)

/* struct landlock_ruleset_attr, as later headers have it. */
struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scoped;
};

/* The kernel's version of it, or -errno. */
static int
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		(unsigned long)LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? -errno : (int)version;
}

const char *
sandbox_version(void)
{
	static char line[64];
	int version = landlock_version();

	if (version < 0)
		return "without a sandbox: the kernel has no Landlock";
	(void)snprintf(line, sizeof line, "sandboxed by Landlock, version %d",
		version);
	return line;
}

/* --- what is left --- */

/* Beneath a folder, or a file. 0 or -errno. */
static int
allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC)};
	struct stat status;
	int code = 0;

	if (beneath.parent_fd < 0)
		return -errno;
	if (fstat(beneath.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		beneath.allowed_access &= ~READ_DIR;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		    &beneath, 0UL) < 0)
		code = -errno;
	(void)close(beneath.parent_fd);
	return code;
}

/* The folder that a path is in; false: it is too long. */
static bool
folder_of(const char *path, char folder[PATH_MAX])
{
	size_t size = strlen(path);

	while (size > 1 && path[size - 1] == '/')
		size--;
	while (size > 0 && path[size - 1] != '/')
		size--;
	while (size > 1 && path[size - 1] == '/')
		size--;
	if (size >= PATH_MAX)
		return false;
	(void)snprintf(folder, PATH_MAX, "%.*s", size > 0 ? (int)size : 1,
		size > 0 ? path : ".");
	return true;
}

/* Files that are removed at the end; not those that are descriptors. */
static int
allow_removal(int rules, const char *path)
{
	char folder[PATH_MAX];

	if (path == NULL || strcmp(path, "-") == 0)
		return 0;
	if (!folder_of(path, folder))
		return -ENAMETOOLONG;
	return allow(rules, folder, REMOVE);
}

/* Whether it is not known beforehand which files will be read: scenarios name
   files, too. */
static bool
reads_anything(const struct args *args)
{
	return args->scenario != NULL || args->control != NULL ||
		(args->root != NULL && args->files.follow_links);
}

/*
 * ROOT may be removed and made anew, and its link may be switched: it is found
 * again in the folder that it is in, or the link is. But beneath / would be
 * everything: what is there stays. So does what has no name, as ".": it never
 * leads to another folder.
 */
static int
allow_root(int rules, const char *root)
{
	char *real = realpath(root, NULL), *link = NULL;
	const bool named = root[strspn(root, "./")] != '\0';
	char folder[PATH_MAX];
	int code = -errno;

	if (real == NULL)
		return code;
	code = -ENAMETOOLONG;
	if (folder_of(real, folder))
		code = allow(rules,
			!named || strcmp(folder, "/") == 0 ? real : folder,
			READ);
	if (code == 0 && named && folder_of(root, folder))
		link = realpath(folder, NULL);
	if (link != NULL && strcmp(link, "/") != 0)
		code = allow(rules, link, READ);
	free(link);
	free(real);
	return code;
}

static int
allow_all(int rules, const struct args *args)
{
	int code = 0;

	if (args->root != NULL && !reads_anything(args))
		code = allow_root(rules, args->root);
	if (code == 0 && args->transcripts != NULL)
		code = allow(rules, args->transcripts, WRITE);
	if (code == 0)
		code = allow_removal(rules, args->port_file);
	if (code == 0)
		code = allow_removal(rules, args->ca_file);
	if (code == 0)
		code = allow_removal(rules, args->control);
	for (const char **bind = args->bind; bind && *bind && code == 0; bind++)
		if (strncmp(*bind, "unix:", 5) == 0)
			code = allow_removal(rules, *bind + 5);
	return code;
}

/* --- what is given up --- */

static struct ruleset
given_up(const struct args *args, int version)
{
	struct ruleset rules = {.files = FILES_1};

	if (reads_anything(args))
		rules.files &= ~READ;
	if (version >= 2)
		rules.files |= FILES_2;
	if (version >= 3)
		rules.files |= FILES_3;
	if (version >= 4)
		rules.net = NET_4;
	if (version >= 5)
		rules.files |= FILES_5;
	if (version >= 6)
		rules.scoped = SIGNALS_6;
	/* answers to datagrams go to any address */
	if (args->options.protocol == RETORT_UDP)
		return rules;
	if (version >= 6)
		rules.scoped |= ABSTRACT_6;
	if (version >= 9)
		rules.files |= FILES_9;
	if (version >= 10)
		rules.net |= NET_10;
	return rules;
}

/* The version that it is entered by, or -errno. */
static int
enter(const struct args *args)
{
	int version = landlock_version(), rules, code;
	struct ruleset given = given_up(args, version);

	if (version < 0)
		return version;
	/* what an older kernel does not know of it is 0 */
	rules = (int)syscall(SYS_landlock_create_ruleset, &given, sizeof given,
		0UL);
	if (rules < 0)
		return -errno;
	code = allow_all(rules, args);
	if (code == 0 &&
		(prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0 ||
			syscall(SYS_landlock_restrict_self, rules, 0UL) < 0))
		code = -errno;
	(void)close(rules);
	return code < 0 ? code : version;
}

void
sandbox_enter(const struct args *args, struct output *output)
{
	int version;

	if (args->unconfined)
		return;
	/* the time zone of log lines is read from a file */
	if (args->log)
		tzset();
	version = enter(args);
	if (args->verbose == 0)
		return;
	if (version < 0)
		output_say(output, "without a sandbox: %s", strerror(-version));
	else
		output_say(output, "sandboxed by Landlock, version %d%s",
			version,
			reads_anything(args) ? " (it may read any file)" : "");
}

#else

const char *
sandbox_version(void)
{
	return "without a sandbox";
}

void
sandbox_enter(const struct args *args, struct output *output)
{
	if (args->verbose > 0 && !args->unconfined)
		output_say(output, "%s", sandbox_version());
}

#endif
