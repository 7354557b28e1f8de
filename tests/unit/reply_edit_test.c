/* SPDX-License-Identifier: MIT */
/* Changes to a script that is complete. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reply/reply.h"
#include "support/harness.h"

#define EDITED "texttextbytesabcabcabcfilefile"

/* EDITED, of steps of each kind, with a pause between the last two. */
static char *
open_edited(struct rt_reply *reply)
{
	char *dir = dir_make();
	char path[512];

	dir_write(dir, "f", "..filefile..", 12);
	(void)snprintf(path, sizeof path, "%s/f", dir);
	rt_reply_init(reply);
	reply->file = open(path, O_RDONLY);
	ck_assert_int_ge(reply->file, 0);
	rt_buf_add_text(&reply->text, "..texttext");
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 2, .size = 8});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "bytes",
			.size = 5});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "bca",
			.at = 3,
			.from = 2,
			.size = 9});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_PAUSE, .at = 5});
	rt_reply_step(reply,
		(struct rt_step){.kind = RT_STEP_FILE, .at = 2, .size = 8});
	rt_reply_step(reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	reply->head_size = 8;
	ck_assert_uint_eq(rt_reply_size(reply), strlen(EDITED));
	return dir;
}

static void
close_edited(struct rt_reply *reply, char *dir)
{
	rt_reply_free(reply);
	dir_remove(dir);
}

/* The bytes alone, and how many nanoseconds of pauses there are. */
static void
assert_edited(const struct rt_reply *reply, const char *expected, size_t size,
	const char *pause)
{
	struct bytes got = script_played(reply);
	char *at = strstr(got.data, "<5 ns>");

	ck_assert(rt_reply_ok(reply));
	ck_assert_int_eq(at != NULL, pause != NULL);
	if (at != NULL) {
		memmove(at, at + 6, got.size - 6 - (size_t)(at - got.data) + 1);
		got.size -= 6;
	}
	assert_bytes(got.data, got.size, expected, size);
	bytes_free(&got);
}

START_TEST(split_at_every_byte)
{
	for (size_t at = 0; at <= strlen(EDITED); at++) {
		struct rt_reply reply;
		char *dir = open_edited(&reply);
		size_t count = reply.step_count, before = 0;
		size_t index = rt_reply_split(&reply, at);

		ck_assert_uint_lt(index, reply.step_count);
		ck_assert_uint_le(reply.step_count, count + 1);
		for (size_t i = 0; i < index; i++)
			if (reply.steps[i].kind <= RT_STEP_FILE)
				before += (size_t)reply.steps[i].size;
		ck_assert_msg(before == at, "split at %zu, got %zu", at,
			before);
		/* once more changes nothing */
		count = reply.step_count;
		ck_assert_uint_eq(rt_reply_split(&reply, at), index);
		ck_assert_uint_eq(reply.step_count, count);
		assert_edited(&reply, EDITED, strlen(EDITED), "");
		close_edited(&reply, dir);
	}
}
END_TEST

START_TEST(cut_at_every_byte)
{
	for (size_t at = 0; at <= strlen(EDITED); at++) {
		struct rt_reply reply;
		char *dir = open_edited(&reply);

		rt_reply_cut(&reply, at);
		ck_assert_uint_eq(rt_reply_size(&reply), at);
		ck_assert_uint_eq(reply.head_size, at < 8 ? at : 8);
		assert_edited(&reply, EDITED, at, at > 22 ? "" : NULL);
		close_edited(&reply, dir);
	}
}
END_TEST

START_TEST(gather_every_part)
{
	for (size_t from = 0; from < strlen(EDITED); from++) {
		for (size_t n = 0; n <= strlen(EDITED) - from; n++) {
			struct rt_reply reply;
			char *dir;
			size_t at;

			if (rt_test_thin())
				continue;
			dir = open_edited(&reply);
			at = rt_reply_gather(&reply, from, n);
			ck_assert_uint_eq(reply.text.len, at + n);
			assert_bytes(reply.text.data + at, n, &EDITED[from], n);
			assert_edited(&reply, EDITED, strlen(EDITED), "");
			close_edited(&reply, dir);
		}
	}
}
END_TEST

/* Of a file that has become shorter there is what is left of it, and zeros. */
START_TEST(gather_from_a_shorter_file)
{
	struct rt_reply reply;
	char *dir = open_edited(&reply);
	char path[512];
	size_t at;

	(void)snprintf(path, sizeof path, "%s/f", dir);
	ck_assert_int_eq(truncate(path, 5), 0);
	at = rt_reply_gather(&reply, 0, strlen(EDITED));
	assert_bytes(reply.text.data + at, reply.text.len - at,
		"texttextbytesabcabcabcfil\0\0\0\0\0", strlen(EDITED));
	close_edited(&reply, dir);
}
END_TEST

START_TEST(replace_every_part)
{
	static const char *const texts[] = {"", "x", "<longer>"};

	for (size_t from = 0; from <= strlen(EDITED); from++)
		for (size_t n = 0; n <= strlen(EDITED) - from; n += 1 + n / 3)
			for (size_t k = 0; k < 3; k++) {
				struct rt_reply reply;
				char *dir, whole[100];
				size_t at;

				/* the head is replaced within itself */
				if ((from < 8 && from + n > 8) ||
					rt_test_thin())
					continue;
				dir = open_edited(&reply);
				at = reply.text.len;
				rt_buf_add_text(&reply.text, texts[k]);
				rt_reply_replace(&reply, from, n, at);
				(void)snprintf(whole, sizeof whole, "%.*s%s%s",
					(int)from, EDITED, texts[k],
					&EDITED[from + n]);
				assert_edited(&reply, whole, strlen(whole), "");
				ck_assert_uint_eq(reply.head_size,
					from < 8 ? 8 + strlen(texts[k]) - n :
						   8);
				close_edited(&reply, dir);
			}
}
END_TEST

START_TEST(insert_and_remove_steps)
{
	for (size_t i = 0; i < 6; i++) {
		struct rt_reply reply;
		char *dir = open_edited(&reply);

		rt_reply_insert(&reply, i,
			(struct rt_step){.kind = RT_STEP_FLUSH});
		ck_assert_uint_eq(reply.step_count, 7);
		ck_assert_int_eq(reply.steps[i].kind, RT_STEP_FLUSH);
		ck_assert_int_eq(reply.steps[6].kind, RT_STEP_CLOSE);
		rt_reply_remove(&reply, i, i + 1);
		ck_assert_uint_eq(reply.step_count, 6);
		assert_edited(&reply, EDITED, strlen(EDITED), "");
		close_edited(&reply, dir);
	}
}
END_TEST

/* Text that is inserted next to text stays a step of its own. */
START_TEST(insert_without_merging)
{
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_buf_add_text(&reply.text, "abcd");
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_TEXT, .size = 2});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	rt_reply_insert(&reply, 1,
		(struct rt_step){.kind = RT_STEP_TEXT, .at = 2, .size = 2});
	ck_assert_uint_eq(reply.step_count, 3);
	assert_played(&reply, "abcd");
	rt_reply_free(&reply);
}
END_TEST

START_TEST(a_change_too_many_fails)
{
	const size_t few = 100;
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_REPEAT,
			.bytes = "ab",
			.at = 2,
			.size = UINT64_C(1) << 40});
	/* the splits alone would take a while: each looks at all steps */
	for (size_t i = 1; i < RT_MAX_STEPS - few; i++)
		rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_FLUSH});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert(rt_reply_ok(&reply));
	for (uint64_t i = 1; rt_reply_ok(&reply); i++) {
		ck_assert_uint_le(i, few);
		(void)rt_reply_split(&reply, i);
	}
	ck_assert_uint_eq(reply.step_count, RT_MAX_STEPS);
	/* and what comes then does no harm */
	rt_reply_cut(&reply, UINT64_C(1) << 39);
	rt_reply_replace(&reply, 5, UINT64_C(1) << 39, 0);
	(void)rt_reply_gather(&reply, 100000, 5);
	ck_assert(!rt_reply_ok(&reply));
	rt_reply_free(&reply);
}
END_TEST

/* More bytes than can be counted are split where they should be. */
START_TEST(changes_to_what_does_not_end)
{
	const struct rt_step step = {.kind = RT_STEP_REPEAT,
		.bytes = "ab",
		.at = 2,
		.size = INT64_MAX};
	struct rt_reply reply;

	rt_reply_init(&reply);
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "hello",
			.size = 5});
	for (int i = 0; i < 4; i++)
		rt_reply_step(&reply, step);
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert_uint_eq(rt_reply_size(&reply), UINT64_MAX);
	ck_assert_uint_eq(rt_reply_split(&reply, UINT64_MAX - 1), 3);
	ck_assert_uint_eq(rt_reply_split(&reply, UINT64_MAX), 4);
	ck_assert_uint_eq(reply.steps[3].size, 1);
	rt_reply_cut(&reply, UINT64_MAX - 1);
	ck_assert_uint_eq(reply.step_count, 4);
	ck_assert_int_eq(reply.steps[3].kind, RT_STEP_CLOSE);
	rt_reply_free(&reply);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply_edit");
	TCase *tcase = tcase_create("changes");

	tcase_add_test(tcase, split_at_every_byte);
	tcase_add_test(tcase, cut_at_every_byte);
	tcase_add_test(tcase, gather_every_part);
	tcase_add_test(tcase, gather_from_a_shorter_file);
	tcase_add_test(tcase, replace_every_part);
	tcase_add_test(tcase, insert_and_remove_steps);
	tcase_add_test(tcase, insert_without_merging);
	tcase_add_test(tcase, a_change_too_many_fails);
	tcase_add_test(tcase, changes_to_what_does_not_end);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
