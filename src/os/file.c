/* SPDX-License-Identifier: MIT */
/*
 * Owns everything between a path, as rt_file_path() made it, and an open
 * descriptor. Called by the site. Opens by a full path what ROOT leads to and
 * nothing else, never describes anything but what it opened, never waits for a
 * FIFO.
 */
#include "config.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LINUX_OPENAT2_H
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

/* The number of links that Linux follows in one path. */
#define MAX_LINKS 40

/* Bytes that are read at once. */
#define PIECE (64u << 10)

/* openat2 gives up with EAGAIN when something is renamed meanwhile. */
#define MAX_TRIES 8

/* A raw system call does not add O_LARGEFILE on 32 bits; elsewhere it is 0. */
#ifdef O_LARGEFILE
#define LARGE O_LARGEFILE
#else
#define LARGE 0
#endif

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | LARGE)

/* Folders on the way need to be searched, not read. */
#if defined O_PATH
#define SEARCH O_PATH
#elif defined O_SEARCH
#define SEARCH O_SEARCH
#else
#define SEARCH O_RDONLY
#endif
#define FOLDER_FLAGS (SEARCH | O_DIRECTORY | O_CLOEXEC)

/* Describing a file takes no permission; without O_PATH the walk looks before
   it opens. */
#ifdef O_PATH
#define DESCRIBE_FLAGS (O_PATH | O_CLOEXEC)
#else
#define DESCRIBE_FLAGS OPEN_FLAGS
#endif

/* A path being resolved where there is no openat2. */
struct walk {
	int root;
	int folder;       /* of `done`; -1: left by "..", to be opened again */
	int flags;        /* to open the last one with */
	int links;        /* followed so far */
	const char *todo; /* in `text`: what is left */
	size_t done_size;
	char done[PATH_MAX];     /* names of folders from the root, each with
	                            its NUL; none of them is a link */
	char name[PATH_MAX];     /* the one being resolved */
	char text[2 * PATH_MAX]; /* `todo` ends with it, so that a link's text
	                            has room before it */
};

static int
open_at(int folder, const char *name, int flags)
{
	int fd;

	do
		fd = openat(folder, name, flags);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

#if defined HAVE_LINUX_OPENAT2_H && defined SYS_openat2
static int
open_beneath(int folder, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int tries = 0;
	long fd;

	/* unlike openat, openat2 takes "" for a missing name */
	if (*path == '\0')
		path = ".";
	do
		fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
	while (fd < 0 &&
		(errno == EINTR || (errno == EAGAIN && ++tries < MAX_TRIES)));
	return fd < 0 ? -errno : (int)fd;
}
#else
static int
open_beneath(int folder, const char *path, int flags)
{
	(void)folder;
	(void)path;
	(void)flags;
	return -ENOSYS;
}
#endif

static void
leave_folder(struct walk *walk)
{
	if (walk->folder >= 0 && walk->folder != walk->root)
		(void)close(walk->folder);
	walk->folder = -1;
}

/*
 * Goes down one folder. A name that has become a link since it was looked at
 * is refused here by O_NOFOLLOW: only names that are no links are opened, so
 * no rename can lead the walk out.
 */
static int
enter_folder(struct walk *walk, const char *name)
{
	int fd = open_at(walk->folder, name, FOLDER_FLAGS | O_NOFOLLOW);

	if (fd < 0)
		return fd;
	leave_folder(walk);
	walk->folder = fd;
	return 0;
}

/* Opens the folder `done` again, from the root: ".." is never opened. */
static int
return_to_folder(struct walk *walk)
{
	size_t at = 0;
	int error = 0;

	if (walk->folder >= 0)
		return 0;
	walk->folder = walk->root;
	while (error == 0 && at < walk->done_size) {
		error = enter_folder(walk, walk->done + at);
		at += strlen(walk->done + at) + 1;
	}
	return error;
}

/* Resolves "..", by text: `done` holds no links. */
static int
step_out(struct walk *walk)
{
	struct stat status;

	/* the kernel wants the folder to be searchable, so do we */
	if (walk->folder >= 0 && fstatat(walk->folder, ".", &status, 0) < 0)
		return -errno;
	if (walk->done_size == 0)
		return -EXDEV;
	do
		walk->done_size--;
	while (walk->done_size > 0 && walk->done[walk->done_size - 1] != '\0');
	leave_folder(walk);
	return 0;
}

static int
step_in(struct walk *walk)
{
	size_t size = strlen(walk->name) + 1;
	int error;

	if (size > sizeof walk->done - walk->done_size)
		return -ENAMETOOLONG;
	if ((error = enter_folder(walk, walk->name)) != 0)
		return error;
	memcpy(walk->done + walk->done_size, walk->name, size);
	walk->done_size += size;
	return 0;
}

/*
 * Goes back to the root, if the absolute link of `size` bytes at the start of
 * `todo` leads through it: removes the longest beginning of the link that is
 * the root. The rest is then resolved beneath the root like any path, so that
 * nobody gains by changing the folders that are looked at here.
 */
static int
reenter(struct walk *walk, size_t size)
{
	char *text = walk->text + (walk->todo - walk->text);
	struct stat root, status;

	if (fstat(walk->root, &root) < 0)
		return -errno;
	for (; size > 0; size--) {
		char next = text[size];
		int error;

		if (next != '/' && next != '\0' && size > 1)
			continue;
		text[size] = '\0';
		error = stat(text, &status);
		text[size] = next;
		if (error < 0 || status.st_dev != root.st_dev ||
			status.st_ino != root.st_ino)
			continue;
		walk->todo = text + size;
		walk->done_size = 0;
		leave_folder(walk);
		return 0;
	}
	return -EXDEV;
}

/* Puts the link's text in the place of its name, before what is left. */
static int
follow_link(struct walk *walk)
{
	char target[PATH_MAX];
	size_t size;
	ssize_t got;

	if (walk->links++ >= MAX_LINKS)
		return -ELOOP;
	got = readlinkat(walk->folder, walk->name, target, sizeof target);
	if (got < 0)
		/* EINVAL: it is no link any more */
		return errno == EINVAL ? -EAGAIN : -errno;
	size = (size_t)got;
	if (size == 0)
		return -ENOENT;
	if (size == sizeof target || size > (size_t)(walk->todo - walk->text))
		return -ENAMETOOLONG;
	walk->todo -= size;
	memcpy(walk->text + (walk->todo - walk->text), target, size);
	return target[0] == '/' ? reenter(walk, size) : 0;
}

/* Takes the next name off `todo`; false when there is none. */
static bool
take_name(struct walk *walk)
{
	size_t size;

	walk->todo += strspn(walk->todo, "/");
	size = strcspn(walk->todo, "/");
	/* fits: no name is longer than the path or the link it is from */
	memcpy(walk->name, walk->todo, size);
	walk->name[size] = '\0';
	walk->todo += size;
	return size > 0;
}

/* Resolves one name. 0, with *fd set when it was the last one; or -errno. */
static int
step(struct walk *walk, int *fd)
{
	bool named = take_name(walk);
	bool last = walk->todo[strspn(walk->todo, "/")] == '\0';
	struct stat status;
	int flags = walk->flags | O_NOFOLLOW;
	int error;

	if (strcmp(walk->name, "..") == 0)
		return step_out(walk);
	if ((error = return_to_folder(walk)) != 0)
		return error;
	if (!named) {
		*fd = open_at(walk->folder, ".", flags | O_DIRECTORY);
		return *fd < 0 ? *fd : 0;
	}
	if (strcmp(walk->name, ".") == 0)
		return 0;
	if (fstatat(walk->folder, walk->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(status.st_mode))
		return follow_link(walk);
	if (S_ISDIR(status.st_mode)) {
		if (!last)
			return step_in(walk);
		flags |= O_DIRECTORY;
	} else if (*walk->todo == '/')
		return -ENOTDIR;
	else if (!S_ISREG(status.st_mode))
		return -EACCES;
	*fd = open_at(walk->folder, walk->name, flags);
	return *fd < 0 ? *fd : 0;
}

/* Opens as openat2 with RESOLVE_BENEATH, one name at a time. */
static int
walk_beneath(int root, const char *path, int flags)
{
	struct walk walk;
	size_t size = strlen(path) + 1;
	char *todo;
	int error = 0, fd = -1;

	if (size > PATH_MAX)
		return -ENAMETOOLONG;
	if (*path == '/')
		return -EXDEV;
	todo = walk.text + sizeof walk.text - size;
	memcpy(todo, path, size);
	walk.todo = todo;
	walk.root = walk.folder = root;
	walk.flags = flags;
	walk.links = 0;
	walk.done_size = 0;
	while (error == 0 && fd < 0)
		error = step(&walk, &fd);
	leave_folder(&walk);
	return error != 0 ? error : fd;
}

static int
describe(struct rt_file *file)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return -errno;
	/* FIFOs and devices, which open without blocking */
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return -EACCES;
	file->mode = status.st_mode;
	file->size = (uint64_t)status.st_size;
	file->modified = status.st_mtim.tv_sec;
	file->modified_ns = (uint32_t)status.st_mtim.tv_nsec;
	file->changed = status.st_ctim.tv_sec;
	file->changed_ns = (uint32_t)status.st_ctim.tv_nsec;
	file->inode = status.st_ino;
	file->device = status.st_dev;
	file->bodiless = status.st_blocks == 0;
	return 0;
}

static int
open_in(const struct rt_root *root, const char *path, int flags)
{
	int fd;

	if (root->follow)
		return open_at(root->fd, *path != '\0' ? path : ".", flags);
	if (root->walk)
		return walk_beneath(root->fd, path, flags);
	fd = open_beneath(root->fd, path, flags);
	/* an absolute link may lead beneath all the same */
	return fd == -EXDEV ? walk_beneath(root->fd, path, flags) : fd;
}

static int
open_and_describe(struct rt_file *file, const struct rt_root *root,
	const char *path, int flags)
{
	int error = 0;

	*file = (struct rt_file){.fd = -1};
	if (root->name != NULL) {
		if (*path != '\0' && strcmp(path, root->name) != 0)
			return -ENOENT;
		path = root->name;
	}
	file->fd = open_in(root, path, flags);
	if (file->fd < 0) {
		error = file->fd;
		file->fd = -1;
		/* a socket, or a device without a driver */
		return error == -ENXIO || error == -ENODEV ? -EACCES : error;
	}
	if ((error = describe(file)) != 0)
		rt_file_close(file);
	return error;
}

int
rt_file_open(struct rt_file *file, const struct rt_root *root, const char *path)
{
	return open_and_describe(file, root, path, OPEN_FLAGS);
}

int
rt_file_describe(struct rt_file *file, const struct rt_root *root,
	const char *path)
{
	int error = open_and_describe(file, root, path, DESCRIBE_FLAGS);

	rt_file_close(file);
	return error;
}

int
rt_file_open_named(struct rt_file *file, const char *path)
{
	int error;

	*file = (struct rt_file){.fd = -1};
	file->fd = open_at(AT_FDCWD, path, OPEN_FLAGS);
	if (file->fd < 0) {
		error = file->fd;
		file->fd = -1;
		return error;
	}
	error = describe(file);
	if (error == 0 && !S_ISREG(file->mode))
		error = -EISDIR;
	if (error != 0)
		rt_file_close(file);
	return error;
}

int
rt_file_read(const struct rt_file *file, struct rt_buf *to)
{
	/* one byte more than may be, to see whether there is one */
	uint64_t most = file->size > 0 ? file->size : RT_MAX_UNSIZED + 1, have;

	for (have = 0; have < most;) {
		size_t size =
			most - have < PIECE ? (size_t)(most - have) : PIECE;
		char *at = rt_buf_reserve(to, size);
		ssize_t n;

		if (at == NULL)
			return -ENOMEM;
		n = read(file->fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		to->len += (size_t)n;
		have += (uint64_t)n;
	}
	return file->size == 0 && have == most ? -EFBIG : 0;
}

size_t
rt_file_peek(const struct rt_file *file, void *to, size_t size)
{
	ssize_t n;

	do
		n = pread(file->fd, to, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? 0 : (size_t)n;
}

void
rt_file_close(struct rt_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = -1;
}

/* Opens the folder of a file, and finds its name in it. The owner of ROOT chose
   its links: they are resolved here, once, wherever they lead. */
static int
open_parent(struct rt_root *root, const char *path)
{
	char *real, *slash;
	int error = 0;

	if ((real = realpath(path, NULL)) == NULL)
		return -errno;
	slash = strrchr(real, '/');
	if ((root->name = strdup(slash + 1)) == NULL) {
		error = -ENOMEM;
		goto out;
	}
	slash[slash == real] = '\0';
	root->fd = open_at(AT_FDCWD, real, FOLDER_FLAGS);
	if (root->fd < 0)
		error = root->fd;
out:
	free(real);
	return error;
}

/* Opens the root once: checks that it can be read, and how files are opened
   beneath it. */
static int
probe(struct rt_root *root)
{
	struct rt_file file;
	int error = rt_file_open(&file, root, "");

	switch (error) { /* of openat2 */
	case -ENOSYS:    /* an old kernel */
	case -EPERM:     /* a system call filter that does not know it */
	case -E2BIG:     /* flags that this kernel does not know */
	case -EINVAL:
		root->walk = true;
		error = rt_file_open(&file, root, "");
	}
	rt_file_close(&file);
	root->device = file.device;
	root->inode = (ino_t)file.inode;
	return error;
}

/* The path from "/", which stays right when the program changes its working
   folder. NULL: there is none. */
static char *
absolute(const char *path)
{
	char here[PATH_MAX];
	struct rt_buf to;

	rt_buf_init(&to, sizeof here);
	if (*path != '/') {
		if (getcwd(here, sizeof here) == NULL)
			return NULL;
		rt_buf_add_text(&to, here);
		rt_buf_add(&to, "/", 1);
	}
	rt_buf_add_text(&to, path);
	if (rt_buf_text(&to) == NULL)
		rt_buf_free(&to);
	return to.data;
}

int
rt_root_open(struct rt_root *root, const char *path)
{
	struct stat status;
	int error = 0;

	root->fd = -1;
	root->name = NULL;
	root->path = NULL;
	root->walk = false;
	/* only so that a device is not opened; what counts is opened below */
	if (stat(path, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode)) {
		root->fd = open_at(AT_FDCWD, path, OPEN_FLAGS | O_DIRECTORY);
		if (root->fd < 0)
			error = root->fd;
	} else if (S_ISREG(status.st_mode))
		error = open_parent(root, path);
	else
		error = -ENOTSUP;
	if (error == 0)
		error = probe(root);
	if (error != 0)
		rt_root_close(root);
	else
		root->path = absolute(path);
	return error;
}

/* Opens the file that ROOT leads to now, and closes the former one. */
static int
reopen(struct rt_root *root)
{
	struct rt_root now = {.dotfiles = root->dotfiles,
		.follow = root->follow};
	int error = rt_root_open(&now, root->path);

	if (error == -ENOTSUP ||
		(error == 0 && (now.name == NULL) != (root->name == NULL)))
		error = -ENOENT;
	if (error == 0) {
		now.walk = now.walk || root->walk;
		rt_root_close(root);
		*root = now;
	} else {
		rt_root_close(&now);
	}
	return error;
}

int
rt_root_find(struct rt_root *root)
{
	struct stat status;

	if (root->path == NULL)
		return 0;
	if (stat(root->path, &status) < 0)
		return errno == EACCES || errno == EPERM ? 0 : -errno;
	return status.st_dev == root->device && status.st_ino == root->inode ?
		0 :
		reopen(root);
}

void
rt_root_close(struct rt_root *root)
{
	if (root->fd >= 0)
		(void)close(root->fd);
	root->fd = -1;
	free(root->name);
	root->name = NULL;
	free(root->path);
	root->path = NULL;
}
