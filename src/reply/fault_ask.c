/* SPDX-License-Identifier: MIT */
/* Questions about faults that do not change. */
#include "config.h"

#include "reply/fault_parts.h"

#include <stddef.h>

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
