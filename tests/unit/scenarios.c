/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/scenarios.h"

#include <stdlib.h>
#include <string.h>

#include "support/harness.h"

struct rt_scenario scenario;
char error[RETORT_ERROR_SIZE];

/* Reads a copy with nothing after it. */
int
read_text(const char *text, size_t size, const char *folder)
{
	char *copy = malloc(size > 0 ? size : 1);
	int code;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	code = rt_scenario_read(&scenario, "s", folder, copy, size, error);
	free(copy);
	return code;
}

void
read_good(const char *text)
{
	int code = read_text(text, strlen(text), NULL);

	ck_assert_msg(code == 0, "refused: %s\n%s", error, text);
	ck_assert_str_eq(error, "");
}

void
assert_notices(const char *expected)
{
	struct rt_buf *notices = &scenario.notices;

	ck_assert(!notices->failed);
	assert_bytes(notices->len > 0 ? notices->data : "", notices->len,
		expected, strlen(expected));
}

const struct retort_reply *
rule(size_t number)
{
	ck_assert_msg(number < scenario.count, "%zu items", scenario.count);
	ck_assert_int_eq(scenario.items[number].kind, RT_ITEM_RULE);
	return &scenario.items[number].rule;
}

void
assert_text(const char *got, const char *expected)
{
	if (expected == NULL)
		ck_assert_ptr_null(got);
	else
		assert_bytes(got ? got : "(null)", strlen(got ? got : "(null)"),
			expected, strlen(expected));
}

void
assert_body(const struct retort_reply *reply, const char *expected)
{
	assert_bytes(reply->body ? reply->body : "", reply->body_size, expected,
		strlen(expected));
}
