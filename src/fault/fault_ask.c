/* SPDX-License-Identifier: MIT */
/* The changes by faults besides those to the script of a reply: how the request
   is read, how the reply is made, and the wire bytes of TLS. */
#include "config.h"

#include "fault/fault_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tls/alert.h"

/* The type of a record that is an alert, and the levels of alerts. */
#define ALERT_TYPE 21
#define WARNING 1
#define FATAL 2

const struct rt_clause *
rt_faults_find(const struct rt_faults *faults, enum rt_fault_verb verb)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].verb == verb)
			return faults->clauses + i;
	return NULL;
}

const struct rt_reading *
rt_faults_reading(const struct rt_faults *faults)
{
	return faults != NULL && faults->reads ? &faults->reading : NULL;
}

bool
rt_faults_same_reading(const struct rt_faults *a, const struct rt_faults *b)
{
	const struct rt_reading *one = rt_faults_reading(a),
				*other = rt_faults_reading(b);

	if (one == NULL || other == NULL)
		return one == other;
	return one->early == other->early && one->early_at == other->early_at &&
		one->twice == other->twice && one->stops == other->stops &&
		one->stop == other->stop && one->pace == other->pace &&
		one->gap == other->gap && one->delay == other->delay;
}

int
rt_faults_status(const struct rt_faults *faults)
{
	const struct rt_clause *clause =
		rt_faults_find(faults, RT_FAULT_STATUS);

	return clause ? (int)clause->number : 0;
}

bool
rt_faults_force_body(const struct rt_faults *faults)
{
	return faults != NULL && rt_faults_find(faults, RT_FAULT_BODY) != NULL;
}

bool
rt_faults_resume_none(const struct rt_faults *faults)
{
	return rt_faults_find(faults, RT_FAULT_NO_RESUME) != NULL;
}

bool
rt_faults_ignore_range(const struct rt_faults *faults)
{
	return rt_faults_find(faults, RT_FAULT_NO_RANGE) != NULL;
}

bool
rt_faults_chancy(const struct rt_faults *faults)
{
	return faults->chancy;
}

bool
rt_faults_suit_datagram(const struct rt_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].stream ||
			faults->clauses[i].ending != RT_STEP_CLOSE)
			return false;
	return true;
}

bool
rt_faults_can_reset(const struct rt_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].ending == RT_STEP_RESET)
			return true;
	return false;
}

bool
rt_faults_always_end(const struct rt_faults *faults)
{
	bool ends = false;

	for (size_t i = 0; i < faults->count; i++) {
		if (faults->clauses[i].verb == RT_FAULT_AWAIT)
			return false;
		ends |= faults->clauses[i].verb == RT_FAULT_END;
	}
	return ends && !faults->chancy;
}

/* --- the wire of TLS --- */

struct adding {
	const struct rt_faults *faults;
	struct rt_wire_list *list;
	bool stays;
	bool failed;
};

static void
add(struct adding *adding, const struct rt_clause *clause,
	struct rt_wire_edit edit)
{
	static const enum rt_wire_unit units[] = {
		[RT_FAULT_WIRE] = RT_WIRE_BYTES,
		[RT_FAULT_RECORD] = RT_WIRE_RECORDS,
		[RT_FAULT_FLIGHT] = RT_WIRE_FLIGHTS,
	};

	edit.unit = units[clause->base];
	edit.after = clause->at;
	edit.plus = clause->plus;
	edit.stays = adding->stays;
	if (!rt_wire_add(adding->list, edit))
		adding->failed = true;
}

static void
add_bytes(struct adding *adding, const struct rt_clause *clause,
	const void *bytes, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy == NULL) {
		adding->failed = true;
		return;
	}
	memcpy(copy, bytes, size);
	add(adding, clause,
		(struct rt_wire_edit){.act = RT_WIRE_INSERT,
			.bytes = copy,
			.size = size});
}

static void
add_alert(struct adding *adding, const struct rt_clause *clause)
{
	const unsigned char record[] = {ALERT_TYPE, 3, 3, 0, 2,
		rt_alert_is_warning(clause->number) ? WARNING : FATAL,
		(unsigned char)clause->number};

	add_bytes(adding, clause, record, sizeof record);
}

static void
add_pause(struct adding *adding, const struct rt_clause *clause)
{
	const struct rt_clause *gap =
		rt_faults_find(adding->faults, RT_FAULT_GAP);
	uint64_t time = clause->time;

	if (clause->verb == RT_FAULT_SPLIT)
		time = gap != NULL ? gap->time : 0;
	add(adding, clause,
		(struct rt_wire_edit){.act = RT_WIRE_PAUSE,
			.time = (int64_t)time});
}

static void
add_clause(struct adding *adding, const struct rt_clause *clause)
{
	switch (clause->verb) {
	case RT_FAULT_ALERT:
		add_alert(adding, clause);
		break;
	case RT_FAULT_INSERT:
		add_bytes(adding, clause, clause->bytes, clause->size);
		break;
	case RT_FAULT_CORRUPT:
		add(adding, clause,
			(struct rt_wire_edit){.act = RT_WIRE_CORRUPT});
		break;
	case RT_FAULT_CUT:
		add(adding, clause,
			(struct rt_wire_edit){.act = RT_WIRE_CUT,
				.how = (int)clause->ending});
		break;
	default:
		add_pause(adding, clause);
		break;
	}
}

/* The verbs that edit the wire, in this order at one place: a cut is the
   last. */
static const enum rt_fault_verb wired[] = {RT_FAULT_ALERT, RT_FAULT_INSERT,
	RT_FAULT_CORRUPT, RT_FAULT_PAUSE, RT_FAULT_SPLIT, RT_FAULT_CUT};

bool
rt_faults_edit_wire(const struct rt_faults *faults, struct rt_wire_list *list,
	bool stays)
{
	struct adding adding = {faults, list, stays, false};

	for (size_t n = 0; n < sizeof wired / sizeof *wired; n++)
		for (size_t i = 0; i < faults->count; i++)
			if (faults->clauses[i].verb == wired[n] &&
				rt_clause_is_wired(faults->clauses + i))
				add_clause(&adding, faults->clauses + i);
	/* a fatal alert is the end, too, unless the text says another */
	for (size_t i = 0; i < faults->count; i++)
		if (faults->clauses[i].verb == RT_FAULT_ALERT &&
			!rt_alert_is_warning(faults->clauses[i].number))
			add(&adding, faults->clauses + i,
				(struct rt_wire_edit){.act = RT_WIRE_CUT,
					.how = RT_STEP_CLOSE});
	return !adding.failed;
}

static int
fail(const struct rt_faults *faults, const struct rt_clause *clause,
	const char *what, char *error)
{
	return rt_fail(error, -EINVAL, "'%.*s': expected %s",
		rt_clause_shown(clause), faults->text + clause->begin, what);
}

static bool
needs_tls(const struct rt_clause *clause)
{
	return rt_clause_is_wired(clause) ||
		clause->verb == RT_FAULT_CLOSE_NOTIFY ||
		clause->verb == RT_FAULT_REKEY;
}

int
rt_faults_check_wire(const struct rt_faults *faults, bool tls, bool begins,
	char *error)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;

		if (clause->verb == RT_FAULT_NO_RESUME)
			return fail(faults, clause, "it in --tls-fault", error);
		if (needs_tls(clause) && !tls)
			return fail(faults, clause, "a server with TLS", error);
		if (clause->base == RT_FAULT_FLIGHT && !begins)
			return fail(faults, clause,
				"no flight, which is of the handshake, but for "
				"@accepted and --tls-fault",
				error);
	}
	return 0;
}

/* Whether a clause of that verb may have a position on the wire. */
static bool
may_be_wired(enum rt_fault_verb verb)
{
	for (size_t i = 0; i < sizeof wired / sizeof *wired; i++)
		if (wired[i] == verb)
			return true;
	return false;
}

int
rt_faults_check_handshake(const struct rt_faults *faults, char *error)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct rt_clause *clause = faults->clauses + i;

		if (rt_clause_is_wired(clause) ||
			clause->verb == RT_FAULT_GAP ||
			clause->verb == RT_FAULT_NO_RESUME)
			continue;
		return fail(faults, clause,
			may_be_wired(clause->verb) ?
				"a position such as wire N, record N or "
				"flight N" :
				"it in --fault, among those of a reply",
			error);
	}
	return 0;
}
