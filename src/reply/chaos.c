/* SPDX-License-Identifier: MIT */
/* Called by route.c when a reply is made. Keeps no state but what was given
   and, of a log, what was used. */
#include "config.h"

#include "reply/chaos.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "reply/fault.h"

#define MAX_CHANCES 64

enum kind { RST, CUT, STALL, STATUS, DELAY };

/* Of a hundred thousand connections so many. */
#define ALL 100000u

struct chance {
	enum kind kind;
	unsigned number; /* a status, or ms */
	unsigned share;
};

/* Of a log. */
struct logged {
	char *request; /* as the log has it, quoted */
	char *faults;
	bool used;
};

struct rt_chaos {
	uint64_t seed;
	struct chance chances[MAX_CHANCES];
	size_t count;
	struct logged *logged;
	size_t logged_count;
	size_t logged_room;
};

/* --- from text --- */

static int
fail(char *error, const char *text, size_t size, const char *what)
{
	return rt_fail(error, -EINVAL, "'%.*s': expected %s",
		(int)(size < 60 ? size : 60), text, what);
}

/* Digits, up to `most`; what follows them, or NULL. */
static const char *
read_number(const char *at, unsigned most, unsigned *number)
{
	const char *begin = at;

	for (*number = 0; *at >= '0' && *at <= '9'; at++) {
		*number = *number * 10 + (unsigned)(*at - '0');
		if (*number > most)
			return NULL;
	}
	return at > begin ? at : NULL;
}

/* "5%", "0.25%": of ALL. What follows, or NULL. */
static const char *
read_share(const char *at, unsigned *share)
{
	unsigned whole, unit = ALL / 1000;

	at = read_number(at, 100, &whole);
	if (at == NULL)
		return NULL;
	*share = whole * (ALL / 100);
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, unit /= 10)
			*share += unit * (unsigned)(*at - '0');
	return *at == '%' && *share <= ALL ? at + 1 : NULL;
}

/* "20ms", and a share behind another colon. */
static const char *
read_delay(const char *at, struct chance *chance)
{
	at = read_number(at, 3600000, &chance->number);
	if (at == NULL || strncmp(at, "ms", 2) != 0)
		return NULL;
	at += 2;
	chance->share = ALL;
	return *at == ':' ? read_share(at + 1, &chance->share) : at;
}

static int
read_chance(const char *text, size_t size, struct chance *chance, char *error)
{
	static const struct {
		const char *name;
		enum kind kind;
	} names[] = {
		{"rst:", RST},
		{"reset:", RST},
		{"cut:", CUT},
		{"stall:", STALL},
		{"delay:", DELAY},
	};
	const char *at = NULL;

	chance->kind = STATUS;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(text, names[i].name, strlen(names[i].name)) == 0) {
			chance->kind = names[i].kind;
			at = text + strlen(names[i].name);
		}
	if (at == NULL) {
		at = read_number(text, 999, &chance->number);
		if (at == NULL || *at != ':' || chance->number < 200)
			return fail(error, text, size,
				"rst:N%, cut:N%, stall:N%, STATUS:N% or "
				"delay:Nms");
		at++;
	}
	at = chance->kind == DELAY ? read_delay(at, chance) :
				     read_share(at, &chance->share);
	if (at != text + size)
		return fail(error, text, size,
			chance->kind == DELAY ? "delay:Nms, or delay:Nms:N%" :
						"a percentage from 0% to 100%");
	return 0;
}

static int
read_chances(struct rt_chaos *chaos, const char *text, char *error)
{
	unsigned sum = 0;
	int code;

	for (;;) {
		struct chance *chance = chaos->chances + chaos->count;
		size_t size = strcspn(text, ",");

		if (chaos->count == MAX_CHANCES)
			return fail(error, text, size, "fewer faults");
		code = read_chance(text, size, chance, error);
		if (code < 0)
			return code;
		if (chance->kind != DELAY)
			sum += chance->share;
		if (sum > ALL)
			return fail(error, text, size,
				"percentages of 100% together at most");
		chaos->count++;
		if (text[size] == '\0')
			return 0;
		text += size + 1;
		text += strspn(text, " \t");
	}
}

struct rt_chaos *
rt_chaos_new(const char *text, uint64_t seed, char *error)
{
	struct rt_chaos *chaos = calloc(1, sizeof *chaos);
	int code = -ENOMEM;

	if (chaos != NULL) {
		chaos->seed = seed;
		code = read_chances(chaos, text, error);
		if (code == 0)
			return chaos;
	} else {
		(void)rt_fail_errno(error, code, NULL);
	}
	rt_chaos_free(chaos);
	errno = -code;
	return NULL;
}

/* " 200 " or " - ": so a log goes on behind the request. */
static bool
has_status(const char *at, const char *end)
{
	size_t digits = 0;

	if (end - at < 3 || *at++ != ' ')
		return false;
	if (*at == '-')
		return at[1] == ' ';
	while (at < end && *at >= '0' && *at <= '9') {
		digits++;
		at++;
	}
	return digits == 3 && at < end && *at == ' ';
}

/* A line of a log: its quoted request, and the faults in brackets. */
static bool
read_logged(struct logged *logged, const char *line, const char *end)
{
	const char *open = memchr(line, '"', (size_t)(end - line)), *close;
	const char *faults;

	if (open == NULL || *line == '>' || *line == '+')
		return false;
	/* quotes within are escaped */
	for (close = open + 1; close < end && *close != '"'; close++)
		close += *close == '\\' && close + 1 < end;
	if (close >= end || !has_status(close + 1, end))
		return false;
	/* a reply that was right has none, and takes its turn */
	faults = end;
	if (end[-1] == ']')
		for (faults = close; faults < end && *faults != '[';)
			faults++;
	faults += faults < end;
	logged->request = strndup(open + 1, (size_t)(close - open - 1));
	logged->faults =
		strndup(faults, faults < end ? (size_t)(end - 1 - faults) : 0);
	return true;
}

static bool
add_logged(struct rt_chaos *chaos, const char *line, const char *end)
{
	struct logged logged = {.used = false};

	if (line == end || !read_logged(&logged, line, end))
		return true;
	if (logged.request == NULL || logged.faults == NULL ||
		!rt_grow(&chaos->logged, &chaos->logged_room,
			chaos->logged_count, sizeof logged)) {
		free(logged.request);
		free(logged.faults);
		return false;
	}
	chaos->logged[chaos->logged_count++] = logged;
	return true;
}

/* What was cut off cannot be done again. 0 or -errno. */
static int
check_logged(const struct rt_chaos *chaos, char *error)
{
	char why[RETORT_ERROR_SIZE];
	struct rt_faults *faults;
	size_t at;

	for (size_t i = 0; i < chaos->logged_count; i++) {
		bool reads;

		faults = rt_faults_new(chaos->logged[i].faults, why, &at);
		if (faults == NULL && errno == ENOMEM)
			return -ENOMEM;
		reads = rt_faults_reading(faults) != NULL;
		rt_faults_free(faults);
		if (faults != NULL && !reads)
			continue;
		if (reads)
			(void)snprintf(why, sizeof why,
				"how a request is read is said by a rule: "
				"expected it in a scenario");
		return rt_fail(error, -EINVAL, "[%.60s]: %.180s",
			chaos->logged[i].faults, why);
	}
	return 0;
}

struct rt_chaos *
rt_chaos_replay(const char *log, size_t size, char *error)
{
	struct rt_chaos *chaos = calloc(1, sizeof *chaos);
	const char *end = log + size;
	int code = chaos != NULL ? 0 : -ENOMEM;

	while (code == 0 && log < end) {
		const char *line = memchr(log, '\n', (size_t)(end - log));

		line = line ? line : end;
		code = add_logged(chaos, log, line) ? 0 : -ENOMEM;
		log = line < end ? line + 1 : end;
	}
	if (code == 0 && chaos->logged_count == 0) {
		code = -EINVAL;
		(void)rt_fail(error, code,
			"expected lines of a log, with [faults] at their ends");
	} else if (code == 0) {
		code = check_logged(chaos, error);
	}
	if (code == 0)
		return chaos;
	if (code == -ENOMEM)
		(void)rt_fail_errno(error, code, NULL);
	rt_chaos_free(chaos);
	errno = -code;
	return NULL;
}

void
rt_chaos_free(struct rt_chaos *chaos)
{
	if (chaos == NULL)
		return;
	for (size_t i = 0; i < chaos->logged_count; i++) {
		free(chaos->logged[i].request);
		free(chaos->logged[i].faults);
	}
	free(chaos->logged);
	free(chaos);
}

bool
rt_chaos_resets(const struct rt_chaos *chaos)
{
	for (size_t i = 0; i < chaos->count; i++)
		if (chaos->chances[i].kind == RST)
			return true;
	return false;
}

bool
rt_chaos_seed(const struct rt_chaos *chaos, uint64_t *seed)
{
	*seed = chaos->seed;
	return chaos->logged == NULL;
}

/* --- picking --- */

/* The n-th number for a connection: each bit of both changes it all. */
static uint64_t
draw(uint64_t seed, uint64_t connection, uint64_t n)
{
	uint64_t mixed = seed * 0x9e3779b97f4a7c15 + connection;

	mixed = mixed * 0xd1b54a32d192ed03 + n;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return mixed ^ mixed >> 31;
}

uint64_t
rt_chaos_make_seed(uint64_t from)
{
	return draw(from, 0, 0) % 1000000000;
}

static void
add_fault(const struct chance *chance, uint64_t drawn, struct rt_buf *to)
{
	unsigned percent = (unsigned)(drawn % 100);

	if (to->len > 0)
		rt_buf_add_text(to, "; ");
	switch (chance->kind) {
	case RST:
		rt_buf_add_format(to, "cut %u%% reset", percent);
		break;
	case CUT:
		rt_buf_add_format(to, "cut %u%%", percent);
		break;
	case STALL:
		rt_buf_add_format(to, "cut %u%% stall", percent);
		break;
	case STATUS:
		rt_buf_add_format(to, "status %u", chance->number);
		break;
	case DELAY:
		rt_buf_add_format(to, "pause %u", chance->number);
		break;
	}
}

static void
pick_by_seed(const struct rt_chaos *chaos, uint64_t connection,
	struct rt_buf *to)
{
	uint64_t roll = draw(chaos->seed, connection, 0) % ALL;
	unsigned below = 0;
	bool done = false;

	for (size_t i = 0; i < chaos->count; i++) {
		const struct chance *chance = chaos->chances + i;
		uint64_t own = draw(chaos->seed, connection, 1 + i);

		/* delays have a chance each; of the others there is one */
		if (chance->kind == DELAY) {
			if (own % ALL < chance->share)
				add_fault(chance, own, to);
			continue;
		}
		below += chance->share;
		if (!done && roll < below) {
			add_fault(chance, own, to);
			done = true;
		}
	}
}

static void
pick_by_log(struct rt_chaos *chaos, const struct retort_exchange *seen,
	struct rt_buf *to)
{
	struct rt_buf quoted;

	rt_buf_init(&quoted, 64u << 10);
	rt_text_quote(&quoted, seen->request, seen->request_size, 2048);
	for (size_t i = 0; i < chaos->logged_count && !quoted.failed; i++) {
		struct logged *logged = chaos->logged + i;

		if (logged->used || strlen(logged->request) + 2 != quoted.len ||
			memcmp(logged->request, quoted.data + 1,
				quoted.len - 2) != 0)
			continue;
		logged->used = true;
		rt_buf_add_text(to, logged->faults);
		break;
	}
	rt_buf_free(&quoted);
}

void
rt_chaos_pick(struct rt_chaos *chaos, const struct retort_exchange *seen,
	uint64_t connection, struct rt_buf *to)
{
	if (chaos->logged != NULL)
		pick_by_log(chaos, seen, to);
	else
		pick_by_seed(chaos, connection, to);
}
