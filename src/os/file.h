/* SPDX-License-Identifier: MIT */
/*
 * Files beneath a root: paths by text, then opened so that nothing outside
 * the root can ever be reached, then described.
 *
 * The root is a path. What it leads to is opened, and everything else beneath
 * that: by openat2(2) with RESOLVE_BENEATH where the kernel has it, else by a
 * walk that opens each component with O_NOFOLLOW and resolves symbolic links
 * itself. Links that stay beneath the root are followed, those that lead out
 * are refused with -EXDEV, in both ways. An absolute link stays beneath when
 * its text leads through the root; that is for the walk to find out, which
 * compares what is there, and opens nothing outside. Links like those of
 * /proc/PID/fd are not followed to where only the kernel knows (-ELOOP or
 * -EXDEV).
 */
#ifndef RT_FILE_H
#define RT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* A folder, or one file, that is served. */
struct rt_root {
	int fd;        /* of the folder, or of the folder that holds the file */
	char *name;    /* ROOT is this one regular file; NULL for a folder */
	bool dotfiles; /* serve names that begin with a dot */
	bool follow;   /* links are followed wherever they lead */
	bool walk;     /* openat2 is missing; a test may set it after opening */
	char *path;    /* ROOT, absolute; NULL: what is open stays */
	dev_t device;  /* of what was opened, folder or file */
	ino_t inode;
};

/* An opened file. */
struct rt_file {
	int fd;
	mode_t mode;      /* st_mode */
	uint64_t size;    /* bytes */
	int64_t modified; /* seconds since the epoch */
	uint32_t modified_ns;
	uint32_t changed_ns; /* st_ctime: nobody sets it to a time of their */
	int64_t changed;     /* own */
	uint64_t inode;
	dev_t device;
	bool bodiless; /* it takes no blocks: what it holds may be made when it
	                  is read, whatever its size says */
};

/*
 * Opens ROOT: a folder or a regular file that can be read; for a file, the
 * folder that holds it. Links in `path` itself are followed wherever they
 * lead. Sets all but `dotfiles` and `follow`, which are the caller's. Never
 * blocks on a FIFO. 0 or -errno (-ENOTSUP: neither a folder nor a regular
 * file); unless 0 there is nothing to close, but rt_root_close() is harmless.
 */
int rt_root_open(struct rt_root *root, const char *path);
void rt_root_close(struct rt_root *root);

/*
 * Checks by one stat(2) whether ROOT still leads to the open folder or file,
 * and otherwise opens the one that it leads to now: a folder that was created
 * again, a file that was replaced, a link that was changed. 0 or -errno;
 * -ENOENT also if a folder has become a file, or a file a folder. On failure
 * the former one stays open. If there is no permission to look at ROOT, the
 * result is 0.
 */
int rt_root_find(struct rt_root *root);

/*
 * Turns a request's path (origin-form, without query: "/a%20b/../c/") into a
 * path relative to the root ("c/"), appended to `out` with a final NUL that
 * is not counted in out->len. Percent-decodes once; then an encoded slash is
 * one like any other, so that "..%2f" is "../". Resolves "." and ".." (".." at
 * the top stays at the top), and folds empty segments. The root itself is "".
 * A path that names a folder by a final slash, "." or ".." keeps one final
 * slash (unless it is the root).
 *
 * 0 or -errno, the first from the left, and out->len as it was: -EINVAL
 * malformed percent-encoding, a NUL, encoded or not; -ENOENT a segment that
 * begins with a dot unless `dotfiles` (a first segment ".well-known" always
 * passes), even one that a later ".." takes back;
 * -ENAMETOOLONG PATH_MAX is reached, or `size` and a NUL do not fit beneath
 * out->max; -ENOMEM.
 */
int rt_file_path(struct rt_buf *out, const char *path, size_t size,
	bool dotfiles);

/*
 * Whether a name is as good as absent: it begins with a dot, and neither
 * `dotfiles` is set nor is it ".well-known" at the top of the root.
 */
bool rt_file_is_hidden(const char *name, size_t size, bool top, bool dotfiles);

/*
 * Adds a path or name as it stands in a URI: all but unreserved characters
 * and slashes percent-encoded, so that it begins no scheme, query or fragment
 * and needs no escape in HTML.
 */
void rt_file_encode(struct rt_buf *out, const char *path);

/*
 * Opens `path` (as rt_file_path made it, NUL-terminated, no leading slash;
 * "" is the root itself) for reading beneath the root and describes it from
 * the descriptor. O_NONBLOCK|O_NOCTTY|O_CLOEXEC; anything but a regular file
 * or a folder is refused with -EACCES and without blocking. Where ROOT is one
 * file, both "" and its name are that file, and all else is -ENOENT.
 *
 * 0 or -errno; file->fd is -1 unless 0.
 */
int rt_file_open(struct rt_file *file, const struct rt_root *root,
	const char *path);

/* The most bytes that are read from a file that does not say its size. */
#define RT_MAX_UNSIZED (4u << 20)

/*
 * Adds the contents of an open file to `to`: as many bytes as it says, or fewer
 * if there are fewer. A file that says that it is empty, as those of /proc do,
 * is read to its end. Call this once. 0 or -errno: -EFBIG, more than
 * RT_MAX_UNSIZED; -ENOMEM.
 */
int rt_file_read(const struct rt_file *file, struct rt_buf *to);

/* Reads the first bytes of a file, at most `size`. Their number; 0 if it cannot
   be read. */
size_t rt_file_peek(const struct rt_file *file, void *to, size_t size);

/* The same as rt_file_open(), but without opening the file to read it, which
   the other end of a FIFO would notice. file->fd is -1. */
int rt_file_describe(struct rt_file *file, const struct rt_root *root,
	const char *path);

/* Opens a regular file anywhere, by a path of the user's own; otherwise as
   rt_file_open(). */
int rt_file_open_named(struct rt_file *file, const char *path);

void rt_file_close(struct rt_file *file);

/*
 * Whether the file at a path is still the one that was described: it has the
 * same device, inode, type, size and times. The system asks a file server for
 * them again. `path` begins with root->path, so that ROOT is found as
 * rt_root_find() does, and unless that is the file, a slash and a path of
 * rt_file_open() follow, from byte `beneath` on. It is changed meanwhile, and
 * as it was afterwards. False also if a component beneath ROOT is a link,
 * unless links are followed; if there are more than two folders above the file;
 * and on systems without statx(2).
 *
 * This opens nothing. It makes one system call for each component beneath ROOT,
 * because no call looks at a whole path and refuses links on the way.
 */
bool rt_file_is_still(const struct rt_file *file, const struct rt_root *root,
	char *path, size_t beneath);

/*
 * Whether `a` was modified before `b`. A time without a fraction was kept in
 * whole seconds, and is compared as such.
 */
bool rt_file_is_older(const struct rt_file *a, const struct rt_file *b);

/*
 * The HTTP status for a failed open, from errno or -errno: the one place that
 * maps it.
 */
int rt_file_status(int error);

/* Room for an entity tag with its quotes and NUL. */
#define RT_ETAG_TEXT 56

/*
 * A strong entity tag, of the time in nanoseconds, size and inode in
 * hexadecimal: "\"18a0b1c2d3e4f506-3e8-1f2a\"" and a NUL.
 */
void rt_file_etag(const struct rt_file *file, char text[RT_ETAG_TEXT]);

#endif
