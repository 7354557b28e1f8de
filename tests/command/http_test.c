/* SPDX-License-Identifier: MIT */
/* The command: HTTP. */
#include "config.h"

#include "command/commanding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Adds this many of one byte. */
static void
add_many(struct bytes *bytes, char c, size_t count)
{
	char *run = malloc(count + 1);

	ck_assert_ptr_nonnull(run);
	memset(run, c, count);
	bytes_add(bytes, run, count);
	free(run);
}

/* --- HTTP --- */

/* Common to every reply. The body, if any, is as long as was promised. */
static void
check_reply(const struct bytes *reply, int status, bool head_only)
{
	char first[32];
	const char *length = strstr(reply->data, "\r\nContent-Length: ");

	(void)snprintf(first, sizeof first, "HTTP/1.1 %d ", status);
	assert_begins(*reply, first);
	assert_has(*reply, "\r\nConnection: close\r\n");
	assert_has(*reply, "\r\nDate: ");
	if (status == 204 || status == 304) {
		ck_assert_ptr_null(length);
		ck_assert_int_eq(body_size(reply), 0);
		return;
	}
	ck_assert_msg(length != NULL, "no Content-Length: %s",
		shown(reply->data, reply->size));
	if (head_only)
		ck_assert_int_eq(body_size(reply), 0);
	else
		ck_assert_int_eq(body_size(reply), atoll(length + 18));
	if (body_size(reply) > 0)
		assert_has(*reply, "\r\nContent-Type: ");
}

struct row {
	int status;
	const char *request;
	size_t size; /* 0: strlen() */
	const char *has;
};

static void
check_row(const char *url, const struct row *row)
{
	size_t size = row->size ? row->size : strlen(row->request);
	struct bytes reply = {.data = NULL};
	int fd = client_connect(url);
	int error;

	ck_assert(client_send(fd, row->request, size));
	error = client_receive(fd, &reply);
	ck_assert_msg(error == 0, "%s after %s", strerror(error),
		shown(row->request, size));
	(void)close(fd);
	ck_assert_msg(reply.size > 13 && atoi(reply.data + 9) == row->status,
		"expected %d to %s\n# got: %s", row->status,
		shown(row->request, size), shown(reply.data, reply.size));
	check_reply(&reply, row->status,
		strncmp(row->request, "HEAD ", 5) == 0);
	if (row->has != NULL)
		assert_has(reply, row->has);
	bytes_free(&reply);
}

#define WITH(fields) "GET / HTTP/1.1\r\n" HOST fields "\r\n\r\n"

#define POST_WITH(fields, body) \
	"POST / HTTP/1.1\r\n" HOST fields "\r\n\r\n" body

static const struct row file_rows[] = {
	{200, GET, 0, "\r\n\r\n<p>index"},
	{200, "HEAD /" END, 0, "\r\nContent-Length: 8\r\n"},
	{200, "GET / HTTP/1.0\r\n\r\n", 0, NULL},
	{200, "\r\n\r\n" GET, 0, NULL},
	{200, "GET http://localhost/text.TXT" END, 0,
		"Content-Type: "
		"text/plain; charset=utf-8\r\n"},
	{200, "GET /t%65xt.TXT?query" END, 0, "\r\n\r\ntext"},
	{200, "GET /sub/../text.TXT" END, 0, "\r\n\r\ntext"},
	{200, "GET /../../text.TXT" END, 0, "\r\n\r\ntext"},
	{200, "GET /sub/%2e%2e/text.TXT" END, 0, "\r\n\r\ntext"},
	{200, "GET /link" END, 0, "\r\n\r\ntext"},
	{200, "GET /.well-known/seen" END, 0, "\r\n\r\nseen"},
	{200, "GET /page/" END, 0, "\r\n\r\npage"},
	{200, "GET /sub/" END, 0, "<a href=\"file\">file</a>"},
	{200, WITH("Upgrade: h2c\r\nConnection: Upgrade"), 0, NULL},
	{200, "GET /empty" END, 0, "\r\nContent-Length: 0\r\n"},
	{301, "GET /page" END, 0, "\r\nLocation: /page/\r\n"},
	{301, "GET /page?a=%22b&c" END, 0, "\r\nLocation: /page/?a=%22b&c\r\n"},
	{301, "HEAD /page" END, 0, "\r\nLocation: /page/\r\n"},
	{301, "GET //evil" END, 0, "\r\nLocation: /evil/\r\n"},
	{301, "GET //evil//more" END, 0, "\r\nLocation: /evil/more/\r\n"},
	{301, "GET /cr%0D%0ALF:%20x" END, 0,
		"\r\nLocation: /cr%0D%0ALF%3A%20x/\r\n"},
	{301, "GET /%5Cevil" END, 0, "\r\nLocation: /%5Cevil/\r\n"},
	{400, "GET /\r\n\r\n", 0, NULL},
	{400, "GET / HTTP/1.1\r\n\r\n", 0, NULL},
	{400, WITH("Host: localhost"), 0, NULL},
	{400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, NULL},
	{400, "GET / HTTP/1.1\nHost: x\n\n", 0, NULL},
	{400, WITH("A: b\rc"), 0, NULL},
	{400, WITH("A: b\0c"), sizeof WITH("A: b\0c") - 1, NULL},
	{400, WITH("A : b"), 0, "space before the colon"},
	{400, WITH(": b"), 0, NULL},
	{400, WITH("A: b\r\n c"), 0, NULL},
	{400, POST_WITH("Content-Length: +1", "x"), 0, NULL},
	{400, POST_WITH("Content-Length: 1, 2", "xy"), 0, NULL},
	{400, POST_WITH("Content-Length: 1\r\nContent-Length: 2", "xy"), 0,
		NULL},
	{400,
		POST_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked",
			"0\r\n\r\n"),
		0, NULL},
	{400, "GET /%00" END, 0, NULL},
	{400, "GET /%zz" END, 0, NULL},
	{400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, "TLS"},
	{403, "GET /fifo" END, 0, NULL},
	{403, "GET /socket" END, 0, NULL},
	{403, "GET /out" END, 0, NULL},
	{403, "GET /absolute" END, 0, NULL},
	{404, "GET /missing" END, 0, NULL},
	{404, "GET /missing/" END, 0, NULL},
	{404, "HEAD /missing" END, 0, NULL},
	{404, "GET /.hidden" END, 0, NULL},
	{404, "GET /.git/config" END, 0, NULL},
	{404, "GET /.well-known/.hidden" END, 0, NULL},
	{200, "GET /page%2Findex.html" END, 0, NULL},
	{404, "GET /page%252Findex.html" END, 0, NULL},
	{404, "GET /text.TXT/more" END, 0, NULL},
	{404, "GET /loop" END, 0, NULL},
	{405, "POST /" END, 0, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
	{405, "DELETE /text.TXT" END, 0, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
	{413, WITH("Content-Length: 1048577"), 0, NULL},
	{417, WITH("Expect: a miracle"), 0, NULL},
	{501, "BREW /" END, 0, NULL},
	{405, "CONNECT localhost:80" END, 0, NULL},
	{400, "CONNECT localhost" END, 0, NULL},
	{400, "GET ftp://localhost/" END, 0, NULL},
	{501, POST_WITH("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 0,
		NULL},
	{505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 0, NULL},
	{505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, NULL},
};

/* A folder with something of every kind in it. */
static char *
make_site(void)
{
	char *dir = dir_make();

	write_text(dir, "index.html", "<p>index");
	write_text(dir, "text.TXT", "text");
	write_text(dir, "empty", "");
	write_text(dir, "page/index.html", "page");
	write_text(dir, "sub/file", "file");
	write_text(dir, "evil/more/file", "file");
	write_text(dir, "\\evil/file", "file");
	write_text(dir, "cr\r\nLF: x/file", "file");
	write_text(dir, ".hidden", "hidden");
	write_text(dir, ".git/config", "hidden");
	write_text(dir, ".well-known/seen", "seen");
	write_text(dir, ".well-known/.hidden", "hidden");
	ck_assert_int_eq(symlink("text.TXT", in(dir, "link")), 0);
	ck_assert_int_eq(symlink("../..", in(dir, "out")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", in(dir, "absolute")), 0);
	ck_assert_int_eq(symlink("loop", in(dir, "loop")), 0);
	ck_assert_int_eq(mkfifo(in(dir, "fifo"), 0666), 0);
	(void)close(make_unix(in(dir, "socket"), false));
	return dir;
}

START_TEST(test_files)
{
	char *dir = make_site();
	struct child child = START(ios[_i], dir);

	for (size_t i = 0; i < sizeof file_rows / sizeof *file_rows; i++)
		check_row(child.url[0], file_rows + i);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Long things, which rows cannot show. */
START_TEST(test_limits)
{
	static const struct {
		int status;
		size_t target, field, count;
	} cases[] = {
		{404, 300, 0, 0}, /* ENAMETOOLONG */
		{404, 8191, 0, 0},
		{414, 8192, 0, 0},
		{414, 70000, 0, 0},
		{200, 0, 60000, 0},
		{431, 0, 65536, 0},
		{200, 0, 0, 99},
		{431, 0, 0, 100},
	};
	char *dir = make_site();
	struct child child = START(dir);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes request = {.data = NULL};
		struct row row = {.status = cases[i].status};

		bytes_add(&request, "GET /", 5);
		add_many(&request, 'a', cases[i].target);
		bytes_add(&request, " HTTP/1.1\r\n" HOST, 11 + sizeof HOST - 1);
		for (size_t k = 0; k < cases[i].count; k++)
			bytes_add(&request, "A: b\r\n", 6);
		if (cases[i].field > 0)
			bytes_add(&request, "A: ", 3);
		add_many(&request, 'b', cases[i].field);
		if (cases[i].field > 0)
			bytes_add(&request, "\r\n", 2);
		bytes_add(&request, "\r\n", 2);
		row.request = request.data;
		row.size = request.size;
		check_row(child.url[0], &row);
		bytes_free(&request);
	}
	child_stop(&child);

	child = START("--limit", "target=10,head=100", "--limit", "fields=2",
		dir);
	check_row(child.url[0],
		&(struct row){404, "GET /123456789" END, 0, NULL});
	check_row(child.url[0],
		&(struct row){414, "GET /1234567890" END, 0, NULL});
	check_row(child.url[0], &(struct row){200, WITH("A: b"), 0, NULL});
	check_row(child.url[0],
		&(struct row){431, WITH("A: b\r\nA: b"), 0, NULL});
	check_row(child.url[0],
		&(struct row){431,
			WITH("A: "
			     "1234567890123456789012345678901234567890123456789012345678901"),
			0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_file_fields)
{
	char *dir = make_site();
	struct child child = START(dir);
	struct bytes reply = client_exchange(child.url[0], GET);
	struct bytes head = client_exchange(child.url[0], "HEAD /" END);

	assert_has(reply, "\r\nLast-Modified: ");
	assert_has(reply, "\r\nETag: \"");
	assert_has(reply, "\r\nCache-Control: no-cache\r\n");
	assert_has(reply, "\r\nContent-Type: text/html; charset=utf-8\r\n");
	/* the same but for the second in which it was made */
	ck_assert_uint_eq(reply.size - 8, head.size);
	ck_assert_str_eq(strstr(head.data, "\r\nContent-Type"),
		strndupa(strstr(reply.data, "\r\nContent-Type"),
			strlen(strstr(reply.data, "\r\nContent-Type")) - 8));
	bytes_free(&reply);
	bytes_free(&head);
	reply = client_exchange(child.url[0],
		"OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
	assert_begins(reply, "HTTP/1.1 20");
	assert_has(reply, "\r\nAllow: GET, HEAD, OPTIONS\r\n");
	bytes_free(&reply);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

START_TEST(test_dotfiles)
{
	char *dir = make_site();
	struct child child = START("--dotfiles", dir);

	check_row(child.url[0],
		&(struct row){200, "GET /.hidden" END, 0, "\r\n\r\nhidden"});
	check_row(child.url[0],
		&(struct row){200, "GET /.git/config" END, 0,
			"\r\n\r\nhidden"});
	check_row(child.url[0], &(struct row){403, "GET /out" END, 0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* ROOT is one file. */
START_TEST(test_one_file)
{
	char *dir = make_site();
	struct child child = START(in(dir, "text.TXT"));

	check_row(child.url[0],
		&(struct row){200, GET, 0,
			"\r\nContent-Type: text/plain; charset=utf-8\r\n"});
	check_row(child.url[0],
		&(struct row){200, "GET /text.TXT" END, 0, "\r\n\r\ntext"});
	check_row(child.url[0],
		&(struct row){404, "GET /index.html" END, 0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* An operand is named as such, an option as it is written. */
START_TEST(test_wrong_root)
{
	char *dir = make_site();
	const char *file = in(dir, "text.TXT");
	struct bytes errors = {.data = NULL};

	ck_assert_int_eq(RUN(&errors, "-p", "0", "spa x"), 2);
	ck_assert_str_eq(errors.data,
		"retort: spa x: No such file or directory\n");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--spa", "x", "spa x"), 2);
	ck_assert_str_eq(errors.data,
		"retort: spa x: No such file or directory\n");
	bytes_free(&errors);
	ck_assert_int_eq(RUN(&errors, "-p", "0", "--spa", "x", file), 2);
	ck_assert_str_eq(errors.data, "retort: --spa 'x': Not a directory\n");
	bytes_free(&errors);
	dir_remove(dir);
}
END_TEST

/* A file of 3 MB, some of it after the client's FIN, or after garbage. */
START_TEST(test_half_close)
{
	enum { SIZE = 3000000 };
	char *dir = dir_make(), *content = malloc(SIZE);
	struct bytes garbage = {.data = NULL}, reply = {.data = NULL};
	struct child child;
	int fd;

	ck_assert_ptr_nonnull(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)(i * 31 + i / 251);
	dir_write(dir, "file", content, SIZE);
	child = START(ios[_i % 2], dir);
	fd = client_connect(child.url[0]);
	bytes_add(&garbage, "GET /file" END, strlen("GET /file" END));
	if (_i >= 2) {
		bytes_add(&garbage, "\0\n\r\n", 4);
		add_many(&garbage, '\xff', 64U << 10);
	}
	ck_assert(client_send(fd, garbage.data, garbage.size));
	if (_i < 4)
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_eq(client_receive(fd, &reply), 0);
	assert_begins(reply, "HTTP/1.1 200 ");
	ck_assert_int_eq(body_size(&reply), SIZE);
	ck_assert_mem_eq(reply.data + reply.size - SIZE, content, SIZE);
	(void)close(fd);
	child_stop(&child);
	bytes_free(&garbage);
	bytes_free(&reply);
	free(content);
	dir_remove(dir);
}
END_TEST

/* The promised bytes are sent, or the connection is closed before their end. */
START_TEST(test_file_changes)
{
	bool grows = _i >= 2;
	char *dir = make_big();
	struct child child = START(ios[_i % 2], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int error, fd = begin_big(child.url[0], &reply);
	off_t got;

	ck_assert_int_eq(truncate(in(dir, "big"), grows ? 2 * BIG : BIG / 4),
		0);
	got = body_size(&reply) + count_rest(fd, &error);
	(void)close(fd);
	ck_assert_int_eq(error, 0);
	if (grows)
		ck_assert_int_eq(got, BIG);
	else
		ck_assert_int_lt(got, BIG);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	if (grows)
		assert_lacks(errors, "(truncated)");
	else
		assert_has(errors, "(truncated)");
	bytes_free(&errors);
	bytes_free(&reply);
	dir_remove(dir);
}
END_TEST

START_TEST(test_expect)
{
	static const char head[] =
		"PUT / HTTP/1.1\r\n" HOST
		"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n";
	char *dir = dir_make();
	struct child child = START("--body", "x", ios[_i]);
	struct bytes reply = {.data = NULL};
	int fd = client_connect(child.url[0]);

	ck_assert(client_send_text(fd, head));
	client_expect(fd, &reply, "\r\n\r\n");
	ck_assert_str_eq(reply.data, "HTTP/1.1 100 Continue\r\n\r\n");
	bytes_free(&reply);
	ck_assert(client_send_text(fd, "body"));
	ck_assert_int_eq(client_receive(fd, &reply), 0);
	check_reply(&reply, 200, false);
	bytes_free(&reply);
	(void)close(fd);
	child_stop(&child);

	/* not wanted: no interim reply */
	child = START(ios[_i], dir);
	reply = client_exchange(child.url[0], head);
	check_reply(&reply, 405, false);
	bytes_free(&reply);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- conditions, ranges, listings --- */

#define TEXT_WITH(fields) "GET /text.TXT HTTP/1.1\r\n" HOST fields "\r\n\r\n"

#define EARLIER "Thu, 02 Jan 2020 03:04:04 GMT"

#define MODIFIED "Thu, 02 Jan 2020 03:04:05 GMT"

#define LATER "Thu, 02 Jan 2020 03:04:06 GMT"

/* make_site(), whose text.TXT is of MODIFIED. */
static char *
make_dated_site(void)
{
	static const struct timespec then[2] = {{.tv_sec = 1577934245},
		{.tv_sec = 1577934245}};
	char *dir = make_site();

	ck_assert_int_eq(utimensat(AT_FDCWD, in(dir, "text.TXT"), then, 0), 0);
	return dir;
}

static void
check_rows(const char *url, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(url, rows + i);
}

static const struct row condition_rows[] = {
	{200, TEXT_WITH("A: b"), 0, "\r\nLast-Modified: " MODIFIED "\r\n"},
	{304, TEXT_WITH("If-Modified-Since: " MODIFIED), 0, "\r\nETag: \""},
	{304, TEXT_WITH("If-Modified-Since: " LATER), 0,
		"\r\nCache-Control: no-cache\r\n"},
	{200, TEXT_WITH("If-Modified-Since: " EARLIER), 0, "\r\n\r\ntext"},
	/* the two obsolete forms of a date */
	{304, TEXT_WITH("If-Modified-Since: Thursday, 02-Jan-20 03:04:05 GMT"),
		0, NULL},
	{200, TEXT_WITH("If-Modified-Since: Thursday, 02-Jan-20 03:04:04 GMT"),
		0, NULL},
	{304, TEXT_WITH("If-Modified-Since: Thu Jan  2 03:04:05 2020"), 0,
		NULL},
	/* what is no date, or is one twice, is as if it were not there */
	{200, TEXT_WITH("If-Modified-Since: tomorrow"), 0, NULL},
	{200,
		TEXT_WITH("If-Modified-Since: " LATER
			  "\r\nIf-Modified-Since: " LATER),
		0, NULL},
	{412, TEXT_WITH("If-Unmodified-Since: " EARLIER), 0,
		"\r\n\r\n412 Precondition Failed"},
	{200, TEXT_WITH("If-Unmodified-Since: " MODIFIED), 0, NULL},
	{304, TEXT_WITH("If-None-Match: *"), 0, NULL},
	{200, TEXT_WITH("If-None-Match: \"a\", W/\"b\""), 0, NULL},
	{200, TEXT_WITH("If-Match: *"), 0, "\r\n\r\ntext"},
	{412, TEXT_WITH("If-Match: \"a\", W/\"b\""), 0, NULL},
	/* a tag counts more than a date */
	{200, TEXT_WITH("If-None-Match: \"a\"\r\nIf-Modified-Since: " LATER), 0,
		NULL},
	{200, TEXT_WITH("If-Match: *\r\nIf-Unmodified-Since: " EARLIER), 0,
		NULL},
	/* and both, before the range */
	{412, TEXT_WITH("If-Match: \"a\"\r\nIf-None-Match: *"), 0, NULL},
	{304, TEXT_WITH("If-None-Match: *\r\nRange: bytes=9-"), 0, NULL},
	{304, "HEAD /text.TXT HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0, NULL},
	{412, "HEAD /text.TXT HTTP/1.0\r\nIf-Match: \"a\"\r\n\r\n", 0, NULL},
	{204, "OPTIONS /text.TXT HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0,
		NULL},
	/* of what is there alone */
	{404, "GET /missing HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0, NULL},
	{404, "GET /missing HTTP/1.0\r\nIf-Match: *\r\n\r\n", 0, NULL},
	{301, "GET /page HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", 0, NULL},
	{200, "GET /sub/ HTTP/1.0\r\nIf-Match: \"a\"\r\n\r\n", 0, "</html>"},
	{405, "POST /text.TXT HTTP/1.0\r\nIf-Match: \"a\"\r\n\r\n", 0, NULL},
};

START_TEST(test_conditions)
{
	char *dir = make_dated_site();
	struct child child = START(dir);

	check_rows(child.url[0], condition_rows,
		sizeof condition_rows / sizeof *condition_rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

#define RANGE(ranges) TEXT_WITH("Range: " ranges)

#define CONTENT_RANGE(range) "\r\nContent-Range: bytes " range "\r\n"

/* Of "text", four bytes. */
static const struct row range_rows[] = {
	{206, RANGE("bytes=0-0"), 0, CONTENT_RANGE("0-0/4")},
	{206, RANGE("bytes=0-0"), 0, "\r\n\r\nt"},
	{206, RANGE("BYTES=1-2"), 0, "\r\n\r\nex"},
	{206, RANGE("bytes=2-"), 0, "\r\n\r\nxt"},
	{206, RANGE("bytes=-1"), 0, CONTENT_RANGE("3-3/4")},
	{206, RANGE("bytes=0-99999999999999999999999"), 0,
		CONTENT_RANGE("0-3/4")},
	{206, RANGE("bytes=-99999999999999999999999"), 0,
		CONTENT_RANGE("0-3/4")},
	{206, RANGE("bytes=0-1,9-,1-2"), 0, CONTENT_RANGE("0-2/4")},
	{206, RANGE("bytes= , 1-1\t,,"), 0, CONTENT_RANGE("1-1/4")},
	{206, RANGE("bytes=3-3,0-0"), 0, "\r\n\r\nt\r\n--"},
	{416, RANGE("bytes=4-"), 0, CONTENT_RANGE("*/4")},
	{416, RANGE("bytes=4-,99999999999999999999999-"), 0,
		CONTENT_RANGE("*/4")},
	{416, RANGE("bytes=-0"), 0, NULL},
	/* as if it were not there */
	{200, RANGE("bytes=1-0"), 0, "\r\n\r\ntext"},
	{200, RANGE("bytes=0-0,x"), 0, "\r\n\r\ntext"},
	{200, RANGE("bytes=-"), 0, NULL},
	{200, RANGE("bytes="), 0, NULL},
	{200, RANGE("bytes 0-0"), 0, NULL},
	{200, RANGE("lines=0-0"), 0, NULL},
	{200, RANGE("bytes=0-0\r\nRange: bytes=0-0"), 0, NULL},
	{200, "HEAD /text.TXT HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", 0,
		"\r\nContent-Length: 4\r\n"},
	/* of an empty file nothing can be sent */
	{200, "GET /empty HTTP/1.0\r\nRange: bytes=0-\r\n\r\n", 0,
		"\r\nContent-Length: 0\r\n"},
	{200, "GET /empty HTTP/1.0\r\nRange: bytes=-1\r\n\r\n", 0,
		"\r\nContent-Length: 0\r\n"},
	{416, "GET /empty HTTP/1.0\r\nRange: bytes=1-\r\n\r\n", 0,
		CONTENT_RANGE("*/0")},
	{206, RANGE("bytes=0-0\r\nIf-Range: " MODIFIED), 0, NULL},
	{200, RANGE("bytes=0-0\r\nIf-Range: " LATER), 0, NULL},
	{200, RANGE("bytes=0-0\r\nIf-Range: \"a\""), 0, NULL},
	{200, RANGE("bytes=9-\r\nIf-Range: \"a\""), 0, "\r\n\r\ntext"},
	{404, "GET /missing HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", 0, NULL},
	{200, "GET /sub/ HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n", 0, "</html>"},
};

START_TEST(test_ranges)
{
	char *dir = make_dated_site();
	struct child child = START(ios[_i], dir);

	check_rows(child.url[0], range_rows,
		sizeof range_rows / sizeof *range_rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Sixteen that do not meet are sent, one more is too many. */
START_TEST(test_many_ranges)
{
	char *dir = make_big(), text[8000];
	struct child child = START(dir);

	for (int count = 256; count <= 257; count++) {
		size_t used = (size_t)sprintf(text,
			"GET /big HTTP/1.0\r\nRange: bytes=");
		struct bytes reply = {.data = NULL};
		int error, fd;

		for (int i = 0; i < count; i++)
			used += (size_t)sprintf(text + used, "%s%d-%d",
				i > 0 ? "," : "", 10 * i, 10 * i + 3);
		(void)sprintf(text + used, "\r\n\r\n");
		fd = client_connect(child.url[0]);
		ck_assert(client_send_text(fd, text));
		client_expect(fd, &reply, "\r\n\r\n");
		assert_begins(reply,
			count == 256 ? "HTTP/1.1 206 " : "HTTP/1.1 200 ");
		ck_assert_int_eq(body_size(&reply) + count_rest(fd, &error),
			atoll(strstr(reply.data, "Content-Length: ") + 16));
		bytes_free(&reply);
		(void)close(fd);
	}
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* A reply that must go out by sendfile(2), in one part or in several. */
START_TEST(test_large_ranges)
{
	enum { SIZE = 3000000 };
	char *dir = dir_make(), *content = malloc(SIZE), *part;
	struct child child;
	struct bytes reply;

	ck_assert_ptr_nonnull(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)(i * 31 + i / 251);
	dir_write(dir, "file", content, SIZE);
	child = START(ios[_i], dir);
	reply = client_exchange(child.url[0],
		"GET /file HTTP/1.0\r\nRange: bytes=1000001-\r\n\r\n");
	check_reply(&reply, 206, false);
	assert_has(reply, CONTENT_RANGE("1000001-2999999/3000000"));
	ck_assert_int_eq(body_size(&reply), SIZE - 1000001);
	ck_assert_mem_eq(reply.data + reply.size - (SIZE - 1000001),
		content + 1000001, SIZE - 1000001);
	bytes_free(&reply);

	reply = client_exchange(child.url[0],
		"GET /file HTTP/1.0\r\n"
		"Range: bytes=2000000-2999999,7-7,1000-1500999\r\n\r\n");
	check_reply(&reply, 206, false);
	part = memmem(reply.data, reply.size, "2000000-2999999/3000000\r\n\r\n",
		27);
	ck_assert_ptr_nonnull(part);
	ck_assert_mem_eq(part + 27, content + 2000000, 1000000);
	part += 27 + 1000000;
	ck_assert_mem_eq(part, "\r\n--retort-", 11);
	part = memmem(part, 200, "7-7/3000000\r\n\r\n", 15);
	ck_assert_ptr_nonnull(part);
	ck_assert_int_eq(part[15], content[7]);
	part = memmem(part, 200, "1000-1500999/3000000\r\n\r\n", 24);
	ck_assert_ptr_nonnull(part);
	ck_assert_mem_eq(part + 24, content + 1000, 1500000);
	part += 24 + 1500000;
	ck_assert_mem_eq(part, "\r\n--retort-", 11);
	ck_assert_str_eq(part + strlen(part) - 4, "--\r\n");
	bytes_free(&reply);
	child_stop(&child);
	free(content);
	dir_remove(dir);
}
END_TEST

/* Promised bytes of a range are not there any more: closed before their end. */
START_TEST(test_range_of_a_file_that_shrinks)
{
	static const char *const ranges[] = {"1-", "1-30000000,40000000-"};
	char *dir = make_big(), text[128];
	struct child child = START(ios[_i % 2], dir);
	struct bytes reply = {.data = NULL}, errors = {.data = NULL};
	int error, fd = client_connect(child.url[0]);
	off_t promised;

	(void)snprintf(text, sizeof text,
		"GET /big HTTP/1.0\r\nRange: bytes=%s\r\n\r\n", ranges[_i / 2]);
	ck_assert(client_send_text(fd, text));
	client_expect(fd, &reply, "\r\n\r\n");
	assert_begins(reply, "HTTP/1.1 206 ");
	promised = atoll(strstr(reply.data, "Content-Length: ") + 16);
	ck_assert_int_eq(truncate(in(dir, "big"), BIG / 4), 0);
	ck_assert_int_lt(body_size(&reply) + count_rest(fd, &error), promised);
	ck_assert_int_eq(error, 0);
	(void)close(fd);
	ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
	ck_assert_int_eq(child_end_with_errors(&child, &errors), 0);
	assert_has(errors, " 206 ");
	assert_has(errors, "(truncated)");
	bytes_free(&errors);
	bytes_free(&reply);
	dir_remove(dir);
}
END_TEST

static const struct row variant_rows[] = {
	{200, TEXT_WITH("Accept-Encoding: gzip"), 0, "\r\n\r\ngzipped"},
	{200, TEXT_WITH("Accept-Encoding: x-gzip"), 0, "\r\n\r\ngzipped"},
	{200, TEXT_WITH("Accept-Encoding: gzip, br"), 0, "\r\n\r\nbrotli"},
	{200, TEXT_WITH("Accept-Encoding: br"), 0,
		"\r\nContent-Encoding: br\r\n"},
	{200, TEXT_WITH("Accept-Encoding: gzip, br;q=0.999"), 0,
		"\r\n\r\ngzipped"},
	{200, TEXT_WITH("Accept-Encoding: gzip\r\nAccept-Encoding: br"), 0,
		"\r\n\r\nbrotli"},
	{200, TEXT_WITH("Accept-Encoding: br;q=0, GZIP"), 0,
		"\r\nContent-Encoding: gzip\r\n"},
	{200, TEXT_WITH("Accept-Encoding: gzip"), 0,
		"\r\nContent-Type: text/plain; charset=utf-8\r\n"},
	{200, TEXT_WITH("Accept-Encoding: identity, br;q=0.5"), 0,
		"\r\n\r\ntext"},
	{200, TEXT_WITH("Accept-Encoding: deflate"), 0, "\r\n\r\ntext"},
	/* a folder, and a link that leads out, are no variants */
	{200, TEXT_WITH("Accept-Encoding: zstd"), 0, "\r\n\r\ntext"},
	{200, TEXT_WITH("Accept-Encoding: zstd, gzip;q=0.1"), 0,
		"\r\n\r\ngzipped"},
	{200, WITH("Accept-Encoding: gzip"), 0, "\r\n\r\n<p>index"},
	{200, WITH("Accept-Encoding: br"), 0, "\r\n\r\nindex by br"},
	{200, TEXT_WITH(""), 0, "\r\nVary: Accept-Encoding\r\n"},
	{200, "HEAD /text.TXT HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n", 0,
		"\r\nContent-Length: 7\r\n"},
	{206, TEXT_WITH("Accept-Encoding: gzip\r\nRange: bytes=4-"), 0,
		CONTENT_RANGE("4-6/7")},
	{206, TEXT_WITH("Accept-Encoding: gzip\r\nRange: bytes=4-"), 0,
		"\r\nContent-Encoding: gzip\r\n"},
	{416, TEXT_WITH("Range: bytes=4-"), 0, CONTENT_RANGE("*/4")},
	{304, TEXT_WITH("Accept-Encoding: gzip\r\nIf-None-Match: *"), 0,
		"\r\nVary: Accept-Encoding\r\n"},
	{404, "GET /missing" END, 0, "\r\nVary: Accept-Encoding\r\n"},
	{200, "GET /sub/" END, 0, "\r\nVary: Accept-Encoding\r\n"},
	{200, "GET /text.TXT.gz" END, 0, "\r\n\r\ngzipped"},
};

START_TEST(test_variants)
{
	char *dir = make_site();
	struct child child;

	write_text(dir, "text.TXT.gz", "gzipped");
	write_text(dir, "text.TXT.br", "brotli");
	write_text(dir, "text.TXT.zst/file", "file");
	write_text(dir, "index.html.br", "index by br");
	ck_assert_int_eq(symlink("/etc/passwd", in(dir, "index.html.gz")), 0);
	child = START("--precompressed", dir);
	check_rows(child.url[0], variant_rows,
		sizeof variant_rows / sizeof *variant_rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Names that would not be served are not shown; HEAD tells the length. */
START_TEST(test_listing)
{
	static const char *const links[] = {".well-known/", "%5Cevil/",
		"cr%0D%0ALF%3A%20x/", "evil/", "page/", "sub/", "empty", "link",
		"text.TXT"};
	char *dir = make_site();
	struct child child = START(ios[_i], dir);
	struct bytes reply, head;
	const char *at;

	ck_assert_int_eq(unlink(in(dir, "index.html")), 0);
	reply = client_exchange(child.url[0], GET);
	check_reply(&reply, 200, false);
	assert_has(reply, "\r\nContent-Type: text/html; charset=utf-8\r\n");
	assert_has(reply, "\r\nContent-Security-Policy: default-src 'none'");
	assert_has(reply, "\r\nCache-Control: no-cache\r\n");
	assert_lacks(reply, "\r\nETag");
	assert_lacks(reply, "\r\nLast-Modified");
	at = reply.data;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		char link[64];

		(void)snprintf(link, sizeof link, "<a href=\"%s\">", links[i]);
		at = strstr(at, "<a href=");
		ck_assert_msg(at != NULL &&
				strncmp(at, link, strlen(link)) == 0,
			"expected %s in: %s", link,
			shown(reply.data, reply.size));
		at++;
	}
	ck_assert_ptr_null(strstr(at, "<a href="));
	head = client_exchange(child.url[0], "HEAD /" END);
	check_reply(&head, 200, true);
	ck_assert_int_eq(atoll(strstr(head.data, "Content-Length: ") + 16),
		body_size(&reply));
	bytes_free(&head);
	bytes_free(&reply);
	child_stop(&child);

	child = START("--no-listing", dir);
	check_row(child.url[0],
		&(struct row){403, GET, 0, "403 Forbidden: no index.html"});
	check_row(child.url[0], &(struct row){200, "GET /page/" END, 0, NULL});
	check_row(child.url[0], &(struct row){301, "GET /sub" END, 0, NULL});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Byte for byte, at its path alone; files are around it. */
START_TEST(test_echo_path)
{
	static const char *const requests[] = {"GET /echo" END,
		"\r\nGET http://localhost/echo?b HTTP/1.0\r\nA:  b \r\n\r\n",
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody",
		"BREW /echo HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n"
		"004;ext=1\r\nbo\xff\n\r\n0\r\nTrailer: t\r\n\r\n"};
	static const struct row rows[] = {
		{200, GET, 0, "\r\n\r\n<p>index"},
		{200, "HEAD /echo" END, 0, "\r\nContent-Type: text/plain"},
		{404, "GET /echo/" END, 0, NULL},
		{404, "GET /%65Cho" END, 0, NULL},
		{404, "GET /ech" END, 0, NULL},
		{405, POST_WITH("Content-Length: 4", "body"), 0, NULL},
		{400, "GET /echo HTTP/1.1\r\n\r\n", 0, NULL},
	};
	char *dir = make_site();
	struct child child;
	char scenario[256];

	dir_write(dir, "echo.retort", "@on /echo\n@echo\n", 16);
	(void)snprintf(scenario, sizeof scenario, "%s/echo.retort", dir);
	child = START("--scenario", scenario, ios[_i], dir);

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct bytes reply = client_exchange(child.url[0], requests[i]);
		size_t size = (size_t)body_size(&reply);

		check_reply(&reply, 200, false);
		assert_has(reply, "\r\nContent-Type: text/plain");
		assert_bytes(reply.data + reply.size - size, size, requests[i],
			strlen(requests[i]));
		bytes_free(&reply);
	}
	check_rows(child.url[0], rows, sizeof rows / sizeof *rows);
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

#define NOT_THERE(fields) "GET /a/b?c HTTP/1.1\r\n" HOST fields "\r\n\r\n"

START_TEST(test_missing_pages)
{
	static const struct row rows[] = {
		{200, NOT_THERE("Accept: text/html"), 0, "\r\n\r\n<p>index"},
		{200, NOT_THERE("Accept: a/b;c=\",\", TEXT/HTML ; q=0.1"), 0,
			"\r\nContent-Type: text/html; charset=utf-8\r\n"},
		{200, NOT_THERE("Accept: a/b\r\nAccept: text/html"), 0,
			"\r\nVary: Accept\r\n"},
		{206, NOT_THERE("Accept: text/html\r\nRange: bytes=-1"), 0,
			"\r\n\r\nx"},
		{304, NOT_THERE("Accept: text/html\r\nIf-None-Match: *"), 0,
			"\r\nVary: Accept\r\n"},
		{200, "HEAD /a HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			"\r\nContent-Length: 8\r\n"},
		{200, "GET /.hidden HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			"\r\n\r\n<p>index"},
		{404, NOT_THERE("Accept: */*"), 0, "\r\n\r\n<p>sorry"},
		{404, NOT_THERE("Accept: text/htmlx"), 0, NULL},
		{404, NOT_THERE("Accept: text/html;q=0"), 0, NULL},
		{404, NOT_THERE("If-None-Match: *\r\nRange: bytes=0-0"), 0,
			"\r\n\r\n<p>sorry"},
		{404, NOT_THERE("A: b"), 0, "\r\nVary: Accept\r\n"},
		{404, NOT_THERE("A: b"), 0,
			"\r\nContent-Type: text/html; charset=utf-8\r\n"},
		{404, "HEAD /a" END, 0, "\r\nContent-Length: 8\r\n"},
		{400, "GET /%zz HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			NULL},
		{403, "GET /out HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			NULL},
		{405, "POST /a HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0, NULL},
		{204, "OPTIONS /a HTTP/1.0\r\nAccept: text/html\r\n\r\n", 0,
			NULL},
	};
	char *dir = make_site();
	struct child child;

	write_text(dir, "404.html", "<p>sorry");
	child = START("--spa", "index.html", dir);
	check_rows(child.url[0], rows, sizeof rows / sizeof *rows);
	/* the page may go, and its place be taken by another */
	ck_assert_int_eq(unlink(in(dir, "404.html")), 0);
	check_row(child.url[0],
		&(struct row){404, NOT_THERE("A: b"), 0,
			"\r\n\r\n404 Not Found"});
	write_text(dir, "404.html/index.html", "x");
	check_row(child.url[0],
		&(struct row){404, NOT_THERE("A: b"), 0,
			"\r\n\r\n404 Not Found"});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* --- canned replies --- */

START_TEST(test_canned)
{
	struct child child = START("-s", "503", "--body", "later\n", "-H",
		"Retry-After: 120", ios[_i]);
	static const char *const requests[] = {GET, "DELETE /a/b?c" END,
		"BREW /" END, "OPTIONS *" END, "GET /%2e%00" END,
		"POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody"};

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		check_row(child.url[0],
			&(struct row){503, requests[i], 0,
				"\r\nRetry-After: 120\r\n"});
	check_row(child.url[0],
		&(struct row){503, GET, 0,
			"\r\nContent-Type: text/plain; charset=utf-8\r\n"});
	check_row(child.url[0], &(struct row){503, GET, 0, "\r\n\r\nlater\n"});
	check_row(child.url[0],
		&(struct row){503, "HEAD /" END, 0,
			"\r\nContent-Length: 6\r\n"});
	/* refused all the same */
	check_row(child.url[0],
		&(struct row){400, "GET / HTTP/1.1\r\n\r\n", 0, NULL});
	check_row(child.url[0],
		&(struct row){501,
			"1234567890123456789012345678901234567890123456789012345678901"
			"2345 /" END,
			0, NULL});
	child_stop(&child);
}
END_TEST

START_TEST(test_canned_without_body)
{
	static const char *const codes[] = {"204", "304", "200"};

	for (size_t i = 0; i < 3; i++) {
		struct child child = START("-s", codes[i]);
		struct bytes reply = client_exchange(child.url[0], GET);

		check_reply(&reply, atoi(codes[i]), false);
		ck_assert_int_eq(body_size(&reply), 0);
		assert_lacks(reply, "Content-Type");
		bytes_free(&reply);
		child_stop(&child);
	}
}
END_TEST

/* Fields of -H are sent as they are, framing and all. */
START_TEST(test_framing_fields)
{
	char *dir = make_site();

	for (int files = 0; files < 2; files++) {
		struct child child = START("-H", "content-length: 99", "-H",
			"Connection: x", "-H",
			"Transfer-Encoding:", files ? dir : "--body=text");
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		assert_has(reply, "\r\ncontent-length: 99\r\n");
		assert_lacks(reply, "Content-Length");
		assert_has(reply, "\r\nConnection: x\r\n");
		assert_lacks(reply, "close");
		assert_lacks(reply, "Transfer-Encoding");
		bytes_free(&reply);
		child_stop(&child);
	}
	dir_remove(dir);
}
END_TEST

/* -H replaces, removes and repeats. */
START_TEST(test_fields)
{
	char *dir = make_site();

	for (int files = 0; files < 2; files++) {
		struct child child = START("-H", "Date:", "-H", "X-A: 1", "-H",
			"content-type:  x/y ", "-H", "X-A: 2", "-H",
			"Cache-Control: max-age=1", files ? "-q" : "--body",
			files ? "-q" : "text", files ? dir : "RETORT_IO=best");
		struct bytes reply = client_exchange(child.url[0], GET);

		assert_begins(reply, "HTTP/1.1 200 ");
		assert_lacks(reply, "\r\nDate:");
		assert_lacks(reply, "Content-Type");
		assert_has(reply, "\r\ncontent-type: x/y\r\n");
		assert_has(reply, "\r\nX-A: 1\r\n");
		assert_has(reply, "\r\nX-A: 2\r\n");
		assert_has(reply, "\r\nCache-Control: max-age=1\r\n");
		assert_lacks(reply, "no-cache");
		assert_has(reply, "\r\nConnection: close\r\n");
		bytes_free(&reply);
		child_stop(&child);
	}
	dir_remove(dir);
}
END_TEST

START_TEST(test_mime)
{
	char *dir = make_site();
	struct child child = START("--mime", "txt=text/markdown", "--mime",
		"EMPTY=a/b", dir);

	check_row(child.url[0],
		&(struct row){200, "GET /text.TXT" END, 0,
			"\r\nContent-Type: text/markdown"});
	check_row(child.url[0],
		&(struct row){200, GET, 0,
			"\r\nContent-Type: text/html; charset=utf-8\r\n"});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* The bytes of a file, all of them, with the type that its name tells. */
START_TEST(test_body_file)
{
	static const char json[] = "{\"id\":1}\0\r\n";
	char *dir = dir_make(), option[4200];
	struct child child;
	struct bytes reply;

	dir_write(dir, "user.json", json, sizeof json);
	(void)snprintf(option, sizeof option, "@%s/user.json", dir);
	child = START("--body", option);
	reply = client_exchange(child.url[0], GET);
	assert_has(reply, "\r\nContent-Type: application/json");
	ck_assert_int_eq(body_size(&reply), sizeof json);
	ck_assert_mem_eq(reply.data + reply.size - sizeof json, json,
		sizeof json);
	bytes_free(&reply);
	child_stop(&child);
	child = START("--body", option, "--type", "a/b; c=d");
	check_row(child.url[0],
		&(struct row){200, GET, 0, "\r\nContent-Type: a/b; c=d\r\n"});
	child_stop(&child);
	dir_remove(dir);
}
END_TEST

/* Verbatim, whatever it is. */
START_TEST(test_raw)
{
	static const char *const replies[] =
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
			"no HTTP at all\n", "", "HTTP/1.0 299\n\nx"};
	char *dir = dir_make(), *name = strdup(in(dir, "raw"));

	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		static const char *const methods[] = {GET, "HEAD /" END};
		struct child child;

		write_text(dir, "raw", replies[i]);
		child = START("--raw", name, ios[_i]);
		for (size_t k = 0; k < 2; k++) {
			struct bytes reply =
				client_exchange(child.url[0], methods[k]);

			assert_bytes(reply.data, reply.size, replies[i],
				strlen(replies[i]));
			bytes_free(&reply);
		}
		child_stop(&child);
	}
	free(name);
	dir_remove(dir);
}
END_TEST

/* The request as it came, byte for byte. */
START_TEST(test_echo)
{
	static const char *const requests[] = {GET,
		"\r\nGET http://localhost/%41?b HTTP/1.0\r\nA:  b \r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody",
		"PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"004;ext=1\r\nbo\xff\n\r\n0\r\nTrailer: t\r\n\r\n"};
	struct child child = START("--echo", ios[_i]);

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct bytes reply = client_exchange(child.url[0], requests[i]);
		size_t size = (size_t)body_size(&reply);

		check_reply(&reply, 200, false);
		assert_has(reply, "\r\nContent-Type: text/plain");
		assert_bytes(reply.data + reply.size - size, size, requests[i],
			strlen(requests[i]));
		bytes_free(&reply);
	}
	child_stop(&child);
}
END_TEST

START_TEST(test_host)
{
	struct child child = START("--host", "localhost", "--host", "127.0.0.1",
		"--host", "[::1]", "--body", "x");

	check_row(child.url[0], &(struct row){200, GET, 0, NULL});
	check_row(child.url[0],
		&(struct row){200,
			"GET / HTTP/1.1\r\nHost: LocalHost:8080\r\n\r\n", 0,
			NULL});
	check_row(child.url[0],
		&(struct row){200, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
			0, NULL});
	check_row(child.url[0],
		&(struct row){421,
			"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 0,
			NULL});
	check_row(child.url[0],
		&(struct row){421,
			"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
			0, NULL});
	check_row(child.url[0],
		&(struct row){421,
			"GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n",
			0, NULL});
	child_stop(&child);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase;

	tcase = tcase_create("http");
	rt_test_loop(tcase, test_files, 0, 2);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_file_fields);
	tcase_add_test(tcase, test_dotfiles);
	tcase_add_test(tcase, test_one_file);
	tcase_add_test(tcase, test_wrong_root);
	rt_test_loop(tcase, test_half_close, 0, 6);
	rt_test_loop(tcase, test_file_changes, 0, 4);
	tcase_add_test(tcase, test_conditions);
	rt_test_loop(tcase, test_ranges, 0, 2);
	tcase_add_test(tcase, test_many_ranges);
	rt_test_loop(tcase, test_large_ranges, 0, 2);
	rt_test_loop(tcase, test_range_of_a_file_that_shrinks, 0, 4);
	tcase_add_test(tcase, test_variants);
	rt_test_loop(tcase, test_listing, 0, 2);
	rt_test_loop(tcase, test_echo_path, 0, 2);
	tcase_add_test(tcase, test_missing_pages);
	rt_test_loop(tcase, test_expect, 0, 2);
	rt_test_loop(tcase, test_canned, 0, 2);
	tcase_add_test(tcase, test_canned_without_body);
	tcase_add_test(tcase, test_framing_fields);
	tcase_add_test(tcase, test_fields);
	tcase_add_test(tcase, test_mime);
	tcase_add_test(tcase, test_body_file);
	rt_test_loop(tcase, test_raw, 0, 2);
	rt_test_loop(tcase, test_echo, 0, 2);
	tcase_add_test(tcase, test_host);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
