/* SPDX-License-Identifier: MIT */
/* Ladders as a page. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "show/escape.h"
#include "show/ladder.h"
#include "show/page.h"

#define STYLE_HASH "sha256-uMcYzOgw09+7sSd5uLLaGdtWlfyYb0pEPeIZzUhaf7E="

/* The lines of a step that are visible at once, and all that are written. */
#define MOST_SEEN 40
#define MOST_LINES 2000

/* The most connections on a page. */
#define MOST_LADDERS 200

/* px of a pause for each unit of its length. */
#define PAUSE_HEIGHT 20

static const char style[] =
	":root{--client:#0550ae;--server:#116329}"
	"@media(prefers-color-scheme:dark){:root{--client:#79c0ff;"
	"--server:#56d364}}"
	".verdict{border-left:.375rem solid var(--bad)}"
	".sides{display:flex;justify-content:space-between;margin:.5rem 0 0}"
	".ladder{list-style:none;margin:0;padding:.5rem 0;"
	"border:solid var(--line);border-width:0 3px}"
	".ladder li{margin:0 0 .75rem}"
	".ladder p{margin:0 .75rem}"
	".ladder pre{unicode-bidi:isolate;direction:ltr}"
	".ladder i{font-style:normal;opacity:.65}"
	".c{color:var(--client)}.s{color:var(--server)}"
	".c pre,.c details{margin:.25rem 20% .25rem .75rem}"
	".s pre,.s details{margin:.25rem .75rem .25rem 20%}"
	".s>p{text-align:right}"
	".ladder pre{color:var(--ink)}"
	"details pre{margin:.25rem 0}"
	".reset{color:var(--bad)}"
	".bad{color:var(--bad);font-weight:600}"
	".arrow{display:block;position:relative;margin:.5rem 0 0;"
	"border-top:2px solid}"
	".arrow::after{content:\"\";position:absolute;top:-.5rem;"
	"border:.45rem solid transparent}"
	".c .arrow::after{right:-.45rem;border-left-color:currentColor}"
	".s .arrow::after{left:-.45rem;border-right-color:currentColor}"
	".reset .arrow::after{content:\"\\2715\";border:0;top:-.9rem;"
	"font-size:1.1rem}"
	".pause{color:var(--dim);text-align:center}"
	".pause svg{display:block;margin:auto;width:3px}"
	".pause rect{fill:var(--line)}"
	"@media print{li{break-inside:avoid}svg rect{"
	"print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

static void
put(FILE *file, struct span text)
{
	escape_text(file, TO_HTML, text.at, text.size);
}

/* --- bytes --- */

/* Writes the text of a line, and its end in another style. */
static void
put_line(FILE *file, struct span line)
{
	char *bytes = calloc(line.size + 1, 1);
	size_t size, text;

	if (bytes == NULL) {
		put(file, line);
		return;
	}
	size = ladder_bytes(line, bytes);
	for (text = size; text > 0 &&
		(bytes[text - 1] == '\r' || bytes[text - 1] == '\n');)
		text--;
	escape_text(file, TO_HTML, bytes, text);
	if (text < size)
		(void)fputs("<i>", file);
	for (size_t i = text; i < size; i++)
		(void)fputs(bytes[i] == '\r' ? "\\r" : "\\n", file);
	(void)fputs(text < size ? "</i>\n" : "\n", file);
	free(bytes);
}

/* Writes at most `most` lines, and leaves the rest in `lines`. */
static void
put_pre(FILE *file, struct span *lines, int most)
{
	struct span line;

	(void)fputs("<pre>", file);
	while (most-- > 0 && ladder_next_line(lines, &line))
		put_line(file, line);
	(void)fputs("</pre>\n", file);
}

static void
put_lines(FILE *file, const struct ladder_step *step)
{
	struct span lines = step->lines;

	if (lines.size == 0)
		return;
	put_pre(file, &lines, MOST_SEEN);
	if (lines.size == 0)
		return;
	(void)fputs("<details><summary>More</summary>\n", file);
	put_pre(file, &lines, MOST_LINES - MOST_SEEN);
	(void)fputs(lines.size > 0 ? "<p>And more.</p></details>\n" :
				     "</details>\n",
		file);
}

/* --- steps --- */

static void
put_time(FILE *file, int64_t us)
{
	(void)fprintf(file, "%lld.%03d ms", (long long)(us / 1000),
		(int)(us % 1000));
}

/* Writes which side sent what, and when. */
static void
put_words(FILE *file, const struct ladder_step *step)
{
	if (step->kind != LADDER_NOTE)
		(void)fprintf(file,
			"%s: ", step->to_client ? "server" : "client");
	if (step->kind == LADDER_BYTES)
		(void)fprintf(file, "%llu byte%s",
			(unsigned long long)step->bytes,
			step->bytes == 1 ? "" : "s");
	else
		put(file, step->note);
	if (step->more > 0)
		(void)fprintf(file, ", of which %llu were not kept",
			(unsigned long long)step->more);
	(void)fputs(", ", file);
	put_time(file, step->when);
}

static void
put_faults(FILE *file, const struct ladder *ladder, size_t step)
{
	size_t count;
	const struct ladder_fault *faults =
		ladder_faults_at(ladder, step, &count);

	for (size_t i = 0; i < count; i++) {
		(void)fputs("<p class=\"bad\">fault: <code>", file);
		put(file, faults[i].clause);
		(void)fputs("</code></p>\n", file);
	}
}

static void
put_pause(FILE *file, int64_t pause)
{
	const int length = ladder_length(pause);

	if (length == 0)
		return;
	(void)fprintf(file,
		"<li class=\"pause\"><svg aria-hidden=\"true\" "
		"height=\"%d\"><rect width=\"3\" height=\"100%%\"/></svg>"
		"pause: %lld ms</li>\n",
		length * PAUSE_HEIGHT, (long long)(pause / 1000));
}

static void
put_step(FILE *file, const struct ladder *ladder, size_t place)
{
	const struct ladder_step *step = ladder->steps + place;

	put_pause(file, ladder_pause(ladder, place));
	(void)fprintf(file, "<li class=\"%s%s\">\n<p>",
		step->to_client ? "s" : "c",
		step->kind == LADDER_RST ? " reset" : "");
	put_words(file, step);
	(void)fputs("</p>\n", file);
	put_faults(file, ladder, place);
	put_lines(file, step);
	if (step->kind != LADDER_NOTE)
		(void)fputs("<span class=\"arrow\"></span>", file);
	(void)fputs("</li>\n", file);
}

static void
put_ladder(FILE *file, const struct ladder *ladder)
{
	(void)fputs("<h2>", file);
	put(file, ladder->title);
	(void)fputs(
		"</h2>\n<p class=\"sides\" aria-hidden=\"true\"><span>client"
		"</span><span>server</span></p>\n"
		"<ol class=\"ladder\" role=\"list\">\n",
		file);
	for (size_t i = 0; i < ladder->count; i++)
		put_step(file, ladder, i);
	(void)fputs("</ol>\n", file);
}

static void
put_title(FILE *file, const struct ladders *ladders)
{
	(void)fprintf(file, "%s%zu connection%s",
		*ladders->verdict != '\0' ? "Not as expected: " : "",
		ladders->count, ladders->count == 1 ? "" : "s");
}

void
ladders_write_html(FILE *file, const struct ladders *ladders)
{
	const char *verdict = ladders->verdict;

	page_begin(file, ladders->version, STYLE_HASH);
	put_title(file, ladders);
	page_body(file, style);
	(void)fputs("<p class=\"dim\">retort</p>\n<h1>", file);
	put_title(file, ladders);
	(void)fputs("</h1>\n", file);
	if (*verdict != '\0') {
		(void)fputs("<pre class=\"verdict\">", file);
		escape_text(file, TO_HTML, verdict, strlen(verdict));
		(void)fputs("</pre>\n", file);
	}
	for (size_t i = 0; i < ladders->count && i < MOST_LADDERS; i++)
		put_ladder(file, ladders->all + i);
	if (ladders->count > MOST_LADDERS)
		(void)fprintf(file, "<p>And %zu more.</p>\n",
			ladders->count - MOST_LADDERS);
	page_end(file);
}
