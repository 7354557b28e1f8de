/* SPDX-License-Identifier: MIT */
/* Tests of show/: text of others as data, progress, and what a sweep found. */
#include "config.h"

#include "show/escape.h"
#include "show/progress.h"
#include "show/swept.h"
#include "support/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was written; each is to be freed. */
struct written {
	FILE *file;
	struct bytes got;
};

static struct written *
begin(void)
{
	static struct written written;

	written.file = open_memstream(&written.got.data, &written.got.size);
	ck_assert_ptr_nonnull(written.file);
	return &written;
}

static struct bytes
end(struct written *written)
{
	ck_assert_int_eq(fclose(written->file), 0);
	return written->got;
}

static void
assert_written(struct written *written, const char *expected)
{
	struct bytes got = end(written);

	assert_bytes(got.data, got.size, expected, strlen(expected));
	free(got.data);
}

/* --- text of others --- */

static const struct {
	const char *bytes;
	size_t size;
	const char *terminal;
	const char *html;
	const char *json;
} texts[] = {
#define TEXT(bytes) (bytes), sizeof(bytes) - 1
	{TEXT("plain"), "plain", "plain", "plain"},
	{TEXT("<script>"), "<script>", "&lt;script&gt;", "\\u003cscript>"},
	{TEXT("&\"'\\"), "&\"'\\", "&amp;&quot;&#39;\\", "&\\\"'\\\\"},
	{TEXT("\33[31m"), "\\u001b[31m", "\\u001b[31m", "\\u001b[31m"},
	{TEXT("a\0b"), "a\\u0000b", "a\\u0000b", "a\\u0000b"},
	{TEXT("a\tb\nc\r"), "a\tb\\u000ac\\u000d", "a\tb\nc\\u000d",
		"a\\tb\\nc\\u000d"},
	{TEXT("\177\302\205"), "\\u007f\\u0085", "\\u007f\\u0085",
		"\\u007f\\u0085"},
	/* text stays as it is */
	{TEXT("\303\251\342\202\254\360\237\230\200"),
		"\303\251\342\202\254\360\237\230\200",
		"\303\251\342\202\254\360\237\230\200",
		"\303\251\342\202\254\360\237\230\200"},
	/* the order of others, nothing that is seen, a mark of order */
	{TEXT("\342\200\256\342\200\213\357\273\277"), "\\u202e\\u200b\\ufeff",
		"\\u202e\\u200b\\ufeff", "\\u202e\\u200b\\ufeff"},
	{TEXT("\363\240\200\201"), "\\ue0001", "\\ue0001", "\\udb40\\udc01"},
	/* none: a byte of none, too long, a surrogate, beyond all, cut off */
	{TEXT("\377\300\200"), "\\xff\\xc0\\x80", "\\xff\\xc0\\x80",
		"\\ufffd\\ufffd\\ufffd"},
	{TEXT("\355\240\200"), "\\xed\\xa0\\x80", "\\xed\\xa0\\x80",
		"\\ufffd\\ufffd\\ufffd"},
	{TEXT("\364\220\200\200"), "\\xf4\\x90\\x80\\x80",
		"\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
	{TEXT("\342\202"), "\\xe2\\x82", "\\xe2\\x82", "\\ufffd\\ufffd"},
};

START_TEST(text_is_data)
{
	const char *const expected[] = {[TO_TERMINAL] = texts[_i].terminal,
		[TO_HTML] = texts[_i].html,
		[TO_XML] = texts[_i].html,
		[TO_JSON] = texts[_i].json};

	for (int to = 0; to < COUNT(expected); to++) {
		struct written *written = begin();

		escape_text(written->file, (enum escape_to)to, texts[_i].bytes,
			texts[_i].size);
		assert_written(written, expected[to]);
	}
}
END_TEST

START_TEST(lines_have_an_end)
{
	struct written *written = begin();

	escape_lines(written->file, "a\n\nb\33\rc", 7, "> ");
	escape_lines(written->file, "", 0, "> ");
	assert_written(written, "> a\n> \n> b\\u001b\\u000dc\n");
}
END_TEST

/* --- progress --- */

#define CLEAR "\r\33[K"

START_TEST(says_how_far_it_is)
{
	struct written *written = begin();
	struct progress progress = {.file = written->file, .began = 5000};

	progress_clear(&progress);
	progress_tell(&progress, 7000, 1, 10);
	progress_tell(&progress, 7099, 2, 10); /* too soon */
	progress.wrong = 1;
	progress_tell(&progress, 7100, 6, 10);
	progress.wrong = 2;
	progress_tell(&progress, 7101, 10, 10); /* the last is not */
	progress_clear(&progress);
	assert_written(written,
		CLEAR
		"retort: 1 of 10, 0:18 left, 0 cuts taken for success" CLEAR
		"retort: 6 of 10, 2/s, 0:01 left, 1 cut taken for success" CLEAR
		"retort: 10 of 10, 4/s, 0:00 left, 2 cuts taken for "
		"success" CLEAR);
}
END_TEST

START_TEST(says_nothing_when_it_is_not_shown)
{
	struct progress progress = {.file = NULL};

	progress_tell(&progress, 1000, 1, 10);
	progress_clear(&progress);
	ck_assert_int_eq(progress.told, 0);
}
END_TEST

START_TEST(says_how_long_it_takes)
{
	struct written *written = begin();
	struct progress progress = {.file = written->file};

	/* as soon as it begins, and for hours */
	progress_tell(&progress, 0, 1, 10);
	progress_tell(&progress, 3600000, 2, 65536);
	assert_written(written,
		CLEAR
		"retort: 1 of 10, 0:00 left, 0 cuts taken for success" CLEAR
		"retort: 2 of 65536, 1966020:00 left, 0 cuts taken for "
		"success");
}
END_TEST

/* --- what a sweep found --- */

static char get[] = "get", url[] = "<url> \33";
static char *const command[] = {get, url, NULL};

static struct swept_text
text(const char *bytes)
{
	struct swept_text made = {.kept = strlen(bytes), .size = strlen(bytes)};

	made.bytes = strdup(bytes);
	return made;
}

/* A sweep of "ab\r\n", interrupted: by numbers 0 to 6. */
static struct swept
make(void)
{
	static const struct swept_point points[] = {
		{.way = "whole", .tried = true, .taken = 1},
		{.way = "cut N fin", .tried = true, .is_cut = true},
		{.way = "cut N fin",
			.at = 1,
			.tried = true,
			.is_cut = true,
			.taken = 1,
			.wrong = true,
			.took = 1007},
		{.way = "cut N reset", .at = 1}, /* not tried */
		{.way = "cut N reset",
			.at = 2,
			.tried = true,
			.is_cut = true,
			.signal = 6,
			.status = 134},
		{.way = "cut N reset",
			.at = 3,
			.tried = true,
			.is_cut = true,
			.late = true,
			.took = 1040},
		{.way = "each 1",
			.tried = true,
			.taken = 2,
			.wrong = true,
			.other = true},
	};
	struct swept swept = {.version = "1.2",
		.command = command,
		.size = 4,
		.bytes = strdup("ab\r\n"),
		.byte_count = 4,
		.all = COUNT(points)};

	swept.points = calloc(COUNT(points), sizeof *points);
	ck_assert_ptr_nonnull(swept.points);
	for (int i = 0; i < COUNT(points); i++) {
		struct swept_point *point = swept.points + i;

		*point = points[i];
		if (i > 0)
			(void)snprintf(point->fault, sizeof point->fault,
				"cut %d fin", i);
		if (!point->tried)
			continue;
		point->output = text(i == 2 ? "<script>\33]]>" : "");
		point->errors = text("");
	}
	swept_close_up(&swept);
	return swept;
}

START_TEST(counts_outcomes)
{
	static const size_t counts[OUTCOMES] = {1, 1, 1, 0, 1, 1, 1};
	struct swept swept = make();

	ck_assert_uint_eq(swept.count, 6);
	for (int i = 0; i < OUTCOMES; i++)
		ck_assert_msg(swept_count(&swept, (enum outcome)i) == counts[i],
			"%s: expected %zu, got %zu", swept_words[i], counts[i],
			swept_count(&swept, (enum outcome)i));
	ck_assert_uint_eq(swept_way_end(&swept, 1), 3);
	ck_assert_uint_eq(swept_way_end(&swept, 3), 5);
	swept_free(&swept);
}
END_TEST

#define SUMMARY \
	"The client took 1 of 4 cut replies for success; 1 time it printed " \
	"something else for the whole reply; 1 time it crashed; 1 time it " \
	"did not end; 1 of 7 replies were not tried."

START_TEST(sums_up)
{
	struct swept swept = make();
	struct written *written = begin();

	swept_summary(written->file, TO_HTML, &swept);
	assert_written(written, SUMMARY);
	swept.error = "<why>";
	written = begin();
	swept_summary(written->file, TO_HTML, &swept);
	assert_written(written, "The sweep ended early: &lt;why&gt;. " SUMMARY);
	swept_free(&swept);
}
END_TEST

/* Each of them is in the sum: no cut was noticed by who did not end. */
START_TEST(sums_up_hangs)
{
	struct swept_point points[] = {{.is_cut = true, .late = true},
		{.is_cut = true}, {.is_cut = true, .late = true}};
	struct swept swept = {.points = points, .count = 3, .all = 3};
	struct written *written = begin();

	swept_summary(written->file, TO_TERMINAL, &swept);
	assert_written(written,
		"The client noticed 1 of 3 cuts; 2 times it did not end.");
	swept.count = 2;
	swept.points++;
	points[2].late = false;
	swept.all = 2;
	written = begin();
	swept_summary(written->file, TO_TERMINAL, &swept);
	assert_written(written, "The client noticed each of 2 cuts.");
}
END_TEST

/* Nothing was tried, as COMMAND could not be run: no report has points. */
START_TEST(sums_up_nothing)
{
	struct swept swept = {.version = "1.2",
		.command = command,
		.error = "why"};
	struct written *written = begin();

	swept_summary(written->file, TO_TERMINAL, &swept);
	assert_written(written,
		"The sweep ended early: why. No cut reply was tried.");
	written = begin();
	swept_write_html(written->file, &swept);
	swept_write_json(written->file, &swept);
	swept_write_xml(written->file, &swept);
	bytes_free(&(struct bytes){end(written).data, 0});
}
END_TEST

/* What reports say of the client that did not end, of the one that printed
   something else, and of all. */
static const char late[] =
	"\"late\": true, \"status\": null, \"signal\": 0, \"ms\": 1040, "
	"\"output\": \"\"";
static const char other[] =
	"\"output\": \"\\u003cscript>\\u001b]]>\", \"output_size\": 12";
static const char summary[] = SUMMARY;

/* Whatever is in it, the text of others is no markup, and steers nothing. */
static void
assert_is_data(struct bytes got)
{
	assert_lacks(got, "<script");
	for (size_t i = 0; i < got.size; i++)
		if (got.data[i] != '\n' && (got.data[i] & 0xff) < ' ')
			ck_abort_msg("byte %zu: %s", i, shown(got.data + i, 1));
}

START_TEST(reports)
{
	static const struct {
		void (*write)(FILE *, const struct swept *);
		const char *has[5];
	} kinds[] = {
		{swept_write_json,
			{"\"command\": [\"get\", \"\\u003curl> \\u001b\"]",
				"\"all\": 7", "\"at\": 1, \"success\": true",
				late, other}},
		{swept_write_xml,
			{"tests=\"6\" failures=\"4\" errors=\"0\"",
				"time=\"2.047\"", " time=\"1.040\">",
				"<failure message=\"did not end\">killed</",
				"<system-out>&lt;script&gt;\\u001b]]&gt;"}},
		{swept_write_html,
			{"<code>get &lt;url&gt; \\u001b</code>", summary,
				"It was killed after 1040 ms.",
				"style-src 'sha256-", "<mark>b"}},
	};
	struct swept swept = make();
	struct written *written = begin();
	struct bytes got;

	kinds[_i].write(written->file, &swept);
	got = end(written);
	for (int i = 0; i < COUNT(kinds[_i].has); i++)
		assert_has(got, kinds[_i].has[i]);
	assert_is_data(got);
	bytes_free(&got);
	swept_free(&swept);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("show");
	TCase *tcase = tcase_create("escape");

	tcase_add_loop_test(tcase, text_is_data, 0, COUNT(texts));
	tcase_add_test(tcase, lines_have_an_end);
	rt_test_case(suite, tcase);
	tcase = tcase_create("progress");
	tcase_add_test(tcase, says_how_far_it_is);
	tcase_add_test(tcase, says_nothing_when_it_is_not_shown);
	tcase_add_test(tcase, says_how_long_it_takes);
	rt_test_case(suite, tcase);
	tcase = tcase_create("swept");
	tcase_add_test(tcase, counts_outcomes);
	tcase_add_test(tcase, sums_up);
	tcase_add_test(tcase, sums_up_hangs);
	tcase_add_test(tcase, sums_up_nothing);
	tcase_add_loop_test(tcase, reports, 0, 3);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
