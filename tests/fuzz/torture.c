/* SPDX-License-Identifier: MIT */
/*
 * Torture: four threads call the functions of retort.h at random on one server
 * after another, and are its clients as well, for RETORT_TORTURE seconds (10).
 * Nothing is asserted of what comes but that each call returns one of its
 * values: make torture runs it under sanitizers. RETORT_SEED is the seed that a
 * failed run printed; the threads still take their turns as they like.
 */
#include "config.h"

#include <inttypes.h>
#include <pthread.h>
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define THREADS 4
#define CALLS 250 /* of a thread, to a server */

/* What the threads of a server share. */
struct torture {
	struct retort *server;
	int port;
	/* Records are valid until they are forgotten: who reads one holds this,
	   and who forgets them has it alone. */
	pthread_rwlock_t records;
	pthread_mutex_t verdict; /* valid until the next call */
};

struct thread {
	pthread_t id;
	struct torture *torture;
	uint64_t chance;
	uint64_t calls;
};

static void
fail(const char *what, long got)
{
	(void)fprintf(stderr, "%s: %ld\n", what, got);
	abort();
}

/* --- chance --- */

static uint64_t
draw(uint64_t *chance)
{
	/* splitmix64 */
	uint64_t z = *chance += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t
below(struct thread *self, size_t limit)
{
	return (size_t)(draw(&self->chance) % limit);
}

#define ONE_OF(self, array) \
	((array)[below(self, sizeof(array) / sizeof *(array))])

static const char *const requests[] = {NULL, "/", "GET /", "GET /a", "POST /a",
	"GET /a?b=*", "/later", "/open", "PUT", "*", "GET a b", "GET /%"};
static const char *const fault_texts[] = {NULL, NULL, "cut body 2 reset",
	"cut any chance 50%", "each 1", "length +3; end half", "early 3",
	"status 503 chance 50%", "stall", "no such fault"};
static const char *const texts[] = {"@on GET /a\n@body x\n",
	"@on POST /a\n@fault cut 9 fin\nHTTP/1.1 200 OK\n\nhello\n@expect 1 /a\n",
	"@on GET /\n@times 2\n@echo\n", "@on\n@wrong\n", ""};
static const char two[] = "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n"
			  "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";
static const char chunked[] = "POST /a HTTP/1.1\r\nHost: a\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n"
			      "3\r\nabc\r\n0\r\n\r\n";
static const char *const sent[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", two,
	chunked, "GET /later HTTP/1.0\r\n\r\n",
	"GET /open HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhel",
	"GET / HTT", "\r\n\r\n", "junk\n"};

/* --- callbacks --- */

static int
handler(void *arg, const struct retort_exchange *exchange,
	struct retort_reply *reply)
{
	(void)arg;
	if (exchange->path != NULL && strcmp(exchange->path, "/later") == 0)
		return RETORT_LATER;
	reply->body = "handled\n";
	reply->open =
		exchange->path != NULL && strcmp(exchange->path, "/open") == 0;
	return 0;
}

static bool
predicate(void *arg, const struct retort_exchange *exchange)
{
	(void)arg;
	return exchange->connection % 2 == 0;
}

static void
event(void *arg, enum retort_event what, const struct retort_exchange *exchange,
	const void *bytes, size_t size)
{
	unsigned sum = (unsigned)what;

	(void)arg;
	for (size_t i = 0; i < size; i++)
		sum += ((const unsigned char *)bytes)[i];
	if (sum == 0 && exchange->connection == 0)
		fail("an event of no connection", (long)what);
}

/* --- calls --- */

static void
call_on(struct thread *self, struct retort *server)
{
	static const struct retort_reply replies[] = {{.body = "hello"},
		{.body = "hello", .chunks = "1 2", .trailers = "A: b"},
		{.status = 404, .times = 1}, {.echo = true},
		{.file = "COPYING"}, {.body = "x", .repeat = 100000},
		{.body = "ab", .parts = "1 1"}, {.raw = true, .body = "junk"},
		{.body = "x", .pause_head = 1}, {.files = true},
		{.handler = handler}, {.handler = handler},
		{.body = "x", .if_predicate = predicate},
		{.body = "x", .if_body_has = "l", .prefer = 1},
		{.body = "{path}", .fill = true, .if_field = "Host: a"},
		{.body = "no", .if_refused = RETORT_ANY},
		{.body = "x", .in = "ready", .then_in = "busy"},
		{.open = true, .body = "x"}, {.next = RETORT_NEXT_KEEP},
		{.status = 99}, {.silent = true},
		{.accepted = true, .body = "x"}};
	struct retort_reply reply = ONE_OF(self, replies);
	char error[RETORT_ERROR_SIZE];
	int code;

	reply.server = server;
	reply.request = ONE_OF(self, requests);
	reply.faults = ONE_OF(self, fault_texts);
	reply.error = error;
	code = below(self, 4) == 0 ? retort_answer_sized(&reply, sizeof reply) :
				     retort_on_sized(&reply, sizeof reply);
	if (code < 0 && *error == '\0')
		fail("an error without a line", code);
}

static void
call_load(struct thread *self, struct retort *server)
{
	char *notices = NULL;

	(void)retort_load(server, .text = ONE_OF(self, texts),
		.notices = &notices, .again = below(self, 2) == 0);
	free(notices);
}

static void
call_expect(struct thread *self, struct retort *server)
{
	if (below(self, 3) == 0)
		(void)retort_expect_order(server, "GET /a\nPOST /a");
	else
		(void)retort_expect(server, ONE_OF(self, requests),
			.times = below(self, 3), .if_predicate = predicate);
}

static size_t
sum_of(const struct retort_exchange *exchange)
{
	size_t sum = exchange->request_size + exchange->raw_size;

	for (size_t i = 0; i < exchange->raw_size; i++)
		sum += ((const unsigned char *)exchange->raw)[i];
	for (size_t i = 0; i < exchange->field_count; i++)
		sum += strlen(exchange->fields[i].name) +
			strlen(exchange->fields[i].value);
	return sum;
}

static void
call_record(struct thread *self, struct retort *server)
{
	const struct retort_exchange *exchange;
	char line[1024];
	size_t size;

	pthread_rwlock_rdlock(&self->torture->records);
	exchange = below(self, 2) == 0 ?
		retort_record(server, 1 + below(self, 20)) :
		retort_wait(server, ONE_OF(self, requests), .timeout = 2,
			.times = 1 + below(self, 3));
	if (exchange != NULL) {
		if (sum_of(exchange) == SIZE_MAX)
			fail("a record", 0);
		(void)retort_field_of(exchange, "Host", 0);
		if (retort_wait_end(server, exchange, (int)below(self, 3))) {
			size = retort_log_line(exchange,
				(enum retort_log)below(self,
					RETORT_LOG_COLORED + 1),
				line, sizeof line);
			if (size > sizeof line)
				fail("a log line", (long)size);
		}
	}
	pthread_rwlock_unlock(&self->torture->records);
}

static void
call_reset(struct thread *self, struct retort *server)
{
	pthread_rwlock_wrlock(&self->torture->records);
	retort_reset(server, (enum retort_part)below(self, 3));
	pthread_rwlock_unlock(&self->torture->records);
}

static void
call_verdict(struct thread *self, struct retort *server)
{
	pthread_mutex_lock(&self->torture->verdict);
	if (strlen(retort_verdict(server)) == SIZE_MAX)
		fail("a verdict", 0);
	pthread_mutex_unlock(&self->torture->verdict);
}

static void
call_connection(struct thread *self, struct retort *server)
{
	uint64_t connection = 1 + below(self, 100);

	switch (below(self, 5)) {
	case 0:
		free(retort_transcript(server, connection));
		break;
	case 1:
		(void)retort_end(server, connection,
			(enum retort_ending)below(self, 3));
		break;
	case 2:
		(void)retort_reply_later(server, connection, .body = "later",
			.open = below(self, 2) == 0);
		break;
	case 3:
		(void)retort_push(server, connection, "data: 1\n\n", 9,
			(int)below(self, 3) - 1);
		break;
	default:
		(void)retort_push(server, connection, NULL, 0);
	}
}

static void
call_other(struct thread *self, struct retort *server)
{
	switch (below(self, 10)) {
	case 0:
		(void)retort_count(server, ONE_OF(self, requests),
			.if_predicate = predicate);
		break;
	case 1:
		(void)retort_wait_end(server, NULL, 1);
		break;
	case 2:
		(void)retort_refuse(server, below(self, 4) == 0);
		break;
	case 3:
		(void)retort_serve(server, below(self, 2) == 0 ? "." : "none",
			.faults = ONE_OF(self, fault_texts));
		break;
	case 4:
		if (retort_stats(server).accepted > UINT32_MAX)
			fail("connections accepted", 0);
		break;
	case 5:
		if (retort_listener(server).port != self->torture->port)
			fail("the port", retort_listener(server).port);
		break;
	case 6:
		(void)retort_url(server, "/a");
		break;
	case 7:
		(void)retort_ca(server);
		break;
	case 8:
		retort_wake(server);
		break;
	default:
		if (retort_step(server, 0) >= 0)
			fail("a step of a server with a thread", 0);
	}
}

/* A client: bytes, some of the reply or none, FIN or RST. */
static void
be_client(struct thread *self, struct retort *server)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)self->torture->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_usec = 1000 + (int)below(self, 10000)};
	struct linger reset = {.l_onoff = 1};
	const char *text = ONE_OF(self, sent);
	char got[512];
	int pair[2];
	int fd;

	if (below(self, 8) == 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			return;
		if (retort_adopt(server, pair[1]) < 0)
			(void)close(pair[1]);
		fd = pair[0];
	} else {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0)
			return;
		if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
			(void)close(fd);
			return;
		}
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof patience);
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	if (below(self, 3) == 0)
		(void)shutdown(fd, SHUT_WR);
	for (size_t n = below(self, 4); n > 0; n--)
		if (recv(fd, got, sizeof got, 0) <= 0)
			break;
	if (below(self, 4) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
			sizeof reset);
	(void)close(fd);
}

/* --- rounds --- */

static void *
run(void *arg)
{
	static void (*const calls[])(struct thread *,
		struct retort *) = {be_client, be_client, be_client, be_client,
		call_on, call_on, call_load, call_expect, call_record,
		call_record, call_reset, call_verdict, call_connection,
		call_connection, call_other, call_other};
	struct thread *self = arg;

	for (int i = 0; i < CALLS; i++) {
		ONE_OF(self, calls)(self, self->torture->server);
		self->calls++;
	}
	return NULL;
}

static struct retort *
start(struct thread *self)
{
	static const struct retort_options all[] = {{.port = 0},
		{.keep_alive = true}, {.keep_alive = true, .max_exchanges = 2},
		{.protocol = RETORT_TCP}, {.io = RETORT_IO_POLL},
		{.protocol = RETORT_TCP, .framing = "lines"}, {.tls = true},
		{.unrecorded = true}, {.max_records = 2000}, {.requests = 100}};
	struct retort_options options = ONE_OF(self, all);
	char error[RETORT_ERROR_SIZE];
	struct retort *server;

	if (below(self, 2) == 0)
		options.event = event;
	options.event_all = below(self, 2) == 0;
	options.head_timeout = options.body_timeout = 20;
	options.write_timeout = options.idle_timeout = 20;
	options.error = error;
	server = retort_start_sized(&options, sizeof options);
	if (server == NULL && !options.tls) {
		(void)fprintf(stderr, "retort_start: %s\n", error);
		abort();
	}
	return server;
}

static uint64_t
round_of(struct thread *first)
{
	struct torture torture = {.server = start(first)};
	struct thread threads[THREADS];
	uint64_t calls = 0;
	char *wrong = NULL;

	if (torture.server == NULL) /* without OpenSSL */
		return 0;
	torture.port = retort_listener(torture.server).port;
	pthread_rwlock_init(&torture.records, NULL);
	pthread_mutex_init(&torture.verdict, NULL);
	for (int i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){.torture = &torture,
			.chance = draw(&first->chance)};
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
			fail("no thread", i);
	}
	if (below(first, 4) == 0)
		retort_stop(torture.server, 5);
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i].id, NULL);
		calls += threads[i].calls;
	}
	if (below(first, 2) == 0)
		(void)retort_done(torture.server, &wrong);
	else
		retort_close(torture.server);
	free(wrong);
	pthread_mutex_destroy(&torture.verdict);
	pthread_rwlock_destroy(&torture.records);
	return calls;
}

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) :
					       otherwise;
}

int
main(void)
{
	uint64_t seconds = number_of("RETORT_TORTURE", 10);
	struct thread first = {
		.chance = number_of("RETORT_SEED", (uint64_t)time(NULL))};
	time_t end = time(NULL) + (time_t)seconds;
	uint64_t calls = 0;
	uint64_t rounds = 0;

	printf("RETORT_SEED=%" PRIu64 "\n", first.chance);
	(void)fflush(stdout);
	do {
		calls += round_of(&first);
		rounds++;
	} while (time(NULL) < end);
	printf("%" PRIu64 " calls, %" PRIu64 " servers\n", calls, rounds);
	return 0;
}
