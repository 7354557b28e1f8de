/* SPDX-License-Identifier: MIT */
/*
 * The library served by a test: every way in which it runs, clients of the
 * test's own thread, which drives the server meanwhile where it has none, and
 * memory that is counted and fails when told to. For programs that are linked
 * with --wrap for malloc and its kin.
 */
#ifndef SERVING_H
#define SERVING_H

#include "retort.h"
#include "support/harness.h"

#include <stdatomic.h>

#define PATIENCE (RT_TEST_PATIENCE * 1000)

/* --- memory --- */

extern _Atomic(long long) live;     /* bytes held */
extern _Atomic(size_t) allocations; /* made so far */
extern _Atomic(size_t) fail_at;     /* this one fails; 0: none */
extern _Atomic(bool) fail_ever_after;

/* How often the library was entered by this thread, and not left. */
extern _Thread_local int inside;

/* While it is set, what this thread allocates outside is not one of
   `allocations`, and does not fail. */
extern _Thread_local bool is_test;

/* From now on calls outside, of any thread, are not seen at all, so that nothing
   may be `live` once the server is closed. */
void watch_inside(void);

/* --- ways of running a server --- */

enum drive {
	OWN_THREAD,
	STEPS, /* while the client has nothing to do */
	POLLFDS,
	POLLFD,
	EACH_STEP /* one whenever the client has done something, too */
};

struct way {
	const char *name;
	enum drive drive;
	enum retort_io io;
	bool adopted; /* no listener: each client is one end of a pair */
};

/* The first have a thread, or take steps, with each back end; then come the
   other loops; then those that adopt, which datagrams cannot be. For tests of
   what a step does, the last two. */
enum { BASIC_WAYS = 4, LISTENING_WAYS = 7, WAYS = 9, STEPPED = 9 };
extern const struct way ways[];

/* The server that is meant by all that follows. */
extern const struct way *way;
extern struct retort *server;
extern char error[RETORT_ERROR_SIZE];

/* retort_start() with these; NULL with errno and `error`. */
struct retort *start_with(struct retort_options options, bool stepped);

/* The same in ways[i]. */
struct retort *try_open_with(struct retort_options options, int i);

/* The same, or fails. */
void open_with(struct retort_options options, int i);
void open_plain(int i);

void close_server(void);

/* retort_stop(), and waits until it has: what it had to cut off; NULL. */
const char *finish(int grace);

/* retort_step(), which may not fail. */
int step(int timeout);

/*
 * Waits until the client's socket (or -1: none) is as wanted, or something
 * has been done, or at most this many ms.
 */
void turn(int fd, short wanted, int most);

/* Turns until it is true, or fails. */
#define TURN_UNTIL(condition) \
	do { \
		int64_t until_ = now_ms() + PATIENCE; \
		while (!(condition)) { \
			ck_assert_msg(now_ms() < until_, \
				"%s: waited in vain for %s", way->name, \
				#condition); \
			turn(-1, 0, 2); \
		} \
	} while (0)

/* --- clients --- */

int connect_client(void);

/* The same with a socket of that type. */
int connect_plain(int type);

/*
 * One end of a pair, whose other end the server adopts when this has been said:
 * no time-out for what a client has to say comes before it, however late the
 * client is.
 */
int connect_saying(const char *text);

/* A client's bytes, sent and received while the server is driven. */
struct talk {
	int fd;
	const char *bytes; /* that are to be sent yet */
	size_t size;
	struct bytes *got;
	int64_t until; /* ms */
	int end;       /* 0: a FIN, or none yet; or an errno */
};

struct talk talk_begin(int fd, const void *bytes, size_t size,
	struct bytes *got);

/* Sends and receives once, or waits. False at the end. */
bool talk_on(struct talk *talk);

/*
 * Sends, and receives until the end, or until `text` has arrived (unless NULL).
 * 0 at a FIN or at the text, or the errno of the end.
 */
int talk(int fd, const void *bytes, size_t size, struct bytes *got,
	const char *text);

/* Connect, send, receive up to a FIN, close: the whole reply. */
struct bytes exchange_bytes(const void *request, size_t size);
struct bytes exchange(const char *request);

void expect_begin(const char *request, const char *begin);
void say(int fd, const char *text);

/* --- records --- */

/* The n-th record, once its connection has ended. */
const struct retort_exchange *ended(size_t n);

/* NULL: it is ""; or it has this text in it. */
void assert_verdict(const char *text);

/* The calls with the members of a table, and `error` if it has none. `files`
   may be NULL. */
int set_answer(const struct retort_reply *reply);
int set_files(const char *root, const struct retort_files *files);
int reply_on(uint64_t connection, const struct retort_reply *reply);

/* The rule of a table, or with the conditions of one; and what fits them. */
int add_rule(struct retort_reply rule);
struct retort_reply rule_for(const struct retort_requests *requests);
size_t count_fits(struct retort_requests requests);
const struct retort_exchange *wait_fits(struct retort_requests requests);

#define ON(...) ck_assert_int_gt(retort_on(server, __VA_ARGS__), 0)

#endif
