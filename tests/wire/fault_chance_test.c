/* SPDX-License-Identifier: MIT */
/* Faults by chance, and sweeps. */
#include "config.h"

#include "wire/spoiling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- chance --- */

#define TRIES 40

struct met {
	char *faults[TRIES];
	struct heard heard[TRIES];
};

static void
meet(struct met *met)
{
	*met = (struct met){.faults = {NULL}};
	for (size_t i = 0; i < TRIES; i++) {
		const struct retort_exchange *seen;

		met->heard[i] = hear_all(GET);
		seen = ended(i + 1);
		met->faults[i] = strdup(seen->faults ? seen->faults : "");
	}
}

static void
forget(struct met *met)
{
	for (size_t i = 0; i < TRIES; i++) {
		free(met->faults[i]);
		bytes_free(&met->heard[i].got);
	}
}

/* How many differ. */
static size_t
compare(const struct met *a, const struct met *b)
{
	size_t differ = 0;

	for (size_t i = 0; i < TRIES; i++)
		differ += strcmp(a->faults[i], b->faults[i]) != 0 ||
			a->heard[i].end != b->heard[i].end ||
			a->heard[i].got.size != b->heard[i].got.size ||
			memcmp(a->heard[i].got.data, b->heard[i].got.data,
				a->heard[i].got.size) != 0;
	return differ;
}

/* The faults are as reported. */
static void
check_met(const struct met *met)
{
	for (size_t i = 0; i < TRIES; i++) {
		const struct heard *heard = met->heard + i;
		const char *faults = met->faults[i];
		bool reset = strstr(faults, "reset") != NULL;
		bool error_reply = strstr(faults, "status 404") != NULL;
		bool whole = strstr(faults, "cut") == NULL && !error_reply;
		unsigned percent = 0;

		if (sscanf(faults, "cut %u%%", &percent) == 1)
			ck_assert_uint_eq(heard->got.size, 109 * percent / 100);
		if (error_reply)
			assert_begins(heard->got, "HTTP/1.1 404 ");
		if (whole)
			assert_bytes(heard->got.data, heard->got.size, WHOLE,
				strlen(WHOLE));
		ck_assert_msg(heard->end == (reset ? ECONNRESET : 0),
			"%s: %s: ended by %d", way->name, faults, heard->end);
	}
}

static void
answer_with(const char *faults)
{
	ck_assert_msg(set_answer(&(struct retort_reply){.body = DIGITS,
			      .omit = "Date",
			      .faults = faults}) == 0,
		"%s", error);
}

static void
open_chance(const char *faults, uint64_t seed, int i)
{
	open_with((struct retort_options){.seed = seed}, i);
	answer_with(faults);
}

#define CHANCES \
	"cut any reset chance 25% or cut any chance 20% or status 404 chance " \
	"20.5%; pause 1 chance 50%"

/* The date of an error reply is not by chance. */
static void
drop_dates(struct met *met)
{
	for (size_t i = 0; i < TRIES; i++) {
		char *date = strstr(met->heard[i].got.data, "Date: ");

		for (; date != NULL && *date != '\r' && *date != '\0'; date++)
			*date = '-';
	}
}

/* The record, its line in the log, its transcript and the verdict name the seed,
   which is 1, and the number. */
static void
check_seed(size_t n)
{
	const struct retort_exchange *seen = ended(n);
	char line[1024], wanted[64], *transcript;

	ck_assert(seen->by_chance);
	ck_assert_uint_eq(seen->seed, 1);
	(void)retort_log_line(seen, RETORT_LOG_SHORT, line, sizeof line);
	(void)snprintf(wanted, sizeof wanted, " #%llu ",
		(unsigned long long)seen->connection);
	ck_assert_msg(strstr(line, wanted) != NULL &&
			strstr(line, " (seed 1) [") != NULL,
		"expected '%s' and the seed in: %s", wanted, line);
	transcript = retort_transcript(server, seen->connection);
	ck_assert_ptr_nonnull(transcript);
	ck_assert_msg(strstr(transcript, " (seed 1) [status 503; pause 60]\n"),
		"got: %s", transcript);
	free(transcript);
	ck_assert_int_ge(retort_expect(server, "GET /", .never = true), 0);
	(void)snprintf(wanted, sizeof wanted,
		"503 [status 503; pause 60] (connection %llu, seed 1)\n",
		(unsigned long long)seen->connection);
	assert_verdict(wanted);
	retort_reset(server);
}

START_TEST(chance_is_a_function_of_the_seed)
{
	struct met first, second, other;

	open_chance(CHANCES, 7, _i);
	meet(&first);
	check_met(&first);
	assert_verdict(NULL);
	close_server();
	open_chance(CHANCES, 7, (_i + 1) % BASIC_WAYS);
	meet(&second);
	close_server();
	open_chance(CHANCES, 8, _i);
	meet(&other);
	check_met(&other);
	close_server();
	drop_dates(&first);
	drop_dates(&second);
	ck_assert_uint_eq(compare(&first, &second), 0);
	ck_assert_uint_gt(compare(&first, &other), TRIES / 4);
	forget(&first);
	forget(&second);
	forget(&other);
}
END_TEST

/* Every kind comes, and about as often as it is asked for. */
START_TEST(chances_are_as_asked_for)
{
	struct met met;

	open_chance("cut any reset chance 100%", 1, _i);
	meet(&met);
	for (size_t i = 0; i < TRIES; i++)
		ck_assert_int_eq(met.heard[i].end, ECONNRESET);
	forget(&met);
	retort_reset(server);
	answer_with("cut any chance 0%; pause 1 chance 0%");
	meet(&met);
	for (size_t i = 0; i < TRIES; i++)
		ck_assert_str_eq(met.faults[i], "");
	check_met(&met);
	forget(&met);
	retort_reset(server);
	answer_with("status 503 chance 100%; pause 60");
	expect_begin(GET, "HTTP/1.1 503 ");
	ck_assert_str_eq(ended(1)->faults, "status 503; pause 60");
	check_seed(1);
	/* none any more; and a rule has its own */
	answer_with(NULL);
	expect(GET, WHOLE, 0);
	ck_assert(!ended(1)->by_chance);
	answer_with("cut any chance 100%");
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "cut 100% reset");
	expect(GET, WHOLE, ECONNRESET);
	/* which may be by chance, too, and be another's reply */
	ON(NULL, .files = true, .faults = "cut 5 reset chance 100%");
	expect(GET, "HTTP/", ECONNRESET);
	ck_assert(ended(3)->by_chance);
	ck_assert_int_eq(ended(3)->rule, 2);
	close_server();
}
END_TEST

START_TEST(mistakes_about_chance_are_told)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"empty chance 101%", "'101%': expected a percentage from 0%"},
		{"empty chance 60% or cut 5 chance 41%",
			"'cut 5': expected chances of 100% together"},
		{"empty chance", "expected a percentage"},
		{"boom chance 5%", "'boom': expected a fault"},
		{"rst:5%,cut:5%", "'rst:5%,cut:5%': expected a fault"},
		/* each alternative must be possible */
		{"empty chance 5% or cut 500 chance 5%",
			"cut 500: the reply has 109 bytes"},
		{"cut 500 chance 0%", "cut 500: the reply has 109 bytes"},
	};
	struct retort_reply reply = {.body = DIGITS, .omit = "Date"};
	struct heard heard;

	open_chance("cut any reset chance 100%", 1, _i);
	for (size_t i = 0; i < COUNT(cases); i++) {
		reply.faults = cases[i].text;
		ck_assert_int_eq(set_answer(&reply), -EINVAL);
		ck_assert_msg(strstr(error, cases[i].why) != NULL,
			"\"%s\": expected \"%s\" in: %s", cases[i].text,
			cases[i].why, error);
	}
	/* what there was stays */
	heard = hear_all(GET);
	ck_assert_int_eq(heard.end, ECONNRESET);
	bytes_free(&heard.got);
	close_server();
}
END_TEST

/* One is drawn if none is given, and told. */
START_TEST(seeds_are_drawn)
{
	uint64_t first = 0;

	for (int i = 0; i < 2; i++) {
		struct heard heard;

		open_chance("cut any chance 50%", 0, _i);
		heard = hear_all(GET);
		bytes_free(&heard.got);
		ck_assert(ended(1)->by_chance);
		ck_assert_uint_gt(ended(1)->seed, 0);
		ck_assert_uint_lt(ended(1)->seed, 1000000000);
		ck_assert_uint_ne(ended(1)->seed, first);
		first = ended(1)->seed;
		close_server();
	}
}
END_TEST

/* The records, as rules. */
static struct bytes
write_log(void)
{
	struct bytes log = {.data = NULL};
	const struct retort_exchange *seen;
	char line[1024];

	for (size_t i = 1; (seen = retort_record(server, i)) != NULL; i++) {
		(void)ended(i);
		bytes_add(&log, line,
			retort_log_line(seen, RETORT_LOG_SCENARIO, line,
				sizeof line));
	}
	return log;
}

START_TEST(replays_what_was_logged)
{
	struct met first, second;
	struct bytes log;

	open_chance(CHANCES, 11, _i);
	meet(&first);
	log = write_log();
	close_server();
	open_chance(NULL, 0, _i);
	ck_assert_msg(retort_load(server, .text = log.data, .size = log.size,
			      .name = "log", .error = error) == 0,
		"%s in: %s", error, shown(log.data, log.size));
	/* another request takes nobody's turn */
	expect("GET /other" HOST "\r\n", WHOLE, 0);
	retort_reset(server, RETORT_RECORDS);
	meet(&second);
	drop_dates(&first);
	drop_dates(&second);
	ck_assert_uint_eq(compare(&first, &second), 0);
	/* it is used up */
	expect(GET, WHOLE, 0);
	close_server();
	forget(&first);
	forget(&second);
	bytes_free(&log);
}
END_TEST

/* Each request line has a queue of its own. */
START_TEST(replays_by_request)
{
	static const char *const requests[] = {"GET /b", "GET /a?x=1", "GET /b",
		"GET /b%41*", "GET /a?x=1"};
	static const char *const faults[] = {NULL, "cut 5", "cut 9", "cut 1",
		"cut 6 reset"};
	struct bytes log;
	char line[64], *notices = line;

	open_chance(NULL, 0, _i);
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct heard heard;

		ON(NULL, .files = true, .times = 1, .faults = faults[i]);
		(void)snprintf(line, sizeof line, "%s" HOST "\r\n",
			requests[i]);
		heard = hear_all(line);
		bytes_free(&heard.got);
	}
	log = write_log();
	close_server();
	open_chance(NULL, 0, _i);
	ck_assert_msg(retort_load(server, .text = log.data, .size = log.size,
			      .name = "log", .notices = &notices,
			      .error = error) == 0,
		"%s in: %s", error, shown(log.data, log.size));
	ck_assert_ptr_null(notices);
	expect("GET /c" HOST "\r\n", WHOLE, 0);
	expect("GET /b" HOST "\r\n", WHOLE, 0);
	expect("GET /b" HOST "\r\n", "HTTP/1.1 ", 0);
	expect("GET /bA%2A" HOST "\r\n", "H", 0);
	expect("GET /a?x=1" HOST "\r\n", "HTTP/", 0);
	expect("GET /a?x=1" HOST "\r\n", "HTTP/1", ECONNRESET);
	expect("GET /a?x=1" HOST "\r\n", WHOLE, 0);
	close_server();
	bytes_free(&log);
}
END_TEST

/* A rule that is not whole is none. */
START_TEST(logs_rules)
{
	static const char whole[] = "# connection 1\n@on GET /\n@times 1\n"
				    "@fault insert 0 \"@on\\n\"; cut 3\n"
				    "@files\n\n";
	static const char none[] = "# connection 1: too long to be repeated\n";
	char line[128];
	size_t size;

	open_plain(_i);
	ON(NULL, .body = DIGITS, .faults = "insert 0 \"@on\\n\"; cut 3");
	expect(GET, "@on", 0);
	size = retort_log_line(ended(1), RETORT_LOG_SCENARIO, line,
		sizeof line);
	assert_bytes(line, size, whole, sizeof whole - 1);
	size = retort_log_line(ended(1), RETORT_LOG_SCENARIO, line, 70);
	assert_bytes(line, size, none, sizeof none - 1);
	close_server();
}
END_TEST

/* What is asked of a proxy comes again; what no rule is for does not. */
START_TEST(logs_targets_as_rules)
{
	static const struct {
		const char *request;
		int refused;
		const char *expected;
	} cases[] = {
		{"GET http://x/a HTTP/1.1", 0, "\n@on GET http://x/a\n"},
		{"CONNECT x:443 HTTP/1.1", 0, "\n@on CONNECT x:443\n"},
		{"CONNECT /a HTTP/1.1", 0, ": no request that can be repeated"},
		{"GET a HTTP/1.1", 0, ": no request that can be repeated"},
		{"GET /a HTTP/1.1", 400, ": refused with 400"},
		{"GET", 408, ": refused with 408"},
	};

	for (int i = 0; i < COUNT(cases); i++) {
		const struct retort_exchange exchange = {.connection = 7,
			.client = "unix",
			.request = cases[i].request,
			.request_size = strlen(cases[i].request),
			.refused = cases[i].refused};
		char expected[200], line[600];
		size_t size = retort_log_line(&exchange, RETORT_LOG_SCENARIO,
			line, sizeof line);

		(void)snprintf(expected, sizeof expected,
			"# connection 7%s%s\n", cases[i].expected,
			*cases[i].expected == '\n' ? "@times 1\n@files\n" : "");
		assert_bytes(line, size, expected, strlen(expected));
	}
}
END_TEST

/* A method that is none goes to no terminal. */
START_TEST(logs_no_escapes_as_rules)
{
	static const char request[] = "\033[2JX / HTTP/1.1";
	static const char expected[] =
		"# connection 1: no request that can be repeated\n";
	const struct retort_exchange exchange = {.connection = 1,
		.client = "unix",
		.request = request,
		.request_size = sizeof request - 1};
	char line[600];
	size_t size = retort_log_line(&exchange, RETORT_LOG_SCENARIO, line,
		sizeof line);

	assert_bytes(line, size, expected, sizeof expected - 1);
}
END_TEST

/* On their line, which they cannot forge. */
START_TEST(logs_faults)
{
	static const char faults[] = "insert 0 \"]\\n\"; cut 3";
	char line[1024];

	open_plain(_i);
	ON(NULL, .body = DIGITS, .omit = "Date", .times = 1, .faults = faults);
	expect(GET, "]\nH", 0);
	(void)retort_log_line(ended(1), RETORT_LOG_SHORT, line, sizeof line);
	ck_assert_msg(strstr(line, " [insert 0 \"]\\n\"; cut 3]\n") != NULL,
		"got: %s", line);
	/* either it is refused, or it cannot drive a terminal */
	if (retort_on(server, NULL, .body = DIGITS, .omit = "Date", .times = 1,
		    .faults = "insert 0 \"\033[2J]\"\ncut 3") > 0) {
		expect(GET, "\033[2", 0);
		(void)retort_log_line(ended(2), RETORT_LOG_SHORT, line,
			sizeof line);
		ck_assert_msg(strchr(line, '\033') == NULL,
			"it can drive a terminal: %s",
			shown(line, strlen(line)));
	}
	close_server();
}
END_TEST

/* --- sweeps --- */

/* Takes a reply for right if its Content-Length came to an end by a FIN. */
static int
right_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	struct bytes got = {.data = NULL};
	const char *head, *length;
	bool ok;

	bytes_add(&got, "", 0);
	(void)client_send_text(fd, GET);
	ok = client_receive(fd, &got) == 0;
	(void)close(fd);
	head = strstr(got.data, "\r\n\r\n");
	length = strstr(got.data, "Content-Length: ");
	ok = ok && head != NULL && length != NULL &&
		strtoul(length + 16, NULL, 10) == strlen(head + 4);
	bytes_free(&got);
	(void)fault;
	++*(size_t *)arg;
	return ok;
}

/* Takes what came of the body for all of it. */
static int
trusting_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	struct bytes got = {.data = NULL};
	bool ok;

	bytes_add(&got, "", 0);
	(void)client_send_text(fd, GET);
	ok = client_receive(fd, &got) == 0;
	ok = ok && strstr(got.data, "\r\n\r\n") != NULL;
	(void)close(fd);
	bytes_free(&got);
	(void)fault;
	++*(size_t *)arg;
	return ok;
}

/* Takes the first line for all there is. */
static int
hasty_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	char data[17];
	size_t size = 0;
	ssize_t n = 1;

	(void)client_send_text(fd, GET);
	while (n > 0 && size < sizeof data) {
		n = recv(fd, data + size, sizeof data - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	(void)fault;
	++*(size_t *)arg;
	return size == sizeof data && strncmp(data, OK, sizeof data) == 0;
}

#define KEPT_WHOLE OK TYPE CL(10) "\r\n" DIGITS

/* So many bytes of a reply, or what comes of them. */
static size_t
ask_on(int fd)
{
	char data[sizeof KEPT_WHOLE];
	size_t size = 0;
	ssize_t n = 1;

	(void)client_send_text(fd, GET);
	while (n > 0 && size < strlen(KEPT_WHOLE)) {
		n = recv(fd, data + size, strlen(KEPT_WHOLE) - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	return size;
}

/* Asks twice on a connection, and knows how much comes; one that is closed
   before the second reply is for another try. */
static int
keeping_client(void *arg, const char *url, const char *fault)
{
	int fd = client_connect(url);
	size_t size;

	(void)fault;
	++*(size_t *)arg;
	ck_assert_uint_eq(ask_on(fd), strlen(KEPT_WHOLE));
	size = ask_on(fd);
	(void)close(fd);
	if (size == 0) {
		fd = client_connect(url);
		size = ask_on(fd);
		(void)close(fd);
	}
	return size == strlen(KEPT_WHOLE);
}

/* Asks twice, but on two connections. */
static int
forgetful_client(void *arg, const char *url, const char *fault)
{
	(void)arg;
	(void)fault;
	for (int i = 0; i < 2; i++) {
		int fd = client_connect(url);

		(void)ask_on(fd);
		(void)close(fd);
	}
	return 1;
}

/* It never gets to the server. */
static int
lost_client(void *arg, const char *url, const char *fault)
{
	(void)arg;
	(void)url;
	(void)fault;
	return 1;
}

/* Connects, and takes nothing for success. */
static int
gloomy_client(void *arg, const char *url, const char *fault)
{
	(void)right_client(arg, url, fault);
	return 0;
}

/* Has enough of it at one point. */
static int
tired_client(void *arg, const char *url, const char *fault)
{
	if (fault != NULL && strcmp(fault, "cut 3 reset") == 0)
		return -EINTR;
	return trusting_client(arg, url, fault);
}

static const struct retort_reply swept = {.body = DIGITS, .omit = "Date"};

/* A sweep of that reply. */
static int
sweep(const struct retort_reply *reply, retort_client *client, void *arg,
	char **report)
{
	int code = set_answer(reply);

	return code < 0 ? code :
			  retort_sweep(server, client, .client_arg = arg,
				  .report = report, .error = error);
}

static void
assert_report(char *report, const char *expected)
{
	ck_assert_ptr_nonnull(report);
	assert_bytes(report, strlen(report), expected, strlen(expected));
	free(report);
}

START_TEST(sweeps)
{
	char *report = NULL;
	size_t calls = 0;
	int wrong;

	open_plain(_i);
	wrong = sweep(&swept, right_client, &calls, &report);
	ck_assert_msg(wrong == 0, "%d: %s%s", wrong, error,
		report ? report : "");
	/* whole; cut twice at 0 to 108; split at 1 to 108; byte by byte */
	ck_assert_uint_eq(calls, 1 + 2 * 109 + 108 + 1);
	ck_assert_uint_eq(retort_stats(server).accepted, calls);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for success\n"
		"cut N fin             109  taken for success: none\n"
		"cut N reset           109  taken for success: none\n"
		"split N; gap 20       108  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	calls = 0;
	wrong = sweep(&swept, trusting_client, &calls, &report);
	ck_assert_int_eq(wrong, 10);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for success\n"
		"cut N fin             109  taken for success: 99-108\n"
		"cut N reset           109  taken for success: none\n"
		"split N; gap 20       108  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	/* without a report, and of another's faults nothing is left */
	ck_assert_int_eq(sweep(&swept, hasty_client, &calls, NULL),
		2 * (109 - 17));
	close_server();
}
END_TEST

/* The second reply is spoiled, and whatever comes after it. */
START_TEST(sweeps_kept_connections)
{
	char *report = NULL;
	size_t calls = 0;
	int fd;

	open_with((struct retort_options){.keep_alive = true}, _i);
	ck_assert_msg(sweep(&swept, keeping_client, &calls, &report) == 0,
		"%s%s", error, report ? report : "");
	ck_assert_uint_eq(calls, 1 + 2 * 90 + 89 + 1);
	assert_report(report,
		"reply of 90 bytes: head 0-79, body 80-89, the second on its "
		"connection\n"
		"whole                   1  taken for success\n"
		"cut N fin              90  taken for success: none\n"
		"cut N reset            90  taken for success: none\n"
		"split N; gap 20        89  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	ck_assert_int_eq(sweep(&swept, hasty_client, &calls, NULL), -ENOTCONN);
	ck_assert_str_eq(error,
		"the whole reply: the client did not make a second request");
	ck_assert_int_eq(sweep(&swept, forgetful_client, NULL, NULL),
		-ENOTCONN);
	ck_assert_str_eq(error,
		"the whole reply: the client did not make both requests on one "
		"connection");
	ck_assert_int_eq(sweep(&swept, lost_client, NULL, NULL), -ENOTCONN);
	ck_assert_str_eq(error, "the whole reply: the client did not connect");
	/* and nothing is spoiled any more */
	fd = client_connect(retort_url(server));
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(ask_on(fd), strlen(KEPT_WHOLE));
	(void)close(fd);
	close_server();
}
END_TEST

START_TEST(sweeps_that_end_early)
{
	char *report = NULL;
	size_t calls = 0;

	open_plain(_i);
	/* all else would say nothing */
	ck_assert_int_eq(sweep(&swept, gloomy_client, &calls, &report), 1);
	ck_assert_uint_eq(calls, 1);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for failure\n"
		"nothing else was tried\n");
	ck_assert_int_eq(sweep(&swept, lost_client, NULL, NULL), -ENOTCONN);
	ck_assert_str_eq(error, "the whole reply: the client did not connect");
	ck_assert_int_eq(sweep(&swept, tired_client, &calls, &report), -EINTR);
	ck_assert_str_eq(error, "the client: Interrupted system call");
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108\n"
		"whole                   1  taken for success\n"
		"cut N fin             109  taken for success: 99-108\n"
		"cut N reset           109  taken for success: (106 not "
		"tried)\n");
	close_server();
}
END_TEST

/* The faults that it is told, a line each. */
static int
telling_client(void *arg, const char *url, const char *fault)
{
	struct bytes *told = arg;
	size_t calls = 0;

	bytes_add(told, fault ? fault : "-", strlen(fault ? fault : "-"));
	bytes_add(told, "\n", 1);
	return right_client(&calls, url, fault);
}

/* The same, and takes anything for success. */
static int
any_client(void *arg, const char *url, const char *fault)
{
	(void)telling_client(arg, url, fault);
	return 1;
}

START_TEST(sweep_tells_its_faults)
{
	static const struct retort_reply three = {.raw = true, .body = "abc"};
	struct bytes told = {.data = NULL};
	const char *expected = "-\ncut 0 fin\ncut 1 fin\ncut 2 fin\n"
			       "cut 0 reset\ncut 1 reset\ncut 2 reset\n"
			       "split 1; gap 20\nsplit 2; gap 20\neach 1\n";
	char *report = NULL;

	open_plain(_i);
	ck_assert_int_eq(sweep(&three, telling_client, &told, NULL), 1);
	assert_bytes(told.data, told.size, "-\n", 2);
	told.size = 0;
	ck_assert_int_ge(sweep(&three, any_client, &told, &report), 0);
	assert_bytes(told.data, told.size, expected, strlen(expected));
	/* there is no head, and it says nothing of one */
	ck_assert_msg(strncmp(report, "reply of 3 bytes\n", 17) == 0, "got: %s",
		report);
	free(report);
	bytes_free(&told);
	close_server();
}
END_TEST

/* The reply takes the place of that of retort_answer(): and nothing else. */
START_TEST(leaves_the_reply_as_it_is)
{
	struct heard heard;
	size_t calls = 0;

	open_plain(_i);
	ck_assert_int_ge(sweep(&swept, right_client, &calls, NULL), 0);
	retort_reset(server, RETORT_RECORDS);
	heard = hear_all(GET);
	assert_heard(&heard, "after a sweep", WHOLE, strlen(WHOLE), 0);
	ck_assert_msg(ended(1)->faults == NULL, "faults are left: %s",
		ended(1)->faults);
	bytes_free(&heard.got);
	/* and if it ended early */
	ck_assert_int_eq(sweep(&swept, tired_client, &calls, NULL), -EINTR);
	heard = hear_all(GET);
	assert_heard(&heard, "after half a sweep", WHOLE, strlen(WHOLE), 0);
	bytes_free(&heard.got);
	close_server();
}
END_TEST

/* And it is the server's own: the caller's is gone by then. */
START_TEST(sweeps_its_own_copy)
{
	static const char wanted[] = "HTTP/1.0 200 OK\r\n\r\nabcabca";
	char body[] = "abc", raw[] = "HTTP/1.0 200 OK\r\n\r\nabcabca";
	const struct retort_reply replies[] = {
		{.raw = true, .body = raw},
		{.version = "HTTP/1.0",
			.omit = "Date\nContent-Type\nContent-Length\n"
				"Connection",
			.body = body,
			.repeat = 7},
	};

	open_plain(_i);
	for (size_t i = 0; i < COUNT(replies); i++) {
		struct heard heard;
		size_t calls = 0;

		ck_assert_int_eq(set_answer(&replies[i]), 0);
		memset(body, '#', 3);
		memset(raw, '#', sizeof raw - 1);
		ck_assert_int_ge(retort_sweep(server, gloomy_client,
					 .client_arg = &calls, .error = error),
			0);
		heard = hear_all(GET);
		assert_heard(&heard, "after a sweep", wanted, sizeof wanted - 1,
			0);
		bytes_free(&heard.got);
		memcpy(body, "abc", 3);
	}
	close_server();
}
END_TEST

/* The points that a sweep with that `at` tries, by the faults of one way. */
static void
assert_points(const char *at, const char *expected)
{
	struct bytes told = {.data = NULL}, cuts = {.data = NULL};
	const char *line;
	int code;

	bytes_add(&told, "", 0);
	bytes_add(&cuts, "", 0);
	code = retort_sweep(server, any_client, .client_arg = &told, .at = at,
		.error = error);
	ck_assert_msg(code >= 0, "%s: %s", at, error);
	for (line = told.data; (line = strstr(line, "cut ")) != NULL; line++)
		if (strncmp(line + strcspn(line, "\n") - 4, " fin", 4) == 0)
			bytes_add(&cuts, line + 4,
				strcspn(line + 4, " \n") + 1);
	ck_assert_msg(strcmp(cuts.data, expected) == 0,
		"%s: expected points %s, got %s", at, expected, cuts.data);
	bytes_free(&told);
	bytes_free(&cuts);
}

/* Takes a cut of the last byte for other content than the whole has. */
static int
picky_client(void *arg, const char *url, const char *fault)
{
	int taken = right_client(arg, url, fault);

	return taken > 0 && fault != NULL &&
			strncmp(fault, "split 9;", 8) == 0 ?
		2 :
		taken;
}

/* Its output is never the same. */
static int
fickle_client(void *arg, const char *url, const char *fault)
{
	return 2 * right_client(arg, url, fault);
}

START_TEST(sweeps_at_some_points)
{
	static const struct retort_reply small = {.raw = true,
		.body = "HTTP/1.0 200 OK\r\n\r\nabcdef"};

	open_plain(_i);
	ck_assert_int_eq(set_answer(&small), 0);
	assert_points("3", "3 ");
	assert_points("3,17-20", "3 17 18 19 20 ");
	assert_points("every 8 , 24-99", "0 8 16 24 ");
	assert_points("20-20,1,20", "1 20 ");
	assert_points("every 18446744073709551615", "0 ");
	close_server();
}
END_TEST

START_TEST(sweeps_some_of_a_long_body)
{
	char *report = NULL;
	size_t calls = 0;

	open_plain(_i);
	ck_assert_int_eq(set_answer(&(struct retort_reply){.body = "0123456789",
				 .repeat = 100000,
				 .omit = "Date"}),
		0);
	ck_assert_int_ge(retort_sweep(server, gloomy_client,
				 .client_arg = &calls, .report = &report,
				 .error = error),
		0);
	assert_report(report,
		"reply of 100103 bytes: head 0-102, body 103-100102; tried: "
		"all of the head, 200 of the body\n"
		"whole                   1  taken for failure\n"
		"nothing else was tried\n");
	ck_assert_int_eq(set_answer(&swept), 0);
	ck_assert_int_eq(retort_sweep(server, trusting_client,
				 .client_arg = &calls, .report = &report,
				 .at = "every 50,108", .error = error),
		2);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108; 4 tried, every "
		"50,108\n"
		"whole                   1  taken for success\n"
		"cut N fin               4  taken for success: 100-108 (2 "
		"tried)\n"
		"cut N reset             4  taken for success: none\n"
		"split N; gap 20         3  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	close_server();
}
END_TEST

START_TEST(sweeps_compare_contents)
{
	char *report = NULL;
	size_t calls = 0;

	open_plain(_i);
	ck_assert_int_eq(set_answer(&swept), 0);
	ck_assert_int_eq(retort_sweep(server, picky_client,
				 .client_arg = &calls, .report = &report,
				 .at = "8-10", .error = error),
		1);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108; 3 tried, 8-10\n"
		"whole                   1  taken for success\n"
		"cut N fin               3  taken for success: none\n"
		"cut N reset             3  taken for success: none\n"
		"split N; gap 20         3  taken for failure: none; for "
		"success, with other output: 9\n"
		"each 1                  1  taken for success\n");
	/* contents that differ for the whole, too, say nothing */
	ck_assert_int_eq(retort_sweep(server, fickle_client,
				 .client_arg = &calls, .report = &report,
				 .at = "8-10", .error = error),
		0);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108; 3 tried, 8-10\n"
		"whole                   1  taken for success\n"
		"cut N fin               3  taken for success: none\n"
		"cut N reset             3  taken for success: none\n"
		"split N; gap 20         3  taken for failure: none\n"
		"each 1                  1  taken for success\n"
		"the output for the whole reply is not the same each time, and "
		"was not compared\n");
	close_server();
}
END_TEST

/* What a sweep told of its points. */
struct points {
	size_t calls;
	size_t count;
	size_t wrong;
	struct retort_sweep_point last;
};

static int
point_client(void *arg, const char *url, const char *fault)
{
	struct points *points = arg;

	return trusting_client(&points->calls, url, fault);
}

static void
take_point(void *arg, const struct retort_sweep_point *point)
{
	struct points *points = arg;

	points->last = *point;
	ck_assert_uint_eq(point->done, ++points->count);
	ck_assert_uint_eq(point->done, points->calls);
	ck_assert_uint_eq(point->all, 109 + 109 + 108 + 2);
	ck_assert_uint_eq(point->head, 99);
	ck_assert_uint_eq(point->size, 109);
	assert_bytes(point->bytes, point->byte_count, WHOLE, strlen(WHOLE));
	ck_assert_int_eq(point->fault == NULL,
		strcmp(point->way, "whole") == 0);
	if (!point->wrong)
		return;
	points->wrong++;
	ck_assert_str_eq(point->way, "cut N fin");
	ck_assert_uint_ge(point->at, 99);
	ck_assert_int_eq(point->taken, 1);
}

START_TEST(sweeps_tell_their_points)
{
	struct points points = {.calls = 0};

	open_plain(_i);
	ck_assert_int_eq(set_answer(&swept), 0);
	ck_assert_int_eq(retort_sweep(server, point_client,
				 .client_arg = &points, .point = take_point,
				 .error = error),
		10);
	ck_assert_uint_eq(points.wrong, 10);
	ck_assert_uint_eq(points.last.done, points.last.all);
	close_server();
}
END_TEST

/* Clients at once, of as many servers. */
#define AT_ONCE 3

struct crowd {
	size_t calls;
	const char *urls[AT_ONCE]; /* of those that have begun */
	const char *faults[AT_ONCE];
	size_t count;
	size_t most; /* that there were at a time */
	size_t all;
	unsigned char told[3 * 10 + 2];
};

static int
begin_client(void *arg, const char *url, const char *fault)
{
	struct crowd *crowd = arg;

	ck_assert_uint_lt(crowd->count, AT_ONCE);
	for (size_t i = 0; i < crowd->count; i++)
		ck_assert_str_ne(crowd->urls[i], url);
	crowd->urls[crowd->count++] = url;
	if (crowd->count > crowd->most)
		crowd->most = crowd->count;
	/* the whole reply is tried alone */
	ck_assert(fault != NULL || crowd->count == 1);
	return RETORT_BEGUN;
}

/* The last one first, so that none ends in the order of the points. */
static int
end_client(void *arg, const char **url)
{
	struct crowd *crowd = arg;

	ck_assert_uint_gt(crowd->count, 0);
	*url = crowd->urls[--crowd->count];
	return trusting_client(&crowd->calls, *url, NULL);
}

static int
end_nobody(void *arg, const char **url)
{
	(void)arg;
	*url = "http://127.0.0.1:1/";
	return 1;
}

static void
take_of_crowd(void *arg, const struct retort_sweep_point *point)
{
	struct crowd *crowd = arg;
	const size_t all = sizeof crowd->told;

	ck_assert_uint_eq(point->all, all);
	ck_assert_uint_eq(point->done, ++crowd->all);
	ck_assert_uint_lt(point->number, all);
	ck_assert_msg(!crowd->told[point->number]++, "%zu was told twice",
		point->number);
	ck_assert_msg(point->wrong ==
			(point->number > 0 && point->number <= 10),
		"%zu: %s", point->number, point->fault);
}

START_TEST(sweeps_with_several_servers)
{
	struct retort *more[AT_ONCE];
	struct retort_sweep sweep = {.point = take_of_crowd, .at = "body"};
	struct crowd crowd = {.calls = 0};
	char *report = NULL;

	open_plain(_i);
	ck_assert_int_eq(set_answer(&swept), 0);
	more[AT_ONCE - 1] = NULL;
	for (size_t i = 0; i < AT_ONCE - 1; i++) {
		struct retort_reply reply = swept;

		more[i] = retort_start(.omit = NULL, .error = error);
		ck_assert_msg(more[i] != NULL, "%s", error);
		reply.server = more[i];
		ck_assert_int_eq(retort_answer_sized(&reply, sizeof reply), 0);
	}
	sweep.server = server;
	sweep.client = begin_client;
	sweep.client_arg = &crowd;
	sweep.report = &report;
	sweep.error = error;
	sweep.more = more;
	ck_assert_int_eq(retort_sweep_sized(&sweep, sizeof sweep), -EINVAL);
	ck_assert_str_eq(error,
		"more: expected `ended`, too, and at most 256 servers");
	sweep.ended = end_client;
	ck_assert_int_eq(retort_sweep_sized(&sweep, sizeof sweep), 10);
	ck_assert_uint_eq(crowd.most, AT_ONCE);
	ck_assert_uint_eq(crowd.all, sizeof crowd.told);
	assert_report(report,
		"reply of 109 bytes: head 0-98, body 99-108; 10 tried, body\n"
		"whole                   1  taken for success\n"
		"cut N fin              10  taken for success: 99-108\n"
		"cut N reset            10  taken for success: none\n"
		"split N; gap 20        10  taken for failure: none\n"
		"each 1                  1  taken for success\n");
	for (size_t i = 0; i < AT_ONCE - 1; i++)
		ck_assert_uint_gt(retort_stats(more[i]).accepted, 0);
	sweep.ended = end_nobody;
	sweep.report = NULL;
	ck_assert_int_eq(retort_sweep_sized(&sweep, sizeof sweep), -EINVAL);
	ck_assert_str_eq(error,
		"ended: expected the URL of a client that has begun");
	ck_assert_int_eq(retort_answer(more[0], .body = "other"), 0);
	ck_assert_int_eq(retort_sweep_sized(&sweep, sizeof sweep), -EINVAL);
	ck_assert_str_eq(error, "more: expected servers with the same reply");
	for (size_t i = 0; i < AT_ONCE - 1; i++)
		retort_close(more[i]);
	close_server();
}
END_TEST

START_TEST(mistakes_in_points_are_told)
{
	static const char *const words[] = {"", "heads", "3-1", "every 0",
		"every", "1,,2", "1-", "-1", "1;2", "every 3x", "head body"};
	struct retort_reply large = {.body = "x", .repeat = 65536};
	size_t calls = 0;

	open_plain(_i);
	ck_assert_int_eq(set_answer(&swept), 0);
	for (size_t i = 0; i < COUNT(words); i++) {
		ck_assert_int_eq(retort_sweep(server, right_client,
					 .client_arg = &calls, .at = words[i],
					 .error = error),
			-EINVAL);
		ck_assert_msg(strncmp(error, "at: ", 4) == 0 &&
				strstr(error, "expected head, body") != NULL,
			"%s: %s", words[i], error);
	}
	ck_assert_int_eq(retort_sweep(server, right_client, .at = "109-200",
				 .error = error),
		-EINVAL);
	ck_assert_str_eq(error,
		"at: 0 points of a reply of 109 bytes: expected 1 to 65536");
	ck_assert_int_eq(set_answer(&large), 0);
	ck_assert_int_eq(retort_sweep(server, right_client, .at = "all",
				 .error = error),
		-EINVAL);
	ck_assert_msg(strstr(error, "expected 1 to 65536") != NULL, "%s",
		error);
	ck_assert_uint_eq(calls, 0);
	close_server();
}
END_TEST

START_TEST(mistakes_about_sweeps_are_told)
{
	static const struct {
		struct retort_reply reply;
		const char *why;
	} cases[] = {
		{{.echo = true}, "echo: its size is not known"},
		{{.body = "x", .repeat = 64 << 20}, "expected 1 to 67108864"},
		{{.file = "/nowhere"}, "/nowhere"},
		{{.body = "x", .status = 99}, "status"},
	};
	struct {
		struct retort_sweep known;
		char more[40];
	} newer = {{.client = right_client, .error = error}, "x"};
	size_t calls = 0;

	open_plain(_i);
	if (way->drive != OWN_THREAD) {
		ck_assert_int_eq(sweep(&swept, right_client, &calls, NULL),
			-EINVAL);
		ck_assert(strstr(error, "with a thread") != NULL);
		close_server();
		return;
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		ck_assert_int_lt(sweep(&cases[i].reply, right_client, &calls,
					 NULL),
			0);
		ck_assert_msg(strstr(error, cases[i].why) != NULL,
			"expected \"%s\" in: %s", cases[i].why, error);
	}
	newer.known.server = server;
	ck_assert_int_eq(retort_sweep_sized(&newer.known, sizeof newer),
		-E2BIG);
	ck_assert_int_eq(sweep(&swept, NULL, NULL, NULL), -EINVAL);
	ck_assert_str_eq(error, "sweep: expected a client");
	ck_assert_int_eq(set_answer(&(struct retort_reply){.body = "x",
				 .faults = "cut 1"}),
		0);
	ck_assert_int_eq(retort_sweep(server, right_client, .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "sweep: expected a reply without faults");
	ck_assert_int_eq(set_files("/", NULL), 0);
	ck_assert_int_eq(retort_sweep(server, right_client, .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "expected a reply of retort_answer()");
	ON("GET /", .body = "x");
	ck_assert_int_eq(sweep(&swept, right_client, &calls, NULL), -EINVAL);
	ck_assert(strstr(error, "without rules") != NULL);
	ck_assert_uint_eq(calls, 0);
	close_server();
}
END_TEST

/* --- Unix sockets --- */

static int
reset_by_handler(void *arg, const struct retort_exchange *seen,
	struct retort_reply *reply)
{
	(void)arg;
	(void)seen;
	reply->faults = "cut body 4 reset";
	return 0;
}

/* There is no RST, and it is not made out of anything else. */
START_TEST(unix_sockets_have_no_reset)
{
	char *folder = dir_make();
	char bind[512];

	(void)snprintf(bind, sizeof bind, "unix:%s/s", folder);
	open_with((struct retort_options){.bind = bind}, _i);
	ck_assert_int_eq(retort_on(server, NULL, .body = DIGITS,
				 .faults = "end reset"),
		-EINVAL);
	assert_verdict("a Unix socket cannot be reset");
	ck_assert_int_eq(set_answer(&(struct retort_reply){.body = DIGITS,
				 .faults = "cut 5 chance 5% or "
					   "end reset chance 1%"}),
		-EINVAL);
	ck_assert_str_eq(error, "a Unix socket cannot be reset");
	retort_reset(server);
	/* the others are as with TCP */
	ON("GET /", .body = DIGITS, .omit = "Date", .times = 1,
		.faults = "cut body 4; split body 2; each 10");
	expect(GET, HEAD "0123", 0);
	assert_verdict(NULL);
	/* whoever finds another way to it is told */
	ON("GET /", .body = DIGITS, .omit = "Date", .times = 1,
		.handler = reset_by_handler);
	expect(GET, HEAD "0123", 0);
	assert_verdict("a Unix socket cannot be reset");
	retort_reset(server);
	ON("GET /", .body = DIGITS, .omit = "Date", .faults = "refuse");
	expect(GET, WHOLE, 0);
	assert_verdict("there is a listener that cannot refuse");
	close_server();
	dir_remove(folder);
}
END_TEST

/* --- without memory --- */

/* clang-format off */
static const struct retort_reply torture[] = {
	{.request = "GET /0", .body = DIGITS, .faults = "cut body 5"},
	{.request = "GET /1", .body = DIGITS,
		.faults = "corrupt body 3; insert body 5 \"xyz\"; length +3"},
	{.request = "GET /2", .body = DIGITS, .chunked = true,
		.faults = "bare-lf; fold; split 5 10 15; each 7"},
	{.request = "GET /3", .body = DIGITS,
		.faults = "garbage 100; end reset"},
	{.request = "GET /4", .body = DIGITS, .faults = "status 503"},
	{.request = "GET /5", .body = DIGITS, .faults = "early"},
};

/* A request, and whatever comes of it before it ends. */
static void
torture_request(const char *target)
{
	struct heard heard;
	char request[64];

	(void)snprintf(request, sizeof request, "GET %s%s\r\n", target, HOST);
	heard = hear_all(request);
	bytes_free(&heard.got);
}

static void
torture_server(void)
{
	static const char log[] = "@on GET /c\n@times 1\n@fault cut 5\n@files\n";
	struct retort_reply plain = {.body = DIGITS,
		.faults = "cut any chance 30% or status 503 chance 30%; "
			  "pause 1"};
	char target[8];
	int code;

	for (size_t i = 0; i < COUNT(torture); i++) {
		inside++;
		code = add_rule(torture[i]);
		inside--;
		ck_assert_msg(code > 0 || code == -ENOMEM,
			"%s: allocation %zu failed: \"%s\" is %s", way->name,
			(size_t)fail_at, torture[i].faults, strerror(-code));
	}
	inside++;
	code = set_answer(&plain);
	inside--;
	ck_assert_msg(code == 0 || code == -ENOMEM, "%s", error);
	for (size_t i = 0; i <= COUNT(torture); i++) {
		(void)snprintf(target, sizeof target, "/%zu", i);
		torture_request(target);
	}
	inside++;
	code = retort_load(server, .text = log, .name = "log", .error = error);
	inside--;
	ck_assert_msg(code == 0 || code == -ENOMEM, "%s", error);
	torture_request("/c");
	inside++;
	(void)retort_verdict(server);
	(void)finish(0);
	inside--;
}

/* False: there were not as many allocations. */
static bool
torture_once(int i, size_t n, bool ever_after)
{
	bool reached;

	allocations = 0;
	fail_ever_after = ever_after;
	fail_at = n;
	is_test = true;
	if (try_open_with((struct retort_options){.port = 0}, i) != NULL)
		torture_server();
	else
		ck_assert_msg(errno == ENOMEM, "%s", error);
	reached = allocations >= n;
	fail_at = 0;
	close_server();
	is_test = false;
	return reached;
}

START_TEST(spoils_without_memory)
{
	bool ever_after = _i >= BASIC_WAYS;
	size_t step = under_valgrind() ? 17 : 1, n = 1;
	long long before;

	(void)torture_once(_i % BASIC_WAYS, SIZE_MAX, false);
	before = live;
	while (torture_once(_i % BASIC_WAYS, n, ever_after)) {
		ck_assert_msg(live == before,
			"%s: %lld bytes leaked when allocation %zu failed",
			way->name, live - before, n);
		ck_assert_uint_lt(n += step, 3000);
	}
	/* the failures were real */
	ck_assert_uint_gt(n, 100);
}
END_TEST

/* What it takes for success differs each time, so that all is tried. */
static int
tortured_client(void *arg, const char *url, const char *fault)
{
	int taken;

	inside--;
	taken = trusting_client(arg, url, fault);
	inside++;
	return taken > 0 && fault != NULL ? 2 : taken;
}

/* False: there were not as many allocations. */
static bool
torture_sweep(size_t n, bool ever_after)
{
	size_t calls = 0;
	char *report = NULL;
	bool reached;
	int code;

	open_plain(0);
	ck_assert_int_eq(set_answer(&swept), 0);
	allocations = 0;
	fail_ever_after = ever_after;
	fail_at = n;
	is_test = true;
	inside++;
	code = retort_sweep(server, tortured_client, .client_arg = &calls,
		.at = "0, 108", .report = &report, .error = error);
	inside--;
	ck_assert_msg(code >= 0 || code == -ENOMEM || code == -ENOTCONN,
		"allocation %zu failed: %d: %s", n, code, error);
	reached = allocations >= n;
	fail_at = 0;
	is_test = false;
	free(report);
	close_server();
	return reached;
}

START_TEST(sweeps_without_memory)
{
	size_t n = 1;
	long long before;

	(void)torture_sweep(SIZE_MAX, false);
	before = live;
	for (; torture_sweep(n, _i > 0); n += under_valgrind() ? 7 : 1)
		ck_assert_msg(live == before,
			"%lld bytes leaked when allocation %zu failed",
			live - before, n);
	ck_assert_uint_gt(n, 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fault chance");
	const TTest *const chance[] = {chance_is_a_function_of_the_seed,
		chances_are_as_asked_for, mistakes_about_chance_are_told,
		seeds_are_drawn, replays_what_was_logged, replays_by_request,
		logs_rules, logs_targets_as_rules, logs_no_escapes_as_rules,
		logs_faults, NULL};
	const TTest *const sweep[] = {sweeps, sweeps_kept_connections, sweeps_that_end_early,
		sweep_tells_its_faults, leaves_the_reply_as_it_is,
		sweeps_its_own_copy, sweeps_at_some_points,
		sweeps_some_of_a_long_body, sweeps_compare_contents,
		sweeps_tell_their_points, sweeps_with_several_servers,
		mistakes_in_points_are_told, NULL};
	const TTest *const mistakes[] = {mistakes_about_sweeps_are_told,
		unix_sockets_have_no_reset, NULL};
	const TTest *const memory[] = {spoils_without_memory, NULL};
	const TTest *const swept_memory[] = {sweeps_without_memory, NULL};

	rt_test_cases(suite, "chance", chance, 0, BASIC_WAYS);
	rt_test_cases(suite, "sweeps", sweep, 0, 2);
	rt_test_cases(suite, "mistakes", mistakes, 0, BASIC_WAYS);
	rt_test_cases(suite, "memory", memory, 0, 2 * BASIC_WAYS);
	rt_test_cases(suite, "sweeps", swept_memory, 0, 2);
	return rt_test_run(suite);
}
