/* SPDX-License-Identifier: MIT */
/*
 * Whether a file is still what it was. Looks at paths only, so its answer may
 * be out of date at once, as always when others can change a file.
 *
 * It looks at a whole path, ROOT's own and the part beneath it, so that one
 * call also finds a ROOT that was replaced. statx(2) cannot be told to refuse
 * links, except the last one, so each folder beneath ROOT is checked by itself:
 * it must be a folder. Between two of these calls somebody may put a link in
 * its place, but the link must lead to the file that was found without links
 * before: nothing else can be reached.
 */
#include "config.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#ifdef HAVE_STATX
#include <sys/sysmacros.h>
#endif

#ifdef HAVE_STATX

/* If another machine has the files, it has to be asked: what is remembered
   of them may be seconds old. */
#define LOOK (AT_STATX_FORCE_SYNC | AT_NO_AUTOMOUNT)

/* A look through more folders costs as much as opening the file. */
#define MAX_FOLDERS 2

static bool
look(const char *path, int flags, struct statx *status)
{
	const unsigned wanted = STATX_TYPE | STATX_MODE | STATX_INO |
		STATX_SIZE | STATX_MTIME | STATX_CTIME;
	int error;

	do
		error = statx(AT_FDCWD, path, flags | LOOK, wanted, status);
	while (error < 0 && errno == EINTR);
	return error == 0 && (status->stx_mask & wanted) == wanted;
}

static bool
is_same(const struct rt_file *file, const struct statx *status)
{
	return status->stx_ino == file->inode &&
		makedev(status->stx_dev_major, status->stx_dev_minor) ==
		file->device &&
		status->stx_mode == file->mode &&
		status->stx_size == file->size &&
		status->stx_mtime.tv_sec == file->modified &&
		status->stx_mtime.tv_nsec == file->modified_ns &&
		status->stx_ctime.tv_sec == file->changed &&
		status->stx_ctime.tv_nsec == file->changed_ns;
}

/* Whether all components beneath ROOT, but for the last, are folders, and
   few. */
static bool
are_folders(char *path, size_t beneath)
{
	struct statx status;
	char *slash = path + beneath - 1; /* before them */
	bool folder = true;
	int count = 0;

	while (folder && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		folder = ++count <= MAX_FOLDERS &&
			look(path, AT_SYMLINK_NOFOLLOW, &status) &&
			S_ISDIR(status.stx_mode);
		*slash = '/';
	}
	return folder;
}

bool
rt_file_is_still(const struct rt_file *file, const struct rt_root *root,
	char *path, size_t beneath)
{
	/* links of ROOT itself are followed wherever they lead */
	bool follow = root->follow || root->name != NULL;
	struct statx status;

	return (follow || are_folders(path, beneath)) &&
		look(path, follow ? 0 : AT_SYMLINK_NOFOLLOW, &status) &&
		is_same(file, &status);
}

#else

bool
rt_file_is_still(const struct rt_file *file, const struct rt_root *root,
	char *path, size_t beneath)
{
	(void)file;
	(void)root;
	(void)path;
	(void)beneath;
	return false;
}

#endif
