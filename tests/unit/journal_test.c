/* SPDX-License-Identifier: MIT */
/* Exchanges as users see them; records, and transcripts of them. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "journal/journal.h"
#include "support/harness.h"

#define NS INT64_C(1000000000)

/* --- an exchange as its connection has it --- */

START_TEST(the_view_of_a_connection)
{
	static const struct rt_conn_config config = {
		.limits = {.target = 100, .head = 1000, .fields = 10},
		.max_in = 10000,
		.head_timeout = RT_NEVER,
	};
	static const char request[] = "GET /x HTTP/1.0\r\nA: b\r\n\r\n";
	struct rt_peer peer;
	struct rt_served served = {.record = NULL};
	struct rt_draft draft = {.own = NULL};
	struct retort_exchange view;
	struct rt_buffers *buffers = rt_buffers_new();
	char client[RT_PEER_TEXT];
	int64_t now = 5 * NS, wall = (int64_t)time(NULL) * NS;

	memset(&peer, 0, sizeof peer);
	ck_assert_ptr_nonnull(buffers);
	rt_conn_open(&served.conn, -1, &peer, &config, now);
	served.number = 3;
	view = rt_journal_view(&served, now + 20, client);
	ck_assert_uint_eq(view.connection, 3);
	ck_assert_ptr_nonnull(view.client);
	ck_assert_int_eq(view.status, 0);
	ck_assert_uint_eq(view.request_size, 0);
	ck_assert_int_eq(view.duration, 20);
	/* the clocks' difference, one of which may be set meanwhile */
	ck_assert_int_ge(view.began, wall - 60 * NS);
	ck_assert_int_le(view.began, wall + RT_TEST_PATIENCE * NS);

	ck_assert_int_eq(rt_conn_lend(&served.conn, buffers), 0);
	memcpy(served.conn.chan.in.recv.data, request, sizeof request - 1);
	rt_conn_in_done(&served.conn, sizeof request - 1, now);
	ck_assert_int_eq(served.conn.asks, RT_ASK_ROUTE);
	draft.reply = &buffers->reply;
	rt_draft_begin(&draft, 404, "today");
	rt_draft_body(&draft, "hello", 5);
	rt_conn_answer(&served.conn, now);
	rt_conn_out_done(&served.conn, (int64_t)buffers->reply.head_size - 1,
		now);
	view = rt_journal_view(&served, now + 30, client);
	assert_bytes(view.request, view.request_size, "GET /x HTTP/1.0", 15);
	ck_assert_int_eq(view.status, 404);
	ck_assert_uint_eq(view.received, sizeof request - 1);
	ck_assert_uint_eq(view.sent, buffers->reply.head_size - 1);
	ck_assert_uint_eq(view.sent_body, 0);
	rt_conn_out_done(&served.conn, 4, now);
	view = rt_journal_view(&served, now + 30, client);
	ck_assert_uint_eq(view.sent, buffers->reply.head_size + 3);
	ck_assert_uint_eq(view.sent_body, 3);
	ck_assert_int_eq(view.duration, 30);
	rt_conn_abandon(&served.conn);
	view = rt_journal_view(&served, now + 40, client);
	ck_assert_int_eq(view.end, RETORT_STOPPED);
	rt_buffers_free(rt_conn_unlend(&served.conn));
}
END_TEST

/* --- records --- */

static struct rt_journal journal;

/* A connection whose record is kept, without a server. */
struct kept {
	struct rt_served served;
	struct rt_record *record;
	int64_t now;
};

static const struct rt_conn_config kept_config = {
	.limits = {.target = 100, .head = 1000, .fields = 10},
	.max_in = 10000,
	.head_timeout = RT_NEVER,
	.body_timeout = RT_NEVER,
	.write_timeout = RT_NEVER,
};

static void
open_kept(struct kept *kept, uint64_t number)
{
	struct rt_peer peer = {.family = AF_INET,
		.port = 4711,
		.address = {127, 0, 0, 1}};
	struct rt_buffers *buffers = rt_buffers_new();

	ck_assert_ptr_nonnull(buffers);
	kept->now = 5 * NS;
	kept->served = (struct rt_served){.record = NULL};
	rt_conn_open(&kept->served.conn, -1, &peer, &kept_config, kept->now);
	kept->served.number = number;
	ck_assert_int_eq(rt_conn_lend(&kept->served.conn, buffers), 0);
	kept->record = rt_journal_open(&journal, &kept->served, kept->now);
	ck_assert_ptr_nonnull(kept->record);
}

/* Bytes that come, until something is asked for but how to go on. */
static void
come(struct kept *kept, const void *data, size_t size)
{
	struct rt_conn *conn = &kept->served.conn;

	while (size > 0) {
		size_t n = size < conn->chan.in.recv.size ?
			size :
			conn->chan.in.recv.size;

		ck_assert_int_eq(conn->chan.in.verb, RT_RECV);
		memcpy(conn->chan.in.recv.data, data, n);
		data = (const char *)data + n;
		size -= n;
		rt_record_received(kept->record, conn->chan.in.recv.data, n,
			kept->now);
		rt_conn_in_done(conn, (int64_t)n, kept->now);
		if (conn->asks == RT_ASK_ROUTE)
			rt_conn_want_body(conn, UINT64_MAX, 4096, kept->now);
	}
}

/* The exchange is given back; its record lives. */
static void
close_conn(struct kept *kept)
{
	rt_buffers_free(rt_conn_unlend(&kept->served.conn));
}

/* All of a connection: what came, then its FIN, if it asks for more. */
static const struct retort_exchange *
recorded(const void *data, size_t size)
{
	struct kept kept;

	open_kept(&kept, journal.count + 1);
	come(&kept, data, size);
	if (kept.served.conn.asks == RT_ASK_NOTHING)
		rt_conn_in_done(&kept.served.conn, 0, kept.now);
	ck_assert_int_eq(kept.served.conn.asks,
		kept.served.conn.status ? RT_ASK_REFUSE : RT_ASK_ANSWER);
	ck_assert_int_eq(rt_record_request(kept.record, &kept.served.conn,
				 SIZE_MAX / 2, kept.now + 7),
		0);
	ck_assert_int_eq(rt_journal_publish(&journal, kept.record), 0);
	rt_conn_abandon(&kept.served.conn);
	rt_record_end(kept.record, &kept.served, kept.now + 9);
	close_conn(&kept);
	rt_journal_close(kept.record);
	return &kept.record->seen;
}

static const struct retort_exchange *
recorded_text(const char *text)
{
	return recorded(text, strlen(text));
}

static void
open_journal(void)
{
	rt_journal_init(&journal, 1 << 20);
}

static void
close_journal(void)
{
	rt_journal_free(&journal);
	/* nothing is kept, and nothing is counted */
	ck_assert_uint_eq(journal.used, 0);
}

/* "Name: value" each. */
static void
assert_fields(const struct retort_field *fields, size_t count,
	const char *expected)
{
	struct bytes got = {.data = NULL};

	bytes_add(&got, "", 0);
	for (size_t i = 0; i < count; i++) {
		bytes_add(&got, fields[i].name, strlen(fields[i].name));
		bytes_add(&got, ": ", 2);
		bytes_add(&got, fields[i].value, strlen(fields[i].value));
		bytes_add(&got, "\n", 1);
	}
	assert_bytes(got.data, got.size, expected, strlen(expected));
	bytes_free(&got);
}

START_TEST(a_complete_request)
{
	static const char text[] =
		"POST /a%20b/../c?d=%20&e HTTP/1.1\r\nHost: x\r\n"
		"a-B:  \x80 c \r\nA-b:\r\nContent-Length: 5\r\n\r\n"
		"he\0lo";
	const struct retort_exchange *seen = recorded(text, sizeof text - 1);

	ck_assert_uint_eq(seen->connection, 1);
	ck_assert_str_eq(seen->client, "127.0.0.1:4711");
	assert_bytes(seen->request, seen->request_size, text, 33);
	ck_assert_str_eq(seen->method, "POST");
	ck_assert_str_eq(seen->target, "/a%20b/../c?d=%20&e");
	ck_assert_str_eq(seen->path, "/a b/../c");
	ck_assert_str_eq(seen->query, "d=%20&e");
	ck_assert_int_eq(seen->minor, 1);
	assert_fields(seen->fields, seen->field_count,
		"Host: x\na-B: \x80 c\nA-b: \nContent-Length: 5\n");
	/* and a NUL after it */
	assert_bytes(seen->body, seen->body_size + 1, "he\0lo", 6);
	ck_assert_uint_eq(seen->trailer_count, 0);
	assert_bytes(seen->raw, seen->raw_size, text, sizeof text - 1);
	ck_assert(seen->complete);
	ck_assert_int_eq(seen->refused, 0);
	ck_assert_ptr_null(seen->reason);
	ck_assert_uint_eq(seen->received, sizeof text - 1);
	ck_assert_int_eq(seen->requested, 7);
	ck_assert_int_eq(seen->duration, 9);
	ck_assert_int_eq(seen->end, RETORT_STOPPED);
	ck_assert_int_eq(seen->server_close, RETORT_FIN);
	ck_assert_int_eq(seen->client_close, RETORT_NOTHING);
}
END_TEST

START_TEST(a_chunked_request)
{
	static const char text[] =
		"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		"\r\n2\r\na\0\r\n1;x\r\nb\r\n0\r\nT-b: 1\r\nt-B:2\r\n\r\n";
	static const char more[] = "GET / HTTP/1.1\r\n";
	struct bytes both = {.data = NULL};
	const struct retort_exchange *seen;

	bytes_add(&both, text, sizeof text - 1);
	bytes_add(&both, more, sizeof more - 1);
	seen = recorded(both.data, both.size);
	assert_bytes(seen->body, seen->body_size + 1, "a\0b", 4);
	assert_fields(seen->fields, seen->field_count,
		"Host: x\nTransfer-Encoding: chunked\n");
	assert_fields(seen->trailers, seen->trailer_count, "T-b: 1\nt-B: 2\n");
	/* what follows the request is none of it */
	assert_bytes(seen->raw, seen->raw_size, text, sizeof text - 1);
	ck_assert_uint_eq(seen->received, both.size);
	ck_assert_ptr_null(seen->query);
	bytes_free(&both);
}
END_TEST

START_TEST(what_follows_a_body_is_none_of_it)
{
	const struct retort_exchange *seen = recorded_text(
		"PUT / HTTP/1.0\r\nContent-Length: 2\r\n\r\nabGET /");

	assert_bytes(seen->body, seen->body_size + 1, "ab", 3);
	ck_assert_uint_eq(seen->raw_size, 39);
	seen = recorded_text("GET / HTTP/1.0\r\n\r\nGET /");
	assert_bytes(seen->body, seen->body_size + 1, "", 1);
	ck_assert_uint_eq(seen->raw_size, 18);
}
END_TEST

static const struct {
	const char *target;
	const char *path; /* NULL: none */
	const char *query;
} targets[] = {
	{"/", "/", NULL},
	{"/a/./b//c/..", "/a/./b//c/..", NULL},
	{"/%41%2f%2E%2e", "/A/..", NULL},
	{"/%c3%a4?%41", "/\xc3\xa4", "%41"},
	{"/a%00b", NULL, NULL},
	{"/a?b?c", "/a", "b?c"},
	{"/a?", "/a", ""},
	{"/?%00", "/", "%00"},
	{"/a%2", NULL, NULL},
	{"/a%", NULL, NULL},
	{"/a%zz?q", NULL, "q"},
	{"/a+b", "/a+b", NULL},
	{"http://y/a%41?b", "/aA", "b"},
	{"http://y", NULL, NULL},
	{"*", NULL, NULL},
};

START_TEST(paths_are_decoded)
{
	const struct retort_exchange *seen;
	char text[256];

	(void)snprintf(text, sizeof text, "%s %s HTTP/1.0\r\n\r\n",
		targets[_i].target[0] == '*' ? "OPTIONS" : "GET",
		targets[_i].target);
	seen = recorded_text(text);
	ck_assert_int_eq(seen->refused, 0);
	ck_assert_str_eq(seen->target, targets[_i].target);
	ck_assert_pstr_eq(seen->path, targets[_i].path);
	ck_assert_pstr_eq(seen->query, targets[_i].query);
	ck_assert_int_eq(seen->minor, 0);
}
END_TEST

/* Refused, or broken off: as far as it came. */
static const struct {
	const char *text;
	const char *request;
	const char *method; /* NULL: not known */
	const char *target;
	const char *fields;
	const char *body;
	int refused;
	const char *reason;
} bad[] = {
	{"GET /x HT", "GET /x HT", "GET", "/x", "", "", 400,
		"incomplete request"},
	{"GET /x HTTP/1.1\r\nHost: a\r\nB", "GET /x HTTP/1.1", "GET", "/x", "",
		"", 400, "incomplete request"},
	{"POST /x HTTP/1.0\r\nContent-Length: 5\r\n\r\nabc", "POST /x HTTP/1.0",
		"POST", "/x", "Content-Length: 5\n", "abc", 400,
		"incomplete request"},
	{"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "3\r\nabc\r\n5\r\nd",
		"POST /x HTTP/1.1", "POST", "/x",
		"Host: a\nTransfer-Encoding: chunked\n", "abcd", 400,
		"incomplete request"},
};

START_TEST(requests_that_broke_off)
{
	const struct retort_exchange *seen = recorded_text(bad[_i].text);

	assert_bytes(seen->request, seen->request_size, bad[_i].request,
		strlen(bad[_i].request));
	ck_assert_pstr_eq(seen->method, bad[_i].method);
	ck_assert_pstr_eq(seen->target, bad[_i].target);
	assert_fields(seen->fields, seen->field_count, bad[_i].fields);
	assert_bytes(seen->body, seen->body_size + 1, bad[_i].body,
		strlen(bad[_i].body) + 1);
	assert_bytes(seen->raw, seen->raw_size, bad[_i].text,
		strlen(bad[_i].text));
	ck_assert(!seen->complete);
	ck_assert_int_eq(seen->refused, bad[_i].refused);
	ck_assert_pstr_eq(seen->reason, bad[_i].reason);
	ck_assert_int_eq(seen->client_close, RETORT_FIN);
	ck_assert(seen->client_first);
}
END_TEST

/* A word that was cut off is not taken for another one. */
START_TEST(words_that_broke_off)
{
	const struct retort_exchange *seen = recorded_text("GETS");

	assert_bytes(seen->request, seen->request_size, "GETS", 4);
	if (seen->method != NULL)
		ck_assert_str_eq(seen->method, "GETS");
	ck_assert_ptr_null(seen->target);
	seen = recorded_text("GET /users");
	assert_bytes(seen->request, seen->request_size, "GET /users", 10);
	ck_assert_str_eq(seen->method, "GET");
	if (seen->target != NULL)
		ck_assert_str_eq(seen->target, "/users");
}
END_TEST

/* Whatever is refused has all its bytes, and strings that can be read. */
START_TEST(requests_that_are_refused)
{
	static const struct {
		const char *text;
		size_t size;
		int status;
	} cases[] = {
		{"\0\1\2\r\n\r\n", 7, 400},
		{"GET\r\n\r\n", 7, 400},
		{"GET /x HTTP/2.0\r\n\r\n", 19, 505},
		{"GET /x HTTP/1.1\r\n\r\n", 19, 400},
		{"GET /x HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n", 36, 400},
		{"GET /x HTTP/1.0\nA: b\n\n", 22, 400},
		{"PUT / HTTP/1.0\r\nContent-Length: 1\r\n"
		 "Content-Length: 2\r\n\r\n",
			56, 400},
		{"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		 "\r\n\r\nzz\r\nabc",
			62, 400},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct retort_exchange *seen =
			recorded(cases[i].text, cases[i].size);

		ck_assert_msg(seen->refused == cases[i].status,
			"case %zu: expected %d, got %d", i, cases[i].status,
			seen->refused);
		ck_assert_ptr_nonnull(seen->reason);
		ck_assert(!seen->complete);
		assert_bytes(seen->raw, seen->raw_size, cases[i].text,
			cases[i].size);
		ck_assert_uint_le(seen->request_size, cases[i].size);
		ck_assert_mem_eq(seen->request, cases[i].text,
			seen->request_size);
		for (size_t k = 0; k < seen->field_count; k++)
			ck_assert_uint_lt(strlen(seen->fields[k].name) +
					strlen(seen->fields[k].value),
				cases[i].size);
	}
}
END_TEST

START_TEST(fields_are_found)
{
	const struct retort_exchange *seen =
		recorded_text("GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\na: 3\r\n"
			      "A:\r\n\r\n");

	ck_assert_str_eq(retort_field_of(seen, "A", 0), "1");
	ck_assert_str_eq(retort_field_of(seen, "a", 1), "3");
	ck_assert_str_eq(retort_field_of(seen, "A", 2), "");
	ck_assert_ptr_null(retort_field_of(seen, "A", 3));
	ck_assert_ptr_null(retort_field_of(seen, "A", SIZE_MAX));
	ck_assert_str_eq(retort_field_of(seen, "b", 0), "2");
	ck_assert_ptr_null(retort_field_of(seen, "C", 0));
	ck_assert_ptr_null(retort_field_of(seen, "", 0));
	ck_assert_ptr_null(
		retort_field_of(&(struct retort_exchange){.status = 0}, "A",
			0));
}
END_TEST

/* --- transcripts --- */

static void
assert_transcript(const struct rt_record *record, const char *expected)
{
	struct rt_buf text;

	rt_buf_init(&text, 16 << 20);
	rt_record_transcribe(record, SIZE_MAX, &text);
	ck_assert(!text.failed);
	assert_bytes(text.data, text.len, expected, strlen(expected));
	rt_buf_free(&text);
}

/* Several pieces, of which `result` bytes went. */
static void
send_pieces(struct kept *kept, const char *one, const char *two, int64_t result)
{
	struct rt_op op = {.verb = RT_SEND, .result = result};

	op.send.count = two ? 2 : 1;
	op.send.pieces[0].iov_base = (char *)(uintptr_t)one;
	op.send.pieces[0].iov_len = strlen(one);
	if (two != NULL) {
		op.send.pieces[1].iov_base = (char *)(uintptr_t)two;
		op.send.pieces[1].iov_len = strlen(two);
	}
	rt_record_sent(kept->record, &op, NULL, kept->now);
}

/* Of bytes in a row the first, where no more are asked for. */
START_TEST(a_shortened_transcript)
{
	struct kept kept;
	struct rt_buf text;

	open_kept(&kept, 1);
	rt_record_received(kept.record, "GET / HTTP/1.0\r\n\r\n", 18, kept.now);
	send_pieces(&kept, "12345", NULL, 5);
	rt_buf_init(&text, 1 << 20);
	rt_record_transcribe(kept.record, 5, &text);
	rt_buf_add(&text, "", 1);
	ck_assert_str_eq(text.data,
		"connection 1 from 127.0.0.1:4711\n"
		"       0.000 < GET /\n"
		"             < ... 13 more bytes\n"
		"       0.000 > 12345\n");
	/* also where they are of several times */
	send_pieces(&kept, "\n", NULL, 1);
	kept.now += 2000000;
	send_pieces(&kept, "a\n", NULL, 2);
	rt_buf_clear(&text, 0);
	rt_record_transcribe(kept.record, 7, &text);
	rt_buf_add(&text, "", 1);
	ck_assert_str_eq(text.data,
		"connection 1 from 127.0.0.1:4711\n"
		"       0.000 < GET / H\n"
		"             < ... 11 more bytes\n"
		"       0.000 > 12345\\n\n"
		"       2.000 > a\n"
		"             > ... 1 more bytes\n");
	rt_buf_free(&text);
	close_conn(&kept);
	rt_journal_close(kept.record);
}
END_TEST

START_TEST(a_transcript)
{
	struct kept kept;
	struct rt_op file = {.verb = RT_FILE, .result = 3};

	open_kept(&kept, 12);
	assert_transcript(kept.record, "connection 12 from 127.0.0.1:4711\n");
	rt_record_received(kept.record, "GET / HT", 8, kept.now);
	/* with what came before it: the time is that of the first byte */
	rt_record_received(kept.record, "TP/1.0\r\nA: b\r\n\r\n", 16,
		kept.now + 900000);
	kept.now += 1234567;
	send_pieces(&kept, "HTTP/1.1 200 OK\r\n\r\n", "a\\b\"\t\x80", 25);
	send_pieces(&kept, "never", "sent", 0);
	send_pieces(&kept, "\nb", NULL, 2);
	rt_record_received(kept.record, "\0x", 2, kept.now);
	rt_record_sent(kept.record, &file, "fil, not this", kept.now + 1000);
	/* in the middle of a line the time is that of its beginning, too */
	send_pieces(&kept, "e\n", NULL, 2);
	kept.now += 1000000;
	send_pieces(&kept, "at once\n", NULL, 8);
	kept.now += 1000;
	send_pieces(&kept, "later\nso long\n", NULL, 14);
	kept.now += NS;
	send_pieces(&kept, "and later\n", NULL, 10);
	kept.now -= NS + 1001000;
	kept.now += 60 * NS;
	rt_record_event(kept.record, RT_RECORD_SERVER_FIN, kept.now);
	rt_record_event(kept.record, RT_RECORD_CLIENT_FIN, kept.now);
	rt_record_event(kept.record, RT_RECORD_CLIENT_RST, kept.now);
	rt_record_event(kept.record, RT_RECORD_SERVER_RST, kept.now);
	rt_record_event(kept.record, RT_RECORD_CLOSED, kept.now + 999);
	assert_transcript(kept.record,
		"connection 12 from 127.0.0.1:4711\n"
		"       0.000 < GET / HTTP/1.0\\r\\n\n"
		"       0.000 < A: b\\r\\n\n"
		"       0.000 < \\r\\n\n"
		"       1.234 > HTTP/1.1 200 OK\\r\\n\n"
		"       1.234 > \\r\\n\n"
		"       1.234 > a\\\\b\"\\x09\\x80\\n\n"
		"       1.234 > b\n"
		"       1.234 < \\x00x\n"
		"       1.235 > file\\n\n"
		"       1.235 > at once\\n\n"
		"       2.235 > later\\n\n"
		"       2.235 > so long\\n\n"
		"    1002.235 > and later\\n\n"
		"   60001.234 > (FIN)\n"
		"   60001.234 < (FIN)\n"
		"   60001.234 < (RST)\n"
		"   60001.234 > (RST)\n"
		"   60001.235 - (closed)\n");
	close_conn(&kept);
	rt_journal_close(kept.record);
}
END_TEST

/* Adds a line of what was received: COUNT times the bytes as they are shown. */
static void
add_received(struct bytes *to, size_t count, const char *shown, const char *end)
{
	static const char begin[] = "       0.000 < ";

	bytes_add(to, begin, sizeof begin - 1);
	for (size_t i = 0; i < count; i++)
		bytes_add(to, shown, strlen(shown));
	bytes_add(to, end, strlen(end));
}

/* Lines of text are shown as they are, other bytes 64 on a line. */
START_TEST(a_transcript_of_long_lines)
{
	static const char first[] = "connection 1 from 127.0.0.1:4711\n";
	static char text[5000], binary[100];
	struct kept kept;
	struct bytes expected = {.data = NULL};

	memset(text, 'x', sizeof text);
	text[99] = '\n';
	text[100] = (char)0xe4;
	text[sizeof text - 1] = '\n';
	memset(binary, 0, sizeof binary);
	binary[98] = '\n';
	open_kept(&kept, 1);
	rt_record_received(kept.record, text, sizeof text, kept.now);
	rt_record_received(kept.record, binary, sizeof binary, kept.now);
	bytes_add(&expected, first, sizeof first - 1);
	add_received(&expected, 99, "x", "\\n\n");
	bytes_add(&expected, "       0.000 < \\xe4", 19);
	for (size_t i = 0; i < 4095; i++)
		bytes_add(&expected, "x", 1);
	bytes_add(&expected, "\n", 1);
	add_received(&expected, 4999 - 100 - 4096, "x", "\\n\n");
	add_received(&expected, 64, "\\x00", "\n");
	add_received(&expected, 34, "\\x00", "\\n\n");
	add_received(&expected, 1, "\\x00", "\n");
	assert_transcript(kept.record, expected.data);
	bytes_free(&expected);
	close_conn(&kept);
	rt_journal_close(kept.record);
}
END_TEST

/* Of what goes out a MiB is kept, of what comes as much as there is room. */
START_TEST(a_transcript_of_too_much)
{
	static char data[700000];
	struct rt_op file = {.verb = RT_FILE, .result = sizeof data};
	struct kept kept;
	struct rt_buf text;
	struct bytes end = {.data = NULL};

	rt_journal_free(&journal);
	rt_journal_init(&journal, 64 << 20);
	memset(data, 'x', sizeof data);
	open_kept(&kept, 1);
	for (int i = 0; i < 2; i++)
		rt_record_sent(kept.record, &file, data, kept.now);
	rt_record_received(kept.record, "a", 1, kept.now);
	rt_record_sent(kept.record, &file, data, kept.now);
	rt_buf_init(&text, 16 << 20);
	rt_record_transcribe(kept.record, SIZE_MAX, &text);
	bytes_add(&end, text.data, text.len);
	assert_has(end,
		"             > ... 351424 more bytes\n"
		"       0.000 < a\n"
		"             > ... 700000 more bytes\n");
	ck_assert_uint_eq(kept.record->bytes.len, (1 << 20) + 1);
	bytes_free(&end);
	rt_buf_free(&text);
	close_conn(&kept);
	rt_journal_close(kept.record);
}
END_TEST

/* --- many records, and their memory --- */

START_TEST(records_stand_in_order)
{
	ck_assert_ptr_null(rt_journal_find(&journal, 1));
	for (int i = 0; i < 200; i++)
		(void)recorded_text("GET / HTTP/1.0\r\n\r\n");
	ck_assert_uint_eq(journal.count, 200);
	for (size_t i = 0; i < journal.count; i++)
		ck_assert_uint_eq(journal.records[i]->seen.connection, i + 1);
	ck_assert_ptr_eq(rt_journal_find(&journal, 77), journal.records[76]);
	ck_assert_ptr_null(rt_journal_find(&journal, 201));
	ck_assert_ptr_null(rt_journal_find(&journal, 0));
}
END_TEST

START_TEST(memory_is_counted)
{
	static const char text[] = "GET / HTTP/1.0\r\n\r\n";
	struct kept kept;
	size_t before;
	uint64_t lost;

	ck_assert_uint_eq(journal.used, 0);
	while (journal.used < journal.max) {
		before = journal.used;
		(void)recorded_text(text);
		ck_assert(!journal.records[journal.count - 1]->forgotten);
		/* the record, and its bytes twice */
		ck_assert_uint_ge(journal.used - before,
			sizeof(struct rt_record) + 36);
		ck_assert_uint_lt(journal.count, 10000);
	}
	ck_assert_uint_ge(journal.count, 100);
	/* there may have been room for a part of the last one */
	lost = journal.lost;
	ck_assert_uint_le(lost, 1);
	/* now it is full: the next ones are forgotten from the beginning */
	before = journal.used;
	for (uint64_t i = 1; i <= 3; i++) {
		open_kept(&kept, i);
		ck_assert(kept.record->forgotten);
		ck_assert_uint_eq(journal.lost, lost + i);
		close_conn(&kept);
		rt_journal_close(kept.record);
		ck_assert_uint_eq(journal.used, before);
	}
	rt_journal_clear(&journal);
	ck_assert_uint_eq(journal.used, 0);
	ck_assert_uint_eq(journal.count, 0);
	ck_assert_uint_eq(journal.lost, 0);
	(void)recorded_text(text);
	ck_assert_uint_eq(journal.count, 1);
	ck_assert(!journal.records[0]->forgotten);
}
END_TEST

/* One record takes no more than all may. */
START_TEST(a_record_has_a_bound)
{
	static char data[400000];
	struct kept kept;

	open_kept(&kept, 1);
	for (int i = 0; i < 10; i++)
		rt_record_received(kept.record, data, sizeof data, kept.now);
	ck_assert_uint_le(kept.record->bytes.room, journal.max);
	ck_assert_uint_gt(kept.record->bytes.len, 0);
	ck_assert_uint_eq(kept.record->events[0].size, 10 * sizeof data);
	ck_assert_uint_eq(kept.record->events[0].kept, kept.record->bytes.len);
	close_conn(&kept);
	rt_journal_close(kept.record);
}
END_TEST

/* It was not published, so nobody else has it. */
START_TEST(a_record_that_was_not_published)
{
	struct kept kept;

	open_kept(&kept, 1);
	rt_record_received(kept.record, "GET", 3, kept.now);
	ck_assert_uint_gt(journal.used, 0);
	ck_assert_ptr_null(rt_journal_find(&journal, 1));
	close_conn(&kept);
	rt_journal_close(kept.record);
	ck_assert_uint_eq(journal.used, 0);
}
END_TEST

/* An open connection goes on, and its record with it. */
START_TEST(cleared_while_a_connection_is_open)
{
	static const char text[] = "GET / HTTP/1.0\r\n\r\n";
	struct kept kept;

	for (int published = 0; published < 2; published++) {
		open_kept(&kept, 1);
		come(&kept, text, sizeof text - 1);
		ck_assert_int_eq(rt_record_request(kept.record,
					 &kept.served.conn, SIZE_MAX / 2,
					 kept.now),
			0);
		if (published)
			ck_assert_int_eq(rt_journal_publish(&journal,
						 kept.record),
				0);
		rt_journal_clear(&journal);
		ck_assert_uint_eq(journal.count, 0);
		ck_assert_ptr_null(rt_journal_find(&journal, 1));
		ck_assert_msg(journal.used > 0,
			"the record of an open connection was freed");
		rt_record_event(kept.record, RT_RECORD_CLIENT_FIN, kept.now);
		rt_conn_abandon(&kept.served.conn);
		rt_record_end(kept.record, &kept.served, kept.now);
		close_conn(&kept);
		rt_journal_close(kept.record);
		ck_assert_uint_eq(journal.used, 0);
	}
}
END_TEST

/* Who reads a record while its connection is open finds it as it stays. */
START_TEST(the_end_is_added)
{
	static const char text[] = "GET / HTTP/1.0\r\n\r\n";
	struct rt_draft draft = {.own = NULL};
	struct kept kept;

	open_kept(&kept, 1);
	come(&kept, text, sizeof text - 1);
	ck_assert_int_eq(rt_record_request(kept.record, &kept.served.conn,
				 SIZE_MAX / 2, kept.now + 4),
		0);
	ck_assert_int_eq(kept.record->seen.end, RETORT_OPEN);
	ck_assert_int_eq(kept.record->seen.requested, 4);
	draft.reply = &kept.served.conn.buffers->reply;
	rt_draft_begin(&draft, 404, "today");
	rt_draft_body(&draft, "hello", 5);
	ck_assert(!kept.record->answered);
	rt_record_answered(kept.record, draft.reply);
	ck_assert(kept.record->answered);
	rt_conn_answer(&kept.served.conn, kept.now);
	rt_conn_out_done(&kept.served.conn, (int64_t)draft.reply->head_size + 5,
		kept.now);
	rt_conn_out_done(&kept.served.conn, 0, kept.now);
	ck_assert_int_eq(kept.served.conn.state, RT_STATE_OVER);
	rt_record_end(kept.record, &kept.served, kept.now + 20);
	ck_assert_int_eq(kept.record->seen.end, RETORT_ANSWERED);
	ck_assert_int_eq(kept.record->seen.status, 404);
	ck_assert_uint_eq(kept.record->seen.sent, draft.reply->head_size + 5);
	ck_assert_uint_eq(kept.record->seen.sent_body, 5);
	ck_assert_int_eq(kept.record->seen.requested, 4);
	ck_assert_int_eq(kept.record->seen.duration, 20);
	ck_assert_int_eq(kept.record->seen.server_close, RETORT_FIN);
	ck_assert_int_eq(kept.record->seen.client_close, RETORT_NOTHING);
	ck_assert(!kept.record->seen.client_first);
	close_conn(&kept);
	rt_journal_close(kept.record);
}
END_TEST

/* --- plain sockets --- */

static struct rt_conn_config plain_config = {
	.protocol = RETORT_TCP,
	.max_in = 100000,
	.idle_timeout = RT_NEVER,
	.write_timeout = RT_NEVER,
};

static void
open_plain(struct kept *kept, uint64_t number)
{
	struct rt_peer peer = {.family = AF_INET,
		.port = 4711,
		.address = {127, 0, 0, 1}};
	struct rt_buffers *buffers = rt_buffers_new();

	ck_assert_ptr_nonnull(buffers);
	memset(kept, 0, sizeof *kept);
	kept->now = 5 * NS;
	kept->served = (struct rt_served){.record = NULL};
	rt_conn_open(&kept->served.conn, -1, &peer, &plain_config, kept->now);
	kept->served.number = number;
	ck_assert_int_eq(rt_conn_lend(&kept->served.conn, buffers), 0);
}

/* A piece comes, is recorded, and gets this answer. */
static void
piece(struct kept *kept, const char *text, const char *reply)
{
	struct rt_conn *conn = &kept->served.conn;
	struct rt_reply *to = &conn->buffers->reply;

	kept->now += RT_MS;
	kept->record = rt_journal_open(&journal, &kept->served, kept->now);
	ck_assert_ptr_nonnull(kept->record);
	kept->served.record = kept->record;
	come(kept, text, strlen(text));
	ck_assert_int_eq(conn->asks, RT_ASK_ANSWER);
	ck_assert_int_eq(rt_record_request(kept->record, conn, SIZE_MAX / 2,
				 kept->now),
		0);
	ck_assert_int_eq(rt_journal_publish(&journal, kept->record), 0);
	rt_reply_reset(to);
	if (reply[0] != '\0')
		rt_reply_step(to,
			(struct rt_step){.kind = RT_STEP_BYTES,
				.bytes = reply,
				.size = strlen(reply)});
	rt_reply_step(to, (struct rt_step){.kind = RT_STEP_NEXT});
	rt_conn_answer(conn, kept->now);
	if (conn->chan.out.verb == RT_SEND) {
		conn->chan.out.result = (int64_t)strlen(reply);
		rt_record_sent(kept->record, &conn->chan.out, NULL, kept->now);
		rt_conn_out_done(conn, conn->chan.out.result, kept->now);
	}
}

static void
end_pieces(struct kept *kept)
{
	rt_conn_in_done(&kept->served.conn, 0, kept->now);
	rt_record_event(kept->record, RT_RECORD_CLIENT_FIN, kept->now);
	rt_conn_out_done(&kept->served.conn, 0, kept->now);
	ck_assert_int_eq(kept->served.conn.state, RT_STATE_OVER);
	rt_record_event(kept->record, RT_RECORD_CLOSED, kept->now);
	rt_record_end(kept->record, &kept->served, kept->now);
	close_conn(kept);
	rt_journal_close(kept->record);
}

START_TEST(records_of_pieces)
{
	static const char *const pieces[] = {"GET / HTTP/1.1\r\n\r\n", "two",
		"\r\n"};
	static const char *const lines[] = {"GET / HTTP/1.1", "two", ""};
	struct kept kept, other;

	open_plain(&kept, 1);
	open_plain(&other, 2);
	piece(&kept, pieces[0], "1st\n");
	piece(&other, "between", "-");
	piece(&kept, pieces[1], "2nd\n");
	piece(&kept, pieces[2], "");
	ck_assert_uint_eq(journal.count, 4);
	for (size_t i = 0; i < journal.count; i++)
		ck_assert_int_eq(journal.records[i]->seen.end, RETORT_OPEN);
	end_pieces(&kept);
	for (size_t i = 0, n = 0; i < journal.count; i++) {
		const struct retort_exchange *seen = &journal.records[i]->seen;

		if (seen->connection == 2) {
			ck_assert_int_eq(seen->end, RETORT_OPEN);
			continue;
		}
		ck_assert_uint_eq(seen->nth, n + 1);
		ck_assert_int_eq(seen->protocol, RETORT_TCP);
		assert_bytes(seen->body, seen->body_size, pieces[n],
			strlen(pieces[n]));
		assert_bytes(seen->raw, seen->raw_size, pieces[n],
			strlen(pieces[n]));
		assert_bytes(seen->request, seen->request_size, lines[n],
			strlen(lines[n]));
		ck_assert(seen->complete);
		ck_assert_ptr_null(seen->method);
		ck_assert_ptr_null(seen->target);
		ck_assert_uint_eq(seen->field_count, 0);
		ck_assert_int_eq(seen->status, 0);
		/* the end is the connection's */
		ck_assert_int_eq(seen->end, RETORT_ANSWERED);
		ck_assert_uint_eq(seen->received, 18 + 3 + 2);
		ck_assert_uint_eq(seen->sent, 8);
		ck_assert_uint_eq(seen->sent_body, 8);
		ck_assert_int_eq(seen->client_close, RETORT_FIN);
		ck_assert(seen->client_first);
		n++;
	}
	end_pieces(&other);
}
END_TEST

START_TEST(a_transcript_of_pieces)
{
	static const char *const expected = "connection 1 from 127.0.0.1:4711\n"
					    "       1.000 < one\n"
					    "       1.000 > 1st\\n\n"
					    "       2.000 < two\n"
					    "       2.000 < (FIN)\n"
					    "       2.000 - (closed)\n";
	struct kept kept, other;

	open_plain(&kept, 1);
	open_plain(&other, 2);
	piece(&kept, "one", "1st\n");
	piece(&other, "between", "-");
	piece(&kept, "two", "");
	end_pieces(&kept);
	end_pieces(&other);
	/* the same, whichever piece is asked about */
	assert_transcript(journal.records[0], expected);
	assert_transcript(journal.records[2], expected);
	ck_assert_ptr_eq(rt_journal_find(&journal, 1), journal.records[0]);
}
END_TEST

START_TEST(pieces_are_cleared_while_their_connection_is_open)
{
	for (int more = 0; more < 3; more++) {
		struct kept kept;

		open_plain(&kept, 1);
		piece(&kept, "one", "-");
		piece(&kept, "two", "-");
		rt_journal_clear(&journal);
		ck_assert_uint_eq(journal.count, 0);
		for (int i = 0; i < more; i++)
			piece(&kept, "later", "-");
		ck_assert_uint_eq(journal.count, (size_t)more);
		end_pieces(&kept);
		for (size_t i = 0; i < journal.count; i++) {
			ck_assert_uint_eq(journal.records[i]->seen.nth, 3 + i);
			ck_assert_int_eq(journal.records[i]->seen.end,
				RETORT_ANSWERED);
		}
		rt_journal_clear(&journal);
		ck_assert_uint_eq(journal.used, 0);
	}
}
END_TEST

static void
add_records(Suite *suite)
{
	TCase *tcase = tcase_create("records");

	tcase_add_checked_fixture(tcase, open_journal, close_journal);
	tcase_add_test(tcase, a_complete_request);
	tcase_add_test(tcase, a_chunked_request);
	tcase_add_test(tcase, what_follows_a_body_is_none_of_it);
	tcase_add_loop_test(tcase, paths_are_decoded, 0,
		(int)(sizeof targets / sizeof *targets));
	tcase_add_loop_test(tcase, requests_that_broke_off, 0,
		(int)(sizeof bad / sizeof *bad));
	tcase_add_test(tcase, words_that_broke_off);
	tcase_add_test(tcase, requests_that_are_refused);
	tcase_add_test(tcase, fields_are_found);
	tcase_add_test(tcase, a_transcript);
	tcase_add_test(tcase, a_shortened_transcript);
	tcase_add_test(tcase, a_transcript_of_long_lines);
	tcase_add_test(tcase, a_transcript_of_too_much);
	tcase_add_test(tcase, records_stand_in_order);
	tcase_add_test(tcase, memory_is_counted);
	tcase_add_test(tcase, a_record_has_a_bound);
	tcase_add_test(tcase, a_record_that_was_not_published);
	tcase_add_test(tcase, cleared_while_a_connection_is_open);
	tcase_add_test(tcase, the_end_is_added);
	tcase_add_test(tcase, records_of_pieces);
	tcase_add_test(tcase, a_transcript_of_pieces);
	tcase_add_test(tcase,
		pieces_are_cleared_while_their_connection_is_open);
	rt_test_case(suite, tcase);
}

int
main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tcase = tcase_create("views");

	tcase_add_test(tcase, the_view_of_a_connection);
	rt_test_case(suite, tcase);
	add_records(suite);
	return rt_test_run(suite);
}
