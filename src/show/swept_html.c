/* SPDX-License-Identifier: MIT */
/* A report for people: a page. */
#include "config.h"

#include <string.h>

#include "show/escape.h"
#include "show/page.h"
#include "show/swept.h"

#define STYLE_HASH "sha256-6+XAOxPnPMlLnrGuz0djH2/12cC2v+TPT2CzTd3yYjg="

/* If a way has more points, neighbours of the same colour become one cell. */
#define MOST_CELLS 2000

/* The most bytes of the reply that are shown. */
#define MOST_SHOWN 8192

/* The most runs that are described in words. */
#define MOST_RUNS 500

static const char style[] =
	":root{--notice:#8fb8e8;--take:#8ccf9b;--odd:#b35900;--mark:#ffd7d5}"
	"@media(prefers-color-scheme:dark){:root{--notice:#2f5d94;"
	"--take:#2a6f3c;--odd:#f0a050;--mark:#6e1c1c}}"
	".way{margin:0 0 1rem}"
	".way p{display:flex;flex-wrap:wrap;justify-content:space-between;"
	"gap:0 1rem;margin:0}"
	"svg{display:block;width:100%;height:2.25rem;"
	"border:1px solid var(--line);border-radius:.375rem}"
	"rect:hover{opacity:.6}"
	".c0{fill:var(--notice)}.c1{fill:var(--take)}.c2{fill:var(--bad)}"
	".c3,.c4,.c5,.c6{fill:var(--odd)}"
	".head{stroke:var(--ink);stroke-width:2;"
	"vector-effect:non-scaling-stroke}"
	"ul{list-style:none;margin:.5rem 0;padding:0;display:flex;"
	"flex-wrap:wrap;gap:.25rem 1.25rem}"
	"li svg{display:inline-block;width:1rem;height:1rem;"
	"vertical-align:-.15rem;margin-right:.4rem}"
	"details{border:1px solid var(--line);border-radius:.375rem;"
	"margin:.375rem 0;padding:.375rem .75rem}"
	"details.bad{border-left:.375rem solid var(--bad)}"
	"mark{background:var(--mark);color:inherit;"
	"text-decoration:underline}"
	"@media print{svg,rect,mark{print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}}";

static const char *const legend[OUTCOMES] = {
	[OUTCOME_NOTICED] = "cut, and noticed",
	[OUTCOME_TAKEN] = "whole, and taken",
	[OUTCOME_PART] = "cut, and taken for success",
	[OUTCOME_FAILED] = "whole, and taken for failure",
	[OUTCOME_OTHER] = "whole, with other output",
	[OUTCOME_CRASHED] = "crashed",
	[OUTCOME_LATE] = "did not end",
};

static void
put(FILE *file, const char *text, size_t size)
{
	escape_text(file, TO_HTML, text, size);
}

static void
put_command(FILE *file, const struct swept *swept)
{
	for (size_t i = 0; swept->command[i] != NULL; i++) {
		(void)fputs(i > 0 ? " " : "", file);
		put(file, swept->command[i], strlen(swept->command[i]));
	}
}

static void
put_top(FILE *file, const struct swept *swept)
{
	page_begin(file, swept->version, STYLE_HASH);
	(void)fputs("Sweep: ", file);
	put_command(file, swept);
	page_body(file, style);
	(void)fputs("<p class=\"dim\">retort sweep</p>\n<h1>", file);
	swept_summary(file, TO_HTML, swept);
	(void)fputs("</h1>\n<p><code>", file);
	put_command(file, swept);
	(void)fprintf(file,
		"</code></p>\n<p class=\"dim\">A reply of %llu bytes, the "
		"first %llu its head, in %zu ways.</p>\n",
		(unsigned long long)swept->size,
		(unsigned long long)swept->head, swept->count);
}

/* --- strips --- */

/* Writes the line of the reply that holds the byte. */
static void
put_place(FILE *file, const struct swept *swept, uint64_t at)
{
	size_t first = (size_t)at, end = (size_t)at;

	if (at >= swept->byte_count)
		return;
	while (first > 0 && at - first < 40 && swept->bytes[first - 1] != '\n')
		first--;
	while (end < swept->byte_count && end - at < 40 &&
		swept->bytes[end] != '\n' && swept->bytes[end] != '\r')
		end++;
	put(file, swept->bytes + first, (size_t)at - first);
	(void)fputs("|", file); /* here */
	put(file, swept->bytes + at, end - (size_t)at);
}

/* The end of a run of points with one outcome. */
static size_t
run_end(const struct swept *swept, size_t first, size_t end)
{
	enum outcome outcome = swept_outcome(swept->points + first);
	size_t i = first + 1;

	while (i < end && swept_outcome(swept->points + i) == outcome)
		i++;
	return i;
}

static void
put_name(FILE *file, const struct swept *swept, size_t first, size_t end)
{
	const struct swept_point *points = swept->points;

	put(file, points[first].way, strlen(points[first].way));
	if (strchr(points[first].way, 'N') == NULL)
		return;
	(void)fprintf(file, ", N = %llu", (unsigned long long)points[first].at);
	if (end > first + 1)
		(void)fprintf(file, "\u2013%llu",
			(unsigned long long)points[end - 1].at);
}

/* Writes how COMMAND ended; one that has not ended has no status. */
static void
put_end(FILE *file, const struct swept_point *point)
{
	if (point->late)
		(void)fputs("was killed", file);
	else
		(void)fprintf(file, "ended with status %d", point->status);
}

static void
put_cell(FILE *file, const struct swept *swept, size_t origin, size_t first,
	size_t end)
{
	const struct swept_point *point = swept->points + first;
	enum outcome outcome = swept_outcome(point);

	(void)fprintf(file,
		"<rect class=\"c%d\" x=\"%zu\" width=\"%zu\" height=\"1\">"
		"<title>",
		(int)outcome, first - origin, end - first);
	put_name(file, swept, first, end);
	(void)fprintf(file, ": %s (", swept_words[outcome]);
	put_end(file, point);
	(void)fputs(")\n", file);
	if (point->is_placed)
		put_place(file, swept, point->at);
	(void)fputs("</title></rect>\n", file);
}

/* Writes the strip of one way, with all its points. */
static void
put_strip(FILE *file, const struct swept *swept, size_t first, size_t end)
{
	const struct swept_point *points = swept->points + first;
	size_t count = end - first, wrong = 0, head = 0;

	for (size_t i = 0; i < count; i++) {
		wrong += swept_is_failure(points + i);
		head += points[i].is_placed && points[i].at < swept->head;
	}
	(void)fputs("<div class=\"way\"><p><code>", file);
	put(file, points->way, strlen(points->way));
	(void)fprintf(file, "</code><span>wrong at %zu of %zu</span></p>\n",
		wrong, count);
	(void)fprintf(file,
		"<svg viewBox=\"0 0 %zu 1\" preserveAspectRatio=\"none\" "
		"role=\"img\" aria-label=\"%s: wrong at %zu of %zu points\">\n",
		count, points->way, wrong, count);
	for (size_t i = first, next; i < end; i = next) {
		next = count > MOST_CELLS ? run_end(swept, i, end) : i + 1;
		put_cell(file, swept, first, i, next);
	}
	if (head > 0 && head < count)
		(void)fprintf(file,
			"<line class=\"head\" x1=\"%zu\" x2=\"%zu\" y1=\"0\" "
			"y2=\"1\"/>",
			head, head);
	(void)fputs("</svg></div>\n", file);
}

static void
put_strips(FILE *file, const struct swept *swept)
{
	(void)fputs("<h2>Where it was wrong</h2>\n<ul>\n", file);
	for (int i = 0; i < OUTCOMES; i++)
		if (swept_count(swept, (enum outcome)i) > 0)
			(void)fprintf(file,
				"<li><svg viewBox=\"0 0 1 1\" "
				"aria-hidden=\"true\"><rect class=\"c%d\" "
				"width=\"1\" height=\"1\"/></svg>%s: %zu</li>\n",
				i, legend[i],
				swept_count(swept, (enum outcome)i));
	(void)fputs(
		"</ul>\n<p class=\"dim\">The line within a strip is the end "
		"of the head. Point at a strip for the byte and its "
		"line.</p>\n",
		file);
	for (size_t i = 0, end; i < swept->count; i = end) {
		end = swept_way_end(swept, i);
		if (strchr(swept->points[i].way, 'N') != NULL)
			put_strip(file, swept, i, end);
	}
}

/* --- in words --- */

static void
put_printed(FILE *file, const char *name, const struct swept_text *text)
{
	if (text->size == 0) {
		(void)fprintf(file, "<p class=\"dim\">%s: nothing</p>\n", name);
		return;
	}
	(void)fprintf(file, "<p class=\"dim\">%s, %llu byte%s:</p>\n<pre>",
		name, (unsigned long long)text->size,
		text->size == 1 ? "" : "s");
	put(file, text->bytes, text->kept);
	(void)fprintf(file, "%s</pre>\n",
		text->size > text->kept ? "\u2026" : "");
}

static void
put_run(FILE *file, const struct swept *swept, size_t first, size_t end)
{
	const struct swept_point *point = swept->points + first;
	enum outcome outcome = swept_outcome(point);

	(void)fprintf(file, "<details%s><summary><code>",
		swept_is_failure(point) ? " class=\"bad\"" : "");
	put_name(file, swept, first, end);
	(void)fprintf(file, "</code>: %s</summary>\n", swept_words[outcome]);
	if (point->is_placed) {
		(void)fprintf(file,
			"<p class=\"dim\">Byte %llu is after the "
			"bar:</p>\n<pre>",
			(unsigned long long)point->at);
		put_place(file, swept, point->at);
		(void)fputs("</pre>\n", file);
	}
	(void)fprintf(file, "<p class=\"dim\">%s ",
		end > first + 1 ? "At the first of these it" : "It");
	put_end(file, point);
	(void)fprintf(file, " after %d ms%s.</p>\n", point->took,
		point->other ? "; its output is not that for the whole reply" :
			       "");
	put_printed(file, "Standard output", &point->output);
	put_printed(file, "Standard error", &point->errors);
	(void)fputs("</details>\n", file);
}

/* Writes the runs that are wrong, or the others. */
static void
put_runs(FILE *file, const struct swept *swept, bool wrong)
{
	size_t told = 0;

	for (size_t i = 0, end = 0, next; i < swept->count; i = next) {
		if (i >= end)
			end = swept_way_end(swept, i);
		next = run_end(swept, i, end);
		if (swept_is_failure(swept->points + i) != wrong)
			continue;
		if (told++ == 0)
			(void)fprintf(file, "<h2>%s</h2>\n",
				wrong ? "What went wrong" : "What went right");
		if (told <= MOST_RUNS)
			put_run(file, swept, i, next);
	}
	if (told > MOST_RUNS)
		(void)fprintf(file, "<p>And %zu more.</p>\n", told - MOST_RUNS);
}

/* --- the reply --- */

/* Writes the bytes of the reply, and marks those before which a cut was taken
   for success. */
static void
put_reply(FILE *file, const struct swept *swept)
{
	size_t size = swept->byte_count;
	unsigned char marks[MOST_SHOWN] = {0};

	size = size < MOST_SHOWN ? size : MOST_SHOWN;
	for (size_t i = 0; i < swept->count; i++)
		if (swept_outcome(swept->points + i) == OUTCOME_PART &&
			swept->points[i].at < size)
			marks[swept->points[i].at] = 1;
	(void)fputs("<h2>The reply</h2>\n<p class=\"dim\">Where a cut before a "
		    "byte was taken for success, the byte is marked.</p>\n"
		    "<pre>",
		file);
	for (size_t i = 0, end; i < size; i = end) {
		end = i + 1;
		while (end < size && marks[end] == marks[i])
			end++;
		(void)fputs(marks[i] ? "<mark>" : "", file);
		for (size_t k = i, next; k < end; k = next + (next < end)) {
			const char *cr =
				memchr(swept->bytes + k, '\r', end - k);

			next = cr ? (size_t)(cr - swept->bytes) : end;
			put(file, swept->bytes + k, next - k);
		}
		(void)fputs(marks[i] ? "</mark>" : "", file);
	}
	(void)fprintf(file, "%s</pre>\n", size < swept->size ? "\u2026" : "");
}

void
swept_write_html(FILE *file, const struct swept *swept)
{
	put_top(file, swept);
	put_strips(file, swept);
	put_runs(file, swept, true);
	put_reply(file, swept);
	put_runs(file, swept, false);
	page_end(file);
}
