/* SPDX-License-Identifier: MIT */
/*
 * One tree of files, opened in both ways (walk false and true), which must
 * agree on every case.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAVE_LINUX_OPENAT2_H
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "os/file.h"
#include "support/harness.h"

#define NOBODY 65534
/* of which a careless walk loses a few */
#define RACES (under_valgrind() ? 5000 : 100000)

/* ---- the tree ---- */

static char base[PATH_MAX / 4]; /* holds "root", "secret" and "outside" */
static bool devices;            /* mknod was permitted */
static char name255[256], name256[257];

/* The same buffer each time. */
static const char *
in_base(const char *name)
{
	static char path[PATH_MAX];

	ck_assert_int_lt(snprintf(path, sizeof path, "%s/%s", base, name),
		(int)sizeof path);
	return path;
}

static void
make_folder(const char *name)
{
	ck_assert_msg(mkdir(in_base(name), 0755) == 0, "mkdir %s: %s", name,
		strerror(errno));
}

static void
make_file(const char *name, const char *text)
{
	FILE *file = fopen(in_base(name), "w");

	ck_assert_msg(file != NULL, "%s: %s", name, strerror(errno));
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void
make_link(const char *name, const char *target)
{
	ck_assert_msg(symlink(target, in_base(name)) == 0, "symlink %s: %s",
		name, strerror(errno));
}

static void
make_mode(const char *name, mode_t mode)
{
	ck_assert_msg(chmod(in_base(name), mode) == 0, "chmod %s: %s", name,
		strerror(errno));
}

static void
make_special(void)
{
	ck_assert_int_eq(mkfifo(in_base("root/fifo"), 0666), 0);
	ck_assert_int_eq(mknod(in_base("root/socket"), S_IFSOCK | 0666, 0), 0);
	devices = mknod(in_base("root/null"), S_IFCHR | 0666, makedev(1, 3)) ==
			0 &&
		mknod(in_base("root/driverless"), S_IFCHR | 0666,
			makedev(240, 255)) == 0;
}

static const struct {
	const char *name;
	const char *target;
} links[] = {
	{"root/link", "index.html"},
	{"root/linkdir", "dir"},
	{"root/dir/up", "../index.html"},
	{"root/dir/sub/upup", "../../dir/../index.html"},
	{"root/dir/parent", ".."},
	{"root/here", "."},
	{"root/slashdir", "dir//"},
	{"root/slashfile", "index.html/"},
	{"root/loop", "loop"},
	{"root/ping", "pong"},
	{"root/pong", "ping"},
	{"root/dangling", "missing"},
	{"root/missingup", "missing/../index.html"},
	{"root/fileup", "index.html/../index.html"},
	{"root/toclosed", "closed/../index.html"},
	{"root/absolutedir", "/etc"},
	{"root/out", "../secret"},
	{"root/outdir", "../outside"},
	{"root/back", "../root/index.html"},
	{"root/dir/out", "../../secret"},
	{"root/midout", "dir/../../secret"},
	{"root/parent", ".."},
	{"root/toout", "dir/out"},
	{"root/tofifo", "fifo"},
	{"root/chain1", "index.html"},
	{"root/race0/link", "../../outside"},
	{"root/race0/filelink", "../../secret"},
	{"root/race1/link", "../../outside"},
	{"root/race1/filelink", "../../secret"},
};

/* Their targets beneath the base are written in full. */
static const struct {
	const char *name;
	const char *target;
} absolute_links[] = {
	{"root/absolute", "/root/index.html"},
	{"root/dir/absoluteup", "/root/dir/file"},
	{"root/absoluteroot", "/root"},
	{"root/absoluteslashes", "//root/./dir//sub/../sub/deep"},
	{"root/absolutealias", "/alias/dir/file"},
	{"root/absoluteloop", "/root/absoluteloop"},
	{"root/absolutemissing", "/root/missing"},
	{"root/absoluteout", "/secret"},
	{"root/absoluteparent", ""},
	{"root/absolutenear", "/root2/index.html"},
	{"root/race0/absolutedir", "/root/race0/dir"},
	{"root/race1/absolutedir", "/root/race1/dir"},
};

static void
make_absolute_links(void)
{
	char text[PATH_MAX];

	make_link("alias", "root");
	for (int i = 0; i < COUNT(absolute_links); i++) {
		(void)snprintf(text, sizeof text, "%s%s", base,
			absolute_links[i].target);
		make_link(absolute_links[i].name, text);
	}
}

static void
make_links(void)
{
	char name[32], text[PATH_MAX];

	for (int i = 0; i < COUNT(links); i++)
		make_link(links[i].name, links[i].target);
	for (int i = 2; i <= 41; i++) {
		(void)snprintf(name, sizeof name, "root/chain%d", i);
		(void)snprintf(text, sizeof text, "chain%d", i - 1);
		make_link(name, text);
	}
	make_absolute_links();
	for (int i = 0; i < 2000; i++)
		memcpy(text + 2 * i, "./", 2);
	memcpy(text + 4000, "index.html", 11);
	make_link("root/longlink", text);
}

static const char *const folders[] = {
	"root",
	"root/dir",
	"root/dir/sub",
	"root/race0",
	"root/race0/dir",
	"root/race1",
	"root/race1/dir",
	"root/closed",
	"root/listonly",
	"root/searchonly",
	"outside",
};

static const struct {
	const char *name;
	const char *text;
} files[] = {
	{"secret", "outside"},
	{"outside/f", "outside"},
	{"root/index.html", "index"},
	{"root/empty", ""},
	{"root/dir/file", "file"},
	{"root/dir/sub/deep", "deep"},
	{"root/race0/dir/f", "inside"},
	{"root/race0/file", "inside"},
	{"root/race1/dir/f", "inside"},
	{"root/race1/file", "inside"},
	{"root/closed/f", "closed"},
	{"root/listonly/f", "listonly"},
	{"root/searchonly/f", "searchonly"},
	{"root/unreadable", "unreadable"},
};

static void
make_tree(void)
{
	const char *tmp = getenv("TMPDIR");
	char name[300];

	(void)snprintf(base, sizeof base, "%s/retort-file-XXXXXX",
		tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	ck_assert_msg(mkdtemp(base) != NULL, "%s: %s", base, strerror(errno));
	(void)umask(022);
	ck_assert_int_eq(chmod(base, 0755), 0);
	for (int i = 0; i < COUNT(folders); i++)
		make_folder(folders[i]);
	for (int i = 0; i < COUNT(files); i++)
		make_file(files[i].name, files[i].text);
	memset(name255, 'n', 255);
	memset(name256, 'n', 256);
	(void)snprintf(name, sizeof name, "root/%s", name255);
	make_file(name, "long");
	make_special();
	make_links();
	make_mode("root/unreadable", 0);
	make_mode("root/closed", 0);
	make_mode("root/listonly", 0444);
	make_mode("root/searchonly", 0111);
}

static int
remove_one(const char *path, const struct stat *status, int type,
	struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(void)
{
	static const char *const closed[] = {
		"root/closed",
		"root/listonly",
		"root/searchonly",
	};

	for (int i = 0; i < COUNT(closed); i++)
		make_mode(closed[i], 0700);
	ck_assert_msg(nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0,
		"%s: cannot be removed: %s", base, strerror(errno));
}

/* ---- helpers ---- */

static int
count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	return count;
}

/* So that permissions mean something. */
static void
drop_privileges(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
}

/* Before the end: a leak checker needs them. */
static void
regain_privileges(void)
{
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

static struct rt_root
open_root(const char *path, bool walk)
{
	struct rt_root root = {.dotfiles = true};
	int error = rt_root_open(&root, path);

	ck_assert_msg(error == 0, "%s: %s", path, strerror(-error));
	ck_assert_int_ge(root.fd, 0);
	ck_assert_msg(root.dotfiles, "dotfiles was changed");
	root.walk = root.walk || walk;
	return root;
}

static void
check_file(const struct rt_file *file, const char *path, const char *text)
{
	char bytes[64] = "";
	struct stat status;
	ssize_t size;

	ck_assert_int_eq(fstat(file->fd, &status), 0);
	ck_assert_uint_eq(file->mode, status.st_mode);
	ck_assert_uint_eq(file->size, (uint64_t)status.st_size);
	ck_assert_int_eq(file->modified, status.st_mtim.tv_sec);
	ck_assert_int_eq(file->modified_ns, status.st_mtim.tv_nsec);
	ck_assert_uint_eq(file->inode, status.st_ino);
	ck_assert_int_eq(fcntl(file->fd, F_GETFD), FD_CLOEXEC);
	if (text == NULL) {
		ck_assert_msg(S_ISDIR(file->mode), "\"%s\": not a folder",
			path);
		return;
	}
	ck_assert_msg(S_ISREG(file->mode), "\"%s\": not a file", path);
	size = pread(file->fd, bytes, sizeof bytes - 1, 0);
	ck_assert_msg(size >= 0, "\"%s\": pread: %s", path, strerror(errno));
	ck_assert_msg(strcmp(bytes, text) == 0,
		"\"%s\": expected \"%s\", got \"%s\"", path, text, bytes);
}

/* Opens `path`: a file that holds `text`, a folder if NULL, or an error. */
static void
check_open(const struct rt_root *root, const char *path, int expected,
	const char *text)
{
	struct rt_file file = {.fd = 12345};
	int before = count_descriptors();
	int error = rt_file_open(&file, root, path);

	ck_assert_msg(error == expected,
		"\"%.80s\", walk %d: expected %s, got %s", path, root->walk,
		strerror(-expected), strerror(-error));
	if (error == 0)
		check_file(&file, path, text);
	else
		ck_assert_int_eq(file.fd, -1);
	rt_file_close(&file);
	ck_assert_int_eq(file.fd, -1);
	rt_file_close(&file);
	ck_assert_msg(count_descriptors() == before,
		"\"%.80s\", walk %d: %d descriptors left open", path,
		root->walk, count_descriptors() - before);
}

/* ---- opening beneath the root ---- */

static const struct {
	const char *path;
	const char *text; /* NULL: a folder */
	int error;
} opens[] = {
	{"", NULL, 0},
	{".", NULL, 0},
	{"index.html", "index", 0},
	{"empty", "", 0},
	{"dir", NULL, 0},
	{"dir/", NULL, 0},
	{"dir//", NULL, 0},
	{"dir/.", NULL, 0},
	{"dir/file", "file", 0},
	{"dir//.//file", "file", 0},
	{"dir/sub/deep", "deep", 0},
	{"dir/..", NULL, 0},
	{"dir/../index.html", "index", 0},
	{"dir/sub/../file", "file", 0},
	{"dir/sub/../../dir/sub/deep", "deep", 0},
	{"dir/sub/../sub/../sub/../file", "file", 0},
	/* links that stay */
	{"link", "index", 0},
	{"linkdir", NULL, 0},
	{"linkdir/", NULL, 0},
	{"linkdir/file", "file", 0},
	{"linkdir/../index.html", "index", 0},
	{"linkdir/sub/../file", "file", 0},
	{"dir/up", "index", 0},
	{"dir/sub/upup", "index", 0},
	{"linkdir/sub/upup", "index", 0},
	{"dir/parent", NULL, 0},
	{"dir/parent/", NULL, 0},
	{"dir/parent/index.html", "index", 0},
	{"dir/parent/dir/parent/dir/file", "file", 0},
	{"here", NULL, 0},
	{"here/here/link", "index", 0},
	{"slashdir", NULL, 0},
	{"slashdir/file", "file", 0},
	{"longlink", "index", 0},
	{"chain3", "index", 0},
	{"chain40", "index", 0},
	{"absolute", "index", 0},
	{"dir/absoluteup", "file", 0},
	{"absoluteroot", NULL, 0},
	{"absoluteroot/", NULL, 0},
	{"absoluteroot/dir/file", "file", 0},
	{"absoluteroot/absoluteroot/absolute", "index", 0},
	{"absoluteslashes", "deep", 0},
	{"absolutealias", "file", 0},
	/* links that lead nowhere */
	{"absoluteloop", NULL, -ELOOP},
	{"absolutemissing", NULL, -ENOENT},
	{"chain41", NULL, -ELOOP},
	{"loop", NULL, -ELOOP},
	{"loop/", NULL, -ELOOP},
	{"loop/x", NULL, -ELOOP},
	{"ping", NULL, -ELOOP},
	{"dangling", NULL, -ENOENT},
	{"dangling/", NULL, -ENOENT},
	{"missingup", NULL, -ENOENT},
	{"fileup", NULL, -ENOTDIR},
	{"slashfile", NULL, -ENOTDIR},
	/* out of the root */
	{"/", NULL, -EXDEV},
	{"//", NULL, -EXDEV},
	{"/etc/passwd", NULL, -EXDEV},
	{"..", NULL, -EXDEV},
	{"../", NULL, -EXDEV},
	{"../secret", NULL, -EXDEV},
	{"../root/index.html", NULL, -EXDEV},
	{"dir/../..", NULL, -EXDEV},
	{"dir/../../secret", NULL, -EXDEV},
	{"dir/sub/../../../secret", NULL, -EXDEV},
	{"linkdir/../../secret", NULL, -EXDEV},
	{"absolutedir", NULL, -EXDEV},
	{"absolutedir/passwd", NULL, -EXDEV},
	{"absoluteout", NULL, -EXDEV},
	{"absoluteparent", NULL, -EXDEV},
	{"absoluteparent/root/index.html", NULL, -EXDEV},
	{"absoluteroot/../secret", NULL, -EXDEV},
	{"absolutenear", NULL, -EXDEV},
	{"out", NULL, -EXDEV},
	{"outdir", NULL, -EXDEV},
	{"outdir/f", NULL, -EXDEV},
	{"back", NULL, -EXDEV},
	{"dir/out", NULL, -EXDEV},
	{"toout", NULL, -EXDEV},
	{"midout", NULL, -EXDEV},
	{"parent", NULL, -EXDEV},
	{"parent/root/index.html", NULL, -EXDEV},
	{"dir/parent/..", NULL, -EXDEV},
	{"dir/parent/parent", NULL, -EXDEV},
	{"missing/../..", NULL, -ENOENT},
	/* no such thing */
	{"missing", NULL, -ENOENT},
	{"missing/", NULL, -ENOENT},
	{"missing/x", NULL, -ENOENT},
	{"dir/missing", NULL, -ENOENT},
	{"Index.html", NULL, -ENOENT},
	{"index.html/", NULL, -ENOTDIR},
	{"index.html/.", NULL, -ENOTDIR},
	{"index.html/..", NULL, -ENOTDIR},
	{"index.html/x", NULL, -ENOTDIR},
	{"dir/file/../file", NULL, -ENOTDIR},
	{"link/", NULL, -ENOTDIR},
	{"link/x", NULL, -ENOTDIR},
	/* neither file nor folder */
	{"fifo", NULL, -EACCES},
	{"fifo/", NULL, -ENOTDIR},
	{"fifo/x", NULL, -ENOTDIR},
	{"tofifo", NULL, -EACCES},
	{"socket", NULL, -EACCES},
	{"socket/", NULL, -ENOTDIR},
	/* permissions */
	{"unreadable", NULL, -EACCES},
	{"unreadable/", NULL, -ENOTDIR},
	{"closed", NULL, -EACCES},
	{"closed/f", NULL, -EACCES},
	{"closed/missing", NULL, -EACCES},
	{"closed/..", NULL, -EACCES},
	{"closed/../index.html", NULL, -EACCES},
	{"toclosed", NULL, -EACCES},
	{"listonly", NULL, 0},
	{"listonly/", NULL, 0},
	{"listonly/.", NULL, -EACCES},
	{"listonly/f", NULL, -EACCES},
	{"listonly/..", NULL, -EACCES},
	{"searchonly", NULL, -EACCES},
	{"searchonly/f", "searchonly", 0},
	{"searchonly/../index.html", "index", 0},
};

START_TEST(open_beneath)
{
	for (int walk = 0; walk < 2; walk++) {
		struct rt_root root = open_root(in_base("root"), walk);

		drop_privileges();
		check_open(&root, opens[_i].path, opens[_i].error,
			opens[_i].text);
		rt_root_close(&root);
		regain_privileges();
	}
}
END_TEST

/* Describes `path`: as stat(2) does, or an error. */
static void
check_described(const struct rt_root *root, const char *path, int expected)
{
	struct rt_file file = {.fd = 12345};
	int before = count_descriptors();
	int error = rt_file_describe(&file, root, path);
	struct stat status;

	ck_assert_msg(error == expected,
		"\"%.80s\", walk %d: expected %s, got %s", path, root->walk,
		strerror(-expected), strerror(-error));
	ck_assert_int_eq(file.fd, -1);
	ck_assert_msg(count_descriptors() == before,
		"\"%.80s\", walk %d: %d descriptors left open", path,
		root->walk, count_descriptors() - before);
	if (error != 0)
		return;
	ck_assert_int_eq(fstatat(root->fd, *path ? path : ".", &status, 0), 0);
	ck_assert_uint_eq(file.mode, status.st_mode);
	ck_assert_uint_eq(file.size, (uint64_t)status.st_size);
	ck_assert_int_eq(file.modified, status.st_mtim.tv_sec);
	ck_assert_int_eq(file.modified_ns, status.st_mtim.tv_nsec);
	ck_assert_uint_eq(file.inode, status.st_ino);
}

/* Whether nothing but the permission to read it is missing. */
static bool
is_only_unreadable(const char *path)
{
	return strcmp(path, "unreadable") == 0 || strcmp(path, "closed") == 0 ||
		strcmp(path, "searchonly") == 0;
}

START_TEST(describe_beneath)
{
	const char *name = opens[_i].path;

	for (int walk = 0; walk < 2; walk++) {
		struct rt_root root = open_root(in_base("root"), walk);

		drop_privileges();
		check_described(&root, name,
			is_only_unreadable(name) ? 0 : opens[_i].error);
		rt_root_close(&root);
		regain_privileges();
	}
}
END_TEST

/* The tests below run once for each way: _i is `walk`. */

static const struct {
	const char *path;
	const char *opened; /* what it leads to */
	int error;
	bool is_device;
} unopened[] = {
	{"fifo", "root/fifo", -EACCES, false},
	{"tofifo", "root/fifo", -EACCES, false},
	{"socket", "root/socket", -EACCES, false},
	{"null", "root/null", -EACCES, true},
	{"driverless", "root/driverless", -EACCES, true},
	{"index.html", "root/index.html", 0, false},
	{"link", "root/index.html", 0, false},
	{"dir", "root/dir", 0, false},
	{"linkdir", "root/dir", 0, false},
};

START_TEST(describe_opens_nothing)
{
	struct rt_root root = open_root(in_base("root"), _i);

	for (int i = 0; i < COUNT(unopened); i++) {
		int watched;

		if (unopened[i].is_device && !devices)
			continue;
		watched = opening_watch(in_base(unopened[i].opened));
		check_described(&root, unopened[i].path, unopened[i].error);
		ck_assert_msg(!opening_seen(watched), "%s, walk %d: was opened",
			unopened[i].path, root.walk);
		if (unopened[i].error == 0) { /* it would have been seen */
			struct rt_file file;

			ck_assert_int_eq(rt_file_open(&file, &root,
						 unopened[i].path),
				0);
			rt_file_close(&file);
			ck_assert(opening_seen(watched));
		}
		(void)close(watched);
	}
	rt_root_close(&root);
}
END_TEST

START_TEST(open_device)
{
	struct rt_root root = open_root(in_base("root"), _i);

	if (devices) {
		check_open(&root, "null", -EACCES, NULL);
		check_open(&root, "driverless", -EACCES, NULL);
		check_open(&root, "null/", -ENOTDIR, NULL);
	}
	rt_root_close(&root);
}
END_TEST

START_TEST(open_long)
{
	struct rt_root root = open_root(in_base("root"), _i);
	char path[PATH_MAX + 16] = "";

	check_open(&root, name255, 0, "long");
	check_open(&root, name256, -ENAMETOOLONG, NULL);
	(void)snprintf(path, sizeof path, "dir/%s/x", name256);
	check_open(&root, path, -ENAMETOOLONG, NULL);
	/* a path of PATH_MAX - 1 bytes is the longest */
	memset(path, '/', PATH_MAX);
	memcpy(path, "./dir", 5);
	memcpy(path + PATH_MAX - 5, "file", 5);
	ck_assert_uint_eq(strlen(path), PATH_MAX - 1);
	check_open(&root, path, 0, "file");
	memcpy(path + PATH_MAX - 5, "/file", 6);
	check_open(&root, path, -ENAMETOOLONG, NULL);
	/* a long link at the end of a long path */
	memset(path, '/', PATH_MAX);
	memcpy(path, "dir/..", 6);
	memcpy(path + PATH_MAX - 9, "longlink", 9);
	check_open(&root, path, 0, "index");
	rt_root_close(&root);
}
END_TEST

START_TEST(open_through_many_links)
{
	struct rt_root root = open_root(in_base("root"), _i);
	char path[41 * 5 + 16];

	/* links are counted along the whole path */
	for (int i = 0; i < 41; i++)
		memcpy(path + i * 5, "here/", 5);
	memcpy(path + 200, "index.html", 11);
	check_open(&root, path, 0, "index");
	memcpy(path + 200, "link", 5);
	check_open(&root, path, -ELOOP, NULL);
	memcpy(path + 200, "here/missing", 13);
	check_open(&root, path, -ELOOP, NULL);
	rt_root_close(&root);
}
END_TEST

START_TEST(open_without_descriptors)
{
	struct rt_root root = open_root(in_base("root"), _i);
	struct rlimit limit, low;
	int next[2];

	/* the next ones need not follow each other */
	for (int i = 0; i < 2; i++) {
		next[i] = dup(root.fd);
		ck_assert_int_ge(next[i], 0);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(close(next[i]), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)next[0];
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	check_open(&root, "index.html", -EMFILE, NULL);
	check_open(&root, "dir/file", -EMFILE, NULL);
	/* a folder at a time is held, and one more */
	low.rlim_cur = (rlim_t)next[1] + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	check_open(&root, "dir/sub/../sub/deep", 0, "deep");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	rt_root_close(&root);
}
END_TEST

START_TEST(open_magic_link)
{
	static const char *const magic[] = {"exe", "cwd", "root/etc/passwd"};
	struct rt_root root;
	struct rt_file file;

	if (access("/proc/self/exe", R_OK) != 0)
		skip_test("no /proc");
	root = open_root("/proc/self", _i);
	for (int i = 0; i < COUNT(magic); i++) {
		int error = rt_file_open(&file, &root, magic[i]);

		ck_assert_msg(error == -ELOOP || error == -EXDEV,
			"/proc/self/%s: expected ELOOP or EXDEV, got %s",
			magic[i], strerror(-error));
	}
	rt_root_close(&root);
}
END_TEST

START_TEST(open_many_times)
{
	struct rt_root root = open_root(in_base("root"), _i);

	/* a reply needs the same root again */
	for (int i = 0; i < 20; i++) {
		check_open(&root, "dir/sub/upup", 0, "index");
		check_open(&root, "dir/out", -EXDEV, NULL);
	}
	rt_root_close(&root);
}
END_TEST

/* Both names stay; only where that cannot be, one is missing for a while. */
static int
exchange(const char *a, const char *b)
{
#ifdef RENAME_EXCHANGE
	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return 0;
#endif
	if (rename(a, "kept") != 0 || rename(b, a) != 0)
		return -1;
	return rename("kept", b);
}

/*
 * Until its parent has gone, `folder`/dir is in turn a folder and a link out
 * of the root, and `folder`/file a file and such a link. It is killed in the
 * middle, so no folder serves twice.
 */
static void
keep_swapping(pid_t parent, const char *folder)
{
	if (chdir(in_base(folder)) != 0)
		_exit(1);
	while (getppid() == parent)
		if (exchange("dir", "link") != 0 ||
			exchange("file", "filelink") != 0)
			_exit(1);
	_exit(0);
}

/* Whether what was opened lies outside; without a slow assertion. */
static bool
is_outside(const struct rt_file *file)
{
	char bytes[8] = "";

	return pread(file->fd, bytes, 7, 0) != 6 ||
		memcmp(bytes, "inside", 6) != 0;
}

START_TEST(open_while_swapped)
{
	static const char *const raced[2][4] = {
		{"race0/dir/f", "race0/file", "race0/dir/../dir/f",
			"race0/absolutedir/f"},
		{"race1/dir/f", "race1/file", "race1/dir/../dir/f",
			"race1/absolutedir/f"},
	};
	pid_t parent = getpid(), child;
	struct rt_root root = open_root(in_base("root"), _i);
	struct rt_file file;
	int status, opened = 0;

	ck_assert_int_ge(child = fork(), 0);
	if (child == 0)
		keep_swapping(parent, _i ? "root/race1" : "root/race0");
	for (int i = 0; i < RACES; i++) {
		const char *path = raced[_i][i % 4];

		if (rt_file_open(&file, &root, path) != 0)
			continue;
		if (is_outside(&file))
			ck_abort_msg("\"%s\", walk %d: opened outside the root"
				     " at try %d",
				path, root.walk, i);
		rt_file_close(&file);
		opened++;
	}
	ck_assert_int_gt(opened, 0);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	rt_root_close(&root);
}
END_TEST

/* ---- the root ---- */

static const struct {
	const char *path; /* beneath the base */
	int error;
	const char *name; /* of a single file */
} roots[] = {
	{"root", 0, NULL},
	{"root/", 0, NULL},
	{"root/linkdir", 0, NULL},
	{"root/outdir", 0, NULL},
	{"root/absolutedir", 0, NULL},
	{"root/index.html", 0, "index.html"},
	{"root/dir/up", 0, "index.html"},
	{"root/absolute", 0, "index.html"},
	{"root/out", 0, "secret"},
	{"root/searchonly/f", 0, "f"},
	{"root/missing", -ENOENT, NULL},
	{"root/dangling", -ENOENT, NULL},
	{"root/index.html/", -ENOTDIR, NULL},
	{"root/loop", -ELOOP, NULL},
	{"root/fifo", -ENOTSUP, NULL},
	{"root/tofifo", -ENOTSUP, NULL},
	{"root/socket", -ENOTSUP, NULL},
	{"root/unreadable", -EACCES, NULL},
	{"root/closed", -EACCES, NULL},
	{"root/closed/f", -EACCES, NULL},
	{"root/listonly", -EACCES, NULL},
	{"root/searchonly", -EACCES, NULL},
};

START_TEST(root_open)
{
	const char *path = roots[_i].path, *name = roots[_i].name;
	int before = count_descriptors();
	struct rt_root root = {.fd = 12345, .dotfiles = true};
	int error;

	drop_privileges();
	error = rt_root_open(&root, in_base(path));
	regain_privileges();
	ck_assert_msg(error == roots[_i].error, "%s: expected %s, got %s", path,
		strerror(-roots[_i].error), strerror(-error));
	if (error != 0)
		ck_assert_int_eq(root.fd, -1);
	else
		ck_assert_int_eq(fcntl(root.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_msg((root.name == NULL) == (name == NULL) &&
			(name == NULL || strcmp(root.name, name) == 0),
		"%s: expected name %s, got %s", path, name ? name : "none",
		root.name ? root.name : "none");
	ck_assert(root.dotfiles);
	rt_root_close(&root);
	rt_root_close(&root);
	ck_assert_int_eq(root.fd, -1);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(root_empty_or_device)
{
	struct rt_root root;

	ck_assert_int_eq(rt_root_open(&root, ""), -ENOENT);
	ck_assert_int_eq(root.fd, -1);
	ck_assert_int_eq(rt_root_open(&root, "/dev/null"), -ENOTSUP);
	ck_assert_int_eq(root.fd, -1);
}
END_TEST

START_TEST(root_of_one_file)
{
	struct rt_root root;

	ck_assert_int_eq(chdir(in_base("root/dir")), 0);
	root = open_root("file", _i);
	ck_assert_int_eq(chdir("/"), 0);
	check_open(&root, "", 0, "file");
	check_open(&root, "file", 0, "file");
	check_open(&root, "file/", -ENOENT, NULL);
	check_open(&root, ".", -ENOENT, NULL);
	check_open(&root, "up", -ENOENT, NULL);
	check_open(&root, "sub/deep", -ENOENT, NULL);
	check_open(&root, "../secret", -ENOENT, NULL);
	check_open(&root, "/etc/passwd", -ENOENT, NULL);
	check_described(&root, "file", 0);
	check_described(&root, "up", -ENOENT);
	check_described(&root, "../secret", -ENOENT);
	rt_root_close(&root);
}
END_TEST

START_TEST(root_file_replaced)
{
	const char *folder = _i ? "replaced1" : "replaced0";
	struct rt_root root;
	char name[64], other[PATH_MAX];

	make_folder(folder);
	(void)snprintf(name, sizeof name, "%s/new", folder);
	make_file(name, "new");
	(void)snprintf(other, sizeof other, "%s", in_base(name));
	(void)snprintf(name, sizeof name, "%s/file", folder);
	make_file(name, "old");
	root = open_root(in_base(name), _i);
	check_open(&root, "", 0, "old");
	/* as editors save */
	ck_assert_int_eq(rename(other, in_base(name)), 0);
	check_open(&root, "", 0, "new");
	ck_assert_int_eq(unlink(in_base(name)), 0);
	check_open(&root, "", -ENOENT, NULL);
	/* nor does a link there lead out */
	make_link(name, "../secret");
	check_open(&root, "", -EXDEV, NULL);
	rt_root_close(&root);
}
END_TEST

/* ---- the root is found again ---- */

static void
check_found(struct rt_root *root, int expected)
{
	int before = count_descriptors(), error = rt_root_find(root);

	ck_assert_msg(error == expected, "%s: expected %s, got %s",
		root->path ? root->path : "none", strerror(-expected),
		strerror(-error));
	ck_assert_int_eq(count_descriptors(), before);
}

static char own[16]; /* a folder of the test's own */

/* The name of what is made there, beneath the base. */
static const char *
in_own(const char *name)
{
	static char names[4][64];
	static size_t at;

	at = (at + 1) % 4;
	(void)snprintf(names[at], sizeof names[at], "%s%s%s", own,
		*name ? "/" : "", name);
	return names[at];
}

static void
begin_own(const char *name, int i)
{
	(void)snprintf(own, sizeof own, "%s%d", name, i);
	make_folder(own);
}

static void
make_own(const char *folder, const char *text)
{
	char name[32];

	make_folder(in_own(folder));
	(void)snprintf(name, sizeof name, "%s/f", folder);
	make_file(in_own(name), text);
}

static void
move(const char *from, const char *to)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s", in_base(from));
	ck_assert_msg(rename(path, in_base(to)) == 0, "rename %s %s: %s", from,
		to, strerror(errno));
}

START_TEST(root_made_anew)
{
	struct rt_root root;

	begin_own("anew", _i);
	make_own("root", "old");
	root = open_root(in_base(in_own("root")), _i);
	check_found(&root, 0);
	check_open(&root, "f", 0, "old");
	/* as builds do: while it is away nothing is there */
	ck_assert_int_eq(unlink(in_base(in_own("root/f"))), 0);
	ck_assert_int_eq(rmdir(in_base(in_own("root"))), 0);
	check_found(&root, -ENOENT);
	check_found(&root, -ENOENT);
	make_own("root", "new");
	check_found(&root, 0);
	check_open(&root, "f", 0, "new");
	ck_assert(root.dotfiles);
	ck_assert(root.walk || !_i);
	/* or moved away, and another in its place */
	make_own("next", "next");
	move(in_own("root"), in_own("last"));
	move(in_own("next"), in_own("root"));
	check_found(&root, 0);
	check_open(&root, "f", 0, "next");
	check_open(&root, "../last/f", -EXDEV, NULL);
	/* a file is not served in the place of a folder */
	move(in_own("root"), in_own("next"));
	make_file(in_own("root"), "file");
	check_found(&root, -ENOENT);
	ck_assert_int_eq(unlink(in_base(in_own("root"))), 0);
	ck_assert_int_eq(mkfifo(in_base(in_own("root")), 0666), 0);
	check_found(&root, -ENOENT);
	ck_assert_int_eq(unlink(in_base(in_own("root"))), 0);
	move(in_own("next"), in_own("root"));
	check_found(&root, 0);
	check_open(&root, "f", 0, "next");
	rt_root_close(&root);
}
END_TEST

/* current -> r1, then r2: in one step, as deployments do */
START_TEST(root_link_switched)
{
	struct rt_root root, file;

	begin_own("switched", _i);
	make_own("r1", "one");
	make_own("r2", "two");
	make_link(in_own("current"), "r1");
	make_link(in_own("current.f"), "r1/f");
	/* also by a relative name, wherever the program goes */
	ck_assert_int_eq(chdir(in_base(in_own(""))), 0);
	root = open_root("current", _i);
	file = open_root("./current.f", _i);
	ck_assert_int_eq(chdir("/"), 0);
	check_open(&root, "f", 0, "one");
	check_open(&file, "", 0, "one");
	make_link(in_own("next"), "r2");
	make_link(in_own("next.f"), "r2/f");
	move(in_own("next"), in_own("current"));
	move(in_own("next.f"), in_own("current.f"));
	check_found(&root, 0);
	check_found(&file, 0);
	check_open(&root, "f", 0, "two");
	check_open(&root, "../r1/f", -EXDEV, NULL);
	check_open(&file, "", 0, "two");
	check_open(&file, "f", 0, "two");
	check_open(&file, "../r1/f", -ENOENT, NULL);
	/* to nowhere, and back */
	ck_assert_int_eq(unlink(in_base(in_own("current"))), 0);
	make_link(in_own("current"), "r3");
	check_found(&root, -ENOENT);
	move(in_own("r1"), in_own("r3"));
	check_found(&root, 0);
	check_open(&root, "f", 0, "one");
	/* a folder is not served in the place of one file */
	ck_assert_int_eq(unlink(in_base(in_own("current.f"))), 0);
	make_link(in_own("current.f"), "r2");
	check_found(&file, -ENOENT);
	check_open(&file, "r2/f", -ENOENT, NULL);
	rt_root_close(&root);
	rt_root_close(&file);
}
END_TEST

/* A root that cannot be looked at any more stays what it was. */
START_TEST(root_out_of_reach)
{
	struct rt_root root;

	begin_own("reach", _i);
	make_own("root", "f");
	root = open_root(in_base(in_own("root")), _i);
	make_mode(in_own(""), 0700);
	drop_privileges();
	check_found(&root, 0);
	check_open(&root, "f", 0, "f");
	regain_privileges();
	rt_root_close(&root);
}
END_TEST

START_TEST(links_are_followed_out)
{
	struct rt_root root = open_root(in_base("root"), _i);

	root.follow = true;
	check_open(&root, "", 0, NULL);
	check_open(&root, "index.html", 0, "index");
	check_open(&root, "out", 0, "outside");
	check_open(&root, "outdir/f", 0, "outside");
	check_open(&root, "absoluteout", 0, "outside");
	check_open(&root, "absolutedir", 0, NULL);
	check_open(&root, "back", 0, "index");
	check_open(&root, "loop", -ELOOP, NULL);
	check_open(&root, "tofifo", -EACCES, NULL);
	check_described(&root, "out", 0);
	rt_root_close(&root);
}
END_TEST

/* ---- what a file holds ---- */

START_TEST(reads_what_is_there)
{
	struct rt_root root = open_root(in_base("root"), _i);
	struct rt_file file;
	struct rt_buf to;
	char few[3];

	rt_buf_init(&to, 1 << 20);
	ck_assert_int_eq(rt_file_open(&file, &root, "index.html"), 0);
	ck_assert_uint_eq(rt_file_peek(&file, few, sizeof few), 3);
	assert_bytes(few, 3, "ind", 3);
	ck_assert_int_eq(rt_file_read(&file, &to), 0);
	assert_bytes(to.data, to.len, "index", 5);
	rt_file_close(&file);
	/* it promises more than it gives */
	rt_buf_clear(&to, 0);
	ck_assert_int_eq(rt_file_open(&file, &root, "index.html"), 0);
	file.size = 4096;
	ck_assert_int_eq(rt_file_read(&file, &to), 0);
	assert_bytes(to.data, to.len, "index", 5);
	rt_file_close(&file);
	/* nothing, but it gives something */
	rt_buf_clear(&to, 0);
	ck_assert_int_eq(rt_file_open(&file, &root, "index.html"), 0);
	file.size = 0;
	ck_assert_int_eq(rt_file_read(&file, &to), 0);
	assert_bytes(to.data, to.len, "index", 5);
	rt_file_close(&file);
	ck_assert_int_eq(rt_file_open(&file, &root, "dir"), 0);
	file.size = 0;
	ck_assert_int_eq(rt_file_read(&file, &to), -EISDIR);
	ck_assert_uint_eq(rt_file_peek(&file, few, sizeof few), 0);
	rt_file_close(&file);
	rt_buf_free(&to);
	rt_root_close(&root);
}
END_TEST

START_TEST(reads_only_so_much)
{
	struct rt_root root;
	struct rt_file file;
	struct rt_buf to;

	make_folder("large");
	make_file("large/f", "");
	ck_assert_int_eq(truncate(in_base("large/f"), RT_MAX_UNSIZED), 0);
	root = open_root(in_base("large"), false);
	rt_buf_init(&to, 2 * RT_MAX_UNSIZED);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(truncate(in_base("large/f"),
					 RT_MAX_UNSIZED + (off_t)i),
			0);
		rt_buf_clear(&to, 0);
		ck_assert_int_eq(rt_file_open(&file, &root, "f"), 0);
		file.size = 0; /* as those of /proc have */
		ck_assert_int_eq(rt_file_read(&file, &to), i ? -EFBIG : 0);
		rt_file_close(&file);
	}
	rt_buf_free(&to);
	rt_root_close(&root);
}
END_TEST

/* ---- a kernel without openat2, or one that is asked too much ---- */

#ifdef HAVE_LINUX_OPENAT2_H
/* From now on openat2 fails with `error` in this process; false: cannot. */
static bool
break_openat2(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(filter), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool
has_openat2(void)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH};
	int folder = open(in_base("root"), O_RDONLY | O_CLOEXEC);
	int fd = (int)syscall(SYS_openat2, folder, ".", &how, sizeof how);

	(void)close(folder);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

START_TEST(openat2_is_used)
{
	struct rt_root root = open_root(in_base("root"), false);

	ck_assert_int_eq(root.walk, !has_openat2());
	rt_root_close(&root);
	root = open_root(in_base("root/index.html"), false);
	ck_assert_int_eq(root.walk, !has_openat2());
	rt_root_close(&root);
}
END_TEST

static const int lacks[] = {ENOSYS, EPERM, E2BIG, EINVAL};

START_TEST(openat2_is_missing)
{
	struct rt_root root;

	if (!break_openat2(lacks[_i]))
		skip_test("no openat2, or no filter of system calls");
	root = open_root(in_base("root"), false);
	ck_assert_msg(root.walk, "%s did not select the walk",
		strerror(lacks[_i]));
	check_open(&root, "dir/up", 0, "index");
	check_open(&root, "dir/out", -EXDEV, NULL);
	rt_root_close(&root);
	root = open_root(in_base("root/index.html"), false);
	ck_assert(root.walk);
	check_open(&root, "", 0, "index");
	rt_root_close(&root);
}
END_TEST

START_TEST(openat2_gives_up)
{
	struct rt_root root = open_root(in_base("root"), false);

	/* for ever EAGAIN: an error, not a loop */
	if (!root.walk && break_openat2(EAGAIN))
		check_open(&root, "index.html", -EAGAIN, NULL);
	rt_root_close(&root);
}
END_TEST

static void
add_openat2(TCase *tcase)
{
	tcase_add_test(tcase, openat2_is_used);
	tcase_add_test(tcase, openat2_gives_up);
	/* last, as it may stay so for those that follow */
	tcase_add_loop_test(tcase, openat2_is_missing, 0, COUNT(lacks));
}
#else
START_TEST(openat2_is_not_used)
{
	struct rt_root root = open_root(in_base("root"), false);

	ck_assert(root.walk);
	rt_root_close(&root);
}
END_TEST

static void
add_openat2(TCase *tcase)
{
	tcase_add_test(tcase, openat2_is_not_used);
}
#endif

static TCase *
open_case(void)
{
	TCase *tcase = tcase_create("open");

	tcase_add_unchecked_fixture(tcase, make_tree, remove_tree);
	tcase_add_loop_test(tcase, open_beneath, 0, COUNT(opens));
	tcase_add_loop_test(tcase, describe_beneath, 0, COUNT(opens));
	tcase_add_loop_test(tcase, describe_opens_nothing, 0, 2);
	tcase_add_loop_test(tcase, open_device, 0, 2);
	tcase_add_loop_test(tcase, open_long, 0, 2);
	tcase_add_loop_test(tcase, open_through_many_links, 0, 2);
	tcase_add_loop_test(tcase, open_without_descriptors, 0, 2);
	tcase_add_loop_test(tcase, open_magic_link, 0, 2);
	tcase_add_loop_test(tcase, open_many_times, 0, 2);
	tcase_add_loop_test(tcase, open_while_swapped, 0, 2);
	tcase_add_loop_test(tcase, root_open, 0, COUNT(roots));
	tcase_add_test(tcase, root_empty_or_device);
	tcase_add_loop_test(tcase, root_of_one_file, 0, 2);
	tcase_add_loop_test(tcase, root_file_replaced, 0, 2);
	tcase_add_loop_test(tcase, root_made_anew, 0, 2);
	tcase_add_loop_test(tcase, root_link_switched, 0, 2);
	tcase_add_loop_test(tcase, root_out_of_reach, 0, 2);
	tcase_add_loop_test(tcase, links_are_followed_out, 0, 2);
	tcase_add_loop_test(tcase, reads_what_is_there, 0, 2);
	tcase_add_test(tcase, reads_only_so_much);
	add_openat2(tcase);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("file");

	rt_test_case(suite, open_case());
	return rt_test_run(suite);
}
