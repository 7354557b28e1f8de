/* SPDX-License-Identifier: MIT */
/*
 * The root of a served folder as a path that is found again: made anew,
 * switched, replaced, while clients ask; the links in it; and what all
 * listings may hold. Through the library, in each way that a server can be
 * run.
 */
#include "config.h"

#include "support/serving.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "site/listing.h"

static char *base;

/* The same four buffers again and again. */
static const char *
in(const char *name)
{
	static char paths[4][4096];
	static size_t at;

	at = (at + 1) % 4;
	ck_assert_int_lt(snprintf(paths[at], sizeof paths[at], "%s/%s", base,
				 name),
		(int)sizeof paths[at]);
	return paths[at];
}

static void
begin(int i)
{
	base = dir_make();
	dir_write(base, "r1/f", "one", 3);
	dir_write(base, "r2/f", "two", 3);
	dir_write(base, "r2/new", "new", 3);
	dir_write(base, "secret", "secret", 6);
	open_plain(i);
}

static void
end(void)
{
	close_server();
	dir_remove(base);
}

static void
serve(const char *name, const struct retort_files *files)
{
	ck_assert_msg(set_files(in(name), files) == 0, "%s", error);
}

static void
move(const char *from, const char *to)
{
	ck_assert_msg(rename(in(from), in(to)) == 0, "%s to %s: %s", from, to,
		strerror(errno));
}

static void
link_to(const char *target, const char *name)
{
	ck_assert_msg(symlink(target, in(name)) == 0, "%s: %s", name,
		strerror(errno));
}

/* As deployments do it: the new link takes the place of the old one. */
static void
switch_link(const char *target, const char *name)
{
	link_to(target, "next");
	move("next", name);
}

static struct bytes
get(const char *target)
{
	char request[256];

	(void)snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n",
		target);
	return exchange(request);
}

/* Status and body; NULL: any body. */
static void
expect(const char *target, int status, const char *body)
{
	struct bytes got = get(target);
	const char *end = strstr(got.data, "\r\n\r\n");

	ck_assert_msg(end != NULL && atoi(got.data + 9) == status &&
			(body == NULL || strcmp(end + 4, body) == 0),
		"%s: %s: expected %d and \"%s\", got: %s", way->name, target,
		status, body ? body : "", shown(got.data, got.size));
	bytes_free(&got);
}

/* --- the root --- */

/* rm -rf dist && mkdir dist */
START_TEST(a_folder_made_anew)
{
	struct bytes got;

	begin(_i);
	serve("r1", NULL);
	expect("/f", 200, "one");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(unlink(in("r1/f")), 0);
		expect("/f", 404, NULL);
		ck_assert_int_eq(rmdir(in("r1")), 0);
		/* no empty list of what is gone */
		expect("/f", 404, NULL);
		expect("/", 404, NULL);
		ck_assert_int_eq(mkdir(in("r1"), 0777), 0);
		dir_write(base, "r1/f", "again", 5);
		expect("/f", 200, "again");
		got = get("/");
		assert_has(got, "<a href=\"f\">f</a>");
		bytes_free(&got);
	}
	/* or in two steps; until then no page of its own says so */
	dir_write(base, "r1/404.html", "lost", 4);
	expect("/none", 404, "lost");
	move("r1", "r0");
	expect("/f", 404, "404 Not Found\n");
	expect("/.x", 404, "404 Not Found\n");
	move("r2", "r1");
	expect("/f", 200, "two");
	expect("/../r0/f", 404, NULL);
	/* what it was is not what is served */
	move("r1", "r2");
	dir_write(base, "r1", "file", 4);
	expect("/", 404, NULL);
	expect("/f", 404, NULL);
	expect("/r1", 404, NULL);
	end();
}
END_TEST

START_TEST(a_link_that_is_switched)
{
	begin(_i);
	link_to("r1", "current");
	serve("current", NULL);
	expect("/f", 200, "one");
	expect("/new", 404, NULL);
	switch_link("r2", "current");
	expect("/f", 200, "two");
	expect("/new", 200, "new");
	switch_link(in("r1"), "current");
	expect("/f", 200, "one");
	/* further up on the way there */
	link_to(".", "up");
	serve("up/r1", NULL);
	expect("/f", 200, "one");
	dir_write(base, "other/r1/f", "other", 5);
	switch_link("other", "up");
	expect("/f", 200, "other");
	ck_assert_int_eq(unlink(in("up")), 0);
	expect("/f", 404, NULL);
	end();
}
END_TEST

START_TEST(one_file_that_is_switched)
{
	begin(_i);
	link_to("r1/f", "current");
	serve("current", NULL);
	expect("/", 200, "one");
	expect("/f", 200, "one");
	switch_link("r2/new", "current");
	expect("/", 200, "new");
	expect("/new", 200, "new");
	expect("/f", 404, NULL);
	ck_assert_int_eq(unlink(in("current")), 0);
	expect("/", 404, NULL);
	/* as editors save */
	dir_write(base, "current", "saved", 5);
	expect("/", 200, "saved");
	expect("/current", 200, "saved");
	ck_assert_int_eq(unlink(in("current")), 0);
	link_to("r2", "current");
	expect("/", 404, NULL);
	expect("/f", 404, NULL);
	end();
}
END_TEST

/* A relative root is one of the folder that was there then. */
START_TEST(the_program_goes_elsewhere)
{
	begin(_i);
	ck_assert_int_eq(chdir(base), 0);
	ck_assert_int_eq(set_files("r1", NULL), 0);
	ck_assert_int_eq(chdir("/"), 0);
	expect("/f", 200, "one");
	move("r1", "r0");
	move("r2", "r1");
	expect("/f", 200, "two");
	ck_assert_int_eq(chdir(in("r1")), 0);
	ck_assert_int_eq(set_files(".", NULL), 0);
	ck_assert_int_eq(chdir("/"), 0);
	expect("/f", 200, "two");
	/* the folder of that name, as a build makes it */
	move("r1", "r2");
	move("r0", "r1");
	expect("/f", 200, "one");
	end();
}
END_TEST

START_TEST(no_descriptor_to_find_it)
{
	struct rlimit limit, low;
	int fd;

	if (way->drive == OWN_THREAD && under_valgrind())
		return;
	begin(_i);
	serve("r1", NULL);
	fd = connect_client();
	TURN_UNTIL(retort_stats(server).connections == 1);
	move("r1", "r0");
	move("r2", "r1");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	{
		struct bytes got = {.data = NULL};

		ck_assert_int_eq(talk(fd, "GET /f HTTP/1.0\r\n\r\n", 19, &got,
					 NULL),
			0);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_begins(got, "HTTP/1.1 503 ");
		bytes_free(&got);
	}
	(void)close(fd);
	expect("/f", 200, "two");
	end();
}
END_TEST

/* Until its parent ends it: current is one of both, always. */
_Noreturn static void
keep_switching(void)
{
	pid_t parent = getppid();

	for (int i = 0; getppid() == parent; i++) {
		(void)symlink(i % 2 ? "r1" : "r2", in("next"));
		(void)rename(in("next"), in("current"));
	}
	_exit(0);
}

START_TEST(switched_while_it_is_served)
{
	int seen[2] = {0, 0}, status;
	pid_t child;

	begin(_i);
	dir_write(base, "r1/same", "both", 4);
	dir_write(base, "r2/same", "both", 4);
	link_to("../secret", "r1/out");
	link_to("../secret", "r2/out");
	link_to("r1", "current");
	serve("current", NULL);
	ck_assert_int_ge(child = fork(), 0);
	if (child == 0)
		keep_switching();
	for (int i = 0; i < 1000 || seen[0] == 0 || seen[1] == 0; i++) {
		struct bytes got = get("/f");

		ck_assert_int_lt(i, 100000);
		assert_begins(got, "HTTP/1.1 200 ");
		seen[strstr(got.data, "\r\n\r\ntwo") != NULL]++;
		bytes_free(&got);
		if (i % 10 != 0)
			continue;
		expect("/same", 200, "both");
		expect("/out", 403, NULL);
		expect("/../secret", 404, NULL);
		expect("/..%2fr1/f", 404, NULL);
	}
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	end();
}
END_TEST

/* --- links in it --- */

START_TEST(links_beneath_and_out)
{
	static const struct retort_files follow = {.follow_links = true};
	struct bytes got;

	begin(_i);
	link_to("r1", "alias");
	link_to(in("r1/f"), "r1/absolute");
	link_to(in("alias/f"), "r1/aliased");
	link_to(in("r1"), "r1/top");
	link_to(in("secret"), "r1/out");
	link_to(in("r2"), "r1/away");
	link_to("../secret", "r1/up");
	serve("r1", NULL);
	expect("/absolute", 200, "one");
	expect("/aliased", 200, "one");
	expect("/top", 301, "");
	expect("/top/f", 200, "one");
	expect("/top/top/absolute", 200, "one");
	expect("/out", 403, NULL);
	expect("/up", 403, NULL);
	expect("/away/f", 403, NULL);
	expect("/top/out", 403, NULL);
	got = get("/");
	assert_has(got, ">absolute<");
	assert_has(got, ">top/<");
	assert_lacks(got, ">out<");
	assert_lacks(got, ">away/<");
	bytes_free(&got);
	/* what it leads to counts, not what it is called */
	move("r1", "r0");
	move("r2", "r1");
	move("r0", "r2");
	serve("r2", NULL);
	expect("/absolute", 403, NULL);
	expect("/f", 200, "one");
	serve("r2", &follow);
	expect("/out", 200, "secret");
	expect("/up", 200, "secret");
	expect("/absolute", 200, "two");
	expect("/away/f", 200, "one");
	expect("/../secret", 404, NULL);
	ck_assert_int_eq(mkfifo(in("r2/fifo"), 0666), 0);
	expect("/fifo", 403, NULL);
	got = get("/");
	assert_has(got, ">out<");
	assert_has(got, ">away/<");
	assert_lacks(got, ">fifo<");
	bytes_free(&got);
	end();
}
END_TEST

/* --- what all listings hold --- */

enum { ENTRIES = 30000, CLIENTS = 16 };

/* A folder whose page has some 14 MB. */
static void
make_large(void)
{
	char name[256], path[4096];

	memset(name, 'x', 200);
	name[200] = '\0';
	ck_assert_int_eq(mkdir(in("large"), 0777), 0);
	for (int i = 0; i < ENTRIES; i++) {
		name[sprintf(name, "%06d", i)] = 'x';
		(void)snprintf(path, sizeof path, "%s/large/%s", base, name);
		ck_assert_msg(link(in("secret"), path) == 0, "%s: %s", name,
			strerror(errno));
	}
}

/* Asks for the list, and reads nothing of it but the status. */
static int
ask_and_wait(int *fd)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct bytes got = {.data = NULL};
	int small = 4096, status;

	*fd = connect_client();
	(void)setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	ck_assert_int_eq(talk(*fd, request, sizeof request - 1, &got, "\r\n"),
		0);
	status = atoi(got.data + 9);
	bytes_free(&got);
	return status;
}

START_TEST(lists_that_nobody_reads)
{
	int fds[CLIENTS], lists = 0, refused = 0;
	struct bytes got;
	size_t size;

	begin(_i);
	make_large();
	serve("large", NULL);
	got = get("/");
	assert_begins(got, "HTTP/1.1 200 ");
	size = got.size;
	bytes_free(&got);
	ck_assert_uint_gt(size * CLIENTS, RT_MAX_LISTINGS);
	for (int i = 0; i < CLIENTS; i++) {
		int status = ask_and_wait(&fds[i]);

		ck_assert_msg(status == 200 || status == 503, "status %d",
			status);
		lists += status == 200;
		refused += status == 503;
	}
	ck_assert_msg(refused > 0 && lists > 2,
		"%d lists of %zu bytes, and %d "
		"refused",
		lists, size, refused);
	ck_assert_uint_le((size_t)lists * size, RT_MAX_LISTINGS);
	/* others are served, and the list again once they have gone */
	expect("/000000", 404, NULL);
	for (int i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
	TURN_UNTIL(retort_stats(server).connections == 0);
	expect("/", 200, NULL);
	/* they may outlive what made them */
	ck_assert_int_eq(ask_and_wait(&fds[0]), 200);
	serve("r1", NULL);
	expect("/f", 200, "one");
	(void)close(fds[0]);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("site root");
	const TTest *const root[] = {a_folder_made_anew,
		a_link_that_is_switched, one_file_that_is_switched,
		the_program_goes_elsewhere, no_descriptor_to_find_it,
		switched_while_it_is_served, links_beneath_and_out, NULL};
	const TTest *const lists[] = {lists_that_nobody_reads, NULL};

	rt_test_cases(suite, "root", root, 0, BASIC_WAYS);
	/* many clients, and a long list for each */
	if (!under_valgrind())
		rt_test_cases(suite, "listings", lists, 0, 1);
	return rt_test_run(suite);
}
